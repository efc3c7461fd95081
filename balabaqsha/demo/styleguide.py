"""The style guide: every component of the portal in its states, made by the templates that the pages use.

What it shows is made up here, of nothing in the database but the names of places in the filters.
"""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django import forms
from django.contrib.messages.constants import ERROR, SUCCESS, WARNING
from django.contrib.messages.storage.base import Message
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from phonenumber_field.phonenumber import PhoneNumber

from applications.reports.asked import Slice
from applications.reports.charts import chart_of
from applications.states import ApplicationState
from balabaqsha.management.commands import maintenance_page
from bulletin.forms import BulletinFilterForm
from bulletin.models import Language
from bulletin.opening import Phase
from notifications.clock import read_clock

# Each colour by what it is for; the tokens of `static/css/app.css`, all of them (tests/balabaqsha/test_styleguide.py).
COLOURS: Final = {
    gettext_lazy("Text"): ("text", "muted", "primary", "primary-dark", "accent", "neutral"),
    gettext_lazy("Grounds"): ("page", "surface", "faint", "tint", "accent-tint", "neutral-tint", "track", "map-ground"),
    gettext_lazy("What it says"): (
        "error", "error-dark", "error-tint", "success", "success-tint", "warning", "warning-tint", "on-fill",
    ),
    gettext_lazy("Lines"): (
        "line", "control", "tint-line", "success-line", "warning-line", "focus", "focus-outline",
    ),
    gettext_lazy("The portal's own"): (
        "stage", "stage-light", "stage-dark", "stage-deep", "sky", "sun", "on-sun",
    ),
}  # fmt: skip
BUTTONS: Final = ("primary", "secondary", "quiet", "danger")
TONES: Final = ("info", "success", "warning", "danger")
TAGS: Final = ("neutral", "info", "accent", "success", "warning", "danger")


# Each page of an error by its address here: its template, and what it is told.
ERROR_PAGES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "400": ("400.html", {}),
    "403": ("403.html", {}),
    "403-form": ("403_csrf.html", {}),
    "404": ("404.html", {}),
    "405": ("405.html", {}),
    "413": ("turned_away.html", {"refusal": "large", "status": 413, "megabytes": 5, "megabytes_in_all": 26}),
    "429": ("429.html", {"way": "sign_in", "minutes": 12}),
    "500": ("500.html", {}),
    "503": ("503.html", {}),
    "503-files": ("503_files.html", {}),
    "503-crowd": ("turned_away.html", {"refusal": "crowded", "status": 503}),
    "maintenance": ("maintenance.html", {}),
}


class SampleForm(forms.Form):
    """A field of each kind; sent empty it shows each kind of error."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("As in the identity document."))
    phone = forms.CharField(label=gettext_lazy("Phone"), widget=forms.TextInput(attrs={"type": "tel"}))
    language = forms.ChoiceField(
        label=gettext_lazy("Language of upbringing"), choices=Language.choices, widget=forms.RadioSelect
    )
    birth_year = forms.ChoiceField(
        label=gettext_lazy("Birth year"), choices=[("", "—"), ("2024", "2024"), ("2025", "2025")]
    )
    text = forms.CharField(label=gettext_lazy("Review"), widget=forms.Textarea)
    consent = forms.BooleanField(label=gettext_lazy("I have read the data policy"))


@require_http_methods(["GET", "HEAD", "POST"])
def styleguide(request: HttpRequest) -> HttpResponse:
    """The page. What its sample forms send leads back to it, and changes nothing."""
    if request.method == "POST":
        return redirect("styleguide")
    now = read_clock()
    return render(request, "demo/styleguide.html", {"now": now, **_constants(), **_samples(now=now)})


@require_safe
def styleguide_error(request: HttpRequest, name: str) -> HttpResponseBase:
    """A page of an error as it is, answered as any page."""
    if name not in ERROR_PAGES:
        raise Http404
    if name == "maintenance":
        return _maintenance(request)
    template, context = ERROR_PAGES[name]
    retry_at = {"retry_at": read_clock() + timedelta(minutes=12)} if name == "429" else {}
    return render(request, template, context | retry_at)


# Its styles stand in the file itself, which no page of the portal's own does.
@csp_update({"style-src": [UNSAFE_INLINE]})
def _maintenance(request: HttpRequest) -> HttpResponse:
    return HttpResponse(maintenance_page.page())


def _constants() -> dict[str, Any]:
    return {
        "colours": COLOURS.items(),
        "error_pages": list(ERROR_PAGES),
        "button_styles": BUTTONS,
        "tones": TONES,
        "tag_tones": TAGS,
        "phases": list(Phase),
        "states": list(ApplicationState),
        "contact": SimpleNamespace(phone=PhoneNumber.from_string("+77253332248"), phone_label="8 (72533) 3-22-48"),
    }  # fmt: skip


def _samples(*, now: datetime) -> dict[str, Any]:
    day = now.date()
    rows: list[dict[str, Any]] = [
        {"label": str(2021 + at), "value": value} for at, value in enumerate((391, 224, 118, 47))
    ]
    moves = [
        {"day": day - timedelta(days=9 * at), "cause": cause, "times": times, "before": 391 - 4 * at,
         "after": 387 - 4 * at, "forward": 4, "backward": 0}
        for at, (cause, times) in enumerate(((_("A child ahead got a place"), 3), (_("A benefit ahead ended"), 1)))
    ]  # fmt: skip
    return {
        "empty_form": SampleForm(auto_id="empty_%s"),
        "refused_form": SampleForm({}, auto_id="refused_%s"),
        "filters": BulletinFilterForm({}),
        "sample_messages": [
            Message(SUCCESS, _("Saved.")),
            Message(WARNING, _("Not understood and left out of the search: %(fields)s") % {"fields": "—"}),
            Message(ERROR, _("There are errors")),
            Message(SUCCESS, _("Saved."), extra_tags="written-in-ru"),
        ],
        "rows": rows,
        "largest": 391,
        "slice": Slice.YEAR,
        "series": [_("Waiting"), _("Places in all")],
        "chart": chart_of([(row["label"], (row["value"], row["value"] // 3)) for row in rows], of=len(rows)),
        "explanation": SimpleNamespace(rows=moves),
        "tabs": [
            {"label": _("All"), "url": "?", "count": 41, "current": True},
            {"label": _("Notifications"), "url": "?tab", "count": 3},
        ],
        "summary": [
            {"label": _("Locality"), "value": _("Turkistan"), "url": "?", "hint": _("Accurate to a few minutes")},
            {"label": _("Last used"), "at": now},
            {"label": _("Head"), "value": None},
        ],
        "facts": [{"label": _("Waiting"), "value": 1096}, {"label": _("Birth year"), "value": "2024"}],
        "sheet": Paginator(range(200), 20).get_page(5),
        "opens_at": now + timedelta(days=2, hours=3),
        "last_day": day + timedelta(days=3),
        "long_ago": day - timedelta(days=3),
    }  # fmt: skip
