"""Searches in the lists of the workplace: how many an employee may make in an hour, and what is kept about each.

A search is entered in the audit log with its words masked. People found by a whole IIN or document number can read it
in their own journal.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from accounts import audit, limits
from accounts.crypto import keyed_hash
from accounts.identity import DocumentError, Identity, document_hashes, iin_hashes, parse_identity
from accounts.iin import IinError
from accounts.journal_actions import Action
from accounts.masks import mask_document, mask_iin, mask_phone, mask_words
from accounts.models import Profile, User
from accounts.phones import PhoneError, parse_mobile
from accounts.sessions import clock_of
from applications.families.asked import read
from applications.journal_actions import Action as FamilyAction
from children.access import guardians_of
from children.models import Child

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

# How long the pages, filters and sortings of one search count as the same search.
GOES_ON: Final = timedelta(minutes=10)
# No longer term finds anything.
LONGEST_TERM: Final = 100

_LAST = "staff_last_search"


class TooManySearches(Exception):
    """No further search now; `retry_at` is None while the counter does not answer."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__()
        self.retry_at = retry_at


@dataclass(frozen=True)
class Term:
    """What was looked for: in the form that may be kept, and whose number it is, if it is a whole number."""

    masked: str
    identity: Identity | None = None
    is_number: bool = False
    # The number of an application or a referral: a paper's, nobody's own.
    paper: str = ""


def parse_term(text: str) -> Term:
    """What the words of a search are: a whole phone, IIN, document's or paper's number, or words. Pure."""
    try:
        return Term(mask_phone(parse_mobile(text)), is_number=True)
    except PhoneError:
        pass
    try:
        identity = parse_identity(text)
    except (IinError, DocumentError):
        asked = read(text)
        paper = asked.application or asked.referral
        return Term(paper or mask_words(text), paper=paper)
    masked = mask_iin(identity.iin) or mask_document(identity.document_number)
    return Term(masked, identity=identity, is_number=True)


def note_search(request: HttpRequest, *, in_list: "ModelAdmin[Any]", text: str) -> None:
    """Count and enter a search that is about to be made in a list that the employee may see.

    Continuing the last search (next page, another filter) does not count. Raises `TooManySearches`: then don't make it.
    """
    text = " ".join(text.replace("\0", " ").split())[:LONGEST_TERM]
    if not text:
        return
    label = in_list.opts.label_lower
    this, now = keyed_hash("search", f"{label}:{text}"), clock_of(request)
    if _goes_on(request.session, this, now=now):
        return
    employee, term = cast(User, request.user), parse_term(text)
    wanted = [(limits.SEARCH_PER_EMPLOYEE, str(employee.pk))]
    if term.is_number:
        wanted.append((limits.LOOK_UP_PER_EMPLOYEE, str(employee.pk)))
    allowed = limits.allow_all(wanted, now=now)
    if not allowed.ok:
        raise TooManySearches(allowed.retry_at)
    request.session[_LAST] = [this, now.isoformat()]
    address = audit.client_address(request)
    target = f"{label} {term.masked}"
    found = _found(request, in_list, text, term)
    with transaction.atomic() if found else nullcontext():
        audit.record(Action.SEARCHED, actor=employee, target=target, address=address, now=now)
        for entry in found:
            audit.record(**{"target": target, **entry}, actor=employee, address=address, now=now)


def _goes_on(session: SessionBase, this: str, *, now: datetime) -> bool:
    last, since = session.get(_LAST) or ("", "")
    return last == this and now < datetime.fromisoformat(since) + GOES_ON


def _found(request: HttpRequest, in_list: "ModelAdmin[Any]", text: str, term: Term) -> list[dict[str, Any]]:
    """What is entered of whom the list finds by their number; most numbers that are typed are nobody's."""
    if term.identity:
        entries: list[dict[str, Any]] = [
            {"action": Action.LOOKED_UP, "subject": person, "target": name}
            for person, name in _family(term.identity)
        ]
    elif term.paper:
        entries = [
            {"action": FamilyAction.FOUND_FAMILY, "about": child} for child in _children_of(term.paper)
        ]
    else:
        return []
    return entries if entries and _finds_anybody(request, in_list, text) else []


def _finds_anybody(request: HttpRequest, in_list: "ModelAdmin[Any]", text: str) -> bool:
    rows, _may_repeat = in_list.get_search_results(request, in_list.get_queryset(request), text)
    return rows.exists()


def _children_of(paper: str) -> list[Child]:
    """Whose application or referral has this number; each is asked for along its own index."""
    by_application = Child.objects.filter(applications__number=paper)
    by_referral = Child.objects.filter(applications__referrals__number=paper)
    return list({*by_application, *by_referral})


def _family(identity: Identity) -> list[tuple[User, str]]:
    """Whose journals show the look-up, the parent's or those of the child's guardians, with the number's owner."""
    if identity.iin:
        profile = Profile.objects.filter(iin_hash__in=iin_hashes(identity.iin)).select_related("user").first()
        child = Child.objects.filter(iin_hash__in=iin_hashes(identity.iin)).first()
        if child is not None:
            return [(guardian, child.full_name) for guardian in guardians_of(child)]
    else:
        hashed = document_hashes(identity.document_number)
        profile = Profile.objects.filter(document_hash__in=hashed).select_related("user").first()
    return [(profile.user, profile.full_name)] if profile else []
