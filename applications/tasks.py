"""Celery's entries to `applications.jobs`; the schedule is in `balabaqsha.schedule`."""

import logging

from celery import shared_task

from applications.alerts import waves
from applications.city import bringing
from applications.closings import finishing
from applications.complaints import late as complaints
from applications.files import making as files
from applications.jobs import deadlines, employees, papers, registry, telling
from applications.jobs.invariants import differences
from applications.models import Referral
from applications.queue import buckets
from applications.states import HAS_PAPER
from notifications.clock import read_clock

logger = logging.getLogger(__name__)


@shared_task
def settle_what_ran_out() -> None:
    deadlines.settle_what_ran_out(now=read_clock())


@shared_task
def lengthen_referrals() -> None:
    deadlines.lengthen_referrals(now=read_clock())


@shared_task
def settle_disputes() -> None:
    deadlines.settle_disputes(now=read_clock())


@shared_task
def award_collected_bids() -> None:
    deadlines.award_bids(now=read_clock())


@shared_task
def finish_closings() -> None:
    finishing.finish_all(now=read_clock())


@shared_task
def pass_on_offers() -> None:
    deadlines.pass_on_offers(now=read_clock())


@shared_task
def check_invariants() -> int:
    """Log every contradiction in the data; the number of them is what `/health/` tells."""
    found = 0
    for difference in differences():
        logger.error("invariant broken: %s", difference)
        found += 1
    return found


@shared_task
def propose_registry_years() -> None:
    registry.propose_registry_years(now=read_clock())


@shared_task
def tell_placed_bids() -> None:
    telling.tell_placed_bids(now=read_clock())


@shared_task
def tell_moved_openings() -> None:
    telling.tell_moved_openings(now=read_clock())


@shared_task
def tell_of_places() -> None:
    waves.tell_of_places(now=read_clock())


@shared_task
def remind_deadlines() -> None:
    telling.remind_deadlines(now=read_clock())


@shared_task
def tell_of_late_complaints() -> None:
    complaints.tell_of_late(now=read_clock())


@shared_task
def tell_employees() -> None:
    employees.tell_employees(now=read_clock())


@shared_task
def remind_interest() -> None:
    telling.remind_interest(now=read_clock())


@shared_task
def remind_aging() -> None:
    telling.remind_aging(now=read_clock())


@shared_task
def render_missing_referrals() -> None:
    papers.render_missing()


@shared_task
def render_referral_pdf(referral_id: str) -> None:
    """Make the paper of one referral, unless it has been made or the referral has ended."""
    referral = Referral.objects.filter(pk=referral_id, state__in=HAS_PAPER, pdf="").first()
    if referral is not None:
        papers.store_pdf(referral)


@shared_task
def fold_buckets() -> None:
    buckets.fold_buckets()


@shared_task
def repair_buckets() -> None:
    buckets.repair_buckets()


@shared_task
def make_files() -> None:
    """Make the files that employees wait for, check and load those they brought, delete those whose day is over."""
    files.make_due(now=read_clock())
    bringing.work_off(now=read_clock())
    files.purge(now=read_clock())
    bringing.purge(now=read_clock())
