"""The outbox: what is sent when, how often it is tried, what is left of secrets."""

import logging
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction

from notifications import delivery, gateways
from notifications.delivery import CLAIMING, Counts, deliver_due, pause_after
from notifications.kinds import KINDS, sample_context
from notifications.models import Message
from notifications.outbox import LEASE, WAITS_SECONDS, Change, claim, record
from notifications.services import enqueue
from notifications.sms.base import SEND_SECONDS, Outcome, SendResult
from notifications.tasks import deliver_due_messages
from tests.factories import UserFactory
from tests.notifications.gateways import BAD_NUMBER, OBEDIENT, RESTING, TROUBLE, UNCLEAR, ObedientBackend
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("each_by_itself")

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.SMS_BACKEND = OBEDIENT
    ObedientBackend.reset()
    return ObedientBackend


@pytest.fixture(autouse=True)
def counter(monkeypatch):
    """The counter by which a delivery knows for how long it has worked, stopped; `counter.moment` moves it."""
    stopped = SimpleNamespace(moment=1000.0)
    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: stopped.moment))
    return stopped


@pytest.fixture
def parent(db):
    return UserFactory(phone="+77017779876")


@pytest.fixture
def message(parent):
    return written(parent)


def written(parent, kind="stop_lifted", *, key="k", now=NOW):
    enqueue(parent, kind, context=sample_context(KINDS[kind]), dedupe_key=key, now=now)
    return Message.objects.order_by("-created_at").first()


def test_sends_once(message, gateway):
    assert deliver_due(now=NOW) == Counts(sent=1)
    assert deliver_due(now=NOW + timedelta(days=1)) == Counts()
    assert gateway.sent == [("+77017779876", message.text, str(message.pk))]
    message.refresh_from_db()
    assert (message.state, message.attempts, message.sent_at) == (Message.State.SENT, 1, NOW)
    assert message.provider_id == "obedient:1"


def test_not_a_microsecond_before_it_is_due(message, gateway):
    assert deliver_due(now=NOW - MICROSECOND) == Counts()
    assert gateway.sent == []
    assert deliver_due(now=NOW).sent == 1


def test_pauses_grow_from_one_minute_to_thirty_two_with_some_chance():
    for attempts, minutes in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 32), (300, 32)]:
        pauses = {pause_after(attempts) for _ in range(50)}
        assert min(pauses) >= timedelta(minutes=minutes)
        assert max(pauses) <= timedelta(minutes=minutes * 1.25)
        assert len(pauses) > 1


def test_trouble_puts_off_and_the_same_key_is_used_again(message, gateway):
    gateway.reset(TROUBLE)
    assert deliver_due(now=NOW) == Counts(retried=1)
    message.refresh_from_db()
    assert (message.state, message.error, message.sent_at) == (
        Message.State.QUEUED,
        "obedient: trouble",
        None,
    )
    assert timedelta(minutes=1) <= message.next_attempt_at - NOW <= timedelta(minutes=1.25)
    assert deliver_due(now=message.next_attempt_at - MICROSECOND) == Counts()
    assert deliver_due(now=message.next_attempt_at) == Counts(sent=1)
    assert {key for _phone, _text, key in gateway.sent} == {str(message.pk)}
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == (Message.State.SENT, 2, "")


@pytest.mark.parametrize(
    ("first", "is_repeat"),
    [(UNCLEAR, True), (RuntimeError(), True), (TROUBLE, False), (RESTING, False)],
    ids=["unclear", "an error of its code", "surely not taken", "not asked"],
)
def test_a_gateway_is_told_whether_an_earlier_attempt_may_have_handed_it_over(
    message, gateway, first, is_repeat
):
    gateway.reset(first)
    deliver_due(now=NOW)
    deliver_due(now=NOW + timedelta(minutes=2))
    assert [terms["is_repeat"] for terms in gateway.terms] == [False, is_repeat]


@pytest.mark.parametrize(
    ("kind", "changes", "late", "minutes"),
    [
        ("registration_code", {}, timedelta(0), 10),
        ("registration_code", {}, timedelta(minutes=8, seconds=30), 2),
        ("stop_lifted", {}, timedelta(0), 1440),
        ("stop_lifted", {"known_by": NOW + timedelta(hours=1)}, timedelta(0), 60),
    ],
    ids=["a code", "a late code", "a notice", "known by an instant"],
)
def test_a_gateway_is_told_how_long_it_is_worth(parent, gateway, kind, changes, late, minutes):
    written(parent, kind)
    if changes:
        Message.objects.update(**changes, give_up_at=changes["known_by"])
    assert deliver_due(now=NOW + late).sent == 1
    assert [terms["minutes"] for terms in gateway.terms] == [minutes]


def test_a_worker_that_died_may_have_handed_it_over(message, gateway):
    assert claim(Message, most=1, now=NOW)
    assert deliver_due(now=NOW + LEASE).sent == 1
    assert [terms["is_repeat"] for terms in gateway.terms] == [True]


class TestNobodyMayBeAsked:
    """The gateways rest after failures: the messages wait, at no cost to their attempts."""

    def test_a_message_stays_due_and_no_attempt_is_counted(self, message, gateway):
        gateway.reset(RESTING, RESTING)
        for _ in range(2):
            assert deliver_due(now=NOW) == Counts()
            message.refresh_from_db()
            assert (message.state, message.attempts, message.error) == (Message.State.QUEUED, 0, "")
            assert message.next_attempt_at == NOW
        assert deliver_due(now=NOW) == Counts(sent=1)

    def test_the_others_are_given_back(self, parent, gateway):
        for number in range(50):
            written(parent, key=str(number))
        gateway.reset(RESTING)
        assert deliver_due(now=NOW) == Counts()
        assert len(gateway.sent) == 1
        assert set(Message.objects.values_list("state", "attempts")) == {(Message.State.QUEUED, 0)}

    def test_a_code_is_given_up_when_its_time_is_over_and_not_before(self, parent, gateway):
        written(parent, "registration_code")
        last_moment = NOW + timedelta(minutes=10) - MICROSECOND
        gateway.reset(*[RESTING] * 20)
        for minutes in range(10):
            assert deliver_due(now=NOW + timedelta(minutes=minutes)) == Counts()
        assert deliver_due(now=last_moment) == Counts()
        gateway.reset()
        assert deliver_due(now=last_moment) == Counts(sent=1)

    def test_the_pause_after_a_failure_does_not_grow_by_it(self, message, gateway):
        gateway.reset(RESTING, RESTING, RESTING, TROUBLE)
        for _ in range(4):
            deliver_due(now=NOW)
        message.refresh_from_db()
        assert message.next_attempt_at - NOW <= timedelta(minutes=1.25)

    def test_a_gateway_that_does_well_on_trial_is_asked_on(self, parent, gateway):
        """It rests, so that of several at once all but one are turned away."""
        for _ in range(9):
            written(UserFactory())
        gateway.reset(*[RESTING] * 8)
        assert deliver_due(now=NOW) == Counts(sent=9)


def test_a_row_is_sent_and_recorded_before_its_lease_ends_and_the_last_one_before_the_task_is_killed():
    assert WAITS_SECONDS + SEND_SECONDS < LEASE.total_seconds() <= 45
    assert CLAIMING.total_seconds() + 2 * SEND_SECONDS < deliver_due_messages.time_limit


def test_a_bad_number_fails_at_once(message, gateway):
    gateway.reset(BAD_NUMBER)
    assert deliver_due(now=NOW) == Counts(failed=1)
    message.refresh_from_db()
    assert (message.state, message.error) == (Message.State.FAILED, "obedient: 7")


def test_a_gateway_that_raises_stops_nobody(parent, gateway, caplog):
    written(parent, key="one")
    written(parent, key="two")
    gateway.reset(RuntimeError("for +77010000000: Код: 111111"))
    assert deliver_due(now=NOW) == Counts(sent=1, retried=1)
    assert "7010000000" not in caplog.text
    assert "RuntimeError" in Message.objects.get(state=Message.State.QUEUED).error


class TestAfterAnError:
    """What was handed over is never lost sight of: it would go out once more."""

    PARENTS = 5

    @pytest.fixture(autouse=True)
    def _waiting(self, db):
        for place in range(self.PARENTS):
            written(UserFactory(), key=str(place))

    def test_what_is_under_way_is_heard_to_the_end(self, gateway, counter, monkeypatch):
        """The database does not answer a claim while gateways are at work."""
        failed, claims = threading.Event(), iter([delivery.claim_codes])

        def send(self, phone, text, *, idempotency_key, **terms):
            counter.moment += 1
            assert failed.wait(timeout=PATIENCE)
            return SendResult(Outcome.ACCEPTED)

        def claim_codes(*args, **kwargs):
            if first := next(claims, None):
                return first(*args, **kwargs)
            failed.set()
            raise OperationalError

        monkeypatch.setattr(gateway, "send", send)
        monkeypatch.setattr(delivery, "claim_codes", claim_codes)
        with pytest.raises(OperationalError):
            deliver_due(now=NOW)
        assert self.states() == {Message.State.SENT: self.PARENTS}

    def test_what_could_not_be_written_is_written_then(self, gateway, monkeypatch):
        records = iter([OperationalError])

        def write(changes):
            if error := next(records, None):
                raise error
            return record(changes)

        monkeypatch.setattr(delivery, "record", write)
        with pytest.raises(OperationalError):
            deliver_due(now=NOW)
        states = self.states()
        assert states[Message.State.SENT] == len(gateway.sent) > 0
        assert Message.State.SENDING not in states

    def test_a_count_that_can_not_be_written_holds_up_nothing(self, gateway, monkeypatch, caplog):
        def note(*args, **kwargs):
            raise OperationalError

        monkeypatch.setattr(gateways, "note", note)
        gateway.reset(TROUBLE)
        assert deliver_due(now=NOW) == Counts(sent=self.PARENTS - 1, retried=1)
        assert "could not count" in caplog.text

    def states(self):
        return Counter(Message.objects.values_list("state", flat=True))


@pytest.mark.parametrize("trouble", [UNCLEAR, RuntimeError("half of it was written")], ids=["said", "raised"])
def test_what_may_have_arrived_is_sent_four_times_at_most(message, gateway, trouble):
    gateway.reset(*[trouble] * 50)
    outcomes, now = [], NOW
    while Message.objects.filter(state=Message.State.QUEUED).exists():
        outcomes.append(deliver_due(now=now))
        now = Message.objects.get().next_attempt_at
    assert outcomes == [Counts(retried=1)] * 3 + [Counts(failed=1)]
    # Long enough for a gateway that is ill for a while: 1, 8 and 32 minutes.
    assert timedelta(minutes=41) <= now - NOW <= timedelta(minutes=41 * 1.25) + LEASE
    message.refresh_from_db()
    assert (message.unclear, message.error) == (4, "the gateway never answered clearly")


def test_what_surely_was_not_taken_does_not_count_as_unclear(message, gateway):
    gateway.reset(UNCLEAR, *[TROUBLE] * 5, UNCLEAR, UNCLEAR)
    now = NOW
    while Message.objects.filter(state=Message.State.QUEUED).exists():
        deliver_due(now=now)
        now = Message.objects.get().next_attempt_at
    message.refresh_from_db()
    assert (message.state, message.attempts, message.unclear) == (Message.State.SENT, 9, 3)


class TestPoison:
    """One row that can't be handled, and eleven that can: it holds up none of them, however often it is tried."""

    @pytest.fixture
    def rows(self, db):
        """The first of twelve, which goes before the others."""
        for number in range(12):
            written(UserFactory(), key=str(number), now=NOW + number * MICROSECOND)
        return Message.objects.order_by("created_at")

    def spoil(self, rows, **columns):
        Message.objects.filter(pk=rows[0].pk).update(**columns)

    @pytest.mark.parametrize(
        "columns",
        [
            {"kind": "no_longer_known"},
            {"language": "xx"},
            {"phone": "+7701"},
            {"phone": ""},
            {"about": "00000000-0000-4000-8000-000000000000"},
            {"attempts": 32_766},
        ],
        ids=["kind", "language", "phone", "no phone", "about", "attempts"],
    )
    def test_an_odd_row(self, rows, gateway, columns):
        self.spoil(rows, **columns)
        assert deliver_due(now=NOW + timedelta(seconds=1)).sent >= 11
        assert rows.filter(state=Message.State.SENT).count() >= 11

    def test_a_text_that_no_key_opens(self, rows, gateway):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE notifications_message SET text = %s WHERE id = %s", ["not encrypted", rows[0].pk]
            )
        assert deliver_due(now=NOW + timedelta(seconds=1)) == Counts(sent=11, retried=1)

    def test_an_outcome_that_can_not_be_written_keeps_its_state_at_least(self, rows, gateway, monkeypatch):
        """What was sent is sent, whatever else is to be kept of it: else it would go out every minute."""
        as_taken, bad = delivery._SmsPost.as_taken, rows[0].pk

        def poisoned(self, row, result, *, now):
            columns = as_taken(self, row, result, now=now)
            if row.pk == rows[1].pk:
                raise RuntimeError
            return columns | ({"provider_id": "a\0b"} if row.pk == bad else {})

        monkeypatch.setattr(delivery._SmsPost, "as_taken", poisoned)
        with pytest.raises(ValueError, match="database can't hold"), transaction.atomic():
            Message.objects.filter(pk=bad).update(provider_id="a\0b")
        assert deliver_due(now=NOW + timedelta(seconds=1)) == Counts(sent=12)
        assert deliver_due(now=NOW + timedelta(days=1)) == Counts()
        assert len(gateway.sent) == 12


def test_gives_up_when_it_is_no_longer_worth_it(message, gateway):
    Message.objects.update(next_attempt_at=NOW, give_up_at=NOW)
    assert deliver_due(now=NOW) == Counts(failed=1)
    assert gateway.sent == []
    message.refresh_from_db()
    assert (message.state, message.error) == (Message.State.FAILED, "too late")


def test_tries_until_the_last_microsecond(message, gateway):
    Message.objects.update(give_up_at=NOW + MICROSECOND)
    assert deliver_due(now=NOW) == Counts(sent=1)


@pytest.mark.parametrize(("seconds", "counts"), [(29.999999, Counts(sent=2)), (30, Counts(sent=1, failed=1))])
def test_a_slow_gateway_carries_nothing_past_its_time(parent, gateway, counter, monkeypatch, seconds, counts):
    for key in ("first", "second"):
        written(parent, key=key)
    Message.objects.update(give_up_at=NOW + timedelta(seconds=30))
    send = ObedientBackend.send

    def slowly(*args, **kwargs):
        counter.moment += seconds
        return send(*args, **kwargs)

    monkeypatch.setattr(ObedientBackend, "send", slowly)
    assert deliver_due(now=NOW) == counts


def test_gives_up_at_once_when_the_next_attempt_would_be_too_late(parent, gateway):
    written(parent, "account_exists")
    gateway.reset(*[TROUBLE] * 10)
    now, outcomes = NOW, []
    while Message.objects.filter(state=Message.State.QUEUED).exists():
        outcomes.append(deliver_due(now=now))
        now = Message.objects.get().next_attempt_at
    # Attempts at 0, 1, 3 and 7 minutes; the next would come after the ten minutes.
    assert outcomes == [Counts(retried=1)] * 3 + [Counts(failed=1)]
    assert Message.objects.get().error == "obedient: trouble"


@pytest.mark.parametrize("result", [SendResult(Outcome.ACCEPTED), BAD_NUMBER])
def test_nothing_is_left_of_a_code(parent, gateway, result):
    message = written(parent, "registration_code")
    gateway.reset(result)
    deliver_due(now=NOW)
    message.refresh_from_db()
    assert message.text == ""
    assert "483920" in gateway.sent[0][1]


def test_a_code_stays_until_it_is_sent(parent, gateway):
    message = written(parent, "registration_code")
    gateway.reset(TROUBLE)
    deliver_due(now=NOW)
    message.refresh_from_db()
    assert "483920" in message.text


def test_a_code_that_came_too_late_is_wiped_unsent(parent, gateway):
    written(parent, "reset_code")
    assert deliver_due(now=NOW + timedelta(minutes=10)) == Counts(failed=1)
    assert gateway.sent == []
    assert Message.objects.get().text == ""


def test_other_texts_are_kept(message):
    deliver_due(now=NOW)
    message.refresh_from_db()
    assert message.text.startswith("№0417 өтініш кезекке қайтты")


@pytest.fixture
def handled(monkeypatch):
    """The kind and time of each message, in the order in which they are handled."""
    rows, begin = [], delivery._Delivery._begin_one

    def noted(self, row):
        rows.append((row.kind, row.created_at))
        return begin(self, row)

    monkeypatch.setattr(delivery._Delivery, "_begin_one", noted)
    return rows


def test_who_waits_is_served_first_and_thousands_of_reminders_last(parent, gateway, handled):
    order = ["interest_reminder", "stop_lifted", "password_changed", "reset_code"]
    for hours, kind in enumerate(order):
        written(parent, kind, now=NOW - timedelta(hours=3) + timedelta(hours=hours))
    deliver_due(now=NOW)
    assert [kind for kind, _at in handled] == order[::-1]


def test_codes_overtake_notices_however_long_those_have_waited(parent, gateway, handled):
    """After a standstill thousands are about to be given up, or wait only to be given up; so do codes of yesterday."""
    notices = [NOW - timedelta(days=3), NOW - timedelta(days=2), NOW - timedelta(hours=23, minutes=55), NOW]
    for at in notices:
        written(parent, key=str(at), now=at)
    codes = [NOW - timedelta(minutes=10), NOW - timedelta(minutes=10) + MICROSECOND, NOW]
    for at in codes:
        written(parent, "reset_code", key=str(at), now=at)
    assert deliver_due(now=NOW) == Counts(sent=4, failed=3)
    assert [at for kind, at in handled if kind == "reset_code"] == [*codes[1:], codes[0]]
    assert handled[:2] == [("reset_code", at) for at in codes[1:]]
    assert [at for kind, at in handled if kind == "stop_lifted"] == notices


def test_the_row_of_a_dead_worker_is_taken_over_when_its_lease_ends(message, gateway):
    class Killed(BaseException):
        pass

    gateway.reset(Killed())
    with pytest.raises(Killed):
        deliver_due(now=NOW)
    message.refresh_from_db()
    assert (message.state, message.next_attempt_at) == (Message.State.SENDING, NOW + LEASE)
    assert deliver_due(now=NOW + LEASE - MICROSECOND) == Counts()
    assert deliver_due(now=NOW + LEASE) == Counts(sent=1)


def test_a_worker_that_slept_past_its_lease_overwrites_nothing(message, gateway):
    [claimed] = claim(Message, most=1, now=NOW)
    # Meanwhile another worker claimed the row and is sending it.
    Message.objects.update(attempts=2, provider_id="other:1")
    assert record([Change(claimed, {"state": Message.State.QUEUED, "provider_id": "mine:1"})]) == [False]
    # It sent it.
    Message.objects.update(state=Message.State.SENT)
    assert record([Change(claimed, {"state": Message.State.FAILED, "provider_id": "mine:1"})]) == [False]
    message.refresh_from_db()
    assert (message.state, message.provider_id) == (Message.State.SENT, "other:1")


def test_logs_hold_neither_phone_nor_text(parent, gateway, caplog):
    caplog.set_level(logging.DEBUG)
    written(parent, "registration_code", key="one")
    written(parent, key="two")
    gateway.reset(BAD_NUMBER, TROUBLE)
    deliver_due(now=NOW)
    assert caplog.records
    assert "7779876" not in caplog.text
    assert "483920" not in caplog.text


def test_the_task_delivers(parent, gateway, clock):
    written(parent, now=datetime(2019, 6, 26, 10, 20, tzinfo=UTC))
    deliver_due_messages()
    assert len(gateway.sent) == 1
