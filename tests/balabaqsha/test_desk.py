"""The demo desk: its page, its JSON, and that it is there in demo mode only."""

import runpy
from datetime import time, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import Resolver404, URLResolver, reverse
from django.urls.resolvers import RegexPattern
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.crypto import keyed_hash
from accounts.registry import simulated_people
from applications.states import ApplicationState
from balabaqsha import urls
from balabaqsha.demo import staff, views
from notifications.hours import Hours
from notifications.sms.file import FileBackend
from tests.factories import ApplicationFactory, ChildFactory, ProfileFactory, StaffFactory

JSON = "/demo/desk.json"
PAGE = "/demo/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_sms_file(settings, tmp_path) -> None:
    settings.SMS_FILE = tmp_path / "sms.jsonl"


@pytest.fixture
def device():
    """The second factor of the demo kindergarten's worker."""
    return TOTPDevice.objects.create(user=StaffFactory(username="amina"), name="demo")


def desk(client):
    return client.get(JSON).json()


def test_json_has_exactly_the_promised_shape(client, device):
    FileBackend().send("+77017779876", "Код: 483920", idempotency_key="1")
    answer = desk(client)
    assert set(answer) == {"people", "staff", "sms"}
    for person in answer["people"]:
        assert set(person) == {"iin", "document_number", "name", "birth_date", "children"}
        for child in person["children"]:
            assert set(child) == {"iin", "name", "birth_date"}
    assert [set(login) for login in answer["staff"]] == [
        {"username", "password", "otp", "role", "kindergarten", "admin_url"}
    ]
    assert [set(sms) for sms in answer["sms"]] == [{"phone", "text", "sent_at"}]
    father = answer["people"][0]
    assert (father["iin"], father["birth_date"]) == ("940225300009", "1994-02-25")
    assert father["children"][0] == {
        "iin": "170720600007",
        "name": "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА",
        "birth_date": "2017-07-20",
    }
    assert answer["staff"][0]["admin_url"] == "http://testserver/admin/"


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_the_page_says_when_an_sms_goes(client, monkeypatch, language):
    monkeypatch.setattr(views, "DAYTIME", Hours(time(6, 15), time(23, 40)))
    monkeypatch.setattr(views, "WAIT", timedelta(minutes=17))
    content = client.get(f"{PAGE}?lang={language}").content.decode()
    section = content[content.index("desk-sms") : content.index("</section>", content.index("desk-sms"))]
    assert all(figure in section for figure in ("6:15", "23:40", "17 мин"))


def test_a_registered_person_is_offered_no_more_but_their_children_still_are(client):
    ProfileFactory(iin=simulated_people.MANUAL_PARENT_IIN)
    assert simulated_people.MANUAL_PARENT_IIN not in {person["iin"] for person in desk(client)["people"]}
    content = client.get(PAGE + "?lang=ru").content.decode()
    registered = content[content.index("desk-registered") : content.index("desk-people")]
    assert simulated_people.MANUAL_CHILD_IIN in registered
    ChildFactory(iin=simulated_people.MANUAL_CHILD_IIN)
    content = client.get(PAGE + "?lang=ru").content.decode()
    assert simulated_people.MANUAL_CHILD_IIN not in content[: content.index("desk-people")]


def test_a_person_registered_by_document_is_offered_no_more(client):
    number = simulated_people.FOREIGN_MOTHER_DOCUMENT
    assert number in {person["document_number"] for person in desk(client)["people"]}
    ProfileFactory(iin="", document_number=number, document_hash=keyed_hash("document", number))
    assert number not in {person["document_number"] for person in desk(client)["people"]}


def test_sms_are_newest_first(client):
    for text in ("бірінші", "екінші"):
        FileBackend().send("+77017779876", text, idempotency_key=text)
    assert [sms["text"] for sms in desk(client)["sms"]] == ["екінші", "бірінші"]
    content = client.get(PAGE).content.decode()
    assert content.index("екінші") < content.index("бірінші")


def test_the_code_on_the_desk_opens_the_second_factor_again_and_again(client, device):
    first = desk(client)["staff"][0]["otp"]
    assert device.verify_token(first)
    second = desk(client)["staff"][0]["otp"]
    assert second != first
    assert TOTPDevice.objects.get().verify_token(second)


def test_the_code_changes_with_the_half_minute(device):
    now = timezone.now().replace(second=10, microsecond=0)
    code = staff.current_code(device, now=now)
    assert staff.current_code(device, now=now + timedelta(seconds=19)) == code
    assert staff.current_code(device, now=now + timedelta(seconds=20)) != code
    assert staff.logins(now=now)[0].seconds_left == 20
    assert len(code) == 6


def test_is_stored_nowhere(client):
    for address in (PAGE, JSON):
        assert "no-store" in client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "kk"),
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("", "en-US,en;q=0.9", "kk"),
        ("?lang=kk", "ru", "kk"),
        ("?lang=ru", "kk", "ru"),
        ("?lang=xx", "ru", "ru"),
        ("?lang=", "*;q=0.5, ???", "kk"),
    ],
)
def test_the_page_is_in_the_language_asked_for(query, accepted, language):
    response = Client(headers={"accept-language": accepted}).get(PAGE + query)
    assert response.status_code == 200
    assert f'<html lang="{language}">' in response.content.decode()


def test_the_page_names_the_phone_that_the_base_knows_as_a_persons(client):
    assert simulated_people.MANUAL_PARENT_PHONE in client.get(PAGE).content.decode()


def test_the_page_can_refresh_itself_but_does_so_only_when_asked(client):
    assert "Refresh" not in client.get(PAGE).headers
    assert client.get(PAGE + "?refresh=10").headers["Refresh"] == "10"


def test_only_reading_is_allowed(client):
    assert client.post(PAGE).status_code == 405
    assert client.post(JSON).status_code == 405


def test_without_demo_mode_there_is_no_such_address(settings):
    def resolve(path):
        patterns = runpy.run_path(urls.__file__)["urlpatterns"]
        return URLResolver(RegexPattern(r"^/"), patterns).resolve(path)

    assert resolve(PAGE).url_name == "demo"
    settings.DEMO = False
    for address in (PAGE, JSON):
        with pytest.raises(Resolver404):
            resolve(address)


def test_the_banner_leads_to_the_desk_in_demo_mode_only(client, settings):
    assert f'href="{PAGE}"' in client.get(reverse("home")).content.decode()
    settings.DEMO = False
    assert f'href="{PAGE}"' not in client.get(reverse("home")).content.decode()


@pytest.mark.parametrize(("language", "sentence"), [("kk", "Барлық шектеу"), ("ru", "Все ограничения")])
def test_the_desk_lifts_the_limits(client, language, sentence):
    """The demo has the real ones, and all its visitors share one address."""
    for number in range(25):
        client.post("/login/", {"phone": f"+770177798{number:02d}", "password": "wrong"})
    assert client.post("/login/", {"phone": "+77017779877", "password": "wrong"}).status_code == 302
    desk_again = client.post(f"/demo/limits/?lang={language}", follow=True)
    assert sentence in desk_again.content.decode()
    assert client.post("/login/", {"phone": "+77017779877", "password": "wrong"}).status_code == 200
    assert client.get("/demo/limits/").url == "/demo/"


def test_only_the_limits_of_this_portal_are_lifted(client):
    cache.set("kept", 1)
    client.post("/demo/limits/")
    assert cache.get("kept") == 1


class TestFamilies:
    @pytest.fixture
    def families(self):
        return {
            state: ApplicationFactory(
                state=state, archived_at=timezone.now() if state == ApplicationState.ARCHIVED else None
            )
            for state in ApplicationState
        }

    def test_there_is_one_for_each_state_and_one_press_signs_in_as_it(self, client, families):
        page = client.get(PAGE + "?lang=ru").content.decode()
        for application in families.values():
            assert str(application.pk) in page
            answer = client.post("/demo/enter/?lang=ru", {"family": application.pk})
            assert answer.url == f"/ru{application.get_absolute_url().removeprefix('/ru')}"
            assert client.session["_auth_user_id"] == str(application.filed_by_id)

    @pytest.mark.parametrize("family", ["", "x", "00000000-0000-0000-0000-000000000000"])
    def test_nobody_else_is_let_in(self, client, families, family):
        another = ApplicationFactory(state=ApplicationState.WAITING, filed_at=timezone.now())
        for wanted in (family, str(another.pk)):
            assert client.post("/demo/enter/", {"family": wanted}).url == PAGE
        assert "_auth_user_id" not in client.session

    def test_looking_signs_nobody_in(self, client, families):
        assert client.get("/demo/enter/").url == PAGE
        assert "_auth_user_id" not in client.session


class TestShortPages:
    def test_each_list_shows_its_first_rows_and_leads_to_the_rest(self, client):
        page = client.get(PAGE).content.decode()
        people = desk(client)["people"]
        assert sum(one["name"] in page for one in people) <= 2 * views.FIRST_ROWS
        assert "show=people" in page
        whole = client.get(PAGE + "?show=people&page=2").content.decode()
        assert people[views.ROWS_OF_A_PAGE]["name"] in whole
        assert "desk-staff" not in whole

    @pytest.mark.parametrize("words", ["КАМЕНОВ", "каменов ермек", "KAMEHOB", "940225300009", "+77017779876"])
    def test_somebody_is_found_by_what_is_known_of_them(self, client, words):
        lists = client.get(PAGE, {"q": words}).context["lists"]
        assert simulated_people.MANUAL_PARENT_IIN in [one.iin for one in lists["people"]]
        assert len(lists["people"]) <= 2

    def test_nobody_is_found_by_nonsense(self, client):
        for words in ("жоқадам", "x" * 5000):
            assert not any(client.get(PAGE, {"q": words}).context["lists"].values())
        for words in ("\0", "%", "'\"<"):
            assert client.get(PAGE, {"q": words}).status_code in (200, 400)

    @pytest.mark.parametrize(
        ("language", "sentence"), [("kk", "Ештеңе табылмады."), ("ru", "Ничего не найдено.")]
    )
    def test_a_search_that_finds_nothing_says_so_and_not_that_nothing_is_there(
        self, client, language, sentence
    ):
        page = client.get(PAGE, {"q": "zzzz", "lang": language}).content.decode()
        # Of the SMS, the employees, and the people who have not registered.
        assert page.count(sentence) == 3
        assert "setup_demo" not in page
        assert "setup_demo" in client.get(PAGE, {"lang": language}).content.decode()

    @pytest.mark.parametrize(
        "query", ["show=nothing", "show=people&page=x", "show=people&page=999", "show=&q="]
    )
    def test_odd_addresses_show_the_desk(self, client, query):
        assert client.get(f"{PAGE}?{query}").status_code == 200
