"""What stands in the way of a whistle's move, and of those beside a decision.

A move of a whistle is about one of them: the one that is named, else the first it fits. Each condition that leaves none
is the sentence of the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gis.errors import Conflict, Forbidden, Invalid, ShaotuError
from gis.issues import errands, guards, sides
from gis.issues.guards import Guard
from gis.issues.jurisdiction import practice
from gis.issues.matter import Actor, Matter, Said
from gis.issues.moves import SYSTEM
from gis.issues.parties import Standing
from gis.issues.sides import Consultation, Joint
from gis.issues.whistles import levels
from gis.issues.whistles.record import AGREED, BLOWN, CALLED, Whistle
from gis.territory import units


@dataclass(frozen=True)
class Test:
    """A condition on a whistle, and the refusal where it leaves none."""

    holds: Callable[[Matter, Actor, Whistle], bool]
    kind: type[ShaotuError]
    code: str


def answers(actor: Actor, unit: str) -> bool:
    """Say whether somebody speaks for a level's centre: bound to that unit, or to none at all."""
    return actor.role == SYSTEM or actor.ground == "*" or unit in actor.units


def called_still(matter: Matter, whistle: Whistle) -> list[Standing]:
    """List who was called by a whistle and is still a party of the issue."""
    parties = {each.department for each in matter.standings}
    return [each for each in whistle.standings if each.department in parties]


def _all_answered(matter: Matter, _actor: Actor, whistle: Whistle) -> bool:
    still = called_still(matter, whistle)
    return bool(still) and all(each.is_done for each in still)


def _somebody_answered(_matter: Matter, _actor: Actor, whistle: Whistle) -> bool:
    return any(each.is_done for each in whistle.standings)


def _has_superior(matter: Matter, _actor: Actor, whistle: Whistle) -> bool:
    return levels.above(matter.session, whistle.held_by, matter.today) is not None


WAITS = Test(lambda _m, _a, whistle: whistle.state == BLOWN, Conflict, "whistles.not_waiting")
THEIRS = Test(lambda _m, actor, whistle: answers(actor, whistle.held_by), Forbidden, "whistles.not_your_level")
NOT_OWN = Test(lambda _m, actor, whistle: whistle.by != actor.username, Forbidden, "whistles.own")
OPEN = Test(lambda _m, _a, whistle: whistle.is_open, Conflict, "whistles.none_open")
OUT = Test(lambda _m, _a, whistle: whistle.state == CALLED, Conflict, "whistles.nobody_called")
OWN = Test(lambda _m, actor, whistle: whistle.by_unit in actor.units, Forbidden, "whistles.not_yours")
ABSENT = Test(lambda _m, _a, whistle: bool(whistle.absent), Conflict, "whistles.nobody_absent")
SUPERIOR = Test(_has_superior, Conflict, "whistles.no_superior")
ANSWERED = Test(_all_answered, Conflict, "whistles.not_answered")
SOMETHING = Test(_somebody_answered, Conflict, "whistles.nothing_answered")
OVER = Test(lambda _m, _a, whistle: whistle.state == AGREED, Conflict, "whistles.not_over")
UNREVIEWED = Test(lambda _m, _a, whistle: not whistle.scores, Conflict, "whistles.reviewed_once")
MANY = Test(lambda _m, _a, whistle: len(whistle.departments) > 1, Conflict, "whistles.nothing_to_split")
# By the move they guard.
TESTS: Mapping[str, tuple[Test, ...]] = {
    "accept_whistle": (WAITS, THEIRS, NOT_OWN),
    "split_whistle": (WAITS, THEIRS, MANY),
    "return_whistle": (WAITS, THEIRS),
    "escalate_whistle": (OPEN, THEIRS, SUPERIOR),
    "press_whistle": (OUT, THEIRS, ABSENT),
    "withdraw_whistle": (OPEN, OWN),
    "agree_whistle": (OUT, OWN, ANSWERED),
    "not_yet": (OUT, OWN, SOMETHING),
    "review_whistle": (OVER, OWN, UNREVIEWED),
}
NAMES: Mapping[str, str] = {
    "may_be_accepted": "accept_whistle", "may_be_split": "split_whistle", "may_be_sent_back": "return_whistle",
    "may_go_up": "escalate_whistle", "may_be_pressed": "press_whistle", "may_be_withdrawn": "withdraw_whistle",
    "may_be_agreed": "agree_whistle", "may_be_redone": "not_yet", "may_be_reviewed": "review_whistle",
}  # fmt: skip


def pick(matter: Matter, said: Said, move: str) -> Whistle:
    """Find the whistle a move is about; raise Invalid for a number that is none, else the refusal."""
    number = said.fields.get("whistle")
    found = [each for each in matter.whistles if number in (None, each.number)]
    if number is not None and not found:
        raise Invalid("whistles.unknown", number=number)
    for test in TESTS[move]:
        found = [each for each in found if test.holds(matter, said.by, each)]
        if not found:
            raise test.kind(test.code)
    return found[0]


def fitting(matter: Matter, actor: Actor, move: str) -> list[Whistle]:
    """List the whistles a move fits: what a form lets one choose among."""
    tests = TESTS.get(move, ())
    return [each for each in matter.whistles if all(test.holds(matter, actor, each) for test in tests)] if tests else []


def caller_unit(matter: Matter, actor: Actor) -> str | None:
    """Name the unit somebody calls for on this ground."""
    return next((unit for unit in actor.units if unit in matter.row.ground), None)


def on_own_ground(matter: Matter, said: Said) -> None:
    """A unit calls for its own ground only."""
    if caller_unit(matter, said.by) is None:
        raise Forbidden("whistles.not_your_ground")


def one_at_a_time(matter: Matter, said: Said) -> None:
    """The next whistle of a unit follows when the one before has ended: the first, the second, the third."""
    unit = caller_unit(matter, said.by)
    if any(each.is_open and each.by_unit == unit for each in matter.whistles):
        raise Conflict("whistles.one_at_a_time")


def whistled_for(matter: Matter, said: Said) -> None:
    """Who was called to a place reports in there, once."""
    mine = [
        each
        for whistle in matter.whistles
        if whistle.state == CALLED
        for each in whistle.standings
        if each.department == said.by.department
    ]
    if not mine:
        raise Conflict("whistles.not_called")
    if all(each.arrived_at for each in mine):
        raise Conflict("whistles.reported_in")


def is_placed(matter: Matter, _said: Said) -> None:
    """Somebody is sent to a place."""
    if not matter.row.ground:
        raise Conflict("errands.nowhere")


def sent_to_make_safe(matter: Matter, said: Said) -> None:
    """Who was sent tells that it is safe."""
    if not errands_of(matter, said.by, errands.MAKE_SAFE):
        raise Forbidden("errands.not_sent")


def sent_to_the_line(matter: Matter, said: Said) -> None:
    """Only who was asked confirms a line."""
    if not errands_of(matter, said.by, errands.LINE):
        raise Forbidden("errands.not_asked")


def errands_of(matter: Matter, actor: Actor, kind: str) -> list[errands.Errand]:
    """List the open errands of somebody's department."""
    return [
        each
        for each in matter.errands
        if each.kind == kind and each.done_at is None and each.department == actor.department
    ]


def line_units(matter: Matter) -> tuple[str, ...]:
    """Name the units whose line an issue raises."""
    going_by = practice.load(matter.settings)
    edition = units.of_net(matter.session, going_by.net, matter.today)
    known = sides.of_decision(matter.session, matter.id)
    return sides.apart(matter.row.ground, known, going_by, [level.code for level in edition.levels])


def has_two_sides(matter: Matter, _said: Said) -> None:
    """A line lies between two."""
    if not line_units(matter):
        raise Conflict("errands.one_side")


def line_not_asked(matter: Matter, _said: Said) -> None:
    """A line is asked for once at a time."""
    if any(each.kind == errands.LINE and each.done_at is None for each in matter.errands):
        raise Conflict("errands.line_asked")


def waiting(matter: Matter) -> Consultation | None:
    """Find the consultation that was called and not held."""
    found = sides.consultations(matter.session, matter.id)
    return next((each for each in found if each.held_at is None), None)


def nothing_convened(matter: Matter, _said: Said) -> None:
    """One consultation at a time, among at least two."""
    if waiting(matter):
        raise Conflict("sides.convened")
    if len(matter.standings) < 2:
        raise Conflict("sides.nobody_to_meet")


def convened(matter: Matter, _said: Said) -> None:
    """Only what was called is concluded."""
    if waiting(matter) is None:
        raise Conflict("sides.nothing_convened")


def unsigned(matter: Matter) -> Joint | None:
    """Find the joint record that waits for a side."""
    return next((each for each in sides.joint_records(matter.session, matter.id) if each.open_sides), None)


def own_sides(matter: Matter, actor: Actor) -> tuple[str, ...]:
    """Name the sides somebody's department speaks for: those it is called for, where it must come."""
    standing = matter.standing_of(actor)
    return standing.jurisdictions if standing and standing.mandatory else ()


def all_sides(matter: Matter) -> tuple[str, ...]:
    """Name every side of an issue that has somebody who must come."""
    return tuple(dict.fromkeys(key for each in matter.standings if each.mandatory for key in each.jurisdictions))


def speaks_for_a_side(matter: Matter, said: Said) -> None:
    """A joint record is between sides."""
    if len(all_sides(matter)) < 2:
        raise Conflict("sides.one_side")
    if not own_sides(matter, said.by):
        raise Forbidden("sides.not_a_side")


def nothing_to_sign(matter: Matter, _said: Said) -> None:
    """The record before is signed first."""
    if unsigned(matter):
        raise Conflict("sides.unsigned")


def to_countersign(matter: Matter, said: Said) -> None:
    """A side signs what it has not signed."""
    joint = unsigned(matter)
    if joint is None or not set(own_sides(matter, said.by)) & set(joint.open_sides):
        raise Conflict("sides.nothing_to_sign")


def _picks(move: str) -> Guard:
    def look(matter: Matter, said: Said) -> None:
        pick(matter, said, move)

    return look


OWN_GUARDS = (
    on_own_ground, one_at_a_time, whistled_for, is_placed, sent_to_make_safe, sent_to_the_line, has_two_sides,
    line_not_asked, nothing_convened, convened, speaks_for_a_side, nothing_to_sign, to_countersign,
)  # fmt: skip
BY_NAME: Mapping[str, Guard] = {
    **guards.BY_NAME,
    **{guard.__name__: guard for guard in OWN_GUARDS},
    **{name: _picks(move) for name, move in NAMES.items()},
}
