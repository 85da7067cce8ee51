"""The dossier of a grid: what stands in it, for whom, and on paper."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Forbidden, Invalid, NotFound
from gis.issues.ledgers.lines import Reader
from gis.planning import dossier_paper, dossiers
from gis.planning.dossiers import Asker, Dossier
from tests import pdf, town
from tests.issues import filed
from tests.planning.bordered import ZONE, put

GRID = "governance:grid:990101001001001"
COMMUNITY = "admin:community:990101001001"
ON = date(2024, 5, 20)
EVERYTHING = Asker(Scope(all=True, role="operator", username="operator"), ON, ZONE)
LEADER = Asker(Scope(units=(("governance", "grid", "990101001001001"),), role="leader"), ON, ZONE)
READER = Reader("zh", ZONE, datetime(2024, 5, 20, 4, tzinfo=UTC))
PHONE = "13812345678"


def furnish(session: Session) -> None:
    """Put a house, a street, somebody in charge and two issues into the grid, and one issue beside it."""
    town.build(session)
    filed.people(session)
    furnish_ground(session)
    put(session, 1, 0.25, 0.25)
    put(session, 2, 0.75, 0.75, state="closed")
    put(session, 3, 1.5, 0.5)


def furnish_ground(session: Session) -> None:
    """Put a house, a street and somebody in charge into the grid."""
    session.execute(_STREET, {"geom": town.field(0.0, 0.4, 2.0, 0.5).wkt})
    session.execute(_BUILDING, {"geom": town.field(0.2, 0.2, 0.3, 0.3).wkt})
    for kind, share in (("street", 0.5), ("building", 1.0)):
        session.execute(_SHARE, {"kind": kind, "share": share})
    session.execute(_AREA, {"geom": town.field(0, 0, 1, 1).wkt, "phone": PHONE})


def furnish_office(engine: Engine) -> None:
    """Put the same into the leader's grid of an office that is open, and an issue."""
    with db.session(engine, db.EVERYTHING) as session:
        furnish_ground(session)
        put(session, 1, 0.25, 0.25)
        session.commit()


_STREET = text("""
INSERT INTO street (source, external_id, name, name_en, aliases, road_class, length_m, area_m2, attributes, geom)
VALUES ('town', 's1', '长安路', 'Chang''an Road', '{}', 'street', 1900, 100, '{}',
        ST_Multi(ST_GeomFromText(:geom, 4326)))
""")
_BUILDING = text("""
INSERT INTO building (source, external_id, name, name_en, kind, house_number, street_name, estate_name, area_m2,
                      attributes, geom)
VALUES ('town', 'b1', '梧桐楼', 'Plane House', 'house', '12号', '长安路', '', 100, '{}',
        ST_Multi(ST_GeomFromText(:geom, 4326)))
""")
_SHARE = text("""
INSERT INTO place_share (kind, place_id, unit_id, edition_id, share)
SELECT :kind, place.id, unit.id, unit.edition_id, :share
FROM unit, (SELECT 'street' AS kind, id FROM street UNION ALL SELECT 'building', id FROM building) AS place
WHERE code = '990101001001001' AND net = 'governance' AND place.kind = :kind
""")
_AREA = text("""
INSERT INTO responsibility_area (role, name, name_en, person, phone, net, unit_code, valid_from, geom)
VALUES ('grid_leader', '第一网格', 'Grid 1', '王小明', :phone, 'governance', '990101001001001', '2024-01-01',
        ST_GeomFromText(:geom, 4326))
""")


class TestOne:
    @pytest.fixture(autouse=True)
    def _town(self, session: Session) -> None:
        furnish(session)

    def look(self, session: Session, asker: Asker = EVERYTHING, key: str = GRID) -> Dossier:
        return dossiers.of(session, key, asker)

    def test_it_holds_the_houses_and_streets_of_the_grid_with_their_parts(self, session: Session) -> None:
        found = self.look(session)
        told = [(each["name"], each["share"]) for each in (*found.buildings, *found.streets)]
        assert told == [("梧桐楼", 1.0), ("长安路", 0.5)]

    def test_it_holds_the_open_issues_of_the_grid_alone(self, session: Session) -> None:
        assert [each["code"] for each in self.look(session).issues] == ["990101000001"]

    def test_its_neighbours_share_a_line_of_so_many_metres(self, session: Session) -> None:
        found = {each.unit.code: round(each.length_m) for each in self.look(session).neighbours}
        assert found == {"990101001002001": 1109, "990101002001001": 962}

    def test_the_last_twelve_months_are_counted(self, session: Session) -> None:
        months = self.look(session).months
        assert (len(months), months[-1]) == (12, {"month": "2024-05", "reported_n": 2, "closed_n": 0})

    def test_its_people_are_masked_for_who_need_not_call_them(self, session: Session) -> None:
        planner = replace(EVERYTHING, scope=replace(EVERYTHING.scope, role="planner"))
        assert PHONE not in json.dumps(self.look(session, planner).people, ensure_ascii=False)

    @pytest.mark.parametrize("asker", [EVERYTHING, LEADER], ids=["the centre", "its leader"])
    def test_who_has_to_call_them_reads_them_in_full(self, session: Session, asker: Asker) -> None:
        [person] = self.look(session, asker).people
        assert (person["person"], person["phone"]) == ("王小明", PHONE)

    def test_a_leader_is_refused_another_grid(self, session: Session) -> None:
        with pytest.raises(Forbidden):
            self.look(session, LEADER, "governance:grid:990102001001001")

    def test_a_department_is_refused(self, session: Session) -> None:
        with pytest.raises(Forbidden):
            self.look(session, Asker(Scope(department="cg", role="department"), ON, ZONE))

    def test_a_unit_with_units_below_is_no_grid(self, session: Session) -> None:
        with pytest.raises(Invalid):
            self.look(session, key=COMMUNITY)

    @pytest.mark.parametrize("key", ["x", "governance:grid:none", "::", "a:b:c:d"])
    def test_what_is_no_unit_is_not_found(self, session: Session, key: str) -> None:
        with pytest.raises(NotFound):
            self.look(session, key=key)

    def test_paper_holds_its_names_with_their_fonts(self, session: Session) -> None:
        told = dossier_paper.told(session, self.look(session), READER)
        paper = dossier_paper.setting(told["title"], [told], READER)
        said = pdf.words(paper)
        for word in ("梧桐楼", "长安路", "王小明", "未结案件", "grid 990101001001001", "1,109"):
            assert word in said
        every, inside = pdf.fonts(paper)
        assert every == inside > 0

    def test_its_map_shows_the_grid_the_house_the_street_and_the_issue(self, session: Session) -> None:
        drawn = dossier_paper.plate(session, self.look(session), READER)
        looks = [shape["look"] for shape in drawn.shapes]
        assert {"own", "own_building", "road", "unit"} <= set(looks)
        assert [mark["words"] for mark in drawn.marks] == ["1"]
        # a quarter of the way from the west, and from the south
        [mark] = drawn.marks
        west, south, east, north = drawn.on_sheet(self.look(session).geometry).bounds
        assert ((mark["x"] - west) / (east - west), (north - mark["y"]) / (north - south)) == (
            pytest.approx(0.25, abs=0.01), pytest.approx(0.25, abs=0.01),
        )  # fmt: skip

    def test_a_scale_bar_is_as_long_as_it_says(self, session: Session) -> None:
        drawn = dossier_paper.plate(session, self.look(session), READER)
        assert drawn.bar()["mm"] == pytest.approx(drawn.mm_per_m * float(drawn.bar()["words"].split()[0]), abs=0.01)
