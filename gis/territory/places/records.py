"""Rows of a file become rows of a table: text, numbers, lists, and the reasons why some cannot."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Column, Float
from sqlalchemy.dialects.postgresql import ARRAY

from gis.territory.address import keys
from gis.territory.places.files import ROW_NUMBER
from gis.territory.places.footprints import Fault
from gis.territory.places.mapping import OWN_COLUMNS, PlaceFile

Values = list[Any]
ADDRESS_PARTS = ("street_name", "house_number", "estate_name", "building_number")
_LIST = re.compile(r"[;；、|]")
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def columns(file: PlaceFile, table: pd.DataFrame, rows: range) -> tuple[dict[str, Values], list[Fault]]:
    """Read the columns of ours that a file fills, and the rows whose numbers or ids cannot be used."""
    made: dict[str, Values] = {"source": [file.source] * len(table)}
    faults: list[Fault] = []
    for column in file.table.columns:
        if column.name not in OWN_COLUMNS:
            made[column.name], found = _column(file, table, column, rows)
            faults += found
    if "attributes" in file.table.columns:
        made["attributes"] = _attributes(file, table)
    if file.kind == "address":
        made["key"] = list(map(keys.text_key, *(made[name] for name in ADDRESS_PARTS)))
    if "name_en" in made and "name_en" not in file.fields:
        made["name_en"] = made["name"]
    return made, faults


def _column(file: PlaceFile, table: pd.DataFrame, column: Column[Any], rows: range) -> tuple[Values, list[Fault]]:
    named = file.fields.get(column.name)
    if named is None:
        empty: Any = [] if isinstance(column.type, ARRAY) else None if column.nullable else ""
        return [file.values.get(column.name, empty)] * len(table), []
    if isinstance(column.type, ARRAY):
        return _lists(table, [named] if isinstance(named, str) else named), []
    name = named if isinstance(named, str) else named[0]
    if name == ROW_NUMBER:
        return [str(row) for row in rows], []
    if isinstance(column.type, Float):
        return _numbers(table[name])
    values = texts(table[name])
    if column.name == "external_id":
        return values, [Fault(at, "places.no_id", {"field": name}) for at, value in enumerate(values) if not value]
    return ([value or None for value in values] if column.nullable else values), []


def texts(series: pd.Series[Any]) -> list[str]:
    """Write every value as text: nothing as "", whole numbers without a point, never a NUL."""
    if pd.api.types.is_float_dtype(series.dtype):
        return [
            "" if np.isnan(v) else str(int(v)) if v.is_integer() else repr(v) for v in series.astype(float).tolist()
        ]
    known = series.notna().tolist()
    return [_text(value) if there else "" for value, there in zip(series.tolist(), known, strict=True)]


def _text(value: object) -> str:
    return str(value).replace("\x00", "").strip()


def _numbers(series: pd.Series[Any]) -> tuple[Values, list[Fault]]:
    numbers: NDArray[np.float64] = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float)
    finite = np.isfinite(numbers)
    said = texts(series)
    faults = [
        Fault(at, "places.not_a_number", {"field": str(series.name), "value": said[at][:60]})
        for at in np.flatnonzero(~finite).tolist()
        if said[at]
    ]
    return [number if known else None for number, known in zip(numbers.tolist(), finite.tolist(), strict=True)], faults


def _lists(table: pd.DataFrame, names: list[str]) -> Values:
    found = [texts(table[name]) for name in names]
    return [
        list(dict.fromkeys(part.strip() for text in each for part in _LIST.split(text) if part.strip()))
        for each in zip(*found, strict=True)
    ]


def _attributes(file: PlaceFile, table: pd.DataFrame) -> Values:
    found = {name: table[column].tolist() for name, column in file.attributes.items()}
    known = {name: table[column].notna().tolist() for name, column in file.attributes.items()}
    return [
        {name: _plain(found[name][at]) for name in found if known[name][at] and found[name][at] != ""}
        for at in range(len(table))
    ]


def _plain(value: object) -> object:
    """Keep numbers and truths as they are; everything else is text."""
    if isinstance(value, bool | int | float) and np.isfinite(value):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return _text(value)


def as_copy(value: object) -> str:
    """Write a value as COPY's text format has it."""
    if value is None:
        return r"\N"
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        value = "{" + ",".join('"' + part.replace("\\", r"\\").replace('"', r"\"") + '"' for part in value) + "}"
    return str(value).translate(_ESCAPES)
