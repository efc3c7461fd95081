"""A made-up person registry for the demo and the tests. A deploy check refuses it anywhere else."""

from typing import Final

from django.utils import timezone

from accounts.registry import simulated_people
from accounts.registry.base import Person, PersonNotFound, PhoneTie, RegistryUnavailable
from notifications.clock import estimate_clock


class SimulatedRegistry:
    """Answers from `simulated_people`; one IIN makes it answer that it is down."""

    simulated: Final = True

    def find_person(self, *, iin: str = "", document_number: str = "") -> Person:
        _refuse_if_down(iin)
        for entry in simulated_people.everyone(today=timezone.localdate(estimate_clock())):
            if _is_named(entry.person, iin=iin, document_number=document_number):
                return entry.person
        raise PersonNotFound

    def find_ward(self, *, guardian_iin: str = "", guardian_document: str = "", child_iin: str) -> Person:
        _refuse_if_down(child_iin)
        for entry in simulated_people.everyone(today=timezone.localdate(estimate_clock())):
            if _is_named(entry.person, iin=guardian_iin, document_number=guardian_document):
                for ward in entry.wards:
                    if ward.iin == child_iin:
                        return ward
        raise PersonNotFound

    def find_wards(self, *, guardian_iin: str) -> list[Person]:
        _refuse_if_down(guardian_iin)
        for entry in simulated_people.everyone(today=timezone.localdate(estimate_clock())):
            if _is_named(entry.person, iin=guardian_iin, document_number=""):
                return list(entry.wards)
        return []

    def phone_tie(self, *, phone: str, iin: str) -> PhoneTie:
        """It knows one number for each of its people, and no other."""
        _refuse_if_down(iin)
        for entry in simulated_people.everyone(today=timezone.localdate(estimate_clock())):
            if entry.phone == phone:
                return PhoneTie.YES if iin and entry.person.iin == iin else PhoneTie.NO
        return PhoneTie.UNKNOWN


def _is_named(person: Person, *, iin: str, document_number: str) -> bool:
    if iin:
        return person.iin == iin
    return bool(document_number) and person.document_number == document_number


def _refuse_if_down(iin: str) -> None:
    if iin in simulated_people.UNAVAILABLE_IINS:
        raise RegistryUnavailable("simulated")
