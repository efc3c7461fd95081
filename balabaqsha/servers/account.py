"""Servers can't run as root: another account runs them, and must be able to reach their files."""

import pwd
import subprocess
from pathlib import Path

from balabaqsha.servers.errors import EmbeddedError

# PostgreSQL refuses to run as root; then both servers run as this account, which is made on first use.
SYSTEM_ACCOUNT = "balabaqsha"


def server_account(data: Path) -> pwd.struct_passwd:
    """Which account runs the servers for root: the owner of the data or of the checkout, else one of our own."""
    for path in (data, data.parent, data.parent.parent):
        if path.exists() and (uid := path.stat().st_uid) != 0:
            try:
                return pwd.getpwuid(uid)
            except KeyError:
                continue
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        pass
    options = ["--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent"]
    command = ["useradd", *options, "--shell=/usr/sbin/nologin", SYSTEM_ACCOUNT]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - fixed arguments
    if done.returncode:
        raise EmbeddedError(
            f"PostgreSQL can't run as root, and its account could not be made: {done.stderr.strip()}"
        )
    return pwd.getpwnam(SYSTEM_ACCOUNT)


def let_run(account: pwd.struct_passwd, program: Path) -> None:
    """Let the account run one of our programs, even if the installing user's umask hides files from others."""
    if _may(account, "-x", program):
        return
    let_reach(account, program.parent)
    if _may(account, "-x", program) or "site-packages" not in program.parts:
        return
    package = next(path for path in program.parents if path.parent.name == "site-packages")
    for top in (package, package.with_name(package.name + ".libs")):
        for path in (top, *top.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def let_reach(account: pwd.struct_passwd, folder: Path) -> None:
    """Raise `EmbeddedError` where the account can't pass through a folder above `folder`, such as /root."""
    for part in (*reversed(folder.parents), folder):
        if not _may(account, "-x", part):
            raise EmbeddedError(
                f"Servers can't run as root, and the user {account.pw_name} can't enter {part}: put the project where "
                f"everybody may enter, for instance below /srv."
            )


def _may(account: pwd.struct_passwd, test: str, path: Path) -> bool:
    command = ["/usr/bin/test", test, str(path)]
    identity = {"user": account.pw_uid, "group": account.pw_gid}
    done = subprocess.run(command, cwd="/", extra_groups=[], check=False, **identity)  # type: ignore[call-overload]  # noqa: S603
    return bool(done.returncode == 0)
