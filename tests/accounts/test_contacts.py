"""A parent's e-mail address and second phone: what proves them, who may change them, what the owner is told."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.emails import parse_email
from accounts.journal_actions import Action
from accounts.models import AuditEntry, ContactCode, Profile, User
from accounts.sms_codes import LIFETIME, prune_contact_codes
from notifications.models import Mail, Message, Notice
from tests.factories import UserFactory

RIGHT = "parent-pass-1"
EMAIL, PHONE = "/cabinet/profile/email/", "/cabinet/profile/second-phone/"
MAILBOX, OTHER = "kamenov@mail.kz", "+77021112233"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW, tick=False)


def code_in(row) -> str:
    found = re.search(r"\d{6}", row.text)
    assert found
    return found[0]


def enter_email(client, address=MAILBOX, **more):
    return client.post(EMAIL, {"email": address, "password": RIGHT} | more)


def enter_phone(client, phone=OTHER, **more):
    return client.post(PHONE, {"phone": phone, "regains": "on", "password": RIGHT} | more)


def told(user) -> tuple[int, int]:
    kind = "contact_changed"
    return (
        Notice.objects.filter(recipient=user, kind=kind).count(),
        Message.objects.filter(recipient=user, kind=kind).count(),
    )


@pytest.mark.parametrize(
    ("enter", "way", "named"), [(enter_email, "email", "пошта"), (enter_phone, "phone", "қосымша телефон")]
)
def test_which_contact_changed_is_said_by_every_way(parent, parent_client, settings, enter, way, named):
    User.objects.update(email="old@mail.kz", mails_notices=True)
    address = EMAIL if way == "email" else PHONE
    enter(parent_client, mails_notices="on")
    rows = Mail.objects.filter(kind="contact_code") if way == "email" else Message.objects.all()
    parent_client.post(f"{address}code/", {"code": code_in(rows.get())})
    notice = Notice.objects.get(kind="contact_changed")
    assert named in notice.text_kk.lower()
    assert notice.link == address
    sms = Message.objects.get(kind="contact_changed").text
    assert ("Поштаңыз" if way == "email" else "Қосымша телефон") in sms
    assert "Сіз емес пе?" in sms
    assert settings.CONTACT_PHONES[0] in sms
    mailed = {one.text for one in Mail.objects.filter(kind="contact_changed")}
    assert sms not in mailed
    assert all("құпия сөз" in text for text in mailed)
    journal = parent_client.get("/cabinet/notifications/log/").content.decode()
    assert f"{'Электрондық пошта' if way == 'email' else 'Қосымша телефон'} өзгертілді" in journal


def test_an_address_counts_once_its_code_is_entered_and_the_owner_is_told(parent, parent_client):
    assert enter_email(parent_client, " kamenov@MAIL.kz ", mails_notices="on").url == f"{EMAIL}code/"
    parent.refresh_from_db()
    assert parent.email == ""
    assert told(parent) == (0, 0)
    assert MAILBOX in parent_client.get(f"{EMAIL}code/").content.decode()
    sent = Mail.objects.get()
    assert (sent.address, sent.recipient, sent.language) == (MAILBOX, None, parent.language)
    assert parent_client.post(f"{EMAIL}code/", {"code": code_in(sent)}).url == "/cabinet/profile/"
    parent.refresh_from_db()
    assert (parent.email, parent.mails_notices) == (MAILBOX, True)
    assert told(parent) == (1, 1)
    assert AuditEntry.objects.filter(subject=parent, action=Action.EMAIL_CHANGED).count() == 1
    assert MAILBOX in parent_client.get("/cabinet/profile/").content.decode()
    # Once.
    assert parent_client.post(f"{EMAIL}code/", {"code": code_in(sent)}).url == EMAIL
    with connection.cursor() as cursor:
        cursor.execute("SELECT email FROM accounts_user WHERE id = %s", [parent.pk])
        assert MAILBOX not in cursor.fetchone()[0]


def test_the_former_mailbox_is_told_and_an_empty_field_takes_the_address_away(
    parent, parent_client, time_machine
):
    User.objects.update(email="old@mail.kz", mails_notices=False)
    enter_email(parent_client)
    parent_client.post(f"{EMAIL}code/", {"code": code_in(Mail.objects.get())})
    assert Mail.objects.get(kind="contact_changed").address == "old@mail.kz"
    # Only the choice of notices: no code, no warning.
    assert enter_email(parent_client, mails_notices="on").url == "/cabinet/profile/"
    assert told(parent) == (1, 1)
    time_machine.move_to(NOW + MICROSECOND, tick=False)
    assert enter_email(parent_client, "").url == "/cabinet/profile/"
    parent.refresh_from_db()
    assert (parent.email, parent.mails_notices) == ("", False)
    assert told(parent) == (2, 2)


@pytest.mark.parametrize(("enter", "kind"), [(enter_email, Mail), (enter_phone, Message)])
def test_the_password_is_asked_for_and_guessing_it_ends(parent, parent_client, enter, kind):
    for _ in range(5):
        assert enter(parent_client, password="wrong-pass-1").context["form"].has_error("password")
    # The right one, too, and nothing was sent.
    assert "Тым" in str(enter(parent_client).context["form"].errors["password"])
    assert not kind.objects.exists()


def test_a_code_has_five_tries_ten_minutes_one_session_and_one_address(
    parent, parent_client, client_of, time_machine
):
    enter_email(parent_client)
    code = code_in(Mail.objects.get())
    wrong = "000000" if code != "000000" else "111111"
    # Another session of the same account, and the session itself for another address.
    other = client_of(parent)
    enter_email(other, "other@mail.kz")
    assert other.post(f"{EMAIL}code/", {"code": code}).context["form"].has_error("code")
    for _ in range(4):
        parent_client.post(f"{EMAIL}code/", {"code": wrong})
    time_machine.move_to(NOW + LIFETIME, tick=False)
    assert parent_client.post(f"{EMAIL}code/", {"code": code}).context["form"].has_error("code")
    time_machine.move_to(NOW + LIFETIME - MICROSECOND, tick=False)
    assert parent_client.post(f"{EMAIL}code/", {"code": code}).status_code == 302
    assert prune_contact_codes(now=NOW + LIFETIME + timedelta(hours=24)) == 0
    assert prune_contact_codes(now=NOW + LIFETIME + timedelta(hours=24) + MICROSECOND) == 2


def test_a_fifth_wrong_try_ends_the_code(parent, parent_client):
    enter_email(parent_client)
    code = code_in(Mail.objects.get())
    for _ in range(5):
        parent_client.post(f"{EMAIL}code/", {"code": "000000" if code != "000000" else "111111"})
    assert parent_client.post(f"{EMAIL}code/", {"code": code}).context["form"].has_error("code")
    parent.refresh_from_db()
    assert parent.email == ""


def test_ten_codes_a_day_whatever_the_address(parent, parent_client, time_machine):
    for number in range(10):
        time_machine.move_to(NOW + number * timedelta(minutes=2), tick=False)
        assert enter_email(parent_client, f"box{number}@mail.kz").status_code == 302
    assert enter_phone(parent_client).context["form"].has_error("phone")
    assert (Mail.objects.count(), Message.objects.count(), ContactCode.objects.count()) == (10, 0, 10)


def test_a_second_phone_gives_the_account_back_only_once_it_is_proven(parent, parent_client, time_machine):
    assert enter_phone(parent_client).url == f"{PHONE}code/"
    parent.profile.refresh_from_db()
    assert not parent.profile.second_phone
    sms = Message.objects.get(phone=OTHER)
    assert parent_client.post(f"{PHONE}code/", {"code": code_in(sms)}).url == "/cabinet/profile/"
    parent.profile.refresh_from_db()
    assert (parent.profile.second_phone, parent.profile.second_phone_proven_at) == (OTHER, NOW)
    assert told(parent) == (1, 1)
    time_machine.move_to(NOW + MICROSECOND, tick=False)
    # Without the tick it is there to be called.
    enter_phone(parent_client, regains="")
    parent.profile.refresh_from_db()
    assert (parent.profile.second_phone, parent.profile.second_phone_proven_at) == (OTHER, None)
    assert told(parent) == (2, 2)


@pytest.mark.parametrize("phone", ["+79161234567", "8 7172 12 34 56", "+44 20 7946 0018", ""])
def test_landlines_and_foreign_numbers_are_for_calls_and_get_no_code(parent, parent_client, phone):
    assert enter_phone(parent_client, phone).context["form"].has_error("phone")
    assert enter_phone(parent_client, phone, regains="").url == "/cabinet/profile/"
    parent.profile.refresh_from_db()
    assert bool(parent.profile.second_phone) == bool(phone)
    assert parent.profile.second_phone_proven_at is None
    assert not Message.objects.filter(kind="contact_code").exists()


@pytest.mark.parametrize("former", ["", "+77055550101", OTHER], ids=["none", "other", "the-same"])
@pytest.mark.parametrize("phone", [OTHER, "+442079460018", ""], ids=["mobile", "abroad", "removed"])
def test_a_phone_that_is_only_called_takes_the_password_and_is_told_once(
    parent, parent_client, former, phone
):
    Profile.objects.filter(user=parent).update(second_phone=former)
    parent_client.post("/cabinet/profile/", {"second_phone": phone, "address": "Абай", "language": "kk"})
    assert enter_phone(parent_client, phone, regains="", password="wrong").status_code == 200
    parent.profile.refresh_from_db()
    assert (parent.profile.second_phone, parent.profile.address) == (former, "Абай")
    assert told(parent) == (0, 0)
    for _ in range(2):
        enter_phone(parent_client, phone, regains="")
    parent.profile.refresh_from_db()
    assert (parent.profile.second_phone, parent.profile.second_phone_proven_at) == (phone, None)
    changes = int(phone != former)
    assert told(parent) == (changes, changes)
    actions = [Action.SECOND_PHONE_CHANGED if phone else Action.SECOND_PHONE_REMOVED] * changes
    contact_changes = AuditEntry.objects.filter(subject=parent).exclude(action=Action.PROFILE_CHANGED)
    assert [entry.action for entry in contact_changes] == actions
    if changes:
        gives_back = "арқылы қайтарылады"
        notice = Notice.objects.get(kind="contact_changed").text_kk
        assert gives_back not in notice
        assert ("қоңырау шаламыз" in notice) == bool(phone)


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        (OTHER, "тексерілмеген"),
        ("+77172123456", "кодпен тексеру мүмкін емес"),
        ("+442079460018", "кодпен тексеру мүмкін емес"),
    ],
    ids=["mobile", "landline", "abroad"],
)
def test_a_number_says_whether_a_code_could_prove_it(parent, parent_client, phone, said):
    Profile.objects.filter(user=parent).update(second_phone=phone)
    for page in ("/cabinet/profile/", "/cabinet/profile/ways/"):
        assert said in parent_client.get(page).content.decode()


def test_ones_own_number_is_no_second_one(parent, parent_client):
    assert enter_phone(parent_client, parent.phone.as_e164).context["form"].has_error("phone")


def test_without_a_mail_server_there_is_no_such_page(parent_client, settings):
    settings.SENDS_MAIL = False
    assert parent_client.get(EMAIL).status_code == 404
    assert EMAIL not in parent_client.get("/cabinet/profile/").content.decode()


def test_nobody_elses_code_proves_ones_own_contact(parent, parent_client, client_of):
    """A stranger who reads the SMS to that phone gains nothing from it in an account of their own."""
    enter_phone(parent_client)
    code = code_in(Message.objects.get())
    stranger = client_of(UserFactory())
    assert stranger.post(f"{PHONE}code/", {"code": code}).url == PHONE


@pytest.mark.parametrize(
    "text",
    ["a@localhost", "a@LOCALHOST", "a@[127.0.0.1]", "a@[::1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@10.0.0.12", "a@mail",
     "", "x", "@mail.kz", "a@", "a@b", "a b@mail.kz", "a@mail.kz,b@mail.kz", "a@mail.kz\nBcc: b@mail.kz", "а@mail.kz",
     "a@mail.kz\0", f"{'a' * 65}@{'b' * 190}.kz", "<a@mail.kz>"],
)  # fmt: skip
def test_what_is_no_address(text):
    with pytest.raises(ValidationError):
        parse_email(text)


def test_the_sign_is_missed_only_where_it_is_missing():
    said = []
    for typed in ("asel", "asel@mail"):
        with pytest.raises(ValidationError) as refused:
            parse_email(typed)
        said.append(refused.value.message)
    assert said[0] != said[1]


def test_addresses_as_they_are_kept_and_shown():
    assert parse_email(" Kamenov.E@Mail.KZ\t") == "Kamenov.E@mail.kz"
