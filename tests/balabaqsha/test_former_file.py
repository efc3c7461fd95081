"""The demo city's former queue: what a visitor loads, and who of it can claim."""

from collections import Counter
from datetime import UTC, date, datetime
from io import BytesIO

import pytest

from accounts.identity import iin_hash
from applications.city.queue_file import Queue
from applications.models import Application
from applications.waiting.claiming import claim
from balabaqsha.demo.former_faults import PLANTED
from balabaqsha.demo.former_file import FAMILIES, claimable, content, rows_of_file
from balabaqsha.demo.places import PLACES
from bulletin.importing.running import run_import
from tests.factories import BenefitCategoryFactory, GuardianshipFactory, LocalityFactory, StaffFactory

pytestmark = pytest.mark.django_db

DAYS = [date(2026, 11, 30), date(2027, 1, 1), date(2028, 2, 29)]


def load(ending, day):
    for place in PLACES:
        LocalityFactory(slug=place.slug)
    BenefitCategoryFactory(slug="large-families")
    now = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    file = BytesIO(content(ending, today=day))
    return run_import(Queue(), file, file_name="x", now=now, by=StaffFactory(), skip_bad=True)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_fault_is_in_it_once_and_the_others_come_in(ending, day):
    report = load(ending, day)
    expected = Counter((column, problem) for _change, column, problem in PLANTED.values())
    assert Counter((fault.column, fault.problem) for fault in report.faults) == expected
    assert report.counts["added"] == len(rows_of_file(today=day)) - len(PLANTED)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_so_many_families_can_claim_and_each_has_a_child_of_its_own(day):
    families = claimable(today=day)
    assert len(families) == FAMILIES
    assert len({child.iin for _, child in families}) == FAMILIES
    assert all(entry.phone and child in entry.wards for entry, child in families)


def test_the_phone_of_the_desk_is_the_proof():
    day = DAYS[0]
    load("csv", day)
    for entry, ward in claimable(today=day)[:3]:
        waiting = Application.objects.get(child__iin_hash=iin_hash(ward.iin))
        parent = GuardianshipFactory(child=waiting.child, user__phone=entry.phone).user
        now = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        assert claim(waiting, actor=parent, now=now).filed_by == parent
