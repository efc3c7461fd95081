"""A vacancy as the pages show it: its phase in words, and whether it suits the family."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from applications.bidding.board import suiting_places
from applications.bidding.eligibility import Seeker, mismatch_of_all, suit_of, why_not
from applications.models import Application
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import Vacancy
from bulletin.opening import Phase, phase
from bulletin.selectors import Listing, published_vacancies, with_pauses

SIMILAR = 3
# In two words, where a row has room for no more.
_UNSUITED = {
    Refusal.OTHER_LOCALITY: gettext_lazy("another locality"),
    Refusal.OTHER_BIRTH_YEAR: gettext_lazy("another birth year"),
    Refusal.OTHER_LANGUAGE: gettext_lazy("another language"),
}
_MAY_STILL_BID = (ApplicationState.WAITING, ApplicationState.BID_PLACED)


@dataclass(frozen=True)
class FamilyListing(Listing):
    """A row or a card of the bulletin, as one family sees it.

    `unsuited` is what parts the place from every child of the family that waits, if something does.
    """

    mine: bool
    unsuited: Refusal | None = None

    @property
    def status(self) -> str:
        """The status in the manual's words: «available to me» for whom may bid now."""
        if self.mine:
            return _("Available to me")
        return str(self.phase.label)

    @property
    def tag(self) -> str:
        """The state code that gives the tag its colour and icon."""
        return Phase.OPEN.value if self.mine else self.phase.value

    @property
    def cells(self) -> str:
        """Its row in the list as HTML, without the number."""
        vacancy, group = self.vacancy, self.vacancy.group
        return _cells(
            page_language=get_language(),
            url=vacancy.get_absolute_url(),
            kindergarten=group.kindergarten.name,
            group=group.name,
            total=vacancy.seats_total,
            free=vacancy.seats_free,
            language=group.get_language_display(),
            years=self.years,
            place_type=vacancy.get_place_type_display(),
            opens_at=vacancy.opens_at,
            phase=self.phase.value,
            open_to_all_at=self.open_to_all_at,
            is_mine=self.mine,
            unsuited=str(_UNSUITED[self.unsuited]) if self.unsuited else "",
            zone=vacancy.locality.timezone,
            tag=self.tag,
            status=self.status,
        )


@lru_cache(maxsize=1000)
def _cells(**shown: object) -> str:
    """Rendered once for each content: families with different children get different lists of the same rows."""
    return render_to_string("applications/parts/listing_cells.html", shown)


def listing(vacancy: Vacancy, *, family: Iterable[Application], now: datetime) -> FamilyListing:
    """`vacancy` as the family with these live applications sees it at `now`."""
    mine = any(why_not(application, vacancy, now=now) is None for application in family)
    return FamilyListing(vacancy, phase(vacancy, now=now), mine)


def public_vacancies() -> QuerySet[Vacancy]:
    """Every vacancy that has a public page: all but the drafts, also those that are over."""
    return (
        with_pauses(Vacancy.objects.exclude(state=Vacancy.State.DRAFT))
        .select_related("group__kindergarten__locality")
        .prefetch_related("cutoffs")
    )


def similar_listings(
    vacancy: Vacancy, *, family: Sequence[Application], now: datetime
) -> list[FamilyListing]:
    """A few other places open now: for the family's locality and birth years, or else for the vacancy's own."""
    places = {application.locality_id for application in family} or {vacancy.locality.pk}
    years = [application.birth_year for application in family] or vacancy.birth_years
    others = (
        published_vacancies(status="open", now=now)
        .filter(group__kindergarten__locality__in=places, birth_years__overlap=years)
        .exclude(pk=vacancy.pk)
        .prefetch_related("cutoffs")
    )
    found = [listing(other, family=family, now=now) for other in others[: SIMILAR * 4]]
    return sorted(found, key=lambda other: not other.mine)[:SIMILAR]


def fitting_listings(
    application: Application, *, without: Vacancy, now: datetime
) -> list[FamilyListing] | None:
    """A few other places for which this application may bid now, or once its bid is withdrawn; None if it may for none.

    Only the former are marked as available to the family.
    """
    if application.state not in _MAY_STILL_BID or not application.asker_may_choose:
        return None
    pending = application.bids.filter(state=BidState.PENDING).values_list("vacancy_id", flat=True)
    left_out = {str(without.pk), *map(str, pending)}
    shown = [pk for pk in suiting_places(application, now=now) if pk not in left_out][:SIMILAR]
    mine = set(shown) if application.state == ApplicationState.WAITING else set()
    return listings_of(shown, mine=mine, now=now)


def listings_of(
    shown: Sequence[str], *, mine: Collection[str], seekers: Collection[Seeker] = (), now: datetime
) -> list[FamilyListing]:
    """The vacancies with these ids, in this order; `mine` are those available to the family, `seekers` its children."""
    # What is available is known already, so the cut-offs are not read.
    rows = public_vacancies().prefetch_related(None).in_bulk(shown)
    found = {str(pk): vacancy for pk, vacancy in rows.items()}
    return [
        FamilyListing(
            found[pk],
            phase(found[pk], now=now),
            mine=pk in mine,
            unsuited=mismatch_of_all(seekers, suit_of(found[pk])),
        )
        for pk in shown
    ]
