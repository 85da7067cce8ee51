"""The index of an edition as a file: written once, mapped into memory by every process, never trusted unseen.

    magic, version, length of the head, sum of all that follows | head (JSON) | sections, each at a multiple of 64 bytes

The sum is over every byte and is checked each time a file is opened: 10 ms for 200 MB. The file's name is the digest of
the edition's units, and it stands in the head as well. Numbers are little-endian.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt
import xxhash

from gis.territory.index.shapes import Level

MAGIC, VERSION = b"SHAOTU\0I", 1
START = struct.Struct("<8sIIQ")
ALIGNED = 64
SUFFIX = ".index"

Array = npt.NDArray[Any]
Head = dict[str, Any]


class DamagedError(Exception):
    """A file that is not, or no longer, what was written; it says why."""


def write(path: Path, digest: str, levels: Mapping[str, Level]) -> None:
    """Write the levels of an edition; the file is there whole or not at all. Raise OSError."""
    sections: list[Array] = []
    place: dict[int, int] = {}
    names: Head = {}
    for name, value in _flat("", dict(levels)):
        if isinstance(value, np.ndarray) and id(value) not in place:
            place[id(value)] = len(sections)
            sections.append(np.ascontiguousarray(value))
        names[name] = [place[id(value)]] if isinstance(value, np.ndarray) else value
    head = _head({"digest": digest, "levels": list(levels), "names": names}, sections)
    parts = [head, *_padded(len(head), sections)]
    total = xxhash.xxh3_64()
    for part in parts:
        total.update(part)
    _put(path, [START.pack(MAGIC, VERSION, len(head), total.intdigest()), *parts])


def _flat(name: str, value: object) -> Iterator[tuple[str, Any]]:
    """Take nested tuples apart into named arrays and numbers."""
    inner: Mapping[str, object] | None = value if isinstance(value, dict) else None
    if isinstance(value, tuple):
        inner = value._asdict()  # type: ignore[attr-defined]
    if inner is None:
        yield name, value
        return
    for key, held in inner.items():
        yield from _flat(f"{name}/{key}", held)


def _head(told: Head, sections: Sequence[Array]) -> bytes:
    described = [{"dtype": section.dtype.str, "shape": section.shape} for section in sections]
    written = json.dumps(told | {"sections": described}).encode()
    return written + b" " * (-(START.size + len(written)) % ALIGNED)


def _padded(_head_length: int, sections: Sequence[Array]) -> Iterator[bytes | memoryview]:
    for section in sections:
        yield section.tobytes()
        yield b"\0" * (-section.nbytes % ALIGNED)


def _put(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path, digest: str) -> dict[str, Level]:
    """Map the levels of an edition; raise DamagedError, or FileNotFoundError."""
    content = _mapped(path)
    if len(content) < START.size:
        raise DamagedError("cut off")
    magic, version, head_length, total = START.unpack_from(content)
    if (magic, version) != (MAGIC, VERSION):
        raise DamagedError("of another kind or version")
    if xxhash.xxh3_64_intdigest(memoryview(content)[START.size :]) != total:
        raise DamagedError("not as it was written")
    head = json.loads(content[START.size : START.size + head_length])
    if head["digest"] != digest:
        raise DamagedError("of other boundaries")
    arrays = _sections(content, START.size + head_length, head["sections"])
    names = {name: arrays[told[0]] if isinstance(told, list) else told for name, told in head["names"].items()}
    return {level: _whole(Level, f"/{level}", names) for level in head["levels"]}


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def _sections(content: mmap.mmap | bytes, start: int, described: Sequence[Head]) -> list[Array]:
    arrays = []
    for section in described:
        shape = tuple(section["shape"])
        count = int(np.prod(shape))
        array = np.frombuffer(content, section["dtype"], count, start).reshape(shape)
        arrays.append(array)
        start += array.nbytes + -array.nbytes % ALIGNED
    return arrays


def _whole(kind: Any, name: str, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the kind says
    """Put a nested tuple together from what bears its names."""
    if name in names:
        return names[name]
    return kind(**{field: _whole(hint, f"{name}/{field}", names) for field, hint in get_type_hints(kind).items()})


def frozen(value: Any) -> Any:  # noqa: ANN401 - as it came
    """Make the arrays of nested tuples read-only, as those of a file are: the compiled code is made for such."""
    if isinstance(value, np.ndarray):
        kept = np.ascontiguousarray(value).view()
        kept.flags.writeable = False
        return kept
    return type(value)(*map(frozen, value)) if isinstance(value, tuple) else value
