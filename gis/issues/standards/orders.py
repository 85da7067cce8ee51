"""Limits of hotline work orders: by city, type of request and urgency, a clock for signing, contact and reply each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gis.errors import Invalid, Problems, ShaotuError
from gis.issues.standards import wording
from gis.issues.standards.reading import rows_of
from gis.issues.standards.values import OrderLimit

SIGN, CONTACT, REPLY = "sign", "contact", "reply"
CLOCKS = (SIGN, CONTACT, REPLY)
HEADINGS = {
    "城市": "city", "诉求类型": "request_type", "工单类型": "request_type", "紧急程度": "urgency",
    "签收时限": SIGN, "联系时限": CONTACT, "答复时限": REPLY, "反馈时限": REPLY,
}  # fmt: skip
COLUMNS = {"city", "request_type", "urgency", *CLOCKS}
# Words in use -> the codes the page has names for; a city's other words are kept as they are.
TYPES = {
    "咨询": "consult", "求助": "help", "建议": "suggest", "投诉": "complain", "举报": "tip", "表扬": "praise",
}  # fmt: skip
URGENCIES = {"特急": "emergency", "紧急": "urgent", "一般": "general", "疑难": "complex"}


def read(path: Path, plain: str = wording.WORKING) -> list[OrderLimit]:
    """Read a table of limits; raise Problems with every row that cannot be used. An empty cell sets no clock."""
    problems: list[ShaotuError] = []
    limits: list[OrderLimit] = []
    for number, row in rows_of(path):
        said = {HEADINGS.get(heading, heading): value for heading, value in row.items()}
        strange = sorted(said.keys() - COLUMNS - {"", "note", "备注"})
        if strange or not said.keys() >= {"city", "request_type"}:
            raise Invalid("standards.unknown_column", columns=", ".join(strange), known=", ".join(sorted(COLUMNS)))
        limits += _of_row(number, said, plain, problems)
    problems += _repeated(limits)
    if not limits and not problems:
        problems.append(Invalid("standards.empty", path=str(path)))
    if problems:
        raise Problems(problems)
    return limits


def type_code(said: str) -> str:
    """Return the code of a type of request."""
    return TYPES.get(said.strip(), said.strip())


def urgency_code(said: str) -> str:
    """Return the code of an urgency."""
    return URGENCIES.get(said.strip(), said.strip())


def _of_row(number: int, row: Mapping[str, str], plain: str, problems: list[ShaotuError]) -> list[OrderLimit]:
    found = []
    if not row["city"] or not row["request_type"]:
        problems.append(Invalid("standards.order_incomplete", row=number))
        return []
    for clock in CLOCKS:
        if not row.get(clock):
            continue
        try:
            limit = wording.parse(row[clock], plain)
        except Invalid as problem:
            problems.append(Invalid("standards.order_limit", row=number, clock=clock, said=problem.params["said"]))
            continue
        key = row["city"], type_code(row["request_type"]), urgency_code(row.get("urgency", ""))
        found.append(OrderLimit(*key, clock, limit, row[clock], number))
    return found


def _repeated(limits: list[OrderLimit]) -> list[ShaotuError]:
    first: dict[tuple[str, ...], int] = {}
    problems: list[ShaotuError] = []
    for each in limits:
        seen = first.setdefault((each.city, each.request_type, each.urgency, each.clock), each.row)
        if seen != each.row:
            problems.append(Invalid("standards.order_twice", row=each.row, first=seen))
    return problems
