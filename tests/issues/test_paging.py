"""Pages of long lists: each row once, in order, whatever the way the rows were found; the ways go by indexes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Invalid
from gis.issues import listing, paging
from gis.issues.listing import Filters
from gis.issues.paging import Asked, Place
from gis.settings import Settings
from tests.issues import filed

NOW = filed.AT
CITY = db.EVERYTHING
DISTRICT = db.Scope(units=(("admin", "district", "1"),), username="li")


@pytest.fixture
def dozen(session: Session) -> Session:
    """Give twelve issues: times repeat, every second one has no due time, every third was closed."""
    filed.people(session)
    for nth in range(12):
        filed.issue(session, nth, reported_at=NOW + timedelta(hours=nth // 3), ground=[f"admin:district:{nth % 2}"])
    session.execute(
        text("""
        UPDATE issue SET due_at = CASE WHEN id % 2 = 0 THEN reported_at + id % 5 * interval '1 hour' END,
                         closed_at = CASE WHEN id % 3 = 0 THEN reported_at END,
                         state = CASE WHEN id % 3 = 0 THEN 'closed' ELSE 'filed' END
        """)
    )
    return session


def expected(session: Session, order: str) -> list[int]:
    by = {
        "reported": "reported_at DESC, id DESC",
        "oldest": "reported_at, id",
        "due": "due_at ASC NULLS LAST, id",
        "closed": "closed_at DESC NULLS LAST, id DESC",
    }[order]
    return list(session.scalars(text(f"SELECT id FROM issue ORDER BY {by}")))


def forward(session: Session, asked: Asked, rows: int) -> list[list[int]]:
    """Turn all pages, from the first to the last."""
    pages = [paging.page(session, asked, rows=rows)]
    while (place := pages[-1].later) and len(pages) < 50:
        pages.append(paging.page(session, Asked(asked.filters, asked.order, place, asked.unstruck), rows=rows))
    return [list(page.ids) for page in pages]


def backward(session: Session, asked: Asked, rows: int) -> list[list[int]]:
    """Turn them back from the last to the first."""
    page = paging.page(session, asked, rows=rows)
    while page.later:
        page = paging.page(session, Asked(asked.filters, asked.order, page.later, asked.unstruck), rows=rows)
    pages = [page]
    while (place := pages[-1].earlier) and len(pages) < 50:
        pages.append(paging.page(session, Asked(asked.filters, asked.order, place, asked.unstruck), rows=rows))
    return [list(page.ids) for page in pages]


def chained(pages: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(pages))


# How little is glanced at and probed: each way comes to be used on a dozen issues.
WAYS = {"glance": (100, 100), "probe": (1, 100), "walk": (1, 1)}
# What is reported until a day and listed by another time, and what is open and listed from the oldest.
FAR = (
    Asked(Filters(until=NOW + timedelta(hours=3)), "closed"), Asked(Filters(until=NOW + timedelta(hours=3)), "due"),
    Asked(Filters(states=("filed",), until=NOW + timedelta(hours=3)), "oldest"),
)  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    glance, probe = WAYS[request.param]
    monkeypatch.setattr(paging, "GLANCE_ROWS", glance)
    monkeypatch.setattr(paging, "PROBE_ROWS", probe)
    return str(request.param)


@pytest.mark.parametrize("order", paging.ORDERS)
@pytest.mark.parametrize("rows", [1, 4, 5, 12, 13])
def test_turning_the_pages_shows_each_issue_once_and_in_order(
    dozen: Session, way: str, order: str, rows: int
) -> None:
    assert chained(forward(dozen, Asked(Filters(), order), rows)) == expected(dozen, order)


@pytest.mark.parametrize("order", paging.ORDERS)
@pytest.mark.parametrize("rows", [1, 4, 5])
def test_turning_them_back_shows_the_same(dozen: Session, way: str, order: str, rows: int) -> None:
    back = backward(dozen, Asked(Filters(), order), rows)
    assert chained(back[::-1]) == expected(dozen, order)


@pytest.mark.parametrize("order", paging.ORDERS)
def test_a_filter_leaves_the_order_as_it_is(dozen: Session, way: str, order: str) -> None:
    odd = set(dozen.scalars(text("SELECT id FROM issue WHERE ground && '{admin:district:1}'")))
    asked = Asked(Filters(units=("admin:district:1",)), order)
    assert chained(forward(dozen, asked, 2)) == [each for each in expected(dozen, order) if each in odd]


@pytest.mark.parametrize("far", [1, 100])
@pytest.mark.parametrize("asked", FAR)
def test_what_lies_far_from_the_beginning_keeps_its_order(
    dozen: Session, monkeypatch: pytest.MonkeyPatch, way: str, asked: Asked, far: int
) -> None:
    monkeypatch.setattr(paging, "FAR_ROWS", far)
    where, values = listing.condition(asked.filters)
    wanted = set(dozen.scalars(text(f"SELECT id FROM issue WHERE {where}"), values))
    assert chained(forward(dozen, asked, 2)) == [each for each in expected(dozen, asked.order) if each in wanted]


def test_the_planner_has_its_ways_back_after_a_page(dozen: Session) -> None:
    def ways() -> Any:
        return dozen.execute(text("SELECT name, setting FROM pg_settings WHERE name ~ '^enable_|^jit$|gather$'")).all()

    before = ways()
    paging.page(dozen, Asked(Filters()))
    assert ways() == before


@pytest.mark.parametrize("order", paging.ORDERS)
def test_a_scope_leaves_only_what_is_in_it(dozen: Session, way: str, order: str) -> None:
    odd = set(dozen.scalars(text("SELECT id FROM issue WHERE ground && '{admin:district:1}'")))
    wanted = [each for each in expected(dozen, order) if each in odd]
    db.see_as(dozen, DISTRICT)
    assert chained(forward(dozen, Asked(Filters(), order), 4)) == wanted


def test_closed_and_not_struck_off(dozen: Session, way: str) -> None:
    dozen.execute(text("UPDATE issue SET marks = '{struck}' WHERE id = (SELECT min(id) FROM issue WHERE id % 3 = 0)"))
    left = dozen.scalars(text("SELECT id FROM issue WHERE id % 3 = 0 AND marks = '{}'")).all()
    assert sorted(chained(forward(dozen, Asked(Filters(), "closed", unstruck=True), 2))) == sorted(left)


def test_an_issue_that_comes_in_meanwhile_moves_no_row_to_another_page(dozen: Session, way: str) -> None:
    asked = Asked(Filters(), "reported")
    first = paging.page(dozen, asked, rows=5)
    filed.issue(dozen, 99, reported_at=NOW + timedelta(days=1))
    second = paging.page(dozen, Asked(Filters(), "reported", first.later), rows=5)
    assert [*first.ids, *second.ids] == expected(dozen, "reported")[1:11]


def test_the_total_is_told_where_it_was_found_out(dozen: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paging.page(dozen, Asked(Filters()), rows=20).total == 12
    monkeypatch.setattr(paging, "PROBE_ROWS", 3)
    assert paging.page(dozen, Asked(Filters()), rows=5).total is None


@given(st.one_of(st.none(), st.datetimes(timezones=st.just(NOW.tzinfo))), st.integers(0, 10**18 - 1), st.booleans())
def test_a_place_is_read_as_it_was_written(at: Any, number: int, back: bool) -> None:
    place = Place(at, number, back)
    assert paging.parse_place(str(place)) == place


@given(st.text(max_size=60))
def test_a_place_is_read_or_refused_with_a_sentence(said: str) -> None:
    with contextlib.suppress(Invalid):
        place = paging.parse_place(said)
        assert place is None or isinstance(place, Place)


@pytest.fixture(scope="module")
def crowded(server: Settings, template: str) -> Iterator[Engine]:
    """Give twenty thousand issues, for the planner to take seriously."""
    from bench import million
    from tests.conftest import _copied

    with _copied(server, template) as settings:
        engine = db.connect(settings)
        million.fill(engine, settings, NOW, issues=20_000)
        yield engine
        engine.dispose()


def plans(engine: Engine, scope: db.Scope, asked: Asked) -> list[str]:
    """Turn to a page and tell the plan of each question that was put for it, as the application's role."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "FROM issue" in statement and not statement.startswith("EXPLAIN"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            found.append("\n".join(row[0] for row in cursor.fetchall()))

    with db.session(engine, scope) as session:
        event.listen(engine, "before_cursor_execute", explain)
        paging.page(session, asked)
        event.remove(engine, "before_cursor_execute", explain)
    return found


VIEWS = {
    "everything": Filters(),
    "a class": Filters(categories=("E3",)),
    "a rare class": Filters(categories=("E149",)),
    "a department": Filters(departments=("d77",)),
    "a district": Filters(units=("admin:district:3",)),
    "a cell": Filters(units=("unit_grid:cell:6",)),
    "across a line": Filters(flags=("straddles",)),
    "relapses": Filters(marks=("relapse",)),
    "overdue": Filters(dues=("overdue",), at=NOW),
    "states": Filters(states=("filed", "handling")),
    "a source": Filters(sources=("s6",)),
    "a month": Filters(since=NOW - timedelta(days=400), until=NOW - timedelta(days=370)),
    "words": Filters(text="垃圾"),
    "rare words": Filters(text="流浪犬"),
    "words of none": Filters(text="熊猫"),
    "one sign": Filters(text="犬"),
    "a code": Filters(text="99010000000000004242"),
    "words that are open": Filters(text="路灯", states=("filed", "handling")),
    "words of a district": Filters(text="垃圾", units=("admin:district:3",)),
}
SCOPES = {
    "the city": CITY, "a district": db.Scope(units=(("admin", "district", "2"),), username="li"),
    "a grid": db.Scope(units=(("governance", "grid", "4"),), username="li"),
    "a department": db.Scope(department="d7", username="wang"),
}  # fmt: skip


@pytest.mark.parametrize("order", paging.ORDERS)
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("view", VIEWS)
def test_no_saved_view_reads_the_whole_table(crowded: Engine, view: str, scope: str, order: str) -> None:
    told = plans(crowded, SCOPES[scope], Asked(VIEWS[view], order))
    assert told
    assert [plan for plan in told if "Seq Scan on issue" in plan] == []


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(VIEWS)), st.sampled_from(sorted(SCOPES)), st.sampled_from(sorted(paging.ORDERS)),
    st.integers(1, 60),
)  # fmt: skip
def test_a_page_is_what_the_plain_question_would_give(
    crowded: Engine, view: str, scope: str, order: str, rows: int
) -> None:
    with db.session(crowded, SCOPES[scope]) as session:
        where, values = listing.condition(VIEWS[view])
        column, way = paging.ORDERS[order].column, "DESC" if paging.ORDERS[order].falling else "ASC"
        sql = f"SELECT id FROM issue WHERE {where} ORDER BY {column} {way} NULLS LAST, id {way} LIMIT {2 * rows}"
        wanted = list(session.scalars(text(sql), values))
        first = paging.page(session, Asked(VIEWS[view], order), rows=rows)
        found = list(first.ids)
        if first.later:
            found += paging.page(session, Asked(VIEWS[view], order, first.later), rows=rows).ids
    assert found == wanted
