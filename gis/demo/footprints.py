"""Footprints of houses: rows inside a lot, shops along its street, and a few houses across a line. Metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon, STRtree

from gis.demo import lots
from gis.demo.lots import Lots


@dataclass(frozen=True)
class Plan:
    """How a kind of block is built: depth and length of a house, distance of rows, gap in a row, storeys, outlines."""

    depth_m: float
    pitch_m: float
    length_m: float
    gap_m: float
    floors: tuple[int, int]
    outlines: tuple[str, ...] = ("box",)
    shops: float = 0.0


PLANS = {
    "hutong": Plan(8.4, 11.4, 11.0, 1.7, (1, 2), ("box", "box", "ell", "court", "box")),
    "village": Plan(9.6, 13.0, 10.6, 2.2, (2, 4), ("box", "box", "ell"), 0.2),
    "slab": Plan(12.6, 27.0, 40.0, 8.0, (5, 7), ("bays", "bays", "box"), 0.75),
    "tower": Plan(25.0, 47.0, 27.0, 22.0, (18, 32), ("cross", "tee", "bays"), 0.65),
    "office": Plan(36.0, 50.0, 44.0, 14.0, (6, 28), ("box", "ell", "tee"), 0.1),
    "market": Plan(27.0, 37.0, 58.0, 9.0, (1, 4), ("box", "bays"), 0.6),
    "school": Plan(16.0, 40.0, 52.0, 16.0, (4, 5), ("box", "court", "ell"), 0.0),
    "hospital": Plan(22.0, 40.0, 46.0, 13.0, (5, 14), ("tee", "bays", "box"), 0.1),
    "industry": Plan(31.0, 44.0, 66.0, 13.0, (1, 2), ("box", "box", "ell"), 0.0),
    "villa": Plan(12.0, 24.0, 13.5, 9.0, (2, 3), ("ell", "tee", "box"), 0.0),
    "square": Plan(26.0, 90.0, 62.0, 16.0, (4, 9), ("court",), 0.0),
}
# Outlines inside the unit square, west to east and south to north.
OUTLINES = {
    "box": [(0, 0), (1, 0), (1, 1), (0, 1)],
    "ell": [(0, 0), (1, 0), (1, 0.48), (0.45, 0.48), (0.45, 1), (0, 1)],
    "court": [(0, 0), (0.3, 0), (0.3, 0.55), (0.7, 0.55), (0.7, 0), (1, 0), (1, 1), (0, 1)],
    "tee": [(0.3, 0), (0.7, 0), (0.7, 0.42), (1, 0.42), (1, 1), (0, 1), (0, 0.42), (0.3, 0.42)],
    "cross": [(0.28, 0), (0.72, 0), (0.72, 0.22), (1, 0.22), (1, 0.78), (0.72, 0.78), (0.72, 1), (0.28, 1),
              (0.28, 0.78), (0, 0.78), (0, 0.22), (0.28, 0.22)],
    "bays": [(0, 0), (0.22, 0), (0.22, 0.14), (0.44, 0.14), (0.44, 0), (0.66, 0), (0.66, 0.14), (0.86, 0.14), (0.86, 0),
             (1, 0), (1, 1), (0, 1)],
}  # fmt: skip
SHOP_DEPTH_M, SHOP_LENGTH_M, SHOP_YARD_M = (8.0, 11.5), (8.0, 18.0), 5.0


@dataclass(frozen=True)
class Houses:
    """Footprints, the lot each stands on, and whether it is a shop at the street."""

    shapes: np.ndarray
    lot: np.ndarray
    shop: np.ndarray


def build(ground: Lots, streets: np.ndarray, seed: int) -> Houses:
    """Build every lot up. streets: polygons of public streets with their pavements."""
    rng = np.random.default_rng([seed, 9])
    shops, shop_lot = _shops(ground, streets, rng)
    rest = lots.without(ground.shapes, shapely.buffer(shops, SHOP_YARD_M, quad_segs=1)) if len(shops) else ground.shapes
    rows, row_lot = _rows(ground, rest, rng)
    shapes, lot = np.concatenate([shops, rows]), np.concatenate([shop_lot, row_lot])
    return Houses(shapes, lot, np.arange(len(shapes)) < len(shops))


def _shops(ground: Lots, streets: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    wish = np.array([PLANS[kind].shops for kind in ground.kind])
    block_mood = rng.random(int(ground.block.max()) + 1)[ground.block]
    chosen = np.flatnonzero(block_mood < wish)
    start, step, lot = _edges(ground.shapes[chosen])
    length = np.hypot(*step.T)
    along = step / length[:, None]
    inward = np.column_stack([-along[:, 1], along[:, 0]])
    outside = shapely.points(start + step / 2 - inward * (lots.FENCE_M + 1.2))
    at_street = np.zeros(len(start), bool)
    at_street[STRtree(streets).query(outside, predicate="within")[0]] = True
    use = np.flatnonzero(at_street & (length > 22))
    width = rng.uniform(*SHOP_LENGTH_M, len(use))
    number = np.maximum(1, ((length[use] - 6) / width)).astype(int)
    edge = np.repeat(np.arange(len(use)), number)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number)
    pitch = ((length[use] - 6) / number)[edge]
    depth = np.repeat(rng.uniform(*SHOP_DEPTH_M, len(use)), number)
    a = 3 + place * pitch + 0.2
    b = a + pitch * rng.choice([0.97, 0.97, 0.86], len(edge))
    e = use[edge]
    corners = [
        start[e] + along[e] * t[:, None] + inward[e] * d[:, None]
        for t, d in ((a, 0 * a), (b, 0 * a), (b, depth), (a, depth))
    ]
    shapes = np.asarray(shapely.polygons(np.stack(corners, axis=1)))
    return _apart(shapes, chosen[lot[e]], ground.shapes)


def _edges(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start, step and owner of the long edges of the outer rings, interior on the left."""
    rings = shapely.get_exterior_ring(shapely.orient_polygons(shapely.simplify(shapes, 0.8)))
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    inside = np.flatnonzero(owner[1:] == owner[:-1])
    return xy[inside], xy[inside + 1] - xy[inside], owner[inside]


def _apart(shapes: np.ndarray, lot: np.ndarray, grounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep the shapes that lie on their lot (within 30 cm) and do not run into an earlier one."""
    fits = shapely.covers(shapely.buffer(grounds, 0.9, join_style="mitre")[lot], shapes)
    shapes, lot = shapes[fits], lot[fits]
    a, b = STRtree(shapes).query(shapes, predicate="intersects")
    clash = np.zeros(len(shapes), bool)
    clash[np.maximum(a, b)[a != b]] = True
    return shapes[~clash], lot[~clash]


def _rows(ground: Lots, rest: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lay houses in rows over what is left of each lot."""
    mood = rng.uniform(0.88, 1.14, (int(ground.block.max()) + 1, 3))[ground.block]
    plan = np.array([(p.depth_m, p.pitch_m, p.length_m, p.gap_m) for p in (PLANS[k] for k in ground.kind)])
    depth, pitch, length, gap = (plan * np.column_stack([mood, np.ones(len(mood))])).T
    local = lots.turned(rest, -ground.angle)
    lot, low = _row_starts(local, depth, pitch)
    high = low + depth[lot]
    spans = _spans(local[lot], low, high)
    row, west, east = _split(spans, length[lot], gap[lot], rng)
    boxes = np.column_stack([west, low[row], east, high[row]])
    home = lot[row]
    boxes[:, 3] -= rng.uniform(0, 0.16, len(boxes)) * depth[home]
    outlines = _outlines(ground.kind[home], rng)
    shapes = _shapes(boxes, outlines)
    flip = rng.random(len(shapes)) < 0.5
    shapes[flip] = _mirrored(shapes[flip], boxes[flip])
    shapes = lots.turned(shapes, ground.angle[home])
    fits = shapely.covers(rest[home], shapes)
    return shapes[fits], home[fits]


def _row_starts(local: np.ndarray, depth: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, south, _, north = np.nan_to_num(shapely.bounds(local)).T
    room = north - south - depth - 0.6
    number = np.where(room > 0, (room / pitch).astype(int) + 1, 0)
    lot = np.repeat(np.arange(len(local)), number)
    place = np.arange(len(lot)) - np.repeat(np.cumsum(number) - number, number)
    slack = (room - (number - 1) * pitch) / 2
    return lot, south[lot] + 0.3 + slack[lot] + place * pitch[lot]


def _spans(local: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return west and east end (n, 2) of the longest stretch that both sides of a row have inside the lot."""
    sides = [_longest(local, y) for y in (low, high)]
    west = np.maximum(sides[0][:, 0], sides[1][:, 0])
    east = np.minimum(sides[0][:, 1], sides[1][:, 1])
    return np.column_stack([west, east])


def _longest(local: np.ndarray, y: np.ndarray) -> np.ndarray:
    west, _, east, _ = shapely.bounds(local).T
    ends = np.stack([np.column_stack([west - 1, y]), np.column_stack([east + 1, y])], axis=1)
    parts, owner = shapely.get_parts(shapely.intersection(local, shapely.linestrings(ends)), return_index=True)
    order = np.lexsort((shapely.length(parts), owner))
    found = np.tile([0.0, -1.0], (len(local), 1))
    found[owner[order]] = shapely.bounds(parts[order])[:, [0, 2]]
    return found


def _split(
    spans: np.ndarray, length: np.ndarray, gap: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows into houses: row, west end, east end of each."""
    room = spans[:, 1] - spans[:, 0] - 0.4
    number = np.where(room > 0.5 * length, np.maximum(1, np.round((room + gap) / (length + gap))), 0).astype(int)
    row = np.repeat(np.arange(len(spans)), number)
    place = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    house = np.minimum((room - (number - 1) * gap) / np.maximum(number, 1), 1.45 * length)[row]
    slack = (room[row] - number[row] * house - (number[row] - 1) * gap[row]) / 2
    west = spans[row, 0] + 0.2 + slack + place * (house + gap[row])
    trim = rng.uniform(0, 0.10, (2, len(row))) * house
    return row, west + trim[0], west + house - trim[1]


def _outlines(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(kinds))
    found = np.empty(len(kinds), dtype="U8")
    for kind, plan in PLANS.items():
        own = kinds == kind
        found[own] = np.array(plan.outlines)[(draw[own] * len(plan.outlines)).astype(int)]
    return found


def _shapes(boxes: np.ndarray, outlines: np.ndarray) -> np.ndarray:
    shapes = np.empty(len(boxes), dtype=object)
    size = boxes[:, 2:] - boxes[:, :2]
    for name, points in OUTLINES.items():
        own = outlines == name
        xy = boxes[own, None, :2] + np.array(points)[None] * size[own, None, :]
        shapes[own] = shapely.polygons(xy)
    return shapes


def _mirrored(shapes: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    xy[:, 0] = (boxes[:, 0] + boxes[:, 2])[owner] - xy[:, 0]
    return np.asarray(shapely.set_coordinates(shapes, xy))


def across(line: LineString, core: Polygon, at_m: float, size_m: tuple[float, float], share: float) -> Polygon:
    """Return a box across the line at a distance along it, with so much of its area inside the core."""
    at_m = min(max(at_m, 0.0), line.length - 1.0)
    p, q = (np.array(line.interpolate(at_m + d).coords[0]) for d in (0.0, 1.0))
    along = (q - p) / np.linalg.norm(q - p)
    inward = np.array([-along[1], along[0]])
    if not core.contains(shapely.Point(p + 5 * inward)):
        inward = -inward
    low, high = -size_m[1], size_m[1]
    for _ in range(40):
        middle = (low + high) / 2
        box = _box(p + inward * middle, along * size_m[0] / 2, inward * size_m[1] / 2)
        low, high = (middle, high) if box.intersection(core).area < share * box.area else (low, middle)
    return box


def _box(middle: np.ndarray, u: np.ndarray, v: np.ndarray) -> Polygon:
    return Polygon([middle - u - v, middle + u - v, middle + u + v, middle - u + v])
