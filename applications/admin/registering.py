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
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, first_sign_in, limits
from accounts.first_sign_in import TYPED, VALID_FOR, NoPaper, NotOfAge, PaperFault, register_assisted
from accounts.identity import DocumentError, Identity, iin_hash, parse_identity
from accounts.iin import IinError, parse_iin
from accounts.models import FirstSignIn, Sex, User
from accounts.numbers.concerned import is_of_the_family, what_holds
from accounts.phones import paper_login
from accounts.registry import Person, PersonNotFound, RegistryUnavailable, get_registry
from accounts.services import IdentityTaken, account_of
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
from applications.models import Application
from applications.moves import Refused
from applications.waiting.filing import file_application
from bulletin.models import Language, Locality
from children.access import children_of, is_own_child
from children.kin import is_kin
from children.known import children_with
from children.models import Guardianship
from children.services import ChildRefused, add_child
from notifications.clock import estimate_clock, read_clock
from notifications.kinds import READS_NAMES

# How much of what was done the page of a registration shows; the rest is in its history.
SHOWN = 10
NAMES = ("last_name", "first_name", "middle_name")


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
    sex = forms.ChoiceField(label=_("Sex"), choices=[("", "—"), *Sex.choices], required=False)
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


class DeclineForm(forms.Form):
    reason = reason_field(
        help_text=_(
            "It stands in the journal of the account, and an owner who has a password reads it in the inbox."
        ),
    )


class CorrectForm(forms.Form):
    """What was typed from the document, as it should be."""

    last_name = forms.CharField(label=_("Last name"), max_length=100)
    first_name = forms.CharField(label=_("First name"), max_length=100)
    middle_name = forms.CharField(label=_("Patronymic"), max_length=100, required=False)
    birth_date = forms.DateField(label=_("Date of birth"))
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    reason = reason_field(
        help_text=_("The owner reads it. Write which document you have seen, without numbers.")
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        names = {name: str(values[name]).upper() for name in NAMES if name in values}
        return values | names


class ToPrintFilter(WaitingFilter):
    title = _("paper")
    parameter_name = "paper"
    choice = _("to be printed by you")

    def waiting(self, employee: User) -> QuerySet[FirstSignIn]:
        return first_sign_in.to_print(employee)


def _may_ask(first: FirstSignIn, now: datetime) -> bool:
    return first_sign_in.may_ask(first) and not what_holds(first.user)


def _is_asked(first: FirstSignIn, now: datetime) -> bool:
    return first.asked_at is not None


def _is_typed(first: FirstSignIn, now: datetime) -> bool:
    return first.user.profile.is_typed


def _ask(first: FirstSignIn, actor: User, data: dict[str, Any], now: datetime) -> None:
    _try(first_sign_in.ask_for_paper, first, why=data["why"], actor=actor, address=None, now=now)


def _decline(first: FirstSignIn, actor: User, data: dict[str, Any], now: datetime) -> None:
    _try(first_sign_in.decline_paper, first, reason=data["reason"], actor=actor, address=None, now=now)


def _correct(first: FirstSignIn, actor: User, data: dict[str, Any], now: datetime) -> None:
    values = {name: data[name] for name in TYPED}
    _try(
        first_sign_in.correct_typed, first, values, reason=data["reason"], actor=actor, address=None, now=now
    )


def _typed(first: FirstSignIn) -> dict[str, Any]:
    profile = first.user.profile
    return {name: getattr(profile, name) for name in TYPED}


def _try(service: Callable[..., None], first: FirstSignIn, *values: Any, **options: Any) -> None:
    try:
        service(first, *values, **options)
    except (NoPaper, NotOfAge) as refused:
        raise ValidationError(str(refused)) from None


@admin.register(FirstSignIn)
class FirstSignInAdmin(InTurn, WorkAdmin):
    """For the contact centre. Opening a page is entered in the journal of the account."""

    change_list_template = "admin/work/registering_list.html"
    change_form_template = "admin/work/registering.html"
    without_names = {"owner_data": "owner"}
    list_filter = [ToPrintFilter]
    # The state stands where a narrow screen still shows it.
    most_urgent = ("asked_at", "pk")
    permission_to_decide = "accounts.change_firstsignin"
    list_display = ["owner", "shown_state", "registered_at"]
    list_select_related = ["user__profile"]
    search_fields = ["user__username"]
    search_help_text = _(
        "Login number, number of the application, whole IIN or document number, or the beginning of the last name"
    )
    fields = [
        "owner_data",
        "source",
        "login_number",
        "applications",
        "registered_at",
        "registered_by",
        "shown_state",
        "valid_until",
        "request_for_paper",
        "done",
    ]

    works = [
        Work(
            name="ask",
            label=_("Ask for another paper"),
            consequence=_(
                "For who has lost the paper, did not use it in time, or has forgotten the password. See the document "
                "again; a colleague prints the paper. Until it is printed, nothing changes."
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
            consequence=_(
                "No paper is printed, and nothing else changes. An owner who has a password is told."
            ),
            done=_("Declined."),
            permission="accounts.change_firstsignin",
            offered=_is_asked,
            perform=_decline,
            form=DeclineForm,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="correct",
            label=_("Correct the typed data"),
            consequence=_(
                "For a slip in what was typed from the document, which the registry does not know. See the document "
                "again. The owner reads that it was corrected, and why."
            ),
            done=_("Corrected."),
            permission="accounts.change_firstsignin",
            offered=_is_typed,
            perform=_correct,
            form=CorrectForm,
            initial=_typed,
            is_in_journal=True,
        ),
    ]

    def waiting_for(self, employee: User) -> QuerySet[FirstSignIn]:
        return first_sign_in.to_print(employee)

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
        if obj is not None:
            fault = first_sign_in.why_not_printed(obj, actor=staff_of(request))
            # That none is asked for needs no sentence; where there are buttons, `who_else_decides` says it of a family.
            needless = {PaperFault.NOT_ASKED, *([PaperFault.RELATED] if self.buttons(request, obj) else [])}
            said = "" if fault is None or fault in needless else str(NoPaper(fault))
            extra_context = {"prints": fault is None, "who_prints": said, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def whose_data(self, obj: FirstSignIn) -> list[User]:
        return [obj.user]

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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[FirstSignIn], search_term: str
    ) -> tuple[QuerySet[FirstSignIn], bool]:
        """By whole numbers and the beginning of the last name: what a person says, or has on the paper."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # Who reads no names finds nobody by them: letter by letter a mask would fall.
        sought = (
            Q(user__profile__last_name__istartswith=term)
            if request.user.has_perm(READS_NAMES)
            else Q(pk__in=[])
        )
        if login := paper_login(term):
            sought |= Q(user__username=login)
        try:
            profile = account_of(parse_identity(term))
        except (IinError, DocumentError):
            profile = None
        if profile is not None:
            sought |= Q(user=profile.user_id)
        children = Application.objects.filter(number__iexact=term).values("child")
        guardians = Guardianship.objects.filter(child__in=children, ended_at=None)
        return queryset.filter(sought | Q(user__in=guardians.values("user"))), False

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
            if _is_of_kin(employee, first.user):
                raise NoPaper(PaperFault.RELATED)
            code = first_sign_in.issue_code(
                first, actor=employee, address=audit.client_address(request), now=now
            )
        except NoPaper as refused:
            messages.error(request, str(refused))
            return back
        except RegistryUnavailable:
            messages.error(request, gettext("The state registry does not answer. Try again later"))
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
        person, is_typed = _person(identity, data)
        try:
            if _is_own(employee, person, child=data["child"]):
                raise ValidationError(str(NoPaper(PaperFault.RELATED)))
            return register_assisted(
                person,
                is_typed=is_typed,
                language=data["language"],
                actor=employee,
                address=audit.client_address(request),
                now=now,
            )
        except RegistryUnavailable:
            raise ValidationError(gettext("The state registry does not answer. Try again later")) from None
        except NotOfAge as refused:
            raise ValidationError(str(refused)) from None
        except IdentityTaken:
            raise ValidationError(_where_to(person)) from None

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
        rows = [profile.full_name, written(profile.birth_date), profile.masked_identity]
        return format_html_join(LINE_BREAK, "{}", [(row,) for row in rows])

    @admin.display(description=_("Where the data comes from"))
    def source(self, obj: FirstSignIn) -> str:
        if obj.user.profile.is_typed:
            return gettext("typed from the document by an employee")
        return gettext("the state registry")

    @admin.display(description=_("Login number"))
    def login_number(self, obj: FirstSignIn) -> str:
        if obj.user.phone:
            return gettext("none: the account has a phone number")
        return grouped(obj.user.login)

    @admin.display(description=_("paper valid until"))
    def valid_until(self, obj: FirstSignIn) -> str:
        """Of a paper that opens the account; of any other the date would only mislead."""
        if obj.expires_at is None or not first_sign_in.is_open(obj, now=estimate_clock()):
            return "—"
        return date_format(localtime(obj.expires_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=_("What was done"))
    def done(self, obj: FirstSignIn) -> str:
        rows = [
            (
                date_format(localtime(one.at), "SHORT_DATETIME_FORMAT"),
                one.get_action_display(),
                one.actor or "—",
                f": {one.reason}" if one.reason else "",
            )
            for one in audit.history_of(obj).order_by("-at", "-pk")[:SHOWN]
        ]
        return format_html_join(LINE_BREAK, "{} — {}, {}{}", rows) or "—"

    @admin.display(description=_("Applications"))
    def applications(self, obj: FirstSignIn) -> str:
        return ", ".join(_numbers(obj.user)) or "—"

    @admin.display(description=_("paper"))
    def shown_state(self, obj: FirstSignIn) -> str:
        if obj.user.phone:
            return tag(gettext("not needed: the account has a phone number"))
        if obj.asked_at is not None:
            return tag(gettext("waits to be printed"), tone="warning")
        if obj.used_at is not None:
            return tag(gettext("used: the person has a password"), tone="success")
        if obj.expires_at is None:
            return tag(gettext("not printed"), tone="warning")
        if not first_sign_in.is_open(obj, now=estimate_clock()):
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
            {"label": gettext("Where the data comes from"), "value": self.source(obj)},
            {"label": gettext("paper asked for"), "value": self.request_for_paper(obj)},
        ]


def render_paper(first: FirstSignIn, code: str, *, now: datetime) -> bytes:
    """The paper as a PDF, in both languages: login number, code, until when, what to do."""
    login = first.user.username
    context = {
        "name": first.user.profile.full_name,
        "login": grouped(login),
        "code": f"{code[:4]} {code[4:7]} {code[7:]}",
        "until": f"{localtime(now + VALID_FOR):%d.%m.%Y %H:%M}",
        "printed_at": f"{localtime(now):%d.%m.%Y %H:%M}",
        "numbers": _numbers(first.user),
        "site": settings.SITE_URL or settings.ALLOWED_HOSTS[0],
        "contact_phones": settings.CONTACT_PHONES,
    }
    # WeasyPrint takes longer to load than the rest of the portal, which most processes never need.
    from applications.referrals import paper

    return paper.written(paper.lay_out(context, template="pdf/first_sign_in.html"))


def grouped(login: str) -> str:
    """A login number as the paper has it."""
    return f"{login[:3]} {login[3:6]} {login[6:]}"


def _is_own(employee: User, person: Person, *, child: str) -> bool:
    """Whether it is the employee or their family, as the portal or the registry knows it: nobody registers those.

    Raises `RegistryUnavailable`.
    """
    if person.iin and iin_hash(person.iin) in employee.staff_iin_hashes:
        return True
    if any(is_own_child(employee, one) for one in children_with(iin=child)):
        return True
    children = [child] if child else []
    return is_kin(employee, iin=person.iin, document_number=person.document_number, children=children)


def _is_of_kin(employee: User, user: User) -> bool:
    """The same about somebody who is registered, by the registry. Raises `RegistryUnavailable`."""
    profile = user.profile
    children = [child.iin for child in children_of(user) if child.iin]
    return is_kin(employee, iin=profile.iin, document_number=profile.document_number, children=children)


def _where_to(person: Person) -> str:
    """That the person is registered, with the page on which they are helped."""
    profile = account_of(person)
    first = FirstSignIn.objects.filter(user=profile.user_id, user__phone=None).first() if profile else None
    if first is None:
        said = gettext("This person is registered. If they can't sign in:")
        page, label = reverse("admin:accounts_assistedmove_find"), gettext("Give an account a new number")
    else:
        said = gettext(
            "This person is registered and signs in with a login number. If the paper or password is lost:"
        )
        page, label = page_of(first), gettext("Ask for another paper")
    return format_html("{} {}", said, link(page, label))


def _numbers(user: User) -> list[str]:
    found = Application.objects.filter(child__in=children_of(user)).order_by("filed_at")
    return list(found.values_list("number", flat=True))


def _person(identity: Identity, data: dict[str, Any]) -> tuple[Person, bool]:
    """From the registry; if it knows nobody with this document, as typed: whether it was. Raises `ValidationError`."""
    try:
        return get_registry().find_person(iin=identity.iin, document_number=identity.document_number), False
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
    person = Person(
        iin="",
        document_number=identity.document_number,
        last_name=data["last_name"].upper(),
        first_name=data["first_name"].upper(),
        middle_name=data["middle_name"].upper(),
        birth_date=data["birth_date"],
        sex=data["sex"],
    )
    return person, True
