"""The people of the simulated registry: the same at every start; the children of today's families grow with the years.

The manual's family comes first. Then come a mother with a document number and no IIN, a woman with no children, forty
families, valid IINs that belong to nobody, and IINs for which the registry is "down".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from accounts.iin import check_digit
from accounts.registry.base import Person

# Valid, and nobody's; the first two pass only by the second row of weights.
UNKNOWN_IINS: Final = ("170720600806", "940225301801", "880101300010")
# Valid; asking for an adult or a child with one of them finds the registry down.
UNAVAILABLE_IINS: Final = ("900101300007", "200101500003")

MANUAL_PARENT_IIN: Final = "940225300009"
MANUAL_PARENT_PHONE: Final = "+77017779876"
MANUAL_CHILD_IIN: Final = "170720600007"
FOREIGN_MOTHER_DOCUMENT: Final = "AC2147093"

SURNAMES: Final = (
    "АХМЕТОВ", "ӘБДІҚАДЫРОВ", "БЕКТҰРҒАНОВ", "ҒАББАСОВ", "ДОСЫМОВ", "ЕРҒАЛИЕВ", "ЖҮНІСОВ", "ЗҰЛПЫХАРОВ",
    "ЫСҚАҚОВ", "КӨПЖАСАРОВ", "ҚАЛДЫБЕКОВ", "ҚҰРБАНОВ", "МҰСАЕВ", "НҰРҒОЖИН", "ОРАЗБАЕВ", "ӨТЕГЕНОВ",
    "ПЕРНЕБЕКОВ", "РҮСТЕМОВ", "САПАРҒАЛИЕВ", "ТӨЛЕГЕНОВ", "ҰЗАҚБАЕВ", "ҮСЕНОВ", "ШӘКІРОВ", "ІЗТІЛЕУОВ",
    "ЮСУПОВ",
)  # fmt: skip
MEN: Final = ("АСҚАР", "БАҒДАТ", "ДӘУРЕН", "ЕРЛАН", "ЖАНДОС", "ҚАЙРАТ", "МҰРАТ", "НҰРЛАН", "СӘКЕН", "ТІМУР")
WOMEN: Final = (
    "АЙГҮЛ",
    "ӘСЕЛ",
    "БОТАГӨЗ",
    "ГҮЛНҰР",
    "ДИНАРА",
    "ЖАНАР",
    "ЛӘЗЗАТ",
    "МӨЛДІР",
    "САЛТАНАТ",
    "ШЫНАР",
)
BOYS: Final = ("АЛДИЯР", "ӘЛИХАН", "ЕРАСЫЛ", "НҰРӘЛІ", "САНЖАР", "ИСЛАМ")
GIRLS: Final = ("АЙЛИН", "ӘМИНА", "ЖАНЕЛЬ", "МЕДИНА", "РАЯНА", "ІҢКӘР")
GRANDFATHERS: Final = ("БОЛАТ", "СЕРІК", "ТАЛҒАТ", "МАРАТ", "ӨМІРБЕК", "ҒАНИ", "ІЛИЯС")
FAMILIES: Final = 40


@dataclass(frozen=True)
class SimulatedPerson:
    """An adult, their phone in the base of mobile citizens, and the children they are a guardian of."""

    person: Person
    phone: str
    wards: list[Person] = field(default_factory=list)


def everyone(*, today: date) -> list[SimulatedPerson]:
    """All adults of the registry. Children's birth years depend on the year of `today`, nothing else does."""
    return list(_everyone(today.year))


@lru_cache(maxsize=4)
def _everyone(year: int) -> tuple[SimulatedPerson, ...]:
    return tuple(_people(year))


def _people(year: int) -> Iterator[SimulatedPerson]:
    yield from _manual_family(year)
    yield _foreign_mother(year)
    alone = _adult("САТЫБАЛДИЕВА", "ЖІБЕК", "ҒАНИҚЫЗЫ", date(1990, 9, 14), "f", serial=7100)
    yield SimulatedPerson(alone, _phone(7100))
    for number in range(FAMILIES):
        yield from _family(number, year)


def _manual_family(year: int) -> Iterator[SimulatedPerson]:
    """Ermek Kamenov of the manual with his daughter, three younger children, and their mother."""
    children = [
        Person(MANUAL_CHILD_IIN, "", "КАМЕНОВА", "ДАНИЯ", "ЕРМЕКОВНА", date(2017, 7, 20), "f"),
        _child("КАМЕНОВ", "ӘЛІ", "ЕРМЕКҰЛЫ", date(year - 4, 1, 9), "m", serial=7001),
        _child("КАМЕНОВА", "ІҢКӘР", "ЕРМЕКҚЫЗЫ", date(year - 2, 1, 8), "f", serial=7002),
        _child("КАМЕНОВ", "НҰРАСЫЛ", "ЕРМЕКҰЛЫ", date(year - 1, 1, 7), "m", serial=7003),
    ]
    father = Person(MANUAL_PARENT_IIN, "N15036421", "КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", date(1994, 2, 25), "m")
    yield SimulatedPerson(father, MANUAL_PARENT_PHONE, children)
    mother = _adult("КАМЕНОВА", "ГҮЛЖАН", "БОЛАТҚЫЗЫ", date(1995, 5, 11), "f", serial=7004)
    yield SimulatedPerson(mother, _phone(7004), children)


def _foreign_mother(year: int) -> SimulatedPerson:
    """A citizen of another state: no IIN, so she registers with the number of her document."""
    mother = Person("", FOREIGN_MOTHER_DOCUMENT, "КАРИМОВА", "НИЛУФАР", "", date(1993, 11, 2), "f")
    return SimulatedPerson(
        mother,
        _phone(7200),
        [
            _child("КАРИМОВ", "АМИР", "РУСТАМҰЛЫ", date(year - 3, 2, 3), "m", serial=7201),
            _child("КАРИМОВА", "САБИНА", "РУСТАМҚЫЗЫ", date(year - 2, 3, 12), "f", serial=7202),
        ],
    )


def _family(number: int, year: int) -> Iterator[SimulatedPerson]:
    """A mother and a father, both guardians of their one to three children aged one to five."""
    surname = SURNAMES[number % len(SURNAMES)]
    serial = 10 * number
    father = _adult(
        surname,
        MEN[number * 3 % len(MEN)],
        f"{GRANDFATHERS[number % len(GRANDFATHERS)]}ҰЛЫ",
        date(1984 + number % 13, number % 12 + 1, number % 28 + 1),
        "m",
        serial=serial + 1,
    )
    mother = _adult(
        f"{surname}А",
        WOMEN[number * 7 % len(WOMEN)],
        f"{GRANDFATHERS[number * 5 % len(GRANDFATHERS)]}ҚЫЗЫ",
        date(1986 + number % 12, number * 5 % 12 + 1, number * 11 % 28 + 1),
        "f",
        serial=serial + 2,
    )
    children = [_nth_child(father, place, number=number, year=year) for place in range(number % 3 + 1)]
    yield SimulatedPerson(mother, _phone(serial + 2), children)
    yield SimulatedPerson(father, _phone(serial + 1), children)


def _nth_child(father: Person, place: int, *, number: int, year: int) -> Person:
    is_girl = (number + place) % 2 == 0
    names = GIRLS if is_girl else BOYS
    years_old = 1 + (number + 2 * place) % 5
    return _child(
        f"{father.last_name}А" if is_girl else father.last_name,
        names[(number + 2 * place) % len(names)],
        f"{father.first_name}{'ҚЫЗЫ' if is_girl else 'ҰЛЫ'}",
        date(year - years_old, (number * 7 + place * 3) % 6 + 1, (number * 3 + place) % 28 + 1),
        "f" if is_girl else "m",
        serial=10 * number + 3 + place,
    )


def _adult(last: str, first: str, middle: str, born: date, sex: str, *, serial: int) -> Person:
    document = f"N{15_000_000 + serial * 137:08d}"
    return Person(_iin(born, sex, serial), document, last, first, middle, born, sex)


def _child(last: str, first: str, middle: str, born: date, sex: str, *, serial: int) -> Person:
    return Person(_iin(born, sex, serial), "", last, first, middle, born, sex)


def _phone(serial: int) -> str:
    return f"+7705{serial:07d}"


def _iin(born: date, sex: str, serial: int) -> str:
    """The first valid IIN for this birth date and sex from `serial` on."""
    century = {19: 3, 20: 5}[born.year // 100] + (sex == "f")
    while True:
        stem = f"{born:%y%m%d}{century}{serial:04d}"
        digit = check_digit(stem)
        if digit is not None:
            return f"{stem}{digit}"
        serial += 2000
