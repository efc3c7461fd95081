"""A renewed passport or identity card: entered by its owner, proven by the registry."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import audit, limits
from accounts.decorators import parent_required
from accounts.devices import known_device
from accounts.forms import DocumentForm
from accounts.masks import mask_document
from accounts.models import User
from accounts.registry import RegistryUnavailable
from accounts.registry_data import NotYourDocument, SameDocument, renew_document
from accounts.typed import refilled
from accounts.views.code_step import too_many
from accounts.views.own_password import is_confirmed
from notifications.clock import read_clock


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def document(request: HttpRequest) -> HttpResponse:
    """The number of the new document, and the password."""
    user, now = cast(User, request.user), read_clock()
    form = refilled(request, DocumentForm(request.POST if request.method == "POST" else None))
    if request.method == "POST" and is_confirmed(request, form, now=now) and _renew(request, form, now=now):
        messages.success(request, _("The new document is entered. Everything else stays as it is"))
        return redirect("accounts:profile")
    number = user.profile.document_number
    context = {"form": form, "present": mask_document(number) if number else ""}
    return render(request, "accounts/document.html", context)


def _renew(request: HttpRequest, form: DocumentForm, *, now: datetime) -> bool:
    """Whether the registry proved the document; otherwise the form says why not."""
    user, address = cast(User, request.user), audit.client_address(request)
    account = str(user.pk)
    allowed = limits.allow_lookup(
        account, address=address, device=known_device(request, user.username), now=now
    )
    if not allowed.ok:
        form.add_error("number", too_many(allowed.retry_at, now=now))
        return False
    try:
        renew_document(user, form.cleaned_data["number"], address=address, now=now)
    except NotYourDocument:
        limits.lookup_failed(account, address=address, now=now)
        form.add_error(
            "number",
            _(
                "The state registry does not know this document as yours. Check the number. If it is right, come to "
                "the education department with the document: the name in it may be written in another way"
            ),
        )
        return False
    except SameDocument:
        limits.lookup_was_harmless(account, now=now)
        form.add_error("number", _("This document is entered already. Enter the number of the new one"))
        return False
    except RegistryUnavailable:
        limits.lookup_was_harmless(account, now=now)
        form.add_error(None, _("The person registry does not answer now. Try again in a few minutes"))
        return False
    limits.lookup_was_harmless(account, now=now)
    return True
