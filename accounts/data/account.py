"""The part of the account itself: who the person is, their messages, journal and consents."""

import uuid
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit
from accounts.data.leaving import COME_BACK_FOR
from accounts.data.parts import Part
from accounts.journal_actions import Action
from accounts.models import Profile, SmsCode, User
from accounts.registry import PhoneTie
from accounts.stored_files import delete_after_commit
from notifications.models import Message, Notice
from notifications.retention import OVER

# Nobody's: a column that must hold a date.
NO_BIRTH_DATE: Final = date(1900, 1, 1)


class Account(Part):
    code = "account"

    def losses(self, user: User, *, now: datetime) -> list[str]:
        until = date_format(localtime(now + COME_BACK_FOR), "SHORT_DATETIME_FORMAT")
        return [
            _("You can sign in and open the account again until: %(time)s. Nothing is erased before that.")
            % {"time": until},
            _("From the moment you close it you get no messages and can do nothing for your children."),
            _(
                "After that your name, IIN or document number, birth date, phones, address, photo and all messages "
                "in your account are erased for good. The phone number can be registered anew."
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

    def forget(self, user: User, *, now: datetime) -> None:
        if hasattr(user, "profile"):
            _forget_profile(user.profile)
        Notice.objects.filter(recipient=user).delete()
        # What is under way still needs its text.
        Message.objects.filter(recipient=user, state__in=OVER).update(text="")
        Message.objects.filter(recipient=user).update(recipient=None)
        if user.phone:
            SmsCode.objects.filter(phone=user.phone).delete()
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        audit.record(Action.ACCOUNT_FORGOTTEN, actor=None, subject=user, now=now)
        user.username, user.phone = f"forgotten-{user.pk.hex}", None
        user.password, user.is_active, user.staff_iin_hash = make_password(None), False, None
        user.language, user.last_login, user.forgotten_at = settings.LANGUAGE_CODE, None, now
        user.save()
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_in_journal(%s)", [user.pk])


def _forget_profile(profile: Profile) -> None:
    delete_after_commit(profile.photo)
    profile.iin = profile.document_number = ""
    # A profile must have an identity: this one is nobody's.
    profile.iin_hash, profile.document_hash = f"forgotten-{uuid.uuid4().hex}", None
    profile.last_name = profile.first_name = profile.middle_name = ""
    profile.birth_date, profile.photo, profile.phone_tie = NO_BIRTH_DATE, "", PhoneTie.UNASKED
    profile.second_phone = profile.address = ""
    profile.save()
