"""The dossier of a grid: what stands in it, for whom, and on paper; and booklets of all grids of a unit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues.ledgers.lines import Reader
from gis.jobs import Work
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.planning import booklets, dossier_paper, dossiers
from gis.planning.dossiers import Asker, Dossier
from gis.settings import Settings
from gis.territory import units
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


class TestBooklets:
    @pytest.fixture
    def made(self, clean_db: Engine, settings: Settings) -> Work:
        with db.session(clean_db, db.EVERYTHING) as session:
            furnish(session)
            accounts.add(session, Newcomer("planner", "a long password", "p", "planner"), now=town.LOADED)
            session.commit()
        return Work(clean_db, settings, READER.now)

    def ask(self, work: Work, by: str = "planner") -> int:
        with db.session(work.engine, Scope(all=True, role="planner", username=by)) as session:
            unit = units.get(session, "admin", "community", "990101001001", ON)
            number = booklets.ask(session, unit, "governance:grid", READER, by=by)
            session.commit()
        return number

    def test_the_worker_makes_it_and_tells_how_far_it_is(self, made: Work) -> None:
        number = self.ask(made)
        assert booklets.make_next(made, ZONE)
        with db.session(made.engine, Scope(all=True, role="planner", username="planner")) as session:
            found = booklets.get(session, number)
            assert (found.state, found.done_n, found.total_n) == ("ready", 1, 1)
            assert "梧桐楼" in pdf.words(booklets.content(session, number))

    def test_personal_data_is_masked_as_for_who_asked(self, made: Work) -> None:
        number = self.ask(made)
        booklets.make_next(made, ZONE)
        with db.session(made.engine, db.EVERYTHING) as session:
            assert PHONE not in pdf.words(booklets.content(session, number))

    def test_nothing_waits_when_nobody_asked(self, made: Work) -> None:
        assert not booklets.make_next(made, ZONE)

    def test_nobody_else_finds_it(self, made: Work) -> None:
        number = self.ask(made)
        with db.session(made.engine, Scope(all=True, role="operator", username="operator")) as session:
            assert booklets.of(session) == []
            with pytest.raises(NotFound):
                booklets.get(session, number)

    def test_what_cannot_be_made_says_why(self, made: Work) -> None:
        number = self.ask(made, by="nobody")
        booklets.make_next(made, ZONE)
        with db.session(made.engine, db.EVERYTHING) as session:
            found = booklets.get(session, number)
        assert (found.state, found.fault) == ("failed", "evaluation.beyond")

    def test_one_person_has_no_more_than_a_few_waiting(self, made: Work) -> None:
        for _ in range(booklets.WAITING_MOST):
            self.ask(made)
        with pytest.raises(Conflict):
            self.ask(made)
