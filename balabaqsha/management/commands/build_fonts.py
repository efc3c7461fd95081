"""Make the web fonts: Roboto from the `font-roboto` package, cut down to the letters that the portal uses."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import font_roboto
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from fontTools import subset

WEIGHTS = ("Regular", "Bold")

# Basic Latin; Russian and Kazakh, and what names of neighbours have besides; punctuation and signs. A letter that is
# missing comes from the device's own font.
UNICODES = [
    *range(0x0020, 0x007F),
    *map(ord, "\u00a0«»°·×©"),
    *range(0x0410, 0x0450),
    *map(ord, "ЁёӘәҒғҚқҢңӨөҰұҮүҺһІіЎўҲҳЇїЄєҐґӢӣӮӯҶҷ"),
    *map(ord, "\u2009\u2010\u2011\u2012–—‘’“”„•…\u202f‹›€₸₽№−≤≥→←"),
]


class Command(BaseCommand):
    help = "Builds the woff2 fonts under var/fonts; does nothing when they are made of what they should be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="Build again even if the fonts are there.")

    def handle(self, *args: Any, force: bool = False, **options: Any) -> None:
        source = Path(font_roboto.font_directory)
        target = Path(settings.VAR_DIR) / "fonts"
        target.mkdir(parents=True, exist_ok=True)
        made_of = target / "made-of.txt"
        recipe = f"{version('font-roboto')} {WEIGHTS} {UNICODES}"
        is_stale = force or not made_of.exists() or made_of.read_text() != recipe
        for weight in WEIGHTS:
            woff2 = target / f"roboto-{weight.lower()}.woff2"
            if is_stale or not woff2.exists():
                build_font(source / f"Roboto-{weight}.ttf", woff2)
                self.stdout.write(f"{woff2.name}: {woff2.stat().st_size // 1024} KB")
        made_of.write_text(recipe)
        (target / "LICENSE.txt").write_bytes((source / "LICENSE").read_bytes())


def build_font(ttf: Path, woff2: Path) -> None:
    """Write the letters of `UNICODES` from `ttf` into `woff2`; the final name never holds half a file."""
    options = subset.Options(flavor="woff2", layout_features=["kern", "liga", "mark", "tnum", "lnum", "pnum"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=UNICODES)
    unfinished = woff2.with_suffix(".part")
    with subset.load_font(str(ttf), options) as font:
        subsetter.subset(font)
        subset.save_font(font, str(unfinished), options)
    unfinished.replace(woff2)
