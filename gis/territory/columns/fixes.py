"""Fixes as columns: what many rows say -> points in WGS 84 with their error, or the reason why not. Pure.

The rule is that of `said`, written there once: plain rows, which are nearly all, are read as whole columns, and every
row in doubt is handed to `said.parse` as it was written. A row that cannot be read is never an error here: it keeps
its place among the others, and its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from gis.errors import Invalid
from gis.territory import coords, said
from gis.territory.said import UNKNOWN, Habits

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Days = npt.NDArray[np.datetime64]
Json = dict[str, Any]
Bools = npt.NDArray[np.bool_]

# What a row without a place may say; the first one is that it has one.
REASONS = (
    "",
    "locate.place_missing",
    "locate.number_missing",
    "locate.not_a_number",
    "locate.not_finite",
    "locate.coordinate_out_of_range",
    "locate.swapped",
    "locate.zero",
    "locate.truncated",
    "coords.unknown_datum",
    "coords.impossible_accuracy",
    "locate.date_missing",
    "locate.date_unreadable",
    "locate.geometry_kind",
    "locate.geometry_unreadable",
    "sheet.row_ragged",
)
# Whole degrees and what is nearer to them than any fix says; wider than what `said` refuses, which then decides.
DOUBT_DEG = 1e-5


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, NaN where it holds none. raw: what stands in a row, as it was written."""

    values: Floats
    raw: Callable[[int], object]


@dataclass(frozen=True)
class Words:
    """A column of words that repeat: which of `choices` stands in each row, -1: none."""

    choices: Sequence[str]
    chosen: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Fixes:
    """Points, (n,) each: degrees in WGS 84 and the day asked about; sigma_m is NaN where no accuracy is known.

    reason: the position in REASONS; where it is not 0, nothing else holds.
    """

    lon: Floats
    lat: Floats
    on: Days
    reason: Bytes
    sigma_m: Floats | None = None

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True)
class Beside:
    """What rows say beside longitude and latitude, and what holds where they say nothing."""

    habits: Habits = UNKNOWN
    accuracy_m: Numbers | None = None
    datum: Words | None = None


def numbers(values: npt.ArrayLike, name: str) -> Numbers:
    """Take an array of any kind and layout; raise Invalid if it has not one dimension or cannot hold numbers."""
    given = np.asarray(values)
    if given.ndim != 1:
        raise Invalid("columns.not_a_row", name=name, shape=str(given.shape))
    if given.dtype.kind in "fiu":
        return Numbers(np.ascontiguousarray(given, dtype=np.float64), partial(_item, given))
    if given.dtype.kind in "OSU" or not len(given):
        return Numbers(np.array([_float(each) for each in given], dtype=np.float64), partial(_item, given))
    raise Invalid("columns.not_numbers", name=name, kind=str(given.dtype))


def read(lon: Numbers, lat: Numbers, on: Days, beside: Beside | None = None, broken: Bytes | None = None) -> Fixes:
    """Read fixes. on: the day of each row; broken: rows known to be unreadable, by their reason. Raise Invalid."""
    beside = beside or Beside()
    if len({len(lon.values), len(lat.values), len(on)}) > 1:
        raise Invalid("columns.lengths", lon=len(lon.values), lat=len(lat.values), on=len(on))
    reason = np.zeros(len(lon.values), dtype=np.uint8) if broken is None else broken.copy()
    sigma_m = _sigma_m(beside, len(reason))
    doubtful = _doubtful(lon.values, lat.values) & (reason == 0)
    doubtful |= _doubtful_beside(beside, len(reason)) & (reason == 0)
    east, north = _to_wgs84(lon.values, lat.values, beside)
    fixes = Fixes(east, north, on, reason, sigma_m)
    return _settled(fixes, np.flatnonzero(doubtful), partial(_raw, lon, lat, beside), beside.habits)


def days(written: Sequence[object], zone: tzinfo | None = None) -> tuple[Days, Bytes]:
    """Read days from dates, times or ISO text -> (days, reasons). A time with a zone counts in the city's `zone`."""
    read_ones = [_day(each, zone) for each in written]
    found = np.array([day or np.datetime64("NaT") for day, _ in read_ones], dtype="datetime64[D]")
    return found, np.array([reason for _, reason in read_ones], dtype=np.uint8)


def reason(code: str) -> int:
    """Return the position of a reason."""
    return REASONS.index(code)


def _day(written: object, zone: tzinfo | None) -> tuple[date | None, int]:
    if written is None or (isinstance(written, str) and not written.strip()):
        return None, reason("locate.date_missing")
    try:
        told = written if isinstance(written, date) else _parsed(str(written).strip())
    except ValueError:
        return None, reason("locate.date_unreadable")
    if isinstance(told, datetime):
        return (told.astimezone(zone) if told.tzinfo and zone else told).date(), 0
    return told, 0


def _parsed(written: str) -> date:
    return date.fromisoformat(written) if len(written) == 10 else datetime.fromisoformat(written)


def _doubtful(lon: Floats, lat: Floats) -> Bools:
    """Say which pairs `said` may refuse; NaN fails every comparison."""
    inside = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(lon - np.rint(lon)) < DOUBT_DEG) & (np.abs(lat - np.rint(lat)) < DOUBT_DEG)
    return ~inside | whole


def _doubtful_beside(beside: Beside, rows_n: int) -> Bools:
    doubtful = np.zeros(rows_n, dtype=bool)
    if beside.accuracy_m:
        values = beside.accuracy_m.values
        # A row that says nothing is not in doubt; what it says and is no number, is.
        doubtful |= ~((values >= 0) & np.isfinite(values))
    if beside.datum:
        known = np.array([*(_datum(each) is not None for each in beside.datum.choices), True])
        doubtful |= ~known[beside.datum.chosen]
    return doubtful


def _sigma_m(beside: Beside, rows_n: int) -> Floats | None:
    habits = beside.habits
    kind = habits.accuracy_kind or "radius95"
    usual = np.nan if habits.accuracy_m is None else coords.sigma_m(habits.accuracy_m, kind)
    if beside.accuracy_m is None:
        return None if habits.accuracy_m is None else np.full(rows_n, usual)
    coords.sigma_m(0.0, kind)  # refuses a kind that is none
    return beside.accuracy_m.values / coords.ACCURACY_DIVISORS[kind]


def _to_wgs84(lon: Floats, lat: Floats, beside: Beside) -> tuple[Floats, Floats]:
    if beside.datum is None:
        return coords.to_wgs84(lon, lat, _datum(beside.habits.datum) or beside.habits.datum)
    east, north = lon.copy(), lat.copy()
    for nth, word in enumerate((*beside.datum.choices, beside.habits.datum)):
        # The last one is what the rows that say nothing (-1) have.
        at = beside.datum.chosen == (nth if nth < len(beside.datum.choices) else -1)
        datum = _datum(word)
        if datum and at.any():
            east[at], north[at] = coords.to_wgs84(lon[at], lat[at], datum)
    return east, north


def _datum(written: str) -> str | None:
    """Return the datum's name as `said` reads it, None if it knows none of that name."""
    try:
        return said.parse({"lon": 0.5, "lat": 0.5, "datum": written}).datum
    except Invalid:
        return None


def _settled(fixes: Fixes, doubtful: npt.NDArray[np.intp], raw: Callable[[int], Json], habits: Habits) -> Fixes:
    """Let `said` decide the rows in doubt."""
    if not len(doubtful):
        return fixes
    lon, lat = fixes.lon.copy(), fixes.lat.copy()
    sigma_m = np.full(len(lon), np.nan) if fixes.sigma_m is None else fixes.sigma_m.copy()
    for row in doubtful.tolist():
        try:
            place = said.parse(raw(row), habits)
        except Invalid as error:
            fixes.reason[row] = reason(error.code)
            continue
        fixes.reason[row] = reason(place.reason or "")
        if place.kind == "point":
            lon[row], lat[row] = place.middle
            sigma_m[row] = np.nan if place.sigma_m is None else place.sigma_m
    return Fixes(lon, lat, fixes.on, fixes.reason, None if fixes.sigma_m is None else sigma_m)


def _raw(lon: Numbers, lat: Numbers, beside: Beside, row: int) -> Json:
    written = {"lon": lon.raw(row), "lat": lat.raw(row)}
    if beside.accuracy_m:
        written["accuracy_m"] = beside.accuracy_m.raw(row)
    if beside.datum and beside.datum.chosen[row] >= 0:
        written["datum"] = beside.datum.choices[beside.datum.chosen[row]]
    return written


def _item(given: npt.NDArray[Any], row: int) -> object:
    return given[row].item() if isinstance(given[row], np.generic) else given[row]


def _float(written: object) -> float:
    """Return the number where it is one beyond doubt; NaN sends the row to `said`."""
    try:
        return float(written) if isinstance(written, int | float) and not isinstance(written, bool) else float("nan")
    except OverflowError:
        return float("nan")
