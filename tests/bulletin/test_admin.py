"""The staff's view: everyone their own kindergartens, reviews moderated with a reason, the calendar safe from loss."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from accounts.roles import Role
from balabaqsha.roles import PERMISSIONS
from bulletin.employment import employees_of, institutions_of, kindergartens_of, localities_of
from bulletin.models import Employment, Holiday, Kindergarten, Locality, Review
from bulletin.official_days import source_in_words
from bulletin.seen import mark_of
from tests.factories import (
    EmploymentFactory,
    KindergartenFactory,
    LocalityFactory,
    StaffFactory,
    UserFactory,
)
from tests.staff import carried, employee, official_of, press, worker_of

pytestmark = pytest.mark.django_db

TODAY = date(2019, 6, 26)
ONE_DAY = timedelta(days=1)
ClientOf = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _no_second_factor(settings) -> None:
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture
def chief(client_of: ClientOf) -> Client:
    return client_of(StaffFactory.create(is_superuser=True))


@pytest.fixture
def own() -> Kindergarten:
    return KindergartenFactory.create(name_kk="Өз балабақшасы", name_ru="Свой детский сад")


@pytest.fixture
def other() -> Kindergarten:
    return KindergartenFactory.create(name_kk="Бөтен балабақша", name_ru="Чужой детский сад")


@pytest.fixture
def worker(own: Kindergarten) -> User:
    """An employee of `own` with nearly every right on the models of this app: the employment must hold them back."""
    user = StaffFactory.create()
    of_others = ("work_everywhere", "add_kindergarten", "delete_kindergarten")
    rights = Permission.objects.filter(content_type__app_label="bulletin").exclude(codename__in=of_others)
    user.user_permissions.set(rights)
    Employment.objects.create(user=user, kindergarten=own, since=date(2019, 1, 1))
    return user


@pytest.fixture
def worker_client(worker: User, client_of: ClientOf) -> Client:
    return client_of(worker)


# --- employment ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "works"),
    [
        (TODAY, None, True),
        (TODAY, TODAY, True),
        (TODAY + ONE_DAY, None, False),
        (TODAY - ONE_DAY, TODAY - ONE_DAY, False),
        (TODAY - ONE_DAY, TODAY, True),
    ],
)
def test_an_employment_holds_from_its_first_to_its_last_day(
    own: Kindergarten, other: Kindergarten, since: date, until: date | None, works: bool
) -> None:
    user = StaffFactory.create()
    Employment.objects.create(user=user, kindergarten=own, since=since, until=until)
    assert list(kindergartens_of(user, today=TODAY)) == ([own] if works else [])


def test_an_official_has_the_kindergartens_of_own_localities(own: Kindergarten) -> None:
    """Neither more where one is employed in both ways, nor anything before the first day and after the last."""
    beside = KindergartenFactory.create(locality=own.locality)
    other = KindergartenFactory.create(locality=LocalityFactory.create(slug="kentau", name_kk="Кентау"))
    user = official_of(own.locality)
    EmploymentFactory(user=user, kindergarten=own)
    EmploymentFactory(user=user, kindergarten=None, locality=other.locality, until=TODAY - ONE_DAY)
    assert list(localities_of(user, today=TODAY)) == [own.locality]
    assert sorted(kindergartens_of(user, today=TODAY), key=str) == sorted([own, beside], key=str)
    assert other in kindergartens_of(user, today=TODAY - ONE_DAY)
    assert not employees_of(beside, today=TODAY)
    worker, everywhere = worker_of(own), employee(Role.CONTACT_CENTRE)
    assert not localities_of(worker, today=TODAY)
    assert set(localities_of(everywhere, today=TODAY)) == {own.locality, other.locality}
    acts = [(one.pk, datetime(2019, 6, day, 6, tzinfo=UTC)) for one in (user, everywhere) for day in (24, 26)]
    assert institutions_of(acts) == {
        acts[0]: ", ".join(sorted([own.name, own.locality.name, other.locality.name])),
        acts[1]: ", ".join(sorted([own.name, own.locality.name])),
    }


def test_officials_from_before_have_every_locality_that_there_was(
    own: Kindergarten, other: Kindergarten
) -> None:
    migration = import_module("bulletin.migrations.0009_officials_have_localities")
    official, worker = official_of(), worker_of(own)
    migration.give_officials_every_locality(apps, SimpleNamespace(connection=connection))
    assert set(localities_of(official, today=timezone.localdate())) == {own.locality, other.locality}
    assert [one.place for one in worker.employments.all()] == [own]
    migration.take_them(apps, SimpleNamespace(connection=connection))
    assert not localities_of(official, today=timezone.localdate())


def test_who_has_which_kindergartens(own: Kindergarten, other: Kindergarten) -> None:
    everything = {own, other}
    assert set(kindergartens_of(StaffFactory.create(is_superuser=True), today=TODAY)) == everything
    assert not kindergartens_of(StaffFactory.create(), today=TODAY)
    parent, gone = UserFactory.create(), StaffFactory.create(is_active=False, is_superuser=True)
    for user in (parent, gone):
        Employment.objects.create(user=user, kindergarten=own, since=TODAY)
        assert not kindergartens_of(user, today=TODAY)


# --- localities ----------------------------------------------------------------------------------------------


def test_a_zone_is_chosen_and_not_typed(chief: Client) -> None:
    form = {"slug": "aqtau", "name_kk": "Ақтау", "name_ru": "Актау", "order": "0"}
    for wrong in ("Asia/Nowhere", "", "Asia/Almaty ", "../etc/passwd", "\x00"):
        answer = chief.post("/admin/bulletin/locality/add/", form | {"timezone": wrong})
        assert answer.status_code == 200
        assert list(answer.context["adminform"].form.errors) == ["timezone"]
    assert chief.post("/admin/bulletin/locality/add/", form | {"timezone": "Asia/Aqtau"}).status_code == 302
    assert Locality.objects.get().timezone == "Asia/Aqtau"


def test_a_zone_outside_of_the_country_stays_a_choice_where_it_is_stored(chief: Client) -> None:
    place = LocalityFactory.create(slug="east", timezone="Asia/Tokyo")
    address = f"/admin/bulletin/locality/{place.pk}/change/"
    assert "Asia/Tokyo (UTC+09)" in unescape(chief.get(address).content.decode())
    form = {"slug": "east", "name_kk": "Шығыс", "name_ru": "Восток", "order": "1"}
    assert chief.post(address, form | {"timezone": "Asia/Tokyo"}).status_code == 302


@pytest.mark.parametrize("wrong", ["Asia/Nowhere", "", "Almaty"])
def test_neither_the_model_nor_the_database_takes_what_is_no_zone(wrong: str) -> None:
    with pytest.raises(ValidationError):
        LocalityFactory.build(timezone=wrong).full_clean()
    with pytest.raises(DataError), transaction.atomic():
        LocalityFactory.create(timezone=wrong)


def test_what_was_no_zone_before_the_update_becomes_the_countrys() -> None:
    migration = import_module("bulletin.migrations.0006_real_zones")
    right, wrong = LocalityFactory.create(slug="a", timezone="Asia/Aqtau"), LocalityFactory.create(slug="b")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE bulletin_locality DROP CONSTRAINT locality_zone_is_real")
    Locality.objects.filter(pk=wrong.pk).update(timezone="Asia/Nowhere")
    migration.replace_what_is_no_zone(apps, SimpleNamespace(connection=connection))
    assert [Locality.objects.get(pk=one.pk).timezone for one in (right, wrong)] == [
        "Asia/Aqtau",
        "Asia/Almaty",
    ]


# --- kindergartens and groups --------------------------------------------------------------------------------


def test_a_worker_sees_only_their_own_kindergarten(worker_client: Client, own, other) -> None:
    page = worker_client.get("/admin/bulletin/kindergarten/").content.decode()
    assert own.name_kk in page
    assert other.name_kk not in page
    assert worker_client.get(f"/admin/bulletin/kindergarten/{own.pk}/change/").status_code == 200
    assert worker_client.get(f"/admin/bulletin/kindergarten/{other.pk}/change/").status_code == 404
    assert worker_client.post(f"/admin/bulletin/kindergarten/{other.pk}/change/", {}).status_code == 404
    assert worker_client.post(f"/admin/bulletin/kindergarten/{own.pk}/delete/").status_code == 403
    assert worker_client.get("/admin/bulletin/kindergarten/add/").status_code == 403


def test_a_worker_changes_the_contacts_and_not_the_name(worker_client: Client, own: Kindergarten) -> None:
    data = {
        "name_kk": "Басқа", "slug": "basqa", "address_kk": "Абай 1", "address_ru": "Абая 1", "phone": "", "head": "",
        "groups-TOTAL_FORMS": "0", "groups-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert press(worker_client, f"/admin/bulletin/kindergarten/{own.pk}/change/", data).status_code == 302
    changed = Kindergarten.objects.get(pk=own.pk)
    assert (changed.name_kk, changed.slug, changed.address_kk) == (own.name_kk, own.slug, "Абай 1")


def test_an_official_finds_a_kindergarten_by_any_spelling(chief: Client, own, other) -> None:
    for search in ("ӨЗ", "оз", "свой", own.slug):
        page = chief.get("/admin/bulletin/kindergarten/", {"q": search}).content.decode()
        assert own.name_kk in page
        assert other.name_kk not in page


# --- calendar ------------------------------------------------------------------------------------------------


def test_a_day_is_never_deleted_and_keeps_its_date(chief: Client) -> None:
    call_command("load_holidays", "--first-year", "2026", "--last-year", "2026", stdout=StringIO())
    day = Holiday.objects.get(date=date(2026, 5, 27))
    assert chief.post(f"/admin/bulletin/holiday/{day.pk}/delete/", {"post": "yes"}).status_code == 403
    data = {
        "date": "2026-05-28",
        "kind": "work",
        "name_kk": "Жұмыс күні",
        "name_ru": "Рабочий день",
        # As the page shows it: nobody names another one.
        "source": source_in_words(day.source),
        "confirmed": "yes",
    }
    asked = carried(chief.post(f"/admin/bulletin/holiday/{day.pk}/change/", data))
    assert press(chief, f"/admin/bulletin/holiday/{day.pk}/change/", {**data, **asked}).status_code == 302
    day.refresh_from_db()
    assert (day.date, day.kind) == (date(2026, 5, 27), "work")
    assert day.source == User.objects.get().username


def test_the_calendar_begins_with_what_is_next(chief: Client) -> None:
    today = timezone.localdate()
    before, after = today - timedelta(days=1), today + timedelta(days=400)
    for day in (after, before, today):
        Holiday.objects.create(date=day, name_kk="Мереке", name_ru="Праздник")

    def listed(query: str = "") -> list[date]:
        found = chief.get(f"/admin/bulletin/holiday/{query}").context["cl"].result_list
        return [one.date for one in found]

    assert listed() == [today, after]
    assert listed("?when=earlier") == [before]
    assert listed("?when=all") == [before, today, after]
    assert listed("?q=мереке") == [before, today, after]
    assert before in listed(f"?date__year={before.year}")


@pytest.mark.parametrize(("prefix", "order"), [("", ["a", "b"]), ("/ru", ["b", "a"])])
def test_kindergartens_stand_in_the_order_of_the_language(
    chief: Client, prefix: str, order: list[str]
) -> None:
    for slug, name_kk, name_ru in (("a", "«Ақбота»", "«Верблюжонок»"), ("b", "«Балапан»", "«Аистёнок»")):
        KindergartenFactory.create(slug=slug, name_kk=name_kk, name_ru=name_ru)
    for query in ("", "?o=1"):
        page = chief.get(f"{prefix}/admin/bulletin/kindergarten/{query}")
        assert [one.slug for one in page.context["cl"].result_list] == order
    backwards = chief.get(f"{prefix}/admin/bulletin/kindergarten/?o=-1")
    assert [one.slug for one in backwards.context["cl"].result_list] == order[::-1]


# --- employments ---------------------------------------------------------------------------------------------


def test_only_employees_are_employed_and_forwards(chief: Client, own: Kindergarten, parent: User) -> None:
    staff = StaffFactory.create()
    address = "/admin/bulletin/employment/add/"
    data = {"user": staff.pk, "kindergarten": own.pk, "since": "2026-09-01", "until": "2026-08-31"}
    for nowhere_or_twice in ({"kindergarten": ""}, {"locality": own.locality.pk}):
        answer = chief.post(address, data | {"until": ""} | nowhere_or_twice)
        assert [*answer.context["adminform"].form.errors] == ["__all__"]
    assert chief.post(address, data).status_code == 200
    assert chief.post(address, data | {"user": parent.pk, "until": ""}).status_code == 200
    assert not Employment.objects.exists()
    assert chief.post(address, data | {"until": "2026-09-01"}).status_code == 302
    assert Employment.objects.get().user == staff
    in_locality = data | {"kindergarten": "", "locality": own.locality.pk, "until": ""}
    assert [chief.post(address, in_locality).status_code for _again in range(2)] == [302, 200]
    assert Employment.objects.get(locality=own.locality).place == own.locality
    assert staff.username in chief.get("/admin/bulletin/employment/").content.decode()


# --- reviews -------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(parent: User) -> Review:
    return Review.objects.create(author=parent, text="Рақмет!", created_at=timezone.now())


def test_nobody_edits_adds_or_deletes_a_review(chief: Client, waiting: Review) -> None:
    change = f"/admin/bulletin/review/{waiting.pk}/change/"
    assert chief.get(change).status_code == 200
    assert "<textarea" not in chief.get(change).content.decode()
    assert chief.post(change, {"text": "x", "state": "published"}).status_code == 403
    assert chief.get("/admin/bulletin/review/add/").status_code == 403
    assert chief.post(f"/admin/bulletin/review/{waiting.pk}/delete/", {"post": "yes"}).status_code == 403
    waiting.refresh_from_db()
    assert (waiting.text, waiting.state) == ("Рақмет!", "pending")


def test_reading_reviews_does_not_give_the_right_to_moderate(client_of: ClientOf, waiting: Review) -> None:
    reader = StaffFactory.create()
    reader.user_permissions.add(Permission.objects.get(codename="view_review"))
    client = client_of(reader)
    assert client.get("/admin/bulletin/review/").status_code == 200
    publish = f"/admin/bulletin/review/{waiting.pk}/do/publish/"
    assert client.post(publish, {"seen": mark_of(waiting)}).status_code == 404
    sent = {"action": "publish_selected", "_selected_action": waiting.pk, "confirmed": "yes"}
    client.post("/admin/bulletin/review/", sent)
    waiting.refresh_from_db()
    assert waiting.state == Review.State.PENDING


# --- all of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["locality", "kindergarten", "holiday", "employment", "review"])
def test_lists_and_forms_open_in_both_languages_and_only_for_staff(
    chief: Client, parent_client: Client, client: Client, model: str
) -> None:
    LocalityFactory.create()
    for prefix in ("", "/ru"):
        address = f"{prefix}/admin/bulletin/{model}/"
        assert chief.get(address).status_code == 200
        assert chief.get(address, {"q": "ә%_'\\"}).status_code == 200
        assert client.get(address).status_code == 302
        assert parent_client.get(address).status_code == 302
        if model != "review":
            assert chief.get(f"{address}add/").status_code == 200


# --- two windows ---------------------------------------------------------------------------------------------


def seen_on(page: Any) -> str:
    found = re.search(r'name="_seen" value="(\w+)"', page.content.decode())
    assert found
    return found.group(1)


def test_an_older_window_on_a_kindergarten_saves_nothing_over_a_newer_one(
    worker_client: Client, own: Kindergarten
) -> None:
    address = f"/admin/bulletin/kindergarten/{own.pk}/change/"
    data = {
        "address_kk": "Абай 1", "address_ru": "Абая 1", "phone": "", "head": "",
        "groups-TOTAL_FORMS": "0", "groups-INITIAL_FORMS": "0",
    }  # fmt: skip
    older = seen_on(worker_client.get(address))
    first = {"head": "Бірінші", "phone": "+77253300001"}
    assert worker_client.post(address, data | first | {"_seen": older}).status_code == 302
    answer = worker_client.post(address, data | {"head": "Екінші", "_seen": older})
    assert answer.status_code == 200
    told = " ".join(answer.context["adminform"].form.non_field_errors())
    assert "Бірінші" in told
    assert "+7 72533 0 00 01" in told
    assert Kindergarten.objects.get(pk=own.pk).head == "Бірінші"


def test_a_form_that_does_not_say_what_it_was_made_of_saves_nothing(
    worker_client: Client, own: Kindergarten
) -> None:
    address = f"/admin/bulletin/kindergarten/{own.pk}/change/"
    data = carried(worker_client.get(address)) | {
        "address_kk": "Абай 1",
        "address_ru": "Абая 1",
        "head": "Бірінші",
    }
    for mark in ({}, {"_seen": ""}):
        answer = worker_client.post(address, {name: data[name] for name in data if name != "_seen"} | mark)
        assert answer.status_code == 200
    assert worker_client.post(address, data).status_code == 302
    assert Kindergarten.objects.get(pk=own.pk).head == "Бірінші"


def test_a_day_is_asked_about_before_it_is_saved(chief: Client) -> None:
    data = {"date": "15.05.2019", "kind": "off", "name_kk": "Күн", "name_ru": "День", "source": "№ 15 бұйрық"}
    page = chief.post("/admin/bulletin/holiday/add/", data)
    assert page.status_code == 200
    assert "<dd>№ 15 бұйрық</dd>" in page.content.decode()
    assert not Holiday.objects.filter(date=date(2019, 5, 15)).exists()
    assert "15.05.2019" in page.content.decode()
    assert chief.post("/admin/bulletin/holiday/add/", carried(page)).status_code == 302
    assert Holiday.objects.filter(date=date(2019, 5, 15)).exists()


def test_nobody_is_granted_the_right_to_delete_a_day() -> None:
    assert not [name for names in PERMISSIONS.values() for name in names if name.endswith("delete_holiday")]


def test_a_review_is_named_by_the_day_of_its_place(own: Kindergarten) -> None:
    review = Review(kindergarten=own, created_at=datetime(2019, 6, 25, 19, tzinfo=UTC))
    assert str(review) == "26.06.2019"


@pytest.mark.parametrize("day", ["15.05.2099", "15.05.1999"])
def test_a_slip_in_the_year_of_a_day_is_caught(chief: Client, day: str) -> None:
    data = {"date": day, "kind": "off", "name_kk": "Күн", "name_ru": "День", "source": ""}
    for sent in (data, data | {"confirmed": "yes"}):
        answer = chief.post("/admin/bulletin/holiday/add/", sent)
        assert answer.context["adminform"].form.errors["date"] == [gettext("Check the year.")]
    assert not Holiday.objects.filter(name_ru="День").exists()


@pytest.mark.parametrize(("prefix", "words"), [("", "Тізімдегі жолдар: 1"), ("/ru", "Строк в списке: 1")])
def test_the_foot_of_a_list_needs_no_form_of_a_noun(
    chief: Client, own: Kindergarten, prefix: str, words: str
) -> None:
    page = chief.get(f"{prefix}/admin/bulletin/kindergarten/").content.decode()
    found = re.search(r'<p class="paginator">(.*?)</p>', page, re.DOTALL)
    assert found
    assert re.sub(r": \d+", ": 1", " ".join(found.group(1).split())) == words
