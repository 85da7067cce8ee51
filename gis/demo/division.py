"""Cut sectors into blocks and blocks into cells: by bent lines across the long side, as lots are laid out.

A cut starts, where it can, at the end of a cut that was made on the other side of the street, so that crossings form.
Metres throughout. Rings are open arrays of shape (n, 2), counter-clockwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from operator import itemgetter

import numpy as np
import shapely
from shapely import Polygon

QUARTER_M2 = 1_200_000.0
SECONDARY_FROM_M2, BRANCH_FROM_M2, LANE_FROM_M2 = 300_000.0, 66_000.0, 25_000.0
SNAP_M = 34.0
STEP_M = 42.0
# Where along the long side a cut is tried, and how compact both halves must be to be content with it.
_TRIES = [(s, q) for q in (0.3, 0.15, 0.04) for s in (0.0, 0.12, -0.12, 0.22, -0.22, 0.34, -0.34)]


@dataclass(frozen=True)
class Cut:
    """One cut: its points, the class of street it is worth, and the block it lies in (-1 when it bounds blocks)."""

    points: np.ndarray
    road_class: str
    block: int

    def overshot(self, by_m: float) -> np.ndarray:
        """Return the points with both ends drawn out, so that the cut surely meets the lines it ends on."""
        first, last = self.points[0] - self.points[1], self.points[-1] - self.points[-2]
        head = self.points[0] + first / np.linalg.norm(first) * by_m
        tail = self.points[-1] + last / np.linalg.norm(last) * by_m
        return np.vstack([head, self.points, tail])


@dataclass
class Piece:
    """A polygon still to be cut, or a cell; quarter, block: the pieces of about 1 km2 and of 4 ha it came from."""

    ring: np.ndarray
    river: bool
    quarter: int = -1
    block: int = -1

    def part(self, ring: np.ndarray) -> Piece:
        """Return a piece of this piece."""
        return Piece(ring, self.river, self.quarter, self.block)


class Junctions:
    """Where cuts have ended, found by place."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[int, int], list[np.ndarray]] = defaultdict(list)

    def add(self, point: np.ndarray) -> None:
        """Remember a point."""
        self._boxes[self._box(point)].append(point)

    def near(self, point: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the points that may be within the snapping distance."""
        i, j = self._box(point)
        for a in (i - 1, i, i + 1):
            for b in (j - 1, j, j + 1):
                yield from self._boxes.get((a, b), ())

    @staticmethod
    def _box(point: np.ndarray) -> tuple[int, int]:
        return int(point[0] // SNAP_M), int(point[1] // SNAP_M)


def divide(
    pieces: list[Piece], target_m2: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator
) -> tuple[list[Piece], list[Cut]]:
    """Cut pieces until each is no larger than the target at its place; return the cells and the cuts.

    target_m2 takes points of shape (n, 2) and gives the largest area a cell may have there.
    """
    drawing, done = _Drawing(Junctions(), [], rng), list[Piece]()
    quarters, blocks = count(), count()
    work = pieces
    while work:
        areas, boxes, middles = _measure(work)
        limits = target_m2(middles) * np.where([p.river for p in work], 1.5, 1.0)
        floor = areas.max() / 2  # the largest first, so that main streets are there before lanes
        following: list[Piece] = []
        for piece, area, box, limit in zip(work, areas, boxes, limits, strict=True):
            _number(piece, area, quarters, blocks)
            halves = _halve(piece, area, box, drawing) if area > limit and area >= floor else [piece]
            finished = area <= limit or (area >= floor and len(halves) == 1)
            (done if finished else following).extend(halves)
        work = following
    return done, drawing.cuts


def _number(piece: Piece, area: float, quarters: Iterator[int], blocks: Iterator[int]) -> None:
    """Number the piece as a quarter or a block when it has come down to that size."""
    if piece.quarter < 0 and area <= QUARTER_M2:
        piece.quarter = next(quarters)
    if piece.block < 0 and area <= BRANCH_FROM_M2:
        piece.block = next(blocks)


def _measure(work: list[Piece]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = [len(p.ring) + 1 for p in work]
    closed = np.vstack([np.vstack([p.ring, p.ring[:1]]) for p in work])
    rings = shapely.linearrings(closed, indices=np.repeat(np.arange(len(work)), sizes))
    polygons = np.asarray(shapely.polygons(rings))
    middles = shapely.get_coordinates(shapely.centroid(polygons))
    boxes = np.array([shapely.get_coordinates(b)[:3] for b in np.asarray(shapely.oriented_envelope(polygons))])
    return np.asarray(shapely.area(polygons)), boxes, middles


def _class_of(area: float) -> str:
    if area > SECONDARY_FROM_M2:
        return "secondary"
    if area > BRANCH_FROM_M2:
        return "branch"
    return "lane" if area > LANE_FROM_M2 else "path"


@dataclass(frozen=True)
class _Drawing:
    """What grows while the ground is cut: the cuts, where they ended, and the dice."""

    junctions: Junctions
    cuts: list[Cut]
    rng: np.random.Generator

    def add(self, cut: Cut) -> None:
        self.cuts.append(cut)
        self.junctions.add(cut.points[0])
        self.junctions.add(cut.points[-1])


def _halve(piece: Piece, area: float, box: np.ndarray, drawing: _Drawing) -> list[Piece]:
    middle, long, slender = _long_side(box)
    across = np.array([-long[1], long[0]]) / np.linalg.norm(long)
    wander = drawing.rng.uniform(-0.07, 0.07)
    for spread, least in _TRIES:
        turn = drawing.rng.normal(0, 0.02 if slender else 0.05)
        towards = across + turn * long / np.linalg.norm(long)
        halves = _cut(piece.ring, middle + (wander + spread) * long, towards, drawing)
        if halves is not None and min(_quality(ring) for ring in halves[1:]) >= least:
            line, first, second = halves
            drawing.add(Cut(line, "none" if piece.river else _class_of(area), piece.block))
            return [piece.part(first), piece.part(second)]
    return [piece]  # too odd a shape to halve well: it stays one large cell


def _long_side(box: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the middle of a box given by three corners, its long side as a vector, and whether it is 4 to 1."""
    first, second = box[1] - box[0], box[2] - box[1]
    long, short = (first, second) if first @ first >= second @ second else (second, first)
    return box[0] + (first + second) / 2, long, bool(long @ long > 16 * (short @ short))


def _cut(
    ring: np.ndarray, start: np.ndarray, across: np.ndarray, drawing: _Drawing
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the cut through a point and the two rings it leaves, None when it does not go through."""
    chord = _chord(ring, start, across / np.linalg.norm(across))
    if chord is None:
        return None
    (i, p), (j, q) = sorted((_snapped(ring, *end, drawing.junctions) for end in chord), key=itemgetter(0))
    if i == j:
        return None
    line = _bent(p, q, drawing.rng)
    first = _tidy(np.vstack([ring[i + 1 : j + 1], line[::-1]]))
    second = _tidy(np.vstack([ring[j + 1 :], ring[: i + 1], line]))
    return line, first, second


def _chord(ring: np.ndarray, start: np.ndarray, across: np.ndarray) -> list[tuple[int, np.ndarray]] | None:
    """Return the two (edge, point) where the line through `start` leaves the ring on either side."""
    following = np.roll(ring, -1, axis=0)
    normal = np.array([-across[1], across[0]])
    a, b = (ring - start) @ normal, (following - start) @ normal
    edges = np.flatnonzero((a < 0) != (b < 0))
    if len(edges) < 2:
        return None
    points = ring[edges] + (following[edges] - ring[edges]) * (a[edges] / (a[edges] - b[edges]))[:, None]
    reach = (points - start) @ across
    order = np.argsort(reach)
    k = 2 * int(np.argmax(np.diff(reach[order])[::2]))
    return [(int(edges[order[m]]), np.round(points[order[m]], 2)) for m in (k, k + 1)]


def _snapped(ring: np.ndarray, edge: int, point: np.ndarray, junctions: Junctions) -> tuple[int, np.ndarray]:
    """Return the junction on this ring nearest to the point when one is close, else the point."""
    best, found = SNAP_M, (edge, point)
    for junction in junctions.near(point):
        far = float(np.hypot(*(junction - point)))
        if far < best:
            k, off = _nearest_edge(ring, junction)
            if off < 0.05:
                best, found = far, (k, junction)
    return found


def _nearest_edge(ring: np.ndarray, point: np.ndarray) -> tuple[int, float]:
    step = np.roll(ring, -1, axis=0) - ring
    t = np.clip(((point - ring) * step).sum(1) / np.maximum((step**2).sum(1), 1e-9), 0, 1)
    off = np.hypot(*(ring + t[:, None] * step - point).T)
    k = int(np.argmin(off))
    return k, float(off[k])


def _bent(p: np.ndarray, q: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = float(np.hypot(*(q - p)))
    t = np.linspace(0, 1, max(2, int(length / STEP_M) + 1))
    bow = np.sin(np.pi * t) * rng.normal(0, 0.022) + np.sin(2 * np.pi * t) * rng.normal(0, 0.012)
    normal = np.array([p[1] - q[1], q[0] - p[0]])
    line: np.ndarray = np.round(p + t[:, None] * (q - p) + bow[:, None] * normal, 2)
    line[0], line[-1] = p, q
    return line


def _tidy(ring: np.ndarray) -> np.ndarray:
    return ring[np.any(ring != np.roll(ring, 1, axis=0), axis=1)]


def _quality(ring: np.ndarray) -> float:
    """Return how compact the ring is: 1 for a circle, 0.785 for a square, 0.44 for 5 to 1; 0 when it crosses itself."""
    if len(ring) < 3 or not (polygon := Polygon(ring)).is_valid:
        return 0.0
    following = np.roll(ring, -1, axis=0)
    area = polygon.area
    return 4 * np.pi * area / float(np.hypot(*(following - ring).T).sum()) ** 2
