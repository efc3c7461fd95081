"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BulletinConfig(AppConfig):
    name = "bulletin"
    verbose_name = _("Bulletin of vacant places")

    def ready(self) -> None:
        from accounts import journal
        from bulletin import journal_actions

        journal.register(journal_actions.Action)
