"""Pages that are rendered once a second for many: nothing in them may be of another visitor."""

import re
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.journal_actions import Action
from accounts.services import change_password
from applications.bidding.ending import reject_bid
from applications.models import Application
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Vacancy
from children.models import Guardianship
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.thorough import pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

BULLETIN = reverse("applications:bulletin")
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
seconds = count(1)


@pytest.fixture(autouse=True)
def _remembering(settings, clock, scene):
    """A second of its own for each test: the memory of the process outlives a test."""
    clock.move_to(scene.now + timedelta(seconds=next(seconds)))
    settings.REMEMBER_FOR_A_SECOND = True


def places(response):
    """The kindergartens' pages that the list leads to."""
    return re.findall(r'class="cell-title"><a href="([^"]+)', response.content.decode())


def counts(response):
    return re.findall(r'count--quiet">(\d+)<', response.content.decode())


def test_the_second_visitor_costs_no_query(client, django_assert_num_queries):
    first = client.get(BULLETIN)
    with django_assert_num_queries(0):
        second = Client().get(BULLETIN)
    assert places(second) == places(first) != []


def test_a_family_costs_its_session_and_one_statement(client_of, scene, django_assert_num_queries):
    client_of(scene.parent).get(BULLETIN)
    family = client_of(scene.parent)
    with django_assert_num_queries(2):
        family.get(BULLETIN)


def test_what_changed_is_shown_in_the_next_second(client, clock, scene):
    client.get(BULLETIN)
    VacancyFactory(group=scene.group)
    assert len(places(client.get(BULLETIN))) == 1
    clock.shift(1)
    assert len(places(client.get(BULLETIN))) == 2


def test_the_shown_time_is_that_of_the_second(client, clock):
    shown = [re.findall(rb"2019 16:2\d:\d\d", client.get(BULLETIN).content), clock.shift(1)][0]
    assert re.findall(rb"2019 16:2\d:\d\d", client.get(BULLETIN).content) != shown


def test_the_clock_starts_at_the_instant_of_sending(client, clock, scene):
    def told():
        return datetime.fromisoformat(
            re.search(r'data-now="([^"]+)"', client.get(BULLETIN).content.decode())[1]
        )

    first = told()
    clock.shift(0.4)
    assert told() - first == timedelta(seconds=0.4)


def test_each_visitor_gets_a_token_of_their_own_that_works():
    browsers = [Client(enforce_csrf_checks=True) for _ in range(2)]
    tokens = [TOKEN.search(browser.get(BULLETIN).content)[1].decode() for browser in browsers]
    assert tokens[0] != tokens[1]
    place = LocalityFactory(slug="kentau")
    for browser, own, other in zip(browsers, tokens, reversed(tokens), strict=True):
        chosen = {"locality": place.slug, "next": BULLETIN}
        assert browser.post(reverse("place"), chosen | {"csrfmiddlewaretoken": other}).status_code == 403
        assert browser.post(reverse("place"), chosen | {"csrfmiddlewaretoken": own}).status_code == 302


def test_a_searched_text_can_t_have_the_token_put_in(client):
    page = client.get(BULLETIN, {"search": "csrf_token"}).content
    assert len(set(TOKEN.findall(page))) == 1


def test_language_place_and_filters_are_kept_apart(client, scene):
    kentau = LocalityFactory(slug="kentau")
    pages = {client.get(address).content for address in (BULLETIN, "/ru" + BULLETIN, BULLETIN + "?sort=name")}
    client.cookies[PLACE_COOKIE] = kentau.slug
    elsewhere = client.get(BULLETIN)
    assert len(pages | {elsewhere.content}) == 4
    assert places(elsewhere) == []


def test_visitors_and_families_are_kept_apart(client, client_of, parent_client, scene):
    logout = reverse("accounts:logout").encode()
    assert logout not in client.get(BULLETIN).content
    assert logout in client_of(scene.parent).get(BULLETIN).content
    assert logout not in client.get(BULLETIN).content
    # Signed in, but without an application: its own count.
    assert counts(client_of(scene.parent).get(BULLETIN))[2] == "1"
    assert counts(parent_client.get(BULLETIN))[2] == "0"


def test_unread_notices_are_each_family_s_own(client_of, parent_client, scene):
    parent_client.get(BULLETIN)
    Notice.objects.create(recipient=scene.parent, kind="bid_placed", created_at=scene.now)
    assert b'<span class="count">1<' in client_of(scene.parent).get(BULLETIN).content
    assert b'<span class="count">1<' not in parent_client.get(BULLETIN).content


def test_the_mark_of_the_head_of_the_queue_is_each_family_s_own(client_of, scene):
    Vacancy.objects.update(priority_until=scene.now + timedelta(hours=1))
    one = scene.application
    scene.vacancy.cutoffs.create(birth_year=2017, tier=2, filed_at=one.filed_at, sequence=one.sequence)
    behind = ApplicationFactory(
        locality=scene.locality,
        child__birth_date=one.child.birth_date,
        languages=["ru"],
        filed_at=one.filed_at + timedelta(days=1),
    )
    inside, outside = (client_of(user).get(BULLETIN) for user in (scene.parent, behind.filed_by))
    assert (counts(inside)[2], counts(outside)[2]) == ("1", "0")
    assert (
        inside.content.count("Маған қолжетімді".encode())
        # Once in the three lines of a phone, once in the table of a wide screen.
        == outside.content.count("Маған қолжетімді".encode()) + 2
    )


def test_nobody_s_child_is_on_a_page_of_another(client_of, scene):
    Application.objects.update(languages=["kk"])
    mine = {"status": "me"}
    name = scene.application.child.full_name
    other = ApplicationFactory(
        locality=scene.locality, child__birth_date=scene.application.child.birth_date, languages=["kk"]
    )
    other.child.first_name = "Басқа"
    other.child.save()
    assert name in client_of(scene.parent).get(BULLETIN, mine).content.decode()
    page = client_of(other.filed_by).get(BULLETIN, mine).content.decode()
    assert name not in page
    assert "Басқа" in page


def test_a_row_says_what_parts_it_from_each_family(client, client_of, scene):
    """Nothing of the list is available to either, and yet they read different pages in the same second."""
    Vacancy.objects.update(birth_years=[2016], seats_taken=0)
    younger = client_of(scene.parent).get(BULLETIN).content.decode()
    Application.objects.filter(pk=scene.application.pk).update(birth_year=2016, languages=["kk"])
    one_language = client_of(scene.parent).get(BULLETIN).content.decode()
    assert "Балаңызға сай емес: басқа туған жыл" in younger
    assert "Балаңызға сай емес: басқа тіл" in one_language
    assert "сай емес" not in client.get(BULLETIN).content.decode()


def test_what_is_available_to_me_stands_above_the_list(client, client_of, scene):
    """As the first of the list, or in words where the list begins with another."""
    VacancyFactory(group=scene.group, birth_years=[2012])
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(published_at=scene.now - timedelta(days=9))
    above = "Балаңызға қазір қолжетімді хабарландыру: 1"
    family = client_of(scene.parent)
    assert above not in family.get(BULLETIN).content.decode()
    assert above in family.get(BULLETIN, {"sort": "new"}).content.decode()
    assert above not in family.get(BULLETIN, {"status": "me", "sort": "new"}).content.decode()
    assert above not in client.get(BULLETIN).content.decode()


def test_where_nothing_is_found_the_next_opening_is_told(client, client_of, scene):
    soon = VacancyFactory(group=scene.group, birth_years=[2017], opens_at=scene.now + timedelta(days=2))
    Vacancy.objects.exclude(pk=soon.pk).update(seats_taken=2)
    told = f'href="{soon.get_absolute_url()}"'
    for query in ({"birth_year": 2015}, {"status": "open"}):
        page = client.get(BULLETIN, query)
        assert places(page) == []
        assert "Келесі ашылу" in page.content.decode()
        assert told in page.content.decode()
    assert told in client_of(scene.parent).get(BULLETIN, {"status": "me"}).content.decode()


@pytest.mark.parametrize("address", [BULLETIN, BULLETIN + "?status=me"])
def test_the_page_of_many_families_is_rendered_without_knowing_the_first(client_of, scene, address):
    family = client_of(scene.parent)
    with CaptureQueriesContext(connection) as queries:
        page = family.get(address)
    assert places(page) != []
    assert not hasattr(page.context["user"], "pk")
    assert not [query for query in queries if "accounts_user" in query["sql"]]


def test_what_was_not_looked_up_is_not_counted(client, client_of, scene):
    """«0 found» above «sign in to see» would say that nothing suits. The number counts announcements, not places."""
    Vacancy.objects.update(seats_total=7)
    assert "Табылған хабарландырулар" not in client.get(BULLETIN, {"status": "me"}).content.decode()
    assert "Табылған хабарландырулар: 1" in client.get(BULLETIN).content.decode()
    assert (
        "Табылған хабарландырулар: 1"
        in client_of(scene.parent).get(BULLETIN, {"status": "me"}).content.decode()
    )


@pytest.mark.parametrize(
    ("place", "status"),
    list(pairs(["", "&place=", "&place=nowhere", "&place=all", "&place=turkistan"], ["all", "open", "me"])),
)
def test_each_tab_counts_what_it_lists(client_of, scene, status, place):
    """The family asks in one place and has chosen another at the top, where other places are free."""
    kentau = LocalityFactory(slug="kentau")
    for _ in range(3):
        VacancyFactory(
            group=GroupFactory(kindergarten=KindergartenFactory(locality=kentau)), birth_years=[2017]
        )
    family = client_of(scene.parent)
    family.cookies[PLACE_COOKIE] = kentau.slug
    page = family.get(f"{BULLETIN}?status={status}{place}")
    listed = [len(places(family.get(BULLETIN + tab["url"]))) for tab in page.context["tabs"]]
    assert [tab["count"] for tab in page.context["tabs"]] == listed
    assert counts(page) == [str(number) for number in listed]
    assert listed[2] == 1


@pytest.mark.parametrize("address", ["/", BULLETIN])
def test_no_cache_keeps_what_belongs_to_one_reader(client, client_of, scene, address):
    for request in (client.get, client.head):
        visitor = request(address)
        assert visitor.headers["Cache-Control"] == "private"
        assert "Cookie" in visitor.headers["Vary"]
    for request in (client_of(scene.parent).get, client_of(scene.parent).head):
        assert "no-store" in request(address).headers["Cache-Control"]


def test_a_message_is_shown_to_whom_it_is_written_only(client):
    kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.")
    client.post(reverse("place"), {"locality": kentau.slug, "next": BULLETIN})
    said = "Таңдалған елді мекен: Кентау қ."
    other = Client()
    other.cookies[PLACE_COOKIE] = kentau.slug
    assert said in client.get(BULLETIN).content.decode()
    assert said not in other.get(BULLETIN).content.decode()
    assert said not in client.get(BULLETIN).content.decode()


class TestWhoIsAsking:
    """The one statement never says more than the ordinary way."""

    def available(self, browser):
        return counts(browser.get(BULLETIN))[2:]

    def test_an_ended_session_is_a_visitor(self, client_of, scene):
        browser = client_of(scene.parent)
        assert self.available(browser) == ["1"]
        browser.session.flush()
        assert self.available(browser) == []

    def test_a_changed_password_ends_it(self, client_of, scene):
        browser = client_of(scene.parent)
        change_password(
            scene.parent,
            password="another-password-1",
            action=Action.PASSWORD_CHANGED,
            address=None,
            now=scene.now,
        )
        assert self.available(browser) == []

    def test_a_blocked_account_is_a_visitor(self, client_of, scene):
        browser = client_of(scene.parent)
        scene.parent.is_active = False
        scene.parent.save()
        assert self.available(browser) == []

    def test_a_forged_session_is_a_visitor(self, client_of, scene):
        browser = client_of(scene.parent)
        session = browser.session
        session[HASH_SESSION_KEY] = "0" * 64
        session.save()
        assert self.available(browser) == []

    def test_an_ended_guardianship_shows_nothing(self, client_of, scene):
        Guardianship.objects.update(ended_at=scene.now)
        assert self.available(client_of(scene.parent)) == ["0"]

    def test_a_place_that_refused_the_family_is_not_available(self, client_of, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        reject_bid(bid, actor=scene.staff, reason="Құжаттар", now=scene.now)
        assert self.available(client_of(scene.parent)) == ["0"]
