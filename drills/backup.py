"""Lose everything, and bring it back: `make backup-drill` (three minutes).

The portal on servers of its own, families that press, and deploy/backup as an operator runs it: base backup, the log
as it is written, files, all sealed for a key that is not there. Then the database and the files are destroyed and
brought back twice by deploy/restore: as late as the log goes, and to an instant that was named while families pressed.

Ends with 1 where anything of before the instant is missing, anything of after it is there, a check names what it did
not name before, a paper is not the one that was stored, or what the portal had sealed can't be read. Prints what was
lost (RPO) and how long it took until pages were served again (RTO).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg2

from balabaqsha import local
from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.programs import postgres_programs
from balabaqsha.servers.redis import Redis
from benchmarks import soak
from drills.accounts import hand_over, unprivileged
from drills.chaos import Families
from drills.standing import standing, started

ROOT: Final = Path(__file__).resolve().parent.parent
BACKUP, RESTORE = ROOT / "deploy" / "backup", ROOT / "deploy" / "restore"
PER_SECOND, PRESSING_SECONDS, AFTERWARDS_SECONDS, PAPERS = 6.0, 75.0, 12.0, 3
# How long the log may lie with the database alone (`archive_timeout`); the docs recommend a minute.
LOG_SECONDS = 5
# A press that began before the instant may have come to its end after it.
UNDER_WAY_SECONDS = 1.0
PATIENCE_SECONDS = 90


class Archived(Postgres):
    """PostgreSQL that gives its log to deploy/backup."""

    settings_file: Path

    def command(self) -> list[str]:
        keeps = f"BACKUP_SETTINGS={self.settings_file} {BACKUP} wal %p %f"
        ours = {"archive_mode": "on", "archive_timeout": f"{LOG_SECONDS}s", "archive_command": keeps}
        return [
            *super().command(),
            *(part for name, value in ours.items() for part in ("-c", f"{name}={value}")),
        ]


@dataclass
class Found:
    """What the drill saw, for the table, and what is wrong."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def say(self, what: str, told: object) -> None:
        self.lines.append(f"{what:44} {told}")
        print(self.lines[-1], flush=True)

    def demand(self, what: str, *, holds: bool, told: object = "") -> None:
        self.say(what, told or ("yes" if holds else "NO"))
        if not holds:
            self.wrong.append(what)


def rows(database: str, question: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(question, values or None)
        return list(cursor.fetchall())


BIDS: Final = "SELECT id, placed_at FROM applications_bid"


def bids(database: str) -> dict[str, datetime]:
    """All bids with the instant of each: rows that nobody deletes."""
    return {str(pk): at for pk, at in rows(database, BIDS)}


def sums_of(media: Path) -> dict[str, str]:
    """Each file of the portal and its sum, but for the mark that says whose folder it is."""
    files = (path for path in media.rglob("*") if path.is_file() and path.name != ".database")
    return {str(path.relative_to(media)): sha256(path.read_bytes()).hexdigest() for path in files}


def differences(environment: Mapping[str, str]) -> set[str]:
    """What the checks after a restored backup name."""
    found: set[str] = set()
    for command in (["check_invariants"], ["rebuild_queue", "--check"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False,
        )  # fmt: skip
        found |= {line for line in done.stdout.splitlines() if done.returncode}
    return found


def make_papers() -> None:
    """Some bids are accepted, so that there are referrals with papers, as in any city."""
    from accounts.models import User
    from applications.jobs.papers import render_missing
    from applications.models import Bid
    from applications.referrals.issuing import activate_bid
    from notifications.clock import read_clock

    staff = User.objects.create(username="drill", is_staff=True, is_superuser=True)
    for bid in Bid.objects.filter(state="pending").order_by("placed_at")[:PAPERS]:
        activate_bid(bid, actor=staff, now=read_clock())
    render_missing()


def sealed_texts() -> int:
    """How many texts that the portal had sealed with its own keys can be read."""
    from django.db import connection

    from notifications.models import Message

    connection.close()
    return sum(bool(message.text) for message in Message.objects.exclude(text="")[:50])


def press(port: int, database: str, town: soak.Town, *, seconds: float) -> threading.Thread:
    """Let families press for so long; the thread that does."""
    families = Families(town, database=database, port=port, seconds=seconds, posts_per_second=PER_SECOND)
    thread = threading.Thread(target=families.run)
    thread.start()
    return thread


def run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def prepare(folder: Path, postgres: Archived) -> dict[str, str]:
    """The settings of deploy/backup and its keys; the variables for it and for deploy/restore."""
    account = unprivileged()
    target, key = folder / "elsewhere", folder / "away" / "backup.key"
    for made in (target, key.parent):
        made.mkdir()
    key.parent.chmod(0o755)
    run(["age-keygen", "--output", str(key)], os.environ)
    with (folder / "backup.pub").open("wb") as public:
        subprocess.run(["age-keygen", "-y", str(key)], stdout=public, check=True)
    key.chmod(0o600)
    hand_over(key)
    given = {
        "BACKUP_DIR": target,
        "BACKUP_RECIPIENTS": folder / "backup.pub",
        "BACKUP_VAR": folder,
        "BACKUP_ACCOUNT": account.pw_name if account else "",
        "BACKUP_VERIFY": f"{sys.executable} {ROOT / 'drills' / 'manifest.py'}",
        "PATH": f"{postgres_programs()}:{os.environ['PATH']}",
    }
    postgres.settings_file = folder / "backup.env"
    postgres.settings_file.write_text("".join(f"export {name}='{value}'\n" for name, value in given.items()))
    postgres.settings_file.chmod(0o644)
    (folder / "backup.pub").chmod(0o644)
    if account:
        # Before the first piece of the log is kept there.
        (target / "wal").mkdir(mode=0o700)
        hand_over(target / "wal")
        target.chmod(0o711)
    reached = {
        "PGHOST": str(postgres.sockets),
        "PGUSER": "balabaqsha",
        "BACKUP_SETTINGS": str(postgres.settings_file),
    }
    return dict(os.environ) | reached


def bring_back(postgres: Archived, media: Path, environment: Mapping[str, str], *, instant: str = "") -> None:
    """The commands of docs/operators.md, in their order. Raises SystemExit."""
    run([str(RESTORE), str(postgres.data), *([instant] if instant else [])], environment)
    target = Path(os.environ["DRILL_TARGET"])
    (files,) = target.glob("*.files.tar.gz.age")
    with subprocess.Popen(
        [str(BACKUP), "open", str(files)], env=dict(environment), stdout=subprocess.PIPE
    ) as opened:
        subprocess.run(
            ["tar", "--extract", "--gzip", f"--directory={media.parent}"], stdin=opened.stdout, check=True
        )
    postgres.ensure_running()
    until = time.monotonic() + PATIENCE_SECONDS
    while rows(postgres.owner_url, "SELECT pg_is_in_recovery()") != [(False,)]:
        if time.monotonic() > until:
            raise SystemExit("PostgreSQL still reads the log")
        time.sleep(0.1)


def destroy(postgres: Postgres, media: Path) -> None:
    """As a machine that burns: the server has no moment to save anything."""
    number = postgres.pid()
    assert number
    os.kill(number, signal.SIGKILL)
    postgres.stop()
    while postgres.answers():
        time.sleep(0.1)
    shutil.rmtree(postgres.data)
    shutil.rmtree(media)


def check_restored(
    found: Found, before: dict[str, datetime], database: str, *, instant: datetime | None
) -> None:
    """Compare the bids of before with those that are there again."""
    restored, limit = bids(database), instant or max(before.values())
    due = {pk for pk, at in before.items() if (limit - at).total_seconds() > UNDER_WAY_SECONDS}
    if instant is None:
        # Of what was pressed last, as much is lost as the log had not been kept.
        newest = max(restored.values())
        found.say("RPO, the log as late as it goes (s)", f"{(limit - newest).total_seconds():.1f}")
        due = {
            pk
            for pk in due
            if before[pk] < newest and (newest - before[pk]).total_seconds() > UNDER_WAY_SECONDS
        }
        bound = LOG_SECONDS + UNDER_WAY_SECONDS + 5
        found.demand(f"within {bound:.0f} s", holds=(limit - newest).total_seconds() <= bound)
    else:
        late = [pk for pk, at in restored.items() if at > instant]
        found.demand("nothing of after the instant", holds=not late, told=len(late) or "none")
    missing = due - restored.keys()
    found.demand("bids of before it, and missing", holds=not missing, told=f"{len(due)}, {len(missing)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8997, help="where to serve meanwhile (8997)")
    port: int = parser.parse_args().port
    if not shutil.which("age"):
        print("age is not installed: apt-get install age", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, end_orderly)
    found = Found()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backup-")))
        folder.chmod(0o755)
        media = folder / "media"
        media.mkdir()
        postgres, redis = Archived(folder), Redis(folder)
        environment = prepare(folder, postgres)
        os.environ["DRILL_TARGET"] = str(folder / "elsewhere")
        servers = stack.enter_context(started(postgres, redis))
        wide = {f"SMS_CODES_PER_{numbers}_PER_HOUR": "1000000" for numbers in ("OPERATOR", "BLOCK")}
        ours = {"MEDIA_ROOT": str(media), "SMS_FILE": str(folder / "sms.jsonl"), "BEHIND_PROXY": "1"}
        own = local.environment(
            checkout=ROOT, environ=os.environ | servers.urls | wide | ours | {"DEBUG": "0"}
        )
        os.environ.update(own)
        database = postgres.owner_url
        soak.seed(database)
        town = soak.Town()
        portal = partial(standing, own, postgres=postgres, redis=redis, folder=folder / "services", port=port)

        with portal() as running:
            press(port, database, town, seconds=5).join()
            make_papers()
            sums, texts, disagreed = sums_of(media), sealed_texts(), differences(own)
            pressing = press(port, database, town, seconds=PRESSING_SECONDS)
            began = time.monotonic()
            run([str(BACKUP)], environment)
            found.say("backup, while families press (s)", f"{time.monotonic() - began:.1f}")
            ((instant,),) = rows(database, "SELECT clock_timestamp()")
            time.sleep(AFTERWARDS_SECONDS)
            ((pieces, failures),) = rows(
                database, "SELECT archived_count, failed_count FROM pg_stat_archiver"
            )
            found.demand(
                "pieces of the log kept, and failures", holds=not failures, told=f"{pieces}, {failures}"
            )
            before = bids(database)
            found.demand("families pressed to the end", holds=pressing.is_alive())
            running.down.add(postgres.name)
            destroy(postgres, media)
            lost_at = time.monotonic()
        pressing.join()
        state = json.loads((folder / "backup.json").read_text())
        found.demand(
            "verified and sealed", holds=state["sealed"] and bool(state["verified"]), told=state["verified"]
        )
        plain = [path.name for path in (folder / "elsewhere").rglob("*") if _is_plain(path)]
        found.demand("nothing lies there unsealed", holds=not plain, told=", ".join(plain) or "nothing")

        opening = environment | {"BACKUP_IDENTITY": str(folder / "away" / "backup.key")}
        for word, at in (("latest", None), ("instant", instant)):
            print(f"-- {word}")
            if at:
                destroy(postgres, media)
                lost_at = time.monotonic()
            bring_back(postgres, media, opening, instant=at.isoformat() if at else "")
            with portal():
                found.say("RTO, until pages are served (s)", f"{time.monotonic() - lost_at:.1f}")
            check_restored(found, before, database, instant=at)
            again = differences(own) - disagreed
            found.demand(
                "checks name nothing new", holds=not again, told="; ".join(sorted(again)[:3]) or "nothing"
            )
            same = sums_of(media)
            kept = [name for name, value in sums.items() if same.get(name) != value]
            found.demand(
                "papers as they were stored",
                holds=bool(sums) and not kept,
                told=f"{len(sums)}, {len(kept)} not",
            )
            found.demand(
                "texts sealed by the portal read", holds=sealed_texts() >= min(texts, 1), told=sealed_texts()
            )
    print(*(f"WRONG: {one}" for one in found.wrong), sep="\n")
    return 1 if found.wrong else 0


def _is_plain(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".age", ".sha256", ".plain"}


if __name__ == "__main__":
    sys.exit(main())
