"""Children as officials see them: read-only, the IIN masked, every opened page entered in the family's journal."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.identity import iin_hashes
from accounts.iin import IinError, parse_iin
from accounts.inlines import BoundedInline
from accounts.journal_actions import Action
from accounts.masks import mask_iin, mask_phone
from accounts.models import User
from accounts.roles import is_official
from children.access import guardians_of
from children.models import Child, Guardianship
from notifications.clock import read_clock


class _ReadOnly:
    """For officials only: a kindergarten's employee sees a child only through the bids they handle."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_official(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_official(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class GuardianshipInline(_ReadOnly, BoundedInline):
    model = Guardianship
    extra = 0
    fields = ["guardian", "source", "verified_at", "ended_at"]
    readonly_fields = ["guardian"]

    @admin.display(description=_("guardian"))
    def guardian(self, guardianship: Guardianship) -> str:
        return f"{guardianship.user.profile} {mask_phone(guardianship.user.phone)}"


@admin.register(Child)
class ChildAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "birth_date", "masked_iin", "created_at"]
    list_filter = ["birth_date"]
    search_fields = ["last_name", "first_name"]
    search_help_text = _("A whole IIN, or a name.")
    fields = ["name", "birth_date", "sex", "nationality", "masked_iin", "created_at"]
    inlines = [GuardianshipInline]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("full name"), ordering="last_name")
    def name(self, child: Child) -> str:
        return child.full_name

    @admin.display(description=_("IIN"))
    def masked_iin(self, child: Child) -> str:
        return mask_iin(child.iin)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Child], search_term: str
    ) -> tuple[QuerySet[Child], bool]:
        try:
            iin = parse_iin(search_term)
        except IinError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(iin_hash__in=iin_hashes(iin)), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        child = self.get_object(request, unquote(object_id))
        if child is not None and response.status_code == 200 and isinstance(request.user, User):
            now, address = read_clock(), audit.client_address(request)
            for guardian in guardians_of(child):
                audit.record(
                    Action.PERSONAL_DATA_VIEWED,
                    actor=request.user,
                    subject=guardian,
                    target=child.full_name,
                    address=address,
                    now=now,
                )
        return response
