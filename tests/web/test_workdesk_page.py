"""The work desk and the map's tools in a real browser: what is decided there, measured, played back, taken away."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
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
from sqlalchemy.orm import Session

from gis import db
from gis.people import accounts, positions
from gis.territory import coords, locate
from tests import town
from tests.issues import looped
from tests.web.test_operator_page import _in, file, press_map, row, wait_for_paint
from tests.web.visits import SOON_MS, untold, violations

WEST, EAST = "admin:subdistrict:990101001", "admin:subdistrict:990102001"
NEAR = {"lon": 120.52 - 10 / 96_000, "lat": 30.2555, "accuracy_m": 30}
Enter = Callable[..., Page]


def on_the_desk(office: Flask, number: int, **changes: object) -> str:
    """Put an issue across the line into the loop: `cg` leads, `sw` must come."""
    now = datetime.now(UTC)
    changes = {"at": now, "reported_at": now, **changes}

    def made(session: Session) -> str:
        session.execute(
            text("INSERT INTO department (code, kind, name_zh, name_en)"
                 " VALUES ('zf', 'ZF', '执法局', 'Enforcement') ON CONFLICT DO NOTHING")
        )  # fmt: skip
        return looped.across(session, number, **changes).code

    return _in(office, made)


def value(office: Flask, sql: str, code: str) -> str:
    return _in(office, lambda session: str(session.scalar(text(sql), {"code": code})))


# --- which side


def open_issue(enter: Enter, code: str, more: str = "") -> Page:
    page = enter(hash_=f"#issue={code}{more}")
    expect(page.locator("#panel .panel-head")).to_contain_text(code)
    return page


def test_both_sides_are_on_the_map_with_their_odds_and_one_press_decides(enter: Enter, office: Flask) -> None:
    page = open_issue(enter, file(office, "界边的井盖", **NEAR))
    pins = page.locator(".side-pin")
    expect(pins).to_have_count(2)
    expect(pins.filter(has_text="990101001")).to_contain_text("%")
    expect(pins.filter(has_text="990102001")).to_contain_text("%")
    page.select_option("#side-how", "called")
    pins.filter(has_text="990102001").click()
    expect(page.locator("#notice")).to_contain_text("subdistrict 990102001")
    expect(page.locator(".side-pin")).to_have_count(0)
    expect(page.locator("#panel .history li").last).to_contain_text("已电话核实报告人")
    expect(page.locator("#panel .facts")).to_contain_text("30 m")


def test_without_saying_how_it_was_found_out_no_side_is_taken(enter: Enter, office: Flask) -> None:
    code = file(office, "没有依据", **NEAR)
    page = open_issue(enter, code)
    page.click(f'[data-side="{EAST}"]')
    expect(page.locator("#side-note")).to_contain_text("请先选依据")
    expect(page.locator("#side-how")).to_be_focused()
    assert value(office, "SELECT count(*) FROM finding JOIN issue ON id = issue_id WHERE code = :code", code) == "1"


# --- the same thing


def test_a_lookalike_is_merged_by_two_presses_with_its_reasons_in_sight(enter: Enter, office: Flask) -> None:
    first, second = file(office, "路口井盖松动", x=1.6, y=1.6), file(office, "路口井盖松动", x=1.6005, y=1.6)
    page = open_issue(enter, second)
    suggested = page.locator(f'[data-alike="{first}"]')
    expect(suggested.locator(".badge").first).to_contain_text("相距")
    expect(suggested).to_contain_text("同一类别")
    expect(page.locator(".alike-pin")).to_have_count(1)
    suggested.locator(".merge").click()
    expect(suggested.locator(".merge")).to_contain_text(first)
    assert value(office, "SELECT state FROM issue WHERE code = :code", second) != "merged"
    suggested.locator(".merge").click()
    expect(page.locator("#panel .panel-head")).to_contain_text(first)
    assert value(office, "SELECT state FROM issue WHERE code = :code", second) == "merged"


# --- across the line, by keyboard alone


def test_from_the_list_to_the_urging_by_keyboard_alone(enter: Enter, office: Flask) -> None:
    code = on_the_desk(office, 501, text="跨界的渣土")
    page = enter()
    expect(row(page, "跨界的渣土")).to_be_visible(timeout=SOON_MS)
    page.locator("#skip, .skip").first.focus()
    page.keyboard.press("l")
    for _ in range(40):
        if page.evaluate("document.activeElement.dataset.code") == code:
            break
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .panel-head")).to_contain_text(code)
    page.keyboard.press("u")
    expect(page.locator("#panel .history")).to_contain_text("催办")
    page.keyboard.press("Escape")
    expect(page.locator(f'#issues [data-code="{code}"]')).to_be_focused()
    said = "SELECT fields ->> 'reason' FROM move JOIN issue ON id = issue_id WHERE code = :code AND name = 'urge'"
    assert "处置" in value(office, said, code)


def test_what_is_filed_is_dispatched_by_one_key(enter: Enter, office: Flask) -> None:
    code = on_the_desk(office, 502, text="待派遣的渣土", state="filed")
    page = open_issue(enter, code)
    expect(page.locator("[data-quick=dispatch]")).to_be_visible()
    page.locator("#panel").focus()
    page.keyboard.press("d")
    expect(page.locator("#panel .panel-head")).to_contain_text("已派遣")
    assert value(office, "SELECT state FROM issue WHERE code = :code", code) == "dispatched"


def test_to_supervise_the_form_is_filled_in_as_far_as_it_can_be(enter: Enter, office: Flask) -> None:
    page = open_issue(enter, on_the_desk(office, 503))
    page.locator("#panel").focus()
    page.keyboard.press("s")
    expect(page.locator("#need-reason")).to_have_value("请抓紧处置并反馈进展。")
    expect(page.locator("#need-document")).to_be_focused()


def test_the_keys_are_told_and_typing_is_no_command(enter: Enter) -> None:
    page = enter()
    page.locator("#issues").focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys dt")).to_have_count(19)
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()
    page.fill("#search", "")
    page.locator("#search").press_sequentially("tpg?")
    expect(page.locator("#tool")).to_be_hidden()
    expect(page.locator("#keys")).not_to_be_visible()


# --- staff


def stand(office: Flask, username: str, x: float, y: float, minutes: int = 0) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        now = datetime.now(UTC)
        who = accounts.who(session, accounts.get(session, username), now.date())
        db.see_as(session, who.scope)
        lon, lat = town.lonlat(x, y)
        at = datetime.fromtimestamp(now.timestamp() - 60 * minutes, UTC)
        positions.leave(session, username)
        positions.report(session, who, locate.parse({"lon": lon, "lat": lat, "accuracy_m": 8}), at, now.date())
        session.commit()


def test_who_is_nearest_comes_first_and_old_places_say_so(enter: Enter, office: Flask) -> None:
    stand(office, "leader", 0.3, 0.25)
    stand(office, "inspector", 0.5, 0.25, minutes=40)
    page = open_issue(enter, file(office, "派谁去", x=0.25, y=0.25), "&staff=1")
    expect(page.locator(".staff-pin")).to_have_count(2)
    expect(page.locator(".staff-pin.old")).to_have_count(1)
    page.locator("#panel").focus()
    page.keyboard.press("n")
    people = page.locator(".staff li")
    expect(people.nth(0)).to_contain_text("48 m")
    expect(people.nth(1)).to_contain_text("位置已旧")
    expect(people.nth(0).locator("button")).to_be_focused()


# --- tools


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
            expect(page.locator("#tool .tool-body :is(button, input, select)").first).to_be_visible(timeout=SOON_MS)
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


def test_a_storm_of_reports_is_drawn_in_few_frames(enter: Enter, office: Flask) -> None:
    page = enter()
    page.evaluate("""() => { window.drawn = 0; new MutationObserver(() => { window.drawn += 1; })
        .observe(document.getElementById("issues"), {childList: true}); }""")
    codes = [file(office, f"暴雨 {nth}", x=0.2 + nth / 100, y=0.4) for nth in range(30)]
    expect(row(page, "暴雨 29")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("codes => codes.every(code => live_issues.getLayer(code))", codes)
    assert page.evaluate("window.drawn") <= 2 * len(codes)


def test_online_maps_are_not_offered_where_none_are_listed(enter: Enter) -> None:
    page = enter()
    tool(page, "g")
    expect(page.locator("#colour-marks")).to_be_checked()
    expect(page.locator("[name=layers-base]")).to_have_count(0)
    assert json.loads(page.locator("#boot").text_content() or "{}")["online"] == []


def offices(session: Session) -> str:
    """Open an office for each subdistrict of the south: it speaks for its side."""
    for code, unit in (("jd-west", "990101001"), ("jd-east", "990102001")):
        session.execute(
            text("INSERT INTO department (code, kind, name_zh, name_en, net, level, unit_code)"
                 " VALUES (:code, 'JD', :code, :code, 'admin', 'subdistrict', :unit)"),
            {"code": code, "unit": unit},
        )  # fmt: skip
    return ""


def test_who_leads_across_a_line_is_designated_from_the_map(enter: Enter, office: Flask) -> None:
    _in(office, offices)
    line = {"type": "LineString", "coordinates": [town.lonlat(1.9, 0.5), town.lonlat(2.1, 0.5)]}
    code = file(office, "跨界的一条沟", geometry=line)
    page = open_issue(enter, code)
    expect(page.locator("[data-lead]")).to_have_count(2)
    page.locator(".side-pin", has_text="990102001").click()
    expect(page.locator("#need-lead")).to_have_value("jd-east")
    page.fill("#need-document", "城管委〔2026〕3号")
    page.fill("#need-reason", "沟的源头在东侧")
    page.click(".move-form button[type=submit]")
    lead = "SELECT lead FROM issue WHERE code = :code"
    leading = page.locator('#panel .standing[data-department="jd-east"] .badge', has_text="主办")
    expect(leading).to_be_visible(timeout=SOON_MS)
    assert value(office, lead, code) == "jd-east"
