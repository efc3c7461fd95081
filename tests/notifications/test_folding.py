"""A name is found however it was typed, and the database folds it as we do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Profile
from accounts.name_search import NAME, FoldedName
from notifications.folding import FOLDED, FOLDED_TO, fold_name, words_of
from tests.factories import UserFactory

LETTERS = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюяabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "typed",
    ["МАХМҰТОВА", "Махмұтова", "махмутова", "MAXMYTOBA", "Мaxмүтoвa", "Махму\u0301това", "  МАХМУТОВА "],
)
def test_one_name_in_many_spellings(typed):
    assert words_of(typed) == ["махмутова"]


def test_kazakh_letters_and_what_joins_names():
    assert words_of("Қожа-Ахмет Йөкенұлы О'Нил Ёлкин І\u0306") == [
        "кожа",
        "ахмет",
        "иокенулы",
        "онил",
        "елкин",
        "и",
    ]
    assert not words_of(" - .,№% ")


@given(st.text(alphabet=LETTERS + LETTERS.upper(), max_size=20))
def test_folding_knows_every_letter_once_and_for_all(name):
    folded = fold_name(name)
    assert fold_name(name.upper()) == fold_name(name.lower()) == folded == fold_name(folded)
    assert len(set(FOLDED)) == len(FOLDED)
    assert len(FOLDED_TO) <= len(FOLDED)


def test_the_database_folds_alike(db):
    names = [FOLDED[:90], FOLDED[90:], LETTERS, LETTERS.upper(), "Қожа-Ахмет О'Нил", 'Ғ"Ң№ 5', "ЙОДҒАР, Ёлка"]
    for name in names:
        one = Profile(last_name=name, first_name="", middle_name="")
        UserFactory(profile__last_name=one.last_name, profile__first_name="Ө", profile__middle_name="")
    stored = Profile.objects.annotate(folded=FoldedName(*NAME)).order_by("pk")
    assert [row.folded for row in stored] == [fold_name(f"{name} Ө ") for name in names]
