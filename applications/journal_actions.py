"""What the journal can say about an application, from filing to the contract."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.journal import Subject


class Action(models.TextChoices):
    """Registered at start-up with `accounts.journal`."""

    REFERRAL_HELD = "referral_held", _("The last day of the referral stands still")
    REFERRAL_RESUMED = "referral_resumed", _("The last day of the referral counts again")
    FILED_BY_EMPLOYEE = "filed_by_employee", _("Application filed by an employee of the contact centre")
    APPLICATION_FILED = "application_filed", _("Application filed")
    APPLICATION_CLAIMED = "application_claimed", _("Application of the former queue claimed")
    CLAIMED_BY_OFFICIAL = (
        "application_claimed_by",
        _("Application of the former queue claimed for a guardian by an official"),
    )
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
    BID_ACTIVATED_LATE = (
        "bid_activated_late",
        _("Bid activated by the education department: the kindergarten had not answered in time"),
    )
    BID_REJECTED_LATE = (
        "bid_rejected_late",
        _("Bid refused by the education department: the kindergarten had not answered in time"),
    )
    BID_ACTIVATED_FOR = (
        "bid_activated_for",
        _("Bid activated by the education department: nobody else in the kindergarten could decide"),
    )
    BID_REJECTED_FOR = (
        "bid_rejected_for",
        _("Bid refused by the education department: nobody else in the kindergarten could decide"),
    )
    BID_AWARDED = "bid_awarded", _("The child got the place by queue number")
    BID_LOST = "bid_lost", _("The place went to another child by queue number")
    BID_VOID = "bid_void", _("The place was recalled")
    BID_CLOSED = "bid_closed", _("Bid ended without a penalty: the kindergarten or the group closes")
    BID_RETURNED = "bid_returned", _("The closing was undone: the bid is valid again")
    PLACE_OFFERED = "place_offered", _("A place that was given back is offered to the family")
    OFFER_ACCEPTED = "offer_accepted", _("Offered place accepted")
    OFFER_DECLINED = "offer_declined", _("Offered place declined")
    OFFER_HELD = "offer_held", _("The last day to answer the offer stands still")
    OFFER_RESUMED = "offer_resumed", _("The last day to answer the offer counts again")
    OFFER_ENDED = "offer_ended", _("The offer of a place has ended")
    REFERRAL_DOWNLOADED = "referral_downloaded", _("Referral downloaded")
    REFERRAL_EXTENDED = "referral_extended", _("Referral extended")
    REFERRAL_LENGTHENED = "referral_lengthened", _("Last day of the referral moved by a day off")
    COMING_NOTED = "coming_noted", _("The kindergarten noted that the family came with its papers")
    COMING_TAKEN_BACK = (
        "coming_taken_back",
        _("It was noted by mistake that the family came: the referral has its last day of before"),
    )
    COMING_CONFIRMED = "coming_confirmed", _("The referral is valid again: the family had come in time")
    REFERRAL_EXPIRED = "referral_expired", _("Referral expired")
    REFERRAL_REVOKED = "referral_revoked", _("Referral revoked")
    REFERRAL_CLOSED = (
        "referral_closed",
        _("Referral ended without a penalty: the kindergarten or the group closes"),
    )
    REFERRAL_RETURNED = "referral_returned", _("The closing was undone: the referral is valid again")
    STOP_STARTED = "stop_started", _("Application put on the stop-list")
    STOP_LIFTED = "stop_lifted", _("Application returned from the stop-list")
    CONTRACT_SIGNED = "contract_signed", _("Contract signed")
    CONTRACT_NUMBER_CORRECTED = "contract_number_corrected", _("Number of the contract corrected")
    CLAIM_HANDED_IN = "claim_handed_in", _("Papers of a guardian handed in")
    CLAIM_CHECKED = "claim_checked", _("Papers of a guardian checked")
    CLAIM_APPROVED = "claim_approved", _("Guardian approved by papers")
    CLAIM_REFUSED = "claim_refused", _("Papers of a guardian refused")
    IIN_JOINED = "iin_joined", _("IIN of a child entered")
    OBJECTION_SENT = "objection_sent", _("Wrong data reported")
    OBJECTION_ANSWERED = "objection_answered", _("Report of wrong data answered")
    COMPLAINT_SENT = "complaint_sent", _("Complaint sent")
    COMPLAINT_ANSWERED = "complaint_answered", _("Complaint answered")
    COMPLAINT_LATE = "complaint_late", _("The answer to a complaint is late: officials are told")
    COMPLAINT_NOT_SOLVED = "complaint_not_solved", _("Complaint not solved: sent to another official")
    COMPLAINT_CLOSED = "complaint_closed", _("Complaint closed: solved")
    REFUSAL_UNDONE = "refusal_undone", _("The refusal of the bid was a mistake and is undone")
    REVOCATION_UNDONE = "revocation_undone", _("The referral was revoked by mistake and is valid again")
    TOLD_OF_CLOSING = "told_of_closing", _("Told that the child's kindergarten or group closes")
    TOLD_OF_REOPENING = (
        "told_of_reopening",
        _("Told that the child's kindergarten or group does not stay closed"),
    )
    CONTRACT_UNDONE = "contract_undone", _("The contract was a mistake and is undone")
    TRANSFERRED = "transferred", _("The child moved to another group of the kindergarten")
    TRANSFERRED_BY_CONSENT = (
        "transferred_by_consent",
        _("The child moved to another group; the family agreed in writing to its language"),
    )
    TRANSFER_UNDONE = "transfer_undone", _("The move to another group was a mistake and is undone")
    RETURNED_TO_QUEUE = (
        "returned_to_queue",
        _("The group closes: the child is in the queue again, at its original date"),
    )
    CONTRACT_ENDED = "contract_ended", _("The child left the kindergarten: the contract has ended")
    LEAVING_UNDONE = "leaving_undone", _("The contract was ended by mistake and goes on")
    UNDO_ASKED = "undo_asked", _("Asked to undo what was done by mistake")
    UNDO_APPROVED = "undo_approved", _("Request to undo approved")
    UNDO_DECLINED = "undo_declined", _("Request to undo declined")
    UNDO_ENDED = "undo_ended", _("Request to undo closed by itself: the referral has ended")
    RULES_PROPOSED = "rules_proposed", _("Rules proposed")
    RULES_APPROVED = "rules_approved", _("Rules approved")
    RULES_PUT_OFF = "rules_put_off", _("Planned rules put off by an emergency")
    RULES_DECLINED = "rules_declined", _("Rules declined")
    GROUP_PROPOSED = "group_proposed", _("Data of a group proposed")
    GROUP_CONFIRMED = "group_confirmed", _("Data of a group confirmed")
    GROUP_DECLINED = "group_declined", _("Data of a group declined")
    PAGE_PROPOSED = "page_proposed", _("Page of a kindergarten proposed")
    PAGE_CONFIRMED = "page_confirmed", _("Page of a kindergarten confirmed")
    PAGE_WITHDRAWN = "page_withdrawn", _("Proposal of a kindergarten's page withdrawn")
    PAGE_DECLINED = "page_declined", _("Page of a kindergarten declined")
    CHILDREN_COUNTED = "children_counted", _("Children of a group counted")
    COUNT_CONFIRMED = "count_confirmed", _("Count of a group's children confirmed")
    LOOKED_ON_CALL = "looked_on_call", _("An employee looked at the family's data, because the family called")
    LOOKED_FOR_LETTER = (
        "looked_for_letter",
        _("An employee looked at the family's data, because of a letter or a visit"),
    )
    LOOKED_FOR_CHECK = "looked_for_check", _("An employee looked at the family's data to check something")
    LOOKED_OTHERWISE = "looked_otherwise", _("An employee looked at the family's data for another reason")
    ROSTER_TAKEN = "roster_taken", _("A list of children opened or downloaded")
    FOUND_FAMILY = "found_family", _("An employee's search found the family")
    CALENDAR_ADDRESS_MADE = "calendar_address_made", _("Address for a calendar made")
    CALENDAR_ADDRESS_TAKEN_AWAY = "calendar_address_taken", _("Address for a calendar taken away")
    SENT_AGAIN = "sent_again", _("An employee had a message sent again")
    COUNT_DECLINED = "count_declined", _("Count of a group's children declined")
    LINE_TAKEN_IN = "line_taken_in", _("Line of the former queue taken in with corrected values")
    LINE_LEFT_OUT = "line_left_out", _("Line of the former queue left out for good")
    LINE_LINKED = "line_linked", _("Line of the former queue is the same child as an application here")
    LINE_TAKEN_BACK = "line_taken_back", _("Decision about a line of the former queue taken back")
    PROTOCOL_PROPOSED = "protocol_proposed", _("Protocol of the former queue proposed")
    PROTOCOL_SIGNED = "protocol_signed", _("Protocol of the former queue signed")
    PROTOCOL_DECLINED = "protocol_declined", _("Protocol of the former queue declined")
    CITY_EXPORT_ASKED = "city_export_asked", _("Export of the whole city asked for")
    CITY_EXPORT_ALLOWED = "city_export_allowed", _("Export of the whole city allowed")
    CITY_EXPORT_DECLINED = "city_export_declined", _("Export of the whole city declined")
    CITY_EXPORTED = "city_exported", _("The whole city exported to an encrypted file")
    CITY_IMPORTED = "city_imported", _("The whole city imported from an encrypted file")


_LOOKS = (
    Action.LOOKED_ON_CALL,
    Action.LOOKED_FOR_LETTER,
    Action.LOOKED_FOR_CHECK,
    Action.LOOKED_OTHERWISE,
    Action.ROSTER_TAKEN,
    Action.FOUND_FAMILY,
)
_WORKPLACE = (
    Action.CITY_EXPORT_ASKED,
    Action.CITY_EXPORT_ALLOWED,
    Action.CITY_EXPORT_DECLINED,
    Action.CITY_EXPORTED,
    Action.CITY_IMPORTED,
)
SUBJECTS = {
    **dict.fromkeys(Action, Subject.APPLICATIONS),
    **dict.fromkeys(_LOOKS, Subject.LOOKS),
    **dict.fromkeys(_WORKPLACE, Subject.WORKPLACE),
}
