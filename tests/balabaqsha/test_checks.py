"""What an installation may not be run with: each is refused by `check --deploy`, with its remedy."""

import os
import re
import runpy
import subprocess
import sys
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from balabaqsha import checks, command_line
from balabaqsha.servers.running import CHECKOUT
from tests.real_portal import ENVIRONMENT, FERNET_KEYS, OTHER_SECRET, SECRET, SETTINGS
from tests.thorough import pairs

EVERY = (
    checks.no_debug,
    checks.metrics_have_a_secret,
    checks.errors_can_be_told,
    checks.hosts_are_named,
    checks.keys_are_secret,
    checks.iin_keys_encrypt,
    checks.employees_are_guarded,
    checks.encrypted_on_the_way,
    checks.site_is_ours,
    checks.uploads_have_a_folder_of_their_own,
    checks.forms_come_from_us,
    checks.tables_have_an_owner,
    checks.operator_is_named,
    checks.map_says_whose_it_is,
    checks.zones_are_new,
)

NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere", "REDIS_URL": "redis://127.0.0.1:1/0"}


def found():
    return [problem for check in EVERY for problem in check(None)]


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator calls it, in this environment and nothing else; there is no database."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=bare | NOWHERE | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def real(settings, monkeypatch):
    # The tests in the browser set it for the whole process.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    return settings


def test_a_real_portal_passes(real):
    assert found() == []


@pytest.mark.parametrize("other", ["STATIC_ROOT", "SMS_FILE", "VAR_DIR", "BASE_DIR"])
def test_uploads_among_other_files(real, tmp_path, other):
    """The sweep would delete these hourly."""
    real.MEDIA_ROOT = tmp_path / "files"
    for inside in (tmp_path / "files", tmp_path / "files" / "deep" / "er"):
        with override_settings(**{other: inside}):
            assert [problem.id for problem in found()] == ["balabaqsha.E015"]
    with override_settings(**{other: tmp_path / "files-of-others"}):
        assert found() == []


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("https://bala.example.kz", True),
        ("http://bala.example.kz", False),
        ("https://evil.example", False),
        ("https://bala.example.kz/path", False),
        ("bala.example.kz", False),
        ("javascript://bala.example.kz", False),
    ],
)
def test_the_address_that_we_give_away(real, address, fits):
    real.ALLOWED_HOSTS = ["bala.example.kz"]
    real.SITE_URL = address
    assert [problem.id for problem in found()] == ([] if fits else ["balabaqsha.E014"])


@pytest.mark.parametrize(
    ("values", "number", "word"),
    [
        ({"DEBUG": True}, "E001", "Debug"),
        ({"HOSTS_ARE_NAMED": False}, "E002", "not set"),
        ({"ALLOWED_HOSTS": ["*"]}, "E003", "'*'"),
        ({"ALLOWED_HOSTS": ["bala.example.kz", "*"]}, "E003", "'*'"),
        ({"ALLOWED_HOSTS": ["*.example.kz"]}, "E003", "'*.example.kz'"),
        ({"ALLOWED_HOSTS": [".kz"]}, "E003", "'.kz'"),
        ({"ALLOWED_HOSTS": ["https://bala.example.kz"]}, "E003", "https"),
        ({"ALLOWED_HOSTS": ["bala.example.kz:443"]}, "E003", ":443"),
        (
            {"SECRET_KEY": "insecure-key-for-development-and-demo-only"},
            "E004",
            "SECRET_KEY is the one for dev",
        ),
        ({"SECRET_KEY": SECRET[:49]}, "E004", "SECRET_KEY is shorter than 50"),
        ({"SECRET_KEY": "abc" * 30}, "E004", "SECRET_KEY .* not random"),
        (
            {"IIN_HASH_KEY": "insecure-hash-key-for-development-and-demo-only"},
            "E004",
            "IIN_HASH_KEY is the one",
        ),
        ({"IIN_HASH_KEY": OTHER_SECRET[:39]}, "E004", "IIN_HASH_KEY is shorter"),
        ({"IIN_HASH_KEY": SECRET}, "E004", "the same"),
        ({"IIN_KEYS": ["aW5zZWN1cmUta2V5LWZvci1kZXZlbG9wbWVudC0wMDE="]}, "E005", "key 1 is the one for dev"),
        ({"IIN_KEYS": [FERNET_KEYS[0], "aW5zZWN1cmUta2V5LWZvci1kZXZlbG9wbWVudC0wMDE="]}, "E005", "key 2"),
        ({"IIN_KEYS": [FERNET_KEYS[0], "a password"]}, "E005", "key 2 is no Fernet key"),
        ({"IIN_KEYS": [FERNET_KEYS[0][:-4]]}, "E005", "no Fernet key"),
        ({"IIN_KEYS": ["құпия"]}, "E005", "no Fernet key"),
        ({"IIN_KEYS": ["A" * 43 + "="]}, "E005", "not random"),
        ({"STAFF_SECOND_FACTOR": False}, "E006", "second factor"),
        ({"METRICS_TOKEN": "secret"}, "E025", "shorter than 32"),
        ({"METRICS_TOKEN": "ab" * 16}, "E025", "not random"),
        ({"ERRORS_TO": ["us@bala.example.kz"], "SENDS_MAIL": False}, "E026", "ERRORS_TO"),
        ({"ERRORS_TO": ["us"], "SENDS_MAIL": True}, "E026", "ERRORS_TO"),
        ({"STAFF_IDLE_MINUTES": 4}, "E007", "4 minutes"),
        ({"STAFF_IDLE_MINUTES": 121}, "E007", "121 minutes"),
        ({"STAFF_IDLE_MINUTES": -1}, "E007", "-1 minutes"),
        ({"HTTPS": False}, "E008", "HTTPS is off"),
        ({"BEHIND_PROXY": False}, "E009", "where HTTPS ends"),
        ({"TLS_ENDS_HERE": True}, "E009", "said twice"),
        ({"TRUSTED_PROXIES": 0}, "E013", "TRUSTED_PROXIES is 0"),
        ({"TRUSTED_PROXIES": 6}, "E013", "TRUSTED_PROXIES is 6"),
        ({"BEHIND_PROXY": False, "TLS_ENDS_HERE": True, "TRUSTED_PROXIES": 2}, "E013", "is 2"),
        ({"CSRF_TRUSTED_ORIGINS": ["http://bala.example.kz"]}, "E016", "http://bala"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.kz"]}, "E016", r"\*\.kz"),
        ({"OWNER_IS_NAMED": False}, "E017", "MIGRATE_DATABASE_URL is not set"),
        ({"OWNER_IS_THE_PORTAL": True}, "E018", "the same role"),
        ({"OPERATOR_NAME_KK": ""}, "E019", r"OPERATOR_NAME_KK\.$"),
        ({"OPERATOR_NAME_RU": "", "OPERATOR_BIN": ""}, "E019", r"OPERATOR_NAME_RU, OPERATOR_BIN\.$"),
        ({"OPERATOR_ADDRESS_RU": ""}, "E019", r"OPERATOR_ADDRESS_RU\.$"),
        ({"OPERATOR_BIN": "000000000011"}, "E020", "OPERATOR_BIN"),
        ({"OPERATOR_BIN": "000000000000"}, "E020", "OPERATOR_BIN"),
        ({"OPERATOR_BIN": "0000 0000 0010"}, "E020", "OPERATOR_BIN"),
        ({"CONTACT_PHONES": ["8 (727) 339-72-22", "8 (747) 339-72-22 (WhatsApp)"]}, "E021", "CONTACT_PHONES"),
        ({"CONTACT_PHONES": ["ask the department"]}, "E021", "CONTACT_PHONES"),
        ({"CONTACT_PHONES": ["8 (727) 123-45-67 ext. 12345"]}, "E021", "CONTACT_PHONES"),
    ],
)
def test_what_is_refused_names_its_remedy(real, values, number, word):
    for name, value in values.items():
        setattr(real, name, value)
    [problem] = found()
    assert problem.id == f"balabaqsha.{number}"
    assert re.search(word, problem.msg)
    assert problem.hint
    with pytest.raises(CommandError, match=rf"balabaqsha\.{number}"):
        call_command("check", deploy=True)


@pytest.mark.parametrize("minutes", [5, 120])
def test_the_limits_of_idle_minutes_are_within(real, minutes):
    real.STAFF_IDLE_MINUTES = minutes
    assert found() == []


def test_tls_may_end_here(real):
    real.BEHIND_PROXY, real.TLS_ENDS_HERE = False, True
    assert found() == []


class Before2024(ZoneInfo):
    """Asia/Almaty as time-zone data before 2024a has it."""

    def utcoffset(self, moment):
        return timedelta(hours=6)


def test_old_zones_are_told_by_an_hour_and_not_by_a_version(real, monkeypatch):
    monkeypatch.setattr(
        checks, "ZoneInfo", lambda key: Before2024(key) if key == "Asia/Almaty" else ZoneInfo(key)
    )
    [problem] = found()
    assert problem.id == "balabaqsha.E010"
    assert "Asia/Almaty" in problem.msg
    assert "Asia/Qostanay" not in problem.msg
    assert "tzdata" in problem.hint


@pytest.mark.django_db
def test_the_database_reckons_by_zones_of_its_own(monkeypatch):
    assert checks.zones_of_the_database_are_new(None, databases=["default"]) == []
    # Omsk keeps UTC+6, as Almaty did.
    monkeypatch.setattr(checks, "ZONES", ("Asia/Almaty", "Asia/Omsk"))
    [problem] = checks.zones_of_the_database_are_new(None, databases=["default"])
    assert problem.id == "balabaqsha.E012"
    assert "Asia/Omsk" in problem.msg
    assert "Almaty" not in problem.msg


def test_the_database_is_asked_only_where_it_is_named():
    assert checks.zones_of_the_database_are_new(None) == []
    assert checks.role_owns_nothing(None) == []


def settings_of(**environment: str) -> dict[str, Any]:
    """What `balabaqsha.settings` makes of this environment and nothing else."""
    with patch.dict(os.environ, NOWHERE | environment, clear=True):
        return runpy.run_path(str(CHECKOUT / "balabaqsha" / "settings.py"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "garbage"),
        ("DATABASE_URL", "postgres://web@db/city?nothing=1"),
        ("PERSON_REGISTRY_URL", "https://"),
        ("SMSC_URL", "https://[::1"),
        ("MAP_TILES_URL", "https://tiles.example/{z}/{x}.png"),
        ("MAP_TILES_URL", "https://{s}.tiles.example/{z}/{x}/{y}.png"),
        ("MAP_TILES_URL", "https://tiles.example; script-src *;/{z}/{x}/{y}"),
        ("MAP_TILES_URL", "tiles/{z}/{x}/{y}"),
        ("MOBIZON_URL", "https://h:abc/"),
        ("PERSON_REGISTRY_TOKEN", "to\nken"),
        ("CSRF_TRUSTED_ORIGINS", "https://bala.example.kz/admin"),
        ("WEB_WORKERS", "0"),
        ("SMS_NEWCOMERS_PERCENT", "101"),
        ("SMS_BUDGET_PER_DAY", "9" * 5000),
    ],
)
def test_what_can_not_be_read_is_named_in_one_line(name, value):
    with pytest.raises(ImproperlyConfigured) as stopped:
        settings_of(**ENVIRONMENT | {name: value})
    words = command_line.in_words(stopped.value) or ""
    assert name in words
    assert len(words.splitlines()) == 1
    assert len(words) < 400


@pytest.mark.parametrize("hosts", [{}, {"ALLOWED_HOSTS": ""}, {"ALLOWED_HOSTS": " , "}])
def test_hosts_that_nobody_named_are_told_from_named_ones(real, hosts):
    unnamed = {name: value for name, value in ENVIRONMENT.items() if name != "ALLOWED_HOSTS"}
    for given, problems in (hosts, ["balabaqsha.E002"]), ({"ALLOWED_HOSTS": "localhost"}, []):
        made = settings_of(**unnamed | given)
        real.ALLOWED_HOSTS, real.HOSTS_ARE_NAMED = made["ALLOWED_HOSTS"], made["HOSTS_ARE_NAMED"]
        assert [problem.id for problem in found()] == problems


@pytest.mark.parametrize("name", ["PERSON_REGISTRY", "SMS_BACKEND"])
@pytest.mark.parametrize("path", ["..", ".", "a..b", "os.system", "os.path", "typing.Protocol"])
def test_what_is_no_class_of_ours_is_named(real, name, path):
    assert settings_of(**ENVIRONMENT | {name: path})[name] == path
    setattr(real, name, path)
    with pytest.raises(SystemCheckError, match=f"(?s)can't be imported.*Set {name}"):
        call_command("check")


class TestByCommand:
    """What is said above, as an operator meets it: each command is a process, which takes seconds."""

    def test_a_real_environment_passes_in_silence(self):
        done = manage("check", "--deploy", "--fail-level", "WARNING", **ENVIRONMENT)
        assert (done.returncode, done.stderr) == (0, "")
        assert "no issues" in done.stdout

    @pytest.mark.parametrize(
        ("command", "owner"),
        list(
            pairs(
                [["set_up"], ["check", "--deploy"]],
                [("", "E017"), ("postgres://nobody@127.0.0.1:1/nowhere", "E018")],
            )
        ),
    )
    def test_who_owns_the_tables_is_somebody_else(self, command, owner):
        address, number = owner
        done = manage(*command, **ENVIRONMENT | {"MIGRATE_DATABASE_URL": address})
        assert done.returncode == 1
        assert f"balabaqsha.{number}" in done.stderr
        assert "Traceback" not in done.stderr

    def test_what_can_not_be_read_is_said_in_one_line(self):
        done = manage("check", **ENVIRONMENT | {"REDIS_URL": "garbage"})
        assert done.returncode == 1
        assert "REDIS_URL" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_everything_that_is_wrong_is_said_at_once(self):
        wrong = {"ALLOWED_HOSTS": " , ", "PERSON_REGISTRY": "no.such.Registry", "SMS_BACKEND": ".."}
        done = manage("check", "--deploy", **ENVIRONMENT | wrong)
        assert done.returncode == 1
        for problem in ("balabaqsha.E002", "accounts.E004", "notifications.E001"):
            assert problem in done.stderr
        assert "Traceback" not in done.stderr

    def test_set_up_stops_with_the_words_before_it_touches_anything(self):
        done = manage("set_up", **ENVIRONMENT | {"STAFF_SECOND_FACTOR": "0"})
        assert done.returncode == 1
        assert "balabaqsha.E006" in done.stderr
        assert "Unset STAFF_SECOND_FACTOR" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Message catalogues" not in done.stdout
