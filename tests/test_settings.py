"""Settings come from three places, later ones win, and what is wrong is told all at once."""

import stat
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from gis import language, settings
from gis.errors import Problems


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(Problems) as raised:
        settings.load(environ)
    return [problem.code for problem in raised.value.problems]


def test_without_anything_given_the_defaults_hold() -> None:
    assert settings.load({}) == settings.Settings()


def test_the_file_wins_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "shaotu.toml"
    file.write_text("port = 8080\nnear_boundary_m = 12")
    expected = replace(settings.Settings(), port=8080, near_boundary_m=12.0)
    assert settings.load({"SHAOTU_SETTINGS": str(file)}) == expected


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "shaotu.toml"
    file.write_text("port = 8080")
    assert settings.load({"SHAOTU_SETTINGS": str(file), "SHAOTU_PORT": "8081"}).port == 8081


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        settings.load({}).port = 1  # type: ignore[misc]


def test_every_wrong_value_is_told_at_once() -> None:
    wrong = {"SHAOTU_PORT": "x", "SHAOTU_LANGUAGE": "fr", "SHAOTU_NO_SUCH": "1"}
    assert sorted(problems(wrong)) == ["settings.not_a_choice", "settings.not_whole", "settings.unknown"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("PORT", "0", "out_of_range"),
        ("PORT", "65536", "out_of_range"),
        ("PORT", "80.5", "not_whole"),
        ("LINE_SIGMA_M", "nan", "out_of_range"),
        ("LINE_SIGMA_M", "-1", "out_of_range"),
        ("LINE_SIGMA_M", "wide", "not_a_number"),
        ("TIME_ZONE", "Mars/Olympus", "not_a_time_zone"),
        ("TIME_ZONE", "../etc/passwd", "not_a_time_zone"),
        ("DATABASE_URL", "mysql://host/name", "not_a_database"),
        ("HTTPS_ONLY", "perhaps", "not_yes_or_no"),
        ("HOST", " ", "not_text"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, code: str) -> None:
    assert problems({f"SHAOTU_{name}": value}) == [f"settings.{code}"]


@pytest.mark.parametrize(("content", "code"), [("port = ", "file_not_toml"), ("colour = 1", "unknown")])
def test_a_wrong_file_is_told(tmp_path: Path, content: str, code: str) -> None:
    file = tmp_path / "shaotu.toml"
    file.write_text(content)
    assert problems({"SHAOTU_SETTINGS": str(file)}) == [f"settings.{code}"]


def test_a_file_that_is_not_there_is_told() -> None:
    assert problems({"SHAOTU_SETTINGS": "/no/such/file"}) == ["settings.file_unreadable"]


def test_the_sentence_says_where_the_wrong_value_stands() -> None:
    with pytest.raises(Problems) as raised:
        settings.load({"SHAOTU_PORT": "0"})
    assert language.explain(raised.value, "en") == "SHAOTU_PORT: 0 is not between 1 and 65535."


def test_a_password_is_in_no_message() -> None:
    with pytest.raises(Problems) as raised:
        settings.load({"SHAOTU_DATABASE_URL": "mysql://me:hidden@host/name"})
    assert "hidden" not in str(raised.value) + language.explain(raised.value, "en")
    assert "hidden" not in repr(replace(settings.Settings(), database_url="postgresql://me:hidden@host/x"))


def test_an_empty_database_address_means_the_private_cluster() -> None:
    assert settings.load({"SHAOTU_DATABASE_URL": ""}).database_url is None


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    here = replace(settings.Settings(), var_dir=tmp_path / "var")
    made = settings.secret_key(here)
    assert len(made) == 64
    assert settings.secret_key(here) == made
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_a_secret_key_that_is_given_is_used(tmp_path: Path) -> None:
    here = replace(settings.Settings(), var_dir=tmp_path, secret_key="given")
    assert settings.secret_key(here) == "given"
    assert list(tmp_path.iterdir()) == []
