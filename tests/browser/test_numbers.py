"""A number that changes and a number that was recycled, as people walk through it in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts import limits
from accounts.models import NumberMove, User
from accounts.numbers import moves
from accounts.registry import simulated_people
from notifications.clock import read_clock
from tests.accounts.walk import PHONE, newest_code
from tests.browser.walk import Walk
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory
from tests.thorough import whole_way

pytestmark = pytest.mark.browser

NEW, PASSWORD = "+77017770001", "parent-pass-1"
NUMBER = "/cabinet/profile/number/"


@pytest.fixture
def owner(transactional_db):
    owner = UserFactory(phone=PHONE)
    GuardianshipFactory(child=ChildFactory(), user=owner)
    return owner


def button(page, name):
    page.locator("main").get_by_role("button", name=name, exact=True).click()


def sign_in(walk, phone):
    walk.open("/login/")
    walk.fill(phone=phone, password=PASSWORD)
    button(walk.page, "Кіру")
    walk.page.wait_for_url("**/cabinet/**")


@whole_way
def test_a_parent_changes_the_number(page, live_server, owner):
    """With both codes at once; then without the former one, which is stopped in the profile."""
    walk = Walk(page, "kk")
    sign_in(walk, PHONE)
    walk.open("/cabinet/profile/")
    page.get_by_role("link", name="Телефон нөмірін ауыстыру").click()
    walk.fill(phone=NEW, password=PASSWORD)
    button(page, "Жаңа нөмірге код жіберу")
    expect(page).to_have_url(f"{live_server.url}{NUMBER}new/")
    walk.fill(code=newest_code(NEW))
    walk.press("send")
    button(page, "Код жіберу: +7 701 ••• 98 76")
    walk.fill(code=newest_code(PHONE))
    walk.press("send")
    walk.sees("Нөмір ауыстырылды", "+7 701 777 00 01")
    assert User.objects.get().username == NEW
    # And back again, without the number that is now the account's.
    walk.fill(phone=PHONE, password=PASSWORD)
    button(page, "Жаңа нөмірге код жіберу")
    walk.fill(code=newest_code(PHONE))
    walk.press("send")
    page.get_by_role("link", name="Қазіргі нөмірсіз ауыстыру").click()
    walk.sees("72 сағат")
    button(page, "Ауыстыруды сұрау")
    walk.sees("Нөмір ауысатын уақыт")
    button(page, "Нөмірді ауыстыруды тоқтату")
    walk.sees("Тоқтатылды. Аккаунттың нөмірі өзгермейді")
    assert User.objects.get().username == NEW


@whole_way
def test_a_stranger_registers_with_a_recycled_number(page, live_server, owner):
    User.objects.update(last_login=read_clock() - timedelta(days=120))
    walk = Walk(page, "ru")
    mother = simulated_people.everyone(today=read_clock().date())[7].person
    for waits in (True, False):
        walk.open("/register/")
        walk.fill(phone=PHONE)
        page.locator("[name=consent]").check()
        walk.press("request_code")
        page.wait_for_url("**/register/code/")
        walk.fill(code=newest_code(PHONE))
        walk.press("send")
        page.wait_for_url("**/register/password/")
        walk.fill(password="qupiya-soz-1", repeated="qupiya-soz-1")
        walk.press("save")
        page.wait_for_url("**/register/account/")
        walk.fill(identity=mother.iin)
        walk.press("send")
        walk.sees(str(mother.birth_date.year))
        walk.press("send")
        if waits:
            walk.sees("Номер другого аккаунта", "номер освободится")
            NumberMove.objects.update(due_at=read_clock())
            moves.complete_due(now=read_clock())
            # The next code would be a minute away.
            limits.lift_all(now=read_clock())
    walk.sees("Вы зарегистрированы")
    newcomer = User.objects.get(phone=PHONE)
    assert newcomer.profile.last_name == mother.last_name
    assert not newcomer.guardianships.exists()
    assert owner.guardianships.filter(ended_at=None).exists()
