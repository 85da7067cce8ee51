"""What the panel and programs are told of limits, and the condition an operator chooses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import text

from gis import db
from gis.issues import intake, standards
from gis.issues.reports import CategoryKey, Report
from gis.issues.standards import Condition, Reading, Title
from gis.issues.worktime import URGENT_HOUR, Limit
from gis.people import accounts
from tests import town
from tests.web import desk
from tests.web.conftest import Site
from tests.web.visits import fill_in, violations

SAID = "尽快"


@pytest.fixture(scope="module")
def codes(office: Flask) -> dict[str, str]:
    """Put a standard in force; file an issue under a condition, and one without."""
    now = datetime.now(UTC)
    texts = (("井盖缺失", "Cover missing", Limit(Fraction(2), URGENT_HOUR), "2紧急工作时"), ("井盖响", "", None, SAID))
    conditions = tuple(
        Condition("0501", nth, zh, en, limit, said, "恢复", "Back in place")
        for nth, (zh, en, limit, said) in enumerate(texts, start=1)
    )
    lon, lat = town.lonlat(0.25, 0.25)
    filed = {}
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        standards.load(session, Title("city", "1", "gb", "1"), Reading(conditions, (), 2), by="wu", now=now)
        standards.activate(session, "city", "1", date(2024, 1, 1))
        for name, condition in (("timed", 1), ("bare", None)):
            report = Report("12345", name, CategoryKey("gb", "1", "0501"), name, now, {"lon": lon, "lat": lat})
            report = Report(**{**vars(report), "condition": condition})
            filed[name] = intake.accept(session, report, by="test", now=now).code
        session.commit()
    return filed


@pytest.fixture
def operator(office: Flask, codes: dict[str, str]) -> FlaskClient:
    return desk.signed_in(office)


def told(client: FlaskClient, path: str, **query: str) -> Any:
    answer = client.get(path, query_string=query, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize("path", ["/api/v1/issues/{}", "/map/issues/{}"])
def test_an_issue_tells_its_clock_with_the_reason(operator: FlaskClient, codes: dict[str, str], path: str) -> None:
    answer = told(operator, path.format(codes["timed"]), lang="en")
    [clock] = answer["clocks"]
    assert (clock["name"], clock["state"], clock["limit_said"]) == ("handle", "running", "2 urgent hours")
    assert clock["explanation"] == [
        "By the standard city 1, 0501 condition 1 “Cover missing”: limit 2 urgent hours.",
        "Counted round the clock, holidays included.",
        "It may be closed when: Back in place.",
    ]


def test_without_a_condition_the_clock_says_why_there_is_none(operator: FlaskClient, codes: dict[str, str]) -> None:
    [clock] = told(operator, f"/api/v1/issues/{codes['bare']}", lang="zh")["clocks"]
    assert (clock["state"], clock["due_at"], clock["reason"]["code"]) == ("unset", None, "clock.no_condition")
    assert clock["explanation"] == ["没有处置时限：还没有选定立案条件。标准 city 1 对 0501 有 2 条，时限各不相同。"]


def test_the_conditions_to_choose_from_are_told_with_their_limits(operator: FlaskClient, codes: dict[str, str]) -> None:
    found = told(operator, f"/api/v1/issues/{codes['bare']}/conditions", lang="zh")["conditions"]
    assert [(each["number"], each["limit"], each["limit_said"]) for each in found] == [
        (1, "2 紧急工作时", "2紧急工作时"),
        (2, None, SAID),
    ]


def test_lists_are_asked_by_due_time(operator: FlaskClient, codes: dict[str, str]) -> None:
    for path in ("/api/v1/issues", "/map/rows"):
        answer = told(operator, path, dues="later", order="due")
        assert [row["code"] for row in answer.get("issues", answer.get("rows"))] == [codes["timed"]]
    counts = told(operator, "/map/state", dues="unset")["counts"]["due"]
    assert counts == {"later": 1, "unset": 1}


def test_an_order_there_is_not_is_refused_with_a_sentence(operator: FlaskClient) -> None:
    assert operator.get("/api/v1/issues?order=x").status_code == 400


@pytest.mark.parametrize("said", [None, 0, "2", True, 1.5])
def test_a_condition_that_is_no_number_is_refused(office: Flask, codes: dict[str, str], said: object) -> None:
    answer = office.test_client().post(
        f"/api/v1/issues/{codes['bare']}/condition", json={"condition": said}, headers=_key(office, "operator")
    )
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "report.not_a_number")


@pytest.mark.parametrize(("role", "status"), [("planner", 403), ("leader", 403)])
def test_only_those_who_decide_choose_a_condition(
    office: Flask, codes: dict[str, str], role: str, status: int
) -> None:
    path = f"/api/v1/issues/{codes['bare']}/condition"
    assert office.test_client().post(path, json={"condition": 1}, headers=_key(office, role)).status_code == status


def _key(office: Flask, role: str) -> dict[str, str]:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        key = accounts.issue_token(session, role, "test", now=desk.LONG_AGO)
        session.commit()
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(("language", "words"), [("zh", ("剩 1 小时", "无期限")), ("en", ("1 h", "no due time"))])
def test_the_page_shows_the_time_left_in_words_and_by_a_shape(
    page: Page, site: Site, codes: dict[str, str], language: str, words: tuple[str, str]
) -> None:
    enter(page, site, language)
    timed, bare = (page.locator(f'#issues [data-code="{codes[name]}"]') for name in ("timed", "bare"))
    expect(timed.locator(".clock-badge")).to_contain_text(words[0])
    expect(timed.locator(".clock-badge svg circle")).to_have_count(1)
    expect(bare.locator(".clock-badge")).to_have_count(0)
    bare.click()
    expect(page.locator("#panel .badges .clock-badge")).to_have_text(words[1])


def test_the_list_is_put_in_the_order_of_due_times_and_filtered(page: Page, site: Site, codes: dict[str, str]) -> None:
    enter(page, site)
    first = page.locator("#issues [data-code]").first
    expect(first).to_have_attribute("data-code", codes["bare"])
    page.select_option("#order", "due")
    expect(first).to_have_attribute("data-code", codes["timed"])
    page.locator(".facet-dues label", has_text="未到期").click()
    expect(page.locator("#issues [data-code]")).to_have_count(1)
    assert "dues=later" in page.url
    assert "order=due" in page.url


def test_an_operator_chooses_the_condition_and_the_clock_starts(
    page: Page, site: Site, codes: dict[str, str]
) -> None:
    enter(page, site)
    page.locator(f'#issues [data-code="{codes["bare"]}"]').click()
    page.locator(".conditions label", has_text="井盖缺失").click()
    page.locator(".conditions button").click()
    expect(page.locator("#panel .clock-head .clock-badge")).to_contain_text("剩 1 小时")
    expect(page.locator("#panel .history")).to_contain_text("立案条件定为第 1 条")


def test_who_asks_for_what_is_overdue_sees_the_longest_first_however_old_it_is(
    page: Page, office: Flask, site: Site, codes: dict[str, str]
) -> None:
    lon, lat = town.lonlat(0.25, 0.25)
    long_ago = datetime.now(UTC) - timedelta(days=25)
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        report = Report("12345", "old", CategoryKey("gb", "1", "0501"), "old", long_ago, {"lon": lon, "lat": lat})
        old = intake.accept(session, report, by="test", now=long_ago).code
        late = "UPDATE issue SET due_at = :at, warn_at = :at WHERE code = :code"
        session.execute(text(late), {"at": long_ago + timedelta(days=5), "code": old})
        session.commit()
    enter(page, site)
    page.locator(".facet-dues label", has_text="已超期").click()
    expect(page.locator("#issues [data-code]").first).to_have_attribute("data-code", old)
    expect(page.locator("#days-all")).to_be_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_limits_are_accessible_late_and_early_in_both_themes(
    page: Page, office: Flask, site: Site, codes: dict[str, str], theme: str
) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        late = "UPDATE issue SET due_at = now() - :ago * interval '1 day', warn_at = now() - interval '9 days'"
        session.execute(text(f"{late} WHERE code = :code"), {"ago": 3, "code": codes["bare"]})
        session.execute(text(f"{late} WHERE code = :code"), {"ago": -1, "code": codes["timed"]})
        session.commit()
    enter(page, site)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    expect(page.locator(f'#issues [data-code="{codes["bare"]}"] .due-overdue')).to_contain_text("超 3 天 0 小时")
    expect(page.locator(f'#issues [data-code="{codes["timed"]}"] .due-soon')).to_contain_text("剩 23 小时")
    assert violations(page) == []
    page.locator(f'#issues [data-code="{codes["timed"]}"]').click()
    expect(page.locator("#panel .clocks")).to_be_visible()
    assert violations(page) == []


def enter(page: Page, site: Site, language: str = "zh") -> None:
    """Sign in as the operator."""
    page.goto(f"{site.url}/sign-in?lang={language}")
    fill_in(page, "operator")
    expect(page.locator("#live")).to_have_attribute("data-state", "open", timeout=30_000)
