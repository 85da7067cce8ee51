"""The private cluster: real PostgreSQL, reached by a socket, shared by those who come, stopped by the last one."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gis import cluster, db
from gis import settings as product
from gis.errors import Conflict
from gis.settings import Settings

USE = "from gis import cluster, settings; print(cluster.use(settings.load()).place, flush=True); input()"


def user(var_dir: Path) -> subprocess.Popen[str]:
    """Start a process that uses the cluster until a line is written to it."""
    return subprocess.Popen(
        [sys.executable, "-c", USE],
        env={"SHAOTU_VAR_DIR": str(var_dir), "PATH": "/usr/bin:/bin"},
        cwd=product.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Name a folder so deep that a socket in it would have too long a path."""
    deep = tmp_path_factory.mktemp("deep") / ("x" * 60) / ("y" * 60)
    return replace(product.load({}), var_dir=deep)


def is_running(settings: Settings) -> bool:
    return cluster._find(settings.var_dir).is_running()


def test_the_last_user_stops_it(own: Settings) -> None:
    first, second = user(own.var_dir), user(own.var_dir)
    places = {process.stdout.readline() for process in (first, second) if process.stdout}
    assert len(places) == 1
    leave(first)
    assert is_running(own)
    leave(second)
    assert not is_running(own)


def test_it_opens_no_port(own: Settings) -> None:
    process = user(own.var_dir)
    assert process.stdout
    assert process.stdout.readline()
    assert own.var_dir.joinpath("pg", "data", "postmaster.pid").read_text().splitlines()[5].strip() == ""
    leave(process)


def test_a_socket_path_fits_the_kernels_limit_however_deep_the_project_lies(own: Settings) -> None:
    socket = cluster._find(own.var_dir).socket / cluster.SOCKET_NAME
    assert len(str(socket)) <= cluster.SOCKET_PATH_LIMIT


def test_it_is_not_removed_under_somebody_who_uses_it(own: Settings) -> None:
    process = user(own.var_dir)
    assert process.stdout
    assert process.stdout.readline()
    with pytest.raises(Conflict, match=r"database\.in_use"):
        cluster.remove(own)
    leave(process)


def test_what_is_removed_is_gone(own: Settings) -> None:
    place = cluster.remove(own)
    assert not place.exists()
    assert not own.var_dir.joinpath("pg").is_symlink()


def test_a_named_server_starts_no_cluster(tmp_path: Path) -> None:
    named = replace(product.load({}), var_dir=tmp_path, database_url="postgresql://somewhere/else")
    db.connect(named)
    assert list(tmp_path.iterdir()) == []
