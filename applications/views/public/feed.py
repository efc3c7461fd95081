"""The bulletin for programs: one line of a file, one entry of an Atom feed. No personal data in either."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.utils.feedgenerator import Atom1Feed
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bulletin.models import MovedOpening, Vacancy
from bulletin.opening import phase

# For readers of news it was updated then.
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
# XML has no way to write these, however escaped.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def heading() -> list[str]:
    """The names of the columns of `row`, in the language of the page."""
    return [
        _("Locality"),
        _("Kindergarten"),
        _("Group"),
        _("Places in all"),
        _("Vacant places"),
        _("Language of upbringing"),
        _("Children's birth year"),
        _("Kind of place"),
        _("How a place is given"),
        _("Applications are accepted from"),
        _("Applications are accepted until"),
        _("Status"),
    ]


def row(vacancy: Vacancy, *, now: datetime) -> list[object]:
    """One vacancy of the bulletin; times are those of its locality."""
    group = vacancy.group
    return [
        vacancy.locality.name,
        group.kindergarten.name,
        group.name,
        vacancy.seats_total,
        vacancy.seats_free,
        group.get_language_display(),
        _years(vacancy),
        vacancy.get_place_type_display(),
        vacancy.get_mode_display(),
        _written(vacancy, vacancy.opens_at),
        _written(vacancy, vacancy.closes_at),
        phase(vacancy, now=now).label,
    ]


class _Feed(Atom1Feed):
    def latest_post_date(self) -> datetime:
        """When an entry was last updated. Of a feed without entries it is always the same, and not the present."""
        return max((item["updateddate"] for item in self.items), default=_NEVER)


class Written(NamedTuple):
    """A feed as it is sent, and when an entry of it was last updated."""

    text: str
    updated_at: datetime


def atom(
    vacancies: Iterable[Vacancy], *, title: str, author: str, page: str, address: str, now: datetime
) -> Written:
    """An Atom feed of the vacancies. `page` and `address` are absolute addresses of the bulletin and of the feed.

    The address is also its id: every search is a feed of its own.
    """
    feed = _Feed(
        title=_plain(title),
        link=page,
        description="",
        language=get_language(),
        author_name=author,
        feed_url=address,
        feed_guid=address,
    )
    site = page.split("/", 3)
    listed = list(vacancies)
    # The last one of a vacancy counts: readers of the feed show again what was updated.
    moved = dict(
        MovedOpening.objects.filter(vacancy__in=listed)
        .order_by("moved_at")
        .values_list("vacancy", "moved_at")
    )
    for vacancy in listed:
        place = f"{vacancy.group.kindergarten.name} · {vacancy.group.name}"
        facts = zip(heading()[3:], row(vacancy, now=now)[3:], strict=True)
        feed.add_item(
            title=_plain(place),
            link="/".join(site[:3]) + vacancy.get_absolute_url(),
            description=_plain("; ".join(f"{label}: {value}" for label, value in facts if value != "")),
            unique_id=f"urn:uuid:{vacancy.pk}",
            pubdate=vacancy.published_at,
            updateddate=moved.get(vacancy.pk, vacancy.published_at),
        )
    return Written(feed.writeString("utf-8"), feed.latest_post_date())


def _years(vacancy: Vacancy) -> str:
    return ", ".join(str(year) for year in vacancy.birth_years)


def _written(vacancy: Vacancy, at: datetime | None) -> str:
    return "" if at is None else f"{localtime(at, vacancy.locality.zone):%d.%m.%Y %H:%M}"


def _plain(text: str) -> str:
    return _NOT_IN_XML.sub("", text)
