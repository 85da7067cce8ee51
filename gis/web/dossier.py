"""All that is known of one issue, as the panel beside the map shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Blueprint
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.issues import explain, findings, journal, listing, photos
from gis.territory import units
from gis.web import auth, moves, papers, timing
from gis.web.notices import UNMASKS, lateness_of

Json = dict[str, Any]

pages = Blueprint("dossier", __name__, url_prefix="/map")


@pages.get("/issues/<code>")
@auth.require()
def issue(code: str) -> Json:
    """Answer with what was said, found, decided and done."""
    session = auth.session()
    known = listing.get(session, code)
    location, decision = (
        _last(session, "finding", "location", known["id"]),
        _last(session, "decision", "answer", known["id"]),
    )
    return {
        "issue": _shown(known) | {"photos": _photos(session, known)},
        "location": location and findings.location(location).as_dict(),
        "decision": decision and _named(session, decision),
        "outlines": outlines(session, [side["key"] for side in decision["shares"]] if decision else []),
        "explanation": explain.sentences(decision, auth.locale()) if decision else [],
        "clocks": timing.standing(known["id"]),
        "conditions": timing.conditions(code),
        "history": _history(session, known["id"]),
        "loop": moves.picture(code),
        "lateness": lateness_of(code),
        "papers": papers.picture(known["id"]),
    }


def outlines(session: Session, keys: Iterable[str]) -> list[Json]:
    """Draw units as simply as a screen can show them: details under a two-thousandth of their width are left out."""
    found = [unit.id for unit in units.patch(session, keys, auth.today())]
    rows = session.execute(
        text("""
        SELECT net || ':' || level || ':' || code AS key, ST_AsGeoJSON(ST_SimplifyPreserveTopology(
            geom, greatest(ST_XMax(geom) - ST_XMin(geom), ST_YMax(geom) - ST_YMin(geom)) / 2000), 6) AS geometry
        FROM unit WHERE id = ANY(:ids)
        """),
        {"ids": found},
    )
    return [{"key": row.key, "geometry": json.loads(row.geometry)} for row in rows]


def _shown(known: Json) -> Json:
    """Leave out what only programs need, and hide the reporter: who may read it in full asks for it, on record."""
    told = {"reporter": listing.masked(known["reporter"]), "unmasks": auth.current().role in UNMASKS}
    return {name: value for name, value in known.items() if name not in {"id", "place"}} | told


def _photos(session: Session, known: Json) -> list[Json]:
    return [
        {"name": photo.name, "url": f"/api/v1/issues/{known['code']}/photos/{photo.sha256}.jpg"}
        for photo in photos.of_issue(session, known["id"])
    ]


def _last(session: Session, table: str, column: str, issue_id: int) -> Json | None:
    sql = f"SELECT {column} FROM {table} WHERE issue_id = :issue_id ORDER BY version DESC LIMIT 1"
    return session.scalars(text(sql), {"issue_id": issue_id}).one_or_none()


def _named(session: Session, decision: Json) -> Json:
    """Give names to the units a decision speaks of, and the sides their parts."""
    keys = {key for party in decision["parties"] for key in party["jurisdictions"]} | {decision["superior"]} - {None}
    names = {unit.key: unit.as_dict() for unit in units.patch(session, keys, auth.today())}
    names |= {side["key"]: {"name": side["name"], "name_en": side["name_en"]} for side in decision["shares"]}

    def name(key: str) -> Json:
        return {"name": key.rsplit(":", 1)[-1]} | names.get(key, {}) | {"key": key}

    return {
        "basis": decision["basis"],
        "lead": decision["lead_department"],
        "provisional": decision["provisional"],
        "superior": decision["superior"] and name(decision["superior"]),
        "sides": [side_of(side) for side in decision["shares"]],
        "parties": [
            party | {"jurisdictions": [name(key) for key in party["jurisdictions"]]} for party in decision["parties"]
        ],
    }


def side_of(side: Json) -> Json:
    """Reduce a side of a decision to its name and its part: a probability where one is known, else a share."""
    part = side.get("probability") if side.get("probability") is not None else side.get("share")
    return {"key": side["key"], "name": side["name"], "name_en": side["name_en"], "part": part or 0}


def _history(session: Session, issue_id: int) -> list[Json]:
    """Tell what happened, with the words that came with each move and the department that made it."""
    told = {row.version: row for row in session.execute(_WORDS, {"issue_id": issue_id})}
    found_out = dict(session.execute(_FOUND_OUT, {"issue_id": issue_id}).tuples().all())
    lines = [_entry(entry, told.get(entry["params"].get("version"))) for entry in journal.history(session, issue_id)]
    return [line | {"words": found_out[line["finding"]]} if line["finding"] in found_out else line for line in lines]


def _entry(entry: Json, move: Row[Any] | None) -> Json:
    said = auth.say(f"entry.{entry['kind']}", **_spoken(entry["params"]))
    told = {"at": entry["at"].isoformat(), "actor": entry["actor"], "kind": entry["kind"], "said": said}
    told |= {"finding": entry["params"].get("finding")}
    if move is None:
        return told
    words = [auth.say(str(move.fields[name])) for name in TOLD if move.fields.get(name)]
    return told | {"words": " · ".join(words), "department": move.department}


# What of the fields of a move is read with its history.
TOLD = (
    "reason", "ground_of_law", "document", "done", "note", "until", "done_by_self", "why_not", "expected", "person",
    "minutes", "found",
)  # fmt: skip
_WORDS = text("SELECT version, department, fields FROM move WHERE issue_id = :issue_id")

# Why somebody said that an issue is on a side of a line.
_FOUND_OUT = text("""
SELECT version, location -> 'place' -> 'raw' ->> 'side_reason' FROM finding
WHERE issue_id = :issue_id AND location -> 'place' -> 'raw' ? 'side_reason'
""")


def _spoken(params: Json) -> Json:
    """Say the parameters that are codes themselves."""
    return {name: auth.say(value) if isinstance(value, str) else value for name, value in params.items()}
