"""Files of places: cut where records end, read whatever they are made of, joined without being decoded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import Invalid
from gis.territory import columns
from gis.territory.columns import Fixes
from gis.territory.said import Habits
from gis.territory.sheets import Recipe, cutting, footers, reading, recipe, scanning
from gis.territory.sheets.reading import Sheet
from gis.territory.sheets.texts import Collection, CsvTable

DAY = date(2025, 6, 1)
CELLS = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "é", "街", "𠮷", " ", "'"]), max_size=8).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('"\\[]{},街a'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pieces be so short that a few rows have many."""
    monkeypatch.setattr(cutting, "PIECE_BYTES", 16)
    monkeypatch.setattr(cutting, "FEATURES_BYTES", 16)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    part_rows=st.integers(1, 3),
)
def test_a_table_cut_anywhere_holds_the_rows_that_were_written(  # noqa: PLR0913, PLR0917
    short: None, tmp_path: Path, rows: list[tuple[str, str, str]], encoding: str, newline: str, part_rows: int
) -> None:
    path = tmp_path / "table.csv"
    written = io.StringIO()
    # A row is told by its number, so that one of empty cells is no empty line.
    csv.writer(written, lineterminator=newline).writerows([("n", "a", "b", "c"), *[(1, *row) for row in rows]])
    path.write_bytes(written.getvalue().encode(encoding))
    table = CsvTable(path)
    found = [tuple(row.values())[1:] for span in table.spans(part_rows) for row in _rows(table, span)]
    assert [tuple(map(_line_ends, row)) for row in found] == [tuple(map(_line_ends, row)) for row in rows]


def test_a_cell_of_the_old_encoding_keeps_the_line_break_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes('n,a,b,c\r\n1,"","","街街街街街\r\n"\r\n'.encode("gb18030"))
    table = CsvTable(path)
    assert [row["c"] for span in table.spans(9) for row in _rows(table, span)] == ["街街街街街\r\n"]


def _line_ends(cell: str) -> str:
    return cell.replace("\r\n", "\n")


def _rows(source: Any, span: Any) -> Iterator[dict[str, Any]]:
    for sheet in source.sheets(span):
        yield from sheet.batch.to_pylist()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), max_size=8),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
    around=st.sampled_from([{}, {"name": "[{"}, {"crs": None}]),
    part_rows=st.integers(1, 3),
)
def test_a_collection_cut_anywhere_holds_the_features_that_were_written(  # noqa: PLR0913, PLR0917
    short: None, tmp_path: Path, said: list[Any], indent: int | None, ascii_only: bool, around: Any, part_rows: int
) -> None:
    path = tmp_path / "in.geojson"
    features = [{"type": "Feature", "geometry": None, "properties": each} for each in said]
    whole = around | {"features": features} | {"type": "FeatureCollection"}
    path.write_text(json.dumps(whole, indent=indent, ensure_ascii=ascii_only), "utf-8")
    opened = Collection(path, ())
    sheets = [sheet for span in opened.spans(part_rows) for sheet in opened.sheets(span)]
    assert [each for sheet in sheets for each in sheet.features or ()] == features


def test_a_record_without_an_end_is_no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cutting, "PIECE_BYTES", 64)
    monkeypatch.setattr(cutting, "RECORD_MOST_BYTES", 256)
    (tmp_path / "a.csv").write_text('lon,lat\n1,"' + "x" * 1000 + '"\n')
    with pytest.raises(Invalid) as refused:
        list(CsvTable(tmp_path / "a.csv").spans(1))
    assert refused.value.code == "sheet.record_too_long"


@pytest.mark.parametrize(
    ("data", "ends"),
    [("a,b\nc", 4), ('a,"b\n', 0), ('a,"b\n"\nc', 7), ('a,"b""\n"\n', 9), ('a"b\nc"\n', 7), ("", 0), ("\n\n", 2)],
)
def test_only_a_quote_that_opens_a_cell_holds_line_ends(data: str, ends: int) -> None:
    assert scanning.records_end(np.frombuffer(data.encode(), dtype=np.uint8), ord(","))[0] == ends


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.booleans(), st.integers(20, 200))
def test_parquet_files_joined_are_one_file_with_all_their_rows(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], has_index: bool, group_rows: int
) -> None:
    folder, parts = tmp_path_factory.mktemp("joined"), []
    for nth, size in enumerate(sizes):
        parts.append(folder / f"{nth}.parquet")
        pq.write_table(_table(size, nth), parts[-1], row_group_size=group_rows, write_page_index=has_index)
    with (folder / "whole.parquet").open("wb") as file:
        footers.join(parts, file)
    whole = pq.read_table(folder / "whole.parquet")
    assert whole.schema.equals(pq.read_schema(parts[0]), check_metadata=True)
    assert whole.to_pylist() == [row for path in parts for row in pq.read_table(path).to_pylist()]
    counted = duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM '{folder}/whole.parquet' WHERE id >= 0").fetchone()
    assert counted == (sum(sizes), sum(sizes))


def _table(size: int, nth: int) -> pa.Table:
    ids = np.arange(size) + nth * 1000
    words = pa.array([f"{nth}街{each}" for each in "abc"])
    codes = pa.DictionaryArray.from_arrays(pa.array(ids % 3, pa.int32()), words)
    lists = pa.array([None if each % 5 == 0 else [each] * (each % 4) for each in ids.tolist()], pa.list_(pa.int64()))
    made = pa.table({"id": ids, "code": codes, "some": lists, "odd": ids % 2 == 1, "part": ids / 7})
    return made.replace_schema_metadata({"origin": "街"})


def test_a_part_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PAR1 nothing")
    with pytest.raises(Invalid) as refused, (tmp_path / "whole").open("wb") as file:
        footers.join([tmp_path / "a"], file)
    assert refused.value.code == "file.unreadable"


def fixes(told: dict[str, Any], **said: Any) -> Fixes:
    batch = pa.record_batch(told)
    asked = recipe.checked(Recipe(on=DAY, **said), batch.schema)
    return reading.fixes(Sheet(batch), asked)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([116.5, None, 7.5]),
        pa.array([116.5, None, 7.5], pa.float32()),
        pa.array(["116.5", None, " 7.5 "]),
        pa.array(["116.5", "", "７.５"], pa.large_string()),
        pa.array(["116.5", None, "7.5"]).dictionary_encode(),
        pa.array(["116.50", None, "7.5"]).cast(pa.decimal128(6, 2)),
    ],
    ids=lambda column: str(column.type),
)
def test_a_column_of_numbers_of_any_type_is_read(column: pa.Array) -> None:
    found = fixes({"lon": column, "lat": pa.array([39.5, 39.5, 39.5])})
    assert found.lon[[0, 2]].tolist() == [116.5, 7.5]
    assert [columns.REASONS[each] for each in found.reason] == ["", "locate.number_missing", ""]


@pytest.mark.parametrize("kind", [pa.bool_(), pa.date32(), pa.list_(pa.float64())])
def test_a_column_that_cannot_hold_numbers_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(Invalid) as refused:
        fixes({"lon": pa.nulls(1, kind), "lat": pa.array([39.5])})
    assert refused.value.code == "sheet.not_numbers"


def test_geometry_that_is_no_point_has_its_reason() -> None:
    shapes = [shapely.Point(116.5, 39.5), None, shapely.Point(), shapely.box(0, 0, 1, 1), shapely.Point(116.5, 39.5, 8)]
    binary = [None if shape is None else shapely.to_wkb(shape) for shape in shapes]
    found = fixes({"g": pa.array([*binary, b"no geometry"], pa.binary())}, geometry="g")
    assert [columns.REASONS[each].removeprefix("locate.") for each in found.reason] == [
        "", "place_missing", "place_missing", "geometry_kind", "", "geometry_unreadable",
    ]  # fmt: skip
    assert found.lon[[0, 4]].tolist() == [116.5, 116.5]


def test_points_of_binary_are_read_as_they_were_written() -> None:
    pairs = np.random.default_rng(1).uniform([-180, -90], [180, 90], (1000, 2))
    wkb = pa.array([shapely.to_wkb(shapely.Point(pair)) for pair in pairs], pa.binary())
    for part in (wkb, wkb.slice(500), pa.array([*wkb.to_pylist(), None], pa.binary())):
        found = fixes({"g": part}, geometry="g")
        expected = pairs[-len(part) :] if len(part) <= 1000 else pairs
        assert np.array_equal(np.column_stack([found.lon, found.lat])[: len(expected)], expected)


def test_points_as_structures_of_x_and_y_are_read() -> None:
    points = pa.array([{"x": 116.5, "y": 39.5}, None])
    found = fixes({"g": points}, geometry="g")
    assert (found.lon[0], found.lat[0], columns.REASONS[found.reason[1]]) == (116.5, 39.5, "locate.place_missing")


def test_rows_have_the_datum_they_say_and_else_the_one_of_the_sheet() -> None:
    lon, lat = pa.array([116.5] * 4), pa.array([39.5] * 4)
    said = pa.array(["WGS84", None, "", "mars"])
    found = fixes({"lon": lon, "lat": lat, "d": said}, datum="d", habits=Habits("GCJ02"))
    assert found.lon[0] == 116.5
    assert found.lon[1] == found.lon[2] != 116.5
    assert columns.REASONS[found.reason[3]] == "coords.unknown_datum"
