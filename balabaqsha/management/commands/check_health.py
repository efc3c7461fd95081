"""Say what is alive and what is late, without the web server; or whether a worker or the beat of this machine is."""

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from balabaqsha.health import heartbeats
from balabaqsha.health.line import Silent, Unready
from balabaqsha.health.probes import ANSWER_SECONDS, report
from balabaqsha.health.report import is_alive, read_facts
from balabaqsha.queues import WORKERS

# What can be asked for, and the name that its heartbeat has before that of the machine.
_NAMES: Final = {"beat": "beat"} | {worker.name: worker.queue for worker in WORKERS}


class Command(BaseCommand):
    help = "What /health/ says, asked of the database itself. 1: something needs a person, or is not alive."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "part",
            nargs="?",
            choices=["all", *_NAMES],
            default="all",
            help="only the beat of this machine, or one of its workers",
        )
        parser.add_argument("--name", help="the heartbeat's name, where it is not this machine's own")
        parser.add_argument("--forget", metavar="NAME", help="the dead worker NAME will not come back")

    def handle(self, *args: Any, part: str, name: str | None, forget: str | None, **options: Any) -> None:
        if forget:
            self._forget(forget)
        elif part == "all":
            self._say_all()
        else:
            self._say_one(name or heartbeats.name_here(_NAMES[part]))

    def _forget(self, name: str) -> None:
        try:
            is_known = heartbeats.forget(name)
        except Silent as reason:
            raise CommandError(_words(reason)) from None
        if not is_known:
            raise CommandError(f"{name} has not been heard of: there is nothing to forget.")
        self.stdout.write(f"{name} is forgotten.")

    def _say_all(self) -> None:
        told, _serves = report()
        for name, word in told.items():
            self.stdout.write(f"{name}: {word}")
        if told["status"] != "ok":
            raise CommandError(f"The portal needs a person: {told['status']}.")

    def _say_one(self, name: str) -> None:
        try:
            facts = read_facts(seconds=ANSWER_SECONDS)
        except Silent as reason:
            raise CommandError(_words(reason)) from None
        sign = next((sign for sign in facts.signs if sign.name == name), None)
        if sign is None:
            raise CommandError(f"{name} has not been heard of.")
        age = (facts.now - sign.seen_at).total_seconds()
        if not is_alive(sign, now=facts.now):
            raise CommandError(f"{name} was last heard of {age:.0f} seconds ago.")
        self.stdout.write(f"{name} was heard of {age:.0f} seconds ago.")


def _words(reason: Silent) -> str:
    if isinstance(reason, Unready):
        return f"The tables are not those of this version ({reason}). Run: manage.py set_up"
    return f"The database does not answer: {reason}"
