"""Compile the message catalogues without msgfmt, which a fresh machine does not have."""

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Compiles locale/*/LC_MESSAGES/*.po to .mo; skips catalogues that are newer than their source."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                if compile_catalogue(source):
                    self.stdout.write(f"{source.relative_to(folder)}: compiled")


def compile_catalogue(source: Path) -> bool:
    """Compile one catalogue unless that is done. Raises CommandError where the source can't be read."""
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return False
    try:
        catalogue = polib.pofile(str(source), check_for_duplicates=True)
    except (OSError, ValueError) as error:
        raise CommandError(f"{source}: {error}") from error
    # Under another name first: a server that starts meanwhile must not read half a catalogue.
    fresh = target.with_suffix(".mo.new")
    catalogue.save_as_mofile(str(fresh))
    fresh.replace(target)
    return True
