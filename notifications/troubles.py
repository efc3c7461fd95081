"""Why a message has not gone out: what is stored with it, and how employees read it."""

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Trouble(TextChoices):
    """What the portal itself says. Rows hold the values, so that none of them is ever another word."""

    BUDGET = "the day's budget is spent", _("The day's budget for SMS is spent")
    ENOUGH = "too many notices to this number today", _("Too many notices to this number today")
    NOT_TOLD = "the recipient is no longer told of this", _("The recipient is no longer told of this")
    GONE = "what it tells of is gone", _("What it tells of is no longer there")
    NOT_PROVEN = "the second phone is no longer proven", _("The second phone is no longer proven")
    SWITCHED_OFF = "the recipient switched this way off", _("The recipient switched this way off")
    FORMER_ADDRESS = "the address is no longer theirs", _("The address is no longer the recipient's")
    BLOCKED = "the bot is blocked, or the chat is gone", _("The bot is blocked, or the chat is gone")
    NOT_LINKED = "the chat is no longer linked", _("The chat is no longer linked")
    NO_DEVICE = "no device shows notices any more", _("No device shows notices any more")
    WITH_OTHERS = "waits for its hour", _("It waits for the morning, or to go together with others")
    NEWER = "void: a newer one followed", _("A newer code followed")
    ARRIVED = "the first one has arrived", _("The first one has arrived meanwhile")
    UNCLEAR = (
        "the gateway never answered clearly",
        _("The gateway never answered clearly: it may have arrived"),
    )
    LATE = "too late", _("It was too late to send it")
    NO_KEY_OF_TEXT = "no key opens the text", _("The key of the text is missing")
    NO_KEY_OF_ADDRESS = "no key opens the address", _("The key of the address is missing")


def in_words(stored: str) -> tuple[str, str]:
    """What happened, in the language of the page, and the code that a gateway or a mail server gave, if one did."""
    if not stored:
        return "", ""
    if stored in Trouble.values:
        return str(Trouble(stored).label), ""
    if stored.startswith("mail:"):
        return gettext("The mail server did not take it"), stored
    return gettext("The gateway did not take it"), stored
