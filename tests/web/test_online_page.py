"""A base map of another host on the page: by our own address, and where it belongs though its tiles are shifted."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gis.settings import Settings
from gis.territory import coords
from tests.conftest import _copied
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import SOON_MS

LISTED = """
[[map]]
code = "{code}"
name_zh = "{code} 底图"
name_en = "{code} map"
urls = ["{host}/{{z}}/{{x}}/{{y}}.png"]
datum = "{datum}"
max_zoom = 16
"""
# Where the middle of a tile is drawn: its place on the screen, read as a place on the ground.
DRAWN = """() => [...document.querySelectorAll(".online-0 img.leaflet-tile-loaded")].map((tile) => {
    const frame = map_main.getContainer().getBoundingClientRect(), box = tile.getBoundingClientRect();
    const [x, y] = [box.left - frame.left + box.width / 2, box.top - frame.top + box.height / 2];
    const at = map_main.containerPointToLatLng([x, y]);
    return [...tile.src.match(/(\\d+)\\/(\\d+)\\/(\\d+)$/).slice(1).map(Number), at.lng, at.lat];
})"""


class Tiles(BaseHTTPRequestHandler):
    """A host with a tile for every place."""

    picture = b""

    def log_message(self, *_: object) -> None:
        """Keep silent."""

    def do_GET(self) -> None:
        """Send the picture."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(self.picture)


@pytest.fixture(scope="module")
def abroad(server: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve an installation that lists a map in WGS 84 and one that is shifted."""
    from app import create_app

    made = io.BytesIO()
    Image.new("RGB", (256, 256), (120, 60, 200)).save(made, "PNG")
    Tiles.picture = made.getvalue()
    host = HTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("abroad")
    where = f"http://127.0.0.1:{host.server_port}"
    maps = [LISTED.format(code=datum.lower(), host=where, datum=datum) for datum in ("WGS84", "GCJ02")]
    (folder / "maps.toml").write_text("".join(maps))
    with _copied(server, template) as settings:
        app = create_app(replace(settings, var_dir=folder, base_maps=folder / "maps.toml"))
        desk.open_office(app)
        site = Site(app)
        yield site
        site.stop()
        app.extensions["engine"].dispose()
    host.shutdown()


@pytest.mark.parametrize("datum", ["WGS84", "GCJ02"])
def test_tiles_of_another_host_lie_where_they_belong(enter: Callable[..., Page], abroad: Site, datum: str) -> None:
    page = enter(hash_="#map=15/30.26000/120.52000", url=abroad.url)
    page.locator("#map_main").focus()
    page.keyboard.press("g")
    page.check(f"#base-{datum.lower()}")
    expect(page.locator(".online-0 img.leaflet-tile-loaded").nth(5)).to_be_visible(timeout=SOON_MS)
    tiles = page.evaluate(DRAWN)
    assert tiles
    for z, x, y, lon, lat in tiles:
        box = coords.Tile(z, x, y).bbox
        # the tile says where its middle is, by the datum it is drawn in
        told = (box.west + box.east) / 2, coords.Tile(z + 1, 2 * x, 2 * y).bbox.south
        truth = coords.to_wgs84(*told, datum)
        off_x, off_y = coords.Plane(lon, lat).xy(float(truth[0]), float(truth[1]))
        # a dot of the screen is four metres here; unshifted it would be some five hundred
        assert abs(float(off_x)) < 6, (off_x, off_y)
        assert abs(float(off_y)) < 6, (off_x, off_y)
    assert "base=" in page.evaluate("new Promise(done => setTimeout(() => done(location.hash), 600))")
    page.check("#base-own")
    expect(page.locator(".online-0")).to_have_count(0)


def test_the_scripts_the_styles_and_the_page_are_under_300_kb(enter: Callable[..., Page], abroad: Site) -> None:
    page = enter(url=abroad.url)
    weight = page.evaluate("""["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
        .filter(({name, entryType}) => entryType === "navigation" || /\\.(js|css)$/.test(name.split("?")[0]))
        .reduce((sum, each) => sum + each.encodedBodySize, 0)""")
    assert 50_000 < weight <= 300_000
