"""What became of an SMS: asked for in time, told by webhooks that are believed nothing, repeated once."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from notifications import gateways, reports
from notifications.delivery import deliver_due
from notifications.kinds import KINDS, sample_context
from notifications.models import GatewayMinute, Message
from notifications.peers import Answer
from notifications.reports import ASKED_AFTER, ask_for_reports, next_asked, take, try_another_way
from notifications.services import enqueue
from notifications.sms import health, kannel
from notifications.sms.base import Alarm, Arrival, Outcome, Report, SendResult
from notifications.sms.http import GatewayError
from tests.factories import UserFactory
from tests.notifications.gateways import SECOND, ObedientBackend, SecondBackend

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND_, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MATTERS, MATTERS_LESS = "referral_issued", "bid_rejected"


class TellingBackend(ObedientBackend):
    """Takes messages, and tells of them what `told` says; it raises what it is told to."""

    name = "telling"
    most_asked = 3
    told: dict[str, object] = {}
    asked: list[dict[str, str]] = []

    def reports(self, sent):
        self.asked.append(dict(sent))
        for one in sent:
            if isinstance(fault := self.told.get(one), Exception):
                raise fault
        return {one: self.told[one] for one in sent if one in self.told}


TELLING = f"{__name__}.TellingBackend"


@pytest.fixture(autouse=True)
def telling(settings, db):
    settings.SMS_BACKEND = "notifications.sms.failover.FailoverBackend"
    settings.SMS_FAILOVER_BACKENDS = [TELLING, SECOND]
    TellingBackend.reset()
    SecondBackend.reset()
    health.tell_left([])
    TellingBackend.told, TellingBackend.asked = {}, []
    cache.delete("sms-reports")
    return TellingBackend


def sent(number="7", *, kind=MATTERS, ago=timedelta(0), **changes):
    """A message that the gateway took `ago`."""
    parent = UserFactory()
    enqueue(parent, kind, context=sample_context(KINDS[kind]), dedupe_key=number, now=NOW - ago)
    message = Message.objects.get(recipient=parent)
    values = {
        "state": Message.State.SENT,
        "provider_id": f"telling:{number}",
        "sent_at": NOW - ago,
        "ask_at": NOW - ago + ASKED_AFTER[0],
    }
    Message.objects.filter(pk=message.pk).update(**values | changes)
    message.refresh_from_db()
    return message


def state_of(message):
    message.refresh_from_db()
    return message.state


class TestAsking:
    def test_when(self):
        asked = [NOW]
        while at := next_asked(NOW, now=asked[-1]):
            asked.append(at)
        assert [at - NOW for at in asked[1:]] == list(ASKED_AFTER)
        assert ASKED_AFTER[1] < 2 * MINUTE

    def test_nobody_is_asked_too_early(self, telling):
        sent()
        assert ask_for_reports(now=NOW + ASKED_AFTER[0] - SECOND_) == 0
        assert telling.asked == []

    def test_one_that_arrived(self, telling):
        message = sent(ago=MINUTE)
        telling.told = {"7": Report(Arrival.DELIVERED, at=NOW - 40 * SECOND_)}
        assert ask_for_reports(now=NOW) == 1
        assert state_of(message) == Message.State.DELIVERED
        assert message.delivered_at == NOW - 40 * SECOND_
        assert message.ask_at is None
        assert telling.asked == [{"7": message.phone.as_e164}]

    @pytest.mark.parametrize("at", [NOW + timedelta(days=1), NOW - timedelta(days=1), None], ids=str)
    def test_a_time_that_can_not_be_is_not_believed(self, telling, at):
        message = sent(ago=MINUTE)
        telling.told = {"7": Report(Arrival.DELIVERED, at=at)}
        ask_for_reports(now=NOW)
        message.refresh_from_db()
        assert NOW - MINUTE <= message.delivered_at <= NOW

    @pytest.mark.parametrize("arrival", [Arrival.UNDER_WAY, Arrival.UNKNOWN])
    def test_one_under_way_is_asked_about_again_and_stays_sent_in_the_end(self, telling, arrival):
        message = sent(kind=MATTERS_LESS)
        telling.told = {"7": Report(arrival)}
        for after in ASKED_AFTER:
            assert ask_for_reports(now=NOW + after) == 1
        assert state_of(message) == Message.State.SENT
        assert message.ask_at is None
        assert ask_for_reports(now=NOW + timedelta(days=2)) == 0
        assert len(telling.asked) == len(ASKED_AFTER)

    def test_many_are_asked_about_together_the_longest_due_first(self, telling):
        for number in range(7):
            sent(str(number), ago=timedelta(minutes=10 - number))
        ask_for_reports(now=NOW)
        assert [list(one) for one in telling.asked] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]

    def test_a_gateway_that_does_not_answer_is_asked_again_later(self, telling):
        message = sent(ago=MINUTE)
        telling.told = {"7": GatewayError("HTTP 500")}
        assert ask_for_reports(now=NOW) == 0
        assert state_of(message) == Message.State.SENT
        assert message.ask_at == NOW + 5 * MINUTE

    def test_not_for_ever(self, telling):
        message = sent(ago=timedelta(days=1))
        telling.told = {"7": GatewayError("HTTP 500")}
        ask_for_reports(now=NOW)
        message.refresh_from_db()
        assert message.ask_at is None

    def test_one_that_breaks_the_code_holds_up_nothing(self, telling):
        poison = sent("13", ago=10 * MINUTE)
        rest = [sent(str(number), ago=5 * MINUTE) for number in range(6)]
        telling.told = {"13": RuntimeError("poison")} | {
            str(number): Report(Arrival.DELIVERED) for number in range(6)
        }
        ask_for_reports(now=NOW)
        ask_for_reports(now=NOW + 6 * MINUTE)
        states = [state_of(message) for message in rest]
        assert states.count(Message.State.DELIVERED) >= 4
        poison.refresh_from_db()
        assert poison.ask_at > NOW

    def test_of_a_gateway_that_is_not_chosen_any_more_nobody_asks(self, telling):
        message = sent(ago=MINUTE, provider_id="former:7")
        ask_for_reports(now=NOW)
        message.refresh_from_db()
        assert message.ask_at is None

    def test_only_one_worker_asks(self, telling, monkeypatch):
        sent(ago=MINUTE)
        monkeypatch.setattr(reports, "alone", lambda at: _Nobody())
        assert ask_for_reports(now=NOW) == 0
        assert telling.asked == []


class _Nobody:
    def __enter__(self):
        return False

    def __exit__(self, *args):
        return None


class TestOrder:
    """Reports come twice, late and in any order."""

    def test_what_arrived_is_never_lost_again(self):
        message = sent()
        assert take(message, Report(Arrival.DELIVERED), now=NOW)
        assert not take(message, Report(Arrival.DELIVERED), now=NOW + MINUTE)
        assert not take(message, Report(Arrival.UNDELIVERED), now=NOW + MINUTE)
        assert state_of(message) == Message.State.DELIVERED
        assert message.delivered_at == NOW

    def test_what_was_given_up_may_arrive_after_all(self):
        message = sent(kind=MATTERS_LESS)
        take(message, Report(Arrival.UNDELIVERED), now=NOW)
        assert state_of(message) == Message.State.UNDELIVERED
        take(message, Report(Arrival.DELIVERED), now=NOW + MINUTE)
        assert state_of(message) == Message.State.DELIVERED

    @pytest.mark.parametrize("state", [Message.State.QUEUED, Message.State.SENDING, Message.State.FAILED])
    def test_one_that_nobody_took_is_left_alone(self, state):
        message = sent(state=state)
        for arrival in Arrival:
            take(message, Report(arrival), now=NOW)
        assert state_of(message) == state


class TestAnotherWay:
    def again(self, message):
        return Message.objects.filter(instead_of=message.pk)

    def test_what_will_never_arrive_goes_by_the_other_gateway_once(self):
        message = sent()
        take(message, Report(Arrival.UNDELIVERED), now=NOW)
        take(message, Report(Arrival.UNDELIVERED), now=NOW)
        (again,) = self.again(message)
        assert (again.state, again.avoids, again.text) == (Message.State.QUEUED, "telling", message.text)
        assert (again.phone, again.give_up_at) == (message.phone, message.give_up_at)

    @pytest.mark.parametrize(
        ("known_by", "goes_in"),
        [(None, timedelta(hours=11)), (NOW + timedelta(hours=15), timedelta(0))],
        ids=["worth a day", "known by five in the morning"],
    )
    def test_it_keeps_the_hours_of_the_first(self, known_by, goes_in):
        """At 22:00, though the morning is too late for either."""
        night = NOW + timedelta(hours=8)
        message = sent(known_by=known_by, zone_name="Asia/Almaty", give_up_at=night + timedelta(hours=7))
        take(message, Report(Arrival.UNDELIVERED), now=night)
        (again,) = self.again(message)
        assert (again.next_attempt_at, again.known_by) == (night + goes_in, known_by)
        assert again.zone == message.zone

    def test_so_does_what_has_not_arrived_after_ten_minutes(self, telling):
        message = sent()
        telling.told = {"7": Report(Arrival.UNDER_WAY)}
        for after in ASKED_AFTER[:2]:
            ask_for_reports(now=NOW + after)
        assert not self.again(message)
        ask_for_reports(now=NOW + ASKED_AFTER[2])
        ask_for_reports(now=NOW + ASKED_AFTER[3])
        assert len(self.again(message)) == 1

    def test_a_gateway_that_knows_nothing_of_it_is_no_sign_that_it_is_lost(self, telling):
        message = sent()
        ask_for_reports(now=NOW + ASKED_AFTER[2])
        assert not self.again(message)

    @pytest.mark.parametrize("number", ["", "?"])
    @pytest.mark.parametrize(("kind", "goes_again"), [(MATTERS, 1), (MATTERS_LESS, 0)])
    def test_what_nobody_can_be_asked_about_goes_once_more_if_it_matters(
        self, telling, kind, goes_again, number
    ):
        message = sent(number, kind=kind)
        for after in ASKED_AFTER:
            assert len(self.again(message)) == (goes_again if after > ASKED_AFTER[2] else 0)
            assert ask_for_reports(now=NOW + after) == 0
        assert telling.asked == []
        assert (state_of(message), message.ask_at) == (Message.State.SENT, None)
        assert len(self.again(message)) == goes_again

    def test_who_chose_so_gets_it_on_the_second_phone_instead_and_once(self, telling):
        message = sent()
        profile = message.recipient.profile
        profile.second_phone, profile.second_phone_proven_at = "+77015550022", NOW
        profile.save()
        message.recipient.second_phone_if_lost = True
        message.recipient.save()
        telling.told = {"7": Report(Arrival.UNDER_WAY)}
        for after in ASKED_AFTER:
            ask_for_reports(now=NOW + after)
        (again,) = self.again(message)
        assert (again.phone.as_e164, again.is_copy) == ("+77015550022", True)

    def test_it_waits_for_the_morning(self):
        """What was lost in the evening rings nobody at night."""
        night = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
        message = sent()
        take(message, Report(Arrival.UNDELIVERED), now=night)
        assert self.again(message).get().next_attempt_at == datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("state", "left"),
        [(Message.State.QUEUED, Message.State.WITHHELD), (Message.State.SENDING, Message.State.SENDING)],
        ids=["waiting", "under way"],
    )
    def test_it_does_not_go_if_the_first_arrives_meanwhile(self, state, left):
        message = sent()
        take(message, Report(Arrival.UNDER_WAY), now=NOW + ASKED_AFTER[2])
        self.again(message).update(state=state)
        take(message, Report(Arrival.DELIVERED), now=NOW + ASKED_AFTER[2] + SECOND_)
        assert self.again(message).get().state == left

    def test_what_is_repeated_is_never_repeated(self):
        message = sent()
        take(message, Report(Arrival.UNDELIVERED), now=NOW)
        again = self.again(message).get()
        Message.objects.filter(pk=again.pk).update(
            state=Message.State.SENT, provider_id="second:1", sent_at=NOW
        )
        again.refresh_from_db()
        take(again, Report(Arrival.UNDELIVERED), now=NOW)
        assert Message.objects.count() == 2

    def test_what_is_killed_before_it_is_repeated_did_not_happen(self, telling, monkeypatch):
        """Its neighbours are written all the same."""
        lost, lost_too = sent("7", ago=MINUTE), sent("8", ago=MINUTE)
        telling.told = {number: Report(Arrival.UNDELIVERED) for number in "78"}
        real = reports.repeat

        def break_off(message, **more):
            if message == lost:
                raise RuntimeError("killed")
            real(message, **more)

        monkeypatch.setattr(reports, "repeat", break_off)
        ask_for_reports(now=NOW)
        assert (state_of(lost), state_of(lost_too)) == (Message.State.SENT, Message.State.UNDELIVERED)
        monkeypatch.setattr(reports, "repeat", real)
        ask_for_reports(now=NOW + 5 * MINUTE)
        assert state_of(lost) == Message.State.UNDELIVERED
        assert set(Message.objects.values_list("instead_of", flat=True)) == {None, lost.pk, lost_too.pk}

    @pytest.mark.parametrize(
        "why",
        ["it matters less", "a code", "its text is gone", "too late", "another number", "no other gateway"],
    )
    def test_what_is_not_repeated(self, why, settings):
        kind = {"it matters less": MATTERS_LESS, "a code": "sign_in_code"}.get(why, MATTERS)
        message = sent(kind=kind, **({"text": ""} if why == "its text is gone" else {}))
        if why == "another number":
            message.recipient.phone = "+77015550011"
            message.recipient.save()
        if why == "no other gateway":
            settings.SMS_BACKEND = TELLING
        now = message.give_up_at if why == "too late" else NOW
        assert not try_another_way(message, now=now)
        assert Message.objects.count() == 1


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("said", "prices", "cost"),
        [
            (Decimal("18.50"), {"telling": Decimal(20)}, Decimal("18.50")),
            (None, {"telling": Decimal(20)}, Decimal(20)),
            (None, {}, None),
        ],
        ids=["said", "by the price", "unknown"],
    )
    def test_what_it_took(self, settings, said, prices, cost):
        settings.SMS_PRICES = prices
        message = sent()
        result = SendResult(Outcome.ACCEPTED, provider_id="telling:9", cost=said)
        kept = gateways.as_taken(message, result, now=NOW)
        assert (kept["cost"], kept["segments"]) == (cost, 1)
        assert kept["ask_at"] == NOW + ASKED_AFTER[0]

    @pytest.mark.parametrize("provider_id", ["smsc:5", "second:5", ""])
    def test_nobody_asks_a_gateway_that_tells_nothing_or_is_not_chosen(self, provider_id):
        result = SendResult(Outcome.ACCEPTED, provider_id=provider_id)
        assert gateways.as_taken(sent(), result, now=NOW)["ask_at"] is None


class TestDelivering:
    """What a worker writes of a message that it hands over."""

    @pytest.fixture
    def message(self):
        return sent(state=Message.State.QUEUED, provider_id="", sent_at=None, ask_at=None)

    def test_it_keeps_what_was_said_and_asks_later(self, message, telling, settings):
        settings.SMS_PRICES = {"telling": Decimal("6.50")}
        telling.reset(SendResult(Outcome.ACCEPTED, provider_id="telling:7"))
        assert deliver_due(now=NOW).sent == 1
        message.refresh_from_db()
        assert (message.provider_id, message.segments) == ("telling:7", 1)
        assert (message.cost, message.ask_at - message.sent_at) == (Decimal("6.50"), ASKED_AFTER[0])

    def test_gateways_are_counted_also_those_that_failed_first(self, message, telling):
        telling.reset(SendResult(Outcome.UNAVAILABLE, error="telling: 3", alarm=Alarm.MONEY))
        assert deliver_due(now=NOW).sent == 1
        counted = {row.gateway: (row.taken, row.failed) for row in GatewayMinute.objects.all()}
        assert counted == {"telling": (0, 1), "second": (1, 0)}
        assert [one.alarm for one in gateways.in_trouble(now=NOW)] == ["no money"]

    def test_what_is_repeated_goes_to_the_other_first(self, message, telling):
        Message.objects.update(avoids="telling")
        deliver_due(now=NOW)
        assert (len(telling.sent), len(SecondBackend.sent)) == (0, 1)


def event(number="7", *, secret="s3cret", **changes):
    told = {
        "eventId": 26,
        "eventType": "sms-delivery-report",
        "eventCreateTs": "2026-11-22 11:42:28",
        "webhookId": 1,
        "attempt": 1,
        "data": {"campaignId": 1, "messageId": int(number), "segNum": 1, "status": "DELIVRD"},
    } | changes
    parts = f"{told['eventId']}|{told['attempt']}|{told['eventCreateTs']}|{secret}"
    return told | {"sign": hashlib.sha1(parts.encode()).hexdigest()} | changes


class TestMobizonCalls:
    @pytest.fixture(autouse=True)
    def known(self, settings, monkeypatch):
        settings.MOBIZON_WEBHOOK_SECRET = "s3cret"
        woken: list[str] = []
        monkeypatch.setattr(reports, "wake_soon", woken.append)
        return woken

    def call(self, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        return client.post(reverse("mobizon_report"), body, content_type="application/json", headers=headers)

    def test_it_is_asked_about_at_once_and_not_believed(self, known):
        message = sent(provider_id="mobizon:7", ask_at=None)
        for _ in range(2):
            assert self.call(event()).status_code == 200
        assert state_of(message) == Message.State.SENT
        assert message.ask_at is not None
        assert known[0] == reports.REPORTS_TASK

    @pytest.mark.parametrize(
        "body",
        [
            event(secret="other"),
            event(sign=None),
            event(sign="ә"),
            event(sign=["x"]),
            event(eventId=27, sign=event()["sign"]),
            event(data=None),
            event(data={"messageId": "7' OR"}),
            event(data={"messageId": "7\0"}),
            {},
            [],
            None,
            "sign",
            {"sign": {"a": 1}, "eventId": "\ud800"},
        ],
        ids=range(13),
    )
    def test_a_forged_one_changes_nothing(self, body):
        message = sent(provider_id="mobizon:7", ask_at=None)
        assert self.call(body).status_code == 403
        message.refresh_from_db()
        assert message.ask_at is None

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"\xff", b"[" * 8000], ids=["empty", "half", "bytes", "deep"]
    )
    def test_what_is_no_report(self, body):
        assert self.call(body).status_code == 400

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "",
            "x",
        ],
        ids=["parts", "no-boundary", "form", "none", "unknown"],
    )
    @pytest.mark.parametrize(
        "body",
        [b"", b"a=b", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'],
        ids=["empty", "pairs", "one-part"],
    )
    def test_what_is_no_report_is_refused_whatever_it_says_it_is(self, body, content_type):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        answer = client.post(reverse("mobizon_report"), body, content_type=content_type)
        assert answer.status_code == 400

    def test_one_that_is_too_large(self):
        assert self.call(b" " * 9000).status_code == 413

    def test_without_a_secret_nobody_is_believed(self, settings):
        settings.MOBIZON_WEBHOOK_SECRET = ""
        assert self.call(event(secret="")).status_code == 403

    def test_of_a_message_that_is_not_ours(self, known):
        assert self.call(event("999")).status_code == 200
        assert known == []

    def test_too_many(self, monkeypatch):
        monkeypatch.setattr("notifications.webhooks.MOST_IN_A_MINUTE", 2)
        assert [self.call(event()).status_code for _ in range(3)] == [200, 200, 429]

    def test_it_only_posts(self):
        assert Client().get(reverse("mobizon_report")).status_code == 405


class TestKannelCalls:
    def call(self, message, status, signed=None):
        signed = signed if signed is not None else kannel.sign(str(message.pk), "x")
        return Client().get(reverse("kannel_report"), {"report": signed, "status": status}).status_code

    @pytest.fixture
    def message(self):
        return sent(provider_id="kannel:x", ask_at=None)

    @pytest.fixture
    def hand_over(self, settings, monkeypatch):
        """Hands a message over to a Kannel: what it is asked for as a report, and its number for the message."""
        settings.SITE_URL = "https://bala.example.kz"
        heads = {}

        def post(url, *, body, headers, **terms):
            heads.update(headers)
            return Answer(202, b"")

        def hand_over(message):
            result = kannel.KannelBackend().send("+77017779876", "…", idempotency_key=str(message.pk))
            return heads["X-Kannel-DLR-Url"].removeprefix("https://bala.example.kz"), result.provider_id

        monkeypatch.setattr(kannel, "post", post)
        return hand_over

    def test_the_address_that_it_is_given_is_ours(self, message, hand_over):
        address, message.provider_id = hand_over(message)
        message.save()
        assert Client().get(address.replace("%d", "1")).status_code == 200
        assert state_of(message) == Message.State.DELIVERED

    def test_what_proves_it_stands_behind_the_question_mark(self, message, hand_over):
        assert urlsplit(hand_over(message)[0]).path == reverse("kannel_report")

    def test_a_late_report_of_a_first_sending_says_nothing_of_the_second(self, message, hand_over):
        first, _of_first = hand_over(message)
        _second, message.provider_id = hand_over(message)
        message.save()
        assert Client().get(first.replace("%d", "2")).status_code == 200
        assert state_of(message) == Message.State.SENT

    def test_an_address_ends_after_some_days(self, message):
        with time_machine.travel(NOW, tick=False):
            signed = kannel.sign(str(message.pk), "x")
        for after, status in ((SECOND_, 404), (timedelta(0), 200)):
            with time_machine.travel(NOW + kannel.REPORTED_WITHIN + after, tick=False):
                assert self.call(message, "1", signed) == status

    def test_an_sms_for_a_test_is_no_message(self, message):
        assert self.call(message, "1", kannel.sign("test", "x")) == 404

    @pytest.mark.parametrize(
        ("status", "state"), [("1", "delivered"), ("2", "undelivered"), ("16", "undelivered")]
    )
    def test_what_it_says(self, message, status, state):
        assert [self.call(message, status) for _ in range(2)] == [200, 200]
        assert state_of(message) == state

    @pytest.mark.parametrize("signed", ["", "x", "x:y:z", "ә", "x" * 3000])
    def test_what_we_did_not_sign(self, message, signed):
        assert self.call(message, "1", signed) == 404
        assert state_of(message) == Message.State.SENT

    def test_each_address_is_good_for_one_message(self, message):
        signed = kannel.sign(str(message.pk), "x")
        assert self.call(message, "1", signed.replace(str(message.pk), str(uuid4()))) == 404
        assert self.call(message, "1", kannel.sign(str(uuid4()), "x")) == 200
        assert state_of(message) == Message.State.SENT

    @pytest.mark.parametrize("status", ["", "4", "8", "%d", "1 ", "ә"])
    def test_what_means_nothing(self, message, status):
        assert self.call(message, status) == 404
        assert state_of(message) == Message.State.SENT

    def test_it_may_be_faster_than_the_worker(self, message):
        Message.objects.filter(pk=message.pk).update(state=Message.State.SENDING)
        assert self.call(message, "1") == 503

    def test_it_says_nothing_of_a_message_that_another_gateway_took(self):
        message = sent()
        assert self.call(message, "2") == 200
        assert state_of(message) == Message.State.SENT

    def test_a_message_that_is_gone(self, message):
        signed = kannel.sign(str(message.pk), "x")
        Message.objects.all().delete()
        assert self.call(message, "1", signed=signed) == 200
