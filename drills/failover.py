"""The database dies while families write, and the standby takes over: `make failover` (some minutes; bounded).

On the cluster of `make cluster`: the primary is killed with -9, the standby promoted by `deploy/promote`. Every bid
that a family was told of is looked for in the new primary; the time until the next one is accepted is told. Then the
former primary comes back by `deploy/rejoin`, follows, and is waited for. Ends with 1 on any fault.
"""

import subprocess
import sys
import time

import psycopg2

from balabaqsha.runner import Failed
from drills.cluster import ROOT, Cluster, Presses, Table, arguments, drill, until

# So long the portal may be without a database, from its death until a press is accepted again; until a person has read
# the alarm is not counted.
MOST_SECONDS = 60


def fail_over(cluster: Cluster, table: Table) -> None:
    """Kill, promote, count, rejoin."""
    until(cluster.family, lambda: cluster.health().get("standby") == "ok", "commits wait for the standby")
    [(waited_for,)] = cluster.primary.ask("SHOW synchronous_standby_names")
    table.add("commits wait for the standby", good=bool(waited_for), told=waited_for)
    presses = Presses(cluster, last=900)
    presses.start()
    cluster.family.pause(5)
    killed = time.monotonic()
    cluster.primary.kill()
    table.add("the primary is killed", good=True, told=f"{presses.accepted} presses were accepted")
    cluster.family.pause(1)
    table.add(
        "deploy/promote", good=promote(cluster), told=f"{time.monotonic() - killed:.1f} s after the death"
    )
    until(
        cluster.family,
        lambda: presses.answered_at and presses.answered_at[-1] > killed + 1,
        "a press is accepted again",
        seconds=2 * MOST_SECONDS,
    )
    first = next(at for at in presses.answered_at if at > killed + 1)
    table.add(
        "RTO", good=first - killed < MOST_SECONDS, told=f"{first - killed:.1f} s, promotion by hand at 1 s"
    )
    cluster.family.pause(3)
    presses.end()
    nothing_is_lost(cluster, presses, table)
    took = until(cluster.family, lambda: cluster.health()["status"] in ("ok", "warning"), "/health/ serves")
    is_told = cluster.health().get("standby") == "away"
    table.add("/health/ serves, and says standby: away", good=is_told, told=f"after {took:.0f} s")
    comes_back(cluster, table)


def promote(cluster: Cluster) -> bool:
    """By the shipped command, as an operator does."""
    environment = cluster.standby.environment() | {
        "PGUSER": "postgres",
        "POOL": str(cluster.folder / "pool" / "primary.ini"),
        "RELOAD": f"kill -HUP {cluster.pool.process.pid}",
    }
    command = [str(ROOT / "deploy" / "promote"), cluster.standby.host, cluster.primary.host]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"deploy/promote: {done.stderr or done.stdout}")
    return True


def nothing_is_lost(cluster: Cluster, presses: Presses, table: Table) -> None:
    """RPO: whatever a family was told of is there."""
    numbers = ", ".join(f"'B-{n}'" for n in presses.accepted_by)
    question = (
        "SELECT count(DISTINCT a.number) FROM applications_bid b JOIN applications_application a "
        f"ON a.id = b.application_id WHERE a.number IN ({numbers})"
    )
    [(found,)] = cluster.standby.ask(question, database="balabaqsha")
    done, families = presses.found(cluster.standby)
    table.add("RPO", good=found == presses.accepted, told=f"{presses.accepted} accepted, {found} found again")
    told = f"{presses.sent} sent, {done} bids of {families} families"
    table.add("no press was done twice", good=done == families, told=told)


def comes_back(cluster: Cluster, table: Table) -> None:
    """The former primary follows the new one, has what it has, and is waited for."""
    began = time.monotonic()
    cluster.primary.rejoin(cluster.standby)

    def follows() -> bool:
        try:
            return cluster.primary.ask("SELECT pg_is_in_recovery()") == [(True,)]
        except psycopg2.Error:
            return False

    until(cluster.family, follows, "the former primary follows")
    until(cluster.family, lambda: cluster.health().get("standby") == "ok", "it is waited for")
    table.add(
        "deploy/rejoin", good=True, told=f"follows and is waited for after {time.monotonic() - began:.1f} s"
    )
    count = "SELECT count(*) FROM applications_bid"
    here = cluster.standby.ask(count, database="balabaqsha")
    until(
        cluster.family, lambda: cluster.primary.ask(count, database="balabaqsha") == here, "it has every bid"
    )
    table.add("both have the same bids", good=True, told=f"{here[0][0]}")


def main() -> int:
    chosen = arguments(__doc__)
    return drill(fail_over, first_port=chosen.port, keep=chosen.keep)


if __name__ == "__main__":
    sys.exit(main())
