"""Whistles in real browsers: clerk, subdistrict and both sides play a house across the line to its end, unreloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
import shapely
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.people import accounts, rosters
from gis.people.accounts import Newcomer
from tests import town
from tests.web import desk
from tests.web.conftest import press
from tests.web.visits import SOON_MS, untold, violations

SOUTH = ("admin", "subdistrict", "990101001")
numbers = iter(range(1, 1000))


@pytest.fixture(scope="module", autouse=True)
def street(office: Flask) -> None:
    """Open the offices on both sides of the line, the platform of one with its roster, and an account for each."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        open_street(session)
        session.commit()


def open_street(session: Session) -> None:
    session.execute(
        text("""
        INSERT INTO department (code, kind, name_zh, name_en, net, level, unit_code) VALUES
        ('jd', 'JD', '南街综合执法队', 'South Street Team', 'admin', 'subdistrict', '990101001'),
        ('jd-east', 'JD', '东街综合执法队', 'East Street Team', 'admin', 'subdistrict', '990102001')
        """)
    )
    for code in ("jd", "jd-east"):
        accounts.add(session, Newcomer(code, desk.PASSWORD, code, "department", department=code), now=desk.LONG_AGO)
    accounts.add(session, Newcomer("south", desk.PASSWORD, "南街平台", "caller", department="jd"), now=desk.LONG_AGO)
    accounts.give_post(session, "south", SOUTH, start=date(2024, 1, 1))
    row = {
        "net": "admin", "level": "subdistrict", "unit_code": "990101001", "platform": "1", "department": "jd",
        "person": "队长 老赵", "standing": "resident", "valid_from": "2024-01-01",
    }  # fmt: skip
    rosters.load(session, [(2, row)], by="test", now=desk.LONG_AGO)


@pytest.fixture
def report(office: Flask) -> Callable[[], str]:
    """File the report of a house two thirds in the east, one third in the west, as a program does; return its code."""

    def filed() -> str:
        house = json.loads(shapely.to_geojson(town.field(1.99, 0.3, 2.02, 0.32)))
        said = {
            "source": "12345", "external_id": f"house-{next(numbers)}", "text": "楼上又加一层，随时会塌",
            "category": {"scheme": "gb", "version": "1", "code": "0501"},
            "place": {"kind": "building", "geometry": house}, "reported_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        client = desk.signed_in(office, "clerk")
        answer = client.post("/api/v1/issues", json=said, headers={"X-CSRFToken": desk.csrf(client, "/")})
        assert answer.status_code == 201, answer.text
        return str(answer.json["code"])  # type: ignore[index]

    return filed


def say(page: Page, move: str, **words: str) -> None:
    """Fill the form of a move and send it."""
    press(page, move)
    for name, said in words.items():
        field = page.locator(f"#need-{name}")
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(said)
        else:
            field.fill(said)
    if page.locator("#need-position").count() and move != "blow":
        page.click(".move-form button:not(.main)")
        page.click("#sketch-bar button >> nth=0")
    if page.locator(".move-form button.main").count():
        page.click(".move-form button.main")


def blow(page: Page, *departments: str, type_: str = "key") -> None:
    press(page, "blow")
    page.select_option("#need-type", type_)
    said = {"done_by_self": "已上门三次", "why_not": "跨区，无权", "place": "楼前", "expected": "拆除加层"}
    for name, words in said.items():
        page.fill(f"#need-{name}", words)
    page.fill("#need-report_by", "2030-01-02T10:30")
    for code in departments:
        tick = page.locator(f'#need-parties input[value="{code}"]')
        if tick.count():
            tick.check()
    others = [code for code in departments if not page.locator(f'#need-parties input[value="{code}"]').count()]
    page.select_option("#need-others", others)
    page.click(".move-form button.main")


def alarm(page: Page, kind: str) -> None:
    expect(page.locator(f'#alarm [data-call="{kind}"]').first).to_be_visible(timeout=SOON_MS)


@dataclass
class Four:
    """The clerk, the subdistrict and the offices of both sides, each before the same issue."""

    clerk: Page
    south: Page
    west: Page
    east: Page

    def all(self) -> tuple[Page, ...]:
        return self.clerk, self.south, self.west, self.east

    def see(self, words: str, where: str = "#panel .panel-head") -> None:
        """Look at every screen: these words come by themselves."""
        for page in self.all():
            expect(page.locator(where)).to_contain_text(words, timeout=SOON_MS)


def test_four_people_play_the_house_across_the_line_to_its_end_on_screens_nobody_reloads(
    seat: Callable[..., Page], report: Callable[[], str], office: Flask
) -> None:
    four = Four(*(seat(name) for name in ("operator", "south", "jd", "jd-east")))
    code = report()
    for page in four.all():
        page.click("#tab-issues")
        page.locator(f'#issues [data-code="{code}"]').click()
    safety_first_and_a_refusal(four)
    both_sides_come(four)
    it_ends_when_the_subdistrict_agrees(four, code, office)


def safety_first_and_a_refusal(four: Four) -> None:
    """Send the nearest office before anything is settled; blow, accept, refuse, designate."""
    clerk, south, west, east = four.all()
    say(clerk, "make_safe", reason="加层随时倒塌")
    alarm(east, "make_safe")
    say(east, "made_safe", done="已支护、清场")
    four.see("已支护、清场", "#panel .errand")
    blow(south, "jd", "jd-east")
    alarm(clerk, "answer")
    say(clerk, "accept_whistle", item="W99")
    for page in (west, east):
        alarm(page, "report_in")
    say(east, "refuse", reason="界线西侧的事", ground_of_law="属地管理")
    four.see("已退回")
    say(clerk, "designate", lead="jd-east", document="市指〔2026〕1号", reason="主体在东侧")
    four.see("已派遣")


def both_sides_come(four: Four) -> None:
    """Report in on the spot, sign one record; the light of a side that is done waits for the other."""
    west, east = four.west, four.east
    for page, where in ((west, "jd"), (east, "jd-east")):
        say(page, "report_in", person="队长 老赵")
        four.see("已报到", f'#panel .whistle [data-called="{where}"]')
    say(west, "record_jointly", found="三分之一在西、三分之二在东，均属违建")
    expect(east.locator('#panel .moves [data-move="countersign"]')).to_be_visible(timeout=SOON_MS)
    press(east, "countersign")
    for page in four.all():
        expect(page.locator("#panel [data-joint]")).not_to_contain_text("待签", timeout=SOON_MS)
    say(west, "feed_back", done="西侧已拆除")
    four.see("已签收处置中", '#panel .standing[data-department="jd"]')
    say(east, "feed_back", done="东侧已拆除")
    four.see("待核查")
    four.see("待核查", '#panel .standing[data-department="jd"]')


def it_ends_when_the_subdistrict_agrees(four: Four, code: str, office: Flask) -> None:
    """Inspect on the spot, agree, close, and review whom it called."""
    clerk, south = four.clerk, four.south
    alarm(south, "verify")
    inspector = desk.signed_in(office, "inspector")
    passed = inspector.post(
        f"/api/v1/issues/{code}/moves", json={"move": "pass"}, headers={"X-CSRFToken": desk.csrf(inspector, "/")}
    )
    assert passed.status_code == 200, passed.text
    four.see("核查通过")
    press(south, "agree_whistle")
    south.click(".move-form button.main")
    four.see("已销哨", "#panel .whistle")
    press(clerk, "close")
    four.see("已结案")
    press(south, "review_whistle")
    for department, points in (("jd", "90"), ("jd-east", "60")):
        south.fill(f'#need-scores [data-code="{department}"]', points)
    south.click(".move-form button.main")
    four.see("60", '#panel .whistle [data-called="jd-east"]')


def test_a_closing_before_the_subdistrict_agrees_is_refused_with_a_sentence(
    seat: Callable[..., Page], report: Callable[[], str]
) -> None:
    south, clerk, code = seat("south"), seat("operator"), report()
    for page in (south, clerk):
        page.goto(f"{page.url.split('#')[0]}#issue={code}")
        page.reload()
    blow(south, "jd", type_="emergency")
    expect(clerk.locator("#panel .whistle")).to_contain_text("待报到", timeout=SOON_MS)
    expect(clerk.locator('#panel .moves [data-move="close"]')).to_have_count(0)


def test_the_tab_lists_whistles_by_state_and_who_is_on_duty(
    seat: Callable[..., Page], report: Callable[[], str]
) -> None:
    south, code = seat("south"), report()
    south.goto(f"{south.url.split('#')[0]}#issue={code}")
    south.reload()
    blow(south, "jd-east")
    expect(south.locator("#panel .whistle")).to_contain_text("待受理", timeout=SOON_MS)
    # By the city's clock, wherever the browser stands.
    expect(south.locator("#panel .whistle")).to_contain_text("2030年1月2日 10:30:00")
    expect(south.locator("#panel")).to_be_focused()
    south.keyboard.press("Escape")
    south.click("#tab-whistles")
    expect(south.locator('#whistles [data-state="blown"]')).to_contain_text("拆除加层", timeout=SOON_MS)
    south.click(".roster-fold summary")
    expect(south.locator(".roster-fold")).to_contain_text("队长 老赵")


LOOKS = [("zh", "light", 1400), ("en", "dark", 1400), ("en", "light", 390)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("username", ["south", "jd"])
def test_whistles_are_accessible_and_all_words_are_there(
    seat: Callable[..., Page], report: Callable[[], str], username: str, look: tuple[str, str, int]
) -> None:
    lang, theme, width = look
    code = report()
    south = seat("south", lang=lang)
    south.goto(f"{south.url.split('#')[0]}#issue={code}")
    south.reload()
    blow(south, "jd", "jd-east", type_="emergency")
    page = seat(username, lang=lang, color_scheme=theme, viewport={"width": width, "height": 844})
    page.goto(f"{page.url.split('#')[0]}#issue={code}")
    page.reload()
    expect(page.locator("#panel .whistle")).to_be_visible(timeout=SOON_MS)
    if username == "jd":
        alarm(page, "report_in")
        press(page, "report_in")
    for tab in (None, "#tab-whistles", "#tab-desk"):
        if tab:
            page.keyboard.press("Escape")
            page.click(tab)
            expect(page.locator(tab.replace("tab-", "")).locator("section, p").first).to_be_visible(timeout=SOON_MS)
        assert violations(page) == []
        assert untold(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_the_calls_stand_in_one_line(seat: Callable[..., Page], report: Callable[[], str]) -> None:
    south, code = seat("south"), report()
    south.goto(f"{south.url.split('#')[0]}#issue={code}")
    south.reload()
    blow(south, "jd-east", type_="emergency")
    phone = seat("jd-east", viewport={"width": 390, "height": 844})
    alarm(phone, "report_in")
    boxes = [each.bounding_box() for each in phone.locator("#alarm > *").all()]
    middles = [box["y"] + box["height"] / 2 for box in boxes if box]
    assert max(middles) - min(middles) < 4
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_department_reports_in_by_keyboard_alone(seat: Callable[..., Page], report: Callable[[], str]) -> None:
    south, code = seat("south"), report()
    south.goto(f"{south.url.split('#')[0]}#issue={code}")
    south.reload()
    blow(south, "jd-east", type_="emergency")
    east = seat("jd-east")
    alarm(east, "report_in")
    east.locator('#alarm [data-call="report_in"]').first.focus()
    east.keyboard.press("Enter")
    expect(east.locator("#panel .panel-head")).to_contain_text("井盖", timeout=SOON_MS)
    east.goto(f"{east.url.split('#')[0]}#issue={code}")
    east.reload()
    east.locator('#panel .moves [data-move="report_in"]').focus()
    east.keyboard.press("Enter")
    expect(east.locator("#need-position")).to_be_focused()
    east.keyboard.press("Tab")
    east.keyboard.press("Enter")
    east.locator("#sketch-bar button").first.focus()
    east.keyboard.press("Enter")
    east.locator("#need-person").focus()
    east.keyboard.type("队员 小李")
    east.keyboard.press("Tab")
    east.keyboard.press("Tab")
    east.keyboard.press("Enter")
    expect(east.locator('#panel .whistle [data-called="jd-east"]')).to_contain_text("已报到", timeout=SOON_MS)
