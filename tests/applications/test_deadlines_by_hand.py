"""Two hundred deadlines, worked out by hand from the laws' and decrees' days off, and not by this code.

`deadlines.csv` holds one in each row: the instant `at` which the portal acts, the `day` from which it counts, and the
`last_day` with the instant `ends_at` which it no longer holds. The calendar is the one that the portal ships.
"""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from applications.bidding.award import grant_seat
from applications.models import Referral, StopListEntry
from applications.referrals import ending, extending, issuing
from applications.referrals.due import last_day_of
from applications.states import ReferralState
from bulletin.calendar_loading import load_official_days
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    GroupFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
)

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
EARLY = datetime(2018, 1, 9, tzinfo=UTC)
TABLE = Path(__file__).with_name("deadlines.csv")
Row = dict[str, str]
Promise = tuple[date, datetime]


def rows(kind: str) -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def expected(row: Row) -> Promise:
    return date.fromisoformat(row["last_day"]), instant(row["ends_at"]).astimezone(UTC)


@pytest.fixture
def city(db):
    """A family that waits, and a place that fits, in whatever year."""
    load_official_days(first_year=2018, last_year=2029)
    locality = LocalityFactory()
    return SimpleNamespace(
        locality=locality,
        application=ApplicationFactory(locality=locality, filed_at=datetime(2018, 1, 1, tzinfo=UTC)),
        vacancy=VacancyFactory(
            group=GroupFactory(kindergarten__locality=locality), opens_at=datetime(2018, 1, 1, tzinfo=UTC)
        ),
        staff=StaffFactory(),
    )


def found(kind: str, promise: Callable[[Row], Promise]) -> dict[str, Promise]:
    """What the portal promises in each row, by the row's own words; nothing of it is kept."""
    promised = {}
    for row in rows(kind):
        with transaction.atomic():
            promised[_named(row)] = promise(row)
            transaction.set_rollback(True)
    return promised


def wanted(kind: str) -> dict[str, Promise]:
    return {_named(row): expected(row) for row in rows(kind)}


def _named(row: Row) -> str:
    return f"{row['at']} {row['asked']} {row['about']}"


@pytest.fixture
def referral(city) -> Referral:
    """Of a family and a place that each row finds as they were."""
    bid = place_bid(city.application, city.vacancy, actor=city.application.filed_by, now=EARLY)
    return issuing.activate_bid(bid, actor=city.staff, now=EARLY)


def _until_its_day(referral: Referral, row: Row) -> Referral:
    """The same, valid up to the end of the row's day."""
    valid_until = instant(row["valid_until"])
    # So early that its five working days were over by then, whatever holidays lie between: none is owed to the family.
    issued_at = valid_until - timedelta(days=20)
    Referral.objects.filter(pk=referral.pk).update(issued_at=issued_at, valid_until=valid_until)
    return Referral.objects.get(pk=referral.pk)


def test_the_table_holds_two_hundred_rows_of_four_kinds():
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len({_named(row) + row["kind"] for row in table}) == len(table) == 200
    assert Counter(row["kind"] for row in table) == {
        "referral": 49,
        "answer": 51,
        "stop": 50,
        "extension": 50,
    }
    assert {row["day"][:4] for row in table} >= {"2019", "2024", "2025", "2026", "2027", "2028"}


def test_referrals(city):
    """Five working days after the day of issue, that day not counted, to the end of the last one."""

    def promise(row):
        at = instant(row["at"])
        # Sent before, since at that very instant nobody could send and answer.
        bid = place_bid(city.application, city.vacancy, actor=city.application.filed_by, now=at - MICROSECOND)
        referral = issuing.activate_bid(bid, actor=city.staff, now=at)
        assert city.locality.day(at) == date.fromisoformat(row["day"])
        assert referral.is_valid(now=referral.valid_until - MICROSECOND)
        assert not referral.is_valid(now=referral.valid_until)
        return last_day_of(referral), referral.valid_until

    assert found("referral", promise) == wanted("referral")


def test_answers_of_the_kindergarten(city):
    """Two working days; one rule in Python for awards, and one in SQL for the press."""
    collecting = VacancyFactory(
        group=city.vacancy.group,
        mode=Vacancy.Mode.QUEUE_ORDER,
        opens_at=datetime(2018, 1, 1, tzinfo=UTC),
        closes_at=datetime(2018, 1, 2, tzinfo=UTC),
    )

    def by_award(row):
        bid = BidFactory(application=city.application, vacancy=collecting)
        grant_seat(bid, collecting, now=instant(row["at"]))
        return city.locality.last_day(bid.answer_due), bid.answer_due

    def by_press(row):
        with connection.cursor() as cursor:
            cursor.execute("SELECT bid_answer_due(%s, %s)", [city.locality.pk, instant(row["at"])])
            due = cursor.fetchone()[0].astimezone(UTC)
        return city.locality.last_day(due), due

    assert found("answer", by_award) == wanted("answer")
    assert found("answer", by_press) == wanted("answer")


def test_stops(city, referral):
    """Ten working days after the last day of the referral, however late the portal came to it."""

    def promise(row):
        valid = _until_its_day(referral, row)
        ending.expire_referral(valid, now=valid.valid_until - MICROSECOND)
        assert not StopListEntry.objects.exists()
        ending.expire_referral(valid, now=instant(row["at"]))
        stop = StopListEntry.objects.get()
        assert stop.starts_at == instant(row["valid_until"])
        return city.locality.last_day(stop.until), stop.until

    assert found("stop", promise) == wanted("stop")


def test_extensions(city, referral):
    """The last working day within what was asked, asked for in the last microsecond of the referral."""

    def promise(row):
        valid = _until_its_day(referral, row)
        at = instant(row["at"])
        assert at == valid.valid_until - MICROSECOND
        extending.extend_referral(
            valid,
            actor=city.application.filed_by,
            until=date.fromisoformat(row["asked"]),
            reason="illness",
            documents=[("a.pdf", ContentFile(b"%PDF", name="a.pdf"))],
            now=at,
        )
        valid.refresh_from_db()
        assert valid.state == ReferralState.ISSUED
        return last_day_of(valid), valid.valid_until

    assert found("extension", promise) == wanted("extension")
