"""What stands on each block of about four hectares: old lanes, an estate, offices, a factory, a park."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.demo import mesh
from gis.demo.nets import Faces
from gis.demo.skeleton import Skeleton

KINDS = ("hutong", "slab", "tower", "office", "market", "school", "hospital", "industry", "village", "villa", "park")
_CENTRE = (0.58, 0.14, 0.00, 0.14, 0.03, 0.05, 0.02, 0.00, 0.00, 0.00, 0.05)
_MIDDLE = (0.12, 0.42, 0.19, 0.06, 0.03, 0.05, 0.02, 0.02, 0.05, 0.00, 0.05)
_FRINGE = (0.00, 0.24, 0.23, 0.03, 0.03, 0.05, 0.01, 0.14, 0.17, 0.05, 0.07)
OPEN = frozenset(("river", "park", "forest", "square"))
# Inside these a gate closes and the lanes are the estate's own; elsewhere every lane is public.
GATED = frozenset(("slab", "tower", "office", "school", "hospital", "industry", "villa", "market"))


@dataclass(frozen=True)
class Blocks:
    """Shapes in metres and the kind of every block."""

    shapes: np.ndarray
    kinds: np.ndarray

    def named(self, *kinds: str) -> np.ndarray:
        """Return the numbers of the blocks of these kinds."""
        return np.flatnonzero(np.isin(self.kinds, kinds))


def assign(bones: Skeleton, faces: Faces, seed: int) -> Blocks:
    """Give every block its kind: denser towards the centre, works in the east, woods in the north-west."""
    rng = np.random.default_rng([seed, 6])
    shapes = mesh.dissolve(faces.mesh.faces, faces.block)
    middles = shapely.get_coordinates(shapely.centroid(shapes))
    away = np.hypot(*(middles - np.array(bones.centre)).T) / bones.radius_m
    rings = [np.sqrt(ring.area / np.pi) / bones.radius_m for ring in bones.rings]
    bends = [rings[0] * 0.45, rings[0] * 1.15, rings[-1], 1.15]
    table = np.array([_CENTRE, _CENTRE, _MIDDLE, _FRINGE])
    chances = np.column_stack([np.interp(away, bends, column) for column in table.T])
    east = middles[:, 0] > 0.35 * bones.radius_m
    chances[:, KINDS.index("industry")] *= np.where(east, 2.2, 0.25)
    chances /= chances.sum(axis=1, keepdims=True)
    drawn = (chances.cumsum(axis=1) < rng.random(len(shapes))[:, None]).sum(axis=1)
    kinds = np.array(KINDS, dtype="U8")[np.minimum(drawn, len(KINDS) - 1)]
    _set_open(kinds, shapes, middles, bones, faces)
    return Blocks(shapes, kinds)


def _set_open(kinds: np.ndarray, shapes: np.ndarray, middles: np.ndarray, bones: Skeleton, faces: Faces) -> None:
    """Put the river, the woods, the lake park and the square where they are."""
    centre, radius = np.array(bones.centre), bones.radius_m
    lake = np.argsort(np.hypot(*(middles - centre - np.array([-0.16, 0.13]) * min(radius, 3000.0)).T))[:3]
    woods = np.hypot(*(middles - np.array([-0.74, 0.62]) * radius).T) < 0.20 * radius
    kinds[woods & ~shapely.intersects(shapes, bones.core.buffer(-30))] = "forest"
    kinds[lake] = "park"
    kinds[int(np.argmin(np.hypot(*(middles - centre - np.array([70.0, -60.0])).T)))] = "square"
    kinds[np.unique(faces.block[faces.river])] = "river"
