"""The question: fixes, each on its day -> columns of every net, whole and in the order they came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session

from gis.territory import index, units
from gis.territory.columns import plain
from gis.territory.columns.fixes import Fixes, reason
from gis.territory.columns.nesting import Ground, Grounds
from gis.territory.columns.values import (
    BITS,
    DIVIDING,
    NONE,
    Asked,
    Bytes,
    Candidates,
    Columns,
    LevelColumns,
    NetColumns,
    Points,
    Positions,
)
from gis.territory.location import OUTSIDE, UNLOCATED, Rules

EVERY = 0xFF

How = tuple[Rules, bool]
Answers = dict[str, tuple[LevelColumns, ...]]
Part = tuple[Positions, tuple[Ground, ...], Answers]


def grounds(session: Session) -> Grounds:
    """Return the ground of all days, opened through a session as far as it is asked for."""
    return Grounds(units.active(session), lambda edition: index.of(session, edition))


def at(ground: Grounds, fixes: Fixes, rules: Rules | None = None, *, detail: bool = True) -> Columns:
    """Find what points stand on, each on its own day.

    detail: tell of each level whether a point is near its lines; else only as far as the place as a whole needs it.
    """
    how = (rules or Rules(), detail)
    found = _found(ground, fixes, how)
    swapped = _swapped(ground, fixes, found, how)
    if not len(swapped):
        return found
    doubted = fixes.reason.copy()
    doubted[swapped] = reason("locate.swapped")
    return _found(ground, replace(fixes, reason=doubted), how)


def _found(ground: Grounds, fixes: Fixes, how: How) -> Columns:
    every = Points(fixes.lon, fixes.lat, fixes.sigma_m)
    parts = [
        (rows, together, _of_editions(together, every.taken(rows), how))
        for rows, together in _together(ground, fixes)
    ]
    nets = tuple(_whole(ground, net, parts, len(fixes)) for net in _nets(parts))
    return Columns(nets, _flags(nets, fixes.reason), fixes.reason)


def _together(ground: Grounds, fixes: Fixes) -> Iterator[tuple[Positions, tuple[Ground, ...]]]:
    """Part the points that have a place by the editions that answer for their days, each part in a sweep."""
    known = np.flatnonzero(fixes.reason == 0)
    days, which = np.unique(fixes.on[known], return_inverse=True)
    answering = [ground.on(day.item()) for day in days]
    for together in {id(each): each for each in answering}.values():
        chosen = np.array([each is together for each in answering])
        rows = known[chosen[which]]
        yield rows[index.swept(fixes.lon[rows], fixes.lat[rows])], together


def _of_editions(together: Sequence[Ground], points: Points, how: How) -> Answers:
    answers: Answers = {}
    for ground in together:
        outer = answers[ground.outer.edition.net][ground.outer_at].primary if ground.outer else None
        answers[ground.edition.net] = plain.of_edition(Asked(ground, points, outer, *how))
    return answers


def _nets(parts: Sequence[Part]) -> list[str]:
    ranks = {each.edition.net: each.edition.rank for _, together, _ in parts for each in together}
    return sorted(ranks, key=lambda net: (ranks[net], net))


def _whole(ground: Grounds, net: str, parts: Sequence[Part], points_n: int) -> NetColumns:
    """Put the parts of a net together, each point in its place."""
    answered = [
        (rows, each.edition, answers[net])
        for rows, together, answers in parts
        for each in together
        if each.edition.net == net
    ]
    edition = np.full(points_n, NONE, dtype=np.int32)
    for nth, (rows, _, _) in enumerate(answered):
        edition[rows] = nth
    editions = tuple(each for _, each, _ in answered)
    levels = []
    for nth, level in enumerate(editions[0].levels):
        starts = ground.rolls[net, level.code].starts
        pieces = [(rows, _shifted(said[nth], starts[each.id])) for rows, each, said in answered]
        levels.append(_placed(level.code, pieces, points_n))
    return NetColumns(net, editions, edition, tuple(levels))


def _shifted(level: LevelColumns, start: int) -> LevelColumns:
    """Turn rows of an edition into positions in the roll."""
    if not start:
        return level
    primary = np.where(level.primary == NONE, np.int32(NONE), level.primary + np.int32(start))
    likely = level.candidates and replace(level.candidates, row=level.candidates.row + np.int32(start))
    return replace(level, primary=primary, candidates=likely)


def _placed(code: str, pieces: Sequence[tuple[Positions, LevelColumns]], points_n: int) -> LevelColumns:
    primary = np.full(points_n, NONE, dtype=np.int32)
    units_n, flags = np.zeros(points_n, dtype=np.int32), np.zeros(points_n, dtype=np.uint8)
    sure = np.full(points_n, np.nan) if any(piece.probability is not None for _, piece in pieces) else None
    for rows, piece in pieces:
        primary[rows], units_n[rows], flags[rows] = piece.primary, piece.units_n, piece.flags
        if sure is not None and piece.probability is not None:
            sure[rows] = piece.probability
    return LevelColumns(code, primary, units_n, flags, sure, _likely(pieces))


def _likely(pieces: Sequence[tuple[Positions, LevelColumns]]) -> Candidates | None:
    told = [(rows[piece.candidates.point], piece.candidates) for rows, piece in pieces if piece.candidates]
    if not told:
        return None
    point = np.concatenate([points for points, _ in told])
    order = np.argsort(point, kind="stable")
    row = np.concatenate([each.row for _, each in told])
    probability = np.concatenate([each.probability for _, each in told])
    return Candidates(point[order], row[order], probability[order])


def _flags(nets: Sequence[NetColumns], reasons: Bytes) -> Bytes:
    """Flag each place as a whole, by the rule of `locate`."""
    raised = np.zeros(len(reasons), dtype=np.uint8)
    held, asked = raised > 0, raised > 0
    for net in nets:
        asked |= net.edition != NONE
        for level, said in zip(net.editions[0].levels, net.levels, strict=True):
            raised |= said.flags if level.divides else said.flags & np.uint8(EVERY & ~DIVIDING)
            held |= said.units_n > 0
    raised[held] &= np.uint8(EVERY & ~BITS[OUTSIDE])
    raised[asked & ~held] = BITS[OUTSIDE]
    raised[reasons > 0] = BITS[UNLOCATED]
    return raised


def _swapped(ground: Grounds, fixes: Fixes, found: Columns, how: How) -> Positions:
    """Find the points outside every net whose coordinates, exchanged, lie inside one: they were swapped."""
    suspects = np.flatnonzero((found.flags & BITS[OUTSIDE] > 0) & (np.abs(fixes.lon) <= 90))
    if not len(suspects):
        return suspects
    lon, lat, on = fixes.lat[suspects], fixes.lon[suspects], fixes.on[suspects]
    turned = Fixes(lon, lat, on, np.zeros(len(suspects), dtype=np.uint8))
    return suspects[_found(ground, turned, how).flags & BITS[OUTSIDE] == 0]
