"""A proof of an owner falls as soon as the account has another password or number, wherever a browser keeps it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.test import Client

from accounts import first_sign_in, services
from accounts.journal_actions import Action
from accounts.models import NumberMove, User
from accounts.numbers import moves
from accounts.numbers.moves import Kind, Proof, Renewed
from accounts.owner_proofs import OwnerProof, is_as_it_was, stamp_of
from tests.accounts.numbers.test_recovery import ask as ask_contact
from tests.accounts.numbers.test_recovery import code_of, prove_new
from tests.accounts.walk import PHONE, newest_code
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PASSWORD, NEW, OTHER = "parent-pass-1", "+77017770001", "+77017770002"
SECOND = "+77051112233"


@pytest.fixture
def owner(clock):
    clock.move_to(NOW)
    user = UserFactory(phone=PHONE)
    user.profile.second_phone, user.profile.second_phone_proven_at = SECOND, NOW
    user.profile.save()
    return user


def ask_reset(browser: Client) -> str:
    browser.post("/password/reset/", {"phone": PHONE})
    return newest_code()


def enter_reset(browser: Client, code: str, owner: User):
    return browser.post("/password/reset/code/", {"code": code, "proof": owner.profile.iin})


def prove_reset(owner: User) -> Client:
    browser = Client()
    assert enter_reset(browser, ask_reset(browser), owner).url == "/password/reset/new/"
    return browser


def set_new(browser: Client, password: str):
    return browser.post("/password/reset/new/", {"password": password, "repeated": password})


def ask_stop(browser: Client) -> str:
    browser.post("/stop/", {"phone": PHONE})
    return newest_code()


def change_password(owner: User, password: str = "тағы бір құпия 8") -> None:
    """The owner's own change, on another device."""
    browser = Client()
    browser.post("/login/", {"phone": PHONE, "password": PASSWORD})
    fields = {"old_password": PASSWORD, "password": password, "repeated": password}
    assert browser.post("/cabinet/profile/password/", fields).url == "/cabinet/profile/"


def move_away(owner: User) -> None:
    """With both codes, so at once; the password goes along."""
    owner.refresh_from_db()
    move = moves.ask(
        owner,
        kind=Kind.CHANGE,
        proof=Proof.BOTH_NUMBERS,
        renewed=Renewed.of(owner, PASSWORD),
        new_phone=NEW,
        asked_by=owner,
        address=None,
        now=NOW,
    )
    assert move.done_at


def hand_over(owner: User) -> User:
    """The owner moves away, and somebody else registers with the number."""
    move_away(owner)
    return UserFactory(phone=PHONE)


def ask_for_a_move(account: User) -> NumberMove:
    return moves.ask(
        account,
        kind=Kind.CHANGE,
        proof=Proof.NEW_NUMBER,
        new_phone=OTHER,
        asked_by=None,
        address=None,
        now=NOW,
    )


class TestTheNumberChangesHands:
    def test_a_proven_reset_sets_nobody_elses_password(self, owner):
        former = prove_reset(owner)
        new_owner = hand_over(owner)
        answer = set_new(former, "ұрланған құпия 9")
        assert answer.url == "/password/reset/"
        assert "өзгер" in former.get(answer.url).content.decode()
        for user in (owner, new_owner):
            user.refresh_from_db()
            assert user.check_password(PASSWORD)

    def test_nor_does_a_code_that_was_sent_before(self, owner):
        former = Client()
        code = ask_reset(former)
        new_owner = hand_over(owner)
        # Even whoever knows both.
        assert enter_reset(former, code, new_owner).status_code == 200
        assert set_new(former, "ұрланған құпия 9").url == "/password/reset/code/"

    def test_nor_one_of_a_move_that_is_due_and_not_swept(self, owner, clock):
        moves.ask(
            owner,
            kind=Kind.CHANGE,
            proof=Proof.NEW_NUMBER,
            new_phone=NEW,
            asked_by=None,
            address=None,
            now=NOW,
        )
        clock.move_to(NOW + timedelta(hours=72) - timedelta(microseconds=1))
        former = Client()
        code = ask_reset(former)
        clock.shift(timedelta(microseconds=1))
        assert enter_reset(former, code, owner).status_code == 200

    @pytest.mark.parametrize("entered", [True, False])
    def test_stop_stops_nothing_of_whoever_has_it_now(self, owner, entered):
        former = Client()
        code = ask_stop(former)
        if entered:
            assert former.post("/stop/code/", {"code": code}).url == "/stop/choose/"
        move = ask_for_a_move(hand_over(owner))
        if not entered:
            assert former.post("/stop/code/", {"code": code}).status_code == 200
        answer = former.post("/stop/choose/", {"kind": "number", "key": str(move.pk), "confirm": "1"})
        assert answer.url == ("/stop/" if entered else "/stop/code/")
        move.refresh_from_db()
        assert move.is_live

    def test_control_the_new_owner_stops_it(self, owner):
        move = ask_for_a_move(hand_over(owner))
        browser = Client()
        browser.post("/stop/code/", {"code": ask_stop(browser)})
        browser.post("/stop/choose/", {"kind": "number", "key": str(move.pk), "confirm": "1"})
        move.refresh_from_db()
        assert not move.is_live


class TestThePasswordIsChanged:
    """What an owner does who fears that somebody is in."""

    def test_in_the_profile_it_ends_a_proven_reset(self, owner):
        thief = prove_reset(owner)
        change_password(owner)
        assert set_new(thief, "ұрланған құпия 9").url == "/password/reset/"
        owner.refresh_from_db()
        assert owner.check_password("тағы бір құпия 8")

    def test_a_second_reset_ends_the_first_and_its_unentered_codes(self, owner, clock):
        thief, waits = prove_reset(owner), Client()
        clock.shift(timedelta(minutes=1))
        code = ask_reset(waits)
        clock.shift(timedelta(minutes=1))
        assert set_new(prove_reset(owner), "иесінің құпиясы 7").url == "/login/"
        assert set_new(thief, "ұрланған құпия 9").url == "/password/reset/"
        assert enter_reset(waits, code, owner).status_code == 200
        owner.refresh_from_db()
        assert owner.check_password("иесінің құпиясы 7")

    def test_of_two_who_were_let_in_at_once_one_sets_it(self, owner):
        """Both have read the account as it was; the row is locked, and judged again."""
        both = [User.objects.get(pk=owner.pk) for _ in range(2)]
        reset = partial(services.change_password, action=Action.PASSWORD_RESET, address=None, now=NOW)
        reset(both[0], password="иесінің құпиясы 7")
        with pytest.raises(services.ChangedMeanwhile):
            reset(both[1], password="ұрланған құпия 9")
        owner.refresh_from_db()
        assert owner.check_password("иесінің құпиясы 7")

    @pytest.mark.parametrize("entered", [True, False])
    def test_stop(self, owner, entered):
        thief = Client()
        code = ask_stop(thief)
        if entered:
            thief.post("/stop/code/", {"code": code})
        change_password(owner)
        if not entered:
            assert thief.post("/stop/code/", {"code": code}).status_code == 200
        assert thief.get("/stop/choose/").status_code == 302

    def test_a_code_for_a_lost_number(self, owner):
        thief = Client()
        prove_new(thief)
        ask_contact(thief, owner.profile.iin, "phone")
        code = code_of("phone")
        change_password(owner)
        assert thief.post("/number/lost/proof/", {"code": code}).context["form"].has_error("code")
        assert not NumberMove.objects.exists()

    def test_a_change_of_number_that_was_begun_with_the_former_one(self, owner):
        browser = Client()
        browser.post("/login/", {"phone": PHONE, "password": PASSWORD})
        browser.post("/cabinet/profile/number/", {"phone": NEW, "password": PASSWORD})
        assert browser.get("/cabinet/profile/number/new/").status_code == 200
        changed = {"old_password": PASSWORD, "password": "тағы бір құпия 8", "repeated": "тағы бір құпия 8"}
        browser.post("/cabinet/profile/password/", changed)
        assert browser.get("/cabinet/profile/number/new/").url == "/cabinet/profile/number/"

    def test_the_paper_that_was_entered(self, owner):
        registrar, printer = StaffFactory(), StaffFactory()
        owner.phone, owner.username = None, "912345678"
        owner.save()
        row = first_sign_in.FirstSignIn.objects.create(
            user=owner, registered_by=registrar, registered_at=NOW, asked_by=registrar, asked_at=NOW
        )
        code = first_sign_in.issue_code(row, actor=printer, address=None, now=NOW)
        thief = Client()
        paper = thief.post("/first/", {"login": owner.username, "code": code})
        assert paper.url == "/first/password/"
        services.change_password(
            User.objects.get(pk=owner.pk),
            password="тағы бір құпия 8",
            action=Action.PASSWORD_CHANGED,
            address=None,
            now=NOW,
        )
        stolen = {"password": "ұрланған құпия 9", "repeated": "ұрланған құпия 9"}
        assert thief.post("/first/password/", stolen).url == "/first/"
        owner.refresh_from_db()
        assert owner.check_password("тағы бір құпия 8")


class TestTheJudge:
    def test_a_proof_is_about_one_account_as_it_was(self, owner):
        proof = OwnerProof().about(owner)
        assert proof.owner == owner == proof.lock_owner()
        other = UserFactory(password=owner.password)
        assert not proof.holds_for(other)
        assert not OwnerProof(str(other.pk), proof.stamp).owner
        for nobody in (OwnerProof(), OwnerProof("no key", ""), OwnerProof(str(owner.pk), "")):
            assert nobody.owner is None

    @pytest.mark.parametrize(
        "change",
        [{"password": "x"}, {"phone": NEW}, {"username": NEW}, {"phone": None}, {"is_active": False}],
        ids=str,
    )
    def test_it_falls_with_each_change(self, owner, change):
        proof = OwnerProof().about(owner)
        User.objects.filter(pk=owner.pk).update(**change)
        assert proof.owner is None

    def test_nobody_has_no_stamp_and_is_not_what_anybody_was(self, owner):
        assert stamp_of(None) == ""
        assert not is_as_it_was(owner, stamp_of(None))
