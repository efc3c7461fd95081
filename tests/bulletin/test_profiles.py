"""What a kindergarten tells of itself: on its page, in both languages, and nothing by halves."""

from datetime import time
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from bulletin.models import Kindergarten, KindergartenProfile, Photo
from bulletin.profiles import completeness, profile_of
from tests.bulletin.test_pages import LANGUAGES, text_of
from tests.factories import KindergartenFactory, PhotoFactory

pytestmark = pytest.mark.django_db

TOLD = {
    "about_kk": "Ауласы жасыл",
    "about_ru": "Зелёный двор",
    "day_begins": time(8),
    "day_ends": time(18, 30),
    "food_kk": "Күніне төрт рет",
    "food_ru": "Четыре раза в день",
    "fee": 45_000,
    "payer": "family",
    "licence": "№ KZ12LAA00024137",
    "access_kk": "Пандус бар",
    "access_ru": "Есть пандус",
    "special_kk": "Логопед бар",
    "special_ru": "Есть логопед",
}


@pytest.fixture
def amina() -> Kindergarten:
    return KindergartenFactory.create(slug="amina")


def tell(kindergarten: Kindergarten, **changes: object) -> KindergartenProfile:
    return KindergartenProfile.objects.create(
        kindergarten=kindergarten, confirmed_at=timezone.now(), **(TOLD | changes)
    )


@LANGUAGES
def test_the_page_tells_it_in_the_readers_language(client: Client, amina: Kindergarten, prefix: str) -> None:
    tell(amina)
    page = text_of(client.get(f"{prefix}/kindergartens/amina/"))
    own, other = ("ru", "kk") if prefix else ("kk", "ru")
    for name in ("about", "food", "access", "special"):
        assert TOLD[f"{name}_{own}"] in page
        assert TOLD[f"{name}_{other}"] not in page
    assert "08:00–18:30" in page
    assert "45 000 ₸" in page
    assert TOLD["licence"] in page


def test_a_page_without_a_fee_says_nothing_of_it_and_one_without_payment_says_so(
    client: Client, amina: Kindergarten
) -> None:
    page = tell(amina, fee=None, payer="")
    assert "Отбасы төлейді" not in text_of(client.get("/kindergartens/amina/"))
    page.fee, page.payer = 0, "state"
    page.save()
    shown = text_of(client.get("/kindergartens/amina/"))
    assert "Отбасы төлейді" in shown
    assert "ештеңе" in shown


def test_only_published_photos_are_shown_and_given_out(client: Client, amina: Kindergarten) -> None:
    shown = PhotoFactory(kindergarten=amina, state=Photo.State.PUBLISHED, thumbnail__data=b"small")
    hidden = [
        PhotoFactory(kindergarten=amina, state=state) for state in ("pending", "rejected", "taken_down")
    ]
    page = text_of(client.get("/kindergartens/amina/"))
    small = f"/kindergarten-photos/{shown.pk}/small/"
    assert f'src="{small}"' in page
    assert 'width="1200" height="900" loading="lazy"' in page
    answer = client.get(small)
    assert (answer.content, answer["Content-Type"]) == (b"small", "image/jpeg")
    assert answer["Cache-Control"] == "public, max-age=60, must-revalidate"
    again = {"If-None-Match": answer["ETag"]}
    assert client.get(small, headers=again).status_code == 304
    Photo.objects.filter(pk=shown.pk).update(state="rejected", decided_by=shown.sent_by)
    assert client.get(small, headers=again).status_code == 404
    for photo in hidden:
        assert str(photo.pk) not in page
        assert client.get(f"/kindergarten-photos/{photo.pk}/").status_code == 404
        assert client.get(f"/kindergarten-photos/{photo.pk}/small/").status_code == 404


def test_a_photo_whose_file_is_gone_is_not_found(client: Client, amina: Kindergarten) -> None:
    photo = PhotoFactory(kindergarten=amina, state=Photo.State.PUBLISHED)
    photo.image.delete(save=False)
    assert client.get(f"/kindergarten-photos/{photo.pk}/").status_code == 404


def test_what_is_missing_is_named_and_what_is_told_counted(amina: Kindergarten) -> None:
    with override("en"):
        nothing = completeness(amina, profile_of(amina))
        assert (nothing.told, nothing.asked) == (2, 10)
        assert "fee" in map(str, nothing.missing)
        tell(amina, fee=None, payer="")
        PhotoFactory(kindergarten=amina, state=Photo.State.PUBLISHED)
        amina = Kindergarten.objects.get()
        almost = completeness(amina, profile_of(amina))
        assert (almost.told, [*map(str, almost.missing)]) == (9, ["fee"])


@pytest.mark.parametrize(
    "half",
    [
        {"day_ends": None},
        {"day_begins": None},
        {"day_begins": time(18), "day_ends": time(8)},
        {"fee": None},
        {"payer": ""},
        {"fee": 1_000_001},
    ],
    ids=str,
)
def test_the_database_takes_nothing_by_halves(amina: Kindergarten, half: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        tell(amina, **half)


@pytest.mark.parametrize(
    "point",
    [("43.3", None), (None, "68.2"), ("55.8", "37.6"), ("68.2", "43.3")],
    ids=["no longitude", "no latitude", "another country", "exchanged"],
)
def test_a_point_on_the_map_is_whole_and_in_the_country(
    amina: Kindergarten, point: tuple[str | None, str | None]
) -> None:
    latitude, longitude = (None if one is None else Decimal(one) for one in point)
    with pytest.raises(IntegrityError), transaction.atomic():
        Kindergarten.objects.update(latitude=latitude, longitude=longitude)
    Kindergarten.objects.update(latitude=Decimal("43.3"), longitude=Decimal("68.2"))
