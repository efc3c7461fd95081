"""The open data over HTTP: the document, the rows as JSON and CSV, and the page for people."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts import limits
from accounts.audit import client_address
from accounts.way_back import whole_address
from applications.csv_file import lines
from balabaqsha.open_data.openapi import DEFAULT_ROWS, LONGEST_CURSOR, MOST_ROWS, document
from balabaqsha.open_data.problems import problem
from balabaqsha.open_data.sources import SOURCES, BadCursor, Keyed, Source
from bulletin.moment import Moment
from notifications.clock import estimate_clock
from notifications.replica import reads_replica

# For so long a proxy or a program need not ask again.
KEPT_SECONDS: Final = 60
JSON_TYPE: Final = "application/json; charset=utf-8"
PARAMETERS: Final = {"cursor", "limit"}
# Of the letters of a refusal that repeats what was asked.
MOST_NAMED: Final = 100
CSV_TYPE: Final = "text/csv; charset=utf-8"


class _Written(NamedTuple):
    """An answer as it is sent, and the address of the next rows; None after the last ones."""

    body: bytes
    next_address: str | None


_pieces: Moment[_Written] = Moment(room=100)


class _Refused(Exception):
    """What was asked for means nothing; the message says why."""


@csrf_exempt
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    server = whole_address(request, reverse("api")).rstrip("/")
    return _sent(request, _json(document(server)), content_type=JSON_TYPE)


@csrf_exempt
@require_safe
@reads_replica
def rows(request: HttpRequest, name: str) -> HttpResponse:
    """Some rows of a source as JSON."""
    return _answer(request, name, view_name="api_rows", content_type=JSON_TYPE)


@csrf_exempt
@require_safe
@reads_replica
def rows_csv(request: HttpRequest, name: str) -> HttpResponse:
    """The same rows as CSV, with the columns as heading."""
    return _answer(request, name, view_name="api_csv", content_type=CSV_TYPE)


@require_safe
def open_data(request: HttpRequest) -> HttpResponse:
    """«Ашық деректер»: what there is, and how a program reads it."""
    sources = [
        {
            "source": source,
            "json_url": reverse("api_rows", args=[source.name]),
            "csv_url": reverse("api_csv", args=[source.name]),
        }
        for source in SOURCES.values()
    ]
    context = {
        "sources": sources,
        "api_url": whole_address(request, reverse("api")),
        "most_rows": MOST_ROWS,
        "limit": limits.API_PER_NETWORK,
        "window_minutes": limits.API_PER_NETWORK.window // limits.MINUTE,
    }
    return render(request, "open_data.html", context)


def _answer(request: HttpRequest, name: str, *, view_name: str, content_type: str) -> HttpResponse:
    now = estimate_clock()
    allowed = limits.allow(limits.API_PER_NETWORK, limits.address_key(client_address(request)), now=now)
    if not allowed.ok:
        return _too_often(allowed.retry_at, now=now)
    source = SOURCES.get(name)
    if source is None:
        return problem(f"There is no {name}; there are: {', '.join(SOURCES)}.", status=404)
    try:
        cursor, most = _asked(request, is_csv=content_type == CSV_TYPE)
        rows_address = whole_address(request, reverse(view_name, args=[source.name]))
        written = _written(source, rows_address, is_csv=content_type == CSV_TYPE, cursor=cursor, most=most)
    except _Refused as refused:
        return problem(str(refused), status=400)
    answer = _sent(request, written.body, content_type=content_type)
    if written.next_address:
        answer.headers["Link"] = f'<{written.next_address}>; rel="next"'
    return answer


def _asked(request: HttpRequest, *, is_csv: bool) -> tuple[str, int | None]:
    """The cursor and the number of rows; a file for people has all of them (None). Raises `_Refused`."""
    if unknown := set(request.GET) - PARAMETERS:
        raise _Refused(f"Unknown: {', '.join(sorted(unknown))[:MOST_NAMED]}. There are: cursor, limit.")
    if is_csv and not request.GET:
        return "", None
    cursor, typed = request.GET.get("cursor", ""), request.GET.get("limit", str(DEFAULT_ROWS))
    if len(cursor) > LONGEST_CURSOR or "\0" in cursor:
        raise _Refused("The cursor is none of ours.")
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST_ROWS))
    if not is_number or not 1 <= int(typed) <= MOST_ROWS:
        raise _Refused(f"limit is a whole number between 1 and {MOST_ROWS}.")
    return cursor, int(typed)


def _written(source: Source, rows_address: str, *, is_csv: bool, cursor: str, most: int | None) -> _Written:
    """The answer, written once a second for all who ask for it under this address. Raises `_Refused`."""
    now = estimate_clock()

    def write() -> _Written:
        if most is None:
            return _Written(_as_csv(source, _all_rows(source, now=now)), None)
        found = source.read(cursor, most + 1, now)
        shown, has_more = found[:most], len(found) > most
        last = shown[-1][0] if has_more else None
        following = None
        if last is not None:
            following = f"{rows_address}?{urlencode({'cursor': last, 'limit': most})}"
        body = _as_csv(source, shown) if is_csv else _as_json(shown, last, following)
        return _Written(body, following)

    try:
        return _pieces.get((rows_address, cursor, most), now=now, make=write)
    except BadCursor:
        raise _Refused("The cursor is none of ours.") from None


def _as_json(found: list[Keyed], last: str | None, following: str | None) -> bytes:
    return _json({"rows": [row for _key, row in found], "next_cursor": last, "next": following})


def _all_rows(source: Source, *, now: datetime) -> Iterator[Keyed]:
    cursor: str | None = ""
    while cursor is not None:
        found = source.read(cursor, MOST_ROWS, now)
        yield from found
        cursor = found[-1][0] if len(found) == MOST_ROWS else None


def _as_csv(source: Source, found: Iterable[Keyed]) -> bytes:
    names = [column.name for column in source.columns]
    cells = ([_cell(row[name]) for name in names] for _key, row in found)
    return "".join(lines(heading=names, rows=cells)).encode()


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _sent(request: HttpRequest, body: bytes, *, content_type: str) -> HttpResponse:
    """200 with an ETag, or 304 to who has these very bytes."""
    answer = HttpResponse(body, content_type=content_type)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    # Pages of other sites may read it: there is nothing here that a visitor alone may see.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return get_conditional_response(request, etag=etag, response=answer) or answer


def _too_often(retry_at: datetime | None, *, now: datetime) -> JsonResponse:
    answer = problem("Too many requests from this network. Ask again later, with the ETag.", status=429)
    wait = (retry_at - now).total_seconds() if retry_at else KEPT_SECONDS
    answer.headers["Retry-After"] = str(max(1, int(wait) + 1))
    return answer
