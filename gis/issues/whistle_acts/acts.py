"""What the moves of a whistle bring with them. The departments it calls become parties of its issue that must come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gis.errors import Conflict, Invalid, Name, Word
from gis.issues import deadlines, dispatch
from gis.issues.consequences import REWORKED, Consequence, Outcome
from gis.issues.guards import WHISTLED, no_deadlock
from gis.issues.jurisdiction import WHISTLE, practice
from gis.issues.matter import Matter, Said
from gis.issues.moves import AT_WORK, CALLED, DISPATCHED, FED_BACK, FILED, HANDLING, INSPECTED, LEAD, REFUSED, SIGNED
from gis.issues.whistle_acts.guards import caller_unit, pick
from gis.issues.whistles import levels, lists, record
from gis.issues.whistles.record import Whistle
from gis.issues.worktime import Limit
from gis.people import departments, rosters
from gis.people.departments import Department
from gis.territory import units

# Nobody stands above the level that did not answer.
UNANSWERED = "unanswered"


def _blow(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Write the whistle; an emergency's departments are called with it."""
    kind, unit = lists.kind(said.fields["type"]), str(caller_unit(matter, said.by))
    called = _known(matter, said.fields["parties"])
    steps = levels.ladder(matter.session, unit, matter.today)
    ladders = [levels.ladder(matter.session, each.ground, matter.today) for each in called if each.ground]
    answering = practice.load(matter.settings).levels
    row = _plainly(said) | {
        "issue_id": matter.id, "split_from": None, "type": kind.code, "by_unit": unit,
        "departments": [each.code for each in called],
        "report_by": _report_by(matter, said, kind),
        "held_by": levels.holder(steps, ladders, answering) or unit,
        "answer_due_at": None if kind.straight else _due(matter, said, kind.answer),
    }  # fmt: skip
    code = record.add(matter.session, _dated(matter, said, row), said.fields.get("position"))
    outcome = replace(outcome, put=frozenset({WHISTLED}))
    if not kind.straight:
        return outcome
    [blown] = [each for each in record.of_issue(matter.session, matter.id) if each.code == code]
    return _call(matter, said, outcome, blown)


def _accept(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Accept it against the list of items, and call its departments."""
    whistle = pick(matter, said, "accept_whistle")
    item = lists.item(said.fields["item"], matter.row.category)
    _check_reach(matter, whistle)
    words = str(said.fields.get("note", ""))
    record.change(matter.session, whistle.id, item=item.code, answer=words, answered_by=said.by.username)
    return _call(matter, said, outcome, whistle)


def _split(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Make two of one: the departments that are named get a whistle with an expectation of its own."""
    whistle = pick(matter, said, "split_whistle")
    apart = tuple(dict.fromkeys(said.fields["parties"]))
    rest = [code for code in whistle.departments if code not in apart]
    if not rest or set(apart) - set(whistle.departments):
        raise Invalid("whistles.bad_split", departments=", ".join(whistle.departments))
    record.change(matter.session, whistle.id, departments=rest)
    same = ("issue_id", "type", "by_unit", "done_by_self", "why_not", "place", "report_by", "held_by", "answer_due_at")
    row = {name: getattr(whistle, name) for name in same}
    row |= {"split_from": whistle.number, "departments": list(apart), "expected": said.fields["expected"]}
    record.add(matter.session, _dated(matter, said, row) | {"by": whistle.by, "blown_at": whistle.blown_at})
    return outcome


def _send_back(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    whistle = pick(matter, said, "return_whistle")
    record.change(matter.session, whistle.id, answer=str(said.fields["reason"]), answered_by=said.by.username)
    return _end(matter, said, outcome, whistle, record.SENT_BACK)


def _escalate(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Hand it to the level above by a decision that is recorded, with a time to answer by."""
    whistle = pick(matter, said, "escalate_whistle")
    up = levels.above(matter.session, whistle.held_by, matter.today)
    due_at = _due(matter, said, lists.kind(whistle.type).answer)
    step = {
        "issue_id": matter.id, "version": matter.row.version + 1, "to_unit": up, "reason": said.fields["reason"],
        "by": said.by.username, "at": said.now, "due_at": due_at,
    }  # fmt: skip
    record.escalated(matter.session, whistle, step)
    record.change(matter.session, whistle.id, held_by=up, answer_due_at=due_at)
    return outcome


def _give_notice(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Say that nobody answered, where nobody stands above."""
    number = said.fields["whistle"]
    [whistle] = [each for each in matter.whistles if each.number == number]
    record.change(matter.session, whistle.id, answer_due_at=None)
    return replace(outcome, put=frozenset({UNANSWERED}))


def _press(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Set those who did not come a new time, by a document."""
    whistle = pick(matter, said, "press_whistle")
    report_by = datetime.fromisoformat(said.fields["report_by"])
    _check_ahead(report_by, said)
    record.change(matter.session, whistle.id, report_by=report_by, answer_due_at=None)
    return replace(outcome, taken=frozenset({UNANSWERED}))


def _withdraw(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """End it; who has done nothing yet need not come any more."""
    whistle = pick(matter, said, "withdraw_whistle")
    lead = str(matter.row.lead or "")
    idle = {each.department for each in matter.standings if each.stage == CALLED and each.department != lead}
    if whistle.called_version is not None and (dropped := idle & set(whistle.departments)):
        evidence = {"whistle": whistle.code}
        to = dispatch.Redirection(lead, (), "whistle_withdrawn", frozenset(dropped), evidence, WHISTLE)
        dispatch.redirect(matter.session, matter.id, to, by=said.by.username, now=said.now)
    return _end(matter, said, outcome, whistle, record.WITHDRAWN)


def _report_in(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Be on the spot; who had not signed has with that. The lead's coming begins the handling."""
    code, standing = str(said.by.department), matter.standing_of(said.by)
    fresh = standing is not None and standing.stage == CALLED
    steps = ((code, "signed"), (code, "arrived")) if fresh else ((code, "arrived"),)
    leads = standing is not None and standing.role == LEAD and matter.state == DISPATCHED
    return replace(outcome, to=HANDLING if leads else outcome.to, steps=steps)


def _agree(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    return _end(matter, said, outcome, pick(matter, said, "agree_whistle"), record.AGREED)


def _not_yet(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Send everybody who answered to work again: 事不了、人不撤."""
    whistle = pick(matter, said, "not_yet")
    failed = tuple((each.department, "failed") for each in whistle.standings if each.is_done)
    to = HANDLING if matter.state in {FED_BACK, INSPECTED} else outcome.to
    return replace(outcome, to=to, steps=failed, put=frozenset({REWORKED}))


def _review(matter: Matter, said: Said, outcome: Outcome) -> Outcome:
    """Score every party of a whistle, once."""
    whistle = pick(matter, said, "review_whistle")
    scores: dict[str, int] = said.fields["scores"]
    if set(scores) != set(whistle.departments):
        raise Invalid("whistles.score_everybody", departments=", ".join(whistle.departments))
    words = {"words": str(said.fields.get("note", "")), "by": said.by.username, "at": said.now}
    record.review(matter.session, whistle, scores, words)
    return outcome


def _call(matter: Matter, said: Said, outcome: Outcome, whistle: Whistle) -> Outcome:
    """Make the departments of a whistle parties that must come; who had refused or finished begins anew."""
    no_deadlock(matter, said)
    lead, stages = _lead(matter, said, whistle), {each.department: each.stage for each in matter.standings}
    called = frozenset(whistle.departments) | {lead}
    refused = frozenset(code for code, stage in stages.items() if stage == REFUSED)
    assists = tuple(code for code in whistle.departments if code != lead)
    to = dispatch.Redirection(lead, assists, "whistle", refused - called, {"whistle": whistle.code}, WHISTLE)
    dispatch.redirect(matter.session, matter.id, to, by=said.by.username, now=said.now)
    version = matter.row.version + 1
    record.change(
        matter.session, whistle.id, state=record.CALLED, called_at=said.now, called_version=version, answer_due_at=None
    )
    anew = tuple((code, "called") for code in sorted(called) if stages.get(code) not in {CALLED, SIGNED})
    was = matter.row.lead
    handed = (str(was), lead) if was and was != lead and matter.state != FILED else None
    return replace(
        outcome, to=_at_work(matter, stages.get(lead)), steps=anew, handed=handed,
        taken=outcome.taken | {UNANSWERED},
    )  # fmt: skip


def call_again(matter: Matter, said: Said) -> None:
    """Make the departments of whistles that are out parties again, after an issue was decided anew."""
    out = [each for each in matter.whistles if each.state == record.CALLED]
    if not out or not matter.row.lead:
        return
    codes = tuple(dict.fromkeys(code for each in out for code in each.departments if code != matter.row.lead))
    codes_of = {"whistle": ", ".join(each.code for each in out)}
    to = dispatch.Redirection(str(matter.row.lead), codes, "whistle", frozenset(), codes_of, WHISTLE)
    dispatch.redirect(matter.session, matter.id, to, by=said.by.username, now=said.now)


def _lead(matter: Matter, said: Said, whistle: Whistle) -> str:
    """Name who leads: who leads already; where nobody does, or who did refused, the one named, or the first called."""
    named, was = said.fields.get("lead"), matter.row.lead
    leads = matter.state in AT_WORK and was
    if leads and named not in (None, was):
        raise Conflict("whistles.has_lead", department=departments.register(matter.session).by_code[was].name)
    refused = any(each.department == was and each.stage == REFUSED for each in matter.standings)
    nobodys = refused or was in {None, matter.settings.general_desk}
    return str(named or (whistle.departments[0] if nobodys else was))


def _at_work(matter: Matter, stage: str | None) -> str:
    if matter.state in AT_WORK:
        return matter.state
    return HANDLING if stage == SIGNED else DISPATCHED


def _end(matter: Matter, said: Said, outcome: Outcome, whistle: Whistle, state: str) -> Outcome:
    record.change(
        matter.session, whistle.id, state=state, ended_at=said.now, ended_version=matter.row.version + 1,
        answer_due_at=None,
    )  # fmt: skip
    silent = not record.any_open(matter.session, matter.id, whistle.id)
    return replace(outcome, taken=outcome.taken | {UNANSWERED} | ({WHISTLED} if silent else set()))


def _known(matter: Matter, codes: Iterable[str]) -> list[Department]:
    known = departments.register(matter.session).by_code
    wanted = list(dict.fromkeys(codes))
    for code in wanted:
        if code not in known:
            raise Invalid("dispatch.no_department", department=code)
    return [known[code] for code in wanted]


def _check_reach(matter: Matter, whistle: Whistle) -> None:
    """A level calls who serves its ground, sits on its platform or is managed by its own; the whole city's: a district.

    街管、街用: what belongs to the district and takes the subdistrict's orders need not be on the platform's roster.
    What lies in what is asked of the edition, not read from codes: a city's 690100 begins none of its districts'.
    """
    finest = whistle.held_by.split(":")[1] == practice.load(matter.settings).levels[-1]
    platform = rosters.departments_of(matter.session, whistle.held_by, matter.today)
    register = departments.register(matter.session).by_code
    for each in _known(matter, whistle.departments):
        master = register[each.managed_by].ground if each.managed_by else ""
        reached = _stands_over(matter, whistle.held_by, each.ground) if each.ground else not finest
        reached = reached or (bool(master) and _stands_over(matter, whistle.held_by, master))
        if not reached and each.code not in platform:
            raise Conflict("whistles.beyond_reach", department=each.name, unit=_unit_named(matter, whistle.held_by))


def _stands_over(matter: Matter, key: str, ground: str) -> bool:
    return key in levels.ladder(matter.session, ground, matter.today)


def _unit_named(matter: Matter, key: str) -> Name:
    found = units.patch(matter.session, [key], matter.today)
    return Name.of(key, found[0].name, found[0].name_en) if found else Name.of(key, key)


def _report_by(matter: Matter, said: Said, kind: lists.Kind) -> datetime | None:
    wanted = said.fields.get("report_by")
    if wanted is None:
        return _due(matter, said, kind.report)
    _check_ahead(datetime.fromisoformat(wanted), said)
    return datetime.fromisoformat(wanted)


def _due(matter: Matter, said: Said, limit: Limit) -> datetime | None:
    return deadlines.after(matter.session, said.now, limit, matter.settings)


def _check_ahead(at: datetime, said: Said) -> None:
    if at <= said.at:
        raise Invalid("whistles.time_past", field=Word("need.report_by"), at=at.isoformat(timespec="minutes"))


def _plainly(said: Said) -> dict[str, Any]:
    names: Sequence[str] = ("done_by_self", "why_not", "expected", "place")
    return {name: said.fields[name] for name in names}


def _dated(matter: Matter, said: Said, row: Mapping[str, Any]) -> dict[str, Any]:
    zone = ZoneInfo(matter.settings.time_zone)
    return {"by": said.by.username, "blown_at": said.now, "zone": zone} | dict(row)


BY_NAME: Mapping[str, Consequence] = {
    "blow": _blow,
    "accept_whistle": _accept,
    "split_whistle": _split,
    "return_whistle": _send_back,
    "escalate_whistle": _escalate,
    "give_notice": _give_notice,
    "press_whistle": _press,
    "withdraw_whistle": _withdraw,
    "report_in": _report_in,
    "agree_whistle": _agree,
    "not_yet": _not_yet,
    "review_whistle": _review,
}
