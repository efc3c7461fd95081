"""What keeps people from reading or using a page, as far as axe sees it."""

from pathlib import Path

import axe_core_python
from playwright.sync_api import Page

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RUN = "axe.run(document, {resultTypes: ['violations'], elementRef: false}).then(found => found.violations)"


def against_axe(page: Page, *, width: int | None = None) -> list[str]:
    """What axe finds on the page as it is, at this width of the window if one is given."""
    if width is not None:
        page.set_viewport_size({"width": width, "height": (page.viewport_size or {"height": 740})["height"]})
    page.evaluate(AXE)
    return [
        f"{fault['id']}: {node['html'][:160]}" for fault in page.evaluate(RUN) for node in fault["nodes"][:3]
    ]
