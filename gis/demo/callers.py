"""Who calls back in the demo city, what reporters answer, and what is settled without a department."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import ShaotuError
from gis.issues import guards, photos, relapses, workflow
from gis.issues.clerk import Clerk
from gis.issues.matter import Actor, Said
from gis.issues.workflow import Loop

Step = tuple[str, Actor, Mapping[str, Any]]
CLERK, CALLER, GRID = Actor("clerk", "clerk"), Actor("operator", "operator"), Actor("leader", "leader")
# Chances that somebody is not reached, gives no rating, asks for it to be done again, that a grid fixes it itself.
MISSED, UNRATED, AGAIN, FIXED = 0.22, 0.12, 0.35, 0.3
OUTCOMES = ("no_answer", "no_answer", "busy", "declined")
REPLY = "您好，这类问题由属地街道和主管部门按职责清单办理，办理时限和进展可以随时来电查询。"
WORDS = ("处理得挺快，谢谢。", "来看过了，过两天又这样。", "希望以后多来巡查。", "打了两次电话才有人来。", "")


def calls_first(issue: Mapping[str, Any], rng: np.random.Generator) -> bool:
    """Say whether the lead calls who reported before it sets to work: good departments mostly do."""
    waits = issue["work_order"] is not None and issue["can_be_called"] and not issue["contacted"]
    return bool(waits and rng.random() < quality(issue["lead"] or ""))


def call_back(issue: Mapping[str, Any], rng: np.random.Generator) -> Step:
    """Return how a call goes: not answered, or what is said. Departments differ in how well they work."""
    if rng.random() < MISSED:
        return "miss_call", CLERK, {"outcome": str(rng.choice(OUTCOMES))}
    good = quality(issue["lead"] or "")
    solved = bool(rng.random() < good)
    said = {"contacted": _yes(rng.random() < good + 0.12), "solved": _yes(solved), "note": str(rng.choice(WORDS))}
    if rng.random() > UNRATED:
        likes = rng.random() < (good if solved else 0.1)
        said["satisfied"] = "yes" if likes else str(rng.choice(("partly", "no")))
    # Who answered at once does not ask whether it was good.
    return "evaluate", CALLER if "answered" in issue["marks"] else CLERK, said


def again(issue: Mapping[str, Any], rng: np.random.Generator) -> Iterator[Step]:
    """Ask for it to be done again, where it was not solved and somebody insists."""
    if issue["solved"] == "no" and "reopened" not in issue["marks"] and rng.random() < AGAIN:
        yield "reopen", CLERK, {"reason": "回访时反映没有解决，要求重办。"}


def settled(issue: Mapping[str, Any], rng: np.random.Generator) -> Iterator[str]:
    """Name how a new issue ends without a department: a question is answered, a grid worker fixes a small thing."""
    if (issue["work_order"] or {}).get("type") == "consult":
        yield "answer"
    elif (issue["scheme"], issue["category"]) in guards.self_handled() and rng.random() < FIXED:
        yield "self_handle"


def step(session: Session, move: str, issue_id: int, loop: Loop, now: datetime) -> Step:
    """Return the step by which it is settled, with its photos where it needs some."""
    if move == "answer":
        return "answer", CLERK, {"reply": REPLY}
    folder = loop.settings.var_dir
    taken = {f"photo_{when}": photos.add(session, issue_id, _picture(when), folder, now=now) for when in _COLOURS}
    return "self_handle", GRID, {**taken, "note": "巡查时顺手清理。"}


def look_back(session: Session, loop: Loop, now: datetime) -> None:
    """Do what is due at the end: nobody is called where nobody can be, and what came back is noted as that."""
    for code in workflow.uncalled(session):
        workflow.leave_uncalled(session, code, now, loop)
    ids: Sequence[int] = session.scalars(text("SELECT id FROM issue WHERE relapse_of IS NULL ORDER BY id")).all()
    relapses.mark(session, ids, Clerk("gis demo", now, loop.settings))


def inspect_samples(session: Session, loop: Loop, now: datetime, rng: np.random.Generator) -> None:
    """Let the inspector look at the sample of what grids fixed themselves."""
    inspector = Actor("inspector", "inspector")
    for code in session.scalars(_SAMPLED).all():
        good = rng.random() < 0.85
        said = Said(inspector, now - timedelta(minutes=5), {} if good else {"reason": "现场还有遗留。"})
        try:
            workflow.advance(session, code, "pass" if good else "rework", said, loop)
        except ShaotuError:
            continue


def quality(department: str) -> float:
    """Say how well a department of the demo city works: always the same."""
    return 0.55 + 0.43 * (zlib.crc32(department.encode()) % 1000) / 1000


def _yes(right: object) -> str:
    return "yes" if right else "no"


_COLOURS = {"before": ("#8d8778", "#5b5448"), "after": ("#9fb3a1", "#c9d3c2")}
_SAMPLED = text("SELECT code FROM issue WHERE state = 'self_handled' AND 'sampled' = ANY(marks) ORDER BY id")


@cache
def _picture(when: str) -> photos.Picture:
    """Draw what stands for a photo."""
    ground, heap = _COLOURS[when]
    drawn = Image.new("RGB", (480, 360), ground)
    ImageDraw.Draw(drawn).ellipse((120, 180, 360, 300), fill=heap)
    written = BytesIO()
    drawn.save(written, "JPEG")
    return photos.read(f"{when}.jpg", written.getvalue(), photos.Limits())
