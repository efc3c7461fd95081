"""How Django finds this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import checks, journal, journal_actions, notices, passwords, personal_words, stops  # noqa: F401  (checks register themselves)
        from accounts.data import account, parts
        from accounts.numbers import concerned, last_use, recovery, stopping
        from accounts.paper_stops import AnotherPaper
        from notifications import kinds, targets

        passwords.register_words(personal_words.of_profile)
        kinds.register(notices.KINDS, samples=notices.SAMPLES)
        targets.register(notices.TARGETS)
        journal.register(journal_actions.Action, about=journal_actions.ABOUT)
        journal.register(journal_actions.Former, about=journal.Subject.ACCOUNTS)
        parts.register(account.Account())
        stops.register(stopping.MoveOfNumber())
        stops.register(AnotherPaper())
        last_use.keep_last_use()
        concerned.register_way(recovery.tell_by_contacts)
