"""The digits of an IIN: length and check digit, and nothing read from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.iin import IinError, IinFault, check_digit, parse_iin


@pytest.mark.parametrize("iin", ["170720600007", "940225300009"])
def test_first_pass(iin):
    assert parse_iin(iin) == iin


@pytest.mark.parametrize("iin", ["170720600806", "940225301801"])
def test_second_pass(iin):
    assert parse_iin(iin) == iin


@pytest.mark.parametrize(
    "text",
    [
        "170720 600007",
        " 1707 2060 0007 ",
        "170720-600007",
        "170720–600007",
        "１７０７２０６００００７",
        "170720\u00a0600007",
        # What a text that was copied brings along unseen: a mark of direction, a soft hyphen.
        "\u200e170720600007",
        "170720\u00ad600007",
    ],
)
def test_any_spelling(text):
    assert parse_iin(text) == "170720600007"


@pytest.mark.parametrize(
    "text", ["", "17072060000", "1707206000070", "17072060000x", "IIN170720600007", "+170720600007"]
)
def test_wrong_length(text):
    with pytest.raises(IinError) as caught:
        parse_iin(text)
    assert caught.value.reason is IinFault.LENGTH
    assert str(caught.value) == "length"


@pytest.mark.parametrize("iin", ["170720600008", "940225300000", "170720600016"])
def test_wrong_check_digit(iin):
    with pytest.raises(IinError) as caught:
        parse_iin(iin)
    assert caught.value.reason is IinFault.CHECKSUM


@pytest.mark.parametrize(
    "text", ["000000000000", "000000-000000", " 0000 0000 0000", "０００００００００００0"]
)
def test_zeros_are_no_number_though_their_check_digit_fits(text):
    assert check_digit("0" * 11) == 0
    with pytest.raises(IinError) as caught:
        parse_iin(text)
    assert caught.value.reason is IinFault.ZEROS


def test_each_fault_has_a_sentence_of_its_own():
    assert len({IinError(fault).message for fault in IinFault}) == len(IinFault)


@pytest.mark.parametrize("stem", ["17072060082", "94022530260", "89040231584"])
def test_no_check_digit_exists(stem):
    assert check_digit(stem) is None
    for last in "0123456789":
        with pytest.raises(IinError) as caught:
            parse_iin(stem + last)
        assert caught.value.reason is IinFault.CHECKSUM


@pytest.mark.parametrize("stem", ["1707206000", "170720600007"])
def test_a_stem_of_another_length_has_no_check_digit(stem):
    with pytest.raises(ValueError, match="zip"):
        check_digit(stem)


def test_birth_date_in_the_digits_is_not_judged():
    stem = "99139970000"
    assert parse_iin(f"{stem}{check_digit(stem)}").startswith("991399")


@given(st.text(alphabet="0123456789", min_size=11, max_size=11))
def test_exactly_one_check_digit_fits_or_none(stem):
    accepted = []
    for last in "0123456789":
        try:
            accepted.append(parse_iin(stem + last))
        except IinError:
            continue
    assert len(accepted) == (check_digit(stem) is not None and int(stem) > 0)


@given(st.text(max_size=40))
def test_hostile_text_is_refused_not_crashed_on(text):
    try:
        said = parse_iin(text)
    except IinError as error:
        said = error.message
    assert said
