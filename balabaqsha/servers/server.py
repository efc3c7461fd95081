"""One server program of a checkout: where it lives, whether it runs, how it is started and stopped."""

import hashlib
import os
import pwd
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO

from balabaqsha.servers.account import let_reach, let_run, server_account
from balabaqsha.servers.errors import EmbeddedError
from notifications.private_files import open_privately

READY_SECONDS = 90
STOP_SECONDS = 30
# A socket's address holds 104 to 108 bytes, "/.s.PGSQL.5432.lock" among them.
SOCKET_FOLDER_MAX = 80


class Server:
    """One server program of a checkout; its kinds say what the program is."""

    name: str
    data_name: str
    stop_signals: tuple[signal.Signals, ...]

    def __init__(self, checkout: Path, *, test: bool = False) -> None:
        self.checkout = checkout
        self.test = test
        prefix = "test-" if test else ""
        self.var = checkout / "var"
        self.data = self.var / f"{prefix}{self.data_name}"
        self.sockets = socket_folder(self.var / f"{prefix}run")
        self.log = self.var / "log" / f"{prefix}{self.data_name}.log"
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        raise NotImplementedError

    def answers(self) -> bool:
        """True when the server takes requests now."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The command that runs the server in the foreground; its data folder exists."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make what the command needs, and remove what a crash or a power cut left behind."""
        raise NotImplementedError

    def pid_file(self) -> Path:
        """The file whose first line is the server's process id while it runs."""
        raise NotImplementedError

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The account to run as, or None for the current one."""
        return server_account(self.data) if os.geteuid() == 0 else None

    def pid(self) -> int | None:
        """Process id of the running server, or None. A number left by a crash is not believed."""
        if self.child is not None and self.child.poll() is not None:
            return None
        try:
            pid = int(self.pid_file().read_text().split("\n", 1)[0])
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        ours = (self.data, self.sockets)
        return pid if any(os.fsencode(path) in arguments for path in ours) else None

    def ensure_running(self) -> None:
        """Start the server unless it answers already; ready when this returns. The caller holds the change lock."""
        deadline = time.monotonic() + READY_SECONDS
        while self.pid() and not self.answers() and time.monotonic() < deadline:
            time.sleep(0.1)  # another process's server that is starting or stopping
        if self.answers():
            return
        self._make_folders()
        self.prepare()
        # PostgreSQL logs failed statements there, including people's data.
        with open_privately(self.log, "ab") as log:
            self.child = self._popen(self.command(), log)
        while not self.answers():
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"{self.name} did not start. The end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server and wait for it: politely first, then less so."""
        pid = self.child.pid if self.child is not None and self.child.poll() is None else self.pid()
        for number in (*self.stop_signals, signal.SIGKILL):
            if pid is None:
                break
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if self._wait_end(pid):
                break
        self.child = None

    def log_tail(self, *, lines: int = 15) -> str:
        """The last lines that the server wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _wait_end(self, pid: int) -> bool:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            ended = self.child.poll() is not None if self.child is not None else not exists(pid)
            if ended:
                return True
            time.sleep(0.05)
        return False

    def _make_folders(self) -> None:
        for folder in (self.var, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._own_folder(self.sockets)
        if self.account is not None:
            # Whatever the umask of the calling process.
            self.var.chmod(self.var.stat().st_mode | 0o011)
            let_reach(self.account, self.var)

    def _own_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account may enter; refuse one that belongs to another account."""
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.account.pw_uid if self.account is not None else os.geteuid()
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid not in (owner, os.geteuid()):
            raise EmbeddedError(
                f"{folder} belongs to the user {user_name(found.st_uid)}. Start the project as that user, "
                f"or remove the folder."
            )
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        folder.chmod(0o700)

    def _popen(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        identity = {}
        if self.account is not None:
            let_run(self.account, Path(command[0]))
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # noqa: S603 - our own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            umask=0o077,
            # Its own session: a Ctrl-C in the terminal must reach the server's users first.
            start_new_session=True,
            **identity,
        )


def socket_folder(wanted: Path) -> Path:
    """The wanted folder, or a short one in /tmp where its path is too long for a socket or would need quoting.

    Not XDG_RUNTIME_DIR or TMPDIR: every process of the checkout must come to the same answer, also from cron.
    """
    if len(os.fsencode(wanted)) <= SOCKET_FOLDER_MAX and re.fullmatch(r"[A-Za-z0-9/._-]+", str(wanted)):
        return wanted
    return Path("/tmp") / f"balabaqsha-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]}"  # noqa: S108


def exists(pid: int) -> bool:
    try:
        # A zombie that its own parent has yet to collect has ended as far as we are concerned.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
