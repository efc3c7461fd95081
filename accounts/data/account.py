"""The part of the account itself: who the person is, their messages, journal and consents."""

import uuid
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit
from accounts.data.leaving import COME_BACK_FOR
from accounts.data.parts import Part
from accounts.data.sections import Section
from accounts.journal_actions import Action
from accounts.models import (
    AssistedMove,
    AuditEntry,
    DataExport,
    FirstSignIn,
    NumberMove,
    Objection,
    PolicyConsent,
    Profile,
    RecoveryCode,
    Session,
    SmsCode,
    User,
)
from accounts.numbers import moves
from accounts.registry import PhoneTie
from accounts.stored_files import delete_after_commit
from notifications.kinds import is_secret
from notifications.models import Mail, Message, Notice, PushMessage, PushSubscription, TelegramMessage
from notifications.retention import OVER
from notifications.selectors import inbox_of, known_to, told_of

# Nobody's: a column that must hold a date.
NO_BIRTH_DATE: Final = date(1900, 1, 1)
# Of whatever is on its way to somebody, by each way.
_OF_OUTGOING: Final = {
    "id": "a number of the row",
    "about": "the child that the text is about",
    "dedupe_key": "keeps a message from being written twice",
    "attempts": "of the sender",
    "unclear": "of the sender",
    "next_attempt_at": "of the sender",
    "give_up_at": "of the sender",
    "known_by": "of the sender",
    "zone_name": "of the sender",
    "error": "of the sender",
}


class Account(Part):
    code = "account"

    def losses(self, user: User, *, now: datetime) -> list[str]:
        until = date_format(localtime(now + COME_BACK_FOR), "SHORT_DATETIME_FORMAT")
        return [
            _("You can sign in and open the account again until: %(time)s. Nothing is erased before that.")
            % {"time": until},
            _("From the moment you close it you get no messages and can do nothing for your children."),
            _(
                "After that your name, IIN or document number, birth date, phones, e-mail, address, photo and all "
                "messages in your account are erased for good. The phone number can be registered anew."
            ),
        ]

    def stays(self, user: User, *, now: datetime) -> list[str]:
        return [
            _(
                "That and when you agreed to the data policy, and what was done when in the account, without your "
                "name, texts and network addresses: it proves that the data was used lawfully."
            ),
            _(
                "SMS already sent, without their text: for a year after sending, to answer the operator's bills."
            ),
        ]

    def sections(self) -> list[Section]:
        return [
            Section(
                "account",
                User,
                lambda user: User.objects.filter(pk=user.pk),
                (
                    "id",
                    "phone",
                    "phone_proven_at",
                    "email",
                    "mails_notices",
                    "telegram",
                    "chosen_ways",
                    "second_phone_if_lost",
                    "quiet_from",
                    "quiet_to",
                    "language",
                    "is_active",
                    "date_joined",
                    "last_login",
                ),
                left_out={
                    "username": "the phone again",
                    "password": "a secret, only a hash of which is kept",
                    "is_staff": "an employee's",
                    "is_superuser": "an employee's",
                    "kept_iin": "an employee's",
                    "staff_iin_hash": "an employee's",
                    "groups": "an employee's",
                    "user_permissions": "an employee's",
                    "leaving_since": "empty while a copy can be had",
                    "forgotten_at": "empty while a copy can be had",
                },
            ),
            Section(
                "profile",
                Profile,
                lambda user: Profile.objects.filter(user=user),
                (
                    "iin",
                    "document_number",
                    "last_name",
                    "first_name",
                    "middle_name",
                    "birth_date",
                    "sex",
                    "is_typed",
                    "phone_tie",
                    "registry_asked_at",
                    "second_phone",
                    "second_phone_proven_at",
                    "address",
                ),
                people=("user",),
                files=("photo",),
                left_out={
                    "id": "a number of the row",
                    "iin_hash": "made of the IIN, to find it",
                    "document_hash": "made of the document number, to find it",
                },
            ),
            Section(
                "consents",
                PolicyConsent,
                lambda user: PolicyConsent.objects.filter(user=user).order_by("given_at"),
                ("version", "given_at"),
                people=("user",),
                left_out={"id": "a number of the row"},
            ),
            Section(
                "journal",
                AuditEntry,
                audit.journal_of,
                ("at", "action", "target", "reason", "address"),
                people=("actor", "subject"),
                left_out={
                    "id": "a number of the row",
                    "about": "the key of the object in `target`",
                    "child": "the child that `target` names",
                    "changes": "of forms of the workplace",
                },
                # The address is that of whoever acted.
                hide=lambda user, entry: () if entry.actor == user else ("address",),
            ),
            Section(
                "moves_of_the_number",
                NumberMove,
                lambda user: NumberMove.objects.filter(account=user).order_by("asked_at"),
                (
                    "kind",
                    "proof",
                    "old_phone",
                    "new_phone",
                    "asked_at",
                    "due_at",
                    "stopped_at",
                    "stopped_because",
                    "done_at",
                    "reason",
                ),
                people=("account", "asked_by", "stopped_by", "done_by"),
                left_out={
                    "id": "a number of the row",
                    "password": "a secret, only a hash of which is kept",
                    "stamp": "a secret, only a hash of which is kept",
                    "claimant": "another person's",
                    "claimant_identity": "another person's",
                    "claimant_hash": "another person's",
                    "claimant_tie": "another person's",
                },
            ),
            Section(
                "moves_of_the_number_by_employees",
                AssistedMove,
                lambda user: AssistedMove.objects.filter(move__account=user).order_by("move__asked_at"),
                ("document", "why"),
                left_out={"id": "a number of the row", "move": "stands among the moves of the number"},
            ),
            Section(
                "objections",
                Objection,
                _objections_of,
                (
                    "id",
                    "about",
                    "child",
                    "wrong",
                    "right",
                    "sent_at",
                    "due_at",
                    "answer",
                    "reason",
                    "answered_at",
                ),
                people=("user", "answered_by"),
            ),
            Section(
                "messages",
                Notice,
                inbox_of,
                ("kind", "text_kk", "text_ru", "link", "created_at", "read_at", "archived_at"),
                people=("recipient",),
                left_out={
                    "id": "a number of the row",
                    "about": "the child that the text names",
                    "dedupe_key": "keeps a message from being written twice",
                },
            ),
            Section(
                "sms",
                Message,
                lambda user: Message.objects.filter(told_of(user.pk), recipient=user),
                (
                    "phone",
                    "is_copy",
                    "kind",
                    "language",
                    "text",
                    "state",
                    "created_at",
                    "sent_at",
                    "delivered_at",
                ),
                people=("recipient",),
                left_out={
                    "id": "a number of the row",
                    "about": "the child that the text is about",
                    "dedupe_key": "keeps an SMS from being written twice",
                    "attempts": "of the sender",
                    "unclear": "of the sender",
                    "next_attempt_at": "of the sender",
                    "give_up_at": "of the sender",
                    "known_by": "of the sender",
                    "zone_name": "of the sender",
                    "provider_id": "of the sender",
                    "segments": "of the sender",
                    "cost": "of the sender",
                    "ask_at": "of the sender",
                    "instead_of": "of the sender",
                    "merged_into": "of the sender",
                    "avoids": "of the sender",
                    "error": "of the sender",
                },
                hide=lambda _user, message: ("text",) if is_secret(message.kind) else (),
            ),
            Section(
                "mails",
                Mail,
                lambda user: Mail.objects.filter(told_of(user.pk), recipient=user),
                ("address", "kind", "language", "text", "state", "created_at", "sent_at"),
                people=("recipient",),
                left_out=_OF_OUTGOING,
                hide=lambda _user, mail: ("text",) if is_secret(mail.kind) else (),
            ),
            Section(
                "telegram",
                TelegramMessage,
                lambda user: TelegramMessage.objects.filter(told_of(user.pk), recipient=user),
                ("chat", "kind", "language", "text", "state", "created_at", "sent_at"),
                people=("recipient",),
                left_out=_OF_OUTGOING,
            ),
            Section(
                "push",
                PushMessage,
                lambda user: PushMessage.objects.filter(told_of(user.pk), recipient=user),
                ("kind", "language", "text", "state", "created_at", "sent_at"),
                people=("recipient",),
                left_out=_OF_OUTGOING,
            ),
            Section(
                "devices",
                PushSubscription,
                lambda user: PushSubscription.objects.filter(recipient=user),
                ("device", "created_at", "last_success_at", "gone_at"),
                people=("recipient",),
                left_out={
                    "id": "a number of the row",
                    "endpoint": "a secret of the browser: who has it can write to it",
                    "keys": "a secret of the browser",
                    "endpoint_hash": "finds the address again",
                    "device_hash": "finds the device again",
                    "stamp": "a hash of a hash of the password",
                },
            ),
        ]

    def forget(self, user: User, *, now: datetime) -> None:
        if hasattr(user, "profile"):
            _forget_profile(user.profile)
        Notice.objects.filter(recipient=user).delete()
        # What is under way still needs its text.
        Message.objects.filter(recipient=user, state__in=OVER).update(text="")
        Message.objects.filter(recipient=user).update(recipient=None)
        Mail.objects.filter(recipient=user).delete()
        TelegramMessage.objects.filter(recipient=user).delete()
        PushMessage.objects.filter(recipient=user).delete()
        PushSubscription.objects.filter(recipient=user).delete()
        if user.phone:
            SmsCode.objects.filter(phone=user.phone).delete()
        for export in DataExport.objects.filter(user=user):
            delete_after_commit(export.file)
            export.delete()
        moves.free_forgotten(user, now=now)
        Objection.objects.filter(user=user).delete()
        FirstSignIn.objects.filter(user=user).delete()
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        Session.objects.filter(user=user).delete()
        audit.record(Action.ACCOUNT_FORGOTTEN, actor=None, subject=user, now=now)
        user.username, user.phone = f"forgotten-{user.pk.hex}", None
        user.password, user.is_active, user.staff_iin_hash = make_password(None), False, None
        user.email, user.mails_notices, user.telegram = "", False, ""
        user.chosen_ways, user.second_phone_if_lost = {}, False
        user.quiet_from = user.quiet_to = None
        user.language, user.last_login, user.forgotten_at = settings.LANGUAGE_CODE, None, now
        user.phone_proven_at, user.kept_iin = None, ""
        user.save()
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_in_journal(%s)", [user.pk])


def _objections_of(user: User) -> QuerySet[Objection]:
    """All but those about children of whom `user` is told nothing (any more): the answers may say where they are."""
    told = Q(child=None) | Q(child__in=known_to(user.pk))
    return Objection.objects.filter(told, user=user).order_by("sent_at")


def _forget_profile(profile: Profile) -> None:
    delete_after_commit(profile.photo)
    profile.iin = profile.document_number = ""
    # A profile must have an identity: this one is nobody's.
    profile.iin_hash, profile.document_hash = f"forgotten-{uuid.uuid4().hex}", None
    profile.last_name = profile.first_name = profile.middle_name = ""
    profile.birth_date, profile.photo, profile.phone_tie = NO_BIRTH_DATE, "", PhoneTie.UNASKED
    profile.second_phone = profile.address = ""
    profile.registry_asked_at, profile.is_typed = None, False
    profile.second_phone_proven_at = None
    profile.save()
