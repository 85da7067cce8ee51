"""Messages queued with the change they tell of, and sent afterwards; each has a key, so that none is queued twice.

A message is claimed before it is sent and settled after. What was claimed and never settled was sent or not, nobody
knows: a channel that may repeat sends it again under the same id, any other leaves it to a person (`unsure`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from psycopg2.extras import Json as AsJson
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import NotFound, ShaotuError
from gis.issues.messages import channels
from gis.issues.messages.channels import DEPARTMENTS, NOTICE, REPORTER, Channel
from gis.settings import Settings

Json = dict[str, Any]

# How long a claim holds: longer than any sending takes.
CLAIM = timedelta(minutes=5)
BACKOFF, BACKOFF_MOST = timedelta(seconds=10), timedelta(hours=1)
ATTEMPTS_MOST = 20
# A time further ahead than any we set was written before the clock was set back.
BEYOND = timedelta(hours=2)
WAITING, SENT, UNSURE, DEAD = "waiting", "sent", "unsure", "dead"


@dataclass(frozen=True)
class Tiding:
    """Something to be told. departments: whom it concerns; stem: what makes it the same when it is queued again.

    params hold codes, numbers and times, never free text or personal data.
    """

    event: str
    stem: str
    departments: tuple[str, ...] = ()
    issue_id: int | None = None
    params: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Letter:
    """A message on its way out. key: its id, the same at every attempt; address: None where its contact is no more."""

    id: int
    key: str
    event: str
    address: str | None
    params: Json
    at: datetime
    attempts_n: int


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. fault: a code and its parameters; certain: it surely did not arrive."""

    fault: ShaotuError | None = None
    certain: bool = True


def put(session: Session, tidings: Iterable[Tiding], settings: Settings, now: datetime) -> None:
    """Queue what is to be told, with the change it tells of; what is queued already stays one message."""
    ways = channels.table(settings.channels)
    rows = [row for tiding in tidings for row in _rows(tiding, ways)]
    if rows:
        names = ("event", "stem", "recipient", "channel", "direct", "issue_id", "params")
        columns = {name: [row[name] for row in rows] for name in names}
        _PUT.run(session, columns | {"now": now})


def claim(session: Session, channel: Channel, now: datetime, most: int = 1) -> list[Letter]:
    """Take messages that are due, the longest waiting first; another sender takes others. The caller commits."""
    asked = {"channel": channel.code, "now": now, "until": now + CLAIM, "beyond": now + BEYOND, "most": most}
    if not channel.repeat:
        session.execute(_UNSURE, asked)
    return [Letter(**row) for row in session.execute(_CLAIM, asked).mappings()]


def settle(session: Session, letter: Letter, outcome: Outcome, channel: Channel, now: datetime) -> str:
    """Write down what came of an attempt and return the state it leaves: sent, later, given up."""
    state = _state(letter, outcome, channel)
    fault = outcome.fault and AsJson({"code": outcome.fault.code, "params": outcome.fault.params}, dumps=_dumps)
    pause = min(BACKOFF * 2 ** (letter.attempts_n - 1), BACKOFF_MOST)
    session.execute(_SETTLE, {"id": letter.id, "state": state, "fault": fault, "now": now, "next_at": now + pause})
    return state


def retry(session: Session, ids: Sequence[int], now: datetime) -> int:
    """Have messages sent again that were given up, or of which nobody knows; raise NotFound if there is none."""
    again = session.scalars(_RETRY, {"ids": list(ids), "now": now}).all()
    if not again:
        raise NotFound("messages.none_stuck", ids=", ".join(map(str, ids)))
    return len(again)


def stuck(session: Session, *, states: Sequence[str] = (UNSURE, DEAD), most: int = 200) -> list[Json]:
    """List messages in these states, the last first; with no word of an address."""
    return [dict(row) for row in session.execute(_LIST, {"states": list(states), "most": most}).mappings()]


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Count messages by channel and state."""
    rows = session.execute(text("SELECT channel, state, count(*) FROM message GROUP BY channel, state"))
    return {(channel, state): count for channel, state, count in rows}


def _rows(tiding: Tiding, ways: Sequence[Channel]) -> Iterator[Json]:
    """Spell out to whom and by which way: a notice for each, their addresses, and the systems that listen."""
    about = None if tiding.issue_id is None else str(tiding.issue_id)
    said = {"event": tiding.event, "stem": tiding.stem, "issue_id": about, "params": _dumps(tiding.params)}
    carrying = [way for way in ways if way.carries(tiding.event)]
    for recipient in _recipients(tiding):
        if recipient != REPORTER:
            yield said | {"recipient": recipient, "channel": NOTICE, "direct": True}
        for way in carrying:
            if not way.to_systems and (recipient != REPORTER or way.code == channels.SMS):
                yield said | {"recipient": recipient, "channel": way.code, "direct": recipient == REPORTER}
    for way in carrying:
        if way.to_systems:
            yield said | {"recipient": "system", "channel": way.code, "direct": True}


def _recipients(tiding: Tiding) -> list[str]:
    named: list[str] = []
    for who in channels.tell().get(tiding.event, ()):
        if who == DEPARTMENTS:
            named += [f"department:{code}" for code in tiding.departments]
        else:
            named.append(who if who == REPORTER else f"role:{who}")
    return list(dict.fromkeys(named))


def _state(letter: Letter, outcome: Outcome, channel: Channel) -> str:
    if outcome.fault is None:
        return SENT
    if not (outcome.certain or channel.repeat):
        return UNSURE
    return DEAD if letter.attempts_n >= ATTEMPTS_MOST else WAITING


_dumps = partial(json.dumps, ensure_ascii=False, default=str)
# Who has no address on a channel is not told by it. A reporter's number is looked up when it is sent, never copied.
# No target is named after ON CONFLICT: with one, who tells would have to be among those told, to read the row.
_PUT = db.Prepared("""
INSERT INTO message (key, event, channel, recipient, contact_id, issue_id, params, at, state, next_at)
SELECT event || ':' || stem || ':' || told.channel || ':' || recipient || coalesce(':' || contact.id, ''),
       event, told.channel, recipient, contact.id, issue_id, params, CAST(:now AS timestamptz),
       CASE told.channel WHEN 'notice' THEN 'sent' ELSE 'waiting' END, CAST(:now AS timestamptz)
FROM unnest(CAST(:event AS text[]), CAST(:stem AS text[]), CAST(:recipient AS text[]), CAST(:channel AS text[]),
            CAST(:direct AS boolean[]), CAST(CAST(:issue_id AS text[]) AS bigint[]),
            CAST(CAST(:params AS text[]) AS jsonb[]))
     AS told (event, stem, recipient, channel, direct, issue_id, params)
LEFT JOIN contact ON NOT direct AND contact.owner = recipient AND contact.channel = told.channel AND contact.active
WHERE direct OR contact.id IS NOT NULL
ON CONFLICT DO NOTHING
""")
_UNSURE = text("""
UPDATE message SET state = 'unsure' WHERE channel = :channel AND state = 'waiting'
 AND (claimed_until < :now OR claimed_until > :beyond)
""")
_CLAIM = text("""
WITH due AS (
    SELECT id FROM message
    WHERE channel = :channel AND state = 'waiting' AND (next_at <= :now OR next_at > :beyond)
      AND (claimed_until IS NULL OR claimed_until < :now OR claimed_until > :beyond)
    ORDER BY next_at, id LIMIT :most FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE message SET claimed_until = :until, attempts_n = attempts_n + 1 FROM due WHERE message.id = due.id
    RETURNING message.*
)
SELECT taken.id, taken.key, event, params, at, attempts_n, CASE taken.recipient
       WHEN 'reporter' THEN (SELECT reporter ->> 'phone' FROM issue WHERE issue.id = taken.issue_id)
       WHEN 'system' THEN '' ELSE contact.address END AS address
FROM taken LEFT JOIN contact ON contact.id = taken.contact_id AND contact.active ORDER BY taken.id
""")
_SETTLE = text("""
UPDATE message SET state = :state, claimed_until = NULL, fault = :fault,
       sent_at = CASE :state WHEN 'sent' THEN CAST(:now AS timestamptz) END, next_at = :next_at
WHERE id = :id AND state = 'waiting'
""")
_RETRY = text("""
UPDATE message SET state = 'waiting', next_at = :now, claimed_until = NULL, attempts_n = 0
WHERE id = ANY(:ids) AND state IN ('unsure', 'dead') RETURNING id
""")
_LIST = text("""
SELECT message.id, key, event, channel, recipient, issue.code, at, message.state, attempts_n, next_at, fault
FROM message LEFT JOIN issue ON issue.id = message.issue_id
WHERE message.state = ANY(:states) AND channel <> 'notice' ORDER BY message.id DESC LIMIT :most
""")
