"""What the portal told a family, by which way, and whether it went out; and sending one of it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts import audit
from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application
from notifications.models import Mail, Message, Notice, Outgoing, PushMessage, TelegramMessage
from notifications.services import can_send_again, send_again


class Way(StrEnum):
    """As it stands in the address of the button."""

    SMS = "sms"
    EMAIL = "email"
    TELEGRAM = "telegram"
    PUSH = "push"
    INBOX = "inbox"


_SENT_BY: Final[dict[Way, type[Outgoing]]] = {
    Way.SMS: Message,
    Way.EMAIL: Mail,
    Way.TELEGRAM: TelegramMessage,
    Way.PUSH: PushMessage,
}


@dataclass(frozen=True)
class Sent:
    """One message to a guardian, by name. `may_go_again`: it can be sent again, and holds no code."""

    way: Way
    row: Any
    to: str
    may_go_again: bool = False

    @property
    def at(self) -> datetime:
        at: datetime = self.row.created_at
        return at


def is_numbered(digits: str) -> Q:
    """Whether a notice is about a child one of whose applications has a number that ends with `digits`."""
    of_child = Application.objects.filter(child=OuterRef("about"), number__endswith=digits)
    return Q(Exists(of_child))


def messages_to(guardians: Mapping[User, str], *, most: int) -> list[Sent]:
    """The newest messages to these people, given with their names, by any way, newest first.

    To their present numbers also what was sent before the account was there, codes above all.
    """
    people, of_phone = {one.pk: one for one in guardians}, {one.phone: one for one in guardians if one.phone}
    theirs = Q(recipient__in=people)
    # Two questions, joined only then: asked as one, the database would read the whole outbox.
    sms = _newest(Message, theirs, most)
    if of_phone:
        sms = sms.union(_newest(Message, Q(recipient=None, phone__in=list(of_phone)), most))
    found = []
    for way, rows in (
        (Way.SMS, sms),
        (Way.EMAIL, _newest(Mail, theirs, most)),
        (Way.TELEGRAM, _newest(TelegramMessage, theirs, most)),
        (Way.PUSH, _newest(PushMessage, theirs, most)),
        (Way.INBOX, _newest(Notice, theirs, most)),
    ):
        for row in rows:
            recipient = people.get(row.recipient_id)
            # It is at hand: no row asks for its own.
            row.recipient = recipient
            to = guardians[recipient or of_phone[row.phone]]
            found.append(
                Sent(way, row, to, recipient is not None and way in _SENT_BY and can_send_again(row))
            )
    return sorted(found, key=lambda one: one.at, reverse=True)[:most]


def send_to_family_again(
    way: Way, pk: UUID, *, guardians: list[User], employee: User, address: str | None, now: datetime
) -> datetime | None:
    """Put a message to one of `guardians` back into the outbox; None if it can't be sent again (any more).

    Returns when it goes, which at night may be the morning. Their journal says that an employee did so. Raises
    `Http404` for a message to anybody else.
    """
    if way not in _SENT_BY:
        raise Http404
    model = _SENT_BY[way]
    with transaction.atomic():
        message = (
            model._default_manager.filter(pk=pk, recipient__in=guardians).select_related("recipient").first()
        )
        if message is None:
            raise Http404
        goes_at = send_again(message, now=now)
        if goes_at is None:
            return None
        audit.record(
            Action.SENT_AGAIN,
            actor=employee,
            subject=message.recipient,
            target=message.kind_title,
            about=message,
            address=address,
            now=now,
        )
        return goes_at


def _newest(model: Any, condition: Q, most: int) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.filter(condition)
    return rows.order_by("-created_at")[:most]


def names_of(model: type[Outgoing]) -> Any:
    """How the journal calls messages of `model`, by their keys: by their kinds, in the reader's language."""

    def names(keys: Any) -> dict[str, str]:
        return {str(one.pk): one.kind_title for one in model._default_manager.filter(pk__in=keys)}

    return names
