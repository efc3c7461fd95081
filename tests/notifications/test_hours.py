"""By day and by night: when a message may ring somebody's phone."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from notifications.delivery import ANSWERS_FOR, Counts, deliver_due, deliver_mails, deliver_telegrams
from notifications.hours import DAYTIME, Hours, due_at, evening_from
from notifications.kinds import KINDS, PastBudget, sample_context
from notifications.models import Mail, Message, Notice, TelegramMessage
from notifications.services import enqueue, enqueue_to_mail, enqueue_to_phone, send_again
from notifications.sms.base import Outcome, SendResult
from notifications.troubles import Trouble
from notifications.zones import register, zone_of, zones_of
from tests.factories import ApplicationFactory, GuardianshipFactory, LocalityFactory, UserFactory
from tests.notifications.gateways import OBEDIENT, TROUBLE, ObedientBackend

ALMATY = ZoneInfo("Asia/Almaty")
BERLIN = ZoneInfo("Europe/Berlin")
MICROSECOND = timedelta(microseconds=1)
# Kazakhstan is UTC+5 since 1 March 2024: 09:00 is 04:00 UTC, 20:00 is 15:00 UTC.
MORNING = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
NEXT_MORNING = MORNING + timedelta(days=1)


class TestByDay:
    @pytest.mark.parametrize(
        ("now", "due"),
        [
            pytest.param(MORNING - MICROSECOND, MORNING, id="just before nine"),
            pytest.param(MORNING, MORNING, id="at nine"),
            pytest.param(EVENING - MICROSECOND, EVENING - MICROSECOND, id="just before eight in the evening"),
            pytest.param(EVENING, NEXT_MORNING, id="at eight in the evening"),
            pytest.param(NIGHT, NEXT_MORNING, id="after midnight"),
        ],
    )
    def test_a_microsecond_on_either_side(self, now, due):
        assert due_at(now, ALMATY) == due

    @pytest.mark.parametrize(
        ("now", "due"),
        [
            # The clocks of Almaty went from 24:00 back to 23:00 on 29 February: that hour came twice.
            pytest.param(
                datetime(2024, 2, 29, 17, 30, tzinfo=UTC),
                datetime(2024, 3, 1, 4, tzinfo=UTC),
                id="first 23:30",
            ),
            pytest.param(
                datetime(2024, 2, 29, 18, 30, tzinfo=UTC),
                datetime(2024, 3, 1, 4, tzinfo=UTC),
                id="second 23:30",
            ),
            # The evening before, by the old offset of six hours.
            pytest.param(
                datetime(2024, 2, 29, 2, 59, 59, 999_999, tzinfo=UTC),
                datetime(2024, 2, 29, 3, tzinfo=UTC),
                id="morning before",
            ),
        ],
    )
    def test_where_the_zone_moved(self, now, due):
        assert due_at(now, ALMATY) == due

    @pytest.mark.parametrize(
        ("now", "due"),
        [
            pytest.param(
                datetime(2026, 3, 28, 19, tzinfo=UTC),
                datetime(2026, 3, 29, 7, tzinfo=UTC),
                id="a short night",
            ),
            pytest.param(
                datetime(2026, 10, 24, 18, tzinfo=UTC),
                datetime(2026, 10, 25, 8, tzinfo=UTC),
                id="a long night",
            ),
        ],
    )
    def test_where_clocks_change_with_the_season(self, now, due):
        assert due_at(now, BERLIN) == due

    def test_the_hours_are_those_of_the_place(self):
        assert due_at(MORNING, BERLIN) == datetime(2026, 11, 23, 8, tzinfo=UTC)


class TestOwnHours:
    @pytest.mark.parametrize(
        ("quiet", "now", "due"),
        [
            pytest.param(Hours(time(12), time(15)), MORNING, MORNING, id="before the nap"),
            pytest.param(
                Hours(time(12), time(15)),
                MORNING + timedelta(hours=3),
                MORNING + timedelta(hours=6),
                id="at the beginning of the nap",
            ),
            pytest.param(
                Hours(time(12), time(15)),
                MORNING + timedelta(hours=6),
                MORNING + timedelta(hours=6),
                id="at the end of the nap",
            ),
            pytest.param(
                Hours(time(18), time(11)), EVENING, NEXT_MORNING + timedelta(hours=2), id="over midnight"
            ),
            pytest.param(
                Hours(time(18), time(11)),
                EVENING - timedelta(hours=2),
                NEXT_MORNING + timedelta(hours=2),
                id="before the day is over",
            ),
            pytest.param(Hours(time(8), time(21)), NIGHT, NEXT_MORNING, id="the whole day: not kept"),
            pytest.param(Hours(time(9), time(9)), MORNING, MORNING, id="nothing"),
        ],
    )
    def test_they_close_hours_and_open_none(self, quiet, now, due):
        assert due_at(now, ALMATY, quiet=quiet) == due

    @pytest.mark.parametrize(
        ("known_by", "due"),
        [
            pytest.param(NEXT_MORNING + timedelta(hours=4), NEXT_MORNING + timedelta(hours=3), id="all kept"),
            pytest.param(NEXT_MORNING + timedelta(hours=3), NEXT_MORNING, id="own ones give way"),
            pytest.param(NEXT_MORNING + MICROSECOND, NEXT_MORNING, id="just in time"),
            pytest.param(NEXT_MORNING, NIGHT, id="the night gives way, too"),
            pytest.param(NIGHT, NEXT_MORNING + timedelta(hours=3), id="too late: all kept"),
        ],
    )
    def test_what_must_be_known_before_comes_in_time(self, known_by, due):
        assert due_at(NIGHT, ALMATY, quiet=Hours(time(9), time(12)), known_by=known_by) == due


@pytest.mark.parametrize(
    ("at", "evening"),
    [
        pytest.param(MORNING, EVENING, id="by day"),
        pytest.param(EVENING, EVENING, id="at eight in the evening"),
        pytest.param(EVENING + MICROSECOND, EVENING + timedelta(days=1), id="just after"),
        pytest.param(NIGHT, EVENING + timedelta(days=1), id="after midnight"),
    ],
)
def test_the_evening_is_the_next_instant_at_which_a_day_is_over(at, evening):
    assert evening_from(at, ALMATY) == evening


CLOCKS = st.times(max_value=time(23, 59))
INSTANTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(INSTANTS, st.sampled_from([ALMATY, BERLIN]), st.none() | st.builds(Hours, CLOCKS, CLOCKS))
def test_nothing_goes_by_night_or_later_than_two_mornings_on(now, zone, quiet):
    due = due_at(now, zone, quiet=quiet)
    clock = due.astimezone(zone).time()
    assert DAYTIME.hold(clock)
    assert now <= due < now + timedelta(days=2)
    assert due_at(due, zone, quiet=quiet) == due


@given(
    INSTANTS, st.builds(Hours, CLOCKS, CLOCKS), st.timedeltas(timedelta(microseconds=1), timedelta(days=2))
)
def test_nothing_comes_too_late_because_of_hours(now, quiet, left):
    assert due_at(now, ALMATY, quiet=quiet, known_by=now + left) < now + left


def tell(recipient, kind="bid_rejected", *, now=NIGHT, **more):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key=kind, now=now, **more)


class TestKinds:
    def test_codes_warnings_and_answers_go_at_once(self):
        assert {kind.code for kind in KINDS.values() if kind.answers} == {
            "application_claimed",
            "application_filed",
            "bid_placed",
            "complaint_taken",
            "complaint_taken_further",
            "referral_extended",
            "test_message",
        }
        for kind in KINDS.values():
            is_urgent = kind.secret or kind.past_budget is PastBudget.WARNING
            assert kind.goes_at_once == ((is_urgent or kind.answers) and not kind.by_day), kind.code

    def test_what_another_person_did_is_warned_of_at_night_only_if_the_night_counts(self):
        by_day = {kind.code for kind in KINDS.values() if kind.by_day}
        assert by_day == {
            "archived_by_other",
            "benefit_withdrawn_by_other",
            "guardian_stopped",
            "languages_by_other",
            "moved_by_other",
            "offer_declined_by_other",
        }
        for code in by_day:
            assert KINDS[code].past_budget is PastBudget.WARNING
            assert not KINDS[code].goes_with_others

    @pytest.mark.parametrize("kind", ["languages_by_other", "guardian_stopped"])
    def test_a_warning_that_can_wait_keeps_night_and_quiet_hours(self, kind, parent):
        parent.quiet_from, parent.quiet_to = time(8), time(12)
        tell(parent, kind)
        assert Message.objects.get().next_attempt_at == NEXT_MORNING + timedelta(hours=3)

    @pytest.mark.parametrize(
        "kind", ["application_filed", "application_claimed", "bid_placed", "referral_extended"]
    )
    def test_an_answer_goes_at_night_only_to_who_pressed(self, kind, parent):
        other = UserFactory()
        for guardian in (parent, other):
            tell(guardian, kind, pressed_by=other)
        due = dict(Message.objects.values_list("recipient", "next_attempt_at"))
        assert due == {parent.pk: NEXT_MORNING, other.pk: NIGHT}
        assert set(Notice.objects.values_list("created_at", flat=True)) == {NIGHT}

    def test_an_answer_sent_again_is_none_any_more(self, parent):
        tell(parent, "bid_placed", pressed_by=parent)
        Message.objects.update(state=Message.State.FAILED)
        assert send_again(Message.objects.get(), now=NIGHT) == NEXT_MORNING

    @pytest.mark.parametrize("kind", ["reset_code", "password_changed", "bid_withdrawn_by_other"])
    def test_what_somebody_waits_for_goes_at_night(self, kind, parent):
        tell(parent, kind)
        message = Message.objects.get()
        assert message.next_attempt_at == NIGHT
        assert message.give_up_at == NIGHT + KINDS[kind].worth_for

    def test_everything_else_waits_for_the_morning_but_not_the_inbox(self, parent, settings):
        settings.SENDS_MAIL = True
        parent.email, parent.email_proven_at, parent.mails_notices = "a@example.kz", NIGHT, True
        parent.save()
        tell(parent)
        assert Notice.objects.get().created_at == NIGHT
        for row in (Message.objects.get(), Mail.objects.get()):
            assert (row.created_at, row.next_attempt_at) == (NIGHT, NEXT_MORNING)
            assert row.give_up_at == EVENING + timedelta(days=2), "the night takes none of its day"

    def test_nothing_is_sent_once_it_is_worthless(self, parent):
        tell(parent, known_by=NIGHT + timedelta(hours=1))
        message = Message.objects.get()
        assert (message.next_attempt_at, message.give_up_at) == (NIGHT, NIGHT + timedelta(hours=1))

    def test_to_contacts_without_an_account_too(self, db, settings):
        settings.SENDS_MAIL = True
        more: dict[str, Any] = {
            "context": sample_context(KINDS["staff_new_bids"]),
            "language": "kk",
            "dedupe_key": "key",
        }
        enqueue_to_phone("+77017779876", "former_invited", now=NIGHT, **more)
        enqueue_to_mail("a@example.kz", "staff_new_bids", now=NIGHT, **more)
        assert Message.objects.get().next_attempt_at == Mail.objects.get().next_attempt_at == NEXT_MORNING

    def test_what_an_employee_sends_again_at_night_goes_in_the_morning(self, parent):
        tell(parent)
        Message.objects.update(state=Message.State.FAILED)
        assert send_again(Message.objects.get(), now=NIGHT) == NEXT_MORNING
        assert Message.objects.get().next_attempt_at == NEXT_MORNING


WAYS = {
    "sms": (Message, deliver_due),
    "e-mail": (Mail, deliver_mails),
    "telegram": (TelegramMessage, deliver_telegrams),
}


@pytest.mark.usefixtures("each_by_itself")
class TestAtDelivery:
    """Whatever held it up until then: a burst, a gateway, a worker that stood still."""

    @pytest.fixture(autouse=True)
    def _ways(self, parent, settings, monkeypatch):
        settings.SMS_BACKEND, settings.SENDS_MAIL, settings.TELEGRAM_TOKEN = OBEDIENT, True, "1:secret"
        ObedientBackend.reset()
        taken = SendResult(Outcome.ACCEPTED)
        monkeypatch.setattr("notifications.telegram.TelegramBackend.send", lambda *_, **__: taken)
        parent.email, parent.email_proven_at, parent.mails_notices = "a@example.kz", MORNING, True
        parent.telegram = "42"
        parent.save()

    @pytest.mark.parametrize(
        ("late", "counts"),
        [
            pytest.param(ANSWERS_FOR - timedelta(minutes=1), Counts(sent=1), id="soon"),
            pytest.param(ANSWERS_FOR + MICROSECOND, Counts(), id="hours later"),
        ],
    )
    def test_an_answer_that_nobody_waits_for_any_more_keeps_hours(self, parent, late, counts):
        tell(parent, "bid_placed", pressed_by=parent)
        assert deliver_due(now=NIGHT + late) == counts
        Message.objects.filter(state=Message.State.SENT).delete()
        assert set(Message.objects.values_list("next_attempt_at", flat=True)) <= {NEXT_MORNING}

    @pytest.mark.parametrize("way", WAYS)
    def test_own_hours_hold(self, parent, way):
        """They are those of today: chosen after it was written, too."""
        model, deliver = WAYS[way]
        tell(parent, now=MORNING)
        parent.quiet_from, parent.quiet_to = time(9, 30), time(19)
        parent.save()
        assert deliver(now=MORNING + timedelta(hours=1)) == Counts()
        assert model.objects.get().next_attempt_at == MORNING + timedelta(hours=10)
        assert deliver(now=MORNING + timedelta(hours=10)) == Counts(sent=1)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(("zone", "counts"), [(BERLIN, Counts(sent=1)), (None, Counts())], ids=str)
    def test_the_clocks_are_still_those_of_the_place(self, parent, way, zone, counts):
        """16:30 in the place, 20:30 where its recipient lives."""
        _model, deliver = WAYS[way]
        tell(parent, now=EVENING - timedelta(hours=1), zone=zone)
        assert deliver(now=EVENING + timedelta(minutes=30)) == counts

    @pytest.mark.parametrize("way", WAYS)
    def test_what_is_only_worth_a_day_never_breaks_the_night(self, parent, way):
        model, deliver = WAYS[way]
        tell(parent)
        for hours in (0, 5):
            assert deliver(now=EVENING + timedelta(days=1, hours=hours)) == Counts()
        assert model.objects.get().next_attempt_at == NEXT_MORNING + timedelta(days=1)
        assert deliver(now=NEXT_MORNING + timedelta(days=1)) == Counts(sent=1)

    def test_it_is_given_up_in_the_evening(self, parent):
        tell(parent)
        deliver_due(now=EVENING + timedelta(days=1))
        assert deliver_due(now=EVENING + timedelta(days=2)) == Counts(failed=1)
        assert (Message.objects.get().error, ObedientBackend.sent) == (Trouble.LATE, [])

    def test_what_must_be_known_before_breaks_the_night_at_the_second_try_too(self, parent):
        ObedientBackend.reset(TROUBLE)
        tell(parent, now=EVENING - timedelta(minutes=1), known_by=NEXT_MORNING)
        assert deliver_due(now=EVENING - timedelta(minutes=1)) == Counts(retried=1)
        assert deliver_due(now=EVENING + timedelta(hours=1)) == Counts(sent=1)

    def test_what_an_employee_sends_again_keeps_its_clocks_and_outlives_its_instant(self, parent):
        tell(parent, now=MORNING, zone=BERLIN, known_by=EVENING)
        Message.objects.update(state=Message.State.FAILED)
        assert send_again(Message.objects.get(), now=EVENING) == EVENING, "16:00 there"
        message = Message.objects.get()
        assert (message.known_by, message.zone) == (None, BERLIN)
        assert message.give_up_at > EVENING + timedelta(days=1)

    def test_all_recipients_of_a_portion_are_looked_up_together(self):
        for _ in range(5):
            tell(UserFactory(), now=MORNING)
        with CaptureQueriesContext(connection) as queries:
            assert deliver_due(now=MORNING) == Counts(sent=5)
        looked = [one["sql"] for one in queries if one["sql"].startswith('SELECT "accounts_user"')]
        assert len(looked) == 1


def test_one_in_the_place_of_several_keeps_their_hours(parent, settings):
    settings.SMS_BACKEND = OBEDIENT
    ObedientBackend.reset()
    now = MORNING + timedelta(hours=4)
    # What must be known first goes first, by itself.
    for known_by in (None, *(EVENING + timedelta(hours=hours) for hours in (9, 8, 7))):
        context = sample_context(KINDS["bid_rejected"])
        enqueue(
            parent,
            "bid_rejected",
            context=context,
            dedupe_key=str(known_by),
            now=now,
            zone=BERLIN,
            known_by=known_by,
        )
    deliver_due(now=now)
    deliver_due(now=now + timedelta(minutes=11))
    together = Message.objects.get(kind__startswith="several")
    assert (together.zone, together.known_by) == (BERLIN, EVENING + timedelta(hours=8))


class TestZones:
    @pytest.fixture
    def far(self, db):
        return LocalityFactory(slug="far", name_kk="Алыс", name_ru="Далеко", timezone="Europe/Berlin")

    def test_a_family_lives_where_its_newest_live_application_is(
        self, parent, far, django_assert_num_queries
    ):
        other, nobody = UserFactory(), UserFactory()
        here = ApplicationFactory()
        GuardianshipFactory(child=here.child, user=parent)
        there = ApplicationFactory(locality=far, filed_at=here.filed_at + timedelta(days=1))
        GuardianshipFactory(child=there.child, user=parent)
        GuardianshipFactory(child=here.child, user=other)
        with django_assert_num_queries(1):
            zones = zones_of([parent.pk, other.pk, nobody.pk])
        assert zones == {parent.pk: BERLIN, other.pk: ALMATY, nobody.pk: ALMATY}
        there.state, there.archived_at = "archived", there.filed_at
        there.save()
        assert zone_of(parent.pk) == ALMATY

    def test_a_former_guardian_lives_nowhere_in_particular(self, parent, far):
        there = ApplicationFactory(locality=far)
        GuardianshipFactory(child=there.child, user=parent, ended_at=NIGHT)
        assert zone_of(parent.pk) == ALMATY

    def test_the_place_of_what_it_is_about_comes_first(self, parent):
        tell(parent, zone=BERLIN)
        assert Message.objects.get().next_attempt_at == datetime(2026, 11, 24, 8, tzinfo=UTC)

    def test_without_a_rule_it_is_the_portals(self, monkeypatch):
        monkeypatch.setattr("notifications.zones._zones", [])
        assert zones_of([1]) == {1: ALMATY}
        register(lambda pks: dict.fromkeys(pks, BERLIN))
        assert zone_of(1) == BERLIN
