"""Filters that can't fail: whatever is in the address, the list is shown."""

import pytest
from django.http import QueryDict
from django.utils import timezone

from bulletin.forms import BulletinFilterForm, CatalogueFilterForm, FilterForm, ReviewForm
from bulletin.models import Locality
from bulletin.selectors import kindergartens, published_vacancies
from tests.factories import LocalityFactory, VacancyFactory

pytestmark = pytest.mark.django_db

HOSTILE = [
    "place=nowhere",
    "place=%00",
    "place=turkistan&place=kentau",
    "birth_year=x",
    "birth_year=-1",
    "birth_year=0",
    "birth_year=1e9",
    "birth_year=99999999999999999999999999",
    "birth_year=2017.5",
    "birth_year=%D9%A2%D9%A0%D9%A1%D9%A7",
    "language=xx",
    "language=kk%00",
    "place_type=vacant'--",
    "status=everything",
    "sort=-password",
    "sort=seats_free;drop",
    "ownership=mine",
    "search=%00",
    "search=" + "a" * 101,
    "search=%F0%9F%91%B6",
    "search=%25%25%25",
    "search=%E0%A4",
    "page=x",
    "unknown=1",
    "language=ru&language=kk&place=kentau&place=nowhere",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_any_address_gives_a_list(query: str) -> None:
    LocalityFactory.create()
    LocalityFactory.create(slug="kentau")
    VacancyFactory.create()
    bulletin, catalogue = BulletinFilterForm(QueryDict(query)), CatalogueFilterForm(QueryDict(query))
    assert list(published_vacancies(**bulletin.values, now=timezone.now())) is not None
    assert list(kindergartens(**catalogue.values, now=timezone.now())) is not None
    assert str(bulletin)
    assert str(catalogue)


def test_what_made_no_sense_is_named_and_left_out() -> None:
    form = BulletinFilterForm(QueryDict("birth_year=x&language=ru&sort=zz"))
    values = form.values
    assert values == {
        "locality": None,
        "search": "",
        "birth_year": None,
        "language": "ru",
        "place_type": "",
        "sort": "ready",
        "status": "all",
    }
    for name in ("birth_year", "sort"):
        assert str(form.fields[name].label) in form.note
    assert str(form.fields["language"].label) not in form.note


def test_nothing_is_noted_where_everything_made_sense() -> None:
    assert BulletinFilterForm(QueryDict("birth_year=2017&search=&language=")).note == ""
    assert BulletinFilterForm().note == ""


@pytest.mark.parametrize("form", [BulletinFilterForm, CatalogueFilterForm])
def test_the_address_wins_over_the_chosen_place(form: type[FilterForm]) -> None:
    turkistan, kentau = LocalityFactory.create(), LocalityFactory.create(slug="kentau")
    assert form(QueryDict(), locality=turkistan).values["locality"] == turkistan
    assert form(QueryDict("place=kentau"), locality=turkistan).values["locality"] == kentau
    assert form(QueryDict("place=all"), locality=turkistan).values["locality"] is None
    assert form(QueryDict("place=nowhere"), locality=turkistan).values["locality"] == turkistan
    assert form(QueryDict()).values["locality"] is None


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("", 0),
        ("status=me&search=&page=2", 0),
        ("place=turkistan&birth_year=&language=&place_type=&sort=ready", 0),
        ("search=x", 1),
        ("birth_year=2017&place=all", 2),
        ("sort=free", 1),
    ],
)
def test_the_filters_that_are_in_use_are_counted(query: str, narrowed: int) -> None:
    place = LocalityFactory(slug="turkistan")
    assert BulletinFilterForm(QueryDict(query), locality=place).narrowed_by == narrowed


def test_years_on_offer_and_the_asked_one_can_be_chosen() -> None:
    VacancyFactory.create(birth_years=[2016, 2015])
    html = str(BulletinFilterForm(QueryDict("birth_year=2019"))["birth_year"])
    assert '<option value="2019" selected>' in html
    assert html.index("2019") < html.index("2016") < html.index("2015")


def test_a_filter_form_stands_in_one_language(settings) -> None:
    locality: Locality = LocalityFactory.create()
    assert locality.name_kk in str(CatalogueFilterForm())


@pytest.mark.parametrize(
    ("text", "valid"),
    [("a", True), ("ә" * 1000, True), ("ә" * 1001, False), ("", False), ("  \n ", False), ("a\0b", False)],
)
def test_text_of_a_review(text: str, valid: bool) -> None:
    assert ReviewForm({"text": text}).is_valid() == valid


@pytest.mark.parametrize("kindergarten", ["0", "x", "-1", "999999", "1; drop"])
def test_a_review_of_an_unknown_kindergarten_is_refused(kindergarten: str) -> None:
    assert not ReviewForm({"text": "a", "kindergarten": kindergarten}).is_valid()
