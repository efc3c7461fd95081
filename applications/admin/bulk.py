"""Many drafts on one page: what the vacancies have in common, then a row for each group."""

import re
from collections import Counter
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.bidding.obstacles import why_not_publish
from bulletin.models import Group, Vacancy

ROWS = 10
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
            self.fields[name].widget = forms.SplitDateTimeWidget(
                date_attrs={"type": "date"}, time_attrs={"type": "time"}, date_format="%Y-%m-%d"
            )

    def _post_clean(self) -> None:
        """Skip the check: each row is checked as a whole vacancy instead."""


class RowForm(forms.Form):
    """One vacancy: whose group, how many places, for which years. A row without a group is left out."""

    group = GroupField(label=_("Group"), queryset=Group.objects.none(), required=False, empty_label="—")
    seats_total = forms.IntegerField(label=_("Places in all"), required=False, min_value=1, max_value=32767)
    birth_years = BirthYearsField(label=_("Birth years of children"), required=False, max_length=60)

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["group"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = groups

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors or not any(data.values()):
            return data
        for name, message in {
            "group": _("Choose the group."),
            "seats_total": _("Name the number of places."),
            "birth_years": _("Name at least one birth year."),
        }.items():
            if not data.get(name):
                self.add_error(name, str(message))
        return data


class BulkForm:
    """The page's forms together. Nothing is created unless every row is right."""

    def __init__(self, data: Any = None, *, groups: QuerySet[Group]) -> None:
        self.common = CommonForm(data, prefix="common")
        self.rows = [RowForm(data, prefix=f"row-{number}", groups=groups) for number in range(ROWS)]

    def is_valid(self, *, now: datetime) -> bool:
        """Whether drafts can be created; otherwise the forms hold the errors of every row."""
        sound = [form.is_valid() for form in (self.common, *self.rows)]
        if not all(sound):
            return False
        # Build the drafts before adding errors: an error removes its value from the form's data.
        drafts = self.drafts()
        if not drafts:
            self.common.add_error(None, gettext("Fill in at least one row."))
        # Rows of one group share its places.
        beside: Counter[int] = Counter()
        for row, draft in drafts:
            self._check(row, draft, beside=beside[draft.group_id], now=now)
            beside[draft.group_id] += draft.seats_total
        return not any(form.errors for form in (self.common, *self.rows))

    def drafts(self) -> list[tuple[RowForm, Vacancy]]:
        """The vacancies of the filled rows, not saved."""
        return [
            (row, _draft(self.common.cleaned_data, row.cleaned_data))
            for row in self.rows
            if row.cleaned_data.get("group")
        ]

    @transaction.atomic
    def create(self) -> list[Vacancy]:
        """Save all the drafts."""
        drafts = [draft for _row, draft in self.drafts()]
        for draft in drafts:
            draft.save(force_insert=True)
        return drafts

    @property
    def errors(self) -> list[ErrorDict]:
        return [form.errors for form in (self.common, *self.rows) if form.errors]

    def _check(self, row: RowForm, draft: Vacancy, *, beside: int, now: datetime) -> None:
        """Attach the vacancy's errors to their fields: in its row, or above the rows, where each is shown once."""
        for obstacle in why_not_publish(draft, now=now, beside=beside):
            form = row if obstacle.field in row.fields else self.common
            if obstacle.words not in form.errors.get(obstacle.field, ()):
                form.add_error(obstacle.field, obstacle.words)


def _draft(common: dict[str, Any], own: dict[str, Any]) -> Vacancy:
    """The vacancy of one row. Times are read in the zone of the row's kindergarten."""
    zone = own["group"].kindergarten.locality.zone
    times = {
        name: timezone.make_aware(timezone.make_naive(common[name]), zone) for name in TIMES if common[name]
    }
    return Vacancy(**common | times, **own)
