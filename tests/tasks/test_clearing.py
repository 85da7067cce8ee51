"""Clearing away: what is over is kept with its files for so many days, and removed before by who asked for it alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from gis import db, jobs
from gis.errors import Conflict
from gis.jobs import Work
from gis.people import accounts
from gis.people.accounts import Newcomer
from gis.settings import Settings
from gis.tasks import clearing, queue
from tests import town
from tests.tasks.test_booklets import eyes, seen
from tests.tasks.test_tasks import asked, carried_out, sent

SYSTEM = ""


def files(settings: Settings) -> list[str]:
    """List the folders that long work made and was given, by what they hold."""
    folders = [*settings.var_dir.glob("tasks/*"), *settings.var_dir.glob("uploads/*")]
    return sorted(path.name for folder in folders for path in folder.iterdir())


def pass_days(engine: Engine, settings: Settings, days: float) -> None:
    jobs.forget_tasks(Work(engine, settings, datetime.now(UTC) + timedelta(days=days)))


def test_what_is_over_is_kept_for_its_days_and_then_goes_with_all_its_files(
    clean_db: Engine, settings: Settings
) -> None:
    task = carried_out(clean_db, settings, "check", manifest=sent(settings))
    pass_days(clean_db, settings, settings.task_days - 0.1)
    assert (seen(clean_db, SYSTEM), files(settings)) == (
        [task.id], ["boundaries.toml", "faults.geojson", "land.geojson"],
    )  # fmt: skip
    pass_days(clean_db, settings, settings.task_days + 0.1)
    assert (seen(clean_db, SYSTEM), files(settings)) == ([], [])


def test_it_is_said_until_when_it_is_kept(clean_db: Engine, settings: Settings) -> None:
    task = carried_out(clean_db, settings, "check", manifest=sent(settings))
    assert task.ended_at
    assert clearing.kept_until(settings, task) == task.ended_at + timedelta(days=settings.task_days)


def test_what_is_not_over_is_never_cleared(clean_db: Engine, settings: Settings) -> None:
    task_id = asked(clean_db, "check", manifest=sent(settings))
    pass_days(clean_db, settings, 400)
    assert (seen(clean_db, SYSTEM), files(settings)) == ([task_id], ["boundaries.toml", "land.geojson"])


def test_files_that_nobody_asked_anything_about_go_too(clean_db: Engine, settings: Settings) -> None:
    sent(settings)
    pass_days(clean_db, settings, 1)
    assert files(settings) == ["boundaries.toml", "land.geojson"]
    pass_days(clean_db, settings, settings.task_days + 1)
    assert files(settings) == []


def test_clearing_twice_clears_no_more(clean_db: Engine, settings: Settings) -> None:
    carried_out(clean_db, settings, "check", manifest=sent(settings))
    for _ in range(2):
        pass_days(clean_db, settings, settings.task_days + 1)
    assert seen(clean_db, SYSTEM) == []


class TestRemoving:
    @pytest.fixture
    def place(self, clean_db: Engine) -> Engine:
        with db.session(clean_db, db.EVERYTHING) as session:
            for name in ("admin", "second"):
                accounts.add(session, Newcomer(name, "a long password", name, "administrator"), now=town.LOADED)
            session.commit()
        return clean_db

    def remove(self, engine: Engine, settings: Settings, task_id: int, by: str) -> None:
        with db.session(engine, eyes(by)) as session:
            clearing.remove(session, settings, queue.get(session, task_id))
            session.commit()

    def test_who_asked_removes_it_with_its_files(self, place: Engine, settings: Settings) -> None:
        task = carried_out(place, settings, "check", manifest=sent(settings))
        self.remove(place, settings, task.id, "admin")
        assert (seen(place, "admin"), files(settings)) == ([], ["boundaries.toml", "land.geojson"])

    def test_who_sees_it_and_did_not_ask_does_not(self, place: Engine, settings: Settings) -> None:
        task = carried_out(place, settings, "check", manifest=sent(settings))
        with pytest.raises(Conflict):
            self.remove(place, settings, task.id, "second")
        assert "faults.geojson" in files(settings)

    def test_what_is_not_over_stays(self, place: Engine, settings: Settings) -> None:
        task_id = asked(place, "check", manifest=sent(settings))
        with pytest.raises(Conflict):
            self.remove(place, settings, task_id, "admin")
