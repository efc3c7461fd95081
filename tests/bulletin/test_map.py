"""The map of kindergartens: what it draws, what it lists beside it, and any address of it."""

import itertools
import math
import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from bulletin import on_map
from bulletin.mercator import Bounds, frame_of
from bulletin.models import Kindergarten, Vacancy
from bulletin.on_map import CELL, Availability
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, VacancyFactory
from tests.staff import inside, worker_of

pytestmark = pytest.mark.django_db

NORTH, EAST = 43.3, 68.25
SIZE = {"width": 480, "height": 400}


def at(north: float, east: float, **fields) -> Kindergarten:
    point = {"latitude": Decimal(f"{north:.6f}"), "longitude": Decimal(f"{east:.6f}")}
    return KindergartenFactory.create(**point, **fields)


def drawn(bounds: Bounds) -> list[on_map.Mark]:
    frame = frame_of(bounds, **SIZE)
    return on_map.marks(Kindergarten.objects.all(), frame.bounds, frame, now=timezone.now())


def page_of(client, query: str = "", prefix: str = "") -> str:
    answer = client.get(f"{prefix}/map/{query}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def links_of_marks(page: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'class="map__mark" href="([^"]*)"', page)]


def listed(page: str) -> list[str]:
    return re.findall(r'map-list__name"><a href="/kindergartens/([^/]*)/', page)


# --- what is drawn -------------------------------------------------------------------------------------------


class TestAvailability:
    @pytest.mark.parametrize(
        ("vacancy", "expected"),
        [
            ({}, Availability.FREE),
            ({"priority_until": timedelta(hours=1)}, Availability.FREE),
            ({"opens_at": timedelta(days=1)}, Availability.SOON),
            ({"seats_taken": 5}, Availability.NONE),
            ({"state": Vacancy.State.RECALLED}, Availability.NONE),
            ({"closes_at": timedelta(minutes=-1)}, Availability.NONE),
        ],
        ids=["open", "for the head of a queue", "announced", "full", "recalled", "closed"],
    )
    def test_it_is_that_of_its_vacancy(self, vacancy, expected):
        now = timezone.now()
        fields = {
            name: now + value if isinstance(value, timedelta) else value for name, value in vacancy.items()
        }
        one = VacancyFactory.create(published_at=now - timedelta(days=2), **fields)
        found = on_map.with_availability(Kindergarten.objects.all(), now=now).get()
        assert found == one.group.kindergarten
        assert found.availability == expected

    def test_the_best_of_several_vacancies_counts(self):
        group = GroupFactory.create()
        VacancyFactory.create(group=group, opens_at=timezone.now() + timedelta(days=1), published_at=None)
        VacancyFactory.create(group=group)
        assert on_map.with_availability(
            Kindergarten.objects.all(), now=timezone.now()
        ).get().availability == (Availability.FREE)


class TestMarks:
    def test_two_that_lie_apart_are_two_and_two_that_overlap_are_one_with_their_number(self):
        apart, one, other = at(NORTH, EAST), at(NORTH + 0.02, EAST), at(NORTH + 0.021, EAST)
        VacancyFactory.create(group__kindergarten=other)
        several, alone = sorted(drawn(Bounds(EAST, NORTH, EAST, NORTH + 0.02)), key=lambda mark: mark.y)
        assert (alone.kindergarten, alone.count, alone.availability) == (apart, 1, Availability.NONE)
        assert (several.kindergarten, several.count, several.free, several.soon) == (None, 2, 1, 0)
        assert several.availability == Availability.FREE
        assert several.bounds == Bounds(EAST, one.point[0], EAST, other.point[0])
        closer = drawn(several.bounds)
        assert {mark.kindergarten for mark in closer} == {one, other}

    def test_marks_lie_in_the_frame_where_the_kindergartens_are(self):
        at(NORTH, EAST)
        [mark] = drawn(Bounds(EAST - 0.01, NORTH - 0.01, EAST + 0.01, NORTH + 0.01))
        assert (mark.x, mark.y) == (240, 200)
        assert mark.geo == "43.30000,68.25000"

    def test_a_cluster_stays_one_while_the_map_moves(self):
        """The grid is of the world and not of the frame."""
        for step in range(12):
            at(NORTH + step * 0.002, EAST)
        bounds = Bounds(EAST - 0.02, NORTH, EAST + 0.02, NORTH + 0.03)
        moved = Bounds(bounds.west + 0.003, bounds.south, bounds.east + 0.003, bounds.north)
        counts = [{(mark.geo, mark.count) for mark in drawn(part)} for part in (bounds, moved)]
        assert counts[0] == counts[1]
        assert 1 < len(counts[0]) < 12

    def test_what_has_no_point_or_lies_elsewhere_is_not_drawn(self):
        KindergartenFactory.create()
        at(51.1, 71.4)
        assert drawn(Bounds(EAST, NORTH, EAST, NORTH)) == []


class TestNearby:
    def test_the_nearest_come_first_and_those_far_away_not_at_all(self):
        here = at(NORTH, EAST)
        near = [at(NORTH, EAST + step / 1000) for step in (9, 3, 6)]
        at(NORTH + 0.06, EAST)
        KindergartenFactory.create()
        found = on_map.nearby(here, now=timezone.now())
        assert [one.kindergarten for one in found] == [near[1], near[2], near[0]]
        assert all(one.metres < other.metres for one, other in pairwise(found))
        assert found[0].metres == pytest.approx(243, abs=2)
        assert on_map.nearby(KindergartenFactory.create(), now=timezone.now()) == []

    def test_five_are_named(self):
        here = at(NORTH, EAST)
        for step in range(7):
            at(NORTH, EAST + step / 1000)
        assert len(on_map.nearby(here, now=timezone.now())) == 5


@pytest.mark.parametrize(
    ("metres", "kk", "ru"),
    [
        (4, "4 м", "4 м"),
        (243, "240 м", "240 м"),
        (1000, "1 км", "1 км"),
        (1549, "1,5 км", "1,5 км"),
        (23_400, "23 км", "23 км"),
    ],
)
def test_distances_in_words(metres, kk, ru):
    for language, expected in (("kk", kk), ("ru", ru)):
        with translation.override(language):
            assert on_map.in_words(metres) == expected


# --- the page ------------------------------------------------------------------------------------------------


class TestPage:
    def test_it_shows_what_the_catalogue_finds(self, client):
        amina, other = at(NORTH, EAST, slug="amina", ownership="state"), at(NORTH + 0.1, EAST)
        page = page_of(client)
        assert set(links_of_marks(page)) == {amina.get_absolute_url(), other.get_absolute_url()}
        assert set(listed(page)) == {"amina", other.slug}
        page = page_of(client, "?ownership=state")
        assert links_of_marks(page) == ["/kindergartens/amina/"]
        assert listed(page) == ["amina"]
        assert 'href="/kindergartens/?ownership=state"' in page

    def test_a_map_without_a_ground_says_that_it_has_no_streets(self, client, settings):
        at(NORTH, EAST)
        assert "онда көшелер жоқ" in page_of(client)
        settings.MAP_TILES_URL, settings.MAP_ATTRIBUTION = (
            "https://tiles.example.kz/{z}/{x}/{y}.png",
            "© Tiles",
        )
        assert "онда көшелер жоқ" not in page_of(client)

    @pytest.mark.parametrize("prefix", ["", "/ru"], ids=["kk", "ru"])
    def test_a_mark_says_in_words_what_it_means(self, client, prefix):
        amina = at(NORTH, EAST)
        VacancyFactory.create(group__kindergarten=amina)
        name, words = (amina.name_ru, "Места есть сейчас") if prefix else (amina.name_kk, "Қазір орын бар")
        page = page_of(client, prefix=prefix).replace("&quot;", '"')
        assert f"<title>{name}. {words}</title>" in page

    def test_a_part_of_the_map_narrows_the_list_and_a_cluster_leads_to_its_part(self, client):
        one, other, away = at(NORTH, EAST), at(NORTH, EAST + 0.001), at(NORTH + 0.3, EAST)
        page = page_of(client)
        assert len(listed(page)) == 3
        [cluster] = [link for link in links_of_marks(page) if link.startswith("?")]
        page = page_of(client, cluster)
        assert set(listed(page)) == {one.slug, other.slug}
        assert set(links_of_marks(page)) == {one.get_absolute_url(), other.get_absolute_url()}
        assert away.slug not in page

    def test_the_way_of_a_cluster_and_of_the_buttons_keeps_the_filters(self, client):
        at(NORTH, EAST), at(NORTH, EAST + 0.00001), at(NORTH + 0.3, EAST)
        page = page_of(client, "?ownership=private&page=1")
        ways = re.findall(r'href="(\?[^"]*bounds=[^"]*)"', page)
        assert len(ways) == 7
        assert all(way.startswith("?ownership=private&amp;bounds=") for way in ways)

    def test_going_closer_and_back_ends_where_it_began(self, client):
        at(NORTH, EAST), at(NORTH + 0.05, EAST)

        def go(query: str, way: str) -> str:
            with translation.override("kk"):
                label = translation.gettext(way)
            page = page_of(client, query)
            [link] = re.findall(rf'href="(\?[^"]*)"><svg(?:(?!</svg>).)*</svg>{label}</a>', page)
            return link

        begin = "?bounds=68.20000,43.20000,68.30000,43.30000"
        closer = go(begin, "Closer")
        there_and_back = go(closer, "Farther")
        frames = [page_of(client, query) for query in (begin, there_and_back)]
        assert links_of_marks(frames[0]) == links_of_marks(frames[1])
        assert re.findall(r'use href="[^"]*" x="(\d+)"', frames[0]) == re.findall(
            r'use href="[^"]*" x="(\d+)"', frames[1]
        )

    def test_what_is_drawn_is_remembered_for_a_minute_and_what_is_listed_is_read(
        self, client, settings, monkeypatch
    ):
        settings.REMEMBER_FOR_A_SECOND = True
        one = at(NORTH, EAST)
        now = timezone.now().replace(second=0)

        def seen(seconds: int, query: str = "?ownership=private") -> tuple[str, str]:
            monkeypatch.setattr("bulletin.views.read_clock", lambda: now + timedelta(seconds=seconds))
            page = page_of(client, query, "/ru")
            drawn = "free" if 'href="#mark-free" x=' in page else "none"
            return drawn, "free" if "#mark-free" in page[page.index('id="found"') :] else "none"

        assert seen(1) == ("none", "none")
        VacancyFactory.create(group__kindergarten=one, opens_at=now, published_at=None)
        assert seen(59) == ("none", "free")
        # Another question has an answer of its own.
        assert seen(59, "?ownership=private&bounds=68.2,43.2,68.3,43.4") == ("free", "free")
        assert seen(60) == ("free", "free")

    def test_those_without_a_point_stay_in_the_list(self, client):
        at(NORTH, EAST)
        hidden = KindergartenFactory.create()
        page = page_of(client)
        assert hidden.slug in listed(page)
        assert "тек тізімде: 1" in page
        Kindergarten.objects.update(latitude=None, longitude=None)
        page = page_of(client)
        assert len(listed(page)) == 2
        assert '<svg class="map"' not in page

    def test_a_larger_map_on_the_screen_lists_exactly_its_part(self, client):
        """With `zoom` the marks are as close as on a screen twice as large, and not closer."""
        inside, edge = at(NORTH, EAST), at(NORTH, EAST + 0.0205)
        query = f"?bounds={EAST - 0.02},{NORTH - 0.02},{EAST + 0.02},{NORTH + 0.02}"
        assert set(listed(page_of(client, query))) == {inside.slug, edge.slug}
        for zoom in (0, 13, 14, 17, 99):
            assert listed(page_of(client, f"{query}&zoom={zoom}")) == [inside.slug]

    @pytest.mark.parametrize(
        "query",
        [
            "bounds=%00",
            "bounds=180,85,180,85",
            "bounds=-180,-85,180,85&zoom=99",
            "bounds=68,43,69,44&zoom=%00",
            "bounds=68,43,69,44&page=99&search=%00",
        ],
        ids=["nul", "corner", "world", "zoom", "filters"],
    )
    def test_any_address_answers(self, client, query):
        at(NORTH, EAST)
        assert client.get(f"/map/?{query}").status_code == 200

    def test_a_part_that_can_not_be_read_is_said(self, client):
        at(NORTH, EAST)
        assert "notice--warning" in page_of(client, "?bounds=here")
        assert "notice--warning" not in page_of(client, "?bounds=68,43,69,44")

    def test_a_name_is_text_and_never_markup(self, client):
        at(NORTH, EAST, name_kk="</title><script>alert(1)</script>")
        assert "<script>alert" not in page_of(client)


class TestPlace:
    """On the page of a kindergarten, and in the workplace."""

    def test_a_kindergartens_page_shows_where_it_is_and_who_is_near(self, client):
        at(NORTH, EAST, slug="amina", name_kk="Амина (1)"), at(NORTH, EAST + 0.003, slug="balapan")
        at(NORTH + 0.1, EAST, slug="far")
        page = re.sub(r"\s+", " ", client.get("/kindergartens/amina/").content.decode())
        assert (
            'href="geo:43.30000,68.25000?q=43.30000,68.25000(%D0%90%D0%BC%D0%B8%D0%BD%D0%B0%20%281%29)"'
            in page
        )
        assert listed(page) == ["balapan"]
        # Its pin stands in the middle, and the neighbour to the east of it.
        assert 'transform="translate(240 130)"' in page
        assert re.findall(r'use href="#mark-none" x="(\d+)" y="(\d+)"', page) == [("310", "130")]
        assert "Түзу сызықпен: 240 м" in page
        [part] = re.findall(r'href="/map/(\?place=all&amp;bounds=[^"]*)"', page)
        assert listed(page_of(client, part.replace("&amp;", "&"))) == ["amina", "balapan"]

    def test_one_without_a_point_has_no_map(self, client):
        KindergartenFactory.create(slug="amina")
        page = client.get("/kindergartens/amina/").content.decode()
        assert "geo:" not in page
        assert 'class="map"' not in page

    def test_an_employee_sets_the_point_within_the_country(self):
        one = KindergartenFactory.create(slug="amina")
        at(NORTH, EAST), at(NORTH + 0.1, EAST + 0.1)
        browser = inside(worker_of(one))
        address = reverse("admin:bulletin_kindergarten_change", args=[one.pk])
        form = browser.get(address)
        assert 'data-bounds="68.25000,43.30000,68.35000,43.40000"' in form.content.decode()
        assert form.content.decode().count("field-locality") == 1
        typed = {
            "address_kk": one.address_kk, "address_ru": one.address_ru, "phone": str(one.phone), "head": one.head,
            "_seen": form.context["seen"], "groups-TOTAL_FORMS": 0, "groups-INITIAL_FORMS": 0,
        }  # fmt: skip
        answer = browser.post(address, typed | {"latitude": "55.75", "longitude": "37.62"})
        assert set(answer.context["adminform"].form.errors) >= {"latitude", "longitude"}
        # Tashkent: in the rectangle around the country, and not in the country.
        answer = browser.post(address, typed | {"latitude": "41.31", "longitude": "69.28"})
        assert "Қазақстаннан тыс" in str(answer.context["adminform"].form.errors["latitude"])
        # One number that is none has one error, whatever the other would say beside the number that is stored.
        answer = browser.post(address, typed | {"latitude": "north", "longitude": "85"})
        assert len(answer.context["adminform"].form.errors["latitude"]) == 1
        answer = browser.post(address, typed | {"latitude": "43.3", "longitude": ""})
        assert answer.status_code == 200
        answer = browser.post(address, typed | {"latitude": "43.297301", "longitude": "68.251702"})
        assert answer.status_code == 302
        one.refresh_from_db()
        assert one.geo == "43.29730,68.25170"

    def test_a_point_far_from_the_others_is_asked_about_once(self):
        one = KindergartenFactory.create(slug="amina")
        near = at(NORTH, EAST, locality=one.locality)
        at(51.128, 71.43, locality=LocalityFactory(slug="astana", name_kk="Астана"))
        browser = inside(worker_of(one))
        address = reverse("admin:bulletin_kindergarten_change", args=[one.pk])
        form = browser.get(address)
        assert form.context["map_others"] == [[NORTH, EAST, near.name]]
        typed = {
            "address_kk": one.address_kk, "address_ru": one.address_ru, "phone": str(one.phone), "head": one.head,
            "_seen": form.context["seen"], "groups-TOTAL_FORMS": 0, "groups-INITIAL_FORMS": 0,
        }  # fmt: skip
        astana = typed | {"latitude": "51.128", "longitude": "71.43"}
        answer = browser.post(address, astana)
        assert answer.status_code == 200
        asked = answer.context["adminform"].form
        assert "903 км" in str(asked.errors["latitude"])
        other = astana | {"latitude": "51.129", "asked_point": asked["asked_point"].value()}
        assert browser.post(address, other).status_code == 200
        assert (
            browser.post(address, astana | {"asked_point": asked["asked_point"].value()}).status_code == 302
        )
        one.refresh_from_db()
        assert one.geo == "51.12800,71.43000"


class TestStrays:
    def test_a_map_begins_with_most_and_leads_to_the_one_far_away(self, client):
        for number in range(12):
            at(NORTH + number / 500, EAST, slug=f"near-{number}")
        at(51.128, 71.43, slug="far")
        extent = on_map.extent(Kindergarten.objects.all())
        assert extent.first == Bounds(EAST, NORTH, EAST, 43.322)
        assert (extent.bounds, extent.stray) == (Bounds(EAST, NORTH, 71.43, 51.128), 1)
        page = page_of(client, "?place=all")
        assert "/kindergartens/far/" not in links_of_marks(page)
        whole = "?place=all&bounds=68.25000,43.30000,71.43000,51.12800"
        assert f'href="{whole.replace("&", "&amp;")}"' in page
        assert "/kindergartens/far/" in links_of_marks(page_of(client, whole))

    def test_villages_around_a_city_are_no_strays(self):
        for number in range(12):
            at(NORTH + number / 500, EAST)
        at(NORTH + 0.29, EAST), at(NORTH, EAST - 0.29)
        extent = on_map.extent(Kindergarten.objects.all())
        assert (extent.first, extent.stray) == (extent.bounds, 0)


def test_marks_on_either_side_of_a_line_of_the_grid_do_not_overlap():
    """Whatever lies where: no two marks are nearer than the size of a mark."""
    for step in range(12):
        at(NORTH + 0.013 * (step % 4), EAST + 0.0055 * step)
    found = drawn(Bounds(EAST, NORTH, EAST + 0.07, NORTH + 0.04))
    assert sum(mark.count for mark in found) == 12
    assert len(found) > 2
    for one, other in itertools.combinations(found, 2):
        # Each is rounded to whole pixels.
        assert math.dist((one.x, one.y), (other.x, other.y)) > CELL - 2


class TestScale:
    """As many statements for two hundred as for one, and bytes that grow with the marks and not with the city."""

    def cost(self, client) -> tuple[int, int]:
        client.get("/map/")
        with CaptureQueriesContext(connection) as captured:
            answer = client.get("/map/")
        return len(captured), len(answer.content)

    def many(self, count: int) -> None:
        """Spread evenly over the same part of the city."""
        template = KindergartenFactory.build(locality=Kindergarten.objects.first().locality)
        fields = {
            field.name: getattr(template, field.name)
            for field in Kindergarten._meta.local_concrete_fields
            if field.name not in ("id", "slug", "latitude", "longitude")
        }
        begun = Kindergarten.objects.count()
        Kindergarten.objects.bulk_create(
            Kindergarten(
                **fields,
                slug=f"many-{begun + number}",
                latitude=Decimal(f"{NORTH + number * 37 % 101 / 1000:.6f}"),
                longitude=Decimal(f"{EAST + number * 53 % 103 / 1000:.6f}"),
            )
            for number in range(count)
        )

    def test_it_costs_as_much_for_many(self, client):
        at(NORTH, EAST), at(NORTH + 0.1, EAST + 0.1)
        few, _bytes = self.cost(client)
        self.many(400)
        statements, size = self.cost(client)
        self.many(1200)
        again, larger = self.cost(client)
        # Where every mark is of several, there is no name to read.
        assert again <= statements <= few
        assert larger < size * 1.05
        assert larger < 150_000
