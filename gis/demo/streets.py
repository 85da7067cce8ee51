"""Streets of the demo city: cuts that go on across a crossing are one street; it gets a class, a width and a name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from shapely import LineString, MultiLineString, STRtree
from shapely.geometry.base import BaseGeometry

from gis.demo import landuse, names
from gis.demo.division import Cut
from gis.demo.landuse import Blocks
from gis.demo.skeleton import Skeleton

WIDTH_M = {"arterial": 40.0, "secondary": 24.0, "branch": 15.0, "lane": 6.5, "internal": 5.0}
SETBACK_M = {"arterial": 7.0, "secondary": 5.0, "branch": 3.0, "lane": 1.0, "internal": 1.5}
_RANK = {name: rank for rank, name in enumerate(WIDTH_M)}
STRAIGHT_ON = np.cos(np.radians(35))
SHORTEST_NAMED_M = 45.0
PIECE_POINTS = 6


@dataclass(frozen=True)
class _Run:
    """One street before it is named: its line in metres and its class."""

    line: BaseGeometry
    road_class: str
    width_m: float
    name: names.Name | None = None


def lay(
    bones: Skeleton, cuts: list[Cut], blocks: Blocks, towns: dict[str, shapely.Polygon], seed: int
) -> gpd.GeoDataFrame:
    """Return the streets in metres, main ones first, with their class, width, names and handover state.

    towns: stems of community names and their ground; the longest street there bears the community's name.
    """
    namer = names.Namer(np.random.default_rng([seed, 7]), spoken_for=towns)
    runs = [*_avenues(bones, namer), *_joined(_classed(cuts, blocks))]
    runs = sorted(runs, key=lambda run: (_RANK[run.road_class], -run.line.length))
    named = _named(runs, towns, namer, bones.rings[0])
    rng = np.random.default_rng([seed, 8])
    fringe = ~shapely.intersects([run.line for run in runs], bones.rings[-1])
    waiting = fringe & (rng.random(len(runs)) < 0.12) & np.array([run.road_class != "arterial" for run in runs])
    columns = {
        "external_id": [f"ST{i:05d}" for i in range(1, len(runs) + 1)],
        "name": [name.zh for name in named],
        "name_en": [name.en for name in named],
        "road_class": [run.road_class for run in runs],
        "width_m": [run.width_m for run in runs],
        "handover": np.where(waiting, "not_handed_over", "handed_over"),
    }
    return gpd.GeoDataFrame(columns, geometry=[run.line for run in runs])


def _avenues(bones: Skeleton, namer: names.Namer) -> list[_Run]:
    fixed = {"南北": names.Name("禾川大道", "Hechuan Avenue"), "东西": names.Name("迎宾大道", "Yingbin Avenue")}
    fixed |= {side: names.Name(side, f"{names.latin(side[:2])} {where} Road") for side, where in _BANKS.items()}
    runs = []
    for slot, line in bones.avenues.items():
        inside: BaseGeometry = line.intersection(bones.outline)
        if slot in bones.starts:
            inside = inside.difference(bones.rings[bones.starts[slot]])
        stem = "" if slot in fixed else namer.road_stem(old=False)
        name = fixed.get(slot) or names.Name(f"{stem}大道", f"{names.latin(stem)} Avenue")
        side = slot in _BANKS
        runs.append(_Run(inside, "secondary" if side else "arterial", 20.0 if side else 38.0, name))
    for number, ring in enumerate(bones.rings, start=1):
        zh = f"{names.numeral(number)}环路"
        runs.append(
            _Run(ring.exterior.intersection(bones.outline), "arterial", 42.0, names.Name(zh, f"Ring Road {number}"))
        )
    return runs


_BANKS = {"滨河北路": "North", "滨河南路": "South"}


def _classed(cuts: list[Cut], blocks: Blocks) -> list[tuple[np.ndarray, str]]:
    """Settle what each cut is: a street of a class, or only a line between cells."""
    settled = []
    for number, cut in enumerate(cuts):
        kind = blocks.kinds[cut.block] if cut.block >= 0 else ""
        road_class = _class_in(kind, cut.road_class, number)
        if road_class:
            settled.append((cut.points, road_class))
    return settled


def _class_in(kind: str, road_class: str, number: int) -> str | None:
    if kind in landuse.OPEN or road_class == "none":
        return None
    if road_class not in ("lane", "path"):
        return road_class
    if kind in landuse.GATED:
        return "internal" if road_class == "lane" or number % 3 == 0 else None
    return "lane"


def _joined(segments: list[tuple[np.ndarray, str]]) -> list[_Run]:
    """Join segments that go straight on across a crossing and are of one class."""
    following = _followers(segments)
    seen: set[int] = set()
    runs = []
    for i, (_, road_class) in enumerate(segments):
        if i not in seen:
            members = _component(i, following)
            seen |= members
            line = shapely.line_merge(MultiLineString([segments[m][0] for m in sorted(members)]))
            runs.append(_Run(line, road_class, WIDTH_M[road_class]))
    return runs


def _followers(segments: list[tuple[np.ndarray, str]]) -> dict[int, list[int]]:
    ends: dict[tuple[float, float], list[tuple[int, np.ndarray]]] = defaultdict(list)
    for i, (points, _) in enumerate(segments):
        for end, inner in ((points[0], points[1]), (points[-1], points[-2])):
            out = (end - inner) / np.linalg.norm(end - inner)
            ends[(round(float(end[0]), 2), round(float(end[1]), 2))].append((i, out))
    following: dict[int, list[int]] = defaultdict(list)
    for meeting in ends.values():
        for i, j in _straight_pairs(meeting, segments):
            following[i].append(j)
            following[j].append(i)
    return following


def _straight_pairs(
    meeting: list[tuple[int, np.ndarray]], segments: list[tuple[np.ndarray, str]]
) -> list[tuple[int, int]]:
    """Pair the ends that meet here, straightest first, each at most once."""
    found = []
    for a, (i, out) in enumerate(meeting):
        for j, other in meeting[a + 1 :]:
            straight = float(-(out @ other))
            if i != j and straight > STRAIGHT_ON and segments[i][1] == segments[j][1]:
                found.append((-straight, i, j))
    taken: set[int] = set()
    pairs = []
    for _, i, j in sorted(found):
        if i not in taken and j not in taken:
            taken |= {i, j}
            pairs.append((i, j))
    return pairs


def _component(start: int, following: dict[int, list[int]]) -> set[int]:
    members, work = {start}, [start]
    while work:
        fresh = [j for j in following[work.pop()] if j not in members]
        members.update(fresh)
        work += fresh
    return members


def _named(
    runs: list[_Run], towns: dict[str, shapely.Polygon], namer: names.Namer, old_town: shapely.Polygon
) -> list[names.Name]:
    middles = np.array([run.line.interpolate(0.5, normalized=True) for run in runs])
    old = shapely.contains(old_town, middles)
    home = _homes(middles, towns)
    free = dict.fromkeys(towns)
    stems: list[str] = []
    found: list[names.Name] = []
    for run, is_old, town in zip(runs, old, home, strict=True):
        if run.road_class in ("lane", "internal"):
            break
        own = town if town in free and run.road_class != "arterial" and run.name is None else None
        if own is not None:
            free.pop(own, None)
        name = run.name or _street_name(own or namer.road_stem(bool(is_old)), run)
        stems.append(_stem(name.zh))
        found.append(name)
    return found + _lane_names(runs, len(found), stems, old)


def _homes(middles: np.ndarray, towns: dict[str, shapely.Polygon]) -> list[str | None]:
    stems = list(towns)
    found: list[str | None] = [None] * len(middles)
    which, town = STRtree(list(towns.values())).query(middles, predicate="within")
    for i, j in zip(which.tolist(), town.tolist(), strict=True):
        found[i] = stems[j]
    return found


def _street_name(stem: str, run: _Run) -> names.Name:
    west, south, east, north = run.line.bounds
    lying = east - west > north - south
    if run.road_class == "secondary":
        return names.Name(
            stem + ("大街" if lying else "路"), names.latin(stem) + (" Main Street" if lying else " Road")
        )
    return names.Name(stem + ("街" if lying else "路"), names.latin(stem) + (" Street" if lying else " Road"))


def _lane_names(runs: list[_Run], first: int, stems: list[str], old: np.ndarray) -> list[names.Name]:
    """Name lanes after the street they leave, numbered as they come; an estate's own roads have no name."""
    tree = STRtree([run.line for run in runs[:first]])
    count: dict[int, int] = defaultdict(int)
    found = []
    for run, is_old in zip(runs[first:], old[first:], strict=True):
        if run.road_class == "internal" or run.line.length < SHORTEST_NAMED_M:
            found.append(names.Name("", ""))
            continue
        parent = int(tree.nearest(run.line))
        count[parent] += 1
        number, stem = count[parent], stems[parent]
        zh = _lane_name(stem, number, bool(is_old))
        found.append(names.Name(zh, f"{names.latin(stem)} {'Hutong' if is_old else 'Lane'} {number}"))
    return found


def _stem(name: str) -> str:
    for ending in ("大道", "大街", "路", "街"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _lane_name(stem: str, number: int, old: bool) -> str:
    """Write 茶桥胡同, 茶桥二条, 茶桥三条 in the old town and 禾河一巷, 禾河二巷 elsewhere."""
    if not old:
        return f"{stem}{names.numeral(number)}巷"
    return f"{stem}胡同" if number == 1 else f"{stem}{names.numeral(number)}条"


def reserved(streets: gpd.GeoDataFrame) -> np.ndarray:
    """Return the ground no house may stand on, carriageway and pavement, as many short pieces.

    The box of a whole ring road would hold the city, and every house would be asked about it.
    """
    setback = streets["road_class"].map(SETBACK_M).to_numpy()
    reach_m = streets["width_m"].to_numpy() / 2 + setback
    parts, street = shapely.get_parts(streets.geometry.to_numpy(), return_index=True)
    pieces = [(piece, reach_m[i]) for part, i in zip(parts, street.tolist(), strict=True) for piece in _pieces(part)]
    lines, reach = zip(*pieces, strict=True)
    return np.asarray(shapely.buffer(np.array(lines), np.array(reach), quad_segs=3))


def _pieces(line: BaseGeometry) -> list[LineString]:
    xy = shapely.get_coordinates(line)
    last = max(1, len(xy) - 1)
    return [LineString(xy[start : start + PIECE_POINTS + 1]) for start in range(0, last, PIECE_POINTS)]
