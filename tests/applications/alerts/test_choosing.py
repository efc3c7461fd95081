"""The pages on which a guardian asks to be told of places: on, off, narrowed, and for nobody else."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import User
from applications.alerts.choosing import MOST_KINDERGARTENS, Circle, alert_of, choose, reach, switch
from applications.jobs.retention import ALERT_KEPT_FOR, purge_alerts
from applications.models import Alert, Application
from applications.personal_data.leaving import Applications
from applications.states import ApplicationState
from applications.waiting.changes import change_locality
from applications.waiting.moving import keeps_date
from bulletin.models import Vacancy
from tests.factories import (
    ChildFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def family(scene, client_of):
    return client_of(scene.parent)


@pytest.fixture
def page(scene):
    return reverse("applications:alert", args=[scene.application.pk])


@pytest.fixture
def switch_url(scene):
    return reverse("applications:switch_alert", args=[scene.application.pk])


def alert(scene):
    return alert_of(scene.application, scene.parent)


class TestSwitch:
    def test_on_and_off_and_what_was_chosen_is_kept(self, scene, family, page, switch_url):
        mine = KindergartenFactory(locality=scene.locality)
        family.post(page, {"languages": ["kk"], "kindergartens": [mine.pk]})
        assert (alert(scene).is_on, alert(scene).languages) == (True, ["kk"])
        family.post(switch_url, {"on": "0"})
        assert alert(scene).is_on is False
        family.post(switch_url, {"on": "1"})
        again = alert(scene)
        assert (again.is_on, again.languages, list(again.kindergartens.all())) == (True, ["kk"], [mine])

    def test_the_offer_stands_on_the_page_of_the_application_and_is_off_until_chosen(
        self, scene, family, switch_url
    ):
        assert alert(scene) is None
        shown = family.get(scene.application.get_absolute_url()).content.decode()
        assert f'action="{switch_url}"' in shown
        assert 'name="on" value="1"' in shown
        family.post(switch_url, {"on": "1"})
        assert 'name="on" value="0"' in family.get(scene.application.get_absolute_url()).content.decode()

    @pytest.mark.parametrize(
        "sent", [{}, {"on": ""}, {"on": "2"}, {"on": "\0"}], ids=["none", "empty", "two", "nul"]
    )
    def test_anything_else_is_off(self, scene, family, switch_url, sent):
        assert family.post(switch_url, sent).status_code == 302
        assert alert(scene).is_on is False

    def test_a_stranger_finds_nothing(self, client_of, page, switch_url):
        stranger = client_of(UserFactory())
        assert stranger.get(page).status_code == 404
        assert stranger.post(switch_url, {"on": "1"}).status_code == 404
        assert not Alert.objects.exists()

    def test_each_guardian_has_their_own(self, scene, family, client_of, switch_url):
        father = GuardianshipFactory(child=scene.application.child).user
        family.post(switch_url, {"on": "1"})
        client_of(father).post(switch_url, {"on": "0"})
        assert alert(scene).is_on
        assert not alert_of(scene.application, father).is_on

    @pytest.mark.parametrize("state", [ApplicationState.ARCHIVED, ApplicationState.ENROLLED])
    def test_not_for_an_application_that_is_over(self, scene, family, page, switch_url, state):
        archived_at = scene.now if state == ApplicationState.ARCHIVED else None
        Application.objects.update(state=state, archived_at=archived_at)
        assert family.get(page).status_code == 302
        family.post(switch_url, {"on": "1"})
        assert not Alert.objects.exists()


class TestPage:
    def test_it_names_the_places_of_now_with_when_this_family_may_bid(self, scene, family, page):
        Vacancy.objects.update(
            opens_at=scene.now + timedelta(days=1), priority_until=scene.now + timedelta(days=4)
        )
        shown = family.get(page).content.decode()
        assert scene.vacancy.get_absolute_url() in shown
        assert "30.06.2019" in shown
        assert "27.06.2019" not in shown

    def test_a_place_that_is_open_is_not_said_to_open(self, scene, family, page):
        opened, opens = "Сіз үшін өтінім қабылдау басталды:", "Сіз үшін өтінім қабылдау басталады:"
        for days, said, unsaid in ((-1, opened, opens), (1, opens, opened)):
            Vacancy.objects.update(opens_at=scene.now + timedelta(days=days), priority_until=None)
            shown = family.get(page).content.decode()
            assert said in shown
            assert unsaid not in shown

    def test_no_sms_is_promised_that_is_switched_off(self, scene, family, page, switch_url):
        family.post(switch_url, {"on": "1"})
        pages = (page, scene.application.get_absolute_url(), reverse("applications:alerts"))
        for one in pages:
            assert "хабарламалардан бөлек қосулы: SMS." in family.get(one).content.decode()
        User.objects.update(chosen_ways={"alerts": {"sms": False}})
        for one in pages:
            shown = family.get(one).content.decode()
            assert "қосулы: SMS" not in shown
            assert "Бұл үшін басқа жол қосылмаған." in shown

    def test_all_languages_are_no_limit(self, scene, family, page):
        family.post(page, {"languages": ["ru", "kk"]})
        assert alert(scene).languages == []

    def test_no_language_is_refused(self, scene, family, page):
        answer = family.post(page, {"languages": []})
        assert answer.status_code == 200
        assert "has-error" in answer.content.decode()
        assert alert(scene) is None

    def test_an_only_language_is_not_asked_for(self, scene, family, page):
        Application.objects.update(languages=["ru"])
        assert 'name="languages"' not in family.get(page).content.decode()
        family.post(page, {})
        assert alert(scene).is_on

    @pytest.mark.parametrize("sent", ["uz", "xx", "\ud800", "kk\0"], ids=ascii)
    def test_no_language_that_the_application_has_not(self, scene, family, page, sent):
        answer = family.post(page, {"languages": [sent.encode("utf-8", "surrogatepass")]})
        assert answer.status_code == 200
        assert alert(scene) is None

    @pytest.mark.parametrize("sent", ["0", "9" * 30, "x", "", "-1", "\0", "²"], ids=ascii)
    def test_nonsense_for_a_kindergarten_breaks_nothing(self, scene, family, page, sent):
        assert family.post(page, {"languages": ["kk"], "kindergartens": [sent]}).status_code in (200, 302)
        assert family.get(page, {"find": "1", "kindergartens": [sent], "search": sent}).status_code == 200
        assert alert(scene) is None or not alert(scene).kindergartens.exists()

    def test_no_kindergarten_of_another_locality(self, scene, family, page):
        there = KindergartenFactory(
            locality=LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        )
        assert family.post(page, {"languages": ["kk"], "kindergartens": [there.pk]}).status_code == 200
        assert alert(scene) is None

    def test_no_more_kindergartens_than_a_page_can_hold(self, scene, family, page):
        many = KindergartenFactory.create_batch(MOST_KINDERGARTENS + 1, locality=scene.locality)
        keys = [one.pk for one in many]
        answer = family.post(page, {"languages": ["kk"], "kindergartens": keys})
        assert answer.status_code == 200
        assert str(MOST_KINDERGARTENS) in answer.content.decode()
        family.post(page, {"languages": ["kk"], "kindergartens": keys[1:]})
        assert alert(scene).kindergartens.count() == MOST_KINDERGARTENS

    def test_a_search_keeps_what_is_ticked_and_saves_nothing(self, scene, family, page):
        KindergartenFactory.create_batch(30, locality=scene.locality)
        ticked = KindergartenFactory(locality=scene.locality, name_kk="Яблонька", name_ru="Яблонька")
        wanted = KindergartenFactory(locality=scene.locality, name_kk="Қарлығаш", name_ru="Карлыгаш")
        first = family.get(page).content.decode()
        assert f'value="{wanted.pk}"' not in first
        sent = {"languages": ["kk"], "kindergartens": [ticked.pk], "search": "карлыг", "find": "1"}
        found = family.post(page, sent, follow=True).content.decode()
        assert f'value="{ticked.pk}" id="id_kindergartens_0" checked' in found
        assert f'value="{wanted.pk}" id="id_kindergartens_1">' in found
        assert 'value="kk" id="id_languages_0" checked' in found
        assert 'value="ru" id="id_languages_1" checked' not in found
        assert alert(scene) is None


class TestDistance:
    """So many kilometres around a kindergarten, or around the guardian's own place."""

    @pytest.fixture
    def middle(self, scene):
        return KindergartenFactory(locality=scene.locality, latitude="43.300000", longitude="68.250000")

    def test_around_a_kindergarten_without_scripts(self, scene, family, page, middle):
        KindergartenFactory(locality=scene.locality, latitude="43.310000", longitude="68.250000")
        shown = family.get(page).content.decode()
        assert f'<option value="{middle.pk}">' in shown
        assert 'value="me"' not in shown
        family.post(page, {"languages": ["kk"], "within": "2", "around": str(middle.pk)})
        assert (alert(scene).within_km, alert(scene).around, alert(scene).point) == (2, middle, "")
        # The scene's own kindergarten is not on the map.
        assert reach(scene.application, alert(scene)) == (2, 1)
        shown = family.get(page).content.decode()
        assert f'<option value="{middle.pk}" selected>' in shown
        assert "балабақшалар: 2" in shown

    def test_the_own_place_is_kept_coarse_and_encrypted_until_another_choice(self, scene, family, page):
        sent = {"languages": ["kk"], "within": "3", "around": "me", "point": "43.30123:68.24811"}
        answer = family.post(page, sent)
        assert "43.3" not in answer["Location"]
        assert alert(scene).point == "43.3:68.25"
        with connection.cursor() as cursor:
            cursor.execute("SELECT point FROM applications_alert")
            assert "43.3" not in cursor.fetchone()[0]
        shown = family.get(page).content.decode()
        assert '<option value="me" selected>' in shown
        assert "43.3" not in shown
        # It stays where only the distance changes, and goes with it.
        family.post(page, {"languages": ["kk"], "within": "5", "around": "me"})
        assert (alert(scene).within_km, alert(scene).point) == (5, "43.3:68.25")
        family.post(page, {"languages": ["kk"]})
        assert (alert(scene).within_km, alert(scene).point) == (None, "")

    @pytest.mark.parametrize(
        "sent",
        [
            {"within": "2"},
            {"around": "me"},
            {"within": "2", "around": "me"},
            {"within": "2", "around": "me", "point": "91:68"},
            {"within": "4", "around": "me", "point": "43.3:68.25"},
            {"within": "2", "around": "0"},
            {"within": "2", "around": "\0"},
            {"within": "2", "around": "9" * 30},
        ],
        ids=["nowhere", "how-far", "unknown", "no-point", "no-distance", "none", "nul", "long"],
    )
    def test_nonsense_is_asked_about_and_nothing_saved(self, scene, family, page, sent):
        answer = family.post(page, {"languages": ["kk"], **sent})
        assert answer.status_code == 200
        assert "has-error" in answer.content.decode()
        assert alert(scene) is None

    def test_a_search_keeps_the_circle_and_writes_no_place_into_an_address(self, scene, family, page, middle):
        KindergartenFactory.create_batch(25, locality=scene.locality)
        sent = {"within": "2", "around": str(middle.pk), "point": "43.3:68.25", "search": "x", "find": "1"}
        answer = family.post(page, sent)
        assert "68.25" not in answer["Location"]
        assert f'<option value="{middle.pk}" selected>' in family.get(answer["Location"]).content.decode()

    def test_the_own_place_is_forgotten_with_the_locality(self, scene):
        there = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        circle = Circle(2, point=(43.3, 68.25))
        choose(
            scene.application,
            user=scene.parent,
            languages=["kk"],
            kindergartens=[],
            circle=circle,
            now=scene.now,
        )
        keeps = keeps_date(there, now=scene.now)
        change_locality(scene.application, locality=there, keeps=keeps, actor=scene.parent, now=scene.now)
        assert (alert(scene).within_km, alert(scene).point, alert(scene).is_on) == (None, "", True)


class TestList:
    def test_each_child_with_its_switch(self, scene, family, switch_url):
        assert f'action="{switch_url}"' in family.get(reverse("applications:alerts")).content.decode()

    def test_without_an_application_it_says_what_to_do(self, client_of):
        answer = client_of(UserFactory()).get(reverse("applications:alerts"))
        assert reverse("applications:new") in answer.content.decode()

    def test_the_bulletin_leads_there(self, client):
        assert reverse("applications:alerts") in client.get(reverse("applications:bulletin")).content.decode()


class TestFiling:
    @pytest.fixture
    def child(self, scene):
        child = ChildFactory(birth_date=date(2017, 2, 3))
        GuardianshipFactory(child=child, user=scene.parent)
        return child

    def test_it_is_ticked_at_first(self, child, family):
        assert 'name="alert" id="id_alert" checked' in " ".join(
            sorted(family.get(reverse("applications:new")).content.decode().split("\n"))
        ).replace(' aria-describedby="id_alert_helptext"', "")

    @pytest.mark.parametrize("is_ticked", [True, False])
    def test_the_answer_goes_through_the_check_into_the_application(self, scene, child, family, is_ticked):
        answers = {"locality": "turkistan", "languages": ["kk"], "child": str(child.pk)}
        if is_ticked:
            answers["alert"] = "on"
        new = reverse("applications:new")
        check = family.post(new, answers)
        assert ("alert=on" in check.url) is is_ticked
        family.post(new, {**answers, "confirm": "1"})
        filed = Application.objects.get(child=child)
        found = alert_of(filed, scene.parent)
        assert (found is not None and found.is_on) is is_ticked


class TestCleaning:
    @pytest.fixture
    def asked(self, scene):
        switch(scene.application, user=scene.parent, is_on=True, now=scene.now)
        return scene

    def test_when_the_application_has_long_been_over(self, asked):
        Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=asked.now)
        over = asked.now + ALERT_KEPT_FOR
        assert purge_alerts(now=over - MICROSECOND) == 0
        assert purge_alerts(now=over) == 1
        assert not Alert.objects.exists()

    def test_who_is_no_guardian_any_more(self, asked):
        assert purge_alerts(now=asked.now) == 0
        asked.application.child.guardianships.update(ended_at=asked.now)
        assert purge_alerts(now=asked.now) == 1

    def test_a_forgotten_account_leaves_none(self, asked):
        choose(
            asked.application,
            user=asked.parent,
            languages=["kk"],
            kindergartens=[KindergartenFactory(locality=asked.locality)],
            now=asked.now,
        )
        Applications().forget(asked.parent, now=asked.now)
        assert not Alert.objects.exists()
