"""The bid in one statement under fire: thousands of presses, and whatever else may happen to the place meanwhile."""

import random
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import unescape
from threading import Barrier
from threading import Event as Signal
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.urls import reverse
from django.utils.formats import number_format

from accounts.roles import Role
from applications.bidding import award
from applications.bidding import ending as bid_ending
from applications.bidding.award import award_collected
from applications.bidding.publication import close_vacancy, recall_vacancy, void_recalled_bids
from applications.bidding.rush import Outcome, press
from applications.jobs import deadlines, telling
from applications.models import Application, Bid, Event, Offer, Referral, Rules
from applications.moves import Refused, lock_application, lock_vacancy, locking
from applications.queue.order import interleave
from applications.referrals import ending as referral_ending
from applications.referrals import issuing, stops
from applications.refusals import Refusal
from applications.states import LIVE_OFFERS, QUEUED_STATES, ApplicationState, BidState, Tier
from applications.waiting import filing
from bulletin.models import Holiday, Pause, Vacancy
from bulletin.services import pause_bidding, resume_bidding
from children.models import Child, Guardianship
from notifications import locks
from notifications.clock import read_clock
from notifications.models import Notice
from tests.applications.conftest import NOW
from tests.concurrency.machine import Machine
from tests.concurrency.test_bids import together
from tests.factories import GuardianshipFactory, UserFactory
from tests.patience import PATIENCE
from tests.staff import employee, inside
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

SEATS, PRESSES = 100, 10_000 if THOROUGH else 2_000
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _database_clock(settings, scene):
    """Everything here goes by the clock of the database; the manual's place has been open since 2019.

    Its children may still wait, by rules of their own, and have just confirmed that they do.
    """
    settings.DATABASE_CLOCK = True
    this_year = read_clock().year
    Rules.objects.create(valid_from=date(2019, 1, 1), oldest_age=this_year - 2016)
    now = read_clock()
    Application.objects.update(interest_confirmed_at=now, runs_out_at=now + timedelta(hours=1))
    Holiday.objects.bulk_create(
        Holiday(date=date(year, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")
        for year in (this_year, this_year + 1)
    )


def pressed(application, vacancy, user=None):
    user = user or application.filed_by
    return press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=application.pk,
        vacancy_id=vacancy.pk,
    )


def families(scene, count):
    """Many families in few statements, all of one account, somewhere in the queue."""
    chance = random.Random(count)
    children = Child.objects.bulk_create(
        Child(
            iin="",
            iin_hash=f"rush-{number}",
            last_name="Т",
            first_name="Т",
            birth_date=date(2017, 1, 1),
            sex="f",
            created_at=NOW,
        )
        for number in range(count)
    )
    Guardianship.objects.bulk_create(
        Guardianship(child=child, user=scene.parent, source="registry", verified_at=NOW) for child in children
    )
    return Application.objects.bulk_create(
        Application(
            number=f"R-{number}",
            child=child,
            locality=scene.locality,
            birth_year=2017,
            languages=["ru"],
            tier=chance.choices(Tier.values, weights=[1, 3, 6])[0],
            filed_at=NOW - timedelta(days=9, minutes=chance.randrange(count)),
            sequence=5_000_000 + number,
            filed_by=scene.parent,
            interest_confirmed_at=read_clock(),
            runs_out_at=read_clock() + timedelta(hours=1),
        )
        for number, child in enumerate(children)
    )


def queue_written_out():
    """The keys of all applications of the queue in its order, by its definition."""
    tiers: dict[Tier, list[UUID]] = {tier: [] for tier in Tier}
    for pk, tier in (
        Application.objects.filter(birth_year=2017, state__in=QUEUED_STATES)
        .order_by("filed_at", "sequence")
        .values_list("pk", "tier")
    ):
        tiers[Tier(tier)].append(pk)
    return interleave(tiers, general_per_priority=3)


def collecting(scene, *, seats, closes_in=timedelta(hours=1)):
    """The vacancy collects bids, to give its places by queue number."""
    now = read_clock()
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(
        mode=Vacancy.Mode.QUEUE_ORDER,
        seats_total=seats,
        # No pause stops its opening: the rush is over.
        opens_at=now - timedelta(days=2),
        closes_at=now + closes_in,
    )
    return Vacancy.objects.get(pk=scene.vacancy.pk)


def close_now(vacancy):
    """The time to bid is over; everything else is as it was."""
    Vacancy.objects.filter(pk=vacancy.pk).update(closes_at=read_clock())


def all_at_once(applications, vacancy, presses=1):
    """Every application presses so often, from ten threads, in a random order; the outcomes."""
    order = applications * presses
    random.shuffle(order)
    piles = [order[start::10] for start in range(10)]
    return [
        outcome
        for pile in together(*(lambda pile=pile: [pressed(one, vacancy) for one in pile] for pile in piles))
        for outcome in pile
    ]


def consistent(vacancy):
    """Seats, ending, states and events tell the same."""
    vacancy.refresh_from_db()
    holding = Bid.objects.filter(vacancy=vacancy, holds_seat=True)
    pending = Bid.objects.filter(state=BidState.PENDING).values("application")
    placed = Application.objects.filter(state=ApplicationState.BID_PLACED)
    passed_on = Offer.objects.filter(vacancy=vacancy, state__in=LIVE_OFFERS).count()
    assert vacancy.seats_taken == holding.count() + passed_on <= vacancy.seats_total
    assert {one.pk for one in placed} == {row["application"] for row in pending}
    sent = Event.objects.filter(move="place_bid").values_list("data__bid", flat=True)
    assert sorted(sent) == sorted(str(bid.pk) for bid in Bid.objects.all())
    return True


@contextmanager
def without_the_guards():
    """The function without its locks, and the table without its last net; as they were afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('press_for_a_place'::regproc)")
        function = cursor.fetchone()[0]
        for lock in ("FOR NO KEY UPDATE", "FOR SHARE"):
            assert lock in function
        careless = function.replace("FOR NO KEY UPDATE", "").replace("FOR SHARE", "")
        cursor.execute("ALTER TABLE bulletin_vacancy DROP CONSTRAINT vacancy_not_oversold")
        cursor.execute(careless)
        try:
            yield
        finally:
            cursor.execute(function)
            cursor.execute("UPDATE bulletin_vacancy SET seats_taken = least(seats_taken, seats_total)")
            cursor.execute(
                "ALTER TABLE bulletin_vacancy ADD CONSTRAINT vacancy_not_oversold CHECK (seats_taken <= seats_total)"
            )


def test_control_without_the_locks_the_places_are_oversold(scene):
    waiting = families(scene, 200)
    Vacancy.objects.update(seats_total=3)
    with without_the_guards():
        for start in range(0, 200, 20):
            Vacancy.objects.update(seats_taken=2)
            all_at_once(waiting[start : start + 20], scene.vacancy)
    assert Bid.objects.count() > 10


def test_thousands_of_presses_for_a_hundred_places(scene):
    waiting = families(scene, PRESSES // 2)
    Vacancy.objects.update(seats_total=SEATS)
    outcomes = all_at_once(waiting, scene.vacancy, presses=2)
    assert len(outcomes) == PRESSES
    assert outcomes.count(Outcome.PLACED) == SEATS
    assert set(outcomes) <= {Outcome.PLACED, Outcome.AGAIN, Refusal.FULL}
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_free == 0


def test_each_press_is_collected_and_a_hundred_places_are_awarded_by_number(scene):
    waiting, presses = families(scene, 1_000 if THOROUGH else 250), 10 if THOROUGH else 4
    vacancy = collecting(scene, seats=SEATS)
    outcomes = all_at_once(waiting, vacancy, presses=presses)
    assert len(outcomes) == presses * len(waiting)
    assert outcomes.count(Outcome.PLACED) == len(waiting)
    assert outcomes.count(Outcome.AGAIN) == (presses - 1) * len(waiting)
    assert consistent(vacancy)
    assert vacancy.seats_taken == 0

    order = queue_written_out()
    numbers = {pk: number for number, pk in enumerate(order, start=1)}
    bidding = [pk for pk in order if pk != scene.application.pk]
    close_now(vacancy)
    # Two workers at once: one of them does it.
    given = together(*[lambda: award_collected(vacancy, now=read_clock())] * 2)
    assert sorted(given) == [0, SEATS]
    assert consistent(vacancy)
    assert vacancy.seats_free == 0
    assert set(Bid.objects.filter(holds_seat=True).values_list("application", flat=True)) == set(
        bidding[:SEATS]
    )
    lost = Bid.objects.filter(state=BidState.LOST)
    assert set(lost.values_list("application", flat=True)) == set(bidding[SEATS:])
    assert queue_written_out() == order
    told = dict(Notice.objects.filter(kind="bid_lost").values_list("link", "text_kk"))
    assert len(told) == Notice.objects.filter(kind="bid_lost").count() == len(waiting) - SEATS
    for application in Application.objects.filter(pk__in=bidding[SEATS:]):
        number = number_format(numbers[application.pk], force_grouping=True)
        assert f": {number}." in told[application.get_absolute_url()]


def test_an_award_of_a_long_list_ends_before_its_task_would_be_killed_and_goes_on_in_the_next_run(
    scene, monkeypatch
):
    waiting = families(scene, 12)
    vacancy = collecting(scene, seats=2)
    for application in waiting:
        assert pressed(application, vacancy) == Outcome.PLACED
    close_now(vacancy)
    monkeypatch.setattr(deadlines, "AWARD_SECONDS", 0.0)
    deadlines.award_bids(now=read_clock())
    assert Bid.objects.filter(holds_seat=True).count() == 2
    assert not Bid.objects.filter(state=BidState.LOST).exists()
    monkeypatch.undo()
    deadlines.award_bids(now=read_clock())
    assert Bid.objects.filter(state=BidState.LOST).count() == 10
    assert consistent(vacancy)


def during(work, applications, vacancy):
    """`work` while the applications press."""
    piles = [lambda one=one: pressed(one, vacancy) for one in applications]
    middle = len(piles) // 2
    return together(*piles[:middle], work, *piles[middle:])


def test_against_the_recall(scene):
    waiting = families(scene, 40)
    Vacancy.objects.update(seats_total=30)
    recall = lambda: recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=NOW)  # noqa: E731
    outcomes = during(recall, waiting, scene.vacancy)
    void_recalled_bids(Vacancy.objects.get(), now=NOW)
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_taken == 0
    assert set(outcomes) - {Outcome.PLACED, Refusal.RECALLED, Refusal.FULL} == {scene.vacancy}


def test_against_the_withdrawal_no_place_is_lost(scene):
    waiting = families(scene, 30)
    Vacancy.objects.update(seats_total=1)
    assert pressed(waiting[0], scene.vacancy) == Outcome.PLACED
    bid = Bid.objects.get()
    during(lambda: bid_ending.withdraw_bid(bid, actor=bid.placed_by, now=NOW), waiting[1:], scene.vacancy)
    assert consistent(scene.vacancy)
    # Whoever came too early was refused rightly: the next press has the place.
    pressed(waiting[1], scene.vacancy)
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_free == 0


def test_against_the_archive(scene):
    outcomes = together(
        *[lambda: pressed(scene.application, scene.vacancy)] * 3,
        lambda: filing.archive(scene.application, actor=scene.parent, now=NOW),
    )
    archived = Application.objects.get().state == ApplicationState.ARCHIVED
    assert Bid.objects.count() == (0 if archived else 1)
    assert (Refusal.ARCHIVED in outcomes) == archived or Outcome.PLACED not in outcomes
    assert consistent(scene.vacancy)


def test_against_the_expiry_of_a_referral(scene):
    pressed(scene.application, scene.vacancy)
    bid = Bid.objects.get()
    referral = issuing.activate_bid(bid, actor=scene.staff, now=bid.placed_at)
    outcomes = together(
        lambda: referral_ending.expire_referral(referral, now=referral.valid_until),
        *[lambda: pressed(scene.application, scene.vacancy)] * 4,
    )
    assert set(outcomes[1:]) <= {Refusal.REFERRAL_UNDER_WAY, Refusal.STOP_LISTED}
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_taken == 0


def test_two_guardians_send_one_bid(scene):
    second = UserFactory.create()
    GuardianshipFactory(child=scene.application.child, user=second)
    outcomes = together(
        *[
            lambda user=user: pressed(scene.application, scene.vacancy, user)
            for user in (scene.parent, second) * 4
        ]
    )
    assert sorted(outcomes) == [Outcome.AGAIN] * 7 + [Outcome.PLACED]
    assert consistent(scene.vacancy)


def test_two_places_at_once_are_one_bid(scene):
    other = Vacancy.objects.get(pk=scene.vacancy.pk)
    other.pk, other._state.adding = None, True
    other.save(force_insert=True)
    outcomes = together(
        *[lambda place=place: pressed(scene.application, place) for place in (scene.vacancy, other) * 4]
    )
    assert outcomes.count(Outcome.PLACED) == 1
    assert set(outcomes) <= {Outcome.PLACED, Outcome.AGAIN, Refusal.BID_UNDER_WAY}
    assert consistent(scene.vacancy)
    assert consistent(other)


def test_against_the_end_of_the_vacancy(scene):
    waiting = families(scene, 30)
    Vacancy.objects.update(seats_total=25)
    during(lambda: close_vacancy(scene.vacancy, actor=scene.staff, now=NOW), waiting, scene.vacancy)
    assert consistent(scene.vacancy)
    assert pressed(scene.application, scene.vacancy) == Refusal.CLOSED


def test_whatever_is_collected_before_the_close_is_awarded_or_lost(scene):
    waiting = families(scene, 30)
    vacancy = collecting(scene, seats=5, closes_in=timedelta(milliseconds=300))

    def award():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep_until(%s)", [vacancy.closes_at])
        return award_collected(vacancy, now=read_clock())

    during(award, waiting, vacancy)
    # Nothing is left for the next sweep.
    assert not Bid.objects.filter(state=BidState.PENDING, holds_seat=False).exists()
    assert consistent(vacancy)


def a_late_commit(scene):
    """The first of the queue presses in time, but its transaction ends only when the award waits for it, or is over.

    Returns the vacancy, with its one place awarded, and the late bid; a bid with a larger number was there in time.
    """
    waiting = {one.pk: one for one in families(scene, 3)}
    first, second = [waiting[pk] for pk in queue_written_out() if pk in waiting][:2]
    # Long enough for two presses on a busy machine.
    vacancy = collecting(scene, seats=1, closes_in=timedelta(seconds=3))
    assert pressed(second, vacancy) == Outcome.PLACED
    is_in, is_awarded = Signal(), Signal()

    def press_and_dawdle():
        with transaction.atomic():
            assert pressed(first, vacancy) == Outcome.PLACED
            is_in.set()
            with connection.cursor() as cursor:
                is_waited_for = False
                while not (is_awarded.is_set() or is_waited_for):
                    cursor.execute(
                        "SELECT EXISTS (SELECT FROM pg_locks "
                        "WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
                    )
                    is_waited_for = cursor.fetchone()[0]

    def award():
        try:
            assert is_in.wait(PATIENCE)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep_until(%s)", [vacancy.closes_at])
            award_collected(vacancy, now=read_clock())
        finally:
            is_awarded.set()

    together(press_and_dawdle, award)
    return vacancy, Bid.objects.get(application=first)


def test_control_without_the_vacancys_lock_a_late_bid_is_overlooked(scene, monkeypatch):
    monkeypatch.setattr(award, "lock_vacancy", lambda pk: Vacancy.objects.get(pk=pk))
    _, late = a_late_commit(scene)
    assert not late.holds_seat


def test_a_bid_that_commits_late_is_awarded_with_the_others(scene):
    vacancy, late = a_late_commit(scene)
    assert late.placed_at < vacancy.closes_at
    assert late.holds_seat
    assert Bid.objects.filter(state=BidState.LOST).count() == 1
    assert consistent(vacancy)


def test_the_award_against_the_withdrawals_of_its_winners(scene):
    """A place given back in time goes to the next in order: no place passes a number that was turned away."""
    waiting = {one.pk: one for one in families(scene, 60)}
    vacancy = collecting(scene, seats=10)
    for one in waiting.values():
        assert pressed(one, vacancy) == Outcome.PLACED
    order = [pk for pk in queue_written_out() if pk in waiting]
    close_now(vacancy)
    award = lambda: award_collected(vacancy, now=read_clock())  # noqa: E731
    leave = [
        lambda bid=bid: bid_ending.withdraw_bid(bid, actor=bid.placed_by, now=NOW)
        for bid in Bid.objects.filter(application__in=order[:6])
    ]
    together(*leave[:3], award, award, *leave[3:])
    award()
    assert consistent(vacancy)
    assert not Bid.objects.filter(state=BidState.PENDING, holds_seat=False).exists()
    number = {pk: index for index, pk in enumerate(order)}
    holding, lost = (
        [number[bid.application_id] for bid in Bid.objects.filter(**fields)]
        for fields in ({"holds_seat": True}, {"state": BidState.LOST})
    )
    assert max(holding) < min(lost)


@pytest.mark.parametrize("is_recalled_first", [True, False])
def test_the_award_against_the_recall(scene, is_recalled_first):
    waiting = families(scene, 30)
    vacancy = collecting(scene, seats=5)
    for one in waiting:
        pressed(one, vacancy)
    close_now(vacancy)
    works = [
        lambda: recall_vacancy(vacancy, actor=scene.staff, reason="Жөндеу", now=NOW),
        lambda: award_collected(vacancy, now=read_clock()),
    ]
    together(*(works if is_recalled_first else reversed(works)))
    deadlines.award_bids(now=read_clock())
    assert not Bid.objects.filter(state=BidState.PENDING).exists()
    assert Application.objects.filter(state=ApplicationState.WAITING).count() == 31
    assert consistent(vacancy)
    assert vacancy.seats_taken == 0


def test_the_award_against_refusals_and_activations(scene):
    """A kindergarten may answer a bid once it holds a place: never before, never twice."""
    waiting = families(scene, 30)
    vacancy = collecting(scene, seats=15)
    for one in waiting:
        pressed(one, vacancy)
    close_now(vacancy)
    bids = list(Bid.objects.all())
    refuse = [
        lambda bid=bid: bid_ending.reject_bid(bid, actor=scene.staff, reason="Орын жоқ", now=NOW)
        for bid in bids[:4]
    ]
    accept = [
        lambda bid=bid: issuing.activate_bid(bid, actor=scene.staff, now=read_clock()) for bid in bids[4:8]
    ]
    together(*refuse, lambda: award_collected(vacancy, now=read_clock()), *accept)
    award_collected(vacancy, now=read_clock())
    assert consistent(vacancy)
    assert vacancy.seats_free == 0
    assert not Bid.objects.filter(state=BidState.PENDING, holds_seat=False).exists()


@pytest.mark.parametrize("mode", Vacancy.Mode)
def test_against_the_beginning_of_a_pause(scene, mode):
    """Once it has begun there are no more bids; faster ones stand."""
    waiting = families(scene, 60)
    vacancy = collecting(scene, seats=100)
    Vacancy.objects.update(mode=mode)

    def begin():
        pause_bidding(
            locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=read_clock()
        )
        return read_clock()

    outcomes = during(begin, waiting, vacancy)
    (has_begun,) = [outcome for outcome in outcomes if outcome not in (Outcome.PLACED, Refusal.PAUSED)]
    assert not Bid.objects.filter(placed_at__gte=has_begun).exists()
    assert Bid.objects.count() == outcomes.count(Outcome.PLACED)
    assert set(all_at_once(waiting, vacancy)) <= {Refusal.PAUSED, Refusal.BID_UNDER_WAY, Outcome.AGAIN}
    assert Bid.objects.count() == outcomes.count(Outcome.PLACED)
    assert consistent(vacancy)


def test_a_pause_begins_at_once_and_its_end_gives_up_where_a_place_stays_locked(scene, monkeypatch):
    """In the worst of a rush the place is never free of locks: the pause is there to end it, not to wait for it."""
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 50)
    official = employee(Role.OFFICIAL)
    notices = {"notice_kk": "Жөндеу", "notice_ru": "Ремонт"}

    def begin():
        with locking():
            pause_bidding(locality=None, **notices, actor=official, now=read_clock())

    def end():
        address = reverse("admin:bulletin_pause_work", args=[Pause.objects.get().pk, "resume"])
        data = {"day": str(read_clock().date() + timedelta(days=1)), "at": "", "confirmed": "yes"}
        return inside(official).post(address, data, follow=True).content.decode()

    with transaction.atomic():
        lock_vacancy(scene.vacancy.pk)
        assert together(begin) == [None]
        assert pressed(scene.application, scene.vacancy) == Refusal.PAUSED
        (answer,) = together(end)
    assert str(Refusal.BUSY.label) in unescape(answer)
    assert Pause.objects.get().ended_at is None


@pytest.mark.parametrize(("prefix", "again"), [("", "Қайталау"), ("/ru", "Повторить")])
def test_a_page_that_has_to_end_what_ran_out_says_so_where_it_can_not(
    scene, client_of, monkeypatch, prefix, again
):
    pressed(scene.application, scene.vacancy)
    bid = Bid.objects.get()
    referral = issuing.activate_bid(bid, actor=scene.staff, now=bid.placed_at)
    Referral.objects.filter(pk=referral.pk).update(valid_until=bid.placed_at + MICROSECOND)
    Application.objects.update(runs_out_at=bid.placed_at + MICROSECOND)
    family = client_of(scene.parent)
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 50)
    with transaction.atomic():
        lock_application(scene.application.pk)
        (answer,) = together(lambda: family.get(prefix + reverse("applications:bulletin")))
    assert answer.status_code == 503
    assert again in answer.content.decode()
    assert family.get(prefix + reverse("applications:bulletin")).status_code == 200


@pytest.mark.parametrize("mode", Vacancy.Mode)
def test_against_the_end_of_a_pause(scene, mode):
    """Nobody bids before it has ended, and the time that it took is given back to the microsecond."""
    waiting = families(scene, 60)
    vacancy = collecting(scene, seats=100)
    Vacancy.objects.update(mode=mode)
    pause = pause_bidding(
        locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=read_clock()
    )
    during(lambda: resume_bidding(pause, actor=scene.staff, now=read_clock()), waiting, vacancy)
    pause = Pause.objects.get()
    assert not Bid.objects.filter(placed_at__lt=pause.ended_at).exists()
    closes = vacancy.closes_at
    assert consistent(vacancy)
    assert vacancy.closes_at - closes == pause.ended_at - pause.started_at
    assert pressed(scene.application, vacancy) == Outcome.PLACED


def test_a_pause_and_the_award(scene):
    """What a pause holds off is awarded after it, by the moved deadline; nobody is sent away meanwhile."""
    waiting = families(scene, 20)
    vacancy = collecting(scene, seats=5)
    for one in waiting:
        pressed(one, vacancy)
    begun = read_clock()
    Vacancy.objects.update(closes_at=begun + MICROSECOND)
    pause = pause_bidding(locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=begun)
    assert award_collected(vacancy, now=read_clock()) == 0
    given = together(
        lambda: award_collected(vacancy, now=read_clock()),
        lambda: resume_bidding(pause, actor=scene.staff, now=read_clock()),
        lambda: award_collected(vacancy, now=read_clock()),
    )
    assert award_collected(vacancy, now=read_clock() + MICROSECOND) + given[0] + given[2] == 5
    assert Bid.objects.filter(state=BidState.LOST).count() == 15
    assert consistent(vacancy)


def test_against_the_end_of_a_stop(scene):
    pressed(scene.application, scene.vacancy)
    bid = Bid.objects.get()
    referral = issuing.activate_bid(bid, actor=scene.staff, now=bid.placed_at)
    referral_ending.expire_referral(referral, now=referral.valid_until)
    stop = scene.application.stops.get()
    outcomes = together(
        *[lambda: pressed(scene.application, scene.vacancy)] * 3,
        lambda: stops.lift_stop(stop, now=stop.until),
        *[lambda: pressed(scene.application, scene.vacancy)] * 3,
    )
    del outcomes[3]
    assert set(outcomes) <= {Refusal.STOP_LISTED, Outcome.PLACED, Outcome.AGAIN}
    assert outcomes.count(Outcome.PLACED) <= 1
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_taken == outcomes.count(Outcome.PLACED)


def a_life(seed, applications, vacancies, scene):
    """What may happen to these applications, at random: presses, withdrawals, refusals. Returns the outcomes."""
    chance, outcomes = random.Random(seed), []
    for _ in range(20):
        one = chance.choice(applications)
        outcomes.append(pressed(one, chance.choice(vacancies)))
        bid = Bid.objects.filter(application=one, state=BidState.PENDING).first()
        if bid is None or chance.random() < 0.5:
            continue
        try:
            if chance.random() < 0.5:
                bid_ending.withdraw_bid(bid, actor=bid.placed_by, now=NOW)
            else:
                bid_ending.reject_bid(bid, actor=scene.staff, reason="Орын жоқ", now=NOW)
        except Refused as refused:
            outcomes.append(refused.reason)
    return outcomes


def test_everything_at_once_in_any_order_waits_for_nothing_in_vain(scene, caplog):
    """Everything locks the application first and the vacancy then; awards and pauses lock vacancies only.

    Families press and withdraw at two places, one of which is closed, awarded and opened again without end, while a
    kindergarten refuses and an official pauses; in the end both places are recalled. No deadlock, no lock had in vain.
    """
    waiting = families(scene, 12)
    collected = collecting(scene, seats=4)
    taken = Vacancy.objects.get(pk=scene.vacancy.pk)
    taken.pk, taken._state.adding, taken.mode = None, True, Vacancy.Mode.FIRST_COME
    taken.save(force_insert=True)
    places = [collected, taken]

    def award():
        for _ in range(8):
            close_now(collected)
            award_collected(collected, now=read_clock())
            Vacancy.objects.filter(pk=collected.pk).update(
                closes_at=read_clock() + timedelta(hours=1), awarded_at=None
            )
        return []

    def pause():
        for _ in range(4):
            begun = pause_bidding(
                locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=read_clock()
            )
            resume_bidding(begun, actor=scene.staff, now=read_clock())
        return []

    lives = [lambda seed=seed: a_life(seed, waiting, places, scene) for seed in range(6)]
    outcomes = [outcome for part in together(*lives[:3], award, pause, *lives[3:], award) for outcome in part]
    assert Refusal.BUSY not in outcomes
    assert Outcome.PLACED in outcomes
    outcomes = together(
        *(
            lambda place=place: recall_vacancy(place, actor=scene.staff, reason="Жөндеу", now=NOW)
            for place in places
        ),
        *lives[:3],
        lambda: award_collected(collected, now=read_clock() + timedelta(hours=2)),
    )
    assert Refusal.BUSY not in outcomes
    deadlines.award_bids(now=read_clock())
    assert not Bid.objects.filter(state=BidState.PENDING).exists()
    assert [record.getMessage() for record in caplog.records if "could not" in record.getMessage()] == []
    for place in places:
        assert consistent(place)
        assert place.seats_taken == 0


def test_a_lock_that_is_held_too_long_is_answered_in_words(scene):
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION press_for_a_place SET lock_timeout = '50ms'")
    held, done = Barrier(2), Barrier(2)

    def hold():
        with locking():
            lock_application(scene.application.pk)
            held.wait()
            done.wait()

    def wait_in_vain():
        held.wait()
        try:
            return pressed(scene.application, scene.vacancy)
        finally:
            done.wait()

    try:
        assert Refusal.BUSY in together(hold, wait_in_vain)
    finally:
        connections.close_all()
        with connection.cursor() as cursor:
            cursor.execute("ALTER FUNCTION press_for_a_place SET lock_timeout = '3s'")
    assert not Bid.objects.exists()


def test_the_workers_tell_each_bid_once(scene):
    for one in families(scene, 12):
        Vacancy.objects.update(seats_total=20)
        pressed(one, scene.vacancy)
    together(*[lambda: telling.tell_placed_bids(now=NOW)] * 3)
    telling.tell_placed_bids(now=NOW)
    assert Notice.objects.filter(kind="bid_placed").count() == 12
    assert scene.parent.journal.filter(action="bid_placed").count() == 12


@pytest.mark.parametrize("mode", Vacancy.Mode)
@pytest.mark.parametrize(
    ("opens", "closes", "outcome"),
    [
        (MICROSECOND, timedelta(days=1), Refusal.NOT_OPEN_YET),
        (timedelta(0), timedelta(days=1), Outcome.PLACED),
        (-timedelta(hours=1), MICROSECOND, Outcome.PLACED),
        (-timedelta(hours=1), timedelta(0), Refusal.CLOSED),
    ],
)
def test_to_the_microsecond(scene, mode, opens, closes, outcome):
    """The instant is given to the statement as the clock would be; it is compared by the database."""
    at = NOW
    Vacancy.objects.update(mode=mode, opens_at=at + opens, closes_at=at + closes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT press_for_a_place(%s, %s, %s, %s, %s)",
            [
                scene.parent.pk,
                scene.parent.get_session_auth_hash(),
                scene.application.pk,
                scene.vacancy.pk,
                at,
            ],
        )
        assert cursor.fetchone()[0] == outcome


def test_the_opening_is_the_databases(scene):
    """Pressed without pause around the opening: nobody gets in before that instant."""
    Vacancy.objects.update(opens_at=read_clock() + timedelta(minutes=5))
    outcomes = [pressed(scene.application, scene.vacancy)]
    assert outcomes == [Refusal.NOT_OPEN_YET]
    opens = read_clock() + timedelta(milliseconds=300)
    Vacancy.objects.update(opens_at=opens)
    while Outcome.PLACED not in outcomes:
        before = read_clock()
        outcomes.append(pressed(scene.application, scene.vacancy))
        if outcomes[-1] == Refusal.NOT_OPEN_YET:
            assert before < opens
    assert Bid.objects.get().placed_at >= opens


@pytest.mark.parametrize("mode", Vacancy.Mode)
def test_the_close_is_the_databases(scene, mode):
    """Pressed by many without pause until nobody gets in any more: every bid is from before that instant."""
    waiting = families(scene, 1_000)
    collecting(scene, seats=1_000)
    Vacancy.objects.update(mode=mode)

    def until_the_end(applications):
        placed: list[datetime] = []
        for one in applications:
            before, outcome = read_clock(), pressed(one, scene.vacancy)
            if outcome == Refusal.CLOSED:
                return read_clock(), placed
            assert outcome == Outcome.PLACED
            placed.append(before)
            # The end is near from the first bid on: however slow the machine, somebody is in time.
            Vacancy.objects.filter(closes_at__gt=before + timedelta(minutes=1)).update(
                closes_at=read_clock() + timedelta(milliseconds=150)
            )
        pytest.fail("the time to bid never ended")

    ends = together(*(lambda pile=waiting[start::4]: until_the_end(pile) for start in range(4)))
    closes = Vacancy.objects.get().closes_at
    assert all(refused_at >= closes for refused_at, _placed in ends)
    assert all(before < closes for _refused_at, placed in ends for before in placed)
    assert 0 < Bid.objects.filter(placed_at__lt=closes).count() == Bid.objects.count()
    assert consistent(scene.vacancy)


@pytest.fixture(scope="module")
def machines(django_db_setup):
    """One eleven minutes ahead of the database and one eleven minutes behind."""
    database = connection.settings_dict["NAME"]
    with ExitStack() as stack:
        yield [
            stack.enter_context(Machine(database, ahead=timedelta(minutes=minutes))) for minutes in (11, -11)
        ]


@pytest.fixture
def servers(scene, client_of, machines):
    """Presses on the two as on web servers."""
    session = client_of(scene.parent).cookies[settings.SESSION_COOKIE_NAME].value

    def press_on(machine, application, vacancy):
        address = reverse("applications:apply", args=[application.pk, vacancy.pk])
        return machine.post(address, session=session, at=datetime.now(UTC))["status"]

    return [partial(press_on, machine) for machine in machines]


def test_two_web_servers_with_wrong_clocks_open_at_the_same_instant(scene, servers):
    """One would have opened long ago by its own clock, the other not for ten minutes."""
    waiting = families(scene, 40)
    piles = [waiting[::2], waiting[1::2]]
    Vacancy.objects.update(opens_at=read_clock() + timedelta(minutes=5), seats_total=10)
    assert [server(pile[0], scene.vacancy) for server, pile in zip(servers, piles, strict=True)] == [409] * 2
    opens = read_clock() + timedelta(milliseconds=300)
    Vacancy.objects.update(opens_at=opens)

    def press_until_full(server, applications):
        statuses = []
        while 302 not in statuses:
            before = read_clock()
            statuses.append(server(applications[0], scene.vacancy))
            assert statuses[-1] == 302 or before < opens
        return statuses + [server(one, scene.vacancy) for one in applications[1:]]

    answers = together(
        *(
            lambda server=server, pile=pile: press_until_full(server, pile)
            for server, pile in zip(servers, piles, strict=True)
        )
    )
    assert sum(statuses.count(302) for statuses in answers) == 10
    assert not Bid.objects.filter(placed_at__lt=opens).exists()
    assert Bid.objects.earliest("placed_at").placed_at < opens + timedelta(minutes=5)
    assert consistent(scene.vacancy)


def test_two_web_servers_with_wrong_clocks_close_at_the_same_instant(scene, servers):
    first, second, *others = families(scene, 4)
    collecting(scene, seats=4, closes_in=timedelta(minutes=5))
    ahead, behind = servers
    assert [ahead(first, scene.vacancy), behind(second, scene.vacancy)] == [302, 302]
    Vacancy.objects.update(closes_at=read_clock() - timedelta(minutes=5))
    assert [server(one, scene.vacancy) for server, one in zip(servers, others, strict=True)] == [409] * 2
    assert award_collected(scene.vacancy, now=read_clock()) == 2
