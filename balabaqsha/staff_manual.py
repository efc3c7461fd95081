"""The employees' manual as a page of the workplace: made of the file in `docs/`, so that it is told once."""

import re
from functools import cache
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_GET
from markdown_it import MarkdownIt
from markdown_it.token import Token

FILES: Final = {"kk": "employees.md", "ru": "employees.ru.md"}
# Where the pictures are, as seen from the file; the page shows them as static files.
_STATIC: Final = "../static/"


class Manual(NamedTuple):
    """The manual in one language: its title, and the rest as HTML."""

    title: str
    html: SafeString


@require_GET
def manual(request: HttpRequest) -> HttpResponse:
    """The manual in the reader's language; it says the same to every role."""
    told = read_manual("ru" if get_language() == "ru" else "kk")
    context = {**admin.site.each_context(request), "title": told.title, "manual": told.html}
    return TemplateResponse(request, "admin/manual.html", context)


@cache
def read_manual(language: str) -> Manual:
    """The file of a language, rendered once a process. Its first line is the title."""
    text = (settings.BASE_DIR / "docs" / FILES[language]).read_text(encoding="utf-8")
    title, _line, rest = text.partition("\n")
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(rest)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(tokens[at + 1].content))
        for image in token.children or ():
            if image.type == "image":
                _show(image)
    html = parser.renderer.render(tokens, parser.options, {})
    return Manual(title.removeprefix("# "), SafeString(html))


def anchor_of(heading: str) -> str:
    """What links lead to a heading with, here as where the file itself is read."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _show(image: Token) -> None:
    source = str(image.attrs["src"])
    image.attrs["src"] = static(source.removeprefix(_STATIC))
    image.attrs["loading"] = "lazy"
