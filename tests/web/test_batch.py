"""A sheet of places over HTTP: the same answers as one by one, in the form it came in or the one asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gis import db
from gis.people import accounts
from gis.territory import locate
from gis.web import batch
from tests import town

DAY = date(2025, 6, 1)
LONLAT = [town.lonlat(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
ARROW = "application/vnd.apache.arrow.stream"
TYPES = {"geojson": "application/geo+json", "csv": "text/csv", "arrows": ARROW}


class Program:
    """A client that brings a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}

    def post(self, body: bytes, kind: str, **query: object) -> TestResponse:
        headers = {**self._headers, "Content-Type": TYPES.get(kind, kind)}
        query = {"on": DAY.isoformat()} | query
        return self._client.post("/api/v1/locate/batch", data=body, headers=headers, query_string=query)


@pytest.fixture(scope="module")
def program(office: Flask) -> Program:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        key = accounts.issue_token(session, "leader", "batch", now=datetime(2024, 1, 1, tzinfo=UTC))
        session.commit()
    return Program(office.test_client(), key)


@pytest.fixture(scope="module")
def communities(office: Flask) -> list[str | None]:
    """Tell the community of each point when it is asked for alone."""
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        said = [locate.parse({"lon": lon, "lat": lat}) for lon, lat in LONLAT]
        found = locate.at_many(session, said, [DAY] * len(said))
    return [next((unit.code for unit in each.nets[0].chain if unit.level == "community"), None) for each in found]


@pytest.fixture(autouse=True)
def nothing_left(office: Flask) -> Iterator[None]:
    yield
    folder = office.extensions["settings"].var_dir / "batch"
    assert not folder.exists() or list(folder.iterdir()) == []


def as_csv(pairs: list[tuple[Any, Any]]) -> bytes:
    return ("lon,lat\n" + "".join(f"{lon},{lat}\n" for lon, lat in pairs)).encode()


def as_geojson(pairs: list[tuple[Any, Any]]) -> bytes:
    shapes = [{"type": "Point", "coordinates": [lon, lat]} for lon, lat in pairs]
    features = [{"type": "Feature", "properties": {"n": nth}, "geometry": each} for nth, each in enumerate(shapes)]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def as_arrows(pairs: list[tuple[Any, Any]], batch_rows: int = 50) -> bytes:
    lon, lat = zip(*pairs, strict=True)
    table = pa.table({"lon": pa.array(lon), "lat": pa.array(lat)})
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table, max_chunksize=batch_rows)
    return out.getvalue()


def rows(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    if response.mimetype == "text/csv":
        return [{k: v or None for k, v in row.items()} for row in csv.DictReader(io.StringIO(response.text))]
    if response.mimetype == ARROW:
        told: list[dict[str, Any]] = pa.ipc.open_stream(response.data).read_all().to_pylist()
        return told
    return [each["properties"] for each in json.loads(response.data)["features"]]


def refusal(response: TestResponse, status: int = 400) -> str:
    assert response.status_code == status, response.text
    error = response.get_json()["error"]
    assert error["message"] not in ("", error["code"])
    return str(error["code"])


@pytest.mark.parametrize("into", [None, "csv", "geojson", "arrows"])
@pytest.mark.parametrize(("kind", "write"), [("csv", as_csv), ("geojson", as_geojson), ("arrows", as_arrows)])
def test_every_form_comes_back_in_every_form_with_the_answers_of_one_by_one(
    program: Program, communities: list[str | None], kind: str, write: Any, into: str | None
) -> None:
    response = program.post(write(LONLAT), kind, **({"format": into} if into else {}))
    assert response.mimetype == TYPES[into or kind]
    found = rows(response)
    assert [row["admin_community"] for row in found] == communities
    assert {row["admin_edition"] for row in found} == {"2024"}


def test_the_counts_of_the_answer_add_up(program: Program) -> None:
    said = as_csv([*LONLAT, ("x", 1), (0, 0), (200, 95)])
    counts = json.loads(program.post(said, "csv").headers["X-Shaotu-Counts"])
    assert counts["rows_n"] == len(LONLAT) + 3
    assert counts["flags"]["unlocated"] == sum(counts["reasons"].values()) == 3


def test_a_row_that_cannot_be_read_has_its_reason_in_every_form(program: Program) -> None:
    lon, lat = town.lonlat(0.6, 0.5)
    said: list[tuple[Any, Any]] = [(lat, lon), (float("nan"), lat), (0.0, 0.0), (190.0, 5.5)]
    reasons = ["locate.swapped", "locate.not_finite", "locate.zero", "locate.coordinate_out_of_range"]
    for kind, body in (("csv", as_csv(said)), ("geojson", as_geojson(said)), ("arrows", as_arrows(said))):
        assert [row["reason"] for row in rows(program.post(body, kind))] == reasons, kind


def test_numbers_as_text_are_numbers_in_every_form(program: Program) -> None:
    lon, lat = map(str, town.lonlat(0.6, 0.5))
    for kind, body in (("geojson", as_geojson([(lon, lat)])), ("arrows", as_arrows([(lon, lat)]))):
        assert rows(program.post(body, kind))[0]["admin_city"] == "9901"
    assert rows(program.post(as_arrows([("far", lat)]), "arrows"))[0]["reason"] == "locate.not_a_number"


def test_a_feature_without_a_point_has_its_reason(program: Program) -> None:
    shapes: list[Any] = [None, {"type": "Polygon", "coordinates": []}, {"type": "Point"}, 7]
    features = [{"type": "Feature", "properties": None, "geometry": shape} for shape in shapes]
    body = json.dumps({"type": "FeatureCollection", "features": ["no feature", *features]}).encode()
    assert [row["reason"].removeprefix("locate.") for row in rows(program.post(body, "geojson"))] == [
        "geometry_unreadable", "place_missing", "geometry_kind", "geometry_unreadable", "geometry_unreadable",
    ]  # fmt: skip


def test_odds_names_and_detail_come_when_asked_for(program: Program) -> None:
    body = as_csv([town.lonlat(2, 0.5)])
    row = rows(program.post(body, "csv", accuracy_m=10, names=1, detail=1, net="admin", prefix="s_", lang="en"))[0]
    assert row["s_admin_district_name"] == "district 990101"
    assert float(row["s_admin_district_probability"]) == pytest.approx(0.5, abs=1e-6)
    assert [each["code"] for each in json.loads(row["s_admin_district_candidates"])] == ["990101", "990102"]
    assert row["s_admin_district_units"] == "2"
    assert not any(name.startswith("s_police") for name in row)


@pytest.mark.parametrize(
    ("body", "kind", "query", "code"),
    [
        (b"", "csv", {}, "batch.no_body"),
        (b"lon,lat\n", "text/plain", {}, "batch.unknown_kind"),
        (b"lon,lat\n", "csv", {"format": "xlsx"}, "batch.unknown_format"),
        (b"lon,lat\n", "csv", {"fromat": "csv"}, "batch.unknown_argument"),
        (b"lon,lat\n", "csv", {"names": "perhaps"}, "batch.not_yes_or_no"),
        (b"lon,lat\n", "csv", {"date_column": "lon"}, "batch.two_dates"),
        (b"lon,lat\n", "csv", {"on": "soon"}, "api.bad_date"),
        (b"lon,lat\n", "csv", {"on": "1999-01-01"}, "sheet.no_edition"),
        (b"lon,lat\n", "csv", {"accuracy_m": "far"}, "locate.not_a_number"),
        (b"lon,lat\n", "csv", {"accuracy_m": "nan"}, "coords.impossible_accuracy"),
        (b"lon,lat\n", "csv", {"datum": "mars"}, "coords.unknown_datum"),
        (b"lon,lat\n", "csv", {"lon_column": "east"}, "sheet.no_column"),
        (b"east,north\n", "csv", {}, "sheet.no_place"),
        (b'lon,lat\n1.5,"2.5', "csv", {}, "sheet.open_quote"),
        (b"{}", "geojson", {}, "sheet.no_collection"),
        (b'{"features":{}}', "geojson", {}, "sheet.no_collection"),
        (as_geojson(LONLAT)[:-2], "geojson", {}, "sheet.ends_early"),
        (as_geojson(LONLAT)[:-200], "geojson", {}, "sheet.ends_early"),
        (b'{"features":[' + b"[" * 200_000 + b"]" * 200_000 + b"]}", "geojson", {}, "sheet.not_json"),
        (as_arrows(LONLAT)[:-8], "arrows", {}, "sheet.ends_early"),
        (as_arrows(LONLAT)[:-800] + as_arrows(LONLAT)[-8:], "arrows", {}, "file.unreadable"),
        (b"no stream of Arrow" + as_arrows(LONLAT)[-8:], "arrows", {}, "file.unreadable"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    program: Program, body: bytes, kind: str, query: dict[str, str], code: str
) -> None:
    assert refusal(program.post(body, kind, **query)) == code


def test_a_stream_whose_words_lie_outside_it_is_refused(program: Program) -> None:
    words = pa.array(["120.5"] * 100)
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, pa.schema([("lon", pa.string()), ("lat", pa.string())])) as out:
        out.write_batch(pa.record_batch([words, words], names=["lon", "lat"]))
    ends = (100 * 5).to_bytes(4, "little")
    body = stream.getvalue().replace(ends, (1 << 30).to_bytes(4, "little"))
    assert body != stream.getvalue()
    assert refusal(program.post(body, "arrows")) == "file.unreadable"


def test_more_rows_than_a_batch_may_have_are_refused(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "ROWS_MOST", 100)
    assert refusal(program.post(as_csv(LONLAT), "csv")) == "batch.too_many_rows"
    assert len(rows(program.post(as_csv(LONLAT[:100]), "csv"))) == 100


def test_a_body_larger_than_a_batch_may_be_is_refused(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BODY_MOST_BYTES", 1000)
    assert refusal(program.post(as_csv(LONLAT), "csv"), 413) == "error.too_large"


def test_a_batch_may_be_larger_than_other_requests(program: Program, office: Flask) -> None:
    body = b"lon,lat,note\n" + b"1.5,2.5," + b"x" * office.config["MAX_CONTENT_LENGTH"] + b"\n"
    assert rows(program.post(body, "csv"))[0]["flags"] == "outside"


def test_when_all_desks_are_taken_a_batch_is_asked_to_come_again(program: Program) -> None:
    with batch._desk(), batch._desk():
        response = program.post(as_csv(LONLAT), "csv")
    assert refusal(response, 429) == "batch.busy"
    assert response.headers["Retry-After"] == "5"


def test_a_stranger_is_told_to_sign_in(office: Flask) -> None:
    said = office.test_client().post("/api/v1/locate/batch", data=b"lon,lat\n", content_type="text/csv")
    assert said.status_code in {400, 401}
