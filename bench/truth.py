"""Holds what the product found against a table of published and computed units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.territory import locate, units
from gis.territory.location import LevelAnswer, Location

# On a line itself the polygon hit is a matter of rules; a centimetre away it is a fact.
ON_LINE_M = 0.01
BY_LINE_M = 10.0
# A day on which the lines of a vintage were in force. The table took the old council lines for reports up to 2025.
VINTAGES = {"2013-2023": date(2020, 1, 1), "2023-": date(2026, 6, 1)}
PLACES = """
    SELECT external_id, (place ->> 'lon')::float8 AS lon, (place ->> 'lat')::float8 AS lat FROM issue
    WHERE external_id = ANY(:ids)
"""
FOUND = """
    SELECT i.external_id AS id, l ->> 'level' AS level, n ->> 'edition' AS edition, l ->> 'primary' AS code,
           coalesce(l -> 'flags' ? 'near_boundary', false) AS near,
           ARRAY(SELECT u ->> 'code' FROM jsonb_array_elements(coalesce(l -> 'units', '[]')) u) AS units
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
        found = pd.DataFrame([row._asdict() for row in session.execute(text(FOUND), {"source": source})])
        table = truth.merge(found, left_on=["id", "ours"], right_on=["id", "level"], how="left", suffixes=("", "_ours"))
        for vintage, day in VINTAGES.items():
            table = _asked_again(session, table, vintage, day)
    table["units"] = [units if isinstance(units, list) else [] for units in table["units"]]
    return [_level(str(name), rows) for name, rows in table.groupby("level")]


def _asked_again(session: Session, table: pd.DataFrame, vintage: str, day: date) -> pd.DataFrame:
    """Answer rows whose table used lines of another day than the report's by the lines of that day."""
    names = {edition.net: edition.name for edition in units.in_force(session, day)}
    wanted = (table["vintage"] == vintage) & (table["edition"] != table["ours"].map(names))
    rows = table[wanted]
    places = session.execute(text(PLACES), {"ids": rows["id"].tolist()}).all()
    said = {row.external_id: locate.parse({"lon": row.lon, "lat": row.lat}) for row in places}
    answers = dict(zip(said, locate.at_many(session, list(said.values()), [day] * len(said)), strict=True))
    answered = [_answer(answers[issue], level) for issue, level in zip(rows["id"], rows["ours"], strict=True)]
    again = pd.DataFrame(
        {
            "code": [each.primary.code if each and each.primary else None for each in answered],
            "units": [[standing.unit.code for standing in each.units] if each else [] for each in answered],
            "near": [bool(each and "near_boundary" in each.flags) for each in answered],
        },
        index=rows.index,
    )
    return pd.concat([table[~wanted], rows.drop(columns=list(again)).join(again)])


def _answer(found: Location, level: str) -> LevelAnswer | None:
    return next((each for net in found.nets for each in net.levels if each.level == level), None)


def _level(name: str, rows: pd.DataFrame) -> Level:
    # A distance that is not stated was not measured because nothing covers the point.
    off_line = rows[~(rows["border_dist_m"] <= ON_LINE_M)]
    polygon_equal = off_line["code"].fillna("") == off_line["pip"].fillna("")
    published = rows[rows["published"].fillna("") != ""]
    differs = published["code"].fillna("") != published["published"]
    far = published["border_dist_m"] > BY_LINE_M
    by_line = published[differs & ~far]
    admitted = by_line["near"].eq(True) | pd.Series(
        [said in units for said, units in _pairs(by_line)],
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


def _pairs(rows: pd.DataFrame) -> list[tuple[str, list[str]]]:
    return list(zip(rows["published"], rows["units"], strict=True))
