"""manage.py recheck_guardianship."""

from datetime import timedelta
from io import StringIO
from typing import ClassVar

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Profile
from accounts.registry import RegistryUnavailable, UnusableAnswer
from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN
from accounts.registry.simulator import SimulatedRegistry
from children.management.commands.recheck_guardianship import DOWN_AFTER
from children.models import Guardianship
from notifications.clock import read_clock
from tests.factories import GuardianshipFactory, StaffFactory, UserFactory


def run(**options):
    out = StringIO()
    call_command("recheck_guardianship", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def families(db):
    father = UserFactory(profile__iin=MANUAL_PARENT_IIN)
    return {
        "true": GuardianshipFactory(user=father, child__iin=MANUAL_CHILD_IIN),
        "gone": GuardianshipFactory(),
        "official": GuardianshipFactory(source=Guardianship.Source.OFFICIAL),
        "no profile": GuardianshipFactory(user=StaffFactory()),
    }


def live():
    return set(Guardianship.objects.filter(ended_at=None))


def test_ends_what_the_registry_no_longer_confirms(families):
    assert run() == "confirmed: 1, ended: 1\n"
    assert live() == {families["true"], families["official"], families["no profile"]}
    assert run() == "confirmed: 1, ended: 0\n"


def test_dry_run_ends_nothing(families):
    assert run(dry_run=True) == "confirmed: 1, would be ended: 1\n"
    assert len(live()) == 4


def test_limit(families):
    assert run(limit=1) == "confirmed: 1, ended: 0\n"


class Moody(SimulatedRegistry):
    """Confirms one child; has no usable answer, or none at all, about those that are named here."""

    unusable: ClassVar[set[str]] = set()
    silent: ClassVar[set[str]] = set()

    def find_ward(self, *, child_iin, **guardian):
        if child_iin in Moody.unusable:
            raise UnusableAnswer("a person without a name or sex")
        if child_iin in Moody.silent:
            raise RegistryUnavailable("down")
        return super().find_ward(child_iin=child_iin, **guardian)


@pytest.fixture
def moody(settings, monkeypatch):
    settings.PERSON_REGISTRY = f"{__name__}.Moody"
    monkeypatch.setattr(Moody, "unusable", set())
    monkeypatch.setattr(Moody, "silent", set())
    return Moody


@pytest.mark.parametrize("mood", ["unusable", "silent"])
def test_one_without_a_usable_answer_is_skipped_counted_and_named(families, moody, mood):
    """It stopped for ever at the first one, also with a limit."""
    odd = GuardianshipFactory(verified_at=read_clock() - timedelta(days=9))
    getattr(moody, mood).add(odd.child.iin)
    for limit in (1, None):
        expected = rf"no usable answer: 1 \(guardianships {odd.pk}\)"
        with pytest.raises(CommandError, match=expected):
            run(limit=limit)
    assert live() == {families["true"], families["official"], families["no profile"], odd}


def test_stops_when_the_registry_is_down(families, moody):
    families["gone"].delete()
    down = [GuardianshipFactory(user=families["true"].user) for _ in range(DOWN_AFTER + 1)]
    moody.silent.update(one.child.iin for one in down)
    with pytest.raises(
        CommandError, match=r"does not answer; run it again\. Until then confirmed: 1, ended: 0"
    ):
        run()
    assert len(live()) == 3 + len(down)


def test_names_and_documents_of_guardians_are_brought_up_to_date(families):
    profile = families["true"].user.profile
    Profile.objects.filter(pk=profile.pk).update(last_name="БҰРЫНҒЫ")
    run(dry_run=True)
    assert Profile.objects.get(pk=profile.pk).last_name == "БҰРЫНҒЫ"
    run()
    refreshed = Profile.objects.get(pk=profile.pk)
    assert (refreshed.last_name, refreshed.document_number) == ("КАМЕНОВ", "N15036421")
