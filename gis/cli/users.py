"""gis users: accounts, their posts and the keys of programs."""

from datetime import UTC, date, datetime

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gis import language
from gis.cli.context import cli_session, recorded
from gis.issues import journal
from gis.people import accounts, areas
from gis.people.tables import Account, Post


@click.group()
def users() -> None:
    """Accounts, posts and keys."""


@users.command()
@click.argument("username")
@click.option("--role", type=click.Choice(accounts.ROLES), required=True)
@click.option("--name", default="", help="The name shown on the page; the username when left out.")
@click.option("--department", help="The code of the department it acts for.")
@click.option("--language", "locale", type=click.Choice(language.LOCALES), default="zh", show_default=True)
@click.password_option(help="Asked for when left out, so that it stays out of the shell's history.")
def add(username: str, password: str, **said: str) -> None:
    """Open an account."""
    newcomer = accounts.Newcomer(
        username, password, said["name"] or username, said["role"], said["locale"], said["department"] or None
    )
    with recorded(journal.ACCOUNT_CHANGED) as session:
        accounts.add(session, newcomer, now=datetime.now(UTC))
    click.echo(language.say("cli.users.added", "zh", username=username, role=said["role"]))


@users.command()
@click.argument("username")
@click.password_option()
def passwd(username: str, password: str) -> None:
    """Give an account a new password; its open sessions end."""
    with recorded(journal.ACCOUNT_CHANGED) as session:
        accounts.set_password(session, username, password)


@users.command(name="list")
def show() -> None:
    """List the accounts with their posts."""
    table = Table("username", "name", "role", "language", "posts")
    with cli_session() as session:
        for account in session.scalars(select(Account).order_by(Account.role, Account.username)):
            posts = session.scalars(select(Post).where(Post.account_id == account.id).order_by(Post.id))
            held = ", ".join(f"{p.net}:{p.level}:{p.unit_code} {p.valid_from}–{p.valid_to or ''}" for p in posts)
            state = account.role if account.active else f"{account.role} (closed)"
            table.add_row(account.username, account.name, state, account.locale, held)
    Console().print(table)


@users.command()
@click.argument("username")
def close(username: str) -> None:
    """Close an account: it signs in no more; what it did stays under its name."""
    with cli_session() as session:
        accounts.close(session, username, now=datetime.now(UTC))
    click.echo(language.say("cli.users.closed", "zh", username=username))


@users.command()
@click.argument("username")
@click.argument("unit", metavar="NET:LEVEL:CODE")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="Today when left out.")
@click.option("--end", is_flag=True, help="End the post instead.")
def post(username: str, unit: str, start: datetime | None, end: bool) -> None:
    """Make an account answer for a unit from a date on, or for a line: area:river_chief:NAME."""
    parts = unit.split(":")
    if len(parts) != 3 or not all(parts):
        raise click.BadParameter("NET:LEVEL:CODE", param_hint="UNIT")
    on = start.date() if start else date.today()  # noqa: DTZ011 - the day on the clock of whoever types
    with recorded(journal.ACCOUNT_CHANGED) as session:
        net, level, code = parts
        held = (net, level, str(areas.find(session, level, code, on)) if net == areas.NET else code)
        if end:
            accounts.end_post(session, username, held, end=on)
        else:
            accounts.give_post(session, username, held, start=on)


@users.command()
@click.argument("username")
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Take the key of this name back.")
def token(username: str, name: str, revoke: bool) -> None:
    """Make a key for a program (shown once), or take it back."""
    with recorded(journal.ACCOUNT_CHANGED) as session:
        if revoke:
            accounts.revoke_token(session, username, name, now=datetime.now(UTC))
        else:
            click.echo(accounts.issue_token(session, username, name, now=datetime.now(UTC)))
