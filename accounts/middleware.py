"""What every request of a signed-in user needs."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import translate_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import agreement, push, typed
from accounts.audit import client_address
from accounts.devices import device_hash
from accounts.models import User
from accounts.services import must_accept_policy, set_language
from accounts.sessions import SessionStore
from accounts.typed_text import all_as_read
from accounts.way_back import page_of_ours
from notifications.clock import counted_clock, read_clock

_SIGNED_OUT: Final = "_was_signed_out"
# Set by a view on a file that knows no visitor, and that a browser asks for again and again: it is kept as it says.
IS_FOR_EVERYBODY: Final = "is_for_everybody"


class ForeignNextMiddleware:
    """Takes a `next` that leads away from this site out of an address, so that no page shows it or leads on to it.

    Many pages hold their own address: in the switch of the language, in the way to the sign-in and back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any(not page_of_ours(request, wanted) for wanted in request.GET.getlist("next")):
            kept = request.GET.copy()
            del kept["next"]
            request.META["QUERY_STRING"] = kept.urlencode()
            request.GET = QueryDict(kept.urlencode())
        return self.get_response(request)


class TypedTextMiddleware:
    """Reads what is typed into any form alike (`typed_text.as_read`): so no form refuses what its browser let pass.

    Programs that send us something, past the check of forms, are read as they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_args: Any) -> None:
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            request.POST = all_as_read(request.POST)  # type: ignore[assignment]


class PrivatePagesMiddleware:
    """No cache stores the pages of a visitor with a session, so the back button shows nothing after signing out.

    Whatever signs a user out, the browser is asked to forget what it has stored of the portal.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # The cookie, not the user: somebody with a cookie may be signed in, and a page that needs no user must not cost
        # a query.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not hasattr(response, IS_FOR_EVERYBODY):
            add_never_cache_headers(response)
        if getattr(request, _SIGNED_OUT, False):
            # Not the cookies: the device still knows the account and the chosen place.
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@receiver(user_logged_in)
def _note_agreement(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    if request is not None:
        agreement.note_due(request, due=must_accept_policy(user))


@receiver(user_logged_out)
def _note_sign_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if request is None:
        return
    setattr(request, _SIGNED_OUT, True)
    if isinstance(user, User) and (device := device_hash(request)):
        # Its screen shows nothing of an account that was signed out there.
        push.end_on(user, device, address=client_address(request), now=read_clock())


class SessionEndsMiddleware:
    """Notes after the page that a family's session was used, and tells the browser when it ends.

    It stands around Django's own, so the session is written by then. A page that reads no session costs nothing; one
    that reads it costs a statement once in two minutes (`accounts.sessions`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Whatever answered before the session was opened has none.
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore) or not session.was_read:
            return response
        # Reading the session read the clock: no statement for it.
        now = counted_clock()
        if now is not None and session.is_due(now=now):
            session.note_use(now=now)
        _tell_end(response, request, session)
        return response


def _tell_end(response: HttpResponse, request: HttpRequest, session: SessionStore) -> None:
    """The end as a cookie that the script of `templates/components/session_ends.html` reads: seconds of the epoch."""
    name = settings.SESSION_ENDS_COOKIE_NAME
    if session.ends_at is None or session.expires is None:
        if name in request.COOKIES:
            response.delete_cookie(name, samesite="Lax")
        return
    told = str(int(session.expires.timestamp()))
    if request.COOKIES.get(name) != told:
        response.set_cookie(name, told, secure=settings.HTTPS, samesite="Lax")


class SessionEndedMiddleware:
    """Who presses a button without being signed in any more signs in, finds the form as it was, and presses again.

    Whatever view sends a POST to sign in is answered so. The page after the sign-in is the one with the form, never an
    address that takes a POST alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and _leads_to_sign_in(response, request):
            if typed.keep(request):
                said = _(
                    "Nothing was sent: you are no longer signed in. Sign in: the form comes back as you filled it in."
                )
            else:
                said = _("Nothing was sent: you are not signed in. Sign in, then press the button once more.")
            messages.warning(request, said)
            return redirect_to_login(typed.page_of(request))
        return response


def _leads_to_sign_in(response: HttpResponse, request: HttpRequest) -> bool:
    """Whether it leads to the families' sign-in and back here. A registration may lead there and then elsewhere."""
    if response.status_code != 302:
        return False
    ways = {redirect_to_login(here).url for here in (request.get_full_path(), typed.page_of(request))}
    return response.headers["Location"] in ways


class LanguageChoiceMiddleware:
    """A user who switches the language of a page gets SMS and notices in that language, is told so, and may undo it.

    A switch goes from a page to the same page in another language. Opening a link in another language is not a switch.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        language = get_language() or settings.LANGUAGE_CODE
        if not _is_switch(request, language):
            return
        user = request.user
        if isinstance(user, User) and user.language != language:
            former = user.language
            set_language(user, language)
            # Only parents get any.
            if user.phone:
                messages.info(
                    request, _("You get SMS and messages in English now."), extra_tags=f"written-in-{former}"
                )


def _is_switch(request: HttpRequest, language: str) -> bool:
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return False
    # A path that begins with two slashes would be read as another site.
    here = escape_leading_slashes(request.path)
    if request.method != "GET" or came_from.netloc != request.get_host() or came_from.path == request.path:
        return False
    # The address of this page in the other languages: only addresses in the active language can be resolved.
    return any(
        translate_url(here, code) == came_from.path for code, _name in settings.LANGUAGES if code != language
    )
