"""A database of its own for a measurement, on the product's server, dropped afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine, create_engine, make_url, text

from gis import db
from gis import settings as product
from gis.settings import Settings


@contextmanager
def settings(name: str) -> Iterator[Settings]:
    """Give settings of an installation with an empty, migrated database named after the measurement."""
    given = product.load()
    server = db.address(given).render_as_string(hide_password=False)
    _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _administer(server, f"CREATE DATABASE {name}")
    own = replace(
        given,
        database_url=make_url(server).set(database=name).render_as_string(hide_password=False),
        var_dir=given.var_dir / name,
        time_zone="America/New_York",
    )
    owner = db.connect_owner(own)
    db.migrate(owner)
    owner.dispose()
    try:
        yield own
    finally:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def engine(of: Settings) -> Iterator[Engine]:
    """Connect to it as the application's role."""
    made = db.connect(of)
    try:
        yield made
    finally:
        made.dispose()


def _administer(server: str, statement: str) -> None:
    owner = create_engine(server, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(statement))
    owner.dispose()
