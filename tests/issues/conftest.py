"""What the tests of issues share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis.settings import Settings
from tests.issues import filed


@pytest.fixture
def issue_id(session: Session) -> int:
    """Put one issue into the tables."""
    filed.people(session)
    return filed.issue(session, 1)


@pytest.fixture
def owner(settings: Settings) -> Iterator[Engine]:
    """Connect as whoever owns the tables: what an intruder with all rights could do."""
    engine = db.connect_owner(settings)
    yield engine
    engine.dispose()
