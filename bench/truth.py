"""Holds what the product found against a table of published and computed units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, text

from gis import db

# On a line itself the polygon hit is a matter of rules; a centimetre away it is a fact.
ON_LINE_M = 0.01
BY_LINE_M = 10.0
FOUND = """
    SELECT i.external_id AS id, l ->> 'level' AS level, l -> 'primary' ->> 'code' AS code,
           l -> 'flags' ? 'near_boundary' AS near,
           ARRAY(SELECT u ->> 'code' FROM jsonb_array_elements(l -> 'units') u) AS units
    FROM issue i JOIN finding f ON f.issue_id = i.id AND f.version = 1,
         jsonb_array_elements(f.location -> 'nets') n, jsonb_array_elements(n -> 'levels') l
    WHERE i.source = :source
"""


@dataclass(frozen=True)
class Level:
    """How the answers of one level compare. Counts of issues."""

    name: str
    compared: int
    polygon_n: int
    polygon_equal: int
    far_n: int
    far_equal: int
    by_line_n: int
    by_line_admitted: int

    @property
    def far_rate(self) -> float:
        """Say how often the published unit was found, more than 10 m from a line."""
        return self.far_equal / self.far_n if self.far_n else 1.0


def compare(engine: Engine, source: str, truth_path: Path, levels: dict[str, str]) -> list[Level]:
    """Compare every row of a truth table; levels: its level -> the product's."""
    truth = pd.read_parquet(truth_path)
    truth = truth[truth["level"].isin(levels)].assign(ours=lambda table: table["level"].map(levels))
    with db.session(engine, db.EVERYTHING) as session:
        found = pd.DataFrame(session.execute(text(FOUND), {"source": source}).mappings())
    table = truth.merge(found, left_on=["id", "ours"], right_on=["id", "level"], how="left", suffixes=("", "_ours"))
    return [_level(str(name), rows) for name, rows in table.groupby("level")]


def _level(name: str, rows: pd.DataFrame) -> Level:
    # A distance that is not stated was not measured because nothing covers the point.
    off_line = rows[~(rows["border_dist_m"] <= ON_LINE_M)]
    polygon_equal = off_line["code"].fillna("") == off_line["pip"].fillna("")
    published = rows[rows["published"].fillna("") != ""]
    differs = published["code"].fillna("") != published["published"]
    far = published["border_dist_m"] > BY_LINE_M
    by_line = published[differs & ~far]
    admitted = by_line["near"].eq(True) | pd.Series(  # noqa: FBT003 - missing rows are not near
        [said in (units if isinstance(units, list) else []) for said, units in _pairs(by_line)],
        index=by_line.index,
        dtype=bool,
    )
    return Level(
        name,
        len(rows),
        len(off_line),
        int(polygon_equal.sum()),
        int(far.sum()),
        int((far & ~differs).sum()),
        len(by_line),
        int(admitted.sum()),
    )


def _pairs(rows: pd.DataFrame) -> list[tuple[str, object]]:
    return list(zip(rows["published"], rows["units"], strict=True))
