"""The bid in one statement under fire: thousands of presses, and whatever else may happen to the place meanwhile."""

import random
from contextlib import contextmanager
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections

from applications import jobs, transitions
from applications.models import Application, Bid, Event
from applications.publication import award_collected, close_vacancy, recall_vacancy, void_recalled_bids
from applications.refusals import Refusal
from applications.rush import Outcome, press
from applications.states import ApplicationState, BidState
from applications.transitions import Refused
from applications.transitions.base import lock_application, locking
from bulletin.models import Holiday, Vacancy
from children.models import Child, Guardianship
from notifications.models import Notice
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import GuardianshipFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

SEATS, FAMILIES = 100, 2_500
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _database_clock(settings, scene):
    """Everything here goes by the clock of the database; the manual's place has been open since 2019."""
    settings.BIDS_BY_DATABASE_CLOCK = True
    this_year = database_now().year
    Holiday.objects.bulk_create(
        Holiday(date=date(year, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")
        for year in (this_year, this_year + 1)
    )


def database_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def pressed(application, vacancy, user=None):
    user = user or application.filed_by
    return press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=application.pk,
        vacancy_id=vacancy.pk,
    )


def families(scene, count):
    """Many families in few statements, all of one account."""
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
            filed_at=NOW - timedelta(days=9),
            sequence=5_000_000 + number,
            filed_by=scene.parent,
            interest_confirmed_at=NOW,
        )
        for number, child in enumerate(children)
    )


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
    """Seats, bids, states and events tell the same."""
    vacancy.refresh_from_db()
    holding = Bid.objects.filter(vacancy=vacancy, holds_seat=True)
    pending = Bid.objects.filter(state=BidState.PENDING).values("application")
    placed = Application.objects.filter(state=ApplicationState.BID_PLACED)
    assert vacancy.seats_taken == holding.count() <= vacancy.seats_total
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
    waiting = families(scene, FAMILIES)
    Vacancy.objects.update(seats_total=SEATS)
    outcomes = all_at_once(waiting, scene.vacancy, presses=2)
    assert len(outcomes) == 2 * FAMILIES
    assert outcomes.count(Outcome.PLACED) == SEATS
    assert set(outcomes) <= {Outcome.PLACED, Outcome.AGAIN, Refusal.FULL}
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_free == 0


def test_thousands_of_bids_are_collected_and_awarded_by_number(scene):
    waiting = families(scene, 1000)
    opened, closes = database_now() - timedelta(hours=1), database_now() + timedelta(hours=1)
    Vacancy.objects.update(mode="queue_order", seats_total=SEATS, opens_at=opened, closes_at=closes)
    outcomes = all_at_once(waiting, scene.vacancy, presses=2)
    assert outcomes.count(Outcome.PLACED) == outcomes.count(Outcome.AGAIN) == 1000
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_taken == 0


def during(work, applications, vacancy):
    """`work` while the applications press."""
    piles = [lambda one=one: pressed(one, vacancy) for one in applications]
    position = len(piles) // 2
    return together(*piles[:position], work, *piles[position:])


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
    during(lambda: transitions.withdraw_bid(bid, actor=scene.parent, now=NOW), waiting[1:], scene.vacancy)
    assert consistent(scene.vacancy)
    # Whoever came too early was refused rightly: the next press has the place.
    pressed(waiting[1], scene.vacancy)
    assert consistent(scene.vacancy)
    assert scene.vacancy.seats_free == 0


def test_against_the_archive(scene):
    outcomes = together(
        *[lambda: pressed(scene.application, scene.vacancy)] * 3,
        lambda: transitions.archive(scene.application, actor=scene.parent, now=NOW),
    )
    archived = Application.objects.get().state == ApplicationState.ARCHIVED
    assert Bid.objects.count() == (0 if archived else 1)
    assert (Refusal.ARCHIVED in outcomes) == archived or Outcome.PLACED not in outcomes
    assert consistent(scene.vacancy)


def test_against_the_expiry_of_a_referral(scene):
    pressed(scene.application, scene.vacancy)
    bid = Bid.objects.get()
    referral = transitions.activate_bid(bid, actor=scene.staff, now=bid.placed_at)
    outcomes = together(
        lambda: transitions.expire_referral(referral, now=referral.valid_until),
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
    during(lambda: close_vacancy(scene.vacancy, now=NOW), waiting, scene.vacancy)
    assert consistent(scene.vacancy)
    assert pressed(scene.application, scene.vacancy) == Refusal.CLOSED


def test_whatever_is_collected_before_the_close_is_awarded_or_lost(scene):
    waiting = families(scene, 30)
    closes = database_now() + timedelta(milliseconds=300)
    Vacancy.objects.update(mode="queue_order", seats_total=5, closes_at=closes)

    def award():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep_until(%s)", [closes])
        return award_collected(Vacancy.objects.get(), now=database_now())

    during(award, waiting, scene.vacancy)
    jobs.award_bids(now=database_now())
    assert not Bid.objects.filter(state=BidState.PENDING, holds_seat=False).exists()
    assert consistent(scene.vacancy)


def test_presses_withdrawals_and_answers_in_any_order_do_not_wait_for_each_other_forever(scene):
    """Everything locks the application first and the vacancy then: no deadlock, no lock had in vain."""
    waiting = families(scene, 12)
    Vacancy.objects.update(seats_total=6)

    def live(seed):
        chance, outcomes = random.Random(seed), []
        for _ in range(25):
            one = chance.choice(waiting)
            outcomes.append(pressed(one, scene.vacancy))
            bid = Bid.objects.filter(application=one, state=BidState.PENDING).first()
            if bid is not None and chance.random() < 0.7:
                try:
                    transitions.withdraw_bid(bid, actor=scene.parent, now=NOW)
                except Refused as refused:
                    outcomes.append(refused.reason)
        return outcomes

    outcomes = [
        outcome for part in together(*(lambda seed=seed: live(seed) for seed in range(6))) for outcome in part
    ]
    assert Refusal.BUSY not in outcomes
    assert Outcome.PLACED in outcomes
    assert consistent(scene.vacancy)


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
    together(*[lambda: jobs.tell_placed_bids(now=NOW)] * 3)
    jobs.tell_placed_bids(now=NOW)
    assert Notice.objects.filter(kind="bid_placed").count() == 12
    assert scene.parent.journal.filter(action="bid_placed").count() == 12


@pytest.mark.parametrize(
    ("opens", "closes", "outcome"),
    [
        (MICROSECOND, None, Refusal.NOT_OPEN_YET),
        (timedelta(0), None, Outcome.PLACED),
        (-timedelta(hours=1), MICROSECOND, Outcome.PLACED),
        (-timedelta(hours=1), timedelta(0), Refusal.CLOSED),
    ],
)
def test_to_the_microsecond(scene, opens, closes, outcome):
    """The instant is given to the statement as the clock would be; it is compared by the database."""
    at = NOW
    Vacancy.objects.update(opens_at=at + opens, closes_at=None if closes is None else at + closes)
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
    opens = database_now() + timedelta(milliseconds=300)
    Vacancy.objects.update(opens_at=opens)
    outcomes = []
    while Outcome.PLACED not in outcomes:
        before = database_now()
        outcomes.append(pressed(scene.application, scene.vacancy))
        if outcomes[-1] == Refusal.NOT_OPEN_YET:
            assert before < opens
    assert Refusal.NOT_OPEN_YET in outcomes
    assert Bid.objects.get().placed_at >= opens
