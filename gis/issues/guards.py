"""What stands in the way of a move beside the table: each guard says nothing, or raises with its sentence."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import text

from gis.errors import Conflict, Forbidden, Invalid
from gis.issues import requests
from gis.issues.matter import Actor, Matter, Said
from gis.issues.moves import CALLED, CLOSED
from gis.issues.requests import EXTENSION, FORCED_CLOSE, SUSPENSION
from gis.issues.standards import orders
from gis.settings import ROOT

Guard = Callable[[Matter, Said], None]
SELF_HANDLED = ROOT / "data" / "workflow" / "self_handled.csv"
COMMUNITY_LIST = ROOT / "data" / "workflow" / "community_list.csv"
# The kind of department that a community's committee is.
COMMITTEE = "SQ"
ANSWERED_AT_ONCE = ROOT / "data" / "workflow" / "answered_at_once.csv"
DEADLOCK, SAMPLED, STRUCK = "deadlock", "sampled", "struck"
# A whistle is open: blown and not agreed to, returned or withdrawn.
WHISTLED = "whistled"
# Somebody has been sent to make it safe and has not said that it is.
DANGER = "danger"
EXTENSIONS_MOST, RETURNS_MOST = 2, 3
YEAR = timedelta(days=366)
# Moves by which somebody becomes a handler.
HANDLING = frozenset({
    "sign", "arrive", "feed_back", "self_handle", "answer", "ask_suspension", "ask_extension", "report_in",
    "made_safe", "record_jointly", "countersign",
})


def has_handled(matter: Matter, actor: Actor) -> bool:
    """Say whether an account, or the department it belongs to, ever laid hands on this issue."""
    by_account = any(move.name in HANDLING and move.actor == actor.username for move in matter.past)
    if by_account or actor.department is None:
        return by_account
    moved = {move.department for move in matter.past}
    return actor.department in moved | {each.department for each in matter.standings}


def not_the_handler(matter: Matter, said: Said) -> None:
    """Who did the work neither inspects nor closes it."""
    if has_handled(matter, said.by):
        raise Forbidden("workflow.handler_may_not", by=said.by.username)


def another_issue(matter: Matter, said: Said) -> None:
    """An issue is merged into another one that is still an issue of its own, and not into itself by a detour."""
    target = matter.session.execute(_TARGET, {"code": said.fields["target"]}).one_or_none()
    if target is None:
        raise Invalid("issue.not_found", code=said.fields["target"])
    if target.id == matter.id or target.state in {"merged", "voided", "rejected"}:
        raise Conflict("workflow.not_a_target", code=said.fields["target"])


def no_deadlock(matter: Matter, _said: Said) -> None:
    """What nobody will take is not sent round again: a superior designates."""
    if DEADLOCK in matter.row.marks:
        raise Conflict("workflow.deadlocked")


def somebody_leads(matter: Matter, said: Said) -> None:
    """An issue is sent to somebody."""
    if not (said.fields.get("lead") or matter.row.lead):
        raise Invalid("workflow.no_lead")


def not_refused_before(matter: Matter, said: Said) -> None:
    """A department refuses once."""
    standing = matter.standing_of(said.by)
    if standing and standing.refused_n:
        raise Conflict("workflow.refused_once")


def nobody_signed(matter: Matter, _said: Said) -> None:
    """What a department has signed for is no longer the grid's."""
    if any(each.stage != CALLED for each in matter.standings):
        raise Conflict("workflow.signed_for")


def on_the_list(matter: Matter, _said: Said) -> None:
    """Only minor things may be fixed and closed in one go."""
    if (matter.row.scheme, matter.row.category) not in self_handled():
        raise Conflict("workflow.not_minor", category=matter.row.category)


def a_community(matter: Matter, said: Said) -> None:
    """Only communities have a list of what may be asked of them."""
    if matter.session.scalar(_KIND, {"code": said.by.department}) != COMMITTEE:
        raise Forbidden("workflow.not_a_community")


def off_its_list(matter: Matter, _said: Said) -> None:
    """What was admitted to communities is theirs, or is refused by law as anybody refuses."""
    row = matter.row
    if any(row.scheme == scheme and row.category.startswith(code) for scheme, code in admitted()):
        raise Conflict("workflow.admitted", category=row.category)


def a_question(matter: Matter, _said: Said) -> None:
    """Only what asks for an answer alone is answered at once."""
    order = matter.row.work_order or {}
    if orders.type_code(str(order.get("type", ""))) not in answered_at_once():
        raise Conflict("workflow.not_a_question")


def nobody_to_call(matter: Matter, _said: Said) -> None:
    """Only what nobody can be asked about is left without a call."""
    if matter.row.can_be_called:
        raise Conflict("workflow.somebody_to_call")


def sampled(matter: Matter, _said: Said) -> None:
    """Of what grids closed themselves only the sample is looked at."""
    if SAMPLED not in matter.row.marks:
        raise Conflict("workflow.not_sampled")


def in_time(matter: Matter, said: Said) -> None:
    """A closed issue is reopened within the days the city gives."""
    days = matter.settings.reopen_days
    if matter.row.closed_at is None or said.now - matter.row.closed_at > timedelta(days=days):
        raise Conflict("workflow.too_late_to_reopen", days=days)


def nothing_asked(matter: Matter, _said: Said) -> None:
    """One request at a time."""
    if requests.open_one(matter):
        raise Conflict("workflow.already_asked")


def never_suspended(matter: Matter, _said: Said) -> None:
    """An issue is suspended once."""
    if requests.granted(matter, SUSPENSION):
        raise Conflict("workflow.suspended_once")


def within_a_year(matter: Matter, said: Said) -> None:
    """A suspension ends on a day to come, a year away at the most."""
    until = date.fromisoformat(said.fields["until"])
    if not matter.today < until <= matter.today + YEAR:
        raise Invalid("workflow.bad_until", until=until, today=matter.today)


def extensions_left(matter: Matter, _said: Said) -> None:
    """Two extensions are granted at the most; what was declined does not count."""
    if requests.granted(matter, EXTENSION) >= EXTENSIONS_MOST:
        raise Conflict("workflow.extended_enough", most=EXTENSIONS_MOST)


def something_asked(matter: Matter, _said: Said) -> None:
    """Only what was asked for is answered."""
    if requests.open_one(matter) is None:
        raise Conflict("workflow.nothing_asked")


def to_be_endorsed(matter: Matter, _said: Said) -> None:
    """The first level looks once."""
    request = requests.open_one(matter)
    if request is None or not request.waits_for_endorsement:
        raise Conflict("workflow.nothing_asked")


def to_be_granted(matter: Matter, _said: Said) -> None:
    """The second level decides after the first."""
    request = requests.open_one(matter)
    if request is None:
        raise Conflict("workflow.nothing_asked")
    if request.waits_for_endorsement:
        raise Conflict("workflow.not_endorsed")


def another_person(matter: Matter, said: Said) -> None:
    """Four eyes: nobody answers what they asked for or endorsed."""
    request = requests.open_one(matter)
    if request and said.by.username in {request.asked_by, request.endorsed_by}:
        raise Forbidden("workflow.four_eyes", by=said.by.username)


def whistles_ended(matter: Matter, _said: Said) -> None:
    """The whistle is not still while the matter is not: who blew it agrees first (案不结、哨不停)."""
    if WHISTLED in matter.row.marks:
        raise Conflict("whistles.not_agreed")


def is_safe(matter: Matter, _said: Said) -> None:
    """What somebody was sent to make safe is not closed before it is told to be safe; only by force, on record."""
    if DANGER in matter.row.marks:
        raise Conflict("errands.unsafe")


def whistles_ended_if_forced(matter: Matter, said: Said) -> None:
    """Also a forced closing waits for it."""
    request = requests.open_one(matter)
    if request and request.kind == FORCED_CLOSE:
        whistles_ended(matter, said)


def not_struck(matter: Matter, _said: Said) -> None:
    """What is struck off stays so."""
    if STRUCK in matter.row.marks:
        raise Conflict("workflow.struck_already")


def is_struck(matter: Matter, _said: Said) -> None:
    """Only what is struck off is put back."""
    if STRUCK not in matter.row.marks:
        raise Conflict("workflow.not_struck")


def not_the_closer(matter: Matter, said: Said) -> None:
    """Who closed it does not also say that the closing was right."""
    closed = [move.actor for move in matter.past if move.to_state == CLOSED != move.from_state]
    if closed and closed[-1] == said.by.username:
        raise Forbidden("workflow.closer_may_not", by=said.by.username)


@cache
def self_handled(path: Path = SELF_HANDLED) -> frozenset[tuple[str, str]]:
    """Read which categories a grid may fix and close by itself: (scheme, code)."""
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset((row["scheme"], row["category"]) for row in csv.DictReader(file))


@cache
def admitted(path: Path = COMMUNITY_LIST) -> frozenset[tuple[str, str]]:
    """Read what may be asked of communities: (scheme, code); a major class stands for its minor ones."""
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset((row["scheme"], row["category"]) for row in csv.DictReader(file))


@cache
def answered_at_once(path: Path = ANSWERED_AT_ONCE) -> frozenset[str]:
    """Read which types of work order a clerk may answer at once."""
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset(row["request_type"] for row in csv.DictReader(file))


_KIND = text("SELECT kind FROM department WHERE code = :code")
_TARGET = text("SELECT id, state FROM issue WHERE code = :code FOR SHARE")
BY_NAME: Mapping[str, Guard] = {
    guard.__name__: guard
    for guard in (
        not_the_handler, another_issue, no_deadlock, somebody_leads, not_refused_before, nobody_signed,
        on_the_list, sampled, in_time, nothing_asked, never_suspended, within_a_year, extensions_left, something_asked,
        a_community, off_its_list, to_be_endorsed, to_be_granted, another_person, whistles_ended,
        whistles_ended_if_forced, a_question, nobody_to_call, not_struck, is_struck, not_the_closer, is_safe,
    )
}  # fmt: skip
