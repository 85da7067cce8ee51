"""The call-back desk: who waits, what to say, what was answered; and the page a link without sign-in opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gis.errors import NotFound
from gis.issues import call_backs, listing, workflow
from gis.issues.call_backs import Answer, Bearer, Link, Waiting
from gis.issues.matter import Actor, Said
from gis.issues.moves import MISSED
from gis.issues.workflow import Loop
from gis.web import asked, auth, desks, operator

Json = dict[str, Any]

pages = Blueprint("call_backs", __name__)

# The fields of an answer, with their choices, in the order of the script.
CHOICES = {"contacted": ("yes", "no"), "solved": ("yes", "no"), "satisfied": ("yes", "partly", "no")}


@pages.get("/call-back")
@pages.get("/call-back/<code>")
@auth.require(*desks.CALLS_BACK)
def desk(code: str | None = None) -> ResponseReturnValue:
    """Show who waits, and the call to make next or the one that was chosen."""
    return _desk(code or request.args.get("code"))


@pages.post("/call-back/<code>")
@auth.require(*desks.CALLS_BACK)
def keep(code: str) -> ResponseReturnValue:
    """Write down what was answered, or that nobody was reached; then the next call."""
    form = request.form
    missed = form.get("outcome", "")
    fields = {"outcome": missed} if missed else {name: form.get(name, "") for name in CHOICES}
    said = Said(Actor.of(auth.current()), _now(), fields | {"note": form.get("note", "")}, version=_version())
    workflow.advance(auth.session(), code, "miss_call" if missed else "evaluate", said, _loop())
    if form.get("reopen"):
        again = Said(said.by, said.now, {"reason": form.get("note", "") or auth.say("page.call_back.not_solved")})
        workflow.advance(auth.session(), code, "reopen", again, _loop())
    auth.session().commit()
    return redirect(url_for("call_backs.desk", done=code))


@pages.post("/call-back/<code>/reveal")
@auth.require(*desks.CALLS_BACK)
def reveal(code: str) -> ResponseReturnValue:
    """Show who reported, unmasked; that somebody looked is kept."""
    reporter = call_backs.reveal(auth.session(), code, asked.clerk())
    auth.session().commit()
    return _desk(code, reporter=reporter)


@pages.post("/call-back/<code>/link")
@auth.require(*desks.CALLS_BACK)
def make_link(code: str) -> ResponseReturnValue:
    """Make a link for who reported, and show it this once."""
    token = call_backs.make(auth.session(), code, asked.clerk())
    auth.session().commit()
    return _desk(code, link=url_for("call_backs.answer_page", token=token, _external=True))


@pages.get("/answer/<token>")
def answer_page(token: str) -> ResponseReturnValue:
    """Show what a link asks; nobody has signed in."""
    link = call_backs.find(auth.session(), _bearer(token))
    auth.session().commit()
    return render_template("answer.html", **_asked_by(_known(link)), token=token, done=False)


@pages.post("/answer/<token>")
def answer(token: str) -> ResponseReturnValue:
    """Take the answer, once."""
    form = request.form
    again = form.get("again", "").strip() if form.get("solved") == "no" and form.get("reopen") else ""
    said = Answer({name: form.get(name, "") for name in (*CHOICES, "note")}, again)
    taken = call_backs.answer(auth.session(), _bearer(token), said, _loop())
    auth.session().commit()
    if not taken:
        raise NotFound("call_backs.no_link")
    return render_template("answer.html", done=True, reopened=bool(again), other=None)


def _desk(code: str | None, *, reporter: Json | None = None, link: str | None = None) -> ResponseReturnValue:
    page = asked.whole("page", 1, 10_000)
    rows = call_backs.waiting(auth.session(), now=_now(), page=page)
    chosen = call_backs.get(auth.session(), code, now=_now()) if code else rows[0] if rows else None
    told = {
        "rows": rows, "chosen": chosen, "total": call_backs.waiting_n(auth.session()), "page": page,
        "masked": chosen and listing.masked(chosen.reporter), "reporter": reporter, "link": link,
        "script": _script(chosen) if chosen else [], "choices": CHOICES, "missed": MISSED,
        "may_reopen": bool(chosen and _may_reopen(chosen)),
        "tries": asked.settings().call_back_tries, "done": request.args.get("done"), "mask": listing.masked,
    }  # fmt: skip
    return render_template("call_back.html", **told, boot=None, **desks.chrome("call_back"))


def _may_reopen(row: Waiting) -> bool:
    return _now() <= row.reopen_until(asked.settings().reopen_days)


def _script(row: Waiting) -> list[Json]:
    """Fill the script with what is known of an issue."""
    zh = auth.locale() == "zh"
    city = operator.city(auth.session(), auth.today())
    filled = {
        "city": city["name"] if zh else city["name_en"] or city["name"],
        "reported": row.reported_at.astimezone(_zone()).strftime("%Y-%m-%d"),
        "category": row.category_zh if zh else row.category_en,
        "until": row.reopen_until(asked.settings().reopen_days).astimezone(_zone()).strftime("%Y-%m-%d"),
    }
    said = [line for line in call_backs.lines() if _may_reopen(row) or not line.offers_again]
    return [{"asks": line.asks, "said": (line.zh if zh else line.en) % filled} for line in said]


def _asked_by(link: Link) -> Json:
    until = link.closed_at.timestamp() + asked.settings().reopen_days * 86_400
    return {
        "link": link, "choices": CHOICES, "may_reopen": _now().timestamp() <= until, "zone": _zone(),
        "category": link.category_zh if auth.locale() == "zh" else link.category_en,
        "other": "en" if auth.locale() == "zh" else "zh",
    }  # fmt: skip


def _known(link: Link | None) -> Link:
    if link is None:
        raise NotFound("call_backs.no_link")
    return link


def _bearer(token: str) -> Bearer:
    return Bearer(token[:200], request.remote_addr or "", _now())


def _version() -> int | None:
    said = request.form.get("version", "")
    return int(said) if said.isdigit() else None


def _loop() -> Loop:
    return Loop(asked.settings())


def _zone() -> ZoneInfo:
    return ZoneInfo(asked.settings().time_zone)


def _now() -> datetime:
    return datetime.now(UTC)
