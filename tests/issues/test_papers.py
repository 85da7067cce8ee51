"""Papers: numbered by kind and year without gaps or doubles, drafted from the record, written as Word files."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extras import Json
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Invalid, NotFound
from gis.issues.papers import book, drafting, forms, values
from gis.issues.papers.book import Author, Numbered
from gis.issues.papers.drafting import Demand
from gis.issues.papers.forms import Press
from gis.issues.papers.values import Daily, Minutes, Named
from tests.issues import filed

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
AUTHOR = Author("chief", NOW, ZONE)
WEST = Scope(units=(("admin", "district", "990101"),), username="chief")
EAST = Scope(units=(("admin", "district", "990102"),), username="chief")
DAILY = Daily("2026-06-01", "示例市", "Demo", 3, 2, 1, 1, 1, 0, 7, 2, (Named("井盖", "Manhole", 3),))
MINUTES = Minutes(
    "一幢楼跨两区的违建", "2026-06-01T01:00:00+00:00", "区政府三楼", "陈主任", ("城管局", "水务局"), (),
    ("990101000001",), "违建三分之二在西区", (("城管局", "愿意主办"), ("水务局", "协助断水 & <b>清场</b>")),
    ("西区主办", "东区协办"), "2026-06-08",
)  # fmt: skip
PRESS = Press("zh", ZONE)


def words(content: bytes) -> str:
    form = Document(io.BytesIO(content))
    cells = [cell.text for table in form.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(each.text for each in form.paragraphs), *cells])


def numbered(said: values.Said) -> Numbered:
    return Numbered(1, said.kind, 2026, 7, None, said, "chief", NOW)


class TestNumbers:
    def test_they_begin_with_one_and_go_on(self, session: Session) -> None:
        assert [book.enter(session, DAILY, AUTHOR).number for _ in range(3)] == [1, 2, 3]

    def test_each_kind_has_its_own(self, session: Session) -> None:
        assert [book.enter(session, said, AUTHOR).number for said in (DAILY, MINUTES, DAILY)] == [1, 1, 2]

    def test_each_year_of_the_city_begins_anew(self, session: Session) -> None:
        # Midnight in the city is four in the afternoon before, by UTC.
        years = [
            book.enter(session, DAILY, Author("chief", datetime(2026, 12, 31, hour, tzinfo=UTC), ZONE))
            for hour in (15, 16)
        ]
        assert [(each.year, each.number) for each in years] == [(2026, 1), (2027, 1)]

    def test_a_paper_that_was_given_up_leaves_no_gap(self, session: Session) -> None:
        with session.begin_nested() as given_up:
            book.enter(session, DAILY, AUTHOR)
            given_up.rollback()
        assert book.enter(session, DAILY, AUTHOR).number == 1

    def test_who_sees_little_counts_all(self, session: Session) -> None:
        db.see_as(session, EAST)
        book.enter(session, DAILY, AUTHOR)
        db.see_as(session, WEST)
        assert book.enter(session, DAILY, AUTHOR).number == 2

    def test_many_at_once_get_each_number_once(self, clean_db: Engine) -> None:
        got: list[int] = []

        def write(nth: int) -> None:
            for turn in range(5):
                with db.session(clean_db, db.EVERYTHING) as session:
                    number = book.enter(session, DAILY, AUTHOR).number
                    if (nth + turn) % 3:
                        session.commit()
                        got.append(number)

        threads = [threading.Thread(target=write, args=(nth,)) for nth in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == list(range(1, 21))

    def test_a_paper_is_never_changed(self, session: Session) -> None:
        book.enter(session, DAILY, AUTHOR)
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text("UPDATE paper SET number = 9"))


class TestScope:
    def test_a_paper_of_the_city_is_not_a_districts(self, session: Session) -> None:
        paper = book.enter(session, DAILY, AUTHOR)
        db.see_as(session, WEST)
        session.expire_all()
        session.expunge_all()
        with pytest.raises(NotFound):
            book.get(session, paper.id)
        assert book.find(session) == []

    def test_a_districts_paper_is_its_own_and_the_citys(self, session: Session) -> None:
        db.see_as(session, WEST)
        paper = book.enter(session, DAILY, AUTHOR)
        session.expunge_all()
        db.see_as(session, EAST)
        assert book.find(session) == []
        db.see_as(session, db.EVERYTHING)
        assert [each.id for each in book.find(session)] == [paper.id]

    def test_a_letter_is_seen_with_its_issue(self, session: Session) -> None:
        filed.people(session)
        issue_id = filed.issue(session, 1)
        demand = Demand("限三日办结", date(2026, 6, 4), "值班长")
        _, said = drafting.supervision(session, "990101000001", demand, NOW)
        book.enter(session, said, AUTHOR, issue_id)
        session.expunge_all()
        db.see_as(session, WEST)
        assert len(book.find(session)) == 1
        db.see_as(session, EAST)
        assert book.find(session) == []


class TestDrafting:
    def test_a_day_counts_what_came_in_it(self, session: Session) -> None:
        filed.people(session)
        begins = datetime(2026, 5, 31, 16, tzinfo=UTC)
        for nth, at in enumerate((begins - timedelta(seconds=1), begins, begins + timedelta(hours=11), NOW)):
            filed.issue(session, nth, reported_at=at, flags=["straddles"] if nth == 1 else [])
        said = drafting.daily(session, date(2026, 6, 1), ZONE, NOW + timedelta(hours=8))
        assert (said.received, said.across, said.open) == (3, 1, 4)
        assert said.categories == (Named("井盖", "Manhole", 3),)

    def test_a_day_to_come_has_no_report(self, session: Session) -> None:
        with pytest.raises(Invalid, match=r"paper\.day_to_come"):
            drafting.daily(session, date(2026, 6, 2), ZONE, NOW)

    def test_a_closed_issue_is_not_pressed(self, session: Session) -> None:
        filed.people(session)
        filed.issue(session, 1, state="closed")
        with pytest.raises(Conflict, match=r"paper\.nobody_to_press"):
            drafting.supervision(session, "990101000001", Demand("办", date(2026, 6, 4), "x"), NOW)

    @pytest.mark.parametrize(
        ("place", "beside", "expected"),
        [
            ({"address": "长宁路 1 号"}, {"building": {"name": "云帆大厦"}}, "长宁路 1 号"),
            ({"building": "b1"}, {"building": {"name": "长宁路12号"}, "street": {"name": "长宁路"}}, "长宁路12号"),
            ({"lon": 1, "lat": 1}, {"street": {"name": "长宁路"}}, "长宁路"),
            ({"lon": 1, "lat": 1}, {}, ""),
        ],
    )
    def test_a_letter_says_where(
        self, session: Session, place: dict[str, Any], beside: dict[str, Any], expected: str
    ) -> None:
        filed.people(session)
        issue_id = filed.issue(session, 1, place=Json(place))
        session.execute(
            text("INSERT INTO finding VALUES (:id, 1, :found, now(), 'x')"), {"id": issue_id, "found": Json(beside)}
        )
        _, said = drafting.supervision(session, "990101000001", Demand("办", date(2026, 6, 4), "x"), NOW)
        assert said.place == expected

    def test_a_letter_needs_a_demand(self, session: Session) -> None:
        filed.people(session)
        filed.issue(session, 1)
        with pytest.raises(Invalid, match=r"paper\.no_demand"):
            drafting.supervision(session, "990101000001", Demand("  ", date(2026, 6, 4), "x"), NOW)


class TestForms:
    def test_minutes_say_who_said_what(self) -> None:
        told = words(forms.write(numbered(MINUTES), PRESS))
        said = ("会商〔2026〕7 号", "城管局、水务局", "城管局：愿意主办", "1. 西区主办", "2026 年 6 月 8 日")
        assert [each for each in (*said, "2026-06-01 09:00") if each not in told] == []

    def test_what_people_wrote_is_text_and_no_markup(self) -> None:
        assert "协助断水 & <b>清场</b>" in words(forms.write(numbered(MINUTES), PRESS))

    def test_no_place_is_left_unfilled(self) -> None:
        for said in (DAILY, MINUTES):
            for locale in ("zh", "en"):
                told = words(forms.write(numbered(said), Press(locale, ZONE)))
                assert "{{" not in told
                assert "{%" not in told
                assert "paper." not in told

    def test_a_citys_own_form_is_taken(self, tmp_path: Path) -> None:
        form = Document()
        form.add_paragraph("本市专用 {{ number }} {{ received }}")
        form.save(str(tmp_path / "daily.zh.docx"))
        assert words(forms.write(numbered(DAILY), Press("zh", ZONE, tmp_path))).strip() == "本市专用 日报〔2026〕7 号 3"

    @pytest.mark.parametrize("said", ["{{ number", "{% for %}", "{{ ''.__class__.__mro__ }}"])
    def test_a_form_that_cannot_be_filled_is_told_of(self, tmp_path: Path, said: str) -> None:
        form = Document()
        form.add_paragraph(said)
        form.save(str(tmp_path / "daily.zh.docx"))
        with pytest.raises(Invalid, match=r"paper\.form_unusable"):
            forms.write(numbered(DAILY), Press("zh", ZONE, tmp_path))

    @given(st.text(max_size=60))
    def test_any_words_can_be_written(self, said: str) -> None:
        paper = numbered(Minutes(said, NOW.isoformat(), said, said, (said,), (), (), said, ((said, said),), (said,)))
        # What XML cannot hold is left out, and XML reads every end of a line as one.
        kept = re.sub("\r\n?", "\n", forms.UNWRITABLE.sub("", said))
        assert (kept or "—") in words(forms.write(paper, PRESS))

    @pytest.mark.parametrize("said", [DAILY, MINUTES])
    def test_what_is_kept_is_read_as_it_was(self, session: Session, said: values.Said) -> None:
        paper = book.enter(session, said, AUTHOR)
        session.expire_all()
        assert book.get(session, paper.id).said == said
