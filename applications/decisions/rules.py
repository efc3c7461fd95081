"""New rules: when they may begin, and the second official for those of all localities and those of an emergency."""

from datetime import date, datetime, timedelta
from time import monotonic
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts import audit
from accounts.models import User
from accounts.officials import one_with
from applications.access.settling import bring_forward
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import Application, Rules, RulesProposal
from applications.models.rules import VALUES
from applications.moves import Refused, locking
from applications.refusals import Refusal
from applications.rules.in_force import choose, rules_at
from applications.states import ProposalState
from bulletin.models import Locality, Vacancy

PROPOSE, DECIDE = "applications.add_rules", "applications.change_rules"
# Rules of an emergency hold a moment after they were approved: whatever was promised without having seen them was
# promised before. An approval that has used up half of it is undone, so that it never commits after they began.
MOMENT = timedelta(minutes=1)
ONE_DAY: Final = timedelta(days=1)


def earliest_start(*, locality: Locality | None, now: datetime) -> date | None:
    """The first day on which new rules may begin; None where any day will do.

    Tomorrow if anything has been promised: today's rules must still explain what was promised this morning. Later than
    the day of an emergency of the same scope: its rules win on that day, and the others would never hold.
    """
    starts = (_day_after_promises(locality, now=now), _day_after_emergency(locality))
    return max((day for day in starts if day is not None), default=None)


def _day_after_promises(locality: Locality | None, *, now: datetime) -> date | None:
    places = [locality] if locality else list(Locality.objects.all())
    is_promised = (
        Application.objects.filter(locality__in=places).exists()
        or Vacancy.objects.filter(
            group__kindergarten__locality__in=places, published_at__isnull=False
        ).exists()
    )
    return _tomorrow(places, now) if is_promised else None


def _day_after_emergency(locality: Locality | None) -> date | None:
    emergencies = Rules.objects.filter(locality=locality, early_from__isnull=False)
    newest: date | None = emergencies.aggregate(newest=Max("valid_from"))["newest"]
    return newest + ONE_DAY if newest else None


def beside(draft: Rules) -> tuple[list[Rules], list[Rules]]:
    """All rules as they would be without `draft`, and with it: it replaces those of the same scope and instant."""
    others = [one for one in Rules.objects.all() if one.pk != draft.pk]
    instant = (draft.locality_id, draft.valid_from, draft.early_from)
    kept = [one for one in others if (one.locality_id, one.valid_from, one.early_from) != instant]
    return others, [*kept, draft]


def changes_nothing(draft: Rules) -> bool:
    """Whether everything goes on as without `draft`, wherever and on whatever day it would hold."""
    before, after = beside(draft)
    places: list[Locality | None] = [draft.locality] if draft.locality else [None, *Locality.objects.all()]
    days = {draft.valid_from, *(one.valid_from for one in before if one.valid_from > draft.valid_from)}
    pairs = [
        tuple(choose(rules, locality_id=place.pk if place else None, day=day) for rules in (before, after))
        for place in places
        for day in days
    ]
    if (at := draft.early_from) is not None:
        pairs += [tuple(rules_at(place, at, rules=rules) for rules in (before, after)) for place in places]
    return all(values_of(was) == values_of(becomes) for was, becomes in pairs)


def values_of(rules: Rules) -> dict[str, int]:
    """Every period and size of the rules, by its name."""
    return {name: getattr(rules, name) for name in VALUES}


def needs_second(*, locality: Locality | None, is_emergency: bool) -> bool:
    """Whether such rules come into force only when a second official approves them."""
    return locality is None or is_emergency


def why_not_propose(*, locality: Locality | None) -> Refusal | None:
    """Why rules can't be proposed for this scope now, if so."""
    open_ones = RulesProposal.objects.filter(locality=locality, state=ProposalState.PROPOSED)
    return Refusal.PROPOSAL_WAITS if open_ones.exists() else None


def propose_rules(
    values: Rules, *, is_emergency: bool = False, reason: str, actor: User, now: datetime
) -> RulesProposal:
    """Record rules for another official to approve; nothing changes yet.

    `values` are the rules as they would be. Raises `PermissionDenied` for anyone but an official, and `Refused`:
    REASON_MISSING, RULES_TOO_EARLY (`earliest_start`), PROPOSAL_WAITS.
    """
    require(actor, PROPOSE)
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    if not is_emergency:
        _refuse_early(values.valid_from, locality=values.locality, now=now)
    try:
        with transaction.atomic():
            proposal = RulesProposal.objects.create(
                locality=values.locality,
                valid_from=None if is_emergency else values.valid_from,
                reason=reason.strip(),
                proposed_at=now,
                proposed_by=actor,
                **{name: getattr(values, name) for name in VALUES},
            )
            _record(Action.RULES_PROPOSED, proposal, actor=actor, reason=proposal.reason, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return proposal


def rules_of(proposal: RulesProposal, *, now: datetime) -> Rules:
    """The rules that the proposal would become if it were approved at `now`; not saved.

    Those of an emergency hold from a moment later for what is newly promised, and from the day after for the rest.
    """
    rules = Rules(locality=proposal.locality, **{name: getattr(proposal, name) for name in VALUES})
    if proposal.valid_from is not None:
        rules.valid_from = proposal.valid_from
    else:
        rules.early_from = now + MOMENT
        places = [proposal.locality] if proposal.locality else list(Locality.objects.all())
        rules.valid_from = _tomorrow(places, rules.early_from)
    return rules


def put_off_by(rules: Rules) -> Rules | None:
    """The planned rules that those of an emergency would bury on their first day: put off by a day, not saved.

    None if nothing is planned for that day by the same scope, or if other rules follow on the next one.
    """
    if rules.early_from is None:
        return None
    planned = Rules.objects.filter(locality=rules.locality, early_from=None)
    buried = planned.filter(valid_from=rules.valid_from).first()
    later = rules.valid_from + ONE_DAY
    if buried is None or planned.filter(valid_from=later).exists():
        return None
    buried.valid_from = later
    return buried


def approve_rules(proposal: RulesProposal, *, actor: User, now: datetime) -> Rules:
    """Let proposed rules come into force. They replace rules of the same day that have not begun; those of an
    emergency put them off (`put_off_by`).

    What was promised stays: it is kept as an instant, or explained by the rules of the instant at which it was
    promised. Raises `PermissionDenied`, and `Refused`: PROPOSAL_DECIDED, PROPOSER, RULES_TOO_EARLY if the day has
    come too near, BUSY if it took so long that rules of an emergency could begin before they are stored. Locks the
    proposal.
    """
    require(actor, DECIDE)
    began = monotonic()
    with locking():
        proposal = _lock_open(proposal, actor=actor)
        rules = rules_of(proposal, now=now)
        if rules.early_from is None:
            _refuse_early(rules.valid_from, locality=rules.locality, now=now + MOMENT)
            rules.pk = _pk_of_same_day(rules)
        put_off = put_off_by(rules)
        if put_off is not None:
            put_off.save(update_fields=["valid_from"])
            audit.record(Action.RULES_PUT_OFF, actor=actor, target=str(put_off), about=put_off, now=now)
        rules.save()
        decide(proposal, ProposalState.APPROVED, actor=actor, now=now)
        _record(Action.RULES_APPROVED, proposal, actor=actor, reason=proposal.reason, now=now)
        look_earlier(now=now)
        _refuse_late(rules, now=now + timedelta(seconds=monotonic() - began))
    return rules


def decline_rules(proposal: RulesProposal, *, actor: User, reason: str, now: datetime) -> RulesProposal:
    """Decline proposed rules, with a reason for the officials: nothing changes.

    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, PROPOSER, REASON_MISSING). Locks the proposal.
    """
    require(actor, DECIDE)
    with locking():
        proposal = _lock_open(proposal, actor=actor)
        decide(proposal, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.RULES_DECLINED, proposal, actor=actor, reason=proposal.decision_reason, now=now)
    return proposal


def look_earlier(*, now: datetime) -> None:
    """Look earlier at applications that may leave the queue earlier by rules that were just saved.

    Again after the commit, for moves under way that still used the old rules. By then the rules hold: what goes wrong
    there is an entry of the log, and no refusal.
    """
    bring_forward(now=now)
    transaction.on_commit(lambda: bring_forward(now=now), robust=True)


def _tomorrow(places: list[Locality], now: datetime) -> date:
    return max((place.day(now) for place in places), default=now.date()) + ONE_DAY


def _refuse_early(valid_from: date, *, locality: Locality | None, now: datetime) -> None:
    start = earliest_start(locality=locality, now=now)
    if start is not None and valid_from < start:
        raise Refused(Refusal.RULES_TOO_EARLY)


def _refuse_late(rules: Rules, *, now: datetime) -> None:
    """Refuse rules that promises might not have seen which are made once they hold."""
    if rules.early_from is None:
        _refuse_early(rules.valid_from, locality=rules.locality, now=now + MOMENT / 2)
    elif rules.early_from < now + MOMENT / 2:
        raise Refused(Refusal.BUSY)


def _pk_of_same_day(rules: Rules) -> int | None:
    same = Rules.objects.filter(locality=rules.locality, valid_from=rules.valid_from, early_from=None)
    return same.values_list("pk", flat=True).first()


def _lock_open(proposal: RulesProposal, *, actor: User) -> RulesProposal:
    """The proposal as it is now, its row locked, if `actor` may decide it."""
    proposal = lock_open(proposal)
    if proposal.proposed_by_id in one_with(actor):
        raise Refused(Refusal.PROPOSER)
    return proposal


def _record(action: Action, proposal: RulesProposal, *, actor: User, reason: str, now: datetime) -> None:
    audit.record(action, actor=actor, target=str(proposal), reason=reason, about=proposal, now=now)
