"""What the sections share: the menu, who may come in, forms that keep what was written, the record of a change."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

from flask import Blueprint, flash, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from gis import language
from gis.errors import Conflict, Forbidden, Invalid, NotFound, ShaotuError
from gis.issues import journal
from gis.people.accounts import ADMINISTRATOR
from gis.tasks import uploads
from gis.web import auth, desks

P = ParamSpec("P")
Json = dict[str, Any]

# The menu: section -> the endpoint that shows it.
SECTIONS: Mapping[str, str] = {
    "health": "admin_standing.health", "editions": "admin_ground.editions", "duties": "admin_lists.duties",
    "agreements": "admin_ground.agreements", "users": "admin_people.users", "calendars": "admin_lists.calendars_page",
    "categories": "admin_lists.categories_page", "rules": "admin_rules.rules_page", "powers": "admin_rules.powers",
    "lights": "admin_rules.lights_page", "messages": "admin_standing.messages", "jobs": "admin_work.jobs",
    "log": "admin_standing.log",
}  # fmt: skip
STATUS: Mapping[type[ShaotuError], int] = {NotFound: 404, Conflict: 409, Forbidden: 403, Invalid: 400}


def room(name: str) -> Blueprint:
    """Make the blueprint of some sections; nobody but an administrator comes in."""
    pages = Blueprint(f"admin_{name}", __name__, url_prefix="/admin")
    pages.before_request(auth.require(ADMINISTRATOR)(lambda: None))
    return pages


def show(section: str, template: str, **told: Any) -> str:  # noqa: ANN401 -- whatever the page shows
    """Render a section's page, with what was refused a moment ago and what was written then."""
    written = request.form if "refusal" in g else {}
    usual = {"section": section, "sections": SECTIONS, "refusal": g.get("refusal"), "written": written, "boot": None}
    usual |= {"nets": {row.code: row for row in auth.session().execute(_NETS)}}
    return render_template(template, **(usual | told), today=auth.today(), **desks.chrome("admin"))


def keeping(
    page: Callable[[], ResponseReturnValue],
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Show a form's page again with the reason when the form is refused: nothing that was written is lost."""

    def guard(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            try:
                return view(*args, **kwargs)
            except (Invalid, Conflict, NotFound, Forbidden) as error:
                auth.session().rollback()
                g.refusal = language.explain(error, auth.locale())
                answer = make_response(page())
                answer.status_code = _status(error)
                return answer

        return guarded

    return guard


def _status(error: ShaotuError) -> int:
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


def done(code: str, /, **params: object) -> None:
    """Commit, and have the next page say what was done."""
    auth.session().commit()
    flash(auth.say(code, **params))


def record(what: str, kind: str = journal.RULES_CHANGED) -> None:
    """Put a change on record under the name of who makes it."""
    line = journal.Line(kind, None, {"what": what[:500]})
    journal.append(auth.session(), line, by=me(), now=now())


def me() -> str:
    """Return who asks."""
    return auth.current().username


def now() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


def field(name: str) -> str:
    """Read a field that has to be there; raise Invalid."""
    said = request.form.get(name, "").strip()
    if not said:
        raise Invalid("admin.missing", field=auth.say(f"admin.field.{name}"))
    return said


@contextmanager
def sent_file(name: str = "file") -> Iterator[Path]:
    """Give the file of a form under its own name, for as long as it is read; raise Invalid if there is none."""
    sent = request.files.get(name)
    if sent is None or not sent.filename:
        raise Invalid("admin.no_file")
    uploads.check_name(sent.filename)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, sent.filename)
        sent.save(path)
        yield path


_NETS = text("SELECT code, name_zh, name_en FROM net")
