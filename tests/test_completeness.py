"""After adding a state, a move, a refusal, a phase or a word of the journal, this says what else is missing.

Every dictionary whose keys are members of one of our enumerations is found in the code, and every set of such members
that has a name of its own. A member that is not there fails the test by name, unless it is named in `LEFT_OUT`, where
somebody has decided.
"""

import ast
import enum
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import connection
from django.utils.translation import override

from applications.admin.bulk import DRAFT_FIELDS
from applications.bidding.eligibility import _STATE_REFUSALS
from applications.refusals import AT_WORK, Refusal
from applications.states import (
    BEGINNING,
    CHOOSING,
    COSTLY,
    HELD,
    LIVE_STATES,
    MOVES,
    QUEUED_STATES,
    ApplicationState,
    Move,
)
from bulletin.forms import BulletinFilterForm
from bulletin.models import Review, Vacancy
from bulletin.opening import Phase
from bulletin.selectors import published_vacancies
from notifications.kinds import KINDS

CHECKOUT = Path(settings.BASE_DIR)
APPS = ("notifications", "accounts", "children", "bulletin", "applications", "balabaqsha")
# The demo city chooses what it shows; migrations tell what once was.
NOT_SEARCHED = {"migrations", "demo"}


class Literal(NamedTuple):
    """A dictionary, set, list or tuple of the code that is made of members of one enumeration."""

    where: str
    kind: type[enum.Enum]
    members: frozenset[enum.Enum]

    @property
    def name(self) -> str:
        return f"{self.where} · {self.kind.__qualname__}"


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            if not NOT_SEARCHED & set(path.parts):
                yield path.relative_to(CHECKOUT).with_suffix("").as_posix(), ast.parse(path.read_text())


def literals() -> Iterator[Literal]:
    for path, tree in modules():
        if any(isinstance(node, ast.Attribute) for node in ast.walk(tree)):
            names = vars(import_module(path.replace("/", ".").removesuffix(".__init__")))
            for where, members in _literals(tree, names, at=f"{path}.py"):
                for kind in sorted({type(member) for member in members}, key=str):
                    if kind.__module__.partition(".")[0] in APPS:
                        yield Literal(where, kind, frozenset(one for one in members if type(one) is kind))


def _literals(
    node: ast.AST, names: dict[str, object], *, at: str, is_inside: bool = False
) -> Iterator[tuple[str, list[enum.Enum]]]:
    """Every dictionary under `node`, and every set outside of functions, with the names that lead to it.

    What stands inside of one is its value.
    """
    elements: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        elements = list(node.keys)
    elif isinstance(node, ast.Set | ast.List | ast.Tuple) and not is_inside:
        elements = list(node.elts)
    members = [member for element in elements if (member := _member(element, names)) is not None]
    if members and (isinstance(node, ast.Dict) or len(members) == len(elements) > 1):
        yield at, members
        return
    for child in ast.iter_child_nodes(node):
        where = f"{at} {name}" if (name := _name(child)) else at
        inside = is_inside or isinstance(child, ast.FunctionDef | ast.Lambda)
        yield from _literals(child, names, at=where, is_inside=inside)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return targets[0].id if isinstance(targets[0], ast.Name) and isinstance(node, ast.stmt) else ""


def _member(node: ast.expr | None, names: dict[str, object]) -> enum.Enum | None:
    """The member that `Kind.MEMBER` or `Model.Kind.MEMBER` names in a module, else None."""
    path = ast.unparse(node).split(".") if isinstance(node, ast.Attribute) else [""]
    found = names.get(path[0])
    for name in path[1:]:
        found = getattr(found, name, None)
    return found if isinstance(found, enum.Enum) else None


@cache
def found() -> list[Literal]:
    """All of them, looked for once."""
    return list(literals())


# What moves a child in a queue or within it, without a change of its state.
_CHANGE_THE_STANDING = {
    Move.VERIFY_BENEFIT,
    Move.END_BENEFIT,
    Move.CHANGE_LOCALITY,
    Move.CORRECT,
    Move.CHANGE_IMPORT,
}


def _shifts_the_queue(move: Move) -> bool:
    before, after = MOVES[move]
    left_or_came = any((state in QUEUED_STATES) != ((after or state) in QUEUED_STATES) for state in before)
    return left_or_came or move in _CHANGE_THE_STANDING


def _named(kind: type[enum.Enum], names: str) -> set[enum.Enum]:
    return {kind[name] for name in names.split()}


# Where a member is left out on purpose; what follows from another table is computed from it.
LEFT_OUT: dict[str, set[enum.Enum] | str] = {
    "applications/states.py MOVES · Move": "FILE IMPORT",
    "applications/states.py FIRST_MOVES · Move": {move for move in Move if move in MOVES},
    # Until it is claimed, nothing else can happen to it.
    "applications/models/application.py UNCLAIMED_STATES · ApplicationState": (
        "BID_PLACED REFERRED ENROLLED LAPSED"
    ),
    "applications/city/queue_columns.py HELD · FormerState": "WAITING LEFT",
    # Who is in the queue has no one reason.
    "applications/city/published.py _SPLIT · Outcome": "SAME MOVED",
    "applications/states.py QUEUED_STATES · ApplicationState": "ENROLLED STOP_LISTED LAPSED ARCHIVED",
    "applications/states.py LIVE_OFFERS · OfferState": "ACCEPTED DECLINED UNANSWERED VOID NOBODY RECALLED",
    "applications/closings/ending.py FREED · OfferState": "SEEKING OFFERED ACCEPTED NOBODY",
    "applications/bidding/passing_on.py _CHOSEN · OfferState": "SEEKING OFFERED VOID NOBODY RECALLED",
    "applications/models/bid.py Offer Meta constraints · OfferState": (
        "OFFERED ACCEPTED DECLINED UNANSWERED VOID RECALLED"
    ),
    "applications/families/names.py EXPECTED · ApplicationState": "WAITING BID_PLACED STOP_LISTED LAPSED ARCHIVED",
    "applications/states.py HAS_PAPER · ReferralState": "EXPIRED REVOKED",
    "applications/bidding/publication.py _ENDED · Vacancy.State": "DRAFT PUBLISHED",
    # What is decided by an official was not ended by itself.
    "applications/models/undoing.py UndoRequest Meta constraints · ProposalState": "APPROVED DECLINED WITHDRAWN",
    # Moves between queues; others lead into one or out of it, or change nothing of where a child waits.
    "applications/models/application.py BETWEEN_QUEUES · Move": {
        move for move in Move if move not in (Move.CHANGE_LOCALITY, Move.CORRECT, Move.CHANGE_IMPORT)
    },
    "applications/models/made_file.py UNDER_WAY · MadeByWorker.State": "READY FAILED",
    "applications/queue/history.py CAUSES · Move": {move for move in MOVES if not _shifts_the_queue(move)},
    "applications/views/cabinet/pages.py _archived reasons · Move": {
        move
        for move in Move
        # No family has one that was taken out before it was claimed.
        if move not in MOVES
        or MOVES[move][1] != ApplicationState.ARCHIVED
        or move in (Move.TAKE_IMPORT_BACK, Move.DROP_IMPORT)
    },
    "applications/bidding/eligibility.py _STATE_REFUSALS · ApplicationState": "WAITING",
    "applications/bidding/eligibility.py _PHASE_REFUSALS · Phase": "DRAFT PRIORITY OPEN CLOSED RECALLED",
    "applications/bidding/eligibility.py _END_REFUSALS · Phase": "ANNOUNCED PRIORITY OPEN PAUSED FULL",
    "applications/jobs/invariants.py _states reasons · ApplicationState": "WAITING LAPSED ARCHIVED",
    "applications/families/card.py BOUND_STATES · ApplicationState": "WAITING STOP_LISTED LAPSED ARCHIVED",
    # The inbox keeps what it has.
    "applications/families/messages.py _SENT_BY · Way": "INBOX",
    "applications/families/situation.py _UNSTOPPED · ApplicationState": "STOP_LISTED LAPSED ARCHIVED",
    "applications/families/situation.py Situation setback_title titles · BidState": (
        "PENDING ACTIVATED WITHDRAWN VOID"
    ),
    "applications/families/situation.py Situation setback_title titles · ReferralState": "ISSUED SIGNED ENDED",
    # With a number the text tells it.
    "applications/families/situation.py Situation _queue_text · ApplicationState": (
        "WAITING BID_PLACED REFERRED ENROLLED"
    ),
    # The bulletin lists none of these.
    "bulletin/selectors.py _READINESS · Phase": "DRAFT CLOSED RECALLED",
    # What the bulletin does not show.
    "balabaqsha/open_data/sources.py SHOWN_PHASES · Phase": "DRAFT CLOSED RECALLED",
    "applications/views/listings.py _MAY_STILL_BID · ApplicationState": "REFERRED ENROLLED STOP_LISTED LAPSED ARCHIVED",
    "bulletin/openings.py _LATER · Phase": "DRAFT OPEN PAUSED FULL CLOSED RECALLED",
    "bulletin/opening.py BIDDING_PHASES · Phase": "DRAFT ANNOUNCED PAUSED FULL CLOSED RECALLED",
    "accounts/sms_codes.py _OWNERS_KIND · SmsCode.Purpose": "REGISTER SIGN_IN NEW_NUMBER COMPLAINT",
    "accounts/sms_codes.py _TO_ANYBODY · SmsCode.Purpose": "RESET SIGN_IN STOP OLD_NUMBER CONFIRM",
    "accounts/uploads.py _CAUSES · Cause": "UNKNOWN_TYPE",
    "accounts/uploads.py _TOLD · Part": "SCRIPTS ACTIONS FORM",
    "applications/alerts/suiting.py _TO_BE_HAD · Phase": "DRAFT FULL CLOSED RECALLED",
    "notifications/kinds.py BOTH · Channel": "EMAIL",
    "notifications/traces.py _UNDER_WAY · Outgoing.State": "SENT DELIVERED UNDELIVERED FAILED WITHHELD MERGED",
    "notifications/traces.py _LOST · Outgoing.State": "QUEUED SENDING SENT DELIVERED MERGED",
    # Of reviews nothing goes by other ways than the inbox; the rest is for employees.
    "accounts/forms.py _TOLD_OF · Topic": "REVIEWS WORK",
    # What appears on a screen need not be seen.
    "notifications/ways.py _OWN · Way": "SECOND_PHONE PUSH",
    # A chat never has a warning of its own, and a second phone none at all.
    # What goes to the second phone is an SMS like any other.
    "balabaqsha/metrics/database.py _BY_WAY · Way": "SECOND_PHONE",
    "notifications/choosing.py _OWN · Way": "TELEGRAM SECOND_PHONE PUSH",
    # What families may switch off.
    "notifications/kinds.py _MANDATORY · Topic": "ALERTS BIDS QUEUE REVIEWS WORK",
    "notifications/retention.py OVER · Outgoing.State": "QUEUED SENDING",
    "notifications/services.py _SENDABLE_AGAIN · Outgoing.State": "QUEUED SENDING DELIVERED MERGED",
    "notifications/outbox.py _UNDER_WAY · Outgoing.State": "SENT DELIVERED UNDELIVERED FAILED WITHHELD MERGED",
    "notifications/services.py _UNDER_WAY · Outgoing.State": "SENT DELIVERED UNDELIVERED FAILED WITHHELD MERGED",
    "notifications/selectors.py _LOST · Outgoing.State": "QUEUED SENDING SENT DELIVERED WITHHELD MERGED",
    "notifications/overview.py _UNDER_WAY · Outgoing.State": "SENT DELIVERED UNDELIVERED FAILED WITHHELD MERGED",
    "notifications/gateways.py _FAILED · Outcome": "ACCEPTED REFUSED NOT_ASKED",
    "notifications/sms/failover.py _TROUBLES · Outcome": "ACCEPTED REFUSED",
    "balabaqsha/ready/reading.py _TO_ANSWER · Vacancy.State": "RECALLED CLOSED",
    "balabaqsha/turned_away.py STATUS · Refusal": "PASSWORDS",
    "balabaqsha/turned_away.py RETRY_AFTER_SECONDS · Refusal": "LARGE SLOW",
}
# Sets that pick a few of many; for the moves that a dispute halts there is a test of their own.
# What only a family's own press is refused with: an employee never reads it.
ONLY_FAMILIES = _named(
    Refusal,
    "LAPSED INTEREST_NOT_ASKED OTHER_LOCALITY OTHER_LANGUAGE NOT_OPEN_YET REJECTED_HERE OFFER_ENDED BENEFIT_WAITS "
    "IIN_NOT_OF_CHILD TWO_APPLICATIONS TOO_MANY_OBJECTIONS NOT_YOUR_CHILD TOO_MANY_CLAIMS UNDO_OVER "
    "TOLD_OTHERWISE NOT_PROVEN TOO_MANY_COMPLAINTS NO_LONGER_YOURS COMPLAINT_OVER NOT_ANSWERED_YET",
)
# What speaks to an employee in the first place.
TO_EMPLOYEES = _named(
    Refusal,
    "OWN_CHILD OWN_DATA NOT_YOURS_TO_ANSWER CHANGED_MEANWHILE DECIDED_MEANWHILE NOT_BY_THE_SAME NO_SUCH_APPLICATION "
    "OFFICIAL_UNKNOWN COLLEAGUE_PROPOSED",
)
PICKED = {
    # One sentence for the three kinds of photo.
    "accounts/uploads.py _UNKNOWN · Kind",
    "accounts/safe_copy/pictures.py SIDES · Kind",
    "applications/reports/published.py PUBLISHED · Slice",
    "applications/reports/published.py _BY · Slice",
    "bulletin/selectors.py PHASES_OF_PLACES · Phase",
    # Who is asked for, and what is shown, count against the most that there may be; what is over does not.
    "bulletin/photos.py _COUNTED · Photo.State",
    "bulletin/selectors.py AGE_GROUPS · AgeGroup",
    "accounts/journal_actions.py BY_VISITORS · Action",
    "accounts/officials.py READ_FAMILIES · Role",
    "applications/admin/work.py OF_FORMS · Action",
    # What a report can be cut by, and what says where a row stands, differs from one to the next.
    "applications/reports/catalogue.py _EVERYWHERE · Slice",
    "applications/reports/catalogue.py _REPORTS · Slice",
    "applications/reports/counts.py _QUEUED · Slice",
    "applications/reports/counts.py _EVENTS · Slice",
    "applications/reports/counts.py _rows_of rows · Slice",
    "applications/reports/facts.py _CELL · Slice",
    "applications/reports/facts.py _of_application · Slice",
    "applications/reports/facts.py _of_group · Slice",
    "applications/reports/tables.py _NAMED · Slice",
    "applications/reports/tables.py _LABELLED · Slice",
    "accounts/numbers/assisted.py _BY_THE_OWNER · NumberMove.Stopped",
    "accounts/numbers/moves.py _ASKED · NumberMove.Proof",
    # Whatever speaks to a family has other words at work: a test of its own.
    "applications/refusals.py AT_WORK · Refusal",
    "applications/admin/corrections.py PROPOSE · Refusal",
    "applications/admin/closings.py FIELDS · Refusal",
    "applications/admin/benefits.py BenefitAdmin works · Refusal",
    "applications/admin/history.py ContractAdmin works · Refusal",
    "applications/admin/undoing.py COMING_REFUSALS · Refusal",
    "applications/families/looks.py REASONS · Action",
    # A fault of a file with no reason of its own is told as another fault; the sums are held by tests of theirs.
    "applications/city/reconciling.py _REASONS · Problem",
    "applications/city/reconciling.py compare reasons · Reason",
    # The test of the words of a closing walks both.
    "applications/models/application.py OF_CLOSINGS · Move",
    "applications/states.py COSTLY · Move",
    "applications/states.py CHOOSING · Move",
    # What `eligibility.mismatch` may answer.
    "applications/bidding/eligibility.py _MISMATCHES · Refusal",
    "applications/views/listings.py _UNSUITED · Refusal",
    "applications/forecast/movement.py _NO_MOVEMENT · Move",
    "applications/states.py MOST_A_DAY · Move",
    "applications/states.py BEGINNING · Move",
    "applications/journal_actions.py _LOOKS · Action",
    "applications/journal_actions.py _WORKPLACE · Action",
    "applications/states.py DECISIONS · Move",
    # Which transitions rest before the opening is walked in tests/applications/test_transitions.py.
    "applications/states.py RESTING · Move",
    "applications/views/cabinet/press.py _LOOK_CLOSER · Outcome",
    "applications/views/cabinet/press.py _LOOK_CLOSER · Refusal",
}


def _forgotten(literal: Literal) -> set[enum.Enum]:
    left_out = LEFT_OUT.get(literal.name, set())
    if isinstance(left_out, str):
        left_out = _named(literal.kind, left_out)
    return set(literal.kind) - literal.members - left_out


def test_nothing_is_forgotten():
    looked_at = [literal for literal in found() if literal.name not in PICKED]
    assert [f"{one.name}: {sorted(map(str, gone))}" for one in looked_at if (gone := _forgotten(one))] == []


def test_no_employee_is_spoken_to_as_a_family():
    with override("en"):
        to_family = {
            one for one in Refusal if re.search(r"\b([Yy]ou|[Yy]our|contact centre)\b", str(one.label))
        }
        at_work = {one: one.at_work for one in AT_WORK}
    to_family.add(Refusal.ALREADY_FILED)
    assert to_family - ONLY_FAMILIES - TO_EMPLOYEES == set(AT_WORK)
    assert not [
        words for words in at_work.values() if re.search(r"\b([Yy]ou|[Yy]our|contact centre)\b", words)
    ]
    for language in ("kk", "ru"):
        with override(language):
            assert not [one for one in AT_WORK if one.at_work == str(one.label)]


def test_of_every_move_it_is_decided_whether_a_dispute_halts_it():
    halted = [*COSTLY, *HELD, *CHOOSING, *BEGINNING]
    assert len(halted) == len(set(halted))
    free = _named(
        Move,
        "REJECT_BID LOSE_BID VOID_BID OFFER_PLACE END_OFFER ISSUE_REFERRAL LENGTHEN_REFERRAL REVOKE_REFERRAL "
        "NOTE_COMING TAKE_COMING_BACK CONFIRM_COMING UNDO_REFUSAL RESTORE_BID UNDO_CLOSING UNDO_REVOCATION "
        "UNDO_CONTRACT END_CONTRACT UNDO_LEAVING TRANSFER UNDO_TRANSFER RETURN_TO_QUEUE "
        "EXPIRE_REFERRAL LIFT_STOP IMPORT TAKE_IMPORT_BACK CHANGE_IMPORT STOP_IMPORT DROP_IMPORT RETURN_IMPORT "
        "SIGN_CONTRACT CONFIRM_INTEREST LAPSE END_LAPSED AGE_OUT VERIFY_BENEFIT END_BENEFIT CORRECT",
    )
    assert set(Move) - set(halted) == free


def test_nothing_is_left_out_of_what_is_not_there():
    names = {literal.name for literal in found()}
    assert set(LEFT_OUT) | PICKED <= names
    assert len(names) > 35
    for literal in found():
        left_out = LEFT_OUT.get(literal.name)
        if isinstance(left_out, str):
            assert not literal.members & _named(literal.kind, left_out), literal.name


# --- the same words in templates, in SQL, in the documents -------------------------------------------------------


def states_named_in(template: str) -> set[str]:
    return set(re.findall(r'state == "(\w+)"', (CHECKOUT / "templates" / template).read_text()))


def test_every_state_of_an_application_has_its_next_step():
    assert states_named_in("applications/parts/lead.html") == set(ApplicationState)


def test_every_state_that_is_shown_has_its_icon_and_colour():
    assert states_named_in("components/status_tag.html") == {*ApplicationState, *Phase, *Review.State}


def functions_of_the_database() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%state%'"
        )
        return dict(cursor.fetchall())


@pytest.mark.django_db
def test_lists_of_states_in_sql_are_those_of_the_code():
    """A function is replaced by a migration; nothing else says that one is missing."""
    known = {frozenset(QUEUED_STATES), frozenset(LIVE_STATES)}
    lists = {
        (name, frozenset(re.findall(r"'(\w+)'", states)))
        for name, source in functions_of_the_database().items()
        for states in re.findall(r"\bstate IN \(([^)]*)\)", source)
    }
    assert len({name for name, _states in lists}) >= 2
    assert {name: set(states) for name, states in lists if states not in known} == {}


@pytest.mark.django_db
def test_the_press_refuses_every_state_by_the_same_word_as_python():
    source = functions_of_the_database()["press_for_a_place"]
    by_name = dict(re.findall(r"a\.state = '(\w+)' THEN '(\w+)'", source))
    # What is left is refused by the name of the state itself.
    assert "a.state <> 'waiting' THEN a.state" in source
    told = {state: by_name.get(state, str(state)) for state in ApplicationState if state != "waiting"}
    assert told == {str(state): str(refusal) for state, refusal in _STATE_REFUSALS.items()}


def test_the_picture_of_the_states_shows_every_move():
    document = (CHECKOUT / "docs" / "states.md").read_text()
    drawn = {pair for pair in re.findall(r"^    (\w+) --> (\w+):", document, re.MULTILINE) if "*" not in pair}
    moves = {
        (str(before), str(after)) for froms, after in MOVES.values() if after is not None for before in froms
    }
    # A confirmation of interest leaves a waiting application as it is.
    assert drawn == moves - {("waiting", "waiting")}


# --- the fields of a vacancy ---------------------------------------------------------------------------------------


def template(name: str) -> str:
    return (CHECKOUT / "templates" / name).read_text()


def test_what_an_employee_writes_of_a_vacancy_is_in_the_forms_and_on_its_page():
    editable = {field.name for field in Vacancy._meta.fields if field.editable and not field.primary_key}
    assert set(DRAFT_FIELDS) == editable
    page = template("applications/parts/vacancy_fields.html")
    shown = {name for name in editable if re.search(rf"\bvacancy\.(get_)?{name}(_display)?\b", page)}
    # How places are given is told in words of its own.
    assert editable - shown == {"mode"}


def test_every_filter_of_the_bulletin_is_an_argument_of_its_list():
    asked = set(BulletinFilterForm.base_fields) - {"place"} | {"locality"}
    assert asked == set(signature(published_vacancies).parameters) - {"now"}
    assert set(BulletinFilterForm.field_order) == set(BulletinFilterForm.base_fields)


def test_the_cells_of_the_bulletin_stand_under_their_headings():
    headings = re.findall(
        r'scope="col"[^>]*>{% translate "([^"]+)"', template("applications/parts/listings.html")
    )
    cells = re.findall(
        r'data-label="{% translate "([^"]+)"', template("applications/parts/listing_cells.html")
    )
    assert len(cells) > 5
    # The name stands without a label, since it begins the row; the button says itself what it does.
    assert headings == ["Kindergarten", *cells, "Operation"]


# --- what nobody says any more ------------------------------------------------------------------------------------


ACTIONS = [
    action
    for app in APPS
    if (CHECKOUT / app / "journal_actions.py").exists()
    for action in import_module(f"{app}.journal_actions").Action
]


def test_every_move_refusal_notice_and_word_of_the_journal_is_used():
    nodes = [node for path, tree in modules() if not path.endswith("/notices") for node in ast.walk(tree)]
    members = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    # What only entries from before say.
    members.add("Action.CONTACT_CHANGED")
    assert {f"{type(one).__name__}.{one.name}" for one in (*Move, *Refusal, *ACTIONS)} - members == set()
    # One in the place of several is chosen among objects (`notifications.bursts`).
    assert {kind.code for kind in KINDS.values() if not kind.texts_of} - strings == set()
