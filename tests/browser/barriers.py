"""What keeps people from reading or using a page, as far as axe sees it."""

from pathlib import Path

import axe_core_python
from playwright.sync_api import Page

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RUN = "axe.run(document, {resultTypes: ['violations'], elementRef: false}).then(found => found.violations)"

# All that a page has around its `main`: most of the elements of most pages. Without addresses, what forms carry, the
# time, and which entry of a menu is the current one, of which there is one or none.
FRAME = r"""() => {
    if (!document.querySelector("body > main")) return null;
    const sheets = [...document.styleSheets].map(sheet => sheet.href);
    const current = new Set([...document.querySelectorAll("[aria-current]")].map(one => one.ariaCurrent));
    const around = [...document.querySelectorAll("body > :not(main)")].map(one => one.outerHTML);
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    return [innerWidth, isDark, document.documentElement.lang, ...sheets, ...current, ...around].join("\n")
        .replace(/ (href|action|value|data-now|aria-current)="[^"]*"/g, "")
        .replace(/<time .*?<\/time>/gs, "");
}"""
# The skip link stays: it belongs to what it leads to.
HIDDEN = """shows => {
    for (const one of document.querySelectorAll("body > :not(main, .skip-link)"))
        shows ? one.style.removeProperty("display") : one.style.setProperty("display", "none", "important");
}"""
_frames_without_faults: set[str] = set()


def against_axe(page: Page, *, width: int | None = None) -> list[str]:
    """What axe finds on the page as it is, at this width of the window if one is given.

    A frame in which it found nothing is hidden from it on further pages that have the very same.
    """
    if width is not None:
        page.set_viewport_size({"width": width, "height": (page.viewport_size or {"height": 740})["height"]})
    page.evaluate(AXE)
    frame = page.evaluate(FRAME)
    is_known = frame in _frames_without_faults
    if is_known:
        page.evaluate(HIDDEN, False)
    found = [
        f"{fault['id']}: {node['html'][:160]}" for fault in page.evaluate(RUN) for node in fault["nodes"][:3]
    ]
    if is_known:
        page.evaluate(HIDDEN, True)
    elif frame and not found:
        _frames_without_faults.add(frame)
    return found
