"""Responsibility lists from a city's own tables, version by version."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound, Problems
from gis.issues import categories, duty_lists
from gis.issues.delegations import Delegation
from gis.people import departments

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = date(2026, 1, 1), date(2026, 7, 1)


@pytest.fixture
def scheme(session: Session) -> None:
    categories.load(session, categories.DATA / "cg-2013.csv")


def written(tmp_path: Path, rows: str, head: str = "category,land,unit,leads,assists") -> Path:
    path = tmp_path / "list.csv"
    path.write_text(f"{head}\n{rows}", "utf-8")
    return path


def problems_of(session: Session, path: Path) -> list[tuple[str, object]]:
    with pytest.raises(Problems) as raised:
        duty_lists.read(session, path)
    return [(problem.code, problem.params.get("row")) for problem in raised.value.problems]


def kept(session: Session, tmp_path: Path, version: str, leads: str = "HW") -> None:
    rules = duty_lists.read(session, written(tmp_path, f"E0110,,,{leads},JD\n"))
    duty_lists.load(session, ("town", version), rules, by="ann", now=NOW)


@pytest.mark.usefixtures("scheme")
class TestReading:
    def test_the_list_we_ship_has_more_than_a_hundred_categories_whose_departments_all_exist(
        self, session: Session
    ) -> None:
        rules = duty_lists.read(session, duty_lists.DATA / "demo.csv")
        assert len({rule.category for rule in rules}) > 100
        assert {kind for rule in rules for kind in (*rule.leads, *rule.assists)} <= departments.kinds().keys()

    def test_conditions_and_ordered_leads_are_read(self, session: Session, tmp_path: Path) -> None:
        [rule] = duty_lists.read(session, written(tmp_path, "E0110,park water,,JD/ZF,HW、CG\n"))
        assert (rule.condition, rule.leads, rule.assists) == ({"land": ["park", "water"]}, ("JD", "ZF"), ("HW", "CG"))

    def test_a_citys_own_headings_and_names_are_understood(self, session: Session, tmp_path: Path) -> None:
        path = written(tmp_path, "E0110,水务局,城管委，街道办\n", head="类别代码,主办,协办")
        [rule] = duty_lists.read(session, path)
        assert (rule.leads, rule.assists) == (("SW",), ("CG", "JD"))

    def test_a_spreadsheet_is_read_as_a_text_table_is(self, session: Session, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for row in (["category", "leads", "assists"], ["E0110", "HW", "JD"]):
            book.worksheets[0].append(row)
        book.save(tmp_path / "list.xlsx")
        [rule] = duty_lists.read(session, tmp_path / "list.xlsx")
        assert (rule.row, rule.leads) == (2, ("HW",))

    def test_every_wrong_row_is_told_with_its_number(self, session: Session, tmp_path: Path) -> None:
        rows = "X9999,,,HW,\nE0110,,,QQ,\nE0110,!,,HW,\nE0110,,110102,HW,\nE0110,,,,JD\nE0111,,,HW,\nE0111,,,JD,\n"
        assert problems_of(session, written(tmp_path, rows)) == [
            ("duties.unknown_category", 2),
            ("duties.unknown_kind", 3),
            ("duties.malformed_condition", 4),
            ("duties.malformed_condition", 5),
            ("duties.no_lead", 6),
            ("duties.repeated", 8),
        ]

    def test_a_department_that_is_to_assist_itself_is_told_with_its_row(self, session: Session, tmp_path: Path) -> None:
        rows = "E0110,,,HW,JD\nE0111,,,HW/JD,CG HW\nE0112,,,HW/JD,JD\n"
        assert problems_of(session, written(tmp_path, rows)) == [("duties.assists_itself", 3)]

    def test_a_department_that_does_not_exist_is_told_with_its_row(self, session: Session, tmp_path: Path) -> None:
        assert problems_of(session, written(tmp_path, "E0110,,,HW,\nE0111,,,HW,QQ\n")) == [("duties.unknown_kind", 3)]

    POWERS = "category,unit,leads,delegated_by,document,valid_from,valid_to"

    def test_a_power_is_read_with_who_gave_it_by_what_and_for_how_long(self, session: Session, tmp_path: Path) -> None:
        path = written(tmp_path, "E0110,,JD,ZF,令1号,2026-01-01,2027-01-01\n", self.POWERS)
        rules = duty_lists.read(session, path)
        duty_lists.load(session, ("town", "1"), rules, by="ann", now=NOW)
        [[rule]] = duty_lists.sheet(session, "town", "1").rules.values()
        assert rule.delegation == Delegation("ZF", "令1号", FIRST, date(2027, 1, 1))

    def test_powers_that_go_round_in_a_circle_are_refused_with_the_row(self, session: Session, tmp_path: Path) -> None:
        rows = "E0110,,JD,ZF,令1号,2026-01-01,\nE0110,,HW,JD,令2号,2026-02-01,\nE0110,,ZF,HW,令3号,2026-07-01,\n"
        assert problems_of(session, written(tmp_path, rows, self.POWERS)) == [("duties.circle", 4)]

    @pytest.mark.parametrize("back", ["E0110,,ZF,JD,令2号,2026-07-01,", "E0111,,ZF,JD,令2号,2026-01-01,"])
    def test_of_other_days_or_another_category_they_are_no_circle(
        self, session: Session, tmp_path: Path, back: str
    ) -> None:
        path = written(tmp_path, f"E0110,,JD,ZF,令1号,2026-01-01,2026-07-01\n{back}\n", self.POWERS)
        assert len(duty_lists.read(session, path)) == 2

    def test_a_power_given_to_oneself_is_a_circle(self, session: Session, tmp_path: Path) -> None:
        path = written(tmp_path, "E0110,,ZF,ZF,令1号,2026-01-01,\n", self.POWERS)
        assert problems_of(session, path) == [("duties.circle", 2)]

    @pytest.mark.parametrize("said", ["ZF,,2026-01-01,", ",令1号,2026-01-01,", "ZF,令1号,,"])
    def test_half_a_power_is_refused_with_its_row(self, session: Session, tmp_path: Path, said: str) -> None:
        path = written(tmp_path, f"E0110,,JD,{said}\n", self.POWERS)
        assert problems_of(session, path) == [("duties.half_a_delegation", 2)]

    @pytest.mark.parametrize("days", ["2026-13-01,", "2026-07-01,2026-07-01"])
    def test_days_that_are_none_are_refused_with_their_row(self, session: Session, tmp_path: Path, days: str) -> None:
        path = written(tmp_path, f"E0110,,JD,ZF,令1号,{days}\n", self.POWERS)
        assert problems_of(session, path) == [("duties.delegation_dates", 2)]

    def test_a_column_nobody_knows_is_refused_not_dropped(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"duties\.unknown_column"):
            duty_lists.read(session, written(tmp_path, "E0110,lane,HW\n", head="category,raod_class,leads"))

    def test_a_table_without_leads_is_refused(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"duties\.missing_column"):
            duty_lists.read(session, written(tmp_path, "E0110\n", head="category"))

    def test_an_empty_table_is_refused(self, session: Session, tmp_path: Path) -> None:
        assert problems_of(session, written(tmp_path, "")) == [("duties.empty", None)]


@pytest.mark.usefixtures("scheme")
class TestVersions:
    def test_a_draft_is_not_in_force(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        assert duty_lists.in_force(session) == ()

    def test_a_version_is_in_force_from_its_date(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        duty_lists.activate(session, ("town", "1"), FIRST, by="bob", now=NOW)
        [sheet] = duty_lists.in_force(session)
        assert sheet.holds_on(FIRST)
        assert not sheet.holds_on(date(2025, 12, 31))

    def test_a_new_version_ends_the_old_one_which_still_answers_for_its_dates(
        self, session: Session, tmp_path: Path
    ) -> None:
        for version, start in (("1", FIRST), ("2", SECOND)):
            kept(session, tmp_path, version)
            duty_lists.activate(session, ("town", version), start, by="bob", now=NOW)
        on = {day: [s.version for s in duty_lists.in_force(session) if s.holds_on(day)] for day in (FIRST, SECOND)}
        assert on == {FIRST: ["1"], SECOND: ["2"]}

    def test_a_version_cannot_begin_before_one_that_begins_later(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        kept(session, tmp_path, "2")
        duty_lists.activate(session, ("town", "1"), SECOND, by="bob", now=NOW)
        with pytest.raises(Conflict, match=r"duties\.later_version"):
            duty_lists.activate(session, ("town", "2"), FIRST, by="bob", now=NOW)

    def test_a_version_is_loaded_once(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        with pytest.raises(Conflict, match=r"duties\.version_exists"):
            kept(session, tmp_path, "1", leads="CG")

    def test_a_version_begins_once(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        duty_lists.activate(session, ("town", "1"), FIRST, by="bob", now=NOW)
        with pytest.raises(Conflict, match=r"duties\.not_a_draft"):
            duty_lists.activate(session, ("town", "1"), SECOND, by="bob", now=NOW)

    def test_who_loaded_a_version_does_not_put_it_in_force(self, session: Session, tmp_path: Path) -> None:
        kept(session, tmp_path, "1")
        with pytest.raises(Forbidden, match=r"duties\.four_eyes"):
            duty_lists.activate(session, ("town", "1"), FIRST, by="ann", now=NOW)

    def test_an_unknown_version_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            duty_lists.sheet(session, "town", "9")
