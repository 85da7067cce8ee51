"""Where the reporter lives, told apart from where the thing is."""

import re

from gis.territory.address import words

_CLAUSE = re.compile(r"[,.;!?。]+")
_LIVES = re.compile(
    rf"(?:{'|'.join(sorted(words.HOME, key=len, reverse=True))})(?:地址)?[在于:是为]*"
)
_IS_PLACE = re.compile("|".join(sorted(words.HOME_IS_PLACE, key=len, reverse=True)))


def parted(plain: str) -> tuple[str, str]:
    """Return the text without the clauses that say where the reporter lives, and the home they name ("" for none)."""
    clauses = [clause for clause in _CLAUSE.split(plain) if clause]
    homes = [(clause, match) for clause in clauses if (match := _LIVES.search(clause))]
    if not homes:
        return plain, ""
    rest = ",".join(clause for clause in clauses if not _LIVES.search(clause))
    clause, match = homes[0]
    return rest, clause[match.end() :]


def is_meant(rest: str) -> bool:
    """Return whether the rest of the text places the thing at the reporter's home (我家门口, 本小区, 楼下)."""
    return _IS_PLACE.search(rest) is not None
