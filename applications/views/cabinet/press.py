"""The answer to a press of the button, kept cheap because thousands press at once: see `applications.bidding.rush`.

A family that wins costs two statements, its session and its bid; no user, profile or page is loaded. Anything that one
statement can't settle (not signed in, an overdue deadline, a tampered form) goes through the usual view, which finally
calls the same `press_as`: the database's clock decides every bid.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from prometheus_client import Counter

from accounts.agreement import is_due
from accounts.visits import store
from applications.bidding.full_places import FullPlaces
from applications.bidding.rush import Outcome, press
from applications.models import Bid
from applications.refusals import Refusal
from applications.views.listings import public_vacancies, similar_listings
from bulletin.models import Vacancy
from bulletin.selectors import running_pauses
from notifications.clock import clock_column, estimate_clock

_full_places = FullPlaces()

# Of this process alone; nothing is asked for it, and nobody waits.
PRESSES = Counter(
    "balabaqsha_presses",
    "Presses of the button for a place, by what they were answered.",
    ["answer"],
    registry=None,
)

# What must be settled first, and what has a page of its own: the usual view handles these.
_LOOK_CLOSER = {
    Outcome.UNKNOWN,
    Outcome.RAN_OUT,
    Refusal.DISPUTED,
    Refusal.NOT_PUBLISHED,
    Refusal.STOP_LISTED,
    Refusal.BID_UNDER_WAY,
    Refusal.REFERRAL_UNDER_WAY,
}


def answer_press(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> HttpResponse | None:
    """The complete answer to a POST for this application, or None if the usual view must answer."""
    if request.method != "POST" or request.POST.get("application") not in (None, "", str(pk)):
        return None
    answer = _full_places.pass_through(
        vacancy_pk,
        get_language() or "",
        application_id=pk,
        press=lambda: press_as(request, pk, vacancy_pk),
        holders=lambda: _holders(vacancy_pk),
        make_page=lambda: _full_page(vacancy_pk),
    )
    if isinstance(answer, bytes):
        PRESSES.labels(Refusal.FULL.value).inc()
        return HttpResponse(answer, status=409)
    if answer in _LOOK_CLOSER:
        return None
    if isinstance(answer, Refusal):
        return HttpResponse(_refusal_page(answer, vacancy_pk), status=409)
    return sent(request, answer, pk)


def chosen_application(request: HttpRequest) -> UUID | None:
    """The application named in a POST form, whichever family it belongs to; None if there is none."""
    try:
        return UUID(request.POST.get("application", ""))
    except ValueError:
        return None


def press_as(request: HttpRequest, pk: UUID, vacancy_pk: UUID) -> Outcome | Refusal:
    """Press for the signed-in user; only the session is read."""
    session = store(request.session)
    # That the session was used is noted by the page that follows.
    session.is_noted = False
    user_id, stamp = session.get(SESSION_KEY), session.get(HASH_SESSION_KEY)
    # Who has not agreed to the data policy reads on, and does nothing: the usual view says so.
    if not user_id or not stamp or is_due(request):
        return Outcome.UNKNOWN
    answer = press(user_id=user_id, password_stamp=stamp, application_id=pk, vacancy_id=vacancy_pk)
    PRESSES.labels(answer.value).inc()
    return answer


def sent(request: HttpRequest, outcome: Outcome, pk: UUID) -> HttpResponse:
    """Redirect to the application once the bid exists, saying whether it was sent now or before."""
    if outcome == Outcome.PLACED:
        # Read without a look at the place: the page that follows says whether bids are collected there.
        messages.success(request, _("The bid is sent. This page says what happens next."))
    else:
        messages.info(request, _("Your application for this place is already sent."))
    return HttpResponseRedirect(reverse("applications:application", args=[pk]))


def _refusal_page(refusal: Refusal, vacancy_pk: UUID) -> bytes:
    """Why the bid was not sent, on a page that loads only what the reason needs."""
    if refusal == Refusal.NOT_OPEN_YET:
        return _page(refusal, {"vacancy": _vacancy(vacancy_pk), "is_early": True})
    if refusal == Refusal.PAUSED:
        vacancy = _vacancy(vacancy_pk)
        pauses = running_pauses(vacancy.locality)
        return _page(refusal, {"vacancy": vacancy, "pauses": pauses, "is_paused": True})
    return _page(refusal, {"may_repeat": refusal == Refusal.BUSY})


def _in_its_place(vacancy: Vacancy) -> Vacancy:
    """The vacancy; the page tells times as they are where it is."""
    timezone.activate(vacancy.locality.zone)
    return vacancy


def _vacancy(pk: UUID) -> Vacancy:
    """What the small page shows of the place, and the time by the deciding clock, in one statement."""
    vacancies = Vacancy.objects.select_related("group__kindergarten__locality").annotate(
        server_now=clock_column()
    )
    return _in_its_place(vacancies.get(pk=pk))


def _holders(vacancy_pk: UUID) -> list[UUID]:
    """The applications that hold its places, through a pending bid, a referral or a contract."""
    return list(
        Bid.objects.filter(vacancy=vacancy_pk, holds_seat=True).values_list("application_id", flat=True)
    )


def _full_page(vacancy_pk: UUID) -> bytes:
    """One page for everyone who finds the place full."""
    vacancy = _in_its_place(public_vacancies().get(pk=vacancy_pk))
    others = similar_listings(vacancy, family=[], now=estimate_clock())
    return _page(Refusal.FULL, {"vacancy": vacancy, "others": others, "is_full": True})


def _page(refusal: Refusal, context: dict[str, object]) -> bytes:
    # Without the request: the page is the same for everyone, and its addresses are relative to that of the press.
    page = render_to_string("applications/refused_press.html", {"refusal": refusal} | context)
    return page.encode()
