"""The made-up city: what it promises to everyone who shows, tests or measures with it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from gis.demo import city, founding, layers, spots
from gis.demo.city import City
from gis.territory import codes

COMMITTED = Path(__file__).parents[2] / "data" / "boundaries"
NESTED = {"subdistrict": "district", "community": "subdistrict", "duty_grid": "community", "cell": "duty_grid"}
GEOD = Geod(ellps="GRS80")


def _sound(hechuan: City, level: str) -> gpd.GeoSeries:
    """Return the shapes of a level without the strip that two units claim, and around it."""
    away = hechuan.specials["overlap"].buffer(0.0015)
    return hechuan.boundaries[level].geometry.difference(away)


def test_the_same_seed_gives_the_same_city(hechuan: City) -> None:
    again = city.make()
    for kind, table in hechuan.places().items():
        assert table.equals(again.places()[kind]), kind


def test_the_committed_boundary_files_are_what_the_generator_draws(hechuan: City) -> None:
    for level, table in hechuan.boundaries.items():
        kept = gpd.read_file(COMMITTED / f"{level}.geojson")
        assert kept["code"].tolist() == table["code"].tolist()
        assert kept["name"].tolist() == table["name"].tolist()
        assert shapely.equals_exact(shapely.normalize(kept.geometry), shapely.normalize(table.geometry), 1.5e-7).all()


@pytest.mark.parametrize("level", ["district", "subdistrict", "community", "duty_grid", "cell", "grid"])
def test_neighbours_share_their_lines_vertex_for_vertex(hechuan: City, level: str) -> None:
    shapes = _sound(hechuan, level)
    assert shapely.coverage_is_valid(shapes[~shapes.is_empty].to_numpy())


def test_the_police_precincts_have_no_fault(hechuan: City) -> None:
    precincts = hechuan.boundaries["precinct"].geometry.to_numpy()
    assert shapely.coverage_is_valid(precincts)
    assert shapely.union_all(precincts).equals(hechuan.boundaries["city"].geometry.iloc[0])


@pytest.mark.parametrize(("level", "above"), NESTED.items())
def test_every_unit_lies_inside_its_parent(hechuan: City, level: str, above: str) -> None:
    units = hechuan.boundaries[level]
    parents = hechuan.boundaries[above].set_index("code").geometry.loc[units["parent"]]
    outside = shapely.difference(units.geometry.to_numpy(), parents.to_numpy())
    assert shapely.area(outside).max() < 1e-15


@pytest.mark.parametrize("level", ["community", "grid", "cell"])
def test_precincts_nest_with_no_other_net(hechuan: City, level: str) -> None:
    met = gpd.overlay(hechuan.boundaries[level], hechuan.boundaries["precinct"], keep_geom_type=True)
    met = met[met.area > 1e-10]
    assert met["code_1"].duplicated().any()


def test_governance_grids_cut_cells_and_keep_to_communities(hechuan: City) -> None:
    grids = hechuan.boundaries["grid"]
    met = gpd.overlay(hechuan.boundaries["cell"], grids, keep_geom_type=True)
    assert met[met.area > 1e-8]["code_1"].duplicated().sum() > 100
    homes = hechuan.boundaries["community"].set_index("code").geometry.loc[grids["parent"]]
    assert shapely.area(shapely.difference(grids.geometry.to_numpy(), homes.to_numpy())).max() < 1e-15


def test_the_city_has_the_sizes_it_was_asked_for(hechuan: City) -> None:
    counts = {level: len(table) for level, table in hechuan.boundaries.items()}
    assert counts["district"] == 3
    assert counts["subdistrict"] == 12
    assert 60 <= counts["community"] <= 80
    assert 1400 <= counts["cell"] <= 1600
    assert 180 <= counts["grid"] <= 220
    assert 19_000 <= len(hechuan.buildings) <= 21_000
    assert hechuan.components["category"].eq("P0150").value_counts().to_dict() == {False: 2000, True: 80}


def test_a_lived_in_governance_grid_has_300_to_500_households(hechuan: City) -> None:
    grids = hechuan.boundaries["grid"]
    assert grids.loc[grids["kind"] == "basic", "households"].between(300, 500).all()
    assert (grids.loc[grids["kind"] == "special", "households"] == 0).all()


def test_no_code_belongs_to_a_real_province(hechuan: City) -> None:
    for level in ("district", "subdistrict", "community", "cell", "grid"):
        for code in hechuan.boundaries[level]["code"]:
            assert code.startswith("69")
            assert codes.malformed(code) is None


def test_cells_are_numbered_from_one_in_their_community(hechuan: City) -> None:
    cells = hechuan.boundaries["cell"]["code"]
    for _, serials in cells.str[12:].astype(int).groupby(cells.str[:12]):
        assert sorted(serials) == list(range(1, len(serials) + 1))


def test_the_gap_belongs_to_no_district_and_lies_in_the_city(hechuan: City) -> None:
    gap = hechuan.specials["gap"]
    assert not hechuan.boundaries["district"].covers(gap).any()
    assert hechuan.boundaries["city"].covers(gap).all()


@pytest.mark.parametrize("level", ["district", "subdistrict", "community", "cell", "grid"])
def test_two_units_of_a_level_claim_the_overlap(hechuan: City, level: str) -> None:
    assert hechuan.boundaries[level].covers(hechuan.specials["overlap"]).sum() == 2


def test_the_exclave_touches_nothing_else_of_its_district(hechuan: City) -> None:
    districts = hechuan.boundaries["district"]
    home = districts[districts.covers(hechuan.specials["exclave"])].geometry.iloc[0]
    parts = list(home.geoms)
    exclave = next(part for part in parts if part.covers(hechuan.specials["exclave"]))
    assert len(parts) == 2
    assert exclave.distance(next(part for part in parts if part is not exclave)) > 0.0005


def test_one_house_of_2000_m2_stands_a_third_in_one_district(hechuan: City) -> None:
    house = hechuan.buildings[hechuan.buildings.covers(hechuan.specials["third"])].geometry.iloc[0]
    districts = hechuan.boundaries["district"].set_index("code").geometry
    shares = districts.intersection(house).area / house.area
    assert abs(GEOD.geometry_area_perimeter(house)[0]) == pytest.approx(2000, abs=5)
    assert shares["690102"] == pytest.approx(1 / 3, abs=0.005)
    assert shares["690103"] == pytest.approx(2 / 3, abs=0.005)


def test_seven_houses_stand_across_a_district_line(hechuan: City) -> None:
    met = gpd.overlay(
        hechuan.buildings[["external_id", "geometry"]], hechuan.boundaries["district"], keep_geom_type=True
    )
    assert met["external_id"].duplicated().sum() == 7


def test_no_two_houses_stand_on_the_same_ground(hechuan: City) -> None:
    shapes = shapely.buffer(hechuan.buildings.geometry.to_numpy(), -3e-7)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert (first == second).all()


def test_every_house_has_an_address_nobody_else_has(hechuan: City) -> None:
    houses = hechuan.buildings
    assert (houses["street_name"] != "").all()
    address = houses["street_name"] + houses["house_number"] + houses["building_number"]
    assert not address.duplicated().any()


def test_named_streets_have_one_name_each(hechuan: City) -> None:
    named = hechuan.streets.loc[hechuan.streets["name"] != "", "name"]
    assert not named.duplicated().any()


@pytest.mark.parametrize("cells", [city.SIZES[0], 300])
def test_a_small_city_has_all_that_can_be_shown(cells: int) -> None:
    small = city.make(cells=cells)
    assert len(small.boundaries["cell"]) == pytest.approx(cells, rel=0.1)
    for flag, districts in (("gap", 0), ("overlap", 2)):
        assert small.boundaries["district"].covers(small.specials[flag]).sum() == districts
    assert all(np.isfinite(spot).all() for spot in spots.middles(small).values())


def test_written_boundaries_come_with_their_manifest(tmp_path: Path, hechuan: City) -> None:
    founding.write(hechuan, tmp_path)
    assert (tmp_path / "boundaries" / "boundaries.toml").read_text() == (COMMITTED / "boundaries.toml").read_text()
    back = gpd.read_file(tmp_path / "boundaries" / "district.geojson")
    assert back.crs == layers.CRS
    assert shapely.coverage_is_valid(gpd.read_file(tmp_path / "boundaries" / "precinct.geojson").geometry.to_numpy())
    assert len(gpd.read_parquet(tmp_path / "places" / "buildings.parquet")) == len(hechuan.buildings)
