"""The database gives the application little, and each session only what its scope allows."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope


def scope_seen(session: Session) -> str | None:
    return session.scalar(text("SELECT current_setting('shaotu.scope', true)"))


def test_the_application_acts_as_a_role_that_owns_nothing(session: Session) -> None:
    owned = text("SELECT count(*) FROM pg_class WHERE relowner = CAST('shaotu_app' AS regrole)")
    assert session.scalar(text("SELECT current_user")) == "shaotu_app"
    assert session.scalar(owned) == 0


def test_the_application_is_no_superuser_and_may_not_pass_over_row_level_security(session: Session) -> None:
    rights = session.execute(text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    assert rights.one() == (False, False, False)


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


def test_migrating_twice_changes_nothing(settings: db.Settings) -> None:
    owner = db.connect_owner(settings)
    db.migrate(owner)
    with owner.connect() as connection:
        before = connection.scalar(text("SELECT count(*) FROM pg_class"))
    db.migrate(owner)
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_class")) == before
    owner.dispose()


def test_a_box_query_may_use_its_index_under_row_level_security(session: Session) -> None:
    marked = text("SELECT proleakproof FROM pg_proc WHERE oid = CAST('geometry_overlaps(geometry,geometry)' AS regprocedure)")
    assert session.scalar(marked) is True


@pytest.mark.parametrize("url", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_a_users_address_is_given_our_driver(server: db.Settings, url: str) -> None:
    from dataclasses import replace

    assert db.address(replace(server, database_url=url)).render_as_string(hide_password=False) == "postgresql+psycopg2://u:p@h/d"
