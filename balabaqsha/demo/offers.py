"""What the demo city's bulletin shows today: vacancies in every phase, and the bids for them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import User
from applications.bidding.publication import close_vacancy, publish_vacancy, recall_vacancy
from applications.decisions import places
from applications.models import Application, Bid
from applications.states import ApplicationState, ReferralState
from balabaqsha.demo import moments
from balabaqsha.demo.lives import Book, Fate
from balabaqsha.demo.places import AGES
from balabaqsha.demo.staff import workers
from bulletin.calendar import working_calendar
from bulletin.models import AgeGroup, Group, Vacancy
from bulletin.opening import Phase
from bulletin.school_years import school_year
from bulletin.workdays import Calendar

# As `Rules` say; the demo city has the manual's.
WINDOW_DAYS = 3
# How many days ago a bid must have been sent for its fate to have come true, holidays allowed for.
_AGE_OF_FATES = {Fate.PENDING: 1, Fate.REFERRED: 6, Fate.SIGNED: 15}
RECALL_REASON = "Орын қате жарияланды: топ толық. / Место опубликовано по ошибке: группа укомплектована."


@dataclass(frozen=True)
class Offer:
    """A vacancy of today's bulletin.

    `ages` are years since the birth year (else those of the group); `bids` what became of the bids for it so far.
    """

    kindergarten: str
    group: str
    seats: int
    phase: Phase = Phase.OPEN
    bids: tuple[Fate, ...] = ()
    ages: tuple[int, ...] = ()
    mode: Vacancy.Mode = Vacancy.Mode.FIRST_COME
    place_type: Vacancy.PlaceType = Vacancy.PlaceType.VACANT
    tomorrow: bool = False


_PENDING, _REFERRED, _SIGNED = (Fate.PENDING,), (Fate.REFERRED,), (Fate.SIGNED,)
_COLLECT = Vacancy.Mode.QUEUE_ORDER
_TEMPORARY, _EARLY = Vacancy.PlaceType.TEMPORARY, Vacancy.PlaceType.EARLY

OFFERS = (
    # The manual's rows.
    Offer("amina", "Солнце", 23, bids=_PENDING),
    Offer("aliya", "№1 «Балапан» тобы", 2, Phase.FULL, bids=_SIGNED * 2),
    Offer("khanzada", "Ақбөбек тобы", 1),
    Offer("keremet", "Ертөстік", 1, ages=(5, 4)),
    Offer("balpan", "Жұлдызша", 5, ages=(4, 3)),
    Offer("balpan", "Ақжелек", 5, ages=(4, 3)),
    Offer("balpan", "Балбөбек", 5, ages=(5, 4)),
    # Open to all: every age and language of the manual's family.
    Offer("amina", "Радуга", 6, bids=_PENDING * 2 + _REFERRED),
    Offer("amina", "Ботақан", 8, bids=_PENDING + _REFERRED),
    Offer("amina", "Балапан", 10, bids=_PENDING + _SIGNED * 2),
    Offer("khanzada", "Гномики", 4, bids=_PENDING),
    Offer("khanzada", "Лучик", 3, bids=_REFERRED),
    Offer("balpan", "Лақтар", 6, bids=_PENDING * 2),
    Offer("balpan", "Пчёлки", 5, bids=_PENDING + _REFERRED),
    Offer("aliya", "Шаттық", 4, bids=_PENDING),
    Offer("keremet", "Алые паруса", 7, bids=_PENDING),
    Offer("kunshuak", "Балапан", 12, bids=_SIGNED * 3 + _REFERRED),
    Offer("nurly-zhol", "Бөпешік", 9, bids=_PENDING),
    Offer("solnyshko", "Лучик", 5),
    Offer("teremok", "Топтыжка", 4),
    Offer("zhanuya", "Айгөлек", 6, place_type=_TEMPORARY),
    Offer("balbulak", "Айгөлек", 5),
    Offer("kenshi", "Ромашка", 6, bids=_PENDING),
    Offer("lola", "Чинор", 4),
    Offer("karashyk-balapan", "Қызғалдақ", 3),
    # Only for the head of the queue as yet.
    Offer("azret-sultan", "Құлыншақ", 4, Phase.PRIORITY, bids=_PENDING),
    Offer("azret-sultan", "Капелька", 3, Phase.PRIORITY),
    Offer("karlygash", "Айналайын", 5, Phase.PRIORITY, bids=_PENDING * 2),
    Offer("aigolek", "Бәйшешек", 4, Phase.PRIORITY),
    Offer("merei", "Айгөлек", 2, Phase.PRIORITY),
    Offer("temirzholshy", "Крошки", 3, Phase.PRIORITY),
    Offer("kenshi", "Колокольчик", 2, Phase.PRIORITY),
    Offer("ikan-nuri", "Лола", 3, Phase.PRIORITY),
    # Opening later today, and tomorrow.
    Offer("amina", "Күншуақ", 4, Phase.ANNOUNCED),
    Offer("botakan", "Балапан", 5, Phase.ANNOUNCED),
    Offer("shattyk", "Еркетай", 6, Phase.ANNOUNCED),
    Offer("teremok", "Пчёлки", 3, Phase.ANNOUNCED),
    Offer("balbulak", "Капелька", 2, Phase.ANNOUNCED),
    Offer("bolashak", "Қарлығаш", 4, Phase.ANNOUNCED, tomorrow=True, place_type=_EARLY),
    Offer("akniet", "Бөпешік", 5, Phase.ANNOUNCED, tomorrow=True),
    Offer("umai-ana", "Булбулча", 3, Phase.ANNOUNCED, tomorrow=True),
    Offer("shipager", "Шаттық", 2, Phase.ANNOUNCED, tomorrow=True, place_type=_TEMPORARY),
    # Full, closed, recalled.
    Offer("nurly-zhol", "Еркетай", 3, Phase.FULL, bids=_SIGNED * 2 + _REFERRED),
    Offer("kunshuak", "Колокольчик", 2, Phase.FULL, bids=_SIGNED * 2),
    Offer("aruzhan", "Қарлығаш", 2, Phase.FULL, bids=_SIGNED + _REFERRED),
    Offer("solnyshko", "Цыплята", 3, Phase.FULL, bids=_SIGNED + _REFERRED + _PENDING),
    Offer("azret-sultan", "Шаттық", 3, Phase.CLOSED, bids=_SIGNED * 2),
    Offer("karlygash", "Қыран", 2, Phase.CLOSED),
    Offer("shornak-akbota", "Айналайын", 3, Phase.CLOSED, bids=_SIGNED),
    Offer("babaikorgan-gulder", "Балапан", 2, Phase.CLOSED, bids=_SIGNED * 2),
    Offer("zhanuya", "Колокольчик", 4, Phase.RECALLED, bids=_PENDING * 2),
    # Bids are collected, the places go by queue number.
    Offer("botakan", "Ботақан", 5, bids=_PENDING * 8, mode=_COLLECT),
    Offer("aigolek", "Құлыншақ", 6, bids=_PENDING * 9, mode=_COLLECT),
    Offer("temirzholshy", "Теремок", 3, bids=_PENDING * 4, mode=_COLLECT),
)


def count_children(*, now: datetime, actor: User) -> None:
    """Let an official count the children of every group, so that it has room for today's places and no more.

    The count is that of the present school year; contracts of the past year are among the children.
    """
    groups = list(Group.objects.select_related("kindergarten__locality").order_by("pk"))
    offered = Counter({(offer.kindergarten, offer.group): 0 for offer in OFFERS})
    for offer in OFFERS:
        offered[offer.kindergarten, offer.group] += offer.seats
    under_way = _under_way(now=now)
    for group in groups:
        seats = offered[group.kindergarten.slug, group.name]
        # Where nothing is offered, a few places stay free.
        children = group.capacity - under_way[group.pk] - (seats or 2)
        year = school_year(group.kindergarten.locality.day(now))
        places.count_children(group, year=year, children=max(children, 0), actor=actor, now=now)


def _under_way(*, now: datetime) -> Counter[int]:
    """How many places of each group bids and referrals hold that have not come to a contract."""
    held = Bid.objects.filter(holds_seat=True).exclude(referral__state=ReferralState.SIGNED)
    return Counter(held.values_list("vacancy__group", flat=True))


def publish(*, now: datetime, actor: User) -> list[tuple[Offer, Vacancy]]:
    """Create and publish today's vacancies; those that are to end are still open."""
    calendar = working_calendar()
    published = []
    for number, offer in enumerate(OFFERS):
        vacancy = _draft(offer, number=number, now=now, calendar=calendar)
        published_at = min(
            vacancy.opens_at - timedelta(hours=8), now - timedelta(hours=1 + 17 * (number % 4))
        )
        published.append((offer, publish_vacancy(vacancy, actor=actor, now=published_at)))
    return published


def place_bids(book: Book, published: list[tuple[Offer, Vacancy]]) -> None:
    """Let waiting families bid; then close and recall what is to be over. Writes all rows."""
    employees = workers()
    recalled_at = book.now - timedelta(days=2, hours=3)
    for offer, vacancy in published:
        worker = employees[offer.kindergarten]
        before = recalled_at if offer.phase == Phase.RECALLED else None
        bidders = _bidders(book, vacancy, count=len(offer.bids), used=book.touched)
        for application, fate in zip(bidders, offer.bids, strict=False):
            placed_at = _bid_time(book, vacancy, fate, before=before)
            book.bid(application, vacancy, fate, placed_at=placed_at, worker=worker)
            if offer.phase == Phase.RECALLED:
                book.void(book.bids[-1], at=recalled_at, actor=worker, reason=RECALL_REASON)
    book.save()
    for offer, vacancy in published:
        if offer.phase == Phase.RECALLED:
            actor = employees[offer.kindergarten]
            recall_vacancy(vacancy, actor=actor, reason=RECALL_REASON, now=recalled_at)
        elif offer.phase == Phase.CLOSED:
            close_vacancy(vacancy, actor=employees[offer.kindergarten], now=book.now - timedelta(days=2))


def ages_of(offer: Offer, group: Group) -> tuple[int, ...]:
    """How many years ago the children that an offer of `group` suits were born."""
    return offer.ages or AGES[AgeGroup(group.age_group)]


def _draft(offer: Offer, *, number: int, now: datetime, calendar: Calendar) -> Vacancy:
    group = Group.objects.select_related("kindergarten__locality").get(
        kindergarten__slug=offer.kindergarten, name=offer.group
    )
    zone = group.kindergarten.locality.zone
    today = now.astimezone(zone).date()
    opens_at = _opening(offer, number=number, now=now, zone=zone, calendar=calendar)
    collect_until = moments.at(today + timedelta(days=2), moments.OPENING, zone=zone)
    return Vacancy.objects.create(
        group=group,
        birth_years=[today.year - age for age in ages_of(offer, group)],
        place_type=offer.place_type,
        mode=offer.mode,
        seats_total=offer.seats,
        opens_at=opens_at,
        closes_at=collect_until if offer.mode == _COLLECT else None,
        vacant_from=_free_from(opens_at + timedelta(days=7 * (number % 3)), today=today, zone=zone),
        responsible=group.kindergarten.head,
    )


def _free_from(at: datetime, *, today: date, zone: ZoneInfo) -> datetime:
    """An instant in the year of today, as the children are chosen by that year."""
    first, last = (
        moments.at(date(today.year, month, day), moments.OPENING, zone=zone)
        for month, day in ((1, 1), (12, 31))
    )
    return min(max(at, first), last)


def _opening(offer: Offer, *, number: int, now: datetime, zone: ZoneInfo, calendar: Calendar) -> datetime:
    """When an offer opens, or opened: its window is over long enough for what became of its bids."""
    today = now.astimezone(zone).date()
    if offer.phase == Phase.ANNOUNCED:
        if offer.tomorrow:
            return moments.at(today + timedelta(days=1), moments.OPENING, zone=zone)
        return moments.later_today(now, zone=zone)
    if offer.phase == Phase.PRIORITY:
        return moments.at(today - timedelta(days=1 + number % 2), moments.OPENING, zone=zone)
    for_all_since = today - timedelta(days=_AGE_OF_FATES[_oldest(offer)] + number % 4)
    day = for_all_since
    while calendar.add(day, WINDOW_DAYS) > for_all_since:
        day -= timedelta(days=1)
    return moments.at(day, moments.OPENING, zone=zone)


def _oldest(offer: Offer) -> Fate:
    ended = offer.phase in (Phase.CLOSED, Phase.RECALLED)
    return max((*offer.bids, Fate.REFERRED if ended else Fate.PENDING), key=lambda fate: _AGE_OF_FATES[fate])


def _bid_time(book: Book, vacancy: Vacancy, fate: Fate, *, before: datetime | None) -> datetime:
    """Early enough for what became of the bid, and not before the vacancy was open to this family."""
    opened = vacancy.priority_until or vacancy.opens_at
    if opened > book.now:
        opened = vacancy.opens_at
    latest = before or book.now - timedelta(days=_AGE_OF_FATES[fate] - 1, minutes=25)
    earliest = max(opened + timedelta(seconds=1), latest - timedelta(hours=20))
    return moments.between(earliest, latest, chance=book.chance)


def _bidders(book: Book, vacancy: Vacancy, *, count: int, used: Collection[UUID]) -> list[Application]:
    """`count` waiting applications that match: the head of the queue in the priority window, else any of them.

    Fewer in a database whose queue is not the demo city's.
    """
    matching = Application.objects.filter(
        state=ApplicationState.WAITING,
        locality=vacancy.locality,
        birth_year__in=vacancy.birth_years,
        languages__contains=[vacancy.group.language],
        filed_at__lt=vacancy.opens_at,
        # A family that bid before may have come back only lately, after these bids were sent.
        bids=None,
    )
    in_order = matching.order_by("tier", "filed_at", "sequence").values_list("pk", flat=True)
    waiting = [pk for pk in in_order if pk not in used]
    if vacancy.priority_until is None or vacancy.priority_until <= book.now:
        book.chance.shuffle(waiting)
    chosen = Application.objects.select_related("locality", "filed_by").in_bulk(waiting[:count])
    return [chosen[pk] for pk in waiting[:count]]
