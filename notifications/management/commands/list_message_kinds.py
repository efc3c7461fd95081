"""Print the table of all kinds of message, which docs/messages-kinds.md holds."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from notifications.kinds import KINDS, Channel, Kind, PastBudget, sample_context
from notifications.services import render

_HEAD = """# All kinds of message

Written by `manage.py list_message_kinds`; a test holds it to the code. The rules are in [messages.md](messages.md).

- **when**: `at once`, at any hour; `answers`, at any hour to who has just pressed, by day to everybody else; `by day`,
  from 09:00 up to 20:00 in the place. What goes by day and is no warning is merged with others in a burst.
- **counts**: with what else an SMS counts against the day's number of notices to a phone: `alone`, with its kind;
  `places`, with alerts about places; `important`, with what can't be switched off; `others`, with what can; `–`, codes,
  which nothing holds back.
- **off**: whether a family can switch the SMS off. Of what it can't, it may at least lose a place or the account.
- **worth**: for how long an SMS is worth sending, from when it may go; afterwards it is given up.
- **letters**: of the Kazakh and the Russian text with the sample values, the longest numbers among them. A segment of
  an SMS holds 70.

| Kind | What | Topic | When | Counts | Off | Worth | Inbox | SMS | E-mail |
|---|---|---|---|---|---|---|---|---|---|
"""


class Command(BaseCommand):
    help = "Print the table of all kinds of message, as docs/messages-kinds.md holds it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table_of_kinds(), ending="")


def table_of_kinds() -> str:
    """The document: a line for each kind, by topics and in the order in which apps register them."""
    topics = list(dict.fromkeys(kind.topic for kind in KINDS.values()))
    kinds = sorted(KINDS.values(), key=lambda kind: topics.index(kind.topic))
    with translation.override(None):
        return _HEAD + "".join(_line(kind) for kind in kinds)


def _line(kind: Kind) -> str:
    hours = int(kind.worth_for.total_seconds() // 3600)
    cells = [
        f"`{kind.code}`",
        str(kind.title),
        str(kind.topic),
        _when(kind),
        _counts(kind),
        _off(kind),
        f"{hours} h" if hours else f"{int(kind.worth_for.total_seconds() // 60)} min",
        *(_letters(kind, channel) for channel in (Channel.INBOX, Channel.SMS, Channel.EMAIL)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _when(kind: Kind) -> str:
    if kind.answers:
        return "answers"
    return "at once" if kind.goes_at_once else "by day"


def _counts(kind: Kind) -> str:
    if Channel.SMS not in kind.channels or kind.secret or kind.past_budget is PastBudget.REFUSED:
        return "–"
    return "alone" if kind.counts_among == kind.code else kind.counts_among


def _off(kind: Kind) -> str:
    if Channel.SMS not in kind.channels:
        return "–"
    return "no" if kind.secret or kind.topic.is_mandatory else "yes"


def _letters(kind: Kind, channel: Channel) -> str:
    if channel not in kind.channels:
        return "–"
    context = sample_context(kind)
    return " / ".join(
        str(len(render(kind, channel, language=language, context=context))) for language in ("kk", "ru")
    )
