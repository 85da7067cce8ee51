"""The index of a made-up region: built from its polygons, written to a file, opened as every process opens it."""

from __future__ import annotations

import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
import shapely

from bench import workload
from bench.figures import Row, timed, told
from gis.territory.index import NONE, LevelIndex, levels, memory, store
from gis.territory.index.shapes import Units
from gis.territory.index.text import packed
from gis.territory.units import EditionRef

EDITION = EditionRef(0, "bench", "bench", 0, date.min, None, 0.0, (), None, None)
FILE_DIGEST = "region"
OPENED_N = 5


def make(ground: workload.Region, path: Path) -> tuple[dict[str, LevelIndex], list[Row]]:
    """Build all levels, keep them, open them; return them with what it took."""
    drawn = {level: (units(ground, level), ground.units[level]) for level in reversed(ground.units)}
    start = time.process_time()
    built = dict(zip(drawn, levels.build(list(drawn.values())), strict=True))
    built_s = time.process_time() - start
    store.write(path, FILE_DIGEST, built)
    opened_ms = []
    for _ in range(OPENED_N):
        start = time.perf_counter()
        kept = memory.grid_levels(EDITION, store.read(path, FILE_DIGEST))
        opened_ms.append(1000 * (time.perf_counter() - start))
    edges_n = shapely.get_num_coordinates(ground.units["cell"]).sum() // 2
    return kept, [
        told("index: cells, edges (each counted once)", f"{len(ground.units['cell']):,}, {edges_n:,}"),
        timed("index: seconds to build, five levels", built_s, 15),
        timed("index: megabytes", path.stat().st_size / 1e6, 250),
        timed("index: milliseconds to open, every byte checked: median", statistics.median(opened_ms), 50),
    ]


def units(ground: workload.Region, level: str) -> Units:
    """Name the units of a level by their rows, and their parents."""
    names = list(ground.units)
    count = len(ground.units[level])
    parent = np.full(count, NONE, dtype=np.int32)
    if level != names[-1]:
        above = ground.parent[names[names.index(level) + 1]]
        parent[ground.parent[level] if level in ground.parent else np.arange(count)] = above
    codes = packed(f"{row:06}" for row in range(count))
    return Units(np.arange(count), codes, packed([None] * count), codes, codes, parent)
