"""Users and scopes: accounts, their role, department and posts, their last sign-in. A password is shown once."""

from __future__ import annotations

from datetime import date

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import language
from gis.errors import Conflict, Invalid
from gis.issues import journal
from gis.people import accounts, staff
from gis.people.accounts import Newcomer
from gis.web import asked, auth
from gis.web.admin import shell

pages = shell.room("people")


@pages.get("/users")
def users() -> ResponseReturnValue:
    """List the accounts, and the form to add one."""
    return _page()


@pages.get("/users/<username>")
def user(username: str) -> ResponseReturnValue:
    """Show one account, and what may be changed of it."""
    return _account(username)


@pages.post("/users")
@shell.keeping(users)
def add() -> ResponseReturnValue:
    """Open an account with a drawn password, and show that this once."""
    form, password = request.form, staff.draw_password()
    username = shell.field("username")
    department = form.get("department", "").strip() or None
    locale = form.get("locale") if form.get("locale") in language.LOCALES else "zh"
    name = form.get("name", "").strip() or username
    newcomer = Newcomer(username, password, name, shell.field("role"), str(locale), department)
    accounts.add(auth.session(), newcomer, now=shell.now())
    if unit := form.get("unit", "").strip():
        accounts.give_post(auth.session(), username, _standing(unit, auth.today()), start=auth.today())
    shell.record(f"users add {username} {newcomer.role} {department or ''} {unit}", journal.ACCOUNT_CHANGED)
    auth.session().commit()
    return _account(username, password=password)


def _kept() -> ResponseReturnValue:
    """Show the account a refused form is about."""
    return _account(str((request.view_args or {}).get("username", "")))


@pages.post("/users/<username>/password")
@shell.keeping(_kept)
def reset(username: str) -> ResponseReturnValue:
    """Draw a new password, and show it this once; open sessions end."""
    password = staff.draw_password()
    accounts.set_password(auth.session(), username, password)
    shell.record(f"users passwd {username}", journal.ACCOUNT_CHANGED)
    auth.session().commit()
    return _account(username, password=password)


@pages.post("/users/<username>/seat")
@shell.keeping(_kept)
def seat(username: str) -> ResponseReturnValue:
    """Give an account another role or department."""
    _not_myself(username)
    role, department = shell.field("role"), request.form.get("department", "").strip() or None
    staff.seat(auth.session(), username, role, department)
    shell.record(f"users seat {username} {role} {department or ''}", journal.ACCOUNT_CHANGED)
    return _done(username, "admin.user_changed")


@pages.post("/users/<username>/close")
@shell.keeping(_kept)
def close(username: str) -> ResponseReturnValue:
    """Close an account; what it did stays under its name."""
    _not_myself(username)
    accounts.close(auth.session(), username, now=shell.now())
    shell.record(f"users close {username}", journal.ACCOUNT_CHANGED)
    return _done(username, "admin.user_closed")


@pages.post("/users/<username>/reopen")
@shell.keeping(_kept)
def reopen(username: str) -> ResponseReturnValue:
    """Open an account again."""
    staff.reopen(auth.session(), username)
    shell.record(f"users reopen {username}", journal.ACCOUNT_CHANGED)
    return _done(username, "admin.user_changed")


@pages.post("/users/<username>/posts")
@shell.keeping(_kept)
def post(username: str) -> ResponseReturnValue:
    """Give an account a post, or end one, from today."""
    unit, today = shell.field("unit"), auth.today()
    if request.form.get("end") == "1":
        accounts.end_post(auth.session(), username, _unit(unit), end=today)
    else:
        accounts.give_post(auth.session(), username, _standing(unit, today), start=today)
    shell.record(f"users post {username} {unit} {request.form.get('end', '')}", journal.ACCOUNT_CHANGED)
    return _done(username, "admin.user_changed")


def _page() -> str:
    words, number = request.args.get("words", "")[:80], asked.whole("page", 1, 10_000)
    session = auth.session()
    found = staff.find(session, words, on=auth.today(), page=number)
    told = {"users": found, "words": words, "page": number, "total": staff.count(session, words),
            "places": _places(found)}
    return shell.show("users", "admin_users.html", **told, **_choices())


def _account(username: str, password: str = "") -> str:
    found = staff.get(auth.session(), username, on=auth.today())
    return shell.show("users", "admin_user.html", user=found, password=password, me=shell.me(),
                      places=_places([found]), **_choices())


def _places(listed: list[staff.Listed]) -> dict[str, str]:
    """Name the grounds of posts in the reader's language."""
    named = staff.names_of(auth.session(), [post for each in listed for post in each.posts])
    return {post: names[auth.locale() != "zh"] for post, names in named.items()}


def _choices() -> dict[str, object]:
    named = auth.session().execute(_DEPARTMENTS, {"lang": auth.locale()}).all()
    return {"roles": accounts.ROLES, "departments": named, "per_page": staff.PAGE_ROWS}


def _done(username: str, code: str) -> ResponseReturnValue:
    shell.done(code, username=username)
    return redirect(url_for("admin_people.user", username=username))


def _not_myself(username: str) -> None:
    if username == shell.me():
        raise Conflict("admin.not_yourself")


def _unit(said: str) -> tuple[str, str, str]:
    parts = said.split(":")
    if len(parts) != 3 or not all(parts):
        raise Invalid("report.not_a_unit", field="unit", value=said[:80])
    return parts[0], parts[1], parts[2]


def _standing(said: str, on: date) -> tuple[str, str, str]:
    """Read a unit that stands on the ground today; raise Invalid."""
    net, level, code = _unit(said)
    if not auth.session().scalar(_STANDS, {"net": net, "level": level, "code": code, "on": on}):
        raise Invalid("agreements.unknown_unit", key=said)
    return net, level, code


_DEPARTMENTS = text("""
SELECT code, coalesce(nullif(CASE WHEN :lang = 'en' THEN name_en END, ''), name_zh) AS name FROM department
WHERE closed_on IS NULL ORDER BY code LIMIT 3000
""")
_STANDS = text("""
SELECT EXISTS (SELECT FROM unit JOIN edition ON edition.id = unit.edition_id
               WHERE unit.net = :net AND unit.level = :level AND unit.code = :code AND edition.state = 'active'
               AND edition.valid_from <= :on AND (edition.valid_to IS NULL OR edition.valid_to > :on))
""")
