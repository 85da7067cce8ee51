"""gis locate on a cluster of processes: the answer is the one of this machine, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from sqlalchemy import Engine

from gis import cli, db
from gis.settings import Settings
from tests import town

Run = Callable[..., str]
DAY = date(2025, 6, 1)
# On lines, and beside them.
LONLAT = [town.lonlat(x / 3 + 0.01, y / 4) for x in range(-1, 14) for y in range(-1, 10)]
PARTS_N, PART_ROWS = 40, 200


@pytest.fixture
def run(settings: Settings, clean_db: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SHAOTU_DATABASE_URL", str(settings.database_url))
    # What an earlier run left in the product's own folder is not looked at.
    monkeypatch.setenv("SHAOTU_VAR_DIR", str(settings.var_dir))
    monkeypatch.setenv("SHAOTU_LANGUAGE", "en")
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        session.commit()

    def _run(*words: object, fails: bool = False) -> str:
        result = CliRunner().invoke(cli.gis, ["locate", *map(str, words), "--on", str(DAY)])
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return _run


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Start two worker processes that know of no database."""
    nowhere = {"SHAOTU_DATABASE_URL": "postgresql://nowhere.invalid/none", "OMP_NUM_THREADS": "1"}
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
        env=nowhere,
    ) as made:
        yield made


@pytest.fixture
def places(tmp_path: Path) -> Path:
    lon, lat = np.tile(np.array(LONLAT).T, PARTS_N * PART_ROWS // len(LONLAT) + 1)[:, : PARTS_N * PART_ROWS]
    table = pa.table({"id": np.arange(len(lon)), "lon": lon, "lat": lat})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=PART_ROWS)
    return tmp_path / "in.parquet"


def test_a_cluster_gives_the_answer_of_this_machine(run: Run, cluster: LocalCluster, places: Path) -> None:
    here, there = places.with_name("here.parquet"), places.with_name("there.parquet")
    words = (places, "--accuracy", 5, "--part-rows", PART_ROWS)
    counted = [run(*words, "-o", here), run(*words, "-o", there, "--scheduler", cluster.scheduler_address)]
    assert counted[0].replace("here", "there") == counted[1]
    assert pq.read_table(there).equals(pq.read_table(here))


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(run: Run, cluster: LocalCluster, places: Path) -> None:
    here, there = places.with_name("here"), places.with_name("there")
    run(places, "-o", here, "--part-rows", PART_ROWS)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_one, args=(cluster, there.with_name("there.parts"), killed))
    killer.start()
    run(places, "-o", there, "--part-rows", PART_ROWS, "--scheduler", cluster.scheduler_address)
    killer.join()
    assert 2 < killed[0] < PARTS_N
    assert sorted(path.name for path in there.iterdir()) == [f"part-{nth:06}.parquet" for nth in range(PARTS_N)]
    assert pq.read_table(there).equals(pq.read_table(here))


def _kill_one(cluster: LocalCluster, parts: Path, killed: list[int]) -> None:
    """Kill a worker when some parts are done; note how many were."""
    while (done := len(list(parts.glob("part-*.json")))) < 3:
        time.sleep(0.01)
    nanny = next(iter(cluster.workers.values()))
    os.kill(nanny.pid, signal.SIGKILL)
    killed.append(done)


def test_a_refusal_on_a_worker_is_told_here(run: Run, cluster: LocalCluster, places: Path) -> None:
    out = places.with_name("out.parquet")
    broken = places.with_name("broken.parquet")
    raw = bytearray(places.read_bytes())
    raw[2000:4000] = os.urandom(2000)
    broken.write_bytes(raw)
    said = run(broken, "-o", out, "--part-rows", PART_ROWS, "--scheduler", cluster.scheduler_address, fails=True)
    assert "cannot be read" in said
    assert not out.exists()


def test_a_cluster_that_is_not_there_is_told(run: Run, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gis.cli import crew

    monkeypatch.setattr(crew, "CONNECT_S", 1)
    said = run(places, "-o", places.with_name("out.parquet"), "--scheduler", "tcp://127.0.0.1:9", fails=True)
    assert "cannot be reached" in said


def test_only_parquet_goes_to_a_cluster(run: Run, places: Path) -> None:
    said = run(places, "-o", places.with_name("out.csv"), "--scheduler", "tcp://127.0.0.1:9", fails=True)
    assert "from Parquet to Parquet" in said

