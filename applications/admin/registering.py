"""Assisted registration: the contact centre registers who has no mobile number, the child and its application too.

The paper is made while the employee waits and kept nowhere: printing it makes its code. A colleague of whoever
registered the person, or asked for another paper, prints it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, first_sign_in, limits
from accounts.first_sign_in import TRIES, VALID_FOR, NoPaper, PaperFault, register_assisted
from accounts.identity import DocumentError, Identity, iin_hash, parse_identity
from accounts.iin import IinError, parse_iin
from accounts.journal_actions import Action
from accounts.models import FirstSignIn, User
from accounts.numbers.concerned import is_of_the_family
from accounts.registry import Person, PersonNotFound, RegistryUnavailable, get_registry
from accounts.services import IdentityTaken
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
from applications.models import Application
from applications.moves import Refused
from applications.waiting.filing import file_application
from bulletin.models import Language, Locality
from children.access import children_of, is_own_child
from children.known import children_with
from children.models import SEX_OF_CHILD
from children.services import ChildRefused, add_child
from notifications.clock import estimate_clock, read_clock


class RegisteringForm(forms.Form):
    """The person, as the registry knows them or as the document says, and if possible the child and its place."""

    identity = forms.CharField(
        label=_("IIN or document number of the parent"),
        help_text=_("With an IIN everything else about the person comes from the state registry."),
        max_length=60,
    )
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    first_name = forms.CharField(label=_("First name"), max_length=100, required=False)
    middle_name = forms.CharField(label=_("Patronymic"), max_length=100, required=False)
    birth_date = forms.DateField(label=_("Date of birth"), required=False)
    sex = forms.ChoiceField(label=_("Sex"), choices=[("", "—"), *SEX_OF_CHILD.items()], required=False)
    language = forms.ChoiceField(label=_("Language of messages"), choices=settings.LANGUAGES)
    child = forms.CharField(
        label=_("IIN of the child"),
        help_text=_("Empty, if the registry does not know the child as this person's: that goes by papers."),
        max_length=20,
        required=False,
    )
    locality = forms.ModelChoiceField(
        label=_("Locality"), queryset=Locality.objects.all(), to_field_name="slug", required=False
    )
    languages = forms.MultipleChoiceField(
        label=_("Language of education"),
        choices=Language.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    consent = forms.BooleanField(
        label=_("I have seen the document, and the person has signed the consent to the data policy on paper")
    )

    def clean_identity(self) -> Identity:
        try:
            return parse_identity(self.cleaned_data["identity"])
        except (IinError, DocumentError) as error:
            raise ValidationError(error.message) from None

    def clean_child(self) -> str:
        typed: str = self.cleaned_data["child"].strip()
        try:
            return parse_iin(typed) if typed else ""
        except IinError as error:
            raise ValidationError(error.message) from None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("child"):
            for name in ("locality", "languages"):
                if name in values and not values[name]:
                    self.add_error(name, gettext("Choose it, so that the child is put into the queue"))
        return values


class AskForm(forms.Form):
    why = reason_field(
        label=_("what happened"),
        help_text=_(
            "It stands in the journal of the account. Write which document you have seen, without numbers."
        ),
    )


class ToPrintFilter(WaitingFilter):
    title = _("paper")
    parameter_name = "paper"
    choice = _("to be printed by you")

    def waiting(self, employee: User) -> QuerySet[FirstSignIn]:
        return first_sign_in.to_print(employee)


def _may_ask(first: FirstSignIn, now: datetime) -> bool:
    return first_sign_in.may_ask(first)


def _is_asked(first: FirstSignIn, now: datetime) -> bool:
    return first.asked_at is not None


def _ask(first: FirstSignIn, actor: User, data: dict[str, Any], now: datetime) -> None:
    _try(first_sign_in.ask_for_paper, first, why=data["why"], actor=actor, address=None, now=now)


def _decline(first: FirstSignIn, actor: User, data: dict[str, Any], now: datetime) -> None:
    _try(first_sign_in.decline_paper, first, actor=actor, address=None, now=now)


def _try(service: Callable[..., None], first: FirstSignIn, **options: Any) -> None:
    try:
        service(first, **options)
    except NoPaper as refused:
        raise ValidationError(str(refused)) from None


@admin.register(FirstSignIn)
class FirstSignInAdmin(WorkAdmin):
    """For the contact centre. Opening a page is entered in the journal of the account."""

    change_list_template = "admin/work/registering_list.html"
    change_form_template = "admin/work/registering.html"
    list_filter = [ToPrintFilter]
    list_display = ["registered_at", "owner", "shown_state"]
    list_select_related = ["user__profile"]
    fields = [
        "owner_data",
        "applications",
        "registered_at",
        "registered_by",
        "expires_at",
        "shown_state",
        "request_for_paper",
    ]

    works = [
        Work(
            name="ask",
            label=_("Ask for another paper"),
            consequence=_(
                "For who has lost the paper, did not use it in time, or has forgotten the password. See the document "
                "again; a colleague prints the paper. Until then the former paper and the password hold."
            ),
            done=_("Asked for: a colleague prints it now"),
            permission="accounts.change_firstsignin",
            offered=_may_ask,
            perform=_ask,
            form=AskForm,
            is_in_journal=True,
        ),
        Work(
            name="decline",
            label=_("Print no paper"),
            consequence=_("Nothing changes: the former paper and the password hold."),
            done=_("Declined."),
            permission="accounts.change_firstsignin",
            offered=_is_asked,
            perform=_decline,
            is_in_journal=True,
        ),
    ]

    def who_else_decides(self, request: HttpRequest, obj: FirstSignIn) -> str:
        return str(NoPaper(PaperFault.RELATED)) if is_of_the_family(obj.user, staff_of(request)) else ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the button that prints the paper, or why a colleague has to press it."""
        obj = self.get_object(request, object_id)
        if obj is not None and obj.asked_at is not None:
            fault = first_sign_in.why_not_printed(obj, actor=staff_of(request))
            prints = {"prints": fault is None, "who_prints": str(NoPaper(fault)) if fault else ""}
            extra_context = {**prints, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def audit_view(self, request: HttpRequest, obj: FirstSignIn, *, target: str = "") -> None:
        audit.record(
            Action.PERSONAL_DATA_VIEWED,
            actor=staff_of(request),
            subject=obj.user,
            address=audit.client_address(request),
            now=read_clock(),
        )

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "register/",
                self.admin_site.admin_view(self.register_view),
                name="accounts_firstsignin_register",
            ),
            path(
                "<int:pk>/paper/",
                self.admin_site.admin_view(self.paper_view),
                name="accounts_firstsignin_paper",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        opens = request.user.has_perm("accounts.add_firstsignin")
        return super().changelist_view(request, {"opens": opens, **(extra_context or {})})

    @method_decorator([never_cache, sensitive_post_parameters()])
    def register_view(self, request: HttpRequest) -> HttpResponse:
        """Register the person, then the child and its application, by the rules for everybody."""
        if not request.user.has_perm("accounts.add_firstsignin"):
            raise PermissionDenied
        employee, now = staff_of(request), read_clock()
        form = RegisteringForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                first = self._register(request, employee, form.cleaned_data, now=now)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                self._add_child(request, employee, first.user, form.cleaned_data)
                return HttpResponseRedirect(reverse("admin:accounts_firstsignin_change", args=[first.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Register a person"),
            "work": {
                "label": _("Register a person"),
                "consequence": _(
                    "For who has no mobile number of Kazakhstan, no telephone or no documents in the registry. The "
                    "application counts from now, as everybody's does."
                ),
            },
            "form": form,
            "errors": form.errors,
            "rows": [],
            "back_url": reverse("admin:accounts_firstsignin_changelist"),
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

    @method_decorator(never_cache)
    def paper_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A POST makes a new code and answers with the paper; who opens the address is led to its page."""
        first = self.get_object(request, str(pk))
        back = HttpResponseRedirect(reverse("admin:accounts_firstsignin_changelist"))
        if first is None or request.method != "POST":
            return back
        employee, now = staff_of(request), read_clock()
        if not request.user.has_perm("accounts.change_firstsignin"):
            raise PermissionDenied
        try:
            code = first_sign_in.issue_code(
                first, actor=employee, address=audit.client_address(request), now=now
            )
        except NoPaper as refused:
            messages.error(request, str(refused))
            return back
        answer = HttpResponse(render_paper(first, code, now=now), content_type="application/pdf")
        answer["Content-Disposition"] = 'attachment; filename="first-sign-in.pdf"'
        return answer

    def _register(
        self, request: HttpRequest, employee: User, data: dict[str, Any], *, now: datetime
    ) -> FirstSignIn:
        identity: Identity = data["identity"]
        allowed = limits.allow(limits.LOOK_UP_PER_EMPLOYEE, str(employee.pk), now=now)
        if not allowed.ok:
            raise ValidationError(code_step.too_many(allowed.retry_at, now=now))
        person = _person(identity, data)
        if _is_own(employee, person, child=data["child"]):
            raise ValidationError(str(NoPaper(PaperFault.RELATED)))
        try:
            return register_assisted(
                person,
                language=data["language"],
                actor=employee,
                address=audit.client_address(request),
                now=now,
            )
        except IdentityTaken:
            raise ValidationError(
                gettext("This person is registered: look under the lost numbers if they can't sign in")
            ) from None

    def _add_child(self, request: HttpRequest, employee: User, parent: User, data: dict[str, Any]) -> None:
        """What is refused is said; the account stays, and a paper can be printed."""
        if not data["child"]:
            return
        try:
            child = add_child(parent, iin=data["child"], assisted_by=employee, now=read_clock())
            application = file_application(
                child=child,
                locality=data["locality"],
                languages=data["languages"],
                actor=parent,
                assisted_by=employee,
                now=read_clock(),
            )
        except (ChildRefused, Refused) as refused:
            messages.error(request, refused.at_work)
        except RegistryUnavailable:
            messages.error(request, gettext("The state registry does not answer. Try again later"))
        else:
            messages.success(request, gettext("Filed, number: %(number)s") % {"number": application.number})

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Full name"))
    def owner(self, obj: FirstSignIn) -> str:
        return obj.user.profile.masked_name

    @admin.display(description=_("Full name"))
    def owner_data(self, obj: FirstSignIn) -> str:
        profile = obj.user.profile
        identity = profile.masked_identity
        rows = [profile.full_name, written(profile.birth_date), identity]
        return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])

    @admin.display(description=_("Applications"))
    def applications(self, obj: FirstSignIn) -> str:
        return ", ".join(_numbers(obj.user)) or "—"

    @admin.display(description=_("paper"))
    def shown_state(self, obj: FirstSignIn) -> str:
        if obj.asked_at is not None:
            return tag(gettext("a colleague prints it"), tone="warning")
        if obj.used_at is not None:
            return tag(gettext("used: the person has a password"), tone="success")
        if obj.expires_at is None:
            return tag(gettext("not printed"), tone="warning")
        if obj.expires_at <= estimate_clock() or obj.attempts >= TRIES:
            return tag(gettext("no longer valid"), tone="danger")
        return tag(gettext("printed"), tone="info")

    @admin.display(description=_("paper asked for"))
    def request_for_paper(self, obj: FirstSignIn) -> str:
        if obj.asked_at is None:
            return "—"
        rows = [
            written(localtime(obj.asked_at).date()),
            str(obj.asked_by or "—"),
            obj.why or gettext("with the registration"),
        ]
        return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])

    def summary(self, obj: FirstSignIn) -> Rows:
        return [
            {"label": gettext("Full name"), "value": self.owner_data(obj)},
            {"label": gettext("paper asked for"), "value": self.request_for_paper(obj)},
        ]


def render_paper(first: FirstSignIn, code: str, *, now: datetime) -> bytes:
    """The paper as a PDF, in both languages: login number, code, until when, what to do."""
    login = first.user.username
    context = {
        "name": first.user.profile.full_name,
        "login": f"{login[:3]} {login[3:6]} {login[6:]}",
        "code": f"{code[:4]} {code[4:7]} {code[7:]}",
        "until": f"{localtime(now + VALID_FOR):%d.%m.%Y %H:%M}",
        "printed_at": f"{localtime(now):%d.%m.%Y %H:%M}",
        "numbers": _numbers(first.user),
        "site": settings.SITE_URL or settings.ALLOWED_HOSTS[0],
        "contact_phones": settings.CONTACT_PHONES,
    }
    # WeasyPrint takes longer to load than the rest of the portal, which most processes never need.
    from applications.referrals.paper import lay_out

    pdf: bytes = lay_out(context, template="pdf/first_sign_in.html").write_pdf(pdf_tags=True)
    return pdf


def _is_own(employee: User, person: Person, *, child: str) -> bool:
    """Whether it is the employee, or a child that they may act for: nobody registers their own family."""
    if person.iin and iin_hash(person.iin) in employee.staff_iin_hashes:
        return True
    return any(is_own_child(employee, one) for one in children_with(iin=child))


def _numbers(user: User) -> list[str]:
    found = Application.objects.filter(child__in=children_of(user)).order_by("filed_at")
    return list(found.values_list("number", flat=True))


def _person(identity: Identity, data: dict[str, Any]) -> Person:
    """From the registry; if it knows nobody with this document, as typed. Raises `ValidationError`."""
    try:
        return get_registry().find_person(iin=identity.iin, document_number=identity.document_number)
    except RegistryUnavailable:
        raise ValidationError(gettext("The state registry does not answer. Try again later")) from None
    except PersonNotFound:
        if identity.iin:
            raise ValidationError(gettext("The state registry knows nobody with this IIN")) from None
    missing = [name for name in ("last_name", "first_name", "birth_date", "sex") if not data[name]]
    if missing:
        raise ValidationError(
            gettext("The registry does not know this document: enter name, birth date and sex from it")
        )
    return Person(
        iin="",
        document_number=identity.document_number,
        last_name=data["last_name"].upper(),
        first_name=data["first_name"].upper(),
        middle_name=data["middle_name"].upper(),
        birth_date=data["birth_date"],
        sex=data["sex"],
    )
