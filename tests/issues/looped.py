"""Issues on their way through the loop: one led by `cg`; one across the line, with a side for `cg` and one for `sw`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import dispatch, jurisdiction, parties, workflow
from gis.issues.jurisdiction import PartyCall
from gis.issues.matter import Actor, Said
from gis.issues.parties import Standing
from gis.issues.workflow import Loop, Moved
from gis.settings import Settings
from tests.issues import filed

NOW = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
WEST, EAST = "admin:district:990101", "admin:district:990102"
LOOP = Loop(Settings())
CLERK, DISPATCHER, CHIEF, INSPECTOR, LEADER, OPERATOR = (
    Actor(name, role)
    for name, role in (
        ("clerk", "clerk"), ("dispatcher", "dispatcher"), ("chief", "shift_leader"), ("inspector", "inspector"),
        ("leader", "leader"), ("operator", "operator"),
    )
)  # fmt: skip
CG, SW, ZF = (Actor(f"at {code}", "department", code) for code in ("cg", "sw", "zf"))
LAW = {"reason": "不归我们管", "ground_of_law": "职责清单第 3 条"}
PHOTO = "a" * 64


@dataclass
class Way:
    """An issue, and the moves made on it one after the other."""

    session: Session
    code: str
    issue_id: int
    now: datetime = NOW
    loop: Loop = LOOP

    def make(self, move: str, by: Actor, fields: Mapping[str, Any] | None = None, **said: Any) -> Moved:
        """Make one move, a minute after the one before."""
        self.now += timedelta(minutes=1)
        return workflow.advance(self.session, self.code, move, Said(by, self.now, fields or {}, **said), self.loop)

    def after(self, *moves: tuple[Any, ...]) -> Way:
        """Make several moves."""
        for move in moves:
            self.make(*move)
        return self

    @property
    def state(self) -> str:
        """The state it is in."""
        return str(self.session.scalar(text("SELECT state FROM issue WHERE id = :id"), {"id": self.issue_id}))

    @property
    def marks(self) -> list[str]:
        """What the loop has to say of it."""
        return list(self.session.scalar(text("SELECT marks FROM issue WHERE id = :id"), {"id": self.issue_id}))

    @property
    def version(self) -> int:
        """How many moves it made."""
        return int(self.session.scalar(text("SELECT version FROM issue WHERE id = :id"), {"id": self.issue_id}))

    def party(self, department: str) -> Standing:
        """Tell how a department stands."""
        return next(each for each in parties.of_issue(self.session, self.issue_id) if each.department == department)

    def in_state(self, state: str) -> Way:
        """Put it into a state by hand, for tests of the table."""
        row = {"state": state, "id": self.issue_id}
        self.session.execute(text("UPDATE issue SET state = :state WHERE id = :id"), row)
        return self

    def with_settings(self, **changes: Any) -> Way:
        """Go by other settings."""
        self.loop = replace(self.loop, settings=replace(self.loop.settings, **changes))
        return self


def people(session: Session) -> None:
    """Name the source, the category, and three departments: two of their own districts, one of the whole city."""
    filed.people(session)
    session.execute(
        text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')")
    )
    for code, district in (("cg", "990101"), ("sw", "990102")):
        session.execute(
            text("UPDATE department SET net = 'admin', level = 'district', unit_code = :unit WHERE code = :code"),
            {"code": code, "unit": district},
        )


def plain(session: Session, nth: int = 1, **changes: Any) -> Way:
    """Give an issue of the west: `cg` leads, `zf` assists and need not."""
    calls = (
        PartyCall("cg", "CG", "lead", (WEST,), "party.lead"), PartyCall("zf", "ZF", "assist", (WEST,), "party.assist"),
    )  # fmt: skip
    return _dispatched(session, nth, calls, changes)


def across(session: Session, nth: int = 1, **changes: Any) -> Way:
    """Give an issue across the line: `cg` leads for the west, `sw` has to come for the east."""
    calls = (
        PartyCall("cg", "CG", "lead", (WEST,), "party.lead"), PartyCall("sw", "SW", "assist", (EAST,), "party.side"),
        PartyCall("zf", "ZF", "assist", (WEST, EAST), "party.assist"),
    )  # fmt: skip
    return _dispatched(session, nth, calls, {"x": 2.0, "ground": [WEST, EAST], **changes})


def _dispatched(session: Session, nth: int, calls: tuple[PartyCall, ...], changes: dict[str, Any]) -> Way:
    x, y = changes.pop("x", 1.0), changes.pop("y", 0.5)
    issue_id = filed.issue(session, nth, x, y, **({"state": "dispatched"} | changes))
    decision = jurisdiction.Decision("incident", WEST, "cg", calls)
    call = dispatch.Call(issue_id, 1, jurisdiction.Case("gb", "0501"), decision)
    dispatch.assign(session, call, by="gis", now=NOW)
    return Way(session, f"990101{nth:06}", issue_id)
