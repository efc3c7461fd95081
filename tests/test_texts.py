"""One word for one thing, in every text that people read: docs/glossary.md says which."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
LANGUAGES = ("kk", "ru")

# What no text says any more, and what it says instead.
NEVER = {
    "kk": [
        (r"мұрағат\w* көшір|көшірілді", "мұрағатқа жіберу; басқа елді мекенге ауыстыру"),
        (r"\b[Ее]реже", "қағида: as in the acts of law"),
        (r"[Бб]астапқы (берілген )?күн", "бұрынғы күнімен"),
        (r"[Кк]езектегі (орн|күн)", "кезектегі нөмір; кезекке тұрған күн: орын is one in a kindergarten"),
        (r"[Кк]елісімге .*қол қой", "шарт: келісім is the consent to the data policy"),
        (
            r"[Өө]тінім(іңіз|іміз)?(ден|нен) бас тарт|өтінішіңізден бас тарт",
            "қабылдамады: who withdraws is the family",
        ),
        (r"[Жж]ұмыс орн", "қызметкер кабинеті: жұмыс орны is a job"),
        (r"[Оо]тбасы(ға|да|дан)\b", "отбасына, отбасында"),
        (r"рахмет", "рақмет"),
        (r"басымдық (мерзім|уақыт)", "басымдық кезеңі"),
        (r"[Сс]оңғы күнге дейін(?!, сол күнді қоса)", "соңғы күннің аяғына дейін: otherwise a day is lost"),
        (r"контакт-орталық", "байланыс орталығы"),
        (r"құпиясөз|түйме", "құпия сөз; батырма"),
        (r"ЖСН (енгізіңіз|жазбаңыз|болып)", "ЖСН-ді: the ending stands after a hyphen"),
        (r"шығу орындал", "шығарыласыз: a verb, not a noun"),
        (r"жасамасаңыз", "жасамаған болсаңыз, or a participle: it has happened"),
        (
            r"ешкім келмеді|жаза емес",
            "the portal does not know who came; a state service does not speak of punishment",
        ),
    ],
    "ru": [
        (r"[Дд]етсад", "детский сад"),
        (r"ДДО", "детский сад"),
        (r"[Пп]ервоначальн", "с прежней датой"),
        (r"постановк\w в очередь", "постановка на очередь: the name of the service"),
        (r"[Мм]ест\w+ в очереди", "номер в очереди: место is one in a kindergarten"),
        (r"номер\w* очереди\b", "номер в очереди"),
        (
            r"[Дд]ата в очереди|время приоритета|приоритетные сроки",
            "дата постановки на очередь; приоритетный период",
        ),
        (
            r"[Пп]олитик\w данных|обработки данных пользователей",
            "политика обработки персональных данных: one name",
        ),
        (
            r"[Вв] льготе отказано|запрос\w* (её|льгот|на льгот)|просить льготу",
            "не подтверждена; заявить льготу",
        ),
        (r"отказал (в|по) (вашей|нашей)|По заявке отказано", "отклонил заявку"),
        (r"[Рр]абоч(ее|его|ем) мест", "кабинет сотрудника"),
        (r"[Вв]аканси", "место"),
        (
            r"никто не пришёл|[Нн]аказани",
            "the portal does not know who came; a state service does not speak of punishment",
        ),
        (r"[Вв]ы вышли из портала|узнать вас", "из аккаунта; установить вашу личность"),
        (r"Время места", "местное время"),
    ],
}


def read(language: str) -> Iterator[tuple[str, str]]:
    for path in sorted((BASE / "locale").glob(f"{language}/**/*.po")) + sorted(
        (BASE / "locale" / "libraries").glob(f"{language}/**/*.po")
    ):
        for entry in polib.pofile(str(path), wrapwidth=0):
            for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
                yield f"{path.relative_to(BASE)}: {entry.msgid[:40]}", text
    for path in sorted((BASE / "templates").rglob(f"*.{language}.*")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            yield f"{path.relative_to(BASE)}:{number}", line


@cache
def said(language: str) -> list[tuple[str, str]]:
    """Everything that people read in a language: where it stands, and the text."""
    return list(read(language))


@pytest.mark.parametrize(
    ("language", "pattern", "instead"),
    [(language, pattern, instead) for language, rules in NEVER.items() for pattern, instead in rules],
)
def test_one_word_for_one_thing(language, pattern, instead):
    wrong = [f"{where}: {text}" for where, text in said(language) if re.search(pattern, text)]
    assert wrong == [], instead


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_begins_with_a_dash(language):
    """A dash keeps to the word before it, and is the long one; the short one stands between the ends of a range."""
    wrong = [
        text
        for where, text in said(language)
        if "libraries" not in where and re.search(r"[^\u00a0]—| – (?!%\()", text.replace("{{ value", ""))
    ]
    assert wrong == []


# A number and the words after it, in elements of their own.
COUNTED = re.compile(
    r"}}</strong> \{% translate \"([^\"]+)\"|stat\.html\" with value=\S+ label=_\(\"([^\"]+)\"\)"
)


def test_what_stands_after_a_number_has_plural_forms_in_russian():
    """«1 заявок ждут», «51 детских садов»: a noun after a number can't be one text. Abbreviations never change."""
    russian = {
        entry.msgid: entry.msgstr for entry in polib.pofile(str(BASE / "locale/ru/LC_MESSAGES/django.po"))
    }
    labels = {
        (path.name, "".join(found))
        for path in (BASE / "templates").rglob("*.html")
        for found in COUNTED.findall(path.read_text())
    }
    assert sorted((name, label) for name, label in labels if not russian[label].startswith("дн.")) == []


CYRILLIC = {"kk": "а-яёәғқңөұүһіА-ЯЁӘҒҚҢӨҰҮҺІ", "ru": "а-яёА-ЯЁ"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_latin_letter_hides_in_a_word(language):
    """A Latin c or o looks right, and is found by no search and read wrong by a screen reader."""
    assert [text for _, text in said(language) if mixes_alphabets(text, language)] == []


def test_control_a_latin_letter_would_be_found():
    assert mixes_alphabets("бaла {{ name }}", "kk")
    assert mixes_alphabets("рeбёнок", "ru")
    assert not mixes_alphabets("SMS-ке {{ name }}ке %(n)sдей", "kk")


def mixes_alphabets(text: str, language: str) -> bool:
    letter = f"[{CYRILLIC[language]}]"
    words = re.sub(r"\{[%{].*?[%}]\}|<[^>]*>|%\(\w+\)[a-z]|%[a-z]|\\n|&\w+;", " ", text)
    return bool(re.search(rf"{letter}[A-Za-z]|[A-Za-z]{letter}", words))


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_and_the_end_are_those_of_the_message(language):
    """A translation that says 10 days where the message says 5, or asks where it tells."""
    wrong = [
        (entry.msgid, text)
        for entry in polib.pofile(str(BASE / f"locale/{language}/LC_MESSAGES/django.po"), wrapwidth=0)
        for text in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])
        if digits(text) != digits(entry.msgid) or end(text) != end(entry.msgid)
    ]
    assert wrong == []


def digits(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", re.sub(r"%\(\w+\)[a-z]", "", text)))


def end(text: str) -> str:
    text = text.removesuffix("No.") or text
    return text[-1] if text[-1] in ".:?!…" else ""
