"""A closing, and a move from group to group, against everything else that takes a place, in every order.

The scenes and the way in which two acts meet are those of what is undone (`test_undoing`).
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.core.exceptions import ValidationError

from accounts.roles import Role
from applications.bidding import publication
from applications.closings import deciding, finishing
from applications.closings import ending as closing_ending
from applications.jobs.invariants import differences
from applications.models import Application, Bid, Contract, Offer, Referral, StopListEntry
from applications.moves import Refused, reckon
from applications.places import occupancy
from applications.places.occupancy import over_promised
from applications.referrals import transferring
from applications.referrals.returning import return_to_queue
from applications.refusals import Refusal
from applications.states import LIVE_OFFERS, ApplicationState, BidState, ReferralState
from bulletin.closings import closing_of
from bulletin.models import Closing, Group, Vacancy
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.concurrency.test_undoing import ACTS as OTHERS
from tests.concurrency.test_undoing import HELD, disconnect, run_one_inside_the_other
from tests.concurrency.test_undoing import build as build_undoing
from tests.factories import GroupFactory
from tests.patience import PATIENCE
from tests.staff import employee
from tests.thorough import THOROUGH

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.usefixtures("clock"),
]


def to_close(made):
    return Closing(
        kindergarten=made.group.kindergarten,
        group=made.group,
        cause="repair",
        reason="x",
        starts_on=NOW.date(),
    )


def move_out(made):
    return transferring.transfer(
        made.contract, target=made.other, reason="x", is_agreed=True, actor=made.staff, now=NOW
    )


def publish(made):
    """Where it is closed, the obstacle is named at the group."""
    try:
        return OTHERS["publish"](made)
    except ValidationError as error:
        if set(error.message_dict) != {"group"}:
            raise
        raise Refused(Refusal.GROUP_CLOSED) from error


ACTS = {
    **OTHERS,
    "publish": publish,
    "close": lambda one: deciding.close(to_close(one), actor=one.official, now=NOW),
    "move out": move_out,
}


def orders(new, act, *, place):
    """Both orders; in a quick run the less dangerous acts meet one of the new two, in one order, by turns."""
    found = [(new, act), (act, new)]
    if THOROUGH or act in DANGEROUS:
        return found
    return [found[place // 2 % 2]] if NEW[place % 2] in (new, act) else []


NEW = ("close", "move out")
DANGEROUS = {"bid", "sign", "publish"}
# In an open group; in one whose vacancy is over; after an award, with an offer made.
MET = {
    "open": set(OTHERS) - {"publish", "offer"},
    "over": {"publish", "undo refusal", "end contract"},
    "awarded": {"offer", "revoke"},
}
PAIRS = [
    (kind, *pair)
    for kind, acts in MET.items()
    for new in NEW
    for place, act in enumerate(sorted({*acts, *NEW} - {new}))
    for pair in orders(new, act, place=place)
]


def build(scene, kinds):
    """The scenes, whose families are looked at when something of theirs ends."""
    scenes = build_undoing(scene, kinds)
    for application in Application.objects.select_related("locality"):
        reckon(application, now=NOW)
    return scenes


def all_is_well():
    return list(differences()), over_promised(now=NOW)


def test_in_every_order_nobody_pays_and_no_place_is_given_twice(scene):
    scenes = build(scene, [kind for kind, _first, _second in PAIRS])
    for number, made in enumerate(scenes):
        made.other = GroupFactory(kindergarten=made.group.kindergarten, name=f"other {number}", capacity=1)
    assert all_is_well() == ([], [])
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
    assert Refusal.BUSY not in {reason for pair in results.values() for reason in pair}
    assert [pair for pair, (first, _second) in results.items() if first is not None] == []
    assert all_is_well() == ([], [])
    # What a closing has not reached yet, a job does; whoever was in time is found.
    finishing.finish_all(now=NOW)
    for made, pair in zip(scenes, PAIRS, strict=True):
        if "close" not in pair or results[pair][pair[1:].index("close")] is not None:
            continue
        here = {"vacancy__group": made.group}
        assert not Bid.objects.filter(state=BidState.PENDING, **here).exists(), pair
        assert not Offer.objects.filter(state__in=LIVE_OFFERS, **here).exists(), pair
        late = made.referrals["late"]
        issued = Referral.objects.filter(bid__vacancy__group=made.group, state=ReferralState.ISSUED)
        assert not issued.exclude(pk=late.pk).exists(), pair
        assert not Vacancy.objects.filter(group=made.group, state=Vacancy.State.PUBLISHED).exists(), pair
        for family in ("pending", "referred"):
            state = Application.objects.get(pk=made.families[family].pk).state
            assert state in (ApplicationState.WAITING, ApplicationState.ENROLLED), (pair, family)
    # Nobody comes onto the stop-list but who was there, and who let the last day pass before.
    own = [made.referrals[name].pk for made in scenes for name in ("stopped", "late")]
    assert not StopListEntry.objects.exclude(referral__in=own).exists()
    assert Closing.objects.filter(finished_at=None).count() == 0
    assert all_is_well() == ([], [])


def test_a_closing_is_undone_or_opened_again_once(scene):
    """Whoever comes second finds it ended; what comes back is asked of the families one by one."""
    (made,) = build(scene, ["open"])
    closing = deciding.close(to_close(made), actor=made.official, now=NOW)
    finishing.finish(closing, now=NOW)
    results = together(
        lambda: closing_ending.undo(closing, actor=made.official, reason="x", now=NOW),
        lambda: closing_ending.reopen(closing, actor=made.official, reason="x", now=NOW),
    )
    assert results.count(Refusal.NOT_ALLOWED) == 1
    finishing.finish_all(now=NOW)
    assert all_is_well() == ([], [])


def test_control_without_its_locks_a_place_is_published_where_it_closes(scene, monkeypatch):
    """Whoever publishes has found the group open, and commits after the closing has looked for its places."""
    (made,) = build(scene, ["over"])
    has_asked, has_closed = Event(), Event()
    refuse_obstacles = publication.refuse_obstacles

    def slowly(obstacles):
        refuse_obstacles(obstacles)
        has_asked.set()
        has_closed.wait(PATIENCE)

    def close():
        has_asked.wait(PATIENCE)
        try:
            return ACTS["close"](made)
        finally:
            has_closed.set()

    rows = Vacancy.objects.exclude(state=Vacancy.State.DRAFT).select_related("closing")
    monkeypatch.setattr(publication, "refuse_obstacles", slowly)
    monkeypatch.setattr(deciding, "lock_offer", lambda closing: list(rows.filter(group=closing.group)))
    together(lambda: publish(made), close)
    assert closing_of(made.group) is not None
    assert Vacancy.objects.filter(group=made.group, state=Vacancy.State.PUBLISHED).exists()


@pytest.fixture
def two_children(scene):
    """A child of each of two groups, and a third group with one place that both want."""
    first, second = build(scene, ["over", "over"])
    target = GroupFactory(kindergarten=first.group.kindergarten, name="target", capacity=1)
    first.other = second.other = target
    return first, second


def test_control_without_the_locks_of_the_groups_one_place_is_given_to_two(two_children, monkeypatch):
    both_have_counted = Barrier(2)
    has_place = transferring.why_no_place

    def slowly(*args, **kwargs):
        found = has_place(*args, **kwargs)
        both_have_counted.wait()
        return found

    monkeypatch.setattr(transferring, "why_no_place", slowly)
    monkeypatch.setattr(
        transferring,
        "lock_places_of",
        lambda pks, *, now: {
            one.pk: one for one in Group.objects.select_related("kindergarten__locality").filter(pk__in=pks)
        },
    )
    together(*(lambda one=one: move_out(one) for one in two_children))
    (found,) = over_promised(now=NOW)
    assert found.excess == 1


def test_the_last_place_of_a_group_is_moved_to_once(two_children):
    results = together(*(lambda one=one: move_out(one) for one in two_children))
    assert results.count(Refusal.GROUP_FULL) == 1
    assert all_is_well() == ([], [])


def test_two_children_change_places_without_a_deadlock(scene):
    """Each group has one place free beside its children; each of the moves needs both groups."""
    first, second = build(scene, ["over", "over"])
    first.other, second.other = second.group, first.group
    results = together(lambda: move_out(first), lambda: move_out(second))
    assert Refusal.BUSY not in results
    assert Contract.objects.filter(moved_to__isnull=False).count() == 2
    assert (HELD, all_is_well()) == (HELD, ([], []))


def test_a_family_has_its_number_or_another_group_and_not_both(scene):
    (made,) = build(scene, ["over"])
    made.other = GroupFactory(kindergarten=made.group.kindergarten, name="other", capacity=1)
    finishing.finish(deciding.close(to_close(made), actor=employee(Role.OFFICIAL), now=NOW), now=NOW)
    results = together(
        lambda: move_out(made),
        lambda: return_to_queue(made.contract, reason="x", actor=made.staff, now=NOW),
    )
    assert len([one for one in results if isinstance(one, Refusal)]) == 1
    assert occupancy.over_promised(now=NOW) == []
    assert all_is_well() == ([], [])
