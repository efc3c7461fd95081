"""A parent's profile: what the registry says, what they may change, their photo and password, and their journal."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import agreement, audit, contacts, services, typed
from accounts.actors import who_did
from accounts.decorators import accepts, parent_required, parent_whatever_agreed
from accounts.devices import remember_device
from accounts.forms import PasswordChangeForm, PhotoForm, ProfileForm
from accounts.journal import institutions_of, names_of
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile, User
from accounts.numbers.stopping import under_way
from accounts.phones import display_phone
from accounts.typed import refilled
from accounts.views.own_password import why_not_own
from accounts.way_back import page_of_ours
from notifications.clock import read_clock
from notifications.pressing import form_stands_on, pressed_on

PAGE_LENGTH = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def policy(request: HttpRequest) -> HttpResponse:
    """Whoever agreed to an earlier version of the data policy reads what changed, and agrees or only reads on."""
    user = cast(User, request.user)
    asked = request.POST.get("next") or request.GET.get("next") or ""
    following = page_of_ours(request, asked) or reverse(settings.LOGIN_REDIRECT_URL)
    if request.method == "POST" and "later" in request.POST:
        agreement.read_on(request)
        return redirect(following)
    if request.method == "POST":
        services.accept_policy(user, now=read_clock())
        agreement.forget(request)
        kept = typed.kept_for(request, user)
        return redirect(kept.page if kept is not None else following)
    if not services.must_accept_policy(user):
        return redirect(following)
    context = {"next": following, "agreed": services.newest_agreement(user)}
    return render(request, "accounts/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def profile(request: HttpRequest) -> HttpResponse:
    user = _parent(request)
    form = refilled(request, _profile_form(user, request.POST if request.method == "POST" else None))
    if form.is_valid():
        services.change_profile(
            user, **form.cleaned_data, client_address=audit.client_address(request), now=read_clock()
        )
        messages.success(request, _("Your profile is saved"))
        return redirect(page_of_ours(request, request.POST.get("next", "")) or "accounts:profile")
    return _profile_page(request, form=form, photo_form=PhotoForm())


@form_stands_on("accounts:profile")
@accepts(settings.UPLOAD_FORM_MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def photo(request: HttpRequest) -> HttpResponse:
    """The parent's own photo, which nobody else can ask for; a POST changes it."""
    user = _parent(request)
    if request.method != "POST":
        return _photo_file(user.profile)
    form = PhotoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            services.change_photo(
                user,
                file=form.cleaned_data["photo"],
                address=audit.client_address(request),
                now=read_clock(),
            )
        except ValidationError as refusal:
            form.add_error("photo", refusal)
        else:
            messages.success(request, _("The photo is changed"))
            return redirect("accounts:profile")
    return _profile_page(request, form=None, photo_form=form)


@pressed_on("accounts:profile")
@parent_required
def language(request: HttpRequest) -> HttpResponse:
    """Undo what switching the language of a page did: SMS and messages keep coming in the former one."""
    chosen, names = request.POST.get("language", ""), dict(settings.LANGUAGES)
    if chosen in names:
        services.set_language(_parent(request), chosen)
        messages.success(
            request,
            _("SMS and messages to you are in: %(language)s") % {"language": str(names[chosen]).lower()},
        )
    return redirect(page_of_ours(request, request.POST.get("next", "")) or "accounts:profile")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def password(request: HttpRequest) -> HttpResponse:
    """Change the password: the old one is asked for, this session stays, all others end."""
    user = _parent(request)
    now = read_clock()
    form = PasswordChangeForm(
        request.POST if request.method == "POST" else None,
        user=user,
        why_not=partial(why_not_own, request, now=now),
    )
    if form.is_valid():
        try:
            services.change_password(
                user,
                password=form.cleaned_data["password"],
                action=Action.PASSWORD_CHANGED,
                address=audit.client_address(request),
                now=now,
            )
        except services.ChangedMeanwhile:
            # That ended this session as well.
            return redirect("accounts:password")
        update_session_auth_hash(request, user)
        messages.success(request, _("The password is changed. Your other devices are signed out"))
        response = redirect("accounts:profile")
        remember_device(response, request, user)
        return response
    return render(request, "accounts/password.html", {"form": form})


@require_safe
@parent_whatever_agreed
def journal(request: HttpRequest) -> HttpResponse:
    """What was done in the account and with the applications, when and by whom, newest first."""
    user = _parent(request)
    page = Paginator(audit.journal_of(user), PAGE_LENGTH).get_page(request.GET.get("page"))
    entries = list(page.object_list)
    employees = {(one.actor.pk, one.at) for one in entries if one.actor is not None and one.actor.is_staff}
    institutions = institutions_of(employees)
    names = names_of(one.about for one in entries if one.about)
    rows = [
        {
            "entry": one,
            "target": names.get(one.about, one.target),
            "actor": _actor(one, reader=user, institutions=institutions),
        }
        for one in entries
    ]
    return render(request, "accounts/journal.html", {"page": page, "rows": rows})


def _parent(request: HttpRequest) -> User:
    """The signed-in parent: `parent_required` lets nobody else through."""
    return cast(User, request.user)


def _profile_page(request: HttpRequest, *, form: ProfileForm | None, photo_form: PhotoForm) -> HttpResponse:
    user = _parent(request)
    own = user.profile
    context = {
        "form": form or _profile_form(user, None),
        "sends_mail": settings.SENDS_MAIL,
        "email": contacts.proven_contact(user, contacts.Way.EMAIL),
        "second_phone": display_phone(own.second_phone),
        "second_phone_hint": contacts.how_proven(user),
        "photo_form": photo_form,
        "profile": own,
        **under_way(user),
        "next": page_of_ours(request, request.POST.get("next") or request.GET.get("next", "")),
        "rows": [
            {"label": _("IIN / document number"), "value": _masked_identity(own)},
            {"label": _("Last name"), "value": own.last_name},
            {"label": _("First name"), "value": own.first_name},
            {"label": _("Patronymic"), "value": own.middle_name or "—"},
            {"label": _("Date of birth"), "at": own.birth_date, "show": "date"},
            {"label": _("Sex"), "value": own.get_sex_display()},
        ],
        # Not the registry's: a change of number changes both.
        "account_rows": [
            {"label": _("Login"), "value": display_phone(user.phone) or user.login or "—"},
            {"label": _("Contact phone"), "value": display_phone(user.phone) or "—"},
        ],
    }
    return render(request, "accounts/profile.html", context)


def _profile_form(user: User, sent: Any) -> ProfileForm:
    return ProfileForm(sent, initial={"address": user.profile.address, "language": user.language})


def _photo_file(own: Profile) -> HttpResponse:
    if not own.photo:
        raise Http404
    try:
        with own.photo.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(content, content_type="image/jpeg")


def _masked_identity(own: Profile) -> str:
    return own.masked_identity


def _actor(entry: AuditEntry, *, reader: User, institutions: Mapping[tuple[UUID, datetime], str]) -> str:
    """Who did it, as this reader says it."""
    if entry.actor is not None and entry.actor == reader:
        return pgettext("by whom", "I")
    return who_did(entry, institutions=institutions) or _("Other guardian")
