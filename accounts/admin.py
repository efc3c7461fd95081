"""People as employees may see them: masked and read-only, except for blocking an account and an employee's groups."""

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts import audit
from accounts.identity import document_hashes, iin_hashes
from accounts.iin import IinError, parse_iin
from accounts.journal_actions import Action
from accounts.masks import mask_document, mask_iin, mask_phone
from accounts.models import PolicyConsent, Profile, SmsCode, User
from accounts.phones import PhoneError, parse_mobile
from accounts.roles import Role, role_name
from accounts.second_factor import RESET_CODE_LASTS, reset_second_factor
from accounts.services import StaffIinTaken, enter_staff_iin
from notifications.clock import read_clock

if TYPE_CHECKING:
    from django.db.models import ManyToManyField
    from django.forms import ModelMultipleChoiceField


RESET: dict[str, Any] = {
    "label": _("Reset the second factor"),
    "consequence": _(
        "The employee's authenticator app and emergency codes open nothing any more, and the employee is signed out. "
        "You get one code to hand over; with it and the password the employee sets up a new app. It is recorded, and "
        "the employee reads who did it."
    ),
    "danger": True,
}


def _note_block(request: HttpRequest, parent: User) -> None:
    """Their journal says it; of an employee the form's entry is enough."""
    audit.record(
        Action.ACCOUNT_UNBLOCKED if parent.is_active else Action.ACCOUNT_BLOCKED,
        actor=cast(User, request.user),
        subject=parent,
        address=audit.client_address(request),
        now=read_clock(),
    )


def _parents(user: User) -> list[User]:
    """Who reads in a journal that an employee looked at the user's data: a parent, no other employee."""
    return [] if user.is_staff else [user]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To be looked at only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RoleFilter(admin.SimpleListFilter):
    title = _("Role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Role.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


class IinFilter(admin.SimpleListFilter):
    title = _("IIN of the employee")
    parameter_name = "iin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("missing", _("not entered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_staff=True, staff_iin_hash=None) if self.value() else queryset


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    staff_iin = forms.CharField(
        label=_("IIN of the employee"),
        help_text=_(
            "With it nobody decides for their own child. It is kept so that it can't be read again. "
            "An empty field changes nothing."
        ),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_staff_iin(self) -> str:
        text: str = self.cleaned_data["staff_iin"]
        if not text.strip():
            return ""
        try:
            iin = parse_iin(text)
        except IinError as error:
            raise ValidationError(error.message) from None
        if User.objects.filter(staff_iin_hash__in=iin_hashes(iin)).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Another employee has this IIN."))
        return iin


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Found by the whole phone number, the whole IIN or document number, or a part of an employee's name."""

    list_display = ["masked_login", "language_name", "is_staff", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_active", RoleFilter, IinFilter]
    search_fields = ["username"]
    search_help_text = _("A whole phone number, IIN or document number, or a part of an employee's name")
    fields = [
        "masked_login",
        "language_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "has_staff_iin",
        "staff_iin",
        "date_joined",
        "last_login",
    ]
    readonly_fields = [
        "masked_login",
        "language_name",
        "roles",
        "is_staff",
        "is_superuser",
        "has_staff_iin",
        "date_joined",
        "last_login",
    ]
    form = UserForm
    filter_horizontal = ["groups"]
    ordering = ["-date_joined"]
    change_form_template = "admin/work/change_form.html"

    # Not sortable: the order would give away what is masked.
    @admin.display(description=_("login"))
    def masked_login(self, user: User) -> str:
        return str(user)

    @admin.display(description=_("language of messages"), ordering="language")
    def language_name(self, user: User) -> str:
        return str(dict(settings.LANGUAGES).get(user.language, user.language))

    @admin.display(description=_("Role"))
    def roles(self, user: User) -> str:
        return ", ".join(role_name(group.name) for group in user.groups.all())

    @admin.display(description=_("IIN is known"), boolean=True)
    def has_staff_iin(self, user: User) -> bool:
        return user.staff_iin_hash is not None

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        """Where the groups can't be changed, they are shown as names of roles. Only an employee's IIN is asked for."""
        is_employee = obj is not None and obj.is_staff
        editable = is_employee and self.has_change_permission(request, obj)
        hidden = {"staff_iin"} if not editable else set()
        hidden |= {"has_staff_iin"} if not is_employee else set()
        shown = [name for name in self.fields or () if name not in hidden]
        return [name if name != "groups" or editable else "roles" for name in shown]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the account, and the hash of an employee's IIN if one was entered."""
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data and not obj.is_staff:
            _note_block(request, obj)
        iin = form.cleaned_data.get("staff_iin")
        if not iin:
            return
        actor, address = cast(User, request.user), audit.client_address(request)
        try:
            enter_staff_iin(obj, iin, actor=actor, address=address, now=read_clock())
        except StaffIinTaken:
            messages.error(request, gettext("Another employee has this IIN."))

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label_from_instance = lambda obj: role_name(obj.name)  # type: ignore[method-assign]
        return field

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Only whole numbers find a parent, so that the list can't be combed through."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = queryset.filter(is_staff=True, username__icontains=term)
        try:
            return found | queryset.filter(phone=parse_mobile(term)), False
        except PhoneError:
            pass
        try:
            hashes = {"profile__iin_hash__in": iin_hashes(parse_iin(term))}
        except IinError:
            hashes = {"profile__document_hash__in": document_hashes(term.upper())}
        return (found | queryset.filter(**hashes)), False

    def whose_data(self, user: User) -> list[User]:
        """A look at a parent's page is entered in their journal."""
        return _parents(user)

    # --- a lost phone ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reset_view)
        return [
            path("<uuid:pk>/second-factor/", view, name="accounts_user_second_factor"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and self._may_reset(request, obj):
            url = reverse("admin:accounts_user_second_factor", args=[obj.pk])
            works = [{"label": RESET["label"], "url": url, "danger": True}]
            extra_context = {"works": works, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    @method_decorator(never_cache)
    def reset_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask, then make the employee's second factor void and show the one code that is to be handed over."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: User | None = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not self._may_reset(request, user):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": RESET["label"],
            "original": user,
            "back_url": reverse("admin:accounts_user_change", args=[user.pk]),
        }
        if request.method != "POST":
            rows = [{"label": _("login"), "value": user.username}]
            confirm = {"work": RESET, "form": forms.Form(), "rows": rows}
            return TemplateResponse(request, "admin/work/confirm.html", context | confirm)
        now = read_clock()
        code = reset_second_factor(
            user, actor=cast(User, request.user), address=audit.client_address(request), now=now
        )
        shown = {"code": code, "until": now + RESET_CODE_LASTS}
        return TemplateResponse(request, "admin/second_factor_reset.html", context | shown)

    def _may_reset(self, request: HttpRequest, user: User) -> bool:
        """Whoever manages employees, but for themselves: an unattended desk gives nobody an app of its own."""
        return user.is_staff and user != request.user and self.has_change_permission(request, user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Parents register themselves, employees are made by `manage.py create_staff`, with a second factor."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody changes their own roles, nor, unless they are one, a superuser."""
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or (obj != request.user and (not obj.is_superuser or _is_superuser(request)))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    def whose_data(self, profile: Profile) -> list[User]:
        return _parents(profile.user)

    list_display = ["name", "masked_iin", "masked_phone", "birth_date"]
    fields = [
        "masked_phone", "masked_iin", "masked_document", "last_name", "first_name", "middle_name", "birth_date", "sex",
    ]  # fmt: skip
    readonly_fields = ["masked_phone", "masked_iin", "masked_document"]
    list_select_related = ["user"]

    @admin.display(description=_("Full name"), ordering="last_name")
    def name(self, profile: Profile) -> str:
        return profile.full_name

    @admin.display(description=_("IIN"))
    def masked_iin(self, profile: Profile) -> str:
        return mask_iin(profile.iin)

    @admin.display(description=_("document number"))
    def masked_document(self, profile: Profile) -> str:
        return mask_document(profile.document_number)

    @admin.display(description=_("phone"))
    def masked_phone(self, profile: Profile) -> str:
        return mask_phone(profile.user.phone)


@admin.register(PolicyConsent)
class PolicyConsentAdmin(ReadOnlyAdmin):
    def whose_data(self, consent: PolicyConsent) -> list[User]:
        return _parents(consent.user)

    list_display = ["user", "version", "given_at"]
    list_filter = ["version"]
    list_select_related = ["user"]


@admin.register(SmsCode)
class SmsCodeAdmin(ReadOnlyAdmin):
    list_display = ["masked_phone", "purpose", "created_at", "expires_at", "used_at", "attempts"]
    fields = ["masked_phone", "purpose", "created_at", "expires_at", "used_at", "attempts"]
    list_filter = ["purpose"]
    ordering = ["-created_at"]

    @admin.display(description=_("phone"))
    def masked_phone(self, code: SmsCode) -> str:
        return mask_phone(code.phone)
