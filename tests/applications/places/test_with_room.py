"""Groups with room and no vacancy: one statement says of all of them what `occupancy` says of each."""

from datetime import datetime, timedelta
from random import Random

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F

from applications.models import Contract, Headcount, Transfer
from applications.places.occupancy import occupancies_of, room
from applications.places.with_room import groups_with_room
from applications.states import BidState, ProposalState
from bulletin.models import Group, Pause, Vacancy
from bulletin.opening import Phase, phase
from bulletin.school_years import school_year
from tests.applications.conftest import ZONE
from tests.factories import BidFactory, ContractFactory, GroupFactory, KindergartenFactory, VacancyFactory
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

# A moment before the school year begins, so that both years are counted and promised.
NOW = datetime(2019, 8, 31, 23, 59, tzinfo=ZONE)
DAYS = [timedelta(days=number) for number in (-400, -40, -1, 0, 1, 40)]
GIVING = {Phase.ANNOUNCED, Phase.PRIORITY, Phase.OPEN, Phase.PAUSED}


def slowly(*, now):
    """The same by the rules, group by group."""
    found = set()
    for group in Group.objects.select_related("kindergarten__locality"):
        phases = {phase(one, now=now) for one in group.vacancies.all()}
        year = school_year(group.kindergarten.locality.day(now))
        left = room(group.capacity, occupancies_of([group], now=now)[group.pk], year=year)
        if left > 0 and not phases & {*GIVING, Phase.DRAFT}:
            found.add(group.pk)
    return found


def fill(group, chance, *, staff):
    """Counts, vacancies of all kinds, bids and contracts, such as a few years bring."""
    for year in (2018, 2019, 2020):
        for _again in range(chance.choice([0, 0, 1, 2])):
            Headcount.objects.create(
                group=group, school_year=year, children=chance.randint(0, 4),
                counted_at=NOW + chance.choice(DAYS), proposed_at=NOW, proposed_by=staff,
                decided_at=NOW, decided_by=get_user_model().objects.exclude(pk=staff.pk).first(),
                state=chance.choice([ProposalState.APPROVED, ProposalState.APPROVED, ProposalState.DECLINED]),
            )  # fmt: skip
    for _vacancy in range(chance.randint(0, 3)):
        opens_at = NOW + chance.choice(DAYS)
        collected = chance.random() < 0.4
        ends = collected or chance.random() < 0.3
        total = chance.randint(1, 3)
        state = chance.choices(list(Vacancy.State), weights=[1, 3, 3, 5])[0]
        vacancy = VacancyFactory(
            group=group, opens_at=opens_at, vacant_from=NOW + chance.choice(DAYS), seats_total=total,
            mode=Vacancy.Mode.QUEUE_ORDER if collected else Vacancy.Mode.FIRST_COME,
            closes_at=opens_at + timedelta(days=chance.choice([1, 60])) if ends else None, state=state,
            published_at=None if state == Vacancy.State.DRAFT else opens_at - timedelta(days=1),
        )  # fmt: skip
        taken = 0
        if state == Vacancy.State.DRAFT:
            continue
        for _bid in range(chance.randint(0, total + 1)):
            kind = chance.choice(["waits", "holds", "signed", "left"])
            holds = kind in ("holds", "signed") and taken < total
            taken += holds
            if kind in ("waits", "holds"):
                BidFactory(vacancy=vacancy, state=BidState.PENDING, holds_seat=holds)
            elif kind == "left" or holds:
                bid = BidFactory(vacancy=vacancy, state=BidState.ACTIVATED, holds_seat=holds)
                left_at = NOW + chance.choice(DAYS)
                left = {
                    "left_on": left_at.date() - timedelta(days=chance.choice([0, 0, 1, 30])),
                    "ended_at": left_at + timedelta(seconds=chance.choice([-1, 0, 1])),
                    "ended_by": staff,
                }
                ContractFactory(
                    referral__bid=bid, referral__application=bid.application,
                    signed_at=NOW + chance.choice(DAYS), **(left if kind == "left" else {}),
                )  # fmt: skip
        Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=taken)


def move_some(chance, *, staff):
    """Children who moved from group to group of whatever kindergarten, some of them back to a place of their own."""
    groups = list(Group.objects.all())
    for contract in Contract.objects.select_related("referral__bid__vacancy__group").order_by("pk"):
        bid, here = contract.referral.bid, contract.referral.bid.vacancy.group
        if chance.random() < 0.5:
            continue
        at, comes_back = contract.signed_at, bid.holds_seat and chance.random() < 0.2
        for target in [*chance.sample(groups, chance.randint(1, 2)), *([here] if comes_back else [])]:
            if target.pk == here.pk and not comes_back:
                continue
            source = contract.moved_to or here
            if source.pk == target.pk:
                continue
            at += chance.choice([timedelta(hours=1), timedelta(days=1), timedelta(days=40)])
            Transfer.objects.create(
                contract=contract, source=source, target=target, at=at, by=staff, reason="x"
            )
            contract.moved_to = target
        if comes_back and contract.moved_to_id == here.pk:
            contract.moved_to = None
        elif bid.holds_seat and contract.moved_to_id is not None:
            bid.holds_seat = False
            bid.save()
            Vacancy.objects.filter(pk=bid.vacancy_id).update(seats_taken=F("seats_taken") - 1)
        contract.save()


def test_it_says_the_same_as_the_rules(scene):
    """Of groups that are alike in nothing, before and during a pause."""
    chance = Random(7)
    number = 60 if THOROUGH else 40
    for _number in range(number):
        fill(GroupFactory(capacity=chance.randint(2, 6)), chance, staff=scene.staff)
    move_some(chance, staff=scene.staff)
    assert Transfer.objects.count() > number // 4
    assert Contract.objects.filter(moved_to=None, transfers__isnull=False).exists()
    with connection.cursor() as cursor:
        # As in a city that has run for a day: what the planner knew before were the rows of other tests.
        cursor.execute("ANALYZE")
    for is_paused in (False, True):
        if is_paused:
            Pause.objects.create(
                started_at=NOW - timedelta(days=20), started_by=scene.staff, notice_kk="x", notice_ru="x"
            )
        for now in (NOW, NOW + timedelta(minutes=1)):
            quickly = {*groups_with_room(None, now=now).values_list("pk", flat=True)}
            assert quickly == slowly(now=now), is_paused
            assert number // 10 < len(quickly) < number - 5


def test_only_of_the_kindergartens_that_are_asked_for(scene):
    own, other = (GroupFactory(kindergarten=KindergartenFactory()) for _number in range(2))
    assert list(groups_with_room([own.kindergarten_id], now=NOW)) == [own]
    assert list(groups_with_room([], now=NOW)) == []
    assert {own, other} <= {*groups_with_room(None, now=NOW)}
