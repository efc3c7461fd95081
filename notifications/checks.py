"""What must hold of the SMS settings before people depend on them."""

from collections.abc import Sequence
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from notifications.named_classes import find_class
from notifications.push_encryption import private_key
from notifications.sms.base import FAILOVER, chosen_backends

_SMS = "notifications.sms"
_NOT_SENDING = {f"{_SMS}.console.ConsoleBackend", f"{_SMS}.file.FileBackend"}
_BUDGETS = (
    "SMS_BUDGET_PER_DAY",
    "SMS_NEWCOMERS_PERCENT",
    "SMS_CODES_PER_OPERATOR_PER_HOUR",
    "SMS_CODES_PER_BLOCK_PER_HOUR",
    "SMS_NOTICES_PER_RECIPIENT_PER_DAY",
)
_NEEDS = {
    f"{_SMS}.smsc.SmscBackend": ("SMSC_LOGIN", "SMSC_PASSWORD", "SMSC_URL"),
    f"{_SMS}.mobizon.MobizonBackend": ("MOBIZON_API_KEY", "MOBIZON_URL"),
    f"{_SMS}.kannel.KannelBackend": ("KANNEL_USERNAME", "KANNEL_PASSWORD", "KANNEL_URL"),
}


@register(Tags.compatibility)
def backends_exist(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every named gateway can be imported and takes what it is told; a fail-over has at least one beside itself."""
    problems: list[CheckMessage] = []
    for path in chosen_backends():
        try:
            gateway = find_class(path, having="send")
        except ImportError as error:
            hint = "Set SMS_BACKEND (SMS_FAILOVER_BACKENDS) to dotted paths of gateway classes."
            problems.append(
                Error(f"SMS gateway {path} can't be imported: {error}", hint=hint, id="notifications.E001")
            )
            continue
        try:
            signature(gateway.send).bind(
                gateway, "+77010000000", "", idempotency_key="", is_repeat=False, minutes=1
            )
        except TypeError as error:
            hint = "Its send is notifications.sms.base.SmsBackend.send (docs/messages.md, Gateways)."
            problems.append(
                Error(
                    f"SMS gateway {path} takes not what it is told: {error}.",
                    hint=hint,
                    id="notifications.E011",
                )
            )
    if not chosen_backends() or FAILOVER in chosen_backends():
        problems.append(Error("SMS_FAILOVER_BACKENDS must name real gateways.", id="notifications.E002"))
    if len(set(chosen_backends())) < len(chosen_backends()):
        hint = "Name each gateway once: one that is in trouble is not asked twice."
        problems.append(
            Error("SMS_FAILOVER_BACKENDS names a gateway twice.", hint=hint, id="notifications.E007")
        )
    return problems


@register(Tags.security, deploy=True)
def messages_leave_the_house(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Outside development and the demo, SMS go over HTTPS to a gateway whose credentials are set."""
    if settings.DEBUG or settings.DEMO:
        return []
    problems: list[CheckMessage] = []
    for path in chosen_backends():
        if path in _NOT_SENDING:
            hint = "Set SMS_BACKEND to a gateway, such as notifications.sms.failover.FailoverBackend."
            problems.append(Error(f"{path} sends no SMS to anybody.", hint=hint, id="notifications.E003"))
        for name in _NEEDS.get(path, ()):
            value = getattr(settings, name)
            if not value:
                hint = f"Set {name}.{_without(path)}"
                problems.append(Error(f"{path} needs {name}.", hint=hint, id="notifications.E004"))
            elif name.endswith("_URL") and not (
                value.startswith("https://") or _is_in_the_house(path, value)
            ):
                problems.append(Error(f"{name} must begin with https://.", id="notifications.E005"))
    return problems


def _is_in_the_house(path: str, url: str) -> bool:
    """Whether it is our own Kannel, on this machine or under a name without a dot, which only our network knows."""
    host = urlsplit(url).hostname or ""
    return path.endswith(".KannelBackend") and (host in ("127.0.0.1", "::1") or "." not in host)


def _without(path: str) -> str:
    """How to name the other gateways alone, for a city without an account at this one; empty if there is no other."""
    others = ",".join(one for one in chosen_backends() if one != path)
    return (
        f" Without an account there, name the others only: SMS_FAILOVER_BACKENDS={others}" if others else ""
    )


@register(Tags.security, deploy=True)
def mails_leave_the_house(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """If there is a mail server, it is spoken to over TLS, knows the sender, and is no stand-in."""
    if settings.DEBUG or settings.DEMO or not settings.SENDS_MAIL:
        return []
    problems: list[CheckMessage] = []
    if not settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        hint = "Unset EMAIL_BACKEND, and set EMAIL_HOST if the portal is to send e-mails."
        problems.append(
            Error(f"{settings.EMAIL_BACKEND} sends no e-mail to anybody.", hint=hint, id="notifications.E008")
        )
    elif settings.EMAIL_USE_TLS == settings.EMAIL_USE_SSL:
        hint = "Set EMAIL_USE_TLS (STARTTLS, port 587) or EMAIL_USE_SSL (port 465) to 1, not both."
        problems.append(Error("E-mails must go over TLS.", hint=hint, id="notifications.E009"))
    if "@" not in settings.DEFAULT_FROM_EMAIL or settings.MAIL_DOMAIN == "localhost":
        hint = "Set MAIL_FROM to an address of your domain: noreply@bala.example.kz."
        problems.append(Error("E-mails have no sender.", hint=hint, id="notifications.E010"))
    return problems


@register(Tags.security, deploy=True)
def telegram_is_whole(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A bot has a name to which links lead, and is spoken to over TLS: its token stands in every address."""
    if settings.DEBUG or settings.DEMO or not settings.TELEGRAM_TOKEN:
        return []
    problems: list[CheckMessage] = []
    if not settings.TELEGRAM_BOT:
        hint = "Set TELEGRAM_BOT to the name that @BotFather gave the bot, or unset TELEGRAM_TOKEN."
        problems.append(Error("TELEGRAM_TOKEN needs TELEGRAM_BOT.", hint=hint, id="notifications.E030"))
    if not settings.TELEGRAM_URL.startswith("https://"):
        problems.append(Error("TELEGRAM_URL must begin with https://.", id="notifications.E031"))
    return problems


@register(Tags.security, deploy=True)
def push_is_whole(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The key for notices on screens can sign, and names somebody who can be written to."""
    if not settings.PUSH_PRIVATE_KEY:
        return []
    problems: list[CheckMessage] = []
    try:
        private_key(settings.PUSH_PRIVATE_KEY)
    except ValueError:
        hint = "Make one by manage.py make_push_keys, or unset it."
        problems.append(Error("PUSH_PRIVATE_KEY is no key.", hint=hint, id="notifications.E032"))
    if not settings.PUSH_CONTACT.startswith(("mailto:", "https://")):
        hint = "Set PUSH_CONTACT to mailto: and an address that people read, or to an https:// address."
        problems.append(Error("PUSH_PRIVATE_KEY needs PUSH_CONTACT.", hint=hint, id="notifications.E033"))
    return problems


@register(Tags.security, deploy=True)
def budgets_are_budgets(*, app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every budget for SMS is above zero: zero would silence the portal."""
    return [
        Error(f"{name} must be 1 or more.", hint=f"Set {name}, or unset it.", id="notifications.E006")
        for name in _BUDGETS
        if getattr(settings, name) < 1
    ]
