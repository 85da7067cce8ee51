"""Category schemes from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from gis.errors import Invalid, Problems
from gis.issues import categories

HEAD = "scheme,version,code,parent,name_zh,name_en,urgency,boundary_risk\n"


def written(tmp_path: Path, rows: str) -> Path:
    path = tmp_path / "scheme.csv"
    path.write_text(HEAD + rows, "utf-8")
    return path


def test_the_scheme_we_ship_loads_whole(session: Session) -> None:
    assert categories.load(session, categories.DATA / "cg-2013.csv") == len(categories.known(session)) > 200


def test_a_category_is_found_by_scheme_version_and_code(session: Session, tmp_path: Path) -> None:
    categories.load(session, written(tmp_path, "s,1,E01,,市容,Appearance,,\ns,1,E0101,E01,私搭,Unlawful,2uh,3\n"))
    found = categories.get(session, "s", "1", "E0101")
    assert (found.parent, found.urgency, found.boundary_risk) == ("E01", "2uh", 3)


def test_a_code_of_another_version_is_unknown(session: Session, tmp_path: Path) -> None:
    categories.load(session, written(tmp_path, "s,1,E01,,市容,Appearance,,\n"))
    with pytest.raises(Invalid, match=r"categories\.unknown"):
        categories.get(session, "s", "2", "E01")


def test_loading_again_renames_and_doubles_nothing(session: Session, tmp_path: Path) -> None:
    for name in ("old", "new"):
        categories.load(session, written(tmp_path, f"s,1,E01,,{name},{name},,\n"))
    assert [each.name_zh for each in categories.find(session)] == ["new"]


def test_every_wrong_row_is_told_and_nothing_is_written(session: Session, tmp_path: Path) -> None:
    rows = "s,1,,,无,None,,\ns,1,E0102,E09,孤,Orphan,,\ns,1,E01,,市容,A,,9\ns,1,E02,,宣传,B,,\ns,1,E02,,宣传,B,,\n"
    with pytest.raises(Problems) as raised:
        categories.load(session, written(tmp_path, rows))
    assert [problem.code for problem in raised.value.problems] == [
        "categories.missing", "categories.risk", "categories.repeated", "categories.no_parent",
    ]  # fmt: skip
    assert categories.known(session) == {}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("s,1,E01,E01,己,Self,,\n", [2]),
        ("s,1,E01,E02,甲,A,,\ns,1,E02,E01,乙,B,,\n", [2, 3]),
        ("s,1,E00,,丁,D,,\ns,1,E01,E03,甲,A,,\ns,1,E02,E01,乙,B,,\ns,1,E03,E02,丙,C,,\ns,1,E4,E00,戊,E,,\n", [3, 4, 5]),
        # What hangs below a circle is not on it.
        ("s,1,E01,E02,甲,A,,\ns,1,E02,E01,乙,B,,\ns,1,E03,E02,丙,C,,\n", [2, 3]),
    ],
)
def test_a_circle_of_parents_is_refused_with_its_rows(
    session: Session, tmp_path: Path, rows: str, told: list[int]
) -> None:
    with pytest.raises(Problems) as raised:
        categories.load(session, written(tmp_path, rows))
    assert [(each.code, each.params["row"]) for each in raised.value.problems] == [
        ("categories.circle", row) for row in told
    ]
    assert categories.known(session) == {}
