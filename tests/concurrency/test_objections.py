"""Two officials answer one objection at the same moment: real threads, and a control without the lock."""

from functools import partial

import pytest

from accounts.models import Objection
from applications import objections
from applications.objections import MOST_OPEN, answer_objection, send_objection
from applications.refusals import Refusal
from notifications.models import Message
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import ObjectionFactory, StaffFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 6
Answer = Objection.Answer


def both_answers(objection):
    acts = [
        partial(
            answer_objection,
            objection,
            answer=answer,
            reason="Тексерілді",
            actor=StaffFactory.create(),
            now=NOW,
        )
        for answer in (Answer.MENDED, Answer.STANDS)
    ]
    return [one if isinstance(one, Refusal) else one.answer for one in together(*acts)]


def test_control_without_the_lock_both_answer(db, monkeypatch):
    monkeypatch.setattr(
        objections, "_lock", lambda one: Objection.objects.select_related("user__profile").get(pk=one.pk)
    )
    monkeypatch.setattr(objections, "enqueue", lambda *args, **kwargs: None)
    twice = 0
    for _ in range(ROUNDS):
        twice += both_answers(ObjectionFactory.create(sent_at=NOW)) == [Answer.MENDED, Answer.STANDS]
    assert twice


def test_of_two_answers_one_counts(db):
    for _ in range(ROUNDS):
        objection = ObjectionFactory.create(sent_at=NOW)
        answers = both_answers(objection)
        assert answers.count(Refusal.ALREADY_DECIDED) == 1
        objection.refresh_from_db()
        assert objection.answer in answers
        assert Message.objects.filter(recipient=objection.user, kind="objection_answered").count() == 1


def test_many_sent_at_once_are_no_more_than_may_wait(db):
    mother = UserFactory.create()
    acts = [
        partial(
            send_objection,
            mother,
            about="other",
            child=None,
            wrong=f"Қате {number}",
            right="x",
            address=None,
            now=NOW,
        )
        for number in range(MOST_OPEN + 2)
    ]
    assert together(*acts).count(Refusal.TOO_MANY_OBJECTIONS) == 2
    assert Objection.objects.count() == MOST_OPEN
