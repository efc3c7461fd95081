"""An official tells of an incident: read before it is published, public at once, told further in notes."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils.timezone import localtime

from accounts.roles import Role
from bulletin.models import ReportedIncident
from tests.factories import LocalityFactory, ReportedIncidentFactory
from tests.staff import employee, inside, official_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

ADD = reverse("admin:bulletin_reportedincident_add")
TEXTS = {
    "title_kk": "СМС кешігіп жатыр",
    "title_ru": "СМС опаздывают",
    "broken_kk": "Кодтар он минуттан кейін келеді",
    "broken_ru": "Коды приходят через десять минут <script>",
    "works_kk": "Кабинет пен кезек жұмыс істейді",
    "works_ru": "Кабинет и очередь работают",
    "done_kk": "Мерзімдер бір күнге шегерілді",
    "done_ru": "Сроки перенесены на день",
}


def at(instant):
    return f"{localtime(instant):%Y-%m-%dT%H:%M}"


@pytest.fixture
def desk(scene):
    return inside(employee(Role.ADMINISTRATOR))


@pytest.fixture
def sent(scene):
    return {**TEXTS, "locality": "", "started_at": at(scene.now - timedelta(hours=1)), "until": ""}


def text(response):
    return unescape(response.content.decode())


def test_it_is_read_first_and_told_when_confirmed(desk, sent, scene):
    read = text(desk.post(ADD, sent))
    assert "Барлық елді мекен" in read
    assert not ReportedIncident.objects.exists()
    assert all(words in read for words in TEXTS.values())
    answer = desk.post(ADD, {**sent, "is_over": "False", "confirmed": "yes"})
    incident = ReportedIncident.objects.as_told().get()
    assert answer.url == reverse("admin:bulletin_reportedincident_change", args=[incident.pk])
    assert (incident.is_over, incident.until) == (False, None)
    assert localtime(incident.started_at) == localtime(scene.now - timedelta(hours=1)).replace(
        second=0, microsecond=0
    )
    # The next who writes of the same place sees it before they publish.
    again = text(desk.post(ADD, {**sent, "title_kk": "СМС жоғалып жатыр"}))
    assert again.count(TEXTS["title_kk"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title_ru", ""),
        ("works_kk", ""),
        ("done_ru", ""),
        ("title_kk", "ж" * 121),
        ("broken_kk", "Қоңырау шалыңыз: +7 701 777 98 76"),
        ("started_at", "0001-01-01T00:00"),
        ("started_at", "9999-12-31T23:59"),
        ("until", "2019-13-45T00:00"),
    ],
    ids=[
        "one language",
        "what works",
        "what is done",
        "too long",
        "a phone",
        "year 1",
        "year 9999",
        "no time",
    ],
)
def test_what_cannot_be_told(field, value, desk, sent):
    answer = desk.post(ADD, {**sent, field: value, "confirmed": "yes"})
    assert [*answer.context["errors"]] == [field]
    assert not ReportedIncident.objects.exists()


def test_an_official_tells_of_own_localities_only(sent, scene):
    far = LocalityFactory(slug="far")
    own = inside(official_of(scene.locality))
    for place in ("", far.pk):
        answer = own.post(ADD, {**sent, "locality": place, "confirmed": "yes"})
        assert [*answer.context["errors"]] == ["locality"]
    assert own.post(ADD, {**sent, "locality": scene.locality.pk, "confirmed": "yes"}).status_code == 302
    assert ReportedIncident.objects.get().locality == scene.locality


def test_a_note_is_read_first_and_who_was_second_reads_the_other(desk, scene):
    incident = ReportedIncidentFactory(started_at=scene.now - timedelta(hours=2))
    address = reverse("admin:bulletin_reportedincident_work", args=[incident.pk, "note"])
    words = {"text_kk": "Бәрі қалпына келді", "text_ru": "Всё восстановлено"}
    sent = {**words, "after": "1", "is_over": "on", "until": at(scene.now - timedelta(hours=1))}
    assert words["text_ru"] in text(desk.post(address, sent))
    assert incident.notes.count() == 1
    assert desk.post(address, {**sent, "confirmed": "yes"}).status_code == 302
    assert ReportedIncident.objects.as_told().get().is_over
    # From a page that was opened before that.
    refused = desk.post(address, {**sent, "confirmed": "yes"})
    assert refused.context["errors"]
    assert words["text_kk"] in text(refused)
    assert incident.notes.count() == 2
    assert 'name="after" value="2"' in text(refused)
    shown = text(desk.get(reverse("admin:bulletin_reportedincident_change", args=[incident.pk])))
    assert "Мамандар жөндеп жатыр" in shown
    assert words["text_kk"] in shown


def test_the_start_page_names_what_should_be_over(desk, scene):
    ReportedIncidentFactory(
        started_at=scene.now - timedelta(hours=2), note__until=scene.now - timedelta(hours=1)
    )
    page = desk.get(reverse("admin:index"))
    assert page.context["numbers"].incidents == 1
    address = reverse("admin:bulletin_reportedincident_changelist") + "?end=open"
    assert address in text(page)
    assert desk.get(address).context["cl"].result_count == 1
