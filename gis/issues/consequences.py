"""What a move brings with it: steps of the parties, new decisions, hand-offs, and the state that follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from gis.errors import Invalid
from gis.issues import dispatch, handoffs, parties, requests
from gis.issues.guards import DEADLOCK, RETURNS_MOST, SAMPLED, STRUCK
from gis.issues.jurisdiction import Decision
from gis.issues.matter import Matter, Said
from gis.issues.moves import (
    CLOSED,
    DISPATCHED,
    EVALUATED,
    FED_BACK,
    FILED,
    HANDLING,
    LEAD,
    REFUSED,
    RETURNED,
    SELF_HANDLED,
    SIGNED,
    SUSPENDED,
    TO_LOCATE,
    Move,
)
from gis.issues.parties import Standing
from gis.issues.requests import FORCED_CLOSE, SUSPENSION
from gis.settings import Settings

# What this basis decided, nobody could decide.
NOBODYS = "general_desk"
REWORKED, REOPENED, FORCED, ASKED = "reworked", "reopened", "forced", "asked"
# By these an issue comes back from who leads it.
RETURNS = frozenset({"return", "not_admitted"})
ANSWERED, UNREACHABLE = "answered", "unreachable"


@dataclass(frozen=True)
class Outcome:
    """What follows. to: the state; steps: (department, step); put, taken: marks; sets: other columns of the issue."""

    to: str
    steps: tuple[tuple[str, str], ...] = ()
    put: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    handed: tuple[str, str] | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)


Consequence = Callable[[Matter, Said, Outcome], Outcome]


def of(matter: Matter, move: Move, said: Said) -> Outcome:
    """Do what a move brings with it, and return what follows; the state as the table says unless it says otherwise."""
    plain = Outcome(move.to or matter.state)
    if move.to in {CLOSED, SELF_HANDLED}:
        plain = replace(plain, sets={"closed_at": said.now})
    return BY_NAME[move.name](matter, said, plain) if move.name in BY_NAME else plain


def record(matter: Matter, outcome: Outcome, said: Said, version: int) -> None:
    """Append the hand-off of a move that was written."""
    if outcome.handed:
        reason = str(said.fields.get("reason") or _last_reason(matter))
        hop = handoffs.Hop(matter.id, version, *outcome.handed, reason)
        handoffs.add(matter.session, hop, by=said.by.username, now=said.now, on=matter.today)


def is_sampled(code: str, rate: float) -> bool:
    """Say whether an issue is of the sample: decided by its code alone, so that nobody can choose, or try again."""
    return int.from_bytes(hashlib.sha256(code.encode()).digest()[:8]) < rate * 2**64


def filed_state(decision: Decision, *, located: bool, settings: Settings) -> str:
    """Say in which state an issue is once filed: dispatched at once where its lead is plain and the city lets it."""
    if not located:
        return TO_LOCATE
    plain = decision.lead_department is not None and decision.basis != NOBODYS
    return DISPATCHED if plain and settings.auto_dispatch else FILED


def _verify(matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    row = matter.session.execute(_DECIDED, {"issue_id": matter.id}).one()
    decision = Decision.from_dict(row.answer) if row.answer else Decision("unlocated")
    return replace(outcome, to=filed_state(decision, located=row.located, settings=matter.settings))


def _own_step(step: str) -> Consequence:
    def take(_matter: Matter, said: Said, outcome: Outcome) -> Outcome:
        return replace(outcome, steps=((str(said.by.department), step),))

    return take


def _feed_back(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    after = [_told(each) if each.department == said.by.department else each for each in matter.standings]
    to = FED_BACK if matter.state == HANDLING and parties.all_fed_back(after) else outcome.to
    return replace(outcome, to=to, steps=((str(said.by.department), "fed_back"),))


def _told(standing: Standing) -> Standing:
    return replace(standing, stage=FED_BACK)


def _return(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Give it back to the dispatcher; a second word of the same department, or the third of any, is a deadlock."""
    own = matter.standing_of(said.by)
    returns_n = 1 + sum(move.name in RETURNS for move in matter.since_opened())
    deadlock = returns_n >= RETURNS_MOST or bool(own and own.refused_n)
    put = frozenset({DEADLOCK}) if deadlock else frozenset[str]()
    return replace(outcome, steps=((str(said.by.department), "refused"),), put=put)


def _not_admitted(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    return (_return if matter.row.lead == said.by.department else _refuse)(matter, said, outcome)


def _refuse(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    own = matter.standing_of(said.by)
    to = RETURNED if own and own.mandatory else outcome.to
    return replace(outcome, to=to, steps=((str(said.by.department), "refused"),))


def _dispatch(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    return sent(matter, said, outcome, "dispatcher", {})


def _designate(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    evidence = {"document": str(said.fields["document"])}
    return replace(sent(matter, said, outcome, "designation", evidence), taken=frozenset({DEADLOCK}))


def sent(matter: Matter, said: Said, outcome: Outcome, basis: str, evidence: Mapping[str, str]) -> Outcome:
    """Send an issue to its lead: who was called before and refused is called anew, who works on goes on."""
    was = matter.row.lead
    lead, assists = str(said.fields.get("lead") or was), tuple(said.fields.get("assists", ()))
    refused = frozenset(each.department for each in matter.standings if each.stage == REFUSED)
    if lead != was or assists or basis == "designation" or not matter.standings:
        to = dispatch.Redirection(lead, assists, basis, refused - {lead}, evidence)
        dispatch.redirect(matter.session, matter.id, to, by=said.by.username, now=said.now)
    now_called = {each.department for each in parties.of_issue(matter.session, matter.id)}
    anew = tuple((code, "called") for code in sorted(refused & now_called))
    signed = any(each.department == lead and each.stage == SIGNED for each in matter.standings)
    to_state = HANDLING if signed else outcome.to
    # What waited at the general desk was nobody's to hand on.
    handed = (was, lead) if was and lead != was and matter.state != FILED else None
    return replace(outcome, to=to_state, steps=anew, handed=handed)


def _pass(matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    if matter.state == SELF_HANDLED:
        return replace(outcome, taken=frozenset({SAMPLED}))
    return replace(outcome, steps=tuple((each.department, "passed") for each in matter.standings if each.is_done))


def _rework(matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    if matter.state == SELF_HANDLED:
        taken = frozenset({SAMPLED, STRUCK})
        return replace(outcome, put=frozenset({REWORKED}), taken=taken, sets={"closed_at": None})
    failed = tuple((each.department, "failed") for each in _who_must(matter.standings))
    return replace(outcome, steps=failed, put=frozenset({REWORKED}))


def _reopen(matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    """Call who handled it anew; what was answered at once goes the way it had not gone yet."""
    anew = tuple((each.department, "called") for each in matter.standings)
    to = outcome.to if anew else FILED if matter.row.located else TO_LOCATE
    taken = frozenset({ANSWERED, UNREACHABLE, STRUCK})
    return replace(outcome, to=to, steps=anew, put=frozenset({REOPENED}), taken=taken, sets={"closed_at": None})


def _answer(_matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    return replace(outcome, put=frozenset({ANSWERED}))


def _miss_call(matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    """Count the calls since it was closed; after the last of them nobody is called any more."""
    missed_n = 1 + sum(move.name == "miss_call" for move in matter.since_opened())
    if missed_n < matter.settings.call_back_tries:
        return outcome
    return replace(outcome, to=EVALUATED, put=frozenset({UNREACHABLE}))


def _ask(_matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    return replace(outcome, put=frozenset({ASKED}))


def _decline(_matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    return replace(outcome, taken=frozenset({ASKED}))


def _grant(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    outcome = replace(outcome, taken=frozenset({ASKED}))
    request = requests.open_one(matter)
    if request and request.kind == SUSPENSION:
        return replace(outcome, to=SUSPENDED)
    if request and request.kind == FORCED_CLOSE:
        return replace(outcome, to=CLOSED, put=frozenset({FORCED}), sets={"closed_at": said.now})
    return outcome


def _self_handle(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    put = frozenset({SAMPLED}) if is_sampled(matter.row.code, matter.settings.sample_share) else frozenset[str]()
    return replace(outcome, put=put, sets={"closed_at": said.now})


def _strike(_matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    return replace(outcome, put=frozenset({STRUCK}))


def _unstrike(_matter: Matter, _said: Said, outcome: Outcome) -> Outcome:
    return replace(outcome, taken=frozenset({STRUCK}))


def _merge(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    target = matter.session.scalar(text("SELECT id FROM issue WHERE code = :code"), {"code": said.fields["target"]})
    if target is None:
        raise Invalid("issue.not_found", code=said.fields["target"])
    return replace(outcome, sets={"merged_into": target})


def _who_must(standings: Sequence[Standing]) -> list[Standing]:
    return [each for each in standings if each.mandatory or each.role == LEAD]


def _last_reason(matter: Matter) -> str:
    said = [str(move.fields["reason"]) for move in matter.past if move.fields.get("reason")]
    return said[-1] if said else ""


_DECIDED = text("""
SELECT located, (SELECT answer FROM decision WHERE issue_id = issue.id ORDER BY version DESC LIMIT 1) AS answer
FROM issue WHERE id = :issue_id
""")
BY_NAME: Mapping[str, Consequence] = {
    "verify": _verify,
    "sign": _own_step("signed"),
    "arrive": _own_step("arrived"),
    "feed_back": _feed_back,
    "return": _return,
    "refuse": _refuse,
    "not_admitted": _not_admitted,
    "dispatch": _dispatch,
    "designate": _designate,
    "pass": _pass,
    "rework": _rework,
    "reopen": _reopen,
    "answer": _answer,
    "miss_call": _miss_call,
    "ask_suspension": _ask,
    "ask_extension": _ask,
    "ask_forced_close": _ask,
    "decline": _decline,
    "grant": _grant,
    "self_handle": _self_handle,
    "merge": _merge,
    "strike": _strike,
    "unstrike": _unstrike,
}
