"""What the portal answers to its own web server: how much a page accepts, and why somebody is turned away."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.decorators import largest_body
from accounts.models import User
from accounts.roles import Role
from balabaqsha.serving.contract import ACCOUNT_HEADER, LARGEST_HEADER, QUESTION, REFUSAL
from tests.staff import employee, inside

pytestmark = pytest.mark.django_db

PHOTO = "/cabinet/profile/photo/"
PAGES_WITH_FILES = [
    PHOTO,
    f"/cabinet/applications/{UUID(int=1)}/extend/",
    f"/cabinet/applications/{UUID(int=1)}/benefits/claim/",
]


def ask(client: Client, path: str):
    question: Any = {QUESTION: "body"}
    return client.post(path, **question)


def views(resolver: URLResolver | None = None) -> Iterator[Callable[..., Any]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.callback
        else:
            yield from views(pattern)


def reads_files(view: Callable[..., Any]) -> bool:
    function = inspect.unwrap(view)
    if not inspect.isfunction(function) or function.__module__.startswith("django."):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Attribute) and node.attr == "FILES" for node in ast.walk(tree))


def test_every_page_that_reads_files_says_how_much_it_accepts():
    found = [view for view in views() if reads_files(view)]
    assert len(found) >= 3
    for view in found:
        assert largest_body(view) == settings.UPLOAD_FORM_MAX_BYTES, view


@pytest.mark.parametrize("path", PAGES_WITH_FILES)
def test_who_is_signed_in_may_send_files(parent, parent_client, path):
    answer = ask(parent_client, path)
    assert answer.status_code == 204
    assert answer[LARGEST_HEADER] == str(settings.UPLOAD_FORM_MAX_BYTES)
    assert answer[ACCOUNT_HEADER] == str(parent.pk)


@pytest.mark.parametrize("path", PAGES_WITH_FILES)
def test_who_is_not_signs_in_first(client, path):
    page = reverse("accounts:profile") if path == PHOTO else path
    assert ask(client, path).url == f"/login/?next={page}"
    assert ask(client, "/ru" + path).url == f"/ru/login/?next=/ru{page}"


def test_the_question_calls_no_view(parent, parent_client):
    before = User.objects.get(pk=parent.pk).profile
    assert ask(parent_client, reverse("accounts:logout")).status_code == 413
    assert "_auth_user_id" in parent_client.session
    assert User.objects.get(pk=parent.pk).profile == before


@pytest.mark.parametrize("path", ["/login/", "/register/", "/place/", "/cabinet/profile/password/", "/"])
def test_no_other_page_takes_more_than_a_small_form(client, parent_client, path):
    for browser in (client, parent_client):
        answer = ask(browser, path)
        assert answer.status_code == 413
        assert LARGEST_HEADER not in answer


def test_an_address_that_does_not_exist_takes_nothing(parent_client):
    assert ask(parent_client, "/nothing/").status_code == 404


def test_long_forms_of_the_workplace(client, parent_client):
    for path in (reverse("admin:index"), reverse("admin:applications_bid_changelist")):
        for browser in (client, parent_client):
            assert ask(browser, path).url.startswith("/admin/login/")
        answer = ask(inside(employee(Role.OFFICIAL)), path)
        assert answer[LARGEST_HEADER] == str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    # Files of the city are brought there too.
    kind = reverse("admin:city_kind", args=["children"])
    assert ask(client, kind).url.startswith("/admin/login/")
    answer = ask(inside(employee(Role.OFFICIAL)), kind)
    assert answer[LARGEST_HEADER] == str(settings.UPLOAD_FORM_MAX_BYTES)
    # Where one signs in, signing in first would lead to the same page.
    for path in ("/admin/login/", "/ru/admin/login/", "/admin/invitation/"):
        assert ask(client, path).status_code == 413


@pytest.mark.parametrize(
    ("refusal", "status", "kazakh", "russian"),
    [
        ("large", 413, "мәтінді қысқартыңыз", "сократите текст"),
        ("slow", 408, "Байланыс баяу", "Связь медленная"),
        ("crowded", 503, "бір минуттан кейін", "через минуту"),
    ],
)
def test_it_is_said_in_words_and_what_to_do(client, refusal, status, kazakh, russian):
    for path, sentence, language in (("/login/", kazakh, "kk"), ("/ru/login/", russian, "ru")):
        told: Any = {REFUSAL: refusal}
        answer = client.post(path, **told)
        page = answer.content.decode()
        assert answer.status_code == status
        assert sentence in page
        assert f'<html lang="{language}"' in page
        assert ("Retry-After" in answer) is (refusal == "crowded")


def test_a_page_with_files_says_how_much_it_takes(parent_client):
    told: Any = {REFUSAL: "large"}
    page = parent_client.post(PHOTO, **told).content.decode()
    assert f">{settings.UPLOAD_MAX_BYTES // 1024**2}.<" in page
    assert f">{settings.UPLOAD_FORM_MAX_BYTES // 1024**2}<" in page


def test_a_visitor_can_not_pretend_to_be_the_server(client):
    for key in (QUESTION, REFUSAL):
        answer = client.post("/login/", headers={key: "large", f"x-{key}": "large"})
        assert answer.status_code == 200
