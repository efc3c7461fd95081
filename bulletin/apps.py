"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BulletinConfig(AppConfig):
    name = "bulletin"
    verbose_name = _("Bulletin of vacant places")

    def ready(self) -> None:
        from accounts import journal
        from accounts.data import parts
        from bulletin import employment, journal_actions, notices, personal_data, selectors
        from notifications import kinds, targets

        journal.register(journal_actions.Action, about=journal.Subject.OFFER)
        kinds.register(notices.KINDS, samples=notices.SAMPLES)
        targets.register(notices.TARGETS)
        journal.register_institutions(employment.institutions_of)
        journal.register_names("bulletin.review", selectors.subjects_of_reviews)
        parts.register(personal_data.Reviews())
