"""Who asks, where a proxy stands in front: believed only as far as the installation says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from gis import db
from gis.settings import Settings
from tests.web import desk

SAID = {"X-Forwarded-For": "6.6.6.6, 10.1.2.3", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(("proxies", "counted"), [(0, "127.0.0.1"), (1, "10.1.2.3"), (2, "6.6.6.6")])
def test_the_address_is_the_one_that_the_last_trusted_proxy_saw(settings: Settings, proxies: int, counted: str) -> None:
    from app import create_app

    app = create_app(replace(settings, proxies=proxies, public_page=True))
    desk.open_office(app)
    app.test_client().get("/public/status?number=1", headers=SAID)
    with db.session(app.extensions["engine"], db.EVERYTHING) as session:
        assert session.scalars(text("SELECT address FROM public_try")).all() == [counted]
    app.extensions["live"].close()
    app.extensions["engine"].dispose()
