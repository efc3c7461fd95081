"""A lost number: the account moves to a new one, after codes to that and to a contact that its owner proved before.

Nobody learns whether an account has an IIN, or such a contact: for one without them the same is done and undone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from accounts import limits
from accounts.contacts import Contact, Way, judge_contact_code, new_code, proven_contact, send_code_to
from accounts.identity import Identity, document_hash, iin_hash
from accounts.models import NumberMove, User
from accounts.numbers import moves
from accounts.numbers.moves import Kind, Proof
from accounts.owner_proofs import stamp_of
from accounts.services import account_of
from accounts.sms_codes import TooManyCodes, Verdict
from notifications.broker import DELIVERY_TASK, MAIL_TASK, wake_soon_on_commit
from notifications.kinds import KINDS, Channel
from notifications.services import enqueue_to_mail, enqueue_to_phone
from notifications.ways import Way as NoticeWay
from notifications.ways import ways

PURPOSE: Final = "regain"
_PROOFS: Final = {Way.PHONE: Proof.SECOND_PHONE, Way.EMAIL: Proof.EMAIL}
# What is written for a contact that does not exist, and taken back.
_NOBODY: Final = {Way.PHONE: "+77000000000", Way.EMAIL: "nobody@localhost"}

# What contacts read where the account itself reads something else: they may be nobody's way into the cabinet any more.
_TO_CONTACTS: Final = {
    "number_move_asked": "number_asked",
    "number_held": "number_asked",
    "number_claimed": "number_news",
    "number_moved": "number_left",
    "number_lost": "number_gone",
}


def key_of(identity: Identity) -> str:
    """By which requests for an account are counted, whether or not there is one."""
    return iin_hash(identity.iin) or document_hash(identity.document_number) or ""


def ask_for_code(
    identity: Identity,
    way: Way,
    *,
    new_phone: str,
    session: str,
    language: str,
    address: str | None,
    knows: Callable[[str], str],
    now: datetime,
) -> None:
    """Send a code by `way` to the owner of the account with `identity`, if it has proven that contact.

    `new_phone` (E.164) was proven by a code. `knows` tells the number of the visitor's device if it knows the account
    of this name (`accounts.devices.known_device`): an owner's own device is stopped by nobody else. The caller can't
    tell whether one was sent, nor by the time it takes.
    `language` is that of the page. Raises `TooManyCodes`.
    """
    owner = _owner(identity)
    looker = f"{PURPOSE} {new_phone}"
    allowed = limits.allow_lookup(looker, address=address, now=now)
    if allowed.ok:
        device = knows(owner.username) if owner else ""
        allowed = limits.allow_regain(key_of(identity), new_phone=new_phone, device=device, now=now)
        if not allowed.ok:
            limits.lookup_was_harmless(looker, now=now)
    if not allowed.ok:
        raise TooManyCodes(allowed.retry_at)
    value = proven_contact(owner, way) if owner else ""
    subject = _subject(identity, owner, way, value, new_phone)
    with transaction.atomic():
        row, code = new_code(subject, session=session, sends=bool(value), now=now)
        with transaction.atomic():
            contact = Contact(way, value or _NOBODY[way])
            language = owner.language if owner else language
            send_code_to(contact, "regain_code", code, row=row, language=language, now=now)
            if not value:
                transaction.set_rollback(True)
        if not value:
            wake_soon_on_commit(MAIL_TASK if way is Way.EMAIL else DELIVERY_TASK)


def recover(
    identity: Identity,
    way: Way,
    *,
    new_phone: str,
    session: str,
    code: str,
    address: str | None,
    now: datetime,
) -> tuple[Verdict, NumberMove | None]:
    """Judge `code`; if it is right, the account moves to `new_phone` in 72 hours unless its owner stops that.

    The contact must be the proven one still. Raises `accounts.numbers.moves.NotMoved`.
    """
    owner = _owner(identity)
    value = proven_contact(owner, way) if owner else ""
    subject = _subject(identity, owner, way, value, new_phone)
    verdict = judge_contact_code(subject, session=session, code=code, now=now)
    if owner is None or not value or not verdict.ok:
        return verdict, None
    move = moves.ask(
        owner,
        kind=Kind.RECOVERY,
        proof=_PROOFS[way],
        new_phone=new_phone,
        asked_by=None,
        address=address,
        now=now,
    )
    return verdict, move


def tell_by_contacts(
    owner: User, kind: str, *, context: dict[str, Any], dedupe_key: str, now: datetime
) -> None:
    """Tell `owner` about a move by the proven second phone, and by the proven e-mail if notices don't go there anyway.

    What `accounts.numbers.concerned.Way` asks for.
    """
    told = _TO_CONTACTS.get(kind, kind)
    # An e-mail with a text of its own says it to the mailbox as well.
    mailed = kind if Channel.EMAIL in KINDS[kind].channels else told
    if getattr(owner, "profile", None) is not None and (phone := proven_contact(owner, Way.PHONE)):
        enqueue_to_phone(
            phone, told, context=context, language=owner.language, dedupe_key=dedupe_key, now=now
        )
    if owner.email and NoticeWay.EMAIL not in ways(KINDS[kind], owner):
        enqueue_to_mail(
            owner.email, mailed, context=context, language=owner.language, dedupe_key=dedupe_key, now=now
        )


def _owner(identity: Identity) -> User | None:
    """The owner of the account with `identity`, unless an official has blocked it. One statement."""
    profile = account_of(identity)
    return profile.user if profile is not None and profile.user.is_active else None


def _subject(identity: Identity, owner: User | None, way: Way, value: str, new_phone: str) -> str:
    """What a code proves: a change of the account's password or number voids it."""
    return f"regain:{key_of(identity)}:{stamp_of(owner)}:{way}:{value}:{new_phone}"
