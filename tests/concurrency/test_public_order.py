"""A page of the public order is one snapshot, although it is read in several statements."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from datetime import timedelta

import pytest
from django.db import connection

from applications.models import Application
from applications.queue import public_order
from applications.queue.public_order import Start, order_page
from applications.states import ApplicationState
from tests.factories import ApplicationFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def waiting(scene):
    return [
        scene.application,
        *(
            ApplicationFactory(
                locality=scene.locality, filed_at=scene.application.filed_at + timedelta(days=n)
            )
            for n in range(1, 6)
        ),
    ]


@pytest.fixture
def page(waiting, monkeypatch, scene):
    """The page of those who wait, of whom the first leaves while it is read: after the sums, before the rows."""
    sums = public_order._months

    def leave():
        with closing(connection):
            Application.objects.filter(pk=waiting[0].pk).update(state=ApplicationState.ENROLLED)

    def and_one_leaves(**queue):
        found = sums(**queue)
        with ThreadPoolExecutor(1) as other:
            other.submit(leave).result()
        return found

    monkeypatch.setattr(public_order, "_months", and_one_leaves)

    def read():
        return order_page(
            locality=scene.locality, birth_year=2017, general_per_priority=3, start=Start.NUMBER, value=1
        )

    return read


def test_control_without_the_snapshot_the_page_contradicts_itself(page, monkeypatch):
    monkeypatch.setattr(public_order, "_one_snapshot", nullcontext)
    told = page()
    assert (told.total, len(told.rows)) == (6, 5)


def test_all_numbers_of_a_page_are_those_of_one_moment(page, waiting):
    told = page()
    assert told.total == 6
    assert [(row.number, row.application_number) for row in told.rows] == list(
        enumerate([one.number for one in waiting], start=1)
    )
