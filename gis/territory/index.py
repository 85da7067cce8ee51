"""Which units cover a point, what shares of a footprint lie in which, how far is the line: exact, from memory.

The index of an edition is built from the record in PostGIS and never changes, as a loaded edition never does. Points
are decided by GEOS's robust predicates, the same that answer ST_Covers: no epsilon. Boundaries are searched in the
ellipsoidal Mercator plane, which is conformal: the chunk of line nearest there is the nearest on the ground (the error
of that choice is d * d / R: 2 mm at 100 m), and its distance is then measured in the tangent plane at the point.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import coords, units
from gis.territory.location import UnitRef

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
Geometries = npt.NDArray[np.object_]
FaultKey = tuple[str, str]

# What `only` answers instead of a row.
NONE, SEVERAL = -1, -2
EDGES_PER_CHUNK = 16
# Indexes kept per process; the least lately asked is dropped first.
KEPT_EDITIONS = 48
ECCENTRICITY = float(np.sqrt(coords.GEOD.es))


@dataclass(frozen=True)
class Shares:
    """What footprints have in units: footprint and row are positions; share is of area, or of length for a line."""

    footprint: Ints
    row: Ints
    share: Floats


class LevelIndex:
    """The units of one level of one edition. Rows are positions in `refs`, which go by code."""

    def __init__(self, refs: tuple[UnitRef, ...], geometries: Geometries, above: tuple[UnitRef, ...] = ()) -> None:
        self.refs = refs
        self.above = {ref.code: row for row, ref in enumerate(above)}
        self.geometries = geometries
        shapely.prepare(geometries)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The units by their boxes."""
        return shapely.STRtree(self.geometries)

    @cached_property
    def boundaries(self) -> Boundaries:
        """The lines of the level, made at the first question for a distance."""
        return Boundaries(self.geometries)

    @cached_property
    def parent(self) -> Rows:
        """Give for each unit the row of its parent in the level above, NONE without one."""
        return np.array([self.above.get(ref.parent_code or "", NONE) for ref in self.refs], dtype=np.int32)

    def only(self, lon: Floats, lat: Floats) -> Rows:
        """Return for each point the row of the one unit that covers it; NONE without, SEVERAL on lines and overlaps."""
        point, row = self.covering(lon, lat)
        count = np.bincount(point, minlength=len(lon))
        only = np.where(count == 0, NONE, SEVERAL).astype(np.int32)
        one = count[point] == 1
        only[point[one]] = row[one]
        return only

    def covering(self, lon: Floats, lat: Floats) -> tuple[Ints, Ints]:
        """Return (point, row) of every unit that covers a point, edges and vertices included, by point then code."""
        point, row = self.tree.query(shapely.points(lon, lat))
        # Twice as fast as with points as geometries, and the same predicate.
        hit = shapely.intersects_xy(self.geometries[row], lon[point], lat[point])
        return _ordered(point[hit], row[hit])

    def interior(self, rows: Ints, lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
        """Say pair by pair whether a point lies in the inside of a unit, not on its edge."""
        return np.asarray(shapely.contains_properly(self.geometries[rows], shapely.points(lon, lat)))

    def within(self, lon: Floats, lat: Floats, reach_m: float) -> tuple[Ints, Ints, Floats]:
        """Return (point, row, distance in metres) of every unit within a distance of a point; 0: it covers it."""
        inside = np.column_stack(self.covering(lon, lat))
        near = np.column_stack(self.boundaries.within(lon, lat, reach_m))
        pairs, first = np.unique(np.concatenate([inside, near]), axis=0, return_index=True)
        point, row = pairs[:, 0], pairs[:, 1]
        distance = np.zeros(len(pairs))
        for nth in np.flatnonzero(first >= len(inside)):
            at = coords.Plane(lon[point[nth]], lat[point[nth]])
            line = shapely.clip_by_rect(shapely.boundary(self.geometries[row[nth]]), *_square(at, reach_m))
            distance[nth] = at.to_plane(line).distance(shapely.Point(0, 0))
        return point, row, distance

    def nearest(self, lon: Floats, lat: Floats) -> tuple[Floats, Ints]:
        """Return for each point the distance in metres to the nearest boundary, and a row that boundary is of."""
        return self.boundaries.nearest(lon, lat)

    def is_near(self, lon: Floats, lat: Floats, reach_m: float) -> npt.NDArray[np.bool_]:
        """Say of each point whether a boundary comes within a distance."""
        return self.boundaries.nearest(lon, lat)[0] <= reach_m

    def shares(self, footprints: Geometries) -> Shares:
        """Return the exact share of each footprint in each unit it meets, of its planar area or of its length."""
        footprint, row = self.tree.query(footprints)
        hit = shapely.intersects(self.geometries[row], footprints[footprint])
        footprint, row = _ordered(footprint[hit], row[hit])
        whole = np.asarray(shapely.covers(self.geometries[row], footprints[footprint]))
        share = np.ones(len(row))
        parted = ~whole
        of = footprints[footprint[parted]]
        share[parted] = measure_cut(shapely.intersection, of, self.geometries[row[parted]]) / measure(of)
        some = share > 0
        return Shares(footprint[some], row[some], share[some])

    def uncovered(self, footprint: shapely.Geometry, rows: Ints) -> tuple[float, float]:
        """Return the shares of a footprint on nobody's ground and on ground covered more than once."""
        held = np.full(len(rows), footprint, dtype=object)
        ground = np.array([shapely.union_all(self.geometries[rows])], dtype=object)
        own = float(measure_cut(shapely.intersection, held, self.geometries[rows]).sum())
        once = float(measure_cut(shapely.intersection, held[:1], ground)[0])
        bare = float(measure_cut(shapely.difference, held[:1], ground)[0])
        size = float(measure(held[:1])[0])
        return bare / size, (own - once) / size


class Boundaries:
    """The boundaries of a level in chunks of a few edges, for distances in metres."""

    def __init__(self, geometries: Geometries) -> None:
        lines = shapely.get_parts(shapely.boundary(geometries), return_index=True)
        self.row, self.edges = _chunks(*lines)
        east, north = mercator(self.edges[..., 0], self.edges[..., 1])
        self.tree = shapely.STRtree(_lines(np.stack([east, north], axis=-1)))

    def nearest(self, lon: Floats, lat: Floats) -> tuple[Floats, Ints]:
        """Return for each point the distance in metres to the nearest boundary, and a row that boundary is of."""
        east, north = mercator(lon, lat)
        point, chunk = self.tree.query_nearest(shapely.points(east, north), all_matches=False)
        distance, row = np.full(len(lon), np.inf), np.full(len(lon), -1)
        distance[point] = _to_edges_m(lon[point], lat[point], self.edges[chunk])
        row[point] = self.row[chunk]
        return distance, row

    def within(self, lon: Floats, lat: Floats, reach_m: float) -> tuple[Ints, Ints]:
        """Return (point, row) of every unit whose boundary comes within a distance of a point, by point then code."""
        east, north = mercator(lon, lat)
        # The plane is in radians of longitude; a little more than enough is asked for, and then measured.
        reach = np.radians(1.001 * reach_m / coords.metres_per_degree(lat)[0])
        point, chunk = self.tree.query(shapely.points(east, north), "dwithin", reach)
        near = _to_edges_m(lon[point], lat[point], self.edges[chunk]) <= reach_m
        pairs = np.unique(np.column_stack([point[near], self.row[chunk[near]]]), axis=0)
        return pairs[:, 0], pairs[:, 1]

    def nearest_to(self, extent: BaseGeometry) -> tuple[float, int]:
        """Return the distance in metres from a line or polygon to the nearest boundary, and a row it is of."""
        if not len(self.row):
            return float("inf"), -1
        projected = shapely.transform(extent, lambda at: np.column_stack(mercator(at[:, 0], at[:, 1])))
        chunk = int(self.tree.query_nearest(projected, all_matches=False)[0])
        plane = coords.Plane(*shapely.get_coordinates(shapely.centroid(extent))[0])
        line = plane.to_plane(shapely.LineString(self.edges[chunk]))
        return float(shapely.distance(plane.to_plane(extent), line)), int(self.row[chunk])


class EditionIndex:
    """All levels of an edition, with the gaps and exclaves that were accepted at its load."""

    def __init__(
        self, edition: units.EditionRef, levels: dict[str, LevelIndex], faults: dict[FaultKey, Geometries]
    ) -> None:
        self.edition = edition
        self.levels = levels
        self.faults = faults
        self.divides = {level.code: level.divides for level in edition.levels}
        self.codes = {level: frozenset(ref.code for ref in index.refs) for level, index in levels.items()}

    def in_gap(self, level: str, geometry: shapely.Geometry) -> bool:
        """Say whether a place meets a known gap of a level."""
        return bool(shapely.intersects(self._of_kind("gap", level), geometry).any())

    def in_exclave(self, level: str, points: Geometries) -> npt.NDArray[np.bool_]:
        """Say of each point whether it lies in a part of its unit that is cut off from the rest."""
        exclaves = self._of_kind("exclave", level)
        return np.asarray(shapely.intersects(exclaves[:, None], points[None, :]).any(axis=0))

    def _of_kind(self, kind: str, level: str) -> Geometries:
        return self.faults.get((kind, level), np.empty(0, dtype=object))


def of(session: Session, edition: units.EditionRef) -> EditionIndex:
    """Return the index of an edition, built at the first question and kept in this process."""
    database = str(session.connection().engine.url)
    key = (database, edition.id)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    built = build(session, edition)
    with _lock:
        _kept[key] = built
        while len(_kept) > KEPT_EDITIONS:
            _kept.popitem(last=False)
    return built


_kept: OrderedDict[tuple[str, int], EditionIndex] = OrderedDict()
_lock = Lock()


def build(session: Session, edition: units.EditionRef) -> EditionIndex:
    """Build the index of an edition from its record."""
    table = units.load_units(session, edition.id)
    levels: dict[str, LevelIndex] = {}
    above: tuple[UnitRef, ...] = ()
    for level in edition.levels:
        rows = np.flatnonzero(table.level == level.code)
        refs = tuple(table.ref(int(row)) for row in rows)
        levels[level.code] = LevelIndex(refs, table.geometry[rows], above)
        above = refs
    return EditionIndex(edition, levels, _faults(session, edition.id))


def _square(plane: coords.Plane, reach_m: float) -> tuple[float, float, float, float]:
    (west, east), (south, north) = plane.lonlat(np.array([-reach_m, reach_m]), np.array([-reach_m, reach_m]))
    return float(west), float(south), float(east), float(north)


def _faults(session: Session, edition_id: int) -> dict[FaultKey, Geometries]:
    rows = session.execute(
        text(
            "SELECT kind, level, ST_AsBinary(geom) FROM fault"
            " WHERE edition_id = :id AND kind IN ('gap', 'exclave') AND geom IS NOT NULL"
        ),
        {"id": edition_id},
    )
    found: dict[FaultKey, list[bytes]] = defaultdict(list)
    for kind, level, geom in rows:
        found[kind, level].append(bytes(geom))
    return {key: np.asarray(shapely.from_wkb(np.array(geoms, dtype=object))) for key, geoms in found.items()}


def measure(footprints: Geometries) -> Floats:
    """Return area (square degrees, planar) of polygons and length (metres on the ellipsoid) of lines."""
    is_line = shapely.get_dimensions(footprints) == 1
    size = np.asarray(shapely.area(footprints), dtype=np.float64)
    if is_line.any():
        size[is_line] = path_lengths_m(footprints[is_line])
    return size


def measure_cut(
    cut: Callable[[Geometries, Geometries], Geometries], footprints: Geometries, grounds: Geometries
) -> Floats:
    """Measure what a cut (intersection, difference) with its ground leaves of each footprint.

    Lines are cut edge by edge: a line that runs over itself would lose the repetition in one cut.
    """
    is_line = shapely.get_dimensions(footprints) == 1
    size = np.zeros(len(footprints))
    size[~is_line] = shapely.area(cut(footprints[~is_line], grounds[~is_line]))
    if is_line.any():
        edges, owner = _edges(footprints[is_line])
        lengths = path_lengths_m(cut(edges, grounds[is_line][owner]))
        size[is_line] = np.bincount(owner, weights=lengths, minlength=int(is_line.sum()))
    return size


def _edges(lines: Geometries) -> tuple[Geometries, Ints]:
    parts, owner = shapely.get_parts(lines, return_index=True)
    vertices, part = shapely.get_coordinates(parts, return_index=True)
    inside = part[1:] == part[:-1]
    ends = np.stack([vertices[:-1][inside], vertices[1:][inside]], axis=1)
    return _lines(ends), owner[part[1:][inside]]


def _lines(vertices: Floats) -> Geometries:
    return np.asarray(shapely.linestrings(vertices), dtype=object)


def path_lengths_m(lines: Geometries) -> Floats:
    """Return the length on the ellipsoid of lines as they are stored: straight in degrees between vertices.

    Geodesics between the vertices would be shorter by some 1e-8 and not add up when a line is cut; this integral
    (Gauss, three points an edge) does, which shares need.
    """
    parts, owner = shapely.get_parts(lines, return_index=True)
    keep = shapely.get_dimensions(parts) == 1
    vertices, part = shapely.get_coordinates(parts[keep], return_index=True)
    inside = part[1:] == part[:-1]
    start, step = vertices[:-1][inside], np.diff(vertices, axis=0)[inside]
    metres = np.zeros(len(start))
    for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
        east, north = coords.metres_per_degree(start[:, 1] + step[:, 1] * (1 + node) / 2)
        metres += weight / 2 * np.hypot(step[:, 0] * east, step[:, 1] * north)
    return np.bincount(owner[keep][part[1:][inside]], weights=metres, minlength=len(lines)).astype(np.float64)


def mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Project degrees to the ellipsoidal Mercator plane, in radians of longitude. Conformal, unlike the web's."""
    sine = np.sin(np.radians(lat))
    return np.radians(lon), np.arctanh(sine) - ECCENTRICITY * np.arctanh(ECCENTRICITY * sine)


def _ordered(first: Ints, row: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((row, first))
    return first[order], row[order]


def _chunks(lines: Geometries, owner: Ints) -> tuple[Ints, Floats]:
    """Cut lines into chunks of equal length: (chunk,) owner and (chunk, EDGES_PER_CHUNK + 1, 2) degrees.

    The last chunk of a line is filled up with its last vertex, which adds edges of no length.
    """
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    count = np.bincount(line, minlength=len(lines))
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    chunks = np.maximum(-(-(count - 1) // EDGES_PER_CHUNK), 1)
    line_of = np.repeat(np.arange(len(lines)), chunks)
    nth = np.arange(chunks.sum()) - np.repeat(np.cumsum(chunks) - chunks, chunks)
    start = first[line_of] + nth * EDGES_PER_CHUNK
    last = first[line_of] + count[line_of] - 1
    at = np.minimum(start[:, None] + np.arange(EDGES_PER_CHUNK + 1), last[:, None])
    return owner[line_of], vertices[at]


def _to_edges_m(lon: Floats, lat: Floats, edges: Floats) -> Floats:
    """Return the distance in metres from each point to its own chunk of edges, (point, vertex, 2) in degrees."""
    east, north = coords.metres_per_degree(lat[:, None])
    x, y = (edges[..., 0] - lon[:, None]) * east, (edges[..., 1] - lat[:, None]) * north
    ax, ay, dx, dy = x[:, :-1], y[:, :-1], np.diff(x), np.diff(y)
    square = dx * dx + dy * dy
    along = np.clip(-(ax * dx + ay * dy) / np.where(square > 0, square, 1.0), 0.0, 1.0)
    return np.asarray(np.hypot(ax + along * dx, ay + along * dy).min(axis=1))
