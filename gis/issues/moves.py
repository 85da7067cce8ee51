"""The closed loop as one table: from which state, by whom, with what, to which state. Pure.

A city may rename a move, take it out or give it to fewer hands; it may never touch the guards. So there is no table in
which who handled an issue also inspects or closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gis.errors import Invalid, Problems, ShaotuError, Word
from gis.people.accounts import CLERK, DISPATCHER, INSPECTOR, LEADER, OPERATOR, SHIFT_LEADER

COLLECTED, TO_LOCATE, FILED, DISPATCHED, HANDLING = "collected", "to_locate", "filed", "dispatched", "handling"
FED_BACK, INSPECTED, CLOSED, EVALUATED = "fed_back", "inspected", "closed", "evaluated"
RETURNED, SUSPENDED, REJECTED, VOIDED, MERGED, SELF_HANDLED = (
    "returned", "suspended", "rejected", "voided", "merged", "self_handled",
)  # fmt: skip
STATES = (
    COLLECTED, TO_LOCATE, FILED, DISPATCHED, HANDLING, FED_BACK, INSPECTED, CLOSED, EVALUATED, RETURNED, SUSPENDED,
    REJECTED, VOIDED, MERGED, SELF_HANDLED,
)  # fmt: skip
ENDS = frozenset({CLOSED, EVALUATED, REJECTED, VOIDED, MERGED, SELF_HANDLED})
AT_WORK = frozenset({DISPATCHED, HANDLING})
UNDER_WAY = frozenset({FILED, DISPATCHED, HANDLING, FED_BACK, INSPECTED, RETURNED, SUSPENDED})

# How a department stands on an issue.
CALLED, SIGNED, DONE, PASSED, REFUSED = "called", "handling", "fed_back", "passed", "refused"
# What somebody can be to an issue beside a role.
LEAD, ASSIST, REPORTER, SYSTEM = "lead", "assist", "reporter", "system"
# Sent to do something beside the decision: to make safe, to confirm a line.
ERRAND = "errand"
# One person may hold these seats in a small city; never a handler's.
SEATS: Mapping[str, frozenset[str]] = {OPERATOR: frozenset({OPERATOR, CLERK, DISPATCHER, SHIFT_LEADER})}

Json = dict[str, Any]


@dataclass(frozen=True)
class Need:
    """Something a move has to be told. kind: text, date, choice, department, departments, issue, photo, position ..."""

    name: str
    kind: str = "text"
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Move:
    """One line of the table. to: None for a step that leaves the issue's state to what follows from it.

    who: roles, and relations to the issue. stages: how the mover's own department must stand on it; empty for anybody
    else's moves. guards: what must also hold; by name, in `guards`.
    """

    name: str
    of: frozenset[str]
    who: frozenset[str]
    needs: tuple[Need, ...] = ()
    to: str | None = None
    stages: frozenset[str] = frozenset()
    guards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """What a city changes of a move: leaves it out, gives it to fewer hands, calls it by its own words."""

    move: str
    enabled: bool = True
    who: frozenset[str] | None = None
    name_zh: str = ""
    name_en: str = ""


# How a call to who reported it can fail.
MISSED = ("no_answer", "busy", "wrong_number", "declined")

REASON, LAW, DOCUMENT = Need("reason"), Need("ground_of_law"), Need("document")
ON_SPOT = Need("position", "position")


def _move(name: str, of: Iterable[str], who: Iterable[str], to: str | None = None, *needs: Need) -> Move:
    return Move(name, frozenset(of), frozenset(who), needs, to)


def _guarded(move: Move, *guards: str, stages: Collection[str] = ()) -> Move:
    return replace(move, guards=guards, stages=frozenset(stages))


MOVES: tuple[Move, ...] = (
    _move("verify", [COLLECTED], [CLERK, INSPECTOR, LEADER], FILED, Need("note", required=False)),
    _guarded(_move("reject", [COLLECTED, FILED], [CLERK, SHIFT_LEADER], REJECTED, REASON, LAW), "whistles_ended"),
    _guarded(
        _move("void", [COLLECTED, TO_LOCATE, FILED, RETURNED], [CLERK, SHIFT_LEADER], VOIDED, REASON), "whistles_ended"
    ),
    _guarded(
        _move("merge", [COLLECTED, TO_LOCATE, FILED, DISPATCHED, RETURNED], [CLERK, DISPATCHER], MERGED,
              Need("target", "issue")),
        "another_issue", "whistles_ended",
    ),
    _guarded(
        _move("dispatch", [FILED, RETURNED], [DISPATCHER], DISPATCHED, Need("lead", "department", required=False),
              Need("assists", "departments", required=False), Need("reason", required=False)),
        "no_deadlock", "somebody_leads",
    ),
    _guarded(
        _move("designate", [FILED, RETURNED, DISPATCHED, HANDLING], [SHIFT_LEADER], DISPATCHED,
              Need("lead", "department"), DOCUMENT, REASON),
        "somebody_leads",
    ),
    _guarded(_move("sign", [DISPATCHED], [LEAD], HANDLING), stages=[CALLED]),
    _guarded(_move("sign", AT_WORK, [ASSIST]), stages=[CALLED]),
    _guarded(
        _move("arrive", AT_WORK, [LEAD, ASSIST], None, ON_SPOT, Need("photo", "photo", required=False)),
        stages=[SIGNED],
    ),
    _guarded(
        _move("feed_back", AT_WORK, [LEAD, ASSIST], None, Need("done"), Need("photo_before", "photo", required=False),
              Need("photo_after", "photo", required=False)),
        stages=[SIGNED],
    ),
    _guarded(_move("return", AT_WORK, [LEAD], RETURNED, REASON, LAW), stages=[CALLED, SIGNED]),
    _guarded(_move("refuse", AT_WORK, [ASSIST], None, REASON, LAW), "not_refused_before", stages=[CALLED, SIGNED]),
    # A community needs no law against what the city did not admit to it (社区准入).
    _guarded(_move("not_admitted", AT_WORK, [LEAD], RETURNED, REASON), "a_community", "off_its_list",
             stages=[CALLED, SIGNED]),
    _guarded(_move("not_admitted", AT_WORK, [ASSIST], None, REASON), "a_community", "off_its_list",
             "not_refused_before", stages=[CALLED, SIGNED]),
    _guarded(
        _move("pass", [FED_BACK], [INSPECTOR, LEADER], INSPECTED, Need("note", required=False),
              Need("photo", "photo", required=False)),
        "not_the_handler",
    ),
    _guarded(_move("rework", [FED_BACK], [INSPECTOR, LEADER], HANDLING, REASON), "not_the_handler"),
    _guarded(_move("pass", [SELF_HANDLED], [INSPECTOR]), "sampled", "not_the_handler"),
    _guarded(_move("rework", [SELF_HANDLED], [INSPECTOR], RETURNED, REASON), "sampled", "not_the_handler"),
    _guarded(_move("close", [INSPECTED], [SHIFT_LEADER], CLOSED), "not_the_handler", "whistles_ended", "is_safe"),
    _move("contact", UNDER_WAY, [CLERK], None, Need("note", required=False)),
    _guarded(_move("contact", AT_WORK, [LEAD], None, Need("note", required=False)), stages=[SIGNED]),
    _guarded(
        _move("answer", [COLLECTED, TO_LOCATE, FILED, DISPATCHED], [CLERK], CLOSED, Need("reply")),
        "a_question", "nobody_signed", "not_the_handler",
    ),
    _guarded(
        _move("evaluate", [CLOSED], [CLERK, REPORTER], EVALUATED,
              Need("contacted", "choice", required=False, choices=("yes", "no")),
              Need("solved", "choice", choices=("yes", "no")),
              Need("satisfied", "choice", required=False, choices=("yes", "partly", "no")),
              Need("note", required=False)),
        "not_the_handler",
    ),
    _move("miss_call", [CLOSED], [CLERK], None, Need("outcome", "choice", choices=MISSED),
          Need("note", required=False)),
    _guarded(_move("leave_uncalled", [CLOSED], [SYSTEM], EVALUATED), "nobody_to_call"),
    _guarded(_move("reopen", [CLOSED, EVALUATED], [CLERK, REPORTER], DISPATCHED, REASON), "in_time"),
    _guarded(
        _move("ask_suspension", [HANDLING], [LEAD], None, REASON, Need("until", "date")),
        "nothing_asked", "never_suspended", "within_a_year", stages=[SIGNED],
    ),
    _guarded(
        _move("ask_extension", [HANDLING], [LEAD], None, REASON), "nothing_asked", "extensions_left", stages=[SIGNED]
    ),
    _move("urge", AT_WORK, [DISPATCHER, SHIFT_LEADER], None, REASON),
    _move("supervise", UNDER_WAY, [SHIFT_LEADER], None, REASON, DOCUMENT),
    _guarded(_move("ask_forced_close", UNDER_WAY, [DISPATCHER, SHIFT_LEADER], None, REASON), "nothing_asked"),
    _guarded(_move("endorse", UNDER_WAY, [DISPATCHER]), "to_be_endorsed", "another_person"),
    _guarded(_move("grant", UNDER_WAY, [SHIFT_LEADER]), "to_be_granted", "another_person", "not_the_handler",
             "whistles_ended_if_forced"),
    _guarded(_move("decline", UNDER_WAY, [DISPATCHER, SHIFT_LEADER], None, REASON), "something_asked"),
    _move("resume", [SUSPENDED], [DISPATCHER, SHIFT_LEADER, SYSTEM], HANDLING),
    _guarded(
        _move("self_handle", [COLLECTED, FILED, DISPATCHED], [LEADER], SELF_HANDLED, Need("photo_before", "photo"),
              Need("photo_after", "photo"), Need("note", required=False)),
        "on_the_list", "nobody_signed", "whistles_ended",
    ),
    # Struck off the ledger: somebody else saw that what was closed is done.
    _guarded(
        _move("strike", [CLOSED, EVALUATED, SELF_HANDLED], [SHIFT_LEADER], None,
              Need("verified", "choice", choices=("on_spot", "called_back", "by_papers")),
              Need("note", required=False)),
        "not_struck", "not_the_handler", "not_the_closer",
    ),
    _guarded(_move("unstrike", [CLOSED, EVALUATED, SELF_HANDLED], [SHIFT_LEADER], None, REASON), "is_struck"),
)  # fmt: skip


def apply(rules: Sequence[Rule], moves: Sequence[Move] = MOVES) -> tuple[Move, ...]:
    """Return the table as a city changed it; raise Problems with every change that is none, or that locks issues in."""
    by_name = {rule.move: rule for rule in rules}
    unknown = sorted(set(by_name) - {move.name for move in moves})
    problems: list[ShaotuError] = [
        Invalid("workflow.unknown_move", move=name, moves=", ".join(names(moves))) for name in unknown
    ]
    changed = tuple(kept for move in moves if (kept := _changed(move, by_name.get(move.name), problems)))
    problems += [Invalid("workflow.locked_in", state=Word(f"state.{state}")) for state in locked_in(changed)]
    if problems:
        raise Problems(problems)
    return changed


def names(moves: Iterable[Move]) -> tuple[str, ...]:
    """Name the moves of a table, each once, in its order."""
    return tuple(dict.fromkeys(move.name for move in moves))


def locked_in(moves: Sequence[Move]) -> list[str]:
    """List the states that can be reached and from which no end can."""
    ways: dict[str, set[str]] = {state: set() for state in STATES}
    for move in moves:
        for state in move.of:
            ways[state] |= {move.to} if move.to else LEFT_OPEN.get(move.name, set())
    # Placing an issue on the ground files it.
    ways[TO_LOCATE] |= {FILED}
    ending = set(ENDS)
    while more := {state for state, after in ways.items() if after & ending} - ending:
        ending |= more
    return [state for state in STATES if state not in ending]


# What follows from moves that leave it open.
LEFT_OPEN: Mapping[str, set[str]] = {
    "feed_back": {FED_BACK}, "refuse": {RETURNED}, "not_admitted": {RETURNED}, "grant": {SUSPENDED, CLOSED},
    "miss_call": {EVALUATED},
}  # fmt: skip


def read(move: Move, said: Mapping[str, Any]) -> Json:
    """Read what was said with a move; raise Invalid at what is missing, unknown or none of its kind."""
    known = {need.name: need for need in move.needs}
    unknown = sorted(set(said) - set(known))
    if unknown:
        raise Invalid("workflow.unknown_field", field=unknown[0], fields=", ".join(known) or "—")
    return {need.name: value for need, value in _values(move, said)}


def _values(move: Move, said: Mapping[str, Any]) -> Iterator[tuple[Need, object]]:
    for need in move.needs:
        value = said.get(need.name)
        if value in (None, "", [], {}):
            if need.required:
                raise Invalid("workflow.field_missing", field=Word(f"need.{need.name}"), move=Word(f"move.{move.name}"))
            continue
        yield need, _READERS[need.kind](need, value)


def _refuse(need: Need) -> Invalid:
    return Invalid("workflow.bad_field", field=Word(f"need.{need.name}"), kind=Word(f"need_kind.{need.kind}"))


TEXT_MOST = 2000


def _text(need: Need, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise _refuse(need)
    if len(value) > TEXT_MOST:
        raise Invalid("report.too_long", field=need.name, length=len(value), most=TEXT_MOST)
    return value.strip()


def _date(need: Need, value: object) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise _refuse(need) from None


def _choice(need: Need, value: object) -> object:
    if value not in need.choices:
        raise _refuse(need)
    return value


def _listed(need: Need, value: object) -> list[str]:
    if not isinstance(value, list) or not value:
        raise _refuse(need)
    return [_text(need, each) for each in value]


def _position(need: Need, value: object) -> Json:
    """Read where somebody stood: lon, lat in WGS 84, and how exact the fix was."""
    if not isinstance(value, dict) or set(value) - {"lon", "lat", "accuracy_m"}:
        raise _refuse(need)
    numbers = {name: _number(need, number) for name, number in value.items()}
    if not (-180 <= numbers.get("lon", 999) <= 180 and -90 <= numbers.get("lat", 999) <= 90):
        raise _refuse(need)
    return dict(numbers)


def _time(need: Need, value: object) -> str:
    """Read a moment with its zone, written as it was said."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        raise _refuse(need) from None
    if read.tzinfo is None:
        raise _refuse(need)
    return read.isoformat()


def _whole(need: Need, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**6:
        raise _refuse(need)
    return value


def _scores(need: Need, value: object) -> dict[str, int]:
    """Read points from 0 to 100 by department."""
    if not isinstance(value, dict) or not value:
        raise _refuse(need)
    for points in value.values():
        if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= 100:
            raise _refuse(need)
    return {str(department): points for department, points in value.items()}


def _number(need: Need, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse(need)
    return float(value)


_READERS: Mapping[str, Callable[[Need, object], object]] = {
    "text": _text, "date": _date, "choice": _choice, "department": _text, "departments": _listed, "issue": _text,
    "photo": _text, "position": _position, "whistle_type": _text, "whistle_item": _text, "roster": _listed,
    "called": _listed, "place": _text, "side": _text, "time": _time, "number": _whole, "scores": _scores,
}  # fmt: skip


def _changed(move: Move, rule: Rule | None, problems: list[ShaotuError]) -> Move | None:
    if rule is None or (rule.enabled and rule.who is None):
        return move
    if not rule.enabled:
        return None
    wider = sorted((rule.who or frozenset()) - move.who)
    if wider and not any(wider[0] in other.who for other in MOVES if other.name == move.name):
        problems.append(Invalid("workflow.wider", move=move.name, who=wider[0], allowed=", ".join(sorted(move.who))))
    kept = move.who & (rule.who or frozenset())
    return replace(move, who=kept) if kept else None

