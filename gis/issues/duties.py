"""Responsibility lists: a category and what is known of the place -> the kinds of department that may be called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gis.errors import Invalid, ShaotuError
from gis.issues.delegations import Delegation

# What a condition may ask; the place answers each with a set of words.
ATTRIBUTES = ("road_class", "land", "handover", "property", "building", "estate", "unit")
NOT = "!"

Attributes = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Rule:
    """A row of a list. condition: attribute -> words of which one must hold, or "!word" that must not.

    leads: kinds of department in order, the first that exists at the place leads; assists: kinds called to its side.
    delegation: the power by which they lead, if it was handed down to them.
    """

    row: int
    scheme: str
    category: str
    condition: Any
    leads: tuple[str, ...]
    assists: tuple[str, ...] = ()
    delegation: Delegation | None = None

    def holds_on(self, day: date) -> bool:
        """Say whether its power is given on a day."""
        return self.delegation is None or self.delegation.holds_on(day)


@dataclass(frozen=True)
class Sheet:
    """A version of a responsibility list, ready to be asked."""

    name: str
    version: str
    rules: Mapping[tuple[str, str], tuple[Rule, ...]]
    valid_from: date | None = None
    valid_to: date | None = None

    @classmethod
    def of(cls, name: str, version: str, rules: Iterable[Rule], dates: Sequence[date | None] = (None, None)) -> Sheet:
        """Order the rules: those that ask most first, then as they stand in the list."""
        ordered: dict[tuple[str, str], tuple[Rule, ...]] = {}
        for rule in sorted(rules, key=lambda rule: (-_weight(rule), rule.row)):
            place = rule.scheme, rule.category
            ordered[place] = (*ordered.get(place, ()), rule)
        return cls(name, version, ordered, *dates)

    def holds_on(self, on: date) -> bool:
        """Say whether it is in force on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True)
class Match:
    """What the lists say: the rule that holds and its list, the rows that hold but ask less, the rules that failed."""

    rule: Rule | None = None
    sheet: Sheet | None = None
    others: tuple[int, ...] = ()
    failed: tuple[tuple[Sheet, Rule, ShaotuError], ...] = ()


def match(
    sheets: Sequence[Sheet], asked: tuple[str, Iterable[str | None]], attributes: Attributes, on: date
) -> Match:
    """Find the rule that holds on a day; report rules that cannot be read.

    asked: a scheme, and the categories of which the first that has such a rule counts.
    """
    scheme, categories = asked
    failed: list[tuple[Sheet, Rule, ShaotuError]] = []
    for category in categories:
        for sheet in sheets if category is not None else ():
            rules = [rule for rule in sheet.rules.get((scheme, str(category)), ()) if rule.holds_on(on)]
            held, broken = _held(rules, attributes)
            failed += [(sheet, rule, problem) for rule, problem in broken]
            if held:
                return Match(held[0], sheet, tuple(rule.row for rule in held[1:]), tuple(failed))
    return Match(failed=tuple(failed))


def check_condition(condition: object) -> Mapping[str, Sequence[str]]:
    """Return a condition that can be read; raise Invalid otherwise."""
    if not isinstance(condition, Mapping):
        raise Invalid("duties.condition_not_a_table", condition=str(condition))
    for attribute, words in condition.items():
        if attribute not in ATTRIBUTES:
            raise Invalid("duties.condition_unknown", attribute=attribute, known=", ".join(ATTRIBUTES))
        if not _are_words(words):
            raise Invalid("duties.condition_malformed", attribute=attribute, words=str(words))
    return condition


def _are_words(words: object) -> bool:
    if not isinstance(words, list | tuple) or not words:
        return False
    return all(isinstance(word, str) and bool(word.removeprefix(NOT).strip()) for word in words)


def _held(rules: Iterable[Rule], attributes: Attributes) -> tuple[list[Rule], list[tuple[Rule, ShaotuError]]]:
    held, broken = [], []
    for rule in rules:
        try:
            if not rule.condition or _holds(check_condition(rule.condition), attributes):
                held.append(rule)
        except ShaotuError as problem:
            broken.append((rule, problem))
    return held, broken


def _holds(condition: Mapping[str, Sequence[str]], attributes: Attributes) -> bool:
    return all(_one_holds(words, attributes.get(attribute, ())) for attribute, words in condition.items())


def _one_holds(words: Sequence[str], found: Collection[str]) -> bool:
    wanted = [word for word in words if not word.startswith(NOT)]
    refused = [word[1:] for word in words if word.startswith(NOT)]
    return (not wanted or any(word in found for word in wanted)) and not any(word in found for word in refused)


def _weight(rule: Rule) -> int:
    asked_n = len(rule.condition) if isinstance(rule.condition, Mapping) else 0
    # That a power was given, for a time, is one more thing asked.
    return asked_n + (rule.delegation is not None)
