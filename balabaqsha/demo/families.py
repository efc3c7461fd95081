"""The demo city's families: parents and children, in the order in which they came to the queue."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Model

from accounts.crypto import keyed_hash
from accounts.models import PolicyConsent, Profile, User
from accounts.registry import simulated_people
from balabaqsha.demo.people import STREETS, People, Someone
from children.models import Child, Guardianship

BATCH = 1000
PHONES_FROM = 77080000000
# How often a child has a brother or a sister who came before.
SIBLINGS = 0.22
MOST_CHILDREN = 3


@dataclass
class Family:
    parent: User
    person: Someone
    children: int = 0


@dataclass
class Families:
    """Rows of people, to be written together."""

    chance: random.Random
    today: date
    people: People = field(init=False)
    by_place: dict[str, list[Family]] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    consents: list[PolicyConsent] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    guardianships: list[Guardianship] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = People(self.chance, taken=simulated_iins(today=self.today))

    def child(self, *, birth_date: date, place: str, at: datetime) -> tuple[Child, User]:
        """A child added at `at` by a parent in `place`, and that parent. Call it in the order of time."""
        family = self._family(place, at=at)
        family.children += 1
        born = self.people.child(family.person, birth_date=birth_date)
        child = Child(
            iin=born.iin,
            iin_hash=keyed_hash("iin", born.iin),
            last_name=born.last_name,
            first_name=born.first_name,
            middle_name=born.middle_name,
            birth_date=born.birth_date,
            sex=born.sex,
            created_at=at,
        )
        self.children.append(child)
        self.guardianships.append(
            Guardianship(
                child=child,
                user=family.parent,
                source=Guardianship.Source.REGISTRY,
                added_at=at,
                verified_at=at,
            )
        )
        return child, family.parent

    def save(self) -> None:
        """Write all rows."""
        rows: list[list[Model]] = [
            list(self.users),
            list(self.profiles),
            list(self.consents),
            list(self.children),
            list(self.guardianships),
        ]
        for some in rows:
            type(some[0])._default_manager.bulk_create(some, batch_size=BATCH)

    def _family(self, place: str, *, at: datetime) -> Family:
        known = self.by_place.setdefault(place, [])
        if known and self.chance.random() < SIBLINGS:
            family = self.chance.choice(known)
            if family.children < MOST_CHILDREN:
                return family
        family = self._register(at=at - timedelta(minutes=self.chance.randint(10, 3 * 24 * 60)))
        known.append(family)
        return family

    def _register(self, *, at: datetime) -> Family:
        person = self.people.adult(today=self.today)
        phone = f"+{PHONES_FROM + len(self.users)}"
        user = User(
            username=phone,
            phone=phone,
            language=self.chance.choices(("kk", "ru"), weights=(4, 1))[0],
            password=make_password(None),
            date_joined=at,
        )
        self.users.append(user)
        self.profiles.append(
            Profile(
                user=user,
                iin=person.iin,
                iin_hash=keyed_hash("iin", person.iin),
                last_name=person.last_name,
                first_name=person.first_name,
                middle_name=person.middle_name,
                birth_date=person.birth_date,
                sex=person.sex,
                address=f"{self.chance.choice(STREETS)} көшесі, {self.chance.randint(1, 240)}",
            )
        )
        self.consents.append(PolicyConsent(user=user, version=settings.DATA_POLICY_VERSION, given_at=at))
        return Family(parent=user, person=person)


def simulated_iins(*, today: date) -> set[str]:
    """The IINs that the person registry knows, or that must stay unknown to everybody."""
    known = {*simulated_people.UNKNOWN_IINS, *simulated_people.UNAVAILABLE_IINS}
    for entry in simulated_people.everyone(today=today):
        known.update(person.iin for person in (entry.person, *entry.wards))
    return known
