"""gis database: bring the database to the newest shape, say where it is, remove the private one."""

import shutil

import click

from gis import cluster, db, language
from gis import settings as product
from gis.cli.context import locale
from gis.errors import Conflict

# Beside the database in var_dir, and without it nothing: photos of its issues, tiles and index files of its ground.
BELONGINGS = ("photos", "tiles", "index")


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
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(*, yes: bool) -> None:
    """Delete the private database, the photos of its issues, the tiles and index files made from it.

    A database named by SHAOTU_DATABASE_URL, and what is kept for it, is never touched.
    """
    settings = product.load()
    if settings.database_url:
        raise Conflict("database.named", path=settings.var_dir)
    belongings = [folder for name in BELONGINGS if (folder := settings.var_dir / name).exists()]
    going = "\n".join(f"  {path}" for path in (settings.var_dir / "pg", *belongings))
    if not yes:
        click.confirm(language.say("database.remove", locale(), going=going), abort=True)
    # first the database: it refuses while it is in use, and then everything stays
    click.echo(cluster.remove(settings))
    for folder in belongings:
        shutil.rmtree(folder)
        click.echo(folder)
