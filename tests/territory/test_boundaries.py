"""Boundary files become editions: read by a manifest, refused with a sentence, loaded dark, activated from a date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis import language
from gis.errors import Conflict, Invalid, NotFound, Problems
from gis.territory import boundaries, coords, tables, units
from gis.territory.boundaries import Draft, FaultsFoundError
from tests.territory.plots import STEP, plot

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
NET = """
[[net]]
code = "admin"
name_zh = "行政"
name_en = "Administrative"
  [[net.level]]
  code = "district"
  rank = 0
  name_zh = "区"
  name_en = "District"
"""
EDITION = """
[[edition]]
net = "admin"
name = "{name}"
source = "test"
licence = "none"
valid_from = 2020-01-01
"""
LAYER = """
  [[edition.layer]]
  file = "{file}"
  level = "district"
  code = "code"
  name = "name"
"""
WEST, EAST = plot(0, 0, 1, 1), plot(1, 0, 2, 1)
SUFFIXES = ("geojson", "shp", "gpkg", "fgb", "parquet")


def table(*shapes: BaseGeometry | None, codes: str = "ab", **fields: Any) -> gpd.GeoDataFrame:
    names = list(codes[: len(shapes)])
    return gpd.GeoDataFrame({"code": names, "name": names} | fields, geometry=list(shapes), crs=4326)


def write(folder: Path, rows: gpd.GeoDataFrame, file: str = "town.geojson") -> str:
    rows.to_parquet(folder / file) if file.endswith("parquet") else rows.to_file(folder / file)
    return file


def manifest(folder: Path, file: str, more: str = "", name: str = "2020") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(NET + EDITION.format(name=name) + LAYER.format(file=file) + more, "utf-8")
    return path


def draft_of(folder: Path, rows: gpd.GeoDataFrame, more: str = "", name: str = "2020") -> Draft:
    file = write(folder, rows, f"{name}.geojson")
    return boundaries.read(boundaries.read_manifest(manifest(folder, file, more, name)))[0]


def read(path: Path) -> Draft:
    return boundaries.read(boundaries.read_manifest(path))[0]


def refused(path: Path) -> Invalid:
    with pytest.raises(Invalid) as error:
        read(path)
    for locale in language.LOCALES:
        said = language.explain(error.value, locale)
        assert "{" not in said
        assert error.value.code not in said
    return error.value


def load(session: Session, draft: Draft, *, accept: bool = False) -> tables.Edition:
    return boundaries.load(session, draft, accept=accept, by="tester", now=NOW)


def activate(session: Session, name: str, start: date | None) -> tables.Edition:
    return boundaries.activate(session, "admin", name, start, by="tester", now=NOW)


def has_corners(shape: BaseGeometry, box: tuple[float, float, float, float]) -> bool:
    corners = shapely.points(shapely.get_coordinates(shapely.box(*box)))
    return bool((shapely.distance(corners, shapely.MultiPoint(shapely.get_coordinates(shape))) < 1e-9).all())


def in_force(session: Session, on: date) -> list[str]:
    return [edition.name for edition in units.in_force(session, on)]


@pytest.fixture
def two(session: Session, tmp_path: Path) -> Session:
    """Give a database with the editions 2020 and 2023, both dark."""
    for name in ("2020", "2023"):
        load(session, draft_of(tmp_path, table(WEST, EAST), name=name))
    return session


# Reading


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_units(tmp_path: Path, suffix: str) -> None:
    draft = read(manifest(tmp_path, write(tmp_path, table(WEST, EAST), f"town.{suffix}")))
    found = dict(zip(draft.units["code"], draft.units.geometry, strict=True))
    assert {code: found[code].equals(shape) for code, shape in (("a", WEST), ("b", EAST))} == {"a": True, "b": True}


@pytest.mark.parametrize("crs", ["EPSG:2263", "EPSG:4269"])
def test_new_york_in_feet_or_degrees_lands_on_the_same_ground(tmp_path: Path, crs: str) -> None:
    square = gpd.GeoSeries([shapely.box(-74.0, 40.7, -73.99, 40.71)], crs=4326)
    rows = table(square.to_crs(crs).iloc[0]).set_crs(crs, allow_override=True)
    draft = read(manifest(tmp_path, write(tmp_path, rows, "town.gpkg")))
    assert has_corners(draft.units.geometry.iloc[0], (-74.0, 40.7, -73.99, 40.71))


@pytest.mark.parametrize("crs", ["EPSG:4548", "EPSG:4490", "EPSG:4527"])
def test_cgcs2000_lands_where_it_says(tmp_path: Path, crs: str) -> None:
    square = gpd.GeoSeries([shapely.box(116.5, 39.9, 116.51, 39.91)], crs=4490)
    rows = table(square.to_crs(crs).iloc[0]).set_crs(crs, allow_override=True)
    draft = read(manifest(tmp_path, write(tmp_path, rows, "town.gpkg")))
    assert has_corners(draft.units.geometry.iloc[0], (116.5, 39.9, 116.51, 39.91))


def test_a_file_in_gcj02_is_shifted_back(tmp_path: Path) -> None:
    shifted = shapely.transform(WEST, lambda at: np.column_stack(coords.from_wgs84(at[:, 0], at[:, 1], "GCJ02")))
    draft = draft_of(tmp_path, table(shifted), 'datum = "GCJ02"')
    assert draft.units.geometry.iloc[0].hausdorff_distance(WEST) < 1e-7


def test_the_operation_and_its_accuracy_are_told(tmp_path: Path) -> None:
    rows = table(shapely.box(950_000, 150_000, 951_000, 151_000)).set_crs(2263, allow_override=True)
    (told,) = read(manifest(tmp_path, write(tmp_path, rows, "town.gpkg"))).report["files"]
    assert (told["crs"], told["operation_accuracy_m"]) == ("EPSG:2263", 4.0)
    assert "NAD83 to WGS 84" in told["operation"]


def test_only_the_rows_that_are_meant_are_read(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, table(WEST, EAST, kind=["old", "new"]), 'where = { kind = "new" }')
    assert list(draft.units["code"]) == ["b"]


def test_numbers_kept_as_fractions_are_whole_codes(tmp_path: Path) -> None:
    assert list(draft_of(tmp_path, table(WEST, EAST).assign(code=[101.0, 102.0])).units["code"]) == ["101", "102"]


def test_rows_of_one_code_become_one_unit_when_the_manifest_says_so(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, table(WEST, EAST, codes="aa"), "dissolve = true")
    (shape,) = draft.units.geometry
    assert shape.equals(plot(0, 0, 2, 1))


def test_a_unit_without_a_name_is_called_by_its_code(tmp_path: Path) -> None:
    assert list(draft_of(tmp_path, table(WEST).assign(name=None)).units["name"]) == ["a"]


def test_aliases_are_parted(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, table(WEST, also=["东城;旧城、内城"]), 'aliases = ["also"]')
    assert draft.units["aliases"].iloc[0] == ["东城", "旧城", "内城"]


def test_heights_are_left_out_and_told(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, table(shapely.force_3d(WEST, 12)))
    assert not draft.units.has_z.any()
    assert draft.report["files"][0]["heights_dropped"] == 1


def test_curves_are_made_of_short_chords_and_told(tmp_path: Path) -> None:
    arc = '"CURVEPOLYGON(CIRCULARSTRING(114 30,114.01 30.01,114.02 30,114.01 29.99,114 30))"'
    (tmp_path / "arc.csv").write_text(f"WKT,code,name\n{arc},a,a\n", "utf-8")
    draft = read(manifest(tmp_path, "arc.csv", 'crs = "EPSG:4326"'))
    assert draft.report["files"][0]["curves_made_straight"] == 1
    assert draft.units.geometry.iloc[0].area == pytest.approx(np.pi * 0.01**2, rel=1e-5)


def test_lines_beside_polygons_are_left_out_and_told(tmp_path: Path) -> None:
    mixed = shapely.GeometryCollection([WEST, shapely.LineString([(114, 30), (114.1, 30)])])
    draft = draft_of(tmp_path, table(mixed))
    assert draft.units.geometry.iloc[0].equals(WEST)
    assert draft.report["files"][0]["lines_or_points_dropped"] == 1


# Rules for parents and codes


NESTED = """
[[net]]
code = "{net}"
name_zh = "网"
name_en = "Net"
rank = {rank}
{inside}
  [[net.level]]
  code = "{level}"
  rank = 0
  name_zh = "级"
  name_en = "Level"
[[edition]]
net = "{net}"
name = "{name}"
source = "test"
licence = "none"
valid_from = 2020-01-01
  [[edition.layer]]
  file = "{file}"
  level = "{level}"
"""
COMMUNITY = "990101001001"


def nested(folder: Path, cells: gpd.GeoDataFrame, rule: str, name: str = "2020") -> Path:
    """Write a manifest of two communities side by side, and cells in them."""
    communities = table(plot(0, 0, 2, 2), plot(2, 0, 4, 2)).assign(code=[COMMUNITY, "990101001002"])
    write(folder, communities, "communities.geojson")
    write(folder, cells, f"cells{name}.geojson")
    above = {"net": "ground", "rank": 0, "inside": "", "level": "community", "file": "communities.geojson"}
    below = {"net": "grid", "rank": 1, "level": "cell", "file": f"cells{name}.geojson"}
    inside = 'parent_net = "ground"\nparent_level = "community"'
    path = folder / f"nested{name}.toml"
    whole = (
        NESTED.format(**above, name=name)
        + '  code = "code"\n'
        + NESTED.format(**below, name=name, inside=inside)
        + rule
    )
    path.write_text(whole, "utf-8")
    return path


def cells_of(*shapes: BaseGeometry) -> gpd.GeoDataFrame:
    return table(*shapes, codes="abcdefgh")


FOUR = (plot(0, 0, 1, 1), plot(1, 0, 2, 1), plot(0, 1, 1, 2), plot(1, 1, 2, 2))
SERIAL = '  code_rule = "community+serial"\n  parent_rule = "within"\n'


def test_cells_without_a_code_are_numbered_in_their_community_west_to_east_then_north_to_south(tmp_path: Path) -> None:
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, cells_of(*FOUR, plot(2, 0, 4, 2)), SERIAL)))
    serials = [code[-6:] for code in drafts[1].units["code"]]
    assert serials == ["001003", "001004", "001001", "001002", "002001"]


def test_a_unit_that_lies_across_a_line_belongs_where_most_of_it_is(tmp_path: Path) -> None:
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, cells_of(plot(1, 0, 2.4, 1)), SERIAL)))
    assert list(drafts[1].units["parent_code"]) == [COMMUNITY]


def test_a_cell_outside_every_community_gets_no_code_and_is_found(tmp_path: Path) -> None:
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, cells_of(plot(7, 0, 8, 1)), SERIAL)))
    assert {fault.kind for fault in boundaries.check(drafts[1])} == {"malformed_code", "no_parent"}


def test_a_cell_that_leaves_its_community_is_found(tmp_path: Path) -> None:
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, cells_of(plot(1, 0, 2.4, 1)), SERIAL)))
    assert "outside_parent" in {fault.kind for fault in boundaries.check(drafts[1])}


def test_unchanged_cells_keep_their_codes_and_retired_numbers_are_not_given_again(
    session: Session, tmp_path: Path
) -> None:
    first = boundaries.read_manifest(nested(tmp_path, cells_of(*FOUR, plot(2, 0, 4, 2)), SERIAL))
    for draft in boundaries.read(first):
        load(session, draft)
    # The two northern cells become one; numbers 001 and 002 are retired with them.
    merged = cells_of(*FOUR[:2], plot(0, 1, 2, 2), plot(2, 0, 4, 2))
    second = boundaries.read_manifest(nested(tmp_path, merged, SERIAL, name="2024"))
    cells = boundaries.read(second, boundaries.ground(session))[1].units
    assert [code[-6:] for code in cells["code"]] == ["001003", "001004", "001005", "002001"]


def test_a_code_that_is_unique_in_its_parent_only_takes_the_parents_before_it(tmp_path: Path) -> None:
    rule = '  code = "code"\n  code_rule = "parent+code"\n  parent_rule = "within"\n'
    twins = table(plot(0, 0, 2, 2), plot(2, 0, 4, 2), codes="77")
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, twins, rule)))
    assert list(drafts[1].units["code"]) == [f"{COMMUNITY}-7", "990101001002-7"]


def test_a_parent_is_found_by_the_beginning_of_the_code(tmp_path: Path) -> None:
    rule = '  code = "code"\n  parent_rule = "prefix"\n'
    cells = table(plot(2, 0, 4, 2)).assign(code=["990101001002017"])
    drafts = boundaries.read(boundaries.read_manifest(nested(tmp_path, cells, rule)))
    assert list(drafts[1].units["parent_code"]) == ["990101001002"]


def test_numbering_without_any_community_is_refused(tmp_path: Path) -> None:
    path = nested(tmp_path, cells_of(*FOUR), SERIAL)
    path.write_text("[[net]]\n" + path.read_text("utf-8").split("[[net]]")[2], "utf-8")
    assert refused(path).code == "boundaries.no_communities"


# Bad files: each is refused with a sentence that says what, where and how to mend


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(manifest(tmp_path, "nowhere.shp")).code == "boundaries.no_file"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / write(tmp_path, table(WEST, EAST), f"town.{suffix}")
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.7)])
    assert refused(manifest(tmp_path, whole.name)).code in {"boundaries.unreadable", "boundaries.truncated"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_something_else_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"town.{suffix}").write_bytes(b"\x00\x01 this is no map \xff" * 40)
    assert refused(manifest(tmp_path, f"town.{suffix}")).code in {"boundaries.unreadable", "boundaries.truncated"}


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town.geojson").touch()
    assert refused(manifest(tmp_path, "town.geojson")).code == "boundaries.unreadable"


def test_a_table_without_geometry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town.csv").write_text("code,name\na,a\n", "utf-8")
    assert refused(manifest(tmp_path, "town.csv")).code == "boundaries.no_geometry"


def test_parquet_without_a_geometry_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"code": ["a"], "name": ["a"]}).to_parquet(tmp_path / "town.parquet")
    assert refused(manifest(tmp_path, "town.parquet")).code == "boundaries.not_geoparquet"


@pytest.mark.parametrize("suffix", ["geojson", "parquet"])
def test_a_missing_field_is_named_with_those_there_are(tmp_path: Path, suffix: str) -> None:
    error = refused(manifest(tmp_path, write(tmp_path, table(WEST).drop(columns="name"), f"town.{suffix}")))
    assert (error.code, error.params["field"], error.params["choices"]) == ("boundaries.missing_field", "name", "code")


def test_a_field_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town.csv").write_text('WKT,code,code,name\n"POLYGON((0 0,1 0,1 1,0 0))",a,b,n\n', "utf-8")
    assert refused(manifest(tmp_path, "town.csv")).code == "boundaries.duplicate_field"


def test_a_file_without_a_coordinate_system_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, table(WEST), "town.shp")
    (tmp_path / "town.prj").unlink()
    assert refused(manifest(tmp_path, file)).code == "boundaries.no_crs"


def test_the_manifest_may_say_the_coordinate_system(tmp_path: Path) -> None:
    file = write(tmp_path, table(WEST), "town.shp")
    (tmp_path / "town.prj").unlink()
    assert len(read(manifest(tmp_path, file, 'crs = "EPSG:4490"')).units) == 1


@pytest.mark.parametrize(
    ("crs", "square"),
    [
        ("EPSG:4326", shapely.box(950_000, 150_000, 951_000, 151_000)),
        ("EPSG:2263", shapely.box(-74, 40.7, -73.9, 40.8)),
        ("EPSG:4548", shapely.box(40_450_000, 4_400_000, 40_451_000, 4_401_000)),
    ],
)
def test_a_wrong_coordinate_system_is_refused(tmp_path: Path, crs: str, square: Polygon) -> None:
    rows = table(square).set_crs(crs, allow_override=True)
    error = refused(manifest(tmp_path, write(tmp_path, rows, "town.gpkg")))
    assert (error.code, error.params["file"]) == ("boundaries.outside_crs", "town.gpkg")


def test_a_datum_that_nothing_ties_to_wgs84_is_refused(tmp_path: Path) -> None:
    rows = table(WEST).set_crs(4214, allow_override=True)
    assert refused(manifest(tmp_path, write(tmp_path, rows, "town.gpkg"))).code == "boundaries.unrelated_datum"


def test_a_coordinate_system_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, table(WEST))
    assert refused(manifest(tmp_path, file, 'crs = "EPSG:1"')).code == "boundaries.unknown_crs"


@pytest.mark.parametrize("shape", [shapely.Point(114, 30), shapely.LineString([(114, 30), (115, 31)])])
def test_points_and_lines_are_no_boundaries(tmp_path: Path, shape: BaseGeometry) -> None:
    error = refused(manifest(tmp_path, write(tmp_path, table(WEST, shape))))
    assert (error.code, error.params["row"]) == ("boundaries.not_polygons", 2)


def test_a_coordinate_that_is_no_number_is_refused_with_its_row(tmp_path: Path) -> None:
    broken = Polygon([(114, 30), (float("nan"), 30), (115, 31)])
    error = refused(manifest(tmp_path, write(tmp_path, table(WEST, broken), "town.parquet")))
    assert (error.code, error.params["row"]) == ("boundaries.not_finite", 2)


def test_a_file_of_several_layers_asks_which(tmp_path: Path) -> None:
    for layer in ("one", "two"):
        table(WEST).to_file(tmp_path / "town.gpkg", layer=layer)
    assert refused(manifest(tmp_path, "town.gpkg")).code == "boundaries.which_layer"
    assert len(read(manifest(tmp_path, "town.gpkg", 'layer = "two"')).units) == 1


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, table(WEST), "town.gpkg")
    assert refused(manifest(tmp_path, file, 'layer = "three"')).code == "boundaries.no_layer"


def test_a_filter_that_fits_no_row_is_refused(tmp_path: Path) -> None:
    error = refused(manifest(tmp_path, write(tmp_path, table(WEST)), 'where = { name = "z" }'))
    assert error.code == "boundaries.no_rows"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("colour = 3", "manifest.unknown_key"),
        ('datum = "ED50"', "manifest.not_a_choice"),
        ("dissolve = 1", "manifest.wrong_type"),
        ('parent = "p"\nparent_rule = "within"', "manifest.parent_twice"),
        ('code_rule = "community+serial"', "manifest.code_or_rule"),
        ('level = "x"\nlevel = "y"', "manifest.not_toml"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, wrong: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        boundaries.read_manifest(manifest(tmp_path, "town.geojson", wrong))
    problems = error.value.problems if isinstance(error.value, Problems) else (error.value,)
    assert [problem.code for problem in problems] == [code]
    assert all("{" not in language.explain(error.value, locale) for locale in language.LOCALES)


# Loading


def test_an_edition_is_loaded_dark_with_its_units(session: Session, tmp_path: Path) -> None:
    edition = load(session, draft_of(tmp_path, table(WEST, EAST)))
    stored = units.load_units(session, edition.id)
    assert (edition.state, list(stored.code)) == ("dark", ["a", "b"])
    assert in_force(session, date(2024, 1, 1)) == []


def test_what_is_stored_is_what_was_read(session: Session, tmp_path: Path) -> None:
    awkward = "a\tb\\c\n\"d',{e}"
    rows = table(WEST, also=[awkward], kind=[awkward]).assign(name=[awkward])
    edition = load(session, draft_of(tmp_path, rows, 'aliases = ["also"]\nattributes = ["kind"]'))
    unit = session.scalars(select(tables.Unit).where(tables.Unit.edition_id == edition.id)).one()
    assert (unit.name, unit.aliases, unit.attributes) == (awkward, [awkward], {"kind": awkward})
    assert unit.area_m2 == pytest.approx(coords.area_m2(WEST))


def test_the_label_stands_on_the_unit(session: Session, tmp_path: Path) -> None:
    ring = plot(0, 0, 3, 3).difference(plot(1, 1, 2, 2))
    load(session, draft_of(tmp_path, table(ring)), accept=True)
    assert session.scalar(text("SELECT ST_Contains(geom, label_geom) FROM unit"))


def test_a_load_is_refused_for_an_overlap_and_writes_nothing(session: Session, tmp_path: Path) -> None:
    with pytest.raises(FaultsFoundError) as error:
        load(session, draft_of(tmp_path, table(plot(0, 0, 1.5, 1), EAST)))
    assert [fault.kind for fault in error.value.faults] == ["overlap"]
    assert session.scalar(text("SELECT count(*) FROM edition")) == 0
    assert "fault." not in language.explain(error.value, "en")


def test_an_accepted_fault_is_stored_as_a_fact_of_the_ground(session: Session, tmp_path: Path) -> None:
    edition = load(session, draft_of(tmp_path, table(plot(0, 0, 1.5, 1), EAST)), accept=True)
    (fault,) = session.scalars(select(tables.Fault).where(tables.Fault.edition_id == edition.id))
    assert (fault.kind, fault.codes) == ("overlap", ["a", "b"])
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(1, 0, 1.5, 1)))


def test_a_fault_below_the_tolerance_is_stored_without_a_word(session: Session, tmp_path: Path) -> None:
    more = "[edition.tolerance]\noverlap_m2 = 20000.0"
    edition = load(session, draft_of(tmp_path, table(plot(0, 0, 1.5, 1), EAST), more))
    assert edition.report["faults"] == {"overlap": 1}


def test_a_duplicate_code_cannot_be_accepted(session: Session, tmp_path: Path) -> None:
    with pytest.raises(FaultsFoundError):
        load(session, draft_of(tmp_path, table(WEST, EAST, codes="aa")), accept=True)


def test_an_empty_unit_cannot_be_accepted_and_its_row_is_told(session: Session, tmp_path: Path) -> None:
    with pytest.raises(FaultsFoundError) as error:
        load(session, draft_of(tmp_path, table(WEST, None)), accept=True)
    assert error.value.faults[0].params["row"] == "2"


def test_an_accepted_crossed_ring_is_stored_as_what_it_encloses_and_named(session: Session, tmp_path: Path) -> None:
    x, y = 114.0, 30.0
    tie = Polygon([(x, y), (x + STEP, y + STEP), (x + STEP, y), (x, y + STEP)])
    edition = load(session, draft_of(tmp_path, table(tie)), accept=True)
    assert edition.report["mended"] == ["a"]
    assert session.scalar(text("SELECT bool_and(ST_IsValid(geom)) FROM unit"))


def test_an_edition_is_never_written_over(two: Session, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        load(two, draft_of(tmp_path, table(WEST)))


def test_the_mismatch_that_remains_is_told_in_millimetres(session: Session, tmp_path: Path) -> None:
    thin = 0.004 / 96_000 / STEP
    edition = load(session, draft_of(tmp_path, table(plot(0, 0, 1 + thin, 1), EAST)))
    assert edition.report["mismatch_mm"] == pytest.approx(4, abs=0.1)


# Editions in time


def test_a_date_is_answered_by_the_edition_in_force_that_day(two: Session) -> None:
    activate(two, "2020", date(2020, 1, 1))
    activate(two, "2023", date(2023, 1, 1))
    answers = [
        in_force(two, day) for day in (date(2019, 12, 31), date(2020, 1, 1), date(2022, 12, 31), date(2023, 1, 1))
    ]
    assert answers == [[], ["2020"], ["2020"], ["2023"]]


def test_an_earlier_edition_may_be_activated_later(two: Session) -> None:
    activate(two, "2023", date(2023, 1, 1))
    activate(two, "2020", date(2020, 1, 1))
    assert [in_force(two, day) for day in (date(2022, 12, 31), date(2023, 1, 1))] == [["2020"], ["2023"]]


def test_the_manifests_date_counts_when_none_is_given(two: Session) -> None:
    assert activate(two, "2020", None).valid_from == date(2020, 1, 1)


def test_two_editions_cannot_begin_on_one_day(two: Session) -> None:
    activate(two, "2020", date(2020, 1, 1))
    with pytest.raises(Conflict) as error:
        activate(two, "2023", date(2020, 1, 1))
    assert error.value.code == "boundaries.same_day"


def test_an_active_edition_is_not_activated_again(two: Session) -> None:
    activate(two, "2020", date(2020, 1, 1))
    with pytest.raises(Conflict):
        activate(two, "2020", date(2021, 1, 1))


def test_a_retired_edition_answers_no_more_and_the_one_before_answers_on(two: Session) -> None:
    activate(two, "2020", date(2020, 1, 1))
    activate(two, "2023", date(2023, 1, 1))
    boundaries.retire(two, "admin", "2023", by="tester", now=NOW)
    assert in_force(two, date(2024, 1, 1)) == ["2020"]
    assert two.scalar(text("SELECT count(*) FROM unit")) == 4


def test_a_retired_edition_can_be_activated_again(two: Session) -> None:
    activate(two, "2020", date(2020, 1, 1))
    boundaries.retire(two, "admin", "2020", by="tester", now=NOW)
    activate(two, "2020", date(2021, 1, 1))
    assert in_force(two, date(2021, 1, 1)) == ["2020"]


def test_an_edition_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        boundaries.get(session, "admin", "1999")


def test_editions_are_listed_oldest_first(two: Session) -> None:
    activate(two, "2020", date(2024, 1, 1))
    assert [edition.name for edition in boundaries.list_editions(two)] == ["2023", "2020"]


# Shares between nets


def grids(folder: Path, name: str, cells: gpd.GeoDataFrame, crosswalk: str = "") -> Draft:
    """Draft a net of one level that stands in no other one."""
    file = write(folder, cells, f"{name}.geojson")
    path = folder / f"{name}.toml"
    said = NESTED.format(net=name, rank=1, inside="", level="cell", file=file, name="2020") + '  code = "code"\n'
    path.write_text(said.replace("[[edition]]\n", f"[[edition]]\n{crosswalk}\n"), "utf-8")
    return boundaries.read(boundaries.read_manifest(path))[0]


def shares(session: Session) -> dict[tuple[str, str], float]:
    rows = session.execute(
        text("""SELECT u.net || u.code, o.net || o.code, s.share FROM net_share s
                JOIN unit u ON u.id = s.unit_id JOIN unit o ON o.id = s.other_id""")
    )
    return {(one, other): round(share, 9) for one, other, share in rows}


def test_shares_between_nets_are_known_both_ways(session: Session, tmp_path: Path) -> None:
    for draft in (
        grids(tmp_path, "one", table(plot(0, 0, 1, 1), plot(1, 0, 4, 1))),
        grids(tmp_path, "two", table(plot(0, 0, 2, 1), plot(2, 0, 4, 1)), 'crosswalk = ["one"]'),
    ):
        load(session, draft)
        boundaries.activate(session, draft.net.code, "2020", None, by="tester", now=NOW)
    assert shares(session) == {
        ("onea", "twoa"): 1.0,
        ("oneb", "twoa"): 0.333333333,
        ("oneb", "twob"): 0.666666667,
        ("twoa", "onea"): 0.5,
        ("twoa", "oneb"): 0.5,
        ("twob", "oneb"): 1.0,
    }


def test_nets_that_have_nothing_to_do_with_each_other_share_nothing(session: Session, tmp_path: Path) -> None:
    for name in ("one", "two"):
        draft = grids(tmp_path, name, table(WEST, EAST))
        load(session, draft)
        boundaries.activate(session, name, "2020", None, by="tester", now=NOW)
    assert shares(session) == {}
