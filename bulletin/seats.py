"""Taking and giving back a vacancy's seat. Only this module and the one-statement bid write `Vacancy.seats_taken`.

Each is one conditional UPDATE, so two transactions can't both pass the test: the second waits for the row and
then sees what the first one left. The constraint `vacancy_not_oversold` is a second safeguard.
"""

from django.db.models import F

from bulletin.models import Vacancy


class NoSeatTaken(Exception):
    """A seat was to be given back, but none is taken: the count and the bids disagree."""


def take(vacancy: Vacancy) -> bool:
    """Take one seat if there is a free one; returns whether it was taken.

    Locks the vacancy's row until the transaction of the caller ends. The caller checks whether the
    vacancy is open. `vacancy.seats_taken` is reloaded if a seat was taken.
    """
    free = Vacancy.objects.filter(pk=vacancy.pk, seats_taken__lt=F("seats_total"))
    taken = free.update(seats_taken=F("seats_taken") + 1) == 1
    if taken:
        vacancy.refresh_from_db(fields=["seats_taken"])
    return taken


def release(vacancy: Vacancy) -> None:
    """Give one seat back, whatever the vacancy's state: a recalled vacancy still counts the seats it gave.

    Locks the vacancy's row until the transaction of the caller ends. Raises `NoSeatTaken` if none was taken.
    """
    taken = Vacancy.objects.filter(pk=vacancy.pk, seats_taken__gt=0)
    if taken.update(seats_taken=F("seats_taken") - 1) != 1:
        raise NoSeatTaken(str(vacancy.pk))
    vacancy.refresh_from_db(fields=["seats_taken"])


def withdraw(vacancy: Vacancy) -> None:
    """Give one seat back and take it out of the places in all: nobody else can take it. At least one must be left.

    Locks the vacancy's row until the transaction of the caller ends. Raises `NoSeatTaken` if none was taken.
    """
    taken = Vacancy.objects.filter(pk=vacancy.pk, seats_taken__gt=0)
    if taken.update(seats_taken=F("seats_taken") - 1, seats_total=F("seats_total") - 1) != 1:
        raise NoSeatTaken(str(vacancy.pk))
    vacancy.refresh_from_db(fields=["seats_taken", "seats_total"])
