"""A parent's other contacts: an e-mail address and a second phone, each proven by a code of its own.

A proven one can give the account back to an owner who has lost the number. A second phone that nobody proved is there
to be called; it may be a landline, or of another country.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import audit, limits
from accounts.crypto import keyed_hash
from accounts.journal_actions import Action
from accounts.models import ContactCode, Profile, User
from accounts.owner_proofs import stamp_of
from accounts.phones import PhoneError, parse_mobile
from accounts.sms_codes import LIFETIME, TooManyCodes, Verdict, judge_code, random_code, what_nobody_types
from notifications.choosing import bring_in_line
from notifications.services import enqueue, enqueue_to_mail, enqueue_to_phone
from notifications.ways import Way as NoticeWay
from notifications.ways import without

PROOF: Final = "contact"
# In the texts about a changed contact: a second phone that gives no account back.
FOR_CALLS: Final = "calls"


class Way(StrEnum):
    """Where else than to the account's own number a code can go."""

    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True)
class Contact:
    """A second phone (E.164) or an e-mail address (`accounts.emails.parse_email`)."""

    way: Way
    value: str


def proven_contact(user: User, way: Way) -> str:
    """The proven second phone or e-mail address of `user`; empty if there is none."""
    if way is Way.EMAIL:
        return user.email or ""
    return user.proven_second_phone


def how_proven(user: User) -> str:
    """What a code to the second phone of `user` has proven or could prove, as its owner reads it; empty without one."""
    phone = user.profile.second_phone
    if not phone:
        return ""
    if user.proven_second_phone:
        return _("proven by a code")
    try:
        parse_mobile(phone.as_e164)
    except PhoneError:
        return _("can't be proven by a code: we only call it")
    return _("not proven: we only call it")


def ask_for_proof(
    user: User, contact: Contact, *, session: str, address: str | None, device: str, now: datetime
) -> None:
    """Send a code to `contact` that `prove` takes from the same `session`. Raises `TooManyCodes`.

    `device` as in `accounts.limits.allow_code`.
    """
    counted = limits.allow(limits.CONTACTS_PER_ACCOUNT, str(user.pk), now=now)
    if counted.ok:
        counted = limits.allow_code(contact.value, purpose=PROOF, address=address, device=device, now=now)
    if not counted.ok:
        raise TooManyCodes(counted.retry_at)
    subject = _subject_of_proof(user, contact)
    with transaction.atomic():
        row, code = new_code(subject, session=session, now=now)
        send_code_to(contact, "contact_code", code, row=row, language=user.language, now=now)


def prove(
    user: User,
    contact: Contact,
    *,
    mails_notices: bool,
    session: str,
    code: str,
    address: str | None,
    now: datetime,
) -> Verdict:
    """Judge `code`; if it is right, `contact` is from now on the proven one of `user`, who is told by every way.

    `mails_notices` says whether notices go to an e-mail address beside SMS.
    """
    verdict = judge_contact_code(_subject_of_proof(user, contact), session=session, code=code, now=now)
    if verdict.ok and contact.way is Way.EMAIL:
        _change_email(user, contact.value, mails_notices=mails_notices, address=address, now=now)
    elif verdict.ok:
        change_second_phone(user, contact.value, is_proven=True, address=address, now=now)
    return verdict


def forget_email(user: User, *, address: str | None, now: datetime) -> None:
    """Take the e-mail address away; nothing is sent to it any more, and it gives nothing back."""
    if user.email:
        _change_email(user, "", mails_notices=False, address=address, now=now)


def choose_mails(user: User, *, mails_notices: bool, now: datetime) -> None:
    """Whether notices go to the proven e-mail address beside SMS; what was chosen by topic is over if that changes."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if mails_notices != locked.mails_notices:
            _choose_for_all(locked, mails_notices=mails_notices)
            locked.save(update_fields=["mails_notices", "chosen_ways"])
            bring_in_line(locked, now=now)
        user.mails_notices, user.chosen_ways = locked.mails_notices, locked.chosen_ways


def _choose_for_all(user: User, *, mails_notices: bool) -> None:
    user.mails_notices = mails_notices
    user.chosen_ways = without(NoticeWay.EMAIL, user.chosen_ways)


def change_second_phone(
    user: User, phone: str, *, is_proven: bool, address: str | None, now: datetime
) -> None:
    """Store the second phone (E.164; empty takes it away), and tell the owner of each change.

    Nothing is chosen for another one: what goes there may be nobody else's to read.
    One that is not proven gives no account back, but it is called about a child: a stranger's must not go unnoticed.
    """
    with transaction.atomic():
        profile = Profile.locked(user)
        before = profile.second_phone, profile.second_phone_proven_at is not None
        profile.second_phone = phone
        profile.second_phone_proven_at = now if is_proven else None
        if before != (profile.second_phone, is_proven):
            profile.save(update_fields=["second_phone", "second_phone_proven_at"])
            owner = User.objects.get(pk=user.pk)
            owner.chosen_ways = user.chosen_ways = without(NoticeWay.SECOND_PHONE, owner.chosen_ways)
            owner.second_phone_if_lost = user.second_phone_if_lost = False
            owner.save(update_fields=["chosen_ways", "second_phone_if_lost"])
            bring_in_line(owner, now=now)
            contact = Way.PHONE.value if is_proven or not phone else FOR_CALLS
            _tell(user, Way.PHONE, contact=contact, is_gone=not phone, address=address, now=now)


# --- codes, also for a lost number --------------------------------------------------------------------------------


def new_code(subject: str, *, session: str, sends: bool = True, now: datetime) -> tuple[ContactCode, str]:
    """A new code for `subject` (what it proves), valid in `session` only; one that is not sent is never right."""
    code = random_code()
    row = ContactCode.objects.create(
        subject_hash=keyed_hash("contact-subject", subject),
        code_hash=_code_hash(subject, code if sends else what_nobody_types()),
        session_hash=keyed_hash("session", session),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return row, code


def send_code_to(
    contact: Contact, kind: str, code: str, *, row: ContactCode, language: str, now: datetime
) -> None:
    """Put `code` into the outbox of SMS or of e-mail."""
    send = enqueue_to_mail if contact.way is Way.EMAIL else enqueue_to_phone
    context = {"code": code, "minutes": int(LIFETIME.total_seconds()) // 60}
    send(
        contact.value, kind, context=context, language=language, dedupe_key=f"contact-code:{row.pk}", now=now
    )


def judge_contact_code(subject: str, *, session: str, code: str, now: datetime) -> Verdict:
    """Judge `code` against the newest one for `subject` in `session`, as `accounts.sms_codes.check_code` does."""
    rows = ContactCode.objects.filter(
        subject_hash=keyed_hash("contact-subject", subject), session_hash=keyed_hash("session", session)
    )
    return judge_code(rows, _code_hash(subject, code), now=now)


def _change_email(user: User, email: str, *, mails_notices: bool, address: str | None, now: datetime) -> None:
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        former = locked.email
        locked.email = user.email = email
        if mails_notices != locked.mails_notices or not email:
            _choose_for_all(locked, mails_notices=mails_notices)
        user.mails_notices, user.chosen_ways = locked.mails_notices, locked.chosen_ways
        locked.save(update_fields=["email", "mails_notices", "chosen_ways"])
        bring_in_line(locked, now=now)
        _tell(
            locked,
            Way.EMAIL,
            contact=Way.EMAIL.value,
            is_gone=not email,
            former=former,
            address=address,
            now=now,
        )


def _tell(
    user: User,
    way: Way,
    *,
    contact: str,
    is_gone: bool,
    former: str = "",
    address: str | None,
    now: datetime,
) -> None:
    """Tell the owner which contact it is. Whoever reads the `former` mailbox learns that it is no longer the one."""
    key = f"contact-changed:{user.pk}:{now.isoformat()}"
    context = {"contact": contact, "is_gone": is_gone}
    audit.record(changed(way, is_gone=is_gone), now=now, actor=user, subject=user, address=address)
    with override(settings.LANGUAGE_CODE):
        link = reverse("accounts:email" if way is Way.EMAIL else "accounts:second_phone")
    enqueue(user, "contact_changed", context=context, dedupe_key=key, now=now, link=link)
    if former and former != user.email:
        enqueue_to_mail(
            former, "contact_changed", context=context, language=user.language, dedupe_key=key, now=now
        )


def changed(way: Way, *, is_gone: bool) -> Action:
    """What the journal says when the contact was changed, or taken away."""
    if way is Way.EMAIL:
        return Action.EMAIL_REMOVED if is_gone else Action.EMAIL_CHANGED
    return Action.SECOND_PHONE_REMOVED if is_gone else Action.SECOND_PHONE_CHANGED


def _subject_of_proof(user: User, contact: Contact) -> str:
    return f"proof:{stamp_of(user)}:{contact.way}:{contact.value}"


def _code_hash(subject: str, code: str) -> str:
    return keyed_hash("contact-code", f"{subject}:{code}")
