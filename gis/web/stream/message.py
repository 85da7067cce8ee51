"""What an entry of the journal tells, and to whom: rendered once, and the same for everybody with the same scope."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from gis.db import Scope
from gis.issues import journal
from gis.issues.journal import Sealed
from gis.issues.listing import Seen


@dataclass(frozen=True)
class View:
    """An issue as it stands: its map feature as JSON, and who may see it."""

    feature: str
    code: str
    ground: frozenset[str]
    departments: frozenset[str]
    created_by: str | None

    def is_for(self, scope: Scope) -> bool:
        """Say whether somebody with this scope may see it: the words of the database's own policy."""
        filed_it = self.created_by is not None and self.created_by == scope.username
        called = scope.department in self.departments
        return scope.all or filed_it or called or not self.ground.isdisjoint(scope.ground.split())


@dataclass(frozen=True)
class Message:
    """An entry ready to be told. head: its JSON up to what depends on who hears it; "": it tells screens nothing.

    left: the ground the entry stood on; dismissed: departments that were called before and are no more.
    """

    seq: int
    head: str = ""
    issue_id: int | None = None
    kind: str = ""
    view: View | None = None
    left: frozenset[str] = frozenset()
    dismissed: frozenset[str] = frozenset()

    def to(self, scope: Scope) -> str:
        """Choose what somebody with this scope is told: the change, that the issue is gone from view, or nothing."""
        if not self.head:
            return ""
        lost = scope.department in self.dismissed or not self.left.isdisjoint(scope.ground.split())
        if self.view is None:
            return self._said(self.kind, '"feature":null') if scope.all or lost else ""
        if self.view.is_for(scope):
            return self._said(self.kind, f'"feature":{self.view.feature}')
        return self._said("gone", f'"code":{json.dumps(self.view.code)}') if lost else ""

    def _said(self, kind: str, rest: str) -> str:
        return f'id: {self.seq}\nevent: change\ndata: {self.head},"kind":{json.dumps(kind)},{rest}}}\n\n'


def of(entry: Sealed, issue: Seen | None) -> Message:
    """Make ready what an entry tells; lines of the audit keep their number and tell screens nothing."""
    if entry.line.kind in journal.AUDIT:
        return Message(entry.seq)
    return Message(
        seq=entry.seq,
        head=_compact({"seq": entry.seq, "at": entry.at.isoformat()})[:-1],
        issue_id=entry.line.issue_id,
        kind=entry.line.kind,
        view=_view(issue) if issue else None,
        left=frozenset(entry.line.ground),
        dismissed=frozenset(entry.line.params.get("left", ())),
    )


def said(messages: Iterable[Message], scope: Scope) -> bytes:
    """Render messages for a scope; nothing where none is for it."""
    return "".join([message.to(scope) for message in messages]).encode()


def event(name: str, data: dict[str, object], seq: int | None = None) -> bytes:
    """Write a Server-Sent Event."""
    numbered = "" if seq is None else f"id: {seq}\n"
    return f"{numbered}event: {name}\ndata: {_compact(data)}\n\n".encode()


def reset(seq: int) -> bytes:
    """Tell somebody to read the lists anew and to go on from a number."""
    return event("reset", {"seq": seq}, seq)


def _view(issue: Seen) -> View:
    # Written anew: no line break of the database's may end the event.
    feature = json.loads(issue.feature)
    return View(
        _compact(feature), feature["id"], frozenset(issue.ground), frozenset(issue.departments), issue.created_by
    )


def _compact(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
