"""Kindergartens side by side: what parents weigh, one row for each question."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bulletin.demand import demand_of
from bulletin.models import Kindergarten, ProfileValues
from bulletin.profiles import profile_of


@dataclass(frozen=True)
class Row:
    """One question, and for each kindergarten its name and answer; an empty answer is not told."""

    label: str
    cells: Sequence[tuple[str, str]]


def compared(kindergartens: Sequence[Kindergarten], *, now: datetime) -> list[Row]:
    """The rows of the comparison; those in which nobody tells anything are left out.

    The kindergartens come with `free_places` and their pages (`selectors.kindergartens_at`), and their
    `opening` (`openings.with_openings`).
    """
    pages = [profile_of(one) for one in kindergartens]
    waited = [demand_of(one, now=now).waited_days for one in kindergartens]
    names = [one.name for one in kindergartens]
    answers = [
        (_("Vacant places"), [str(getattr(one, "free_places", "")) for one in kindergartens]),
        (_("Opening of places"), [_opening(one) for one in kindergartens]),
        (_("The family pays"), [_fee(page) for page in pages]),
        (_("Hours"), [page.hours for page in pages]),
        (_("Food"), [page.food for page in pages]),
        (_("Languages of upbringing"), [one.languages_display for one in kindergartens]),
        (_("Ownership"), [str(one.get_ownership_display()) for one in kindergartens]),
        (_("Type"), [str(one.get_type_display()) for one in kindergartens]),
        (_("Special groups and specialists"), [page.special for page in pages]),
        (_("Accessibility"), [page.access for page in pages]),
        (
            _("Days of waiting, last 12 months"),
            ["" if days is None else number_format(days, force_grouping=True) for days in waited],
        ),
        (_("Address"), [one.address for one in kindergartens]),
        (_("Phone"), [one.phone_label for one in kindergartens]),
    ]
    return [Row(label, [*zip(names, values, strict=True)]) for label, values in answers if any(values)]


def _opening(kindergarten: Kindergarten) -> str:
    """As the card of the catalogue says it."""
    opening = getattr(kindergarten, "opening", None)
    return render_to_string("bulletin/parts/opening.html", {"opening": opening}) if opening else ""


def _fee(page: ProfileValues) -> str:
    if page.fee is None:
        return ""
    fee = (
        _("%(tenge)s ₸ a month") % {"tenge": number_format(page.fee, force_grouping=True)}
        if page.fee
        else _("nothing")
    )
    return f"{fee} ({page.get_payer_display()})"
