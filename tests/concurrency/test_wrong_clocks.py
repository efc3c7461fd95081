"""Two machines, one an hour fast and one an hour slow: nothing ends early, and nothing lives longer than its deadline.

Each runs every sweep and shows and takes pages in a process of its own. The clock of the database stands still at the
last microsecond before a deadline, or at the deadline.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from accounts.data import exporting
from accounts.models import DataExport, Session, SmsCode, User
from accounts.numbers import moves
from accounts.sessions import IDLE
from applications.bidding.award import award_collected
from applications.bidding.ending import withdraw_bid
from applications.bidding.offers import offer_to_the_next
from applications.files import making
from applications.models import Application, Benefit, Bid, MadeFile, Offer, Referral
from applications.referrals import ending, issuing
from applications.states import ApplicationState, BenefitState, OfferState, ReferralState
from applications.waiting import confirming, filing
from balabaqsha.celery import app
from bulletin.models import Holiday, Vacancy
from bulletin.official_days import YEARS_AHEAD
from notifications.models import Mail, Message, Notice, PushMessage, TelegramMessage
from tests.accounts.walk import PHONE, newest_code
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.concurrency.machine import Machine
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ComplaintFactory,
    UserFactory,
    VacancyFactory,
    reckon_all,
)
from tests.staff import inside, official_of, worker_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
# A page that only shows goes by an estimate, which counts on while the clock of these tests stands still.
SECONDS = timedelta(seconds=30)


@pytest.fixture(scope="module")
def machines(django_db_setup):
    """One that is an hour fast and one that is an hour slow."""
    database = connection.settings_dict["NAME"]
    with Machine(database, ahead=HOUR) as fast, Machine(database, ahead=-HOUR) as slow:
        yield fast, slow


@pytest.fixture
def fast(machines, database_clock):
    return machines[0]


@pytest.fixture
def slow(machines, database_clock):
    return machines[1]


STOPPED = """
CREATE SCHEMA stopped;
CREATE TABLE stopped.clock (at timestamptz);
INSERT INTO stopped.clock VALUES (now());
CREATE FUNCTION stopped.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS 'SELECT at FROM stopped.clock';
"""


@pytest.fixture
def database_clock(transactional_db):
    """Stop the clock of the database for the machines; call it to move it."""
    with connection.cursor() as cursor:
        cursor.execute(STOPPED)

    def move(to):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE stopped.clock SET at = %s", [to])
        return to

    yield move
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA stopped CASCADE")


class Case(NamedTuple):
    """Something that a sweep does at an instant, and not before."""

    due: datetime
    is_done: Callable[[], bool]


def referral_of(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    return issuing.activate_bid(bid, actor=scene.staff, now=NOW)


def application_is(state):
    return lambda: Application.objects.get().state == state


def told(kind):
    return lambda: Notice.objects.filter(kind=kind).exists()


def expired_referral(scene):
    due = referral_of(scene).valid_until
    return Case(due, application_is(ApplicationState.STOP_LISTED))


def reminded_of_the_last_day(scene):
    referral_of(scene)
    # Friday morning, with three working days left.
    return Case(NOW.replace(day=28, hour=9, minute=0), told("referral_reminder"))


def reminded_kindergarten(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    worker_of(scene.group.kindergarten)
    return Case(bid.placed_at + (bid.answer_due - bid.placed_at) / 2, told("staff_half_time"))


def escalated_bid(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    official_of(scene.locality)
    assert bid.answer_due is not None
    return Case(bid.answer_due, told("staff_late_answers"))


def late_complaint(scene):
    complaint = ComplaintFactory(locality=scene.locality, sent_at=NOW)
    return Case(complaint.due_at, told("complaint_late"))


def listed_bid(scene):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    worker_of(scene.group.kindergarten)
    return Case(NOW.replace(day=27, hour=settings.STAFF_DIGEST_HOUR, minute=0), told("staff_new_bids"))


def lifted_stop(scene):
    referral = referral_of(scene)
    ending.expire_referral(referral, now=referral.valid_until)
    due = scene.application.stops.get().until
    return Case(due, application_is(ApplicationState.WAITING))


def expired_benefit(scene):
    due = NOW + timedelta(days=3)
    BenefitFactory(
        application=scene.application,
        state=BenefitState.VERIFIED,
        decided_at=NOW,
        decided_by=scene.staff,
        valid_until=due,
    )
    return Case(due, lambda: Benefit.objects.get().state == BenefitState.EXPIRED)


def unanswered_offer(scene):
    """Given back after the award; the only bidder who is left does not answer."""
    closes = NOW + timedelta(hours=1)
    vacancy = VacancyFactory(
        group=scene.group,
        birth_years=[2017],
        seats_total=1,
        mode=Vacancy.Mode.QUEUE_ORDER,
        opens_at=NOW,
        closes_at=closes,
    )
    winner = ApplicationFactory(
        locality=scene.locality,
        child__birth_date=scene.application.child.birth_date,
        languages=["ru"],
        filed_at=scene.application.filed_at - timedelta(days=1),
    )
    for application in (winner, scene.application):
        place_bid(application, vacancy, actor=application.filed_by, now=NOW)
    award_collected(vacancy, now=closes)
    withdraw_bid(Bid.objects.get(application=winner), actor=winner.filed_by, now=closes)
    offer_to_the_next(Offer.objects.get(), now=closes)
    due = Offer.objects.get().until
    assert due is not None
    return Case(due, lambda: Offer.objects.filter(state=OfferState.UNANSWERED).exists())


def awarded_place(scene):
    due = NOW + timedelta(days=1)
    vacancy = VacancyFactory(
        group=scene.group, birth_years=[2017], mode=Vacancy.Mode.QUEUE_ORDER, opens_at=NOW, closes_at=due
    )
    place_bid(scene.application, vacancy, actor=scene.parent, now=NOW)
    return Case(due, lambda: Bid.objects.get().holds_seat)


def asked_for_interest(scene):
    Application.objects.update(interest_confirmed_at=NOW - timedelta(days=20))
    return Case(at_midnight(2019, 8, 2), told("interest_reminder"))


def lapsed_interest(scene):
    Application.objects.update(interest_confirmed_at=NOW - timedelta(days=20))
    reckon_all()
    lapsed = application_is(ApplicationState.LAPSED)
    return Case(at_midnight(2019, 10, 2), lapsed)


def ended_grace(scene):
    lapsed_interest(scene)
    scene.application.refresh_from_db()
    confirming.lapse(scene.application, now=at_midnight(2019, 10, 2))
    archived = application_is(ApplicationState.ARCHIVED)
    return Case(at_midnight(2019, 12, 31), archived)


def oldest(scene):
    Application.objects.update(birth_year=2012, interest_confirmed_at=datetime(2019, 9, 1, tzinfo=ZONE))


def told_of_school_age(scene):
    oldest(scene)
    return Case(at_midnight(2019, 12, 1), told("aging_out"))


def closed_by_school_age(scene):
    oldest(scene)
    reckon_all()
    archived = application_is(ApplicationState.ARCHIVED)
    return Case(at_midnight(2020, 1, 1), archived)


def delivered_message(scene):
    message = message_of(scene, next_attempt_at=NOW + HOUR, give_up_at=NOW + 10 * HOUR)
    return Case(message.next_attempt_at, message_is("sent"))


def given_up_message(scene):
    """Tried until its last moment: at the deadline it is given up, and not sent."""
    due = NOW + HOUR
    message_of(scene, next_attempt_at=due, give_up_at=due)
    return Case(due, message_is("failed"))


def asked_message(scene):
    """Nobody can be asked about it here, so it is asked about no more."""
    due = NOW + HOUR
    message_of(scene, state="sent", ask_at=due, next_attempt_at=NOW, give_up_at=due)
    return Case(due, lambda: Message.objects.get().ask_at is None)


def given_up_mail(scene):
    due = NOW + HOUR
    Mail.objects.create(
        address="a@mail.kz",
        kind="stop_lifted",
        language="kk",
        text="x",
        dedupe_key="mail",
        created_at=NOW,
        next_attempt_at=due,
        give_up_at=due,
    )
    return Case(due, lambda: Mail.objects.get().state == "failed")


def given_up_telegram(scene):
    due = NOW + HOUR
    TelegramMessage.objects.create(
        chat="42",
        kind="stop_lifted",
        language="kk",
        text="x",
        dedupe_key="telegram",
        created_at=NOW,
        next_attempt_at=due,
        give_up_at=due,
    )
    return Case(due, lambda: TelegramMessage.objects.get().state == "failed")


def given_up_push(scene):
    due = NOW + HOUR
    PushMessage.objects.create(
        kind="stop_lifted",
        language="kk",
        text="x",
        dedupe_key="push",
        created_at=NOW,
        next_attempt_at=due,
        give_up_at=due,
    )
    return Case(due, lambda: PushMessage.objects.get().state == "failed")


def pruned_code(scene):
    code = SmsCode.objects.create(
        phone=PHONE,
        purpose=SmsCode.Purpose.RESET,
        code_hash="hash",
        session_hash="hash",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )
    due = code.expires_at + timedelta(days=1) + MICROSECOND
    return Case(due, lambda: not SmsCode.objects.exists())


def moved_number(scene):
    """Without a code to the former number it waits, and is then done."""
    new, parent = "+77017770001", scene.parent
    move = moves.ask(
        parent,
        kind=moves.Kind.CHANGE,
        proof=moves.Proof.NEW_NUMBER,
        new_phone=new,
        asked_by=parent,
        address=None,
        now=NOW,
    )
    assert move.due_at is not None
    return Case(move.due_at, lambda: User.objects.filter(phone=new).exists())


def purged_text(scene):
    message_of(scene, next_attempt_at=NOW, give_up_at=NOW, state="sent", created_at=NOW)
    due = NOW + timedelta(days=30) + MICROSECOND
    return Case(due, lambda: Message.objects.filter(text="").exists())


def deleted_copy(scene):
    copies = DataExport.objects.filter(
        pk=DataExport.objects.create(user=scene.parent, asked_at=NOW, ready_at=NOW, state="ready").pk
    )
    return Case(NOW + exporting.KEPT_FOR, lambda: not copies.all().exists())


def deleted_file(scene):
    files = MadeFile.objects.filter(
        pk=MadeFile.objects.create(
            user=scene.staff, what="report:queue", language="kk", asked_at=NOW, ready_at=NOW, state="ready"
        ).pk
    )
    return Case(NOW + making.KEPT_FOR, lambda: not files.all().exists())


def longer_calendar(scene):
    added = Holiday.objects.filter(date__year=2020 + YEARS_AHEAD)
    return Case(at_midnight(2020, 1, 1), lambda: added.all().exists())


def at_midnight(year, month, day):
    return datetime(year, month, day, tzinfo=ZONE)


def message_of(scene, **fields):
    return Message.objects.create(
        recipient=scene.parent,
        phone=scene.parent.phone,
        kind="bid_placed",
        language="kk",
        text="…",
        dedupe_key="key",
        **{"created_at": NOW} | fields,
    )


def message_is(state):
    return lambda: Message.objects.get().state == state


CASES = {
    "applications.tasks.settle_what_ran_out": [
        expired_referral,
        lifted_stop,
        expired_benefit,
        lapsed_interest,
        ended_grace,
        closed_by_school_age,
    ],
    "applications.tasks.remind_deadlines": [reminded_of_the_last_day],
    "applications.tasks.tell_employees": [reminded_kindergarten, escalated_bid, listed_bid],
    "applications.tasks.tell_of_late_complaints": [late_complaint],
    "applications.tasks.award_collected_bids": [awarded_place],
    "applications.tasks.pass_on_offers": [unanswered_offer],
    "applications.tasks.remind_interest": [asked_for_interest],
    "applications.tasks.remind_aging": [told_of_school_age],
    "notifications.tasks.deliver_due_messages": [delivered_message, given_up_message],
    "notifications.tasks.ask_for_reports": [asked_message],
    "accounts.tasks.make_exports": [deleted_copy],
    "applications.tasks.make_files": [deleted_file],
    "accounts.tasks.move_numbers": [moved_number],
    "notifications.tasks.deliver_due_mails": [given_up_mail],
    "notifications.tasks.deliver_due_pushes": [given_up_push],
    "notifications.tasks.deliver_due_telegrams": [given_up_telegram],
    "accounts.tasks.prune_sms_codes": [pruned_code],
    "balabaqsha.tasks.purge_personal_data": [purged_text],
    "bulletin.tasks.extend_calendar": [longer_calendar],
}
# What these do depends on no instant of the database.
TIMELESS = {
    "accounts.tasks.read_telegram",  # by what people wrote to the bot; the cache ends a link
    "accounts.tasks.sweep_files",  # by the clock of the disk
    "applications.tasks.check_invariants",
    "applications.tasks.finish_closings",  # by what was decided
    "applications.tasks.fold_buckets",
    "applications.tasks.lengthen_referrals",  # by the calendar
    "applications.tasks.propose_registry_years",  # by what the registry said
    "applications.tasks.render_missing_referrals",
    "applications.tasks.repair_buckets",
    "applications.tasks.settle_disputes",  # by what the registries answer
    "balabaqsha.tasks.watch_itself",  # by what is late, which tests/balabaqsha/test_status.py looks at
    "applications.tasks.tell_moved_openings",  # at once, up to the new opening
    "applications.tasks.tell_of_places",  # what has been published
    "applications.tasks.tell_placed_bids",
    "children.tasks.recheck_guardianships",  # by what the registry says
}


def test_control_by_its_own_clock_the_fast_machine_ends_a_referral_early(scene, fast, database_clock):
    case = expired_referral(scene)
    now = database_clock(case.due - HOUR / 2)
    fast.run("applications.tasks.settle_what_ran_out", at=now)
    assert not case.is_done()
    fast.run("applications.tasks.settle_what_ran_out", at=now, own_clock=True)
    assert case.is_done()


@pytest.mark.parametrize(
    ("task", "case_of"), [(task, case_of) for task, cases in CASES.items() for case_of in cases]
)
def test_a_sweep_does_it_at_that_very_instant(scene, fast, slow, database_clock, task, case_of):
    case = case_of(scene)
    fast.run(task, at=database_clock(case.due - MICROSECOND))
    assert not case.is_done()
    slow.run(task, at=database_clock(case.due))
    assert case.is_done()


def test_every_sweep_of_the_schedule_is_tried():
    assert CASES.keys() | TIMELESS == {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_a_page_ends_a_referral_when_it_is_over(scene, fast, slow, database_clock, client_of):
    referral = referral_of(scene)
    session = client_of(scene.parent).cookies[settings.SESSION_COOKIE_NAME].value
    now = database_clock(referral.valid_until - SECONDS)
    assert fast.get(scene.application.get_absolute_url(), session=session, at=now)["status"] == 200
    assert Referral.objects.get().state == ReferralState.ISSUED
    now = database_clock(referral.valid_until)
    assert slow.get(scene.application.get_absolute_url(), session=session, at=now)["status"] == 200
    assert Referral.objects.get().state == ReferralState.EXPIRED


def test_what_was_archived_comes_back_until_the_last_microsecond(
    scene, fast, slow, database_clock, client_of
):
    session = client_of(scene.parent).cookies[settings.SESSION_COOKIE_NAME].value
    filing.archive(scene.application, actor=scene.parent, now=NOW)
    scene.application.refresh_from_db()
    until = filing.archive_undo_until(scene.application, by=scene.parent, now=NOW)
    restore = reverse("applications:restore", args=[scene.application.pk])
    slow.post(restore, session=session, at=database_clock(until))
    assert Application.objects.get().state == ApplicationState.ARCHIVED
    fast.post(restore, session=session, at=database_clock(until - MICROSECOND))
    assert Application.objects.get().state == ApplicationState.WAITING


def test_a_contract_is_signed_while_the_referral_is_valid(scene, fast, slow, database_clock):
    referral = referral_of(scene)
    session = inside(worker_of(scene.group.kindergarten)).cookies[settings.SESSION_COOKIE_NAME].value
    sign = reverse("admin:applications_referral_work", args=[referral.pk, "sign"])
    contract = {"contract_number": "17"}
    slow.post(sign, contract, session=session, at=database_clock(referral.valid_until))
    assert Referral.objects.get().state != ReferralState.SIGNED
    fast.post(sign, contract, session=session, at=database_clock(referral.valid_until - SECONDS))
    assert Referral.objects.get().state == ReferralState.SIGNED


def test_a_session_ends_by_the_database(fast, slow, database_clock, client_of):
    parent = UserFactory.create()
    session = client_of(parent).cookies[settings.SESSION_COOKIE_NAME].value
    ends = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    Session.objects.update(expire_date=ends)
    cabinet = reverse("applications:cabinet")
    answers = [
        machine.get(cabinet, session=session, at=database_clock(at))["status"]
        for machine, at in ((fast, ends - MICROSECOND), (slow, ends))
    ]
    assert answers == [200, 302]


@pytest.mark.parametrize("place", [0, 1])
def test_a_session_lasts_as_long_whoever_began_it(machines, database_clock, place):
    parent = UserFactory.create()
    now = database_clock(datetime(2026, 9, 1, 9, 0, tzinfo=UTC))
    signed_in = {"phone": str(parent.phone), "password": "parent-pass-1"}
    assert machines[place].post(reverse("accounts:login"), signed_in, at=now)["status"] == 302
    lasts = Session.objects.get().expire_date - now
    assert timedelta(0) <= lasts - IDLE < SECONDS


@pytest.mark.parametrize("asked_of", [0, 1])
def test_a_code_lives_ten_minutes_whoever_sent_and_whoever_judges_it(machines, database_clock, asked_of):
    sent = database_clock(datetime(2026, 9, 1, 9, 0, tzinfo=UTC))
    asked = machines[asked_of].post("/register/", {"phone": PHONE, "consent": "on"}, at=sent)
    ends = SmsCode.objects.get().expires_at
    assert ends == sent + timedelta(minutes=10)
    code, session = {"code": newest_code()}, asked["session"]
    fast, slow = machines
    at_the_end = slow.post("/register/code/", code, session=session, at=database_clock(ends))
    assert at_the_end["status"] == 200
    before = fast.post("/register/code/", code, session=session, at=database_clock(ends - MICROSECOND))
    assert before["location"] == "/register/password/"


def test_an_idle_employee_is_signed_out_by_the_database(scene, fast, slow, database_clock):
    session = inside(worker_of(scene.group.kindergarten)).cookies[settings.SESSION_COOKIE_NAME].value
    workplace = reverse("admin:index")
    start = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    Session.objects.update(expire_date=start + timedelta(days=1))
    assert slow.get(workplace, session=session, at=database_clock(start))["status"] == 200
    idle = start + timedelta(minutes=settings.STAFF_IDLE_MINUTES)
    answers = [
        machine.get(workplace, session=session, at=database_clock(at))["status"]
        for machine, at in ((fast, idle - MICROSECOND), (slow, idle - MICROSECOND + timedelta(minutes=30)))
    ]
    assert answers == [200, 302]


def test_limits_are_counted_by_the_database(scene, fast, slow, database_clock):
    """Ten misses of a number in an hour, wherever made; until the first is an hour old, the birth date is asked for."""
    check = reverse("applications:queue_check")
    asked = {"number": scene.application.number, "digits": "0000"}
    now = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)

    def asks_more(machine, at):
        return 'name="born"' in machine.post(check, asked, at=database_clock(at))["page"]

    assert [asks_more((fast, slow)[turn % 2], now) for turn in range(10)] == [False] * 10
    assert [asks_more(one, now + HOUR - MICROSECOND) for one in (fast, slow)] == [True, True]
    assert not asks_more(slow, now + HOUR)
