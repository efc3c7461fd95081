"""How passwords are hashed: with which parameters, how many at once, and what a user who waits in vain is told."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django import forms
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, identify_hasher
from django.test import Client

from accounts import hashing, limits
from accounts.journal_actions import Action
from accounts.models import AuditEntry, User
from accounts.typed import is_typed_anew
from balabaqsha.serving.contract import REFUSAL
from tests.accounts.walk import PHONE, newest_code
from tests.factories import StaffFactory, UserFactory
from tests.patience import PATIENCE

PASSWORD = "қазан-айы-42"
HASHERS = ["accounts.hashing.Argon2Hasher", "accounts.hashing.PBKDF2Hasher"]
NOT_CHECKED = "Құпия сөзіңіз тексерілген жоқ"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _real_hashers(settings):
    settings.PASSWORD_HASHERS = HASHERS


@pytest.fixture
def parent():
    return UserFactory.create(phone=PHONE, password=hashing.Argon2Hasher().encode(PASSWORD, "salt" * 6))


def sign_in(client, password=PASSWORD, phone=PHONE, *, told: Any = None, **fields):
    return client.post("/login/", {"phone": phone, "password": password, **fields}, **(told or {}))


class TestParameters:
    def test_they_are_those_that_owasp_names(self):
        encoded = hashing.Argon2Hasher().encode(PASSWORD, "salt" * 6)
        assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")

    def test_the_settings_use_them(self):
        from balabaqsha import settings

        assert settings.PASSWORD_HASHERS == HASHERS

    def test_an_older_hash_is_renewed_by_signing_in(self, client):
        old = Argon2PasswordHasher().encode(PASSWORD, "salt" * 6)
        parent = UserFactory.create(phone=PHONE, password=old)
        assert sign_in(client, password="wrong").status_code == 200
        parent.refresh_from_db()
        assert parent.password == old
        assert sign_in(client).status_code == 302
        parent.refresh_from_db()
        assert "m=19456,t=2,p=1" in parent.password
        assert sign_in(Client()).status_code == 302

    def test_a_hash_of_another_kind_is_renewed_too(self, client):
        old = hashing.PBKDF2Hasher().encode(PASSWORD, "salt" * 6, iterations=1000)
        parent = UserFactory.create(phone=PHONE, password=old)
        assert sign_in(client).status_code == 302
        parent.refresh_from_db()
        assert identify_hasher(parent.password).algorithm == "argon2"

    def test_known_unknown_and_blocked_people_cost_one_hash_each(self, client, parent, monkeypatch):
        UserFactory.create(phone="+77017779870", password=parent.password, is_active=False)
        counted: list[object] = []
        monkeypatch.setattr(hashing, "_line", Counting(counted))
        for phone in (PHONE, "+77017779879", "+77017779870"):
            before = len(counted)
            assert sign_in(client, password="wrong", phone=phone).status_code == 200
            assert len(counted) - before == 1


class Counting(hashing.Line):
    def __init__(self, counted):
        super().__init__()
        self.counted = counted

    def compute(self, work):
        self.counted.append(work)
        return super().compute(work)


class TestLine:
    @pytest.fixture
    def held(self):
        """A line whose one place is taken until the event is set."""
        line, free, begun = hashing.Line(waiting=2, seconds=0.2), threading.Event(), threading.Event()

        def hold():
            begun.set()
            return free.wait(PATIENCE)

        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(line.compute, hold)
            assert begun.wait(PATIENCE)
            yield line, free
            free.set()
            # It had begun, so its time was not up.
            assert future.result(PATIENCE)

    def test_only_one_hashes_at_once(self):
        line, inside, seen = hashing.Line(waiting=40, seconds=60), [], []

        def work():
            inside.append(1)
            seen.append(len(inside))
            inside.pop()

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: line.compute(work), range(200)))
        assert set(seen) == {1}

    def test_without_the_line_they_would_overlap(self):
        barrier = threading.Barrier(5)
        with ThreadPoolExecutor(5) as pool:
            assert sorted(pool.map(lambda _: barrier.wait(PATIENCE), range(5))) == list(range(5))

    def test_who_waits_too_long_is_told_so_and_nothing_is_computed(self, held):
        line, free = held
        done = []
        with pytest.raises(hashing.HashingBusy):
            line.compute(lambda: done.append(1))
        free.set()
        assert line.compute(lambda: "next") == "next"
        assert done == []

    def test_a_full_line_is_told_at_once(self):
        """The one who hashes is this very thread's caller, so the line is full for certain, and nobody's time is up."""
        line = hashing.Line(waiting=0, seconds=60)

        def one_more():
            with pytest.raises(hashing.HashingBusy):
                line.compute(lambda: "never")
            return "done"

        assert line.compute(one_more) == "done"
        assert line.compute(lambda: "again") == "again"

    def test_errors_pass_and_the_line_goes_on(self):
        line = hashing.Line(waiting=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                line.compute(lambda: 1 // 0)
        assert line.compute(lambda: 1) == 1


class Busy:
    """A line in which no turn ever comes."""

    def compute(self, work):
        raise hashing.HashingBusy


@pytest.fixture
def busy(monkeypatch):
    monkeypatch.setattr(hashing, "_line", Busy())


def is_busy(answer) -> bool:
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert PASSWORD not in answer.content.decode()
    return NOT_CHECKED in answer.content.decode()


class TestBusy:
    def test_signing_in_keeps_the_form_and_counts_nothing(self, client, parent, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(hashing, "_line", Busy())
            for _ in range(limits.SIGN_IN_PER_ACCOUNT.times + 1):
                answer = sign_in(client, next="/cabinet/children/")
                assert is_busy(answer)
        assert answer.context["form"].kept == [("phone", PHONE), ("next", "/cabinet/children/")]
        assert list(answer.context["form"].fields) == ["password"]
        assert not AuditEntry.objects.exists()
        assert sign_in(client, next="/cabinet/children/").url == "/cabinet/children/"

    def test_in_russian(self, client, parent, busy):
        answer = client.post("/ru/login/", {"phone": PHONE, "password": PASSWORD})
        assert "Пароль не проверялся" in answer.content.decode()

    def test_an_employees_one_time_code_is_typed_anew(self, client, busy):
        StaffFactory.create(username="amina", password="!")
        fields = {"username": "amina", "password": PASSWORD, "otp_token": "123456", "next": "/admin/"}
        answer = client.post("/admin/login/", fields)
        assert is_busy(answer)
        assert list(answer.context["form"].fields) == ["password", "otp_token"]
        assert "123456" not in answer.content.decode()

    def test_registration_stays_where_it_was(self, client, busy):
        client.post("/register/", {"phone": PHONE, "consent": "on"})
        client.post("/register/code/", {"code": newest_code()})
        assert is_busy(client.post("/register/password/", {"password": PASSWORD, "repeated": PASSWORD}))
        assert client.get("/register/password/").status_code == 200

    def test_a_reset_may_be_sent_again(self, client, parent, monkeypatch):
        client.post("/password/reset/", {"phone": PHONE})
        client.post("/password/reset/code/", {"code": newest_code(), "proof": parent.profile.iin})
        fields = {"password": "жаңа құпия сөз", "repeated": "жаңа құпия сөз"}
        with monkeypatch.context() as patch:
            patch.setattr(hashing, "_line", Busy())
            assert is_busy(client.post("/password/reset/new/", fields))
        assert User.objects.get(pk=parent.pk).password == parent.password
        assert client.post("/password/reset/new/", fields).url == "/login/"
        assert AuditEntry.objects.get().action == Action.PASSWORD_RESET

    def test_changing_it_counts_no_wrong_one(self, parent, client_of, monkeypatch):
        browser = client_of(parent)
        fields = {"old_password": PASSWORD, "password": "жаңа құпия сөз", "repeated": "жаңа құпия сөз"}
        with monkeypatch.context() as patch:
            patch.setattr(hashing, "_line", Busy())
            for _ in range(limits.PASSWORD_PER_SESSION.times + 1):
                answer = browser.post("/cabinet/profile/password/", fields)
                assert is_busy(answer)
        assert set(answer.context["form"].fields) == set(fields)
        assert browser.post("/cabinet/profile/password/", fields).url == "/cabinet/profile/"
        assert check_password("жаңа құпия сөз", User.objects.get(pk=parent.pk).password)

    def test_whose_tries_are_used_up_costs_no_hash(self, parent, client_of, monkeypatch):
        browser = client_of(parent)
        fields = {"old_password": "wrong", "password": "жаңа құпия сөз", "repeated": "жаңа құпия сөз"}
        for _ in range(limits.PASSWORD_PER_SESSION.times):
            assert browser.post("/cabinet/profile/password/", fields).status_code == 200
        monkeypatch.setattr(hashing, "_line", Busy())
        assert browser.post("/cabinet/profile/password/", fields).status_code == 200

    def test_who_was_turned_away_by_the_web_server_reads_the_same(self, client, parent, monkeypatch):
        monkeypatch.setattr(hashing, "_line", None)  # no view is called
        answer = sign_in(client, told={REFUSAL: "passwords"})
        assert is_busy(answer)
        assert answer.context["form"].kept == [("phone", PHONE)]

    def test_a_foreign_page_can_not_fill_in_the_form(self, parent):
        strict = Client(enforce_csrf_checks=True)
        answer = sign_in(strict, told={REFUSAL: "passwords"})
        assert answer.status_code == 403
        assert PHONE not in answer.content.decode()

    def test_what_was_typed_is_shown_as_text(self, client, busy):
        answer = sign_in(client, next='"><script>alert(1)</script>')
        assert "<script>alert(1)" not in answer.content.decode()


def test_every_field_with_a_password_is_typed_anew():
    """Whatever form shows dots must not come back with what was typed behind them."""
    found = {
        name
        for form in every_form(forms.BaseForm)
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.PasswordInput)
    }
    assert {"password", "old_password", "repeated", "new_password1"} <= found
    assert all(is_typed_anew(name) for name in found)


def every_form(base):
    for form in base.__subclasses__():
        yield form
        yield from every_form(form)
