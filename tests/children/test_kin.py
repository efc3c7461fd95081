"""Whether the state registry knows an employee as somebody's family: in a bounded time, however slow it is."""

from types import SimpleNamespace

import pytest

from accounts.models import User
from accounts.registry import PersonNotFound, RegistryUnavailable
from children import kin

WARDS = [SimpleNamespace(iin=f"ward {number}") for number in range(10)]


class SlowRegistry:
    """Answers each question after so many seconds; knows ten wards, none of them the other person's."""

    def __init__(self, seconds):
        self.seconds, self.now, self.asked = seconds, 0.0, 0

    def _answer(self):
        self.now += self.seconds
        self.asked += 1

    def find_wards(self, **_guardian):
        self._answer()
        return WARDS

    def find_ward(self, **_guardian):
        self._answer()
        raise PersonNotFound


def is_kin(registry, monkeypatch):
    monkeypatch.setattr(kin, "get_registry", lambda: registry)
    monkeypatch.setattr(kin.time, "monotonic", lambda: registry.now)
    return kin.is_kin(User(kept_iin="own"), iin="other", document_number="", children=[])


def test_every_ward_is_asked_about_while_there_is_time(monkeypatch, settings):
    registry = SlowRegistry(settings.PERSON_REGISTRY_SECONDS / 100)
    assert not is_kin(registry, monkeypatch)
    assert registry.asked == 1 + len(WARDS)


def test_all_questions_together_have_the_time_of_one(monkeypatch, settings):
    registry = SlowRegistry(settings.PERSON_REGISTRY_SECONDS / 2)
    with pytest.raises(RegistryUnavailable):
        is_kin(registry, monkeypatch)
    assert registry.asked == 2
