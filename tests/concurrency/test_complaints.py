"""Two officials answer one complaint; "not solved" meets closing: real threads, and a control without the lock."""

from functools import partial

import pytest

from applications.complaints import turns
from applications.complaints.turns import (
    MOST_OPEN,
    answer_complaint,
    close_complaint,
    say_not_solved,
    send_complaint,
)
from applications.complaints.whose import Sender
from applications.models import Complaint
from applications.refusals import Refusal
from notifications.models import Message
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import ComplaintFactory, LocalityFactory, UserFactory
from tests.staff import official_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 6


def complaint():
    return ComplaintFactory(sent_at=NOW)


def both_answer(own):
    officials = [official_of(own.locality) for _ in range(2)]
    return together(
        *[
            partial(answer_complaint, own, text=f"Жауап {n}", actor=one, now=NOW)
            for n, one in enumerate(officials)
        ]
    )


def close_and_disagree(own):
    own = answer_complaint(own, text="Жауап", actor=official_of(own.locality), now=NOW)
    said = {"actor": own.user, "address": None, "now": NOW}
    return together(
        partial(close_complaint, own, **said), partial(say_not_solved, own, text="Шешілмеді", **said)
    )


def without_lock(own):
    return Complaint.objects.select_related("user", "locality", "application", "first").get(pk=own.pk)


@pytest.fixture
def unlocked(monkeypatch):
    monkeypatch.setattr(turns, "_lock", without_lock)
    monkeypatch.setattr(turns, "tell", lambda *args, **kwargs: None)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("both", [both_answer, close_and_disagree], ids=["answers", "ends"])
def test_control_without_the_lock_both_are_done(db, both):
    refused = [any(isinstance(one, Refusal) for one in both(complaint())) for _ in range(ROUNDS)]
    assert not all(refused)


def test_of_two_answers_one_counts(db):
    for _ in range(ROUNDS):
        own = complaint()
        assert both_answer(own).count(Refusal.ALREADY_DECIDED) == 1
        assert Message.objects.filter(recipient=own.user, kind="complaint_answered").count() == 1


def test_it_is_closed_or_carried_on_and_never_both(db):
    for _ in range(ROUNDS):
        own = complaint()
        assert close_and_disagree(own).count(Refusal.COMPLAINT_OVER) == 1
        own = Complaint.objects.get(pk=own.pk)
        assert (own.closed_at is None) == hasattr(own, "second")


@pytest.mark.parametrize("is_visitor", [False, True], ids=["family", "visitor"])
def test_many_sent_at_once_are_no_more_than_may_wait(db, is_visitor):
    sender = Sender(phone="+77017779876") if is_visitor else Sender(user=UserFactory())
    send = partial(
        send_complaint,
        sender,
        about="other",
        locality=LocalityFactory(),
        language="kk",
        address=None,
        now=NOW,
    )
    done = together(*[partial(send, text=f"Шағым {number}") for number in range(MOST_OPEN + 2)])
    assert done.count(Refusal.TOO_MANY_COMPLAINTS) == 2
    assert Complaint.objects.count() == MOST_OPEN
