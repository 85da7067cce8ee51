"""Addresses in Latin script: house number before the street, parts between commas."""

import re
from typing import Any

from gis.territory.address import words
from gis.territory.address.parts import Address, Relation

_NUMBER = (
    r"(?P<number>\d+[A-Za-z]?(?:-\d+[A-Za-z]?)?(?:\s+\d/\d)?(?:(?:\s*[;/]\s*|,\s*(?=\d+[ ,]))\d+[A-Za-z]?)*"
    r"(?:\s+REAR(?:-[A-Z])?|\s[A-DF-MO-RT-VX-Z](?=\s+(?:\w+\s+)+\w*$))?)"
)
_HOUSE = re.compile(rf"^{_NUMBER}\s+(?P<road>\S.*)$", re.IGNORECASE)
_LONE = ("broadway", "bowery")
_NOT_LAST = {"fort", "ft", "mount", "mt"}
_TYPES = "|".join(sorted({*words.STREET_TYPES, "st", *_LONE} - _NOT_LAST, key=len, reverse=True))
_ROAD_WORD = r"(?:\d+(?:st|nd|rd|th)?|[A-Z][\w.'’-]*)"
_ROAD = (
    rf"(?:(?:{_ROAD_WORD}\s+){{0,4}}(?:{_TYPES})\b\.?(?:\s+(?:of the \w+|[NSEW]|North|South|East|West)\b)?"
    rf"|Avenue\s+(?:of\s+the\s+\w+|[A-Z]\b))"
)
_WITHIN = re.compile(rf"\b{_NUMBER}\s+(?P<road>{_ROAD})", re.IGNORECASE)
_BARE_ROAD = re.compile(rf"\b(?P<road>{_ROAD})", re.IGNORECASE)
_SIDE = r"(?:[NSEW]|North|South|East|West)"
_ONLY_TYPE = re.compile(rf"^(?!{'|'.join(_LONE)})(?:{_TYPES})\.?(?:\s+{_SIDE})?$", re.IGNORECASE)
_JOIN = re.compile(r"\s*(?:&|\band\b|\bat\b|@|\bx\b)\s*", re.IGNORECASE)
_CORNER = re.compile(r"^.*?\b(?:corner|intersection|junction|crossing)\s+of\s+", re.IGNORECASE)
_PARTS = (
    ("room", r"(?:\b(?:apt|apartment|unit|suite|ste|room|rm)\b\.?\s*#?|#)\s*([\w-]+)"),
    ("floor", r"\b(?:(?:floor|fl)\.?\s*(\d+)|(\d+)(?:st|nd|rd|th)?\s*(?:floor|fl)\b\.?)"),
    ("building", r"\b(?:building|bldg)\b\.?\s*#?(\w{1,4})\b"),
)
_REGION = re.compile(r"^(?:[A-Z]{2}\s*)?\d{5}(?:-\d{4})?$|^[A-Z]{2}$|^USA?$")
_NEAR = re.compile(
    r"\b(?:(?P<far>\d+(?:\.\d+)?)\s*(?P<scale>m|metres?|meters?|ft|feet|km)\s+)?"
    r"(?P<words>opposite|across from|next to|in front of|behind|beside|near|close to"
    r"|(?P<way>north-?east|north-?west|south-?east|south-?west|north|south|east|west)(?:\s+side)?\s+of)\s+",
    re.IGNORECASE,
)
_POINTS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_WAYS = {point: 45 * nth for nth, point in enumerate(_POINTS)}
_SCALE_M = {"m": 1.0, "f": 0.3048, "k": 1000.0}
_LIVES = re.compile(
    r"^.*?\b(?:(?:I|we)\s+live\s+(?:at|on|in)\s+|(?:my|our|home)\s+(?:home\s+)?address\s*(?:is|:)\s*)", re.IGNORECASE
)


def address(plain: str) -> Address:
    """Return the address of a normalised Latin text; clauses that say where the reporter lives become `home`."""
    clauses = [clause for clause in re.split(r"[;.!?]\s+|\n", plain) if clause.strip()]
    homes = [clause for clause in clauses if _LIVES.match(clause)]
    rest = ". ".join(clause for clause in clauses if not _LIVES.match(clause))
    home = _read(_LIVES.sub("", homes[0])) if homes else None
    return _read(rest, home, plain)


def _read(said: str, home: Address | None = None, whole: str | None = None) -> Address:
    rest, inside = _inside(said)
    rest, relation = _beside(rest)
    segments = [segment.strip() for segment in rest.split(",") if segment.strip()]
    place = _place(segments)
    city = next((s for s in segments[1:] if not _REGION.match(s) and not any(c.isdigit() for c in s)), None)
    return Address(whole or said, city=city, relation=relation, home=home, **{**inside, **place})


def _inside(said: str) -> tuple[str, dict[str, str]]:
    """Take floor, room and building out of the text."""
    found: dict[str, str] = {}
    for part, pattern in _PARTS:
        match = re.search(pattern, said, re.IGNORECASE)
        # A number that stands first is the house number, whatever follows it.
        if match and match.start() > 0:
            found[part] = next(group for group in match.groups() if group).upper()
            said = said[: match.start()].rstrip(" ,") + said[match.end() :]
    return said, found


def _beside(said: str) -> tuple[str, Relation | None]:
    match = _NEAR.search(said)
    if not match:
        return said, None
    way = match["way"] and _WAYS[match["way"].lower().replace("-", "")]
    far = float(match["far"]) * _SCALE_M[match["scale"][0].lower()] if match["far"] else None
    return said[match.end() :], Relation(match["words"], None if way is None else float(way), far)


def _place(segments: list[str]) -> dict[str, Any]:
    """Read the first segment that names a house, a crossing or a road."""
    for segment in segments:
        found = _house(segment) or _crossing(segment) or _within(segment)
        if found:
            return found
    return {"names": (segments[0],)} if segments and not _REGION.match(segments[0]) else {}


def _house(segment: str) -> dict[str, Any] | None:
    match = _HOUSE.match(segment)
    if not match or _ONLY_TYPE.match(match["road"]) or _is_crossing(segment):
        return None
    return {"number": match["number"].upper(), "roads": (match["road"],)}


def _is_crossing(segment: str) -> bool:
    sides = _JOIN.split(_CORNER.sub("", segment))
    return len(sides) == 2 and all(_BARE_ROAD.fullmatch(side.strip()) for side in sides)


def _crossing(segment: str) -> dict[str, Any] | None:
    if not _is_crossing(segment):
        return None
    first, second = (side.strip() for side in _JOIN.split(_CORNER.sub("", segment)))
    return {"roads": (first, second), "crossing": (first, second)}


def _within(segment: str) -> dict[str, Any] | None:
    """Find a house number or a road inside a sentence."""
    match = _WITHIN.search(segment)
    if match and not _ONLY_TYPE.match(match["road"]):
        return {"number": match["number"].upper(), "roads": (match["road"],)}
    roads = [found["road"] for found in _BARE_ROAD.finditer(segment)]
    if len(roads) == 2 and _JOIN.fullmatch(segment[segment.index(roads[0]) + len(roads[0]) : segment.index(roads[1])]):
        return {"roads": tuple(roads), "crossing": (roads[0], roads[1])}
    return {"roads": tuple(roads)} if roads else None
