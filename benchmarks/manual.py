"""The pictures of the employees' manual: `make manual`, beside a demo portal that runs (`make run`).

Employees of the demo city sign in, and the pages that the manual tells of are taken in both languages into
`static/manual/`. Each becomes a picture of few colours, of at most 40 KB. The demo city gets one more invited employee
with each run; nothing else in it changes.
"""

import argparse
import io
import os
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.visitors import FLAGS, sign_in

FOLDER: Final = Path(__file__).resolve().parent.parent / "static" / "manual"
WIDTH, HEIGHT, COLOURS, BYTES = 1100, 680, 48, 40_000
ROW: Final = "#result_list tbody th a"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    arguments = parser.parse_args()
    heavy = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=FLAGS)
        with closing(browser):
            for employee, pictures in OF_EMPLOYEES.items():
                page = sign_in(browser, employee, portal=arguments.url, width=WIDTH, height=HEIGHT)
                for name, way in pictures.items():
                    for language in ("kk", "ru"):
                        way(page, "/ru" if language == "ru" else "")
                        path = FOLDER / language / f"{name}.png"
                        size = save(page.screenshot(), path)
                        print(f"{size:6}  {path.relative_to(FOLDER)}")
                        heavy += [path] if size > BYTES else []
    for path in heavy:
        print(f"more than {BYTES} bytes: {path}")
    return 1 if heavy else 0


def save(picture: bytes, path: Path) -> int:
    """Keep a picture in few colours; its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path.stat().st_size


# --- the ways to the pages -----------------------------------------------------------------------------------------


def opened(path: str) -> Callable[[Page, str], None]:
    def way(page: Page, prefix: str) -> None:
        page.goto(prefix + path)

    return way


def first_of(path: str, *, then: str = "") -> Callable[[Page, str], None]:
    """The first row of a list, or the page that one of its buttons leads to."""

    def way(page: Page, prefix: str) -> None:
        page.goto(prefix + path)
        page.locator(ROW).first.click()
        page.wait_for_url("**/change/**")
        if then:
            page.locator(then).first.click()
            page.wait_for_load_state()

    return way


def why_look(page: Page, prefix: str) -> None:
    """The question of whoever looks for a family; of one for which it was not answered in the last half hour."""
    for row in range(10):
        _find(page, prefix, row=row)
        if page.locator("[name=reason]").count():
            return


def look(page: Page, prefix: str) -> None:
    """The card of the first family of the list."""
    _find(page, prefix, row=0)
    if page.locator("[name=reason]").count():
        page.locator("[name=reason]").first.check()
        page.locator("#content form .works button").click()
        page.wait_for_load_state()


def _find(page: Page, prefix: str, *, row: int) -> None:
    page.goto(f"{prefix}/admin/applications/application/")
    number = page.locator(ROW).nth(row).inner_text()
    page.goto(f"{prefix}/admin/")
    page.fill("#id_family_text", number)
    page.press("#id_family_text", "Enter")
    page.wait_for_load_state()


def set_up(page: Page, prefix: str) -> None:
    """The page of a new invitation, as the employee opens it."""
    page.goto(f"{prefix}/admin/accounts/employee/add/")
    login = f"employee-{time.time_ns() % 10_000_000}"
    named = {"last_name": "Ахметова", "first_name": "Айдана", "position": "әдіскер", "username": login}
    for name, value in named.items():
        page.fill(f"#id_{name}", value)
    page.select_option("#id_language", "ru" if prefix else "kk")
    page.locator("[name=groups]").first.check()
    page.locator("input[name=_save]").click()
    link = re.sub(r"^\w+://[^/]+", "", page.locator("code.link").inner_text())
    browser = page.context.browser
    assert browser is not None
    stranger = browser.new_context(base_url=re.sub(r"(\w+://[^/]+).*", r"\1", page.url))
    invited = stranger.new_page()
    invited.goto(link)
    page.set_content(invited.content().replace("<head>", f'<head><base href="{invited.url}">'))
    page.wait_for_load_state()
    page.evaluate("scrollTo(0, 330)")
    stranger.close()


OF_EMPLOYEES: Final[dict[str, dict[str, Callable[[Page, str], None]]]] = {
    "balpan": {
        "today": opened("/admin/"),
        "bid": first_of("/admin/applications/bid/?answer=due"),
        "refuse": first_of("/admin/applications/bid/?answer=due", then=".works a[href*='reject']"),
        "bulk": opened("/admin/bulletin/vacancy/bulk/?copy=last"),
        "roster": opened("/admin/rosters/awaited/"),
    },
    "official": {
        "official": opened("/admin/"),
        "benefit": first_of("/admin/applications/benefit/?check=waiting"),
    },
    "administrator": {
        "reason": why_look,
        "card": look,
        "set-up": set_up,
    },
    "auditor": {"audit": opened("/admin/accounts/auditentry/")},
    "system": {"invite": opened("/admin/accounts/employee/add/")},
}

if __name__ == "__main__":
    raise SystemExit(main())
