"""Bringing a file in the workplace: checked, looked at, loaded, undone; each by who may, and each in both languages."""

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.city import bringing
from applications.city.kinds import KINDS
from applications.models import Application, BroughtFile
from balabaqsha.demo.former_queue import rows_of
from bulletin.importing.problems import Problem
from bulletin.importing.running import AnotherAtWork
from bulletin.importing.table import read_table
from bulletin.models import ImportBatch, Kindergarten
from notifications.alone import alone
from tests.applications.city.test_queue_file import file_of
from tests.factories import KindergartenFactory, LocalityFactory, nth_iin
from tests.staff import employee, inside, official_of

pytestmark = pytest.mark.django_db(transaction=True)

HEADING = "slug;name_kk;name_ru;locality;ownership;type;address_kk;address_ru"
AMINA = "amina;Амина;Амина;turkistan;state;nursery;Абай;Абая"


@pytest.fixture
def turkistan():
    return LocalityFactory.create()


@pytest.fixture
def official(turkistan):
    return official_of(turkistan)


def bring(user, *lines, kind="kindergartens", language=""):
    """Hand a file in and let the worker look; its page's address."""
    file = SimpleUploadedFile("қала.csv", "\r\n".join(lines).encode())
    answer = inside(user).post(language + reverse("admin:city_kind", args=[kind]), {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    bringing.work_off(now=timezone.now())
    return answer.url


def text_of(user, address):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inside(user).get(address).content.decode()))


def test_a_file_is_checked_then_loaded_then_undone(official):
    address = bring(official, HEADING, AMINA)
    page = text_of(official, address)
    assert "Не болады" in page
    assert "2: Амина (amina)" in page
    assert not Kindergarten.objects.exists()
    inside(official).post(address)
    assert "жүктелуде" in text_of(official, address).lower()
    bringing.work_off(now=timezone.now())
    assert Kindergarten.objects.get().slug == "amina"
    batch = ImportBatch.objects.get()
    assert (batch.loaded_by, batch.file_name) == (official, "қала.csv")
    brought = BroughtFile.objects.get()
    assert (brought.batch, brought.file.name) == (batch, "")
    undo = reverse("admin:city_undo", args=[batch.pk])
    assert undo in inside(official).get(address).content.decode()
    inside(official).get(undo)
    # Without a reason nothing is undone.
    inside(official).post(undo)
    assert Kindergarten.objects.exists()
    inside(official).post(undo, {"reason": "Басқа қаланың файлы"})
    assert not Kindergarten.objects.exists()
    entry = AuditEntry.objects.get(action="file_undone")
    assert (entry.actor, entry.reason) == (official, "Басқа қаланың файлы")
    assert "кері қайтарылған" in text_of(official, reverse("admin:city_files"))


def test_bad_rows_are_named_in_the_language_of_the_reader(official):
    address = bring(official, HEADING, AMINA, AMINA.replace("state", "mine"), language="/ru")
    page = text_of(official, f"/ru{address.removeprefix('/ru')}")
    assert "Такого значения нет" in page
    assert "mine" in page
    assert "собственности" in page.lower()
    assert ">ownership<" not in page
    assert "Загрузить верные строки" in page
    inside(official).post(address)
    bringing.work_off(now=timezone.now())
    assert not Kindergarten.objects.exists()


def test_bad_rows_may_be_left_out(official):
    address = bring(official, HEADING, AMINA, AMINA.replace("amina", "b").replace("state", "mine"))
    inside(official).post(address, {"skip_bad": "yes"})
    bringing.work_off(now=timezone.now())
    assert Kindergarten.objects.get().slug == "amina"
    assert ImportBatch.objects.get().left_out == 1


def test_a_file_that_can_not_be_read_says_why(official):
    page = text_of(official, bring(official, "nothing;here"))
    assert "Тақырып жолында мына бағандар жоқ: slug" in page


def test_nothing_is_loaded_twice_or_a_day_later(official):
    address = bring(official, HEADING, AMINA)
    brought = BroughtFile.objects.get()
    with pytest.raises(bringing.NotNow):
        bringing.load(brought, skip_bad=False, now=timezone.now() + bringing.KEPT_FOR)
    inside(official).post(address)
    with pytest.raises(bringing.NotNow):
        bringing.load(brought, skip_bad=False, now=timezone.now())
    assert bringing.purge(now=timezone.now() + bringing.KEPT_FOR) == 1
    assert inside(official).get(address).status_code == 404


def test_rows_of_other_localities_are_bad(official):
    LocalityFactory.create(slug="kentau")
    page = text_of(official, bring(official, HEADING, AMINA.replace("turkistan", "kentau")))
    assert "Ол сіз жұмыс істемейтін елді мекенде" in page


def test_a_file_is_its_employees_alone_and_a_batch_that_of_its_locality(official, turkistan):
    address = bring(official, HEADING, AMINA)
    inside(official).post(address)
    bringing.work_off(now=timezone.now())
    undo = reverse("admin:city_undo", args=[ImportBatch.objects.get().pk])
    colleague, elsewhere = official_of(turkistan), official_of(LocalityFactory.create(slug="kentau"))
    assert inside(colleague).get(address).status_code == 404
    assert inside(colleague).get(undo).status_code == 200
    assert inside(elsewhere).get(undo).status_code == 404
    assert inside(elsewhere).post(undo).status_code == 404


@pytest.mark.parametrize("is_whole", [False, True])
def test_whom_a_newer_file_does_not_have_is_named_and_taken_out_on_demand(official, is_whole):
    rows = [
        {**row, "benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
        for row in rows_of(3, places=["turkistan"], benefits=[], today=timezone.localdate())
    ]
    lines = file_of(rows).read().decode().splitlines()
    inside(official).post(bring(official, *lines, kind="queue"))
    bringing.work_off(now=timezone.now())
    address = bring(official, lines[0], *lines[2:], kind="queue", language="/ru")
    page = text_of(official, f"/ru{address.removeprefix('/ru')}")
    assert "которых нет в этом файле" in page
    assert rows[0]["old_number"] in page
    inside(official).post(address, {"take_absent": "yes"} if is_whole else {})
    bringing.work_off(now=timezone.now())
    states = dict(Application.objects.values_list("former__old_number", "state"))
    assert states[rows[0]["old_number"]] == ("archived" if is_whole else "waiting")
    assert [states[row["old_number"]] for row in rows[1:]] == ["waiting"] * 2
    assert ImportBatch.objects.filter(kind="queue").count() == (2 if is_whole else 1)


def test_a_right_that_was_taken_meanwhile_loads_nothing(official):
    address = bring(official, HEADING, AMINA)
    inside(official).post(address)
    official.groups.clear()
    bringing.work_off(now=timezone.now())
    assert not Kindergarten.objects.exists()
    assert BroughtFile.objects.get().state == "failed"


def test_a_file_waits_while_another_one_is_at_work(official, monkeypatch):
    def busy(*args, **options):
        raise AnotherAtWork(None)

    with monkeypatch.context() as patch:
        patch.setattr(bringing, "run_import", busy)
        bring(official, HEADING, AMINA)
        for _turn in range(5):
            bringing.work_off(now=timezone.now())
    assert BroughtFile.objects.get().state == "waiting"
    bringing.work_off(now=timezone.now())
    assert BroughtFile.objects.get().state == "ready"


def test_of_all_workers_one_is_at_the_files_of_the_city(official):
    """The others are for what has its hour: awards, closings, what families are told."""
    bring(official, HEADING, AMINA)
    BroughtFile.objects.update(state="waiting")
    with ThreadPoolExecutor(max_workers=1) as pool:
        with alone("files of the city") as is_ours:
            assert is_ours
            assert pool.submit(in_thread, bringing.work_off, now=timezone.now()).result() == 0
        assert BroughtFile.objects.get().state == "waiting"
    assert bringing.work_off(now=timezone.now()) == 1


def in_thread(work, **options):
    try:
        return work(**options)
    finally:
        connection.close()


def test_a_file_of_unreadable_rows_is_given_up_early(official, monkeypatch):
    monkeypatch.setattr("bulletin.importing.kinds.Loader.portion", 2)
    monkeypatch.setattr("bulletin.importing.running.MOST_UNREADABLE", 3)
    bring(official, HEADING, *[AMINA.replace("state", "mine")] * 9)
    bringing.work_off(now=timezone.now())
    assert BroughtFile.objects.get().trouble["problem"] == Problem.TOO_MANY_BAD


def test_how_far_it_is_can_be_read_while_it_goes_on(official, monkeypatch):
    monkeypatch.setattr("bulletin.importing.kinds.Loader.portion", 1)
    monkeypatch.setattr(bringing, "PORTION", 1)
    seen = []
    noted = bringing.making.go_on

    def note(row, **at):
        noted(row, **at)
        seen.append(at["done"])

    monkeypatch.setattr(bringing.making, "go_on", note)
    bring(official, HEADING, AMINA, AMINA.replace("amina", "b"))
    assert seen == [1, 2]


def test_links_of_new_employees_are_taken_once(turkistan, settings):
    settings.SITE_URL = "https://bala.example.kz"
    administrator = employee(Role.ADMINISTRATOR)
    KindergartenFactory.create(slug="amina", locality=turkistan)
    heading = "login;last_name;first_name;position;roles;kindergarten;iin"
    row = f"a.akhmetova;Ахметова;Айгүл;меңгеруші;kindergarten;amina;{nth_iin(1)}"
    address = bring(administrator, heading, row, kind="staff")
    inside(administrator).post(address)
    bringing.work_off(now=timezone.now())
    links = reverse("admin:city_links", args=[BroughtFile.objects.get().pk])
    assert inside(administrator).get(links).url == address
    assert BroughtFile.objects.get().links
    taken = inside(administrator).post(links)
    assert "https://bala.example.kz/" in taken.content.decode("utf-8-sig")
    assert "link=" in taken.content.decode("utf-8-sig")
    assert inside(administrator).post(links).status_code == 302
    assert BroughtFile.objects.get().links == ""


@pytest.mark.parametrize("name", KINDS)
def test_a_template_can_be_brought_as_it_is(name):
    root = employee(Role.OFFICIAL, is_superuser=True)
    addresses = [reverse("admin:city_template", args=[name, ending]) for ending in ("pdf", "csv", "xlsx")]
    for language in ("", "/ru"):
        for address in addresses[1:]:
            answer = inside(root).get(language + address)
            assert answer.status_code == 200
            table = read_table(io.BytesIO(answer.content), KINDS[name].columns)
            (row,) = table.rows
            assert row.faults == []
    assert len(load_workbook(io.BytesIO(answer.content)).worksheets) == 2
    assert inside(root).get(addresses[0]).status_code == 404
