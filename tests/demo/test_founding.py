"""The demo city in a database: everything goes through the product's own doors, and a second time changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gis import db
from gis.demo import city, crew, day, founding, history, roster
from gis.demo.city import City
from gis.issues import lateness
from gis.issues.messages import notices
from gis.people import accounts
from gis.settings import Settings
from gis.territory import locate, places
from tests import conftest

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
TODAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def installation(server: Settings, template: str) -> Iterator[Settings]:
    with conftest._copied(server, template) as copied:
        yield copied


@pytest.fixture(scope="module")
def founded(installation: Settings, hechuan: City) -> Iterator[Engine]:
    engine = db.connect(installation)
    _found(engine, installation, hechuan)
    yield engine
    engine.dispose()


def _found(engine: Engine, settings: Settings, hechuan: City) -> list[str]:
    """Take every step that is not done yet; return their names."""
    work = founding.Founding(settings, NOW)
    work.__dict__["city"] = hechuan
    taken = []
    for step in work.steps():
        with db.session(engine, db.EVERYTHING) as session:
            if not step.is_done(session):
                step.do(session)
                session.commit()
                taken.append(step.code)
    return taken


def _ask(engine: Engine, sql: str, **values: object) -> Any:
    with db.session(engine, db.EVERYTHING) as session:
        return session.scalar(text(sql), values)


def _issue(engine: Engine, external_id: str) -> Any:
    with db.session(engine, db.EVERYTHING) as session:
        return session.execute(text("SELECT * FROM issue WHERE external_id = :id"), {"id": external_id}).one()


def test_a_city_of_300_cells_is_founded_to_the_end(server: Settings, template: str) -> None:
    with conftest._copied(server, template) as settings:
        engine = db.connect(settings)
        steps = _found(engine, settings, city.make(cells=300))
        assert steps[-2:] == ["demo.platforms", "demo.public"]
        assert _ask(engine, "SELECT count(*) FROM issue WHERE lead IS NOT NULL") > 0.9 * history.ISSUES
        engine.dispose()


def test_founding_a_second_time_does_nothing(founded: Engine, installation: Settings, hechuan: City) -> None:
    assert _found(founded, installation, hechuan) == []


def test_every_place_of_the_city_is_in_the_database(founded: Engine, hechuan: City) -> None:
    for kind, table in hechuan.places().items():
        name = {"addresses": "address", "land": "land"}.get(kind, kind.removesuffix("s"))
        assert _ask(founded, f"SELECT count(*) FROM {name}") == len(table), kind


def test_the_gap_and_the_overlap_are_faults_on_record(founded: Engine) -> None:
    kinds = _ask(founded, "SELECT array_agg(DISTINCT kind) FROM fault")
    assert {"gap", "overlap", "exclave"} <= set(kinds)


@pytest.mark.parametrize("flag", ["gap", "overlap"])
def test_a_point_on_contested_ground_says_so(founded: Engine, hechuan: City, flag: str) -> None:
    point = hechuan.specials[flag]
    with db.session(founded, db.EVERYTHING) as session:
        found = locate.at(session, locate.parse({"lon": point.x, "lat": point.y}), TODAY)
    assert f"in_{flag}" in found.flags


def test_seven_houses_straddle_two_districts(founded: Engine) -> None:
    with db.session(founded, db.EVERYTHING) as session:
        edition = session.scalar(text("SELECT id FROM edition WHERE net = 'admin'"))
        found = places.straddlers(session, edition, "district", "building")
    assert len(found) == 7


def test_the_house_across_the_line_calls_both_districts(founded: Engine) -> None:
    issue = _issue(founded, "S00001")
    assert "straddles" in issue.flags
    assert {"JD-690102003", "ZF-690102", "ZF-690103"} <= set(issue.departments)


def test_the_agreement_for_the_exclave_names_the_other_district(founded: Engine) -> None:
    issue = _issue(founded, "S00004")
    assert issue.lead == "HW-690103"
    basis = _ask(founded, "SELECT answer->>'basis' FROM decision WHERE issue_id = :id", id=issue.id)
    assert basis == "agreement"


def test_a_fix_at_zero_zero_is_nobodys_ground(founded: Engine) -> None:
    assert _issue(founded, "S00006").state == "to_locate"


def test_most_of_the_month_is_located_and_dispatched(founded: Engine) -> None:
    waiting = _ask(founded, "SELECT count(*) FROM issue WHERE state IN ('to_locate', 'filed') OR lead IS NULL")
    assert waiting < 0.1 * _ask(founded, "SELECT count(*) FROM issue")


def test_nobodys_bell_rings_of_what_was_before(founded: Engine) -> None:
    with db.session(founded, db.EVERYTHING) as session:
        names = session.scalars(text("SELECT username FROM account")).all()
        people = [accounts.who(session, accounts.get(session, name), TODAY) for name in names]
        rings = [who.username for who in people if notices.unread(session, who)]
        assert (rings, lateness.find(session, NOW, 1)) == ([], [])


def test_issues_of_the_month_are_in_every_state_of_the_road(founded: Engine) -> None:
    states = set(_ask(founded, "SELECT array_agg(DISTINCT state) FROM issue"))
    assert {"dispatched", "handling", "closed", "evaluated"} <= states
    assert states & {"fed_back", "inspected"}


def test_what_the_visitors_departments_are_called_to_lately_is_left_to_them(founded: Engine) -> None:
    spared = _ask(founded, "SELECT array_agg(department) FROM account WHERE role = 'department'")
    assert len(spared) == 3
    moved = "SELECT count(*) FROM move JOIN issue ON issue.id = issue_id WHERE department = ANY(:spared)"
    assert _ask(founded, moved + " AND reported_at > :lately", spared=spared, lately=NOW - crew.LATELY) == 0


def test_the_house_across_the_line_waits_for_its_two_sides(founded: Engine) -> None:
    issue = _issue(founded, "S00001")
    sides = _ask(founded, "SELECT array_agg(department) FROM party WHERE issue_id = :id AND mandatory", id=issue.id)
    assert issue.state == "dispatched"
    assert {code.split("-")[1][:6] for code in sides} == {"690100", "690102", "690103"}


def test_what_was_dangerous_was_made_safe_before_it_was_closed(founded: Engine) -> None:
    sent = "SELECT count(*) FROM errand JOIN issue ON issue.id = issue_id WHERE kind = 'make_safe'"
    assert _ask(founded, sent + " AND issue.closed_at > errand.done_at") > 0
    assert _ask(founded, sent + " AND issue.closed_at IS NOT NULL AND errand.done_at IS NULL") == 0


def test_every_clock_of_the_month_has_an_end_or_says_why_not(founded: Engine) -> None:
    counted = "SELECT count(*) FROM clock WHERE name = 'handle' AND {}"
    timed = _ask(founded, counted.format("due_at IS NOT NULL"))
    why = _ask(founded, "SELECT array_agg(DISTINCT reason->>'code') FROM clock WHERE due_at IS NULL")
    assert timed > 0.7 * _ask(founded, "SELECT count(*) FROM issue")
    assert set(why) <= {"clock.no_condition", "clock.waits_for_place"}


def test_what_the_hotline_hands_over_is_to_be_signed_contacted_and_answered(founded: Engine) -> None:
    of_orders = "SELECT count(DISTINCT issue_id) FROM clock WHERE name = '{}' AND due_at IS NOT NULL"
    timed = {name: _ask(founded, of_orders.format(name)) for name in ("sign", "contact", "reply")}
    orders = _ask(founded, "SELECT count(*) FROM issue WHERE work_order IS NOT NULL")
    assert timed == dict.fromkeys(timed, orders)
    assert orders > 0


def test_the_leader_signs_in_and_answers_for_one_grid(founded: Engine, hechuan: City) -> None:
    with db.session(founded, db.EVERYTHING) as session:
        account = accounts.verify(session, "leader", roster.PASSWORD, address="127.0.0.1", now=NOW)
        assert account is not None
        scope = accounts.scope_of(session, account, TODAY)
    assert scope.units == (("governance", "grid", roster.patch(hechuan)),)


def test_every_grid_has_a_leader_and_every_named_street_a_chief(founded: Engine, hechuan: City) -> None:
    leaders = _ask(founded, "SELECT count(DISTINCT unit_code) FROM responsibility_area WHERE role = 'grid_leader'")
    chiefs = _ask(founded, "SELECT count(*) FROM responsibility_area WHERE role IN ('street_chief', 'lane_chief')")
    assert leaders == len(hechuan.boundaries["grid"])
    assert chiefs == (hechuan.streets["name"] != "").sum()


def test_a_live_report_becomes_an_issue_at_once(founded: Engine, installation: Settings, hechuan: City) -> None:
    before = _ask(founded, "SELECT count(*) FROM issue")
    feed = day.Feed(founded, replace(installation), clock=lambda: NOW + timedelta(minutes=5), wait=lambda _s: None)
    filed = list(day.live(hechuan, feed, reports_n=3))
    assert [accepted.known for accepted in filed] == [False, False, False]
    assert _ask(founded, "SELECT count(*) FROM issue") == before + 3


def test_every_subdistrict_has_a_platform_on_duty(founded: Engine) -> None:
    units = "SELECT count(*) FROM unit JOIN edition ON edition.id = edition_id WHERE level = 'subdistrict'"
    staffed = _ask(founded, "SELECT count(DISTINCT unit_code) FROM roster_entry")
    assert staffed == _ask(founded, f"{units} AND edition.state = 'active'")


def test_whistles_are_blown_and_some_are_answered(founded: Engine) -> None:
    with db.session(founded, db.EVERYTHING) as session:
        states = set(session.scalars(text("SELECT state FROM whistle")))
    assert {"blown", "called"} <= states


@pytest.mark.parametrize("username", ["street", "street2"])
def test_each_side_of_the_house_has_somebody_who_blows_whistles(founded: Engine, username: str) -> None:
    with db.session(founded, db.EVERYTHING) as session:
        who = accounts.who(session, accounts.get(session, username), TODAY)
        unit = ":".join(who.scope.units[0])
        assert unit in _issue(founded, roster.HOUSE).ground
