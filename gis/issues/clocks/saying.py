"""Clocks in sentences: by which limit each runs, when it may be closed, on which calendar, and why it has no end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gis import language
from gis.issues.clocks.values import Clock
from gis.issues.worktime import Limit

# Between the parts of one sentence.
BETWEEN = {"zh": "、", "en": ", "}
BOTH = ("text", "closing")


def sentences(clock: Clock, locale: str) -> list[str]:
    """Say why a clock stands as it does."""
    return [language.say(code, locale, **params) for code, params in _said(clock, locale)]


def limit(said: Limit | None, locale: str) -> str:
    """Say a limit, "" for none."""
    if said is None:
        return ""
    one = ".one" if said.value == 1 else ""
    return language.say(f"clock.unit.{said.unit}{one}", locale, value=f"{float(said.value):g}")


def _said(clock: Clock, locale: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    params = _in(clock, locale)
    yield clock.reason.code, params
    if params.get("walked"):
        yield "clock.walked", params
    if clock.lacking is not None:
        yield clock.lacking.code, clock.lacking.params
    elif clock.calendar and clock.calendar["parts"]:
        parts = [_part(part, locale) for part in clock.calendar["parts"]]
        yield "clock.calendar", {"calendar": clock.calendar["code"], "parts": BETWEEN[locale].join(parts)}
    elif clock.calendar:
        yield "clock.round_the_clock", {}
    if params.get("closing"):
        yield "clock.closing", params
    if params.get("law"):
        yield "clock.law", {"law": " ".join(f"{params['law']} {params.get('article', '')}".split())}


def _in(clock: Clock, locale: str) -> dict[str, Any]:
    """Put the parameters of a reason into a language."""
    params = dict(clock.reason.params)
    params |= {name: params[f"{name}_{locale}"] for name in BOTH if f"{name}_{locale}" in params}
    if clock.limit is not None:
        params["limit_said"] = limit(clock.limit, locale)
    if "request_type" in params:
        params["request_type"] = _word("order.type", params["request_type"], locale)
        params["urgency"] = _word("order.urgency", params["urgency"], locale)
        params["urgency"] = f"{BETWEEN[locale]}{params['urgency']}" if params["urgency"] else ""
    return params


def _word(group: str, word: str, locale: str) -> str:
    """Say a word that is a code of ours; leave a city's own as it is."""
    said = language.say(f"{group}.{word}", locale)
    return word if said == f"{group}.{word}" else said


def _part(part: str, locale: str) -> str:
    return language.say("calendar.cli.shifts", locale) if part == "shifts" else part
