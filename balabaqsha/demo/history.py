"""The demo city's queue, and the year behind it: who filed when, which places were given, who did not come."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from applications.models import Application
from applications.states import ApplicationState, Tier
from balabaqsha.demo import moments
from balabaqsha.demo.benefits import Office
from balabaqsha.demo.families import Families
from balabaqsha.demo.lives import Book, Fate
from balabaqsha.demo.offers import OFFERS, ages_of
from balabaqsha.demo.places import AGES, PLACES
from balabaqsha.demo.staff import workers
from bulletin.models import AgeGroup, Group, Language, Locality, Vacancy

WAITING = 5_400
LAPSED = 60
ARCHIVED = 90
MONTHS = 12
VACANCIES_A_MONTH = 14

# Of 100 waiting children, by how many years ago they were born.
BY_AGE = {0: 11, 1: 25, 2: 28, 3: 17, 4: 10, 5: 6, 6: 3}
TIERS = {Tier.EXTRAORDINARY: 1, Tier.PRIORITY: 11, Tier.GENERAL: 88}
LANGUAGES = {("kk",): 64, ("ru",): 14, ("kk", "ru"): 16, ("kk", "uz"): 4, ("uz",): 2}
UZBEK_PLACES = {"eski-ikan", "karashyk"}
UZBEK_LANGUAGES = {("kk",): 45, ("uz",): 30, ("kk", "uz"): 20, ("ru",): 5}
FATES = {Fate.SIGNED: 80, Fate.EXTENDED: 5, Fate.EXPIRED: 10, Fate.REVOKED: 5}
# Of the last weeks two more have expired for every vacancy, so that the stop-list of today holds some families.
RECENT_FATES = {Fate.SIGNED: 75, Fate.EXTENDED: 10, Fate.EXPIRED: 10, Fate.REVOKED: 5}
RECENT = timedelta(days=32)
# A vacancy so many days old has referrals that expired a week ago: their families are in the stop-list today.
STOPPED_DAYS = 24
# Every so often a bid for a place ends early, and another family comes.
EARLY_ENDS = (Fate.REJECTED, Fate.WITHDRAWN)


@dataclass(frozen=True)
class PastBid:
    vacancy: Vacancy
    fate: Fate
    placed_at: datetime


@dataclass(frozen=True, order=True)
class Wish:
    """A child who will be filed for a place."""

    at: datetime
    place: str = field(compare=False)
    birth_date: date = field(compare=False)
    languages: tuple[str, ...] = field(compare=False)
    tier: Tier = field(compare=False)
    bid: PastBid | None = field(default=None, compare=False)
    leaves: str = field(default="", compare=False)


def build(book: Book, office: Office, *, scale: float) -> None:
    """Fill the queues and tell last year's story, everything in one order of time; writes all rows."""
    chance, today = book.chance, book.now.astimezone(book.zone).date()
    vacancies = list(_past_vacancies(book, today=today, scale=scale))
    wishes = [
        *_waiting(book, today=today, scale=scale),
        *_bidders(book, today=today),
        *(_wish_for(book, vacancy, fate) for vacancy in vacancies for fate in _fates(book, vacancy)),
    ]
    families = Families(chance=chance, today=today)
    localities = {locality.slug: locality for locality in Locality.objects.all()}
    employees = workers()
    for wish in sorted(wishes):
        child, parent = families.child(birth_date=wish.birth_date, place=wish.place, at=wish.at)
        application = book.file(
            child,
            parent=parent,
            locality=localities[wish.place],
            languages=list(wish.languages),
            at=wish.at,
        )
        if not wish.leaves:
            office.check_at_filing(application, tier=wish.tier)
        _leave(book, application, wish=wish)
        if wish.bid is not None:
            worker = employees[wish.bid.vacancy.group.kindergarten.slug]
            book.bid(
                application, wish.bid.vacancy, wish.bid.fate, placed_at=wish.bid.placed_at, worker=worker
            )
        _answer_campaign(book, application, lapses=wish.leaves == "lapse")
        office.check_lately(application, tier=wish.tier)
    office.leave_work()
    families.save()
    Vacancy.objects.bulk_create(vacancies)
    book.save()


def _waiting(book: Book, *, today: date, scale: float) -> Iterator[Wish]:
    """Those who only wait, and the few who lapsed or left."""
    chance = book.chance
    plans = [("", WAITING), ("lapse", LAPSED), ("archive", ARCHIVED)]
    for leaves, count in plans:
        for _number in range(round(count * scale)):
            place = chance.choices(PLACES, weights=[place.share for place in PLACES])[0].slug
            age = chance.choices(list(BY_AGE), weights=list(BY_AGE.values()))[0]
            birth_date = _birthday(chance, year=today.year - age, today=today)
            yield Wish(
                at=_filing_time(book, birth_date, before=book.now - timedelta(hours=1)),
                place=place,
                birth_date=birth_date,
                languages=_languages(chance, place=place),
                tier=_tier(chance),
                leaves=leaves,
            )


def _bidders(book: Book, *, today: date) -> Iterator[Wish]:
    """One waiting child for every bid of today's bulletin, however small the rest of the city is."""
    for offer in OFFERS:
        group = Group.objects.select_related("kindergarten__locality").get(
            kindergarten__slug=offer.kindergarten, name=offer.group
        )
        for _bid in offer.bids:
            year = today.year - book.chance.choice(ages_of(offer, group))
            birth_date = _birthday(book.chance, year=year, today=today - timedelta(days=75))
            yield Wish(
                at=_filing_time(book, birth_date, before=book.now - timedelta(days=60)),
                place=group.kindergarten.locality.slug,
                birth_date=birth_date,
                languages=(group.language,),
                tier=_tier(book.chance),
            )


def _past_vacancies(book: Book, *, today: date, scale: float) -> Iterator[Vacancy]:
    """Places of the last year, all of them closed by now."""
    # Groups of today's bulletin keep their room for it.
    offered = {(offer.kindergarten, offer.group) for offer in OFFERS}
    groups = [
        group
        for group in Group.objects.select_related("kindergarten__locality").order_by("pk")
        if (group.kindergarten.slug, group.name) not in offered
    ]
    ages = [STOPPED_DAYS] + [
        12 + month * 30 + book.chance.randrange(30)
        for month in range(MONTHS)
        for _number in range(max(1, round(VACANCIES_A_MONTH * scale)))
    ]
    for days in ages:
        yield _past_vacancy(book, book.chance.choice(groups), day=today - timedelta(days=days))


def _past_vacancy(book: Book, group: Group, *, day: date) -> Vacancy:
    zone = group.kindergarten.locality.zone
    opens_at = moments.at(day, moments.OPENING, zone=zone)
    window_ends = book.calendar.add(day, book.rules.priority_working_days)
    return Vacancy(
        group=group,
        birth_years=[day.year - age for age in AGES[AgeGroup(group.age_group)]],
        seats_total=book.chance.randint(3, 9),
        state=Vacancy.State.CLOSED,
        opens_at=opens_at,
        priority_until=moments.at(window_ends, moments.OPENING, zone=zone),
        vacant_from=opens_at,
        published_at=moments.at(day, moments.MORNING, zone=zone),
        ended_at=min(opens_at + timedelta(days=book.chance.randint(8, 11)), book.now),
        responsible=group.kindergarten.head,
    )


def _fates(book: Book, vacancy: Vacancy) -> Iterator[Fate]:
    """What became of the bids: never more of them at once than there are places."""
    is_recent = book.now - vacancy.opens_at < RECENT
    shares = RECENT_FATES if is_recent else FATES
    for seat in range(vacancy.seats_total):
        if is_recent and seat < 2:
            yield Fate.EXPIRED
        else:
            yield book.chance.choices(list(shares), weights=list(shares.values()))[0]
        if not is_recent and book.chance.random() < 0.15:
            yield book.chance.choice(EARLY_ENDS)


def _wish_for(book: Book, vacancy: Vacancy, fate: Fate) -> Wish:
    """A child who fits `vacancy`, filed long before it, and bid after its priority window."""
    chance, locality = book.chance, vacancy.locality
    assert vacancy.priority_until is not None
    assert vacancy.ended_at is not None
    birth_date = _birthday(
        chance, year=chance.choice(vacancy.birth_years), today=vacancy.opens_at.date() - timedelta(days=40)
    )
    placed_at = moments.between(
        vacancy.priority_until + timedelta(seconds=2), vacancy.ended_at, chance=chance, early=3.0
    )
    other = [Language.RUSSIAN] if vacancy.group.language == Language.KAZAKH else [Language.KAZAKH]
    languages = {vacancy.group.language, *(other if chance.random() < 0.2 else [])}
    return Wish(
        at=_filing_time(book, birth_date, before=vacancy.opens_at - timedelta(days=14)),
        place=locality.slug,
        birth_date=birth_date,
        languages=tuple(code for code in Language.values if code in languages),
        tier=_tier(chance),
        bid=PastBid(vacancy=vacancy, fate=fate, placed_at=placed_at),
    )


def _leave(book: Book, application: Application, *, wish: Wish) -> None:
    if wish.leaves == "archive":
        book.archive(application, at=_after_filing(book, wish.at))


def _answer_campaign(book: Book, application: Application, *, lapses: bool) -> None:
    """Confirm, or not, in the last campaign, where the family waited for nothing else at that time."""
    campaign = book.campaign(application)
    is_asked = campaign is not None and book.events[-1].at < campaign.begins_at
    if campaign is None or not is_asked or application.state != ApplicationState.WAITING:
        return
    if lapses:
        book.lapse(application, campaign)
    else:
        book.confirm(application, campaign)


def _after_filing(book: Book, filed_at: datetime) -> datetime:
    return moments.between(filed_at + timedelta(minutes=20), book.now, chance=book.chance)


def _filing_time(book: Book, birth_date: date, *, before: datetime) -> datetime:
    """Some instant between the birth and `before`, nearer to the birth."""
    born = moments.at(birth_date, moments.MORNING, zone=book.zone) + timedelta(days=5)
    moment = moments.between(born, before, chance=book.chance, early=1.4)
    return min(moments.in_daytime(moment, chance=book.chance, zone=book.zone), before)


def _birthday(chance: random.Random, *, year: int, today: date) -> date:
    """A day of `year` that lies at least twenty days before `today`; early in January, of the year before."""
    first, last = date(year, 1, 1), min(date(year, 12, 31), today - timedelta(days=20))
    if last < first:
        return last
    return first + timedelta(days=chance.randint(0, (last - first).days))


def _languages(chance: random.Random, *, place: str) -> tuple[str, ...]:
    shares = UZBEK_LANGUAGES if place in UZBEK_PLACES else LANGUAGES
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _tier(chance: random.Random) -> Tier:
    return chance.choices(list(TIERS), weights=list(TIERS.values()))[0]
