"""The accounts as an administrator reads them: posts, last sign-in; and what is changed of one that is there."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid
from gis.people import accounts
from gis.people.tables import Department

PAGE_ROWS = 50
# No letter that is taken for another when it is read out.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_GROUPS, GROUP = 4, 4


@dataclass(frozen=True)
class Listed:
    """An account in the overview. posts: "net:level:code", those of today; seen_at: the last time it signed in."""

    username: str
    name: str
    role: str
    locale: str
    active: bool
    created_at: datetime
    closed_at: datetime | None
    department: str | None
    department_zh: str | None
    department_en: str | None
    posts: tuple[str, ...]
    seen_at: datetime | None


def find(session: Session, words: str = "", *, on: date, page: int = 1) -> list[Listed]:
    """List a page of accounts, those that are open first; words: part of a name, a role or a department."""
    return [_listed(row) for row in session.execute(_FIND, _asked(words, on, page)).mappings()]


def names_of(session: Session, posts: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name the units and areas of posts in Chinese and English; what has no name is left out."""
    found = session.execute(_NAMES, {"posts": [*posts]})
    return {row.post: (row.name, row.name_en or row.name) for row in found if row.name}


def get(session: Session, username: str, *, on: date) -> Listed:
    """Return one; raise NotFound."""
    accounts.get(session, username)
    return _listed(session.execute(_ONE, _asked("", on, 1) | {"username": username}).mappings().one())


def count(session: Session, words: str = "") -> int:
    """Count what `find` lists on all pages."""
    return int(session.execute(_COUNT, {"words": _pattern(words)}).scalar_one())


def reopen(session: Session, username: str) -> None:
    """Open an account again that was closed; raise NotFound, Conflict if it is open."""
    account = accounts.get(session, username)
    if account.active:
        raise Conflict("account.open_already", username=username)
    account.active, account.closed_at = True, None
    session.flush()


def seat(session: Session, username: str, role: str, department: str | None) -> None:
    """Give an account another role, and the department it acts for; it holds from its next request on.

    Raise NotFound; raise Invalid if the role is none, or lacks its department.
    """
    account = accounts.get(session, username)
    if role not in accounts.ROLES:
        raise Invalid("account.unknown_role", role=role, roles=", ".join(accounts.ROLES))
    if role == accounts.DEPARTMENT and not department:
        raise Invalid("account.department_missing", username=username)
    if department and session.get(Department, department) is None:
        raise Invalid("account.department_unknown", department=department)
    account.role, account.department = role, department or None
    session.flush()


def draw_password() -> str:
    """Draw a password that can be read out over a telephone; about eighty bits."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(PASSWORD_GROUPS))
    return "-".join(groups)


def _asked(words: str, on: date, page: int) -> dict[str, Any]:
    return {"words": _pattern(words), "on": on, "limit": PAGE_ROWS, "offset": (page - 1) * PAGE_ROWS}


def _pattern(words: str) -> str:
    """Write words as part of a pattern, its own signs taken as letters."""
    plain = words.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{plain}%"


def _listed(row: Any) -> Listed:  # noqa: ANN401 -- a row of the overview
    return Listed(**(dict(row) | {"posts": tuple(row["posts"])}))


_NAMES = text("""
SELECT post, coalesce(unit.name, area.name) AS name, coalesce(unit.name_en, area.name_en) AS name_en
FROM unnest(CAST(:posts AS text[])) AS post
LEFT JOIN LATERAL (
    SELECT name, name_en FROM unit WHERE net = split_part(post, ':', 1) AND level = split_part(post, ':', 2)
        AND code = split_part(post, ':', 3) ORDER BY edition_id DESC LIMIT 1) AS unit ON true
LEFT JOIN responsibility_area area ON split_part(post, ':', 1) = 'area' AND area.id::text = split_part(post, ':', 3)
""")
_MATCHING = """
    account.username ILIKE :words OR account.name ILIKE :words OR account.role ILIKE :words
    OR account.department ILIKE :words OR department.name_zh ILIKE :words
"""
_OVERVIEW = """
SELECT account.username, account.name, account.role, account.locale, account.active, account.created_at,
       account.closed_at, account.department, department.name_zh AS department_zh, department.name_en AS department_en,
       ARRAY(SELECT net || ':' || level || ':' || unit_code FROM post WHERE account_id = account.id
             AND valid_from <= :on AND (valid_to IS NULL OR valid_to > :on) ORDER BY post.id) AS posts,
       (SELECT max(at) FROM sign_in WHERE sign_in.username = account.username AND succeeded) AS seen_at
FROM account LEFT JOIN department ON department.code = account.department
"""
_FIND = text(f"""
{_OVERVIEW} WHERE {_MATCHING} ORDER BY account.active DESC, account.role, account.username LIMIT :limit OFFSET :offset
""")
_ONE = text(f"{_OVERVIEW} WHERE account.username = :username")
_COUNT = text(f"""
SELECT count(*) FROM account LEFT JOIN department ON department.code = account.department WHERE {_MATCHING}
""")
