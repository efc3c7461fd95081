"""The referral as a PDF: Kazakh and Russian on one A4.

Its QR code leads to the public check of referrals (`applications.views.public.referral_check`). Without `SITE_URL` the
portal can't say where that is, and prints the code alone.
"""

from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import font_roboto
import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override
from weasyprint import CSS, HTML
from weasyprint.document import Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from applications.models import Extension, Referral
from applications.referrals.applicants import applicant_of
from applications.referrals.check_codes import address_of, code_of, grouped
from applications.referrals.due import last_day_of
from applications.rules.in_force import rules_at
from bulletin.models import Group

FONT_FOLDER = Path(font_roboto.__file__).parent / "files"
TEMPLATE = "pdf/referral.html"
SHEET = settings.BASE_DIR / "templates" / "pdf" / "referral.css"

# Tried in turn until everything fits on the page: names may be ten times as long as usual.
DENSITIES = ("", "dense", "tiny")


class Both(NamedTuple):
    """One thing in both languages."""

    kk: str
    ru: str


class OwnFilesOnly(URLFetcher):
    """Opens the two faces of the font and nothing else: making a PDF uses no network."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        allowed = {(FONT_FOLDER / name).as_uri() for name in ("Roboto-Regular.ttf", "Roboto-Bold.ttf")}
        if url not in allowed:
            raise ValueError(f"A referral may not load {url}")
        return super().fetch(url, headers)


_FETCHER = OwnFilesOnly(allowed_protocols=["file"], allow_redirects=False)
_FONTS = FontConfiguration()
_STYLE = CSS(
    string=SHEET.read_text(encoding="utf-8"),
    base_url=f"{FONT_FOLDER.as_uri()}/",
    url_fetcher=_FETCHER,
    font_config=_FONTS,
)


def render(referral: Referral) -> bytes:
    """The PDF of `referral` as it stands now: one A4 page, the same bytes for the same data.

    Reads the database (bid, vacancy, child, its guardians and their profiles, extension, rules) and writes nothing but
    the referral's code where it has none. It never names an IIN.
    """
    context = _context(referral)
    for density in DENSITIES:
        document = lay_out(context | {"density": density})
        if len(document.pages) == 1:
            break
    return written(document)


def written(document: Document) -> bytes:
    """The PDF of a sheet, tagged for who hears it read (PDF/UA-1)."""
    pdf: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def lay_out(context: dict[str, Any], *, template: str = TEMPLATE) -> Document:
    """A sheet of the portal: `template` with the referral's own faces and style, loading nothing else."""
    page = HTML(string=render_to_string(template, context), url_fetcher=_FETCHER)
    return page.render(stylesheets=[_STYLE], font_config=_FONTS)


def _context(referral: Referral) -> dict[str, Any]:
    """What the page says. Times are in the locality's zone, as its deadlines are."""
    application = referral.application
    zone = application.locality.zone
    vacancy = referral.bid.vacancy
    kindergarten = vacancy.group.kindergarten
    issued_at = localtime(referral.issued_at, zone)
    last_day = last_day_of(referral)
    extension = Extension.objects.filter(referral=referral).first()
    written_at = extension.made_at if extension else referral.issued_at
    rules = rules_at(application.locality, referral.issued_at)
    filed, placed = (
        f"{localtime(at, zone):%d.%m.%Y %H:%M}" for at in (application.filed_at, referral.bid.placed_at)
    )
    return {
        "referral": referral,
        "child": application.child,
        "birth_date": f"{application.child.birth_date:%d.%m.%Y}",
        "parent_name": _name_of_applicant(referral),
        "kindergarten": kindergarten,
        "address": Both(
            _address(kindergarten.address_kk, place=kindergarten.locality.name_kk),
            _address(kindergarten.address_ru, place=kindergarten.locality.name_ru),
        ),
        "group": _group(vacancy.group),
        "language": _in_both(vacancy.group.get_language_display),
        "basis": Both(
            f"кезектегі өтініш № {application.number}: {filed}; бос орынға өтінім: {placed}",
            f"заявление в очереди № {application.number}: {filed}; заявка на место: {placed}",
        ),
        "issued_at": issued_at,
        "written_at": written_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_day": last_day,
        "weekday": _weekday(last_day),
        "extended_at": localtime(extension.made_at, zone) if extension else None,
        "stop_days": rules.stop_working_days,
        "extension_days": rules.extension_calendar_days,
        "contact_phones": settings.CONTACT_PHONES,
        **_check(referral),
    }


def _check(referral: Referral) -> dict[str, Any]:
    """How the paper is checked: the code, the portal's name before it, and the QR code as a path with its size."""
    code = code_of(referral)
    address = address_of(code)
    site = urlsplit(address).netloc
    told: dict[str, Any] = {"check_code": grouped(code), "check_site": site}
    if address:
        picture = segno.make(address, error="m", micro=False)
        modules = (
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(picture.matrix) for x, dark in enumerate(row) if dark
        )
        told |= {"qr_path": "".join(modules), "qr_size": picture.symbol_size(border=0)[0]}
    return told


def _name_of_applicant(referral: Referral) -> str:
    """The kindergarten checks this person's documents."""
    profile = getattr(applicant_of(referral), "profile", None)
    return profile.full_name if profile else ""


def _address(address: str, *, place: str) -> str:
    return address if place in address else f"{place}, {address}"


def _group(group: Group) -> Both:
    ages = _in_both(group.get_age_group_display)
    return Both(f"{group.name}, {ages.kk}", f"{group.name}, {ages.ru}")


def _weekday(day: date) -> Both:
    name = _in_both(lambda: date_format(day, "l"))
    return Both(name.kk.lower(), name.ru.lower())


def _in_both(words: Callable[[], object]) -> Both:
    """The result of `words()` in Kazakh and in Russian, whatever the caller's language."""
    said = []
    for language in ("kk", "ru"):
        with override(language):
            said.append(str(words()))
    return Both(*said)
