"""Departments: from a table, opened for units, and who serves a piece of ground."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, Problems
from gis.people import departments
from gis.people.departments import Department, Register
from gis.territory import units
from tests import town

WEST, W1 = "admin:district:990101", "admin:subdistrict:990101001"
LADDER = (W1, WEST, "admin:city:9901")
OFFICE = Department("jd", "JD", "一街道办", "Office", W1)
BUREAU = Department("zf", "ZF", "执法局", "Bureau", WEST)
WATER = Department("zls", "ZLS", "自来水公司", "Water")


def row(**changes: str) -> dict[str, str]:
    return {
        "code": "jd",
        "kind": "JD",
        "name_zh": "街道办",
        "name_en": "Office",
        "net": "",
        "level": "",
        "unit_code": "",
    } | changes


def test_an_office_serves_its_own_ground() -> None:
    assert Register([OFFICE]).nearest("JD", LADDER) == (OFFICE,)


def test_a_bureau_above_serves_the_ground_below() -> None:
    assert Register([OFFICE, BUREAU]).nearest("ZF", LADDER) == (BUREAU,)


def test_a_company_of_the_whole_city_serves_every_ground() -> None:
    assert Register([WATER]).nearest("ZLS", ()) == (WATER,)


def test_an_office_does_not_serve_its_neighbour() -> None:
    assert Register([OFFICE]).nearest("JD", ("admin:subdistrict:990101002", WEST)) == ()


def test_the_nearest_ground_goes_before_one_further_up() -> None:
    above = Department("jd2", "JD", "二", "", WEST)
    assert Register([above, OFFICE]).nearest("JD", LADDER) == (OFFICE,)


@pytest.mark.parametrize("words", ["zls", "自来水公司", "Water"])
def test_a_department_is_found_by_code_and_by_name(words: str) -> None:
    assert Register([WATER]).named(words) == WATER


@pytest.mark.parametrize(
    ("words", "kind"), [("水务局", "SW"), ("禾川自来水公司", "ZLS"), ("gas company", "RQ"), ("某饭店", None)]
)
def test_a_name_of_a_kind_is_recognised(words: str, kind: str | None) -> None:
    assert departments.kind_named(words) == kind


def test_departments_load_from_rows(session: Session) -> None:
    assert departments.load(session, [row(net="admin", level="subdistrict", unit_code="990101001")]) == 1
    assert departments.find(session, ground=W1)[0].name_zh == "街道办"


def test_a_known_department_gets_its_new_name(session: Session) -> None:
    departments.load(session, [row()])
    departments.load(session, [row(name_zh="新名")])
    assert [each.name_zh for each in departments.find(session, kind="JD")] == ["新名"]


def test_every_wrong_row_is_told_and_nothing_is_written(session: Session) -> None:
    wrong = [row(code=""), row(kind="QQ"), row(net="admin"), row(), row()]
    with pytest.raises(Problems) as raised:
        departments.load(session, wrong)
    codes = [problem.code.removeprefix("departments.") for problem in raised.value.problems]
    assert codes == ["missing", "unknown_kind", "half_a_ground", "repeated"]
    assert departments.find(session) == []


def test_a_department_of_the_district_that_a_subdistrict_manages_has_two_masters(session: Session) -> None:
    squad = row(code="squad", kind="ZF", belongs_to="zf", managed_by="jd")
    departments.load(session, [squad, row(), row(code="zf", kind="ZF")])
    assert departments.register(session).by_code["squad"].masters == ("zf", "jd")


def test_masters_that_are_none_and_circles_of_masters_are_told_with_their_rows(session: Session) -> None:
    wrong = [row(belongs_to="nobody"), row(code="a", managed_by="b"), row(code="b", belongs_to="a")]
    with pytest.raises(Problems) as raised:
        departments.load(session, wrong)
    told = [(problem.code.removeprefix("departments."), problem.params["row"]) for problem in raised.value.problems]
    assert told == [("unknown_master", 2), ("own_master", 3), ("own_master", 4)]


def test_units_get_one_department_of_each_kind_they_are_served_by(session: Session) -> None:
    town.build(session)
    on = date(2026, 1, 1)
    west = units.get(session, "admin", "district", "990101", on)
    departments.establish(session, [west, *units.children(session, west, on)])
    found = departments.for_kinds(session, ["JD", "ZF", "ZLS", "CQ"], [LADDER])
    assert [each.code for each in found] == ["JD-990101001", "ZF-990101", "ZLS"]


def test_establishing_again_opens_nothing(session: Session) -> None:
    town.build(session)
    west = units.get(session, "admin", "district", "990101", date(2026, 1, 1))
    departments.establish(session, [west])
    assert departments.establish(session, [west]) == 0


def test_the_general_desk_is_opened_once(session: Session) -> None:
    for _ in range(2):
        departments.open_desk(session, "general-desk")
    assert [each.name_en for each in departments.find(session, kind="DESK")] == ["General Desk"]


class TestClosing:
    TODAY = date(2026, 6, 1)

    def opened(self, session: Session) -> None:
        departments.load(session, [row()])

    def test_nobody_is_sent_to_a_closed_department(self, session: Session) -> None:
        self.opened(session)
        departments.close(session, "jd", on=self.TODAY, today=self.TODAY)
        assert departments.register(session).nearest("JD", LADDER) == ()

    def test_its_name_is_still_known(self, session: Session) -> None:
        self.opened(session)
        departments.close(session, "jd", on=self.TODAY, today=self.TODAY)
        assert departments.register(session).by_code["jd"].name_zh == "街道办"

    def test_a_record_that_names_it_names_nobody(self, session: Session) -> None:
        self.opened(session)
        departments.close(session, "jd", on=self.TODAY, today=self.TODAY)
        assert departments.register(session).named("街道办") is None

    def test_it_is_closed_once(self, session: Session) -> None:
        self.opened(session)
        departments.close(session, "jd", on=self.TODAY, today=self.TODAY)
        with pytest.raises(Conflict, match=r"departments\.closed_already"):
            departments.close(session, "jd", on=self.TODAY, today=self.TODAY)

    def test_it_is_not_closed_ahead(self, session: Session) -> None:
        self.opened(session)
        with pytest.raises(Invalid, match=r"departments\.closes_later"):
            departments.close(session, "jd", on=date(2026, 6, 2), today=self.TODAY)

    def test_the_application_may_not_delete_one(self, session: Session) -> None:
        self.opened(session)
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text("DELETE FROM department"))
