"""Base maps of other hosts, fetched through ours: off unless a file lists them, and nothing else can be fetched.

The scheme and the host stand in the file; a request gives whole numbers of a tile and nothing more. Answers are taken
only if they are pictures, small, in time and from that host itself; then they are kept.
"""

from __future__ import annotations

import hashlib
import http.client
import string
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app

from gis.errors import Invalid, NotFound, Problems, ShaotuError, Unavailable
from gis.settings import Settings
from gis.territory.coords import DATUMS, Tile
from gis.web import auth, tiles

Json = dict[str, Any]

pages = Blueprint("online", __name__, url_prefix="/tiles/online")

TIMEOUT_S, TILE_BYTES_MOST, PIECE_BYTES, KEPT_S = 6.0, 1_000_000, 16_384, 30 * 86_400
FOLDER = "online"
PLACES, NEEDED = {"z", "x", "y", "s", "key"}, {"z", "x", "y"}
# What a picture begins with, and what it is.
PICTURES = {b"\x89PNG\r\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp", b"GIF8": "image/gif"}
# Tiles of BD-09 are cut another way altogether.
SHIFTS, ZOOMS = DATUMS[:3], range(1, 23)
CODE = frozenset(string.ascii_lowercase + string.digits + "-_")


@dataclass(frozen=True)
class OnlineMap:
    """A base map of another host. urls: templates, the lowest first; key: never shown."""

    code: str
    name_zh: str
    urls: tuple[str, ...]
    name_en: str = ""
    subdomains: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    datum: str = "WGS84"
    max_zoom: int = 18
    attribution: str = ""

    def as_dict(self) -> Json:
        """Tell a page what it needs, without the key and the addresses."""
        told = ("code", "name_zh", "name_en", "datum", "max_zoom", "attribution")
        return {name: getattr(self, name) for name in told} | {"layers": len(self.urls)}

    def address(self, layer: int, tile: Tile) -> str:
        """Fill a template."""
        host = self.subdomains[(tile.x + tile.y) % len(self.subdomains)] if self.subdomains else ""
        return self.urls[layer].format(z=tile.z, x=tile.x, y=tile.y, s=host, key=self.key)

    def folder(self, layer: int) -> str:
        """Name where tiles are kept: for another address it is another."""
        return f"{self.code}-{hashlib.sha256(self.urls[layer].encode()).hexdigest()[:12]}"


class NoDetour(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead anywhere."""

    def redirect_request(self, *_: object) -> None:
        """Refuse it."""


def setup(settings: Settings) -> dict[str, OnlineMap]:
    """Read the file of a city's online maps; raise Problems with everything that is wrong in it."""
    if settings.base_maps is None:
        return {}
    try:
        content = tomllib.loads(settings.base_maps.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("online.unreadable", path=settings.base_maps, reason=str(error)) from error
    problems: list[ShaotuError] = []
    rows = content.get("map", [])
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise Invalid("online.unreadable", path=settings.base_maps, reason="[[map]]")
    read = [found for nth, row in enumerate(rows, 1) if (found := _read(nth, row, problems))]
    problems += [Invalid("online.twice", code=code) for code in _twice([each.code for each in read])]
    if problems:
        raise Problems(problems)
    return {each.code: each for each in read}


def listed() -> list[Json]:
    """List the maps a page may offer."""
    return [each.as_dict() for each in _maps().values()]


@pages.get("/<code>/<int:layer>/<tile:tile>")
@auth.require()
def tile(code: str, layer: int, tile: Tile) -> Response:
    """Answer with a tile of a listed map: a kept one, or fetched now."""
    found = _maps().get(code)
    if found is None or layer >= len(found.urls) or tile.z > found.max_zoom:
        raise NotFound("online.no_tile", code=code[:40])
    path = tiles.kept_under(FOLDER) / found.folder(layer) / f"{tile.z}" / f"{tile.x}" / f"{tile.y}"
    picture = _kept(path)
    if picture is None:
        picture = fetch(found.address(layer, tile), code)
        tiles.keep(path, picture)
    response = Response(picture, mimetype=_mimetype(picture))
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


def fetch(url: str, code: str) -> bytes:
    """Fetch a picture; raise Unavailable where the other host gives none."""
    asked = urllib.request.Request(url, headers={"User-Agent": "shaotu", "Accept": "image/*"})  # noqa: S310 -- checked at start
    try:
        with urllib.request.build_opener(NoDetour).open(asked, timeout=TIMEOUT_S) as answer:
            picture = _whole(answer)
    except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        # the address holds a key: it is told to nobody
        raise Unavailable("online.unreachable", code=code, reason=type(error).__name__) from None
    if len(picture) > TILE_BYTES_MOST or not _mimetype(picture):
        raise Unavailable("online.no_picture", code=code)
    return picture


def _whole(answer: http.client.HTTPResponse) -> bytes:
    """Read an answer in pieces: the host's time is that of all of it, and one that breaks off is none."""
    ends, announced, picture = time.monotonic() + TIMEOUT_S, answer.length or 0, b""
    while len(picture) <= TILE_BYTES_MOST and (piece := answer.read1(PIECE_BYTES)):
        picture += piece
        if time.monotonic() > ends:
            raise TimeoutError
    if len(picture) < min(announced, TILE_BYTES_MOST):
        raise http.client.IncompleteRead(b"")
    return picture


def forget(root: Path) -> None:
    """Remove the tiles that are too old to be shown."""
    oldest = time.time() - KEPT_S
    for path in (root / FOLDER).rglob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _maps() -> dict[str, OnlineMap]:
    maps: dict[str, OnlineMap] = current_app.extensions["online"]
    return maps


def _kept(path: Path) -> bytes | None:
    try:
        if path.stat().st_mtime < time.time() - KEPT_S:
            return None
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _mimetype(picture: bytes) -> str:
    return next((kind for start, kind in PICTURES.items() if picture.startswith(start)), "")


def _read(nth: int, row: Mapping[str, Any], problems: list[ShaotuError]) -> OnlineMap | None:
    wrong = list(_wrong(nth, row))
    problems += wrong
    if wrong:
        return None
    lists = {name: tuple(row[name]) for name in ("urls", "subdomains") if name in row}
    return OnlineMap(**(dict(row) | lists))


def _wrong(nth: int, row: Mapping[str, Any]) -> Iterator[ShaotuError]:
    """Say everything that is wrong with one map of the file."""
    known = {each.name for each in fields(OnlineMap)}
    for name in sorted(set(row) - known):
        yield Invalid("online.unknown", row=nth, name=name, known=", ".join(sorted(known)))
    for name in ("code", "name_zh", "urls"):
        if not row.get(name):
            yield Invalid("online.missing", row=nth, name=name)
    if set(str(row.get("code", ""))) - CODE:
        yield Invalid("online.bad_code", row=nth, code=row["code"])
    if row.get("datum", "WGS84") not in SHIFTS:
        yield Invalid("online.bad_datum", row=nth, datum=row["datum"], known=", ".join(SHIFTS))
    if row.get("max_zoom", 18) not in ZOOMS:
        yield Invalid("online.bad_zoom", row=nth, zoom=row["max_zoom"])
    yield from _wrong_urls(nth, row)


def _wrong_urls(nth: int, row: Mapping[str, Any]) -> Iterator[ShaotuError]:
    for name in ("urls", "subdomains"):
        if not isinstance(row.get(name, []), list):
            yield Invalid("online.no_list", row=nth, name=name)
    urls = row.get("urls")
    for url in urls if isinstance(urls, list) else []:
        if reason := _reason_against(str(url), row):
            yield Invalid("online.bad_url", row=nth, url=str(url)[:120], reason=reason)


def _reason_against(url: str, row: Mapping[str, Any]) -> str:
    """Say why a template will not do; empty: it will."""
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(url) if name is not None}
        parts = urlsplit(url)
        host = {name for _, name, _, _ in string.Formatter().parse(parts.netloc) if name is not None}
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        return "http:// or https:// and a host"
    if named - PLACES or NEEDED - named or host - {"s"}:
        return "{z} {x} {y}; {s} {key}"
    if ("s" in named) != bool(row.get("subdomains")) or ("key" in named and not row.get("key")):
        return "subdomains, key"
    return ""


def _twice(codes: list[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})
