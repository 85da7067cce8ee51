"""gis database: bring the database to the newest shape, and say where it is."""

import click

from gis import cluster, db
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


@database.command()
@click.confirmation_option(prompt="Delete the private database and all it holds? 删除私有数据库及其全部内容？")
def remove() -> None:
    """Delete the private database; one named by SHAOTU_DATABASE_URL is never touched."""
    click.echo(cluster.remove(product.load()))
