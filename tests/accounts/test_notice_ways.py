"""The pages of a parent's ways: what is there, what they choose, and a test of each way."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile, User
from notifications.delivery import deliver_mails
from notifications.kinds import KINDS, sample_context
from notifications.models import Mail, Message, Notice
from notifications.services import enqueue
from notifications.troubles import Trouble
from tests.factories import UserFactory

EMAIL, PHONE = "/cabinet/profile/email/", "/cabinet/profile/second-phone/"
WAYS, TOPICS, TEST = "/cabinet/profile/ways/", "/cabinet/profile/ways/topics/", "/cabinet/profile/ways/test/"
NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
SECOND, MAILBOX = "+77051112233", "kamenov@mail.kz"
RIGHT = "parent-pass-1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_is_offered(settings):
    settings.SENDS_MAIL = True


@pytest.fixture
def reached(parent):
    """A parent with an address and a second phone, both proven."""
    User.objects.filter(pk=parent.pk).update(email=MAILBOX)
    Profile.objects.filter(user=parent).update(second_phone=SECOND, second_phone_proven_at=NOW)
    return User.objects.get(pk=parent.pk)


def contacts_of(user, **changes):
    phone = changes.pop("second_phone", None)
    User.objects.filter(pk=user.pk).update(**changes) if changes else None
    if phone:
        Profile.objects.filter(user=user).update(second_phone=phone, second_phone_proven_at=NOW)


def chosen():
    return User.objects.get().chosen_ways


class TestTopics:
    def test_a_phone_alone_is_asked_about_what_can_be_switched_off(self, parent, parent_client):
        answer = parent_client.get(TOPICS)
        form, fixed = answer.context["form"], answer.context["fixed"]
        assert {"bids", "queue"} <= set(form.topics)
        assert {choice.topic.value for choice in fixed} == {"place", "contract", "guardians", "account"}
        assert "second_phone_if_lost" not in form.fields

    def test_what_is_chosen_is_kept_and_told_by_that(self, reached, parent_client):
        ticked = {"bids": ["email"], "queue": ["sms"], "place": ["second"], "second_phone_if_lost": ["on"]}
        sent = ticked | {"quiet_from": ["22:00"], "quiet_to": ["07:30"]}
        assert parent_client.post(TOPICS, sent).url == WAYS
        reached.refresh_from_db()
        assert chosen()["bids"] == {"sms": False, "email": True}
        assert "queue" not in chosen()
        assert chosen()["place"] == {"second": True}
        assert (reached.quiet_from, reached.quiet_to) == (time(22), time(7, 30))
        assert reached.second_phone_if_lost
        assert AuditEntry.objects.filter(action=Action.WAYS_CHOSEN, actor=reached).count() == 1
        enqueue(reached, "bid_placed", context=sample_context(KINDS["bid_placed"]), dedupe_key="1", now=NOW)
        assert (Message.objects.count(), Mail.objects.count(), Notice.objects.count()) == (0, 1, 1)
        form = parent_client.get(TOPICS).context["form"]
        assert form["bids"].initial == ["email"]
        assert form["place"].initial == ["second"]

    def test_nothing_ticked_leaves_sms_for_what_must_not_be_missed(self, reached, parent_client):
        parent_client.post(TOPICS, {})
        assert chosen() == {topic: {"sms": False} for topic in chosen()}
        assert {"place", "contract", "guardians", "account"}.isdisjoint(chosen())
        reached = User.objects.get()
        for kind in ("referral_issued", "password_changed", "bid_placed"):
            enqueue(reached, kind, context=sample_context(KINDS[kind]), dedupe_key="1", now=NOW)
        assert set(Message.objects.values_list("kind", flat=True)) == {"referral_issued", "password_changed"}

    def test_a_way_that_is_away_keeps_what_was_chosen_for_it(self, reached, parent_client):
        parent_client.post(TOPICS, {"place": ["second"], "bids": ["sms"], "queue": ["sms"]})
        Profile.objects.update(second_phone_proven_at=None)
        parent_client.post(TOPICS, {"bids": ["sms"], "queue": ["sms"]})
        assert chosen()["place"] == {"second": True}

    @pytest.mark.parametrize("sent", [
        {"quiet_from": "22:00"}, {"quiet_to": "22:00"}, {"quiet_from": "9:00", "quiet_to": "09:00"},
        {"quiet_from": "25:00", "quiet_to": "07:00"}, {"bids": ["pigeon"]}, {"place": ["sms"]}, {"account": ["second"]},
        {"quiet_from": "\x00", "quiet_to": "07:00"},
    ], ids=range(8))  # fmt: skip
    def test_nonsense_is_answered_on_the_page(self, sent, reached, parent_client):
        answer = parent_client.post(TOPICS, sent)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert chosen() == {}

    @pytest.mark.parametrize(("begin", "end", "is_kept"), [
        ("00:00", "23:59", False), ("09:00", "20:00", False), ("08:00", "21:00", False), ("10:00", "09:00", True),
        ("10:00", "09:01", False), ("09:59", "08:59", False), ("09:59", "20:30", False), ("10:00", "20:00", True),
        ("09:00", "19:00", True), ("09:00", "19:01", False), ("20:00", "09:00", True),
    ])  # fmt: skip
    def test_quiet_hours_leave_an_hour_of_the_day(self, reached, parent_client, begin, end, is_kept):
        answer = parent_client.post(TOPICS, {"quiet_from": begin, "quiet_to": end})
        assert (answer.status_code == 302) == is_kept
        reached.refresh_from_db()
        assert (reached.quiet_from is not None) == is_kept
        if not is_kept:
            (said,) = answer.context["form"].errors["quiet_to"]
            assert "09:00" in said
            assert "20:00" in said


EVENING = datetime(2026, 11, 30, 15, 7, tzinfo=UTC)  # 20:07 in Almaty
NINE = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
HALF_PAST_TEN = NINE + timedelta(hours=1, minutes=30)


@pytest.mark.usefixtures("parent")
class TestWhatWaits:
    """Something that happened in the evening waits for the morning, and the choice is made before that."""

    @pytest.fixture
    def tells(self, reached, time_machine):
        time_machine.move_to(EVENING)

        def tell(kind="bid_rejected"):
            user = User.objects.get(pk=reached.pk)
            enqueue(user, kind, context=sample_context(KINDS[kind]), dedupe_key="1", now=EVENING)

        return tell

    def test_a_way_that_was_switched_off_is_not_taken(self, tells, parent_client):
        tells()
        parent_client.post(TOPICS, {"bids": [], "queue": ["sms"]})
        sms = Message.objects.get()
        assert (sms.state, sms.error) == (Message.State.WITHHELD, Trouble.SWITCHED_OFF)
        page = parent_client.get("/cabinet/notifications/").content.decode()
        assert "SMS: жіберілмеді: бұл жолды өзіңіз өшірдіңіз" in page

    def test_what_was_switched_off_goes_once_it_is_on_again(self, tells, parent_client):
        tells()
        parent_client.post(TOPICS, {"bids": []})
        parent_client.post(TOPICS, {"bids": ["sms"]})
        sms = Message.objects.get()
        assert (sms.state, sms.error, sms.next_attempt_at) == (Message.State.QUEUED, "", NINE)

    def test_the_second_phone_and_the_quiet_hours(self, tells, parent_client):
        quiet = {"quiet_from": "20:00", "quiet_to": "10:30"}
        parent_client.post(TOPICS, {"place": ["second"]} | quiet)
        tells("referral_issued")
        assert set(Message.objects.values_list("state", "next_attempt_at")) == {("queued", HALF_PAST_TEN)}
        parent_client.post(TOPICS, {"place": []})
        rows = set(Message.objects.values_list("is_copy", "state", "next_attempt_at"))
        assert rows == {(False, "queued", NINE), (True, "withheld", HALF_PAST_TEN)}
        parent_client.post(TOPICS, {"place": ["second"]} | quiet)
        assert set(Message.objects.values_list("state", "next_attempt_at")) == {("queued", HALF_PAST_TEN)}

    def test_answers_of_others_and_warnings_by_day_keep_new_quiet_hours(self, tells, parent_client):
        kinds = ("bid_placed", "application_filed", "archived_by_other", "bid_rejected")
        for kind in kinds:
            tells(kind)
        quiet = {"bids": ["sms"], "queue": ["sms"], "quiet_from": "07:00", "quiet_to": "10:30"}
        for hours, due in ((quiet, HALF_PAST_TEN), ({"bids": ["sms"], "queue": ["sms"]}, NINE)):
            parent_client.post(TOPICS, hours)
            assert dict(Message.objects.values_list("kind", "next_attempt_at")) == dict.fromkeys(kinds, due)

    def test_an_answer_to_who_pressed_does_not_wait(self, reached, parent_client, time_machine):
        time_machine.move_to(EVENING)
        context = sample_context(KINDS["bid_placed"])
        enqueue(reached, "bid_placed", context=context, dedupe_key="1", now=EVENING, pressed_by=reached)
        parent_client.post(TOPICS, {"bids": ["sms"], "quiet_from": "19:00", "quiet_to": "10:30"})
        assert Message.objects.get().next_attempt_at == EVENING

    def test_what_can_not_be_switched_off_goes_on(self, tells, parent_client):
        tells("referral_issued")
        parent_client.post(TOPICS, {})
        sms = Message.objects.get()
        assert (sms.state, sms.next_attempt_at) == (Message.State.QUEUED, NINE)

    @pytest.mark.parametrize("as_it_was", [
        {"state": "sending"}, {"state": "sent"}, {"kind": "sign_in_code"}, {"kind": "test_message"}, {"kind": "gone"},
    ], ids=str)  # fmt: skip
    def test_what_is_claimed_or_follows_no_choice_is_left_alone(self, as_it_was, tells, parent_client):
        tells()
        Message.objects.update(**as_it_was)
        before = Message.objects.values().get()
        parent_client.post(TOPICS, {"bids": []})
        assert Message.objects.values().get() == before

    def test_what_is_tried_again_keeps_its_pause(self, tells, parent_client):
        tells()
        again = EVENING + timedelta(minutes=4)
        Message.objects.update(attempts=2, next_attempt_at=again, error="busy")
        parent_client.post(TOPICS, {"bids": ["sms"]})
        assert Message.objects.values_list("next_attempt_at", "error").get() == (again, "busy")

    @pytest.mark.parametrize("way", ["email", "second"])
    def test_a_way_that_is_removed_takes_what_waits_for_it_along(self, way, tells, reached, parent_client):
        parent_client.post(TOPICS, {"bids": [way], "queue": ["sms"]})
        tells()
        tells("password_changed")
        left = {"email": (EMAIL, {"email": ""}), "second": (PHONE, {"phone": ""})}[way]
        parent_client.post(left[0], {"password": RIGHT, **left[1]})
        model, why = (Mail, Trouble.FORMER_ADDRESS) if way == "email" else (Message, Trouble.NOT_PROVEN)
        gone = model.objects.get(kind="bid_rejected")
        assert (gone.state, gone.error) == (model.State.WITHHELD, why)
        # Another address or number takes nothing over.
        if way == "email":
            contacts_of(reached, email="other@mail.kz", mails_notices=True)
        else:
            contacts_of(reached, second_phone="+77059998877")
        parent_client.post(TOPICS, {"bids": [way], "queue": ["sms"]})
        gone.refresh_from_db()
        assert (gone.state, gone.error) == (model.State.WITHHELD, why)

    def test_a_warning_is_not_silenced_by_a_removal(self, tells, reached, parent_client):
        contacts_of(reached, mails_notices=True)
        tells("password_changed")
        tells()
        parent_client.post(EMAIL, {"email": "", "password": RIGHT})
        # Also of what a worker had claimed then.
        Mail.objects.filter(kind="bid_rejected").update(
            state=Mail.State.QUEUED, error="", next_attempt_at=EVENING
        )
        deliver_mails(now=NINE)
        assert dict(Mail.objects.filter(recipient=reached).values_list("kind", "state")) == {
            "password_changed": "sent",
            "bid_rejected": "withheld",
        }

    def test_nobody_else_s_messages(self, tells, parent_client):
        tells()
        Message.objects.update(recipient=UserFactory())
        parent_client.post(TOPICS, {"bids": []})
        assert Message.objects.get().state == Message.State.QUEUED


class TestTesting:
    @pytest.mark.parametrize(("way", "phone"), [("sms", ""), ("second", SECOND)])
    def test_it_goes_by_that_way_alone_at_any_hour(self, way, phone, reached, parent_client, time_machine):
        time_machine.move_to(NOW.replace(hour=22))
        assert parent_client.post(TEST, {"way": way}).url == WAYS
        sent = Message.objects.get()
        assert (sent.phone, sent.kind) == (phone or reached.phone, "test_message")
        assert sent.next_attempt_at <= NOW.replace(hour=22) + timedelta(minutes=1)
        assert (Mail.objects.count(), Notice.objects.count()) == (0, 0)

    @pytest.mark.parametrize("way", ["telegram", "pigeon", "", "sms\x00"])
    def test_a_way_that_leads_nowhere(self, way, parent, parent_client):
        assert parent_client.post(TEST, {"way": way}).url == WAYS
        assert "Бұл жолмен жіберетін жер жоқ" in parent_client.get(WAYS).content.decode()
        assert Message.objects.count() == 0

    def test_five_a_day(self, reached, parent_client):
        for _time in range(6):
            parent_client.post(TEST, {"way": "email"})
        assert Mail.objects.count() == 5
        assert "Тым көп әрекет" in parent_client.get(WAYS).content.decode()


def test_the_page_says_where_each_way_leads_and_when_something_went(reached, parent_client):
    enqueue(
        reached, "referral_issued", context=sample_context(KINDS["referral_issued"]), dedupe_key="1", now=NOW
    )
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    rows = {row["way"]: row for row in parent_client.get(WAYS).context["rows"]}
    assert set(rows) == {"sms", "email", "second"}
    assert (rows["sms"]["last"], rows["email"]["last"], rows["second"]["last"]) == (NOW, None, None)
    assert all(row["is_open"] for row in rows.values())
    Profile.objects.update(second_phone_proven_at=None)
    rows = {row["way"]: row for row in parent_client.get(WAYS).context["rows"]}
    assert (rows["second"]["is_open"], rows["second"]["hint"]) == (
        False,
        "тексерілмеген: тек қоңырау шаламыз",
    )


@pytest.mark.parametrize("number", ["", SECOND])
def test_the_page_says_what_makes_a_second_phone_a_way(number, reached, parent_client):
    proven = parent_client.get(WAYS).content.decode()
    Profile.objects.update(second_phone=number, second_phone_proven_at=None)
    shown = parent_client.get(WAYS).content.decode()
    for sentence in ("тек қоңырау", "Хабарламалар қосымша телефонға нөмірі кодпен расталғаннан"):
        assert sentence not in proven
    assert ("тек қоңырау" in shown) is bool(number)
    assert ("расталғаннан кейін ғана келе алады" in shown) is (not number)


def test_the_inbox_says_by_which_ways_a_notice_went(reached, parent_client, time_machine):
    time_machine.move_to(NOW)
    enqueue(
        reached, "referral_issued", context=sample_context(KINDS["referral_issued"]), dedupe_key="1", now=NOW
    )
    Message.objects.update(state=Message.State.DELIVERED, sent_at=NOW, delivered_at=NOW)
    assert "SMS: жеткізілді" in parent_client.get("/cabinet/notifications/").content.decode()
    Message.objects.update(state=Message.State.UNDELIVERED)
    page = parent_client.get("/cabinet/notifications/").content.decode()
    assert "SMS: жеткізілмеді" in page
    assert f'href="{WAYS}"' in page
