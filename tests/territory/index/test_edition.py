"""The index of an edition: kept in a file, shared, built when it is missing, never of other boundaries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.settings import Settings
from gis.territory import index, units
from gis.territory.index import edition as opened
from gis.territory.index import record, store
from gis.territory.index.memory import GridLevel
from gis.territory.index.record import RecordLevel
from gis.territory.units import EditionRef
from tests import town


@pytest.fixture
def ground(clean_db: Engine) -> Iterator[Session]:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        yield session


@pytest.fixture(autouse=True)
def _nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do as a process does that has just begun."""
    monkeypatch.setattr(opened, "_kept", type(opened._kept)())
    monkeypatch.setattr(opened, "_asked", set())


def first(session: Session) -> EditionRef:
    """Give the first edition, with the digest a load would have written."""
    edition = units.in_force(session, town.SINCE)[0]
    return replace(edition, digest=record.digest(session, edition.id))


def files(settings: Settings) -> list[Path]:
    return sorted(Path(settings.var_dir, "index").glob("*"))


def test_the_first_question_writes_the_file_and_the_next_process_reads_it(
    ground: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = first(ground)
    index.of(ground, edition)
    assert [path.name for path in files(settings)] == [f"{edition.digest}.index"]
    forget(monkeypatch)
    monkeypatch.setattr(opened, "_built", None)
    lon, lat = town.lonlat(0.6, 0.5)
    found = index.of(ground, edition).levels["community"]
    assert found.refs[found.only([lon], [lat])[0]].code == "990101001001"


def test_an_index_that_is_open_is_not_opened_again(ground: Session) -> None:
    edition = first(ground)
    assert index.of(ground, edition) is index.of(ground, edition)


def test_a_damaged_file_is_built_anew(ground: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = first(ground)
    index.of(ground, edition)
    path = files(settings)[0]
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    forget(monkeypatch)
    lon, lat = town.lonlat(0.6, 0.5)
    assert index.of(ground, edition).levels["city"].only([lon], [lat]).tolist() == [0]
    assert path.read_bytes() == sound


def test_other_units_have_another_digest(ground: Session) -> None:
    edition = first(ground)
    ground.execute(text("UPDATE unit SET geom = ST_Reverse(geom) WHERE id = (SELECT min(id) FROM unit)"))
    assert record.digest(ground, edition.id) != edition.digest


def test_an_edition_without_a_digest_is_indexed_and_not_kept(ground: Session, settings: Settings) -> None:
    edition = units.in_force(ground, town.SINCE)[0]
    assert isinstance(index.of(ground, edition).levels["city"], GridLevel)
    assert files(settings) == []


def test_a_new_edition_is_answered_from_as_soon_as_it_is_in_force(ground: Session) -> None:
    before = first(ground)
    index.of(ground, before)
    moved = [town.Lot("city", "9901", town.field(10, 10, 12, 12))]
    town.edition(ground, "admin", "2025", moved, valid_from=town.SINCE.replace(year=2025))
    after = units.in_force(ground, town.SINCE.replace(year=2026))[0]
    lon, lat = town.lonlat(11, 11)
    assert index.of(ground, after).levels["city"].only([lon], [lat]).tolist() == [0]
    assert index.of(ground, before).levels["city"].only([lon], [lat]).tolist() == [index.NONE]


def test_a_large_edition_is_asked_of_postgis_until_its_file_is_built(
    ground: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "SMALL_BYTES", 0)
    begun: list[Path] = []
    monkeypatch.setattr(opened, "_begin", lambda _engine, var_dir: begun.append(var_dir))
    edition = first(ground)
    assert isinstance(index.of(ground, edition).levels["city"], RecordLevel)
    assert isinstance(index.of(ground, edition).levels["city"], RecordLevel)
    assert begun == [settings.var_dir]
    index.file_of(ground, edition)
    assert isinstance(index.of(ground, edition).levels["city"], GridLevel)


def test_the_process_beside_builds_what_is_missing(
    ground: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = first(ground)
    ground.commit()
    beside = opened._begin(ground.connection().engine, settings.var_dir)
    assert beside.wait() == 0
    assert f"{edition.digest}.index" in [path.name for path in files(settings)]
    assert units.in_force(ground, town.SINCE)[0].digest == edition.digest


def test_a_file_carried_elsewhere_answers_without_a_database(ground: Session, tmp_path: Path) -> None:
    edition = first(ground)
    copied = tmp_path / f"{edition.digest}.index"
    copied.write_bytes(index.file_of(ground, edition).read_bytes())
    lon, lat = town.lonlat(0.6, 0.5)
    assert index.from_file(copied, edition, {}).levels["city"].only([lon], [lat]).tolist() == [0]


def test_a_folder_that_cannot_be_written_to_does_not_keep_answers_back(
    ground: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write", full)
    lon, lat = town.lonlat(0.6, 0.5)
    assert index.of(ground, first(ground)).levels["city"].only([lon], [lat]).tolist() == [0]


def test_a_coarser_level_says_of_one_point_what_it_says_of_many(ground: Session) -> None:
    # inside, on lines between units of the finest level alone, on lines of all levels, and outside
    spots = [town.lonlat(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
    lon, lat = (list(column) for column in zip(*spots, strict=True))
    for level in index.of(ground, first(ground)).levels.values():
        assert [level.one(*spot) for spot in spots] == level.only(lon, lat).tolist()
