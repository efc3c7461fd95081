"""«Нөмірімді тексеру»: what it tells, to whom, how often, and what nobody learns from it."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.limits import QUEUE_CHECK_PER_NETWORK
from applications.models import Application
from applications.states import ApplicationState
from applications.views.public import queue
from applications.views.public.forms import QueueCheckForm
from notifications.kinds import KINDS, Channel, sample_context
from tests.factories import ApplicationFactory, GuardianshipFactory, UserFactory
from tests.thorough import pairs
from tests.unseen import pages_unseen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CHECK = reverse("applications:queue_check")


@pytest.fixture
def application(scene):
    ApplicationFactory.create_batch(
        2, locality=scene.locality, filed_at=scene.application.filed_at.replace(day=1, month=5)
    )
    scene.application.filed_by.phone = "+77017779876"
    scene.application.filed_by.save()
    return scene.application


def ask(client, number, digits, prefix="", address="10.0.0.1", **more):
    return client.post(prefix + CHECK, {"number": number, "digits": digits} | more, REMOTE_ADDR=address)


def is_asked_for_the_birth_date(response):
    """Whether nothing is told yet, and the way on is there."""
    form = response.context["form"]
    return response.status_code == 200 and response.context["found"] is None and list(form.errors) == ["born"]


def text(response):
    return unescape(response.content.decode())


def body(response):
    """The page without what the visitor typed, the clock and the token."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", response.content.decode())
    return re.sub(r'(name="(?:number|digits)" value=)"[^"]*"', r"\1", page)


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_number_of_how_many_and_the_step(client, application, prefix):
    response = ask(client, application.number, "9876", prefix)
    assert response.status_code == 200
    found = response.context["found"]
    assert (found.position.number, found.position.total) == (3, 3)
    assert found.state == ApplicationState.WAITING
    page = text(response)
    assert str(ApplicationState.WAITING.label) in page
    for secret in ("КАМЕНОВ", "777", application.child.iin, str(application.pk)):
        assert secret not in page
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("typed", [" {0} ", "№ {0}", "{1}", "{2}"])
def test_the_number_may_be_spelt_in_many_ways(client, application, typed):
    number = application.number
    spelt = typed.format(number, number.replace("-", ""), number.replace("-", " \u2013 "))
    assert ask(client, spelt, "９８７６").context["found"].number == number


def test_any_live_guardian_s_phone_will_do(client, application):
    GuardianshipFactory(child=application.child, user=UserFactory(phone="+77051112233"))
    assert ask(client, application.number, "2233").context["found"]
    assert ask(client, application.number, "9876").context["found"]


def test_a_former_or_blocked_guardian_s_phone_will_not(client, application, scene):
    GuardianshipFactory(child=application.child, user=UserFactory(phone="+77051112233"), ended_at=scene.now)
    GuardianshipFactory(child=application.child, user=UserFactory(phone="+77051114455", is_active=False))
    assert ask(client, application.number, "2233").context["found"] is None
    assert ask(client, application.number, "4455").context["found"] is None


@pytest.mark.parametrize(
    "state", [ApplicationState.STOP_LISTED, ApplicationState.LAPSED, ApplicationState.ENROLLED]
)
def test_who_holds_no_number_sees_the_step(client, application, state):
    Application.objects.filter(pk=application.pk).update(state=state)
    response = ask(client, application.number, "9876")
    assert response.context["found"].position is None
    assert str(state.label) in text(response)


class TestNothingIsLearnt:
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_wrong_phone_and_an_unknown_number_answer_alike(self, client, application, prefix):
        wrong = ask(client, application.number, "0000", prefix)
        unknown = ask(client, "19-9999999", "9876", prefix)
        assert wrong.status_code == unknown.status_code == 200
        assert body(wrong) == body(unknown)
        # Each has an id of its own.
        assert all(answer.headers.pop("X-Request-ID") for answer in (wrong, unknown))
        assert wrong.headers.items() == unknown.headers.items()

    def test_they_cost_the_same_work(self, application):
        statements = []
        for number, digits in ((application.number, "0000"), ("19-9999999", "9876")):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                ask(Client(), number, digits)
            statements.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in queries])
        assert statements[0] == statements[1]

    def test_nothing_personal_is_in_an_address(self, client, application):
        for typed in ({"number": application.number, "digits": "9876"},):
            response = client.get(CHECK, typed)
            assert response.context["found"] is None
        page = client.get(CHECK).content.decode()
        assert 'method="post"' in page

    def test_a_foreign_page_can_not_ask(self, application):
        browser = Client(enforce_csrf_checks=True)
        assert browser.post(CHECK, {"number": application.number, "digits": "9876"}).status_code == 403


class TestLimits:
    def test_so_many_misses_an_hour_from_one_network(self, client, application, clock, scene):
        for attempt in range(QUEUE_CHECK_PER_NETWORK.times):
            # Each of another application and other digits, so that only the network is counted full.
            with pages_unseen():
                missed = ask(client, f"19-{attempt:06}", f"{attempt:04}")
            assert missed.context["form"].non_field_errors()
        for digits in ("9876", "0000"):
            asked = ask(client, application.number, digits, address="10.0.0.77")
            assert is_asked_for_the_birth_date(asked)
        assert ask(client, application.number, "9876", address="10.0.1.1").context["found"]
        clock.move_to(scene.now + timedelta(hours=1) - timedelta(microseconds=1))
        assert is_asked_for_the_birth_date(ask(client, application.number, "9876"))
        clock.move_to(scene.now + timedelta(hours=1))
        assert ask(client, application.number, "9876").context["found"]

    def stop_the_network(self):
        with pages_unseen():
            for attempt in range(QUEUE_CHECK_PER_NETWORK.times):
                ask(Client(), f"19-{attempt:06}", f"{attempt:04}")

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_date_of_birth_opens_to_neighbours_of_who_guesses(self, client, application, prefix):
        self.stop_the_network()
        born = application.child.birth_date
        for spelt in (f"{born:%d.%m.%Y}", f"{born:%d.%m.%y}", f"{born}"):
            assert ask(client, application.number, "9876", prefix, born=spelt).context["found"]
        wrong = ask(client, application.number, "9876", prefix, born=f"{born + timedelta(days=1)}")
        unknown = ask(client, "19-9999999", "9876", prefix, born=f"{born}")
        assert wrong.context["form"].non_field_errors()
        assert re.sub(r'name="born" value="[^"]*"', "", body(wrong)) == re.sub(
            r'name="born" value="[^"]*"', "", body(unknown)
        )
        assert (
            ask(client, application.number, "9876", prefix, born="31.02.2020").context["form"].errors["born"]
        )

    def test_with_the_date_they_cost_the_same_work(self, application):
        statements = []
        for number, digits in ((application.number, "0000"), ("19-9999999", "9876")):
            with CaptureQueriesContext(connection) as queries:
                ask(Client(), number, digits, born="01.01.2020")
            statements.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in queries])
        assert statements[0] == statements[1]

    def test_strangers_who_try_one_number_shut_out_nobody_who_knows_the_date(self, client, application):
        """Neither without a date nor with wrong ones, from ever other networks."""
        born = application.child.birth_date
        for attempt in range(40):
            more = {"born": f"{born + timedelta(days=attempt % 20 + 1)}"} if attempt % 2 else {}
            with pages_unseen():
                ask(Client(), application.number, f"{attempt:04}", address=f"10.0.{attempt}.1", **more)
        assert is_asked_for_the_birth_date(ask(client, application.number, "9876", address="10.1.0.1"))
        assert ask(client, application.number, "9876", address="10.1.0.1", born=f"{born}").context["found"]

    def test_the_date_helps_nobody_who_tries_one_number(self, client, application):
        """Ten an hour for each date, the right one too."""
        born = application.child.birth_date
        for attempt in range(10):
            with pages_unseen():
                ask(
                    Client(), application.number, f"{attempt:04}", address=f"10.0.{attempt}.1", born=f"{born}"
                )
        refused = ask(client, application.number, "9876", address="10.1.0.1", born=f"{born}")
        assert refused.status_code == 429
        assert str(ApplicationState.WAITING.label) not in text(refused)
        # The way out: a family sees the number in its cabinet.
        assert 'href="/cabinet/"' in refused.content.decode()

    def test_the_date_helps_no_neighbour_who_knows_phone_and_birthday(self, client, application):
        born = application.child.birth_date
        for attempt in range(10):
            with pages_unseen():
                answer = ask(client, f"19-9{attempt:05}", "9876", address=f"10.0.{attempt}.1", born=f"{born}")
            assert answer.status_code == 200
        assert ask(client, application.number, "9876", address="10.1.0.1", born=f"{born}").status_code == 429

    def test_right_checks_count_against_nobody(self, client, application):
        with pages_unseen():
            for _ in range(70):
                assert ask(client, application.number, "9876").context["found"]

    @pytest.mark.parametrize(
        ("prefix", "sentence"), [("", "онсыз мұнда ештеңе ізделмейді"), ("/ru", "проверка закрыта")]
    )
    def test_without_redis_they_go_on_for_a_minute(
        self, client, application, clock, redis_away, prefix, sentence
    ):
        assert ask(client, application.number, "9876", prefix=prefix).context["found"]
        clock.shift(timedelta(minutes=1) - timedelta(microseconds=1))
        assert ask(client, application.number, "9876", prefix=prefix).context["found"]
        clock.shift(timedelta(microseconds=1))
        refused = ask(client, application.number, "9876", prefix=prefix)
        assert refused.status_code == 503
        assert sentence in refused.content.decode()

    @pytest.mark.parametrize("known", [True, False])
    def test_ten_an_hour_for_one_number_from_anywhere(self, client, application, known):
        number = application.number if known else "19-9999999"
        for attempt in range(10):
            assert ask(client, number, "0000", address=f"10.0.{attempt}.1").status_code == 200
        assert is_asked_for_the_birth_date(ask(client, number, "9876", address="10.1.0.1"))

    def test_a_neighbour_s_digits_find_no_application_by_trying_all(self, application):
        """The phone is known, the application is looked for: from ever other networks, hour after hour."""
        for attempt in range(10):
            assert ask(Client(), f"19-9{attempt:05}", "9876", address=f"10.0.{attempt}.1").status_code == 200
        assert is_asked_for_the_birth_date(ask(Client(), application.number, "9876", address="10.1.0.1"))

    @pytest.mark.parametrize("vary", ["number", "digits"])
    def test_patience_does_not_help(self, application, clock, vary):
        """Twenty a day, as long as one of the two is the same."""

        def one_more(attempt):
            number = application.number if vary == "digits" else f"19-9{attempt:05}"
            digits = "9876" if vary == "number" else f"{attempt:04}"
            with pages_unseen():
                answer = ask(Client(), number, digits, address=f"10.{attempt}.0.1")
            return answer.status_code == 200 and not is_asked_for_the_birth_date(answer)

        told = 0
        for attempt in range(100):
            told += one_more(attempt)
            clock.shift(timedelta(minutes=12))
        assert told == 20
        last = ask(Client(), application.number, "9876", address="10.200.0.1")
        assert is_asked_for_the_birth_date(last)

    def test_the_family_itself_is_stopped_by_nobody(self, application, client_of):
        """Signed in, or from the phone on which it was: whatever strangers tried with its number and its digits."""
        family = application.filed_by
        family.username = "+77017779876"
        family.set_password("parent-pass-1")
        family.save()
        device = Client()
        device.post("/login/", {"phone": "+77017779876", "password": "parent-pass-1"})
        assert device.post("/logout/").status_code == 302
        with pages_unseen():
            for attempt in range(10):
                ask(Client(), application.number, f"{attempt:04}")
                ask(Client(), f"19-9{attempt:05}", "9876")
                ask(Client(), f"19-8{attempt:05}", f"{attempt:04}")
        assert is_asked_for_the_birth_date(ask(Client(), application.number, "9876"))
        assert ask(device, application.number, "9876").context["found"]
        assert ask(client_of(family), application.number, "9876").context["found"]
        # Somebody else's account or phone opens nothing.
        assert is_asked_for_the_birth_date(ask(client_of(UserFactory.create()), application.number, "9876"))

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_page_says_what_holds(self, client, monkeypatch, prefix):
        monkeypatch.setattr(queue, "QUEUE_CHECK_PER_NETWORK", replace(QUEUE_CHECK_PER_NETWORK, times=417))
        assert "417" in text(client.get(prefix + CHECK))

    def test_what_was_mistyped_is_not_counted(self, client, application):
        for _ in range(12):
            assert ask(client, application.number, "98").context["form"].errors
        assert ask(client, application.number, "9876").context["found"]


NONSENSE = [
    ("", ""),
    ("19-000001", ""),
    ("", "9876"),
    ("\x00", "\x00"),
    ("19-000001\x00", "9876"),
    ("' OR 1=1 --", "9876"),
    ("<script>", "9876"),
    ("19-" + "9" * 300, "9876"),
    ("19-000001", "98765"),
    ("19-000001", "98 7"),
    ("19-000001", "abcd"),
    ("19-000001", "²²²²"),
    ("19--000001", "9876"),
    ("🙂", "🙂🙂🙂🙂"),
]


@pytest.mark.parametrize(("typed", "prefix"), list(pairs(NONSENSE, ["", "/ru"])))
def test_nonsense_is_answered_in_words(client, db, typed, prefix):
    number, digits = typed
    response = ask(client, number, digits, prefix)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert "<script>" not in response.content.decode().replace("<script src", "")


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_visitors_find_it_on_the_home_page_and_families_their_list(client, parent_client, prefix):
    assert f'href="{prefix}{"/queue/check/"}"' in client.get(prefix + "/").content.decode()
    page = parent_client.get(prefix + "/").content.decode()
    assert f'href="{prefix}/cabinet/applications/"' in page


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_the_sms_about_filing_carries_all_that_is_asked_for(language):
    """The page asks for the whole number: the SMS is read back as it came, and its end alone is no number."""
    kind = KINDS["application_filed"]
    sms = render_to_string(kind.template(Channel.SMS, language), sample_context(kind))
    number, _short = re.findall(r"№(\w+-?\w*)", sms)
    assert QueueCheckForm({"number": number, "digits": "9876"}).is_valid()
    refused = QueueCheckForm({"number": number[-4:], "digits": "9876"})
    assert "SMS" in refused.errors["number"][0]
