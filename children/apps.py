"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChildrenConfig(AppConfig):
    name = "children"
    verbose_name = _("Children")

    def ready(self) -> None:
        from accounts import journal, passwords
        from accounts.data import parts
        from accounts.numbers import concerned
        from children import access, journal_actions, notices, numbers, personal_data, personal_words
        from notifications import kinds, selectors, targets

        passwords.register_words(personal_words.of_children)
        kinds.register(notices.KINDS, samples=notices.SAMPLES)
        targets.register(notices.TARGETS)
        journal.register(journal_actions.Action, about=journal.Subject.CHILDREN)
        selectors.register_known(access.known_children, names=access.names_of_known_children)
        parts.register(personal_data.Children())
        concerned.register_hold(numbers.hold, numbers.held)
        concerned.register_family(numbers.family)
        concerned.register_listener(numbers.tell_guardians, numbers.circle)
