"""The former queue comes in: at its old dates, in one moment, and nobody of it can do anything before it is claimed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.identity import iin_hash, phone_hash
from applications.access.family import applications_of
from applications.access.settling import bring_forward, settle
from applications.bidding.eligibility import why_not
from applications.bidding.publication import priority_cutoffs
from applications.bidding.rush import press
from applications.jobs.invariants import differences
from applications.models import Application, Benefit, Event, FormerRow, QueueCount, Rules
from applications.models.application import UNCLAIMED_STATES
from applications.moves import Refused, write_event
from applications.queue.history import explain
from applications.queue.position import count_position, position, positions, queue_sizes, unclaimed_ahead
from applications.queue.public_order import count_queues
from applications.refusals import Refusal
from applications.rules.running_out import first_end
from applications.states import ApplicationState, Move, Tier
from applications.waiting import bringing_in
from applications.waiting.bringing_anew import Change, ChangedMeanwhile, bring_anew
from applications.waiting.bringing_in import InQueueAlready, OldRow, bring_in, take_back, there_already
from applications.waiting.campaigns import ended_campaign_for, unconfirmed
from applications.waiting.changes import change_languages
from applications.waiting.filing import archive
from bulletin.models import ImportBatch
from children.models import Child
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    GuardianshipFactory,
    StaffFactory,
    UserFactory,
    nth_iin,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 12, tzinfo=UTC)
LONG_AGO = datetime(2017, 3, 1, 8, tzinfo=UTC)


def batch_of(number):
    usual = {"kind": "queue", "file_name": "queue.csv", "sha256": "0" * 64, "loaded_at": NOW}
    return ImportBatch.objects.get_or_create(pk=number, defaults=usual)[0]


def iin_of(line):
    return nth_iin(60_000 + line)


def old_row(place, line=1, **fields):
    usual = {
        "line": line,
        "old_number": f"K-{line}",
        "iin": iin_of(line),
        "paper_number": "",
        "last_name": "КАМЕНОВА",
        "first_name": "АЛИЯ",
        "middle_name": "",
        "birth_date": date(2016, 5, 4),
        "sex": "F",
        "locality": place,
        "languages": ["kk"],
        "filed_at": LONG_AGO,
    }
    return OldRow(**(usual | fields))


def brought(*rows, actor=None, now=NOW, batch=None):
    batch = batch or batch_of(1)
    bring_in(rows, batch=batch, actor=actor, now=now)
    found = {
        one.former.line: one
        for one in Application.objects.filter(former__batch=batch).select_related(
            "former", "locality", "child"
        )
    }
    return [found[row.line] for row in rows]


@pytest.fixture
def place(scene):
    mine = scene.application
    write_event(mine, Move.FILE, before="", actor=mine.filed_by, now=mine.filed_at)
    return scene.locality


class TestComingIn:
    def test_a_row_waits_at_its_old_date(self, place):
        [one] = brought(
            old_row(
                place,
                old_number="123/17",
                guardian_iin="870101300016",
                phone="+77017778899",
                filed_text="01.03.2017",
            )
        )
        assert (one.state, one.filed_at, one.filed_by, one.tier) == (
            ApplicationState.WAITING,
            LONG_AGO,
            None,
            Tier.GENERAL,
        )
        row = one.former
        assert (row.old_number, row.guardian_iin, row.phone, row.filed_text) == (
            "123/17",
            "870101300016",
            "+77017778899",
            "01.03.2017",
        )
        assert (row.guardian_hash, row.phone_hash) == (iin_hash("870101300016"), phone_hash("+77017778899"))
        event = Event.objects.get(application=one)
        assert (event.move, event.at, event.filed_at, event.from_state) == (Move.IMPORT, NOW, LONG_AGO, "")

    def test_the_file_decides_among_rows_of_one_instant(self, place):
        rows = [old_row(place, line) for line in range(1, 6)]
        numbers = [position(one, now=NOW).number for one in brought(*rows)]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == 5

    def test_a_child_that_a_family_has_added_is_the_same_child(self, place):
        known = GuardianshipFactory(child__iin=iin_of(7)).child
        [one] = brought(old_row(place, 7))
        assert one.child == known
        assert Child.objects.count() == 2  # and the one of the scene

    def test_a_child_without_an_iin_is_found_by_its_certificate(self, place):
        [one] = brought(old_row(place, iin="", paper_number="АА1234567"))
        take_back(batch_of(1), actor=None, reason="", now=NOW)
        [other] = brought(old_row(place, iin="", paper_number="АА1234567"), batch=batch_of(2))
        assert one.child == other.child
        assert one.child.paper_number == "АА1234567"

    def test_a_benefit_that_the_former_queue_had_verified_counts(self, place):
        category = BenefitCategoryFactory(tier=Tier.PRIORITY)
        [one] = brought(old_row(place, benefit=category), actor=UserFactory())
        assert one.tier == Tier.PRIORITY
        assert Benefit.objects.get(application=one).counts(now=NOW)
        assert list(differences()) == []

    def test_everything_still_holds(self, scene, place):
        brought(*(old_row(place, line) for line in range(1, 30)))
        assert list(differences()) == []


class TestTwice:
    def test_who_has_an_application_is_named_and_nothing_comes_in(self, place):
        ApplicationFactory(child__iin=iin_of(3), locality=place)
        rows = [old_row(place, line) for line in range(1, 5)]
        assert there_already(rows) == [3]
        with pytest.raises(InQueueAlready) as refused:
            bring_in(rows, batch=batch_of(1), actor=None, now=NOW)
        assert refused.value.lines == [3]
        assert not FormerRow.objects.exists()
        assert not Child.objects.filter(iin_hash=iin_hash(iin_of(1))).exists()

    @pytest.mark.parametrize(("late_looks", "refused"), [(0, InQueueAlready), (1, IntegrityError)])
    def test_who_files_between_the_look_and_the_writing_is_named(
        self, place, monkeypatch, late_looks, refused
    ):
        """The database refuses a second application of the child; what nobody finds the reason of stays an error."""
        ApplicationFactory(child__iin=iin_of(3), locality=place)
        nobody_yet: list[list[int]] = [[]] * (1 + late_looks)
        look = bringing_in._not_to_come
        monkeypatch.setattr(
            bringing_in, "_not_to_come", lambda *rows: nobody_yet.pop() if nobody_yet else look(*rows)
        )
        with pytest.raises(refused) as error:
            bring_in([old_row(place, line) for line in (2, 3)], batch=batch_of(1), actor=None, now=NOW)
        assert refused is IntegrityError or error.value.lines == [3]
        assert not FormerRow.objects.exists()

    def test_a_child_that_is_twice_in_the_file(self, place):
        rows = [old_row(place, 1), old_row(place, 2, iin=iin_of(1))]
        assert there_already(rows) == [1, 2]

    def test_an_enrolled_child_has_its_place(self, place):
        ApplicationFactory(child__iin=iin_of(3), locality=place, state=ApplicationState.ENROLLED)
        assert there_already([old_row(place, 3)]) == [3]

    def test_the_same_file_again_is_refused(self, place):
        brought(old_row(place))
        with pytest.raises(InQueueAlready):
            bring_in([old_row(place)], batch=batch_of(2), actor=None, now=NOW)

    def test_portions_make_no_difference(self, place, monkeypatch):
        monkeypatch.setattr("applications.waiting.bringing_in.PORTION", 2)
        rows = [old_row(place, line) for line in range(1, 6)]
        with pytest.raises(InQueueAlready) as refused:
            bring_in([*rows, old_row(place, 6, iin=iin_of(1))], batch=batch_of(1), actor=None, now=NOW)
        assert refused.value.lines == [6]
        assert not FormerRow.objects.exists()
        assert bring_in(rows, batch=batch_of(1), actor=None, now=NOW) == 5


class TestNumbers:
    def test_it_is_counted_in_every_number(self, scene, place):
        mine = scene.application
        before = position(mine, now=NOW)
        brought(*(old_row(place, line, birth_date=date(mine.birth_year, 5, 4)) for line in range(1, 8)))
        after = position(mine, now=NOW)
        assert after is not None
        assert after.number == before.number + 7
        assert after == count_position(mine, now=NOW) == positions([mine], now=NOW)[mine.pk]
        assert (after.total, after.unclaimed, after.claimed) == (before.total + 7, 7, before.total)
        assert unclaimed_ahead(mine, after) == 7

    def test_those_behind_are_not_ahead(self, scene, place):
        mine = scene.application
        later = mine.filed_at + timedelta(days=1)
        brought(old_row(place, birth_date=date(mine.birth_year, 5, 4), filed_at=later))
        here = position(mine, now=NOW)
        assert here is not None
        assert here.unclaimed == 1
        assert unclaimed_ahead(mine, here) == 0

    @pytest.mark.parametrize("tier", [Tier.EXTRAORDINARY, Tier.PRIORITY])
    def test_ahead_in_the_other_parts_too(self, scene, place, tier):
        """By the definition: those with a smaller number, one by one."""
        mine, official = scene.application, UserFactory()
        category = BenefitCategoryFactory(tier=tier)
        year = date(mine.birth_year, 5, 4)
        brought(
            *(old_row(place, line, birth_date=year, benefit=category) for line in range(1, 4)),
            *(old_row(place, line, birth_date=year) for line in range(4, 6)),
            actor=official,
        )
        here = position(mine, now=NOW)
        assert here is not None
        ahead = [
            one
            for one in Application.objects.filter(filed_by=None).select_related("locality")
            if position(one, now=NOW).number < here.number
        ]
        assert unclaimed_ahead(mine, here) == len(ahead) > 0

    def test_the_public_counts_tell_both(self, scene, place):
        year = scene.application.birth_year
        brought(*(old_row(place, line, birth_date=date(year, 5, 4)) for line in range(1, 8)))
        [size] = queue_sizes(place)
        [counted] = count_queues()
        assert (size.waiting, size.unclaimed) == (counted.waiting, counted.unclaimed) == (8, 7)
        assert counted.claimed == 1

    def test_the_buckets_are_folded(self, place):
        brought(*(old_row(place, line) for line in range(1, 8)))
        assert not QueueCount.objects.filter(folded=False).exists()

    def test_the_history_calls_it_one_cause(self, scene, place):
        mine = scene.application
        year = date(mine.birth_year, 5, 4)
        since = NOW - timedelta(days=1)
        brought(*(old_row(place, line, birth_date=year) for line in range(1, 8)))
        told = explain(mine, since=since, until=NOW)
        [row] = told.rows
        assert row.times == 7
        assert told.new - told.old == 7 == row.backward
        assert told.new == position(mine, now=NOW).number


class TestWhatItCantDo:
    def test_a_guardian_who_has_not_claimed_it_does_nothing_with_it(self, place):
        [one] = brought(old_row(place))
        guardian = GuardianshipFactory(child=one.child).user
        assert list(applications_of(guardian)) == []
        for act in (
            lambda: archive(one, actor=guardian, now=NOW),
            lambda: change_languages(one, languages=["ru"], actor=guardian, now=NOW),
        ):
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.reason == Refusal.UNCLAIMED
        one.refresh_from_db()
        assert one.state == ApplicationState.WAITING

    def test_no_bid(self, scene, place, clock):
        vacancy = scene.vacancy
        [one] = brought(
            old_row(place, birth_date=date(vacancy.birth_years[0], 5, 4), languages=[vacancy.group.language])
        )
        guardian = GuardianshipFactory(child=one.child).user
        assert why_not(one, vacancy, now=scene.now) == Refusal.UNCLAIMED
        answer = press(
            user_id=str(guardian.pk),
            password_stamp=guardian.get_session_auth_hash(),
            application_id=one.pk,
            vacancy_id=vacancy.pk,
        )
        assert answer == Refusal.UNCLAIMED

    def test_the_database_holds_no_other_state(self, place):
        [one] = brought(old_row(place))
        for state in set(ApplicationState) - set(UNCLAIMED_STATES):
            with pytest.raises(IntegrityError, match="unclaimed_only_waits"), transaction.atomic():
                Application.objects.filter(pk=one.pk).update(state=state)

    def test_it_fills_no_priority_window(self, scene, place):
        """With claimed ones alone the window reaches as far as without the former queue."""
        vacancy = scene.vacancy
        year = vacancy.birth_years[0]
        before = [(cutoff.birth_year, cutoff.tier, cutoff.sequence) for cutoff in priority_cutoffs(vacancy)]
        assert before
        brought(
            *(
                old_row(place, line, birth_date=date(year, 5, 4), languages=[vacancy.group.language])
                for line in range(1, 40)
            )
        )
        after = [(cutoff.birth_year, cutoff.tier, cutoff.sequence) for cutoff in priority_cutoffs(vacancy)]
        assert after == before


class TestWhatEndsIt:
    def test_no_campaign_of_interest_asks_or_ends_it(self, place):
        [one] = brought(old_row(place))
        Application.objects.filter(pk=one.pk).update(interest_confirmed_at=LONG_AGO)
        one.refresh_from_db()
        later = NOW + timedelta(days=365)
        ended = ended_campaign_for(place, now=later)
        assert ended is not None
        assert not unconfirmed(ended, locality=place).filter(pk=one.pk).exists()
        Application.objects.filter(pk=one.pk).update(runs_out_at=later)
        one.refresh_from_db()
        assert settle(one, now=later).state == ApplicationState.WAITING

    def test_school_age_ends_it(self, place):
        [one] = brought(old_row(place, birth_date=date(2012, 5, 4)))
        end = one.runs_out_at
        assert settle(one, now=end - timedelta(microseconds=1)).state == ApplicationState.WAITING
        assert settle(one, now=end).state == ApplicationState.ARCHIVED

    def test_new_rules_bring_only_its_age_forward(self, place):
        [one] = brought(old_row(place))
        Rules.objects.create(
            locality=place, valid_from=date(2019, 7, 1), interest_campaign_days=30, oldest_age=5
        )
        bring_forward(now=NOW)
        one.refresh_from_db()
        assert one.runs_out_at == first_end(one, now=NOW)


class TestTakingBack:
    def test_it_leaves_the_queue_and_what_the_file_said_is_erased(self, place):
        [one, _] = brought(
            old_row(place, phone="+77017778899", guardian_iin="870101300016"), old_row(place, 2)
        )
        assert take_back(batch_of(1), actor=None, reason="wrong file", now=NOW) == 2
        one.refresh_from_db()
        assert (one.state, one.archived_at, one.runs_out_at) == (ApplicationState.ARCHIVED, NOW, None)
        row = FormerRow.objects.get(application=one)
        assert (row.phone, row.phone_hash, row.guardian_iin, row.guardian_hash) == ("", None, "", None)
        assert Event.objects.filter(move=Move.TAKE_IMPORT_BACK, reason="wrong file").count() == 2
        assert list(differences()) == []
        assert not there_already([old_row(place)])

    def test_claimed_ones_and_other_imports_stay(self, place):
        [one] = brought(old_row(place))
        [other] = brought(old_row(place, 2), batch=batch_of(2))
        Application.objects.filter(pk=one.pk).update(filed_by=UserFactory())
        assert take_back(batch_of(1), actor=None, reason="", now=NOW) == 0
        assert set(Application.objects.filter(former__isnull=False, state="waiting")) == {one, other}


class TestANewerFile:
    """What it says otherwise of an application, once the file has been compared."""

    @pytest.fixture
    def application(self, place):
        return brought(old_row(place))[0]

    def test_what_an_official_has_decided_since_is_not_overwritten(self, application):
        later = {"filed_at": (LONG_AGO + timedelta(days=1)).isoformat(), "filed_text": "02.03.2017"}
        change = Change(application.pk, 1, {"filed_at": LONG_AGO.isoformat()}, later)
        write_event(application, Move.CORRECT, before=application.state, actor=StaffFactory(), now=NOW)
        with pytest.raises(ChangedMeanwhile):
            bring_anew([change], [], batch=batch_of(2), actor=None, now=NOW)
        application.refresh_from_db()
        assert application.filed_at == LONG_AGO

    def test_a_benefit_needs_an_employee_who_answers_for_it(self, application):
        nothing = {"benefit": None, "benefit_until": None}
        change = Change(application.pk, 1, nothing, nothing | {"benefit": BenefitCategoryFactory().pk})
        with pytest.raises(ValueError, match="answers for"), transaction.atomic():
            bring_anew([change], [], batch=batch_of(2), actor=None, now=NOW)
        assert not Benefit.objects.exists()
