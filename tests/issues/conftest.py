"""What the tests of issues share."""

import pytest
from sqlalchemy.orm import Session

from tests.issues import filed


@pytest.fixture
def issue_id(session: Session) -> int:
    """Put one issue into the tables."""
    filed.people(session)
    return filed.issue(session, 1)
