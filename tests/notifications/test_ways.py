"""By which ways a message goes, and what can't be switched off."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils.translation import override
from phonenumber_field.phonenumber import PhoneNumber

from accounts import contacts
from accounts.models import Profile, User
from notifications.delivery import deliver_due
from notifications.kinds import KINDS, Channel, Topic, sample_context
from notifications.models import Mail, Message, Notice, TelegramMessage
from notifications.retention import old_telegrams, purge_telegrams
from notifications.services import enqueue, repeat_to_second_phone, send_again
from notifications.traces import ways_of
from notifications.troubles import Trouble
from notifications.ways import Way, always_on, is_on, ways, what_differs, without
from tests.factories import ProfileFactory

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OWN, SECOND = "+77017779876", "+77051112233"
BID, REFERRAL, CODE = KINDS["bid_placed"], KINDS["referral_issued"], KINDS["sign_in_code"]


@pytest.fixture(autouse=True)
def all_ways_are_there(settings):
    settings.SENDS_MAIL, settings.TELEGRAM_TOKEN = True, "1:token"


def person(**changes):
    given = {
        "pk": 1, "phone": PhoneNumber.from_string(OWN), "language": "kk", "email": "a@mail.kz", "mails_notices": True,
        "telegram": "42", "proven_second_phone": SECOND, "chosen_ways": {},
    }  # fmt: skip
    return SimpleNamespace(**(given | changes))


def test_by_itself_everything_but_the_second_phone():
    assert ways(BID, person()) == (Way.SMS, Way.EMAIL, Way.TELEGRAM)
    assert ways(BID, person(mails_notices=False, telegram="")) == (Way.SMS,)
    assert ways(KINDS["bid_withdrawn"], person()) == ()


def test_a_way_that_leads_nowhere_is_none(settings):
    chosen = {"bids": {"second": True}}
    assert Way.SECOND_PHONE in ways(BID, person(chosen_ways=chosen))
    assert Way.SECOND_PHONE not in ways(BID, person(chosen_ways=chosen, proven_second_phone=""))
    settings.SENDS_MAIL, settings.TELEGRAM_TOKEN = False, ""
    assert ways(BID, person()) == (Way.SMS,)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.secret], ids=lambda kind: kind.code)
def test_a_code_goes_to_the_own_phone_alone(kind):
    everything = {topic.value: {way.value: True for way in Way} for topic in Topic}
    expected = (Way.SMS,) if Channel.SMS in kind.channels else ()
    assert ways(kind, person(chosen_ways=everything)) == expected
    assert ways(kind, person(chosen_ways=everything, phone=None)) == ()


@pytest.mark.parametrize("topic", Topic)
def test_one_way_stays_on_for_what_must_not_be_missed(topic):
    nothing = {one.value: {way.value: False for way in Way} for one in Topic}
    silenced = person(chosen_ways=nothing)
    on = [way for way in Way if is_on(topic, way, silenced)]
    assert on == ([Way.SMS] if topic.is_mandatory else [])
    without_phone = person(chosen_ways=nothing, phone=None)
    assert always_on(topic, without_phone) is (Way.EMAIL if topic.is_mandatory else None)
    no_mail = person(chosen_ways=nothing, phone=None, email="")
    assert always_on(topic, no_mail) is (Way.TELEGRAM if topic.is_mandatory else None)
    # The second phone alone is no way of one's own.
    assert always_on(topic, person(phone=None, email="", telegram="")) is None


def test_what_warns_of_a_lost_account_never_goes_to_the_second_phone():
    everything = {topic.value: {"second": True} for topic in Topic}
    assert Way.SECOND_PHONE not in ways(KINDS["password_changed"], person(chosen_ways=everything))
    assert Way.SECOND_PHONE in ways(REFERRAL, person(chosen_ways=everything))


def test_kept_is_only_what_differs():
    reader = person(chosen_ways={"queue": {"sms": False}})
    chosen = {
        (Topic.BIDS, Way.SMS): True, (Topic.BIDS, Way.EMAIL): False, (Topic.BIDS, Way.SECOND_PHONE): False,
        (Topic.PLACE, Way.SECOND_PHONE): True,
    }  # fmt: skip
    assert what_differs(chosen, reader) == {
        "queue": {"sms": False},
        "bids": {"email": False},
        "place": {"second": True},
    }
    assert what_differs({(Topic.QUEUE, Way.SMS): True}, reader) == {}
    assert without(Way.EMAIL, {"bids": {"email": False}, "place": {"email": True, "second": True}}) == {
        "place": {"second": True}
    }


@pytest.fixture
def parent(db):
    owner = ProfileFactory(second_phone=SECOND, second_phone_proven_at=NOW, user__phone=OWN).user
    User.objects.filter(pk=owner.pk).update(
        email="a@mail.kz", telegram="42", chosen_ways={"bids": {"second": True, "email": True}}
    )
    return User.objects.get(pk=owner.pk)


def tell(recipient, kind="bid_placed", key="1"):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key=key, now=NOW)


def test_every_chosen_way_gets_the_same_text_once(parent):
    tell(parent)
    tell(parent)
    own, copy = Message.objects.get(is_copy=False), Message.objects.get(is_copy=True)
    mail, telegram = Mail.objects.get(), TelegramMessage.objects.get()
    assert (own.phone, copy.phone, mail.address, telegram.chat) == (OWN, SECOND, "a@mail.kz", "42")
    assert {one.text for one in (own, copy, mail, telegram)} == {own.text}
    assert Notice.objects.count() == 1


def test_what_is_not_chosen_is_in_the_inbox(parent):
    User.objects.update(chosen_ways={"bids": {"sms": False, "telegram": False}})
    tell(User.objects.get())
    assert (Notice.objects.count(), Message.objects.count(), TelegramMessage.objects.count()) == (1, 0, 0)


def test_who_chose_no_second_phone_costs_no_query(parent, django_assert_num_queries):
    User.objects.update(chosen_ways={}, telegram="")
    reader = User.objects.get()
    with django_assert_num_queries(0):
        assert ways(BID, reader) == (Way.SMS,)


@pytest.mark.parametrize("change", ["another", "unproven", "none"])
def test_a_second_phone_that_is_proven_no_more_gets_nothing_that_waits(parent, change):
    tell(parent)
    contacts.change_second_phone(
        parent,
        {"another": "+77059998877", "unproven": SECOND, "none": ""}[change],
        is_proven=change == "another",
        address=None,
        now=NOW,
    )
    deliver_due(now=NOW)
    copy = Message.objects.get(is_copy=True)
    assert (copy.state, copy.error) == (Message.State.WITHHELD, "the second phone is no longer proven")
    assert Message.objects.get(is_copy=False, kind="bid_placed").state == Message.State.SENT
    assert not send_again(copy, now=NOW)


def test_another_answer_about_e_mails_ends_what_was_chosen_by_topic(parent):
    contacts.choose_mails(parent, mails_notices=False, now=NOW)
    assert User.objects.get().chosen_ways == {"bids": {"second": True, "email": True}}
    contacts.choose_mails(parent, mails_notices=True, now=NOW)
    assert User.objects.get().chosen_ways == {"bids": {"second": True}}


def test_what_went_to_telegram_is_kept_for_thirty_days(parent):
    tell(parent)
    month = NOW + timedelta(days=30)
    TelegramMessage.objects.update(state=TelegramMessage.State.SENT)
    assert not old_telegrams(now=month).exists()
    assert purge_telegrams(now=month + MICROSECOND) == 1


@pytest.mark.parametrize(("clock", "kind", "due"), [
    ((6, 0), "bid_rejected", (9, 0)), ((9, 0), "bid_rejected", (9, 0)), ((6, 0), "password_changed", (6, 0)),
])  # fmt: skip
def test_in_quiet_hours_only_what_can_not_wait_goes(parent, clock, kind, due):
    """Quiet from 10:00 to 14:00 in a zone five hours before UTC."""
    User.objects.update(quiet_from=time(10), quiet_to=time(14), chosen_ways={})
    now = NOW.replace(hour=clock[0], minute=clock[1])
    enqueue(User.objects.get(), kind, context=sample_context(KINDS[kind]), dedupe_key="1", now=now)
    rows = [*Message.objects.all(), *TelegramMessage.objects.all()]
    assert {row.next_attempt_at for row in rows} == {NOW.replace(hour=due[0], minute=due[1])}
    assert len(rows) == 2


@pytest.mark.parametrize("kind", ["bid_placed", "guardian_added"])
def test_the_second_phone_rings_by_day_whoever_pressed(parent, kind):
    late = NOW.replace(hour=18)  # 23:00 in Almaty
    User.objects.update(chosen_ways={KINDS[kind].topic: {"second": True}})
    reader, context = User.objects.get(), sample_context(KINDS[kind])
    enqueue(reader, kind, context=context, dedupe_key="1", now=late, pressed_by=reader)
    Message.objects.filter(is_copy=True).update(next_attempt_at=late)
    assert deliver_due(now=late).sent == 1
    copy = Message.objects.get(is_copy=True)
    assert (copy.state, copy.next_attempt_at) == (Message.State.QUEUED, NOW.replace(day=1, month=12, hour=4))
    assert Message.objects.get(is_copy=False).state == Message.State.SENT


@pytest.mark.parametrize(("phone", "is_proven"), [("+77059998877", True), (SECOND, False), ("", False)])
def test_another_second_phone_starts_with_nothing_chosen(parent, phone, is_proven):
    User.objects.update(second_phone_if_lost=True)
    contacts.change_second_phone(parent, phone, is_proven=is_proven, address=None, now=NOW)
    after = User.objects.get()
    assert (after.chosen_ways, after.second_phone_if_lost) == ({"bids": {"email": True}}, False)


class TestWhatDidNotArrive:
    @pytest.fixture
    def lost(self, parent):
        User.objects.update(chosen_ways={}, second_phone_if_lost=True)
        tell(User.objects.get(), "referral_issued")
        Message.objects.update(state=Message.State.UNDELIVERED)
        return Message.objects.select_related("recipient").get()

    def repeat(self, lost, **options):
        with transaction.atomic():
            return repeat_to_second_phone(lost, **({"now": NOW} | options))

    def test_it_goes_to_the_second_phone_once(self, lost):
        assert [self.repeat(lost), self.repeat(lost)] == [True, False]
        copy = Message.objects.get(is_copy=True)
        assert (copy.phone, copy.text, copy.instead_of) == (SECOND, lost.text, lost.pk)
        assert (copy.about, copy.give_up_at) == (lost.about, lost.give_up_at)
        deliver_due(now=NOW)
        copy.refresh_from_db()
        assert copy.state == Message.State.SENT
        assert not self.repeat(copy)

    @pytest.mark.parametrize("hindrance", ["not chosen", "not proven", "late", "account", "optional"])
    def test_only_what_matters_and_if_its_owner_chose_it(self, lost, hindrance):
        if hindrance == "not chosen":
            User.objects.update(second_phone_if_lost=False)
        if hindrance == "not proven":
            Profile.objects.update(second_phone_proven_at=None)
        if hindrance in ("account", "optional"):
            Message.objects.update(kind={"account": "password_changed", "optional": "bid_placed"}[hindrance])
        lost = Message.objects.select_related("recipient").get()
        assert not self.repeat(lost, now=lost.give_up_at if hindrance == "late" else NOW)
        assert Message.objects.count() == 1


class TestWhatBecameOfIt:
    def traces(self, now=NOW):
        found = ways_of(Notice.objects.all(), now=now)
        return {one.way: (one.words, one.at, one.is_lost) for traces in found.values() for one in traces}

    def test_each_way_says_for_itself_in_one_query(self, parent, django_assert_num_queries):
        tell(parent, "bid_rejected")
        later = NOW + timedelta(hours=1)
        Message.objects.filter(is_copy=False).update(
            state=Message.State.DELIVERED, sent_at=NOW, delivered_at=later
        )
        Message.objects.filter(is_copy=True).update(state=Message.State.WITHHELD, error=Trouble.ENOUGH.value)
        Mail.objects.update(state=Mail.State.SENT, sent_at=NOW)
        TelegramMessage.objects.update(next_attempt_at=later)
        with django_assert_num_queries(2), override("en"):
            assert self.traces() == {
                Way.SMS: ("delivered", later, False),
                Way.EMAIL: ("sent", NOW, False),
                Way.TELEGRAM: ("goes out at:", later, False),
                Way.SECOND_PHONE: ("not sent: too many messages went there today", None, False),
            }

    @pytest.mark.parametrize(("changes", "words", "is_lost"), [
        ({"state": "queued"}, "on its way", False),
        ({"state": "sending"}, "on its way", False),
        ({"attempts": 1, "next_attempt_at": NOW + MICROSECOND}, "not sent yet, tried again at:", False),
        ({"state": "withheld", "error": "the day's budget is spent"}, "not sent: it is only here", False),
        ({"state": "failed", "error": "smsc: 8"}, "did not arrive", True),
        ({"state": "undelivered"}, "did not arrive", True),
    ], ids=["due", "sending", "again", "withheld", "failed", "undelivered"])  # fmt: skip
    def test_in_a_familys_words(self, parent, changes, words, is_lost):
        User.objects.update(telegram="", chosen_ways={})
        tell(User.objects.get(), "bid_rejected")
        Message.objects.update(**changes)
        with override("en"):
            [(said, _at, lost)] = self.traces().values()
        assert (said, lost) == (words, is_lost)

    def test_nothing_is_said_of_what_is_no_longer_kept(self, parent):
        tell(parent)
        Message.objects.all().delete()
        Mail.objects.all().delete()
        TelegramMessage.objects.all().delete()
        assert self.traces() == {}

    @pytest.mark.parametrize("count", [1, 20])
    def test_the_inbox_asks_once_for_all_notices(self, parent, count, client, django_assert_num_queries):
        for nth in range(count):
            tell(parent, key=str(nth))
        notices = list(Notice.objects.all())
        with django_assert_num_queries(1):
            assert len(ways_of(notices, now=NOW)) == count
