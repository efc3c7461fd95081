"""What it costs that a city leaves and comes back: `python benchmarks/export.py`.

Seeds a scratch database with a city (100,000 applications, 1,000,000 entries of the audit, every person with an
encrypted IIN), exports it as the portal's role, empties it, and imports it as the owner: by the commands that an
operator runs. Prints seconds, rows and the most memory that each command took; ends with 1 where the numbers of rows
differ.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import django_on, scratch_database
from benchmarks.workplace import KINDERGARTENS, seed

PORTION = 2_000


def give_numbers() -> None:
    """Every parent and every child an IIN of its own, under this portal's keys."""
    from accounts.identity import iin_hash
    from accounts.models import Profile
    from children.models import Child

    models: list[Any] = [Profile, Child]
    for first, model in enumerate(models, start=1):
        rows = list(model._base_manager.only("pk").order_by("pk"))
        for number, row in enumerate(rows):
            row.iin = f"{first}{number:011}"
            row.iin_hash = iin_hash(row.iin)
        model._base_manager.bulk_update(rows, ["iin", "iin_hash"], batch_size=PORTION)


def allow(key: str) -> None:
    from django.utils import timezone

    from accounts.models import User
    from applications.models import CityExport
    from applications.states import ProposalState

    now, (first, second) = timezone.now(), User.objects.order_by("pk")[:2]
    CityExport.objects.create(
        keys=key, reason="x", proposed_at=now, proposed_by=first, decided_at=now, decided_by=second,
        state=ProposalState.APPROVED,
    )  # fmt: skip


def empty() -> None:
    """As `set_up` leaves a new portal, but for days off and benefit categories."""
    from django.db import connection

    from applications.city.export.tables import TABLES

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        tables = ", ".join(table.model._meta.db_table for table in TABLES)
        cursor.execute(f"TRUNCATE {tables}, applications_queuecount CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")


def count() -> dict[str, int]:
    from applications.city.export.tables import TABLES

    return {table.name: table.rows().count() for table in TABLES}


def run(*arguments: str | Path, addresses: dict[str, str]) -> None:
    """A command as an operator runs it, with what it took."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "manage.py", *map(str, arguments)]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=CHECKOUT, env=os.environ | addresses, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{arguments[0]} ended with {done.returncode}: {done.stderr}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Memory in kilobytes, of the largest one until now.
    print(
        f"{arguments[0]}: {time.monotonic() - began:.1f} s, of the processor {used.ru_utime - before.ru_utime:.1f} s, "
        f"at most {used.ru_maxrss / 1024:.0f} MB",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--kindergartens", type=int, default=KINDERGARTENS, help="of the city")
    kindergartens = parser.parse_args().kindergartens
    with (
        start_servers() as running,
        scratch_database(running) as addresses,
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
        tempfile.TemporaryDirectory() as folder,
    ):
        import pyrage
        from django.core.management import call_command

        seed(kindergartens)
        give_numbers()
        identity, path = pyrage.x25519.Identity.generate(), Path(folder) / "city.age"
        allow(str(identity.to_public()))
        (Path(folder) / "city.key").write_text(str(identity))
        call_command("setup_roles")
        before = count()
        as_portal = running.urls | addresses
        run("migrate", addresses=as_portal)
        run("export_city", path, addresses=as_portal)
        print(f"{sum(before.values()):,} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        empty()
        run("import_city", path, "--key", Path(folder) / "city.key", addresses=as_portal)
        after = count()
        # The end of the export is entered after its moment, that of the import after everything.
        differing = {name: (rows, after[name]) for name, rows in before.items() if rows != after[name]}
        print(f"rows that differ: {differing}")
        return 0 if differing.keys() <= {"accounts_auditentry.jsonl"} else 1


if __name__ == "__main__":
    sys.exit(main())
