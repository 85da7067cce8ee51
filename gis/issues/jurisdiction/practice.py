"""The practice of a city: which level decides, in which order the grounds of a choice are asked, and its limits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gis.errors import Invalid
from gis.settings import ROOT, Settings

PATH = ROOT / "data" / "duties" / "practice.toml"
STEPS = ("designation", "agreement", "owner", "incident", "first_filed", "common", "area", "consultation")


@dataclass(frozen=True)
class Practice:
    """How a city settles whose an issue is.

    net and levels: the units that can answer for an issue, coarsest first. office: the kind of department that speaks
    for a jurisdiction; surveyor: the kind that confirms its line, but those of communities, which their subdistrict's
    office confirms. convenors: kinds that call a consultation, first that exists. holders: kinds that stand for
    whoever the register of things names: owner, property or builder. steps: what is asked, in this order.
    """

    net: str = "admin"
    levels: tuple[str, ...] = ("district", "subdistrict")
    office: str = "JD"
    surveyor: str = "MZ"
    convenors: tuple[str, ...] = ("CG",)
    holders: Mapping[str, str] = field(default_factory=lambda: {"CQ": "owner", "WY": "property", "JS": "builder"})
    steps: tuple[str, ...] = STEPS
    min_probability: float = 0.95
    informed_probability: float = 0.01
    area_suggestion: bool = False
    area_threshold: float = 0.6
    consultation_days: int = 1
    street_reach_m: float = 20.0
    building_reach_m: float = 2.0
    near_boundary_m: float = 30.0
    sliver_share: float = 0.01
    sliver_m2: float = 5.0
    general_desk: str = "general-desk"


def load(settings: Settings, path: Path = PATH) -> Practice:
    """Read a city's practice; what the installation's settings say counts too. Raise Invalid on an unknown name."""
    said = tomllib.loads(path.read_text("utf-8"))
    known = {each.name for each in fields(Practice)}
    for name in said:
        if name not in known:
            raise Invalid("practice.unknown", name=name, path=str(path))
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    _check_steps(values, path)
    shared: dict[str, Any] = {
        name: getattr(settings, name) for name in ("near_boundary_m", "sliver_share", "sliver_m2", "general_desk")
    }
    return Practice(**(shared | values))


def _check_steps(values: Mapping[str, Any], path: Path) -> None:
    for step in values.get("steps", ()):
        if step not in STEPS:
            raise Invalid("practice.unknown_step", step=step, path=str(path), steps=", ".join(STEPS))
