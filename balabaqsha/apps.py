"""The app configuration of the composition root and of the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BalabaqshaConfig(AppConfig):
    name = "balabaqsha"
    default = True

    def ready(self) -> None:
        from balabaqsha import checks  # noqa: F401  (they register themselves)


class StaffAdminConfig(AdminConfig):
    """Django admin with the site that asks for a second factor."""

    default_site = "balabaqsha.admin_site.StaffAdminSite"
