"""What the demo city's kindergartens tell of themselves, all of it made up, and photos that are drawn."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Final

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from accounts.models import User
from accounts.safe_copy import FileType
from accounts.uploads import random_name
from balabaqsha.demo.places import KINDERGARTENS
from bulletin.models import Kindergarten, KindergartenProfile, Photo

_Payer = KindergartenProfile.Payer
LARGE: Final = (1200, 900)
# The middle of each place, to which its kindergartens lie near.
CENTRES: Final = {
    "turkistan": ("43.2973", "68.2517"),
    "kentau": ("43.5166", "68.5103"),
    "eski-ikan": ("43.1830", "68.5260"),
    "karashyk": ("43.3570", "68.1640"),
    "shornak": ("43.4410", "68.0330"),
    "babaikorgan": ("43.6230", "68.0870"),
}
ABOUT: Final = (
    (
        "Ауласы жасыл, әр топтың өз ойын алаңы бар. Күн сайын музыка мен дене шынықтыру сабақтары өтеді.",
        "Зелёный двор, у каждой группы своя площадка. Каждый день музыка и физкультура.",
    ),
    (
        "Балабақша 2016 жылы ашылған. Бассейн, шағын кітапхана және шахмат үйірмесі жұмыс істейді.",
        "Детский сад открыт в 2016 году. Есть бассейн, небольшая библиотека и кружок шахмат.",
    ),
    (
        "Тәрбиешілер балаларды мектепке дайындайды, ата-аналар айына бір рет ашық сабаққа келеді.",
        "Воспитатели готовят детей к школе, родители раз в месяц приходят на открытое занятие.",
    ),
)
FOOD: Final = (
    (
        "Күніне төрт рет: таңғы ас, түскі ас, бесін ас, кешкі ас. Аллергиясы бар балаларға бөлек мәзір.",
        "Четыре раза в день: завтрак, обед, полдник, ужин. Детям с аллергией готовят отдельно.",
    ),
    ("Күніне үш рет, өз асханасынан.", "Три раза в день, из своей кухни."),
)
ACCESS: Final = (
    ("Кіреберісте пандус, есіктері кең.", "Пандус у входа, широкие двери."),
    ("Бір қабатты ғимарат, табалдырығы жоқ.", "Одноэтажное здание без порогов."),
)
SPECIAL: Final = (
    ("Логопед аптасына үш рет жұмыс істейді.", "Логопед работает три раза в неделю."),
    ("Психолог пен логопед; түзету тобы бар.", "Психолог и логопед; есть коррекционная группа."),
)
SCENES: Final = (
    ("Аула мен ойын алаңы", "Двор и площадка"),
    ("Топ бөлмесі", "Комната группы"),
    ("Музыка залы", "Музыкальный зал"),
)
# Colours of what is drawn: sky, ground, walls, roof.
_PALETTES: Final = (
    ("#bfe6f5", "#8fc98a", "#fff3d6", "#d9603b"),
    ("#d8ecff", "#a7d489", "#ffe1e1", "#5b7fc4"),
    ("#fdebc8", "#c4d98b", "#e6f0ff", "#8a5bb0"),
)


def write(*, now: datetime, official: User) -> None:
    """Pages of all kindergartens but every seventh, which has told nothing yet; few of the others tell everything."""
    kindergartens = {one.slug: one for one in Kindergarten.objects.select_related("locality")}
    for number, plan in enumerate(KINDERGARTENS):
        kindergarten = kindergartens[plan.slug]
        _place(kindergarten, number)
        if number % 7 == 6:
            continue
        _profile(kindergarten, number, confirmed_at=now - timedelta(days=20 + number)).save()
        for scene in range(len(SCENES) if number % 3 else 2):
            _photo(kindergarten, number, scene, official=official, now=now)


def _place(kindergarten: Kindergarten, number: int) -> None:
    """Somewhere within a kilometre or two of the middle of its place."""
    north, east = map(Decimal, CENTRES[kindergarten.locality.slug])
    kindergarten.latitude = north + Decimal(number * 37 % 21 - 10) / 1000
    kindergarten.longitude = east + Decimal(number * 53 % 25 - 12) / 1000
    kindergarten.save(update_fields=["latitude", "longitude"])


def _profile(kindergarten: Kindergarten, number: int, *, confirmed_at: datetime) -> KindergartenProfile:
    is_private = kindergarten.ownership == Kindergarten.Ownership.PRIVATE
    is_free = kindergarten.type in (Kindergarten.Type.SANATORIUM, Kindergarten.Type.SPECIAL)
    food, about = FOOD[number % len(FOOD)], ABOUT[number % len(ABOUT)]
    page = KindergartenProfile(
        kindergarten=kindergarten,
        confirmed_at=confirmed_at,
        about_kk=about[0],
        about_ru=about[1],
        day_begins=time(7, 30) if number % 2 else time(8),
        day_ends=time(18, 30) if is_private else time(18),
        food_kk=food[0],
        food_ru=food[1],
        licence=f"№ KZ{10 + number}LAA{24000 + 137 * number}, {1 + number % 28:02d}.08.2018",
    )
    if number % 5 != 4:
        page.fee = (
            0 if is_free else 45_000 + 2_500 * (number % 6) if is_private else 14_000 + 500 * (number % 5)
        )
        page.payer = _Payer.STATE if is_free else _Payer.FAMILY if is_private else _Payer.BOTH
    if number % 4 != 3:
        page.access_kk, page.access_ru = ACCESS[number % len(ACCESS)]
    if is_free or number % 3 == 0:
        page.special_kk, page.special_ru = SPECIAL[1 if is_free else 0]
    return page


def _photo(kindergarten: Kindergarten, number: int, scene: int, *, official: User, now: datetime) -> None:
    picture = draw(number, scene)
    sent_at = now - timedelta(days=15 + number, minutes=10 - scene)
    Photo.objects.create(
        kindergarten=kindergarten,
        image=_file(picture),
        thumbnail=_file(picture.reduce(3)),
        width=LARGE[0],
        height=LARGE[1],
        caption_kk=SCENES[scene][0],
        caption_ru=SCENES[scene][1],
        children=Photo.Children.NOBODY,
        state=Photo.State.PUBLISHED,
        sent_at=sent_at,
        sent_by=official,
        decided_at=sent_at + timedelta(hours=3),
        decided_by=official,
    )


def draw(number: int, scene: int) -> Image.Image:
    """A yard, a room or a hall, in plain shapes; different for every kindergarten."""
    sky, ground, walls, roof = _PALETTES[number % len(_PALETTES)]
    picture = Image.new("RGB", LARGE, sky if scene == 0 else walls)
    pen = ImageDraw.Draw(picture)
    (_yard, _room, _hall)[scene](pen, ground, walls, roof, number)
    return picture


def _yard(pen: ImageDraw.ImageDraw, ground: str, walls: str, roof: str, number: int) -> None:
    shift = 30 * (number % 6)
    pen.rectangle((0, 620, 1200, 900), fill=ground)
    pen.ellipse((980 - shift, 60, 1100 - shift, 180), fill="#ffd23f")
    pen.rectangle((180 + shift, 320, 820 + shift, 660), fill=walls)
    pen.polygon([(140 + shift, 320), (500 + shift, 170), (860 + shift, 320)], fill=roof)
    for left in range(230, 780, 150):
        pen.rectangle((left + shift, 390, left + 90 + shift, 490), fill="#7fb3d5")
    pen.rectangle((460 + shift, 520, 540 + shift, 660), fill=roof)
    # A slide and a sandpit.
    pen.polygon([(120, 800), (300, 640), (330, 660), (160, 820)], fill="#e5b93c")
    pen.ellipse((820, 740, 1080, 840), fill="#f1dca7", outline=roof, width=10)


def _room(pen: ImageDraw.ImageDraw, ground: str, walls: str, roof: str, number: int) -> None:
    pen.rectangle((0, 640, 1200, 900), fill="#d9b88c")
    for left in (120, 500, 880):
        pen.rectangle((left, 140, left + 220, 400), fill="#bfe6f5", outline="#ffffff", width=14)
    pen.ellipse((300, 680, 900, 860), fill=ground)
    for place in range(4):
        left = 180 + 230 * place + 10 * (number % 3)
        pen.rectangle((left, 560, left + 140, 590), fill=roof)
        pen.rectangle((left + 10, 590, left + 24, 690), fill=roof)
        pen.rectangle((left + 116, 590, left + 130, 690), fill=roof)


def _hall(pen: ImageDraw.ImageDraw, ground: str, walls: str, roof: str, number: int) -> None:
    pen.rectangle((0, 660, 1200, 900), fill="#c9a27a")
    pen.rectangle((80, 380, 480, 640), fill="#3c2f2f")
    for key in range(12):
        pen.rectangle((100 + 30 * key, 520, 126 + 30 * key, 580), fill="#ffffff")
    for flag in range(10):
        left = 60 + 110 * flag
        pen.polygon([(left, 60), (left + 90, 60), (left + 45, 140)], fill=(roof, ground, "#ffd23f")[flag % 3])
    pen.ellipse((700, 480, 820, 600), fill=roof)
    pen.ellipse((900, 540, 980, 620), fill=ground)


def _file(picture: Image.Image) -> "ContentFile[bytes]":
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return ContentFile(stream.getvalue(), name=random_name(FileType.JPEG))
