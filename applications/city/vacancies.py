"""Drafts of vacancies by file. They are published as any other draft is: by a person, by the ordinary page."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from applications.bidding.obstacles import why_not_publish
from applications.city.groups import Groups
from bulletin.importing.columns import Choice, Column, Moment, Row, Several, Text, Whole
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, store
from bulletin.importing.problems import Problem
from bulletin.models import Group, Vacancy

_TIMES: Final = ("opens_at", "closes_at", "vacant_from")


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(run)
        # Rows of one group share its places.
        self.beside: Counter[int] = Counter()

    def prepare(self, rows: Sequence[Row]) -> None:
        self.groups.prepare(rows)

    def take_row(self, row: Row) -> Outcome:
        group = self.groups.of(row)
        data = self._data(row, group)
        key = group.pk, data["opens_at"], tuple(data["birth_years"])
        self.demand_once(row, "group", key)
        known = self._known(group, data)
        if known is not None and known.state != Vacancy.State.DRAFT:
            return self._demand_same(row, known, data)
        draft = known or Vacancy(group=group)
        if known is None or any(getattr(known, name) != value for name, value in data.items()):
            self._demand_publishable(row, Vacancy(group=group, **{**_present(draft), **data}))
        self.beside[group.pk] += data["seats_total"]
        values = {**data, "group": group, "state": Vacancy.State.DRAFT}
        return store(self.run, row, draft, values, is_new=known is None)

    def label(self, row: Row) -> str:
        return f"{row.cells['kindergarten']}, {row.cells['group']}: {row.cells['birth_years']}"

    def _data(self, row: Row, group: Group) -> dict[str, Any]:
        """The fields that the row names, with times in the zone of the group's place."""
        zone = group.kindergarten.locality.zone
        data = {name: value for name, value in row.values.items() if name not in ("kindergarten", "group")}
        for name in _TIMES:
            if data.get(name) is not None:
                data[name] = data[name].replace(tzinfo=zone)
        data["birth_years"] = sorted(data["birth_years"], reverse=True)
        if data.get("vacant_from") is None:
            data["vacant_from"] = data["opens_at"]
        return data

    def _known(self, group: Group, data: dict[str, Any]) -> Vacancy | None:
        found = Vacancy.objects.filter(
            group=group, opens_at=data["opens_at"], birth_years=data["birth_years"]
        )
        # One in the bulletin stays as it is, and families who press there wait for no file.
        drafts = found.filter(state=Vacancy.State.DRAFT).select_for_update(of=("self",), no_key=True)
        return drafts.order_by("pk").first() or found.order_by("pk").first()

    def _demand_same(self, row: Row, known: Vacancy, data: dict[str, Any]) -> Outcome:
        for name, value in data.items():
            if getattr(known, name) != value:
                what = gettext("it is in the bulletin, or was")
                raise LeftOut(row.fault(name, Problem.IN_USE, what=what))
        return Outcome.UNCHANGED

    def _demand_publishable(self, row: Row, draft: Vacancy) -> None:
        obstacles = why_not_publish(
            draft, now=self.run.now, beside=self.beside[draft.group_id], missing=set()
        )
        if obstacles:
            raise LeftOut(
                *(
                    row.fault(one.field if one.field in row.columns else "", Problem.RULE, why=str(one.words))
                    for one in obstacles
                )
            )


def _present(draft: Vacancy) -> dict[str, Any]:
    names = ("place_type", "mode", "closes_at", "responsible")
    return {name: getattr(draft, name) for name in names}


class Vacancies(Kind):
    name = "vacancies"
    title = _("vacancies")
    about = _(
        "Adds drafts of vacancies, or changes drafts, each known by its group, its opening and its birth years. "
        "Nothing is published: look through the drafts and publish them on the page of vacancies."
    )
    permissions = ("bulletin.change_vacancy",)
    loader = _Loader
    columns = (
        Column("kindergarten", _("kindergarten"), Text(80), "amina", about=_("Its address on the site.")),
        Column("group", pgettext_lazy("of a kindergarten", "group"), Text(80), "Балапан"),
        Column("birth_years", _("birth years of children"), Several(Whole(2000, 2099)), "2023, 2022"),
        Column("seats_total", _("places in all"), Whole(1, 500), "5"),
        Column("opens_at", _("bids are accepted from"), Moment(), "14.09.2026 18:00"),
        Column(
            "closes_at",
            _("bids are accepted until"),
            Moment(),
            "16.09.2026 18:00",
            required=False,
            empty=None,
        ),
        Column(
            "vacant_from",
            _("the place is actually free from"),
            Moment(),
            "21.09.2026 09:00",
            required=False,
            empty=None,
            about=_("Empty: from the opening on."),
        ),
        Column(
            "place_type",
            _("place type"),
            Choice(Vacancy.PlaceType),
            "vacant",
            required=False,
            empty=Vacancy.PlaceType.VACANT,
        ),
        Column(
            "mode",
            _("who gets a place"),
            Choice(Vacancy.Mode),
            "queue_order",
            required=False,
            empty=Vacancy.Mode.FIRST_COME,
        ),
        Column("responsible", _("responsible employee"), Text(120), "Ахметова А. С."),
    )
