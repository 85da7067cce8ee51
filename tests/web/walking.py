"""Somebody on the street: the ground of the leader's patch, what may be reported there, and a telephone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import town
from tests.issues import filed
from tests.web import desk
from tests.web.visits import SOON_MS, fill_in

KEY = ":".join(desk.PATCH)
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "has_touch": True, "reduced_motion": "reduce", "locale": "zh-CN",
}  # fmt: skip
# In the west cell of the patch, which is x 0..1, y 0..1 of the town.
HERE = (0.25, 0.5)
METRE_EAST = 1 / 1_000 / 0.9617


def prepare(session: Session) -> None:
    """Register what phones report under, and three classes: two of one family that may be put right on the spot."""
    session.execute(text("INSERT INTO source VALUES ('grid', '网格员上报', 'Grid workers', 'CGCS2000', NULL, NULL)"))
    session.execute(
        text("""
        INSERT INTO category (scheme, version, code, parent, name_zh, name_en, boundary_risk) VALUES
        ('cg', '2013', 'E01', NULL, '市容环境', 'Cleanliness', 0),
        ('cg', '2013', 'E04', NULL, '街面秩序', 'Streets', 0),
        ('cg', '2013', 'E0110', 'E01', '暴露生活垃圾', 'Exposed refuse', 0),
        ('cg', '2013', 'E0112', 'E01', '道路不洁', 'Dirty road', 0),
        ('cg', '2013', 'E0409', 'E04', '机动车乱停放', 'Car mis-parking', 0)
        """)
    )


def issue(session: Session, number: int, x: float = HERE[0], y: float = HERE[1], **changes: Any) -> str:
    """Put an issue about refuse on the ground of the patch, and return its code."""
    given = {"category": "E0110", "ground": [KEY, "admin:district:990101"], "state": "filed"} | changes
    issue_id = filed.issue(session, number, x, y, **given)
    scheme = text("UPDATE issue SET scheme = 'cg', scheme_version = '2013' WHERE id = :id RETURNING code")
    return str(session.execute(scheme, {"id": issue_id}).scalar_one())


def stand(context: BrowserContext, x: float = HERE[0], y: float = HERE[1], accuracy: float = 8) -> None:
    """Put the telephone on a place of the town."""
    lon, lat = town.lonlat(x, y)
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": accuracy})


def sign_in(page: Page, url: str, username: str = "leader", lang: str = "zh") -> Page:
    """Sign in and wait until the phone keeps what it needs."""
    page.goto(f"{url}/sign-in?next=/patch&lang={lang}")
    fill_in(page, username)
    ready(page)
    return page


def ready(page: Page) -> None:
    """Wait until the page has what is open here."""
    expect(page.locator("body[data-ready]")).to_be_visible(timeout=SOON_MS)


def prepared(page: Page) -> None:
    """Wait until the page opens without a line."""
    page.click('[data-view="me"]')
    expect(page.locator("#kept")).to_contain_text("块", timeout=SOON_MS)
    page.click('[data-view="home"]')
