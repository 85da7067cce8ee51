"""Official papers: the book of what was issued, a day's report, a letter to an issue's lead; each as a Word file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gis.errors import Invalid
from gis.issues.papers import book, drafting, forms, proceedings, values
from gis.issues.papers.book import Author, Numbered
from gis.issues.papers.drafting import Demand
from gis.issues.papers.forms import Press
from gis.issues.papers.proceedings import Meeting
from gis.issues.papers.values import Minutes
from gis.people.accounts import ADMINISTRATOR, DISPATCHER, OPERATOR, SHIFT_LEADER
from gis.web import asked, auth, desks, ledger

Json = dict[str, Any]

pages = Blueprint("papers", __name__, url_prefix="/papers")

# Who writes in the city's name.
WRITES = (OPERATOR, ADMINISTRATOR, SHIFT_LEADER, DISPATCHER)
UNWRITTEN_MOST = 20
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pages.get("")
def page() -> ResponseReturnValue:
    """Show the book of papers, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    before = asked.whole("before", 10**9, 10**9) if "before" in request.args else None
    kind = request.args.get("kind") if request.args.get("kind") in values.KINDS else None
    found = book.find(auth.session(), kind, before)
    return render_template(
        "papers.html",
        **desks.chrome("papers"),
        papers=[(each, forms.number(each, _press())) for each in found],
        kinds=values.KINDS,
        kind=kind,
        older=found[-1].id if len(found) == book.PAGE_ROWS else None,
        may_write=auth.current().role in WRITES,
        issue=request.args.get("issue", ""),
        today=auth.today(),
        reader=ledger.reader_now(),
        unwritten=proceedings.unwritten(auth.session(), UNWRITTEN_MOST),
    )


@pages.post("/daily")
@auth.require(*WRITES)
def write_daily() -> ResponseReturnValue:
    """Count a day and give its report the next number."""
    author = _author()
    said = drafting.daily(auth.session(), asked.day(request.form.get("day")), author.zone, author.now)
    book.enter(auth.session(), said, author)
    auth.session().commit()
    return redirect(url_for("papers.page"))


@pages.post("/supervision")
@auth.require(*WRITES)
def write_supervision() -> ResponseReturnValue:
    """Press an issue's lead with a letter."""
    demand = Demand(request.form.get("demand", ""), asked.day(request.form.get("answer_by")), auth.current().name)
    author = _author()
    issue_id, said = drafting.supervision(auth.session(), request.form.get("issue", "").strip(), demand, author.now)
    book.enter(auth.session(), said, author, issue_id)
    auth.session().commit()
    return redirect(url_for("papers.page"))


@pages.post("/of/<code>/minutes")
@auth.require(*WRITES)
def write_minutes(code: str) -> Json:
    """Write the minutes of a consultation: {"number": 1, "place": …, "present": [departments]}."""
    paper = proceedings.minutes(auth.session(), code, _meeting(asked.body()), _author())
    auth.session().commit()
    return {"paper": _told(paper)}


@pages.post("/of/<code>/letter")
@auth.require(*WRITES)
def write_letter(code: str) -> Json:
    """Write the letter behind the last urging of an issue."""
    paper = proceedings.letter(auth.session(), code, _author(), auth.current().name, auth.settings())
    auth.session().commit()
    return {"paper": _told(paper)}


@pages.get("/<int:paper_id>.docx")
@auth.require()
def download(paper_id: int) -> ResponseReturnValue:
    """Send a paper as a Word file."""
    paper = book.get(auth.session(), paper_id)
    name = f"{paper.kind}-{paper.year}-{paper.number}.docx"
    return ledger.sent(forms.write(paper, _press()), WORD, name)


def picture(issue_id: int) -> Json:
    """Put together what the panel shows of an issue's papers, and what the asker may write."""
    found, may_write = proceedings.open_of(auth.session(), issue_id), auth.current().role in WRITES
    return {
        "issued": [_told(each) for each in found.issued],
        "called": list(found.called),
        "minutes": list(found.minutes) if may_write else [],
        "letter": found.letter and may_write,
    }


def _told(paper: Numbered) -> Json:
    """Name a paper, and where it can be had."""
    held = paper.said.consultation if isinstance(paper.said, Minutes) else None
    return {
        "kind": paper.kind, "number": forms.number(paper, _press()), "at": paper.at.isoformat(), "consultation": held,
        "url": url_for("papers.download", paper_id=paper.id),
    }  # fmt: skip


def _meeting(said: Json) -> Meeting:
    number, place, present = said.get("number"), said.get("place"), said.get("present")
    if type(number) is not int or not isinstance(place, str) or not isinstance(present, list):
        raise Invalid("paper.bad_meeting")
    return Meeting(number, place, tuple(map(str, present)))


def _press() -> Press:
    return Press(auth.locale(), ZoneInfo(auth.settings().time_zone), auth.settings().paper_forms)


def _author() -> Author:
    return Author(auth.current().username, datetime.now(UTC), ZoneInfo(auth.settings().time_zone))
