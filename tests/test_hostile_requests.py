"""Whatever a stranger writes into a request is answered, and never by a 500."""

import logging
import re
from collections.abc import Iterator
from io import StringIO
from itertools import chain, product

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string

from accounts.models import User
from accounts.services import create_staff
from balabaqsha.admin_site import staff_site
from balabaqsha.postgresql.base import UnfitText
from tests import test_every_url
from tests.staff import inside
from tests.thorough import pairs
from tests.wire import Answer, send

pytestmark = pytest.mark.django_db

built_city, city, visitors = test_every_url.built_city, test_every_url.city, test_every_url.visitors

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"

# Codecs that exist and are none for texts, charsets that browsers don't send, names that are none.
CHARSETS = (
    "hex", "base64", "rot13", "zlib", "uu", "undefined", "idna", "punycode", "utf-7", "utf-16", "unicode_escape",
    "raw_unicode_escape", "cp1251", "latin-1", "nope", "a\0b", "x" * 5000, '"', "mbcs",
)  # fmt: skip
UNREADABLE = (
    "http://[",
    "http://[x",
    "//[",
    "http://testserver/[",
    "http://testserver:x/",
    "\xff\xfe",
    "\0",
    "x" * 9000,
)
HEADS = (
    "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE", "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_ACCEPT",
    "HTTP_USER_AGENT", "HTTP_ACCEPT_ENCODING", "HTTP_X_REQUESTED_WITH", "HTTP_HX_REQUEST", "HTTP_HX_CURRENT_URL",
    "CONTENT_TYPE", "REMOTE_ADDR",
)  # fmt: skip
COOKIES = ("sessionid", "csrftoken", "messages", "locality", "place", "django_language")
METHODS = (
    "HEAD",
    "OPTIONS",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "FOO",
    "get",
    "",
    " ",
    "\0",
    "GET\n",
)
PATHS = (
    b"/\0", b"//[", b"//[x/", b"/\xff", b"/../../etc/passwd", b"//evil.example/", b"/ru//[", b"/static/\0",
    b"/static/../manage.py", b"/admin/\0", b"/admin/accounts/user/\0/change/", b"/admin/accounts/user/_00/change/",
    b"/admin/r/1/\0/", b"/admin/r/1/_00/", b"/" + b"a" * 9000, "/ә".encode(), b"/kindergartens/\0/", b"/ru/\0", b"/ru",
    b"/order/\0/2020/", b"/order/turkistan/99999999999999999999/", b"http://evil/", b"*", b"", b"\r\n", b"/;/",
)  # fmt: skip


@pytest.fixture
def boss(db):
    user, _device = create_staff(
        username="boss", password="a long secret 1", superuser=True, now=timezone.now()
    )
    return inside(user)


def one_of_each(city) -> dict[str, str]:
    """Every address that there is, once; of the pages of an application that of its first state."""
    rows = {row.split()[0]: row for row in reversed(test_every_url.TABLE)}
    with translation.override("kk"):
        return {row: test_every_url.url_of(row, city) for row in rows.values()}


def statuses(requests) -> dict[str, int]:
    """What was answered to each, by a name that finds it again; only what is an error of ours."""
    answers = {name: send(**request).status for name, request in requests}
    assert answers
    return {name: status for name, status in answers.items() if status >= 500}


class TestTheCharset:
    def test_of_the_head_is_utf_8_or_none(self):
        forms = ("charset={}", "charset*={}''x", 'charset="{}"', "x*={}''y")
        odd = [(form, charset) for form in forms for charset in CHARSETS]
        for (form, charset), method in pairs(odd, ("GET", "POST")):
            content_type = f"{FORM}; {form.format(charset)}"
            answer = send(b"/login/", method=method, body=b"a=1", CONTENT_TYPE=content_type)
            if form == "x*={}''y":
                assert answer.status < 500, content_type
            else:
                assert answer.status == 400, content_type

    @pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
    def test_of_browsers_is_taken(self, charset):
        answer = send(b"/place/", method="POST", body=b"a=1", CONTENT_TYPE=f"{FORM}; charset={charset}")
        assert answer.status == 302

    @pytest.mark.parametrize("charset", CHARSETS)
    @pytest.mark.parametrize(
        "piece",
        [
            "Content-Disposition: form-data; name*={}''x\r\n\r\nvalue",
            "Content-Disposition: form-data; name=f; filename*={}''x\r\n\r\nvalue",
            "Content-Disposition: form-data; name=f; filename=x\r\nContent-Type: text/x; charset={}\r\n\r\nvalue",
            "Content-Disposition: form-data; name=f; filename=x\r\nContent-Type: text/x; charset*={}''x\r\n\r\nv",
            "Content-Disposition: form-data; name=_charset_\r\n\r\n{}",
        ],
    )
    def test_of_a_part_is_no_error_of_ours(self, charset, piece):
        body = f"--b\r\n{piece.format(charset)}\r\n--b--\r\n".encode("latin-1")
        assert send(b"/place/", method="POST", body=body, CONTENT_TYPE=MULTIPART).status in (302, 400)


def part(head: bytes, value: bytes = b"x") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + value + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b--"),
        ("multipart/form-data; boundary=", b"--b--"),
        ("multipart/form-data; boundary=\xff", b"--b--"),
        ("multipart/form-data; boundary=" + "b" * 500, b"--b--"),
        (MULTIPART, b""),
        (MULTIPART, b"--b"),
        (MULTIPART, part(b"name=a")),
        (MULTIPART, part(b"name=a\r\nContent-Transfer-Encoding: base64", b"!") + b"--b--"),
        (MULTIPART, part(b"name=f; filename=a\r\nContent-Transfer-Encoding: base64", b"a") + b"--b--"),
        (MULTIPART, part(b"name=f; filename=\0") + b"--b--"),
        (MULTIPART, part(b"name=\0", b"\0") + b"--b--"),
        (MULTIPART, b"--b\r\n" + b"x" * 5000 + b"\r\n\r\nx\r\n--b--"),
        (MULTIPART, part(b"name=a") * 1200 + b"--b--"),
        (MULTIPART, part(b"name=f; filename=a") * 200 + b"--b--"),
        (FORM, b"&" * 1200),
        (FORM, b"a=1&" * 1200),
        (FORM, b"a=" + b"x" * (1024 * 1024 + 1)),
        (FORM, b"\xff=%FF&%00=%00&next=//["),
        ("application/json", b"{"),
        ("application/json", b"\0"),
        ("text/\0", b"a=1"),
    ],
)
def test_a_body_that_can_not_be_read_is_no_error_of_ours(content_type, body):
    answer = send(b"/place/", method="POST", body=body, CONTENT_TYPE=content_type)
    assert answer.status in (302, 400, 403)


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "1.0", "٣", " 1", "99999999999999999999"])
def test_a_length_that_is_none_is_no_error_of_ours(length):
    for method in ("GET", "POST"):
        assert send(b"/login/", method=method, CONTENT_TYPE=FORM, CONTENT_LENGTH=length).status < 500


def test_heads_are_no_error_of_ours(city, visitors, boss):
    """Every head with every value on a page that is quickly made; on those that say much, some.

    In a quick run every head and every value on one of these, in turns.
    """
    pages = (
        ("home", b"/", visitors["anonymous"]),
        ("cabinet", b"/cabinet/", visitors["parent"]),
        ("missing", b"/nothing/", visitors["parent"]),
        ("workplace", b"/admin/", boss),
    )
    everything = product([("clock", b"/clock.json", visitors["anonymous"])], product(HEADS, UNREADABLE))
    some = pairs(pages, [*pairs(HEADS, UNREADABLE)])
    requests = (
        (f"{page} {head} {value[:30]!r}", {"path": path, "client": client, head: value})
        for (page, path, client), (head, value) in chain(everything, some)
    )
    assert statuses(requests) == {}


def test_cookies_are_no_error_of_ours_and_no_reason_to_turn_anybody_away(city):
    values = (
        '"\\000"',
        '"\\377"',
        "\xff",
        "[",
        '"',
        "x" * 5000,
        "%00",
        "W10:1:abc",
        "\udcff".encode("utf-8", "replace").decode(),
    )
    pages = (b"/", b"/login/", b"/bulletin/")
    # Every name with every value; every page with every name and with every value.
    for row, name in enumerate((*COOKIES, settings.SESSION_COOKIE_NAME, "_of_another_site")):
        for column, value in enumerate(values):
            path = pages[(row + column) % len(pages)]
            assert send(path, HTTP_COOKIE=f"{name}={value}").status == 200, (name, value, path)


def test_methods_are_no_error_of_ours(city, visitors):
    requests = (
        (f"{method!r} {url}", {"path": url.encode(), "method": method, "client": visitors["parent"]})
        for url, method in pairs([*one_of_each(city).values()], METHODS)
    )
    assert statuses(requests) == {}


def test_paths_are_no_error_of_ours(city, visitors, boss):
    people = (("parent", visitors["parent"]), ("boss", boss))
    ways = [*product(("GET", "POST"), people, ("", "http://testserver/ru/x"))]
    requests = (
        (
            f"{method} {path[:40]!r} {who} {referer}",
            {"path": path, "method": method, "client": client, "HTTP_REFERER": referer},
        )
        for path, (method, (who, client), referer) in pairs(PATHS, ways)
    )
    assert statuses(requests) == {}


class TestTheQuery:
    @pytest.mark.parametrize(
        "query",
        [b"search=%00", b"%00=1", b"a=\0", b"a=%FF", b"%E0%EB=1", b"a=\xff\xfe", b"a=%ED%A0%80", b"a=%C0%80"],
    )
    def test_is_utf_8_without_a_nul(self, query):
        answer = send(b"/bulletin/", query=query)
        assert answer.status == 400

    @pytest.mark.parametrize(
        "query",
        [
            b"search=%D3%98%D0%BB%D0%B8%D1%8F",
            "search=Әлия".encode(),
            b"search=100%",
            b"search=%zz",
            b"=",
            b"&&",
            b"%",
        ],
    )
    def test_in_any_spelling_of_it_is_taken(self, query):
        assert send(b"/bulletin/", query=query).status == 200

    def test_is_no_error_of_ours_anywhere(self, city, visitors):
        # No page reads two of those that stand in one line, except lists, which go by their page last.
        odd = (
            b"date=0000-00-00&next=//[&a[]=1&o=x&page=99999999999999999999",
            b"next=http://[&page=-1",
            b"year=99999999999999999999&next=abc",
            b"next=abc.",
            b"a=1&" * 1500,
            b"&" * 2000,
        )
        requests = (
            (f"{url} {query[:30]!r}", {"path": url.encode(), "query": query, "client": visitors["parent"]})
            for url, query in pairs([*one_of_each(city).values()], odd)
        )
        assert statuses(requests) == {}


ADMIN_QUERIES = (
    b"q=%00", b"p=x", b"p=99999999999999999999", b"o=x.-1.99", b"e=1", b"_to_field=x", b"_popup=x", b"x__y=1",
    b"id__exact=x", b"_changelist_filters=q%3D%2500",
)  # fmt: skip
ADMIN_POSTS = (
    b"action=%00&_selected_action=%00", b"action=delete_selected&_selected_action=%00&post=yes",
    b"action=delete_selected&_selected_action=x&post=yes", b"index=99999999999999999999&action=x",
    b"action=delete_selected&_selected_action=99999999999999999999&post=yes",
)  # fmt: skip
ADMIN_PAGES = ("add/", "_00/change/", "x/history/", "x/delete/", "99999999999999999999/change/")


def admin_requests(boss) -> Iterator[tuple[str, dict]]:
    bases = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in staff_site._registry]
    for base, query in pairs(bases, ADMIN_QUERIES):
        yield f"{base}?{query!r}", {"path": base.encode(), "query": query, "client": boss}
    for base, page in pairs(bases, ADMIN_PAGES):
        yield f"{base}{page}", {"path": f"{base}{page}".encode(), "client": boss}
    for base, body in pairs(bases, ADMIN_POSTS):
        post = {"method": "POST", "body": body, "CONTENT_TYPE": FORM, "client": boss}
        yield f"{base} {body!r}", {"path": base.encode(), **post}


def test_the_workplace_makes_no_error_of_it(city, boss):
    assert statuses(admin_requests(boss)) == {}


def test_forms_make_no_error_of_nuls_and_odd_letters(city, visitors):
    """Every field of every form, NULs in names and values."""
    names = (
        "phone", "username", "password", "iin", "document_number", "code", "text", "kindergarten", "locality", "child",
        "languages", "next", "number", "digits", "search", "address", "language",
        "rating", "consent", "action", "way", "bids", "quiet_from", "quiet_to",
    )  # fmt: skip
    values = (b"%00", b"abc", b"%FF", b"9" * 400, b"")
    requests = (
        (
            f"{who} {row} {value[:20]!r}",
            {
                "path": url.encode(),
                "method": "POST",
                "client": visitors[who],
                "body": b"&".join(name.encode() + b"=" + value for name in names) + b"&%00=1",
                "CONTENT_TYPE": FORM,
            },
        )
        for ((row, url), who), value in pairs(
            [*pairs([*one_of_each(city).items()], ("anonymous", "parent"))], values
        )
    )
    assert statuses(requests) == {}


class TestAForeignHost:
    HOSTS = ("evil.example", "testserver@evil.example", "a b", "[::1", "..", "\xff", "x" * 5000, "")

    @pytest.fixture(autouse=True)
    def ours(self, settings):
        settings.ALLOWED_HOSTS = ["testserver"]

    @pytest.mark.parametrize("host", HOSTS)
    @pytest.mark.parametrize("path", [b"/", b"/nothing/", b"/clock.json", b"/static/css/app.css"])
    def test_is_answered_400_in_words(self, host, path):
        answer = send(path, HTTP_HOST=host)
        assert answer.status == 400
        assert "түсініксіз" in answer.body.decode()

    @pytest.mark.parametrize("host", HOSTS)
    def test_is_one_line_without_a_trace(self, host):
        lines = logged_lines(lambda: send(HTTP_HOST=host))
        assert len(lines) == 1
        # When, by the offset from UTC; who wrote it; what.
        assert re.match(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4} ERROR django\.security\.\w+ .*HTTP_HOST", lines[0]
        )

    def test_in_russian_where_russian_was_asked_for(self):
        assert "непонятен" in send(b"/ru/help/", HTTP_HOST="evil.example").body.decode()
        with translation.override("ru"):  # left behind by the request before
            assert "түсініксіз" in send(b"/help/", HTTP_HOST="evil.example").body.decode()


def test_a_filter_that_no_list_offers_is_no_error_in_the_log(boss):
    """The address is refused in words; the access log has it, and the log of errors stays for errors."""
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in staff_site._registry
    ]
    answers = []

    def ask():
        for url, query in pairs(lists, ("id__in=1", "year=0", "password__startswith=a", "_to_field=iin")):
            answers.append(boss.get(f"{url}?{query}").status_code)

    assert logged_lines(ask) == []
    assert 400 in answers
    assert set(answers) <= {200, 302, 400}


def logged_lines(act) -> list[str]:
    """What the portal's own logging, with its filters, writes meanwhile."""
    console = settings.LOGGING["handlers"]["console"]
    written = StringIO()
    handler = logging.StreamHandler(written)
    line = settings.LOGGING["formatters"]["line"]
    handler.setFormatter(import_string(line["class"])(line["format"], line["datefmt"]))
    for name in console["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        act()
    finally:
        root.removeHandler(handler)
    return written.getvalue().splitlines()


def test_a_text_that_no_column_holds_is_the_senders_fault():
    for text in ("a\0b", "\ud800"):
        with pytest.raises(UnfitText):
            User.objects.filter(username=text).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_refused_request_says_what_to_do(client):
    answer: Answer = send(b"/bulletin/", query=b"search=%00", HTTP_ACCEPT_LANGUAGE="kk")
    content = answer.body.decode()
    assert "басты бет" in content.lower()
    assert answer.headers["Content-Security-Policy"]
    assert reverse("home") in content
