"""Columns of coordinates: each row is read as `said` reads it, arrays of any kind are taken or refused with a code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid
from gis.territory import columns, said
from gis.territory.columns import Beside, Fixes, Words
from gis.territory.said import Habits

BAD: tuple[Any, ...] = (
    None, "", "  ", "abc", True, "nan", "inf", 1e999, "116.3", 116.3, 39.9, 0, 0.0, 1e-9, 7, 7.0000001, 91.5, 120.5,
    181.0, -200, "１１６.３", "1e1", "--5", b"7", 10**400,
)  # fmt: skip
CHINA = timezone(timedelta(hours=8))


def read(lon: Sequence[Any], lat: Sequence[Any], beside: Beside | None = None) -> Fixes:
    on = np.full(len(lon), np.datetime64("2025-06-01"))
    given_ones = [columns.numbers(np.array(each, dtype=object), "lon") for each in (lon, lat)]
    return columns.read(given_ones[0], given_ones[1], on, beside)


def alone(raw: dict[str, Any], habits: Habits) -> tuple[str, float | None, float | None, float | None]:
    try:
        place = said.parse(raw, habits)
    except Invalid as error:
        return error.code, None, None, None
    return (place.reason or "", *(place.middle if place.geometry else (None, None)), place.sigma_m)


def of_row(fixes: Fixes, row: int) -> tuple[str, float | None, float | None, float | None]:
    if fixes.reason[row]:
        return columns.REASONS[fixes.reason[row]], None, None, None
    sigma_m = None if fixes.sigma_m is None or np.isnan(fixes.sigma_m[row]) else float(fixes.sigma_m[row])
    return "", float(fixes.lon[row]), float(fixes.lat[row]), sigma_m


def test_every_pair_of_bad_values_is_refused_as_one_alone_would_be() -> None:
    pairs = [(lon, lat) for lon in BAD for lat in BAD]
    fixes = read([lon for lon, _ in pairs], [lat for _, lat in pairs])
    for row, (lon, lat) in enumerate(pairs):
        assert of_row(fixes, row) == alone({"lon": lon, "lat": lat}, said.UNKNOWN), (lon, lat)


@given(
    st.lists(
        st.tuples(
            st.floats(-200, 200),
            st.floats(-100, 100),
            st.one_of(st.none(), st.floats(allow_nan=True)),
            st.sampled_from(["GCJ02", "gcj-02", "BD09", "WGS84", "mars", None]),
        ),
        min_size=1,
    )
)
def test_any_row_with_accuracy_and_datum_is_read_as_alone(rows: list[tuple[float, float, float | None, str]]) -> None:
    habits = Habits("CGCS2000", 25.0, "radius68")
    choices = ["GCJ02", "gcj-02", "BD09", "WGS84", "mars"]
    chosen = np.array([choices.index(datum) if datum else -1 for *_, datum in rows], dtype=np.int32)
    stated = columns.numbers(np.array([accuracy for *_, accuracy, _ in rows], dtype=object), "accuracy_m")
    beside = Beside(habits, stated, Words(choices, chosen))
    fixes = read([row[0] for row in rows], [row[1] for row in rows], beside)
    for row, (lon, lat, accuracy_m, datum) in enumerate(rows):
        raw = {"lon": lon, "lat": lat, "accuracy_m": accuracy_m, "datum": datum}
        assert of_row(fixes, row) == alone(raw, habits), raw


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint8, ">f8"])
def test_numbers_of_any_kind_and_layout_are_taken(kind: Any) -> None:
    values = np.arange(20, dtype=kind)[::2]
    values.flags.writeable = False
    taken = columns.numbers(values, "lon").values
    assert taken.dtype == np.float64
    assert taken.flags.c_contiguous
    assert taken.tolist() == list(range(0, 20, 2))


def test_a_number_kept_as_text_is_a_number() -> None:
    fixes = read(["116.5", np.str_("116.25")], ["39.5", "39.75"])
    assert (fixes.lon.tolist(), fixes.lat.tolist()) == ([116.5, 116.25], [39.5, 39.75])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.zeros((2, 2)), "columns.not_a_row"),
        (np.float64(3), "columns.not_a_row"),
        (np.array(["2025-01-01"], dtype="datetime64[D]"), "columns.not_numbers"),
        (np.array([1 + 2j]), "columns.not_numbers"),
        (np.array([True]), "columns.not_numbers"),
    ],
)
def test_an_array_that_cannot_hold_numbers_is_refused(values: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        columns.numbers(values, "lon")
    assert refused.value.code == code


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        read([116.5], [39.5, 39.6])
    assert refused.value.code == "columns.lengths"


@pytest.mark.parametrize(
    ("written", "day", "reason"),
    [
        ("2025-06-01", "2025-06-01", ""),
        (" 2025-06-01 ", "2025-06-01", ""),
        (date(2025, 6, 1), "2025-06-01", ""),
        (datetime(2025, 6, 1, 23, 30), "2025-06-01", ""),  # noqa: DTZ001
        (datetime(2025, 5, 31, 23, 30, tzinfo=UTC), "2025-06-01", ""),
        ("2025-05-31T23:30:00Z", "2025-06-01", ""),
        ("2025-05-31 23:30:00+08:00", "2025-05-31", ""),
        ("", "NaT", "locate.date_missing"),
        (None, "NaT", "locate.date_missing"),
        ("1.6.2025", "NaT", "locate.date_unreadable"),
        ("2025-02-30", "NaT", "locate.date_unreadable"),
        ("20250601", "2025-06-01", ""),
        (2025, "NaT", "locate.date_unreadable"),
    ],
)
def test_a_time_counts_on_its_day_in_the_city(written: object, day: str, reason: str) -> None:
    days, reasons = columns.days([written], CHINA)
    assert (str(days[0]), columns.REASONS[reasons[0]]) == (day, reason)
