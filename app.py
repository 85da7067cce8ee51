"""The product: create_app() puts it together, `python app.py` runs all of it."""

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from gis import db, errors, language
from gis import settings as product
from gis.errors import Problems, ShaotuError
from gis.issues import rules
from gis.settings import Settings
from gis.web import (
    admin,
    agreements,
    api,
    atlas,
    auth,
    batch,
    call_backs,
    dossier,
    doubts,
    evaluation,
    grids,
    ground,
    headers,
    health,
    kept,
    ledger,
    live,
    moves,
    notices,
    online,
    operator,
    overlays,
    packing,
    papers,
    patch,
    planner,
    positions,
    public,
    serve,
    shell,
    shifts,
    sweeps,
    tasks,
    tiles,
    wall,
    whistles,
)

BLUEPRINTS = (
    health.blueprint,
    api.blueprint,
    ground.blueprint,
    batch.blueprint,
    live.blueprint,
    moves.blueprint,
    whistles.blueprint,
    notices.blueprint,
    operator.pages,
    atlas.pages,
    dossier.pages,
    doubts.blueprint,
    overlays.pages,
    positions.blueprint,
    agreements.pages,
    call_backs.pages,
    evaluation.pages,
    tiles.pages,
    online.pages,
    ledger.pages,
    sweeps.blueprint,
    shifts.pages,
    papers.pages,
    planner.pages,
    grids.pages,
    tasks.pages,
    patch.pages,
    shell.pages,
    public.pages,
    *admin.BLUEPRINTS,
    wall.pages,
)

STATUS: dict[type[ShaotuError], int] = {
    errors.NotFound: 404,
    errors.Invalid: 400,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.Unauthenticated: 401,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
# What the web framework itself refuses, in our words.
HTTP_CODES = {
    400: "error.invalid",
    401: "error.unauthenticated",
    403: "error.forbidden",
    404: "error.not_found",
    405: "error.method",
    413: "error.too_large",
    429: "error.too_many",
    503: "error.unavailable",
}
# What the made-up city has and an installation has not unless it says so.
DEMO = {"SHAOTU_PUBLIC_PAGE": "1"}
log = structlog.get_logger()


def create_app(settings: Settings | None = None) -> Flask:
    """Put the product together; raise Problems if a setting is wrong."""
    settings = settings or product.load()
    # A table that does not hold is told at start, not with the first move.
    rules.of_file(settings.workflow_rules)
    online_maps = online.setup(settings)
    configure_log(settings)
    app = Flask(__name__)
    app.secret_key = product.secret_key(settings)
    app.config["MAX_CONTENT_LENGTH"] = settings.request_limit_bytes
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["settings"] = settings
    app.extensions["online"] = online_maps
    app.extensions["engine"] = db.connect(settings)
    headers.install(app)
    packing.install(app)
    auth.setup(app)
    kept.install(app)
    live.setup(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(ShaotuError, refuse)
    app.register_error_handler(SQLAlchemyError, refuse_for_database)
    app.register_error_handler(HTTPException, refuse_for_http)
    app.register_error_handler(Exception, confess)
    return app


def refuse(error: ShaotuError) -> ResponseReturnValue:
    """Answer a foreseen error with its sentence; who has to sign in is led there."""
    if type(error) is errors.Unauthenticated and auth.may_be_led():
        return redirect(auth.way_in(), 303)
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if status >= 500:
        log.error("refused", code=error.code, params=_plain(error.params))
    return _answer(error, status)


def refuse_for_database(error: SQLAlchemyError) -> ResponseReturnValue:
    """Answer what the database may rightly say; anything else is a fault of ours."""
    known = db.foreseen(error)
    return refuse(known) if known else confess(error)


def refuse_for_http(error: HTTPException) -> ResponseReturnValue:
    """Answer what the framework refuses in the words and the form of our own errors."""
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error.get_response()
    limit_mb = round(current_app.extensions["settings"].request_limit_bytes / 1e6)
    response = _answer(ShaotuError(HTTP_CODES.get(status, "error.invalid"), limit_mb=limit_mb), status)
    response.headers.extend([(name, value) for name, value in error.get_headers() if name == "Allow"])
    return response


def confess(error: Exception) -> ResponseReturnValue:
    """Log a fault of the program with its trace, and tell its number and nothing else."""
    log.error("fault", exc_info=error)
    return _answer(ShaotuError("error.internal", request_id=g.get("request_id", "")), 500)


def _answer(error: ShaotuError, status: int) -> Response:
    message = _sayable(language.explain(error, auth.locale()))
    if _wants_json():
        response = jsonify(error=_as_json(error), request_id=g.get("request_id"))
    else:
        response = make_response(render_template("error.html", message=message, status=status))
    response.status_code = status
    if "retry_after_s" in error.params:
        response.headers["Retry-After"] = str(error.params["retry_after_s"])
    return response


def _as_json(error: ShaotuError) -> dict[str, object]:
    message = _sayable(language.explain(error, auth.locale()))
    said: dict[str, object] = {"code": error.code, "message": message, "params": _plain(error.params)}
    if isinstance(error, Problems):
        said["problems"] = [_as_json(problem) for problem in error.problems]
    return said


def _plain(params: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | None) else _sayable(str(value)) for name, value in params.items()
    }


def _sayable(words: str) -> str:
    """Say what came in so that it can go out: half a surrogate pair cannot be written as UTF-8."""
    return words.encode(errors="replace").decode()


def _wants_json() -> bool:
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def configure_log(settings: Settings) -> None:
    """Write the log as one line for each event: JSON for machines, or text for people."""
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run everything: database, migrations, the demo city if asked for, the server."""
    parser = argparse.ArgumentParser(description="Shaotu 哨图")
    parser.add_argument("--demo", action="store_true", help="with the made-up city and its day")
    asked = parser.parse_args()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        # without this the interpreter would leave at once, and the private cluster would stay
        signal.signal(sign, lambda *_: sys.exit(0))
    try:
        run(product.load(DEMO | os.environ if asked.demo else os.environ), demo=asked.demo)
    except ShaotuError as error:
        sys.exit(language.explain(error, Settings.language))
    except KeyboardInterrupt:
        sys.exit(130)


def run(settings: Settings, *, demo: bool) -> None:
    """Prepare the database and serve until asked to stop."""
    _check_port(settings)
    owner = db.connect_owner(settings)
    db.migrate(owner)
    owner.dispose()
    if demo and (failed := _gis("demo", "build").wait()):
        sys.exit(failed)
    with _beside("worker", "--starter", str(os.getpid())), _beside("demo", "live", wanted=demo):
        serve.run(settings, ready=lambda: print(_welcome(settings), flush=True))  # noqa: T201


def _check_port(settings: Settings) -> None:
    """Say it clearly if another program answers there; gunicorn would try for a while."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = {"host": settings.host, "port": settings.port}
            raise errors.Unavailable("serve.port_taken", **where, reason=error.strerror) from error


@contextmanager
def _beside(*command: str, wanted: bool = True) -> Iterator[None]:
    """Let a command go on beside the server, and end with it: the worker, the demo city's day."""
    # Ctrl-C is for us: we end it when the server has stopped. What it does is seen on the map, not here.
    alone = {"start_new_session": True, "stdout": subprocess.DEVNULL}
    process, beside = os.getpid(), _gis(*command, **alone) if wanted else None
    try:
        yield
    finally:
        # gunicorn's workers are forks and come through here too
        if beside and os.getpid() == process:
            beside.terminate()
            beside.wait()


def _gis(*arguments: str, **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
    return subprocess.Popen([sys.executable, "-m", "gis", *arguments], cwd=product.ROOT, **how)


def _welcome(settings: Settings) -> str:
    host = "localhost" if settings.host in {"127.0.0.1", "0.0.0.0"} else settings.host  # noqa: S104
    scheme = "https" if settings.tls_certificate else "http"
    return language.say("serve.ready", settings.language, url=f"{scheme}://{host}:{settings.port}/")


if __name__ == "__main__":
    main()
