"""Every reason for which a family or an employee can be refused, in words that say what to do next. Pure."""

from typing import Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(TextChoices):
    # the family's application
    ALREADY_FILED = (
        "already_filed",
        _("This child already has an application. Open it in the list of applications."),
    )
    UNCLAIMED = (
        "unclaimed",
        _(
            "The application of the former queue has to be claimed first: the button is on the child's card in your "
            "account."
        ),
    )
    CLAIMED_ALREADY = (
        "claimed_already",
        _(
            "The application of the former queue has been claimed already. Open it in the list of applications."
        ),
    )
    NOT_PROVEN = (
        "not_proven",
        _(
            "Nothing proves yet that you are the person of the former queue. Come to the education department with "
            "your identity card and the child's birth certificate."
        ),
    )
    AGE = "age", _("By the birth year the child is outside the ages for which places are given.")
    STOP_LISTED = (
        "stop_listed",
        _("The application is on the stop-list. You can apply for a place after it ends."),
    )
    BID_UNDER_WAY = (
        "bid_under_way",
        _("You already sent a bid for a place. Only one can wait at a time."),
    )
    REFERRAL_UNDER_WAY = "referral_under_way", _("You already have a referral to a kindergarten.")
    ENROLLED = "enrolled", _("The contract is signed: the child already has a place.")
    LAPSED = "lapsed", _("Confirm your interest in a place first.")
    ARCHIVED = "archived", _("The application is in the archive.")
    UNDO_OVER = "undo_over", _("The time to restore the application is over. File a new one.")
    NOT_RESTORABLE = (
        "not_restorable",
        _("Only an application that the family moved to the bin itself can be restored. File a new one."),
    )
    INTEREST_NOT_ASKED = (
        "interest_not_asked",
        _("Interest does not have to be confirmed now. The portal writes to you when it is time."),
    )
    GRACE_OVER = (
        "grace_over",
        _("The time to come back to the queue is over. File a new application."),
    )
    TOLD_OTHERWISE = (
        "told_otherwise",
        _("The rule for the date has changed meanwhile. Read the page again before you confirm."),
    )
    TOO_OFTEN = "too_often", _("This has been done too often today. Come back tomorrow.")
    # the match of a child and a place
    OTHER_LOCALITY = "other_locality", _("The place is in another locality than your application names.")
    OTHER_BIRTH_YEAR = "other_birth_year", _("The place is for children of another birth year.")
    OTHER_LANGUAGE = "other_language", _("The place is in a language that your application does not name.")
    # the place
    NOT_PUBLISHED = "not_published", _("This place is not published.")
    RECALLED = "recalled", _("This place was recalled.")
    CLOSED = "closed", _("Bids for this place are no longer accepted.")
    NOT_OPEN_YET = (
        "not_open_yet",
        _("Bids for this place are not accepted yet. Come back at the opening time."),
    )
    FULL = "full", _("All places are taken. Your number in the queue is kept.")
    PAUSED = (
        "paused",
        _(
            "Bidding is paused. Your number is kept. Deadlines move by the time that is lost, and a stopped opening is "
            "announced anew."
        ),
    )
    PRIORITY = "priority", _("Until the priority window ends, the place is only for the first in the queue.")
    REJECTED_HERE = (
        "rejected_here",
        _("Your bid for this place was refused. Choose another one."),
    )
    # a bid or a referral
    BID_ENDED = "bid_ended", _("This bid is no longer pending.")
    NOT_AWARDED_YET = (
        "not_awarded_yet",
        _("Bids are still being collected: places are given after the closing time."),
    )
    STILL_COLLECTING = (
        "still_collecting",
        _(
            "Families count on the announced end, so bids are collected until then. If the places can't be given, "
            "recall them."
        ),
    )
    OFFER_ENDED = (
        "offer_ended",
        _("This place is no longer offered to you. Your number and date in the queue are kept."),
    )
    REFERRAL_ENDED = "referral_ended", _("The referral is no longer valid.")
    ALREADY_EXTENDED = "already_extended", _("The referral was already extended: this can be done only once.")
    EXTENSION_DATE = (
        "extension_date",
        _("Choose a day from the first to the last one to which the referral can be extended."),
    )
    NO_WORKING_DAY = (
        "no_working_day",
        _("There is no working day to which the referral could be extended. Call the contact centre."),
    )
    CAME_IN_FUTURE = "came_in_future", _("The family can't have come later than today.")
    CAME_BEFORE_ISSUE = (
        "came_before_issue",
        _("The family can't have come with a referral before it was issued."),
    )
    CAME_TOO_LATE = "came_too_late", _("That day is later than the last day of the referral.")
    COMING_NOTED = "coming_noted", _("It has been noted already on which day the family came.")
    GONE_ON = (
        "gone_on",
        _("Something else has happened to the application since: this can't be undone any more."),
    )
    PLACE_GONE = (
        "place_gone",
        _(
            "The place is not free any more: another family has it or is offered it, or it was recalled. Nobody loses "
            "a place, so this can't be undone."
        ),
    )
    # a closing of a kindergarten or group
    GROUP_CLOSED = (
        "group_closed",
        _(
            "The kindergarten or the group is closed or about to close: no place is given there until it is opened "
            "again."
        ),
    )
    CLOSED_ALREADY = (
        "closed_already",
        _("It is closed already. Look at that closing: it can be ended, or undone on its first day."),
    )
    STILL_CLOSED = (
        "still_closed",
        _("The whole kindergarten is closed, so the group can't be opened before it."),
    )
    CLOSES_IN_PAST = ("closes_in_past", _("The first day of a closing is today at the earliest."))
    SAME_DAYS = "same_days", _("These are the days that it has.")
    CLOSED_SINCE = (
        "closed_since",
        _("It has begun: its first day can't be changed any more, only the day planned for its opening."),
    )
    REOPENS_TOO_EARLY = (
        "reopens_too_early",
        _("The day on which it is planned to open again is later than the first day of the closing."),
    )
    REOPENS_IN_PAST = "reopens_in_past", _("The day on which it opens again is tomorrow at the earliest.")
    STARTS_TOO_FAR = ("starts_too_far", _("That day is more than three years ahead. Check the year."))
    DAY_TOO_FAR = ("day_too_far", _("That day is more than three years ahead. Check the year."))
    # another group of the same kindergarten
    OTHER_GROUP_NEEDED = (
        "other_group_needed",
        _("Choose another group of the same kindergarten than the one in which the child is."),
    )
    GROUP_FULL = (
        "group_full",
        _(
            "The group has no free place beside the children counted, contracts, referrals, bids and published places. "
            "Nobody loses a place: close a vacancy with free places first, or count the children anew."
        ),
    )
    OTHER_AGE = "other_age", _("The group is for children of another age. Choose a group of the child's age.")
    LANGUAGE_NOT_AGREED = (
        "language_not_agreed",
        _(
            "The application does not name the group's language: tick that the family has agreed to it in writing."
        ),
    )
    NOT_CLOSED = (
        "not_closed",
        _("The child's group is open. A number comes back only where a kindergarten or a group closes."),
    )
    LEFT_IN_FUTURE = (
        "left_in_future",
        _("The day on which the child leaves is entered on that day or later, not before."),
    )
    LEFT_BEFORE = "left_before", _("The child can't have left before the contract was signed.")
    COUNTED_SINCE = (
        "counted_since",
        _(
            "The group's children have been counted without this child since, so this can't be undone any more."
        ),
    )
    COUNT_FIRST = (
        "count_first",
        _(
            "The newest count of the group's children holds this child, and the group is full: count the children anew "
            "without it, then undo the contract."
        ),
    )
    DOCUMENTS_MISSING = "documents_missing", _("Attach at least one supporting document.")
    REASON_MISSING = "reason_missing", _("Give a reason.")
    NOT_ALLOWED = "not_allowed", _("This can't be done in the present state. Refresh the page.")
    # a benefit
    BENEFIT_NOT_OFFERED = (
        "benefit_not_offered",
        _("This benefit can't be claimed any more. Choose another category."),
    )
    BENEFIT_WAITS = "benefit_waits", _("You already asked for this benefit. Wait until it is checked.")
    BENEFIT_COUNTS = "benefit_counts", _("This benefit is already verified: there is no need to ask again.")
    BENEFIT_ENDED = (
        "benefit_ended",
        _("This benefit has already been decided on, withdrawn or has expired. Refresh the page."),
    )
    PAPER_OF_LATER = "paper_of_later", _("The paper is of today at the latest. Check the date.")
    PAPER_OVER = (
        "paper_over",
        _(
            "Counted from its date the paper is valid no longer. Reject the claim: the family can send a newer one."
        ),
    )
    TOO_MANY_CLAIMS = "too_many_claims", _("Too many claims in one day. Come back tomorrow.")
    OWN_CHILD = (
        "own_child",
        _("This is your own child: somebody else has to decide."),
    )
    # a disputed guardian
    HALTED = (
        "halted",
        _(
            "A guardian of the child is disputed: until an official decides, this can't be done. "
            "Deadlines that need it stand still."
        ),
    )
    DISPUTED = (
        "disputed",
        _(
            "Another guardian of the child does not know you: until an official decides, only the other guardians can "
            "do this."
        ),
    )
    UNPROVEN = (
        "unproven",
        _(
            "“Stop” was pressed, and the state knows neither phone as its owner's: until an official decides, neither "
            "of you can do this."
        ),
    )
    NOT_STOPPABLE = (
        "not_stoppable",
        _("This person can't be stopped here any more. Call the contact centre."),
    )
    ALREADY_DECIDED = (
        "already_decided",
        _("This was already decided by an official. If you disagree, call the contact centre."),
    )
    DECIDED_MEANWHILE = (
        "decided_meanwhile",
        _(
            "Another decision was made meanwhile. Read it on this page; to change it, decide anew with a reason of "
            "your own."
        ),
    )
    ENDED_BY_REGISTRY = (
        "ended_by_registry",
        _(
            "The registry no longer confirms this guardianship: it has ended, and nothing is left that could stand."
        ),
    )
    # a correction of the queue
    NOTHING_TO_CORRECT = (
        "nothing_to_correct",
        _("Give a new time of filing or a new birth year that differs from the present one."),
    )
    FUTURE_FILING = "future_filing", _("The time of filing can't be later than now.")
    FILED_BEFORE_BIRTH = (
        "filed_before_birth",
        _("The time of filing can't be earlier than the birth of the child."),
    )
    ORDER_MISSING = "order_missing", _("Give the number of the order.")
    FUTURE_ORDER = "future_order", _("The date of the order can't be later than today.")
    ORDER_BEFORE_BIRTH = (
        "order_before_birth",
        _("The date of the order can't be earlier than the birth of the child."),
    )
    NAMES_IN_PUBLIC = (
        "names_in_public",
        _("Remove the names of the child and the parents: everyone can read this text."),
    )
    CORRECTION_WAITS = (
        "correction_waits",
        _("A correction of this application already waits for the second official."),
    )
    CORRECTION_DECIDED = "correction_decided", _("This correction is already decided.")
    SAME_OFFICIAL = (
        "same_official",
        _("A correction is decided by another official than the one who proposed it."),
    )
    CORRECTION_OUTDATED = (
        "correction_outdated",
        _("The application changed after this correction was proposed. Decline it and propose a new one."),
    )
    # what one employee proposes and another one decides
    PROPOSAL_WAITS = (
        "proposal_waits",
        _("A proposal for this already waits for a decision. Another can be made once it is decided."),
    )
    PROPOSAL_DECIDED = "proposal_decided", _("This proposal is already decided. Refresh the page.")
    PROPOSAL_WITHDRAWN = (
        "proposal_withdrawn",
        _(
            "This proposal was withdrawn meanwhile, or a changed one took its place: nothing is decided. Its page says "
            "which."
        ),
    )
    COLLEAGUE_PROPOSED = (
        "colleague_proposed",
        _(
            "A colleague sent a proposal of this page while you were writing: nothing of yours is sent. Compare, then "
            "press once more to put yours in its place."
        ),
    )
    OFFICIAL_UNKNOWN = (
        "official_unknown",
        _(
            "The IIN is not entered in your account, so the portal can't tell that two people decide. An administrator "
            "enters it on the page of the account."
        ),
    )
    NOT_EVERYWHERE = (
        "not_everywhere",
        _("It concerns every locality: only who works in all of them can ask for it or allow it."),
    )
    # the former queue's lines and their protocol
    FILE_UNDONE = (
        "file_undone",
        _("The file was undone: nothing is decided about its lines any more."),
    )
    LINE_NOT_LEFT_OUT = (
        "line_not_left_out",
        _("This line was taken in as it stood: there is nothing to decide about it."),
    )
    LINE_UNDECIDED = "line_undecided", _("Nobody has decided about this line. Refresh the page.")
    LINE_ERASED = (
        "line_erased",
        _("What stood in this line is erased: its family files here, or is found among the applications."),
    )
    DECISION_SIGNED = (
        "decision_signed",
        _("The decision is in a signed protocol and can't be taken back any more."),
    )
    CHILD_HERE = (
        "child_here",
        _(
            "This child has an application or a place here already. Decide that the line is the same child as that "
            "application."
        ),
    )
    NO_SUCH_APPLICATION = (
        "no_such_application",
        _("There is no live application with this number where you work. Compare every digit."),
    )
    LINES_UNDECIDED = (
        "lines_undecided",
        _("Lines are left about which nobody has decided yet. Decide about each, then sign."),
    )
    SIGNED_ALREADY = (
        "signed_already",
        _("The protocol is signed, and nothing was decided since: another one would say the same."),
    )
    DECIDED_SINCE = (
        "decided_since",
        _(
            "Decisions about lines were made or taken back since this was proposed. Decline it, and propose the "
            "protocol anew."
        ),
    )
    PROPOSER = "proposer", _("Who proposed it can't decide on it: another official has to.")
    RULES_TOO_EARLY = (
        "rules_too_early",
        _(
            "Promises have been given under the rules in force, so others begin tomorrow at the earliest, and after "
            "the first day of an emergency. Propose them for a later day."
        ),
    )
    # an employee's vacancy
    COUNTED_ANEW = (
        "counted_anew",
        _(
            "The group has been counted anew since, and that count holds: this one would change nothing. Decline it."
        ),
    )
    CHANGED_MEANWHILE = (
        "changed_meanwhile",
        _(
            "Somebody changed this after you had opened the page: nothing has been done. Read it again, then "
            "repeat what is still needed."
        ),
    )
    NOT_A_DRAFT = (
        "not_a_draft",
        _("It is no draft any more: it was published, and may have been recalled or closed since."),
    )
    # an objection to wrong data
    TOO_MANY_OBJECTIONS = (
        "too_many_objections",
        _("Five of your reports wait for an answer already. Wait for one, or call the contact centre."),
    )
    NOT_YOUR_CHILD = "not_your_child", _("This child is not on your list any more. Choose again.")
    OWN_DATA = "own_data", _("It is about yourself, or your own child: another official answers.")
    # a complaint
    TOO_MANY_COMPLAINTS = (
        "too_many_complaints",
        _("Five of your complaints wait for an answer already. Wait for one, or call the contact centre."),
    )
    NO_LONGER_YOURS = "no_longer_yours", _("This application is not on your list any more. Choose again.")
    NOT_ANSWERED_YET = (
        "not_answered_yet",
        _("The complaint waits for an answer: nothing can be said to it yet."),
    )
    COMPLAINT_OVER = (
        "complaint_over",
        _("The complaint is closed, or you have answered already. Write a new one if something is wrong."),
    )
    NOT_YOURS_TO_ANSWER = (
        "not_yours_to_answer",
        _(
            "Another official answers: it is about yourself or your own child, or the family disagrees with you."
        ),
    )
    # a guardian by papers
    CLAIM_WAITS = (
        "claim_waits",
        _("You have handed in papers for this child already: they wait for a decision."),
    )
    TOO_MANY_GUARDIAN_CLAIMS = (
        "too_many_guardian_claims",
        _("Papers for three children wait for a decision already. Wait for it, then hand in the next ones."),
    )
    ALREADY_GUARDIAN = "already_guardian", _("This child is already on your list")
    GUARDIAN_BARRED = (
        "guardian_barred",
        _("An official decides, or has decided, about a guardian of this child. Call the contact centre."),
    )
    ACCOUNT_CLOSED = (
        "account_closed",
        _(
            "The account is blocked, or its owner has closed it and can open it again within 30 days. Nothing can be "
            "approved for it now."
        ),
    )
    NOT_CHECKED_YET = "not_checked_yet", _("The first official has to check the papers before.")
    NOT_BY_THE_SAME = "not_by_the_same", _("You checked the papers: another official has to approve.")
    CLAIM_DIFFERS = (
        "claim_differs",
        _(
            "The child with this IIN or certificate is here already, born on another day. Compare the papers, and "
            "refuse them if they are about another child."
        ),
    )
    IIN_NOT_OF_CHILD = (
        "iin_not_of_child",
        _(
            "The state registry does not know this IIN as that of your child with this birth date. Check the IIN. If "
            "it is right, call the contact centre."
        ),
    )
    HAS_IIN = "has_iin", _("The child has an IIN already.")
    TWO_APPLICATIONS = (
        "two_applications",
        _(
            "Another guardian has added this child by its IIN and filed an application, which is on your list now, "
            "too. Move the later of the two applications to the bin, then enter the IIN here again."
        ),
    )
    # the portal
    PREVIEW = "preview", _("The portal is not open yet: the queue is still kept in the old one.")
    NO_PUBLICATION_YET = (
        "no_publication_yet",
        _(
            "The portal is not open yet. Keep the draft, and publish it after the opening: who is first in the queue "
            "is decided at publication."
        ),
    )
    CALENDAR = (
        "calendar",
        _("The calendar of working days doesn't reach that far. Ask an official to add the year."),
    )
    NO_LAST_DAY = (
        "no_last_day",
        _(
            "The last day for the kindergarten's answer can't be set now, so nothing was sent. Your number is kept. "
            "Call the contact centre."
        ),
    )
    BUSY = "busy", _("Too many people are pressing at this moment. Press once more.")

    @property
    def at_work(self) -> str:
        """The words for an employee: what is said to a family in the second person is told of it."""
        return str(AT_WORK.get(self, self.label))


# For employees, whom nobody can send to the contact centre or to a family's own lists.
AT_WORK: Final[dict[Refusal, str | Promise]] = {
    Refusal.ALREADY_FILED: _(
        "This child already has an application: its guardians see it in their cabinets."
    ),
    Refusal.UNCLAIMED: _("The family has to claim this application of the former queue first."),
    Refusal.STOP_LISTED: _("The application is on the stop-list: nobody applies with it before that ends."),
    Refusal.BID_UNDER_WAY: _("The family has sent a bid already. Only one can wait at a time."),
    Refusal.REFERRAL_UNDER_WAY: _("The family has a referral to a kindergarten already."),
    Refusal.FULL: _("All places are taken."),
    Refusal.PAUSED: _("Bidding is paused."),
    Refusal.NO_WORKING_DAY: _(
        "There is no working day to which the referral could be extended: the calendar must be continued."
    ),
    Refusal.DISPUTED: _(
        "Another guardian of the child does not know this one: until the dispute is decided, only the others can do "
        "this."
    ),
    Refusal.UNPROVEN: _(
        "“Stop” was pressed, and the state knows neither phone as its owner's: neither side can do this until the "
        "dispute is decided."
    ),
    Refusal.NOT_STOPPABLE: _("This guardian can't be stopped any more."),
    Refusal.ALREADY_DECIDED: _("A colleague has decided this already: the page says what, when and why."),
    Refusal.CLAIM_WAITS: _(
        "The same person has handed in papers for this child already: those are decided first."
    ),
    Refusal.ALREADY_GUARDIAN: _("This person is a guardian of the child already."),
    Refusal.GUARDIAN_BARRED: _(
        "There is a dispute about a guardian of this child, or it was decided: look at it before anybody is added."
    ),
    Refusal.NO_LAST_DAY: _(
        "The last day for the kindergarten's answer can't be set: the calendar of working days must be continued."
    ),
}
