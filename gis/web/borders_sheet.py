"""Borders to take away: CSV for spreadsheets, a GeoPackage for a GIS, the ranking with its map on paper."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas
import numpy as np
import shapely
from flask import Response

from gis import language
from gis.issues.ledgers.lines import Reader
from gis.planning import press
from gis.planning.borders import Strip
from gis.planning.faults_on_record import OnRecord
from gis.planning.flows import Flow
from gis.planning.plate import Plate
from gis.planning.sides import Beside
from gis.territory import units
from gis.territory.places import Straddler
from gis.territory.units import EditionRef
from gis.web import auth
from gis.web.ledger import sent

Json = dict[str, Any]
Value = str | int | float | None

# What a spreadsheet would take for a formula when it opens a CSV.
RISKY = ("=", "+", "-", "@", "\t", "\r")
RANKED_ON_MAP, LISTED_ON_PAPER = 20, 200
# More names would lie on one another.
NAMED_MOST = 80
PAPER_WIDTHS = (5, 26, 26, 8, 10, 10, 10)
MAP_MM = (186.0, 120.0)
GPKG = "application/geopackage+sqlite3"


def csv_of(view: str, table: Any, locale: str) -> Response:  # noqa: ANN401 -- planner.Table
    """Write the rows of a view; numbers as numbers, what is not known as an empty cell."""
    rows = [_row(row, table) for row in table.rows]
    heads = list(rows[0]) if rows else ["key"]
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([language.say(f"borders.column.{head}", locale) for head in heads])
    writer.writerows([_plain(row[head]) for head in heads] for row in rows)
    # Spreadsheets take a file without the mark for one in an older encoding.
    return sent(written.getvalue().encode("utf-8-sig"), "text/csv", f"borders-{view}.csv")


def gpkg_of(every: Mapping[str, Sequence[Any]], found: Beside | None, issues: Sequence[Json]) -> Response:
    """Write a layer for each kind of thing that has a place, and one of the issues of the strip that is chosen."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "borders.gpkg"
        for name, rows in every.items():
            _layer(path, name, [_row(row, None) for row in rows], [row.geometry for row in rows])
        if found is not None:
            _issue_layer(path, found, issues)
        return sent(path.read_bytes(), GPKG, "borders.gpkg")


def pdf_of(table: Any, about: Sequence[str], edition: EditionRef, locale: str) -> Response:  # noqa: ANN401 -- planner.Table
    """Set the ranking with its map."""
    reader = Reader(locale, ZoneInfo(auth.settings().time_zone), datetime.now(UTC))
    strips = [row for row in table.rows if row.issues_n][:LISTED_ON_PAPER]
    heads = ("rank", "a", "b", "issues_n", "length_m", "per_km", "part")
    told = {
        "title": reader.say("page.borders.title"),
        "about": [*about, reader.say("page.borders.printed", by=auth.current().name, edition=edition.name)],
        "plate": _map(table.rows, strips, edition, reader).as_dict() | {"north": press.north(locale)},
        "heads": [reader.say(f"borders.column.{head}") for head in heads],
        "widths": list(PAPER_WIDTHS),
        "rows": [_words(nth, strip, reader) for nth, strip in enumerate(strips, start=1)],
        "nothing": reader.say("page.borders.nothing"),
    }
    return sent(press.setting("ranking", told, reader), "application/pdf", "borders.pdf")


def _words(nth: int, strip: Strip, reader: Reader) -> list[str]:
    per_km = "—" if strip.per_km is None else f"{strip.per_km:.1f}"
    sides = [reader.name(side.as_dict() | {"name_zh": side.name}) for side in (strip.a, strip.b)]
    few = strip.is_few or strip.is_short
    return [
        "—" if few else str(nth), *sides, str(strip.issues_n), f"{strip.length_m:.0f}", per_km, f"{strip.part:.2f}",
    ]


def _map(rows: Sequence[Strip], ranked: Sequence[Strip], edition: EditionRef, reader: Reader) -> Plate:
    """Draw all units thinly and the strips with most trouble thickly, with their ranks."""
    table = units.load_units(auth.session(), edition.id)
    level = rows[0].a.level if rows else edition.levels[0].code
    of_level = np.flatnonzero(table.level == level)
    west, south, east, north = shapely.total_bounds(table.geometry[of_level]).tolist()
    plate = Plate((west, south, east, north), *MAP_MM)
    for row in of_level.tolist():
        plate.draw(table.geometry[row], "land")
        plate.draw(table.geometry[row], "unit")
    for row in of_level.tolist() if len(of_level) <= NAMED_MOST else ():
        [(lon, lat)] = shapely.get_coordinates(shapely.point_on_surface(table.geometry[row])).tolist()
        plate.write(lon, lat, reader.name(table.ref(int(row)).as_dict() | {"name_zh": table.name[row]}))
    _draw_strips(plate, ranked)
    return plate


def _draw_strips(plate: Plate, ranked: Sequence[Strip]) -> None:
    top = [strip for strip in ranked if not (strip.is_few or strip.is_short)][:RANKED_ON_MAP]
    most = max((strip.per_km or 0 for strip in top), default=0)
    for nth, strip in reversed(list(enumerate(top, start=1))):
        part = (strip.per_km or 0) / most
        plate.draw(strip.geometry, f"strip_{1 + (part > 1 / 3) + (part > 2 / 3)}")
        middle = strip.geometry.interpolate(0.5, normalized=True)
        plate.mark(middle.x, middle.y, str(nth), "rank")


def _row(row: Strip | Flow | Straddler | OnRecord, table: Any) -> dict[str, Value]:  # noqa: ANN401 -- planner.Table
    if isinstance(row, Strip):
        return _strip(row, table)
    if isinstance(row, Flow):
        names = table.matrix.names
        return {
            "a_code": row.a, "a": names[row.a][0], "b_code": row.b, "b": names[row.b][0], "to_b_n": row.to_b_n,
            "to_a_n": row.to_a_n, "total_n": row.total_n,
        }  # fmt: skip
    if isinstance(row, Straddler):
        parts = [f"{part.unit.name} {part.share * 100:.1f} %" for part in row.parts]
        return {"key": f"{row.kind}:{row.id}", "name": row.name, "name_en": row.name_en, "area_m2": row.area_m2,
                "parts": "; ".join(parts)}  # fmt: skip
    named = [zh for zh, _ in row.names] or list(row.codes)
    sizes: dict[str, Value] = {"area_m2": row.area_m2, "length_m": row.length_m}
    return {"key": row.key, "kind": row.kind, **sizes, "beside": "; ".join(named)}


def _strip(strip: Strip, table: Any) -> dict[str, Value]:  # noqa: ANN401 -- planner.Table
    told: dict[str, Value] = {
        "a_code": strip.a.code, "a": strip.a.name, "a_en": strip.a.name_en, "b_code": strip.b.code, "b": strip.b.name,
        "b_en": strip.b.name_en, "length_m": round(strip.length_m, 1), "issues_n": strip.issues_n, "a_n": strip.a_n,
        "b_n": strip.b_n, "both_n": strip.both_n, "part": round(strip.part, 4),
        "per_km": None if strip.per_km is None else round(strip.per_km, 3), "few": int(strip.is_few),
    }  # fmt: skip
    if table is not None and table.before is not None:
        then = table.before.get(strip.key)
        told |= {"before_n": then and then.issues_n, "before_per_km": then and then.per_km and round(then.per_km, 3)}
    return told


def _layer(path: Path, name: str, rows: Sequence[Mapping[str, Value]], shapes: Iterable[Any]) -> None:
    columns: Json = {head: [row[head] for row in rows] for head in rows[0]} if rows else {"key": []}
    frame = geopandas.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")
    frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio", **({} if rows else {"geometry_type": "Unknown"}))


def _issue_layer(path: Path, found: Beside, issues: Sequence[Json]) -> None:
    spots = {spot.issue_id: spot for spot in found.spots}
    rows = [
        {"code": row["code"], "category": row["category_zh"], "state": row["state"], "side": spots[row["id"]].side,
         "distance_m": round(spots[row["id"]].distance_m, 2), "reported_at": row["reported_at"].isoformat()}
        for row in issues
    ]  # fmt: skip
    _layer(path, "issues", rows, [shapely.Point(row["lon"], row["lat"]) for row in issues])


def _plain(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
