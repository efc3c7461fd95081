"""Draw static/img/share.{kk,ru}.png, the picture beside a shared link, and the icons from the portal's own drawings.

The pictures are kept in the repository: a machine that serves the portal has no browser.
"""

import base64
import os
from pathlib import Path

from playwright.sync_api import sync_playwright

CHECKOUT = Path(__file__).resolve().parent.parent
DRAWINGS = CHECKOUT / "static" / "img"
FONTS = CHECKOUT / "var" / "fonts"
WORDS = {
    "kk": "Балабақша кезегі, бос орындар, жолдама",
    "ru": "Очередь в детский сад, свободные места, направление",
}
# What readers of links expect; a larger one is not shown by some.
WIDTH, HEIGHT = 1200, 630

# How wide an icon is, and how much of that the mark takes: phones cut a circle of four fifths out of one, and iPhones
# round the corners themselves.
ICONS = {
    "icon-192": (192, 1.0),
    "icon-512": (512, 1.0),
    "icon-maskable": (512, 0.66),
    "icon-apple": (180, 0.8),
}
ICON = """<!doctype html><style>
body {{ margin: 0; width: {size}px; height: {size}px; display: grid; place-items: center; background: {ground} }}
svg {{ width: {mark_size}px; height: {mark_size}px }}
</style>{mark}"""

PAGE = """<!doctype html><meta charset="utf-8"><style>
@font-face {{ font-family: Roboto; src: url(data:font/woff2;base64,{regular}) }}
@font-face {{ font-family: Roboto; font-weight: bold; src: url(data:font/woff2;base64,{bold}) }}
body {{ margin: 0; width: 1200px; height: 630px; background: #0b5a8f; color: #fff; font-family: Roboto, sans-serif;
  position: relative; overflow: hidden }}
.steppe svg {{ position: absolute; left: 0; bottom: 0; width: 1200px; height: 330px }}
.words {{ position: absolute; left: 70px; top: 60px; width: 1060px }}
h1 {{ display: flex; gap: 28px; align-items: center; margin: 0; font-size: 92px }}
h1 svg {{ width: 120px; height: 120px; border-radius: 30px; outline: 4px solid #fff }}
p {{ margin: 36px 0 0; font-size: 46px }}
</style><div class="steppe">{steppe}</div><div class="words"><h1>{mark} Balabaqsha</h1><p>{words}</p></div>"""


def main() -> None:
    parts = {name: (DRAWINGS / f"{name}.svg").read_text() for name in ("mark", "steppe")}
    for weight in ("regular", "bold"):
        parts[weight] = base64.b64encode((FONTS / f"roboto-{weight}.woff2").read_bytes()).decode()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"))
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for language, words in WORDS.items():
            page.set_content(PAGE.format(words=words, **parts))
            page.evaluate("document.fonts.ready")
            page.screenshot(path=DRAWINGS / f"share.{language}.png")
        for name, (size, part) in ICONS.items():
            page.set_viewport_size({"width": size, "height": size})
            ground = "transparent" if part == 1 else "#0b5a8f"
            page.set_content(ICON.format(size=size, mark_size=size * part, ground=ground, mark=parts["mark"]))
            page.screenshot(path=DRAWINGS / f"{name}.png", omit_background=True)
        chromium.close()


if __name__ == "__main__":
    main()
