"""Doors to long work, whoever asked for it: how far it is, its files, and its end. The database knows whose it is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request, send_file
from flask.typing import ResponseReturnValue

from gis import language
from gis.errors import NotFound
from gis.tasks import clearing, queue, uploads
from gis.tasks.queue import Task
from gis.web import auth, desks

Json = dict[str, Any]

pages = Blueprint("tasks", __name__)


@pages.get("/tasks/<int:task_id>")
@auth.require()
def progress(task_id: int) -> Json:
    """Answer with how far a task is, for the page that waits."""
    task = queue.get(auth.session(), task_id)
    return {"state": task.state, "said": said(task), "done_n": task.done_n, "total_n": task.total_n}


@pages.post("/tasks/<int:task_id>/remove")
@auth.require()
def remove(task_id: int) -> ResponseReturnValue:
    """Remove what is over before its time, and lead back."""
    clearing.remove(auth.session(), auth.settings(), queue.get(auth.session(), task_id))
    auth.session().commit()
    return redirect(auth.local_path(request.form.get("next")))


def said(task: Task) -> str:
    """Say how far a task is, what stopped it, or until when it is kept."""
    if task.is_over:
        return f"{said_fault(task.fault) or auth.say('tasks.ready')} {kept(task)}"
    if task.step is None:
        return auth.say(f"tasks.state.{task.state}")
    step = auth.say(task.step)
    return auth.say("tasks.so_far", step=step, done=task.done_n, total=task.total_n) if task.total_n else step


def kept(task: Task) -> str:
    """Say until when a task is kept that is over."""
    return auth.say("tasks.kept_until", until=desks.local(clearing.kept_until(auth.settings(), task)))


def said_fault(fault: Json | None) -> str:
    """Say why a task was refused, with its problems, each in a line of its own."""
    if fault is None:
        return ""
    problems = fault.get("problems")
    return "\n".join(map(say, problems)) if problems else say(fault)


def say(told: Json) -> str:
    """Say a code that was kept with its parameters."""
    return language.say(told["code"], auth.locale(), **told["params"])


def file(task: Task, name: str, download_name: str = "") -> Response:
    """Send a file that a task made; raise NotFound while it is not done. download_name: it is to be kept."""
    path = uploads.results(auth.settings(), task.id) / name
    if task.state != queue.DONE or not path.is_file():
        raise NotFound("tasks.no_file", name=name)
    sent = send_file(path, as_attachment=bool(download_name), download_name=download_name or name)
    sent.headers["Cache-Control"] = "no-store"
    return sent
