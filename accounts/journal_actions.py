"""What the journal can say about an account."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.journal import Subject


class Action(models.TextChoices):
    """Registered at start-up with `accounts.journal`."""

    REGISTERED = "registered", _("Registered")
    REGISTERED_BY_EMPLOYEE = "registered_by_employee", _("Registered by an employee of the contact centre")
    PAPER_ASKED_FOR = "paper_asked_for", _("Another paper for the first sign-in asked for")
    PAPER_PRINTED = "paper_printed", _("Paper for the first sign-in printed")
    PAPER_DECLINED = "paper_declined", _("Another paper for the first sign-in declined")
    PAPER_STOPPED = "paper_stopped", _("Another paper for the first sign-in stopped by the account's owner")
    TYPED_CORRECTED = "typed_corrected", _("Data typed from the document corrected by an employee")
    PASSWORD_SET_BY_PAPER = "password_set_by_paper", _("First password set with the paper")
    OWNER_SHUT_OUT = (
        "owner_shut_out",
        _("Somebody whose phone the state knows as that of this account's owner wanted to register"),
    )
    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_IN_BY_IDENTITY = "signed_in_by_identity", _("Signed in through a service of identity")
    SIGNED_OUT = "signed_out", _("Signed out")
    SESSIONS_ENDED = "sessions_ended", _("Signed out on other devices")
    STAFF_SIGN_IN_FAILED = "staff_sign_in_failed", _("Failed sign-in to the workplace")
    STAFF_CODE_WRONG = (
        "staff_code_wrong",
        _("Failed sign-in to the workplace: the password was right, the one-time code was not"),
    )
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    PASSWORD_RESET = "password_reset", _("Password reset by SMS")
    SECOND_FACTOR_RESET = "second_factor_reset", _("Password and second factor of an employee reset")
    EMPLOYEE_INVITED = "employee_invited", _("One-time link for setting up an employee's account made")
    EMPLOYEE_MADE = "employee_made", _("Employee's account made by an operator")
    STAFF_LINK_VOIDED = "staff_link_voided", _("One-time link of an employee made void")
    STAFF_LINK_USED = "staff_link_used", _("Employee's account set up with the one-time link")
    STAFF_IIN_SET = "staff_iin_set", _("IIN of an employee entered")
    SECOND_FACTOR_SET_UP = "second_factor_set_up", _("Authenticator app set up")
    SECOND_WAY_OFF = "second_way_off", _("Authenticator app turned off")
    BACKUP_CODES_RENEWED = "backup_codes_renewed", _("New backup codes of an employee")
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed", _("New recovery codes")
    PROFILE_CHANGED = "profile_changed", _("Profile changed")
    REGISTRY_DATA_CHANGED = "registry_data_changed", _("Data brought up to date with the state registry")
    DOCUMENT_RENEWED = "document_renewed", _("New document entered")
    ACCOUNT_FOUND = "account_found", _("An employee of the contact centre found your account")
    EMAIL_CHANGED = "email_changed", _("E-mail address changed")
    EMAIL_REMOVED = "email_removed", _("E-mail address removed")
    SECOND_PHONE_CHANGED = "second_phone_changed", _("Second phone changed")
    SECOND_PHONE_REMOVED = "second_phone_removed", _("Second phone removed")
    TELEGRAM_CHANGED = "telegram_changed", _("Telegram linked")
    TELEGRAM_REMOVED = "telegram_removed", _("Telegram unlinked")
    PUSH_TURNED_ON = "push_turned_on", _("Notices on the screen of a device turned on")
    PUSH_TURNED_OFF = "push_turned_off", _("Notices on the screen of a device turned off")
    WAYS_CHOSEN = "ways_chosen", _("Ways of notices chosen")
    PHOTO_CHANGED = "photo_changed", _("Photo changed")
    NUMBER_MOVE_ASKED = "number_move_asked", _("Change of the phone number asked for")
    NUMBER_ASKED_BY_PHONE = (
        "number_asked_by_phone",
        _("Change of the phone number asked for, with a code to the second phone"),
    )
    NUMBER_ASKED_BY_EMAIL = (
        "number_asked_by_email",
        _("Change of the phone number asked for, with a code to the e-mail address"),
    )
    NUMBER_MOVE_STOPPED = "number_move_stopped", _("Change of the phone number stopped")
    NUMBER_MOVED = "number_moved", _("Phone number changed")
    NUMBER_CLAIMED = "number_claimed", _("Somebody else claims the phone number and registers with it")
    NUMBER_DISPUTED = "number_disputed", _("The phone number stays until an official decides")
    NUMBER_KEPT = "number_kept", _("The phone number stays, by decision")
    NUMBER_LOST = "number_lost", _("The phone number went to the person who has it now")
    NUMBER_CONFIRMED = "number_confirmed", _("Phone number confirmed by a code")
    PERSONAL_DATA_VIEWED = "personal_data_viewed", _("Personal data viewed by an employee")
    LOOKED_UP = "looked_up", _("An employee looked you up by IIN or document number")
    ACCOUNT_CLOSED = "account_closed", _("Account closed by its owner")
    ACCOUNT_REOPENED = "account_reopened", _("Account opened again by its owner")
    ACCOUNT_FORGOTTEN = "account_forgotten", _("Data of the account erased")
    DATA_ASKED_FOR = "data_asked_for", _("Copy of your data asked for")
    DATA_DOWNLOADED = "data_downloaded", _("Copy of your data downloaded")
    SEARCHED = "searched", _("Search in the workplace")
    AUDIT_EXPORTED = "audit_exported", _("Audit entries downloaded as a file")
    ACCOUNT_BLOCKED = "account_blocked", _("Account blocked by an employee")
    ACCOUNT_UNBLOCKED = "account_unblocked", _("Account opened again by an employee")
    MESSAGE_SENT_AGAIN = "message_sent_again", _("Message sent again by an employee")
    ROW_ADDED = "row_added", _("Added in the workplace")
    ROW_CHANGED = "row_changed", _("Changed in the workplace")
    ROW_DELETED = "row_deleted", _("Deleted in the workplace")


class Former(models.TextChoices):
    """What only older entries say; nothing writes it any more."""

    CONTACT_CHANGED = "contact_changed", _("E-mail or second phone changed")


# What nobody signed in has done: where no actor is written, it was a visitor and not the portal.
BY_VISITORS: Final = frozenset(
    {
        Action.STAFF_SIGN_IN_FAILED,
        Action.STAFF_CODE_WRONG,
        Action.OWNER_SHUT_OUT,
        Action.NUMBER_MOVE_ASKED,
        Action.NUMBER_ASKED_BY_PHONE,
        Action.NUMBER_ASKED_BY_EMAIL,
        Action.NUMBER_CLAIMED,
    }
)

# What each action is about.
ABOUT: Final = {
    Action.REGISTERED: Subject.ACCOUNTS,
    Action.REGISTERED_BY_EMPLOYEE: Subject.ACCOUNTS,
    Action.PAPER_ASKED_FOR: Subject.ACCOUNTS,
    Action.PAPER_PRINTED: Subject.ACCOUNTS,
    Action.PAPER_DECLINED: Subject.ACCOUNTS,
    Action.PAPER_STOPPED: Subject.ACCOUNTS,
    Action.TYPED_CORRECTED: Subject.ACCOUNTS,
    Action.PASSWORD_SET_BY_PAPER: Subject.SIGNING_IN,
    Action.OWNER_SHUT_OUT: Subject.ACCOUNTS,
    Action.SIGNED_IN: Subject.SIGNING_IN,
    Action.SIGNED_IN_BY_IDENTITY: Subject.SIGNING_IN,
    Action.SIGNED_OUT: Subject.SIGNING_IN,
    Action.SESSIONS_ENDED: Subject.SIGNING_IN,
    Action.STAFF_SIGN_IN_FAILED: Subject.SIGNING_IN,
    Action.STAFF_CODE_WRONG: Subject.SIGNING_IN,
    Action.PASSWORD_CHANGED: Subject.SIGNING_IN,
    Action.PASSWORD_RESET: Subject.SIGNING_IN,
    Action.SECOND_FACTOR_RESET: Subject.SIGNING_IN,
    Action.EMPLOYEE_INVITED: Subject.WORKPLACE,
    Action.EMPLOYEE_MADE: Subject.WORKPLACE,
    Action.STAFF_LINK_VOIDED: Subject.WORKPLACE,
    Action.STAFF_LINK_USED: Subject.SIGNING_IN,
    Action.STAFF_IIN_SET: Subject.WORKPLACE,
    Action.SECOND_FACTOR_SET_UP: Subject.SIGNING_IN,
    Action.SECOND_WAY_OFF: Subject.SIGNING_IN,
    Action.BACKUP_CODES_RENEWED: Subject.SIGNING_IN,
    Action.RECOVERY_CODES_RENEWED: Subject.SIGNING_IN,
    Action.PROFILE_CHANGED: Subject.ACCOUNTS,
    Action.REGISTRY_DATA_CHANGED: Subject.ACCOUNTS,
    Action.DOCUMENT_RENEWED: Subject.ACCOUNTS,
    Action.ACCOUNT_FOUND: Subject.LOOKS,
    Action.EMAIL_CHANGED: Subject.ACCOUNTS,
    Action.EMAIL_REMOVED: Subject.ACCOUNTS,
    Action.SECOND_PHONE_CHANGED: Subject.ACCOUNTS,
    Action.SECOND_PHONE_REMOVED: Subject.ACCOUNTS,
    Action.TELEGRAM_CHANGED: Subject.ACCOUNTS,
    Action.TELEGRAM_REMOVED: Subject.ACCOUNTS,
    Action.PUSH_TURNED_ON: Subject.ACCOUNTS,
    Action.PUSH_TURNED_OFF: Subject.ACCOUNTS,
    Action.WAYS_CHOSEN: Subject.ACCOUNTS,
    Action.PHOTO_CHANGED: Subject.ACCOUNTS,
    Action.NUMBER_MOVE_ASKED: Subject.ACCOUNTS,
    Action.NUMBER_ASKED_BY_PHONE: Subject.ACCOUNTS,
    Action.NUMBER_ASKED_BY_EMAIL: Subject.ACCOUNTS,
    Action.NUMBER_MOVE_STOPPED: Subject.ACCOUNTS,
    Action.NUMBER_MOVED: Subject.ACCOUNTS,
    Action.NUMBER_CLAIMED: Subject.ACCOUNTS,
    Action.NUMBER_DISPUTED: Subject.ACCOUNTS,
    Action.NUMBER_KEPT: Subject.ACCOUNTS,
    Action.NUMBER_LOST: Subject.ACCOUNTS,
    Action.NUMBER_CONFIRMED: Subject.ACCOUNTS,
    Action.PERSONAL_DATA_VIEWED: Subject.LOOKS,
    Action.LOOKED_UP: Subject.LOOKS,
    Action.ACCOUNT_CLOSED: Subject.ACCOUNTS,
    Action.ACCOUNT_REOPENED: Subject.ACCOUNTS,
    Action.ACCOUNT_FORGOTTEN: Subject.ACCOUNTS,
    Action.DATA_ASKED_FOR: Subject.ACCOUNTS,
    Action.DATA_DOWNLOADED: Subject.ACCOUNTS,
    Action.SEARCHED: Subject.LOOKS,
    Action.AUDIT_EXPORTED: Subject.LOOKS,
    Action.ACCOUNT_BLOCKED: Subject.WORKPLACE,
    Action.ACCOUNT_UNBLOCKED: Subject.WORKPLACE,
    Action.MESSAGE_SENT_AGAIN: Subject.WORKPLACE,
    Action.ROW_ADDED: Subject.WORKPLACE,
    Action.ROW_CHANGED: Subject.WORKPLACE,
    Action.ROW_DELETED: Subject.WORKPLACE,
}
