"""Reports become issues: put on the ground, decided, dispatched, told in the journal. The same report is one issue.

One report and a file of them take the same way: `accept` is `accept_many` of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, ShaotuError
from gis.issues import categories, clocks, default_points, dispatch, filing, findings, jurisdiction, safety, sources
from gis.issues.clerk import DEFAULTS, Clerk
from gis.issues.filing import Filing, Key
from gis.issues.reports import CategoryKey, Report, parse_report
from gis.settings import Settings
from gis.territory import locate
from gis.territory.location import Location, Place

__all__ = ["Accepted", "CategoryKey", "Clerk", "Report", "accept", "accept_many", "parse_report", "place", "take_side"]


REASON_MOST = 500


@dataclass(frozen=True)
class Accepted:
    """An issue and whether it was known before. differs: fields in which a known one was sent otherwise this time."""

    id: int
    code: str
    located: bool
    known: bool = False
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Spot:
    """A report that can be used: the place it means, and its category's major class."""

    report: Report
    place: Place
    parent: str | None
    verify: bool = False


def accept(session: Session, report: Report, *, by: str, now: datetime, settings: Settings = DEFAULTS) -> Accepted:
    """File a report; raise Invalid if its source, category or place is none. A known one is returned unchanged."""
    [outcome] = accept_many(session, [report], Clerk(by, now, settings))
    if isinstance(outcome, ShaotuError):
        raise outcome
    return outcome


def accept_many(session: Session, reports: Sequence[Report], clerk: Clerk) -> list[Accepted | ShaotuError]:
    """File reports in one go; the answer has for each, in their order, its issue or why it was refused."""
    known = _known(session, reports)
    fresh: dict[Key, Report] = {}
    for report in reports:
        if _key(report) not in known:
            # Of equal ones in a batch the first counts.
            fresh.setdefault(_key(report), report)
    ordered = any(report.work_order for report in fresh.values())
    city = filing.city_code(session, clerk) if ordered else None
    book = clocks.read_for(session, list(fresh.values()), clerk, city)
    read = _read_all(session, list(fresh.values()), book)
    spots = [spot for spot in read.values() if isinstance(spot, _Spot)]
    filed = filing.file(session, _decided(session, spots, book, clerk), clerk)
    placed = {key: each.code for key, each in filed.items() if each.located}
    safety.order(session, [code for key, code in placed.items() if _is_dangerous(fresh[key], clerk)], clerk)
    # Somebody else may have filed the same one meanwhile: the database kept theirs, and so do we.
    known |= _known(session, [spot.report for spot in spots if _key(spot.report) not in filed])
    first: set[int] = set()
    answers: list[Accepted | ShaotuError] = []
    for report in reports:
        key = _key(report)
        refused = read.get(key)
        if isinstance(refused, ShaotuError):
            answers.append(refused)
        elif key in known:
            answers.append(_recognised(report, known[key]))
        elif key in filed:
            answers.append(_new_or_repeated(report, fresh[key], filed[key], first))
        else:
            answers.append(Conflict("issue.known_elsewhere", source=report.source, external_id=report.external_id))
    return answers


def place(session: Session, code: str, said: Mapping[str, Any], clerk: Clerk) -> Location:
    """Put an issue where a person says it is, and decide and dispatch anew; what was found before stays on record.

    Raise NotFound for an unknown issue, Invalid where the place is none.
    """
    sql = text("SELECT id, reported_at, located, category FROM issue WHERE code = :code FOR UPDATE")
    issue = session.execute(sql, {"code": code}).one_or_none()
    if issue is None:
        raise NotFound("issue.not_found", code=code)
    location = locate.at(session, locate.parse(said), clerk.day(issue.reported_at), clerk.rules)
    if not location.located:
        raise Invalid("issue.still_nowhere", code=code, reason=location.reason)
    filing.move(session, issue.id, location, clerk)
    safety.call_again(session, code, clerk)
    if not issue.located and safety.is_dangerous(issue.category, issue.reported_at, clerk.now):
        safety.order(session, [code], clerk)
    return location


def take_side(session: Session, code: str, said: Mapping[str, Any], clerk: Clerk) -> Location:
    """Put an issue near a line on the side a person found out, and decide anew. said: unit (net:level:code), reason.

    Where it was reported stays. Raise NotFound for an unknown issue, Invalid where it cannot be there, where it has
    parts on both sides, or where no reason is given.
    """
    unit, reason = (str(said.get(name) or "").strip() for name in ("unit", "reason"))
    if not reason or len(reason) > REASON_MOST or "\x00" in reason:
        raise Invalid("sides.no_reason", most=REASON_MOST)
    session.execute(text("SELECT FROM issue WHERE code = :code FOR UPDATE"), {"code": code})
    asked = findings.get(session, code)
    known = asked.location
    if not known.located:
        raise Invalid("issue.still_nowhere", code=code, reason=known.reason)
    place = replace(known.place, raw=known.place.raw | {"side": unit, "side_reason": reason})
    location = locate.on_side(session, place, unit, known.on, clerk.rules)
    filing.move(session, asked.issue_id, location, clerk, side=unit)
    safety.call_again(session, code, clerk)
    return location


def _is_dangerous(report: Report, clerk: Clerk) -> bool:
    return safety.is_dangerous(report.category.code, report.reported_at, clerk.now)


def _key(report: Report) -> Key:
    return report.source, report.external_id


def _known(session: Session, reports: Iterable[Report]) -> dict[Key, Row[Any]]:
    """Find the issues these reports already are."""
    keys = {_key(report) for report in reports}
    if not keys:
        return {}
    named, ids = zip(*keys, strict=True)
    rows = session.execute(_KNOWN, {"sources": list(named), "ids": list(ids)})
    return {(row.source, row.external_id): row for row in rows}


def _read_all(session: Session, reports: Sequence[Report], book: clocks.Book) -> dict[Key, _Spot | ShaotuError]:
    """Look up each report's source, category and condition and read its place, or say why not."""
    senders = {code: _or_error(sources.get, session, code) for code in {report.source for report in reports}}
    classes = {key: _or_error(_parent, session, key) for key in {report.category for report in reports}}
    unmet = {_key(report): _or_error(book.check, clocks.key_of(report), report.condition) for report in reports}
    return {
        _key(report): unmet[_key(report)] or _read(report, senders[report.source], classes[report.category])
        for report in reports
    }


def _or_error(ask: Any, *question: object) -> Any:  # noqa: ANN401 -- whatever is asked, or the refusal
    try:
        return ask(*question)
    except Invalid as error:
        return error


def _parent(session: Session, key: CategoryKey) -> str | None:
    return categories.get(session, key.scheme, key.version, key.code).parent


def _read(report: Report, sender: sources.Sender | Invalid, parent: str | Invalid | None) -> _Spot | ShaotuError:
    if isinstance(sender, Invalid):
        return sender
    if isinstance(parent, Invalid):
        return parent
    spot: Place | Invalid = _or_error(locate.parse, report.place, sender.habits)
    if isinstance(spot, Invalid):
        return spot
    if sender.is_default(spot):
        spot = replace(spot, kind="nowhere", geometry=None, reason=default_points.REASON)
    return _Spot(report, spot, parent, sender.verify)


def _decided(session: Session, spots: Sequence[_Spot], book: clocks.Book, clerk: Clerk) -> list[Filing]:
    """Locate the reports, decide whose each is, and set its clocks."""
    days = [clerk.day(spot.report.reported_at) for spot in spots]
    locations = locate.at_many(session, [spot.place for spot in spots], days, clerk.rules)
    cases = [_case(spot) for spot in spots]
    decisions = dispatch.decide_many(session, list(zip(cases, locations, strict=True)), clerk.settings)
    found = zip(spots, locations, cases, decisions, strict=True)
    return [
        Filing(
            spot.report,
            location,
            case,
            decision,
            book.begin(spot.report, now=clerk.now, located=location.located),
            spot.verify,
        )
        for spot, location, case, decision in found
    ]


def _case(spot: _Spot) -> jurisdiction.Case:
    category = spot.report.category
    return jurisdiction.Case(category.scheme, category.code, spot.parent, filed_by=spot.report.filed_by)


def _recognised(report: Report, row: Row[Any]) -> Accepted:
    category = CategoryKey(row.scheme, row.scheme_version, row.category)
    # Where a person has placed it since, the sender's place is no longer compared.
    said = report.place if "placed_by" in row.place else row.place
    kept = replace(report, category=category, text=row.text, reported_at=row.reported_at, place=said)
    return Accepted(row.id, row.code, row.located, known=True, differs=_differs(report, kept))


def _new_or_repeated(report: Report, kept: Report, filed: filing.Filed, first: set[int]) -> Accepted:
    """Answer the first of equal reports in a batch as new, the others as known."""
    known = filed.id in first
    first.add(filed.id)
    differs = _differs(report, kept) if known else ()
    return Accepted(filed.id, filed.code, filed.located, known=known, differs=differs)


def _differs(report: Report, kept: Report) -> tuple[str, ...]:
    names = ("category", "text", "reported_at", "place")
    return tuple(name for name in names if getattr(report, name) != getattr(kept, name))


_KNOWN = text("""
SELECT id, code, source, external_id, scheme, scheme_version, category, text, reported_at, place, located
FROM issue JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS asked (source, external_id)
     USING (source, external_id)
""")
