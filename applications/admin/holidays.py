"""The calendar of working days: what a changed day means for families is shown before it is saved."""

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.day_preview import longer_by, touched_by
from applications.admin.work import YEARS_AHEAD, Rows
from applications.bidding.obstacles import EARLIEST_YEAR
from applications.referrals.days_off import LENGTHEN_TASK
from bulletin.calendar import lock_calendar, mark_of_calendar
from bulletin.models import Holiday
from bulletin.official_days import source_in_words
from bulletin.seen import CheckedAdmin
from notifications.broker import wake_on_commit
from notifications.clock import estimate_clock, read_clock


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Holiday
        fields = ["date", "kind", "name_kk", "name_ru", "source"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.source:
            self.initial["source"] = source_in_words(self.instance.source)

    def clean_source(self) -> str:
        """What the page told of the source is kept as it was stored."""
        source: str = self.cleaned_data["source"]
        was = self.instance.source
        return was if was and source == source_in_words(was) else source

    def clean_date(self) -> date:
        day: date = self.cleaned_data["date"]
        if not EARLIEST_YEAR <= day.year <= timezone.localdate(estimate_clock()).year + YEARS_AHEAD:
            raise forms.ValidationError(gettext("Check the year."))
        return day


class WhenFilter(admin.SimpleListFilter):
    """What is next; what is over; or all. A search, and a year that was chosen, are of all."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("earlier", _("earlier")), ("all", _("all days"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        beginning, *others = super().choices(changelist)
        yield {**beginning, "display": gettext("from today on")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Holiday]) -> QuerySet[Holiday]:
        today = timezone.localdate(estimate_clock())
        if self.value() == "earlier":
            return queryset.filter(date__lt=today)
        if self.value() or is_of_all(request):
            return queryset
        return queryset.filter(date__gte=today)


def is_of_all(request: HttpRequest) -> bool:
    """Whether something was searched for, or a year or a month chosen."""
    return any(name == SEARCH_VAR or name.startswith("date__") for name in request.GET)


@admin.register(Holiday)
class HolidayAdmin(CheckedAdmin):
    """Dates are never deleted: a cancelled day off becomes a working day, so that loading does not bring it back."""

    form = HolidayForm
    list_display = ["day", "kind", "name_kk", "name_ru", "shown_source"]
    list_filter = [WhenFilter, "kind"]
    search_fields = ["name_kk", "name_ru", "source"]
    check_title = _("Check the day")
    check_template = "admin/holiday_check.html"
    date_hierarchy = "date"
    ordering = ["date"]

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        """What is next stands first; of what is over, the newest."""
        return ["-date"] if request.GET.get(WhenFilter.parameter_name) == "earlier" else ["date"]

    @admin.display(description=_("date"), ordering="date")
    def day(self, holiday: Holiday) -> str:
        return f"{holiday.date:%d.%m.%Y}, {date_format(holiday.date, 'l').lower()}"

    @admin.display(description=_("source"))
    def shown_source(self, holiday: Holiday) -> str:
        return source_in_words(holiday.source) or "—"

    def consequences(self, obj: Holiday) -> dict[str, Any]:
        """Families' deadlines are counted by these days."""
        now = read_clock()
        return {
            "rows": [
                {"label": gettext("date"), "value": self.day(obj)},
                {"label": gettext("kind"), "value": self._was_and_becomes(obj)},
                {"label": gettext("name in Kazakh"), "value": obj.name_kk},
                {"label": gettext("name in Russian"), "value": obj.name_ru},
                *self._typed_source(obj),
            ],
            "is_past": obj.date <= timezone.localdate(now),
            "touched": touched_by(obj, now=now),
        }

    def _typed_source(self, holiday: Holiday) -> Rows:
        """The source where one is typed; else whoever saves becomes it."""
        stored = Holiday.objects.filter(pk=holiday.pk).first()
        if not holiday.source or (stored is not None and stored.source == holiday.source):
            return []
        return [{"label": gettext("source"), "value": holiday.source}]

    def _was_and_becomes(self, holiday: Holiday) -> str:
        """The kind of the day, with the present one if it is another."""
        becomes = str(holiday.get_kind_display())
        stored = Holiday.objects.filter(pk=holiday.pk).first()
        return (
            becomes
            if stored is None or stored.kind == holiday.kind
            else f"{stored.get_kind_display()} → {becomes}"
        )

    def reckoned_by(self) -> str:
        return mark_of_calendar()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What is sent is judged and saved while nobody else saves a day."""
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            lock_calendar()
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Holiday | None = None) -> list[str]:
        return ["date"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Holiday | None = None) -> list[Any]:
        """Whoever only reads a day reads in words where it comes from."""
        fields = list(super().get_fields(request, obj))
        if self.has_change_permission(request, obj):
            return fields
        return ["shown_source" if name == "source" else name for name in fields]

    def has_delete_permission(self, request: HttpRequest, obj: Holiday | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Holiday, form: Any, change: bool) -> None:
        """If a day is changed without naming a source, the source is the editor. A worker lengthens the referrals."""
        if form.has_changed() and "source" not in form.changed_data:
            obj.source = str(cast(User, request.user))
        touched = longer_by(obj, now=read_clock())
        super().save_model(request, obj, form, change)
        if touched:
            wake_on_commit(LENGTHEN_TASK)
            words = gettext("Referrals that last longer by it: %(count)s. Their families are told.")
            messages.info(request, words % {"count": len(touched)})
