"""The moves of whistles and of what goes beside a decision, as further lines of the loop's one table. Pure.

They leave the issue where it is unless their consequence says otherwise: a whistle has states of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from gis.issues.moves import (
    ASSIST,
    AT_WORK,
    CALLED,
    CLOSED,
    COLLECTED,
    DISPATCHED,
    DONE,
    ERRAND,
    EVALUATED,
    FED_BACK,
    FILED,
    HANDLING,
    INSPECTED,
    LEAD,
    RETURNED,
    SIGNED,
    SUSPENDED,
    SYSTEM,
    UNDER_WAY,
    Move,
    Need,
)
from gis.people.accounts import CALLER, CLERK, DISPATCHER, SHIFT_LEADER

OPEN = (FILED, DISPATCHED, HANDLING, RETURNED)
CENTRE = (CALLER, DISPATCHER, SHIFT_LEADER)
REASON = Need("reason")
WHICH = Need("whistle", "number", required=False)
SPOT, MAYBE_SPOT = Need("position", "position"), Need("position", "position", required=False)
PHOTO, NOTE = Need("photo", "photo", required=False), Need("note", required=False)


def _call(name: str, of: Iterable[str], who: Iterable[str], needs: tuple[Need, ...], *guards: str) -> Move:
    return Move(name, frozenset(of), frozenset(who), needs, guards=guards)


def _on_the_spot(name: str, needs: tuple[Need, ...], *guards: str) -> Move:
    """Make a move of a department that has signed for the issue."""
    who, at_it = frozenset({LEAD, ASSIST}), frozenset({SIGNED, DONE})
    return Move(name, frozenset({*AT_WORK, FED_BACK}), who, needs, stages=at_it, guards=guards)


BLOW = (
    Need("type", "whistle_type"), Need("done_by_self"), Need("why_not"), Need("parties", "roster"),
    Need("place", "place"), MAYBE_SPOT, Need("report_by", "time", required=False), Need("expected"),
)  # fmt: skip

CALLS: tuple[Move, ...] = (
    _call("blow", OPEN, [CALLER], BLOW, "on_own_ground", "one_at_a_time"),
    _call(
        "accept_whistle", OPEN, CENTRE,
        (WHICH, Need("item", "whistle_item"), Need("lead", "department", required=False), NOTE),
        "may_be_accepted", "no_deadlock",
    ),
    _call(
        "split_whistle", OPEN, CENTRE, (WHICH, Need("parties", "called"), Need("expected")),
        "may_be_split",
    ),
    _call("return_whistle", UNDER_WAY, CENTRE, (WHICH, REASON), "may_be_sent_back"),
    _call("escalate_whistle", UNDER_WAY, [*CENTRE, SYSTEM], (WHICH, REASON), "may_go_up"),
    _call("give_notice", UNDER_WAY, [SYSTEM], (Need("whistle", "number"),)),
    _call("press_whistle", UNDER_WAY, CENTRE, (WHICH, Need("document"), Need("report_by", "time")), "may_be_pressed"),
    _call("withdraw_whistle", UNDER_WAY, [CALLER], (WHICH, REASON), "may_be_withdrawn"),
    Move(
        "report_in", AT_WORK, frozenset({LEAD, ASSIST}), (SPOT, Need("person"), PHOTO),
        stages=frozenset({CALLED, SIGNED}), guards=("whistled_for",),
    ),
    _call("agree_whistle", [*AT_WORK, FED_BACK, INSPECTED, SUSPENDED], [CALLER], (WHICH, NOTE, MAYBE_SPOT, PHOTO),
          "may_be_agreed"),
    _call("not_yet", [*AT_WORK, FED_BACK, INSPECTED], [CALLER], (WHICH, REASON), "may_be_redone"),
    _call("review_whistle", [*UNDER_WAY, CLOSED, EVALUATED], [CALLER], (WHICH, Need("scores", "scores"), NOTE),
          "may_be_reviewed"),
    _call("make_safe", [COLLECTED, *OPEN, SUSPENDED], [CLERK, SYSTEM, *CENTRE],
          (REASON, Need("department", "department", required=False)), "is_placed"),
    _call("made_safe", [COLLECTED, *UNDER_WAY], [ERRAND],
          (SPOT, Need("done"), Need("photo_after", "photo", required=False)), "sent_to_make_safe"),
    _call("ask_line", UNDER_WAY, CENTRE, (REASON,), "has_two_sides", "line_not_asked"),
    _call("confirm_line", [COLLECTED, *UNDER_WAY], [ERRAND], (Need("result", "side"), Need("document"), NOTE),
          "sent_to_the_line"),
    _call("convene", OPEN, CENTRE, (REASON, Need("due", "time", required=False)), "nothing_convened"),
    _call("undecided", OPEN, [SYSTEM], (), "convened"),
    _call(
        "conclude", OPEN, [DISPATCHER, SHIFT_LEADER],
        (Need("minutes"), Need("document"), Need("lead", "department", required=False),
         Need("standing", "choice", required=False, choices=("yes", "no")),
         Need("valid_to", "date", required=False)),
        "convened",
    ),
    _on_the_spot("record_jointly", (Need("found"), PHOTO), "speaks_for_a_side", "nothing_to_sign"),
    _on_the_spot("countersign", (), "speaks_for_a_side", "to_countersign"),
)  # fmt: skip
