"""Who complains and reads the answer, and who answers."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate
from phonenumbers import PhoneNumber, parse

from accounts.identity import phone_hash, phone_hashes
from accounts.models import User
from accounts.officials import is_one_with
from applications.access.family import applications_of
from applications.models import Application, Complaint
from applications.own_rows import has_every_locality
from bulletin.employment import able, employees_everywhere, employees_in, employees_in_all
from bulletin.models import Locality
from children.access import keys_of_own_children, known_children

ANSWER = "applications.change_complaint"


@dataclass(frozen=True)
class Sender:
    """Who complains: a signed-in user, or a visitor by the phone (E.164) that a code has just proven."""

    user: User | None = None
    phone: str = ""

    @property
    def key(self) -> str:
        """By which the sender is counted."""
        return str(self.user.pk) if self.user else str(phone_hash(self.phone))

    @property
    def phones(self) -> list[PhoneNumber]:
        """Their own numbers, which they may name."""
        own = [self.phone] if self.user is None else [self.user.phone, self.user.profile.second_phone]
        return [parse(str(number)) for number in own if number]

    def complaints(self) -> QuerySet[Complaint]:
        """What the sender has sent, the newest first; nothing of applications of which they are told nothing."""
        if self.user is None:
            own = Complaint.objects.filter(phone_hash__in=phone_hashes(self.phone))
        else:
            told = Q(application=None) | Q(application__child__in=known_children(self.user.pk))
            own = Complaint.objects.filter(told, user=self.user)
        return own.select_related("locality", "kindergarten", "application__child", "second")

    def applications(self) -> QuerySet[Application]:
        """The applications about which the sender may complain; a visitor names none."""
        if self.user is None:
            return Application.objects.none()
        known = applications_of(self.user).filter(child__in=known_children(self.user.pk))
        return known.order_by("-filed_at", "-pk")


def to_answer(employee: User, *, now: datetime) -> QuerySet[Complaint]:
    """What waits for `employee`, wherever it is, the first to become late first.

    Nothing of their own and nothing about their children. What was not solved goes never to whoever gave the first
    answer, but to the city's officials; where there is none besides, to others of the locality.
    """
    own = Q(user__in=employee.own_accounts) | Q(application__child__in=keys_of_own_children(employee))
    if employee.phone:
        own |= Q(phone_hash__in=phone_hashes(str(employee.phone)))
    waiting = Complaint.objects.filter(answered_at=None).exclude(user__forgotten_at__isnull=False)
    waiting = waiting.exclude(own).exclude(is_one_with(employee, path="first__answered_by"))
    if not has_every_locality(employee, now=now):
        besides = city_officials(now=now).exclude(pk=OuterRef("first__answered_by"))
        waiting = waiting.filter(Q(first=None) | ~Exists(besides))
    return waiting.order_by("due_at", "pk")


def city_officials(*, now: datetime) -> QuerySet[User]:
    """Who may answer and works in every locality. Not superusers: they may, and nobody waits for them."""
    today = localdate(now)
    work = employees_everywhere().filter(is_superuser=False) | employees_in_all(today=today)
    return able(work, ANSWER)


def officials_for(locality: Locality, *, now: datetime) -> set[User]:
    """Who answers in `locality`: the city's officials and its own. Not superusers, for whom nobody waits."""
    return {*city_officials(now=now), *able(employees_in(locality, today=locality.day(now)), ANSWER)}


def administrators() -> set[User]:
    """Who may answer in any locality without being an official there: the second answer's last resort."""
    return {*able(employees_everywhere(), ANSWER)}


def without_second_answer(*, now: datetime) -> list[Locality]:
    """The localities in which fewer than two people could answer: a family that disagrees would wait for ever."""
    besides = administrators()
    return [place for place in Locality.objects.all() if len(officials_for(place, now=now) | besides) < 2]
