"""The contact centre: find an account, see the document, prove the new number, and let a colleague approve."""

from datetime import datetime
from typing import Any, Final

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
from accounts.models import AssistedMove, SmsCode, User
from accounts.numbers import assisted
from accounts.numbers.concerned import is_of_the_family, what_holds
from accounts.numbers.moves import Fault, NotMoved
from accounts.phones import PhoneError, parse_mobile
from accounts.progress import keep_session_secret, session_secret
from accounts.services import account_of
from accounts.sms_codes import TooManyCodes, check_code, send_code
from accounts.views import code_step
from applications.admin.work import (
    LINE_BREAK,
    Rows,
    WaitingFilter,
    Work,
    WorkAdmin,
    reason_field,
    staff_of,
    tag,
    written,
)
from notifications.budget import BudgetSpent
from notifications.clock import read_clock

# What an employee has entered so far, in the session: the account, the new number, the document, why.
_OPENING: Final = "assisted_move"


class FindForm(forms.Form):
    term = forms.CharField(
        label=_("Phone number, IIN or document number"),
        help_text=_("A whole number. The search is entered in the journal of whoever is found."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class SeenForm(forms.Form):
    """What the employee sees and is told."""

    document = forms.ChoiceField(label=_("document that was seen"), choices=AssistedMove.Document.choices)
    why = reason_field(
        label=_("what happened"),
        help_text=_("It stands in the journal of the account. Write no numbers of documents."),
    )
    phone = PhoneField(
        label=_("new number"), help_text=_("We send a code to it; the person reads it to you.")
    )


class ReadCodeForm(CodeForm):
    """The code that the person reads out."""


def _is_live(one: AssistedMove, now: datetime) -> bool:
    return one.move.is_live


def _approve(one: AssistedMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    try:
        move = assisted.approve(one, actor=actor, address=None, now=now)
    except NotMoved as refused:
        raise ValidationError(refused.at_work) from None
    if move.done_at is None:
        raise ValidationError(gettext("The number was registered by somebody else meanwhile"))


def _withdraw(one: AssistedMove, actor: User, data: dict[str, Any], now: datetime) -> None:
    try:
        assisted.withdraw(one, actor=actor, address=None, now=now)
    except NotMoved as refused:
        raise ValidationError(refused.at_work) from None


class ToApproveFilter(WaitingFilter):
    def waiting(self, employee: User) -> QuerySet[AssistedMove]:
        return assisted.to_approve(employee)


@admin.register(AssistedMove)
class AssistedMoveAdmin(WorkAdmin):
    """For the contact centre and officials. Opening a page is entered in the journal of the account."""

    change_list_template = "admin/work/assisted_list.html"
    list_display = ["asked", "owner", "masked_new", "asked_by", "shown_state"]
    list_filter = [ToApproveFilter]
    list_select_related = ["move__account__profile", "move__asked_by"]
    fields = [
        "shown_state",
        "owner_data",
        "masked_old",
        "masked_new",
        "document",
        "why",
        "asked",
        "asked_by",
        "decided_by",
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
            done=_("Approved: the account has its new number."),
            permission="accounts.change_assistedmove",
            offered=_is_live,
            perform=_approve,
            is_in_journal=True,
        ),
        Work(
            name="withdraw",
            label=_("Decline the move"),
            consequence=_("The account keeps its number. The owner is told that nothing changes."),
            done=_("Declined: the number stays."),
            permission="accounts.change_assistedmove",
            offered=_is_live,
            perform=_withdraw,
            danger=True,
            is_in_journal=True,
        ),
    ]

    def who_else_decides(self, request: HttpRequest, obj: AssistedMove) -> str:
        employee, account = staff_of(request), obj.move.account
        return NotMoved(Fault.RELATED).at_work if is_of_the_family(account, employee) else ""

    def why_not(self, request: HttpRequest, work: Work, obj: AssistedMove, *, now: datetime) -> str:
        """Whoever asked for it only takes it back, and nothing is approved while something holds the account."""
        if work.name != "approve":
            return ""
        if obj.move.asked_by_id == staff_of(request).pk:
            return NotMoved(Fault.SAME_EMPLOYEE).at_work
        held = what_holds(obj.move.account)
        return str(held.at_work) if held else ""

    def summary(self, obj: AssistedMove) -> Rows:
        rows: Rows = [
            {"label": gettext("Whose account it is"), "value": self.owner_data(obj)},
            {"label": gettext("document that was seen"), "value": obj.get_document_display()},
            {"label": gettext("what happened"), "value": obj.why},
            {"label": gettext("new number"), "value": self.masked_new(obj)},
        ]
        return rows

    def audit_view(self, request: HttpRequest, obj: AssistedMove, *, target: str = "") -> None:
        audit.record(
            Action.PERSONAL_DATA_VIEWED,
            actor=staff_of(request),
            subject=obj.move.account,
            address=audit.client_address(request),
            now=read_clock(),
        )

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
                request.session[_OPENING] = {"account": str(account.pk)}
                return HttpResponseRedirect(reverse("admin:accounts_assistedmove_seen"))
        return self._page(request, form, title=_("Lost number: whose account"), submit=_("Find"))

    @method_decorator([never_cache, sensitive_post_parameters()])
    def seen_view(self, request: HttpRequest) -> HttpResponse:
        """The document, what happened, and the new number, to which a code goes."""
        employee, now = self._opener(request), read_clock()
        account, kept = _begun(request)
        if account is None:
            return HttpResponseRedirect(reverse("admin:accounts_assistedmove_find"))
        form = SeenForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            phone = form.cleaned_data["phone"]
            # Each answer tells whether a number is registered, and each code goes to whoever has it.
            allowed = _may_look_up(employee, now=now)
            if not allowed.ok:
                form.add_error("phone", code_step.too_many(allowed.retry_at, now=now))
            elif User.objects.filter(phone=phone).exists():
                form.add_error("phone", gettext("This number belongs to an account"))
            elif refused := _send(request, employee, account, phone, now=now):
                form.add_error("phone", refused)
            else:
                request.session[_OPENING] = kept | form.cleaned_data
                return HttpResponseRedirect(reverse("admin:accounts_assistedmove_code"))
        rows: Rows = [{"label": gettext("Whose account it is"), "value": _person(account)}]
        if held := what_holds(account):
            rows.append({"label": gettext("Held"), "value": held.at_work})
        return self._page(
            request, form, title=_("Lost number: the document"), submit=_("Send a code"), rows=rows
        )

    @method_decorator([never_cache, sensitive_post_parameters()])
    def code_view(self, request: HttpRequest) -> HttpResponse:
        """The code that the person reads out: then the move waits for a colleague."""
        employee, now = self._opener(request), read_clock()
        account, kept = _begun(request)
        if account is None or "phone" not in kept:
            return HttpResponseRedirect(reverse("admin:accounts_assistedmove_find"))
        form = ReadCodeForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            verdict = check_code(
                phone=kept["phone"],
                purpose=SmsCode.Purpose.NEW_NUMBER,
                session=session_secret(request.session),
                code=form.cleaned_data["code"],
                now=now,
            )
            if verdict.ok:
                return self._open(request, employee, account, kept, now=now)
            form.add_error("code", code_step.fault(verdict, wrong=str(form.wrong)))
        rows = [
            {"label": gettext("Whose account it is"), "value": _person(account)},
            {"label": gettext("new number"), "value": mask_phone(kept["phone"])},
        ]
        return self._page(
            request, form, title=_("Lost number: the code"), submit=_("Ask for the move"), rows=rows
        )

    def _open(
        self, request: HttpRequest, employee: User, account: User, kept: dict[str, Any], *, now: datetime
    ) -> HttpResponse:
        request.session.pop(_OPENING, None)
        try:
            one = assisted.open_move(
                account,
                new_phone=kept["phone"],
                document=AssistedMove.Document(kept["document"]),
                why=kept["why"],
                actor=employee,
                address=audit.client_address(request),
                now=now,
            )
        except NotMoved as refused:
            messages.error(request, refused.at_work)
            return HttpResponseRedirect(reverse("admin:accounts_assistedmove_changelist"))
        messages.success(request, gettext("Asked for: a colleague approves it now"))
        return HttpResponseRedirect(reverse("admin:accounts_assistedmove_change", args=[one.pk]))

    def _opener(self, request: HttpRequest) -> User:
        if not request.user.has_perm("accounts.add_assistedmove"):
            raise PermissionDenied
        return staff_of(request)

    def _page(
        self, request: HttpRequest, form: forms.Form, *, title: Any, submit: Any, rows: Rows | None = None
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
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

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

    @admin.display(description=_("Whose account it is"))
    def owner(self, obj: AssistedMove) -> str:
        return obj.move.account.profile.masked_name

    @admin.display(description=_("Whose account it is"))
    def owner_data(self, obj: AssistedMove) -> str:
        return _person(obj.move.account)

    @admin.display(description=_("former number"))
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
    """The parent with this whole phone number, IIN or document number."""
    try:
        return User.objects.filter(phone=parse_mobile(term), profile__isnull=False).first()
    except PhoneError:
        pass
    try:
        profile = account_of(parse_identity(term))
    except (IinError, DocumentError):
        return None
    return profile.user if profile else None


def _begun(request: HttpRequest) -> tuple[User | None, dict[str, Any]]:
    kept: dict[str, Any] = request.session.get(_OPENING, {})
    found = User.objects.filter(pk=kept["account"], profile__isnull=False).first() if kept else None
    return found, kept


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
        return code_step.why_no_code(refusal, now=now)
    keep_session_secret(request.session, session)
    return ""


def _person(account: User) -> str:
    """What the employee compares with the document."""
    profile = account.profile
    identity = profile.masked_identity
    rows = [profile.full_name, written(profile.birth_date), f"{gettext('IIN / document number')}: {identity}"]
    return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])
