"""The reconciliation of a former queue at the workplace: its sums, its lines, its protocol."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from applications.admin.files import file_rows
from applications.admin.work import page_of, staff_of
from applications.city.protocols import (
    PROPOSE,
    decided_since,
    propose_protocol,
    signed_protocols,
    sums_in,
    why_not_propose,
)
from applications.city.reconciled_lines import (
    Places,
    absent_from,
    absent_in_words,
    chosen,
    in_words,
    may_read,
    own_batches,
    places_in,
    reconciled,
)
from applications.city.reconciling import Outcome, Reason
from applications.city.sums import Sums, sums_of
from applications.decisions.former import undecided_lines
from applications.files import making
from applications.files.makers import RECONCILIATION
from applications.models import FormerProtocol
from applications.moves import Refused
from applications.own_rows import own_rows
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.models import ImportBatch, Locality
from notifications.clock import read_clock
from notifications.pressing import pressed_on

SHOWN: Final = 50
_WHAT: Final = f"{RECONCILIATION}:queue"


class LinesForm(forms.Form):
    """Which lines are shown."""

    outcome = forms.ChoiceField(label=_("What became of it"), required=False)
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    locality = forms.ChoiceField(label=_("Locality"), required=False)
    number = forms.CharField(label=_("number in the former queue"), max_length=40, required=False)

    def __init__(self, data: Any, *, localities: Sequence[Locality]) -> None:
        super().__init__(data)
        for name, choices in (
            ("outcome", Outcome.choices),
            ("reason", Reason.choices),
            ("locality", [(str(one.pk), one.name) for one in localities]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "—"), *choices]

    @property
    def asked(self) -> dict[str, str]:
        """What was chosen; what no list offers counts as no choice."""
        self.is_valid()
        return {name: text for name, text in self.cleaned_data.items() if text}


class ReconcilingPages:
    """The pages, as a site of the workplace mounts them (`urls`), for who may load the former queue."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    @property
    def urls(self) -> list[URLPattern]:
        own: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "reconciliations": ("city/reconciliation/", self.newest),
            "reconciliation": ("city/batch/<int:pk>/reconciliation/", self.reconciliation),
            "propose_protocol": ("city/batch/<int:pk>/protocol/", self.propose),
            "former_protocol": ("city/protocol/<int:pk>/", self.protocol),
        }
        return [path(route, self.site.admin_view(view), name=name) for name, (route, view) in own.items()]

    @method_decorator([never_cache, require_safe])
    def newest(self, request: HttpRequest) -> HttpResponseBase:
        """To the file that was loaded last; to where one is brought while there is none."""
        batch = own_batches(_reader_of(request)).filter(undone_at=None).first()
        if batch is None:
            messages.info(request, gettext("No former queue is loaded yet."))
            return HttpResponseRedirect(reverse("admin:city_kind", args=["queue"]))
        return HttpResponseRedirect(reverse("admin:reconciliation", args=[batch.pk]))

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def reconciliation(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What became of every line; a press on the button lets a worker make the file of all of them."""
        reader, now = _reader_of(request), read_clock()
        batch = _batch_of(reader, pk)
        places = places_in(batch, reader)
        kept = reconciled(batch, places, now=now)
        sums = sums_of(kept.found)
        localities = _localities_of(sums)
        here = reverse("admin:reconciliation", args=[pk])
        query = urlencode({"batch": batch.pk})
        if request.method == "POST":
            making.ask(
                reader,
                what=_WHAT,
                query=query,
                title=gettext("Reconciliation: %(file)s") % {"file": batch.file_name},
                places=[one.pk for one in localities],
                now=now,
            )
            messages.success(request, gettext("The file is being made. You find it at the end of this page."))
            return HttpResponseRedirect(f"{here}#files")
        form = LinesForm(request.GET, localities=localities)
        found = chosen(batch, kept, **form.asked)
        absent = Paginator(absent_from(batch, places), SHOWN).get_page(request.GET.get("absent"))
        page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
        context = {
            **self.site.each_context(request),
            "title": gettext("Reconciliation"),
            "batch": batch,
            "kept": kept,
            "sums": _told(sums),
            "decisions": [(kind.label, sums.decisions[kind]) for kind in sums.decisions],
            "lines": sums.lines,
            "form": form,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "found": len(found),
            "rows": in_words(batch, list(page.object_list)),
            "absent": absent,
            "absent_pages": absent.paginator.get_elided_page_range(absent.number),
            "absent_rows": absent_in_words(absent.object_list),
            "here": here,
            "files": file_rows(reader, what=_WHAT, now=now, query=query),
            **_decisions(batch, places, reader),
        }
        return TemplateResponse(request, "admin/city/reconciliation.html", context)

    @method_decorator([never_cache, pressed_on("admin:reconciliation", "pk")])
    def propose(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Sign first; another official signs on the page of the protocol."""
        reader = _reader_of(request)
        batch = _batch_of(reader, pk)
        if places_in(batch, reader) is not None:
            raise PermissionDenied
        try:
            protocol = propose_protocol(batch, actor=reader, now=read_clock())
        except Refused as refused:
            messages.error(request, refused.at_work)
            return HttpResponseRedirect(reverse("admin:reconciliation", args=[pk]))
        messages.success(request, gettext("You have signed first. Another official signs now."))
        return HttpResponseRedirect(page_of(protocol))

    @method_decorator([never_cache, require_safe])
    def protocol(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A signed protocol, to be printed."""
        reader = staff_of(request)
        if not reader.has_perm("applications.view_formerprotocol"):
            raise PermissionDenied
        found = own_rows(signed_protocols(), user=reader, now=read_clock()).filter(pk=pk).first()
        if found is None:
            raise Http404(gettext("This protocol is not here, or it is not signed yet."))
        sums = sums_in(found)
        names: dict[int | None, str] = {one.pk: one.name for one in Locality.objects.all()}
        context = {
            **self.site.each_context(request),
            "title": gettext("Protocol of the former queue"),
            "protocol": found,
            "sums": _told(sums),
            "decisions": [(kind.label, sums.decisions[kind]) for kind in sums.decisions],
            "lines": sums.lines,
            "places": [
                (names.get(key, gettext("without a locality")), sums.of(key).lines, _told(sums.of(key)))
                for key in sorted(sums.localities, key=lambda key: names.get(key, ""))
            ],
            "outcomes": list(Outcome),
        }
        return TemplateResponse(request, "admin/city/protocol.html", context)


def _reader_of(request: HttpRequest) -> User:
    reader = staff_of(request)
    if not may_read(reader):
        raise PermissionDenied
    return reader


def _batch_of(reader: User, pk: int) -> ImportBatch:
    batch = own_batches(reader).filter(pk=pk).first()
    if batch is None:
        raise Http404(gettext("This file is no longer there, or it is not yours."))
    return batch


def _localities_of(sums: Sums) -> list[Locality]:
    return list(Locality.objects.filter(pk__in=[key for key in sums.localities if key is not None]))


def _told(sums: Sums) -> list[dict[str, Any]]:
    """Each outcome with its count and its reasons, the most frequent first."""
    outcomes = sums.outcomes
    return [
        {
            "outcome": outcome,
            "label": outcome.label,
            "count": outcomes[outcome],
            "reasons": [(reason, reason.label, count) for reason, count in sums.why(outcome).most_common()],
        }
        for outcome in Outcome
    ]


def _decisions(batch: ImportBatch, places: Places, reader: User) -> dict[str, Any]:
    """What is to be decided about, and how far the protocol is."""
    undecided = undecided_lines().filter(batch=batch)
    if places is not None:
        undecided = undecided.filter(locality__in=places)
    signed = signed_protocols().filter(batch=batch).first()
    refusal = why_not_propose(batch)
    may_sign = places is None and reader.has_perm(PROPOSE)
    return {
        "undecided": undecided.count(),
        "signed": signed,
        "is_outdated": signed is not None and decided_since(batch, signed.proposed_at),
        "proposed": FormerProtocol.objects.filter(batch=batch, state=ProposalState.PROPOSED).first(),
        "may_propose": may_sign and refusal is None,
        "why_not_propose": refusal.at_work if may_sign and refusal in _SAID else "",
    }


# Why no protocol can be proposed, where the page does not say so otherwise.
_SAID: Final = (Refusal.LINES_UNDECIDED,)
