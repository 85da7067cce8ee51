"""A city's standards: tables as they are kept, each row taken or told of; versions side by side; old codes and new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, Problems
from gis.issues import categories, standards
from gis.issues.standards import Reader, Reading, Title, crosswalk, orders, wording
from gis.issues.worktime import URGENT_DAY, URGENT_HOUR, WORK_DAY, WORK_HOUR, Limit

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = {"P0101": "上水井盖", "P0102": "污水井盖", "P0402": "行道树", "E0101": "私搭乱建", "E0122": "非法伐树"}
HEADER = ["大类代码", "大类名称", "小类代码", "小类名称", "立案条件", "处置时限", "结案条件", "法律法规依据"]
MANHOLES = [
    ["01", "公用设施", "01", "上水井盖", "缺失", "2紧急工作时", "恢复", "条例"],
    ["", "", "", "", "破损", "4工作时", "更换", ""],
    ["", "", "", "", "翻盖", "2工作日", "更换", ""],
    ["", "", "", "", "沉降", "5工作日", "修复", ""],
]


def table(path: Path, *rows: list[str], title: str = "处置和结案标准（部件）") -> Path:
    """Write a table as cities do: a title, then the header, then the rows."""
    lines = [[title, *[f"Unnamed: {n}" for n in range(1, len(HEADER))]], HEADER, *rows]
    path.write_text("\ufeff" + "\n".join(",".join(line) for line in lines), "utf-8")
    return path


def read(tmp_path: Path, *rows: list[str], kind: str | None = "components", plain: str = "working") -> Reading:
    return Reader(NAMES, kind, plain).read(table(tmp_path / "t.csv", *rows))


def told(reading: Reading) -> list[tuple[int, str]]:
    return [(notice.row, notice.code) for notice in reading.notices]


@pytest.mark.parametrize(
    ("said", "value", "unit"),
    [
        ("2紧急工作时", 2, URGENT_HOUR),
        ("4工作时", 4, WORK_HOUR),
        ("5工作日", 5, WORK_DAY),
        ("1紧急工作日", 1, URGENT_DAY),
        (" 5工作日", 5, WORK_DAY),
        ("1紧急工作时\n", 1, URGENT_HOUR),
        ("２ 个工作日", 2, WORK_DAY),
        ("0.5工作日", 0.5, WORK_DAY),
        ("2uh", 2, URGENT_HOUR),
        ("4小时", 4, WORK_HOUR),
        ("15天", 15, WORK_DAY),
    ],
)
def test_a_limit_is_a_number_and_a_unit(said: str, value: float, unit: str) -> None:
    assert wording.parse(said) == Limit(Fraction(value), unit)


@pytest.mark.parametrize(("said", "unit"), [("4小时", URGENT_HOUR), ("2天", URGENT_DAY), ("2工作日", WORK_DAY)])
def test_bare_hours_and_days_are_read_as_one_is_told(said: str, unit: str) -> None:
    assert wording.parse(said, "clock").unit == unit


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "limits.blank"),
        ("种植季节15工作日", "limits.not_a_limit"),
        ("1紧急工作时制止", "limits.not_a_limit"),
        ("尽快", "limits.not_a_limit"),
        ("3", "limits.not_a_limit"),
        ("三天", "limits.not_a_limit"),
        ("2-3天", "limits.not_a_limit"),
        ("2月", "limits.not_a_limit"),
        ("0天", "limits.nothing"),
    ],
)
def test_what_is_no_limit_is_not_guessed(said: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        wording.parse(said)
    assert refused.value.code == code


@given(st.text(st.characters(exclude_categories=["N"]), max_size=12))
def test_words_without_a_number_are_never_a_limit(said: str) -> None:
    with pytest.raises(Invalid):
        wording.parse(said)


def test_one_class_has_a_limit_and_a_closing_for_each_condition(tmp_path: Path) -> None:
    found = read(tmp_path, *MANHOLES).conditions
    assert [each.limit_said for each in found] == ["2紧急工作时", "4工作时", "2工作日", "5工作日"]
    assert [each.closing_zh for each in found] == ["恢复", "更换", "更换", "修复"]
    assert {each.category for each in found} == {"P0101"}
    assert [each.number for each in found] == [1, 2, 3, 4]


def test_a_row_without_a_class_belongs_to_the_class_above_it_and_its_law(tmp_path: Path) -> None:
    second = ["1", "公用设施", "2", "污水井盖", "缺失", "2紧急工作时", "恢复", ""]
    found = read(tmp_path, *MANHOLES, second).conditions
    assert [each.law for each in found] == ["条例"] * 4 + [""]
    assert (found[4].category, found[4].number, found[4].row) == ("P0102", 1, 7)


def test_every_row_is_taken_or_told(tmp_path: Path) -> None:
    rows = [
        ["", "", "", "", "谁", "2工作日", "修复", ""],
        *MANHOLES[:2],
        [""] * 8,
        ["04", "园林", "02", "行道树", "缺失", "种植季节15工作日", "补种", ""],
        ["", "", "", "", "", "2工作日", "修复", ""],
        ["", "", "77", "没有的", "坏了", "2工作日", "修复", ""],
        ["", "", "", "", "丢了", "2工作日", "修复", ""],
    ]
    reading = read(tmp_path, *rows)
    assert told(reading) == [
        (3, "standards.no_class"),
        (6, "standards.blank"),
        (7, "limits.not_a_limit"),
        (8, "standards.no_condition"),
        (9, "standards.unknown_category"),
        (10, "standards.unknown_category"),
    ]
    # five are left out, one is taken without its limit
    assert (reading.rows_n, len(reading.conditions), reading.timed_n) == (8, 3, 2)


def test_a_condition_whose_limit_is_no_number_is_kept_without_one(tmp_path: Path) -> None:
    [condition] = read(tmp_path, ["04", "园林", "02", "行道树", "缺失", "种植季节15工作日", "补种", ""]).conditions
    assert (condition.limit, condition.limit_said, condition.closing_zh) == (None, "种植季节15工作日", "补种")


def test_limits_that_leave_their_unit_open_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, ["01", "", "01", "", "a", "4小时", "b", ""], MANHOLES[3]).plain_n == 1


def test_a_name_that_differs_is_told_for_it_may_be_another_scheme(tmp_path: Path) -> None:
    reading = read(tmp_path, ["01", "公用设施", "02", "雨水井盖", "缺失", "2紧急工作时", "恢复", ""])
    assert told(reading) == [(3, "standards.name_differs")]
    assert len(reading.conditions) == 1


def test_a_sheet_that_does_not_say_what_it_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        read(tmp_path, *MANHOLES, kind=None)
    assert refused.value.code == "standards.kind_unsaid"


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(Invalid) as refused:
        Reader(NAMES).read(tmp_path / "t.csv")
    assert refused.value.code == "standards.no_header"


def test_a_column_nobody_knows_is_refused_rather_than_lost(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("category,text_zh,limit,fee\nP0101,缺失,2uh,3\n", "utf-8")
    with pytest.raises(Invalid) as refused:
        Reader(NAMES).read(tmp_path / "t.csv")
    assert (refused.value.code, refused.value.params["columns"]) == ("standards.unknown_column", "fee")


def test_a_book_of_two_sheets_is_read_by_the_names_of_the_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    components, events = book.active, book.create_sheet("事件")
    assert components is not None
    components.title = "部件"
    for sheet, code, name in ((components, 1, "上水井盖"), (events, "01", "私搭乱建")):
        sheet.append(["部件事件类监管立案、处置、结案标准"])
        sheet.append(HEADER)
        sheet.append([1, "大类", code, name, "条件", "1紧急工作日", "恢复", None])
        sheet.append([None, None, None, None, "另一条件", "15天", "恢复", None])
    book.save(tmp_path / "t.xlsx")
    reading = Reader(NAMES).read(tmp_path / "t.xlsx")
    assert [each.category for each in reading.conditions] == ["P0101", "P0101", "E0101", "E0101"]
    assert [(each.sheet, each.row) for each in reading.conditions][2:] == [("事件", 3), ("事件", 4)]
    assert reading.rows_n == 4


@pytest.fixture
def scheme(session: Session) -> Session:
    categories.load(session, categories.DATA / "cg-2013.csv")
    return session


def keep(session: Session, reading: Reading, name: str = "city", version: str = "1") -> None:
    standards.load(session, Title(name, version, "cg", "2013"), reading, by="wu", now=NOW)


def limits_on(session: Session, day: date, category: str = "P0101") -> list[str]:
    key = "cg", "2013", category
    found = standards.in_force(session, [key], day).get(key)
    return [each.limit_said for each in found.conditions] if found else []


def test_a_draft_is_not_in_force(scheme: Session, tmp_path: Path) -> None:
    keep(scheme, read(tmp_path, *MANHOLES))
    assert limits_on(scheme, date(2026, 3, 2)) == []


def test_versions_stand_side_by_side_each_in_its_time(scheme: Session, tmp_path: Path) -> None:
    keep(scheme, read(tmp_path, *MANHOLES[:1]))
    keep(scheme, read(tmp_path, *MANHOLES[:2]), version="2")
    standards.activate(scheme, "city", "1", date(2025, 1, 1))
    standards.activate(scheme, "city", "2", date(2026, 1, 1))
    assert limits_on(scheme, date(2024, 12, 31)) == []
    assert limits_on(scheme, date(2025, 12, 31)) == ["2紧急工作时"]
    assert limits_on(scheme, date(2026, 1, 1)) == ["2紧急工作时", "4工作时"]


def test_a_condition_comes_back_as_it_was_kept(scheme: Session, tmp_path: Path) -> None:
    reading = read(tmp_path, *MANHOLES)
    keep(scheme, reading)
    standards.activate(scheme, "city", "1", date(2025, 1, 1))
    key = "cg", "2013", "P0101"
    assert standards.in_force(scheme, [key], date(2026, 1, 1))[key].conditions == reading.conditions


def test_a_version_is_never_written_anew(scheme: Session, tmp_path: Path) -> None:
    keep(scheme, read(tmp_path, *MANHOLES))
    with pytest.raises(Conflict) as refused:
        keep(scheme, read(tmp_path, *MANHOLES))
    assert refused.value.code == "standards.version_exists"


def test_a_class_has_one_standard_on_any_day(scheme: Session, tmp_path: Path) -> None:
    for name in ("city", "other"):
        keep(scheme, read(tmp_path, *MANHOLES), name)
    standards.activate(scheme, "city", "1", date(2025, 1, 1))
    with pytest.raises(Conflict) as refused:
        standards.activate(scheme, "other", "1", date(2026, 1, 1))
    assert (refused.value.code, refused.value.params["what"]) == ("standards.rival", "P0101")


def test_what_was_told_of_the_rows_stays_on_record(scheme: Session, tmp_path: Path) -> None:
    keep(scheme, read(tmp_path, *MANHOLES, [""] * 8))
    [listed] = standards.find(scheme)
    assert (listed.rows_n, listed.conditions_n, listed.notices_n) == (5, 4, 1)
    assert [(notice.row, notice.code) for notice in standards.notices(scheme, "city", "1")] == [(7, "standards.blank")]


def test_an_unknown_version_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        standards.activate(session, "city", "9", date(2026, 1, 1))


ORDERS = "城市,诉求类型,紧急程度,签收时限,联系时限,答复时限\n"


def order_limits(tmp_path: Path, rows: str) -> Mapping[tuple[str, str, str], Limit]:
    (tmp_path / "o.csv").write_text(ORDERS + rows, "utf-8")
    return {(each.request_type, each.urgency, each.clock): each.limit for each in orders.read(tmp_path / "o.csv")}


def test_a_work_order_has_clocks_by_type_and_urgency(tmp_path: Path) -> None:
    found = order_limits(tmp_path, "690100,投诉,一般,2工作时,1工作日,10工作日\n690100,咨询,,,,1工作日\n")
    assert found == {
        ("complain", "general", "sign"): Limit(Fraction(2), WORK_HOUR),
        ("complain", "general", "contact"): Limit(Fraction(1), WORK_DAY),
        ("complain", "general", "reply"): Limit(Fraction(10), WORK_DAY),
        ("consult", "", "reply"): Limit(Fraction(1), WORK_DAY),
    }


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("690100,投诉,一般,很快,,\n", "standards.order_limit"),
        (",投诉,一般,1工作日,,\n", "standards.order_incomplete"),
        ("690100,投诉,一般,1工作日,,\n690100,complain,general,2工作日,,\n", "standards.order_twice"),
        ("690100,投诉,一般,,,\n", "standards.empty"),
    ],
)
def test_a_wrong_row_of_work_orders_is_refused(tmp_path: Path, rows: str, code: str) -> None:
    with pytest.raises(Problems) as refused:
        order_limits(tmp_path, rows)
    assert [problem.code for problem in refused.value.problems] == [code]


def walk(session: Session, tmp_path: Path, *pairs: tuple[str, str, str]) -> None:
    old = "INSERT INTO category SELECT 'old', '1', code, NULL, code, code, NULL, 0 FROM unnest(ARRAY['1', '2']) AS code"
    session.execute(text(old))
    lines = [f"old,1,{code},cg,2013,{other},{relation}," for code, other, relation in pairs]
    head = "scheme,version,code,other_scheme,other_version,other_code,relation,note"
    (tmp_path / "w.csv").write_text("\n".join([head, *lines]), "utf-8")
    crosswalk.load(session, tmp_path / "w.csv")


def test_a_class_leads_to_the_one_class_that_is_the_same_from_either_side(scheme: Session, tmp_path: Path) -> None:
    walk(scheme, tmp_path, ("1", "E0110", "same"), ("2", "E0111", "overlaps"))
    old, new = ("old", "1", "1"), ("cg", "2013", "E0110")
    assert crosswalk.same(scheme, [old, ("old", "1", "2"), new]) == {old: new, new: old}


def test_a_class_that_is_the_same_as_two_leads_to_neither(scheme: Session, tmp_path: Path) -> None:
    walk(scheme, tmp_path, ("1", "E0110", "same"), ("1", "E0111", "same"))
    assert crosswalk.same(scheme, [("old", "1", "1")]) == {}


@pytest.mark.parametrize(
    ("pair", "code"),
    [(("1", "E0110", "equal"), "standards.relation"), (("9", "E0110", "same"), "standards.crosswalk_unknown")],
)
def test_a_pair_that_names_nothing_is_refused(
    scheme: Session, tmp_path: Path, pair: tuple[str, str, str], code: str
) -> None:
    with pytest.raises(Problems) as refused:
        walk(scheme, tmp_path, pair)
    assert refused.value.problems[0].code == code
