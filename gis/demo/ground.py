"""The ground of the demo city: every unit of every net, cut from one arrangement of lines, with real maps' faults.

All nets are unions of the same finest faces, so neighbours share their lines vertex for vertex. Three faults are put in
on purpose, as cities have them: a strip that belongs to nobody, a strip two districts claim, and an exclave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import LineString, Point, Polygon

from gis.demo import frame, mesh, nets
from gis.demo.nets import Faces
from gis.demo.skeleton import OLD_WALL_OFFSET_M, Skeleton

GAP_M, OVERLAP_M = (90.0, 14.0), (120.0, 18.0)  # length and greatest width
PRECINCT_M2 = 1_000_000.0


@dataclass(frozen=True)
class Ground:
    """Finest faces (degrees) with the number of their unit per level; a contested face stands there twice.

    `faces` is kept in metres and without the faults, for laying out streets and houses; `face` is the one each finest
    face is a piece of.
    """

    faces: Faces
    parts: np.ndarray
    face: np.ndarray
    levels: dict[str, np.ndarray]
    governance_lines: list[LineString]
    specials: dict[str, Point]
    wall: LineString

    def shapes(self, level: str) -> np.ndarray:
        """Return one geometry in degrees per unit of a level, in the order of their numbers."""
        return mesh.dissolve(self.parts, self.levels[level])


def build(bones: Skeleton, seed: int, cells: int) -> Ground:
    """Build the nets of the city and put its three known faults in."""
    faces, exclave = _with_exclave(nets.lay(bones, seed, cells), bones)
    wall, ring = _wall(bones), bones.rings[-1].exterior
    gap_arc = _arc(wall, 0.30 * wall.length, GAP_M, bones)
    overlap_arc = _arc(ring, ring.project(_north_west(bones)), OVERLAP_M, bones)
    cuts = [LineString(c.overshot(0.2)) for c in nets.governance_cuts(faces, seed)]
    lines = [*shapely.boundary(faces.mesh.faces), *cuts, gap_arc, overlap_arc]
    parts = mesh.arrange(frame.to_degrees(np.array(lines)), frame.GRID_DEG)
    middles = shapely.point_on_surface(frame.to_metres(parts))
    owner = mesh.owners_of(middles, faces.mesh.faces)
    parts, middles, owner = parts[owner >= 0], middles[owner >= 0], owner[owner >= 0]
    levels = _levels(faces, owner, frame.to_metres(parts), cuts, cells)
    gap, overlap = Polygon(gap_arc), Polygon(overlap_arc)
    nobody = shapely.contains(gap, middles) & (levels["district"] == nets.OUTER)
    contested = shapely.contains(overlap, middles) & (levels["district"] == nets.OUTER)
    near = shapely.distance(middles, overlap.centroid) + np.where(levels["district"] == nets.CORE, 0, np.inf)
    keep, levels = _faulty(levels, nobody, contested, int(np.argmin(near)))
    specials = {"gap": gap.representative_point(), "overlap": overlap.representative_point(), "exclave": exclave}
    return Ground(faces, parts[keep], owner[keep], levels, cuts, specials, wall)


def _levels(
    faces: Faces, owner: np.ndarray, metric: np.ndarray, cuts: list[LineString], cells: int
) -> dict[str, np.ndarray]:
    levels = {name: getattr(faces, name)[owner] for name in (*nets.ADMIN, "duty", "cell")}
    finest = mesh.mesh_of(metric)
    levels["governance"] = _governance(finest, levels["community"], cuts)
    levels["precinct"] = nets.precincts(finest, int(np.clip(cells * 10_000 / PRECINCT_M2, 6, 400)))
    return levels


def _governance(finest: mesh.Mesh, community: np.ndarray, cuts: list[LineString]) -> np.ndarray:
    """Group the finest faces by the governance lines between them, then give scraps to a neighbour."""
    patches = mesh.arrange([*shapely.boundary(mesh.dissolve(finest.faces, community)), *cuts], nets.NODE_GRID_M)
    patch = mesh.owners_of(shapely.point_on_surface(finest.faces), patches)
    grid = np.unique(np.column_stack([community, patch]), axis=0, return_inverse=True)[1].ravel()
    count = int(grid.max()) + 1
    zone = np.zeros(count, int)
    zone[grid] = community
    sizes = np.bincount(grid, weights=shapely.area(finest.faces))
    return mesh.grow(sizes, mesh.coarser(finest, grid, count), zone, 30_000.0)[grid]


def _faulty(
    levels: dict[str, np.ndarray], nobody: np.ndarray, contested: np.ndarray, claimant: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Take nobody's faces out of the nets, and list contested faces a second time, for the claimant face's units.

    The police have drawn their precincts without such faults.
    """
    again = np.flatnonzero(contested)
    told: dict[str, np.ndarray] = {}
    for name, labels in levels.items():
        sound = name == "precinct"
        first = labels if sound else np.where(nobody, -1, labels)
        told[name] = np.concatenate([first, np.full(len(again), -1 if sound else labels[claimant])])
    return np.concatenate([np.arange(len(nobody)), again]), told


def _with_exclave(faces: Faces, bones: Skeleton) -> tuple[Faces, Point]:
    """Give one block of the outer district to a community of the core that it does not touch."""
    block, middle = _exclave_block(faces, bones)
    inside = faces.block == block
    home = np.flatnonzero(faces.district == nets.CORE)
    near = home[int(np.argmin(shapely.distance(faces.mesh.faces[home], middle)))]
    given = replace(
        faces,
        district=np.where(inside, faces.district[near], faces.district),
        subdistrict=np.where(inside, faces.subdistrict[near], faces.subdistrict),
        community=np.where(inside, faces.community[near], faces.community),
        duty=nets.unique(faces.duty, inside),
        cell=nets.unique(faces.cell, inside),
    )
    return given, middle


def _exclave_block(faces: Faces, bones: Skeleton) -> tuple[int, Point]:
    """Choose a western block of the outer district, some 200 m from the core and surrounded by its own, if it can."""
    shapes = mesh.dissolve(faces.mesh.faces, faces.block)
    outer = np.zeros(len(shapes), bool)
    outer[faces.block] = (faces.district == nets.OUTER) & ~faces.river
    west = shapely.get_coordinates(shapely.centroid(shapes))[:, 0] < bones.centre[0]
    large = shapely.area(shapes) > 15_000
    # the lines of a large city are long: distances only to what may be chosen
    fit = next(found for wish in (outer & west & large, outer & west, outer) if len(found := np.flatnonzero(wish)))
    lines = (bones.core, bones.outline.exterior, bones.south)
    away, edge, south = (shapely.distance(shapes[fit], line) for line in lines)
    unfit = (away <= 90).astype(int) + (edge <= 60) + (south <= 150)
    block = int(fit[np.lexsort((np.abs(away - 200), unfit))[0]])
    return block, shapes[block].representative_point()


def _wall(bones: Skeleton) -> LineString:
    """Return the stretch of the core's line that leaves the ring road and runs between houses."""
    line = bones.core.exterior.difference(bones.rings[-1].buffer(OLD_WALL_OFFSET_M * 0.97))
    return LineString(max(shapely.get_parts(shapely.line_merge(line)), key=lambda part: float(part.length)))


def _north_west(bones: Skeleton) -> Point:
    return Point(bones.centre[0] - 0.55 * bones.radius_m, bones.centre[1] + 0.45 * bones.radius_m)


def _arc(line: LineString, middle_m: float, size_m: tuple[float, float], bones: Skeleton) -> LineString:
    """Return an arc from the line, over the outer district's ground, and back; its ends reach just over the line."""
    length, width = size_m
    t = np.linspace(-0.01, 1.01, 15)
    along = middle_m + (t - 0.5) * length
    base = shapely.get_coordinates(line.interpolate(along))
    ahead = shapely.get_coordinates(line.interpolate(along + 1.0)) - base
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.linalg.norm(ahead, axis=1)[:, None]
    bulge = width * np.sin(np.pi * t)[:, None] * normal
    side = -1 if bones.core.contains(Point(base[7] + bulge[7])) else 1
    return LineString(base + side * bulge)
