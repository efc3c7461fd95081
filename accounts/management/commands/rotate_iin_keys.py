"""`manage.py rotate_iin_keys`: put what is encrypted under the first of IIN_KEYS, and hashes under IIN_HASH_KEY."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import rotation


class Command(BaseCommand):
    help = (
        "Encrypts every row under the first of IIN_KEYS and makes its hash under IIN_HASH_KEY, portion by portion. The "
        "portal may run meanwhile; after a break run it again: what is done is only read. With --check it only counts. "
        "Exit 1: a key of before may not be taken out yet, each reason is named."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count what is not under the first keys"
        )
        parser.add_argument("--portion", type=int, default=rotation.PORTION, help="rows in one statement")
        parser.add_argument("--pause", type=float, default=0.05, help="seconds between two portions")

    def handle(
        self,
        *args: Any,
        check: bool = False,
        portion: int = rotation.PORTION,
        pause: float = 0.05,
        **options: Any,
    ) -> None:
        # Also refuses what is no number at all (nan).
        if not (1 <= portion <= 10_000 and 0 <= pause <= 60):
            raise CommandError("--portion is between 1 and 10000, and --pause between 0 and 60.")
        left = []
        for column in rotation.columns():
            progress = rotation.Progress(column.label)
            shown = 0
            for progress in rotation.rotate(column, portion=portion, dry_run=check):
                if progress.seen - shown >= 20 * portion:
                    shown = progress.seen
                    self.stdout.write(f"{progress.column}: {progress.seen} …")
                time.sleep(pause)
            done = "to be changed" if check else "changed"
            self.stdout.write(f"{progress.column}: {progress.seen} rows, {progress.changed} {done}")
            if progress.unreadable:
                left.append(f"{progress.column}: {progress.unreadable} rows that no key in IIN_KEYS reads")
            if check and progress.changed:
                left.append(f"{progress.column}: {progress.changed} rows under a key of before")
        if hashes := rotation.unrenewable():
            left.append(f"{hashes} employees whose IIN must be entered again (only its hash was kept)")
        if left:
            raise CommandError("\n".join(left), returncode=1)
        self.stdout.write("Everything is under the first keys.")
