"""The rules of the loop in versions, the powers that were handed down, departments with two masters, the lights."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from gis import language
from gis.errors import Invalid
from gis.issues import duty_lists, lights, moves
from gis.issues import rules as city_rules
from gis.people import departments
from gis.web import auth
from gis.web.admin import shell

pages = shell.room("rules")


@pages.get("/rules")
def rules_page() -> ResponseReturnValue:
    """Show the table of the loop as it holds, and the versions of the city's own rules."""
    book = city_rules.current(auth.session(), auth.settings().workflow_rules)
    table = [
        {
            "name": book.name(move.name, auth.locale()) or auth.say(f"move.{move.name}"),
            "of": [state for state in moves.STATES if state in move.of], "who": sorted(move.who), "to": move.to,
            "code": move.name,
        }
        for move in book.moves
    ]  # fmt: skip
    said = request.form.get("said", "")
    versions = city_rules.find(auth.session())
    return shell.show("rules", "admin_rules.html", table=table, versions=versions, said=said, me=shell.me(), word=_word)


@pages.post("/rules")
@shell.keeping(rules_page)
def load_rules() -> ResponseReturnValue:
    """Keep rules as the next version, not yet in force; what does not hold is told."""
    version = city_rules.load(auth.session(), shell.field("said"), by=shell.me(), now=shell.now())
    shell.record(f"workflow rules load {version}")
    shell.done("admin.rules_loaded", version=version)
    return redirect(url_for("admin_rules.rules_page"))


@pages.post("/rules/activate")
@shell.keeping(rules_page)
def activate_rules() -> ResponseReturnValue:
    """Put a version in force; never by who loaded it."""
    said = shell.field("version")
    if not (said.isascii() and said.isdigit() and len(said) < 9):
        raise Invalid("api.bad_number", name="version", value=said[:40], most=99999999)
    city_rules.activate(auth.session(), int(said), by=shell.me(), now=shell.now())
    shell.record(f"workflow rules activate {said}")
    shell.done("admin.rules_activated", version=said)
    return redirect(url_for("admin_rules.rules_page"))


@pages.get("/powers")
def powers() -> ResponseReturnValue:
    """List the powers handed down in lists that are in force, and the departments with two masters."""
    session, today = auth.session(), auth.today()
    kinds = departments.kinds()
    given = [
        {"list": sheet.name, "version": sheet.version, "rule": rule, "holds": rule.delegation.holds_on(today)}
        for sheet in duty_lists.in_force(session)
        for rules in sheet.rules.values()
        for rule in rules
        if rule.delegation
    ]
    known = departments.register(session).by_code
    mastered = [each for each in known.values() if each.masters]
    return shell.show("powers", "admin_powers.html", given=given, mastered=mastered, known=known, kinds=kinds)


@pages.get("/lights")
def lights_page() -> ResponseReturnValue:
    """Show the lights as they look, with what each stands for."""
    return shell.show("lights", "admin_lights.html", lights=lights.table(), word=_word)


def _word(code: str) -> str:
    """Say a state, a stage, a role or a relation."""
    said = language.sentences(auth.locale())
    for prefix in ("state.", "stage.", "page.role.", "admin.who.", "admin.light."):
        if f"{prefix}{code}" in said:
            return auth.say(f"{prefix}{code}")
    return code
