"""The public order of a queue: its pages, its file, its counts, and what may not be told."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.models import Application, Rules
from applications.queue.order import interleave
from applications.queue.public_order import PAGE_SIZE, Start, counted_queues, order_page, whole_order
from applications.states import ApplicationState, Tier
from tests.factories import ApplicationFactory, LocalityFactory, UserFactory, crowd, unclaimed
from tests.thorough import examples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

QUEUES = reverse("applications:queue")
ORDER = reverse("applications:order", args=["turkistan", 2017])
E, P, G = Tier.EXTRAORDINARY, Tier.PRIORITY, Tier.GENERAL


@pytest.fixture
def place():
    return LocalityFactory()


@pytest.fixture
def wait(place):
    """Lets applications wait in Turkistan's queue of 2017: tiers in the order of filing."""
    parent = UserFactory()
    began = datetime(2019, 1, 31, 18, 0, tzinfo=UTC)

    def file(*tiers, spacing=timedelta(hours=1), **fields):
        family = {"locality": place, "filed_by": parent}
        return crowd(
            *(
                family | {"tier": tier, "filed_at": began + spacing * n} | fields
                for n, tier in enumerate(tiers)
            )
        )

    return file


def page_of(place, start=Start.NUMBER, value=1, ratio=3):
    return order_page(locality=place, birth_year=2017, general_per_priority=ratio, start=start, value=value)


def order_of(applications, ratio=3):
    """The order written out one by one, as numbers of applications."""
    waiting = sorted(applications, key=lambda one: (one.filed_at, one.sequence))
    tiers = {tier: [one.number for one in waiting if one.tier == tier] for tier in Tier}
    return interleave(tiers, general_per_priority=ratio)


def walk(place, ratio=3):
    """The order as somebody reads it who follows the links from the head."""
    page = page_of(place, ratio=ratio)
    seen = list(page.rows)
    while page.has_next:
        page = page_of(place, Start.AFTER, page.rows[-1].application_number, ratio=ratio)
        seen += page.rows
    return seen


def text(response):
    return unescape(response.content.decode())


def read(response):
    body = b"".join(response.streaming_content).decode()
    assert body.startswith("\ufeff")
    return list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))


class TestPages:
    def test_links_from_the_head_read_the_whole_order_once(self, place, wait):
        # Times collide in groups of three and cross the end of a month.
        tiers = [G, G, P, G, E, G, P] * 18
        waiting = wait(*tiers, spacing=timedelta(0)) + wait(*[G, P] * 5, spacing=timedelta(hours=9))
        rows = walk(place)
        assert [row.application_number for row in rows] == order_of(waiting)
        assert [row.number for row in rows] == list(range(1, len(waiting) + 1))

    def test_links_back_from_the_end_read_it_too(self, place, wait):
        waiting = wait(*[G, P, G, E] * 31)
        page = page_of(place, value=10_000)
        seen = [row.application_number for row in page.rows]
        while page.has_previous:
            page = page_of(place, Start.BEFORE, page.rows[0].application_number)
            new = [row.application_number for row in page.rows]
            seen = [number for number in new if number not in seen] + seen
        assert seen == order_of(waiting)

    def test_a_number_is_jumped_to(self, place, wait):
        order = order_of(wait(*[G, P, G, G, E] * 20))
        for number in (1, 2, 49, 50, 51, 99, 100):
            row = page_of(place, value=number).rows[0]
            assert (row.number, row.application_number) == (number, order[number - 1])

    def test_beyond_the_end_is_the_end(self, place, wait):
        wait(*[G] * 60)
        assert page_of(place, value=61).rows[0].number == 11
        assert page_of(place, value=60).rows[0].number == 60

    def test_after_the_last_is_the_end(self, place, wait):
        last = wait(*[G] * 60)[-1]
        assert page_of(place, Start.AFTER, last.number).rows[-1].application_number == last.number

    def test_a_page_stays_in_place_when_others_leave(self, place, wait):
        waiting = wait(*[G] * 120)
        Application.objects.filter(pk__in=[one.pk for one in waiting[:7]]).update(
            state=ApplicationState.ENROLLED
        )
        rows = page_of(place, Start.AFTER, waiting[49].number).rows
        assert (rows[0].application_number, rows[0].number) == (waiting[50].number, 44)

    @pytest.mark.parametrize("tier", Tier)
    def test_who_left_still_marks_the_place(self, place, wait, tier):
        waiting = wait(*[G, P, E] * 40)
        gone = [one for one in waiting if one.tier == tier][20]
        before = order_of(waiting)
        Application.objects.filter(pk=gone.pk).update(state=ApplicationState.STOP_LISTED)
        rows = page_of(place, Start.AFTER, gone.number).rows
        now = order_of([one for one in waiting if one != gone])
        assert rows[0].number == before.index(gone.number) + 1
        assert [row.application_number for row in rows] == now[rows[0].number - 1 :][:PAGE_SIZE]

    def test_an_application_is_jumped_to(self, place, wait):
        waiting = wait(*[G, P, G, G, E] * 20)
        order = order_of(waiting)
        for number in (order[0], order[51], order[99]):
            page = page_of(place, Start.APPLICATION, number)
            assert page.is_known
            row = next(row for row in page.rows if row.application_number == number)
            assert row.number == order.index(number) + 1

    def test_one_that_holds_no_number_is_as_good_as_unknown(self, place, wait):
        """Nobody learns from the public order that somebody is on the stop-list."""
        waiting = wait(*[G] * 9)
        Application.objects.filter(pk=waiting[3].pk).update(state=ApplicationState.STOP_LISTED)
        stopped, unknown = (
            page_of(place, Start.APPLICATION, one) for one in (waiting[3].number, "19-999999")
        )
        assert stopped == unknown
        assert not stopped.is_known

    def test_one_of_another_queue_is_unknown(self, place, wait):
        wait(*[G] * 5)
        stranger = ApplicationFactory(locality=LocalityFactory(slug="kentau"))
        page = page_of(place, Start.AFTER, stranger.number)
        assert not page.is_known
        assert page.rows[0].number == 1

    @pytest.mark.parametrize(
        "state",
        [
            ApplicationState.STOP_LISTED,
            ApplicationState.LAPSED,
            ApplicationState.ENROLLED,
        ],
    )
    def test_who_holds_no_number_is_not_in_the_order(self, place, wait, state):
        wait(*[G] * 5)
        hidden = wait(G, state=state)[0]
        assert hidden.number not in [row.application_number for row in walk(place)]
        assert page_of(place).total == 5

    def test_the_number_of_queries_does_not_depend_on_the_depth(self, place, wait):
        wait(*[G, P, E] * 60)
        counts = []
        for number in (1, 80, 170):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                page_of(place, value=number)
            counts.append(len(queries))
        assert max(counts) <= 8

    @given(
        tiers=st.lists(st.sampled_from(Tier), min_size=5, max_size=30),
        hours=st.lists(st.integers(0, 40), min_size=30, max_size=30),
        ratio=st.integers(1, 4),
        number=st.integers(1, 40),
    )
    @settings(
        max_examples=examples(40),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_pages_and_file_are_the_order_written_out(self, place, wait, tiers, hours, ratio, number):
        Application.objects.all().delete()
        waiting = []
        for tier, hour in zip(tiers, hours, strict=False):
            waiting += wait(tier, filed_at=datetime(2019, 1, 30, tzinfo=UTC) + timedelta(hours=hour))
        expected = list(enumerate(order_of(waiting, ratio), start=1))

        def plain(rows):
            return [(row.number, row.application_number) for row in rows]

        first = number if number <= len(waiting) else max(1, len(waiting) - PAGE_SIZE + 1)
        assert plain(page_of(place, value=number, ratio=ratio).rows) == expected[first - 1 :]
        file = whole_order(locality=place, birth_year=2017, general_per_priority=ratio)
        assert plain(file) == expected
        key = expected[min(number, len(waiting) - 1) - 1][1]
        after = page_of(place, Start.AFTER, key, ratio=ratio)
        assert plain(after.rows) == expected[after.rows[0].number - 1 :]


def test_of_a_former_queue_it_says_how_many_are_in_the_portal_already(client, place, wait):
    wait(*[G] * 5)
    for _child in range(2):
        unclaimed(locality=place, birth_year=2017)
    assert "Осы кезекте барлығы: 7, оның ішінде порталда бары: 5" in text(client.get(ORDER))


class TestSecrecy:
    @pytest.mark.parametrize("few", [(E, P, G), (P, G, E), (G, E, P)])
    def test_where_a_tier_has_fewer_than_five_the_others_do_not_tell_it(self, client, place, wait, few):
        """Neither by the names of theirs nor by the days of filing, which it breaks."""
        small, *large = few
        wait(*[small] * 4, *[tier for tier in large for _each in range(5)])
        rows = page_of(place).rows
        assert {(row.tier, row.filed_on) for row in rows} == {(None, None)}
        assert list(whole_order(locality=place, birth_year=2017, general_per_priority=3)) == rows
        page = text(client.get(ORDER))
        assert ".2019" not in "".join(re.findall(r"<tbody>.*</tbody>", page, re.DOTALL))
        assert {tuple(line[2:]) for line in read(client.get(ORDER + "order.csv"))[1:]} == {("", "")}

    def test_five_of_each_are_told(self, place, wait):
        wait(*[E, P, G] * 5)
        rows = page_of(place).rows
        assert {row.tier for row in rows} == {E, P, G}
        assert all(row.filed_on for row in rows)
        assert list(whole_order(locality=place, birth_year=2017, general_per_priority=3)) == rows

    def test_nobody_in_a_tier_tells_nothing(self, place, wait):
        wait(*[G] * 5)
        assert {row.tier for row in page_of(place).rows} == {G}

    def test_fewer_than_five_have_no_public_order(self, client, place, wait):
        waiting = wait(*[G] * 4)
        for url in (ORDER, "/ru" + ORDER):
            response = client.get(url, {"after": waiting[0].number})
            assert response.context["page"].rows == []
            assert response.context["page"].is_few
            assert all(one.number not in text(response) for one in waiting[1:])
        assert len(read(client.get(ORDER + "order.csv"))) == 1

    def test_nobody_waits(self, client, place):
        response = client.get(ORDER)
        assert response.status_code == 200
        assert not response.context["page"].is_few

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_no_page_and_no_file_carries_a_name(self, client, place, wait, prefix):
        waiting = wait(*[G, P] * 5)
        bodies = [text(client.get(prefix + ORDER)), text(client.get(prefix + QUEUES))]
        bodies += [
            str(read(client.get(prefix + url))) for url in (ORDER + "order.csv", QUEUES + "counts.csv")
        ]
        for body in bodies:
            for secret in ("КАМЕНОВ", waiting[0].child.iin, str(waiting[0].filed_by.phone)):
                assert secret not in body
            assert str(waiting[0].pk) not in body


class TestOrderPage:
    def test_days_are_those_of_the_locality_and_no_instant_is_told(self, client, place, wait):
        wait(*[G] * 5, spacing=timedelta(seconds=1))
        page = text(client.get(ORDER))
        assert "01.02.2019" in page
        assert "00:00:0" not in page
        assert {line[2] for line in read(client.get(ORDER + "order.csv"))[1:]} == {"2019-02-01"}

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_links_lead_on_and_back(self, client, place, wait, prefix):
        waiting = wait(*[G] * 120)
        page = text(client.get(prefix + ORDER))
        assert f'href="{prefix}{ORDER}?after={waiting[49].number}"' in page
        second = text(client.get(prefix + ORDER, {"after": waiting[49].number}))
        assert f'href="{prefix}{ORDER}?before={waiting[50].number}"' in second
        for url in ("/queue/check/", "/queue/corrections/", ORDER + "order.csv"):
            assert f'href="{prefix}{url}"' in page

    def test_the_ratio_is_that_of_the_rules(self, client, place, wait):
        Rules.objects.create(locality=place, valid_from="2019-01-01", general_per_priority=1)
        waiting = wait(*[G] * 6, *[P] * 6)
        rows = client.get(ORDER).context["page"].rows
        assert [row.application_number for row in rows] == order_of(waiting, ratio=1)
        assert [line[1] for line in read(client.get(ORDER + "order.csv"))[1:]] == order_of(waiting, ratio=1)

    @pytest.mark.parametrize("typed", ["{}", " № {} "])
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_family_finds_its_own_application(self, client, place, wait, typed, prefix):
        own = wait(*[G] * 60)[54].number
        response = client.get(f"{prefix}{ORDER}", {"number": typed.format(own).replace("-", "–")})
        page = text(response)
        assert 'aria-current="true"' in page.split(f">{own}<")[0].rsplit("<tr", 1)[1]
        assert response.context["page"].is_known
        missing = client.get(f"{prefix}{ORDER}", {"number": "19-1"})
        assert 'class="notice notice--warning"' in text(missing)

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_nonsense_shows_the_head_and_says_so(self, client, place, wait, prefix):
        wait(*[G] * 6)
        for query in (
            "number=0",
            "number=-1",
            "number=abc",
            "number=99999999999999999999",
            "number=1.5",
            "number=%00",
            "number=' OR 1=1",
            "after=%00",
            "after=' OR 1=1 --",
            "after=" + "9" * 300,
            "before=<script>alert(1)</script>",
            "after=%F0%9F%98%80",
            "after=a&before=b&number=",
            "before=%ff%fe",
        ):
            response = client.get(f"{prefix}{ORDER}?{query}")
            assert response.status_code == 200, query
            assert response.context["page"].rows[0].number == 1, query
            told = (
                bool(response.context["jump_error"]),
                'class="notice notice--warning"' in text(response),
            )
            assert told == ((True, False) if query.startswith("number=") else (False, True)), query
            assert "<script>alert" not in response.content.decode()

    @pytest.mark.parametrize(
        "path",
        [
            "turkistan/0/",
            "turkistan/1989/",
            "turkistan/2101/",
            "turkistan/99999999999999999999/",
            "turkistan/-2017/",
            "turkistan/2017.0/",
            "turkistan/20%0017/",
            "nowhere/2017/",
            "тест/2017/",
            "../2017/",
        ],
    )
    @pytest.mark.parametrize("end", ["", "order.csv"])
    def test_no_such_queue(self, client, place, path, end):
        assert client.get(f"/queue/{path}{end}").status_code == 404

    def test_nothing_is_changed_here(self, client, place):
        for path in (QUEUES, ORDER, ORDER + "order.csv", QUEUES + "counts.csv"):
            assert client.post(path).status_code == 405
            assert client.head(path).status_code == 200


class TestCounts:
    def test_by_place_year_and_language(self, client, place, wait):
        wait(*[G] * 5, languages=["kk", "ru"])
        wait(*[G] * 5, languages=["kk"])
        kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)
        wait(*[G] * 5, locality=kentau, languages=["uz"])
        rows = client.get(QUEUES, {"place": "all"}).context["rows"]
        assert [
            (row["place"].slug, row["birth_year"], row["waiting"], [cell["waiting"] for cell in row["cells"]])
            for row in rows
        ] == [("turkistan", 2017, "10", ["10", "5", "0"]), ("kentau", 2017, "5", ["0", "0", "5"])]

    def test_without_the_cache_they_are_counted_again(self, place, wait, settings, caplog):
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
        wait(*[G] * 5)
        assert [one.waiting for one in counted_queues()] == [5]
        wait(G)
        assert [one.waiting for one in counted_queues()] == [6]
        assert "cache does not answer" in caplog.text

    def test_they_are_remembered_for_a_while(self, place, wait):
        wait(*[G] * 5)
        assert [one.waiting for one in counted_queues()] == [5]
        wait(G)
        assert [one.waiting for one in counted_queues()] == [5]

    def test_small_queues_are_not_told_exactly(self, client, place, wait):
        wait(*[G] * 4, languages=["kk"])
        response = client.get(QUEUES)
        assert [row["waiting"] for row in response.context["rows"]] == ["<5"]
        assert [cell["waiting"] for cell in response.context["rows"][0]["cells"]] == ["<5", "0", "0"]
        assert "&lt;5" in response.content.decode()

    def test_only_those_with_a_number_count(self, client, place, wait):
        wait(*[G] * 5)
        for state in (ApplicationState.STOP_LISTED, ApplicationState.LAPSED, ApplicationState.ENROLLED):
            wait(G, state=state)
        assert client.get(QUEUES).context["rows"][0]["waiting"] == "5"

    def test_the_place_filter(self, client, place, wait):
        wait(*[G] * 5)
        LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)
        assert client.get(QUEUES, {"place": "kentau"}).context["rows"] == []
        assert len(client.get(QUEUES, {"place": "turkistan"}).context["rows"]) == 1
        assert len(read(client.get(QUEUES + "counts.csv", {"place": "kentau"}))) == 1

    @pytest.mark.parametrize("value", ["nowhere", "\x00", "'; DROP TABLE", "9" * 500])
    def test_an_unknown_place_is_left_out_and_said(self, client, place, wait, value):
        """A file can't say so: there is none."""
        wait(*[G] * 5)
        response = client.get(QUEUES, {"place": value})
        assert response.status_code == 200
        assert response.context["filters"].note
        assert client.get(QUEUES + "counts.csv", {"place": value}).status_code == 404

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_every_queue_leads_to_its_order(self, client, place, wait, prefix):
        wait(*[G] * 5)
        page = text(client.get(prefix + QUEUES))
        for url in (ORDER, "/queue/check/", "/queue/corrections/"):
            assert f'href="{prefix}{url}"' in page
        assert f'href="{prefix}{QUEUES}counts.csv?place=turkistan"' in page

    def test_an_empty_city_has_a_page(self, client, db):
        assert client.get(QUEUES).status_code == 200

    def test_the_file_holds_the_same(self, client, place, wait):
        wait(*[G] * 4, languages=["kk", "ru"])
        wait(*[G] * 3, languages=["kk"])
        response = client.get("/ru" + QUEUES + "counts.csv")
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert f'filename="queues-turkistan-{localdate()}.csv"' in response["Content-Disposition"]
        assert read(response)[1:] == [["г. Туркестан", "2017", "7", "7", "<5", "0"]]


class TestCsv:
    def test_a_place_can_not_smuggle_a_formula(self, client, wait):
        wait(
            *[G] * 5, locality=LocalityFactory(slug="evil", name_kk='=HYPERLINK("x")', name_ru="=1", order=2)
        )
        assert read(client.get(QUEUES + "counts.csv", {"place": "evil"}))[1][0] == '\'=HYPERLINK("x")'
