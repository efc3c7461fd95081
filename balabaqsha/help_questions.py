"""The questions of the help: each has a page of its own, and is found by words however these are written.

A question is the file `templates/pages/help/<slug>.<language>.html`: its heading, and below it the answer.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from bulletin.sorting import sounds

GROUPS: Final[Mapping[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "begin": (
        _("Registration and application"),
        ("register", "second-guardian", "one-application", "languages", "moving", "bin", "free"),
    ),
    "queue": (
        _("The number in the queue and benefits"),
        ("number-changes", "check-number", "how-long", "benefit", "interest"),
    ),
    "places": (
        _("Vacant places and bids"),
        ("for-me-for-all", "no-button", "alert", "refused"),
    ),
    "referral": (
        _("Referral and last days"),
        ("last-day", "cannot-come", "stop-list", "check-referral"),
    ),
    "account": (
        _("Account, messages and data"),
        ("no-sms", "ways", "home-screen", "password", "lost-phone", "paper", "my-data", "close-account"),
    ),
    "trouble": (_("When something is wrong"), ("complaint", "wrong-data", "stranger")),
}
SLUGS: Final = tuple(slug for _title, slugs in GROUPS.values() for slug in slugs)
# A shorter word is looked for whole; of a longer one the beginning, since Kazakh and Russian inflect words.
_WHOLE: Final = 5
_ENDING: Final = 4
_HEADING: Final = re.compile(r"\s*<h2>(.*?)</h2>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Question:
    """A question in one language, with the answer as it is shown."""

    slug: str
    title: str
    answer: SafeString

    @property
    def words(self) -> str:
        """All its words, without tags."""
        return html.unescape(_TAG.sub(" ", f"{self.title} {self.answer}"))


def question(slug: str, *, language: str, context: Mapping[str, Any]) -> Question:
    """One of `SLUGS`; `context` is what the answers name: the periods of the rules in force."""
    text = render_to_string(f"pages/help/{slug}.{language}.html", dict(context))
    heading = _HEADING.match(text)
    assert heading is not None
    # Our own file, rendered with its values escaped.
    return Question(slug, html.unescape(heading[1].strip()), mark_safe(text[heading.end() :]))  # noqa: S308


def found(asked: str, questions: list[Question]) -> list[Question]:
    """The questions with all words of `asked`, or, if none has, with any; those that have more in the title first.

    Case, Kazakh letters written as Russian ones, Latin transliteration and endings make no difference. Pure.
    """
    words = [_stem(word) for word in sounds(asked).split() if len(word) > 1]
    scored = [(*_score(words, one), one) for one in questions]
    best = max((hits for hits, _in_title, _one in scored), default=0)
    if not best:
        return []
    hits_wanted = len(words) if best == len(words) else 1
    kept = [each for each in scored if each[0] >= hits_wanted]
    return [one for _hits, _in_title, one in sorted(kept, key=lambda each: (-each[1], -each[0]))]


def _score(words: list[str], one: Question) -> tuple[int, int]:
    """How many of the words it has, and how many of them in the title."""
    everywhere, title = sounds(one.words).split(), sounds(one.title).split()
    return sum(_has(everywhere, word) for word in words), sum(_has(title, word) for word in words)


def _has(words: list[str], beginning: str) -> bool:
    return any(word.startswith(beginning) for word in words)


def _stem(word: str) -> str:
    return word[: max(_WHOLE, len(word) - _ENDING)]
