"""The ledger's page: classified lists with filters in the address, saved views, a workbook and paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis.issues import journal, lights, moves, paging
from gis.issues.ledgers import asking, lines, printing, sweeps, views, workbook
from gis.issues.ledgers.asking import Moment
from gis.issues.ledgers.lines import Reader
from gis.issues.ledgers.views import Wish
from gis.issues.matter import Actor
from gis.issues.paging import Asked
from gis.issues.workflow import Loop
from gis.territory import location
from gis.web import auth, desks

Json = dict[str, Any]

pages = Blueprint("ledger", __name__)

# The classified ledgers every city keeps: a name, and what it asks.
CLASSES: Mapping[str, Mapping[str, str]] = {
    "open": {"stage": "open", "order": "due"},
    "overdue": {"stage": "open", "dues": "overdue", "order": "due"},
    "across": {"flags": "straddles"},
    "relapse": {"marks": "relapse"},
    "self_handled": {"states": "self_handled"},
    "unstruck": {"struck": "no", "order": "closed"},
    "struck": {"struck": "yes", "order": "closed"},
    "all": {},
}
FACETS = {"stage": ("open", *asking.STAGES), "period": asking.PERIODS, "dues": ("overdue", "soon", "later", "unset"),
          "struck": asking.STRUCK, "order": tuple(paging.ORDERS)}  # fmt: skip
MARKS = ("relapse", "reworked", "reopened", "forced", "deadlock", "sampled", "asked")


@pages.get("/ledger")
def page() -> ResponseReturnValue:
    """Show a ledger, or the way to the sign-in."""
    if auth.visitor() is None:
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    session, asked, reader = auth.session(), _asked(), reader_now()
    found = paging.page(session, asked)
    said = asking.plain(request.args)
    return render_template(
        "ledger.html",
        **desks.chrome("ledger"),
        lines=lines.of(session, found.ids, reader),
        total=found.total,
        places={"earlier": found.earlier and str(found.earlier), "later": found.later and str(found.later)},
        said=said,
        link=lambda **more: _link(said | more),
        classes=[{"name": name, "query": query, "now": dict(query) == said} for name, query in CLASSES.items()],
        views=views.of(session),
        may_share=views.may_share(auth.current().role),
        choices=_choices(),
        moves=[_move(each) for each in sweeps.choices(session, Loop(auth.settings()), Actor.of(auth.current()))],
        lights={light.code: light for light in lights.table()},
        now=reader.now,
    )


@pages.get("/ledger/total")
@auth.require()
def total() -> Json:
    """Count what a ledger holds in all."""
    return {"total": paging.total(auth.session(), _asked())}


@pages.get("/ledger.xlsx")
@auth.require()
def export_workbook() -> ResponseReturnValue:
    """Send a ledger as a workbook."""
    told = _all(workbook.ROWS_MOST)
    cut_off = auth.say("ledger.workbook_cut_off", most=workbook.ROWS_MOST) if len(told) == workbook.ROWS_MOST else ""
    content = workbook.write(auth.say("ledger.title"), told, reader_now(), last=cut_off)
    _record("xlsx", len(told))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return sent(content, kind, "ledger.xlsx")


@pages.get("/ledger.pdf")
@auth.require()
def export_pdf() -> ResponseReturnValue:
    """Send a ledger as a PDF for printing."""
    told = _all(printing.ROWS_MOST)
    about = [*_about(), auth.say("ledger.printed", n=len(told), by=auth.current().name)]
    if len(told) == printing.ROWS_MOST:
        about.append(auth.say("ledger.cut_off", most=printing.ROWS_MOST))
    content = printing.write(auth.say("ledger.title"), about, told, reader_now())
    _record("pdf", len(told))
    return sent(content, "application/pdf", "ledger.pdf")


@pages.post("/ledger/views")
@auth.require()
def save_view() -> ResponseReturnValue:
    """Keep the view shown under a name."""
    said = {name: value for name, value in request.form.items() if name in asking.ARGUMENTS}
    wish = Wish(request.form.get("name", ""), said, shared=request.form.get("shared") == "1")
    views.save(auth.session(), wish, Actor.of(auth.current()), moment())
    auth.session().commit()
    return redirect(_link(asking.plain(said)))


@pages.post("/ledger/views/<int:view_id>/remove")
@auth.require()
def remove_view(view_id: int) -> ResponseReturnValue:
    """Take a view of one's own away."""
    views.remove(auth.session(), view_id, by=auth.current().username, now=datetime.now(UTC))
    auth.session().commit()
    return redirect(url_for("ledger.page"))


@pages.get("/api/v1/ledger")
@auth.require()
def get_ledger() -> Json:
    """List a page of a ledger for programs; `later` and `earlier` are the places of the pages beside it."""
    found = paging.page(auth.session(), _asked())
    told = lines.of(auth.session(), found.ids, reader_now())
    places = {name: (at := getattr(found, name)) and str(at) for name in ("earlier", "later")}
    return {"lines": [_public(line) for line in told], "total": found.total, **places}


def moment() -> Moment:
    """Return when and where a ledger is asked."""
    return Moment(datetime.now(UTC), ZoneInfo(auth.settings().time_zone))


def reader_now() -> Reader:
    """Return who reads, now."""
    return Reader(auth.locale(), ZoneInfo(auth.settings().time_zone), datetime.now(UTC))


def sent(content: bytes, kind: str, name: str) -> Response:
    """Send a file made for one person: nobody in between keeps it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype=kind, headers=headers)


def _asked() -> Asked:
    return asking.read(request.args, moment())


def _all(most: int) -> list[Json]:
    return list(lines.every(auth.session(), _asked(), reader_now(), most))


def _record(form: str, rows_n: int) -> None:
    """Write into the journal who took what out of the house; words that were searched for are not repeated there."""
    said = {name: value for name, value in asking.plain(request.args).items() if name != "text"}
    scope = auth.current().scope
    params = {"form": form, "rows_n": rows_n, "asked": urlencode(said), "words": "text" in request.args}
    ground = () if scope.all else tuple(scope.ground.split())
    now = datetime.now(UTC)
    journal.append(auth.session(), journal.Line("exported", None, params, ground), by=auth.current().username, now=now)
    auth.session().commit()


def _about() -> list[str]:
    """Say in words what is asked, for the head of a print."""
    said = asking.plain(request.args)
    return [auth.say("ledger.asked", field=auth.say(f"ledger.field.{name}"), value=_word(name, value)) for name, value
            in said.items() if name != "order"]  # fmt: skip


def _word(name: str, value: str) -> str:
    prefix = {"states": "state", "flags": "page.flag", "dues": "page.due", "marks": "mark"}.get(name, f"ledger.{name}")
    if name in {"text", "from", "to", "categories", "departments", "units", "sources"}:
        return value
    return "、".join(auth.say(f"{prefix}.{each}") for each in value.split(","))


def _link(said: Mapping[str, str | None]) -> str:
    kept: dict[str, Any] = {name: value for name, value in said.items() if value}
    return url_for("ledger.page", **kept)


def _choices() -> dict[str, list[tuple[str, str]]]:
    """List what can be chosen, by field: value and word."""
    told = {name: [(each, auth.say(f"ledger.{name}.{each}")) for each in values] for name, values in FACETS.items()}
    told["dues"] = [(each, auth.say(f"page.due.{each}")) for each in FACETS["dues"]]
    told["flags"] = [(each, auth.say(f"page.flag.{each}")) for each in location.FLAGS]
    told["marks"] = [(each, auth.say(f"mark.{each}")) for each in MARKS]
    told["states"] = [(each, auth.say(f"state.{each}")) for each in moves.STATES]
    for name, sql in _NAMED.items():
        told[name] = [(row.code, row.name) for row in auth.session().execute(text(sql), {"lang": auth.locale()})]
    return told


_NAME = "coalesce(nullif(CASE WHEN :lang = 'en' THEN {0}name_en END, ''), {0}name_zh)"
# Small cells are not chosen from a list; the levels above communities are.
_NAMED = {
    "categories": f"SELECT code, string_agg(DISTINCT {_NAME.format('')}, '／') AS name FROM category AS c"
    " WHERE NOT EXISTS (SELECT FROM category AS below"
    " WHERE (below.scheme, below.version, below.parent) = (c.scheme, c.version, c.code)) GROUP BY code ORDER BY code",
    "departments": f"SELECT code, {_NAME.format('')} AS name FROM department ORDER BY code LIMIT 3000",
    "sources": f"SELECT code, {_NAME.format('')} AS name FROM source ORDER BY code",
    "units": "SELECT unit.net || ':' || unit.level || ':' || unit.code AS code,"
    " coalesce(nullif(CASE WHEN :lang = 'en' THEN unit.name_en END, ''), unit.name) AS name"
    " FROM unit JOIN edition ON edition.id = unit.edition_id JOIN net ON net.code = unit.net"
    " JOIN level ON level.net = unit.net AND level.code = unit.level"
    " WHERE edition.state = 'active' AND edition.valid_to IS NULL AND net.rank = 0 AND level.divides"
    " ORDER BY level.rank, unit.code LIMIT 1500",
}


def _move(move: moves.Move) -> Json:
    needs = [
        {"name": need.name, "kind": need.kind, "required": need.required, "label": auth.say(f"need.{need.name}"),
         "choices": [{"value": each, "label": auth.say(f"choice.{each}")} for each in need.choices]}
        for need in move.needs if need.kind in sweeps.KINDS
    ]  # fmt: skip
    return {"move": move.name, "label": auth.say(f"move.{move.name}"), "needs": needs}


def _public(line: Json) -> Json:
    return {name: value for name, value in line.items() if name not in {"id", "due"}}


