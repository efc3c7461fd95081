"""What the soak says of what came back: it must not praise a portal that fails, refuses everything, or loses work."""

import random

import pytest
from django.contrib.messages import constants
from django.http import HttpResponse
from django.test import RequestFactory

from balabaqsha.flash import FlashStorage
from benchmarks.soak import WEIGHTS, Soak, Town, is_error, report


@pytest.fixture
def soak():
    """One in which everything went as meant."""
    soak = Soak(database="", port=0, seconds=1)
    for answers in soak.answers.values():
        answers.sent = answers.meant = 100
        answers.statuses["302"] = 100
        answers.taken = [5.0] * 100
    return soak


def test_a_good_one(soak, capsys):
    assert report(soak, lost={}, errors=[])
    printed = capsys.readouterr().out
    assert "nothing failed" in printed
    assert all(kind in printed for kind in WEIGHTS)


@pytest.mark.parametrize("status", ["500", "503", "none (TimeoutError)"])
def test_one_failure_of_many_is_enough(soak, capsys, status):
    soak.answers["filing"].sent += 1
    soak.answers["filing"].statuses[status] += 1
    assert not report(soak, lost={}, errors=[])
    assert "filing: 1 of 101 failed" in capsys.readouterr().out


def test_refusals_are_no_success(soak, capsys):
    soak.answers["bid"].meant = 89
    assert not report(soak, lost={}, errors=[])
    assert "bid: only 89 of 100" in capsys.readouterr().out


def test_what_was_never_sent_is_no_success(soak):
    soak.answers["code check"].sent = soak.answers["code check"].meant = 0
    assert not report(soak, lost={}, errors=[])


def test_what_is_lost_is_told(soak, capsys):
    assert not report(soak, lost={"withdrawal": 2}, errors=[])
    assert "withdrawal: 2 accepted" in capsys.readouterr().out


def test_an_error_in_a_log_is_told(soak, capsys):
    assert not report(soak, lost={}, errors=["Celery worker: ERROR could not handle"])
    assert "could not handle" in capsys.readouterr().out


def test_what_the_machine_could_not_send_is_told(soak):
    soak.left_over = 3
    assert not report(soak, lost={}, errors=[])


def test_a_family_does_nothing_twice_at_once_and_withdraws_only_what_it_sent():
    town, chance = Town(), random.Random(1)
    under_way, sent = [], set()
    for _ in range(2000):
        kind, person = town.next(chance)
        assert (kind, person) not in under_way
        assert (kind != "withdrawal") or person.n in sent
        under_way.append((kind, person))
        if len(under_way) > 20:
            kind, person = under_way.pop(chance.randrange(len(under_way)))
            if kind == "bid":
                sent.add(person.n)
            elif kind == "withdrawal":
                sent.remove(person.n)
            town.went_well(kind, person)
    assert len(sent) > 10


@pytest.mark.parametrize("length", [1, 50], ids=["plain", "compressed"])
@pytest.mark.parametrize(("level", "expected"), [(constants.SUCCESS, False), (constants.ERROR, True)])
def test_a_page_that_says_only_in_words_that_it_did_nothing_is_no_success(level, expected, length):
    said = FlashStorage(RequestFactory().get("/"))
    said.add(constants.INFO, "Бірінші")
    said.add(level, "Өтінім қайтарылды " * length)
    said.update(response := HttpResponse())
    assert is_error(response.cookies[FlashStorage.cookie_name].value) is expected


def test_a_cookie_that_is_taken_away_says_nothing():
    assert not is_error("")
