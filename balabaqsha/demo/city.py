"""Building the demo city step by step. A step is one transaction and is skipped where its work is already there."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connections, transaction
from PIL import Image

from accounts.models import User
from applications.models import Alert, Application, BenefitCategory, Rules
from applications.rules.in_force import rules_at
from balabaqsha.demo import alerts, ends, history, offers, pages, reviews, staff, told
from balabaqsha.demo.benefits import Office
from balabaqsha.demo.lives import SHARED_DOCUMENT, Book
from balabaqsha.demo.places import KINDERGARTENS, PLACES, KindergartenPlan
from balabaqsha.postgresql.rights import owner_alias
from bulletin.calendar import working_calendar
from bulletin.models import (
    Closing,
    Group,
    Holiday,
    Kindergarten,
    KindergartenProfile,
    Locality,
    Review,
    Vacancy,
)

SEED = 2019
RULES_SINCE = date(2019, 1, 1)
OFFICIAL = "official"


@dataclass(frozen=True)
class Step:
    """`is_done` asks cheaply; `run` does the work, given the present instant and the scale."""

    name: str
    is_done: Callable[[], bool]
    run: Callable[[datetime, float], None]


def steps() -> list[Step]:
    """The steps in their order."""
    return [
        Step("working-day calendar and rules", _has_calendar, _load_calendar),
        Step("benefit categories", BenefitCategory.objects.exists, _load_benefit_categories),
        Step("localities, kindergartens and groups", _has_kindergartens, _build_kindergartens),
        Step("employees and their roles", _has_staff, _hire_staff),
        Step("pages of kindergartens", KindergartenProfile.objects.exists, _write_pages),
        Step("families, the queue and the past year", Application.objects.exists, _build_history),
        Step("today's vacancies and bids", _has_offers, _publish_offers),
        Step("alerts about places", Alert.objects.exists, _ask_for_places),
        Step("reviews", Review.objects.exists, _write_reviews),
        Step("a child that left, a group that is closed", Closing.objects.exists, _end_some),
        Step("what the desk's families were told", told.is_told, _tell_families),
    ]


def build(*, now: datetime, scale: float, report: Callable[[Step, bool], None]) -> None:
    """Make the steps that are missing; `report` hears of each before it runs, and whether it is already done."""
    for step in steps():
        done = step.is_done()
        report(step, done)
        if not done:
            with transaction.atomic():
                step.run(now, scale)
            # Without fresh statistics the next pages would read whole tables until autovacuum comes by.
            with connections[owner_alias()].cursor() as cursor:
                cursor.execute("ANALYZE")


def _has_calendar() -> bool:
    return Holiday.objects.exists() and Rules.objects.exists()


def _load_calendar(now: datetime, scale: float) -> None:
    call_command("load_holidays", stdout=StringIO())
    Rules.objects.get_or_create(locality=None, valid_from=RULES_SINCE)


def _load_benefit_categories(now: datetime, scale: float) -> None:
    call_command("load_benefit_categories", stdout=StringIO())


def _has_kindergartens() -> bool:
    return Kindergarten.objects.filter(slug__in=[plan.slug for plan in KINDERGARTENS]).count() == len(
        KINDERGARTENS
    )


def _build_kindergartens(now: datetime, scale: float) -> None:
    localities = {}
    for order, place in enumerate(PLACES):
        names = {"name_kk": place.kk, "name_ru": place.ru, "order": order}
        localities[place.slug], _created = Locality.objects.get_or_create(slug=place.slug, defaults=names)
    for number, plan in enumerate(KINDERGARTENS):
        kindergarten = _build_kindergarten(plan, localities[plan.place], number=number)
        for group in plan.groups:
            Group.objects.get_or_create(
                kindergarten=kindergarten,
                name=group.name,
                defaults={
                    "age_group": group.age_group,
                    "language": group.language,
                    "regime": group.regime,
                    "capacity": group.capacity,
                },
            )


def _build_kindergarten(plan: KindergartenPlan, locality: Locality, *, number: int) -> Kindergarten:
    prefix = next(place.prefix for place in PLACES if place.slug == plan.place)
    kindergarten, _created = Kindergarten.objects.get_or_create(
        slug=plan.slug,
        defaults={
            "name_kk": plan.kk,
            "name_ru": plan.ru,
            "locality": locality,
            "ownership": plan.ownership,
            "type": plan.type,
            "address_kk": f"{locality.name_kk}, {plan.street_kk}",
            "address_ru": f"{locality.name_ru}, {plan.street_ru}",
            "phone": f"+7{prefix}{2100 + 37 * number:04}",
            "head": plan.head,
        },
    )
    return kindergarten


def _has_staff() -> bool:
    names = [employee.username for employee in staff.EMPLOYEES]
    return User.objects.filter(username__in=names).count() == len(names)


def _hire_staff(now: datetime, scale: float) -> None:
    call_command("setup_roles", stdout=StringIO())
    staff.hire(since=RULES_SINCE)


def _write_pages(now: datetime, scale: float) -> None:
    pages.write(now=now, official=User.objects.get(username=OFFICIAL))


def _build_history(now: datetime, scale: float) -> None:
    default_storage.save(SHARED_DOCUMENT, ContentFile(_picture()))
    book = _book(now, seed=SEED)
    # Dice of its own, so that the rest of the city stays as it was.
    dice = random.Random(SEED + 2)  # noqa: S311
    office = Office(book, official=User.objects.get(username=OFFICIAL), chance=dice)
    history.build(book, office, scale=scale)


def _has_offers() -> bool:
    return Vacancy.objects.exclude(state=Vacancy.State.CLOSED).exists()


def _publish_offers(now: datetime, scale: float) -> None:
    official = User.objects.get(username=OFFICIAL)
    offers.count_children(now=now, actor=official)
    published = offers.publish(now=now, actor=official)
    offers.place_bids(_book(now, seed=SEED + 1), published)


def _ask_for_places(now: datetime, scale: float) -> None:
    alerts.ask(now=now)


def _write_reviews(now: datetime, scale: float) -> None:
    reviews.write(now=now, moderator=User.objects.get(username=OFFICIAL))


def _end_some(now: datetime, scale: float) -> None:
    ends.end_some(now=now, official=User.objects.get(username=OFFICIAL))


def _tell_families(now: datetime, scale: float) -> None:
    told.tell(now=now)


def _book(now: datetime, *, seed: int) -> Book:
    locality = Locality.objects.all()[0]
    return Book(
        now=now,
        zone=locality.zone,
        calendar=working_calendar(),
        rules=rules_at(locality, now),
        chance=random.Random(seed),  # noqa: S311 - a reproducible city, no secrets
    )


def _picture() -> bytes:
    """A blank sheet in the place of the demo families' supporting documents."""
    sheet = BytesIO()
    Image.new("RGB", (620, 877), "white").save(sheet, "JPEG", quality=60)
    return sheet.getvalue()
