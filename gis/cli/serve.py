"""gis serve: the product, as `python app.py` runs it."""

import os
import sys

import click

from gis.settings import ROOT


@click.command()
@click.option("--demo", is_flag=True, help="With the made-up city and its day.")
def serve(demo: bool) -> None:
    """Serve pages and programs: workers, the live stream beside them, and the worker for jobs."""
    program = [sys.executable, str(ROOT / "app.py"), *(["--demo"] if demo else [])]
    os.execv(program[0], program)  # noqa: S606 -- no shell
