"""Every answer tells browsers what its page may use and who may load it."""

import socket

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import path, reverse

from accounts.sessions import SessionStore
from balabaqsha.postgresql.base import DatabaseWrapper
from balabaqsha.urls import handler400, handler403, handler404, handler500
from balabaqsha.urls import urlpatterns as portal_addresses
from tests.factories import StaffFactory
from tests.staff import give_app, inside
from tests.told_to_browsers import is_limited

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def broken(request):
    raise RuntimeError("broken")


def unreachable(request):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    DatabaseWrapper(connection.settings_dict | {"HOST": "127.0.0.1", "PORT": port}).cursor()


urlpatterns = [path("broken/", broken), path("unreachable/", unreachable), *portal_addresses]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.balabaqsha.test_middleware")]


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


# The pages that may ask where their visitor is.


def test_the_workplace_and_files():
    """Of every other page, file and feed it is known to `tests.test_every_url`."""
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    desk = inside(chief)
    for page in ("admin:index", "admin:accounts_user_changelist", "admin:login", "admin:jsi18n"):
        assert is_limited(desk.get(reverse(page))), page


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/broken/", 500),
        ("get", "/unreachable/", 503),
        ("get", "/nowhere/", 404),
        ("get", "/static/nothing.css", 404),
        ("post", "/login/", 403),
        ("get", "/place/", 302),
        ("options", "/help/", 405),
        ("head", "/help/", 200),
        ("get", "/help", 301),
        ("get", "/cabinet/", 302),
        ("get", "/clock.json", 200),
    ],
)
def test_refusals_and_faults(visitor, method, address, status):
    answer = getattr(visitor, method)(address)
    assert answer.status_code == status
    assert is_limited(answer)


def test_a_database_that_is_not_there_is_said_in_words(visitor):
    answer = visitor.get("/unreachable/")
    assert "Жарты минут күтіп, бетті қайта ашыңыз." in answer.content.decode()
    assert int(answer.headers["Retry-After"]) > 0
    assert "Retry-After" not in visitor.get("/broken/").headers


@pytest.mark.parametrize("page", ["/", "/cabinet/profile/", "/ru/cabinet/", "/admin/"])
def test_so_it_is_to_who_is_signed_in_when_not_even_the_session_can_be_read(
    client_of, parent, monkeypatch, page
):
    browser = client_of(parent)
    browser.raise_request_exception = False

    def gone(_store):
        raise OperationalError("gone")

    monkeypatch.setattr(SessionStore, "load", gone)
    answer = browser.get(page)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_host_that_is_not_ours(visitor, settings):
    settings.ALLOWED_HOSTS = ["bala.example.kz"]
    answer = visitor.get("/help", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert is_limited(answer)


def test_static_files(settings):
    name = "limits.css"
    (settings.STATIC_ROOT / name).write_text("a { }")
    first = Client().get(f"/static/{name}")
    assert first.getvalue() == b"a { }"
    first.close()
    assert is_limited(first)
    again = Client().get(f"/static/{name}", headers={"if-none-match": first.headers["ETag"]})
    assert again.status_code == 304
    assert is_limited(again)
