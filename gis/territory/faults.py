"""Faults of a set of boundaries: overlaps, gaps, slivers, broken nesting, bad rings and codes. Pure; mends nothing.

Pieces narrower than a line can be drawn (1 cm) are no faults: they are what rounding leaves along a line that two
units share, and come back as one `mismatch` for each level, with the widest place in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from gis.territory import codes, coords
from gis.territory.coords import Floats, Geometries

Json = dict[str, Any]
Indices = NDArray[np.int64]

# Facts that no load is refused for: an exclave may be lawful, a mismatch is what rounding leaves.
NOTED = frozenset({"exclave", "mismatch"})
# Faults that cannot be stored even if accepted: there is no unit, or it cannot be told from another.
FATAL = frozenset({"empty", "duplicate_code", "malformed_code"})
GRID_DEG = 1e-10
NEIGHBOUR_DEG = 1e-9


@dataclass(frozen=True)
class Tolerance:
    """How large a fault may be and still be loaded without a word of acceptance.

    sliver_m: a gap or overlap narrower on average is called a sliver; line_m: narrower still, it is a mismatch.
    """

    overlap_m2: float = 1.0
    gap_m2: float = 1.0
    outside_m2: float = 1.0
    sliver_m: float = 0.5
    line_m: float = 0.01


@dataclass(frozen=True)
class LevelRule:
    """What is asked of the units of a level. digits: of its codes, where they are division codes."""

    code: str
    digits: int | None = None
    name_zh: str = ""
    name_en: str = ""

    @property
    def names(self) -> Json:
        """Give what sentences call it; each language takes its own."""
        return {"level_zh": self.name_zh or self.code, "level_en": self.name_en or self.code}


@dataclass(frozen=True)
class Fault:
    """One fault and its place. length_m: of the piece along its line; params width_m: its mean width across it.

    level_names: what sentences call its level, by language.
    """

    kind: str
    level: str
    codes: tuple[str, ...]
    area_m2: float | None = None
    length_m: float | None = None
    geometry: BaseGeometry | None = None
    params: Json = field(default_factory=dict)
    level_names: Json = field(default_factory=dict)

    @property
    def lonlat(self) -> tuple[float, float] | None:
        """Give a point of the place in degrees, inside it if it is an area."""
        if self.geometry is None or self.geometry.is_empty:
            return None
        point = self.geometry.representative_point()
        return point.x, point.y

    @property
    def sentence(self) -> str:
        """Give the code of its sentence."""
        if self.kind == "exclave" and not self.params["touching"]:
            return "fault.island"
        detail = self.params.get("reason", "").partition("codes.")[2] or self.params.get("of", "")
        return f"fault.{self.kind}.{detail}" if detail else f"fault.{self.kind}"

    @property
    def told(self) -> Json:
        """Give the parameters of its sentence."""
        lon, lat = self.lonlat or (float("nan"), float("nan"))
        size = {"area_m2": round(self.area_m2 or 0, 2), "length_m": round(self.length_m or 0, 1)}
        named = {"codes": ", ".join(self.codes), "lon": f"{lon:.6f}", "lat": f"{lat:.6f}"}
        return self.level_names | named | size | self.params

    def is_above(self, tolerance: Tolerance) -> bool:
        """Say whether a load is refused for it."""
        limits = {"overlap": tolerance.overlap_m2, "gap": tolerance.gap_m2, "outside_parent": tolerance.outside_m2}
        if self.kind in NOTED:
            return False
        limit = limits.get(self.params.get("of", self.kind))
        return limit is None or (self.area_m2 or 0) > limit


@dataclass(frozen=True)
class _Layer:
    """The sound units of one level, as arrays of the same length."""

    level: str
    code: NDArray[np.object_]
    parent_code: NDArray[np.object_]
    geometry: Geometries


def find(
    units: gpd.GeoDataFrame,
    levels: Sequence[LevelRule],
    *,
    tolerance: Tolerance,
    parents: gpd.GeoDataFrame | None = None,
) -> list[Fault]:
    """Find every fault of units with the columns level, code, parent_code and geometry (EPSG:4326).

    levels: coarsest first. parents: the units (code, geometry) of another net that the coarsest level lies in.
    """
    found: list[Fault] = []
    above = None if parents is None else _layer("", parents.assign(parent_code=None))
    for rule in levels:
        own = units[units["level"] == rule.code]
        layer = _layer(rule.code, own)
        here = [*_bad_codes(own, rule), *_bad_shapes(own, rule.code), *_overlaps(layer, tolerance)]
        here += [*_gaps(layer, above, tolerance), *_exclaves(layer)]
        here += [] if above is None else _outside_parents(layer, above, tolerance)
        found += [replace(fault, level_names=rule.names) for fault in here]
        above = layer
    return found


def as_geojson(faults: Iterable[Fault]) -> Json:
    """Give the faults as a GeoJSON FeatureCollection in WGS 84."""
    return {"type": "FeatureCollection", "features": [_feature(fault) for fault in faults]}


def _feature(fault: Fault) -> Json:
    lon, lat = fault.lonlat or (None, None)
    told = {"kind": fault.kind, "level": fault.level, "codes": list(fault.codes), "lon": lon, "lat": lat}
    size = {"area_m2": fault.area_m2, "length_m": fault.length_m}
    shape = None if fault.geometry is None else mapping(fault.geometry)
    return {"type": "Feature", "geometry": shape, "properties": told | size | fault.params}


def _layer(level: str, units: gpd.GeoDataFrame) -> _Layer:
    """Keep what can be measured; a crossed ring is measured as the area it encloses, and stays a fault."""
    shapes = np.asarray(units.geometry.array, dtype=object)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    shapes = areal(shapes[there])
    code, parent = (units[name].to_numpy(dtype=object)[there] for name in ("code", "parent_code"))
    return _Layer(level, code, parent, shapes)


def areal(shapes: Geometries) -> Geometries:
    """Give valid polygons of what crossed rings enclose; valid ones come back as they are."""
    bad = ~shapely.is_valid(shapes)
    mended = shapes.copy()
    mended[bad] = [_polygons_of(shape) for shape in shapely.make_valid(shapes[bad], method="structure")]
    return mended


def _polygons_of(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


def _bad_codes(units: gpd.GeoDataFrame, rule: LevelRule) -> Iterator[Fault]:
    for at, (code, shape) in enumerate(zip(units["code"], units.geometry, strict=True)):
        reason = codes.unusable(code) or (rule.digits and codes.malformed(code, rule.digits))
        if reason:
            params = _origin(units, [at]) | {"reason": reason}
            yield Fault("malformed_code", rule.code, (code,), geometry=shape, params=params)
    for code, rows in units.reset_index(drop=True).groupby("code").groups.items():
        if len(rows) > 1:
            where = shapely.MultiPoint(list(shapely.point_on_surface(_existing(units.geometry.iloc[rows]))))
            params = _origin(units, rows) | {"count": len(rows)}
            yield Fault("duplicate_code", rule.code, (str(code),), geometry=where, params=params)


def _origin(units: gpd.GeoDataFrame, rows: Iterable[int]) -> Json:
    """Say which rows of which file units came from, if they tell."""
    if "file" not in units or "row" not in units:
        return {}
    found = units.iloc[list(rows)]
    return {"file": ", ".join(dict.fromkeys(found["file"])), "row": ", ".join(str(row) for row in found["row"])}


def _existing(shapes: gpd.GeoSeries) -> Geometries:
    return np.asarray(shapes[~(shapes.isna() | shapes.is_empty)].array, dtype=object)


def _bad_shapes(units: gpd.GeoDataFrame, level: str) -> Iterator[Fault]:
    shapes = np.asarray(units.geometry.array, dtype=object)
    for at in np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes)).tolist():
        yield Fault("empty", level, (units["code"].iloc[at],), params=_origin(units, [at]))
    for at in np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)).tolist():
        reason = shapely.is_valid_reason(shapes[at])
        place = re.search(r"\[([-\d.e]+) ([-\d.e]+)", reason)
        spot = shapely.Point(float(place[1]), float(place[2])) if place else shapes[at].representative_point()
        params = _origin(units, [at]) | {"reason": reason.partition("[")[0]}
        yield Fault("invalid_ring", level, (units["code"].iloc[at],), geometry=spot, params=params)


def _overlaps(layer: _Layer, tolerance: Tolerance) -> list[Fault]:
    """Overlay only units with an edge that no neighbour matches, against all: in a clean layer that is nobody."""
    shapes = layer.geometry
    suspect = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes))
    rows = np.flatnonzero(suspect)
    first, second = shapely.STRtree(shapes).query(shapes[rows], predicate="intersects")
    first = rows[first]
    # Each pair once: a unit that lies inside another has suspect edges, the other one has none.
    pair = (first < second) | ((first != second) & ~suspect[second])
    first, second = np.minimum(first, second)[pair], np.maximum(first, second)[pair]
    pieces, of = _pieces(shapely.intersection(shapes[first], shapes[second]))
    code = layer.code
    return _sized("overlap", layer.level, pieces, tolerance, lambda at: (code[first[of[at]]], code[second[of[at]]]))


def _gaps(layer: _Layer, above: _Layer | None, tolerance: Tolerance) -> list[Fault]:
    """Find ground of the parents that no child has; without parents, the holes inside the whole."""
    covered = _union(layer.geometry)
    if above is None or not len(above.geometry):
        left = _holes(covered)
    else:
        named = set(layer.parent_code)
        whole = _union(above.geometry[[code in named for code in above.code]])
        # On a grid of a hundredth of a millimetre: where lines nearly coincide the exact overlay tries for seconds.
        left = np.array([shapely.difference(whole, covered, grid_size=GRID_DEG)], dtype=object)
    pieces, _ = _pieces(left)
    tree = shapely.STRtree(layer.geometry)

    def beside(at: int) -> tuple[str, ...]:
        return tuple(sorted(layer.code[tree.query(pieces[at], predicate="dwithin", distance=NEIGHBOUR_DEG)]))

    return _sized("gap", layer.level, pieces, tolerance, beside)


def _holes(covered: BaseGeometry) -> Geometries:
    """Give what lies inside the holes of the ground and is not an island in them."""
    parts = shapely.get_parts(covered)
    rings, part = shapely.get_rings(parts, return_index=True)
    holes = np.asarray(shapely.polygons(rings[1:][part[1:] == part[:-1]]), dtype=object)
    hole, island = shapely.STRtree(parts).query(holes, predicate="covers")
    for at in np.unique(hole):
        holes[at] = shapely.difference(holes[at], shapely.union_all(parts[island[hole == at]]))
    return holes


def _union(shapes: Geometries) -> BaseGeometry:
    clean = shapely.is_empty(shapely.coverage_invalid_edges(shapes)).all()
    whole: BaseGeometry = shapely.coverage_union_all(shapes) if clean else shapely.union_all(shapes)
    return whole


def _outside_parents(layer: _Layer, above: _Layer, tolerance: Tolerance) -> list[Fault]:
    row_of = {code: row for row, code in enumerate(above.code)}
    parent = np.array([row_of.get(code, -1) for code in layer.parent_code], dtype=np.int64)
    found = [
        Fault("no_parent", layer.level, (layer.code[at],), geometry=layer.geometry[at], params={"parent": code or ""})
        for at, code in enumerate(layer.parent_code)
        if parent[at] < 0
    ]
    astray = np.flatnonzero((parent >= 0) & ~_covered(layer.geometry, above.geometry, parent))
    pieces, of = _pieces(shapely.difference(layer.geometry[astray], above.geometry[parent[astray]]))
    found += _sized("outside_parent", layer.level, pieces, tolerance, lambda at: (layer.code[astray[of[at]]],))
    return found


def _covered(children: Geometries, parents: Geometries, parent: Indices) -> NDArray[np.bool_]:
    """Say which children lie wholly in their parent; parent by parent, so that each is prepared once."""
    inside = np.zeros(len(children), dtype=bool)
    for row in np.unique(parent[parent >= 0]):
        own = np.flatnonzero(parent == row)
        shapely.prepare(parents[row])
        inside[own] = shapely.covers(parents[row], children[own])
    return inside


def _exclaves(layer: _Layer) -> Iterator[Fault]:
    """Tell the parts of a unit that do not touch its largest part, and which units lie around them."""
    tree = shapely.STRtree(layer.geometry)
    for at in np.flatnonzero(shapely.get_num_geometries(layer.geometry) > 1):
        parts = shapely.get_parts(layer.geometry[at])
        size_m2, outline_m = coords.areas_m2(parts), coords.lengths_m(parts)
        for part in np.flatnonzero(~shapely.intersects(parts, parts[size_m2.argmax()])):
            around = set(layer.code[tree.query(parts[part], predicate="intersects")]) - {layer.code[at]}
            params = {"touching": ", ".join(sorted(around))}
            size = (float(size_m2[part]), float(outline_m[part]) / 2)
            yield Fault("exclave", layer.level, (layer.code[at],), *size, parts[part], params)


def _pieces(shapes: Geometries) -> tuple[Geometries, Indices]:
    """Part results of overlays into polygons; give each its place in the input."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    inner, of_part = shapely.get_parts(parts, return_index=True)
    area = (shapely.get_dimensions(inner) == 2) & ~shapely.is_empty(inner)
    return inner[area], of[of_part][area]


def _sized(
    kind: str, level: str, pieces: Geometries, tolerance: Tolerance, named: Callable[[int], tuple[str, ...]]
) -> list[Fault]:
    """Make faults of pieces of ground, by their area and mean width; what is narrower than a line is one mismatch."""
    area_m2 = coords.areas_m2(pieces)
    length_m = coords.lengths_m(pieces) / 2
    width_m = np.divide(area_m2, length_m, out=np.zeros_like(area_m2), where=length_m > 0)
    found = [
        Fault(
            "sliver" if width_m[at] < tolerance.sliver_m else kind,
            level,
            named(int(at)),
            float(area_m2[at]),
            float(length_m[at]),
            pieces[at],
            {"width_m": round(float(width_m[at]), 3)} | ({"of": kind} if width_m[at] < tolerance.sliver_m else {}),
        )
        for at in np.flatnonzero(width_m >= tolerance.line_m)
    ]
    return [*found, *_mismatch(kind, level, pieces, (area_m2, width_m), tolerance)]


def _mismatch(
    kind: str, level: str, pieces: Geometries, sizes: tuple[Floats, Floats], tolerance: Tolerance
) -> Iterator[Fault]:
    area_m2, width_m = sizes
    narrow = np.flatnonzero(width_m < tolerance.line_m)
    if len(narrow):
        widest = narrow[width_m[narrow].argmax()]
        told = {"of": kind, "count": len(narrow), "width_mm": round(float(width_m[widest]) * 1000, 3)}
        yield Fault("mismatch", level, (), float(area_m2[narrow].sum()), None, pieces[widest], told)
