"""Many drafts on one page: what the vacancies have in common, then a row for each group."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.group_names import GroupNameField, carried, name_of
from applications.bidding.obstacles import why_not_publish
from applications.places.occupancy import occupancies_of, place_day, room
from bulletin.models import Group, Vacancy
from bulletin.school_years import school_year, suitable_years

# So many rows are there, so many more are added, and so many there may be.
ROWS, MORE_ROWS, MOST_ROWS = 5, 5, 50
TIMES = ("opens_at", "closes_at", "vacant_from")
# What an employee writes of a vacancy, in the order of the forms.
DRAFT_FIELDS = [
    "group",
    "birth_years",
    "seats_total",
    "place_type",
    "mode",
    "opens_at",
    "closes_at",
    "vacant_from",
    "responsible",
]
# What each row of the page says for itself; the rest is common to all of them.
ROW_FIELDS = ("group", "birth_years", "seats_total")
COMMON_FIELDS = [name for name in DRAFT_FIELDS if name not in ROW_FIELDS]
# Families are used to this hour. Until the draft is written and published, some time passes.
USUAL_HOUR, TO_WRITE = 18, timedelta(hours=1)


class GroupField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A group with its kindergarten, language and capacity, so that the right one is chosen."""

    def label_from_instance(self, obj: Group) -> str:
        return f"{obj.kindergarten.name} · {obj.name} · {obj.get_language_display()} · {obj.capacity}"


class BirthYearsField(forms.CharField):
    """Years with anything but digits between them, the youngest children first."""

    def clean(self, value: Any) -> list[int]:
        text = super().clean(value)
        years = re.findall(r"\d+", text)
        if text and (not years or any(len(year) != 4 for year in years)):
            raise ValidationError(gettext("Write years of four digits, separated by commas."))
        return sorted({int(year) for year in years}, reverse=True)


class CommonForm(forms.ModelForm):  # type: ignore[type-arg]
    """What all the vacancies of the page have in common."""

    class Meta:
        model = Vacancy
        fields = COMMON_FIELDS
        field_classes = {
            "opens_at": forms.SplitDateTimeField,
            "closes_at": forms.SplitDateTimeField,
            "vacant_from": forms.SplitDateTimeField,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TIMES:
            label = capfirst(str(self.fields[name].label))
            self.fields[name].widget = forms.SplitDateTimeWidget(
                date_attrs={"type": "date", "aria-label": f"{label}: {gettext('Date')}"},
                time_attrs={"type": "time", "aria-label": f"{label}: {gettext('Time')}"},
                date_format="%Y-%m-%d",
            )

    def _post_clean(self) -> None:
        """Skip the check: each row is checked as a whole vacancy instead."""


class RowForm(forms.Form):
    """One vacancy: whose group, how many places, for which years. An empty row is left out."""

    group = GroupNameField(label=_("Group"), required=False)
    seats_total = forms.IntegerField(label=_("Places in all"), required=False, min_value=1, max_value=32767)
    birth_years = BirthYearsField(label=_("Birth years of children"), required=False, max_length=60)

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["group"]
        assert isinstance(field, GroupNameField)
        field.groups = groups

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.values()):
            return data
        for name, message in {
            "group": _("Choose the group."),
            "seats_total": _("Name the number of places."),
        }.items():
            if not data.get(name) and name not in self.errors:
                self.add_error(name, str(message))
        return data

    @property
    def is_filled(self) -> bool:
        """Whether anything was typed into it."""
        return any(str(self.data.get(self.add_prefix(name), "")).strip() for name in self.fields)


class RowsForm(forms.Form):
    """How many rows the page has."""

    rows = forms.IntegerField(min_value=1, max_value=MOST_ROWS, widget=forms.HiddenInput)


class BulkForm:
    """The page's forms together. Nothing is created unless every row is right; all that is wrong is said at once."""

    def __init__(
        self,
        data: Any = None,
        *,
        groups: QuerySet[Group],
        common: dict[str, Any] | None = None,
        rows: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.groups = groups
        # Asked for: nothing is checked yet, and nothing that was typed is lost.
        self.asks_for_rows = data is not None and "more" in data
        number = _rows_of(data) if data is not None else max(ROWS, len(rows))
        if self.asks_for_rows:
            number = min(number + MORE_ROWS, MOST_ROWS)
        self.number = number
        self.may_have_more = number < MOST_ROWS
        self.common = CommonForm(data, prefix="common", initial=common)
        initial = [*rows, *[{}] * number][:number]
        self.rows = [
            RowForm(data, prefix=f"row-{at}", groups=groups, initial=one) for at, one in enumerate(initial)
        ]

    def is_valid(self, *, now: datetime) -> bool:
        """Whether drafts can be created; otherwise the forms hold the errors of every row."""
        for form in (self.common, *self.rows):
            form.is_valid()
        # Build the drafts before adding errors: an error removes its value from the form's data.
        drafts = [
            (row, self._draft(row), self._missing(row))
            for row in self.rows
            if row.is_filled and row.cleaned_data.get("group")
        ]
        if not any(row.is_filled for row in self.rows):
            self.common.add_error(None, gettext("Fill in at least one row."))
        # Rows of one group share its places.
        beside: Counter[int] = Counter()
        for row, draft, missing in drafts:
            self._check(row, draft, missing=missing, beside=beside[draft.group_id], now=now)
            beside[draft.group_id] += draft.seats_total or 0
        return not self.errors

    @transaction.atomic
    def create(self) -> list[Vacancy]:
        """Save all the drafts."""
        drafts = [self._draft(row) for row in self.rows if row.cleaned_data.get("group")]
        for draft in drafts:
            draft.save(force_insert=True)
        return drafts

    @property
    def errors(self) -> list[ErrorDict]:
        if self.asks_for_rows:
            return []
        return [form.errors for form in (self.common, *self.rows) if form.errors]

    @property
    def names(self) -> list[str]:
        """The names of groups that the page suggests by itself: of all, if they are few; else of those that fit."""
        several = [
            name
            for row in self.rows
            if row.is_bound and not self.asks_for_rows
            for error in row.errors.as_data().get("group", [])
            for name in (error.params or {}).get("names", [])
        ]
        return several or carried(self.groups)

    def _draft(self, row: RowForm) -> Vacancy:
        """The vacancy of one row, as far as it is filled in. Times are read in the zone of the row's kindergarten."""
        common, own = self.common.cleaned_data, {**row.cleaned_data}
        zone = own["group"].kindergarten.locality.zone
        times = {
            name: timezone.make_aware(timezone.make_naive(common[name]), zone)
            for name in TIMES
            if common.get(name)
        }
        draft = Vacancy(**{**common, **times}, **own)
        if not draft.birth_years and "birth_years" not in row.errors:
            draft.birth_years = usual_years({**common, **times, **own})
        return draft

    def _missing(self, row: RowForm) -> set[str]:
        """What can't be judged of a row, since it is wrong or not there."""
        wrong = {*self.common.errors, *row.errors}
        return wrong | {"birth_years"} if wrong & {"opens_at", "vacant_from"} else wrong

    def _check(self, row: RowForm, draft: Vacancy, *, missing: set[str], beside: int, now: datetime) -> None:
        """Attach the vacancy's errors to their fields: in its row, or above the rows, where each is shown once."""
        for obstacle in why_not_publish(draft, now=now, beside=beside, missing=missing):
            form = row if obstacle.field in row.fields else self.common
            if obstacle.words not in form.errors.get(obstacle.field, ()):
                form.add_error(obstacle.field, obstacle.words)


def usual_years(data: dict[str, Any]) -> list[int]:
    """The birth years of children of the group's age on the day on which a place can be taken; none if it is unknown.

    `data` are cleaned values of a draft.
    """
    known: dict[str, Any] = {name: data.get(name) for name in ("group", "opens_at", "vacant_from")}
    if not all(known.values()):
        return []
    return sorted(
        suitable_years(known["group"].age_group, on=place_day(Vacancy(**known))),
        reverse=True,
    )


def usual_opening(zone: ZoneInfo, *, lead: timedelta, now: datetime) -> datetime:
    """The first usual hour at which a draft that is written now may open. Pure."""
    earliest = now + lead + TO_WRITE
    day = earliest.astimezone(zone).date()
    at = datetime.combine(day, time(USUAL_HOUR), tzinfo=zone)
    return at if at >= earliest else datetime.combine(day + timedelta(days=1), time(USUAL_HOUR), tzinfo=zone)


def responsible(user: User) -> str:
    """The employee's name, for what everybody reads; empty if only the name is known with which they sign in."""
    employee = getattr(user, "employee", None)
    return employee.short_name if employee else ""


def last_together(groups: QuerySet[Group]) -> list[Vacancy]:
    """The vacancies of these groups that opened last, all at one time; drafts are not among them."""
    published = Vacancy.objects.filter(group__in=groups.order_by().values("pk")).exclude(
        state=Vacancy.State.DRAFT
    )
    newest = published.order_by("-opens_at", "pk").first()
    if newest is None:
        return []
    together = published.filter(opens_at=newest.opens_at, mode=newest.mode, place_type=newest.place_type)
    return list(together.select_related("group__kindergarten__locality").order_by("pk")[:MOST_ROWS])


def usual_common(opens_at: datetime) -> dict[str, Any]:
    """What a vacancy begins with where there is no last one: it is free as it opens."""
    return {"opens_at": opens_at, "vacant_from": opens_at}


def copied_common(last: Vacancy, *, opens_at: datetime, now: datetime) -> dict[str, Any]:
    """What a new vacancy has in common with the last one. A place that was free by now is free as it opens."""
    lasts = last.closes_at - last.opens_at if last.closes_at else None
    return {
        "place_type": last.place_type,
        "mode": last.mode,
        "opens_at": opens_at,
        "closes_at": opens_at + lasts if lasts else None,
        "vacant_from": as_told(last.vacant_from, last) if last.vacant_from > now else opens_at,
        "responsible": last.responsible,
    }


def as_told(at: datetime, vacancy: Vacancy) -> datetime:
    """The instant at which the clock of the present page shows what that of the vacancy's place showed at `at`."""
    return timezone.make_aware(at.astimezone(vacancy.locality.zone).replace(tzinfo=None))


def copied_rows(lasts: Sequence[Vacancy], common: dict[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    """Rows like the last vacancies. The birth years are those of each group's age, a year later too."""
    seats = copied_seats(lasts, common, now=now)
    return [
        {"group": name_of(last.group, with_place=True), "seats_total": number}
        for last, number in zip(lasts, seats, strict=True)
    ]


def copied_seats(lasts: Sequence[Vacancy], common: dict[str, Any], *, now: datetime) -> list[int | None]:
    """As many places as each of these had, or as many as its group has room for now; None where it has none.

    `common` is what the new ones begin with. What a draft of the group holds already, or one of these is given, is no
    room for the next.
    """
    held, seats = occupancies_of([last.group for last in lasts], now=now), []
    in_drafts = Vacancy.objects.filter(group__in=held, state=Vacancy.State.DRAFT)
    drafts = list(in_drafts.select_related("group__kindergarten__locality"))
    given = Counter[int]()
    for last in lasts:
        new = Vacancy(group=last.group, opens_at=common["opens_at"], vacant_from=common["vacant_from"])
        year = school_year(place_day(new))
        left = room(last.group.capacity, held[last.group_id], year=year)
        left -= _drafted(drafts, last.group_id, year) + given[last.group_id]
        seats.append(min(last.seats_total, left) if left > 0 else None)
        given[last.group_id] += seats[-1] or 0
    return seats


def _drafted(drafts: Iterable[Vacancy], group: int, year: int) -> int:
    """How many places of the group stand in drafts of a school year or an earlier one: like promises they go on."""
    of_group = (one for one in drafts if one.group_id == group)
    return sum(one.seats_total for one in of_group if school_year(place_day(one)) <= year)


def _rows_of(data: Any) -> int:
    form = RowsForm(data)
    return int(form.cleaned_data["rows"]) if form.is_valid() else ROWS
