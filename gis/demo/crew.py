"""Those who handle issues in the demo city: the next step of each, by whoever has to take it, as days go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.demo import callers, platforms
from gis.errors import ShaotuError
from gis.issues import moves, parties, workflow
from gis.issues.matter import Actor, Said
from gis.issues.parties import Standing
from gis.issues.workflow import Loop

# Chances that something is not as it should be.
RETURNED, REWORKED, CALLED_BACK = 0.03, 0.08, 0.8
SLOWEST_H = 9.0
# What came in before that is done, also for the departments whose work is left to a visitor.
LATELY = timedelta(days=4)
DONE = ("已到现场处置完毕。", "已清理干净，并安排巡查。", "已修复，现场恢复原状。", "已联系责任单位整改到位。")
RETURN: Mapping[str, str] = {"reason": "经现场查看，不属本部门职责范围。", "ground_of_law": "部门职责清单（演示）"}
REWORK: Mapping[str, str] = {"reason": "现场仍有遗留，请继续处置。"}
INSPECTOR, CHIEF, DISPATCHER = (
    Actor("inspector", "inspector"), Actor("chief", "shift_leader"), Actor("dispatcher", "dispatcher"),
)  # fmt: skip
Step = tuple[str, Actor, Mapping[str, Any]]


@dataclass(frozen=True)
class Crew:
    """Who moves issues on, by which dice. spared: departments whose work a visitor does."""

    loop: Loop
    rng: np.random.Generator
    spared: Collection[str] = ()

    def push(self, session: Session, now: datetime) -> str | None:
        """Move one issue on, chosen among those under way; return its code, None if nothing could move."""
        row = session.execute(_ONE, {"spared": sorted(self.spared), "states": [*GOING]}).one_or_none()
        if row is None:
            return None
        return row.code if self._step(session, row, now) else None

    def live_through(self, session: Session, until: datetime) -> int:
        """Let the issues on record be handled as days go, up to a moment; return how many moves were made."""
        made = 0
        for row in session.execute(_ALL, {"spared": sorted(self.spared), "lately": until - LATELY}).all():
            at = self._made_safe(session, row, until)
            while (at := at + self._pause(row.lead)) < until and self._step(session, row, at):
                made += 1
        return made

    def _made_safe(self, session: Session, row: Row[Any], until: datetime) -> datetime:
        """Let a danger be made safe before anything else is done; return from when on the rest goes its way."""
        from_then = row.reported_at
        for at, (move, actor, fields) in platforms.safety(session, row.id):
            if at < until:
                workflow.advance(session, row.code, move, Said(actor, at, fields), self.loop)
                from_then = at
        return from_then

    def _pause(self, lead: str | None) -> timedelta:
        """Draw how long the next step is waited for: with departments that work well, less."""
        slowness = 1.05 - callers.quality(lead or "")
        return timedelta(hours=float(self.rng.exponential(SLOWEST_H * slowness)) + 0.1)

    def _step(self, session: Session, row: Row[Any], at: datetime) -> bool:
        for move, actor, fields in self._next(session, row.id, at):
            try:
                workflow.advance(session, row.code, move, Said(actor, at, fields), self.loop)
            except ShaotuError:
                return False  # somebody else was faster
            return True
        return False

    def _next(self, session: Session, issue_id: int, now: datetime) -> Iterator[Step]:
        """Yield what comes next for an issue, if anything does."""
        issue = dict(session.execute(_ISSUE, {"id": issue_id}).mappings().one())
        state = issue["state"]
        yield from (step for at, step in platforms.safety(session, issue_id) if at <= now)
        yield from platforms.steps(session, issue_id, state)
        if state == moves.DISPATCHED and (settled := next(callers.settled(issue, self.rng), None)):
            yield callers.step(session, settled, issue_id, self.loop, now)
        elif state in moves.AT_WORK:
            yield from self._at_work(parties.of_issue(session, issue_id), calls=callers.calls_first(issue, self.rng))
        elif state == moves.RETURNED:
            yield "dispatch", DISPATCHER, _sent_on(session, issue_id)
        elif state == moves.FED_BACK:
            failed = self.rng.random() < REWORKED
            yield ("rework", INSPECTOR, REWORK) if failed else ("pass", INSPECTOR, {})
        elif state == moves.INSPECTED:
            yield "close", CHIEF, {}
        elif state == moves.CLOSED and issue["can_be_called"] and self.rng.random() < CALLED_BACK:
            yield callers.call_back(issue, self.rng)
        elif state == moves.EVALUATED:
            yield from callers.again(issue, self.rng)

    def _at_work(self, standings: tuple[Standing, ...], *, calls: bool) -> Iterator[Step]:
        """Yield the next step of whoever must take one: the lead first."""
        for each in standings:
            if not (each.mandatory or each.role == moves.LEAD) or each.is_done:
                continue
            actor = Actor(each.department, "department", each.department)
            if each.stage == moves.SIGNED and calls and each.role == moves.LEAD:
                yield "contact", actor, {}
            elif each.stage == moves.SIGNED:
                yield "feed_back", actor, {"done": str(self.rng.choice(DONE))}
            elif each.role == moves.LEAD and not each.refused_n and self.rng.random() < RETURNED:
                yield "return", actor, RETURN
            else:
                yield "sign", actor, {}


def _sent_on(session: Session, issue_id: int) -> dict[str, str]:
    """Hand what was returned by a line to the office beside it; elsewhere it stays with whom it was."""
    beside = session.scalar(_BESIDE, {"id": issue_id, "near_deg": NEAR_DEG})
    if beside is None:
        return {"reason": "按职责清单仍由原部门办理。"}
    return {"lead": beside, "reason": "经现场核实，位于界线另一侧。"}


GOING = (moves.DISPATCHED, moves.HANDLING, moves.FED_BACK, moves.INSPECTED, moves.RETURNED, moves.CLOSED)
_ISSUE = text("""
SELECT state, lead, marks, scheme, category, work_order, coalesce(reporter ->> 'phone', '') <> '' AS can_be_called,
       (SELECT fields ->> 'solved' FROM move WHERE issue_id = :id AND name = 'evaluate'
        ORDER BY version DESC LIMIT 1) AS solved,
       EXISTS (SELECT FROM move WHERE issue_id = :id AND name = 'contact') AS contacted
FROM issue WHERE id = :id
""")
_ONE = text("""
SELECT id, code, reported_at FROM issue
WHERE state = ANY(:states) AND NOT departments && CAST(:spared AS text[]) ORDER BY random() LIMIT 1
""")
_ALL = text("""
SELECT id, code, reported_at, lead FROM issue
WHERE state = 'dispatched' AND NOT (departments && CAST(:spared AS text[]) AND reported_at > :lately)
ORDER BY reported_at, id
""")
# Some two hundred metres.
NEAR_DEG = 0.002
_BESIDE = text("""
SELECT other.code
FROM issue JOIN department AS own ON own.code = issue.lead
JOIN department AS other ON other.kind = own.kind AND (other.net, other.level) = (own.net, own.level)
     AND other.code <> own.code AND other.closed_on IS NULL
JOIN edition ON edition.net = other.net AND edition.state = 'active' AND edition.valid_to IS NULL
JOIN unit ON unit.edition_id = edition.id AND (unit.level, unit.code) = (other.level, other.unit_code)
WHERE issue.id = :id AND ST_DWithin(unit.geom, issue.point_geom, :near_deg)
ORDER BY ST_Distance(unit.geom, issue.point_geom), other.code LIMIT 1
""")
