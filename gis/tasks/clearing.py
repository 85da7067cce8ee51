"""Clearing away: work that is over is kept with its files for some days, or until who asked for it removes it."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gis.errors import Conflict
from gis.settings import Settings
from gis.tasks import queue, uploads
from gis.tasks.queue import Task


def kept_until(settings: Settings, task: Task) -> datetime | None:
    """Say until when a task is kept; None while it is not over."""
    return task.ended_at + timedelta(days=settings.task_days) if task.ended_at else None


def remove(session: Session, settings: Settings, task: Task) -> None:
    """Remove a task with its files; raise Conflict if it is not over, or somebody else asked for it."""
    if not queue.remove(session, task.id):
        raise Conflict("tasks.not_to_remove")
    shutil.rmtree(uploads.results(settings, task.id))


def clear(session: Session, settings: Settings, now: datetime) -> None:
    """Remove what was over long enough with its files, and what was sent up and belongs to no task that is left."""
    before = now - timedelta(days=settings.task_days)
    for task_id in queue.clear(session, before):
        shutil.rmtree(uploads.results(settings, task_id))
    for folder in uploads.older(settings, before):
        if not queue.names(session, folder.name):
            shutil.rmtree(folder)
