"""What every page of the workplace has in common: its heading, its links, its history."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import override

from accounts.models import FirstSignIn, User
from accounts.roles import Role
from balabaqsha.staff_help import ABOUT, ABOUT_PAGES
from bulletin.sorting import sort_key
from tests.balabaqsha.test_staff_lists import city_with_a_row_in_every_list
from tests.shared import built_once
from tests.staff import employee, give_app, inside
from tests.thorough import THOROUGH
from tests.unseen import pages_unseen

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, city_with_a_row_in_every_list) as scene:
        yield scene


@pytest.fixture
def city(built_city, db):
    return built_city()


def pages_of(desk, *, prefix=""):
    """The object page of one row of every list that the employee may open."""
    for model, page in admin.site._registry.items():
        row = model._default_manager.order_by("pk").first()
        if row is None:
            continue
        try:
            with override("ru" if prefix else "kk"):
                address = reverse(
                    f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(row.pk)]
                )
        except NoReverseMatch:
            continue
        answer = desk.get(address)
        if answer.status_code == 200:
            yield model, address, answer.content.decode(), page


READERS = (Role.OFFICIAL, Role.CONTACT_CENTRE, Role.AUDITOR, Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", READERS)
def test_headings_are_names_and_no_link_is_forbidden(city, role):
    """In a quick run the heading of each list is read by one of the roles."""
    FirstSignIn.objects.update(registered_by=city.staff)
    user = employee(role)
    desk = inside(user)
    request = desk.get("/admin/").wsgi_request
    seen, followed = 0, set()
    for model, address, html, page in pages_of(desk, prefix="ru"):
        seen += 1
        with override("ru"):
            heading = capfirst(str(model._meta.verbose_name))
            listed = capfirst(str(model._meta.verbose_name_plural))
        assert f"<h1>{heading}</h1>" in html, address
        followed |= {
            link for link in re.findall(r'href="(/ru/admin/[^"?]+/change/)"', html) if link != address
        }
        if page.has_view_or_change_permission(request) and (THOROUGH or seen % 2 == READERS.index(role) % 2):
            lists = re.sub(r"[^/]+/change/$", "", address)
            assert f"<h1>{listed}</h1>" in desk.get(lists).content.decode(), lists
    assert seen
    with pages_unseen():
        assert {link: desk.get(link).status_code for link in followed} == dict.fromkeys(followed, 200)


@pytest.mark.parametrize(("language", "role"), [("kk", "рөлдер"), ("ru", "роли")])
def test_the_lists_on_the_start_page_stand_in_the_order_of_the_alphabet(language, role):
    """Django's groups are the roles of employees: a group is one of a kindergarten."""
    root = User.objects.create_superuser("root", "root-pass-1")
    give_app(root)
    desk = inside(root)
    with override(language):
        address = reverse("admin:index")
    apps = desk.get(address).context["app_list"]
    with override(language):
        called = [str(app["name"]) for app in apps]
        lists = {app["app_label"]: [str(one["name"]) for one in app["models"]] for app in apps}
    for names in (called, *lists.values()):
        assert names == sorted(names, key=sort_key)
    assert role in [name.lower() for name in lists["auth"]]


def test_the_lists_on_the_start_page_follow_the_rights_of_who_looks():
    """The table is kept for all who have the same rights."""
    worker, auditor = employee(Role.KINDERGARTEN), employee(Role.AUDITOR)
    audit = f'href="{reverse("admin:accounts_auditentry_changelist")}"'

    def is_listed(user):
        return audit in inside(user).get(reverse("admin:index")).content.decode()

    assert [is_listed(user) for user in (worker, auditor, worker, auditor)] == [False, True, False, True]
    worker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_auditentry", "work_everywhere"])
    )
    assert is_listed(worker)


def test_every_list_says_what_it_is():
    lists = {model._meta.label_lower for model in admin.site._registry}
    assert set(ABOUT) == lists
    html = inside(employee(Role.OFFICIAL)).get("/ru/admin/applications/bid/").content.decode()
    assert "Что это?" in html
    assert "Семьи, которые просят свободное место." in html


# Nobody asks what these are: the start page and the manual, the sign-in and the employee's own account; each report
# says it itself; the rest answer with no page, or with the one from which they were asked.
NEEDS_NO_WORDS = {
    *("index", "app_list", "manual", "login", "logout", "set_up"),
    *("password_change", "password_change_done", "backup_codes"),
    "report",
    *(
        "view_on_site",
        "autocomplete",
        "jsi18n",
        "made_file",
        "city_template",
        "city_links",
        "roster_enrolled_own",
    ),
    *("family_of_child_again", "family_of_guardian_again"),
}


def test_every_page_says_what_it_is():
    pages = {address.name for address in admin.site.get_urls() if getattr(address, "name", None)}
    assert {*ABOUT_PAGES} == pages - NEEDS_NO_WORDS
    html = inside(employee(Role.OFFICIAL)).get("/ru/admin/rosters/awaited/").content.decode()
    assert "Что это?" in html
    assert "Семьи с действующим направлением" in html


def test_a_new_row_is_headed_without_an_ending():
    root = User.objects.create_superuser("root")
    give_app(root)
    html = inside(root).get("/ru/admin/bulletin/locality/add/").content.decode()
    assert "<h1>Новая запись: " in html


def test_a_template_of_one_list_is_the_one_that_its_pages_use():
    """Django looks for it only where the admin names none."""
    folder = Path(settings.BASE_DIR, "templates", "admin")
    made = [path for path in folder.glob("*/*/change_*.html") if path.stem in ("change_form", "change_list")]
    models = {
        (model._meta.app_label, model._meta.model_name): page for model, page in admin.site._registry.items()
    }
    for path in made:
        page = models[path.parts[-3], path.parts[-2]]
        named = getattr(page, f"{path.stem}_template")
        assert named in (None, path.relative_to(folder.parent).as_posix()), path
    assert len(made) > 3
