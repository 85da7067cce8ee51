"""What the moves of an issue say, in SQL: each sign a bit of one number, so that each move is looked at once.

A month of a large city has millions of moves. To ask each of them two dozen questions, one for each thing that is
counted, took longer than to read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sign:
    """What gives a sign: these moves (empty: any that tell something), and what must hold of their states.

    always: a move after the end of the period gives it too; it is then told with its time, which says whether it
    counts. lately: only a move within the period does, and none before it.
    """

    moves: tuple[str, ...] = ()
    states: str = ""
    always: bool = False
    lately: bool = False


SIGNS: Mapping[str, Sign] = {
    "verified": Sign(("verify",), always=True),
    "looked_at": Sign(states="from_state = 'collected' AND to_state <> 'collected'", always=True),
    "sent": Sign(
        states="from_state IN ('collected', 'filed') AND to_state IN ('dispatched', 'handling')", always=True
    ),
    "refused": Sign(("reject", "void")),
    "merged": Sign(("merge",)),
    "unfiled": Sign(("reject", "void", "merge"), "from_state NOT IN ('collected', 'to_locate')"),
    "returned": Sign(("return", "not_admitted")),
    "answered_at_once": Sign(("answer",)),
    "suspended": Sign(states="to_state = 'suspended'"),
    "forced": Sign(("grant",), "to_state = 'closed'"),
    "reworked": Sign(("rework",), "from_state <> 'self_handled'"),
    "self_handled": Sign(("self_handle",)),
    "failed": Sign(("rework",), "from_state = 'self_handled'"),
    "sample_inspected": Sign(states="from_state = 'self_handled'"),
    "sample_passed": Sign(("pass",), "from_state = 'self_handled'"),
    "inspected": Sign(("pass", "rework"), "from_state = 'fed_back'"),
    "closed": Sign(states="to_state = 'closed' AND from_state <> 'closed'"),
    "reopened": Sign(("reopen",)),
    "answered": Sign(("evaluate",), lately=True),
    "unreached": Sign(("miss_call",), "to_state = 'evaluated'", lately=True),
}
# The commonest first. The last may send a filed issue out, and tell so by their states alone.
TELLING = tuple(
    dict.fromkeys((
        "evaluate", "pass", "close", *(move for sign in SIGNS.values() for move in sign.moves),
        "dispatch", "designate", "conclude", "blow", "accept_whistle",
    ))
)  # fmt: skip
_BITS = {name: 1 << nth for nth, name in enumerate(SIGNS)}


def has(name: str) -> str:
    """Write that a number of signs has this one."""
    return f"signs & {_BITS[name]} <> 0"


def of_issue(name: str) -> str:
    """Write whether any move of an issue gave it."""
    return f"coalesce(moved.{has(name)}, false)"


def _given(names: Mapping[str, Sign]) -> str:
    given = (
        f"CASE WHEN {sign.states} THEN {_BITS[name]} ELSE 0 END" if sign.states else str(_BITS[name])
        for name, sign in names.items()
    )
    return " | ".join(given) or "0"


def _by_move(move: str) -> str:
    return f"WHEN '{move}' THEN {_given({name: sign for name, sign in SIGNS.items() if move in sign.moves})}"


_ALWAYS = sum(_BITS[name] for name, sign in SIGNS.items() if sign.always)
_LATELY = sum(_BITS[name] for name, sign in SIGNS.items() if sign.lately)
# The signs of one row of `move`.
SAID = f"""
    (CASE name {" ".join(_by_move(move) for move in TELLING)} ELSE 0 END
     | {_given({name: sign for name, sign in SIGNS.items() if not sign.moves})})
    & CASE WHEN at < :until THEN -1 ELSE {_ALWAYS} END & CASE WHEN at >= :since THEN -1 ELSE {~_LATELY} END"""
