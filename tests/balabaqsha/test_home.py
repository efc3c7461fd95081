"""The home page: the five sections of the manual, the chosen place, and nothing that is not public."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from balabaqsha.models import Incident
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Pause, Review, Vacancy
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReportedIncidentFactory,
    ReviewFactory,
    StaffFactory,
    UserFactory,
    VacancyFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def page(client, address="/"):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("address", ["/", "/ru/"])
def test_all_sections_of_the_manual_are_one_click_away(client, address):
    content = page(client, address)
    prefix = address.rstrip("/")
    for path in ("/bulletin/", "/queue/", "/kindergartens/", "/statistics/", "/feedback/"):
        assert f'href="{prefix}{path}"' in content
    for path in ("/register/", "/login/", "/queue/check/"):
        assert f'href="{prefix}{path}"' in content


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_first_action_leads_into_the_queue(client, parent_client, prefix):
    """A visitor registers and comes back to the form; who is signed in is at the form at once."""
    form = f"{prefix}/cabinet/applications/new/"
    main = page(client, f"{prefix}/").split("<main")[1]
    first = re.search(r'href="([^"]+)"', main)[1]
    assert unescape(first) == f"{prefix}/register/?{urlencode({'next': form})}"
    own = page(parent_client, f"{prefix}/").split("<main")[1]
    assert re.search(r'href="([^"]+)"', own)[1] == form


def test_an_empty_portal_says_what_to_do(client):
    context = client.get("/").context
    assert context["offer"].open == context["offer"].soon == []
    assert context["waiting"]["empty"]
    assert page(client).count('class="empty"') == 3


def shown(client, which="open"):
    return [listing.vacancy for listing in getattr(client.get("/").context["offer"], which)]


def test_counts_what_everybody_can_apply_for_in_the_chosen_place_and_shows_the_first(client, kentau):
    now = timezone.now()
    turkistan = LocalityFactory()

    def place(**fields):
        return VacancyFactory(group__kindergarten__locality=turkistan, **fields)

    made = [place(opens_at=now - timedelta(days=days), seats_taken=1) for days in range(1, 6)]
    place(seats_taken=5)
    place(priority_until=now + timedelta(days=1))
    next_one = place(opens_at=now + timedelta(hours=1))
    elsewhere = VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=kentau)))
    assert shown(client) == made[:3]
    offer = client.get("/").context["offer"]
    assert (offer.vacancies, offer.seats_free) == (5, 20)
    # The next opening is named with its minute.
    opens = timezone.localtime(next_one.opens_at).strftime('%d.%m.%Y</span> <span class="nowrap">%H:%M')
    assert opens in page(client).split('class="places"')[1].split("home-start")[0]
    client.cookies["place"] = "kentau"
    assert shown(client) == [elsewhere]


def test_where_none_is_open_it_shows_those_that_open_soonest(client):
    now = timezone.now()
    later, sooner = (VacancyFactory(opens_at=now + timedelta(days=days)) for days in (2, 1))
    VacancyFactory(seats_taken=5)
    assert shown(client) == []
    assert shown(client, "soon") == [sooner, later]
    assert page(client).count("places__one") == 2


@pytest.mark.parametrize("state", [Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED])
def test_a_vacancy_that_is_not_published_is_not_shown(client, state):
    VacancyFactory(state=state)
    assert shown(client) == shown(client, "soon") == []


def test_shows_the_queues_of_the_chosen_place(client, kentau):
    ApplicationFactory.create_batch(6)
    ApplicationFactory.create_batch(5, locality=kentau)
    assert client.get("/").context["waiting"]["rows"] == [{"label": "2017", "value": 6}]
    client.cookies["place"] = "kentau"
    assert client.get("/").context["waiting"]["rows"] == [{"label": "2017", "value": 5}]
    assert client.get("/").context["headline"].waiting == 11


def test_shows_three_published_reviews_without_names(client):
    now = timezone.now()
    author = UserFactory(profile__last_name="ТӨЛЕГЕНОВ", profile__first_name="ЕРМЕК")
    for number in range(5):
        ReviewFactory(
            author=author,
            text=f"Пікір {number}",
            state=Review.State.PUBLISHED if number else Review.State.PENDING,
            created_at=now + timedelta(minutes=number),
        )
    content = page(client)
    assert [review.text for review in client.get("/").context["reviews"]] == ["Пікір 4", "Пікір 3", "Пікір 2"]
    assert "Пікір 0" not in content
    assert "Е." in content
    assert "ермек" not in content.lower()
    assert "төлегенов" not in content.lower()


def test_a_review_of_a_deleted_account_is_still_shown(client):
    ReviewFactory(author=None, text="Рақмет")
    assert "Рақмет" in page(client)


def test_names_follow_the_language(client):
    VacancyFactory(group__kindergarten__name_kk="Балапан", group__kindergarten__name_ru="Птенчик")
    assert "Балапан" in page(client, "/")
    assert "Птенчик" in page(client, "/ru/")


def test_the_language_switch_keeps_the_page_and_its_query(client):
    LocalityFactory()
    for address in ("/statistics/?place=turkistan", "/ru/statistics/?place=turkistan"):
        content = page(client, address)
        assert 'href="/statistics/?place=turkistan"' in content
        assert 'href="/ru/statistics/?place=turkistan"' in content


@pytest.mark.parametrize(
    ("address", "kazakh", "russian"),
    [
        ("/nothing/?a=1", "/nothing/?a=1", "/ru/nothing/?a=1"),
        ("/ru/nothing/?a=1", "/nothing/?a=1", "/ru/nothing/?a=1"),
        ("/ru//example.com/", "/example.com/", "/ru//example.com/"),
        ("//example.com/", "/%2Fexample.com/", "/ru/%2Fexample.com/"),
        ("/russia/", "/russia/", "/ru/russia/"),
    ],
)
def test_the_language_switch_works_where_there_is_no_page(client, address, kazakh, russian):
    response = client.get("/", PATH_INFO=address.partition("?")[0], QUERY_STRING=address.partition("?")[2])
    assert response.status_code == 404
    assert [language["url"] for language in response.context["language_switch"]] == [kazakh, russian]


def test_only_reading_is_allowed(client):
    assert client.post(reverse("home")).status_code == 405


STRIP = "notice--warning"


def test_a_strip_says_what_does_not_work_and_only_then(client, kentau):
    LocalityFactory(order=0)
    assert STRIP not in page(client)
    employee = StaffFactory()
    pause = {"notice_ru": "Пауза", "started_at": timezone.now(), "started_by": employee}
    Pause.objects.create(locality=kentau, notice_kk="Кентаудағы үзіліс", **pause)
    assert STRIP not in page(client)
    client.cookies["place"] = "kentau"
    strip = page(client).split(STRIP)[1].split("</section>")[0]
    assert "Кентаудағы үзіліс" in strip
    assert 'href="/status/"' in strip


def test_the_strip_tells_an_incident_that_goes_on(client):
    ended = timezone.now()
    Incident.objects.create(part="work", started_at=ended - timedelta(hours=1), ended_at=ended)
    Incident.objects.create(part="messages", started_at=ended)
    strip = page(client, "/ru/").split(STRIP)[1].split("</section>")[0]
    assert "SMS и другие сообщения приходят с опозданием" in strip
    assert "запаздывает" not in strip


def test_the_strip_tells_what_an_official_says_of_the_chosen_place(client):
    place, far = LocalityFactory(), LocalityFactory(slug="far", order=9)
    ReportedIncidentFactory(locality=place, title_ru="СМС <b>опаздывают</b>")
    ReportedIncidentFactory(locality=far, title_ru="Другое место")
    ReportedIncidentFactory(title_ru="Ещё впереди", started_at=timezone.now() + timedelta(hours=1))
    client.cookies[PLACE_COOKIE] = place.slug
    strip = page(client, "/ru/").split(STRIP)[1].split("</section>")[0]
    assert "СМС &lt;b&gt;опаздывают" in strip
    assert "Коды приходят поздно" in strip
    assert "Другое место" not in strip
    assert "Ещё впереди" not in strip


def test_figures_name_the_minute_in_which_they_were_counted(client, clock):
    clock.move_to(datetime(2026, 11, 30, 9, 15, tzinfo=UTC))
    figures = page(client).split('id="home-figures"')[1]
    counted = '30.11.2026</span> <span class="nowrap">14:15'
    assert counted in figures
    clock.shift(30)
    assert counted in page(client).split('id="home-figures"')[1]


def test_a_number_is_checked_from_the_home_page(client):
    content = page(client, "/ru/").split('id="home-check"')[1].split("</section>")[0]
    assert 'action="/ru/queue/check/"' in content
    assert 'name="number"' in content
    assert 'name="digits"' in content


def test_a_family_reads_its_own_children_and_nobody_else_does(client_of, client, settings):
    settings.REMEMBER_FOR_A_SECOND = True
    mine, other = ApplicationFactory(), ApplicationFactory()
    with time_machine.travel(timezone.now(), tick=False):
        pages = [page(client_of(one.filed_by)) for one in (mine, other)]
        visitors = page(client)
    for one, own, foreign in ((mine, *pages), (other, *reversed(pages))):
        assert str(one.pk) in own
        assert str(one.pk) not in foreign
    assert "home-mine" not in visitors
    # What helps to begin is for those who have not begun.
    assert "home-start" in visitors
    assert "home-start" not in pages[0]


def test_a_message_to_read_does_not_cost_the_own_part(client_of):
    """A page with a message is rendered for its reader alone, in another way."""
    mine = ApplicationFactory()
    family = client_of(mine.filed_by)
    family.post("/place/", {"locality": mine.locality.slug, "next": "/"})
    content = page(family)
    assert 'class="messages' in content
    assert f'<a href="/cabinet/applications/{mine.pk}/">' in content


def test_what_a_family_costs_beside_a_visitor(client, client_of, django_assert_num_queries):
    """Three statements for its children, however many, beside its session and its unread notices."""
    born = {"child__birth_date": date(timezone.now().year - 3, 1, 1)}
    mine = ApplicationFactory(**born)
    ApplicationFactory(filed_by=mine.filed_by, locality=mine.locality, **born)
    family = client_of(mine.filed_by)
    page(family)
    with CaptureQueriesContext(connection) as visitors:
        page(client)
    with django_assert_num_queries(len(visitors) + 6):
        assert page(family).count("glance__number") == 2


def test_the_number_of_queries_does_not_grow_with_the_lists(client, django_assert_max_num_queries):
    for number in range(5):
        VacancyFactory()
        ReviewFactory(text=f"{number}")
    with django_assert_max_num_queries(18):
        page(client)
    # What costs counting is remembered for a minute.
    with django_assert_max_num_queries(9):
        page(client)
