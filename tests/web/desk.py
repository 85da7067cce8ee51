"""People at their desks: accounts, and clients that have signed in through the form."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.people import accounts
from gis.people.accounts import Newcomer
from tests import town
from tests.issues import filed, looped
from tests.issues.looped import Way

PASSWORD = "a long password"
PATCH = ("governance", "grid", "990101001001001")
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
ROLES = ("operator", "leader", "planner", "administrator", "clerk", "dispatcher", "shift_leader", "inspector")
# Nobody sits there.
SCREEN = "screen"
# Accounts of the two departments of `filed.people`, under the departments' codes.
DEPARTMENTS = ("cg", "sw")


def furnish(session: Session) -> None:
    """Put the town on the ground, name departments, and open an account for each role under the role's name."""
    town.build(session)
    filed.people(session)
    for role in (*ROLES, SCREEN):
        accounts.add(session, Newcomer(role, PASSWORD, f"{role} name", role), now=LONG_AGO)
    for code in DEPARTMENTS:
        accounts.add(session, Newcomer(code, PASSWORD, f"{code} name", "department", department=code), now=LONG_AGO)
    accounts.give_post(session, "leader", PATCH, start=date(2024, 1, 1))


def open_office(app: Flask) -> None:
    """Do that in the database of an application."""
    with db.session(app.extensions["engine"], db.EVERYTHING) as session:
        furnish(session)
        session.commit()


def across(session: Session, number: int) -> Way:
    """Put an issue across the line on the ground: `cg` leads, `sw` has to come, and `zf` may be called."""
    session.execute(
        text("""
        INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')
        ON CONFLICT DO NOTHING
        """)
    )
    return looped.across(session, number)


def csrf(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def signed_in(app: Flask, username: str = "operator") -> FlaskClient:
    """Sign in through the form."""
    client = app.test_client()
    form = {"username": username, "password": PASSWORD, "csrf_token": csrf(client)}
    assert client.post("/sign-in", data=form).status_code == 302
    return client


def hire(app: Flask, username: str, role: str = "operator") -> None:
    """Open one more account, for a test that will spoil it."""
    with db.session(app.extensions["engine"], db.EVERYTHING) as session:
        accounts.add(session, Newcomer(username, PASSWORD, username, role), now=LONG_AGO)
        session.commit()
