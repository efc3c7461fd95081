"""What keeps people from reading or using a page, as far as axe sees it."""

from pathlib import Path

import axe_core_python
from playwright.sync_api import Page

from tests.thorough import THOROUGH

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
# Taken out and put back: what is only hidden axe walks through all the same, for as long again as it takes for `main`.
# The skip link stays: it belongs to what it leads to.
OUT = """() => {
    window.taken = [...document.querySelectorAll("body > :not(main, .skip-link)")].map(one => {
        const place = document.createComment("");
        one.replaceWith(place);
        return [place, one];
    });
}"""
BACK = "for (const [place, one] of window.taken) place.replaceWith(one)"
_frames_without_faults: set[str] = set()

# Whether letters stand out is what axe takes longest for, and what a style sheet decides for all pages alike. A look is
# their element, colour, size and weight, and all that lies behind them; marks those of other looks than the given.
MARKED = r"""known => {
    const grounds = new Map([[null, ""]]), seen = new Set(known), found = new Set(), written = new Set();
    const behind = one => {
        if (!grounds.has(one)) {
            const {backgroundColor, backgroundImage, opacity, filter, mixBlendMode} = getComputedStyle(one);
            const own = [backgroundColor, backgroundImage, opacity, filter, mixBlendMode].join();
            const isClear = own === "rgba(0, 0, 0, 0),none,1,none,normal";
            grounds.set(one, (isClear ? "" : `${own};`) + behind(one.parentElement));
        }
        return grounds.get(one);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (texts.currentNode.data.trim()) written.add(texts.currentNode.parentElement);
    for (const one of [...written, ...document.querySelectorAll("input, select, textarea")]) {
        if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        const {color, fontSize, fontWeight, textShadow} = getComputedStyle(one);
        const isOff = one.closest(":disabled, [aria-disabled=true]") !== null;
        const letters = [one.tagName, one.className, one.type, isOff, color, fontSize, fontWeight, textShadow];
        const look = [...letters, behind(one)].join("|");
        if (seen.has(look)) continue;
        found.add(look);
        one.dataset.newLook = "";
    }
    axe.configure({rules: [{id: "color-contrast", selector: "[data-new-look]"}]});
    return [...found];
}"""
UNMARKED = "for (const one of document.querySelectorAll('[data-new-look]')) delete one.dataset.newLook"
_looks_that_stand_out: set[str] = set()


def against_axe(page: Page, *, width: int | None = None) -> list[str]:
    """What axe finds on the page as it is, at this width of the window if one is given.

    A frame in which it found nothing is taken from it on further pages that have the very same, and letters of a look
    that stood out are taken to stand out there too.
    """
    if width is not None:
        page.set_viewport_size({"width": width, "height": (page.viewport_size or {"height": 740})["height"]})
    page.evaluate(AXE)
    frame = page.evaluate(FRAME)
    is_known = frame in _frames_without_faults
    if is_known:
        page.evaluate(OUT)
    looks = page.evaluate(MARKED, [] if THOROUGH else list(_looks_that_stand_out))
    faults = page.evaluate(RUN)
    page.evaluate(UNMARKED)
    if is_known:
        page.evaluate(BACK)
    elif frame and not faults:
        _frames_without_faults.add(frame)
    if not any(fault["id"] == "color-contrast" for fault in faults):
        _looks_that_stand_out.update(looks)
    return [f"{fault['id']}: {node['html'][:160]}" for fault in faults for node in fault["nodes"][:3]]
