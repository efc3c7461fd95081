"""Adding a child to a family, and keeping the proof that it is theirs."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from time import monotonic
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.identity import iin_hashes
from accounts.models import User
from accounts.registry import Person, PersonNotFound, PhoneTie, RegistryUnavailable, get_registry
from children.access import children_of, guardians_of, present_people
from children.disputes import barred_children, is_barred, lock_people, opponents_of, stoppable
from children.journal_actions import Action
from children.known import children_with
from children.models import Child, Dispute, Guardianship
from notifications.locks import Busy, brief_locks
from notifications.services import enqueue

# An older child, by year of birth, waits for no kindergarten; its IIN can still be typed.
OLDEST_OFFERED: Final = 7


class ChildRefused(Exception):
    """The child can't be added; `str()` is a sentence for the parent.

    The sentence is the same for an unknown IIN and for another family's child: it must not tell them apart. `at_work`
    is the one for an employee.
    """

    def __str__(self) -> str:
        return _("No data was found, or your connection with the child was not confirmed")

    @property
    def at_work(self) -> str:
        return _(
            "The registry does not name this person as a guardian of a child with this IIN: that goes by papers"
        )


class ChildAlreadyAdded(ChildRefused):
    """The parent has added this very child before: `child`."""

    def __init__(self, child: Child) -> None:
        super().__init__()
        self.child = child

    def __str__(self) -> str:
        return _("This child is already on your list")

    @property
    def at_work(self) -> str:
        return _("This person has added the child already")


class ChildBusy(ChildRefused):
    """Somebody else changes this child at this moment, or a file with it is being loaded; nothing was saved."""

    def __str__(self) -> str:
        return _(
            "The data of this child is being changed at this moment, and nothing was saved. Try again in a minute."
        )

    @property
    def at_work(self) -> str:
        return str(self)


class DocumentUnknown(Exception):
    """The registry no longer knows the document of a guardian without an IIN, so it says nothing of them."""


class GuardianshipBarred(ChildRefused):
    """An official has yet to decide, or has decided, whether the parent is a guardian of this child or of a sibling."""

    def __str__(self) -> str:
        return _(
            "An official decides, or has decided, whether you are a guardian of this child. Call the contact centre."
        )

    @property
    def at_work(self) -> str:
        return _(
            "An official decides, or has decided, whether this person is a guardian of this child: only the education "
            "department can help here"
        )


def find_child(user: User, *, iin: str, beside: Child | None = None) -> Person:
    """What the registry says of the child with `iin` (12 digits) if `user` is its guardian.

    That it is the child that `user` has without an IIN refuses it, unless that is `beside`, which is to become one with
    it later.
    Raises `ChildAlreadyAdded`, `GuardianshipBarred`, `ChildRefused`, `accounts.registry.RegistryUnavailable`. May take
    seconds: never call it inside a transaction.
    """
    added = children_of(user).filter(pk__in=children_with(iin=iin)).first()
    if added is not None:
        raise ChildAlreadyAdded(added)
    person = ask_registry(user, iin=iin)
    on_paper = _same_on_paper(user, person, beside=beside)
    if on_paper is not None:
        raise ChildAlreadyAdded(on_paper)
    if is_barred(user, children_with(iin=iin)) or _is_ward_of_any(opponents_of(user), iin=iin):
        raise GuardianshipBarred
    return person


def _same_on_paper(user: User, person: Person, *, beside: Child | None) -> Child | None:
    """The child that `user` has here without an IIN and that `person` is: its IIN is entered on its own page.

    Twins have different first names.
    """
    born_then = children_of(user).filter(
        paper_hash__isnull=False, birth_date=person.birth_date, sex=person.sex
    )
    name = person.first_name.casefold()
    same = (
        child
        for child in born_then
        if not child.iin and child != beside and child.first_name.casefold() == name
    )
    return next(same, None)


def _is_ward_of_any(guardians: Iterable[User], *, iin: str) -> bool:
    """Whether the registry knows the child as that of one of `guardians`, who may not have added it here.

    However many they are, no question is begun once the time of one has passed: raises `RegistryUnavailable` then.
    """
    until = monotonic() + settings.PERSON_REGISTRY_SECONDS
    for guardian in guardians:
        if monotonic() >= until:
            raise RegistryUnavailable("too slow for several questions")
        try:
            ask_registry(guardian, iin=iin)
        except ChildRefused:
            continue
        return True
    return False


def known_wards(user: User) -> list[Person] | None:
    """The children of `user` as far as the registry names them by itself; None if it does not answer.

    Only for whom the state knows the phone as their own: nobody else is shown a child that they did not name. May take
    seconds: never call it inside a transaction.
    """
    profile = user.profile
    if profile.phone_tie != PhoneTie.YES or not profile.iin:
        return []
    try:
        return get_registry().find_wards(guardian_iin=profile.iin)
    except RegistryUnavailable:
        return None


def still_to_add(user: User, wards: Iterable[Person], *, today: date) -> list[Person]:
    """Those of `wards` that `user` may add and has not added; the youngest first, none that is past kindergarten."""
    left_out = set(children_of(user).values_list("iin_hash", flat=True)) | barred_children(user)
    young = [ward for ward in wards if today.year - ward.birth_date.year <= OLDEST_OFFERED]
    offered = [ward for ward in young if left_out.isdisjoint(iin_hashes(ward.iin))]
    return sorted(offered, key=lambda ward: ward.birth_date, reverse=True)


def add_child(
    user: User,
    *,
    iin: str,
    nationality: str = "",
    beside: Child | None = None,
    assisted_by: User | None = None,
    now: datetime,
) -> Child:
    """Add the child with `iin` (12 digits) to the family of `user` and return it; `beside` as in `find_child`.

    The registry is asked again, so nobody can add a child by skipping a page. A child that another guardian has added
    stays one row that both may act for; its data is brought up to date. Every guardian the child already has is told
    at once, by inbox and SMS, and finds it in the journal. The journal of `user` names `assisted_by`, the employee who
    adds it for them. Raises what `find_child` raises, and `ChildBusy`. Asks the registry, so never
    call it inside a transaction. Locks the parent's row, then the child's.
    """
    known_opponents = set(opponents_of(user))
    person = find_child(user, iin=iin, beside=beside)
    try:
        # A file of the former queue holds its children until it is loaded.
        with brief_locks():
            lock_people(user)
            if not present_people().filter(pk=user.pk).exists():
                raise GuardianshipBarred
            # Check again: «Stop» may have been pressed meanwhile, or an official may have decided; both lock the same
            # row. Whether the child is that of a new opponent, the registry has not been asked.
            if is_barred(user, children_with(iin=iin)) or set(opponents_of(user)) - known_opponents:
                raise GuardianshipBarred
            child = _stored_child(person, nationality=nationality, now=now)
            guardianship, created = Guardianship.objects.get_or_create(
                child=child,
                user=user,
                ended_at=None,
                defaults={"source": Guardianship.Source.REGISTRY, "added_at": now, "verified_at": now},
            )
            if not created:
                raise ChildAlreadyAdded(child)
            audit.record(
                Action.CHILD_ADDED, actor=assisted_by or user, subject=user, target=child.full_name, now=now
            )
            tell_the_others(guardianship, now=now)
    except Busy as error:
        raise ChildBusy from error
    return child


def recheck_guardianship(guardianship: Guardianship, *, now: datetime, dry_run: bool = False) -> bool:
    """Ask the registry whether `guardianship` still holds; end it if not. True if it holds.

    If it holds, the child's data is brought up to date with the registry's. A guardianship that an official confirmed
    is not ended. Raises `DocumentUnknown`, and `accounts.registry.RegistryUnavailable`, and then ends nothing. With
    `dry_run` nothing is changed. Asks the registry, so never call it inside a transaction; locks the child's row.
    """
    if guardianship.source == Guardianship.Source.OFFICIAL:
        return True
    try:
        person = ask_registry(guardianship.user, iin=guardianship.child.iin)
    except ChildRefused:
        _refuse_unknown_document(guardianship.user, now=now, dry_run=dry_run)
        person = None
    if not dry_run:
        _store_recheck(guardianship, person, now=now)
    return person is not None


def _refuse_unknown_document(user: User, *, now: datetime, dry_run: bool) -> None:
    """Raise `DocumentUnknown` if the registry finds nobody by the document of `user`, who has no IIN.

    It was renewed, most likely: the person is asked once to enter the new one.
    """
    profile = user.profile
    if profile.iin:
        return
    try:
        get_registry().find_person(document_number=profile.document_number)
    except PersonNotFound:
        if not dry_run:
            key = f"{profile.document_hash}"
            enqueue(
                user,
                "document_unknown",
                context={},
                dedupe_key=key,
                now=now,
                link=reverse("accounts:document"),
            )
        raise DocumentUnknown from None


def _store_recheck(guardianship: Guardianship, person: Person | None, *, now: datetime) -> None:
    """Under the lock of the child's row, like every writer of `ended_at`: a decision may be under way."""
    with transaction.atomic():
        _lock_child(guardianship.child_id)
        live = Guardianship.objects.filter(
            pk=guardianship.pk, ended_at=None, source=Guardianship.Source.REGISTRY
        )
        if person is None:
            live.update(ended_at=now)
        else:
            live.update(verified_at=now)
            Child.objects.filter(pk=guardianship.child_id).update(**_facts(person))


def _lock_child(pk: UUID) -> None:
    Child.objects.select_for_update().values_list("pk").get(pk=pk)


def ask_registry(user: User, *, iin: str) -> Person:
    """What the registry says of the child with `iin` if it knows `user` as its guardian.

    Raises `ChildRefused`, `accounts.registry.RegistryUnavailable`. Never call it inside a transaction.
    """
    profile = user.profile
    known_by = (
        {"guardian_iin": profile.iin} if profile.iin else {"guardian_document": profile.document_number}
    )
    try:
        return get_registry().find_ward(**known_by, child_iin=iin)
    except PersonNotFound:
        raise ChildRefused from None


def tell_the_others(guardianship: Guardianship, *, known: Collection[User] = (), now: datetime) -> None:
    """Tell the present guardians about a new one; the child's row is locked, so nobody is missed.

    The new one is also told who was there before; those `known` to them already are left out on both sides. «Stop» is
    promised to whom it is open; the others read whom to call.
    """
    child, newcomer = guardianship.child, guardianship.user
    others = [guardian for guardian in guardians_of(child) if guardian not in (newcomer, *known)]
    for guardian in others:
        audit.record(
            Action.GUARDIAN_ADDED,
            actor=newcomer,
            subject=guardian,
            target=child.full_name,
            child=child.pk,
            now=now,
        )
        enqueue(
            guardian,
            "guardian_added",
            context={
                "child": child,
                "guardian": newcomer.profile.masked_name,
                "may_stop": _may_stop(guardian, child, now=now),
            },
            dedupe_key=str(guardianship.pk),
            now=now,
            link=reverse("accounts:stop"),
            about=child.pk,
        )
    if others:
        enqueue(
            newcomer,
            "guardians_before",
            context={
                "child": child,
                "guardians": [other.profile.masked_name for other in others],
                "may_stop": _may_stop(newcomer, child, now=now),
            },
            dedupe_key=str(guardianship.pk),
            now=now,
            link=reverse("accounts:stop"),
            about=child.pk,
        )


def _may_stop(user: User, child: Child, *, now: datetime) -> bool:
    """Whether `user` may stop another guardian of `child`."""
    return stoppable(user, now=now).filter(child=child).exists()


def raise_dispute(
    guardianship: Guardianship, *, by: User, due_at: datetime, halts: bool, is_mutual: bool, now: datetime
) -> Dispute:
    """Record that `by` does not know the person of `guardianship`; `announce_stop` tells everybody.

    With `halts`, costly acts for the child are halted from now on; if the dispute `is_mutual`, both sides have the same
    restrictions. The caller holds the lock of the child's row and raises only one dispute for each guardianship.
    """
    return Dispute.objects.create(
        guardianship=guardianship,
        raised_by=by,
        raised_at=now,
        due_at=due_at,
        freed_at=None if halts else now,
        is_mutual=halts and is_mutual,
    )


def announce_stop(disputes: Sequence[Dispute], *, last_day: date, address: str | None, now: datetime) -> None:
    """Tell everybody about the disputes of one press of «Stop», all against one newcomer: one SMS and notice each.

    `last_day` is the local date up to which an official decides.
    """
    kind = "guardian_stopped" if disputes[0].is_halting else "guardian_reported"
    _announce(
        disputes,
        kind,
        Action.GUARDIAN_STOPPED,
        actor=disputes[0].raised_by,
        address=address,
        now=now,
        last_day=last_day,
        is_mutual=any(dispute.is_mutual for dispute in disputes),
    )


def free_dispute(dispute: Dispute, *, now: datetime) -> None:
    """Stop halting, since the state knows the newcomer's phone as theirs; the decision is still to come.

    The caller holds the lock of the child's row.
    """
    dispute.freed_at, dispute.is_mutual = now, False
    dispute.save(update_fields=["freed_at", "is_mutual"])
    _announce([dispute], "guardian_freed", Action.STOP_FREED, actor=None, now=now)


def prove_presser(dispute: Dispute, *, now: datetime) -> None:
    """The parent who pressed «Stop» has proven who they are and may choose places again. The child's row is locked."""
    dispute.is_mutual = False
    dispute.save(update_fields=["is_mutual"])
    for person in concerned(dispute):
        audit.record(
            Action.PRESSER_PROVEN,
            actor=None,
            subject=person,
            target=dispute.guardianship.child.full_name,
            now=now,
        )


def decide_dispute(
    dispute: Dispute, *, outcome: Dispute.Outcome, actor: User | None, reason: str, now: datetime
) -> None:
    """Write the decision of `actor` (None: the registry ended the guardianship), also against an earlier one.

    `ENDS` ends the guardianship unless it has ended; `STANDS` revives it if an earlier decision ended it. An overruled
    decision is kept. The caller holds the lock of the child's row and has read `dispute` with its guardianship under
    it.
    """
    live = Guardianship.objects.filter(pk=dispute.guardianship_id)
    if outcome == Dispute.Outcome.ENDS and dispute.guardianship.ended_at is None:
        live.update(ended_at=now)
    elif outcome == Dispute.Outcome.STANDS and dispute.is_ended_by_official:
        live.update(ended_at=None)
    if dispute.decided_at is not None:
        dispute.overruled.create(
            outcome=dispute.outcome,
            decided_at=dispute.decided_at,
            decided_by=dispute.decided_by,
            reason=dispute.reason,
        )
    dispute.outcome, dispute.reason = outcome, reason
    dispute.decided_at, dispute.decided_by = now, actor
    dispute.freed_at = dispute.freed_at or now
    dispute.save(update_fields=["outcome", "reason", "decided_at", "decided_by", "freed_at"])
    dispute.guardianship.refresh_from_db(fields=["ended_at"])
    if outcome == Dispute.Outcome.ENDS:
        kind, action = "guardianship_ended", Action.GUARDIANSHIP_ENDED
    else:
        kind, action = "guardianship_stands", Action.GUARDIANSHIP_STANDS
    _announce([dispute], kind, action, actor=actor, now=now, reason=reason)
    presser = dispute.raised_by
    if presser not in concerned(dispute) and presser.leaving_since is None:
        enqueue(
            presser,
            "stop_decided",
            context={"stands": outcome == Dispute.Outcome.STANDS},
            dedupe_key=f"{dispute.pk}:{now.isoformat()}",
            now=now,
        )


def note_repeated_stop(dispute: Dispute, *, by: User, now: datetime) -> None:
    """Note in the journals of both that `by` pressed «Stop» again."""
    child, newcomer = dispute.guardianship.child, dispute.guardianship.user
    for subject in (by, newcomer):
        audit.record(Action.STOP_REPEATED, actor=by, subject=subject, target=child.full_name, now=now)


def concerned(dispute: Dispute) -> list[User]:
    """The people a dispute concerns: the child's guardians who can sign in, and the newcomer, even if no longer one."""
    newcomer = dispute.guardianship.user
    others = [guardian for guardian in guardians_of(dispute.guardianship.child) if guardian != newcomer]
    return [*others, newcomer]


def _announce(
    disputes: Sequence[Dispute],
    kind: str,
    action: Action,
    *,
    actor: User | None,
    now: datetime,
    address: str | None = None,
    **context: Any,
) -> None:
    """Tell everybody concerned, by the kind's channels and in the journal. Only the actor's entry keeps `address`.

    A presser who is no guardian has it in the journal too, which names no child then. A person concerned by several of
    the disputes (all against one newcomer) gets one message that names the children.
    """
    newcomer = disputes[0].guardianship.user
    children: dict[User, list[str]] = {}
    for dispute in disputes:
        for person in concerned(dispute):
            children.setdefault(person, []).append(dispute.guardianship.child.full_name)
    presser = disputes[0].raised_by
    if presser not in children:
        own_address = address if presser == actor else None
        audit.record(action, actor=actor, subject=presser, address=own_address, now=now)
    for person, names in children.items():
        for name in names:
            audit.record(
                action,
                actor=actor,
                subject=person,
                target=name,
                reason=context.get("reason", ""),
                address=address if person == actor else None,
                now=now,
            )
        # Who has closed their account was promised that no message comes any more.
        if person.leaving_since is not None:
            continue
        enqueue(
            person,
            kind,
            context={
                "children": names,
                "guardian": newcomer.profile.masked_name,
                "is_you": person == newcomer,
                **context,
            },
            dedupe_key=f"{disputes[0].pk}:{now.isoformat()}",
            now=now,
            link=reverse("children:list"),
        )


def _stored_child(person: Person, *, nationality: str, now: datetime) -> Child:
    """The locked row of this child, made or brought up to date."""
    facts = _facts(person)
    # Under the hash key of before the constraint can't see it.
    known = children_with(iin=person.iin)
    if not known.exists():
        Child.objects.bulk_create(
            [
                Child(
                    iin=person.iin,
                    iin_hash=iin_hashes(person.iin)[0],
                    nationality=nationality,
                    created_at=now,
                    **facts,
                )
            ],
            ignore_conflicts=True,
        )
    child = known.select_for_update().get()
    for name, value in facts.items():
        setattr(child, name, value)
    child.nationality = nationality or child.nationality
    child.save(update_fields=[*facts, "nationality"])
    return child


def _facts(person: Person) -> dict[str, Any]:
    """The child's data that comes only from the registry, by the names of the model's fields."""
    return {
        name: getattr(person, name)
        for name in ("last_name", "first_name", "middle_name", "birth_date", "sex")
    }
