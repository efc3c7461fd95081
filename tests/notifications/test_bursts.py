"""Several notices to one phone within minutes: the first at once, the rest together."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from notifications import bursts, outbox
from notifications.bursts import WAIT, numbers_in
from notifications.delivery import deliver_due
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice
from notifications.services import enqueue, send_again
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
        notices = list(Notice.objects.order_by("created_at"))
        traces = ways_of(notices, now=AFTER)
        told = [[(trace.words, trace.is_lost) for trace in traces[notice.pk]] for notice in notices]
        assert told[1:] == [[(words, state == Message.State.FAILED)]] * 3

    def test_no_employee_sends_again_what_was_merged(self, parent):
        burst(parent)
        deliver_due(now=AFTER)
        row = Message.objects.filter(state=Message.State.MERGED)[0]
        assert send_again(row, now=NOW + WAIT) is None


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
