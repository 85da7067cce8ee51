"""What a command stands on: the settings, and a session that sees everything and is committed at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis import settings as product
from gis.errors import Forbidden
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


def signer(session: Session, username: str) -> str:
    """Return the name of an account that may answer for a city's rules; raise NotFound or Forbidden."""
    account = accounts.get(session, username)
    if not account.active or account.role not in SIGNS:
        raise Forbidden("cli.may_not_sign", username=username, roles=", ".join(SIGNS))
    return account.username


def locale() -> str:
    """Name the language the commands speak."""
    return product.load().language
