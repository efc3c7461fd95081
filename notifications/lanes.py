"""Work that waits for other machines, done by a few threads of one process. Pure: it knows nothing of messages."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Lanes(Generic[Thing, Result]):
    """So many threads, each with one thing at a time.

    Leave the context to wait for those under way; they end by themselves, as nothing can interrupt a thread.
    """

    def __init__(self, number: int, work: Callable[[Thing], Result]) -> None:
        self.number = number
        self.under_way = 0
        self._work = work
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="lane")
        self._done: SimpleQueue[tuple[Thing, Result | BaseException]] = SimpleQueue()

    def __enter__(self) -> "Lanes[Thing, Result]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    @property
    def free(self) -> int:
        return self.number - self.under_way

    def start(self, thing: Thing) -> None:
        """Give `thing` to a free lane."""
        self.under_way += 1
        # A thread knows nothing of the request for which it works, unless it is given that.
        self._pool.submit(copy_context().run, self._run, thing)

    def finished(self, *, seconds: float) -> list[tuple[Thing, Result]]:
        """What has ended since, with its results; waits for at most so long for the first. Raises what work raised."""
        ended: list[tuple[Thing, Result | BaseException]] = []
        try:
            ended.append(self._done.get(timeout=seconds))
            while True:
                ended.append(self._done.get_nowait())
        except Empty:
            pass
        self.under_way -= len(ended)
        return [(thing, _sound(result)) for thing, result in ended]

    def _run(self, thing: Thing) -> None:
        try:
            self._done.put((thing, self._work(thing)))
        except BaseException as error:  # noqa: BLE001  it is raised where somebody hears of it
            self._done.put((thing, error))


def _sound(result: Result | BaseException) -> Result:
    if isinstance(result, BaseException):
        raise result
    return result
