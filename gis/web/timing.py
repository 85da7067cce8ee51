"""The clocks of an issue and the conditions it can be filed under, as the panel and programs are told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gis.issues import clocks
from gis.issues.clocks import Kept, saying
from gis.web import asked, auth

Json = dict[str, Any]

def standing(issue_id: int) -> list[Json]:
    """Tell how each clock of an issue stands now, and what happened to it."""
    now = datetime.now(UTC)
    history = clocks.history(auth.session(), issue_id)
    return [
        _told(kept, now)
        | {
            "history": [
                _moment(each)
                for each in history
                if (each.department, each.clock.name) == (kept.department, kept.clock.name)
            ]
        }
        for kept in clocks.of_issue(auth.session(), issue_id)
    ]


def conditions(code: str) -> list[Json]:
    """Tell the conditions an issue can be filed under; none where no standard names its class."""
    found = clocks.choices(auth.session(), code, asked.clerk())
    return [
        {
            "number": each.number,
            "text_zh": each.text_zh,
            "text_en": each.text_en,
            "closing_zh": each.closing_zh,
            "closing_en": each.closing_en,
            "limit": saying.limit(each.limit, auth.locale()) or None,
            "limit_said": each.limit_said,
        }
        for each in (found.conditions if found else ())
    ]


def _told(kept: Kept, now: datetime) -> Json:
    return kept.as_dict(now) | {
        "title": auth.say(f"clock.name.{kept.clock.name}"),
        "limit_said": saying.limit(kept.clock.whole, auth.locale()) or None,
        "explanation": saying.sentences(kept.clock, auth.locale()),
    }


def _moment(kept: Kept) -> Json:
    due_at = kept.clock.due_at
    return {
        "event": kept.event,
        "said": auth.say(f"clock.event.{kept.event}"),
        "due_at": due_at and due_at.isoformat(),
        "at": kept.at.isoformat(),
        "by": kept.by,
    }
