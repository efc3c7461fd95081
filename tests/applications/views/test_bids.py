"""From the bulletin to a sent bid and back, as a parent sees it."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from applications.bidding.ending import reject_bid
from applications.models import Application, Bid
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, Tier
from bulletin.models import Vacancy
from bulletin.services import pause_bidding
from notifications.clock import read_clock
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    DisputeFactory,
    GroupFactory,
    GuardianshipFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
    reckon_all,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


@pytest.fixture
def family(scene, client_of):
    return client_of(scene.parent)


def apply_url(scene):
    return reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])


def choose_url(scene):
    return reverse("applications:choose_child", args=[scene.vacancy.pk])


def text(response):
    return unescape(response.content.decode())


def still_young():
    """By the present clock: the child may wait, the place is for it, and interest has just been confirmed."""
    now = read_clock()
    Application.objects.update(birth_year=now.year - 2, interest_confirmed_at=now, filed_at=now)
    Vacancy.objects.update(birth_years=[now.year - 2])
    reckon_all()


class TestVacancyPage:
    def test_it_offers_the_button_where_everything_matches(self, family, scene):
        assert apply_url(scene) in text(family.get(scene.vacancy.get_absolute_url()))

    def test_it_has_the_manuals_fields(self, client, scene):
        page = text(client.get(scene.vacancy.get_absolute_url()))
        kindergarten = scene.group.kindergarten
        expected = [kindergarten.name_kk, kindergarten.address_kk, "Солнце", "2017"]
        for value in [*expected, scene.vacancy.responsible, "26.06.2019"]:
            assert value in page

    def test_a_visitor_is_asked_to_sign_in_and_brought_back(self, client, scene):
        url = scene.vacancy.get_absolute_url()
        page = text(client.get(url))
        assert f"{reverse('accounts:login')}?next={url.replace('/', '%2F')}" in page
        assert apply_url(scene) not in page

    def test_a_family_without_an_application_is_told_to_file_one(self, parent_client, scene):
        assert reverse("applications:new") in text(parent_client.get(scene.vacancy.get_absolute_url()))

    def test_several_children_lead_to_a_choice(self, family, scene):
        ApplicationFactory(filed_by=scene.parent, child__first_name="АЛИЯ", locality=scene.locality)
        page = text(family.get(scene.vacancy.get_absolute_url()))
        assert choose_url(scene) in page

    def test_an_employee_sees_it_without_a_button(self, client_of, scene):
        response = client_of(StaffFactory()).get(scene.vacancy.get_absolute_url())
        assert response.status_code == 200
        assert response.context["verdicts"] == []

    def test_a_draft_is_not_public(self, client, scene):
        Vacancy.objects.update(state=Vacancy.State.DRAFT)
        assert client.get(scene.vacancy.get_absolute_url()).status_code == 404

    def test_a_recalled_place_shows_the_reason(self, client, scene):
        Vacancy.objects.update(state=Vacancy.State.RECALLED, end_reason="Топ жабылды")
        assert "Топ жабылды" in text(client.get(scene.vacancy.get_absolute_url()))

    def test_unknown_and_nonsense_addresses_are_no_pages(self, client, scene):
        assert client.get(reverse("applications:vacancy", args=[uuid4()])).status_code == 404
        assert client.get("/bulletin/nonsense/").status_code == 404

    def test_a_sent_application_is_shown_in_place_of_the_button(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        page = text(family.get(scene.vacancy.get_absolute_url()))
        assert scene.application.get_absolute_url() in page
        assert apply_url(scene) not in page


def full(scene):
    Vacancy.objects.update(seats_taken=scene.vacancy.seats_total)


def closed(scene):
    Vacancy.objects.update(closes_at=scene.now)


def recalled(scene):
    Vacancy.objects.update(state=Vacancy.State.RECALLED)


def other_language(scene):
    Application.objects.update(languages=["kk"])


def other_year(scene):
    Vacancy.objects.update(birth_years=[2016])


def other_place(scene):
    Application.objects.update(
        locality=LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
    )


def priority(scene):
    Vacancy.objects.update(priority_until=scene.now + timedelta(days=1))


def stopped(scene):
    Application.objects.update(state=ApplicationState.STOP_LISTED)


REFUSALS = [
    (full, Refusal.FULL),
    (closed, Refusal.CLOSED),
    (recalled, Refusal.RECALLED),
    (other_language, Refusal.OTHER_LANGUAGE),
    (other_year, Refusal.OTHER_BIRTH_YEAR),
    (other_place, Refusal.OTHER_LOCALITY),
    (priority, Refusal.PRIORITY),
    (stopped, Refusal.STOP_LISTED),
]


class TestRefusals:
    @pytest.mark.parametrize(("change", "reason"), REFUSALS)
    def test_the_page_gives_the_reason_and_no_button(self, family, scene, change, reason):
        change(scene)
        response = family.get(scene.vacancy.get_absolute_url())
        assert str(reason.label) in text(response)
        assert apply_url(scene) not in text(response)

    @pytest.mark.parametrize(("change", "reason"), REFUSALS)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_pressing_all_the_same_gives_the_reason_and_keeps_the_number(
        self, family, scene, change, reason, method
    ):
        change(scene)
        response = getattr(family, method)(apply_url(scene))
        assert response.status_code == 409
        assert str(reason.label) in text(response)
        assert Bid.objects.count() == 0

    @pytest.mark.parametrize(("change", "reason"), REFUSALS)
    def test_the_choice_of_a_child_leads_back_to_the_reasons(self, family, scene, change, reason):
        change(scene)
        assert family.post(choose_url(scene))["Location"] == scene.vacancy.get_absolute_url()
        assert Bid.objects.count() == 0

    def test_the_last_microsecond_before_closing_is_in_time(self, family, scene):
        Vacancy.objects.update(closes_at=scene.now + timedelta(microseconds=1))
        assert family.post(apply_url(scene)).status_code == 302
        assert Bid.objects.count() == 1

    def test_other_open_places_are_offered(self, family, scene):
        other = VacancyFactory(group=GroupFactory(kindergarten=scene.group.kindergarten), birth_years=[2017])
        full_one = scene.vacancy
        Vacancy.objects.filter(pk=full_one.pk).update(seats_taken=full_one.seats_total)
        page = text(family.post(apply_url(scene)))
        assert other.get_absolute_url() in page

    def test_the_reasons_are_russian_under_ru(self, family, scene):
        full(scene)
        assert family.get("/ru" + apply_url(scene)).status_code == 409


class TestWhoseOpening:
    """The large countdown is to the opening for this family, and the number up to which one is at the head is told."""

    @pytest.fixture(autouse=True)
    def _announced(self, scene):
        hour = timedelta(hours=1)
        Vacancy.objects.update(opens_at=scene.now + hour, priority_until=scene.now + timedelta(days=2))
        scene.vacancy.refresh_from_db()

    @pytest.fixture
    def queue(self, scene):
        """Six more families behind the one of the scene, which is at the head together with the next two."""
        behind = [
            ApplicationFactory(
                locality=scene.locality,
                child__birth_date=scene.application.child.birth_date,
                languages=["ru"],
                filed_at=scene.application.filed_at + timedelta(days=day),
            )
            for day in range(1, 7)
        ]
        last = behind[1]
        scene.vacancy.cutoffs.create(
            birth_year=2017, tier=last.tier, filed_at=last.filed_at, sequence=last.sequence
        )
        return [scene.application, *behind]

    def page_of(self, client, scene):
        return client.get(scene.vacancy.get_absolute_url()).context

    def test_the_head_of_the_queue_waits_for_the_opening(self, queue, client_of, scene):
        for place, application in enumerate(queue[:3], start=1):
            page = self.page_of(client_of(application.filed_by), scene)
            assert page["countdown"].at == scene.vacancy.opens_at
            (verdict,) = page["verdicts"]
            assert (verdict.number, verdict.head_until) == (place, 3)

    def test_those_behind_wait_for_the_end_of_the_window(self, queue, client_of, scene, clock):
        for later in (timedelta(0), timedelta(hours=1)):
            clock.move_to(scene.now + later)
            page = self.page_of(client_of(queue[3].filed_by), scene)
            assert page["countdown"].at == scene.vacancy.priority_until
            (verdict,) = page["verdicts"]
            assert (verdict.number, verdict.head_until) == (4, 3)

    def test_a_visitor_reads_the_opening_and_the_last_number(self, queue, client, scene):
        page = self.page_of(client, scene)
        assert page["countdown"].at == scene.vacancy.opens_at
        assert page["heads"] == "2017: 3"

    def test_the_last_number_is_that_of_whoever_is_last_there_now(self, queue, client, scene):
        """Who left the queue stands at no number; whoever came in front moves it."""
        Application.objects.filter(pk=queue[2].pk).update(state=ApplicationState.LAPSED)
        assert self.page_of(client, scene)["heads"] == "2017: 2"
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=queue[0].child.birth_date,
            filed_at=queue[0].filed_at - timedelta(days=1),
        )
        assert self.page_of(client, scene)["heads"] == "2017: 3"

    def test_of_a_queue_of_four_no_number_is_public(self, queue, client, client_of, scene):
        Application.objects.filter(pk__in=[one.pk for one in queue[4:]]).update(state=ApplicationState.LAPSED)
        assert self.page_of(client, scene)["heads"] == ""
        (verdict,) = self.page_of(client_of(queue[0].filed_by), scene)["verdicts"]
        assert verdict.head_until == 3

    def test_a_part_of_the_queue_with_nobody_inside(self, queue, client_of, scene):
        Application.objects.filter(pk=queue[1].pk).update(tier=Tier.PRIORITY)
        response = client_of(queue[1].filed_by).get(scene.vacancy.get_absolute_url())
        (verdict,) = response.context["verdicts"]
        assert (verdict.number, verdict.head_until) == (1, None)
        assert gettext(
            "While the place is only for the first in the queue, nobody of your part of the queue can apply for it."
        ) in text(response)

    def test_whom_the_place_does_not_suit_waits_for_nothing(self, family, scene):
        for change in (other_language, other_year, stopped):
            change(scene)
            assert self.page_of(family, scene)["countdown"] is None

    def test_once_it_is_open_to_all_the_head_is_of_no_interest(self, queue, client_of, scene, clock):
        clock.move_to(scene.vacancy.priority_until)
        page = self.page_of(client_of(queue[3].filed_by), scene)
        assert page["countdown"] is None
        assert [verdict.head_until for verdict in page["verdicts"]] == [None]


class TestWaitingForTheOpening:
    @pytest.fixture(autouse=True)
    def _announced(self, scene):
        Vacancy.objects.update(opens_at=scene.now + timedelta(microseconds=1))

    def test_the_vacancy_page_says_when_and_leads_to_the_waiting_page(self, family, scene):
        page = text(family.get(scene.vacancy.get_absolute_url()))
        assert "data-countdown=" in page
        assert apply_url(scene) in page

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    @pytest.mark.parametrize("url", [apply_url, choose_url])
    def test_the_child_is_chosen_and_the_only_button_is_closed(self, family, scene, url, prefix):
        address = prefix + url(scene)
        response = family.get(address)
        assert response.status_code == 200
        assert response.context["form"]["application"].value() == scene.application.pk
        page = text(response)
        main = page[page.index("<main") : page.index("</main>")]
        assert re.findall(r"<button[^>]*", main) == re.findall(
            r"<button[^>]* disabled data-opens=[^>]*", main
        )
        assert main.count("<button") == 1
        assert "data-countdown=" in main
        assert "data-clock=" in main
        assert f'href="{address}" data-without-script' in main

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    @pytest.mark.parametrize("url", [apply_url, choose_url])
    def test_a_press_before_the_opening_leads_back_to_the_waiting_page(self, family, scene, url, prefix):
        opens = Vacancy.objects.get().opens_at.astimezone(scene.locality.zone)
        Vacancy.objects.update(opens_at=opens + timedelta(seconds=7))
        address = prefix + url(scene)
        response = family.post(address, {"application": str(scene.application.pk)})
        assert response.status_code == 409
        page = text(response)
        with translation.override(prefix.strip("/") or "kk"):
            assert str(Refusal.NOT_OPEN_YET.label) in page
        assert "26.06.2019 16:20:07" in page
        assert 'datetime="2019-06-26T16:20:00+06:00"' in page
        assert re.search(r'<a class="button button--primary" href="">', page)
        assert Bid.objects.count() == 0
        assert 'data-opens="' in text(family.get(address))

    def test_an_early_press_without_a_choice_keeps_the_page(self, family, scene):
        response = family.post(choose_url(scene))
        assert response.status_code == 409
        assert 'data-opens="' in text(response)
        assert Bid.objects.count() == 0

    @pytest.mark.parametrize("url", [apply_url, choose_url])
    def test_at_the_opening_the_same_address_takes_the_bid(self, family, scene, url, clock):
        assert family.get(url(scene)).status_code == 200
        clock.move_to(scene.now + timedelta(microseconds=1))
        page = text(family.get(url(scene)))
        assert "data-opens=" not in page
        assert family.post(url(scene), {"application": str(scene.application.pk)}).status_code == 302
        assert Bid.objects.get().application == scene.application

    def test_several_children_are_chosen_from_beforehand(self, family, scene):
        other = ApplicationFactory(
            filed_by=scene.parent,
            child__first_name="АЛИЯ",
            child__birth_date=scene.application.child.birth_date,
            locality=scene.locality,
            languages=["ru"],
        )
        assert choose_url(scene) in text(family.get(scene.vacancy.get_absolute_url()))
        field = family.get(choose_url(scene)).context["form"].fields["application"]
        assert set(field.queryset) == {scene.application, other}

    def test_who_is_outside_the_priority_window_is_told_beforehand(self, family, scene):
        Vacancy.objects.update(priority_until=scene.now + timedelta(days=3))
        for url in (scene.vacancy.get_absolute_url(), apply_url(scene)):
            assert str(Refusal.PRIORITY.label) in text(family.get(url))
        assert apply_url(scene) not in text(family.get(scene.vacancy.get_absolute_url()))
        assert family.get(apply_url(scene)).status_code == 409

    @pytest.mark.parametrize("change", [other_language, other_year, other_place, stopped, recalled])
    def test_whom_the_place_does_not_suit_does_not_wait(self, family, scene, change):
        change(scene)
        page = text(family.get(scene.vacancy.get_absolute_url()))
        assert apply_url(scene) not in page
        assert family.get(apply_url(scene)).status_code == 409
        assert family.get(choose_url(scene)).status_code == 302

    def test_the_page_shows_the_clock_that_decides(self, client_of, scene, settings):
        settings.DATABASE_CLOCK = True
        family = client_of(scene.parent)
        Vacancy.objects.update(opens_at=read_clock() + timedelta(hours=1))
        still_young()
        before = read_clock()
        response = family.get(apply_url(scene))
        assert before <= response.context["server_now"] <= read_clock()

    def test_a_pause_is_told_of_and_the_choice_stays(self, family, scene):
        pause_bidding(
            locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=StaffFactory(), now=scene.now
        )
        response = family.get(apply_url(scene))
        assert response.status_code == 200
        assert "Жөндеу" in text(response)

    def test_another_familys_application_does_not_wait(self, parent_client, scene):
        assert parent_client.get(apply_url(scene)).status_code == 404


class TestTaken:
    def test_the_number_is_shown_with_places_that_fit(self, family, scene):
        kindergarten = scene.group.kindergarten
        fits = VacancyFactory(group=GroupFactory(kindergarten=kindergarten), birth_years=[2017])
        others = [
            VacancyFactory(group=fits.group, birth_years=[2016]),
            VacancyFactory(group=fits.group, birth_years=[2017], seats_total=1, seats_taken=1),
            VacancyFactory(group=GroupFactory(kindergarten=kindergarten, language="uz"), birth_years=[2017]),
        ]
        Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_taken=2)
        assert family.post(apply_url(scene)).status_code == 409
        response = family.get(apply_url(scene))
        assert response.context["place"].number == 1
        page = text(response)
        assert fits.get_absolute_url() in page
        assert not [other for other in others if other.get_absolute_url() in page]


class TestHowThePlaceIsGiven:
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_page_names_the_mode_and_how_the_winner_is_found(self, client, scene, prefix):
        address = prefix + scene.vacancy.get_absolute_url()
        first_come = text(client.get(address))
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=scene.now + timedelta(days=1))
        in_order = text(client.get(address))
        with translation.override(prefix.strip("/") or "kk"):
            fast = gettext("The first one to send an application gets the place. The server's clock decides.")
            fair = gettext(
                "Applications are collected until the closing time. Then places go to the smallest queue numbers: "
                "nobody gains by being fast."
            )
        assert fast in first_come
        assert fair not in first_come
        assert fair in in_order
        assert fast not in in_order


def collected(scene):
    Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=scene.now + timedelta(days=1))


def halted(scene):
    """A dispute about the other guardian of the child: costly acts stand still."""
    stranger = GuardianshipFactory(child=scene.application.child)
    DisputeFactory(guardianship=stranger, raised_by=scene.parent, raised_at=scene.now)


def withdraw_url(scene):
    return reverse("applications:withdraw", args=[scene.application.pk])


WITHDRAWABLE = {"": "Өтінімді қайтарып алуға болады", "/ru": "отозвать"}
NOT_NOW = {"": "жіберілген өтінімді қайтарып алуға болмайды", "/ru": "отправленную заявку нельзя отозвать"}


class TestWhatABidBinds:
    """A bid locks the child out of all other places for a while: this is said before it is sent."""

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_it_is_said_before_the_button_with_until_when(self, family, scene, prefix):
        collected(scene)
        alone = {"": "басқа орынға өтінім жібере алмайсыз", "/ru": "на другое место нельзя"}[prefix]
        for page in (scene.vacancy.get_absolute_url(), apply_url(scene)):
            said = text(family.get(prefix + page)).split("<main", 1)[1]
            assert 'datetime="2019-06-27T' in said[said.index(alone) :]
        said = said.split('type="submit"')[0].split("<button")[0]
        assert alone in said
        assert WITHDRAWABLE[prefix].lower() in said.lower()

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_while_it_is_halted_nobody_promises_that_it_can_be_withdrawn(self, family, scene, prefix):
        halted(scene)
        address, withdrawal = scene.application.get_absolute_url(), withdraw_url(scene)
        page = text(family.get(prefix + apply_url(scene)))
        assert NOT_NOW[prefix] in page
        assert {"": "Өтінімді қайтарып алуға болады:", "/ru": "Заявку можно отозвать:"}[prefix] not in page
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert family.get(withdrawal).status_code == 302
        assert {"": "бұл мерзім тоқтамайды", "/ru": "срок не останавливается"}[prefix] in text(
            family.get(prefix + address)
        )

    def test_the_second_one_is_refused_with_the_way_out_and_the_places_that_suit(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        second, third = VacancyFactory.create_batch(2, group=scene.group, birth_years=[2017])
        address = reverse("applications:apply", args=[scene.application.pk, second.pk])
        for answer in (family.post(address), family.get(address)):
            assert answer.status_code == 409
            page = text(answer)
            assert withdraw_url(scene) in page
            assert third.get_absolute_url() in page
            assert [offer.mine for offer in answer.context["others"]] == [False]
        assert withdraw_url(scene) in text(family.get(second.get_absolute_url()))

    def test_nothing_is_said_of_other_places_to_whom_none_could_be_given(self, family, scene):
        Application.objects.update(state=ApplicationState.STOP_LISTED)
        assert family.get(apply_url(scene)).context["others"] is None


class TestACollectedBid:
    """It holds no place, and nobody has anything to answer before the closing time."""

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_its_badge_and_its_withdrawal_say_so(self, family, scene, prefix):
        pages = [
            reverse("applications:cabinet"),
            reverse("applications:list"),
            scene.application.get_absolute_url(),
        ]
        withdrawal = withdraw_url(scene)
        answer = {"": "Балабақша жауабы күтілуде", "/ru": "Ожидает ответа детского сада"}[prefix]
        frees = {"": "Орын басқа балаларға босайды", "/ru": "Место освободится для других детей"}[prefix]
        collected(scene)
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        for is_held in (False, True):
            Bid.objects.filter(pk=bid.pk).update(holds_seat=is_held)
            for page in pages:
                assert (answer in text(family.get(prefix + page))) == is_held, page
            assert (frees in text(family.get(prefix + withdrawal))) == is_held


class TestApplying:
    def test_the_only_child_is_chosen_already(self, family, scene):
        form = family.get(apply_url(scene)).context["form"]
        assert form["application"].value() == scene.application.pk

    def test_confirming_sends_the_bid(self, family, scene):
        response = family.post(apply_url(scene), {"application": str(scene.application.pk)}, follow=True)
        bid = Bid.objects.get()
        assert (bid.application, bid.vacancy, bid.placed_by) == (
            scene.application,
            scene.vacancy,
            scene.parent,
        )
        assert response.redirect_chain == [(scene.application.get_absolute_url(), 302)]
        assert "Солнце" in text(response)
        assert reverse("applications:withdraw", args=[scene.application.pk]) in text(response)

    def test_asking_sends_nothing(self, family, scene):
        assert family.get(apply_url(scene)).status_code == 200
        assert Bid.objects.count() == 0

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_double_press_and_the_back_button_do_no_harm(self, family, scene, method):
        family.post(apply_url(scene))
        response = getattr(family, method)(apply_url(scene))
        assert response["Location"] == scene.application.get_absolute_url()
        assert Bid.objects.count() == 1
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.seats_taken == 1

    def test_while_one_bid_waits_another_place_is_refused(self, family, scene):
        other = VacancyFactory(group=scene.group, birth_years=[2017])
        family.post(apply_url(scene))
        response = family.post(reverse("applications:apply", args=[scene.application.pk, other.pk]))
        assert response.status_code == 409
        assert str(Refusal.BID_UNDER_WAY.label) in text(response)

    def test_after_a_refusal_by_the_kindergarten_the_same_place_is_refused(self, family, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        reject_bid(bid, actor=scene.staff, reason="Құжат жоқ", now=scene.now)
        assert family.post(apply_url(scene)).status_code == 409
        page = text(family.get(scene.application.get_absolute_url()))
        assert "Құжат жоқ" in page

    def test_a_draft_can_not_be_applied_for(self, family, scene):
        Vacancy.objects.update(state=Vacancy.State.DRAFT)
        assert family.post(apply_url(scene)).status_code == 404
        assert family.post(choose_url(scene)).status_code == 404

    def test_an_unknown_vacancy_does_not_exist(self, family, scene):
        assert (
            family.post(reverse("applications:apply", args=[scene.application.pk, uuid4()])).status_code
            == 404
        )

    def test_another_familys_application_does_not_exist(self, parent_client, scene):
        assert parent_client.post(apply_url(scene)).status_code == 404
        assert Bid.objects.count() == 0

    def test_another_application_in_the_form_is_refused(self, family, scene):
        stranger = ApplicationFactory(locality=scene.locality)
        response = family.post(apply_url(scene), {"application": str(stranger.pk)})
        assert response.context["form"].errors["application"]
        assert Bid.objects.count() == 0

    def test_a_visitor_is_asked_to_sign_in(self, client, scene):
        assert reverse("accounts:login") in client.post(apply_url(scene))["Location"]


class TestChoosingTheChild:
    @pytest.fixture
    def second(self, scene):
        return ApplicationFactory(filed_by=scene.parent, child__first_name="АЛИЯ", locality=scene.locality)

    def test_none_is_chosen_beforehand(self, family, scene, second):
        form = family.get(choose_url(scene)).context["form"]
        assert form["application"].value() is None
        assert len(form["application"].subwidgets) == 2

    def test_the_chosen_one_gets_the_bid(self, family, scene, second):
        response = family.post(choose_url(scene), {"application": str(second.pk)})
        assert response["Location"] == second.get_absolute_url()
        assert Bid.objects.get().application == second

    @pytest.mark.parametrize("ahead", [timedelta(hours=-2), timedelta(hours=2)])
    def test_the_clock_of_the_web_server_decides_nothing(
        self, scene, second, settings, clock, ahead, client_of
    ):
        """Neither for a chosen child nor where the choice is left to the page."""
        settings.DATABASE_CLOCK = True
        Vacancy.objects.update(opens_at=read_clock() + timedelta(hours=1))
        clock.move_to(read_clock() + ahead)
        family = client_of(scene.parent)
        still_young()
        Application.objects.filter(pk=second.pk).update(languages=["kk"])
        chosen = {"application": str(scene.application.pk)}
        assert family.post(choose_url(scene), chosen).status_code == 409
        assert family.post(choose_url(scene)).status_code == 409
        assert family.post(apply_url(scene)).status_code == 409
        assert Bid.objects.count() == 0

    @pytest.mark.parametrize("chosen", ["", "nonsense", str(UUID(int=1))])
    def test_without_a_choice_nothing_is_sent(self, family, scene, second, chosen):
        response = family.post(choose_url(scene), {"application": chosen})
        assert response.context["form"].errors["application"]
        assert Bid.objects.count() == 0

    def test_only_children_whom_the_place_suits_are_offered(self, family, scene, second):
        Application.objects.filter(pk=second.pk).update(languages=["kk"])
        form = family.get(choose_url(scene)).context["form"]
        assert [str(widget.data["value"]) for widget in form["application"].subwidgets] == [
            str(scene.application.pk)
        ]

    def test_a_double_press_is_one_bid(self, family, scene, second):
        chosen = {"application": str(second.pk)}
        answers = [family.post(choose_url(scene), chosen) for _ in range(2)]
        assert [answer["Location"] for answer in answers] == [second.get_absolute_url()] * 2
        assert Bid.objects.count() == 1

    def test_another_familys_child_is_not_there_to_be_chosen(self, family, scene, second):
        stranger = ApplicationFactory(locality=scene.locality)
        response = family.post(choose_url(scene), {"application": str(stranger.pk)})
        assert response.context["form"].errors["application"]
        assert Bid.objects.count() == 0

    def test_a_visitor_is_asked_to_sign_in(self, client, scene):
        response = client.post(choose_url(scene), {"application": str(scene.application.pk)})
        assert reverse("accounts:login") in response["Location"]

    def test_after_the_bid_it_leads_to_the_application(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert family.post(choose_url(scene))["Location"] == scene.application.get_absolute_url()


class TestWithdrawing:
    def url(self, scene):
        return reverse("applications:withdraw", args=[scene.application.pk])

    def test_it_asks_first(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert family.get(self.url(scene)).status_code == 200
        assert Bid.objects.get().state == BidState.PENDING

    def test_it_frees_the_place_and_keeps_the_number(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        response = family.post(self.url(scene), follow=True)
        scene.vacancy.refresh_from_db()
        assert Bid.objects.get().state == BidState.WITHDRAWN
        assert scene.vacancy.seats_taken == 0
        assert response.context["situation"].position.number == 1

    def test_twice_does_no_harm(self, family, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        family.post(self.url(scene))
        assert family.post(self.url(scene))["Location"] == scene.application.get_absolute_url()

    def test_without_a_bid_it_leads_back(self, family, scene):
        assert family.get(self.url(scene))["Location"] == scene.application.get_absolute_url()
