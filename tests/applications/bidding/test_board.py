"""The board of the bulletin says of every place and family what the rule for one application and one place says."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from applications.bidding.board import MineFirst, board, waiting
from applications.bidding.eligibility import why_not
from applications.bidding.onlooker import look
from applications.models import Application, Bid
from applications.states import LIVE_STATES, ApplicationState, BidState, Tier
from bulletin.models import Pause, Vacancy
from bulletin.selectors import published_vacancies
from tests.applications.conftest import NOW
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
)
from tests.thorough import examples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MICROSECOND = timedelta(microseconds=1)
AROUND_NOW = st.sampled_from(
    [-timedelta(hours=1), -MICROSECOND, timedelta(0), MICROSECOND, timedelta(hours=1)]
)
PLACES = st.fixed_dictionaries(
    {
        "group": st.integers(0, 3),
        "birth_years": st.sampled_from([[2017], [2017], [2016, 2017], [2016]]),
        "state": st.sampled_from(
            [Vacancy.State.PUBLISHED] * 5 + [Vacancy.State.RECALLED, Vacancy.State.DRAFT]
        ),
        "seats_taken": st.sampled_from([0, 0, 1]),
        "opens": AROUND_NOW,
        "priority": st.none() | AROUND_NOW,
        "closes": st.none() | AROUND_NOW,
        "cutoffs": st.lists(
            st.tuples(
                st.sampled_from([2016, 2017]), st.sampled_from(Tier.values), AROUND_NOW, st.integers(-1, 1)
            ),
            max_size=2,
            unique_by=lambda cutoff: cutoff[:2],
        ),
        "refused": st.booleans(),
    }
)
CHILDREN = st.fixed_dictionaries(
    {
        "birth_year": st.sampled_from([2016, 2017]),
        "languages": st.sampled_from([["kk"], ["ru"], ["kk", "ru"]]),
        "tier": st.sampled_from(Tier.values),
        "state": st.sampled_from([ApplicationState.WAITING] * 4 + [*LIVE_STATES, ApplicationState.ENROLLED]),
        "elsewhere": st.booleans(),
    }
)
PAUSES = st.sampled_from([None] * 4 + ["everywhere", "here"])


@given(
    mine=st.sets(st.integers(0, 30)),
    more=st.integers(0, 12),
    start=st.integers(0, 40),
    length=st.integers(0, 20),
)
def test_what_is_ones_own_comes_first_and_the_rest_keeps_its_order(mine, more, start, length):
    own = sorted(mine)
    size = max(mine, default=-1) + 1 + more
    shown = MineFirst(own, size=size)
    whole = own + [index for index in range(size) if index not in mine]
    assert list(shown) == whole
    assert shown[start : start + length] == whole[start : start + length]


class RolledBack(Exception):
    pass


@given(places=st.lists(PLACES, min_size=1, max_size=6), children=st.lists(CHILDREN, max_size=2), pause=PAUSES)
@settings(
    max_examples=examples(80),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_offers_exactly_what_the_rule_allows(db, places, children, pause):
    try:
        with transaction.atomic():
            parent = a_family(places, children, pause)
            family = list(Application.objects.filter(filed_by=parent)) if parent else []
            listed = published_vacancies(now=NOW)
            allowed = [
                str(vacancy.pk)
                for vacancy in listed
                if any(why_not(application, vacancy, now=NOW) is None for application in family)
            ]
            read = board(now=NOW)
            assert list(read.vacancies) == [str(vacancy.pk) for vacancy in listed]
            assert [read.vacancies[at] for at in read.available(waiting(family))] == allowed
            assert [read.vacancies[at] for at in read.open] == [
                str(vacancy.pk) for vacancy in published_vacancies(status="open", now=NOW)
            ]
            if parent:
                seen = look(user_id=str(parent.pk), password_stamp=parent.get_session_auth_hash(), now=NOW)
                assert [read.vacancies[at] for at in read.available(seen.waiting)] == allowed
            raise RolledBack
    except RolledBack:
        pass


def a_family(places, children, pause):
    """A city of two localities, its places, and a family with these children; the family's account, if any."""
    here, there = LocalityFactory(), LocalityFactory()
    groups = [
        GroupFactory(language=language, capacity=25, kindergarten=KindergartenFactory(locality=locality))
        for locality in (here, there)
        for language in ("kk", "ru")
    ]
    if pause:
        Pause.objects.create(
            locality=here if pause == "here" else None,
            notice_kk="Жөндеу",
            notice_ru="Ремонт",
            started_at=NOW - timedelta(minutes=30),
            started_by=StaffFactory(),
        )
    family, parent = [], None
    for child in children:
        application = ApplicationFactory(
            locality=there if child["elsewhere"] else here,
            birth_year=child["birth_year"],
            languages=child["languages"],
            tier=child["tier"],
            state=child["state"],
            filed_at=NOW,
            interest_confirmed_at=NOW,
            **({"filed_by": parent} if parent else {}),
        )
        parent = application.filed_by
        family.append(application)
    for place in places:
        vacancy = VacancyFactory(
            group=groups[place["group"]],
            birth_years=place["birth_years"],
            state=place["state"],
            seats_total=1,
            seats_taken=place["seats_taken"],
            opens_at=NOW + place["opens"],
            priority_until=None if place["priority"] is None else NOW + place["priority"],
            closes_at=None
            if place["closes"] is None
            else max(NOW + place["closes"], NOW + place["opens"] + MICROSECOND),
        )
        for birth_year, tier, offset, step in place["cutoffs"]:
            vacancy.cutoffs.create(
                birth_year=birth_year,
                tier=tier,
                filed_at=NOW + offset,
                sequence=(family[0].sequence if family else 0) + step,
            )
        if place["refused"] and family:
            Bid.objects.create(
                application=family[0],
                vacancy=vacancy,
                state=BidState.REJECTED,
                placed_at=NOW,
                placed_by=family[0].filed_by,
                told_at=NOW,
            )
    return parent
