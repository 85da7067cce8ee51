"""The values of a decision: what is asked, what neighbours agreed, and the answer with its reasons. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Holder:
    """The organisations on record for a component: authority 主管, owner 权属, maintainer 养护."""

    authority: str | None = None
    owner: str | None = None
    maintainer: str | None = None


@dataclass(frozen=True)
class Case:
    """What is known of an issue beside its place.

    parent: the category's major class. filed_by: the unit ("net:level:code") that filed or received it on its own; None
    when it came straight to the common centre. designated: the unit a superior has named in a dispute.
    """

    scheme: str
    category: str
    parent: str | None = None
    filed_by: str | None = None
    designated: str | None = None
    holder: Holder | None = None

    def as_dict(self) -> Json:
        """Render what a replay needs to ask the same question again."""
        return vars(self) | {"holder": self.holder and vars(self.holder)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Case:
        """Read back what as_dict wrote."""
        return cls(**(dict(told) | {"holder": Holder(**told["holder"]) if told.get("holder") else None}))


@dataclass(frozen=True)
class Ground:
    """A unit as a party to a question: its key, names, and the keys of the units above it, nearest first."""

    key: str
    name: str
    name_en: str
    above: tuple[str, ...] = ()

    def as_dict(self) -> Json:
        """Name it, as reasons do."""
        return {"key": self.key, "name": self.name, "name_en": self.name_en}


@dataclass(frozen=True)
class Pact:
    """A standing agreement at the place. categories: codes or major classes, empty for all; dates half-open."""

    code: str
    title: str
    categories: tuple[str, ...]
    parties: tuple[Ground, ...]
    lead: Ground
    valid_from: date
    valid_to: date | None
    area_m2: float

    def covers(self, case: Case, on: date) -> bool:
        """Say whether it speaks of this category on this day."""
        current = self.valid_from <= on and (self.valid_to is None or on < self.valid_to)
        return current and (not self.categories or case.category in self.categories or case.parent in self.categories)


@dataclass(frozen=True)
class Reason:
    """One step of the reasoning: a code and its evidence."""

    code: str
    params: Json = field(default_factory=dict)

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return {"code": self.code, "params": self.params}


@dataclass(frozen=True)
class PartyCall:
    """A department to call. jurisdictions: the units it is called for; why: the code of the reason."""

    department: str
    kind: str
    role: str
    jurisdictions: tuple[str, ...]
    why: str

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return {
            "department": self.department,
            "kind": self.kind,
            "role": self.role,
            "jurisdictions": list(self.jurisdictions),
            "why": self.why,
        }


# Calls that only tell somebody: nothing waits for their answer.
ONLY_TOLD = ("party.informed", "party.nearest")
# Calls by a whistle: every one is waited for.
WHISTLE = "party.whistle"


@dataclass(frozen=True)
class Decision:
    """Whose an issue is, on what basis, and who must come.

    basis: designation, agreement, owner, incident, first_filed, common, consultation, general_desk, or unlocated.
    superior: the lowest unit above all sides, when there are several. provisional: the lead acts until the sides agree.
    suggested: a jurisdiction worth asking first, never a decision. shares: the sides as computed, kept beside what was
    decided.
    """

    basis: str
    lead_jurisdiction: str | None = None
    lead_department: str | None = None
    parties: tuple[PartyCall, ...] = ()
    superior: str | None = None
    provisional: bool = False
    suggested: str | None = None
    reasons: tuple[Reason, ...] = ()
    shares: tuple[Json, ...] = ()

    @property
    def departments(self) -> tuple[str, ...]:
        """The departments called, the lead first."""
        return tuple(party.department for party in self.parties)

    @property
    def mandatory(self) -> frozenset[str]:
        """The departments without whose answer the issue is not done.

        They are the lead, one for each other side, and whoever a whistle called.
        """
        acting = [party for party in self.parties if party.why not in ONLY_TOLD]
        sides = dict.fromkeys(key for party in acting for key in party.jurisdictions)
        lead = {self.lead_department} if self.lead_department else set()
        lead |= {party.department for party in self.parties if party.why == WHISTLE}
        return frozenset(lead | ({_speaker(acting, key) for key in sides} if len(sides) > 1 else set()))

    def as_dict(self) -> Json:
        """Render it as JSON."""
        return {
            "basis": self.basis,
            "lead_jurisdiction": self.lead_jurisdiction,
            "lead_department": self.lead_department,
            "parties": [party.as_dict() for party in self.parties],
            "superior": self.superior,
            "provisional": self.provisional,
            "suggested": self.suggested,
            "reasons": [reason.as_dict() for reason in self.reasons],
            "shares": list(self.shares),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Decision:
        """Read back what as_dict wrote."""
        parties = (PartyCall(**(each | {"jurisdictions": tuple(each["jurisdictions"])})) for each in told["parties"])
        return cls(
            basis=told["basis"],
            lead_jurisdiction=told["lead_jurisdiction"],
            lead_department=told["lead_department"],
            parties=tuple(parties),
            superior=told["superior"],
            provisional=told["provisional"],
            suggested=told["suggested"],
            reasons=tuple(Reason(each["code"], each["params"]) for each in told["reasons"]),
            shares=tuple(told["shares"]),
        )


def _speaker(acting: list[PartyCall], key: str) -> str:
    """Name who answers for a side: the first called for it alone, or the first called for it at all."""
    called = [party for party in acting if key in party.jurisdictions]
    alone = [party for party in called if len(party.jurisdictions) == 1]
    return (alone or called)[0].department
