"""The worker: jobs are done by one at a time, a fault stops no other, and killing it loses and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db, jobs, worker
from gis.errors import Conflict
from gis.issues import audit
from gis.issues.messages import outbox
from gis.issues.messages.outbox import Tiding
from gis.jobs import Job, Work
from gis.settings import ROOT, Settings
from tests import receivers
from tests.issues import called, looped
from tests.issues.looped import CG, CHIEF, DISPATCHER, NOW

SOON = timedelta(seconds=1)


def does(done: list[int]) -> Callable[[Work], bool]:
    """Give a job that notes that it was done, and has no more to do."""

    def run(_work: Work) -> bool:
        done.append(1)
        return False

    return run


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with db.session(engine, db.EVERYTHING) as session:
        return [tuple(row) for row in session.execute(text(sql))]


class TestTurns:
    def jobs(self, engine: Engine, *runs: object) -> tuple[Job, ...]:
        known = tuple(Job(f"job {nth}", SOON, run) for nth, run in enumerate(runs))  # type: ignore[arg-type]
        worker.enrol(engine, known)
        return known

    def turn(self, engine: Engine, settings: Settings, known: tuple[Job, ...]) -> bool:
        return worker.turn(engine, settings, known, datetime.now(UTC))

    def test_a_job_is_done_when_it_is_due_and_not_before(self, clean_db: Engine, settings: Settings) -> None:
        done: list[int] = []
        known = self.jobs(clean_db, does(done))
        assert [self.turn(clean_db, settings, known) for _ in range(2)] == [True, False]
        assert done == [1]

    def test_what_has_more_to_do_is_done_again_at_once(self, clean_db: Engine, settings: Settings) -> None:
        left = [True, True, False]
        known = self.jobs(clean_db, lambda _work: left.pop(0))
        assert [self.turn(clean_db, settings, known) for _ in range(4)] == [True, True, True, False]

    def test_a_job_that_fails_says_so_rests_and_stops_no_other(self, clean_db: Engine, settings: Settings) -> None:
        done: list[int] = []

        def fail(_work: Work) -> bool:
            raise ZeroDivisionError

        known = self.jobs(clean_db, fail, does(done))
        assert [self.turn(clean_db, settings, known) for _ in range(3)] == [True, True, False]
        kept = rows(clean_db, "SELECT faults_n, fault FROM job ORDER BY name")
        assert (done, kept) == ([1], [(1, "ZeroDivisionError"), (0, None)])

    def test_a_job_that_somebody_does_is_done_by_nobody_else(self, clean_db: Engine, settings: Settings) -> None:
        tried: list[bool] = []

        def try_too(_work: Work) -> bool:
            tried.append(self.turn(clean_db, settings, known))
            return False

        known: tuple[Job, ...] = self.jobs(clean_db, try_too)
        self.turn(clean_db, settings, known)
        assert tried == [False]

    def test_a_clock_set_back_holds_no_job_up(self, clean_db: Engine, settings: Settings) -> None:
        known = self.jobs(clean_db, lambda _work: False)
        with db.session(clean_db, db.EVERYTHING) as session:
            session.execute(text("UPDATE job SET next_at = now() + interval '1 year'"))
            session.commit()
        assert self.turn(clean_db, settings, known)

    def test_every_channel_is_a_job_of_its_own(self, tmp_path: Path) -> None:
        file = tmp_path / "channels.toml"
        file.write_text("[a]\nkind='http'\nurl='x'\nbody='y'\n[b]\nkind='http'\nurl='x'\nbody='y'\n", "utf-8")
        names = [job.name for job in jobs.registry(Settings(channels=file))]
        assert [name for name in names if name.startswith("outbox:")] == ["outbox:a", "outbox:b"]


class TestJobs:
    def late(self, engine: Engine, **changes: object) -> looped.Way:
        with db.session(engine, db.EVERYTHING) as session:
            looped.people(session)
            way = looped.plain(session)
            due_at = changes.get("due_at", NOW)
            told = {"id": way.issue_id, "due_at": due_at}
            due = "UPDATE issue SET due_at = :due_at, warn_at = CAST(:due_at AS timestamptz) - interval '1 day'"
            session.execute(text(due), told)
            session.execute(
                text("""
                INSERT INTO clock (issue_id, name, department, version, event, started_at, limit_value, limit_unit,
                                   extensions, pauses, due_at, warn_at, reason, at, by)
                VALUES (:id, 'handle', '', 1, 'started', :due_at, 1, 'urgent_hour', 0, '[]', :due_at, :due_at, CAST(
                    '{"code": "x", "params": {}, "calendar": null, "lacking": null}' AS jsonb), :due_at, 'x')
                """),
                told,
            )
            session.commit()
        return way

    def test_what_ran_out_is_written_down_once_and_told(self, clean_db: Engine, settings: Settings) -> None:
        self.late(clean_db)
        for _ in range(2):
            jobs.overdue(Work(clean_db, settings, NOW + timedelta(hours=1)))
        assert rows(clean_db, "SELECT department, clock FROM lateness") == [("", "handle")]
        assert rows(clean_db, "SELECT recipient FROM message WHERE event = 'overdue' ORDER BY id") == [
            ("department:cg",), ("role:dispatcher",),
        ]  # fmt: skip

    def test_what_is_due_later_is_not_late(self, clean_db: Engine, settings: Settings) -> None:
        self.late(clean_db)
        jobs.overdue(Work(clean_db, settings, NOW))
        assert rows(clean_db, "SELECT * FROM lateness") == []

    def test_what_will_soon_be_due_is_told_once_for_each_set_hour(self, clean_db: Engine, settings: Settings) -> None:
        self.late(clean_db, due_at=NOW + timedelta(hours=20))
        for hours in (0, 0, 5, 5):
            jobs.digest(Work(clean_db, settings, NOW + timedelta(hours=hours)))
        told = rows(clean_db, "SELECT recipient, params ->> 'count' FROM message WHERE event = 'due_soon'")
        assert told == [("department:cg", "1")] * 2

    def test_suspended_issues_are_taken_up_on_their_day(self, clean_db: Engine, settings: Settings) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            way = looped.plain(session)
            until = {"until": "2026-06-03", "reason": "等待"}
            way.after(("sign", CG), ("ask_suspension", CG, until), ("endorse", DISPATCHER), ("grant", CHIEF))
            session.commit()
            jobs.resume(Work(clean_db, settings, NOW + timedelta(days=3)))
            session.rollback()
            assert way.state == "handling"

    def test_what_nobody_answered_goes_up(self, clean_db: Engine, settings: Settings) -> None:
        with db.session(clean_db, db.EVERYTHING) as session:
            called.town_of_callers(session)
            way = called.plain(session)
            way.make("blow", called.CALLER, called.whistle("cg"))
            session.commit()
        jobs.escalate(Work(clean_db, settings, way.now + timedelta(days=2)))
        assert rows(clean_db, "SELECT count(*) FROM escalation") == [(1,)]

    def test_one_that_is_refused_holds_up_no_other(self, clean_db: Engine, settings: Settings) -> None:
        def put(session: Session, name: str) -> bool:
            session.execute(text("INSERT INTO job (name, next_at) VALUES (:name, now())"), {"name": name})
            if name == "refused":
                raise Conflict("workflow.somebody_to_call")
            return name != "idle"

        done = Work(clean_db, settings, NOW).each(["first", "refused", "idle", "last"], put)
        assert done == ["first", "last"]
        assert rows(clean_db, "SELECT name FROM job ORDER BY name") == [("first",), ("idle",), ("last",)]

    def test_a_dead_receiver_holds_up_no_other(
        self, clean_db: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHAOTU_TEST_HOOK", "x")
        with receivers.http() as heard:
            settings = replace(settings, channels=hooks(tmp_path, dead=1, alive=heard.port))
            tell(clean_db, settings, 3)
            known = jobs.registry(settings)[-2:]
            worker.enrol(clean_db, known)
            for _ in range(20):
                worker.turn(clean_db, settings, known, datetime.now(UTC))
        states = rows(clean_db, "SELECT channel, state, count(*) FROM message GROUP BY 1, 2 ORDER BY 1")
        assert ("alive", "sent", 3) in states
        assert ("dead", "waiting", 3) in states


def hooks(folder: Path, **ports: int) -> Path:
    file = folder / "channels.toml"
    file.write_text(
        "".join(
            f'[{name}]\nkind = "webhook"\nurl = "http://127.0.0.1:{port}/"\n'
            'secret = "env:SHAOTU_TEST_HOOK"\nrepeat = true\n'
            for name, port in ports.items()
        ),
        "utf-8",
    )
    return file


def tell(engine: Engine, settings: Settings, count: int, start: int = 0) -> None:
    """Queue messages about no issue."""
    with db.session(engine, db.EVERYTHING) as session:
        tidings = [Tiding("called", f"{nth}", (), None, {"code": f"{nth}"}) for nth in range(start, start + count)]
        outbox.put(session, tidings, settings, datetime.now(UTC))
        session.commit()


@contextmanager
def running(settings: Settings, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real worker."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHAOTU_")},
        "SHAOTU_DATABASE_URL": str(settings.database_url), "SHAOTU_VAR_DIR": str(settings.var_dir),
        "SHAOTU_CHANNELS": str(settings.channels), "SHAOTU_LOG_LEVEL": "error", "HOOK": "x",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "gis", "worker", *arguments], cwd=ROOT, env=environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(true: object, seconds: float = 60.0) -> bool:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def all_sent(engine: Engine) -> bool:
    return rows(engine, "SELECT count(*) FROM message WHERE state <> 'sent'") == [(0,)]


def sealed(engine: Engine) -> bool:
    return rows(engine, "SELECT count(*) FROM unsealed") == [(0,)]


class TestProcesses:
    @pytest.fixture
    def site(self, settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, receivers.Heard]]:
        with receivers.http() as heard:
            file = hooks(tmp_path, hook=heard.port)
            file.write_text(file.read_text("utf-8").replace("SHAOTU_TEST_HOOK", "HOOK"), "utf-8")
            yield replace(settings, channels=file), heard

    def test_killed_many_times_it_loses_nothing_and_whoever_gets_it_twice_can_tell(
        self, clean_db: Engine, site: tuple[Settings, receivers.Heard]
    ) -> None:
        settings, heard = site
        with db.session(clean_db, db.EVERYTHING) as session:
            looped.people(session)
            ways = [looped.plain(session, nth) for nth in range(1, 4)]
            session.commit()
            for nth in range(6):
                tell(clean_db, settings, 10, 10 * nth)
                ways[nth % 3].make("urge", DISPATCHER, {"reason": "x"})
                session.commit()
                with running(settings, "--alone") as process:
                    until(partial(heard_more, heard, 8 * nth), 5)
                    os.kill(process.pid, signal.SIGKILL)
        # As if the time a claim holds had passed.
        with db.session(clean_db, db.EVERYTHING) as session:
            session.execute(text("UPDATE message SET claimed_until = now() WHERE state = 'waiting'"))
            session.commit()
        with running(settings, "--alone"):
            assert until(lambda: all_sent(clean_db) and sealed(clean_db))
        ids = [headers["webhook-id"] for _, headers, _ in heard.requests]
        told = {body["data"].get("code") for body in heard.bodies() if body["type"] == "called"}
        assert told >= {str(nth) for nth in range(60)}
        assert len(set(ids)) == rows(clean_db, "SELECT count(*) FROM message WHERE channel = 'hook'")[0][0]
        with db.session(clean_db, db.EVERYTHING) as session:
            assert [fault for span in audit.spans(session) for fault in audit.held(session, span)] == []

    def test_one_that_dies_is_started_again(self, clean_db: Engine, site: tuple[Settings, receivers.Heard]) -> None:
        settings, _ = site
        with running(settings) as process:
            assert until(lambda: children(process.pid))
            [first] = children(process.pid)
            os.kill(first, signal.SIGKILL)
            assert until(lambda: [child for child in children(process.pid) if child != first])
            tell(clean_db, settings, 1)
            assert until(lambda: all_sent(clean_db))
            process.terminate()
            assert process.wait(30) == 0

    def test_it_ends_with_whoever_watches_it(self, site: tuple[Settings, receivers.Heard]) -> None:
        settings, _ = site
        with running(settings) as process:
            assert until(lambda: children(process.pid))
            [child] = children(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            assert until(lambda: not Path("/proc", str(child)).exists())


def heard_more(heard: receivers.Heard, count: int) -> bool:
    return len(heard.requests) > count


def children(pid: int) -> list[int]:
    """List the processes a process started."""
    file = Path("/proc", str(pid), "task", str(pid), "children")
    return [int(child) for child in file.read_text().split()] if file.exists() else []


def test_what_a_worker_had_begun_beside_itself_goes_with_it() -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 600 & echo; wait"], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    worker._end(child)
    # the sleeper held the other end
    assert child.stdout.read() == b""
