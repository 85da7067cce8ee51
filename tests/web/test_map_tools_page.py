"""The map's tools in a real browser: lengths, datums, the past, the picture, the colours."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import shapely
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect
from pyproj import Geod
from sqlalchemy import text

from gis.territory import coords
from tests import town
from tests.web.test_operator_page import _in, file, press_map, wait_for_paint
from tests.web.visits import SOON_MS, untold, violations
from tests.web.workdesk import NEAR, Enter, on_the_desk, stand


def tool(page: Page, key: str) -> None:
    page.locator("#map_main").focus()
    page.keyboard.press(key)
    expect(page.locator("#tool")).to_be_visible()


def test_a_length_and_an_area_are_geodesic(enter: Enter) -> None:
    page = enter(hash_="#map=15/30.26/120.52&text=nobody")
    tool(page, "r")
    corners = [(1.9, 0.9), (2.1, 0.9), (2.1, 1.1)]
    for x, y in corners:
        press_map(page, x, y)
    read = "[...document.querySelectorAll('#measured dd')].map((each) => [each.dataset.measured, +each.dataset.exact])"
    told = dict(page.evaluate(read))
    lon, lat = zip(*(town.lonlat(x, y) for x, y in corners), strict=True)
    geod = Geod(ellps="WGS84")
    assert told["length"] == pytest.approx(geod.line_length(lon, lat), rel=0.01)
    assert told["area"] == pytest.approx(abs(geod.polygon_area_perimeter(lon, lat)[0]), rel=0.02)
    page.keyboard.press("Escape")
    expect(page.locator("#tool")).to_be_hidden()
    expect(page.locator(".catcher")).to_have_count(0)


def test_the_script_measures_as_the_ellipsoid_does(enter: Enter) -> None:
    page = enter()
    rng = np.random.default_rng(7)
    start = np.column_stack([rng.uniform(73, 135, 40), rng.uniform(18, 53, 40)])
    end = start + rng.normal(0, 0.5, (40, 2)) * rng.choice([1e-5, 1e-3, 1], (40, 1))
    turns = np.arange(5) * 2 * np.pi / 5
    reach = rng.uniform(0.002, 0.02, (40, 5, 1))
    rings = (start[:, None, :] + reach * np.column_stack([np.cos(turns), np.sin(turns)])).tolist()
    found = page.evaluate(
        """async ([pairs, rings]) => { const {metresBetween, areaOf} = await import("/static/js/page/geodesy.js");
        return [pairs.map(([a, b]) => metresBetween(a, b)), rings.map(areaOf)]; }""",
        [[[list(map(float, a)), list(map(float, b))] for a, b in zip(start, end, strict=True)], rings],
    )
    _, _, truth = Geod(ellps="WGS84").inv(*start.T, *end.T)
    assert found[0] == pytest.approx(list(truth), rel=1e-9, abs=1e-4)
    polygons = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    assert found[1] == pytest.approx(list(coords.areas_m2(polygons)), rel=1e-9)


def test_the_script_knows_the_datums_as_the_server_does(enter: Enter) -> None:
    page = enter()
    rng = np.random.default_rng(11)
    places = np.column_stack([rng.uniform(70, 140, 200), rng.uniform(-2, 58, 200)])
    for datum in coords.DATUMS:
        there, back = page.evaluate(
            """async ([places, datum]) => { const {fromWgs, toWgs} = await import("/static/js/page/datums.js");
            const there = places.map(([lon, lat]) => fromWgs(lon, lat, datum));
            return [there, places.map(([lon, lat]) => toWgs(lon, lat, datum))]; }""",
            [places.tolist(), datum],
        )
        for ours, theirs in ((coords.from_wgs84, there), (coords.to_wgs84, back)):
            lon, lat = ours(places[:, 0], places[:, 1], datum)
            assert np.abs(np.column_stack([lon, lat]) - np.array(theirs)).max() < 1e-9


def test_the_middle_of_the_map_is_read_off_in_another_datum_and_typed_in_again(enter: Enter) -> None:
    page = enter(hash_="#map=15/30.26000/120.52000")
    tool(page, "c")
    page.select_option("#datum", "GCJ02")
    lon, lat = coords.from_wgs84(120.52, 30.26, "GCJ02")
    expect(page.locator("#at-middle")).to_have_text(f"{float(lon):.6f}, {float(lat):.6f}")
    page.fill("#typed-place", "120.53, 30.27")
    page.keyboard.press("Enter")
    there = page.evaluate("(() => { const {lng, lat} = map_main.getCenter(); return [lng, lat]; })()")
    wanted = coords.to_wgs84(120.53, 30.27, "GCJ02")
    assert there == pytest.approx([float(each) for each in wanted], abs=2e-5)
    page.fill("#typed-place", "no place")
    page.keyboard.press("Enter")
    expect(page.locator("#tool .wrong")).to_contain_text("请输入")


def test_coordinates_in_the_search_are_a_place_in_each_datum(enter: Enter) -> None:
    page = enter()
    page.fill("#search", "30.255, 120.505")
    expect(page.locator("#found [role=option]")).to_have_count(4)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".here")).to_be_visible()


def test_the_map_is_played_back_from_the_record(enter: Enter, office: Flask) -> None:
    file(office, "时间轴里的", x=0.75, y=0.75)
    page = enter(hash_="#days=1")
    tool(page, "t")
    expect(page.locator("#past-as-of")).to_be_visible()
    now = page.locator("#past-sums").inner_text()
    page.locator("#past-at").fill("0")
    expect(page.locator("#past-sums")).to_contain_text("未结 0 件")
    assert now != page.locator("#past-sums").inner_text()
    assert "past=" in page.evaluate("new Promise(done => setTimeout(() => done(location.hash), 600))")
    page.select_option("#past-speed", "4")
    page.click("#past-play")
    expect(page.locator("#past-play")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#past-play")).to_have_attribute("aria-pressed", "false", timeout=SOON_MS)
    expect(page.locator("#past-sums")).to_have_text(now)
    page.keyboard.press("Escape")
    expect(page.locator(".past-dots")).to_have_count(0)


@pytest.fixture
def taken(enter: Enter, office: Flask, tmp_path: Path) -> tuple[Page, Image.Image]:
    file(office, "图上的", x=0.5, y=0.5)
    page = enter(hash_="#map=14/30.26/120.52")
    wait_for_paint(page, "ground")
    wait_for_paint(page, "units")
    tool(page, "p")
    expect(page.locator("#picture-made")).to_be_visible(timeout=SOON_MS)
    page.fill("#picture-name", "本月案件")
    page.uncheck("#picture-sharp")
    with page.expect_download() as saved:
        page.click("#picture-save")
    saved.value.save_as(tmp_path / "map.png")
    assert saved.value.suggested_filename == "本月案件.png"
    return page, Image.open(io.BytesIO((tmp_path / "map.png").read_bytes())).convert("RGB")


def test_the_picture_has_map_title_legend_scale_and_date(taken: tuple[Page, Image.Image]) -> None:
    page, picture = taken
    width, height = page.evaluate("(() => { const {x, y} = map_main.getSize(); return [x, y]; })()")
    assert picture.width == width + 48
    assert picture.height > height + 64 + 76
    pixels = np.asarray(picture)
    parts = {
        "title": pixels[16:56, 24:200], "date": pixels[20:56, -260:-24], "map": pixels[64 : 64 + height, 24:-24],
        "scale": pixels[64 + height + 14 : 64 + height + 40, 24:200], "legend": pixels[64 + height + 44 : -10, 24:-24],
    }  # fmt: skip
    inks = {name: len(np.unique(part.reshape(-1, 3), axis=0)) for name, part in parts.items()}
    assert all(number > 3 for number in inks.values()), inks
    assert inks["map"] > 40


def test_the_picture_is_what_is_printed(taken: tuple[Page, Image.Image]) -> None:
    page, _ = taken
    shown = "document.querySelector('#to-print img').naturalWidth"
    page.evaluate(f"void (window.print = () => {{ window.printed = {shown}; }})")
    page.click("#picture-print")
    page.wait_for_function("() => window.printed > 0", timeout=SOON_MS)
    page.emulate_media(media="print")
    expect(page.locator("#to-print img")).to_be_visible()
    expect(page.locator(".top")).not_to_be_visible()


@pytest.mark.parametrize("way", ["lights", "states", "departments"])
def test_a_colour_has_its_sign_and_its_line_in_the_legend(enter: Enter, office: Flask, way: str) -> None:
    on_the_desk(office, {"lights": 511, "states": 512, "departments": 513}[way], x=0.5, y=0.5)
    page = enter(hash_="#map=18/30.255/120.505")
    tool(page, "g")
    page.check(f"#colour-{way}")
    page.evaluate("document.getElementById('legend').open = true")
    expect(page.locator(f'[data-legend="{way}"] li').first).to_be_visible()
    shape = "path" if way == "lights" else "text"
    expect(page.locator(f".pin .mark {shape}").first).to_be_attached()
    assert f"colour={way}" in page.evaluate("new Promise(done => setTimeout(() => done(location.hash), 600))")


def test_the_ground_is_coloured_by_grade_or_hotspot(enter: Enter, office: Flask) -> None:
    for _ in range(2):
        file(office, "热点", x=0.5, y=0.5)
    page = enter(hash_="#net=admin")
    tool(page, "g")
    page.check("#ground-hotspots")
    expect(page.locator(".hotspot-pin").first).to_be_visible()
    page.check("#ground-grades")
    expect(page.locator(".grade-pin").first).to_be_attached(timeout=SOON_MS)
    expect(page.locator(".hotspot-pin")).to_have_count(0)
    page.check("#ground-counts")
    expect(page.locator(".grade-pin")).to_have_count(0)


def test_the_area_of_a_chosen_department_is_drawn(enter: Enter, office: Flask) -> None:
    def serve(session: object) -> str:
        session.execute(text("UPDATE department SET net = 'admin', level = 'district', unit_code = '990101' WHERE code = 'cg'"))  # type: ignore[attr-defined] # noqa: E501
        return ""

    _in(office, serve)
    page = enter(hash_="#areas=1&departments=cg")
    expect(page.locator(".area-name")).to_have_count(1)
    expect(page.locator("path.area")).to_have_count(1)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tool_is_accessible_and_says_all_its_words(
    enter: Enter, office: Flask, theme: Literal["light", "dark"], lang: str
) -> None:
    stand(office, "leader", 1.95, 0.55)
    code = file(office, "无障碍", **NEAR)
    page = enter(hash_=f"?lang={lang}#issue={code}&staff=1")
    page.emulate_media(color_scheme=theme)
    page.reload()
    expect(page.locator(".side-pin")).to_have_count(2)
    page.click("[data-act=nearest]")
    expect(page.locator(".staff li").first).to_be_visible()
    for key in ("g", "t", "r", "c", "p", "?"):
        page.locator("#panel").focus()
        page.keyboard.press(key)
        if key == "?":
            expect(page.locator("#keys")).to_be_visible()
        else:
            # it takes the focus once it is ready: a key pressed before would be typed into it
            expect(page.locator("#tool .tool-body :focus")).to_be_visible(timeout=SOON_MS)
        assert violations(page) == [], key
        assert untold(page) == [], key


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("key", ["g", "t", "p"])
def test_a_tool_fits_a_phone(enter: Enter, width: int, key: str) -> None:
    page = enter()
    page.set_viewport_size({"width": width, "height": 780})
    tool(page, key)
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#tool").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_online_maps_are_not_offered_where_none_are_listed(enter: Enter) -> None:
    page = enter()
    tool(page, "g")
    expect(page.locator("#colour-marks")).to_be_checked()
    expect(page.locator("[name=layers-base]")).to_have_count(0)
    assert json.loads(page.locator("#boot").text_content() or "{}")["online"] == []
