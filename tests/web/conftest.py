"""One furnished office for the tests of a file that leave it as it was; those that do not bring their own people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import browser
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


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Use the system's Chromium, or the one named by SHAOTU_BROWSER; without a graphics card, as on many desks."""
    return {"executable_path": browser.executable(), "args": [*browser.arguments(), "--disable-gpu"]}


class Quiet(WSGIRequestHandler):
    """A handler that does not write a line for every tile."""

    def log(self, *_said: object) -> None:
        """Keep silent."""


class Site:
    """The product served at an address; it can be stopped and started again there."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self.app = app
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop listening and end the open streams."""
        self._server.shutdown()
        self._server.server_close()
        self.app.extensions["live"].close()


@pytest.fixture(scope="module")
def site(office: Flask) -> Iterator[Site]:
    """Serve the office."""
    served = Site(office)
    yield served
    served.stop()
