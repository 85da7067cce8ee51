"""gis database remove: what goes, what stays, and that it asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gis import cli

NAMED = "postgresql://somewhere/else"


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a photo, a tile and a key, and no cluster yet."""
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(tmp_path))
    monkeypatch.delenv("SHAOTU_DATABASE_URL", raising=False)
    for name in ("photos/ab/abc.jpg", "tiles/base/1.mvt.gz", "index/1.index", "secret_key"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def removed(said: str = "", *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.gis, ["database", "remove", *words], input=said)
    return done.exit_code, done.output


def test_what_was_kept_for_the_private_database_goes_with_it(var_dir: Path) -> None:
    assert removed("y\n")[0] == 0
    assert not any((var_dir / name).exists() for name in ("photos", "tiles", "index"))
    assert (var_dir / "secret_key").exists()


def test_it_names_every_folder_before_it_asks(var_dir: Path) -> None:
    _, told = removed("n\n")
    assert all(str(var_dir / name) in told for name in ("pg", "photos", "tiles", "index"))


def test_nothing_goes_without_a_yes(var_dir: Path) -> None:
    assert removed("n\n")[0] == 1
    assert (var_dir / "photos" / "ab" / "abc.jpg").exists()


def test_what_belongs_to_a_named_database_stays(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", NAMED)
    code, told = removed("", "--yes")
    assert code == 1
    assert "SHAOTU_DATABASE_URL" in told
    assert (var_dir / "photos" / "ab" / "abc.jpg").exists()
