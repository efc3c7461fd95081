"""pgbouncer as deploy/pgbouncer configures it, in a folder of one's own."""

from pathlib import Path
from shutil import which

from drills.accounts import hand_over

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"


def program() -> str | None:
    """Where pgbouncer is; None where it is not installed."""
    return which("pgbouncer") or which("pgbouncer", path="/usr/sbin")


def configure(folder: Path, *, database: str, **changed: str | int) -> Path:
    """Write the shipped configuration into `folder` with other values of some settings; the path of the file.

    `database` is the line of `primary.ini`: what the pool leads to.
    """
    ours = {
        "unix_socket_dir": "",
        "pidfile": folder / "pgbouncer.pid",
        "logfile": "",
        "auth_file": folder / "users.txt",
    } | changed
    primary = folder / "primary.ini"
    primary.write_text(f"{database}\n")
    lines = []
    for line in SHIPPED.read_text().splitlines():
        name = line.partition("=")[0].strip()
        if line.startswith("%include"):
            line = f"%include {primary}"
        lines.append(f"{name} = {ours.pop(name)}" if name in ours else line)
    lines += [f"{name} = {value}" for name, value in ours.items()]
    written = folder / "pgbouncer.ini"
    written.write_text("\n".join([*lines, ""]))
    for path in (folder, primary, written):
        hand_over(path)
    return written
