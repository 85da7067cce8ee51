"""Import of places: what goes in, what is left out and why, and that nothing is doubled or lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from sqlalchemy import Engine, Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gis import db, language
from gis.errors import Invalid, Unavailable
from gis.settings import Settings
from gis.territory import coords, places
from gis.territory.places import PlaceFile, Reject, Report, Watch, mapping
from gis.territory.places.files import ROW_NUMBER
from tests.territory.plots import EAST, NORTH, STEP, add_edition, add_net, add_unit, plot, spot

NOW = datetime(2024, 5, 1, 8, tzinfo=UTC)
Loader = Callable[..., tuple[Report, list[Reject]]]


@pytest.fixture
def load(session: Session) -> Loader:
    """Import a file and give the report and the rows left out."""

    def loaded(path: Path, dry_run: bool = False, **entry: object) -> tuple[Report, list[Reject]]:
        said = {"kind": "building", "source": "test", "fields": {"external_id": "id"}} | entry
        file = mapping.place_file(said | {"file": path.name}, "test", path.parent)
        left_out: list[Reject] = []
        report = places.load(session, file, Watch(reject=left_out.append), now=NOW, dry_run=dry_run)
        assert report.rows == report.added + report.changed + report.same + report.rejected
        assert report.rejected == len(left_out)
        return report, left_out

    return loaded


def write(
    folder: Path, shapes: Sequence[object], name: str = "file.parquet", crs: str = "EPSG:4326", **columns: object
) -> Path:
    frame = gpd.GeoDataFrame({"id": np.arange(1, len(shapes) + 1)} | columns, geometry=shapes, crs=crs)
    path = folder / name
    frame.to_parquet(path) if name.endswith(".parquet") else frame.to_file(path)
    return path


def one(session: Session, columns: str, table: str = "building") -> Row[Any]:
    return session.execute(text(f"SELECT {columns} FROM {table}")).one()


def count(session: Session, table: str = "building") -> int:
    return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_a_footprint_goes_in_as_it_is(session: Session, tmp_path: Path, load: Loader) -> None:
    ring = Polygon(plot(1, 1, 3, 3).exterior, [plot(1.5, 1.5, 2, 2).exterior])
    path = write(tmp_path, [ring], name_zh=["中心 大楼"], height=[12.5], floors=[4.0])
    fields = {"external_id": "id", "name": "name_zh", "height_m": "height"}
    report, _ = load(path, fields=fields, attributes={"floors": "floors"}, values={"kind": "office"})
    assert (report.added, report.rejected) == (1, 0)
    row = one(session, "external_id, name, name_en, kind, height_m, area_m2, attributes, ST_AsBinary(geom) AS geom")
    assert row[:5] == ("1", "中心 大楼", "中心 大楼", "office", 12.5)
    assert row.attributes == {"floors": 4}
    assert row.area_m2 == pytest.approx(coords.area_m2(ring))
    assert shapely.from_wkb(bytes(row.geom)) == MultiPolygon([ring])


def test_importing_again_changes_nothing(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2), plot(2, 1, 3, 2)])
    load(path)
    report, _ = load(path)
    assert (report.added, report.changed, report.same) == (0, 0, 2)
    assert count(session) == 2


def test_a_row_that_changed_is_brought_up_to_date_and_others_stay(
    session: Session, tmp_path: Path, load: Loader
) -> None:
    fields = {"external_id": "id", "name": "name"}
    load(write(tmp_path, [plot(1, 1, 2, 2), plot(2, 1, 3, 2)], name="a.parquet"), fields={"external_id": "id"})
    second = gpd.GeoDataFrame({"id": [2], "name": ["New"]}, geometry=[plot(2, 1, 3, 2)], crs="EPSG:4326")
    second.to_parquet(tmp_path / "b.parquet")
    report, _ = load(tmp_path / "b.parquet", fields=fields)
    assert (report.added, report.changed, report.same) == (0, 1, 0)
    assert session.scalars(text("SELECT name FROM building ORDER BY external_id")).all() == ["", "New"]


def test_the_same_id_from_two_sources_is_two_places(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2)])
    load(path)
    load(path, source="other")
    assert count(session) == 2


def test_a_dry_run_says_what_would_be_and_leaves_nothing(session: Session, tmp_path: Path, load: Loader) -> None:
    report, _ = load(write(tmp_path, [plot(1, 1, 2, 2)]), dry_run=True)
    assert report.added == 1
    assert count(session) == 0
    assert count(session, "ground_version") == 0


def test_the_base_maps_version_grows_when_something_changed(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2)])
    load(path)
    load(path)
    assert one(session, "layer, version", "ground_version") == ("building", 1)


BOW_TIE = Polygon([spot(0, 0), spot(2, 2), spot(2, 0), spot(0, 2)])


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (None, "places.no_geometry"),
        (Polygon(), "places.empty_geometry"),
        (BOW_TIE, "places.invalid_ring"),
        (Point(spot(1, 1)), "places.wrong_shape"),
        (LineString([spot(0, 0), spot(1, 1)]), "places.wrong_shape"),
        (box(500, 30, 501, 31), "places.outside_world"),
        (Polygon([spot(0, 0), (np.nan, NORTH), spot(1, 1)]), "places.not_finite"),
    ],
)
def test_a_shape_that_cannot_be_used_is_left_out_with_the_reason(
    session: Session, tmp_path: Path, load: Loader, shape: object, code: str
) -> None:
    report, left_out = load(write(tmp_path, [plot(1, 1, 2, 2), shape]))
    assert (report.added, report.rejected) == (1, 1)
    assert [(each.row, each.external_id, each.code) for each in left_out] == [(2, "2", code)]
    for locale in language.LOCALES:
        assert "{" not in language.say(code, locale, **left_out[0].params)


def test_a_broken_ring_says_where_it_is_broken(tmp_path: Path, load: Loader) -> None:
    _, (left_out,) = load(write(tmp_path, [BOW_TIE]))
    assert (float(left_out.params["lon"]), float(left_out.params["lat"])) == pytest.approx(spot(1, 1))


def test_a_broken_ring_is_repaired_only_when_the_mapping_says_so(
    session: Session, tmp_path: Path, load: Loader
) -> None:
    report, _ = load(write(tmp_path, [BOW_TIE, plot(5, 5, 6, 6)]), repair=True)
    assert (report.added, report.repaired) == (2, 1)
    assert session.scalar(text("SELECT count(*) FROM building WHERE ST_IsValid(geom)")) == 2
    twice = session.scalar(text("SELECT ST_Area(geom) FROM building WHERE external_id = '1'"))
    assert twice == pytest.approx(2 * STEP**2, rel=1e-6)


def test_heights_are_left_out_and_counted(session: Session, tmp_path: Path, load: Loader) -> None:
    report, _ = load(write(tmp_path, [shapely.force_3d(plot(1, 1, 2, 2), 7.0), plot(3, 1, 4, 2)]))
    assert (report.added, report.flattened) == (2, 1)
    assert session.scalar(text("SELECT max(ST_NDims(geom)) FROM building")) == 2


def test_an_arc_becomes_short_edges(session: Session, tmp_path: Path, load: Loader) -> None:
    at = " ".join(("{:.9f} {:.9f},".format(*spot(x, y))) for x, y in ((0, 1), (1, 2), (2, 1), (1, 0)))
    ring = f"CURVEPOLYGON(CIRCULARSTRING({at} {EAST:.9f} {NORTH + STEP:.9f}))"
    path = tmp_path / "arcs.csv"
    path.write_text(f'id,WKT\n1,"{ring}"\n2,"POLYGON((0 0,1 0,1 1,0 0))"\n', "utf-8")
    report, _ = load(path, crs="EPSG:4326")
    assert report.added == 2
    area = session.scalar(text("SELECT ST_Area(geom) FROM building WHERE external_id = '1'"))
    assert area == pytest.approx(np.pi * STEP**2, rel=0.002)


def test_a_number_that_is_none_is_left_out_with_its_text(tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2), plot(2, 1, 3, 2)], height=["12", "tall"])
    report, (left_out,) = load(path, fields={"external_id": "id", "height_m": "height"})
    assert report.added == 1
    assert (left_out.code, left_out.params["value"]) == ("places.not_a_number", "tall")


def test_an_id_that_comes_twice_is_kept_once_and_said(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2), plot(5, 1, 6, 2), plot(7, 1, 8, 2)], id=["a", "b", "a"])
    report, (left_out,) = load(path)
    assert (report.added, report.rejected) == (2, 1)
    assert (left_out.row, left_out.code, left_out.params) == (3, "places.duplicate_id", {"first_row": 1})


def test_a_row_without_an_id_is_left_out(tmp_path: Path, load: Loader) -> None:
    _, (left_out,) = load(write(tmp_path, [plot(1, 1, 2, 2), plot(5, 1, 6, 2)], id=["a", " "]))
    assert (left_out.row, left_out.code) == (2, "places.no_id")


def test_the_rows_number_may_stand_for_the_id(session: Session, tmp_path: Path, load: Loader) -> None:
    load(write(tmp_path, [plot(1, 1, 2, 2), plot(5, 1, 6, 2)]), fields={"external_id": ROW_NUMBER})
    assert session.scalars(text("SELECT external_id FROM building ORDER BY 1")).all() == ["1", "2"]


HOSTILE = "<script>alert(1)</script>'; DROP TABLE building; --\t\\N\n\"{}\\"


def test_text_is_kept_as_it_is_whatever_it_looks_like(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(1, 1, 2, 2)], note=[HOSTILE], other=["乙;  丙"])
    fields = {"external_id": "id", "name": "note", "aliases": ["note", "other"]}
    load(path, kind="estate", fields=fields, attributes={"note": "note"})
    row = one(session, "name, aliases, attributes", "estate")
    assert row.name == HOSTILE
    assert row.attributes == {"note": HOSTILE}
    assert row.aliases[-2:] == ["乙", "丙"]


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.fgb", "a.shp"])
def test_what_gdal_reads_goes_in(session: Session, tmp_path: Path, load: Loader, name: str) -> None:
    report, _ = load(write(tmp_path, [plot(1, 1, 2, 2), plot(3, 1, 4, 2)], name=name))
    assert report.added == 2
    assert session.scalars(text("SELECT external_id FROM building ORDER BY 1")).all() == ["1", "2"]


def test_projected_coordinates_land_where_they_belong(session: Session, tmp_path: Path, load: Loader) -> None:
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[plot(1, 1, 2, 2)], crs="EPSG:4326").to_crs("EPSG:4547")
    frame.to_file(tmp_path / "gk.gpkg")
    load(tmp_path / "gk.gpkg")
    found = shapely.from_wkb(bytes(one(session, "ST_AsBinary(geom)")[0]))
    assert found.hausdorff_distance(plot(1, 1, 2, 2)) < 1e-9


def test_shifted_coordinates_are_shifted_back(session: Session, tmp_path: Path, load: Loader) -> None:
    lon, lat = coords.from_wgs84(*spot(1, 1), "GCJ02")
    path = write(tmp_path, [Point(float(lon), float(lat))])
    load(path, kind="component", datum="GCJ02")
    found = one(session, "ST_X(geom), ST_Y(geom)", "component")
    assert tuple(found) == pytest.approx(spot(1, 1), abs=1e-9)


def test_a_table_with_two_columns_of_coordinates_makes_points(session: Session, tmp_path: Path, load: Loader) -> None:
    path = tmp_path / "lamps.csv"
    rows = [f"灯{n},{EAST + n * STEP},{NORTH},城管局,路灯所,养护公司" for n in (1, 2)]
    path.write_bytes("\n".join(["id,x,y,a,o,m", *rows, "灯3,east,north,,,"]).encode("gb18030"))
    fields = {"external_id": "id", "authority": "a", "owner": "o", "maintainer": "m"}
    report, (left_out,) = load(path, kind="component", lon="x", lat="y", fields=fields)
    assert (report.added, left_out.row, left_out.code) == (2, 4, "places.not_finite")
    row = session.execute(text("SELECT * FROM component WHERE external_id = '灯1'")).one()
    assert (row.authority, row.owner, row.maintainer) == ("城管局", "路灯所", "养护公司")


def test_a_house_number_gets_the_key_it_is_looked_up_by(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [Point(spot(1, 1))], street=["文一路"], number=["１２号"])
    load(path, kind="address", fields={"external_id": "id", "street_name": "street", "house_number": "number"})
    assert one(session, "key", "address").key == "文1路|12"


def test_land_has_a_kind(session: Session, tmp_path: Path, load: Loader) -> None:
    load(write(tmp_path, [plot(0, 0, 9, 9)]), kind="land", values={"kind": "water"})
    assert one(session, "kind", "land").kind == "water"


def test_a_street_is_as_wide_as_its_class(session: Session, tmp_path: Path, load: Loader) -> None:
    line = LineString([spot(0, 0), spot(10, 0)])
    path = write(tmp_path, [line], cls=["secondary"])
    load(path, kind="street", fields={"external_id": "id", "road_class": "cls"})
    row = one(session, "width_m, length_m, area_m2, road_class, ST_AsBinary(centre_geom) AS centre", "street")
    assert (row.width_m, row.road_class) == (24.0, "secondary")
    assert row.length_m == pytest.approx(coords.length_m(line))
    assert row.area_m2 == pytest.approx(24 * row.length_m, rel=1e-4)
    assert shapely.from_wkb(bytes(row.centre)).equals(line)


def test_a_width_that_is_given_counts_before_the_class(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [LineString([spot(0, 0), spot(0, 10)])], cls=["primary"], w=[10.0])
    load(path, kind="street", widths="osm", fields={"external_id": "id", "road_class": "cls", "width_m": "w"})
    row = one(session, "width_m, road_class, length_m, area_m2", "street")
    assert (row.width_m, row.road_class) == (10.0, "arterial")
    assert row.area_m2 == pytest.approx(10 * row.length_m, rel=1e-4)


def test_a_round_cap_goes_half_a_width_further(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [LineString([spot(0, 0), spot(10, 0)])], w=[20.0])
    load(path, kind="street", caps="round", fields={"external_id": "id", "width_m": "w"})
    row = one(session, "length_m, area_m2", "street")
    assert row.area_m2 == pytest.approx(20 * row.length_m + np.pi * 100, rel=2e-4)


def test_a_class_without_a_width_is_left_out(tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [LineString([spot(0, 0), spot(10, 0)])], cls=["canal"])
    _, (left_out,) = load(path, kind="street", fields={"external_id": "id", "road_class": "cls"})
    assert (left_out.code, left_out.params["road_class"]) == ("places.no_width", "canal")


def test_a_street_that_comes_as_a_polygon_stays_one(session: Session, tmp_path: Path, load: Loader) -> None:
    path = write(tmp_path, [plot(0, 0, 10, 0.1), LineString([spot(0, 5), spot(10, 5)])], cls=["lane", "lane"])
    load(path, kind="street", fields={"external_id": "id", "road_class": "cls"})
    row = session.execute(text("SELECT * FROM street WHERE external_id = '1'")).one()
    assert (row.centre_geom, row.width_m) == (None, None)
    east = coords.metres_per_degree(np.array([NORTH]))[0][0]
    assert row.length_m == pytest.approx(10 * STEP * east, rel=1e-3)


def test_shares_are_known_after_an_import(session: Session, tmp_path: Path, load: Loader) -> None:
    add_net(session, "admin", "district")
    edition = add_edition(session, "admin", "2023", date(2023, 1, 1))
    add_unit(session, edition, "district", "W", plot(0, 0, 4, 4))
    add_unit(session, edition, "district", "E", plot(4, 0, 8, 4))
    report, _ = load(write(tmp_path, [plot(3, 1, 6, 2)]))
    assert report.shares == 2
    assert len(places.straddlers(session, edition.id, "district", "building")) == 1
    report, _ = load(write(tmp_path, [plot(5, 1, 6, 2)]))
    assert (report.changed, report.shares) == (1, 1)
    assert places.straddlers(session, edition.id, "district", "building") == ()


def test_a_file_that_is_not_there(tmp_path: Path, load: Loader) -> None:
    with pytest.raises(Invalid, match=r"places\.file_missing"):
        load(tmp_path / "none.parquet")


@pytest.mark.parametrize("name", ["a.parquet", "a.geojson", "a.gpkg", "a.fgb"])
def test_a_truncated_file_is_told_and_writes_nothing(session: Session, tmp_path: Path, load: Loader, name: str) -> None:
    rng = np.random.default_rng(1)
    shapes = [plot(x, y, x + 0.5, y + 0.5) for x, y in rng.uniform(0, 100, (3000, 2))]
    path = write(tmp_path, shapes, name=name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(Invalid, match=r"places\.file_(unreadable|breaks_off)"):
        load(path)
    assert count(session) == 0


def test_a_file_that_is_none(tmp_path: Path, load: Loader) -> None:
    (tmp_path / "a.gpkg").write_text("not a file of this kind")
    with pytest.raises(Invalid, match=r"places\.file_unreadable"):
        load(tmp_path / "a.gpkg")


def test_a_field_that_is_missing_is_named_with_those_that_are_there(tmp_path: Path, load: Loader) -> None:
    with pytest.raises(Invalid, match=r"places\.no_field") as caught:
        load(write(tmp_path, [plot(1, 1, 2, 2)]), fields={"external_id": "nummer"})
    assert caught.value.params["missing"] == "nummer"
    assert "id" in str(caught.value.params["found"])


def test_a_file_without_a_coordinate_system_needs_one_in_the_mapping(tmp_path: Path, load: Loader) -> None:
    (tmp_path / "a.csv").write_text('id,WKT\n1,"POLYGON((114 30,114.1 30,114.1 30.1,114 30))"\n', "utf-8")
    with pytest.raises(Invalid, match=r"places\.no_crs"):
        load(tmp_path / "a.csv")
    report, _ = load(tmp_path / "a.csv", crs="EPSG:4490")
    assert report.added == 1


def test_a_wrong_coordinate_system_leaves_rows_out_and_says_so(tmp_path: Path, load: Loader) -> None:
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[plot(1, 1, 2, 2)], crs="EPSG:4326").to_crs("EPSG:4547")
    frame.set_crs("EPSG:4326", allow_override=True).to_parquet(tmp_path / "a.parquet")
    _, (left_out,) = load(tmp_path / "a.parquet")
    assert left_out.code == "places.outside_world"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"kind": "castle"}, "places.mapping_not_a_choice"),
        ({"datum": "Mars"}, "places.mapping_not_a_choice"),
        ({"colour": "red"}, "places.mapping_unknown_key"),
        ({"source": ""}, "places.mapping_missing_key"),
        ({"fields": {"name": "n"}}, "places.mapping_no_id"),
        ({"fields": {"external_id": "id", "geom": "g"}}, "places.mapping_unknown_field"),
        ({"lon": "x"}, "places.mapping_half_a_point"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(tmp_path: Path, load: Loader, entry: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        load(tmp_path / "a.parquet", **entry)
    assert caught.value.code == code
    for locale in language.LOCALES:
        assert "{" not in language.explain(caught.value, locale)


def test_a_mapping_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "places.toml").write_text(
        '[[places]]\nkind = "land"\nfile = "a.gpkg"\nsource = "s"\n[places.fields]\nexternal_id = "id"\n', "utf-8"
    )
    (file,) = places.read_mapping(tmp_path / "places.toml", Path("/data"))
    assert isinstance(file, PlaceFile)
    assert (file.kind, file.path, file.wanted) == ("land", Path("/data/a.gpkg"), ("id",))


@pytest.mark.parametrize("content", ["", "[[places]", json.dumps({"places": 1})])
def test_a_mapping_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "places.toml").write_text(content, "utf-8")
    with pytest.raises(Invalid, match=r"places\.mapping_(empty|unreadable)"):
        places.read_mapping(tmp_path / "places.toml")


def test_the_database_gone_in_mid_import_leaves_nothing_behind(
    clean_db: Engine, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path, [plot(x, 0, x + 0.5, 1) for x in range(30)])
    said = {"kind": "building", "file": path.name, "source": "test", "fields": {"external_id": "id"}}
    file = mapping.place_file(said, "test", tmp_path)
    owner = db.connect_owner(settings)
    with db.session(clean_db, db.EVERYTHING) as session, db.session(owner, db.EVERYTHING) as other:
        backend = session.scalar(text("SELECT pg_backend_pid()"))

        def pull_the_plug(_done: int, _all: int | None) -> None:
            other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})

        with pytest.raises(DBAPIError) as caught:
            places.load(session, file, Watch(progress=pull_the_plug), now=NOW)
        assert isinstance(db.foreseen(caught.value), Unavailable)
        assert count(other) == 0
    owner.dispose()
    with db.session(clean_db, db.EVERYTHING) as again:
        assert places.load(again, file, Watch(), now=NOW).added == 30
