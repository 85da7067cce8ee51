"""Whistles in the small town: callers of subdistricts on both sides, a community's, centres, and who is called.

`jd` is the office of the subdistrict south in the west; `cg` and `sw` serve the districts west and east, `zf` the city.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.matter import Actor
from tests import town
from tests.issues import looped
from tests.issues.looped import EAST, WEST, Way

CITY = "admin:city:9901"
SOUTH, EAST_SOUTH = "admin:subdistrict:990101001", "admin:subdistrict:990102001"
COMMUNITY = "admin:community:990101001002"
CALLER = Actor("caller", "caller", "jd", SOUTH)
EAST_CALLER = Actor("east caller", "caller", None, EAST_SOUTH)
VILLAGE = Actor("village", "caller", None, COMMUNITY)
WEST_CENTRE = Actor("west centre", "dispatcher", None, WEST)
EAST_CENTRE = Actor("east centre", "dispatcher", None, EAST)
CITY_CENTRE = Actor("city centre", "dispatcher")
JD, MZ_WEST, MZ_EAST = (Actor(f"at {code}", "department", code) for code in ("jd", "mz-west", "mz-east"))
HERE = {"position": {"lon": 120.52, "lat": 30.255, "accuracy_m": 8}}
REPORT = HERE | {"person": "副队长 老赵"}
DONE = {"done": "已处置"}
WHY = {"reason": "理由"}
GROUND = [CITY, WEST, SOUTH, COMMUNITY]
BOTH = [CITY, WEST, EAST, SOUTH, EAST_SOUTH, COMMUNITY, "admin:community:990102001001"]


def town_of_callers(session: Session) -> None:
    """Put the town on the ground and name the departments."""
    town.build(session)
    looped.people(session)
    session.execute(
        text("""
        INSERT INTO department (code, kind, name_zh, name_en, net, level, unit_code) VALUES
        ('jd', 'JD', '南街道办', 'South Office', 'admin', 'subdistrict', '990101001'),
        ('jd-east', 'JD', '东南街道办', 'East Office', 'admin', 'subdistrict', '990102001'),
        ('mz-west', 'MZ', '西区民政局', 'West Civil Affairs', 'admin', 'district', '990101'),
        ('mz-east', 'MZ', '东区民政局', 'East Civil Affairs', 'admin', 'district', '990102')
        """)
    )


def plain(session: Session, nth: int = 1, **changes: Any) -> Way:
    """Give an issue in the west that `cg` leads, on the ground of the caller."""
    return looped.plain(session, nth, **({"ground": GROUND} | changes))


def across(session: Session, **changes: Any) -> Way:
    """Give an issue across the line of the districts: `cg` leads, `sw` must come."""
    return looped.across(session, **({"ground": BOTH} | changes))


def whistle(*parties: str, **changes: Any) -> dict[str, Any]:
    """Say what a caller says."""
    return {
        "type": "key", "done_by_self": "街道已劝离三次", "why_not": "无执法权", "parties": list(parties),
        "place": "南门口", "expected": "当场拆除",
    } | changes  # fmt: skip
