"""Kinds of message: where each goes, what its texts need, how long its SMS is worth sending.

Each app registers its own at start-up (`<app>/notices.py`); this app knows none of them. The texts themselves are
files: `templates/notifications/<kind>/<channel>.<language>.txt`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Channel(StrEnum):
    INBOX = "inbox"
    SMS = "sms"
    EMAIL = "email"


BOTH = (Channel.INBOX, Channel.SMS)
INBOX = (Channel.INBOX,)
SMS = (Channel.SMS,)
EMAIL = (Channel.EMAIL,)

# What is counted together, and can be switched off (`Kind.counts_among`).
OTHERS: Final = "others"
# Whoever has this permission reads whom a text names: most texts name a child.
READS_NAMES: Final = "children.read_names_of_family"


class PastBudget(StrEnum):
    """What happens to an SMS once the day's budget is spent (`notifications.budget`)."""

    WITHHELD = "withheld"  # it stays in the inbox, and employees see that it was not sent
    SPARING = (
        "sparing"  # the same, once half of it is spent: thousands at once must keep nothing else from anybody
    )
    REFUSED = "refused"  # it is not written, and the visitor who asks for it is told so
    CODE = "code"  # it goes out: somebody with an account waits for it
    WARNING = "warning"  # it goes out: somebody's account may be in danger


class Topic(TextChoices):
    """What a message is about, in a parent's words: they choose the ways by topic, and look into the inbox by it."""

    PLACE = "place", _("Place, referral and last days")
    BIDS = "bids", _("Bids")
    ALERTS = "alerts", _("New places for the child")
    QUEUE = "queue", _("Application, queue and benefits")
    CONTRACT = "contract", _("Contract and group")
    GUARDIANS = "guardians", _("The child's guardians")
    ACCOUNT = "account", _("Account and signing in")
    REVIEWS = "reviews", _("Reviews")
    # What employees are told.
    WORK = "work", _("For employees")

    @property
    def is_mandatory(self) -> bool:
        """Whether who misses it may lose a place or the account: one way beside the inbox always stays on."""
        return self in _MANDATORY


_MANDATORY: Final = frozenset({Topic.PLACE, Topic.CONTRACT, Topic.GUARDIANS, Topic.ACCOUNT})


@dataclass(frozen=True)
class Kind:
    """One kind of message.

    `topic` groups it with its like for families, who find it in their inbox under `found_under`, too; `title` is its
    name for employees. `needs` names the values that its
    texts may use. An SMS not accepted by a gateway within `worth_for` is given up. The text of a `secret` one is wiped
    as soon as it is sent or given up, and no employee ever sees it. `past_budget` says what happens to it once the
    day's budget for SMS is spent. All others go before one that `can_wait`: it goes to thousands at once, and an hour
    later it is worth as much. One that `answers` what somebody has just pressed goes at any hour to them, for some
    minutes, and by day to everybody else who is told of it. A warning goes at any hour, unless it is a warning
    `by_day`: one about what another person did, of which nobody could save more at night than in the morning.
    One with `texts_of` has no texts of its own: it uses those of the kind with that code.

    What goes by SMS also goes by e-mail to whoever chose that, with the same text; a kind that goes by e-mail alone has
    a text of its own.
    """

    code: str
    topic: Topic
    title: Promise
    channels: tuple[Channel, ...]
    needs: tuple[str, ...] = ()
    secret: bool = False
    worth_for: timedelta = timedelta(hours=24)
    past_budget: PastBudget = PastBudget.WITHHELD
    can_wait: bool = False
    answers: bool = False
    texts_of: str = ""
    found_under: Topic | None = None
    by_day: bool = False

    @property
    def goes_at_once(self) -> bool:
        """Whether a worker sends it at any hour once it is due: codes, warnings, and answers while they are fresh."""
        return self.secret or self.answers or self.warns_at_once

    @property
    def warns_at_once(self) -> bool:
        """Whether it warns of what may be lost by the morning."""
        return self.past_budget is PastBudget.WARNING and not self.by_day

    def is_due_at_once(self, *, has_pressed: bool, is_copy: bool = False) -> bool:
        """Whether it is due as soon as it is written, for a recipient who has just pressed what it tells of, or not.

        The copy of a notice rings the phone of another person, who has pressed nothing: it goes by day.
        """
        if is_copy and Channel.INBOX in self.channels:
            return False
        return self.goes_at_once and (has_pressed or not self.answers)

    @property
    def goes_with_others(self) -> bool:
        """Whether several within minutes become one SMS (`bursts`): what keeps hours and warns of nothing."""
        return not self.goes_at_once and self.past_budget is not PastBudget.WARNING

    @property
    def counts_among(self) -> str:
        """Among what its SMS to a number are counted (`budget`): kinds with the same word here share one day's number.

        Codes, and what others can cause, warnings and answers to what they press, are each counted by kind alone: they
        keep nothing else from the owner, and nothing else keeps them. Nor do alerts about places, which go to
        thousands. Of the rest, what can't be switched off is counted apart from what can: nothing keeps a referral from
        a family.
        """
        if self.past_budget is PastBudget.SPARING:
            return "places"
        if self.answers or self.past_budget is not PastBudget.WITHHELD:
            return self.code
        return "important" if self.topic.is_mandatory else OTHERS

    @property
    def mailed_as(self) -> Channel:
        """The channel whose text an e-mail of this kind holds."""
        return Channel.EMAIL if Channel.EMAIL in self.channels else Channel.SMS

    def template(self, channel: Channel, language: str) -> str:
        """The name of the template that holds the text for `channel` in `language`."""
        return f"notifications/{self.texts_of or self.code}/{channel}.{language}.txt"


KINDS: dict[str, Kind] = {}
# Believable values by the names under which texts use them.
_SAMPLES: dict[str, Any] = {}


def register(kinds: Iterable[Kind], *, samples: Mapping[str, Any]) -> None:
    """Add an app's kinds, and a sample value for each name in their texts that no app below has given.

    Samples are stand-ins with the attributes that the texts use, so that every text can be rendered without a database:
    the manual's family, and the longest numbers. Raises ValueError if a kind is registered already.
    """
    for kind in kinds:
        if kind.code in KINDS:
            raise ValueError(f"There is a kind {kind.code} already.")
        KINDS[kind.code] = kind
    _SAMPLES.update(samples)


def titles() -> list[tuple[str, Any]]:
    """Every kind with its name in the admin; a function, so that a new kind needs no migration."""
    return [(kind.code, kind.title) for kind in KINDS.values()]


def title_of(code: str) -> str:
    """The name of a kind; of one that no app registers, its code."""
    found = KINDS.get(code)
    return code if found is None else str(found.title)


def kinds_about(topic: str) -> list[str]:
    """The kinds that are found under this topic."""
    return [kind.code for kind in KINDS.values() if topic in (kind.topic, kind.found_under)]


def kinds_past_budget(fate: PastBudget) -> list[str]:
    """The kinds with this `fate` once the day's budget is spent."""
    return [kind.code for kind in KINDS.values() if kind.past_budget is fate]


def kinds_that_can_wait() -> list[str]:
    """The kinds that are sent after all others."""
    return [kind.code for kind in KINDS.values() if kind.can_wait]


def fate_of(code: str) -> PastBudget:
    """What happens to a message of the kind `code`; a kind that no longer exists waits like any notice."""
    return KINDS[code].past_budget if code in KINDS else PastBudget.WITHHELD


def kinds_that_go_together() -> list[str]:
    """The kinds that are merged in a burst (`bursts`)."""
    return [kind.code for kind in KINDS.values() if kind.goes_with_others]


def goes_with_others(code: str) -> bool:
    """Whether a message of the kind `code` is merged in a burst, as is one of a kind that no longer exists."""
    return code not in KINDS or KINDS[code].goes_with_others


def counts_among(code: str) -> str:
    """Among what messages of the kind `code` are counted; those of a kind that no longer exists among the others."""
    return KINDS[code].counts_among if code in KINDS else OTHERS


def is_secret(code: str) -> bool:
    """Whether texts of this kind are wiped and hidden, as they are for a kind that no longer exists."""
    return code not in KINDS or KINDS[code].secret


def is_code(code: str) -> bool:
    """Whether somebody waits for it before a page."""
    return code in KINDS and KINDS[code].secret


def secret_kinds() -> list[str]:
    """The kinds of which `is_code` holds."""
    return [kind.code for kind in KINDS.values() if kind.secret]


def sample_context(kind: Kind) -> dict[str, Any]:
    """Believable values for everything that `kind` needs."""
    return {name: _SAMPLES[name] for name in kind.needs}
