"""The table of the loop: every state, move and seat, written here by hand; and what a city may change of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid, Problems
from gis.issues import guards, moves
from gis.issues.moves import MOVES, STATES, Rule
from gis.people import accounts

# Who may make a move from a state: c clerk, d dispatcher, s shift leader, i inspector, g grid leader, L the lead, A an
# assisting department, r the reporter, y the system.
TABLE = """
collected    | verify cig; reject cs; void cs; merge cd; self_handle g; answer c
to_locate    | void cs; merge cd; answer c
filed        | reject cs; void cs; merge cd; dispatch d; designate s; ask_forced_close ds; endorse d;
               grant s; decline ds; self_handle g; contact c; answer c; supervise s
dispatched   | merge cd; designate s; sign LA; arrive LA; feed_back LA; return L; refuse A; not_admitted LA;
               ask_forced_close ds; endorse d; grant s; decline ds; self_handle g; contact cL; answer c; urge ds;
               supervise s
handling     | designate s; sign A; arrive LA; feed_back LA; return L; refuse A; not_admitted LA; ask_suspension L;
               ask_extension L; ask_forced_close ds; endorse d; grant s; decline ds; contact cL; urge ds; supervise s
fed_back     | pass ig; rework ig; ask_forced_close ds; endorse d; grant s; decline ds; contact c; supervise s
inspected    | close s; ask_forced_close ds; endorse d; grant s; decline ds; contact c; supervise s
closed       | evaluate cr; miss_call c; leave_uncalled y; reopen cr; strike s; unstrike s
evaluated    | reopen cr; strike s; unstrike s
returned     | void cs; merge cd; dispatch d; designate s; ask_forced_close ds; endorse d; grant s; decline ds;
               contact c; supervise s
suspended    | ask_forced_close ds; endorse d; grant s; decline ds; resume dsy; contact c; supervise s
self_handled | pass i; rework i; strike s; unstrike s
rejected     |
voided       |
merged       |
"""
LETTERS = {
    "c": accounts.CLERK, "d": accounts.DISPATCHER, "s": accounts.SHIFT_LEADER, "i": accounts.INSPECTOR,
    "g": accounts.LEADER, "L": moves.LEAD, "A": moves.ASSIST, "r": moves.REPORTER, "y": moves.SYSTEM,
}  # fmt: skip
HANDLERS = {moves.LEAD, moves.ASSIST}


def allowed() -> set[tuple[str, str, str]]:
    """Read the table above: (state, move, who)."""
    found = set()
    for state, said in _lines():
        for part in filter(None, (each.strip() for each in said.split(";"))):
            name, letters = part.split()
            found |= {(state, name, LETTERS[letter]) for letter in letters}
    return found


def _lines() -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for line in TABLE.strip().splitlines():
        if "|" in line:
            state, said = line.split("|")
            lines.append((state.strip(), said))
        else:
            lines[-1] = (lines[-1][0], lines[-1][1] + line)
    return lines


@pytest.mark.parametrize("state", STATES)
def test_the_table_is_as_it_is_written_here(state: str) -> None:
    made = {(state, move.name, who) for move in MOVES if state in move.of for who in move.who}
    assert made == {each for each in allowed() if each[0] == state}


def test_every_state_can_come_to_an_end() -> None:
    assert moves.locked_in(MOVES) == []


def test_every_guard_named_is_one() -> None:
    assert {guard for move in MOVES for guard in move.guards} <= set(guards.BY_NAME)


@pytest.mark.parametrize("name", ["pass", "rework", "close", "grant"])
def test_what_ends_the_work_is_guarded_and_no_handlers(name: str) -> None:
    named = [move for move in MOVES if move.name == name]
    assert all("not_the_handler" in move.guards and not move.who & HANDLERS for move in named)


def test_no_move_into_the_closed_state_is_a_handlers_but_the_grids_own() -> None:
    ending = [move for move in MOVES if move.to in {moves.CLOSED, moves.INSPECTED}]
    assert all("not_the_handler" in move.guards for move in ending)


class TestRules:
    def test_without_rules_the_table_is_the_table(self) -> None:
        assert moves.apply([]) == MOVES

    def test_a_city_may_take_a_move_out(self) -> None:
        assert "merge" not in moves.names(moves.apply([Rule("merge", enabled=False)]))

    def test_a_city_may_give_it_to_fewer_hands(self) -> None:
        [verify] = [m for m in moves.apply([Rule("verify", who=frozenset({"inspector"}))]) if m.name == "verify"]
        assert verify.who == {"inspector"}

    def test_it_may_not_give_it_to_more(self) -> None:
        with pytest.raises(Problems, match=r"workflow\.wider"):
            moves.apply([Rule("pass", who=frozenset({"inspector", "lead"}))])

    def test_a_move_that_is_none_is_named(self) -> None:
        with pytest.raises(Problems, match=r"workflow\.unknown_move"):
            moves.apply([Rule("vanish")])

    def test_issues_may_not_be_locked_in(self) -> None:
        ways_out = ("close", "grant", "void", "merge", "reject", "self_handle")
        with pytest.raises(Problems, match=r"workflow\.locked_in"):
            moves.apply([Rule(name, enabled=False) for name in ways_out])

    @given(
        st.lists(
            st.builds(
                Rule,
                st.sampled_from(moves.names(MOVES)),
                st.booleans(),
                st.none() | st.frozensets(st.sampled_from([*LETTERS.values(), "operator", "department"])),
            )
        )
    )
    def test_no_rules_let_a_handler_inspect_or_close(self, rules: list[Rule]) -> None:
        try:
            changed = moves.apply(rules)
        except Problems:
            return
        for move in changed:
            if move.to in {moves.INSPECTED, moves.CLOSED} or move.name in {"pass", "close", "grant"}:
                assert "not_the_handler" in move.guards
                assert not move.who & HANDLERS


class TestFields:
    def move(self, name: str) -> moves.Move:
        return next(move for move in MOVES if move.name == name)

    def test_what_is_said_is_read(self) -> None:
        said = {"lead": "cg", "assists": ["sw"], "reason": " 改派 "}
        assert moves.read(self.move("dispatch"), said) == {"lead": "cg", "assists": ["sw"], "reason": "改派"}

    def test_what_is_left_out_and_not_needed_is_not_there(self) -> None:
        assert moves.read(self.move("dispatch"), {"lead": "", "assists": []}) == {}

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("evaluate", {"solved": "perhaps", "satisfied": "yes"}),
            ("ask_suspension", {"reason": "x", "until": "tomorrow"}),
            ("dispatch", {"assists": "sw"}),
            ("void", {"reason": 3}),
            ("void", {"reason": "a\x00b"}),
            ("arrive", {"position": {"lon": 1, "lat": 2, "height": 3}}),
            ("arrive", {"position": {"lon": True, "lat": 2}}),
        ],
    )
    def test_what_is_none_of_its_kind_is_refused(self, name: str, said: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            moves.read(self.move(name), said)
