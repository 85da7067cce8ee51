"""The lines a city grows along: its outline, the river, a brook, ring roads, radial avenues and the district lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon

CELL_AREA_M2 = 10_000.0
RIVER_ROAD_OFFSET_M = 88.0
BROOK_WIDTH_M = 16.0
# Along this stretch the line between two districts keeps to an old wall, not to the ring road: houses stand on it.
OLD_WALL_FROM_RAD, OLD_WALL_TO_RAD = np.radians(22.0), np.radians(66.0)
OLD_WALL_OFFSET_M = 105.0


@dataclass(frozen=True)
class Skeleton:
    """Metres. avenues: name slot -> centre line; starts: the ring an avenue begins at, if it does not cross the centre.

    Rings run from the innermost outwards. core: the ground of the middle district; south: all south of the river.
    """

    radius_m: float
    centre: tuple[float, float]
    outline: Polygon
    rings: tuple[Polygon, ...]
    river: LineString
    banks: Polygon
    river_corridor: Polygon
    brook: LineString
    core: Polygon
    south: Polygon
    avenues: dict[str, LineString]
    starts: dict[str, int]

    def borders(self) -> list[LineString]:
        """Return every line that the ground is first cut along."""
        closed = [self.outline, self.core, *self.rings]
        return [self.river, self.brook, *(p.exterior for p in closed), *self.avenues.values()]


def draw(seed: int, cells: int) -> Skeleton:
    """Draw the skeleton of a city of about so many unit-grid cells."""
    rng = np.random.default_rng([seed, 1])
    radius = float(np.sqrt(cells * CELL_AREA_M2 / np.pi))
    outline = _outline(rng, radius)
    radius = float(np.sqrt(outline.area / np.pi))
    river = _river(rng, radius)
    centre = (0.02 * radius, 0.13 * radius)
    count = int(np.clip(round(np.log2(radius / 550.0)), 2, 6))
    rings = tuple(_ring(rng, centre, 0.67 * radius * (i + 1) / count) for i in range(count))
    south = _south_of(river, radius)
    avenues, starts = _radials(rng, centre, rings, radius)
    avenues |= {
        "滨河北路": _beside(river, RIVER_ROAD_OFFSET_M),
        "滨河南路": _beside(river, -RIVER_ROAD_OFFSET_M),
    }
    return Skeleton(
        radius, centre, outline, rings, river, _banks(rng, river), river.buffer(RIVER_ROAD_OFFSET_M - 2),
        _brook(rng, radius, river), _core(rings[-1], centre, radius), south, avenues, starts,
    )  # fmt: skip


def _wave(rng: np.random.Generator, angles: np.ndarray, terms: range, size: float) -> np.ndarray:
    phases = rng.uniform(0, 2 * np.pi, len(terms))
    orders = np.array(terms)[:, None]
    return np.asarray((size / orders * np.cos(orders * angles + phases[:, None])).sum(axis=0))


def _closed(points: np.ndarray) -> Polygon:
    return Polygon(np.round(points, 2))


def _outline(rng: np.random.Generator, radius: float) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, max(48, int(radius / 9)), endpoint=False)
    reach = radius * (1 + _wave(rng, angles, range(2, 6), 0.14) + _wave(rng, angles, range(9, 24), 0.09))
    raw = Polygon(np.column_stack([1.12 * reach * np.cos(angles), reach * np.sin(angles)]))
    grow = np.sqrt(np.pi * radius**2 / raw.area)
    return _closed(shapely.get_coordinates(raw)[:-1] * grow)


def _ring(rng: np.random.Generator, centre: tuple[float, float], reach: float) -> Polygon:
    """Return a ring road: a rounded square, a little bent, as old city walls leave them."""
    angles = np.linspace(0, 2 * np.pi, max(40, int(reach / 7)), endpoint=False)
    square = (np.abs(np.cos(angles)) ** 2.7 + np.abs(np.sin(angles)) ** 2.7) ** (-1 / 2.7)
    r = reach * square * (1 + _wave(rng, angles, range(2, 7), 0.045))
    turn = angles + np.radians(-5)
    return _closed(np.column_stack([centre[0] + 1.06 * r * np.cos(turn), centre[1] + 0.97 * r * np.sin(turn)]))


def _river(rng: np.random.Generator, radius: float) -> LineString:
    x = np.arange(-1.7 * radius, 1.7 * radius, 38.0)
    u = x / radius
    bend = 0.13 * np.sin(2.7 * u + rng.uniform(0.2, 0.6)) + 0.085 * np.sin(6.9 * u + rng.uniform(1.6, 2.4))
    small = sum(14.0 / k * np.sin(x / (260.0 / k) + rng.uniform(0, 6.28)) for k in (1, 2))
    return LineString(np.round(np.column_stack([x, radius * (-0.22 + bend + 0.10 * u) + small]), 2))


def _banks(rng: np.random.Generator, river: LineString) -> Polygon:
    """Return the water: banks 36 to 58 m from the middle of the stream, wide in the bends."""
    xy = shapely.get_coordinates(river)
    along = np.gradient(xy, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1)[:, None]
    run = np.arange(len(xy))
    sides = [47 + 7 * np.sin(run / 6.3 + rng.uniform(0, 6)) + 4 * np.sin(run / 2.7 + rng.uniform(0, 6)) for _ in "lr"]
    left, right = xy + normal * sides[0][:, None], xy - normal * sides[1][:, None]
    return Polygon(np.vstack([left, right[::-1]])).buffer(0)


def _south_of(river: LineString, radius: float) -> Polygon:
    xy = shapely.get_coordinates(river)
    return Polygon([*xy, (xy[-1][0], -3 * radius), (xy[0][0], -3 * radius)])


def _brook(rng: np.random.Generator, radius: float, river: LineString) -> LineString:
    """Return a brook that comes down from the north-west and falls into the river."""
    t = np.linspace(0, 1, int(radius / 22))
    mouth = river.interpolate(river.length * 0.378)
    head = np.array([-1.0, 1.25]) * radius
    sway = 0.075 * radius * np.sin(7.5 * t + rng.uniform(0, 1)) * np.sin(np.pi * t) + 9 * np.sin(40 * t)
    x = head[0] + (mouth.x - head[0]) * t + sway
    y = head[1] + (mouth.y - 12 - head[1]) * t
    return LineString(np.round(np.column_stack([x, y]), 2))


def _beside(line: LineString, off_m: float) -> LineString:
    return LineString(shapely.get_coordinates(line.offset_curve(off_m)))


def _core(ring: Polygon, centre: tuple[float, float], radius: float) -> Polygon:
    """Return the ground inside the outer ring, pushed out to the old wall along one stretch."""
    angles = np.linspace(OLD_WALL_FROM_RAD, OLD_WALL_TO_RAD, 12)
    fan = [(centre[0] + 3 * radius * np.cos(a), centre[1] + 3 * radius * np.sin(a)) for a in angles]
    wall = ring.buffer(OLD_WALL_OFFSET_M).intersection(Polygon([centre, *fan]))
    core = shapely.set_precision(ring.union(wall), 0.01)
    return Polygon(max(shapely.get_rings(core), key=lambda line: float(line.length)))


def _radials(
    rng: np.random.Generator, centre: tuple[float, float], rings: tuple[Polygon, ...], radius: float
) -> tuple[dict[str, LineString], dict[str, int]]:
    """Return the cross of avenues through the centre and the slanting ones, each with the ring it starts at."""
    found = {"南北": _ray(rng, centre, np.pi / 2, (-2.2 * radius, 2.2 * radius))}
    found["东西"] = _ray(rng, centre, -0.02, (-2.2 * radius, 2.2 * radius))
    slants = 4 * max(1, len(rings) - 1)
    starts = {f"放射{k + 1}": k % max(1, len(rings) - 1) for k in range(slants)}
    for k, (slot, ring) in enumerate(starts.items()):
        angle = (k + 0.5) * 2 * np.pi / slants + rng.normal(0, 0.06) + (0.22 if k % 4 == 2 else 0.0)
        inner = 0.75 * np.sqrt(rings[ring].area / np.pi)
        found[slot] = _ray(rng, centre, angle, (inner, 2.2 * radius))
    return found, starts


def _ray(rng: np.random.Generator, centre: tuple[float, float], angle: float, reach: tuple[float, float]) -> LineString:
    r = np.arange(reach[0], reach[1], 45.0)
    sway = 0.05 * np.sin(r / 900.0 + rng.uniform(0, 6.28)) + 0.02 * np.sin(r / 310.0 + rng.uniform(0, 6.28))
    turn = angle + sway * np.clip(np.abs(r) / 700.0, 0, 1)
    points = np.column_stack([centre[0] + r * np.cos(turn), centre[1] + r * np.sin(turn)])
    return LineString(np.round(points, 2))
