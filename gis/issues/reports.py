"""Reports as they come in: one mapping, from JSON or from a row of a file -> one checked value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from gis.errors import Invalid

Json = dict[str, Any]

# A sender's clock may run ahead of ours by this much.
CLOCK = timedelta(minutes=1)
EARLIEST_YEAR = 1970
FIELDS = (
    "source", "external_id", "category", "condition", "text", "reported_at", "place", "reporter", "filed_by",
    "work_order",
)  # fmt: skip
LONGEST = {"source": 60, "external_id": 200, "text": 20_000}
REPORTER_FIELDS = ("name", "phone", "email", "address")
REPORTER_LONGEST = 200
ORDER_FIELDS = ("type", "urgency", "due_at")
# Objects and lists inside each other; a GeoJSON geometry needs eight.
DEEPEST = 20
# NUL, and halves of surrogate pairs: no database keeps them.
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class CategoryKey:
    """A category as a sender names it."""

    scheme: str
    version: str
    code: str


@dataclass(frozen=True)
class WorkOrder:
    """What a hotline says of a report it hands over: type of request, urgency, and a deadline of its own."""

    type: str
    urgency: str = ""
    due_at: datetime | None = None

    def as_dict(self) -> Json:
        """Render as it is kept."""
        return {"type": self.type, "urgency": self.urgency, "due_at": self.due_at and self.due_at.isoformat()}


@dataclass(frozen=True)
class Report:
    """A report, checked but not yet put on the ground.

    place: as it was sent; `locate.parse` reads it. filed_by: the unit ("net:level:code") that filed or received it on
    its own; None when it came straight to the common centre. condition: number of the filing condition in its class.
    """

    source: str
    external_id: str
    category: CategoryKey
    text: str
    reported_at: datetime
    place: Json = field(default_factory=dict)
    reporter: Json | None = None
    filed_by: str | None = None
    condition: int | None = None
    work_order: WorkOrder | None = None


def parse_report(data: Mapping[str, Any], *, now: datetime, zone: tzinfo) -> Report:
    """Read a report; raise Invalid that names the field. A time without a zone is in `zone`, the city's."""
    unknown = sorted(set(data) - set(FIELDS))
    if unknown:
        raise Invalid("report.unknown_field", field=str(unknown[0])[:80], fields=", ".join(FIELDS))
    _check_writable(data, "report")
    return Report(
        source=_text(data, "source"),
        external_id=_text(data, "external_id"),
        category=_category(data.get("category")),
        text=_text(data, "text"),
        reported_at=_past(_time(data, "reported_at", zone), now),
        place=_mapping(data, "place"),
        reporter=_reporter(data),
        filed_by=_unit(data),
        condition=_number(data, "condition"),
        work_order=_work_order(_mapping(data, "work_order"), zone),
    )


def _unit(data: Mapping[str, Any]) -> str | None:
    value = data.get("filed_by")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or len(value.split(":")) != 3 or not all(value.split(":")):
        raise Invalid("report.not_a_unit", field="filed_by", value=str(value)[:80])
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Invalid("report.missing", field=name)
    if len(value) > LONGEST[name]:
        raise Invalid("report.too_long", field=name, most=LONGEST[name], length=len(value))
    # What people wrote stays as they wrote it; only names that are compared lose the space around them.
    return value if name == "text" else value.strip()


def _category(value: object) -> CategoryKey:
    parts = value if isinstance(value, Mapping) else {}
    missing = [name for name in ("scheme", "version", "code") if not str(parts.get(name) or "").strip()]
    if missing:
        raise Invalid("report.missing", field=f"category.{missing[0]}")
    return CategoryKey(*(str(parts[name]).strip() for name in ("scheme", "version", "code")))


def _number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    said = "" if value is None or isinstance(value, bool) else str(value).strip()
    # A spreadsheet writes a whole number with a point behind it.
    said = said.removesuffix(".0")
    if value in (None, ""):
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 4 and int(said)):
        raise Invalid("report.not_a_number", field=name, value=str(value)[:80])
    return int(said)


def _work_order(data: Json, zone: tzinfo) -> WorkOrder | None:
    if not data:
        return None
    unknown = sorted(set(data) - set(ORDER_FIELDS))
    if unknown:
        field_ = f"work_order.{unknown[0]}"[:80]
        raise Invalid("report.unknown_field", field=field_, fields=", ".join(ORDER_FIELDS))
    kind = str(data.get("type") or "").strip()
    if not kind:
        raise Invalid("report.missing", field="work_order.type")
    due_at = None if data.get("due_at") in (None, "") else _time(data, "due_at", zone)
    return WorkOrder(kind, str(data.get("urgency") or "").strip(), due_at)


def _time(data: Mapping[str, Any], name: str, zone: tzinfo) -> datetime:
    value = data.get(name)
    if value in (None, ""):
        raise Invalid("report.missing", field=name)
    try:
        read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        if read.tzinfo is None:
            read = read.replace(tzinfo=zone)
        return read.astimezone(timezone.utc)  # noqa: UP017 -- the same word as the zone of the sender
    except (ValueError, OverflowError):
        raise Invalid("report.bad_time", value=str(value)[:80]) from None


def _past(at: datetime, now: datetime) -> datetime:
    if at > now + CLOCK:
        raise Invalid("report.in_the_future", value=at.isoformat(), now=now.isoformat(timespec="seconds"))
    if at.year < EARLIEST_YEAR:
        raise Invalid("report.too_early", value=at.isoformat(), year=EARLIEST_YEAR)
    return at


def _mapping(data: Mapping[str, Any], name: str) -> Json:
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid("report.not_an_object", field=name)
    return dict(value)


def _reporter(data: Mapping[str, Any]) -> Json | None:
    said = {name: str(value) for name, value in _mapping(data, "reporter").items() if value not in (None, "")}
    for name, value in said.items():
        if name not in REPORTER_FIELDS:
            raise Invalid("report.unknown_field", field=f"reporter.{name}"[:80], fields=", ".join(REPORTER_FIELDS))
        if len(value) > REPORTER_LONGEST:
            raise Invalid("report.too_long", field=f"reporter.{name}", most=REPORTER_LONGEST, length=len(value))
    return said or None


def _check_writable(value: object, path: str, depth: int = 0) -> None:
    """Refuse what a database cannot keep as it is: NUL, half a surrogate pair, NaN inside what is stored as JSON."""
    if depth > DEEPEST:
        raise Invalid("report.too_deep", field=path[:80], most=DEEPEST)
    if isinstance(value, str):
        if UNWRITABLE.search(value):
            raise Invalid("report.bad_character", field=path)
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid("report.not_finite", field=path, value=str(value))
    for inner, inner_path in _inside(value, path):
        _check_writable(inner, inner_path, depth + 1)


def _inside(value: object, path: str) -> Iterator[tuple[object, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name, path
            yield inner, f"{path}.{name}"
    elif isinstance(value, list | tuple):
        for inner in value:
            yield inner, path
