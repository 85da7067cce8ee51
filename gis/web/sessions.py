"""Sessions in a signed cookie: each ends when nobody used it for a while, that of a screen after a longer one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.wrappers import Request
from itsdangerous import BadSignature


class Sessions(SecureCookieSessionInterface):
    """Flask's own, with two spans: the application's, and one for walls, which may be off over a holiday."""

    def __init__(self, of_screens: timedelta) -> None:
        self._of_screens = of_screens

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; a session that has ended, or was never ours, is an empty one."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        try:
            told, at = serializer.loads(request.cookies.get(self.get_cookie_name(app), ""), return_timestamp=True)
        except BadSignature:
            return self.session_class()
        opened = self.session_class(told)
        return opened if datetime.now(UTC) - at <= self._span(app, opened) else self.session_class()

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        """Say when a browser may forget it."""
        return datetime.now(UTC) + self._span(app, session) if session.permanent else None

    def _span(self, app: Flask, session: SessionMixin) -> timedelta:
        return self._of_screens if session.get("screen") else app.permanent_session_lifetime
