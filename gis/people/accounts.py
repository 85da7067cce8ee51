"""Users, roles and scopes: who may sign in, how often, and whose eyes the database gives them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from math import ceil

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from gis.db import Scope
from gis.errors import Conflict, Invalid, NotFound, TooMany
from gis.people import areas
from gis.people.tables import Account, Department, Post, SignIn, Token

OPERATOR, LEADER, PLANNER, ADMINISTRATOR = "operator", "leader", "planner", "administrator"
# The seats of the loop: take in, dispatch, answer for the shift, inspect on the spot, handle.
CLERK, DISPATCHER, SHIFT_LEADER, INSPECTOR, DEPARTMENT = (
    "clerk", "dispatcher", "shift_leader", "inspector", "department",
)  # fmt: skip
# Who blows whistles for a unit and answers those of the units below it: a subdistrict's platform, a community's.
CALLER = "caller"
# A wall that nobody watches over: it shows the city and does nothing.
SCREEN = "screen"
ROLES = (
    OPERATOR, LEADER, PLANNER, ADMINISTRATOR, CLERK, DISPATCHER, SHIFT_LEADER, INSPECTOR, DEPARTMENT, CALLER, SCREEN,
)  # fmt: skip
# They see their posts' units and nothing else.
BOUND = (LEADER, CALLER)
# They see the whole city; the others of the loop may be bound to units by their posts.
CITY_WIDE = (OPERATOR, PLANNER, ADMINISTRATOR, SCREEN)
PASSWORD_MIN = 10
# Wrong attempts that cost nothing: people mistype; an address may be a whole office behind one door.
FREE_PER_USERNAME, FREE_PER_ADDRESS = 4, 40
MEMORY = timedelta(hours=1)
LONGEST_WAIT_S = 900
_hasher = PasswordHasher()


@dataclass(frozen=True)
class Who:
    """Somebody who signed in, with the scope of today."""

    id: int
    username: str
    name: str
    role: str
    locale: str
    scope: Scope
    # changes with the password, so that a new password ends the sessions of the old one
    stamp: str
    department: str | None = None


@dataclass(frozen=True)
class Newcomer:
    """What is needed to open an account."""

    username: str
    password: str
    name: str
    role: str
    locale: str = "zh"
    department: str | None = None


def add(session: Session, newcomer: Newcomer, *, now: datetime) -> Account:
    """Create an account; raise Conflict if the name is taken, Invalid if the role or the password will not do."""
    if newcomer.role not in ROLES:
        raise Invalid("account.unknown_role", role=newcomer.role, roles=", ".join(ROLES))
    _check_department(session, newcomer)
    if find(session, newcomer.username):
        raise Conflict("account.exists", username=newcomer.username)
    account = Account(
        username=newcomer.username,
        password_hash=_hashed(newcomer.password),
        name=newcomer.name,
        role=newcomer.role,
        locale=newcomer.locale,
        active=True,
        created_at=now,
        department=newcomer.department,
    )
    session.add(account)
    session.flush()
    return account


def find(session: Session, username: str) -> Account | None:
    """Look an account up by the name used to sign in."""
    return session.scalar(select(Account).where(Account.username == username))


def get(session: Session, username: str) -> Account:
    """Return an account or raise NotFound."""
    account = find(session, username)
    if account is None:
        raise NotFound("account.unknown", username=username)
    return account


def set_password(session: Session, username: str, password: str) -> None:
    """Give an account a new password; its open sessions end."""
    get(session, username).password_hash = _hashed(password)


def close(session: Session, username: str, *, now: datetime) -> None:
    """Close an account: it opens nothing any more, and its name stays where it stands. Raise Conflict if it is."""
    account = get(session, username)
    if not account.active:
        at = account.closed_at.isoformat(timespec="minutes") if account.closed_at else "—"
        raise Conflict("account.closed_already", username=username, at=at)
    account.active, account.closed_at = False, now
    session.flush()


def give_post(session: Session, username: str, unit: tuple[str, str, str], *, start: date) -> Post:
    """Make an account answer for a unit (net, level, code) from a date on."""
    net, level, code = unit
    post = Post(account_id=get(session, username).id, net=net, level=level, unit_code=code, valid_from=start)
    session.add(post)
    session.flush()
    return post


def end_post(session: Session, username: str, unit: tuple[str, str, str], *, end: date) -> None:
    """End an account's post from a date on; raise NotFound if it does not hold it."""
    net, level, code = unit
    held = (Post.net == net, Post.level == level, Post.unit_code == code, Post.valid_to.is_(None))
    mine = Post.account_id == get(session, username).id
    if not session.scalars(update(Post).where(mine, *held).values(valid_to=end).returning(Post.id)).all():
        raise NotFound("account.no_post", username=username, unit=":".join(unit))


def verify(session: Session, username: str, password: str, *, address: str, now: datetime) -> Account | None:
    """Check a password and note the attempt; None when it is wrong. Raise TooMany when somebody is guessing.

    The caller commits also when the answer is None, so that a refused attempt counts.
    """
    # One attempt at a time for each name: a hundred at once would all see the same count.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": username})
    wait_s = max(_wait_for_name_s(session, username, now), _wait_for_address_s(session, address, now))
    if wait_s > 0:
        raise TooMany("account.wait", retry_after_s=wait_s)
    account = find(session, username)
    right = _matches(account.password_hash if account else _nobodys_hash(), password)
    welcome = account if right and account and account.active else None
    session.add(SignIn(username=username, address=address, succeeded=welcome is not None, at=now))
    session.flush()
    if welcome and _hasher.check_needs_rehash(welcome.password_hash):
        welcome.password_hash = _hasher.hash(password)
    return welcome


def recall(session: Session, account_id: int, *, on: date) -> Who | None:
    """Return who an account is today; None when it was closed."""
    account = session.get(Account, account_id)
    return who(session, account, on) if account and account.active else None


def who(session: Session, account: Account, on: date) -> Who:
    """Put together what a request needs to know about an account."""
    stamp = hashlib.sha256(account.password_hash.encode()).hexdigest()[:16]
    scope = scope_of(session, account, on)
    return Who(
        account.id, account.username, account.name, account.role, account.locale, scope, stamp, account.department
    )


def scope_of(session: Session, account: Account, on: date) -> Scope:
    """Return what an account may see on a day.

    A screen: the whole city, to read what a wall shows. A department's account: the issues its department is called
    to. Leaders and callers: their posts' units. The other seats of the loop: their posts' units too, or everything when
    they hold none.
    """
    everything = Scope(all=True, role=account.role, username=account.username, screen=account.role == SCREEN)
    if account.role == DEPARTMENT:
        return replace(everything, all=False, department=account.department or "")
    if account.role in CITY_WIDE:
        return everything
    held = (Post.account_id == account.id, Post.valid_from <= on, (Post.valid_to.is_(None)) | (Post.valid_to > on))
    asked = select(Post.net, Post.level, Post.unit_code).where(*held).order_by(Post.id)
    held_posts = session.execute(asked).tuples().all()
    if not held_posts and account.role not in BOUND:
        return everything
    units = tuple(post for post in held_posts if post[0] != areas.NET)
    lines = [int(code) for net, _, code in held_posts if net == areas.NET and code.isdigit()]
    # A line is seen as the cells it runs through.
    return replace(everything, all=False, units=units + (areas.cells(session, lines, on) if lines else ()))


def issue_token(session: Session, username: str, name: str, *, now: datetime) -> str:
    """Make a key for a program; only its hash is kept, so this is the one time it is seen."""
    key = "shaotu_" + secrets.token_urlsafe(32)
    account = get(session, username)
    session.add(Token(account_id=account.id, name=name, sha256=_fingerprint(key), created_at=now))
    session.flush()
    return key


def revoke_token(session: Session, username: str, name: str, *, now: datetime) -> int:
    """Take a program's keys of this name back; return how many."""
    open_ones = (Token.account_id == get(session, username).id, Token.name == name, Token.revoked_at.is_(None))
    revoked = session.scalars(update(Token).where(*open_ones).values(revoked_at=now).returning(Token.id)).all()
    if not revoked:
        raise NotFound("account.no_token", username=username, name=name)
    return len(revoked)


def of_token(session: Session, key: str, *, on: date) -> Who | None:
    """Return whose key this is."""
    known = select(Account).join(Token, Token.account_id == Account.id)
    account = session.scalar(known.where(Token.sha256 == _fingerprint(key), Token.revoked_at.is_(None)))
    return who(session, account, on) if account and account.active else None


def _check_department(session: Session, newcomer: Newcomer) -> None:
    if newcomer.role == DEPARTMENT and not newcomer.department:
        raise Invalid("account.department_missing", username=newcomer.username)
    if newcomer.department and session.get(Department, newcomer.department) is None:
        raise Invalid("account.department_unknown", department=newcomer.department)


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _hashed(password: str) -> str:
    if len(password) < PASSWORD_MIN:
        raise Invalid("account.short_password", least=PASSWORD_MIN)
    return _hasher.hash(password)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    # An unknown name must take as long to refuse as a known one.
    return _hasher.hash(secrets.token_hex())


def _wait_for_name_s(session: Session, username: str, now: datetime) -> int:
    """Return the seconds a name has to wait: its failures since it last succeeded count."""
    mine = (SignIn.username == username, SignIn.at > now - MEMORY)
    succeeded = select(func.max(SignIn.at)).where(*mine, SignIn.succeeded).scalar_subquery()
    failed = (*mine, ~SignIn.succeeded, SignIn.at > func.coalesce(succeeded, now - MEMORY))
    return _left_s(session, failed, FREE_PER_USERNAME, now)


def _wait_for_address_s(session: Session, address: str, now: datetime) -> int:
    """Return the seconds an address has to wait; a success does not clear it, or one account would let one guess on."""
    failed = (SignIn.address == address, SignIn.at > now - MEMORY, ~SignIn.succeeded)
    return _left_s(session, failed, FREE_PER_ADDRESS, now)


def _left_s(session: Session, failed: tuple[ColumnElement[bool], ...], free: int, now: datetime) -> int:
    """Return what is left of the pause after the last failure: doubled by each one beyond the free ones."""
    count, last = session.execute(select(func.count(), func.max(SignIn.at)).where(*failed)).one()
    if count <= free:
        return 0
    pause_s = min(2 ** (count - free), LONGEST_WAIT_S)
    return max(0, ceil(pause_s - (now - last).total_seconds()))
