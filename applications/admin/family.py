"""One search for families, and the family's card from which a call is answered.

No card opens before its reader has said why: the address of a card asks until the audit holds the reason. What the
employee typed stands in no address, and of a number it is not kept: the session holds only whom it found.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit
from accounts.masks import mask_name
from accounts.models import User
from applications.admin.work import READ_BY_OTHERS, staff_of
from applications.families import asked, looks, search
from applications.families.card import Card, card_of
from applications.families.looks import REASONS, Family, family_of_child, family_of_guardian, is_open
from applications.families.messages import Way, send_to_family_again
from applications.families.names import NAMES, Named
from applications.families.scope import may_look
from applications.families.search import Found, TooManySearches
from applications.journal_actions import Action
from applications.queue.history import explain
from notifications.clock import estimate_clock, read_clock

# Whom the last searches found, in the session, by a key that stands in the address.
_SEARCHES: Final = "family_searches"
_MOST_SEARCHES: Final = 5

SEND_AGAIN: Final = "children.send_to_family_again"


class SearchForm(forms.Form):
    text = forms.CharField(
        label=_("Find a family"),
        help_text=_(
            "Number of an application or a referral, phone, IIN, or last name with or without the first name"
        ),
        max_length=asked.LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why you look at this family"),
        choices=[(action.value, label) for action, label in REASONS.items()],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In other words"),
        help_text=_("Needed for another reason. The family reads it in its journal."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"].strip()
        if not words and self.cleaned_data.get("reason") == Action.LOOKED_OTHERWISE:
            raise ValidationError(gettext("Write the reason in a few words"))
        for check in READ_BY_OTHERS if words else ():
            check(words)
        return words


class FamilyPages:
    """The pages, as a site of the workplace mounts them (`urls`)."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        own: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "family_search": ("family/", self.search),
            "family_of_child": ("family/child/<uuid:pk>/", self.of_child),
            "family_of_guardian": ("family/guardian/<uuid:pk>/", self.of_guardian),
            "family_of_child_again": (
                "family/child/<uuid:pk>/again/<slug:way>/<uuid:message>/",
                self.again_of_child,
            ),
            "family_of_guardian_again": (
                "family/guardian/<uuid:pk>/again/<slug:way>/<uuid:message>/",
                self.again_of_guardian,
            ),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in own.items()]

    @method_decorator([never_cache, sensitive_post_parameters()])
    def search(self, request: HttpRequest) -> HttpResponse:
        """Look for families (POST), and list those of an earlier search (GET); the card itself if it is one."""
        employee = _looking(request)
        form = SearchForm(request.POST if request.method == "POST" else None, auto_id="id_family_%s")
        if not form.is_valid():
            found = _kept(request)
            return self._list(request, employee, form, found) if found else self._page(request, form)
        wanted = asked.read(form.cleaned_data["text"])
        if not wanted.kinds:
            form.add_error("text", gettext("Write a whole number, or a last name."))
            return self._page(request, form)
        if wanted.words and not employee.has_perm(NAMES):
            # Letter by letter a mask would fall.
            form.add_error(
                "text", gettext("Write a whole number: you read no names, so nobody is found by them.")
            )
            return self._page(request, form)
        now = read_clock()
        try:
            found = search.search(wanted, employee=employee, address=audit.client_address(request), now=now)
        except TooManySearches as refusal:
            return self._page(request, form, too_many=True, retry_at=refusal.retry_at)
        return HttpResponseRedirect(_address_of_only_one(found) or _keep(request, found))

    @method_decorator(never_cache)
    def of_child(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The card of the child's family."""
        return self._card(request, family_of_child, pk)

    @method_decorator(never_cache)
    def of_guardian(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The card of the guardian's family."""
        return self._card(request, family_of_guardian, pk)

    def again_of_child(self, request: HttpRequest, pk: UUID, way: str, message: UUID) -> HttpResponse:
        """Send a message of the child's family again."""
        return self._again(request, family_of_child, pk, way, message)

    def again_of_guardian(self, request: HttpRequest, pk: UUID, way: str, message: UUID) -> HttpResponse:
        """Send a message of the guardian's family again."""
        return self._again(request, family_of_guardian, pk, way, message)

    def _card(self, request: HttpRequest, family_of: Callable[..., Family | None], pk: UUID) -> HttpResponse:
        employee = _looking(request)
        now = read_clock() if request.method == "POST" else estimate_clock()
        family = _theirs(family_of(pk, employee=employee, now=now))
        if not is_open(family, employee=employee, now=now):
            return self._ask_why(request, employee, family, now=now)
        if request.method == "POST":
            return HttpResponseRedirect(request.path)
        card = card_of(family, employee=employee, whole=request.GET.get("all", ""), now=now)
        if (place := card.locality) is not None:
            timezone.activate(place.zone)
        context = {
            **self._context(request, gettext("Family")),
            "card": card,
            "may_send_again": employee.has_perm(SEND_AGAIN),
            **_explained(card, request.GET.get("why", ""), now=now),
        }
        return TemplateResponse(request, "admin/family/card.html", context)

    def _ask_why(
        self, request: HttpRequest, employee: User, family: Family, *, now: datetime
    ) -> HttpResponse:
        """The form for the reason; what is sent is entered before anything of the card is read.

        Nothing is entered yet, so of the family it tells no more than the initials of who was looked for.
        """
        person: Named = family.child or family.guardians[0].profile
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            looks.say_why(
                family,
                Action(form.cleaned_data["reason"]),
                words=form.cleaned_data["words"],
                employee=employee,
                address=audit.client_address(request),
                now=now,
            )
            return HttpResponseRedirect(request.get_full_path())
        context = {
            **self._context(request, gettext("Why you look at this family")),
            "form": form,
            "errors": form.errors,
            "initials": mask_name(person.last_name, person.first_name),
        }
        return TemplateResponse(request, "admin/family/why_look.html", context)

    def _again(
        self, request: HttpRequest, family_of: Callable[..., Family | None], pk: UUID, way: str, message: UUID
    ) -> HttpResponse:
        employee, now = _looking(request), read_clock()
        if not employee.has_perm(SEND_AGAIN):
            raise PermissionDenied
        family = _theirs(family_of(pk, employee=employee, now=now))
        back = _address_of(family)
        if request.method != "POST" or not is_open(family, employee=employee, now=now):
            return HttpResponseRedirect(back)
        if way not in list(Way):
            raise Http404
        goes_at = send_to_family_again(
            Way(way),
            message,
            guardians=family.guardians,
            employee=employee,
            address=audit.client_address(request),
            now=now,
        )
        if goes_at is None:
            messages.error(
                request,
                gettext(
                    "This message can't be sent again: it is on its way already, or its recipient has another number "
                    "or address by now."
                ),
            )
        elif goes_at > now:
            at = f"{timezone.localtime(goes_at):%d.%m.%Y %H:%M}"
            messages.success(request, gettext("The message goes by day: %(at)s.") % {"at": at})
        else:
            messages.success(request, gettext("The message is on its way again."))
        return HttpResponseRedirect(f"{back}#messages")

    def _list(self, request: HttpRequest, employee: User, form: SearchForm, found: Found) -> HttpResponse:
        now = estimate_clock()
        context = {
            "found": found,
            "children": search.listed_children(found.children, employee=employee, now=now),
            "guardians": search.listed_guardians(found.guardians, employee=employee, now=now),
            "shown": search.SHOWN,
        }
        return self._page(request, form, **context)

    def _page(self, request: HttpRequest, form: SearchForm, **more: Any) -> HttpResponse:
        context = {
            **self._context(request, gettext("Families")),
            "family_form": form,
            "errors": form.errors,
            **more,
        }
        status = HTTPStatus.TOO_MANY_REQUESTS if more.get("too_many") else HTTPStatus.OK
        return TemplateResponse(request, "admin/family/search.html", context, status=status)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.site.each_context(request), "title": title}


def _looking(request: HttpRequest) -> User:
    employee = staff_of(request)
    if not may_look(employee):
        raise PermissionDenied
    return employee


def _theirs(family: Family | None) -> Family:
    if family is None:
        raise Http404
    return family


def _address_of(family: Family) -> str:
    name = "family_of_child" if family.child else "family_of_guardian"
    return reverse(f"admin:{name}", args=[family.anchor.pk])


def _address_of_only_one(found: Found) -> str:
    """The card, if exactly one family was found."""
    if found.more or len(found.children) + len(found.guardians) != 1:
        return ""
    if found.children:
        return reverse("admin:family_of_child", args=found.children)
    return reverse("admin:family_of_guardian", args=found.guardians)


def _keep(request: HttpRequest, found: Found) -> str:
    """The address of the list of whom a search found, which holds nothing of what was typed."""
    key = secrets.token_urlsafe(9)
    others = list(request.session.get(_SEARCHES, {}).items())[1 - _MOST_SEARCHES :]
    kept = [[str(pk) for pk in pks] for pks in (found.children, found.guardians)]
    request.session[_SEARCHES] = dict([*others, (key, [*kept, found.more])])
    return f"{reverse('admin:family_search')}?found={key}"


def _kept(request: HttpRequest) -> Found | None:
    """Whom the search found that the address names, if it was made in this session."""
    kept = request.session.get(_SEARCHES, {}).get(request.GET.get("found", ""))
    if kept is None or request.method == "POST":
        return None
    children, guardians, more = kept
    return Found([UUID(pk) for pk in children], [UUID(pk) for pk in guardians], more=more)


def _explained(card: Card, number: str, *, now: datetime) -> dict[str, Any]:
    """Why the number of the application on the card moved that the address names: as on the family's own page."""
    application = next((one for one in card.applications if one.number == number), None)
    if application is None:
        return {}
    return {
        "explained": application,
        "explanation": explain(application, since=application.filed_at, until=now),
    }
