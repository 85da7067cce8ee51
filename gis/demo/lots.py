"""Ground that may be built on: what streets and water leave of the finest faces. Metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import STRtree

from gis.demo import frame
from gis.demo.ground import Ground
from gis.demo.landuse import Blocks

FENCE_M = 1.6
SMALLEST_M2 = 90.0


@dataclass(frozen=True)
class Lots:
    """Polygons in metres, the block each lies in, its kind, and the angle (radians) its houses are turned by."""

    shapes: np.ndarray
    block: np.ndarray
    kind: np.ndarray
    angle: np.ndarray
    grid: np.ndarray

    def local(self) -> np.ndarray:
        """Return the lots turned so that their houses stand along the axes."""
        return turned(self.shapes, -self.angle)


def lay(ground: Ground, blocks: Blocks, taken: np.ndarray) -> Lots:
    """Return the lots of all blocks where something may be built, without the ground that is taken."""
    block = ground.faces.block[ground.face]
    open_ground = np.isin(blocks.kinds[block], ("river", "park", "forest"))
    use = np.flatnonzero((ground.levels["cell"] >= 0) & (ground.levels["precinct"] >= 0) & ~open_ground)
    left = without(frame.to_metres(ground.parts[use]), taken)
    shapes, which = shapely.get_parts(shapely.buffer(left, -FENCE_M, join_style="mitre"), return_index=True)
    large = shapely.area(shapes) > SMALLEST_M2
    shapes, which = shapes[large], use[which[large]]
    number = block[which]
    return Lots(
        shapes, number, blocks.kinds[number], _angles(blocks.shapes)[number], ground.levels["governance"][which]
    )


def without(areas: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Cut the taken ground out of the areas."""
    area, other = STRtree(taken).query(areas, predicate="intersects")
    order = np.argsort(area, kind="stable")
    area, other = area[order], other[order]
    left = areas.copy()
    touched, starts = np.unique(area, return_index=True)
    boxes = np.add(shapely.bounds(areas[touched]), (-1.0, -1.0, 1.0, 1.0)).tolist()
    for i, group, box in zip(touched.tolist(), np.split(other, starts[1:]), boxes, strict=True):
        # a ring road is as long as the city: only what lies by this area is looked at
        left[i] = shapely.difference(areas[i], shapely.union_all(_clipped(taken[group], tuple(box))))
    return left


def _clipped(shapes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    try:
        return np.asarray(shapely.clip_by_rect(shapes, *box))
    except shapely.GEOSException:
        # the quick way knows no ring that touches the box from outside
        return np.asarray(shapely.intersection(shapes, shapely.box(*box)))


def _angles(shapes: np.ndarray) -> np.ndarray:
    """Return how a block lies, between -45 and 45 degrees: houses look south as nearly as the streets allow."""
    boxes = np.array([shapely.get_coordinates(box)[:2] for box in shapely.oriented_envelope(shapes)])
    side = boxes[:, 1] - boxes[:, 0]
    angle = np.arctan2(side[:, 1], side[:, 0])
    return np.asarray((angle + np.pi / 4) % (np.pi / 2) - np.pi / 4)


def turned(shapes: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Turn each shape round the origin by its angle in radians."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    c, s = np.cos(angles[owner]), np.sin(angles[owner])
    moved = np.column_stack([c * xy[:, 0] - s * xy[:, 1], s * xy[:, 0] + c * xy[:, 1]])
    return np.asarray(shapely.set_coordinates(shapes.copy(), moved))
