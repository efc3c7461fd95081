"""The page that says how messages do, and where it is named."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from redis.exceptions import RedisError

from accounts.roles import Role
from notifications.clock import read_clock
from notifications.delivery import deliver_due
from notifications.models import Gateway, GatewayMinute, Message
from tests.factories import StaffFactory
from tests.staff import employee, give_app, inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    user = StaffFactory(is_superuser=True)
    give_app(user)
    return inside(user)


@pytest.fixture
def troubled(settings):
    settings.SMS_BACKEND = "notifications.sms.failover.FailoverBackend"
    settings.SMS_FAILOVER_BACKENDS = [
        "notifications.sms.smsc.SmscBackend",
        "notifications.sms.mobizon.MobizonBackend",
    ]
    now = read_clock()
    Gateway.objects.create(
        name="smsc", alarm="no money", alarm_at=now, times_left=1, left_until=now + timedelta(minutes=5)
    )
    GatewayMinute.objects.create(gateway="smsc", kind="bid_placed", minute=now, failed=3, milliseconds=300)


def message(**changes):
    now = read_clock()
    values = {
        "phone": "+77017779876",
        "kind": "bid_placed",
        "language": "kk",
        "text": "…",
        "dedupe_key": "k",
        "next_attempt_at": now - timedelta(minutes=7),
        "give_up_at": now + timedelta(days=1),
        "created_at": now,
    }
    return Message.objects.create(**values | changes)


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_it_says_what_is_wrong(desk, troubled, language):
    message()
    message(dedupe_key="failed", attempts=1, next_attempt_at=read_clock() + timedelta(minutes=2))
    with translation.override(language):
        page = desk.get(reverse("admin:messages"))
        words = {
            "kk": ("Шотта ақша жоқ", "Қайта жіберіп көретін уақыт:"),
            "ru": ("На счёте нет денег", "Следующая попытка:"),
        }
    context = page.context_data
    waiting = dict(context["waiting"])["SMS"]
    assert (waiting.count, waiting.failed) == (1, 1)
    assert [(one.name, one.alarm) for one in context["gateways"]] == [("smsc", "no money"), ("mobizon", "")]
    assert context["failures"][0].failed == 3
    assert all(one in page.content.decode() for one in words[language])


def test_while_all_is_well_it_says_so(desk):
    page = desk.get(reverse("admin:messages"))
    assert page.status_code == 200
    assert page.content.decode().count('class="nothing"') == 3


def test_what_a_gateway_of_a_machine_took_is_counted(desk, settings, tmp_path):
    """The demo writes its SMS into a file; the page said that none was sent."""
    settings.SMS_BACKEND, settings.SMS_FILE = "notifications.sms.file.FileBackend", tmp_path / "sms"
    message(next_attempt_at=read_clock())
    deliver_due(now=read_clock())
    sent = Message.objects.get()
    assert sent.state == "sent"
    Message.objects.update(sent_at=read_clock() - timedelta(minutes=3))
    page = desk.get(reverse("admin:messages")).context_data
    assert [(one.gateway, one.sent) for one in page["arrivals"]] == [("file", 1)]
    assert [(one.gateway, one.messages) for one in page["costs"]] == [("file", 1)]


def test_its_statements_do_not_grow_with_the_messages(desk):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("admin:messages"))
        return len(captured)

    asked()
    before = asked()
    for number in range(20):
        message(dedupe_key=str(number), state="sent", sent_at=read_clock(), provider_id=f"smsc:{number}")
    assert asked() == before


def test_the_month_is_not_counted_for_each_look_unless_redis_is_away(desk, monkeypatch):
    def costs():
        return [one.messages for one in desk.get(reverse("admin:messages")).context_data["costs"]]

    message(state="sent", sent_at=read_clock() - timedelta(seconds=2), provider_id="smsc:1")
    assert costs() == [1]
    Message.objects.all().delete()
    assert costs() == [1]

    def away(*args, **kwargs):
        raise RedisError

    monkeypatch.setattr("balabaqsha.staff_messages.cache", SimpleNamespace(get_or_set=away))
    assert costs() == []


@pytest.mark.parametrize(
    ("role", "status"), [(Role.KINDERGARTEN, 403), (Role.OFFICIAL, 200), (Role.AUDITOR, 200)], ids=str
)
def test_who_may_see_it(role, status):
    client = inside(employee(role))
    assert client.get(reverse("admin:messages")).status_code == status


def test_the_start_page_leads_there_while_a_gateway_is_in_trouble(desk, troubled):
    page = desk.get(reverse("admin:index"))
    assert page.context["sms"]["troubled"] == 1
    assert page.content.decode().count(f'href="{reverse("admin:messages")}"') == 2
    Gateway.objects.all().delete()
    assert desk.get(reverse("admin:index")).context["sms"] is None
