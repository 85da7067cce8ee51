"""The database gives the application little, and each session only what its scope allows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Invalid
from gis.issues.tables import Issue, Source
from gis.settings import Settings

NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def scope_seen(session: Session) -> str | None:
    return session.scalar(text("SELECT current_setting('shaotu.scope', true)"))


def issue(code: str, unit: str, created_by: str | None = None) -> Issue:
    return Issue(
        code=code,
        source="hotline",
        external_id=code,
        scheme="s",
        scheme_version="1",
        category="1",
        text="",
        state="filed",
        reported_at=NOW,
        received_at=NOW,
        place={},
        located=True,
        flags=[],
        ground=[unit],
        departments=[],
        created_by=created_by,
    )


def test_the_application_acts_as_a_role_that_owns_nothing(session: Session) -> None:
    owned = text("SELECT count(*) FROM pg_class WHERE relowner = CAST('shaotu_app' AS regrole)")
    assert session.scalar(text("SELECT current_user")) == "shaotu_app"
    assert session.scalar(owned) == 0


def test_the_application_is_no_superuser_and_may_not_pass_over_row_level_security(session: Session) -> None:
    rights = text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
    assert session.execute(rights).one() == (False, False, False)


def test_resetting_the_role_does_not_give_the_owners_rights(session: Session) -> None:
    session.execute(text("RESET ROLE"))
    assert session.scalar(text("SELECT current_user")) == "shaotu_app"


def test_the_application_may_not_make_tables(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("CREATE TABLE mine (id integer)"))


def test_a_transaction_carries_the_scope_of_its_session(clean_db: Engine) -> None:
    scope = Scope(units=(("grid", "cell", "1"), ("grid", "cell", "2")), role="leader", username="li")
    with db.session(clean_db, scope) as session:
        assert scope_seen(session) == "grid:cell:1 grid:cell:2"
        assert session.scalar(text("SELECT current_setting('shaotu.account')")) == "li"


def test_the_scope_is_told_again_after_a_commit(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(text("SELECT 1"))
        session.commit()
        assert scope_seen(session) == "*"


def test_a_pooled_connection_does_not_keep_the_scope_of_its_last_user(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as first:
        process = first.scalar(text("SELECT pg_backend_pid()"))
        first.commit()
    with clean_db.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == process
        assert not connection.scalar(text("SELECT current_setting('shaotu.scope', true)"))


def test_a_session_without_scope_sees_nothing_of_the_ground(clean_db: Engine) -> None:
    with db.session(clean_db, db.NOTHING) as session:
        assert scope_seen(session) == ""


def test_what_is_not_committed_is_rolled_back(clean_db: Engine) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(text("CREATE TEMPORARY TABLE gone (id integer)"))
    with db.session(clean_db, db.EVERYTHING) as session:
        assert session.scalar(text("SELECT to_regclass('gone')")) is None


def test_a_migrated_database_has_the_shape_the_code_expects(session: Session) -> None:
    assert db.is_migrated(session)


def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    owner = db.connect_owner(settings)
    db.migrate(owner)
    with owner.connect() as connection:
        before = connection.scalar(text("SELECT count(*) FROM pg_class"))
    db.migrate(owner)
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_class")) == before
    owner.dispose()


def test_a_box_query_may_use_its_index_under_row_level_security(session: Session) -> None:
    overlaps = "CAST('geometry_overlaps(geometry,geometry)' AS regprocedure)"
    assert session.scalar(text(f"SELECT proleakproof FROM pg_proc WHERE oid = {overlaps}")) is True


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (db.EVERYTHING, {"ONE", "TWO"}),
        (db.NOTHING, set()),
        (Scope(units=(("governance", "grid", "1"),)), {"ONE"}),
        (Scope(units=(("governance", "grid", "3"),)), set()),
        # the same code in another net is another unit
        (Scope(units=(("unit_grid", "cell", "1"),)), set()),
        (Scope(units=(("governance", "grid", "1"), ("governance", "grid", "2"))), {"ONE", "TWO"}),
        # who filed it sees it, wherever it lies
        (Scope(username="li"), {"TWO"}),
    ],
)
def test_a_session_sees_the_issues_of_its_scope_only(clean_db: Engine, scope: Scope, seen: set[str]) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        session.add(Source(code="hotline", name_zh="热线", name_en="Hotline", datum="WGS84"))
        session.flush()
        session.add_all([issue("ONE", "governance:grid:1"), issue("TWO", "governance:grid:2", created_by="li")])
        session.commit()
    with db.session(clean_db, scope) as session:
        assert set(session.scalars(text("SELECT code FROM issue"))) == seen


def test_the_application_may_not_delete_an_issue(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("DELETE FROM issue"))


@pytest.mark.parametrize("table", ["entry", "finding", "decision", "seal"])
def test_the_application_may_not_rewrite_what_is_on_record(session: Session, table: str) -> None:
    changed = "entry_id = 1" if table == "seal" else "issue_id = 1"
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(f"UPDATE {table} SET {changed}"))


@pytest.mark.parametrize("url", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_a_users_address_is_given_our_driver(server: Settings, url: str) -> None:
    address = db.address(replace(server, database_url=url))
    assert address.render_as_string(hide_password=False) == "postgresql+psycopg2://u:p@h/d"


@pytest.mark.parametrize("words", ["a\0b", "half a pair \ud800"], ids=["NUL", "surrogate"])
def test_words_no_database_keeps_are_refused_and_are_no_fault_of_ours(session: Session, words: str) -> None:
    with pytest.raises(Invalid):
        session.execute(text("SELECT :words"), {"words": words})
    with pytest.raises(Invalid), db.driver_cursor(session) as cursor:
        cursor.execute("SELECT %s", (words,))
