"""Groups by file, each known by its kindergarten and its name. The rules are those of an official's proposal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.decisions.places import DATA, why_not_confirm
from applications.models import GroupProposal
from applications.places.occupancy import lock_places, lock_places_of
from bulletin.importing.columns import Choice, Column, Row, Text, Whole
from bulletin.importing.kept_rows import TakingBack, value_of
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, store
from bulletin.importing.places import Kindergartens
from bulletin.importing.problems import Problem
from bulletin.importing.table import MOST_ROWS
from bulletin.models import MOST_CHILDREN, AgeGroup, Group, Kindergarten, Language
from bulletin.sorting import fold


class Groups:
    """The groups that the rows of a portion name, by the address of their kindergarten and their own name."""

    def __init__(self, run: Run) -> None:
        self.kindergartens = Kindergartens(run)

    def prepare(self, rows: Sequence[Row]) -> None:
        self.kindergartens.prepare(rows, "kindergarten")

    def of(self, row: Row) -> Group:
        """The group that the row names. Raises `LeftOut`."""
        found = self.find(self.kindergartens.of(row, "kindergarten"), row.values["group"])
        if found is None:
            raise LeftOut(row.fault("group", Problem.UNKNOWN, first="groups"))
        return found

    def find(self, kindergarten: Kindergarten, name: str) -> Group | None:
        """The group of this name, however it is spelt: capitals, quotation marks."""
        groups = kindergarten.groups.all()
        exact = (one for one in groups if one.name == name)
        return next(exact, None) or next((one for one in groups if fold(one.name) == fold(name)), None)


class _Loader(Loader):
    # All of the file: groups are locked in the order of their keys, and to its end.
    portion = MOST_ROWS

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(run)
        self.locked: dict[int, Group] = {}

    def prepare(self, rows: Sequence[Row]) -> None:
        self.groups.prepare(rows)
        found = ((self._find(row), _data(row)) for row in rows)
        changing = {group.pk for group, data in found if group and not _has(group, data)}
        self.locked = lock_places_of(changing, now=self.run.now)

    def take_row(self, row: Row) -> Outcome:
        kindergarten = self.groups.kindergartens.of(row, "kindergarten")
        self.demand_once(row, "name", (kindergarten.pk, fold(row.values["name"])))
        found = self.groups.find(kindergarten, row.values["name"])
        data = _data(row)
        if found is not None and _has(found, data):
            return Outcome.UNCHANGED
        group = self.locked[found.pk] if found else Group(kindergarten=kindergarten)
        for column, why in why_not_be(group, data, now=self.run.now):
            raise LeftOut(row.fault(column if column in row.columns else "", Problem.RULE, why=why))
        return store(self.run, row, group, data, is_new=found is None)

    def label(self, row: Row) -> str:
        return f"{row.cells['kindergarten']}, {row.cells['name']}"

    def _find(self, row: Row) -> Group | None:
        try:
            return self.groups.find(self.groups.kindergartens.of(row, "kindergarten"), row.values["name"])
        except LeftOut:
            return None


def _data(row: Row) -> dict[str, Any]:
    return {name: row.values[name] for name in DATA if name in row.values}


def _has(group: Group, data: Mapping[str, Any]) -> bool:
    return all(getattr(group, name) == value for name, value in data.items())


def why_not_be(group: Group, data: Mapping[str, Any], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Why an official could not give a group these values, or make it if it is new: fields and sentences."""
    values = {name: data.get(name, getattr(group, name)) for name in DATA}
    proposal = GroupProposal(group=group if group.pk else None, kindergarten=group.kindergarten, **values)
    for column, sentences in why_not_confirm(proposal, now=now).items():
        for sentence in sentences:
            yield column, sentence


class _TakingBack(TakingBack):
    def why_not_restore(self, obj: Model, before: Mapping[str, str | None]) -> str:
        assert isinstance(obj, Group)
        group = lock_places(obj.pk, now=self.now)
        data = {name: value_of(obj, name, text) for name, text in before.items()}
        return " ".join(sentence for _column, sentence in why_not_be(group, data, now=self.now))


class GroupKind(Kind):
    name = "groups"
    title = pgettext_lazy("of a kindergarten", "groups")
    about = _("Adds groups, or changes those that are there, each known by its kindergarten and its name.")
    permissions = ("bulletin.add_group",)
    loader = _Loader
    taking_back = _TakingBack
    columns = (
        Column(
            "kindergarten",
            _("kindergarten"),
            Text(80),
            "amina",
            about=_("Its address on the site."),
        ),
        Column("name", _("group name"), Text(80), "Балапан"),
        Column("age_group", _("age group"), Choice(AgeGroup), "3-4"),
        Column("language", _("language of education"), Choice(Language), "kk"),
        Column("regime", _("group type"), Choice(Group.Regime), "day", required=False, empty="day"),
        Column("capacity", _("capacity"), Whole(1, MOST_CHILDREN), "25"),
    )
