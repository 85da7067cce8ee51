"""What may be the same thing reported twice: near by, of a kind, at about the same time; and why it is thought so.

Nothing is merged by this: a person sees the reasons and decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues.moves import MERGED, REJECTED, VOIDED

Json = dict[str, Any]

# Farther apart, or longer ago, it is another thing.
REACH_M, REACH = 100.0, timedelta(days=7)
SHOWN_N, LOOKED_AT_N = 5, 200
# What each sign counts; the same thing at the same spot is above LEAST whatever its words.
NEAR, KIN, SOON, WORDS = 0.4, 0.3, 0.15, 0.15
SAME_CLASS = 0.6
LEAST = 0.5
# Of another kind it is the same thing only if it is said in much the same words.
WORDS_OF_ANOTHER = 0.4


@dataclass(frozen=True)
class Signs:
    """What speaks for two reports being one. kin: same, class or other; apart_h: hours; alike: of the words, 0 to 1."""

    distance_m: float
    kin: str
    apart_h: float
    alike: float

    @property
    def score(self) -> float:
        """How much speaks for it, from 0 to 1."""
        kin = {"same": 1.0, "class": SAME_CLASS}.get(self.kin, 0.0)
        if not kin and self.alike < WORDS_OF_ANOTHER:
            return 0.0
        near = max(0.0, 1 - self.distance_m / REACH_M)
        soon = max(0.0, 1 - self.apart_h * 3600 / REACH.total_seconds())
        return NEAR * near + KIN * kin + SOON * soon + WORDS * self.alike


@dataclass(frozen=True)
class Duplicate:
    """Another issue that may be the same."""

    code: str
    state: str
    text: str
    category: Json
    reported_at: datetime
    point: tuple[float, float]
    signs: Signs

    def as_dict(self) -> Json:
        """Render it as JSON."""
        told = {name: value for name, value in vars(self).items() if name != "signs"}
        return told | {"reported_at": self.reported_at.isoformat(), "score": round(self.signs.score, 3)} | vars(
            self.signs
        )


def find(session: Session, code: str) -> list[Duplicate]:
    """List what may be the same as an issue, likeliest first; raise NotFound. What has no place has no neighbours."""
    asked = session.execute(_ASKED, {"code": code}).one_or_none()
    if asked is None:
        raise NotFound("issue.not_found", code=code)
    over = [MERGED, REJECTED, VOIDED]
    rows = session.execute(_NEAR, {"code": code, "m": REACH_M, "reach": REACH, "over": over, "most": LOOKED_AT_N})
    found = [_duplicate(row, asked.text) for row in rows]
    return sorted((one for one in found if one.signs.score >= LEAST), key=lambda one: -one.signs.score)[:SHOWN_N]


def likeness(one: str, other: str) -> float:
    """Say how alike two texts are by the pairs of signs they share (Dice): 0 nothing, 1 the same."""
    first, second = _pairs(one), _pairs(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def _pairs(words: str) -> set[str]:
    plain = "".join(sign for sign in words.lower() if sign.isalnum())
    return {plain[at : at + 2] for at in range(len(plain) - 1)}


def _duplicate(row: Any, words: str) -> Duplicate:  # noqa: ANN401 -- a row of what is selected below
    kin = "same" if row.same_category else "class" if row.same_class else "other"
    signs = Signs(row.distance_m, kin, row.apart_h, likeness(words, row.text))
    category = {"code": row.category, "name_zh": row.name_zh, "name_en": row.name_en}
    return Duplicate(row.code, row.state, row.text, category, row.reported_at, (row.lon, row.lat), signs)


_ASKED = text("SELECT text FROM issue WHERE code = :code")
# The box is drawn in degrees around the point, generously, for the index; the distance is geodesic, of whole shapes.
_NEAR = text("""
SELECT other.code, other.state, other.text, other.category, other.reported_at, ST_X(other.point_geom) AS lon,
       ST_Y(other.point_geom) AS lat, kind.name_zh, kind.name_en,
       (other.scheme, other.category) = (asked.scheme, asked.category) AS same_category,
       coalesce(kind.parent = sort.parent, false) AS same_class,
       CAST(abs(extract(epoch FROM other.reported_at - asked.reported_at)) / 3600 AS float8) AS apart_h,
       measured.distance_m
FROM issue AS asked
JOIN issue AS other ON other.point_geom && ST_Expand(asked.point_geom,
     :m / 110000 / greatest(cos(radians(ST_Y(asked.point_geom))), 0.01), :m / 110000)
 AND other.reported_at BETWEEN asked.reported_at - CAST(:reach AS interval)
                           AND asked.reported_at + CAST(:reach AS interval)
 AND other.id <> asked.id AND other.state <> ALL(CAST(:over AS text[]))
CROSS JOIN LATERAL (
    SELECT ST_Distance(CAST(asked.geom AS geography), CAST(other.geom AS geography)) AS distance_m) AS measured
LEFT JOIN category AS kind ON (kind.scheme, kind.version, kind.code)
                            = (other.scheme, other.scheme_version, other.category)
LEFT JOIN category AS sort ON (sort.scheme, sort.version, sort.code)
                            = (asked.scheme, asked.scheme_version, asked.category)
WHERE asked.code = :code AND measured.distance_m <= :m
ORDER BY measured.distance_m, other.id LIMIT :most
""")
