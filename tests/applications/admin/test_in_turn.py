"""One after another: after a decision the next row that waits opens, and several are decided at once."""

from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.translation import gettext

from accounts.roles import Role
from applications.admin.bids import BidAdmin
from applications.admin.in_turn import InTurn, next_after
from applications.admin.work import WorkAdmin, page_of
from applications.models import Application, Bid, CityExport, Contract, Referral, StopListEntry, UndoRequest
from applications.queue.corrections import propose_correction
from applications.referrals import ending, issuing
from applications.refusals import Refusal
from applications.states import BidState, UndoKind
from balabaqsha.admin_site import staff_site
from bulletin.models import Closing, Group, Pause, ReportedIncident, Vacancy
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    DisputeFactory,
    EmploymentFactory,
    GuardianshipFactory,
    StaffFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


def work(obj, name):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_work", args=[obj.pk, name])


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def worker(scene, clock):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def bids(scene, clock):
    """Three: the first placed is the last to be answered; the other two are as urgent as each other."""
    Vacancy.objects.update(seats_total=9)
    scene.vacancy.refresh_from_db()
    families = [
        ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
        for _number in range(3)
    ]
    placed = [place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now) for one in families]
    Bid.objects.filter(pk=placed[0].pk).update(answer_due=placed[0].answer_due + timedelta(days=1))
    return [*Bid.objects.order_by("answer_due", "placed_at", "pk")]


def test_each_follows_another_until_nothing_is_left(worker, bids):
    desk, (first, second, third) = inside(worker), bids
    shown = desk.get(page_of(first))
    assert shown.context["to_come"] == {"url": page_of(second), "left": 2}
    asked = desk.get(work(first, "activate")).content.decode()
    assert 'name="next"' in asked
    answer = desk.post(work(first, "activate"), {"next": "1"})
    assert answer["Location"] == page_of(second)
    assert gettext("Still waiting: %(count)s") % {"count": 2} in said(answer)
    # Whoever passes over one comes back to it; what is refused is walked on from, too.
    answer = desk.post(work(third, "reject"), {"next": "1", "reason": "Топ жабылды"})
    assert answer["Location"] == page_of(second)
    assert 'name="next"' not in desk.get(work(second, "activate")).content.decode()
    answer = desk.post(work(second, "activate"), {"next": "1"})
    assert answer["Location"] == page_of(second)
    assert gettext("Nothing else waits for you here.") in said(answer)
    # Back in the browser, and pressed again: nothing is decided twice.
    answer = desk.post(work(first, "activate"), {"next": "1"})
    assert said(answer)[-1] == str(Refusal.BID_ENDED.label)
    assert Referral.objects.count() == 2
    assert desk.get(page_of(first)).context["to_come"] is None


def test_of_a_worker_who_is_an_official_too_others_wait_once_they_are_late(worker, bids, scene, clock):
    """Of a kindergarten of one's locality, in which one does not work, nothing waits before its own time is over."""
    both = official_of(scene.locality)
    both.groups.add(*worker.groups.all())
    other = VacancyFactory(group__kindergarten__locality=scene.locality, birth_years=[2017], seats_total=9)
    EmploymentFactory(user=both, kindergarten=other.group.kindergarten)
    family = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 7, 20))
    own = place_bid(family, other, actor=family.filed_by, now=scene.now)
    desk = inside(both)
    assert desk.get(page_of(own)).context["to_come"] is None
    Bid.objects.filter(pk=bids[0].pk).update(answer_due=scene.now - timedelta(seconds=1))
    assert desk.get(page_of(own)).context["to_come"] == {"url": page_of(bids[0]), "left": 1}


def test_without_the_button_one_stays_where_one_is(worker, bids):
    assert inside(worker).post(work(bids[0], "activate"))["Location"] == page_of(bids[0])


def test_ones_own_child_is_passed_over(worker, bids):
    parent = GuardianshipFactory(child=bids[1].application.child).user
    worker.staff_iin_hash = parent.profile.iin_hash
    worker.save()
    assert inside(worker).get(page_of(bids[0])).context["to_come"] == {"url": page_of(bids[2]), "left": 1}


def test_officials_walk_through_what_is_late_in_their_localities(scene, worker, bids, clock):
    clock.move_to(bids[0].answer_due)
    desk = inside(official_of(scene.locality))
    assert desk.get(page_of(bids[0])).context["to_come"]["left"] == 1
    answer = desk.post(work(bids[0], "activate"), {"next": "1"})
    assert answer["Location"] == page_of(bids[1])
    # Of several chosen ones those are left out whose time is not over, whatever is sent.
    listing = reverse("admin:applications_bid_changelist")
    chosen = {
        "action": "reject_selected",
        "_selected_action": [str(bid.pk) for bid in bids[1:]],
        "reason": "Топ жабылды",
    }
    asked = desk.post(listing, chosen)
    assert [row["pk"] for row in asked.context["rows"]] == [bids[1].pk]
    answer = desk.post(listing, chosen | {"confirmed": "yes"})
    assert [bid.state for bid in Bid.objects.order_by("answer_due", "placed_at", "pk")] == [
        BidState.ACTIVATED,
        BidState.REJECTED,
        BidState.PENDING,
    ]
    assert Bid.objects.get(pk=bids[1].pk).stand_in == "late"
    done, refused = said(answer)
    assert bids[1].application.number in done
    assert bids[2].application.number in refused


def test_an_official_walks_through_what_nobody_in_the_kindergarten_can_answer(scene, bids, clock):
    """No worker has set up how they sign in: the department decides, before the time is over too."""
    StaffFactory()
    desk = inside(official_of(scene.locality))
    assert desk.get(page_of(bids[0])).context["to_come"] == {"url": page_of(bids[1]), "left": 2}
    assert desk.post(work(bids[0], "activate"), {"next": "1"})["Location"] == page_of(bids[1])
    worker_of(scene.group.kindergarten)
    assert desk.get(page_of(bids[1])).context["to_come"] is None


def test_an_official_walks_through_whatever_waits_for_a_decision(scene, bids, clock):
    """Each kind that the start page counts; an auditor, who decides nothing, is led nowhere."""
    one, other = (bid.application for bid in bids[:2])
    by, other_official, now = StaffFactory(), official_of(scene.locality), scene.now
    issued = [issuing.activate_bid(bid, actor=scene.staff, now=now) for bid in bids[:2]]
    for referral in issued:
        ending.revoke_referral(referral, actor=scene.staff, reason="Қателік", now=now)
    waiting: dict[str, list[Any]] = {
        "benefits": [BenefitFactory(application=application) for application in (one, other)],
        "corrections": [
            propose_correction(
                application,
                new_filed_at=application.filed_at - timedelta(days=1),
                new_birth_year=None,
                document_number="12-К",
                document_date=now.date(),
                reason="Қағаз кезектегі күні",
                actor=other_official,
                now=now,
            )
            for application in (one, other)
        ],
        "disputes": [
            DisputeFactory(guardianship=GuardianshipFactory(child=application.child))
            for application in (one, other)
        ],
        "requests": [
            UndoRequest.objects.create(
                kind=UndoKind.REVOCATION, bid=bid, reason="Қателік", proposed_at=now, proposed_by=by
            )
            for bid in bids[:2]
        ],
    }
    desk, auditor = inside(official_of(scene.locality)), inside(employee(Role.AUDITOR))
    for name, (first, second) in waiting.items():
        assert desk.get(page_of(first)).context["to_come"] == {"url": page_of(second), "left": 1}, name
        assert desk.get(page_of(second)).context["to_come"] == {"url": page_of(first), "left": 1}, name
        if name != "disputes":
            assert auditor.get(page_of(first)).context["to_come"] is None, name
    first, second = waiting["benefits"]
    answer = desk.post(work(first, "reject"), {"next": "1", "reason": "Құжат басқа балаға берілген"})
    assert answer["Location"] == page_of(second)
    assert desk.get(page_of(second)).context["to_come"] is None


def test_whatever_is_decided_one_by_one_is_walked_through():
    """Every page with two ways to decide, or which hands the decision to a second person."""
    # Of exports no more than one is open at a time (`one_open_export`): none comes next.
    passed_over = {
        Vacancy,
        Group,
        Application,
        Contract,
        StopListEntry,
        Pause,
        Closing,
        CityExport,
        ReportedIncident,
    }
    pages = [page for page in staff_site._registry.values() if isinstance(page, WorkAdmin) and page.works]
    assert {page.model for page in pages if not isinstance(page, InTurn)} == passed_over


def test_several_are_refused_with_one_reason(worker, bids):
    desk, listing = inside(worker), reverse("admin:applications_bid_changelist")
    chosen = {
        "action": "reject_selected",
        "_selected_action": [str(bid.pk) for bid in bids],
        "confirmed": "yes",
    }
    asked = desk.post(listing, chosen | {"reason": " "})
    assert asked.context["form"].errors
    assert len(asked.context["rows"]) == 3
    assert not Bid.objects.exclude(state=BidState.PENDING).exists()
    answer = desk.post(listing, chosen | {"reason": "Топ жөндеуге жабылды"})
    assert set(Bid.objects.values_list("state", "reason")) == {(BidState.REJECTED, "Топ жөндеуге жабылды")}
    (done,) = said(answer)
    assert all(bid.application.number in done for bid in bids)


def test_referrals_to_sign_follow_each_other_too(scene, worker, bids):
    referrals = [issuing.activate_bid(bid, actor=scene.staff, now=scene.now) for bid in bids]
    Referral.objects.filter(pk=referrals[0].pk).update(valid_until=scene.now + timedelta(hours=3))
    listing = inside(worker).get(reverse("admin:applications_referral_changelist") + "?valid=now")
    order = [referral.pk for referral in listing.context["cl"].result_list]
    assert order[0] == referrals[0].pk
    desk, first = inside(worker), referrals[0]
    assert "autofocus" in unescape(desk.get(work(first, "sign")).content.decode())
    answer = desk.post(work(first, "sign"), {"contract_number": "", "next": "1"})
    assert answer["Location"] == page_of(Referral.objects.get(pk=order[1]))


def test_the_order_tells_every_two_rows_apart(bids):
    rows = Bid.objects.all()
    walked = [bids[0]]
    for _step in range(3):
        following = next_after(walked[-1], rows, BidAdmin.most_urgent)
        assert following is not None
        walked.append(following.row)
    assert walked == [*bids, bids[0]]
    assert next_after(bids[0], rows.filter(pk=bids[0].pk), BidAdmin.most_urgent) is None
