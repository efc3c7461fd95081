"""Every change of an application's state.

Nothing else changes it, but for placing a bid: `applications.bidding`, and the same in one statement of the database,
`applications.rush`.

Each function is one transaction: it locks the application (and after it the vacancy), checks the state as it is now,
changes it, writes the `Event`, puts the messages into the outbox and the action into the family's journal. What may
not be done raises `Refused`. Views, admin actions, tasks and commands all call these.
"""

from applications.transitions.ages import age_out
from applications.transitions.base import Refused
from applications.transitions.benefits import (
    benefit_valid_until,
    claim_benefit,
    expire_benefit,
    expire_benefits_of,
    reject_benefit,
    verify_benefit,
    withdraw_benefit,
)
from applications.transitions.bids import lose_bid, reject_bid, void_bid, withdraw_bid
from applications.transitions.changes import change_languages, move_house
from applications.transitions.corrections import (
    approve_correction,
    check_change,
    decline_correction,
    propose_correction,
)
from applications.transitions.disputes import decide_guardianship, settle_dispute, stop_guardian
from applications.transitions.filing import (
    archive,
    archive_undo_until,
    file_application,
    restore,
    undo_until,
    was_archived_by_family,
)
from applications.transitions.interest import confirm_interest, end_lapsed, lapse
from applications.transitions.referrals import (
    activate_bid,
    expire_referral,
    extend_referral,
    last_day_of,
    lift_stop,
    longest_extension,
    revoke_referral,
    settle,
    sign_contract,
    stop_days_of,
)

__all__ = [
    "Refused",
    "activate_bid",
    "age_out",
    "approve_correction",
    "archive",
    "archive_undo_until",
    "benefit_valid_until",
    "change_languages",
    "check_change",
    "claim_benefit",
    "confirm_interest",
    "decide_guardianship",
    "decline_correction",
    "end_lapsed",
    "expire_benefit",
    "expire_benefits_of",
    "expire_referral",
    "extend_referral",
    "file_application",
    "lapse",
    "last_day_of",
    "lift_stop",
    "longest_extension",
    "lose_bid",
    "move_house",
    "propose_correction",
    "reject_benefit",
    "reject_bid",
    "restore",
    "revoke_referral",
    "settle",
    "settle_dispute",
    "sign_contract",
    "stop_days_of",
    "stop_guardian",
    "undo_until",
    "verify_benefit",
    "void_bid",
    "was_archived_by_family",
    "withdraw_benefit",
    "withdraw_bid",
]
