"""The commands: one file for each group, read only when it is called."""

from collections.abc import Sequence
from importlib import import_module

import click
from sqlalchemy.exc import SQLAlchemyError

from gis import db, language
from gis import settings as product
from gis.errors import Problems, ShaotuError
from gis.settings import Settings

# name -> where its click command lives; named as text, so that a command loads only what it needs
COMMANDS = {
    "agreements": "gis.cli.agreements:agreements",
    "assets": "gis.web.assets:assets",
    "audit": "gis.cli.audit:audit",
    "boundaries": "gis.cli.boundaries:boundaries",
    "calendar": "gis.cli.calendar:calendar",
    "categories": "gis.cli.departments:categories",
    "clocks": "gis.cli.clocks:clocks",
    "database": "gis.cli.database:database",
    "demo": "gis.demo.commands:demo",
    "departments": "gis.cli.departments:departments",
    "duties": "gis.cli.duties:duties",
    "explain": "gis.cli.explain:explain",
    "index": "gis.cli.index:index",
    "issues": "gis.cli.issues:issues",
    "locate": "gis.cli.locate:locate",
    "messages": "gis.cli.messages:messages",
    "papers": "gis.cli.papers:papers",
    "places": "gis.cli.places:places",
    "rosters": "gis.cli.rosters:rosters",
    "serve": "gis.cli.serve:serve",
    "standards": "gis.cli.standards:standards_",
    "tiles": "gis.web.precut:tiles_",
    "tasks": "gis.cli.tasks:tasks",
    "stream": "gis.web.stream.process:stream",
    "users": "gis.cli.users:users",
    "worker": "gis.worker:worker",
    "workflow": "gis.cli.workflow:workflow",
}


class Rooms(click.Group):
    """Commands loaded by name, whose foreseen errors are told as sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """List the names without loading anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run, and end with a sentence and status 1 where an error was foreseen."""
        try:
            return super().invoke(ctx)
        except ShaotuError as error:
            raise click.ClickException(language.explain(error, _locale())) from error
        except SQLAlchemyError as error:
            known = db.foreseen(error)
            if known is None:
                raise
            raise click.ClickException(language.explain(known, _locale())) from error


@click.group(cls=Rooms)
def gis() -> None:
    """Shaotu (哨图): whose ground, who must come, and did they."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line."""
    gis.main(args=arguments if arguments is None else list(arguments), prog_name="gis")


def _locale() -> str:
    try:
        return product.load().language
    except Problems:
        return Settings.language
