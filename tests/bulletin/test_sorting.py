"""Kazakh order and search without the database's help."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulletin.sorting import ALPHABET, fold, looked_for, name_sort_key, sort_key, sounds


def shuffled(names: list[str]) -> list[str]:
    return random.Random(1).sample(names, len(names))


def test_the_kazakh_alphabet_is_whole() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 42


def test_the_letters_sort_as_in_the_alphabet() -> None:
    letters = [*ALPHABET, *ALPHABET.upper()]
    random.Random(1).shuffle(letters)
    assert "".join(dict.fromkeys(letter.lower() for letter in sorted(letters, key=sort_key))) == ALPHABET


@pytest.mark.parametrize(
    "names",
    [
        ["Аққу", "Әлия", "Балпан"],
        ["Гүлдер", "Ғазиза", "Дана"],
        ["Керемет", "Қарлығаш", "Лашын"],
        ["Нұр", "Ңаң", "Орал", "Өркен", "Пана"],
        ["Тұлпар", "Улан", "Ұлан", "Үміт", "Фея", "Хан", "Һас"],
        ["Ырыс", "Іңкәр", "Эдем"],
        ["Ер", "Ерке", "Еркежан"],
        ["Балпан", "Балпан 2", "Балпан 10", "Балпан 100"],
        ["№2 Балпан", "№10 Балпан", "Айгүл", "Sunny"],
        ["Бала бақша", "Балабақша"],
    ],
)
def test_names_in_order(names: list[str]) -> None:
    assert sorted(shuffled(names), key=sort_key) == names


def test_case_and_punctuation_do_not_matter() -> None:
    assert sort_key("«ӘЛИЯ» – балабақшасы") == sort_key("Әлия, балабақшасы")


@pytest.mark.parametrize("text", ["", "  ", "«»", "\0", "☺", "٣", "²", "½", "Ⅷ", "e\u0301"])
def test_strange_text_has_a_key(text: str) -> None:
    assert sort_key(text).isascii()


def test_a_composed_letter_is_the_letter() -> None:
    assert sort_key("Ё") == sort_key("Е\u0308")
    assert fold("Й") == fold("И\u0306")


def test_an_organisation_is_found_under_its_proper_name() -> None:
    names = ['ЖМ "Амина балабақшасы"', 'МКҚК "Әлия" бөбекжай-балабақшасы', "«Балпан» бөбекжайы", "Жұлдыз"]
    assert sorted(shuffled(names), key=name_sort_key) == names


@given(st.text(max_size=200))
def test_a_key_survives_any_collation(text: str) -> None:
    key = sort_key(text)
    assert key == "" or key.isdecimal()
    assert len(key) % 2 == 0


@pytest.mark.parametrize("text", ["Әлия", "әлия", "ӘЛИЯ", "алия", "«Әлия»", "  АЛИЯ "])
def test_search_text_is_one_for_all_spellings(text: str) -> None:
    assert fold(text) == "алия"


def test_every_kazakh_letter_folds_to_one_that_a_russian_keyboard_has() -> None:
    assert fold("ӘҒҚҢӨҰҮҺІЁ") == "агкноуухие"


@given(st.text(max_size=200))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("aliya", "Әлия"),
        ("Äliya", "АЛИЯ"),
        ("alia", "«Алия»"),
        ("Qarlygash", "Қарлығаш"),
        ("карлыгаш", "Қарлығаш"),
        ("Künşuaq", "Күншуақ"),
        ("kunshuak", "Күншуақ"),
        ("solnyshko", "Солнышко"),
        ("umai ana", "Ұмай ана"),
        ("khanzada", "Ханзада"),
        ("Нурлы-Жол", "Нұрлы жол"),
        # Typed with a Latin a and x among others.
        ("Хaнзaдa", "Ханзада"),
        ("10", "№10"),
    ],
)
def test_a_name_is_found_however_it_is_written(typed: str, name: str) -> None:
    assert sounds(typed) == sounds(name)


@pytest.mark.parametrize("other", ["Алина", "Галия", "Али я"])
def test_other_names_stay_others(other: str) -> None:
    assert sounds(other) != sounds("Әлия")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("детский сад Куншуак", ["куншуак"]),
        ("бөбекжай-балабақшасы «Нұрлы жол»", ["нурли", "жол"]),
        # All of them are one: then it is what is looked for.
        ("балабақша", ["балабакша"]),
        ("№10 балабақша", ["10"]),
    ],
)
def test_what_every_kindergarten_is_called_is_not_looked_for(typed: str, words: list[str]) -> None:
    assert [looked.spellings[0] for looked in looked_for(typed)] == words


def test_of_few_consonants_nothing_is_said() -> None:
    assert [looked.consonants for looked in looked_for("Карлагаш Амина 12345 нурлыжол")] == [
        "крлгш",
        "",
        "",
        "нрлжл",
    ]
