"""The demo city's localities, kindergartens and groups: what is written here is what the catalogue shows."""

from dataclasses import dataclass

from bulletin.models import AgeGroup, Group, Kindergarten, Language

_Ownership, _Type, _Regime = Kindergarten.Ownership, Kindergarten.Type, Group.Regime


# How many years ago the children of a group were born.
AGES = {
    AgeGroup.EARLY: (1,),
    AgeGroup.FIRST_JUNIOR: (2,),
    AgeGroup.SECOND_JUNIOR: (3,),
    AgeGroup.MIDDLE: (4,),
    AgeGroup.SENIOR: (5,),
    AgeGroup.MIXED: (3, 4, 5),
}


@dataclass(frozen=True)
class Place:
    """A locality; `share` is its part of the waiting families, of 100."""

    slug: str
    kk: str
    ru: str
    share: int
    prefix: str


# `prefix`: the village's own part of a phone number, so that numbers look alike within a place.
PLACES = (
    Place("turkistan", "Түркістан қ.", "г. Туркестан", 62, "725333"),
    Place("kentau", "Кентау қ.", "г. Кентау", 17, "725363"),
    Place("eski-ikan", "Ескі Иқан ауылы", "село Старый Икан", 8, "725337"),
    Place("karashyk", "Қарашық ауылы", "село Карашик", 6, "725338"),
    Place("shornak", "Шорнақ ауылы", "село Шорнак", 4, "725339"),
    Place("babaikorgan", "Бабайқорған ауылы", "село Бабайкорган", 3, "725340"),
)


@dataclass(frozen=True)
class GroupPlan:
    name: str
    age_group: AgeGroup
    language: Language = Language.KAZAKH
    capacity: int = 25
    regime: Group.Regime = _Regime.DAY


@dataclass(frozen=True)
class KindergartenPlan:
    slug: str
    place: str
    kk: str
    ru: str
    ownership: Kindergarten.Ownership
    type: Kindergarten.Type
    street_kk: str
    street_ru: str
    head: str
    groups: tuple[GroupPlan, ...]


# Groups as they are usually named, by age; a kindergarten takes the n-th of each.
_KAZAKH = {
    AgeGroup.EARLY: ("Ботақан", "Қошақан", "Бөпешік", "Лақтар"),
    AgeGroup.FIRST_JUNIOR: ("Балапан", "Құлыншақ", "Еркетай", "Айналайын"),
    AgeGroup.SECOND_JUNIOR: ("Күншуақ", "Бәйшешек", "Қызғалдақ", "Қарлығаш"),
    AgeGroup.MIDDLE: ("Айгөлек", "Шаттық", "Балдырған", "Көбелек"),
    AgeGroup.SENIOR: ("Тұлпар", "Алтын сақа", "Самұрық", "Қыран"),
    AgeGroup.MIXED: ("Достық", "Бауырлар", "Тату көршілер", "Бірлік"),
}
_RUSSIAN = {
    AgeGroup.EARLY: ("Малютка", "Крошки", "Гномики", "Топтыжка"),
    AgeGroup.FIRST_JUNIOR: ("Ромашка", "Капелька", "Цыплята", "Пчёлки"),
    AgeGroup.SECOND_JUNIOR: ("Колокольчик", "Теремок", "Звёздочки", "Светлячок"),
    AgeGroup.MIDDLE: ("Радуга", "Почемучки", "Лучик", "Кораблик"),
    AgeGroup.SENIOR: ("Знайки", "Непоседы", "Алые паруса", "Умка"),
    AgeGroup.MIXED: ("Дружба", "Семья", "Соседи", "Вместе"),
}
_UZBEK = {
    AgeGroup.FIRST_JUNIOR: ("Лола", "Чинор", "Булбулча", "Лола"),
    AgeGroup.SECOND_JUNIOR: ("Наврўз", "Қалдирғоч", "Юлдузча", "Наврўз"),
    AgeGroup.MIDDLE: ("Бахор", "Камалак", "Қуёшча", "Бахор"),
    AgeGroup.SENIOR: ("Билимдон", "Алпомиш", "Зукко", "Билимдон"),
}
_NAMES = {Language.KAZAKH: _KAZAKH, Language.RUSSIAN: _RUSSIAN, Language.UZBEK: _UZBEK}

_JUNIORS = (AgeGroup.FIRST_JUNIOR, AgeGroup.SECOND_JUNIOR)
_OLDER = (AgeGroup.MIDDLE, AgeGroup.SENIOR)
_ALL_AGES = (AgeGroup.EARLY, *_JUNIORS, *_OLDER)


def _groups(
    language: Language,
    ages: tuple[AgeGroup, ...],
    *,
    variant: int = 0,
    capacity: int = 25,
    regime: Group.Regime = _Regime.DAY,
) -> tuple[GroupPlan, ...]:
    names = _NAMES[language]
    return tuple(GroupPlan(names[age][variant % 4], age, language, capacity, regime) for age in ages)


def _kazakh(ages: tuple[AgeGroup, ...] = _ALL_AGES, **options: int) -> tuple[GroupPlan, ...]:
    return _groups(
        Language.KAZAKH, ages, variant=options.get("variant", 0), capacity=options.get("capacity", 25)
    )


def _russian(ages: tuple[AgeGroup, ...] = _ALL_AGES, **options: int) -> tuple[GroupPlan, ...]:
    return _groups(
        Language.RUSSIAN, ages, variant=options.get("variant", 0), capacity=options.get("capacity", 25)
    )


def _uzbek(ages: tuple[AgeGroup, ...] = (*_JUNIORS, *_OLDER), *, variant: int = 0) -> tuple[GroupPlan, ...]:
    return _groups(Language.UZBEK, ages, variant=variant)


def _state(
    slug: str,
    place: str,
    kk: str,
    ru: str,
    street: tuple[str, str],
    head: str,
    *groups: tuple[GroupPlan, ...],
) -> KindergartenPlan:
    return KindergartenPlan(
        slug,
        place,
        f"МКҚК «{kk}» бөбекжай-балабақшасы",
        f"ГККП ясли-сад «{ru}»",
        _Ownership.STATE,
        _Type.NURSERY,
        *street,
        head,
        sum(groups, ()),
    )


def _private(
    slug: str,
    place: str,
    kk: str,
    ru: str,
    street: tuple[str, str],
    head: str,
    *groups: tuple[GroupPlan, ...],
) -> KindergartenPlan:
    return KindergartenPlan(
        slug,
        place,
        f"ЖМ «{kk}» балабақшасы",
        f"Частный детский сад «{ru}»",
        _Ownership.PRIVATE,
        _Type.KINDERGARTEN,
        *street,
        head,
        sum(groups, ()),
    )


def _street(kk: str, ru: str, house: str) -> tuple[str, str]:
    return f"{kk} көшесі, {house}", f"ул. {ru}, {house}"


AMINA = KindergartenPlan(
    "amina",
    "turkistan",
    "ЖМ «Амина балабақшасы»",
    "Частный детский сад «Амина»",
    _Ownership.PRIVATE,
    _Type.KINDERGARTEN,
    "Білқожа аға көшесі, 134",
    "ул. Билкожа ага, 134",
    "Дүйсенова Мөлдір Умаровна",
    (
        GroupPlan("Солнце", AgeGroup.FIRST_JUNIOR, Language.RUSSIAN),
        GroupPlan("Радуга", AgeGroup.MIDDLE, Language.RUSSIAN),
        GroupPlan("Ботақан", AgeGroup.EARLY, Language.KAZAKH, 20),
        GroupPlan("Балапан", AgeGroup.FIRST_JUNIOR),
        GroupPlan("Күншуақ", AgeGroup.SECOND_JUNIOR),
    ),
)
ALIYA = _state(
    "aliya", "turkistan", "Әлия", "Алия", _street("Әлия Молдағұлова", "Алии Молдагуловой", "17"),
    "Сейтқазиева Гүлмира Бақытқызы",
    (GroupPlan("№1 «Балапан» тобы", AgeGroup.SECOND_JUNIOR),),
    _kazakh((AgeGroup.EARLY, AgeGroup.FIRST_JUNIOR, *_OLDER), variant=1),
)  # fmt: skip
KHANZADA = _private(
    "khanzada", "turkistan", "Ханзада", "Ханзада", _street("Есімхан", "Есимхана", "42"),
    "Төлегенова Айнұр Серікқызы",
    (GroupPlan("Ақбөбек тобы", AgeGroup.SECOND_JUNIOR),),
    _kazakh((AgeGroup.FIRST_JUNIOR, AgeGroup.MIDDLE), variant=2),
    _russian((AgeGroup.EARLY, AgeGroup.MIDDLE), variant=2),
)  # fmt: skip
KEREMET = KindergartenPlan(
    "keremet",
    "turkistan",
    "«Керемет» бастауыш мектеп-балабақша кешені ЖШС",
    "ТОО комплекс «начальная школа – детский сад» «Керемет»",
    _Ownership.PRIVATE,
    _Type.SCHOOL_COMPLEX,
    "Тәуке хан даңғылы, 210",
    "пр. Тауке хана, 210",
    "Омарова Салтанат Ерланқызы",
    (
        GroupPlan("Ертөстік", AgeGroup.MIDDLE),
        GroupPlan("Самұрық", AgeGroup.SENIOR),
        GroupPlan("Алые паруса", AgeGroup.SENIOR, Language.RUSSIAN),
    ),
)
BALPAN = _state(
    "balpan", "turkistan", "Балпан", "Балпан", _street("Ерубаев", "Ерубаева", "88"),
    "Жүнісова Роза Әбдіқызы",
    (
        GroupPlan("Жұлдызша", AgeGroup.SECOND_JUNIOR),
        GroupPlan("Ақжелек", AgeGroup.SECOND_JUNIOR),
        GroupPlan("Балбөбек", AgeGroup.MIDDLE),
    ),
    _kazakh((AgeGroup.EARLY, AgeGroup.FIRST_JUNIOR, AgeGroup.SENIOR), variant=3),
    _russian((AgeGroup.FIRST_JUNIOR,), variant=3),
)  # fmt: skip

_SANATORIUM = KindergartenPlan(
    "shipager", "turkistan",
    "«Шипагер» санаторлық балабақшасы", "Санаторный детский сад «Шипагер»",
    _Ownership.STATE, _Type.SANATORIUM,
    *_street("Байбұрт", "Байбурт", "5"), "Қалиева Зәуре Махмұтқызы",
    _groups(Language.KAZAKH, (*_JUNIORS, *_OLDER), variant=1, capacity=15, regime=_Regime.ROUND_THE_CLOCK),
)  # fmt: skip
_SPECIAL = KindergartenPlan(
    "umit", "turkistan",
    "«Үміт» арнайы (түзету) балабақшасы", "Специальный (коррекционный) детский сад «Үміт»",
    _Ownership.STATE, _Type.SPECIAL,
    *_street("Некрасов", "Некрасова", "31"), "Рахымбаева Ләззат Нұрланқызы",
    _groups(Language.KAZAKH, (AgeGroup.SECOND_JUNIOR, AgeGroup.MIDDLE), variant=2, capacity=12)
    + _groups(Language.RUSSIAN, (AgeGroup.MIXED,), variant=2, capacity=12, regime=_Regime.ROUND_THE_CLOCK),
)  # fmt: skip
_DEPARTMENTAL = KindergartenPlan(
    "temirzholshy", "turkistan",
    "«Теміржолшы» ведомстволық бөбекжай-балабақшасы", "Ведомственный ясли-сад «Теміржолшы»",
    _Ownership.DEPARTMENTAL, _Type.NURSERY,
    *_street("Вокзал маңы", "Привокзальная", "3"), "Иванова Наталья Петровна",
    _russian((AgeGroup.EARLY, *_JUNIORS, AgeGroup.SENIOR), variant=1) + _kazakh(_JUNIORS, variant=3),
)  # fmt: skip


def _mini(
    slug: str, place: str, kk: str, ru: str, street: tuple[str, str], head: str, variant: int
) -> KindergartenPlan:
    return KindergartenPlan(
        slug, place,
        f"«{kk}» шағын орталығы", f"Мини-центр «{ru}»",
        _Ownership.STATE, _Type.MINI_CENTRE, *street, head,
        _groups(Language.KAZAKH, (AgeGroup.MIXED,), variant=variant, regime=_Regime.PART_DAY)
        + _groups(Language.KAZAKH, (AgeGroup.SENIOR,), variant=variant, regime=_Regime.PART_DAY),
    )  # fmt: skip


KINDERGARTENS: tuple[KindergartenPlan, ...] = (
    AMINA,
    ALIYA,
    KHANZADA,
    KEREMET,
    BALPAN,
    _SANATORIUM,
    _SPECIAL,
    _DEPARTMENTAL,
    _state("kunshuak", "turkistan", "Күншуақ", "Куншуак", _street("Абай", "Абая", "112"),
           "Ақбердиева Шолпан Оразқызы", _kazakh(), _russian(_JUNIORS)),
    _state("nurly-zhol", "turkistan", "Нұрлы жол", "Нурлы жол", _street("Сыздық төре", "Сыздык торе", "9"),
           "Тұрсынова Гүлнар Айтқызы", _kazakh(variant=2)),
    _state("azret-sultan", "turkistan", "Әзірет Сұлтан", "Азрет Султан",
           _street("Қожа Ахмет Ясауи", "Ходжи Ахмеда Ясави", "64"),
           "Мырзаева Баян Қуанышқызы",
           _kazakh(variant=1), _russian((AgeGroup.FIRST_JUNIOR, AgeGroup.MIDDLE), variant=1)),
    _state("karlygash", "turkistan", "Қарлығаш", "Карлыгаш", _street("Жібек жолы", "Жибек жолы", "150"),
           "Бекжанова Мәдина Сапарқызы",
           _kazakh(variant=3), _russian((AgeGroup.EARLY, AgeGroup.SENIOR), variant=3)),
    _state("botakan", "turkistan", "Ботақан", "Ботакан",
           _street("Тоқтар Әубәкіров", "Тохтара Аубакирова", "21"),
           "Сапарова Жанар Мұратқызы", _kazakh((AgeGroup.EARLY, *_JUNIORS), variant=0)),
    _state("aigolek", "turkistan", "Айгөлек", "Айголек", _street("Б. Саттарханов", "Б. Саттарханова", "77"),
           "Нұрмағанбетова Әсем Талғатқызы", _kazakh(variant=1)),
    _state("shattyk", "turkistan", "Шаттық", "Шаттык", _street("Қазыбек би", "Казыбек би", "36"),
           "Есенова Клара Жақсылыққызы", _kazakh((*_JUNIORS, *_OLDER), variant=2), _uzbek(variant=1)),
    _private("solnyshko", "turkistan", "Солнышко", "Солнышко",
             _street("Кентау тас жолы", "Кентауская трасса", "12"),
             "Ким Светлана Владимировна", _russian(variant=2)),
    _private("zhanuya", "turkistan", "Жанұя", "Жануя", _street("Назарбаев", "Назарбаева", "205"),
             "Әлімбекова Динара Асқарқызы",
             _kazakh(variant=0), _russian((AgeGroup.SECOND_JUNIOR,), variant=0)),
    _private("akniet", "turkistan", "Ақниет", "Акниет",
             _street("Бекзат Саттарханов", "Бекзата Саттарханова", "18"),
             "Тәжібаева Индира Болатқызы", _kazakh((AgeGroup.EARLY, *_JUNIORS), variant=2)),
    _private("bolashak", "turkistan", "Болашақ", "Болашак", _street("Қонаев", "Кунаева", "54"),
             "Серікбаева Ақмарал Дәуренқызы", _kazakh((*_JUNIORS, AgeGroup.MIDDLE), variant=3)),
    _private("umai-ana", "turkistan", "Ұмай ана", "Умай ана",
             _street("Түркістан айналмасы", "Туркестанская кольцевая", "7"),
             "Исмаилова Фарида Рустамқызы", _kazakh(_JUNIORS, variant=1), _uzbek(_JUNIORS, variant=2)),
    _private("teremok", "turkistan", "Теремок", "Теремок", _street("Пушкин", "Пушкина", "26"),
             "Ли Марина Олеговна", _russian((AgeGroup.EARLY, *_JUNIORS, AgeGroup.MIDDLE), variant=3)),
    _private("merei", "turkistan", "Мерей", "Мерей", _street("Мұхтар Әуезов", "Мухтара Ауэзова", "61"),
             "Оспанова Айжан Ермекқызы", _kazakh((AgeGroup.FIRST_JUNIOR, *_OLDER), variant=0)),
    _state("balbulak", "kentau", "Балбұлақ", "Балбулак", _street("Яссауи", "Ясави", "40"),
           "Қожабекова Нұргүл Шынболқызы", _kazakh(variant=0), _russian(variant=1)),
    _state("kenshi", "kentau", "Кенші", "Кенши", _street("Панфилов", "Панфилова", "11"),
           "Петренко Ольга Ивановна", _russian((*_JUNIORS, *_OLDER), variant=0),
           _kazakh(_JUNIORS, variant=2)),
    _private("aruzhan", "kentau", "Аружан", "Аружан", _street("Төле би", "Толе би", "8"),
             "Дәулетова Сәуле Ғалымқызы", _kazakh((AgeGroup.EARLY, *_JUNIORS), variant=3)),
    _private("raduga-kentau", "kentau", "Кемпірқосақ", "Радуга", _street("Уәлиханов", "Валиханова", "15"),
             "Шевченко Анна Сергеевна", _russian((AgeGroup.EARLY, AgeGroup.MIDDLE), variant=2)),
    _mini("kentau-orken", "kentau", "Өркен", "Оркен",
          _street("Гагарин", "Гагарина", "2"), "Үсенова Қарлығаш Әлиқызы", 0),
    _state("ikan-nuri", "eski-ikan", "Иқан нұры", "Икан нуры",
           _street("Мұхаммед Хайдар Дулати", "Мухаммеда Хайдара Дулати", "33"),
           "Юнусова Мавлуда Садыққызы", _kazakh((*_JUNIORS, *_OLDER), variant=1), _uzbek(variant=0)),
    _private("lola", "eski-ikan", "Лола", "Лола", _street("Навои", "Навои", "19"),
             "Абдуллаева Гулчехра Мирзаевна", _uzbek(variant=1)),
    _state("karashyk-balapan", "karashyk", "Балапан", "Балапан", _street("Амангелді", "Амангельды", "14"),
           "Тоқсанбаева Ұлжан Рысбекқызы", _kazakh(variant=2), _uzbek(_JUNIORS, variant=2)),
    _mini("karashyk-zhuldyz", "karashyk", "Жұлдыз", "Жулдыз",
          _street("Бейбітшілік", "Мира", "4"), "Аманова Зейнеп Қайратқызы", 1),
    _state("shornak-akbota", "shornak", "Ақбота", "Акбота", _street("Қажымұқан", "Кажымукана", "27"),
           "Құлымбетова Райхан Жұмабайқызы", _kazakh(variant=3)),
    _mini("shornak-erke", "shornak", "Еркем-ай", "Еркем-ай",
          _street("Жамбыл", "Жамбыла", "6"), "Мәуленова Бибігүл Өмірқызы", 2),
    _state("babaikorgan-gulder", "babaikorgan", "Гүлдер", "Гулдер",
           _street("Бабай қорған", "Бабай коргана", "22"),
           "Сәрсенова Күлән Төлегенқызы", _kazakh((AgeGroup.EARLY, *_JUNIORS, *_OLDER), variant=0)),
    _mini("babaikorgan-kausar", "babaikorgan", "Кәусар", "Каусар",
          _street("Бірлік", "Бирлик", "1"), "Жаппарова Меруерт Ниязқызы", 3),
)  # fmt: skip
