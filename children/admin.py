"""Children as employees may see them: read-only, the IIN masked, every opened page entered in the family's journal."""

from collections.abc import Iterable
from typing import Final

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.identity import iin_hashes
from accounts.iin import IinError, parse_iin
from accounts.inlines import BoundedInline
from accounts.masks import mask_iin, mask_phone
from accounts.models import User
from accounts.name_search import NAME, FoldedName, first_called
from children.access import guardians_of
from children.models import Child, Guardianship
from notifications.folding import words_of

# More than a list shows.
MOST_FOUND: Final = 2_000


class _ReadOnly:
    """To be looked at only."""

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

    @admin.display(description=_("full name"), ordering="last_name")
    def name(self, child: Child) -> str:
        return child.full_name

    @admin.display(description=_("IIN"))
    def masked_iin(self, child: Child) -> str:
        return mask_iin(child.iin)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Child], search_term: str
    ) -> tuple[QuerySet[Child], bool]:
        if not search_term:
            return queryset, False
        try:
            iin = parse_iin(search_term)
        except IinError:
            # Their keys, from the index of names: letters anywhere in a name are looked for in every child.
            called = first_called(
                queryset, words_of(search_term), "pk", folded=FoldedName(*NAME), most=MOST_FOUND
            )
            return queryset.filter(pk__in=[pk for (pk,) in called]), False
        return queryset.filter(iin_hash__in=iin_hashes(iin)), False

    def whose_data(self, child: Child) -> Iterable[User]:
        """A look at the page is entered in their journals."""
        return guardians_of(child)

    def name_for_family(self, child: Child) -> str:
        return child.full_name
