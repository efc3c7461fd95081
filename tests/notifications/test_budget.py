"""What SMS may cost: what goes out, what stays in the inbox, who is told to wait, who is alarmed."""

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts.sms_codes import send_code
from balabaqsha.health.report import is_well
from notifications import budget
from notifications.budget import BudgetSpent, Level, Usage, paid_today, usage_of
from notifications.delivery import Counts, deliver_due
from notifications.kinds import KINDS, Channel, PastBudget, sample_context
from notifications.models import Message, Notice
from notifications.notices import KINDS as IN_PLACE_OF_SEVERAL
from notifications.overview import costs
from notifications.services import can_send_again, enqueue, enqueue_to_phone, send_again
from notifications.traces import ways_of
from tests.accounts.walk import PHONE
from tests.factories import StaffFactory, UserFactory
from tests.notifications.gateways import OBEDIENT, TROUBLE, ObedientBackend
from tests.patience import PATIENCE
from tests.staff import give_app, inside

# 14:00 in Kazakhstan; its day began at 19:00 UTC of the day before.
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_by_itself")]


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.SMS_BACKEND = OBEDIENT
    settings.SMS_BUDGET_PER_DAY = 10
    ObedientBackend.reset()
    return ObedientBackend


@pytest.fixture
def parent():
    return UserFactory(phone=PHONE)


def notice(recipient, *, key, kind="stop_lifted", now=NOW):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key=str(key), now=now)


def notices(count, *, now=NOW):
    for key in range(count):
        notice(UserFactory(), key=key, now=now)


def sent_already(count, *, at=NOW, kind="stop_lifted", phone="+77010000000", state=Message.State.SENT):
    Message.objects.bulk_create(
        Message(
            phone=phone, kind=kind, language="kk", text="…", dedupe_key=f"{kind} {at} {state} {phone} {number}",
            state=state, sent_at=at if state == Message.State.SENT else None, created_at=at, next_attempt_at=at,
            give_up_at=at,
        )
        for number in range(count)
    )  # fmt: skip


def ask(phone=PHONE, *, address="10.0.0.1", session="mine", purpose="register", now=NOW):
    send_code(
        phone=phone, purpose=purpose, session=session, language="kk", address=address, device="", now=now
    )


class TestWholeDay:
    def test_notices_go_out_up_to_the_last_one_and_then_stay_in_the_inbox(self, gateway):
        notices(13)
        assert deliver_due(now=NOW) == Counts(sent=10, withheld=3)
        assert len(gateway.sent) == 10
        assert Notice.objects.count() == 13
        left = Message.objects.filter(state=Message.State.WITHHELD)
        assert {(message.error, message.attempts, bool(message.text)) for message in left} == {
            ("the day's budget is spent", 0, True)
        }

    def test_nothing_is_tried_again_by_itself_and_an_employee_may_send_it(self, gateway, settings):
        notices(11)
        deliver_due(now=NOW)
        assert deliver_due(now=NOW + timedelta(days=2)) == Counts()
        left = Message.objects.get(state=Message.State.WITHHELD)
        tomorrow = MIDNIGHT + timedelta(days=1, hours=9)
        assert send_again(left, now=tomorrow)
        assert deliver_due(now=tomorrow) == Counts(sent=1)

    def test_an_sms_that_is_sent_again_is_paid_for_again(self, gateway, settings, parent):
        settings.SMS_PRICES = {"obedient": Decimal("6.50")}
        notice(parent, key=1, kind="referral_issued")
        deliver_due(now=NOW)
        Message.objects.update(state=Message.State.UNDELIVERED)
        later = NOW + HOUR
        for sent in (2, 3):
            again = Message.objects.exclude(text="").get()
            assert send_again(again, now=later)
            # What waits was not taken by anybody yet.
            assert paid_today(now=later).count() == sent - 1
            deliver_due(now=later)
            assert len(gateway.sent) == paid_today(now=later).count() == sent
            month = costs(since=MIDNIGHT, until=later + HOUR)
            assert [(one.messages, one.cost) for one in month] == [(sent, sent * Decimal("6.50"))]
            later += HOUR
        # What the family reads of it is one message, and what was handed over before is not sent once more.
        assert [len(traces) for traces in ways_of(Notice.objects.all(), now=later).values()] == [1]
        assert not any(can_send_again(one) for one in Message.objects.filter(text=""))
        assert sorted(Message.objects.values_list("state", flat=True)) == ["sent", "sent", "undelivered"]

    def test_what_was_never_taken_leaves_nothing_when_it_is_sent_again(self, parent):
        notice(parent, key=1)
        Message.objects.update(state=Message.State.FAILED)
        assert send_again(Message.objects.get(), now=NOW)
        assert Message.objects.count() == 1

    @pytest.mark.parametrize("kind", ["reset_code", "sign_in_code"])
    def test_codes_of_accounts_go_on(self, kind):
        sent_already(10)
        enqueue_to_phone(
            PHONE, kind, context=sample_context(KINDS[kind]), language="kk", dedupe_key="k", now=NOW
        )
        assert deliver_due(now=NOW) == Counts(sent=1)

    @pytest.mark.parametrize("kind", ["password_changed", "guardian_added"])
    def test_so_do_warnings_that_an_account_may_be_in_danger(self, parent, kind):
        sent_already(10)
        notice(parent, key=1, kind=kind)
        assert deliver_due(now=NOW) == Counts(sent=1)

    @pytest.mark.parametrize(
        ("at", "counts"),
        [
            (MIDNIGHT - MICROSECOND, Counts(sent=1)),
            (MIDNIGHT, Counts(withheld=1)),
        ],
    )
    def test_the_day_begins_at_midnight_here(self, parent, at, counts):
        sent_already(10, at=at)
        notice(parent, key=1)
        assert deliver_due(now=NOW) == counts

    def test_what_did_not_go_out_costs_nothing(self, parent, gateway):
        sent_already(9)
        for state in (Message.State.FAILED, Message.State.WITHHELD):
            sent_already(20, state=state)
        notice(parent, key=1)
        gateway.reset(TROUBLE)
        assert deliver_due(now=NOW) == Counts(retried=1)
        assert deliver_due(now=NOW + HOUR) == Counts(sent=1)

    def test_what_another_worker_is_handing_over_counts(self, parent):
        sent_already(9)
        sent_already(1, state=Message.State.SENDING)
        notice(parent, key=1)
        # A delivery goes on with the time, so a microsecond would not do.
        assert deliver_due(now=NOW - HOUR) == Counts()
        Message.objects.filter(state=Message.State.SENDING).update(next_attempt_at=NOW + HOUR)
        assert deliver_due(now=NOW) == Counts(withheld=1)

    def test_a_budget_of_nothing(self, parent, settings):
        settings.SMS_BUDGET_PER_DAY = 0
        notice(parent, key=1)
        assert deliver_due(now=NOW) == Counts(withheld=1)

    def test_a_large_one_is_hardly_ever_counted(self, settings, django_assert_max_num_queries):
        settings.SMS_BUDGET_PER_DAY = 20_000
        notices(20)
        with django_assert_max_num_queries(20 * 7 + 14) as queries:
            assert deliver_due(now=NOW) == Counts(sent=20)
        counting = [q for q in queries.captured_queries if "COUNT" in q["sql"] and "sending" in q["sql"]]
        # Before the first message, and after the last one.
        assert len(counting) == 2


class TestSparing:
    """What goes to thousands at once keeps nothing else from anybody."""

    def test_it_ends_when_half_of_the_day_is_spent(self):
        for _ in range(8):
            notice(UserFactory(), key=1, kind="place_appeared")
        notices(3)
        assert deliver_due(now=NOW) == Counts(sent=5, withheld=6)
        assert Message.objects.filter(kind="stop_lifted", state=Message.State.SENT).count() == 3
        assert Message.objects.filter(kind="place_appeared", state=Message.State.SENT).count() == 2

    def test_the_other_half_is_for_everything_else(self):
        sent_already(5, kind="place_appeared")
        notices(5)
        assert deliver_due(now=NOW) == Counts(sent=5)

    def test_one_recipient_has_the_rest_of_the_day_as_well(self, parent, settings):
        settings.SMS_BUDGET_PER_DAY, settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY = 1000, 3
        for key in range(5):
            notice(parent, key=key, kind="place_appeared")
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=2)
        notice(parent, key=1)
        assert deliver_due(now=NOW) == Counts(sent=1)


class TestEveryKind:
    def test_no_code_and_no_sms_without_a_notice_is_withheld(self):
        withheld = [kind for kind in KINDS.values() if kind.past_budget is PastBudget.WITHHELD]
        assert withheld
        # Whoever is invited has no inbox yet: employees see that it was not sent, and send it again. One in the place
        # of several tells of what is there, and one to try the way of nothing.
        without = {"former_invited", "test_message", *(kind.code for kind in IN_PLACE_OF_SEVERAL)}
        others = [kind for kind in withheld if kind.code not in without]
        assert not [kind.code for kind in others if kind.secret or Channel.INBOX not in kind.channels]

    def test_what_is_refused_is_what_strangers_can_ask_for(self):
        refused = {kind.code for kind in KINDS.values() if kind.past_budget is PastBudget.REFUSED}
        assert refused == {"registration_code", "account_exists", "complaint_code"}


class TestOneRecipient:
    @pytest.fixture(autouse=True)
    def _three(self, settings):
        settings.SMS_BUDGET_PER_DAY = 1000
        settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY = 3

    def test_so_many_notices_a_day(self, parent):
        for key in range(5):
            notice(parent, key=key)
        notice(UserFactory(), key=1)
        assert deliver_due(now=NOW) == Counts(sent=4, withheld=2)
        assert Notice.objects.filter(recipient=parent).count() == 5
        tomorrow = MIDNIGHT + timedelta(days=1, hours=9)
        notice(parent, key=6, now=tomorrow)
        assert deliver_due(now=tomorrow) == Counts(sent=1)

    def test_warnings_too_and_codes_never(self, parent):
        for key in range(5):
            notice(parent, key=key, kind="password_changed")
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=2)
        ask(purpose="reset")
        assert deliver_due(now=NOW) == Counts(sent=1)

    @pytest.mark.parametrize("crowd", ["stop_lifted", "referral_issued", "new_device", "contact_changed"])
    def test_nothing_else_crowds_a_warning_out(self, parent, crowd):
        """Whoever has taken an account over can cause many messages before the one that gives them away."""
        for key in range(5):
            notice(parent, key=key, kind=crowd)
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=2)
        for kind in ("number_move_asked", "password_changed"):
            notice(parent, key=1, kind=kind)
        enqueue_to_phone(PHONE, "number_news", context={}, language="kk", dedupe_key="k", now=NOW)
        assert deliver_due(now=NOW) == Counts(sent=3)

    @pytest.mark.parametrize("crowd", ["languages_by_other", "bid_placed", "new_device"])
    def test_what_another_person_presses_crowds_no_notice_out(self, parent, crowd):
        """One guardian can't silence the other's phone."""
        for key in range(4):
            notice(parent, key=key, kind=crowd)
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=1)
        for kind in ("bid_rejected", "referral_issued"):
            for key in range(4):
                notice(parent, key=key, kind=kind)
            assert deliver_due(now=NOW) == Counts(sent=3, withheld=1)

    @pytest.mark.parametrize(
        ("crowd", "other"), [("bid_rejected", "referral_issued"), ("referral_issued", "bid_rejected")]
    )
    def test_what_can_not_be_switched_off_has_room_of_its_own(self, parent, crowd, other):
        assert KINDS[crowd].topic.is_mandatory != KINDS[other].topic.is_mandatory
        for key in range(4):
            notice(parent, key=key, kind=crowd)
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=1)
        for key in range(4):
            notice(parent, key=key, kind=other)
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=1)

    def test_of_the_same_room_all_kinds_take(self, parent):
        for key, kind in enumerate(
            ("referral_issued", "contract_signed", "guardianship_ended", "referral_issued")
        ):
            notice(parent, key=key, kind=kind)
        assert deliver_due(now=NOW) == Counts(sent=3, withheld=1)

    def test_all_alerts_about_places_are_one_count_and_take_nothing_from_the_others(self, parent):
        sent_already(2, kind="several_places", phone=PHONE)
        for key in range(2):
            notice(parent, key=key, kind="place_appeared")
        notice(parent, key=1)
        assert deliver_due(now=NOW) == Counts(sent=2, withheld=1)

    def test_what_strangers_send_them_takes_nothing_away(self, parent):
        sent_already(30, kind="account_exists", phone=PHONE)
        sent_already(30, kind="reset_code", phone=PHONE)
        notice(parent, key=1)
        assert deliver_due(now=NOW) == Counts(sent=1)


class TestNewcomers:
    """Codes that strangers can ask for."""

    @pytest.fixture(autouse=True)
    def _wide(self, settings):
        settings.SMS_BUDGET_PER_DAY = 1000
        settings.SMS_CODES_PER_OPERATOR_PER_HOUR = 500
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 500

    def test_get_a_part_of_the_day_so_that_notices_keep_the_rest(self, settings):
        settings.SMS_NEWCOMERS_PERCENT = 2
        sent_already(19, kind="registration_code")
        ask()
        with pytest.raises(BudgetSpent) as caught:
            ask("+77777779876")
        assert caught.value.retry_at == MIDNIGHT + timedelta(days=1)
        assert deliver_due(now=NOW) == Counts(sent=1)
        notices(5)
        assert deliver_due(now=NOW) == Counts(sent=5)

    def test_and_none_once_the_day_is_spent(self):
        sent_already(1000)
        with pytest.raises(BudgetSpent):
            ask()
        ask("+77017779870", purpose="reset")

    def test_a_known_number_is_refused_alike(self, parent):
        sent_already(1000)
        for phone in (PHONE, "+77017779877"):
            with pytest.raises(BudgetSpent):
                ask(phone)
        assert not Message.objects.filter(created_at=NOW, state=Message.State.QUEUED).exists()

    @pytest.mark.parametrize(
        ("name", "full", "free"),
        [
            ("SMS_CODES_PER_OPERATOR_PER_HOUR", "+77011230000", "+77021230000"),
            ("SMS_CODES_PER_BLOCK_PER_HOUR", "+77017770001", "+77017780001"),
        ],
    )
    def test_so_many_an_hour_for_numbers_that_begin_alike(self, settings, name, full, free):
        setattr(settings, name, 3)
        for number in range(3):
            sent_already(
                1, kind="registration_code", phone=f"+7701777{number:04d}", at=NOW + number * MICROSECOND
            )
        later = NOW + timedelta(minutes=30)
        with pytest.raises(BudgetSpent) as caught:
            ask(full, now=later)
        assert caught.value.retry_at == NOW + HOUR
        ask(free, now=later)
        with pytest.raises(BudgetSpent):
            ask(full, now=NOW + HOUR - MICROSECOND)
        ask(full, now=NOW + HOUR)

    def test_none_at_all(self, settings):
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 0
        with pytest.raises(BudgetSpent):
            ask()

    def test_a_bot_that_pumps_one_block_stops_nobody_else(self, settings):
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 40
        for number in range(60):
            try:
                ask(f"+7701777{number:04d}", address=f"10.{number}.0.1", session=str(number))
            except BudgetSpent:
                assert number >= 40
        assert Message.objects.count() == 40
        ask("+77771112233", address="10.99.0.1")

    @pytest.mark.parametrize(
        ("prefix", "sentence"), [("", "Нөміріңізде қате жоқ"), ("/ru", "С вашим номером всё в порядке")]
    )
    def test_a_newcomer_reads_why_and_from_when(self, prefix, sentence):
        with time_machine.travel(NOW, tick=False):
            sent_already(1000)
            answer = Client().post(f"{prefix}/register/", {"phone": PHONE, "consent": "on"})
            assert answer.status_code == 429
            text = answer.context["form"].errors["phone"][0]
            assert sentence in text
            assert "23.11.2026 00:00" in text

    def test_the_way_to_a_new_password_stays_open(self, parent):
        with time_machine.travel(NOW, tick=False):
            sent_already(1000)
            for phone in (PHONE, "+77017779877"):
                assert Client().post("/password/reset/", {"phone": phone}).url == "/password/reset/code/"


class TestAlarm:
    @pytest.mark.parametrize(
        ("spent", "percent", "level"),
        [
            (0, 0, Level.OK), (49, 49, Level.OK), (50, 50, Level.HALF), (79, 79, Level.HALF), (80, 80, Level.NEARLY),
            (99, 99, Level.NEARLY), (100, 100, Level.SPENT), (130, 130, Level.SPENT),
        ],
    )  # fmt: skip
    def test_levels(self, spent, percent, level):
        assert (Usage(spent, 100).percent, Usage(spent, 100).level) == (percent, level)
        assert is_well({"sms_budget": level.value}) == (level is Level.OK)

    def test_each_is_logged_once(self, caplog):
        caplog.set_level(logging.WARNING, logger="notifications.budget")
        for key in range(12):
            notice(UserFactory(), key=key)
            deliver_due(now=NOW)
        logged = [
            (record.levelname, record.getMessage())
            for record in caplog.records
            if record.name == "notifications.budget"
        ]
        assert logged == [
            ("WARNING", "SMS of today: 5 of 10 (50 %)"),
            ("WARNING", "SMS of today: 8 of 10 (80 %)"),
            ("ERROR", "SMS of today: 10 of 10 (100 %)"),
        ]

    def test_a_sweep_that_passes_two_says_the_later(self, caplog):
        notices(9)
        deliver_due(now=NOW)
        assert [r.getMessage() for r in caplog.records] == ["SMS of today: 9 of 10 (90 %)"]

    @pytest.mark.parametrize(("spent", "shown"), [(4, None), (5, "50 %"), (8, "80 %"), (12, "120 %")])
    def test_the_start_page_of_the_workplace(self, spent, shown):
        admin = StaffFactory.create(is_superuser=True)
        give_app(admin)
        with time_machine.travel(NOW, tick=False):
            sent_already(spent)
            page = inside(admin).get("/ru/admin/").content.decode()
        assert ("дневного бюджета SMS" in page) == (shown is not None)
        if shown:
            assert f"<strong>{shown}</strong>" in page

    def test_what_was_left_to_the_inbox_is_on_it_too(self):
        admin = StaffFactory.create(is_superuser=True)
        give_app(admin)
        with time_machine.travel(NOW, tick=False):
            sent_already(2, state=Message.State.WITHHELD)
            page = inside(admin).get("/admin/").content.decode()
            assert "<strong>2</strong>" in page
            rows = inside(admin).get("/admin/notifications/message/?state__exact=withheld")
            assert rows.context["cl"].result_count == 2


def test_the_desk_of_the_demo_lets_them_begin_anew(settings, client):
    sent_already(10, at=NOW)
    with time_machine.travel(NOW + MICROSECOND, tick=False):
        client.post("/demo/limits/")
    assert usage_of(now=NOW + HOUR).spent == 0
    settings.DEMO = False
    assert usage_of(now=NOW + HOUR).spent == 10


def test_without_the_cache_they_are_counted_all_the_same(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    sent_already(3)
    assert usage_of(now=NOW).spent == 3


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
class TestTogether:
    WORKERS, BUDGET, WAITING = 4, 20, 40

    def deliver(self):
        barrier = threading.Barrier(self.WORKERS)

        def work(_number):
            try:
                barrier.wait(timeout=PATIENCE)
                return deliver_due(now=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(self.WORKERS) as pool:
            return list(pool.map(work, range(self.WORKERS)))

    def test_control_counting_before_the_claim_goes_beyond(self, settings, monkeypatch):
        """A worker that counts what was sent, and not what others are sending, overspends."""
        everyone_has_counted = threading.Barrier(self.WORKERS)
        spent = []

        def count_then_send(_number):
            try:
                is_open = budget.sent_today(now=NOW).count() < 1
                everyone_has_counted.wait(timeout=PATIENCE)
                if is_open:
                    spent.append(1)
            finally:
                connection.close()

        with ThreadPoolExecutor(self.WORKERS) as pool:
            list(pool.map(count_then_send, range(self.WORKERS)))
        assert len(spent) > 1

    def test_many_workers_never_go_beyond(self, settings, gateway):
        settings.SMS_BUDGET_PER_DAY = self.BUDGET
        notices(self.WAITING)
        counts = self.deliver()
        states = Counter(Message.objects.values_list("state", flat=True))
        # Of workers that claim the last one together none may take it.
        assert self.BUDGET - self.WORKERS < states["sent"] <= self.BUDGET
        assert states["sent"] == len(gateway.sent) == sum(count.sent for count in counts)
        assert states["sent"] + states["withheld"] == self.WAITING
