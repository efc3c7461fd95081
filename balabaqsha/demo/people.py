"""Synthetic people: names as the registry writes them, and identifiers with valid check digits. No real person."""

import random
from datetime import date
from typing import NamedTuple

from accounts.iin import check_digit
from accounts.models import Sex

SURNAMES = (
    "АБДРАХМАНОВ", "АБИШЕВ", "АЙТБАЕВ", "АЛИМОВ", "АМАНОВ", "АСАНОВ", "АХМЕТОВ", "БАЙЖАНОВ", "БАЙТУРСЫНОВ",
    "БЕКМУХАНОВ", "БЕЙСЕНОВ", "ДӘУЛЕТОВ", "ДОСАНОВ", "ЕРГЕШОВ", "ЕСЕНОВ", "ЖАҚСЫБАЕВ", "ЖАНДОСОВ", "ЖҮНІСОВ",
    "ИБРАГИМОВ", "ИСАЕВ", "ҚАЛИЕВ", "ҚАСЫМОВ", "ҚОЖАХМЕТОВ", "ҚҰРМАНОВ", "МАХМҰТОВ", "МЫРЗАЕВ", "НАЗАРОВ",
    "НҰРЛАНОВ", "ОМАРОВ", "ОРАЗБАЕВ", "ӨТЕГЕНОВ", "РАХЫМОВ", "РҮСТЕМОВ", "САДЫҚОВ", "СЕРІКБАЕВ", "СМАҒҰЛОВ",
    "СҮЛЕЙМЕНОВ", "ТӘЖІБАЕВ", "ТҰРСЫНОВ", "ҰЛЫҚБЕКОВ", "ХАМИТОВ", "ШӘРІПОВ", "ЮНУСОВ", "ЯКУБОВ",
)  # fmt: skip
MALE_NAMES = (
    "АЗАМАТ", "АЙДОС", "АЛИХАН", "АРМАН", "АСҚАР", "БАУЫРЖАН", "БЕКЗАТ", "ДАНИЯР", "ДӘУРЕН", "ЕРЖАН", "ЕРЛАН",
    "ЖАНДОС", "ЖАСҰЛАН", "ИСЛАМ", "ҚАЙРАТ", "ҚУАНЫШ", "МАДИ", "МАҚСАТ", "МҰРАТ", "НҰРЖАН", "НҰРСҰЛТАН",
    "ОЛЖАС", "РУСЛАН", "САНЖАР", "СЕРІК", "ТАЛҒАТ", "ТИМУР", "ХАМЗА", "ШЫҢҒЫС", "ӘЛІШЕР",
)  # fmt: skip
FEMALE_NAMES = (
    "АЙГЕРІМ", "АЙНҰР", "АҚМАРАЛ", "АЛИНА", "АМИНА", "АРУЖАН", "ӘСЕЛ", "БАЯН", "БОТАГӨЗ", "ГҮЛДАНА", "ГҮЛНАР",
    "ДАНА", "ДИНАРА", "ЖАНАР", "ЖІБЕК", "ЗАРИНА", "ЗЕРЕ", "ИНЖУ", "КӘМИЛА", "ҚАРЛЫҒАШ", "ЛӘЗЗАТ", "МАДИНА",
    "МӨЛДІР", "НАЗЕРКЕ", "НҰРАЙ", "РАЯНА", "САБИНА", "СӘУЛЕ", "ТОМИРИС", "ШОЛПАН",
)  # fmt: skip
STREETS = (
    "Абай",
    "Жібек жолы",
    "Тәуке хан",
    "Қазыбек би",
    "Ерубаев",
    "Байбұрт",
    "Сыздық төре",
    "Қонаев",
    "Төле би",
)


class Someone(NamedTuple):
    iin: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: Sex


class People:
    """An endless, reproducible supply of different people, none of whom has an IIN of `taken`."""

    def __init__(self, chance: random.Random, *, taken: set[str]) -> None:
        self._chance = chance
        self._taken = set(taken)

    def adult(self, *, today: date) -> Someone:
        """A parent between about 22 and 45 years of age."""
        sex = self._chance.choices((Sex.FEMALE, Sex.MALE), weights=(7, 3))[0]
        born = date.fromordinal(today.toordinal() - self._chance.randrange(22 * 365, 45 * 365))
        return self._someone(
            born, sex, surname=self._chance.choice(SURNAMES), father=self._chance.choice(MALE_NAMES)
        )

    def child(self, parent: Someone, *, birth_date: date) -> Someone:
        """A child of `parent`, with the family's surname."""
        sex = self._chance.choice((Sex.FEMALE, Sex.MALE))
        father = parent.first_name if parent.sex == Sex.MALE else self._chance.choice(MALE_NAMES)
        surname = parent.last_name.removesuffix("А") if parent.sex == Sex.FEMALE else parent.last_name
        return self._someone(birth_date, sex, surname=surname, father=father)

    def _someone(self, born: date, sex: Sex, *, surname: str, father: str) -> Someone:
        female = sex == Sex.FEMALE
        return Someone(
            iin=self._iin(born, sex),
            last_name=surname + "А" if female else surname,
            first_name=self._chance.choice(FEMALE_NAMES if female else MALE_NAMES),
            middle_name=father + ("ҚЫЗЫ" if female else "ҰЛЫ"),
            birth_date=born,
            sex=sex,
        )

    def _iin(self, born: date, sex: Sex) -> str:
        century = (3 if born.year < 2000 else 5) + (sex == Sex.FEMALE)
        while True:
            stem = f"{born:%y%m%d}{century}{self._chance.randrange(10_000):04}"
            digit = check_digit(stem)
            if digit is None or (iin := f"{stem}{digit}") in self._taken:
                continue
            self._taken.add(iin)
            return iin
