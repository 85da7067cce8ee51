"""Batches of rows -> fixes: numbers, words and days out of Arrow columns of any kind, points out of geometries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from gis.errors import Invalid
from gis.territory import columns
from gis.territory.columns import Beside, Fixes, Numbers, Words
from gis.territory.sheets.recipe import Recipe

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
Bytes = npt.NDArray[np.uint8]
Move = Callable[[Floats, Floats], tuple[Floats, Floats]]

# What is a number beyond doubt; any other text is for `said` to read.
NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$"
# A point in well-known binary: byte order, kind, longitude, latitude.
WKB_POINT_BYTES, WKB_POINT_HEAD = 21, b"\x01\x01\x00\x00\x00"


@dataclass(frozen=True)
class Sheet:
    """Some rows of a file.

    broken: reasons of rows known to be unreadable; pair: longitude and latitude, where they stand in no column;
    features: those the rows were made of; move: from the file's own coordinate system to degrees.
    """

    batch: pa.RecordBatch
    broken: Bytes | None = None
    pair: tuple[Numbers, Numbers] | None = None
    features: list[dict[str, Any]] | None = None
    move: Move | None = None


def fixes(sheet: Sheet, recipe: Recipe) -> Fixes:
    """Read where the rows of a sheet are."""
    broken = np.zeros(sheet.batch.num_rows, dtype=np.uint8) if sheet.broken is None else sheet.broken.copy()
    lon, lat = _pair(sheet, recipe, broken)
    on, unread = _days(sheet.batch, recipe)
    broken[broken == 0] = unread[broken == 0]
    beside = Beside(
        recipe.habits,
        _numbers(sheet.batch, recipe.accuracy) if recipe.accuracy else None,
        _words(sheet.batch, recipe.datum) if recipe.datum else None,
    )
    return columns.read(lon, lat, on, beside, broken)


def _pair(sheet: Sheet, recipe: Recipe, broken: Bytes) -> tuple[Numbers, Numbers]:
    if recipe.lon and recipe.lat:
        return _numbers(sheet.batch, recipe.lon), _numbers(sheet.batch, recipe.lat)
    if recipe.geometry:
        return _points(sheet, recipe.geometry, broken)
    if sheet.pair is None:
        raise Invalid("sheet.no_place", columns="")
    return sheet.pair


def _numbers(batch: pa.RecordBatch, name: str) -> Numbers:
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        values = _of_text(column)
    elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        values = column.cast(pa.float64(), safe=False)
    elif pa.types.is_null(column.type):
        values = pa.nulls(len(column), pa.float64())
    else:
        raise Invalid("sheet.not_numbers", column=name, kind=str(column.type))
    return Numbers(_filled(values), partial(_item, column))


def _of_text(column: pa.Array) -> pa.Array:
    plain = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.match_substring_regex(plain, NUMBER), plain, None).cast(pa.float64())


def _filled(values: pa.Array) -> Floats:
    """Return numbers with NaN where there is none; without nulls the column's own memory."""
    return np.asarray(values.fill_null(np.nan) if values.null_count else values, dtype=np.float64)


def _item(column: pa.Array, row: int) -> object:
    value = column[row].as_py()
    return value if value is None or isinstance(value, str | int | float) else float(value)


def _words(batch: pa.RecordBatch, name: str) -> Words:
    column = batch.column(name)
    coded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    choices = ["" if each is None else str(each) for each in coded.dictionary.to_pylist()]
    chosen = np.asarray(coded.indices.cast(pa.int32()).fill_null(-1), dtype=np.int32).copy()
    # An empty cell says nothing, as a missing one.
    blank = np.array([not each.strip() for each in choices] + [True])
    chosen[blank[chosen]] = -1
    return Words(choices, chosen)


def _days(batch: pa.RecordBatch, recipe: Recipe) -> tuple[Days, Bytes]:
    if recipe.date is None:
        return np.full(batch.num_rows, np.datetime64(recipe.on, "D")), np.zeros(batch.num_rows, dtype=np.uint8)
    column = batch.column(recipe.date)
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    told, reasons = columns.days([*coded.dictionary.to_pylist(), None], recipe.zone)
    which = np.asarray(coded.indices.cast(pa.int32()).fill_null(len(told) - 1), dtype=np.int32)
    return told[which], reasons[which]


def _points(sheet: Sheet, name: str, broken: Bytes) -> tuple[Numbers, Numbers]:
    column = sheet.batch.column(name)
    if pa.types.is_struct(column.type):
        lon, lat = (_filled(column.field(each).cast(pa.float64())) for each in ("x", "y"))
        absent = np.asarray(column.is_null())
    elif is_binary(column.type):
        lon, lat, absent = _of_wkb(column, broken)
    else:
        raise Invalid("sheet.not_points", column=name, kind=str(column.type))
    broken[absent & (broken == 0)] = columns.reason("locate.place_missing")
    if sheet.move:
        lon, lat = sheet.move(lon, lat)
    return Numbers(lon, partial(_of, lon)), Numbers(lat, partial(_of, lat))


def is_binary(kind: pa.DataType) -> bool:
    """Say whether a column holds bytes."""
    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary))


def _of(values: Floats, row: int) -> float:
    return float(values[row])


def _of_wkb(column: pa.Array, broken: Bytes) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    lonlat = _plain_points(column)
    if lonlat is not None:
        return lonlat[0], lonlat[1], np.zeros(len(column), dtype=bool)
    shapes = shapely.from_wkb(np.asarray(column.to_numpy(zero_copy_only=False)), on_invalid="ignore")
    absent = np.asarray(column.is_null())
    broken[shapely.is_missing(shapes) & ~absent] = columns.reason("locate.geometry_unreadable")
    other = ~shapely.is_missing(shapes) & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    broken[other] = columns.reason("locate.geometry_kind")
    absent |= np.asarray(shapely.is_empty(shapes))
    shapes[absent] = None
    return shapely.get_x(shapes), shapely.get_y(shapes), absent


def _plain_points(column: pa.Array) -> tuple[Floats, Floats] | None:
    """Return the coordinates where every value is a point of 21 little-endian bytes, as they nearly always are."""
    if column.null_count or not len(column) or not pa.types.is_binary(column.type):
        return None
    _, ends, data = column.buffers()
    offsets = np.frombuffer(ends, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    if (np.diff(offsets) != WKB_POINT_BYTES).any():
        return None
    rows = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]].reshape(-1, WKB_POINT_BYTES)
    if (rows[:, :5] != np.frombuffer(WKB_POINT_HEAD, dtype=np.uint8)).any():
        return None
    pairs = np.ascontiguousarray(rows[:, 5:]).view("<f8")
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
