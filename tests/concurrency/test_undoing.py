"""What is undone against everything else that takes a place or gives one back, in every order.

Each pair of acts meets in a group of its own. The first one has done its work and has not committed when the second
begins: it goes on once the second waits for it, or has ended.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations, permutations
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Model, prefetch_related_objects

from accounts.roles import Role
from applications.bidding import ending as bid_ending
from applications.bidding import offers, publication, rush
from applications.jobs.invariants import differences
from applications.models import Application, Bid, Offer, Rules, StopListEntry, UndoRequest
from applications.models import Event as History
from applications.moves import Refused
from applications.places import retaking
from applications.places.occupancy import over_promised
from applications.referrals import coming, ending, issuing
from applications.referrals.leaving import end_contract
from applications.refusals import Refusal
from applications.rules.running_out import PREFETCH, first_end
from applications.states import LIVE_OFFERS, BidState, Move, OfferState, ReferralState, UndoKind, state_after
from applications.undoing import requests
from bulletin.models import Group, Vacancy
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import (
    BidFactory,
    ContractFactory,
    GroupFactory,
    ReferralFactory,
    UndoRequestFactory,
    VacancyFactory,
    crowd,
)
from tests.staff import employee
from tests.thorough import THOROUGH

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.usefixtures("clock"),
]

BEFORE = NOW - timedelta(hours=2)
OVER = NOW - timedelta(hours=1)

# What became of each family of a group, and whether it holds a place.
FAMILIES = {
    "waiting": ((), False),
    "refused": ((Move.PLACE_BID, Move.REJECT_BID), False),
    "revoked": ((Move.PLACE_BID, Move.ISSUE_REFERRAL, Move.REVOKE_REFERRAL), False),
    "stopped": ((Move.PLACE_BID, Move.ISSUE_REFERRAL, Move.EXPIRE_REFERRAL), False),
    "lost": ((Move.PLACE_BID, Move.LOSE_BID), False),
    "pending": ((Move.PLACE_BID,), True),
    "referred": ((Move.PLACE_BID, Move.ISSUE_REFERRAL), True),
    "late": ((Move.PLACE_BID, Move.ISSUE_REFERRAL), True),
    "signed": ((Move.PLACE_BID, Move.ISSUE_REFERRAL, Move.SIGN_CONTRACT), True),
}
BIDS = {"refused": BidState.REJECTED, "lost": BidState.LOST, "pending": BidState.PENDING}
REFERRALS = {
    "revoked": ReferralState.REVOKED,
    "stopped": ReferralState.EXPIRED,
    "referred": ReferralState.ISSUED,
    "late": ReferralState.ISSUED,
    "signed": ReferralState.SIGNED,
}
KINDS = {
    "refused": UndoKind.REFUSAL,
    "revoked": UndoKind.REVOCATION,
    "stopped": UndoKind.COMING,
    "signed": UndoKind.CONTRACT,
}
HELD = sum(holds for _moves, holds in FAMILIES.values())


class Scene(SimpleNamespace):
    """One group with a family of each kind, all of whose places but one are taken."""

    def undo(self, family):
        return requests.approve_undo(self.requests[family], actor=self.official, now=NOW)

    def bid(self):
        parent, application = self.parent, self.families["waiting"]
        answer = rush.press(
            user_id=str(parent.pk),
            password_stamp=parent.get_session_auth_hash(),
            application_id=application.pk,
            vacancy_id=self.vacancy.pk,
        )
        if isinstance(answer, Refusal):
            raise Refused(answer)

    def publish(self):
        try:
            return publication.publish_vacancy(self.draft, actor=self.staff, now=NOW)
        except ValidationError as error:
            if set(error.message_dict) != {"seats_total"}:
                raise
            raise Refused(Refusal.FULL) from error

    def offer(self):
        seeking = Offer.objects.filter(vacancy=self.vacancy, state=OfferState.SEEKING).first()
        return seeking is not None and offers.offer_to_the_next(seeking, now=NOW)


ACTS = {
    "undo refusal": lambda one: one.undo("refused"),
    "undo revocation": lambda one: one.undo("revoked"),
    "confirm coming": lambda one: one.undo("stopped"),
    "undo contract": lambda one: one.undo("signed"),
    "bid": Scene.bid,
    "publish": Scene.publish,
    "offer": Scene.offer,
    "activate": lambda one: issuing.activate_bid(one.bids["pending"], actor=one.staff, now=NOW),
    "refuse": lambda one: bid_ending.reject_bid(one.bids["pending"], actor=one.staff, reason="x", now=NOW),
    "note coming": lambda one: coming.note_coming(
        one.referrals["referred"], came_on=NOW.date(), actor=one.staff, now=NOW
    ),
    "revoke": lambda one: ending.revoke_referral(
        one.referrals["referred"], actor=one.staff, reason="x", now=NOW
    ),
    "sign": lambda one: ending.sign_contract(one.referrals["referred"], actor=one.staff, now=NOW),
    "end contract": lambda one: end_contract(
        one.contract, left_on=NOW.date(), reason="x", actor=one.staff, now=NOW
    ),
    "expire": lambda one: ending.expire_referral(one.referrals["late"], now=NOW),
}
# Each of these takes the one free place; of any two, one does.
TAKERS = {"undo refusal", "undo revocation", "confirm coming", "bid", "publish"}
# Each of these meets each act; how the others meet each other is asked elsewhere.
UNDOING = {act for act in ACTS if "undo" in act or "coming" in act or act == "end contract"}
# In an open vacancy; in one that is over, whose places a draft would publish anew; after an award, with an offer made.
OPEN = set(ACTS) - {"publish", "offer"}


def met(acts):
    """Each pair of `acts`, of which one undoes something, in both orders.

    In a quick run those of which one takes the place in one of the orders, and of those that take none every second.
    """
    for place, pair in enumerate(combinations(sorted(acts), 2)):
        if UNDOING & {*pair}:
            both = THOROUGH or {*pair} <= TAKERS
            if both or TAKERS & {*pair} or place % 2:
                yield from permutations(pair) if both else [pair[:: (1, -1)[place // 2 % 2]]]


PAIRS = [
    *(("open", *pair) for pair in met(OPEN)),
    *(("over", *pair) for pair in met((TAKERS | {"refuse"}) - {"bid"})),
    *(("awarded", *pair) for pair in met({"offer", "undo refusal", "revoke", "refuse"})),
]


def build(scene, kinds):
    """A group for each of `kinds`, in a few statements for all."""
    official, rules = employee(Role.OFFICIAL), list(Rules.objects.all())
    scene.application.delete()
    child = {"child__birth_date": scene.application.child.birth_date}
    applications = crowd(
        *(
            {"locality": scene.locality, "filed_by": scene.parent, "filed_at": BEFORE, **child}
            for _kind in kinds
            for _family in FAMILIES
        )
    )
    left, scenes = iter(applications), []
    history: list[History] = []
    rest: list[Model] = []
    for number, kind in enumerate(kinds):
        group = GroupFactory.build(
            kindergarten=scene.group.kindergarten, name=f"{number}", capacity=HELD + 1 + (kind == "awarded")
        )
        vacancy = vacancy_of(group, kind)
        draft = VacancyFactory.build(
            group=group,
            seats_total=1,
            state=Vacancy.State.DRAFT,
            opens_at=NOW.replace(hour=20),
            published_at=None,
        )
        made = Scene(group=group, vacancy=vacancy, draft=draft, official=official)
        made.staff, made.parent = scene.staff, scene.parent
        made.families, made.bids, made.referrals, made.requests = {}, {}, {}, {}
        for family, (moves, holds) in FAMILIES.items():
            made.families[family] = application = next(left)
            rows_of(made, family, application, moves, holds=holds, history=history, rest=rest)
        if kind == "awarded":
            rest.append(Offer(vacancy=vacancy, freed_at=OVER))
        scenes.append(made)
    Group.objects.bulk_create(one.group for one in scenes)
    Vacancy.objects.bulk_create(row for one in scenes for row in (one.vacancy, one.draft))
    for model in (Bid, *dict.fromkeys(map(type, rest))):
        rows = [row for one in scenes for row in one.bids.values()] if model is Bid else None
        model.objects.bulk_create(rows or [row for row in rest if type(row) is model])
    history.sort(key=lambda event: event.move != Move.FILE)
    History.objects.bulk_create(history)
    prefetch_related_objects(applications, *PREFETCH)
    for application in applications:
        application.runs_out_at = first_end(application, now=NOW, rules=rules)
    Application.objects.bulk_update(applications, ["state", "runs_out_at"])
    return scenes


def vacancy_of(group, kind):
    fields: dict[str, dict[str, Any]] = {
        "open": {},
        "over": {"state": Vacancy.State.CLOSED},
        "awarded": {"closes_at": OVER, "mode": Vacancy.Mode.QUEUE_ORDER, "awarded_at": OVER},
    }
    return VacancyFactory.build(
        group=group,
        birth_years=[2017],
        seats_total=HELD + 1 + (kind == "awarded"),
        seats_taken=HELD + (kind == "awarded"),
        opens_at=BEFORE,
        **fields[kind],
    )


def rows_of(made, family, application, moves, *, holds, history, rest):
    """A family's bid, what came of it, and the events that tell of it."""
    history.append(event_of(application, Move.FILE, "", {}))
    if not moves:
        return
    bid = BidFactory.build(
        id=uuid4(),
        application=application,
        vacancy=made.vacancy,
        placed_at=OVER,
        placed_by=made.parent,
        state=BIDS.get(family, BidState.ACTIVATED),
        holds_seat=holds,
        told_at=OVER,
    )
    made.bids[family] = bid
    for step in moves:
        before, application.state = application.state, state_after(step, application.state)
        history.append(event_of(application, step, before, {"bid": str(bid.pk)}))
    if family in REFERRALS:
        is_over = family in ("late", "stopped")
        referral = ReferralFactory.build(
            application=application,
            bid=bid,
            number=application.number,
            state=REFERRALS[family],
            issued_at=OVER,
            issued_by=made.staff,
            valid_until=NOW if is_over else NOW + timedelta(days=5),
            ended_at=None if family in ("late", "referred") else NOW,
        )
        made.referrals[family] = referral
        rest.append(referral)
    if family == "signed":
        made.contract = ContractFactory.build(referral=referral, signed_at=OVER, signed_by=made.staff)
        rest.append(made.contract)
    if family == "stopped":
        rest.append(
            StopListEntry(
                application=application, referral=referral, starts_at=NOW, until=NOW + timedelta(days=14)
            )
        )
    if family in KINDS:
        request = UndoRequestFactory.build(
            kind=KINDS[family],
            bid=bid,
            came_on=OVER.date() if family == "stopped" else None,
            proposed_at=NOW,
            proposed_by=made.staff,
        )
        made.requests[family] = request
        rest.append(request)


def event_of(application, step, before, data):
    return History(
        application=application,
        at=OVER,
        move=step,
        from_state=before,
        to_state=application.state,
        data=data,
        locality=application.locality,
        birth_year=application.birth_year,
        tier=application.tier,
        filed_at=application.filed_at,
    )


def run_one_inside_the_other(pool, first, second):
    """Whether each of two acts was refused, and why: the second begins while the first has not committed."""
    may_begin, may_commit = Event(), Event()

    def hold():
        with transaction.atomic():
            try:
                return first()
            finally:
                may_begin.set()
                may_commit.wait()

    def meet():
        may_begin.wait()
        try:
            return second()
        finally:
            may_commit.set()

    def answer(call):
        try:
            call()
        except Refused as refused:
            return refused.reason
        return None

    one, other = pool.submit(answer, hold), pool.submit(answer, meet)
    may_begin.wait()
    with connection.cursor() as cursor:
        while not may_commit.is_set():
            cursor.execute(
                "SELECT pg_sleep(0.002), count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[1]:
                may_commit.set()
    return one.result(), other.result()


def disconnect(both):
    """Close the connection of this thread, once each of both is here."""
    both.wait()
    connection.close()


def takes(scene, act):
    """Whether the act's family, or the draft, has a place now."""
    family = {"undo refusal": "refused", "undo revocation": "revoked", "confirm coming": "stopped"}.get(act)
    if act == "publish":
        return Vacancy.objects.get(pk=scene.draft.pk).state == Vacancy.State.PUBLISHED
    bids = Bid.objects.filter(application=scene.families[family or "waiting"], vacancy=scene.vacancy)
    return bids.filter(holds_seat=True).exists()


def test_in_every_order_no_place_is_given_twice(scene):
    scenes = build(scene, [kind for kind, _first, _second in PAIRS])
    assert [one for one in differences() if "may end at" not in one] == []
    assert over_promised(now=NOW) == []
    results = {}
    with ThreadPoolExecutor(2) as pool:
        for made, (kind, first, second) in zip(scenes, PAIRS, strict=True):
            results[kind, first, second] = run_one_inside_the_other(
                pool,
                lambda made=made, act=first: ACTS[act](made),
                lambda made=made, act=second: ACTS[act](made),
            )
        both = Barrier(2)
        list(pool.map(lambda _thread: disconnect(both), range(2)))
    # Nobody waited in vain, and whoever came first was never refused, except where no place was free.
    assert Refusal.BUSY not in {reason for pair in results.values() for reason in pair}
    assert [pair for pair, (first, _second) in results.items() if first is not None] == []
    for made, pair in zip(scenes, PAIRS, strict=True):
        if set(pair[1:]) <= TAKERS:
            assert [takes(made, act) for act in pair[1:]] == [True, False], pair
    assert over_promised(now=NOW) == []
    assert [one for one in differences() if "may end at" not in one] == []
    for made in scenes:
        made.vacancy.refresh_from_db()
        live = Offer.objects.filter(vacancy=made.vacancy, state__in=LIVE_OFFERS).count()
        held = Bid.objects.filter(vacancy=made.vacancy, holds_seat=True).count()
        assert held + live == made.vacancy.seats_taken <= made.vacancy.seats_total


@pytest.fixture
def two_places(scene):
    """Two vacancies of one group are over; each gave a place back, and the group has room for one."""
    first, second = build(scene, ["over", "over"])
    Vacancy.objects.filter(pk=second.vacancy.pk).update(group=first.group)
    Group.objects.filter(pk=first.group.pk).update(capacity=2 * HELD + 1)
    for made in (first, second):
        made.requests["refused"] = UndoRequest.objects.get(pk=made.requests["refused"].pk)
    return first, second


def test_control_without_the_lock_of_the_group_its_last_place_is_taken_twice(two_places, monkeypatch):
    """Both have counted before either has taken a place."""
    both_have_counted = Barrier(2)
    is_free = retaking.is_place_free

    def slowly(*args, **kwargs):
        found = is_free(*args, **kwargs)
        both_have_counted.wait()
        return found

    monkeypatch.setattr(retaking, "is_place_free", slowly)
    monkeypatch.setattr(
        retaking,
        "lock_places",
        lambda pk, *, now: Group.objects.select_related("kindergarten__locality").get(pk=pk),
    )
    together(*(lambda one=one: one.undo("refused") for one in two_places))
    (found,) = over_promised(now=NOW)
    assert found.excess == 1


def test_the_last_place_of_a_group_is_taken_back_once(two_places):
    results = together(*(lambda one=one: one.undo("refused") for one in two_places))
    assert results.count(Refusal.PLACE_GONE) == 1
    assert over_promised(now=NOW) == []
