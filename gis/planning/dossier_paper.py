"""A dossier on paper: the map drawn from our own geometry, the table, the lists. One grid, or a booklet of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.ledgers.lines import Reader
from gis.planning import press
from gis.planning.dossiers import ROWS_MOST, Dossier, counted
from gis.planning.plate import Plate
from gis.territory import units

Json = dict[str, Any]

MAP_MM = (186.0, 150.0)
# Houses on a map of this scale would be a smear.
DRAWN_MOST = 3000
# Of house numbers in larger grids only the map's clutter would be left.
NUMBERED_MOST = 120
LOOKS = {"water": "water", "park": "green", "green": "green", "forest": "green", "grass": "green"}


def told(session: Session, dossier: Dossier, reader: Reader) -> Json:
    """Say a dossier in a reader's words, with its map; plain values that can be kept as JSON."""
    title = f"{reader.name(_both(dossier.unit))} · {dossier.unit.code}"
    sums = counted(dossier.months)
    size = f"{dossier.area_m2:,.0f} m² · {reader.say('dossier.outline')} {dossier.outline_m:,.0f} m"
    facts = [
        (reader.say("dossier.above"), " / ".join(reader.name(_both(each)) for each in dossier.above)),
        (reader.say("dossier.edition"), f"{dossier.edition['edition']} · {dossier.edition['source']}"),
        (reader.say("dossier.area"), size),
        (reader.say("dossier.counts"), reader.say(
            "dossier.counted", buildings=len(dossier.buildings), streets=len(dossier.streets),
            issues=len(dossier.issues), reported=sums["reported_n"], closed=sums["closed_n"])),
    ]  # fmt: skip
    return {
        "title": title,
        "facts": [list(fact) for fact in facts],
        "plate": plate(session, dossier, reader).as_dict() | {"north": press.north(reader.locale)},
        "caption": reader.say("dossier.caption", on=dossier.on, edition=dossier.edition["edition"]),
        "tables": [_table(name, rows, reader) for name, rows in lists(dossier, reader).items()],
    }


def lists(dossier: Dossier, reader: Reader) -> dict[str, list[list[str]]]:
    """Write the lists of a dossier as rows of words."""
    return {
        "people": [
            [reader.say(f"page.duty.{each['role']}"), _name(each, reader), each["person"], each["phone"] or "—"]
            for each in dossier.people
        ],
        "neighbours": [
            [reader.name(_both(each.unit)), each.unit.code, f"{each.length_m:,.0f}"] for each in dossier.neighbours
        ],
        "issues": [
            [str(nth), each["code"], each[f"category_{reader.locale}"], reader.say(f"state.{each['state']}"),
             reader.time(each["reported_at"]), reader.time(each["due_at"]) or "—", each[f"lead_{reader.locale}"] or "—"]
            for nth, each in enumerate(dossier.issues, start=1)
        ],
        "months": [[each["month"], str(each["reported_n"]), str(each["closed_n"])] for each in dossier.months],
        "streets": [
            [_name(each, reader) or "—", f"{each['length_m']:,.0f}", f"{each['share'] * 100:.0f} %"]
            for each in dossier.streets
        ],
        "buildings": [
            [_name(each, reader) or "—", f"{each['street_name']} {each['house_number']}".strip() or "—",
             each["estate_name"] or "—", f"{each['area_m2']:,.0f}", f"{each['share'] * 100:.0f} %"]
            for each in dossier.buildings
        ],
    }  # fmt: skip


HEADS = {
    "people": (("role", 12), ("name", 22), ("person", 10), ("phone", 14)),
    "neighbours": (("neighbour", 20), ("code", 18), ("length_m", 8)),
    "issues": (("mark", 4), ("code", 20), ("category", 15), ("state", 8), ("reported_at", 14), ("due_at", 14),
               ("lead", 17)),
    "months": (("month", 8), ("reported_n", 8), ("closed_n", 8)),
    "streets": (("street", 20), ("length_m", 8), ("share", 6)),
    "buildings": (("name", 18), ("address", 20), ("estate", 14), ("area_m2", 8), ("share", 6)),
}  # fmt: skip


def setting(title: str, dossiers: Sequence[Json], reader: Reader) -> bytes:
    """Set dossiers as one PDF, each beginning on a page of its own."""
    return press.setting("dossier", {"title": title, "dossiers": list(dossiers), "many": len(dossiers) > 1,
                                     "contents": reader.say("dossier.contents")}, reader)  # fmt: skip


def plate(session: Session, dossier: Dossier, reader: Reader) -> Plate:
    """Draw the map: ground, houses and streets with names, the neighbours, the own line, open issues as marks."""
    west, south, east, north = dossier.geometry.bounds
    drawn = Plate((west, south, east, north), *MAP_MM)
    box = dict(zip(("west", "south", "east", "north"), drawn.ground, strict=True)) | {"most": DRAWN_MOST}
    for row in session.execute(text(_LAND), box):
        drawn.draw(shapely.from_wkb(row.geom), LOOKS.get(row.kind, "land"))
    streets = session.execute(text(_STREETS), box).mappings().all()
    for street in streets:
        drawn.draw(shapely.from_wkb(street["geom"]), "road")
    own = {each["id"] for each in dossier.buildings}
    for row in session.execute(text(_BUILDINGS), box):
        drawn.draw(shapely.from_wkb(row.geom), "own_building" if row.id in own else "building")
    _draw_units(session, dossier, drawn, reader)
    for street in streets:
        if street["centre"]:
            drawn.write_along(shapely.from_wkb(street["centre"]), _name(street, reader))
    for each in dossier.buildings if len(dossier.buildings) <= NUMBERED_MOST else ():
        [(lon, lat)] = shapely.get_coordinates(shapely.point_on_surface(shapely.from_wkb(each["geom"]))).tolist()
        drawn.write(lon, lat, each["house_number"].rstrip("号"), "number")
    for nth, each in enumerate(dossier.issues, start=1):
        drawn.mark(each["lon"], each["lat"], str(nth))
    return drawn


def _draw_units(session: Session, dossier: Dossier, drawn: Plate, reader: Reader) -> None:
    """Draw the units of the level that are on the sheet, the own one last, and name each where it shows."""
    sheet = shapely.box(*drawn.ground)
    rows = session.execute(text(_UNITS), {"id": dossier.unit.id, **_sides(drawn)}).mappings().all()
    for row in rows:
        drawn.draw(shapely.from_wkb(row["geom"]), "unit")
    drawn.draw(dossier.geometry, "own")
    beside = {each.unit.id for each in dossier.neighbours} | {dossier.unit.id}
    for row in (row for row in rows if row["id"] in beside):
        at = shapely.point_on_surface(shapely.intersection(shapely.from_wkb(row["geom"]), sheet))
        if not at.is_empty:
            drawn.write(at.x, at.y, _name(row, reader), "own_name" if row["id"] == dossier.unit.id else "name")


def _sides(drawn: Plate) -> Json:
    return dict(zip(("west", "south", "east", "north"), drawn.ground, strict=True))


def _table(name: str, rows: list[list[str]], reader: Reader) -> Json:
    heads = HEADS[name]
    cut_off = reader.say("dossier.cut_off", most=ROWS_MOST) if len(rows) == ROWS_MOST else ""
    return {
        "name": name, "title": reader.say(f"dossier.{name}"),
        "heads": [reader.say(f"dossier.column.{head}") for head, _ in heads],
        "widths": [width for _, width in heads], "rows": rows, "nothing": reader.say("dossier.nothing"), "cut": cut_off,
    }  # fmt: skip


def _both(unit: Any) -> Json:  # noqa: ANN401 -- a unit, or its names as a row
    row = unit if isinstance(unit, dict) else unit.as_dict()
    return {"name_zh": row["name"], "name_en": row["name_en"], "code": row.get("code", "")}


def _name(row: Any, reader: Reader) -> str:  # noqa: ANN401 -- a row with names
    return str((reader.locale == "en" and row["name_en"]) or row["name"])


_BOX = "geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
_LAND = f"SELECT kind, CAST(geom AS text) AS geom FROM land WHERE {_BOX} ORDER BY ST_Area(geom) DESC LIMIT :most"
_STREETS = f"""
SELECT name, name_en, CAST(geom AS text) AS geom, CAST(centre_geom AS text) AS centre
FROM street WHERE {_BOX} ORDER BY id LIMIT :most"""
_BUILDINGS = f"SELECT id, CAST(geom AS text) AS geom FROM building WHERE {_BOX} ORDER BY id LIMIT :most"
_UNITS = f"""
SELECT {units.REF}, CAST(u.geom AS text) AS geom
FROM unit own JOIN unit u ON u.edition_id = own.edition_id AND u.level = own.level
WHERE own.id = :id AND u.{_BOX} ORDER BY u.id"""
