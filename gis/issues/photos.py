"""Photos of issues: decoded, turned upright, made smaller and written anew, so that nothing hidden in them is kept."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues.tables import Photo

Json = dict[str, Any]

SIDE_MOST_PX = 2560
JPEG_QUALITY = 85
NAME_LONGEST = 120
# Only these decoders are tried: the rarer ones are where a hostile file finds its bug.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@dataclass(frozen=True)
class Limits:
    """The largest upload: bytes of the file, and pixels it would unfold to."""

    file_bytes: int = 20_000_000
    pixels: int = 100_000_000


@dataclass(frozen=True)
class Picture:
    """A photo ready to keep: a JPEG without metadata, at most SIDE_MOST_PX wide and high."""

    name: str
    jpeg: bytes
    width_px: int
    height_px: int

    @property
    def sha256(self) -> str:
        """The name it is kept by."""
        return hashlib.sha256(self.jpeg).hexdigest()


def read(name: str, content: bytes, limits: Limits) -> Picture:
    """Decode an upload; raise Invalid if it is too large or no image."""
    shown = name[:NAME_LONGEST]
    if len(content) > limits.file_bytes:
        most_mb = limits.file_bytes / 1e6
        raise Invalid("photo.too_large", name=shown, size_mb=round(len(content) / 1e6, 1), most_mb=most_mb)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            # The size stands in the header: a bomb is refused before it unfolds.
            if opened.width * opened.height > limits.pixels:
                raise Invalid("photo.too_many_pixels", name=shown, width=opened.width, height=opened.height)
            return _redrawn(shown, opened)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Invalid("photo.not_an_image", name=shown) from error


def add(session: Session, issue_id: int, picture: Picture, folder: Path, *, now: datetime) -> str:
    """Keep a picture with an issue and return its hash; the same picture twice is one."""
    _write(path(folder, picture.sha256), picture.jpeg)
    session.execute(
        text("""
        INSERT INTO photo (issue_id, sha256, name, width_px, height_px, added_at)
        VALUES (:issue_id, :sha256, :name, :width_px, :height_px, :now) ON CONFLICT DO NOTHING
        """),
        {
            "issue_id": issue_id,
            "sha256": picture.sha256,
            "name": picture.name,
            "width_px": picture.width_px,
            "height_px": picture.height_px,
            "now": now,
        },
    )
    return picture.sha256


def of_issue(session: Session, issue_id: int) -> Sequence[Photo]:
    """List the photos of an issue, first added first."""
    found = select(Photo).where(Photo.issue_id == issue_id).order_by(Photo.added_at, Photo.sha256)
    return session.scalars(found).all()


def get(session: Session, issue_id: int, sha256: str) -> Photo:
    """Return a photo of an issue; raise NotFound, also for who may not see the issue."""
    photo = session.get(Photo, (issue_id, sha256))
    if photo is None:
        raise NotFound("photo.not_found", sha256=sha256[:64])
    return photo


def path(folder: Path, sha256: str) -> Path:
    """Name the file of a photo."""
    return folder / "photos" / sha256[:2] / f"{sha256}.jpg"


def _redrawn(name: str, opened: Image.Image) -> Picture:
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((SIDE_MOST_PX, SIDE_MOST_PX))
    flat = Image.new("RGB", upright.size, "white")
    # What is transparent becomes white; JPEG has no third way.
    flat.paste(upright.convert("RGBA"), mask=upright.convert("RGBA").getchannel("A"))
    written = io.BytesIO()
    flat.save(written, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return Picture(name, written.getvalue(), flat.width, flat.height)


def _write(goal: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    if goal.exists():
        return
    goal.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=goal.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(goal)
