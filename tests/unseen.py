"""Answers that are asked for by the dozen and judged by their status or by what their page was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.http import HttpRequest
from django.template.backends.django import Template
from django.template.context import make_context
from django.test.signals import template_rendered


@contextmanager
def pages_unseen() -> Iterator[None]:
    """No page is drawn, which is most of what an answer costs; status, context, session, limits and rows are real.

    Only around answers whose page another test reads: a page that can't be drawn is not noticed here. Texts of messages
    are drawn.
    """
    drawn = Template.render

    def render(
        self: Template, context: dict[str, Any] | None = None, request: HttpRequest | None = None
    ) -> str:
        if request is None:
            return drawn(self, context)
        given = make_context(context, request, autoescape=self.backend.engine.autoescape)
        template_rendered.send(sender=self.template, template=self.template, context=given)
        return ""

    with patch.object(Template, "render", render):
        yield
