"""Several notices to one phone within minutes: the first at once, the rest together."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import bursts, outbox
from notifications.bursts import WAIT, kind_in_place_of, numbers_in
from notifications.delivery import deliver_due
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice
from notifications.reports import take
from notifications.services import enqueue, send_again
from notifications.sms.base import Arrival, Report
from notifications.traces import ways_of
from notifications.troubles import Trouble
from tests.factories import GuardianshipFactory, UserFactory
from tests.notifications.gateways import ObedientBackend

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A call counts on while it works, so the first was sent a little after it was told of.
AFTER = NOW + WAIT + timedelta(seconds=30)
GATEWAY = "tests.notifications.gateways.ObedientBackend"


@pytest.fixture(autouse=True)
def _gateway(settings):
    settings.SMS_BACKEND = GATEWAY
    ObedientBackend.reset()


def sent():
    return [text for _phone, text, *_rest in ObedientBackend.sent]


def tell(recipient, kind="bid_rejected", *, key="1", now=NOW, number="19-000417", about=None, **more):
    context = sample_context(KINDS[kind])
    if "application" in context:
        context["application"] = type(context["application"])(
            **vars(context["application"]) | {"number": number}
        )
    enqueue(recipient, kind, context=context, dedupe_key=key, now=now, about=about, **more)
    return Message.objects.order_by("-created_at", "-pk").first()


def burst(parent, *, of=4):
    """The first and what follows it within the ten minutes, of two children; the first has gone."""
    for number in range(of):
        now = NOW + number * timedelta(minutes=1)
        tell(parent, key=str(number), now=now, number=f"19-00{1000 + number % 2}")
        deliver_due(now=now)


def states():
    return sorted(Message.objects.values_list("kind", "state"))


def merged_again(parent):
    """Three that were merged once the day was over go in the morning with a fourth."""
    evening = NOW.replace(hour=14, minute=40)
    for key in "0123":
        tell(parent, key=key, now=evening + int(key) * MICROSECOND, number=f"19-00{1000 + int(key) % 2}")
    deliver_due(now=evening + 4 * MICROSECOND)
    deliver_due(now=NOW.replace(hour=15, second=1))
    tell(parent, key="late", now=NOW.replace(hour=14, minute=59, second=59), number="19-001003")
    deliver_due(now=NOW.replace(hour=15, minute=1))
    assert Message.objects.filter(kind="several", state=Message.State.QUEUED).exists()
    deliver_due(now=NOW.replace(day=24, hour=4, second=30))


def told(now):
    """What the inbox says of each notice, the oldest first."""
    notices = list(Notice.objects.order_by("created_at", "pk"))
    traces = ways_of(notices, now=now)
    return [[(trace.words, trace.is_lost) for trace in traces[notice.pk]] for notice in notices]


TOGETHER = ("басқалармен бірге бір SMS-те айтылды", False)


class TestTogether:
    def test_the_first_goes_at_once_and_the_rest_in_one_sms(self, parent):
        burst(parent)
        assert len(sent()) == 1
        waiting = Message.objects.filter(state=Message.State.QUEUED)
        first = Message.objects.get(state=Message.State.SENT)
        assert {row.next_attempt_at for row in waiting} == {first.sent_at + WAIT}
        assert {(row.error, row.attempts) for row in waiting} == {(Trouble.WITH_OTHERS, 0)}
        deliver_due(now=NOW + WAIT - timedelta(seconds=1))
        assert len(sent()) == 1
        counts = deliver_due(now=AFTER)
        assert counts.sent == 1
        assert sent()[1:] == ["№1001, №1000: жаңа хабарламалар: 3. Кабинетті ашыңыз. BALABAQSHA"]
        merged = Message.objects.filter(state=Message.State.MERGED)
        together = Message.objects.get(kind="several")
        assert [row.merged_into for row in merged] == [together] * 3
        assert (together.state, together.phone) == (Message.State.SENT, parent.phone)

    def test_one_that_follows_goes_with_its_own_words(self, parent):
        burst(parent, of=2)
        deliver_due(now=AFTER)
        assert len(sent()) == 2
        assert sent()[1].startswith("№1001: балабақша")
        assert not Message.objects.filter(kind="several").exists()

    def test_what_is_due_in_the_same_moment_is_a_burst_too(self, parent):
        for key in "123":
            tell(parent, key=key)
        deliver_due(now=NOW)
        assert len(sent()) == 1
        deliver_due(now=AFTER)
        assert len(sent()) == 2

    def test_after_the_wait_the_next_goes_at_once_again(self, parent):
        burst(parent, of=1)
        tell(parent, key="later", now=AFTER)
        deliver_due(now=AFTER)
        assert len(sent()) == 2

    def test_a_merged_one_opens_the_next_burst(self, parent):
        burst(parent)
        deliver_due(now=AFTER)
        tell(parent, key="later", now=AFTER + timedelta(minutes=1))
        deliver_due(now=AFTER + timedelta(minutes=1))
        assert len(sent()) == 2

    def test_other_phones_are_not_concerned(self, parent):
        burst(parent, of=1)
        tell(UserFactory(), key="other")
        deliver_due(now=NOW)
        assert len(sent()) == 2

    def test_with_an_important_one_among_them_it_counts_as_that(self, parent, settings):
        settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY = 1
        tell(parent, key="first")
        deliver_due(now=NOW)
        # Nothing that can be switched off has room any more.
        for kind in ("bid_rejected", "referral_issued"):
            tell(parent, kind, key="later", now=NOW + timedelta(minutes=1))
        deliver_due(now=NOW + timedelta(minutes=1))
        deliver_due(now=AFTER)
        together = Message.objects.get(kind="several_important")
        assert together.state == Message.State.SENT
        assert sent()[1:] == ["№0417: жаңа хабарламалар: 2. Кабинетті ашыңыз. BALABAQSHA"]

    def test_a_warning_that_waited_for_the_morning_goes_with_its_own_words(self, parent):
        evening = NOW.replace(hour=15)
        for key in "12":
            tell(parent, key=key, now=evening)
            tell(parent, "languages_by_other", key=key, now=evening)
        # Claimed as if the night had been forgotten: the worker puts each off by itself.
        Message.objects.update(next_attempt_at=evening)
        deliver_due(now=evening)
        assert sent() == []
        deliver_due(now=NOW.replace(day=NOW.day + 1, hour=4))
        assert Message.objects.filter(kind="languages_by_other", state=Message.State.SENT).count() == 2

    @pytest.mark.parametrize("kind", ["reset_code", "password_changed", "bid_placed"])
    def test_codes_warnings_and_answers_never_wait_and_open_no_burst(self, parent, kind):
        tell(parent, kind, key="first")
        deliver_due(now=NOW)
        burst(parent, of=2)
        assert len(sent()) == 2
        tell(parent, kind, key="second", now=NOW + timedelta(minutes=2))
        deliver_due(now=NOW + timedelta(minutes=2))
        assert len(sent()) == 3

    def test_the_rest_of_a_burst_in_the_evening_comes_in_the_morning(self, parent):
        evening = NOW.replace(hour=14, minute=55)
        for key in "123":
            tell(parent, key=key, now=evening)
        deliver_due(now=evening)
        deliver_due(now=evening + WAIT + timedelta(seconds=30))
        assert len(sent()) == 1
        deliver_due(now=NOW.replace(day=24, hour=4))
        assert sent()[1:] == ["№0417: жаңа хабарламалар: 2. Кабинетті ашыңыз. BALABAQSHA"]

    def test_what_would_be_worthless_by_then_does_not_wait(self, parent):
        burst(parent, of=1)
        tell(parent, key="soon", known_by=NOW + WAIT - timedelta(minutes=1))
        deliver_due(now=NOW + MICROSECOND)
        assert len(sent()) == 2

    def test_the_budget_counts_one(self, parent, settings):
        settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY = 2
        burst(parent, of=6)
        deliver_due(now=AFTER)
        assert len(sent()) == 2
        assert not Message.objects.filter(state=Message.State.WITHHELD).exists()

    def test_of_a_child_of_whom_one_is_told_no_more_nothing_is_counted(self, parent):
        guardianship = GuardianshipFactory(user=parent)
        burst(parent, of=3)
        tell(parent, key="theirs", about=guardianship.child_id, now=NOW + timedelta(minutes=4))
        deliver_due(now=NOW + timedelta(minutes=4))
        guardianship.ended_at = NOW
        guardianship.save()
        deliver_due(now=AFTER)
        assert "хабарламалар: 2." in sent()[1]
        assert Message.objects.filter(state=Message.State.WITHHELD).count() == 1

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (Message.State.SENT, "басқалармен бірге бір SMS-те айтылды"),
            (Message.State.FAILED, "жеткізілмеді"),
        ],
    )
    def test_the_family_reads_what_became_of_it(self, parent, state, words):
        burst(parent)
        deliver_due(now=AFTER)
        Message.objects.filter(kind="several").update(state=state)
        assert told(AFTER)[1:] == [[(words, state == Message.State.FAILED)]] * 3

    def test_no_employee_sends_again_what_was_merged(self, parent):
        burst(parent)
        deliver_due(now=AFTER)
        row = Message.objects.filter(state=Message.State.MERGED)[0]
        assert send_again(row, now=NOW + WAIT) is None


class TestWhatHappensToIt:
    @pytest.mark.parametrize(
        ("codes", "kind"),
        [
            (["bid_rejected", "bid_lost"], "several"),
            (["bid_rejected", "referral_issued"], "several_important"),
            (["bid_rejected", "interest_reminder"], "several"),
            (["interest_reminder", "aging_out"], "several_reminders"),
            (["interest_reminder", "referral_issued"], "several_important"),
            (["place_appeared", "place_appeared"], "several_places"),
            (["bid_rejected", "forgotten"], "several"),
        ],
        ids=lambda value: value if isinstance(value, str) else "+".join(value),
    )
    def test_as_to_the_weightiest_that_it_stands_for(self, codes, kind):
        assert kind_in_place_of(codes).code == kind

    @pytest.fixture
    def _two_gateways(self, monkeypatch):
        monkeypatch.setattr("notifications.reports.chosen", lambda: {"first": "", "second": ""})

    @pytest.mark.parametrize(("kind", "is_repeated"), [("referral_reminder", True), ("bid_rejected", False)])
    @pytest.mark.usefixtures("_two_gateways")
    def test_what_matters_goes_by_another_way(self, parent, kind, is_repeated):
        burst(parent)
        tell(parent, kind, key="more", now=NOW + timedelta(minutes=5))
        deliver_due(now=NOW + timedelta(minutes=5))
        deliver_due(now=AFTER)
        together = Message.objects.get(kind__startswith="several")
        take(together, Report(Arrival.UNDELIVERED), now=AFTER)
        assert Message.objects.filter(instead_of=together.pk).exists() == is_repeated
        assert told(AFTER)[1:] == [[TOGETHER if is_repeated else ("жеткізілмеді", True)]] * 4

    @pytest.mark.usefixtures("_two_gateways")
    def test_it_goes_to_the_second_phone_of_who_chose_that(self, parent):
        profile = parent.profile
        profile.second_phone, profile.second_phone_proven_at = "+77015550022", NOW
        profile.save()
        parent.second_phone_if_lost = True
        parent.save()
        for key in "123":
            tell(parent, "referral_reminder", key=key)
        deliver_due(now=NOW)
        deliver_due(now=AFTER)
        take(Message.objects.get(kind="several_important"), Report(Arrival.UNDELIVERED), now=AFTER)
        assert Message.objects.get(is_copy=True).text == sent()[1]

    @pytest.mark.usefixtures("_two_gateways")
    def test_if_the_repeated_one_is_lost_as_well_the_family_reads_so(self, parent):
        for key in "123":
            tell(parent, "referral_reminder", key=key)
        deliver_due(now=NOW)
        deliver_due(now=AFTER)
        together = Message.objects.get(kind="several_important")
        take(together, Report(Arrival.UNDELIVERED), now=AFTER)
        Message.objects.filter(instead_of=together.pk).update(state=Message.State.FAILED)
        assert told(AFTER).count([("жеткізілмеді", True)]) == 2

    @pytest.mark.usefixtures("_two_gateways")
    def test_what_repeats_another_is_never_merged(self, parent):
        for key in "12":
            tell(parent, "referral_reminder", key=key)
        Message.objects.update(error=Trouble.WITH_OTHERS)
        Message.objects.filter(pk=Message.objects.all()[0].pk).update(instead_of=uuid4())
        deliver_due(now=NOW)
        deliver_due(now=AFTER)
        assert not Message.objects.filter(state=Message.State.MERGED).exists()
        assert len(sent()) == 2

    def test_alerts_about_places_go_apart_from_the_others(self, parent):
        for key in "123":
            tell(parent, "place_appeared", key=key)
        for key in "45":
            tell(parent, key=key)
        Message.objects.update(error=Trouble.WITH_OTHERS)
        deliver_due(now=NOW)
        deliver_due(now=AFTER)
        assert [text.split(": ")[2][0] for text in sent()] == ["2", "3"]
        assert states().count(("place_appeared", "merged")) == 3
        assert states()[-2:] == [("several", "sent"), ("several_places", "sent")]

    def test_merged_alerts_take_nothing_of_what_is_kept_for_the_others(self, parent, settings):
        settings.SMS_BUDGET_PER_DAY = 10
        for key in "123":
            tell(parent, "place_appeared", key=key)
        deliver_due(now=NOW)
        for number in range(5):
            tell(UserFactory(), key=f"of {number}")
        deliver_due(now=AFTER)
        assert Message.objects.get(kind="several_places").state == Message.State.WITHHELD
        assert told(AFTER).count([("жіберілмеді: тек осы жерде", False)]) >= 2


class TestMergedAgain:
    def test_everything_is_counted_once(self, parent):
        merged_again(parent)
        assert sent()[1:] == ["№1001, №1000, …: жаңа хабарламалар: 4. Кабинетті ашыңыз. BALABAQSHA"]
        last = Message.objects.get(kind="several", state=Message.State.SENT)
        merged = Message.objects.filter(state=Message.State.MERGED)
        assert {row.merged_into for row in merged} == {last}
        assert states().count(("bid_rejected", "merged")) == 4

    def test_it_counts_only_what_may_still_be_told(self, parent):
        """Two of four lose their reader in the night: a child is theirs no more, and a topic is switched off."""
        guardianship = GuardianshipFactory(user=parent)
        evening, morning = NOW.replace(hour=14, minute=40), NOW.replace(day=24, hour=4, second=30)
        tell(parent, key="first", now=evening)
        deliver_due(now=evening)
        tell(parent, key="theirs", now=evening, about=guardianship.child_id)
        tell(parent, "referral_issued", key="kept", now=evening, number="19-001002")
        tell(parent, "benefit_expired", key="off", now=evening)
        self.merge_and_wait(evening)
        assert Message.objects.filter(merged_into__isnull=False).count() == 3
        self.end(guardianship)
        parent.chosen_ways = {KINDS["benefit_expired"].topic.value: {"sms": False}}
        parent.save()
        deliver_due(now=morning)
        assert sent()[1:] == ["№1002: жаңа хабарламалар: 1. Кабинетті ашыңыз. BALABAQSHA"]
        withheld = Message.objects.filter(state=Message.State.WITHHELD).order_by("kind")
        assert [(row.kind, row.error) for row in withheld] == [
            ("benefit_expired", Trouble.SWITCHED_OFF),
            ("bid_rejected", Trouble.NOT_TOLD),
        ]

    def test_with_nothing_left_to_tell_it_is_not_sent(self, parent):
        """All of it waits for a number that is somebody else's by the morning."""
        evening = NOW.replace(hour=14, minute=40)
        for key in "123":
            tell(parent, key=key, now=evening)
        deliver_due(now=evening)
        self.merge_and_wait(evening)
        parent.phone = "+77015550099"
        parent.save()
        tell(parent, key="by itself", now=NOW.replace(day=24, hour=4, second=20))
        Message.objects.filter(state=Message.State.QUEUED).update(
            phone=Message.objects.get(state=Message.State.SENT).phone
        )
        deliver_due(now=NOW.replace(day=24, hour=4, second=30))
        assert len(sent()) == 1
        withheld = [("bid_rejected", "withheld")] * 3
        assert states() == [("bid_rejected", "sent"), *withheld, ("several", "withheld")]

    def merge_and_wait(self, evening):
        """What waits is merged just before the night, so the one SMS waits for the morning."""
        Message.objects.filter(state=Message.State.QUEUED).update(
            next_attempt_at=evening, error=Trouble.WITH_OTHERS
        )
        deliver_due(now=NOW.replace(hour=15, second=1))
        assert Message.objects.filter(kind__startswith="several", state=Message.State.QUEUED).count() == 1

    def end(self, guardianship):
        guardianship.ended_at = NOW
        guardianship.save()

    @pytest.mark.parametrize(
        ("state", "trace"),
        [(Message.State.SENT, TOGETHER), (Message.State.FAILED, ("жеткізілмеді", True))],
    )
    def test_all_of_them_say_what_became_of_the_last(self, parent, state, trace):
        merged_again(parent)
        Message.objects.filter(state=Message.State.SENT, kind="several").update(state=state)
        assert told(NOW.replace(day=24, hour=5)).count([trace]) == 4


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(["Құжат жаңартылды. BALABAQSHA"], "", id="about the account"),
        pytest.param(["№0417: бір", "№0417: екі"], "№0417", id="one"),
        pytest.param(["№0417: бір", "№0418: екі"], "№0417, №0418", id="two"),
        pytest.param(["№0417", "№0418", "№0419"], "№0417, №0418, …", id="more"),
    ],
)
def test_the_applications_are_named_as_their_sms_do(texts, named):
    assert numbers_in(texts) == named


@pytest.mark.django_db
@pytest.mark.parametrize("each", [1, 2], ids=["nothing to merge", "two to merge"])
def test_merging_takes_as_many_statements_for_many_phones_as_for_two(each):
    def statements(phones):
        Message.objects.all().delete()
        for number in range(phones):
            parent = UserFactory()
            for more in range(each):
                tell(parent, key=f"{number} {more}")
        Message.objects.update(error=Trouble.WITH_OTHERS)
        claimed = outbox.claim(Message, most=100, now=NOW)
        with CaptureQueriesContext(connection) as asked:
            left = bursts.merge(claimed, now=NOW)
        assert len(left) == (phones if each == 1 else 0)
        return len(asked)

    assert statements(20) == statements(2)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_that_are_written_and_delivered_at_once_are_a_burst(self):
        """Two workers, woken by two commits of the same moment; one of them delivers."""
        parent = UserFactory()
        both = threading.Barrier(2)

        def write_and_deliver(key):
            try:
                both.wait()
                tell(parent, key=key)
                deliver_due(now=NOW)
            finally:
                connection.close()

        threads = [threading.Thread(target=write_and_deliver, args=[key]) for key in ("1", "2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliver_due(now=NOW)
        assert len(sent()) == 1
        assert Message.objects.filter(error=Trouble.WITH_OTHERS).count() == 1

    def test_a_row_that_another_worker_has_claimed_since_is_not_merged(self):
        parent = UserFactory()
        for key in "12":
            tell(parent, key=key)
        Message.objects.update(error=Trouble.WITH_OTHERS)
        claimed = outbox.claim(Message, most=2, now=NOW)
        Message.objects.filter(pk=claimed[0].pk).update(attempts=7)
        assert bursts.merge(claimed, now=NOW) == claimed
        assert not Message.objects.filter(kind="several").exists()
