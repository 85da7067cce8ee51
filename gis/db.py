"""The way to the database: an engine that may do little, sessions that know whose they are, and migrations."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import psycopg2
import psycopg2.extensions
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, CursorResult, DateTime, Engine, Text, create_engine, event, make_url, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.pool import NullPool

from gis import cluster
from gis.errors import Invalid, ShaotuError, Unavailable
from gis.settings import ROOT, Settings

APP_ROLE = "shaotu_app"
EXTENSIONS = ("postgis", "pg_trgm", "btree_gist")
# Under row-level security only functions marked leakproof may use an index. Comparing two boxes, or two lists of
# words, says nothing about a row that the asker did not already put into the question.
LEAKPROOF = (
    "geometry_overlaps(geometry, geometry)", "arrayoverlap(anyarray, anyarray)", "arraycontains(anyarray, anyarray)",
)  # fmt: skip
# one number for "migrating", so that two starters do not migrate at once
MIGRATION_LOCK = 0x5AA0
INSUFFICIENT_PRIVILEGE = "42501"
# A driver's sentence may repeat all that was said.
REASON_MOST = 200
log = structlog.get_logger()


class Base(DeclarativeBase):
    """What every table inherits: text without length, times with their zone."""

    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}  # noqa: RUF012


@dataclass(frozen=True)
class Scope:
    """Whose eyes a session has: everything, or the issues on these units (net, level, code) or of this department."""

    all: bool = False
    units: tuple[tuple[str, str, str], ...] = ()
    role: str = ""
    username: str = ""
    department: str = ""

    @property
    def ground(self) -> str:
        """Write the ground as the database's policies read it: * or net:level:code, separated by spaces."""
        return "*" if self.all else " ".join(":".join(unit) for unit in self.units)


EVERYTHING = Scope(all=True, role="system")
NOTHING = Scope()


class ScopedSession(Session):
    """A session whose every transaction tells the database whose it is."""

    def __init__(self, *arguments: object, scope: Scope = NOTHING, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.info["scope"] = scope


@event.listens_for(ScopedSession, "after_begin")
def _apply_scope(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    scope: Scope = session.info["scope"]
    connection.execute(_SCOPED, _told(scope))


def see_as(session: Session, scope: Scope) -> None:
    """Give a session other eyes: for the rest of its transaction, and for those that follow."""
    session.info["scope"] = scope
    session.execute(_SCOPED, _told(scope))


def _told(scope: Scope) -> dict[str, str]:
    return {"ground": scope.ground, "account": scope.username, "department": scope.department}


# Local to the transaction: a pooled connection never carries it to the next user.
_SCOPED = text("""
SELECT set_config('shaotu.scope', :ground, true), set_config('shaotu.account', :account, true),
       set_config('shaotu.department', :department, true)
""")


@contextmanager
def session(engine: Engine, scope: Scope) -> Iterator[Session]:
    """Open a session with this scope; what is not committed inside is rolled back."""
    with ScopedSession(engine, scope=scope) as opened:
        yield opened


def connect(settings: Settings) -> Engine:
    """Return an engine that acts as the application's role; start the private cluster if no server is named."""
    engine = create_engine(
        address(settings),
        pool_pre_ping=True,
        pool_size=20,
        max_overflow=40,
        pool_timeout=10,
        connect_args={"options": f"-c role={APP_ROLE} -c timezone=UTC", "application_name": "shaotu"},
        # a session tells by this where the files of its installation are
        execution_options={"var_dir": settings.var_dir},
    )
    event.listen(engine, "handle_error", _refuse_unwritable)
    return engine


def connect_owner(settings: Settings) -> Engine:
    """Return an engine that acts as the owner of the tables: for migrations only."""
    return create_engine(address(settings), poolclass=NullPool, connect_args={"application_name": "shaotu-owner"})


def address(settings: Settings) -> URL:
    """Name the database, with the driver we use whatever the user wrote."""
    return make_url(settings.database_url or cluster.use(settings).url).set(drivername="postgresql+psycopg2")


@contextmanager
def driver_cursor(session: Session) -> Iterator[psycopg2.extensions.cursor]:
    """Give the driver's own cursor in the session's transaction, for COPY; its errors come as the session's do."""
    cursor = cast("psycopg2.extensions.cursor", session.connection().connection.cursor())
    with cursor:
        try:
            yield cursor
        except ValueError as error:
            _check_writable(error)
            raise
        except psycopg2.Error as error:
            gone = cursor.connection.closed != 0
            raise DBAPIError.instance(None, None, error, psycopg2.Error, connection_invalidated=gone) from error


def _refuse_unwritable(context: ExceptionContext) -> None:
    _check_writable(context.original_exception)


def _check_writable(error: BaseException) -> None:
    """Raise Invalid for words no database keeps: NUL, and half a surrogate pair. The driver calls both our fault."""
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, ValueError) and "NUL" in str(error)):
        raise Invalid("database.refused", reason=str(error)[:REASON_MOST]) from error


class Prepared:
    """A statement that the server plans once for each connection.

    Row-level policies make plans dear: to plan the few statements of a move cost more than to run them. Values are
    named :like_this; the server has to see their types, by a column or a CAST.
    """

    def __init__(self, sql: str) -> None:
        self._names = tuple(dict.fromkeys(NAMED.findall(sql)))
        self._sql = NAMED.sub(lambda found: f"${self._names.index(found[1]) + 1}", sql)
        self._key = f"shaotu_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
        self._call = f"EXECUTE {self._key} ({', '.join(['%s'] * len(self._names))})"

    def run(self, session: Session, params: Mapping[str, Any]) -> CursorResult[Any]:
        """Run it in the session's transaction."""
        connection = session.connection()
        known: set[str] = connection.info.setdefault("prepared", set())
        if self._key not in known:
            connection.exec_driver_sql(f"PREPARE {self._key} AS {self._sql.replace('%', '%%')}")
            known.add(self._key)
        return connection.exec_driver_sql(self._call, tuple(params[name] for name in self._names))


# Two colons are a cast.
NAMED = re.compile(r"(?<!:):([a-z_]\w*)")


def foreseen(error: SQLAlchemyError) -> ShaotuError | None:
    """Turn what the database may rightly answer into an error of ours; None for a fault of the program."""
    reason = str(getattr(error, "orig", None) or error).strip()
    if isinstance(error, DataError):
        return Invalid("database.refused", reason=reason)
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    if gone or isinstance(error, OperationalError | PoolTimeout):
        return Unavailable("database.unreachable", reason=reason)
    return None


def migrate(engine: Engine) -> None:
    """Bring an owner's database to the newest shape; raise Unavailable if it may not be prepared."""
    prepare(engine)
    config = _alembic()
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


def is_migrated(session: Session) -> bool:
    """Say whether the database has the shape this code expects."""
    if not session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
        return False
    found = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    return set(found) == set(ScriptDirectory.from_config(_alembic()).get_heads())


def prepare(engine: Engine) -> None:
    """Do what needs more than an owner's rights: extensions, the application's role, leakproof marks."""
    try:
        with _strongest(engine).connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            owner = engine.url.username or connection.scalar(text("SELECT current_user"))
            for statement in _missing(connection, str(owner)):
                _allow(connection, statement)
    except OperationalError as error:
        raise Unavailable("database.unreachable", reason=str(error.orig).strip()) from error


def _strongest(engine: Engine) -> Engine:
    """Return the engine itself, or the superuser's in a private cluster."""
    if engine.url.username != cluster.OWNER:
        return engine
    return create_engine(engine.url.set(username=cluster.SUPERUSER), poolclass=NullPool)


def _missing(connection: Connection, owner: str) -> Iterator[str]:
    have = set(connection.scalars(text("SELECT extname FROM pg_extension")))
    yield from (f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS if name not in have)
    if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE}):
        yield f"CREATE ROLE {APP_ROLE} NOLOGIN"
    member = text("SELECT pg_has_role(:owner, :role, 'MEMBER WITH ADMIN OPTION')")
    if not connection.scalar(member, {"owner": owner, "role": APP_ROLE}):
        yield f'GRANT {APP_ROLE} TO "{owner}" WITH ADMIN OPTION'
    marked = text("SELECT proleakproof FROM pg_proc WHERE oid = to_regprocedure(:name)")
    yield from (
        f"ALTER FUNCTION {name} LEAKPROOF"
        for name in LEAKPROOF
        if connection.scalar(marked, {"name": name.replace(" ", "")}) is False
    )


def _allow(connection: Connection, statement: str) -> None:
    """Run one statement; without the right to, only a leakproof mark may be left out: it costs speed alone."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
            raise
        if not statement.endswith("LEAKPROOF"):
            reason = str(error.orig).strip()
            raise Unavailable("database.may_not_prepare", reason=reason, sql=statement) from error
        log.warning("index unused under row-level security", mend=statement)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(ROOT, "migrations")).replace("%", "%%"))
    return config
