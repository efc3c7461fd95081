"""Where the country ends: towns on either side of the border, the nearest to it among them."""

from typing import Final

import pytest

from bulletin.country import is_in_the_country

OURS: Final = {
    "Turkistan": (43.297, 68.27),
    "Saryagash": (41.455, 69.173),
    "Zhetisay": (40.775, 68.327),
    "Korday": (43.04, 74.71),
    "Merke": (42.87, 73.19),
    "Narynkol": (42.72, 80.18),
    "Zharkent": (44.17, 80.0),
    "Dostyk": (45.25, 82.48),
    "Bakhty": (46.67, 82.75),
    "Oskemen": (49.95, 82.61),
    "Ridder": (50.34, 83.51),
    "Petropavl": (54.87, 69.15),
    "Bulaevo": (54.9, 70.44),
    "Presnovka": (54.67, 67.15),
    "Kostanay": (53.21, 63.63),
    "Zhetikara": (52.19, 61.2),
    "Uralsk": (51.23, 51.37),
    "Taskala": (51.11, 50.29),
    "Zhanybek": (49.42, 46.85),
    "Ganyushkino": (46.6, 49.27),
    "Aktau": (43.65, 51.16),
    "Beyneu": (45.32, 55.19),
    "Astana": (51.17, 71.43),
}
NEIGHBOURS: Final = {
    "Tashkent": (41.31, 69.28),
    "Chirchiq": (41.47, 69.58),
    "Syrdarya": (40.84, 68.66),
    "Nukus": (42.46, 59.6),
    "Bishkek": (42.87, 74.6),
    "Tokmok": (42.84, 75.3),
    "Talas": (42.52, 72.24),
    "Karakol": (42.49, 78.39),
    "Tacheng": (46.75, 82.98),
    "Rubtsovsk": (51.52, 81.2),
    "Omsk": (54.99, 73.37),
    "Petukhovo": (55.07, 67.89),
    "Troitsk": (54.08, 61.56),
    "Orsk": (51.2, 58.6),
    "Ozinki": (51.2, 49.73),
    "Pallasovka": (50.05, 46.88),
    "Astrakhan": (46.35, 48.04),
    # Turkistan, exchanged.
    "exchanged": (68.27, 43.297),
}


@pytest.mark.parametrize("point", OURS.values(), ids=OURS.keys())
def test_our_towns_are_in_the_country(point: tuple[float, float]) -> None:
    assert is_in_the_country(*point)


@pytest.mark.parametrize("point", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_the_neighbours_are_not(point: tuple[float, float]) -> None:
    assert not is_in_the_country(*point)
