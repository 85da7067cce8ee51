"""A draft: the units of an edition read from its files, in WGS 84, with codes and parents, written nowhere yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.errors import Invalid
from gis.territory import codes, faults
from gis.territory.boundaries import crs, densify, files
from gis.territory.boundaries.manifest import COMMUNITY_SERIAL, Edition, Layer, Manifest, Net
from gis.territory.coords import Geometries
from gis.territory.faults import Fault

Json = dict[str, Any]
Texts = NDArray[np.object_]
COLUMNS = ("level", "code", "name", "name_en", "aliases", "parent_code", "attributes", "file", "row", "geometry")
ALIAS_MARKS = r"[;；、|]"
# (net, level) -> units (code, geometry); `Ground` of a manifest alone, or of a manifest and what is in the database.
Units = Callable[[str, str], gpd.GeoDataFrame]


@dataclass(frozen=True)
class Ground:
    """What a draft may stand on. parents: the units a level lies in; known: all that ever had a code of a level."""

    parents: Units
    known: Units


@dataclass(frozen=True)
class Draft:
    """An edition ready to be checked and loaded.

    units: GeoDataFrame (EPSG:4326) with COLUMNS, coarsest level first. parents: units (code, geometry) of the net's
    parent level, None when they are not at hand. report: how the files were read and carried.
    """

    net: Net
    edition: Edition
    units: gpd.GeoDataFrame
    parents: gpd.GeoDataFrame | None
    report: Json


def no_units(_net: str, _level: str) -> gpd.GeoDataFrame:
    """Give no units, in the shape of some."""
    return gpd.GeoDataFrame({"code": np.array([], dtype=object)}, geometry=[], crs=crs.WGS84)


NO_GROUND = Ground(no_units, no_units)


def read(manifest: Manifest, ground: Ground = NO_GROUND) -> tuple[Draft, ...]:
    """Read every edition of a manifest; editions earlier in it are ground for the later ones."""
    drafts: list[Draft] = []
    for edition in manifest.editions:
        drafts.append(_read_edition(manifest, edition, _with_drafts(ground, drafts)))
    return tuple(drafts)


def check(draft: Draft) -> list[Fault]:
    """Find the faults of a draft."""
    return faults.find(draft.units, draft.net.rules, tolerance=draft.edition.tolerance, parents=draft.parents)


def _with_drafts(ground: Ground, drafts: Sequence[Draft]) -> Ground:
    def of_drafts(net: str, level: str) -> list[gpd.GeoDataFrame]:
        same = [draft.units for draft in drafts if draft.net.code == net]
        return [units.loc[units["level"] == level, ["code", "geometry"]] for units in same]

    def parents(net: str, level: str) -> gpd.GeoDataFrame:
        return next(reversed(of_drafts(net, level)), None) if of_drafts(net, level) else ground.parents(net, level)

    def known(net: str, level: str) -> gpd.GeoDataFrame:
        return _stacked([ground.known(net, level), *of_drafts(net, level)])

    return Ground(parents, known)


def _stacked(frames: Iterable[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    full = [frame for frame in frames if len(frame)]
    return gpd.GeoDataFrame(pd.concat(full, ignore_index=True), crs=crs.WGS84) if full else no_units("", "")


def _read_edition(manifest: Manifest, edition: Edition, ground: Ground) -> Draft:
    net = manifest.net(edition.net)
    rank = {level.code: level.rank for level in net.levels}
    layers = sorted(edition.layers, key=lambda layer: rank[layer.level])
    sheets = [files.read(manifest.folder, layer) for layer in layers]
    shapes, told = _carried(layers, sheets)
    units: list[gpd.GeoDataFrame] = []
    for layer, sheet, geometry in zip(layers, sheets, shapes, strict=True):
        made = _units(layer, sheet, geometry)
        above = _above(net, layer.level, units, ground)
        units.append(_placed(made, layer, above, _homes(net, layer, ground), ground.known(net.code, layer.level)))
    parents = _net_parents(net, ground)
    whole = _stacked(units) if units else no_units("", "")
    return Draft(net, edition, whole, parents, told)


def _carried(layers: Sequence[Layer], sheets: Sequence[files.Sheet]) -> tuple[list[Geometries], Json]:
    """Carry all sheets of one system together, so that lines are shared across levels as well."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (layer, sheet) in enumerate(zip(layers, sheets, strict=True)):
        groups[sheet.crs.to_wkt(), layer.datum].append(at)
    shapes: list[Geometries] = [sheet.geometry.copy() for sheet in sheets]
    report: Json = {"vertices": 0, "vertices_added": 0, "unshared_mm": 0.0, "files": []}
    for (_, datum), members in groups.items():
        where = {"file": ", ".join(layers[at].file for at in members), "layer": layers[members[0]].layer or "-"}
        together = np.concatenate([shapes[at] for at in members])
        there = np.array([shape is not None for shape in together], dtype=bool)
        if not there.any():
            continue
        way = crs.way(sheets[members[0]].crs, datum, shapely.get_coordinates(together), **where)
        carried = densify.carry_polygons(together[there], way.carry, way.metres_per_unit)
        together[there] = carried.geometries
        for at, part in zip(
            members, np.split(together, np.cumsum([len(shapes[at]) for at in members])[:-1]), strict=True
        ):
            shapes[at] = part
            report["files"].append({"file": layers[at].file, "rows": len(part)} | way.told | sheets[at].left_out)
        report["vertices"] += carried.vertices
        report["vertices_added"] += carried.added
        report["unshared_mm"] = max(report["unshared_mm"], round(carried.unshared_m * 1000, 3))
    return shapes, report


def _units(layer: Layer, sheet: files.Sheet, geometry: Geometries) -> gpd.GeoDataFrame:
    """Bring the fields of a sheet under our names; no code yet where a rule gives it."""
    rows, count = sheet.rows, len(sheet.rows)
    code = _texts(rows, layer.code)
    units = gpd.GeoDataFrame(
        {
            "level": np.full(count, layer.level, dtype=object),
            "code": np.array([layer.codes.get(each, each) for each in code], dtype=object),
            "name": _texts(rows, layer.name),
            "name_en": _texts(rows, layer.name_en),
            "aliases": _aliases(rows, layer.aliases),
            "parent_code": np.array([each or None for each in _texts(rows, layer.parent)], dtype=object),
            "attributes": _attributes(rows, layer.attributes),
            "file": np.full(count, layer.file, dtype=object),
            "row": sheet.number,
        },
        geometry=geometry,
        crs=crs.WGS84,
    )
    return _dissolved(units) if layer.dissolve else units


def _texts(rows: pd.DataFrame, name: str | None) -> Texts:
    if name is None:
        return np.full(len(rows), "", dtype=object)
    return np.array([_text(value) for value in rows[name]], dtype=object)


def _text(value: object) -> str:
    """Write a field as text; a whole number that a file keeps as 101.0 is 101."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _aliases(rows: pd.DataFrame, names: Sequence[str]) -> Texts:
    found: Texts = np.empty(len(rows), dtype=object)
    columns = [pd.Series(_texts(rows, name)).str.split(ALIAS_MARKS, regex=True) for name in names]
    for at in range(len(rows)):
        said = (alias.strip() for column in columns for alias in column[at])
        found[at] = [alias for alias in dict.fromkeys(said) if alias]
    return found


def _attributes(rows: pd.DataFrame, names: Sequence[str]) -> Texts:
    columns = {name: _texts(rows, name) for name in names}
    found: Texts = np.empty(len(rows), dtype=object)
    for at in range(len(rows)):
        found[at] = {name: column[at] for name, column in columns.items()}
    return found


def _dissolved(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    whole = units.drop_duplicates("code").set_index("code")
    joined = units.groupby("code", sort=False)["geometry"].apply(lambda parts: shapely.union_all(parts.array))
    whole["geometry"] = [shapely.multipolygons(shapely.get_parts(shape)) for shape in joined.reindex(whole.index)]
    return whole.reset_index()


def _above(net: Net, level: str, done: Sequence[gpd.GeoDataFrame], ground: Ground) -> gpd.GeoDataFrame:
    """Give the units of the level above: of this net, or for its coarsest of the parent net."""
    name = net.above(level)
    if name is None:
        found = _net_parents(net, ground)
        return no_units("", "") if found is None else found
    return _stacked(units.loc[units["level"] == name, ["code", "geometry"]] for units in done)


def _net_parents(net: Net, ground: Ground) -> gpd.GeoDataFrame | None:
    if not (net.parent_net and net.parent_level):
        return None
    found = ground.parents(net.parent_net, net.parent_level)
    return found if len(found) else None


def _homes(net: Net, layer: Layer, ground: Ground) -> gpd.GeoDataFrame | None:
    """Give the communities whose codes the units of a layer are numbered by."""
    if layer.code_rule != COMMUNITY_SERIAL:
        return None
    found = _net_parents(net, ground)
    if found is None:
        raise Invalid(
            "boundaries.no_communities", file=layer.file, net=str(net.parent_net), level=str(net.parent_level)
        )
    return found


def _placed(
    units: gpd.GeoDataFrame,
    layer: Layer,
    above: gpd.GeoDataFrame,
    homes: gpd.GeoDataFrame | None,
    known: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Give units the parents and codes that rules find; a name where there is none."""
    placed = units.copy()
    if homes is not None:
        placed["code"] = _numbered(placed, homes, known)
    if layer.parent_rule == "within":
        placed["parent_code"] = _within(placed, above)
    elif layer.parent_rule == "prefix":
        placed["parent_code"] = _by_prefix(placed["code"], above["code"])
    if layer.code_rule == "parent+code":
        placed["code"] = placed["parent_code"].fillna("") + "-" + placed["code"]
    placed["name"] = placed["name"].where(placed["name"] != "", placed["code"])
    placed["name_en"] = placed["name_en"].where(placed["name_en"] != "", placed["name"])
    return placed


def _by_prefix(own: Iterable[str], above: Iterable[str]) -> Texts:
    known = set(above)
    return np.array(
        [next((code[:end] for end in range(len(code), 0, -1) if code[:end] in known), None) for code in own],
        dtype=object,
    )


def _within(units: gpd.GeoDataFrame, above: gpd.GeoDataFrame) -> Texts:
    """Give each unit the code above that holds most of its area, None if none touches it."""
    own, parents = (faults.areal(np.asarray(each.geometry.array, dtype=object)) for each in (units, above))
    unit, parent = shapely.STRtree(parents).query(own, predicate="intersects")
    contested = np.isin(unit, np.flatnonzero(np.bincount(unit, minlength=len(own)) > 1))
    share = np.ones(len(unit))
    share[contested] = shapely.area(shapely.intersection(own[unit[contested]], parents[parent[contested]]))
    home = np.full(len(own), None, dtype=object)
    ascending = np.lexsort((-parent, share))
    home[unit[ascending]] = above["code"].to_numpy(dtype=object)[parent[ascending]]
    return home


def _numbered(units: gpd.GeoDataFrame, homes: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> Texts:
    """Keep the code of a unit whose ground is the same as before; number the others by their communities."""
    before = dict(zip(_prints(known), known["code"], strict=True))
    numbered = np.array([before.get(each) for each in _prints(units)], dtype=object)
    new = np.flatnonzero(~_said(numbered))
    community = _within(units.iloc[new], homes)
    # What lies in no community gets no code, and is found as such by the check.
    new, community = new[_said(community)], community[_said(community)]
    box = shapely.bounds(np.asarray(units.geometry.array, dtype=object)[new])
    lon, lat = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    cells = [
        codes.Cell(float(x), float(y), float(height), home)
        for x, y, height, home in zip(lon, lat, box[:, 3] - box[:, 1], community, strict=True)
    ]
    numbered[new] = codes.number(cells, set(known["code"]))
    return np.where(_said(numbered), numbered, "")


def _said(values: Texts) -> NDArray[np.bool_]:
    return np.array([value is not None for value in values], dtype=bool)


def _prints(units: gpd.GeoDataFrame) -> list[bytes]:
    return list(shapely.to_wkb(shapely.normalize(np.asarray(units.geometry.array, dtype=object))))
