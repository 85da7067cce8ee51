"""The matrix of hand-offs: it adds up to those on record, whatever units the departments serve."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.planning import flows
from tests import town
from tests.issues import filed
from tests.planning import bordered
from tests.planning.bordered import COMMUNITY, DISTRICT, E, W, asked

WEST, EAST = f"{DISTRICT}:{W}", f"{DISTRICT}:{E}"
SUBDISTRICT = "admin:subdistrict:990101002"
GRID = "governance:grid:990102001001001"
UNITS = (WEST, EAST, SUBDISTRICT, GRID, "police:precinct:p1", "admin:city:9901", "admin:district:gone", None)


@pytest.fixture(autouse=True)
def _town(session: Session) -> None:
    bordered.build(session)
    filed.issue(session, 1, 2.0, 0.5)


def hand(session: Session, giver: str | None, taker: str | None, at: object = filed.AT) -> None:
    session.execute(_HAND, {"giver": giver, "taker": taker, "at": at})


_HAND = text("""
WITH made AS (
    INSERT INTO move (issue_id, version, name, from_state, to_state, actor, role, at, said_at, fields)
    SELECT id, (SELECT count(*) + 1 FROM move), 'dispatch', 'filed', 'dispatched', 'test', 'dispatcher', :at, :at, '{}'
    FROM issue RETURNING issue_id, version
)
INSERT INTO handoff (issue_id, move_version, from_department, to_department, from_unit, to_unit, reason, by, at)
SELECT issue_id, version, 'cg', 'sw', :giver, :taker, '', 'test', :at FROM made
""")


def test_a_hand_off_goes_from_one_unit_to_another(session: Session) -> None:
    hand(session, WEST, EAST)
    found = flows.matrix(session, asked())
    assert dict(found.cells) == {(WEST, EAST): 1}


def test_a_unit_below_counts_for_the_one_above_it(session: Session) -> None:
    hand(session, SUBDISTRICT, GRID)
    assert dict(flows.matrix(session, asked()).cells) == {(WEST, EAST): 1}


def test_a_unit_above_the_level_or_of_another_net_is_elsewhere(session: Session) -> None:
    hand(session, WEST, "police:precinct:p1")
    assert dict(flows.matrix(session, asked(COMMUNITY)).cells) == {(flows.ELSEWHERE, flows.ELSEWHERE): 1}


def test_both_ways_are_told_apart(session: Session) -> None:
    for giver, taker in ((WEST, EAST), (WEST, EAST), (EAST, WEST)):
        hand(session, giver, taker)
    flow = flows.matrix(session, asked()).between(WEST, EAST)
    assert (flow.to_b_n, flow.to_a_n, flow.total_n, flow.key) == (2, 1, 3, f"{W}|{E}")


def test_those_of_another_period_do_not_count(session: Session) -> None:
    hand(session, WEST, EAST, at=bordered.at(town.SINCE))
    assert flows.matrix(session, asked()).total_n == 0


def test_the_issues_of_a_pair_are_listed_once(session: Session) -> None:
    hand(session, WEST, EAST)
    hand(session, EAST, WEST)
    assert len(flows.issues(session, asked(), WEST, EAST)) == 1


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(UNITS)), max_size=30),
    level=st.sampled_from(["admin:city", DISTRICT, "admin:subdistrict", COMMUNITY, "governance:grid"]),
)
def test_the_matrix_adds_up_to_the_hand_offs_on_record(
    session: Session, pairs: list[tuple[str | None, str | None]], level: str
) -> None:
    tried = session.begin_nested()
    for giver, taker in pairs:
        hand(session, giver, taker)
    found = flows.matrix(session, asked(level))
    recorded = session.scalar(text("SELECT count(*) FROM handoff"))
    tried.rollback()
    assert found.total_n == recorded == len(pairs)
    assert sum(map(found.given_n, found.keys)) == sum(map(found.taken_n, found.keys)) == recorded
