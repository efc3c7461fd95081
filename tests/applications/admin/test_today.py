"""The start page of the workplace: what waits for this employee now."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from applications.models import GroupProposal, Headcount, RulesProposal
from applications.referrals import issuing
from applications.states import ProposalState
from tests.applications.bidding.reference import place_bid
from tests.factories import KindergartenFactory
from tests.staff import employee, inside, worker_of

pytestmark = pytest.mark.django_db


def test_a_worker_sees_what_waits_in_their_kindergarten(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    page = inside(worker).get(reverse("admin:index"))
    assert [bid.application for bid in page.context["today"].bids.shown] == [scene.application]
    assert page.context["today"].overdue == 0
    assert [vacancy.pk for vacancy in page.context["today"].vacancies.shown] == [scene.vacancy.pk]
    assert scene.application.child.last_name in page.content.decode()


def test_nothing_of_another_kindergarten(scene, clock):
    stranger = worker_of(KindergartenFactory())
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    today = inside(stranger).get(reverse("admin:index")).context["today"]
    assert (today.bids.total, today.ending.total, today.awaited.total, today.vacancies.total) == (
        0,
        0,
        0,
        0,
    )


def test_a_late_answer_is_marked(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    clock.move_to(bid.answer_due - timedelta(microseconds=1))
    assert inside(worker).get(reverse("admin:index")).context["today"].overdue == 0
    clock.move_to(bid.answer_due)
    assert inside(worker).get(reverse("admin:index")).context["today"].overdue == 1


def test_a_referral_moves_up_when_its_last_day_is_tomorrow(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    two_days_before_the_end = referral.valid_until - timedelta(days=2)

    def lists():
        today = inside(worker).get(reverse("admin:index")).context["today"]
        return (today.ending.total, today.awaited.total)

    clock.move_to(two_days_before_the_end - timedelta(microseconds=1))
    assert lists() == (0, 1)
    clock.move_to(two_days_before_the_end)
    assert lists() == (1, 0)
    clock.move_to(referral.valid_until - timedelta(microseconds=1))
    assert lists() == (1, 0)
    clock.move_to(referral.valid_until)
    assert lists() == (0, 0)


def test_an_official_sees_all_kindergartens(scene, clock):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    page = inside(employee(Role.OFFICIAL)).get(reverse("admin:index"))
    assert page.context["today"].bids.total == 1


@pytest.mark.parametrize("path", ["/admin/", "/ru/admin/"])
def test_the_lists_stay_below(path):
    worker = employee(Role.KINDERGARTEN)
    assert reverse("admin:applications_bid_changelist") in inside(worker).get("/admin/").content.decode()
    assert inside(worker).get(path).status_code == 200


def test_an_official_reads_what_waits_to_be_confirmed_and_a_worker_does_not(scene, clock):
    official, other = (employee(Role.OFFICIAL, username=name) for name in ("one", "other"))
    who = {"proposed_at": scene.now, "proposed_by": official}
    RulesProposal.objects.create(reason="x", **who)
    RulesProposal.objects.create(
        locality=scene.locality, reason="x", state=ProposalState.DECLINED, decided_by=other, **who
    )
    GroupProposal.objects.create(
        kindergarten=scene.group.kindergarten, name="Алма", age_group="2-3", language="kk", capacity=20, **who
    )
    Headcount.objects.create(group=scene.group, school_year=2018, children=1, counted_at=scene.now, **who)

    def counts(user):
        today = inside(user).get(reverse("admin:index")).context["today"]
        return (today.rules, today.groups, today.headcounts)

    # Nobody decides on rules of their own.
    assert counts(official) == (0, 1, 1)
    assert counts(other) == (1, 1, 1)
    assert counts(worker_of(scene.group.kindergarten)) == (None, None, None)
