"""Files for employees: made once, by a worker that may die, for a day, and for whoever may still read them."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts import making as making_of_all
from accounts.models import User
from accounts.roles import Role
from applications.files import making
from applications.models import MadeFile
from bulletin.models import Employment
from tests.factories import ApplicationFactory, KindergartenFactory, LocalityFactory
from tests.staff import employee, inside, official_of, worker_of

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
State = MadeFile.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped(clock):
    clock.move_to(NOW)


@pytest.fixture
def here():
    return LocalityFactory(name_kk="=1+1", name_ru="=1+1")


@pytest.fixture
def official(here):
    return official_of(here)


@pytest.fixture
def page():
    return reverse("admin:report", args=["queue"])


def made(page, desk):
    desk.post(page)
    making.make_due(now=NOW)
    return MadeFile.objects.get()


def sheets(answer):
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        names = packed.read("xl/workbook.xml").decode()
        return (
            names,
            packed.read("xl/sharedStrings.xml").decode(),
            packed.read("xl/worksheets/sheet1.xml").decode(),
        )


def test_from_the_press_to_the_file(here, official, page):
    ApplicationFactory.create_batch(2, locality=here)
    desk = inside(official)
    answer = desk.post(f"{page}?by=year&month=2026-11")
    assert answer.url == f"{page}?by=year&month=2026-11#files"
    assert "0 %" in desk.get(answer.url).content.decode()
    file = MadeFile.objects.get()
    making.make_due(now=NOW)
    html = desk.get(answer.url).content.decode()
    download = reverse("admin:made_file", args=[file.pk])
    assert download in html
    got = desk.get(download)
    assert got["Content-Disposition"] == 'attachment; filename="queue-2026-11-22.xlsx"'
    assert "no-store" in got["Cache-Control"]
    names, words, first = sheets(got)
    # A page for each way to cut it, the one that was asked for first; what looks like a formula is none.
    assert names.count("<sheet ") == 4
    assert names.index("Туған жылдар") < names.index("Айлар")
    assert "&#39;=1+1" in words or "'=1+1" in words
    assert "<f>" not in first
    assert "01.11.2026 – 22.11.2026" in words
    file.refresh_from_db()
    assert (file.done, file.total, file.state) == (4, 4, State.READY)


def test_two_presses_make_one_file_and_another_question_another_one(official, page):
    desk = inside(official)
    desk.post(page)
    desk.post(page)
    assert MadeFile.objects.count() == 1
    making.make_due(now=NOW)
    desk.post(page)
    assert MadeFile.objects.count() == 1
    desk.post(f"{page}?by=year")
    desk.post(f"/ru{page}")
    assert MadeFile.objects.count() == 3


def test_figures_of_a_minute_ago_are_asked_for_anew(official, page, clock):
    desk = inside(official)
    made(page, desk)
    clock.move_to(NOW + timedelta(minutes=1))
    desk.post(page)
    assert MadeFile.objects.count() == 2


def killed(*_args, **_options):
    raise SystemExit


def test_a_killed_worker_is_noticed_and_another_one_makes_it(official, page, clock, monkeypatch):
    desk = inside(official)
    desk.post(page)
    with monkeypatch.context() as patched:
        # The second part is the last that this worker sees.
        patched.setattr(making_of_all, "go_on", killed)
        with pytest.raises(SystemExit):
            making.make_due(now=NOW)
    file = MadeFile.objects.get()
    assert file.state == State.WORKING
    clock.move_to(NOW + making.LEASE - MICROSECOND)
    assert not making.to_make(now=NOW + making.LEASE - MICROSECOND).exists()
    desk.post(page)
    assert MadeFile.objects.count() == 1
    clock.move_to(NOW + making.LEASE)
    assert "state--warning" in desk.get(page).content.decode()
    making.make_due(now=NOW + making.LEASE)
    file.refresh_from_db()
    assert file.state == State.READY


def test_whoever_asks_again_after_a_killed_worker_gets_another_file(official, page, clock, monkeypatch):
    desk = inside(official)
    desk.post(page)
    dead = MadeFile.objects.get()
    assert making_of_all.take(dead, now=NOW, lease=making.LEASE)
    clock.move_to(NOW + making.LEASE)
    desk.post(page)
    other = MadeFile.objects.exclude(pk=dead.pk).get()
    # The worker was only slow: what it still makes is nobody's.
    with pytest.raises(making_of_all.TakenByAnother):
        making_of_all.go_on(dead, done=1, total=4, now=NOW + making.LEASE)
    making.make_due(now=NOW + making.LEASE)
    states = dict(MadeFile.objects.values_list("pk", "state"))
    assert states == {dead.pk: State.FAILED, other.pk: State.READY}


def test_one_that_a_worker_takes_at_the_moment_of_the_press_is_made_anew(official, page, clock, monkeypatch):
    desk = inside(official)
    desk.post(page)
    clock.move_to(NOW + making.LEASE)

    def taken_meanwhile(file, *, now):
        return making_of_all.take(MadeFile.objects.get(pk=file.pk), now=now, lease=making.LEASE)

    with monkeypatch.context() as patched:
        patched.setattr(making, "is_silent", taken_meanwhile)
        desk.post(page)
    states = MadeFile.objects.order_by("asked_at").values_list("state", flat=True)
    assert [*states] == [State.FAILED, State.WAITING]


def test_three_failures_are_the_end_and_the_page_says_so(official, page, monkeypatch):
    desk = inside(official)
    desk.post(page)
    monkeypatch.setattr(MadeFile.file.field, "save_form_data", None)
    monkeypatch.setattr(making, "maker_of", lambda _what: 1 / 0)
    monkeypatch.setattr(making, "may_have", lambda *_args, **_options: True)
    for state in (*[State.WAITING] * 3, State.FAILED):
        making.make_due(now=NOW)
        assert MadeFile.objects.get().state == state
    assert "state--danger" in desk.get(page).content.decode()


def test_a_file_is_there_for_a_day_to_the_microsecond(
    official, page, clock, django_capture_on_commit_callbacks
):
    desk = inside(official)
    file = made(page, desk)
    download = reverse("admin:made_file", args=[file.pk])
    end = file.ready_at + making.KEPT_FOR
    desk.session.set_expiry(timedelta(days=3))
    clock.move_to(end - MICROSECOND)
    desk = inside(official)
    assert desk.get(download).status_code == 200
    assert making.purge(now=end - MICROSECOND) == 0
    clock.move_to(end)
    assert desk.get(download).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert making.purge(now=end) == 1
    assert not default_storage.exists(file.file.name)
    assert not MadeFile.objects.exists()


def test_one_that_was_never_made_goes_too(official, page):
    inside(official).post(page)
    end = NOW + 2 * making.KEPT_FOR
    assert (making.purge(now=end - MICROSECOND), making.purge(now=end)) == (0, 1)


def test_the_right_is_asked_for_again_at_the_download(here, official, page):
    desk = inside(official)
    download = reverse("admin:made_file", args=[made(page, desk).pk])
    assert desk.get(download).status_code == 200
    # A colleague with the same rights has a file of their own.
    assert inside(official_of(here)).get(download).status_code == 404
    assert inside(employee(Role.AUDITOR)).get(download).status_code == 404
    employment = Employment.objects.filter(user=official)
    employment.update(until=NOW.date() - timedelta(days=1))
    assert desk.get(download).status_code == 404
    employment.update(until=None)
    assert desk.get(download).status_code == 200
    User.objects.get(pk=official.pk).groups.clear()
    assert desk.get(download).status_code == 404


def test_a_file_lost_on_the_disk_is_not_found(official, page):
    desk = inside(official)
    file = made(page, desk)
    default_storage.delete(file.file.name)
    assert desk.get(reverse("admin:made_file", args=[file.pk])).status_code == 404


def test_who_lost_the_right_meanwhile_gets_no_file(official, page):
    desk = inside(official)
    desk.post(page)
    official.groups.clear()
    making.make_due(now=NOW)
    assert MadeFile.objects.get().state == State.FAILED


def test_reports_are_for_those_who_read_them(here, official, page):
    foreign = LocalityFactory(slug="far", name_kk="Алыс қала", name_ru="Дальний")
    two = inside(official_of(here, LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")))
    assert "Алыс қала" not in two.get(page).content.decode()
    # What is not theirs is no choice, whatever the address says.
    answer = two.get(page, {"locality": foreign.pk})
    assert answer.context["form"].errors
    assert "Алыс қала" not in answer.content.decode()
    assert "Алыс қала" in inside(employee(Role.AUDITOR)).get(page).content.decode()
    worker = worker_of_anything(here)
    assert [worker.get(page).status_code, worker.post(page).status_code] == [403, 403]
    assert inside(official).get(reverse("admin:report", args=["nothing"])).status_code == 404


def worker_of_anything(locality):
    return inside(worker_of(KindergartenFactory(locality=locality)))


@pytest.mark.parametrize("report", ["queue", "answers"])
def test_a_page_costs_few_statements(report, official, django_assert_max_num_queries):
    desk, address = inside(official), reverse("admin:report", args=[report])
    desk.get(address)
    cache.clear()
    with django_assert_max_num_queries(15):
        assert desk.get(address).status_code == 200


@pytest.mark.parametrize(
    "of_before",
    [
        {"what": "letters:queue"},
        {"what": "report:nothing"},
        {"query": "month=nonsense"},
        {"what": "reconciliation", "query": "batch=7"},
    ],
)
def test_what_an_older_version_was_asked_for_is_given_up(official, page, of_before):
    """After an update there may be no such file any more, or no such question, or not what it was about."""
    desk = inside(official)
    desk.post(page)
    MadeFile.objects.update(**of_before)
    making.make_due(now=NOW)
    file = MadeFile.objects.get()
    assert (file.state, file.attempts) == (State.FAILED, 1)
    assert desk.get(reverse("admin:made_file", args=[file.pk])).status_code == 404


def test_names_are_only_for_who_may_read_them(official, page):
    desk = inside(official)
    download = reverse("admin:made_file", args=[made(page, desk).pk])
    MadeFile.objects.update(names_people=True)
    assert desk.get(download).status_code == 200
    auditor = employee(Role.AUDITOR)
    MadeFile.objects.update(user=auditor)
    assert inside(auditor).get(download).status_code == 404
    MadeFile.objects.update(names_people=False)
    assert inside(auditor).get(download).status_code == 200


def stored():
    return set(default_storage.listdir("made")[1]) if default_storage.exists("made") else set()


@pytest.mark.parametrize("when", ["between two parts", "after the last part"])
def test_a_worker_that_lost_its_file_leaves_nothing_behind(
    official, page, monkeypatch, django_capture_on_commit_callbacks, when
):
    """Somebody has asked anew, and another one makes it."""
    desk = inside(official)
    desk.post(page)
    go_on, before = making_of_all.go_on, stored()

    def loses_it(file, *, done, total, now):
        if when == "after the last part":
            go_on(file, done=done, total=total, now=now)
        if done == total or when == "between two parts":
            MadeFile.objects.update(state=State.FAILED)
        if when == "between two parts":
            go_on(file, done=done, total=total, now=now)

    monkeypatch.setattr(making_of_all, "go_on", loses_it)
    with django_capture_on_commit_callbacks(execute=True):
        assert not making.make(MadeFile.objects.get())
    file = MadeFile.objects.get()
    assert (file.state, file.file.name) == (State.FAILED, "")
    assert stored() == before
