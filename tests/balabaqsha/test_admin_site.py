"""Signing in to the workplace: three things on one form, one answer for every mistake."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.conf import settings as project
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import limits
from accounts.hashing import HashingBusy
from accounts.journal_actions import Action
from accounts.models import AuditEntry
from accounts.roles import Role
from balabaqsha.roles import PERMISSIONS, set_up_roles
from tests.factories import StaffFactory, UserFactory
from tests.patience import PATIENCE
from tests.staff import code_of, employee, inside

pytestmark = pytest.mark.django_db

PASSWORD = "staff-pass-1"
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def worker():
    return employee(Role.KINDERGARTEN)


def sign_in(client: Client, username: str, *, password: str = PASSWORD, code: str = "") -> int:
    answer = client.post(
        reverse("admin:login"),
        {"username": username, "password": password, "otp_token": code, "next": reverse("admin:index")},
    )
    return answer.status_code


@pytest.mark.parametrize("wanted", [None, "", "https://evil.example/", "//evil.example", "admin"])
def test_whoever_comes_from_nowhere_is_led_to_the_workplace(worker, wanted):
    code = code_of(TOTPDevice.objects.get(user=worker))
    entry = {"username": worker.username, "password": PASSWORD, "otp_token": code}
    answer = Client().post("/ru/admin/login/", entry if wanted is None else entry | {"next": wanted})
    assert (answer.status_code, answer.url) == (302, "/ru/admin/")


def _busy(*_given, **_named):
    raise HashingBusy


def is_inside(client: Client) -> bool:
    return client.get(reverse("admin:index")).status_code == 200


def code_for(user) -> str:
    return code_of(TOTPDevice.objects.get(user=user))


class TestSigningIn:
    def test_name_password_and_code_together_open_the_door(self, worker):
        client = Client()
        assert sign_in(client, worker.username, code=code_for(worker)) == 302
        assert is_inside(client)

    def test_the_form_asks_for_all_three_at_once(self, client):
        page = client.get(reverse("admin:login")).content.decode()
        assert 'name="username"' in page
        assert 'name="password"' in page
        assert 'name="otp_token"' in page

    def test_a_code_may_be_typed_with_a_space(self, worker):
        client = Client()
        code = code_for(worker)
        assert sign_in(client, worker.username, code=f"{code[:3]} {code[3:]}") == 302

    @pytest.mark.parametrize("code", ["", "000000", "12345", "not a code"])
    def test_name_and_password_alone_do_not(self, worker, code):
        client = Client()
        assert sign_in(client, worker.username, code=code) == 200
        assert not is_inside(client)

    def test_a_password_session_without_a_code_is_kept_out(self, worker, client_of):
        client = client_of(worker)
        assert client.get(reverse("admin:index")).status_code == 302
        assert client.get(reverse("admin:applications_bid_changelist")).status_code == 302

    def test_an_employee_without_an_app_does_not_enter(self):
        user = StaffFactory.create()
        assert sign_in(Client(), user.username, code="123456") == 200

    def test_somebody_elses_code_does_not_help(self, worker):
        other = employee(Role.KINDERGARTEN)
        assert sign_in(Client(), worker.username, code=code_for(other)) == 200

    def test_a_code_works_once(self, worker):
        code = code_for(worker)
        assert sign_in(Client(), worker.username, code=code) == 302
        assert sign_in(Client(), worker.username, code=code) == 200

    def test_an_emergency_code_works_once(self, worker):
        StaticDevice.objects.create(user=worker, name="paper").token_set.create(token="abcd2345")
        assert sign_in(Client(), worker.username, code="abcd2345") == 302
        assert sign_in(Client(), worker.username, code="abcd2345") == 200

    def test_new_backup_codes_need_the_app_and_end_the_former(self, worker):
        StaticDevice.objects.create(user=worker, name="paper").token_set.create(token="abcd2345")
        client, address = Client(), reverse("admin:backup_codes")
        assert sign_in(client, worker.username, code="abcd2345") == 302
        assert address in client.get(reverse("admin:index")).content.decode()
        StaticDevice.objects.get().token_set.create(token="efgh6789")
        for wrong in ("", "000000", "efgh6789"):
            assert "token" in client.post(address, {"token": wrong}).context["form"].errors
        assert client.get(address).context["left"] == 1
        done = client.post(address, {"token": code_for(worker)})
        codes = re.findall(r"<li><code>([a-z2-9 ]{14})</code>", done.content.decode())
        assert len(set(codes)) == 10
        assert "no-store" in done["Cache-Control"]
        assert AuditEntry.objects.filter(action=Action.BACKUP_CODES_RENEWED, subject=worker).count() == 1
        # The session that was begun with a code that is gone goes on.
        assert client.get(address).context["left"] == 10
        assert sign_in(Client(), worker.username, code="efgh6789") == 200
        assert sign_in(Client(), worker.username, code=codes[0]) == 302

    def test_guesses_at_the_app_are_counted(self, worker):
        client, address = inside(worker), reverse("admin:backup_codes")
        answers = [client.post(address, {"token": "000000"}).context["form"] for _try in range(7)]
        assert answers[-1].has_error("token", code="too_often")
        assert (
            client.post(address, {"token": code_for(worker)})
            .context["form"]
            .has_error("token", code="too_often")
        )

    def test_every_mistake_gets_the_same_answer(self, worker):
        parent = UserFactory.create()
        attempts = [
            (worker.username, PASSWORD, "000000"),
            (worker.username, "wrong-pass-1", code_for(worker)),
            ("nobody", PASSWORD, "000000"),
            (parent.username, "parent-pass-1", "000000"),
        ]
        for username, password, code in attempts:
            answer = Client().post(
                "/ru/admin/login/", {"username": username, "password": password, "otp_token": code}
            )
            assert answer.status_code == 200
            errors = answer.context["form"].errors.as_data()
            assert [error.code for error in errors["__all__"]] == ["invalid_login"]
            assert list(errors) == ["__all__"]
            # A password is never written back into the page.
            assert password not in answer.content.decode()

    def test_without_the_second_factor_only_where_it_is_switched_off(self, worker, settings):
        settings.STAFF_SECOND_FACTOR = False
        client = Client()
        assert 'name="otp_token"' not in client.get(reverse("admin:login")).content.decode()
        assert sign_in(client, worker.username) == 302
        assert is_inside(client)

    def test_a_parent_never_enters(self, parent_client):
        assert parent_client.get(reverse("admin:index")).status_code == 302
        answer = parent_client.get(reverse("admin:login"))
        assert answer.status_code == 200

    @pytest.mark.parametrize("path", ["/admin/login/", "/ru/admin/login/"])
    def test_the_login_page_switches_the_language(self, client, path):
        page = client.get(path).content.decode()
        assert 'href="/admin/login/"' in page
        assert 'href="/ru/admin/login/"' in page


class TestGuessing:
    """Mistakes are counted as for parents; what can't be guessed always passes."""

    def guess(self, username, *, times=1, password=PASSWORD, code="000000", address="10.6.6.6"):
        return [
            sign_in(Client(REMOTE_ADDR=address), username, password=password, code=code)
            for _time in range(times)
        ]

    def two_codes(self, user) -> str:
        """That of the half minute before, and that of now."""
        device = TOTPDevice.objects.get(user=user)
        before, now = (code_of(device, ago=ago) for ago in (1, 0))
        return f"{before} {now}"

    def test_five_are_answered_and_then_it_is_said_how_to_go_on(self, worker, stopped):
        stopped.move_to(timezone.now().replace(second=30))
        assert self.guess(worker.username, times=6) == [200] * 5 + [429]
        answer = Client().post(
            "/ru/admin/login/",
            {"username": worker.username, "password": PASSWORD, "otp_token": code_for(worker)},
        )
        assert answer.status_code == 429
        assert "введите подряд два кода" in answer.content.decode()
        # No seconds are shown, so it is the minute after.
        assert f"{timezone.localtime() + timedelta(minutes=2):%H:%M}" in answer.content.decode()

    def test_the_pause_ends_to_the_microsecond(self, worker, stopped):
        self.guess(worker.username, times=5)
        stopped.shift(timedelta(minutes=1) - MICROSECOND)
        assert sign_in(Client(), worker.username, code=code_for(worker)) == 429
        stopped.shift(MICROSECOND)
        assert sign_in(Client(), worker.username, code=code_for(worker)) == 302

    def test_who_knows_the_password_does_not_keep_the_second_factor_shut(self, worker, stopped):
        known = Client()
        assert sign_in(known, worker.username, code=code_for(worker)) == 302
        known.post(reverse("admin:logout"))
        for minute in range(30):
            self.guess(worker.username, times=7, address=f"10.6.{minute}.6")
            stopped.shift(timedelta(minutes=1))
        self.guess(worker.username, times=7)
        assert TOTPDevice.objects.get(user=worker).throttling_failure_count == 0
        assert sign_in(known, worker.username, code=code_for(worker)) == 302
        stopped.shift(timedelta(minutes=1))
        new = Client()
        self.guess(worker.username, times=7)
        assert sign_in(new, worker.username, code=code_for(worker)) == 429
        assert sign_in(new, worker.username, code=self.two_codes(worker)) == 302
        assert is_inside(new)

    def test_an_emergency_code_passes_too(self, worker):
        StaticDevice.objects.create(user=worker, name="paper").token_set.create(token="abcd2345")
        self.guess(worker.username, times=6)
        assert self.guess(worker.username, times=9, code="abcd2346") == [429] * 9
        assert self.guess(worker.username, times=2, code="ABCD 2345") == [302, 429]

    def test_a_short_emergency_code_could_be_guessed(self, worker):
        StaticDevice.objects.create(user=worker, name="paper").token_set.create(token="abc2345")
        self.guess(worker.username, times=6)
        assert self.guess(worker.username, code="abc2345") == [429]

    def test_two_codes_must_be_right_successive_and_new(self, worker, stopped):
        before, now = self.two_codes(worker).split()
        self.guess(worker.username, times=6)
        for codes in (f"{now} {now}", f"{now} {before}", f"{before} 000000", f"000000 {now}", before * 2):
            assert self.guess(worker.username, code=codes) == [429]
        assert self.guess(worker.username, password="wrong", code=f"{before} {now}") == [429]
        assert self.guess(worker.username, times=2, code=f"{before} {now}") == [302, 429]
        # The second of the two is used up as well.
        stopped.shift(timedelta(seconds=30))
        assert self.guess(worker.username, code=self.two_codes(worker)) == [429]

    def test_two_codes_open_an_open_door_as_well(self, worker):
        assert self.guess(worker.username, code=self.two_codes(worker)) == [302]

    def test_a_parents_right_password_counts_like_a_wrong_one(self, parent):
        told = self.guess(parent.username, times=6, password="parent-pass-1")
        assert told == [200] * 5 + [429]

    def test_names_of_one_network_are_slowed_at_both_doors_together(self, worker):
        told = [self.guess(f"employee-{number}", password="wrong")[0] for number in range(15)]
        for number in range(5):
            Client(REMOTE_ADDR="10.6.6.7").post(
                "/login/", {"phone": f"+770177798{number:02d}", "password": "x"}
            )
        assert told == [200] * 15
        assert self.guess("employee-99", password="wrong") == [429]
        assert self.guess(worker.username, code=self.two_codes(worker)) == [302]

    def test_in_a_flood_nothing_is_hashed_but_for_what_was_not_guessed(self, worker, stopped, monkeypatch):
        known = Client(REMOTE_ADDR="10.6.6.1")
        assert sign_in(known, worker.username, code=code_for(worker)) == 302
        known.post(reverse("admin:logout"))
        stopped.shift(timedelta(minutes=1))
        for _ in range(limits.WRONG_PASSWORDS_PER_NETWORK.times):
            limits.password_was_wrong(address="10.6.6.6", device="", now=timezone.now())
        with monkeypatch.context() as patch:
            patch.setattr(MD5PasswordHasher, "encode", _busy)
            for name in (worker.username, "nobody"):
                for code in (code_for(worker), "000000", "000000 000000", "abcd2345"):
                    assert self.guess(name, code=code) == [429]
            # A known device, another network, and two codes of the app are checked.
            assert sign_in(known, worker.username, code=code_for(worker)) == 503
            assert self.guess(worker.username, address="10.7.7.7") == [503]
            assert self.guess(worker.username, code=self.two_codes(worker)) == [503]
        assert self.guess(worker.username, code=self.two_codes(worker)) == [302]

    def test_a_failure_looks_alike_whatever_was_right(self, worker, stopped):
        """The same statements as well, but for the row of a device that is there to be read."""
        seen = []
        for username, password in (
            (worker.username, PASSWORD),
            (worker.username, "wrong"),
            ("nobody", "wrong"),
        ):
            with CaptureQueriesContext(connection) as queries:
                answer = Client().post(
                    "/admin/login/", {"username": username, "password": password, "otp_token": "000000"}
                )
            page = answer.content.decode().replace(username, "").partition("csrfmiddlewaretoken")
            shapes = [re.split("WHERE|VALUES", query["sql"])[0] for query in queries]
            seen.append(
                (answer.status_code, page[0], [shape for shape in shapes if "bulletin_" not in shape])
            )
        assert seen[0] == seen[1] == seen[2]
        assert any("accounts_auditentry" in shape for shape in seen[0][2])

    def test_a_right_password_with_a_wrong_code_is_in_the_log(self, worker, caplog):
        self.guess(worker.username)
        assert [record.getMessage() for record in caplog.records] == [
            f"A right password with a wrong second factor: employee {worker.pk}"
        ]

    @pytest.mark.concurrency
    @pytest.mark.django_db(transaction=True)
    def test_one_code_opens_once_however_many_press(self):
        user = employee(Role.KINDERGARTEN)
        code = code_for(user)
        barrier = threading.Barrier(4)

        def enter(_number):
            try:
                barrier.wait(timeout=PATIENCE)
                return sign_in(Client(), user.username, code=code)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(enter, range(4))) == [200, 200, 200, 302]


class TestJournal:
    """Who came in, who left and who failed, when and from where; officials read it as all the rest."""

    ADDRESS = "10.8.8.8"

    def enter(self, name, *, password=PASSWORD, code="000000", client=None):
        client = client or Client(REMOTE_ADDR=self.ADDRESS)
        sign_in(client, name, password=password, code=code)
        return client

    def entries(self):
        return list(
            AuditEntry.objects.order_by("id").values_list("action", "actor", "subject", "at", "address")
        )

    def test_coming_and_leaving(self, worker, stopped):
        now = timezone.now()
        desk = self.enter(worker.username, code=code_for(worker))
        desk.post(reverse("admin:logout"))
        assert self.entries() == [
            (action, worker.pk, worker.pk, now, self.ADDRESS)
            for action in (Action.SIGNED_IN, Action.SIGNED_OUT)
        ]

    def test_the_portal_signs_out_who_left_the_desk(self, worker, stopped):
        desk = self.enter(worker.username, code=code_for(worker))
        assert is_inside(desk)
        stopped.shift(timedelta(minutes=30))
        assert not is_inside(desk)
        assert self.entries()[-1] == (Action.SIGNED_OUT, None, worker.pk, timezone.now(), self.ADDRESS)

    def test_failures(self, worker, stopped):
        parent = UserFactory.create()
        self.enter(worker.username)
        self.enter(worker.username, password="wrong", code=code_for(worker))
        self.enter("nobody")
        self.enter(parent.username, password="parent-pass-1")
        assert [entry[:3] for entry in self.entries()] == [
            (Action.STAFF_CODE_WRONG, None, worker.pk),
            (Action.STAFF_SIGN_IN_FAILED, None, worker.pk),
            (Action.STAFF_SIGN_IN_FAILED, None, None),
            (Action.STAFF_SIGN_IN_FAILED, None, None),
        ]
        assert {entry[3:] for entry in self.entries()} == {(timezone.now(), self.ADDRESS)}

    def test_a_guesser_writes_no_more_than_what_is_answered(self, worker, stopped):
        for _ in range(20):
            self.enter(worker.username)
        assert AuditEntry.objects.count() == 5

    def test_an_official_reads_them(self, worker):
        set_up_roles()
        self.enter(worker.username)
        desk = inside(employee(Role.OFFICIAL))
        listed = desk.get("/ru/admin/accounts/auditentry/?what=staff_code_wrong")
        assert len(listed.context["rows"]) == 1
        assert "пароль был верным" in listed.content.decode()
        entry = desk.get(f"/ru/admin/accounts/auditentry/{AuditEntry.objects.get().pk}/change/")
        page = entry.content.decode()
        assert worker.username in page
        assert self.ADDRESS in page


class TestOwnPassword:
    NEW = "жаңа құпия сөз"

    def change(self, desk, old, new=NEW):
        return desk.post(
            reverse("admin:password_change"),
            {"old_password": old, "new_password1": new, "new_password2": new},
        )

    def test_it_is_changed(self, worker):
        desk, other = inside(worker), inside(worker)
        assert self.change(desk, PASSWORD).url == reverse("admin:password_change_done")
        assert is_inside(desk)
        assert not is_inside(other)
        worker.refresh_from_db()
        assert worker.check_password(self.NEW)
        assert AuditEntry.objects.get().action == Action.PASSWORD_CHANGED
        assert desk.cookies[project.DEVICE_COOKIE_NAME].value

    def test_five_wrong_ones_in_a_quarter_of_an_hour(self, worker, stopped):
        desk = inside(worker)
        for _time in range(5):
            errors = self.change(desk, "wrong").context["form"].errors.as_data()
            assert errors["old_password"][0].code == "password_incorrect"
        stopped.shift(timedelta(minutes=15) - MICROSECOND)
        errors = self.change(desk, PASSWORD).context["form"].errors.as_data()
        assert errors["old_password"][0].code == "too_often"
        stopped.shift(MICROSECOND)
        assert self.change(desk, PASSWORD).status_code == 302

    def test_the_rule_for_passwords_holds(self, worker):
        assert self.change(inside(worker), PASSWORD, "short").status_code == 200


class TestLeavingTheDesk:
    """Employees sign in again after half an hour without a request; parents do not."""

    LIST = "/ru/admin/applications/bid/?state__exact=pending"

    def test_a_microsecond_before_it_is_open_and_then_it_is_shut(self, worker, stopped):
        for late, status in ((timedelta(minutes=30) - MICROSECOND, 200), (timedelta(minutes=30), 302)):
            desk = inside(worker)
            assert is_inside(desk)
            stopped.shift(late)
            assert desk.get(self.LIST).status_code == status

    def test_every_request_begins_the_half_hour_anew(self, worker, stopped):
        desk = inside(worker)
        for _visit in range(4):
            assert is_inside(desk)
            stopped.shift(timedelta(minutes=20))
        assert is_inside(desk)

    @pytest.mark.parametrize(
        ("prefix", "sentence"), [("", "Рұқсат етілген минут саны: 30."), ("/ru", "Допустимо минут: 30.")]
    )
    def test_the_page_says_why_and_signing_in_leads_back(self, worker, stopped, prefix, sentence):
        desk = inside(worker)
        assert is_inside(desk)
        stopped.shift(timedelta(minutes=30))
        page = f"{prefix}/admin/applications/bid/?state__exact=pending"
        door = desk.get(page, follow=True)
        assert door.redirect_chain == [(f"{prefix}/admin/login/?next={quote(page, safe='/')}", 302)]
        assert sentence in door.content.decode()
        assert not is_inside(desk)
        entry = {"username": worker.username, "password": PASSWORD, "otp_token": code_for(worker)}
        answer = desk.post(f"{prefix}/admin/login/", entry | {"next": door.context["next"]})
        assert (answer.status_code, answer["Location"]) == (302, page)
        assert desk.get(page).status_code == 200

    def test_nothing_is_done_by_a_late_press(self, worker, stopped):
        desk = inside(worker)
        assert is_inside(desk)
        stopped.shift(timedelta(minutes=30))
        answer = desk.post(reverse("admin:password_change"), {"old_password": PASSWORD})
        assert answer.status_code == 403
        assert reverse("admin:login") in answer.context["sign_in"]
        assert PASSWORD not in answer.content.decode()
        assert not is_inside(desk)

    def test_a_click_is_written_once_a_minute(self, worker, stopped):
        desk = inside(worker)
        assert is_inside(desk)
        written = []
        for seconds in (1, 58, 1, 1):
            stopped.shift(timedelta(seconds=seconds))
            with CaptureQueriesContext(connection) as queries:
                assert is_inside(desk)
            written.append(any("UPDATE django_session" in query["sql"] for query in queries))
        assert written == [False, False, True, False]

    def test_twelve_hours_after_signing_in_it_is_over_all_the_same(self, worker, stopped):
        desk = inside(worker)
        for _visit in range(12 * 3):
            assert is_inside(desk)
            stopped.shift(timedelta(minutes=20))
        assert not is_inside(desk)

    def test_a_setting_says_how_long(self, worker, stopped, settings):
        settings.STAFF_IDLE_MINUTES = 5
        desk = inside(worker)
        assert is_inside(desk)
        stopped.shift(timedelta(minutes=5))
        assert not is_inside(desk)


class TestRoles:
    def test_setting_up_twice_changes_nothing(self):
        set_up_roles()
        group = Group.objects.get(name="kindergarten")
        before = set(group.permissions.values_list("pk", flat=True))
        set_up_roles()
        assert set(group.permissions.values_list("pk", flat=True)) == before
        assert len(before) == len(PERMISSIONS[Role.KINDERGARTEN])

    def test_a_right_that_was_taken_away_does_not_stay(self):
        set_up_roles()
        group, official = (Group.objects.get(name=role) for role in ("kindergarten", "official"))
        group.permissions.set(official.permissions.all())
        set_up_roles()
        assert not group.permissions.filter(codename="change_rules").exists()

    def test_a_worker_may_change_no_rules_and_lift_no_stop(self, worker):
        assert not worker.has_perm("applications.change_rules")
        assert not worker.has_perm("applications.change_stoplistentry")
        assert not worker.has_perm("applications.view_application")


@pytest.fixture
def stopped():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller
