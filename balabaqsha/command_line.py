"""`manage.py`: Django's commands, which end with a sentence if something outside the code is wrong.

A traceback tells an operator nothing. Only our own errors still end in one; `--traceback` shows all.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import psycopg2
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import DatabaseError, InterfaceError, OperationalError
from psycopg2.errors import (
    InsufficientPrivilege,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedObject,
    UndefinedTable,
)
from redis.exceptions import RedisError

from accounts.kept_files import NotKept
from balabaqsha.postgresql.base import UnfitText

_OTHER_TABLES = (UndefinedTable, UndefinedColumn, UndefinedFunction, UndefinedObject)


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code if it ended with a sentence, else raises SystemExit, as Django does."""
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")
    try:
        # Until now Ctrl-C ended us without a word (`manage.py`).
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        execute_from_command_line(list(arguments))
    except SystemExit as end:
        # For an unknown command Django ends with 1; like any wrong call, it is 2 here.
        if end.code == 1 and len(arguments) > 1 and not is_command(arguments[1]):
            return 2
        raise
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of the pipe has seen enough; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except tuple(_WORDS) as error:
        words = in_words(error)
        if words is None or "--traceback" in arguments:
            raise
        print(words, file=sys.stderr)
        return 1
    return 0


def is_command(name: str) -> bool:
    """Whether there is such a command, or Django answers it itself."""
    from django.core.management import get_commands

    return name in get_commands() or name in ("help", "version") or name.startswith("-")


def in_words(error: Exception) -> str | None:
    """What an operator should know about an error outside the code; None for an error in the code."""
    return next((say(error) for kind, say in _WORDS.items() if isinstance(error, kind)), None)


def _settings(error: Exception) -> str:
    return f"The settings can't be used: {error}"


def _database(error: Exception) -> str:
    return f"The database could not do it: {_first_line(error)}"


def _statement(error: Exception) -> str | None:
    """What the driver said first: Django and its migrations wrap it, and closing a cursor hides it behind another."""
    causes = list(_causes(error))
    if any(isinstance(cause, _OTHER_TABLES) for cause in causes):
        return f"The tables are not those of this version: {_first_line(causes[-1])}\nRun: manage.py set_up"
    if any(isinstance(cause, InsufficientPrivilege) for cause in causes):
        return (
            f"The database does not allow it: {_first_line(causes[-1])}\n"
            "What changes tables is done by their owner, MIGRATE_DATABASE_URL (docs/operators.md)."
        )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, the original one last."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _redis(error: Exception) -> str:
    return f"Redis does not answer: {_first_line(error)}"


def _text(error: Exception) -> str:
    return "A value holds signs that no text may have."


def _file(error: Exception) -> str | None:
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return f"{error.filename}: {error.strerror}"


def _keys(error: Exception) -> str:
    return (
        "Something stored was encrypted with a key that is not among IIN_KEYS. Put it back, behind the others; "
        "rotate_iin_keys --check names what needs it."
    )


def _kept(error: Exception) -> str:
    return f"A file could not be kept: {error}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


_WORDS: Final[dict[type[Exception], Callable[[Any], str | None]]] = {
    ImproperlyConfigured: _settings,
    OperationalError: _database,
    InterfaceError: _database,
    DatabaseError: _statement,
    psycopg2.Error: _statement,
    RedisError: _redis,
    UnfitText: _text,
    NotKept: _kept,
    InvalidToken: _keys,
    OSError: _file,
}
