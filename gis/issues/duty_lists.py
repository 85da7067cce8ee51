"""Versions of a city's responsibility lists: read from tables, loaded as drafts, in force from a date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden, Invalid, NotFound, Problems, ShaotuError
from gis.issues import categories, delegations, duties, files, tables
from gis.issues.delegations import Delegation, Hop
from gis.issues.duties import NOT, Rule, Sheet
from gis.people import departments
from gis.settings import ROOT

DATA = ROOT / "data" / "duties"
# Headings as cities write them -> ours; every other heading must be one of the NOTES.
HEADINGS = {
    "类别": "category", "类别代码": "category", "小类代码": "category", "道路等级": "road_class", "用地": "land",
    "移交": "handover", "移交状态": "handover", "物业": "property", "房屋": "building", "小区": "estate",
    "赋权部门": "delegated_by", "文号": "document", "起": "valid_from", "止": "valid_to",
    "单元": "unit", "主办": "leads", "处置单位": "leads", "协办": "assists", "体系": "scheme",
}  # fmt: skip
NOTES = {"name_zh", "name_en", "note", "名称", "类别名称", "英文名称", "备注", ""}
COLUMNS = {"scheme", "category", "leads", "assists", *duties.ATTRIBUTES, *delegations.COLUMNS}
# The columns of a power, as _RULES names them.
POWER = ("delegated_by", "document", "given_from", "given_to")
BETWEEN = re.compile(r"[\s,，、;；|]+")


@dataclass(frozen=True)
class Listed:
    """A list as the overview shows it."""

    name: str
    version: str
    state: str
    valid_from: date | None
    valid_to: date | None
    rules_n: int
    categories_n: int
    loaded_at: datetime
    loaded_by: str


def read(session: Session, path: Path, scheme: str = "cg") -> list[Rule]:
    """Read the rows of a list; raise Problems with every row that cannot be used. scheme: of rows that name none."""
    problems: list[ShaotuError] = []
    known = {(key[0], key[2]) for key in categories.known(session)}
    rules = []
    for number, row in _rows(path):
        try:
            rules.append(_rule(number, row, scheme, known))
        except Problems as several:
            problems += several.problems
    problems += _repeated(rules)
    problems += delegations.circles([_hop(rule, rule.delegation) for rule in rules if rule.delegation])
    if not rules and not problems:
        problems.append(Invalid("duties.empty", path=str(path)))
    if problems:
        raise Problems(problems)
    return rules


def load(session: Session, edition: tuple[str, str], rules: Iterable[Rule], *, by: str, now: datetime) -> int:
    """Keep rules as a draft; return its id. edition: name and version; raise Conflict if it is there already."""
    name, version = edition
    if session.scalar(_ID, {"name": name, "version": version}):
        raise Conflict("duties.version_exists", list=name, version=version)
    kept = tables.DutyList(name=name, version=version, state="draft", loaded_at=now, loaded_by=by)
    session.add(kept)
    session.flush()
    session.execute(insert(tables.Duty), [_row(rule) | {"list_id": kept.id} for rule in rules])
    return kept.id


def activate(session: Session, edition: tuple[str, str], start: date, *, by: str, now: datetime) -> None:
    """Put a draft in force from a date; the version in force until then ends that day.

    edition: name and version. Raise Forbidden to who loaded it: a change of who answers for what takes two.
    """
    name, version = edition
    listed = get(session, name, version)
    if listed.loaded_by == by:
        raise Forbidden("duties.four_eyes", list=name, version=version, by=by)
    if listed.state != "draft":
        raise Conflict("duties.not_a_draft", list=name, version=version, state=listed.state)
    later = session.scalar(_LATER, {"name": name, "start": start})
    if later:
        raise Conflict("duties.later_version", list=name, version=later, start=start)
    session.execute(_END, {"name": name, "start": start})
    session.execute(_BEGIN, {"name": name, "version": version, "start": start, "by": by, "now": now})


def get(session: Session, name: str, version: str) -> Listed:
    """Return a list's entry in the overview; raise NotFound."""
    found = [listed for listed in find(session) if (listed.name, listed.version) == (name, version)]
    if not found:
        raise NotFound("duties.no_list", list=name, version=version)
    return found[0]


def find(session: Session) -> list[Listed]:
    """List all versions of all lists, by name, the newest first."""
    return [Listed(**row) for row in session.execute(_OVERVIEW).mappings()]


def in_force(session: Session) -> tuple[Sheet, ...]:
    """Read every list that is or was in force, with its dates."""
    return _sheets(session, "list.state = 'active'", {})


def sheet(session: Session, name: str, version: str) -> Sheet:
    """Read one version, whatever its state, without dates: as if it were always in force. Raise NotFound."""
    get(session, name, version)
    [found] = _sheets(session, "list.name = :name AND list.version = :version", {"name": name, "version": version})
    return Sheet(found.name, found.version, found.rules)


def _row(rule: Rule) -> dict[str, Any]:
    plain = {name: getattr(rule, name) for name in ("row", "scheme", "category", "condition")}
    power = rule.delegation.as_row() if rule.delegation else dict.fromkeys(delegations.COLUMNS)
    return plain | {"leads": list(rule.leads), "assists": list(rule.assists)} | power


def _hop(rule: Rule, delegation: Delegation) -> Hop:
    return Hop(rule.row, (rule.scheme, rule.category), delegation, rule.leads)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, row in files.open_table(path).rows:
        said = {HEADINGS.get(str(heading), str(heading)): str(value or "").strip() for heading, value in row.items()}
        strange = sorted(said.keys() - COLUMNS - NOTES)
        if strange:
            raise Invalid("duties.unknown_column", columns=", ".join(strange), known=", ".join(sorted(COLUMNS)))
        missing = [column for column in ("category", "leads") if column not in said]
        if missing:
            raise Invalid("duties.missing_column", columns=", ".join(missing))
        yield number, said


def _rule(number: int, row: Mapping[str, str], scheme: str, known: set[tuple[str, str]]) -> Rule:
    problems: list[ShaotuError] = []
    place = row.get("scheme") or scheme, row["category"]
    if place not in known:
        problems.append(Invalid("duties.unknown_category", row=number, scheme=place[0], category=place[1]))
    condition = {name: BETWEEN.split(row[name]) for name in duties.ATTRIBUTES if row.get(name)}
    problems += _malformed(number, condition)
    leads, assists = (_kinds(number, row.get(column, ""), problems) for column in ("leads", "assists"))
    if not leads and not problems:
        problems.append(Invalid("duties.no_lead", row=number, category=row["category"]))
    # One of the others may lead and let a second one of them assist; who comes first either leads or is not there.
    problems += [Invalid("duties.assists_itself", row=number, kind=kind) for kind in leads[:1] if kind in assists]
    power = _power(number, row, problems)
    if problems:
        raise Problems(problems)
    return Rule(number, *place, condition, leads, assists, power)


def _power(number: int, row: Mapping[str, str], problems: list[ShaotuError]) -> Delegation | None:
    if not any(row.get(name) for name in delegations.COLUMNS):
        return None
    given = _kinds(number, row.get("delegated_by", ""), problems)
    try:
        return delegations.parse(number, row, given[0] if len(given) == 1 else "")
    except Invalid as problem:
        problems.append(problem)
    return None


def _malformed(number: int, condition: Mapping[str, list[str]]) -> list[ShaotuError]:
    bad = [(name, word) for name, words in condition.items() for word in words if not word.removeprefix(NOT)]
    bad += [("unit", word) for word in condition.get("unit", ()) if word.count(":") != 2]
    return [Invalid("duties.malformed_condition", row=number, attribute=name, word=word) for name, word in bad]


def _kinds(number: int, said: str, problems: list[ShaotuError]) -> tuple[str, ...]:
    words = [word for word in BETWEEN.split(said.replace("/", " ")) if word]
    named = departments.kind_names()
    problems += [Invalid("duties.unknown_kind", row=number, kind=word) for word in words if word.lower() not in named]
    return tuple(dict.fromkeys(named[word.lower()] for word in words if word.lower() in named))


def _repeated(rules: Iterable[Rule]) -> list[ShaotuError]:
    seen: dict[str, int] = {}
    problems: list[ShaotuError] = []
    for rule in rules:
        asked = sorted((name, sorted(words)) for name, words in rule.condition.items())
        power = rule.delegation and rule.delegation.valid_from
        first = seen.setdefault(f"{rule.scheme} {rule.category} {asked} {power}", rule.row)
        if first != rule.row:
            problems.append(Invalid("duties.repeated", row=rule.row, category=rule.category, first=first))
    return problems


def _sheets(session: Session, condition: str, params: Mapping[str, Any]) -> tuple[Sheet, ...]:
    found: dict[int, tuple[Any, list[Rule]]] = {}
    for row in session.execute(text(_RULES.format(condition=condition)), params).mappings():
        said = {name: row[name] for name in ("row", "scheme", "category", "condition")}
        power = Delegation(*(row[name] for name in POWER)) if row["delegated_by"] else None
        rule = Rule(**said, leads=tuple(row["leads"]), assists=tuple(row["assists"]), delegation=power)
        found.setdefault(row["id"], (row, []))[1].append(rule)
    return tuple(
        Sheet.of(row["name"], row["version"], rules, (row["valid_from"], row["valid_to"]))
        for row, rules in found.values()
    )


_ID = text("SELECT id FROM duty_list WHERE name = :name AND version = :version")
_LATER = text("SELECT version FROM duty_list WHERE name = :name AND state = 'active' AND valid_from >= :start LIMIT 1")
_END = text("""
UPDATE duty_list SET valid_to = :start
WHERE name = :name AND state = 'active' AND (valid_to IS NULL OR valid_to > :start)
""")
_BEGIN = text("""
UPDATE duty_list SET state = 'active', valid_from = :start, activated_by = :by, activated_at = :now
WHERE name = :name AND version = :version
""")
_OVERVIEW = text("""
SELECT list.name, list.version, list.state, list.valid_from, list.valid_to, list.loaded_at, list.loaded_by,
       count(duty.id) AS rules_n, count(DISTINCT (duty.scheme, duty.category)) AS categories_n
FROM duty_list AS list LEFT JOIN duty ON duty.list_id = list.id
GROUP BY list.id ORDER BY list.name, list.valid_from DESC NULLS FIRST, list.loaded_at DESC, list.id DESC
""")
_RULES = """
SELECT list.id, list.name, list.version, list.valid_from, list.valid_to,
       duty.row, duty.scheme, duty.category, duty.condition, duty.leads, duty.assists,
       duty.delegated_by, duty.document, duty.valid_from AS given_from, duty.valid_to AS given_to
FROM duty_list AS list JOIN duty ON duty.list_id = list.id
WHERE {condition} ORDER BY list.name, list.valid_from, list.id, duty.row
"""
