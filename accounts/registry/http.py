"""The person registry behind an HTTP gateway.

Identifiers travel in the body of a POST, never in an address, where logs would keep them. The gateway answers 200 with
a person as JSON, 404 for nobody; anything else, a timeout, or an answer that makes no sense counts as unavailable.
Asked whether a phone belongs to an IIN, it answers `{"belongs": true}`, false, or null if the base does not know the
number; asked for all children of a guardian, `{"wards": [...]}` with a person for each. A gateway that does not offer
one of these two questions answers it with 404.
"""

import json
import logging
from datetime import date, datetime, time
from typing import Any, Final

from django.conf import settings

from accounts.identity import in_one_alphabet
from accounts.registry.base import (
    Person,
    PersonNotFound,
    PhoneTie,
    RegistryUnavailable,
    UnusableAnswer,
)
from notifications import peers

logger = logging.getLogger(__name__)

TEXT_FIELDS: Final = ("iin", "document_number", "last_name", "first_name", "middle_name")
# Nobody has more children; a longer list is no answer to the question.
MOST_WARDS: Final = 30


class HttpRegistry:
    """Asks `PERSON_REGISTRY_URL` with the bearer token `PERSON_REGISTRY_TOKEN`."""

    simulated: Final = False

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        person = _person(self._ask("persons/find", {"iin": iin, "document_number": document_number}))
        answered = in_one_alphabet(person.document_number.upper())
        if (person.iin != iin) if iin else (answered != in_one_alphabet(document_number)):
            raise _nonsense("an answer about somebody else")
        return person

    def find_ward(self, *, guardian_iin: str = "", guardian_document: str = "", child_iin: str) -> Person:
        question = {
            "guardian_iin": guardian_iin,
            "guardian_document": guardian_document,
            "child_iin": child_iin,
        }
        person = _person(self._ask("wards/find", question))
        if person.iin != child_iin:
            raise _nonsense("an answer about somebody else")
        return person

    def find_wards(self, *, guardian_iin: str) -> list[Person]:
        try:
            answer = self._ask("wards/list", {"guardian_iin": guardian_iin})
        except PersonNotFound:
            return []
        return _wards(answer)

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        try:
            answer = self._ask("phones/check", {"phone": phone, "iin": iin})
        except PersonNotFound:
            return PhoneTie.UNASKED
        return _tie(answer)

    def _ask(self, path: str, question: dict[str, str]) -> bytes:
        try:
            answer = peers.post(
                f"{settings.PERSON_REGISTRY_URL.rstrip('/')}/{path}",
                body=json.dumps(question).encode(),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {settings.PERSON_REGISTRY_TOKEN}",
                },
                seconds=settings.PERSON_REGISTRY_SECONDS,
            )
        except peers.NotAsked as reason:
            # Logged already when the rest began; here it would be logged for each family.
            raise RegistryUnavailable(str(reason)) from None
        except peers.Unavailable as reason:
            logger.error("The person registry gives no usable answer: %s", reason)
            raise RegistryUnavailable(str(reason)) from None
        if answer.status == 404:
            raise PersonNotFound
        if answer.status != 200:
            raise _nonsense(f"status {answer.status}")
        return answer.body


def _person(body: bytes) -> Person:
    try:
        return _read_person(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise _nonsense(f"no person in the answer: {type(error).__name__}") from None


def _read_person(answer: Any) -> Person:
    try:
        person = Person(
            **{name: _text(answer.get(name)) for name in TEXT_FIELDS},
            sex=_text(answer["sex"]).strip().lower(),
            birth_date=_day(answer["birth_date"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _nonsense(f"no person in the answer: {type(error).__name__}") from None
    if person.sex not in {"m", "f"} or not (person.last_name or person.first_name):
        raise _nonsense("a person without a name or sex")
    return person


def _wards(body: bytes) -> list[Person]:
    try:
        listed = json.loads(body)["wards"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _nonsense(f"no children in the answer: {type(error).__name__}") from None
    if not isinstance(listed, list) or len(listed) > MOST_WARDS:
        raise _nonsense("no list of children in the answer")
    wards = [_read_person(one) for one in listed]
    if not all(ward.iin for ward in wards):
        raise _nonsense("a child without an IIN")
    return wards


def _tie(body: bytes) -> PhoneTie:
    try:
        belongs = json.loads(body)["belongs"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _nonsense(f"no word of a phone in the answer: {type(error).__name__}") from None
    for answer, tie in ((True, PhoneTie.YES), (False, PhoneTie.NO), (None, PhoneTie.UNKNOWN)):
        if belongs is answer:
            return tie
    raise _nonsense("no word of a phone in the answer")


def _text(value: object) -> str:
    """A text of at most a hundred characters; empty if absent or null."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 100:
        raise TypeError
    return value


def _day(value: str) -> date:
    """A date, or a datetime at midnight; any other time might mean another day elsewhere."""
    moment = datetime.fromisoformat(value)
    if moment.time() != time.min:
        raise ValueError
    return moment.date()


def _nonsense(what: str) -> UnusableAnswer:
    """Log what is wrong, without a word of personal data, and say that the answer can't be used."""
    logger.error("The person registry gives no usable answer: %s", what)
    return UnusableAnswer(what)
