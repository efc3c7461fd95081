"""By which ways a message goes to a person beside their inbox: what they chose, and what can't be switched off.

What is kept of a choice is only what differs from what the portal does by itself, so that a topic or a way that comes
later is what everybody expects of it.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from notifications.hours import Hours
from notifications.kinds import Channel, Kind, Topic

# Whether a way is on, by topic and way: `{"bids": {"sms": False}}`.
Chosen = Mapping[str, Mapping[str, bool]]


class Way(TextChoices):
    """A way out of the house. The inbox is none: everything that has a text for it is there, whatever is chosen."""

    SMS = "sms", "SMS"
    EMAIL = "email", _("E-mail")
    TELEGRAM = "telegram", "Telegram"
    SECOND_PHONE = "second", _("Second phone")
    PUSH = "push", _("On the screen")


# Of these the first that there is stays on for what can't be switched off. The second phone may be somebody else's.
_OWN: Final = (Way.SMS, Way.EMAIL, Way.TELEGRAM)


class Recipient(Protocol):
    """What this app needs to know about a user; the user model itself belongs to an app above."""

    @property
    def pk(self) -> Any: ...

    @property
    def phone(self) -> Any: ...

    @property
    def language(self) -> str: ...

    @property
    def email(self) -> Any:
        """The proven e-mail address; empty if there is none."""
        ...

    @property
    def mails_notices(self) -> bool:
        """Whether e-mails go beside SMS where nothing else is chosen."""
        ...

    @property
    def telegram(self) -> Any:
        """The chat with our bot; empty if there is none."""
        ...

    @property
    def has_push_device(self) -> bool:
        """Whether a device shows notices on its screen. It may cost a query."""
        ...

    @property
    def proven_second_phone(self) -> str:
        """In E.164; empty if there is none, or nobody proved it. It may cost a query."""
        ...

    @property
    def quiet_hours(self) -> Hours | None:
        """By the clock of the place, in which only what goes at any hour is sent."""
        ...

    @property
    def chosen_ways(self) -> Chosen: ...


def ways(kind: Kind, recipient: Recipient) -> tuple[Way, ...]:
    """The ways by which a message of `kind` goes to `recipient` now; none for one that is for the inbox alone.

    A code goes to the account's own phone and nowhere else. A query is made only for who chose the second phone, and
    where the portal shows notices on screens.
    """
    if Channel.SMS not in kind.channels:
        return ()
    if kind.secret:
        return (Way.SMS,) if recipient.phone else ()
    return tuple(way for way in Way if is_on(kind.topic, way, recipient) and address_of(recipient, way))


def address_of(recipient: Recipient, way: Way) -> str:
    """Where this way leads: a phone (E.164), an address, a chat, "devices". Empty if it leads nowhere now."""
    if way is Way.SMS:
        return str(recipient.phone.as_e164) if recipient.phone else ""
    if way is Way.EMAIL:
        return (recipient.email or "") if settings.SENDS_MAIL else ""
    if way is Way.TELEGRAM:
        return (recipient.telegram or "") if settings.TELEGRAM_TOKEN else ""
    if way is Way.PUSH:
        return "devices" if settings.PUSH_PRIVATE_KEY and recipient.has_push_device else ""
    return recipient.proven_second_phone


def is_on(topic: Topic, way: Way, recipient: Recipient) -> bool:
    """Whether what is about `topic` goes this way, if it leads anywhere."""
    if not is_offered(topic, way):
        return False
    chosen = recipient.chosen_ways.get(topic, {}).get(way, is_on_by_itself(way, recipient))
    return chosen or way is always_on(topic, recipient)


def is_offered(topic: Topic, way: Way) -> bool:
    """Whether it can be chosen: who else reads the second phone could take the account with what warns its owner."""
    return not (way is Way.SECOND_PHONE and topic is Topic.ACCOUNT)


def is_on_by_itself(way: Way, recipient: Recipient) -> bool:
    """Whether a way is on where nothing is chosen: SMS, a chat and devices are, the others once asked for."""
    return recipient.mails_notices if way is Way.EMAIL else way is not Way.SECOND_PHONE


def always_on(topic: Topic, recipient: Recipient) -> Way | None:
    """The way that can't be switched off for `topic`: SMS, or what there is without a phone; None if all can."""
    if not topic.is_mandatory:
        return None
    return next((way for way in _OWN if address_of(recipient, way)), None)


def what_differs(
    chosen: Mapping[tuple[Topic, Way], bool], recipient: Recipient
) -> dict[str, dict[str, bool]]:
    """What is to be kept of a choice. What is not in it stays as it was."""
    kept = {topic: dict(by_way) for topic, by_way in recipient.chosen_ways.items()}
    for (topic, way), wants in chosen.items():
        kept.setdefault(topic.value, {})[way.value] = wants
    differing = {
        topic: {way: wants for way, wants in by_way.items() if wants != is_on_by_itself(Way(way), recipient)}
        for topic, by_way in kept.items()
    }
    return {topic: by_way for topic, by_way in differing.items() if by_way}


def without(way: Way, chosen: Chosen) -> dict[str, dict[str, bool]]:
    """What is kept of a choice once nothing is chosen for `way` any more."""
    kept = {
        topic: {one: wants for one, wants in by_way.items() if one != way} for topic, by_way in chosen.items()
    }
    return {topic: by_way for topic, by_way in kept.items() if by_way}
