"""What the journal can say about an application, from filing to the contract."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Registered at start-up with `accounts.journal`."""

    REFERRAL_HELD = "referral_held", _("The last day of the referral stands still")
    REFERRAL_RESUMED = "referral_resumed", _("The last day of the referral counts again")
    APPLICATION_FILED = "application_filed", _("Application filed")
    APPLICATION_ARCHIVED = "application_archived", _("Application moved to the archive")
    APPLICATION_RESTORED = "application_restored", _("Application restored from the archive")
    INTEREST_CONFIRMED = "interest_confirmed", _("Interest in a place confirmed")
    INTEREST_LAPSED = "interest_lapsed", _("Interest was not confirmed in time")
    AGED_OUT = "aged_out", _("Application closed: the child has reached school age")
    BENEFIT_CLAIMED = "benefit_claimed", _("Benefit claimed")
    BENEFIT_VERIFIED = "benefit_verified", _("Benefit verified")
    BENEFIT_REJECTED = "benefit_rejected", _("Benefit rejected")
    BENEFIT_WITHDRAWN = "benefit_withdrawn", _("Benefit withdrawn")
    BENEFIT_EXPIRED = "benefit_expired", _("Benefit expired")
    LANGUAGES_CHANGED = "languages_changed", _("Languages of education changed")
    LOCALITY_CHANGED = "moved_house", _("Application moved to another locality")
    CORRECTION_PROPOSED = "correction_proposed", _("Correction of the queue proposed")
    CORRECTION_APPROVED = "correction_approved", _("Correction of the queue approved")
    CORRECTION_DECLINED = "correction_declined", _("Correction of the queue declined")
    BID_PLACED = "bid_placed", _("Bid for a place sent")
    BID_WITHDRAWN = "bid_withdrawn", _("Bid for a place withdrawn")
    BID_ACTIVATED = "bid_activated", _("Bid activated by the kindergarten")
    BID_REJECTED = "bid_rejected", _("Bid refused by the kindergarten")
    BID_AWARDED = "bid_awarded", _("The child got the place by queue number")
    BID_LOST = "bid_lost", _("The place went to another child by queue number")
    BID_VOID = "bid_void", _("The place was recalled by the kindergarten")
    REFERRAL_DOWNLOADED = "referral_downloaded", _("Referral downloaded")
    REFERRAL_EXTENDED = "referral_extended", _("Referral extended")
    REFERRAL_LENGTHENED = "referral_lengthened", _("Last day of the referral moved by a day off")
    REFERRAL_EXPIRED = "referral_expired", _("Referral expired")
    REFERRAL_REVOKED = "referral_revoked", _("Referral revoked")
    STOP_STARTED = "stop_started", _("Application put on the stop-list")
    STOP_LIFTED = "stop_lifted", _("Application returned from the stop-list")
    CONTRACT_SIGNED = "contract_signed", _("Contract signed")
    RULES_PROPOSED = "rules_proposed", _("Rules proposed")
    RULES_APPROVED = "rules_approved", _("Rules approved")
    RULES_DECLINED = "rules_declined", _("Rules declined")
