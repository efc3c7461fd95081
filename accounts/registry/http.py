"""The person registry behind an HTTP gateway.

Identifiers travel in the body of a POST, never in an address, where logs would keep them. The gateway answers 200 with
a person as JSON, 404 for nobody; anything else, a timeout, or an answer that makes no sense counts as unavailable.
Whether a phone belongs to an IIN it answers with `{"belongs": true}`, false, or null where the base knows nothing of
the number; a gateway that is not connected to the base answers 404.
"""

import http.client
import json
import logging
import urllib.error
import urllib.request
from datetime import date
from typing import Any, Final

from django.conf import settings

from accounts.registry.base import Person, PersonNotFound, PhoneTie, RegistryUnavailable

logger = logging.getLogger(__name__)

TIMEOUT: Final = 5  # seconds: a parent is waiting for the page
LONGEST_ANSWER: Final = 64 * 1024
TEXT_FIELDS: Final = ("iin", "document_number", "last_name", "first_name", "middle_name", "sex")


class HttpRegistry:
    """Asks `PERSON_REGISTRY_URL` with the bearer token `PERSON_REGISTRY_TOKEN`."""

    simulated: Final = False

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        person = _person(self._ask("persons/find", {"iin": iin, "document_number": document_number}))
        if (person.iin != iin) if iin else (person.document_number != document_number):
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

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        try:
            answer = self._ask("phones/check", {"phone": phone, "iin": iin})
        except PersonNotFound:
            return PhoneTie.UNKNOWN
        return _tie(answer)

    def _ask(self, path: str, question: dict[str, str]) -> bytes:
        try:
            with urllib.request.urlopen(_request(path, question), timeout=TIMEOUT) as response:  # noqa: S310
                body: bytes = response.read(LONGEST_ANSWER)
                return body
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    raise PersonNotFound from None
                raise _nonsense(f"status {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            # OSError for the network, ValueError for an address that is none, HTTPException for a broken answer.
            raise _nonsense(type(error).__name__) from error


def _request(path: str, question: dict[str, str]) -> urllib.request.Request:
    return urllib.request.Request(  # noqa: S310  the address is the operator's setting
        f"{settings.PERSON_REGISTRY_URL.rstrip('/')}/{path}",
        data=json.dumps(question).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings.PERSON_REGISTRY_TOKEN}",
        },
        method="POST",
    )


def _person(body: bytes) -> Person:
    try:
        answer: Any = json.loads(body)
        person = Person(
            **{name: _text(answer[name]) for name in TEXT_FIELDS},
            birth_date=date.fromisoformat(answer["birth_date"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _nonsense(f"no person in the answer: {type(error).__name__}") from None
    if person.sex not in {"m", "f"} or not (person.last_name or person.first_name):
        raise _nonsense("a person without a name or sex")
    return person


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
    if not isinstance(value, str) or len(value) > 100:
        raise TypeError
    return value


def _nonsense(what: str) -> RegistryUnavailable:
    """Log what is wrong, without a word of personal data, and say that the registry is unavailable."""
    logger.error("The person registry gives no usable answer: %s", what)
    return RegistryUnavailable(what)
