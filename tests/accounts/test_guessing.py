"""Guessing passwords: strangers are stopped, the owner and the neighbours are not, and nothing is told."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings as project
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import limits
from accounts.hashing import HashingBusy
from accounts.journal_actions import Action
from accounts.limits import WRONG_PASSWORDS_PER_DEVICE, WRONG_PASSWORDS_PER_NETWORK
from accounts.models import SmsCode, User
from accounts.services import change_password
from notifications.models import Message
from tests.accounts.walk import PHONE, newest_code
from tests.factories import StaffFactory, UserFactory
from tests.patience import PATIENCE
from tests.unseen import pages_unseen

RIGHT = "parent-pass-1"
UNKNOWN = "+77017779879"
CODE_PAGE = "/login/code/"
MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return UserFactory.create(phone=PHONE)


@pytest.fixture
def stopped():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def sign_in(client, phone=PHONE, password=RIGHT, *, address="10.0.0.1", prefix=""):
    return client.post(f"{prefix}/login/", {"phone": phone, "password": password}, REMOTE_ADDR=address)


def outcome(answer) -> str:
    """What the visitor learns."""
    if answer.status_code == 200:
        return "wrong"
    if answer.status_code == 429:
        return "later"
    return {"/cabinet/": "in", CODE_PAGE: "code"}[answer.url]


def fail(times, *, phone=PHONE, address="10.0.0.1", client=None) -> list[str]:
    with pages_unseen():
        return [
            outcome(sign_in(client or Client(), phone, "wrong-pass", address=address)) for _ in range(times)
        ]


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


def leave(client):
    """Sign out; the device stays what it is."""
    assert client.post("/logout/").url == "/"


def give_code(client, code):
    return client.post(CODE_PAGE, {"code": code})


class TestAccount:
    def test_five_are_answered_and_then_a_code_is_asked_for(self, owner):
        assert fail(7) == ["wrong"] * 5 + ["code"] * 2
        assert outcome(sign_in(Client())) == "code"

    def test_the_pauses_grow_slowly_and_end_to_the_microsecond(self, owner, stopped):
        fail(5)
        for minutes in (1, 2, 4, 8, 15, 15):
            stopped.shift(minutes * MINUTE - MICROSECOND)
            assert outcome(sign_in(Client(), password="wrong-pass")) == "code"
            stopped.shift(MICROSECOND)
            assert fail(1) == ["wrong"]

    def test_what_is_tried_during_a_pause_does_not_make_it_longer(self, owner, stopped):
        fail(5)
        stopped.shift(MINUTE - MICROSECOND)
        assert fail(40) == ["code"] * 40
        stopped.shift(MICROSECOND)
        assert outcome(sign_in(Client())) == "in"

    def test_it_is_forgotten_after_a_day(self, owner, stopped):
        fail(5)
        stopped.shift(timedelta(days=1) - MICROSECOND)
        assert fail(2) == ["wrong", "code"]
        stopped.shift(timedelta(days=1))
        assert fail(5) == ["wrong"] * 5

    def test_the_other_spelling_is_the_same_account(self, owner):
        for text in (PHONE, "87017779876", "7017779876", "+7 701 777 98 76", "８７０１７７７９８７６"):
            assert outcome(sign_in(Client(), text, "wrong-pass")) == "wrong"
        assert outcome(sign_in(Client(), "8(701)7779876")) == "code"

    def test_right_passwords_are_no_failures(self, owner):
        for _ in range(12):
            assert outcome(sign_in(Client())) == "in"

    def test_an_answer_that_was_too_busy_to_be_given_is_no_failure(self, owner, monkeypatch):
        def busy(*_given):
            raise HashingBusy

        with monkeypatch.context() as patched:
            patched.setattr(User, "check_password", busy)
            assert [sign_in(Client()).status_code for _ in range(9)] == [503] * 9
        assert fail(6) == ["wrong"] * 5 + ["code"]

    def test_another_account_is_not_touched(self, owner):
        fail(5, phone=UNKNOWN)
        assert outcome(sign_in(Client())) == "in"


class TestTheOwner:
    """A stranger's wrong passwords never shut out the owner's right one."""

    def test_on_an_unknown_device_the_code_by_sms_opens(self, owner, client):
        for number in range(8):
            fail(5, address=f"10.9.{number}.1")
        assert outcome(sign_in(client, address="10.0.7.7")) == "code"
        assert not is_in(client)
        assert newest_code() in Message.objects.get().text
        assert Message.objects.get().kind == "sign_in_code"
        assert outcome(give_code(client, newest_code())) == "in"
        assert is_in(client)

    def test_on_a_known_device_nothing_changes(self, owner, client):
        sign_in(client)
        leave(client)
        for number in range(8):
            fail(5, address=f"10.9.{number}.1")
        assert outcome(sign_in(client)) == "in"
        # Besides the word about the first sign-in here.
        assert not Message.objects.exclude(kind="new_device").exists()

    def test_also_where_the_whole_network_is_slowed(self, owner, client):
        sign_in(client)
        leave(client)
        for number in range(25):
            fail(1, phone=f"+770177798{number:02d}", address="10.0.0.200")
        assert outcome(sign_in(client, address="10.0.0.1")) == "in"

    def test_the_tries_of_a_known_device_are_its_own_and_counted(self, owner, client, stopped):
        sign_in(client)
        leave(client)
        assert fail(7, client=client) == ["wrong"] * 5 + ["code"] * 2
        # Neither the account nor the network has felt it.
        assert outcome(sign_in(Client())) == "in"
        stopped.shift(MINUTE)
        assert outcome(sign_in(client)) == "in"

    def test_two_accounts_of_one_device(self, owner, client):
        other = UserFactory.create(phone=UNKNOWN)
        for account in (owner, other):
            assert outcome(sign_in(client, str(account.phone))) == "in"
            leave(client)
        for phone in (PHONE, UNKNOWN):
            fail(6, phone=phone, address="10.9.0.1")
        assert outcome(sign_in(client, UNKNOWN)) == "in"
        leave(client)
        assert outcome(sign_in(client, PHONE)) == "in"

    def test_a_registration_and_a_reset_make_the_device_known(self, client):
        from tests.accounts.walk import PASSWORD, to_end

        to_end(client)
        leave(client)
        fail(6)
        assert outcome(sign_in(client, password=PASSWORD)) == "in"

    def test_a_new_password_forgets_the_failures(self, owner):
        fail(6)
        change_password(owner, password="жаңа құпия 1", action=Action.PASSWORD_RESET, address=None, now=START)
        assert outcome(sign_in(Client(), password="жаңа құпия 1")) == "in"


class TestDevice:
    def cookie(self, client):
        return client.cookies[project.DEVICE_COOKIE_NAME]

    def test_only_who_signed_in_has_it(self, owner, client):
        sign_in(client, password="wrong-pass")
        assert project.DEVICE_COOKIE_NAME not in client.cookies
        sign_in(client)
        cookie = self.cookie(client)
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["max-age"] == 180 * 24 * 60 * 60
        assert "7017779876" not in cookie.value

    @pytest.mark.parametrize("value", ["", "x", "a:b:c", "[]", "ÿþ"])
    def test_a_made_up_one_knows_nobody(self, owner, client, value):
        fail(5)
        client.cookies[project.DEVICE_COOKIE_NAME] = value
        assert outcome(sign_in(client)) == "code"

    def test_that_of_another_account_knows_only_that_one(self, owner, client):
        UserFactory.create(phone=UNKNOWN)
        sign_in(client, UNKNOWN)
        leave(client)
        fail(5)
        assert outcome(sign_in(client)) == "code"

    def test_who_knew_the_former_password_is_a_stranger_again(self, owner, client):
        sign_in(client)
        leave(client)
        change_password(owner, password="жаңа құпия 1", action=Action.PASSWORD_RESET, address=None, now=START)
        fail(5)
        assert fail(1, client=client) == ["code"]

    def test_the_device_on_which_the_password_was_changed_stays_known(self, owner, client):
        sign_in(client)
        new = {"old_password": RIGHT, "password": "жаңа құпия 1", "repeated": "жаңа құпия 1"}
        assert client.post("/cabinet/profile/password/", new).status_code == 302
        leave(client)
        fail(5)
        assert outcome(sign_in(client, password="жаңа құпия 1")) == "in"

    def test_half_a_year_after_the_last_sign_in_it_is_unknown(self, owner, client, stopped):
        sign_in(client)
        leave(client)
        stopped.shift(timedelta(days=180, seconds=1))
        client.cookies[project.DEVICE_COOKIE_NAME]["max-age"] = ""
        fail(5)
        assert outcome(sign_in(client)) == "code"

    def test_without_it_a_right_sign_in_asks_the_database_nothing_more(self, owner, client):
        asked = []
        for _known in (False, True):
            with CaptureQueriesContext(connection) as queries:
                assert outcome(sign_in(client)) == "in"
            asked.append([query["sql"] for query in queries if "accounts_user" in query["sql"]])
            leave(client)
        # What is due for the number is looked for, Django reads the account and notes the sign-in; in addition, a
        # device that claims to know it is checked.
        assert [len(statements) for statements in asked] == [3, 4]


class TestNetwork:
    def test_spraying_names_is_slowed_after_twenty_failures(self):
        phones = [f"+770177798{number:02d}" for number in range(25)]
        told = [fail(1, phone=phone)[0] for phone in phones]
        assert told == ["wrong"] * 20 + ["code"] * 5

    def test_so_it_is_with_names_that_can_be_no_parents(self):
        told = [fail(1, phone=f"employee{number}")[0] for number in range(25)]
        assert told == ["wrong"] * 20 + ["later"] * 5

    @pytest.mark.parametrize(
        ("neighbour", "told"), [("10.0.0.99", "code"), ("10.0.1.1", "in"), ("2001:db8::1", "in")]
    )
    def test_it_is_the_network_that_is_slowed(self, owner, neighbour, told):
        for number in range(20):
            fail(1, phone=f"+770177798{number:02d}", address=f"10.0.0.{number}")
        assert outcome(sign_in(Client(), address=neighbour)) == told

    def test_neighbours_with_right_data_always_come_in(self, client):
        """A carrier puts thousands behind one address: a user who knows the password and holds the phone passes."""
        for number in range(25):
            fail(1, phone=f"+770177798{number:02d}")
        for number in range(10):
            phone, browser = f"+770177797{number:02d}", Client()
            UserFactory.create(phone=phone)
            assert outcome(sign_in(browser, phone)) == "code"
            assert outcome(give_code(browser, newest_code(phone))) == "in"

    def test_what_succeeds_counts_against_nobody(self):
        for number in range(25):
            UserFactory.create(phone=f"+770177797{number:02d}")
            assert outcome(sign_in(Client(), f"+770177797{number:02d}")) == "in"

    def test_the_window_ends_to_the_microsecond(self, owner, stopped):
        for number in range(20):
            fail(1, phone=f"+770177798{number:02d}")
        stopped.shift(15 * MINUTE - MICROSECOND)
        assert outcome(sign_in(Client())) == "code"
        stopped.shift(MICROSECOND)
        assert outcome(sign_in(Client())) == "in"

    def test_patience_has_an_end_too(self, owner, stopped):
        for round_ in range(5):
            for number in range(20):
                assert fail(1, phone=f"+77017{round_}798{number:02d}") == ["wrong"]
            stopped.shift(15 * MINUTE)
        assert outcome(sign_in(Client())) == "code"


@pytest.fixture
def no_hash(monkeypatch):
    """From now on whatever is hashed answers 503: what is not, was not worth the work."""

    def stop():
        def busy(*_given, **_named):
            raise HashingBusy

        monkeypatch.setattr(MD5PasswordHasher, "encode", busy)

    return stop


class TestFlood:
    """Three hundred wrong passwords of one network in a minute: the next ones cost nobody a core."""

    def flood(self, count=WRONG_PASSWORDS_PER_NETWORK.times, *, address="10.0.0.66"):
        """As many wrong passwords as the web server would count; the last of them is sent."""
        for _ in range(count - 1):
            limits.password_was_wrong(address=address, device="", now=START)
        fail(1, phone="+77017779000", address=address)

    def test_so_many_are_a_flood(self):
        assert (WRONG_PASSWORDS_PER_NETWORK.times, WRONG_PASSWORDS_PER_NETWORK.window) == (300, MINUTE)
        assert (WRONG_PASSWORDS_PER_DEVICE.times, WRONG_PASSWORDS_PER_DEVICE.window) == (60, MINUTE)

    @pytest.mark.parametrize("password", [RIGHT, "wrong-pass"])
    @pytest.mark.parametrize("phone", [PHONE, UNKNOWN, "amina"])
    def test_an_unknown_device_is_told_so_and_nothing_is_hashed(
        self, owner, stopped, no_hash, phone, password
    ):
        self.flood()
        no_hash()
        before = SmsCode.objects.count()
        with CaptureQueriesContext(connection) as queries:
            answer = sign_in(Client(), phone, password, address="10.0.0.1")
        assert answer.status_code == 429
        assert answer.context["retry_at"] == START + MINUTE
        # Nothing of the account is looked at either, so neither the answer nor its time tells whether there is one.
        assert [query["sql"] for query in queries if "accounts_" in query["sql"]] == []
        assert SmsCode.objects.count() == before

    def test_control_one_less_is_checked(self, owner, stopped, no_hash):
        self.flood(WRONG_PASSWORDS_PER_NETWORK.times - 1)
        no_hash()
        assert sign_in(Client(), address="10.0.0.1").status_code == 503

    def test_known_devices_and_other_networks_pass(self, owner, client, stopped):
        sign_in(client)
        leave(client)
        self.flood()
        assert outcome(sign_in(client, address="10.0.0.1")) == "in"
        assert outcome(sign_in(Client(), address="10.0.1.1")) == "in"

    def test_it_is_over_to_the_microsecond(self, owner, stopped):
        self.flood()
        stopped.shift(MINUTE - MICROSECOND)
        assert outcome(sign_in(Client())) == "later"
        stopped.shift(MICROSECOND)
        assert outcome(sign_in(Client())) == "in"

    def test_a_known_device_floods_only_itself(self, owner, client, stopped, no_hash):
        sign_in(client)
        leave(client)
        fail(60, client=client)
        assert outcome(sign_in(Client())) == "in"
        no_hash()
        assert outcome(sign_in(client)) == "later"

    def test_right_passwords_are_no_flood(self, owner, stopped):
        for _ in range(70):
            assert outcome(sign_in(Client())) == "in"

    def test_a_new_password_by_sms_stays_open_and_makes_the_device_known(self, owner, client, stopped):
        self.flood()
        assert client.post("/password/reset/", {"phone": PHONE}).status_code == 302
        client.post("/password/reset/code/", {"code": newest_code(), "proof": owner.profile.iin})
        new = {"password": "жаңа құпия 1", "repeated": "жаңа құпия 1"}
        assert client.post("/password/reset/new/", new).url == "/login/"
        assert outcome(sign_in(client, password="жаңа құпия 1", address="10.0.0.1")) == "in"


class TestNothingIsTold:
    def pages(self, phone, password, *, prefix=""):
        """What a browser sees after `password`, and after a code that can't be right."""
        browser = Client()
        answer = sign_in(browser, phone, password, prefix=prefix)
        asked = browser.get(answer.url)
        wrong = browser.post(answer.url, {"code": "000000"})
        waiting = answer.cookies[project.PENDING_SIGN_IN_COOKIE_NAME]
        shown = [re.sub(r'value="[^"]*"', "", page.content.decode()) for page in (asked, wrong)]
        return (answer.status_code, answer.url, sorted(waiting.items()), len(waiting.value), shown)

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_right_and_wrong_known_and_unknown_look_alike(self, owner, prefix, stopped):
        blocked = UserFactory.create(phone="+77017779866", is_active=False)
        for phone in (PHONE, UNKNOWN, str(blocked.phone)):
            fail(5, phone=phone, address="10.9.0.1")
        right = self.pages(PHONE, RIGHT, prefix=prefix)
        assert right == self.pages(PHONE, "wrong-pass", prefix=prefix)
        for phone, password in ((UNKNOWN, RIGHT), (str(blocked.phone), RIGHT)):
            masked = f"•• {phone[-4:-2]} {phone[-2:]}"
            others = self.pages(phone, password, prefix=prefix)
            assert others[:4] == right[:4]
            assert [page.replace(masked, "•• 98 76") for page in others[4]] == right[4]

    def test_it_costs_the_database_the_same(self, owner, stopped):
        fail(5)
        statements = []
        for password in (RIGHT, "wrong-pass"):
            with CaptureQueriesContext(connection) as queries:
                browser = Client()
                browser.get(sign_in(browser, password=password).url)
                give_code(browser, "000000")
            shapes = [re.sub(r"'[^']*'|s\d+_x\d+|\b\d+\b", "?", query["sql"])[:60] for query in queries]
            # What was written for nothing is rolled back as well; the rest is the same, one for one.
            ours = re.compile("^(?!ROLLBACK).*(SAVEPOINT|accounts_|notifications_)")
            statements.append([shape for shape in shapes if ours.match(shape)])
        assert len(statements[0]) > 10
        assert statements[0] == statements[1]

    def test_no_sms_but_for_a_right_password(self, owner):
        fail(9)
        fail(9, phone=UNKNOWN)
        assert not Message.objects.exists()

    def test_five_tries_and_all_faults_in_one_sentence(self, owner, client, stopped):
        fail(5)
        sign_in(client)
        code = newest_code()
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        sentences = {give_code(client, wrong).context["form"].errors["code"][0] for _ in range(6)}
        assert len(sentences) == 1
        assert give_code(client, code).context["form"].errors["code"][0] in sentences
        assert not is_in(client)

    def test_what_an_earlier_try_was_shows_in_no_later_one(self, owner, client, stopped):
        """A wrong password after a right one leaves the right one's code as it was: five tries in all, unseen."""
        fail(5)
        sign_in(client)
        code = newest_code()
        sign_in(client, password="wrong-pass")
        assert outcome(give_code(client, code)) == "in"

    def test_an_employees_right_password_is_as_good_as_wrong(self, stopped):
        StaffFactory.create(username="amina")
        answers = [sign_in(Client(), "amina", password) for password in ("staff-pass-1", "wrong")]
        pages = [re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert pages[0] == pages[1]

    def test_no_number_in_the_logs(self, owner, caplog):
        fail(8)
        sign_in(Client())
        assert "7017779876" not in caplog.text


class TestTheCode:
    @pytest.fixture
    def waiting(self, owner, client, stopped):
        fail(5)
        sign_in(client)
        return client

    def test_it_leads_where_one_wanted_to_go(self, owner, client):
        fail(5)
        client.post("/ru/login/?next=/ru/cabinet/children/", {"phone": PHONE, "password": RIGHT})
        assert give_code(client, newest_code()).url == "/ru/cabinet/children/"

    def test_it_lives_ten_minutes(self, waiting, stopped):
        code = newest_code()
        kept = waiting.cookies[project.PENDING_SIGN_IN_COOKIE_NAME].value
        stopped.shift(10 * MINUTE)
        late = Client()
        late.cookies[project.PENDING_SIGN_IN_COOKIE_NAME] = kept
        told = late.post(CODE_PAGE, {"code": code}, follow=True)
        assert told.redirect_chain == [("/login/", 302)]
        assert "Кодтың он минуты өтті" in told.content.decode()
        stopped.shift(-MICROSECOND)
        assert outcome(give_code(waiting, code)) == "in"

    def test_it_counts_only_in_the_browser_that_asked(self, waiting):
        other = Client()
        sign_in(other, password="wrong-pass")
        assert give_code(other, newest_code()).status_code == 200
        assert give_code(Client(), newest_code()).url == "/login/"

    def test_a_password_that_changed_meanwhile_is_asked_for_again(self, waiting, owner):
        code = newest_code()
        change_password(owner, password="жаңа құпия 1", action=Action.PASSWORD_RESET, address=None, now=START)
        assert give_code(waiting, code).status_code == 200
        assert not is_in(waiting)

    def test_blocked_meanwhile(self, waiting, owner):
        owner.is_active = False
        owner.save()
        assert give_code(waiting, newest_code()).status_code == 200

    def test_a_code_for_something_else_does_not_count(self, waiting, stopped):
        stopped.shift(MINUTE)
        waiting.post("/password/reset/", {"phone": PHONE})
        assert give_code(waiting, newest_code()).status_code == 200

    @pytest.mark.parametrize("password", [RIGHT, "wrong-pass"])
    def test_a_second_browser_reads_what_holds_for_it(self, waiting, stopped, password):
        """No second code is sent within the minute: its page says when it asked, and from when there is another one."""
        stopped.shift(MINUTE - MICROSECOND)
        other = Client()
        assert outcome(sign_in(other, password=password)) == "code"
        assert Message.objects.count() == 1
        page = other.get(CODE_PAGE)
        assert page.context["asked_at"] == START + MINUTE - MICROSECOND
        assert page.context["next_at"] == START + 2 * MINUTE
        text = page.content.decode()
        assert "11:00" in text
        assert "11:02" in text
        assert "екіншісі жіберілмеді" in text

    def test_what_it_says_of_the_times_does_not_tell_that_an_earlier_try_was_right(self, owner, stopped):
        fail(5)
        pages = []
        for first in (RIGHT, "wrong-pass"):
            browser = Client()
            sign_in(browser, password=first)
            stopped.shift(50 * MINUTE / 60)
            sign_in(browser, password="wrong-other")
            context = browser.get(CODE_PAGE).context
            pages.append((context["asked_at"], context["next_at"], context["free_at"]))
            stopped.move_to(START)
        assert pages[0] == pages[1]

    def test_pressing_again_leaves_the_code_that_is_on_its_way_good(self, waiting):
        code = newest_code()
        assert outcome(sign_in(waiting)) == "code"
        assert Message.objects.count() == 1
        assert outcome(give_code(waiting, code)) == "in"

    def test_once_a_minute_and_five_an_hour(self, owner, stopped):
        """Each of them had the right password: a stranger can't use them up."""
        fail(30)
        for number in range(7):
            fail(1)
            sign_in(Client())
            sign_in(Client())
            assert Message.objects.count() == min(number + 1, 5)
            stopped.shift(MINUTE)
            fail(5)

    @pytest.mark.parametrize("value", ["", "x", "ÿþ", "gAAAAA=="])
    def test_a_made_up_cookie_leads_back(self, client, value):
        client.cookies[project.PENDING_SIGN_IN_COOKIE_NAME] = value
        assert client.get(CODE_PAGE).url == "/login/"

    def test_nothing_of_it_lies_in_a_session(self, waiting):
        assert project.SESSION_COOKIE_NAME not in waiting.cookies

    def test_rows_for_nothing_go_with_the_next_sweep(self, owner, stopped):
        from accounts.sms_codes import prune

        fail(8)
        assert SmsCode.objects.count() == 3
        assert prune(now=START + 10 * MINUTE) == 0
        assert prune(now=START + 10 * MINUTE + MICROSECOND) == 3


def at_once(count, work):
    """Run `work(number)` in so many threads that all begin together."""
    barrier = threading.Barrier(count)

    def run(number):
        try:
            barrier.wait(timeout=PATIENCE)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
class TestSimultaneous:
    COUNT = 16

    def test_control_looking_before_and_counting_afterwards_lets_too_many_through(self, stopped):
        pairs = [(limits.SIGN_IN_PER_ACCOUNT, PHONE)]
        everyone_has_looked = threading.Barrier(self.COUNT)

        def look_then_count(_number):
            told = limits.allow_all([], watched=pairs, now=START).ok
            everyone_has_looked.wait(timeout=PATIENCE)
            limits.allow_all(pairs, now=START)
            return told

        assert sum(at_once(self.COUNT, look_then_count)) > 5

    def test_wrong_passwords_for_one_account(self, owner, stopped):
        told = at_once(self.COUNT, lambda _number: outcome(sign_in(Client(), password="wrong-pass")))
        assert sorted(told) == ["code"] * (self.COUNT - 5) + ["wrong"] * 5

    def test_wrong_passwords_for_many_accounts_from_one_network(self, stopped):
        fail(4, phone="+77017770001")
        fail(4, phone="+77017770002")
        told = at_once(
            self.COUNT,
            lambda number: outcome(sign_in(Client(), f"+770177798{number:02d}", "wrong-pass")),
        )
        assert sorted(told) == ["code"] * (self.COUNT - 12) + ["wrong"] * 12

    def test_a_right_guess_among_them_tells_no_more_than_the_first_five(self, owner, stopped):
        """However it falls: five are answered wrong at most, and the right one is in or asked for a code."""

        def guess(number):
            return outcome(sign_in(Client(), password=RIGHT if number == 7 else "wrong-pass"))

        told = at_once(self.COUNT, guess)
        assert told.count("wrong") == 5
        assert told[7] in ("in", "code")
        assert told.count("in") == (told[7] == "in")

    def test_right_passwords_disturb_nobody(self, owner, stopped):
        assert at_once(self.COUNT, lambda _number: outcome(sign_in(Client()))) == ["in"] * self.COUNT
