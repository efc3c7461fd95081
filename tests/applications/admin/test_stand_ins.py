"""What an official may decide in place of a kindergarten that has not answered in time."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import AuditEntry, User
from accounts.roles import Role
from applications.bidding import ending, stand_ins
from applications.journal_actions import Action
from applications.models import Bid, Event
from applications.referrals import issuing
from applications.states import BidState, StandIn
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    EmploymentFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def bid(scene, clock):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


def page_of(bid, work=""):
    if work:
        return reverse("admin:applications_bid_work", args=[bid.pk, work])
    return reverse("admin:applications_bid_change", args=[bid.pk])


def test_from_the_end_of_its_time_on_and_not_before(scene, bid, clock):
    """The kindergarten may still answer, too; where it has, the official is told so."""
    worker, official = worker_of(scene.group.kindergarten), official_of(scene.locality)
    clock.move_to(bid.answer_due - MOMENT)
    desk = inside(official)
    assert desk.get(page_of(bid)).context["works"] == []
    assert desk.get(page_of(bid, "activate")).status_code == 403
    assert desk.post(page_of(bid, "reject"), {"reason": "Топ толық"}).status_code == 403
    clock.move_to(bid.answer_due)
    assert (
        inside(official_of(LocalityFactory(slug="elsewhere"))).get(page_of(bid, "activate")).status_code
        == 404
    )
    desk = inside(official)
    shown = desk.get(page_of(bid))
    assert len(shown.context["works"]) == 2
    assert any("in time" in str(said) or "мерзім" in str(said) for said in shown.context["why_not"])
    assert len(inside(worker).get(page_of(bid)).context["works"]) == 2
    issuing.activate_bid(bid, actor=worker, now=bid.answer_due)
    assert Bid.objects.get().stand_in == ""
    answer = desk.post(page_of(bid, "activate"), follow=True)
    assert gettext("This bid is no longer pending.") in answer.content.decode()


@pytest.mark.parametrize("work", ["activate", "reject"])
def test_it_is_recorded_as_the_departments(scene, bid, clock, work):
    clock.move_to(bid.answer_due)
    official = employee(Role.OFFICIAL)
    inside(official).post(page_of(bid, work), {"reason": "Топ жабылды"})
    bid.refresh_from_db()
    assert bid.state == (BidState.ACTIVATED if work == "activate" else BidState.REJECTED)
    assert bid.stand_in == StandIn.LATE
    event = Event.objects.order_by("-id")[0]
    assert (event.actor, event.data["stand_in"]) == (official, "late")
    action = Action.BID_ACTIVATED_LATE if work == "activate" else Action.BID_REJECTED_LATE
    assert AuditEntry.objects.get(action=action).subject == scene.parent
    notice = Notice.objects.get(kind="referral_issued" if work == "activate" else "bid_rejected")
    assert "білім бөлімі" in notice.text_kk
    assert "отдел образования" in notice.text_ru
    shown = inside(worker_of(scene.group.kindergarten)).get(page_of(bid)).content.decode()
    assert str(StandIn.LATE.label) in shown


def test_the_family_reads_who_is_late_since_when_and_who_decides(scene, bid, clock, client):

    def read_at(instant):
        clock.move_to(instant)
        client.force_login(scene.parent)
        return client.get(reverse("applications:application", args=[scene.application.pk])).content.decode()

    # 28.06.2019 is a Friday, the second working day.
    in_time = read_at(bid.answer_due - MOMENT)
    assert "28.06.2019" in in_time
    assert "29.06.2019" not in in_time
    late = read_at(bid.answer_due)
    assert "29.06.2019" in late
    assert "білім бөлімі" in late
    ending.reject_bid(bid, actor=employee(Role.OFFICIAL), reason="Топ жабылды", now=bid.answer_due)
    shown = read_at(bid.answer_due)
    assert gettext("The education department refused your bid") in shown
    assert gettext("The kindergarten refused your bid") not in shown


def test_what_a_decision_is_recorded_as(scene, bid):
    def recorded(actor, *, now):
        return stand_ins.stand_in_for(bid, actor=actor, now=now)

    official = employee(Role.OFFICIAL)
    # Nobody is employed there: it is about nobody's own child.
    assert recorded(official, now=scene.now) == StandIn.NOBODY
    worker = worker_of(scene.group.kindergarten)
    # As where the official pressed while the worker set up their sign-in.
    assert recorded(official, now=scene.now) == StandIn.DEPARTMENT
    assert recorded(worker, now=bid.answer_due) == ""
    chief = worker_of(scene.group.kindergarten, is_superuser=True)
    assert recorded(chief, now=bid.answer_due) == ""
    root = employee(Role.OFFICIAL, is_superuser=True)
    assert recorded(root, now=scene.now) == StandIn.DEPARTMENT
    assert recorded(root, now=bid.answer_due) == StandIn.LATE


def test_a_superuser_decides_for_the_department_and_two_roles_make_no_worker_of_others(scene, bid, clock):
    """Somebody who works in one kindergarten and is an official of its locality is an official to the others."""
    worker_of(scene.group.kindergarten)
    both = official_of(scene.locality)
    both.groups.add(Group.objects.get(name=Role.KINDERGARTEN.value))
    elsewhere = KindergartenFactory(locality=scene.locality)
    EmploymentFactory(user=both, kindergarten=elsewhere)
    desk = inside(both)
    assert desk.get(page_of(bid)).context["works"] == []
    assert desk.post(page_of(bid, "reject"), {"reason": "Топ толық"}).status_code == 403
    assert desk.get(reverse("admin:index")).status_code == 200
    inside(employee(Role.OFFICIAL, is_superuser=True)).post(page_of(bid, "reject"), {"reason": "Топ жабылды"})
    bid.refresh_from_db()
    assert (bid.state, bid.stand_in) == (BidState.REJECTED, StandIn.DEPARTMENT)
    assert "отдел образования" in Notice.objects.get(kind="bid_rejected").text_ru


def test_many_bids_ask_once_for_each_kindergarten(scene, bid):
    """Those of a kindergarten where colleagues decide are left out, in so many statements as for one."""
    for _number in range(2):
        worker_of(scene.group.kindergarten)
    families = [
        ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
        for _number in range(4)
    ]
    questions = [
        stand_ins.Question(scene.group.kindergarten, one.child) for one in [scene.application, *families]
    ]
    official = official_of(scene.locality)

    def statements(some):
        with CaptureQueriesContext(connection) as seen:
            found = stand_ins.rights(
                User.objects.get(pk=official.pk), some, permission=stand_ins.ANSWER, now=scene.now
            )
        assert not any(right.may for right in found)
        return len(seen)

    assert statements(questions) == statements(questions[:1])


def test_the_start_page_names_the_most_overdue_kindergarten_first(scene, bid, clock):
    other = GroupFactory(kindergarten=KindergartenFactory(locality=scene.locality))
    vacancy = VacancyFactory(group=other, birth_years=[2017], seats_total=5, opens_at=scene.vacancy.opens_at)
    families = [
        ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
        for _number in range(3)
    ]
    bids = [place_bid(one, vacancy, actor=one.filed_by, now=scene.now) for one in families]
    Bid.objects.filter(pk=bids[0].pk).update(answer_due=bid.answer_due - timedelta(days=1))
    Bid.objects.filter(pk=bids[1].pk).update(answer_due=bid.answer_due + timedelta(days=1))
    clock.move_to(bid.answer_due)
    listing = reverse("admin:applications_bid_changelist")
    page = inside(employee(Role.OFFICIAL)).get(reverse("admin:index"))
    late = page.context["today"].late
    assert [(one.kindergarten, one.bids) for one in late.shown] == [
        (other.kindergarten, 2),
        (scene.group.kindergarten, 1),
    ]
    assert late.total == 2
    assert late.shown[0].since == bid.answer_due - timedelta(days=1)
    official, worker = inside(employee(Role.OFFICIAL)), inside(worker_of(scene.group.kindergarten))
    # Each row leads to what it counts.
    address = f"{listing}?answer=overdue&kindergarten={other.kindergarten.pk}"
    assert address.replace("&", "&amp;") in page.content.decode()
    assert official.get(address).context["cl"].result_count == 2
    shown = official.get(f"{listing}?answer=due").context["cl"].result_list
    assert [one.answer_due for one in shown] == sorted(one.answer_due for one in shown)
    assert (shown[0].pk, shown[3].pk) == (bids[0].pk, bids[1].pk)
    assert worker.get(reverse("admin:index")).context["today"].late is None
