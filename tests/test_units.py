"""The units of systemd: they start what the portal starts by itself, and systemd understands them."""

import re
import shutil
import subprocess

import pytest
from django.conf import settings

from balabaqsha.queues import WORKERS

UNITS = sorted((settings.BASE_DIR / "deploy" / "systemd").glob("*.service"))
PLACE = "/srv/balabaqsha"


def command_of(name):
    text = (settings.BASE_DIR / "deploy" / "systemd" / f"balabaqsha-{name}.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    # systemd reads %% as %.
    return line.replace("%%", "%").split(" ")


@pytest.mark.parametrize("worker", WORKERS, ids=lambda one: one.name)
def test_a_worker_is_started_as_the_portal_starts_it(worker):
    assert command_of(worker.name) == [f"{PLACE}/.venv/bin/celery", "-A", "balabaqsha", *worker.command()]


def test_there_is_a_unit_for_each_process_and_no_more():
    processes = {"setup", "web", "beat", *(worker.name for worker in WORKERS)}
    assert {unit.name for unit in UNITS} == {f"balabaqsha-{name}.service" for name in processes}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_only_the_set_up_knows_the_owner_of_the_tables(unit):
    assert ("owner.env" in unit.read_text()) == (unit.stem == "balabaqsha-setup")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_understands_them(tmp_path):
    for unit in UNITS:
        # The programs of this very checkout, and the account that runs the tests.
        text = unit.read_text().replace(f"{PLACE}/.venv", str(settings.BASE_DIR / ".venv"))
        (tmp_path / unit.name).write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.glob("*.service")))],
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
