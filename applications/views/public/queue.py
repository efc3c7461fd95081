"""The public queue: counts, the order of one queue, «Нөмірімді тексеру», the ledger of corrections."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.audit import client_address
from accounts.devices import known_device
from accounts.limits import QUEUE_CHECK_PER_NETWORK
from accounts.models import User
from accounts.views.limited import limited
from applications.access import by_former_number, by_number
from applications.city.protocols import signed_protocols
from applications.csv_file import csv_response, file_name
from applications.models import Rules
from applications.queue.ledger import LedgerEntry, ledger, ledger_entries
from applications.queue.public_order import CountedQueue, Start, counted_queues, order_page, whole_order
from applications.queue.small_groups import KEPT_BACK, is_few, told
from applications.rules.in_force import rules_of_day
from applications.states import Tier
from applications.views.public.forms import FormerNumberForm, JumpForm, QueueCheckForm
from bulletin.chosen_place import chosen_locality
from bulletin.forms import ALL_PLACES, EARLIEST_YEAR, LATEST_YEAR, FilterForm
from bulletin.models import Language, Locality
from notifications.clock import estimate_clock, read_clock
from notifications.replica import reads_replica

LEDGER_PAGE_SIZE = 20


@require_safe
@reads_replica
def queues(request: HttpRequest) -> HttpResponse:
    """«МДҰ-ға кезектер»: how many wait, by place, birth year and language; fewer than five are not shown."""
    filters = FilterForm(request.GET, locality=chosen_locality(request))
    place = filters.values["locality"]
    context = {
        "filters": filters,
        "place": place,
        "ratio": _rules(place, now=estimate_clock()).general_per_priority if place else None,
        "languages": Language,
        "rows": [_row(queue) for queue in counted_queues(place)],
        "query": urlencode({"place": filters.data["place"]}),
        "is_former_told": signed_protocols().filter(batch__undone_at=None).exists(),
    }
    return render(request, "applications/queues.html", context)


@require_safe
def queues_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same counts as a file; `?place=` as on the page. 404 for a place that there is not: a file can't say so."""
    filters = FilterForm(request.GET, locality=chosen_locality(request))
    if filters.left_out:
        raise Http404
    place = filters.values["locality"]
    heading = [_("Locality"), _("Birth year"), _("Waiting"), *(language.label for language in Language)]
    rows = (
        [
            queue.locality.name,
            queue.birth_year,
            told(queue.waiting, grouped=False),
            *(_named(queue, language, grouped=False) for language in queue.by_language),
        ]
        for queue in counted_queues(place)
    )
    name = file_name("queues", place.slug if place else ALL_PLACES, day=localdate(estimate_clock()))
    return csv_response(filename=name, heading=heading, rows=rows)


@require_safe
def order(request: HttpRequest, place: str, birth_year: int) -> HttpResponse:
    """The order of one queue by application number, fifty to a page.

    `?number=` jumps to a number or an application, `?after=` and `?before=` continue.
    """
    locality = _locality(place, birth_year)
    rules = _rules(locality, now=estimate_clock())
    jump = JumpForm(request.GET if request.GET.get("number") else None)
    start, value = _start(request, jump)
    page = order_page(
        locality=locality,
        birth_year=birth_year,
        general_per_priority=rules.general_per_priority,
        start=start,
        value=value,
    )
    context = {
        "place": locality,
        "birth_year": birth_year,
        "rules": rules,
        "page": page,
        "jump": jump,
        "jump_error": bool(jump.errors),
        "sought": value if start == Start.APPLICATION else "",
        "is_beyond": start == Start.NUMBER and int(value) > page.total > 0,
        "few": told(page.total),
    }
    return render(request, "applications/order.html", context)


@require_safe
def order_csv(request: HttpRequest, place: str, birth_year: int) -> StreamingHttpResponse:
    """The whole order of one queue as a file; only the heading for a queue of fewer than five."""
    locality = _locality(place, birth_year)
    now = estimate_clock()
    ratio = _rules(locality, now=now).general_per_priority
    heading = [
        _("Number in the queue"),
        _("Application number"),
        _("Day of filing"),
        _("Part of the queue"),
    ]

    def rows() -> Iterator[list[object]]:
        labels = {tier: str(tier.label) for tier in Tier}
        for row in whole_order(locality=locality, birth_year=birth_year, general_per_priority=ratio):
            yield [
                row.number,
                row.application_number,
                row.filed_on.isoformat() if row.filed_on is not None else "",
                labels[row.tier] if row.tier is not None else "",
            ]

    name = file_name("queue", locality.slug, str(birth_year), day=locality.day(now))
    return csv_response(filename=name, heading=heading, rows=rows())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """«Нөмірімді тексеру»: the number, of how many, and the step; nothing else, and nothing in the address."""
    now = read_clock()
    form = QueueCheckForm(request.POST if request.method == "POST" else None)
    found = None
    if form.is_valid():
        try:
            found = by_number.check(
                form.cleaned_data["number"],
                digits=form.cleaned_data["digits"],
                born=form.cleaned_data.get("born"),
                address=client_address(request),
                is_known=lambda guardian: _is_known(request, guardian),
                now=now,
            )
        except by_number.TooOften as refused:
            return limited(request, refused.retry_at, way="queue")
        except by_number.BirthDateWanted:
            form = _with_birth_date(request)
        else:
            if found is None:
                form.add_error(None, _no_such_pair(with_birth_date="born" in form.fields))
    context = {"form": form, "found": found, "misses": QUEUE_CHECK_PER_NETWORK.times}
    return render(request, "applications/queue_check.html", context | _ways())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_former(request: HttpRequest) -> HttpResponse:
    """The same by a number of the former queue: whether it came over, and its number now."""
    form = FormerNumberForm(request.POST if request.method == "POST" else None)
    answer: dict[str, Any] = {}
    if form.is_valid():
        try:
            place = by_former_number.check(
                form.cleaned_data["number"],
                locality=form.cleaned_data.get("place"),
                asker=request.user if request.user.is_authenticated else None,
                address=client_address(request),
                now=read_clock(),
            )
        except by_number.TooOften as refused:
            return limited(request, refused.retry_at, way="queue")
        except by_former_number.LocalityWanted:
            form = _with_place(request)
        except by_former_number.Ambiguous:
            form.add_error(
                "number", _("Several numbers are alike. Write it sign by sign as it is on your paper.")
            )
        except by_former_number.Shared:
            form.add_error(
                "number",
                _("Several children have this very number. Bring your paper to the education department."),
            )
        except by_former_number.NotFound:
            answer = {"is_missing": True}
        else:
            answer = {"is_found": True, "place": place, "total": told(place.total) if place else ""}
    return render(request, "applications/queue_check_former.html", {"form": form} | answer | _ways())


def _ways() -> dict[str, Any]:
    """The ways in which a number can be checked; one by the former queue only where there was one."""
    return {"by_former": by_former_number.is_asked()}


def _with_place(request: HttpRequest) -> FormerNumberForm:
    """The same form, which asks for the locality as well."""
    form = FormerNumberForm(request.POST, asks_place=True)
    form.full_clean()
    form.errors.pop("place", None)
    form.add_error(
        "place", _("Several localities have such a number. Choose the one in which you were in the queue.")
    )
    return form


def _with_birth_date(request: HttpRequest) -> QueueCheckForm:
    """The same form, which asks for the child's date of birth as well."""
    form = QueueCheckForm(request.POST, asks_birth_date=True)
    form.full_clean()
    form.add_error(
        "born",
        _(
            "There were many wrong entries from your network, or with these digits. Enter the child's date of birth as "
            "well."
        ),
    )
    return form


def _no_such_pair(*, with_birth_date: bool) -> str:
    if with_birth_date:
        return _("The number, the digits and the date of birth do not fit together. Check all of them.")
    return _(
        "The number and the digits do not fit together. Check both; the phone is the one with which a parent signs in."
    )


def _is_known(request: HttpRequest, guardian: User) -> bool:
    """Whether it is `guardian` who asks: signed in, or from a device on which they have signed in."""
    return request.user == guardian or bool(known_device(request, guardian.username))


@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    """The public ledger: every correction of the queue that two officials carried out, newest first, no names."""
    page = Paginator(ledger(), LEDGER_PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request, "applications/corrections.html", {"page": page, "entries": ledger_entries(page.object_list)}
    )


@require_safe
def corrections_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The whole ledger as a file."""
    heading = [
        _("Date"),
        _("Application number"),
        _("Locality"),
        _("Time of filing before"),
        _("Time of filing after"),
        _("Birth year before"),
        _("Birth year after"),
        _("Order No."),
        _("Date of the order"),
        _("Reason"),
    ]
    entries = ledger_entries(ledger().iterator(chunk_size=500))
    name = file_name("corrections", day=localdate(estimate_clock()))
    return csv_response(filename=name, heading=heading, rows=map(_ledger_cells, entries))


def _row(queue: CountedQueue) -> dict[str, Any]:
    return {
        "place": queue.locality,
        "birth_year": queue.birth_year,
        "waiting": told(queue.waiting),
        "claimed": told(queue.claimed) if queue.unclaimed else "",
        "cells": [
            {"language": language.label, "waiting": _named(queue, language)} for language in queue.by_language
        ],
    }


def _named(queue: CountedQueue, language: Language, *, grouped: bool = True) -> str:
    """How many of a queue named a language, as everyone may see it."""
    count = queue.by_language[language]
    return told(count, grouped=grouped) if is_few(count) or queue.tells[language] else KEPT_BACK


def _locality(slug: str, birth_year: int) -> Locality:
    if not EARLIEST_YEAR <= birth_year <= LATEST_YEAR:
        raise Http404
    return get_object_or_404(Locality, slug=slug)


def _rules(locality: Locality, *, now: datetime) -> Rules:
    return rules_of_day(locality, now)


def _start(request: HttpRequest, jump: JumpForm) -> tuple[Start, int | str]:
    """Where the page begins; at the head for invalid values."""
    if jump.is_bound:
        number: int | str = jump.cleaned_data["number"] if jump.is_valid() else 1
        return Start.NUMBER if isinstance(number, int) else Start.APPLICATION, number
    for start in (Start.AFTER, Start.BEFORE):
        if value := request.GET.get(start):
            # No number is longer, and PostgreSQL accepts no NUL.
            return start, value[:20].replace("\x00", "")
    return Start.NUMBER, 1


def _ledger_cells(entry: LedgerEntry) -> list[object]:
    def at(moment: datetime | None) -> str:
        if moment is None:
            return ""
        return moment.astimezone(entry.locality.zone).isoformat(sep=" ", timespec="minutes")

    correction = entry.correction
    is_year = correction.new_birth_year is not None
    return [
        date_format(entry.decided_on, "Y-m-d"),
        correction.application.number,
        entry.locality.name,
        at(correction.previous_filed_at) if correction.new_filed_at else "",
        at(correction.new_filed_at),
        correction.previous_birth_year if is_year else "",
        correction.new_birth_year,
        correction.source if correction.is_of_registry else correction.document_number,
        correction.document_date.isoformat(),
        correction.why,
    ]
