"""The public figures, each against rows made by hand, and the page that shows them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import translation

from applications.states import ApplicationState, ReferralState
from balabaqsha import statistics
from tests.factories import (
    ApplicationFactory,
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReferralFactory,
    VacancyFactory,
)

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Almaty")
MICROSECOND = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def vacancy_in(locality, **fields):
    return VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=locality)), **fields)


def referral(
    *, days=100, issued_at=NOW - timedelta(days=1), state=ReferralState.ISSUED, locality=None, signed_at=None
):
    """A referral issued `days` after the application was filed; with a contract if `signed_at` is given."""
    locality = locality or LocalityFactory()
    application = ApplicationFactory(locality=locality, filed_at=issued_at - timedelta(days=days))
    made = ReferralFactory(
        application=application, bid__vacancy=vacancy_in(locality), issued_at=issued_at, state=state
    )
    if signed_at:
        ContractFactory(referral=made, signed_at=signed_at)
    return made


def test_waiting_by_year_counts_those_with_a_number(kentau):
    ApplicationFactory.create_batch(2, child__birth_date=date(2024, 5, 1))
    ApplicationFactory(child__birth_date=date(2023, 5, 1), state=ApplicationState.REFERRED)
    ApplicationFactory(child__birth_date=date(2023, 5, 1), locality=kentau)
    for state in (ApplicationState.ENROLLED, ApplicationState.STOP_LISTED, ApplicationState.LAPSED):
        ApplicationFactory(child__birth_date=date(2022, 5, 1), state=state)
    found = [(row.birth_year, row.waiting) for row in statistics.waiting_by_year(None)]
    assert found == [(2024, 2), (2023, 2)]
    found = [(row.birth_year, row.waiting) for row in statistics.waiting_by_year(kentau)]
    assert found == [(2023, 1)]


def test_waiting_by_locality_shows_empty_places_too(kentau):
    ApplicationFactory.create_batch(2, locality=LocalityFactory())
    found = [(row.locality.slug, row.waiting) for row in statistics.waiting_by_locality()]
    assert found == [("turkistan", 2), ("kentau", 0)]


def test_the_headline_counts_contracts_of_thirty_days():
    referral(state=ReferralState.SIGNED, signed_at=NOW - timedelta(days=30))
    referral(state=ReferralState.SIGNED, signed_at=NOW - timedelta(days=30, microseconds=1))
    assert statistics.headline(None, now=NOW).enrolled == 1


def test_figures_are_remembered_for_a_minute():
    assert statistics.waiting_by_year(None) == []
    ApplicationFactory()
    assert statistics.waiting_by_year(None) == []
    cache.delete("statistics:waiting_by_year:all")
    assert len(statistics.waiting_by_year(None)) == 1


def test_without_redis_the_figures_are_computed(client, settings):
    ApplicationFactory()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert client.get("/").context["headline"].waiting == 1
    assert client.get("/statistics/").status_code == 200


@pytest.mark.parametrize("address", ["/statistics/", "/ru/statistics/"])
def test_an_empty_portal_has_an_empty_page(client, address):
    response = client.get(address)
    assert response.status_code == 200
    assert response.content.decode().count('class="empty"') == 5


def test_the_page_shows_all_places_or_the_one_asked_for(client, kentau):
    LocalityFactory()
    ApplicationFactory.create_batch(2)
    ApplicationFactory(locality=kentau)
    for _family in range(5):
        referral(locality=kentau, issued_at=datetime.now(tz=UTC) - timedelta(days=1), days=12)
    whole = client.get("/statistics/?place=all")
    assert whole.context["headline"].waiting == 8
    assert [tab["current"] for tab in whole.context["tabs"]] == [True, False, False]
    one = client.get("/statistics/?place=kentau")
    assert one.context["headline"].waiting == 6
    assert one.context["waits"]["median"] == 12
    assert "Түркістан қ." not in one.content.decode().split("</nav>")[-1]


@pytest.mark.parametrize("address", ["/statistics/?place=kentau", "/ru/statistics/?place=kentau"])
def test_fewer_than_five_people_are_not_told(client, kentau, address):
    """Of a small place a month with one contract would tell of whom."""
    ApplicationFactory.create_batch(4, locality=kentau)
    response = client.get(address)
    page = response.content.decode()
    assert response.context["by_year"]["rows"] == [{"label": "2017", "value": 0, "shown": "<5"}]
    # The head describes the page by one of them.
    assert page.partition("</head>")[2].count("&lt;5") == 2
    for _family in range(4):
        now = datetime.now(tz=UTC)
        referral(locality=kentau, state=ReferralState.SIGNED, issued_at=now, signed_at=now)
    cache.clear()
    response = client.get(address)
    signed = [row["shown"] for row in response.context["taken"]["rows"]]
    assert (signed.count("<5"), set(signed)) == (1, {"<5", ""})
    # That all four were signed would be told of each of their numbers in the register.
    assert {row["shown"] for row in response.context["outcomes"]["rows"]} == {"…"}
    assert response.context["headline"].enrolled_told == "<5"


@pytest.mark.parametrize("query", ["place=almaty", "place=%00", "place='", "period=2025-11"])
def test_what_there_is_not_is_never_answered_by_the_chosen_place(client, kentau, query):
    client.cookies["place"] = "kentau"
    assert client.get(f"/statistics/?{query}").status_code == 404
    assert client.get("/statistics/?place=").context["locality"] == kentau


@pytest.mark.parametrize(
    ("number", "nouns"),
    [
        (
            1,
            (
                "детский сад в системе",
                "свободное место в бюллетене",
                "детей в очереди",
                "договоров заключено",
            ),
        ),
        (22, ("детских сада", "свободных места", "ребёнка в очереди", "договоров заключено")),
        (51, ("детский сад", "свободное место", "ребёнок в очереди", "договоров заключено")),
        (40, ("детских садов", "свободных мест", "детей в очереди", "договоров заключено")),
    ],
)
def test_nouns_follow_the_figures(number, nouns):
    """«51 детских садов» stood on the first page. Where few are not told, the noun tells no more than the figure."""
    figures = statistics.Headline(kindergartens=number, seats_free=number, waiting=number, enrolled=number)
    with translation.override("ru"):
        page = render_to_string("balabaqsha/headline.html", {"headline": figures, "recent_days": 30})
    assert [noun for noun in nouns if f">{noun}" not in page] == []
