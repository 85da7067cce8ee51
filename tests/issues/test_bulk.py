"""A file becomes issues: every row is filed, known or rejected, and a broken load goes on where it stopped."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis import settings as product
from gis.cli import issues as commands
from gis.cli import loading
from gis.errors import Invalid, ShaotuError, Unavailable
from gis.issues import bulk, files, intake
from gis.issues.intake import Accepted, Clerk
from gis.settings import Settings
from tests import town
from tests.issues import filed

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
CLERK = Clerk("wu", NOW)
# As a spreadsheet gives it.
NAIVE = datetime(2024, 5, 5, 10)  # noqa: DTZ001
COLUMNS = ("no", "class", "words", "when", "x", "y")
MAPPING = """
[constants]
source = "12345"
"category.scheme" = "gb"
"category.version" = "1"
[columns]
external_id = "no"
"category.code" = "class"
text = "words"
reported_at = "when"
"place.lon" = "x"
"place.lat" = "y"
[time]
format = ["%m/%d/%Y %I:%M %p"]
zone = "America/New_York"
"""


@pytest.fixture
def city(clean_db: Engine) -> Engine:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        session.commit()
    return clean_db


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


def line(no: object, **changes: object) -> list[object]:
    lon, lat = town.lonlat(0.25, 0.25)
    said = {"no": no, "class": "0501", "words": f"words {no}", "when": "2024-05-05 10:00", "x": lon, "y": lat}
    return list((said | changes).values())


def write(path: Path, lines: list[list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return path


def load(engine: Engine, path: Path, mapping: Path, workers: int = 1) -> tuple[int, int, int, int]:
    done = loading.load_file(engine, path, mapping, CLERK, workers)
    assert done.rows_done == done.accepted + done.known + done.rejected
    return done.rows_done, done.accepted, done.known, done.rejected


def texts(engine: Engine) -> list[str]:
    with db.session(engine, db.EVERYTHING) as session:
        return list(session.scalars(text("SELECT text FROM issue ORDER BY id")))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH_ROWS", 3)


def test_every_row_becomes_an_issue(city: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write(tmp_path / "f.csv", [line(nth) for nth in range(5)])
    assert load(city, path, mapping) == (5, 5, 0, 0)
    assert texts(city) == [f"words {nth}" for nth in range(5)]


def test_a_spreadsheet_is_loaded_as_a_csv_is(city: Engine, tmp_path: Path, mapping: Path) -> None:
    book = openpyxl.Workbook()
    for row in (COLUMNS, line(1, when=NAIVE), line(2)):
        book.worksheets[0].append(row)
    book.save(tmp_path / "f.xlsx")
    assert load(city, tmp_path / "f.xlsx", mapping) == (2, 2, 0, 0)
    with db.session(city, db.EVERYTHING) as session:
        at = datetime(2024, 5, 5, 14, tzinfo=UTC)
        assert set(session.scalars(text("SELECT reported_at FROM issue"))) == {at}


def test_a_geojson_is_loaded_by_its_geometry(city: Engine, tmp_path: Path, mapping: Path) -> None:
    mapping.write_text(MAPPING.replace('"place.lon" = "x"\n"place.lat" = "y"', '"place.geometry" = "geometry"'))
    spot = {"type": "Point", "coordinates": town.lonlat(3.25, 0.25)}
    feature = {"type": "Feature", "geometry": spot, "properties": dict(zip(COLUMNS[:4], line(1)[:4], strict=True))}
    (tmp_path / "f.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert load(city, tmp_path / "f.geojson", mapping) == (1, 1, 0, 0)
    with db.session(city, db.EVERYTHING) as session:
        assert session.scalar(text("SELECT 'admin:district:990102' = ANY(ground) FROM issue")) is True


def test_bad_rows_are_rejected_with_their_reason_and_good_ones_go_in(
    city: Engine, tmp_path: Path, mapping: Path
) -> None:
    lines = [
        line(1),
        line(2, **{"class": "none"}),
        line(3, x="abc"),
        line(4, x="NaN"),
        line(5, when="2999-01-01"),
        line(6, words=""),
        line(7, when="soon"),
        line(8, x=0, y=0),
    ]
    assert load(city, write(tmp_path / "f.csv", lines), mapping) == (8, 2, 0, 6)
    with db.session(city, db.EVERYTHING) as session:
        found = [(reject.row, reject.code, reject.columns["no"]) for reject in bulk.rejects(session, 1)]
    assert found == [
        (3, "categories.unknown", "2"),
        (4, "locate.not_a_number", "3"),
        (5, "locate.not_finite", "4"),
        (6, "report.in_the_future", "5"),
        (7, "report.missing", "6"),
        (8, "report.bad_time", "7"),
    ]


def test_rows_without_coordinates_wait_to_be_located(city: Engine, tmp_path: Path, mapping: Path) -> None:
    assert load(city, write(tmp_path / "f.csv", [line(1, x="", y="")]), mapping) == (1, 1, 0, 0)
    with db.session(city, db.EVERYTHING) as session:
        assert session.scalar(text("SELECT state FROM issue")) == "to_locate"


def test_a_row_twice_in_a_file_is_known_the_second_time(
    city: Engine, tmp_path: Path, mapping: Path, small_batches: None
) -> None:
    path = write(tmp_path / "f.csv", [line(1), line(1), line(2), line(3), line(1)])
    assert load(city, path, mapping) == (5, 3, 2, 0)


def test_a_file_loaded_again_is_done_already(city: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write(tmp_path / "f.csv", [line(1), line(2)])
    first = load(city, path, mapping)
    assert load(city, path, mapping) == first
    assert len(texts(city)) == 2


def test_a_mended_file_files_only_what_is_new(city: Engine, tmp_path: Path, mapping: Path) -> None:
    load(city, write(tmp_path / "f.csv", [line(1), line(2, x="abc")]), mapping)
    assert load(city, write(tmp_path / "f.csv", [line(1), line(2)]), mapping) == (2, 1, 1, 0)


def interrupted(at: int, how: Callable[[Session], None]) -> Callable[..., list[Accepted | ShaotuError]]:
    """Accept reports, and let something happen once, after the batch that holds the given row."""
    original, calls = intake.accept_many, iter(range(1000))

    def accept(session: Session, reports: Any, clerk: Clerk) -> list[Accepted | ShaotuError]:
        answers = original(session, reports, clerk)
        if next(calls) == at:
            how(session)
        return answers

    return accept


class PowerCutError(Exception):
    """The process ends here."""


def cut(_session: Session) -> None:
    raise PowerCutError


def test_a_killed_load_goes_on_at_the_next_row(
    city: Engine, tmp_path: Path, mapping: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "f.csv", [line(1, x="abc"), *(line(nth) for nth in range(2, 11))])
    with monkeypatch.context() as patched:
        patched.setattr(intake, "accept_many", interrupted(2, cut))
        with pytest.raises(PowerCutError):
            load(city, path, mapping)
    assert len(texts(city)) == 5
    assert load(city, path, mapping) == (10, 9, 0, 1)
    assert texts(city) == [f"words {nth}" for nth in range(2, 11)]


@pytest.mark.usefixtures("small_batches")
def test_a_database_that_goes_away_in_the_middle_loses_and_doubles_nothing(
    city: Engine, settings: Settings, tmp_path: Path, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = db.connect_owner(settings)

    def kill(session: Session) -> None:
        process = session.scalar(text("SELECT pg_backend_pid()"))
        with owner.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": process})

    monkeypatch.setattr(loading, "WAITS_S", (0, 0))
    monkeypatch.setattr(intake, "accept_many", interrupted(1, kill))
    path = write(tmp_path / "f.csv", [line(nth) for nth in range(1, 11)])
    assert load(city, path, mapping) == (10, 10, 0, 0)
    assert texts(city) == [f"words {nth}" for nth in range(1, 11)]
    owner.dispose()


def test_a_database_that_stays_away_ends_the_load_and_the_next_run_goes_on(
    city: Engine, tmp_path: Path, mapping: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(session: Session) -> None:
        session.connection().invalidate()
        session.execute(text("SELECT 1"))

    path = write(tmp_path / "f.csv", [line(nth) for nth in range(1, 11)])
    with monkeypatch.context() as patched:
        patched.setattr(loading, "WAITS_S", ())
        patched.setattr(intake, "accept_many", interrupted(1, away))
        with pytest.raises(Exception, match="invalid"):
            load(city, path, mapping)
    assert len(texts(city)) == 3
    assert load(city, path, mapping) == (10, 10, 0, 0)


def job_of(city: Engine, path: Path, mapping: Path) -> bulk.Job:
    with db.session(city, db.EVERYTHING) as session:
        job = bulk.begin(session, path, mapping, now=NOW)
        session.commit()
    return job


def test_a_batch_whose_commit_arrived_unheard_is_not_taken_again(city: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write(tmp_path / "f.csv", [line(1)])
    job = job_of(city, path, mapping)
    [(done, batch)] = list(bulk.batches(job, files.open_table(path).rows))
    for _ in range(2):
        with db.session(city, db.EVERYTHING) as session:
            bulk.take(session, job, done, batch, CLERK)
            session.commit()
    with db.session(city, db.EVERYTHING) as session:
        assert bulk.finish(session, job, now=NOW).accepted == 1


def test_two_loads_of_one_file_do_not_mix(city: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write(tmp_path / "f.csv", [line(1), line(2)])
    job = job_of(city, path, mapping)
    [(_, batch)] = list(bulk.batches(job, files.open_table(path).rows))
    with db.session(city, db.EVERYTHING) as session:
        bulk.take(session, job, 0, batch[:1], CLERK)
        with pytest.raises(Unavailable):
            bulk.take(session, job, 0, batch, CLERK)


def test_a_batch_before_its_time_is_put_off(city: Engine, tmp_path: Path, mapping: Path, small_batches: None) -> None:
    path = write(tmp_path / "f.csv", [line(nth) for nth in range(5)])
    job = job_of(city, path, mapping)
    [_, (done, batch)] = list(bulk.batches(job, files.open_table(path).rows))
    with db.session(city, db.EVERYTHING) as session, pytest.raises(Unavailable):
        bulk.take(session, job, done, batch, CLERK)
    assert texts(city) == []


def test_several_processes_count_every_row_once_in_the_order_of_the_file(
    city: Engine, tmp_path: Path, mapping: Path, small_batches: None
) -> None:
    lines = [line(nth % 20, x="abc" if nth == 7 else town.lonlat(0.25, 0)[0]) for nth in range(30)]
    assert load(city, write(tmp_path / "f.csv", lines), mapping, workers=3) == (30, 20, 9, 1)
    assert sorted(texts(city)) == sorted(f"words {nth}" for nth in range(20))
    with db.session(city, db.EVERYTHING) as session:
        assert [reject.row for reject in bulk.rejects(session, 1)] == [9]


def test_a_batch_waits_for_the_one_before_it(city: Engine, tmp_path: Path, mapping: Path, small_batches: None) -> None:
    path = write(tmp_path / "f.csv", [line(nth) for nth in range(6)])
    job = job_of(city, path, mapping)
    [(_, first), (done, second)] = list(bulk.batches(job, files.open_table(path).rows))

    def take_second() -> None:
        with db.session(city, db.EVERYTHING) as session:
            bulk.take(session, job, done, second, CLERK)
            session.commit()

    with db.session(city, db.EVERYTHING) as session:
        bulk.take(session, job, 0, first, CLERK)
        waiting = threading.Thread(target=take_second)
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
        session.commit()
        waiting.join(20)
    assert len(texts(city)) == 6


def test_a_file_that_breaks_off_keeps_the_rows_before(
    city: Engine, tmp_path: Path, mapping: Path, small_batches: None
) -> None:
    path = write(tmp_path / "f.csv", [line(nth) for nth in range(1, 8)])
    path.write_text(path.read_text() + '8,0501,"cut of')
    with pytest.raises(Invalid) as caught:
        load(city, path, mapping)
    assert (caught.value.code, len(texts(city))) == ("file.breaks_off", 6)


def test_a_column_the_file_has_not_is_named_before_anything_is_filed(
    city: Engine, tmp_path: Path, mapping: Path
) -> None:
    mapping.write_text(MAPPING.replace('"words"', '"word"'))
    with pytest.raises(Invalid) as caught:
        load(city, write(tmp_path / "f.csv", [line(1)]), mapping)
    assert (caught.value.code, caught.value.params["column"]) == ("mapping.column_missing", "word")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("not toml [", "mapping.unreadable"),
        ("[constants]\nsource = '1'", "mapping.sections"),
        ("[columns]\ntext = 'a'\n[times]\n", "mapping.sections"),
        ("[columns]\ntext = 'a'\n[time]\nzone = 'Moon/Base'", "mapping.zone"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(tmp_path: Path, said: str, code: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(said)
    with pytest.raises(Invalid) as caught:
        bulk.read_mapping(path)
    assert caught.value.code == code


def as_report(mapping: Path, **row: object) -> dict[str, Any]:
    return bulk.read_mapping(mapping).as_report(row)


@pytest.mark.parametrize(
    ("written", "hour_utc"),
    [("2024-05-05 10:00", 14), ("05/05/2024 10:00 AM", 14), ("2024-05-05T10:00:00Z", 10), (NAIVE, 14)],
)
def test_a_time_is_read_as_the_file_writes_it_in_the_files_zone(mapping: Path, written: object, hour_utc: int) -> None:
    at = as_report(mapping, when=written)["reported_at"]
    assert at.astimezone(UTC) == datetime(2024, 5, 5, hour_utc, tzinfo=UTC)


def test_several_columns_make_one_text(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('[columns]\ntext = ["a", "b", "c"]\n')
    assert as_report(path, a="one", b=" ", c="three") == {"text": "one · three"}


def test_empty_cells_are_left_out(mapping: Path) -> None:
    said = as_report(mapping, x=float("nan"), y="", words=None)
    assert "place" not in said
    assert "text" not in said


@pytest.fixture
def run(city: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(product, "load", lambda: replace(settings, language="en"))
    return lambda *arguments: CliRunner().invoke(commands.issues, [str(each) for each in arguments])


def test_the_command_writes_the_rejects_beside_the_file(run: Callable[..., Any], tmp_path: Path, mapping: Path) -> None:
    path = write(tmp_path / "f.csv", [line(1), line("=2+3", x="abc"), line(3)])
    answer = run("load", path, "--mapping", mapping)
    assert answer.exit_code == 0, answer.output
    assert "3 rows, 2 filed, 0 known, 1 rejected" in answer.output
    with (tmp_path / "f.csv.rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        [reject] = list(csv.DictReader(file))
    assert (reject["row"], reject["code"], reject["words"]) == ("3", "locate.not_a_number", "words =2+3")
    assert reject["no"] == "'=2+3"
    assert "abc" in reject["reason"]


def test_the_command_writes_no_rejects_where_there_are_none(
    run: Callable[..., Any], tmp_path: Path, mapping: Path
) -> None:
    answer = run("load", write(tmp_path / "f.csv", [line(1)]), "--mapping", mapping)
    assert "1 rows, 1 filed" in answer.output
    assert not (tmp_path / "f.csv.rejects.csv").exists()


def test_a_source_is_registered_and_listed(run: Callable[..., Any]) -> None:
    assert run("source", "add", "app", "--zh", "应用", "--en", "App", "--datum", "GCJ02").exit_code == 0
    assert run("source", "list").output.split() == ["12345", "app"]
