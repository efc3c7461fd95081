"""The public pages of the catalogue and the reviews: as anyone, in both languages, with any address."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from bulletin.models import Kindergarten, Language, Review, Vacancy
from tests.bulletin.test_forms import HOSTILE
from tests.factories import GroupFactory, KindergartenFactory, StaffFactory, VacancyFactory

pytestmark = pytest.mark.django_db

LANGUAGES = pytest.mark.parametrize("prefix", ["", "/ru"])


@pytest.fixture
def amina() -> Kindergarten:
    return KindergartenFactory.create(
        slug="amina", name_kk="ЖМ «Амина балабақшасы»", name_ru="ЧУ «Детский сад Амина»"
    )


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def review(author: User | None = None, text: str = "Рақмет!", state: str = "published", **fields) -> Review:
    fields.setdefault("created_at", timezone.now())
    return Review.objects.create(author=author, text=text, state=state, **fields)


# --- catalogue -----------------------------------------------------------------------------------------------


@LANGUAGES
def test_the_catalogue_in_both_languages(client: Client, amina: Kindergarten, prefix: str) -> None:
    response = client.get(f"{prefix}/kindergartens/")
    assert response.status_code == 200
    page = text_of(response)
    assert (amina.name_ru if prefix else amina.name_kk) in page
    assert (amina.name_kk if prefix else amina.name_ru) not in page
    assert f'href="{prefix}/kindergartens/amina/"' in page


def test_the_catalogue_shows_the_chosen_place_until_another_is_asked(client: Client, amina) -> None:
    elsewhere = KindergartenFactory.create(
        name_kk="Кентаудағы",
        locality__slug="kentau",
        locality__name_kk="Кентау",
        locality__order=1,
    )
    page = text_of(client.get("/kindergartens/"))
    assert amina.name_kk in page
    assert elsewhere.name_kk not in page
    client.cookies["place"] = "kentau"
    assert elsewhere.name_kk in text_of(client.get("/kindergartens/"))
    page = text_of(client.get("/kindergartens/?place=all"))
    assert amina.name_kk in page
    assert elsewhere.name_kk in page


def test_the_catalogue_is_searched_and_filtered(client: Client, amina: Kindergarten) -> None:
    GroupFactory.create(kindergarten=amina, language=Language.UZBEK)
    other = KindergartenFactory.create(
        name_kk="Ханзада", name_ru="Ханзада", ownership=Kindergarten.Ownership.STATE
    )
    for query in (
        "search=АМИНА",
        "ownership=private",
        "language=uz",
        "search=амина&ownership=private&language=uz",
    ):
        page = text_of(client.get(f"/kindergartens/?{query}"))
        assert amina.name_kk in page
        assert other.name_kk not in page


def test_the_catalogue_comes_in_pages_of_twenty(client: Client) -> None:
    KindergartenFactory.create_batch(21)
    assert text_of(client.get("/kindergartens/")).count('class="card card--link"') == 20
    for number in ("2", "99"):
        assert text_of(client.get(f"/kindergartens/?page={number}")).count('class="card card--link"') == 1
    for number in ("0", "-1", "x", "", "1e9", "%00"):
        assert client.get(f"/kindergartens/?page={number}").status_code == 200


@LANGUAGES
def test_nothing_found_offers_a_reset(client: Client, amina: Kindergarten, prefix: str) -> None:
    page = text_of(client.get(f"{prefix}/kindergartens/?search=жоқ"))
    assert 'class="empty"' in page
    assert f'href="{prefix}/kindergartens/"' in page


@pytest.mark.parametrize("query", HOSTILE)
def test_any_address_of_the_catalogue_answers(client: Client, amina: Kindergarten, query: str) -> None:
    response = client.get(f"/kindergartens/?{query}")
    assert response.status_code == 200


def test_what_was_left_out_of_the_search_is_said(client: Client, amina: Kindergarten) -> None:
    assert "notice--warning" in text_of(client.get("/kindergartens/?ownership=mine"))
    assert "notice--warning" not in text_of(client.get("/kindergartens/?ownership=private"))


def test_a_name_is_text_and_never_markup(client: Client) -> None:
    kindergarten = KindergartenFactory.create(name_kk="<script>alert(1)</script>")
    for address in ("/kindergartens/", kindergarten.get_absolute_url(), "/kindergartens/?search=<script>"):
        assert "<script>alert" not in text_of(client.get(address))


def test_the_catalogue_is_only_read(client: Client) -> None:
    assert client.post("/kindergartens/").status_code == 405


# --- one kindergarten ----------------------------------------------------------------------------------------


@LANGUAGES
def test_a_kindergartens_page(client: Client, amina: Kindergarten, prefix: str) -> None:
    group = GroupFactory.create(kindergarten=amina, name="Солнце", capacity=23)
    vacancy = VacancyFactory.create(group=group, seats_total=23, seats_taken=1)
    page = text_of(client.get(f"{prefix}/kindergartens/amina/"))
    assert (amina.address_ru if prefix else amina.address_kk) in page
    assert re.search(r'href="tel:([^"]*)"', page)[1].replace("-", "") == "+77253312345"
    assert amina.head in page
    assert "Солнце" in page
    with translation.override("ru" if prefix else "kk"):
        assert str(group.get_age_group_display()) in page
        assert amina.get_type_display() in page
    assert "<strong>22</strong> / 23" in page
    assert f'href="{prefix}/bulletin/{vacancy.pk}/"' in page


def test_only_vacancies_of_the_bulletin_are_shown(client: Client, amina: Kindergarten) -> None:
    group = GroupFactory.create(kindergarten=amina)
    hidden = [
        VacancyFactory.create(group=group, state=state)
        for state in (Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED)
    ]
    hidden.append(VacancyFactory.create())
    page = text_of(client.get("/kindergartens/amina/"))
    assert not [vacancy for vacancy in hidden if str(vacancy.pk) in page]


def test_a_kindergarten_without_anything_yet(client: Client) -> None:
    KindergartenFactory.create(slug="new", phone="", head="")
    response = client.get("/kindergartens/new/")
    assert response.status_code == 200
    assert text_of(response).count('class="empty"') == 2


@pytest.mark.parametrize("slug", ["nothing", "AMINA", "amina1", "1", "-", "a" * 300])
def test_an_unknown_kindergarten_is_not_found(client: Client, amina: Kindergarten, slug: str) -> None:
    assert client.get(f"/kindergartens/{slug}/").status_code == 404
    assert client.get(f"/ru/kindergartens/{slug}/").status_code == 404


@pytest.mark.parametrize("slug", ["%00", "a%20b", "..%2Fadmin", "ә", "%F0%9F%91%B6", "a.b"])
def test_what_can_not_be_a_slug_is_not_found(client: Client, slug: str) -> None:
    assert client.get(f"/kindergartens/{slug}/").status_code == 404


def test_the_newest_published_reviews_stand_on_the_card(client: Client, amina: Kindergarten) -> None:
    for number in range(4):
        review(
            text=f"Пікір-{number}",
            kindergarten=amina,
            created_at=timezone.now() - timedelta(days=4 - number),
        )
    review(text="Күтуде", kindergarten=amina, state="pending")
    review(text="Басқа туралы", kindergarten=KindergartenFactory.create())
    page = text_of(client.get("/kindergartens/amina/"))
    assert [number for number in range(4) if f"Пікір-{number}" in page] == [1, 2, 3]
    assert "Күтуде" not in page
    assert "Басқа туралы" not in page
    assert ": 4</a>" in page


# --- reviews -------------------------------------------------------------------------------------------------


@LANGUAGES
def test_reviews_are_public_and_without_names(client: Client, parent: User, prefix: str) -> None:
    review(parent, "Өте жақсы портал", answer="Рақмет сізге")
    for state in ("pending", "rejected"):
        review(parent, f"Жасырын {state}", state=state)
    response = client.get(f"{prefix}/feedback/")
    assert response.status_code == 200
    page = text_of(response)
    assert "Өте жақсы портал" in page
    assert "Рақмет сізге" in page
    assert "Жасырын" not in page
    for secret in ("КАМЕНОВ", "ЕРМЕК", parent.username, str(parent.pk)):
        assert secret not in page
    assert "<textarea" not in page
    assert f"/login/?next={prefix}/feedback/" in page


def test_reviews_come_newest_first_in_pages_of_twenty(client: Client) -> None:
    for number in range(21):
        review(text=f"Пікір-{number:02d}-", created_at=timezone.now() - timedelta(hours=number))
    first, second = text_of(client.get("/feedback/")), text_of(client.get("/feedback/?page=2"))
    assert re.findall(r"Пікір-(\d\d)-", first) == [f"{number:02d}" for number in range(20)]
    assert re.findall(r"Пікір-(\d\d)-", second) == ["20"]


def test_reviews_of_one_kindergarten(client: Client, amina: Kindergarten) -> None:
    review(text="Амина туралы", kindergarten=amina)
    review(text="Сайт өте ыңғайлы")
    page = text_of(client.get("/feedback/?kindergarten=amina"))
    assert "Амина туралы" in page
    assert "Сайт өте ыңғайлы" not in page
    for unknown in ("nothing", "%00", "'", "a" * 500):
        assert "Сайт өте ыңғайлы" in text_of(client.get(f"/feedback/?kindergarten={unknown}"))


def test_no_reviews_yet(client: Client) -> None:
    assert 'class="empty"' in text_of(client.get("/feedback/"))


@LANGUAGES
def test_a_parent_writes_a_review(
    parent_client: Client, parent: User, amina: Kindergarten, prefix: str
) -> None:
    address = f"{prefix}/feedback/"
    assert "<textarea" in text_of(parent_client.get(address))
    response = parent_client.post(address, {"kindergarten": amina.pk, "text": "  Рақмет!  "})
    assert (response.status_code, response["Location"]) == (302, address)
    written = Review.objects.get()
    assert (written.author, written.kindergarten, written.text) == (parent, amina, "Рақмет!")
    assert written.state == Review.State.PENDING
    page = text_of(parent_client.get(address))
    assert 'class="message' in page
    # The author sees that it waits; nobody else sees it.
    assert "Рақмет!" in page
    assert "Рақмет!" not in text_of(Client().get(address))


def test_a_double_press_writes_one_review(parent_client: Client) -> None:
    for _press in range(2):
        parent_client.post("/feedback/", {"text": "Рақмет!"})
    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"text": ""},
        {"text": " \n"},
        {"text": "a" * 1001},
        {"text": "a\0b"},
        {"text": "a", "kindergarten": "999999"},
        {"text": "a", "kindergarten": "x' or 1=1"},
        {"text": "Баланың ЖСН-і: 170720600007, орын бермейді"},
        {"text": "Хабарласыңыз: +7 701 234 98 76"},
    ],
)
def test_a_bad_review_is_explained_and_nothing_is_lost(parent_client: Client, data: dict[str, str]) -> None:
    response = parent_client.post("/feedback/", data)
    assert response.status_code == 200
    assert "has-error" in text_of(response)
    assert data.get("text", "").replace("\0", "").strip() in text_of(response) or "\0" in data["text"]
    assert not Review.objects.exists()


def test_the_author_and_the_state_are_not_taken_from_the_form(parent_client: Client, parent: User) -> None:
    other = StaffFactory.create()
    parent_client.post("/feedback/", {"text": "a", "author": other.pk, "state": "published", "answer": "b"})
    written = Review.objects.get()
    assert (written.author, written.state, written.answer) == (parent, "pending", "")


def test_the_fourth_waiting_review_is_refused_with_what_to_do(parent_client: Client) -> None:
    for number in range(3):
        parent_client.post("/feedback/", {"text": f"{number}"})
    response = parent_client.post("/feedback/", {"text": "төртінші"})
    assert response.status_code == 200
    assert "төртінші" in text_of(response)
    assert Review.objects.count() == 3


def test_a_refused_review_tells_its_author_why(parent_client: Client, parent: User) -> None:
    review(parent, "Телефоны …", "rejected", moderation_reason="Телефон нөмірі бар")
    assert "Телефон нөмірі бар" in text_of(parent_client.get("/feedback/"))
    assert "Телефон нөмірі бар" not in text_of(Client().get("/feedback/"))


def test_a_visitor_is_sent_to_sign_in(client: Client) -> None:
    response = client.post("/feedback/", {"text": "a"})
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=/feedback/")
    assert not Review.objects.exists()


def test_an_employee_without_a_profile_writes_none(client_of) -> None:
    staff = client_of(StaffFactory.create())
    assert "<textarea" not in text_of(staff.get("/feedback/"))
    assert staff.post("/feedback/", {"text": "a"}).status_code == 403
    assert not Review.objects.exists()


def test_a_review_needs_the_csrf_token(parent: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(parent, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/feedback/", {"text": "a"}).status_code == 403


def test_markup_in_a_review_is_text(client: Client) -> None:
    review(text="<script>alert(1)</script><b>x</b>", answer="<img src=x onerror=alert(1)>")
    page = text_of(client.get("/feedback/"))
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# --- what is found without one filter, favourites, comparison --------------------------------------------------


def test_where_nothing_is_found_the_filter_to_drop_is_named(client: Client, amina: Kindergarten) -> None:
    GroupFactory.create(kindergarten=amina, language=Language.RUSSIAN, age_group="2-3")
    answer = client.get("/kindergartens/?language=ru&age=4&search=амина&page=2")
    assert [(one["label"], one["found"], one["query"]) for one in answer.context["wider"]] == [
        ("Баланың толық жасы", 1, "language=ru&search=%D0%B0%D0%BC%D0%B8%D0%BD%D0%B0")
    ]
    elsewhere = client.get("/kindergartens/?place=kentau&language=ru")
    assert elsewhere.context["page"].paginator.count == 1


def test_a_free_place_is_asked_for_by_its_zero(client: Client, amina: Kindergarten) -> None:
    assert client.get("/kindergartens/?fee=0").context["filters"].values["fee"] == 0


def press(client: Client, *words: str, back: str = "/kindergartens/"):
    return client.post("/shortlist/", {"press": " ".join(words), "next": back})


@LANGUAGES
def test_favourites_are_kept_by_the_browser_alone(client: Client, amina: Kindergarten, prefix: str) -> None:
    address = f"{prefix}/favourites/"
    assert 'class="empty"' in text_of(client.get(address))
    answer = press(client, "add", "favourites", "amina", back=address)
    assert answer["Location"] == address
    assert amina.get_absolute_url() in text_of(client.get("/favourites/"))
    assert client.cookies["favourites"]["httponly"]
    assert amina.get_absolute_url() not in text_of(Client().get("/favourites/"))
    press(client, "remove", "favourites", "amina")
    assert 'class="empty"' in text_of(client.get(address))


def test_the_last_favourite_stands_first(client: Client, amina: Kindergarten) -> None:
    KindergartenFactory.create(slug="balpan")
    for slug in ("amina", "balpan", "amina"):
        press(client, "add", "favourites", slug)
    chosen = client.get("/favourites/").context["kindergartens"]
    assert [one.slug for one in chosen] == ["amina", "balpan"]


def test_four_are_compared_and_a_fifth_is_refused_with_what_to_do(client: Client) -> None:
    for number in range(5):
        KindergartenFactory.create(slug=f"k{number}", head="")
        answer = press(client, "add", "compared", f"k{number}")
    assert "notice--danger" in text_of(client.get(answer["Location"]))
    page = client.get("/compare/")
    assert [one.slug for one in page.context["kindergartens"]] == ["k0", "k1", "k2", "k3"]
    labels = [row.label for row in page.context["rows"]]
    # Nobody tells of food, so nobody is asked to compare it.
    assert "Мекенжайы" in labels
    assert "Тамақтану" not in labels
    press(client, "remove", "compared", "k0")
    press(client, "add", "compared", "k4")
    assert [one.slug for one in client.get("/compare/").context["kindergartens"]] == ["k1", "k2", "k3", "k4"]


@pytest.mark.parametrize(
    "cookie", ["", ".", "nothing", "a" * 5000, "amina%00", '"\\', "%D0%B0", "amina.amina"]
)
def test_any_cookie_is_read(client: Client, amina: Kindergarten, cookie: str) -> None:
    client.cookies["favourites"] = client.cookies["compared"] = cookie
    for address in ("/favourites/", "/compare/", "/kindergartens/", "/kindergartens/amina/"):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "words", ["", "add", "add favourites", "add nothing amina", "steal favourites amina", "add favourites \0"]
)
def test_any_press_answers_and_leads_nowhere_else(client: Client, amina: Kindergarten, words: str) -> None:
    answer = press(client, words, back="https://example.com/")
    assert (answer.status_code, answer["Location"]) == (302, "/kindergartens/")
    assert not client.cookies.get("favourites") or not client.cookies["favourites"].value


@pytest.mark.parametrize("page", ["/ru/kindergartens/", "/ru/map/", "/ru/bulletin/"])
def test_a_name_that_nobody_has_leads_to_one_like_it_with_the_other_filters(
    client: Client, page: str
) -> None:
    found = KindergartenFactory.create(name_kk="Айгөлек", name_ru="Айголек", ownership="private")
    VacancyFactory.create(group__kindergarten=found)
    filters = "" if "bulletin" in page else "&ownership=private"
    answer = client.get(f"{page}?search=айголак{filters}&page=2")
    [suggestion] = answer.context["suggestions"]
    assert suggestion.name == "Айголек"
    assert "page" not in suggestion.query
    assert "Возможно, вы искали" in text_of(answer)
    again = client.get(f"{page}?{suggestion.query}")
    assert "Возможно, вы искали" not in text_of(again)
    assert found.get_absolute_url().split("/")[-2] in again.content.decode() or "Айголек" in text_of(again)


class TestOpening:
    """«Бос орындар: 5» of places that are not open yet says when they open, and to whom."""

    @pytest.fixture
    def offered(self, amina: Kindergarten):
        now = timezone.now()

        def offer(days: int, *, priority: int | None = None, seats: int = 5) -> Vacancy:
            return VacancyFactory.create(
                group__kindergarten=amina,
                seats_total=seats,
                opens_at=now + timedelta(days=days),
                priority_until=None if priority is None else now + timedelta(days=priority),
            )

        return offer

    def said(self, client: Client, amina: Kindergarten) -> set[str]:
        press(client, "add", "compared", amina.slug)
        own = amina.get_absolute_url().replace("/kinder", "/ru/kinder", 1)
        pages = ("/ru/kindergartens/", "/ru/compare/", own)
        return {text_of(client.get(page)) for page in pages}

    def test_for_everybody(self, client: Client, amina: Kindergarten, offered) -> None:
        offered(3)
        for page in self.said(client, amina):
            assert "(для всех)" in page
            assert "для первых в очереди" not in page

    def test_for_the_head_of_the_queue_first(self, client: Client, amina: Kindergarten, offered) -> None:
        offered(3, priority=6)
        for page in self.said(client, amina):
            assert "(для первых в очереди). Для всех откроется:" in page

    def test_of_what_is_open_beside_it_the_number_is_told(self, client: Client, amina, offered) -> None:
        offered(-1, seats=2)
        offered(3)
        catalogue = text_of(client.get("/ru/kindergartens/"))
        assert "Сейчас открыто для всех: 2." in catalogue

    def test_places_that_are_all_open_say_so(self, client: Client, amina, offered) -> None:
        offered(-1)
        for page in self.said(client, amina):
            assert "(для всех)" not in page
            assert "Сейчас открыто для всех: 5" in page

    def test_beside_open_places_those_for_the_head_are_called_others(
        self, client: Client, amina, offered
    ) -> None:
        offered(-1, seats=2)
        offered(-1, priority=2)
        catalogue = text_of(client.get("/ru/kindergartens/"))
        assert "Сейчас открыто для всех: 2. Другие места сейчас для первых в очереди." in catalogue

    def test_a_place_that_is_for_the_head_now_opens_to_all_later(
        self, client: Client, amina, offered
    ) -> None:
        offered(-1, priority=2)
        for page in self.said(client, amina):
            assert "Сейчас для первых в очереди. Для всех откроется:" in page
