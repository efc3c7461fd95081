"""Bring the message catalogues up to date with the code, without xgettext, which a fresh machine does not have."""

from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand

from balabaqsha.catalogues import collect_messages, own_folders, update_catalogue


class Command(BaseCommand):
    help = "Collects the messages of our apps and templates into locale/{kk,ru}; locale/libraries is written by hand."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        messages = collect_messages(own_folders())
        for language, _name in settings.LANGUAGES:
            path = settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po"
            catalogue = polib.pofile(str(path), wrapwidth=0)
            added, dropped = update_catalogue(catalogue, messages)
            catalogue.save()
            for mark, changed in (("+", added), ("-", dropped)):
                for message in changed:
                    self.stdout.write(f"{language} {mark} {message.message}")
            missing = len(catalogue.untranslated_entries())
            self.stdout.write(f"{language}: {len(catalogue)} messages, {missing} without a translation")
