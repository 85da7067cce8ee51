"""gis duties: responsibility lists, version by version, and a dry run before one is put in force."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gis import language
from gis import settings as product
from gis.cli.context import cli_session, locale, signer
from gis.errors import Invalid
from gis.issues import dispatch, drafts, duty_lists, replay

DAY = click.DateTime(["%Y-%m-%d"])
SHOWN = 20


@click.group()
def duties() -> None:
    """Which departments answer for what: lists with versions and dates."""


@duties.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "name", required=True, help="The list's name.")
@click.option("--version", required=True, help="A version it does not have yet.")
@click.option("--scheme", default="cg", show_default=True, help="Category scheme of rows that name none.")
@click.option("--check", is_flag=True, help="Only read and check; write nothing.")
@click.option("--by", help="The account that answers for it; needed unless it is only checked.")
def load(file: Path, name: str, version: str, scheme: str, check: bool, by: str | None) -> None:  # noqa: PLR0913, PLR0917 -- options
    """Read a list from CSV or XLSX and keep it as a draft; every wrong row is told."""
    with cli_session() as session:
        rules = duty_lists.read(session, file, scheme)
        if not check:
            loaded_by = signer(session, by or "")
            duty_lists.load(session, (name, version), rules, by=loaded_by, now=datetime.now(UTC))
    code = "duties.cli.checked" if check else "duties.cli.loaded"
    _tell(code, list=name, version=version, rules=len(rules), categories=len({rule.category for rule in rules}))


@duties.command()
@click.argument("name")
@click.argument("version")
@click.option("--from", "start", type=DAY, required=True, help="The first day it holds.")
@click.option("--by", required=True, help="Another account than the one that loaded it.")
def activate(name: str, version: str, start: datetime, by: str) -> None:
    """Put version VERSION of list NAME in force from a day."""
    with cli_session() as session:
        second = signer(session, by)
        duty_lists.activate(session, (name, version), start.date(), by=second, now=datetime.now(UTC))
    _tell("duties.cli.activated", list=name, version=version, start=start.date())


@duties.command(name="list")
def list_all() -> None:
    """Show every version of every list."""
    with cli_session() as session:
        for listed in duty_lists.find(session):
            _tell(
                "duties.cli.listed",
                list=listed.name,
                version=listed.version,
                state=language.say(f"duties.state.{listed.state}", locale()),
                valid_from=listed.valid_from or "—",
                valid_to=listed.valid_to or language.say("duties.cli.open_end", locale()),
                rules=listed.rules_n,
                categories=listed.categories_n,
            )


@duties.command(name="dry-run")
@click.option("--from", "start", type=DAY, required=True, help="First day of the issues to ask again.")
@click.option("--to", "end", type=DAY, required=True, help="The day after the last.")
@click.option("--list", "name", help="A list ...")
@click.option("--version", help="... and its version to try.")
@click.option("--agreement", type=click.Path(path_type=Path), help="A draft agreement to try, as JSON.")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write every change there.")
def dry_run(  # noqa: PLR0913, PLR0917 -- one for each option
    start: datetime, end: datetime, name: str | None, version: str | None, agreement: Path | None, table: Path | None
) -> None:
    """Ask the issues of a period again by a draft, and show what would change. Nothing is written."""
    if not ((name and version) or agreement):
        raise Invalid("duties.cli.nothing_to_try")
    settings = product.load()
    with cli_session() as session:
        question = replay.Question(
            _midnight(start, settings.time_zone),
            _midnight(end, settings.time_zone),
            sheet=duty_lists.sheet(session, name, version) if name and version else None,
            draft=drafts.parse(read_json(agreement)) if agreement else None,
        )
        outcome = replay.run(session, question, settings)
    _show(outcome)
    if table:
        _write(table, outcome.changes)


@duties.command()
@click.argument("issue")
@click.argument("unit")
@click.option("--by", default="gis duties designate", show_default=True, help="Whose ruling it is.")
def designate(issue: str, unit: str, by: str) -> None:
    """Record a superior's ruling: UNIT (net:level:code) leads in ISSUE. The earlier decision stays on record."""
    ruling = dispatch.Ruling(unit, by, datetime.now(UTC))
    with cli_session() as session:
        decision = dispatch.designate(session, issue, ruling, product.load())
    _tell("duties.cli.designated", issue=issue, unit=unit, department=decision.lead_department)


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object from a file; raise Invalid."""
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid("agreements.cli.unreadable", path=str(path), reason=str(error)) from error
    if not isinstance(said, dict):
        raise Invalid("agreements.cli.unreadable", path=str(path), reason=type(said).__name__)
    return said


def _midnight(day: datetime, zone: str) -> datetime:
    return datetime.combine(day.date(), time(), ZoneInfo(zone))


def _show(outcome: replay.Outcome) -> None:
    _tell(
        "duties.cli.replayed",
        issues=outcome.issues_n,
        changes=len(outcome.changes),
        leads=outcome.leads_changed_n,
        desk=outcome.to_desk_n,
    )
    for row, issues in sorted(outcome.failed.items()):
        _tell("duties.cli.failed", row=row, issues=issues)
    for change in outcome.changes[:SHOWN]:
        _tell("duties.cli.change", **_row(change))
    if len(outcome.changes) > SHOWN:
        _tell("duties.cli.more", n=len(outcome.changes) - SHOWN)


def _row(change: replay.Change) -> dict[str, str]:
    return {
        "issue": change.issue,
        "category": change.category,
        "before": change.before.lead_department or language.say("duties.cli.nobody", locale()),
        "after": change.after.lead_department or language.say("duties.cli.nobody", locale()),
        "joining": " ".join(change.joining) or "—",
        "leaving": " ".join(change.leaving) or "—",
    }


def _write(path: Path, changes: Iterable[replay.Change]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["issue", "category", "before", "after", "joining", "leaving"])
        writer.writeheader()
        writer.writerows(_row(change) for change in changes)


def _tell(code: str, **params: object) -> None:
    click.echo(language.say(code, locale(), **params))
