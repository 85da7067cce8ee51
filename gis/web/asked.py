"""What a request asks, read for the programs' door or refused with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

from flask import current_app, request

from gis import moments
from gis.errors import Invalid
from gis.issues import listing, photos
from gis.issues.intake import Clerk
from gis.settings import Settings
from gis.web import auth

Json = dict[str, Any]

PHOTOS_MOST = 9
DIGITS_MOST = 9


def settings() -> Settings:
    """Return the settings of the installation."""
    return cast(Settings, current_app.extensions["settings"])


def clerk() -> Clerk:
    """Return who asks, now, as one who takes in and moves issues."""
    return Clerk(auth.current().username, datetime.now(UTC), settings())


def body() -> Json:
    """Read a JSON object; raise Invalid if the body is none."""
    return json_object(request.get_data())


def filters() -> listing.Filters:
    """Read the filters of a list. A department's lists go by its own index: its scope alone could use none."""
    read, mine = listing.parse_filters(request.args), auth.current().scope.department
    return replace(read, departments=(mine,)) if mine and not read.departments else read


def report() -> Json:
    """Read a report: the body, or the field `report` of a form that carries photos too."""
    return form("report")


def form(name: str) -> Json:
    """Read a JSON object: the body, or a field of a form that carries photos too."""
    if request.mimetype == "multipart/form-data":
        return json_object(request.form.get(name, ""))
    return body()


def named_pictures() -> dict[str, photos.Picture]:
    """Decode the uploads of a form by the names of their fields; raise Invalid at the first that will not do."""
    limits = photos.Limits(settings().photo_limit_bytes, settings().photo_limit_px)
    sent = {name: file for name, file in request.files.items() if file.filename}
    if len(sent) > PHOTOS_MOST:
        raise Invalid("photo.too_many", most=PHOTOS_MOST)
    return {
        name: photos.read(file.filename or "", file.stream.read(limits.file_bytes + 1), limits)
        for name, file in sent.items()
    }


def json_object(written: str | bytes) -> Json:
    """Read a JSON object from text; raise Invalid."""
    try:
        read = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise Invalid("api.not_json", reason=str(error)[:200]) from None
    if not isinstance(read, dict):
        raise Invalid("api.not_an_object")
    return read


def pictures() -> list[photos.Picture]:
    """Decode the uploads; raise Invalid at the first that will not do."""
    limits = photos.Limits(settings().photo_limit_bytes, settings().photo_limit_px)
    sent = request.files.getlist("photos")
    if len(sent) > PHOTOS_MOST:
        raise Invalid("photo.too_many", most=PHOTOS_MOST)
    return [photos.read(file.filename or "", file.stream.read(limits.file_bytes + 1), limits) for file in sent]


def argument(name: str) -> str:
    """Read an argument of the address; raise Invalid if it is missing."""
    said = request.args.get(name, "").strip()
    if not said:
        raise Invalid("api.argument_missing", name=name)
    return said


def whole(name: str, default: int, most: int) -> int:
    """Read a whole number from 1 to `most`; raise Invalid."""
    said = request.args.get(name, str(default))
    if not (said.isascii() and said.isdigit() and len(said) <= DIGITS_MOST and 1 <= int(said) <= most):
        raise Invalid("api.bad_number", name=name, value=said[:40], most=most)
    return int(said)


def positive(name: str) -> int:
    """Read a positive whole number of the body; raise Invalid."""
    said = body().get(name)
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said < 10**DIGITS_MOST:
        raise Invalid("report.not_a_number", field=name, value=str(said)[:80])
    return said


def day(said: object) -> date:
    """Read a date, today in the city when none is said; raise Invalid."""
    if said in (None, ""):
        return auth.today()
    return moments.parse_day(said)
