"""Vector tiles: what is in them at which zoom, how long they may be kept, and by whom they may be read."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text

from gis import db
from gis.territory.coords import Tile
from gis.web import drawing, tiles
from gis.web.drawing import Widths
from tests import town
from tests.web import desk

LON, LAT = town.lonlat(2.0, 1.0)
WIDTHS = {"district": 20_000.0, "community": 1_000.0, "cell": 100.0}


@pytest.fixture(scope="module")
def client(office: Flask) -> FlaskClient:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        west, south = town.lonlat(1.9, 0.5)
        session.execute(
            text("""
            INSERT INTO building (source, external_id, name, name_en, kind, house_number, street_name, estate_name,
                                  area_m2, attributes, geom)
            VALUES ('t', '1', '楼', 'House', 'home', '1', 'x', '', 2000, '{}',
                    ST_Multi(ST_MakeEnvelope(:west, :south, :west + 0.003, :south + 0.001, 4326)))
            """),
            {"west": west, "south": south},
        )
        session.execute(
            text("""
            INSERT INTO place_share (kind, place_id, unit_id, edition_id, share)
            SELECT 'building', b.id, u.id, u.edition_id, CASE WHEN u.code = '990101' THEN 1 / 3.0 ELSE 2 / 3.0 END
            FROM building b, unit u WHERE u.level = 'district'
            """)
        )
        session.execute(
            text("INSERT INTO fault (edition_id, kind, level, codes, geom) SELECT id, 'gap', 'cell', '{}',"
                 " ST_Buffer(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 0.001) FROM edition WHERE net = 'unit_grid'"),
            {"lon": LON, "lat": LAT},
        )  # fmt: skip
        session.commit()
    return desk.signed_in(office)


def edition(office: Flask, net: str) -> int:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        found: int = session.scalars(text("SELECT id FROM edition WHERE net = :net"), {"net": net}).one()
    return found


def version(office: Flask) -> str:
    with office.test_request_context("/"), db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return tiles.base_version(session)


def path(prefix: str, z: int, lon: float = LON, lat: float = LAT) -> str:
    tile = Tile.at(lon, lat, z)
    return f"/tiles/{prefix}/{z}/{tile.x}/{tile.y}.mvt"


def drawn(client: FlaskClient, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return gzip.decompress(answer.data)


def layers(mvt: bytes) -> dict[str, bytes]:
    """Take a tile apart: name of each layer -> its bytes (field 3 is a layer, its field 1 the name)."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(mvt):
        assert mvt[at] == 3 << 3 | 2
        size, at = _varint(mvt, at + 1)
        layer, at = mvt[at : at + size], at + size
        inside = dict(_fields(layer))
        found[inside[1].decode()] = layer
    return found


def _fields(message: bytes) -> list[tuple[int, bytes]]:
    fields, at = [], 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            _, at = _varint(message, at)
            continue
        size, at = _varint(message, at)
        fields.append((key >> 3, message[at : at + size]))
        at += size
    return fields[::-1]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | message[at] << shift, at + 1


def test_a_tile_holds_the_units_that_lie_in_it(office: Flask, client: FlaskClient) -> None:
    units = layers(drawn(client, path(f"units/{edition(office, 'admin')}/zh", 14)))["units"]
    assert b"990101001002" in units
    assert b"990102001001" in units


def test_units_bring_their_codes_and_names_once_they_are_sixteen_pixels_wide() -> None:
    known = Widths(LAT, WIDTHS)
    far, near = (drawing.unit_params(known, Tile.at(LON, LAT, z)) for z in (14, 15))
    assert far == {"levels": [*WIDTHS], "named": ["district", "community"]}
    assert near == {"levels": [*WIDTHS], "named": [*WIDTHS]}


def test_a_tile_elsewhere_is_empty(office: Flask, client: FlaskClient) -> None:
    assert drawn(client, path(f"units/{edition(office, 'admin')}/zh", 14, 10.0, 10.0)) == b""


def test_fine_levels_wait_for_a_zoom_that_shows_them(office: Flask, client: FlaskClient) -> None:
    admin = edition(office, "admin")
    assert b"community" not in layers(drawn(client, path(f"units/{admin}/zh", 8)))["units"]
    assert b"community" in layers(drawn(client, path(f"units/{admin}/zh", 14)))["units"]


@pytest.mark.parametrize(("lang", "called", "otherwise"), [("zh", "楼", "House"), ("en", "House", "楼")])
def test_names_are_in_the_language_of_the_reader(
    office: Flask, client: FlaskClient, lang: str, called: str, otherwise: str
) -> None:
    west, south = town.lonlat(1.9, 0.5)
    # the name stands in the middle of the building
    tile = path(f"base/{version(office)}/{lang}", 16, west + 0.0015, south + 0.0005)
    names = layers(drawn(client, tile))["names"]
    assert called.encode() in names
    assert otherwise.encode() not in names


def test_an_accepted_fault_is_on_the_map(office: Flask, client: FlaskClient) -> None:
    assert b"gap" in layers(drawn(client, path(f"units/{edition(office, 'unit_grid')}/zh", 14)))["faults"]


def test_layer_names_have_no_underscore(office: Flask, client: FlaskClient) -> None:
    every = {*layers(drawn(client, path(f"units/{edition(office, 'unit_grid')}/zh", 14)))}
    every |= {*layers(drawn(client, path(f"base/{version(office)}/zh", 15)))}
    assert not [name for name in every if "_" in name]


def test_the_base_map_has_buildings_and_boundaries(office: Flask, client: FlaskClient) -> None:
    lon, lat = town.lonlat(2.0, 0.55)
    assert {"buildings", "boundaries"} <= {*layers(drawn(client, path(f"base/{version(office)}/zh", 14, lon, lat)))}


def test_buildings_are_left_out_where_they_would_be_dust(office: Flask, client: FlaskClient) -> None:
    assert "buildings" not in layers(drawn(client, path(f"base/{version(office)}/zh", 11)))


def test_a_building_across_a_line_is_on_its_layer(office: Flask, client: FlaskClient) -> None:
    lon, lat = town.lonlat(2.0, 0.55)
    layer = f"straddlers/{version(office)}/{edition(office, 'admin')}/district"
    assert b"building" in layers(drawn(client, path(layer, 14, lon, lat)))["straddlers"]


def test_a_part_that_is_survey_noise_makes_no_straddler_on_the_map(office: Flask, client: FlaskClient) -> None:
    lon, lat = town.lonlat(2.0, 0.55)
    layer = f"straddlers/000000000000/{edition(office, 'admin')}/district"
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        told = "UPDATE place_share SET share = CASE WHEN share < 0.5 THEN 0.002 ELSE 0.998 END WHERE kind = 'building'"
        session.execute(text(told))
        session.execute(text("UPDATE building SET area_m2 = 200"))
        session.commit()
    assert drawn(client, path(layer, 14, lon, lat)) == b""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        # a five-hundredth of a hall is a room
        session.execute(text("UPDATE building SET area_m2 = 20000"))
        session.commit()
    assert b"building" in drawn(client, path(layer, 14, lon, lat))


def test_a_tile_of_an_edition_may_be_kept_for_good(office: Flask, client: FlaskClient) -> None:
    kept = client.get(path(f"units/{edition(office, 'admin')}/zh", 12)).headers["Cache-Control"]
    assert kept == "private, max-age=31536000, immutable"


def test_a_tile_of_another_version_may_not_be_kept(client: FlaskClient) -> None:
    answer = client.get(path("base/000000000000/zh", 12))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_the_version_changes_with_the_ground(office: Flask) -> None:
    before = version(office)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(text("INSERT INTO ground_version (layer, version) VALUES ('land', 7)"))
        session.commit()
    assert version(office) != before


def test_a_kept_tile_is_the_tile(office: Flask, client: FlaskClient) -> None:
    address = path(f"units/{edition(office, 'police')}/zh", 12)
    assert drawn(client, address) == drawn(client, address) != b""


def test_a_tile_is_shown_though_the_disk_takes_no_more(office: Flask, client: FlaskClient) -> None:
    kept = Path(office.extensions["settings"].var_dir, "tiles", "units")
    aside = kept.rename(kept.with_name("aside")) if kept.exists() else None
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("a file stands where a folder should be made")
    try:
        assert drawn(client, path(f"units/{edition(office, 'admin')}/zh", 12))
    finally:
        kept.unlink()
        if aside:
            aside.rename(kept)


@pytest.mark.parametrize("address", ["5/99/0", "30/0/0", "-1/0/0", "1/0", "a/b/c"])
def test_what_is_no_tile_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(f"/tiles/units/1/zh/{address}.mvt").status_code == 404


def test_an_edition_that_is_not_there_is_told(client: FlaskClient) -> None:
    answer = client.get("/tiles/units/999999/zh/3/6/3.mvt", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "tiles.no_edition")


@given(z=st.integers(0, 20), widths=st.lists(st.floats(1, 1e6), min_size=1, max_size=5))
def test_the_coarsest_level_always_shows_and_nearer_shows_no_fewer(z: int, widths: list[float]) -> None:
    known = Widths(LAT, {str(i): width for i, width in enumerate(widths)})
    here, nearer = drawing.visible(known, z), drawing.visible(known, z + 1)
    assert here[0] == "0"
    assert {*here} <= {*nearer}


@given(z=st.integers(1, 20), width_m=st.floats(1, 1e6), lat=st.floats(-60, 60))
def test_a_level_shows_from_the_zoom_at_which_its_units_are_eight_pixels_wide(
    z: int, width_m: float, lat: float
) -> None:
    known = Widths(lat, {"coarse": 1e7, "fine": width_m})
    width_px = width_m / (40_075_016.7 * math.cos(math.radians(lat)) / 256 / 2**z)
    assume(abs(width_px - 8) > 1e-6)
    assert ("fine" in drawing.visible(known, z)) == (width_px > 8)


@pytest.mark.parametrize(("z", "shown"), [(10, ["district"]), (11, ["district", "community"]), (14, [*WIDTHS])])
def test_cells_of_a_hundred_metres_show_from_zoom_fourteen(z: int, shown: list[str]) -> None:
    assert drawing.visible(Widths(LAT, WIDTHS), z) == shown


@pytest.mark.parametrize(("z", "extent"), [(15, 768), (16, 4096)])
def test_only_the_tile_that_nearer_zooms_stretch_is_exact(
    office: Flask, client: FlaskClient, z: int, extent: int
) -> None:
    layer = layers(drawn(client, path(f"units/{edition(office, 'admin')}/zh", z)))["units"]
    # field 5 of a layer is its extent; it is written before the version, the last one
    at = layer.rindex(bytes([5 << 3]) + _as_varint(extent))
    assert at > len(layer) - 8


def _as_varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7])
