"""Officials and the family press at once: one decision holds, and the queue agrees with it."""

from threading import Barrier

import pytest
from django.core.files.base import ContentFile

from applications.access import settling
from applications.benefits import claims
from applications.models import Application, Benefit, Event
from applications.refusals import Refusal
from applications.states import BenefitState, Move, Tier
from applications.waiting import filing
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import BenefitCategoryFactory, BenefitFactory, StaffFactory
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def benefit(scene):
    return BenefitFactory(application=scene.application, claimed_at=NOW)


def verify(benefit):
    official = StaffFactory()
    return lambda: claims.verify_benefit(benefit, actor=official, now=NOW)


def moves():
    return list(Event.objects.order_by("id").values_list("move", flat=True))


def test_control_without_the_lock_one_claim_is_verified_twice(benefit, monkeypatch):
    """With the lock off the race is real: both officials have read "claimed" before either writes."""
    gate = Barrier(2)
    monkeypatch.setattr(
        claims,
        "lock_application",
        lambda pk: Application.objects.select_related("locality").get(pk=pk),
    )
    monkeypatch.setattr(claims, "refuse_own_child", lambda child, actor: gate.wait(timeout=PATIENCE))
    together(verify(benefit), verify(benefit))
    assert moves() == [Move.VERIFY_BENEFIT, Move.VERIFY_BENEFIT]


def test_two_officials_verify_at_once(benefit):
    results = together(*[verify(benefit) for _number in range(6)])
    assert results.count(Refusal.BENEFIT_ENDED) == 5
    assert moves() == [Move.VERIFY_BENEFIT]
    assert Application.objects.get().tier == Tier.PRIORITY


def test_verification_against_withdrawal(scene, benefit):
    results = together(
        verify(benefit),
        lambda: claims.withdraw_benefit(benefit, actor=scene.parent, now=NOW),
    )
    # In either order the family's wish holds: a verified benefit can be withdrawn too.
    assert Benefit.objects.get().state == BenefitState.WITHDRAWN
    assert Application.objects.get().tier == Tier.GENERAL
    if Refusal.BENEFIT_ENDED in results:
        assert moves() == []
    else:
        assert moves() == [Move.VERIFY_BENEFIT, Move.END_BENEFIT]


def test_verification_against_rejection(scene, benefit):
    official = StaffFactory()
    together(
        verify(benefit),
        lambda: claims.reject_benefit(benefit, actor=official, reason="x", now=NOW),
    )
    assert Benefit.objects.get().state == BenefitState.REJECTED
    assert Application.objects.get().tier == Tier.GENERAL


def test_two_benefits_of_one_child_verified_at_once(scene, benefit):
    best = BenefitFactory(
        application=scene.application,
        category=BenefitCategoryFactory(tier=Tier.EXTRAORDINARY),
        claimed_at=NOW,
    )
    together(verify(benefit), verify(best))
    assert moves() == [Move.VERIFY_BENEFIT, Move.VERIFY_BENEFIT]
    assert Application.objects.get().tier == Tier.EXTRAORDINARY


def test_verification_against_the_archive(scene, benefit):
    together(
        verify(benefit),
        lambda: filing.archive(scene.application, actor=scene.parent, now=NOW),
    )
    verified = Benefit.objects.get().state == BenefitState.VERIFIED
    assert Application.objects.get().tier == (Tier.PRIORITY if verified else Tier.GENERAL)
    assert moves() == ([Move.VERIFY_BENEFIT, Move.ARCHIVE] if verified else [Move.ARCHIVE])


def test_a_double_click_is_one_claim(scene):
    category = BenefitCategoryFactory()

    def claim():
        return claims.claim_benefit(
            scene.application,
            category,
            document=ContentFile(b"%PDF-1.4", name="a.pdf"),
            original_name="a.pdf",
            actor=scene.parent,
            now=NOW,
        )

    results = together(*[claim] * 4)
    assert results.count(Refusal.BENEFIT_WAITS) == 3
    assert Benefit.objects.count() == 1


def test_expiry_and_the_familys_look_end_it_once(scene):
    category = BenefitCategoryFactory(valid_days=30)
    benefit = claims.verify_benefit(
        BenefitFactory(application=scene.application, category=category, claimed_at=NOW),
        actor=StaffFactory(),
        now=NOW,
    )
    end = benefit.valid_until
    assert end is not None
    together(
        *[lambda: claims.expire_benefit(benefit, now=end)] * 3,
        *[lambda: settling.settle(benefit.application, now=end)] * 3,
    )
    assert moves() == [Move.VERIFY_BENEFIT, Move.END_BENEFIT]
    assert Application.objects.get().tier == Tier.GENERAL
