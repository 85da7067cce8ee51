"""What is asked of a ledger, who keeps which view, and cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.errors import Conflict, Forbidden, Invalid, NotFound
from gis.issues.ledgers import asking, lines, printing, views, workbook
from gis.issues.ledgers.asking import OPEN, STAGES, Moment
from gis.issues.ledgers.lines import Reader
from gis.issues.ledgers.views import Wish
from gis.issues.listing import Filters
from gis.issues.matter import Actor
from gis.issues.moves import ENDS, STATES
from gis.issues.paging import Asked
from tests.issues import filed

ZONE = ZoneInfo("Asia/Shanghai")
# A Sunday, five minutes past midnight in the city: Saturday by UTC.
NOW = Moment(datetime(2026, 2, 28, 16, 5, tzinfo=UTC), ZONE)
READER = Reader("zh", ZONE, NOW.now)
ANN, BOB = Actor("ann", "shift_leader"), Actor("bob", "planner")


def city(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=ZONE)


class TestAsking:
    @pytest.mark.parametrize(
        ("period", "since", "until"),
        [
            ("today", city(2026, 3, 1), city(2026, 3, 2)),
            ("week", city(2026, 2, 23), city(2026, 3, 2)),
            ("month", city(2026, 3, 1), city(2026, 3, 2)),
            ("last_month", city(2026, 2, 1), city(2026, 3, 1)),
            ("year", city(2026, 1, 1), city(2026, 3, 2)),
        ],
    )
    def test_a_period_is_of_the_citys_calendar(self, period: str, since: datetime, until: datetime) -> None:
        filters = asking.read({"period": period}, NOW).filters
        assert (filters.since, filters.until) == (since, until)

    def test_both_days_of_a_period_belong_to_it(self) -> None:
        filters = asking.read({"from": "2026-02-27", "to": "2026-02-27"}, NOW).filters
        assert (filters.since, filters.until) == (city(2026, 2, 27), city(2026, 2, 28))

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"from": "2026-02-28", "to": "2026-02-27"}, "ledger.period_backwards"),
            ({"from": "27.2.2026"}, "ledger.bad_day"),
            ({"period": "ever"}, "listing.unknown_value"),
            ({"stage": "nowhere"}, "listing.unknown_value"),
            ({"order": "random"}, "listing.unknown_value"),
            ({"struck": "maybe"}, "listing.unknown_value"),
            ({"stage": "closing", "states": "filed"}, "ledger.nothing_left"),
            ({"text": "长" * 501}, "report.too_long"),
            ({"place": "somewhere"}, "paging.bad_place"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, given: dict[str, str], code: str) -> None:
        with pytest.raises(Invalid) as caught:
            asking.read(given, NOW)
        assert caught.value.code == code

    def test_each_state_belongs_to_one_stage(self) -> None:
        assert sorted(state for states in STAGES.values() for state in states) == sorted(STATES)

    def test_what_is_open_has_not_ended(self) -> None:
        assert set(OPEN) == set(STATES) - ENDS

    def test_a_stage_and_a_state_of_it_are_both_asked_for(self) -> None:
        assert asking.read({"stage": "handling", "states": "handling,filed"}, NOW).filters.states == ("handling",)

    def test_what_is_no_part_of_a_view_is_left_out(self) -> None:
        assert asking.plain({"stage": "open", "place": ">,3", "lang": "en", "text": " "}) == {"stage": "open"}


class TestViews:
    def save(self, session: Session, name: str, actor: Actor = ANN, *, shared: bool = False) -> int:
        db.see_as(session, Scope(all=True, username=actor.username))
        return views.save(session, Wish(name, {"stage": "open"}, shared), actor, NOW)

    def seen_by(self, session: Session, actor: Actor) -> list[str]:
        session.expunge_all()
        db.see_as(session, Scope(username=actor.username))
        return [view.name for view in views.of(session)]

    def test_a_view_is_its_owners(self, session: Session) -> None:
        self.save(session, "我的")
        assert (self.seen_by(session, ANN), self.seen_by(session, BOB)) == (["我的"], [])

    def test_a_shared_one_is_everybodys(self, session: Session) -> None:
        self.save(session, "共享", shared=True)
        assert self.seen_by(session, BOB) == ["共享"]

    def test_a_planner_shares_none(self, session: Session) -> None:
        with pytest.raises(Forbidden, match=r"ledger\.may_not_share"):
            self.save(session, "共享", BOB, shared=True)

    def test_two_people_may_use_one_name(self, session: Session) -> None:
        self.save(session, "在办")
        self.save(session, "在办", BOB)
        with pytest.raises(Conflict, match=r"ledger\.view_exists"):
            self.save(session, "在办", BOB)

    @pytest.mark.parametrize("name", ["", "  ", "长" * 61])
    def test_a_view_has_a_name(self, session: Session, name: str) -> None:
        with pytest.raises(Invalid, match=r"ledger\.view_name"):
            self.save(session, name)

    def test_a_removed_view_is_gone_and_its_name_free(self, session: Session) -> None:
        number = self.save(session, "在办")
        views.remove(session, number, by="ann", now=NOW.now)
        assert self.seen_by(session, ANN) == []
        self.save(session, "在办")

    def test_a_shared_view_is_removed_by_its_owner_alone(self, session: Session) -> None:
        number = self.save(session, "共享", shared=True)
        db.see_as(session, Scope(username="bob"))
        with pytest.raises(NotFound):
            views.remove(session, number, by="bob", now=NOW.now)

    def test_the_database_keeps_no_view_under_anothers_name(self, session: Session) -> None:
        db.see_as(session, Scope(username="bob"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(text(FORGED))


FORGED = "INSERT INTO saved_view (owner, name, query, shared, saved_at) VALUES ('ann', 'x', '{}', true, now())"


class TestPaper:
    @given(st.text(max_size=200))
    def test_no_words_are_a_formula(self, said: str) -> None:
        kept = workbook.harmless(said)
        assert not kept.startswith(workbook.DANGEROUS)
        assert not kept.lstrip().startswith(("=", "+", "-", "@"))

    @given(st.text(min_size=1, max_size=50))
    def test_a_workbook_gives_words_back_as_words(self, said: str) -> None:
        line = dict.fromkeys(lines.COLUMNS, said)
        sheet = openpyxl.load_workbook(io.BytesIO(workbook.write("台账", [line], READER))).active
        assert sheet is not None
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}

    @pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1", "\u3000=1"])
    def test_what_would_run_is_kept_as_people_would_type_it(self, said: str) -> None:
        assert workbook.harmless(said) == f"'{said}"

    def test_what_is_cut_off_says_so(self) -> None:
        sheet = openpyxl.load_workbook(io.BytesIO(workbook.write("台账", [], READER, last="后面还有"))).active
        assert sheet is not None
        assert sheet["A2"].value == "后面还有"

    def test_words_are_no_markup_on_paper(self) -> None:
        line = dict.fromkeys(printing.COLUMNS, "#panic() *a* $x$ @y <z> \\ [ ] `r`")
        assert printing.write("#panic()", ["#panic()"], [line], READER).startswith(b"%PDF-")

    def test_an_empty_ledger_is_printed(self) -> None:
        assert printing.write("台账", [], [], READER).startswith(b"%PDF-")

    def test_a_whole_ledger_is_written_page_by_page(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lines, "BATCH", 3)
        filed.people(session)
        for nth in range(8):
            filed.issue(session, nth)
        told = [line["code"] for line in lines.every(session, Asked(Filters()), READER, 7)]
        assert told == [f"990101{nth:06}" for nth in range(7, 0, -1)]
