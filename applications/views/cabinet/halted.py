"""The answer to an act that can't be done now: the application's page says why and until when."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from applications.models import Application
from applications.preview import is_preview
from applications.refusals import Refusal
from applications.states import BEGINNING, CHOOSING, Move


def answer_if_halted(request: HttpRequest, application: Application) -> HttpResponse | None:
    """Back to the application with the reason; None if the portal is open and nothing is halted for the user."""
    if is_preview():
        return back_with(request, application, Refusal.PREVIEW)
    if not application.asker_is_bound:
        return None
    return back_with(request, application, Refusal.HALTED)


def answer_if_not_for(request: HttpRequest, application: Application, step: Move) -> HttpResponse | None:
    """Back to the application with the reason; None if the portal is open and a dispute leaves this to the user."""
    if is_preview():
        return back_with(request, application, Refusal.PREVIEW)
    is_refused = (step in CHOOSING and not application.asker_may_choose) or (
        step in BEGINNING and not application.asker_may_begin
    )
    if application.asker_side is None or not is_refused:
        return None
    return back_with(request, application, Refusal(application.asker_side.value))


def back_with(request: HttpRequest, application: Application, reason: Refusal) -> HttpResponse:
    """Back to the application, with the reason."""
    messages.error(request, str(reason.label))
    return redirect(application)
