"""A dry run: issues of a period asked again by a draft list or agreement: what would change? Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from gis.issues import agreements, dispatch, drafts, findings, jurisdiction
from gis.issues.duties import Sheet
from gis.settings import Settings


@dataclass(frozen=True)
class Question:
    """What would be, from when to when. sheet: a draft in place of the list of its name; draft: one agreement more."""

    start: datetime
    end: datetime
    sheet: Sheet | None = None
    draft: drafts.Draft | None = None


@dataclass(frozen=True)
class Change:
    """An issue that would be decided otherwise."""

    issue: str
    category: str
    before: jurisdiction.Decision
    after: jurisdiction.Decision

    @property
    def lead_changes(self) -> bool:
        """Say whether another department would lead."""
        return self.before.lead_department != self.after.lead_department

    @property
    def joining(self) -> tuple[str, ...]:
        """The departments that would be called and were not."""
        return tuple(sorted(set(self.after.departments) - set(self.before.departments)))

    @property
    def leaving(self) -> tuple[str, ...]:
        """The departments that were called and would not be."""
        return tuple(sorted(set(self.before.departments) - set(self.after.departments)))


@dataclass(frozen=True)
class Outcome:
    """What a dry run found. failed: rows of the draft that could not be read, with how many issues met them."""

    issues_n: int
    changes: tuple[Change, ...]
    bases: dict[str, int]
    failed: dict[int, int]

    @property
    def leads_changed_n(self) -> int:
        """How many issues would be led by another department."""
        return sum(change.lead_changes for change in self.changes)

    @property
    def to_desk_n(self) -> int:
        """How many issues would newly fall to the general desk."""
        return sum(change.after.basis == "general_desk" != change.before.basis for change in self.changes)


def run(session: Session, question: Question, settings: Settings) -> Outcome:
    """Ask every located issue of the period again, as it was found, and compare with what was decided."""
    going_by = _book(dispatch.read_book(session, settings), question)
    changes, bases, failed, count = [], Counter[str](), Counter[int](), 0
    for page in _pages(findings.between(session, question.start, question.end)):
        for asked, after in zip(page, _again(session, page, question, going_by), strict=True):
            count += 1
            bases[after.basis] += 1
            failed.update(r.params["row"] for r in after.reasons if r.code == "decision.duty.failed")
            if _differs(asked.decision, after):
                changes.append(Change(asked.code, asked.case.category, asked.decision, after))
    return Outcome(count, tuple(changes), dict(bases), dict(failed))


def _book(book: jurisdiction.Book, question: Question) -> jurisdiction.Book:
    """Put the draft list in the place of the list of its name."""
    if question.sheet is None:
        return book
    kept = [sheet for sheet in book.sheets if sheet.name != question.sheet.name]
    return replace(book, sheets=(*kept, question.sheet))


def _again(
    session: Session, page: list[findings.Asked], question: Question, book: jurisdiction.Book
) -> Iterator[jurisdiction.Decision]:
    places = [asked.location.place.geometry for asked in page]
    agreed = agreements.at_many(session, places, [asked.location.on for asked in page])
    for asked, pacts in zip(page, agreed, strict=True):
        yield jurisdiction.decide(asked.case, asked.location, (*pacts, *_drafted(session, asked, question)), book)


def _drafted(session: Session, asked: findings.Asked, question: Question) -> tuple[jurisdiction.Pact, ...]:
    """Return the draft agreement where it speaks for the place; it counts from the first day of the period."""
    draft, place = question.draft, asked.location.place.geometry
    if draft is None or place is None or not drafts.speaks_for(draft, place):
        return ()
    started = replace(draft, valid_from=min(draft.valid_from, asked.location.on), valid_to=None)
    return (agreements.pact(session, started, asked.location.on),)


def _differs(before: jurisdiction.Decision, after: jurisdiction.Decision) -> bool:
    return before.lead_department != after.lead_department or set(before.departments) != set(after.departments)


def _pages(asked: Iterator[findings.Asked]) -> Iterator[list[findings.Asked]]:
    page: list[findings.Asked] = []
    for each in asked:
        page.append(each)
        if len(page) == findings.PAGE_ROWS:
            yield page
            page = []
    if page:
        yield page
