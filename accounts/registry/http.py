"""The person registry behind an HTTP gateway, by the contract in docs/registry.md.

Identifiers travel in the body of a POST, never in an address, where logs would keep them. The gateway answers 200 with
what was asked for as JSON, 404 for nobody; anything else, a timeout, or an answer that makes no sense counts as
unavailable. A gateway that does not offer one of the questions about wards and phones answers it with 404.
"""

import json
import logging
from collections.abc import Callable
from typing import Final, TypeVar

from django.conf import settings

from accounts.identity import in_one_alphabet
from accounts.registry.base import (
    Person,
    PersonNotFound,
    PhoneTie,
    RegistryUnavailable,
    UnusableAnswer,
)
from accounts.registry.contract import NoSense, Reading
from notifications import peers

logger = logging.getLogger(__name__)

T = TypeVar("T")

PERSON: Final = "persons/find"
WARD: Final = "wards/find"
WARDS: Final = "wards/list"
PHONE: Final = "phones/check"


class HttpRegistry:
    """Asks `PERSON_REGISTRY_URL` with the bearer token `PERSON_REGISTRY_TOKEN`."""

    simulated: Final = False

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        person = self._find(PERSON, {"iin": iin, "document_number": document_number}, Reading().person)
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
        person = self._find(WARD, question, Reading().person)
        if person.iin != child_iin:
            raise _nonsense("an answer about somebody else")
        return person

    def find_wards(self, *, guardian_iin: str) -> list[Person]:
        try:
            return self._find(WARDS, {"guardian_iin": guardian_iin}, Reading().wards)
        except PersonNotFound:
            return []

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        try:
            return self._find(PHONE, {"phone": phone, "iin": iin}, Reading().tie)
        except PersonNotFound:
            return PhoneTie.UNASKED

    def _find(self, path: str, question: dict[str, str], read: Callable[[bytes], T]) -> T:
        try:
            answer = ask(path, question)
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
        try:
            return read(answer.body)
        except NoSense as reason:
            raise _nonsense(str(reason)) from None


def ask(path: str, question: dict[str, str], *, token: str | None = None) -> peers.Answer:
    """The gateway's answer to one question, whatever its status; with another token than ours if one is given.

    Raises `peers.Unavailable`, and `peers.NotAsked` where nothing was sent.
    """
    return peers.post(
        f"{settings.PERSON_REGISTRY_URL.rstrip('/')}/{path}",
        body=json.dumps(question).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings.PERSON_REGISTRY_TOKEN if token is None else token}",
        },
        seconds=settings.PERSON_REGISTRY_SECONDS,
        papers=own_papers(),
    )


def own_papers() -> peers.Papers:
    """Who the portal is to the gateway, and who may vouch for the gateway."""
    return peers.Papers(
        certificate=settings.PERSON_REGISTRY_CERTIFICATE, authorities=settings.PERSON_REGISTRY_CA
    )


def _nonsense(what: str) -> UnusableAnswer:
    """Log what is wrong, without a word of personal data, and say that the answer can't be used."""
    logger.error("The person registry gives no usable answer: %s", what)
    return UnusableAnswer(what)
