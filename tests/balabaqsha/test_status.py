"""The status page: what works now, and what happened, also while something hangs."""

import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.template.loader import render_to_string

from balabaqsha.health import heartbeats, incidents, probes, status, sweeps
from balabaqsha.health import line as line_module
from balabaqsha.models import Incident, Sweep
from balabaqsha.queues import QUEUES
from bulletin.models import Pause
from notifications.models import Message
from tests.balabaqsha.silent import at_port, silent_server
from tests.factories import IncidentNoteFactory, LocalityFactory, ReportedIncidentFactory, StaffFactory

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# What is asked is asked on a connection of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    for module, name in ((probes, "_database"), (probes, "_redis"), (probes, "_files"), (status, "_history")):
        monkeypatch.setattr(module, name, probes.Probe(getattr(module, name)._ask))
    monkeypatch.setattr(status, "_last", [])


@pytest.fixture(autouse=True)
def _well(transactional_db):
    call_command("load_holidays", first_year=2026, last_year=2028, verbosity=0, stdout=StringIO())
    with time_machine.travel(NOW, tick=False):
        sweeps.introduce(seconds=10)
    alive_at(NOW)


def alive_at(now: datetime) -> None:
    """Everybody has just been heard of, and every sweep has run."""
    with time_machine.travel(now, tick=False):
        Sweep.objects.update(finished_at=now)
        heartbeats.send("beat@one", role="beat")
        heartbeats.send("celery@one", role="worker", queues=list(QUEUES))


def look(now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        incidents.watch(now=now)


def told() -> list[tuple]:
    return list(Incident.objects.order_by("started_at").values_list("part", "started_at", "ended_at"))


def page(client, *, now: datetime = NOW, language: str = "ru") -> str:
    with time_machine.travel(now, tick=False):
        answer = client.get("/ru/status/" if language == "ru" else "/status/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def late_message(due: datetime) -> Message:
    return Message.objects.create(
        phone="+77017779876",
        kind="bid_placed",
        language="kk",
        text="…",
        dedupe_key="late",
        next_attempt_at=due,
        give_up_at=due + timedelta(days=1),
        created_at=due,
    )


class TestIncidents:
    def test_one_row_from_its_beginning_to_its_end(self):
        message = late_message(NOW - 11 * MINUTE)
        for minute in range(3):
            alive_at(NOW + minute * MINUTE)
            look(NOW + minute * MINUTE)
        assert told() == [("messages", NOW, None)]
        Message.objects.filter(pk=message.pk).update(state=Message.State.SENT)
        alive_at(NOW + 3 * MINUTE)
        look(NOW + 3 * MINUTE)
        assert told() == [("messages", NOW, NOW + 3 * MINUTE)]

    def test_while_nobody_looked_nothing_was_done_either(self):
        later = NOW + timedelta(hours=2)
        look(later)
        # Sweeps are late still: it goes on, from the last look.
        assert told() == [("work", NOW, None)]
        alive_at(later + MINUTE)
        look(later + MINUTE)
        assert told() == [("work", NOW, later + MINUTE)]

    def test_a_missed_look_is_no_incident(self):
        look(NOW + 4 * MINUTE)
        assert told() == []

    def test_after_ninety_days_it_is_forgotten(self):
        kept, gone = NOW - timedelta(days=89), NOW - timedelta(days=91)
        for at in (kept, gone):
            Incident.objects.create(part="work", started_at=at - MINUTE, ended_at=at)
        look(NOW)
        assert [ended for _part, _started, ended in told()] == [kept]

    def test_a_silent_database_is_noted_afterwards(self, monkeypatch):
        with silent_server() as server, monkeypatch.context() as patched:
            patched.setattr(line_module, "connections", {"default": at_port(server.port)})
            patched.setattr(incidents, "ANSWER_SECONDS", 0.2)
            incidents.watch(now=NOW)
        assert told() == []


class TestPage:
    def test_all_is_well(self, client):
        for language, words in (("kk", "Бәрі жұмыс істеп тұр"), ("ru", "Всё работает")):
            assert words in page(client, language=language)

    def test_pauses_and_incidents_with_their_times_and_what_was_done(self, client):
        Incident.objects.create(
            part="messages", started_at=NOW - timedelta(days=2), ended_at=NOW - timedelta(days=1)
        )
        place, official = LocalityFactory(), StaffFactory()
        words = {"notice_kk": "Жөндеу", "notice_ru": "Ремонт", "started_by": official}
        Pause.objects.create(locality=place, started_at=NOW - timedelta(hours=1), **words)
        Pause.objects.create(
            started_at=NOW - timedelta(days=5),
            ended_at=NOW - timedelta(days=4),
            ended_by=official,
            **words | {"notice_ru": "Сбой связи"},
        )
        found = page(client)
        assert found.index("Приём заявок приостановлен") < found.index("Ремонт") < found.index("Сбой связи")
        assert place.name_ru in found
        assert "Сообщения опаздывали" in found
        assert "31.08.2026" in found
        assert official.username not in found

    def test_what_officials_tell_stands_beside_what_the_portal_noted(self, client):
        Incident.objects.create(
            part="messages", started_at=NOW - timedelta(days=3), ended_at=NOW - timedelta(days=2)
        )
        far = LocalityFactory(name_ru="г. Орал")
        over = {"started_at": NOW - timedelta(days=1), "note__is_over": True, "note__written_at": NOW}
        told: dict[str, dict[str, Any]] = {
            "Завершено": over | {"note__until": NOW - timedelta(hours=20)},
            "Идёт <i>сейчас</i>": {"started_at": NOW - timedelta(hours=2), "locality": far},
            "Будет позже": {
                "started_at": NOW + timedelta(days=1),
                "note__until": NOW + timedelta(days=2),
            },
            "Не закрыто": {"started_at": NOW - timedelta(hours=3), "note__until": NOW - timedelta(hours=1)},
        }
        for title, fields in told.items():
            ReportedIncidentFactory(title_ru=title, **fields)
        found = page(client)
        assert "Работает не всё" in found
        order = [
            "г. Орал: Идёт &lt;i&gt;сейчас&lt;/i&gt;",
            "Ещё никто не сообщил",
            "Плановые работы",
            "Будет позже",
            "Последние девяносто дней",
            "Завершено",
            "Сообщения опаздывали",
        ]
        places = [found.index(words) for words in order]
        assert places == sorted(places)
        assert found.count("Специалисты чинят") == 4
        # The page names its own minute.
        assert '01.09.2026</span> <span class="nowrap">14:00' in found

    def test_a_note_is_public_at_once(self, client):
        incident = ReportedIncidentFactory(started_at=NOW - MINUTE)
        assert "Работает не всё" in page(client)
        IncidentNoteFactory(
            incident=incident, number=2, text_ru="Починили", is_over=True, until=NOW, written_at=NOW
        )
        found = page(client)
        assert "Всё работает" in found
        assert (
            found.index("Последние девяносто дней")
            < found.index("Специалисты чинят")
            < found.index("Починили")
        )

    def test_what_goes_on_is_not_told_as_mended(self, client):
        running = Incident.objects.create(part="messages", started_at=NOW - MINUTE)
        mended = "Ожидавшее отправлено позже"
        assert mended not in page(client)
        Incident.objects.filter(pk=running.pk).update(ended_at=NOW)
        assert mended in page(client)

    def test_what_hangs_holds_it_for_two_seconds_at_most(self, client, monkeypatch):
        Incident.objects.create(
            part="work", started_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1)
        )
        assert "Всё работает" in page(client)
        with silent_server() as server:
            monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
            begun = time.monotonic()
            found = page(client)
            assert time.monotonic() - begun < 2
        assert "Работает не всё" in found
        # What is known from before is told with its time.
        assert "Данные недоступны" in found
        assert "01.09.2026" in found

    def test_a_proxy_may_keep_it_for_seconds(self, client):
        assert client.get("/status/").headers["Cache-Control"] == "public, max-age=10"

    def test_the_page_of_an_outage_leads_to_it(self):
        assert "/status/" in render_to_string("503.html")
