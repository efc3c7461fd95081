"""A form of the workplace that was sent after the session had ended: nothing typed is lost, and nothing kept."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import Session
from applications.models import Bid
from applications.states import BidState
from balabaqsha.staff_signed_out import typed_in
from tests.factories import BidFactory
from tests.staff import inside, worker_of

REASON = "Топ жөндеуге жабылды: <b>басқа</b> балабақшаны қараңыз"


def test_only_what_one_writes_is_shown_and_no_secret():
    sent = QueryDict(mutable=True)
    sent.setlist("reason", [REASON, REASON])
    sent.update(
        {
            "csrfmiddlewaretoken": "a b",
            "old_password": "my secret words",
            "otp_token": "123 456",
            "_seen": "one two",
            "came_on": "2026-01-01",
            "next": "1",
            "words": "екі сөз",
        }
    )
    assert typed_in(sent) == [REASON, "екі сөз"]
    for number in range(30):
        sent[f"text{number}"] = f"сөз {number}"
    assert len(typed_in(sent)) == 20


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["signed out", "idle"])
def test_it_says_that_nothing_was_done_and_leads_back_to_the_form(clock, settings, how):
    bid = BidFactory(holds_seat=True)
    worker = worker_of(bid.vacancy.group.kindergarten)
    desk, address = inside(worker), "/ru" + reverse("admin:applications_bid_work", args=[bid.pk, "reject"])
    assert desk.get(address).status_code == 200
    if how == "idle":
        clock.shift(timedelta(minutes=settings.STAFF_IDLE_MINUTES))
    else:
        desk.logout()
    answer = desk.post(address, {"reason": REASON, "next": "1"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "no-store" in answer["Cache-Control"]
    assert "Ничего не сделано" in page
    # For the browser that sent it, as text.
    assert REASON not in page
    assert "&lt;b&gt;басқа" in page
    assert parse_qs(urlsplit(answer.context["sign_in"]).query)["next"] == [address]
    assert Bid.objects.get().state == BidState.PENDING
    # Nobody else finds it: no session holds it, and the form opens empty.
    assert "жөндеуге" not in str([one.get_decoded() for one in Session.objects.all()])
    assert "жөндеуге" not in inside(worker).get(address).content.decode()


@pytest.mark.django_db
def test_who_signs_in_or_out_is_not_asked_for_a_session(client):
    assert client.post(reverse("admin:login"), {"username": "x y"}).status_code == 200
    assert client.post(reverse("admin:logout")).status_code == 302


@pytest.mark.django_db
def test_what_another_site_sends_shows_nothing():
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("admin:index"), {"reason": REASON})
    assert answer.status_code == 403
    assert "жөндеуге" not in answer.content.decode()
