"""What a report must say, and the sentence for each way in which it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gis.errors import Invalid
from gis.issues.reports import CategoryKey, Report, WorkOrder, parse_report

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SAID: dict[str, Any] = {
    "source": "12345",
    "external_id": "A-1",
    "category": {"scheme": "gb", "version": "2013", "code": "0501"},
    "text": "井盖破损",
    "reported_at": "2024-05-06T10:00:00+08:00",
    "place": {"lon": 120.01, "lat": 30.01},
    "reporter": {"name": "王芳", "phone": "13800000000"},
}


def parse(**changes: object) -> Report:
    said = {name: value for name, value in (SAID | changes).items() if value is not ...}
    return parse_report(said, now=NOW, zone=ZONE)


def refusal(**changes: object) -> str:
    with pytest.raises(Invalid) as caught:
        parse(**changes)
    return caught.value.code


def test_a_full_report_is_read() -> None:
    assert parse() == Report(
        "12345",
        "A-1",
        CategoryKey("gb", "2013", "0501"),
        "井盖破损",
        datetime(2024, 5, 6, 2, tzinfo=UTC),
        {"lon": 120.01, "lat": 30.01},
        {"name": "王芳", "phone": "13800000000"},
    )


def test_a_time_without_a_zone_is_the_citys() -> None:
    assert parse(reported_at="2024-05-06 10:00:00").reported_at == datetime(2024, 5, 6, 2, tzinfo=UTC)


def test_a_time_ahead_of_now_is_refused() -> None:
    assert refusal(reported_at=(NOW + timedelta(minutes=2)).isoformat()) == "report.in_the_future"


def test_a_clock_a_little_ahead_is_forgiven() -> None:
    assert parse(reported_at=(NOW + timedelta(seconds=30)).isoformat()).reported_at > NOW


@pytest.mark.parametrize("said", ["yesterday", "2024-13-01", "0001-01-01T00:00:00+14:00", 17, [], {}])
def test_what_is_no_time_is_refused(said: object) -> None:
    assert refusal(reported_at=said) in {"report.bad_time", "report.too_early"}


@pytest.mark.parametrize("field", ["source", "external_id", "text", "reported_at"])
@pytest.mark.parametrize("empty", [..., None, "", "  "])
def test_a_missing_field_is_named(field: str, empty: object) -> None:
    with pytest.raises(Invalid) as caught:
        parse(**{field: empty})
    assert caught.value.code in {"report.missing", "report.bad_time"}
    assert caught.value.params.get("field", field) == field


@pytest.mark.parametrize("said", [..., None, "0501", {}, {"scheme": "gb", "version": "2013"}, {"code": "0501"}])
def test_a_category_needs_scheme_version_and_code(said: object) -> None:
    assert refusal(category=said) == "report.missing"


def test_a_report_without_a_place_is_read() -> None:
    assert parse(place=...).place == {}


def test_a_place_that_is_no_object_is_refused() -> None:
    assert refusal(place="here") == "report.not_an_object"


def test_a_field_nobody_knows_is_refused_rather_than_lost() -> None:
    assert refusal(txt="typo") == "report.unknown_field"


def test_a_text_beyond_the_limit_is_refused() -> None:
    assert refusal(text="长" * 20_001) == "report.too_long"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE issue; --", "  spaced \n lines  ", "🚧"])
def test_a_text_is_kept_as_it_was_written(text: str) -> None:
    assert parse(text=text).text == text


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d of a pair"])
def test_a_character_no_database_can_keep_is_refused(text: str) -> None:
    assert refusal(text=text) == "report.bad_character"


def test_a_bad_character_is_found_in_every_depth() -> None:
    with pytest.raises(Invalid) as caught:
        parse(place={"geometry": {"type": "Point", "coordinates": [1, 2], "why": ["a\x00"]}})
    assert caught.value.params["field"] == "report.place.geometry.why"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    assert refusal(place={"lon": number, "lat": 30.0}) == "report.not_finite"


def test_a_reporter_has_known_fields_only() -> None:
    assert refusal(reporter={"id_card": "330100"}) == "report.unknown_field"


def test_an_empty_reporter_is_none() -> None:
    assert parse(reporter={"name": ""}).reporter is None


def test_a_number_as_external_id_is_its_text() -> None:
    assert parse(external_id=17).external_id == "17"


@pytest.mark.parametrize(
    ("said", "read"), [(2, 2), ("2", 2), (" 2 ", 2), (2.0, 2), (None, None), ("", None), (..., None)]
)
def test_a_condition_is_a_number(said: object, read: int | None) -> None:
    assert parse(condition=said).condition == read


@pytest.mark.parametrize("said", [0, -1, "two", 1.5, "²", "99999"])
def test_a_condition_that_is_no_number_is_refused(said: object) -> None:
    assert refusal(condition=said) == "report.not_a_number"


def test_a_work_order_keeps_its_deadline_in_the_citys_zone() -> None:
    said = {"type": " 投诉 ", "urgency": "一般", "due_at": "2024-05-20 18:00:00"}
    assert parse(work_order=said).work_order == WorkOrder("投诉", "一般", datetime(2024, 5, 20, 10, tzinfo=UTC))


@pytest.mark.parametrize("said", [{}, None, ...])
def test_a_report_need_not_be_a_work_order(said: object) -> None:
    assert parse(work_order=said).work_order is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"urgency": "一般"}, "report.missing"),
        ({"type": "投诉", "deadline": "2024-05-20"}, "report.unknown_field"),
        ({"type": "投诉", "due_at": "soon"}, "report.bad_time"),
        ("投诉", "report.not_an_object"),
    ],
)
def test_a_work_order_that_cannot_be_read_is_refused(said: object, code: str) -> None:
    assert refusal(work_order=said) == code
