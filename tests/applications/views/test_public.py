"""The bulletin and the register, as visitors and families see them."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application, StopListEntry
from applications.refusals import Refusal
from applications.states import ApplicationState, ReferralState
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Vacancy
from bulletin.selectors import MatchCounts
from tests.factories import (
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReferralFactory,
    StaffFactory,
    VacancyFactory,
    reckon_all,
)
from tests.thorough import pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

BULLETIN = reverse("applications:bulletin")
REGISTER = reverse("applications:referrals")
NONSENSE = [
    {"page": "999"},
    {"page": "nonsense"},
    {"place": "atlantis"},
    {"birth_year": "two"},
    {"birth_year": "99999999999999999999"},
    {"language": "de"},
    {"status": "all' OR 1=1"},
    {"search": "%_\\ ' \" < \x00"},
    {"search": "а" * 5000},
    {"sort": "-pk"},
]


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


@pytest.fixture
def family(scene, client_of):
    return client_of(scene.parent)


def text(response):
    return unescape(response.content.decode())


def shown(response):
    return [listing.vacancy for listing in response.context["listings"]]


class TestBulletin:
    def test_it_lists_published_places_with_the_servers_clock(self, client, scene):
        response = client.get(BULLETIN)
        assert shown(response) == [scene.vacancy]
        page = text(response)
        assert "26.06.2019 16:20:00" in page
        assert 'role="status"' in page
        assert REGISTER in page

    def test_drafts_and_ended_places_are_not_listed(self, client, scene):
        for state in (Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED):
            VacancyFactory(group=scene.group, state=state)
        VacancyFactory(group=scene.group, closes_at=scene.now)
        assert shown(client.get(BULLETIN)) == [scene.vacancy]

    def test_the_place_is_the_chosen_one_until_another_is_asked_for(self, client, scene, kentau):
        other = VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=kentau)))
        assert shown(client.get(BULLETIN)) == [scene.vacancy]
        assert shown(client.get(BULLETIN, {"place": "kentau"})) == [other]
        client.cookies[PLACE_COOKIE] = "kentau"
        assert shown(client.get(BULLETIN)) == [other]
        assert len(shown(client.get(BULLETIN, {"place": "all"}))) == 2

    def test_available_to_all_leaves_out_the_rest(self, client, scene):
        VacancyFactory(group=scene.group, opens_at=scene.now + timedelta(hours=1))
        VacancyFactory(group=scene.group, priority_until=scene.now + timedelta(hours=1))
        VacancyFactory(group=scene.group, seats_total=1, seats_taken=1)
        response = client.get(BULLETIN, {"status": "open"})
        assert shown(response) == [scene.vacancy]
        assert [tab["count"] for tab in response.context["tabs"]] == [4, 1, None]

    def test_available_to_me_asks_a_visitor_to_sign_in_and_keeps_the_filters(self, client, scene):
        page = text(client.get(BULLETIN, {"status": "me", "birth_year": "2017"}))
        assert f"{reverse('accounts:login')}?next=%2Fbulletin%2F%3Fstatus%3Dme%26birth_year%3D2017" in page
        assert "Солнце" not in page

    def test_what_is_open_to_the_family_stands_first_then_to_all_then_what_opens_soonest(
        self, family, client, scene
    ):
        """Whatever the order of the openings; a visitor sees the same without a family."""
        hour, day = timedelta(hours=1), timedelta(days=1)
        tomorrow, today = (
            VacancyFactory(group=scene.group, opens_at=scene.now + wait) for wait in (day, hour)
        )
        for_others = VacancyFactory(group=scene.group, birth_years=[2016], opens_at=scene.now - hour)
        full = VacancyFactory(group=scene.group, seats_total=1, seats_taken=1)
        head = VacancyFactory(group=scene.group, priority_until=scene.now + day)
        own = scene.application
        head.cutoffs.create(birth_year=2017, tier=own.tier, filed_at=own.filed_at, sequence=own.sequence)
        assert shown(family.get(BULLETIN)) == [scene.vacancy, head, for_others, today, tomorrow, full]
        assert shown(client.get(BULLETIN)) == [for_others, scene.vacancy, head, today, tomorrow, full]
        newest = family.get(BULLETIN, {"sort": "new"})
        assert shown(newest)[0] == tomorrow

    def test_twenty_places_make_a_page(self, family, scene):
        for number in range(20):
            VacancyFactory(
                group=scene.group, birth_years=[2016], opens_at=scene.now - timedelta(minutes=number)
            )
        first, second = (shown(family.get(BULLETIN, {"page": page})) for page in (1, 2))
        assert (len(first), len(second)) == (20, 1)
        assert first[0] == scene.vacancy
        assert len({vacancy.pk for vacancy in first + second}) == 21

    def test_available_to_me_lists_what_the_family_can_press_now(self, family, scene):
        VacancyFactory(group=scene.group, birth_years=[2016])
        VacancyFactory(group=scene.group, opens_at=scene.now + timedelta(hours=1))
        VacancyFactory(group=scene.group, priority_until=scene.now + timedelta(hours=1))
        assert shown(family.get(BULLETIN, {"status": "me"})) == [scene.vacancy]

    def test_available_to_me_says_which_condition_fails(self, family, scene):
        Application.objects.update(languages=["kk"])
        response = family.get(BULLETIN, {"status": "me"})
        row = response.context["criteria"][0]
        assert row["counts"] == MatchCounts(in_place=1, of_year=1, in_language=0)
        assert row["available"] == 0

    def test_available_to_me_counts_places_that_are_not_open_yet_apart(self, family, scene):
        Vacancy.objects.update(opens_at=scene.now + timedelta(hours=1))
        row = family.get(BULLETIN, {"status": "me"}).context["criteria"][0]
        assert (row["counts"].in_language, row["available"]) == (1, 0)

    def test_available_to_me_is_about_the_family_s_locality_not_the_chosen_one(self, family, scene, kentau):
        family.cookies[PLACE_COOKIE] = "kentau"
        assert shown(family.get(BULLETIN)) == []
        response = family.get(BULLETIN, {"status": "me"})
        assert shown(response) == [scene.vacancy]
        assert response.context["filters"].values["locality"] == scene.locality
        assert shown(family.get(BULLETIN, {"status": "me", "place": "kentau"})) == []
        assert family.get(BULLETIN).context["tabs"][2]["count"] == 1

    @pytest.mark.parametrize("language", ["", "/ru"])
    def test_a_child_on_the_stop_list_is_told_until_when_and_why(self, family, scene, language):
        """Resetting filters would help nobody here."""
        Application.objects.update(state=ApplicationState.STOP_LISTED)
        referral = ReferralFactory(application=scene.application, state=ReferralState.EXPIRED)
        until = scene.now.replace(hour=0, minute=0) + timedelta(days=5)
        StopListEntry.objects.create(
            application=scene.application, referral=referral, starts_at=scene.now, until=until
        )
        reckon_all()
        response = family.get(language + BULLETIN, {"status": "me"})
        assert response.context["criteria"] == []
        page = text(response)
        assert "30.06.2019" in page
        assert scene.application.child.full_name in page
        assert str(Refusal.STOP_LISTED.label) in page
        why = {"": "Себебі", "/ru": "Причина"}[language]
        assert why in page.split("30.06.2019")[1]
        assert scene.application.get_absolute_url() in page

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (ApplicationState.BID_PLACED, Refusal.BID_UNDER_WAY),
            (ApplicationState.REFERRED, Refusal.REFERRAL_UNDER_WAY),
            (ApplicationState.LAPSED, Refusal.LAPSED),
        ],
    )
    def test_a_child_that_does_not_wait_is_told_why(self, family, scene, state, refusal):
        Application.objects.update(state=state)
        response = family.get(BULLETIN, {"status": "me"})
        assert [row["refusal"] for row in response.context["hindered"]] == [refusal]
        assert str(refusal.label) in text(response)

    def test_a_family_without_an_application_is_told_to_file_one(self, parent_client, scene):
        assert reverse("applications:new") in text(parent_client.get(BULLETIN, {"status": "me"}))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"search": "амина"}, 1),
            ({"search": "ханзада"}, 0),
            ({"birth_year": "2017"}, 1),
            ({"birth_year": "2016"}, 0),
            ({"language": "ru"}, 1),
            ({"language": "kk"}, 0),
            ({"place_type": "temporary"}, 0),
        ],
    )
    def test_filters(self, client, scene, query, found):
        assert len(shown(client.get(BULLETIN, query))) == found

    @pytest.mark.parametrize(
        ("query", "status"),
        list(pairs(NONSENSE, ["", "open", "me"])),
    )
    def test_nonsense_in_the_address_breaks_nothing(self, client, family, scene, query, status):
        for browser in (client, family):
            assert browser.get(BULLETIN, {"status": status} | query).status_code == 200

    def test_pages_keep_the_filters(self, client, scene):
        VacancyFactory.create_batch(24, group=scene.group)
        response = client.get(BULLETIN, {"language": "ru", "page": "2"})
        assert len(shown(response)) == 5
        assert "language=ru" in text(response)

    def test_a_place_of_the_family_is_marked(self, family, client, scene):
        Vacancy.objects.update(priority_until=scene.now + timedelta(hours=1))
        scene.vacancy.cutoffs.create(
            birth_year=2017, tier=2, filed_at=scene.application.filed_at, sequence=scene.application.sequence
        )
        assert [listing.mine for listing in family.get(BULLETIN).context["listings"]] == [True]
        assert [listing.mine for listing in client.get(BULLETIN).context["listings"]] == [False]

    def test_the_number_of_queries_does_not_grow_with_the_list(self, family, scene):
        def cost(*, places):
            with CaptureQueriesContext(connection) as asked:
                assert len(shown(family.get(BULLETIN))) == places
            return len(asked)

        window = {"group": scene.group, "priority_until": scene.now + timedelta(hours=1)}
        family.get(BULLETIN)
        VacancyFactory(**window)
        few = cost(places=2)
        VacancyFactory.create_batch(20, **window)
        # A page is full.
        assert cost(places=20) == few


@pytest.mark.parametrize("path", [BULLETIN, REGISTER])
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_public_pages_are_open_to_everyone_in_both_languages(client, client_of, scene, path, prefix):
    VacancyFactory(group=scene.group, state=Vacancy.State.RECALLED, end_reason="Топ жабылды")
    for browser in (client, client_of(scene.parent), client_of(StaffFactory())):
        assert browser.get(prefix + path).status_code == 200


@pytest.mark.parametrize("path", [BULLETIN, REGISTER])
def test_public_pages_change_nothing(client, scene, path):
    assert client.post(path).status_code == 405
