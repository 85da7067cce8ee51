"""What is drawn on a tile at which zoom: the units of an edition, what lies across their lines, the base map."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.orm import Session

from gis.db import Prepared
from gis.territory import places
from gis.territory.coords import Tile

# Grows when tiles are drawn another way: those that browsers and the disk keep are not asked for any more.
DRAWING = 3
# A level is drawn from the zoom at which its typical unit is this wide: finer ones are a grey wash, and nobody can hit
# a cell with the pointer there.
LEAST_WIDTH_PX = 8
# Codes and names come along when units are this wide; before, the page asks who it is that the pointer rests on.
# Seventy thousand names that nobody reads would be most of what is sent.
LEAST_NAMED_PX = 16
# Lines on the base map want more room, for their ground is named on it.
LEAST_LINED_PX = 48
# A house that covers less of a screen is dust.
LEAST_HOUSE_PX2 = 6
# Browsers paint the base map's tiles twice as wide as the others.
TILE_PX, BASE_TILE_PX = 256, 512
EQUATOR_M = 2 * math.pi * 6378137
# Browsers stretch the tiles of this zoom for all nearer ones, so they alone are exact.
LAST_Z = 16
EXACT_EXTENT = 4096
# Farther away a third of a pixel is the grid, and a bend of less than two fifths is left out: a screen shows neither.
GRID_PX, BEND_PX = 1 / 3, 2 / 5
# side of the smallest piece of land that is named, as a part of a tile's
NAME_PART = 0.08
# part of a tile drawn beyond its edges, so that strokes do not end there
MARGIN = 1 / 64


# OFFSET 0: or each shape would be cut twice, once to see that something of it is left.
MVT = """
    SELECT ST_AsMVT(t, '{name}', CAST(:extent AS integer), 'geom', {id}) FROM ({rows} OFFSET 0) AS t
    WHERE t.geom IS NOT NULL
"""


def _cut(geom: str) -> str:
    """Write the SQL that turns degrees into a tile's own units, as fine as its zoom can show.

    A shape is simplified whole, or its pieces would not meet at the edges of tiles; where nothing is simplified, what
    lies far off is left out first: of a district a tile shows a hundredth.
    """
    near = "ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 4326), :east - :west)"
    seen = f"""
        CASE WHEN CAST(:bend_m AS double precision) > 0
             THEN ST_Simplify(ST_Transform({geom}, 3857), :bend_m, true)
             ELSE ST_Transform(ST_ClipByBox2D({geom}, {near}), 3857) END
    """
    return f"ST_AsMVTGeom({seen}, ST_TileEnvelope(:z, :x, :y), :extent, :buffer) AS geom"


def _called(table: str) -> str:
    """Write the SQL for a name in the reader's language, or else in the other one."""
    return f"""
        coalesce(nullif(CASE WHEN :lang = 'en' THEN {table}.name_en ELSE {table}.name END, ''),
                 nullif({table}.name, ''), {table}.name_en) AS name
    """


@dataclass(frozen=True)
class Layer:
    """A layer of a tile: SQL that gives its rows, `geom` cut to the tile, and the zoom it begins at.

    numbered: the rows have an `id`, which is a feature's own number and costs no property. tile_px: how wide a tile is
    painted.
    """

    name: str
    rows: str
    from_z: int = 0
    numbered: bool = False
    tile_px: int = TILE_PX


IN_BOX = "geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"

UNITS = (
    Layer(
        "units",
        f"""
        SELECT u.id, u.level, CASE WHEN u.level = ANY(:named) THEN u.code END AS code,
               CASE WHEN u.level = ANY(:named) THEN called.name END AS name,
               u.level = (CAST(:levels AS text[]))[cardinality(:levels)] AS finest,
               {_cut("u.geom")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        CROSS JOIN LATERAL (SELECT {_called("u")}) AS called
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

# What counts as a part is said by the settings, for the list beside the map and for the map alike.
ACROSS = f"""
    SELECT '{{kind}}' AS kind, p.id, {_cut("p.geom")}
    FROM {{kind}} p CROSS JOIN LATERAL (
        SELECT count(*) AS sides, max(s.share) AS most FROM place_share s JOIN unit u ON u.id = s.unit_id
        WHERE s.kind = '{{kind}}' AND s.place_id = p.id AND s.edition_id = :edition_id AND u.level = :level
        AND (s.share > :sliver_share OR s.share * p.area_m2 > :sliver_m2)
    ) AS parts
    WHERE p.{IN_BOX} AND parts.sides > 1 AND parts.most < 0.999999
    -- only what is parted somewhere can lie across a line; this much is read from a small index
    AND p.id IN (SELECT place_id FROM place_share
                 WHERE edition_id = :edition_id AND kind = '{{kind}}' AND share < 0.999999)
"""

STRADDLERS = (
    Layer("straddlers", " UNION ALL ".join(ACROSS.format(kind=kind) for kind in places.SHARED_KINDS), from_z=12),
)

# Farther away they are a carpet.
POINTS_FROM_Z = 15
POINTS = (
    Layer(
        "points",
        f"SELECT id, category AS kind, state, {_cut('geom')} FROM component WHERE {IN_BOX}",
        from_z=POINTS_FROM_Z,
        numbered=True,
    ),
)

# A road is as important as it is wide: classes are words of each source, metres are the same everywhere.
# Whole metres are enough to paint by, and a few bytes instead of nine.
WIDTH = "CAST(coalesce(width_m, area_m2 / greatest(length_m, 1)) AS integer)"

# The base map names a street where it is wide enough at the zoom of its tile.
NAMED_FROM_M = ((15, 0), (13, 12), (12, 22), (0, 36))


def _gathered(alike: str, rows: str) -> str:
    """Write the SQL that makes one shape of all rows that look alike: half the bytes."""
    columns, group = (f"{alike},", f"GROUP BY {alike} ORDER BY {alike}") if alike else ("", "")
    return (
        f"SELECT {columns} ST_CollectionHomogenize(ST_Collect(geom)) AS geom FROM ({rows}) AS each {group}"
    )


def _base(name: str, rows: str, from_z: int = 0) -> Layer:
    return Layer(name, rows, from_z, tile_px=BASE_TILE_PX)


BASE = (
    _base("land", f"SELECT kind, {_called('land')}, {_cut('geom')} FROM land WHERE {IN_BOX} ORDER BY kind = 'water'"),
    _base(
        "buildings",
        _gathered("", f"SELECT {_cut('geom')} FROM building WHERE {IN_BOX} AND area_m2 >= :least_m2"),
        from_z=13,
    ),
    _base(
        "roads",
        _gathered("width", f"SELECT {WIDTH} AS width, {_cut('geom')} FROM street WHERE {IN_BOX}"),
        from_z=14,
    ),
    _base(
        "lines",
        _gathered(
            "width, name",
            f"""
            SELECT {WIDTH} AS width, CASE WHEN {WIDTH} >= :named_from_m THEN called.name END AS name,
                   {_cut("centre_geom")}
            FROM street CROSS JOIN LATERAL (SELECT {_called("street")}) AS called
            WHERE {IN_BOX} AND centre_geom IS NOT NULL AND {WIDTH} >= :least_width_m
            """,
        ),
    ),
    _base(
        "boundaries",
        f"""
        SELECT l.rank, {_cut("ST_Boundary(u.geom)")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE u.edition_id = :edition_id AND u.level = ANY(:levels) AND u.{IN_BOX} ORDER BY l.rank DESC
        """,
    ),
    _base(
        "areas",
        f"""
        SELECT {_called("u")}, l.rank, {_cut("u.label_geom")}
        FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
        WHERE u.edition_id = :edition_id AND u.level = ANY(:levels) AND u.{IN_BOX} AND u.label_{IN_BOX} ORDER BY l.rank
        """,
    ),
    _base(
        "estates",
        f"SELECT {_called('estate')}, {_cut('ST_PointOnSurface(geom)')} FROM estate WHERE {IN_BOX}",
        from_z=14,
    ),
    _base(
        "names",
        f"""
        SELECT {_called("land")}, kind, {_cut("ST_PointOnSurface(geom)")} FROM (
            -- a park in many pieces has its name once, on the largest
            SELECT DISTINCT ON (name, kind) name, name_en, kind, geom FROM land
            WHERE {IN_BOX} AND name <> '' ORDER BY name, kind, ST_Area(geom) DESC
        ) AS land WHERE ST_Area(geom) > :least_deg2
        UNION ALL
        SELECT {_called("building")}, 'building', {_cut("ST_PointOnSurface(geom)")} FROM building
        WHERE :z >= 15 AND {IN_BOX} AND name <> ''
        """,
        from_z=12,
    ),
)


@dataclass(frozen=True)
class Widths:
    """How wide a typical unit of each level is in metres, coarsest first, and the latitude of their middle."""

    lat: float
    metres: Mapping[str, float]

    def wide_from(self, least_px: float) -> dict[str, int]:
        """Return the zoom from which the units of each level are as wide as this."""
        round_m = EQUATOR_M * math.cos(math.radians(self.lat))
        wanted = {level: least_px * round_m / (TILE_PX * width_m) for level, width_m in self.metres.items()}
        return {level: max(0, math.ceil(math.log2(tiles))) for level, tiles in wanted.items()}

    def shown_from(self, least_px: float = LEAST_WIDTH_PX) -> dict[str, int]:
        """Return the zoom from which each level is drawn: once it is wide enough, and the coarsest always."""
        wide = self.wide_from(least_px)
        return wide | dict.fromkeys([*wide][:1], 0)


def visible(widths: Widths, z: int, least_px: float = LEAST_WIDTH_PX) -> list[str]:
    """Choose the levels that are drawn at a zoom."""
    return [level for level, first_z in widths.shown_from(least_px).items() if z >= first_z]


def unit_params(widths: Widths, tile: Tile) -> dict[str, object]:
    """Return the levels whose units are drawn on a tile, and those that are named."""
    named = [level for level, first_z in widths.wide_from(LEAST_NAMED_PX).items() if tile.z >= first_z]
    return {"levels": visible(widths, tile.z), "named": named}


def draw(session: Session, tile: Tile, layers: Iterable[Layer], params: Mapping[str, object]) -> bytes:
    """Ask PostGIS for a tile of layers that are painted equally wide; those that begin at a later zoom are left out."""
    box = tile.bbox
    margin_lon, margin_lat = (box.east - box.west) * MARGIN, (box.north - box.south) * MARGIN
    corners = {
        "west": box.west - margin_lon,
        "south": box.south - margin_lat,
        "east": box.east + margin_lon,
        "north": box.north + margin_lat,
    }
    bound = {**params, **corners, "z": tile.z, "x": tile.x, "y": tile.y}
    shown = [layer for layer in layers if tile.z >= layer.from_z]
    if not shown:
        return b""
    (tile_px,) = {layer.tile_px for layer in shown}
    return bytes(_statement(tuple(shown)).run(session, bound | _fineness(tile_px, tile)).scalar_one())


def _fineness(tile_px: int, tile: Tile) -> dict[str, float]:
    """Say how fine a tile is drawn that is painted so wide: as fine as a screen shows it."""
    exact = tile.z >= LAST_Z
    extent = EXACT_EXTENT if exact else round(tile_px / GRID_PX)
    bend_m = 0.0 if exact else BEND_PX * EQUATOR_M / tile_px / 2**tile.z
    return {"extent": extent, "buffer": int(extent * MARGIN), "bend_m": bend_m}


@lru_cache
def _statement(layers: tuple[Layer, ...]) -> Prepared:
    """Ask for all layers in one: what one of an almost empty tile costs is the way to the database and back."""
    return Prepared("SELECT " + " || ".join(f"coalesce(({_sql(layer)}), '')" for layer in layers))


def _sql(layer: Layer) -> str:
    return MVT.format(name=layer.name, rows=layer.rows, id="'id'" if layer.numbered else "NULL")


def base_params(widths: Widths, tile: Tile) -> dict[str, object]:
    """Return how small what is drawn on the base map may be at a tile's zoom."""
    box = tile.bbox
    px_m = EQUATOR_M * math.cos(math.radians((box.south + box.north) / 2)) / 2**tile.z / BASE_TILE_PX
    return {
        "levels": visible(widths, tile.z, LEAST_LINED_PX * TILE_PX / BASE_TILE_PX),
        "least_m2": 0 if tile.z >= LAST_Z else LEAST_HOUSE_PX2 * px_m**2,
        "least_deg2": (360 / 2**tile.z * NAME_PART) ** 2,
        "least_width_m": 0 if tile.z >= 13 else 2 ** (13 - tile.z) * 5,
        "named_from_m": next(width_m for z, width_m in NAMED_FROM_M if tile.z >= z),
    }
