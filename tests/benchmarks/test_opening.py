"""What `make bench-opening` works out of the answers that the phones write down."""

import pytest

from benchmarks.opening import figures, tau


def press(sent, taken, *, vacancy="o1", status=302):
    return {"what": "press", "vacancy": vacancy, "sent": sent, "taken": taken, "status": status}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([press(0, 1), press(0.1, 1), press(0.2, 1)], 1.0),
        ([press(0, 3), press(0.1, 2), press(0.2, 1)], -1.0),
        # Of another place nobody was overtaken.
        ([press(0, 3), press(0.1, 1, vacancy="o2")], 0.0),
        # Within five milliseconds nobody came first.
        ([press(0, 3), press(0.005, 1)], 0.0),
        ([press(0, 3), press(0.0051, 1)], -1.0),
    ],
    ids=["in order", "turned round", "another place", "a tie", "no tie"],
)
def test_who_was_overtaken_at_one_place(answers, expected):
    assert tau(answers) == expected


def test_a_press_without_an_answer_and_one_that_failed_are_counted():
    answers = [press(0, 1), press(0.5, 60, status=0), press(0.6, 1, status=503), press(0.7, 1, status=409)]
    found = figures({"answers": answers, "refused": 3}, {"opens": 0.0})
    assert found["unanswered"] == 5
    assert (found["presses"], found["presses_of_the_first_second"]) == (4, 4)
