"""How far are the lines: in metres of the tangent plane at the point, from the edges in the pixels about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gis.territory.index.ahead import TOGETHER, look_ahead, room
from gis.territory.index.compiled import compiled, makes_arrays
from gis.territory.index.cover import cover, run_at
from gis.territory.index.frame import MOST_PIXELS
from gis.territory.index.ground import HEAD_WORDS, RUN_WORDS, TILE_WORD
from gis.territory.index.shapes import NONE, Bools, Bytes, Floats, Grid, Ints, Near, Rows
from gis.territory.index.window import Fix, Reach, borders, fix_of, pixels_in, reach_of, tile_m, tiles_in

# Tiles on a side of a block.
BLOCK = 16
# Rings of tiles that are looked through one by one before whole blocks are.
TILE_RINGS = 8
# More than a square and a root are rounded by, relatively.
ROUNDED = 1e-15


@compiled
def mark(grid: Grid, busy: Bytes, blocks: Bytes) -> None:
    """Write which tiles and blocks have a boundary of the grid's level."""
    columns = grid.frame.columns
    for tile in range(len(grid.tiles)):
        if _has_boundary(grid, tile):
            busy[tile] = 1
            blocks[(tile // columns) // BLOCK * _blocks_across(columns) + tile % columns // BLOCK] = 1


def blocks_n(grid: Grid) -> int:
    """Return how many blocks a grid has."""
    return -(-grid.frame.columns // BLOCK) * -(-grid.frame.rows // BLOCK)


@compiled
def _blocks_across(columns: int) -> int:
    return (columns + BLOCK - 1) // BLOCK


@compiled
def _has_boundary(grid: Grid, tile: int) -> bool:
    if grid.tiles[tile] < 0:
        return False
    first, k = grid.tiles[tile] // TILE_WORD, grid.tiles[tile] % TILE_WORD
    for label in grid.labels[first : first + k * k]:
        if label < 0:
            for run in range(grid.words[~label + 1]):
                arc = run_at(grid, ~label + HEAD_WORDS + RUN_WORDS * run)[2]
                if grid.sides[arc, 0] != grid.sides[arc, 1]:
                    return True
    return False


@makes_arrays
def is_near(near: Near, fixes: Floats, found: Bools) -> None:
    """Write of each fix whether a boundary comes within its reach."""
    ahead = room()
    pixels, many = ahead.pixels, ahead.many
    for first in range(0, len(fixes), TOGETHER):
        some = fixes[first : first + TOGETHER]
        pixels_n = look_ahead(near, some, ahead)
        for at in range(len(some)):
            found[first + at] = many[at] and _comes_near(near, fix_of(some, at))
        for nth in range(pixels_n):
            at = first + pixels.fix[nth]
            if not found[at]:
                found[at] = _passes(near.grid, pixels.place[nth], fix_of(fixes, at))


@compiled
def _comes_near(near: Near, fix: Fix) -> bool:
    reach = reach_of(near.grid.frame, fix, fix.reach_m)
    window = tiles_in(near.grid.frame, reach)
    for row in range(window.south, window.north + 1):
        for column in range(window.west, window.east + 1):
            if near.busy[row * near.grid.frame.columns + column] and _touches(near.grid, fix, reach, column, row):
                return True
    return False


@compiled
def _touches(grid: Grid, fix: Fix, reach: Reach, column: int, row: int) -> bool:
    """Say whether a boundary in a tile comes within reach of a fix; one is enough."""
    word = grid.tiles[row * grid.frame.columns + column]
    first, k = word // TILE_WORD, word % TILE_WORD
    box = pixels_in(reach, column, row, k)
    for y in range(box.south, box.north + 1):
        for label in grid.labels[first + y * k + box.west : first + y * k + box.east + 1]:
            if label < 0 and _passes(grid, ~label, fix):
                return True
    return False


@compiled
def _passes(grid: Grid, word: int, fix: Fix) -> bool:
    """Say whether a boundary in a border pixel comes within reach of a fix; one is enough."""
    # Squares up to here are looked at again by their root, which is what is compared.
    most = fix.reach_m * fix.reach_m * (1 + ROUNDED)
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        edge_first, edges_n, arc = run_at(grid, run)
        if grid.sides[arc, 0] == grid.sides[arc, 1]:
            continue
        for edge in range(edge_first, edge_first + edges_n):
            square = _square_m2(grid.vertices, edge, fix)
            if square <= most and np.sqrt(square) <= fix.reach_m:
                return True
    return False


@makes_arrays
def nearest(near: Near, fixes: Floats, distance_m: Floats, rows: Rows) -> None:
    """Write of each fix the distance to the nearest boundary and a row it is of; infinite and NONE without any."""
    words = np.empty(MOST_PIXELS * MOST_PIXELS, np.int32)
    for at in range(len(fixes)):
        fix = fix_of(fixes, at)
        best_m = _some(near, fix, words)
        distance_m[at], rows[at] = np.inf, NONE
        if best_m < np.inf:
            distance_m[at], rows[at] = _search(near, fix, best_m, words)


@compiled
def _some(near: Near, fix: Fix, words: Rows) -> float:
    """Return the distance to some boundary not far from the nearest, infinite without any."""
    frame = near.grid.frame
    here = tiles_in(frame, reach_of(frame, fix, 0.0))
    for ring in range(TILE_RINGS):
        tile = _in_ring(near.busy, here.west, here.south, ring, frame.columns)
        if tile != NONE:
            return _closest(near.grid, fix, np.inf, tile, words)[0]
    across = _blocks_across(frame.columns)
    for ring in range(max(across, _blocks_across(frame.rows)) + 1):
        block = _in_ring(near.blocks, here.west // BLOCK, here.south // BLOCK, ring, across)
        if block != NONE:
            return _closest(near.grid, fix, np.inf, _first_busy(near, block), words)[0]
    return np.inf


@compiled
def _in_ring(marks: Bytes, column: int, row: int, ring: int, columns: int) -> int:
    """Return the first marked square of a ring about a square, NONE without."""
    rows = len(marks) // max(columns, 1)
    for y in range(max(row - ring, 0), min(row + ring, rows - 1) + 1):
        step = 1 if abs(y - row) == ring or ring == 0 else 2 * ring
        for x in range(column - ring, column + ring + 1, step):
            if 0 <= x < columns and marks[y * columns + x]:
                return y * columns + x
    return NONE


@compiled
def _first_busy(near: Near, block: int) -> int:
    columns = near.grid.frame.columns
    across = _blocks_across(columns)
    for row in range(block // across * BLOCK, min(block // across * BLOCK + BLOCK, near.grid.frame.rows)):
        for column in range(block % across * BLOCK, min(block % across * BLOCK + BLOCK, columns)):
            if near.busy[row * columns + column]:
                return row * columns + column
    return NONE


@compiled
def _search(near: Near, fix: Fix, best_m: float, words: Rows) -> tuple[float, int]:
    """Look through all tiles within a distance at which there is a boundary."""
    frame = near.grid.frame
    row_of_best = NONE
    window = tiles_in(frame, reach_of(frame, fix, best_m))
    for row in range(window.south, window.north + 1):
        column = window.west
        while column <= window.east:
            if not near.blocks[row // BLOCK * _blocks_across(frame.columns) + column // BLOCK]:
                column = (column // BLOCK + 1) * BLOCK
                continue
            tile = row * frame.columns + column
            column += 1
            if near.busy[tile] and tile_m(near.grid, fix, tile) <= best_m:
                metres, unit = _closest(near.grid, fix, best_m, tile, words)
                if metres < best_m or (metres == best_m and row_of_best == NONE):
                    best_m, row_of_best = metres, unit
    return best_m, row_of_best


@compiled
def _closest(grid: Grid, fix: Fix, reach_m: float, tile: int, words: Rows) -> tuple[float, int]:
    """Return the distance to the nearest boundary in a tile, and a row it is of; infinite beyond reach."""
    best, unit = np.inf, NONE
    for word in words[: borders(grid, reach_of(grid.frame, fix, reach_m), tile, words)]:
        for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
            edge_first, edges_n, arc = run_at(grid, run)
            left, right = grid.sides[arc, 0], grid.sides[arc, 1]
            if left == right:
                continue
            for edge in range(edge_first, edge_first + edges_n):
                square = _square_m2(grid.vertices, edge, fix)
                if square < best:
                    best, unit = square, left if left != NONE else right
    metres = np.sqrt(best)
    return (metres, unit) if metres <= reach_m else (np.inf, NONE)


@compiled
def _square_m2(vertices: Floats, edge: int, fix: Fix) -> float:
    """Return the square of the distance to an edge, in the tangent plane at the fix."""
    ax, ay = (vertices[edge, 0] - fix.lon) * fix.east_m, (vertices[edge, 1] - fix.lat) * fix.north_m
    bx, by = (vertices[edge + 1, 0] - fix.lon) * fix.east_m, (vertices[edge + 1, 1] - fix.lat) * fix.north_m
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = min(max(-(ax * dx + ay * dy) / square, 0.0), 1.0) if square > 0 else 0.0
    x, y = ax + along * dx, ay + along * dy
    return x * x + y * y


class Pairs(NamedTuple):
    """Room for answers: fix, row and distance of each pair; place (row of the level) is for keeping the books."""

    fix: Ints
    row: Rows
    distance_m: Floats
    place: Ints


@makes_arrays
def within(near: Near, fixes: Floats, pairs: Pairs) -> tuple[int, int]:
    """Write for each fix the rows within reach with their distances, 0 where they cover it, in order of row.

    Return how many fixes were answered and how many pairs written; it stops when a fix might find no room.
    """
    ahead = room()
    pixels, many = ahead.pixels, ahead.many
    units = np.empty(len(pairs.place), np.int32)
    count = 0
    for first in range(0, len(fixes), TOGETHER):
        some = fixes[first : first + TOGETHER]
        pixels_n, nth = look_ahead(near, some, ahead), 0
        for at in range(len(some)):
            if len(pairs.row) - count < len(pairs.place):
                return first + at, count
            fix, begin = fix_of(some, at), count
            for unit in units[: cover(near.grid, fix.lon, fix.lat, units)]:
                count = note(pairs, begin, count, unit, 0.0)
            if many[at]:
                count = _gather_all(near, fix, pairs, begin, count)
            while nth < pixels_n and pixels.fix[nth] == at:
                # What was gathered already is noted once.
                count = _gather(near.grid, fix, pixels.place[nth], pairs, begin, count)
                nth += 1
            sort(pairs, begin, count)
            pairs.fix[begin:count] = first + at
    return len(fixes), count


@compiled
def _gather_all(near: Near, fix: Fix, pairs: Pairs, first: int, count: int) -> int:
    """Note the units of all boundaries within reach, tile by tile."""
    reach = reach_of(near.grid.frame, fix, fix.reach_m)
    window = tiles_in(near.grid.frame, reach)
    for row in range(window.south, window.north + 1):
        for column in range(window.west, window.east + 1):
            tile = row * near.grid.frame.columns + column
            if near.busy[tile]:
                first_label, k = near.grid.tiles[tile] // TILE_WORD, near.grid.tiles[tile] % TILE_WORD
                box = pixels_in(reach, column, row, k)
                for y in range(box.south, box.north + 1):
                    for x in range(box.west, box.east + 1):
                        label = near.grid.labels[first_label + y * k + x]
                        if label < 0:
                            count = _gather(near.grid, fix, ~label, pairs, first, count)
    return count


@compiled
def _gather(grid: Grid, fix: Fix, word: int, pairs: Pairs, first: int, count: int) -> int:
    """Note the units of all boundaries within reach in a border pixel."""
    for run in range(word + HEAD_WORDS, word + HEAD_WORDS + RUN_WORDS * grid.words[word + 1], RUN_WORDS):
        edge_first, edges_n, arc = run_at(grid, run)
        left, right = grid.sides[arc, 0], grid.sides[arc, 1]
        if left == right:
            continue
        best = np.inf
        for edge in range(edge_first, edge_first + edges_n):
            best = min(best, _square_m2(grid.vertices, edge, fix))
        metres = np.sqrt(best)
        if metres <= fix.reach_m:
            count = note(pairs, first, count, left, metres)
            count = note(pairs, first, count, right, metres)
    return count


@compiled
def note(pairs: Pairs, first: int, count: int, unit: int, metres: float) -> int:
    """Note a row, NONE aside, among the pairs from `first` on, once, with the least distance; return the new count."""
    if unit == NONE:
        return count
    at = pairs.place[unit]
    if first <= at < count and pairs.row[at] == unit:
        pairs.distance_m[at] = min(pairs.distance_m[at], metres)
        return count
    pairs.place[unit], pairs.row[count], pairs.distance_m[count] = count, unit, metres
    return count + 1


@compiled
def sort(pairs: Pairs, first: int, count: int) -> None:
    """Sort pairs by row."""
    for nth in range(first + 1, count):
        row, metres, at = pairs.row[nth], pairs.distance_m[nth], nth
        while at > first and pairs.row[at - 1] > row:
            pairs.row[at], pairs.distance_m[at] = pairs.row[at - 1], pairs.distance_m[at - 1]
            at -= 1
        pairs.row[at], pairs.distance_m[at] = row, metres
