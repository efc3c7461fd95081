"""Vacancies: written as a draft, published, recalled or closed by a button."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.suggestions import is_key_of
from applications.admin.bulk import (
    COMMON_FIELDS,
    DRAFT_FIELDS,
    TIMES,
    BulkForm,
    GroupField,
    copied_common,
    copied_rows,
    copied_seats,
    last_together,
    responsible,
    usual_common,
    usual_opening,
    usual_years,
)
from applications.admin.group_names import LONGEST, GroupNameField, are_many, fitting, names_among
from applications.admin.work import (
    ReasonForm,
    Rows,
    SeenForm,
    Work,
    WorkAdmin,
    filtered,
    link,
    page_of,
    reason_field,
    staff_of,
    tag,
)
from applications.bidding import publication
from applications.bidding.obstacles import (
    opening_too_soon,
    publication_lead,
    refuse_obstacles,
    why_not_publish,
)
from applications.rules.in_force import rules_at
from applications.states import LIVE_OFFERS, BidState, OfferState
from applications.workplace import with_pending
from bulletin.employment import kindergartens_of
from bulletin.kazakh_order import ByName
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Group, Locality, Vacancy
from bulletin.seen import SeenAdmin
from notifications.clock import estimate_clock, read_clock

TONES = {
    Vacancy.State.DRAFT: "neutral",
    Vacancy.State.PUBLISHED: "success",
    Vacancy.State.RECALLED: "danger",
    Vacancy.State.CLOSED: "warning",
}

# The buttons that put a draft into the bulletin.
PUBLISHING = ("publish", "publish-soon")

# How far back a form's birth years go: to the oldest kindergarten children.
YEARS_BACK = 7


class VacancyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft; errors are explained in words."""

    group = GroupField(
        label=_("Group"),
        queryset=Group.objects.select_related("kindergarten"),
        help_text=_("Kindergarten · group · language · capacity"),
    )
    birth_years = forms.TypedMultipleChoiceField(
        label=_("Birth years of children"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None: those of the group's age on the day on which the place is free."),
    )

    # Whether the employee may let it open sooner than the rules allow.
    may_shorten = False

    class Meta:
        model = Vacancy
        fields = DRAFT_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "birth_years" not in self.fields:
            return
        newest = timezone.localdate(estimate_clock()).year
        years = {*range(newest - YEARS_BACK, newest + 1), *(self.instance.birth_years or [])}
        field = self.fields["birth_years"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(year, str(year)) for year in sorted(years, reverse=True)]

    def clean_birth_years(self) -> list[int]:
        return sorted(self.cleaned_data["birth_years"], reverse=True)

    def clean(self) -> dict[str, Any]:
        """Without birth years those of the group's age hold, if it is known when a place can be taken."""
        data = super().clean() or self.cleaned_data
        if data.get("birth_years") == []:
            data["birth_years"] = usual_years(data)
        return data

    def _post_clean(self) -> None:
        """Check the vacancy as a whole, as publishing will; errors are shown at the fields.

        What depends on a value that is missing is not checked. What the database would refuse is said at its field.
        """
        super()._post_clean()  # type: ignore[misc]
        missing = set(self.errors) - {NON_FIELD_ERRORS}
        try:
            refuse_obstacles(
                why_not_publish(
                    self.instance, now=read_clock(), is_short_notice=self.may_shorten, missing=missing
                )
            )
        except ValidationError as error:
            self.add_error(None, error)
        if set(self.errors) - {NON_FIELD_ERRORS}:
            self.errors.pop(NON_FIELD_ERRORS, None)


class ShortNoticeForm(SeenForm):
    reason = reason_field(
        help_text=_("Everyone can read this text at the place: why families hear of it so late."),
    )


def _is_draft(vacancy: Vacancy, now: datetime) -> bool:
    return vacancy.state == Vacancy.State.DRAFT


def _may_be_recalled(vacancy: Vacancy, now: datetime) -> bool:
    return publication.why_not_recall(vacancy) is None


def _may_be_closed(vacancy: Vacancy, now: datetime) -> bool:
    return publication.why_not_close(vacancy, now=now) is None


def _seen(vacancy: Vacancy) -> dict[str, Any]:
    return {"seen": publication.seen_of(vacancy)}


def _publish(vacancy: Vacancy, actor: User, data: dict[str, Any], now: datetime) -> None:
    publication.publish_vacancy(vacancy, actor=actor, seen=data["seen"], now=now)


def _opens_too_soon(vacancy: Vacancy, now: datetime) -> bool:
    lead = publication_lead(vacancy.locality, now=now)
    return _is_draft(vacancy, now) and now <= vacancy.opens_at < now + lead


def _publish_at_short_notice(vacancy: Vacancy, actor: User, data: dict[str, Any], now: datetime) -> None:
    publication.publish_vacancy(
        vacancy, actor=actor, short_notice_reason=data["reason"], seen=data["seen"], now=now
    )


def _passed_on(vacancy: Vacancy) -> Rows:
    """How many places that were given back after the award are on their way to the next family, if any."""
    live = vacancy.offers.filter(state__in=LIVE_OFFERS).count() if vacancy.is_collected else 0
    return [{"label": gettext("Places offered to the next in the queue"), "value": live}] if live else []


def _recall(vacancy: Vacancy, actor: User, data: dict[str, Any], now: datetime) -> None:
    publication.recall_vacancy(vacancy, actor=actor, reason=data["reason"], now=now)


def _recalled(vacancy: Vacancy) -> str:
    told = (
        vacancy.bids.filter(state=BidState.VOID).exists()
        or vacancy.offers.filter(state=OfferState.RECALLED, application__isnull=False).exists()
    )
    if told:
        return gettext("The vacancy is recalled. The families have been told the reason.")
    return gettext("The vacancy is recalled. No family was waiting for an answer, so none had to be told.")


def _close(vacancy: Vacancy, actor: User, data: dict[str, Any], now: datetime) -> None:
    publication.close_vacancy(vacancy, actor=actor, now=now)


class TooSoonFilter(admin.SimpleListFilter):
    """Drafts that only an official may publish in time: the start page leads here."""

    title = _("opening too soon")
    parameter_name = "opening"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("drafts that only an official may publish in time"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Vacancy]) -> QuerySet[Vacancy]:
        if self.value() != "soon":
            return queryset
        return queryset.filter(pk__in=opening_too_soon(now=estimate_clock()).values("pk"))


@admin.register(Vacancy)
class VacancyAdmin(SeenAdmin, WorkAdmin):
    """Editable only while it is a draft: afterwards families rely on it."""

    form = VacancyForm
    list_display = [
        "group_name",
        "kindergarten",
        "years",
        "language",
        "seats",
        "bids_waiting",
        "opening",
        "shown_state",
    ]
    list_filter = [
        "state",
        TooSoonFilter,
        "place_type",
        "mode",
        ("group__kindergarten", KindergartenFilter),
        "opens_at",
    ]
    list_select_related = ["group__kindergarten__locality"]
    search_fields = ["group__name", "group__kindergarten__name_kk", "group__kindergarten__name_ru"]
    search_help_text = _("Name of the kindergarten or the group")
    ordering = ["-opens_at"]
    actions = ["publish_selected"]
    change_list_template = "admin/bulletin/vacancy/change_list.html"
    change_form_template = "admin/bulletin/vacancy/change_form.html"
    published_fields = [
        "shown_state",
        "kindergarten",
        "group_name",
        "language",
        "years",
        "seats",
        "bids_waiting",
        *COMMON_FIELDS,
        "priority_until",
        "published_at",
        "short_notice_reason",
        "ended_at",
        "end_reason",
    ]
    works = [
        Work(
            name="publish",
            label=_("Publish"),
            consequence=_(
                "The vacancy appears in the bulletin and can't be changed any more. Families may send bids from the "
                "opening time."
            ),
            done=_("The vacancy is published."),
            permission="bulletin.change_vacancy",
            offered=_is_draft,
            perform=_publish,
            form=SeenForm,
            initial=_seen,
            is_in_journal=True,
        ),
        Work(
            name="publish-soon",
            label=_("Publish at short notice"),
            consequence=_(
                "It opens sooner after its publication than the rules say, so some families may hear of it late. "
                "Everyone reads your reason at the place. It can't be changed any more."
            ),
            done=_("The vacancy is published."),
            permission=publication.SHORTEN_LEAD,
            offered=_opens_too_soon,
            perform=_publish_at_short_notice,
            initial=_seen,
            is_in_journal=True,
            form=ShortNoticeForm,
            danger=True,
        ),
        Work(
            name="recall",
            label=_("Recall the places"),
            consequence=_(
                "The vacancy leaves the bulletin. Bids without an answer end, their families wait at their original "
                "date and read your reason. Referrals already issued stay valid."
            ),
            done=_recalled,
            permission="bulletin.change_vacancy",
            offered=_may_be_recalled,
            perform=_recall,
            is_in_journal=True,
            form=ReasonForm,
            danger=True,
        ),
        Work(
            name="close",
            label=_("Stop accepting bids"),
            consequence=_("No more bids are accepted. Bids already sent still wait for your answer."),
            done=_("The vacancy is closed."),
            permission="bulletin.change_vacancy",
            offered=_may_be_closed,
            perform=_close,
            is_in_journal=True,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vacancy]:
        rows: QuerySet[Vacancy] = with_pending(super().get_queryset(request))
        return rows

    # --- whose clock ------------------------------------------------------------------------------------------

    def zone_of(self, obj: Vacancy) -> tzinfo:
        return obj.locality.zone

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with times in the zone of the kindergarten's place."""
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        timezone.activate(_zone(request, obj) or timezone.get_default_timezone())
        return super().changeform_view(request, object_id, form_url, extra_context)

    # --- who may do what -------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bulletin.add_vacancy")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("bulletin.change_vacancy") and (obj is None or _may_change(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is not None and _may_change(obj) and request.user.has_perm("bulletin.delete_vacancy")

    def get_fields(self, request: HttpRequest, obj: Vacancy | None = None) -> tuple[str, ...]:
        editable = obj is None or self.has_change_permission(request, obj)
        return tuple(DRAFT_FIELDS if editable else self.published_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Vacancy | None = None) -> tuple[str, ...]:
        editable = obj is None or self.has_change_permission(request, obj)
        return () if editable else tuple(self.published_fields)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:  # type: ignore[type-arg]
        form: type[forms.ModelForm] = super().get_form(request, obj, change, **kwargs)  # type: ignore[type-arg]
        form.may_shorten = request.user.has_perm(publication.SHORTEN_LEAD)  # type: ignore[attr-defined]
        # A copy: the field itself belongs to the class and is shared by all requests.
        group = deepcopy(form.base_fields.get("group"))
        if isinstance(group, forms.ModelChoiceField):
            groups = _own_groups(request)
            form.base_fields["group"] = _named(group, groups) if are_many(groups) else group
            group.queryset = groups
        zone = _zone(request, obj)
        for name in {*TIMES} & {*form.base_fields}:
            form.base_fields[name].help_text = _by_whose_clock(zone)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The usual beginning, or with `copy` what that vacancy of the employee's own had."""
        copied: list[Vacancy] = []
        if wanted := request.GET.get("copy"):
            found = self.get_object(request, wanted)
            copied = [found] if found is not None else []
        beginning = _beginning(request, copied)
        if copied:
            (seats,) = copied_seats(copied, beginning, now=read_clock())
            beginning |= {"group": copied[0].group_id, "seats_total": seats}
            if seats is None:
                messages.warning(
                    request,
                    gettext(
                        "The group has no room now beside its drafts. If children have left, count the group anew."
                    ),
                )
        return beginning

    def save_model(self, request: HttpRequest, obj: Vacancy, form: Any, change: bool) -> None:
        """Write the fields of the form only, and only while it is still a draft: it may have been published since."""
        if not change:
            obj.save()
            return
        if Vacancy.objects.select_for_update().get(pk=obj.pk).state != Vacancy.State.DRAFT:
            raise PermissionDenied
        obj.save(update_fields=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: Vacancy) -> None:
        if Vacancy.objects.select_for_update().get(pk=obj.pk).state != Vacancy.State.DRAFT:
            raise PermissionDenied
        obj.delete()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Vacancy, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the draft's own page, where the next step, publishing, is."""
        refusal = publication.why_nobody_publishes()
        done = (
            gettext("The draft is saved.")
            if refusal
            else gettext("The draft is saved. Check it and publish it.")
        )
        messages.success(request, done)
        return HttpResponseRedirect(page_of(obj))

    # --- many at once ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("bulk/", self.admin_site.admin_view(self.bulk_view), name="bulletin_vacancy_bulk"),
            path("groups/", self.admin_site.admin_view(self.groups_view), name="bulletin_vacancy_groups"),
        ]
        return [*own, *super().get_urls()]

    def groups_view(self, request: HttpRequest) -> HttpResponse:
        """The names of the employee's groups that fit what has been typed so far."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        typed = request.GET.get("q", "")[:LONGEST].replace("\0", "")
        return JsonResponse({"names": names_among(fitting(typed, _own_groups(request)))})

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Several drafts from one page: all of them, or none and the errors of every row."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        groups = _own_groups(request)
        if request.method == "POST":
            bulk = BulkForm(request.POST, groups=groups)
        else:
            last = last_together(groups) if "copy" in request.GET else []
            common = _beginning(request, last[:1])
            bulk = BulkForm(groups=groups, common=common, rows=copied_rows(last, common, now=read_clock()))
        if request.method == "POST" and not bulk.asks_for_rows and bulk.is_valid(now=read_clock()):
            with transaction.atomic():
                drafts = bulk.create()
                for draft in drafts:
                    self.log_addition(request, draft, [{"added": {}}])
            messages.success(request, gettext("Drafts created: %(count)s") % {"count": len(drafts)})
            return HttpResponseRedirect(f"{reverse('admin:bulletin_vacancy_changelist')}?state__exact=draft")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Add several at once"),
            "bulk": bulk,
        }
        return TemplateResponse(request, "admin/work/bulk.html", context)

    def why_not(self, request: HttpRequest, work: Work, obj: Vacancy, *, now: datetime) -> str:
        refusal = publication.why_nobody_publishes() if work.name in PUBLISHING else None
        return refusal.at_work if refusal else ""

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bulletin.change_vacancy")

    @admin.action(description=_("Publish the selected vacancies"), permissions=["work"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Vacancy]) -> HttpResponse | None:
        if refusal := publication.why_nobody_publishes():
            messages.error(request, refusal.at_work)
            return None
        return self.perform_many(
            request,
            queryset.order_by("pk"),
            self.works[0],
            action="publish_selected",
            title=_("Publish the selected vacancies"),
            done=_("Vacancies published: %(count)s"),
        )

    def chosen_line(self, obj: Vacancy) -> str:
        state = "" if _is_draft(obj, read_clock()) else f" ({obj.get_state_display()})"
        return f"{obj}{state}: {obj.seats_total}; {self.years(obj)}; {self.opening(obj)}"

    def chosen_facts(self, rows: Sequence[Vacancy]) -> list[Rows]:
        return [self.summary(row) for row in rows]

    def summary(self, obj: Vacancy) -> Rows:
        return [
            {"label": gettext("Kindergarten"), "value": self.kindergarten(obj)},
            {"label": gettext("Group"), "value": self.group_name(obj)},
            {"label": gettext("Birth years of children"), "value": self.years(obj)},
            {"label": gettext("Language of upbringing"), "value": self.language(obj)},
            {"label": gettext("Free places"), "value": self.seats(obj)},
            {"label": gettext("Bids without an answer"), "value": self._pending(obj)},
            *_passed_on(obj),
            *(_row(obj, name) for name in COMMON_FIELDS),
        ]

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Group"), ordering="group__name")
    def group_name(self, obj: Vacancy) -> str:
        return obj.group.name

    @admin.display(description=_("Kindergarten"), ordering=ByName("group__kindergarten__"))
    def kindergarten(self, obj: Vacancy) -> str:
        return obj.group.kindergarten.name

    @admin.display(description=_("Birth years of children"))
    def years(self, obj: Vacancy) -> str:
        return ", ".join(str(year) for year in obj.birth_years)

    @admin.display(description=_("Language of upbringing"))
    def language(self, obj: Vacancy) -> str:
        return obj.group.get_language_display()

    @admin.display(description=_("Free places"))
    def seats(self, obj: Vacancy) -> str:
        return f"{obj.seats_free} / {obj.seats_total}"

    @admin.display(description=_("Bids without an answer"))
    def bids_waiting(self, obj: Vacancy) -> str:
        pending = self._pending(obj)
        if not pending:
            return "0"
        return link(filtered("admin:applications_bid_changelist", vacancy=str(obj.pk)), pending)

    @admin.display(description=_("Opens at"), ordering="opens_at")
    def opening(self, obj: Vacancy) -> str:
        return localize(obj.opens_at.astimezone(obj.locality.zone))

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Vacancy) -> str:
        return tag(obj.get_state_display(), tone=TONES[Vacancy.State(obj.state)])

    def _pending(self, obj: Any) -> int:
        return int(obj.pending)


def _may_change(obj: Model) -> bool:
    return isinstance(obj, Vacancy) and obj.state == Vacancy.State.DRAFT


def _row(vacancy: Vacancy, name: str) -> dict[str, Any]:
    """A field of the draft by its name, as a confirm page shows it."""
    field = Vacancy._meta.get_field(name)
    in_words = getattr(vacancy, f"get_{name}_display", None)
    value = in_words() if in_words else getattr(vacancy, name)
    return {"label": field.verbose_name, "value": "—" if value is None else value}  # type: ignore[union-attr]


def _own_groups(request: HttpRequest) -> QuerySet[Group]:
    """The groups of the employee's kindergartens."""
    own = kindergartens_of(staff_of(request), today=timezone.localdate(estimate_clock()))
    return Group.objects.filter(kindergarten__in=own.values("pk")).select_related("kindergarten__locality")


def _beginning(request: HttpRequest, last: Sequence[Vacancy]) -> dict[str, Any]:
    """What the form of a new vacancy begins with: the usual opening and the employee, or what the last one had."""
    now, zone = read_clock(), _zone(request, None)
    lead = timedelta(hours=rules_at(_locality(request), now).publication_lead_hours)
    local = usual_opening(zone or timezone.get_default_timezone(), lead=lead, now=now)
    # The form tells times by the clock of this page.
    opens_at = timezone.make_aware(local.replace(tzinfo=None))
    beginning = copied_common(last[0], opens_at=opens_at, now=now) if last else usual_common(opens_at)
    return beginning | ({"responsible": own} if (own := responsible(staff_of(request))) else {})


def _locality(request: HttpRequest) -> Locality | None:
    """The only place in which the employee has groups; None where they have several."""
    found = Locality.objects.filter(kindergartens__groups__in=_own_groups(request).order_by().values("pk"))
    places = list(found.distinct()[:2])
    return places[0] if len(places) == 1 else None


def _zone(request: HttpRequest, obj: Vacancy | None) -> ZoneInfo | None:
    """The zone of the place whose group is chosen in the form, else of the vacancy, else of all the employee's groups.

    None where these have several: then the form says by whose clock it is read, and nothing more.
    """
    groups = _own_groups(request)
    if group := _chosen(request.POST.get("group", ""), groups):
        return group.kindergarten.locality.zone
    if obj is not None:
        return obj.locality.zone
    names = set(groups.order_by().values_list("kindergarten__locality__timezone", flat=True).distinct())
    return ZoneInfo(names.pop()) if len(names) == 1 else None


def _chosen(sent: str, groups: QuerySet[Group]) -> Group | None:
    """The group that the form of one draft names, in whichever way it asks for it."""
    if not sent:
        return None
    if not are_many(groups):
        return groups.filter(pk=sent).first() if is_key_of(Group, sent) else None
    found = fitting(sent.replace("\0", "")[:LONGEST], groups)
    return found[0] if len(found) == 1 else None


def _named(field: forms.Field, groups: QuerySet[Group]) -> GroupNameField:
    """A field for the name of a group instead of a list of thousands."""
    named = GroupNameField(
        label=field.label,
        help_text=_("Write words of the kindergarten's name and of the group's, and choose."),
    )
    named.groups = groups
    named.widget.attrs["size"] = 60
    return named


def _by_whose_clock(zone: ZoneInfo | None) -> str:
    if zone is None:
        return gettext("By the clock of the place where the kindergarten is.")
    offset = f"UTC{timezone.localtime(estimate_clock(), zone):%z}"[:6]
    return gettext("By the clock of the place where the kindergarten is: %(offset)s") % {"offset": offset}
