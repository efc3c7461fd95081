"""The staff's workplace: Django admin behind a second factor."""

from typing import cast

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite


class StaffAdminSite(OTPAdminSite):
    """Admin that asks for name, password and one-time code together (`STAFF_SECOND_FACTOR`)."""

    site_title = _("Balabaqsha: staff")
    site_header = _("Balabaqsha: staff")
    index_title = _("Workplace")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        if settings.STAFF_SECOND_FACTOR:
            return super().has_permission(request)
        return admin.AdminSite.has_permission(self, request)


# The site on which `@admin.register` registers (`balabaqsha.apps.StaffAdminConfig`).
staff_site = cast(StaffAdminSite, SimpleLazyObject(lambda: admin.site))
