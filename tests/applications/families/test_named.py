"""The lists of the workplace find their rows by names in any spelling, and by whole numbers."""

import pytest
from django.urls import reverse

from accounts.models import User
from applications.families import named
from applications.models import Application
from tests.factories import ApplicationFactory, LocalityFactory
from tests.staff import give_app, inside, official_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    root = User.objects.create_superuser("root")
    give_app(root)
    return inside(root)


@pytest.fixture
def found(desk):
    ApplicationFactory(child__last_name="МАХМҰТОВА", child__first_name="ӘСЕЛ", number="25-004006")
    ApplicationFactory(child__last_name="АХМЕТОВ", child__first_name="ӘЛИ", number="25-004007")

    def search(text: str) -> set[str]:
        answer = desk.get(reverse("admin:applications_application_changelist"), {"q": text})
        return {one.child.last_name for one in answer.context["cl"].result_list}

    return search


@pytest.mark.parametrize(
    "text",
    ["махмутова", "МАХМҰТОВА", "махмутова асел", "Әсел Махмұтова", "25-004006", "25004006", "№ 25-4006"],
)
def test_one_is_found_by_any_spelling(found, text):
    assert found(text) == {"МАХМҰТОВА"}


@pytest.mark.parametrize("text", ["25-00400", "004006", "тахмутова", "?"])
def test_a_part_of_a_number_or_another_name_finds_nobody(found, text):
    assert found(text) == set()


def test_the_names_of_others_hide_no_own_row(monkeypatch):
    """Neither by being a better reading of what was typed, nor by being too many."""
    here, elsewhere = LocalityFactory(slug="here"), LocalityFactory(slug="elsewhere")
    ApplicationFactory(locality=here, child__last_name="АХМЕТОВА", child__first_name="АЙГЕРИМ")
    for _time in range(3):
        ApplicationFactory(locality=elsewhere, child__last_name="АЙГЕРИМОВА", child__first_name="АХМЕТ")
        ApplicationFactory(locality=elsewhere, child__last_name="АХМЕТОВА", child__first_name="АЙГЕРИМ")
    monkeypatch.setattr(named, "MOST", 1)
    answer = inside(official_of(here)).get(
        reverse("admin:applications_application_changelist"), {"q": "Айгерим Ахм"}
    )
    assert [one.locality for one in answer.context["cl"].result_list] == [here]
    assert not [*answer.context["messages"]]


def test_who_finds_too_many_is_asked_for_more(desk, monkeypatch):
    monkeypatch.setattr(named, "MOST", 1)
    for _time in range(2):
        ApplicationFactory(child__last_name="АХМЕТОВ")
    answer = desk.get(
        f"/ru{reverse('admin:applications_application_changelist')}", {"q": "ахметов"}, follow=True
    )
    assert "напишите больше" in answer.content.decode()
    assert len(answer.context["cl"].result_list) == 1
    assert Application.objects.count() == 2
