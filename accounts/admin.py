"""People as employees may see them: masked, and read-only but for blocking an account and an employee's groups."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.identity import document_hash, iin_hash
from accounts.iin import IinError, parse_iin
from accounts.masks import mask_document, mask_iin, mask_phone
from accounts.models import AuditEntry, PolicyConsent, Profile, SmsCode, User
from accounts.phones import PhoneError, parse_mobile


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To be looked at only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Found by the whole phone number, the whole IIN or document number, or a part of an employee's name."""

    list_display = ["masked_login", "language", "is_staff", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_active", "groups"]
    search_fields = ["username"]
    search_help_text = _("A whole phone number, IIN or document number, or a part of an employee's name")
    fields = [
        "masked_login",
        "language",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "date_joined",
        "last_login",
    ]
    readonly_fields = ["masked_login", "language", "is_staff", "is_superuser", "date_joined", "last_login"]
    filter_horizontal = ["groups"]
    ordering = ["-date_joined"]

    @admin.display(description=_("login"), ordering="username")
    def masked_login(self, user: User) -> str:
        return str(user)

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
            hashes = {"profile__iin_hash": iin_hash(parse_iin(term))}
        except IinError:
            hashes = {"profile__document_hash": document_hash(term.upper())}
        return (found | queryset.filter(**hashes)), False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """A parent belongs to no group of employees."""
        fields = list(self.readonly_fields)
        return fields if obj is not None and obj.is_staff else [*fields, "groups"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Parents register themselves, employees are made by `manage.py create_staff`, with a second factor."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ["full_name", "masked_iin", "masked_phone", "birth_date"]
    fields = [
        "masked_phone", "masked_iin", "masked_document", "last_name", "first_name", "middle_name", "birth_date", "sex",
    ]  # fmt: skip
    readonly_fields = ["masked_phone", "masked_iin", "masked_document"]
    list_select_related = ["user"]

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


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "action", "actor", "subject", "target", "reason"]
    list_filter = ["action"]
    list_select_related = ["actor", "subject"]
    date_hierarchy = "at"
    fields = ["at", "action", "actor", "subject", "target", "reason", "address"]
