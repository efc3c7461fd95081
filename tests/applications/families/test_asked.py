"""What is typed into the one field: a number of some kind, or a name."""

import pytest

from applications.families.asked import Kind, read
from tests.factories import nth_iin

IIN = nth_iin(1)


@pytest.mark.parametrize(
    "text", ["25-004006", "25004006", "№ 25-004006", "25 004 006", "25–004006", "25-4006"]
)
def test_an_application_with_or_without_its_dash(text):
    assert read(text).application == "25-004006"


@pytest.mark.parametrize("text", ["8 (701) 777-98-76", "+7 701 777 98 76", "77017779876", "7017779876"])
def test_a_phone_in_any_writing(text):
    asked = read(text)
    assert asked.phone == "+77017779876"
    assert asked.is_of_a_person
    assert asked.masked == "+7 701 ••• 98 76"


def test_digits_that_may_be_several_things_are_asked_as_all_of_them():
    assert read("7012-345678").kinds == [Kind.APPLICATION, Kind.REFERRAL, Kind.PHONE]
    assert read("25-1234-5678").referral == "25-1234-5678"
    assert read("123456789").kinds == [Kind.APPLICATION, Kind.LOGIN, Kind.IDENTITY]
    assert read(f"{IIN[:6]} {IIN[6:]}").identity.iin == IIN


def test_whatever_is_kept_of_a_person_is_masked():
    assert IIN not in read(IIN).masked
    assert read("Махмұтова Аружан").masked == "М•••••••• А•••••"
    assert "12345" not in read("N1234567").masked


def test_words_are_a_name():
    assert read("Махмұтова  аружан").words == ("махмутова", "аружан")
    assert read("Ким Ю.").words == ("ким", "ю")


@pytest.mark.parametrize("text", ["", "  ", "№", "-", "12", "0" * 500, "\0", "\u200b", "%_'"])
def test_what_is_nothing_asks_for_nothing(text):
    assert read(text).kinds == []
