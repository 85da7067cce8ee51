"""Sign-in, sessions and scope: who asks, in which language, and which rows the database shows them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from gis import db, language
from gis.errors import Forbidden, ShaotuError, TooMany, Unauthenticated
from gis.issues import journal
from gis.people import accounts
from gis.people.accounts import Who
from gis.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

# Whose work is on the street, and the page they have on a telephone.
OUTDOORS, TELEPHONE = (accounts.LEADER, accounts.INSPECTOR, accounts.DEPARTMENT), "/patch"
# Where a planner's work begins: at the ranking, and not at what comes in.
PLANNERS = "/borders"

# Forms that visitors send; whoever sends another one had signed in when it was opened.
OF_VISITORS = ("auth.sign_in", "call_backs.answer", "public.")

pages = Blueprint("auth", __name__)
csrf = CSRFProtect()


def setup(app: Flask) -> None:
    """Make every request know who asks; the app has its engine and settings in `extensions`."""
    given: Settings = app.extensions["settings"]
    app.config.update(
        # our own check: programs that bring a key have no cookie to forge with
        WTF_CSRF_CHECK_DEFAULT=False,
        # a token lives as long as the session it belongs to
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=given.https_only,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=given.session_hours),
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=given.https_only,
        SESSION_COOKIE_NAME="shaotu",
    )
    csrf.init_app(app)
    app.before_request(_recognise)
    app.after_request(_remember_language)
    app.teardown_request(_close)
    app.register_blueprint(pages)
    app.jinja_env.globals.update(say=say, visitor=visitor, page_locale=locale)


def session() -> Session:
    """Return this request's database session, with the scope of who asks; the view commits once."""
    if "session" not in g:
        g.session = db.ScopedSession(current_app.extensions["engine"], scope=db.NOTHING)
    return cast(Session, g.session)


def visitor() -> Who | None:
    """Return who asks, or None."""
    return cast("Who | None", g.get("who"))


def current() -> Who:
    """Return who asks; raise Unauthenticated if nobody signed in."""
    who = visitor()
    if who is None:
        raise Unauthenticated
    return who


def require(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be asked only by these roles; without a role, by anybody who signed in."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if roles and current().role not in roles:
                raise Forbidden
            current()
            return view(*args, **kwargs)

        return guarded

    return guard


def locale() -> str:
    """Return the reader's language: asked for now, remembered, the account's, the browser's, the installation's."""
    who = visitor()
    for wanted in (request.args.get("lang"), request.cookies.get("lang"), who and who.locale):
        if wanted in language.LOCALES:
            return wanted
    return language.choose(list(request.accept_languages.values()), settings().language)


def say(code: str, /, **params: object) -> str:
    """Say a code in the reader's language."""
    return language.say(code, locale(), **params)


def settings() -> Settings:
    """Return the settings of this installation."""
    return cast(Settings, current_app.extensions["settings"])


def today() -> date:
    """Return the date of the city, which is not the date of UTC in its morning."""
    return datetime.now(ZoneInfo(settings().time_zone)).date()


def may_be_led() -> bool:
    """Say whether a browser opens a page: a script or a program is told, and goes nowhere."""
    # scripts may ask for HTML too, and over plain http no other header tells them from the browser itself
    return "application/xhtml+xml" in request.headers.get("Accept", "") and "Authorization" not in request.headers


def way_in() -> str:
    """Return the address of the sign-in, and after it of the page that was asked for, or whose form was sent."""
    if request.method == "GET":
        return url_for("auth.sign_in_page", next=request.full_path.rstrip("?"))
    came = urlsplit(request.referrer or "/")
    shown = shown_at(came.path)
    return url_for("auth.sign_in_page", next=f"{shown}?{came.query}" if came.query and shown == came.path else shown)


def shown_at(path: str) -> str:
    """Return a path if it can be fetched, or else the nearest one above it: an answer to a form may stand nowhere."""
    rules = current_app.url_map.bind("")
    while path.strip("/"):
        try:
            rules.match(path, method="GET")
        except HTTPException:
            path = path.rpartition("/")[0]
        else:
            return path
    return "/"


@pages.get("/sign-in")
def sign_in_page() -> ResponseReturnValue:
    """Show the form."""
    return render_template("sign_in.html", goal=local_path(request.args.get("next")), message=None, username="")


@pages.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Open a session, or say why not."""
    username = request.form.get("username", "").strip()
    password = request.form.get("password", "")
    address = request.remote_addr or ""
    account = accounts.verify(session(), username, password, address=address, now=datetime.now(UTC))
    who = accounts.who(session(), account, today()) if account else None
    _note(username, welcome=who is not None)
    session().commit()
    if who is None:
        raise Unauthenticated("account.wrong")
    # nothing of the visitor before may live on in the session of the account
    flask.session.clear()
    flask.session.update(account=who.id, stamp=who.stamp)
    flask.session.permanent = True
    goal = local_path(request.form.get("next"))
    return redirect(_home(who) if goal == "/" else goal)


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Close the session."""
    flask.session.clear()
    return redirect(url_for("auth.sign_in_page"))


@pages.errorhandler(Unauthenticated)
@pages.errorhandler(TooMany)
def _refused(error: ShaotuError) -> ResponseReturnValue:
    """Show the form again with the reason, the name still filled in."""
    status = 429 if isinstance(error, TooMany) else 401
    form = {"goal": local_path(request.form.get("next")), "username": request.form.get("username", "")}
    page = render_template("sign_in.html", message=language.explain(error, locale()), **form)
    return page, status, {"Retry-After": str(error.params.get("retry_after_s", 1))}


def _note(username: str, *, welcome: bool) -> None:
    """Put a sign-in, or its refusal, on record; a name that is no account's may be anything, a password too."""
    kind = journal.SIGNED_IN if welcome else journal.SIGN_IN_REFUSED
    known = welcome or accounts.find(session(), username) is not None
    # Lines of the audit are read back by nobody who is only about to sign in.
    db.see_as(session(), db.EVERYTHING)
    journal.append(session(), journal.Line(kind), by=username if known else "-", now=datetime.now(UTC))
    db.see_as(session(), db.NOTHING)


def _home(who: Who) -> str:
    """Return the page somebody's work begins on."""
    if who.role in OUTDOORS and _is_telephone():
        return TELEPHONE
    return PLANNERS if who.role == accounts.PLANNER and who.scope.all else "/"


def _is_telephone() -> bool:
    """Say whether the browser calls itself one of a telephone."""
    return "Mobi" in request.headers.get("User-Agent", "")


def local_path(goal: str | None) -> str:
    """Keep a way back only inside the product: //host and host: lead out of it."""
    if not goal or not goal.startswith("/") or goal.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(goal)
    return goal if not parts.netloc and not parts.scheme else "/"


def _recognise() -> None:
    """Find out who asks, by key or by cookie, and give the session their scope."""
    if request.endpoint in {"static", "shell.file"} or request.path in {"/healthz", "/readyz"}:
        return
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        g.who = accounts.of_token(session(), key.strip(), on=today())
        if g.who is None:
            raise Unauthenticated("account.wrong_token")
    else:
        g.who = _of_cookie()
        if _is_expired():
            # said before the form's token is looked at, which went with the session
            raise Unauthenticated
        csrf.protect()
    if g.who is not None:
        db.see_as(session(), g.who.scope)


def _is_expired() -> bool:
    """Say whether somebody sends what only who signed in is shown, and is known no more."""
    if g.who is not None or request.method not in current_app.config["WTF_CSRF_METHODS"]:
        return False
    return request.endpoint is not None and not request.endpoint.startswith(OF_VISITORS)


def _of_cookie() -> Who | None:
    account_id = flask.session.get("account")
    if account_id is None:
        return None
    who = accounts.recall(session(), account_id, on=today())
    if who is None or who.stamp != flask.session.get("stamp"):
        flask.session.clear()
        return None
    return who


def _remember_language(response: flask.Response) -> flask.Response:
    wanted = request.args.get("lang")
    if wanted in language.LOCALES:
        year_s = 365 * 24 * 3600
        response.set_cookie("lang", wanted, max_age=year_s, samesite="Lax", secure=settings().https_only)
    return response


def _close(_error: BaseException | None) -> None:
    opened = g.pop("session", None)
    if opened is not None:
        opened.close()
