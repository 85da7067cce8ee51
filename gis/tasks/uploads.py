"""Files sent up for long work, and manifests that lie on the server; a manifest names files beside it alone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from gis.errors import Invalid, NotFound
from gis.settings import Settings
from gis.territory import boundaries
from gis.territory.boundaries import Manifest

# No separator, no leading point, nothing that a shell or a driver of files reads as more than a name.
NAME = re.compile(r"[^/\\:?*\"<>|\x00-\x1f.][^/\\:?*\"<>|\x00-\x1f]{0,119}")
UPLOAD, SERVER = "upload", "server"
# What is a description of other sources (VRT and its like) would have the server open them.
ENDINGS = frozenset({
    ".geojson", ".json", ".shp", ".gpkg", ".fgb", ".parquet", ".kml", ".gml", ".tab", ".mif", ".dxf", ".gdb", ".csv",
})  # fmt: skip
FILES_MOST, PIECE = 60, 1 << 20
# What a disk takes; a Chinese letter is three bytes of it.
NAME_BYTES_MOST = 255


def keep(settings: Settings, files: Sequence[tuple[str, IO[bytes]]]) -> str:
    """Keep files (name, content) in a folder of their own, and return its key; raise Invalid for a name or a number."""
    if not files or len(files) > FILES_MOST:
        raise Invalid("tasks.files", most=FILES_MOST)
    for name, _ in files:
        check_name(name)
    key = secrets.token_hex(8)
    folder = _folder(settings, key)
    folder.mkdir(parents=True)
    for name, content in files:
        with (folder / name).open("wb") as kept:
            while piece := content.read(PIECE):
                kept.write(piece)
    return key


def check_name(name: str) -> None:
    """Refuse a name under which no file can be kept, or which leads elsewhere; raise Invalid."""
    if not NAME.fullmatch(name) or len(name.encode(errors="replace")) > NAME_BYTES_MOST:
        raise Invalid("tasks.file_name", name=name[:80])


def file(settings: Settings, key: str, name: str) -> Path:
    """Return a file that was sent up; raise NotFound."""
    path = _folder(settings, key) / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise NotFound("tasks.no_file", name=name[:80])
    return path


def on_server(settings: Settings) -> list[str]:
    """List the manifests that lie in the installation's folder, by their paths in it."""
    folder = settings.boundaries_dir
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.toml"))[:200] if folder.is_dir() else []


def manifest(settings: Settings, source: str) -> Manifest:
    """Read a manifest: "upload:KEY" or "server:PATH"; raise Invalid if it leads out of its folder, and NotFound."""
    kind, _, name = source.partition(":")
    if kind == SERVER and name in on_server(settings):
        return _checked(boundaries.read_manifest(settings.boundaries_dir / name))
    if kind != UPLOAD:
        raise NotFound("tasks.no_file", name=name[:80])
    found = sorted(_folder(settings, name).glob("*.toml"))
    if len(found) != 1:
        raise Invalid("tasks.one_manifest", n=len(found))
    return _checked(boundaries.read_manifest(found[0]))


def results(settings: Settings, task_id: int) -> Path:
    """Return the folder in which a task keeps what is too much for a table."""
    folder = settings.var_dir / "tasks" / str(task_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def older(settings: Settings, than: datetime) -> Iterator[Path]:
    """List the folders of what was sent up before a moment."""
    for folder in (settings.var_dir / "uploads").glob("*"):
        if folder.stat().st_mtime < than.timestamp():
            yield folder


def _folder(settings: Settings, key: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        raise NotFound("tasks.no_file", name=key[:80])
    return settings.var_dir / "uploads" / key


def _checked(said: Manifest) -> Manifest:
    """Refuse files that are not beside the manifest: a driver would open any address a manifest gives it."""
    here = said.folder.resolve()
    for edition in said.editions:
        for layer in edition.layers:
            path = (said.folder / layer.file).resolve()
            if path.suffix.lower() not in ENDINGS:
                raise Invalid("tasks.file_kind", file=layer.file[:200], kinds=", ".join(sorted(ENDINGS)))
            if layer.file.startswith("/") or here not in path.parents or not path.exists():
                raise Invalid("tasks.file_missing", file=layer.file[:200])
    return said
