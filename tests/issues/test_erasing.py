"""Words are erased by two people, and the chain holds without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from gis import db
from gis.errors import Conflict, Forbidden, Invalid
from gis.issues import audit, chain
from gis.issues.moves import MOVES
from gis.people.accounts import Who
from tests.issues import sealed
from tests.issues.looped import NOW, Way
from tests.issues.sealed import faults, seal, tamper

way = sealed.way


def test_all_that_is_said_freely_with_a_move_can_be_erased() -> None:
    free = {need.name for move in MOVES for need in move.needs if need.kind in {"text", "position"}}
    assert free <= set(chain.SAID)


BESIDE = (
    """INSERT INTO errand (issue_id, number, kind, department, units, reason, by, at, done)
    SELECT id, 1, 'make_safe', 'cg', '{}', '王五家', 'x', now(), '王五开门' FROM issue""",
    """INSERT INTO consultation (issue_id, number, reason, by, at, due_at, minutes)
    SELECT id, 1, '王五', 'x', now(), now(), '王五' FROM issue""",
    """INSERT INTO joint_record (issue_id, number, words, sides, by, at)
    SELECT id, 1, '王五', '{}', 'x', now() FROM issue""",
)


class TestErasing:
    CHIEF = Who(1, "chief", "chief", "shift_leader", "zh", db.EVERYTHING, "")
    OTHER = replace(CHIEF, id=2, username="other", role="administrator")

    def asked(self, way: Way) -> None:
        audit.ask_erasure(way.session, way.code, "PIPL 47", by=self.CHIEF, now=NOW)
        way.session.commit()
        seal(way.session)

    def erased(self, owner: Engine, way: Way) -> None:
        self.asked(way)
        with db.session(owner, db.EVERYTHING) as session:
            audit.erase(session, way.code, by=self.OTHER, now=NOW + timedelta(hours=1))
            session.commit()
        seal(way.session)

    def test_the_chain_holds_after_it(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        assert faults(owner) == []

    def test_no_word_of_the_person_is_left_in_the_tables_of_the_issue(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        tables = [*(each.table for each in chain.TABLES), "entry", "message"]
        kept = [str(row) for table in tables for row in way.session.execute(text(f"SELECT * FROM {table}"))]
        assert not [row for row in kept if "王五" in row or "1380000" in row]

    def test_what_stands_beside_the_chain_goes_too(self, owner: Engine, way: Way) -> None:
        tamper(owner, *BESIDE)
        self.erased(owner, way)
        tables = ("errand", "consultation", "joint_record")
        kept = [str(row) for table in tables for row in way.session.execute(text(f"SELECT * FROM {table}"))]
        assert (len(kept), [row for row in kept if "王五" in row]) == (3, [])

    def test_the_salt_goes_with_the_words(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        kinds = way.session.scalars(
            text("SELECT kind FROM seal JOIN entry ON entry.id = entry_id WHERE salt IS NOT NULL")
        )
        assert kinds.all() == ["erased"]

    def test_facts_are_still_held_after_it(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        tamper(owner, "UPDATE move SET actor = 'other' WHERE name = 'pass'")
        assert faults(owner) == ["audit.facts_altered"]

    def test_it_is_on_record_with_both_people_and_the_reason(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        [line] = [line for line in audit.log(way.session) if line["kind"] == "erased"]
        assert (line["actor"], line["params"]) == ("other", {"reason": "PIPL 47", "asked_by": "chief"})

    def test_the_same_person_cannot_ask_and_do_it(self, owner: Engine, way: Way) -> None:
        self.asked(way)
        with pytest.raises(Forbidden, match="same_person"), db.session(owner, db.EVERYTHING) as session:
            audit.erase(session, way.code, by=self.CHIEF, now=NOW)

    def test_nothing_is_erased_that_nobody_asked_for(self, owner: Engine, way: Way) -> None:
        with pytest.raises(Conflict, match="nobody_asked"), db.session(owner, db.EVERYTHING) as session:
            audit.erase(session, way.code, by=self.OTHER, now=NOW)

    def test_it_is_not_done_twice_on_one_request(self, owner: Engine, way: Way) -> None:
        self.erased(owner, way)
        with pytest.raises(Conflict, match="nobody_asked"), db.session(owner, db.EVERYTHING) as session:
            audit.erase(session, way.code, by=self.OTHER, now=NOW)

    def test_other_roles_may_not_ask(self, way: Way) -> None:
        with pytest.raises(Forbidden, match="may_not_erase"):
            audit.ask_erasure(way.session, way.code, "x", by=replace(self.CHIEF, role="clerk"), now=NOW)

    def test_a_reason_is_asked_for(self, way: Way) -> None:
        with pytest.raises(Invalid, match="reason_missing"):
            audit.ask_erasure(way.session, way.code, "  ", by=self.CHIEF, now=NOW)
