"""Writing messages: together with their cause, once, in the right language, without waiting for a broker."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from django.db import transaction
from django.urls import reverse
from django.utils import translation

import notifications.broker
from accounts.models import User
from notifications.broker import DELIVERY_TASK, wake_on_commit
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice
from notifications.services import enqueue, enqueue_to_phone, send_again
from tests.factories import StaffFactory, UserFactory

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def tell(recipient, kind="application_filed", *, key="key", **more):
    context = sample_context(KINDS[kind])
    enqueue(recipient, kind, context=context, dedupe_key=key, now=NOW, **more)


def test_a_notice_in_both_languages_and_an_sms_in_the_recipients(db):
    parent = UserFactory(language="ru")
    tell(parent, pressed_by=parent)
    notice, message = Notice.objects.get(), Message.objects.get()
    assert (notice.recipient, notice.created_at, notice.read_at) == (parent, NOW, None)
    assert notice.text_kk.startswith("Сіздің өтінішіңіз қабылданды. Кезектегі нөміріңіз: 12\u00a0345.")
    assert notice.text_ru.startswith("Ваше заявление принято. Ваш номер в очереди: 12\u00a0345.")
    assert message.text == "Заявление №19-000417 (SMS: №0417) принято. Номер: 12\u00a0345. BALABAQSHA"
    assert (message.phone, message.recipient, message.state) == (parent.phone, parent, Message.State.QUEUED)
    assert (message.next_attempt_at, message.give_up_at) == (NOW, NOW + timedelta(hours=24))


def test_the_language_of_the_page_changes_nothing(parent):
    with translation.override("ru"):
        tell(parent)
    assert Notice.objects.get().text_kk.startswith("Сіздің")
    assert Message.objects.get().text.startswith("№19-000417 (SMS: №0417) өтініш қабылданды")


def test_the_same_cause_is_told_once_but_to_each_guardian(parent):
    other = UserFactory()
    for recipient in (parent, parent, other):
        tell(recipient)
    assert (
        Notice.objects.filter(recipient=parent).count() == Notice.objects.filter(recipient=other).count() == 1
    )
    assert Message.objects.count() == 2


def test_one_key_may_serve_several_kinds_and_causes(parent):
    tell(parent)
    tell(parent, "stop_lifted")
    tell(parent, key="another")
    assert Notice.objects.count() == Message.objects.count() == 3


def test_channels_are_kept_to(parent):
    tell(parent, "bid_withdrawn")
    assert not Message.objects.exists()
    tell(parent, "registration_code")
    assert Notice.objects.count() == 1
    assert Message.objects.get().give_up_at == NOW + timedelta(minutes=10)


def test_an_employee_without_a_phone_gets_the_notice_only(db):
    tell(StaffFactory())
    assert Notice.objects.exists()
    assert not Message.objects.exists()


def test_a_phone_without_an_account(db):
    for _ in range(2):
        enqueue_to_phone(
            "+77017779876",
            "registration_code",
            context={"code": "123456", "minutes": 10},
            language="kk",
            dedupe_key="code-1",
            now=NOW,
        )
    message = Message.objects.get()
    assert message.recipient is None
    assert message.text.startswith("Код: 123456.")


def test_a_missing_value_is_an_error_and_not_a_hole_in_a_text(parent):
    with pytest.raises(KeyError, match="number"):
        enqueue(parent, "stop_lifted", context={"application": None}, dedupe_key="k", now=NOW)


def test_nothing_is_said_if_its_cause_is_rolled_back(parent):
    with transaction.atomic():
        tell(parent)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_link_is_kept_without_its_language(parent, language):
    with translation.override(language):
        tell(parent, link=reverse("applications:list"))
    assert Notice.objects.get().link == "/cabinet/applications/"


def test_a_dead_broker_breaks_nothing_and_is_not_waited_for(
    parent, monkeypatch, django_capture_on_commit_callbacks
):
    dead = Celery(broker="redis://127.0.0.1:1/0")
    dead.config_from_object("django.conf:settings", namespace="CELERY")
    dead.conf.broker_url = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(notifications.broker, "current_app", dead)
    monkeypatch.setattr(notifications.broker, "_rests_until", 0.0)
    asked, send = [], dead.send_task

    def send_noted(name, **options):
        asked.append(name)
        return send(name, **options)

    monkeypatch.setattr(dead, "send_task", send_noted)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        for key in range(20):
            tell(parent, key=str(key))
        wake_on_commit(DELIVERY_TASK)
    assert len(callbacks) == 21
    assert Message.objects.count() == 20
    wait_for_wake_ups()
    # It was asked by this thread, perhaps by the one beside it at the same time, and is left alone for a while.
    assert 1 <= len(asked) <= 2
    assert notifications.broker._rests_until > time.monotonic()


def test_a_burst_wakes_the_sender_once(parent, monkeypatch, django_capture_on_commit_callbacks):
    wait_for_wake_ups()
    letters = Celery(broker="memory://", set_as_current=False)
    monkeypatch.setattr(notifications.broker, "current_app", letters)
    monkeypatch.setattr(notifications.broker, "_rests_until", 0.0)
    with letters.connection_or_acquire() as connection:
        queue = connection.SimpleQueue(letters.conf.task_default_queue)
        with django_capture_on_commit_callbacks(execute=True):
            for key in range(50):
                tell(parent, key=str(key))
        wait_for_wake_ups()
        assert queue.get_nowait().headers["task"] == DELIVERY_TASK
        assert queue.qsize() == 0
        with django_capture_on_commit_callbacks(execute=True):
            tell(parent, key="later")
        wait_for_wake_ups()
        assert queue.qsize() == 1


def test_where_no_thread_can_be_begun_what_is_accepted_stays_and_the_next_call_tries_again(
    parent, monkeypatch, django_capture_on_commit_callbacks
):
    wait_for_wake_ups()
    begun, start = [], threading.Timer.start

    def refuse_once(timer):
        begun.append(timer)
        if len(begun) == 1:
            raise RuntimeError("can't start new thread")
        start(timer)

    monkeypatch.setattr(threading.Timer, "start", refuse_once)
    notifications.broker.wake_soon(DELIVERY_TASK)
    with django_capture_on_commit_callbacks(execute=True):
        tell(parent, key="accepted")
    assert len(begun) == 2
    wait_for_wake_ups()


def test_nobody_is_woken_for_what_was_rolled_back(parent, django_capture_on_commit_callbacks):
    wait_for_wake_ups()
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        tell(parent)
        transaction.set_rollback(True)
    assert callbacks == []


def wait_for_wake_ups():
    """Until no wake-up call of this process is under way."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()


def message_in(state, *, parent, kind="application_filed", **fields):
    tell(parent, kind)
    message = Message.objects.get()
    Message.objects.update(state=state, attempts=6, error="smsc: 3", **fields)
    return message


@pytest.mark.parametrize("state", [Message.State.FAILED, Message.State.SENT])
def test_send_again_starts_anew(parent, state):
    message = message_in(state, parent=parent)
    later = NOW + timedelta(days=2)
    assert send_again(message, now=later)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == (Message.State.QUEUED, 0, "")
    # Nobody has pressed for it now: it keeps hours, and is worth sending until an evening.
    evening = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    assert (message.next_attempt_at, message.give_up_at) == (later, evening)
    assert not send_again(message, now=later)


@pytest.mark.parametrize("state", [Message.State.QUEUED, Message.State.SENDING])
def test_what_is_under_way_is_not_sent_again(parent, state):
    assert not send_again(message_in(state, parent=parent), now=NOW)


def test_nothing_is_sent_again_to_a_number_that_its_recipient_has_left(parent):
    message = message_in(Message.State.FAILED, parent=parent)
    for number in ("+77010009988", None):
        User.objects.filter(pk=parent.pk).update(phone=number)
        assert not send_again(message, now=NOW)
    User.objects.filter(pk=parent.pk).update(phone=parent.phone)
    assert send_again(message, now=NOW)


def test_a_secret_is_not_sent_again_even_if_its_text_is_still_there(parent):
    assert not send_again(message_in(Message.State.FAILED, parent=parent, kind="reset_code"), now=NOW)
