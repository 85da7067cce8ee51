"""Responsibility areas: who answers for a place, and their import."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.errors import Invalid
from gis.people import areas
from gis.people.areas import AreaFile
from gis.territory.places import Reject
from tests.territory.plots import add_edition, add_net, add_unit, plot, spot

SINCE, TODAY = date(2023, 1, 1), date(2024, 5, 1)
FIELDS = {"role": "role", "name": "name", "person": "person", "valid_from": "since", "valid_to": "until"}


def write(folder: Path, *rows: tuple[str, object]) -> AreaFile:
    names = [name for name, _ in rows]
    columns = {"role": ["chief"] * len(rows), "name": names, "person": [f"{name} 的负责人" for name in names]}
    dates = {"since": ["2023-01-01"] * len(rows), "until": [""] * len(rows)}
    frame = gpd.GeoDataFrame(columns | dates, geometry=[shape for _, shape in rows], crs="EPSG:4326")
    frame.to_parquet(folder / "areas.parquet")
    return AreaFile(path=folder / "areas.parquet", fields=FIELDS)


def load(session: Session, file: AreaFile) -> tuple[areas.Report, list[Reject]]:
    left_out: list[Reject] = []
    return areas.load(session, file, left_out.append), left_out


def names(session: Session, x: float, y: float, on: date = TODAY) -> list[str]:
    return [area.name for area in areas.at(session, Point(spot(x, y)), on)]


def test_ground_answers_within_its_lines_and_on_them(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, ("grid", plot(0, 0, 4, 4))))
    assert names(session, 2, 2) == ["grid"]
    assert names(session, 4, 4) == ["grid"]
    assert names(session, 4.1, 4) == []


def test_a_line_answers_for_what_lies_beside_it(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, ("lane", LineString([spot(0, 0), spot(9, 0)]))))
    # a thousandth of a degree of latitude is 111 m
    assert names(session, 5, 0.25) == ["lane"]
    assert names(session, 5, 0.29) == []


def test_the_nearest_comes_first(session: Session, tmp_path: Path) -> None:
    far, near = (LineString([spot(0, y), spot(9, y)]) for y in (0.2, 0.1))
    load(session, write(tmp_path, ("far", far), ("near", near)))
    found = areas.at(session, Point(spot(5, 0)), TODAY)
    assert [area.name for area in found] == ["near", "far"]
    assert found[0].distance_m == pytest.approx(11.09, abs=0.01)


def test_an_area_answers_from_its_first_day_until_its_last(session: Session, tmp_path: Path) -> None:
    file = write(tmp_path, ("grid", plot(0, 0, 4, 4)))
    load(session, AreaFile(path=file.path, fields=FIELDS))
    session.execute(text("UPDATE responsibility_area SET valid_to = '2024-05-01'"))
    assert names(session, 2, 2, date(2022, 12, 31)) == []
    assert names(session, 2, 2, date(2023, 1, 1)) == ["grid"]
    assert names(session, 2, 2, date(2024, 4, 30)) == ["grid"]
    assert names(session, 2, 2, date(2024, 5, 1)) == []


def test_importing_again_doubles_nothing(session: Session, tmp_path: Path) -> None:
    file = write(tmp_path, ("a", plot(0, 0, 1, 1)), ("b", plot(2, 0, 3, 1)))
    first, _ = load(session, file)
    again, _ = load(session, file)
    assert (first.added, first.changed, first.rejected) == (2, 0, 0)
    assert (again.added, again.changed) == (0, 2)
    assert session.scalar(text("SELECT count(*) FROM responsibility_area")) == 2


def test_of_two_rows_for_one_area_the_last_counts(session: Session, tmp_path: Path) -> None:
    report, _ = load(session, write(tmp_path, ("a", plot(0, 0, 1, 1)), ("a", plot(2, 0, 3, 1))))
    assert (report.added, report.changed) == (1, 1)
    assert (names(session, 0.5, 0.5), names(session, 2.5, 0.5)) == ([], ["a"])


def test_what_is_imported_again_is_brought_up_to_date(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, ("a", plot(0, 0, 1, 1)), ("b", plot(5, 0, 6, 1))))
    load(session, write(tmp_path, ("a", plot(2, 0, 3, 1))))
    assert (names(session, 0.5, 0.5), names(session, 2.5, 0.5)) == ([], ["a"])
    assert names(session, 5.5, 0.5) == ["b"]


def table(folder: Path, *lines: str) -> AreaFile:
    (folder / "leaders.csv").write_text("\n".join(["role,person,unit,since,until", *lines]), "utf-8")
    fields = {"role": "role", "person": "person", "unit_code": "unit", "valid_from": "since", "valid_to": "until"}
    return AreaFile(path=folder / "leaders.csv", crs="EPSG:4326", fields=fields, values={"net": "grid"}, level="cell")


@pytest.fixture
def cells(session: Session) -> Session:
    add_net(session, "grid", "cell")
    edition = add_edition(session, "grid", "first", SINCE)
    add_unit(session, edition, "cell", "G1", plot(0, 0, 4, 4))
    return session


def test_a_leader_of_a_unit_has_its_ground(cells: Session, tmp_path: Path) -> None:
    report, _ = load(cells, table(tmp_path, "grid_leader,李,G1,2023-06-01,"))
    assert report.added == 1
    (found,) = areas.at(cells, Point(spot(1, 1)), TODAY)
    assert (found.role, found.person, found.unit_code) == ("grid_leader", "李", "G1")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("grid_leader,李,G9,2023-06-01,", "areas.no_ground"),
        ("grid_leader,李,G1,2022-06-01,", "areas.no_ground"),
        ("grid_leader,,G1,2023-06-01,", "areas.missing"),
        ("grid_leader,李,G1,June,", "areas.not_a_day"),
        ("grid_leader,李,G1,2023-06-01,2023-06-01", "areas.ends_before_it_begins"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_with_the_reason(
    cells: Session, tmp_path: Path, line: str, code: str
) -> None:
    report, left_out = load(cells, table(tmp_path, line, "grid_leader,王,G1,2023-06-01,"))
    assert (report.rows, report.added, report.rejected) == (2, 1, 1)
    assert [each.code for each in left_out] == [code]
    for locale in language.LOCALES:
        assert "{" not in language.say(code, locale, **left_out[0].params)


def test_a_mapping_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "areas.toml"
    path.write_text(
        '[[areas]]\nfile = "a.csv"\nlevel = "cell"\n[areas.fields]\nperson = "p"\nvalid_from = "d"\n'
        '[areas.values]\nrole = "leader"\n',
        "utf-8",
    )
    (file,) = areas.read_mapping(path)
    assert (file.path, file.crs, file.wanted) == (tmp_path / "a.csv", "EPSG:4326", ("p", "d"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "areas.mapping_empty"),
        ("[[areas]]\nfile = 'a'\ncolour = 1", "places.mapping_unknown_key"),
        ("[[areas]]\nfile = 'a'", "places.mapping_missing_key"),
        ("[[areas]]\nfile = 'a'\nfields = {person = 'p'}", "places.mapping_missing_key"),
        ("[[areas]]\nfile = 'a'\nfields = {colour = 'p'}", "places.mapping_unknown_field"),
    ],
)
def test_a_mapping_that_is_wrong_is_told(tmp_path: Path, content: str, code: str) -> None:
    (tmp_path / "areas.toml").write_text(content, "utf-8")
    with pytest.raises(Invalid) as caught:
        areas.read_mapping(tmp_path / "areas.toml")
    assert caught.value.code == code
