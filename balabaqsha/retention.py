"""What the data policy promises to delete, for every app, in one place (templates/pages/privacy.*.html)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts import sessions, sms_codes
from accounts.data import exporting, leaving
from accounts.numbers import retention as numbers
from applications.files import making as files
from applications.jobs import retention as papers
from applications.personal_data import forgetting
from bulletin.importing import undoing
from notifications import retention as outbox
from notifications.sweeps import sweep


@dataclass(frozen=True)
class Period:
    """One kind of data with a period: `due(now=…)` is what may be deleted, `purge(now=…)` deletes and counts it."""

    name: str
    due: Callable[..., QuerySet[Any]]
    purge: Callable[..., int]


PERIODS = (
    Period("sessions, once they are over", sessions.over, sessions.purge),
    Period("closed accounts, after 30 days", leaving.due, leaving.forget_due),
    Period(
        "children whose guardians are all forgotten",
        forgetting.children_due,
        forgetting.forget_children_due,
    ),
    Period(
        "children of the former queue whom nobody claimed, 90 days after they left it",
        forgetting.unclaimed_due,
        forgetting.forget_unclaimed,
    ),
    Period("copies of people's own data, 24 hours after they were made", exporting.over, exporting.purge),
    Period("files for employees, 24 hours after they were made", files.over, files.purge),
    Period("SMS codes, a day after they expired", sms_codes.old, sms_codes.prune),
    Period(
        "codes to other contacts, a day after they expired",
        sms_codes.old_contact_codes,
        sms_codes.prune_contact_codes,
    ),
    Period(
        "who claimed a number and was refused, after 90 days",
        numbers.refused_claimants,
        numbers.forget_claimants,
    ),
    Period("moves of numbers, a year after they were over", numbers.old_moves, numbers.purge_moves),
    Period("texts of SMS, after 30 days", outbox.old_texts, outbox.purge_texts),
    Period("SMS, after a year", outbox.old_messages, outbox.purge_messages),
    Period("e-mails, after 30 days", outbox.old_mails, outbox.purge_mails),
    Period("messages to Telegram, after 30 days", outbox.old_telegrams, outbox.purge_telegrams),
    Period("notices on screens, after 30 days", outbox.old_pushes, outbox.purge_pushes),
    Period("devices that show notices no more, after 30 days", outbox.lost_devices, outbox.purge_devices),
    Period("how SMS gateways did, after 90 days", outbox.old_minutes, outbox.purge_minutes),
    Period(
        "documents of extensions, 90 days after the referral ended",
        papers.old_extension_documents,
        papers.purge_extension_documents,
    ),
    Period(
        "papers of referrals that ended without a contract",
        papers.papers_of_ended_referrals,
        papers.purge_papers,
    ),
    Period(
        "papers of guardians, 90 days after the decision",
        papers.old_claim_papers,
        papers.purge_claim_papers,
    ),
    Period(
        "documents of benefits, 90 days after the benefit ended",
        papers.old_benefit_documents,
        papers.purge_benefit_documents,
    ),
    Period(
        "guardians in the former queue, 30 days after the claim or once the application is over",
        papers.old_former_guardians,
        papers.purge_former_guardians,
    ),
    Period("rows of loaded files, after 90 days", undoing.old_rows, undoing.purge_rows),
    Period(
        "lines that the former queue's file left out, after 90 days",
        papers.old_former_lines,
        papers.purge_former_lines,
    ),
    Period(
        "what newer files of the former queue changed, after 90 days",
        papers.old_former_changes,
        papers.purge_former_changes,
    ),
    Period(
        "what newer files changed of the former queue, once the application was claimed or its file undone",
        papers.spent_former_changes,
        papers.empty_former_changes,
    ),
    Period(
        "alerts about places, 30 days after the application was over or once the guardian is none",
        papers.spent_alerts,
        papers.purge_alerts,
    ),
    Period("complaints, a year after the answer", papers.old_complaints, papers.empty_complaints),
    Period(
        "reports of wrong data, a year after the answer",
        papers.old_objections,
        papers.purge_objections,
    ),
)


def purge_personal_data(*, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Delete what is due at `now`, or with `dry_run` only count it; returns how many of each kind. Safe to repeat.

    A kind that can't be deleted is logged, left out and tried again by the next run; the others go all the same.
    """
    if dry_run:
        return {period.name: period.due(now=now).count() for period in PERIODS}
    deleted: dict[str, int] = {}

    def purge(period: Period) -> None:
        deleted[period.name] = period.purge(now=now)

    sweep(PERIODS, purge)
    return deleted
