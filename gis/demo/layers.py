"""The boundary layers of the demo city: codes, names and shapes of every unit, as a survey office would hand them over.

Province 69 of GB/T 2260 does not exist, so no code here is anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gis.demo import mesh, names
from gis.demo.ground import Ground
from gis.territory import codes

CRS = "EPSG:4490"
CITY_CODE = "690100"
DISTRICT_CODES = ("690102", "690103", "690104")
TOWNS = 2


@dataclass(frozen=True)
class _Level:
    """Units of one level in the order of their numbers: shapes, codes, names, and the number of each one's parent."""

    shapes: np.ndarray
    codes: list[str]
    zh: list[str]
    en: list[str]

    def frame(self, parents: list[str], **more: object) -> gpd.GeoDataFrame:
        columns = {"code": self.codes, "name": self.zh, "name_en": self.en, "parent": parents} | more
        table = gpd.GeoDataFrame(columns, geometry=list(self.shapes), crs=CRS)
        return table.sort_values("code", ignore_index=True)


def make(ground: Ground, lived_in: np.ndarray, seed: int) -> dict[str, gpd.GeoDataFrame]:
    """Return a table per level: code, name, name_en, parent (code) and geometry in degrees.

    lived_in: for each governance grid by number, whether people live there; the others are special-purpose grids.
    """
    namer = names.Namer(np.random.default_rng([seed, 4]))
    city = _city(ground)
    district = _district(ground)
    subdistrict = _subdistrict(ground, district, namer)
    community = _community(ground, subdistrict, namer)
    tables = {
        "city": city.frame([""]),
        "district": district.frame([CITY_CODE] * 3),
        "subdistrict": subdistrict.frame(_parents(ground, "subdistrict", "district", district)),
        "community": community.frame(_parents(ground, "community", "subdistrict", subdistrict)),
    }
    duty = _numbered(ground, "duty", community, ("责任网格{:d}", "Duty Grid {:d}"), digits=2)
    tables["duty_grid"] = duty.frame(_parents(ground, "duty", "community", community))
    cell = _numbered(ground, "cell", community, ("单元网格{:03d}", "Cell {:03d}"), digits=3)
    tables["cell"] = cell.frame(_parents(ground, "cell", "duty", duty))
    grid = _numbered(ground, "governance", community, ("第{:d}网格", "Grid {:d}"), digits=3)
    kind = np.where(lived_in, "basic", "special")
    counted = {"kind": kind, "households": households(lived_in, seed)}
    tables["grid"] = grid.frame(_parents(ground, "governance", "community", community), **counted)
    tables["precinct"] = _precinct(ground).frame([""] * (int(ground.levels["precinct"].max()) + 1))
    return tables


def households(lived_in: np.ndarray, seed: int) -> np.ndarray:
    """Return how many households each governance grid has: 300 to 500 where people live."""
    return np.where(lived_in, np.random.default_rng([seed, 5]).integers(300, 501, len(lived_in)), 0)


def _city(ground: Ground) -> _Level:
    whole = mesh.dissolve(ground.parts, np.where(ground.levels["precinct"] >= 0, 0, -1))
    return _Level(whole, [CITY_CODE], [names.CITY[0]], [names.CITY[1]])


def _district(ground: Ground) -> _Level:
    zh, en = zip(*names.DISTRICTS, strict=True)
    return _Level(ground.shapes("district"), list(DISTRICT_CODES), list(zh), list(en))


def _subdistrict(ground: Ground, district: _Level, namer: names.Namer) -> _Level:
    shapes = ground.shapes("subdistrict")
    above = _parents(ground, "subdistrict", "district", district)
    middle = shapely.centroid(shapely.union_all(shapely.envelope(shapes)))
    far = np.argsort(shapely.distance(shapely.centroid(shapes), middle))[-TOWNS:]
    town = np.isin(np.arange(len(shapes)), far) & (np.array(above) != DISTRICT_CODES[0])
    stems = [namer.road_stem(old=False) for _ in shapes]
    zh = [s + ("镇" if t else "街道") for s, t in zip(stems, town, strict=True)]
    en = [names.latin(s) + (" Town" if t else " Subdistrict") for s, t in zip(stems, town, strict=True)]
    return _Level(shapes, _serials(shapes, above, np.where(town, 100, 0)), zh, en)


def _community(ground: Ground, subdistrict: _Level, namer: names.Namer) -> _Level:
    shapes = ground.shapes("community")
    above = _parents(ground, "community", "subdistrict", subdistrict)
    rural = np.array([code[6] == "1" for code in above]) & (np.arange(len(shapes)) % 2 == 0)
    stems = [namer.road_stem(old=False) for _ in shapes]
    zh = [s + ("村" if r else "社区") for s, r in zip(stems, rural, strict=True)]
    en = [names.latin(s) + (" Village" if r else " Community") for s, r in zip(stems, rural, strict=True)]
    return _Level(shapes, _serials(shapes, above, np.where(rural, 200, 0)), zh, en)


def _numbered(ground: Ground, level: str, community: _Level, words: tuple[str, str], digits: int) -> _Level:
    """Number units inside their communities and name them by community and number."""
    shapes = ground.shapes(level)
    home = _above(ground, level, "community")
    full = _serials(shapes, [community.codes[i] for i in home], np.zeros(len(shapes), int))
    serials = [int(code[-3:]) for code in full]
    pairs = list(zip(home.tolist(), serials, strict=True))
    return _Level(
        shapes,
        [code[:12] + code[-digits:] for code in full],
        [community.zh[i] + words[0].format(n) for i, n in pairs],
        [f"{community.en[i]} {words[1].format(n)}" for i, n in pairs],
    )


def _precinct(ground: Ground) -> _Level:
    shapes = ground.shapes("precinct")
    order = [code[-3:] for code in _serials(shapes, [CITY_CODE] * len(shapes), np.zeros(len(shapes), int))]
    numbers = [int(serial) for serial in order]
    zh = [f"禾川第{names.numeral(n)}派出所" for n in numbers]
    return _Level(shapes, [f"6901{500 + n}00000" for n in numbers], zh, [f"Hechuan Precinct {n}" for n in numbers])


def _serials(shapes: np.ndarray, above: list[str], offset: np.ndarray) -> list[str]:
    """Number units under their parents as grid cells are: rows from north to south, west to east in a row."""
    lon, lat = shapely.get_coordinates(shapely.centroid(shapes)).T
    _, south, _, north = shapely.bounds(shapes).T
    cells = [
        codes.Cell(float(x), float(y), float(h), f"{parent}{first}")
        for x, y, h, parent, first in zip(lon, lat, north - south, above, offset // 100, strict=True)
    ]
    numbered = zip(codes.number(cells), above, offset, strict=True)
    return [f"{parent}{int(code[-3:]) + first:03d}" for code, parent, first in numbered]


def _above(ground: Ground, level: str, upper: str) -> np.ndarray:
    """Return for each unit of a level the number of its unit in an upper level."""
    own, other = ground.levels[level], ground.levels[upper]
    found = np.zeros(int(own.max()) + 1, int)
    known = (own >= 0) & (other >= 0)
    found[own[known]] = other[known]
    return found


def _parents(ground: Ground, level: str, upper: str, units: _Level) -> list[str]:
    return [units.codes[i] for i in _above(ground, level, upper)]
