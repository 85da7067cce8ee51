"""Vector tiles: the units of an edition, what lies across their lines, and the base map.

Addresses carry a version, so a tile never changes and is kept: by browsers, and under var/ for the next browser.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import BaseConverter, ValidationError

from gis.errors import Invalid, NotFound
from gis.territory import units as units_of_ground
from gis.territory.coords import Tile
from gis.web import auth

pages = Blueprint("tiles", __name__, url_prefix="/tiles")

# A level is drawn from the zoom at which its typical unit is this wide; finer ones would be a grey wash.
LEAST_WIDTH_PX = 3
TILE_PX = 256
EQUATOR_M = 2 * math.pi * 6378137
EXTENT = 4096
# side of the smallest piece of land that is named, as a part of a tile's
NAME_PART = 0.08
# part of a tile drawn beyond its edges, so that strokes do not end there
MARGIN = 1 / 64
MIME = "application/vnd.mapbox-vector-tile"


MVT = "SELECT ST_AsMVT(t, '{name}', 4096, 'geom', {id}) FROM ({rows}) AS t WHERE t.geom IS NOT NULL"


def _cut(geom: str) -> str:
    """Write the SQL that turns degrees into a tile's own units."""
    return f"ST_AsMVTGeom(ST_Transform({geom}, 3857), ST_TileEnvelope(:z, :x, :y), 4096, :buffer) AS geom"


@dataclass(frozen=True)
class Layer:
    """A layer of a tile: SQL that gives its rows, `geom` cut to the tile, and the zoom it begins at.

    numbered: the rows have an `id`, which is a feature's own number and costs no property.
    """

    name: str
    rows: str
    from_z: int = 0
    numbered: bool = False


IN_BOX = "geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"

UNITS = (
    Layer(
        "units",
        f"""
        SELECT u.id, u.level, u.code,
               -- seventy thousand names nobody can read yet would be most of what is sent
               CASE WHEN :z >= 14 OR u.level = (CAST(:levels AS text[]))[1] THEN u.name END AS name,
               CASE WHEN :z >= 14 OR u.level = (CAST(:levels AS text[]))[1] THEN nullif(u.name_en, '') END AS name_en,
               u.level = (CAST(:levels AS text[]))[cardinality(:levels)] AS finest,
               {_cut("u.geom")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE u.edition_id = :edition_id AND u.level = ANY(:levels) AND u.{IN_BOX}
        ORDER BY l.rank, u.id
        """,
        numbered=True,
    ),
    Layer(
        "faults",
        f"SELECT id, kind, level, {_cut('geom')} FROM fault WHERE edition_id = :edition_id AND {IN_BOX}",
        from_z=12,
        numbered=True,
    ),
)

STRADDLERS = (
    Layer(
        "straddlers",
        f"""
        WITH parted AS (
            SELECT s.kind, s.place_id, count(*) AS sides, max(s.share) AS most
            FROM place_share s JOIN unit u ON u.id = s.unit_id
            WHERE s.edition_id = :edition_id AND u.level = :level AND s.share BETWEEN 0.01 AND 0.99
            GROUP BY s.kind, s.place_id HAVING count(*) > 1
        )
        SELECT 'building' AS kind, id, name, name_en, sides, most, {_cut("geom")}
        FROM building JOIN parted ON parted.kind = 'building' AND place_id = id WHERE {IN_BOX}
        UNION ALL
        SELECT 'estate', id, name, name_en, sides, most, {_cut("geom")}
        FROM estate JOIN parted ON parted.kind = 'estate' AND place_id = id WHERE {IN_BOX}
        UNION ALL
        SELECT 'street', id, name, name_en, sides, most, {_cut("geom")}
        FROM street JOIN parted ON parted.kind = 'street' AND place_id = id WHERE {IN_BOX}
        """,
        from_z=12,
    ),
)

# A road is as important as it is wide: classes are words of each source, metres are the same everywhere.
WIDTH = "coalesce(width_m, area_m2 / greatest(length_m, 1))"

BASE = (
    Layer("land", f"SELECT kind, name, name_en, {_cut('geom')} FROM land WHERE {IN_BOX} ORDER BY kind = 'water'"),
    Layer("buildings", f"SELECT {_cut('geom')} FROM building WHERE {IN_BOX} AND area_m2 >= :least_m2", from_z=13),
    Layer("roads", f"SELECT {WIDTH} AS width, {_cut('geom')} FROM street WHERE {IN_BOX}", from_z=14),
    Layer(
        "lines",
        f"""
        SELECT name, name_en, {WIDTH} AS width, {_cut("centre_geom")} FROM street
        WHERE {IN_BOX} AND centre_geom IS NOT NULL AND {WIDTH} >= :least_width_m ORDER BY width
        """,
    ),
    Layer(
        "boundaries",
        f"""
        SELECT l.rank, {_cut("ST_Boundary(u.geom)")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE u.edition_id = :edition_id AND u.level = ANY(:levels) AND u.{IN_BOX} ORDER BY l.rank DESC
        """,
    ),
    Layer(
        "areas",
        f"""
        SELECT u.name, u.name_en, l.rank, {_cut("u.label_geom")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE u.edition_id = :edition_id AND u.level = ANY(:levels) AND u.label_{IN_BOX} ORDER BY l.rank
        """,
    ),
    Layer("estates", f"SELECT name, name_en, {_cut('ST_PointOnSurface(geom)')} FROM estate WHERE {IN_BOX}", from_z=14),
    Layer(
        "names",
        f"""
        SELECT name, name_en, kind, {_cut("ST_PointOnSurface(geom)")} FROM (
            -- a park in many pieces has its name once, on the largest
            SELECT DISTINCT ON (name, kind) name, name_en, kind, geom FROM land
            WHERE {IN_BOX} AND name <> '' ORDER BY name, kind, ST_Area(geom) DESC
        ) AS land WHERE ST_Area(geom) > :least_deg2
        UNION ALL
        SELECT name, name_en, 'building', {_cut("ST_PointOnSurface(geom)")} FROM building
        WHERE :z >= 15 AND {IN_BOX} AND name <> ''
        """,
        from_z=12,
    ),
)


class TileConverter(BaseConverter):
    """Reads z/x/y in an address."""

    regex = r"\d{1,2}/\d{1,8}/\d{1,8}"
    part_isolating = False

    def to_python(self, value: str) -> Tile:
        """Return the tile; what is no tile of the pyramid is no address of ours."""
        try:
            return Tile(*map(int, value.split("/")))
        except Invalid as error:
            raise ValidationError from error

    def to_url(self, value: Tile) -> str:
        """Write the tile."""
        return f"{value.z}/{value.x}/{value.y}"


pages.record_once(lambda state: state.app.url_map.converters.update(tile=TileConverter))


@pages.get("/units/<int:edition_id>/<tile:tile>.mvt")
@auth.require()
def units(edition_id: int, tile: Tile) -> Response:
    """Answer with the units of an edition: the levels that are wide enough to be seen at this zoom."""
    params = {"edition_id": edition_id, "levels": visible(_levels(edition_id), tile)}
    return _immutable(_kept(f"units/{edition_id}", tile, UNITS, params))


@pages.get("/straddlers/<version>/<int:edition_id>/<level>/<tile:tile>.mvt")
@auth.require()
def straddlers(version: str, edition_id: int, level: str, tile: Tile) -> Response:
    """Answer with the buildings, streets and estates that lie across lines of a level."""
    if level not in _levels(edition_id):
        raise NotFound("tiles.no_level", level=level)
    params = {"edition_id": edition_id, "level": level}
    return _dated(version, f"straddlers-{edition_id}-{level}", tile, STRADDLERS, params)


@pages.get("/base/<version>/<tile:tile>.mvt")
@auth.require()
def base(version: str, tile: Tile) -> Response:
    """Answer with the base map: land, streets, buildings, the lines and names of the first net."""
    edition_id = first_edition(auth.session())
    params = {
        "edition_id": edition_id,
        "levels": visible(_levels(edition_id), tile, least_px=24) if edition_id else [],
        "least_m2": 350 if tile.z < 14 else 0,
        "least_deg2": (360 / 2**tile.z * NAME_PART) ** 2,
        "least_width_m": 0 if tile.z >= 13 else 2 ** (13 - tile.z) * 5,
    }
    return _dated(version, "base", tile, BASE, params)


def base_version(session: Session) -> str:
    """Return the version of the base map: it changes with every import of a layer and with the editions in force."""
    seen = session.execute(
        text("""
            SELECT layer, version::text FROM ground_version
            UNION ALL SELECT net, id::text FROM edition
            WHERE state = 'active' AND valid_from <= :on AND (valid_to IS NULL OR valid_to > :on) ORDER BY 1, 2
        """),
        {"on": auth.today()},
    )
    return hashlib.sha256(repr([tuple(row) for row in seen]).encode()).hexdigest()[:12]


def first_edition(session: Session) -> int | None:
    """Return the edition in force of the net that comes first: its lines are the base map's."""
    in_force = units_of_ground.in_force(session, auth.today())
    return in_force[0].id if in_force else None


def visible(widths_m: Mapping[str, float], tile: Tile, least_px: float = LEAST_WIDTH_PX) -> list[str]:
    """Choose the levels whose typical unit is wide enough at a tile's zoom; the coarsest always is."""
    box = tile.bbox
    metres_per_px = EQUATOR_M * math.cos(math.radians((box.south + box.north) / 2)) / 2**tile.z / TILE_PX
    least_m = least_px * metres_per_px
    return [level for i, (level, width_m) in enumerate(widths_m.items()) if i == 0 or width_m >= least_m]


def draw(session: Session, tile: Tile, layers: Iterable[Layer], params: Mapping[str, object]) -> bytes:
    """Ask PostGIS for a tile; layers that begin at a later zoom are left out."""
    box = tile.bbox
    margin_lon, margin_lat = (box.east - box.west) * MARGIN, (box.north - box.south) * MARGIN
    corners = {
        "west": box.west - margin_lon,
        "south": box.south - margin_lat,
        "east": box.east + margin_lon,
        "north": box.north + margin_lat,
    }
    bound = {**params, **corners, "z": tile.z, "x": tile.x, "y": tile.y, "buffer": int(EXTENT * MARGIN)}
    drawn = (session.execute(text(_sql(layer)), bound).scalar_one() for layer in layers if tile.z >= layer.from_z)
    return b"".join(bytes(part) for part in drawn)


def _sql(layer: Layer) -> str:
    return MVT.format(name=layer.name, rows=layer.rows, id="'id'" if layer.numbered else "NULL")


def _levels(edition_id: int | None) -> dict[str, float]:
    """Return how wide a typical unit of each level is in metres, coarsest first; an edition never changes, so once."""
    known: dict[int | None, dict[str, float]] = current_app.extensions.setdefault("tiles.levels", {})
    if edition_id not in known:
        rows = auth.session().execute(
            text("""
                SELECT u.level, sqrt(percentile_cont(0.5) WITHIN GROUP (ORDER BY u.area_m2))
                FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
                WHERE u.edition_id = :edition_id GROUP BY u.level, l.rank ORDER BY l.rank
            """),
            {"edition_id": edition_id},
        )
        found = {level: float(width_m) for level, width_m in rows}
        if not found:
            raise NotFound("tiles.no_edition", edition=edition_id)
        known[edition_id] = found
    return known[edition_id]


def _dated(version: str, name: str, tile: Tile, layers: Iterable[Layer], params: Mapping[str, object]) -> Response:
    """Answer from the kept tiles of this version; for another version with what is true now, kept by nobody."""
    if version == base_version(auth.session()):
        return _immutable(_kept(f"{name}/{version}", tile, layers, params))
    response = _packed(gzip.compress(draw(auth.session(), tile, layers, params), 6))
    response.headers["Cache-Control"] = "no-store"
    return response


def _kept(name: str, tile: Tile, layers: Iterable[Layer], params: Mapping[str, object]) -> bytes:
    """Read a tile from the disk, or draw it and keep it; empty ones are quicker drawn than kept."""
    folder: Path = auth.settings().var_dir / "tiles" / name / str(tile.z) / str(tile.x)
    path = folder / f"{tile.y}.mvt.gz"
    if path.exists():
        return path.read_bytes()
    drawn = draw(auth.session(), tile, layers, params)
    packed = gzip.compress(drawn, 6)
    if drawn:
        folder.mkdir(parents=True, exist_ok=True)
        # written aside and renamed: another request never reads half a tile
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(packed)
        os.replace(file.name, path)  # noqa: PTH105 - one call, atomic
    return packed


def _packed(packed: bytes) -> Response:
    return Response(packed, mimetype=MIME, headers={"Content-Encoding": "gzip", "Vary": "Cookie"})


def _immutable(packed: bytes) -> Response:
    response = _packed(packed)
    # private: a tile is for people who signed in, not for a shared cache on the way
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
