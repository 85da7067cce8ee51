"""The manifest of boundary files (boundaries.toml): which file is which level of which net, and how to read it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

from gis.errors import Invalid, Problems, ShaotuError
from gis.territory.coords import DATUMS
from gis.territory.faults import LevelRule, Tolerance

Table = Mapping[str, Any]
Made = TypeVar("Made")

COMMUNITY_SERIAL = "community+serial"
CODE_RULES = (COMMUNITY_SERIAL, "parent+code")
PARENT_RULES = ("within", "prefix")


@dataclass(frozen=True)
class Level:
    """A level of a net. divides: its lines part responsibility; digits: of its codes, if they are division codes."""

    code: str
    rank: int
    name_zh: str
    name_en: str
    colour: str = "#5b6b7a"
    divides: bool = True
    digits: int | None = None


@dataclass(frozen=True)
class Net:
    """A net and its levels, coarsest first."""

    code: str
    name_zh: str
    name_en: str
    rank: int = 0
    parent_net: str | None = None
    parent_level: str | None = None
    levels: tuple[Level, ...] = ()

    @property
    def rules(self) -> tuple[LevelRule, ...]:
        """Say what is asked of the units of each level."""
        return tuple(LevelRule(level.code, level.digits, level.name_zh, level.name_en) for level in self.levels)

    def above(self, level: str) -> str | None:
        """Give the level above one, None for the coarsest."""
        names = [each.code for each in self.levels]
        return names[names.index(level) - 1] if names.index(level) else None


@dataclass(frozen=True)
class Layer:
    """One file (or layer of a file) that holds the units of one level.

    where: field -> the value, or the list of values, of the rows meant. code, name, name_en, parent: fields.
    code_rule: community+serial numbers units that come without a code; parent+code is for codes that are unique in
    their parent only. parent_rule: within (largest share) or prefix (the longest code above that this one starts with).
    codes: a value of the code field -> the code to use. dissolve: rows of one code are parts of one unit.
    crs: what the file is really in, if it says nothing or something wrong; datum: the shift its coordinates carry.
    """

    file: str
    level: str
    layer: str | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    code_rule: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    name_en: str | None = None
    parent: str | None = None
    parent_rule: str | None = None
    aliases: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    dissolve: bool = False
    crs: str | None = None
    datum: str = "WGS84"

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of the file that are needed."""
        named = (self.code, self.name, self.name_en, self.parent, *self.aliases, *self.attributes, *self.where)
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True)
class Edition:
    """A dated set of boundaries of a net. crosswalk: other nets with which shares are to be known."""

    net: str
    name: str
    source: str
    licence: str
    valid_from: date | None = None
    line_sigma_m: float = 1.0
    crosswalk: tuple[str, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Nets and editions; files are named relative to `folder`."""

    folder: Path
    nets: tuple[Net, ...]
    editions: tuple[Edition, ...]

    @property
    def needs_database(self) -> bool:
        """Say whether units are numbered, or stand on a net that is not in this manifest."""
        here = {edition.net for edition in self.editions}
        abroad = any(net.parent_net and net.parent_net not in here for net in self.nets)
        return abroad or any(layer.code_rule == COMMUNITY_SERIAL for each in self.editions for layer in each.layers)

    def net(self, code: str) -> Net:
        """Return a net by its code."""
        return next(net for net in self.nets if net.code == code)


def read_manifest(path: Path, *, folder: Path | None = None) -> Manifest:
    """Read and check a manifest; raise Problems that lists all that is wrong. folder: of the files, if elsewhere."""
    said = _read_toml(path)
    problems: list[ShaotuError] = []
    nets = tuple(_net(table, f"net {at}", problems) for at, table in _tables(said, "net"))
    editions = tuple(_edition(table, f"edition {at}", problems) for at, table in _tables(said, "edition"))
    if not problems:
        problems += _contradictions(nets, editions)
    if problems:
        raise Problems(problems)
    return Manifest(folder or path.parent, nets, editions)


def _read_toml(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("manifest.unreadable", path=str(path), reason=str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid("manifest.not_toml", path=str(path), reason=str(error)) from error


def _tables(said: Table, name: str) -> Iterator[tuple[int, Table]]:
    tables = said.get(name, [])
    yield from enumerate(tables if isinstance(tables, list) else [tables], start=1)


def _net(table: Table, where: str, problems: list[ShaotuError]) -> Net:
    levels = [_made(Level, each, f"{where}, level {at}", problems) for at, each in _tables(table, "level")]
    net = _made(Net, _without(table, "level"), f"{where} ({table.get('code', '?')})", problems)
    return _with(net, levels=tuple(sorted(levels, key=lambda level: level.rank)))


def _edition(table: Table, where: str, problems: list[ShaotuError]) -> Edition:
    where = f"{where} ({table.get('net', '?')} {table.get('name', '?')})"
    layers = [_made(Layer, each, f"{where}, layer {at}", problems) for at, each in _tables(table, "layer")]
    tolerance = _made(Tolerance, table.get("tolerance", {}), f"{where}, tolerance", problems)
    edition = _made(Edition, _without(table, "layer", "tolerance"), where, problems)
    return _with(edition, layers=tuple(layers), tolerance=tolerance)


def _without(table: Table, *names: str) -> Table:
    return {name: value for name, value in table.items() if name not in names}


def _with(made: Made, **values: object) -> Made:
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def _made(kind: type[Made], table: Table, where: str, problems: list[ShaotuError]) -> Made:
    """Fill a value from a table; note what is unknown, missing or of the wrong type, and go on."""
    known: dict[str, Field[Any]] = {each.name: each for each in fields(cast("Any", kind))}
    choices = ", ".join(known)
    problems += [
        Invalid("manifest.unknown_key", where=where, key=key, choices=choices) for key in table if key not in known
    ]
    values: dict[str, object] = {}
    for name, each in known.items():
        if name not in table:
            if each.default is MISSING and each.default_factory is MISSING:
                problems.append(Invalid("manifest.missing_key", where=where, key=name))
                values[name] = ""
        elif not _fits(table[name], str(each.type)):
            problems.append(
                Invalid("manifest.wrong_type", where=where, key=name, value=repr(table[name]), type=each.type)
            )
        else:
            values[name] = tuple(table[name]) if isinstance(table[name], list) else table[name]
    return kind(**values)


def _fits(value: object, type_: str) -> bool:
    wanted = type_.removesuffix(" | None")
    if wanted.startswith("tuple"):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if wanted.startswith("Mapping"):
        return isinstance(value, dict)
    if wanted == "bool" or isinstance(value, bool):
        return wanted == "bool" and isinstance(value, bool)
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "date": (date,)}
    return isinstance(value, kinds[wanted])


def _contradictions(nets: tuple[Net, ...], editions: tuple[Edition, ...]) -> Iterator[ShaotuError]:
    known = {net.code: {level.code for level in net.levels} for net in nets}
    for edition in editions:
        where = f"{edition.net} {edition.name}"
        if edition.net not in known:
            yield Invalid("manifest.unknown_net", where=where, net=edition.net, choices=", ".join(known))
            continue
        for layer in edition.layers:
            yield from _layer_contradictions(layer, f"{where}, {layer.file}", known[edition.net])


def _layer_contradictions(layer: Layer, where: str, levels: set[str]) -> Iterator[ShaotuError]:
    for key, value, choices in (
        ("level", layer.level, tuple(sorted(levels))),
        ("datum", layer.datum, DATUMS),
        ("code_rule", layer.code_rule, (None, *CODE_RULES)),
        ("parent_rule", layer.parent_rule, (None, *PARENT_RULES)),
    ):
        if value not in choices:
            allowed = ", ".join(choice for choice in choices if choice)
            yield Invalid("manifest.not_a_choice", where=where, key=key, value=value, choices=allowed)
    if (layer.code is None) == (layer.code_rule != COMMUNITY_SERIAL):
        yield Invalid("manifest.code_or_rule", where=where, rule=COMMUNITY_SERIAL)
    if layer.parent and layer.parent_rule:
        yield Invalid("manifest.parent_twice", where=where)
