"""What runs when: the project's one schedule, used by the beat and by the report of what is late.

Every periodic task is a sweep: it does what a lost message left undone, and is idempotent.
"""

from datetime import timedelta
from typing import Any, Final

from celery.schedules import crontab

SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "deliver-messages": {"task": "notifications.tasks.deliver_due_messages", "schedule": 20.0},
    "deliver-mails": {"task": "notifications.tasks.deliver_due_mails", "schedule": 20.0},
    "deliver-telegrams": {"task": "notifications.tasks.deliver_due_telegrams", "schedule": 20.0},
    "deliver-pushes": {"task": "notifications.tasks.deliver_due_pushes", "schedule": 20.0},
    # Somebody has opened the bot by a link, and waits for it to answer.
    "read-telegram": {"task": "accounts.tasks.read_telegram", "schedule": 5.0},
    "ask-for-reports": {"task": "notifications.tasks.ask_for_reports", "schedule": 20.0},
    "tell-placed-bids": {"task": "applications.tasks.tell_placed_bids", "schedule": 20.0},
    "tell-moved-openings": {"task": "applications.tasks.tell_moved_openings", "schedule": 60.0},
    "tell-of-places": {"task": "applications.tasks.tell_of_places", "schedule": 30.0},
    "settle-what-ran-out": {"task": "applications.tasks.settle_what_ran_out", "schedule": 60.0},
    "lengthen-referrals": {"task": "applications.tasks.lengthen_referrals", "schedule": 600.0},
    "settle-disputes": {"task": "applications.tasks.settle_disputes", "schedule": 600.0},
    "render-missing-referrals": {"task": "applications.tasks.render_missing_referrals", "schedule": 60.0},
    "award-collected-bids": {"task": "applications.tasks.award_collected_bids", "schedule": 30.0},
    "finish-closings": {"task": "applications.tasks.finish_closings", "schedule": 30.0},
    "pass-on-offers": {"task": "applications.tasks.pass_on_offers", "schedule": 30.0},
    "tell-of-late-complaints": {
        "task": "applications.tasks.tell_of_late_complaints",
        "schedule": 600.0,
    },
    "tell-employees": {"task": "applications.tasks.tell_employees", "schedule": 600.0},
    "fold-buckets": {"task": "applications.tasks.fold_buckets", "schedule": 60.0},
    "propose-registry-years": {
        "task": "applications.tasks.propose_registry_years",
        "schedule": crontab(minute=35),
    },
    "repair-buckets": {"task": "applications.tasks.repair_buckets", "schedule": crontab(minute=50, hour=2)},
    "check-invariants": {
        "task": "applications.tasks.check_invariants",
        "schedule": crontab(minute=10, hour=3),
    },
    "remind-deadlines": {"task": "applications.tasks.remind_deadlines", "schedule": crontab(minute=0)},
    # Reminders of the calendar go out in the morning: 04:00 UTC is 09:00 in Kazakhstan.
    "remind-interest": {"task": "applications.tasks.remind_interest", "schedule": crontab(minute=0, hour=4)},
    "remind-aging": {"task": "applications.tasks.remind_aging", "schedule": crontab(minute=30, hour=4)},
    "move-numbers": {"task": "accounts.tasks.move_numbers", "schedule": 60.0},
    "prune-sms-codes": {"task": "accounts.tasks.prune_sms_codes", "schedule": crontab(minute=40)},
    "make-exports": {"task": "accounts.tasks.make_exports", "schedule": 60.0},
    "make-files": {"task": "applications.tasks.make_files", "schedule": 60.0},
    "sweep-files": {"task": "accounts.tasks.sweep_files", "schedule": crontab(minute=25)},
    "watch-itself": {"task": "balabaqsha.tasks.watch_itself", "schedule": 60.0},
    "purge-personal-data": {
        "task": "balabaqsha.tasks.purge_personal_data",
        "schedule": crontab(minute=40, hour=20),
    },
    # Each guardian once a month; each run as many as two minutes hold.
    "recheck-guardianships": {
        "task": "children.tasks.recheck_guardianships",
        "schedule": crontab(minute=45),
    },
    "extend-calendar": {"task": "bulletin.tasks.extend_calendar", "schedule": crontab(minute=20, hour=3)},
}

_SHORTEST_LIFE: Final = timedelta(minutes=1)


def expires_after(task: str) -> timedelta | None:
    """How old a run of `task` may be that the beat has sent: then the next one waits. None if it sends none."""
    times = [entry["schedule"] for entry in SCHEDULE.values() if entry["task"] == task]
    return max(_SHORTEST_LIFE, min(map(_interval, times))) if times else None


def _interval(schedule: float | crontab) -> timedelta:
    if not isinstance(schedule, crontab):
        return timedelta(seconds=schedule)
    return timedelta(hours=1) if len(schedule.hour) > 1 else timedelta(days=1)
