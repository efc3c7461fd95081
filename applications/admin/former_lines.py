"""Lines that a file of the former queue left out: each is decided about on its page, one after another."""

from datetime import datetime, tzinfo
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_phone, mask_words
from accounts.models import User
from applications.admin.in_turn import InTurn, Next, next_after
from applications.admin.work import (
    LINE_BREAK,
    READ_BY_OTHERS,
    Happened,
    Rows,
    WaitingFilter,
    Work,
    WorkAdmin,
    key_in,
    link,
    masked,
    page_of,
    tag,
    written,
)
from applications.city.deciding import (
    DECIDE,
    application_numbered,
    corrected_in,
    leave_out,
    may_be_decided,
    may_be_taken_back,
    meaning_of,
    row_of,
    take_back,
    take_in,
)
from applications.city.deciding import link as link_line
from applications.city.queue_columns import COLUMNS
from applications.decisions.former import left_out_lines, undecided_lines
from applications.models import Application, FormerDecision, FormerLine
from applications.models.former import number_key
from applications.states import LineDecision
from applications.waiting.bringing_in import applications_here
from bulletin.importing.columns import Column, by_name
from bulletin.importing.kinds import LeftOut
from bulletin.importing.problems import SENTENCES, Fault, Problem
from bulletin.models import ImportBatch
from children.access import guardians_of
from children.known import children_with
from children.models import Child
from notifications.clock import estimate_clock

_COLUMNS: Final = by_name(COLUMNS)
# How many files the filter offers.
_FILES: Final = 20
_NAMES: Final = ("last_name", "first_name", "middle_name")
# Which other cells may be the wrong ones where the check names one.
_BESIDE: Final = {
    "": list(_COLUMNS),
    "filed_at": ["birth_date"],
    "birth_date": ["child_iin"],
    "child_iin": ["birth_date", "certificate", "sex"],
    "guardian_iin": ["child_iin"],
    "benefit": ["benefit_until"],
    "benefit_until": ["benefit"],
    "state": ["until"],
    "until": ["state"],
}
_TONES: Final = {
    LineDecision.TAKEN_IN: "success",
    LineDecision.LINKED: "success",
    LineDecision.LEFT_OUT: "neutral",
}


def decision_reason() -> forms.CharField:
    """Why an official decides so: for colleagues, and for whoever checks the protocol."""
    return forms.CharField(
        label=_("Reason"),
        help_text=_(
            "It stays in the history of the line, which officials read: by which paper, or what was checked. "
            "No names, no numbers of people."
        ),
        max_length=300,
        validators=READ_BY_OTHERS,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


class DecisionForm(forms.Form):
    reason = decision_reason()


class CorrectForm(DecisionForm):
    """The cells that were wrong, and those beside them that may be; the rest stays as it stood.

    What is secret is typed anew. A cell that was not named as wrong stays as it stood where nothing is typed.
    """

    line = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row_line = FormerLine.objects.select_related("batch").get(pk=self.initial["line"])
        self.cells = row_of(self.row_line).cells
        faults = [Fault.of_json(one) for one in self.row_line.faults]
        self.wrong = [one.column for one in faults if one.column]
        beside = [name for one in faults for name in _BESIDE.get(one.column, [])]
        sent = [name for name in _COLUMNS if name in self.data]
        for name in dict.fromkeys([*self.wrong, *beside, *sent]):
            self._offer(name)
        for fault in faults:
            if fault.column:
                field = self.fields[fault.column]
                field.help_text = f"{fault.value or '—'}: {fault.sentence} {fault.remedy}"
        self.order_fields([*(name for name in _COLUMNS if name in self.fields), "reason", "line"])

    @property
    def values(self) -> dict[str, str]:
        """What stands in the cells now."""
        typed = {name: self.cleaned_data.get(name, "") for name in _COLUMNS if name in self.fields}
        return {
            name: text for name, text in typed.items() if text or name in self.wrong or not self._kept(name)
        }

    def clean(self) -> dict[str, Any]:
        """Every fault that the file's own check finds, at its field."""
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            meaning_of(self.row_line, self.values, by=None, now=estimate_clock())
        except LeftOut as left_out:
            for fault in left_out.faults:
                if fault.column and fault.column not in self.fields:
                    self._offer(fault.column)
                self.add_error(fault.column or None, f"{fault.sentence} {fault.remedy}")
        return {**cleaned, "values": self.values}

    def _kept(self, name: str) -> bool:
        """Whether an empty field leaves the cell as it stood."""
        return _COLUMNS[name].is_secret and bool(self.cells.get(name))

    def _offer(self, name: str) -> None:
        column = _COLUMNS[name]
        self.fields[name] = forms.CharField(
            label=str(column.heading),
            required=False,
            max_length=300,
            initial="" if column.is_secret else self.cells.get(name, ""),
            help_text=_("Empty: stays as it stood.") if self._kept(name) else "",
        )


class LinkForm(DecisionForm):
    number = forms.CharField(label=_("Number of the application here"), max_length=40)
    field_order = ("number", "reason")


def _may_be_taken_in(line: FormerLine, _now: datetime) -> bool:
    return bool(line.cells) and may_be_decided(line)


def _number_here(line: FormerLine) -> dict[str, Any]:
    here = _application_here(line)
    return {"number": here.number} if here else {}


def _take_in(line: FormerLine, actor: User, data: dict[str, Any], now: datetime) -> None:
    take_in(line, values=data["values"], reason=data["reason"], actor=actor, now=now)


def _leave_out(line: FormerLine, actor: User, data: dict[str, Any], now: datetime) -> None:
    leave_out(line, reason=data["reason"], actor=actor, now=now)


def _link(line: FormerLine, actor: User, data: dict[str, Any], now: datetime) -> None:
    application = application_numbered(data["number"], actor=actor, now=now)
    link_line(line, application, reason=data["reason"], actor=actor, now=now)


def _take_back(line: FormerLine, actor: User, data: dict[str, Any], now: datetime) -> None:
    take_back(line, reason=data["reason"], actor=actor, now=now)


LEAVE_OUT: Final = Work(
    name="leave-out",
    label=_("Leave out for good"),
    consequence=_(
        "The child gets no place in the queue by this line. Its family can still file an application here, at the date "
        "of filing."
    ),
    done=_("The line is left out for good. Until the protocol is signed this can be taken back."),
    permission=DECIDE,
    offered=lambda line, _now: may_be_decided(line),
    perform=_leave_out,
    form=DecisionForm,
    danger=True,
    is_in_journal=True,
)


class ToDecide(WaitingFilter):
    choice = _("nobody has decided")

    def waiting(self, employee: User) -> QuerySet[FormerLine]:
        return undecided_lines()


class ByFile(admin.SimpleListFilter):
    """The files with lines that were left out, the newest first."""

    title = _("loaded file")
    parameter_name = "file"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        lines = model_admin.get_queryset(request).order_by().values("batch")
        files = ImportBatch.objects.filter(pk__in=lines).order_by("-pk")[:_FILES]
        return [(str(one.pk), _file_words(one)) for one in files]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = key_in(self.value() or "")
        return queryset if asked is None else queryset.filter(batch=asked)


class ByProblem(admin.SimpleListFilter):
    title = _("why it was left out")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        problems = left_out_lines().order_by("problem").values_list("problem", flat=True).distinct()
        return [(problem, _problem_words(problem)) for problem in problems]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(problem=self.value()) if self.value() else queryset


@admin.register(FormerLine)
class FormerLineAdmin(InTurn, WorkAdmin):
    """The lines that were left out, and what became of each."""

    permission_to_decide = DECIDE
    most_urgent = ("batch_id", "line")
    ordering = ["-batch", "line"]
    without_names = {"stands": "masked_stands", "decided": "masked_decided"}
    list_display = ["old_number", "file", "queue", "why_left_out", "shown_decision"]
    list_filter = [ToDecide, ByFile, ByProblem, "locality"]
    list_select_related = ["batch", "locality"]
    search_fields = ["line"]
    search_help_text = _("A whole number in the former queue")
    actions = ["leave_out_selected"]
    fields = [
        "shown_decision",
        "old_number",
        "queue",
        "batch",
        "line",
        "faults_in_words",
        "stands",
        "decided",
        "application_page",
    ]
    works = [
        Work(
            name="take-in",
            label=_("Take in with corrected values"),
            consequence=_(
                "The child waits in the queue at its old date, as if the line had been right in the file; the numbers "
                "of those behind it change. The values are checked as those of a file are."
            ),
            done=_(
                "The line is in the queue at its old date. Until the protocol is signed this can be taken back."
            ),
            permission=DECIDE,
            offered=_may_be_taken_in,
            perform=_take_in,
            form=CorrectForm,
            initial=lambda line: {"line": str(line.pk)},
            is_in_journal=True,
        ),
        Work(
            name="link",
            label=_("The same child as an application here"),
            consequence=_(
                "The application stays as it is, at its own date. If the date of the former queue is the right one, "
                "two officials correct it on the application's page."
            ),
            done=_("The line is linked to the application."),
            permission=DECIDE,
            offered=lambda line, _now: may_be_decided(line),
            perform=_link,
            form=LinkForm,
            initial=_number_here,
            is_in_journal=True,
        ),
        LEAVE_OUT,
        Work(
            name="take-back",
            label=_("Take the decision back"),
            consequence=_(
                "The line is undecided again. If it was taken in, it leaves the queue, unless its family has claimed "
                "it."
            ),
            done=_("The decision is taken back: the line is undecided again."),
            permission=DECIDE,
            offered=lambda line, _now: may_be_taken_back(line),
            perform=_take_back,
            form=DecisionForm,
            danger=True,
            is_in_journal=True,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FormerLine]:
        decisions = ("decided_by__employee", "ended_by__employee", "application__child")
        lines = super().get_queryset(request).exclude(problem="")
        return lines.prefetch_related(*(f"decisions__{one}" for one in decisions))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The lines with this number, however it is typed. What stands in a line is encrypted: each is looked into."""
        if not (sought := number_key(search_term)):
            return queryset, False
        kept = queryset.order_by().select_related(None).prefetch_related(None).exclude(cells="")
        lines = kept.only("line", "cells")
        found = [one.pk for one in lines.iterator() if number_key(self.old_number(one)) == sought]
        return queryset.filter(pk__in=found), False

    def waiting_for(self, employee: User) -> QuerySet[FormerLine]:
        return undecided_lines()

    def to_come(self, request: HttpRequest, obj: FormerLine) -> Next | None:
        """Of the same file: one wants to sign it."""
        return next_after(obj, self.waiting(request).filter(batch=obj.batch_id), self.most_urgent)

    def zone_of(self, obj: FormerLine) -> tzinfo | None:
        return obj.locality.zone if obj.locality else None

    def whose_data(self, obj: FormerLine) -> list[User]:
        return [guardian for child in _children_of(obj) for guardian in guardians_of(child)]

    def child_of(self, obj: FormerLine) -> Child | None:
        return next(iter(_children_of(obj)), None)

    def summary(self, obj: FormerLine) -> Rows:
        return [
            {"label": gettext("number in the former queue"), "value": self.old_number(obj)},
            {"label": gettext("Queue"), "value": self.queue(obj)},
            {"label": gettext("what is wrong"), "value": self.faults_in_words(obj)},
        ]

    def summary_for(self, obj: FormerLine, work: Work) -> Rows:
        rows = self.summary(obj)
        here = _application_here(obj)
        if here is None or work.name not in ("take-in", "link"):
            return rows
        words = gettext(
            "If it is the same child, the button is «%(button)s»: this number is what it asks for."
        )
        told = format_html(
            "{} {}{}{}",
            link(page_of(here), here.number),
            masked(here.child),
            LINE_BREAK,
            words % {"button": gettext("The same child as an application here")},
        )
        return [*rows, {"label": gettext("The child of the line has an application here"), "value": told}]

    def _happened(self, obj: Any) -> list[Happened]:
        """With what was corrected, names masked, beside the reason of each decision."""
        corrected = {
            one.decided_at: _corrected_words(one, obj, shows_names=False)
            for one in obj.decisions.all()
            if one.values
        }
        return [
            one._replace(why="; ".join([one.why, *corrected.get(one.at, [])]))
            for one in super()._happened(obj)
        ]

    # --- many at once ------------------------------------------------------------------------------------------

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("Leave the selected lines out for good"), permissions=["work"])
    def leave_out_selected(self, request: HttpRequest, queryset: QuerySet[FormerLine]) -> HttpResponse | None:
        return self.perform_many(
            request,
            queryset.select_related("batch", "locality").order_by("batch", "line"),
            LEAVE_OUT,
            action="leave_out_selected",
            title=_("Leave the selected lines out for good"),
            done=_("Left out for good: %(count)s"),
        )

    def chosen_line(self, obj: FormerLine) -> str:
        return f"{self.old_number(obj)}: {self.queue(obj)}. {_first_fault(obj)}"

    # --- columns -----------------------------------------------------------------------------------------------

    @admin.display(description=_("number in the former queue"))
    def old_number(self, obj: FormerLine) -> str:
        return row_of(obj).cells.get("old_number", "") or f"{gettext('line of the file')}: {obj.line}"

    @admin.display(description=_("loaded file"), ordering="batch")
    def file(self, obj: FormerLine) -> str:
        return _file_words(obj.batch)

    @admin.display(description=_("Queue"), ordering="locality")
    def queue(self, obj: FormerLine) -> str:
        told = [obj.locality.name if obj.locality else "", str(obj.birth_year or "")]
        return ", ".join(filter(None, told)) or "—"

    @admin.display(description=_("why it was left out"))
    def why_left_out(self, obj: FormerLine) -> str:
        return _first_fault(obj)

    @admin.display(description=_("Decision"))
    def shown_decision(self, obj: FormerLine) -> str:
        if obj.batch.undone_at is not None:
            return tag(gettext("the file was undone"), tone="warning")
        decision = _current(obj)
        if decision is None:
            return tag(gettext("nobody has decided"), tone="warning")
        return tag(decision.get_kind_display(), tone=_TONES[LineDecision(decision.kind)])

    @admin.display(description=_("what is wrong"))
    def faults_in_words(self, obj: FormerLine) -> str:
        faults = [Fault.of_json(one) for one in obj.faults]
        return format_html_join(
            LINE_BREAK,
            "<strong>{}</strong> {} {}",
            ((_heading(one.column), one.sentence, one.remedy) for one in faults),
        )

    @admin.display(description=_("what stands in the line"))
    def stands(self, obj: FormerLine) -> str:
        return _told(obj, shows_names=True)

    @admin.display(description=_("what stands in the line"))
    def masked_stands(self, obj: FormerLine) -> str:
        return _told(obj, shows_names=False)

    @admin.display(description=_("Decided"))
    def decided(self, obj: FormerLine) -> str:
        return _decisions_told(obj, shows_names=True)

    @admin.display(description=_("Decided"))
    def masked_decided(self, obj: FormerLine) -> str:
        return _decisions_told(obj, shows_names=False)

    @admin.display(description=_("Application"))
    def application_page(self, obj: FormerLine) -> str:
        decision = _current(obj)
        application = (decision.application if decision else None) or _application_here(obj)
        if application is None:
            return "—"
        return format_html("{} {}", link(page_of(application), application.number), masked(application.child))


def _decisions_told(line: FormerLine, *, shows_names: bool) -> str:
    """Every decision, the newest first, each with what was typed in place of the cells."""
    rows = (
        (row,)
        for one in line.decisions.all()
        for row in [_decision_words(one, line), *_corrected_words(one, line, shows_names=shows_names)]
    )
    return format_html_join(LINE_BREAK, "{}", rows) or "—"


def _corrected_words(decision: FormerDecision, line: FormerLine, *, shows_names: bool) -> list[str]:
    """Column, former value and new value of each cell that was corrected; IINs and phones masked."""
    return [
        f"{_heading(name)}: {_shown(_COLUMNS[name], before, shows_names=shows_names)} → "
        f"{_shown(_COLUMNS[name], after, shows_names=shows_names)}"
        for name, before, after in corrected_in(decision, line)
        if name in _COLUMNS
    ]


def _file_words(batch: ImportBatch) -> str:
    """The name of a file, and its day: a newer one may have the same name."""
    return f"{batch.file_name}, {written(timezone.localdate(batch.loaded_at))}"


def _current(line: FormerLine) -> FormerDecision | None:
    """The decision that counts, of those that were read with the line."""
    return next((one for one in line.decisions.all() if one.ended_at is None), None)


def _application_here(line: FormerLine) -> Application | None:
    """What the child of the line has in the portal, where the line stands for it or is of the same locality."""
    if line.application is not None:
        return line.application
    values = row_of(line).values
    child = values.get("child_iin", ""), "" if values.get("child_iin") else values.get("certificate", "")
    here = applications_here([child]).get(child) if any(child) else None
    return here if here is not None and here.locality_id == line.locality_id else None


def _children_of(line: FormerLine) -> list[Child]:
    """The child of the line, if the portal knows it."""
    values = row_of(line).values
    iin, certificate = values.get("child_iin", ""), values.get("certificate", "")
    return list(children_with(iin=iin, paper_number=certificate)) if iin or certificate else []


def _told(line: FormerLine, *, shows_names: bool) -> str:
    """The cells by their headings, IINs and phones masked."""
    cells = row_of(line).cells
    if not cells:
        return gettext("It was erased: a file's lines are kept for as long as it can be undone.")
    rows = (
        (_heading(name), _shown(_COLUMNS[name], text, shows_names=shows_names))
        for name, text in cells.items()
    )
    return format_html_join(LINE_BREAK, "{}: {}", rows)


def _shown(column: Column, text: str, *, shows_names: bool) -> str:
    if column.name == "phone":
        return mask_phone(text) if text else "—"
    if column.name in _NAMES and not shows_names:
        return mask_words(text) or "—"
    return column.shown(text) or "—"


def _heading(column: str) -> str:
    return capfirst(str(_COLUMNS[column].heading)) if column in _COLUMNS else ""


def _decision_words(decision: FormerDecision, line: FormerLine) -> str:
    zone = line.locality.zone if line.locality else None
    at = decision.decided_at.astimezone(zone)
    words = f"{written(at.date())} {at:%H:%M}, {decision.decided_by}: {decision.get_kind_display()}. {decision.reason}"
    if decision.ended_at is None:
        return words
    return f"{words} ({gettext('ended by')} {decision.ended_by}, {written(decision.ended_at.astimezone(zone).date())})"


def _first_fault(line: FormerLine) -> str:
    return Fault.of_json(line.faults[0]).sentence if line.faults else ""


def _problem_words(problem: str) -> str:
    """What is wrong, without the values of one line."""
    sentence = str(SENTENCES[Problem(problem)][0])
    return sentence.partition("%(")[0].strip(" (:,.") or problem
