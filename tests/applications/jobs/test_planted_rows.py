"""A row that raises holds up no other, in whatever the schedule runs."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from accounts import telegram
from applications.complaints import late
from applications.jobs import employees, telling
from applications.models import Offer
from applications.referrals import issuing
from applications.states import OfferState
from balabaqsha import retention
from balabaqsha.retention import Period
from balabaqsha.schedule import SCHEDULE
from bulletin.models import Pause
from children import rechecking
from notifications.telegram import Update
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, ComplaintFactory, GuardianshipFactory, LocalityFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

# The morning of the last day of a referral that was issued at the scene's instant.
LAST_MORNING = datetime(2019, 7, 3, 9, tzinfo=ZONE)


def referrals(scene):
    for one in (
        scene.application,
        ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date),
    ):
        bid = place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now)
        issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    return telling, "_left", lambda: telling.remind_deadlines(now=LAST_MORNING)


def offers(scene):
    for one in (scene.application, ApplicationFactory(locality=scene.locality)):
        Offer.objects.create(
            vacancy=scene.vacancy, application=one, state=OfferState.OFFERED, freed_at=scene.now, made_at=scene.now,
            until=LAST_MORNING + timedelta(hours=15),
        )  # fmt: skip
    return telling, "_is_last_day", lambda: telling.remind_deadlines(now=LAST_MORNING)


def campaigns(scene):
    LocalityFactory(slug="kentau")
    return telling, "running_campaign_for", lambda: telling.remind_interest(now=scene.now)


def bids_of_localities(scene):
    LocalityFactory(slug="kentau")
    return employees, "to_list", lambda: employees.tell_employees(now=scene.now)


def late_complaints(scene):
    """Of one locality: a family of whom nothing can be read holds up no other one."""
    for _each in range(2):
        ComplaintFactory(locality=scene.locality, sent_at=scene.now, due_at=scene.now)
    return late, "_tell_of", lambda: late.tell_of_late(now=scene.now)


def pauses(scene, monkeypatch):
    moved = [SimpleNamespace(pause=Pause(pk=pk)) for pk in (1, 2)]
    monkeypatch.setattr(telling, "openings_to_tell", lambda **_: moved)
    monkeypatch.setattr(telling, "_tell_of_pause", lambda *_, **__: 0)
    return telling, "_tell_of_pause", lambda: telling.tell_moved_openings(now=scene.now)


def guardianships(scene, monkeypatch):
    for _ in range(2):
        GuardianshipFactory(verified_at=scene.now - timedelta(days=31))
    monkeypatch.setattr(rechecking, "is_due", lambda *_, **__: False)
    return rechecking, "recheck_guardianship", lambda: rechecking.recheck_portion(now=scene.now)


def chats(scene, monkeypatch):
    answers = iter([[Update(1, text="one"), Update(2, text="two")], []])
    monkeypatch.setattr(telegram, "read_updates", lambda _after: next(answers))
    return telegram, "_take", lambda: telegram._read_all(now=scene.now)


def periods(scene, monkeypatch):
    steps = SimpleNamespace(purge=lambda _name: 0)
    found = [
        Period(name, due=lambda **_: Offer.objects.none(), purge=lambda *, now, name=name: steps.purge(name))
        for name in "ab"
    ]
    monkeypatch.setattr(retention, "PERIODS", found)
    return steps, "purge", lambda: retention.purge_personal_data(now=scene.now)


WALKS = {
    "applications.tasks.remind_deadlines": (referrals, offers),
    "applications.tasks.remind_interest": (campaigns,),
    "applications.tasks.tell_employees": (bids_of_localities,),
    "applications.tasks.tell_moved_openings": (pauses,),
    "applications.tasks.tell_of_late_complaints": (late_complaints,),
    "children.tasks.recheck_guardianships": (guardianships,),
    "accounts.tasks.read_telegram": (chats,),
    "balabaqsha.tasks.purge_personal_data": (periods,),
}


@pytest.mark.parametrize(
    "walk", [walk for walks in WALKS.values() for walk in walks], ids=lambda walk: walk.__name__
)
def test_the_others_are_handled(walk, scene, monkeypatch):
    more = (monkeypatch,) if walk.__code__.co_argcount > 1 else ()
    module, step, job = walk(scene, *more)
    handle, met = getattr(module, step), []

    def planted(item, *args, **options):
        met.append(item)
        if item == met[0]:
            raise RuntimeError("planted")
        return handle(item, *args, **options)

    monkeypatch.setattr(module, step, planted)
    job()
    assert any(item != met[0] for item in met)


# Where the others are seen to raise and to hold up nobody.
ELSEWHERE = {
    "tests/notifications/test_delivery.py": [
        "deliver_due_messages",
        "deliver_due_mails",
        "deliver_due_telegrams",
        "deliver_due_pushes",
    ],
    "tests/notifications/test_reports.py": ["ask_for_reports"],
    "tests/applications/alerts/test_waves.py": ["tell_of_places"],
    "tests/applications/jobs/test_deadlines.py": ["settle_what_ran_out"],
    # One sweep, or some in a row.
    "tests/notifications/test_sweeps.py": [
        "tell_placed_bids", "lengthen_referrals", "settle_disputes", "render_missing_referrals", "award_collected_bids",
        "finish_closings", "pass_on_offers", "propose_registry_years", "remind_aging", "move_numbers", "make_exports",
        "make_files",
    ],
}  # fmt: skip
# Some statements, in which no row is handled by itself; or a report that only reads.
NO_WALKS = {
    "fold_buckets", "repair_buckets", "check_invariants", "prune_sms_codes", "sweep_files", "extend_calendar",
    "watch_itself",
}  # fmt: skip


def test_every_periodic_task_is_named():
    named = {task.rpartition(".")[2] for task in WALKS} | NO_WALKS
    assert named.isdisjoint(task for tasks in ELSEWHERE.values() for task in tasks)
    named |= {task for tasks in ELSEWHERE.values() for task in tasks}
    assert named == {entry["task"].rpartition(".")[2] for entry in SCHEDULE.values()}


@pytest.mark.parametrize("path", ELSEWHERE)
def test_elsewhere_a_row_raises(path):
    assert "RuntimeError" in Path(settings.BASE_DIR, path).read_text()
