"""Every kind of message: where it goes, what its texts need, how long an SMS of it is worth sending. Pure.

The texts themselves are files: `templates/notifications/<kind>/<channel>.<language>.txt`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Channel(StrEnum):
    INBOX = "inbox"
    SMS = "sms"


BOTH = (Channel.INBOX, Channel.SMS)
INBOX = (Channel.INBOX,)
SMS = (Channel.SMS,)


class PastBudget(StrEnum):
    """What becomes of an SMS once the day's budget is spent (`notifications.budget`)."""

    WITHHELD = "withheld"  # it stays in the inbox, and employees see that it was not sent
    REFUSED = "refused"  # it is not written: whoever asks for it is told so
    CODE = "code"  # it goes out: somebody with an account waits for it
    WARNING = "warning"  # it goes out: somebody's account may be in danger


@dataclass(frozen=True)
class Kind:
    """One kind of message.

    `title` is what employees call it. `needs` names the values that its texts may use. An SMS that was not accepted by
    a gateway within `worth_for` is given up; the text of a `secret` one is wiped as soon as it is sent or given up, and
    no employee ever sees it. `past_budget` says what becomes of it once the day's budget for SMS is spent.
    """

    code: str
    title: Promise
    channels: tuple[Channel, ...]
    needs: tuple[str, ...] = ()
    secret: bool = False
    worth_for: timedelta = timedelta(hours=24)
    past_budget: PastBudget = PastBudget.WITHHELD

    def template(self, channel: Channel, language: str) -> str:
        """The name of the template that holds the text for `channel` in `language`."""
        return f"notifications/{self.code}/{channel}.{language}.txt"


_CODE_WORTH = timedelta(minutes=10)

KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "registration_code",
            _("Registration code"),
            SMS,
            ("code", "minutes"),
            secret=True,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.REFUSED,
        ),
        Kind(
            "reset_code",
            _("Code for a new password"),
            SMS,
            ("code", "minutes"),
            secret=True,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.CODE,
        ),
        Kind(
            "sign_in_code",
            _("Code for signing in"),
            SMS,
            ("code", "minutes"),
            secret=True,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.CODE,
        ),
        Kind(
            "stop_code",
            _("Code for “Stop”"),
            SMS,
            ("code", "minutes"),
            secret=True,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.CODE,
        ),
        Kind(
            "account_exists",
            _("Phone already registered"),
            SMS,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.REFUSED,
        ),
        Kind("password_changed", _("Password changed"), BOTH, past_budget=PastBudget.WARNING),
        Kind(
            "guardian_added",
            _("Guardian added"),
            BOTH,
            ("child", "guardian"),
            past_budget=PastBudget.WARNING,
        ),
        Kind(
            "guardian_stopped",
            _("Guardian stopped"),
            BOTH,
            ("child", "guardian", "last_day"),
            past_budget=PastBudget.WARNING,
        ),
        Kind("guardian_reported", _("Guardian reported"), BOTH, ("child", "guardian", "last_day")),
        Kind("guardian_freed", _("Stop: nothing is halted any more"), INBOX, ("child", "guardian")),
        Kind("guardianship_stands", _("Guardianship stands"), BOTH, ("child", "guardian", "reason")),
        Kind("guardianship_ended", _("Guardianship ended"), BOTH, ("child", "guardian", "reason")),
        Kind("application_filed", _("Application accepted"), BOTH, ("application", "number")),
        Kind("application_archived", _("Application archived"), INBOX, ("application", "undo_until")),
        Kind("application_restored", _("Application restored"), INBOX, ("application", "number")),
        Kind(
            "corrected", _("Queue corrected"), BOTH, ("application", "correction", "number_before", "number")
        ),
        Kind("bid_placed", _("Bid sent"), BOTH, ("application", "vacancy")),
        Kind("bid_withdrawn", _("Bid withdrawn"), INBOX, ("application", "vacancy")),
        Kind("bid_rejected", _("Bid refused"), BOTH, ("application", "vacancy", "reason")),
        Kind("bid_awarded", _("Place got by queue number"), BOTH, ("application", "vacancy", "last_day")),
        Kind("bid_lost", _("Place given by queue number"), BOTH, ("application", "vacancy", "number")),
        Kind("bid_void", _("Place recalled"), BOTH, ("application", "vacancy", "reason")),
        Kind(
            "referral_issued",
            _("Referral issued"),
            BOTH,
            ("application", "referral", "vacancy", "days", "stop_days", "last_day"),
        ),
        Kind("referral_extended", _("Referral extended"), BOTH, ("referral", "last_day")),
        Kind("referral_moved", _("Referral: last day moved"), BOTH, ("referral", "last_day")),
        Kind("referral_reminder", _("Referral: reminder"), BOTH, ("referral", "vacancy", "last_day")),
        Kind("referral_revoked", _("Referral revoked"), BOTH, ("application", "vacancy", "reason")),
        Kind("stop_started", _("Stop-list: begun"), BOTH, ("application", "days", "last_day")),
        Kind("stop_lifted", _("Stop-list: ended"), BOTH, ("application", "number")),
        Kind("interest_reminder", _("Interest: reminder"), BOTH, ("application", "last_day")),
        Kind("interest_lapsed", _("Interest: not confirmed"), BOTH, ("application", "last_day")),
        Kind("interest_ended", _("Interest: application closed"), INBOX, ("application",)),
        Kind("aging_out", _("School age: a month's notice"), BOTH, ("application", "last_day")),
        Kind("aged_out", _("School age: application closed"), BOTH, ("application",)),
        Kind("application_changed", _("Application changed"), INBOX, ("application", "number")),
        Kind("benefit_claimed", _("Benefit: claimed"), INBOX, ("application", "category", "number")),
        Kind(
            "benefit_verified",
            _("Benefit: verified"),
            BOTH,
            ("application", "category", "number", "last_day"),
        ),
        Kind(
            "benefit_rejected", _("Benefit: rejected"), BOTH, ("application", "category", "number", "reason")
        ),
        Kind("benefit_expired", _("Benefit: expired"), BOTH, ("application", "category", "number")),
        Kind(
            "contract_signed",
            _("Contract signed"),
            BOTH,
            ("application", "child", "kindergarten", "group", "contract"),
        ),
    )
}


def titles() -> list[tuple[str, Any]]:
    """Every kind with its name in the admin; a function, so that a new kind needs no migration."""
    return [(kind.code, kind.title) for kind in KINDS.values()]


def kinds_past_budget(fate: PastBudget) -> list[str]:
    """The kinds of which `fate` becomes once the day's budget is spent."""
    return [kind.code for kind in KINDS.values() if kind.past_budget is fate]


def fate_of(code: str) -> PastBudget:
    """What becomes of a message of the kind `code`; one that no longer exists waits like any notice."""
    return KINDS[code].past_budget if code in KINDS else PastBudget.WITHHELD


def is_secret(code: str) -> bool:
    """Whether texts of this kind are wiped and hidden; so is one whose kind no longer exists."""
    return code not in KINDS or KINDS[code].secret


def sample_context(kind: Kind) -> dict[str, Any]:
    """Believable values for everything that `kind` needs: the manual's family, and the longest numbers.

    Stand-ins with the attributes that the texts use, so that every text can be rendered without a database.
    """
    child = SimpleNamespace(full_name="КАМЕНОВА ДАНИЯ ЕРМЕКОВНА")
    application = SimpleNamespace(
        number="19-000417",
        child=child,
        locality=SimpleNamespace(name="Түркістан қ.", timezone="Asia/Almaty"),
        get_languages_display="Қазақша, Орысша",
        filed_at=datetime(2019, 6, 26, 10, 20, tzinfo=UTC),
    )
    kindergarten = SimpleNamespace(name="ЖМ «Амина балабақшасы»")
    group = SimpleNamespace(name="Солнце", kindergarten=kindergarten)
    values: dict[str, Any] = {
        "code": "483920",
        "minutes": 10,
        "application": application,
        "number": 12345,
        "number_before": 12346,
        "correction": SimpleNamespace(
            document_number="114-Н",
            document_date=date(2019, 6, 27),
            reason="Өтініш қағаз түрінде ертерек берілген",
        ),
        "undo_until": datetime(2019, 6, 27, 10, 20, tzinfo=UTC),
        "vacancy": SimpleNamespace(group=group),
        "reason": "Құжаттар толық емес",
        "referral": SimpleNamespace(number="19-4839-2017", application=application),
        "days": 5,
        "stop_days": 10,
        "last_day": date(2019, 7, 3),
        "category": SimpleNamespace(name="Көпбалалы отбасылардың балалары"),
        "child": child,
        "guardian": "К••••• Г.",
        "kindergarten": kindergarten,
        "group": group,
        "contract": SimpleNamespace(number="114/2019"),
    }
    return {name: values[name] for name in kind.needs}
