"""What the worker does again and again: what falls due, what is to be sent, built or forgotten.

Everything done here may be done twice: what was done is on record before the job says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis import db
from gis.errors import ShaotuError
from gis.issues import answer_links, escalations, journal, lateness, workflow
from gis.issues.clerk import Clerk
from gis.issues.messages import channels, outbox, senders
from gis.issues.messages.channels import Channel
from gis.issues.messages.outbox import Tiding
from gis.issues.workflow import Loop
from gis.people import patrols, positions
from gis.settings import ROOT, Settings
from gis.tasks import clearing, queue

log = structlog.get_logger()
Due = TypeVar("Due")

LATE_MOST, CODES_MOST = 500, 20
# Hours of the city's day at which departments are told what will soon be due.
DIGEST_HOURS = (8, 14)


@dataclass(frozen=True)
class Work:
    """What a job stands on."""

    engine: Engine
    settings: Settings
    now: datetime

    @property
    def clerk(self) -> Clerk:
        """The system itself, as who does it."""
        return Clerk(lateness.SYSTEM, self.now, self.settings)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that sees everything; committed if all went well."""
        with db.session(self.engine, db.EVERYTHING) as opened:
            yield opened
            opened.commit()

    def each(self, due: Iterable[Due], do: Callable[[Session, Due], object]) -> list[Due]:
        """Do each in a transaction of its own and return those that were done.

        do: returns something false where there was nothing to do any more. One that is refused is logged and holds up
        no other.
        """
        done = []
        for one in due:
            try:
                with self.session() as session:
                    if do(session, one):
                        done.append(one)
            except ShaotuError as refused:
                log.warning("not done", what=str(one), reason=refused.code)
        return done


@dataclass(frozen=True)
class Job:
    """Something to be done again and again. run: says whether there is more to be done at once."""

    name: str
    every: timedelta
    run: Callable[[Work], bool]


def registry(settings: Settings) -> tuple[Job, ...]:
    """List the jobs of an installation. Each channel is a job of its own: a dead receiver holds up nobody else."""
    return (
        Job("seal", timedelta(seconds=0.5), seal),
        Job("resume", timedelta(minutes=1), resume),
        Job("overdue", timedelta(seconds=30), overdue),
        Job("escalate", timedelta(minutes=1), escalate),
        Job("uncalled", timedelta(minutes=10), leave_uncalled),
        Job("digest", timedelta(minutes=10), digest),
        Job("positions", timedelta(minutes=10), forget_positions),
        Job("index", timedelta(hours=1), build_indexes),
        Job("tiles", timedelta(hours=1), cut_tiles),
        Job("forget_tracks", timedelta(hours=1), forget_tracks),
        Job("forget_tasks", timedelta(hours=1), forget_tasks),
        Job("tasks", timedelta(seconds=1), carry_out_tasks),
        *(
            Job(f"outbox:{channel.code}", timedelta(seconds=1), partial(carry, channel=channel))
            for channel in channels.table(settings.channels)
        ),
    )


def seal(work: Work) -> bool:
    """Bind what was committed into the chain."""
    with work.session() as session:
        return journal.seal(session) == journal.PAGE_ROWS


def resume(work: Work) -> bool:
    """Take up suspended issues whose day has come."""
    loop = Loop(work.settings)
    with work.session() as session:
        codes = workflow.suspended_until(session, work.now, loop)
    work.each(codes, lambda session, code: workflow.resume(session, code, work.now, loop))
    return False


def forget_tracks(work: Work) -> bool:
    """Delete where people walked on patrol once the days it is kept for are over."""
    with work.session() as session:
        patrols.forget(session, work.now - timedelta(days=work.settings.track_days))
    return False


def forget_tasks(work: Work) -> bool:
    """Remove long work that was over long enough, with its files."""
    with work.session() as session:
        clearing.clear(session, work.settings, work.now)
    return False


def overdue(work: Work) -> bool:
    """Write down what is late, and tell of it."""
    with work.session() as session:
        facts = lateness.find(session, work.now, LATE_MOST)
        lateness.note(session, facts, work.clerk)
    return len(facts) >= LATE_MOST


def escalate(work: Work) -> bool:
    """Send up what a level did not answer in its time."""
    loop = Loop(work.settings)
    with work.session() as session:
        late = escalations.due(session, work.now)
    work.each(late, lambda session, one: escalations.hand_on(session, one, work.now, loop))
    return False


def leave_uncalled(work: Work) -> bool:
    """Settle what was closed and nobody can be called about."""
    loop = Loop(work.settings)
    with work.session() as session:
        codes = workflow.uncalled(session)
    work.each(codes, lambda session, code: workflow.leave_uncalled(session, code, work.now, loop))
    return False


def forget_positions(work: Work) -> bool:
    """Forget where people were that is too old to be of use."""
    with work.session() as session:
        positions.forget(session, work.now - positions.KEPT)
    return False


def digest(work: Work) -> bool:
    """Tell each department, at set hours, what will soon be due; once for each hour."""
    here = work.now.astimezone(work.clerk.zone)
    begun = [hour for hour in DIGEST_HOURS if hour <= here.hour]
    if begun:
        with work.session() as session:
            tidings = [
                Tiding("due_soon", f"{department}:{here:%Y-%m-%d}:{begun[-1]}", (department,), None,
                       {"count": len(codes), "codes": codes[:CODES_MOST]})
                for department, codes in lateness.soon(session, work.now).items()
            ]  # fmt: skip
            outbox.put(session, tidings, work.settings, work.now)
    return False


def carry(work: Work, channel: Channel) -> bool:
    """Send what waits for a channel: claimed before, settled after, one by one."""
    with work.session() as session:
        letters = outbox.claim(session, channel, work.now)
    for letter in letters:
        filled_in = answer_links.filled_in(letter, channel, work.settings)
        outcome = senders.send(senders.Sending(channel, filled_in, datetime.now(UTC), work.settings.language))
        with work.session() as session:
            state = outbox.settle(session, letter, outcome, channel, datetime.now(UTC))
        if outcome.fault is not None:
            log.warning("not sent", channel=channel.code, message=letter.id, state=state, reason=outcome.fault.code)
    return bool(letters)


def build_indexes(work: Work) -> bool:
    """Build the index files that are missing; another process that builds now is left to it."""
    return _beside(work, "index", "build", "--if-free")


def cut_tiles(work: Work) -> bool:
    """Cut the map's tiles of what was loaded since, with what the processor has left."""
    return _beside(work, "tiles", "cut", "--quiet", "--processes", "1")


def carry_out_tasks(work: Work) -> bool:
    """Carry out the long work that was asked for on a page, one after the other."""
    with work.session() as session:
        ids = queue.unattended(session)
    for task_id in ids:
        _beside(work, "tasks", "run", str(task_id))
    return False


def _beside(work: Work, *command: str) -> bool:
    """Run a command of ours in a process of its own: what takes long shall not slow the others."""
    url = db.address(work.settings).render_as_string(hide_password=False)
    where = {"SHAOTU_DATABASE_URL": url, "SHAOTU_VAR_DIR": str(work.settings.var_dir)}
    asked = [sys.executable, "-m", "gis", *command]
    subprocess.run(asked, cwd=ROOT, env=os.environ | where, stdout=subprocess.DEVNULL, check=True)
    return False
