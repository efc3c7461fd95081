"""Tiles under the map: off by default, of another server, or of a PMTiles file of the portal's own."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from balabaqsha import checks
from bulletin.tiles import UnfitFileError, demand_tiles, tile_at
from tests.balabaqsha.test_checks import settings_of
from tests.factories import KindergartenFactory
from tests.real_portal import ENVIRONMENT

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG of tile "
TEMPLATE = "https://tiles.example.kz/{z}/{x}/{y}.png"


def write_tiles(path: Path, kind: TileType = TileType.PNG, zooms=range(3)) -> Path:
    """Every tile of the zooms, each with its own words in it."""
    with path.open("wb") as file:
        writer = Writer(file)
        for z in zooms:
            for tile in sorted((zxy_to_tileid(z, x, y), x, y) for x in range(2**z) for y in range(2**z)):
                writer.write_tile(tile[0], PNG + f"{z} {tile[1]} {tile[2]}".encode())
        writer.finalize(
            {"tile_type": kind, "tile_compression": Compression.NONE, "min_zoom": zooms[0], "max_zoom": zooms[-1],
             "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 0, "max_lat_e7": 0, "center_zoom": 0, "center_lon_e7": 0,
             "center_lat_e7": 0},
            {},
        )  # fmt: skip
    return path


@pytest.fixture
def own(settings, tmp_path) -> Path:
    settings.MAP_PMTILES = str(write_tiles(tmp_path / "city.pmtiles"))
    settings.MAP_ATTRIBUTION = "© City & <b>friends</b>"
    return Path(settings.MAP_PMTILES)


@pytest.fixture
def page(client):
    KindergartenFactory.create(slug="amina", latitude=Decimal("43.3"), longitude=Decimal("68.25"))
    return lambda address="/map/": client.get(address).content.decode()


class TestOwnFile:
    def test_a_tile_is_served_as_it_lies_in_the_file_and_kept(self, client, own):
        answer = client.get("/map/tiles/2/1/3")
        assert (answer.content, answer.headers["Content-Type"]) == (PNG + b"2 1 3", "image/png")
        assert answer.headers["Cache-Control"] == "public, max-age=604800"
        again = client.get("/map/tiles/2/1/3", headers={"if-none-match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = client.get("/map/tiles/2/1/2", headers={"if-none-match": answer.headers["ETag"]})
        assert other.content == PNG + b"2 1 2"

    @pytest.mark.parametrize(
        "tile",
        ["3/0/0", "2/4/0", "2/0/4", "99/0/0", "-1/0/0", "2/x/0", f"{'9' * 30}/0/0", f"2/{'9' * 5000}/0"],
        ids=["zoom", "column", "row", "far", "negative", "letter", "long", "endless"],
    )
    def test_outside_of_it_is_nothing(self, client, own, tile):
        assert client.get(f"/map/tiles/{tile}").status_code == 404

    def test_another_file_takes_its_place_while_the_portal_runs(self, client, own):
        write_tiles(own.with_name("next"), TileType.WEBP).replace(own)
        assert client.get("/map/tiles/0/0/0").headers["Content-Type"] == "image/webp"

    def test_the_map_shows_it_and_says_whose_it_is(self, own, page):
        for html in (page(), page("/kindergartens/amina/")):
            assert re.search(r'<image href="/map/tiles/\d+/\d+/\d+"', html)
            assert "© City &amp; &lt;b&gt;friends&lt;/b&gt;" in html

    @pytest.mark.parametrize("damage", ["gone", "empty", "text", "cut", "vectors"])
    def test_a_file_that_has_none_is_off_and_named_before_the_portal_starts(
        self, client, own, page, caplog, damage
    ):
        if damage == "gone":
            own.unlink()
        elif damage == "vectors":
            write_tiles(own, TileType.MVT)
        else:
            own.write_bytes({"empty": b"", "text": b"no tiles " * 90, "cut": own.read_bytes()[:140]}[damage])
        assert tile_at(0, 0, 0) is None
        assert "MAP_PMTILES" in caplog.text
        with pytest.raises(UnfitFileError):
            demand_tiles(own)
        assert [one.id for one in checks.map_says_whose_it_is(None)] == ["balabaqsha.E024"]
        assert client.get("/map/tiles/0/0/0").status_code == 404
        assert ("<image" in page()) == (damage != "gone")


class TestAnotherServer:
    def test_the_map_asks_it_and_says_whose_it_is(self, settings, page):
        settings.MAP_TILES_URL, settings.MAP_ATTRIBUTION = TEMPLATE, "© Tiles"
        html = page()
        assert re.search(r'<image href="https://tiles.example.kz/\d+/\d+/\d+.png"', html)
        assert f'data-tiles="{TEMPLATE}"' in html
        assert '<p class="map-credit">© Tiles</p>' in html

    def test_the_policy_follows_the_setting(self):
        def img_src(**given: str) -> list[str]:
            made = settings_of(**ENVIRONMENT, **given)
            return made["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["img-src"]

        assert img_src() == ["'self'", "data:"]
        assert img_src(MAP_TILES_URL=TEMPLATE) == ["'self'", "data:", "https://tiles.example.kz"]
        assert img_src(MAP_PMTILES="/srv/city.pmtiles") == ["'self'", "data:"]


def test_by_default_the_ground_is_plain(client, page):
    html = page()
    assert "<image" not in html
    assert "data-tiles" not in html
    assert client.get("/map/tiles/0/0/0").status_code == 404


def test_tiles_without_a_name_or_over_http_are_refused(settings):
    settings.HTTPS = True
    for url, words, expected in (
        ("", "", []),
        (TEMPLATE, "© Tiles", []),
        (TEMPLATE, "", ["balabaqsha.E022"]),
        (TEMPLATE.replace("https", "http"), "© Tiles", ["balabaqsha.E023"]),
    ):
        settings.MAP_TILES_URL, settings.MAP_ATTRIBUTION = url, words
        assert [one.id for one in checks.map_says_whose_it_is(None)] == expected
