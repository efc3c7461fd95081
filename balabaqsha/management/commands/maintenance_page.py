"""The page for the proxy while the portal is off: one file in both languages, which needs nothing else."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import override

from balabaqsha.context import contact_links


class Command(BaseCommand):
    help = (
        "Prints the page that the proxy shows while the portal is off, in both languages (docs/operators.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until", metavar="'YYYY-MM-DD HH:MM'", help="When the portal is expected back.")

    def handle(self, *args: Any, until: str | None = None, **options: Any) -> None:
        """The time is told as it is given: the one who works on the portal names it by their city's clock."""
        try:
            back_at = parse_datetime(until) if until else None
        except ValueError:
            back_at = None
        if until and back_at is None:
            raise CommandError(f"Not a time as 2026-01-31 09:30: {until}")
        self.stdout.write(page(back_at))


def page(back_at: datetime | None = None) -> str:
    """The HTML. Asks for nothing: no request, no database, no file beside it."""
    languages = []
    for code, _name in settings.LANGUAGES:
        with override(code):
            languages.append(_words(code, back_at))
    return render_to_string("maintenance.html", {"languages": languages, "contact_links": contact_links()})


def _words(code: str, back_at: datetime | None) -> dict[str, Any]:
    back = _("Expected back: %(at)s") % {"at": f"{back_at:%d.%m.%Y %H:%M}"} if back_at else ""
    return {
        "code": code,
        "title": _("The portal is being worked on"),
        "happened": _("It is switched off for a short time, so no page of it can be opened now."),
        "lines": [
            back or _("Open this page again in a few minutes."),
            _("Accepted applications are safe: their date and number in the queue stay as they are."),
            _(
                "If you were sending something: look later whether it has arrived, and send it again "
                "only if it has not."
            ),
            _("A last day does not wait for the portal: if yours is today, call the contact centre."),
        ],
        "contact": _("Contact centre"),
    }
