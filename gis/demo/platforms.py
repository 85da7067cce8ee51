"""The standing platforms of the demo city's subdistricts, the accounts that speak for two of them, and their whistles.

Each platform is a 1+5+N: the office itself, five departments whose people sit with it, and others on call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.demo import names, roster
from gis.errors import ShaotuError
from gis.issues import workflow
from gis.issues.matter import Actor, Said
from gis.issues.moves import AT_WORK, FED_BACK, INSPECTED
from gis.issues.whistle_moves import OPEN
from gis.issues.whistles import record
from gis.issues.workflow import Loop
from gis.people import accounts, departments, rosters
from gis.people.departments import Department, Register

BY = "gis demo"
SINCE = date(2025, 1, 1)
RESIDENT, ON_CALL = ("GA", "XF", "JJ", "SJ", "ZF"), ("FG", "GZ", "YL", "WL", "YJ", "SW")
DAY, NIGHT = "08:30-17:30", "17:30-08:30"
# The platforms of the house across the line: the one on each side that its issue touches.
CALLERS = (("street", "690102", "禾阳一侧街道平台"), ("street2", "690103", "望山一侧街道平台"))
WHISTLES = (
    ("key", "街道三次入户劝阻，已下达告知书", "无执法与拆除权限", "街道办一楼会商室", "认定并限期拆除"),
    ("regular", "社区已清理两次并张贴通告", "涉及多个部门职责", "现场", "各部门到场划清责任"),
    ("coordination", "已联系权属单位未果", "权属不清", "现场", "确定权属和养护单位"),
    ("emergency", "已拉警戒线、疏散群众", "无专业处置力量", "现场", "排除险情"),
)
ANSWERED = 0.6
# A subdistrict sees what it can do by itself before it calls others.
TRIED_ALONE = timedelta(hours=1)
MADE_SAFE = ("已设围挡和警示，险情排除。", "已断电并临时固定，人员撤离。", "已抢修完毕，现场安全。")
CENTRE = Actor("dispatcher", "dispatcher")
LATE = {"reason": "事项已办结，无需再哨。"}


def staff(session: Session, seed: int, *, now: datetime) -> None:
    """Put people on duty on every subdistrict's platform, and open the accounts that blow whistles."""
    register = departments.register(session)
    offices = [each for each in register.by_code.values() if each.kind == "JD"]
    namer = names.Namer(np.random.default_rng([seed, 41]))
    rows = [row for office in offices for row in _platform(register, office, namer)]
    rosters.load(session, enumerate(rows, 2), by=BY, now=now)
    for username, district, name in CALLERS:
        _open(session, username, name, _office(session, district, offices), now)


def blow(session: Session, loop: Loop, seed: int, *, now: datetime) -> None:
    """Let the subdistricts blow some whistles in the hours before now, and the centre answer most."""
    rng = np.random.default_rng([seed, 43])
    asked = {"spared": sorted(roster.spared(session)), "until": now - TRIED_ALONE}
    for nth, row in enumerate(session.execute(_OPEN, asked).all()):
        said = WHISTLES[nth % len(WHISTLES)]
        at = max(row.reported_at + TRIED_ALONE / 2, now - timedelta(hours=float(rng.uniform(0.3, 2.5))))
        caller = Actor(f"platform-{row.unit.rsplit(':', 1)[-1]}", "caller", None, row.unit)
        fields = dict(zip(("type", "done_by_self", "why_not", "place", "expected"), said, strict=True))
        parties = {"parties": list(rng.choice(row.platform, size=2, replace=False))}
        # The first of them waits for a visitor to answer it.
        blown = _made(session, loop, row.code, "blow", Said(caller, at, fields | parties))
        if blown and nth > 0 and rng.random() < ANSWERED:
            accepted = Said(CENTRE, at + timedelta(minutes=12), {"item": "W99"})
            _made(session, loop, row.code, "accept_whistle", accepted)


def steps(session: Session, issue_id: int, state: str) -> Iterator[tuple[str, Actor, dict[str, Any]]]:
    """Yield what comes next for the whistles of an issue: an answer, those who come, an agreement, a review."""
    for each in record.of_issue(session, issue_id):
        named, caller = {"whistle": each.number}, Actor("platform", "caller", None, each.by_unit)
        if each.state == record.BLOWN:
            answer = ("accept_whistle", {"item": "W99"}) if state in OPEN else ("return_whistle", LATE)
            yield answer[0], CENTRE, named | answer[1]
        elif state in AT_WORK:
            for absent in each.absent:
                spot = {"position": _spot(session, issue_id), "person": "现场负责人"}
                yield "report_in", Actor(absent.department, "department", absent.department), spot
        elif each.state == record.CALLED and state in {FED_BACK, INSPECTED}:
            yield "agree_whistle", caller, named
        elif each.state == record.AGREED and not each.scores and state == INSPECTED:
            scores = {code: 70 + (7 * each.id + 11 * nth) % 31 for nth, code in enumerate(each.departments)}
            yield "review_whistle", caller, named | {"scores": scores}


def safety(session: Session, issue_id: int) -> Iterator[tuple[datetime, tuple[str, Actor, dict[str, Any]]]]:
    """Yield how those who were sent to make an issue safe tell that it is, and when they would: mostly in time."""
    for row in session.execute(_SENT, {"issue_id": issue_id}).all():
        said = {"position": _spot(session, issue_id), "done": MADE_SAFE[row.id % len(MADE_SAFE)]}
        sent = Actor(row.department, "department", row.department)
        yield row.at + timedelta(minutes=8 + 7 * row.id % 27), ("made_safe", sent, said)


def _spot(session: Session, issue_id: int) -> dict[str, float]:
    row = session.execute(_WHERE, {"issue_id": issue_id}).one()
    return {"lon": row.lon, "lat": row.lat}


def _made(session: Session, loop: Loop, code: str, move: str, said: Said) -> bool:
    try:
        with session.begin_nested():
            workflow.advance(session, code, move, said, loop)
    except ShaotuError:
        return False  # not in this state
    return True


def _platform(register: Register, office: Department, namer: names.Namer) -> Iterator[dict[str, Any]]:
    net, level, unit_code = office.ground.split(":")
    district = f"admin:district:{unit_code[:6]}"
    same = {"net": net, "level": level, "unit_code": unit_code, "valid_from": SINCE.isoformat()}
    called = [("1", office)]
    for part, kinds in (("5", RESIDENT), ("N", ON_CALL)):
        called += [(part, each) for kind in kinds for each in register.nearest(kind, (district,))[:1]]
    for nth, (part, each) in enumerate(called):
        standing = "on_call" if part == "N" else "resident"
        for hours in (DAY, NIGHT) if part == "1" else (DAY,):
            yield same | {
                "platform": part, "department": each.code, "person": namer.person(), "standing": standing,
                "rank": "队长" if part == "1" else "联络员", "hours": hours if part != "N" else "",
                "weekdays": "" if part != "5" else "12345", "phone": f"1390000{unit_code[-3:]}{nth:02}",
            }  # fmt: skip


def _office(session: Session, district: str, offices: list[Department]) -> Department:
    """Choose the office whose ground the house across the line touches, else the first of the district."""
    ground = session.scalar(_HOUSE, {"house": roster.HOUSE}) or []
    mine = sorted(each.ground for each in offices if each.ground.split(":")[-1].startswith(district))
    key = next((key for key in mine if key in ground), mine[0])
    return next(each for each in offices if each.ground == key)


def _open(session: Session, username: str, name: str, office: Department, now: datetime) -> None:
    if accounts.find(session, username) is None:
        newcomer = accounts.Newcomer(username, roster.PASSWORD, name, accounts.CALLER, department=office.code)
        accounts.add(session, newcomer, now=now)
        net, level, code = office.ground.split(":")
        accounts.give_post(session, username, (net, level, code), start=SINCE)


_WHERE = text("SELECT ST_X(point_geom) AS lon, ST_Y(point_geom) AS lat FROM issue WHERE id = :issue_id")
_SENT = text("""
SELECT id, department, at FROM errand
WHERE issue_id = :issue_id AND kind = 'make_safe' AND done_at IS NULL ORDER BY number
""")
_HOUSE = text("SELECT ground FROM issue WHERE external_id = :house")
# Some that are under way in a subdistrict whose platform has others to call, not those a visitor plays.
_OPEN = text("""
SELECT issue.code, issue.reported_at, place.unit, place.platform
FROM issue
CROSS JOIN LATERAL (
    SELECT net || ':' || level || ':' || unit_code AS unit, array_agg(DISTINCT department) AS platform
    FROM roster_entry
    WHERE net || ':' || level || ':' || unit_code = ANY(issue.ground) AND platform <> '1' AND department <> issue.lead
    GROUP BY 1 HAVING count(DISTINCT department) > 1 ORDER BY 1 LIMIT 1
) AS place
WHERE issue.state IN ('dispatched', 'handling') AND issue.reported_at < :until
AND NOT issue.departments && CAST(:spared AS text[])
ORDER BY issue.reported_at DESC, issue.id LIMIT 12
""")
