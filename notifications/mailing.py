"""Handing an e-mail to the mail server that Django's settings name.

An e-mail says no more than an SMS does: no name, no IIN, no link (but for the one with which an employee sets up an
account). Its only personal data are its address and language.
"""

import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.kinds import KINDS
from notifications.models import Mail
from notifications.sms.base import Outcome, SendResult
from notifications.troubles import Trouble

# 5xx: the server will not take this message, however often it is asked.
_FOR_GOOD: Final = range(500, 600)


def send_mail(mail: Mail) -> SendResult:
    """Hand `mail` over; the result says whether another attempt makes sense.

    The same `Message-ID` goes with every attempt, so a mailbox that knows it shows the e-mail once.
    """
    if mail.address is None:
        return SendResult(Outcome.UNAVAILABLE, error=Trouble.NO_KEY_OF_ADDRESS.value)
    was_asked = False
    try:
        with get_connection() as connection:
            was_asked = True
            connection.send_messages([message(mail)])
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _answer in refused.recipients.values()]
        return _failed(codes[0] if codes else 0)
    except smtplib.SMTPResponseException as answer:
        return _failed(answer.smtp_code, is_ours=isinstance(answer, smtplib.SMTPAuthenticationError))
    except (smtplib.SMTPException, OSError) as error:
        outcome = Outcome.UNCLEAR if was_asked else Outcome.UNAVAILABLE
        return SendResult(outcome, error=f"mail: {type(error).__name__}")
    return SendResult(Outcome.ACCEPTED)


def message(mail: Mail) -> EmailMessage:
    """The e-mail as it is sent, in its own language."""
    with translation.override(mail.language):
        kind = KINDS.get(mail.kind)
        subject = str(kind.title) if kind else ""
        closing = _(
            "This e-mail was sent by the portal. Nobody reads answers to it. The contact centre: %(phone)s"
        ) % {"phone": settings.CONTACT_PHONES[0]}
    headers = {"Message-ID": f"<{mail.pk}@{settings.MAIL_DOMAIN}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        subject=f"BALABAQSHA: {subject}",
        body=f"{mail.text}\n\n{closing}\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.address],
        headers=headers,
    )


def _failed(code: int, *, is_ours: bool = False) -> SendResult:
    outcome = Outcome.REFUSED if code in _FOR_GOOD and not is_ours else Outcome.UNAVAILABLE
    return SendResult(outcome, error=f"mail: {code}")
