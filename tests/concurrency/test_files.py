"""Two presses, or two workers, at the same moment: one file."""

from threading import Barrier

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError

from accounts import making as making_of_all
from applications.files import making
from applications.models import MadeFile
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.staff import official_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def official(scene):
    return official_of(scene.locality)


def ask(official):
    places = list(official.employments.values_list("locality", flat=True))
    return making.ask(official, what="report:queue", query="by=year", title="x", places=places, now=NOW)


def test_control_without_the_lock_the_second_press_ends_in_an_error(official, monkeypatch):
    """Both have looked before either asks; the database refuses the second file."""
    both, newest = Barrier(2), making._newest

    def looked(same):
        found = newest(same)
        both.wait()
        return found

    monkeypatch.setattr(making, "_lock", lambda _user: None)
    monkeypatch.setattr(making, "_newest", looked)
    with pytest.raises(IntegrityError):
        together(*[lambda: ask(official)] * 2)
    assert MadeFile.objects.count() == 1


def test_two_presses_at_once_get_the_same_file(official):
    assert len({file.pk for file in together(*[lambda: ask(official)] * 4)}) == 1
    assert MadeFile.objects.count() == 1


def test_two_workers_make_it_once(official, monkeypatch):
    """Each has read it while it waited; one makes it, and leaves one file."""
    asked, both = ask(official), Barrier(2)

    def make():
        file = MadeFile.objects.select_related("user").get(pk=asked.pk)
        both.wait()
        return making.make(file)

    assert sorted(together(make, make)) == [False, True]
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == (making_of_all.State.READY, 1)
    assert default_storage.exists(asked.file.name)
