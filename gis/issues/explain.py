"""The whole reasoning behind a decision, as sentences for people: the same for the page and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import language
from gis.issues import agreements, findings
from gis.issues.jurisdiction import Decision, Ground

Json = Mapping[str, Any]

BETWEEN = {"zh": "、", "en": ", "}
# Parts of one that are told as a percentage.
PARTS = {"share", "probability", "least", "threshold"}


@dataclass(frozen=True)
class PartyLine:
    """A department called to an issue, with its names; why: a code; grounds: the units it is called for."""

    department: str
    name_zh: str
    name_en: str
    role: str
    why: str
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything about how an issue was decided."""

    issue: str
    version: int
    decision: Decision
    parties: tuple[PartyLine, ...]


def get(session: Session, issue_code: str) -> Explanation:
    """Return the last decision of an issue with its parties; raise NotFound."""
    asked = findings.get(session, issue_code)
    called = [party.department for party in asked.decision.parties]
    names = {row.code: row for row in session.execute(_NAMES, {"codes": called})}
    on = asked.location.on
    grounds = agreements.grounds(session, {(key, on) for each in asked.decision.parties for key in each.jurisdictions})
    parties = tuple(
        PartyLine(
            department=party.department,
            name_zh=names[party.department].name_zh if party.department in names else party.department,
            name_en=names[party.department].name_en if party.department in names else party.department,
            role=party.role,
            why=party.why,
            grounds=tuple(grounds[key, on] for key in party.jurisdictions),
        )
        for party in asked.decision.parties
    )
    return Explanation(asked.code, asked.version, asked.decision, parties)


def lines(decision: Decision | Json) -> list[tuple[str, Json]]:
    """Give the reasons of a decision, or of the answer kept of it, as codes with their parameters."""
    read = decision if isinstance(decision, Decision) else Decision.from_dict(decision)
    return [("decision.basis", {"basis": f"basis.{read.basis}"}), *((r.code, r.params) for r in read.reasons)]


def sentences(decision: Decision | Json, locale: str) -> list[str]:
    """Say the reasons of a decision in a language."""
    return [say(code, params, locale) for code, params in lines(decision)]


def say(code: str, params: Json, locale: str) -> str:
    """Say one reason: units by their names, parts of one in per cent, codes within it as their sentences."""
    told = {name: _told(name, value, locale) for name, value in params.items()}
    return language.say(code, locale, **told)


def _told(name: str, value: Any, locale: str) -> object:  # noqa: ANN401 -- whatever JSON holds
    if name in PARTS and isinstance(value, int | float):
        return _per_cent(value)
    if name == "condition":
        return _condition(value, locale)
    if isinstance(value, Mapping):
        return _thing(value, locale)
    if isinstance(value, list | tuple) and not value:
        return "—"
    if isinstance(value, list | tuple):
        return BETWEEN[locale].join(str(_told("", each, locale)) for each in value)
    return _word(value, locale)


def _thing(value: Json, locale: str) -> str:
    """Name a unit or a department, with its share or probability; say a code with its parameters."""
    if "code" in value:
        return say(value["code"], value.get("params", {}), locale)
    name = value["name_en"] if locale == "en" and value.get("name_en") else value["name"]
    part = next((value[each] for each in ("share", "probability") if value.get(each) is not None), None)
    return str(name) if part is None else f"{name} {_per_cent(part)}"


def _word(value: object, locale: str) -> object:
    """Say a word that is a code of ours; leave any other as it is."""
    if isinstance(value, str) and value.startswith(("decision.step.", "basis.", "role.")):
        return language.say(value, locale)
    return value


def _condition(condition: Mapping[str, Iterable[str]], locale: str) -> str:
    told = [
        f"{language.say(f'duties.attribute.{name}', locale)} = {' / '.join(map(str, words))}"
        for name, words in condition.items()
    ]
    return BETWEEN[locale].join(told)


def _per_cent(part: float) -> str:
    # Nothing is told as certain that is not.
    if 0.9995 <= part < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < part < 0.001 else f"{part:.1%}".replace("%", " %")


_NAMES = text("SELECT code, name_zh, name_en FROM department WHERE code = ANY(:codes)")
