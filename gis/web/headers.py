"""What every request and answer carries: a number to find it by, and orders for the browser."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, current_app, g, request

REQUEST_ID = re.compile(r"[\w.-]{1,64}")
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
}
log = structlog.get_logger("request")


def install(app: Flask) -> None:
    """Give the application its request numbers, headers and request log."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.context_processor(_for_templates)


def _begin() -> None:
    offered = request.headers.get("X-Request-ID", "")
    # a number from outside goes into logs and headers: only a plain one is taken over
    g.request_id = offered if REQUEST_ID.fullmatch(offered) else secrets.token_hex(8)
    g.csp_nonce = secrets.token_urlsafe(16)
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    if "request_id" not in g:  # refused before it began
        return response
    response.headers["X-Request-ID"] = g.request_id
    response.headers.update(FIXED)
    response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=g.csp_nonce))
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if current_app.extensions["settings"].https_only:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    log.info(
        "request",
        method=request.method,
        # what a link opens is nobody's business who reads a log
        path=str(request.url_rule) if "token" in (request.view_args or {}) else request.path,
        status=response.status_code,
        took_ms=round((time.perf_counter() - g.began) * 1000, 1),
    )
    return response


def _for_templates() -> dict[str, object]:
    return {"csp_nonce": g.get("csp_nonce")}
