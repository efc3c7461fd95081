"""What time does by itself: once, in time, and whatever else goes wrong."""

from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile

from applications.access import settling
from applications.jobs import deadlines, papers, telling
from applications.models import Referral
from applications.referrals import extending, issuing
from applications.states import ApplicationState, ReferralState
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import ApplicationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def referral(scene):
    return referral_of(scene, scene.application)


def referral_of(scene, application):
    bid = place_bid(application, scene.vacancy, actor=application.filed_by, now=scene.now)
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def state_of(application):
    application.refresh_from_db()
    return application.state


def test_expiry_and_return_by_the_clock(scene, referral):
    assert deadlines.settle_what_ran_out(now=referral.last_moment) == 0
    assert deadlines.settle_what_ran_out(now=referral.valid_until) == 1
    assert state_of(scene.application) == ApplicationState.STOP_LISTED
    until = scene.application.stops.get().until
    assert deadlines.settle_what_ran_out(now=until - MICROSECOND) == 0
    assert deadlines.settle_what_ran_out(now=until) == 1
    assert state_of(scene.application) == ApplicationState.WAITING


def test_one_broken_object_holds_up_no_other(scene, referral, monkeypatch):
    other = referral_of(
        scene, ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
    )
    settle = settling.settle

    def break_for_the_first(item, *, now):
        if item == scene.application:
            raise RuntimeError("broken row")
        return settle(item, now=now)

    monkeypatch.setattr(deadlines, "settle", break_for_the_first)
    assert deadlines.settle_what_ran_out(now=referral.valid_until) == 1
    assert Referral.objects.get(pk=other.pk).state == ReferralState.EXPIRED
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.ISSUED


def test_one_reminder_on_the_last_day_and_one_more_after_an_extension(scene, referral):
    assert telling.remind_deadlines(now=referral.valid_until - timedelta(days=1, microseconds=1)) == 0
    for _ in range(3):
        telling.remind_deadlines(now=referral.valid_until - timedelta(hours=20))
    assert Notice.objects.filter(kind="referral_reminder").count() == 1
    extension = extending.extend_referral(
        referral,
        actor=scene.parent,
        until=extending.longest_extension(referral),
        reason="illness",
        documents=[("a.pdf", ContentFile(b"%PDF", name="a.pdf"))],
        now=scene.now,
    )
    telling.remind_deadlines(now=extension.referral.valid_until - timedelta(hours=20))
    reminders = Notice.objects.filter(kind="referral_reminder").order_by("created_at")
    offers = ["можно один раз продлить" in reminder.text_ru for reminder in reminders]
    assert offers == [True, False], "the second one must not offer what the portal would refuse"


def test_the_paper_is_made_once_for_a_valid_referral(scene, referral):
    assert papers.render_missing() == 1
    referral.refresh_from_db()
    with referral.pdf.open() as paper:
        assert paper.read().startswith(b"%PDF-")
    assert papers.render_missing() == 0


def test_a_paper_that_an_extension_outran_is_not_kept(scene, referral):
    stale = Referral.objects.get(pk=referral.pk)
    Referral.objects.filter(pk=referral.pk).update(valid_until=referral.valid_until + timedelta(days=30))
    papers.store_pdf(stale)
    referral.refresh_from_db()
    assert not referral.pdf
