"""What waits for somebody: the issues they can move on, in the groups their work falls into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import listing, paging, whistle_worklist
from gis.issues.guards import DANGER, WHISTLED
from gis.issues.listing import Filters
from gis.issues.matter import Actor
from gis.issues.moves import (
    CLOSED,
    COLLECTED,
    DISPATCHED,
    FED_BACK,
    FILED,
    HANDLING,
    INSPECTED,
    RETURNED,
    SEATS,
    SELF_HANDLED,
    SUSPENDED,
    TO_LOCATE,
)
from gis.issues.paging import Asked
from gis.issues.whistle_acts.acts import UNANSWERED
from gis.people.accounts import CALLER, CLERK, DEPARTMENT, DISPATCHER, INSPECTOR, LEADER, SHIFT_LEADER

Json = dict[str, Any]
GROUP_ROWS = 40
# More than this are "more than this": nobody reads the difference, and counting a million takes a second.
TOTAL_MOST = 10_000


@dataclass(frozen=True)
class Group:
    """A group of a work list. code: its word in `page.desk`, or a state; total: how many, up to TOTAL_MOST and one."""

    code: str
    rows: list[Json]
    total: int


# Group and what it holds, in the order of the day's work.
OF_SEATS: Mapping[str, tuple[tuple[str, Filters], ...]] = {
    CALLER: (
        (WHISTLED, Filters(marks=(WHISTLED,))), (RETURNED, Filters(states=(RETURNED,))),
        (DANGER, Filters(marks=(DANGER,))),
    ),
    DISPATCHER: (
        (UNANSWERED, Filters(marks=(UNANSWERED,))), (DANGER, Filters(marks=(DANGER,))),
        (WHISTLED, Filters(marks=(WHISTLED,))),
        (RETURNED, Filters(states=(RETURNED,))), (FILED, Filters(states=(FILED,))),
        ("asked", Filters(marks=("asked",))),
    ),
    SHIFT_LEADER: (("asked", Filters(marks=("asked",))), (INSPECTED, Filters(states=(INSPECTED,)))),
    CLERK: (
        (COLLECTED, Filters(states=(COLLECTED,))), (TO_LOCATE, Filters(states=(TO_LOCATE,))),
        (CLOSED, Filters(states=(CLOSED,))),
    ),
    INSPECTOR: (
        (FED_BACK, Filters(states=(FED_BACK,))), (COLLECTED, Filters(states=(COLLECTED,))),
        ("sampled", Filters(states=(SELF_HANDLED,), marks=("sampled",))),
    ),
    LEADER: ((FED_BACK, Filters(states=(FED_BACK,))), (COLLECTED, Filters(states=(COLLECTED,)))),
}  # fmt: skip
OF_DEPARTMENTS = Filters(states=(COLLECTED, FILED, DISPATCHED, HANDLING, FED_BACK, RETURNED, SUSPENDED))
# Then only who was sent to make a danger safe has something to do.
BEFORE = frozenset({COLLECTED, FILED})
# The stage a department is at -> the group it sees the issue in.
STAGES = {"signed": "at_work", "failed": "at_work", "fed_back": "waiting", "passed": "waiting", "refused": "refused"}
GROUPS = ("make_safe", "report_in", "to_sign", "at_work", SUSPENDED, "waiting", "refused")


def of(session: Session, actor: Actor) -> list[Group]:
    """List what waits for somebody, by groups; what is due first comes first."""
    if actor.role == DEPARTMENT and actor.department:
        return _of_department(session, actor.department)
    seats = [seat for seat in OF_SEATS if seat in SEATS.get(actor.role, {actor.role})]
    asked = {code: filters for seat in seats for code, filters in OF_SEATS[seat]}
    return [_group(session, code, filters) for code, filters in asked.items()]


def has_work(role: str) -> bool:
    """Say whether a role has a work list at all."""
    return role == DEPARTMENT or any(seat in OF_SEATS for seat in SEATS.get(role, {role}))


def _group(session: Session, code: str, filters: Filters) -> Group:
    page = paging.page(session, Asked(filters, "due"), rows=GROUP_ROWS)
    total = listing.total(session, filters, TOTAL_MOST) if page.total is None else page.total
    return Group(code, listing.of_ids(session, page.ids), total)


def _of_department(session: Session, department: str) -> list[Group]:
    filters = replace(OF_DEPARTMENTS, departments=(department,))
    where, values = listing.condition(filters)
    called = whistle_worklist.stages(session, department)
    groups: dict[str, list[int]] = {code: [] for code in GROUPS}
    sql = text(_STAGED.format(where=where))
    for row in session.execute(sql, values | {"department": department, "most": TOTAL_MOST + 1}):
        if row.state in BEFORE and row.code not in called:
            continue
        stage = called.get(row.code) or STAGES.get(row.step or "", "to_sign")
        suspended = row.state == SUSPENDED and stage == "at_work"
        groups[SUSPENDED if suspended else stage].append(row.id)
    return [Group(code, listing.of_ids(session, ids[:GROUP_ROWS]), len(ids)) for code, ids in groups.items()]


# All of it, with no words: which group an issue falls into is known by its last step alone.
_STAGED = """
SELECT issue.id, issue.code, issue.state, (
    SELECT step FROM party_step
    WHERE party_step.issue_id = issue.id AND department = :department AND step <> 'arrived' ORDER BY id DESC LIMIT 1
) AS step
FROM issue WHERE {where} ORDER BY issue.due_at NULLS LAST, issue.id LIMIT :most
"""
