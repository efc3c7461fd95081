"""manage.py recheck_guardianship."""

from datetime import timedelta
from io import StringIO
from typing import ClassVar

import pytest
from django.core.management import CommandError, call_command
from django.http import Http404

from accounts.models import Profile
from accounts.registry import RegistryUnavailable, UnusableAnswer
from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN
from accounts.registry.simulator import SimulatedRegistry
from children import rechecking, tasks
from children.access import child_for
from children.models import Guardianship
from children.rechecking import DOWN_AFTER, EVERY, due, recheck_portion
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


class TestByItself:
    """The same once a month, in portions, by the schedule."""

    @pytest.fixture
    def old(self, families):
        """A month is over for all of them."""
        now = read_clock()
        Guardianship.objects.update(verified_at=now - EVERY)
        return now

    def test_who_is_no_guardian_any_more_loses_access_and_the_others_stay(self, families, old, client_of):
        found = recheck_portion(now=old)
        assert (found.held, found.ended) == (1, 1)
        gone = families["gone"]
        assert gone not in live()
        with pytest.raises(Http404):
            child_for(gone.user, gone.child_id)
        assert child_for(families["true"].user, families["true"].child_id)

    def test_nobody_is_asked_about_twice_a_month(self, families, old):
        assert recheck_portion(now=old).usable == 2
        assert recheck_portion(now=old).usable == 0
        assert not due(now=old + EVERY - timedelta(microseconds=1)).exists()
        assert due(now=read_clock() + EVERY).get() == families["true"]

    def test_one_without_a_usable_answer_holds_up_nobody_and_is_named(self, families, old, moody, caplog):
        moody.unusable.add(families["gone"].child.iin)
        found = recheck_portion(now=old)
        assert (found.held, found.unanswered) == (1, [families["gone"].pk])
        assert f"guardianships {families['gone'].pk}" in caplog.text
        assert families["gone"] in live()
        assert recheck_portion(now=old).usable == 0

    def test_a_row_that_breaks_holds_up_no_other(self, families, old, monkeypatch):
        real = rechecking.recheck_guardianship

        def breaks(guardianship, **options):
            if guardianship == families["gone"]:
                raise ZeroDivisionError
            return real(guardianship, **options)

        monkeypatch.setattr(rechecking, "recheck_guardianship", breaks)
        found = recheck_portion(now=old)
        assert (found.held, found.unanswered) == (1, [families["gone"].pk])

    def test_a_registry_that_is_down_ends_the_portion_and_the_next_begins_with_the_same(
        self, families, old, moody
    ):
        moody.silent.update(one.child.iin for one in Guardianship.objects.all())
        more = [
            GuardianshipFactory(verified_at=old - EVERY, user=families["true"].user)
            for _ in range(DOWN_AFTER)
        ]
        moody.silent.update(one.child.iin for one in more)
        found = recheck_portion(now=old)
        assert found.is_down
        assert len(found.unanswered) == DOWN_AFTER
        moody.silent.clear()
        assert recheck_portion(now=old).usable == 2 + len(more)

    def test_a_portion_ends_when_its_time_is_over(self, families, old, monkeypatch):
        monkeypatch.setattr(rechecking, "PORTION_SECONDS", 0)
        assert recheck_portion(now=old).usable == 0

    def test_a_made_up_registry_takes_nobody_s_child(self, families, old, settings):
        tasks.recheck_guardianships()
        assert families["gone"] in live()
        settings.PERSON_REGISTRY = f"{__name__}.Real"
        tasks.recheck_guardianships()
        assert families["gone"] not in live()


class Real(SimulatedRegistry):
    """It answers as the made-up one does, and says that it is none."""

    simulated = False  # type: ignore[misc]
