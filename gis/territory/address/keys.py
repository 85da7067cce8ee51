"""The one form two spellings of the same address share: what the address table is looked up by."""

import re

from gis.territory.address import normal, words

_SIGNS = re.compile(r"[.,'’`´\"()]")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)$")


def text_key(street_name: str, house_number: str, estate_name: str = "", building_number: str = "") -> str:
    """Return the key of an address: `street|number`, or `estate#building` where it has no house number.

    Spelling does not count: W 45th St is West 45 Street, 文一路12号 is 文1路|12.
    """
    if street_name and house_number:
        return f"{street(street_name)}|{number(house_number)}"
    if estate_name and building_number:
        return f"{estate(estate_name)}#{number(building_number)}"
    return f"{street(street_name)}|{number(house_number)}" if street_name else estate(estate_name)


def street(name: str) -> str:
    """Return the key of a street's name."""
    plain = normal.text(name)
    if normal.is_chinese(plain):
        return normal.digits(plain.replace(" ", ""))
    return " ".join(_latin(_SIGNS.sub(" ", plain.lower()).split()))


def estate(name: str) -> str:
    """Return the key of an estate's name."""
    plain = normal.text(name)
    return normal.digits(plain.replace(" ", "")) if normal.is_chinese(plain) else plain.lower()


def number(said: str) -> str:
    """Return the key of a house or building number: 第12号楼 is 12, 168 1/2 is 168+1/2, 12a is 12A."""
    plain = normal.digits(normal.text(said)).strip()
    plain = re.sub(r"^第|(?:号楼|号|幢|栋|座|楼|\#|弄)$", "", plain)
    plain = re.sub(r"\s+(?=\d+/\d)", "+", plain)
    return re.sub(r"\s*-\s*", "-", re.sub(r"\s+(?=[A-Z])", "", plain))


def _latin(tokens: list[str]) -> list[str]:
    if not tokens:
        return tokens
    spelled = [_spelled(token) for token in tokens]
    last = len(spelled) - 1
    for at, token in enumerate(spelled):
        if token in ("st", "saint"):
            spelled[at] = "saint" if at < last and not _is_direction(spelled[at + 1], at + 1 == last) else "street"
        elif token in words.DIRECTIONS and at in (0, last) and spelled[0] != "avenue" and last > 0:
            spelled[at] = words.DIRECTIONS[token]
    return spelled


def _is_direction(token: str, last: bool) -> bool:
    return last and (token in words.DIRECTIONS or token in words.DIRECTIONS.values())


def _spelled(token: str) -> str:
    token = _ORDINAL.sub("", token)
    if token.isdigit():
        return token.lstrip("0") or "0"
    return words.ORDINALS.get(token) or words.STREET_TYPES.get(token, token)
