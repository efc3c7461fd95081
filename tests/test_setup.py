"""What the two set-up commands rely on: the locks, the installer that runs before anything is there, the Makefile."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.txt", "requirements-dev.txt"]


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / "bin"))
    import prepare

    return prepare


def pins(lock):
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \n]+)", (CHECKOUT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_hashes_and_no_address(lock):
    text = (CHECKOUT / lock).read_text()
    packages = re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    assert len(packages) > 40
    for package in packages:
        assert re.match(
            r"^[a-z0-9-]+==[^ ]+ (; [^\\]+ )?\\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n?)+$", package
        )
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_the_development_lock_holds_the_other_one_whole():
    assert pins(LOCKS[0]).items() <= pins(LOCKS[1]).items()


def test_the_locks_hold_every_declared_dependency_and_are_what_is_installed():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    for lock, declared in (
        (LOCKS[0], project["project"]["dependencies"]),
        (LOCKS[1], project["dependency-groups"]["dev"]),
    ):
        for requirement in declared:
            name = re.match(r"[A-Za-z0-9-]+", requirement)[0].lower()
            assert name in pins(lock)
            assert version(name) == pins(lock)[name]


def test_the_installer_needs_nothing_installed():
    code = "import sys; sys.path.insert(0, 'bin'); import prepare; assert prepare.__doc__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=CHECKOUT, check=False)
    assert done.returncode == 0


def test_only_cuts_one_package_out_of_a_lock(prepare):
    lock = (
        "a==1 \\\n    --hash=sha256:1\nsetuptools==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\nz==1\n"
    )
    assert (
        prepare.only(lock, "setuptools") == "setuptools==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    )
    with pytest.raises(prepare.Stop, match="does not name"):
        prepare.only(lock, "tools")


@pytest.mark.parametrize(
    ("known", "browser"), [("Package: chromium-headless-shell", "chromium-headless-shell"), ("", "chromium")]
)
def test_a_user_without_rights_gets_the_one_command(prepare, monkeypatch, tmp_path, known, browser):
    """It names the lighter browser where apt knows of it."""
    apt_cache = tmp_path / "apt-cache"
    apt_cache.write_text(f"#!/bin/sh\necho -n '{known}'\n")
    apt_cache.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prepare, "apt_prefix", lambda: None)
    with pytest.raises(
        prepare.Stop, match=rf"apt-get install -y --no-install-recommends {browser} libpango-1\.0-0\n"
    ):
        prepare.install_packages(["chromium", "libpango-1.0-0"])


def test_the_lighter_browser_is_installed_once_apt_has_read_its_lists(prepare, monkeypatch, tmp_path):
    for name, code in (("apt-get", 'echo "$@" >> ran'), ("apt-cache", "grep -qs update ran && echo Package")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(prepare, "CHECKOUT", tmp_path)
    monkeypatch.setattr(prepare, "apt_prefix", list)
    prepare.install_packages(["chromium", "libpango-1.0-0"])
    *_updated, installed = (tmp_path / "ran").read_text().splitlines()
    assert installed.split()[-2:] == ["chromium-headless-shell", "libpango-1.0-0"]


def test_sudo_is_used_only_where_it_asks_no_password(prepare, monkeypatch, tmp_path):
    for name, code in (("apt-get", 0), ("sudo", 1)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 1000)
    assert prepare.apt_prefix() is None
    (tmp_path / "sudo").write_text("#!/bin/sh\nexit 0\n")
    assert prepare.apt_prefix() == ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]


def test_a_missing_browser_is_a_missing_package_for_tests_only(prepare, monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "chromium" in prepare.missing_packages("test")
    assert "chromium" not in prepare.missing_packages("run")
    (tmp_path / "google-chrome").write_text("#!/bin/sh\n")
    (tmp_path / "google-chrome").chmod(0o755)
    assert "chromium" not in prepare.missing_packages("test")
    assert prepare.browser() == str(tmp_path / "google-chrome")


def test_a_chosen_browser_that_is_none_is_named(prepare, monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chrome")
    with pytest.raises(prepare.Stop, match="/nowhere/chrome"):
        prepare.browser()


def test_a_missing_library_names_its_package(prepare, monkeypatch):
    monkeypatch.setattr(prepare, "can_load", lambda library: library != "libpango-1.0.so.0")
    assert "libpango-1.0-0" in prepare.missing_packages("run")
    assert "libharfbuzz-subset0" not in prepare.missing_packages("run")


def test_only_the_tests_need_what_drives_the_browser(prepare, monkeypatch):
    monkeypatch.setattr(prepare, "can_load", lambda library: library != "libatomic.so.1")
    assert "libatomic1" in prepare.missing_packages("test")
    assert "libatomic1" not in prepare.missing_packages("run")


def test_a_python_without_ensurepip_needs_the_venv_package(prepare, monkeypatch, tmp_path):
    monkeypatch.setattr(prepare, "CHECKOUT", tmp_path)
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda name: None)
    assert f"python{sys.version_info.major}.{sys.version_info.minor}-venv" in prepare.missing_packages("run")


def test_an_installed_lock_is_not_installed_again(prepare, monkeypatch, tmp_path):
    for lock in LOCKS:
        (tmp_path / lock).write_text("setuptools==1 \\\n    --hash=sha256:1\n")
    venv = tmp_path / ".venv"
    venv.mkdir()
    runs = []
    monkeypatch.setattr(prepare, "install_requirements", lambda text, **options: runs.append(text))
    runtime, dev = (tmp_path / lock for lock in LOCKS)
    prepare.install_lock(dev, venv=venv)
    first = len(runs)
    prepare.install_lock(dev, venv=venv)
    prepare.install_lock(runtime, venv=venv)  # the development lock includes it
    assert len(runs) == first > 0
    runtime.write_text("setuptools==2 \\\n    --hash=sha256:1\n")
    prepare.install_lock(runtime, venv=venv)
    assert len(runs) == 2 * first


def test_a_failed_installation_is_tried_again(prepare, monkeypatch, tmp_path):
    for lock in LOCKS:
        (tmp_path / lock).write_text("setuptools==1 \\\n    --hash=sha256:1\n")
    venv = tmp_path / ".venv"
    venv.mkdir()

    def fail(text, **options):
        raise prepare.Stop("no network")

    monkeypatch.setattr(prepare, "install_requirements", fail)
    for _ in range(2):
        with pytest.raises(prepare.Stop, match="no network"):
            prepare.install_lock(tmp_path / LOCKS[0], venv=venv)


def test_a_wrong_hash_is_refused_by_pip(prepare, tmp_path):
    wanted = "six==1.17.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    wheel = tmp_path / "six-1.17.0-py2.py3-none-any.whl"
    wheel.write_bytes(b"not what was locked")
    with pytest.raises(prepare.Stop, match=r"THESE PACKAGES DO NOT MATCH THE HASHES|hash"):
        prepare.install_requirements(
            wanted.replace("six==1.17.0", f"six @ file://{wheel}"), venv=Path(sys.prefix)
        )


def test_make_help_names_every_command():
    printed = subprocess.run(
        ["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    for name in ("run", "test", "lint", "messages", "shell", "reset-demo"):
        assert f"make {name} " in printed
