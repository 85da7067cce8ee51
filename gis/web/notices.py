"""The bell, appeals against lateness, and reading in full who reported an issue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gis.errors import Invalid
from gis.issues import appeals, journal, lateness, listing
from gis.issues.matter import Actor, Matter
from gis.issues.messages import notices, senders
from gis.issues.workflow import Loop
from gis.people.accounts import ADMINISTRATOR, CLERK, OPERATOR
from gis.web import asked, auth

Json = dict[str, Any]

blueprint = Blueprint("notices", __name__, url_prefix="/api/v1")

# Who speaks with reporters, and so may read who they are; each reading is on record.
UNMASKS = (OPERATOR, ADMINISTRATOR, CLERK)


@blueprint.get("/notices")
@auth.require()
def get_notices() -> Json:
    """List the asker's last notices, in the asker's language."""
    session, who = auth.session(), auth.current()
    return {"unread": notices.unread(session, who), "notices": [_said(row) for row in notices.of(session, who)]}


@blueprint.post("/notices/read")
@auth.require()
def post_read() -> Json:
    """Note up to which notice the asker has read."""
    notices.read_up_to(auth.session(), auth.current(), asked.positive("up_to"))
    auth.session().commit()
    return {"unread": notices.unread(auth.session(), auth.current())}


def lateness_of(code: str) -> Json:
    """Put together what was late about an issue, and whether the asker may appeal, or answer an appeal."""
    about, actor = _look(code), Actor.of(auth.current())
    facts = lateness.of_issue(auth.session(), about.id)
    mine, answers = appeals.of(about, actor)
    waits = any(fact["appealed"] and fact["granted"] is None for fact in facts)
    may_ask = any(not fact["appealed"] and fact["department"] in mine for fact in facts)
    return {"facts": facts, "may_ask": may_ask, "may_answer": waits and answers}


@blueprint.get("/issues/<code>/lateness")
@auth.require()
def get_lateness(code: str) -> Json:
    """List what was late about an issue, with appeals and their answers."""
    return {"lateness": lateness.of_issue(auth.session(), _look(code).id)}


@blueprint.post("/issues/<code>/appeals")
@auth.require()
def post_appeal(code: str) -> ResponseReturnValue:
    """Appeal against the lateness of the asker's department: {"reason": …}."""
    about, said = _look(code, hold=True), asked.body()
    count = appeals.ask(about, said.get("reason"), by=Actor.of(auth.current()), now=datetime.now(UTC))
    auth.session().commit()
    return {"appealed": count, "lateness": lateness.of_issue(auth.session(), about.id)}, 201


@blueprint.post("/issues/<code>/appeals/answer")
@auth.require()
def post_answer(code: str) -> Json:
    """Answer the appeals on an issue that wait: {"granted": true, "reason": …}."""
    about, said = _look(code, hold=True), asked.body()
    if not isinstance(said.get("granted"), bool):
        raise Invalid("appeals.granted")
    by, now = Actor.of(auth.current()), datetime.now(UTC)
    count = appeals.decide(about, granted=said["granted"], reason=said.get("reason"), by=by, now=now)
    auth.session().commit()
    return {"answered": count, "lateness": lateness.of_issue(auth.session(), about.id)}


@blueprint.post("/issues/<code>/reporter")
@auth.require(*UNMASKS)
def post_reporter(code: str) -> Json:
    """Tell in full who reported an issue, and put on record that it was told, to whom and when."""
    session = auth.session()
    known = listing.get(session, code)
    about = _look(code)
    line = journal.Line(journal.UNMASKED, about.id, {}, tuple(about.row.ground))
    journal.append(session, line, by=auth.current().username, now=datetime.now(UTC))
    session.commit()
    return {"reporter": known["reporter"]}


def _look(code: str, *, hold: bool = False) -> Matter:
    return Loop(asked.settings()).look(auth.session(), code, datetime.now(UTC), hold=hold)


def _said(row: Json) -> Json:
    letter = senders.words(row["event"], row["params"], auth.locale())
    return {"id": row["id"], "at": row["at"], "read": row["read"], "said": letter, "code": row["params"].get("code")}
