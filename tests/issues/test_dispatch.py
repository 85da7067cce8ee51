"""Deciding on the real ground, and writing who was called. The walk: agreement added, next issue follows it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from psycopg2.extras import Json
from shapely.geometry import mapping
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.issues import agreements, categories, dispatch, drafts, duty_lists, explain, findings, replay
from gis.issues.duties import Rule
from gis.issues.jurisdiction import Case, Decision, PartyCall
from gis.people import departments
from gis.settings import Settings
from gis.territory import locate, units
from gis.territory.location import Place
from tests import town
from tests.issues import filed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ON = date(2026, 6, 1)
SETTINGS = Settings()
WEST, EAST = "admin:district:990101", "admin:district:990102"
CASE = Case("cg", "E0101", "E01")
pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def city(session: Session) -> None:
    town.build(session)
    filed.people(session)
    categories.load(session, categories.DATA / "cg-2013.csv")
    west, east = (units.get(session, "admin", "district", code, ON) for code in ("990101", "990102"))
    below = [unit for district in (west, east) for unit in units.children(session, district, ON)]
    departments.establish(session, [west, east, *below])
    rules = duty_lists.read(session, duty_lists.DATA / "demo.csv")
    duty_lists.load(session, ("demo", "1"), rules, by="ann", now=NOW)
    duty_lists.activate(session, ("demo", "1"), date(2026, 1, 1), by="bob", now=NOW)


def place(x: float, y: float) -> Place:
    return Place("point", town.at(x, y))


def decide(session: Session, x: float, y: float, case: Case = CASE, on: date = ON) -> Decision:
    return dispatch.decide(session, case, locate.at(session, place(x, y), on), SETTINGS)


def file(session: Session, nth: int, x: float, y: float, case: Case = CASE) -> int:
    """File an issue with its finding and its first decision."""
    found = locate.at(session, place(x, y), ON)
    issue_id = filed.issue(session, nth, x, y, category=case.category, reported_at=datetime(2026, 6, 1, tzinfo=UTC))
    session.execute(
        text("INSERT INTO finding VALUES (:id, 1, :found, :now, 'ann')"),
        {"id": issue_id, "found": Json(found.as_dict()), "now": NOW},
    )
    decision = dispatch.decide(session, case, found, SETTINGS)
    dispatch.assign(session, dispatch.Call(issue_id, 1, case, decision), by="ann", now=NOW)
    return issue_id


def code_of(session: Session, issue_id: int) -> str:
    return session.scalar(text("SELECT code FROM issue WHERE id = :id"), {"id": issue_id})


def agree(session: Session, **changes: object) -> str:
    said = {
        "title": "沿河路",
        "geometry": mapping(town.field(1.9, 0, 2.1, 1)),
        "parties": [WEST, EAST],
        "lead": EAST,
        "valid_from": "2026-01-01",
    } | changes
    return agreements.add(session, drafts.parse(said), by="ann", now=NOW)


def test_an_issue_inside_a_subdistrict_goes_to_its_office(session: Session) -> None:
    assert decide(session, 0.5, 0.5).lead_department == "JD-990101001"


def test_an_issue_on_the_district_border_calls_both_sides(session: Session) -> None:
    called = decide(session, 2, 0.5).departments
    assert {"JD-990101001", "JD-990102001", "ZF-990101", "ZF-990102"} <= set(called)


def test_the_neighbour_of_a_point_near_the_line_is_informed(session: Session) -> None:
    decision = decide(session, 1.99, 0.5, Case("cg", "E0113", "E01"))
    assert {p.department: p.why for p in decision.parties}["JD-990102001"] == "party.informed"


def test_the_next_issue_follows_an_agreement_that_was_added(session: Session) -> None:
    before = decide(session, 1.95, 0.5)
    agree(session)
    after = decide(session, 1.95, 0.5)
    assert (before.lead_department, after.lead_department) == ("JD-990101001", "ZF-990102")


def test_after_its_last_day_an_agreement_leads_nobody(session: Session) -> None:
    agree(session, valid_to="2026-05-01")
    assert decide(session, 1.95, 0.5).basis == "incident"


def test_a_list_answers_for_its_own_dates(session: Session) -> None:
    assert decide(session, 0.5, 0.5, on=date(2025, 6, 1)).lead_department == SETTINGS.general_desk


def test_a_registered_component_is_led_by_its_maintainer(session: Session) -> None:
    session.execute(
        text(
            "INSERT INTO component (source, external_id, category, name, name_en, authority, owner, maintainer, state,"
            " attributes, geom) VALUES ('t', '1', 'P0101', '井', 'Manhole', '水务局', '宏达自来水公司',"
            " '宏达自来水公司', 'intact', '{}', ST_GeomFromText(:point, 4326))"
        ),
        {"point": town.at(2.0001, 0.5).wkt},
    )
    decision = decide(session, 2, 0.5, Case("cg", "P0101", "P01"))
    assert (decision.basis, decision.lead_department) == ("owner", "ZLS")


def test_many_are_decided_as_each_alone(session: Session) -> None:
    agree(session)
    spots = [(0.5, 0.5), (2, 0.5), (1.95, 0.5), (3, 1)]
    questions = [(CASE, locate.at(session, place(*spot), ON)) for spot in spots]
    assert dispatch.decide_many(session, questions, SETTINGS) == [decide(session, *spot) for spot in spots]


def test_an_assigned_issue_knows_its_lead_and_its_departments(session: Session) -> None:
    issue_id = file(session, 1, 2, 0.5)
    row = session.execute(text("SELECT lead, departments FROM issue WHERE id = :id"), {"id": issue_id}).one()
    parties = session.execute(text("SELECT department, role FROM party ORDER BY department")).all()
    assert row.lead == row.departments[0]
    assert [p.department for p in parties] == sorted(row.departments)
    assert [p.department for p in parties if p.role == "lead"] == [row.lead]


def test_a_second_decision_is_added_and_the_first_stays(session: Session) -> None:
    issue_id = file(session, 1, 2, 0.5)
    dispatch.designate(session, code_of(session, issue_id), dispatch.Ruling(WEST, "chief", NOW), SETTINGS)
    kept = session.execute(text("SELECT version, basis, lead FROM decision ORDER BY version")).all()
    assert [(row.version, row.basis) for row in kept] == [(1, "consultation"), (2, "designation")]
    assert session.scalar(text("SELECT lead FROM issue")) == kept[1].lead == "JD-990101001"


def test_a_unit_that_is_none_cannot_be_designated(session: Session) -> None:
    issue_id = file(session, 1, 2, 0.5)
    code, ruling = code_of(session, issue_id), dispatch.Ruling("admin:district:999999", "chief", NOW)
    with pytest.raises(NotFound):
        dispatch.designate(session, code, ruling, SETTINGS)


def test_a_ruling_is_told_in_the_journal(session: Session) -> None:
    issue_id = file(session, 1, 2, 0.5)
    dispatch.designate(session, code_of(session, issue_id), dispatch.Ruling(WEST, "chief", NOW), SETTINGS)
    entry = session.execute(text("SELECT kind, actor, params FROM entry")).one()
    assert tuple(entry) == ("designated", "chief", {"unit": WEST})


def test_a_finding_is_read_back_as_it_decided(session: Session) -> None:
    issue_id = file(session, 1, 2, 0.5)
    asked = findings.get(session, code_of(session, issue_id))
    assert dispatch.decide(session, asked.case, asked.location, SETTINGS) == asked.decision


class TestExplaining:
    @pytest.mark.parametrize(("locale", "words"), [("zh", "会商"), ("en", "consult")])
    def test_the_reasoning_is_told_in_both_languages(self, session: Session, locale: str, words: str) -> None:
        issue_id = file(session, 1, 2, 0.5)
        told = explain.get(session, code_of(session, issue_id))
        assert words in " ".join(explain.sentences(told.decision, locale))

    def test_parties_are_told_with_their_names(self, session: Session) -> None:
        issue_id = file(session, 1, 0.5, 0.5)
        lead = explain.get(session, code_of(session, issue_id)).parties[0]
        assert (lead.department, lead.role, lead.name_zh) == ("JD-990101001", "lead", "subdistrict 990101001办事处")

    def test_an_unknown_issue_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            explain.get(session, "none")


class TestDryRun:
    START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)

    def asked(self, session: Session, **changes: object) -> replay.Outcome:
        return replay.run(session, replay.Question(self.START, self.END, **changes), SETTINGS)  # type: ignore[arg-type]

    def drafted(self, session: Session, *rules: Rule) -> replay.Outcome:
        duty_lists.load(session, ("demo", "2"), rules, by="ann", now=NOW)
        return self.asked(session, sheet=duty_lists.sheet(session, "demo", "2"))

    def test_nothing_changes_when_nothing_is_changed(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        file(session, 2, 2, 0.5)
        assert (self.asked(session).issues_n, self.asked(session).changes) == (2, ())

    def test_a_draft_list_shows_who_would_lead(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        [change] = self.drafted(session, Rule(2, "cg", "E0101", {}, ("ZF",))).changes
        assert (change.before.lead_department, change.after.lead_department) == ("JD-990101001", "ZF-990101")
        assert change.leaving == ("FG-990101", "GA-990101", "GZ-990101", "JD-990101001")

    def test_issues_that_would_fall_to_the_desk_are_counted(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        outcome = self.drafted(session, Rule(2, "cg", "E0110", {}, ("HW",)))
        assert (outcome.leads_changed_n, outcome.to_desk_n) == (1, 1)

    def test_a_row_of_the_draft_that_fails_is_counted(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        good, broken = Rule(2, "cg", "E0101", {}, ("JD",)), Rule(3, "cg", "E0101", {"moon": ["full"]}, ("ZF",))
        assert self.drafted(session, good, broken).failed == {3: 1}

    def test_a_draft_agreement_shows_who_would_lead(self, session: Session) -> None:
        file(session, 1, 1.95, 0.5)
        file(session, 2, 0.5, 0.5)
        said = {
            "title": "草案", "geometry": mapping(town.field(1.9, 0, 2.1, 1)), "parties": [WEST, EAST], "lead": EAST,
            "valid_from": "2027-01-01",
        }  # fmt: skip
        [change] = self.asked(session, draft=drafts.parse(said)).changes
        assert (change.after.basis, change.after.lead_department) == ("agreement", "ZF-990102")

    def test_it_writes_nothing(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        self.drafted(session, Rule(2, "cg", "E0101", {}, ("ZF",)))
        assert session.scalar(text("SELECT count(*) FROM decision")) == 1

    def test_issues_of_other_days_are_left_out(self, session: Session) -> None:
        file(session, 1, 0.5, 0.5)
        later = replay.Question(self.END, datetime(2026, 8, 1, tzinfo=UTC))
        assert replay.run(session, later, SETTINGS).issues_n == 0


OFFICE = departments.Department("x", "ZF", "执法队", "Patrol", "admin:district:990101")


@pytest.mark.parametrize(
    ("key", "side"),
    [
        ("admin:district:990101", "admin:district:990101"),
        ("admin:subdistrict:990101002", "admin:subdistrict:990101002"),
        ("admin:subdistrict:990102001", EAST),
        # Its number begins as the district's does, and it lies elsewhere.
        ("police:precinct:9901019", EAST),
    ],
)
def test_a_departments_side_is_what_lies_in_its_ground(session: Session, key: str, side: str) -> None:
    called = PartyCall("y", "JD", "lead", (key,), "party.lead")
    was = Decision("incident", lead_jurisdiction=EAST, parties=(called,))
    assert dispatch._sides(session, was, [OFFICE], ON) == {"x": side}


def test_who_serves_the_whole_city_takes_the_leads_side(session: Session) -> None:
    was = Decision("incident", lead_jurisdiction=EAST, parties=(PartyCall("y", "JD", "lead", (WEST,), "party.lead"),))
    assert dispatch._sides(session, was, [departments.Department("z", "CG", "城管局", "City")], ON) == {"z": EAST}


def test_an_explanation_names_the_units_departments_are_called_for(session: Session) -> None:
    issue_id = file(session, 1, 0.5, 0.5)
    told = explain.get(session, code_of(session, issue_id))
    assert [ground.name for party in told.parties for ground in party.grounds]
    assert not [ground for party in told.parties for ground in party.grounds if ":" in ground.name]
