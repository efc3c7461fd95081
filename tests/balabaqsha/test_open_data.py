"""The open data: rows, cursors, caches, limits, and that every answer is what the document promises."""

import csv
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from accounts.limits import API_PER_NETWORK
from applications.queue.public_order import counted_queues
from balabaqsha.open_data.openapi import LONGEST_CURSOR, MOST_ROWS, document, row_schema
from balabaqsha.open_data.sources import SOURCES
from balabaqsha.wellformed import FAULT
from bulletin.models import Language
from notifications.clock import estimate_clock
from tests.city import build_city
from tests.factories import KindergartenFactory, VacancyFactory
from tests.shared import built_once

pytestmark = pytest.mark.django_db

DOCUMENT = document("https://bala.example.kz/api/v1")


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, build_city) as scene:
        yield scene


@pytest.fixture
def city(built_city, db) -> SimpleNamespace:
    return built_city()


@pytest.fixture
def without_limit(monkeypatch):
    """Which is a test of its own."""
    monkeypatch.setattr(
        "balabaqsha.open_data.views.limits.API_PER_NETWORK", replace(API_PER_NETWORK, times=10**9)
    )


def rows_of(name: str, client: Client | None = None) -> list[dict]:
    return (client or Client()).get(reverse("api_rows", args=[name])).json()["rows"]


def detail_of(answer, *, status: int) -> str:
    """What a problem says."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    told = answer.json()
    assert (told["status"], set(told)) == (status, {"title", "status", "detail"})
    return told["detail"]


@pytest.mark.parametrize("name", SOURCES)
class TestEverySource:
    def test_a_row_is_what_the_document_says(self, city, name):
        schema = row_schema(SOURCES[name])
        Draft202012Validator.check_schema(schema)
        found = rows_of(name)
        # Nothing was corrected in this city.
        assert bool(found) != (name == "corrections")
        for row in found:
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(row)
            assert list(row) == [column.name for column in SOURCES[name].columns]

    def test_names_stand_in_both_languages(self, name):
        columns = {column.name for column in SOURCES[name].columns}
        assert {"locality_name_kk", "locality_name_ru"} <= columns
        in_one = {one for one in columns if one.endswith(("_name_kk", "_name_ru"))}
        assert {f"{one[:-3]}_kk" for one in in_one} | {f"{one[:-3]}_ru" for one in in_one} == in_one

    def test_csv_has_the_same_rows(self, client, city, name):
        answer = client.get(reverse("api_csv", args=[name]))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        heading, *cells = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert heading == [column.name for column in SOURCES[name].columns]
        assert len(cells) == len(rows_of(name))

    def test_who_has_it_gets_no_rows(self, client, city, name):
        for view in ("api_rows", "api_csv"):
            first = client.get(reverse(view, args=[name]))
            assert first.headers["Cache-Control"] == "public, max-age=60"
            again = client.get(reverse(view, args=[name]), headers={"if-none-match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")

    def test_nobody_is_named(self, city, name):
        told = json.dumps(rows_of(name), ensure_ascii=False)
        for person in ("ОМАРОВ", "СЕРИКОВА", "Серикова"):
            assert person not in told


class TestCursor:
    def test_it_walks_all_rows_once_and_ends(self, client, city):
        VacancyFactory.create_batch(4, group=city.vacancy.group)
        address, seen, pieces = reverse("api_rows", args=["bulletin"]) + "?limit=2", [], 0
        while address:
            answer = client.get(address)
            told = answer.json()
            assert len(told["rows"]) <= 2
            link = f'<{told["next"]}>; rel="next"' if told["next"] else None
            assert answer.headers.get("Link") == link
            seen += [row["id"] for row in told["rows"]]
            pieces += 1
            address = (told["next"] or "").removeprefix("http://testserver")
        assert sorted(seen) == sorted({row["id"] for row in rows_of("bulletin")})
        assert pieces == 3

    def test_a_row_that_goes_meanwhile_moves_nothing(self, client, city):
        """Its key still says where to go on."""
        _one, two, three = sorted(
            KindergartenFactory.create_batch(3, locality=city.kindergarten.locality), key=lambda one: one.slug
        )
        KindergartenFactory._meta.model.objects.filter(pk=two.pk).delete()
        address = reverse("api_rows", args=["kindergartens"])
        after = client.get(address, {"cursor": two.slug, "limit": 1}).json()["rows"]
        assert [row["kindergarten"] for row in after] == [three.slug]


class TestSmallCounts:
    def test_one_to_four_children_are_not_told(self, city):
        (queue,) = [row for row in rows_of("queues") if row["birth_year"] == city.child.birth_date.year]
        (counted,) = [one for one in counted_queues() if one.birth_year == queue["birth_year"]]
        assert 0 < counted.waiting < 5
        assert queue["waiting"] is None
        told = [row for row in rows_of("statistics") if row["figure"] in ("waiting", "contracts")]
        assert told
        assert not [row for row in told if row["value"] in (1, 2, 3, 4)]

    def test_what_few_could_be_worked_out_from_is_not_told(self, city, monkeypatch):
        """Eighteen of twenty want Kazakh: so two do not."""
        queue = replace(
            counted_queues()[0], waiting=20, by_language={Language.KAZAKH: 18, Language.RUSSIAN: 10}
        )
        monkeypatch.setattr("balabaqsha.open_data.sources.counted_queues", lambda: [queue])
        (row,) = rows_of("queues")
        assert (row["waiting"], row["waiting_kk"], row["waiting_ru"]) == (20, None, 10)


class TestFileForPeople:
    def test_it_has_all_rows(self, client, city, monkeypatch):
        monkeypatch.setattr("balabaqsha.open_data.views.MOST_ROWS", 7)
        told = client.get(reverse("api_csv", args=["statistics"]))
        assert "Link" not in told.headers
        assert len(list(csv.reader(io.StringIO(told.content.decode())))) == 1 + len(
            SOURCES["statistics"].read("", 10_000, estimate_clock())
        )

    def test_pages_of_other_sites_may_read_it(self, client, city):
        answer = client.get(
            reverse("api_rows", args=["queues"]), headers={"Origin": "https://news.example.kz"}
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


class TestRefused:
    @pytest.mark.parametrize(
        "query",
        [
            {"limit": "0"},
            {"limit": str(MOST_ROWS + 1)},
            {"limit": "²"},
            {"limit": "-1"},
            {"limit": "1e3"},
            {"cursor": "nonsense"},
            {"locality": "kentau"},
            {"cursor": "\0"},
            {"cursor": "x" * (LONGEST_CURSOR + 1)},
        ],
        ids=str,
    )
    def test_what_means_nothing_is_said(self, client, query):
        answer = client.get(reverse("api_rows", args=["bulletin"]), query)
        assert detail_of(answer, status=400)

    @pytest.mark.parametrize("name", ["queues", "statistics", "kindergartens", "corrections"])
    def test_a_cursor_that_is_none_of_its_own(self, client, name):
        assert client.get(reverse("api_rows", args=[name]), {"cursor": "!"}).status_code == 400

    def test_what_there_is_not(self, client):
        answer = client.get(reverse("api_rows", args=["children"]))
        assert "kindergartens" in detail_of(answer, status=404)

    def test_nothing_is_written(self):
        for method in ("POST", "PUT", "DELETE"):
            asked = Client(enforce_csrf_checks=True).generic(method, reverse("api_rows", args=["bulletin"]))
            assert detail_of(asked, status=405)
            assert "GET" in asked.headers["Allow"]

    @pytest.mark.parametrize(
        ("path", "refused", "status"),
        [
            ("/api/v1/nothing/at/all/", {}, 404),
            ("/api/v1/queues.xml", {}, 404),
            ("/api/v2/", {}, 404),
            ("/api/v1/queues/", {FAULT: "a NUL in the address"}, 400),
        ],
        ids=["below", "kind", "version", "NUL"],
    )
    def test_what_comes_to_no_view_is_told_as_a_problem_too(self, client, path, refused, status):
        """`refused`: what the web server's side of the portal found wrong before Django."""
        answer = client.get(path, **refused)
        assert detail_of(answer, status=status)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    def test_people_get_a_page(self, client):
        assert client.get("/nothing/")["Content-Type"].startswith("text/html")

    def test_what_breaks_is_a_problem_without_a_word_of_why(self, client, monkeypatch):
        def broken(*_arguments, **_named):
            raise RuntimeError("of the inside")

        monkeypatch.setattr("balabaqsha.open_data.views._written", broken)
        client.raise_request_exception = False
        answer = client.get(reverse("api_rows", args=["queues"]))
        assert "inside" not in detail_of(answer, status=500)

    def test_a_network_that_asks_without_end_waits(self, client, city, monkeypatch):
        few = replace(API_PER_NETWORK, times=3)
        monkeypatch.setattr("balabaqsha.open_data.views.limits.API_PER_NETWORK", few)
        address = reverse("api_rows", args=["queues"])
        for _time in range(few.times):
            assert client.get(address).status_code == 200
        answer = client.get(address)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= API_PER_NETWORK.window.total_seconds() + 1
        assert client.get(reverse("open_data")).status_code == 200


class TestDocument:
    def test_it_names_every_source_and_its_own_address(self, client, settings):
        settings.SITE_URL = "https://bala.example.kz"
        told = client.get("/api/v1/").json()
        assert told == json.loads(json.dumps(DOCUMENT))
        for name in SOURCES:
            for path in (f"/{name}/", f"/{name}.csv"):
                assert path in told["paths"]
                assert client.get(f"/api/v1{path}").status_code == 200

    def test_people_find_it(self, client):
        page = client.get("/ru/open-data/").content.decode()
        for name in SOURCES:
            assert f'href="/api/v1/{name}/"' in page
            assert f'href="/api/v1/{name}.csv"' in page


@pytest.mark.usefixtures("without_limit")
class TestAnything:
    """Whatever a program asks, the answer is one of those that the document names for that path."""

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        path=st.sampled_from(sorted(DOCUMENT["paths"])),
        query=st.dictionaries(
            st.one_of(st.sampled_from(["cursor", "limit"]), st.text(max_size=8)),
            st.one_of(st.text(max_size=40), st.integers().map(str), st.uuids().map(str)),
            max_size=3,
        ),
    )
    def test_is_answered_as_documented(self, city, path, query):
        answer = Client().get(f"/api/v1{path}", query)
        responses = DOCUMENT["paths"][path]["get"]["responses"]
        assert str(answer.status_code) in responses
        told = responses[str(answer.status_code)]
        if "$ref" in told:
            told = DOCUMENT["components"]["responses"]["Problem"]
        ((content_type, content),) = told["content"].items()
        assert answer.headers["Content-Type"].partition(";")[0] == content_type
        if content_type.endswith("json"):
            whole = {"components": DOCUMENT["components"], **content["schema"]}
            Draft202012Validator(whole).validate(answer.json())
