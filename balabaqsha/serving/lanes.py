"""The threads of a web process, in lanes: for pages, passwords, files, and the report of health.

A hash takes as long as ten pages, and a file as long as a hundred. Sign-ins wait for other sign-ins, files for other
files, and no page waits for either. The report waits for nothing, since it has to tell when the pages hang.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from balabaqsha.serving.bodies import Refused
from balabaqsha.serving.contract import Refusal

# One hash runs at a time (`accounts.hashing`); the second thread meanwhile looks up the next user.
PASSWORD_THREADS: Final = 2
# For monitoring, and for a person it has alerted; a report takes two seconds at most.
HEALTH_THREADS: Final = 2
# Some ten seconds of hashing. Later requests are told at once that it takes longer.
PASSWORDS_WAITING: Final = 200
PASSWORD_SECONDS: Final = 10.0
# One file is decoded at a time (`accounts.safe_copy.process`); the second thread reads and writes meanwhile.
FILE_THREADS: Final = 2
# As many as large bodies may be on their way (`bodies.LARGE_AT_ONCE`). The work for one takes half a minute at most,
# and almost always less than a second.
FILES_WAITING: Final = 16
FILE_SECONDS: Final = 30.0


class WorkFailed(Exception):
    """Work raised an exception that ends a program or an iteration; it must do neither here."""


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    claimed: bool = False
    result: Any = None
    failure: BaseException | None = None


class Lane:
    """Threads that take work in the order in which it came; they are started with the first piece.

    `waiting` bounds how much may wait for them, and `seconds` how long; past either, work is refused with `refusal`.
    All methods belong to the event loop.

    An executor of the standard library does the same for twenty microseconds more, as much as all else here: it wakes
    the loop for each result. Here one waking brings all results that are there.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        waiting: int | None = None,
        seconds: float | None = None,
        refusal: Refusal = Refusal.CROWDED,
    ) -> None:
        self._name = name
        self._places = None if waiting is None else waiting + threads
        self._seconds = seconds
        self._refusal = refusal
        self._threads = [Thread(target=self._work, name=name, daemon=True) for _ in range(threads)]
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._claims = Lock()
        self._inside = 0
        self._done: deque[_Job] = deque()
        self._waking = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[[], Any]) -> Any:
        """The result of `work`. Raises `Refused` if it was not begun, and whatever `work` raises."""
        if self._loop is None:
            self._start()
        assert self._loop is not None
        if self._places is not None and self._inside >= self._places:
            raise Refused(self._refusal)
        job = _Job(work, self._loop.create_future())
        timer = self._seconds and self._loop.call_later(self._seconds, self._withdraw, job)
        self._inside += 1
        self._queue.put(job)
        try:
            return await job.future
        finally:
            self._inside -= 1
            if timer:
                timer.cancel()

    def close(self) -> None:
        """Take no more work; work already begun goes on."""
        for _ in self._threads:
            self._queue.put(None)

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def _withdraw(self, job: _Job) -> None:
        if self._claim(job):
            job.future.set_exception(Refused(self._refusal))

    def _claim(self, job: _Job) -> bool:
        """Whether it is the first who asks that decides about `job`: a thread begins it, or the loop withdraws it."""
        with self._claims:
            is_first, job.claimed = not job.claimed, True
        return is_first

    def _settle(self) -> None:
        # Before the results are taken, so that none which comes meanwhile is forgotten.
        self._waking = False
        while self._done:
            job = self._done.popleft()
            if job.failure:
                job.future.set_exception(job.failure)
            else:
                job.future.set_result(job.result)

    # In a thread.

    def _work(self) -> None:
        assert self._loop is not None
        while (job := self._queue.get()) is not None:
            if not self._claim(job):
                continue
            try:
                job.result = job.work()
            except BaseException as error:  # noqa: BLE001 - it is told to whoever waits
                passes = isinstance(error, Exception) and not isinstance(error, StopIteration)
                job.failure = error if passes else WorkFailed(repr(error))
            self._done.append(job)
            if not self._waking:
                self._waking = True
                self._loop.call_soon_threadsafe(self._settle)
            del job  # a thread that waits keeps no request
