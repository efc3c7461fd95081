"""Who has not agreed to the data policy in force reads, and sends no bid, whichever way the press takes."""

import pytest
from django.urls import reverse

from accounts.models import PolicyConsent
from applications.models import Bid


@pytest.mark.parametrize("agrees", [False, True])
def test_a_press_of_who_has_not_agreed_sends_no_bid(agrees, client_of, scene, settings, clock):
    version = settings.DATA_POLICY_VERSION if agrees else "2019-06-26"
    PolicyConsent.objects.create(user=scene.parent, version=version, given_at=scene.now)
    client = client_of(scene.parent)
    client.post(reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]))
    assert Bid.objects.exists() is agrees
