"""The chain held against what is on record, and words erased by law without breaking it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues import asides, chain, journal
from gis.issues.journal import Head, Line
from gis.people.accounts import ADMINISTRATOR, SHIFT_LEADER, Who

# So many links are taken up at once: enough to be quick, few enough to stay in memory.
PAGE_LINKS = 10_000
ERASURE_ASKED, ERASED = "erasure_asked", "erased"
ERASES = (SHIFT_LEADER, ADMINISTRATOR)


@dataclass(frozen=True)
class Fault:
    """What does not hold: a code and its parameters."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A stretch of the chain: the links behind `after` up to `until`, as long as they are there."""

    after: int
    until: int


def spans(session: Session, parts: int = 1) -> list[Span]:
    """Cut the chain as it is now into stretches of like length, to be held by several sessions at once."""
    last = journal.head(session).seq
    cuts = [last * nth // parts for nth in range(parts + 1)]
    return [Span(after, until) for after, until in pairwise(cuts) if until > after]


def held(session: Session, span: Span) -> Iterator[Fault]:
    """Hold every link of a stretch against the one before it, and against what it stands for."""
    chain.settle(session)
    after = span.after
    while after < span.until:
        until = min(after + PAGE_LINKS, span.until)
        before = session.scalar(_HASH, {"seq": after}) if after else chain.START
        asked = {"after": after, "until": until, "before": before or b""}
        for row in session.execute(_WRONG, asked):
            yield from _faults(row)
        after = until


def unbound(session: Session) -> Iterator[Fault]:
    """Find what no link stands for: rows of history without a line, lines that were never sealed and wait for none."""
    chain.settle(session)
    for entry_id in session.scalars(_UNSEALED):
        yield Fault("audit.entry_inserted", {"entry": entry_id})
    for each in chain.TABLES:
        rows = session.execute(text(_LOOSE.format(table=each.table, issue_id=each.issue_id)))
        for row in rows:
            yield Fault("audit.row_inserted", {"table": each.table, "code": row.code, "rows": row.rows})


def aside(session: Session) -> Iterator[Fault]:
    """Find whistles and what goes beside a decision that stand otherwise than the last line about them says."""
    chain.settle(session)
    for each in asides.altered(session):
        yield Fault("audit.aside_altered", {"code": each.code or "-", "tables": ", ".join(each.tables)})


def at_head(session: Session, kept: Head) -> Iterator[Fault]:
    """Compare with a head that was kept elsewhere: what came later may be there, what was there may not be gone."""
    found = session.scalar(_HASH, {"seq": kept.seq}) if kept.seq else chain.START
    if found is None or bytes(found) != kept.hash:
        yield Fault("audit.head_differs", {"seq": kept.seq})


def parse_head(said: str) -> Head:
    """Read a head as it is printed: number and hash; raise Invalid."""
    try:
        seq, hashed = said.split()
        head = Head(int(seq), bytes.fromhex(hashed))
    except ValueError:
        raise Invalid("audit.bad_head", value=said[:100]) from None
    if head.seq < 0 or len(head.hash) != len(chain.START):
        raise Invalid("audit.bad_head", value=said[:100])
    return head


def ask_erasure(session: Session, code: str, reason: str, *, by: Who, now: datetime) -> None:
    """Ask for the words of an issue to be erased. The reason stays for good: a law and a number, no names."""
    issue = _issue(session, code)
    _check_may(by)
    if not reason.strip():
        raise Invalid("audit.reason_missing")
    line = Line(ERASURE_ASKED, issue.id, {"reason": reason.strip()}, tuple(issue.ground))
    journal.append(session, line, by=by.username, now=now)


def erase(session: Session, code: str, *, by: Who, now: datetime) -> None:
    """Erase the words of an issue as another person asked; needs the rights of the tables' owner.

    Raise Conflict if nobody asked, Forbidden if the same person did. Photos and papers stay: files are shared, and what
    was signed and sent is on paper elsewhere too.
    """
    issue = _issue(session, code)
    _check_may(by)
    asked = session.execute(_ASKED, {"issue_id": issue.id}).one_or_none()
    if asked is None or asked.kind == ERASED:
        raise Conflict("audit.nobody_asked", code=code)
    if asked.actor == by.username:
        raise Forbidden("audit.same_person", by=by.username)
    for sql in _ERASURES:
        session.execute(text(sql), {"issue_id": issue.id, "said": list(chain.SAID), "place": list(PLACE_WORDS)})
    params = {"reason": asked.params["reason"], "asked_by": asked.actor}
    journal.append(session, Line(ERASED, issue.id, params, tuple(issue.ground)), by=by.username, now=now)


def log(session: Session, *, since: datetime | None = None, most: int = 200) -> list[dict[str, Any]]:
    """List what people did to the installation and to personal data, the last first."""
    kinds = [*journal.AUDIT, journal.UNMASKED, ERASURE_ASKED, ERASED]
    rows = session.execute(_LOG, {"kinds": kinds, "since": since, "most": most}).mappings()
    return [dict(row) for row in rows]


def _issue(session: Session, code: str) -> Row[Any]:
    row = session.execute(text("SELECT id, ground FROM issue WHERE code = :code FOR UPDATE"), {"code": code})
    found = row.one_or_none()
    if found is None:
        raise NotFound("issue.not_found", code=code)
    return found


def _check_may(who: Who) -> None:
    if who.role not in ERASES:
        raise Forbidden("audit.may_not_erase", roles=", ".join(ERASES))


def _faults(row: Row[Any]) -> Iterator[Fault]:
    about = {"seq": row.seq, "entry": row.entry_id, "code": row.code or "-"}
    if row.step != 1:
        yield Fault("audit.links_removed", about | {"count": row.step - 1})
    if not row.linked:
        yield Fault("audit.chain_altered", about)
    if row.gone:
        yield Fault("audit.entry_removed", about)
        return
    if not row.facts_hold:
        yield Fault("audit.facts_altered", about)
    if row.erased and not row.erasure:
        yield Fault("audit.salt_removed", about)
    elif not row.words_hold and not row.erased:
        yield Fault("audit.words_altered", about)


# Of the place as it was sent: what is words, and not coordinates.
PLACE_WORDS = ("text", "address", "name")
_ERASURES = (
    "UPDATE issue SET text = '', reporter = NULL, place = place - CAST(:place AS text[]) WHERE id = :issue_id",
    """UPDATE finding SET location = jsonb_set(jsonb_set(location - 'candidates', '{place,text}', '""'),
           '{place,raw}', coalesce(location #> '{place,raw}', '{}') - CAST(:place AS text[]))
       WHERE issue_id = :issue_id""",
    "UPDATE move SET fields = fields - CAST(:said AS text[]) WHERE issue_id = :issue_id",
    "UPDATE party_step SET fields = fields - CAST(:said AS text[]) WHERE issue_id = :issue_id",
    "UPDATE appeal SET fields = fields - CAST(:said AS text[]) WHERE issue_id = :issue_id",
    "UPDATE appeal_answer SET fields = fields - CAST(:said AS text[]) WHERE issue_id = :issue_id",
    "UPDATE handoff SET reason = '' WHERE issue_id = :issue_id",
    # Beside the chain: what was said there stands in it as the words of moves.
    """UPDATE whistle SET done_by_self = '', why_not = '', expected = '', place = '', answer = ''
       WHERE issue_id = :issue_id""",
    """UPDATE whistle_review SET words = '' FROM whistle
       WHERE whistle.id = whistle_review.whistle_id AND whistle.issue_id = :issue_id""",
    "UPDATE escalation SET reason = '' WHERE issue_id = :issue_id",
    "UPDATE errand SET reason = '', done = left(done, 0) WHERE issue_id = :issue_id",
    "UPDATE consultation SET reason = '', minutes = left(minutes, 0) WHERE issue_id = :issue_id",
    "UPDATE joint_record SET words = '' WHERE issue_id = :issue_id",
    "UPDATE line_confirmation SET words = '' WHERE issue_id = :issue_id",
    "UPDATE seal SET salt = NULL FROM entry WHERE entry.id = seal.entry_id AND entry.issue_id = :issue_id",
)
_HASH = text("SELECT hash FROM seal WHERE seq = :seq")
_STRETCH = "seal WHERE seq > :after AND seq <= :until"
_WRONG = text(f"""
WITH link AS (
    SELECT seq, entry_id, facts, words, salt, {chain.LINK} = hash AS linked,
           seq - coalesce(lag(seq) OVER (ORDER BY seq), :after) AS step
    FROM {_STRETCH}
), found AS MATERIALIZED ({chain.taken(f"SELECT entry_id AS id, salt FROM {_STRETCH}")})
SELECT * FROM (
    SELECT link.seq, link.entry_id, link.linked, link.step, found.id IS NULL AS gone,
           found.facts = link.facts AS facts_hold, found.words = link.words AS words_hold, link.salt IS NULL AS erased,
           issue.code, link.salt IS NULL AND EXISTS (
               SELECT FROM entry AS later WHERE later.issue_id = entry.issue_id AND later.kind = '{ERASED}'
           ) AS erasure
    FROM link LEFT JOIN found ON found.id = link.entry_id
    LEFT JOIN entry ON entry.id = link.entry_id LEFT JOIN issue ON issue.id = entry.issue_id
) AS held
WHERE gone OR NOT linked OR step <> 1 OR NOT facts_hold OR (NOT words_hold AND NOT erasure)
ORDER BY seq
""")
_UNSEALED = text("""
SELECT id FROM entry
WHERE NOT EXISTS (SELECT FROM seal WHERE seal.entry_id = entry.id)
  AND NOT EXISTS (SELECT FROM unsealed WHERE unsealed.entry_id = entry.id)
ORDER BY id
""")
_LOOSE = """
SELECT issue.code, count(*) AS rows FROM {table} AS loose LEFT JOIN issue ON issue.id = loose.{issue_id}
WHERE NOT EXISTS (SELECT FROM entry WHERE entry.issue_id = loose.{issue_id} AND entry.change = loose.change)
GROUP BY issue.code ORDER BY issue.code
"""
_ASKED = text(f"""
SELECT kind, actor, params FROM entry WHERE issue_id = :issue_id AND kind IN ('{ERASURE_ASKED}', '{ERASED}')
ORDER BY id DESC LIMIT 1
""")
_LOG = text("""
SELECT entry.id, kind, params, actor, at, issue.code FROM entry LEFT JOIN issue ON issue.id = entry.issue_id
WHERE kind = ANY(:kinds) AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) ORDER BY entry.id DESC LIMIT :most
""")
