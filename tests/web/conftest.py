"""One furnished office for the tests of a file that leave it as it was; those that do not bring their own people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from gis.settings import Settings
from tests.conftest import _copied
from tests.web import desk


@pytest.fixture(scope="module")
def office(server: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Give the product with the small town, an account for each role, and a source with a category."""
    from app import create_app

    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=tmp_path_factory.mktemp("office")))
        app.testing = True
        desk.open_office(app)
        yield app
        app.extensions["live"].close()
        app.extensions["engine"].dispose()
