"""Checking benefits: by officials only, the oldest first, with the document at hand."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.translation import gettext

from accounts.journal_actions import Action
from accounts.models import AuditEntry
from accounts.roles import Role
from applications.benefits import claims
from applications.models import Application, Benefit, BenefitCategory
from applications.refusals import Refusal
from applications.states import ApplicationState, BenefitState, Tier
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, BenefitCategoryFactory, BenefitFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


@pytest.fixture
def official(clock):
    return employee(Role.OFFICIAL)


@pytest.fixture
def desk(official):
    return inside(official)


@pytest.fixture
def benefit(scene):
    return BenefitFactory(
        application=scene.application,
        category=BenefitCategoryFactory(valid_days=30),
        claimed_at=scene.now,
    )


def work(benefit, name):
    return reverse("admin:applications_benefit_work", args=[benefit.pk, name])


def page(benefit):
    return reverse("admin:applications_benefit_change", args=[benefit.pk])


def document(benefit):
    return reverse("admin:applications_benefit_document", args=[benefit.pk])


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


class TestCheck:
    def test_verifying_asks_first_and_names_the_last_day(self, desk, official, benefit):
        """Counted from the date of the paper, which the official reads from it."""
        address = work(benefit, "verify_dated")
        shown = desk.get(page(benefit)).content.decode()
        assert address in shown
        assert work(benefit, "verify") + '"' not in shown
        # With others to come, too: the first button leads to the last day, and only the second decides.
        other = BenefitFactory(category=benefit.category)
        decides = gettext("Verify")
        pages = [desk.get(address), desk.post(address, {"issued_on": "2019-06-20"})]
        buttons = [re.findall(r'<button class="work[^>]*>([^<]+)', one.content.decode()) for one in pages]
        assert buttons[0] == [gettext("Next: up to when it counts")]
        assert [one.startswith(decides) for one in buttons[1]] == [True] * len(buttons[1])
        other.delete()
        other.application.delete()
        for wrong in ("", "2019-06-27", "2019-05-26"):
            assert "issued_on" in desk.post(address, {"issued_on": wrong}).context["form"].errors
        for issued_on, last_day in (("2019-06-26", "26.07.2019"), ("2019-05-27", "26.06.2019")):
            told = {row["value"] for row in desk.post(address, {"issued_on": issued_on}).context["effect"]}
            assert last_day in told
        assert Benefit.objects.get().state == BenefitState.CLAIMED
        assert desk.post(address, {"issued_on": "2019-06-20", "confirmed": "yes"}).url == page(benefit)
        benefit.refresh_from_db()
        assert (benefit.state, benefit.decided_by) == (BenefitState.VERIFIED, official)
        assert benefit.valid_until == datetime(2019, 7, 21, tzinfo=ZONE)
        assert Application.objects.get().tier == Tier.PRIORITY

    @pytest.mark.parametrize("is_endless", [False, True])
    def test_the_last_day_is_that_of_the_proof_that_counts_longer(self, desk, scene, benefit, is_endless):
        until = None if is_endless else datetime(2019, 7, 27, tzinfo=ZONE)
        BenefitFactory(
            application=scene.application, category=benefit.category, state=BenefitState.VERIFIED,
            valid_until=until,
        )  # fmt: skip
        sent = {"issued_on": "2019-06-06"}
        effect = desk.post(work(benefit, "verify_dated"), sent).context["effect"]
        assert effect[-1]["value"] == ("—" if is_endless else "26.07.2019")
        desk.post(work(benefit, "verify_dated"), sent | {"confirmed": "yes"})
        benefit.refresh_from_db()
        assert (benefit.state, benefit.valid_until) == (BenefitState.VERIFIED, until)

    def test_rejecting_needs_a_reason_and_keeps_it(self, desk, benefit):
        for reason in ("", "   "):
            answer = desk.post(work(benefit, "reject"), {"reason": reason})
            assert "reason" in answer.context["form"].errors
        desk.post(work(benefit, "reject"), {"reason": "Анықтаманың мөрі жоқ"})
        benefit.refresh_from_db()
        assert (benefit.state, benefit.reason) == (BenefitState.REJECTED, "Анықтаманың мөрі жоқ")

    def test_a_verified_one_can_still_be_rejected(self, desk, scene, official, benefit):
        claims.verify_benefit(benefit, actor=official, now=scene.now)
        shown = desk.get(page(benefit)).content.decode()
        assert work(benefit, "verify") not in shown
        assert work(benefit, "reject") in shown
        desk.post(work(benefit, "reject"), {"reason": "Анықтама жалған"})
        assert Application.objects.get().tier == Tier.GENERAL

    def test_one_without_an_end_has_no_date(self, desk, benefit):
        BenefitCategory.objects.update(valid_days=None)
        assert work(benefit, "verify_dated") not in desk.get(page(benefit)).content.decode()
        assert desk.post(work(benefit, "verify")).url == page(benefit)
        assert Benefit.objects.get().valid_until is None

    @pytest.mark.parametrize("name", ["verify_dated", "reject"])
    def test_what_was_withdrawn_meanwhile_is_refused_in_words(self, desk, scene, benefit, name):
        claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now)
        sent = {"reason": "Анықтама жарамсыз", "issued_on": "2019-06-20", "confirmed": "yes"}
        answer = desk.post(work(benefit, name), sent)
        assert said(answer) == [str(Refusal.BENEFIT_ENDED.label)]
        assert said(desk.get(work(benefit, name)))[-1] == str(Refusal.NOT_ALLOWED.label)

    def test_of_an_archived_application_nothing_is_offered(self, desk, scene, benefit):
        Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=scene.now)
        shown = desk.get(page(benefit)).content.decode()
        assert work(benefit, "verify") not in shown
        assert work(benefit, "reject") not in shown
        sent = {"issued_on": "2019-06-20", "confirmed": "yes"}
        assert said(desk.post(work(benefit, "verify_dated"), sent)) == [str(Refusal.ARCHIVED.label)]

    def test_a_late_job_does_not_make_it_look_alive(self, desk, scene, official, benefit):
        benefit = claims.verify_benefit(benefit, actor=official, now=scene.now)
        Benefit.objects.update(valid_until=scene.now)
        shown = desk.get(page(benefit)).content.decode()
        assert f">{BenefitState.EXPIRED.label}<" in shown
        assert work(benefit, "reject") not in shown


class TestList:
    def test_the_oldest_claim_first_and_only_what_waits(self, desk, scene, benefit):
        older = BenefitFactory(claimed_at=scene.now - timedelta(days=3))
        BenefitFactory(state=BenefitState.REJECTED)
        BenefitFactory(application=ApplicationFactory(state=ApplicationState.ENROLLED))
        shown = desk.get(reverse("admin:applications_benefit_changelist") + "?check=waiting")
        assert list(shown.context["cl"].result_list) == [older, benefit]

    def test_the_whole_list_begins_with_the_newest(self, desk, scene, benefit):
        older = BenefitFactory(claimed_at=scene.now - timedelta(days=3))
        shown = desk.get(reverse("admin:applications_benefit_changelist"))
        assert list(shown.context["cl"].result_list) == [benefit, older]

    @pytest.mark.parametrize("path", ["/admin/", "/ru/admin/"])
    def test_today_says_how_many_wait(self, desk, benefit, path):
        shown = desk.get(path)
        assert shown.context["today"].claims == 1
        assert "?check=waiting" in shown.content.decode()

    def test_a_worker_is_told_of_no_claims(self, scene, clock, benefit):
        shown = inside(worker_of(scene.group.kindergarten)).get("/admin/")
        assert shown.context["today"].claims is None
        assert "?check=waiting" not in shown.content.decode()


class TestDocument:
    def test_comes_as_a_download_that_no_browser_runs(self, desk, benefit):
        answer = desk.get(document(benefit))
        assert answer.getvalue() == b"%PDF-1.4"
        assert answer["Content-Disposition"].startswith("attachment")
        assert quote("анықтама.pdf") in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]

    def test_the_familys_journal_says_who_took_it(self, desk, official, scene, benefit):
        desk.get(document(benefit)).getvalue()
        entry = AuditEntry.objects.get(action=Action.PERSONAL_DATA_VIEWED)
        assert (entry.actor, entry.subject) == (official, scene.parent)
        assert "анықтама.pdf" in entry.target

    def test_a_missing_file_is_said_in_words(self, desk, benefit):
        benefit.document.storage.delete(benefit.document.name)
        answer = desk.get(document(benefit))
        assert answer.url == page(benefit)
        assert said(answer)


class TestCategories:
    FIELDS = {
        "slug": "twins",
        "name_kk": "Егіздер",
        "name_ru": "Близнецы",
        "proof_kk": "Туу туралы куәліктер",
        "proof_ru": "Свидетельства о рождении",
        "tier": "1",
        "valid_days": "",
        "order": "20",
        "is_active": "on",
    }

    def change(self, category):
        return reverse("admin:applications_benefitcategory_change", args=[category.pk])

    def test_an_official_adds_one(self, desk):
        answer = desk.post(reverse("admin:applications_benefitcategory_add"), self.FIELDS)
        assert answer.status_code == 302
        assert BenefitCategory.objects.get().name_ru == "Близнецы"

    @pytest.mark.parametrize(
        ("field", "value"),
        [("tier", "2"), ("valid_days", "0"), ("valid_days", "99999"), ("valid_days", "-1"), ("name_kk", "")],
    )
    def test_bad_values_are_answered_in_the_form(self, desk, field, value):
        answer = desk.post(reverse("admin:applications_benefitcategory_add"), {**self.FIELDS, field: value})
        assert answer.status_code == 200
        assert field in answer.context["adminform"].form.errors

    def test_the_part_of_the_queue_stays_once_somebody_claimed(self, desk, benefit):
        desk.post(self.change(benefit.category), {**self.FIELDS, "tier": "0"})
        category = BenefitCategory.objects.get()
        assert (category.name_kk, category.tier) == ("Егіздер", Tier.PRIORITY)
        assert category.slug == benefit.category.slug

    def test_before_that_it_may_be_corrected(self, desk):
        category = BenefitCategoryFactory()
        desk.post(self.change(category), {**self.FIELDS, "tier": "0"})
        assert BenefitCategory.objects.get().tier == Tier.EXTRAORDINARY

    def test_nobody_deletes_one(self, desk):
        category = BenefitCategoryFactory()
        url = reverse("admin:applications_benefitcategory_delete", args=[category.pk])
        assert desk.post(url, {"post": "yes"}).status_code == 403
