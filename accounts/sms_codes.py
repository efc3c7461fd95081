"""One-time codes by SMS: six digits, ten minutes, five tries, one use, only in the session that asked.

Asking tells nothing about an account: for a known and an unknown number alike, a code row is written, an SMS text is
rendered and the same page follows. If no code may be sent, the row holds the hash of a code that nobody knows.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import limits
from accounts.crypto import keyed_hash
from accounts.models import ContactCode, OneTimeCode, SmsCode, User
from accounts.owner_proofs import stamp_of
from notifications.broker import DELIVERY_TASK, wake_soon_on_commit
from notifications.budget import check_newcomer
from notifications.services import enqueue_to_phone, withdraw_from_phone

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 5
RESEND_AFTER: Final = timedelta(seconds=60)
KEPT_FOR: Final = timedelta(hours=24)


# What proves a number alone, whether or not it has an account.
_OF_NUMBER: Final = frozenset({SmsCode.Purpose.COMPLAINT})
# Sent to whoever has the number; the text for one without an account.
_TO_ANYBODY: Final = {
    SmsCode.Purpose.REGISTER: "registration_code",
    SmsCode.Purpose.NEW_NUMBER: "new_number_code",
    SmsCode.Purpose.COMPLAINT: "complaint_code",
}
# Sent only to the owner of an account.
_OWNERS_KIND: Final = {
    SmsCode.Purpose.RESET: "reset_code",
    SmsCode.Purpose.STOP: "stop_code",
    SmsCode.Purpose.OLD_NUMBER: "old_number_code",
    SmsCode.Purpose.CONFIRM: "confirm_code",
}


class TooManyCodes(Exception):
    """No further code now; `retry_at` is None while the counters themselves do not answer."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__()
        self.retry_at = retry_at


class CodeFault(StrEnum):
    WRONG = "wrong"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Verdict:
    """`fault` is None for the right code; `tries_left` counts what is left after this try."""

    fault: CodeFault | None = None
    tries_left: int = 0

    @property
    def ok(self) -> bool:
        return self.fault is None


def send_code(
    *,
    phone: str,
    purpose: SmsCode.Purpose,
    session: str,
    language: str,
    address: str | None,
    device: str,
    now: datetime,
) -> None:
    """Write a new code for `phone` (E.164), valid in `session` only, and put the SMS into the outbox.

    A registered number that registers again gets a code too, and reads that it is registered; an unknown number for
    which an owner's code is asked gets none. The caller can't tell. `language` is that of the page, used where no
    account has one or its owner may be somebody else; `device` as in `accounts.limits.allow_code`. Raises
    `TooManyCodes` when the limits for the phone or the network are reached, or can't be counted, and
    `notifications.budget.BudgetSpent` when newcomers get no more codes.
    """
    if purpose in _TO_ANYBODY:
        check_newcomer(phone, now=now)
    allowed = limits.allow_code(phone, purpose=purpose, address=address, device=device, now=now)
    if not allowed.ok:
        raise TooManyCodes(allowed.retry_at)
    owner = User.objects.filter(phone=phone).first()
    kind, sends = _kind(purpose, owner)
    with transaction.atomic():
        about = stamp_of(owner) if purpose in _OWNERS_KIND else ""
        row, code = _new_code(phone, purpose, about=about, session=session, sends=sends, now=now)
        if owner is not None and purpose not in _TO_ANYBODY:
            language = owner.language
        _send_or_pretend(kind, phone, code, row=row, language=language, now=now, sends=sends)


def _kind(purpose: SmsCode.Purpose, owner: User | None) -> tuple[str, bool]:
    """The kind of SMS, and whether it is sent at all.

    Whoever has a number may register with it, or move to it, even if it belongs to an account: perhaps the operator has
    given it to somebody else (`accounts.numbers.claims`). Its owner reads that they are registered.
    """
    if purpose in _TO_ANYBODY:
        is_free = owner is None or purpose in _OF_NUMBER
        return _TO_ANYBODY[purpose] if is_free else "account_exists", True
    return _OWNERS_KIND[purpose], owner is not None and owner.is_active


def send_sign_in_code(user: User | None, *, phone: str, session: str, language: str, now: datetime) -> bool:
    """Send a code to `user`, who had the right password after too many tries; returns whether it is on its way.

    If `user` is None, the same is done for `phone` and undone, so that it takes as long. The same goes for an account
    that has had all its codes: only a code tells the visitor that the password was right.
    """
    # Without an account a name that nobody uses is counted, so each attempt asks Redis once.
    counted = limits.sign_in_code_limits(str(user.pk) if user else session)
    sends = limits.allow_all(counted, now=now).ok and user is not None
    language = user.language if user else language
    with transaction.atomic():
        row, code = _new_code(phone, SmsCode.Purpose.SIGN_IN, session=session, sends=sends, now=now)
        _send_or_pretend("sign_in_code", phone, code, row=row, language=language, now=now, sends=sends)
    return sends


def check_code(
    *,
    phone: str,
    purpose: SmsCode.Purpose,
    session: str,
    code: str,
    proves_more: Callable[[], bool] | None = None,
    now: datetime,
) -> Verdict:
    """Judge `code` against the newest one that `session` was sent for `phone`, and consume it if it is right.

    Locks the code's row: of many simultaneous tries with the right code exactly one succeeds, and none is uncounted.
    A code is valid until, and not at, the end of its ten minutes. A used or never sent code counts as expired.
    What only an owner is sent is right for that account alone, and until its password or number changes.
    If the code is right, `proves_more` is called under the lock: if it says no, that is a wrong try like any other, and
    the code stays valid for the tries that are left.
    """
    rows = SmsCode.objects.filter(phone=phone, purpose=purpose, session_hash=keyed_hash("session", session))
    owner = User.objects.filter(phone=phone).first() if purpose in _OWNERS_KIND else None
    given = _code_hash(phone, purpose, code, about=stamp_of(owner))
    return judge_code(rows, given, proves_more=proves_more, now=now)


def judge_code(
    rows: QuerySet[Any], given: str, *, proves_more: Callable[[], bool] | None = None, now: datetime
) -> Verdict:
    """Judge a code, whose keyed hash is `given`, against the newest of `rows`; otherwise as `check_code`."""
    with transaction.atomic():
        row: OneTimeCode | None = rows.select_for_update().order_by("-created_at", "-id").first()
        if row is None or row.used_at is not None or now >= row.expires_at:
            return Verdict(CodeFault.EXPIRED)
        if row.attempts >= TRIES:
            return Verdict(CodeFault.EXHAUSTED)
        if hmac.compare_digest(row.code_hash, given) and (proves_more is None or proves_more()):
            row.used_at = now
            row.save(update_fields=["used_at"])
            return Verdict()
        row.attempts += 1
        row.save(update_fields=["attempts"])
        left = TRIES - row.attempts
        return Verdict(CodeFault.WRONG if left else CodeFault.EXHAUSTED, left)


def old(*, now: datetime) -> QuerySet[SmsCode]:
    """Codes that expired more than a day ago; for signing in (one for each wrong password), as soon as they expire."""
    return SmsCode.objects.filter(
        Q(expires_at__lt=now - KEPT_FOR) | Q(purpose=SmsCode.Purpose.SIGN_IN, expires_at__lt=now)
    )


def prune(*, now: datetime) -> int:
    """Delete the codes that are `old`; returns how many."""
    deleted, _per_model = old(now=now).delete()
    return deleted


def old_contact_codes(*, now: datetime) -> QuerySet[ContactCode]:
    """Codes to other contacts that expired more than a day ago."""
    return ContactCode.objects.filter(expires_at__lt=now - KEPT_FOR)


def prune_contact_codes(*, now: datetime) -> int:
    """Delete them; returns how many."""
    deleted, _per_model = old_contact_codes(now=now).delete()
    return deleted


def _send_or_pretend(
    kind: str, phone: str, code: str, *, row: SmsCode, language: str, now: datetime, sends: bool
) -> None:
    """If nothing may be sent, the work is done and undone and the sender woken for nothing: it takes as long."""
    with transaction.atomic():
        _withdraw_former(kind, phone, row=row, now=now)
        enqueue_to_phone(
            phone,
            kind,
            context={"code": code, "minutes": LIFETIME // timedelta(minutes=1)},
            language=language,
            dedupe_key=_key(row),
            now=now,
        )
        if not sends:
            transaction.set_rollback(True)
    if not sends:
        wake_soon_on_commit(DELIVERY_TASK)


def _withdraw_former(kind: str, phone: str, *, row: SmsCode, now: datetime) -> None:
    """A code that `row` makes void and that has not gone out yet is sent no more: it would come after the valid one."""
    former = SmsCode.objects.filter(
        phone=phone, purpose=row.purpose, session_hash=row.session_hash, expires_at__gt=now
    ).exclude(pk=row.pk)
    withdraw_from_phone(phone, kind, dedupe_keys=map(_key, former))


def _key(row: SmsCode) -> str:
    return f"sms-code:{row.pk}"


def _new_code(
    phone: str, purpose: SmsCode.Purpose, *, about: str = "", session: str, sends: bool, now: datetime
) -> tuple[SmsCode, str]:
    code = random_code()
    row = SmsCode.objects.create(
        phone=phone,
        purpose=purpose,
        code_hash=_code_hash(phone, purpose, code if sends else what_nobody_types(), about=about),
        session_hash=keyed_hash("session", session),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return row, code


def random_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def what_nobody_types() -> str:
    """In the place of a code that is not sent: six digits could be guessed all the same."""
    return secrets.token_hex()


def _code_hash(phone: str, purpose: str, code: str, *, about: str) -> str:
    """`about` is the `stamp_of` the account that the code proves; empty where it proves a number alone."""
    return keyed_hash("sms-code", f"{purpose}:{phone}:{about}:{code}")
