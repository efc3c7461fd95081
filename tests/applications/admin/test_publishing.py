"""Writing many drafts: what is filled in already, groups named by words, rows as many as are needed."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Employee
from accounts.roles import Role
from applications.admin import bulk
from applications.admin.group_names import CARRIED, name_of
from bulletin.models import Group, Vacancy
from tests.applications.conftest import ZONE
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, VacancyFactory
from tests.staff import carried, employee, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

ADD = reverse("admin:bulletin_vacancy_add")
BULK = reverse("admin:bulletin_vacancy_bulk")
GROUPS = reverse("admin:bulletin_vacancy_groups")
MOMENT = timedelta(microseconds=1)
COMMON = {
    "common-opens_at_0": "2019-06-27",
    "common-opens_at_1": "18:00",
    "common-vacant_from_0": "2019-08-01",
    "common-vacant_from_1": "09:00",
    "common-place_type": "vacant",
    "common-mode": "first_come",
    "common-responsible": "Омарова А.",
}


def row(number, group, *, seats="3", years=""):
    return {
        f"row-{number}-group": group,
        f"row-{number}-seats_total": seats,
        f"row-{number}-birth_years": years,
    }


@pytest.fixture
def desk(scene):
    return inside(worker_of(scene.group.kindergarten))


def drafts():
    return Vacancy.objects.filter(state=Vacancy.State.DRAFT)


def test_the_page_weighs_the_same_however_many_groups_there_are(scene):
    chief = employee(Role.OFFICIAL, is_superuser=True)
    like = {"age_group": "2-3", "language": "kk", "capacity": 25}
    weights = []
    for number in (CARRIED + 1, 600):
        places = [KindergartenFactory(locality=scene.locality) for _one in range(3)]
        Group.objects.bulk_create(
            Group(kindergarten=places[at % 3], name=f"Топ {number} {at}", **like) for at in range(number)
        )
        weights.append(len(inside(chief).get(BULK).content))
    # The token of the form differs, and nothing else does.
    assert abs(weights[1] - weights[0]) < 20
    assert weights[1] < 40_000
    assert len(inside(chief).get(ADD).content) < 40_000
    assert len(inside(chief).get(GROUPS, {"q": "топ 600"}).json()["names"]) == 10


def test_a_group_is_found_by_words_in_either_language_and_by_its_name(desk, scene):
    GroupFactory(kindergarten=scene.group.kindergarten, name="Ботақан")
    for typed in (name_of(scene.group), "Солнце", "солнце", "АМИНА солнце", "  амина   Солнце "):
        assert desk.post(BULK, COMMON | row(0, typed)).status_code == 302, typed
    assert {draft.group for draft in drafts()} == {scene.group}
    for typed in ("Жоқ топ", "№№№", "%", "x" * 421, "a\x00b"):
        answer = desk.post(BULK, COMMON | row(0, typed))
        assert "group" in answer.context["bulk"].rows[0].errors, typed


def test_where_several_fit_all_are_named_to_choose_from(scene):
    """Two kindergartens of one name, in two places."""
    twin = KindergartenFactory(
        locality=LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
    )
    twin.name_kk, twin.name_ru = scene.group.kindergarten.name_kk, scene.group.kindergarten.name_ru
    twin.save()
    other = GroupFactory(kindergarten=twin, name=scene.group.name)
    desk = inside(employee(Role.OFFICIAL, is_superuser=True))
    answer = desk.post(BULK, COMMON | row(0, "солнце"))
    shown = unescape(answer.content.decode())
    names = [name_of(group, with_place=True) for group in (scene.group, other)]
    assert all(f'<option value="{name}">' in shown.replace("&quot;", '"') for name in names)
    assert "солнце" in shown
    assert desk.post(BULK, COMMON | row(0, names[1])).status_code == 302
    assert drafts().get().group == other


def test_all_that_is_wrong_is_said_at_once_and_nothing_typed_is_lost(desk, scene):
    second = GroupFactory(kindergarten=scene.group.kindergarten, name="Ботақан", capacity=10)
    sent = (
        COMMON
        | {"common-responsible": ""}
        | row(0, "Жоқ топ", seats="7")
        | row(2, name_of(second), seats="11")
        | row(3, "", seats="4")
        | row(4, "Солнце", years="1999")
    )
    answer = desk.post(BULK, sent)
    page = answer.context["bulk"]
    assert "responsible" in page.common.errors
    assert [sorted(one.errors) for one in page.rows] == [
        ["group"],
        [],
        ["seats_total"],
        ["group"],
        ["birth_years"],
    ]
    shown = unescape(answer.content.decode())
    assert all(f'value="{typed}"' in shown for typed in ("Жоқ топ", "7", "11", "4", "1999", "2019-06-27"))
    assert not drafts().exists()


def test_rows_are_added_as_needed_and_nothing_is_checked_meanwhile(desk):
    sent = COMMON | {"common-responsible": ""} | row(4, "Жоқ топ") | {"more": "1"}
    answer = desk.post(BULK, sent)
    assert answer.context["bulk"].number == len(answer.context["bulk"].rows) == 10
    assert 'class="errorlist' not in answer.content.decode()
    assert "Жоқ топ" in answer.content.decode()
    answer = desk.post(BULK, COMMON | row(9, "Солнце") | {"rows": "10"})
    assert answer.status_code == 302
    for rows, number in (("49", 50), ("50", 50), ("9" * 9, 10), ("x", 10), ("-1", 10)):
        assert len(desk.post(BULK, sent | {"rows": rows}).context["bulk"].rows) == number, rows


def test_without_birth_years_those_of_the_groups_age_hold(desk, scene):
    """In the table and in the form of one draft."""
    assert scene.group.age_group == "2-3"
    assert desk.post(BULK, COMMON | row(0, "Солнце")).status_code == 302
    one = {name.removeprefix("common-"): value for name, value in COMMON.items()}
    assert desk.post(ADD, one | {"group": scene.group.pk, "seats_total": "3"}).status_code == 302
    assert [draft.birth_years for draft in drafts()] == [[2017, 2016]] * 2


def test_one_draft_names_its_group_by_words_where_there_are_many(scene):
    """And is read by the clock of that group's place."""
    place = KindergartenFactory(locality=LocalityFactory(slug="oral", timezone="Asia/Oral"))
    like = {"age_group": "2-3", "language": "kk", "capacity": 25}
    Group.objects.bulk_create(
        Group(kindergarten=place, name=f"Топ {at}", **like) for at in range(CARRIED + 1)
    )
    desk = inside(employee(Role.OFFICIAL, is_superuser=True))
    one = {name.removeprefix("common-"): value for name, value in COMMON.items()} | {"seats_total": "3"}
    for wrong in ("", "Топ 1", "Жоқ", "a\x00b", "7" * 30):
        assert "group" in desk.post(ADD, one | {"group": wrong}).context["adminform"].form.errors, wrong
    group = Group.objects.get(name="Топ 7")
    sent: dict[str, Any] = one | {"group": name_of(group)}
    assert desk.post(ADD, sent).status_code == 302
    draft = drafts().get()
    assert draft.group == group
    assert f"{draft.opens_at.astimezone(place.locality.zone):%d.%m %H:%M}" == "27.06 18:00"
    page = reverse("admin:bulletin_vacancy_change", args=[draft.pk])
    form = desk.get(page).context["adminform"].form
    assert form["group"].value() == name_of(group, with_place=True)
    sent |= {
        "group": name_of(group, with_place=True),
        "birth_years": ["2017"],
        "_seen": form_mark(desk, page),
    }
    assert desk.post(page, sent).status_code == 302
    draft.refresh_from_db()
    assert (draft.group, draft.birth_years) == (group, [2017])


def form_mark(desk, page):
    return carried(desk.get(page)).get("_seen", [""])[0]


def test_the_usual_opening_is_the_first_that_the_rules_allow():
    six = datetime(2019, 6, 26, 18, 0, tzinfo=ZONE)
    lead = timedelta(hours=12)
    last = six - lead - bulk.TO_WRITE
    assert bulk.usual_opening(ZONE, lead=lead, now=last) == six
    assert bulk.usual_opening(ZONE, lead=lead, now=last + MOMENT) == six + timedelta(days=1)


@pytest.mark.parametrize("address", [ADD, BULK])
def test_the_opening_is_filled_in(desk, address):
    """It is 16:20; the rules ask for an hour, and another is left to write the drafts."""
    shown = desk.get(address).content.decode()
    # It opens then, and is free then until somebody says otherwise.
    assert shown.count('value="18:00') == 2
    assert any(day in shown for day in ('value="2019-06-27"', 'value="27.06.2019"'))


@pytest.mark.parametrize("address", [ADD, BULK])
def test_the_employee_is_the_responsible_one(scene, address):
    """By the name that people know; nobody reads the one with which an employee signs in."""
    worker = worker_of(scene.group.kindergarten)
    Employee.objects.filter(user=worker).delete()
    assert worker.username not in re.findall(r'value="([^"]*)"', inside(worker).get(address).content.decode())
    Employee.objects.create(user=worker, last_name="Ахметова", first_name="Асель", position="Әдіскер")
    assert 'value="Ахметова А."' in inside(worker).get(address).content.decode()


def test_a_copy_of_the_last_ones(desk, scene):
    opened = {"opens_at": scene.now - timedelta(days=3), "responsible": "Сериков Б.", "birth_years": [2017]}
    groups = [
        GroupFactory(kindergarten=scene.group.kindergarten, name=f"Топ {number}") for number in range(7)
    ]
    for number, group in enumerate(groups):
        VacancyFactory(
            group=group, seats_total=number + 1, vacant_from=scene.now + timedelta(days=40), **opened
        )
    earlier = opened | {"opens_at": scene.now - timedelta(days=9)}
    VacancyFactory(group=scene.group, seats_total=1, **earlier)
    Vacancy.objects.filter(pk=scene.vacancy.pk).delete()
    shown = desk.get(f"{BULK}?copy=last")
    page = shown.context["bulk"]
    assert sorted(one.initial["seats_total"] for one in page.rows) == [1, 2, 3, 4, 5, 6, 7]
    content = unescape(shown.content.decode())
    assert "Сериков Б." in content
    assert 'value="2019-06-27"' in content
    assert f"{scene.now + timedelta(days=40):%Y-%m-%d}" in content
    last = Vacancy.objects.get(group=groups[3])
    assert (
        f"{ADD}?copy={last.pk}"
        in desk.get(reverse("admin:bulletin_vacancy_change", args=[last.pk])).content.decode()
    )
    form = desk.get(f"{ADD}?copy={last.pk}").context["adminform"].form
    assert (form.initial["group"], form.initial["seats_total"]) == (groups[3].pk, 4)
    for unknown in ("x", "\x00", scene.vacancy.pk):
        assert desk.get(ADD, {"copy": unknown}).status_code == 200
    # No more than the group has room for now: 3 of its 7 places beside the 4 of the last one; then none.
    for capacity, proposed in ((7, 3), (4, None)):
        Group.objects.filter(pk=groups[3].pk).update(capacity=capacity)
        page = desk.get(f"{ADD}?copy={last.pk}")
        assert page.context["adminform"].form.initial["seats_total"] == proposed
        assert ("орын қалмаған" in page.content.decode()) == (proposed is None)
    rows = desk.get(f"{BULK}?copy=last").context["bulk"].rows
    assert sorted(str(one.initial["seats_total"]) for one in rows) == ["1", "2", "3", "5", "6", "7", "None"]


def test_copies_of_one_group_share_its_room(desk, scene):
    """Two announcements of one group are copied together; then what stands in a draft is no room for a copy."""
    Group.objects.filter(pk=scene.group.pk).update(capacity=9)
    Vacancy.objects.filter(pk=scene.vacancy.pk).delete()
    opened = {"opens_at": scene.now - timedelta(days=3), "state": "closed", "birth_years": [2017]}
    lasts = [VacancyFactory(group=scene.group, seats_total=number, **opened) for number in (5, 6)]
    rows = desk.get(f"{BULK}?copy=last").context["bulk"].rows
    proposed = [one.initial["seats_total"] for one in rows if "seats_total" in one.initial]
    assert sorted(proposed) in ([4, 5], [3, 6])
    VacancyFactory(group=scene.group, seats_total=7, state="draft", published_at=None, opens_at=scene.now)
    form = desk.get(f"{ADD}?copy={lasts[1].pk}").context["adminform"].form
    assert form.initial["seats_total"] == 2
    # A year later it takes a place still; a draft of that year takes none of this one.
    next_year = scene.now + timedelta(days=400)
    Vacancy.objects.filter(state="draft").update(opens_at=next_year, vacant_from=next_year)
    form = desk.get(f"{ADD}?copy={lasts[1].pk}").context["adminform"].form
    assert form.initial["seats_total"] == 6


def test_groups_of_others_are_neither_suggested_nor_copied_nor_taken(scene, desk):
    strange = GroupFactory(
        kindergarten=KindergartenFactory(locality=LocalityFactory(slug="kentau")), name="Бөтен"
    )
    last = VacancyFactory(group=strange, responsible="Бөтен адам", opens_at=scene.now)
    assert desk.get(GROUPS, {"q": "Бөтен"}).json() == {"names": []}
    assert "group" in desk.post(BULK, COMMON | row(0, name_of(strange))).context["bulk"].rows[0].errors
    assert "Бөтен" not in desk.get(f"{BULK}?copy=last").content.decode()
    assert "Бөтен" not in desk.get(f"{ADD}?copy={last.pk}").content.decode()
    assert inside(official_of(scene.locality)).get(GROUPS, {"q": "Бөтен"}).status_code == 403
    assert inside(employee(Role.CONTACT_CENTRE)).get(GROUPS, {"q": "Бөтен"}).status_code == 403
