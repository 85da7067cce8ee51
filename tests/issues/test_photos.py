"""Photos: images only, without what hides in them, and small enough to show."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.issues import photos
from gis.issues.photos import Limits, Picture

LIMITS = Limits()
GPS = 0x8825
ORIENTATION = 0x0112
NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)


def image(width: int = 40, height: int = 20, form: str = "JPEG", exif: Image.Exif | None = None) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(written, form, **({"exif": exif} if exif else {}))
    return written.getvalue()


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.jpeg))


def refusal(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Invalid) as caught:
        photos.read("p.jpg", content, limits)
    return caught.value.code


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_an_image_becomes_a_jpeg(form: str) -> None:
    assert opened(photos.read("p", image(form=form), LIMITS)).format == "JPEG"


def test_where_it_was_taken_is_not_kept() -> None:
    exif = Image.Exif()
    exif[GPS] = {1: "N", 2: (30.0, 1.0, 2.0)}
    assert not opened(photos.read("p.jpg", image(exif=exif), LIMITS)).getexif()


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = photos.read("p.jpg", image(40, 20, exif=exif), LIMITS)
    assert (picture.width_px, picture.height_px) == (20, 40)


def test_a_large_photo_is_made_smaller_in_its_proportions() -> None:
    picture = photos.read("p.jpg", image(5120, 1280), LIMITS)
    assert (picture.width_px, picture.height_px) == (2560, 640)


def test_what_is_transparent_becomes_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(written, "PNG")
    assert opened(photos.read("p.png", written.getvalue(), LIMITS)).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\xff\xd8\xff"]
)
def test_what_is_no_image_is_refused(content: bytes) -> None:
    assert refusal(content) == "photo.not_an_image"


def test_a_truncated_image_is_refused() -> None:
    assert refusal(image(400, 400)[:-200]) == "photo.not_an_image"


def test_a_file_of_more_than_twenty_megabytes_is_refused() -> None:
    assert refusal(b"\xff" * 20_000_001) == "photo.too_large"


def test_an_image_that_unfolds_to_too_many_pixels_is_refused_before_it_does() -> None:
    assert refusal(image(200, 100), Limits(pixels=19_999)) == "photo.too_many_pixels"


def test_a_photo_is_kept_by_its_hash(session: Session, tmp_path: Path, issue_id: int) -> None:
    picture = photos.read("门口.jpg", image(), LIMITS)
    sha256 = photos.add(session, issue_id, picture, tmp_path, now=NOW)
    kept = photos.path(tmp_path, sha256)
    assert kept.parent.name == sha256[:2]
    assert kept.read_bytes() == picture.jpeg
    assert [(photo.name, photo.sha256) for photo in photos.of_issue(session, issue_id)] == [("门口.jpg", sha256)]


def test_the_same_photo_twice_is_one(session: Session, tmp_path: Path, issue_id: int) -> None:
    for _ in range(2):
        photos.add(session, issue_id, photos.read("p.jpg", image(), LIMITS), tmp_path, now=NOW)
    assert len(photos.of_issue(session, issue_id)) == 1


def test_a_photo_of_another_issue_is_not_found(session: Session, tmp_path: Path, issue_id: int) -> None:
    sha256 = photos.add(session, issue_id, photos.read("p.jpg", image(), LIMITS), tmp_path, now=NOW)
    with pytest.raises(NotFound):
        photos.get(session, issue_id + 1, sha256)
