"""The shift leader's page: what is open and late, words for the next one, and the log that is only appended to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gis import language
from gis.errors import Forbidden, ShaotuError
from gis.issues.ledgers import shifts
from gis.issues.ledgers.shifts import Watch
from gis.issues.matter import Actor
from gis.web import asked, auth, desks, ledger

Json = dict[str, Any]

pages = Blueprint("shifts", __name__, url_prefix="/shifts")
BETWEEN = re.compile(r"[\s,，、;；]+")


@pages.get("")
def page() -> ResponseReturnValue:
    """Show the hand-over and the log, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    return _shown(None)


@pages.post("")
@auth.require()
def hand_over() -> ResponseReturnValue:
    """Hand the shift over; what will not do is said beside the words as they were written."""
    form = request.form
    issues = [each for each in BETWEEN.split(form.get("issues", "")) if each]
    watch = Watch(form.get("taker", ""), form.get("notes", ""), issues)
    try:
        shifts.hand_over(auth.session(), watch, Actor.of(auth.current()), datetime.now(UTC))
    except Forbidden:
        raise
    except ShaotuError as error:
        auth.session().rollback()
        return _shown(error), 400
    auth.session().commit()
    return redirect(url_for("shifts.page"))


@pages.post("/<int:handover_id>/sign")
@auth.require()
def sign(handover_id: int) -> ResponseReturnValue:
    """Take a shift over."""
    note, now = request.form.get("note", ""), datetime.now(UTC)
    shifts.sign(auth.session(), handover_id, note, Actor.of(auth.current()), now)
    auth.session().commit()
    return redirect(url_for("shifts.page"))


def _shown(error: ShaotuError | None) -> str:
    who, session, now = auth.current(), auth.session(), datetime.now(UTC)
    if not shifts.may_read(who.role):
        raise Forbidden
    before = asked.whole("before", 10**9, 10**9) if "before" in request.args else None
    told = shifts.log(session, before=before)
    return render_template(
        "shifts.html",
        **desks.chrome("shifts"),
        figures=shifts.count(session, now).as_dict(),
        overdue=shifts.first_overdue(session, now),
        takers=shifts.takers(session, who.username),
        may_hand_over=shifts.may_hand_over(who.role),
        log=told,
        older=told[-1].id if len(told) == shifts.PAGE_ROWS else None,
        written=request.form,
        refusal=error and language.explain(error, auth.locale()),
        reader=ledger.reader_now(),
    )
