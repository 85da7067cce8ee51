"""A process that is killed between any two steps of a move leaves the move whole or not at all.

The process is a real one that moves issues as fast as it can, killed hundreds of times wherever it happens to be.
Beside it, each statement of a move is the last one in turn.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from gis import db
from gis.issues import audit, journal, workflow
from gis.issues.matter import Said
from gis.settings import ROOT, Settings
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, DISPATCHER, INSPECTOR, LAW, LOOP, NOW

KILLS = 200
ISSUES = 4
# What moves without end: return and dispatch, handle and rework.
MOVER = """
import itertools, os
from datetime import UTC, datetime
from gis import db
from gis.errors import ShaotuError
from gis.issues import workflow
from gis.issues.matter import Said
from gis import settings as product
from tests.issues.looped import CG, DISPATCHER, INSPECTOR, Loop

settings = product.load()
engine, loop = db.connect(settings), Loop(settings)
ways = [("sign", CG, {}), ("urge", DISPATCHER, {"reason": "x"}), ("feed_back", CG, {"done": "x"}),
        ("rework", INSPECTOR, {"reason": "x"}), ("supervise", INSPECTOR, {})]
for nth in itertools.count():
    code = f"990101{nth % 4 + 1:06}"
    for move, by, fields in ways:
        try:
            with db.session(engine, db.EVERYTHING) as session:
                workflow.advance(session, code, move, Said(by, datetime.now(UTC), fields), loop)
                session.commit()
            os.write(1, f"moved {os.getpid()}\\n".encode())
        except ShaotuError:
            pass
"""


@pytest.fixture
def ways(clean_db: Engine) -> list[str]:
    with db.session(clean_db, db.EVERYTHING) as session:
        looped.people(session)
        made = [looped.plain(session, nth) for nth in range(1, ISSUES + 1)]
        lines = [journal.Line("filed", way.issue_id) for way in made]
        journal.append_all(session, lines, by="gis", now=NOW)
        session.commit()
    return [way.code for way in made]


def halves(engine: Engine) -> dict[str, int]:
    """Count what a move left half done."""
    with db.session(engine, db.EVERYTHING) as session:
        return {name: int(session.scalar(text(sql)) or 0) for name, sql in HALVES.items()}


HALVES = {
    "issues whose version is not the number of their moves": """
        SELECT count(*) FROM issue WHERE version <> (SELECT count(*) FROM move WHERE issue_id = issue.id)""",
    "issues whose state is not that of their last move": """
        SELECT count(*) FROM issue JOIN move ON (issue_id, move.version) = (issue.id, issue.version)
        WHERE state <> to_state""",
    "moves that do not begin where the one before ended": """
        SELECT count(*) FROM move JOIN move AS before ON before.issue_id = move.issue_id
           AND before.version = move.version - 1 WHERE before.to_state <> move.from_state""",
    "moves without their line in the journal": """
        SELECT count(*) FROM move WHERE NOT EXISTS (SELECT FROM entry WHERE entry.issue_id = move.issue_id
           AND CAST(params ->> 'version' AS integer) = move.version)""",
    "lines without their move": """
        SELECT count(*) FROM entry WHERE kind IN ('moved', 'stepped') AND NOT EXISTS (
           SELECT FROM move WHERE move.issue_id = entry.issue_id
              AND move.version = CAST(params ->> 'version' AS integer))""",
    "lines neither sealed nor waiting": """
        SELECT count(*) FROM entry WHERE NOT EXISTS (SELECT FROM unsealed WHERE entry_id = id)
           AND NOT EXISTS (SELECT FROM seal WHERE entry_id = id)""",
    "own steps without their party's step": """
        SELECT count(*) FROM move WHERE name IN ('sign', 'feed_back') AND NOT EXISTS (
           SELECT FROM party_step WHERE (issue_id, version) = (move.issue_id, move.version))""",
    "urgings that told nobody": """
        SELECT count(*) FROM move WHERE name = 'urge' AND NOT EXISTS (
           SELECT FROM message JOIN issue ON issue.id = message.issue_id
           WHERE message.issue_id = move.issue_id AND event = 'urged'
             AND key LIKE 'urged:' || issue.code || ':' || move.version || ':%')""",
}
WHOLE = dict.fromkeys(HALVES, 0)


def test_a_mover_killed_hundreds_of_times_leaves_nothing_half_done(
    clean_db: Engine, settings: Settings, ways: list[str]
) -> None:
    environ = {**os.environ, "SHAOTU_DATABASE_URL": str(settings.database_url), "SHAOTU_VAR_DIR": str(settings.var_dir)}
    # One process forks movers that have imported everything: each lives for some moves only.
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY], cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert nursery.stdin
    for nth in range(KILLS):
        nursery.stdin.write("fork\n")
        nursery.stdin.flush()
        pid = int(heard(nursery, "born ").split()[1])
        heard(nursery, f"moved {pid}")
        # Anywhere within its next moves.
        time.sleep(0.0007 * (nth % 50))
        os.kill(pid, signal.SIGKILL)
    nursery.stdin.close()
    nursery.wait()
    assert halves(clean_db) == WHOLE
    with db.session(clean_db, db.EVERYTHING) as session:
        assert session.scalar(text("SELECT count(*) FROM move")) >= KILLS
        while journal.seal(session):
            session.commit()
        found = [*audit.held(session, audit.spans(session)[0]), *audit.unbound(session)]
    assert found == []


def heard(process: subprocess.Popen[str], beginning: str) -> str:
    """Read on to a line that begins so."""
    assert process.stdout
    return next(line for line in process.stdout if line.startswith(beginning))


NURSERY = f"""
import os, sys
source = {MOVER!r}
import gis.issues.workflow, gis.settings, tests.issues.looped
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        exec(source)
    os.write(1, f"born {{pid}}\\n".encode())
    # The one before was killed; it is buried here.
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""

ROADS = {
    "return and dispatch anew": (("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": "sw"})),
    "the whole road": (
        ("sign", CG, {}), ("feed_back", CG, {"done": "x"}), ("pass", INSPECTOR, {}), ("close", CHIEF, {}),
    ),
}  # fmt: skip


class Dies(Exception):
    """Stands for the process that is no more."""


@pytest.mark.parametrize("road", ROADS)
def test_whichever_statement_is_the_last_one_nothing_is_half_done(clean_db: Engine, ways: list[str], road: str) -> None:
    left = 0

    def die(*_said: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Dies

    for nth, (move, by, fields) in enumerate(ROADS[road]):
        least, made = 0, False
        while not made:
            left = least
            event.listen(clean_db, "before_cursor_execute", die)
            try:
                with db.session(clean_db, db.EVERYTHING) as session:
                    said = Said(by, NOW + timedelta(minutes=nth + 1), fields)
                    workflow.advance(session, ways[0], move, said, LOOP)
                    session.commit()
                made = True
            except Dies:
                least += 1
            finally:
                event.remove(clean_db, "before_cursor_execute", die)
            assert halves(clean_db) == WHOLE
        assert least > 3
