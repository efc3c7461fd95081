"""What every answer says to a browser: its type, what the page may do, and what a cookie is for."""

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from django.urls import path, reverse

from balabaqsha.servers.running import CHECKOUT
from balabaqsha.urls import handler400, handler403, handler404, handler500
from balabaqsha.urls import urlpatterns as portal_addresses
from tests.factories import UserFactory
from tests.real_portal import ENVIRONMENT
from tests.staff import inside
from tests.test_every_url import built_city, city, visitors
from tests.told_to_browsers import of_other_sites, of_policy, of_the_way_out, of_type, told_wrongly

__all__ = ["built_city", "city", "handler400", "handler403", "handler404", "handler500", "visitors"]


def broken(request):
    raise RuntimeError("a secret of the database")


urlpatterns = [path("broken/", broken), *portal_addresses]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_answers")]


def test_refusals_and_errors(city, visitors):
    """Each names its type, runs and loads only what is ours, and is for no other site: as every page and file is.

    Of these it is known to `tests.test_every_url`.
    """
    faults = {}
    for who in ("anonymous", "parent", "worker"):
        visitors[who].raise_request_exception = False
        for method, address in (
            ("post", "/login/"),
            ("put", "/login/"),
            ("get", "/nowhere/"),
            ("get", "/broken/"),
        ):
            answer = getattr(visitors[who], method)(address)
            if found := told_wrongly(answer, who, address):
                faults[who, method, address] = found
    assert faults == {}
    assert 'id="logout-form"' in inside(city.worker).get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("find", "change", "said"),
    [
        ("X-Content-Type-Options", "", "the type may be guessed"),
        ("Content-Type", "text/html", "text without its letters' encoding"),
        ("Content-Security-Policy", "default-src *", "the policy allows {'*'}"),
        ("Content-Security-Policy", "sandbox; default-src 'self'", "default-src is 'self'"),
        ("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Origin"),
        ("Referrer-Policy", "unsafe-url", "other sites learn addresses"),
    ],
)
def test_control_such_an_answer_is_found_out(client, find, change, said):
    answer = client.get("/login/")
    assert [*of_type(answer), *of_policy(answer), *of_other_sites(answer)] == []
    answer.headers[find] = change
    assert said in [*of_type(answer), *of_policy(answer), *of_other_sites(answer)]


def test_an_error_tells_nothing_of_its_cause(client):
    client.raise_request_exception = False
    for language in ("kk", "ru"):
        answer = client.get("/broken/", headers={"accept-language": language})
        assert answer.status_code == 500, language
        said = answer.content.decode()
        assert "secret" not in said
        assert "RuntimeError" not in said
        assert "Traceback" not in said


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "FOO"])
@pytest.mark.parametrize(
    "address", ["/", "/clock.json", "/health/", "/login/", "/static/css/app.css", "/admin/login/"]
)
def test_methods_that_no_page_uses_are_refused(client, method, address):
    answer = client.generic(method, address)
    assert answer.status_code == 405
    assert answer.content == b""


def test_folders_are_not_listed(client):
    for address in ("/static/", "/static/css/", "/media/"):
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize("name", ["accounts:login", "accounts:register", "accounts:reset"])
def test_a_form_that_another_site_sends_is_refused(name):
    foreign = Client(enforce_csrf_checks=True)
    assert (
        foreign.post(reverse(name), {"username": "x"}, headers={"origin": "https://evil.example"}).status_code
        == 403
    )


def test_cookies_that_are_set_are_the_known_ones(client, city):
    """Which the real settings name and guard, see below."""
    user = UserFactory.create()
    client.post(reverse("place"), {"locality": city.kindergarten.locality.slug, "next": "/"})
    client.get(reverse("accounts:login"))
    client.post(reverse("accounts:login"), {"phone": str(user.phone), "password": "parent-pass-1"})
    client.post(reverse("place"), {"locality": "nowhere"})
    known = {
        settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.DEVICE_COOKIE_NAME,
        settings.PLACE_COOKIE_NAME, settings.FLASH_COOKIE_NAME, settings.PENDING_SIGN_IN_COOKIE_NAME,
        settings.SESSION_ENDS_COOKIE_NAME, settings.IDENTITY_COOKIE_NAME,
    }  # fmt: skip
    assert set(client.cookies) <= known
    assert len(client.cookies) >= 5
    for morsel in client.cookies.values():
        # A script warns before the end; the cookie holds nothing else.
        is_for_scripts = morsel.key == settings.SESSION_ENDS_COOKIE_NAME
        assert bool(morsel["httponly"]) != is_for_scripts, morsel.key
        assert morsel["samesite"] == "Lax", morsel.key
        assert not morsel["domain"], morsel.key
        assert morsel["path"] == "/", morsel.key


def test_in_a_real_portal_cookies_are_bound_to_its_host_and_https_is_for_good():
    code = """if True:
        import django
        django.setup()
        from django.conf import settings
        from django.test import Client
        names = [name for name in dir(settings) if name.endswith("_COOKIE_NAME") and name != "LANGUAGE_COOKIE_NAME"]
        print(*[getattr(settings, name) for name in names])
        print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.HTTPS)
        plain = Client(headers={"host": "bala.example.kz"}).get("/static/x.css?a=1")
        print(plain.status_code, plain.headers["Location"])
        safe = Client(headers={"host": "bala.example.kz", "x-forwarded-proto": "https"}).put("/")
        print(safe.headers["Strict-Transport-Security"])
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=ENVIRONMENT | {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "balabaqsha.settings",
                           "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere", "REDIS_URL": "redis://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    names, secure, redirect, transport = done.stdout.splitlines()
    assert all(name.startswith("__Host-") for name in names.split())
    assert len(names.split()) >= 6
    assert secure == "True True True"
    assert redirect == "301 https://bala.example.kz/static/x.css?a=1"
    assert transport == "max-age=31536000; includeSubDomains; preload"


def test_the_workplace_answers_alike(city):
    answer = inside(city.worker).get(reverse("admin:index"))
    assert "no-store" in answer.headers["Cache-Control"]
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]


def test_control_a_page_behind_the_door_without_a_way_out_is_found_out(client):
    assert [*of_the_way_out(client.get("/login/"), "parent accounts:login")] == ["no way out"]


@pytest.mark.parametrize(
    "address", ["/login/", "/cabinet/profile/password/", "/admin/login/", "/admin/password_change/"]
)
def test_passwords_are_typed_unseen(city, visitors, address):
    who = {"/cabinet/profile/password/": "parent", "/admin/password_change/": "worker"}.get(
        address, "anonymous"
    )
    page = visitors[who].get(address).content.decode()
    fields = re.findall(r'<input[^>]*name="[^"]*(?:password|present|repeated)[^"]*"[^>]*>', page)
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert "autocomplete=" in field
