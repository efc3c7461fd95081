"""Ten thousand phones in a process of their own: each keeps one connection, waits for an opening, and presses.

    phones.py PLAN ANSWERS      both are files: what each phone does and when (JSON), and what came of it (JSON)

Instants are seconds of this machine's clock (`time.time`). A phone that is refused a connection, or whose answer does
not come in time, says so and stops: a family would press again and hide it. As a browser does, it opens a connection
again that was closed while nothing was asked, and sends once more what a kept one took and ended without a word.
"""

import asyncio
import gzip
import json
import re
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

# One address has some 28,000 ports; several leave room for those that are still closing.
SOURCES: Final = [f"127.0.0.{n}" for n in range(1, 5)]
PATIENCE_SECONDS: Final = 60
TAKEN: Final = 409
TOKEN: Final = "a" * 32
FILE: Final = re.compile(rb'(?:src|href)="(/static/[^"]+\.(?:css|js|woff2))"')


@dataclass
class Answer:
    """One request and what came: a status, or 0 for none."""

    what: str
    vacancy: str
    sent: float
    taken: float
    status: int


@dataclass
class Phones:
    """What is told to all of them, and what they tell."""

    port: int
    opens: float
    answers: list[Answer] = field(default_factory=list)
    refused: int = 0
    trouble: Counter[str] = field(default_factory=Counter)


class Phone:
    """A family with one kept connection."""

    def __init__(self, town: Phones, plan: dict[str, Any], number: int) -> None:
        self.town, self.plan, self.number = town, plan, number
        self.session: str = plan["session"]

    async def live(self) -> None:
        await until(self.plan["comes"])
        try:
            await self.connect()
            await self.wait_and_press()
            self.writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.town.trouble[type(error).__name__] += 1

    async def connect(self) -> None:
        """Open the connection. Raises OSError or TimeoutError, after it was counted."""
        source = SOURCES[self.number % len(SOURCES)]
        try:
            self.reader, self.writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self.town.port, local_addr=(source, 0)), PATIENCE_SECONDS
            )
        except (OSError, TimeoutError):
            self.town.refused += 1
            raise
        self.is_fresh = True

    async def wait_and_press(self) -> None:
        if phone := self.plan.get("phone"):
            await self.ask("form", "/login/")
            await self.ask("sign-in", "/login/", {"phone": phone, "password": self.plan["password"]})
        _status, page = await self.ask("waiting page", self.plan["waits_at"])
        if self.plan["is_new"]:
            for name in dict.fromkeys(FILE.findall(page)):
                await self.ask("file", name.decode())
        await self.ask("clock", "/clock.json")
        await until(self.town.opens + self.plan["after"])
        if self.plan["reloads"]:
            await self.ask("reload", self.plan["waits_at"])
            return
        status, _page = await self.ask("press", self.plan["presses"], {})
        if status == TAKEN:
            await self.ask("other places", self.plan["looks_at"])

    async def ask(self, what: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, bytes]:
        """The status, which is noted, and the body. Raises OSError or TimeoutError where none comes."""
        sent, began, status = time.time(), time.perf_counter(), 0
        try:
            status, body = await asyncio.wait_for(self.exchange_as_a_browser(path, fields), PATIENCE_SECONDS)
        finally:
            taken = time.perf_counter() - began
            self.town.answers.append(Answer(what, self.plan["vacancy"], sent, taken, status))
        return status, body

    async def exchange_as_a_browser(self, path: str, fields: dict[str, str] | None) -> tuple[int, bytes]:
        if self.reader.at_eof():
            await self.connect()
        try:
            return await self.exchange(path, fields)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if self.is_fresh or getattr(error, "partial", None):
                raise
            self.town.trouble["sent once more"] += 1
            await self.connect()
            return await self.exchange(path, fields)
        finally:
            self.is_fresh = False

    async def exchange(self, path: str, fields: dict[str, str] | None) -> tuple[int, bytes]:
        cookies = f"csrftoken={TOKEN}" + (f"; sessionid={self.session}" if self.session else "")
        sent = urlencode(fields).encode() if fields is not None else b""
        lines = [
            f"{'GET' if fields is None else 'POST'} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Cookie: {cookies}",
            f"X-Forwarded-For: {self.plan['address']}",
            "Accept-Encoding: gzip",
        ]
        if fields is not None:
            lines += [
                f"X-CSRFToken: {TOKEN}",
                f"Content-Length: {len(sent)}",
                "Content-Type: application/x-www-form-urlencoded",
            ]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        length = 0
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "set-cookie":
                given: SimpleCookie = SimpleCookie(value.strip())
                self.session = given["sessionid"].value if "sessionid" in given else self.session
        body = await self.reader.readexactly(length)
        return status, gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


async def until(instant: float) -> None:
    await asyncio.sleep(max(0.0, instant - time.time()))


async def everybody(plan: dict[str, Any]) -> Phones:
    town = Phones(plan["port"], plan["opens"])
    await asyncio.gather(*(Phone(town, one, n).live() for n, one in enumerate(plan["phones"])))
    return town


def main(plan_file: str, answers_file: str) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    town = asyncio.run(everybody(json.loads(Path(plan_file).read_text())))
    told = {
        "answers": [asdict(one) for one in town.answers],
        "refused": town.refused,
        "trouble": dict(town.trouble),
    }
    Path(answers_file).write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
