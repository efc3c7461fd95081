"""What the questions of readiness are answered from, asked once: of the settings, of `/health/` and of the rows."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db.models import Exists, Max, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.identity import iin_hashes
from accounts.models import Profile
from accounts.registry import is_simulated
from applications.bidding.stand_ins import ANSWER
from applications.city.protocols import decided_since, published_protocols
from applications.city.queue_file import Queue
from applications.complaints.whose import without_second_answer
from applications.decisions.former import undecided_lines
from applications.models import GroupProposal, Rules
from applications.preview import is_preview
from applications.rules.in_force import rules_at
from applications.states import ProposalState
from balabaqsha.health.probes import report
from balabaqsha.ready.questions import Known, Missing
from bulletin.employment import with_somebody_able
from bulletin.models import Group, ImportBatch, Kindergarten, Locality, Vacancy
from children.models import Child
from notifications.cipher import decrypt
from notifications.models import Message

# Of the owner of the tables, whose address only `set_up` is given; it stops without one.
_OF_SET_UP: Final = "balabaqsha.E017"
# What of the rules a family or a kindergarten meets first.
_TOLD_RULES: Final = (
    "publication_lead_hours",
    "priority_working_days",
    "activation_working_days",
    "referral_working_days",
    "stop_working_days",
    "general_per_priority",
)
# A place in these states is, or will be, answered for.
_TO_ANSWER: Final = (Vacancy.State.DRAFT, Vacancy.State.PUBLISHED)
# So many names are told; the number says the rest.
_NAMED: Final = 5


def read_known(*, now: datetime, backup_of: date | None = None) -> Known:
    """Ask everything but the day of a backup, which only people know.

    It takes a second or two: for one person who wants to know, not for a page of families.
    """
    today = timezone.localdate(now)
    offering = Kindergarten.objects.filter(
        Exists(Vacancy.objects.filter(group__kindergarten=OuterRef("pk"), state__in=_TO_ANSWER))
    )
    health, _serves = report()
    return Known(
        today=today,
        is_preview=is_preview(),
        opens_on=settings.OPENS_ON,
        is_demo=settings.DEMO,
        faults=_faults(),
        health=health,
        rules=_rules(now=now),
        places_with_rules=Rules.objects.exclude(locality=None).values("locality").distinct().count(),
        localities=Locality.objects.count(),
        localities_without_kindergarten=_missing(
            Locality.objects.exclude(pk__in=Kindergarten.objects.values("locality"))
        ),
        kindergartens=Kindergarten.objects.count(),
        kindergartens_without_group=_missing(
            Kindergarten.objects.exclude(pk__in=Group.objects.values("kindergarten"))
        ),
        groups_to_confirm=GroupProposal.objects.filter(state=ProposalState.PROPOSED).count(),
        kindergartens_with_vacancy=offering.count(),
        nobody_answers=_missing(
            offering.exclude(pk__in=with_somebody_able(ANSWER, today=today).values("pk"))
        ),
        no_second_answer=_named(without_second_answer(now=now)),
        sms_sent_at=_newest(Message.objects.all(), "sent_at"),
        sms_failed_at=_newest(Message.objects.filter(state=Message.State.FAILED), "created_at"),
        registry_is_simulated=is_simulated(),
        registry_answered_at=_newest(Profile.objects.filter(is_typed=False), "registry_asked_at"),
        keys_fit=_keys_fit(),
        backup_of=backup_of,
        **_former_queue(),
    )


def _former_queue() -> dict[str, Any]:
    """How far the reconciliation of the former queue is, over all files that were not undone."""
    batches = list(ImportBatch.objects.filter(kind=Queue.name, undone_at=None))
    if not batches:
        return {}
    signed = {protocol.batch_id: protocol for protocol in published_protocols()}
    return {
        "former_undecided": undecided_lines().count(),
        "is_former_signed": all(
            batch.pk in signed and not decided_since(batch, signed[batch.pk].proposed_at) for batch in batches
        ),
    }


def _faults() -> list[str]:
    found = run_checks(include_deployment_checks=True)
    return [str(one.msg) for one in found if one.level >= ERROR and one.id != _OF_SET_UP]


def _rules(*, now: datetime) -> list[str]:
    """The values in force where a place has no rules of its own, each with its name."""
    rules = rules_at(None, now)
    labels = {one.name: one.verbose_name for one in Rules._meta.concrete_fields}
    return [f"{labels[name]}: {getattr(rules, name)}" for name in _TOLD_RULES]


def _newest(rows: "QuerySet[Any]", name: str) -> datetime | None:
    at: datetime | None = rows.aggregate(at=Max(name))["at"]
    return timezone.localtime(at) if at else None


def _missing(rows: "QuerySet[Any]") -> Missing:
    return Missing(rows.count(), [str(row) for row in rows[:_NAMED]])


def _named(rows: Sequence[Any]) -> Missing:
    return Missing(len(rows), [str(row) for row in rows[:_NAMED]])


def _first_and_last(people: "QuerySet[Any]") -> list[tuple[str, str]]:
    """The stored IINs of the first and the last by key, each with its hash, as they stand in the database."""
    stored = people.annotate(token=Cast("iin", TextField())).values_list("token", "iin_hash")
    ends = (stored.order_by(order).first() for order in ("pk", "-pk"))
    return [one for one in ends if one is not None]


def _keys_fit() -> bool | None:
    """Whether the present keys open and find some stored IINs of parents and of children; None while there is none."""
    of_parents, of_children = Profile.objects.exclude(iin_hash=None), Child.objects.filter(paper_hash=None)
    found = [*_first_and_last(of_parents), *_first_and_last(of_children)]
    try:
        return (
            all(stored_hash in iin_hashes(decrypt(token)) for token, stored_hash in found) if found else None
        )
    except InvalidToken:
        return False
