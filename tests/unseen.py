"""How much of a page a test sees: what it was given is noted once, and by the dozen pages are not drawn at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.http import HttpRequest
from django.template import base
from django.template.backends.django import Template
from django.template.context import Context, make_context
from django.test.signals import template_rendered


def render_noted(self: base.Template, context: Context) -> str:
    """In place of Django's own in tests: of a page, not of what it includes and extends, the context is noted."""
    if context.template is self:
        template_rendered.send(sender=self, template=self, context=context)
    return self.nodelist.render(context)


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
