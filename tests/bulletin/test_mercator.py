"""The arithmetic of the map, held to known places and distances."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulletin.mercator import ZOOMS, Bounds, around, distance, frame_around, frame_of, read_bounds

TURKISTAN, SHYMKENT = (43.2973, 68.2517), (42.3155, 69.5869)
SIZE = {"width": 480, "height": 400}
SOUTH_NORTH, WEST_EAST = st.floats(40.5, 55.5), st.floats(46.4, 87.4)


def test_a_point_lies_in_the_tile_that_all_web_maps_give_it():
    [(column, row, left, top)] = frame_around(TURKISTAN, zoom=12, width=2, height=2).tiles
    expected_row = (1 - math.asinh(math.tan(math.radians(TURKISTAN[0]))) / math.pi) / 2 * 2**12
    assert (column, row) == (int((TURKISTAN[1] + 180) / 360 * 2**12), int(expected_row))
    assert -256 < left <= 1
    assert -256 < top <= 1


def test_the_distance_of_two_cities():
    assert distance(TURKISTAN, SHYMKENT) == pytest.approx(154_500, rel=0.01)
    assert distance(TURKISTAN, TURKISTAN) == 0


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "x,1,2,3", "70,42,68,43", "68,43,70,42", "68,-91,70,43", "68,42,181,43", "nan,1,2,3",
     "1e1,2,30,4", "٦٨,42,70,43", "68, 42,70,43", "68,42,70,86"],
)  # fmt: skip
def test_what_are_no_bounds(text):
    assert read_bounds(text) is None


def test_bounds_in_an_address_come_back():
    bounds = Bounds(68.1, 43.2, 68.4, 43.35)
    assert str(bounds) == "68.10000,43.20000,68.40000,43.35000"
    assert read_bounds(str(bounds)) == bounds


def test_bounds_around_points():
    assert around([]) is None
    assert around([TURKISTAN, SHYMKENT]) == Bounds(68.2517, 42.3155, 69.5869, 43.2973)


@given(st.lists(st.tuples(SOUTH_NORTH, WEST_EAST), min_size=1, max_size=5))
def test_every_point_is_inside_of_a_frame_around_all(points):
    bounds = around(points)
    assert bounds is not None
    frame = frame_of(bounds, **SIZE)
    for point in points:
        x, y = frame.place(*point)
        assert 0 < x < SIZE["width"]
        assert 0 < y < SIZE["height"]


@given(SOUTH_NORTH, WEST_EAST, st.sampled_from(ZOOMS))
def test_the_address_of_a_frame_leads_back_to_it(latitude, longitude, zoom):
    frame = frame_around((latitude, longitude), zoom=zoom, **SIZE)
    written = read_bounds(str(frame.inner))
    assert written is not None
    again = frame_of(written, **SIZE)
    assert again.zoom == zoom
    assert again.place(latitude, longitude) == pytest.approx((240, 200), abs=3)


def test_a_frame_moves_by_its_own_size_and_stops_at_the_last_zoom():
    frame = frame_around(TURKISTAN, zoom=12, **SIZE)
    assert frame.moved(right=0.5).place(*TURKISTAN) == pytest.approx((0, 200))
    assert frame.moved(down=-0.5).place(*TURKISTAN) == pytest.approx((240, 400))
    assert frame.moved(closer=1).zoom == 13
    assert frame.moved(closer=1).place(*TURKISTAN) == pytest.approx((240, 200))
    assert frame.moved(closer=99).zoom == ZOOMS[-1]
    assert frame.moved(closer=-99).zoom == ZOOMS[0]


def test_the_scale_bar_is_a_round_distance_and_true():
    frame = frame_around(TURKISTAN, zoom=13, **SIZE)
    metres, pixels = frame.scale_bar(longest=120)
    assert (metres, 60 < pixels <= 120) == (1000, True)
    bounds = frame.bounds
    width = distance((TURKISTAN[0], bounds.west), (TURKISTAN[0], bounds.east))
    assert metres / pixels == pytest.approx(width / SIZE["width"], rel=0.01)


def test_a_frame_at_the_end_of_the_world_has_only_tiles_that_exist():
    frame = frame_around((84, 179), zoom=4, **SIZE)
    assert frame.tiles
    assert all(0 <= x < 16 and 0 <= y < 16 for x, y, _left, _top in frame.tiles)
    assert frame.bounds.north <= 85
    assert frame.bounds.east <= 180
