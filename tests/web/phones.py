"""Telephones in the hands of people on the street: what they report with, and what came of it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import text

from gis import db
from gis.territory import locate
from tests import town
from tests.web import walking
from tests.web.visits import SOON_MS, Visits

numbers = iter(range(500, 100_000))
# What a browser says of a line that is gone.
GONE = r"ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION|EMPTY_RESPONSE)|Failed to load resource|blocked by Playwright"


@pytest.fixture(scope="module", autouse=True)
def street(office: Flask) -> None:
    """Give the office what phones report under."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        walking.prepare(session)
        session.commit()
        # The first place of a process is looked up by an index that is still to be made.
        lon, lat = town.lonlat(*walking.HERE)
        locate.at(session, locate.parse({"lon": lon, "lat": lat}), date(2026, 1, 1))


@pytest.fixture(autouse=True)
def swept(office: Flask) -> Iterator[None]:
    """Leave no issue of one test to the next."""
    yield
    with db.connect_owner(office.extensions["settings"]).begin() as connection:
        connection.execute(text("TRUNCATE issue, patrol, sent_once CASCADE"))


@pytest.fixture
def phone(visits: Visits) -> Callable[..., Page]:
    """Give telephones, each signed in."""

    def given(username: str = "leader", *, lang: str = "zh", at: tuple[float, float] | None = walking.HERE,
              **look: Any) -> Page:  # fmt: skip
        page = visits.page(**(walking.PHONE | look))
        if at:
            walking.stand(page.context, *at)
        if "service_workers" in look:
            page.watch.allowed = re.compile(GONE)  # type: ignore[attr-defined]
        return walking.sign_in(page, visits.url, username, lang)

    return given


def picture(colour: str = "red", side: int = 2400) -> bytes:
    """Make a photo with something hidden in it, larger than is sent."""
    made, hidden = Image.new("RGB", (side, side // 2), colour), Image.Exif()
    hidden[0x010F] = "a telephone"
    written = io.BytesIO()
    made.save(written, "JPEG", exif=hidden)
    return written.getvalue()


def take(page: Page, press: str, colour: str = "red") -> None:
    """Press what opens the camera, and take a photo."""
    with page.expect_file_chooser() as chosen:
        page.click(press)
    chosen.value.set_files(FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=picture(colour)))


def report(page: Page, words: str = "", category: str = "E0409") -> None:
    """Report with a photo: the bar's button, the class, off."""
    take(page, "#to-report")
    expect(page.locator("#report-photos .thumb")).to_be_visible()
    page.check(f'#report input[value="{category}"]')
    if words:
        page.fill("#report-text", words)
    page.click("#report-send")
    expect(page.locator("#report")).to_be_hidden()


def filed(office: Flask) -> list[Any]:
    """List what was reported by phones."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        sql = "SELECT *, ST_X(point_geom) AS lon, ST_Y(point_geom) AS lat FROM issue WHERE source = 'grid' ORDER BY id"
        return list(session.execute(text(sql)).all())


def counted(office: Flask, sql: str, **params: Any) -> int:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return int(session.scalar(text(sql), params) or 0)


def put(office: Flask, **changes: Any) -> str:
    """Put an issue on the patch."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        code = walking.issue(session, next(numbers), **changes)
        session.commit()
    return code


def submit(page: Page) -> None:
    """Send a move: the sheet closes when it is on the phone's disk."""
    page.click("#move-send")
    expect(page.locator("#issue")).to_be_hidden()


def waits(page: Page, n: int) -> None:
    chip = page.locator("#waiting")
    expect(chip).to_be_hidden(timeout=SOON_MS) if n == 0 else expect(chip).to_contain_text(str(n), timeout=SOON_MS)
