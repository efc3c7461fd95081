"""The answer to a press of the button, at what it must cost when thousands press: see `applications.bidding.rush`.

A family that wins costs two statements, its session and its bid, and no user, profile or page is loaded. Whatever is
not settled in one statement (not signed in, an overdue deadline, a form that was tampered with) goes the ordinary way,
and presses in the end with the same `press_as`: every bid is decided by the one clock of the database.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from applications.bidding.full_places import FullPlaces
from applications.bidding.rush import Outcome, press
from applications.models import Bid
from applications.refusals import Refusal
from applications.views.offers import public_vacancies, similar_offers
from bulletin.models import Vacancy
from bulletin.selectors import running_pauses
from notifications.clock import clock_column, estimate_clock

_full_places = FullPlaces()

# What has to be settled first, and what has a page of its own: the ordinary way looks closer.
_LOOK_CLOSER = {
    Outcome.UNKNOWN,
    Outcome.RAN_OUT,
    Refusal.DISPUTED,
    Refusal.NOT_PUBLISHED,
    Refusal.STOP_LISTED,
    Refusal.REFERRAL_UNDER_WAY,
}


def answer_press(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> HttpResponse | None:
    """The whole answer to a POST for this application, or None where the ordinary way must be gone."""
    if request.method != "POST" or request.POST.get("application") not in (None, "", str(pk)):
        return None
    page = _full_places.page_for(vacancy_pk, _language(), application_id=pk)
    if page is not None:
        return HttpResponse(page, status=409)
    asked_at = _full_places.clock()
    outcome = press_as(request, pk, vacancy_pk)
    if outcome in _LOOK_CLOSER:
        return None
    if isinstance(outcome, Refusal):
        return _refusal(outcome, vacancy_pk, asked_at=asked_at)
    return sent(request, outcome, pk)


def chosen_application(request: HttpRequest) -> UUID | None:
    """The application that the form of a POST names, whoever's it is; None where it names none."""
    try:
        return UUID(request.POST.get("application", ""))
    except ValueError:
        return None


def press_as(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> Outcome | Refusal:
    """Press for whoever is signed in; the session is the only thing that is read of them."""
    user_id, stamp = request.session.get(SESSION_KEY), request.session.get(HASH_SESSION_KEY)
    if not user_id or not stamp:
        return Outcome.UNKNOWN
    return press(user_id=user_id, password_stamp=stamp, application_id=pk, vacancy_id=vacancy_pk)


def sent(request: HttpRequest, outcome: Outcome, pk: UUID) -> HttpResponse:
    """Where a family goes whose bid is there: to its application, told whether it was sent now or before."""
    if outcome == Outcome.PLACED:
        messages.success(
            request, _("You sent an application to the bulletin. Wait until the kindergarten activates it.")
        )
    else:
        messages.info(request, _("Your application for this place is already sent."))
    return HttpResponseRedirect(reverse("applications:application", args=[pk]))


def _refusal(refusal: Refusal, vacancy_pk: UUID, *, asked_at: float) -> HttpResponse:
    """Why the bid was not sent, in a page that asks for nothing but what the reason needs."""
    if refusal == Refusal.FULL:
        page = _full_page(vacancy_pk, asked_at=asked_at)
    elif refusal == Refusal.NOT_OPEN_YET:
        page = _page(refusal, {"vacancy": _vacancy(vacancy_pk), "is_early": True})
    elif refusal == Refusal.PAUSED:
        vacancy = _vacancy(vacancy_pk)
        page = _page(
            refusal, {"vacancy": vacancy, "pauses": running_pauses(vacancy.locality), "is_paused": True}
        )
    else:
        page = _page(refusal, {"may_repeat": refusal == Refusal.BUSY})
    return HttpResponse(page, status=409)


def _vacancy(pk: UUID) -> Vacancy:
    """What a small page names of the place, and the time by the clock that decided: one statement."""
    vacancies = Vacancy.objects.select_related("group__kindergarten__locality").annotate(
        server_now=clock_column()
    )
    return vacancies.get(pk=pk)


def _full_page(vacancy_pk: UUID, *, asked_at: float) -> bytes:
    """The same page for everyone who finds the place full, remembered for a second."""
    holding = Bid.objects.filter(vacancy=vacancy_pk, holds_seat=True)
    return _full_places.remember(
        vacancy_pk,
        _language(),
        asked_at=asked_at,
        holders=list(holding.values_list("application_id", flat=True)),
        make_page=lambda: _make_full_page(vacancy_pk),
    )


def _make_full_page(vacancy_pk: UUID) -> bytes:
    vacancy = public_vacancies().get(pk=vacancy_pk)
    others = similar_offers(vacancy, family=[], now=estimate_clock())
    return _page(Refusal.FULL, {"vacancy": vacancy, "others": others, "is_full": True})


def _page(refusal: Refusal, context: dict[str, object]) -> bytes:
    # Without the request: the page is nobody's own, and its addresses are relative to that of the press.
    page = render_to_string("applications/refused_press.html", {"refusal": refusal} | context)
    return page.encode()


def _language() -> str:
    return get_language() or ""
