"""What people without an account see and say: squares of the map, the stage of a number, reports, "me too"."""

from gis.issues.citizens.shown import (
    CLOSED,
    HANDLING,
    STAGES,
    Choice,
    Known,
    Seen,
    Status,
    choices,
    classes,
    near,
    on_map,
    show,
    status,
)
from gis.issues.citizens.telling import SOURCE, Contribution, Follow, ask_answer, follow, me_too, report
from gis.issues.citizens.tries import count

__all__ = [
    "CLOSED",
    "HANDLING",
    "SOURCE",
    "STAGES",
    "Choice",
    "Contribution",
    "Follow",
    "Known",
    "Seen",
    "Status",
    "ask_answer",
    "choices",
    "classes",
    "count",
    "follow",
    "me_too",
    "near",
    "on_map",
    "report",
    "show",
    "status",
]
