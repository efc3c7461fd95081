"""A day off that is announced late: no family loses a working day, and nothing else moves."""

from datetime import date, datetime, timedelta
from importlib import import_module

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.urls import reverse

from accounts.roles import Role
from applications.access.settling import settle
from applications.admin.day_preview import EXAMPLES
from applications.jobs.deadlines import lengthen_referrals
from applications.jobs.invariants import differences
from applications.journal_actions import Action
from applications.models import Application, Bid, Offer, Referral, StopListEntry
from applications.moves import write_event
from applications.referrals import days_off, ending, extending, issuing, standstill
from applications.referrals.due import last_day_of
from applications.states import ApplicationState, Move, OfferState, ReferralState
from bulletin.models import Holiday
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, GuardianshipFactory, ReferralFactory
from tests.staff import carried, employee, inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
# Five working days after Wednesday 26 June.
LAST_DAY = date(2019, 7, 3)
ADD = "/admin/bulletin/holiday/add/"


@pytest.fixture
def referral(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def off(*days, kind=Holiday.Kind.DAY_OFF):
    for day in days:
        Holiday.objects.update_or_create(
            date=day, defaults={"kind": kind, "name_kk": "Құрбан айт", "name_ru": "Курбан-айт"}
        )


def last_day() -> date:
    return last_day_of(Referral.objects.get())


def extend(scene, referral, until):
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=until,
        reason="illness",
        documents=[("a.pdf", ContentFile(b"%PDF", name="a.pdf"))],
        now=scene.now,
    )


@pytest.mark.parametrize(
    ("days", "becomes"),
    [
        ([date(2019, 6, 26)], LAST_DAY),  # the day of issue is not counted
        ([date(2019, 6, 27)], date(2019, 7, 4)),
        ([date(2019, 6, 29)], LAST_DAY),  # a Saturday
        ([date(2019, 7, 3)], date(2019, 7, 4)),  # the last day itself
        ([date(2019, 7, 4)], LAST_DAY),  # the day after it
        ([date(2019, 7, 3), date(2019, 7, 4)], date(2019, 7, 5)),
        ([date(2019, 7, 1), date(2019, 7, 2), date(2019, 7, 3)], date(2019, 7, 9)),  # 8 July is off
    ],
)
def test_a_family_gets_its_working_days(scene, referral, days, becomes):
    off(*days)
    assert lengthen_referrals(now=scene.now) == (becomes != LAST_DAY)
    assert last_day() == becomes
    assert lengthen_referrals(now=scene.now) == 0
    assert last_day() == becomes


def test_it_holds_to_the_last_microsecond_of_the_new_day(scene, referral):
    off(date(2019, 6, 28))
    lengthen_referrals(now=scene.now)
    end = datetime(2019, 7, 5, tzinfo=ZONE)
    lengthened = Referral.objects.get()
    assert lengthened.is_valid(now=end - MICROSECOND)
    assert not lengthened.is_valid(now=end)


def test_one_day_after_another(scene, referral):
    for day, becomes in ((28, date(2019, 7, 4)), (27, date(2019, 7, 5))):
        off(date(2019, 6, day))
        lengthen_referrals(now=scene.now)
        assert last_day() == becomes


@pytest.mark.parametrize(
    "change",
    [
        lambda: off(date(2019, 6, 29), kind=Holiday.Kind.WORKING_DAY),
        lambda: Holiday.objects.all().delete(),
        # A transfer takes a day and gives another one: still five.
        lambda: (off(date(2019, 6, 28)), off(date(2019, 6, 29), kind=Holiday.Kind.WORKING_DAY)),
    ],
)
def test_nothing_is_shortened(scene, referral, change):
    change()
    lengthen_referrals(now=scene.now)
    assert last_day() == LAST_DAY


def test_a_day_that_becomes_a_working_day_shortens_nothing(scene):
    """From 3 July five working days lead over the 8th, which then turns out to be none off."""
    now = datetime(2019, 7, 3, 12, tzinfo=ZONE)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=now)
    issuing.activate_bid(bid, actor=scene.staff, now=now)
    off(date(2019, 7, 8), kind=Holiday.Kind.WORKING_DAY)
    lengthen_referrals(now=now)
    assert last_day() == date(2019, 7, 11)


def test_one_that_the_calendar_does_not_reach_holds_up_no_other(scene, referral):
    other = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
    bid = place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now)
    far = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    Referral.objects.filter(pk=far.pk).update(
        issued_at=datetime(2020, 12, 28, tzinfo=ZONE), valid_until=datetime(2020, 12, 31, tzinfo=ZONE)
    )
    off(date(2019, 6, 28))
    assert lengthen_referrals(now=scene.now) == 1
    referral.refresh_from_db()
    assert last_day_of(referral) == date(2019, 7, 4)


def test_one_that_was_signed_while_the_job_was_on_its_way_stays_as_it_is(scene, referral):
    off(date(2019, 6, 28))
    ending.sign_contract(referral, actor=scene.staff, now=scene.now)
    assert not days_off.lengthen_referral(referral, now=scene.now)
    assert not Notice.objects.filter(kind="referral_lengthened").exists()


class TestTelling:
    def test_every_guardian_is_told_once_with_an_event_and_an_entry(self, scene, referral):
        other = GuardianshipFactory(child=scene.application.child).user
        off(date(2019, 6, 28))
        for _run in range(2):
            lengthen_referrals(now=scene.now)
        for guardian in (scene.parent, other):
            notice = Notice.objects.get(recipient=guardian, kind="referral_lengthened")
            assert "04.07.2019" in notice.text_kk
            assert "04.07.2019" in notice.text_ru
            assert "04.07.2019" in Message.objects.get(recipient=guardian, kind="referral_lengthened").text
            entry = guardian.journal.get(action=Action.REFERRAL_LENGTHENED)
            assert entry.reason == "03.07.2019 → 04.07.2019"
        event = scene.application.events.get(move=Move.LENGTHEN_REFERRAL)
        assert (event.actor, event.to_state) == (None, ApplicationState.REFERRED)

    def test_a_new_paper_is_made(self, scene, referral):
        referral.pdf.save("old.pdf", ContentFile(b"%PDF"))
        off(date(2019, 6, 28))
        lengthen_referrals(now=scene.now)
        assert not Referral.objects.get().pdf

    def test_whoever_loses_nothing_hears_nothing(self, scene, referral):
        off(date(2019, 7, 4))
        lengthen_referrals(now=scene.now)
        assert not Notice.objects.filter(kind="referral_lengthened").exists()


class TestExtended:
    """An extension counts calendar days; but its last day must be one on which somebody is there."""

    def test_it_moves_off_a_day_off(self, scene, referral):
        extend(scene, referral, date(2019, 8, 2))
        off(date(2019, 8, 2))
        assert lengthen_referrals(now=scene.now) == 1
        assert last_day() == date(2019, 8, 5)

    def test_days_off_before_it_change_nothing(self, scene, referral):
        extend(scene, referral, date(2019, 8, 2))
        off(date(2019, 6, 28), date(2019, 7, 10), date(2019, 8, 1))
        assert lengthen_referrals(now=scene.now) == 0
        assert last_day() == date(2019, 8, 2)


class TestStandingStill:
    @pytest.fixture
    def held(self, scene, referral):
        now = datetime(2019, 6, 27, 12, tzinfo=ZONE)
        standstill.hold_referral(scene.application, now=now)
        return Referral.objects.get()

    def resume(self, scene, *, at):
        standstill.resume_referral(Application.objects.get(), now=at)

    def test_a_day_off_meanwhile_is_given_back_with_the_rest(self, scene, held):
        off(date(2019, 7, 1))
        assert lengthen_referrals(now=held.held_since) == 1
        self.resume(scene, at=datetime(2019, 7, 1, 12, tzinfo=ZONE))
        # Held with four working days left.
        assert last_day() == date(2019, 7, 5)

    def test_without_a_calendar_the_days_are_counted_by_the_week_and_no_working_days_promised(
        self, scene, held
    ):
        Holiday.objects.all().delete()
        self.resume(scene, at=datetime(2019, 7, 1, 12, tzinfo=ZONE))
        assert last_day() == date(2019, 7, 7)
        assert Referral.objects.get().working_days is None

    def test_a_day_off_after_it_is_given_back_too(self, scene, held):
        self.resume(scene, at=datetime(2019, 7, 1, 12, tzinfo=ZONE))
        assert last_day() == date(2019, 7, 5)
        off(date(2019, 7, 4))
        assert lengthen_referrals(now=datetime(2019, 7, 2, tzinfo=ZONE)) == 1
        assert last_day() == date(2019, 7, 9)


class TestWhatIsOver:
    def sign(self, scene, referral):
        ending.sign_contract(referral, actor=scene.staff, now=scene.now)

    def revoke(self, scene, referral):
        ending.revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=scene.now)

    def expire(self, scene, referral):
        ending.expire_referral(referral, now=referral.valid_until)

    @pytest.mark.parametrize("end", [sign, revoke, expire])
    def test_a_referral_that_ended_is_left_alone(self, scene, referral, end):
        end(self, scene, referral)
        off(date(2019, 6, 28))
        assert lengthen_referrals(now=scene.now) == 0
        assert last_day() == LAST_DAY

    def test_a_stop_stays_as_promised(self, scene, referral):
        self.expire(scene, referral)
        until = StopListEntry.objects.get().until
        off(date(2019, 7, 10))
        lengthen_referrals(now=until - timedelta(days=1))
        assert StopListEntry.objects.get().until == until

    def test_so_does_the_time_to_answer(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        off(date(2019, 6, 27), date(2019, 6, 28))
        lengthen_referrals(now=scene.now)
        due = bid.answer_due
        bid.refresh_from_db()
        assert bid.answer_due == due == datetime(2019, 6, 29, tzinfo=ZONE)


class TestALateSweep:
    """The day was saved, and the referral would have ended before any worker came to it."""

    def test_the_last_day_is_lengthened_instead_of_ending(self, scene, referral):
        off(LAST_DAY)
        application = settle(Application.objects.get(), now=referral.valid_until)
        assert application.state == ApplicationState.REFERRED
        assert last_day() == date(2019, 7, 4)
        assert not StopListEntry.objects.exists()
        new_end = datetime(2019, 7, 5, tzinfo=ZONE)
        assert settle(application, now=new_end - MICROSECOND).state == ApplicationState.REFERRED
        assert settle(Application.objects.get(), now=new_end).state == ApplicationState.STOP_LISTED
        assert StopListEntry.objects.get().starts_at == new_end

    def test_after_the_new_day_too_it_ends_by_the_new_day(self, scene, referral):
        off(LAST_DAY)
        new_end = datetime(2019, 7, 5, tzinfo=ZONE)
        ending.expire_referral(referral, now=new_end)
        referral.refresh_from_db()
        assert (referral.state, referral.ended_at) == (ReferralState.EXPIRED, new_end)

    def test_without_a_day_off_it_ends(self, scene, referral):
        assert (
            settle(Application.objects.get(), now=referral.valid_until).state == ApplicationState.STOP_LISTED
        )


def test_where_the_calendar_ends_nothing_is_done(scene, referral):
    off(date(2019, 6, 28))
    Holiday.objects.filter(date=date(2019, 1, 1)).delete()
    Holiday.objects.filter(date=date(2020, 1, 1)).delete()
    assert lengthen_referrals(now=scene.now) == 0
    assert last_day() == LAST_DAY


def test_the_nightly_check_names_who_was_not_given_the_day(scene, clock):
    application = scene.application
    write_event(application, Move.FILE, before="", actor=scene.parent, now=application.filed_at)
    bid = place_bid(application, scene.vacancy, actor=scene.parent, now=scene.now)
    issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    off(date(2019, 6, 28))
    [named] = differences()
    assert named.endswith("ends on 2019-07-03, but was promised to last until 2019-07-04")
    lengthen_referrals(now=scene.now)
    assert list(differences()) == []


def test_referrals_from_before_are_counted_by_their_calendar(scene, referral):
    """As a new version counts them once, when it is installed."""
    count = import_module("applications.migrations.0013_days_promised").COUNT
    Referral.objects.update(working_days=None)
    with connection.cursor() as cursor:
        cursor.execute(count)
    assert Referral.objects.get().working_days == 5
    Referral.objects.update(
        working_days=None,
        issued_at=datetime(2019, 7, 3, 23, 59, 59, 999999, tzinfo=ZONE),
        valid_until=datetime(2019, 7, 12, tzinfo=ZONE),
    )
    with connection.cursor() as cursor:
        cursor.execute(count)
    assert Referral.objects.get().working_days == 5
    Referral.objects.update(working_days=None, state=ReferralState.EXPIRED, ended_at=scene.now)
    with connection.cursor() as cursor:
        cursor.execute(count)
    assert Referral.objects.get().working_days is None


class TestOfficial:
    """Before saving an official reads whom the day touches."""

    DATA = {
        "date": "28.06.2019",
        "kind": "off",
        "name_kk": "Құрбан айт",
        "name_ru": "Курбан-айт",
        "source": "ҚР ҮҚ",
    }

    @pytest.fixture
    def desk(self, clock):
        return inside(employee(Role.OFFICIAL))

    def counted(self, page):
        return [(len(one.moved), one.stay) for one in page.context["touched"]]

    def test_whom_it_touches_is_shown_and_nothing_is_done(self, desk, scene, referral):
        other = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
        bid = place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now)
        signed = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        ending.sign_contract(signed, actor=scene.staff, now=scene.now)
        asked = desk.post(ADD, self.DATA)
        (longer,) = asked.context["touched"][0].examples
        assert (longer.last_day, longer.becomes) == (date(2019, 7, 3), date(2019, 7, 4))
        page = asked.content.decode()
        assert "03.07.2019 → <strong>04.07.2019" in page
        assert referral.number in page
        assert signed.number not in page
        assert not Holiday.objects.filter(date=date(2019, 6, 28)).exists()

    def test_every_kind_of_deadline_is_counted(self, desk, scene, referral):
        """Those that move, and those that stay: by the day itself, one day before and one day after."""
        waits = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
        bid = place_bid(waits, scene.vacancy, actor=waits.filed_by, now=scene.now)
        ends = datetime(2019, 6, 29, tzinfo=ZONE)
        Bid.objects.filter(pk=bid.pk).update(answer_due=ends)
        StopListEntry.objects.create(
            application=ApplicationFactory(locality=scene.locality), referral=ReferralFactory(),
            starts_at=datetime(2019, 6, 28, 12, tzinfo=ZONE), until=datetime(2019, 7, 12, tzinfo=ZONE),
        )  # fmt: skip
        Offer.objects.create(
            vacancy=scene.vacancy, application=ApplicationFactory(locality=scene.locality),
            state=OfferState.OFFERED, freed_at=scene.now, made_at=scene.now, until=ends,
        )  # fmt: skip
        Referral.objects.exclude(pk=referral.pk).update(state=ReferralState.EXPIRED, ended_at=scene.now)
        assert self.counted(desk.post(ADD, self.DATA)) == [(1, 0), (0, 0), (0, 1), (0, 1), (0, 1)]
        for day, expected in (("27.06.2019", 1), ("01.07.2019", 0)):
            *_referrals, stops, offers, answers = self.counted(desk.post(ADD, self.DATA | {"date": day}))
            assert (offers, answers) == ((0, expected), (0, expected))
            assert stops == (0, 1 - expected)
        # An extension counts calendar days: it moves if its last day is no longer a working day.
        extend(scene, referral, until=date(2019, 7, 12))
        assert self.counted(desk.post(ADD, self.DATA | {"date": "12.07.2019"}))[:2] == [(0, 0), (1, 0)]
        assert self.counted(desk.post(ADD, self.DATA))[:2] == [(0, 0), (0, 1)]

    def test_what_another_day_lengthens_is_not_laid_on_this_one(self, desk, scene, referral):
        off(date(2019, 6, 27))
        asked = desk.post(ADD, self.DATA)
        assert self.counted(asked)[0] == (1, 0)
        assert asked.context["touched"][0].moved[0].becomes == date(2019, 7, 5)
        # A day beyond its last one lengthens nothing, though the referral will be lengthened to it.
        assert self.counted(desk.post(ADD, self.DATA | {"date": "10.07.2019"}))[0] == (0, 0)

    def test_the_earliest_are_named(self, desk, scene, referral):
        others = []
        for hours in range(EXAMPLES + 2):
            one = ApplicationFactory(locality=scene.locality, child__birth_date=date(2017, 1, 1))
            at = datetime(2019, 7, 3, hours + 1, tzinfo=ZONE)
            others.append(
                ReferralFactory(application=one, issued_at=scene.now, working_days=5, valid_until=at)
            )
        (plain, *_others) = desk.post(ADD, self.DATA).context["touched"]
        assert (len(plain.moved), len(plain.examples), plain.others) == (EXAMPLES + 3, EXAMPLES, 3)
        assert [longer.referral for longer in plain.examples] == others[:EXAMPLES]

    def test_a_day_off_that_falls_away_takes_nothing_from_anybody(self, desk, referral):
        off(date(2019, 6, 28))
        lengthen_referrals(now=referral.issued_at)
        day = Holiday.objects.get(date=date(2019, 6, 28))
        address = reverse("admin:bulletin_holiday_change", args=[day.pk])
        asked = desk.post(address, self.DATA | {"kind": "work"})
        assert self.counted(asked)[0] == (0, 1)
        assert " → " in asked.context["rows"][1]["value"]
        form = {**carried(desk.get(address)), **carried(asked)}
        assert desk.post(address, form).status_code == 302
        assert lengthen_referrals(now=referral.issued_at) == 0
        assert last_day() == date(2019, 7, 4)

    def test_what_was_read_is_what_happens_or_it_is_read_anew(self, desk, referral):
        """Another day is saved between the page and its button, or the button comes from nowhere."""
        asked = desk.post(ADD, self.DATA)
        off(date(2019, 6, 27))
        again = desk.post(ADD, carried(asked))
        assert again.status_code == 200
        assert again.context["is_again"]
        assert 'role="alert"' in again.content.decode()
        assert not Holiday.objects.filter(date=date(2019, 6, 28)).exists()
        assert desk.post(ADD, self.DATA | {"confirmed": "yes"}).status_code == 200
        # Everything typed is kept: pressed again, it is saved.
        assert desk.post(ADD, carried(again)).status_code == 302
        assert Holiday.objects.get(date=date(2019, 6, 28)).name_ru == "Курбан-айт"

    def test_saving_wakes_a_worker(self, desk, referral, monkeypatch):
        woken: list[str] = []
        monkeypatch.setattr("applications.admin.holidays.wake_on_commit", woken.append)
        desk.post(ADD, carried(desk.post(ADD, self.DATA | {"date": "10.07.2019"})))
        assert woken == []
        desk.post(ADD, carried(desk.post(ADD, self.DATA)))
        assert woken == ["applications.tasks.lengthen_referrals"]
        assert Holiday.objects.get(date=date(2019, 6, 28)).source == "ҚР ҮҚ"

    def test_a_working_day_made_a_day_off_again_counts_too(self, desk, referral):
        off(date(2019, 6, 28), kind=Holiday.Kind.WORKING_DAY)
        day = Holiday.objects.get(date=date(2019, 6, 28))
        address = reverse("admin:bulletin_holiday_change", args=[day.pk])
        assert self.counted(desk.post(address, self.DATA))[0] == (1, 0)

    def test_without_a_calendar_the_page_is_shown(self, desk, referral):
        Holiday.objects.all().delete()
        assert self.counted(desk.post(ADD, self.DATA))[0] == (0, 1)
