"""Programs that refuse to run as root, run as the account of the servers."""

import os
import pwd
from collections.abc import Sequence
from pathlib import Path

from balabaqsha.servers.account import server_account


def unprivileged() -> pwd.struct_passwd | None:
    """The account for servers where we are root; None: our own."""
    return server_account(Path("/nonexistent/servers/data")) if os.geteuid() == 0 else None


def lowered(command: Sequence[str]) -> list[str]:
    """The command as that account runs it, ended like any child of ours when we are dead."""
    account = unprivileged()
    if account is None:
        return list(command)
    who = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    # A change of accounts takes the parent's death from a process; it is given back.
    return ["/usr/bin/setpriv", *who, "--pdeathsig=TERM", *command]


def hand_over(path: Path) -> None:
    """Let that account own a file or a folder."""
    if account := unprivileged():
        os.chown(path, account.pw_uid, account.pw_gid)
