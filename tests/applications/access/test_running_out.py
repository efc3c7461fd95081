"""A late job extends no right: whatever ran out has ended before a press is decided, a page read or a place awarded."""

from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from applications import moves
from applications.access.settling import bring_forward, ran_out, settle
from applications.bidding.onlooker import look
from applications.bidding.rush import Outcome, press
from applications.jobs.invariants import differences
from applications.models import Application, Bid, Event, PriorityCutoff, Rules
from applications.models.application import NEVER_LOOKED_AT
from applications.refusals import Refusal
from applications.rules.ages import oldest_birth_year, too_old_from
from applications.rules.running_out import first_end
from applications.states import ApplicationState, BenefitState, Move, Tier
from applications.waiting import changes, filing
from bulletin.models import Vacancy
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ChildFactory,
    GuardianshipFactory,
    LocalityFactory,
    reckon_all,
)
from tests.thorough import examples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
BENEFIT_ENDS = datetime(2019, 6, 27, tzinfo=ZONE)
CAMPAIGN_ENDS = datetime(2019, 10, 2, tzinfo=ZONE)
NEW_YEAR = datetime(2020, 1, 1, tzinfo=ZONE)


def a_benefit_of_yesterday(scene):
    """Only for the head of the queue, where the family stands by its benefit alone."""
    Vacancy.objects.update(priority_until=NOW + timedelta(days=9))
    PriorityCutoff.objects.create(
        vacancy=scene.vacancy,
        birth_year=2017,
        tier=Tier.EXTRAORDINARY,
        filed_at=scene.application.filed_at,
        sequence=scene.application.sequence,
    )
    Application.objects.update(tier=Tier.EXTRAORDINARY)
    scene.application.refresh_from_db()
    BenefitFactory(
        application=scene.application,
        category__tier=Tier.EXTRAORDINARY,
        state=BenefitState.VERIFIED,
        valid_until=BENEFIT_ENDS,
        decided_at=NOW,
        decided_by=scene.staff,
    )
    return BENEFIT_ENDS, Refusal.PRIORITY, ApplicationState.WAITING


def a_missed_campaign(scene):
    Application.objects.update(interest_confirmed_at=scene.application.filed_at)
    return CAMPAIGN_ENDS, Refusal.LAPSED, ApplicationState.LAPSED


def school_age(scene):
    Application.objects.update(birth_year=2012, interest_confirmed_at=datetime(2019, 9, 1, tzinfo=ZONE))
    Vacancy.objects.update(birth_years=[2012])
    return NEW_YEAR, Refusal.ARCHIVED, ApplicationState.ARCHIVED


@pytest.fixture(params=[a_benefit_of_yesterday, a_missed_campaign, school_age])
def ended(request, scene):
    """When a right ends, why a press is refused from then on, and what becomes of the application."""
    found = request.param(scene)
    reckon_all()
    return found


def pressed(scene):
    user = scene.parent
    return press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=scene.application.pk,
        vacancy_id=scene.vacancy.pk,
    )


class TestThePress:
    """Without a page or a job before it, which would have settled what ran out."""

    def test_in_the_last_microsecond_it_wins(self, scene, ended, clock):
        clock.move_to(ended[0] - MICROSECOND)
        assert pressed(scene) == Outcome.PLACED

    def test_a_microsecond_later_it_is_not_decided_by_what_is_over(self, scene, ended, clock):
        clock.move_to(ended[0])
        assert pressed(scene) == Outcome.RAN_OUT
        assert not Bid.objects.exists()

    @pytest.mark.parametrize("chosen", [False, True])
    def test_the_family_is_told_why(self, scene, ended, clock, client_of, chosen):
        end, refusal, state = ended
        clock.move_to(end - timedelta(hours=1))
        family = client_of(scene.parent)
        address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        if chosen:
            address = reverse("applications:choose_child", args=[scene.vacancy.pk])
        clock.move_to(end)
        answer = family.post(address, {"application": str(scene.application.pk)}, follow=True)
        assert not Bid.objects.exists()
        assert Application.objects.get().state == state
        if not chosen:
            assert answer.status_code == 409
            assert str(refusal.label) in unescape(answer.content.decode())

    def test_in_time_it_is_two_statements(self, scene, ended, clock, client_of, django_assert_num_queries):
        clock.move_to(ended[0] - MICROSECOND)
        family = client_of(scene.parent)
        address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        with django_assert_num_queries(2):
            assert family.post(address).status_code == 302

    def test_the_bid_is_no_sign_of_life_after_the_campaign(self, scene, clock, client_of):
        end, _refusal, _state = a_missed_campaign(scene)
        reckon_all()
        clock.move_to(end)
        address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        assert client_of(scene.parent).post(address).status_code == 409
        assert [event.move for event in Event.objects.all()] == [Move.LAPSE]

    def test_what_ran_out_under_the_lock_counts_too(self, scene, ended, clock):
        """The statement reads its clock again once it has its locks: here it is past at both readings."""
        clock.move_to(ended[0] + timedelta(hours=3))
        assert pressed(scene) == Outcome.RAN_OUT


class TestTheLook:
    def looked(self, scene, now):
        stamp = scene.parent.get_session_auth_hash()
        return look(user_id=str(scene.parent.pk), password_stamp=stamp, now=now)

    def test_it_shows_no_right_that_is_over(self, scene, ended):
        end, _refusal, state = ended
        assert len(self.looked(scene, end - MICROSECOND).waiting) == 1
        assert self.looked(scene, end) is None
        settle(Application.objects.get(), now=end)
        found = self.looked(scene, end)
        left = [Tier.GENERAL] if state == ApplicationState.WAITING else []
        assert [one.tier for one in found.waiting] == left


class TestSettling:
    def test_reading_ends_it(self, scene, ended):
        end, _refusal, state = ended
        before = settle(Application.objects.get(), now=end - MICROSECOND)
        assert (before.state, Event.objects.count()) == (ApplicationState.WAITING, 0)
        after = settle(Application.objects.get(), now=end)
        assert (after.state, Event.objects.count()) == (state, 1)
        assert not after.ran_out(now=end)

    def test_it_moves_on_also_where_nothing_ended(self, scene):
        for past in (NEVER_LOOKED_AT, NOW):
            Application.objects.update(runs_out_at=past)
            settled = settle(Application.objects.get(), now=NOW)
            assert not settled.ran_out(now=NOW)
            assert not ran_out(now=NOW).exists()
        assert not Event.objects.exists()

    def test_a_bid_under_way_waits_for_its_end_and_age_comes_right_after(self, scene, clock):
        end, _refusal, _state = school_age(scene)
        reckon_all()
        clock.move_to(end - MICROSECOND)
        assert pressed(scene) == Outcome.PLACED
        settled = settle(Application.objects.get(), now=end)
        assert settled.state == ApplicationState.BID_PLACED
        assert not settled.ran_out(now=end)
        from applications.bidding.ending import withdraw_bid

        withdrawn = withdraw_bid(Bid.objects.get(), actor=scene.parent, now=end)
        assert withdrawn.state == ApplicationState.WAITING
        assert withdrawn.ran_out(now=end)
        assert settle(withdrawn, now=end).state == ApplicationState.ARCHIVED

    def test_a_move_leaves_to_be_settled_what_ran_out(self, scene):
        """Corrections and benefits are decided by officials, without a look at the family's page before."""
        end, _refusal, _state = a_missed_campaign(scene)
        reckon_all()
        scene.application.refresh_from_db()
        with moves.locking():
            late = moves.lock_application(scene.application.pk)
            moves.move(late, Move.CORRECT, actor=None, now=end)
        assert Application.objects.get().ran_out(now=end)

    def test_a_row_that_nobody_reckoned_is_looked_at(self, scene):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO applications_application (id, number, child_id, locality_id, birth_year, languages, tier,"
                " filed_at, sequence, filed_by_id, state, interest_confirmed_at) SELECT gen_random_uuid(), '1', %s,"
                " locality_id, birth_year, languages, tier, filed_at, 1, filed_by_id, state, filed_at"
                " FROM applications_application",
                [ChildFactory().pk],
            )
        assert ran_out(now=NOW).get().number == "1"

    def test_filing_reckons(self, scene):
        child = ChildFactory(birth_date=date(2017, 1, 1))
        GuardianshipFactory(child=child, user=scene.parent)
        filed = filing.file_application(
            child=child, locality=scene.locality, languages=["kk"], actor=scene.parent, now=NOW
        )
        # Confirmed by filing before this year's campaign begins: it has to be confirmed again.
        assert filed.runs_out_at == CAMPAIGN_ENDS


class TestRules:
    def test_rules_to_come_bring_it_forward(self, scene):
        Application.objects.update(interest_confirmed_at=scene.application.filed_at)
        reckon_all()
        assert Application.objects.get().runs_out_at == CAMPAIGN_ENDS
        Rules.objects.create(valid_from=date(2019, 7, 1), interest_month=9, interest_campaign_days=30)
        assert bring_forward(now=NOW) == 1
        assert bring_forward(now=NOW) == 0
        assert Application.objects.get().runs_out_at == datetime(2019, 9, 2, tzinfo=ZONE)

    def test_a_lower_age_brings_it_forward(self, scene):
        far = datetime(2030, 1, 1, tzinfo=ZONE)
        Application.objects.update(birth_year=2014, runs_out_at=far, interest_confirmed_at=far)
        Rules.objects.create(valid_from=date(2019, 7, 1), oldest_age=5)
        bring_forward(now=NOW)
        assert Application.objects.get().runs_out_at == NEW_YEAR

    def test_another_locality_is_left_alone(self, scene):
        other = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        there = ApplicationFactory(locality=other, filed_at=scene.application.filed_at)
        Application.objects.update(interest_confirmed_at=scene.application.filed_at)
        reckon_all()
        Rules.objects.create(
            locality=scene.locality, valid_from=date(2019, 7, 1), interest_month=9, interest_campaign_days=30
        )
        bring_forward(now=NOW)
        assert Application.objects.get(pk=there.pk).runs_out_at == CAMPAIGN_ENDS

    def test_moving_house_reckons_by_the_rules_there(self, scene):
        other = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        Rules.objects.create(
            locality=other, valid_from=date(2019, 1, 1), interest_month=9, interest_campaign_days=30
        )
        moved = changes.change_locality(
            scene.application, locality=other, keeps=True, actor=scene.parent, now=NOW
        )
        assert moved.runs_out_at == datetime(2019, 9, 2, tzinfo=ZONE)


class TestInvariants:
    def test_what_is_too_late_is_named(self, scene, ended, clock):
        end, _refusal, _state = ended
        clock.move_to(end - MICROSECOND)
        assert not [one for one in differences() if "looked at" in one]
        for late in (end + MICROSECOND, None):
            Application.objects.update(runs_out_at=late)
            assert len([one for one in differences() if "is not looked at before" in one]) == 1

    def test_a_campaign_that_was_missed_unseen_is_named(self, scene, clock):
        end, _refusal, _state = a_missed_campaign(scene)
        clock.move_to(end)
        Application.objects.update(runs_out_at=end + timedelta(days=9))
        assert [one for one in differences() if "missed the confirmation of 2019" in one]


RULES = st.builds(
    lambda valid_from, **fields: Rules(valid_from=valid_from, **fields),
    valid_from=st.dates(date(2018, 1, 1), date(2021, 12, 31)),
    oldest_age=st.integers(3, 10),
    interest_month=st.integers(1, 12),
    interest_day=st.integers(1, 28),
    interest_campaign_days=st.integers(14, 180),
)


class TestLowerBound:
    @given(rules=st.lists(RULES, max_size=4), year=st.integers(2008, 2020), later=st.integers(0, 900))
    @settings(max_examples=examples(150), deadline=None)
    def test_nobody_is_too_old_before(self, rules, year, later):
        place = LocalityFactory.build(pk=1)
        from_ = too_old_from(year, rules, locality=place, now=NOW)
        then = NOW + timedelta(days=later)
        today = then.astimezone(place.zone).date()
        assume(year < oldest_birth_year(today.year, rules, locality=place, today=today))
        assert from_ <= then

    @given(
        rules=st.lists(RULES, max_size=2),
        confirmed=st.integers(0, 120),
        year=st.integers(2015, 2018),
        part=st.floats(0, 1),
    )
    @settings(
        max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_nothing_ends_before(self, scene, rules, confirmed, year, part):
        """Settled as though it had run out, at any instant before it does, an application stays as it is."""
        Application.objects.update(
            state=ApplicationState.WAITING,
            archived_at=None,
            birth_year=year,
            interest_confirmed_at=NOW - timedelta(days=confirmed),
        )
        Rules.objects.all().delete()
        Rules.objects.bulk_create({one.valid_from: one for one in rules}.values())
        settled = Application.objects.get()
        settled.runs_out_at = NOW
        settled = settle(settled, now=NOW)
        assume(settled.state == ApplicationState.WAITING)
        assert first_end(settled, now=NOW) == settled.runs_out_at
        then = min(NOW + (settled.runs_out_at - NOW) * part, settled.runs_out_at - MICROSECOND)
        settled.runs_out_at = then
        assert settle(settled, now=then).state == ApplicationState.WAITING
