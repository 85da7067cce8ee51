"""Locations made by hand on the town of tests/town.py, for questions that need no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from gis.issues import duties, jurisdiction
from gis.people.departments import Department, Register
from gis.territory.location import LevelAnswer, Location, Nearby, NetAnswer, Place, Standing, UnitRef
from tests import town

ON = date(2026, 6, 1)
CITY, WEST, EAST = "admin:city:9901", "admin:district:990101", "admin:district:990102"
W1, W2, E1, E2 = (f"admin:subdistrict:{code}" for code in ("990101001", "990101002", "990102001", "990102002"))
LEVELS = ("city", "district", "subdistrict", "community")
LENGTHS = {"city": 4, "district": 6, "subdistrict": 9, "community": 12}

RULES = (
    duties.Rule(2, "cg", "E0101", {}, ("JD", "ZF"), ("GZ",)),
    duties.Rule(3, "cg", "E0113", {}, ("SZ",), ("JD",)),
    duties.Rule(4, "cg", "E0501", {}, ("ZLS",), ("SZ",)),
    duties.Rule(5, "cg", "P0154", {}, ("CQ",), ()),
    duties.Rule(6, "cg", "E0125", {"land": ["park"]}, ("YL",), ()),
    duties.Rule(7, "cg", "E0125", {}, ("SW",), ()),
)
OFFICES = (
    *(Department(f"JD-{key[-9:]}", "JD", key, key, key) for key in (W1, W2, E1, E2)),
    *(Department(f"{kind}-{key[-6:]}", kind, key, key, key) for kind in ("ZF", "SZ", "YL") for key in (WEST, EAST)),
    Department("ZLS", "ZLS", "自来水公司", "Water Supply Company"),
    Department("CG", "CG", "市城市管理局", "Urban Management"),
    Department("hotel", "CQ", "海天饭店", "Hotel Haitian"),
    Department("general-desk", "DESK", "综合受理台", "General Desk"),
)
PRACTICE = jurisdiction.Practice()


def unit(key: str) -> UnitRef:
    """Name a unit of the town."""
    net, level, code = key.split(":")
    above = {"district": 4, "subdistrict": 6, "community": 9}.get(level)
    return UnitRef(hash(key) % 10**6, 1, net, level, code, f"{level} {code}", "", code[:above] if above else None)


def answer(
    standings: Mapping[str, Standing], *, boundary_m: float | None = 500.0, close: Sequence[str] = (), **said: object
) -> NetAnswer:
    """Make the net's answer from the standings of subdistricts, coarser levels following from them."""
    levels = []
    for level in LEVELS[:3]:
        units = _rolled_up(standings, LENGTHS[level], level)
        by = {unit(f"admin:{level}:{key.rsplit(':', 1)[1][: LENGTHS[level]]}") for key in close}
        beside = tuple(by - {standing.unit for standing in units})
        levels.append(LevelAnswer(level, units[0].unit if units else None, units, boundary_m=boundary_m, close=beside))
    levels[-1] = replace(levels[-1], units=tuple(standings.values()))
    finest = replace(levels[-1], **said)  # type: ignore[arg-type]
    return NetAnswer("admin", 1, "2024", (*levels[:-1], finest))


def _rolled_up(standings: Mapping[str, Standing], length: int, level: str) -> tuple[Standing, ...]:
    shares: dict[str, float | None] = {}
    for key, standing in standings.items():
        code = key.rsplit(":", 1)[1][:length]
        shares[code] = None if standing.share is None else (shares.get(code) or 0.0) + standing.share
    return tuple(Standing(unit(f"admin:{level}:{code}"), share) for code, share in shares.items())


def point(
    *keys: str,
    odds: Mapping[str, float] | None = None,
    boundary_m: float | None = 500.0,
    **said: Any,
) -> Location:
    """Make a point covered by these subdistricts; odds: probability of subdistricts, when its accuracy is known."""
    probable = tuple(Standing(unit(key), probability=p) for key, p in (odds or {}).items())
    net = answer({key: Standing(unit(key)) for key in keys}, boundary_m=boundary_m, probable=probable, **said)
    return Location(Place("point", town.at(1, 1)), ON, (net,))


def words(odds: Mapping[str, float]) -> Location:
    """Make words that may mean any of these subdistricts."""
    net = answer({key: Standing(unit(key), probability=p) for key, p in odds.items()}, boundary_m=None)
    return Location(Place("text", town.field(1, 0, 1.001, 0.001)), ON, (net,))


def footprint(
    shares: Mapping[str, float],
    *,
    kind: str = "building",
    **said: Any,
) -> Location:
    """Make a footprint with a share in each of these subdistricts."""
    net = answer({key: Standing(unit(key), share) for key, share in shares.items()}, boundary_m=0.0, **said)
    return Location(Place(kind, town.field(1, 0, 1.001, 0.001)), ON, (net,))


def thing(kind: str, /, **attributes: str) -> Nearby:
    """Make the building, street or estate of a place."""
    return Nearby(kind, 1, kind, kind, 0.0, attributes)


def book(
    rules: Sequence[duties.Rule] = RULES,
    offices: Sequence[Department] = OFFICES,
    practice: jurisdiction.Practice = PRACTICE,
) -> jurisdiction.Book:
    """Make what the town goes by."""
    return jurisdiction.Book(Register(offices), (duties.Sheet.of("town", "1", rules),), practice)


def pact(code: str, lead: str, parties: Sequence[str], **said: object) -> jurisdiction.Pact:
    """Make an agreement that holds in 2026, for all categories unless said."""
    given = {"categories": (), "valid_from": date(2026, 1, 1), "valid_to": None, "area_m2": 100.0} | said
    return jurisdiction.Pact(code=code, title=code, lead=ground(lead), parties=tuple(map(ground, parties)), **given)  # type: ignore[arg-type]


def ground(key: str) -> jurisdiction.Ground:
    """Name a unit with what stands above it."""
    net, level, code = key.split(":")
    coarser = LEVELS[: LEVELS.index(level)]
    above = tuple(f"{net}:{over}:{code[: LENGTHS[over]]}" for over in reversed(coarser))
    return jurisdiction.Ground(key, code, code, above)


def decide(
    location: Location, category: str = "E0101", pacts: Sequence[jurisdiction.Pact] = (), **said: object
) -> jurisdiction.Decision:
    """Decide a case of a category, by the town's book unless another is said."""
    going_by = said.pop("book", None) or book()
    case = jurisdiction.Case("cg", category, parent=category[:3], **said)  # type: ignore[arg-type]
    return jurisdiction.decide(case, location, pacts, going_by)  # type: ignore[arg-type]
