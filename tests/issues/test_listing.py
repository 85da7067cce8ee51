"""Lists of issues: filters, counts and features, seen through row-level security."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg2.extras import Json
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Invalid, NotFound
from gis.issues import listing
from gis.issues.listing import Filters
from gis.settings import Settings
from tests import town
from tests.issues import filed

WEST, EAST = "admin:district:990101", "admin:district:990102"


@pytest.fixture
def three(session: Session) -> Session:
    """Two issues in the west, one in the east that a second department leads."""
    filed.people(session)
    filed.issue(session, 1, 0.5, 0.5, text="井盖 100%_broken")
    filed.issue(session, 2, 1.5, 0.5, reported_at=filed.AT + timedelta(days=1), flags=["near_boundary"])
    filed.issue(session, 3, 3.0, 0.5, ground=[EAST], lead="sw", departments=["sw", "cg"], state="to_locate")
    return session


def found(session: Session, **filters: Any) -> list[str]:
    rows = listing.rows(session, Filters(**filters))
    return sorted(row["external_id"] for row in rows)


def test_the_latest_report_comes_first(three: Session) -> None:
    assert [row["external_id"] for row in listing.rows(three, Filters())] == ["2", "3", "1"]


def test_a_period_is_half_open(three: Session) -> None:
    day = timedelta(days=1)
    assert found(three, since=filed.AT, until=filed.AT + day) == ["1", "3"]
    assert found(three, since=filed.AT + day) == ["2"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"departments": ("sw",)}, ["3"]),
        ({"departments": ("sw", "cg")}, ["1", "2", "3"]),
        ({"states": ("to_locate",)}, ["3"]),
        ({"flags": ("near_boundary",)}, ["2"]),
        ({"units": (WEST,)}, ["1", "2"]),
        ({"categories": ("0502",)}, []),
        ({"sources": ("12345",)}, ["1", "2", "3"]),
        ({"text": "井盖"}, ["1"]),
        ({"text": "100%_b"}, ["1"]),
        ({"text": "%"}, ["1"]),
        ({"text": "990101000002"}, ["2"]),
        ({"units": (WEST,), "text": "ISSUE"}, ["2"]),
    ],
)
def test_each_filter_keeps_what_it_names(three: Session, filters: dict[str, Any], expected: list[str]) -> None:
    assert found(three, **filters) == expected


def test_a_box_keeps_what_it_meets(three: Session) -> None:
    assert found(three, bbox=(*town.lonlat(1, 0), *town.lonlat(4, 2))) == ["2", "3"]


def test_a_box_keeps_no_polygon_whose_own_box_alone_it_meets(session: Session) -> None:
    filed.people(session)
    corner = [town.lonlat(x, y) for x, y in ((0, 0), (2, 0), (0, 2), (0, 0))]
    filed.issue(session, 1, point=f"POLYGON(({', '.join(f'{lon} {lat}' for lon, lat in corner)}))")
    assert found(session, bbox=(*town.lonlat(1.5, 1.5), *town.lonlat(2, 2))) == []


def test_pages_do_not_overlap(three: Session) -> None:
    pages = [listing.rows(three, Filters(), page=page, per_page=2) for page in (1, 2, 3)]
    assert [[row["external_id"] for row in page] for page in pages] == [["2", "3"], ["1"], []]


def test_the_total_counts_all_pages(three: Session) -> None:
    assert listing.total(three, Filters(units=(WEST,))) == 2


def test_counts_are_by_state_category_department_flag_and_due_time(three: Session) -> None:
    assert listing.counts(three, Filters()) == {
        "state": {"filed": 2, "to_locate": 1},
        "category": {"0501": 3},
        "department": {"cg": 3, "sw": 1},
        "flag": {"near_boundary": 1},
        "due": {"unset": 3},
    }


def test_a_feature_names_its_departments_the_lead_apart(three: Session) -> None:
    [feature] = features(three, departments=("sw",))
    assert feature["properties"]["lead"] == {"code": "sw", "name_zh": "水务局", "name_en": "Water"}
    assert [each["name_zh"] for each in feature["properties"]["departments"]] == ["水务局", "城管局"]


def test_a_feature_of_a_point_has_no_footprint(three: Session) -> None:
    assert [feature["properties"]["footprint"] for feature in features(three)] == [None, None, None]


def test_a_feature_of_a_polygon_has_its_footprint_and_a_point_inside(session: Session) -> None:
    filed.people(session)
    filed.issue(session, 1, point="POLYGON((120 30, 120.01 30, 120.01 30.01, 120 30))")
    [feature] = features(session)
    assert feature["properties"]["footprint"]["type"] == "Polygon"
    assert feature["geometry"]["type"] == "Point"


def test_a_feature_holds_nothing_of_the_reporter_and_no_text(session: Session) -> None:
    filed.people(session)
    filed.issue(session, 1, reporter=Json({"name": "王芳", "phone": "13800000000"}), text="我是王芳")
    assert "王" not in listing.geojson(session, Filters(), seq=0)


def test_a_collection_carries_the_number_the_stream_goes_on_from(three: Session) -> None:
    assert json.loads(listing.geojson(three, Filters(), seq=17))["seq"] == 17


def test_an_empty_list_is_a_collection_too(session: Session) -> None:
    assert json.loads(listing.geojson(session, Filters(), seq=0))["features"] == []


def test_an_unlocated_issue_has_no_feature(session: Session) -> None:
    filed.people(session)
    issue_id = filed.issue(session, 1)
    session.execute(text("UPDATE issue SET located = false, geom = NULL, point_geom = NULL"))
    assert features(session) == []
    assert listing.seen(session, [issue_id])[issue_id].ground == (WEST,)


def test_an_issue_is_found_by_its_code(three: Session) -> None:
    assert listing.get(three, "990101000002")["external_id"] == "2"


def test_an_unknown_code_is_not_found(three: Session) -> None:
    with pytest.raises(NotFound):
        listing.get(three, "none")


@pytest.mark.parametrize(
    ("value", "shown"), [("王芳", "王***"), ("13812345678", "1***78"), ("", "***"), ("a@b.cn", "a***")]
)
def test_a_masked_reporter_keeps_little(value: str, shown: str) -> None:
    assert listing.masked({"field": value}) == {"field": shown}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"since": "yesterday"}, "listing.bad_time"),
        ({"since": "2024-05-06T08:00:00"}, "listing.bad_time"),
        ({"bbox": "1,2,3"}, "listing.bad_bbox"),
        ({"bbox": "1,2,a,3"}, "listing.bad_bbox"),
        ({"bbox": "nan,2,3,4"}, "listing.bad_bbox"),
        ({"bbox": "3,2,1,4"}, "listing.bad_bbox"),
        ({"states": "lost"}, "listing.unknown_value"),
        ({"flags": "straddles,wild"}, "listing.unknown_value"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(given: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        listing.parse_filters(given)
    assert caught.value.code == code


def test_filters_are_read_from_text() -> None:
    given = {"states": "filed, to_locate", "bbox": "119,29,121,31", "since": "2024-05-06T08:00:00Z", "page": "2"}
    assert listing.parse_filters(given) == Filters(
        since=filed.AT, states=("filed", "to_locate"), bbox=(119.0, 29.0, 121.0, 31.0)
    )


def features(session: Session, **filters: Any) -> list[Any]:
    collection = json.loads(listing.geojson(session, Filters(**filters), seq=0))
    listed: list[Any] = collection["features"]
    return listed


@pytest.fixture(scope="module")
def crowded(server: Settings, template: str) -> Iterator[Engine]:
    """Twenty thousand issues, for the planner to take seriously."""
    from tests.conftest import _copied

    with _copied(server, template) as settings:
        engine = db.connect(settings)
        with db.session(engine, db.EVERYTHING) as session:
            filed.people(session)
            filed.issue(session, 0)
            session.execute(text(_MANY))
            session.commit()
        _analyze(settings)
        yield engine
        engine.dispose()


_MANY = """
INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at, received_at,
                   place, located, flags, ground, departments, geom, point_geom)
SELECT 'x' || n, source, 'x' || n, scheme, scheme_version, category, text, state, reported_at, received_at, place,
       located, flags, ARRAY['admin:district:' || n % 50], ARRAY['d' || n % 500], spot, spot
FROM issue, generate_series(1, 20000) AS n, ST_Point(120 + (n % 200) / 1000.0, 30 + n / 200 / 1000.0, 4326) AS spot
"""


def _analyze(settings: Settings) -> None:
    owner = db.connect_owner(settings)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE issue"))
    owner.dispose()


@pytest.mark.parametrize("scope", [db.EVERYTHING, db.Scope(units=(("admin", "district", "7"),))])
def test_a_box_query_goes_to_the_index_under_row_level_security(crowded: Engine, scope: db.Scope) -> None:
    where, values = listing._where(Filters(bbox=(120.05, 30.05, 120.051, 30.051)))
    with db.session(crowded, scope) as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN SELECT code FROM issue WHERE {where}"), values))
    assert "issue_geom" in plan
    assert "Seq Scan on issue" not in plan


@pytest.mark.parametrize("order", ["reported", "due"])
def test_a_departments_list_goes_to_its_index_under_row_level_security(crowded: Engine, order: str) -> None:
    where, values = listing._where(Filters(departments=("d7",)))
    sql = f"EXPLAIN SELECT code FROM issue WHERE {where} ORDER BY {listing.ORDERS[order]} LIMIT 50"
    with db.session(crowded, db.Scope(department="d7")) as session:
        plan = "\n".join(session.scalars(text(sql), values))
    assert "issue_departments" in plan
    assert "Seq Scan on issue" not in plan


def test_a_department_lists_what_it_is_called_to_only(crowded: Engine) -> None:
    with db.session(crowded, db.Scope(department="d7")) as session:
        assert listing.total(session, Filters()) == 40


def test_a_leader_lists_the_own_patch_and_what_they_filed_only(crowded: Engine) -> None:
    scope = db.Scope(units=(("admin", "district", "7"),), username="li")
    with db.session(crowded, scope) as session:
        assert listing.total(session, Filters()) == 400
        filed.issue(session, 30_000, created_by="li", ground=["admin:district:8"])
        assert listing.total(session, Filters()) == 401
        session.rollback()


def test_pins_say_what_features_say_and_each_name_once(three: Session) -> None:
    told = json.loads(listing.pins(three, Filters()))
    features = json.loads(listing.geojson(three, Filters(), seq=0))["features"]
    for pin, feature in zip(told["pins"], features, strict=True):
        said = feature["properties"]
        assert (pin["id"], pin["geometry"]) == (feature["id"], feature["geometry"])
        assert told["categories"][pin["category"]] == said["category"]
        assert told["departments"][pin["lead"]] == said["lead"]
        assert [told["departments"][code] for code in pin["departments"]] == said["departments"]
        plain = ("state", "version", "marks", "source", "located", "flags", "footprint")
        assert [pin[name] for name in plain] == [said[name] for name in plain]


def test_no_pin_is_no_fault(session: Session) -> None:
    assert json.loads(listing.pins(session, Filters())) == {"pins": [], "categories": {}, "departments": {}}


# Signs that differ by sixteen bits, that are lowered in one way or another, that mean something in a pattern.
SIGNS = st.text("aA1é É%_\\\U0001f600\uf600İΣσ井盖路灯", max_size=12)


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SIGNS, SIGNS, SIGNS, st.booleans())
def test_whoever_reads_words_in_a_text_finds_them_by_their_pairs(
    session: Session, before: str, words: str, after: str, inside: bool
) -> None:
    said = f"{before}{words if inside else ''}{after}"
    sql = """SELECT :said ILIKE :pattern AS reads, sign_pairs(:said, true)
             @> sign_pairs(CAST(:words AS text), char_length(:words) = 1) AS pairs"""
    values = {"said": said, "words": words, "pattern": f"%{listing._unpatterned(words)}%"}
    found = session.execute(text(sql), values).one()
    assert found.pairs or not found.reads


@pytest.mark.parametrize(
    ("words", "expected"),
    [("井盖", ["1"]), ("井", ["1"]), ("BROKEN", ["1"]), ("0%_b", ["1"]), ("0%b", []), ("盖井", []), ("3", ["3"])],
)
def test_words_are_found_as_they_are_written(three: Session, words: str, expected: list[str]) -> None:
    three.execute(text("UPDATE issue SET text = '' WHERE external_id <> '1'"))
    assert found(three, text=words) == expected


def test_a_text_that_is_erased_leaves_no_pairs(three: Session) -> None:
    three.execute(text("UPDATE issue SET text = ''"))
    assert three.scalars(text("SELECT DISTINCT pairs FROM issue")).all() == [[]]


@pytest.mark.parametrize("scope", [db.EVERYTHING, db.Scope(units=(("admin", "district", "7"),))])
@pytest.mark.parametrize("words", ["犬只", "犬"])
def test_words_go_to_their_index_under_row_level_security(crowded: Engine, scope: db.Scope, words: str) -> None:
    where, values = listing._where(Filters(text=words))
    with db.session(crowded, scope) as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN SELECT code FROM issue WHERE {where}"), values))
    assert "issue_pairs" in plan
    assert "Seq Scan on issue" not in plan
