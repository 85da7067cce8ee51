"""The public's page, without signing in: a map of squares, the stage of a number, reports that are verified first.

Its doors run with the scope of nobody, whoever signed in at this browser: what they show, the database tells anybody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import text

from gis import db, language
from gis.errors import Invalid, NotFound, ShaotuError, TooMany
from gis.issues import citizens, photos
from gis.issues.citizens import Choice, Contribution, tries
from gis.issues.clerk import Clerk
from gis.issues.photos import Picture
from gis.language import LOCALES
from gis.territory import geocode
from gis.territory.coords import Tile
from gis.territory.location import Candidate
from gis.web import asked, auth, desks, drawing, operator, tiles, webmap

Json = dict[str, Any]

pages = Blueprint("public", __name__, url_prefix="/public")

PHOTOS_MOST, CANDIDATES, LISTED = 3, 6, 60
ADDRESS_MOST, ADDRESS_LEAST = 200, 2
# A name that a program fills in and nobody sees.
TRAP = "website"


@dataclass(frozen=True)
class Spot:
    """Where a report is from: a pin with the accuracy of the phone, or a place that words were found to mean."""

    said: dict[str, str]
    label: str
    lon: float
    lat: float
    place: Json


@pages.before_request
def _as_nobody() -> None:
    """Shut the doors where a city does not want them, and look with nobody's eyes."""
    if not auth.settings().public_page:
        raise NotFound("public.off")
    db.see_as(auth.session(), db.NOTHING)


@pages.get("")
def page() -> ResponseReturnValue:
    """Show the map, the list that says the same, and the ways to ask and to report."""
    seen = citizens.on_map(auth.session(), _now(), auth.settings().time_zone)
    reporting = bool(citizens.choices(auth.session()))
    told = {"seen": seen[:LISTED], "seen_n": len(seen), "drawn": _map(), "reporting": reporting}
    return _render("public.html", **told, squares=[_square(each) for each in seen])


@pages.get("/status")
def status() -> ResponseReturnValue:
    """Tell the stage of a number."""
    number = request.args.get("number", "").strip()[:64]
    if not number:
        return redirect(url_for("public.page"))
    _count(tries.STATUS)
    return _render("public_status.html", number=number, status=citizens.status(auth.session(), number), follow=None)


@pages.get("/report")
def report_page() -> ResponseReturnValue:
    """Ask what it is and where: first half of a report."""
    found = citizens.choices(auth.session())
    return _render("public_where.html", choices=_grouped(found), said=request.args, drawn=_map() if found else None)


@pages.get("/report/where")
def where() -> ResponseReturnValue:
    """Take a pin, or offer the places that words may mean."""
    if request.args.get("lon") and request.args.get("lat"):
        return redirect(url_for("public.write", **_kept("category", "lon", "lat", "accuracy_m")))
    _chosen()
    found = _candidates()
    return _render("public_candidates.html", found=[each.label for each in found], said=_kept("category", "address"))


@pages.get("/report/write")
def write() -> ResponseReturnValue:
    """Show what is known already near by, and ask for words and photos: second half."""
    _count(tries.SEARCH)
    return _write_page()


@pages.post("/report")
def send() -> ResponseReturnValue:
    """Take a report in, and show its number."""
    if request.form.get(TRAP):
        raise Invalid("public.trap")
    _count(tries.REPORT)
    key = request.form.get("key", "")[:80]
    said = Contribution(
        key, _chosen(), request.form.get("words", ""), _spot().place, _reporter(), _pictures()
    )
    citizens.report(auth.session(), said, _clerk())
    auth.session().commit()
    return redirect(url_for("public.follow", token=key, new=1))


@pages.post("/me-too")
def me_too() -> ResponseReturnValue:
    """Count somebody who saw the same as is known already."""
    _count(tries.ME_TOO)
    try:
        issue_id, once = _handles().loads(request.form.get("known", ""))
    except (BadSignature, TypeError) as error:  # or one of before there were two parts
        raise Invalid("public.no_handle") from error
    citizens.me_too(auth.session(), issue_id, once, _now())
    auth.session().commit()
    return _render("public_thanks.html")


@pages.get("/follow/<token>")
def follow(token: str) -> ResponseReturnValue:
    """Show the stage of one's own report, and the way to answer when it is closed."""
    _count(tries.STATUS)
    mine = citizens.follow(auth.session(), token)
    told = {"number": mine.number, "status": citizens.status(auth.session(), mine.number), "follow": mine}
    link = url_for("public.follow", token=token, _external=True)
    return _render("public_status.html", **told, link=link, new="new" in request.args)


@pages.post("/follow/<token>")
def answer(token: str) -> ResponseReturnValue:
    """Lead to the page that takes the answer, once."""
    _count(tries.STATUS)
    made = citizens.ask_answer(auth.session(), token, _clerk())
    auth.session().commit()
    return redirect(url_for("call_backs.answer_page", token=made))


@pages.get(f"/tiles/<version>/<any({', '.join(LOCALES)}):lang>/<tile:tile>.mvt")
def tile(version: str, lang: str, tile: Tile) -> Response:
    """Answer with the base map: ground, and nothing that anybody did on it."""
    return tiles.base_tile(version, lang, tile)


@pages.errorhandler(Invalid)
@pages.errorhandler(NotFound)
@pages.errorhandler(TooMany)
def _refused(error: ShaotuError) -> ResponseReturnValue:
    """Say what is wrong where it was written, with what was written still there."""
    auth.session().rollback()
    db.see_as(auth.session(), db.NOTHING)
    status_code = 404 if isinstance(error, NotFound) else 429 if isinstance(error, TooMany) else 400
    headers = {"Retry-After": str(error.params["retry_after_s"])} if isinstance(error, TooMany) else {}
    message = language.explain(error, auth.locale())
    if request.endpoint == "public.send" and error.code != "public.trap":
        try:
            return _write_page(message), status_code, headers
        except ShaotuError:  # the place or the category is what is wrong
            auth.session().rollback()
    if request.endpoint == "public.where":
        found = _grouped(citizens.choices(auth.session()))
        told = {"choices": found, "said": request.args, "drawn": _map(), "refusal": message}
        return _render("public_where.html", **told), status_code, headers
    return _render("public_refused.html", refusal=message), status_code, headers


def _write_page(refusal: str | None = None) -> str:
    choice, spot = _chosen(), _spot()
    known = citizens.near(auth.session(), (spot.lon, spot.lat), choice, _now())
    handled = [{"known": each, "handle": _handles().dumps((each.issue_id, secrets.token_hex(8)))} for each in known]
    told = {"choice": choice, "spot": spot, "known": handled, "trap": TRAP, "photos_most": PHOTOS_MOST}
    key = request.form.get("key") or secrets.token_urlsafe(24)
    told["shown_at"] = url_for("public.write", **_kept("category", *spot.said))
    return _render("public_write.html", **told, key=key, refusal=refusal, written=request.form)


def _render(template: str, **told: Any) -> str:  # noqa: ANN401 -- whatever the page shows
    signs = {"approval": auth.settings().map_approval, "other_language": desks.other_language}
    city = operator.city(auth.session(), auth.today())
    now, zone = _now(), ZoneInfo(auth.settings().time_zone)
    boot: Json = {"locale": auth.locale(), "words": language.catalogue(auth.locale(), "page.public.")}
    boot |= {"squares": told.pop("squares", []), "bounds": _bounds() if told.get("drawn") else None}
    usual = {"refusal": None, "drawn": None, "stages": citizens.STAGES, "shown_at": ""}
    return render_template(template, **(usual | signs | told), city=city, now=now, zone=zone, boot=boot)


def _bounds() -> webmap.Bounds:
    session = auth.session()
    return desks.bounds(session.execute(_BOUNDS, {"edition": tiles.first_edition(session)}).one())


def _map() -> webmap.Parts:
    """Draw the base map for people who did not sign in."""
    base, path = tiles.base_version(auth.session()), f"{request.script_root}/public/tiles"
    view = webmap.MapView(_bounds(), base, drawing.DRAWING, auth.locale(), (), g.csp_nonce, base=path)
    return webmap.ground_map(view)


def _square(each: citizens.Seen) -> list[object]:
    zh = auth.locale() == "zh"
    return [each.lon, each.lat, each.name_zh if zh else each.name_en, each.stage, each.day.isoformat()]


def _said(name: str) -> str:
    return (request.values.get(name) or "").strip()


def _kept(*names: str) -> dict[str, Any]:
    """Return what was said so far, for the next page's address."""
    return {name: _said(name)[:ADDRESS_MOST] for name in names if _said(name)}


def _chosen() -> Choice:
    """Return the category that was chosen; raise Invalid."""
    found = [each for each in citizens.choices(auth.session()) if each.key == _said("category")]
    if not found:
        raise Invalid("public.no_category")
    return found[0]


def _candidates() -> list[Candidate]:
    address = _said("address")
    if not ADDRESS_LEAST <= len(address) <= ADDRESS_MOST:
        raise Invalid("public.no_place")
    _count(tries.SEARCH)
    found = geocode.find(auth.session(), address, auth.today(), CANDIDATES)
    if not found:
        raise Invalid("public.not_found", address=address)
    return found


def _spot() -> Spot:
    """Read where it is: a pin, or the nth place that the words may mean; raise Invalid."""
    if _said("lon"):
        return _pin()
    found, nth = _candidates(), _said("pick")
    if not (nth.isascii() and nth.isdigit() and int(nth) < len(found)):
        raise Invalid("public.no_place")
    chosen = found[int(nth)]
    middle = chosen.geometry.representative_point()
    return Spot(_kept("address", "pick"), chosen.label, middle.x, middle.y, _place(chosen))


def _place(chosen: Candidate) -> Json:
    """Say a candidate so that it is put where it is: a house by its footprint, a door by its point, else by name."""
    if chosen.ref_kind in {"building", "street"}:
        return {chosen.ref_kind: str(chosen.ref_id), "text": chosen.label}
    if chosen.geometry.geom_type == "Point":
        point = chosen.geometry.representative_point()
        return {"lon": point.x, "lat": point.y, "text": chosen.label}
    return {"text": chosen.label}


def _pin() -> Spot:
    try:
        lon, lat = float(_said("lon")), float(_said("lat"))
        accuracy_m = min(float(_said("accuracy_m") or 10), 5000)
    except ValueError as error:
        raise Invalid("public.no_place") from error
    if not (-180 < lon < 180 and -90 < lat < 90 and accuracy_m >= 0):
        raise Invalid("public.no_place")
    label = f"{lat:.5f}, {lon:.5f}"
    place = {"lon": lon, "lat": lat, "accuracy_m": accuracy_m, "accuracy_kind": "radius95"}
    return Spot(_kept("lon", "lat", "accuracy_m"), label, lon, lat, place)


def _reporter() -> dict[str, str]:
    return {name: _said(name)[:60] for name in ("name", "phone") if _said(name)}


def _pictures() -> list[Picture]:
    """Draw the uploads anew: what a camera writes into a file beside the picture stays behind."""
    limits = photos.Limits(auth.settings().photo_limit_bytes, auth.settings().photo_limit_px)
    sent = [file for file in request.files.getlist("photos") if file.filename]
    if len(sent) > PHOTOS_MOST:
        raise Invalid("photo.too_many", most=PHOTOS_MOST)
    # a file's name may be somebody's
    contents = (file.stream.read(limits.file_bytes + 1) for file in sent)
    return [photos.read(f"{nth}.jpg", content, limits) for nth, content in enumerate(contents, 1)]


def _grouped(found: list[Choice]) -> dict[str, list[Choice]]:
    zh, groups = auth.locale() == "zh", dict[str, list[Choice]]()
    for each in found:
        groups.setdefault(each.parent_zh if zh else each.parent_en, []).append(each)
    return groups


def _count(kind: str) -> None:
    """Count a try, also where nothing comes of it."""
    citizens.count(auth.session(), kind, request.remote_addr or "", _now())
    auth.session().commit()


def _handles() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="public.known")


def _clerk() -> Clerk:
    return Clerk(citizens.SOURCE, _now(), asked.settings())


def _now() -> datetime:
    return datetime.now(UTC)


_BOUNDS = text("""
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(geom) AS box FROM unit WHERE edition_id = :edition) AS whole
""")
