"""A lost number: codes to the new number and to a proven contact, 72 hours, and nothing told to strangers."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import contacts, limits
from accounts.contacts import Way
from accounts.identity import parse_identity
from accounts.iin import check_digit
from accounts.models import ContactCode, NumberMove, User
from accounts.numbers import moves, recovery, rules
from accounts.numbers.moves import Kind, Proof, Stopped
from children.models import Dispute
from notifications.kinds import BOTH, KINDS, Channel, sample_context
from notifications.models import Mail, Message, Notice
from tests.accounts.walk import newest_code
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory

NEW, SECOND, MAILBOX = "+77023334455", "+77051112233", "kamenov@mail.kz"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DUE = NOW + rules.WAIT
PROOF, DONE = "/number/lost/proof/", "/number/lost/done/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(db):
    user = UserFactory(email=MAILBOX)
    user.profile.second_phone, user.profile.second_phone_proven_at = SECOND, NOW
    user.profile.save()
    return user


def prove_new(client, phone=NEW):
    assert client.post("/number/lost/", {"phone": phone}).url == "/number/lost/code/"
    return client.post("/number/lost/code/", {"code": newest_code(phone)})


def ask(client, identity, way):
    return client.post("/number/lost/account/", {"identity": identity, "way": way})


def nobodys(number) -> str:
    """A valid IIN that no account has."""
    found = (f"8801013{tail:04d}" for tail in range(1000 * number, 1000 * number + 999))
    return next(f"{digits}{check_digit(digits)}" for digits in found if check_digit(digits) is not None)


def code_of(way) -> str:
    row = (Mail if way == "email" else Message).objects.filter(kind="regain_code").latest("created_at")
    found = re.search(r"\d{6}", row.text)
    assert found
    return found[0]


@pytest.mark.parametrize("way", ["phone", "email"])
def test_the_whole_way(owner, client, way):
    former = owner.phone
    assert prove_new(client).url == "/number/lost/account/"
    assert ask(client, owner.profile.iin, way).url == PROOF
    where = Mail.objects.get().address if way == "email" else Message.objects.get(kind="regain_code").phone
    assert where == (MAILBOX if way == "email" else SECOND)
    assert client.post(PROOF, {"code": code_of(way)}).url == DONE
    assert "25.11.2026" in client.get(DONE).content.decode()
    move = NumberMove.objects.get()
    assert (move.account, move.kind, move.new_phone, move.due_at) == (
        owner,
        "recovery",
        NEW,
        NOW + rules.WAIT,
    )
    # The first phone, the inbox, and the contacts hear of it.
    told = Message.objects.filter(kind__in=("number_move_asked", "number_asked"))
    assert {one.phone.as_e164: one.kind for one in told} == {
        former.as_e164: "number_move_asked",
        SECOND: "number_asked",
    }
    assert Mail.objects.filter(kind="number_move_asked").get().address == MAILBOX
    assert Notice.objects.get().kind == "number_move_asked"
    assert not moves.complete(move, now=DUE - MICROSECOND)
    assert moves.complete(move, now=DUE)
    owner.refresh_from_db()
    assert owner.phone == NEW
    assert not owner.has_usable_password()
    # A code is used once, and the page behind it is gone.
    assert client.post(PROOF, {"code": code_of(way)}).status_code == 302
    assert NumberMove.objects.count() == 1


@pytest.mark.parametrize("way", ["phone", "email"])
def test_the_owner_reads_what_leaked_where_to_remove_it_and_never_that_it_was_the_password(
    owner, client, way, settings
):
    """The second phone or the mailbox was used; a new password alone would let it be asked for again at once."""
    name, page, others = {
        "phone": ("қосымша телефон", "/cabinet/profile/second-phone/", "/cabinet/profile/email/"),
        "email": ("электрондық пошта", "/cabinet/profile/email/", "/cabinet/profile/second-phone/"),
    }[way]
    prove_new(client)
    ask(client, owner.profile.iin, way)
    client.post(PROOF, {"code": code_of(way)})
    texts = [Notice.objects.get().text_kk, Mail.objects.get(kind="number_move_asked").text]
    for text in texts:
        assert name in text
        assert "кірген жоқ" in text
        assert "құпия сөз" not in text
        assert "25.11.2026" in text
    # No button of the site is named to a phone that can't press it.
    to_second = Message.objects.get(phone=SECOND, kind="number_asked").text
    assert "Тоқтату" not in to_second
    assert settings.CONTACT_PHONES[0] in to_second
    signed_in = Client()
    signed_in.force_login(owner)
    under_way = signed_in.get("/cabinet/profile/number/").content.decode()
    assert f'href="{page}"' in under_way
    assert f'href="{others}"' not in under_way
    assert "/profile/password/" not in under_way
    assert "біреу біледі" not in under_way
    journal = signed_in.get("/cabinet/notifications/log/").content.decode()
    assert "Аккаунтқа кірмеген адам" in journal
    assert name in journal
    # From the former number, without signing in: the same is said before, and where to go on after.
    stopping = Client()
    stopping.post("/stop/", {"phone": owner.phone.as_e164})
    stopping.post("/stop/code/", {"code": newest_code(owner.phone.as_e164)})
    chosen = {"kind": "number", "key": str(NumberMove.objects.get().pk)}
    assert name in stopping.post("/stop/choose/", chosen).content.decode()
    after = stopping.post("/stop/choose/", chosen | {"confirm": "1"}, follow=True).content.decode()
    assert f'href="{page}"' in after
    assert "ешкім сұраған жоқ" not in after
    assert f'href="{page}"' in signed_in.get("/cabinet/profile/number/").content.decode()
    # Whoever waits on the new number is told, too.
    assert Message.objects.filter(phone=NEW, kind="number_not_moved").count() == 1
    assert name in Notice.objects.get(kind="number_stays").text_kk


def test_after_a_stop_of_a_move_asked_for_with_the_password_the_page_leads_to_a_new_one(owner, time_machine):
    move = moves.ask(
        owner, kind=Kind.CHANGE, proof=Proof.NEW_NUMBER, new_phone=NEW, asked_by=owner, address=None, now=NOW
    )
    stopping = Client()
    stopping.post("/stop/", {"phone": owner.phone.as_e164})
    stopping.post("/stop/code/", {"code": newest_code(owner.phone.as_e164)})
    chosen = {"kind": "number", "key": str(move.pk), "confirm": "1"}
    assert 'href="/password/reset/"' in stopping.post("/stop/choose/", chosen, follow=True).content.decode()
    signed_in = Client()
    signed_in.force_login(owner)
    assert 'href="/cabinet/profile/password/"' in signed_in.get("/stop/choose/").content.decode()
    time_machine.move_to(NOW + timedelta(hours=1), tick=False)
    assert "/profile/password/" not in signed_in.get("/stop/choose/").content.decode()


def test_contacts_read_what_holds_where_they_read_it(owner):
    """None of them is the number: the second phone and the mailbox know what happened and whom to call."""
    User.objects.update(mails_notices=True, date_joined=NOW - timedelta(days=400))
    owner.refresh_from_db()
    whose: dict[str, Any] = {"asked_by": None, "address": None, "now": NOW}
    moves.ask(owner, kind=Kind.CHANGE, proof=Proof.BOTH_NUMBERS, new_phone=NEW, **whose)
    owner.refresh_from_db()
    lost = moves.ask(owner, kind=Kind.RECYCLING, proof=Proof.CLAIM, new_phone=None, **whose)
    moves.complete(lost, now=DUE)
    told = Message.objects.filter(phone=SECOND)
    assert sorted(told.values_list("kind", flat=True)) == ["number_gone", "number_left", "number_news"]
    assert all(settings.CONTACT_PHONES[0] in one.text for one in told.exclude(kind="number_news"))
    mailed = {one.kind: one.text for one in Mail.objects.all() if one.address == MAILBOX}
    assert mailed.keys() == {"number_moved", "number_news", "number_gone"}
    assert settings.CONTACT_PHONES[0] in mailed["number_gone"]


def test_no_sms_that_also_goes_by_e_mail_speaks_of_this_number():
    for kind in KINDS.values():
        if set(BOTH) <= set(kind.channels):
            for language in ("kk", "ru"):
                text = render_to_string(kind.template(Channel.SMS, language), sample_context(kind))
                assert not re.search(r"(осы|бұл|этот|это) (нөмір|номер)", text), (kind.code, text)


def test_without_a_proven_contact_no_code_is_right(owner, client, monkeypatch):
    monkeypatch.setattr(contacts, "random_code", lambda: "271828")
    prove_new(client)
    User.objects.filter(pk=owner.pk).update(email="")
    assert ask(client, owner.profile.iin, "email").url == PROOF
    assert client.post(PROOF, {"code": "271828"}).status_code == 200
    # One that was sent, to an address that was taken away or changed afterwards.
    who = parse_identity(owner.profile.iin)
    for minutes, present in enumerate(("", "another@mail.kz"), start=1):
        visit: dict[str, Any] = {"session": "s", "address": None, "now": NOW + timedelta(minutes=minutes)}
        User.objects.filter(pk=owner.pk).update(email=MAILBOX)
        recovery.ask_for_code(who, Way.EMAIL, new_phone=NEW, language="kk", knows=lambda _name: "", **visit)
        User.objects.filter(pk=owner.pk).update(email=present)
        verdict, _move = recovery.recover(who, Way.EMAIL, new_phone=NEW, code="271828", **visit)
        assert not verdict.ok
    assert Mail.objects.filter(kind="regain_code").count() == 2
    assert not NumberMove.objects.exists()


def test_the_first_phone_stops_it_without_a_password(owner, client):
    prove_new(client)
    ask(client, owner.profile.iin, "email")
    client.post(PROOF, {"code": code_of("email")})
    move = NumberMove.objects.get()
    moves.stop(move, by=owner, because=Stopped.BY_OWNER, address=None, now=DUE - MICROSECOND)
    assert not moves.complete(move, now=DUE)
    owner.refresh_from_db()
    assert owner.phone != NEW


def test_never_while_a_dispute_is_open(owner, client):
    child = ChildFactory()
    GuardianshipFactory(child=child, user=owner)
    other = GuardianshipFactory(child=child, user=UserFactory())
    Dispute.objects.create(
        guardianship=other, raised_by=owner, raised_at=NOW, due_at=NOW + timedelta(days=2), is_mutual=True
    )
    prove_new(client)
    ask(client, owner.profile.iin, "phone")
    client.post(PROOF, {"code": code_of("phone")})
    move = NumberMove.objects.get()
    assert not moves.complete(move, now=DUE + timedelta(days=30))
    Dispute.objects.update(outcome="stands", decided_at=NOW, freed_at=NOW)
    assert moves.complete(move, now=DUE)
    assert Notice.objects.filter(recipient=other.user, kind="guardian_moved").count() == 1


def visit(iin, way, number):
    """What a visitor learns: answers, statements, and what page follows."""
    client = Client()
    phone = f"+7702333{number:04d}"
    prove_new(client, phone)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = ask(client, iin, way)
        page = client.get(PROOF)
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"', "", page.content.decode())
    # For one without a proven contact the SMS or e-mail is written, and taken back.
    kinds = [
        re.sub(r"'[^']*'|\"s\d+_x\d+\"|\d+", "?", query["sql"])[:60]
        for query in asked.captured_queries
        if "ROLLBACK" not in query["sql"]
    ]
    wrong = client.post(PROOF, {"code": "000000"})
    return answer.url, body, kinds, wrong.status_code, wrong.context["form"].errors.as_text()


@pytest.mark.parametrize("way", ["phone", "email"])
def test_known_unknown_and_unproven_look_the_same_and_cost_the_same(owner, way):
    bare = UserFactory()
    bare.profile.second_phone = SECOND
    bare.profile.save()
    blocked = UserFactory(is_active=False, email=MAILBOX)
    blocked.profile.second_phone, blocked.profile.second_phone_proven_at = SECOND, NOW
    blocked.profile.save()
    iins = [owner.profile.iin, bare.profile.iin, blocked.profile.iin, nobodys(1)]
    seen = [visit(iin, way, number) for number, iin in enumerate(iins)]
    assert seen[1:] == [seen[0]] * 3
    sent = (
        Message.objects.filter(kind="regain_code").count() + Mail.objects.filter(kind="regain_code").count()
    )
    assert (sent, ContactCode.objects.count(), NumberMove.objects.count()) == (1, 4, 0)


def test_an_unproven_phone_gets_no_code(client):
    bare = UserFactory()
    bare.profile.second_phone = SECOND
    bare.profile.save()
    prove_new(client)
    ask(client, bare.profile.iin, "phone")
    assert not Message.objects.filter(phone=SECOND).exists()


def test_five_iins_an_hour_for_a_proven_phone_and_a_code_a_minute_for_an_iin(owner, client, time_machine):
    prove_new(client)
    assert ask(client, owner.profile.iin, "phone").status_code == 302
    time_machine.move_to(NOW + MICROSECOND, tick=False)
    assert ask(client, owner.profile.iin, "email").status_code == 429
    assert not Mail.objects.exists()
    for number in range(1, 5):
        assert ask(client, nobodys(number), "phone").status_code == 302
    assert ask(client, nobodys(5), "phone").status_code == 429
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    other = Client()
    prove_new(other, "+77024445566")
    assert ask(other, owner.profile.iin, "phone").status_code == 302


class TestAStrangerWhoKnowsAnIIN:
    """With a few SIM cards, and as many addresses as wanted."""

    PAUSES = (5, 10, 20, 40, 60, 60)

    @pytest.fixture
    def known(self, owner):
        """A browser in which the owner has signed in once, and that has forgotten the session."""
        browser = Client()
        browser.post("/login/", {"phone": owner.username, "password": "parent-pass-1"})
        browser.post("/logout/")
        return browser

    @pytest.fixture
    def asked(self, known, owner, time_machine, settings):
        """How many codes the stranger gets sent within minutes: 4 numbers, 5 tries each, 20 networks."""
        settings.SMS_CODES_PER_BLOCK_PER_HOUR = 80
        for number in range(4):
            browser = Client()
            prove_new(browser, f"+770770011{number:02d}")
            for attempt in range(5):
                time_machine.shift(timedelta(seconds=61 if attempt else 0))
                browser.post(
                    "/number/lost/account/",
                    {"identity": owner.profile.iin, "way": "phone"},
                    REMOTE_ADDR=f"10.{number}.{attempt}.1",
                )
            if number % 2:
                time_machine.shift(timedelta(seconds=61))
        return Message.objects.filter(kind="regain_code", phone=SECOND).count()

    def test_neither_floods_the_second_phone_nor_stops_a_known_device(self, owner, known, asked):
        assert asked <= 7
        assert prove_new(known, "+77085556677").url == "/number/lost/account/"
        assert ask(known, owner.profile.iin, "phone").url == PROOF
        assert Message.objects.filter(kind="regain_code", phone=SECOND).count() == asked + 1
        assert known.post(PROOF, {"code": code_of("phone")}).url == DONE

    def test_holds_up_a_new_device_for_a_pause_to_the_microsecond(self, owner):
        identity, now = recovery.key_of(parse_identity(owner.profile.iin)), NOW
        for number in range(limits.REGAIN_EVERYWHERE.times):
            assert limits.allow_regain(identity, new_phone=f"+770770022{number:02d}", device="", now=now).ok
        for number, pause in enumerate(self.PAUSES):
            mine = partial(limits.allow_regain, identity, new_phone=f"+770855566{number:02d}", device="")
            until = now + timedelta(minutes=pause)
            assert mine(now=until - MICROSECOND).retry_at == until
            assert mine(now=until).ok
            now = until

    def test_one_number_gets_three_a_day_from_whatever_networks(self, owner):
        identity = recovery.key_of(parse_identity(owner.profile.iin))
        ask_now = partial(limits.allow_regain, identity, new_phone=NEW, device="")
        got = [ask_now(now=NOW + timedelta(hours=hour)).ok for hour in range(6)]
        assert got == [True] * 3 + [False] * 3
        assert limits.allow_regain(identity, new_phone=SECOND, device="", now=NOW + timedelta(hours=6)).ok


def test_the_code_counts_in_its_session_for_its_account_and_its_new_number(owner, client):
    prove_new(client)
    ask(client, owner.profile.iin, "phone")
    code = code_of("phone")
    thief = Client()
    prove_new(thief, "+77029999999")
    thief.post("/number/lost/account/", {"identity": nobodys(1), "way": "phone"})
    assert thief.post(PROOF, {"code": code}).context["form"].has_error("code")
    assert not NumberMove.objects.exists()
    assert client.post(PROOF, {"code": code}).url == DONE


def test_a_number_with_an_account_is_no_new_one(owner, client):
    taken = UserFactory()
    answer = prove_new(client, taken.phone.as_e164)
    assert answer.url == "/number/lost/"
    assert client.get("/number/lost/account/").status_code == 302


def test_no_step_is_skipped_and_ten_minutes_are_enough(owner, client, time_machine):
    for page in ("code/", "account/", "proof/", "done/"):
        assert client.get(f"/number/lost/{page}").url == "/number/lost/"
    prove_new(client)
    assert client.get(PROOF).url == "/number/lost/account/"
    time_machine.move_to(NOW + timedelta(minutes=10), tick=False)
    assert ask(client, owner.profile.iin, "phone").url == "/number/lost/"
    assert User.objects.get(pk=owner.pk).phone == owner.phone


def test_one_move_at_a_time_is_told_only_to_who_has_the_code(owner, client, time_machine):
    prove_new(client)
    ask(client, owner.profile.iin, "phone")
    client.post(PROOF, {"code": code_of("phone")})
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    second = Client()
    prove_new(second, "+77024445566")
    assert ask(second, owner.profile.iin, "email").url == PROOF
    assert second.post(PROOF, {"code": code_of("email")}).context["form"].non_field_errors()
    assert NumberMove.objects.count() == 1
