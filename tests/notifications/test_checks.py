"""The deploy check lets nobody go live with SMS that reach nobody."""

import pytest

from notifications.checks import (
    backends_exist,
    budgets_are_budgets,
    messages_leave_the_house,
    telegram_is_whole,
)

SMS = "notifications.sms"
SMSC, MOBIZON = f"{SMS}.smsc.SmscBackend", f"{SMS}.mobizon.MobizonBackend"
FAILOVER = f"{SMS}.failover.FailoverBackend"


@pytest.fixture
def live(settings):
    settings.DEBUG = settings.DEMO = False
    settings.SMS_BACKEND, settings.SMS_FAILOVER_BACKENDS = FAILOVER, [SMSC, MOBIZON]
    settings.SMSC_LOGIN, settings.SMSC_PASSWORD, settings.MOBIZON_API_KEY = "city", "secret", "key"
    settings.SMSC_URL, settings.MOBIZON_URL = "https://smsc.kz/sys/send.php", "https://api.mobizon.kz/send"
    return settings


def ids(check):
    return [problem.id for problem in check(app_configs=None)]


def test_a_complete_set_up_passes(live):
    assert ids(messages_leave_the_house) == ids(backends_exist) == []


@pytest.mark.parametrize("name", ["console.ConsoleBackend", "file.FileBackend"])
def test_a_gateway_to_nowhere_is_refused_also_behind_the_failover(live, name):
    live.SMS_FAILOVER_BACKENDS = [SMSC, f"{SMS}.{name}"]
    assert ids(messages_leave_the_house) == ["notifications.E003"]
    live.SMS_BACKEND = f"{SMS}.{name}"
    assert ids(messages_leave_the_house) == ["notifications.E003"]


@pytest.mark.parametrize("mode", ["DEBUG", "DEMO"])
def test_but_not_in_development_and_demo(live, mode):
    live.SMS_BACKEND = f"{SMS}.file.FileBackend"
    setattr(live, mode, True)
    assert ids(messages_leave_the_house) == []


@pytest.mark.parametrize("name", ["SMSC_LOGIN", "SMSC_PASSWORD", "MOBIZON_API_KEY"])
def test_missing_credentials_of_a_chosen_gateway(live, name):
    setattr(live, name, "")
    problems = messages_leave_the_house(app_configs=None)
    assert [problem.id for problem in problems] == ["notifications.E004"]
    assert name in problems[0].msg
    other = "mobizon.MobizonBackend" if name.startswith("SMSC") else "smsc.SmscBackend"
    assert problems[0].hint.endswith(f"SMS_FAILOVER_BACKENDS={SMS}.{other}")


def test_the_only_gateway_is_not_to_be_left_out(live):
    live.SMS_BACKEND, live.SMSC_LOGIN = SMSC, ""
    [problem] = messages_leave_the_house(app_configs=None)
    assert problem.hint == "Set SMSC_LOGIN."


def test_credentials_of_a_gateway_that_is_not_chosen_may_be_missing(live):
    live.SMS_BACKEND, live.MOBIZON_API_KEY = SMSC, ""
    assert ids(messages_leave_the_house) == []


def test_passwords_do_not_travel_in_the_clear(live):
    live.SMSC_URL = "http://smsc.kz/sys/send.php"
    assert ids(messages_leave_the_house) == ["notifications.E005"]


@pytest.mark.parametrize(
    "path", ["notifications.sms.nowhere.Backend", "notifications.sms.smsc.Nothing", "nodots"]
)
def test_a_gateway_that_does_not_exist(live, path):
    live.SMS_BACKEND = path
    assert ids(backends_exist) == ["notifications.E001"]


class FormerBackend:
    """A class of one's own from before gateways were told more."""

    def send(self, phone, text, *, idempotency_key): ...


def test_a_gateway_that_takes_not_what_it_is_told(live):
    live.SMS_FAILOVER_BACKENDS = [SMSC, f"{__name__}.FormerBackend"]
    assert ids(backends_exist) == ["notifications.E011"]


@pytest.mark.parametrize("path", ["..", "os.system", "os.path", "notifications.sms.base.SmsBackend"])
def test_what_is_no_gateway(live, path):
    live.SMS_FAILOVER_BACKENDS = [SMSC, path]
    assert ids(backends_exist) == ["notifications.E001"]


def test_a_gateway_that_is_named_twice(live):
    live.SMS_FAILOVER_BACKENDS = [SMSC, MOBIZON, SMSC]
    assert ids(backends_exist) == ["notifications.E007"]


@pytest.mark.parametrize("paths", [[], [FAILOVER]])
def test_a_failover_to_nobody(live, paths):
    live.SMS_FAILOVER_BACKENDS = paths
    assert ids(backends_exist) == ["notifications.E002"]


@pytest.mark.parametrize("name", ["SMS_BUDGET_PER_DAY", "SMS_CODES_PER_BLOCK_PER_HOUR"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_budget_of_nothing(live, name, value):
    assert ids(budgets_are_budgets) == []
    setattr(live, name, value)
    assert ids(budgets_are_budgets) == ["notifications.E006"]


def test_a_bot_has_a_name_and_is_spoken_to_over_tls(live):
    assert ids(telegram_is_whole) == []
    live.TELEGRAM_TOKEN, live.TELEGRAM_URL = "1:token", "http://api.telegram.org"
    assert ids(telegram_is_whole) == ["notifications.E030", "notifications.E031"]
    live.TELEGRAM_BOT, live.TELEGRAM_URL = "bala_bot", "https://api.telegram.org"
    assert ids(telegram_is_whole) == []
