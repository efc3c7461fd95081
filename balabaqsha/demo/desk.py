"""What the demo desk shows: people to register as, the employees' logins, the SMS that were sent."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts import identity
from accounts.models import Profile
from accounts.registry import Person, simulated_people
from accounts.registry.simulated_people import UNAVAILABLE_IINS, UNKNOWN_IINS, SimulatedPerson
from applications.models import Application
from applications.states import ApplicationState
from balabaqsha.demo.former_file import claimable
from children.models import Child
from notifications.sms import file as sms_file

NEWEST_SMS = 50

__all__ = [
    "UNAVAILABLE_IINS",
    "UNKNOWN_IINS",
    "DeskPerson",
    "ReadyFamily",
    "families",
    "former_families",
    "newest_sms",
    "people",
    "registered_people",
]


@dataclass(frozen=True)
class DeskChild:
    iin: str
    name: str
    birth_date: date


@dataclass(frozen=True)
class DeskPerson:
    iin: str
    document_number: str
    # Their number in the base of mobile citizens.
    phone: str
    name: str
    birth_date: date
    children: list[DeskChild] = field(default_factory=list)


def people(*, today: date) -> list[DeskPerson]:
    """The adults of the simulated registry who have not registered yet, each with all their children."""
    everyone = simulated_people.everyone(today=today)
    used = _registered(everyone)
    return [_desk_person(entry, entry.wards) for entry in everyone if not _hashes(entry.person) & used]


def registered_people(*, today: date) -> list[DeskPerson]:
    """The adults who have registered and still have children that nobody has added."""
    everyone = simulated_people.everyone(today=today)
    used, added = _registered(everyone), _added(everyone)
    waiting = [
        (entry, [ward for ward in entry.wards if not _hashes(ward) & added])
        for entry in everyone
        if _hashes(entry.person) & used
    ]
    return [_desk_person(entry, wards) for entry, wards in waiting if wards]


def former_families(*, today: date) -> list[DeskPerson]:
    """Who stands in the file of the former queue and can claim, each with the child of the file."""
    return [_desk_person(entry, [child]) for entry, child in claimable(today=today)]


@dataclass(frozen=True)
class ReadyFamily:
    """A family of the city whose application is in one state, to be looked at from inside."""

    application: UUID
    number: str
    state: str
    label: str
    place: str


def families() -> list[ReadyFamily]:
    """One family for each state that an application of the city is in, in the order of a family's way."""
    able = Application.objects.filter(
        filed_by__is_active=True, filed_by__leaving_since=None, filed_by__is_staff=False
    )
    longest = able.select_related("locality").order_by("state", "filed_at", "pk").distinct("state")
    found = {application.state: application for application in longest}
    return [
        ReadyFamily(
            application=found[state].pk,
            number=found[state].number,
            state=state.value,
            label=str(state.label),
            place=found[state].locality.name,
        )
        for state in ApplicationState
        if state in found
    ]


def newest_sms() -> list[dict[str, str]]:
    """The SMS that were "sent", newest first."""
    return sms_file.read_newest(NEWEST_SMS)


def _registered(everyone: list[SimulatedPerson]) -> set[str]:
    """Those hashes of the registry's adults that belong to a profile."""
    wanted = set().union(*(_hashes(entry.person) for entry in everyone))
    known = Profile.objects.filter(Q(iin_hash__in=wanted) | Q(document_hash__in=wanted))
    return {value for pair in known.values_list("iin_hash", "document_hash") for value in pair if value}


def _added(everyone: list[SimulatedPerson]) -> set[str]:
    wanted = set().union(*(_hashes(ward) for entry in everyone for ward in entry.wards))
    return set(Child.objects.filter(iin_hash__in=wanted).values_list("iin_hash", flat=True))


def _hashes(person: Person) -> set[str]:
    known = (identity.iin_hash(person.iin), identity.document_hash(person.document_number))
    return {value for value in known if value}


def _desk_person(entry: SimulatedPerson, wards: list[Person]) -> DeskPerson:
    person = entry.person
    return DeskPerson(
        iin=person.iin,
        document_number=person.document_number,
        phone=entry.phone,
        name=person.full_name,
        birth_date=person.birth_date,
        children=[DeskChild(iin=ward.iin, name=ward.full_name, birth_date=ward.birth_date) for ward in wards],
    )
