"""Programs at their door: each with its key, reports to send, and answers to read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from gis import db
from gis.people import accounts
from gis.people.accounts import Newcomer
from tests import town
from tests.issues import filed

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
PATCH = ("governance", "grid", "990101001001001")


class Program:
    """A client that brings a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}

    def get(self, path: str, **query: object) -> TestResponse:
        return self._client.get(f"/api/v1{path}", query_string=query, headers=self._headers)

    def post(self, path: str, said: object = None, **more: Any) -> TestResponse:
        body = more or {"data": said if isinstance(said, str | bytes) else json.dumps(said or {})}
        return self._client.post(f"/api/v1{path}", headers=self._headers, **body)


@pytest.fixture
def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["engine"]
    with db.session(engine, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        session.commit()
    return engine


@pytest.fixture
def program(app: Flask, engine_of: Engine) -> Callable[[str], Program]:
    def of(role: str) -> Program:
        with db.session(engine_of, db.EVERYTHING) as session:
            accounts.add(session, Newcomer(role, "a long password", role, role), now=LONG_AGO)
            if role == "leader":
                accounts.give_post(session, role, PATCH, start=date(2024, 1, 1))
            key = accounts.issue_token(session, role, "test", now=LONG_AGO)
            session.commit()
        return Program(app.test_client(), key)

    return of


@pytest.fixture
def operator(program: Callable[[str], Program]) -> Program:
    return program("operator")


def report(external_id: str = "1", x: float = 0.25, y: float = 0.25, **changes: Any) -> dict[str, Any]:
    lon, lat = town.lonlat(x, y)
    said = {
        "source": "12345",
        "external_id": external_id,
        "category": {"scheme": "gb", "version": "1", "code": "0501"},
        "text": "井盖破损",
        "reported_at": "2024-05-06T10:00:00+08:00",
        "place": {"lon": lon, "lat": lat},
        "reporter": {"name": "王芳", "phone": "13812345678"},
    }
    return said | changes


def photo(side: int = 30) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(written, "PNG")
    return written.getvalue()


def form(said: dict[str, Any], *files: tuple[bytes, str]) -> dict[str, Any]:
    photos = [(io.BytesIO(content), name) for content, name in files]
    return {"data": {"report": json.dumps(said), "photos": photos}, "content_type": "multipart/form-data"}


def answer(response: TestResponse, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json(force=True)


def refusal(response: TestResponse, status: int = 400) -> str:
    error = answer(response, status)["error"]
    assert error["message"] not in ("", error["code"])
    code: str = error["code"]
    return code


def filed_as(operator: Program, **changes: Any) -> str:
    code: str = answer(operator.post("/issues", report(**changes)), 201)["code"]
    return code
