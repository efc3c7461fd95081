"""manage.py recheck_guardianship: ask the registry whether every guardian still is one."""

from argparse import ArgumentTypeError
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.registry import RegistryUnavailable, UnusableAnswer
from accounts.registry_data import is_due, refresh_person
from children.models import Guardianship
from children.services import DocumentUnknown, recheck_guardianship
from notifications.clock import read_clock

# So many questions in a row without any answer: the registry is down, and not only for one person.
DOWN_AFTER: Final = 5


def at_least_one(text: str) -> int:
    """A number of guardianships, one or more."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000_000):
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)


@dataclass
class Found:
    """How many were confirmed and ended; the numbers of the guardianships about which nothing could be told."""

    held: int = 0
    ended: int = 0
    unknown: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)

    def told(self, word: str) -> str:
        parts = [f"confirmed: {self.held}, {word}: {self.ended}"]
        for what, keys in (
            ("document unknown to the registry", self.unknown),
            ("no usable answer", self.unanswered),
        ):
            if keys:
                parts.append(f"{what}: {len(keys)} (guardianships {', '.join(map(str, keys))})")
        return ", ".join(parts)


class Command(BaseCommand):
    help = (
        "Asks the person registry about every live guardianship that it once confirmed, the longest unchecked first, "
        "and ends those that it no longer confirms; guardians' names and documents are brought up to date, too. Who "
        "gets no usable answer is skipped and named. Stops when the registry does not answer at all; run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; end nothing.")
        parser.add_argument(
            "--limit", type=at_least_one, default=None, help="Stop after so many usable answers."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        guardianships = Guardianship.objects.filter(
            ended_at=None, source=Guardianship.Source.REGISTRY, user__profile__isnull=False
        ).select_related("child", "user__profile")
        found, silent_for = Found(), 0
        word = "would be ended" if options["dry_run"] else "ended"
        for guardianship in guardianships.order_by("verified_at", "pk").iterator(chunk_size=500):
            if options["limit"] is not None and found.held + found.ended >= options["limit"]:
                break
            try:
                self._recheck(guardianship, found, dry_run=options["dry_run"])
                silent_for = 0
            except UnusableAnswer:
                found.unanswered.append(guardianship.pk)
                silent_for = 0
            except RegistryUnavailable:
                found.unanswered.append(guardianship.pk)
                silent_for += 1
            if silent_for >= DOWN_AFTER:
                raise CommandError(
                    f"The registry does not answer; run it again. Until then {found.told(word)}"
                )
        if found.unanswered:
            raise CommandError(f"Not all were checked: {found.told(word)}")
        self.stdout.write(found.told(word))

    def _recheck(self, guardianship: Guardianship, found: Found, *, dry_run: bool) -> None:
        now = read_clock()
        if not dry_run and is_due(guardianship.user.profile, now=now):
            refresh_person(guardianship.user, now=now)
            guardianship.user.profile.refresh_from_db()
        try:
            holds = recheck_guardianship(guardianship, now=now, dry_run=dry_run)
        except DocumentUnknown:
            found.unknown.append(guardianship.pk)
        else:
            found.held, found.ended = found.held + holds, found.ended + (not holds)
