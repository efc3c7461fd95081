"""Who a parent says they are: the same number however it is typed, and what it stands on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity import (
    CardError,
    DocumentError,
    Identity,
    OtherDocumentError,
    Paper,
    document_hash,
    in_one_alphabet,
    parse_identity,
    parse_proof,
    proof_of_document,
)
from accounts.iin import IinError

IIN = "940225300009"
PASSPORT = "N12345678"


def document(text: str, paper: Paper | None = None) -> str:
    found = parse_identity(text, paper=paper)
    assert not found.iin
    return found.document_number


@pytest.mark.parametrize(
    "text",
    [
        "N12345678",
        "n12345678",
        "N 1234 5678",
        "№ N12345678",
        "№N-12345678",
        "N12345678.",
        "«N12345678»",
        "(N) 12345678",
        "N\u00a0123\u20094567\u200b8",
        "Ｎ１２３４５６７８",
        "N١٢٣٤٥٦٧٨",
    ],
)
@pytest.mark.parametrize("paper", [None, Paper.IIN, Paper.OTHER])
def test_one_passport_in_every_spelling(text, paper):
    assert document(text, paper) == PASSPORT


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("АВ1234567", "AB1234567"),  # both letters Cyrillic
        ("АB1234567", "AB1234567"),  # the first one only
        ("КХ0012345", "KX0012345"),
        ("СТ123456", "CT123456"),
        ("ҮҺ123456", "YH123456"),
        # A letter that exists in Cyrillic only: all of them are Cyrillic.
        ("АБ123456", "АБ123456"),
        ("AБ123456", "АБ123456"),
        ("БH123456", "БН123456"),
        ("ҚA123456", "ҚА123456"),
        ("1207123456", "1207123456"),
    ],
)
def test_letters_that_look_alike_are_the_same(typed, number):
    assert document(typed, Paper.OTHER) == number
    assert document_hash(typed) == document_hash(number)


@given(st.text(alphabet="АВЕКМНОРСТУХІҮҺЅЈБQABEKMHOPCTYXIJSN0123456789", max_size=20))
def test_an_alphabet_once_chosen_stays(number):
    folded = in_one_alphabet(number)
    assert in_one_alphabet(folded) == folded
    assert len(folded) == len(number)
    assert document_hash(folded) == document_hash(number)


@pytest.mark.parametrize("number", ["n12345678", "аб123456"])
def test_a_registry_that_writes_small_letters_means_the_same_document(number):
    """`register` keeps the hash of what the registry wrote, the forms look for capitals."""
    assert document_hash(number) == document_hash(document(number, Paper.OTHER))


def test_digits_are_what_the_person_says():
    """A Russian passport has ten digits, a Turkish identity number eleven; nobody can tell twelve from an IIN."""
    assert document("4509 123456", Paper.OTHER) == "4509123456"
    assert document(IIN, Paper.OTHER) == IIN
    assert parse_identity(IIN) == parse_identity(IIN, paper=Paper.IIN) == Identity(iin=IIN)
    with pytest.raises(IinError):
        parse_identity("4509123456")


@pytest.mark.parametrize("paper", [None, Paper.IIN, Paper.CARD])
def test_nine_digits_are_an_identity_card(paper):
    assert document("№ 012 345 678", paper) == "012345678"


@pytest.mark.parametrize(
    ("text", "paper", "fault"),
    [
        ("01234567", Paper.CARD, CardError),
        ("N12345678", Paper.CARD, CardError),
        (IIN, Paper.CARD, CardError),
        ("", Paper.CARD, CardError),
        ("№№№", Paper.OTHER, OtherDocumentError),
        ("1234", Paper.OTHER, OtherDocumentError),
        ("PASSPORT", Paper.OTHER, OtherDocumentError),
        ("N" + "1" * 20, Paper.OTHER, OtherDocumentError),
        ("ЖОҚ", None, DocumentError),
        ("000000000000", None, IinError),
        ("№ 94022530000", Paper.IIN, IinError),
    ],
)
def test_what_is_no_number_costs_no_look_up(text, paper, fault):
    with pytest.raises(fault) as caught:
        parse_identity(text, paper=paper)
    assert caught.value.message


@pytest.mark.parametrize("typed", ["5678", "56-78", "№ 5678"])
def test_the_end_of_a_number_proves_it(typed):
    assert parse_proof(typed) == proof_of_document(PASSPORT)


def test_the_end_of_a_number_in_letters_of_either_keyboard():
    assert parse_proof("1АВС") == parse_proof("1abc") == proof_of_document("1231АВС") == "1ABC"


def test_an_iin_proves_itself():
    assert parse_proof("940225-300009") == IIN
