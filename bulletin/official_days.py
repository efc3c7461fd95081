"""The official days off of Kazakhstan, as a proposal for the calendar. Pure.

The days come from the `holidays` package, which knows the law, the days carried over from a weekend and the dates of
Kurban-ait, but has no Russian names; those are here. Transfers decreed by the Government are here too: it may move a
day of rest (Labour Code, article 85), decides late, and each transfer brings a working Saturday. The table of holidays,
which an official can edit, is the truth; this module only fills it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Final

import holidays
from django.utils.translation import gettext

FIRST_YEAR = 2018
# How many years after the current one are loaded.
YEARS_AHEAD = 2
LIST_SOURCE = f"holidays {version('holidays')}"

# After the source of a day whose date is not announced yet.
ESTIMATE: Final = " (estimate)"


def source_in_words(stored: str) -> str:
    """Where a day of the calendar comes from, in the language of the page; what an employee wrote stays as it is."""
    source = stored.removesuffix(ESTIMATE)
    package, _space, number = source.partition(" ")
    if package == "holidays" and number[:1].isdigit():
        source = gettext("Official list of days off, edition: %(number)s") % {"number": number}
    return f"{source}. {gettext('The date is not announced yet')}" if stored.endswith(ESTIMATE) else source


# Keyed by the package's English names.
NAMES: dict[str, tuple[str, str]] = {
    "New Year's Day": ("Жаңа жыл", "Новый год"),
    "Orthodox Christmas": ("Православиелік Рождество", "Православное Рождество"),
    "International Women's Day": ("Халықаралық әйелдер күні", "Международный женский день"),
    "Nowruz Holiday": ("Наурыз мейрамы", "Праздник Наурыз"),
    "Kazakhstan's People Solidarity Holiday": (
        "Қазақстан халқының бірлігі мерекесі",
        "Праздник единства народа Казахстана",
    ),
    "Defender of the Fatherland Day": ("Отан қорғаушы күні", "День защитника Отечества"),
    "Victory Day": ("Жеңіс күні", "День Победы"),
    "Capital Day": ("Астана күні", "День столицы"),
    "Eid al-Adha": ("Құрбан айттың бірінші күні", "Первый день Курбан-айта"),
    "Constitution Day": (
        "Қазақстан Республикасының Конституциясы күні",
        "День Конституции Республики Казахстан",
    ),
    "Republic Day": ("Республика күні", "День Республики"),
    "First President Day": (
        "Қазақстан Республикасының Тұңғыш Президенті күні",
        "День Первого Президента Республики Казахстан",
    ),
    "Independence Day": ("Тәуелсіздік күні", "День Независимости"),
}

# The day that became a working day, the day off in its place, and where the decree was published. The package knows
# more of them, and has these from another source.
TRANSFERS: tuple[tuple[date, date, str], ...] = (
    (date(2018, 3, 3), date(2018, 3, 9), "primeminister.kz 15835"),
    (date(2018, 4, 28), date(2018, 4, 30), "primeminister.kz 15835"),
    (date(2018, 5, 5), date(2018, 5, 8), "primeminister.kz 15835"),
    (date(2018, 8, 25), date(2018, 8, 31), "primeminister.kz 15835"),
    (date(2018, 12, 29), date(2018, 12, 31), "primeminister.kz 15835"),
    (date(2020, 1, 5), date(2020, 1, 3), "kyzylorda-news.kz 2020"),
    (date(2020, 5, 11), date(2020, 5, 8), "kyzylorda-news.kz 2020"),
    (date(2020, 12, 20), date(2020, 12, 18), "kyzylorda-news.kz 2020"),
    (date(2021, 7, 3), date(2021, 7, 5), "kt.kz 2021"),
    (date(2022, 3, 5), date(2022, 3, 7), "pm.kz 2022"),
    (date(2022, 8, 27), date(2022, 8, 29), "pm.kz 2022"),
)

# In the package's words: "Victory Day (observed)", "Day off (substituted from 05/04/2019)", …
_REMARK = re.compile(r" \((?P<remark>observed|estimated|substituted from (?P<moved>[\d/]+))\)$")


@dataclass(frozen=True)
class OfficialDay:
    """A date that differs from its weekday. `is_estimate`: the date depends on the moon and is not announced yet."""

    date: date
    is_working: bool
    name_kk: str
    name_ru: str
    source: str
    is_estimate: bool = False


class UnknownHolidayError(Exception):
    """The package names a holiday that has no Kazakh and Russian name here."""


def official_days(years: Iterable[int]) -> list[OfficialDay]:
    """Every official exception of the given years, by date, one per date.

    Raises `UnknownHolidayError` when the package knows a holiday that is not in `NAMES`.
    """
    wanted = set(years)
    days = {day.date: day for day in _listed(wanted)}
    for working, day_off, source in TRANSFERS:
        days.update({day.date: day for day in _transfer(working, day_off, source=source)})
    return [days[day] for day in sorted(days) if day.year in wanted]


def _listed(years: set[int]) -> Iterator[OfficialDay]:
    calendar = holidays.country_holidays("KZ", years=years, language="en_US")
    for day in calendar:
        # Two holidays may fall on one date; a day off named once is enough.
        name = calendar.get_list(day)[0]
        match = _REMARK.search(name)
        if match is None:
            yield OfficialDay(day, False, *_names(name), source=LIST_SOURCE)
        elif match["moved"]:
            working = datetime.strptime(match["moved"], "%m/%d/%Y").replace(tzinfo=UTC).date()
            yield from _transfer(working, day, source=LIST_SOURCE)
        else:
            name_kk, name_ru = _names(name[: match.start()])
            if match["remark"] == "observed":
                name_kk, name_ru = (
                    f"Ауыстырылған демалыс күні: {name_kk}",
                    f"Перенесённый выходной: {name_ru}",
                )
            estimate = match["remark"] == "estimated"
            yield OfficialDay(day, False, name_kk, name_ru, source=LIST_SOURCE, is_estimate=estimate)


def _names(name: str) -> tuple[str, str]:
    if name not in NAMES:
        raise UnknownHolidayError(name)
    return NAMES[name]


def _transfer(working: date, day_off: date, *, source: str) -> tuple[OfficialDay, OfficialDay]:
    return (
        OfficialDay(
            day_off,
            False,
            f"Демалыс күні. Ауыстырылған күні: {working:%d.%m.%Y}",
            f"Выходной день, перенесён с {working:%d.%m.%Y}",
            source,
        ),
        OfficialDay(
            working,
            True,
            f"Жұмыс күні. Оның орнына демалыс: {day_off:%d.%m.%Y}",
            f"Рабочий день вместо {day_off:%d.%m.%Y}",
            source,
        ),
    )
