"""What the inbox shows and counts."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any, Final, TypeVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Q, QuerySet
from django.utils.timezone import localtime

from notifications.folding import pattern_of, words_of
from notifications.kinds import kinds_about, secret_kinds
from notifications.models import Message, Notice, Outgoing

Sent = TypeVar("Sent", bound=Outgoing)

# For so long somebody may still do something about a message that did not arrive.
LATELY: Final = timedelta(days=7)
# Nobody types more to find a notice; each costs a look at all texts.
MOST_WORDS: Final = 8
_LOST: Final = (Outgoing.State.FAILED, Outgoing.State.UNDELIVERED)

# Given by an app above: of what (`Notice.about`) a user is told now, as a subquery by the user's id.
_known: list[Callable[[Any], QuerySet[Any, Any]]] = []
# Given by an app above it: whether what a notice is about has a number that ends so, as a condition for notices.
_numbered: list[Callable[[str], Q]] = []
# So many digits are the end of a number, as an SMS has them.
_DIGITS: Final = 4
# Given by the same app: the names of these, by their keys.
_names: list[Callable[[Any], dict[UUID, str]]] = []


def register_known(
    known: Callable[[Any], QuerySet[Any, Any]], *, names: Callable[[Any], dict[UUID, str]]
) -> None:
    """Let `known` say about what a user, given by their id, is told now, and `names` how these are called.

    There is one such rule.
    """
    _known[:] = [known]
    _names[:] = [names]


def register_numbered(numbered: Callable[[str], Q]) -> None:
    """Let `numbered` say, as a condition for notices, whether what they are about has a number that ends so."""
    _numbered[:] = [numbered]


def known_to(user_pk: Any) -> QuerySet[Any, Any] | tuple[()]:
    """The keys of what this user is told of now, as a subquery; nothing where no app has said."""
    return _known[0](user_pk) if _known else ()


def names_of_known(user_pk: Any) -> dict[UUID, str]:
    """What this user is told of now, each with its name, in the order in which it is offered. One query."""
    return _names[0](user_pk) if _names else {}


def unread_count(user: AbstractBaseUser | AnonymousUser) -> int:
    """How many notices this person has not read yet; 0 for a visitor."""
    if not user.is_authenticated:
        return 0
    return inbox_of(user).filter(read_at=None).count()


def inbox_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Notice]:
    """What this person may read of their notices, newest first; none for a visitor. The only way to a notice.

    What is about something that they are told nothing of (any more) is kept, and not shown.
    """
    if not user.is_authenticated:
        return Notice.objects.none()
    return Notice.objects.filter(told_of(user.pk), recipient_id=user.pk)


def found_in(
    inbox: QuerySet[Notice], *, topic: str = "", about: UUID | None = None, typed: str = ""
) -> QuerySet[Notice]:
    """Those of `inbox` of this topic, about this child, with all `typed` words in a language.

    Words are folded (`folding.words_of`); signs alone are looked for as they stand. Four digits or more, and a whole
    number as «26-007291», are found by the number of the child's application, too, where no text has it.
    Searching reads all texts of the inbox, which is one person's: five thousand take some hundredths of a second.
    """
    if topic:
        inbox = inbox.filter(kind__in=kinds_about(topic))
    if about is not None:
        inbox = inbox.filter(about=about)
    terms = [parts for term in typed.split() if (parts := words_of(term))]
    if typed.strip() and not terms:
        signs = typed.strip()
        inbox = inbox.filter(Q(text_kk__contains=signs) | Q(text_ru__contains=signs))
    if terms:
        in_kazakh, in_russian = (
            reduce(and_, (_has_term(text, parts[:MOST_WORDS]) for parts in terms[:MOST_WORDS]))
            for text in ("text_kk", "text_ru")
        )
        inbox = inbox.filter(in_kazakh | in_russian)
    return inbox


def _has_term(text: str, parts: list[str]) -> Q:
    """Whether `text` has every part of what was typed without a blank, as the two of «26-007291»."""
    found = reduce(and_, (Q(**{f"{text}__regex": pattern_of(part)}) for part in parts))
    number = "-".join(parts)
    is_end_of_number = len(number) >= _DIGITS and all(part.isdecimal() for part in parts)
    return found | _numbered[0](number) if is_end_of_number and _numbered else found


def told_of(user_pk: Any) -> Q:
    """The rows with a column `about` of which this user is told now: about nothing in particular, or what they know."""
    return Q(about=None) | Q(about__in=known_to(user_pk))


def untold(messages: Iterable[Outgoing]) -> set[UUID]:
    """The keys of those SMS, or of those e-mails, whose recipients are not told (any more) of what they are about."""
    about = [message for message in messages if message.about is not None]
    if not about:
        return set()
    keys = {message.pk for message in about}
    rows: QuerySet[Any] = type(about[0])._default_manager.filter(pk__in=keys)
    return keys - set(rows.filter(told_of(OuterRef("recipient_id"))).values_list("pk", flat=True))


def goes_later(which: Q, *, written_at: datetime) -> datetime | None:
    """When the first of these SMS, of those written at this instant, goes, if it keeps hours; None if none waits.

    By the clocks of the place that it is about.
    """
    written = Message.objects.filter(which, created_at=written_at, next_attempt_at__gt=written_at)
    first = written.filter(state=Outgoing.State.QUEUED).order_by("next_attempt_at").first()
    return localtime(first.next_attempt_at, first.zone) if first else None


def undelivered(rows: "QuerySet[Sent]", *, now: datetime) -> "QuerySet[Sent]":
    """Those given up lately, or not delivered, without the codes: who waited for one has asked for another."""
    failed = rows.filter(state__in=_LOST, created_at__gt=now - LATELY)
    return failed.exclude(kind__in=secret_kinds())
