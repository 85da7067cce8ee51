"""Defaults < settings file (TOML, named by SHAOTU_SETTINGS) < SHAOTU_* variables -> one frozen value."""

import os
import secrets
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from gis import language
from gis.errors import Invalid, Problems, ShaotuError

ROOT = Path(__file__).parent.parent
PREFIX = "SHAOTU_"
# Variables that speak to the set-up and the tests, not to the product.
ASIDE = frozenset({"SETTINGS", "TEST_DATABASE_URL", "BROWSER"})
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def _between(low: float, high: float) -> Mapping[str, object]:
    return {"check": lambda value: low <= value <= high, "code": "settings.out_of_range", "low": low, "high": high}


def _one_of(*choices: str) -> Mapping[str, object]:
    return {"check": lambda value: value in choices, "code": "settings.not_a_choice", "choices": ", ".join(choices)}


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


def _is_database(url: str | None) -> bool:
    return url is None or url.split(":", 1)[0].split("+", 1)[0] in {"postgres", "postgresql"}


def _is_city_code(code: str | None) -> bool:
    return code is None or (len(code) == 6 and code.isascii() and code.isdigit())


def _is_file(path: Path | None) -> bool:
    return path is None or path.is_file()


def _is_address(url: str | None) -> bool:
    return url is None or url.startswith(("https://", "http://"))


@dataclass(frozen=True)
class Settings:
    """Everything that may differ from one installation to the next, checked."""

    # None: a private PostgreSQL cluster under var_dir
    database_url: str | None = field(
        default=None, repr=False, metadata={"check": _is_database, "code": "settings.not_a_database"}
    )
    var_dir: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = field(default=8000, metadata=_between(1, 65535))
    threads: int = field(default=64, metadata=_between(2, 1000))
    workers: int = field(default=1, metadata=_between(1, 64))
    # open live pages at once
    viewers: int = field(default=5000, metadata=_between(1, 100_000))
    # None: generated once into var_dir
    secret_key: str | None = field(default=None, repr=False)
    https_only: bool = False
    session_hours: int = field(default=12, metadata=_between(1, 24 * 30))
    language: str = field(default="zh", metadata=_one_of(*language.LOCALES))
    time_zone: str = field(
        default="Asia/Shanghai", metadata={"check": _is_zone, "code": "settings.not_a_time_zone"}
    )
    log_level: str = field(default="info", metadata=_one_of("debug", "info", "warning", "error"))
    log_format: str = field(default="json", metadata=_one_of("json", "text"))
    request_limit_bytes: int = field(default=32_000_000, metadata=_between(100_000, 2_000_000_000))
    photo_limit_bytes: int = field(default=20_000_000, metadata=_between(10_000, 200_000_000))
    photo_limit_px: int = field(default=100_000_000, metadata=_between(10_000, 1_000_000_000))
    # standard error of a boundary line whose source states none
    line_sigma_m: float = field(default=1.0, metadata=_between(0, 1000))
    near_boundary_m: float = field(default=30.0, metadata=_between(0, 10_000))
    # a share below both of these is survey noise, not another jurisdiction
    sliver_share: float = field(default=0.01, metadata=_between(0, 0.5))
    sliver_m2: float = field(default=5.0, metadata=_between(0, 100_000))
    # division code of the city, with which issue codes begin; None: as on the ground
    city_code: str | None = field(default=None, metadata={"check": _is_city_code, "code": "settings.not_a_city_code"})
    # the working calendar that limits run on, by the name of its files in data/calendar
    work_calendar: str = "CN"
    # what is left of a limit when it is said to be due soon
    due_soon_share: float = field(default=0.2, metadata=_between(0, 1))
    # the department that takes what no duty and no agreement names
    general_desk: str = "general-desk"
    # what has a plain lead is sent to it when it is filed; without this a dispatcher sends everything
    auto_dispatch: bool = True
    # a TOML file with the city's own rules for the loop (gis workflow check FILE); None: the table as it is
    workflow_rules: Path | None = None
    # a TOML file with the channels messages go out by; None: notices on the page alone
    channels: Path | None = None
    # how long a phone may have been without a line: what it says to be older counts from when it came in
    offline_hours: int = field(default=72, metadata=_between(0, 720))
    # how long after closing a reporter may say that it is not solved
    reopen_days: int = field(default=7, metadata=_between(1, 365))
    # the part of what grids fix and close themselves that is inspected
    sample_share: float = field(default=0.1, metadata=_between(0, 1))
    # the same category this near and this soon after closing is a relapse
    relapse_days: int = field(default=30, metadata=_between(1, 730))
    relapse_m: float = field(default=50.0, metadata=_between(1, 2000))
    # calls without an answer after which somebody who reported counts as unreachable
    call_back_tries: int = field(default=3, metadata=_between(1, 20))
    # how long a link by which somebody who reported answers without a call may be used
    answer_days: int = field(default=7, metadata=_between(1, 60))
    # the address under which the public reaches this installation, as https://…: with it, and a channel `sms`, who
    # reported is sent a link to answer by when an issue is closed; None: the call-back desk alone makes links
    answer_link_url: str | None = field(
        default=None, metadata={"check": _is_address, "code": "settings.not_an_address"}
    )
    # a TOML file with the city's own rates, scores and grades; None: data/evaluation/formulas.toml
    evaluation_formulas: Path | None = None
    # working days that a supervision letter gives to answer, where the issue's own limit has passed
    letter_days: int = field(default=3, metadata=_between(1, 60))
    # the source under which what phones on patrol report is filed
    phone_source: str = "grid"
    # how long it is kept where somebody walked on patrol
    track_days: int = field(default=30, metadata=_between(1, 366))
    # how long long work that is over is kept, with the files it made and those it was given
    task_days: int = field(default=14, metadata=_between(1, 366))
    # certificate (with those that signed it) and key, as PEM files; both: it is served over TLS
    tls_certificate: Path | None = field(default=None, metadata={"check": _is_file, "code": "settings.no_file"})
    tls_key: Path | None = field(default=None, metadata={"check": _is_file, "code": "settings.no_file"})
    # the folder whose manifests of boundary files an administrator may choose on the page
    boundaries_dir: Path = ROOT / "data" / "boundaries"
    # whether people without an account get a page: /public with its map, the stage of a number and reports
    public_page: bool = False
    # the approval number of the map (审图号), shown on the public's map; the law asks for it where a map is published
    map_approval: str | None = None
    # a TOML file with base maps of other hosts, fetched through ours (data/base_maps/example.toml); None: none
    base_maps: Path | None = None
    # a folder with the city's own Word forms of papers (gis papers forms FOLDER); None: ours
    paper_forms: Path | None = None


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings; raise Problems that lists every wrong value."""
    problems: list[ShaotuError] = []
    values: dict[str, object] = {}
    for name, (raw, source) in _given(environ, problems).items():
        try:
            values[name] = _parse(_FIELDS[name], raw, source)
        except Invalid as problem:
            problems.append(problem)
    if (values.get("tls_certificate") is None) != (values.get("tls_key") is None):
        problems.append(Invalid("settings.tls_both"))
    if problems:
        raise Problems(problems)
    return Settings(**values)  # type: ignore[arg-type]


def secret_key(settings: Settings) -> str:
    """Return the key that signs sessions; the first call writes one that only the owner can read."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.var_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


_FIELDS: Mapping[str, Field[Any]] = MappingProxyType({each.name: each for each in fields(Settings)})


def _given(environ: Mapping[str, str], problems: list[ShaotuError]) -> dict[str, tuple[object, str]]:
    """Collect name -> (value, where it was written); variables win over the file."""
    given: dict[str, tuple[object, str]] = {}
    for name, raw, source in [*_from_file(environ, problems), *_from_variables(environ)]:
        if name in _FIELDS:
            given[name] = (raw, source)
        else:
            problems.append(Invalid("settings.unknown", name=name, source=source))
    return given


def _from_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    for variable, raw in environ.items():
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in ASIDE:
            yield name.lower(), raw, variable


def _from_file(environ: Mapping[str, str], problems: list[ShaotuError]) -> list[tuple[str, object, str]]:
    named = environ.get(PREFIX + "SETTINGS")
    if not named:
        return []
    try:
        content = tomllib.loads(Path(named).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Invalid("settings.file_unreadable", path=named, reason=str(error)))
    except tomllib.TOMLDecodeError as error:
        problems.append(Invalid("settings.file_not_toml", path=named, reason=str(error)))
    else:
        return [(name, raw, f"{named}: {name}") for name, raw in content.items()]
    return []


def _parse(described: Field[Any], raw: object, source: str) -> object:
    """Turn what was written into the field's type, then check it."""
    value = _PARSERS[described.type](raw, source)
    rule = described.metadata
    if rule and not rule["check"](value):
        said = {name: limit for name, limit in rule.items() if name not in {"check", "code"}}
        shown = raw if described.repr else "…"
        raise Invalid(rule["code"], source=source, value=shown, **said)
    return value


def _text(raw: object, source: str) -> str:
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise Invalid("settings.not_text", source=source, value=raw)


def _optional_text(raw: object, source: str) -> str | None:
    return None if raw == "" else _text(raw, source)


def _path(raw: object, source: str) -> Path:
    return Path(_text(raw, source)).expanduser().absolute()


def _optional_path(raw: object, source: str) -> Path | None:
    return None if raw == "" else _path(raw, source)


def _whole(raw: object, source: str) -> int:
    try:
        if isinstance(raw, str) or type(raw) is int:
            return int(raw)
    except ValueError:
        pass
    raise Invalid("settings.not_whole", source=source, value=raw)


def _number(raw: object, source: str) -> float:
    try:
        if isinstance(raw, str) or type(raw) in {int, float}:
            return float(raw)  # type: ignore[arg-type]
    except ValueError:
        pass
    raise Invalid("settings.not_a_number", source=source, value=raw)


def _yes_or_no(raw: object, source: str) -> bool:
    said = str(raw).strip().lower()
    if said not in TRUE | FALSE:
        raise Invalid("settings.not_yes_or_no", source=source, value=raw)
    return said in TRUE


_PARSERS: Mapping[object, Callable[[object, str], object]] = {
    str: _text,
    str | None: _optional_text,
    Path: _path,
    Path | None: _optional_path,
    int: _whole,
    float: _number,
    bool: _yes_or_no,
}
