"""Let commits wait for the standby while there is one, and not longer; runs until it is stopped."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from balabaqsha.standby import Guard


class Command(BaseCommand):
    help = "Lets commits wait for the standby while it follows, and go on without it once it is away for ten seconds."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.GUARD_DATABASE_URL:
            raise CommandError(
                "Set GUARD_DATABASE_URL: the databases as balabaqsha_guard (docs/going-live.md)."
            )
        over = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        Guard(settings.GUARD_DATABASE_URL, say=self.say).run(until=over.wait)

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()
