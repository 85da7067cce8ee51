"""An issue with a life whose every line is sealed, and what an intruder does to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import audit, journal
from tests.issues import looped
from tests.issues.looped import CG, INSPECTOR, NOW, SW, Way

DONE = {"done": "已清理，联系人王五"}
HERE = {"position": {"lon": 120.51, "lat": 30.255}}


@pytest.fixture
def way(clean_db: Engine) -> Iterator[Way]:
    """Give an issue with a life: filed, signed, arrived, handled, inspected, all of it sealed."""
    with db.session(clean_db, db.EVERYTHING) as session:
        looped.people(session)
        made = looped.across(session, reporter='{"name": "王五", "phone": "13800000000"}', text="王五家门口")
        journal.append(session, journal.Line("filed", made.issue_id, {"basis": "x"}), by="gis", now=NOW)
        session.commit()
        for move in (
            ("sign", CG),
            ("arrive", CG, HERE),
            ("sign", SW),
            ("feed_back", CG, DONE),
            ("feed_back", SW, DONE),
        ):
            made.make(*move)
            session.commit()
        made.make("pass", INSPECTOR)
        session.commit()
        seal(session)
        yield made


def seal(session: Session) -> None:
    while journal.seal(session):
        session.commit()
    session.commit()


def faults(engine: Engine, parts: int = 1) -> list[str]:
    """Verify, and name what was found."""
    with db.session(engine, db.EVERYTHING) as session:
        found = [fault for span in audit.spans(session, parts) for fault in audit.held(session, span)]
        return [fault.code for fault in [*found, *audit.unbound(session), *audit.aside(session)]]


def tamper(owner: Engine, *statements: str) -> None:
    with owner.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
