"""Every change of an application: what it does, what refuses it, and what the family hears of it."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from applications import moves
from applications.access import settling
from applications.bidding import ending as bid_ending
from applications.jobs.telling import tell_placed_bids
from applications.models import Application, Event, Referral, Rules, StopListEntry
from applications.moves import Refused
from applications.queue.position import position
from applications.referrals import due, extending, issuing, stops
from applications.referrals import ending as referral_ending
from applications.refusals import Refusal
from applications.states import ApplicationState, Move
from applications.waiting import filing
from bulletin.models import Holiday
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, ChildFactory, GuardianshipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def kinds(user):
    return list(
        Notice.objects.filter(recipient=user).order_by("created_at", "pk").values_list("kind", flat=True)
    )


def questions_for_guardians(asked):
    """How often the people behind a child's guardianships were asked for."""
    return sum(
        "children_guardianship" in query["sql"] and 'FROM "accounts_user"' in query["sql"]
        for query in asked
        # Whether the one who acts is still a guardian is asked by itself, under the lock.
        if not query["sql"].startswith("SELECT 1 ")
    )


@pytest.fixture
def bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


@pytest.fixture
def referral(scene, bid):
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


@pytest.fixture
def stop(scene, referral):
    referral_ending.expire_referral(referral, now=referral.valid_until)
    return StopListEntry.objects.get()


class TestLocking:
    def test_an_error_of_ours_is_not_told_as_a_lock(self, scene):
        def sleep():
            with moves.locking(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 20")
                cursor.execute("SELECT pg_sleep(20)")

        with pytest.raises(OperationalError, match="statement timeout"):
            sleep()


class TestAnnouncing:
    """Both guardians hear of a move and find it in their journals."""

    @pytest.fixture
    def family(self, scene):
        second = UserFactory()
        GuardianshipFactory(user=second, child=scene.application.child)
        return [scene.parent, second]

    def announced(self, family, kind):
        return [
            (
                Notice.objects.filter(recipient=guardian, kind=kind).count(),
                list(
                    AuditEntry.objects.filter(subject=guardian)
                    .order_by("pk")
                    .values_list("action", "actor", "reason")
                ),
            )
            for guardian in family
        ]

    def test_one_query_finds_the_guardians_of_a_move(self, scene, family):
        with CaptureQueriesContext(connection) as asked:
            filing.archive(scene.application, actor=scene.parent, now=scene.now)
        assert questions_for_guardians(asked) == 1
        entry = [("application_archived", scene.parent.pk, "")]
        assert self.announced(family, "application_archived") == [(1, entry), (0, entry)]
        assert self.announced(family, "archived_by_other") == [(0, entry), (1, entry)]

    def test_the_reason_and_every_action_of_one_move_are_entered(self, scene, family, bid):
        with CaptureQueriesContext(connection) as asked:
            bid_ending.reject_bid(bid, actor=scene.staff, reason="Топ жабылды", now=scene.now)
        assert questions_for_guardians(asked) == 1
        for told in self.announced(family, "bid_rejected"):
            assert told == (1, [("bid_rejected", scene.staff.pk, "Топ жабылды")])

    def test_two_actions_of_one_move_cost_one_query(self, scene, family, referral):
        with CaptureQueriesContext(connection) as asked:
            referral_ending.expire_referral(referral, now=referral.valid_until)
        assert questions_for_guardians(asked) == 1
        for notices, entries in self.announced(family, "stop_started"):
            assert notices == 1
            assert [action for action, _actor, _reason in entries if action != "bid_activated"] == [
                "referral_expired",
                "stop_started",
            ]


class TestFiling:
    def file(self, scene, **changes):
        values = {
            "child": self.child(scene),
            "locality": scene.locality,
            "languages": ["ru", "kk"],
            "actor": scene.parent,
            "now": scene.now,
        }
        return filing.file_application(**values | changes)

    def child(self, scene, **fields):
        child = ChildFactory(**{"birth_date": date(2017, 7, 20)} | fields)
        GuardianshipFactory(child=child, user=scene.parent)
        return child

    def test_it_stands_at_the_end_of_its_queue_and_the_family_is_told_the_number(self, scene):
        ApplicationFactory.create_batch(
            3,
            locality=scene.locality,
            child__birth_date=date(2017, 1, 1),
            filed_at=scene.now - MICROSECOND,
        )
        application = self.file(scene)
        assert application.state == ApplicationState.WAITING
        assert application.languages == ["kk", "ru"]
        assert position(application, now=scene.now).number == 5
        notice = Notice.objects.get(recipient=scene.parent, kind="application_filed")
        assert "5" in notice.text_kk
        assert "5" in notice.text_ru
        assert AuditEntry.objects.filter(subject=scene.parent, action="application_filed").count() == 1

    def test_a_second_application_for_the_child_is_refused(self, scene):
        child = self.child(scene)
        self.file(scene, child=child)
        with refused(Refusal.ALREADY_FILED):
            self.file(scene, child=child)

    def test_a_fault_of_ours_is_not_told_as_a_second_application(self, scene, monkeypatch):
        taken = self.file(scene).sequence
        monkeypatch.setattr(filing, "_next_sequence", lambda: taken)
        with pytest.raises(IntegrityError, match="duplicate key"):
            self.file(scene)

    def test_ages_are_counted_by_birth_year(self, scene):
        self.file(scene, child=self.child(scene, birth_date=date(2012, 12, 31)))
        with refused(Refusal.AGE):
            self.file(scene, child=self.child(scene, birth_date=date(2011, 12, 31)))
        with refused(Refusal.AGE):
            self.file(scene, child=self.child(scene, birth_date=date(2020, 1, 1)))

    def test_a_stranger_files_nothing(self, scene):
        with pytest.raises(PermissionDenied):
            self.file(scene, child=ChildFactory())

    @pytest.mark.parametrize("languages", [[], ["xx"], ["kk", "xx"]])
    def test_only_known_languages(self, scene, languages):
        with pytest.raises(ValueError):
            self.file(scene, languages=languages)

    def test_every_guardian_hears_of_it(self, scene):
        child = self.child(scene)
        other = UserFactory()
        GuardianshipFactory(child=child, user=other)
        self.file(scene, child=child)
        assert kinds(other) == ["application_filed"]


class TestArchive:
    def test_it_leaves_the_queue_and_comes_back_at_its_date(self, scene):
        filed_at = scene.application.filed_at
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        assert position(archived, now=scene.now) is None
        restored = filing.restore(archived, actor=scene.parent, now=scene.now + timedelta(hours=1))
        assert restored.state == ApplicationState.WAITING
        assert restored.filed_at == filed_at
        assert kinds(scene.parent) == ["application_archived", "application_restored"]

    def test_undo_ends_after_24_hours(self, scene):
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        over = scene.now + timedelta(hours=24)
        with refused(Refusal.UNDO_OVER):
            filing.restore(archived, actor=scene.parent, now=over)
        assert filing.restore(archived, actor=scene.parent, now=over - MICROSECOND)

    def test_undo_is_as_long_as_the_rules_of_that_instant_promised(self, scene):
        """Also where they were brought forward to the same day."""
        begins = scene.now + timedelta(hours=1)
        Rules.objects.create(
            valid_from=scene.now.date() + timedelta(days=1), early_from=begins, archive_undo_hours=72
        )
        other = ApplicationFactory(locality=scene.locality)
        for application, at, hours in ((scene.application, begins - MICROSECOND, 24), (other, begins, 72)):
            archived = filing.archive(application, actor=application.filed_by, now=at)
            assert filing.archive_undo_until(archived, by=application.filed_by, now=at) == at + timedelta(
                hours=hours
            )

    def test_no_undo_beside_a_new_application(self, scene):
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        ApplicationFactory(child=archived.child, filed_by=scene.parent)
        with refused(Refusal.ALREADY_FILED):
            filing.restore(archived, actor=scene.parent, now=scene.now)

    def test_not_while_a_bid_is_under_way(self, scene, bid):
        with refused(Refusal.NOT_ALLOWED):
            filing.archive(scene.application, actor=scene.parent, now=scene.now)

    def test_not_out_of_the_stop_list(self, scene, stop):
        with refused(Refusal.NOT_ALLOWED):
            filing.archive(scene.application, actor=scene.parent, now=stop.starts_at)


class TestBid:
    def test_withdrawn_by_the_family(self, scene, bid):
        application = bid_ending.withdraw_bid(bid, actor=scene.parent, now=scene.now)
        scene.vacancy.refresh_from_db()
        assert application.state == ApplicationState.WAITING
        assert scene.vacancy.seats_taken == 0
        with refused(Refusal.BID_ENDED):
            bid_ending.withdraw_bid(bid, actor=scene.parent, now=scene.now)

    def test_refused_by_the_kindergarten_without_penalty(self, scene, bid):
        application = bid_ending.reject_bid(bid, actor=scene.staff, reason="Құжат толық емес", now=scene.now)
        scene.vacancy.refresh_from_db()
        assert application.state == ApplicationState.WAITING
        assert scene.vacancy.seats_taken == 0
        assert "Құжат толық емес" in Notice.objects.get(kind="bid_rejected").text_kk
        with refused(Refusal.REJECTED_HERE):
            place_bid(application, scene.vacancy, actor=scene.parent, now=scene.now)

    def test_a_refusal_needs_a_reason(self, scene, bid):
        with refused(Refusal.REASON_MISSING):
            bid_ending.reject_bid(bid, actor=scene.staff, reason="  ", now=scene.now)


class TestReferral:
    def test_valid_to_the_end_of_the_fifth_working_day(self, scene, referral):
        assert due.last_day_of(referral) == date(2019, 7, 3)
        end = datetime(2019, 7, 4, tzinfo=ZONE)
        assert referral.is_valid(now=end - MICROSECOND)
        assert not referral.is_valid(now=end)

    def test_the_family_hears_of_every_step(self, scene, referral):
        referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now)
        tell_placed_bids(now=scene.now)
        assert sorted(kinds(scene.parent)) == ["bid_placed", "contract_signed", "referral_issued"]

    def test_a_bid_is_activated_once(self, scene, bid, referral):
        with refused(Refusal.BID_ENDED):
            issuing.activate_bid(bid, actor=scene.staff, now=scene.now)

    def test_signed_at_the_last_microsecond_and_not_after(self, scene, referral):
        with refused(Refusal.REFERRAL_ENDED):
            referral_ending.sign_contract(referral, actor=scene.staff, now=referral.valid_until)
        contract = referral_ending.sign_contract(referral, actor=scene.staff, now=referral.last_moment)
        scene.application.refresh_from_db()
        assert contract.number == referral.number
        assert scene.application.state == ApplicationState.ENROLLED

    def test_revoked_by_the_kindergarten_without_penalty(self, scene, referral):
        application = referral_ending.revoke_referral(
            referral, actor=scene.staff, reason="Қателік", now=scene.now
        )
        scene.vacancy.refresh_from_db()
        assert application.state == ApplicationState.WAITING
        assert scene.vacancy.seats_taken == 0
        assert not StopListEntry.objects.exists()


class TestExtension:
    proof = ("anyqtama.pdf", ContentFile(b"%PDF-1.4", name="anyqtama.pdf"))

    def extend(self, scene, referral, **changes):
        values = {
            "actor": scene.parent,
            "until": date(2019, 8, 2),
            "reason": "illness",
            "documents": [self.proof],
            "now": scene.now,
        }
        return extending.extend_referral(referral, **values | changes)

    def test_once_and_by_thirty_calendar_days_at_most(self, scene, referral):
        with refused(Refusal.EXTENSION_DATE):
            self.extend(scene, referral, until=date(2019, 8, 5))
        with refused(Refusal.EXTENSION_DATE):
            self.extend(scene, referral, until=date(2019, 7, 3))
        extension = self.extend(scene, referral)
        assert extension.documents.get().original_name == "anyqtama.pdf"
        assert due.last_day_of(extension.referral) == date(2019, 8, 2)
        with refused(Refusal.ALREADY_EXTENDED):
            self.extend(scene, referral)

    @pytest.mark.parametrize(
        ("asked", "last_day"),
        [
            (date(2019, 7, 4), date(2019, 7, 4)),
            (date(2019, 7, 6), date(2019, 7, 5)),
            (date(2019, 7, 7), date(2019, 7, 5)),
            (date(2019, 7, 8), date(2019, 7, 5)),  # a Monday off
            (date(2019, 7, 9), date(2019, 7, 9)),
            (date(2019, 7, 31), date(2019, 7, 31)),
        ],
    )
    def test_it_ends_on_the_last_working_day_within_what_was_asked(self, scene, referral, asked, last_day):
        referral = self.extend(scene, referral, until=asked).referral
        assert due.last_day_of(referral) == last_day
        assert referral.valid_until == datetime.combine(
            last_day + timedelta(days=1), datetime.min.time(), tzinfo=ZONE
        )

    def test_the_range_goes_from_the_first_to_the_last_working_day(self, scene, referral):
        """From Friday 5 July to a Tuesday there are only days off; thirty days lead to Sunday 4 August."""
        Referral.objects.update(valid_until=datetime(2019, 7, 6, tzinfo=ZONE))
        referral = Referral.objects.get()
        assert extending.shortest_extension(referral) == date(2019, 7, 9)
        assert extending.longest_extension(referral) == date(2019, 8, 2)
        for day in (date(2019, 7, 6), date(2019, 7, 8), date(2019, 8, 5)):
            with refused(Refusal.EXTENSION_DATE):
                self.extend(scene, referral, until=day)
        extension = self.extend(scene, referral, until=date(2019, 7, 9))
        assert due.last_day_of(extension.referral) == date(2019, 7, 9)

    def test_days_off_alone_are_no_extension(self, scene, referral):
        Referral.objects.update(valid_until=datetime(2019, 7, 6, tzinfo=ZONE))
        Rules.objects.create(valid_from=date(2019, 1, 1), extension_calendar_days=3)
        for day in (6, 7, 8, 9):
            with refused(Refusal.NO_WORKING_DAY):
                self.extend(scene, referral, until=date(2019, 7, day))

    @pytest.mark.parametrize(
        ("present", "earliest"),
        [(date(2019, 12, 31), date(2020, 1, 1)), (date(2020, 1, 2), date(2020, 1, 3))],
    )
    def test_past_the_end_of_the_calendar_every_day_counts(self, scene, referral, present, earliest):
        Holiday.objects.filter(date__year__gt=2019).delete()
        Referral.objects.update(
            valid_until=datetime.combine(present + timedelta(days=1), datetime.min.time(), tzinfo=ZONE)
        )
        assert extending.shortest_extension(Referral.objects.get()) == earliest

    def test_without_a_calendar_it_ends_as_asked(self, scene, referral):
        Holiday.objects.all().delete()
        assert due.last_day_of(self.extend(scene, referral, until=date(2019, 7, 6)).referral) == date(
            2019, 7, 6
        )

    def test_up_to_the_end_of_the_last_day(self, scene, referral):
        with refused(Refusal.REFERRAL_ENDED):
            self.extend(scene, referral, now=referral.valid_until)
        assert self.extend(scene, referral, now=referral.last_moment)

    def test_only_with_documents(self, scene, referral):
        with refused(Refusal.DOCUMENTS_MISSING):
            self.extend(scene, referral, documents=[])

    def test_the_old_paper_is_made_anew(self, scene, referral):
        referral.pdf.save("old.pdf", ContentFile(b"%PDF"))
        assert not self.extend(scene, referral).referral.pdf


class TestStopList:
    def test_an_unused_referral_ends_in_the_stop_list_for_ten_working_days(self, scene, referral):
        assert (
            referral_ending.expire_referral(referral, now=referral.last_moment).state
            == ApplicationState.REFERRED
        )
        application = referral_ending.expire_referral(referral, now=referral.valid_until)
        stop = StopListEntry.objects.get()
        scene.vacancy.refresh_from_db()
        assert application.state == ApplicationState.STOP_LISTED
        assert scene.vacancy.seats_taken == 0
        assert stop.last_moment.astimezone(ZONE).date() == date(2019, 7, 18)
        assert position(application, now=scene.now) is None

    def test_a_late_job_makes_the_stop_no_longer(self, scene, referral):
        referral_ending.expire_referral(referral, now=referral.valid_until + timedelta(days=3))
        assert StopListEntry.objects.get().until == datetime(2019, 7, 19, tzinfo=ZONE)

    def test_it_ends_by_itself_at_the_old_date(self, scene, stop):
        filed_at = scene.application.filed_at
        assert stops.lift_stop(stop, now=stop.last_moment).state == ApplicationState.STOP_LISTED
        application = stops.lift_stop(stop, now=stop.until)
        assert application.state == ApplicationState.WAITING
        assert application.filed_at == filed_at
        assert position(application, now=scene.now).number == 1

    def test_an_official_lifts_it_earlier_with_a_reason(self, scene, stop):
        with refused(Refusal.REASON_MISSING):
            stops.lift_stop(stop, actor=scene.staff, now=stop.starts_at)
        application = stops.lift_stop(stop, actor=scene.staff, reason="Ауруханада", now=stop.starts_at)
        assert application.state == ApplicationState.WAITING

    def test_reading_brings_an_application_up_to_the_present(self, scene, referral):
        scene.application.refresh_from_db()
        assert settling.settle(scene.application, now=referral.last_moment).state == ApplicationState.REFERRED
        assert (
            settling.settle(scene.application, now=referral.valid_until).state == ApplicationState.STOP_LISTED
        )
        scene.application.refresh_from_db()
        much_later = datetime(2019, 9, 1, tzinfo=ZONE)
        assert settling.settle(scene.application, now=much_later).state == ApplicationState.WAITING

    def test_nobody_bids_while_it_runs(self, scene, stop):
        scene.application.refresh_from_db()
        with refused(Refusal.STOP_LISTED):
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=stop.last_moment)


class TestHistory:
    def test_events_tell_the_whole_way(self, scene, referral):
        referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now)
        events = Event.objects.filter(application=scene.application)
        assert [event.move for event in events] == [Move.PLACE_BID, Move.ISSUE_REFERRAL, Move.SIGN_CONTRACT]
        assert [event.to_state for event in events][-1] == ApplicationState.ENROLLED

    def test_events_are_never_changed(self, scene, bid):
        event = Event.objects.get()
        with pytest.raises(PermissionDenied):
            event.save()
        with pytest.raises(PermissionDenied):
            event.delete()

    def test_not_by_a_query_either(self, scene, bid):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.update(reason="other")
        assert Application.objects.get().state == ApplicationState.BID_PLACED
