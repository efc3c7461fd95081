"""What each list and page of the workplace is, in two sentences: what one looks at, and what comes of it."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ABOUT: Final[Mapping[str, str | Promise]] = {
    "accounts.assistedmove": _(
        "New phone numbers that an employee gives to an account whose owner has lost the old one. A colleague "
        "approves each of them."
    ),
    "accounts.auditentry": _(
        "Who did what in the portal, and who looked at whose data. An entry is never changed and never "
        "deleted."
    ),
    "accounts.employee": _(
        "Who works here: name, position and how to reach them. From here an employee is invited, and a lost "
        "second factor is set up anew. Accounts that the operator made without a name stand below the list: a name is "
        "entered there."
    ),
    "accounts.firstsignin": _(
        "People without a mobile phone whom an employee has registered. They sign in with a paper that a "
        "colleague prints."
    ),
    "accounts.numbermove": _(
        "Changes of phone numbers. You decide only where somebody else claims a number that an account uses."
    ),
    "accounts.objection": _(
        "What families report as wrong in their data. The family reads your answer and its reason."
    ),
    "accounts.policyconsent": _("Who agreed to which version of the data policy, and when."),
    "accounts.profile": _(
        "What the state registry says about the owners of accounts. Opening a profile is entered in its "
        "owner's journal."
    ),
    "accounts.smscode": _(
        "Codes that were sent by SMS, without the codes themselves. Here you see whether one was entered."
    ),
    "accounts.user": _(
        "Accounts of families and employees, masked. An account can be blocked here, with its effect told "
        "first."
    ),
    "applications.application": _(
        "Every family's application and where it stands in the queue. Nobody moves a number by hand: a "
        "mistake is put right by a correction that a colleague approves."
    ),
    "applications.benefit": _(
        "Benefits that families claim, with their documents. A verified one moves the application to another "
        "part of the queue."
    ),
    "applications.benefitcategory": _(
        "Which benefits there are, and which part of the queue each of them leads to."
    ),
    "applications.bid": _(
        "Families that ask for a free place. The kindergarten answers by the day shown; after it the "
        "department may decide."
    ),
    "applications.complaint": _(
        "What families and visitors complain of. Each has a last day for the answer; what is not solved, "
        "another official answers."
    ),
    "applications.contract": _(
        "Children who are enrolled. When a child leaves, its contract is ended here and the place becomes "
        "free."
    ),
    "applications.cityexport": _(
        "Everything that the portal holds, as one encrypted file for another system. One official asks, another one "
        "allows, an operator makes the file."
    ),
    "applications.correction": _(
        "Mistakes in the queue that an order puts right. One employee proposes, another one approves, and the "
        "family reads why."
    ),
    "applications.event": _(
        "Everything that ever happened to an application. From these events each number is explained."
    ),
    "applications.formerline": _(
        "Lines that a file of the former queue left out. Each is taken in with corrected values, left out for good, or "
        "linked to an application here."
    ),
    "applications.formerprotocol": _(
        "What became of all lines of a loaded file of the former queue: one official signs first, another one second."
    ),
    "applications.groupproposal": _(
        "New or changed groups that kindergartens propose. They count once an official confirms them."
    ),
    "applications.headcount": _(
        "How many children a group really has. From a confirmed count it follows how many places may be "
        "published."
    ),
    "applications.profileproposal": _(
        "What kindergartens would tell families on their pages. It is public once an official confirms it."
    ),
    "applications.referral": _(
        "Families that have a referral and are expected with their papers. Sign the contract, or note that "
        "the family came."
    ),
    "applications.rules": _(
        "The rules by which the portal counts: days, shares of the queue, terms. New ones are proposed by one "
        "official and approved by another."
    ),
    "applications.rulesproposal": _(
        "Rules that wait for a second official, with whom they would touch and from which day."
    ),
    "applications.stoplistentry": _(
        "Families that did not come in time and wait before they may bid again. It ends by itself on the day "
        "shown."
    ),
    "applications.undorequest": _(
        "What an employee did by mistake and asks to undo. Another one decides; a place comes back only if it "
        "is free."
    ),
    "auth.group": _(
        "The roles of employees, with what each of them may do. They are set up by the operator."
    ),
    "bulletin.employment": _(
        "For which kindergarten or locality an employee may act, and from when to when."
    ),
    "bulletin.closing": _(
        "Kindergartens and groups that are closed, for a time or for good. Close one on its own page; here you open it "
        "again."
    ),
    "bulletin.group": _(
        "The groups of kindergartens with their places. A change is proposed, and an official confirms it."
    ),
    "bulletin.holiday": _(
        "Days off and moved working days. Every deadline of the portal is counted by them."
    ),
    "bulletin.kindergarten": _("The kindergartens as families see them in the catalogue."),
    "bulletin.locality": _("Cities and villages; each has its own queue and its own time zone."),
    "bulletin.pause": _(
        "Times in which no bids are taken, for instance when something is out of order. Deadlines stand still "
        "meanwhile."
    ),
    "bulletin.photo": _(
        "Photos that kindergartens send for their pages. An official looks at each before everybody sees it."
    ),
    "bulletin.reportedincident": _(
        "What does not work, or will not, as everybody reads it on the status page. Nothing here is rewritten: tell "
        "how it goes on in a note, and when it is over."
    ),
    "bulletin.review": _(
        "What families write about kindergartens and the portal. An official decides what is published; the "
        "kindergarten answers below it."
    ),
    "bulletin.vacancy": _(
        "Free places of the bulletin. A draft is seen by nobody outside; a published one opens at the moment "
        "shown."
    ),
    "children.child": _(
        "Children as the state registry knows them, with their guardians. Opening one is entered in the "
        "family's journal."
    ),
    "children.dispute": _(
        "A guardian says that another one is a stranger to the child. Until you decide, costly steps stand "
        "still."
    ),
    "children.guardianclaim": _(
        "Guardians whom the registry does not know and who have handed in papers. Two officials look at them."
    ),
    "notifications.mail": _("Letters that the portal sent by e-mail, and what became of them."),
    "notifications.message": _("SMS that the portal sent, and what became of them. Codes are never shown."),
    "notifications.notice": _("What families read in their inbox on the portal, and when they read it."),
}

_CARD: Final = _(
    "A family on one page: guardians, children, applications, messages. That you opened it is entered in the "
    "audit and in the family's journal."
)
_ENROLLED: Final = _(
    "Children with a signed contract, group by group, to print or to take as a file. Each look at the list is "
    "entered in the audit."
)
_FILES: Final = _(
    "Data of the city that come from a file. It is checked first; nothing is loaded before you say so, and what "
    "was loaded can be undone."
)
_FORMER: Final = _(
    "A former queue beside this one, line by line: where each family stood, where it stands now, and why. Two "
    "people sign the result."
)

# Pages that are no list of a table and no row of one, by the name of their address.
ABOUT_PAGES: Final[Mapping[str, str | Promise]] = {
    "city_file": _FILES,
    "city_files": _FILES,
    "city_kind": _FILES,
    "city_undo": _FILES,
    "family_of_child": _CARD,
    "family_of_guardian": _CARD,
    "family_search": _(
        "Finds a family by a number, a phone, an IIN or a name. Before its card opens, you say why you look."
    ),
    "former_protocol": _FORMER,
    "inbox": _("What the portal tells you about your work, the newest first."),
    "messages": _(
        "How many messages to families wait and fail, by each way and gateway. It shows nobody's text and "
        "nobody's phone."
    ),
    "propose_protocol": _FORMER,
    "ready": _(
        "What is missing before the portal opens to families. Beside each thing stands what to do about it."
    ),
    "reconciliation": _FORMER,
    "reconciliations": _FORMER,
    "reports": _(
        "Figures of the queue, the places and the work. Each report can be taken as a file with all of its rows."
    ),
    "roster_awaited": _(
        "Families with a valid referral that may still come to sign, the nearest last day first. Each look at the "
        "list is entered in the audit."
    ),
    "roster_bids": _(
        "Children whose families ask for the places of one vacancy. Each look at the list is entered in the audit."
    ),
    "roster_enrolled": _ENROLLED,
    "roster_enrolled_in": _ENROLLED,
}
