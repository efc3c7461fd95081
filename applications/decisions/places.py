"""Groups, their capacity, and how many children are in them: proposed by the kindergarten, confirmed by an official.

What an official proposes is confirmed with it.
"""

from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import Bid, GroupProposal, Headcount, Offer, Referral
from applications.moves import Refused, locking
from applications.places.occupancy import Occupancy, lock_places, occupancies_of
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import LIVE_OFFERS, BidState, ProposalState, ReferralState
from bulletin.models import Group, Kindergarten
from bulletin.school_years import school_year
from bulletin.seen import mark_of
from bulletin.selectors import published_vacancies

PROPOSE, CONFIRM = "bulletin.change_group", "applications.change_groupproposal"
COUNT, CONFIRM_COUNT = "bulletin.change_group", "applications.change_headcount"
# What a proposal says of a group.
DATA: Final = ("name", "age_group", "language", "regime", "capacity")
# What families chose a place for.
_RELIED_ON: Final = ("age_group", "language", "regime")


# --- groups --------------------------------------------------------------------------------------------------


def why_not_confirm(proposal: GroupProposal, *, now: datetime) -> dict[str, list[str]]:
    """What stands in the way of the group that `proposal` describes, by field; nothing if it can be confirmed now.

    A capacity is within the sanitary norm (`Rules.most_in_group`) and keeps room for all that is taken and promised,
    except where it does not make the present one worse. While families rely on a group, its age, language and type
    stay.
    """
    errors: dict[str, list[str]] = {}
    for field, words in (*_capacity_errors(proposal, now=now), *_other_errors(proposal, now=now)):
        errors.setdefault(field, []).append(words)
    return errors


def seen_of(group: Group | None) -> str:
    """The mark of a group as it is shown to whoever changes it; of a new one there is nothing to see."""
    return mark_of(group) if group else ""


def propose_group(
    proposal: GroupProposal, *, actor: User, seen: str | None = None, now: datetime
) -> GroupProposal:
    """Record a group as it would be (a proposal not stored yet); an official's is carried out at once.

    `seen` is the mark (`seen_of`) of the group that was changed in a form; None where nobody had one. Raises
    `PermissionDenied`, `ValidationError` (`why_not_confirm`), and `Refused` (PROPOSAL_WAITS, CHANGED_MEANWHILE). Locks
    the group, then its kindergarten.
    """
    require(actor, PROPOSE)
    try:
        with locking():
            _lock(proposal, seen=seen, now=now)
            _refuse(why_not_confirm(proposal, now=now))
            proposal.proposed_at, proposal.proposed_by = now, actor
            proposal.save(force_insert=True)
            _record(Action.GROUP_PROPOSED, proposal, actor=actor, now=now)
            if actor.has_perm(CONFIRM):
                _carry_out(proposal, actor=actor, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return proposal


def confirm_group(proposal: GroupProposal, *, actor: User, seen: str | None = None, now: datetime) -> Group:
    """Let the group be as proposed.

    `seen` is the mark (`seen_of`) of the group beside which the proposal was read; None where nobody read it. Raises
    `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, CHANGED_MEANWHILE), `ValidationError`. Locks the proposal, then the
    group, then its kindergarten.
    """
    require(actor, CONFIRM)
    with locking():
        proposal = lock_open(proposal)
        _lock(proposal, seen=seen, now=now)
        _refuse(why_not_confirm(proposal, now=now))
        return _carry_out(proposal, actor=actor, now=now)


def decline_group(proposal: GroupProposal, *, actor: User, reason: str, now: datetime) -> GroupProposal:
    """Leave the group as it is, with a reason.

    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, REASON_MISSING).
    """
    require(actor, CONFIRM)
    with locking():
        proposal = lock_open(proposal)
        decide(proposal, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.GROUP_DECLINED, proposal, actor=actor, reason=reason, now=now)
    return proposal


def _lock(proposal: GroupProposal, *, seen: str | None, now: datetime) -> None:
    """Read the group as it is now, its row locked; refuse what was made of another state of it."""
    if proposal.group_id is not None:
        proposal.group = lock_places(proposal.group_id, now=now)
    # Names are unique in a kindergarten: two of them at once take turns.
    Kindergarten.objects.select_for_update(no_key=True).get(pk=proposal.kindergarten_id)
    if seen is not None and seen != seen_of(proposal.group):
        raise Refused(Refusal.CHANGED_MEANWHILE)


def _carry_out(proposal: GroupProposal, *, actor: User, now: datetime) -> Group:
    group = proposal.group or Group(kindergarten=proposal.kindergarten)
    for name in DATA:
        setattr(group, name, getattr(proposal, name))
    group.save()
    if proposal.group is None:
        proposal.group = group
        proposal.save(update_fields=["group"])
    decide(proposal, ProposalState.APPROVED, actor=actor, now=now)
    _record(Action.GROUP_CONFIRMED, proposal, actor=actor, now=now)
    return group


def _capacity_errors(proposal: GroupProposal, *, now: datetime) -> list[tuple[str, str]]:
    group, capacity = proposal.group, proposal.capacity
    present = group.capacity if group else 0
    norm = rules_at(proposal.kindergarten.locality, now).most_in_group
    if capacity < 1:
        return [("capacity", _("There must be at least one place."))]
    if capacity > max(norm, present):
        return [("capacity", _("More than a group may hold, children: %(norm)s") % {"norm": norm})]
    taken = max((one.total for one in _from_now_on(group, now=now)), default=0) if group else 0
    # A capacity beyond the norm may always be brought down to it: what is over-promised then is listed.
    if capacity < min(taken, present, norm):
        words = _("Less than what is taken and promised, places: %(taken)s. Recall places first.")
        return [("capacity", words % {"taken": taken})]
    return []


def _other_errors(proposal: GroupProposal, *, now: datetime) -> list[tuple[str, str]]:
    errors = []
    same_name = Group.objects.filter(kindergarten=proposal.kindergarten, name=proposal.name)
    group = proposal.group
    if (same_name.exclude(pk=group.pk) if group else same_name).exists():
        errors.append(("name", _("The kindergarten has another group of this name.")))
    changed = [name for name in _RELIED_ON if group and getattr(group, name) != getattr(proposal, name)]
    if group and changed and _is_relied_on(group, now=now):
        words = _("Families rely on it: the group has places in the bulletin, bids, offers or referrals.")
        errors += [(name, words) for name in changed]
    return errors


def _is_relied_on(group: Group, *, now: datetime) -> bool:
    return (
        published_vacancies(now=now).filter(group=group).exists()
        or Bid.objects.filter(vacancy__group=group, state=BidState.PENDING).exists()
        or Offer.objects.filter(vacancy__group=group, state__in=LIVE_OFFERS).exists()
        or Referral.objects.filter(bid__vacancy__group=group, state=ReferralState.ISSUED).exists()
    )


def _from_now_on(group: Group, *, now: datetime) -> list[Occupancy]:
    """What the group holds, without the school years that are over."""
    this_year = school_year(group.kindergarten.locality.day(now))
    return [one for one in occupancies_of([group], now=now)[group.pk] if one.concerns(this_year)]


def _refuse(errors: dict[str, list[str]]) -> None:
    if errors:
        raise ValidationError(errors)


# --- children ------------------------------------------------------------------------------------------------


def countable_years(group: Group, *, now: datetime) -> tuple[int, int]:
    """The school years for which children can be counted: this one, and the next, whose places may be given already."""
    this_year = school_year(group.kindergarten.locality.day(now))
    return this_year, this_year + 1


def count_children(group: Group, *, year: int, children: int, actor: User, now: datetime) -> Headcount:
    """Record how many children are, or will be, in a group in a school year; an official's count counts at once.

    All children, whichever way they came, with those whose contract for that school year or an earlier one has been
    signed by now. Raises `PermissionDenied`, `ValidationError` for a year or a number that can't be, and
    `Refused(PROPOSAL_WAITS)`.
    """
    require(actor, COUNT)
    if year not in countable_years(group, now=now):
        raise ValidationError({"school_year": [_("Children are counted for this school year and the next.")]})
    count = Headcount(
        group=group, school_year=year, children=children, counted_at=now, proposed_at=now, proposed_by=actor
    )
    count.clean_fields()
    is_confirmed = actor.has_perm(CONFIRM_COUNT)
    if is_confirmed:
        count.state, count.decided_by, count.decided_at = ProposalState.APPROVED, actor, now
    try:
        with locking():
            lock_places(group.pk, now=now)
            count.save(force_insert=True)
            _record(Action.CHILDREN_COUNTED, count, actor=actor, now=now)
            if is_confirmed:
                _record(Action.COUNT_CONFIRMED, count, actor=actor, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return count


def confirm_count(count: Headcount, *, actor: User, now: datetime) -> Headcount:
    """Let a count count, from the moment at which it was made.

    It may show that more is promised than there is room for: then nothing is cut, but nothing more is published.
    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED; COUNTED_ANEW where a newer count of that school year counts
    already). Locks the count, then the group.
    """
    require(actor, CONFIRM_COUNT)
    with locking():
        count = lock_open(count)
        lock_places(count.group_id, now=now)
        counting = Headcount.objects.filter(
            group=count.group_id, school_year=count.school_year, state=ProposalState.APPROVED
        )
        if counting.filter(counted_at__gte=count.counted_at).exists():
            raise Refused(Refusal.COUNTED_ANEW)
        decide(count, ProposalState.APPROVED, actor=actor, now=now)
        _record(Action.COUNT_CONFIRMED, count, actor=actor, now=now)
    return count


def decline_count(count: Headcount, *, actor: User, reason: str, now: datetime) -> Headcount:
    """Let the former count stand, with a reason.

    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, REASON_MISSING).
    """
    require(actor, CONFIRM_COUNT)
    with locking():
        count = lock_open(count)
        decide(count, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.COUNT_DECLINED, count, actor=actor, reason=reason, now=now)
    return count


def _record(
    action: Action, proposal: GroupProposal | Headcount, *, actor: User, reason: str = "", now: datetime
) -> None:
    audit.record(action, actor=actor, target=str(proposal), reason=reason, about=proposal, now=now)
    if proposal.group is not None:
        audit.record(action, actor=actor, target=str(proposal), reason=reason, about=proposal.group, now=now)
