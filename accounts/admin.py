"""People as employees may see them: masked and read-only, except for blocking an account and an employee's groups."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import admin as djangos  # registers its page, which is replaced here
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts import audit, staff_links
from accounts.employees import named
from accounts.granting import may_manage, roles_to_give
from accounts.identity import document_hashes, iin_hashes
from accounts.iin import IinError, parse_iin
from accounts.journal_actions import Action
from accounts.masks import mask_document, mask_iin, mask_phone
from accounts.models import Employee, PolicyConsent, Profile, SmsCode, User
from accounts.officials import DECIDE_ABOUT_FAMILIES, READ_FAMILIES, tell_of_account
from accounts.phones import PhoneError, parse_mobile
from accounts.public_text import demand_words
from accounts.roles import Role, role_name
from accounts.services import StaffIinTaken, enter_staff_iin
from accounts.way_back import whole_address
from notifications.clock import estimate_clock, read_clock
from notifications.services import enqueue_to_mail

if TYPE_CHECKING:
    from django.db.models import ManyToManyField
    from django.forms import ModelMultipleChoiceField


RESET: dict[str, Any] = {
    "label": _("Reset password and second factor"),
    "consequence": _(
        "The employee's password, authenticator app and backup codes open nothing any more, and the employee is signed "
        "out everywhere. You get a one-time link to hand over; with it the employee sets up the account anew. It is "
        "recorded, and the employee reads who did it and why."
    ),
    "danger": True,
}
NEW_LINK: dict[str, Any] = {
    "label": _("Make a new link"),
    "consequence": _(
        "The account is not set up yet. A link that was made before opens nothing any more. You get a new one to hand "
        "over."
    ),
}
VOID_LINK: dict[str, Any] = {
    "label": _("Make the link void"),
    "consequence": _("The link that was handed over opens nothing any more. You can make a new one later."),
    "danger": True,
}


class ResetForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_(
            "What was lost, and how you know who asks. The employee reads it, and so does whoever reads the audit."
        ),
        max_length=300,
        validators=[demand_words],
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


def show_link(
    page: "admin.ModelAdmin[Any]", request: HttpRequest, user: User, secret: str, *, is_reset: bool = False
) -> HttpResponse:
    """The page that shows a new link this once; it goes to the work e-mail, too. Call it in the link's transaction.

    `is_reset`: the account was in use, and the e-mail says what it lost.
    """
    now = read_clock()
    address = whole_address(request, staff_links.address_of(secret, language=user.language))
    person: Employee | None = getattr(user, "employee", None)
    email = person.email if person is not None and settings.SENDS_MAIL else ""
    if email:
        enqueue_to_mail(
            email,
            "staff_link",
            context={"link": address, "days": staff_links.LASTS.days, "is_reset": is_reset},
            language=user.language,
            dedupe_key=f"{user.pk}:{now.isoformat()}",
            now=now,
        )
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": gettext("The link for the employee"),
        "employee": user,
        "address": address,
        "until": now + staff_links.LASTS,
        "email": email,
        "back_url": reverse("admin:accounts_user_change", args=[user.pk]),
    }
    response = TemplateResponse(request, "admin/staff_link.html", context)
    add_never_cache_headers(response)
    return response


def works_of(user: User) -> list[dict[str, Any]]:
    """The buttons of an employee's page that give or take a link."""
    if user.has_usable_password():
        offered = [(RESET, "second_factor")]
    else:
        offered = [(NEW_LINK, "link")]
        if staff_links.live_link(user, now=estimate_clock()) is not None:
            offered.append((VOID_LINK, "void_link"))
    return [
        {
            "label": work["label"],
            "url": reverse(f"admin:accounts_user_{name}", args=[user.pk]),
            "danger": work.get("danger", False),
        }
        for work, name in offered
    ]


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where, and when."""
    return {
        "actor": cast(User, request.user),
        "address": audit.client_address(request),
        "now": read_clock(),
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


# What Django calls its rights, as codes, and how the page of a role heads them.
_VERBS: Final = {
    "view": _("May read"),
    "add": _("May add"),
    "change": _("May change or decide"),
    "delete": _("May delete"),
}


class RoleAdmin(ReadOnlyAdmin):
    """What each role may do; `manage.py setup_roles` makes every group hold exactly that."""

    list_display = ["role"]
    fields = ["role", "rights"]
    readonly_fields = ["role", "rights"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Group | None:
        """The group under the name of its role, which is never saved."""
        group: Group | None = super().get_object(request, object_id, from_field)
        if group is not None:
            group.name = role_name(group.name)
        return group

    @admin.display(description=_("Role"), ordering="name")
    def role(self, group: Group) -> str:
        return role_name(group.name)

    @admin.display(description=_("Rights"))
    def rights(self, group: Group) -> SafeString:
        """A line of what the role may do with which rows, and a line for each right that is about no rows."""
        of_rows: dict[str, list[str]] = {verb: [] for verb in _VERBS}
        others = []
        for right in group.permissions.select_related("content_type"):
            verb, _sign, _model = right.codename.partition("_")
            model = right.content_type.model_class()
            if (
                model is not None
                and right.codename == f"{verb}_{right.content_type.model}"
                and verb in _VERBS
            ):
                of_rows[verb].append(str(model._meta.verbose_name_plural))
            else:
                others.append(gettext(right.name))
        lines = [f"{_VERBS[verb]}: {', '.join(sorted(names))}" for verb, names in of_rows.items() if names]
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in [*lines, *sorted(others)]))


# Django's page stands there already: it shows codes, and groups are made by a command.
assert isinstance(admin.site.get_model_admin(Group), djangos.GroupAdmin)
admin.site.unregister(Group)
admin.site.register(Group, RoleAdmin)


class RoleFilter(admin.SimpleListFilter):
    title = _("Role")
    parameter_name = "role"
    groups = "groups__name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Role.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(**{self.groups: self.value()}) if self.value() else queryset


class IinFilter(admin.SimpleListFilter):
    title = _("IIN of the employee")
    parameter_name = "iin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("missing", _("not entered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_staff=True, staff_iin_hash=None) if self.value() else queryset


class RoleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Groups, by the names of the roles."""

    def label_from_instance(self, obj: Any) -> str:
        return role_name(obj.name)


class StaffIinField(forms.CharField):
    """An employee's IIN, if one is entered."""

    def __init__(self, **kwargs: Any) -> None:
        words = _(
            "With it nobody decides for their own child. It is kept so that it can't be read again. "
            "An empty field changes nothing."
        )
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        own = {"label": _("IIN of the employee"), "help_text": words, "max_length": 20, "widget": widget}
        super().__init__(**{**own, "required": False, **kwargs})

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return parse_iin(text) if text.strip() else ""
        except IinError as error:
            raise ValidationError(error.message) from None


def check_iin_is_free(iin: str, *, of: User | None = None) -> None:
    """Raises ValidationError if an employee other than `of` has it."""
    others = User.objects.filter(staff_iin_hash__in=iin_hashes(iin))
    if iin and (others.exclude(pk=of.pk) if of else others).exists():
        raise ValidationError(_("Another employee has this IIN."))


def refuse_without_iin(form: forms.BaseForm, roles: Iterable[Group], *, is_known: bool) -> None:
    """Add an error where one of `roles` decides about families and the employee's IIN is not known.

    Nobody decides for their own child: without the IIN the portal doesn't know which one that is.
    """
    deciding = {role.value for role in DECIDE_ABOUT_FAMILIES} & {role.name for role in roles}
    if deciding and not is_known and "staff_iin" not in form.errors:
        form.add_error(
            "staff_iin",
            _("Enter the IIN: this role decides about families, and nobody decides for their own child."),
        )


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    staff_iin = StaffIinField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if groups := self.fields.get("groups"):
            # What the employee has stays, whoever saves the rest.
            held = self.instance.groups.values("pk")
            offered = groups.queryset.values("pk")  # type: ignore[attr-defined]
            groups.queryset = Group.objects.filter(Q(pk__in=offered) | Q(pk__in=held))  # type: ignore[attr-defined]

    def clean_staff_iin(self) -> str:
        iin: str = self.cleaned_data["staff_iin"]
        check_iin_is_free(iin, of=self.instance)
        return iin

    def clean(self) -> dict[str, Any]:
        """A role that is given demands the IIN; what the employee has already stays as it is."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        given = [role for role in data.get("groups") or () if role not in self.initial.get("groups", ())]
        is_known = bool(data.get("staff_iin")) or self.instance.staff_iin_hash is not None
        refuse_without_iin(self, given, is_known=is_known)
        return data


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Found by the whole phone number, the whole IIN or document number, or a part of an employee's name."""

    list_display = ["masked_login", "language_name", "is_staff", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_active", RoleFilter, IinFilter]
    search_fields = ["username"]
    search_help_text = _("A whole phone number, IIN or document number, or a part of an employee's name")
    fields = [
        "masked_login",
        "staff_login",
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
        "staff_login",
        "language_name",
        "roles",
        "is_staff",
        "is_superuser",
        "has_staff_iin",
        "date_joined",
        "last_login",
    ]
    form = UserForm
    ordering = ["-date_joined"]
    change_form_template = "admin/work/change_form.html"

    # Not sortable: the order would give away what is masked.
    @admin.display(description=_("Account"))
    def masked_login(self, user: User) -> str:
        return str(user)

    @admin.display(description=_("Login"))
    def staff_login(self, user: User) -> str:
        return user.username

    @admin.display(description=_("language of messages"), ordering="language")
    def language_name(self, user: User) -> str:
        return str(dict(settings.LANGUAGES).get(user.language, user.language))

    @admin.display(description=_("Roles"))
    def roles(self, user: User) -> str:
        return ", ".join(role_name(group.name) for group in user.groups.all())

    @admin.display(description=_("IIN is known"), boolean=True)
    def has_staff_iin(self, user: User) -> bool:
        return user.staff_iin_hash is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("employee")

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        """Where the groups can't be changed, they are shown as names of roles. Only an employee's IIN is asked for."""
        is_employee = obj is not None and obj.is_staff
        editable = is_employee and self.has_change_permission(request, obj)
        hidden = {"staff_iin"} if not editable else set()
        hidden |= {"has_staff_iin", "staff_login"} if not is_employee else set()
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

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Officials are told of an account that reads families from now on."""
        before = {group.name for group in form.initial.get("groups", ())}
        super().save_related(request, form, formsets, change)
        given = {group.name for group in form.cleaned_data.get("groups", ())} - before
        if given & {role.value for role in READ_FAMILIES}:
            actor = cast(User, request.user)
            tell_of_account(form.instance, "staff_account_made", actor=actor, now=read_clock())

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        # All roles at a glance, as on the page that invites.
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label = capfirst(gettext("Roles"))
            field.label_from_instance = lambda obj: role_name(obj.name)  # type: ignore[method-assign]
            field.queryset = roles_to_give(cast(User, request.user))
        return field

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Only whole numbers find a parent, so that the list can't be combed through.

        By their keys: as a part of the question the database would ask for every account whether it is the employee's.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(pk__in=list(named(term).values_list("pk", flat=True)))
        try:
            return queryset.filter(found | Q(phone=parse_mobile(term))), False
        except PhoneError:
            pass
        try:
            of_number = Profile.objects.filter(iin_hash__in=iin_hashes(parse_iin(term)))
        except IinError:
            of_number = Profile.objects.filter(document_hash__in=document_hashes(term.upper()))
        return queryset.filter(found | Q(pk__in=list(of_number.values_list("user_id", flat=True)))), False

    def whose_data(self, user: User) -> list[User]:
        """A look at a parent's page is entered in their journal."""
        return _parents(user)

    # --- links for setting up the account ----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        views = {
            "second-factor/": (self.reset_view, "second_factor"),
            "link/": (self.link_view, "link"),
            "link/void/": (self.void_view, "void_link"),
        }
        own = [
            path(f"<uuid:pk>/{address}", self.admin_site.admin_view(view), name=f"accounts_user_{name}")
            for address, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and self._may_set_up(request, obj):
            extra_context = {"works": works_of(obj), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    @method_decorator(never_cache)
    def reset_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask why, then take everything from the account and show the link that is to be handed over."""
        user = self._to_set_up(request, pk)
        form = ResetForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask(request, user, RESET, form)
        with transaction.atomic():
            secret = staff_links.reset(user, reason=form.cleaned_data["reason"], **_by(request))
            return show_link(self, request, user, secret, is_reset=True)

    @method_decorator(never_cache)
    def link_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask, then make another link for an account that was never set up."""
        user = self._to_set_up(request, pk)
        if request.method != "POST":
            return self._ask(request, user, NEW_LINK, forms.Form())
        try:
            with transaction.atomic():
                secret = staff_links.invite(user, **_by(request))
                return show_link(self, request, user, secret)
        except ValueError:
            messages.error(request, gettext("The account is set up already."))
            return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))

    def void_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask, then make the live link void."""
        user = self._to_set_up(request, pk)
        if request.method != "POST":
            return self._ask(request, user, VOID_LINK, forms.Form())
        if staff_links.withdraw(user, **_by(request)):
            messages.success(request, gettext("The link is void."))
        else:
            messages.warning(request, gettext("There is no link that counts."))
        return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))

    def _to_set_up(self, request: HttpRequest, pk: UUID) -> User:
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: User | None = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not self._may_set_up(request, user):
            raise PermissionDenied
        return user

    def _may_set_up(self, request: HttpRequest, user: User) -> bool:
        """Whoever manages employees, but for themselves: an unattended desk gives nobody an app of its own."""
        return user.is_staff and user != request.user and self.has_change_permission(request, user)

    def _ask(self, request: HttpRequest, user: User, work: dict[str, Any], form: forms.Form) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": work["label"],
            "original": user,
            "back_url": reverse("admin:accounts_user_change", args=[user.pk]),
            "work": work,
            "form": form,
            "errors": form.errors,
            "rows": [
                {"label": _("Employee"), "value": str(user)},
                {"label": _("login"), "value": user.username},
            ],
        }
        return TemplateResponse(request, "admin/work/confirm.html", context)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Of employees nobody's above one's own, and not one's own (`accounts.granting`)."""
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or not obj.is_staff or may_manage(cast(User, request.user), obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Parents register themselves, employees are invited (`applications.admin.employees`)."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    def whose_data(self, profile: Profile) -> list[User]:
        return _parents(profile.user)

    list_display = ["name", "masked_iin", "masked_phone", "birth_date"]
    fields = [
        "masked_phone", "masked_iin", "masked_document", "last_name", "first_name", "middle_name", "birth_date", "sex",
    ]  # fmt: skip
    readonly_fields = ["masked_phone", "masked_iin", "masked_document"]
    list_select_related = ["user__employee"]

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
    list_select_related = ["user__employee"]


@admin.register(SmsCode)
class SmsCodeAdmin(ReadOnlyAdmin):
    list_display = ["masked_phone", "purpose", "created_at", "expires_at", "used_at", "attempts"]
    fields = ["masked_phone", "purpose", "created_at", "expires_at", "used_at", "attempts"]
    list_filter = ["purpose"]
    ordering = ["-created_at"]

    @admin.display(description=_("phone"))
    def masked_phone(self, code: SmsCode) -> str:
        return mask_phone(code.phone)
