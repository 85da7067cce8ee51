"""The account of a wall: where it is led, how long it stays, and how little the database itself lets it do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from sqlalchemy import text
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.people import accounts, staff
from gis.people.accounts import Newcomer
from tests.web import desk

HOUR_S = 3600
WORDS, PHONE = "the words of somebody", "13812345678"
# What the wall is drawn from. Every other table with a policy is shut to a screen.
ON_THE_WALL = {"issue", "finding", "decision", "move", "clock", "entry"}
SCREEN = Scope(all=True, role="screen", username="screen", screen=True)


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Give the office an issue with the words, the name and the number of somebody."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        way = desk.across(session, 1)
        session.execute(
            text("UPDATE issue SET text = :words, reporter = CAST(:who AS jsonb) WHERE id = :id"),
            {"words": WORDS, "who": f'{{"name": "王芳", "phone": "{PHONE}"}}', "id": way.issue_id},
        )
        session.commit()
    return office


@pytest.fixture
def screen(office: Flask) -> FlaskClient:
    return desk.signed_in(office, desk.SCREEN)


@pytest.fixture
def eyes(office: Flask) -> Iterator[Session]:
    """Look at the database as a screen does."""
    with db.session(office.extensions["engine"], SCREEN) as session:
        yield session


def enter(client: FlaskClient, username: str, goal: str) -> str:
    form = {"username": username, "password": desk.PASSWORD, "csrf_token": desk.csrf(client), "next": goal}
    return client.post("/sign-in", data=form).headers["Location"]


class TestTheWayIn:
    @pytest.mark.parametrize("goal", ["", "/", "/ledger?stage=open", "/wall"])
    def test_signing_in_leads_to_the_wall(self, office: Flask, goal: str) -> None:
        assert enter(office.test_client(), desk.SCREEN, goal) == "/wall"

    def test_the_address_of_the_house_leads_to_the_wall(self, screen: FlaskClient) -> None:
        assert screen.get("/").headers["Location"] == "/wall"

    def test_an_address_that_is_none_is_none_for_a_screen_too(self, screen: FlaskClient) -> None:
        assert screen.get("/nowhere").status_code == 404

    def test_a_key_opens_no_more_than_the_screen_itself(self, office: Flask) -> None:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            key = accounts.issue_token(session, desk.SCREEN, "wall", now=desk.LONG_AGO)
            session.commit()
        asked = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        client = office.test_client()
        statuses = [client.get(path, headers=asked).status_code for path in ("/wall/figures", "/api/v1/issues")]
        assert statuses == [200, 403]

    def test_somebody_else_may_sign_in_where_a_screen_was(self, screen: FlaskClient) -> None:
        assert enter(screen, "operator", "/") == "/"
        assert screen.get("/ledger").status_code == 200

    def test_it_may_sign_out(self, screen: FlaskClient) -> None:
        screen.post("/sign-out", data={"csrf_token": desk.csrf(screen, "/wall")})
        assert screen.get("/wall").headers["Location"].startswith("/sign-in")


class TestWhatItIsTold:
    @pytest.mark.parametrize("path", ["/wall", "/wall/state", "/wall/figures"])
    def test_nobodys_words_name_and_number(self, screen: FlaskClient, path: str) -> None:
        told = screen.get(path).text
        assert [words for words in (WORDS, "王芳", PHONE) if words in told] == []

    def test_the_pins_of_what_is_open(self, screen: FlaskClient) -> None:
        told = screen.get("/wall/state").get_json()
        assert [pin["id"] for pin in told["located"]["pins"]] == ["990101000001"]
        assert told["ground"]["admin:district:990101"] == 1

    def test_the_numbers_lead_into_no_ledger(self, screen: FlaskClient) -> None:
        assert screen.get("/wall/figures").get_json()["ledgers"] == {}
        assert "/ledger" not in screen.get("/wall").text

    def test_its_menu_leads_nowhere_else(self, screen: FlaskClient) -> None:
        page = screen.get("/wall").text
        assert [door for door in ("/papers", "/evaluation", "/patch", "/admin") if f'"{door}"' in page] == []


class TestHowLongItStays:
    @pytest.mark.parametrize(("who", "hours", "stays"), [
        ("screen", 24 * 59, True), ("screen", 24 * 61, False), ("operator", 11, True), ("operator", 13, False),
    ])  # fmt: skip
    def test_a_pause_ends_a_session(
        self, office: Flask, monkeypatch: pytest.MonkeyPatch, who: str, hours: int, stays: bool
    ) -> None:
        client = desk.signed_in(office, who)
        with monkeypatch.context() as past:
            past.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) - hours * HOUR_S)
            client.get("/wall")
        assert ("/sign-in" not in client.get("/wall").headers.get("Location", "")) == stays

    def test_another_role_does_not_inherit_its_session(self, office: Flask) -> None:
        desk.hire(office, "promoted", "screen")
        client = desk.signed_in(office, "promoted")
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            staff.seat(session, "promoted", "administrator", None)
            session.commit()
        assert client.get("/").headers["Location"].startswith("/sign-in")


class TestTheDatabase:
    def test_every_table_with_a_policy_is_on_the_wall_or_shut_to_it(self, eyes: Session) -> None:
        held = eyes.scalars(text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'"))
        shut = eyes.scalars(
            text("SELECT tablename FROM pg_policies WHERE permissive = 'RESTRICTIVE' AND qual LIKE '%''screen''%'")
        )
        assert set(held) - set(shut) == ON_THE_WALL

    def test_a_screen_sees_the_issues(self, eyes: Session) -> None:
        assert eyes.scalar(text("SELECT count(*) FROM issue")) == 1

    def test_a_screen_sees_nothing_else_that_hangs_on_them(self, office: Flask, eyes: Session) -> None:
        parties = text("SELECT count(*) > 0 FROM party")
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            assert session.scalar(parties) is True
        assert eyes.scalar(parties) is False

    @pytest.mark.parametrize("words", [
        "UPDATE issue SET state = 'closed'",
        "UPDATE account SET role = 'administrator'",
        "INSERT INTO entry (kind, params, ground, actor, at) VALUES ('x', '{}', '{}', 'x', now())",
    ])  # fmt: skip
    def test_a_screen_writes_nothing(self, eyes: Session, words: str) -> None:
        with pytest.raises(InternalError, match="read-only transaction"):
            eyes.execute(text(words))

    def test_no_other_eyes_free_its_transaction(self, eyes: Session) -> None:
        eyes.execute(text("SELECT 1"))
        db.see_as(eyes, db.EVERYTHING)
        with pytest.raises(InternalError, match="read-only transaction"):
            eyes.execute(text("UPDATE issue SET state = 'closed'"))

    def test_the_next_user_of_its_connection_may_write(self, office: Flask) -> None:
        engine = office.extensions["engine"]
        with db.session(engine, SCREEN) as session:
            session.execute(text("SELECT 1"))
            session.commit()
        with db.session(engine, db.EVERYTHING) as session:
            session.execute(text("UPDATE account SET name = name"))

    def test_the_database_knows_the_role(self, office: Flask) -> None:
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            added = accounts.add(session, Newcomer("hall", desk.PASSWORD, "hall", "screen"), now=desk.LONG_AGO)
            assert accounts.scope_of(session, added, desk.LONG_AGO.date()).ground == "screen"
