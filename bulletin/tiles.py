"""Tiles under the map: of another server, or out of a PMTiles file of the portal's own; none by default."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings

logger = logging.getLogger(__name__)

# Of all parts of the file that are read at once; more is no tile and no directory.
LARGEST_PART: Final = 4 * 1024 * 1024
# By the kinds of pictures in the header of the file.
MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif"}
_HEADER: Final = 127
# Served by `bulletin.views.map_tile`.
OWN_ADDRESS: Final = "/map/tiles/{z}/{x}/{y}"


class Tile(NamedTuple):
    content: bytes
    media_type: str


class Ground(NamedTuple):
    """Where the tiles are (`{z}`, `{x}`, `{y}`), and whose they are, in words that have to stand on the map."""

    template: str
    attribution: str

    def address(self, z: int, x: int, y: int) -> str:
        return self.template.format(z=z, x=x, y=y)


class UnfitFileError(Exception):
    """The file can't be read, or holds no pictures; the message says which."""


def ground() -> Ground | None:
    """What lies under the marks of a map; None for a plain one."""
    if settings.MAP_TILES_URL:
        return Ground(settings.MAP_TILES_URL, settings.MAP_ATTRIBUTION)
    if settings.MAP_PMTILES and Path(settings.MAP_PMTILES).is_file():
        return Ground(OWN_ADDRESS, settings.MAP_ATTRIBUTION)
    return None


def tile_at(z: int, x: int, y: int) -> Tile | None:
    """A tile of `MAP_PMTILES`; None where there is no such tile, no file, or none that can be read."""
    if not settings.MAP_PMTILES:
        return None
    try:
        return _read(Path(settings.MAP_PMTILES), z, x, y)
    except UnfitFileError as error:
        logger.error("MAP_PMTILES: %s", error)
        return None


def demand_tiles(path: Path) -> None:
    """Raise UnfitFileError where the file has no tiles for the map."""
    _read(path, 0, 0, 0)


def _read(path: Path, z: int, x: int, y: int) -> Tile | None:
    # Only a portal with a file of its own needs it.
    from pmtiles.reader import Reader
    from pmtiles.tile import deserialize_header

    # It says that it is typed, and this is not.
    reader: Any = Reader

    try:
        # Opened anew each time: another file may take its place while the portal runs.
        with path.open("rb") as file:
            part = _part_of(file.fileno())
            header = deserialize_header(part(0, _HEADER))
            media_type = MEDIA_TYPES.get(header["tile_type"].name)
            if media_type is None:
                raise UnfitFileError(f"it holds {header['tile_type'].name}, and no pictures")
            if not (header["min_zoom"] <= z <= header["max_zoom"] and x < 2**z and y < 2**z):
                return None
            content = reader(part).get(z, x, y)
    except OSError as error:
        raise UnfitFileError(f"it can't be read ({error.strerror or 'it is damaged'})") from None
    except UnfitFileError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file raises whatever its bytes happen to be
        raise UnfitFileError(f"it is no PMTiles file, or damaged ({type(error).__name__})") from None
    return Tile(content, media_type) if content else None


def _part_of(number: int) -> Callable[[int, int], bytes]:
    """Reads parts of an open file. Not mapped into memory: a file that is cut short would end the process."""

    def part(offset: int, length: int) -> bytes:
        if not 0 <= length <= LARGEST_PART:
            raise UnfitFileError("it is damaged: a part of it is said to be too long")
        return os.pread(number, length, offset)

    return part
