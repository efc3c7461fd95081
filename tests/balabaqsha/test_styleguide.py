"""The style guide shows every component and every colour, the templates use no token that does not exist, and the
contrasts that the design system promises are those of the style sheet.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from balabaqsha.demo.styleguide import COLOURS

pytestmark = pytest.mark.django_db

SHEET = (settings.BASE_DIR / "static/css/app.css").read_text()
TOKENS = SHEET.partition("@layer tokens {")[2].partition("@layer base {")[0]
LIGHT, _media, _rest = TOKENS.partition("@media")
DARK = TOKENS.partition("@media screen and (prefers-color-scheme: dark) {")[2].partition("@media")[0]
COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{3,6});")
NAMED = re.compile(r'(?:include|extends|body=) ?"([\w/]+\.html)"')
# Only a script opens it, and only while somebody is signed in.
SHOWN_BY_SCRIPT = {"session_ends"}


def colours(of: str) -> dict[str, str]:
    return dict(COLOUR.findall(LIGHT)) | (dict(COLOUR.findall(DARK)) if of == "dark" else {})


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 reckons it."""

    def luminance(colour: str) -> float:
        digits = colour.removeprefix("#")
        pairs = [digit * 2 for digit in digits] if len(digits) == 3 else re.findall("..", digits)
        parts = [int(pair, 16) / 255 for pair in pairs]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def included(name: str, found: set[str]) -> set[str]:
    """The template, and all that it extends or includes."""
    if name not in found:
        found.add(name)
        for other in NAMED.findall(Path(settings.BASE_DIR, "templates", name).read_text()):
            included(other, found)
    return found


def test_every_component_is_shown():
    folder = Path(settings.BASE_DIR, "templates/components")
    shown = {Path(name).stem for name in included("demo/styleguide.html", set()) if "components/" in name}
    # The frame around the page names it for who is signed in.
    assert shown >= SHOWN_BY_SCRIPT
    assert {path.stem for path in folder.glob("*.html")} - shown == set()


def test_what_a_sample_form_sends_leads_back(client):
    assert client.post(reverse("styleguide"), {"name": ""}).url == reverse("styleguide")


def test_every_colour_is_shown_and_is_there_by_night():
    shown = [token for tokens in COLOURS.values() for token in tokens]
    assert sorted(shown) == sorted(colours("light"))
    same_by_night = set(colours("light")) - set(dict(COLOUR.findall(DARK)))
    assert same_by_night == {"sky", "sun", "on-sun"}


def test_every_token_that_is_used_exists_and_is_used():
    defined = set(re.findall(r"(?<![\w-])--([\w-]+):", SHEET))
    used = set(re.findall(r"var\(--([\w-]+)", SHEET))
    assert used - defined == set()
    assert defined - used == set()


def promised() -> list[tuple[str, str, float, float]]:
    """The rows of the table: what lies on what, and the contrast by day and by night."""
    text = (settings.BASE_DIR / "docs/design-system.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` on `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    return [(one, other, float(day), float(night)) for one, other, day, night in rows]


def test_the_contrasts_are_as_promised():
    """4.5 for words, 3 for the edge of a control and for the ring of the focus."""
    rows = promised()
    assert len(rows) > 20
    for upper, lower, *ratios in rows:
        for of, ratio in zip(("light", "dark"), ratios, strict=True):
            own = colours(of)
            found = contrast(own[upper], own[lower])
            assert f"{found:.1f}" == f"{ratio:.1f}", (upper, lower, of)
            assert found >= (3 if upper in {"control", "focus-outline"} else 4.5), (upper, lower, of)
