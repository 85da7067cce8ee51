"""What a command stands on: the settings, and a session that sees everything and is committed at the end."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis import settings as product
from gis.errors import Forbidden
from gis.issues import journal
from gis.issues.journal import Line
from gis.people import accounts

# Who answers for what everybody's work goes by.
SIGNS = (accounts.ADMINISTRATOR, accounts.OPERATOR, accounts.SHIFT_LEADER)


@contextmanager
def cli_engine() -> Iterator[Engine]:
    """Open the database of the settings, migrated."""
    settings = product.load()
    db.migrate(db.connect_owner(settings))
    engine = db.connect(settings)
    yield engine
    engine.dispose()


@contextmanager
def cli_session() -> Iterator[Session]:
    """Open a session that sees everything; commit if the command ends well."""
    with cli_engine() as engine, db.session(engine, db.EVERYTHING) as session:
        yield session
        session.commit()


@contextmanager
def recorded(kind: str = journal.RULES_CHANGED) -> Iterator[Session]:
    """Do the same for a command that changes rules or accounts: it is put on record with its arguments."""
    with cli_session() as session:
        yield session
        context = click.get_current_context()
        if not DRY & {name for name, value in context.params.items() if value}:
            params = {"what": _said(context)}
            journal.append(session, Line(kind, None, params), by=getpass.getuser(), now=datetime.now(UTC))


# Options by which a command changes nothing; and what is written nowhere.
DRY, SECRET = frozenset({"dry_run", "check"}), frozenset({"password"})


def _said(context: click.Context) -> str:
    named = {name: value for name, value in context.params.items() if name not in SECRET and value not in (None, False)}
    return " ".join([context.command_path, *(f"{name}={value}" for name, value in named.items())])[:SAID_MOST]


SAID_MOST = 500


def signer(session: Session, username: str) -> str:
    """Return the name of an account that may answer for a city's rules; raise NotFound or Forbidden."""
    account = accounts.get(session, username)
    if not account.active or account.role not in SIGNS:
        raise Forbidden("cli.may_not_sign", username=username, roles=", ".join(SIGNS))
    return account.username


def locale() -> str:
    """Name the language the commands speak."""
    return product.load().language
