"""Files of reports: every kind gives the same rows, and every broken one a sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas
import openpyxl
import pytest
from shapely.geometry import Point

from gis.errors import Invalid
from gis.issues import files

COLUMNS = ("id", "words")
ROWS = (("1", "井盖"), ("2", "路灯"), ("3", "垃圾"))


def as_csv(path: Path, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([COLUMNS, *ROWS])
    return path


def as_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (COLUMNS, *ROWS):
        book.worksheets[0].append(row)
    book.save(path)
    return path


def frame() -> geopandas.GeoDataFrame:
    columns = {name: [row[nth] for row in ROWS] for nth, name in enumerate(COLUMNS)}
    return geopandas.GeoDataFrame(columns, geometry=[Point(120 + nth, 30) for nth in range(3)], crs="EPSG:4326")


def read(path: Path) -> list[files.Row]:
    return list(files.open_table(path).rows)


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as caught:
        read(path)
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_people_write(tmp_path: Path, encoding: str) -> None:
    assert read(as_csv(tmp_path / "f.csv", encoding)) == [
        (2, {"id": "1", "words": "井盖"}),
        (3, {"id": "2", "words": "路灯"}),
        (4, {"id": "3", "words": "垃圾"}),
    ]


def test_a_spreadsheet_is_read_as_a_csv_is(tmp_path: Path) -> None:
    assert read(as_xlsx(tmp_path / "f.xlsx")) == read(as_csv(tmp_path / "f.csv"))


@pytest.mark.parametrize("name", ["f.parquet", "f.geojson"])
def test_a_file_with_geometry_hands_it_on_in_longitude_and_latitude(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame().to_parquet(path) if name == "f.parquet" else frame().to_file(path)
    number, row = read(path)[1]
    assert (number, row["id"], row["words"]) == (2, "2", "路灯")
    assert row["geometry"] == {"type": "Point", "coordinates": (121.0, 30.0)}


def test_a_geoparquet_in_metres_is_brought_to_longitude_and_latitude(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    frame().to_crs("EPSG:4549").to_parquet(path)
    assert read(path)[0][1]["geometry"]["coordinates"] == pytest.approx((120.0, 30.0), abs=1e-9)


@pytest.mark.parametrize("name", ["f.csv", "f.parquet", "f.geojson"])
def test_the_number_of_rows_is_known_before_they_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    {"f.csv": as_csv, "f.parquet": frame().to_parquet, "f.geojson": frame().to_file}[name](path)
    assert files.open_table(path).rows_n == 3


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,words\n1,a\n\n,\n2,b\n")
    assert [number for number, _ in read(path)] == [2, 5]


def test_a_short_row_is_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,words\n1\n")
    assert read(path) == [(2, {"id": "1", "words": None})]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == "file.missing"


def test_a_kind_nobody_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.docx").write_bytes(b"")
    assert refusal(tmp_path / "f.docx") == "file.unknown_kind"


@pytest.mark.parametrize("name", ["f.xlsx", "f.parquet", "f.geojson"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not what you think")
    assert refusal(tmp_path / name) == "file.unreadable"


@pytest.mark.parametrize("name", ["f.xlsx", "f.parquet", "f.geojson"])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    {"f.xlsx": as_xlsx, "f.parquet": frame().to_parquet, "f.geojson": frame().to_file}[name](path)
    path.write_bytes(path.read_bytes()[:-30])
    assert refusal(path) in {"file.unreadable", "file.breaks_off"}


def test_a_csv_that_breaks_off_inside_quotes_gives_its_rows_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text('id,words\n1,a\n2,"b')
    rows = files.open_table(path).rows
    assert next(rows) == (2, {"id": "1", "words": "a"})
    with pytest.raises(Invalid) as caught:
        next(rows)
    assert (caught.value.code, caught.value.params["row"]) == ("file.breaks_off", 2)


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("")
    assert refusal(tmp_path / "f.csv") == "file.no_header"


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id,id\n1,2\n")
    assert refusal(tmp_path / "f.csv") == "file.column_twice"


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"id,words\n1,\xff\xff\xff\n")
    assert refusal(tmp_path / "f.csv") == "file.encoding"


def test_a_geojson_row_without_geometry_has_none(tmp_path: Path) -> None:
    feature = {"type": "Feature", "geometry": None, "properties": {"id": "1"}}
    path = tmp_path / "f.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert read(path) == [(1, {"id": "1"})]


def test_the_digest_changes_with_either_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    assert len({files.digest(one, two), files.digest(two, one), files.digest(one, one)}) == 3
