"""Who works in the demo city: accounts for every seat, and the people who answer for a piece of ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.demo import frame, names, spots
from gis.demo.city import City
from gis.demo.layers import CRS
from gis.people import accounts
from gis.people import areas as responsibility

# Open to everybody: it stands in the README, and these accounts exist in the demo only.
PASSWORD = "shaotu-demo"  # noqa: S105
STAFF = (
    accounts.Newcomer("operator", PASSWORD, "受理员 小禾", "operator"),
    accounts.Newcomer("leader", PASSWORD, "网格长 老川", "leader"),
    accounts.Newcomer("planner", PASSWORD, "规划员 阿浦", "planner"),
    accounts.Newcomer("admin", PASSWORD, "管理员 望山", "administrator"),
    accounts.Newcomer("admin2", PASSWORD, "管理员 复核", "administrator"),
    accounts.Newcomer("clerk", PASSWORD, "受理员 晓岚", "clerk"),
    accounts.Newcomer("dispatcher", PASSWORD, "派遣员 思远", "dispatcher"),
    accounts.Newcomer("chief", PASSWORD, "值班长 文博", "shift_leader"),
    accounts.Newcomer("inspector", PASSWORD, "监督员 立秋", "inspector"),
    accounts.Newcomer("wall", PASSWORD, "指挥大屏", "screen"),
)
# They answer for a line beside the leader's patch: the street, and the reach of the river, that are nearest to it.
CHIEFS = (
    (accounts.Newcomer("streetchief", PASSWORD, "街巷长 松泉", "leader"), "street_chief"),
    (accounts.Newcomer("riverchief", PASSWORD, "河长 临舟", "leader"), "river_chief"),
)
# Who must come to the house across the line: the commission that convenes, and an office for each district's side.
SIDES = {
    "": ("commission", "市城管委 值班员"),
    "690102": ("core", "禾阳一侧 值班员"),
    "690103": ("outer", "望山一侧 值班员"),
}
HOUSE = "S00001"
SINCE = date(2025, 1, 1)
RIVER_REACH_M, STAIRWELL_M = 1500.0, 18.0
GRID, STREET, LANE, RIVER, BUILDING, STAIR = (
    "grid_leader", "street_chief", "lane_chief", "river_chief", "building_leader", "stairwell_leader",
)  # fmt: skip


@dataclass(frozen=True)
class Charge:
    """A piece of ground and what answering for it is called."""

    role: str
    name: names.Name
    geometry: BaseGeometry
    unit: str | None = None


def open_accounts(session: Session, city: City, *, now: datetime) -> None:
    """Open the accounts that are not there yet; the leader answers for the grid where the night market is."""
    for newcomer in STAFF:
        if accounts.find(session, newcomer.username) is None:
            accounts.add(session, newcomer, now=now)
            if newcomer.role == "leader":
                accounts.give_post(session, newcomer.username, ("governance", "grid", patch(city)), start=SINCE)


def open_chiefs(session: Session, city: City, *, now: datetime) -> None:
    """Open accounts for a street chief and a river chief that are not there yet, each with a post on their area."""
    for newcomer, role in CHIEFS:
        area = session.scalar(_NEAREST, {"role": role, "patch": patch(city)})
        if area is not None and accounts.find(session, newcomer.username) is None:
            accounts.add(session, newcomer, now=now)
            accounts.give_post(session, newcomer.username, (responsibility.NET, role, str(area)), start=SINCE)


def open_sides(session: Session, *, now: datetime) -> None:
    """Open accounts for the departments that must come to the house across the line, where there is one."""
    for code in session.scalars(_MUST_COME, {"house": HOUSE}).all():
        ground = code.split("-")[-1][:6]
        username, name = SIDES.get(ground, SIDES[""])
        if accounts.find(session, username) is None:
            newcomer = accounts.Newcomer(username, PASSWORD, name, "department", department=code)
            accounts.add(session, newcomer, now=now)


def spared(session: Session) -> frozenset[str]:
    """Name the departments with an account: their work is left to whoever signs in."""
    return frozenset(session.scalars(text("SELECT department FROM account WHERE department IS NOT NULL")))


def patch(city: City) -> str:
    """Return the code of the demo leader's governance grid."""
    grids = city.boundaries["grid"]
    middle = shapely.points(*spots.middles(city)["market"])
    return str(grids["code"].iloc[int(np.argmin(shapely.distance(frame.to_metres(grids.geometry.to_numpy()), middle)))])


def areas(city: City) -> gpd.GeoDataFrame:
    """Return who answers for every grid, street, lane, reach of the river, block of flats and stairwell."""
    namer = names.Namer(np.random.default_rng([city.seed, 21]))
    given = list(charges(city))
    return gpd.GeoDataFrame(
        {
            "role": [charge.role for charge in given],
            "name": [charge.name.zh for charge in given],
            "name_en": [charge.name.en for charge in given],
            "person": [namer.person() for _ in given],
            "net": ["governance" if charge.role == GRID else "" for charge in given],
            "unit_code": [charge.unit or "" for charge in given],
        },
        geometry=[charge.geometry for charge in given],
        crs=CRS,
    )


def charges(city: City) -> Iterator[Charge]:
    """Yield everything somebody answers for."""
    grids = city.boundaries["grid"]
    for row in grids.itertuples():
        yield Charge(GRID, names.Name(row.name, row.name_en), row.geometry, row.code)
    named = city.streets[city.streets["name"] != ""]
    for row in named.itertuples():
        role = LANE if row.road_class == "lane" else STREET
        yield Charge(role, names.Name(row.name, row.name_en), row.geometry)
    yield from _reaches(city)
    yield from _homes(city)


_NEAREST = text("""
SELECT a.id FROM responsibility_area a, responsibility_area grid
WHERE a.role = :role AND grid.role = 'grid_leader' AND grid.unit_code = :patch
ORDER BY a.geom <-> ST_Centroid(grid.geom), a.id LIMIT 1
""")
_MUST_COME = text("""
SELECT department FROM party JOIN issue ON issue.id = party.issue_id
WHERE issue.external_id = :house AND party.mandatory ORDER BY department
""")


def _reaches(city: City) -> Iterator[Charge]:
    """Cut the river into reaches of some 1,500 m, whatever districts they lie in."""
    river = city.land[city.land["name"] == names.RIVER[0]].geometry.iloc[0]
    west, south, east, north = frame.to_metres(np.array([river]))[0].bounds
    count = max(2, round((east - west) / RIVER_REACH_M))
    for number in range(count):
        a, b = (west + (east - west) * k / count for k in (number, number + 1))
        box = frame.to_degrees(np.array([shapely.box(a, south - 1, b, north + 1)]))[0]
        zh = f"{names.RIVER[0]}第{names.numeral(number + 1)}河段"
        yield Charge(RIVER, names.Name(zh, f"{names.RIVER[1]} Reach {number + 1}"), river.intersection(box))


def _homes(city: City) -> Iterator[Charge]:
    """Yield the blocks of flats, and the stairwells of the long ones: every 18 m of front has its own door."""
    flats = city.buildings[city.buildings["use"].isin(("slab", "tower")) & (city.buildings["estate_name"] != "")]
    for row in flats.itertuples():
        zh, en = f"{row.estate_name}{row.building_number}", f"Block {row.building_number.removesuffix('号楼')}"
        yield Charge(BUILDING, names.Name(zh, en), row.geometry)
        doors = _stairwells(row.geometry) if row.use == "slab" else []
        for number, door in enumerate(doors, start=1):
            yield Charge(STAIR, names.Name(f"{zh}{number}单元", f"{en}, stairwell {number}"), door)


def _stairwells(shape: BaseGeometry) -> list[shapely.Point]:
    """Return a point for each stairwell: along the middle of the house, one for every 18 m of its front."""
    box = shapely.get_coordinates(frame.to_metres(np.array([shape]))[0].minimum_rotated_rectangle)
    first, second = box[1] - box[0], box[2] - box[1]
    long, short = (first, second) if first @ first >= second @ second else (second, first)
    count = max(1, round(float(np.hypot(*long)) / STAIRWELL_M))
    steps = (np.arange(count) + 0.5) / count
    start = box[0] if long is first else box[1]
    inward = short if long is first else -first
    return list(frame.to_degrees(shapely.points(start + steps[:, None] * long + inward / 2)))
