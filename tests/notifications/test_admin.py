"""What employees see and may do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.journal_actions import Action
from accounts.models import AuditEntry
from notifications.clock import read_clock
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice
from notifications.services import enqueue
from tests.factories import StaffFactory, UserFactory
from tests.notifications.test_services import NOW

LIST = "admin:notifications_message_changelist"


@pytest.fixture
def admin_page(settings, client_of, db):
    settings.STAFF_SECOND_FACTOR = False
    return client_of(StaffFactory(is_superuser=True))


@pytest.fixture
def parent(db):
    return UserFactory(phone="+77071234567")


@pytest.fixture
def message(parent):
    enqueue(parent, "stop_lifted", context=sample_context(KINDS["stop_lifted"]), dedupe_key="k", now=NOW)
    return Message.objects.get()


@pytest.fixture
def secret(parent):
    enqueue(parent, "reset_code", context=sample_context(KINDS["reset_code"]), dedupe_key="k", now=NOW)
    return Message.objects.get()


def test_list_masks_phones_and_finds_a_whole_number(admin_page, message):
    html = admin_page.get(reverse(LIST)).content.decode()
    assert "+7 707 ••• 45 67" in html
    assert "0712345" not in html.replace(" ", "")
    assert admin_page.get(reverse(LIST), {"q": "+77071234567"}).context["cl"].result_count == 1
    assert admin_page.get(reverse(LIST), {"q": "+7707123"}).context["cl"].result_count == 0


def test_list_is_filtered_by_state(admin_page, message):
    counts = {
        state: admin_page.get(reverse(LIST), {"state__exact": state}).context["cl"].result_count
        for state in ("queued", "failed")
    }
    assert counts == {"queued": 1, "failed": 0}


def test_the_text_of_a_secret_is_never_shown(admin_page, secret):
    html = admin_page.get(reverse("admin:notifications_message_change", args=[secret.pk])).content.decode()
    assert "483920" not in html
    assert "483920" not in admin_page.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(
    ("days", "why"), [(1, "мәтіні жаңа жіберілімде"), (31, "мәтіндер 30 күн сақталады")], ids=["again", "old"]
)
def test_a_row_without_its_text_says_why(admin_page, message, days, why):
    """A former sending that was paid for stays as a row, and texts are not kept for ever."""
    Message.objects.update(text="", state="sent", created_at=read_clock() - timedelta(days=days))
    html = admin_page.get(reverse("admin:notifications_message_change", args=[message.pk])).content.decode()
    assert why in html


def test_a_row_is_only_viewed(admin_page, message):
    address = reverse("admin:notifications_message_change", args=[message.pk])
    html = admin_page.get(address).content.decode()
    assert message.text in html
    assert 'name="_save"' not in html
    assert admin_page.post(address, {"state": "sent"}).status_code == 403
    assert admin_page.get(reverse("admin:notifications_message_add")).status_code == 403
    assert (
        admin_page.post(reverse("admin:notifications_message_delete", args=[message.pk])).status_code == 403
    )


def send_again(client, *messages, confirmed=True, reason="The family called"):
    data = {"action": "send_again", "_selected_action": [str(message.pk) for message in messages]}
    if confirmed:
        data |= {"confirmed": "yes", "reason": reason}
    return client.post(reverse(LIST), data, follow=True)


def test_send_again_puts_a_failed_message_back(admin_page, message):
    Message.objects.update(state=Message.State.FAILED, attempts=9)
    asked = send_again(admin_page, message, confirmed=False)
    assert asked.context["chosen"] == [message]
    assert Message.objects.get(pk=message.pk).state == Message.State.FAILED
    send_again(admin_page, message)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (Message.State.QUEUED, 0)


def test_send_again_keeps_its_reason_where_the_recipient_reads_it(admin_page, message, parent):
    Message.objects.update(state=Message.State.UNDELIVERED)
    send_again(admin_page, message)
    entry = AuditEntry.objects.get(action=Action.MESSAGE_SENT_AGAIN)
    assert (entry.subject, entry.reason) == (parent, "The family called")
    assert entry.about == f"notifications.message:{message.pk}"


def test_send_again_without_a_reason_sends_nothing(admin_page, message):
    Message.objects.update(state=Message.State.FAILED)
    for reason in ("", "  ", "a"):
        response = send_again(admin_page, message, reason=reason)
        assert response.context["form"].errors
        assert response.context["chosen"] == [message]
    assert Message.objects.get().state == Message.State.FAILED


def test_send_again_at_night_says_when_it_goes(admin_page, message, monkeypatch):
    midnight = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
    monkeypatch.setattr("notifications.admin.read_clock", lambda: midnight)
    Message.objects.update(state=Message.State.FAILED, kind="bid_rejected")
    response = send_again(admin_page, message)
    assert "23.11.2026 09:00" in str(next(iter(response.context["messages"])))
    assert Message.objects.get(pk=message.pk).next_attempt_at == midnight + timedelta(hours=9)


def test_send_again_leaves_secrets_alone_and_says_so(admin_page, secret):
    Message.objects.update(state=Message.State.FAILED)
    response = send_again(admin_page, secret)
    assert len(list(response.context["messages"])) == 1
    secret.refresh_from_db()
    assert secret.state == Message.State.FAILED


def test_who_may_only_view_has_no_button(settings, client_of, message):
    settings.STAFF_SECOND_FACTOR = False
    Message.objects.update(state=Message.State.FAILED)
    viewer = StaffFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_message"))
    client = client_of(viewer)
    assert client.get(reverse(LIST)).status_code == 200
    send_again(client, message)
    message.refresh_from_db()
    assert message.state == Message.State.FAILED


def test_notices_are_read_only(admin_page, message):
    notice = Notice.objects.get()
    address = reverse("admin:notifications_notice_change", args=[notice.pk])
    assert notice.text_ru in admin_page.get(address).content.decode()
    assert admin_page.post(address, {"text_ru": "x"}).status_code == 403
    assert admin_page.get(reverse("admin:notifications_notice_changelist")).status_code == 200
