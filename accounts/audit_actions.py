"""Everything the audit log and a parent's journal can say, in one list."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    REGISTERED = "registered", _("Registered")
    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_OUT = "signed_out", _("Signed out")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    PASSWORD_RESET = "password_reset", _("Password reset by SMS")
    PROFILE_CHANGED = "profile_changed", _("Profile changed")
    PHOTO_CHANGED = "photo_changed", _("Photo changed")
    CHILD_ADDED = "child_added", _("Child added")
    APPLICATION_FILED = "application_filed", _("Application filed")
    APPLICATION_ARCHIVED = "application_archived", _("Application moved to the archive")
    APPLICATION_RESTORED = "application_restored", _("Application restored from the archive")
    INTEREST_CONFIRMED = "interest_confirmed", _("Interest in a place confirmed")
    BID_PLACED = "bid_placed", _("Bid for a place sent")
    BID_WITHDRAWN = "bid_withdrawn", _("Bid for a place withdrawn")
    BID_ACTIVATED = "bid_activated", _("Bid activated by the kindergarten")
    BID_REJECTED = "bid_rejected", _("Bid refused by the kindergarten")
    BID_LOST = "bid_lost", _("The place went to another child by queue number")
    BID_VOID = "bid_void", _("The place was recalled by the kindergarten")
    REFERRAL_DOWNLOADED = "referral_downloaded", _("Referral downloaded")
    REFERRAL_EXTENDED = "referral_extended", _("Referral extended")
    REFERRAL_EXPIRED = "referral_expired", _("Referral expired")
    REFERRAL_REVOKED = "referral_revoked", _("Referral revoked")
    STOP_STARTED = "stop_started", _("Application put on the stop-list")
    STOP_LIFTED = "stop_lifted", _("Application returned from the stop-list")
    CONTRACT_SIGNED = "contract_signed", _("Contract signed")
    VACANCY_PUBLISHED = "vacancy_published", _("Vacancy published")
    VACANCY_RECALLED = "vacancy_recalled", _("Vacancy recalled")
    PERSONAL_DATA_VIEWED = "personal_data_viewed", _("Personal data viewed by an employee")
    REVIEW_WRITTEN = "review_written", _("Review written")
    REVIEW_MODERATED = "review_moderated", _("Review moderated")
