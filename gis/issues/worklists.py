"""What waits for somebody: the issues they can move on, in the groups their work falls into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import listing, paging, whistle_worklist
from gis.issues.guards import WHISTLED
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
from gis.issues.whistle_acts.beside import DANGER
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
    found = listing.rows(session, filters, per_page=listing.PAGE_ROWS_MOST, order="due")
    stages = {
        row.code: row.step
        for row in session.execute(_STAGES, {"codes": [row["code"] for row in found], "department": department})
    }
    groups: dict[str, list[Json]] = {code: [] for code in GROUPS}
    called = whistle_worklist.stages(session, department)
    for row in found:
        if row["state"] in BEFORE and row["code"] not in called:
            continue
        stage = called.get(row["code"]) or STAGES.get(stages.get(row["code"], ""), "to_sign")
        suspended = row["state"] == SUSPENDED and stage == "at_work"
        groups[SUSPENDED if suspended else stage].append(row)
    return [Group(code, rows, len(rows)) for code, rows in groups.items()]


_STAGES = text("""
SELECT DISTINCT ON (issue.code) issue.code, party_step.step
FROM issue JOIN party_step ON party_step.issue_id = issue.id
WHERE issue.code = ANY(:codes) AND party_step.department = :department AND party_step.step <> 'arrived'
ORDER BY issue.code, party_step.id DESC
""")
