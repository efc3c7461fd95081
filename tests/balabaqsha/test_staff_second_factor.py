"""A lost phone: the administrator resets the second factor, and nobody but the owner ever sees a key."""

import re
from base64 import b32encode
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.sessions.backends.base import SessionBase
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.journal_actions import Action
from accounts.models import AuditEntry
from accounts.roles import Role
from tests.balabaqsha.test_admin_site import is_inside, sign_in
from tests.factories import StaffFactory, UserFactory
from tests.staff import code_of, employee, give_app, inside

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def chief():
    user = StaffFactory(username="chief", is_superuser=True)
    give_app(user)
    return user


@pytest.fixture
def worker():
    return employee(Role.KINDERGARTEN, username="aidana")


def reset_url(user):
    return reverse("admin:accounts_user_second_factor", args=[user.pk])


def set_up_url():
    return reverse("admin:set_up_app")


def code_on(page):
    (code,) = re.findall(r"<code>([a-z2-7]{16})</code>", page.content.decode())
    return code


def came_back(worker, code):
    """A browser in which the employee has signed in with the code that was handed over."""
    browser = Client()
    assert sign_in(browser, worker.username, code=code) == 302
    return browser


class TestNobodyElseSeesAKey:
    @pytest.mark.parametrize("model", ["otp_totp_totpdevice", "otp_static_staticdevice"])
    def test_devices_have_no_page_in_the_workplace(self, chief, worker, model):
        for page in ("changelist", "add", "change"):
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:{model}_{page}", args=[1] if page == "change" else [])
        app, name = model.rsplit("_", 1)
        number = TOTPDevice.objects.get(user=worker).pk
        for path in ("", f"{number}/change/", f"{number}/config/", f"{number}/qrcode/"):
            assert inside(chief).get(f"/admin/{app}/{name}/{path}").status_code == 404

    def test_no_page_of_the_employee_or_of_the_reset_holds_it(self, chief, worker):
        device = TOTPDevice.objects.get(user=worker)
        desk = inside(chief)
        before = [
            desk.get(reverse("admin:accounts_user_change", args=[worker.pk])),
            desk.get(reset_url(worker)),
            desk.post(reset_url(worker)),
        ]
        browser = came_back(worker, code_on(before[-1]))
        browser.get(set_up_url())
        new = TOTPDevice.objects.get(user=worker)
        after = desk.get(reverse("admin:accounts_user_change", args=[worker.pk]))
        for page in [*before, after]:
            for key in (device, new):
                assert b32encode(key.bin_key).decode() not in page.content.decode().replace(" ", "")
                assert key.key not in page.content.decode()

    def test_whoever_has_an_app_reads_no_key_on_the_page_to_set_one_up(self, worker):
        answer = inside(worker).get(set_up_url())
        assert answer.status_code == 302
        assert not TOTPDevice.objects.filter(confirmed=False).exists()


class TestReset:
    def test_it_asks_first(self, chief, worker):
        page = inside(chief).get(reset_url(worker))
        assert page.status_code == 200
        assert TOTPDevice.objects.filter(user=worker).exists()

    def test_the_way_back_with_a_new_phone(self, chief, worker):
        lost = TOTPDevice.objects.get(user=worker)
        at_work = inside(worker)
        code = code_on(inside(chief).post(reset_url(worker)))
        # The old app, and whoever sits at a desk that was left open, are out.
        assert sign_in(Client(), worker.username, code=code_of(lost)) == 200
        assert not is_inside(at_work)
        browser = came_back(worker, code)
        for page in ("admin:index", "admin:bulletin_vacancy_changelist"):
            assert browser.get(reverse(page)).url == set_up_url()
        shown = browser.get(set_up_url())
        app = TOTPDevice.objects.get(user=worker)
        assert b32encode(app.bin_key).decode() in shown.content.decode().replace(" ", "")
        assert "chief" in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        assert browser.post(set_up_url(), {"token": "000000"}).status_code == 200
        assert not TOTPDevice.objects.get(user=worker).confirmed
        assert browser.post(set_up_url(), {"token": code_of(app)}).status_code == 302
        assert is_inside(browser)
        assert not StaticDevice.objects.filter(user=worker).exists()
        later = timezone.now() + timedelta(minutes=2)
        with time_machine.travel(later):
            assert sign_in(Client(), worker.username, code=code_of(app)) == 302

    def test_the_code_counts_once_and_not_without_the_password(self, chief, worker):
        code = code_on(inside(chief).post(reset_url(worker)))
        assert sign_in(Client(), worker.username, password="guessed-1", code=code) == 200
        came_back(worker, code)
        assert sign_in(Client(), worker.username, code=code) == 200

    @pytest.mark.parametrize(
        ("after", "opens"),
        [
            (second_factor.RESET_CODE_LASTS - MICROSECOND, True),
            (second_factor.RESET_CODE_LASTS, False),
        ],
    )
    def test_the_code_has_an_end(self, worker, after, opens):
        now = timezone.now()
        code = second_factor.reset_second_factor(worker, actor=None, now=now)
        assert (second_factor.matching_device(worker, code, now=now + after) is not None) == opens

    def test_it_is_recorded_with_who_and_whom(self, chief, worker):
        page = inside(chief).post(reset_url(worker))
        entry = AuditEntry.objects.get(action=Action.SECOND_FACTOR_RESET)
        assert (entry.actor, entry.subject) == (chief, worker)
        assert code_on(page) not in f"{entry.target}{entry.reason}"
        browser = came_back(worker, code_on(page))
        browser.get(set_up_url())
        browser.post(set_up_url(), {"token": code_of(TOTPDevice.objects.get(user=worker))})
        assert AuditEntry.objects.get(action=Action.SECOND_FACTOR_SET_UP).actor == worker

    def test_another_session_can_not_exchange_an_app_that_is_set_up(self, worker):
        inside(worker)
        session = SessionBase()
        pending = second_factor.app_to_set_up(worker, session)
        shown = code_of(pending)
        assert second_factor.set_up_app(worker, shown, session=session, now=timezone.now()) is None
        assert TOTPDevice.objects.get(user=worker, confirmed=True) != pending

    def test_a_key_that_another_session_has_shown_does_not_count(self, chief, worker):
        seen, desk = SessionBase(), came_back(worker, code_on(inside(chief).post(reset_url(worker))))
        known = second_factor.app_to_set_up(worker, seen)
        shown = desk.get(set_up_url()).content.decode()
        assert b32encode(known.bin_key).decode() not in shown.replace(" ", "")
        assert desk.post(set_up_url(), {"token": code_of(known)}).status_code == 200
        own = TOTPDevice.objects.exclude(pk=known.pk).get(user=worker)
        assert desk.post(set_up_url(), {"token": code_of(own)}).status_code == 302
        assert TOTPDevice.objects.get(user=worker) == own

    def test_nobody_resets_their_own_or_a_parents(self, chief, worker):
        desk = inside(chief)
        assert desk.post(reset_url(chief)).status_code == 403
        assert desk.post(reset_url(UserFactory())).status_code == 403
        assert TOTPDevice.objects.filter(user=chief).exists()

    @pytest.mark.parametrize("role", Role)
    def test_employees_who_manage_nobody_can_not(self, worker, role):
        other = inside(employee(role))
        assert other.get(reset_url(worker)).status_code == 403
        assert other.post(reset_url(worker)).status_code == 403
        assert TOTPDevice.objects.filter(user=worker, confirmed=True).exists()

    @pytest.mark.parametrize(
        ("prefix", "words"), [("", "Екінші факторды ысыру"), ("/ru", "Сбросить второй фактор")]
    )
    def test_the_button_is_on_the_employees_page(self, chief, worker, prefix, words):
        url = prefix + reverse("admin:accounts_user_change", args=[worker.pk])
        desk = inside(chief)
        assert words in desk.get(url).content.decode()

    def test_the_last_administrator_has_a_command(self, chief):
        said = StringIO()
        call_command("reset_second_factor", "chief", stdout=said)
        (code,) = re.findall(r"code: (\w+)", said.getvalue())
        came_back(chief, code)
        with pytest.raises(CommandError):
            call_command("reset_second_factor", UserFactory().username, stdout=StringIO())
