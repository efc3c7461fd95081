"""What of a family's applications stands in a copy of one's own data."""

from typing import Any, Final

from django.db.models import Q, QuerySet

from accounts.data.sections import Section
from accounts.models import User
from applications.models import (
    Alert,
    Application,
    Benefit,
    Bid,
    CalendarAddress,
    Complaint,
    Contract,
    Correction,
    Event,
    Extension,
    ExtensionDocument,
    Offer,
    Referral,
    StopListEntry,
    UndoRequest,
)
from children.access import known_children

_ROW: Final = "a number of the row"


def _under(model: Any, path: str) -> Any:
    """The rows of `model` that belong to applications of children of whom a person is told everything."""

    def rows(user: User) -> "QuerySet[Any]":
        found: QuerySet[Any] = model.objects.filter(**{f"{path}child__in": known_children(user.pk)})
        return found.order_by("pk")

    return rows


def _unless_sent_by(name: str, *hidden: str) -> Any:
    """What another guardian sent is theirs."""

    def hide(user: User, row: Any) -> tuple[str, ...]:
        sender = row
        for step in name.split("."):
            sender = getattr(sender, step)
        return () if sender == user else hidden

    return hide


def _complaints_of(user: User) -> "QuerySet[Complaint]":
    """All but those about children of whom `user` is told nothing (any more)."""
    told = Q(application=None) | Q(application__child__in=known_children(user.pk))
    return Complaint.objects.filter(told, user=user).order_by("sent_at", "pk")


SECTIONS: Final = [
    Section(
        "applications",
        Application,
        _under(Application, ""),
        (
            "id",
            "number",
            "child_id",
            "locality",
            "birth_year",
            "languages",
            "tier",
            "filed_at",
            "state",
            "interest_confirmed_at",
            "archived_at",
        ),
        people=("filed_by",),
        left_out={"sequence": "orders equal times of filing", "runs_out_at": "worked out from the rest"},
    ),
    Section(
        "alerts",
        Alert,
        lambda user: Alert.objects.filter(user=user).order_by("pk"),
        ("application", "languages", "within_km", "around", "point", "is_on", "changed_at"),
        people=("user",),
        left_out={"id": _ROW, "kindergartens": "they stand below"},
    ),
    Section(
        "alert_kindergartens",
        Alert.kindergartens.through,
        lambda user: Alert.kindergartens.through.objects.filter(alert__user=user).order_by("pk"),
        ("alert", "kindergarten"),
        left_out={"id": _ROW},
    ),
    Section(
        "events",
        Event,
        _under(Event, "application__"),
        (
            "application",
            "at",
            "move",
            "from_state",
            "to_state",
            "reason",
            "data",
            "locality",
            "birth_year",
            "tier",
            "filed_at",
        ),
        people=("actor",),
        left_out={"id": _ROW},
    ),
    Section(
        "benefits",
        Benefit,
        _under(Benefit, "application__"),
        (
            "application",
            "category",
            "state",
            "original_name",
            "claimed_at",
            "decided_at",
            "reason",
            "valid_until",
        ),
        people=("claimed_by", "decided_by"),
        files=("document",),
        left_out={"id": _ROW},
        hide=_unless_sent_by("claimed_by", "document", "original_name"),
    ),
    Section(
        "bids",
        Bid,
        _under(Bid, "application__"),
        (
            "application",
            "vacancy",
            "state",
            "placed_at",
            "holds_seat",
            "answer_due",
            "decided_at",
            "reason",
            "awarded_at",
            "stand_in",
        ),
        people=("placed_by",),
        left_out={
            "id": _ROW,
            "told_at": "of the sender",
            "award_told_at": "of the sender",
            "asked_at": "of employees",
            "listed_at": "of employees",
            "reminded_at": "of employees",
            "escalated_at": "of employees",
            "silence_told_at": "of the sender",
        },
    ),
    Section(
        "offers",
        Offer,
        _under(Offer, "application__"),
        ("application", "vacancy", "state", "freed_at", "made_at", "until", "held_since", "ended_at"),
        left_out={"id": _ROW},
    ),
    Section(
        "referrals",
        Referral,
        _under(Referral, "application__"),
        (
            "number",
            "application",
            "bid",
            "state",
            "issued_at",
            "valid_until",
            "working_days",
            "held_since",
            "ended_at",
            "reason",
            "handed_in_at",
            "came_on",
        ),
        people=("issued_by",),
        files=("pdf",),
        left_out={"id": _ROW},
        # The paper names the guardian who asked for the place.
        hide=_unless_sent_by("bid.placed_by", "pdf"),
    ),
    Section(
        "extensions",
        Extension,
        _under(Extension, "referral__application__"),
        ("referral", "reason", "explanation", "previous_valid_until", "made_at"),
        people=("made_by",),
        left_out={"id": _ROW},
        hide=_unless_sent_by("made_by", "explanation"),
    ),
    Section(
        "extension_documents",
        ExtensionDocument,
        _under(ExtensionDocument, "extension__referral__application__"),
        ("extension", "original_name"),
        files=("file",),
        left_out={"id": _ROW},
        hide=_unless_sent_by("extension.made_by", "file", "original_name"),
    ),
    Section(
        "stops",
        StopListEntry,
        _under(StopListEntry, "application__"),
        ("application", "referral", "starts_at", "until", "lifted_at", "reason"),
        people=("lifted_by",),
        left_out={"id": _ROW},
    ),
    Section(
        "contracts",
        Contract,
        _under(Contract, "referral__application__"),
        ("referral", "number", "signed_at", "moved_to", "left_on", "ended_at", "end_reason"),
        people=("signed_by", "ended_by"),
        left_out={"id": _ROW},
    ),
    Section(
        "corrections",
        Correction,
        _under(Correction, "application__"),
        (
            "application",
            "new_filed_at",
            "new_birth_year",
            "previous_filed_at",
            "previous_birth_year",
            "reason",
            "document_number",
            "document_date",
            "state",
            "proposed_at",
            "decided_at",
        ),
        people=("proposed_by", "decided_by"),
        left_out={"id": _ROW},
    ),
    Section(
        "undo_requests",
        UndoRequest,
        _under(UndoRequest, "bid__application__"),
        ("kind", "bid", "came_on", "reason", "state", "proposed_at", "decided_at", "decision_reason"),
        people=("proposed_by", "decided_by"),
        left_out={"id": _ROW},
    ),
    Section(
        "complaints",
        Complaint,
        _complaints_of,
        (
            "id",
            "number",
            "about",
            "locality",
            "application",
            "kindergarten",
            "language",
            "text",
            "first",
            "sent_at",
            "due_at",
            "answer",
            "answered_at",
            "open_until",
            "closed_at",
        ),
        people=("user", "answered_by"),
        left_out={
            "phone": "of visitors without an account",
            "phone_hash": "of visitors without an account",
            "late_told_at": "of the sender",
        },
    ),
    Section(
        "calendar_address",
        CalendarAddress,
        lambda user: CalendarAddress.objects.filter(user=user),
        ("made_at",),
        people=("user",),
        left_out={
            "id": _ROW,
            "digest": "a secret, only a hash of which is kept",
            "stamp": "a hash of the hash of the password",
        },
    ),
]
