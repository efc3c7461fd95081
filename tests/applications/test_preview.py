"""Before the opening: what pages say and offer, and what a campaign asks of families who could not answer."""

from datetime import date, datetime, timedelta
from html import unescape
from io import StringIO
from typing import ClassVar

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts.roles import Role
from applications.access.settling import settle
from applications.admin.group_names import name_of
from applications.bidding.publication import publish_vacancy
from applications.jobs import telling
from applications.models import Application
from applications.moves import Refused
from applications.preview import preview_words
from applications.refusals import Refusal
from applications.rules.running_out import restorable_until
from applications.states import ApplicationState
from applications.waiting import campaigns, confirming
from bulletin.models import Vacancy
from notifications.models import Message
from tests.applications.conftest import ZONE
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory, VacancyFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

# By the rules of a place that has none of its own: the campaign of 2019 ends on 1 October.
CAMPAIGN = datetime(2019, 9, 20, tzinfo=ZONE)
CAMPAIGN_OVER = datetime(2019, 10, 2, tzinfo=ZONE)


@pytest.fixture
def preview(settings):
    settings.MODE = "preview"
    settings.OPENS_ON = date(2019, 7, 1)


def work_url(vacancy, name):
    return reverse("admin:bulletin_vacancy_work", args=[vacancy.pk, name])


def page_of(client, url, **data):
    answer = client.post(url, data, follow=True) if data else client.get(url, follow=True)
    return unescape(answer.content.decode())


class TestWhatPagesSay:
    @pytest.mark.parametrize(
        ("language", "word"), [("kk", "Портал ашылатын күн"), ("ru", "Портал откроется")]
    )
    def test_the_day_stands_on_every_page(self, scene, client_of, preview, language, word):
        with translation.override(language):
            pages = [reverse("home"), reverse("applications:bulletin"), scene.application.get_absolute_url()]
        for url in pages:
            page = page_of(client_of(scene.parent), url)
            assert word in page
            assert "01.07.2019" in page

    def test_a_day_that_is_over_is_not_promised_any_more(self, settings, preview):
        with translation.override("ru"):
            assert "01.07.2019" in preview_words(today=date(2019, 7, 1))
            assert preview_words(today=date(2019, 7, 2)).startswith("Портал ещё не открыт")
            settings.OPENS_ON = None
            assert preview_words(today=date(2019, 6, 1)).startswith("Портал ещё не открыт")
            settings.MODE = "open"
            assert preview_words(today=date(2019, 6, 1)) == ""

    def test_the_buttons_are_gone_and_come_back(self, scene, client_of):
        client = client_of(scene.parent)
        acts = [
            reverse(f"applications:{name}", args=[scene.application.pk])
            for name in ("delete", "languages", "move", "claim_benefit")
        ]
        url = scene.application.get_absolute_url()

        def offered(page):
            return [one for one in acts if f'"{one}"' in page]

        before = offered(page_of(client, url))
        assert before
        with override_settings(MODE="preview"):
            page = page_of(client, url)
            assert offered(page) == []
            assert str(Refusal.PREVIEW.label) in page
            assert "?status=me" not in page[page.index("<main") : page.index("</main>")]
        assert offered(page_of(client, url)) == before

    def test_the_form_of_an_application_is_replaced_by_the_sentence(self, scene, client_of, preview):
        child = ChildFactory(birth_date=date(2017, 5, 5))
        GuardianshipFactory(user=scene.parent, child=child)
        for answers in ({}, {"child": child.pk, "locality": scene.locality.slug, "confirm": "1"}):
            page = page_of(client_of(scene.parent), reverse("applications:new"), **answers)
            assert "01.07.2019" in page[page.index("<main") :]
            assert 'name="languages"' not in page
        assert not Application.objects.filter(child=child).exists()

    @pytest.mark.parametrize("name", ["delete", "languages", "move", "claim_benefit"])
    def test_an_address_that_is_known_leads_back_with_the_reason(self, scene, client_of, preview, name):
        answer = client_of(scene.parent).get(
            reverse(f"applications:{name}", args=[scene.application.pk]), follow=True
        )
        assert answer.redirect_chain[-1][0] == scene.application.get_absolute_url()
        with translation.override("kk"):
            assert str(Refusal.PREVIEW.label) in unescape(answer.content.decode())

    def test_the_press_says_why(self, scene, client_of, preview):
        url = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        answer = client_of(scene.parent).post(url, {"application": scene.application.pk})
        assert answer.status_code == 409
        with translation.override("kk"):
            assert str(Refusal.PREVIEW.label) in unescape(answer.content.decode())

    def test_the_home_page_leads_to_the_children_and_not_to_a_form(self, client, preview):
        page = page_of(client, reverse("home"))
        assert f"next={reverse('children:list').replace('/', '%2F')}" in page
        assert reverse("applications:new").replace("/", "%2F") not in page

    def test_who_registers_finds_an_open_cabinet(self, client_of, preview):
        client = client_of(UserFactory())
        for name in ("applications:cabinet", "children:list", "children:add", "accounts:profile"):
            assert client.get(reverse(name)).status_code == 200


class TestDrafts:
    """They are written before the opening, and published after it."""

    OPENS_AT: ClassVar = datetime(2019, 7, 10, 18, tzinfo=ZONE)
    FORM: ClassVar = {
        "seats_total": "3",
        "opens_at_0": "10.07.2019",
        "opens_at_1": "18:00",
        "vacant_from_0": "01.08.2019",
        "vacant_from_1": "09:00",
        "place_type": "vacant",
        "mode": "first_come",
        "responsible": "Омарова А.",
    }

    @pytest.fixture
    def desk(self, scene, preview):
        return inside(worker_of(scene.group.kindergarten))

    def drafts(self, group):
        return [draft for draft in group.vacancies.all() if draft.state == Vacancy.State.DRAFT]

    def draft(self, group):
        return VacancyFactory(
            group=group, state=Vacancy.State.DRAFT, published_at=None, opens_at=self.OPENS_AT
        )

    def test_one_is_saved_by_its_form_and_says_what_it_waits_for(self, scene, desk):
        answer = desk.post(
            reverse("admin:bulletin_vacancy_add"), self.FORM | {"group": scene.group.pk}, follow=True
        )
        (draft,) = self.drafts(scene.group)
        page = unescape(answer.content.decode())
        assert str(Refusal.NO_PUBLICATION_YET.at_work) in page
        assert work_url(draft, "publish") not in page
        assert gettext("The draft is saved.") in page

    def test_many_are_saved_at_once(self, scene, desk):
        common = {f"common-{name}": value for name, value in self.FORM.items() if name != "seats_total"}
        row = {"row-0-group": name_of(scene.group), "row-0-seats_total": "3", "row-0-birth_years": ""}
        assert desk.post(reverse("admin:bulletin_vacancy_bulk"), common | row).status_code == 302
        assert len(self.drafts(scene.group)) == 1

    def test_a_file_brings_them(self, scene, preview, tmp_path):
        heading = "kindergarten;group;birth_years;seats_total;opens_at;responsible"
        group = scene.group
        line = f"{group.kindergarten.slug};{group.name};2017;3;10.07.2019 18:00;Омарова А."
        file = tmp_path / "vacancies.csv"
        file.write_text(f"{heading}\n{line}\n")
        call_command("import_vacancies", str(file), stdout=StringIO())
        assert len(self.drafts(group)) == 1

    @pytest.mark.parametrize("name", ["publish", "publish-soon"])
    def test_no_button_publishes_before_the_opening(self, scene, desk, settings, name):
        draft = self.draft(scene.group)
        chief = inside(employee(Role.OFFICIAL, is_superuser=True))
        page = chief.post(work_url(draft, name), {"reason": "Топ ашылды"}, follow=True).content.decode()
        assert str(Refusal.NO_PUBLICATION_YET.at_work) in unescape(page)
        chosen = {"action": "publish_selected", "_selected_action": draft.pk}
        page = chief.post(reverse("admin:bulletin_vacancy_changelist"), chosen, follow=True).content.decode()
        assert str(Refusal.NO_PUBLICATION_YET.at_work) in unescape(page)
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT

    def test_the_same_draft_is_published_after_it(self, scene, preview, settings):
        draft = self.draft(scene.group)
        chief = employee(Role.OFFICIAL, is_superuser=True)
        with pytest.raises(Refused) as refused:
            publish_vacancy(draft, actor=chief, now=scene.now)
        assert refused.value.reason == Refusal.NO_PUBLICATION_YET
        settings.MODE = "open"
        assert publish_vacancy(draft, actor=chief, now=scene.now).state == Vacancy.State.PUBLISHED


class TestCampaigns:
    @pytest.fixture
    def silent(self, scene):
        Application.objects.filter(pk=scene.application.pk).update(
            interest_confirmed_at=scene.application.filed_at
        )
        return Application.objects.get()

    def test_nobody_is_asked_before_the_opening(self, silent, settings):
        settings.MODE = "preview"
        assert telling.remind_interest(now=CAMPAIGN.replace(day=1, hour=10)) == 0
        assert Message.objects.count() == 0
        assert campaigns.campaign_asking(silent, now=CAMPAIGN) is None

    def test_a_grace_that_ended_before_the_opening_costs_nobody_a_place(self, silent, settings):
        lapsed = confirming.lapse(silent, now=CAMPAIGN_OVER)
        end = restorable_until(lapsed, now=CAMPAIGN_OVER)
        assert end is not None
        settings.MODE = "preview"
        settled = settle(lapsed, now=end)
        assert (settled.state, settled.ran_out(now=end)) == (ApplicationState.LAPSED, False)
        settings.MODE, settings.OPENS_ON = "open", end.astimezone(ZONE).date() + timedelta(days=1)
        opened = end + timedelta(days=2)
        assert settle(settled, now=opened).state == ApplicationState.LAPSED
        assert campaigns.lapsed_beyond_grace(now=opened) == []
        settings.OPENS_ON = date(2019, 6, 1)
        assert campaigns.lapsed_beyond_grace(now=opened) == [lapsed]
        assert campaigns.is_beyond_grace(lapsed, now=opened)

    @pytest.mark.parametrize(
        ("opened", "state"),
        [
            (None, ApplicationState.LAPSED),
            (date(2019, 9, 25), ApplicationState.WAITING),
            (date(2019, 6, 1), ApplicationState.LAPSED),
        ],
    )
    def test_a_campaign_that_began_before_the_opening_costs_nobody_a_place(
        self, silent, settings, opened, state
    ):
        settings.OPENS_ON = opened
        assert confirming.lapse(silent, now=CAMPAIGN_OVER).state == state
