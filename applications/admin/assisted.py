"""The contact centre: find an account, see the document, prove the new number, and let a colleague approve.

Each search begins a case of its own, which its pages name in their address: two that are open side by side, in as many
tabs, stay about whom each of them shows.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, limits
from accounts.forms import CodeForm, PhoneField
from accounts.identity import DocumentError, parse_identity
from accounts.iin import IinError
from accounts.journal_actions import Action
from accounts.masks import mask_phone
from accounts.models import AssistedMove, FirstSignIn, NumberMove, SmsCode, User
from accounts.numbers import assisted, moves
from accounts.numbers.concerned import is_of_the_family, what_holds
from accounts.numbers.moves import Fault, NotMoved
from accounts.officials import one_with
from accounts.phones import PhoneError, PhoneFault, paper_login, parse_mobile
from accounts.progress import keep_session_secret, session_secret
from accounts.services import account_of
from accounts.sms_codes import TooManyCodes, check_code, send_code
from accounts.views import code_step
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    WaitingFilter,
    Work,
    WorkAdmin,
    link,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from notifications.budget import BudgetSpent
from notifications.clock import read_clock

# What an employee has entered so far, in the session, by the key of the case.
_CASES: Final = "assisted_moves"
# So many are kept at once; with one more the oldest is forgotten.
_MOST_CASES: Final = 8


class FindForm(forms.Form):
    term = forms.CharField(
        label=_("Phone number, login number, IIN or document number"),
        help_text=_("A whole number. The search is entered in the journal of whoever is found."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class NumberOfOther(PhoneField):
    """The number of somebody who is being served: what is wrong with it is told to the employee."""

    def clean(self, value: Any) -> str:
        try:
            return super().clean(value)
        except ValidationError as error:
            if error.code != PhoneFault.FOREIGN.value:
                raise
            raise ValidationError(
                gettext(
                    "The portal sends SMS only to mobile numbers of Kazakhstan. Take such a number of the person"
                ),
                code=error.code,
            ) from None


class SeenForm(forms.Form):
    """What the employee sees and is told."""

    document = forms.ChoiceField(label=_("document that was seen"), choices=AssistedMove.Document.choices)
    why = reason_field(
        label=_("what happened"),
        help_text=_("It stands in the journal of the account. Write no numbers of documents."),
    )
    phone = NumberOfOther(
        label=_("new number"), help_text=_("We send a code to it; the person reads it to you.")
    )


class ReadCodeForm(CodeForm):
    """The code that the person reads out."""


class WithdrawForm(forms.Form):
    reason = reason_field(
        help_text=_(
            "The owner of the account and your colleague read this text. Write no numbers of documents."
        )
    )


class DespiteForm(forms.Form):
    reason = reason_field(
        label=_("How you know that it is the owner"),
        help_text=_(
            "The owner, or whoever has the present number, stopped an earlier request. Write what you have done to be "
            "sure, without numbers. It stands in the journal of the account."
        ),
    )


@dataclass(frozen=True)
class Case:
    """One person whom an employee serves."""

    account: User
    entered: dict[str, Any] = field(default_factory=dict)
    # When numbers were looked up for it; they no longer count once the person is served.
    looked_up: tuple[str, ...] = ()
    key: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    @classmethod
    def of(cls, request: HttpRequest) -> "Case | None":
        """The case that the page's address names, if it was begun in this session."""
        key = request.GET.get("case", "")
        kept = request.session.get(_CASES, {}).get(key)
        account = User.objects.filter(pk=kept["account"], profile__isnull=False).first() if kept else None
        return cls(account, kept["entered"], tuple(kept["looked_up"]), key) if account else None

    def keep(self, request: HttpRequest) -> None:
        """As the one that was touched last."""
        others = [(key, one) for key, one in request.session.get(_CASES, {}).items() if key != self.key]
        own = {"account": str(self.account.pk), "entered": self.entered, "looked_up": list(self.looked_up)}
        request.session[_CASES] = dict([*others[1 - _MOST_CASES :], (self.key, own)])

    def close(self, request: HttpRequest) -> None:
        """Forget it; the person is served."""
        cases = request.session.get(_CASES, {})
        cases.pop(self.key, None)
        request.session[_CASES] = cases

    def page(self, name: str) -> str:
        return f"{reverse(f'admin:accounts_assistedmove_{name}')}?{urlencode({'case': self.key})}"


def _is_live(one: AssistedMove, now: datetime) -> bool:
    return one.move.is_live


def _is_stopped_before(one: AssistedMove, now: datetime) -> bool:
    return one.move.is_live and assisted.was_stopped_before(one)


def _is_plain(one: AssistedMove, now: datetime) -> bool:
    return one.move.is_live and not assisted.was_stopped_before(one)


def _approve(one: AssistedMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    try:
        move = assisted.approve(one, actor=actor, despite=data.get("reason", ""), address=None, now=now)
    except NotMoved as refused:
        raise ValidationError(refused.at_work) from None
    if move.done_at is None:
        raise ValidationError(gettext("The number was registered by somebody else meanwhile"))


def _withdraw(one: AssistedMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    try:
        assisted.withdraw(one, reason=data["reason"], actor=actor, address=None, now=now)
    except NotMoved as refused:
        raise ValidationError(refused.at_work) from None


class ToApproveFilter(WaitingFilter):
    def waiting(self, employee: User) -> QuerySet[AssistedMove]:
        return assisted.to_approve(employee)


_APPROVED: Final = _(
    "Approved: the account has its new number. Tell the person: a new password is needed, which the page “Forgotten "
    "password?” sets with an SMS to the new number."
)


@admin.register(AssistedMove)
class AssistedMoveAdmin(InTurn, WorkAdmin):
    """For the contact centre and officials. Opening a page is entered in the journal of the account."""

    change_list_template = "admin/work/assisted_list.html"
    most_urgent = ("move__asked_at", "pk")
    permission_to_decide = "accounts.change_assistedmove"
    list_display = ["asked", "owner", "masked_new", "asked_by", "shown_state"]
    without_names = {"owner_data": "owner"}
    list_filter = [ToApproveFilter]
    list_select_related = ["move__account__profile", "move__asked_by__employee"]
    fields = [
        "shown_state",
        "owner_data",
        "masked_old",
        "masked_new",
        "document",
        "why",
        "asked",
        "asked_by",
        "refused_before",
        "decided_by",
        "decision",
    ]
    works = [
        Work(
            name="approve",
            label=_("Approve the move"),
            consequence=_(
                "The account moves to the new number at once and is signed out everywhere; the owner sets a new "
                "password by SMS. Its authenticator app, e-mail and second phone no longer count: they may be somebody "
                "else's. The other guardians of the children are told."
            ),
            done=_APPROVED,
            permission="accounts.change_assistedmove",
            offered=_is_plain,
            perform=_approve,
            is_in_journal=True,
        ),
        Work(
            name="approve-despite",
            label=_("Approve although it was stopped before"),
            consequence=_(
                "The owner of the account, or whoever has its present number, stopped an earlier request. Make sure "
                "that this person is the owner. Then the account moves to the new number at once, is signed out "
                "everywhere, and loses its authenticator app, e-mail and second phone. The other guardians of the "
                "children are told."
            ),
            done=_APPROVED,
            permission="accounts.change_assistedmove",
            offered=_is_stopped_before,
            perform=_approve,
            form=DespiteForm,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="withdraw",
            label=_("Decline the move"),
            consequence=_("The account keeps its number. The owner is told that nothing changes, and why."),
            done=_("Declined: the number stays."),
            permission="accounts.change_assistedmove",
            offered=_is_live,
            perform=_withdraw,
            form=WithdrawForm,
            danger=True,
            is_in_journal=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[AssistedMove]:
        return assisted.to_approve(employee)

    def history_of(self, obj: AssistedMove) -> list[NumberMove]:
        return [obj.move]

    def who_else_decides(self, request: HttpRequest, obj: AssistedMove) -> str:
        employee, account = staff_of(request), obj.move.account
        return NotMoved(Fault.RELATED).at_work if is_of_the_family(account, employee) else ""

    def why_not(self, request: HttpRequest, work: Work, obj: AssistedMove, *, now: datetime) -> str:
        """Whoever asked for it only takes it back, and nothing is approved while something holds the account."""
        if work.name == "withdraw":
            return ""
        if obj.move.asked_by_id in one_with(staff_of(request)):
            return NotMoved(Fault.SAME_EMPLOYEE).at_work
        held = what_holds(obj.move.account)
        return str(held.at_work) if held else ""

    def summary(self, obj: AssistedMove) -> Rows:
        rows: Rows = [
            {"label": gettext("Whose account it is"), "value": self.owner_data(obj)},
            {"label": gettext("document that was seen"), "value": obj.get_document_display()},
            {"label": gettext("what happened"), "value": obj.why},
            {"label": gettext("new number"), "value": self.masked_new(obj)},
            *_refusals(obj.move.account, now=obj.move.asked_at),
        ]
        return rows

    def whose_data(self, obj: AssistedMove) -> list[User]:
        return [obj.move.account]

    # --- opening ---------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        pages = {"find": self.find_view, "seen": self.seen_view, "code": self.code_view}
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"accounts_assistedmove_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    @method_decorator([never_cache, sensitive_post_parameters()])
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Whose account it is."""
        employee, now = self._opener(request), read_clock()
        form = FindForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            allowed = _may_look_up(employee, now=now)
            account = _find(form.cleaned_data["term"]) if allowed.ok else None
            if not allowed.ok:
                form.add_error("term", code_step.too_many(allowed.retry_at, now=now))
            elif account is None:
                form.add_error("term", gettext("There is no account with this number"))
            elif is_of_the_family(account, employee):
                form.add_error("term", NotMoved(Fault.RELATED).at_work)
            else:
                audit.record(
                    Action.ACCOUNT_FOUND,
                    actor=employee,
                    subject=account,
                    address=audit.client_address(request),
                    now=now,
                )
                case = Case(account, looked_up=(now.isoformat(),))
                case.keep(request)
                return HttpResponseRedirect(case.page("seen"))
        return self._page(request, form, title=_("A new number: whose account"), submit=_("Find"))

    @method_decorator([never_cache, sensitive_post_parameters()])
    def seen_view(self, request: HttpRequest) -> HttpResponse:
        """The document, what happened, and the new number, to which a code goes."""
        employee, now = self._opener(request), read_clock()
        case = Case.of(request)
        if case is None:
            return _search_again(request)
        account, under_way = case.account, _under_way(case.account)
        form = SeenForm(request.POST if request.method == "POST" else None, initial=case.entered)
        if under_way:
            # Nobody gets a code for what can't be asked for.
            form = SeenForm()
        elif form.is_valid():
            phone = form.cleaned_data["phone"]
            # Each answer tells whether a number is registered, and each code goes to whoever has it.
            allowed = _may_look_up(employee, now=now)
            if allowed.ok:
                case = replace(case, looked_up=(*case.looked_up, now.isoformat()))
                case.keep(request)
            if not allowed.ok:
                form.add_error("phone", code_step.too_many(allowed.retry_at, now=now))
            elif account.phone == phone:
                form.add_error("phone", NotMoved(Fault.SAME_NUMBER).at_work)
            elif User.objects.filter(phone=phone).exists():
                form.add_error("phone", _belongs_to_another())
            elif refused := _send(request, employee, account, phone, now=now):
                form.add_error("phone", refused)
            else:
                replace(case, entered=form.cleaned_data).keep(request)
                return HttpResponseRedirect(case.page("code"))
        held = what_holds(account)
        rows: Rows = [
            {"label": gettext("Whose account it is"), "value": _person(account)},
            *_paper(account),
            *([{"label": gettext("Held"), "value": held.at_work}] if held else []),
            *([{"label": gettext("Under way"), "value": under_way}] if under_way else []),
            *_refusals(account, now=now),
        ]
        return self._page(
            request,
            form,
            title=_("A new number: the document"),
            submit=_("Send a code"),
            rows=rows,
            is_closed=bool(under_way),
        )

    @method_decorator([never_cache, sensitive_post_parameters()])
    def code_view(self, request: HttpRequest) -> HttpResponse:
        """The code that the person reads out: then the move waits for a colleague."""
        employee, now = self._opener(request), read_clock()
        case = Case.of(request)
        if case is None:
            return _search_again(request)
        if "phone" not in case.entered or _under_way(case.account):
            return HttpResponseRedirect(case.page("seen"))
        account, phone = case.account, case.entered["phone"]
        if "resend" in request.POST:
            if refused := _send(request, employee, account, phone, now=now):
                messages.warning(request, refused)
            else:
                messages.success(
                    request, gettext("A new code is on its way. The former one is no longer valid")
                )
            return HttpResponseRedirect(case.page("code"))
        form = ReadCodeForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            verdict = check_code(
                phone=phone,
                purpose=SmsCode.Purpose.NEW_NUMBER,
                session=session_secret(request.session),
                code=form.cleaned_data["code"],
                now=now,
            )
            if verdict.ok:
                return self._open(request, employee, case, now=now)
            form.add_error("code", code_step.fault(verdict, wrong=str(form.wrong)))
        rows = [
            {"label": gettext("Whose account it is"), "value": _person(account)},
            {"label": gettext("new number"), "value": mask_phone(phone)},
            *_refusals(account, now=now),
        ]
        return self._page(
            request,
            form,
            title=_("A new number: the code"),
            submit=_("Ask for the move"),
            rows=rows,
            other_number=case.page("seen"),
        )

    def _open(self, request: HttpRequest, employee: User, case: Case, *, now: datetime) -> HttpResponse:
        try:
            one = assisted.open_move(
                case.account,
                new_phone=case.entered["phone"],
                document=AssistedMove.Document(case.entered["document"]),
                why=case.entered["why"],
                actor=employee,
                address=audit.client_address(request),
                now=now,
            )
        except NotMoved as refused:
            messages.error(request, refused.at_work)
            return HttpResponseRedirect(case.page("seen"))
        case.close(request)
        _forget_look_ups(employee, case)
        messages.success(request, gettext("Asked for: a colleague approves it now"))
        return HttpResponseRedirect(reverse("admin:accounts_assistedmove_change", args=[one.pk]))

    def _opener(self, request: HttpRequest) -> User:
        if not request.user.has_perm("accounts.add_assistedmove"):
            raise PermissionDenied
        return staff_of(request)

    def _page(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: Any,
        submit: Any,
        rows: Rows | None = None,
        **more: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "work": {"label": submit, "consequence": ""},
            "form": form,
            "errors": form.errors,
            "rows": rows or [],
            "back_url": reverse("admin:accounts_assistedmove_changelist"),
            **more,
        }
        return TemplateResponse(request, "admin/work/assisted.html", context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        opens = request.user.has_perm("accounts.add_assistedmove")
        return super().changelist_view(request, {"opens": opens, **(extra_context or {})})

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("asked at"), ordering="move__asked_at")
    def asked(self, obj: AssistedMove) -> str:
        return date_format(localtime(obj.move.asked_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=_("asked by"))
    def asked_by(self, obj: AssistedMove) -> str:
        return str(obj.move.asked_by or "—")

    @admin.display(description=_("Decided by"))
    def decided_by(self, obj: AssistedMove) -> str:
        return str(obj.move.done_by or obj.move.stopped_by or "—")

    @admin.display(description=_("Refused before"))
    def refused_before(self, obj: AssistedMove) -> str:
        rows = _refusals(obj.move.account, now=obj.move.asked_at)
        return rows[0]["value"] if rows else "—"

    @admin.display(description=_("Reason for the decision"))
    def decision(self, obj: AssistedMove) -> str:
        """Of one that was done without a reason of its own it is what happened, which stands above."""
        return (obj.move.reason if obj.move.reason != obj.why else "") or "—"

    @admin.display(description=_("Whose account it is"))
    def owner(self, obj: AssistedMove) -> str:
        return obj.move.account.profile.masked_name

    @admin.display(description=_("Whose account it is"))
    def owner_data(self, obj: AssistedMove) -> str:
        return _person(obj.move.account)

    @admin.display(description=_("number when it was asked for"))
    def masked_old(self, obj: AssistedMove) -> str:
        return mask_phone(obj.move.old_phone) if obj.move.old_phone else "—"

    @admin.display(description=_("new number"))
    def masked_new(self, obj: AssistedMove) -> str:
        return mask_phone(obj.move.new_phone)

    @admin.display(description=_("Decision"))
    def shown_state(self, obj: AssistedMove) -> str:
        if obj.move.done_at is not None:
            return tag(gettext("done"), tone="success")
        if obj.move.stopped_at is not None:
            return tag(obj.move.get_stopped_because_display(), tone="danger")
        return tag(gettext("waits for a decision"), tone="info")


def _may_look_up(employee: User, *, now: datetime) -> limits.Allowed:
    """Whether the employee may ask about one more number; counts it."""
    wanted = (limits.SEARCH_PER_EMPLOYEE, limits.LOOK_UP_PER_EMPLOYEE)
    return limits.allow_all([(limit, str(employee.pk)) for limit in wanted], now=now)


def _find(term: str) -> User | None:
    """The parent with this whole phone or login number, IIN or document number."""
    if login := paper_login(term):
        found = User.objects.filter(phone=None, username=login, profile__isnull=False).first()
        if found is not None:
            return found
    try:
        return User.objects.filter(phone=parse_mobile(term), profile__isnull=False).first()
    except PhoneError:
        pass
    try:
        profile = account_of(parse_identity(term))
    except (IinError, DocumentError):
        return None
    return profile.user if profile else None


def _search_again(request: HttpRequest) -> HttpResponse:
    """Nothing is known of the case: it was never begun here, is done, or is one of too many."""
    if "case" in request.GET:
        messages.warning(
            request, gettext("Nothing was sent: this page is no longer open. Search for the person again")
        )
    return HttpResponseRedirect(reverse("admin:accounts_assistedmove_find"))


def _under_way(account: User) -> str:
    """What is under way for the number of the account, with the way to it; empty if nothing is.

    A claim of somebody else gives way to what the owner asks for.
    """
    move = moves.live_move_of(account)
    if move is None or move.kind == NumberMove.Kind.RECYCLING:
        return ""
    said = NotMoved(Fault.UNDER_WAY).at_work
    asked = AssistedMove.objects.filter(move=move).first()
    if asked is not None:
        return link(page_of(asked), said)
    if move.due_at is None:
        return said
    due_at = date_format(localtime(move.due_at), "SHORT_DATETIME_FORMAT")
    return f"{said}. {gettext('The number changes at')}: {due_at}"


def _belongs_to_another() -> str:
    return gettext(
        "This number belongs to another account: take another number. If an operator has given it to this person, they "
        "claim it afterwards in the profile, under “Phone number”"
    )


def _refusals(account: User, *, now: datetime) -> Rows:
    """What was asked for in the last 90 days and refused, for whoever asks or decides again."""
    refused = assisted.refused_before(account, now=now)
    if not refused:
        return []
    rows = [
        (
            date_format(localtime(move.stopped_at), "SHORT_DATETIME_FORMAT"),
            move.get_stopped_because_display(),
            f" · {move.reason}" if move.reason else "",
        )
        for move in refused
    ]
    said = format_html_join(LINE_BREAK, "<strong>{} · {}</strong>{}", rows)
    return [{"label": gettext("Refused before"), "value": said}]


def _forget_look_ups(employee: User, case: Case) -> None:
    """Who has been served is no guess of a number; wrong ones go on counting."""
    for at in case.looked_up:
        limits.forget([(limits.LOOK_UP_PER_EMPLOYEE, str(employee.pk))], now=datetime.fromisoformat(at))


def _send(request: HttpRequest, employee: User, account: User, phone: str, *, now: datetime) -> str:
    """Send the code; the sentence for why not, or nothing. A network of employees is no crowd of strangers."""
    session = session_secret(request.session)
    try:
        send_code(
            phone=phone,
            purpose=SmsCode.Purpose.NEW_NUMBER,
            session=session,
            language=account.language,
            address=audit.client_address(request),
            device=f"employee {employee.pk}",
            now=now,
        )
    except (TooManyCodes, BudgetSpent) as refusal:
        return code_step.why_no_code_now(refusal, now=now)
    keep_session_secret(request.session, session)
    return ""


def _paper(account: User) -> Rows:
    """Where a lost paper or a forgotten password is helped, of an account that signs in with a login number."""
    first = FirstSignIn.objects.filter(user=account, user__phone=None).first()
    if first is None:
        return []
    page = link(page_of(first), gettext("Ask for another paper"))
    return [
        {"label": gettext("Signs in with a login number. If the paper or password is lost"), "value": page}
    ]


def _person(account: User) -> str:
    """What the employee compares with the document."""
    profile = account.profile
    identity = f"{gettext('IIN / document number')}: {profile.masked_identity}"
    rows = [profile.full_name, written(profile.birth_date), identity]
    return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])
