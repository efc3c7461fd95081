"""A picture of every page: `make screenshots` (its own demo city and port; bounded, stops by itself).

A stranger, a newcomer, a family in each state and an employee of each role follow every link that they find, and one
page for each name of the portal's addresses is taken: in Kazakh and Russian, as a phone and a laptop, by day and by
night, into `var/screenshots` beside an `index.html` that shows them all. What a page needs more than once is written
below (`AGAIN`). The index names what no link led to.

`--pages` takes a part: what it says is looked for in "visitor name address", as in "family", "admin:index", "/help/".
"""

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

from balabaqsha import local, runner
from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.running import start as start_servers
from benchmarks.scratch import scratch_database, scratch_redis, served
from benchmarks.visitors import FLAGS, desk, enter_family, families, path_of, sign_in, way_in

ROOT: Final = Path(__file__).resolve().parent.parent
WIDTHS: Final = (360, 1280)
SCHEMES: Final = ("light", "dark")
LANGUAGES: Final = ("kk", "ru")
HEIGHT: Final = 800
# Of a page that is longer the upper part is taken.
LONGEST: Final = 6000
MOST_PAGES, MOST_SECONDS = 400, 45 * 60
# Pages that look otherwise in every state of an application, or for a family that has signed in.
AGAIN: Final = {"applications:application", "applications:cabinet", "applications:vacancy"}
STRANGERS: Final = ("/", "/bulletin/?search=nothing", "/login/", "/register/", "/nothing/", "/styleguide/")
OF_FAMILY: Final = ("/cabinet/", "/bulletin/?status=me")
LINKS: Final = """() => [...document.querySelectorAll('a[href]')]
    .map(one => new URL(one.getAttribute('href'), document.baseURI).href)"""
# Not in the reader's language, no page, or no page of the portal.
LEFT_OUT: Final = re.compile(
    r"^(demo|demo_\w+|api|api_\w+|robots|sitemap|clock|alive|health|ready|map_tile|\w+_report)$|jsi18n"
)


@dataclass(frozen=True)
class Shown:
    """A page of which there are pictures, each by the end of its file's name."""

    visitor: str
    name: str
    path: str
    files: dict[str, str]


@dataclass
class Album:
    """The pictures, and what was seen on the way to them."""

    folder: Path
    wanted: re.Pattern[str]
    until: float
    pages: list[Shown] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.pages) >= MOST_PAGES or time.monotonic() > self.until

    def take(self, page: Page, *, visitor: str, name: str) -> None:
        """All pictures of the page that is shown, if it is wanted; afterwards the page shows the same as before."""
        path = re.sub(r"^\w+://[^/]+", "", page.url)
        if not self.wanted.search(f"{visitor} {name} {path}") or self.is_full:
            return
        files: dict[str, str] = {}
        for language in LANGUAGES:
            if language != "kk":
                page.goto(f"/{language}{path}")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                for scheme in SCHEMES:
                    look = f"{language}-{width}-{scheme}"
                    file = f"{len(self.pages):03}-{visitor}-{re.sub(r'[^a-z0-9_]+', '-', name)}-{look}.jpg"
                    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                    take_one(page, self.folder / file, width=width)
                    files[look] = file
        self.pages.append(Shown(visitor, name, path, files))
        page.emulate_media(color_scheme="light")
        page.goto(path)
        print(f"  {len(self.pages):3}  {visitor:13} {name:45} {path}", flush=True)


def take_one(page: Page, file: Path, *, width: int) -> None:
    height = min(LONGEST, int(page.evaluate("document.documentElement.scrollHeight")))
    page.screenshot(
        path=file,
        type="jpeg",
        quality=75,
        full_page=True,
        animations="disabled",
        clip={"x": 0, "y": 0, "width": width, "height": height},
    )


# --- the ways to the pages -----------------------------------------------------------------------------------------


def walk(page: Page, album: Album, *, visitor: str, begin: tuple[str, ...], again: frozenset[str]) -> None:
    """Take the pages of `begin`, and one page for each name that their links lead to and that nobody has seen yet.

    The names of `again` are taken once more although others have seen them.
    """
    here = set[str]()

    def is_known(name: str) -> bool:
        return name in here or (name in album.seen and name not in again)

    ways = deque((path, True) for path in begin)
    while ways and not album.is_full:
        path, is_asked_for = ways.popleft()
        name = name_of(path)
        if is_known(name) and not is_asked_for:
            continue
        here.add(name)
        try:
            answer = page.goto(path)
        except Error:
            # A file comes instead of a page.
            continue
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        if answer.status >= 500:
            album.failed.append(f"{visitor} {path} answers {answer.status}")
        led_to = name_of(path_of(page))
        if LEFT_OUT.search(led_to) or (led_to != name and is_known(led_to)):
            continue
        here.add(led_to)
        album.seen.update((name, led_to))
        ways.extend((way, False) for way in ways_on(page))
        album.take(page, visitor=visitor, name=led_to)


def ways_on(page: Page) -> Iterator[str]:
    """The addresses of the portal's own pages to which links of this one lead, in Kazakh."""
    here = urlsplit(page.url)
    for link in page.evaluate(LINKS):
        there = urlsplit(link)
        if there[:2] == here[:2] and not there.path.startswith(("/ru/", "/static/")):
            name = name_of(there.path)
            if name and not LEFT_OUT.search(name):
                yield there.path


def name_of(path: str) -> str:
    """What the portal calls this address; nothing where it has none."""
    from django.urls import Resolver404, resolve

    try:
        return resolve(unquote(urlsplit(path).path)).view_name
    except Resolver404:
        return "not found" if path == "/nothing/" else ""


def all_names() -> set[str]:
    """Every name of an address of the portal."""
    from django.urls import URLResolver, get_resolver

    def names(resolver: URLResolver, space: str) -> Iterator[str]:
        for one in resolver.url_patterns:
            if isinstance(one, URLResolver):
                yield from names(one, f"{space}{one.namespace}:" if one.namespace else space)
            elif one.name:
                yield space + one.name

    return {name for name in names(get_resolver(), "") if not LEFT_OUT.search(name)}


# --- the visitors --------------------------------------------------------------------------------------------------


def take_all(browser: Browser, album: Album, *, portal: str) -> None:
    def fresh() -> Page:
        viewport: ViewportSize = {"width": 1280, "height": HEIGHT}
        return browser.new_context(base_url=portal, viewport=viewport, locale="kk-KZ").new_page()

    walk(fresh(), album, visitor="stranger", begin=STRANGERS, again=frozenset())
    newcomer = fresh()
    for step in enumerate(way_in(newcomer, portal=portal), start=1):
        album.take(newcomer, visitor="newcomer", name=f"step {step[0]}")
    for application in families(fresh()):
        page = fresh()
        own = enter_family(page, application)
        walk(page, album, visitor="family", begin=(own, *OF_FAMILY), again=frozenset(AGAIN))
    roles: dict[str, str] = {}
    for login in desk(portal)["staff"]:
        roles.setdefault(login["role"], login["username"])
    for role, username in roles.items():
        page = sign_in(browser, username, portal=portal, width=1280, height=HEIGHT)
        walk(page, album, visitor=role, begin=("/admin/",), again=frozenset())


@contextmanager
def demo_city(*, port: int) -> Iterator[str]:
    """A portal with a demo city of its own, by its address; both are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="screenshots") as name,
        start_servers(environ={}) as running,
        scratch_database(running) as addresses,
        scratch_redis(running.urls["REDIS_URL"]) as redis_url,
    ):
        folder = Path(name)
        own = addresses | {
            "REDIS_URL": redis_url,
            "BALABAQSHA_DEMO": "1",
            "DEBUG": "0",
            "SMS_FILE": str(folder / "sms.jsonl"),
            "MEDIA_ROOT": str(folder / "media"),
        }
        os.environ.update(local.environment(checkout=ROOT, environ=dict(os.environ) | own))
        runner.Family(environment=dict(os.environ)).complete(
            "The set-up", [sys.executable, "manage.py", "set_up"], LOG_LEVEL="WARNING"
        )
        import django

        django.setup()
        with served(dict(os.environ), folder=folder, port=port):
            yield f"http://127.0.0.1:{port}"


# --- the index -----------------------------------------------------------------------------------------------------

INDEX: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>
body {{ font: 16px/1.5 sans-serif; margin: 1rem }} .looks {{ display: flex; flex-wrap: wrap; gap: .5rem }}
figure {{ margin: 0 }} img {{ display: block; height: 260px; width: 180px; object-fit: cover; object-position: top;
  border: 1px solid #888 }} figcaption {{ font-size: .8rem }} h2 {{ font-size: 1rem; margin: 1.5rem 0 .25rem }}
</style><h1>{title}</h1>{pages}<h2>No link led to</h2><p>{missing}</p></html>
"""


def write_index(album: Album) -> None:
    pages = "\n".join(
        f"<h2>{escape(f'{one.visitor}: {one.name} {one.path}')}</h2><div class='looks'>"
        + "".join(
            f"<figure><a href='{file}'><img loading='lazy' src='{file}' alt=''></a>"
            f"<figcaption>{look}</figcaption></figure>"
            for look, file in one.files.items()
        )
        + "</div>"
        for one in album.pages
    )
    missing = ", ".join(sorted(all_names() - album.seen))
    title = f"{len(album.pages)} pages, {sum(len(one.files) for one in album.pages)} pictures"
    index = INDEX.format(title=title, pages=pages, missing=escape(missing))
    (album.folder / "index.html").write_text(index)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--pages", type=re.compile, default=re.compile(""), help="which: a regular expression"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--port", type=int, default=8998, help="where to serve meanwhile (8998)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end_orderly)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    with demo_city(port=arguments.port) as portal, sync_playwright() as playwright:
        album = Album(arguments.folder, arguments.pages, until=time.monotonic() + MOST_SECONDS)
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=FLAGS)
        with closing(browser):
            take_all(browser, album, portal=portal)
        write_index(album)
    pictures = sum(len(one.files) for one in album.pages)
    print(f"{pictures} pictures of {len(album.pages)} pages: {arguments.folder / 'index.html'}")
    print(*(f"failed: {what}" for what in album.failed), sep="\n", end="")
    if album.is_full:
        print("not all: it took too long, or there are too many pages")
    return 1 if album.failed or album.is_full or not album.pages else 0


if __name__ == "__main__":
    sys.exit(main())
