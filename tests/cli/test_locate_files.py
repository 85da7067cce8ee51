"""gis locate FILE -o OUT: every row has the answer it would get alone; a run that was killed goes on."""

from __future__ import annotations

import csv
import fcntl
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely
from click.testing import CliRunner
from sqlalchemy import Engine

from gis import cli, db
from gis.settings import ROOT, Settings
from gis.territory import coords, locate
from gis.territory.location import FLAGS, Location
from gis.territory.sheets import columnar, cutting
from tests import town

Run = Callable[..., str]
DAY = date(2025, 6, 1)
SPOTS = [(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
LONLAT = [town.lonlat(x, y) for x, y in SPOTS]
CHAIN = ("admin_city", "admin_district", "admin_subdistrict", "admin_community", "unit_grid_cell", "governance_grid")
# Texts that a careless reader of tables cuts in two, and one of each alphabet.
NOTES = ('say "no", twice', "two\nlines", "漏水，三楼", "semi;colon", "", "007")


@pytest.fixture
def ground(settings: Settings, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        session.commit()
    return clean_db


@pytest.fixture
def run(ground: Engine) -> Run:
    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["locate", *map(str, words)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pieces and batches be so small that a small file has many."""
    monkeypatch.setattr(cutting, "PIECE_BYTES", 300)
    monkeypatch.setattr(cutting, "FEATURES_BYTES", 300)
    monkeypatch.setattr(columnar, "BATCH_ROWS", 16)


def alone(engine: Engine, **more: Any) -> list[Location]:
    """Locate each of the spots by itself."""
    with db.session(engine, db.EVERYTHING) as session:
        said = [locate.parse({"lon": lon, "lat": lat} | more) for lon, lat in LONLAT]
        return locate.at_many(session, said, [DAY] * len(said))


def code(found: Location, column: str) -> str | None:
    net, level = column.rsplit("_", 1)
    answer = found.net(net)
    assert answer is not None
    return next((unit.code for unit in answer.chain if unit.level == level), None)


def assert_as_alone(engine: Engine, rows: list[dict[str, Any]], empty: object = None) -> None:
    for row, found in zip(rows, alone(engine), strict=True):
        assert {name: row[name] for name in CHAIN} == {name: code(found, name) or empty for name in CHAIN}
        assert (row["flags"], row["reason"]) == (" ".join(found.flags), "")
        assert {row["admin_edition"], row["police_edition"]} == {"2024"}


def write_table(path: Path, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "经度", "纬度", "note"])
        writer.writerows([nth, lon, lat, NOTES[nth % len(NOTES)]] for nth, (lon, lat) in enumerate(LONLAT))
    return path


def write_parquet(path: Path, group_rows: int = 50) -> Path:
    lon, lat = np.array(LONLAT).T
    pq.write_table(pa.table({"id": np.arange(len(lon)), "lon": lon, "lat": lat}), path, row_group_size=group_rows)
    return path


def frame() -> gpd.GeoDataFrame:
    lon, lat = np.array(LONLAT).T
    return gpd.GeoDataFrame({"id": np.arange(len(lon))}, geometry=shapely.points(lon, lat), crs="EPSG:4326")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_parquet(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_comes_back_with_its_chain_and_its_text_untouched(
    run: Run, ground: Engine, small: None, tmp_path: Path, encoding: str
) -> None:
    run(write_table(tmp_path / "in.csv", encoding), "-o", tmp_path / "out.csv", "--on", DAY, "--part-rows", 40)
    rows = read_csv(tmp_path / "out.csv")
    assert [row["note"] for row in rows] == [NOTES[nth % len(NOTES)] for nth in range(len(SPOTS))]
    assert_as_alone(ground, rows, empty="")


@pytest.mark.parametrize("name", ["out.parquet", "out"])
def test_parquet_comes_back_as_one_file_or_as_a_folder(
    run: Run, ground: Engine, small: None, tmp_path: Path, name: str
) -> None:
    run(write_parquet(tmp_path / "in.parquet"), "-o", tmp_path / name, "--on", DAY, "--part-rows", 40)
    assert_as_alone(ground, read_parquet(tmp_path / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in.parquet", name])


def test_a_folder_of_parquet_is_read_in_the_order_of_names(run: Run, ground: Engine, tmp_path: Path) -> None:
    whole = pq.read_table(write_parquet(tmp_path / "in.parquet"))
    (tmp_path / "in").mkdir()
    for nth, start in enumerate(range(0, len(whole), 100)):
        pq.write_table(whole.slice(start, 100), tmp_path / "in" / f"{nth}.parquet")
    run(tmp_path / "in", "-o", tmp_path / "out.parquet", "--on", DAY)
    assert_as_alone(ground, read_parquet(tmp_path / "out.parquet"))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "EPSG:4549"])
def test_geoparquet_stays_geoparquet(run: Run, ground: Engine, tmp_path: Path, crs: str) -> None:
    # Projected coordinates come back within nanometres, not to the last bit: away from every line that is the same.
    kept = [nth for nth, (x, y) in enumerate(SPOTS) if crs != "EPSG:4549" or (x % 1 and y % 1 and x % 1 != 0.5)]
    frame().to_crs(crs).iloc[kept].to_parquet(tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", "-o", tmp_path / "out.parquet", "--on", DAY)
    found = gpd.read_parquet(tmp_path / "out.parquet")
    assert found.crs == crs
    assert found["admin_community"].tolist() == [
        code(each, "admin_community") or pytest.approx(np.nan, nan_ok=True)
        for nth, each in enumerate(alone(ground))
        if nth in kept
    ]


def test_geojson_keeps_all_its_features_have(run: Run, ground: Engine, small: None, tmp_path: Path) -> None:
    features = [
        {
            "type": "Feature",
            "id": f"f{nth}",
            "bbox": [lon, lat, lon, lat],
            "properties": {"note": NOTES[nth % len(NOTES)], "deep": {"list": [1, {"]": "}"}]}},
            "geometry": {"type": "Point", "coordinates": [lon, lat, 12.5]},
        }
        for nth, (lon, lat) in enumerate(LONLAT)
    ]
    written = json.dumps({"type": "FeatureCollection", "name": "n", "features": features}, indent=1)
    (tmp_path / "in.geojson").write_text(written, "utf-8")
    run(tmp_path / "in.geojson", "-o", tmp_path / "out.geojson", "--on", DAY, "--part-rows", 40)
    told = json.loads((tmp_path / "out.geojson").read_text("utf-8"))["features"]
    assert_as_alone(ground, [each["properties"] for each in told])
    assert [each | {"properties": dict(list(each["properties"].items())[:2])} for each in told] == features


def test_geojson_becomes_a_table_of_its_properties(run: Run, ground: Engine, small: None, tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"n": nth} | ({"late": None} if nth > 150 else {}), "geometry": shape}
        for nth, shape in enumerate({"type": "Point", "coordinates": list(pair)} for pair in LONLAT)
    ]
    (tmp_path / "in.geojson").write_text(json.dumps({"features": features, "type": "FeatureCollection"}), "utf-8")
    run(tmp_path / "in.geojson", "-o", tmp_path / "out.csv", "--on", DAY, "--part-rows", 40)
    rows = read_csv(tmp_path / "out.csv")
    assert_as_alone(ground, rows, empty="")
    assert ([row["n"] for row in rows], {row["late"] for row in rows}) == ([*map(str, range(len(SPOTS)))], {""})


@pytest.mark.parametrize("ending", ["fgb", "gpkg", "shp"])
def test_what_gdal_reads_is_read(run: Run, ground: Engine, small: None, tmp_path: Path, ending: str) -> None:
    frame().to_file(tmp_path / f"in.{ending}", engine="pyogrio", **({"SPATIAL_INDEX": "NO"} if ending == "fgb" else {}))
    run(tmp_path / f"in.{ending}", "-o", tmp_path / "out.parquet", "--on", DAY, "--part-rows", 40)
    assert_as_alone(ground, read_parquet(tmp_path / "out.parquet"))


def test_a_table_becomes_geojson_in_wgs_84(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("lon,lat\n120.5061,30.2553\nx,y\n")
    run(tmp_path / "in.csv", "-o", tmp_path / "out.geojson", "--on", DAY, "--datum", "GCJ02")
    first, second = json.loads((tmp_path / "out.geojson").read_text())["features"]
    assert first["geometry"]["coordinates"] == [float(each) for each in coords.to_wgs84(120.5061, 30.2553, "GCJ02")]
    assert first["properties"]["lon"] == "120.5061"
    assert (second["geometry"], second["properties"]["reason"]) == (None, "locate.not_a_number")


def test_odds_names_and_detail_are_appended_when_asked_for(run: Run, ground: Engine, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet")
    more = ["--accuracy", 40, "--accuracy-kind", "sigma", "--names", "--detail"]
    run(path, "-o", tmp_path / "out.parquet", "--on", DAY, *more)
    rows = read_parquet(tmp_path / "out.parquet")
    for row, found in zip(rows, alone(ground, accuracy_m=40, accuracy_kind="sigma"), strict=True):
        answer = found.net("admin")
        assert answer is not None
        district = answer.levels[1]
        odds = {standing.unit.code: standing.probability for standing in district.probable}
        assert {each["code"]: each["probability"] for each in row["admin_district_candidates"]} == odds
        assert row["admin_district_probability"] == (district.primary and odds.get(district.primary.code, 0.0))
        assert row["admin_district_units"] == len(district.units)
        assert row["admin_district_flags"].split() == sorted(district.flags, key=FLAGS.index)
        assert row["admin_district_name"] == (district.primary and district.primary.name_en)


def test_each_row_is_answered_by_the_boundaries_of_its_day(run: Run, ground: Engine, tmp_path: Path) -> None:
    moved = [town.Lot("precinct", "p2", town.field(0, 0, 3, 2)), town.Lot("precinct", "p3", town.field(3, 0, 4, 2))]
    with db.session(ground, db.EVERYTHING) as session:
        town.edition(session, "police", "2026", moved, valid_from=date(2026, 1, 1))
        session.commit()
    lon, lat = town.lonlat(1, 1.5)
    times = ["2025-12-31", "2026-01-01", "2025-12-31T17:00:00Z", "2020-01-01", "", "soon"]
    (tmp_path / "in.csv").write_text("day,lon,lat\n" + "".join(f"{day},{lon},{lat}\n" for day in times))
    said = run(tmp_path / "in.csv", "-o", tmp_path / "out.csv", "--date-column", "day")
    found = [(row["police_precinct"], row["police_edition"], row["reason"]) for row in read_csv(tmp_path / "out.csv")]
    assert found == [
        ("p1", "2024", ""),
        ("p2", "2026", ""),
        ("p2", "2026", ""),
        ("", "", ""),
        ("", "", "locate.date_missing"),
        ("", "", "locate.date_unreadable"),
    ]
    assert "6 rows: on a unit 3, outside 0, not located 2, on a day without an edition 1" in said


def test_rows_that_cannot_be_read_keep_their_place_and_are_counted(run: Run, tmp_path: Path) -> None:
    lon, lat = town.lonlat(0.6, 0.5)
    rows = [f"{lon},{lat}", f"{lat},{lon}", "nan,1", "1,inf", "0,0", "120,30", "200,95", ",", "abc,1"]
    rows += [f"{lon},{lat},9,9", "5", "1.5,2.5"]
    (tmp_path / "in.csv").write_text("lon,lat\n" + "\n".join(rows) + "\n")
    said = run(tmp_path / "in.csv", "-o", tmp_path / "out.csv", "--on", DAY)
    found = read_csv(tmp_path / "out.csv")
    assert [row["reason"].removeprefix("locate.") for row in found] == [
        "", "swapped", "not_finite", "not_finite", "zero", "truncated", "coordinate_out_of_range", "place_missing",
        "not_a_number", "sheet.row_ragged", "sheet.row_ragged", "",
    ]  # fmt: skip
    assert [row["flags"] for row in found] == ["", *["unlocated"] * 10, "outside"]
    assert [row["admin_city"] for row in found] == ["9901", *[""] * 11]
    assert "12 rows: on a unit 1, outside 1, not located 10" in said
    assert (found[9]["lon"], found[9]["lat"]) == (str(lon), f"{lat},9,9")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("in.csv", "", "no column names"),
        ("in.csv", "a,b\n1,2\n", "No columns of longitude and latitude"),
        ("in.csv", "lon,lon,lat\n", "two columns called"),
        ("in.csv", 'lon,lat,note\n1.5,2.5,"cut o', "A quote is open"),
        ("in.csv", b"lon,lat\n\xff\xff,1\n", "none of these encodings"),
        ("in.csv", "lon,lat,flags\n1,2,3\n", 'called "flags" already'),
        ("in.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature"},', "not complete"),
        ("in.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature"}]', "not complete"),
        ("in.geojson", '{"type":"FeatureCollection","features":[{"a":b}]}', "is no JSON"),
        ("in.geojson", '{"type":"Feature"}', "no FeatureCollection"),
        ("in.parquet", "PAR1 and no more", "cannot be read"),
        ("in.xyz", "", "is not known"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_leaves_no_answer(
    run: Run, tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sentence in run(tmp_path / name, "-o", tmp_path / "out.csv", "--on", DAY, fails=True)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--lon-column", "x"], 'no lon column "x"'),
        (["--lon-column", "lon"], "Only one column"),
        (["--net", "nowhere"], 'no net called "nowhere"'),
        (["--on", "1999-01-01"], "No edition"),
        (["--datum", "mars"], "MARS"),
        (["--accuracy", "-5"], "-5"),
        (["--date-column", "id", "--on", "2025-01-01"], "--on or --date-column"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_read(
    run: Run, tmp_path: Path, more: list[str], sentence: str
) -> None:
    assert sentence in run(write_parquet(tmp_path / "in.parquet"), "-o", tmp_path / "o.csv", *more, fails=True)


def test_an_answer_that_is_there_is_not_written_over_unless_asked(run: Run, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet")
    for out in (tmp_path / "out.parquet", tmp_path / "out"):
        run(path, "-o", out, "--on", DAY)
        assert "is there already" in run(path, "-o", out, "--on", DAY, fails=True)
        run(path, "-o", out, "--on", DAY, "--overwrite", "--net", "police")
        assert "admin_city" not in pq.read_table(out).column_names
    assert "cannot be the input" in run(path, "-o", path, "--overwrite", fails=True)


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "empty.geojson"])
@pytest.mark.parametrize("into", ["out.csv", "out.parquet", "out.geojson"])
def test_a_file_without_rows_has_an_answer_without_rows(run: Run, tmp_path: Path, name: str, into: str) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(pq.read_table(write_parquet(tmp_path / "in.parquet")).slice(0, 0), path)
    else:
        path.write_text("lon,lat\n" if path.suffix == ".csv" else '{"type":"FeatureCollection","features":[]}')
    assert "0 rows" in run(path, "-o", tmp_path / into, "--on", DAY)
    assert (tmp_path / into).stat().st_size > 0


def test_a_run_that_was_killed_goes_on_and_the_answer_is_the_same(run: Run, tmp_path: Path) -> None:
    path, out, whole = (tmp_path / f"{name}.parquet" for name in ("in", "out", "whole"))
    lon, lat = np.tile(np.array(LONLAT).T, 100)
    pq.write_table(pa.table({"id": np.arange(len(lon)), "lon": lon, "lat": lat}), path, row_group_size=1000)
    words = [path, "-o", out, "--on", DAY, "--part-rows", 1000]
    command = [sys.executable, "-m", "gis", "locate", *map(str, words), "--threads", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = tmp_path / "out.parquet.parts" / "part-000000.json"
    while process.poll() is None and not first.exists():
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    # A mark in what was done, to see that it is not done again.
    part = out.with_name("out.parquet.parts") / "rows" / "part-000000.parquet"
    marked = pq.read_table(part)
    pq.write_table(marked.set_column(0, "id", pc.negate(marked["id"])), part)
    assert "Going on" in run(*words)
    run(path, "-o", whole, "--on", DAY)
    found = pq.read_table(out)
    assert found["id"].to_pylist()[:1000] == [-each for each in range(1000)]
    assert found.set_column(0, "id", pc.abs(found["id"])).equals(pq.read_table(whole))


def test_parts_of_another_question_are_not_taken_for_its_own(run: Run, tmp_path: Path) -> None:
    path, out = write_parquet(tmp_path / "in.parquet"), tmp_path / "out.parquet"
    (tmp_path / "out.parquet.parts" / "rows").mkdir(parents=True)
    (tmp_path / "out.parquet.parts" / "asked").write_text("another question")
    (tmp_path / "out.parquet.parts" / "rows" / "part-000000.parquet").write_text("not its rows")
    run(path, "-o", out, "--on", DAY)
    assert len(read_parquet(out)) == len(SPOTS)


def test_a_second_run_beside_the_first_is_refused(run: Run, tmp_path: Path) -> None:
    path, parts = write_parquet(tmp_path / "in.parquet"), tmp_path / "out.parquet.parts"
    parts.mkdir()
    with (parts / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by another process" in run(path, "-o", tmp_path / "out.parquet", "--on", DAY, fails=True)


def test_a_full_disk_is_told_and_leaves_no_answer(run: Run, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        assert "cannot be written" in run(path, "-o", tmp_path / "out.parquet", "--on", DAY, fails=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out.parquet").exists()
    run(path, "-o", tmp_path / "out.parquet", "--on", DAY)
    assert len(read_parquet(tmp_path / "out.parquet")) == len(SPOTS)
