"""What time does by itself: once, in time, and whatever else goes wrong."""

from datetime import date, datetime, timedelta

import pytest
from django.core.files.base import ContentFile

from applications.access import settling
from applications.bidding import award
from applications.jobs import deadlines, papers, telling
from applications.models import Bid, Offer, Referral, Rules
from applications.referrals import extending, issuing
from applications.states import ApplicationState, BidState, OfferState, ReferralState
from bulletin.models import Holiday
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
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


def at(day: tuple[int, int], hour: int = 9) -> datetime:
    """An hour of a local day; the referral's last one is Wednesday, 3 July 2019."""
    return datetime(2019, day[0], day[1], hour, tzinfo=ZONE)


class TestReminders:
    def remind(self, *instants):
        for now in instants:
            telling.remind_deadlines(now=now)
        return [notice.created_at for notice in Notice.objects.filter(kind=self.kind).order_by("created_at")]

    kind = "referral_reminder"

    def test_three_one_and_no_working_days_before_at_nine(self, referral):
        """Monday holds two days more, Tuesday one; the weekend between them holds three as Friday does."""
        hours = [at((6, day), hour) for day in (27, 28, 29, 30) for hour in range(24)]
        hours += [at((7, day), hour) for day in (1, 2, 3) for hour in range(24)]
        assert self.remind(*hours) == [at((6, 28)), at((7, 2)), at((7, 3))]

    def test_not_a_microsecond_before_nine_by_the_clocks_of_the_place(self, referral):
        assert self.remind(at((6, 28)) - MICROSECOND) == []
        assert self.remind(at((6, 28))) == [at((6, 28))]
        message = Message.objects.get(kind=self.kind)
        assert message.next_attempt_at == at((6, 28))

    def test_each_once_in_whatever_order_they_run(self, referral):
        assert self.remind(at((7, 3)), at((7, 2)), at((7, 3), 10), at((7, 2), 10)) == [at((7, 2)), at((7, 3))]

    def test_one_that_was_missed_comes_in_the_days_off_after_it(self, referral):
        assert self.remind(at((6, 30), 11)) == [at((6, 30), 11)]

    def test_on_the_last_evening_it_does_not_wait_for_the_morning_after(self, referral):
        self.remind(at((7, 3), 21))
        message = Message.objects.get(kind=self.kind)
        assert (message.next_attempt_at, message.give_up_at) == (at((7, 3), 21), referral.valid_until)

    def test_not_on_the_day_of_issue(self, referral):
        Referral.objects.update(issued_at=at((6, 28), 8))
        assert self.remind(at((6, 28), 10)) == []

    def test_who_has_extended_is_never_offered_an_extension(self, scene, referral):
        self.remind(at((6, 28)))
        extending.extend_referral(
            referral,
            actor=scene.parent,
            until=extending.longest_extension(referral),
            reason="illness",
            documents=[("a.pdf", ContentFile(b"%PDF", name="a.pdf"))],
            now=at((7, 1)),
        )
        last_day = extending.last_day_of(Referral.objects.get())
        self.remind(at((7, 2)), at((7, 3)), at((last_day.month, last_day.day)))
        reminders = Notice.objects.filter(kind=self.kind).order_by("created_at")
        offers = ["можно один раз продлить" in reminder.text_ru for reminder in reminders]
        assert offers == [True, False]

    def test_nor_who_can_not_extend(self, referral):
        """One day more, and that is a day off."""
        Rules.objects.create(valid_from=date(2019, 1, 1), extension_calendar_days=1)
        Holiday.objects.create(date=date(2019, 7, 4), name_kk="Мереке", name_ru="Праздник")
        self.remind(at((6, 28)))
        assert "продл" not in Notice.objects.get(kind=self.kind).text_ru

    def test_nobody_is_reminded_of_what_has_ended_meanwhile(self, referral, monkeypatch):
        lock = telling.lock_application

        def sign_first(pk):
            Referral.objects.update(state=ReferralState.SIGNED)
            return lock(pk)

        monkeypatch.setattr(telling, "lock_application", sign_first)
        assert self.remind(at((6, 28))) == []

    def test_without_a_calendar_every_day_counts(self, referral):
        Holiday.objects.all().delete()
        assert self.remind(at((6, 30)), at((7, 1)), at((7, 2))) == [at((6, 30)), at((7, 2))]


class TestReminderOfAnOffer:
    @pytest.fixture
    def offer(self, scene):
        return Offer.objects.create(
            vacancy=scene.vacancy,
            application=scene.application,
            state=OfferState.OFFERED,
            freed_at=scene.now,
            made_at=scene.now,
            until=at((6, 29), 0),
        )

    def test_on_the_morning_of_the_last_day_once(self, offer):
        for now in (at((6, 27)), at((6, 28)) - MICROSECOND, at((6, 28)), at((6, 28), 12)):
            telling.remind_deadlines(now=now)
        notice = Notice.objects.get(kind="offer_reminder")
        assert notice.created_at == at((6, 28))
        assert "28.06.2019" in notice.text_kk
        assert Message.objects.get(kind="offer_reminder").give_up_at == offer.until

    @pytest.mark.parametrize("change", [{"held_since": NOW}, {"state": OfferState.DECLINED, "ended_at": NOW}])
    def test_not_of_one_that_stands_still_or_is_answered(self, offer, change):
        Offer.objects.update(**change)
        telling.remind_deadlines(now=at((6, 28)))
        assert not Notice.objects.filter(kind="offer_reminder").exists()


class TestSilence:
    @pytest.fixture
    def bid(self, scene):
        return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)

    def told(self):
        return Notice.objects.filter(kind="answer_late").count()

    def test_told_once_as_soon_as_the_time_is_over_and_by_sms_in_the_morning(self, bid):
        telling.tell_placed_bids(now=bid.answer_due - MICROSECOND)
        assert self.told() == 0
        for _ in range(2):
            telling.tell_placed_bids(now=bid.answer_due)
        assert self.told() == 1
        # The time ends at midnight.
        morning = bid.answer_due + timedelta(hours=9)
        assert Message.objects.get(kind="answer_late").next_attempt_at == morning

    def test_an_answer_that_is_owed_anew_may_be_late_again(self, scene, bid):
        telling.tell_placed_bids(now=bid.answer_due)
        bid.refresh_from_db()
        award.hold_seat(bid, scene.vacancy, now=bid.answer_due)
        bid.save()
        telling.tell_placed_bids(now=bid.answer_due)
        assert self.told() == 2

    def test_not_where_the_kindergarten_has_answered(self, scene, bid):
        issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        telling.tell_placed_bids(now=bid.answer_due)
        assert self.told() == 0

    def test_an_answer_in_the_same_moment_wins(self, bid, monkeypatch):
        lock = telling.lock_application

        def answer_first(pk):
            Bid.objects.filter(told_at__isnull=False).update(
                state=BidState.REJECTED, decided_at=bid.answer_due
            )
            return lock(pk)

        telling.tell_placed_bids(now=bid.placed_at)
        monkeypatch.setattr(telling, "lock_application", answer_first)
        telling.tell_placed_bids(now=bid.answer_due)
        assert self.told() == 0


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
