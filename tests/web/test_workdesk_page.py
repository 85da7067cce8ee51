"""The work desk in a real browser: what is decided there, by one press or by keyboard alone."""

from __future__ import annotations

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import town
from tests.web.test_operator_page import _in, file, row
from tests.web.visits import SOON_MS
from tests.web.workdesk import NEAR, Enter, on_the_desk, stand

WEST, EAST = "admin:subdistrict:990101001", "admin:subdistrict:990102001"


def value(office: Flask, sql: str, code: str) -> str:
    return _in(office, lambda session: str(session.scalar(text(sql), {"code": code})))


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


def test_a_storm_of_reports_is_drawn_in_few_frames(enter: Enter, office: Flask) -> None:
    page = enter()
    page.evaluate("""() => { window.drawn = 0; new MutationObserver(() => { window.drawn += 1; })
        .observe(document.getElementById("issues"), {childList: true}); }""")
    codes = [file(office, f"暴雨 {nth}", x=0.2 + nth / 100, y=0.4) for nth in range(30)]
    expect(row(page, "暴雨 29")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("codes => codes.every(code => live_issues.getLayer(code))", codes)
    assert page.evaluate("window.drawn") <= 2 * len(codes)


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
