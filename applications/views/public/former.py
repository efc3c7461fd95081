"""What became of the former queue, as two officials signed it: counts for everybody."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from applications.city.protocols import published_protocols, sums_in
from applications.city.published import Told, published
from applications.city.reconciling import Outcome, Reason
from applications.models import FormerProtocol
from applications.queue.small_groups import FEW, told
from bulletin.models import Locality
from notifications.replica import reads_replica


@require_safe
@reads_replica
def former_queue(request: HttpRequest) -> HttpResponse:
    """The newest signed protocol of each file that was not undone; no names, no old numbers, no small counts."""
    names: dict[int | None, str] = {one.pk: one.name for one in Locality.objects.all()}
    names[None] = capfirst(_("without a locality"))
    context = {
        "files": [_file(protocol, names) for protocol in published_protocols()],
        "outcomes": list(Outcome),
        "few": FEW,
    }
    return render(request, "applications/former_queue.html", context)


def _file(protocol: FormerProtocol, names: Mapping[int | None, str]) -> dict[str, Any]:
    found = published(sums_in(protocol))
    places = [_row(name, found.localities[key]) for key, name in names.items() if key in found.localities]
    if found.others is not None:
        places.append(_row(capfirst(_("the other localities together")), found.others))
    return {
        "signed_at": protocol.decided_at,
        "lines": _words(found.city.lines),
        "outcomes": _outcomes(found.city),
        "places": places,
    }


def _row(name: str, one: Told) -> dict[str, Any]:
    return {"name": name, "lines": _words(one.lines), "outcomes": _outcomes(one)}


def _outcomes(one: Told) -> list[dict[str, Any]]:
    """Each outcome with its count and its reasons, in words."""
    return [
        {
            "label": outcome.label,
            "count": _words(one.outcomes[outcome]),
            "reasons": [
                (Reason(reason).label, _words(count))
                for reason, count in one.reasons.get(outcome, {}).items()
            ],
        }
        for outcome in Outcome
    ]


def _words(count: int | None) -> str:
    return _("hidden") if count is None else told(count)
