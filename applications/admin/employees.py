"""Employees as people: an administrator invites them, and hands over the link with which they set up their account."""

from datetime import date
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit, staff_links, staff_names
from accounts.admin import (
    RoleField,
    RoleFilter,
    StaffIinField,
    check_iin_is_free,
    refuse_without_iin,
    show_link,
    works_of,
)
from accounts.employees import named
from accounts.granting import managed_by, may_manage, roles_to_give
from accounts.models import Employee, User
from accounts.roles import role_name
from accounts.services import enter_staff_iin
from accounts.suggestions import SuggestedSelect
from applications.admin.audits import rows_of
from applications.admin.work import Happened
from bulletin.employment import in_force
from bulletin.kazakh_order import InKazakhOrder
from bulletin.models import Employment, Kindergarten, Locality
from notifications.clock import estimate_clock, read_clock

_PERSON: Final = ("last_name", "first_name", "middle_name", "position", "work_phone", "email")
# So many changes of one employee are shown, the newest first; the audit finds the rest.
MOST_CHANGES: Final = 100
# So many accounts without a name are listed below the employees.
MOST_NAMELESS: Final = 50
# What the page that enters a name for an account is asked with: the key of the account.
ACCOUNT: Final = "account"
_ACCOUNT: Final = ("username", "language", "groups", "kindergarten", "locality", "since", "staff_iin")


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an employee is called, in letters: it stands in lists, files and the audit."""

    class Meta:
        model = Employee
        fields = _PERSON

    def clean_last_name(self) -> str:
        return self._called("last_name")

    def clean_first_name(self) -> str:
        return self._called("first_name")

    def clean_middle_name(self) -> str:
        return self._called("middle_name")

    def clean_position(self) -> str:
        text: str = self.cleaned_data["position"]
        if not staff_names.is_position(text):
            raise ValidationError(
                _("Write words: letters and numbers, and the signs that stand between words.")
            )
        return text

    def _called(self, field: str) -> str:
        text: str = self.cleaned_data[field]
        if text and not staff_names.is_name(text):
            raise ValidationError(
                _("Write letters; a space, a hyphen, an apostrophe or a dot may stand between them.")
            )
        return text


class InviteForm(PersonForm):
    """A new employee: who they are, what they may do, and where from when on."""

    username = forms.CharField(
        label=_("Login"),
        help_text=_(
            "The employee signs in with it. Latin letters, digits and . _ @ -; it begins with a letter."
        ),
        max_length=staff_names.LONGEST,
    )
    language = forms.ChoiceField(
        label=_("language of messages"), choices=[("kk", "Қазақша"), ("ru", "Русский")]
    )
    groups = RoleField(label=_("Roles"), queryset=Group.objects.none(), widget=forms.CheckboxSelectMultiple)
    kindergarten = forms.ModelChoiceField(
        label=_("kindergarten"),
        help_text=_("For whoever works in one kindergarten."),
        queryset=Kindergarten.objects.all(),
        required=False,
    )
    locality = forms.ModelChoiceField(
        label=_("locality"),
        help_text=_("For an official: the whole locality, with all its kindergartens."),
        queryset=Locality.objects.all(),
        required=False,
    )
    since = forms.DateField(
        label=_("From which day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
    )
    staff_iin = StaffIinField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].initial = timezone.localdate(estimate_clock())
        for name in _ACCOUNT:
            self.fields[name].label = capfirst(self.fields[name].label)
        for name in ("username", "staff_iin"):
            self.fields[name].widget.attrs["class"] = "vTextField"

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        if staff_names.why_not(name):
            raise ValidationError(
                _("A login begins with a Latin letter and holds Latin letters, digits and . _ @ - only.")
            )
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("There is an account with this login already."))
        return name

    def clean_staff_iin(self) -> str:
        iin: str = self.cleaned_data["staff_iin"]
        check_iin_is_free(iin)
        return iin

    def clean(self) -> dict[str, Any]:
        data = cast("dict[str, Any]", super().clean())
        if data.get("kindergarten") and data.get("locality"):
            self.add_error("locality", _("Choose either a kindergarten or a locality."))
        refuse_without_iin(self, data.get("groups") or (), is_known=bool(data.get("staff_iin")))
        if (data.get("kindergarten") or data.get("locality")) and not data.get("since"):
            self.add_error("since", _("Name the day from which they hold."))
        return data


class EmployeeRoleFilter(RoleFilter):
    groups = "user__groups__name"


@admin.register(Employee)
class EmployeeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adding one makes the account and shows its link. Roles and blocking are on the page of the account."""

    list_display = ["full_name", "position", "roles", "places", "login", "state"]
    list_filter = ["user__is_active", EmployeeRoleFilter]
    change_form_template = "admin/work/change_form.html"
    search_fields = ["last_name"]
    search_help_text = _("A part of the employee's name or login")
    ordering = [InKazakhOrder("last_name"), InKazakhOrder("first_name"), "pk"]
    show_full_result_count = False
    readonly_fields = ["account"]
    object_history_template = "admin/work/object_history.html"

    # --- columns ---------------------------------------------------------------------------------------------

    @admin.display(description=_("Full name"), ordering=InKazakhOrder("last_name"))
    def full_name(self, employee: Employee) -> str:
        return employee.full_name

    @admin.display(description=_("Roles"))
    def roles(self, employee: Employee) -> str:
        return ", ".join(role_name(group.name) for group in employee.user.groups.all()) or "—"

    @admin.display(description=_("Where they work"))
    def places(self, employee: Employee) -> str:
        held = employee.user.employments.all()
        return ", ".join(one.place.name for one in held) or "—"

    @admin.display(description=_("Login"), ordering="user__username")
    def login(self, employee: Employee) -> str:
        return employee.user.username

    @admin.display(description=_("Account"))
    def state(self, employee: Employee) -> str:
        user = employee.user
        if not user.is_active:
            return gettext("blocked")
        return gettext("set up") if user.has_usable_password() else gettext("not set up yet")

    @admin.display(description=_("Account"))
    def account(self, employee: Employee) -> str:
        url = reverse("admin:accounts_user_change", args=[employee.user_id])
        return format_html('<a href="{}">{}</a>', url, employee.user.username)

    # --- who may do what -------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or may_manage(cast(User, request.user), obj.user)

    def has_delete_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        """Whoever leaves is blocked: what they decided keeps their name."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        today = timezone.localdate(estimate_clock())
        held = Employment.objects.filter(in_force(today)).select_related("kindergarten", "locality")
        return (
            super()
            .get_queryset(request)
            .select_related("user")
            .prefetch_related("user__groups", Prefetch("user__employments", queryset=held))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(user__in=named(search_term)), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the buttons of the account: what was lost is reset from here."""
        obj = self.get_object(request, unquote(object_id))
        may = obj is not None and request.user.has_perm("accounts.change_user")
        if may and obj is not None and self.has_change_permission(request, obj):
            extra_context = {"works": works_of(obj.user), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every change with what was there before: by name and position the audit says who acted."""
        obj = self.get_object(request, unquote(object_id))
        found = audit.history_of(obj).select_related("subject__employee") if obj is not None else ()
        happened = [
            Happened(row.entry.at, row.who, row.entry.get_action_display(), "; ".join(row.changed))
            for row in rows_of(list(found[:MOST_CHANGES]), in_full=True)
        ]
        return super().history_view(request, object_id, {"happened": happened, **(extra_context or {})})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below the employees, the accounts of which nobody has entered whose they are."""
        found = self._nameless(request).prefetch_related("groups")[: MOST_NAMELESS + 1]
        rows = [
            {"user": user, "roles": ", ".join(role_name(group.name) for group in user.groups.all())}
            for user in found
        ]
        extra = {"nameless": rows[:MOST_NAMELESS], "are_more": len(rows) > MOST_NAMELESS}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def _nameless(self, request: HttpRequest) -> QuerySet[User]:
        """The accounts without a name that the reader may complete, in the order of their logins."""
        found = User.objects.filter(is_staff=True, employee=None).order_by("username")
        if not self.has_add_permission(request):
            return found.none()
        return managed_by(cast(User, request.user), found)

    def _to_complete(self, request: HttpRequest) -> User | None:
        """The account for which this page enters a name; None where it invites. 404 for one that has a name."""
        if ACCOUNT not in request.GET:
            return None
        try:
            return get_object_or_404(self._nameless(request), pk=request.GET[ACCOUNT])
        except ValidationError:
            raise Http404 from None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With one button: what follows is the link. Of an account that is there, its owner is entered."""
        if user := self._to_complete(request):
            titles = {"title": gettext("Whose account is this?"), "subtitle": user.username}
            extra_context = {**titles, **(extra_context or {})}
        only = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**only, **(extra_context or {})})

    # --- the form --------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Employee | None = None) -> Any:
        if obj is not None:
            return ["account", *_PERSON]
        return _PERSON if self._to_complete(request) else [*_PERSON, *_ACCOUNT]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> "type[forms.ModelForm[Any]]":
        if obj is not None or self._to_complete(request):
            return super().get_form(request, obj, change, **{**kwargs, "form": PersonForm})
        form = super().get_form(request, obj, change, **{**kwargs, "form": InviteForm, "fields": _PERSON})
        form.base_fields["groups"].queryset = roles_to_give(cast(User, request.user))  # type: ignore[attr-defined]
        for name in ("kindergarten", "locality"):
            field = Employment._meta.get_field(name)
            form.base_fields[name].widget = SuggestedSelect(field, self.admin_site)
        return form

    def save_model(self, request: HttpRequest, obj: Employee, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if account := self._to_complete(request):
            obj.user = account
            super().save_model(request, obj, form, change)
            return
        data, actor = form.cleaned_data, cast(User, request.user)
        user = User.objects.create_staff(username=data["username"], password=None, language=data["language"])
        user.groups.set(data["groups"])
        obj.user = user
        super().save_model(request, obj, form, change)
        if data["kindergarten"] or data["locality"]:
            Employment.objects.create(
                user=user, kindergarten=data["kindergarten"], locality=data["locality"], since=_since(data)
            )
        now, address = read_clock(), audit.client_address(request)
        if data["staff_iin"]:
            enter_staff_iin(user, data["staff_iin"], actor=actor, address=address, now=now)
        vars(request)["staff_link"] = staff_links.invite(user, actor=actor, address=address, now=now)

    def response_add(
        self, request: HttpRequest, obj: Employee, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The link, this once; of an account that was there already, its page."""
        if ACCOUNT in request.GET:
            messages.success(request, gettext("The name is saved: it stands wherever the account has acted."))
            return HttpResponseRedirect(reverse("admin:accounts_employee_change", args=[obj.pk]))
        return show_link(self, request, obj.user, vars(request)["staff_link"])


def _since(data: dict[str, Any]) -> date:
    since: date = data["since"]
    return since
