"""manage.py recheck_guardianship."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN, UNAVAILABLE_IINS
from children.models import Guardianship
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


def test_stops_when_the_registry_is_down(families):
    families["gone"].delete()
    GuardianshipFactory(user=families["true"].user, child__iin=UNAVAILABLE_IINS[1])
    with pytest.raises(CommandError, match=r"does not answer\. Confirmed: 1, ended: 0"):
        run()
    assert len(live()) == 4
