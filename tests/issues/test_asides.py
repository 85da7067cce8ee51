"""Whistles, errands and consultations: rows that change, held against the last line of the journal about them."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gis import db
from gis.issues import audit, escalations
from gis.people.accounts import Who
from gis.settings import ROOT
from tests.issues import called
from tests.issues.called import CALLER, CITY_CENTRE, DONE
from tests.issues.looped import CG, CLERK, NOW, SW, Way
from tests.issues.sealed import faults, seal, tamper

MIGRATION = ROOT / "migrations" / "versions" / "0008_loop_ends.py"
LEADS = Who(1, "chief", "chief", "shift_leader", "zh", db.EVERYTHING, "")
ADMINISTERS = Who(2, "root", "root", "administrator", "zh", db.EVERYTHING, "")


@pytest.fixture
def beside(clean_db: Engine) -> Iterator[Way]:
    """Give an issue with a whistle that was reviewed, an order that was carried out, a consultation, a record."""
    with db.session(clean_db, db.EVERYTHING) as session:
        called.town_of_callers(session)
        made = called.across(session)
        made.after(
            ("make_safe", CLERK, {"reason": "x"}), ("made_safe", called.JD, called.HERE | called.DONE),
            ("convene", CITY_CENTRE, {"reason": "x"}), ("conclude", CITY_CENTRE, {"minutes": "x", "document": "1"}),
            ("ask_line", CITY_CENTRE, {"reason": "x"}),
            ("confirm_line", called.MZ_WEST, {"result": "on_line", "document": "1"}),
            ("blow", CALLER, called.whistle("cg")), ("escalate_whistle", called.WEST_CENTRE, {"reason": "x"}),
            ("accept_whistle", CITY_CENTRE, {"item": "W09"}), ("report_in", CG, called.REPORT),
            ("sign", SW), ("record_jointly", SW, {"found": "x"}), ("feed_back", CG, DONE),
            ("feed_back", SW, DONE), ("agree_whistle", CALLER),
            ("review_whistle", CALLER, {"scores": {"cg": 60}}),
        )  # fmt: skip
        session.commit()
        seal(session)
        yield made


@pytest.mark.usefixtures("beside")
def test_what_only_moves_changed_holds(owner: Engine) -> None:
    assert faults(owner) == []


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE whistle SET state = 'withdrawn'",
        "UPDATE whistle SET departments = '{cg,zf}'",
        "UPDATE whistle SET ended_at = ended_at - interval '1 hour'",
        "UPDATE whistle_review SET score = 100 WHERE department = 'cg'",
        "DELETE FROM whistle_review",
        "UPDATE errand SET done_at = due_at",
        "UPDATE consultation SET lead = 'sw'",
        "DELETE FROM consultation",
        "UPDATE joint_signature SET department = 'zf'",
        "UPDATE line_confirmation SET result = 'admin:district:990101'",
        """INSERT INTO consultation (issue_id, number, reason, by, at, due_at)
        SELECT id, 9, 'x', 'x', now(), now() FROM issue""",
    ],
)
def test_what_was_changed_past_the_loop_is_found(owner: Engine, statement: str) -> None:
    tamper(owner, statement)
    assert faults(owner) == ["audit.aside_altered"]


@pytest.mark.usefixtures("beside")
def test_the_table_is_named_and_the_issue(owner: Engine, clean_db: Engine) -> None:
    tamper(owner, "UPDATE whistle SET state = 'withdrawn'")
    with db.session(clean_db, db.EVERYTHING) as session:
        assert [fault.params for fault in audit.aside(session)] == [{"code": "990101000001", "tables": "whistle"}]


def test_an_order_that_is_told_to_be_late_holds(beside: Way, owner: Engine) -> None:
    beside.in_state("handling").make("make_safe", CLERK, {"reason": "x", "department": "zf"})
    late = beside.now + timedelta(days=1)
    for each in escalations.due(beside.session, late):
        escalations.hand_on(beside.session, each, late, beside.loop)
    beside.session.commit()
    seal(beside.session)
    assert faults(owner) == []


def test_words_that_were_erased_by_law_break_nothing(beside: Way, owner: Engine) -> None:
    with db.session(owner, db.EVERYTHING) as session:
        audit.ask_erasure(session, beside.code, "PIPL 47", by=LEADS, now=NOW)
        audit.erase(session, beside.code, by=ADMINISTERS, now=NOW)
        session.commit()
        seal(session)
    assert faults(owner) == []


def test_what_was_there_before_is_bound_by_the_migration(clean_db: Engine, owner: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        called.town_of_callers(session)
        called.across(session).after(
            ("convene", CITY_CENTRE, {"reason": "x"}), ("blow", CALLER, called.whistle("cg")),
            ("accept_whistle", CITY_CENTRE, {"item": "W09"}), ("make_safe", CLERK, {"reason": "x"}),
            ("ask_line", CITY_CENTRE, {"reason": "x"}),
            ("confirm_line", called.MZ_WEST, {"result": "on_line", "document": "1"}),
        )  # fmt: skip
        session.commit()
    # As lines were before the migration.
    tamper(owner, "UPDATE entry SET params = params - 'beside'")
    with db.session(clean_db, db.EVERYTHING) as session:
        before = [fault.code for fault in audit.aside(session)]
    tamper(owner, runpy.run_path(str(MIGRATION))["BOUND"])
    with db.session(clean_db, db.EVERYTHING) as session:
        seal(session)
    assert (before, faults(owner)) == (["audit.aside_altered"], [])
