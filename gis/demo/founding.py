"""The demo city is founded: its files go through the product's own doors. Each step that is done is left as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.demo import callers, crew, files, frame, history, limits, platforms, roster
from gis.demo import city as cities
from gis.demo.city import City
from gis.errors import Invalid, ShaotuError
from gis.issues import agreements, categories, citizens, duty_lists, intake, lateness, sources, workflow
from gis.issues.messages import notices
from gis.issues.tables import Source
from gis.people import areas, departments
from gis.settings import ROOT, Settings
from gis.territory import boundaries, places, units
from gis.territory.location import UnitRef

BY = "gis demo"
# What is changed for everybody takes two.
SECOND = f"{BY}, checked"
SINCE = date(2025, 1, 1)
CATEGORIES, DUTIES = ROOT / "data" / "categories" / "cg-2013.csv", ROOT / "data" / "duties" / "demo.csv"
BATCH = 8
# What stands on streets and in parks is for everybody to see; what people complain of at home is not.
OPEN = ("E01", "E02", "E03", "E04", "P01", "P02", "P03", "P04")


@dataclass(frozen=True)
class Step:
    """One step: its code for the sentence, whether it is done already, and how it is done."""

    code: str
    is_done: Callable[[Session], bool]
    do: Callable[[Session], None]


class Founding:
    """The steps that found a city, each in one transaction. The city is drawn only if a step needs it."""

    def __init__(self, settings: Settings, now: datetime, size: tuple[int, int] = (cities.SEED, cities.CELLS)) -> None:
        self._settings, self._now, self._size = settings, now, size

    @cached_property
    def city(self) -> City:
        """The city, drawn when first asked for."""
        return cities.make(*self._size)

    def steps(self) -> Iterator[Step]:
        """Yield the steps in their order."""
        yield Step("demo.boundaries", _any("edition"), self._bound)
        yield Step("demo.places", _any("building"), self._place)
        yield Step("demo.duties", _any("duty_list"), self._charge)
        yield Step("demo.limits", _any("standard"), self._limit)
        yield Step("demo.people", _any("responsibility_area"), self._people)
        yield Step("demo.agreements", _any("agreement"), self._agree)
        yield Step("demo.issues", _any("issue"), self._report)
        yield Step("demo.loop", _any("account WHERE role = 'department'"), self._handle)
        yield Step("demo.platforms", _any("roster_entry"), self._call)
        yield Step("demo.public", _any("public_category"), self._open)

    def _bound(self, session: Session) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files.write_boundaries(self.city.boundaries, Path(folder))
            manifest = boundaries.read_manifest(Path(folder) / files.MANIFEST.name)
            for draft in boundaries.read(manifest):
                # the gap, the overlap and the exclave are facts of this ground
                edition = boundaries.load(session, draft, accept=True, by=BY, now=self._now)
                boundaries.activate(session, edition.net, edition.name, SINCE, by=BY, now=self._now)

    def _place(self, session: Session) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files.write_places(self.city.places(), Path(folder))
            for file in places.read_mapping(Path(folder) / files.PLACES.name):
                places.load(session, file, places.Watch(reject=_refuse), now=self._now)

    def _charge(self, session: Session) -> None:
        categories.load(session, CATEGORIES)
        rules = duty_lists.read(session, DUTIES)
        duty_lists.load(session, ("demo", "2025"), rules, by=BY, now=self._now)
        duty_lists.activate(session, ("demo", "2025"), SINCE, by=SECOND, now=self._now)
        departments.open_desk(session, self._settings.general_desk)
        units_ = _units(session)
        departments.establish(session, units_)
        departments.load(session, [_commission(units_)])
        for channel in history.CHANNELS:
            sources.add(session, Source(code=channel.code, name_zh=channel.zh, name_en=channel.en, datum=channel.datum))

    def _limit(self, session: Session) -> None:
        limits.lay(session, intake.Clerk(BY, self._now, self._settings), SINCE)

    def _people(self, session: Session) -> None:
        roster.open_accounts(session, self.city, now=self._now)
        with tempfile.TemporaryDirectory() as folder:
            files.write_places({"areas": roster.areas(self.city)}, Path(folder))
            for file in areas.read_mapping(Path(folder) / files.PLACES.name):
                areas.load(session, file, _refuse)
        roster.open_chiefs(session, self.city, now=self._now)

    def _agree(self, session: Session) -> None:
        for draft in pacts(self.city):
            agreements.add(session, draft, by=BY, now=self._now)

    def _report(self, session: Session) -> None:
        zone = ZoneInfo(self._settings.time_zone)
        told = list(history.month(self.city, self._now.astimezone(zone)))
        reports = [intake.parse_report(data, now=self._now, zone=zone) for data in told]
        reports.sort(key=lambda report: report.reported_at)
        for start in range(0, len(reports), BATCH):
            batch = reports[start : start + BATCH]
            # Filed when they came in, a few at a time: their clocks began then.
            clerk = intake.Clerk(BY, batch[-1].reported_at, self._settings, quiet=True)
            for outcome in intake.accept_many(session, batch, clerk):
                if isinstance(outcome, ShaotuError):
                    raise outcome

    def _open(self, session: Session) -> None:
        citizens.show(session, [f"cg:{code}" for code in OPEN], by=BY, now=self._now)

    def _handle(self, session: Session) -> None:
        roster.open_sides(session, now=self._now)
        rng = np.random.default_rng([self.city.seed, 31])
        loop = workflow.Loop(self._settings)
        crew.Crew(loop, rng, roster.spared(session)).live_through(session, self._now)
        callers.inspect_samples(session, loop, self._now, rng)
        callers.look_back(session, loop, self._now)

    def _call(self, session: Session) -> None:
        platforms.staff(session, self.city.seed, now=self._now)
        platforms.blow(session, workflow.Loop(self._settings), self.city.seed, now=self._now)
        self._hush(session)

    def _hush(self, session: Session) -> None:
        """Let nobody's bell ring of what happened before there was anybody to hear it."""
        clerk = intake.Clerk(BY, self._now, self._settings, quiet=True)
        while facts := lateness.find(session, self._now, BATCH):
            lateness.note(session, facts, clerk)
        notices.read_by_all(session)


def write(city: City, folder: Path) -> None:
    """Write boundaries/ (GeoJSON) and places/ (GeoParquet), each with the file that says what they hold."""
    files.write_boundaries(city.boundaries, folder / "boundaries")
    files.write_places(city.places() | {"areas": roster.areas(city)}, folder / "places")


def pacts(city: City) -> list[agreements.Draft]:
    """Return the standing agreements: one for the street two districts share, one for the exclave."""
    core, outer = "admin:district:690102", "admin:district:690103"
    ring = city.streets[city.streets["name"] == "二环路"].geometry.iloc[0]
    road = frame.to_degrees(frame.to_metres(shapely.get_parts(ring)))
    strip = frame.to_degrees(shapely.buffer(frame.to_metres(road), 24.0))
    north = shapely.union_all(strip).difference(_south(city))
    home = city.boundaries["district"].set_index("code").geometry["690102"]
    exclave = next(part for part in shapely.get_parts(home) if part.covers(city.specials["exclave"]))
    street = ("E0110", "E0111", "E0112", "E0113", "E0401", "E0406", "E0408", "E0410")
    return [
        agreements.Draft(
            "二环路（禾阳—望山段）共治共管协议", north, (core, outer), core, SINCE, None, street, "禾望共治〔2025〕1号"
        ),
        agreements.Draft(
            "禾阳飞地环境卫生委托管理协议",
            exclave,
            (core, outer),
            outer,
            SINCE,
            None,
            ("E0110", "E0111", "E0112", "E0192"),
            "禾望托管〔2025〕2号",
        ),
    ]


def _south(city: City) -> BaseGeometry:
    south: BaseGeometry = city.boundaries["district"].set_index("code").geometry["690104"]
    return south


def _any(table: str) -> Callable[[Session], bool]:
    return lambda session: bool(session.scalar(text(f"SELECT EXISTS (SELECT FROM {table})")))


def _units(session: Session) -> list[UnitRef]:
    """Return the units that have offices of their own: districts, subdistricts and communities."""
    [admin] = [edition for edition in units.in_force(session, SINCE) if edition.net == "admin"]
    table = units.load_units(session, admin.id)
    return [table.ref(row) for row in range(len(table))]


def _commission(found: list[UnitRef]) -> dict[str, str]:
    """Describe the city's own commission: it convenes the sides of an issue that lies across a district line."""
    city = next(unit for unit in found if unit.level == "city")
    return {
        "code": f"CG-{city.code}",
        "kind": "CG",
        "name_zh": f"{city.name}城市管理委员会",
        "name_en": f"{city.name_en} Urban Management Commission",
        "net": city.net,
        "level": city.level,
        "unit_code": city.code,
    }


def _refuse(reject: places.Reject) -> None:
    raise Invalid(reject.code, row=reject.row, external_id=reject.external_id, **reject.params)
