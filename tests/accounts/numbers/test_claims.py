"""Recycled numbers: whoever has the number registers with it, and never gets into the account of whoever had it."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_way
from accounts.data import leaving
from accounts.identity import Identity
from accounts.models import NumberMove, Profile, User
from accounts.numbers import claims, moves, retention, rules
from accounts.numbers.moves import Claimant, Fault, Kind, NotMoved, Proof, Renewed
from accounts.registry import simulated_people
from accounts.roles import Role
from notifications.models import Message, Notice
from tests.accounts.test_identity_provider import come_back, leave
from tests.accounts.walk import PHONE, newest_code, to_account, to_confirm, to_end
from tests.factories import ChildFactory, DisputeFactory, GuardianshipFactory, StaffFactory, UserFactory
from tests.staff import employee, inside

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PASSWORD = "parent-pass-1"
OTHER, THIRD = (simulated_people.everyone(today=NOW.date())[number].person.iin for number in (5, 7))


@pytest.fixture
def owner(clock):
    clock.move_to(NOW)
    user = UserFactory(phone=PHONE, last_login=NOW - rules.IN_USE_FOR, profile__iin=OTHER)
    GuardianshipFactory(child=ChildFactory(), user=user)
    return user


def claim(owner, *, name="ОМАРОВ ТІМУР", document="H12345678", now=NOW):
    claimant = Claimant(name, Identity(document_number=document))
    return claims.claim(owner.phone.as_e164, claimant, address=None, now=now)


class TestRegistering:
    def test_an_unused_account_loses_the_number_after_72_hours_and_nothing_else(self, owner, clock):
        stranger = Client()
        assert to_end(stranger).url == "/register/number/"
        page = stranger.get("/register/number/").content.decode()
        assert "25.11.2026" in page
        for hidden in (owner.profile.last_name, owner.profile.iin, PHONE[5:]):
            assert hidden not in page
        assert Profile.objects.count() == 1
        # The owner hears of it, but not by the number.
        assert Notice.objects.filter(recipient=owner, kind="number_claimed").exists()
        assert not Message.objects.filter(kind="number_claimed").exists()
        moves.settle(PHONE, now=NOW + rules.WAIT - MICROSECOND)
        assert NumberMove.objects.get().is_live
        clock.move_to(NOW + rules.WAIT)
        # Not swept yet: whoever signs in or asks for a code finds it free.
        signed_in = Client().post("/login/", {"phone": PHONE, "password": PASSWORD})
        assert signed_in.status_code == 200
        clock.shift(timedelta(minutes=1))
        assert to_end(Client()).url == "/cabinet/children/add/"
        newcomer = User.objects.get(phone=PHONE)
        assert newcomer != owner
        assert not newcomer.guardianships.exists()
        assert owner.guardianships.filter(ended_at=None).exists()

    def test_an_account_in_use_keeps_it_until_an_official_decides(self, owner):
        User.objects.update(last_login=NOW - rules.IN_USE_FOR + MICROSECOND)
        stranger = Client()
        to_end(stranger)
        move = NumberMove.objects.get()
        assert move.due_at is None
        assert move.claimant.startswith("КАМЕНОВ")
        assert "маманы шешеді" in stranger.get("/register/number/").content.decode()
        assert not moves.complete_due(now=NOW + timedelta(days=1000))

    def test_the_owner_with_the_right_iin_is_led_to_the_sign_in(self, owner):
        to_account(client := Client())
        answer = client.post("/register/account/", {"identity": OTHER}, follow=True)
        assert answer.redirect_chain[-1][0] == "/login/"
        assert "тіркелгенсіз" in answer.content.decode()
        assert not NumberMove.objects.exists()

    def test_a_stranger_learns_of_no_other_iin(self, owner, clock):
        """The IIN of an account with another phone and one that belongs to nobody get the same answer."""
        UserFactory(profile__iin=THIRD)
        answers = []
        for iin in (THIRD, simulated_people.UNKNOWN_IINS[0]):
            clock.shift(timedelta(minutes=2))
            to_account(client := Client())
            with CaptureQueriesContext(connection) as asked:
                page = client.post("/register/account/", {"identity": iin})
            answers.append((page.context["form"].errors["identity"], len(asked)))
        assert answers[0] == answers[1]

    def test_the_steps_before_are_the_same_for_a_number_of_nobody(self, owner):
        pages = []
        for phone in (PHONE, "+77017779875"):
            with CaptureQueriesContext(connection) as asked:
                to_confirm(client := Client(), THIRD, phone)
            page = client.get("/register/account/").content.decode()
            for cookie in client.cookies.values():
                page = page.replace(cookie.value, "")
            pages.append((len(asked), page.partition("<main")[2].partition("</main>")[0].count("<")))
        assert pages[0] == pages[1]


class TestTheOwner:
    def sign_in(self):
        browser = Client()
        browser.post("/login/", {"phone": PHONE, "password": PASSWORD})
        return browser

    def test_who_signs_in_keeps_the_number_for_the_official(self, owner, clock):
        move = claim(owner)
        clock.move_to(move.due_at - MICROSECOND)
        browser = self.sign_in()
        page = browser.get("/cabinet/profile/number/").content.decode()
        assert "кодпен растау" in page
        forms = re.findall(r'<form method="post".*?</form>', page.partition("<main")[2], re.DOTALL)
        assert all("csrfmiddlewaretoken" in form for form in forms)
        assert any("маман шешсін" in form.lower() for form in forms)
        moves.complete_due(now=move.due_at)
        assert NumberMove.objects.get().due_at is None
        assert User.objects.get(pk=owner.pk).phone == PHONE

    def test_a_code_read_on_the_number_ends_the_claim(self, owner, clock):
        claim(owner)
        browser = self.sign_in()
        clock.move_to(NOW + timedelta(minutes=1))
        browser.post("/cabinet/profile/number/confirm/", {"resend": "1"})
        browser.post("/cabinet/profile/number/confirm/", {"code": newest_code()})
        assert NumberMove.objects.get().stopped_because == NumberMove.Stopped.PROVEN

    def test_who_moves_to_a_number_of_another_account_claims_it(self, owner, clock):
        mover = UserFactory()
        browser = Client()
        browser.post("/login/", {"phone": mover.phone.as_e164, "password": PASSWORD})
        browser.post("/cabinet/profile/number/", {"phone": PHONE, "password": PASSWORD})
        browser.post("/cabinet/profile/number/new/", {"code": newest_code()})
        move = NumberMove.objects.get()
        assert (move.account, move.claimant_hash) == (owner, mover.profile.iin_hash)
        assert move.due_at == NOW + rules.WAIT


class TestWhoClaims:
    """They were promised an SMS once the number is free."""

    def told(self):
        return list(Message.objects.filter(phone=PHONE).values_list("kind", flat=True))

    def test_when_the_owner_moves_away_by_themselves(self, owner):
        to_end(stranger := Client())
        Message.objects.all().delete()
        asked: Any = moves.ask(
            owner,
            kind=Kind.CHANGE,
            proof=Proof.NEW_NUMBER,
            new_phone="+77017770001",
            asked_by=owner,
            address=None,
            now=NOW + timedelta(hours=1),
        )
        page = stranger.get("/register/number/").content.decode()
        assert "басқа нөмірге ауыстырып жатыр" in page
        assert "өз аккаунтында қалады" not in page
        moves.complete_due(now=asked.due_at)
        assert "number_freed" in self.told()
        assert "number_left" not in self.told()
        assert "Бұл нөмір босады" in stranger.get("/register/number/").content.decode()

    def test_control_a_move_without_a_claim_warns_the_former_number(self, owner):
        asked: Any = moves.ask(
            owner,
            kind=Kind.CHANGE,
            proof=Proof.NEW_NUMBER,
            new_phone="+77017770001",
            asked_by=owner,
            address=None,
            now=NOW,
        )
        moves.complete_due(now=asked.due_at)
        assert "number_left" in self.told()
        assert "number_freed" not in self.told()

    def test_when_the_account_is_forgotten(self, owner):
        User.objects.update(leaving_since=NOW - leaving.COME_BACK_FOR)
        claim(owner)
        assert leaving.forget_due(now=NOW) == 1
        assert self.told() == ["number_freed"]
        assert not NumberMove.objects.exists()


class TestDueAndNotSweptYet:
    """From its time on the number is gone, whichever way its former owner comes in."""

    @pytest.fixture
    def move(self, owner):
        return claim(owner)

    def gone(self, move):
        move.refresh_from_db()
        assert move.done_at is not None
        assert User.objects.get(pk=move.account_id).phone is None

    def test_a_sign_in_by_a_provider_of_identity(self, owner, move, clock):
        clock.move_to(move.due_at)
        browser = Client()
        come_back(browser, leave(browser), iin=OTHER, now=move.due_at)
        assert browser.get("/cabinet/profile/").status_code == 200
        self.gone(move)

    def test_the_second_step_of_a_sign_in(self, owner, move, clock):
        clock.move_to(move.due_at - MICROSECOND)
        TOTPDevice.objects.create(user=owner, name="default", confirmed=True)
        (code, *_rest) = second_way.renew_codes(owner, address=None, now=NOW)
        browser = Client()
        assert browser.post("/login/", {"phone": PHONE, "password": PASSWORD}).url == "/login/code/"
        clock.move_to(move.due_at)
        assert browser.post("/login/code/", {"code": code}).status_code == 200
        self.gone(move)

    def test_what_the_owner_asks_for_comes_too_late(self, owner, move):
        with pytest.raises(NotMoved) as late:
            moves.ask(
                owner,
                kind=Kind.CHANGE,
                proof=Proof.NEW_NUMBER,
                new_phone="+77017770001",
                asked_by=owner,
                address=None,
                now=move.due_at,
            )
        assert late.value.fault is Fault.CHANGED_MEANWHILE
        self.gone(move)

    def test_the_page_of_the_number_of_who_is_signed_in(self, owner, move, client_of, clock):
        clock.move_to(move.due_at - timedelta(minutes=1))
        browser = client_of(owner)
        User.objects.update(last_login=NOW - rules.IN_USE_FOR)
        clock.move_to(move.due_at)
        assert browser.get("/cabinet/profile/number/").status_code == 302
        self.gone(move)

    @pytest.mark.parametrize(("early", "is_gone"), [(timedelta(0), True), (MICROSECOND, False)])
    def test_a_late_sweep_asks_whether_it_was_used_before(self, owner, move, early, is_gone):
        User.objects.update(last_login=move.due_at - early)
        assert moves.complete(move, now=move.due_at + timedelta(hours=1)) == is_gone

    def test_a_login_number_at_which_a_phone_arrives(self, clock):
        own = UserFactory(phone=None, username="912345678")
        asked: Any = moves.ask(
            own,
            kind=Kind.CHANGE,
            proof=Proof.NEW_NUMBER,
            new_phone="+77017770001",
            renewed=Renewed.of(own, PASSWORD),
            asked_by=own,
            address=None,
            now=NOW,
        )
        clock.move_to(asked.due_at)
        assert Client().post("/login/", {"phone": "912345678", "password": PASSWORD}).status_code == 200
        assert Client().post("/login/", {"phone": "+77017770001", "password": PASSWORD}).status_code == 302


class TestTheOfficial:
    @pytest.fixture
    def move(self, owner):
        User.objects.update(last_login=NOW)
        return claim(owner)

    @pytest.mark.parametrize(("button", "has_number"), [("give", False), ("keep", True)])
    def test_decides_with_a_reason(self, owner, move, button, has_number):
        browser = inside(employee(Role.OFFICIAL))
        page = browser.get(reverse("admin:accounts_numbermove_change", args=[move.pk])).content.decode()
        assert "ОМАРОВ ТІМУР" in page
        assert PHONE[5:] not in page.replace(" ", "")
        url = reverse("admin:accounts_numbermove_work", args=[move.pk, button])
        assert browser.post(url, {"reason": ""}).status_code == 200
        assert browser.post(url, {"reason": "Оператордың шарты көрсетілді"}).status_code == 302
        assert (User.objects.get(pk=owner.pk).phone is not None) == has_number
        assert not NumberMove.objects.get().is_live
        assert owner.journal.filter(reason="Оператордың шарты көрсетілді").exists()

    def test_decides_again_if_the_owner_objects_while_a_dispute_holds_the_number(self, owner, move):
        dispute = DisputeFactory(guardianship=owner.guardianships.get())
        first, second = StaffFactory(), employee(Role.OFFICIAL)
        claims.give(move, actor=first, reason="Бірінші шешім", address=None, now=NOW)
        moves.stop(move, by=owner, address=None, now=NOW)
        move.refresh_from_db()
        assert (move.is_live, move.due_at, move.done_by, move.reason) == (True, None, None, "")
        dispute.outcome, dispute.decided_at, dispute.freed_at = "stands", NOW, NOW
        dispute.save()
        url = reverse("admin:accounts_numbermove_work", args=[move.pk, "give"])
        assert inside(second).post(url, {"reason": "Оператордың шарты көрсетілді"}).status_code == 302
        move.refresh_from_db()
        assert (move.done_at, move.done_by) == (NOW, second)

    def test_nobody_decides_about_their_own(self, owner, move):
        claimant = StaffFactory(staff_iin_hash=move.claimant_hash)
        with pytest.raises(NotMoved) as refused:
            claims.give(move, actor=claimant, reason="x", address=None, now=NOW)
        assert refused.value.fault is Fault.OWN_ACCOUNT

    def test_nor_about_the_number_of_the_other_guardian(self, owner, move):
        official = employee(Role.OFFICIAL)
        GuardianshipFactory(child=owner.guardianships.get().child, user=official)
        for button in ("give", "keep"):
            url = reverse("admin:accounts_numbermove_work", args=[move.pk, button])
            inside(official).post(url, {"reason": "Оператордың шарты көрсетілді"})
        for decision in (claims.give, claims.keep):
            with pytest.raises(NotMoved) as refused:
                decision(move, actor=official, reason="x", address=None, now=NOW)
            assert refused.value.fault is Fault.RELATED
        page = inside(official).get(reverse("admin:accounts_numbermove_change", args=[move.pk]))
        assert "әріптес" in page.context["who_else_decides"].lower()
        move.refresh_from_db()
        assert move.is_live

    def test_who_was_refused_waits_ninety_days(self, owner, move):
        claims.keep(move, actor=StaffFactory(), reason="x", address=None, now=NOW)
        with pytest.raises(NotMoved) as again:
            claim(owner, now=NOW + rules.REFUSED_FOR - MICROSECOND)
        assert again.value.fault is Fault.REFUSED_BEFORE
        assert claim(owner, now=NOW + rules.REFUSED_FOR).is_live

    def test_a_new_key_forgets_neither_who_claims_nor_who_was_refused(self, owner, move, settings):
        settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD = "x" * 40, settings.IIN_HASH_KEY
        assert claim(owner) == move
        claims.keep(move, actor=StaffFactory(), reason="x", address=None, now=NOW)
        for key_of_before in (settings.IIN_HASH_KEY_OLD, ""):
            settings.IIN_HASH_KEY_OLD = key_of_before
            with pytest.raises(NotMoved) as again:
                claim(owner)
            assert again.value.fault is Fault.REFUSED_BEFORE
            call_command("rotate_iin_keys", pause=0, stdout=StringIO())

    def test_who_was_refused_and_the_move_itself_are_forgotten(self, owner, move):
        claims.keep(move, actor=StaffFactory(), reason="x", address=None, now=NOW)
        under_way = claim(UserFactory())
        for period, forget in (
            (rules.REFUSED_FOR, retention.forget_claimants),
            (rules.KEPT_FOR, retention.purge_moves),
        ):
            assert forget(now=NOW + period - MICROSECOND) == 0
            assert (forget(now=NOW + period), forget(now=NOW + period)) == (1, 0)
            kept = NumberMove.objects.filter(pk=move.pk).values_list("claimant_identity", "claimant_hash")
            assert set(kept) <= {("", "")}
        assert not kept
        under_way.refresh_from_db()
        assert under_way.claimant_hash

    def test_a_new_key_keeps_an_account_its_owners(self, owner, settings):
        settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD = "x" * 40, settings.IIN_HASH_KEY
        with pytest.raises(NotMoved) as own:
            claims.claim(PHONE, Claimant("А", Identity(iin=OTHER)), address=None, now=NOW)
        assert own.value.fault is Fault.REGISTERED

    def test_somebody_else_waits_for_the_claim_under_way(self, owner, move):
        assert claim(owner) == move
        with pytest.raises(NotMoved) as other:
            claim(owner, document="I12345678")
        assert other.value.fault is Fault.UNDER_WAY
