"""Closings: an official closes a kindergarten or a group, sees before whom it touches, and opens it again."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import User
from accounts.public_text import demand_words, refuse_personal_numbers
from applications.admin.work import (
    NAMED,
    REFUSALS,
    Rows,
    Work,
    WorkAdmin,
    link,
    page_of,
    reason_field,
    staff_of,
    tag,
    why,
    written,
)
from applications.closings import deciding, ending, moving
from applications.closings.foreseen import foresee
from applications.closings.places import left_out
from applications.closings.touched import ended_by, groups_of, referrals_that_end, touched_by
from applications.families.names import shown_name
from applications.journal_actions import Action
from applications.models import Bid, Contract, Referral, ToldOfClosing
from applications.moves import Refused
from applications.own_rows import own_rows
from applications.places.occupancy import counted_without_contract
from applications.refusals import Refusal
from applications.rosters.held import awaited_at, bids_for, enrolled_in, enrolled_in_group
from applications.rules.closing import why_not_closed
from applications.states import Move
from bulletin.closings import closings_of, is_announced, may_be_undone
from bulletin.kazakh_order import ByName
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Closing, Group, Kindergarten, Vacancy
from bulletin.school_years import school_year
from notifications.clock import estimate_clock, read_clock

TONES = {
    Closing.State.RUNNING: "warning",
    Closing.State.REOPENED: "success",
    Closing.State.UNDONE: "neutral",
}
# More families than lose something by one closing; a page stays readable.
MOST_LISTED = 1000
# How the buttons that end a closing end it.
ENDS = {"reopen": Closing.State.REOPENED, "mistake": Closing.State.UNDONE}
# At which field a refusal is said.
FIELDS = {
    Refusal.CLOSES_IN_PAST: "starts_on",
    Refusal.REOPENS_TOO_EARLY: "reopens_on",
    Refusal.REOPENS_IN_PAST: "reopens_on",
    Refusal.STARTS_TOO_FAR: "starts_on",
    Refusal.DAY_TOO_FAR: "reopens_on",
    Refusal.CLOSED_SINCE: "starts_on",
}


def _day_field(*, label: Any, help_text: Any, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


# Both languages and what stands between them fit into the reason of a closing.
LONGEST_REASON = 140


class ReasonsForm(forms.Form):
    """Why, in both languages: families read both (`reason`)."""

    reason_kk = reason_field(label=_("Reason in Kazakh"))
    reason_ru = reason_field(label=_("Reason in Russian"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("reason_kk", "reason_ru"):
            field = self.fields[name]
            field.validators = [*field.validators, MaxLengthValidator(LONGEST_REASON)]
            field.widget.attrs["maxlength"] = LONGEST_REASON

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        typed = [cleaned.pop(name, "") for name in ("reason_kk", "reason_ru")]
        return {**cleaned, "reason": " / ".join(dict.fromkeys(typed))}


class ClosingForm(ReasonsForm):
    """Why and from when; what closes is said by the address."""

    cause = forms.ChoiceField(label=_("Cause"), choices=Closing.Cause.choices)
    starts_on = _day_field(
        label=_("Closed from"),
        help_text=_("The first day on which no child comes. Nothing is offered there from today on."),
    )
    reopens_on = _day_field(
        label=_("Planned to open again on"),
        help_text=_("Families read it. It opens when an official opens it again. Empty: nobody knows yet."),
        required=False,
    )
    field_order = ("cause", "starts_on", "reopens_on", "reason_kk", "reason_ru")

    def __init__(self, *args: Any, closing: Closing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._closing, phone = closing, closing.kindergarten.phone
        for name in ("reason_kk", "reason_ru"):
            # Whom to call is the kindergarten itself: its number stands on its page.
            self.fields[name].validators = [
                MaxLengthValidator(LONGEST_REASON),
                demand_words,
                partial(refuse_personal_numbers, published=[phone] if phone else []),
            ]
        self.fields["reason_ru"].help_text = gettext(
            "Every family that it touches reads both texts, and everybody at the recalled places. Write what happened. "
            "The only telephone number that may stand in them is the kindergarten's own, if it has one: %(phone)s"
        ) % {"phone": closing.kindergarten.phone_label or "—"}

    def clean(self) -> dict[str, Any]:
        """Days that can't be are said at once, beside what else is to be mended."""
        cleaned = super().clean()
        starts_on, reopens_on = cleaned.get("starts_on"), cleaned.get("reopens_on")
        today = self._closing.locality.day(estimate_clock())
        refusal = why_not_closed(starts_on, reopens_on, today=today) if starts_on else None
        if refusal:
            self.add_error(FIELDS[refusal], refusal.at_work)
        return cleaned


class DaysForm(forms.Form):
    starts_on = _day_field(label=_("Closed from"), help_text=_("The first day on which no child comes."))
    reopens_on = _day_field(
        label=_("Planned to open again on"),
        help_text=_("Families read it. It opens when an official opens it again. Empty: nobody knows yet."),
        required=False,
    )


class UndoForm(ReasonsForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason_ru"].help_text = _("Every family that it touches reads both texts.")


class ReopenForm(ReasonsForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason_ru"].help_text = _("Families whose children are enrolled there read both texts.")


CLOSE = Work(
    name="close",
    label=_("Close"),
    consequence=_(
        "Its places leave the bulletin at once, and nothing can be published there until it is opened again. Bids, "
        "offers and referrals end: each family keeps its number and date, nobody comes onto the stop-list, and no "
        "place goes to another child. Contracts go on: the families are told the day."
    ),
    done=_("It is closed. Families are being told: the page of the closing says how many."),
    permission=deciding.CLOSE,
    offered=lambda _closing, _now: True,
    perform=lambda *_: None,
    danger=True,
    preview=lambda *_: [],
)


def _effect(closing: Closing, *, reader: User, now: datetime) -> Rows:
    """Exactly who would be touched, as things stand: how many of each kind, and whose."""
    if deciding.is_closed_already(closing):
        raise Refused(Refusal.CLOSED_ALREADY)
    today = closing.locality.day(now)
    if refusal := why_not_closed(closing.starts_on, closing.reopens_on, today=today):
        raise Refused(refusal)
    touched = touched_by(closing)
    referrals = referrals_that_end(closing, at=now)
    return [
        {"label": gettext("Cause"), "value": closing.get_cause_display()},
        {"label": gettext("Closed from"), "value": written(closing.starts_on)},
        {
            "label": gettext("Planned to open again on"),
            "value": written(closing.reopens_on) if closing.reopens_on else "—",
        },
        {"label": gettext("Reason"), "value": closing.reason},
        {"label": gettext("Vacancies that leave the bulletin"), "value": touched.vacancies.count()},
        _who(gettext("Bids that end"), touched.bids, reader),
        _who(gettext("Offers of places that end"), touched.offers.exclude(application=None), reader),
        _who(gettext("Referrals that end"), referrals, reader),
        _who(gettext("Enrolled children whose families are told"), touched.contracts, reader),
        {
            "label": gettext(
                "Children counted there without a contract here: call their families yourselves"
            ),
            "value": counted_without_contract(groups_of(closing), year=school_year(today)),
        },
    ]


def _enter_look(request: HttpRequest, closing: Closing, *, now: datetime) -> None:
    """The page names children: it is entered as the lists in which they stand, and found by each of them."""
    touched, place, group = touched_by(closing), closing.kindergarten_id, closing.group
    ids = {one.vacancy_id for rows in (touched.bids, touched.offers) for one in rows[:NAMED]}
    enrolled = enrolled_in_group(group.pk) if group else enrolled_in(place)
    bids = [key for pk in sorted(ids) for key in bids_for(pk)]
    for key in [*enrolled, *awaited_at(place), *bids]:
        audit.record(
            Action.ROSTER_TAKEN,
            actor=staff_of(request),
            target=str(closing),
            address=audit.client_address(request),
            about=key,
            now=now,
        )


def _who(label: str, rows: QuerySet[Any] | list[Referral], reader: User) -> dict[str, Any]:
    """How many, and the first thousand by number and name."""
    count = rows.count() if isinstance(rows, QuerySet) else len(rows)
    listed = (
        one.referral.application if isinstance(one, Contract) else one.application
        for one in rows[:MOST_LISTED]
    )
    names = [f"{one.number} {shown_name(one.child, reader)}" for one in listed]
    return {"label": label, "value": _listed(count, names)}


def _listed(count: int, lines: list[str]) -> str:
    """How many, and a list; those past the first few behind a heading."""
    if not lines:
        return str(count)
    first, others = _list(lines[:NAMED]), lines[NAMED:MOST_LISTED]
    if not others:
        return format_html("{}{}", count, first)
    heading = gettext("All others: %(count)s") % {"count": count - NAMED}
    if count > MOST_LISTED:
        others = [*others, "…"]
    return format_html("{}{}<details><summary>{}</summary>{}</details>", count, first, heading, _list(others))


def _list(lines: list[str]) -> str:
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines)))


def _may_be_undone(closing: Closing, now: datetime) -> bool:
    """Also where it has to wait for its kindergarten (`ClosingAdmin.why_not`)."""
    return may_be_undone(closing, now=now)


def _reopen(closing: Closing, actor: User, data: dict[str, Any], now: datetime) -> None:
    ending.reopen(closing, actor=actor, reason=data["reason"], now=now)


def _undo(closing: Closing, actor: User, data: dict[str, Any], now: datetime) -> None:
    ending.undo(closing, actor=actor, reason=data["reason"], now=now)


def _is_running(closing: Closing, _now: datetime) -> bool:
    return closing.state == Closing.State.RUNNING


def _move_days(closing: Closing, actor: User, data: dict[str, Any], now: datetime) -> None:
    moving.move_days(closing, actor=actor, now=now, **data)


def _moved(closing: Closing, data: dict[str, Any], now: datetime) -> Rows:
    """Which days it would have, and how many families are told."""
    if refusal := moving.why_not(closing, data["starts_on"], data["reopens_on"], now=now):
        raise Refused(refusal)
    return [
        {"label": gettext("Closed from"), "value": _becomes(closing.starts_on, data["starts_on"])},
        {
            "label": gettext("Planned to open again on"),
            "value": _becomes(closing.reopens_on, data["reopens_on"]),
        },
        {
            "label": gettext("Enrolled children whose families are told"),
            "value": touched_by(closing).contracts.count(),
        },
    ]


def _becomes(was: date | None, becomes: date | None) -> str:
    days = [written(day) if day else "—" for day in (was, becomes)]
    return days[0] if was == becomes else " → ".join(days)


def _would_return(closing: Closing, _data: dict[str, Any], now: datetime) -> Rows:
    """What would come back if it were undone, by kind, and for whom there is no room."""
    found = foresee(closing, now=now)
    return [
        {"label": gettext("Bids that come back"), "value": _numbers(found.bids)},
        {"label": gettext("Referrals that come back"), "value": _numbers(found.referrals)},
        {
            "label": gettext("Places that are offered to the next in the queue again"),
            "value": _places([*found.offers.items()]),
        },
        {
            "label": gettext("Free places that are in the bulletin again"),
            "value": _places(found.shown),
        },
        {
            "label": gettext("Free places that do not come back to the bulletin, by group"),
            "value": _places(found.stay_out),
        },
        {
            "label": gettext("Without room: their bids or referrals do not come back"),
            "value": _numbers(found.without_room),
        },
        {
            "label": gettext("Wait no longer, or have changed or applied elsewhere: nothing comes back"),
            "value": _numbers(found.elsewhere),
        },
        {"label": gettext("Enrolled children whose families are told"), "value": found.told},
    ]


def _numbers(bids: list[Bid]) -> str:
    """How many, and their applications: who opens one is entered in the journal of its family."""
    return _listed(len(bids), [link(page_of(bid.application), bid.application.number) for bid in bids])


def _places(found: list[tuple[Vacancy, int]]) -> str:
    """How many places, and of which groups."""
    return _listed(sum(free for _, free in found), [f"{one.group.name}: {free}" for one, free in found])


class StateFilter(admin.ChoicesFieldListFilter):
    """By state; a running closing may have yet to begin, which its row says."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        running, both = Closing.State.RUNNING.label, gettext("closed, or will close")
        for choice in super().choices(changelist):
            yield {**choice, "display": both if choice["display"] == running else choice["display"]}


@admin.register(Closing)
class ClosingAdmin(WorkAdmin):
    """What is closed and what was; a closing begins on the page of a group or a kindergarten."""

    change_form_template = "admin/bulletin/closing/change_form.html"

    list_display = ["place", "shown_cause", "starts_on", "reopens_on", "shown_state"]
    list_filter = [("state", StateFilter), "cause", ("kindergarten", KindergartenFilter)]
    list_select_related = ["kindergarten__locality", "group"]
    search_fields = ["kindergarten__name_kk", "kindergarten__name_ru", "group__name"]
    ordering = ["-decided_at"]
    fields = [
        "shown_state",
        "kindergarten",
        "group",
        "shown_cause",
        "reason",
        "starts_on",
        "reopens_on",
        "decided_at",
        "decided_by",
        "touched",
        "ended_at",
        "ended_by",
        "end_reason",
    ]
    works = [
        Work(
            name="days",
            label=_("Change the days"),
            consequence=_(
                "The families of enrolled children and the employees of the kindergarten are told the new days. What "
                "has ended stays ended, and nothing is offered there until it is opened again. Once it has begun, only "
                "the day planned for its opening can be changed."
            ),
            done=_("The days are changed. The families are being told."),
            permission=deciding.END,
            offered=_is_running,
            perform=_move_days,
            form=DaysForm,
            initial=lambda closing: {"starts_on": closing.starts_on, "reopens_on": closing.reopens_on},
            fields=FIELDS,
            is_in_journal=True,
            preview=_moved,
        ),
        Work(
            name="reopen",
            label=_("Open again"),
            consequence=_(
                "Places can be published there again. Families whose children are enrolled there are told. Bids and "
                "referrals that have ended do not come back: their families have kept their numbers."
            ),
            done=_("It is open again. The families of enrolled children are being told."),
            permission=deciding.END,
            offered=_is_running,
            perform=_reopen,
            form=ReopenForm,
            is_in_journal=True,
        ),
        Work(
            name="mistake",
            label=_("It was closed by mistake"),
            consequence=_(
                "Up to the end of the first day. Each family that still waits, and has applied nowhere since, gets "
                "back its bid or its referral, if its place is still there. Places that nobody had do not open by "
                "themselves: publish them anew. Only those whose bids are still collected, or whose opening is still "
                "far enough ahead, are in the bulletin as before."
            ),
            done=_("The closing is undone. The families are being told."),
            permission=deciding.END,
            offered=_may_be_undone,
            perform=_undo,
            form=UndoForm,
            is_in_journal=True,
            preview=_would_return,
        ),
    ]

    def zone_of(self, obj: Closing) -> tzinfo:
        return obj.locality.zone

    def why_not(self, request: HttpRequest, work: Work, obj: Any, *, now: datetime) -> str:
        """Of a group that closed by itself: its kindergarten is to be opened first, by a link."""
        if work.name not in ENDS:
            return ""
        refusal = ending.why_not_end(obj, ENDS[work.name], now=now)
        if refusal != Refusal.STILL_CLOSED:
            return ""
        whole = closings_of(obj.kindergarten)
        return in_one([refusal.at_work, *told_of(request, whole)])

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "of-group/<int:pk>/",
                self.admin_site.admin_view(self.close_group),
                name="bulletin_closing_of_group",
            ),
            path(
                "of-kindergarten/<int:pk>/",
                self.admin_site.admin_view(self.close_kindergarten),
                name="bulletin_closing_of_kindergarten",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the places that an undone closing has left out of the bulletin."""
        closing = self.get_object(request, unquote(object_id))
        may_publish = request.user.has_perm("bulletin.add_vacancy")
        found = left_out(closing, now=estimate_clock()) if closing is not None else []
        anew = reverse("admin:bulletin_vacancy_add")
        rows = [
            {
                "group": one.group,
                "free": free,
                "url": f"{anew}?copy={one.pk}" if may_publish else page_of(one),
            }
            for one, free in found
        ]
        extra = {"left_out": rows, "may_publish": may_publish, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    def close_group(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close one group."""
        groups = Group.objects.select_related("kindergarten__locality")
        group = self._own(request, groups, pk)
        return self._close(
            request, Closing(kindergarten=group.kindergarten, group=group), back=page_of(group)
        )

    def close_kindergarten(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close a whole kindergarten."""
        kindergarten = self._own(request, Kindergarten.objects.select_related("locality"), pk)
        return self._close(request, Closing(kindergarten=kindergarten), back=page_of(kindergarten))

    def _own(self, request: HttpRequest, rows: Any, pk: int) -> Any:
        if not request.user.has_perm(deciding.CLOSE):
            raise PermissionDenied
        return get_object_or_404(own_rows(rows, user=staff_of(request), now=estimate_clock()), pk=pk)

    def _close(self, request: HttpRequest, closing: Closing, *, back: str) -> HttpResponse:
        """Ask why and from when, show whom it touches, close."""
        actor = staff_of(request)
        timezone.activate(closing.locality.zone)
        there = closings_of(closing.kindergarten, closing.group)
        if there:
            return self._closed_already(request, closing, there, back=back)
        form = ClosingForm(request.POST if request.method == "POST" else None, closing=closing)
        effect: Rows = []
        if form.is_valid():
            for name, value in form.cleaned_data.items():
                setattr(closing, name, value)
            now = read_clock()
            try:
                if "confirmed" in request.POST:
                    closing = deciding.close(closing, actor=actor, now=now)
                    messages.success(request, str(CLOSE.done))
                    return HttpResponseRedirect(page_of(closing))
                effect = _effect(closing, reader=actor, now=now)
                _enter_look(request, closing, now=now)
            except REFUSALS as error:
                form.add_error(FIELDS.get(error.reason) if isinstance(error, Refused) else None, why(error))
        context = self._page_of_closing(request, closing, back=back)
        context |= {"work": CLOSE, "form": form, "errors": form.errors, "effect": effect}
        return TemplateResponse(request, "admin/work/confirm.html", context)

    def _closed_already(
        self, request: HttpRequest, closing: Closing, there: list[Closing], *, back: str
    ) -> HttpResponse:
        """What is closed already leads to that closing, and asks for nothing."""
        context = self._page_of_closing(request, closing, back=back) | {"there": told_of(request, there)}
        return TemplateResponse(request, "admin/bulletin/closing/closed_already.html", context)

    def _page_of_closing(self, request: HttpRequest, closing: Closing, *, back: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Close the group") if closing.group else gettext("Close the kindergarten"),
            "rows": self.summary(closing),
            "back_url": back,
        }

    def summary(self, obj: Closing) -> Rows:
        group = [{"label": gettext("Group"), "value": obj.group.name}] if obj.group else []
        return [{"label": gettext("Kindergarten"), "value": obj.kindergarten.name}, *group]

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("What is closed"), ordering=ByName("kindergarten__"))
    def place(self, obj: Closing) -> str:
        return str(obj)

    @admin.display(description=_("Cause"), ordering="cause")
    def shown_cause(self, obj: Closing) -> str:
        return str(obj.get_cause_display())

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Closing) -> str:
        if obj.state == Closing.State.RUNNING and is_announced(obj, now=estimate_clock()):
            return tag(gettext("Will close on: %(day)s") % {"day": written(obj.starts_on)}, tone="info")
        return tag(obj.get_state_display(), tone=TONES[Closing.State(obj.state)])

    @admin.display(description=_("Touched by it"))
    def touched(self, obj: Closing) -> str:
        return self._summed_up(obj)

    def _summed_up(self, closing: Closing) -> str:
        """How many of each kind it ended, or told; also what an undoing has given back."""
        ended = [event.move for event in ended_by(closing)]
        words = gettext(
            "Bids ended: %(bids)s; referrals ended: %(referrals)s; families with a contract told: %(told)s"
        )
        words %= {
            "bids": ended.count(Move.VOID_BID),
            "referrals": ended.count(Move.REVOKE_REFERRAL),
            "told": ToldOfClosing.objects.filter(closing=closing).count(),
        }
        return words if closing.finished_at else f"{words} {gettext('Families are still being told.')}"


def close_button(request: HttpRequest, group: Group) -> Rows:
    """The link with which who may closes a group that is open."""
    if not request.user.has_perm(deciding.CLOSE) or closings_of(group.kindergarten, group):
        return []
    url = reverse("admin:bulletin_closing_of_group", args=[group.pk])
    return [{"label": gettext("Close the group"), "url": url, "danger": True}]


def told_of(request: HttpRequest, closings: list[Closing]) -> list[str]:
    """What a page says of closings: of each what closes and when, with a link for who reads closings."""
    if not request.user.has_perm("bulletin.view_closing"):
        return [_sentence(one) for one in closings]
    shown = gettext("Look at this closing")
    return [format_html("{} {}", _sentence(one), link(page_of(one), shown)) for one in closings]


def in_one(sentences: list[str]) -> str:
    """The sentences one after another, with their links; empty where there are none."""
    return format_html_join(" ", "{}", ((one,) for one in sentences))


def _sentence(closing: Closing) -> str:
    is_ahead = is_announced(closing, now=estimate_clock())
    if closing.group_id:
        words = (
            gettext("The group will close on: %(day)s.")
            if is_ahead
            else gettext("The group is closed since: %(day)s.")
        )
    else:
        words = (
            gettext("The whole kindergarten will close on: %(day)s.")
            if is_ahead
            else gettext("The whole kindergarten is closed since: %(day)s.")
        )
    cause = gettext("Cause: %(cause)s.") % {"cause": closing.get_cause_display()}
    return f"{words % {'day': written(closing.starts_on)}} {cause}"
