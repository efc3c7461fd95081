"""Telegram against a small real server that behaves like its interface for bots, and linking a chat."""

import json
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import connection

from accounts import telegram as links
from accounts.models import AuditEntry, User
from notifications import telegram
from notifications.delivery import Counts, deliver_telegrams
from notifications.kinds import KINDS, sample_context
from notifications.models import Message, Notice, TelegramMessage
from notifications.services import enqueue, forget_chat, send_again
from notifications.sms.base import Outcome, SendResult
from notifications.troubles import Trouble
from tests.notifications.gateways import fake_gateway

TOKEN = "123456:very-secret_token"
NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
PAGE, OFF = "/cabinet/profile/ways/telegram/", "/cabinet/profile/ways/telegram/off/"
TAKEN = (200, {"ok": True, "result": {"message_id": 7}})


def refusal(code, description):
    return code, {"ok": False, "error_code": code, "description": description}


@pytest.fixture
def bot(settings):
    """Telegram: `answers` by method, and what it was asked."""
    answers = {"sendMessage": TAKEN, "getUpdates": (200, {"ok": True, "result": []})}

    def answer(path, query, form):
        given = answers[path.rpartition("/")[2]]
        return given(form) if callable(given) else given

    with fake_gateway(answer) as (url, log):
        settings.TELEGRAM_URL, settings.TELEGRAM_TOKEN, settings.TELEGRAM_BOT = url, TOKEN, "bala_bot"
        answers["log"] = log
        yield answers


class TestContract:
    def send(self):
        return telegram.TelegramBackend().send("42", "Мәтін", idempotency_key="k")

    def test_the_text_goes_to_the_chat(self, bot):
        assert self.send() == SendResult(Outcome.ACCEPTED)
        [asked] = bot["log"]
        assert asked["path"] == f"/bot{TOKEN}/sendMessage"
        assert asked["form"] == {"chat_id": "42", "text": "Мәтін"}

    @pytest.mark.parametrize(("answer", "outcome", "error"), [
        (refusal(403, "Forbidden: bot was blocked by the user"), Outcome.REFUSED, Trouble.BLOCKED.value),
        (refusal(400, "Bad Request: chat not found"), Outcome.REFUSED, Trouble.BLOCKED.value),
        (refusal(400, "Bad Request: message is too long"), Outcome.REFUSED, "telegram: 400"),
        (refusal(401, "Unauthorized"), Outcome.UNAVAILABLE, "telegram: 401"),
        (refusal(404, "Not Found"), Outcome.UNAVAILABLE, "telegram: 404"),
        (refusal(429, "Too Many Requests: retry after 5"), Outcome.UNAVAILABLE, "telegram: 429"),
        (refusal(502, "Bad Gateway"), Outcome.UNCLEAR, "telegram: HTTP 502"),
        ((200, {"ok": False, "error_code": "\x00" * 50}), Outcome.UNAVAILABLE, "telegram: ?"),
        ((200, b"[1"), Outcome.UNCLEAR, "telegram: answer is not JSON"),
        ((200, []), Outcome.UNCLEAR, "telegram: answer is not an object"),
        ((302, {}), Outcome.UNAVAILABLE, "telegram: 302"),
    ], ids=["blocked", "gone", "text", "token", "path", "pace", "5xx", "nul", "half", "list", "redirect"])  # fmt: skip
    def test_what_its_answers_mean(self, bot, answer, outcome, error):
        bot["sendMessage"] = answer
        assert self.send() == SendResult(outcome, error=error)

    def test_nobody_there(self, bot, settings):
        settings.TELEGRAM_URL = "http://127.0.0.1:1"
        assert self.send().outcome is Outcome.UNAVAILABLE

    def test_the_token_is_in_no_log(self, bot, caplog):
        caplog.set_level(logging.DEBUG)
        bot["sendMessage"] = refusal(502, TOKEN)
        results = [self.send() for _time in range(4)]
        assert results[-1].outcome is Outcome.NOT_ASKED
        assert "secret" not in caplog.text
        assert not any("secret" in result.error for result in results)


@pytest.fixture
def linked(parent):
    User.objects.filter(pk=parent.pk).update(telegram="42")
    return User.objects.get(pk=parent.pk)


def tell(recipient, kind="bid_placed"):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key="1", now=NOW)


class TestDelivery:
    def test_what_waits_goes_out_as_the_sms_reads(self, bot, linked):
        tell(linked)
        assert deliver_telegrams(now=NOW) == Counts(sent=1)
        assert bot["log"][0]["form"]["text"] == Message.objects.get().text
        assert TelegramMessage.objects.get().state == TelegramMessage.State.SENT

    def test_the_chat_is_encrypted(self, bot, linked):
        tell(linked)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT telegram FROM accounts_user UNION SELECT chat FROM notifications_telegrammessage"
            )
            assert all(stored != "42" and len(stored) > 50 for (stored,) in cursor.fetchall() if stored)

    def test_who_blocks_the_bot_is_written_to_no_more(self, bot, linked, parent_client):
        tell(linked)
        bot["sendMessage"] = refusal(403, "Forbidden: bot was blocked by the user")
        assert deliver_telegrams(now=NOW) == Counts(failed=1)
        linked.refresh_from_db()
        assert linked.telegram == ""
        tell(linked, "bid_rejected")
        assert TelegramMessage.objects.count() == 1
        assert "бұғатталған" in parent_client.get(PAGE).content.decode()
        assert not send_again(TelegramMessage.objects.get(), now=NOW)

    def test_another_chat_linked_meanwhile_stays(self, bot, linked):
        tell(linked)
        row = TelegramMessage.objects.get()
        User.objects.update(telegram="43")
        forget_chat(row)
        assert User.objects.get().telegram == "43"

    def test_what_waits_for_a_former_chat_does_not_go(self, bot, linked):
        tell(linked)
        User.objects.update(telegram="")
        assert deliver_telegrams(now=NOW) == Counts(withheld=1)
        assert TelegramMessage.objects.get().error == Trouble.NOT_LINKED
        assert bot["log"] == []


def update(number, text, chat=42, kind="private"):
    return {"update_id": number, "message": {"chat": {"id": chat, "type": kind}, "text": text}}


def waiting(bot, *updates):
    """What people wrote: shown until it is confirmed, as Telegram does it."""

    def answer(form):
        left = [one for one in updates if one.get("update_id", 0) >= int(form.get("offset", 0))]
        return 200, {"ok": True, "result": left[: int(form["limit"])]}

    bot["getUpdates"] = answer


class TestLinking:
    @pytest.fixture(autouse=True)
    def no_links(self, db):
        cache.clear()

    def secret(self, client):
        link = client.post(PAGE).context["link"]
        assert link.startswith("https://t.me/bala_bot?start=")
        return link.partition("=")[2]

    def test_a_link_links_once_and_the_owner_is_told(self, bot, parent, parent_client, time_machine):
        time_machine.move_to(NOW)
        secret = self.secret(parent_client)
        waiting(bot, update(1, f"/start {secret}"), update(2, f"/start {secret}", chat=43))
        assert links.read_links(now=NOW) == 1
        parent.refresh_from_db()
        assert parent.telegram == "42"
        assert Notice.objects.get().kind == Message.objects.get().kind == "telegram_changed"
        assert TelegramMessage.objects.get().chat == "42"
        assert AuditEntry.objects.filter(action="telegram_changed", actor=parent).count() == 1
        assert links.read_links(now=NOW) == 0

    def test_telegram_is_told_what_it_may_forget(self, bot, parent_client):
        self.secret(parent_client)
        waiting(bot, *(update(number, "Сәлем") for number in range(1, 46)))
        assert links.read_links(now=NOW) == 0
        assert [asked["form"].get("offset") for asked in bot["log"]] == [None, "21", "41", "46"]

    @pytest.mark.parametrize("poison", [
        {"update_id": 1}, {"update_id": 1, "message": []}, {"update_id": 1, "message": {"chat": {"type": "private"}}},
        update(1, None), update(1, "/start"), update(1, "/start " + "x" * 500), update(1, "\x00"),
        update(1, "/start {secret}", kind="group"), update(1, "/start {secret}", chat="42"), {}, None,
    ], ids=range(11))  # fmt: skip
    def test_nonsense_holds_nobody_up(self, poison, bot, parent, parent_client):
        secret = self.secret(parent_client)
        poison = json.loads(json.dumps(poison).replace("{secret}", secret))
        asked = iter([[one for one in (poison, update(2, f"/start {secret}")) if one is not None], []])
        bot["getUpdates"] = lambda form: (200, {"ok": True, "result": next(asked)})
        assert links.read_links(now=NOW) == 1
        assert User.objects.get().telegram == "42"

    def test_answers_that_are_too_long_are_read_one_by_one_or_dropped(self, bot, parent, parent_client):
        secret = self.secret(parent_client)

        def answer(form):
            if int(form.get("offset", 0)) > 0:
                return 200, {"ok": True, "result": []}
            if form.get("offset") == "-1":
                return 200, {"ok": True, "result": [update(9, f"/start {secret}")]}
            return 200, {"ok": True, "result": [update(1, "x" * 70_000)]}

        bot["getUpdates"] = answer
        assert links.read_links(now=NOW) == 1

    def test_who_writes_without_end_holds_the_worker_for_half_a_minute(self, bot, parent_client, monkeypatch):
        self.secret(parent_client)
        moment = iter(range(0, 1000, 12))
        monkeypatch.setattr(links, "time", SimpleNamespace(monotonic=lambda: next(moment)))
        bot["getUpdates"] = lambda form: (200, {"ok": True, "result": [update(len(bot["log"]), "Сәлем")]})
        assert links.read_links(now=NOW) == 0
        assert len(bot["log"]) == 2

    @pytest.mark.parametrize("hindrance", ["password", "blocked", "over"])
    def test_a_link_falls_with_what_it_stood_on(self, hindrance, bot, parent, parent_client):
        secret = self.secret(parent_client)
        if hindrance == "password":
            parent.set_password("another-pass-1")
            parent.save()
        if hindrance == "blocked":
            User.objects.update(is_active=False)
        if hindrance == "over":
            cache.clear()
            cache.set("telegram-links", True)
        waiting(bot, update(1, f"/start {secret}"))
        assert links.read_links(now=NOW) == 0
        assert User.objects.get().telegram == ""

    def test_nobody_is_asked_while_no_link_is_open(self, bot, parent):
        assert links.read_links(now=NOW) == 0
        assert bot["log"] == []

    @pytest.mark.parametrize(
        "answer", [(401, {}), (502, {}), (200, {"result": 5}), (200, b"x")], ids=range(4)
    )
    def test_a_bot_that_does_not_answer_breaks_nothing(self, answer, bot, parent_client):
        self.secret(parent_client)
        bot["getUpdates"] = answer
        assert links.read_links(now=NOW) == 0

    def test_unlinking(self, bot, linked, parent_client):
        assert parent_client.post(OFF).url == "/cabinet/profile/ways/"
        linked.refresh_from_db()
        assert linked.telegram == ""
        assert Notice.objects.get().kind == "telegram_changed"
        parent_client.post(OFF)
        assert Notice.objects.count() == 1

    def test_without_a_token_there_is_no_page(self, settings, parent_client):
        assert parent_client.get(PAGE).status_code == parent_client.post(PAGE).status_code == 404
        ways = {row["way"] for row in parent_client.get("/cabinet/profile/ways/").context["rows"]}
        assert "telegram" not in ways


def test_a_link_lasts_a_quarter_of_an_hour():
    assert timedelta(minutes=15) == links.LINK_LASTS
