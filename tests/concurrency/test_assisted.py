"""Two employees decide about one move of a number in the same moment."""

from datetime import UTC, datetime
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection

from accounts.models import AssistedMove, NumberMove, User
from accounts.numbers import assisted
from accounts.numbers.moves import NotMoved
from accounts.roles import Role
from notifications.models import Message
from tests.factories import UserFactory
from tests.staff import employee

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
NEW = "+77023334455"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def at_once(*acts):
    """What each of the acts ended with, begun in the same moment, each on a connection of its own."""
    barrier, ended = Barrier(len(acts)), {}

    def run(number, act):
        barrier.wait()
        try:
            act()
            ended[number] = "done"
        except NotMoved as refused:
            ended[number] = str(refused.fault)
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended.values())


@pytest.mark.parametrize("other", [assisted.approve, partial(assisted.withdraw, reason="x")])
def test_one_decision_counts(other):
    owner = UserFactory()
    first, second, third = (employee(Role.CONTACT_CENTRE) for _ in range(3))
    for _ in range(3):
        NumberMove.objects.all().delete()
        Message.objects.all().delete()
        User.objects.filter(pk=owner.pk).update(phone="+77010000001", username="+77010000001")
        owner.refresh_from_db()
        one = assisted.open_move(
            owner,
            new_phone=NEW,
            document=AssistedMove.Document.CARD,
            why="x",
            actor=first,
            address=None,
            now=NOW,
        )
        ended = at_once(
            lambda one=one: assisted.approve(one, actor=second, address=None, now=NOW),
            lambda one=one: other(one, actor=third, address=None, now=NOW),
        )
        assert ended == ["done", "over"]
        move = NumberMove.objects.get()
        assert (move.done_at is None) != (move.stopped_at is None)
        owner.refresh_from_db()
        assert (owner.phone == NEW) == (move.done_at is not None)
        assert Message.objects.filter(kind__in=["number_moved", "number_stays"]).count() == 1
