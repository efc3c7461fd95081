"""Messages about an account: codes, and warnings about changes."""

from datetime import date, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import BOTH, SMS, Kind, PastBudget

_CODE_WORTH: Final = timedelta(minutes=10)

KINDS: Final = (
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
    Kind("account_closed", _("Account closed"), BOTH, ("last_day",), past_budget=PastBudget.WARNING),
    Kind("account_reopened", _("Account opened again"), BOTH, past_budget=PastBudget.WARNING),
    Kind("password_changed", _("Password changed"), BOTH, past_budget=PastBudget.WARNING),
)

SAMPLES: Final[dict[str, Any]] = {"code": "483920", "minutes": 10, "last_day": date(2026, 12, 31)}
