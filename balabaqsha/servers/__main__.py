"""The command line of the servers."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.foreground import end_orderly, run_in_foreground
from balabaqsha.servers.holding import end_keep, keep
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.redis import Redis
from balabaqsha.servers.running import CHECKOUT, database_url, owner_database_url, redis_url, start


def main(arguments: Sequence[str]) -> int:
    """The command line described in the package; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m balabaqsha.servers")
    commands = parser.add_subparsers(required=True)
    for name, function in (("exec", _exec), ("start", _start), ("stop", _stop), ("env", _env)):
        command = commands.add_parser(name)
        command.add_argument("--test", action="store_true", help="the disposable servers of the tests")
        command.set_defaults(action=function)
        if name == "exec":
            command.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = options.action
    signal.signal(signal.SIGTERM, end_orderly)
    try:
        return action(options)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


def _exec(options: argparse.Namespace) -> int:
    with start(test=options.test) as running:
        return run_in_foreground(options.command, environment=os.environ | running.urls)


def _start(options: argparse.Namespace) -> int:
    for kind in (Postgres, Redis):
        keep(kind(CHECKOUT, test=options.test))
    return _env(options)


def _stop(options: argparse.Namespace) -> int:
    for kind in (Postgres, Redis):
        server = kind(CHECKOUT, test=options.test)
        if not end_keep(server):
            print(f"{server.name} is still in use; it ends with its last user.")
    return 0


def _env(options: argparse.Namespace) -> int:
    print(f"export DATABASE_URL='{database_url(test=options.test)}'")
    print(f"export MIGRATE_DATABASE_URL='{owner_database_url(test=options.test)}'")
    print(f"export REDIS_URL='{redis_url(test=options.test)}'")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
