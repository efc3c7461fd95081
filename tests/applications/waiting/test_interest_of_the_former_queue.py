"""Campaigns of interest and the former queue: an old date of its file costs nobody anything, a claim is an answer."""

from datetime import timedelta

import pytest

from applications.access.settling import settle
from applications.jobs import deadlines
from applications.models import Application, Event
from applications.rules.running_out import first_end
from applications.states import ApplicationState, Move
from applications.waiting.campaigns import campaign_asking
from applications.waiting.claiming import claim, claim_for
from tests.applications.waiting.test_interest import BEGINS, ENDS, GRACE_ENDS, MICROSECOND
from tests.factories import GuardianshipFactory, StaffFactory, UserFactory, unclaimed

pytestmark = pytest.mark.django_db

PHONE = "+77015550011"
YEAR = timedelta(days=366)  # 2020 has a day more
CONFIRMED = {
    # What the file says of interest: long ago, and a microsecond before and at the beginning of a campaign.
    "years ago": BEGINS.replace(year=2016),
    "just before the campaign": BEGINS - MICROSECOND,
    "as it begins": BEGINS,
}


@pytest.fixture
def waiting(scene):
    return unclaimed(
        locality=scene.locality,
        phone=PHONE,
        filed_at=BEGINS.replace(year=2017),
        interest_confirmed_at=CONFIRMED["years ago"],
        child__birth_date=scene.now.date().replace(year=2017),
    )


@pytest.fixture
def owner(waiting):
    return GuardianshipFactory(child=waiting.child, user=UserFactory(phone=PHONE)).user


def present(application, *, now):
    """The application as any page finds it at `now`, and as the sweep leaves it."""
    # As if it had to be looked at: nothing may hang on a late or an early `runs_out_at`.
    Application.objects.filter(pk=application.pk).update(runs_out_at=now)
    application.refresh_from_db()
    settle(application, now=now)
    deadlines.settle_what_ran_out(now=now)
    return Application.objects.select_related("locality", "child").get(pk=application.pk)


@pytest.mark.parametrize("confirmed_at", CONFIRMED.values(), ids=CONFIRMED)
@pytest.mark.parametrize(
    "moment", [ENDS - MICROSECOND, ENDS, GRACE_ENDS - MICROSECOND, GRACE_ENDS, GRACE_ENDS + YEAR]
)
def test_an_old_date_of_the_file_ends_nothing(waiting, confirmed_at, moment):
    Application.objects.filter(pk=waiting.pk).update(interest_confirmed_at=confirmed_at)
    found = present(waiting, now=moment)
    assert (found.state, campaign_asking(found, now=moment)) == (ApplicationState.WAITING, None)
    assert found.runs_out_at == first_end(found, now=moment) > moment
    assert not Event.objects.filter(application=waiting, move=Move.LAPSE).exists()


def test_claimed_a_microsecond_before_the_campaign_it_has_all_of_it(waiting, owner):
    claim(waiting, actor=owner, now=BEGINS - MICROSECOND)
    found = present(waiting, now=BEGINS - MICROSECOND)
    assert campaign_asking(found, now=BEGINS - MICROSECOND) is None
    asked = campaign_asking(found, now=BEGINS)
    assert (asked.begins_at, asked.ends_at) == (BEGINS, ENDS)
    assert found.runs_out_at == ENDS
    assert present(waiting, now=ENDS - MICROSECOND).state == ApplicationState.WAITING
    assert present(waiting, now=ENDS).state == ApplicationState.LAPSED


@pytest.mark.parametrize(
    "moment", [BEGINS, ENDS - MICROSECOND, ENDS, GRACE_ENDS - MICROSECOND, GRACE_ENDS], ids=str
)
@pytest.mark.parametrize("by_official", [False, True])
def test_claimed_later_it_is_asked_by_the_next_campaign_from_its_first_day(
    waiting, owner, moment, by_official
):
    """Even in the last moment of a campaign, and however old the date of the file is."""
    if by_official:
        claim_for(waiting, owner, actor=StaffFactory(), reason="удостоверение", now=moment)
    else:
        claim(waiting, actor=owner, now=moment)
    found = present(waiting, now=moment)
    assert (found.state, campaign_asking(found, now=moment)) == (ApplicationState.WAITING, None)
    begins, ends = BEGINS.replace(year=2020), ENDS.replace(year=2020)
    assert found.runs_out_at <= ends
    for quiet in (GRACE_ENDS, begins - MICROSECOND):
        assert campaign_asking(present(waiting, now=quiet), now=quiet) is None
    asked = campaign_asking(present(waiting, now=begins), now=begins)
    assert (asked.begins_at, asked.ends_at) == (begins, ends)
    assert present(waiting, now=ends - MICROSECOND).state == ApplicationState.WAITING
    assert present(waiting, now=ends).state == ApplicationState.LAPSED
