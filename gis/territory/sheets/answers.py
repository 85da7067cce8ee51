"""Columns -> Arrow: codes and names as dictionaries whose words are written once, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gis.errors import Invalid
from gis.territory import columns
from gis.territory.columns import BITS, NONE, Columns, Grounds, LevelColumns, NetColumns, Roll
from gis.territory.sheets.recipe import Recipe

Rows = npt.NDArray[np.int32]
Strings = npt.NDArray[np.object_]

CODES = pa.dictionary(pa.int32(), pa.string())
FEW = pa.dictionary(pa.int8(), pa.string())
CANDIDATES = pa.list_(pa.struct([("code", pa.string()), ("probability", pa.float64())]))


def _combined() -> pa.Array:
    """Write every combination of flags, by their bits."""
    return pa.array(
        [" ".join(flag for flag, bit in BITS.items() if bits & bit) for bits in range(1 << len(BITS))], pa.string()
    )


FLAG_WORDS = _combined()
REASON_WORDS = pa.array(columns.REASONS, pa.string())


@dataclass(frozen=True)
class _Words:
    """The words of a roll, each once, and which of them each unit has (None: each its own)."""

    roll: Roll
    words: pa.Array
    which: Rows | None

    def of(self, primary: Rows) -> pa.DictionaryArray:
        """Return the words of units."""
        absent = primary == NONE
        chosen = primary if self.which is None else self.which[primary]
        return pa.DictionaryArray.from_arrays(pa.array(chosen, mask=absent if absent.any() else None), self.words)


class Appender:
    """Appends what points stand on to batches of the same columns."""

    def __init__(self, ground: Grounds, recipe: Recipe, schema: pa.Schema) -> None:
        self._ground = ground
        self._recipe = recipe
        self._kept: dict[tuple[str, str, str], _Words] = {}
        self._levels = tuple(_levels(ground, recipe.nets))
        fields = [pa.field(recipe.prefix + name, kind) for name, kind in self._fields()]
        taken = next((field.name for field in fields if field.name in schema.names), None)
        if taken is not None:
            raise Invalid("sheet.column_taken", column=taken)
        self.schema = pa.schema([*schema, *fields], metadata=schema.metadata)

    def appended(self, batch: pa.RecordBatch, found: Columns) -> pa.RecordBatch:
        """Return the batch with its answers."""
        arrays = list(self._arrays(found))
        return pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=self.schema)

    def _fields(self) -> Iterator[tuple[str, pa.DataType]]:
        recipe = self._recipe
        for net, levels in self._levels:
            for level in levels:
                yield from ((f"{net}_{level}{ending}", kind) for ending, kind in _of_level(recipe))
            yield f"{net}_edition", CODES
        yield "flags", FEW
        yield "reason", FEW

    def _arrays(self, found: Columns) -> Iterator[pa.Array]:
        answered = {net.net: net for net in found.nets}
        for net, levels in self._levels:
            said = answered.get(net)
            for nth, level in enumerate(levels):
                yield from self._of_level(net, level, said.levels[nth] if said else None, len(found))
            yield _editions(said, len(found))
        yield _few(found.flags, FLAG_WORDS)
        yield _few(found.reason, REASON_WORDS)

    def _of_level(self, net: str, level: str, said: LevelColumns | None, rows_n: int) -> Iterator[pa.Array]:
        if said is None:
            yield from (pa.nulls(rows_n, kind) for _, kind in _of_level(self._recipe))
            return
        codes = self._words(net, level, "code")
        yield codes.of(said.primary)
        if self._recipe.names:
            yield self._words(net, level, "name_en" if self._recipe.names == "en" else "name").of(said.primary)
        if self._recipe.has_accuracy:
            yield _odds(said, rows_n)
        if self._recipe.detail:
            yield pa.array(said.units_n)
            yield _few(said.flags, FLAG_WORDS)
        if self._recipe.detail and self._recipe.has_accuracy:
            yield _candidates(said, codes, rows_n)

    def _words(self, net: str, level: str, what: str) -> _Words:
        roll, kept = self._ground.rolls[net, level], self._kept.get((net, level, what))
        if kept is None or kept.roll is not roll:
            kept = self._kept[net, level, what] = _words(roll, what)
        return kept


def _of_level(recipe: Recipe) -> Iterator[tuple[str, pa.DataType]]:
    yield "", CODES
    if recipe.names:
        yield "_name", CODES
    if recipe.has_accuracy:
        yield "_probability", pa.float64()
    if recipe.detail:
        yield "_units", pa.int32()
        yield "_flags", FEW
    if recipe.detail and recipe.has_accuracy:
        yield "_candidates", CANDIDATES


def _levels(ground: Grounds, nets: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    known = {edition.net: edition for edition in ground.nets()}
    for net in nets or known:
        if net not in known:
            raise Invalid("sheet.no_net", net=net[:80], nets=", ".join(known))
        yield net, tuple(level.code for level in known[net].levels)


def _words(roll: Roll, what: str) -> _Words:
    every = roll.words(what)
    place = {word: nth for nth, word in enumerate(dict.fromkeys(every))}
    which = None if len(place) == len(every) else np.array([*(place[word] for word in every), 0], dtype=np.int32)
    return _Words(roll, pa.array(list(place), pa.string()), which)


def _editions(said: NetColumns | None, rows_n: int) -> pa.Array:
    if said is None:
        return pa.nulls(rows_n, CODES)
    place = {name: nth for nth, name in enumerate(dict.fromkeys(edition.name for edition in said.editions))}
    which = np.array([*(place[edition.name] for edition in said.editions), 0], dtype=np.int32)
    absent = said.edition == NONE
    chosen = pa.array(which[said.edition], mask=absent if absent.any() else None)
    return pa.DictionaryArray.from_arrays(chosen, pa.array(list(place), pa.string()))


def _few(bits: npt.NDArray[np.uint8], words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(bits.view(np.int8)), words)


def _odds(said: LevelColumns, rows_n: int) -> pa.Array:
    if said.probability is None:
        return pa.nulls(rows_n, pa.float64())
    unknown = np.isnan(said.probability)
    return pa.array(said.probability, mask=unknown if unknown.any() else None)


def _candidates(said: LevelColumns, codes: _Words, rows_n: int) -> pa.Array:
    """List the units each point may be in, the most probable first."""
    if said.candidates is None:
        return pa.nulls(rows_n, CANDIDATES)
    ends = np.concatenate([[0], np.cumsum(np.bincount(said.candidates.point, minlength=rows_n))]).astype(np.int32)
    words = codes.of(said.candidates.row).dictionary_decode()
    units = pa.StructArray.from_arrays([words, pa.array(said.candidates.probability)], ["code", "probability"])
    return pa.ListArray.from_arrays(pa.array(ends), units)
