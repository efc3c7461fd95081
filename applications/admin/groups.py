"""Groups: proposed and counted by the kindergarten, confirmed by an official."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from applications.admin.closings import close_button, in_one, told_of
from applications.admin.proposals import DECIDED_FIELDS, ProposalAdmin, decisions
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    Work,
    WorkAdmin,
    link,
    page_of,
    staff_of,
)
from applications.decisions import places
from applications.decisions.places import CONFIRM, CONFIRM_COUNT, COUNT, DATA, PROPOSE
from applications.models import GroupProposal, Headcount
from applications.models.places import MOST_COUNTED
from applications.moves import Refused, locking
from applications.places.occupancy import Occupancy, occupancies_of, over_promised, signed_contracts
from applications.states import ProposalState
from applications.workplace import room_to_publish
from bulletin.closings import closings_of
from bulletin.employment import kindergartens_of
from bulletin.kazakh_order import ByName
from bulletin.models import Group, Kindergarten
from bulletin.school_years import school_year, year_in_words
from notifications.clock import estimate_clock, read_clock

# --- what a group is ---------------------------------------------------------------------------------------------


class DataForm(forms.ModelForm):  # type: ignore[type-arg]
    """The data of a group as they would be, and the mark of those that the form was filled with."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = GroupProposal
        fields = DATA


class CountForm(forms.Form):
    school_year = forms.TypedChoiceField(
        label=_("School year"),
        coerce=int,
        help_text=_("From 1 September to 31 August."),
    )
    children = forms.IntegerField(
        label=_("Children in the group"),
        min_value=0,
        max_value=MOST_COUNTED,
        help_text=_(
            "All of them, whichever way they came, with those whose contract for this school year is signed: the "
            "number of these contracts stands above. Families with a referral, bids, published places and contracts "
            "for a later school year are added by the portal. For the next school year: those who stay, come from "
            "another group, or have signed a contract for it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # This school year and the next by the portal's own day. Where the group's place is in another zone they differ
        # for some hours about 1 September; then the service refuses the year that can't be counted there.
        this_year = school_year(timezone.localdate(estimate_clock()))
        field = self.fields["school_year"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(year, year_in_words(year)) for year in (this_year, this_year + 1)]


def _always(group: Group, now: datetime) -> bool:
    return True


def _data_of(group: Group) -> dict[str, Any]:
    return {name: getattr(group, name) for name in DATA} | {"seen": places.seen_of(group)}


def _propose(group: Group, actor: User, data: dict[str, Any], now: datetime) -> None:
    values = {name: data[name] for name in DATA}
    proposal = GroupProposal(group=group, kindergarten=group.kindergarten, **values)
    places.propose_group(proposal, actor=actor, seen=data["seen"], now=now)


def _count(group: Group, actor: User, data: dict[str, Any], now: datetime) -> None:
    places.count_children(group, year=data["school_year"], children=data["children"], actor=actor, now=now)


class RoomFilter(admin.SimpleListFilter):
    """The groups of which more is taken and promised than there is room for, or for which places could be published."""

    title = _("room")
    parameter_name = "room"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("free", _("room left, and no vacancy")),
            ("over", _("more promised than there is room for")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> QuerySet[Group]:
        now = estimate_clock()
        if self.value() == "free":
            return queryset.filter(pk__in=room_to_publish(staff_of(request), now=now).values("pk"))
        if self.value() != "over":
            return queryset
        return queryset.filter(pk__in=[one.group.pk for one in over_promised(queryset, now=now)])


@admin.register(Group)
class GroupAdmin(WorkAdmin):
    """Everyone sees only the groups of their own kindergartens, and what is taken and promised of each."""

    change_list_template = "admin/bulletin/group/change_list.html"
    change_form_template = "admin/bulletin/group/change_form.html"
    list_display = ["name", "kindergarten", "age_group", "language", "regime", "capacity"]
    list_filter = [RoomFilter, "age_group", "language", "regime"]
    list_select_related = ["kindergarten__locality"]
    search_fields = ["name", "kindergarten__name_kk", "kindergarten__name_ru"]
    ordering = [ByName("kindergarten__"), "age_group", "name"]
    fields = ["kindergarten", *DATA, "occupancy", "open_proposals"]
    works = [
        Work(
            name="change",
            label=_("Propose other data"),
            consequence=_(
                "An official confirms it: until then the group stays as it is. Places may be published within the "
                "confirmed capacity only."
            ),
            done=_("Sent. What needs an official's confirmation waits for it."),
            permission=PROPOSE,
            offered=_always,
            perform=_propose,
            form=DataForm,
            initial=_data_of,
            is_in_journal=True,
        ),
        Work(
            name="count",
            label=_("Count the children"),
            consequence=_(
                "An official confirms the count. Then so many places of the group are taken in that school year, and "
                "what is promised beside them is counted by the portal."
            ),
            done=_("Sent. What needs an official's confirmation waits for it."),
            permission=COUNT,
            offered=_always,
            perform=_count,
            form=CountForm,
            is_in_journal=True,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        rows: QuerySet[Group] = super().get_queryset(request)
        return rows.select_related("kindergarten__locality")

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        """What waits for an official is named to who may open it."""
        fields = list(super().get_fields(request, obj))
        if not request.user.has_perms(["applications.view_groupproposal", "applications.view_headcount"]):
            fields.remove("open_proposals")
        return fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("bulletin.delete_group")

    def buttons(self, request: HttpRequest, obj: Group) -> Rows:
        return [*super().buttons(request, obj), *close_button(request, obj)]

    def note(self, request: HttpRequest, obj: Group) -> str:
        """That it is closed or will be, and since when."""
        told = told_of(request, closings_of(obj.kindergarten, obj))
        return in_one([gettext("Nothing can be published there."), *told] if told else [])

    def summary(self, obj: Group) -> Rows:
        return [
            {"label": gettext("Kindergarten"), "value": obj.kindergarten.name},
            {"label": gettext("Group"), "value": obj.name},
            {"label": gettext("Capacity"), "value": obj.capacity},
            {"label": gettext("Taken and promised"), "value": self.occupancy(obj)},
            *self._contracts(obj),
        ]

    def _contracts(self, obj: Group) -> Rows:
        """How many contracts are signed for each school year that can be counted."""
        signed = signed_contracts([obj])
        return [
            {
                "label": gettext("Contracts signed for the school year %(year)s")
                % {"year": year_in_words(year)},
                "value": len(signed.get((obj.pk, year), ())),
            }
            for year in places.countable_years(obj, now=estimate_clock())
        ]

    @admin.display(description=_("Taken and promised"))
    def occupancy(self, obj: Group) -> str:
        """School year by school year, from the present one on."""
        this_year = school_year(obj.kindergarten.locality.day(estimate_clock()))
        rows = [one for one in occupancies_of([obj], now=estimate_clock())[obj.pk] if one.concerns(this_year)]
        return format_html_join(LINE_BREAK, "{}", ((in_words(obj, one),) for one in rows))

    @admin.display(description=_("Waits for an official"))
    def open_proposals(self, obj: Group) -> str:
        waiting: list[GroupProposal | Headcount] = [
            *obj.proposals.filter(state=ProposalState.PROPOSED).select_related("kindergarten"),
            *obj.headcounts.filter(state=ProposalState.PROPOSED).select_related("group__kindergarten"),
        ]
        links = ((link(page_of(one), f"{one._meta.verbose_name}: {one}"),) for one in waiting)
        return format_html_join(LINE_BREAK, "{}", links) or "—"


def in_words(group: Group, one: Occupancy) -> str:
    """What a group holds from a school year on."""
    words = gettext(
        "School year: %(year)s; children counted: %(children)s; promised besides: %(promised)s; room left: %(left)s"
    ) % {
        "year": "—" if one.since is None else year_in_words(one.since),
        "children": one.children,
        "promised": one.promised,
        "left": max(group.capacity - one.total, 0),
    }
    excess = one.total - group.capacity
    if excess <= 0:
        return words
    return f"{words}. " + gettext("More promised than there is room for, places: %(excess)s") % {
        "excess": excess
    }


def change_in_words(
    group: Group, before: Sequence[Occupancy], after: Sequence[Occupancy], *, year: int
) -> str:
    """What a group holds before and after something happens to it, in the school years that `year` concerns."""
    was = {one.since: one.total for one in before}
    lines = []
    for one in after:
        if not one.concerns(year):
            continue
        total = was.get(one.since, 0)
        lines.append(
            gettext("School year: %(year)s; taken and promised: %(change)s; room left: %(left)s")
            % {
                "year": "—" if one.since is None else year_in_words(one.since),
                "change": f"{total} → {one.total}",
                "left": f"{max(group.capacity - total, 0)} → {max(group.capacity - one.total, 0)}",
            }
        )
    return "; ".join(lines)


# --- what is proposed ----------------------------------------------------------------------------------------------


class GroupProposalForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new group; errors are explained in words."""

    class Meta:
        model = GroupProposal
        fields = ["kindergarten", *DATA]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        # Two who send the same name at once take turns: the page is one transaction, which keeps the lock.
        try:
            with locking():
                Kindergarten.objects.select_for_update(no_key=True).get(pk=self.instance.kindergarten_id)
        except Refused as busy:
            self.add_error(None, str(busy))
            return
        errors: Mapping[str, Any] = places.why_not_confirm(self.instance, now=read_clock())
        waiting = GroupProposal.objects.filter(
            kindergarten=self.instance.kindergarten, name=self.instance.name, state=ProposalState.PROPOSED
        )
        if waiting.exists():
            errors = {**errors, "name": [gettext("This group already waits for an official.")]}
        if errors:
            self.add_error(None, ValidationError(dict(errors)))


@admin.register(GroupProposal)
class GroupProposalAdmin(ProposalAdmin):
    form = GroupProposalForm
    permission_to_decide = CONFIRM
    list_display = ["name", "kindergarten", "change", "proposed_at", "proposed_by", "shown_state"]
    list_filter = ["state"]
    list_select_related = ["kindergarten__locality", "group", "proposed_by__employee"]
    search_fields = ["name", "kindergarten__name_kk", "kindergarten__name_ru"]
    actions = ["confirm_selected"]
    works = decisions(
        permission=CONFIRM,
        approve=places.confirm_group,
        decline=places.decline_group,
        label=_("Confirm"),
        consequence=_("The group is as proposed from now on. Places may be published within its capacity."),
        done=_("The group is confirmed."),
        otherwise=_("The group stays as it is."),
        seen=lambda proposal: places.seen_of(proposal.group),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bulletin.add_group")

    def get_fields(self, request: HttpRequest, obj: GroupProposal | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("kindergarten", *DATA)
        return ("shown_state", "kindergarten", "group", "change", *DATA, *DECIDED_FIELDS)

    def get_readonly_fields(self, request: HttpRequest, obj: GroupProposal | None = None) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kindergarten":
            today = timezone.localdate(estimate_clock())
            kwargs["queryset"] = kindergartens_of(staff_of(request), today=today).select_related("locality")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: GroupProposal, form: Any, change: bool) -> None:
        places.propose_group(obj, actor=staff_of(request), now=read_clock())

    def response_add(
        self, request: HttpRequest, obj: GroupProposal, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.group is not None:
            messages.success(request, gettext("The group is confirmed."))
            return HttpResponseRedirect(page_of(obj.group))
        messages.success(request, gettext("The group is proposed. An official has to confirm it."))
        return HttpResponseRedirect(page_of(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CONFIRM)

    @admin.action(description=_("Confirm the selected groups"), permissions=["work"])
    def confirm_selected(
        self, request: HttpRequest, queryset: QuerySet[GroupProposal]
    ) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset.order_by("pk"),
            self.works[0],
            action="confirm_selected",
            title=_("Confirm the selected groups"),
            done=_("Groups confirmed: %(count)s"),
        )

    def chosen_facts(self, rows: Sequence[GroupProposal]) -> list[Rows]:
        now = estimate_clock()
        taken = occupancies_of([row.group for row in rows if row.group is not None], now=now)
        return [
            self._facts(row, taken[row.group_id] if row.group_id is not None else [], now=now) for row in rows
        ]

    def summary(self, obj: GroupProposal) -> Rows:
        return self.chosen_facts([obj])[0]

    def _facts(self, obj: GroupProposal, taken: Iterable[Occupancy], *, now: datetime) -> Rows:
        rows: Rows = [
            {"label": gettext("Kindergarten"), "value": obj.kindergarten.name},
            {"label": gettext("Group"), "value": obj.name},
            {"label": gettext("What changes"), "value": self.change(obj)},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]
        if obj.group is not None:
            this_year = school_year(obj.kindergarten.locality.day(now))
            words = [in_words(obj.group, one) for one in taken if one.concerns(this_year)]
            rows.append({"label": gettext("Taken and promised"), "value": "; ".join(words)})
        return rows

    @admin.display(description=_("What changes"))
    def change(self, obj: GroupProposal) -> str:
        """The values that differ from the group's, once decided from nothing."""
        parts = []
        for name in DATA:
            label = GroupProposal._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            becomes = _shown(obj, name)
            was = _shown(obj.group, name) if obj.group and obj.state == ProposalState.PROPOSED else ""
            if was != becomes:
                parts.append(f"{label}: {was} → {becomes}" if was else f"{label}: {becomes}")
        return "; ".join(parts)


def _shown(obj: Any, name: str) -> str:
    in_words_of = getattr(obj, f"get_{name}_display", None)
    return str(in_words_of() if in_words_of else getattr(obj, name))


@admin.register(Headcount)
class HeadcountAdmin(ProposalAdmin):
    permission_to_decide = CONFIRM_COUNT
    list_display = ["group", "kindergarten", "years", "children", "capacity", "counted_at", "shown_state"]
    list_filter = ["state", "school_year"]
    list_select_related = ["group__kindergarten__locality", "proposed_by__employee"]
    search_fields = ["group__name", "group__kindergarten__name_kk", "group__kindergarten__name_ru"]
    actions = ["confirm_selected"]
    fields = [
        "shown_state",
        "kindergarten",
        "group",
        "years",
        "children",
        "capacity",
        "counted_at",
        *DECIDED_FIELDS,
    ]
    works = decisions(
        permission=CONFIRM_COUNT,
        approve=places.confirm_count,
        decline=places.decline_count,
        label=_("Confirm"),
        consequence=_(
            "So many places of the group are taken in that school year, beside what is promised. Where that is "
            "more than there is room for, nothing is cut, but nothing more can be published."
        ),
        done=_("The count is confirmed."),
        otherwise=_("The former count stands."),
    )

    def zone_of(self, obj: Headcount) -> Any:
        return obj.group.kindergarten.locality.zone

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CONFIRM_COUNT)

    @admin.action(description=_("Confirm the selected counts"), permissions=["work"])
    def confirm_selected(self, request: HttpRequest, queryset: QuerySet[Headcount]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset.order_by("pk"),
            self.works[0],
            action="confirm_selected",
            title=_("Confirm the selected counts"),
            done=_("Counts confirmed: %(count)s"),
        )

    def chosen_facts(self, rows: Sequence[Headcount]) -> list[Rows]:
        groups = [row.group for row in rows]
        taken, signed = occupancies_of(groups, now=estimate_clock()), signed_contracts(groups)
        return [
            self._facts(row, taken[row.group_id], signed.get((row.group_id, row.school_year), ()))
            for row in rows
        ]

    def summary(self, obj: Headcount) -> Rows:
        return self.chosen_facts([obj])[0]

    def _facts(self, obj: Headcount, taken: Iterable[Occupancy], signed: Iterable[datetime]) -> Rows:
        """`signed`: when the contracts for the counted school year were."""
        group = obj.group
        words = [in_words(group, one) for one in taken if one.concerns(obj.school_year)]
        contracts = sum(at <= obj.counted_at for at in signed)
        return [
            {"label": gettext("Kindergarten"), "value": group.kindergarten.name},
            {"label": gettext("Group"), "value": group.name},
            {"label": gettext("School year"), "value": obj.years},
            {"label": gettext("Children in the group"), "value": obj.children},
            {"label": gettext("Of them with a contract for that school year"), "value": contracts},
            {"label": gettext("Capacity"), "value": group.capacity},
            {"label": gettext("Taken and promised"), "value": "; ".join(words)},
            {"label": gettext("Proposed by"), "value": str(obj.proposed_by)},
        ]

    @admin.display(description=_("Kindergarten"), ordering=ByName("group__kindergarten__"))
    def kindergarten(self, obj: Headcount) -> str:
        return obj.group.kindergarten.name

    @admin.display(description=_("School year"), ordering="school_year")
    def years(self, obj: Headcount) -> str:
        return obj.years

    @admin.display(description=_("Capacity"))
    def capacity(self, obj: Headcount) -> int:
        return obj.group.capacity
