"""Messages about an account: codes, and warnings about changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.kinds import BOTH, EMAIL, INBOX, SMS, Kind, PastBudget, Topic

_CODE_WORTH: Final = timedelta(minutes=10)
# How long the link counts with which an employee sets up an account; its e-mail is sent as long.
STAFF_LINK_LASTS: Final = timedelta(days=3)

KINDS: Final = (
    Kind(
        "registration_code",
        Topic.ACCOUNT,
        _("Registration code"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.REFUSED,
    ),
    Kind(
        "reset_code",
        Topic.ACCOUNT,
        _("Code for a new password"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.CODE,
    ),
    Kind(
        "sign_in_code",
        Topic.ACCOUNT,
        _("Code for signing in"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.CODE,
    ),
    Kind(
        "stop_code",
        Topic.ACCOUNT,
        _("Code for “Stop”"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.CODE,
    ),
    # To the phone of a visitor who complains, whether or not it has an account.
    Kind(
        "complaint_code",
        Topic.ACCOUNT,
        _("Code for a complaint"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.REFUSED,
    ),
    Kind(
        "account_exists",
        Topic.ACCOUNT,
        _("Registration code, phone already registered"),
        SMS,
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.REFUSED,
    ),
    Kind(
        "account_closed",
        Topic.ACCOUNT,
        _("Account closed"),
        BOTH,
        ("last_day",),
        past_budget=PastBudget.WARNING,
    ),
    Kind("account_reopened", Topic.ACCOUNT, _("Account opened again"), BOTH, past_budget=PastBudget.WARNING),
    *(
        Kind(
            code,
            Topic.ACCOUNT,
            title,
            SMS,
            ("code", "minutes"),
            secret=True,
            worth_for=_CODE_WORTH,
            past_budget=PastBudget.CODE,
        )
        for code, title in (
            ("old_number_code", _("Code to the former number")),
            ("new_number_code", _("Code to the new number")),
            ("confirm_code", _("Code that confirms the number")),
        )
    ),
    # `due_at` is None where an employee decides; `proof` is that of `NumberMove`.
    Kind(
        "number_move_asked",
        Topic.ACCOUNT,
        _("Change of number asked for"),
        (*BOTH, *EMAIL),
        ("due_at", "proof"),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "number_asked",
        Topic.ACCOUNT,
        _("Change of number asked for, to other contacts"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    # Codes to both numbers, while an official has yet to decide about a guardian.
    Kind(
        "number_held",
        Topic.ACCOUNT,
        _("Change of number waits for a decision"),
        BOTH,
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "number_waits",
        Topic.ACCOUNT,
        _("Change of number waits for a decision, to the new one"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "number_not_moved",
        Topic.ACCOUNT,
        _("Change of number stopped, to the new one"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    Kind("number_claimed", Topic.ACCOUNT, _("Number claimed by somebody else"), INBOX, ("due_at",)),
    # `because` is why the move was stopped, `reason` what an employee wrote about it.
    Kind("number_stays", Topic.ACCOUNT, _("Number stays"), BOTH, ("proof", "because", "reason")),
    Kind(
        "number_moved",
        Topic.ACCOUNT,
        _("Number changed, to the new one"),
        BOTH,
        ("new_password",),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "number_left",
        Topic.ACCOUNT,
        _("Number changed, to the former one and other contacts"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    Kind("number_lost", Topic.ACCOUNT, _("Number went to somebody else"), INBOX, ("reason",)),
    Kind(
        "number_gone",
        Topic.ACCOUNT,
        _("Number went to somebody else, to other contacts"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    Kind("number_freed", Topic.ACCOUNT, _("Number is free"), SMS, past_budget=PastBudget.WARNING),
    Kind("export_ready", Topic.ACCOUNT, _("Copy of your data ready"), BOTH, past_budget=PastBudget.WARNING),
    Kind("registry_data_changed", Topic.ACCOUNT, _("Data of the registry changed"), INBOX),
    Kind("document_renewed", Topic.ACCOUNT, _("New document entered"), BOTH, past_budget=PastBudget.WARNING),
    Kind("document_unknown", Topic.ACCOUNT, _("Document no longer known to the registry"), BOTH),
    Kind(
        "staff_link",
        Topic.WORK,
        _("Link for setting up an employee's account"),
        EMAIL,
        ("link", "days", "is_reset"),
        secret=True,
        worth_for=STAFF_LINK_LASTS,
        past_budget=PastBudget.WARNING,
    ),
    # To officials: `actor` is empty for a command.
    Kind(
        "staff_account_made",
        Topic.WORK,
        _("Account that reads families was made"),
        INBOX,
        ("employee", "role", "actor"),
    ),
    Kind(
        "staff_account_reset",
        Topic.WORK,
        _("Account that reads families was reset"),
        INBOX,
        ("employee", "role", "actor", "reason"),
    ),
    Kind(
        "contact_code",
        Topic.ACCOUNT,
        _("Code for a second phone or an e-mail address"),
        (*SMS, *EMAIL),
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.CODE,
    ),
    Kind(
        "regain_code",
        Topic.ACCOUNT,
        _("Code that gives an account back"),
        (*SMS, *EMAIL),
        ("code", "minutes"),
        secret=True,
        worth_for=_CODE_WORTH,
        past_budget=PastBudget.CODE,
    ),
    Kind(
        "number_news",
        Topic.ACCOUNT,
        _("Something happens to the number, to other contacts"),
        SMS,
        past_budget=PastBudget.WARNING,
    ),
    # `contact`: "phone" or "email" (`accounts.contacts.Way`), or "calls", a second phone that no code has proven.
    Kind(
        "contact_changed",
        Topic.ACCOUNT,
        _("E-mail or second phone changed"),
        (*BOTH, *EMAIL),
        ("contact", "is_gone"),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "paper_anew",
        Topic.ACCOUNT,
        _("New paper for signing in asked for"),
        BOTH,
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "paper_printed",
        Topic.ACCOUNT,
        _("New paper for signing in printed"),
        BOTH,
        past_budget=PastBudget.WARNING,
    ),
    Kind("paper_declined", Topic.ACCOUNT, _("New paper for signing in declined"), BOTH, ("reason",)),
    Kind("typed_corrected", Topic.ACCOUNT, _("Data typed from the document corrected"), INBOX, ("reason",)),
    Kind("app_set_up", Topic.ACCOUNT, _("Authenticator app set up"), BOTH, past_budget=PastBudget.WARNING),
    Kind(
        "app_turned_off",
        Topic.ACCOUNT,
        _("Authenticator app turned off"),
        BOTH,
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "telegram_changed",
        Topic.ACCOUNT,
        _("Telegram linked or unlinked"),
        BOTH,
        ("is_gone",),
        past_budget=PastBudget.WARNING,
    ),
    Kind(
        "push_turned_on",
        Topic.ACCOUNT,
        _("A device shows your notices"),
        BOTH,
        past_budget=PastBudget.WARNING,
    ),
    # By one way, which its owner tries.
    Kind("test_message", Topic.ACCOUNT, _("Test message"), SMS, answers=True),
    Kind("new_device", Topic.ACCOUNT, _("Sign-in on a new device"), BOTH, past_budget=PastBudget.WARNING),
    Kind("password_changed", Topic.ACCOUNT, _("Password changed"), BOTH, past_budget=PastBudget.WARNING),
)

SAMPLES: Final[dict[str, Any]] = {
    "code": "483920",
    "link": "https://bala.example.kz/admin/invitation/?link=example",
    "days": 3,
    "minutes": 10,
    "last_day": date(2026, 12, 31),
    "proof": "second_phone",
    "because": "withdrawn",
    "new_password": True,
    "contact": "phone",
    "is_gone": False,
    "is_reset": False,
    "employee": "Ахметова А. Б., әдіскер",
    "role": "білім бөлімінің маманы",
    "actor": "Серікқызы А., жүйе әкімшісі",
    "due_at": datetime(2019, 7, 3, 13, 0, tzinfo=UTC),
}

# The pages to which notices lead, and what their buttons say.
TARGETS: Final = {
    "accounts:sessions": _("Where you are signed in"),
    "accounts:app": _("To the authenticator app"),
    "accounts:email": _("To the e-mail address"),
    "accounts:second_phone": _("To the second phone"),
    "accounts:profile": _("To the profile"),
    "accounts:ways": _("How we reach you"),
    "accounts:push": _("To the devices"),
    "accounts:export": _("To the copy of my data"),
    "accounts:number": _("To the phone number"),
    "accounts:document": _("To the new document"),
    "accounts:stop": _("I don't know this person"),
    "accounts:stop_choose": _("It was not me"),
}
