"""Messages about an application, from filing to the contract."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from children.notices import SAMPLES as CHILDREN
from notifications.kinds import BOTH, EMAIL, INBOX, SMS, Kind, PastBudget, Topic

# `by_other`: another guardian than the reader did it.
KINDS: Final = (
    Kind(
        "application_filed",
        Topic.QUEUE,
        _("Application accepted"),
        BOTH,
        ("application", "number", "by_other"),
        answers=True,
    ),
    Kind(
        "application_claimed",
        Topic.QUEUE,
        _("Application of the former queue claimed"),
        BOTH,
        ("application", "number", "by_other"),
        answers=True,
    ),
    # To the phone that the former queue names, whoever's it is now: it is no account's, so nothing else reaches it.
    Kind(
        "former_claimed",
        Topic.GUARDIANS,
        _("Application of the former queue claimed, to the phone in it"),
        SMS,
        ("application", "may_stop"),
        past_budget=PastBudget.WARNING,
    ),
    # To the same phone, once: names, links and numbers are none of an SMS to somebody who may be another by now.
    Kind("former_invited", Topic.QUEUE, _("Invitation to claim an application of the former queue"), SMS, ()),
    Kind(
        "application_archived", Topic.QUEUE, _("Application archived"), INBOX, ("application", "undo_until")
    ),
    # To the other guardians, instead of the notice to the one who did it: it costs the child its place or its date.
    # Each says that a guardian did it, what, and what can be done; `may_stop`: the reader may stop that guardian. What
    # can be made good as well in the morning, or not at all, goes by day; a withdrawn bid can be sent anew while the
    # place is free.
    Kind(
        "archived_by_other",
        Topic.GUARDIANS,
        _("Another guardian archived the application"),
        BOTH,
        ("application", "undo_until", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.QUEUE,
        by_day=True,
    ),
    Kind(
        "moved_by_other",
        Topic.GUARDIANS,
        _("Another guardian moved the application"),
        BOTH,
        ("application", "number", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.QUEUE,
        by_day=True,
    ),
    Kind(
        "languages_by_other",
        Topic.GUARDIANS,
        _("Another guardian changed the languages"),
        BOTH,
        ("application", "number", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.QUEUE,
        by_day=True,
    ),
    Kind(
        "bid_withdrawn_by_other",
        Topic.GUARDIANS,
        _("Another guardian withdrew the bid"),
        BOTH,
        ("application", "vacancy", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.BIDS,
    ),
    Kind(
        "offer_declined_by_other",
        Topic.GUARDIANS,
        _("Another guardian declined the offered place"),
        BOTH,
        ("application", "vacancy", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.PLACE,
        by_day=True,
    ),
    Kind(
        "benefit_withdrawn_by_other",
        Topic.GUARDIANS,
        _("Another guardian withdrew the benefit"),
        BOTH,
        ("application", "category", "number", "may_stop"),
        past_budget=PastBudget.WARNING,
        found_under=Topic.QUEUE,
        by_day=True,
    ),
    Kind(
        "application_restored",
        Topic.QUEUE,
        _("Application restored"),
        INBOX,
        ("application", "number", "by_other"),
    ),
    Kind(
        "birth_year_differs",
        Topic.QUEUE,
        _("Birth year differs from the registry"),
        BOTH,
        ("application", "correction"),
    ),
    Kind(
        "corrected",
        Topic.QUEUE,
        _("Queue corrected"),
        BOTH,
        ("application", "correction", "number_before", "number"),
    ),
    # `last_day`: on which the kindergarten answers; None while bids are collected.
    Kind(
        "bid_placed",
        Topic.BIDS,
        _("Bid sent"),
        BOTH,
        ("application", "vacancy", "last_day", "by_other"),
        answers=True,
    ),
    Kind("bid_withdrawn", Topic.BIDS, _("Bid withdrawn"), INBOX, ("application", "vacancy")),
    Kind(
        "bid_rejected", Topic.BIDS, _("Bid refused"), BOTH, ("application", "vacancy", "reason", "stand_in")
    ),
    Kind(
        "bid_awarded",
        Topic.PLACE,
        _("Place got by queue number"),
        BOTH,
        ("application", "vacancy", "last_day"),
    ),
    Kind(
        "answer_late",
        Topic.BIDS,
        _("The kindergarten has not answered in time"),
        BOTH,
        ("application", "vacancy"),
    ),
    Kind(
        "bid_lost", Topic.BIDS, _("Place given by queue number"), BOTH, ("application", "vacancy", "number")
    ),
    Kind("bid_void", Topic.BIDS, _("Place recalled"), BOTH, ("application", "vacancy", "reason", "recalled")),
    Kind(
        "bid_closed",
        Topic.BIDS,
        _("Bid ended: the kindergarten or group closes"),
        BOTH,
        ("application", "vacancy", "reason", "closing"),
    ),
    Kind(
        "bid_returned",
        Topic.BIDS,
        _("Closing undone: the bid is valid again"),
        BOTH,
        ("application", "vacancy", "reason", "last_day"),
    ),
    Kind("place_offered", Topic.PLACE, _("Place offered"), BOTH, ("application", "vacancy", "last_day")),
    Kind(
        "offer_moved", Topic.PLACE, _("Offer: last day moved"), BOTH, ("application", "vacancy", "last_day")
    ),
    Kind(
        "offer_reminder",
        Topic.PLACE,
        _("Offer of a place: last day"),
        BOTH,
        ("application", "vacancy", "last_day"),
    ),
    Kind("offer_ended", Topic.BIDS, _("Offer of a place ended"), INBOX, ("application", "vacancy", "reason")),
    # To thousands at once, each once for all the places that were published together (`alerts.waves`).
    Kind(
        "place_appeared",
        Topic.ALERTS,
        _("Place for the child appeared"),
        BOTH,
        ("application", "places", "appeared", "others", "first"),
        past_budget=PastBudget.SPARING,
        can_wait=True,
    ),
    # After a pause: to those to whom the place opens, and to those to whom it opens later.
    Kind(
        "opening_moved", Topic.BIDS, _("Opening moved"), BOTH, ("application", "openings", "others", "first")
    ),
    Kind(
        "opening_moved_behind",
        Topic.BIDS,
        _("Opening moved, for the head of the queue first"),
        INBOX,
        ("application", "openings", "others"),
    ),
    Kind(
        "referral_issued",
        Topic.PLACE,
        _("Referral issued"),
        BOTH,
        ("application", "referral", "vacancy", "days", "stop_days", "last_day", "stand_in"),
    ),
    Kind(
        "referral_extended",
        Topic.PLACE,
        _("Referral extended"),
        BOTH,
        ("application", "referral", "last_day", "by_other"),
        answers=True,
    ),
    Kind(
        "referral_lengthened",
        Topic.PLACE,
        _("Referral: last day moved by a day off"),
        BOTH,
        ("application", "referral", "last_day"),
    ),
    Kind(
        "coming_noted",
        Topic.PLACE,
        _("Your coming was noted"),
        BOTH,
        ("application", "referral", "came_on", "last_day"),
    ),
    Kind(
        "coming_taken_back",
        Topic.PLACE,
        _("The note of your coming is undone"),
        BOTH,
        ("application", "referral", "came_on", "last_day", "reason"),
    ),
    Kind(
        "coming_confirmed",
        Topic.PLACE,
        _("Referral valid again: you came in time"),
        BOTH,
        ("application", "referral", "came_on", "last_day"),
    ),
    Kind(
        "coming_place_gone",
        Topic.PLACE,
        _("Stop-list ended: you came in time"),
        BOTH,
        ("application", "vacancy", "came_on", "number"),
    ),
    Kind(
        "bid_restored",
        Topic.BIDS,
        _("Refusal undone: the bid waits again"),
        BOTH,
        ("application", "vacancy", "reason", "last_day"),
    ),
    Kind(
        "referral_restored",
        Topic.PLACE,
        _("Revocation undone: the referral is valid again"),
        BOTH,
        ("application", "referral", "reason", "last_day"),
    ),
    Kind(
        "contract_undone",
        Topic.PLACE,
        _("Contract undone: the referral is valid again"),
        BOTH,
        ("application", "referral", "reason", "last_day"),
    ),
    Kind(
        "referral_moved",
        Topic.PLACE,
        _("Referral: last day moved"),
        BOTH,
        ("application", "referral", "last_day"),
    ),
    Kind(
        "referral_reminder",
        Topic.PLACE,
        _("Referral: reminder"),
        BOTH,
        ("application", "referral", "vacancy", "last_day", "is_extended", "may_extend"),
    ),
    Kind("referral_revoked", Topic.PLACE, _("Referral revoked"), BOTH, ("application", "vacancy", "reason")),
    Kind(
        "referral_closed",
        Topic.PLACE,
        _("Referral ended: the kindergarten or group closes"),
        BOTH,
        ("application", "vacancy", "reason", "closing"),
    ),
    Kind(
        "referral_returned",
        Topic.PLACE,
        _("Closing undone: the referral is valid again"),
        BOTH,
        ("application", "referral", "reason", "last_day"),
    ),
    # To families with a contract there.
    Kind(
        "group_closes",
        Topic.CONTRACT,
        _("The child's kindergarten or group closes"),
        BOTH,
        ("application", "kindergarten", "group", "closing", "reason", "is_moved", "was"),
    ),
    Kind(
        "group_reopens",
        Topic.CONTRACT,
        _("The child's kindergarten or group does not stay closed"),
        BOTH,
        ("application", "kindergarten", "group", "closing", "reason"),
    ),
    # To who does not get back what a closing ended, and to who has ended its contract because of it (`is_contract`).
    Kind(
        "closing_undone",
        Topic.PLACE,
        _("Closing undone: what does not come back by itself"),
        BOTH,
        ("application", "kindergarten", "group", "reason", "is_contract"),
    ),
    Kind("stop_started", Topic.PLACE, _("Stop-list: begun"), BOTH, ("application", "days", "last_day")),
    Kind("stop_lifted", Topic.PLACE, _("Stop-list: ended"), BOTH, ("application", "number")),
    Kind(
        "interest_reminder",
        Topic.PLACE,
        _("Interest: reminder"),
        BOTH,
        ("application", "last_day"),
        can_wait=True,
    ),
    Kind("interest_lapsed", Topic.PLACE, _("Interest: not confirmed"), BOTH, ("application", "last_day")),
    Kind("interest_ended", Topic.QUEUE, _("Interest: application closed"), INBOX, ("application",)),
    Kind(
        "aging_out",
        Topic.PLACE,
        _("School age: a month's notice"),
        BOTH,
        ("application", "last_day"),
        can_wait=True,
    ),
    Kind("aged_out", Topic.PLACE, _("School age: application closed"), BOTH, ("application",)),
    Kind("application_changed", Topic.QUEUE, _("Application changed"), INBOX, ("application", "number")),
    Kind(
        "benefit_claimed",
        Topic.QUEUE,
        _("Benefit: claimed"),
        INBOX,
        ("application", "category", "number", "by_other"),
    ),
    Kind(
        "benefit_verified",
        Topic.QUEUE,
        _("Benefit: verified"),
        BOTH,
        ("application", "category", "number", "last_day"),
    ),
    Kind(
        "benefit_rejected",
        Topic.QUEUE,
        _("Benefit: rejected"),
        BOTH,
        ("application", "category", "number", "reason"),
    ),
    Kind("benefit_expired", Topic.QUEUE, _("Benefit: expired"), BOTH, ("application", "category", "number")),
    # To employees, in the inbox of the workplace and by e-mail to whoever has an address: what waits for them.
    Kind("staff_new_bids", Topic.WORK, _("New bids"), (*INBOX, *EMAIL), ("kindergarten", "bids", "last_day")),
    Kind(
        "staff_half_time",
        Topic.WORK,
        _("Bids: half of the time to answer"),
        (*INBOX, *EMAIL),
        ("kindergarten", "bids", "last_day"),
    ),
    Kind(
        "staff_late_answers",
        Topic.WORK,
        _("Answers that are overdue"),
        (*INBOX, *EMAIL),
        ("locality", "kindergartens", "bids"),
    ),
    # To the workers of a kindergarten that closes, or of whose groups one does; and of the end of that.
    Kind(
        "staff_closing",
        Topic.WORK,
        _("The kindergarten or a group of it closes"),
        (*INBOX, *EMAIL),
        ("kindergarten", "closing", "reason", "is_moved", "moved_days"),
    ),
    Kind(
        "staff_closing_over",
        Topic.WORK,
        _("The kindergarten or a group of it does not stay closed"),
        (*INBOX, *EMAIL),
        ("kindergarten", "closing", "reason"),
    ),
    # To who fills in the page of a kindergarten. `is_changed`: the official confirmed another page than was proposed.
    Kind(
        "staff_page_confirmed",
        Topic.WORK,
        _("Page of the kindergarten confirmed"),
        INBOX,
        ("kindergarten", "is_changed"),
    ),
    Kind(
        "staff_page_declined",
        Topic.WORK,
        _("Page of the kindergarten not confirmed"),
        INBOX,
        ("kindergarten", "reason"),
    ),
    # To whoever asked to take a noted coming back, where the referral ended before an official had decided.
    Kind("staff_undo_ended", Topic.WORK, _("Request to undo: closed by itself"), INBOX, ("referral",)),
    # `file_by`: until when an application gets the date on which the papers were handed in; None if it does not.
    Kind("claim_approved", Topic.GUARDIANS, _("Guardian by papers: approved"), BOTH, ("claim", "file_by")),
    Kind("claim_refused", Topic.GUARDIANS, _("Guardian by papers: refused"), BOTH, ("claim",)),
    Kind("objection_answered", Topic.ACCOUNT, _("Report of wrong data answered"), BOTH, ("objection",)),
    # Of complaints, to families and, by SMS, to visitors by the phone that they have proven.
    Kind("complaint_taken", Topic.QUEUE, _("Complaint accepted"), BOTH, ("complaint",), answers=True),
    Kind(
        "complaint_taken_further",
        Topic.QUEUE,
        _("Complaint sent to another official"),
        BOTH,
        ("complaint",),
        answers=True,
    ),
    Kind("complaint_answered", Topic.QUEUE, _("Complaint answered"), BOTH, ("complaint",)),
    Kind("complaint_late", Topic.QUEUE, _("The answer to a complaint is late"), BOTH, ("complaint",)),
    Kind("complaint_closed", Topic.QUEUE, _("Complaint closed"), INBOX, ("complaint",)),
    # To the city's officials.
    Kind(
        "staff_late_complaints",
        Topic.WORK,
        _("Complaints without an answer in time"),
        (*INBOX, *EMAIL),
        ("locality", "complaints"),
    ),
    Kind(
        "contract_ended",
        Topic.CONTRACT,
        _("Contract ended"),
        BOTH,
        ("application", "kindergarten", "group", "left_on", "reason"),
    ),
    Kind(
        "transferred",
        Topic.CONTRACT,
        _("The child moves to another group"),
        BOTH,
        ("application", "kindergarten", "group", "source", "reason"),
    ),
    Kind(
        "transfer_undone",
        Topic.CONTRACT,
        _("Move to another group undone"),
        BOTH,
        ("application", "kindergarten", "group", "source", "reason"),
    ),
    Kind(
        "returned_to_queue",
        Topic.CONTRACT,
        _("The group closes: in the queue again"),
        BOTH,
        ("application", "kindergarten", "group", "reason", "number"),
    ),
    Kind(
        "contract_goes_on",
        Topic.CONTRACT,
        _("Contract goes on"),
        BOTH,
        ("application", "kindergarten", "group", "reason"),
    ),
    Kind(
        "contract_signed",
        Topic.CONTRACT,
        _("Contract signed"),
        BOTH,
        ("application", "child", "kindergarten", "group", "contract"),
    ),
)

_APPLICATION = SimpleNamespace(
    number="19-000417",
    child=CHILDREN["child"],
    locality=SimpleNamespace(name="Түркістан қ.", timezone="Asia/Almaty"),
    get_languages_display="Қазақша, Орысша",
    filed_at=datetime(2019, 6, 26, 10, 20, tzinfo=UTC),
)
_KINDERGARTEN = SimpleNamespace(name="ЖМ «Амина балабақшасы»")
_GROUP = SimpleNamespace(name="Солнце", kindergarten=_KINDERGARTEN)

_OPENS_AT = datetime(2019, 6, 27, 12, 0, tzinfo=UTC)
_OPENING = SimpleNamespace(vacancy=SimpleNamespace(group=_GROUP), becomes=_OPENS_AT, opens_at=_OPENS_AT)
_APPEARED = SimpleNamespace(vacancy=SimpleNamespace(group=_GROUP), opens_at=_OPENS_AT, away="4,6 км")

SAMPLES: Final[dict[str, Any]] = {
    "application": _APPLICATION,
    "openings": [_OPENING, _OPENING],
    "appeared": [_APPEARED, _APPEARED],
    "places": 1200,
    "others": 12,
    "first": _OPENING,
    "number": 12345,
    "number_before": 12346,
    "correction": SimpleNamespace(
        is_of_registry=False,
        previous_birth_year=2017,
        new_birth_year=2016,
        document_number="114-Н",
        document_date=date(2019, 6, 27),
        reason="Өтініш қағаз түрінде ертерек берілген",
    ),
    "undo_until": datetime(2019, 6, 27, 10, 20, tzinfo=UTC),
    "vacancy": SimpleNamespace(
        group=_GROUP, mode="first_come", closes_at=datetime(2019, 6, 28, 10, 20, tzinfo=UTC)
    ),
    "referral": SimpleNamespace(number="19-4839-2017", state="signed", application=_APPLICATION),
    "locality": _APPLICATION.locality,
    "bids": 20,
    "kindergartens": 12,
    "by_other": False,
    "is_extended": False,
    "may_extend": True,
    "is_contract": False,
    "is_moved": False,
    "is_changed": False,
    # The days of a closing that were told before they moved.
    "was": None,
    "moved_days": "03.07.2019–02.09.2019 → 10.07.2019–…",
    "recalled": "department",
    # Why an official decided about a bid in place of the kindergarten; empty: it decided itself.
    "stand_in": "",
    "came_on": date(2019, 7, 3),
    "closing": SimpleNamespace(
        group_id=None,
        get_cause_display="жөндеу",
        starts_on=date(2019, 7, 3),
        reopens_on=date(2019, 9, 2),
        state="reopened",
    ),
    "left_on": date(2019, 7, 3),
    "days": 5,
    "stop_days": 10,
    "category": SimpleNamespace(name="Көпбалалы отбасылардың балалары"),
    "kindergarten": _KINDERGARTEN,
    "group": _GROUP,
    "source": SimpleNamespace(name="Балдырған", kindergarten=_KINDERGARTEN),
    "contract": SimpleNamespace(number="114/2019"),
    "claim": SimpleNamespace(
        full_name="КАМЕНОВА ДАНИЯ ЕРМЕКОВНА",
        first_name="ДАНИЯ",
        birth_date=date(2017, 5, 4),
        reason="Қорғаншылық туралы шешімнің екінші беті жоқ",
        made_at=datetime(2019, 6, 26, 10, 20, tzinfo=UTC),
    ),
    "objection": SimpleNamespace(answer="stands", reason="Тізілімде туған күні дәл осылай жазылған"),
    "complaint": SimpleNamespace(
        number="2019-483920",
        locality=_APPLICATION.locality,
        last_moment=datetime(2019, 7, 3, 18, 59, tzinfo=UTC),
        last_moment_to_disagree=datetime(2019, 7, 10, 18, 59, tzinfo=UTC),
    ),
    "complaints": 12,
    "file_by": datetime(2019, 7, 11, 18, 0, tzinfo=UTC),
}

TARGETS: Final = {
    "applications:application": _("To the application"),
    "applications:alert": _("See the places"),
    "applications:guardian_claim": _("To the papers of a guardian"),
    "applications:objection": _("To the report of wrong data"),
    "applications:complaint": _("To the complaint"),
    "admin:applications_bid_changelist": _("To the bids"),
    "admin:applications_complaint_changelist": _("To the complaints"),
    "admin:applications_profileproposal_change": _("To the proposed page"),
    "admin:applications_undorequest_change": _("To the request"),
    "admin:bulletin_closing_change": _("To the closing"),
}
