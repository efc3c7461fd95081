"""Localities by file, each known by its address on the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bulletin.importing.columns import Column, Row, Slug, Takes, Text, Whole
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, store
from bulletin.importing.problems import Problem, Wrong
from bulletin.models import Locality, Vacancy

_DEFAULT_ZONE: Any = Locality._meta.get_field("timezone").get_default()


@dataclass(frozen=True)
class Zone(Takes):
    """A time zone by its IANA name."""

    words = _("a time zone: Asia/Almaty")

    def read(self, text: str) -> str:
        if text not in available_timezones():
            raise Wrong(Problem.NOT_ZONE)
        return text


class _Loader(Loader):
    known: dict[str, Locality]

    def prepare(self, rows: Sequence[Row]) -> None:
        slugs = [row.values["slug"] for row in rows]
        found = Locality.objects.filter(slug__in=slugs).order_by("pk").select_for_update(no_key=True)
        self.known = {one.slug: one for one in found}

    def take_row(self, row: Row) -> Outcome:
        slug = row.values["slug"]
        self.demand_once(row, "slug", slug)
        known = self.known.get(slug)
        if not (self.run.localities is None or (known and self.run.may_act_in(known.pk))):
            raise LeftOut(row.fault("slug", Problem.NOT_YOURS))
        if known and row.values.get("timezone", known.timezone) != known.timezone:
            self._demand_quiet(row, known)
        locality = known or Locality()
        outcome = store(self.run, row, locality, row.values, is_new=known is None)
        self.run.places.add(locality.pk)
        return outcome

    def label(self, row: Row) -> str:
        return f"{row.cells['name_ru']} ({row.cells['slug']})"

    def _demand_quiet(self, row: Row, locality: Locality) -> None:
        """Announced hours are those of its zone."""
        published = Vacancy.objects.filter(
            group__kindergarten__locality=locality, state=Vacancy.State.PUBLISHED
        )
        if published.exists():
            what = gettext("places in the bulletin")
            raise LeftOut(row.fault("timezone", Problem.IN_USE, what=what))


class Localities(Kind):
    name = "localities"
    title = _("Localities")
    about = _("Adds localities, or changes those that are there, each known by its address on the site.")
    permissions = ("bulletin.add_locality",)
    is_for_everywhere = True
    loader = _Loader
    columns = (
        Column("slug", _("address on the site"), Slug(50), "turkistan"),
        Column("name_kk", _("name in Kazakh"), Text(200), "Түркістан қаласы"),
        Column("name_ru", _("name in Russian"), Text(200), "г. Туркестан"),
        Column("timezone", _("time zone"), Zone(), "Asia/Almaty", required=False, empty=_DEFAULT_ZONE),
        Column("order", _("order"), Whole(0, 32767), "1", required=False, empty=0),
    )
