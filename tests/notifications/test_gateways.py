"""One contract for all gateways, then what each of them does of its own."""

import json
import logging
import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from notifications.models import Message
from notifications.peers.calls import FAILURES
from notifications.sms.base import Outcome, SendResult, get_backend
from notifications.sms.file import read_newest
from tests.notifications.gateways import (
    BAD_NUMBER,
    OBEDIENT,
    RESTING,
    SECOND,
    TROUBLE,
    UNCLEAR,
    ObedientBackend,
    SecondBackend,
    fake_gateway,
)
from tests.notifications.peers.servers import HEAD, drips, peer, says

SMS = "notifications.sms"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHONE, TEXT = "+77017779876", "Код: 483920. Ешкімге айтпаңыз – ә, ғ, қ & ң=1"


def smsc_answer(path, query, form):
    return 200, {"id": 15, "cnt": 1}


def mobizon_answer(path, query, form):
    return 200, {"code": 0, "data": {"campaignId": "1", "messageId": "77", "status": 1}, "message": ""}


@pytest.fixture
def smsc(settings):
    settings.SMSC_LOGIN, settings.SMSC_PASSWORD, settings.SMS_SENDER = "city", "s3cret", "BALABAQSHA"
    with fake_gateway(lambda *call: smsc_answer(*call)) as (address, log):
        settings.SMSC_URL = f"{address}/sys/send.php"
        yield log


@pytest.fixture
def mobizon(settings):
    settings.MOBIZON_API_KEY, settings.SMS_SENDER = "k3y", "BALABAQSHA"
    with fake_gateway(lambda *call: mobizon_answer(*call)) as (address, log):
        settings.MOBIZON_URL = f"{address}/service/message/sendSmsMessage"
        yield log


@pytest.fixture(params=["console", "file", "smsc", "mobizon", "failover"])
def backend(request, settings, tmp_path, smsc, mobizon):
    settings.SMS_FILE = tmp_path / "deep" / "sms.jsonl"
    settings.SMS_FAILOVER_BACKENDS = [f"{SMS}.smsc.SmscBackend", f"{SMS}.mobizon.MobizonBackend"]
    return get_backend(f"{SMS}.{request.param}.{request.param.title()}Backend")


class TestContract:
    def test_accepts_and_gives_a_number_that_fits_its_column(self, backend):
        result = backend.send(PHONE, TEXT, idempotency_key="a" * 36)
        assert result.outcome is Outcome.ACCEPTED
        assert 0 < len(result.provider_id) <= 80
        assert result.error == ""

    def test_takes_the_same_message_twice(self, backend):
        outcomes = {backend.send(PHONE, TEXT, idempotency_key="k").outcome for _ in range(2)}
        assert outcomes == {Outcome.ACCEPTED}

    def test_tells_the_log_neither_phone_nor_text(self, backend, caplog):
        caplog.set_level(logging.DEBUG)
        backend.send(PHONE, TEXT, idempotency_key="k")
        assert "7779876" not in caplog.text
        assert "483920" not in caplog.text

    # A screen is never in trouble.
    @pytest.mark.parametrize("backend", ["file", "smsc", "mobizon", "failover"], indirect=True)
    def test_turns_trouble_into_a_result(self, backend, settings, tmp_path):
        (tmp_path / "a file").write_text("")
        settings.SMS_FILE = tmp_path / "a file" / "sms.jsonl"
        settings.SMSC_URL = settings.MOBIZON_URL = "http://127.0.0.1:1/"
        result = backend.send(PHONE, TEXT, idempotency_key="k")
        assert result.outcome is Outcome.UNAVAILABLE
        assert 0 < len(result.error) <= 200
        assert not re.search(r"7779876|483920|s3cret|k3y|http:", result.error)


@pytest.mark.parametrize("hostile", ["7\0", "a\nb", "\ud800", "é" * 999, None, 7])
def test_whatever_a_gateway_says_can_be_stored(hostile, db):
    """A class of one's own may forget to clean what it hands on."""
    result = SendResult(Outcome.ACCEPTED, provider_id=hostile, error=hostile)
    stored = Message.objects.create(
        phone=PHONE,
        kind="reset_code",
        dedupe_key="k",
        provider_id=result.provider_id,
        error=result.error,
        next_attempt_at=NOW,
        give_up_at=NOW,
        created_at=NOW,
    )
    stored.refresh_from_db()
    assert (stored.provider_id, stored.error) == (result.provider_id, result.error)
    assert stored.error.isprintable()


@pytest.mark.parametrize("cost", ["NaN", "sNaN", "Infinity", "-1", "1E+400", "1E+6"])
def test_a_price_of_ones_own_class_that_is_none_is_left_out(cost):
    assert SendResult(Outcome.ACCEPTED, cost=Decimal(cost)).cost is None


class TestSlow:
    """A gateway may hold a worker for its ten seconds, and all of them together for half a minute."""

    @pytest.fixture(params=["smsc", "mobizon"])
    def gateway(self, request, settings):
        """`gateway(peer)`: the backend that asks this peer."""
        settings.SMS_GATEWAY_SECONDS = 0.3

        def asking(one):
            settings.SMSC_URL = settings.MOBIZON_URL = one.url
            return get_backend(f"{SMS}.{request.param}.{request.param.title()}Backend")

        return asking

    @pytest.mark.parametrize(
        "start", [b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD + b"Content-Length: 60000\r\n\r\n"]
    )
    def test_one_that_drips(self, gateway, start):
        with peer(drips(start)) as slow:
            result = gateway(slow).send(PHONE, TEXT, idempotency_key="k")
            assert result.outcome is Outcome.UNCLEAR
            assert "TimeoutError" in result.error
            assert slow.goes_on

    def test_one_that_rests_is_not_asked(self, gateway):
        with peer(says(b"")) as broken:
            backend = gateway(broken)
            outcomes = [backend.send(PHONE, TEXT, idempotency_key="k").outcome for _ in range(FAILURES + 1)]
            assert outcomes == [Outcome.UNCLEAR] * FAILURES + [Outcome.NOT_ASKED]
            assert broken.calls == FAILURES


class TestFile:
    def test_newest_first_and_no_more_than_asked_for(self, settings, tmp_path):
        settings.SMS_FILE = tmp_path / "sms.jsonl"
        for number in range(5):
            get_backend(f"{SMS}.file.FileBackend").send(PHONE, f"№{number}", idempotency_key=str(number))
        assert [line["text"] for line in read_newest(3)] == ["№4", "№3", "№2"]
        assert len(read_newest(100)) == 5
        assert read_newest(0) == []
        assert set(read_newest(1)[0]) == {"phone", "text", "sent_at"}

    def test_no_file_yet(self, settings, tmp_path):
        settings.SMS_FILE = tmp_path / "none.jsonl"
        assert read_newest(5) == []

    def test_a_long_file_and_a_line_that_is_being_written(self, settings, tmp_path):
        settings.SMS_FILE = tmp_path / "sms.jsonl"
        lines = [json.dumps({"phone": PHONE, "text": "ә" * 1000, "sent_at": str(n)}) for n in range(500)]
        settings.SMS_FILE.write_text("\n".join(lines) + '\n{"phone": "+7701')
        newest = read_newest(20)
        assert [line["sent_at"] for line in newest] == [str(n) for n in range(499, 479, -1)]

    @pytest.mark.parametrize("left", ['{"phone": "+7701', "null\n", "{}\n\n", "\0\0"], ids=range(4))
    def test_what_a_killed_writer_left_costs_no_other_line(self, settings, tmp_path, left):
        settings.SMS_FILE = tmp_path / "sms.jsonl"
        send = get_backend(f"{SMS}.file.FileBackend").send
        send(PHONE, "before", idempotency_key="1")
        with settings.SMS_FILE.open("a") as file:
            file.write(left)
        send(PHONE, "after", idempotency_key="2")
        assert [line["text"] for line in read_newest(2)] == ["after", "before"]


class TestSmsc:
    send = staticmethod(lambda: get_backend(f"{SMS}.smsc.SmscBackend").send(PHONE, TEXT, idempotency_key="k"))

    def test_what_it_sends(self, smsc):
        assert self.send() == SendResult(Outcome.ACCEPTED, provider_id="smsc:15")
        assert smsc == [
            {
                "path": "/sys/send.php",
                "query": {},
                "form": {
                    "login": "city",
                    "psw": "s3cret",
                    "phones": PHONE,
                    "mes": TEXT,
                    "sender": "BALABAQSHA",
                    "charset": "utf-8",
                    "fmt": "3",
                    "valid": "24:00",
                    "cost": "2",
                },
            }
        ]

    @pytest.mark.parametrize(
        ("code", "outcome"),
        [
            (1, Outcome.UNAVAILABLE),
            (2, Outcome.UNAVAILABLE),
            (3, Outcome.UNAVAILABLE),
            (4, Outcome.UNAVAILABLE),
            (5, Outcome.UNAVAILABLE),
            (6, Outcome.UNAVAILABLE),
            (7, Outcome.REFUSED),
            (8, Outcome.UNAVAILABLE),
            (9, Outcome.UNAVAILABLE),
            (99, Outcome.UNAVAILABLE),
        ],
    )
    def test_its_error_codes(self, smsc, monkeypatch, code, outcome):
        monkeypatch.setitem(
            globals(), "smsc_answer", lambda *call: (200, {"error": f"for {PHONE}", "error_code": code})
        )
        result = self.send()
        assert result.outcome is outcome
        assert PHONE not in result.error

    @pytest.mark.parametrize(
        "answer",
        [
            (500, b""),
            (200, b"<html>"),
            (200, b""),
            (200, []),
            (200, {}),
            (200, b"\xff\xfe"),
        ],
    )
    def test_answers_that_make_no_sense_leave_open_whether_it_was_taken(self, smsc, monkeypatch, answer):
        monkeypatch.setitem(globals(), "smsc_answer", lambda *call: answer)
        assert self.send().outcome is Outcome.UNCLEAR

    @pytest.mark.parametrize("answer", [(302, b""), (404, {})])
    def test_who_sends_us_elsewhere_has_not_taken_it(self, smsc, monkeypatch, answer):
        monkeypatch.setitem(globals(), "smsc_answer", lambda *call: answer)
        assert self.send().outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("gateway", ["smsc", "mobizon"])
@pytest.mark.parametrize("is_taken", [True, False])
def test_a_gateway_that_hands_back_what_it_was_sent(gateway, is_taken, request, monkeypatch):
    """What is kept and logged of an answer is a code, never a text."""
    request.getfixturevalue(gateway)
    echo = f"{TEXT} {PHONE}"
    data = {"messageId": echo} if is_taken else echo
    answer: dict[str, object] = {"id": echo} if is_taken else {"error_code": echo, "error": echo}
    if gateway == "mobizon":
        answer = {"code": 0 if is_taken else echo, "data": data, "message": echo}
    monkeypatch.setitem(globals(), f"{gateway}_answer", lambda *call: (200, answer))
    result = globals()[f"Test{gateway.capitalize()}"].send()
    said = {"smsc": "smsc: neither an id nor an error", "mobizon": "mobizon:"}[gateway]
    assert (result.provider_id or result.error) == (said if is_taken else f"{gateway}: ?")


class TestMobizon:
    send = staticmethod(
        lambda: get_backend(f"{SMS}.mobizon.MobizonBackend").send(PHONE, TEXT, idempotency_key="k")
    )

    def test_what_it_sends(self, mobizon):
        assert self.send() == SendResult(Outcome.ACCEPTED, provider_id="mobizon:77")
        assert mobizon == [
            {
                "path": "/service/message/sendSmsMessage",
                "query": {"output": "json", "api": "v1", "apiKey": "k3y"},
                "form": {
                    "recipient": "77017779876",
                    "text": TEXT,
                    "from": "BALABAQSHA",
                    "params[validity]": "1440",
                },
            }
        ]

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ({"code": 100, "data": 5, "message": ""}, Outcome.ACCEPTED),
            ({"code": 1, "data": {"recipient": "wrong"}, "message": ""}, Outcome.REFUSED),
            ({"code": 1, "data": {"from": "unknown sender"}, "message": ""}, Outcome.UNAVAILABLE),
            ({"code": 1, "data": None}, Outcome.UNAVAILABLE),
            ({"code": 8, "data": None}, Outcome.UNAVAILABLE),
            ({"code": 13, "data": None}, Outcome.UNAVAILABLE),
            ({"code": 14, "data": None}, Outcome.UNAVAILABLE),
            ({"code": 30, "data": None}, Outcome.UNAVAILABLE),
            ({}, Outcome.UNCLEAR),
        ],
    )
    def test_its_codes(self, mobizon, monkeypatch, answer, outcome):
        monkeypatch.setitem(globals(), "mobizon_answer", lambda *call: (200, answer))
        assert self.send().outcome is outcome


class TestFailover:
    @pytest.fixture
    def failover(self, settings):
        settings.SMS_FAILOVER_BACKENDS = [OBEDIENT, SECOND]
        ObedientBackend.reset()
        SecondBackend.reset()
        return get_backend(f"{SMS}.failover.FailoverBackend")

    def test_the_first_is_asked_first(self, failover):
        assert failover.send(PHONE, TEXT, idempotency_key="k").outcome is Outcome.ACCEPTED
        assert len(ObedientBackend.sent) == 1
        assert SecondBackend.sent == []

    def test_trouble_goes_on_to_the_second_with_the_same_key(self, failover):
        ObedientBackend.reset(TROUBLE)
        assert failover.send(PHONE, TEXT, idempotency_key="k").outcome is Outcome.ACCEPTED
        assert ObedientBackend.sent == SecondBackend.sent == [(PHONE, TEXT, "k")]

    def test_a_bad_number_does_not(self, failover):
        ObedientBackend.reset(BAD_NUMBER)
        assert failover.send(PHONE, TEXT, idempotency_key="k") == BAD_NUMBER
        assert SecondBackend.sent == []

    def test_one_that_rests_is_passed_over_in_silence(self, failover, caplog):
        ObedientBackend.reset(RESTING)
        assert failover.send(PHONE, TEXT, idempotency_key="k").outcome is Outcome.ACCEPTED
        assert len(SecondBackend.sent) == 1
        assert caplog.text == ""

    @pytest.mark.parametrize(
        ("first", "second", "outcome"),
        [
            (RESTING, RESTING, Outcome.NOT_ASKED),
            (RESTING, TROUBLE, Outcome.UNAVAILABLE),
            (TROUBLE, RESTING, Outcome.UNAVAILABLE),
            (UNCLEAR, TROUBLE, Outcome.UNCLEAR),
            (RESTING, UNCLEAR, Outcome.UNCLEAR),
        ],
    )
    def test_only_where_nobody_was_asked_it_was_no_attempt(self, failover, first, second, outcome):
        ObedientBackend.reset(first)
        SecondBackend.reset(second)
        result = failover.send(PHONE, TEXT, idempotency_key="k")
        assert result.outcome is outcome
        assert result.error == f"{first.error}; {second.error}"

    @pytest.mark.parametrize(("took", "is_asked"), [(19.9, True), (20.1, False)])
    def test_the_next_one_is_asked_only_if_it_can_not_outlast_the_lease(
        self, failover, monkeypatch, took, is_asked
    ):
        """Of thirty seconds in all a gateway may take ten."""
        moments = iter([100.0, 100.0, 100.0 + took])
        monkeypatch.setattr(
            "notifications.sms.failover.time", SimpleNamespace(monotonic=lambda: next(moments))
        )
        ObedientBackend.reset(TROUBLE)
        result = failover.send(PHONE, TEXT, idempotency_key="k")
        assert bool(SecondBackend.sent) is is_asked
        assert result.outcome is (Outcome.ACCEPTED if is_asked else Outcome.UNAVAILABLE)

    def test_when_all_are_in_trouble_it_says_which(self, failover, caplog):
        ObedientBackend.reset(TROUBLE)
        SecondBackend.reset(SendResult(Outcome.UNAVAILABLE, error="second: down"))
        result = failover.send(PHONE, TEXT, idempotency_key="k")
        assert result == SendResult(Outcome.UNAVAILABLE, error="obedient: trouble; second: down")
        assert caplog.messages == [
            "SMS gateway in trouble (obedient: trouble) with message k",
            "SMS gateway in trouble (second: down) with message k",
        ]
