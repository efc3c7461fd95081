"""The answer to whoever asks for a costly act while it is halted: the application's page says why and until when."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from applications.models import Application
from applications.refusals import Refusal
from children.disputes import is_halted


def answer_if_halted(request: HttpRequest, application: Application) -> HttpResponse | None:
    """Back to the application with the reason, or None where costly acts are free."""
    if not is_halted(application.child):
        return None
    messages.error(request, str(Refusal.HALTED.label))
    return redirect(application)
