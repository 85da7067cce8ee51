"""Papers that an issue's record asks for: minutes of a consultation, a letter behind an urging; each written once."""

from __future__ import annotations

import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Invalid, NotFound
from gis.issues.papers import book, forms, proceedings
from gis.issues.papers.book import Author, Numbered
from gis.issues.papers.forms import Press
from gis.issues.papers.proceedings import Meeting
from gis.issues.papers.values import Minutes, Supervision
from gis.settings import Settings
from tests.issues import called
from tests.issues.called import CITY_CENTRE, WHY
from tests.issues.looped import CG, CHIEF, LAW, Way

ZONE = ZoneInfo("Asia/Shanghai")
HELD = {"minutes": "一、东侧牵头\n二、西侧配合断水", "document": "府办 12 号", "lead": "sw"}
MEETING = Meeting(1, "区政府三楼", ("cg", "sw"))


@pytest.fixture
def across(session: Session) -> Way:
    called.town_of_callers(session)
    return called.across(session)


def author(way: Way) -> Author:
    return Author("operator", way.now + timedelta(minutes=1), ZONE)


def held(way: Way) -> Way:
    return way.after(("return", CG, LAW), ("convene", CITY_CENTRE, WHY), ("conclude", CITY_CENTRE, HELD))


def minutes(way: Way, meeting: Meeting = MEETING) -> Numbered:
    return proceedings.minutes(way.session, way.code, meeting, author(way))


def letter(way: Way) -> Numbered:
    return proceedings.letter(way.session, way.code, author(way), "值班长", Settings())


class TestMinutes:
    def test_they_say_what_the_record_says(self, across: Way) -> None:
        said = minutes(held(across)).said
        assert isinstance(said, Minutes)
        assert (said.issues, said.matter, said.decisions, said.lead_zh, said.document) == (
            (across.code,), WHY["reason"], ("一、东侧牵头", "二、西侧配合断水"), "水务局", "府办 12 号",
        )  # fmt: skip

    def test_who_did_not_come_was_absent(self, across: Way) -> None:
        said = minutes(held(across)).said
        assert isinstance(said, Minutes)
        assert (said.present, said.absent) == (("城管局", "水务局"), ("执法局",))

    def test_what_each_had_said_before_is_its_opinion(self, across: Way) -> None:
        said = minutes(held(across)).said
        assert isinstance(said, Minutes)
        assert said.opinions == (("城管局", LAW["reason"]),)

    @pytest.mark.parametrize(("locale", "names"), [("zh", "城管局、水务局"), ("en", "Urban management, Water")])
    def test_departments_are_named_in_the_readers_language(self, across: Way, locale: str, names: str) -> None:
        form = Document(io.BytesIO(forms.write(minutes(held(across)), Press(locale, ZONE))))
        assert names in [cell.text for table in form.tables for row in table.rows for cell in row.cells]

    def test_asked_for_again_they_are_the_same_paper(self, across: Way) -> None:
        first = minutes(held(across))
        again = minutes(across, Meeting(1, "elsewhere", ("zf",)))
        assert (again, len(book.find(across.session))) == (first, 1)

    def test_before_it_was_held_there_are_none(self, across: Way) -> None:
        across.make("convene", CITY_CENTRE, WHY)
        with pytest.raises(Conflict, match="not_held"):
            minutes(across)

    @pytest.mark.parametrize("present", [(), ("mz-west",), ("cg", "nobody")])
    def test_only_who_was_called_can_have_come_and_somebody_did(self, across: Way, present: tuple[str, ...]) -> None:
        with pytest.raises(Invalid, match="nobody_came"):
            minutes(held(across), Meeting(1, "here", present))

    def test_who_does_not_see_the_issue_gets_none(self, across: Way) -> None:
        paper = minutes(held(across))
        across.session.expunge_all()
        db.see_as(across.session, Scope(units=(("admin", "district", "990199"),), username="x"))
        with pytest.raises(NotFound):
            minutes(across)
        with pytest.raises(NotFound):
            book.get(across.session, paper.id)

    def test_a_consultation_without_is_listed_until_they_are_written(self, across: Way) -> None:
        held(across)
        before = [(each.code, each.number) for each in proceedings.unwritten(across.session, 5)]
        minutes(across)
        assert (before, proceedings.unwritten(across.session, 5)) == ([(across.code, 1)], [])


class TestLetters:
    def test_it_demands_what_the_urging_said(self, across: Way) -> None:
        across.make("supervise", CHIEF, {"reason": "三日内拆除", "document": "督 5 号"})
        said = letter(across).said
        assert isinstance(said, Supervision)
        assert (said.demand, said.department_zh, said.signed_by) == ("三日内拆除\n督 5 号", "城管局", "值班长")

    def test_one_urging_has_one_letter(self, across: Way) -> None:
        across.make("urge", CHIEF, {"reason": "快办"})
        assert letter(across) == letter(across)

    def test_urged_again_there_is_another(self, across: Way) -> None:
        across.make("urge", CHIEF, {"reason": "快办"})
        letter(across)
        across.now += timedelta(hours=1)
        across.make("urge", CHIEF, {"reason": "再催"})
        assert (letter(across).number, proceedings.open_of(across.session, across.issue_id).letter) == (2, False)

    def test_who_was_not_urged_gets_none(self, across: Way) -> None:
        with pytest.raises(Conflict, match="not_urged"):
            letter(across)

    def test_an_urging_asks_for_it_until_it_is_written(self, across: Way) -> None:
        across.make("urge", CHIEF, {"reason": "快办"})
        before = proceedings.open_of(across.session, across.issue_id).letter
        letter(across)
        assert (before, proceedings.open_of(across.session, across.issue_id).letter) == (True, False)
