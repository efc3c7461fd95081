"""Changes to people: registration, password, profile, new employees."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import override
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit, limits, second_factor, staff_names
from accounts.crypto import keyed_hash
from accounts.identity import (
    Identity,
    document_hash,
    document_hashes,
    iin_hash,
    iin_hashes,
    proof_of_document,
)
from accounts.journal_actions import Action
from accounts.models import NumberMove, PolicyConsent, Profile, User
from accounts.numbers import claims, moves
from accounts.owner_proofs import is_as_it_was, stamp_of
from accounts.passwords import normalise_password
from accounts.registry import Person, PersonNotFound, PhoneTie, RegistryUnavailable, get_registry
from accounts.stored_files import delete_after_commit
from accounts.uploads import check_photo
from notifications.services import enqueue


class NotRegistrable(Exception):
    """Nobody can register with this number: it belongs to nobody, or to somebody who has registered already."""


class OwnerShutOut(NotRegistrable):
    """This number was registered with a phone that the state doesn't know as the owner's; it does know the asker's."""


class WithoutNumber(NotRegistrable):
    """This number has an account that signs in by no phone; the state knows the asker's as the owner's."""


class IdentityTaken(Exception):
    """Somebody has registered with this IIN or document already."""


class PhoneTaken(Exception):
    """Somebody has registered with this phone already."""


class BadStaffName(Exception):
    """No employee can have this name; the message says why, for operators."""


@dataclass(frozen=True)
class Consent:
    """The version of the data policy that was agreed to, and when."""

    version: str
    given_at: datetime


def must_accept_policy(user: User) -> bool:
    """Whether `user` agreed to other versions of the data policy, but never to the one in force."""
    agreed = set(user.consents.values_list("version", flat=True))
    return bool(agreed) and settings.DATA_POLICY_VERSION not in agreed


def newest_agreement(user: User) -> str:
    """The newest version of the data policy that `user` agreed to; empty if to none."""
    return max(user.consents.values_list("version", flat=True), default="")


def accept_policy(user: User, *, now: datetime) -> None:
    """Record that `user` agrees to the data policy in force; the first time counts."""
    PolicyConsent.objects.get_or_create(
        user=user, version=settings.DATA_POLICY_VERSION, defaults={"given_at": now}
    )


def find_registrant(identity: Identity, *, phone: str) -> tuple[Person, PhoneTie]:
    """The person with `identity`, and whether `phone` (E.164, proven by a code) is registered to them.

    Raises `NotRegistrable` after the same steps for a number that belongs to nobody and for one with an account, so
    that neither the answer nor its timing tells them apart; `OwnerShutOut` if the state knows this phone, and not the
    account's, as that of the number's owner; `WithoutNumber` likewise, if the account has no phone;
    `accounts.registry.RegistryUnavailable`. May take seconds: never call it inside a transaction.
    """
    registry = get_registry()
    try:
        person = registry.find_person(iin=identity.iin, document_number=identity.document_number)
    except PersonNotFound:
        person = None
    iin = person.iin if person else identity.iin
    tie = registry.phone_tie(phone=phone, iin=iin) if iin else PhoneTie.UNASKED
    account = account_of(person or identity)
    if account is not None and tie is PhoneTie.YES:
        if account.user.phone is None:
            raise WithoutNumber
        if account.phone_tie != PhoneTie.YES:
            raise OwnerShutOut
    if account is not None or person is None:
        raise NotRegistrable
    return person, tie


def note_shut_out(identity: Identity, *, address: str | None, now: datetime) -> None:
    """Note in the account's journal that the owner of its IIN, according to the state, tried to register."""
    account = account_of(identity)
    if account is not None:
        audit.record(Action.OWNER_SHUT_OUT, actor=None, subject=account.user, address=address, now=now)


def account_with_iin(iin: str) -> User | None:
    """The active account of the parent with this IIN, or None."""
    own = account_of(Identity(iin=iin))
    return own.user if own is not None and own.user.is_active else None


def account_of(identity: Person | Identity) -> Profile | None:
    """The account with this IIN or document. One statement, whichever of the two is known."""
    return _holders(identity.iin, identity.document_number).first()


def _holders(iin: str, document_number: str) -> QuerySet[Profile]:
    # No profile holds an empty hash; the statement is the same whichever of the two is known.
    by_iin = Q(iin_hash__in=iin_hashes(iin) or [""])
    return Profile.objects.select_related("user").filter(
        by_iin | Q(document_hash__in=document_hashes(document_number) or [""])
    )


def register(
    *,
    phone: str,
    password_hash: str,
    person: Person,
    phone_tie: PhoneTie = PhoneTie.UNASKED,
    consent: Consent,
    language: str,
    address: str | None,
    now: datetime,
) -> User:
    """Create a parent's account with its profile and consent, in one transaction, and record it.

    `phone` (E.164) must have been proven by a code, and `password_hash` must come from `make_password`. Sending the
    same registration twice, even at the same moment, creates one account and returns it twice. Raises `PhoneTaken`,
    `IdentityTaken`.
    """
    try:
        with transaction.atomic():
            user = User(
                username=phone, phone=phone, password=password_hash, language=language, date_joined=now
            )
            user.save(force_insert=True)
            refuse_taken(person)
            profile = profile_of(user, person)
            profile.phone_tie, profile.registry_asked_at = phone_tie, now
            profile.save(force_insert=True)
            PolicyConsent.objects.create(user=user, version=consent.version, given_at=consent.given_at)
            audit.record(Action.REGISTERED, now=now, actor=user, subject=user, address=address)
            return user
    except IntegrityError:
        existing = User.objects.filter(phone=phone).first()
        if existing is None:
            raise IdentityTaken from None
        # Two hashes of one password differ, so the same hash means the same form sent again.
        if existing.password == password_hash:
            return existing
        raise PhoneTaken from None


def profile_of(user: User, person: Person) -> Profile:
    """The profile of `user` as the state, or a document that was seen, knows the person; not saved."""
    return Profile(
        user=user,
        iin=person.iin,
        iin_hash=iin_hash(person.iin),
        document_number=person.document_number,
        document_hash=document_hash(person.document_number),
        last_name=person.last_name,
        first_name=person.first_name,
        middle_name=person.middle_name,
        birth_date=person.birth_date,
        sex=person.sex,
    )


def refuse_taken(identity: Person | Profile, *, besides: Profile | None = None) -> None:
    """Raise `IntegrityError` if another account has this IIN or document under the hash key of before.

    Under the present key the constraints say so.
    """
    if not settings.IIN_HASH_KEY_OLD:
        return
    holders = set(_holders(identity.iin, identity.document_number))
    if holders - {besides}:
        raise IntegrityError("another account has this identity")


class ChangedMeanwhile(Exception):
    """The account has another password or number than when its owner was proven."""


class TooManyTries(Exception):
    """No further try now; the next is allowed at `retry_at`."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__()
        self.retry_at = retry_at


def is_owner(phone: str, proof: str, *, now: datetime) -> bool:
    """Whether the person who has just read a code on `phone` also knows who owns the account.

    `proof` (`accounts.identity.parse_proof`) is the IIN or, for an account without one, the end of the document's
    number. Raises `TooManyTries` after five wrong ones in a day.
    """
    profile = Profile.objects.filter(user__phone=phone, user__is_active=True).first()
    is_right = profile is not None and hmac.compare_digest(_proof_of(profile), keyed_hash("proof", proof))
    answer = limits.judge([(limits.RESET_PER_ACCOUNT, phone)], right=is_right, now=now)
    if not answer.ok:
        raise TooManyTries(answer.retry_at)
    return is_right


def _proof_of(profile: Profile) -> str:
    return keyed_hash("proof", profile.iin or proof_of_document(profile.document_number))


def is_own_password(user: User, password: str, *, session: str | None, now: datetime) -> bool:
    """Whether `password` is that of `user`, who is signed in with the `session` of this key.

    Raises `TooManyTries` after five wrong ones in 15 minutes in this session: those of another are nothing to it.
    """
    counted = [(limits.PASSWORD_PER_SESSION, f"{user.pk} {session}")]
    # Don't hash for an answer that will not be given.
    answer = limits.allow_all([], watched=counted, now=now)
    is_right = answer.ok and user.check_password(normalise_password(password))
    if answer.ok:
        answer = limits.judge(counted, right=is_right, now=now)
    if not answer.ok:
        raise TooManyTries(answer.retry_at)
    return is_right


def change_password(user: User, *, password: str, action: Action, address: str | None, now: datetime) -> None:
    """Set a new password, which ends all sessions of `user`; record it and tell the owner by inbox and SMS.

    `action` is PASSWORD_CHANGED or PASSWORD_RESET. The view that changes it keeps its own session with
    `update_session_auth_hash`. Locks the user's row. Earlier sign-in failures no longer count. A reset has proven the
    account's number: it stops whatever would take that number away. `user` is what the proof was about: raises
    `ChangedMeanwhile` if its password or number is another one by now.
    """
    hashed = make_password(normalise_password(password))
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if not is_as_it_was(locked, stamp_of(user)):
            raise ChangedMeanwhile
        locked.password = hashed
        locked.save(update_fields=["password"])
        user.password = locked.password
        second_factor.forget_app_to_set_up(user)
        if action == Action.PASSWORD_RESET:
            claims.prove(user, now=now)
            moves.stop_all(user, because=NumberMove.Stopped.PROVEN, address=address, now=now)
        else:
            moves.renew(user, moves.Renewed.of(user, password))
        audit.record(action, now=now, actor=user, subject=user, address=address)
        with override(settings.LANGUAGE_CODE):
            link = reverse("accounts:profile")
        enqueue(
            user,
            "password_changed",
            context={},
            dedupe_key=f"password_changed:{user.pk}:{now.isoformat()}",
            now=now,
            link=link,
        )
    limits.clear(limits.SIGN_IN_PER_ACCOUNT, user.username, now=now)


def change_profile(
    user: User,
    *,
    address: str,
    language: str,
    client_address: str | None,
    now: datetime,
) -> None:
    """Store what a parent may change themselves; the registry's fields stay. `language` is that of their messages."""
    with transaction.atomic():
        profile = Profile.locked(user)
        profile.address = address
        profile.save(update_fields=["address"])
        set_language(user, language)
        audit.record(Action.PROFILE_CHANGED, now=now, actor=user, subject=user, address=client_address)


def refresh_phone_tie(user: User) -> PhoneTie:
    """What the state knows about the phone of `user`; asked again and stored unless it is known to be theirs.

    If nobody answers, what was known before. May take seconds: never call it inside a transaction.
    """
    profile = user.profile
    known = PhoneTie(profile.phone_tie)
    if known is PhoneTie.YES or not (profile.iin and user.phone):
        return known
    try:
        tie = get_registry().phone_tie(phone=user.phone.as_e164, iin=profile.iin)
    except RegistryUnavailable:
        return known
    if tie is not known:
        profile.phone_tie = tie.value
        profile.save(update_fields=["phone_tie"])
    return tie


def set_language(user: User, language: str) -> None:
    """Write to `user` in `language` from now on."""
    user.language = language
    user.save(update_fields=["language"])


def change_photo(user: User, *, file: "File[bytes]", address: str | None, now: datetime) -> None:
    """Store a re-encoded copy of `file` as the photo of `user`, and delete the old one after the commit.

    Raises `ValidationError` like `accounts.uploads.check_photo`.
    """
    photo = check_photo(file, sender=user).file
    with transaction.atomic():
        profile = Profile.locked(user)
        delete_after_commit(profile.photo)
        assert photo.name
        profile.photo.save(photo.name, photo, save=False)
        profile.save(update_fields=["photo"])
        audit.record(Action.PHOTO_CHANGED, now=now, actor=user, subject=user, address=address)


class StaffIinTaken(ValueError):
    """Another employee has this IIN."""


def enter_staff_iin(user: User, iin: str, *, actor: User | None, address: str | None, now: datetime) -> None:
    """Keep the hash of an employee's valid `iin`, so that they decide for no child of their own.

    Entered in the journal, without the IIN. Raises `StaffIinTaken`.
    """
    with transaction.atomic():
        _keep_staff_iin(user, iin)
        audit.record(Action.STAFF_IIN_SET, actor=actor, subject=user, address=address, now=now)


def _keep_staff_iin(user: User, iin: str) -> None:
    if User.objects.filter(staff_iin_hash__in=iin_hashes(iin)).exclude(pk=user.pk).exists():
        raise StaffIinTaken
    user.kept_iin, user.staff_iin_hash = iin, iin_hash(iin)
    try:
        with transaction.atomic():
            user.save(update_fields=["kept_iin", "staff_iin_hash"])
    except IntegrityError as error:
        raise StaffIinTaken from error


def create_staff(
    *,
    username: str,
    password: str,
    superuser: bool = False,
    groups: Iterable[str] = (),
    language: str = "kk",
    totp_key: str = "",
    iin: str = "",
    now: datetime,
) -> tuple[User, TOTPDevice]:
    """Create an employee with a confirmed second factor (TOTP) in the groups named; missing groups are created.

    For operators: entered in the audit without an actor.

    `totp_key` (hexadecimal) fixes the secret, for the demo; by default it is random. Of a valid `iin` only the hash is
    kept. Raises `BadStaffName` for a name that an employee can't have or that is taken, in either case, and
    `StaffIinTaken`.
    """
    if problem := staff_names.why_not(username):
        raise BadStaffName(f"The name {problem}.")
    if User.objects.filter(username__iexact=username).exists():
        raise BadStaffName(f"There is a user {username} already.")
    with transaction.atomic():
        user = User.objects.create_staff(
            username=username,
            password=normalise_password(password),
            is_superuser=superuser,
            language=language,
        )
        user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
        if iin:
            _keep_staff_iin(user, iin)
        options = {"key": totp_key} if totp_key else {}
        device = TOTPDevice.objects.create(user=user, name="default", confirmed=True, **options)
        roles = ", ".join(groups) or ("superuser" if superuser else "")
        audit.record(Action.EMPLOYEE_MADE, actor=None, subject=user, target=username, reason=roles, now=now)
    return user, device
