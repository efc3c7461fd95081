"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from notifications import checks, kinds, notices  # noqa: F401  (checks register themselves)

        kinds.register(notices.KINDS, samples=notices.SAMPLES)
