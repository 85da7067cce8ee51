"""The private PostgreSQL cluster for when no server is named: a socket, no port; the last of its users stops it."""

import atexit
import fcntl
import hashlib
import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import psycopg2

from gis.errors import Conflict, Unavailable
from gis.settings import Settings

SUPERUSER = "postgres"
OWNER = "shaotu_owner"
DATABASE = "shaotu"
SYSTEM_USER = "postgres"
# As root the data lies where the system user can reach it: it may not enter /root or a 0700 folder.
ROOT_PLACE = Path("/var/lib/shaotu")
# The kernel allows 107 bytes for the whole path of a socket.
SOCKET_PATH_LIMIT = 107
SOCKET_NAME = ".s.PGSQL.5432"
SMALL_SHARED_MEMORY_BYTES = 512 * 2**20
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # compiling costs more than it saves on the short spatial queries asked here
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2000",
}


@dataclass(frozen=True)
class Cluster:
    """Where one cluster lives, which programs serve it, and as whom (None: as ourselves)."""

    programs: Path
    place: Path
    system_user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """Name the data folder."""
        return self.place / "data"

    @property
    def log(self) -> Path:
        """Name the server's log."""
        return self.place / "log" / "postgresql.log"

    @cached_property
    def socket(self) -> Path:
        """The socket's folder; a short one elsewhere when the project lies too deep."""
        near = self.place / "socket"
        if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
            return near
        return Path("/tmp") / f"shaotu-{os.getuid()}-{_digest(self.place)}"

    @property
    def url(self) -> str:
        """Write the owner's address of our database."""
        return f"postgresql://{OWNER}@/{DATABASE}?host={self.socket}"

    def is_running(self) -> bool:
        """Ask whether the server answers."""
        asked: list[str | Path] = [self.programs / "pg_isready", "-q", "-h", self.socket]
        return subprocess.run(asked, check=False, env=_environment()).returncode == 0

    def create(self) -> None:
        """Make the folders and the empty cluster; a half-made one is made again."""
        for folder in (self.data, self.log.parent, self.socket):
            self._own_folder(folder)
        if (self.data / "PG_VERSION").exists():
            return
        _empty(self.data)
        self._run(
            "initdb",
            *("-D", self.data, "-U", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--auth-local=peer", "--auth-host=reject", "--no-instructions"),
        )

    def start(self) -> None:
        """Start the server and see to it that the owner and the database exist."""
        self._write_access()
        given = {
            **SETTINGS,
            "unix_socket_directories": str(self.socket),
            "hba_file": str(self.place / "pg_hba.conf"),
            "ident_file": str(self.place / "pg_ident.conf"),
            "dynamic_shared_memory_type": _shared_memory(),
        }
        options = shlex.join(word for name, value in given.items() for word in ("-c", f"{name}={value}"))
        self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "120", "-o", options, "start")
        _create_database(self.socket)

    def stop(self) -> None:
        """End the sessions that are left, and the server."""
        self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "60", "stop")

    def _write_access(self) -> None:
        """Let the user of this installation and root in through the socket, and nobody else."""
        users = dict.fromkeys(["root", pwd.getpwuid(self.place.stat().st_uid).pw_name])
        roles = (SUPERUSER, OWNER)
        lines = "".join(f'shaotu "{user}" {role}\n' for user in users for role in roles)
        for name, content in (("pg_hba.conf", "local all all peer map=shaotu\n"), ("pg_ident.conf", lines)):
            path = self.place / name
            if not path.exists() or path.read_text() != content:
                path.write_text(content)

    def _own_folder(self, path: Path) -> None:
        """Make a folder that only the server's user may enter."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.system_user:
            os.chown(path, self.system_user.pw_uid, self.system_user.pw_gid)
        elif path.stat().st_uid != os.getuid():
            raise Unavailable("database.not_owned", path=path)
        path.chmod(0o700)

    def _run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs, as another user when we are root."""
        user = self.system_user
        as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        done = subprocess.run(
            [self.programs / program, *arguments],
            check=False,
            capture_output=program == "initdb",
            stdin=subprocess.DEVNULL,
            # pg_ctl's server inherits what it is given: a pipe would never end
            stdout=None if program == "initdb" else subprocess.DEVNULL,
            stderr=None if program == "initdb" else subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            **as_user,
        )
        if done.returncode:
            reason = (done.stderr or b"").decode(errors="replace").strip() or _tail(self.log)
            raise Unavailable("database.cluster_failed", step=program, reason=reason, log=self.log)


@cache
def use(settings: Settings) -> Cluster:
    """Have the cluster of var_dir running until this process ends, and return it."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    cluster = _find(settings.var_dir)
    with _locked(settings.var_dir / "cluster.lock"):
        users = (settings.var_dir / "cluster.users").open("w")
        fcntl.flock(users, fcntl.LOCK_SH)
        if not cluster.is_running():
            cluster.create()
            cluster.start()
    atexit.register(_leave, cluster, settings.var_dir, users.fileno(), os.getpid())
    _kept_open.append(users)
    return cluster


_kept_open: list[object] = []


def remove(settings: Settings) -> Path:
    """Delete the cluster of var_dir with all its data and return where it was; raise Conflict while it is in use."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    cluster = _find(settings.var_dir)
    with _locked(settings.var_dir / "cluster.lock"), (settings.var_dir / "cluster.users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("database.in_use", path=cluster.place) from None
        if cluster.is_running():
            cluster.stop()
        for folder in (cluster.socket, cluster.place):
            shutil.rmtree(folder, ignore_errors=True)
        (settings.var_dir / "pg").unlink(missing_ok=True)
    return cluster.place


def _leave(cluster: Cluster, var_dir: Path, users: int, process: int) -> None:
    """Give up our share in the cluster, and stop it if no other process has one."""
    if os.getpid() != process:  # a forked child shares its parent's share
        return
    with _locked(var_dir / "cluster.lock"):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if cluster.is_running():
            cluster.stop()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _find(var_dir: Path) -> Cluster:
    place = _place(var_dir)
    made_by = place / "data" / "PG_VERSION"
    try:
        version = made_by.read_text().strip() if made_by.exists() else ""
    except PermissionError:
        raise Unavailable("database.not_owned", path=var_dir / "pg") from None
    found = [folder for folder in _program_folders() if version in {"", _version(folder)}]
    if found:
        return Cluster(found[0], place, _system_user(place))
    if version:
        raise Unavailable("database.other_version", path=place, version=version)
    raise Unavailable("database.no_programs")


def _place(var_dir: Path) -> Path:
    """Name the cluster's folder: in var_dir, or linked from it when we are root."""
    link = var_dir / "pg"
    if os.getuid():
        if link.is_symlink():
            raise Unavailable("database.not_owned", path=link)
        return link
    if link.is_dir() and not link.is_symlink():  # made by an ordinary user, and still theirs
        return link
    place = ROOT_PLACE / _digest(var_dir.resolve())
    place.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not link.is_symlink() or link.resolve() != place:
        link.unlink(missing_ok=True)
        link.symlink_to(place)
    return place


def _program_folders() -> list[Path]:
    """List folders with PostgreSQL's programs and PostGIS beside them, newest first."""
    patterns = ("usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql*/bin", "usr/local/opt/postgresql*/bin")
    folders = [folder for pattern in patterns for folder in Path("/").glob(pattern)]
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    ready = [folder for folder in folders if (folder / "initdb").exists() and _has_postgis(folder)]
    return sorted(ready, key=lambda folder: int(_version(folder)), reverse=True)


def _has_postgis(programs: Path) -> bool:
    shared = _ask(programs / "pg_config", "--sharedir") if (programs / "pg_config").exists() else ""
    near = Path("/usr/share/postgresql") / _version(programs)
    return any((folder / "extension" / "postgis.control").exists() for folder in (Path(shared or near), near))


@cache
def _version(programs: Path) -> str:
    said = re.search(r"\d+", _ask(programs / "initdb", "--version"))
    return said.group() if said else "0"


def _ask(*command: str | Path) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def _create_database(socket: Path) -> None:
    connection = psycopg2.connect(host=str(socket), user=SUPERUSER, dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
        if not cursor.fetchone():
            cursor.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    connection.close()


def _system_user(place: Path) -> pwd.struct_passwd | None:
    """Name who runs the server: ourselves (None); when we are root, the folder's user or PostgreSQL's own."""
    if os.getuid():
        return None
    if not place.is_relative_to(ROOT_PLACE):
        return pwd.getpwuid(place.stat().st_uid)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise Unavailable("database.no_system_user") from None


def _empty(folder: Path) -> None:
    for inside in folder.iterdir():
        shutil.rmtree(inside) if inside.is_dir() else inside.unlink()


def _shared_memory() -> str:
    """Name the kind of memory parallel queries share; containers often have too little of the usual one."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return "mmap"
    system = os.statvfs(memory)
    return "posix" if system.f_frsize * system.f_blocks >= SMALL_SHARED_MEMORY_BYTES else "mmap"


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


def _tail(log: Path) -> str:
    try:
        return " / ".join(log.read_text(errors="replace").splitlines()[-3:])
    except OSError:
        return ""


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
