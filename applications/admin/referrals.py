"""Referrals: the families expected, their contracts, and the papers they sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.file_response import file_response
from accounts.masks import mask_name
from accounts.models import User
from applications.admin.in_turn import InTurn
from applications.admin.undoing import (
    COMING_DOUBTED,
    COMING_REFUSALS,
    CameForm,
    CameInTimeForm,
    ask_work,
    requests_of,
)
from applications.admin.work import (
    LINE_BREAK,
    PAPERS,
    KindergartensWork,
    ReasonForm,
    Rows,
    Words,
    Work,
    day_of,
    link,
    page_of,
    staff_of,
    tag,
)
from applications.families.names import EXPECTED, shown_phone
from applications.models import Contract, Extension, ExtensionDocument, Referral, UndoRequest
from applications.referrals import coming, ending
from applications.referrals.applicants import applicant_of
from applications.referrals.check_codes import read_code, referral_of
from applications.referrals.due import ends_by_tomorrow, valid_referrals
from applications.states import HAS_PAPER, ProposalState, ReferralState, UndoKind
from applications.undoing.noted import may_take_back, take_back_coming
from applications.undoing.requests import may_carry_out
from applications.workplace import short_name
from bulletin.kazakh_order import ByName
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Kindergarten
from bulletin.selectors import localities
from children.access import guardians_of, own_children
from notifications.clock import estimate_clock

TONES = {
    ReferralState.ISSUED: "info",
    ReferralState.SIGNED: "success",
    ReferralState.EXPIRED: "warning",
    ReferralState.REVOKED: "danger",
    ReferralState.ENDED: "neutral",
}


class ContractForm(forms.Form):
    contract_number = forms.CharField(
        label=_("Contract number"),
        help_text=_("May stay empty: then the referral's number is the contract's number."),
        max_length=40,
        required=False,
    )


class ValidityFilter(admin.SimpleListFilter):
    title = _("validity")
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("now", _("valid now")),
            ("soon", _("ends today or tomorrow")),
            ("later", _("ends later")),
            ("over", _("ended")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Referral]) -> QuerySet[Referral]:
        now = estimate_clock()
        valid = queryset.filter(pk__in=valid_referrals(now=now).values("pk"))
        if self.value() == "now":
            return valid
        if self.value() == "soon":
            return valid.filter(ends_by_tomorrow(localities(), now=now))
        if self.value() == "later":
            return valid.exclude(ends_by_tomorrow(localities(), now=now))
        if self.value() == "over":
            return queryset.exclude(pk__in=valid.values("pk"))
        return queryset


def _is_valid(referral: Referral, now: datetime) -> bool:
    return referral.is_valid(now=now)


def _is_needed(referral: Referral) -> bool:
    """Whether the kindergarten has still to do with the family: it is to come, or came and its child is there."""
    is_held = referral.state == ReferralState.SIGNED or referral.is_valid(now=estimate_clock())
    return is_held and referral.application.state in EXPECTED


def _name_of(guardian: User, *, is_needed: bool) -> str:
    profile = getattr(guardian, "profile", None)
    if profile is None:
        return "—"
    return profile.full_name if is_needed else mask_name(profile.last_name, profile.first_name)


def _sign(referral: Referral, actor: User, data: dict[str, Any], now: datetime) -> None:
    ending.sign_contract(referral, actor=actor, contract_number=data["contract_number"], now=now)


def _note_coming(referral: Referral, actor: User, data: dict[str, Any], now: datetime) -> None:
    coming.note_coming(referral, came_on=data["came_on"], actor=actor, now=now)


def _came_today(referral: Referral) -> dict[str, Any]:
    return {"came_on": referral.application.locality.day(estimate_clock())}


def _may_note(referral: Referral, now: datetime) -> bool:
    return referral.came_on is None and referral.is_valid(now=now)


def _was_noted(referral: Referral, now: datetime) -> bool:
    return referral.is_valid(now=now) and coming.noted(referral) is not None


def _is_coming_doubted(referral: Referral) -> bool:
    """Whether an official is asked to undo that the family came, and still can."""
    asked = UndoRequest.objects.filter(
        bid=referral.bid_id, kind=UndoKind.NOTED, state=ProposalState.PROPOSED
    ).first()
    return asked is not None and may_carry_out(asked, now=estimate_clock())


def _take_back_coming(referral: Referral, actor: User, data: dict[str, Any], now: datetime) -> None:
    take_back_coming(referral, actor=actor, now=now)


def _revoke(referral: Referral, actor: User, data: dict[str, Any], now: datetime) -> None:
    ending.revoke_referral(referral, actor=actor, reason=data["reason"], now=now)


@admin.register(Referral)
class ReferralAdmin(InTurn, KindergartensWork):
    list_display = ["number", "child", "kindergarten", "group", "issued_at", "last_day", "shown_state"]
    list_filter = [
        ValidityFilter,
        "state",
        ("bid__vacancy__group__kindergarten", KindergartenFilter),
        "issued_at",
    ]
    list_select_related = [
        "application__child",
        "application__locality",
        "bid__vacancy__group__kindergarten",
    ]
    kindergarten_path = "bid__vacancy__group__kindergarten"
    number_paths = ["number"]
    child_path = "application__child"
    search_help_text = _("Number of the referral, code on its paper, or last name of the child")
    ordering = ["-issued_at"]
    most_urgent = ("valid_until", "issued_at", "pk")
    without_names = {
        **KindergartensWork.without_names,
        "applicant": "",
        "guardians": "",
        "extension_reason": "extension_ground",
    }
    without_papers = {"paper": "", "documents": ""}
    fields = [
        "number",
        "shown_state",
        "last_day",
        "came_on",
        "full_name",
        "birth_date",
        "applicant",
        "guardians",
        "kindergarten",
        "group",
        "issued_at",
        "paper",
        "extension_reason",
        "documents",
        "contract",
        "ended_at",
        "reason",
        "undoing",
    ]
    works = [
        Work(
            name="sign",
            label=_("Sign the contract"),
            consequence=_(
                "The child is enrolled and leaves the queue. Sign only after you have seen the identity documents "
                "of the applicant and the child and the medical certificate. Only an official can undo it; a number "
                "that was typed wrong is corrected on the page of the contract."
            ),
            done=_("The contract is signed, the child is enrolled. The family has been told."),
            permission="applications.change_referral",
            offered=_is_valid,
            perform=_sign,
            form=ContractForm,
        ),
        Work(
            name="came",
            label=_("The family came"),
            consequence=_(
                "Note the day on which the family came with its papers. The place stays theirs while you prepare the "
                "contract: for so many working days as the rules give, counted from today. Without a contract the "
                "referral then runs out as usual. The family is told. If it is a mistake, press “The family did not "
                "come” here until the end of the day; later an official decides."
            ),
            done=_(
                "It is noted that the family came. It has been told until when the contract can be signed."
            ),
            permission="applications.change_referral",
            offered=_may_note,
            perform=_note_coming,
            form=CameForm,
            initial=_came_today,
            fields=COMING_REFUSALS,
        ),
        Work(
            name="came-not",
            label=_("The family did not come"),
            consequence=_(
                "It was noted by mistake that the family came. The referral has its last day of before, or the next "
                "working day where that is over. The family is told."
            ),
            done=_("It is taken back. The family has been told until when the referral is valid."),
            permission="applications.change_referral",
            offered=_was_noted,
            perform=_take_back_coming,
            danger=True,
        ),
        ask_work(
            UndoKind.NOTED,
            name="undo-coming",
            label=_("It was noted by mistake"),
            consequence=_(
                "An official of the education department decides. If the official confirms, the referral has its last "
                "day of before, or the next working day where that is over, and the family is told."
            ),
            bid_of=lambda referral: referral.bid,
        ),
        ask_work(
            UndoKind.COMING,
            name="came-in-time",
            label=_("The family had come in time"),
            consequence=_(
                "The referral has run out, but the family had come with its papers before. An official of the "
                "education department decides. If the official confirms, the stop-list ends at once, and the family "
                "gets its place back if one is free."
            ),
            bid_of=lambda referral: referral.bid,
            form=CameInTimeForm,
            fields=COMING_REFUSALS,
        ),
        Work(
            name="revoke",
            label=_("Revoke the referral"),
            consequence=_(
                "The referral loses its force and the place is free again. The family goes back to the queue at its "
                "original date, without a penalty, and reads your reason."
            ),
            done=_("The referral is revoked. The family has been told the reason."),
            permission="applications.change_referral",
            offered=_is_valid,
            perform=_revoke,
            form=ReasonForm,
            danger=True,
        ),
        ask_work(
            UndoKind.REVOCATION,
            name="undo-revocation",
            label=_("It was revoked by mistake"),
            consequence=_(
                "An official of the education department decides. If the place is still free, the referral is valid "
                "again, for as many working days as were left when it was revoked."
            ),
            bid_of=lambda referral: referral.bid,
        ),
    ]

    def may(self, request: HttpRequest, work: Work, obj: Referral) -> bool:
        """What was noted today is taken back by who noted it; the others, and from tomorrow they too, ask for it."""
        if work.name in ("came-not", "undo-coming"):
            is_own = may_take_back(obj, staff_of(request), now=estimate_clock())
            if is_own != (work.name == "came-not"):
                return False
        return super().may(request, work, obj)

    def note(self, request: HttpRequest, obj: Referral) -> Words:
        """Also, that it waits for an official whether the family came at all."""
        said = super().note(request, obj)
        if not _is_coming_doubted(obj):
            return said
        return f"{said} {COMING_DOUBTED}" if said else COMING_DOUBTED

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Referral], search_term: str
    ) -> tuple[QuerySet[Referral], bool]:
        """Also by the code on the paper, typed or scanned."""
        code = read_code(search_term)
        referral = referral_of(code) if code else None
        if referral is not None:
            return queryset.filter(pk=referral.pk), False
        return super().get_search_results(request, queryset, search_term)

    def kindergarten_of(self, obj: Referral) -> Kindergarten:
        return obj.bid.vacancy.group.kindergarten

    def waiting(self, request: HttpRequest) -> QuerySet[Referral]:
        """The families that are to come and sign, for whoever signs with them."""
        user = staff_of(request)
        valid = valid_referrals(now=estimate_clock()).values("pk")
        rows = self.get_queryset(request).filter(self.is_own_work(user), pk__in=valid)
        return rows.exclude(application__child__in=own_children(user))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Those that are valid: the first to end on top."""
        is_valid = request.GET.get(ValidityFilter.parameter_name) in ("now", "soon", "later")
        return [*(self.most_urgent if is_valid else self.ordering)]

    def summary(self, obj: Referral) -> Rows:
        group = obj.bid.vacancy.group
        return [
            {"label": gettext("Referral"), "value": obj.number},
            {"label": gettext("Child"), "value": short_name(obj.application.child)},
            {"label": gettext("Kindergarten"), "value": group.kindergarten.name},
            {"label": gettext("Group"), "value": group.name},
            {"label": gettext("Last day"), "value": day_of(obj.last_moment, obj.application)},
            *(
                [{"label": gettext("Waits for an official"), "value": COMING_DOUBTED}]
                if _is_coming_doubted(obj)
                else []
            ),
        ]

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Applicant"))
    def applicant(self, obj: Referral) -> str:
        """The guardian whom the paper names."""
        found = applicant_of(obj)
        return _name_of(found, is_needed=_is_needed(obj)) if found else "—"

    @admin.display(description=_("Guardians and their phones"))
    def guardians(self, obj: Referral) -> str:
        """Those of today: whoever is a guardian no longer is not called, whatever they once asked for."""
        is_needed = _is_needed(obj)
        rows = [
            (_name_of(guardian, is_needed=is_needed), shown_phone(guardian, in_full=is_needed) or "—")
            for guardian in guardians_of(obj.application.child)
        ]
        return format_html_join(LINE_BREAK, "{}: {}", rows) if rows else "—"

    @admin.display(description=_("Kindergarten"), ordering=ByName("bid__vacancy__group__kindergarten__"))
    def kindergarten(self, obj: Referral) -> str:
        return obj.bid.vacancy.group.kindergarten.name

    @admin.display(description=_("Group"), ordering="bid__vacancy__group__name")
    def group(self, obj: Referral) -> str:
        return obj.bid.vacancy.group.name

    @admin.display(description=_("Last day"), ordering="valid_until")
    def last_day(self, obj: Referral) -> str:
        day = day_of(obj.last_moment, obj.application)
        if obj.held_since is None:
            return day
        # A guardian is disputed: the contract can still be signed, and the referral does not expire meanwhile.
        return format_html("{} {}", day, tag(gettext("stands still"), tone="info"))

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Referral) -> str:
        if obj.state == ReferralState.ISSUED and not obj.is_valid(now=estimate_clock()):
            # The job that expires it is late: the rule is not.
            return tag(ReferralState.EXPIRED.label, tone="warning")
        return tag(obj.get_state_display(), tone=TONES[ReferralState(obj.state)])

    @admin.display(description=_("PDF"))
    def paper(self, obj: Referral) -> str:
        return link(
            reverse("admin:applications_referral_pdf", args=[obj.pk]), gettext("Download the referral")
        )

    @admin.display(description=_("Extension"))
    def extension_ground(self, obj: Referral) -> str:
        """Without the family's own words, which name whom it will."""
        extension = Extension.objects.filter(referral=obj).first()
        return extension.get_reason_display() if extension else "—"

    @admin.display(description=_("Extension"))
    def extension_reason(self, obj: Referral) -> str:
        extension = Extension.objects.filter(referral=obj).first()
        if extension is None:
            return "—"
        words = [extension.get_reason_display(), extension.explanation]
        return ": ".join(filter(None, words))

    @admin.display(description=_("Supporting documents"))
    def documents(self, obj: Referral) -> str:
        documents = ExtensionDocument.objects.filter(extension__referral=obj)
        rows = [
            (
                reverse("admin:applications_referral_document", args=[obj.pk, document.pk]),
                document.original_name,
            )
            for document in documents
        ]
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a>', rows) if rows else "—"

    @admin.display(description=_("Contract"))
    def contract(self, obj: Referral) -> str:
        contract = Contract.objects.filter(referral=obj).first()
        return link(page_of(contract), contract.number) if contract else "—"

    @admin.display(description=_("Asked to undo"))
    def undoing(self, obj: Referral) -> str:
        return requests_of(obj.bid)

    # --- files -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:pk>/referral.pdf",
                self.admin_site.admin_view(self.pdf_view),
                name="applications_referral_pdf",
            ),
            path(
                "<uuid:pk>/documents/<uuid:document>/",
                self.admin_site.admin_view(self.document_view),
                name="applications_referral_document",
            ),
            *super().get_urls(),
        ]

    def pdf_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The referral's paper, or a message while it is still being made."""
        referral = self.found(request, str(pk), permission=PAPERS)
        if referral.state not in HAS_PAPER:
            messages.warning(request, gettext("The referral has ended: its paper is no longer kept."))
            return HttpResponseRedirect(page_of(referral))
        if not referral.pdf:
            messages.warning(request, gettext("The PDF is being prepared. Try again in a minute."))
            return HttpResponseRedirect(page_of(referral))
        return self._download(request, referral, referral.pdf, name=f"zholdama-{referral.number}.pdf")

    def document_view(self, request: HttpRequest, pk: UUID, document: UUID) -> HttpResponse:
        """One supporting document of an extension, as a download that no browser runs."""
        referral = self.found(request, str(pk), permission=PAPERS)
        found = ExtensionDocument.objects.filter(pk=document, extension__referral=referral).first()
        if found is None:
            raise Http404
        return self._download(
            request,
            referral,
            found.file,
            name=found.original_name,
            target=f"{referral.number}: {found.original_name}",
        )

    def _download(
        self, request: HttpRequest, referral: Referral, file: FieldFile, *, name: str, target: str = ""
    ) -> HttpResponse:
        """The file, with an entry in the family's journal; or a message that it is missing."""
        try:
            response = file_response(file, name=name)
        except FileNotFoundError:
            messages.error(request, gettext("The file is missing. Ask the system administrator."))
            return HttpResponseRedirect(page_of(referral))
        self.note_look(request, referral, target=target or referral.number)
        return response
