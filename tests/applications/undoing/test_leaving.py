"""A child leaves: its contract ends, its place is free; a mistake is taken back the same day, or asked for later."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.audit import history_of
from accounts.roles import Role
from applications.jobs.invariants import differences
from applications.models import Application, Bid, Contract, Event, Headcount, Offer, UndoRequest
from applications.moves import Refused, write_event
from applications.places.enrolled import gone_at
from applications.places.occupancy import Counted, Promised, occupancies_of, over_promised, reckon, room
from applications.referrals import ending, issuing
from applications.referrals.leaving import end_contract
from applications.refusals import Refusal
from applications.rules.leaving import why_not_left
from applications.states import ApplicationState, BidState, Move, ProposalState, ReferralState, UndoKind
from applications.undoing import leaving, requests
from applications.undoing.leaving import may_take_back, take_back_leaving
from applications.waiting import filing
from bulletin.models import Vacancy
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.applications.undoing.test_mistakes import published_anew, recalled, taken_by_others
from tests.factories import ApplicationFactory, BidFactory, GuardianshipFactory, VacancyFactory
from tests.staff import employee, inside, press, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
LEFT, DAY_BEFORE = date(2019, 7, 1), date(2019, 6, 30)
ENDED = datetime(2019, 7, 1, 10, 0, tzinfo=ZONE)
LEFT_AT = datetime(2019, 7, 1, 9, 0, tzinfo=ZONE)
NEXT_DAY = datetime(2019, 7, 2, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("left_on", "refusal"),
    [
        (date(2019, 6, 25), Refusal.LEFT_BEFORE),
        (date(2019, 6, 26), None),
        (LEFT, None),
        (date(2019, 7, 2), Refusal.LEFT_IN_FUTURE),
    ],
)
def test_a_child_left_between_the_contract_and_today(left_on, refusal):
    assert why_not_left(left_on, signed_on=date(2019, 6, 26), today=LEFT) == refusal


def test_who_was_counted_and_left_later_is_taken_out_of_the_count():
    signed, counted = ENDED - timedelta(days=9), ENDED
    for gone, children in ((counted, 10), (counted + MICROSECOND, 9)):
        (found,) = reckon([Counted(2019, 10, counted)], [Promised(2019, 0, left=((signed, gone),))])
        assert found.total == children
    # Who was not in the count is not taken out of it, nor where nobody has counted.
    for counts in ([Counted(2019, 10, signed - MICROSECOND)], []):
        (found,) = reckon(counts, [Promised(2019, 0, left=((signed, ENDED),))])
        assert found.promised == 0


@pytest.mark.parametrize(
    ("left_on", "gone"),
    [
        (LEFT, ENDED),
        (LEFT - timedelta(days=1), datetime(2019, 7, 1, tzinfo=ZONE)),
        (LEFT - timedelta(days=3), datetime(2019, 6, 29, tzinfo=ZONE)),
    ],
)
def test_a_count_holds_a_child_until_its_end_is_entered_or_its_last_day_is_over(left_on, gone):
    assert gone_at(left_on=left_on, ended_at=ENDED, zone=ZONE) == gone


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def official(scene):
    return employee(Role.OFFICIAL)


@pytest.fixture
def contract(scene, worker):
    write_event(scene.application, Move.FILE, before="", actor=scene.parent, now=NOW)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    return ending.sign_contract(issuing.activate_bid(bid, actor=worker, now=NOW), actor=worker, now=NOW)


def end(contract, worker, *, left_on=LEFT):
    return end_contract(contract, left_on=left_on, reason="Отбасы көшті", actor=worker, now=ENDED)


def why_refused(call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    return refusal.value.reason


def free(scene, *, now):
    return room(scene.group.capacity, occupancies_of([scene.group], now=now)[scene.group.pk], year=2018)


def test_the_place_is_free_and_the_family_told(scene, contract, worker):
    for wrong in ({"reason": " "}, {"left_on": LEFT + timedelta(days=1)}, {"left_on": date(2019, 6, 25)}):
        fields = {"left_on": LEFT, "reason": "Отбасы көшті", "actor": worker, "now": ENDED} | wrong
        why_refused(end_contract, contract, **fields)
    Headcount.objects.create(
        group=scene.group, school_year=2018, children=20, counted_at=NOW, state=ProposalState.APPROVED,
        proposed_at=NOW, proposed_by=worker, decided_by=worker,
    )  # fmt: skip
    Vacancy.objects.update(state=Vacancy.State.CLOSED)
    before = free(scene, now=ENDED)
    end(contract, worker)
    scene.vacancy.refresh_from_db()
    application = Application.objects.get()
    assert (application.state, application.archived_at) == (ApplicationState.ARCHIVED, ENDED)
    assert Bid.objects.get().referral.state == ReferralState.ENDED
    assert (scene.vacancy.seats_taken, Bid.objects.get().holds_seat) == (0, False)
    # One child less than was counted.
    assert free(scene, now=ENDED) == before + 1
    assert Notice.objects.filter(kind="contract_ended").count() == 1
    assert why_refused(end, contract, worker) == Refusal.GONE_ON
    assert list(differences()) == []


def full_without_the_child(scene, worker, *, counted_at):
    """Counted without the child, whose end was not entered yet; what that left free is in the bulletin."""
    capacity = scene.group.capacity
    Headcount.objects.create(
        group=scene.group, school_year=2018, children=capacity - scene.vacancy.seats_total, counted_at=counted_at,
        state=ProposalState.APPROVED, proposed_at=counted_at, proposed_by=worker, decided_by=worker,
        decided_at=counted_at,
    )  # fmt: skip
    places = free(scene, now=ENDED)
    if places:
        VacancyFactory(group=scene.group, seats_total=places, opens_at=counted_at)
    assert free(scene, now=ENDED) == 0


@pytest.mark.parametrize("places", [1, 3])
def test_a_place_of_the_bulletin_that_the_group_has_not_is_taken_out_of_it(scene, contract, worker, places):
    Vacancy.objects.update(seats_total=places)
    scene.vacancy.refresh_from_db()
    full_without_the_child(scene, worker, counted_at=LEFT_AT)
    end(contract, worker, left_on=DAY_BEFORE)
    scene.vacancy.refresh_from_db()
    assert over_promised(now=ENDED) == []
    assert free(scene, now=ENDED) == 0
    state, total = (Vacancy.State.CLOSED, 1) if places == 1 else (Vacancy.State.PUBLISHED, 2)
    assert (scene.vacancy.state, scene.vacancy.seats_total, scene.vacancy.seats_taken) == (state, total, 0)
    assert [entry for entry in history_of(scene.vacancy) if entry.actor == worker]
    assert list(differences()) == []


@pytest.mark.parametrize("is_full", [True, False])
def test_after_an_award_a_place_that_the_group_has_not_goes_to_nobody(scene, contract, worker, is_full):
    Vacancy.objects.update(
        mode=Vacancy.Mode.QUEUE_ORDER, closes_at=LEFT_AT, awarded_at=LEFT_AT, seats_total=1
    )
    other = ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
    BidFactory(vacancy=scene.vacancy, application=other, state=BidState.LOST, holds_seat=False)
    scene.vacancy.refresh_from_db()
    if is_full:
        full_without_the_child(scene, worker, counted_at=LEFT_AT)
    end(contract, worker, left_on=DAY_BEFORE)
    scene.vacancy.refresh_from_db()
    assert (Offer.objects.exists(), scene.vacancy.seats_taken) == ((False, 0) if is_full else (True, 1))
    assert over_promised(now=ENDED) == []


def test_who_ended_it_takes_it_back_until_the_day_is_over(scene, contract, worker):
    end(contract, worker)
    contract.refresh_from_db()
    colleague = worker_of(scene.group.kindergarten)
    assert may_take_back(contract, worker, now=NEXT_DAY - MICROSECOND)
    for actor, now in ((worker, NEXT_DAY), (colleague, ENDED)):
        assert not may_take_back(contract, actor, now=now)
        assert why_refused(take_back_leaving, contract, actor=actor, now=now) == Refusal.NOT_ALLOWED
    take_back_leaving(contract, actor=worker, now=NEXT_DAY - MICROSECOND)
    contract.refresh_from_db()
    scene.vacancy.refresh_from_db()
    assert (contract.left_on, contract.ended_at, contract.ended_by, contract.end_reason) == (None,) * 3 + (
        "",
    )
    assert (Application.objects.get().state, scene.vacancy.seats_taken) == (ApplicationState.ENROLLED, 1)
    assert Application.objects.get().archived_at is None
    (notice,) = Notice.objects.filter(kind="contract_goes_on")
    # Why it ended is not why it goes on.
    assert not [text for text in (notice.text_kk, notice.text_ru) if "көшті" in text or "ричина" in text]
    assert Event.objects.latest("id").reason == ""
    assert why_refused(take_back_leaving, contract, actor=worker, now=ENDED) == Refusal.NOT_ALLOWED
    assert list(differences()) == []


@pytest.mark.parametrize("left_on", [LEFT, DAY_BEFORE])
def test_a_count_from_before_the_end_was_entered_hinders_nobody(scene, contract, worker, left_on):
    """Counted in the morning of the day on which the child left, or on the day after it: taken back within the day."""
    Headcount.objects.create(
        group=scene.group, school_year=2018, children=5, counted_at=LEFT_AT, state=ProposalState.APPROVED,
        proposed_at=LEFT_AT, proposed_by=worker, decided_by=employee(Role.OFFICIAL), decided_at=LEFT_AT,
    )  # fmt: skip
    Vacancy.objects.update(state=Vacancy.State.CLOSED)
    before = free(scene, now=ENDED)
    end(contract, worker, left_on=left_on)
    # Counted after its last day, the child was not in the count.
    assert free(scene, now=ENDED) == before + (left_on == LEFT)
    take_back_leaving(Contract.objects.get(), actor=worker, now=ENDED + MICROSECOND)
    assert free(scene, now=ENDED) == before
    assert Application.objects.get().state == ApplicationState.ENROLLED


def filed_anew(scene, bid):
    filing.file_application(
        child=scene.application.child,
        locality=scene.locality,
        languages=["ru"],
        actor=scene.parent,
        now=ENDED,
    )


def counted_anew(scene, bid):
    Headcount.objects.create(
        group=scene.group, school_year=2018, children=20, counted_at=ENDED, state=ProposalState.APPROVED,
        proposed_at=ENDED, proposed_by=scene.staff, decided_by=scene.staff,
    )  # fmt: skip


def proposed_anew(scene, bid):
    Headcount.objects.create(
        group=scene.group, school_year=2018, children=20, counted_at=ENDED, proposed_at=ENDED,
        proposed_by=scene.staff,
    )  # fmt: skip


def test_a_count_that_was_confirmed_while_the_group_was_waited_for_is_seen(
    scene, contract, worker, monkeypatch
):
    end(contract, worker)
    contract.refresh_from_db()
    take_back = leaving.take_back

    def counted_meanwhile(bid, *, now):
        counted_anew(scene, bid)
        return take_back(bid, now=now)

    monkeypatch.setattr(leaving, "take_back", counted_meanwhile)
    refusal = why_refused(take_back_leaving, contract, actor=worker, now=ENDED)
    assert refusal == Refusal.COUNTED_SINCE
    assert Application.objects.get().state == ApplicationState.ARCHIVED


def test_while_an_official_is_asked_nobody_takes_it_back(scene, contract, worker, official):
    end(contract, worker)
    contract.refresh_from_db()
    request = requests.ask_to_undo(
        contract.referral.bid, kind=UndoKind.LEAVING, reason="Қате", actor=worker, now=ENDED
    )
    assert why_refused(take_back_leaving, contract, actor=worker, now=ENDED) == Refusal.PROPOSAL_WAITS
    requests.decline_undo(request, actor=official, reason="Өзіңіз қайтарыңыз", now=ENDED)
    take_back_leaving(contract, actor=worker, now=ENDED)
    assert not UndoRequest.objects.filter(state=ProposalState.PROPOSED).exists()


def test_an_official_is_not_asked_about_a_child_of_their_own(scene, contract, worker, official, clock):
    end(contract, worker)
    requests.ask_to_undo(contract.referral.bid, kind=UndoKind.LEAVING, reason="Қате", actor=worker, now=ENDED)
    clock.move_to(ENDED)
    page, listed = reverse("admin:index"), reverse("admin:applications_undorequest_changelist") + "?waits=you"
    for is_own, count in ((False, 1), (True, 0)):
        if is_own:
            GuardianshipFactory(child=scene.application.child, user=official)
        office = inside(official)
        assert office.get(page).context["today"].undoing == count
        assert len(office.get(listed).context["cl"].result_list) == count


def test_it_goes_on_later_only_where_nobody_loses_by_it(scene, contract, worker, official):
    end(contract, worker)
    contract.refresh_from_db()
    bid = contract.referral.bid
    request = requests.ask_to_undo(
        bid, kind=UndoKind.LEAVING, reason="Басқа бала еді", actor=worker, now=NEXT_DAY
    )
    for meanwhile, refusal in (
        (taken_by_others, Refusal.PLACE_GONE),
        (recalled, Refusal.PLACE_GONE),
        (published_anew, Refusal.PLACE_GONE),
        (filed_anew, Refusal.GONE_ON),
        (counted_anew, Refusal.COUNTED_SINCE),
        (proposed_anew, Refusal.COUNTED_SINCE),
    ):
        with transaction.atomic():
            meanwhile(scene, bid)
            assert why_refused(requests.approve_undo, request, actor=official, now=NEXT_DAY) == refusal
            UndoRequest.objects.all().delete()
            assert why_refused(take_back_leaving, contract, actor=worker, now=ENDED) == refusal
            transaction.set_rollback(True)
    requests.approve_undo(request, actor=official, now=NEXT_DAY)
    assert Application.objects.get().state == ApplicationState.ENROLLED
    assert Contract.objects.get().left_on is None
    assert list(differences()) == []


def test_the_buttons_of_a_contract(scene, contract, worker, official, clock, client_of):
    clock.move_to(ENDED)
    desk = inside(worker)
    page = reverse("admin:applications_contract_change", args=[contract.pk])

    def buttons(browser):
        works = browser.get(page).context["works"]
        return [work["url"].rstrip("/").rsplit("/", 1)[1] for work in works]

    def work(name):
        return reverse("admin:applications_contract_work", args=[contract.pk, name])

    assert buttons(desk) == ["undo-contract", "transfer", "number", "end"]
    wrong = press(desk, work("end"), {"left_on": "2019-07-02", "reason": "Отбасы көшті"})
    assert "left_on" in wrong.context["errors"]
    press(desk, work("end"), {"left_on": "2019-07-01", "reason": "Отбасы көшті"})
    assert buttons(desk) == ["take-back"]
    assert buttons(inside(worker_of(scene.group.kindergarten))) == ["undo-leaving"]
    archived = client_of(scene.parent).get(reverse("applications:application", args=[scene.application.pk]))
    assert "Отбасы көшті" in archived.content.decode()
    press(desk, work("take-back"))
    assert buttons(desk) == ["undo-contract", "transfer", "number", "end"]
    assert not UndoRequest.objects.exists()
