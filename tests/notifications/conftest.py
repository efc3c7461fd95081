"""What the tests of messages share."""

from datetime import timedelta

import pytest


@pytest.fixture
def each_by_itself(monkeypatch) -> None:
    """Several notices to one phone go one after the other: bursts have tests of their own.

    A day ago, since some tests deliver twice at one instant, and a call counts on while it works.
    """
    monkeypatch.setattr("notifications.bursts.WAIT", timedelta(days=-1))
