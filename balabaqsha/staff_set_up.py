"""The page to which a one-time link leads: there an employee sets up their account, and nobody is signed in yet.

The secret stands after the `?` of the link, which no log of ours holds, and leaves the address at once: it goes into
the session, and the page has an address without it.
"""

from base64 import b32encode
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin, auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.models import Device

from accounts import audit, limits, second_factor, staff_links
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.forms import NewPasswordForm
from accounts.journal_actions import Action
from accounts.models import StaffLink, User
from accounts.views.code_step import too_many
from notifications.clock import read_clock

# In a session: what the link that was opened there ends with.
_OPENED: Final = "staff_link"


class SetUpForm(NewPasswordForm):
    token = forms.CharField(
        label=_("One-time code"),
        help_text=_("The six digits that the app shows after it has read the picture or the key."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@never_cache
@sensitive_post_parameters()
def set_up(request: HttpRequest) -> HttpResponse:
    """Password, app and first code in one form; then the backup codes, which are shown this once.

    Wrong links are counted for the network; beyond the limit none is looked up.
    """
    now = read_clock()
    given = request.GET.get(staff_links.GIVEN_AS, "")
    secret: str = given or request.session.get(_OPENED, "")
    link = _look_up(request, secret, now=now)
    if isinstance(link, HttpResponse):
        return link
    if given:
        request.session[_OPENED] = given
        return HttpResponseRedirect(request.path)
    app = second_factor.app_to_set_up(link.user, request.session)
    form = SetUpForm(request.POST if request.method == "POST" else None, user=link.user)
    if form.is_valid():
        try:
            done = staff_links.use(
                secret,
                password=form.cleaned_data["password"],
                code=form.cleaned_data["token"],
                session=request.session,
                address=client_address(request),
                now=now,
            )
        except staff_links.NoLink:
            return _page(
                request,
                "admin/link_gone.html",
                gettext("This link opens nothing"),
                status=HTTPStatus.NOT_FOUND,
            )
        except staff_links.WrongCode:
            form.add_error(
                "token", gettext("This is not the code that the app shows now. Enter the next one.")
            )
        else:
            return _let_in(request, *done, now=now)
    _ask_for_password_again(form)
    context: dict[str, Any] = {
        "form": form,
        "link": link,
        "key": " ".join(_fours(b32encode(app.bin_key).decode())),
        "address": app.config_url,
        "picture": SafeString(segno.make(app.config_url).svg_inline(scale=5, border=4, light="#fff")),
    }
    return _page(request, "admin/set_up.html", gettext("Set up your account"), **context)


def _ask_for_password_again(form: SetUpForm) -> None:
    """Say at a field that was right why it is empty: something else in the form was not."""
    if form.is_bound:
        for name in ("password", "repeated"):
            if name in form.fields and name not in form.errors:
                form.add_error(name, gettext("Enter it once more: a page never keeps a password."))


def _look_up(request: HttpRequest, secret: str, *, now: datetime) -> StaffLink | HttpResponse:
    """The live link with this secret, or the page that says why there is none."""
    try:
        link: StaffLink | None = staff_links.find(secret, now=now)
    except staff_links.NoLink:
        link = None
    network = [(limits.STAFF_LINKS_PER_NETWORK, limits.address_key(client_address(request)))]
    answer = limits.judge(network, right=link is not None, now=now)
    if not answer.ok:
        words = too_many(answer.retry_at, now=now)
        title = gettext("Too many attempts")
        return _page(request, "admin/link_gone.html", title, words=words, status=HTTPStatus.TOO_MANY_REQUESTS)
    if link is None:
        return _gone(request)
    return link


def _gone(request: HttpRequest) -> HttpResponse:
    title = gettext("This link opens nothing")
    return _page(request, "admin/link_gone.html", title, status=HTTPStatus.NOT_FOUND)


def _let_in(
    request: HttpRequest, owner: User, device: Device, codes: list[str], *, now: datetime
) -> HttpResponse:
    del request.session[_OPENED]
    # Before the sign-in: until the next request nothing says that it was one with both factors.
    response = _page(request, "admin/backup_codes.html", gettext("Your backup codes"), codes=codes)
    auth.login(request, owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    django_otp.login(request, device)
    audit.record(Action.SIGNED_IN, actor=owner, subject=owner, address=client_address(request), now=now)
    remember_device(response, request, owner)
    return response


def _page(
    request: HttpRequest, template: str, title: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any
) -> TemplateResponse:
    return TemplateResponse(
        request, template, {**admin.site.each_context(request), "title": title, **context}, status=status
    )


def _fours(key: str) -> list[str]:
    return [key[at : at + 4] for at in range(0, len(key), 4)]
