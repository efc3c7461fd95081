"""What a family asks for and gets, as rows of the database."""

from applications.models.alert import Alert, ToldPlace, Wave
from applications.models.application import BETWEEN_QUEUES, CLAIMED, ENTERS_OR_LEAVES, Application, Event
from applications.models.benefit import Benefit, BenefitCategory
from applications.models.bid import Bid, Offer, PriorityCutoff
from applications.models.brought_file import BroughtFile
from applications.models.calendar_address import CalendarAddress
from applications.models.check_code import CheckCode
from applications.models.city_export import CityExport
from applications.models.closing import ToldOfClosing
from applications.models.complaint import Complaint
from applications.models.former import FormerChange, FormerLine, FormerRow
from applications.models.made_file import MadeFile
from applications.models.places import GroupProposal, Headcount
from applications.models.profile import ProfileProposal
from applications.models.queue import Correction, QueueCount
from applications.models.reconciliation import FormerDecision, FormerProtocol
from applications.models.referral import (
    PAPERS_ON_THEIR_WAY,
    Contract,
    Extension,
    ExtensionDocument,
    Referral,
    StopListEntry,
    Transfer,
)
from applications.models.rules import Rules, RulesProposal
from applications.models.undoing import UndoRequest

__all__ = [
    "BETWEEN_QUEUES",
    "CLAIMED",
    "ENTERS_OR_LEAVES",
    "PAPERS_ON_THEIR_WAY",
    "Alert",
    "Application",
    "Benefit",
    "BenefitCategory",
    "Bid",
    "BroughtFile",
    "CalendarAddress",
    "CheckCode",
    "CityExport",
    "Complaint",
    "Contract",
    "Correction",
    "Event",
    "Extension",
    "ExtensionDocument",
    "FormerChange",
    "FormerDecision",
    "FormerLine",
    "FormerProtocol",
    "FormerRow",
    "GroupProposal",
    "Headcount",
    "MadeFile",
    "Offer",
    "PriorityCutoff",
    "ProfileProposal",
    "QueueCount",
    "Referral",
    "Rules",
    "RulesProposal",
    "StopListEntry",
    "ToldOfClosing",
    "ToldPlace",
    "Transfer",
    "UndoRequest",
    "Wave",
]
