"""A city's formulas, read from a TOML file and refused with what does not hold."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from gis.errors import Invalid, Problems, ShaotuError
from gis.issues.evaluation.facts import COUNTS, EXCLUSIONS
from gis.issues.evaluation.formulas import GROUPS, KINDS, STAGES, WHOLE, Formulas, Part, Rate, Score
from gis.settings import ROOT

FORMULAS = ROOT / "data" / "evaluation" / "formulas.toml"
# What units say of the departments they whistled for counts at least so much, in percent.
REVIEW_LEAST = 30
# A month: more is no limit of a stage.
MINUTES_MOST = 43_200
Json = Mapping[str, Any]


@cache
def read(path: Path | None = None) -> Formulas:
    """Read formulas; raise Invalid if the file cannot be read, Problems with all that does not hold in it."""
    file = path or FORMULAS
    try:
        written = file.read_bytes()
        said = tomllib.loads(written.decode("utf-8"))
        found = _formulas(said, hashlib.sha256(written).hexdigest())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Invalid("evaluation.unreadable", path=str(file), reason=f"{type(error).__name__}: {error}") from error
    problems = list(_problems(found))
    if problems:
        raise Problems(problems)
    return found


def _formulas(said: Json, digest: str) -> Formulas:
    grades = sorted(((name, _exact(least)) for name, least in said["grades"].items()), key=lambda each: -each[1])
    return Formulas(
        version=str(said["version"]),
        note_zh=said["note_zh"],
        note_en=said["note_en"],
        public_sources=tuple(said["public_sources"]),
        excluded=tuple(said["excluded"]),
        few=int(said["few"]),
        review_weight=_exact(said["review_weight"]),
        grades=tuple(grades),
        rates=tuple(map(_rate, said["rate"])),
        scores=tuple(map(_score, said["score"])),
        digest=digest,
        inspection_sources=tuple(said.get("inspection_sources", ())),
        stage_minutes={name: int(minutes) for name, minutes in said.get("stage_minutes", {}).items()},
    )


def _rate(said: Json) -> Rate:
    plain = {name: said[name] for name in ("code", "group", "name_zh", "name_en", "of")}
    counted = {name: _exact(weight) for name, weight in said["counted"].items()}
    return Rate(**plain, counted=counted, of_kinds=tuple(said.get("of_kinds", KINDS)))


def _score(said: Json) -> Score:
    named: Json = {name: said[name] for name in ("code", "name_zh", "name_en")}
    lists: Json = {name: tuple(said.get(name, ())) for name in ("of_kinds", "levels")}
    return Score(**{**named, **lists}, parts=tuple(map(_part, said["parts"])), graded=bool(said.get("graded")),
                 group=str(said.get("group", "")))


def _part(said: Json) -> Part:
    bands = tuple(sorted((int(most), int(points)) for most, points in said.get("up_to", ())))
    return Part(
        _exact(said["weight"]), said.get("rate", ""), bool(said.get("falling")), said.get("count", ""), bands
    )


def _exact(number: object) -> Fraction:
    """Take a number as it is written, not as a machine keeps it."""
    return Fraction(str(number))


def _problems(formulas: Formulas) -> Iterator[ShaotuError]:
    if not REVIEW_LEAST <= formulas.review_weight <= WHOLE:
        yield Invalid("evaluation.review_weight", weight=float(formulas.review_weight), least=REVIEW_LEAST)
    yield from _unknown("excluded", formulas.excluded, EXCLUSIONS)
    yield from _unknown("stage_minutes", formulas.stage_minutes, STAGES)
    for stage, minutes in formulas.stage_minutes.items():
        if not 0 < minutes <= MINUTES_MOST:
            yield Invalid("evaluation.stage_minutes", stage=stage, minutes=minutes, most=MINUTES_MOST)
    for rate in formulas.rates:
        yield from _unknown(f"rate.{rate.code}", (*rate.counted, rate.of), COUNTS)
        yield from _unknown(f"rate.{rate.code}", (rate.group,), GROUPS)
        yield from _unknown(f"rate.{rate.code}", rate.of_kinds, KINDS)
    for score in formulas.scores:
        yield from _of_score(score, formulas)


def _of_score(score: Score, formulas: Formulas) -> Iterator[ShaotuError]:
    where = f"score.{score.code}"
    yield from _unknown(where, [score.group] if score.group else [], GROUPS)
    total = sum(part.weight for part in score.parts)
    if total != WHOLE:
        yield Invalid("evaluation.weights", score=score.code, total=float(total))
    for kind in score.of_kinds:
        yield from _unknown(where, (kind,), KINDS)
        rates = {rate.code for rate in formulas.rates_of(kind)}
        yield from _unknown(where, [part.rate for part in score.parts if not part.count], rates)
    yield from _unknown(where, [part.count for part in score.parts if part.count], COUNTS)


def _unknown(where: str, names: Collection[str], known: Collection[str]) -> Iterator[ShaotuError]:
    for name in names:
        if name not in known:
            yield Invalid("evaluation.unknown", where=where, name=name, known=", ".join(known))
