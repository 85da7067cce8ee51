"""Which units cover a point: the pixel's set, changed by every edge between the point and the pixel's reference point.

The way is an L, along the latitude of the point and then along the longitude of the reference point, moved by nothing
north and by much less east: so it passes through no vertex and along no edge, whatever the coordinates.
"""

from __future__ import annotations

import numpy as np

from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.exact import shifted_side, side
from gis.territory.index.frame import pixel_of, reference_lat, reference_lon
from gis.territory.index.ground import HEAD_WORDS, LONGEST_RUN, RUN_WORDS, TILE_WORD
from gis.territory.index.sets import toggle
from gis.territory.index.shapes import NONE, SEVERAL, Bools, Floats, Grid, Ints, Rows

# Points are taken by so many at once: what one waits for from memory, the others wait for in the same time.
BLOCK = 256
# What a step along the way may find: the point itself on the edge.
ON_EDGE = 2


@makes_arrays
def only(grid: Grid, lon: Floats, lat: Floats, rows: Rows) -> int:
    """Write for each point the row, in the grid's own level, of the one unit that covers it, NONE or SEVERAL.

    Return the position of the first point that has no longitude and latitude, NONE if all have.
    """
    label, place, border = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    fetched = np.empty(BLOCK)
    for first in range(0, len(lon), BLOCK):
        end = min(first + BLOCK, len(lon))
        xs, ys, found = lon[first:end], lat[first:end], rows[first:end]
        wrong = _find_tiles(grid, xs, ys, place)
        if wrong != NONE:
            return first + wrong
        _find_places(grid, xs, ys, place, label)
        borders_n = _find_labels(grid, place, label, border, found)
        _fetch(grid, label, border[:borders_n], fetched)
        for at in border[:borders_n]:
            found[at] = _in_pixel(grid, ~label[at], xs[at], ys[at])
    return NONE


@compiled
def one(grid: Grid, x: float, y: float) -> int:
    """Return the row of the one unit that covers a point, NONE or SEVERAL. The point must be on earth."""
    label = label_at(grid, x, y)
    if label < 0:
        return _in_pixel(grid, ~label, x, y)
    return label - 1 if label < grid.sets.first else SEVERAL


@compiled
def _find_tiles(grid: Grid, lon: Floats, lat: Floats, tile: Ints) -> int:
    frame = grid.frame
    for at in range(len(lon)):
        if not (abs(lon[at]) <= 180 and abs(lat[at]) <= 90):
            return at
        across, up = (lon[at] - frame.west) * frame.per_lon, (lat[at] - frame.south) * frame.per_lat
        inside = 0 <= across < frame.columns and 0 <= up < frame.rows
        tile[at] = np.int64(up) * frame.columns + np.int64(across) if inside else NONE
    return NONE


@compiled
def _find_places(grid: Grid, lon: Floats, lat: Floats, place: Ints, label: Rows) -> None:
    """Put into place the position of the pixel's label, NONE where the label is known."""
    frame = grid.frame
    for at in range(len(lon)):
        word = grid.tiles[place[at]] if place[at] != NONE else ~np.int64(0)
        if word < 0:
            label[at], place[at] = ~word, NONE
            continue
        k = word % TILE_WORD
        across, up = (lon[at] - frame.west) * frame.per_lon, (lat[at] - frame.south) * frame.per_lat
        row = min(int((up - int(up)) * k), k - 1)
        place[at] = word // TILE_WORD + row * k + min(int((across - int(across)) * k), k - 1)


@compiled
def _find_labels(grid: Grid, place: Ints, label: Rows, border: Ints, found: Rows) -> int:
    """Answer the points of one set; return how many lie in border pixels, whose positions are put into border."""
    borders_n = 0
    units_n = grid.sets.first - 1
    for at in range(len(found)):
        if place[at] != NONE:
            label[at] = grid.labels[place[at]]
        if label[at] < 0:
            border[borders_n] = at
            borders_n += 1
        else:
            found[at] = label[at] - 1 if label[at] <= units_n else SEVERAL
    return borders_n


@compiled
def _fetch(grid: Grid, label: Rows, border: Ints, fetched: Floats) -> None:
    """Touch the words and the vertices that will be needed, so that memory brings them while others are fetched.

    What was touched is written down: a compiler leaves out what nobody sees.
    """
    for nth in range(len(border)):
        first, _, arc = run_at(grid, ~label[border[nth]] + HEAD_WORDS)
        fetched[nth] = grid.vertices[first, 0] + grid.sides[arc, 0]


@compiled
def _in_pixel(grid: Grid, word: int, x: float, y: float) -> int:
    number, size = grid.words[word], 1
    if number >= grid.sets.first:
        return one_of(grid, word, x, y)
    size = 1 if number > 0 else 0
    corner_x, corner_y = _reference(grid, x, y)
    run = word + HEAD_WORDS
    for _ in range(grid.words[word + 1]):
        first, count, arc = run_at(grid, run)
        moved, crossed = 0, 0
        for edge in range(first, first + count):
            step = _step(grid.vertices, edge, x, y, corner_x, corner_y)
            if step == ON_EDGE:
                return one_of(grid, word, x, y)
            moved += step
            crossed ^= step
        if crossed & 1:
            number ^= (grid.sides[arc, 0] + 1) ^ (grid.sides[arc, 1] + 1)
            size += moved * ((grid.sides[arc, 0] >= 0) - (grid.sides[arc, 1] >= 0))
        run += RUN_WORDS
    if size == (number > 0):
        return number - 1
    return one_of(grid, word, x, y)


@compiled
def run_at(grid: Grid, at: int) -> tuple[int, int, int]:
    """Return the first edge of a run, its number of edges, and their arc."""
    packed = grid.words[at + 1]
    return grid.words[at], packed % LONGEST_RUN, packed // LONGEST_RUN


@compiled
def _reference(grid: Grid, x: float, y: float) -> tuple[float, float]:
    frame = grid.frame
    across, up = (x - frame.west) * frame.per_lon, (y - frame.south) * frame.per_lat
    column, row = int(across), int(up)
    k = grid.tiles[row * frame.columns + column] % TILE_WORD
    return (
        reference_lon(frame, column, k, pixel_of(across, column, k)),
        reference_lat(frame, row, k, pixel_of(up, row, k)),
    )


@compiled
def _step(vertices: Floats, edge: int, x: float, y: float, corner_x: float, corner_y: float) -> int:
    """Say how an edge is passed on the way from the reference point: to its left 1, to its right -1, not 0; ON_EDGE."""
    ax, ay, bx, by = vertices[edge, 0], vertices[edge, 1], vertices[edge + 1, 0], vertices[edge + 1, 1]
    if y in (ay, by) and _is_end_or_level(ax, ay, bx, by, x, y):
        return ON_EDGE
    level, plumb = (ay <= y) != (by <= y), (ax <= corner_x) != (bx <= corner_x)
    if not (level or plumb):
        return 0
    corner = shifted_side(vertices, edge, corner_x, y)
    moved = 0
    if level:
        here = side(vertices, edge, x, y)
        if here == 0:
            return ON_EDGE
        moved += (here - corner) // 2
    if plumb:
        moved += (corner - shifted_side(vertices, edge, corner_x, corner_y)) // 2
    return moved


@compiled
def _is_end_or_level(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Say of a point at the height of an end of an edge whether it is that end, or on an edge that lies level."""
    if (ax == x and ay == y) or (bx == x and by == y):
        return True
    return ay == by and min(ax, bx) < x < max(ax, bx)


@makes_arrays
def one_of(grid: Grid, word: int, x: float, y: float) -> int:
    """Answer for a point that an edge passes through, or on ground drawn twice."""
    work = np.empty(_most(grid, word), np.int32)
    size = _cover_border(grid, word, x, y, work)
    if size == 0:
        return NONE
    return work[0] if size == 1 else SEVERAL


@compiled
def _most(grid: Grid, word: int) -> int:
    return set_size(grid, grid.words[word]) + 4 * grid.words[word + 1]


@compiled
def set_size(grid: Grid, number: int) -> int:
    """Return how many units a set has."""
    if number < grid.sets.first:
        return 1 if number > 0 else 0
    at = number - grid.sets.first
    return grid.sets.start[at + 1] - grid.sets.start[at]


@compiled
def _put_set(grid: Grid, number: int, work: Rows) -> int:
    size = 0
    if number < grid.sets.first:
        return _put(work, size, grid.unit_of[number - 1]) if number > 0 else 0
    at = number - grid.sets.first
    for nth in range(grid.sets.start[at], grid.sets.start[at + 1]):
        size = _put(work, size, grid.unit_of[grid.sets.rows[nth]])
    return size


@compiled
def _put(work: Rows, size: int, unit: int) -> int:
    """Put a unit into a sorted set, once; return its size."""
    for nth in range(size):
        if work[nth] == unit:
            return size
    return toggle(work, size, unit)


@compiled
def label_at(grid: Grid, x: float, y: float) -> int:
    """Return the label of the pixel of a point: a set, or the complement of the position of a border pixel's words."""
    frame = grid.frame
    across, up = (x - frame.west) * frame.per_lon, (y - frame.south) * frame.per_lat
    if not (0 <= across < frame.columns and 0 <= up < frame.rows):
        return 0
    column, row = int(across), int(up)
    tile = grid.tiles[row * frame.columns + column]
    if tile < 0:
        return ~tile
    k = tile % TILE_WORD
    return grid.labels[tile // TILE_WORD + pixel_of(up, row, k) * k + pixel_of(across, column, k)]


@compiled
def cover(grid: Grid, x: float, y: float, work: Rows) -> int:
    """Put the rows of all units that cover a point into work, in order; return how many."""
    label = label_at(grid, x, y)
    if label >= 0:
        return _put_set(grid, label, work)
    return _cover_border(grid, ~label, x, y, work)


@compiled
def most(grid: Grid, lon: Floats, lat: Floats) -> int:
    """Return room enough for the units of any of these points."""
    room = 1
    for at in range(len(lon)):
        label = label_at(grid, lon[at], lat[at])
        room = max(room, set_size(grid, label) if label >= 0 else _most(grid, ~label))
    return room


@makes_arrays
def covering(grid: Grid, lon: Floats, lat: Floats, count: Ints, rows: Rows) -> None:
    """Count the units that cover each point; or, given room for them, write their rows in order."""
    work = np.empty(most(grid, lon, lat), np.int32)
    written = 0
    for at in range(len(lon)):
        size = cover(grid, lon[at], lat[at], work)
        count[at] = size
        if len(rows):
            for nth in range(size):
                rows[written + nth] = work[nth]
        written += size


@makes_arrays
def interior(grid: Grid, unit: Rows, lon: Floats, lat: Floats, found: Bools) -> None:
    """Write pair by pair whether a point lies inside a unit, not on its edge."""
    work = np.empty(most(grid, lon, lat), np.int32)
    for at in range(len(unit)):
        label = label_at(grid, lon[at], lat[at])
        on_edge = label < 0 and _is_on_edge(grid, ~label, unit[at], lon[at], lat[at])
        found[at] = not on_edge and _holds(work, cover(grid, lon[at], lat[at], work), unit[at])


@compiled
def _holds(work: Rows, size: int, unit: int) -> bool:
    at = 0
    while at < size and work[at] != unit:
        at += 1
    return at < size


@compiled
def _is_on_edge(grid: Grid, word: int, unit: int, x: float, y: float) -> bool:
    corner_x, corner_y = _reference(grid, x, y)
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        first, count, arc = run_at(grid, run)
        if (grid.sides[arc, 0] == unit) == (grid.sides[arc, 1] == unit):
            continue
        for edge in range(first, first + count):
            if _step(grid.vertices, edge, x, y, corner_x, corner_y) == ON_EDGE:
                return True
    return False


@compiled
def _cover_border(grid: Grid, word: int, x: float, y: float, work: Rows) -> int:
    """Put the rows of all units that cover a point of a border pixel into work, in order; return how many."""
    size = _put_set(grid, grid.words[word], work)
    corner_x, corner_y = _reference(grid, x, y)
    touched = False
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        crossed, on = _passed(grid, run, x, y, corner_x, corner_y)
        touched = touched or on
        arc = run_at(grid, run)[2]
        for end in range(2):
            unit = grid.sides[arc, end]
            if crossed and not (on and unit != NONE):
                size = toggle(work, size, unit)
    if touched:
        # Last of all: nothing that is crossed takes away what an edge under the point gives.
        for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
            if _passed(grid, run, x, y, corner_x, corner_y)[1]:
                size = _put_sides(grid, run_at(grid, run)[2], work, size)
    return size


@compiled
def _passed(grid: Grid, run: int, x: float, y: float, corner_x: float, corner_y: float) -> tuple[bool, bool]:
    """Say of a run whether the way from the reference point crosses it, and whether the point lies on it."""
    first, count, _ = run_at(grid, run)
    crossed, on = 0, False
    for edge in range(first, first + count):
        step = _step(grid.vertices, edge, x, y, corner_x, corner_y)
        on = on or step == ON_EDGE
        crossed ^= step
    return crossed & 1 != 0, on


@compiled
def _put_sides(grid: Grid, arc: int, work: Rows, size: int) -> int:
    for end in range(2):
        if grid.sides[arc, end] != NONE:
            size = _put(work, size, grid.sides[arc, end])
    return size
