"""What a command stands on: the settings, and a session that sees everything and is committed at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis import settings as product


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


def locale() -> str:
    """Name the language the commands speak."""
    return product.load().language
