"""The family's children: the list, a child's page, and adding one."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import limits
from accounts.audit import client_address
from accounts.decorators import parent_required
from accounts.devices import known_device
from accounts.masks import mask_iin, mask_name
from accounts.models import Sex, User
from accounts.registry import Person, PhoneTie, RegistryUnavailable
from accounts.typed import refilled
from accounts.views.limited import limited
from children import checked as check
from children.access import child_for, children_of, others_of, undecided_claims_of
from children.ages import age_in_words
from children.disputes import standing_of, undecided_of
from children.forms import ChildForm, IinForm
from children.models import SEX_OF_CHILD, Child
from children.services import (
    ChildAlreadyAdded,
    ChildBusy,
    ChildRefused,
    add_child,
    find_child,
    known_wards,
    still_to_add,
)
from notifications.clock import estimate_clock, read_clock


@require_GET
@parent_required
def children_list(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate(estimate_clock())
    cards = [
        {
            "child": child,
            "iin": mask_iin(child.iin) if child.iin else "",
            "facts": [{"label": _("Age"), "value": age_in_words(child.birth_date, on=today)}],
        }
        for child in children_of(request.user)
    ]
    claims = undecided_claims_of(_parent(request))
    return render(request, "children/list.html", {"cards": cards, "claims": claims})


@require_GET
@parent_required
def child_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    child = child_for(request.user, pk)
    others = [
        {"label": one.user.profile.masked_name, "at": one.added_at}
        for one in others_of(child, _parent(request))
    ]
    zone = timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    context = {
        "child": child,
        "rows": _child_rows(child),
        "others": others,
        "dispute": undecided_of(child, zone=zone, now=estimate_clock()),
        "standing": standing_of(child, _parent(request)),
    }
    return render(request, "children/child.html", context)


@require_http_methods(["GET", "POST"])
@parent_required
def add(request: HttpRequest) -> HttpResponse:
    """Name a child: by its IIN, or by the button beside one that the registry knows as the parent's."""
    now = read_clock()
    if request.method == "GET":
        return _add_page(request, now=now)
    return _check(request, now=now)


@require_http_methods(["GET", "POST"])
@parent_required
def confirm(request: HttpRequest) -> HttpResponse:
    """«Is this your child?»: what the registry says of the child just named, and the button that saves it.

    The checked data stays on the server.
    """
    now = read_clock()
    if "cancel" in request.POST:
        check.forget(request.session)
        return redirect("children:add")
    if request.method == "POST":
        return _save(request, now=now)
    checked = check.checked_child(request.session, now=now)
    if checked is None:
        return redirect("children:add")
    return _confirm_page(request, checked, form=ChildForm(initial={"token": checked.token}))


def _check(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Ask the registry about the child that was named, and lead on to its answer.

    A child that the registry has named by itself is no guess: it is neither counted nor looked up again before `_save`.
    """
    form = refilled(request, IinForm(request.POST))
    check.forget(request.session)
    offered = check.offered_child(request.session, request.POST.get("offered", ""), now=now)
    if offered is not None:
        check.remember_checked(request.session, offered, now=now)
        return redirect("children:confirm")
    if not form.is_valid():
        return _add_page(request, now=now, form=form)
    user, iin = _parent(request), form.cleaned_data["iin"]
    account, address = str(user.pk), client_address(request)
    device = known_device(request, user.username)
    allowed = limits.allow_lookup(account, address=address, device=device, now=now)
    if not allowed.ok:
        check.remember_typed(request.session, iin, now=now)
        return limited(request, allowed.retry_at, way="look_up")
    try:
        person = find_child(user, iin=iin)
    except ChildAlreadyAdded as already:
        limits.lookup_was_harmless(account, now=now)
        return _add_page(request, now=now, form=form, existing=already.child)
    except ChildRefused as refused:
        limits.lookup_failed(account, address=address, now=now)
        form.add_error("iin", str(refused))
        return _add_page(request, now=now, form=form)
    except RegistryUnavailable:
        limits.lookup_was_harmless(account, now=now)
        check.remember_typed(request.session, iin, now=now)
        return _add_page(request, now=now, form=form, registry_down=True)
    limits.lookup_was_harmless(account, now=now)
    check.remember_checked(request.session, person, now=now)
    return redirect("children:confirm")


def _save(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Add the checked child and lead on to its application. A second press of the button ends on the same page."""
    form = ChildForm(request.POST)
    valid = form.is_valid()
    token = form.cleaned_data.get("token", "")
    saved = check.saved_child(request.session, token)
    if saved:
        return _to_the_application(saved)
    checked = check.checked_child(request.session, now=now)
    if checked is None or checked.token != token:
        messages.warning(request, _("Check the IIN first, then save."))
        return redirect("children:add")
    if not valid:
        return _confirm_page(request, checked, form=form)
    try:
        child = add_child(
            _parent(request), iin=checked.person.iin, nationality=form.cleaned_data["nationality"], now=now
        )
        messages.success(request, _("The child is added"))
    except ChildAlreadyAdded as already:
        child = already.child
    except ChildBusy as busy:
        messages.error(request, str(busy))
        return _confirm_page(request, checked, form=form)
    except ChildRefused as refused:
        check.forget(request.session)
        messages.error(request, str(refused))
        return redirect("children:add")
    except RegistryUnavailable:
        return _confirm_page(request, checked, form=form, registry_down=True)
    check.remember_saved(request.session, checked, child.pk)
    return _to_the_application(str(child.pk))


def _to_the_application(child_id: str) -> HttpResponse:
    """The form for this child; if another guardian has filed, it leads on to the application that exists."""
    return redirect(f"{reverse('applications:new')}?for={child_id}")


def _add_page(
    request: HttpRequest,
    *,
    now: datetime,
    form: IinForm | None = None,
    existing: Child | None = None,
    registry_down: bool = False,
) -> HttpResponse:
    iin_form = form or refilled(request, IinForm(initial={"iin": check.typed_iin(request.session, now=now)}))
    context = {
        "form": form,
        "iin_form": iin_form,
        "offered": _offered(request, now=now, may_ask=not registry_down),
        "existing_url": reverse("children:child", args=[existing.pk]) if existing else "",
        "registry_down": registry_down,
    }
    return render(request, "children/add.html", context)


def _offered(request: HttpRequest, *, now: datetime, may_ask: bool) -> list[check.Checked]:
    """The children that the registry names by itself for this parent and that can still be added.

    One that has just not answered is not asked a second time: the page has waited for it already.
    """
    user = _parent(request)
    if may_ask and check.offered_children(request.session, now=now) is None:
        wards = known_wards(user)
        if wards is not None:
            check.remember_offered(request.session, wards, now=now)
    offered = check.offered_children(request.session, now=now) or []
    left = still_to_add(user, [one.person for one in offered], today=timezone.localdate(now))
    by_iin = {one.person.iin: one for one in offered}
    return [by_iin[ward.iin] for ward in left]


def _confirm_page(
    request: HttpRequest, checked: check.Checked, *, form: ChildForm, registry_down: bool = False
) -> HttpResponse:
    context = {"form": form, "rows": _checked_rows(checked.person, request), "registry_down": registry_down}
    return render(request, "children/confirm.html", context)


def _checked_rows(person: Person, request: HttpRequest) -> list[dict[str, Any]]:
    """A child not added yet; by initials unless the phone is known as the parent's (docs/adr/0010-whose-phone.md).

    Once it is added, its other guardians are told, and the page shows everything.
    """
    if PhoneTie(_parent(request).profile.phone_tie).shows_whole:
        return _person_rows(person)
    return [
        {"label": _("Full name"), "value": mask_name(person.last_name, person.first_name)},
        {"label": _("Birth year"), "value": str(person.birth_date.year)},
    ]


def _person_rows(person: Person | Child) -> list[dict[str, Any]]:
    return [
        {"label": _("Last name"), "value": person.last_name},
        {"label": _("First name"), "value": person.first_name},
        {"label": _("Patronymic"), "value": person.middle_name or "—"},
        {"label": _("Sex"), "value": SEX_OF_CHILD[Sex(person.sex)]},
        {"label": _("Date of birth"), "at": person.birth_date, "show": "date"},
    ]


def _child_rows(child: Child) -> list[dict[str, Any]]:
    today = timezone.localdate(estimate_clock())
    return [
        {"label": _("IIN") if child.iin else _("Number of the certificate"), "value": child.masked_identity},
        *_person_rows(child),
        {"label": _("Age"), "value": age_in_words(child.birth_date, on=today)},
        {"label": _("Nationality"), "value": child.get_nationality_display() or _("Not stated")},
    ]


def _parent(request: HttpRequest) -> User:
    """The signed-in parent, whom `parent_required` let through."""
    assert isinstance(request.user, User)
    return request.user
