"""The staff's view of the offer.

Vacancies, groups and the calendar are in `applications.admin`: publishing involves the queue, a group what is promised
of it, and a day off the referrals.
"""

from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.inlines import BoundedInline
from accounts.models import User
from bulletin import on_map
from bulletin.closings import closings_of
from bulletin.country import is_in_the_country
from bulletin.employment import localities_of
from bulletin.kazakh_order import ByName
from bulletin.mercator import Bounds
from bulletin.models import LATITUDES, LONGITUDES, Employment, Group, Kindergarten, Locality
from bulletin.profiles import completeness, profile_of
from bulletin.seen import SeenAdmin
from bulletin.selectors import named
from bulletin.tiles import ground
from notifications.clock import estimate_clock

# Those of Kazakhstan.
ZONES = (
    "Asia/Almaty",
    "Asia/Aqtau",
    "Asia/Aqtobe",
    "Asia/Atyrau",
    "Asia/Oral",
    "Asia/Qostanay",
    "Asia/Qyzylorda",
)


COUNTRY = Bounds(*(float(side) for side in (LONGITUDES[0], LATITUDES[0], LONGITUDES[1], LATITUDES[1])))


# Of a locality as many are drawn where a point is chosen; more would hide each other.
DRAWN_MOST = 500


class _AskedPoint(forms.CharField):
    """What was asked about; it is no field of a kindergarten, so no change of one."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class KindergartenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A point far from all others of the locality is asked about once: the same point sent again is saved."""

    asked_point = _AskedPoint(label="", required=False, max_length=40, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        north, east = data.get("latitude"), data.get("longitude")
        if north is None or east is None or not {"latitude", "longitude"} & set(self.changed_data):
            return data
        if not is_in_the_country(float(north), float(east)):
            # The bounds of the fields are a rectangle, in which neighbours' towns lie, too.
            abroad = gettext(
                "This point is outside of Kazakhstan. Check both numbers, and whether they are exchanged."
            )
            self.add_error("latitude", abroad)
            return data
        locality = data.get("locality") or (self.instance.locality if self.instance.locality_id else None)
        others = Kindergarten.objects.filter(locality=locality).exclude(pk=self.instance.pk)
        metres = on_map.far_from(others, (float(north), float(east)))
        point = f"{north:.6f},{east:.6f}"
        if metres is not None and data.get("asked_point") != point:
            sent = {name: self.data[name] for name in self.data}
            self.data = sent | {self.add_prefix("asked_point"): point}
            question = gettext(
                "This point is %(away)s from the nearest other kindergarten of the locality. Check both numbers. If "
                "they are right, press “Save” once more."
            )
            self.add_error("latitude", question % {"away": on_map.in_words(metres)})
        return data


class LocalityForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = forms.ChoiceField(label=gettext_lazy("time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("timezone")
        if isinstance(field, forms.ChoiceField):
            offered = dict.fromkeys([*ZONES, self.instance.timezone])
            field.choices = [(name, f"{name} ({_offset(name)})") for name in offered]


def _offset(zone: str) -> str:
    return f"UTC{timezone.localtime(estimate_clock(), ZoneInfo(zone)):%z}"[:6]


@admin.register(Locality)
class LocalityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = LocalityForm
    list_display = ["name_kk", "name_ru", "slug", "timezone", "order"]
    search_fields = ["name_kk", "name_ru", "slug"]


class GroupInline(BoundedInline):
    """The groups as they are. They change by proposals that an official confirms (`applications.admin.groups`)."""

    model = Group
    extra = 0
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Kindergarten)
class KindergartenAdmin(SeenAdmin):
    """Whoever may add kindergartens edits everything; a kindergarten's worker only its address, phone and head."""

    form = KindergartenForm
    list_display = ["name", "locality", "ownership", "type", "phone"]
    list_filter = ["locality", "ownership", "type"]
    list_select_related = ["locality"]
    ordering = [ByName(), "id"]
    search_fields = ["search_text"]
    search_help_text = gettext_lazy("A part of the name in either language, or the address on the site.")
    inlines = [GroupInline]
    official_fields = ["name_kk", "name_ru", "slug", "locality", "ownership", "type"]
    change_form_template = "admin/bulletin/kindergarten/change_form.html"

    @admin.display(description=gettext_lazy("name"), ordering=ByName())
    def name(self, kindergarten: Kindergarten) -> str:
        return kindergarten.name

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the folded name, as on the public pages, or by the exact address on the site."""
        found = queryset.filter(named(search_term))
        return found | queryset.filter(slug=search_term.strip()), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """What the public page lacks; a kindergarten that is closed as a whole is not offered to be closed."""
        kindergarten = kwargs.get("obj")
        context["is_closed"] = kindergarten is not None and bool(closings_of(kindergarten))
        here = Kindergarten.objects.filter(
            locality=kindergarten.locality if kindergarten is not None else None
        )
        own = [] if kindergarten is None else [kindergarten.pk]
        others = here.filter(latitude__isnull=False).exclude(pk__in=own)
        context["map_bounds"] = on_map.extent(here).first or COUNTRY
        context["map_others"] = [[*one.point, one.name] for one in others[:DRAWN_MOST] if one.point]
        context["map_ground"] = ground()
        if kindergarten is not None:
            context["completeness"] = completeness(kindergarten, profile_of(kindergarten))
        return super().render_change_form(request, context, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Kindergarten | None = None) -> list[str]:
        return [] if self.has_add_permission(request) else self.official_fields


class AroundFilter(admin.SimpleListFilter):
    """By the locality, of kindergartens too."""

    title = gettext_lazy("locality")
    parameter_name = "locality"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        own = localities_of(cast(User, request.user), today=timezone.localdate(estimate_clock()))
        return [(place.slug, place.name) for place in own]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Employment]) -> QuerySet[Employment]:
        if not (slug := self.value()):
            return queryset
        return queryset.filter(Q(locality__slug=slug) | Q(kindergarten__locality__slug=slug))


@admin.register(Employment)
class EmploymentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "kindergarten", "locality", "since", "until", "is_in_force"]
    list_filter = [AroundFilter]
    list_select_related = ["user__employee", "kindergarten", "locality"]
    search_fields = [
        "user__username",
        "user__employee__last_name",
        "kindergarten__name_kk",
        "kindergarten__name_ru",
    ]
    autocomplete_fields = ["user", "kindergarten", "locality"]

    @admin.display(description=gettext_lazy("in force"), boolean=True)
    def is_in_force(self, employment: Employment) -> bool:
        today: date = timezone.localdate(estimate_clock())
        return employment.since <= today and (employment.until is None or today <= employment.until)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        if db_field.name == "user":
            employees = User.objects.filter(is_staff=True).select_related("employee").order_by("username")
            # Nobody gives themselves a place to work in.
            own = cast(User, request.user)
            kwargs["queryset"] = employees if own.is_superuser else employees.exclude(pk=own.pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
