"""A database of its own for every test run, and a clean state for every test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from bench import fresh
from gis import db
from gis import settings as product
from gis.settings import Settings
from gis.territory.index import edition as open_indexes

# No test asserts a time: a busy machine is no fault. The same cases every time, so that what was green stays so;
# `make test ARGS=--hypothesis-profile=searching` looks for new ones.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.register_profile("searching", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("house")

PREFIX = f"shaotu_test_{os.getpid()}"
numbers = count(1)
# Threads of the product may still hold connections when a test is over.
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
OUR_TABLES = """
SELECT quote_ident(tablename) FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'spatial_ref_sys')
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Name the server that holds the test databases: SHAOTU_TEST_DATABASE_URL, or the private cluster."""
    named = os.environ.get("SHAOTU_TEST_DATABASE_URL") or os.environ.get("SHAOTU_DATABASE_URL")
    given = product.load({**os.environ, "SHAOTU_DATABASE_URL": named or ""})
    url = db.address(given).render_as_string(hide_password=False)
    _drop_left_over(url)
    return replace(given, database_url=url, var_dir=tmp_path_factory.mktemp("var"), log_level="warning")


@pytest.fixture(scope="session")
def template(server: Settings) -> Iterator[str]:
    """Make one migrated database that the others are copied from."""
    name = f"{PREFIX}_template"
    _administer(server, f"CREATE DATABASE {name}")
    owner = db.connect_owner(_on(server, name))
    db.migrate(owner)
    owner.dispose()
    yield name
    fresh.drop(str(server.database_url), name)


@pytest.fixture(scope="session")
def engine(server: Settings, template: str) -> Iterator[Engine]:
    """Connect as the application's role to a database that every test leaves as it was."""
    with _copied(server, template) as settings:
        shared = db.connect(settings)
        yield shared
        shared.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Open a session that sees everything; its commits are savepoints, and all is rolled back."""
    with engine.connect() as connection:
        transaction = connection.begin()
        with db.ScopedSession(connection, scope=db.EVERYTHING, join_transaction_mode="create_savepoint") as opened:
            yield opened
        transaction.rollback()


@pytest.fixture(scope="session")
def emptied(server: Settings, template: str) -> Iterator[Settings]:
    """Name one database for the tests that commit; it is emptied after each of them."""
    with _copied(server, template) as settings:
        yield settings


@pytest.fixture
def settings(emptied: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Give settings of an installation of this test's own, with an empty migrated database."""
    yield replace(emptied, var_dir=tmp_path)
    _empty(emptied)


@pytest.fixture
def clean_db(settings: Settings) -> Iterator[Engine]:
    """Connect as the application's role to a database of this test's own: for commits and several connections."""
    own = db.connect(settings)
    yield own
    own.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Give the whole product on this test's own database."""
    from app import create_app

    made = create_app(settings)
    made.testing = True
    yield made
    made.extensions["live"].close()
    made.extensions["engine"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give somebody who has not signed in."""
    return app.test_client()


@contextmanager
def _copied(server: Settings, template: str) -> Iterator[Settings]:
    name = f"{PREFIX}_{next(numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _on(server, name)
    fresh.drop(str(server.database_url), name)


def _empty(settings: Settings) -> None:
    """Empty what the test filled; dropping a database instead would wait for the disk each time."""
    owner = db.connect_owner(settings)
    with owner.begin() as connection:
        connection.execute(text(END_OTHERS))
        tables = connection.scalars(text(OUR_TABLES)).all()
        filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
        if names := connection.scalars(text(filled)).all():
            connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
    # The next test's editions bear the numbers of this one's; a town has no digest to tell them apart.
    open_indexes._kept.clear()


def _on(server: Settings, name: str) -> Settings:
    url = make_url(str(server.database_url)).set(database=name)
    return replace(server, database_url=url.render_as_string(hide_password=False))


def _administer(server: Settings, statement: str) -> None:
    engine = create_engine(str(server.database_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _drop_left_over(url: str) -> None:
    """Drop the databases of test runs that were killed."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in connection.scalars(text("SELECT datname FROM pg_database WHERE datname ~ '^shaotu_test_[0-9]+_'")):
            if not Path("/proc", name.split("_")[2]).exists():
                fresh.drop(url, name)
    engine.dispose()
