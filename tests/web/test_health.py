"""The product says how it is, numbers its requests, and refuses in the reader's words."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from gis import db, errors
from gis.settings import Settings


def told(answer: TestResponse) -> dict[str, Any]:
    assert isinstance(answer.json, dict)
    return answer.json


def test_a_running_process_is_up(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "up"}


def test_a_database_without_ground_is_not_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert told(answer)["checks"] == {"database": True, "migrated": True, "edition": False}


def test_a_database_that_is_gone_is_told_and_not_a_fault(settings: Settings) -> None:
    from app import create_app

    gone = create_app(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none"))
    answer = gone.test_client().get("/readyz")
    assert answer.status_code == 503
    assert told(answer)["checks"]["database"] is False


def test_a_database_that_goes_in_mid_page_gives_a_sentence(app: Flask, settings: Settings) -> None:
    @app.get("/api/lost")
    def lost() -> str:
        with app.extensions["engine"].connect() as connection:
            process = connection.scalar(text("SELECT pg_backend_pid()"))
            with db.connect_owner(settings).connect() as owner:
                owner.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
            return str(connection.scalar(text("SELECT 1")))

    answer = app.test_client().get("/api/lost")
    assert answer.status_code == 503
    assert told(answer)["error"]["code"] == "database.unreachable"


def test_an_answer_carries_the_number_of_its_request(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"


def test_a_number_that_could_forge_a_log_line_is_replaced(client: FlaskClient) -> None:
    assert " " not in client.get("/healthz", headers={"X-Request-ID": "a b{}"}).headers["X-Request-ID"]


def test_pages_are_not_stored_by_the_browser(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"


def test_the_policy_allows_no_script_without_its_nonce(client: FlaskClient) -> None:
    first, second = (client.get("/healthz").headers["Content-Security-Policy"] for _ in range(2))
    assert "script-src 'self' 'nonce-" in first
    assert first != second


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound(), 404),
        (errors.Invalid(), 400),
        (errors.Conflict(), 409),
        (errors.Forbidden(), 403),
        (errors.Unauthenticated(), 401),
        (errors.TooMany(retry_after_s=7), 429),
        (errors.Unavailable(), 503),
    ],
)
def test_an_error_has_its_status_and_its_code(app: Flask, error: errors.ShaotuError, status: int) -> None:
    @app.get("/api/failing")
    def failing() -> str:
        raise error

    answer = app.test_client().get("/api/failing")
    assert (answer.status_code, told(answer)["error"]["code"]) == (status, error.code)


def test_every_kind_of_error_has_a_status() -> None:
    from app import STATUS

    assert all(any(issubclass(kind, known) for known in STATUS) for kind in errors.ShaotuError.__subclasses__())


def test_an_error_is_told_in_the_readers_language(client: FlaskClient) -> None:
    answers = [client.get("/api/no-such", headers={"Accept-Language": tag}) for tag in ("zh-CN", "en")]
    assert tuple(told(answer)["error"]["message"] for answer in answers) == ("没有找到。", "Not found.")


def test_a_person_gets_a_page_and_a_program_gets_json(client: FlaskClient) -> None:
    assert client.get("/no-such", headers={"Accept": "text/html"}).mimetype == "text/html"
    assert client.get("/no-such", headers={"Accept": "application/json"}).mimetype == "application/json"


def test_a_fault_of_the_program_tells_its_number_and_nothing_else(app: Flask) -> None:
    @app.get("/api/broken")
    def broken() -> str:
        raise RuntimeError("secret detail")

    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/api/broken", headers={"X-Request-ID": "n1"})
    assert answer.status_code == 500
    assert told(answer)["error"]["params"] == {"request_id": "n1"}
    assert "secret" not in answer.get_data(as_text=True)


def test_a_body_over_the_limit_is_refused_with_the_limit(settings: Settings) -> None:
    from app import create_app

    small = create_app(replace(settings, request_limit_bytes=1_000_000)).test_client()
    answer = small.post("/sign-in", data={"username": "x" * 1_100_000}, headers={"Accept-Language": "en"})
    assert answer.status_code == 413
    assert "limit is 1 MB" in answer.get_data(as_text=True)
