"""The states of everything a family goes through, and the moves that are allowed. Pure.

A move is made with `applications.moves` and nothing else; `docs/states.md` shows the table below as a picture.
"""

from collections.abc import Mapping
from typing import Final

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ApplicationState(TextChoices):
    WAITING = "waiting", _("Waiting for a place")
    BID_PLACED = "bid_placed", _("Waiting for the kindergarten's answer")
    REFERRED = "referred", _("Referral issued")
    ENROLLED = "enrolled", _("Contract signed")
    STOP_LISTED = "stop_listed", _("On the stop-list")
    LAPSED = "lapsed", _("Interest not confirmed")
    ARCHIVED = "archived", _("In the archive")


def label_of(state: str, *, is_collected: bool) -> str:
    """The state of an application in words. With a bid that is collected nobody has anything to answer yet."""
    if state == ApplicationState.BID_PLACED and is_collected:
        return gettext("Waiting for the end of acceptance")
    return str(ApplicationState(state).label)


class BidState(TextChoices):
    PENDING = "pending", _("waits for activation")
    ACTIVATED = "activated", _("activated")
    REJECTED = "rejected", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn by the family")
    LOST = "lost", _("not awarded")
    VOID = "void", _("place recalled")


class StandIn(TextChoices):
    """Why an official decided in place of the kindergarten."""

    LATE = "late", _("the kindergarten had not answered in time")
    NOBODY_ELSE = (
        "nobody_else",
        _("nobody in the kindergarten could decide: it is about a child of their own"),
    )
    NOBODY = "nobody", _("nobody works in the kindergarten who could decide")
    DEPARTMENT = "department", _("the kindergarten could still have decided itself")


class OfferState(TextChoices):
    """Of a place that was given back after an award by number: it goes from one family to the next."""

    SEEKING = "seeking", _("looks for the next in the queue")
    OFFERED = "offered", _("offered to the family")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    UNANSWERED = "unanswered", _("not answered in time")
    VOID = "void", _("no longer possible for the family")
    NOBODY = "nobody", _("nobody is left to offer it to")
    RECALLED = "recalled", _("place recalled")


# An offer in these states holds a place of its vacancy.
LIVE_OFFERS: Final = (OfferState.SEEKING, OfferState.OFFERED)


class ReferralState(TextChoices):
    ISSUED = "issued", _("issued")
    SIGNED = "signed", _("contract signed")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")
    ENDED = "ended", _("contract ended")


# A family can download the paper of these; the others have none.
HAS_PAPER: Final = frozenset({ReferralState.ISSUED, ReferralState.SIGNED, ReferralState.ENDED})


class Tier(IntegerChoices):
    """The part of the queue in which an application stands; smaller comes first."""

    EXTRAORDINARY = 0, _("extraordinary")
    PRIORITY = 1, _("priority")
    GENERAL = 2, _("general")


# A child keeps its number until it is enrolled or leaves, even while a bid or a referral is under way:
# the queue advances only when a child is actually enrolled.
QUEUED_STATES = (ApplicationState.WAITING, ApplicationState.BID_PLACED, ApplicationState.REFERRED)

# One live application per child: every state but the final ones.
LIVE_STATES = (*QUEUED_STATES, ApplicationState.STOP_LISTED, ApplicationState.LAPSED)
# A child with an application in one of these comes in by no file: who is enrolled has a place.
HERE: Final = (*LIVE_STATES, ApplicationState.ENROLLED)


class Move(TextChoices):
    """What can happen to an application; stored in its events."""

    FILE = "file", _("Application filed")
    IMPORT = "import", _("Brought in from the former queue")
    CLAIM = "claim", _("The family claimed its application of the former queue")
    TAKE_IMPORT_BACK = "take_import_back", _("It was brought in from the former queue by mistake")
    CHANGE_IMPORT = "change_import", _("Changed by a newer file of the former queue")
    STOP_IMPORT = "stop_import", _("By a newer file of the former queue it waits outside of the queue")
    DROP_IMPORT = "drop_import", _("A newer file of the former queue has it no more")
    RETURN_IMPORT = "return_import", _("The newer file of the former queue was undone: it is back")
    PLACE_BID = "place_bid", _("Bid for a place sent")
    WITHDRAW_BID = "withdraw_bid", _("Bid for a place withdrawn")
    REJECT_BID = "reject_bid", _("Bid refused")
    LOSE_BID = "lose_bid", _("The place went to another child by queue number")
    VOID_BID = "void_bid", _("The place was recalled")
    OFFER_PLACE = "offer_place", _("A place that was given back is offered to the family")
    ACCEPT_OFFER = "accept_offer", _("Offered place accepted")
    DECLINE_OFFER = "decline_offer", _("Offered place declined")
    END_OFFER = "end_offer", _("The offer of a place has ended")
    ISSUE_REFERRAL = "issue_referral", _("Referral issued")
    EXTEND_REFERRAL = "extend_referral", _("Referral extended")
    NOTE_COMING = "note_coming", _("The kindergarten noted that the family came with its papers")
    TAKE_COMING_BACK = (
        "take_coming_back",
        _("It was noted by mistake that the family came: the referral has its last day of before"),
    )
    CONFIRM_COMING = "confirm_coming", _("The referral is valid again: the family had come in time")
    LENGTHEN_REFERRAL = "lengthen_referral", _("Last day of the referral moved by a day off")
    REVOKE_REFERRAL = "revoke_referral", _("Referral revoked")
    UNDO_REFUSAL = "undo_refusal", _("The refusal of the bid was a mistake and is undone")
    RESTORE_BID = "restore_bid", _("The closing was undone: the bid is valid again")
    UNDO_REVOCATION = "undo_revocation", _("The referral was revoked by mistake and is valid again")
    UNDO_CLOSING = "undo_closing", _("The closing was undone: the referral is valid again")
    UNDO_CONTRACT = "undo_contract", _("The contract was a mistake and is undone")
    EXPIRE_REFERRAL = "expire_referral", _("Referral expired")
    LIFT_STOP = "lift_stop", _("Application returned from the stop-list")
    SIGN_CONTRACT = "sign_contract", _("Contract signed")
    TRANSFER = "transfer", _("The child moved to another group of the kindergarten")
    UNDO_TRANSFER = "undo_transfer", _("The move to another group was a mistake and is undone")
    RETURN_TO_QUEUE = (
        "return_to_queue",
        _("The group closes: the child is in the queue again, at its original date"),
    )
    END_CONTRACT = "end_contract", _("The child left the kindergarten: the contract has ended")
    UNDO_LEAVING = "undo_leaving", _("The contract was ended by mistake and goes on")
    CONFIRM_INTEREST = "confirm_interest", _("Interest in a place confirmed")
    LAPSE = "lapse", _("Interest was not confirmed in time")
    END_LAPSED = "end_lapsed", _("The time to confirm interest is over")
    AGE_OUT = "age_out", _("The child has reached school age")
    VERIFY_BENEFIT = "verify_benefit", _("Benefit verified")
    END_BENEFIT = "end_benefit", _("Benefit no longer counts")
    CHANGE_LANGUAGES = "change_languages", _("Languages of education changed")
    CHANGE_LOCALITY = "move_house", _("Moved to another locality")
    CORRECT = "correct", _("Corrected by an official decision")
    ARCHIVE = "archive", _("Application moved to the archive")
    RESTORE = "restore", _("Application restored from the archive")


# With one of these an application begins: there is no state before it.
FIRST_MOVES: Final = (Move.FILE, Move.IMPORT)

_S = ApplicationState

# move -> (states from which it may be made, state after it; None: the state stays as it is)
MOVES: dict[Move, tuple[tuple[ApplicationState, ...], ApplicationState | None]] = {
    Move.CLAIM: ((_S.WAITING,), None),
    Move.TAKE_IMPORT_BACK: ((_S.WAITING, _S.STOP_LISTED), _S.ARCHIVED),
    Move.CHANGE_IMPORT: ((_S.WAITING, _S.STOP_LISTED), None),
    Move.STOP_IMPORT: ((_S.WAITING,), _S.STOP_LISTED),
    Move.DROP_IMPORT: ((_S.WAITING, _S.STOP_LISTED), _S.ARCHIVED),
    Move.RETURN_IMPORT: ((_S.ARCHIVED,), _S.WAITING),
    Move.PLACE_BID: ((_S.WAITING,), _S.BID_PLACED),
    Move.WITHDRAW_BID: ((_S.BID_PLACED,), _S.WAITING),
    Move.REJECT_BID: ((_S.BID_PLACED,), _S.WAITING),
    Move.LOSE_BID: ((_S.BID_PLACED,), _S.WAITING),
    Move.VOID_BID: ((_S.BID_PLACED,), _S.WAITING),
    Move.OFFER_PLACE: ((_S.WAITING,), None),
    Move.ACCEPT_OFFER: ((_S.WAITING,), _S.BID_PLACED),
    Move.DECLINE_OFFER: ((_S.WAITING,), None),
    # Whatever became of the application meanwhile, the place goes on. So this may be the newest event of any
    # application, also of one that has left: who asks how it came to its state passes over it (`filing.last_moves`),
    # and who asks for one move asks for it by name.
    Move.END_OFFER: (tuple(_S), None),
    Move.ISSUE_REFERRAL: ((_S.BID_PLACED,), _S.REFERRED),
    Move.EXTEND_REFERRAL: ((_S.REFERRED,), _S.REFERRED),
    Move.LENGTHEN_REFERRAL: ((_S.REFERRED,), _S.REFERRED),
    Move.NOTE_COMING: ((_S.REFERRED,), _S.REFERRED),
    Move.TAKE_COMING_BACK: ((_S.REFERRED,), _S.REFERRED),
    Move.CONFIRM_COMING: ((_S.STOP_LISTED,), _S.REFERRED),
    Move.REVOKE_REFERRAL: ((_S.REFERRED,), _S.WAITING),
    Move.UNDO_REFUSAL: ((_S.WAITING,), _S.BID_PLACED),
    Move.RESTORE_BID: ((_S.WAITING,), _S.BID_PLACED),
    Move.UNDO_REVOCATION: ((_S.WAITING,), _S.REFERRED),
    Move.UNDO_CLOSING: ((_S.WAITING,), _S.REFERRED),
    Move.UNDO_CONTRACT: ((_S.ENROLLED,), _S.REFERRED),
    Move.EXPIRE_REFERRAL: ((_S.REFERRED,), _S.STOP_LISTED),
    Move.LIFT_STOP: ((_S.STOP_LISTED,), _S.WAITING),
    Move.SIGN_CONTRACT: ((_S.REFERRED,), _S.ENROLLED),
    Move.TRANSFER: ((_S.ENROLLED,), _S.ENROLLED),
    Move.UNDO_TRANSFER: ((_S.ENROLLED,), _S.ENROLLED),
    Move.RETURN_TO_QUEUE: ((_S.ENROLLED,), _S.WAITING),
    Move.END_CONTRACT: ((_S.ENROLLED,), _S.ARCHIVED),
    # From `waiting`, where the family had its number back because the group closed.
    Move.UNDO_LEAVING: ((_S.ARCHIVED, _S.WAITING), _S.ENROLLED),
    Move.CONFIRM_INTEREST: ((_S.WAITING, _S.LAPSED), _S.WAITING),
    Move.LAPSE: ((_S.WAITING,), _S.LAPSED),
    Move.END_LAPSED: ((_S.LAPSED,), _S.ARCHIVED),
    Move.AGE_OUT: ((_S.WAITING, _S.LAPSED, _S.STOP_LISTED), _S.ARCHIVED),
    Move.VERIFY_BENEFIT: (LIVE_STATES, None),
    Move.END_BENEFIT: (LIVE_STATES, None),
    Move.CHANGE_LANGUAGES: ((_S.WAITING,), None),
    Move.CHANGE_LOCALITY: ((_S.WAITING,), None),
    Move.CORRECT: (LIVE_STATES, None),
    Move.ARCHIVE: ((_S.WAITING,), _S.ARCHIVED),
    Move.RESTORE: ((_S.ARCHIVED,), _S.WAITING),
}

# From these the oldest leave; who has a bid or a referral under way leaves only when it came to nothing.
AGEING_STATES = MOVES[Move.AGE_OUT][0]


# What a false guardian could do to a family's place: halted while a guardian is disputed, but not for whoever is proven
# and not disputed, who must be able to undo what a stranger has chosen. Withdrawing a benefit costs a place too, but is
# not a move of its own.
COSTLY = frozenset({Move.ARCHIVE, Move.CHANGE_LOCALITY, Move.WITHDRAW_BID, Move.DECLINE_OFFER})
# Halted for everybody meanwhile: its deadline stands still, so nobody needs it.
HELD = frozenset({Move.EXTEND_REFERRAL})
# What decides which places a child can get: halted for the disputed guardian, and for both if neither is proven.
CHOOSING = frozenset({Move.PLACE_BID, Move.ACCEPT_OFFER, Move.CHANGE_LANGUAGES})
# What no other guardian can do once one has done it: halted for a guardian disputed by one who is proven. Claiming a
# benefit is such an act too, but not a move of its own.
BEGINNING = frozenset({Move.FILE, Move.CLAIM, Move.RESTORE})
# What only a guardian of the child does; a press that places a bid asks in its own statement.
BY_GUARDIANS = COSTLY | HELD | CHOOSING | BEGINNING | {Move.CONFIRM_INTEREST}
# What a guardian can do again and again at no cost while the others are told of it each time: so often in 24 hours, for
# one application. Bids have more room, as who looks for a place may have to change their mind.
MOST_A_DAY: Final[Mapping[Move, int]] = {
    Move.CHANGE_LANGUAGES: 5,
    Move.CHANGE_LOCALITY: 5,
    Move.ARCHIVE: 5,
    Move.WITHDRAW_BID: 10,
}
# What the portal does by itself and families could not answer before it opens.
RESTING = frozenset({Move.OFFER_PLACE, Move.LAPSE, Move.END_LAPSED})
# What an employee decides about one family, and nobody for their own child. The same holds for benefits, corrections
# and disputed guardianships, whose decisions are not moves.
DECISIONS = frozenset(
    {
        Move.REJECT_BID,
        Move.ISSUE_REFERRAL,
        Move.NOTE_COMING,
        Move.TAKE_COMING_BACK,
        Move.CONFIRM_COMING,
        Move.REVOKE_REFERRAL,
        Move.UNDO_REFUSAL,
        Move.UNDO_REVOCATION,
        Move.UNDO_CONTRACT,
        Move.TRANSFER,
        Move.UNDO_TRANSFER,
        Move.RETURN_TO_QUEUE,
        Move.END_CONTRACT,
        Move.UNDO_LEAVING,
        Move.SIGN_CONTRACT,
        Move.LIFT_STOP,
    }
)


def is_allowed(move: Move, state: ApplicationState | str) -> bool:
    """Whether `move` may be made from `state`. Not for `FIRST_MOVES`, which have no state before."""
    return ApplicationState(state) in MOVES[move][0]


def state_after(move: Move, state: ApplicationState | str) -> ApplicationState:
    """The state that an allowed `move` leads to from `state`."""
    return MOVES[move][1] or ApplicationState(state)


class BenefitState(TextChoices):
    CLAIMED = "claimed", _("waits for a check")
    VERIFIED = "verified", _("verified")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn by the family")
    EXPIRED = "expired", _("expired")


class CorrectionState(TextChoices):
    PROPOSED = "proposed", _("waits for the second official")
    APPROVED = "approved", _("approved and carried out")
    DECLINED = "declined", _("declined")


class UndoKind(TextChoices):
    """What one employee asks to undo, or to take as done in time, and another one decides."""

    COMING = "coming", _("the family came in time, and it was not noted")
    NOTED = "noted", _("it was noted by mistake that the family came")
    REFUSAL = "refusal", _("the bid was refused by mistake")
    REVOCATION = "revocation", _("the referral was revoked by mistake")
    CONTRACT = "contract", _("the contract was signed for the wrong child")
    LEAVING = "leaving", _("the contract was ended by mistake")


class LineDecision(TextChoices):
    """What an official decides about a line that a file of the former queue left out."""

    TAKEN_IN = "taken_in", _("taken in with corrected values")
    LEFT_OUT = "left_out", _("left out for good")
    LINKED = "linked", _("the same child as an application here")


class ProposalState(TextChoices):
    """Of what one employee proposes and another one decides: rules, groups, counts of children, what is undone."""

    PROPOSED = "proposed", _("waits for a decision")
    APPROVED = "approved", _("approved and carried out")
    DECLINED = "declined", _("declined")
    ENDED = "ended", _("closed by itself")
    WITHDRAWN = "withdrawn", _("withdrawn, or a changed one took its place")
