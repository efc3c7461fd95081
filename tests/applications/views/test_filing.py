"""Filing, the lists, the basket and the archive, as a parent sees them."""

from datetime import date, timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.models import Application
from applications.states import ApplicationState
from applications.waiting.filing import archive
from notifications.models import Notice
from tests.factories import (
    ApplicationFactory,
    ChildFactory,
    GuardianshipFactory,
    LocalityFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db

NEW = reverse("applications:new")
LIST = reverse("applications:list")


@pytest.fixture
def child(parent):
    return GuardianshipFactory(user=parent, child__birth_date=date(2017, 7, 20)).child


@pytest.fixture
def answers(child):
    return {"locality": LocalityFactory().slug, "languages": ["kk", "ru"], "child": str(child.pk)}


@pytest.fixture
def application(parent, clock):
    return ApplicationFactory(filed_by=parent)


def text(response):
    return unescape(response.content.decode())


class TestFiling:
    def test_without_a_child_it_leads_to_adding_one(self, parent_client):
        LocalityFactory()
        assert parent_client.get(NEW).url == reverse("children:add")

    def test_no_language_is_ticked_that_nobody_chose(self, parent_client, answers):
        for prefix in ("", "/ru"):
            page = parent_client.get(f"{prefix}{NEW}")
            assert page.context["form"]["languages"].value() == []
        refused = parent_client.post(NEW, answers | {"languages": []})
        assert refused.context["form"].errors["languages"]

    def test_place_and_languages_are_asked_once(self, parent_client, parent, answers, clock):
        """What the family answered for one child stands in the form for the next, and in the switch of the place."""
        LocalityFactory(slug="abai", name_kk="Абай", name_ru="Абай", order=0)
        place = LocalityFactory()
        parent_client.post(NEW, answers | {"locality": place.slug, "languages": ["ru"], "confirm": "1"})
        assert parent_client.cookies["place"].value == place.slug
        parent_client.cookies.pop("place")
        GuardianshipFactory(user=parent, child__birth_date=date(2016, 7, 20))
        form = parent_client.get(NEW).context["form"]
        assert (form["locality"].value(), form["languages"].value()) == (place.slug, ["ru"])

    def test_the_child_one_comes_from_is_chosen_among_several(self, parent_client, parent, answers):
        other = GuardianshipFactory(user=parent, child__birth_date=date(2016, 7, 20)).child
        form = parent_client.get(NEW, {"for": other.pk}).context["form"]
        assert form["child"].value() == str(other.pk)

    def test_what_the_profile_lacks_is_asked_for_before_filing(self, parent_client, parent, answers, clock):
        check = parent_client.post(NEW, answers)["Location"]
        there = next(row["url"] for row in parent_client.get(check).context["rows"] if row.get("change"))
        form = {
            "address": "Абай, 1",
            "language": "kk",
            "next": parent_client.get(there).context["next"],
        }
        saved = parent_client.post(reverse("accounts:profile"), form)
        assert saved.url == check
        assert not any(row.get("change") for row in parent_client.get(check).context["rows"])

    @pytest.mark.parametrize("foreign", ["https://example.com/", "//example.com/", "javascript:alert(1)"])
    def test_the_profile_leads_to_no_foreign_page(self, parent_client, foreign):
        form = {"address": "", "language": "kk", "next": foreign}
        assert parent_client.post(reverse("accounts:profile"), form).url == reverse("accounts:profile")

    def test_the_second_guardian_is_led_to_the_application_that_exists(self, client_of, application):
        """B: the other guardian's child already waits; nobody is invited to file it again."""
        mother = GuardianshipFactory(child=application.child).user
        response = client_of(mother).get(NEW, {"for": application.child.pk}, follow=True)
        assert response.redirect_chain == [(application.get_absolute_url(), 302)]
        assert [str(message) for message in response.context["messages"]]

    def test_an_only_child_and_the_chosen_place_are_chosen_already(self, parent_client, answers):
        form = parent_client.get(NEW).context["form"]
        assert str(form["child"].value()) == answers["child"]
        assert form["locality"].value() == answers["locality"]

    def test_answers_are_checked_before_they_are_filed(self, parent_client, answers, clock):
        response = parent_client.post(NEW, answers, follow=True)
        page = text(response)
        assert Application.objects.count() == 0
        assert "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in page
        assert "20.07.2017" in page
        assert "Түркістан қ." in page
        assert response.redirect_chain[0][1] == 302

    def test_confirming_files_the_application_and_shows_the_number(
        self, parent_client, parent, answers, clock
    ):
        response = parent_client.post(NEW, answers | {"confirm": "1"}, follow=True)
        application = Application.objects.get()
        assert response.redirect_chain == [(f"{application.get_absolute_url()}?filed=1", 302)]
        assert application.filed_by == parent
        assert application.languages == ["kk", "ru"]
        assert response.context["just_filed"]
        assert response.context["situation"].position.number == 1
        later = text(parent_client.get(application.get_absolute_url()))
        for part in (
            "big-number__value",
            "Сіздің алдыңызда",
            reverse("applications:why", args=[application.pk]),
        ):
            assert part in text(response)
            assert part in later
        assert Notice.objects.filter(recipient=parent, kind="application_filed").exists()

    def test_a_second_submit_leads_to_the_first_application(self, parent_client, answers, clock):
        parent_client.post(NEW, answers | {"confirm": "1"})
        response = parent_client.post(NEW, answers | {"confirm": "1"}, follow=True)
        application = Application.objects.get()
        assert response.redirect_chain == [(application.get_absolute_url(), 302)]
        assert list(response.context["messages"])

    def test_the_back_button_after_filing_leads_to_the_application(self, parent_client, answers, clock):
        check = parent_client.post(NEW, answers)["Location"]
        parent_client.post(NEW, answers | {"confirm": "1"})
        assert parent_client.get(check)["Location"] == Application.objects.get().get_absolute_url()

    def test_change_brings_the_answers_back(self, parent_client, answers, clock):
        check = parent_client.post(NEW, answers)["Location"]
        form = parent_client.get(f"{check}&edit=1").context["form"]
        assert form["languages"].value() == ["kk", "ru"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"languages": []},
            {"languages": ["de"]},
            {"languages": ["kk", "de"]},
            {"locality": "atlantis"},
            {"locality": "\x00"},
            {"child": ""},
            {"child": "not-a-uuid"},
            {"child": str(UUID(int=1))},
        ],
    )
    @pytest.mark.parametrize("confirm", [{}, {"confirm": "1"}])
    def test_wrong_answers_are_explained_and_nothing_is_filed(
        self, parent_client, answers, wrong, confirm, clock
    ):
        response = parent_client.post(NEW, answers | wrong | confirm)
        assert response.status_code == 200
        assert response.context["form"].errors
        assert 'class="error-summary"' in text(response)
        assert Application.objects.count() == 0

    def test_a_wrong_answer_in_the_address_shows_the_form(self, parent_client, answers, clock):
        response = parent_client.get(NEW, answers | {"locality": "atlantis"})
        assert response.status_code == 200
        assert response.context["form"].errors

    def test_the_child_of_another_family_is_no_choice(self, parent_client, answers, clock):
        stranger = ChildFactory()
        response = parent_client.post(NEW, answers | {"child": str(stranger.pk), "confirm": "1"})
        assert response.context["form"].errors["child"]
        assert Application.objects.count() == 0

    @pytest.mark.parametrize("born", [date(2010, 5, 1), date(2020, 1, 1)])
    def test_a_child_out_of_the_ages_is_told_so(self, parent_client, child, answers, born, clock):
        child.birth_date = born
        child.save()
        response = parent_client.post(NEW, answers | {"confirm": "1"})
        assert response.context["form"].errors["child"]
        assert Application.objects.count() == 0

    def test_a_child_with_an_application_is_shown_with_a_link(self, parent_client, application):
        page = text(parent_client.get(NEW))
        assert application.get_absolute_url() in page
        assert 'name="languages"' not in page


class TestLists:
    def test_the_list_has_the_manuals_columns(self, parent_client, application):
        page = text(parent_client.get(LIST))
        assert application.number in page
        assert "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in page
        assert reverse("applications:delete", args=[application.pk]) in page

    def test_the_empty_list_says_what_to_do(self, parent_client):
        assert text(parent_client.get(LIST)).count(NEW) == 2

    def test_the_list_shows_nothing_of_other_families(self, parent_client, clock):
        stranger = ApplicationFactory()
        assert stranger.number not in text(parent_client.get(LIST))

    def test_the_start_shows_each_child_with_its_number_and_the_other_without(
        self, parent_client, parent, application
    ):
        other = GuardianshipFactory(user=parent, child__first_name="АЛИЯ").child
        page = text(parent_client.get(reverse("applications:cabinet")))
        assert application.get_absolute_url() in page
        assert f"{NEW}?for={other.pk}" in page

    def test_the_start_without_a_child_leads_to_adding_one(self, parent_client):
        assert reverse("children:add") in text(parent_client.get(reverse("applications:cabinet")))


class TestBasket:
    def url(self, application, name="delete"):
        return reverse(f"applications:{name}", args=[application.pk])

    def test_asking_deletes_nothing(self, parent_client, application):
        assert parent_client.get(self.url(application)).status_code == 200
        application.refresh_from_db()
        assert application.state == ApplicationState.WAITING

    def test_confirming_moves_it_to_the_archive(self, parent_client, application):
        response = parent_client.post(self.url(application), follow=True)
        assert response.redirect_chain == [(reverse("applications:archive"), 302)]
        assert application.number in text(response)
        assert self.url(application, "restore") in text(response)
        assert application.number not in text(parent_client.get(LIST))

    def test_a_second_confirmation_does_no_harm(self, parent_client, application):
        parent_client.post(self.url(application))
        response = parent_client.post(self.url(application))
        assert response["Location"] == reverse("applications:archive")

    def test_the_start_offers_to_undo_it_as_long_as_that_is_possible(self, parent_client, application, clock):
        start = reverse("applications:cabinet")
        parent_client.post(self.url(application))
        clock.shift(timedelta(days=1) - timedelta(microseconds=1))
        page = text(parent_client.get(start))
        assert self.url(application, "restore") in page
        assert "әзірге өтініші жоқ" not in page
        clock.shift(timedelta(microseconds=1))
        page = text(parent_client.get(start))
        assert self.url(application, "restore") not in page
        assert "әзірге өтініші жоқ" in page

    def test_it_can_be_undone_for_a_day(self, parent_client, application, clock):
        parent_client.post(self.url(application))
        clock.shift(timedelta(days=1) - timedelta(microseconds=1))
        response = parent_client.post(self.url(application, "restore"))
        assert response["Location"] == application.get_absolute_url()
        application.refresh_from_db()
        assert application.state == ApplicationState.WAITING

    def test_after_a_day_it_can_not_be_undone(self, parent_client, application, clock):
        parent_client.post(self.url(application))
        clock.shift(timedelta(days=1))
        assert self.url(application, "restore") not in text(
            parent_client.get(reverse("applications:archive"))
        )
        response = parent_client.post(self.url(application, "restore"), follow=True)
        assert [message.level_tag for message in response.context["messages"]] == ["error"]
        application.refresh_from_db()
        assert application.state == ApplicationState.ARCHIVED

    def test_it_can_not_be_undone_after_a_new_one_was_filed(self, parent_client, parent, application, clock):
        archive(application, actor=parent, now=timezone.now())
        ApplicationFactory(child=application.child, filed_by=parent)
        response = parent_client.post(self.url(application, "restore"), follow=True)
        assert [message.level_tag for message in response.context["messages"]] == ["error"]

    def test_and_the_refusal_names_the_way_out(self, parent_client, parent, application, clock):
        archive(application, actor=parent, now=timezone.now())
        newer = ApplicationFactory(child=application.child, filed_by=parent, locality=application.locality)
        answer = text(parent_client.post(self.url(application, "restore"), follow=True))
        until = timezone.localtime(timezone.now() + timedelta(days=1), application.locality.zone)
        assert newer.number in answer
        assert f"{until:%d.%m.%Y}" in answer
        parent_client.post(self.url(newer))
        assert (
            parent_client.post(self.url(application, "restore"))["Location"] == application.get_absolute_url()
        )

    @pytest.mark.parametrize(
        ("later", "is_warned"),
        [(timedelta(days=1) - timedelta(microseconds=1), True), (timedelta(days=1), False)],
    )
    def test_who_files_anew_is_warned_while_the_earlier_one_can_be_restored(
        self, parent_client, application, answers, clock, later, is_warned
    ):
        parent_client.post(self.url(application))
        clock.shift(later)
        fields = answers | {"child": str(application.child.pk)}
        page = text(parent_client.post(NEW, fields, follow=True))
        assert (application.number in page) == is_warned
        assert (reverse("applications:archive") in page.split("<main")[1].split("</main")[0]) == is_warned
        assert parent_client.post(NEW, fields | {"confirm": "1"}).status_code == 302

    def test_the_page_of_an_archived_application_offers_the_way_back(
        self, parent_client, parent, application, clock
    ):
        archive(application, actor=parent, now=application.filed_at)
        page = text(parent_client.get(application.get_absolute_url()))
        assert self.url(application, "restore") not in page
        assert NEW in page

    def test_an_application_with_a_bid_is_not_offered_the_basket(self, parent_client, application):
        Application.objects.update(state=ApplicationState.ENROLLED)
        assert self.url(application) not in text(parent_client.get(LIST))
        assert '<form method="post" class="form"' not in text(parent_client.get(self.url(application)))
        response = parent_client.post(self.url(application), follow=True)
        assert [message.level_tag for message in response.context["messages"]] == ["error"]


class TestInterest:
    def url(self, application):
        return reverse("applications:interest", args=[application.pk])

    def test_a_lapsed_application_waits_again(self, parent_client, application):
        Application.objects.update(state=ApplicationState.LAPSED)
        assert self.url(application) in text(parent_client.get(application.get_absolute_url()))
        parent_client.post(self.url(application))
        application.refresh_from_db()
        assert application.state == ApplicationState.WAITING

    def test_where_it_does_not_apply_it_says_so(self, parent_client, application):
        Application.objects.update(state=ApplicationState.ENROLLED)
        response = parent_client.post(self.url(application), follow=True)
        assert "error" in [message.level_tag for message in response.context["messages"]]


OWN_PAGES = [
    "application",
    "delete",
    "restore",
    "interest",
    "languages",
    "move",
    "withdraw",
    "referral_pdf",
    "extend",
]


class TestDoors:
    @pytest.mark.parametrize("name", OWN_PAGES)
    def test_another_familys_application_does_not_exist(self, parent_client, name, clock):
        url = reverse(f"applications:{name}", args=[ApplicationFactory().pk])
        method = parent_client.post if name in {"restore", "interest"} else parent_client.get
        assert method(url).status_code == 404
        assert parent_client.post(url).status_code in (404, 405)

    @pytest.mark.parametrize("name", OWN_PAGES)
    def test_an_unknown_application_does_not_exist(self, parent_client, name, clock):
        url = reverse(f"applications:{name}", args=[uuid4()])
        method = parent_client.post if name in {"restore", "interest"} else parent_client.get
        assert method(url).status_code == 404

    @pytest.mark.parametrize("name", OWN_PAGES)
    def test_a_visitor_is_asked_to_sign_in(self, client, application, name):
        url = reverse(f"applications:{name}", args=[application.pk])
        method = client.post if name in {"restore", "interest"} else client.get
        page = {"restore": "/cabinet/applications/archive/", "interest": application.get_absolute_url()}
        assert method(url)["Location"] == f"{reverse('accounts:login')}?next={page.get(name, url)}"

    @pytest.mark.parametrize("name", ["cabinet", "list", "archive", "new"])
    def test_the_lists_are_for_those_who_signed_in(self, client, name, db):
        url = reverse(f"applications:{name}")
        assert client.get(url)["Location"] == f"{reverse('accounts:login')}?next={url}"

    @pytest.mark.parametrize("name", ["cabinet", "list", "archive", "new"])
    def test_an_employee_is_told_that_the_cabinet_is_for_parents(self, client_of, name, db):
        assert client_of(StaffFactory()).get(reverse(f"applications:{name}")).status_code == 403

    def test_an_ended_guardianship_closes_the_door(self, parent_client, application, clock):
        application.child.guardianships.update(ended_at=application.filed_at)
        assert parent_client.get(application.get_absolute_url()).status_code == 404

    @pytest.mark.parametrize("name", ["restore", "interest"])
    def test_changes_are_made_by_post_only(self, parent_client, application, name):
        page = {"restore": "/cabinet/applications/archive/", "interest": application.get_absolute_url()}
        before = application.events.count()
        assert parent_client.get(reverse(f"applications:{name}", args=[application.pk])).url == page[name]
        assert application.events.count() == before

    def test_a_word_in_place_of_an_id_is_no_page(self, parent_client):
        assert parent_client.get("/cabinet/applications/nonsense/").status_code == 404

    @pytest.mark.parametrize("name", ["cabinet", "list", "archive", "new"])
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_both_languages(self, parent_client, application, name, prefix):
        assert parent_client.get(prefix + reverse(f"applications:{name}")).status_code == 200
