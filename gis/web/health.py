"""/healthz: the process is up. /readyz: the database answers, has the right shape, and stands on some ground."""

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gis import db

blueprint = Blueprint("health", __name__)
ACTIVE = "SELECT EXISTS (SELECT 1 FROM edition WHERE state = 'active')"


@blueprint.get("/healthz")
def is_up() -> Response:
    """Answer at all."""
    return jsonify(status="up")


@blueprint.get("/readyz")
def is_ready() -> tuple[Response, int]:
    """Say for each thing the product stands on whether it is there; 503 unless all are."""
    checks = _checks()
    ready = all(checks.values())
    return jsonify(status="ready" if ready else "not ready", checks=checks), 200 if ready else 503


def _checks() -> dict[str, bool]:
    checks = {"database": False, "migrated": False, "edition": False}
    try:
        with db.session(current_app.extensions["engine"], db.NOTHING) as session:
            checks["database"] = session.scalar(text("SELECT 1")) == 1
            checks["migrated"] = db.is_migrated(session)
            checks["edition"] = checks["migrated"] and bool(session.scalar(text(ACTIVE)))
    except SQLAlchemyError as error:
        if db.foreseen(error) is None:
            raise
    return checks
