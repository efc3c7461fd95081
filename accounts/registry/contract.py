"""What the answers of a registry's gateway mean: docs/registry.md as code. Pure."""

import json
import unicodedata
from datetime import date, datetime, time
from typing import Any, Final

from accounts.registry.base import Person, PhoneTie

TEXTS: Final = ("iin", "document_number", "last_name", "first_name", "middle_name")
LONGEST_TEXT: Final = 100
# Nobody has more children; a longer list is no answer to the question.
MOST_WARDS: Final = 30


class NoSense(ValueError):
    """An answer that can't be used. The words hold nothing of the answer."""


class Reading:
    """One answer being read; `departures` says what the contract has otherwise and is understood all the same.

    Every method raises `NoSense`.
    """

    def __init__(self) -> None:
        self.departures: list[str] = []

    def person(self, body: bytes) -> Person:
        return self._person(_json(body))

    def wards(self, body: bytes) -> list[Person]:
        listed = _field(_json(body), "wards")
        if not isinstance(listed, list):
            raise NoSense("“wards” is no list")
        if len(listed) > MOST_WARDS:
            raise NoSense(f"“wards” has more than {MOST_WARDS} children")
        wards = [self._person(one) for one in listed]
        if not all(ward.iin for ward in wards):
            raise NoSense("a child without “iin”")
        return wards

    def tie(self, body: bytes) -> PhoneTie:
        belongs = _field(_json(body), "belongs")
        for answer, tie in ((True, PhoneTie.YES), (False, PhoneTie.NO), (None, PhoneTie.UNKNOWN)):
            if belongs is answer:
                return tie
        raise NoSense("“belongs” is neither true nor false nor null")

    def _person(self, answer: Any) -> Person:
        person = Person(
            **{name: _text(answer, name) for name in TEXTS},
            sex=self._sex(answer),
            birth_date=self._day(answer),
        )
        if not (person.last_name or person.first_name):
            raise NoSense("neither “last_name” nor “first_name”")
        return person

    def _sex(self, answer: Any) -> str:
        said = _text(answer, "sex")
        sex = said.strip().lower()
        if sex not in ("m", "f"):
            raise NoSense("“sex” is neither m nor f")
        if said != sex:
            self.departures.append("“sex” is not exactly m or f")
        return sex

    def _day(self, answer: Any) -> date:
        """A date, or a datetime at midnight; any other time might mean another day elsewhere."""
        said = _text(answer, "birth_date")
        try:
            moment = datetime.fromisoformat(said)
        except ValueError:
            raise NoSense("“birth_date” is no date such as 1994-02-25") from None
        if moment.time() != time.min:
            raise NoSense("“birth_date” has a time, and so may mean another day")
        if said != moment.date().isoformat():
            self.departures.append("“birth_date” is not exactly a date such as 1994-02-25")
        return moment.date()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoSense("the answer is no JSON") from None


def _field(answer: Any, name: str) -> Any:
    if not isinstance(answer, dict):
        raise NoSense("the answer is no JSON object")
    if name not in answer:
        raise NoSense(f"“{name}” is missing")
    return answer[name]


def _text(answer: Any, name: str) -> str:
    """A text of at most a hundred characters that every page and paper can show; empty if absent or null."""
    if not isinstance(answer, dict):
        raise NoSense("a person is no JSON object")
    value = answer.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NoSense(f"“{name}” is no text")
    if len(value) > LONGEST_TEXT:
        raise NoSense(f"“{name}” has more than {LONGEST_TEXT} characters")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise NoSense(f"“{name}” holds a control sign or half a character")
    return value
