"""What a page repeats, or makes rows of, is bounded, whatever was sent."""

import pytest
from django.contrib.admin import site
from django.test import RequestFactory
from django.utils import timezone

from accounts.inlines import MOST_ROWS, BoundedInline
from accounts.roles import Role
from balabaqsha.wellformed import MOST_IN_PATH, MOST_IN_QUERY
from bulletin.models import Review
from tests.factories import KindergartenFactory
from tests.staff import employee, inside
from tests.wire import send

pytestmark = pytest.mark.django_db

LONG = "ш" * 300


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_an_address_that_is_too_long_is_refused_and_not_repeated(prefix):
    start = prefix.encode()
    whole = len(send(start + b"/bulletin/").body)
    for path, query in ((b"/bulletin/", b"search=" + b"x" * 60_000), (b"/" + b"x" * 9000 + b"/", b"")):
        refused = send(start + path, query=query)
        assert refused.status == 400
        assert len(refused.body) < whole + 10 * MOST_IN_PATH
        assert f'<html lang="{prefix[1:] or "kk"}"'.encode() in refused.body


def test_one_byte_less_is_served():
    assert send(b"/bulletin/", query=b"x" * MOST_IN_QUERY).status == 200
    assert send(b"/bulletin/", query=b"x" * (MOST_IN_QUERY + 1)).status == 400
    assert send(b"/" + b"x" * (MOST_IN_PATH - 1)).status == 404
    assert send(b"/" + b"x" * MOST_IN_PATH).status == 400


def test_every_inline_of_the_workplace_is_bounded(rf: RequestFactory):
    request = rf.get("/admin/")
    request.user = employee(Role.OFFICIAL)
    found = [
        inline
        for model_admin in site._registry.values()
        if model_admin.__module__.startswith(("accounts", "applications", "bulletin", "children"))
        for inline in model_admin.get_inline_instances(request)
    ]
    assert found
    for inline in found:
        assert isinstance(inline, BoundedInline), inline
        assert inline.get_formset(request).absolute_max == MOST_ROWS


def test_a_form_that_claims_a_thousand_rows():
    kindergarten = KindergartenFactory.create()
    sent = {"groups-TOTAL_FORMS": "1000", "groups-INITIAL_FORMS": "0"}
    answer = inside(employee(Role.OFFICIAL)).post(
        f"/admin/bulletin/kindergarten/{kindergarten.pk}/change/", sent
    )
    assert answer.status_code == 200
    [formset] = answer.context["inline_admin_formsets"]
    assert len(formset.formset.forms) == MOST_ROWS


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_home_page_shows_the_beginning_of_a_long_review_and_leads_to_the_rest(client, prefix):
    Review.objects.create(text=LONG, state=Review.State.PUBLISHED, created_at=timezone.now())
    page = client.get(prefix + "/").content.decode()
    assert "ш" * 280 not in page
    assert "ш" * 200 in page
    assert page.count(f'href="{prefix}/feedback/"') >= 2
    assert LONG in client.get(prefix + "/feedback/").content.decode()
