"""gis database: bring the database to the newest shape, and say where it is."""

import click

from gis import db
from gis import settings as product


@click.group()
def database() -> None:
    """Prepare the database, or say where it is."""


@database.command()
def migrate() -> None:
    """Bring the database to the shape this version needs."""
    db.migrate(db.connect_owner(product.load()))


@database.command()
def address() -> None:
    """Print the database's address, without its password."""
    click.echo(db.address(product.load()).render_as_string(hide_password=True))
