"""What a server without Docker gets from `deploy/`: units of systemd, the proxy, `manage.py`, a nightly backup."""

import os
import re
import shutil
import subprocess

import pytest
from django.conf import settings
from django.core.management import get_commands

from balabaqsha.postgresql import letters
from balabaqsha.queues import WORKERS

DEPLOY = settings.BASE_DIR / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# Only where there is a standby (docs/going-live.md), and also while the portal is stopped.
BESIDE = {"balabaqsha-standby"}
TARGET = DEPLOY / "systemd" / "balabaqsha.target"
FIRST_DAY = settings.BASE_DIR / "docs" / "first-day.md"
PLACE = "/srv/balabaqsha"


def command_of(name):
    text = (DEPLOY / "systemd" / f"balabaqsha-{name}.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    # systemd reads %% as %.
    return line.replace("%%", "%").split(" ")


@pytest.mark.parametrize("worker", WORKERS, ids=lambda one: one.name)
def test_a_worker_is_started_as_the_portal_starts_it(worker):
    assert command_of(worker.name) == [f"{PLACE}/.venv/bin/celery", "-A", "balabaqsha", *worker.command()]


def test_there_is_a_unit_for_each_process_and_no_more():
    processes = {"setup", "web", "beat", *(worker.name for worker in WORKERS)}
    assert {unit.stem for unit in UNITS} == {f"balabaqsha-{name}" for name in processes} | BESIDE


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_only_the_set_up_knows_the_owner_of_the_tables(unit):
    assert ("owner.env" in unit.read_text()) == (unit.stem == "balabaqsha-setup")


@pytest.mark.parametrize("unit", [one for one in UNITS if one.stem not in BESIDE], ids=lambda unit: unit.stem)
def test_all_of_them_are_started_stopped_and_restarted_by_one_name(unit):
    assert "PartOf=balabaqsha.target\n" in unit.read_text()
    (wanted,) = re.findall(r"^Wants=(.*)$", TARGET.read_text(), re.MULTILINE)
    # The others bring the set-up with them.
    assert (unit.name in wanted.split()) == ("Requires=balabaqsha-setup.service" in unit.read_text())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_understands_them(tmp_path):
    for unit in (TARGET, *UNITS):
        # The programs of this very checkout, and the account that runs the tests.
        text = unit.read_text().replace(f"{PLACE}/.venv", str(settings.BASE_DIR / ".venv"))
        (tmp_path / unit.name).write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "balabaqsha" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_a_unit_starts_is_there(unit):
    """Its program begins and knows its arguments: asked for help, each ends well."""
    program, *arguments = command_of(unit.stem.removeprefix("balabaqsha-"))
    done = subprocess.run(
        [program.replace(PLACE, str(settings.BASE_DIR)), *arguments, "--help"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", ["manage", "backup"])
def test_a_script_of_the_server_can_be_read_and_run(script):
    path = DEPLOY / script
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    assert path.stat().st_mode & 0o111


def test_manage_gives_the_owner_of_the_tables_to_commands_that_are_there():
    (names,) = re.findall(
        r"^    (.*)\) owner=--property=EnvironmentFile=", (DEPLOY / "manage").read_text(), re.MULTILINE
    )
    assert set(names.split(" | ")) == {"set_up", "migrate", "check", "import_city"}
    assert set(names.split(" | ")) <= get_commands().keys()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_manage_is_for_root():
    done = subprocess.run([DEPLOY / "manage", "ready"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "sudo manage.py" in done.stderr


def test_the_first_day_puts_each_of_them_in_place():
    told = FIRST_DAY.read_text()
    assert "install -m 644 deploy/systemd/balabaqsha* /etc/systemd/system/" in told
    for path in ("deploy/manage /usr/local/bin/manage.py", "deploy/backup /etc/cron.daily/balabaqsha"):
        assert f"install -m 755 {path}" in told
    assert "deploy/nginx/balabaqsha.conf > /etc/nginx/conf.d/balabaqsha.conf" in told


def test_the_proxy_takes_as_many_bytes_as_the_portal():
    proxy = (DEPLOY / "nginx" / "balabaqsha.conf").read_text()
    (most,) = re.findall(r"client_max_body_size (\d+)m;", proxy)
    assert int(most) * 1024 * 1024 >= settings.UPLOAD_FORM_MAX_BYTES
    assert "X-Forwarded-For $remote_addr;" in proxy  # and not what the visitor sent


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
def test_nginx_understands_the_proxy(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
         "-keyout", tmp_path / "x.key", "-out", tmp_path / "x.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    proxy = (
        (DEPLOY / "nginx" / "balabaqsha.conf")
        .read_text()
        .replace("/etc/ssl/bala.example.kz.", f"{tmp_path}/x.")
    )
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {proxy} }}")
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "errors"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_restored_database_is_made_as_the_first_one():
    """What the page of the first day makes, the page of operators makes anew."""
    for made in re.findall(r"CREATE DATABASE [^\"]*", FIRST_DAY.read_text()):
        assert made in (settings.BASE_DIR / "docs" / "operators.md").read_text()
    # And what the portal asks for that refuses another one.
    assert letters.REMEDY.rpartition("ENCODING")[2].rstrip(";") in FIRST_DAY.read_text()
