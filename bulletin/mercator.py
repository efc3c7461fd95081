"""Where places stand on a flat map, and how far apart they are. Pure.

The map is that of all web maps (Web Mercator): at zoom 0 the world is a square of 256 pixels, and each further zoom
doubles it. Latitudes and longitudes are in degrees, distances in metres.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

TILE: Final = 256
# From the whole country to a single yard.
ZOOMS: Final = range(4, 18)
EARTH_RADIUS: Final = 6_371_008.8
EQUATOR: Final = 40_075_016.686
# Beyond it, the flat map has no end.
MOST_NORTH: Final = 85.0
# So much stays free between the outermost points and the edge, in pixels.
MARGIN: Final = 28
# Bounds in addresses are rounded: by so many pixels at the closest zoom.
_ROUNDING: Final = 4
_BOUNDS: Final = re.compile(r"(-?\d{1,3}(?:\.\d{1,15})?)" + r",(-?\d{1,3}(?:\.\d{1,15})?)" * 3, re.ASCII)


class Bounds(NamedTuple):
    """A part of the map in degrees, in the order of GeoJSON."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        """As addresses have it; to the metre."""
        return ",".join(f"{degrees:.5f}" for degrees in self)


def read_bounds(text: str) -> Bounds | None:
    """Bounds as an address has them: `west,south,east,north`; None for what are none."""
    found = _BOUNDS.fullmatch(text)
    if found is None:
        return None
    bounds = Bounds(*map(float, found.groups()))
    is_on_the_map = -180 <= bounds.west <= bounds.east <= 180
    is_upright = -MOST_NORTH <= bounds.south <= bounds.north <= MOST_NORTH
    return bounds if is_on_the_map and is_upright else None


def around(points: Iterable[tuple[float, float]]) -> Bounds | None:
    """The smallest bounds that hold all points (latitude, longitude); None without any."""
    found = list(points)
    if not found:
        return None
    latitudes, longitudes = zip(*found, strict=True)
    return Bounds(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


@dataclass(frozen=True)
class Frame:
    """A piece of the map as it is drawn: `left` and `top` are pixels of the whole world at `zoom`."""

    zoom: int
    left: float
    top: float
    width: int
    height: int

    def place(self, latitude: float, longitude: float) -> tuple[float, float]:
        """The pixel of a point, from the left and from the top of the frame."""
        x, y = _pixel(latitude, longitude, self.zoom)
        return x - self.left, y - self.top

    @property
    def bounds(self) -> Bounds:
        """What the frame shows, cut at the ends of the world."""
        return self._within(0)

    @property
    def inner(self) -> Bounds:
        """The bounds inside of the margin: `frame_of` makes this frame of them."""
        return self._within(MARGIN)

    def _within(self, margin: int) -> Bounds:
        south, west = _degrees(self.left + margin, self.top + self.height - margin, self.zoom)
        north, east = _degrees(self.left + self.width - margin, self.top + margin, self.zoom)
        return Bounds(max(west, -180.0), max(south, -MOST_NORTH), min(east, 180.0), min(north, MOST_NORTH))

    def moved(self, *, right: float = 0, down: float = 0, closer: int = 0) -> "Frame":
        """The frame moved by parts of its size, or around the same middle so many zooms closer."""
        zoom = min(max(self.zoom + closer, ZOOMS[0]), ZOOMS[-1])
        scale = 2.0 ** (zoom - self.zoom)
        middle_x = (self.left + self.width * (0.5 + right)) * scale
        middle_y = (self.top + self.height * (0.5 + down)) * scale
        return Frame(zoom, middle_x - self.width / 2, middle_y - self.height / 2, self.width, self.height)

    @property
    def tiles(self) -> list[tuple[int, int, float, float]]:
        """The tiles under the frame: column, row, and the pixel of the upper left corner of each."""
        most = 2**self.zoom - 1
        columns = range(max(0, int(self.left // TILE)), min(most, int((self.left + self.width) // TILE)) + 1)
        rows = range(max(0, int(self.top // TILE)), min(most, int((self.top + self.height) // TILE)) + 1)
        return [(x, y, x * TILE - self.left, y * TILE - self.top) for y in rows for x in columns]

    def scale_bar(self, *, longest: int) -> tuple[int, float]:
        """A round distance in metres, and how many pixels it is in the middle of the frame, `longest` at most."""
        latitude, _longitude = _degrees(self.left, self.top + self.height / 2, self.zoom)
        metres_a_pixel = EQUATOR * math.cos(math.radians(latitude)) / (TILE * 2**self.zoom)
        most = metres_a_pixel * longest
        power = 10 ** math.floor(math.log10(most))
        metres = next(step * power for step in (5, 2, 1) if step * power <= most)
        return int(metres), metres / metres_a_pixel


def frame_of(bounds: Bounds, *, width: int, height: int) -> Frame:
    """The closest frame of this size that shows all of the bounds, with a margin, as far as the zooms reach."""
    room = (width - 2 * MARGIN + _ROUNDING, height - 2 * MARGIN + _ROUNDING)
    zoom = next((zoom for zoom in reversed(ZOOMS) if _fits(bounds, zoom, room)), ZOOMS[0])
    left, top = _pixel(bounds.north, bounds.west, zoom)
    right, bottom = _pixel(bounds.south, bounds.east, zoom)
    return Frame(zoom, (left + right - width) / 2, (top + bottom - height) / 2, width, height)


def frame_around(middle: tuple[float, float], *, zoom: int, width: int, height: int) -> Frame:
    """A frame of this size with the point (latitude, longitude) in its middle."""
    x, y = _pixel(*middle, zoom)
    return Frame(zoom, x - width / 2, y - height / 2, width, height)


def _fits(bounds: Bounds, zoom: int, room: tuple[float, float]) -> bool:
    left, top = _pixel(bounds.north, bounds.west, zoom)
    right, bottom = _pixel(bounds.south, bounds.east, zoom)
    return right - left <= room[0] and bottom - top <= room[1]


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The metres between two points (latitude, longitude), as the crow flies."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(degrees) for degrees in point) for point in (one, other))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def _pixel(latitude: float, longitude: float, zoom: int) -> tuple[float, float]:
    size = TILE * 2**zoom
    sine = math.sin(math.radians(latitude))
    return (longitude + 180) / 360 * size, (0.5 - math.atanh(sine) / (2 * math.pi)) * size


def _degrees(x: float, y: float, zoom: int) -> tuple[float, float]:
    size = TILE * 2**zoom
    return math.degrees(math.asin(math.tanh((0.5 - y / size) * 2 * math.pi))), x / size * 360 - 180
