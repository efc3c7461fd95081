"""Every page on a slow phone: `make pages`, beside a demo portal that runs (`make run`).

A family registers, adds its child and files an application, in a real browser. Then each page for everybody and of the
family is opened in both languages as for the first time, at 360 px, over 400 kbit/s with 300 ms and with a processor
four times slower than this one, and a table says how many requests it took, how many KB came and when the largest thing
in sight was painted (LCP). A second round, unhindered, looks whether a page is wider than its window, at eight widths
and with letters twice as large, and takes pictures at 360 and 1024 px into `var/pages`.

Ends with 1 when a page is too heavy, too slow or too wide. Bounded by the number of pages; it reads, and makes one
family and nothing else.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, CDPSession, sync_playwright

from benchmarks.visitors import FLAGS, become_a_family

PUBLIC: Final = (
    "/", "/bulletin/", "/queue/", "/queue/check/", "/queue/corrections/", "/referrals/", "/kindergartens/",
    "/statistics/", "/feedback/", "/help/", "/contacts/", "/privacy/", "/accessibility/", "/login/", "/register/",
    "/stop/",
)  # fmt: skip
OF_FAMILY: Final = (
    "/cabinet/", "/cabinet/profile/", "/cabinet/notifications/", "/cabinet/notifications/log/", "/cabinet/children/",
    "/cabinet/applications/", "/bulletin/?status=me",
)  # fmt: skip
BYTES, REQUESTS, LCP_MILLISECONDS = 60_000, 12, 2_500
BITS_PER_SECOND, LATENCY_MILLISECONDS, SLOWER = 400_000, 300, 4
WIDTHS, LARGE = (320, 360, 700, 768, 900, 1024, 1100, 1280), (320, 1024)
PICTURES: Final = (360, 1024)
HEIGHT = 740
LARGEST = """
new PerformanceObserver(list => { for (const one of list.getEntries()) window.largest = one.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
"""


@dataclass(frozen=True)
class View:
    """A first view: what it took, and when the largest thing in sight was painted, in milliseconds."""

    requests: int
    size: int
    largest: float

    @property
    def is_good(self) -> bool:
        return self.requests <= REQUESTS and self.size <= BYTES and self.largest < LCP_MILLISECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--pictures", type=Path, default=Path("var/pages"))
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        chromium, path = playwright.chromium, os.environ.get("CHROMIUM")
        plain = chromium.launch(executable_path=path, args=FLAGS)
        large = chromium.launch(executable_path=path, args=[*FLAGS, "--blink-settings=defaultFontSize=32"])
        with closing(plain), closing(large):
            options: dict[str, Any] = {
                "base_url": arguments.url,
                "viewport": {"width": 360, "height": HEIGHT},
            }
            family = plain.new_context(**options)
            paths = [*OF_FAMILY, become_a_family(family.new_page(), portal=arguments.url)]
            kept = family.storage_state()
            strangers = [browser.new_context(**options) for browser in (plain, large)]
            families = [browser.new_context(**options, storage_state=kept) for browser in (plain, large)]
            good = [
                weigh(strangers[0], PUBLIC),
                weigh(families[0], paths),
                look(strangers, PUBLIC, pictures=arguments.pictures),
                look(families, paths, pictures=arguments.pictures),
            ]
    return 0 if all(good) else 1


# --- a slow phone ------------------------------------------------------------------------------------------------


def weigh(context: BrowserContext, paths: Sequence[str]) -> bool:
    """Print what a first view of each page costs; whether all stay within their bounds."""
    slow, good = Slow(context), True
    for path in (f"{prefix}{path}" for path in paths for prefix in ("", "/ru")):
        view = slow.view(path)
        good &= view.is_good
        mark = "" if view.is_good else "  <- too much"
        shown = re.sub(r"[0-9a-f-]{36}", "…", path)
        print(
            f"{shown:40} {view.requests:3} requests {view.size / 1000:6.1f} KB  LCP {view.largest:5.0f} ms{mark}"
        )
    return good


class Slow:
    """Opens pages as a slow phone does that has never been here."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(LARGEST)
        self.page = context.new_page()
        self.wire: CDPSession = context.new_cdp_session(self.page)
        self.sizes: list[int] = []
        self.wire.send("Network.enable")
        self.wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        bytes_per_second = BITS_PER_SECOND / 8
        self.wire.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": LATENCY_MILLISECONDS,
                "downloadThroughput": bytes_per_second,
                "uploadThroughput": bytes_per_second,
            },
        )
        self.wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        self.wire.on("Network.loadingFinished", lambda event: self.sizes.append(event["encodedDataLength"]))

    def view(self, path: str) -> View:
        self.sizes = []
        self.page.goto(path, wait_until="networkidle", timeout=60_000)
        return View(len(self.sizes), int(sum(self.sizes)), self.page.evaluate("window.largest || 0"))


# --- widths and pictures -----------------------------------------------------------------------------------------


def look(contexts: Sequence[BrowserContext], paths: Sequence[str], *, pictures: Path) -> bool:
    """Print what is wider than its window, with usual letters and with large ones; take pictures of the usual."""
    good = True
    for context, widths in zip(contexts, (WIDTHS, LARGE), strict=True):
        page = context.new_page()
        for path in (f"{prefix}{path}" for path in paths for prefix in ("", "/ru")):
            page.goto(path)
            for width in widths:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                    good = False
                    print(f"{path}: wider than {width} px{' with large letters' if widths is LARGE else ''}")
                if width in PICTURES and widths is WIDTHS:
                    page.screenshot(path=pictures / f"{_name(path)}-{width}.png", full_page=True)
    return good


def _name(path: str) -> str:
    return re.sub(r"[0-9a-f-]{36}", "one", path).strip("/").replace("/", "_").replace("?", "_") or "home"


if __name__ == "__main__":
    sys.exit(main())
