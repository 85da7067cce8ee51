"""Real cities put into the product by its own front doors, each step timed."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from gis import db
from gis.cli.loading import load_file
from gis.issues import categories, intake, sources
from gis.issues.tables import Load, Source
from gis.people import departments
from gis.settings import Settings
from gis.territory import boundaries, index, places, units

HERE = Path(__file__).parent
BY = "proof"
# Layers drawn once, and taken to hold for every day of the reports.
LONG_AGO = date(1990, 1, 1)


@dataclass
class Clock:
    """Seconds each step took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add what happens inside to a step."""
        start = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start


def load_boundaries(engine: Engine, manifest_path: Path, data: Path) -> dict[str, dict[str, object]]:
    """Load every edition of a manifest, faults accepted, and put it in force; return the reports by "net name"."""
    manifest = boundaries.read_manifest(manifest_path, folder=data)
    reports = {}
    with db.session(engine, db.EVERYTHING) as session:
        for draft in boundaries.read(manifest, boundaries.ground(session)):
            loaded = boundaries.load(session, draft, accept=True, by=BY, now=datetime.now(UTC))
            boundaries.activate(session, loaded.net, loaded.name, None, by=BY, now=datetime.now(UTC))
            reports[f"{loaded.net} {loaded.name}"] = dict(loaded.report)
        session.commit()
        for edition in units.active(session):
            index.ready(session, edition)
    return reports


def load_places(engine: Engine, mapping_path: Path, data: Path) -> dict[str, places.Report]:
    """Import every file of a mapping, with shares in the editions in force."""
    reports = {}
    with db.session(engine, db.EVERYTHING) as session:
        for file in places.read_mapping(mapping_path, data):
            reports[file.kind] = places.load(session, file, places.Watch(), now=datetime.now(UTC))
        session.commit()
    return reports


def load_issues(engine: Engine, file: Path, mapping_path: Path, settings: Settings) -> Load:
    """File every report of a file."""
    return load_file(engine, file, mapping_path, intake.Clerk(BY, datetime.now(UTC), settings))


def open_source(engine: Engine, code: str, kinds: pd.Series[str], settings: Settings) -> None:
    """Register a source and a scheme of that name whose categories are the kinds it uses, and the general desk."""
    sheet = settings.var_dir / f"{code}-categories.csv"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("scheme", "version", "code", "parent", "name_zh", "name_en", "urgency", "boundary_risk"))
        writer.writerows((code, "1", kind, "", kind, kind, "", 0) for kind in sorted(kinds.dropna().unique()) if kind)
    with db.session(engine, db.EVERYTHING) as session:
        sources.add(session, Source(code=code, name_zh=code, name_en=code, datum="WGS84"))
        categories.load(session, sheet)
        departments.open_desk(session, settings.general_desk)
        session.commit()
