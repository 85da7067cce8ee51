"""The public's pages, over HTTP and in a browser: what they tell, what they never tell, a report's whole way."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, expect
from psycopg2.extras import Json
from sqlalchemy import text

from gis import db
from gis.issues import citizens
from gis.issues.citizens import tries
from tests import town
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, INSPECTOR, WEST
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import Visits, untold, violations

REPORTER = {"name": "王小明", "phone": "13812345678"}
WORDS = "我家门口的井盖坏了，我住 3 号楼"
MANHOLE = "gb:1:0501"
LON, LAT = town.lonlat(1.2, 0.5)
PIN = {"category": MANHOLE, "lon": str(LON), "lat": str(LAT), "accuracy_m": "8"}
numbers = count(700)


@pytest.fixture(scope="module")
def office(office: Flask) -> Flask:
    """Open the public's page, with one issue on it."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('zf', 'ZF', '执法局', 'Enforcement')")
        )
        citizens.show(session, ["gb:0501"], by="chief", now=datetime.now(UTC))
        session.commit()
    return office


@pytest.fixture(autouse=True)
def fresh(office: Flask) -> None:
    """Forget who tried: all tests come from one address."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(text("DELETE FROM public_try"))
        session.commit()


@pytest.fixture
def code(office: Flask) -> str:
    """Put one issue of the last days on the public's map."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        at = datetime.now(UTC) - timedelta(days=2)
        way = looped.plain(session, next(numbers), reporter=Json(REPORTER), reported_at=at, text=WORDS, ground=[WEST])
        session.commit()
        return replace(way, now=at).code


@pytest.fixture
def anybody(office: Flask) -> FlaskClient:
    return office.test_client()


def photo(exif: bool = True) -> bytes:
    kept = Image.Exif()
    kept[0x010E] = "taken at my home"
    written = io.BytesIO()
    Image.new("RGB", (400, 300), "gray").save(written, "JPEG", exif=kept if exif else b"")
    return written.getvalue()


def send(client: FlaskClient, **changes: object) -> tuple[int, str, str]:
    """Send a report; return the status, the text, and where it leads."""
    page = client.get("/public/report/write", query_string=PIN).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page), re.search(r'name="key" value="([^"]+)"', page)
    assert all(found)
    token, key = (each[1] for each in found if each)
    form = PIN | {"csrf_token": token, "key": key, "words": "井盖松动，走过会响"} | changes
    answer = client.post("/public/report", data=form, content_type="multipart/form-data")
    return answer.status_code, answer.text, answer.headers.get("Location", "")


def number_of(page: str) -> str:
    found = re.search(r'id="given">(\w+)<', page)
    assert found
    return found[1]


def rows(office: Flask, sql: str, **params: object) -> list[tuple[object, ...]]:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        return [tuple(row) for row in session.execute(text(sql), params)]


class TestTheDoors:
    def test_where_a_city_does_not_want_it_there_is_none(self, office: Flask, anybody: FlaskClient) -> None:
        wanted = office.extensions["settings"]
        office.extensions["settings"] = replace(wanted, public_page=False)
        try:
            for path in ("/public", "/public/report", "/public/status?number=1"):
                assert anybody.get(path).status_code == 404
        finally:
            office.extensions["settings"] = wanted

    @pytest.mark.parametrize("lang", ["zh", "en"])
    @pytest.mark.parametrize("who", ["", "operator"])
    def test_the_page_tells_nothing_of_anybody(self, office: Flask, code: str, who: str, lang: str) -> None:
        client = desk.signed_in(office, who) if who else office.test_client()
        told = client.get(f"/public?lang={lang}")
        assert told.status_code == 200
        assert "井盖" in told.text or "Manhole" in told.text
        for private in (*REPORTER.values(), WORDS, code, "3 号楼"):
            assert private not in told.text

    def test_it_carries_its_approval_number(self, office: Flask, anybody: FlaskClient) -> None:
        wanted = office.extensions["settings"]
        office.extensions["settings"] = replace(wanted, map_approval="浙S(2026)1号")
        try:
            assert "浙S(2026)1号" in anybody.get("/public").text
        finally:
            office.extensions["settings"] = wanted

    def test_the_map_of_the_page_needs_no_account(self, anybody: FlaskClient) -> None:
        assert anybody.get("/public/tiles/1/zh/14/13700/6700.mvt").status_code == 200


class TestANumber:
    def test_it_tells_the_stage_and_nothing_else(self, anybody: FlaskClient, code: str) -> None:
        told = anybody.get(f"/public/status?number={code}&lang=zh").text
        assert "已派遣" in told
        for private in (*REPORTER.values(), WORDS, "井盖", "cg", "城管局"):
            assert private not in re.sub(r"<(script|head).*?</\1>", "", told, flags=re.DOTALL)

    def test_one_that_is_none_is_refused_with_a_sentence(self, anybody: FlaskClient) -> None:
        told = anybody.get("/public/status?number=990101999999&lang=zh")
        assert (told.status_code, "没有找到" in told.text) == (404, True)

    def test_who_tries_one_after_the_other_is_stopped(self, anybody: FlaskClient) -> None:
        answers = [anybody.get(f"/public/status?number=9{n}") for n in range(tries.FREE[tries.STATUS] + 1)]
        assert {each.status_code for each in answers[:-1]} == {404}
        assert (answers[-1].status_code, int(answers[-1].headers["Retry-After"]) > 3000) == (429, True)


class TestAReport:
    def test_it_waits_for_somebody_to_look_at_it(self, office: Flask, anybody: FlaskClient) -> None:
        status, _, leads_to = send(anybody)
        assert status == 302
        number = number_of(anybody.get(leads_to).text)
        found = rows(office, "SELECT state, source FROM issue WHERE code = :code", code=number)
        assert found == [("collected", "public")]

    def test_its_photo_is_drawn_anew_without_what_was_hidden_in_it(self, office: Flask, anybody: FlaskClient) -> None:
        _, _, leads_to = send(anybody, photos=(io.BytesIO(photo()), "我家.jpg"))
        number = number_of(anybody.get(leads_to).text)
        sql = "SELECT sha256, name FROM photo JOIN issue ON issue.id = issue_id WHERE code = :code"
        [(sha256, name)] = rows(office, sql, code=number)
        kept = office.extensions["settings"].var_dir / "photos" / str(sha256)[:2] / f"{sha256}.jpg"
        assert (name, b"my home" in kept.read_bytes()) == ("1.jpg", False)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"words": "坏"}, "个字"), ({"lon": "abc"}, "地图"), ({"category": "gb:1:0000"}, "类别"),
            ({"website": "http://x"}, "留空"), ({"photos": (io.BytesIO(b"no image"), "a.jpg")}, "1.jpg"),
        ],
    )  # fmt: skip
    def test_what_will_not_do_is_said(self, anybody: FlaskClient, changes: dict[str, object], said: str) -> None:
        anybody.set_cookie("lang", "zh")
        status, told, _ = send(anybody, **changes)
        assert (status, said in told) == (400, True)

    def test_what_was_written_is_still_there(self, anybody: FlaskClient) -> None:
        _, told, _ = send(anybody, words="很长的说明", photos=(io.BytesIO(b"no image"), "a.jpg"), phone="10086")
        assert "很长的说明" in told
        assert "10086" in told

    def test_the_other_language_of_what_was_refused_is_the_page_of_the_same_place(self, anybody: FlaskClient) -> None:
        _, told, _ = send(anybody, words="短")
        link = told.split('id="language" href="')[1].split('"')[0].replace("&amp;", "&")
        assert anybody.get(link).text.count(f'value="{PIN["lon"]}"') == 1

    def test_without_the_forms_own_sign_it_is_refused(self, anybody: FlaskClient) -> None:
        assert anybody.post("/public/report", data=PIN | {"words": "井盖松动", "key": "k" * 32}).status_code == 400

    def test_a_flood_from_one_address_is_stopped(self, anybody: FlaskClient) -> None:
        answers = [send(anybody)[0] for _ in range(tries.FREE[tries.REPORT] + 1)]
        assert (set(answers[:-1]), answers[-1]) == ({302}, 429)

    def test_its_link_leads_to_an_answer_when_it_is_closed(self, office: Flask, anybody: FlaskClient) -> None:
        link = send(anybody)[2].split("?")[0]
        number = number_of(anybody.get(f"{link}?new=1").text)
        assert "评价" not in anybody.get(f"{link}?lang=zh").text
        with db.session(office.extensions["engine"], db.EVERYTHING) as session:
            closed = "UPDATE issue SET state = 'closed', closed_at = now() WHERE code = :code"
            session.execute(text(closed), {"code": number})
            session.commit()
        page = anybody.get(f"{link}?lang=zh").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        answer = anybody.post(link, data={"csrf_token": token[1]}, follow_redirects=True)
        assert (answer.status_code, answer.request.path.startswith("/answer/")) == (200, True)

    @pytest.mark.usefixtures("code")
    def test_the_same_thing_near_by_is_shown_before_and_me_too_counts(self, anybody: FlaskClient) -> None:
        lon, lat = town.lonlat(1.0, 0.5)
        asked = {"category": MANHOLE, "lon": lon, "lat": lat, "lang": "zh"}
        page = anybody.get("/public/report/write", query_string=asked).text
        handle = re.search(r'name="known" value="([^"]+)"', page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert handle
        assert token
        assert "2 天前" in page
        form = {"known": handle[1], "csrf_token": token[1]}
        assert anybody.post("/public/me-too", data=form).status_code == 200
        assert "附议" in anybody.get("/public/report/write", query_string=asked).text

    def test_a_handle_that_was_made_up_counts_nothing(self, anybody: FlaskClient) -> None:
        form = {"known": "1", "csrf_token": desk.csrf(anybody)}
        assert anybody.post("/public/me-too", data=form).status_code == 400


@pytest.fixture
def look(visits: Visits) -> Callable[..., Page]:
    """Open a page as anybody, in a theme and at a width, with scripts or without."""
    return partial(visits.go, width=360, locale="zh-CN")


WRITE = f"/public/report/write?category={MANHOLE}&lon={LON}&lat={LAT}"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/public?", "/public/report?", f"{WRITE}&"])
def test_everybody_can_read_it_on_a_telephone(
    look: Callable[..., Page], code: str, path: str, theme: str, lang: str
) -> None:
    page = look(f"{path}lang={lang}", theme=theme)
    assert violations(page) == []
    assert untold(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_nothing_sticks_out_sideways(look: Callable[..., Page], code: str, width: int) -> None:
    assert look("/public", width=width).evaluate("document.documentElement.scrollWidth") <= width


def test_a_square_on_the_map_tells_what_lies_in_it(look: Callable[..., Page], code: str) -> None:
    page = look("/public?lang=zh", width=1280)
    page.locator(".leaflet-circles-pane path").first.click(force=True)
    expect(page.locator("#square")).to_contain_text("井盖")


def test_a_report_with_a_pin_and_a_photo_reaches_the_operator_and_its_stage_is_told(
    office: Flask, site: Site, look: Callable[..., Page]
) -> None:
    page = look("/public/report?lang=zh")
    page.select_option("#category", MANHOLE)
    page.locator("#map_main").click(position={"x": 120, "y": 140})
    expect(page.locator("#pin-said")).to_contain_text("已点选")
    page.get_by_role("button", name="下一步").click()
    page.fill("#words", "井盖松动，走过会响")
    page.set_input_files("#photos", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.fill("#phone", REPORTER["phone"])
    page.get_by_role("button", name="提交").click()
    number, link = page.inner_text("#given"), page.inner_text("#link")
    assert link.startswith(f"{site.url}/public/follow/")
    operator = desk.signed_in(office)
    seen = operator.get(f"/map/issues/{number}")
    assert (seen.status_code, "井盖松动" in seen.text) == (200, True)
    page.goto(f"{site.url}/public")
    page.fill("#number", number)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#stage")).to_have_text("已受理")
    assert REPORTER["phone"] not in page.content()
    assert "走过会响" not in page.content()


def test_a_report_by_address_needs_no_script(office: Flask, look: Callable[..., Page]) -> None:
    lon, lat = town.lonlat(1.5, 0.5)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        session.execute(
            text("""
            INSERT INTO address (source, external_id, street_name, house_number, estate_name, building_number, key,
                                 geom)
            VALUES ('t', '1', '人民路', '12号', '', '', '人民路|12', ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
            ON CONFLICT DO NOTHING
            """),
            {"lon": lon, "lat": lat},
        )
        session.execute(
            text("""
            INSERT INTO ground_version (layer, version) VALUES ('address', 1)
            ON CONFLICT (layer) DO UPDATE SET version = ground_version.version + 1
            """)
        )
        session.commit()
    page = look("/public/report?lang=zh", java_script_enabled=False)
    page.select_option("#category", MANHOLE)
    page.fill("#address", "人民路12号")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.fill("#words", "井盖松动，走过会响")
    page.get_by_role("button", name="提交").click()
    number = page.inner_text("#given")
    found = rows(office, "SELECT located, round(ST_X(point_geom)::numeric, 4) FROM issue WHERE code = :c", c=number)
    assert [(located, float(str(x))) for located, x in found] == [(True, round(lon, 4))]


def test_a_number_is_looked_up_without_a_script(look: Callable[..., Page], code: str) -> None:
    page = look("/public?lang=zh", java_script_enabled=False)
    page.fill("#number", code)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#stage")).to_have_text("已派遣")


def test_closed_work_is_told_as_closed(office: Flask, look: Callable[..., Page], code: str) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        issue_id = session.scalar(text("SELECT id FROM issue WHERE code = :code"), {"code": code})
        way = looped.Way(session, code, int(issue_id), datetime.now(UTC) - timedelta(hours=2))
        way.after(("sign", CG), ("feed_back", CG, {"done": "好"}), ("pass", INSPECTOR), ("close", CHIEF))
        session.commit()
    expect(look(f"/public/status?number={code}&lang=zh").locator("#stage")).to_have_text("已办结")
