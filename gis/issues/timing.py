"""What a move does to an issue's clocks: who is called later has a clock of its own, and waiting for others is no time.

The clock of the issue is everybody's who was called when it was filed. A department that is called later, or anew, gets
one of its own with the same limit, so that it is not late by what was done before it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from gis.issues import clocks, parties, requests
from gis.issues.clerk import Clerk
from gis.issues.clocks import Clock, Kept, record, values
from gis.issues.consequences import Outcome
from gis.issues.matter import Matter, Said
from gis.issues.moves import AT_WORK, ENDS, FED_BACK, FILED, HANDLING, INSPECTED, LEAD, RETURNED, SUSPENDED, Move
from gis.issues.requests import EXTENSION
from gis.issues.worktime import Pause

ISSUES_OWN = ""


@dataclass(frozen=True)
class Change:
    """A move that was written, with the clocks for handling as they stood before it."""

    matter: Matter
    move: Move
    said: Said
    outcome: Outcome
    clocks: tuple[Kept, ...]

    @property
    def clerk(self) -> Clerk:
        """Who moved, and when."""
        return Clerk(self.said.by.username, self.said.now, self.matter.settings)

    @property
    def handling(self) -> list[Kept]:
        """The clocks for handling: the issue's own, and those of parties that were called later."""
        return [kept for kept in self.clocks if kept.clock.name == values.HANDLE]

    def leads(self, *states: str) -> bool:
        """Say whether it leads into one of these states from another."""
        return self.outcome.to in states and self.matter.state not in states


def follow(matter: Matter, move: Move, said: Said, outcome: Outcome) -> None:
    """Let the clocks follow a move that was written."""
    kept = tuple(clocks.of_issue(matter.session, matter.id))
    if not kept:
        return
    change = Change(matter, move, said, outcome, kept)
    for department, step in outcome.steps:
        _of_step(change, step, department)
    for rule in (_call_late, _signed, _granted, _resumed, _handled, _taken_up_again, _contacted, _ended):
        rule(change)


def _signed(change: Change) -> None:
    """Stop the clock for signing once the lead has signed."""
    if change.move.name in {"sign", "report_in"} and change.leads(HANDLING):
        _stop(change, (kept for kept in change.clocks if kept.clock.name == values.SIGN))


def _resumed(change: Change) -> None:
    if change.matter.state == SUSPENDED and change.outcome.to == HANDLING:
        for kept in change.handling:
            if kept.clock.state(change.said.now) == "suspended":
                clocks.resume(change.matter.session, kept, change.clerk)


def _handled(change: Change) -> None:
    """Stop the issue's own clock when everybody who must has fed back: what others take to look at it is theirs."""
    if change.leads(FED_BACK):
        _stop(change, (kept for kept in change.handling if kept.department == ISSUES_OWN))


def _taken_up_again(change: Change) -> None:
    """Let it go on after rework or reopening."""
    before, after = change.matter.state, change.outcome.to
    if before in {FED_BACK, INSPECTED, *ENDS} and after in {FILED, RETURNED, *AT_WORK}:
        _go_on(change, (kept for kept in change.handling if kept.department == ISSUES_OWN))


def _contacted(change: Change) -> None:
    """Stop the clock for the call to who reported it when somebody spoke with them."""
    if change.move.name in {"contact", "answer", "evaluate"}:
        spoken = [kept for kept in change.clocks if kept.clock.name == values.CONTACT]
        _stop(change, (kept for kept in spoken if kept.clock.runs))


def _ended(change: Change) -> None:
    """Stop every clock at the end, but the one for the call to who reported it."""
    if change.leads(*ENDS) and change.matter.state not in ENDS:
        _stop(change, (kept for kept in change.clocks if kept.clock.name != values.CONTACT))


def _of_step(change: Change, step: str, department: str) -> None:
    """Stop a party's own clock when it has fed back; let it go on when it has to work again; begin a new one."""
    own = [kept for kept in change.handling if kept.department == department]
    if step == "fed_back":
        _stop(change, own)
    elif step == "failed":
        _go_on(change, own)
    elif step == "called":
        _start(change, department)


def _call_late(change: Change) -> None:
    """Give who was called by this move, and was not called before, a clock of its own."""
    before = {each.department for each in change.matter.standings}
    if change.move.name in {"dispatch", "designate"} and before:
        for each in parties.of_issue(change.matter.session, change.matter.id):
            if each.department not in before:
                _start(change, each.department)


def _start(change: Change, department: str) -> None:
    by_department = {kept.department: kept for kept in change.handling}
    issues = by_department.get(ISSUES_OWN)
    if issues is None or issues.clock.limit is None:
        return
    clerk, issue_id = change.clerk, change.matter.id
    clock = Clock(values.HANDLE, issues.clock.reason, started_at=clerk.now, limit=issues.clock.limit)
    last = by_department.get(department) or Kept(issue_id, department, 0, "", clock, clerk.now, clerk.by)
    record.change(change.matter.session, last, values.STARTED, clock, clerk)


def _stop(change: Change, kept: Iterable[Kept]) -> None:
    for each in kept:
        if each.clock.stopped_at is None and each.clock.started_at is not None:
            clocks.stop(change.matter.session, each, change.clerk)


def _go_on(change: Change, kept: Iterable[Kept]) -> None:
    """Let stopped clocks go on: the time in which others looked at the work does not count."""
    for each in kept:
        stopped_at = each.clock.stopped_at
        if stopped_at is not None:
            pauses = (*each.clock.pauses, Pause(stopped_at, change.said.now))
            clock = replace(each.clock, stopped_at=None, pauses=pauses)
            record.change(change.matter.session, each, values.RESUMED, clock, change.clerk)


def _granted(change: Change) -> None:
    """Suspend every clock to the day that was asked for, or give the lead one more of its limit."""
    request = requests.open_one(change.matter) if change.move.name == "grant" else None
    going = [kept for kept in change.handling if kept.clock.runs]
    if request and change.outcome.to == SUSPENDED:
        day = date.fromisoformat(request.fields["until"])
        until = datetime.combine(day, time(), ZoneInfo(change.matter.settings.time_zone))
        for kept in going:
            clocks.suspend(change.matter.session, kept, until, change.clerk)
    elif request and request.kind == EXTENSION:
        leads = {each.department for each in change.matter.standings if each.role == LEAD}
        own = [kept for kept in going if kept.department in leads]
        for kept in own or [kept for kept in going if kept.department == ISSUES_OWN]:
            clocks.extend(change.matter.session, kept, change.clerk)
