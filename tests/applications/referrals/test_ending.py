"""The end of a referral: what a kindergarten may not take back, and days that stood still."""

from datetime import timedelta

import pytest

from applications.models import Referral
from applications.moves import Refused
from applications.referrals import standstill
from applications.referrals.ending import revoke_referral
from applications.referrals.issuing import activate_bid
from applications.refusals import Refusal
from applications.states import ReferralState
from bulletin.models import Holiday
from tests.applications.bidding.reference import place_bid

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def referral(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.application.filed_by, now=scene.now)
    return activate_bid(bid, actor=scene.staff, now=scene.now)


def refusal(referral, *, actor, reason="Топ жабылды", now):
    with pytest.raises(Refused) as caught:
        revoke_referral(referral, actor=actor, reason=reason, now=now)
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.ISSUED
    return caught.value.reason


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_revoked_without_a_reason(scene, referral, reason):
    assert refusal(referral, actor=scene.staff, reason=reason, now=scene.now) == Refusal.REASON_MISSING


def test_what_has_ended_is_not_revoked(scene, referral):
    assert refusal(referral, actor=scene.staff, now=referral.valid_until) == Refusal.REFERRAL_ENDED
    revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=referral.valid_until - MICROSECOND)
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.REVOKED


@pytest.mark.parametrize("held_days", [1, 30])
def test_without_a_calendar_the_days_that_stood_still_are_given_back_as_they_are(scene, referral, held_days):
    """Three days were left, one at least; they count from the day of the decision."""
    referral.held_since = referral.valid_until - timedelta(days=held_days, hours=1)
    Holiday.objects.all().delete()
    decided = scene.now + timedelta(days=100)
    day = standstill._day_after_standstill(referral, now=decided)
    zone = scene.locality.zone
    left = standstill.last_day_of(referral) - referral.held_since.astimezone(zone).date()
    assert day == decided.astimezone(zone).date() + max(timedelta(days=1), left)
    assert left.days == held_days
