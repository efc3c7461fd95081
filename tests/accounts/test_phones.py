"""Any spelling of a mobile number of Kazakhstan, and nothing else."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.masks import mask_document, mask_iin, mask_name, mask_phone
from accounts.phones import PhoneError, PhoneFault, dialled, display_phone, parse_mobile


@pytest.mark.parametrize(
    "text",
    [
        "+77017779876", "87017779876", "77017779876", "7017779876", "+7 (701) 777-98-76", "8 701 777 98 76",
        "8(701)777-98-76", "+7-701-777-98-76", "+7.701.777.98.76", "００７７０１７７７９８７６",
        "８７０１７７７９８７６",
        "＋７ ７０１ ７７７ ９８ ７６", " +7 701 777 98 76 ", "007 701 777 98 76", "+87017779876", "8–701–777–98–76",
        "+7 701\u00a0777\u20119876", "\u202a+77017779876\u202c",
    ],
)  # fmt: skip
def test_any_spelling(text):
    assert parse_mobile(text) == "+77017779876"


@pytest.mark.parametrize(
    "code", ["700", "701", "702", "705", "706", "707", "708", "747", "771", "775", "776", "777", "778"]
)
def test_every_mobile_range(code):
    assert parse_mobile(f"8{code}3397222") == f"+7{code}3397222"


@pytest.mark.parametrize(
    "text", ["+7 916 123-45-67", "89161234567", "9161234567", "+998901234567", "+1 202 555 0143"]
)
def test_foreign(text):
    with pytest.raises(PhoneError) as caught:
        parse_mobile(text)
    assert caught.value.reason is PhoneFault.FOREIGN


@pytest.mark.parametrize("text", ["+7 7272 12 34 56", "8 (7172) 12-34-56", "+7 725 331 23 45"])
def test_landline(text):
    with pytest.raises(PhoneError) as caught:
        parse_mobile(text)
    assert caught.value.reason is PhoneFault.LANDLINE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "abc",
        "8701777987",
        "870177798765",
        "8701777987x",
        "0",
        "+7 7O1 777 98 76",
        "８７０",
        "7" * 500,
    ],
)
def test_unreadable(text):
    with pytest.raises(PhoneError) as caught:
        parse_mobile(text)
    assert caught.value.reason is PhoneFault.UNREADABLE


@given(st.text(max_size=60))
def test_hostile_text_is_refused_not_crashed_on(text):
    try:
        said = parse_mobile(text)
    except PhoneError as error:
        said = error.message
    assert said


def test_display():
    assert display_phone("+77017779876") == "+7 701 777 98 76"


def test_masks():
    assert mask_phone("+77017779876") == "+7 701 ••• 98 76"
    assert mask_iin("170720600007") == "••••••••••07"
    assert mask_iin("") == ""
    assert mask_document("AC2147093") == "••••••093"
    assert mask_document("12") == "••"


@pytest.mark.parametrize(
    ("last_name", "first_name", "shown"),
    [
        ("КАМЕНОВ", "ЕРМЕК", "К••••• Е."),
        ("ЛИ", "ЯН", "Л••••• Я."),
        ("ӘБДІҚАДЫРОВ-ЗҰЛПЫХАРОВ", "ІҢКӘР", "Ә••••• І."),
        ("КАМЕНОВ", "", "К•••••"),
        ("", "ЕРМЕК", "Е."),
        (" ", "", "•••••"),
    ],
)
def test_a_masked_name_tells_the_initials_and_not_the_length(last_name, first_name, shown):
    assert mask_name(last_name, first_name) == shown


@pytest.mark.parametrize(
    ("number", "label"),
    [
        ("+77273397222", "8 (727) 339-72-22"),
        ("+77172556677", "8 (7172) 55-66-77"),
        ("+77477779876", "8 (747) 777-98-76"),
    ],
)
def test_a_number_to_dial_is_written_like_the_contact_centres(number, label):
    assert dialled(phonenumbers.parse(number)) == label
