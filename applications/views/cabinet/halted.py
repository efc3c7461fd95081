"""The answer to a costly act while it is halted: the application's page says why and until when."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from applications.models import Application
from applications.refusals import Refusal
from applications.states import BEGINNING, CHOOSING, Move


def answer_if_halted(request: HttpRequest, application: Application) -> HttpResponse | None:
    """Back to the application with the reason; None if costly acts are not halted for the user."""
    if not application.asker_is_bound:
        return None
    return back_halted(request, application)


def back_halted(request: HttpRequest, application: Application) -> HttpResponse:
    """Back to the application, since what was asked is halted."""
    messages.error(request, str(Refusal.HALTED.label))
    return redirect(application)


def answer_if_not_for(request: HttpRequest, application: Application, step: Move) -> HttpResponse | None:
    """Back to the application with the reason; None if the user may do this in an undecided dispute."""
    is_refused = (step in CHOOSING and not application.asker_may_choose) or (
        step in BEGINNING and not application.asker_may_begin
    )
    if application.asker_side is None or not is_refused:
        return None
    messages.error(request, str(Refusal(application.asker_side.value).label))
    return redirect(application)
