"""Other languages, another locality: what happens to the date and the number, and that it is shown before."""

from datetime import date, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import AuditEntry
from applications.access import settling
from applications.bidding.eligibility import is_inside
from applications.models import Application, Event, PriorityCutoff, Rules
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import ApplicationState, Move, Tier
from applications.waiting import changes
from applications.waiting.moving import compare
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


@pytest.fixture
def kentau(scene):
    """Another town where one family filed before the scene's and one after it."""
    place = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
    for days in (-1, 1):
        ApplicationFactory(
            locality=place,
            child__birth_date=date(2017, 3, 1),
            filed_at=scene.application.filed_at + timedelta(days=days),
        )
    return place


@pytest.fixture
def strict_kentau(kentau):
    Rules.objects.create(locality=kentau, valid_from=date(2019, 1, 1), moving_keeps_date=False)
    return kentau


class TestLanguages:
    def change(self, scene, languages, *, now=None):
        return changes.change_languages(
            scene.application, languages=languages, actor=scene.parent, now=now or scene.now
        )

    def test_the_date_and_the_number_stay(self, scene):
        before = position(scene.application, now=scene.now)
        changed = self.change(scene, ["uz", "kk"])
        assert changed.languages == ["kk", "uz"]
        assert changed.filed_at == scene.application.filed_at
        assert position(changed, now=scene.now) == before

    def test_it_is_written_down_and_told(self, scene):
        self.change(scene, ["kk"])
        event = Event.objects.get()
        assert (event.move, event.data) == (Move.CHANGE_LANGUAGES, {"from": ["kk", "ru"], "to": ["kk"]})
        assert "Қазақша" in Notice.objects.get(kind="application_changed").text_kk
        assert AuditEntry.objects.filter(subject=scene.parent, action="languages_changed").exists()

    def test_the_same_languages_again_change_nothing(self, scene):
        self.change(scene, ["ru", "kk"])
        assert not Event.objects.exists()

    @pytest.mark.parametrize("languages", [[], ["xx"], ["kk", "xx"]])
    def test_only_known_languages(self, scene, languages):
        with pytest.raises(ValueError):
            self.change(scene, languages)

    def test_only_while_it_waits(self, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        with refused(Refusal.NOT_ALLOWED):
            self.change(scene, ["kk"])

    def test_it_counts_as_a_confirmation_of_interest(self, scene):
        now = datetime(2019, 9, 1, tzinfo=ZONE)
        assert self.change(scene, ["kk"], now=now).interest_confirmed_at == now


class TestMove:
    def move(self, scene, locality, *, keeps=True, now=None):
        return changes.change_locality(
            scene.application, locality=locality, keeps=keeps, actor=scene.parent, now=now or scene.now
        )

    def test_the_date_is_kept_and_the_number_is_as_forecast(self, scene, kentau):
        told = compare(scene.application, kentau, now=scene.now)
        assert (told.number_here, told.number_there, told.keeps_date) == (1, 2, True)
        moved = self.move(scene, kentau)
        assert (moved.locality, moved.filed_at) == (kentau, scene.application.filed_at)
        assert position(moved, now=scene.now).number == told.number_there

    def test_where_the_rules_say_so_the_date_is_lost_and_the_number_is_as_forecast(
        self, scene, strict_kentau
    ):
        told = compare(scene.application, strict_kentau, now=scene.now)
        assert (told.number_there, told.keeps_date) == (3, False)
        moved = self.move(scene, strict_kentau, keeps=False)
        assert moved.filed_at == scene.now
        assert position(moved, now=scene.now).number == told.number_there

    def test_the_forecast_saves_nothing(self, scene, strict_kentau):
        compare(scene.application, strict_kentau, now=scene.now)
        assert scene.application.locality == scene.locality
        scene.application.refresh_from_db()
        assert scene.application.locality == scene.locality

    @pytest.mark.parametrize("tier", Tier)
    def test_the_forecast_holds_in_every_tier(self, scene, kentau, tier):
        for number, other in enumerate([*Tier] * 4):
            ApplicationFactory(
                locality=kentau,
                child__birth_date=date(2017, 3, 1),
                tier=other,
                filed_at=scene.application.filed_at + timedelta(hours=number - 6),
            )
        Application.objects.filter(pk=scene.application.pk).update(tier=tier)
        scene.application.refresh_from_db()
        told = compare(scene.application, kentau, now=scene.now)
        assert position(self.move(scene, kentau), now=scene.now).number == told.number_there

    def test_the_event_says_where_it_stands_now(self, scene, kentau):
        self.move(scene, kentau)
        event = Event.objects.get()
        assert (event.move, event.locality) == (Move.CHANGE_LOCALITY, kentau)
        assert event.data == {"from": "turkistan", "to": "kentau", "date_kept": True}
        assert "2" in Notice.objects.get(kind="application_changed").text_ru

    @pytest.mark.parametrize("keeps", [True, False])
    def test_nobody_is_moved_by_another_rule_than_was_told(self, scene, kentau, keeps):
        Rules.objects.create(locality=kentau, valid_from=date(2019, 1, 1), moving_keeps_date=not keeps)
        with refused(Refusal.TOLD_OTHERWISE):
            self.move(scene, kentau, keeps=keeps)
        assert not Event.objects.exists()

    def test_a_second_press_changes_nothing(self, scene, strict_kentau):
        self.move(scene, strict_kentau, keeps=False)
        moved = self.move(scene, strict_kentau, keeps=False, now=scene.now + timedelta(minutes=1))
        assert moved.filed_at == scene.now
        assert Event.objects.count() == 1

    def test_the_ages_of_the_new_place_hold(self, scene, kentau):
        Rules.objects.create(locality=kentau, valid_from=date(2019, 1, 1), youngest_age=3)
        with refused(Refusal.AGE):
            self.move(scene, kentau)

    def test_only_while_it_waits(self, scene, kentau):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        with refused(Refusal.NOT_ALLOWED):
            self.move(scene, kentau)

    def test_nobody_lapses_by_a_campaign_of_which_only_the_new_neighbours_were_told(self, scene, kentau):
        Application.objects.filter(pk=scene.application.pk).update(
            interest_confirmed_at=scene.application.filed_at
        )
        Rules.objects.create(locality=kentau, valid_from=date(2019, 1, 1), interest_month=8, interest_day=20)
        moved = self.move(scene, kentau, now=datetime(2019, 8, 21, tzinfo=ZONE))
        later = datetime(2019, 8, 22, tzinfo=ZONE)
        assert settling.settle(moved, now=later).state == ApplicationState.WAITING

    def test_a_mover_is_inside_a_published_window_exactly_where_the_date_reaches(self, scene, kentau):
        vacancy = VacancyFactory(
            group=GroupFactory(language="ru", kindergarten=KindergartenFactory(locality=kentau)),
            opens_at=scene.now,
        )
        cutoff = PriorityCutoff.objects.create(
            vacancy=vacancy,
            birth_year=2017,
            tier=Tier.GENERAL,
            filed_at=scene.application.filed_at,
            sequence=scene.application.sequence,
        )
        moved = self.move(scene, kentau)
        assert is_inside(moved, vacancy.cutoffs.all())
        PriorityCutoff.objects.filter(pk=cutoff.pk).update(filed_at=moved.filed_at - MICROSECOND)
        vacancy.refresh_from_db()
        assert not is_inside(moved, vacancy.cutoffs.all())


class TestPages:
    @pytest.fixture
    def family(self, scene, clock, client_of):
        return client_of(scene.parent)

    def url(self, name, application):
        return reverse(f"applications:{name}", args=[application.pk])

    def text(self, response):
        return unescape(response.content.decode())

    def test_the_page_of_a_waiting_application_leads_there(self, family, scene, kentau):
        page = self.text(family.get(scene.application.get_absolute_url()))
        assert self.url("languages", scene.application) in page
        assert self.url("move", scene.application) in page
        Application.objects.update(state=ApplicationState.ENROLLED)
        page = self.text(family.get(scene.application.get_absolute_url()))
        assert self.url("move", scene.application) not in page

    def test_languages_are_checked_before_they_are_changed(self, family, scene):
        url = self.url("languages", scene.application)
        response = family.post(url, {"languages": ["kk"]}, follow=True)
        assert response.redirect_chain == [(f"{url}?languages=kk", 302)]
        assert "01.06.2019" in self.text(response)
        assert not Event.objects.exists()
        response = family.post(url, {"languages": ["kk"], "confirm": "1"}, follow=True)
        assert [message.level_tag for message in response.context["messages"]] == ["success"]
        scene.application.refresh_from_db()
        assert scene.application.languages == ["kk"]

    def test_confirming_languages_twice_changes_once(self, family, scene):
        for _press in range(2):
            response = family.post(
                self.url("languages", scene.application), {"languages": ["kk"], "confirm": "1"}, follow=True
            )
            assert response.status_code == 200
        assert Event.objects.count() == 1

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_move_shows_the_date_and_both_numbers_before(self, family, scene, kentau, prefix):
        url = prefix + self.url("move", scene.application)
        response = family.post(url, {"locality": "kentau"}, follow=True)
        rows = [row.get("value") for row in response.context["rows"]]
        assert rows[1:] == ["Кентау", None, "1", "2"]
        assert "01.06.2019" in self.text(response)
        assert not response.context.get("is_loss")
        assert not Event.objects.exists()

    @pytest.mark.parametrize(("prefix", "language"), [("", "kk"), ("/ru", "ru")])
    def test_a_loss_is_said_in_so_many_words(self, family, scene, strict_kentau, prefix, language):
        response = family.get(prefix + self.url("move", scene.application), {"locality": "kentau"})
        assert response.context["is_loss"]
        assert [row.get("value") for row in response.context["rows"]][3:] == ["1", "3"]
        assert 'name="keeps" value="0"' in self.text(response)
        with translation.override(language):
            assert gettext("The date in the queue will be lost") in self.text(response)

    def confirmed(self, keeps):
        return {"locality": "kentau", "keeps": keeps, "confirm": "1"}

    def test_confirming_moves_once(self, family, scene, kentau):
        url = self.url("move", scene.application)
        for _press in range(2):
            response = family.post(url, self.confirmed("1"), follow=True)
            assert response.redirect_chain == [(scene.application.get_absolute_url(), 302)]
        scene.application.refresh_from_db()
        assert scene.application.locality == kentau
        assert Event.objects.count() == 1

    @pytest.mark.parametrize("keeps", ["1", "", "yes"])
    def test_another_rule_than_was_shown_is_shown_again(self, family, scene, strict_kentau, keeps):
        url = self.url("move", scene.application)
        response = family.post(url, self.confirmed(keeps), follow=True)
        if keeps == "1":
            assert response.redirect_chain == [(f"{url}?locality=kentau", 302)]
            assert not Event.objects.exists()
        else:
            assert Event.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("languages", {}),
            ("languages", {"languages": ["de"]}),
            ("languages", {"languages": ["\x00"]}),
            ("move", {}),
            ("move", {"locality": "atlantis"}),
            ("move", {"locality": "\x00"}),
        ],
    )
    @pytest.mark.parametrize("confirm", [{}, {"confirm": "1"}])
    def test_wrong_answers_are_explained(self, family, scene, kentau, name, wrong, confirm):
        response = family.post(self.url(name, scene.application), wrong | confirm)
        assert response.status_code == 200
        assert response.context["form"].errors
        assert not Event.objects.exists()

    @pytest.mark.parametrize("name", ["languages", "move"])
    def test_a_wrong_answer_in_the_address_shows_the_form(self, family, scene, kentau, name):
        key = {"languages": "languages", "move": "locality"}[name]
        response = family.get(self.url(name, scene.application), {key: "\x00"})
        assert response.status_code == 200
        assert response.context["form"].errors

    def test_the_place_where_one_lives_is_no_move(self, family, scene, kentau):
        response = family.post(
            self.url("move", scene.application), {"locality": "turkistan", "confirm": "1"}, follow=True
        )
        assert [message.level_tag for message in response.context["messages"]] == ["info"]
        assert not Event.objects.exists()

    def test_the_only_locality_is_no_choice(self, family, scene):
        assert family.get(self.url("move", scene.application)).status_code == 200

    @pytest.mark.parametrize("name", ["languages", "move"])
    def test_unless_it_waits_the_page_says_why_not(self, family, scene, kentau, name):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        for answer in (
            family.get(self.url(name, scene.application), follow=True),
            family.post(
                self.url(name, scene.application),
                {"locality": "kentau", "languages": "uz", "keeps": "1", "confirm": "1"},
                follow=True,
            ),
        ):
            assert [message.level_tag for message in answer.context["messages"]] == ["error"]
        assert not Event.objects.exclude(move=Move.PLACE_BID).exists()

    @pytest.mark.parametrize("name", ["languages", "move"])
    def test_a_stranger_finds_nothing(self, family, client, scene, kentau, name):
        stranger = ApplicationFactory()
        for pk in (stranger.pk, uuid4()):
            url = reverse(f"applications:{name}", args=[pk])
            assert family.get(url).status_code == 404
            assert family.post(url, self.confirmed("1") | {"languages": "kk"}).status_code == 404
        url = self.url(name, scene.application)
        assert client.get(url)["Location"] == f"{reverse('accounts:login')}?next={url}"

    @pytest.mark.parametrize("name", ["languages", "move"])
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_both_languages(self, family, scene, kentau, name, prefix):
        assert family.get(prefix + self.url(name, scene.application)).status_code == 200
