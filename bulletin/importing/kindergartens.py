"""Kindergartens by file, each known by its address on the site."""

from collections.abc import Mapping, Sequence

from django.db.models import Model, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bulletin.country import is_in_the_country
from bulletin.importing.columns import Choice, Column, Degrees, Phone, Row, Slug, Text
from bulletin.importing.kept_rows import TakingBack
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, store
from bulletin.importing.places import Localities, known_localities
from bulletin.importing.problems import Problem
from bulletin.models import LATITUDES, LONGITUDES, Kindergarten, Vacancy


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.localities = Localities(run)
        self.known: dict[str, Kindergarten] = {}

    def prepare(self, rows: Sequence[Row]) -> None:
        slugs = [row.values["slug"] for row in rows]
        found = Kindergarten.objects.filter(slug__in=slugs).order_by("pk").select_for_update(no_key=True)
        self.known = {one.slug: one for one in found}

    def take_row(self, row: Row) -> Outcome:
        slug = row.values["slug"]
        self.demand_once(row, "slug", slug)
        locality = self.localities.of(row, "locality")
        kindergarten = self.known.get(slug)
        if kindergarten is not None and kindergarten.locality_id != locality.pk:
            self._demand_movable(row, kindergarten)
        self.run.places.add(locality.pk)
        self._demand_point(row, kindergarten)
        is_new = kindergarten is None
        values = {**row.values, "locality": locality}
        return store(self.run, row, kindergarten or Kindergarten(), values, is_new=is_new)

    def label(self, row: Row) -> str:
        return f"{row.cells['name_ru']} ({row.cells['slug']})"

    def _demand_point(self, row: Row, kindergarten: Kindergarten | None) -> None:
        """Half of a point on the map is none, nor is one of another country; what a column lacks stays as it is."""
        one, other = (
            row.values.get(name, getattr(kindergarten, name, None)) for name in ("latitude", "longitude")
        )
        if (one is None) != (other is None):
            name = "latitude" if one is None else "longitude"
            raise LeftOut(row.fault(name if name in row.columns else "", Problem.HALF_POINT))
        if one is not None and other is not None and not is_in_the_country(float(one), float(other)):
            name = "latitude" if "latitude" in row.columns else "longitude"
            raise LeftOut(row.fault(name if name in row.columns else "", Problem.ABROAD))

    def _demand_movable(self, row: Row, kindergarten: Kindergarten) -> None:
        if not self.run.may_act_in(kindergarten.locality_id):
            raise LeftOut(row.fault("slug", Problem.NOT_YOURS))
        if what := why_not_move(kindergarten):
            raise LeftOut(row.fault("locality", Problem.IN_USE, what=what))
        self.run.places.add(kindergarten.locality_id)


def why_not_move(kindergarten: Kindergarten) -> str:
    """Why it must stay in its locality, in words: its families queue there. Empty where it need not."""
    relied_on = Q(state=Vacancy.State.PUBLISHED) | Q(seats_taken__gt=0)
    if Vacancy.objects.filter(relied_on, group__kindergarten=kindergarten).exists():
        return gettext("places in the bulletin, or families that have one of them")
    return ""


class _TakingBack(TakingBack):
    def why_not_restore(self, obj: Model, before: Mapping[str, str | None]) -> str:
        assert isinstance(obj, Kindergarten)
        return why_not_move(obj) if "locality" in before else ""


class Kindergartens(Kind):
    name = "kindergartens"
    title = _("Kindergartens")
    about = _("Adds kindergartens, or changes those that are there, each known by its address on the site.")
    permissions = ("bulletin.add_kindergarten",)
    loader = _Loader
    taking_back = _TakingBack
    columns = (
        Column("slug", _("address on the site"), Slug(80), "amina"),
        Column("name_kk", _("name in Kazakh"), Text(200), "«Амина» бөбекжайы"),
        Column("name_ru", _("name in Russian"), Text(200), "Ясли-сад «Амина»"),
        Column(
            "locality",
            _("locality"),
            Text(200),
            "turkistan",
            about=_("Its address on the site, or its name."),
            known=known_localities,
        ),
        Column("ownership", _("ownership"), Choice(Kindergarten.Ownership), "state"),
        Column("type", _("type"), Choice(Kindergarten.Type), "nursery"),
        Column("address_kk", _("address in Kazakh"), Text(200), "Абай көшесі, 12"),
        Column("address_ru", _("address in Russian"), Text(200), "ул. Абая, 12"),
        Column("phone", _("phone"), Phone(), "+7 725 333 12 34", required=False),
        Column("head", _("head"), Text(120), "М. Дүйсенова", required=False),
        Column(
            "latitude",
            _("latitude"),
            Degrees(*LATITUDES),
            "43.297300",
            required=False,
            empty=None,
            about=_("For a map, with the longitude; both or none."),
        ),
        Column("longitude", _("longitude"), Degrees(*LONGITUDES), "68.251700", required=False, empty=None),
    )
