"""Streams that are encrypted to a public key of `age`, so that nothing lies on a disk in clear.

The library is loaded when a key is read: a web process seldom needs it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, Any, Final

# How many may be able to open one export.
MOST_KEYS: Final = 5


class BadKey(Exception):
    """What was given is no key of `age`; the message says which kind was expected."""


class Sealed(Exception):
    """The stream can't be opened: another key, or what is sealed is damaged. The message says which."""


def public_keys(text: str) -> list[Any]:
    """The keys in `text`, one a line. Raises `BadKey`."""
    import pyrage

    lines = _lines(text)
    if not lines:
        raise BadKey("There is no key.")
    if len(lines) > MOST_KEYS:
        raise BadKey(f"There are more than {MOST_KEYS} keys.")
    try:
        return [pyrage.x25519.Recipient.from_str(line) for line in lines]
    except pyrage.RecipientError:
        raise BadKey("A public key of age begins with age1.") from None


def private_keys(text: str) -> list[Any]:
    """The keys in a file of `age-keygen`. Raises `BadKey`, which never repeats what was read."""
    import pyrage

    lines = _lines(text)
    if not lines:
        raise BadKey("The file holds no key.")
    try:
        return [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        raise BadKey("A private key of age begins with AGE-SECRET-KEY-1.") from None


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


@contextmanager
def sealing(target: IO[bytes], keys: Sequence[Any]) -> Iterator[IO[bytes]]:
    """A stream to write to: what comes in is in `target`, encrypted to `keys`, at the end.

    Raises OSError if `target` can't be written. What breaks inside leaves a `target` that can be opened and is not
    whole: throw it away.
    """
    import pyrage

    with _pipe() as (source, sink), ThreadPoolExecutor(1) as pool:
        work = pool.submit(_and_close, source, lambda: pyrage.encrypt_io(source, target, keys))
        try:
            yield sink
            sink.close()
        except BrokenPipeError:
            # The other side has given up, and tells why.
            pass
        finally:
            with suppress(BrokenPipeError):
                sink.close()
        try:
            work.result()
        except pyrage.EncryptError as error:
            raise OSError(f"The export could not be written: {error}") from error


@contextmanager
def opening(source: IO[bytes], keys: Sequence[Any]) -> Iterator[IO[bytes]]:
    """A stream to read from: what is in `source` in clear. Raises `Sealed`, which counts before any other error.

    Every part that is read is what was sealed; only at the end of the stream it is known that nothing is missing.
    """
    import pyrage

    with _pipe() as (clear, sink), ThreadPoolExecutor(1) as pool:
        work = pool.submit(_and_close, sink, lambda: pyrage.decrypt_io(source, sink, keys))
        try:
            yield clear
        finally:
            clear.close()
            _say_why(work)


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb") as sink:
        try:
            yield source, sink
        finally:
            # What nobody reads any more can't be written.
            with suppress(BrokenPipeError):
                sink.close()


def _and_close(end: IO[bytes], work: Callable[[], None]) -> None:
    """Do it, and let whoever is at the other end of the pipe know that it is over."""
    try:
        work()
    finally:
        with suppress(BrokenPipeError):
            end.close()


def _say_why(work: "Future[None]") -> None:
    import pyrage

    try:
        work.result()
    except BrokenPipeError:
        return
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise Sealed("It was made for another key.") from None
        raise Sealed("It is no file of age, or its beginning is damaged.") from None
    except OSError as error:
        # The library says so of what was changed, and of what ends too early.
        if error.errno is None:
            raise Sealed("It is damaged, or its end is missing.") from None
        if not isinstance(error, BrokenPipeError):
            raise
