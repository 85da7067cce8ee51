"""What the public is shown. The database answers nobody's scope with squares of ground, stages and days alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues import moves

RECEIVED, ASSIGNED, HANDLING, CLOSED, DECLINED, MERGED = STAGES = (
    "received", "assigned", "handling", "closed", "declined", "merged",
)  # fmt: skip
# The loop knows fifteen states; who waits outside needs to know which of these it is.
STAGE_OF: Mapping[str, str] = {
    moves.COLLECTED: RECEIVED, moves.TO_LOCATE: RECEIVED, moves.FILED: RECEIVED,
    moves.DISPATCHED: ASSIGNED, moves.RETURNED: ASSIGNED,
    moves.HANDLING: HANDLING, moves.SUSPENDED: HANDLING, moves.FED_BACK: HANDLING, moves.INSPECTED: HANDLING,
    moves.CLOSED: CLOSED, moves.EVALUATED: CLOSED, moves.SELF_HANDLED: CLOSED,
    moves.REJECTED: DECLINED, moves.VOIDED: DECLINED, moves.MERGED: MERGED,
}  # fmt: skip
# What nobody has looked at yet is on no map: there everybody could write.
ON_MAP = tuple(s for s, stage in STAGE_OF.items() if stage in {ASSIGNED, HANDLING, CLOSED} or s == moves.FILED)
OPEN = tuple(state for state, stage in STAGE_OF.items() if stage in {RECEIVED, ASSIGNED, HANDLING})
MAP_DAYS, MAP_MOST = 30, 3000
# How near and how lately something alike is said to be known already.
NEAR_M, NEAR_DAYS = 150.0, 30


@dataclass(frozen=True)
class Seen:
    """An issue as the public's map knows it: the middle of a square of ground, never the place itself."""

    lon: float
    lat: float
    name_zh: str
    name_en: str
    stage: str
    day: date
    unit: str
    unit_en: str


@dataclass(frozen=True)
class Status:
    """How an issue stands: its stage now, and since when it was in each."""

    stage: str
    reached: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class Known:
    """Something alike that is known already. distance_m: to the middle of its square."""

    issue_id: int
    distance_m: float
    reported_at: datetime
    stage: str
    more_n: int


@dataclass(frozen=True)
class Choice:
    """A category the public may report under, with its major class."""

    scheme: str
    version: str
    code: str
    name_zh: str
    name_en: str
    parent_zh: str
    parent_en: str

    @property
    def key(self) -> str:
        """Write it as a form sends it."""
        return f"{self.scheme}:{self.version}:{self.code}"


def on_map(session: Session, now: datetime, zone: str) -> list[Seen]:
    """List what the public's map shows, the newest first."""
    asked = {"states": list(ON_MAP), "since": now - timedelta(days=MAP_DAYS), "zone": zone, "most": MAP_MOST}
    return [_seen(row) for row in session.execute(_ON_MAP, asked)]


def status(session: Session, number: str) -> Status:
    """Tell how an issue stands, by its number; raise NotFound."""
    rows = session.execute(_STATUS, {"number": number}).all()
    if not rows:
        raise NotFound("public.no_number")
    reached: dict[str, datetime] = {}
    for row in rows[:-1]:
        reached.setdefault(STAGE_OF[row.state], row.at)
    return Status(STAGE_OF[rows[-1].state], tuple(reached.items()))


def near(session: Session, at: tuple[float, float], choice: Choice, now: datetime) -> list[Known]:
    """List what is known of the same category near a place (lon, lat), the nearest first."""
    asked = {
        "lon": at[0], "lat": at[1], "scheme": choice.scheme, "category": choice.code, "reach_m": NEAR_M,
        "since": now - timedelta(days=NEAR_DAYS), "states": list(OPEN),
    }  # fmt: skip
    rows = session.execute(_NEAR, asked)
    return [Known(r.issue_id, r.distance_m, r.reported_at, STAGE_OF[r.state], r.more_n) for r in rows]


def choices(session: Session) -> list[Choice]:
    """List the categories the public may report under: of each scheme the newest version, where the city shows them."""
    return [Choice(**row) for row in session.execute(_CHOICES).mappings()]


def classes(session: Session) -> list[dict[str, Any]]:
    """List the major classes there are, and whether the public sees them, since when and by whose word."""
    return [dict(row) for row in session.execute(_CLASSES).mappings()]


def show(session: Session, keys: Sequence[str], *, by: str, now: datetime) -> None:
    """Show the public these classes ("scheme:code") and no others; raise Invalid for one that is none."""
    known = {f"{each['scheme']}:{each['code']}" for each in classes(session)}
    if strange := sorted(set(keys) - known):
        raise Invalid("public.no_class", key=strange[0][:80])
    session.execute(_SHOW, {"known": sorted(known), "keys": list(keys), "by": by, "now": now})


def _seen(row: Any) -> Seen:  # noqa: ANN401 -- a row of the function
    named = (row.name_zh, row.name_en or row.name_zh, STAGE_OF[row.state], row.day)
    return Seen(row.lon, row.lat, *named, row.unit or "", row.unit_en or row.unit or "")


_ON_MAP = text("SELECT * FROM public_issues(:states, :since, :zone, :most)")
_STATUS = text("SELECT * FROM public_status(:number)")
_NEAR = text("SELECT * FROM public_near(:lon, :lat, :scheme, :category, :reach_m, :since, :states)")
_CHOICES = text("""
SELECT category.scheme, category.version, category.code, category.name_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh) AS name_en,
       coalesce(above.name_zh, '') AS parent_zh, coalesce(nullif(above.name_en, ''), above.name_zh, '') AS parent_en
FROM category LEFT JOIN category AS above ON (above.scheme, above.version, above.code)
                                           = (category.scheme, category.version, category.parent)
WHERE category.version = (SELECT max(version) FROM category AS newest WHERE newest.scheme = category.scheme)
  AND NOT EXISTS (SELECT FROM category AS below WHERE (below.scheme, below.version, below.parent)
                  = (category.scheme, category.version, category.code))
  AND EXISTS (SELECT FROM public_category AS open WHERE open.shown AND open.scheme = category.scheme
              AND open.code IN (category.code, category.parent))
ORDER BY category.scheme, coalesce(category.parent, category.code), category.code
""")
_CLASSES = text("""
SELECT DISTINCT ON (category.scheme, category.code) category.scheme, category.code, category.name_zh,
       coalesce(nullif(category.name_en, ''), category.name_zh) AS name_en, coalesce(open.shown, false) AS shown,
       open.by, open.at
FROM category LEFT JOIN public_category AS open ON (open.scheme, open.code) = (category.scheme, category.code)
WHERE category.parent IS NULL ORDER BY category.scheme, category.code, category.version DESC
""")
# What was never shown and is not now needs no row.
_SHOW = text("""
INSERT INTO public_category (scheme, code, shown, by, at)
SELECT split_part(key, ':', 1), split_part(key, ':', 2), key = ANY(CAST(:keys AS text[])), :by, :now
FROM unnest(CAST(:known AS text[])) AS key
WHERE key = ANY(CAST(:keys AS text[])) OR EXISTS (
    SELECT FROM public_category WHERE scheme || ':' || code = key)
ON CONFLICT (scheme, code) DO UPDATE SET shown = excluded.shown, by = excluded.by, at = excluded.at
WHERE public_category.shown <> excluded.shown
""")
