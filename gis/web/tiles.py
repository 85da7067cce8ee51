"""Vector tiles: the units of an edition, what lies across their lines, and the base map.

Addresses carry a version, so a tile never changes and is kept: by browsers, and under var/ for the next browser.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from flask import Blueprint, Response, current_app
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import BaseConverter, ValidationError

from gis.errors import Invalid, NotFound
from gis.language import LOCALES
from gis.territory import units as units_of_ground
from gis.territory.coords import Tile
from gis.web import atlas, auth, drawing

pages = Blueprint("tiles", __name__, url_prefix="/tiles")

Layers = Iterable[drawing.Layer]
MIME = "application/vnd.mapbox-vector-tile"
log = structlog.get_logger()


@dataclass(frozen=True)
class Shown:
    """What a kind of tiles shows: the folder they are kept in, their layers, and what is bound for one of them."""

    name: str
    layers: tuple[drawing.Layer, ...]
    params: Callable[[Tile], Mapping[str, object]]


class TileConverter(BaseConverter):
    """Reads z/x/y in an address."""

    regex = r"\d{1,2}/\d{1,8}/\d{1,8}"
    part_isolating = False

    def to_python(self, value: str) -> Tile:
        """Return the tile; what is no tile of the pyramid is no address of ours."""
        try:
            return Tile(*map(int, value.split("/")))
        except Invalid as error:
            raise ValidationError from error

    def to_url(self, value: Tile) -> str:
        """Write the tile."""
        return f"{value.z}/{value.x}/{value.y}"


pages.record_once(lambda state: state.app.url_map.converters.update(tile=TileConverter))


@pages.get(f"/units/<int:edition_id>/<any({', '.join(LOCALES)}):lang>/<tile:tile>.mvt")
@auth.require()
def units(edition_id: int, lang: str, tile: Tile) -> Response:
    """Answer with the units of an edition: the levels that are wide enough to be seen at this zoom."""
    shown = units_shown(auth.session(), edition_id, lang)
    return _immutable(_kept(shown.name, tile, shown.layers, shown.params(tile)))


@pages.get("/straddlers/<version>/<int:edition_id>/<level>/<tile:tile>.mvt")
@auth.require()
def straddlers(version: str, edition_id: int, level: str, tile: Tile) -> Response:
    """Answer with the buildings, streets and estates that lie across lines of a level."""
    if level not in level_widths(auth.session(), edition_id).metres:
        raise NotFound("tiles.no_level", level=level)
    sliver = atlas.sliver()
    params = {
        "edition_id": edition_id,
        "level": level,
        "sliver_share": sliver.share,
        "sliver_m2": sliver.area_m2,
    }
    return _dated(version, f"straddlers-{edition_id}-{level}", tile, drawing.STRADDLERS, params)


@pages.get(f"/base/<version>/<any({', '.join(LOCALES)}):lang>/<tile:tile>.mvt")
@auth.require()
def base(version: str, lang: str, tile: Tile) -> Response:
    """Answer with the base map: land, streets, buildings, the lines and names of the first net."""
    return base_tile(version, lang, tile)


def base_tile(version: str, lang: str, tile: Tile) -> Response:
    """Draw a tile of the base map, or read it from the disk."""
    shown = base_shown(auth.session(), lang)
    return _dated(version, shown.name, tile, shown.layers, shown.params(tile))


def units_shown(session: Session, edition_id: int, lang: str) -> Shown:
    """Say what is shown of the units of an edition; raise NotFound without such an edition."""
    widths, said = level_widths(session, edition_id), {"edition_id": edition_id, "lang": lang}
    name = f"units/{edition_id}-{drawing.DRAWING}/{lang}"
    return Shown(name, drawing.UNITS, lambda tile: said | drawing.unit_params(widths, tile))


def base_shown(session: Session, lang: str) -> Shown:
    """Say what is shown of the base map; its tiles are kept by version under its name."""
    edition_id = first_edition(session)
    widths = level_widths(session, edition_id) if edition_id else drawing.Widths(0.0, {})
    said = {"lang": lang, "edition_id": edition_id}
    return Shown(f"base-{lang}", drawing.BASE, lambda tile: said | drawing.base_params(widths, tile))


@pages.get("/points/<version>/<tile:tile>.mvt")
@auth.require()
def points(version: str, tile: Tile) -> Response:
    """Answer with the registered points: manholes, lamps, cameras and whatever else a city has on record."""
    return _dated(version, "points", tile, drawing.POINTS, {})


def base_version(session: Session) -> str:
    """Return the version of the base map: it changes with every import of a layer and with the editions in force."""
    seen = session.execute(
        text("""
            SELECT layer, version::text FROM ground_version
            UNION ALL SELECT net, id::text FROM edition
            WHERE state = 'active' AND valid_from <= :on AND (valid_to IS NULL OR valid_to > :on) ORDER BY 1, 2
        """),
        {"on": auth.today()},
    )
    return hashlib.sha256(repr([drawing.DRAWING, atlas.sliver(), *map(tuple, seen)]).encode()).hexdigest()[:12]


def first_edition(session: Session) -> int | None:
    """Return the edition in force of the net that comes first: its lines are the base map's."""
    in_force = units_of_ground.in_force(session, auth.today())
    return in_force[0].id if in_force else None


def level_widths(session: Session, edition_id: int) -> drawing.Widths:
    """Return how wide the units of an edition are; an edition never changes, so it is asked once."""
    known: dict[int, drawing.Widths] = current_app.extensions.setdefault("tiles.widths", {})
    if edition_id not in known:
        rows = session.execute(
            text("""
                SELECT u.level, sqrt(percentile_cont(0.5) WITHIN GROUP (ORDER BY u.area_m2)) AS width_m,
                       avg(ST_Y(u.label_geom)) AS lat
                FROM unit u JOIN level l ON l.net = u.net AND l.code = u.level
                WHERE u.edition_id = :edition_id GROUP BY u.level, l.rank ORDER BY l.rank
            """),
            {"edition_id": edition_id},
        ).all()
        if not rows:
            raise NotFound("tiles.no_edition", edition=edition_id)
        known[edition_id] = drawing.Widths(float(rows[0].lat), {row.level: float(row.width_m) for row in rows})
    return known[edition_id]


def _dated(version: str, name: str, tile: Tile, layers: Layers, params: Mapping[str, object]) -> Response:
    """Answer from the kept tiles of this version; for another version with what is true now, kept by nobody."""
    if version == base_version(auth.session()):
        return _immutable(_kept(f"{name}/{version}", tile, layers, params))
    response = _packed(gzip.compress(drawing.draw(auth.session(), tile, layers, params), 6))
    response.headers["Cache-Control"] = "no-store"
    return response


def _kept(name: str, tile: Tile, layers: Layers, params: Mapping[str, object]) -> bytes:
    """Read a tile from the disk, or draw it and keep it; empty ones are quicker drawn than kept."""
    path = kept_under(name) / str(tile.z) / str(tile.x) / f"{tile.y}.mvt.gz"
    if path.exists():
        return path.read_bytes()
    drawn = drawing.draw(auth.session(), tile, layers, params)
    packed = gzip.compress(drawn, 6)
    if drawn:
        keep(path, packed)
    return packed


def kept_under(name: str) -> Path:
    """Name the folder of tiles of a kind."""
    folder: Path = auth.settings().var_dir / "tiles" / name
    return folder


def keep(path: Path, tile: bytes) -> None:
    """Keep a tile on the disk, if it takes one more: what was drawn is shown in any case."""
    try:
        write(path, tile)
    except OSError as error:
        log.warning("tile not kept", path=str(path), reason=error.strerror)


def write(path: Path, tile: bytes) -> None:
    """Write a tile to the disk; raise OSError where it takes no more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # written aside and renamed: another request never reads half a tile
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(tile)
            file.flush()
            os.replace(file.name, path)  # noqa: PTH105 - one call, atomic
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _packed(packed: bytes) -> Response:
    return Response(packed, mimetype=MIME, headers={"Content-Encoding": "gzip", "Vary": "Cookie"})


def _immutable(packed: bytes) -> Response:
    response = _packed(packed)
    # private: a tile is for people who signed in, not for a shared cache on the way
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
