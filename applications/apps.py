"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = _("Applications")

    def ready(self) -> None:
        from accounts import stops
        from applications.disputes.unknown_guardian import UnknownGuardian

        stops.register(UnknownGuardian())
