"""gis audit: the journal's chain is verified, its head printed for keeping elsewhere, and words are erased by law."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db, language
from gis import settings as product
from gis.cli.context import cli_session, locale
from gis.errors import Unauthenticated
from gis.issues import audit as chain
from gis.issues import journal
from gis.issues.audit import Fault, Span
from gis.people import accounts
from gis.people.accounts import Who

FAULTS_SHOWN = 100


@click.group()
def audit() -> None:
    """The chain of the journal: whether anything was altered, and what was done to the installation."""


@audit.command()
@click.option("--head", "kept", help="A head printed earlier and kept elsewhere: the number and the hash, or a file.")
@click.option("--sessions", default=2, show_default=True, help="How many stretches are verified at once.")
def verify(kept: str | None, sessions: int) -> None:
    """Hold every row of history against the chain. Ends with 1 and names what is wrong."""
    with _owner() as engine:
        found = list(_faults(engine, sessions, kept))
        with db.session(engine, db.EVERYTHING) as session:
            last = journal.head(session)
    for fault in found[:FAULTS_SHOWN]:
        click.echo(language.say(fault.code, locale(), **fault.params))
    told = "audit.wrong" if found else "audit.whole"
    click.echo(language.say(told, locale(), faults=len(found), links=last.seq, head=str(last)))
    sys.exit(1 if found else 0)


@audit.command()
def head() -> None:
    """Print the number and the hash of the last link: kept elsewhere, it proves what was there by now."""
    with cli_session() as session:
        while journal.seal(session) == journal.PAGE_ROWS:
            session.commit()
        click.echo(str(journal.head(session)))


@audit.command()
@click.argument("code", metavar="ISSUE")
@click.option("--reason", help="By which law and number it has to go; kept for good, so without names. Asks for it.")
@click.option("--approve", is_flag=True, help="Do what another person asked for.")
@click.option("--by", required=True, help="Your account; its password is asked for.")
def erase(code: str, reason: str | None, approve: bool, by: str) -> None:
    """Erase the words of an issue: who reported it, and what was said freely. Two people do it together."""
    now = datetime.now(UTC)
    if reason is None and not approve:
        raise click.UsageError("--reason … | --approve")
    with _owner() as engine, db.session(engine, db.EVERYTHING) as session:
        who = _known(session, by, now)
        if approve:
            chain.erase(session, code, by=who, now=now)
        else:
            chain.ask_erasure(session, code, reason or "", by=who, now=now)
        session.commit()
    click.echo(language.say("audit.erased" if approve else "audit.erasure_asked", locale(), code=code))


@audit.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
@click.option("--most", default=200, show_default=True)
def log(since: datetime | None, most: int) -> None:
    """List sign-ins, changed rules and accounts, unmaskings and erasures, the last first."""
    with cli_session() as session:
        for line in chain.log(session, since=since and since.replace(tzinfo=UTC), most=most):
            said = language.say(f"entry.{line['kind']}", locale(), **line["params"])
            at = line["at"].isoformat(timespec="seconds")
            click.echo("  ".join(each for each in (at, line["actor"], line["code"], said) if each))


def _faults(engine: Engine, sessions: int, kept: str | None) -> Iterator[Fault]:
    with db.session(engine, db.EVERYTHING) as session:
        spans = chain.spans(session, sessions)
        yield from chain.at_head(session, chain.parse_head(_said(kept))) if kept else ()
    with ThreadPoolExecutor(sessions) as pool:
        waiting = [pool.submit(_held, engine, span) for span in spans]
        loose = pool.submit(_unbound, engine)
        for each in [*waiting, loose]:
            yield from each.result()


def _held(engine: Engine, span: Span) -> list[Fault]:
    with db.session(engine, db.EVERYTHING) as session:
        return list(chain.held(session, span))


def _unbound(engine: Engine) -> list[Fault]:
    with db.session(engine, db.EVERYTHING) as session:
        return [*chain.unbound(session), *chain.aside(session)]


def _said(kept: str) -> str:
    return Path(kept).read_text("utf-8") if Path(kept).is_file() else kept


@contextmanager
def _owner() -> Iterator[Engine]:
    """Open the database as its owner: the policies of the application hide nothing from it."""
    engine = db.connect_owner(product.load())
    db.migrate(engine)
    yield engine
    engine.dispose()


def _known(session: Session, username: str, now: datetime) -> Who:
    """Ask for a password; raise Unauthenticated."""
    password = click.prompt(language.say("audit.password", locale(), username=username), hide_input=True)
    account = accounts.verify(session, username, password, address="cli", now=now)
    session.commit()
    if account is None:
        raise Unauthenticated("account.wrong")
    return accounts.who(session, account, date.today())  # noqa: DTZ011 - scope plays no part here
