"""Who governs which face: districts, subdistricts, communities, duty grids and cells, governance grids, precincts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon

from gis.demo import division, mesh
from gis.demo.skeleton import Skeleton

NODE_GRID_M = 0.01
TRAFFIC_ISLAND_M2 = 2_600.0
CORE, OUTER, SOUTH = 0, 1, 2
ADMIN = ("district", "subdistrict", "community")


@dataclass(frozen=True)
class Faces:
    """Faces of the ground in metres and, for each, the number of the unit it belongs to at every level."""

    mesh: mesh.Mesh
    cuts: list[division.Cut]
    river: np.ndarray
    district: np.ndarray
    subdistrict: np.ndarray
    community: np.ndarray
    block: np.ndarray
    duty: np.ndarray
    cell: np.ndarray

    @property
    def areas_m2(self) -> np.ndarray:
        """Return the area of every face."""
        return shapely.area(self.mesh.faces)


def lay(bones: Skeleton, seed: int, cells: int) -> Faces:
    """Divide the ground into cells and group them upwards; every group lies inside one group of the level above."""
    rng = np.random.default_rng([seed, 2])
    pieces, cuts = division.divide(_sectors(bones), _cell_limit(bones), rng)
    lines = [*bones.borders(), *(LineString(c.overshot(0.2)) for c in cuts)]
    ground = mesh.mesh_of(_inside(mesh.arrange(lines, NODE_GRID_M), bones.outline))
    middles = shapely.point_on_surface(ground.faces)
    leaf = mesh.owners_of(middles, np.array([Polygon(p.ring) for p in pieces]))
    river = np.array([p.river for p in pieces])[leaf]
    district = _district(bones, middles)
    scale = cells / 1500
    weight = shapely.area(ground.faces) * np.where(river, 0.3, 1.0)

    quarter = unique(np.array([p.quarter for p in pieces])[leaf], district)
    subdistrict = _group(ground, quarter, weight, district, round(12 * np.sqrt(scale)))
    block = unique(np.array([p.block for p in pieces])[leaf], subdistrict)
    community = _group(ground, block, weight, subdistrict, round(70 * scale))
    zone = unique(community, river.astype(int))
    pairs = (ground.first, ground.second, ground.shared_m)
    cell = mesh.grow(shapely.area(ground.faces), pairs, zone, TRAFFIC_ISLAND_M2)
    duty = _group(ground, cell, weight, community, round(230 * scale))
    return Faces(ground, cuts, river, district, subdistrict, community, block, duty, cell)


def governance_cuts(faces: Faces, seed: int) -> list[division.Cut]:
    """Cut communities into governance grids by lines of their own, which do not care for cells."""
    shapes = mesh.dissolve(faces.mesh.faces, faces.community)
    parts = [Polygon(p.exterior) for shape in shapes for p in shapely.get_parts(shape)]
    pieces = [division.Piece(_ring(part), river=False) for part in parts]
    limit = 118_000.0
    return division.divide(pieces, lambda xy: np.full(len(xy), limit), np.random.default_rng([seed, 3]))[1]


def precincts(ground: mesh.Mesh, count: int) -> np.ndarray:
    """Group the finest faces into precincts that nest with no other net."""
    pairs = (ground.first, ground.second, ground.shared_m)
    return mesh.grow_to(count, shapely.area(ground.faces), pairs, np.zeros(len(ground.faces), int))


def _sectors(bones: Skeleton) -> list[division.Piece]:
    faces = _inside(mesh.arrange(bones.borders(), NODE_GRID_M), bones.outline)
    wet = shapely.contains(bones.river_corridor, shapely.point_on_surface(faces))
    return [division.Piece(_ring(f), bool(w)) for f, w in zip(faces, wet, strict=True)]


def _ring(polygon: Polygon) -> np.ndarray:
    return shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)[:-1]


def _inside(faces: np.ndarray, outline: Polygon) -> np.ndarray:
    return faces[shapely.contains(outline, shapely.point_on_surface(faces))]


def _cell_limit(bones: Skeleton) -> Callable[[np.ndarray], np.ndarray]:
    def limit(xy: np.ndarray) -> np.ndarray:
        away = np.hypot(*(xy - np.array(bones.centre)).T) / bones.radius_m
        return np.asarray(np.interp(away, [0.0, 0.35, 0.7, 1.2], [10_800.0, 12_300.0, 14_000.0, 16_500.0]))

    return limit


def _district(bones: Skeleton, points: np.ndarray) -> np.ndarray:
    south, core = shapely.contains(bones.south, points), shapely.contains(bones.core, points)
    return np.where(south, SOUTH, np.where(core, CORE, OUTER))


def unique(*labels: np.ndarray) -> np.ndarray:
    """Number the combinations of labels 0..n-1."""
    return np.unique(np.column_stack(labels), axis=0, return_inverse=True)[1].ravel()


def _group(ground: mesh.Mesh, small: np.ndarray, weight: np.ndarray, zone: np.ndarray, count: int) -> np.ndarray:
    """Grow groups of faces labelled `small` into about `count` groups, each inside one zone."""
    number = int(small.max()) + 1
    zones = np.zeros(number, int)
    zones[small] = zone
    pairs = mesh.coarser(ground, small, number)
    grown = mesh.grow_to(count, np.bincount(small, weights=weight), pairs, zones)
    return np.asarray(grown[small])
