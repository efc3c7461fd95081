"""The inbox as its reader, a stranger, a visitor and an employee meet it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import Notice
from tests.factories import StaffFactory, UserFactory

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
INBOX = "/cabinet/notifications/"


def notice_for(user, *, minutes=0, **fields):
    values = {
        "recipient": user,
        "kind": "stop_lifted",
        "text_kk": f"Хабарлама {minutes}",
        "text_ru": f"Уведомление {minutes}",
        "link": "/cabinet/applications/",
        "dedupe_key": uuid4().hex,
        "created_at": NOW + timedelta(minutes=minutes),
    }
    return Notice.objects.create(**values | fields)


def page(client, address=INBOX):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_empty(parent_client):
    html = page(parent_client)
    assert 'class="empty"' in html
    assert "<table" not in html
    assert reverse("notifications:read_all") not in html


def test_newest_first_with_local_time_in_the_language_of_the_page(parent, parent_client):
    notice_for(parent, minutes=1)
    notice_for(parent, minutes=2)
    html = page(parent_client)
    assert html.index("Хабарлама 2") < html.index("Хабарлама 1")
    assert "22.11.2026" in html
    assert "14:02" in html
    html = page(parent_client, f"/ru{INBOX}")
    assert "Уведомление 2" in html
    assert "Хабарлама 2" not in html


def test_both_tabs_are_there(parent_client):
    html = page(parent_client)
    assert f'href="{INBOX}" aria-current="page"' in html
    assert f'href="{reverse("accounts:journal")}"' in html


def test_pages_of_twenty(parent, parent_client):
    for minutes in range(21):
        notice_for(parent, minutes=minutes)
    assert page(parent_client).count("<tr>") == 1 + 20
    second = page(parent_client, f"{INBOX}?page=2")
    assert second.count("<tr>") == 1 + 1
    assert "Хабарлама 0" in second
    for nonsense in ("0", "-1", "999", "abc", "", "1" * 400):
        assert parent_client.get(INBOX, {"page": nonsense}).status_code == 200


def test_texts_are_escaped(parent, parent_client):
    notice_for(parent, text_kk='<script>alert("1")</script>')
    assert "<script>alert" not in page(parent_client)


def test_opening_marks_read_once_and_leads_on(parent, parent_client):
    notice = notice_for(parent)
    address = reverse("notifications:open", args=[notice.pk])
    response = parent_client.post(address)
    assert (response.status_code, response.url) == (302, "/cabinet/applications/")
    notice.refresh_from_db()
    read_at = notice.read_at
    assert read_at
    parent_client.post(address)
    notice.refresh_from_db()
    assert notice.read_at == read_at


def test_opening_in_russian_leads_to_the_page_in_russian(parent, parent_client):
    notice = notice_for(parent)
    response = parent_client.post(f"/ru/cabinet/notifications/{notice.pk}/")
    assert response.url == "/ru/cabinet/applications/"


@pytest.mark.parametrize("link", ["", "/gone/for/good/"])
def test_a_notice_without_a_living_link_does_no_harm(parent, parent_client, link):
    notice = notice_for(parent, link=link)
    response = parent_client.post(reverse("notifications:open", args=[notice.pk]))
    assert response.url == (link or INBOX)


def test_following_the_address_changes_nothing(parent, parent_client):
    notice = notice_for(parent)
    response = parent_client.get(reverse("notifications:open", args=[notice.pk]))
    assert response.url == "/cabinet/applications/"
    notice.refresh_from_db()
    assert notice.read_at is None


def test_what_was_seen_is_read_and_was_marked_once(parent, parent_client):
    notice_for(parent, minutes=1, read_at=NOW)
    new = notice_for(parent, minutes=2)
    html = page(parent_client)
    assert html.count('class="tag tag--info"') == 1
    assert html.index("tag tag--info") < html.index("Хабарлама 2") < html.index("Хабарлама 1")
    # It is marked, not shouted.
    assert "strong" not in html.split("Хабарлама 2")[0].rsplit("<tr>", 1)[1]
    assert 'class="count"' not in html
    assert 'class="tag tag--info"' not in page(parent_client)
    new.refresh_from_db()
    seen_at = new.read_at
    assert seen_at
    page(parent_client)
    new.refresh_from_db()
    assert new.read_at == seen_at


def test_what_was_not_shown_stays_unread(parent, parent_client):
    for minutes in range(23):
        notice_for(parent, minutes=minutes)
    html = page(parent_client)
    assert Notice.objects.filter(read_at=None).count() == 3
    assert '<span class="count">3<' in html
    assert reverse("notifications:read_all") in html


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender"])
def test_a_page_fetched_beforehand_is_not_seen(parent, parent_client, purpose):
    notice_for(parent)
    assert parent_client.get(INBOX, headers={"Sec-Purpose": purpose}).status_code == 200
    assert Notice.objects.filter(read_at=None).count() == 1


def test_nobody_reads_for_somebody_else(parent, parent_client, client_of):
    notice_for(parent)
    page(client_of(UserFactory()))
    assert Notice.objects.filter(read_at=None).count() == 1


def test_mark_all_read(parent, parent_client):
    for minutes in range(3):
        notice_for(parent, minutes=minutes)
    others = notice_for(UserFactory())
    response = parent_client.post(reverse("notifications:read_all"), follow=True)
    assert "3" in str(next(iter(response.context["messages"])))
    assert not Notice.objects.filter(recipient=parent, read_at=None).exists()
    others.refresh_from_db()
    assert others.read_at is None
    assert list(parent_client.post(reverse("notifications:read_all"), follow=True).context["messages"]) == []


def test_mark_all_read_is_a_post(parent, parent_client):
    notice_for(parent)
    assert parent_client.get(reverse("notifications:read_all")).url == reverse("notifications:inbox")
    assert Notice.objects.filter(recipient=parent, read_at=None).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_404_and_changes_nothing(parent, client_of, method):
    notice = notice_for(parent)
    stranger = client_of(UserFactory())
    assert "Хабарлама 0" not in page(stranger)
    assert getattr(stranger, method)(reverse("notifications:open", args=[notice.pk])).status_code == 404
    assert getattr(stranger, method)(reverse("notifications:open", args=[uuid4()])).status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_a_visitor_is_sent_to_sign_in(parent):
    notice = notice_for(parent)
    for address in (INBOX, reverse("notifications:open", args=[notice.pk])):
        response = Client().get(address)
        assert response.status_code == 302
        assert response.url.startswith(reverse("accounts:login"))
    Client().post(reverse("notifications:read_all"))
    notice.refresh_from_db()
    assert notice.read_at is None


def test_a_forged_post_is_refused(parent):
    client = Client(enforce_csrf_checks=True)
    client.force_login(parent, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("notifications:read_all")).status_code == 403


def test_an_employee_has_an_inbox_too(client_of, db):
    assert client_of(StaffFactory()).get(INBOX).status_code == 200


def test_one_page_costs_the_same_few_queries_however_many_notices(
    parent, parent_client, django_assert_max_num_queries
):
    for minutes in range(20):
        notice_for(parent, minutes=minutes)
    # One of them asks what became of all these notices by other ways.
    with django_assert_max_num_queries(11):
        page(parent_client)
