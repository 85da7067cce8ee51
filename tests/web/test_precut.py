"""Tiles cut ahead: the same as those that are drawn when somebody looks, once, and none of what is past."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine, text

from gis import cli, db
from gis.settings import Settings
from gis.territory.coords import Tile
from gis.web import drawing, online, precut
from tests import town
from tests.web import desk

Run = Callable[..., str]


@pytest.fixture
def run(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    desk.open_office(app)
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")

    def _run(*words: str) -> str:
        result = CliRunner().invoke(cli.gis, ["tiles", "cut", "--processes", "1", *words])
        assert result.exit_code == 0, result.output
        return result.output

    return _run


def kept(settings: Settings, kind: str = "*") -> list[Path]:
    return sorted(Path(settings.var_dir, "tiles").glob(f"{kind}/**/*.mvt.gz"))


def first_edition(engine: Engine) -> int:
    with db.session(engine, db.EVERYTHING) as session:
        found: int = session.scalars(text("SELECT min(id) FROM edition WHERE net = 'unit_grid'")).one()
    return found


def test_what_is_cut_is_what_would_be_drawn(run: Run, app: Flask, settings: Settings, clean_db: Engine) -> None:
    edition, tile = first_edition(clean_db), Tile.at(*town.lonlat(2.0, 1.0), 14)
    address = f"/tiles/units/{edition}/en/{tile.z}/{tile.x}/{tile.y}.mvt"
    drawn = gzip.decompress(desk.signed_in(app).get(address).data)
    path = settings.var_dir / f"tiles/units/{edition}-{drawing.DRAWING}/en/{tile.z}/{tile.x}/{tile.y}.mvt.gz"
    path.unlink()
    run()
    assert gzip.decompress(path.read_bytes()) == drawn


def test_the_whole_pyramid_is_cut_down_to_the_last_zoom(run: Run, settings: Settings) -> None:
    run()
    assert {int(path.parts[-3]) for path in kept(settings, "base-en")} == set(range(8, drawing.LAST_Z + 1))


def test_a_language_is_the_citys_own_unless_another_is_named(run: Run, settings: Settings) -> None:
    run()
    assert not kept(settings, "base-zh")
    run("--language", "zh")
    assert kept(settings, "base-zh")


def test_what_was_cut_is_not_cut_again(run: Run, settings: Settings) -> None:
    run()
    times = {path: path.stat().st_mtime_ns for path in kept(settings)}
    assert "0 tiles are cut" in run()
    assert {path: path.stat().st_mtime_ns for path in kept(settings)} == times


def test_a_base_map_of_another_day_is_dropped(run: Run, settings: Settings, clean_db: Engine) -> None:
    run()
    (before,) = Path(settings.var_dir, "tiles", "base-en").iterdir()
    with db.session(clean_db, db.EVERYTHING) as session:
        session.execute(
            text("INSERT INTO ground_version (layer, version) VALUES ('street', 1)"
                 " ON CONFLICT (layer) DO UPDATE SET version = ground_version.version + 1")
        )  # fmt: skip
        session.commit()
    assert "1 past versions were removed" in run()
    (after,) = Path(settings.var_dir, "tiles", "base-en").iterdir()
    assert after != before


def test_tiles_of_other_hosts_stay_until_they_are_too_old_to_be_shown(run: Run, settings: Settings) -> None:
    folder = Path(settings.var_dir, "tiles", online.FOLDER, "elsewhere-0", "5", "26")
    folder.mkdir(parents=True)
    for name, age_s in (("12", 0.0), ("13", online.KEPT_S + 60)):
        (folder / name).write_bytes(b"picture")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    assert "0 past versions were removed" in run()
    assert [path.name for path in folder.iterdir()] == ["12"]


@pytest.mark.usefixtures("run")
def test_what_the_disk_did_not_take_is_cut_again_later(settings: Settings) -> None:
    folder = Path(settings.var_dir, "tiles")
    folder.mkdir()
    (folder / "base-en").write_text("a file stands where a folder should be made")
    result = CliRunner().invoke(cli.gis, ["tiles", "cut", "--processes", "1"])
    assert isinstance(result.exception, OSError)
    assert not list(folder.glob(f"base-en/*/{precut.WHOLE}"))


@pytest.mark.usefixtures("clean_db")
def test_a_city_without_ground_has_nothing_to_cut(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    result = CliRunner().invoke(cli.gis, ["tiles", "cut"])
    assert result.exit_code == 0, result.output
    assert not kept(settings)
