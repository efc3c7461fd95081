"""The portal itself, served as ever: signing in, files, downloads, over real HTTP."""

import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection

from balabaqsha.postgresql.rights import ensure_role, give
from balabaqsha.servers.postgres import WEB_ROLE
from tests.accounts.test_profile import jpeg
from tests.balabaqsha.serving.conftest import CHECKOUT, Served, serving
from tests.factories import UserFactory, VacancyFactory

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "parent-pass-1"
TWO_THAT_COUNT = """
one = server.plan
server.plan = lambda environ: one({**environ, "WEB_WORKERS": "2", "METRICS_TOKEN": "any"})
"""
METRICS_TOKEN = "a-token-of-monitoring-and-of-nobody-else"


@pytest.fixture(scope="module")
def static(tmp_path_factory) -> str:
    folder = str(tmp_path_factory.mktemp("static"))
    # What the admin brings from others is most of what there is to compress, and on no page that is opened here.
    options = ["--no-input", "--verbosity", "0", "--ignore", "vendor"]
    command = [sys.executable, "manage.py", "collectstatic", *options]
    subprocess.run(command, cwd=CHECKOUT, env=os.environ | demo(static=folder), check=True)
    return folder


def demo(*, static: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "balabaqsha.settings",
        "BALABAQSHA_DEMO": "1",
        "STATIC_ROOT": static,
        "LOG_LEVEL": "WARNING",
    }


class Browser:
    """Keeps a connection and cookies, and sends the csrf token along."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[HTTPResponse, bytes]:
        known = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Cookie": known, "X-CSRFToken": self.cookies.get("csrftoken", "")}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body or None, own | named)
        answer = self.connection.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, content

    def get(self, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
        return self.send("GET", path, b"", **headers)

    def post(self, path: str, **fields: str) -> tuple[HTTPResponse, bytes]:
        body = urllib.parse.urlencode(fields).encode()
        return self.send("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def post_file(self, path: str, name: str, content: bytes) -> tuple[HTTPResponse, bytes]:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n\r\n'.encode()
        body = head + content + b"\r\n--b--\r\n"
        return self.send("POST", path, body, Content_Type="multipart/form-data; boundary=b")


@pytest.fixture(scope="module")
def portal(static, tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Served]:
    """The portal in a process of its own, on the database of the tests."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        ensure_role(cursor, role=WEB_ROLE, password=connection.settings_dict["PASSWORD"])
        give(cursor, role=WEB_ROLE)
    address = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    own = address._replace(path=f"/{connection.settings_dict['NAME']}")
    media = str(tmp_path_factory.mktemp("media"))
    with pytest.MonkeyPatch.context() as patch, serving(tmp_path_factory.mktemp("portal")) as serve:
        place = {"DATABASE_URL": own.geturl(), "MEDIA_ROOT": media, "METRICS_TOKEN": METRICS_TOKEN}
        for name, value in (demo(static=static) | place).items():
            patch.setenv(name, value)
        yield serve("balabaqsha.wsgi:application", prelude=TWO_THAT_COUNT)


@pytest.fixture
def browser(portal):
    browser = Browser(portal.port)
    yield browser
    browser.connection.close()


@pytest.fixture
def parent():
    hasher = Argon2PasswordHasher()
    return UserFactory.create(password=hasher.encode(PASSWORD, hasher.salt()))


@pytest.fixture
def inside(browser, parent):
    browser.get("/login/")
    answer, _page = browser.post("/login/", phone=parent.phone, password=PASSWORD)
    assert (answer.status, answer.getheader("Location")) == (302, "/cabinet/")
    return browser


def test_signing_in_and_out_over_one_connection(inside):
    assert inside.get("/cabinet/profile/")[0].status == 200
    assert inside.post("/logout/")[0].status == 302
    assert inside.get("/cabinet/profile/")[0].status == 302


def test_a_photo_of_some_megabytes(inside, parent):
    content = jpeg().read() + b"\0" * 3_000_000
    assert inside.post_file("/cabinet/profile/photo/", "photo", content)[0].status == 302
    answer, picture = inside.get("/cabinet/profile/photo/")
    assert (answer.status, answer.getheader("Content-Type")) == (200, "image/jpeg")
    assert picture.startswith(b"\xff\xd8\xff")


def test_a_file_that_is_too_large_is_said_by_its_form(inside):
    answer, page = inside.post_file("/cabinet/profile/photo/", "photo", b"\xff\xd8\xff" + bytes(6_000_000))
    assert answer.status == 200
    assert "5 МБ" in page.decode()


def test_a_flood_to_the_sign_in_page_is_refused_unread(browser):
    browser.connection.putrequest("POST", "/ru/login/")
    browser.connection.putheader("Content-Length", "150000000")
    browser.connection.endheaders()
    answer = browser.connection.getresponse()
    assert answer.status == 413
    assert "сократите текст" in answer.read().decode()


def test_a_stranger_sends_no_files(browser):
    browser.connection.putrequest("POST", "/cabinet/profile/photo/")
    browser.connection.putheader("Content-Length", "3000000")
    browser.connection.endheaders()
    assert browser.connection.getresponse().getheader("Location") == "/login/?next=/cabinet/profile/"


def test_static_files_whole_compressed_in_part_and_unchanged(browser):
    _answer, page = browser.get("/")
    path = re.findall(r'href="(/static/[^"]+\.css)"', page.decode())[0]
    answer, whole = browser.get(path)
    assert answer.status == 200
    assert "immutable" in answer.getheader("Cache-Control")
    compressed, content = browser.get(path, Accept_Encoding="gzip")
    assert compressed.getheader("Content-Encoding") == "gzip"
    assert len(content) < len(whole)
    part, piece = browser.get(path, Range="bytes=10-19")
    assert (part.status, piece) == (206, whole[10:20])
    unchanged, nothing = browser.get(path, If_Modified_Since=answer.getheader("Last-Modified") or "")
    assert (unchanged.status, nothing) == (304, b"")
    head, empty = browser.send("HEAD", path)
    assert (head.getheader("Content-Length"), empty) == (str(len(whole)), b"")


def test_lists_as_csv_come_whole(browser):
    for _ in range(3):
        VacancyFactory.create()
    answer, rows = browser.get("/bulletin.csv")
    assert answer.getheader("Content-Type").startswith("text/csv")
    assert len(rows.splitlines()) == 4


def test_heads_and_addresses(browser):
    for path in ("/", "/clock.json", "/health/", "/ru/help/"):
        answer, nothing = browser.send("HEAD", path)
        assert (answer.status, nothing) == (200, b"")
    assert browser.get("/%FF%FE/")[0].status == 404
    assert browser.get("/?next=%00%D2")[0].status == 400


def clocks_counted(portal):
    fresh = Browser(portal.port)
    answer, text = fresh.get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
    fresh.connection.close()
    assert answer.status == 200
    return sum(map(float, re.findall(rb'balabaqsha_requests_total{[^}]*view="clock"[^}]*} (.*)', text)))


def test_whichever_process_is_asked_tells_of_all(portal):
    """Each connection reaches one of them; the answers add up what every one has counted."""
    before = clocks_counted(portal)
    for _connection in range(12):
        fresh = Browser(portal.port)
        fresh.get("/clock.json")
        fresh.connection.close()
    assert [clocks_counted(portal) - before for _connection in range(4)] == [12] * 4
