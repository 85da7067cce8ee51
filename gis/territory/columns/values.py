"""The values of many answers: arrays of n points, one for each thing a level of a net says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gis.territory.columns.nesting import Ground
from gis.territory.location import FLAGS, NEAR_BOUNDARY, STRADDLES, Rules
from gis.territory.units import EditionRef

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

NONE, SEVERAL = -1, -2
# Flags of a row in one byte.
BITS = {flag: 1 << nth for nth, flag in enumerate(FLAGS)}
# Raised for the whole place only by lines that part responsibility.
DIVIDING = BITS[STRADDLES] | BITS[NEAR_BOUNDARY]


@dataclass(frozen=True)
class Points:
    """Points that have a place, in WGS 84. sigma_m: NaN where no accuracy is known, None where none is at all."""

    lon: Floats
    lat: Floats
    sigma_m: Floats | None = None

    def __len__(self) -> int:
        return len(self.lon)

    def taken(self, rows: Positions) -> Points:
        """Return some of them."""
        return Points(self.lon[rows], self.lat[rows], None if self.sigma_m is None else self.sigma_m[rows])


@dataclass(frozen=True)
class Candidates:
    """Units the true points may be in, by point, the most probable first."""

    point: Positions
    row: Rows
    probability: Floats


@dataclass(frozen=True)
class LevelColumns:
    """What one level says of n points.

    primary: the primary unit, NONE without one: its position in the roll of the level (of one edition's answer: its
    row). units_n: how many units cover the point. flags: bits by BITS. probability: of the primary, NaN where no
    accuracy is known. candidates: with detail, of the points whose accuracy is known.
    """

    level: str
    primary: Rows
    units_n: Rows
    flags: Bytes
    probability: Floats | None = None
    candidates: Candidates | None = None


Levels = tuple[LevelColumns, ...]


@dataclass(frozen=True)
class Asked:
    """What one edition is asked. outer: the primary rows, or NONE, in the level that its net is drawn inside.

    detail: each level's own flags are wanted; else near_boundary may be left out where a finer level says it as well.
    """

    ground: Ground
    points: Points
    outer: Rows | None
    rules: Rules
    detail: bool = True

    def taken(self, rows: Positions) -> Asked:
        """Return the question for some of the points."""
        return replace(self, points=self.points.taken(rows), outer=None if self.outer is None else self.outer[rows])


@dataclass(frozen=True)
class NetColumns:
    """What one net says of n points. edition: which of `editions` answered, NONE where none was in force."""

    net: str
    editions: tuple[EditionRef, ...]
    edition: Rows
    levels: tuple[LevelColumns, ...]


@dataclass(frozen=True)
class Columns:
    """What n points stand on. flags: of the whole place, bits by BITS; reason: position in fixes.REASONS."""

    nets: tuple[NetColumns, ...]
    flags: Bytes
    reason: Bytes

    def __len__(self) -> int:
        return len(self.flags)
