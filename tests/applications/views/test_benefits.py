"""«Жеңілдіктер» in the cabinet: asking, what the section says, taking back; and nobody else's."""

from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from applications.benefits import claims
from applications.models import Application, Benefit, BenefitCategory
from applications.refusals import Refusal
from applications.states import ApplicationState, BenefitState, Tier
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BenefitFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


@pytest.fixture
def family(clock, scene, client_of):
    return client_of(scene.parent)


@pytest.fixture
def category():
    return BenefitCategoryFactory(valid_days=30)


@pytest.fixture
def benefit(scene, category):
    return BenefitFactory(application=scene.application, category=category, claimed_at=scene.now)


def page(scene, language=""):
    return language + reverse("applications:application", args=[scene.application.pk])


def claim_url(scene):
    return reverse("applications:claim_benefit", args=[scene.application.pk])


def withdraw_url(benefit):
    return reverse("applications:withdraw_benefit", args=[benefit.application_id, benefit.pk])


def text(response):
    return unescape(response.content.decode())


def picture(name="анықтама.jpg"):
    buffer = BytesIO()
    Image.new("RGB", (20, 20), "white").save(buffer, "JPEG")
    return SimpleUploadedFile(name, buffer.getvalue(), content_type="image/jpeg")


def send(client, scene, **data):
    return client.post(claim_url(scene), data)


class TestSection:
    def test_it_leads_to_the_claim(self, family, scene, category):
        assert claim_url(scene) in text(family.get(page(scene)))

    def test_without_categories_there_is_no_section(self, family, scene):
        assert claim_url(scene) not in text(family.get(page(scene)))

    @pytest.mark.parametrize(
        ("state", "shown"), [("claimed", True), ("verified", True), ("rejected", False), ("expired", False)]
    )
    def test_every_state_is_named_and_the_running_ones_can_be_withdrawn(
        self, family, scene, benefit, state, shown
    ):
        Benefit.objects.update(state=state, reason="Мөрі жоқ" if state == "rejected" else "")
        response = family.get(page(scene))
        assert BenefitState(state).label.lower() in text(response).lower()
        assert (withdraw_url(benefit) in text(response)) == shown
        assert ("Мөрі жоқ" in text(response)) == (state == "rejected")

    def test_the_last_day_is_shown_and_an_overdue_one_is_over_at_once(self, family, scene, benefit, clock):
        benefit = claims.verify_benefit(benefit, actor=StaffFactory(), now=scene.now)
        assert "26.07.2019" in text(family.get(page(scene)))
        clock.move_to(benefit.valid_until)
        family.force_login(scene.parent, backend="django.contrib.auth.backends.ModelBackend")
        family.get(page(scene))
        assert Application.objects.get().tier == Tier.GENERAL
        assert Benefit.objects.get().state == BenefitState.EXPIRED

    def test_an_enrolled_child_keeps_the_list_without_buttons(self, family, scene, benefit):
        Application.objects.update(state=ApplicationState.ENROLLED)
        shown = text(family.get(page(scene)))
        assert benefit.category.name_kk in shown
        assert withdraw_url(benefit) not in shown
        assert claim_url(scene) not in shown


class TestClaim:
    @pytest.mark.parametrize(("language", "proof"), [("", "proof_kk"), ("/ru", "proof_ru")])
    def test_the_form_shows_what_proof_is_asked_for(self, family, scene, category, language, proof):
        response = family.get(language + claim_url(scene))
        assert response.status_code == 200
        assert getattr(category, proof) in text(response)

    def test_asking_is_answered_and_changes_no_number(self, family, scene, category):
        response = send(family, scene, category=category.pk, document=picture())
        assert response.status_code == 302
        benefit = Benefit.objects.get()
        assert (benefit.state, benefit.claimed_by, benefit.category) == ("claimed", scene.parent, category)
        assert benefit.original_name == "анықтама.jpg"
        assert Application.objects.get().tier == Tier.GENERAL
        assert benefit.category.name_kk in text(family.get(response.url))

    def test_markup_in_a_categorys_name_stays_text(self, family, scene, category):
        BenefitCategory.objects.update(name_kk="<b>x</b>")
        assert "&lt;b&gt;x&lt;/b&gt;" in family.get(claim_url(scene)).content.decode()

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({}, "category"),
            ({"document": SimpleUploadedFile("a.jpg", b"not a picture")}, "category"),
            ({"category": "nonsense"}, "category"),
            ({"category": "999999"}, "category"),
            ({"category": "mine"}, "document"),
            ({"category": "mine", "document": "text"}, "document"),
            ({"category": "mine", "document": SimpleUploadedFile("a.jpg", b"not a picture")}, "document"),
            ({"category": "mine", "document": SimpleUploadedFile("a.pdf", b"")}, "document"),
        ],
    )
    def test_bad_input_is_answered_in_the_form(self, family, scene, category, data, field):
        if data.get("category") == "mine":
            data = data | {"category": category.pk}
        response = send(family, scene, **data)
        assert response.status_code == 200
        assert field in response.context["form"].errors
        assert not Benefit.objects.exists()

    def test_a_category_that_waits_is_not_offered_again(self, family, scene, benefit):
        other = BenefitCategoryFactory()
        response = send(family, scene, category=benefit.category.pk, document=picture())
        assert "category" in response.context["form"].errors
        assert list(response.context["form"].fields["category"].queryset) == [other]

    def test_when_everything_was_asked_for_the_page_says_so(self, family, scene, benefit):
        response = family.get(claim_url(scene))
        assert response.status_code == 200
        assert "form" not in response.context

    @pytest.mark.parametrize("state", [ApplicationState.ARCHIVED, ApplicationState.ENROLLED])
    def test_not_for_an_application_that_has_ended(self, family, scene, category, state):
        archived_at = scene.now if state == ApplicationState.ARCHIVED else None
        Application.objects.update(state=state, archived_at=archived_at)
        response = send(family, scene, category=category.pk, document=picture())
        assert "form" not in response.context
        assert not Benefit.objects.exists()

    def test_too_many_in_a_day_are_refused_in_words(self, family, scene, category, monkeypatch):
        monkeypatch.setattr(claims, "CLAIMS_PER_DAY", 0)
        response = send(family, scene, category=category.pk, document=picture())
        assert str(Refusal.TOO_MANY_CLAIMS.label) in text(response)


class TestWithdrawal:
    def test_asks_first_then_does(self, family, scene, benefit):
        assert family.get(withdraw_url(benefit)).status_code == 200
        assert Benefit.objects.get().state == BenefitState.CLAIMED
        response = family.post(withdraw_url(benefit))
        assert response.url == page(scene)
        assert Benefit.objects.get().state == BenefitState.WITHDRAWN

    def test_a_counted_one_warns_of_the_number(self, family, scene, benefit):
        assert not family.get(withdraw_url(benefit)).context["counts"]
        claims.verify_benefit(benefit, actor=StaffFactory(), now=scene.now)
        assert family.get(withdraw_url(benefit)).context["counts"]
        family.post(withdraw_url(benefit))
        assert Application.objects.get().tier == Tier.GENERAL

    def test_an_ended_one_leads_back(self, family, scene, benefit):
        Benefit.objects.update(state=BenefitState.REJECTED)
        for response in (family.get(withdraw_url(benefit)), family.post(withdraw_url(benefit))):
            assert response.url == page(scene)
        assert Benefit.objects.get().state == BenefitState.REJECTED


class TestStrangers:
    def test_find_nothing(self, clock, scene, benefit, client_of):
        stranger = client_of(UserFactory())
        for url in (claim_url(scene), withdraw_url(benefit)):
            assert stranger.get(url).status_code == 404
            assert stranger.post(url).status_code == 404
        assert Benefit.objects.get().state == BenefitState.CLAIMED

    def test_reach_no_benefit_through_their_own_application(self, clock, benefit, client_of):
        own = ApplicationFactory()
        url = reverse("applications:withdraw_benefit", args=[own.pk, benefit.pk])
        assert client_of(own.filed_by).post(url).status_code == 404
        assert Benefit.objects.get().state == BenefitState.CLAIMED

    def test_visitors_are_led_to_signing_in(self, client, scene, benefit):
        for url in (claim_url(scene), withdraw_url(benefit)):
            assert client.get(url).status_code == 302

    def test_a_former_guardian_is_a_stranger(self, family, scene, benefit):
        scene.application.child.guardianships.update(ended_at=scene.now - timedelta(days=1))
        assert family.get(claim_url(scene)).status_code == 404
