"""A list of the workplace ends where nobody reads on, and costs the same however long its table is."""

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from balabaqsha import first_rows
from balabaqsha.first_rows import FirstRows
from bulletin.models import Kindergarten
from tests.factories import KindergartenFactory
from tests.staff import give_app, inside

pytestmark = pytest.mark.django_db
LIST = "/admin/bulletin/kindergarten/"


@pytest.fixture
def seven(monkeypatch):
    """Seven kindergartens in a list that ends after six."""
    monkeypatch.setattr(first_rows, "MOST_ROWS", 6)
    KindergartenFactory.create_batch(7)
    return Kindergarten.objects.order_by("sort_key", "id")


def test_it_ends_after_the_first_rows(seven):
    pages = FirstRows(seven, 4)
    assert (pages.count, pages.num_pages, pages.is_cut) == (6, 2, True)
    assert [list(pages.page(number)) for number in (1, 2)] == [list(seven[:4]), list(seven[4:6])]


def test_as_many_as_are_shown_are_the_whole_list(seven):
    seven.last().delete()
    pages = FirstRows(seven.all(), 4)
    assert (pages.count, pages.is_cut) == (6, False)


def test_a_page_joins_its_own_rows_alone(seven):
    pages = FirstRows(seven.select_related("locality"), 4)
    with CaptureQueriesContext(connection) as queries:
        list(pages.page(2))
    keys, rows = (query["sql"] for query in queries)
    assert "LIMIT 7" in keys
    assert "JOIN" not in keys
    assert "JOIN" in rows
    assert " IN (" in rows


def test_the_last_page_says_that_the_list_goes_on(seven, monkeypatch):
    monkeypatch.setattr(site._registry[Kindergarten], "list_per_page", 4)
    root = User.objects.create_superuser("root")
    give_app(root)
    html = inside(root).get(f"/ru{LIST}?p=2").content.decode()
    assert "Список на этом заканчивается" in html
    assert "6+" in html
    seven.last().delete()
    assert "заканчивается" not in inside(root).get(f"/ru{LIST}").content.decode()


def test_a_list_of_one_page_is_searched_for_once(monkeypatch):
    """Django would look for its rows as it looked for their keys."""
    KindergartenFactory(name_kk="Балдырған", name_ru="Балдырган")
    root = User.objects.create_superuser("root")
    give_app(root)
    desk = inside(root)

    def searches(word):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(LIST, {"q": word}).status_code == 200
        return [query["sql"] for query in queries if word.casefold() in query["sql"].casefold()]

    keys, rows = searches("балдырған")
    assert (" IN (" in keys, " IN (" in rows) == (False, True)
    assert len(searches("күншуақ")) == 1, "what is not found is not looked for again"
