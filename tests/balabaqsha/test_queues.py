"""Which queue each task waits in, and that somebody takes from each."""

import json
from pathlib import Path

from balabaqsha.celery import app
from balabaqsha.queues import QUEUES, WORKERS
from balabaqsha.schedule import SCHEDULE
from notifications.broker import FIRST, LAST, USUAL

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"

# Where each waits: its queue, and its place in it. What is first there has somebody before a page.
PLACES = {
    ("deliveries", USUAL): {
        "notifications.tasks.deliver_due_mails",
        "notifications.tasks.deliver_due_messages",
        "notifications.tasks.deliver_due_pushes",
        "notifications.tasks.deliver_due_telegrams",
    },
    ("celery", FIRST): {"accounts.tasks.make_exports", "applications.tasks.make_files"},
    ("celery", USUAL): {
        "notifications.tasks.ask_for_reports",
        "accounts.tasks.move_numbers",
        "accounts.tasks.read_telegram",
        "applications.tasks.award_collected_bids",
        "applications.tasks.finish_closings",
        "applications.tasks.lengthen_referrals",
        "applications.tasks.pass_on_offers",
        "applications.tasks.render_missing_referrals",
        # First for whom waits before the page (`order_paper`), which is not for its kind to say.
        "applications.tasks.render_referral_pdf",
        "applications.tasks.settle_disputes",
        "applications.tasks.settle_what_ran_out",
        "applications.tasks.tell_moved_openings",
        "applications.tasks.tell_of_places",
        "applications.tasks.tell_placed_bids",
        "balabaqsha.tasks.watch_itself",
    },
    ("celery", LAST): {
        "accounts.tasks.prune_sms_codes",
        "accounts.tasks.refresh_person",
        "accounts.tasks.sweep_files",
        "applications.tasks.check_invariants",
        "applications.tasks.fold_buckets",
        "applications.tasks.propose_registry_years",
        "applications.tasks.remind_aging",
        "applications.tasks.remind_deadlines",
        "applications.tasks.remind_interest",
        "applications.tasks.repair_buckets",
        "applications.tasks.tell_employees",
        "applications.tasks.tell_of_late_complaints",
        "balabaqsha.tasks.purge_personal_data",
        "bulletin.tasks.extend_calendar",
        "children.tasks.recheck_guardianships",
    },
}


def test_every_task_waits_where_it_belongs():
    app.loader.import_default_modules()
    tasks = {name for name in app.tasks if not name.startswith("celery.")}
    routed: dict[tuple[str, int], set[str]] = {}
    for name in tasks:
        route = app.amqp.router.route({"priority": None}, name)
        routed.setdefault((route["queue"].name, route["priority"]), set()).add(name)
    assert routed == PLACES
    assert {entry["task"] for entry in SCHEDULE.values()} <= tasks


def test_each_queue_has_a_worker_of_its_own_and_one_without_a_queue_takes_from_all():
    assert [*QUEUES] == [worker.queue for worker in WORKERS] == ["celery", "deliveries"]
    assert [*app.amqp.queues.consume_from] == [*QUEUES]


def test_compose_starts_the_same_workers_and_asks_each_whether_it_lives():
    compose = COMPOSE.read_text()
    started = [line for line in compose.splitlines() if '"worker", "--queues"' in line]
    assert started == [
        f"    command: {json.dumps(['celery', '-A', 'balabaqsha', *worker.command()])}" for worker in WORKERS
    ]
    for worker in WORKERS:
        assert f"\n  {worker.name}:\n" in compose
        assert json.dumps(["CMD", "python", "manage.py", "check_health", worker.name]) in compose
