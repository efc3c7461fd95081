"""No IIN and no phone gets into a text that others read."""

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.iin import check_digit
from accounts.public_text import refuse_personal_numbers
from tests.factories import nth_iin


def codes(refusal):
    return [fault.code for fault in refusal.error_list]


@pytest.mark.parametrize(
    "text",
    [
        "ИИН {iin}",
        "ЖСН{iin}.",
        "{iin}",
        "({a} {b} {c})",
        "{a}-{b}-{c}",
        "{a}\N{NO-BREAK SPACE}{b}\N{EN DASH}{c}",
        "{a}\N{ZERO WIDTH SPACE}{b}{c}",
        "приказ 15 {a} {b} {c} 7",
        "123456789012",
        "счёт 12345678901234567890",
    ],
)
def test_an_iin_is_refused_however_it_is_written(text):
    iin = nth_iin(1)
    with pytest.raises(ValidationError) as refusal:
        refuse_personal_numbers(text.format(iin=iin, a=iin[:4], b=iin[4:8], c=iin[8:]))
    assert "iin_in_text" in codes(refusal.value)


def test_digits_of_another_script_are_digits():
    arabic = nth_iin(2).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    with pytest.raises(ValidationError):
        refuse_personal_numbers(f"ИИН {arabic}")


@pytest.mark.parametrize(
    "text",
    [
        "тел. +77017779876",
        "звоните 8 701 777 98 76",
        "8(701)777-98-76",
        "8 (701) 777 98 76.",
        "қоңырау шалыңыз: 87017779876",
        "87017779876, мать",
        "+7\N{NO-BREAK SPACE}701\N{NO-BREAK SPACE}777\N{NON-BREAKING HYPHEN}98\N{NON-BREAKING HYPHEN}76",
        "8701\N{ZERO WIDTH SPACE}7779876",
        "7017779876",
        "+49 30 123456",
    ],
)
def test_a_phone_number_is_refused_however_it_is_written(text):
    with pytest.raises(ValidationError) as refusal:
        refuse_personal_numbers(text)
    assert codes(refusal.value) == ["phone_in_text"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Показаны свидетельство о рождении и решение суда.",
        "Приказ № 15-н от 12.11.2026, основание: п. 3 ст. 12 Правил",
        "Приказ 1234/2026 от 12.11.2026 г., 18:00, кабинет 312",
        "12.11.2026 15.11.2026 1 2 3",
        "2026-11-12 09:00 – 2026-11-13 18:00",
        "Нөмірі 12345, 2022 жылғы туған күні бойынша",
        "№ 1414",
    ],
)
def test_dates_orders_and_queue_numbers_are_left_alone(text):
    refuse_personal_numbers(text)


@given(
    st.text(alphabet=st.characters(blacklist_categories=["Nd", "Cs"]), max_size=80),
    st.integers(0, 10**11 - 1),
)
def test_no_text_around_an_iin_hides_it(words, stem):
    digits = f"{stem:011d}"
    last = check_digit(digits)
    if last is None:
        return
    with pytest.raises(ValidationError):
        refuse_personal_numbers(f"{words}{digits}{last}{words}")


def test_only_a_number_that_is_published_elsewhere_may_stand_there():
    published = [phonenumbers.parse("+77273397222")]
    refuse_personal_numbers("Балабақша: 8 (727) 339-72-22 немесе +7 727 339 72 22", published=published)
    with pytest.raises(ValidationError):
        refuse_personal_numbers("8 (727) 339-72-22, 8 701 123 45 67", published=published)


def test_the_contact_centre_may_be_named_in_every_text(settings):
    settings.CONTACT_PHONES = ["8 (727) 339-72-22", "8 (747) 339-72-22 (WhatsApp)"]
    refuse_personal_numbers("Қоңырау шалыңыз: 8 (727) 339-72-22, +7 747 339 72 22")


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ValidationError) as refusal:
        refuse_personal_numbers(f"{nth_iin(1)}, тел. 8 701 777 98 76")
    assert codes(refusal.value) == ["iin_in_text", "phone_in_text"]
