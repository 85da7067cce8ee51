"""Numba, told where to keep what it compiled: in the product's own folder, under the digest of the sources.

Numba looks only at the file of a function to see whether its machine code is stale, not at the files of the functions
it calls; a folder for each state of all of them cannot be stale.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from gis import settings as product
from gis.errors import Problems
from gis.settings import Settings

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function that makes no arrays, at its first call for each kind of arguments, or fetch it.

    It counts no references: counting is a locked instruction at each touch of an array, and was a quarter of the time.
    Numba refuses to compile one that makes arrays all the same.
    """
    return _compiled(function, counts=False)


def makes_arrays(function: Function) -> Function:
    """Compile a function that makes arrays: kept out of what is done for each point."""
    return _compiled(function, counts=True)


def _compiled(function: Function, *, counts: bool) -> Function:
    # Arithmetic as IEEE wrote it: nothing is fused or reordered, exactness stands on that.
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False, "_nrt": counts}
    return cast("Function", numba.njit(**options)(function))


def _folder() -> str:
    every = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    sources = b"".join(source for source in every if _matters(source))
    name = f"numba-{numba.__version__}-{hashlib.sha256(sources).hexdigest()[:16]}"
    for parent in (_var_dir(), Path(tempfile.gettempdir(), f"shaotu-{os.getuid()}")):
        folder = parent / "compiled" / name
        try:
            _make(folder)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return str(folder)
    return tempfile.mkdtemp(prefix="shaotu-compiled-")


def _matters(source: bytes) -> bool:
    """Say of a source whether compiled code is in it, or the kinds of values and numbers it is made for."""
    return b"@compiled" in source or b"@makes_arrays" in source or b"(NamedTuple)" in source or b"_WORDS" in source


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for other in folder.parent.glob("numba-*"):
        if other != folder:
            # of a state of the sources that is past; whoever still runs it has it in memory
            shutil.rmtree(other, ignore_errors=True)


def _var_dir() -> Path:
    try:
        return product.load().var_dir
    except Problems:
        return Settings.var_dir


numba.config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR") or _folder()  # type: ignore[attr-defined]
