"""Booklets: long work of somebody's own, done with the eyes of who asked, and read by nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from gis import db
from gis.db import Scope
from gis.errors import Conflict, NotFound
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from gis.tasks import kinds, queue, running, uploads
from gis.tasks.queue import Task
from tests import pdf, town
from tests.planning import test_dossiers
from tests.planning.test_dossiers import COMMUNITY, PHONE
from tests.tasks.test_tasks import NOW, got

PARAMS = {"unit": COMMUNITY, "level": "governance:grid", "locale": "zh"}


@pytest.fixture
def place(clean_db: Engine) -> Engine:
    """Furnish a grid, and open accounts for a planner, an operator and two administrators."""
    with db.session(clean_db, db.EVERYTHING) as session:
        test_dossiers.furnish(session)
        for name, role in {"planner": "planner", "operator": "operator", "admin": "administrator",
                           "second": "administrator"}.items():  # fmt: skip
            accounts.add(session, Newcomer(name, "a long password", name, role), now=town.LOADED)
        session.commit()
    return clean_db


def eyes(username: str) -> Scope:
    return Scope(all=True, username=username)


def asked(engine: Engine, by: str = "planner", kind: str = queue.BOOKLET) -> int:
    with db.session(engine, eyes(by)) as session:
        task_id = queue.put(session, kind, PARAMS, by=by, now=NOW)
        session.commit()
    return task_id


def made(engine: Engine, settings: Settings, by: str = "planner") -> Task:
    task_id = asked(engine, by)
    running.run(engine, settings, task_id)
    return got(engine, task_id)


def words(settings: Settings, task: Task) -> str:
    return pdf.words((uploads.results(settings, task.id) / kinds.BOOKLET).read_bytes())


def seen(engine: Engine, by: str) -> list[int]:
    with db.session(engine, eyes(by)) as session:
        return [task.id for task in queue.find(session)]


def test_it_holds_every_grid_and_tells_how_many_are_done(place: Engine, settings: Settings) -> None:
    task = made(place, settings)
    assert (task.state, task.done_n, task.total_n, task.outcome) == ("done", 1, 1, {"grids_n": 1})
    assert "梧桐楼" in words(settings, task)


@pytest.mark.parametrize(("by", "in_full"), [("planner", False), ("operator", True)])
def test_personal_data_is_in_it_as_who_asked_may_read_it(
    place: Engine, settings: Settings, by: str, in_full: bool
) -> None:
    assert (PHONE in words(settings, made(place, settings, by))) is in_full


@pytest.mark.parametrize("by", ["nobody", "gone"])
def test_who_may_not_come_in_sees_nothing_and_the_task_says_so(place: Engine, settings: Settings, by: str) -> None:
    with db.session(place, db.EVERYTHING) as session:
        accounts.add(session, Newcomer("gone", "a long password", "g", "planner"), now=town.LOADED)
        accounts.close(session, "gone", now=NOW)
        session.commit()
    task = made(place, settings, by)
    assert task.fault
    assert (task.state, task.fault["code"]) == ("refused", "evaluation.beyond")


@pytest.mark.parametrize("by", ["operator", "admin"])
def test_nobody_else_finds_it(place: Engine, by: str) -> None:
    task_id = asked(place)
    assert seen(place, by) == []
    with db.session(place, eyes(by)) as session, pytest.raises(NotFound):
        queue.get(session, task_id)


def test_administrators_see_each_others_work_and_nobody_else_does(place: Engine) -> None:
    task_id = asked(place, "admin", "check")
    assert {who: seen(place, who) for who in ("second", "planner")} == {"second": [task_id], "planner": []}


def test_nobody_but_an_administrator_asks_for_administrators_work(place: Engine) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        asked(place, "planner", "check")


def test_nobody_asks_in_another_name(place: Engine) -> None:
    with db.session(place, eyes("admin")) as session, pytest.raises(ProgrammingError, match="row-level security"):
        queue.put(session, "check", {}, by="second", now=NOW)


def test_one_person_has_no_more_than_a_few_waiting(place: Engine) -> None:
    for _ in range(queue.OPEN_MOST):
        asked(place)
    with pytest.raises(Conflict):
        asked(place)
    assert asked(place, "operator")


def test_what_is_over_leaves_room_for_more(place: Engine, settings: Settings) -> None:
    ids = [asked(place) for _ in range(queue.OPEN_MOST)]
    running.run(place, settings, ids[0])
    assert asked(place) > ids[-1]
