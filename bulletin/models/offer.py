"""What the city offers: localities, kindergartens, their groups and vacant places; the calendar; reviews."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Min, Q, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.phones import dialled
from bulletin.fields import SearchTextField, SortKeyField


class Bilingual(models.Model):
    """Something with a name in both languages."""

    name_kk = models.CharField(_("name in Kazakh"), max_length=200)
    name_ru = models.CharField(_("name in Russian"), max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the language of the page."""
        return self.name_ru if get_language() == "ru" else self.name_kk


class Language(models.TextChoices):
    """Languages in which children are brought up and taught."""

    KAZAKH = "kk", _("Kazakh (language of education)")
    RUSSIAN = "ru", _("Russian (language of education)")
    UZBEK = "uz", _("Uzbek (language of education)")


def demand_zone(name: str) -> None:
    """Raise ValidationError for a name that is no time zone of the IANA data base."""
    if name not in available_timezones():
        raise ValidationError(gettext("There is no such time zone: choose one of the list."))


class Locality(Bilingual):
    """A place with kindergartens and queues of its own."""

    slug = models.SlugField(_("address on the site"), unique=True)
    # The database refuses what it takes for no zone, too (`locality_zone_is_real`, in a migration).
    timezone = models.CharField(
        _("time zone"), max_length=40, default="Asia/Almaty", validators=[demand_zone]
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("locality")
        verbose_name_plural = _("localities")
        ordering = ["order", "name_kk"]
        # For roles whose work is the whole city; everybody else is employed somewhere.
        permissions = [("work_everywhere", _("Can work in every locality"))]

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this locality's deadlines end."""
        return ZoneInfo(self.timezone)

    def day(self, at: datetime) -> date:
        """The day that an instant belongs to here."""
        return at.astimezone(self.zone).date()

    def last_day(self, until: datetime) -> date:
        """The last day of a period that ends at an instant; the instant itself is no longer part of it."""
        return self.day(until - timedelta(microseconds=1))


# The bounds of Kazakhstan, in degrees north and east.
LATITUDES: Final = (Decimal("40.5"), Decimal("55.5"))
LONGITUDES: Final = (Decimal("46.4"), Decimal("87.4"))


def _within(bounds: tuple[Decimal, Decimal]) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(bounds[0]), MaxValueValidator(bounds[1])]


class Kindergarten(Bilingual):
    class Ownership(models.TextChoices):
        STATE = "state", _("state kindergarten")
        PRIVATE = "private", _("private kindergarten")
        DEPARTMENTAL = "departmental", _("departmental kindergarten")

    class Type(models.TextChoices):
        NURSERY = "nursery", _("nursery and kindergarten")
        KINDERGARTEN = "kindergarten", _("kindergarten")
        SCHOOL_COMPLEX = "complex", _("school and kindergarten complex")
        SANATORIUM = "sanatorium", _("sanatorium kindergarten")
        SPECIAL = "special", _("special (correctional) kindergarten")
        MINI_CENTRE = "mini", _("mini-centre")

    slug = models.SlugField(_("address on the site"), unique=True, max_length=80)
    locality = models.ForeignKey(
        Locality, on_delete=models.PROTECT, related_name="kindergartens", verbose_name=_("locality")
    )
    ownership = models.CharField(_("ownership"), max_length=12, choices=Ownership.choices)
    type = models.CharField(_("type"), max_length=12, choices=Type.choices, default=Type.NURSERY)
    address_kk = models.CharField(_("address in Kazakh"), max_length=200)
    address_ru = models.CharField(_("address in Russian"), max_length=200)
    phone = PhoneNumberField(_("phone"), blank=True)
    head = models.CharField(_("head"), max_length=120, blank=True)
    # For a map: both or none, within the country.
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=6, null=True, blank=True, validators=_within(LATITUDES)
    )
    longitude = models.DecimalField(
        _("longitude"), max_digits=8, decimal_places=6, null=True, blank=True, validators=_within(LONGITUDES)
    )
    # Computed from the names on every write: neither the C collation nor most servers know Kazakh letters.
    sort_key = SortKeyField(max_length=400, editable=False, default="")
    sort_key_ru = SortKeyField(of="name_ru", max_length=400, editable=False, default="", db_default="")
    search_text = SearchTextField(editable=False, default="")

    class Meta:
        verbose_name = _("kindergarten")
        verbose_name_plural = _("kindergartens")
        ordering = ["sort_key", "id"]
        permissions = [("stand_in", _("Can decide for a kindergarten in which nobody may"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=LATITUDES,
                    longitude__range=LONGITUDES,
                ),
                name="kindergarten_is_in_the_country",
                violation_error_message=_(
                    "Tell both the latitude and the longitude, of a place in Kazakhstan."
                ),
            ),
        ]

    def get_absolute_url(self) -> str:
        return reverse("bulletin:kindergarten", args=[self.slug])

    @property
    def point(self) -> tuple[float, float] | None:
        """Its latitude and longitude in degrees; None where it is not on the map."""
        if self.latitude is None or self.longitude is None:
            return None
        return float(self.latitude), float(self.longitude)

    @property
    def geo(self) -> str:
        """The point as addresses have it (RFC 5870), to the metre; empty without one."""
        return "{:.5f},{:.5f}".format(*self.point) if self.point else ""

    @property
    def phone_label(self) -> str:
        """The phone as the contact centre's is written; empty without one."""
        return dialled(self.phone) if self.phone else ""

    @property
    def address(self) -> str:
        return self.address_ru if get_language() == "ru" else self.address_kk

    @property
    def languages_display(self) -> str:
        """The languages of its groups in words, in one order; prefetch `groups` for lists."""
        languages = {group.language for group in self.groups.all()}
        return ", ".join(str(language.label) for language in Language if language in languages)


class AgeGroup(models.TextChoices):
    """Groups by age, with the names of the orders in force in 2019 (the manual's)."""

    EARLY = "1-2", _("early age group (1 to 2 years)")
    FIRST_JUNIOR = "2-3", _("first junior group (2 to 3 years)")
    SECOND_JUNIOR = "3-4", _("second junior group (3 to 4 years)")
    MIDDLE = "4-5", _("middle group (4 to 5 years)")
    SENIOR = "5-6", _("senior group (5 to 6 years)")
    MIXED = "mixed", _("mixed age group")


# No group is larger, whatever the rules of a place say.
MOST_CHILDREN = 50


class Group(models.Model):
    class Regime(models.TextChoices):
        DAY = "day", _("day group")
        PART_DAY = "part", _("part-day group")
        ROUND_THE_CLOCK = "round", _("round-the-clock group")

    kindergarten = models.ForeignKey(
        Kindergarten, on_delete=models.CASCADE, related_name="groups", verbose_name=_("kindergarten")
    )
    name = models.CharField(
        _("group name"), max_length=80, help_text=_("A proper name, the same in both languages.")
    )
    age_group = models.CharField(_("age group"), max_length=5, choices=AgeGroup.choices)
    language = models.CharField(_("language of education"), max_length=2, choices=Language.choices)
    regime = models.CharField(_("group type"), max_length=5, choices=Regime.choices, default=Regime.DAY)
    capacity = models.PositiveSmallIntegerField(
        _("capacity"), validators=[MinValueValidator(1), MaxValueValidator(MOST_CHILDREN)]
    )

    class Meta:
        verbose_name = pgettext_lazy("of a kindergarten", "group")
        verbose_name_plural = pgettext_lazy("of a kindergarten", "groups")
        ordering = ["kindergarten", "age_group", "name"]
        constraints = [
            models.UniqueConstraint(fields=["kindergarten", "name"], name="group_name_in_kindergarten"),
            models.CheckConstraint(
                condition=Q(capacity__gte=1, capacity__lte=MOST_CHILDREN), name="group_capacity_bounds"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Vacancy(models.Model):
    """Places of one group, published together in the bulletin.

    "Open now", "priority" and "full" are not states: they are derived from the instants and the seats
    (`bulletin.opening`).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RECALLED = "recalled", _("recalled")
        CLOSED = "closed", _("closed")

    class PlaceType(models.TextChoices):
        VACANT = "vacant", _("vacant places")
        TEMPORARY = "temporary", _("temporary places")
        EARLY = "early", _("early booking")

    class Mode(models.TextChoices):
        FIRST_COME = "first_come", _("the first bid takes the place")
        QUEUE_ORDER = "queue_order", _("bids are collected, places go by queue number")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        related_name="vacancies",
        verbose_name=pgettext_lazy("of a kindergarten", "group"),
    )
    birth_years = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("birth years of children"))
    place_type = models.CharField(
        _("place type"), max_length=10, choices=PlaceType.choices, default=PlaceType.VACANT
    )
    mode = models.CharField(
        _("who gets a place"), max_length=12, choices=Mode.choices, default=Mode.FIRST_COME
    )
    seats_total = models.PositiveSmallIntegerField(_("places in all"))
    seats_taken = models.PositiveSmallIntegerField(_("places taken"), default=0, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False
    )
    opens_at = models.DateTimeField(_("bids are accepted from"))
    priority_until = models.DateTimeField(
        _("only the head of the queue until"), null=True, blank=True, editable=False
    )
    closes_at = models.DateTimeField(_("bids are accepted until"), null=True, blank=True)
    vacant_from = models.DateTimeField(_("the place is actually free from"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("recalled or closed at"), null=True, blank=True, editable=False)
    end_reason = models.CharField(_("reason for the recall"), max_length=300, blank=True, editable=False)
    # Its places were recalled because the group, or the kindergarten, closes.
    closing = models.ForeignKey(
        "Closing",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="vacancies",
        verbose_name=_("recalled by a closing"),
    )
    # From then on none of its deadlines moves, so that it never reopens after its result.
    awarded_at = models.DateTimeField(_("place given at"), null=True, blank=True, editable=False)
    responsible = models.CharField(_("responsible employee"), max_length=120)
    # Everyone can read it on the vacancy's page.
    short_notice_reason = models.CharField(
        _("reason for the short notice"), max_length=300, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("vacancy")
        verbose_name_plural = _("vacancies")
        ordering = ["-opens_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(seats_taken__lte=F("seats_total")), name="vacancy_not_oversold"
            ),
            models.CheckConstraint(condition=Q(seats_total__gte=1), name="vacancy_has_seats"),
            models.CheckConstraint(condition=~Q(birth_years=[]), name="vacancy_has_birth_years"),
            models.CheckConstraint(
                condition=Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="vacancy_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=~Q(mode="queue_order") | Q(closes_at__isnull=False),
                name="vacancy_queue_order_closes",
            ),
            # A vacancy that opened before anybody could read about it would have bypassed the head of the queue.
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(opens_at__gte=F("published_at")),
                name="vacancy_opens_after_publication",
            ),
        ]
        indexes = [
            models.Index(fields=["-opens_at", "-id"], name="vacancy_newest"),
            models.Index(
                fields=["-opens_at", "id"], condition=Q(state="published"), name="vacancy_published"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group.kindergarten} · {self.group}"

    if TYPE_CHECKING:

        def get_absolute_url(self) -> str:
            """Its public page, in an app above: the settings give its address (`ABSOLUTE_URL_OVERRIDES`)."""

    @property
    def seats_free(self) -> int:
        return self.seats_total - self.seats_taken

    @property
    def is_collected(self) -> bool:
        """Whether bids are collected first and places go by queue number."""
        return self.mode == self.Mode.QUEUE_ORDER

    @property
    def accepted_until(self) -> datetime | None:
        """The end of acceptance: the announced one, or an earlier one by a recall or a closing; None without any."""
        return min((at for at in (self.closes_at, self.ended_at) if at is not None), default=None)

    @property
    def locality(self) -> Locality:
        return self.group.kindergarten.locality

    @cached_property
    def paused_since(self) -> datetime | None:
        """Since when bidding has been paused in this vacancy's locality; None if it is not paused.

        One query for each object; for lists, `bulletin.selectors.with_pauses` loads it in advance.
        """
        running = Pause.objects.filter(Q(locality=None) | Q(locality=self.locality), ended_at=None)
        since: datetime | None = running.aggregate(since=Min("started_at"))["since"]
        return since


class Pause(models.Model):
    """A time in which no bids are accepted, in one locality or everywhere, with a notice to the families."""

    locality = models.ForeignKey(
        Locality,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="pauses",
        verbose_name=_("locality"),
    )
    notice_kk = models.CharField(_("notice in Kazakh"), max_length=300)
    notice_ru = models.CharField(_("notice in Russian"), max_length=300)
    started_at = models.DateTimeField(_("started at"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("started by")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("ended by"),
    )

    class Meta:
        verbose_name = _("pause of bidding")
        verbose_name_plural = _("pauses of bidding")
        ordering = ["-started_at", "-id"]
        constraints = [
            # No locality means everywhere, which is a scope of its own.
            models.UniqueConstraint(
                Coalesce("locality", Value(0)), condition=Q(ended_at=None), name="pause_one_running"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="pause_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.scope

    @property
    def notice(self) -> str:
        """The notice in the language of the page."""
        return self.notice_ru if get_language() == "ru" else self.notice_kk

    @property
    def scope(self) -> str:
        """Where it holds, in words."""
        return self.locality.name if self.locality else gettext("All localities")


class MovedOpening(models.Model):
    """An opening that a pause stopped, and the time announced in its place; everyone can read it at the vacancy."""

    vacancy = models.ForeignKey(
        Vacancy, on_delete=models.CASCADE, related_name="moved_openings", verbose_name=_("vacancy")
    )
    pause = models.ForeignKey(
        Pause, on_delete=models.CASCADE, related_name="moved_openings", verbose_name=_("pause of bidding")
    )
    was = models.DateTimeField(_("was to open at"))
    becomes = models.DateTimeField(_("opens at"))
    moved_at = models.DateTimeField(_("moved at"))
    # The row itself is the outbox: a worker writes to the families later, who may be thousands.
    told_at = models.DateTimeField(_("told to the families at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("moved opening")
        verbose_name_plural = _("moved openings")
        default_permissions = ()
        ordering = ["moved_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["vacancy", "pause"], name="opening_moved_once_by_a_pause"),
            models.CheckConstraint(condition=Q(becomes__gt=F("moved_at")), name="moved_opening_is_announced"),
        ]
        indexes = [
            models.Index(fields=["pause"], condition=Q(told_at=None), name="moved_opening_to_tell"),
        ]

    def __str__(self) -> str:
        return f"{self.vacancy} · {localtime(self.becomes, self.vacancy.locality.zone):%d.%m.%Y %H:%M}"


class Closing(models.Model):
    """A kindergarten, or one group of it, closes: for a time or for good, from a day on.

    From the decision on nothing is offered there. `reopens_on` is what families were told: an official reopens it.
    """

    class Cause(models.TextChoices):
        REPAIR = "repair", _("repair")
        LICENCE = "licence", _("licence withdrawn or suspended")
        ACCIDENT = "accident", _("accident or emergency")
        REORGANISED = "reorganised", _("reorganisation")
        OTHER = "other", _("other reason (of a closing)")

    class State(models.TextChoices):
        RUNNING = "running", _("closed (kindergarten, group)")
        REOPENED = "reopened", _("reopened")
        UNDONE = "undone", _("undone: it was a mistake")

    kindergarten = models.ForeignKey(
        Kindergarten, on_delete=models.PROTECT, related_name="closings", verbose_name=_("kindergarten")
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="closings",
        verbose_name=pgettext_lazy("of a kindergarten", "group"),
        help_text=_("Empty: the whole kindergarten."),
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices)
    reason = models.CharField(_("reason"), max_length=300)
    starts_on = models.DateField(_("closed from"))
    reopens_on = models.DateField(_("planned to open again on"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    decided_at = models.DateTimeField(_("decided at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    ended_at = models.DateTimeField(_("reopened or undone at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reopened or undone by"),
    )
    end_reason = models.CharField(_("why it was reopened or undone"), max_length=300, blank=True)
    days_moved_at = models.DateTimeField(
        _("days changed at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Who was told of it before is told again."),
    )
    finished_at = models.DateTimeField(
        _("all families handled at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Empty while families are still to be handled, of the closing or of its end."),
    )

    class Meta:
        verbose_name = _("closing of a kindergarten or group")
        verbose_name_plural = _("closings of kindergartens and groups")
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kindergarten"],
                condition=Q(group=None, state="running"),
                name="closing_one_running_of_kindergarten",
            ),
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(group__isnull=False, state="running"),
                name="closing_one_running_of_group",
            ),
            models.CheckConstraint(
                condition=Q(reopens_on=None) | Q(reopens_on__gt=F("starts_on")),
                name="closing_reopens_after_start",
            ),
            models.CheckConstraint(
                condition=Q(state="running", ended_at=None, ended_by=None)
                | (~Q(state="running") & Q(ended_at__isnull=False, ended_by__isnull=False)),
                name="ended_closing_has_time_and_official",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kindergarten} · {self.group}" if self.group else str(self.kindergarten)

    @property
    def locality(self) -> Locality:
        return self.kindergarten.locality


class Holiday(models.Model):
    """A date that differs from its weekday: a day off, or a Saturday or Sunday that became a working day."""

    class Kind(models.TextChoices):
        DAY_OFF = "off", _("day off")
        WORKING_DAY = "work", _("working day")

    date = models.DateField(_("date"), unique=True)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices, default=Kind.DAY_OFF)
    name_kk = models.CharField(_("name in Kazakh"), max_length=200)
    name_ru = models.CharField(_("name in Russian"), max_length=200)
    source = models.CharField(_("source"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["date"]

    def __str__(self) -> str:
        return f"{self.date:%d.%m.%Y}"


class Employment(models.Model):
    """Where an employee works: one kindergarten, or one locality with all its kindergartens.

    What they may do there is said by their roles.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="employments",
        verbose_name=_("employee"),
    )
    kindergarten = models.ForeignKey(
        Kindergarten,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="employments",
        verbose_name=_("kindergarten"),
        help_text=_("For whoever works in one kindergarten."),
    )
    locality = models.ForeignKey(
        Locality,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="employments",
        verbose_name=_("locality"),
        help_text=_("For an official: the whole locality, with all its kindergartens."),
    )
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True, help_text=_("The last day, or empty."))

    class Meta:
        verbose_name = _("employment")
        verbose_name_plural = _("employments")
        constraints = [
            models.UniqueConstraint(fields=["user", "kindergarten"], name="one_employment"),
            models.UniqueConstraint(fields=["user", "locality"], name="one_employment_in_a_locality"),
            models.CheckConstraint(
                condition=Q(kindergarten__isnull=False, locality=None)
                | Q(kindergarten=None, locality__isnull=False),
                name="employment_is_in_one_place",
                violation_error_message=_("Choose either a kindergarten or a locality."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")),
                name="employment_runs_forward",
                violation_error_message=_("The last day can't be earlier than the first."),
            ),
        ]

    def __str__(self) -> str:
        # A form that was filled in wrong names its row before it is in any place.
        return f"{self.user}, {self.kindergarten or self.locality or '—'}"

    @property
    def place(self) -> "Kindergarten | Locality":
        """Where it is: the kindergarten, or the whole locality."""
        place = self.kindergarten or self.locality
        assert place is not None
        return place

    @property
    def around(self) -> Locality:
        """The locality in which it is, whose clock it goes by."""
        place = self.place
        return place.locality if isinstance(place, Kindergarten) else place


class Review(models.Model):
    """A user's opinion of the portal or of a kindergarten, shown once a moderator published it."""

    class State(models.TextChoices):
        PENDING = "pending", _("waits for moderation")
        PUBLISHED = "published", _("published")
        REJECTED = "rejected", _("not published")

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="reviews",
        verbose_name=_("author"),
    )
    kindergarten = models.ForeignKey(
        Kindergarten,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="reviews",
        verbose_name=_("kindergarten"),
    )
    text = models.TextField(_("text"), max_length=1000)
    answer = models.TextField(_("answer"), max_length=1000, blank=True)
    # Shown in the language in which it was written.
    answer_language = models.CharField(
        _("language of the answer"), max_length=2, choices=settings.LANGUAGES, blank=True, db_default=""
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    # Stays when the answer is written anew: only an official shows it again.
    answer_hidden_at = models.DateTimeField(_("answer hidden at"), null=True, blank=True)
    answer_hidden_reason = models.CharField(
        _("why the answer is hidden"), max_length=300, blank=True, db_default=""
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    moderation_reason = models.CharField(_("reason for not publishing"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("written at"))
    moderated_at = models.DateTimeField(_("moderated at"), null=True, blank=True)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("moderator"),
    )

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-created_at", "-id"]
        permissions = [("answer_review", _("Can answer reviews of the own kindergarten"))]
        indexes = [
            models.Index(fields=["-created_at", "-id"], condition=Q(state="published"), name="review_public")
        ]

    def __str__(self) -> str:
        zone = self.kindergarten.locality.zone if self.kindergarten else None
        return f"{localtime(self.created_at, zone):%d.%m.%Y}"

    @property
    def shown_answer(self) -> str:
        """The answer as everybody reads it: nothing while an official hides it."""
        return "" if self.answer_hidden_at else self.answer

    @property
    def is_answered_by_kindergarten(self) -> bool:
        """Whether the answer is the kindergarten's own; before that could be, officials answered for it."""
        return self.kindergarten_id is not None and self.answered_at is not None

    @property
    def signature(self) -> str:
        """The author as everyone may see them: one initial, or none. Public pages show no names."""
        profile = getattr(self.author, "profile", None)
        if profile is None or not profile.first_name:
            return gettext("Parent")
        return gettext("Parent: %(initial)s.") % {"initial": profile.first_name[0].upper()}


class ImportBatch(models.Model):
    """A file that was loaded: who loaded it, what it held, what came of it, and whether that was undone."""

    kind = models.CharField(_("what was loaded"), max_length=20)
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)
    loaded_at = models.DateTimeField(_("loaded at"))
    # None: by a command of the operators.
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("loaded by"),
    )
    added = models.PositiveIntegerField(_("added"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    # The localities in which something was added or changed.
    places = ArrayField(models.PositiveIntegerField(), default=list)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("undone by"),
    )

    class Meta:
        verbose_name = _("loaded file")
        verbose_name_plural = _("loaded files")
        default_permissions = ()
        permissions = [("load_files", _("Can load files of the city"))]
        ordering = ["-loaded_at", "-id"]

    def __str__(self) -> str:
        return self.file_name


class ImportedRow(models.Model):
    """What a batch made or changed by one row of its file, as it was before and as it became."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    # `app.model` and primary key.
    model = models.CharField(max_length=60)
    key = models.CharField(max_length=40)
    # The values of the fields that the file has; None: the row made it.
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        indexes = [models.Index(fields=["model", "key"], name="imported_row_of")]
