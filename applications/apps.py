"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = _("Applications")

    def ready(self) -> None:
        from accounts import journal, stops
        from accounts.data import parts
        from applications import journal_actions, notices
        from applications.disputes.unknown_guardian import UnknownClaimant, UnknownGuardian
        from applications.families.messages import is_numbered, names_of
        from applications.families.zones import zones_of_families
        from applications.objections import names_of_objections
        from applications.personal_data.leaving import Applications
        from applications.reports.demand import demand as demand_of
        from bulletin import demand
        from notifications import kinds, selectors, targets, zones
        from notifications.models import Mail, Message, PushMessage, TelegramMessage

        kinds.register(notices.KINDS, samples=notices.SAMPLES)
        targets.register(notices.TARGETS)
        zones.register(zones_of_families)
        selectors.register_numbered(is_numbered)
        journal.register(journal_actions.Action, about=journal_actions.SUBJECTS)
        journal.register_names("accounts.objection", names_of_objections)
        journal.register_names("notifications.message", names_of(Message))
        journal.register_names("notifications.mail", names_of(Mail))
        journal.register_names("notifications.telegrammessage", names_of(TelegramMessage))
        journal.register_names("notifications.pushmessage", names_of(PushMessage))
        demand.register(demand_of)
        stops.register(UnknownGuardian())
        stops.register(UnknownClaimant())
        parts.register(Applications())
