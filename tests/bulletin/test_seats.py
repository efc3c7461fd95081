"""Seats are never oversold: sixty threads for twenty places, and the race that would be there without the guard."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from bulletin import seats
from bulletin.models import Vacancy
from tests.factories import VacancyFactory

SEATS, TAKERS = 20, 60


def all_at_once(take: Callable[[], bool]) -> int:
    """How many of the takers, each a thread with a connection of its own, got a seat."""
    barrier = Barrier(TAKERS)

    def run(_number: int) -> bool:
        connection.ensure_connection()
        barrier.wait()
        try:
            return take()
        finally:
            connection.close()

    with ThreadPoolExecutor(TAKERS) as pool:
        return sum(pool.map(run, range(TAKERS)))


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_control_read_then_write_oversells() -> None:
    """Without the guard there is a race to be lost: more winners than places, though each one looked first."""
    vacancy = VacancyFactory.create(seats_total=SEATS)
    everyone_has_looked = Barrier(TAKERS)

    def read_then_write() -> bool:
        seen = Vacancy.objects.get(pk=vacancy.pk)
        everyone_has_looked.wait()
        if seen.seats_free == 0:
            return False
        Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=seen.seats_taken + 1)
        return True

    assert all_at_once(read_then_write) > SEATS


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_the_constraint_is_the_second_net() -> None:
    """A writer who counts up without looking is stopped by the database at the last place."""
    vacancy = VacancyFactory.create(seats_total=SEATS)

    def write_without_looking() -> bool:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE bulletin_vacancy SET seats_taken = seats_taken + 1 WHERE id = %s", [vacancy.pk]
                )
        except IntegrityError:
            return False
        return True

    assert all_at_once(write_without_looking) == SEATS


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_sixty_takers_for_twenty_seats() -> None:
    vacancy = VacancyFactory.create(seats_total=SEATS)
    winners = all_at_once(lambda: seats.take(Vacancy.objects.get(pk=vacancy.pk)))
    vacancy.refresh_from_db()
    assert winners == SEATS
    assert vacancy.seats_taken == SEATS


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_giving_back_at_once_loses_no_count() -> None:
    vacancy = VacancyFactory.create(seats_total=TAKERS, seats_taken=TAKERS)

    def give_back() -> bool:
        seats.release(Vacancy.objects.get(pk=vacancy.pk))
        return True

    assert all_at_once(give_back) == TAKERS
    vacancy.refresh_from_db()
    assert vacancy.seats_taken == 0


@pytest.mark.django_db
def test_taking_to_the_last_seat_and_back() -> None:
    vacancy = VacancyFactory.create(seats_total=2)
    assert seats.take(vacancy)
    assert vacancy.seats_free == 1
    assert seats.take(vacancy)
    assert not seats.take(vacancy)
    assert vacancy.seats_free == 0
    seats.release(vacancy)
    assert vacancy.seats_free == 1
    assert seats.take(vacancy)


@pytest.mark.django_db
def test_a_stale_object_decides_nothing() -> None:
    vacancy = VacancyFactory.create(seats_total=1)
    stale = Vacancy.objects.get(pk=vacancy.pk)
    assert seats.take(vacancy)
    assert stale.seats_free == 1
    assert not seats.take(stale)


@pytest.mark.django_db
def test_a_seat_that_nobody_took_is_not_given_back() -> None:
    vacancy = VacancyFactory.create()
    with pytest.raises(seats.NoSeatTaken):
        seats.release(vacancy)
    vacancy.refresh_from_db()
    assert vacancy.seats_taken == 0


@pytest.mark.django_db
def test_a_seat_is_given_back_when_the_transaction_fails() -> None:
    vacancy = VacancyFactory.create(seats_total=1)
    with transaction.atomic():
        assert seats.take(vacancy)
        transaction.set_rollback(True)
    assert seats.take(vacancy)


@pytest.mark.django_db
@pytest.mark.parametrize("state", Vacancy.State.values)
def test_a_seat_comes_back_in_every_state(state: str) -> None:
    vacancy = VacancyFactory.create(state=state, seats_taken=1)
    seats.release(vacancy)
    assert vacancy.seats_taken == 0


@pytest.mark.django_db
def test_no_seat_is_withdrawn_that_nobody_took():
    vacancy = VacancyFactory(seats_total=2, seats_taken=1)
    seats.withdraw(vacancy)
    assert (vacancy.seats_total, vacancy.seats_taken) == (1, 0)
    with pytest.raises(seats.NoSeatTaken):
        seats.withdraw(vacancy)
    assert Vacancy.objects.filter(seats_total=1, seats_taken=0).exists()
