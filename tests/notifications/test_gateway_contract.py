"""One contract, and every gateway held to it, each against a real server that fails in every way."""

import json
import logging
import re
import time
import urllib.parse
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django_guid import clear_guid, set_guid

from notifications.lanes import Lanes
from notifications.peers import calls
from notifications.sms.base import Alarm, Arrival, Outcome, get_backend, hand_over
from notifications.sms.http import GatewayError
from tests.notifications import simulated
from tests.notifications.simulated import SECRET, Kannel, Mobizon, Smsc, serve

PHONE, TEXT = "+77017779876", "Код: 483920. Ешкімге айтпаңыз – ә, ғ, қ & ң=1"
KEY = "5f0c9a4e-8f2b-4a52-9a57-0c2f8f0c1a11"
GATEWAYS = {"smsc": Smsc, "mobizon": Mobizon, "kannel": Kannel}
PRIVATE = re.compile(rf"7779876|483920|{SECRET}|http:|127\.0\.0\.1")

says = simulated.says
# What goes wrong, and what it means for a message: whether it may have been taken.
UNCLEAR = {
    "says nothing": simulated.silent,
    "hangs up": simulated.hangs_up,
    "half an answer": simulated.half,
    "drips": simulated.drips,
    "500": says(500, b"oops"),
    "502": says(502, b"<html>"),
    "503": says(503),
    "without end": says(200, b"x" * 200_000),
}
NOT_TAKEN = {
    "404": says(404),
    "403": says(403, b"Authorization failed"),
    "elsewhere": says(302, Location="http://127.0.0.1:1/"),
}
TOO_MANY = says(200, b'{"error": "too many concurrent requests", "error_code": 9}')
PRICES_OF_NONSENSE = (
    *("NaN", '"NaN"', '"sNaN"', '"-NaN7"', "Infinity", '"-Infinity"', "-5", '"-0.01"', "1e400", '"1e400"'),
    *('"1e999999999"', '"999999.999"', "true", "null", "[1]", "{}", '""', '"12,50"'),
    pytest.param("9" * 6000, id="thousands of digits"),
)
NONSENSE = {
    "html": says(200, b"<html>"),
    "empty": says(200),
    "a list": says(200, b"[]"),
    "nothing in it": says(200, b"{}"),
    "no text": says(200, b"\xff\xfe\x00"),
    "deep": says(200, b"[" * 50_000),
}


@pytest.fixture(autouse=True)
def fresh(settings, monkeypatch):
    """No gateway is remembered from another test; a call ends soon; nobody rests while a table of faults is walked."""
    settings.SMS_GATEWAY_SECONDS, settings.SMS_SENDER, settings.SITE_URL = 0.4, "BALABAQSHA", ""
    monkeypatch.setattr(calls, "_peers", {})


@pytest.fixture(params=GATEWAYS)
def gateway(request, settings):
    one = GATEWAYS[request.param]()
    with serve(one) as addresses:
        one.configure(settings, addresses[one.name])
        yield one


def send(one, key=KEY, **terms):
    backend = get_backend(f"notifications.sms.{one.name}.{one.name.title()}Backend")
    return hand_over(backend, PHONE, TEXT, idempotency_key=key, **terms)


class TestEveryGateway:
    def test_it_is_told_for_which_request_by_the_thread_that_sends(self, gateway):
        """A worker's task has the id of the page that woke it, and gives it to its threads."""
        set_guid("0123abcd")
        try:
            with Lanes[Any, Any](1, send) as lanes:
                lanes.start(gateway)
        finally:
            clear_guid()
        send(gateway, key="another")
        told = [
            {name.lower(): value for name, value in heads.items()} for _line, heads, _body in gateway.asked
        ]
        assert [heads.get("x-request-id") for heads in told] == ["0123abcd", None]

    def test_it_takes_what_it_is_given_once(self, gateway):
        result = send(gateway)
        assert result.outcome is Outcome.ACCEPTED
        assert re.fullmatch(rf"{gateway.name}:[\w-]{{1,60}}", result.provider_id)
        assert (result.error, result.alarm) == ("", None)
        assert gateway.taken == [(PHONE, TEXT, "BALABAQSHA")]
        (one,) = result.tries
        assert (one.gateway, one.outcome) == (gateway.name, Outcome.ACCEPTED)
        assert 0 < one.seconds < 0.4

    @pytest.mark.parametrize(
        ("minutes", "told"),
        [
            (10, {"smsc": "00:10", "mobizon": "60", "kannel": "10"}),
            (90, {"smsc": "01:30", "mobizon": "90", "kannel": "90"}),
            (1440, {"smsc": "24:00", "mobizon": "1440", "kannel": "1440"}),
        ],
        ids=["a code", "known by an instant", "a day"],
    )
    def test_it_is_told_how_long_a_message_is_worth(self, gateway, minutes, told):
        send(gateway, minutes=minutes)
        ((_line, headers, body),) = gateway.asked
        form = dict(urllib.parse.parse_qsl(body.decode()))
        places = {"smsc": form.get("valid"), "mobizon": form.get("params[validity]")}
        said = places.get(gateway.name, headers.get("X-Kannel-Validity"))
        assert said == told[gateway.name]

    def test_no_credential_stands_in_an_address_unless_the_gateway_documents_no_other_place(self, gateway):
        send(gateway)
        ((line, _headers, _body),) = gateway.asked
        assert line.startswith("POST ")
        assert (SECRET in line) is (gateway.name == "mobizon")
        assert "7779876" not in line

    @pytest.mark.parametrize("fault", UNCLEAR)
    def test_what_may_have_been_taken_is_unclear(self, gateway, fault, caplog):
        caplog.set_level(logging.DEBUG)
        gateway.fault = UNCLEAR[fault]
        began = time.monotonic()
        result = send(gateway)
        assert result.outcome is Outcome.UNCLEAR
        assert time.monotonic() - began < 2
        assert result.error.startswith(f"{gateway.name}: ")
        assert not PRIVATE.search(result.error + result.provider_id)
        assert "483920" not in caplog.text
        assert SECRET not in caplog.text
        assert len(gateway.taken) == 1

    @pytest.mark.parametrize("fault", NOT_TAKEN)
    def test_what_was_surely_not_taken_is_not_unclear(self, gateway, fault):
        gateway.fault, gateway.takes_first = NOT_TAKEN[fault], False
        result = send(gateway)
        assert result.outcome is Outcome.UNAVAILABLE
        assert not PRIVATE.search(result.error)
        assert len(gateway.asked) == 1

    @pytest.mark.parametrize("fault", NONSENSE)
    def test_an_answer_that_makes_no_sense_is_unclear(self, gateway, fault):
        gateway.fault = NONSENSE[fault]
        assert send(gateway).outcome is Outcome.UNCLEAR

    def test_nobody_there(self, gateway, settings):
        gateway.configure(settings, "http://127.0.0.1:1")
        assert send(gateway).outcome is Outcome.UNAVAILABLE

    def test_after_three_failures_it_is_not_asked_for_a_while(self, gateway, caplog):
        gateway.fault = simulated.hangs_up
        outcomes = [send(gateway, key=f"{KEY[:-1]}{n}").outcome for n in range(4)]
        assert outcomes == [Outcome.UNCLEAR] * 3 + [Outcome.NOT_ASKED]
        assert len(gateway.asked) == 3
        (told,) = caplog.messages
        assert told.startswith(f"{gateway.name} gives no usable answer (")

    def test_a_wrong_password_calls_a_person(self, gateway, settings):
        settings.SMSC_PASSWORD = settings.MOBIZON_API_KEY = settings.KANNEL_PASSWORD = "other"
        result = send(gateway)
        assert (result.outcome, result.alarm) == (Outcome.UNAVAILABLE, Alarm.ACCOUNT)
        assert gateway.taken == []


class TestTheirErrors:
    @pytest.mark.parametrize(
        ("kind", "code", "outcome", "alarm"),
        [
            (Smsc, 1, Outcome.UNAVAILABLE, None),
            (Smsc, 3, Outcome.UNAVAILABLE, Alarm.MONEY),
            (Smsc, 4, Outcome.UNAVAILABLE, Alarm.BLOCKED),
            (Smsc, 6, Outcome.UNAVAILABLE, None),
            (Smsc, 7, Outcome.REFUSED, None),
            (Smsc, 9, Outcome.UNAVAILABLE, None),
            (Mobizon, 1, Outcome.REFUSED, None),
            (Mobizon, 13, Outcome.UNAVAILABLE, None),
            (Mobizon, 14, Outcome.UNAVAILABLE, Alarm.BLOCKED),
            (Mobizon, 30, Outcome.UNAVAILABLE, None),
        ],
        ids=lambda value: value.name if isinstance(value, type) else str(value),
    )
    def test_what_each_means(self, settings, kind, code, outcome, alarm):
        one = kind()
        one.error = code
        with serve(one) as addresses:
            one.configure(settings, addresses[one.name])
            result = send(one)
        assert (result.outcome, result.alarm) == (outcome, alarm)
        assert not PRIVATE.search(result.error)

    @pytest.fixture
    def smsc(self, settings):
        one = Smsc()
        with serve(one) as addresses:
            one.configure(settings, addresses["smsc"])
            yield one

    def test_the_same_request_again_counts_as_sent_where_an_earlier_attempt_may_have_been(self, smsc):
        """The first answer was lost: the message goes out once, and is taken for sent. It has no number."""
        smsc.fault = simulated.hangs_up
        assert send(smsc).outcome is Outcome.UNCLEAR
        smsc.fault = None
        assert send(smsc).outcome is Outcome.UNAVAILABLE
        repeated = send(smsc, is_repeat=True)
        assert (repeated.outcome, repeated.provider_id) == (Outcome.ACCEPTED, "smsc:")
        assert len(smsc.taken) == 1

    def test_too_many_requests_at_once_are_no_repeated_request(self, smsc):
        """It has one error for both, and took nothing."""
        smsc.fault, smsc.takes_first = TOO_MANY, False
        for is_repeat in (False, True):
            assert send(smsc, is_repeat=is_repeat).outcome is Outcome.UNAVAILABLE

    @pytest.mark.parametrize("number", [None, "", 0, -1, 1.5, True, [1], {"a": 1}, "a b"], ids=repr)
    def test_who_took_it_gives_a_number_that_can_be_asked_about(self, smsc, number):
        smsc.fault = says(200, json.dumps({"id": number, "cnt": 1}).encode())
        assert send(smsc).outcome is Outcome.UNCLEAR

    @pytest.mark.parametrize("data", [None, 5, {}, {"messageId": None}, {"messageId": [7]}], ids=repr)
    def test_what_mobizon_says_it_took_is_taken_even_without_a_number(self, settings, data):
        mobizon = Mobizon()
        mobizon.fault = says(200, json.dumps({"code": 100, "data": data}).encode())
        with serve(mobizon) as addresses:
            mobizon.configure(settings, addresses["mobizon"])
            result = send(mobizon)
        assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "mobizon:")

    @pytest.mark.parametrize("cost", PRICES_OF_NONSENSE)
    def test_what_is_no_price_changes_nothing_about_what_was_taken(self, smsc, cost):
        smsc.fault = says(200, b'{"id": 7, "cnt": NaN, "cost": %s}' % cost.encode())
        result = send(smsc)
        assert (result.outcome, result.provider_id, result.cost) == (Outcome.ACCEPTED, "smsc:7", None)

    def test_a_price_is_told(self, smsc):
        assert send(smsc).cost == Decimal("18.50")


class TestFailover:
    @pytest.fixture
    def pair(self, settings):
        smsc, mobizon = Smsc(), Mobizon()
        settings.SMS_FAILOVER_BACKENDS = [
            "notifications.sms.smsc.SmscBackend",
            "notifications.sms.mobizon.MobizonBackend",
        ]
        with serve(smsc, mobizon) as addresses:
            for one in (smsc, mobizon):
                one.configure(settings, addresses[one.name])
            yield smsc, mobizon

    def failover(self, last="", **terms):
        backend = get_backend("notifications.sms.failover.FailoverBackend")
        backend._last = last
        return hand_over(backend, PHONE, TEXT, idempotency_key=KEY, **terms)

    @pytest.mark.parametrize("fault", [*UNCLEAR, *NOT_TAKEN])
    def test_the_other_takes_what_the_first_did_not(self, pair, fault):
        smsc, mobizon = pair
        smsc.fault = (UNCLEAR | NOT_TAKEN)[fault]
        result = self.failover()
        assert result.outcome is Outcome.ACCEPTED
        assert result.provider_id.startswith("mobizon:")
        assert [one.gateway for one in result.tries] == ["smsc", "mobizon"]
        assert len(mobizon.taken) == 1

    @pytest.mark.parametrize("is_repeat", [False, True])
    def test_what_smsc_did_not_take_for_too_many_requests_goes_on(self, pair, is_repeat):
        smsc, mobizon = pair
        smsc.fault, smsc.takes_first = TOO_MANY, False
        assert self.failover(is_repeat=is_repeat).provider_id.startswith("mobizon:")
        assert len(mobizon.taken) == 1

    def test_what_a_gateway_lost_goes_to_the_other_first(self, pair):
        smsc, mobizon = pair
        assert self.failover(last="smsc").provider_id.startswith("mobizon:")
        assert (len(smsc.taken), len(mobizon.taken)) == (0, 1)


class TestReports:
    @pytest.fixture(params=["smsc", "mobizon"])
    def asked(self, request, settings):
        one = GATEWAYS[request.param]()
        with serve(one) as addresses:
            one.configure(settings, addresses[one.name])
            yield one, get_backend(f"notifications.sms.{one.name}.{one.name.title()}Backend")

    STATUSES = {
        "smsc": {
            "UNKNOWN": [-3, 999],
            "UNDER_WAY": [-1, 0],
            "DELIVERED": [1, 2, 4],
            "UNDELIVERED": [-2, 3, 20, 22, 23, 24, 25],
        },
        "mobizon": {
            "UNKNOWN": ["WHATEVER"],
            "UNDER_WAY": ["NEW", "ENQUEUD", "ACCEPTD", "PDLIVRD"],
            "DELIVERED": ["DELIVRD"],
            "UNDELIVERED": ["UNDELIV", "REJECTD", "EXPIRED", "DELETED"],
        },
    }

    def test_each_word_of_theirs(self, asked):
        one, backend = asked
        told = [(arrival, word) for arrival, words in self.STATUSES[one.name].items() for word in words]
        one.arrivals = {str(n): word for n, (_arrival, word) in enumerate(told, 1)}
        reports = backend.reports(dict.fromkeys(one.arrivals, PHONE))
        assert [reports[str(n)].arrival for n in range(1, len(told) + 1)] == [Arrival[a] for a, _word in told]
        assert len(one.asked) == 1

    def test_as_many_as_it_says_are_asked_about_at_once(self, asked):
        one, backend = asked
        word = self.STATUSES[one.name]["DELIVERED"][0]
        one.arrivals = {str(n): word for n in range(backend.most_asked)}
        assert len(backend.reports(dict.fromkeys(one.arrivals, PHONE))) == backend.most_asked

    def test_one_alone_is_told_like_many(self, asked):
        one, backend = asked
        one.arrivals = {"7": self.STATUSES[one.name]["DELIVERED"][0]}
        assert backend.reports({"7": PHONE})["7"].arrival is Arrival.DELIVERED

    def test_a_time_is_believed_where_its_zone_is_known(self, asked):
        one, backend = asked
        one.arrivals = {"7": self.STATUSES[one.name]["DELIVERED"][0]}
        told = {"smsc": datetime.fromtimestamp(1_760_000_000, UTC), "mobizon": None}
        assert backend.reports({"7": PHONE})["7"].at == told[one.name]

    @pytest.mark.parametrize("fault", [*UNCLEAR, *NOT_TAKEN, "html", "empty"])
    def test_whatever_goes_wrong_is_one_error_without_a_secret(self, asked, fault):
        one, backend = asked
        one.fault = (UNCLEAR | NOT_TAKEN | NONSENSE)[fault]
        one.takes_first = False
        with pytest.raises(GatewayError) as raised:
            backend.reports({"7": PHONE})
        assert not PRIVATE.search(str(raised.value))

    def test_an_error_of_theirs(self, asked):
        one, backend = asked
        one.error = 4
        with pytest.raises(GatewayError, match=r"^4$"):
            backend.reports({"7": PHONE})
