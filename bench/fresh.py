"""A database of its own for a measurement, on the product's server, dropped afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from gis import db
from gis import settings as product
from gis.settings import Settings


@contextmanager
def settings(name: str) -> Iterator[Settings]:
    """Give settings of an installation with an empty, migrated database named after the measurement."""
    given = product.load()
    server = db.address(given).render_as_string(hide_password=False)
    drop(server, name)
    _administer(server, f"CREATE DATABASE {name}")
    own = replace(
        given,
        database_url=make_url(server).set(database=name).render_as_string(hide_password=False),
        var_dir=given.var_dir / name,
        time_zone="America/New_York",
    )
    _clear(own.var_dir)
    owner = db.connect_owner(own)
    db.migrate(owner)
    owner.dispose()
    try:
        yield own
    finally:
        drop(server, name)
        _clear(own.var_dir)


@contextmanager
def engine(of: Settings) -> Iterator[Engine]:
    """Connect to it as the application's role."""
    made = db.connect(of)
    try:
        yield made
    finally:
        made.dispose()


def drop(server: str, name: str) -> None:
    """Drop a database if it is there. FORCE would fail while autovacuum, which is nobody's, is at work in it."""
    owner = create_engine(server, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(END_CLIENTS), {"name": name})
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
    owner.dispose()


END_CLIENTS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'
"""


def _clear(folder: Path) -> None:
    """Empty the folder of a measurement; what was compiled for this processor stays."""
    for each in folder.glob("*"):
        if each.is_file():
            each.unlink()
        elif each.name != "compiled":
            shutil.rmtree(each)


def _administer(server: str, statement: str) -> None:
    owner = create_engine(server, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(statement))
    owner.dispose()
