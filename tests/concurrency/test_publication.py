"""The last places of a group, published by two at once: they are promised once."""

from threading import Barrier, BrokenBarrierError, Event

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.roles import Role
from applications.bidding import publication
from applications.decisions import places
from applications.models import GroupProposal
from applications.moves import Refused, locking
from applications.places.occupancy import over_promised
from applications.refusals import Refusal
from bulletin.models import Group, Vacancy
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import VacancyFactory
from tests.patience import PATIENCE, until
from tests.staff import employee

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def drafts(scene):
    """Two drafts of fifteen places, in a group of twenty-five of which two are in the bulletin."""
    return [
        VacancyFactory(
            group=scene.group,
            seats_total=15,
            state=Vacancy.State.DRAFT,
            opens_at=NOW.replace(hour=20),
            published_at=None,
        )
        for _number in range(2)
    ]


def publish(scene, draft):
    def call():
        try:
            return publication.publish_vacancy(draft, actor=scene.staff, now=NOW).state
        except ValidationError as error:
            return set(error.message_dict)

    return call


def test_control_without_the_lock_they_are_promised_twice(scene, drafts, monkeypatch):
    """Both have counted before either has published."""
    both_have_counted = Barrier(2)
    check = publication.why_not_publish

    def slowly(*args, **kwargs):
        found = check(*args, **kwargs)
        both_have_counted.wait()
        return found

    monkeypatch.setattr(publication, "why_not_publish", slowly)
    monkeypatch.setattr(
        publication,
        "lock_places",
        lambda pk, *, now: Group.objects.select_related("kindergarten__locality").get(pk=pk),
    )
    assert together(*(publish(scene, draft) for draft in drafts)) == ["published", "published"]
    (found,) = over_promised(now=NOW)
    assert found.excess == 7


def test_two_publications_of_the_last_places(scene, drafts, monkeypatch):
    """The one that has counted waits for the other one, which can't count before it has ended."""
    check, in_time = publication.why_not_publish, Barrier(2)

    def slowly(*args, **kwargs):
        found = check(*args, **kwargs)
        try:
            in_time.wait(timeout=0.5)
        except BrokenBarrierError:
            in_time.reset()
        return found

    monkeypatch.setattr(publication, "why_not_publish", slowly)
    results = together(*(publish(scene, draft) for draft in drafts))
    assert sorted(map(str, results)) == ["published", "{'seats_total'}"]
    assert over_promised(now=NOW) == []


def test_a_publication_against_a_smaller_capacity(scene, drafts):
    official = employee(Role.OFFICIAL)
    proposal = GroupProposal(
        group=scene.group,
        kindergarten=scene.group.kindergarten,
        capacity=10,
        **{name: getattr(scene.group, name) for name in ("name", "age_group", "language", "regime")},
    )

    def shrink():
        try:
            return places.propose_group(proposal, actor=official, now=NOW).state
        except ValidationError as error:
            return set(error.message_dict)

    results = together(publish(scene, drafts[0]), shrink)
    assert results in (["published", {"capacity"}], [{"seats_total"}, "approved"])
    assert over_promised(now=NOW) == []


def test_a_group_changed_while_the_publication_waits_for_it_is_not_what_was_read(scene, drafts, monkeypatch):
    """The mark is compared with the group as it is once the publication has it."""
    draft, lock = drafts[0], publication.lock_places
    seen = publication.seen_of(Vacancy.objects.select_related("group").get(pk=draft.pk))
    is_held, is_waiting = Event(), Event()

    def waits(pk, *, now):
        is_waiting.set()
        return lock(pk, now=now)

    monkeypatch.setattr(publication, "lock_places", waits)

    def change():
        with locking():
            group = lock(scene.group.pk, now=NOW)
            is_held.set()
            assert is_waiting.wait(timeout=PATIENCE)
            group.language = "kk"
            group.save()

    def publish_as_read():
        assert is_held.wait(timeout=PATIENCE)
        try:
            return publication.publish_vacancy(draft, actor=scene.staff, seen=seen, now=NOW).state
        except Refused as refusal:
            return refusal.reason

    assert together(change, publish_as_read)[1] == Refusal.CHANGED_MEANWHILE
    draft.refresh_from_db()
    assert draft.state == Vacancy.State.DRAFT


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        return cursor.fetchone()[0]


def test_a_press_under_way_when_the_time_is_over_is_counted(scene):
    """It saw the vacancy open and commits a moment after its end: the publication waits for it."""
    over = VacancyFactory(
        group=scene.group, seats_total=20, opens_at=NOW.replace(hour=9), closes_at=NOW.replace(hour=12)
    )
    draft = VacancyFactory(
        group=scene.group,
        seats_total=23,
        state=Vacancy.State.DRAFT,
        opens_at=NOW.replace(hour=20),
        published_at=None,
    )
    pressed = Barrier(2)

    def press():
        with transaction.atomic():
            Vacancy.objects.select_for_update(no_key=True).get(pk=over.pk)
            pressed.wait()
            # Until the other one waits for this row.
            until(somebody_waits_for_a_lock)
            Vacancy.objects.filter(pk=over.pk).update(seats_taken=1)
        return "pressed"

    def wait_and_publish():
        pressed.wait()
        return publish(scene, draft)()

    assert together(press, wait_and_publish) == ["pressed", {"seats_total"}]
