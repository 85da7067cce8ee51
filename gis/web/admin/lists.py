"""Lists that come in as tables: who answers for what, with a dry run and four eyes; calendars; categories."""

from __future__ import annotations

from datetime import date, timedelta

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import moments
from gis.errors import Invalid
from gis.issues import calendars, categories, citizens, duty_lists, files
from gis.people import departments
from gis.tasks import queue, uploads
from gis.web import auth
from gis.web.admin import shell, work

pages = shell.room("lists")

# Clocks that are set today may reach this far.
AHEAD = timedelta(days=60)


@pages.get("/duties")
def duties() -> ResponseReturnValue:
    """List the versions of every responsibility list."""
    first = auth.today().replace(day=1)
    period = ((first - timedelta(days=1)).replace(day=1), first)
    tried = queue.find(auth.session(), ("dry_run",), 10)
    told = {"lists": duty_lists.find(auth.session()), "period": period, "tasks": tried, "me": shell.me()}
    return shell.show("duties", "admin_duties.html", **told)


@pages.post("/duties")
@shell.keeping(duties)
def load_duties() -> ResponseReturnValue:
    """Keep a list as a draft; every row that will not do is told with its number."""
    name, version = shell.field("list"), shell.field("version")
    with shell.sent_file() as path:
        rules = duty_lists.read(auth.session(), path, request.form.get("scheme", "").strip() or "cg")
    duty_lists.load(auth.session(), (name, version), rules, by=shell.me(), now=shell.now())
    shell.record(f"duties load {name} {version}")
    shell.done("admin.duties_loaded", list=name, version=version, n=len(rules))
    return redirect(url_for("admin_lists.duties"))


@pages.post("/duties/dry-run")
@shell.keeping(duties)
def try_duties() -> ResponseReturnValue:
    """Ask the issues of a period again by a draft."""
    name, version = shell.field("list"), shell.field("version")
    duty_lists.get(auth.session(), name, version)
    start, end = _day("start"), _day("end")
    if start >= end:
        raise Invalid("admin.period", start=start, end=end)
    return work.ask("dry_run", list=name, version=version, start=start.isoformat(), end=end.isoformat())


@pages.post("/duties/activate")
@shell.keeping(duties)
def activate_duties() -> ResponseReturnValue:
    """Put a version in force from a day; never by who loaded it."""
    name, version, start = shell.field("list"), shell.field("version"), _day("start")
    duty_lists.activate(auth.session(), (name, version), start, by=shell.me(), now=shell.now())
    shell.record(f"duties activate {name} {version} from {start}")
    shell.done("admin.duties_activated", list=name, version=version, start=start)
    return redirect(url_for("admin_lists.duties"))


@pages.get("/calendars")
def calendars_page() -> ResponseReturnValue:
    """List the parts of calendars that answer now, and what lacks for the days to come."""
    code, today = auth.settings().work_calendar, auth.today()
    lacking = calendars.lacking(auth.session(), code, today, today + AHEAD)
    found = calendars.find(auth.session())
    return shell.show("calendars", "admin_calendars.html", parts=found, lacking=lacking, calendar=code)


@pages.post("/calendars")
@shell.keeping(calendars_page)
def load_calendar() -> ResponseReturnValue:
    """Have a part of a calendar taken in; the clocks that run by it are set anew."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("admin.no_file")
    key = uploads.keep(auth.settings(), [(sent.filename, sent.stream)])
    return work.ask("calendar", upload=key, name=sent.filename)


@pages.get("/categories")
def categories_page() -> ResponseReturnValue:
    """List the schemes with their versions, and the classes the public sees."""
    schemes = auth.session().execute(_SCHEMES).mappings().all()
    shown = citizens.classes(auth.session())
    return shell.show("categories", "admin_categories.html", schemes=schemes, classes=shown)


@pages.post("/categories")
@shell.keeping(categories_page)
def load_categories() -> ResponseReturnValue:
    """Take in a scheme; known codes get their new names."""
    with shell.sent_file() as path:
        loaded = categories.load(auth.session(), path)
        shell.record(f"categories load {path.name}")
    shell.done("admin.categories_loaded", n=loaded)
    return redirect(url_for("admin_lists.categories_page"))


@pages.post("/categories/public")
@shell.keeping(categories_page)
def open_categories() -> ResponseReturnValue:
    """Choose the classes that the public sees and may report."""
    keys = request.form.getlist("shown")
    citizens.show(auth.session(), keys, by=shell.me(), now=shell.now())
    shell.record(f"public categories {' '.join(sorted(keys))}")
    shell.done("admin.public_shown", n=len(keys))
    return redirect(url_for("admin_lists.categories_page"))


@pages.post("/departments")
@shell.keeping(duties)
def load_departments() -> ResponseReturnValue:
    """Take in departments with their masters."""
    with shell.sent_file() as path:
        loaded = departments.load(auth.session(), [row for _, row in files.open_table(path).rows])
        shell.record(f"departments load {path.name}")
    shell.done("admin.departments_loaded", n=loaded)
    return redirect(url_for("admin_rules.powers"))


def _day(name: str) -> date:
    return moments.parse_day(shell.field(name))


_SCHEMES = text("""
SELECT scheme, version, count(*) FILTER (WHERE parent IS NULL) AS classes_n,
       count(*) FILTER (WHERE parent IS NOT NULL) AS categories_n,
       (SELECT count(*) FROM issue WHERE issue.scheme = category.scheme AND issue.scheme_version = category.version)
       AS issues_n
FROM category GROUP BY scheme, version ORDER BY scheme, version DESC
""")
