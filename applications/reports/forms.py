"""What a reader may ask a report for: own localities, and what the report can be cut by."""

from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.reports.asked import MONTHS_KNOWN, Asked, Slice, last_months
from applications.reports.catalogue import Report
from applications.reports.tables import month_in_words
from bulletin.employment import localities_of
from bulletin.models import Language, Locality

YEARS_BACK: Final = 8


def own_localities(user: User, *, now: datetime) -> list[Locality]:
    """The localities about which an employee may read, in their order."""
    return list(localities_of(user, today=localdate(now)))


class AskedForm(forms.Form):
    """Everything may be left out: then it is all `localities` over the last twelve months.

    `are_everywhere`: these are all that there are.
    """

    by = forms.ChoiceField(label=_("Rows are"), required=False)
    locality = forms.ChoiceField(label=_("Locality"), required=False)
    birth_year = forms.ChoiceField(label=_("Birth year"), required=False)
    language = forms.ChoiceField(label=_("Language of upbringing"), required=False)
    month = forms.ChoiceField(label=_("Months"), required=False)

    def __init__(
        self,
        data: Any,
        *,
        report: Report,
        localities: list[Locality],
        now: datetime,
        are_everywhere: bool = False,
    ) -> None:
        super().__init__(data)
        self.are_everywhere = are_everywhere
        self.report, self.localities, self.now = report, localities, now
        self._offer("by", [(one.value, one.label) for one in report.slices])
        self._offer("locality", [("", _("All of mine")), *((str(one.pk), one.name) for one in localities)])
        if len(localities) < 2:
            del self.fields["locality"]
        years = range(self._today.year, self._today.year - YEARS_BACK, -1)
        self._offer("birth_year", [("", _("All")), *((str(year), str(year)) for year in years)])
        self._offer("language", [("", _("All")), *Language.choices])
        months = last_months(self._today, number=MONTHS_KNOWN)[::-1]
        self._offer(
            "month",
            [("", _("Last twelve months")), *((f"{one:%Y-%m}", month_in_words(one)) for one in months)],
        )

    @property
    def _today(self) -> date:
        return Asked(self.now, tuple(self.localities)).months[-1]

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def slice(self) -> Slice:
        return Slice(self.cleaned_data.get("by") or self.report.slices[0])

    @property
    def asked(self) -> Asked:
        """What is asked for; the form must be valid."""
        told = self.cleaned_data
        chosen = [one for one in self.localities if str(one.pk) == told.get("locality")]
        month = told.get("month")
        return Asked(
            self.now,
            tuple(chosen or self.localities),
            int(told["birth_year"]) if told.get("birth_year") else None,
            told.get("language", ""),
            date.fromisoformat(f"{month}-01") if month else None,
            are_everywhere=self.are_everywhere and not chosen,
        )

    @property
    def query(self) -> str:
        """The same as the end of an address, in one order, without what is left out."""
        told = {name: value for name, value in self.cleaned_data.items() if value}
        return urlencode({**told, "by": self.slice.value})
