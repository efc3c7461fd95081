"""The steps of a family and of an employee, as they do them with their own hands in a browser."""

import re
import time
from pathlib import Path
from typing import Any

from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from balabaqsha.celery import app
from notifications.sms.file import read_newest
from tests.patience import PATIENCE
from tests.staff import code_of

FATHER, DAUGHTER = "940225300009", "170720600007"
PHONE, PASSWORD = "+77017779876", "qupiya-soz-1"
SWEEP_SECONDS = 5
SWEEPS = (
    "applications.tasks.tell_placed_bids",
    "notifications.tasks.deliver_due_messages",
    "applications.tasks.render_missing_referrals",
)

# The manual's words for what is pressed and read, in both languages of the portal.
WORDS = {
    "kk": {
        "register": "Тіркелу",
        "request_code": "Код сұрату",
        "send": "Жіберу",
        "save": "Сақтау",
        "add_child": "Баланы қосу",
        "check_iin": "ЖСН тексеру",
        "add_application": "Өтініш қосу",
        "next": "Келесі",
        "confirm": "Растау",
        "withdraw": "Өтінімді кері қайтарып алу",
        "apply": "Өтініш жіберу",
        "view": "Көру",
        "download": "Жолдаманы жүктеу",
        "extend": "Жолдаманы ұзарту",
        "notices": "Хабарламалар",
        "waiting": "Орын күтілуде",
        "interested": "Мүдделі",
        "done": "Орындалды",
        "current": "Ағымдағы",
        "ahead": "Алда",
        "clock": "Эталондық сервер уақыты",
        "activate": "Активтендіру",
        "sign": "Шартқа қол қою",
        "stopped": "Тоқтатым-парақта",
    },
    "ru": {
        "register": "Регистрация",
        "request_code": "Запросить код",
        "send": "Отправить",
        "save": "Сохранить",
        "add_child": "Добавить ребёнка",
        "check_iin": "Проверить ИИН",
        "add_application": "Добавить заявление",
        "next": "Далее",
        "confirm": "Подтвердить",
        "withdraw": "Отозвать заявку",
        "apply": "Подать заявку",
        "view": "Просмотр",
        "download": "Скачать направление",
        "extend": "Продлить направление",
        "notices": "Уведомления",
        "waiting": "Ожидает места",
        "interested": "Заинтересован",
        "done": "Выполнено",
        "current": "Текущий",
        "ahead": "Предстоит",
        "clock": "Эталонное время сервера",
        "activate": "Активировать",
        "sign": "Подписать договор",
        "stopped": "В стоп-листе",
    },
}


class Walk:
    """A browser page and the language in which its person reads."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language
        self.words = WORDS[language]

    def open(self, path: str) -> None:
        self.page.goto(path if self.language == "kk" else f"/ru{path}")

    def press(self, word: str, *, within: str = "main") -> None:
        """Press the first button or link with this label."""
        self.control(word, within=within).first.click()

    def control(self, word: str, *, within: str = "main") -> Locator:
        """Buttons and links with this label; after a colon they may name their object to a screen reader."""
        name = re.compile(rf"^\s*{re.escape(self.words[word])}\s*(:.*)?$")
        place = self.page.locator(within)
        return place.get_by_role("button", name=name).or_(place.get_by_role("link", name=name))

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").first.fill(value)

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)


class Family(Walk):
    def register(self) -> None:
        self.open("/register/")
        self.fill(phone="8 701 777 98 76")
        self.page.locator("[name=consent]").check()
        self.press("request_code")
        self.page.wait_for_url("**/register/code/")
        self.fill(code=sms_code())
        self.press("send")
        self.page.wait_for_url("**/register/password/")
        for field in self.page.locator("input[type=password]").all():
            field.fill(PASSWORD)
        self.press("save")
        self.page.wait_for_url("**/register/account/")
        self.fill(identity=FATHER)
        self.press("send")
        self.sees("ЕРМЕК", "КАМЕНОВ", "25.02.1994")
        self.press("send")
        self.page.wait_for_url("**/cabinet/**")

    def add_daughter(self) -> None:
        self.open("/cabinet/children/")
        self.press("add_child")
        self.fill(iin=DAUGHTER)
        self.press("check_iin")
        self.page.wait_for_url("**/cabinet/children/add/check/")
        self.sees("КАМЕНОВА", "ДАНИЯ", "ЕРМЕКОВНА", "20.07.2017")
        self.press("save")
        self.page.wait_for_url("**/cabinet/applications/new/**")
        self.sees("ДАНИЯ")

    def file_application(self) -> None:
        self.open("/cabinet/applications/")
        self.press("add_application")
        for language in ("kk", "ru"):
            self.page.locator(f"[name=languages][value={language}]").check()
        self.press("next")
        self.sees("ДАНИЯ")
        self.page.locator("main form button:not([name])").first.click()
        self.page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))

    def open_application(self) -> None:
        self.open("/cabinet/applications/")
        self.press("view")
        self.page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))

    def bid(self) -> None:
        """From step 2 of the application to the bulletin, the card, the child and the confirmation."""
        self.open_application()
        self.press("view", within=".tracker")
        self.sees(self.words["clock"])
        # The whole card is a link on a phone; a table has a button as well.
        self.page.locator("main .listings .cell-title a").first.click()
        self.page.wait_for_url(re.compile(r"/bulletin/[0-9a-f-]{36}/"))
        self.press("apply")
        self.press("confirm")
        self.page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))

    def download_referral(self, folder: Path) -> Path:
        self.open_application()
        with self.page.expect_download() as download:
            self.press("download")
        target = folder / download.value.suggested_filename
        download.value.save_as(target)
        return target

    def extend_referral(self, proof: Path, until: str) -> None:
        self.open_application()
        self.press("extend")
        self.fill(until=until)
        self.page.locator("[name=reason][value=illness]").check()
        self.page.locator("[name=documents]").set_input_files(proof)
        for box in self.page.locator("main input[type=checkbox]").all():
            box.check()
        self.press("extend")
        self.page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/$"))

    def notices(self) -> list[str]:
        """The texts of the inbox, newest first."""
        self.open("/cabinet/notifications/")
        return self.page.locator("main tbody tr, main .inbox > li").all_inner_texts()

    def steps(self) -> list[str]:
        """The words that stand at the four steps: done, current or ahead."""
        return self.page.locator(".tracker__state").all_inner_texts()


class Employee(Walk):
    def sign_in(self, user: User) -> None:
        self.open("/admin/")
        self.page.locator("[name=username]").fill(user.username)
        self.page.locator("[name=password]").fill("staff-pass-1")
        self.page.locator("[name=otp_token]").fill(code_of(TOTPDevice.objects.get(user=user)))
        self.page.locator("form#login-form button[type=submit]").click()

    def activate(self) -> None:
        self._work_at("bid", "activate")

    def sign_contract(self) -> None:
        self._work_at("referral", "sign")

    def _work_at(self, what: str, word: str) -> None:
        """Open the first object on the page of today, press its button and confirm."""
        self.open("/admin/")
        self.page.locator(f"#content a[href*='/applications/{what}/'][href*='change']").first.click()
        name = re.compile(re.escape(self.words[word]))
        self.page.locator(".works").get_by_role("link", name=name).first.click()
        button = self.page.locator("form .works").get_by_role("button", name=name)
        # If it fails, it says where: the press was not sent, not answered, refused, or not told.
        with (
            self.page.expect_response(lambda got: got.request.method == "POST") as answer,
            self.page.expect_request(lambda sent: sent.method == "POST"),
        ):
            button.click()
        assert answer.value.status == 302
        expect(self.page.locator(".messagelist .success")).to_be_visible()


def sms_code() -> str:
    """The code in the newest SMS that the worker has sent."""
    return re.search(r"\b\d{6}\b", wait_for(lambda: newest_sms(1)))[0]


def newest_sms(count: int) -> str:
    """The newest SMS, or nothing until there are `count` of them."""
    sent = read_newest(50)
    return sent[0]["text"] if len(sent) >= count else ""


def wait_for(found: Any) -> Any:
    """What `found()` gives as soon as it gives anything: the worker needs a moment.

    A wake-up call may be lost, by design; so the sweeps that the beat sends are sent here, too.
    """
    began = last_sweep = time.monotonic()
    while time.monotonic() < began + PATIENCE:
        if result := found():
            return result
        if time.monotonic() > last_sweep + SWEEP_SECONDS:
            for task in SWEEPS:
                app.send_task(task)
            last_sweep = time.monotonic()
        time.sleep(0.05)
    raise AssertionError("the worker did not do it in time")
