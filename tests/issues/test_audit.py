"""The chain: whatever is altered, removed or inserted is found and named."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import Engine, text

from gis import db
from gis.errors import Invalid
from gis.issues import audit, journal
from gis.settings import ROOT, Settings
from tests.issues import looped, sealed
from tests.issues.looped import CG, CHIEF, LAW, NOW, Way
from tests.issues.sealed import faults, seal, tamper

way = sealed.way

INSERTIONS = (
    """INSERT INTO party_step (issue_id, version, department, step, by, at, said_at, fields)
    SELECT issue_id, version, department, 'arrived', by, at, said_at, '{}' FROM party_step LIMIT 1""",
    """INSERT INTO move SELECT issue_id, version + 10, name, from_state, to_state, actor, role, department, at, said_at,
    fields FROM move WHERE version = 1""",
    """INSERT INTO decision SELECT issue_id, version + 1, basis, 'sw', answer, decided_at, decided_by FROM decision""",
)


@pytest.mark.usefixtures("way")
class TestVerify:
    def test_what_nobody_touched_holds(self, owner: Engine) -> None:
        assert faults(owner) == []

    def test_it_holds_in_parts_too(self, owner: Engine) -> None:
        assert faults(owner, 3) == []

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE entry SET actor = 'other' WHERE id = 3",
            "UPDATE entry SET params = params || '{\"version\": 9}' WHERE id = 3",
            "UPDATE entry SET at = at - interval '1 microsecond' WHERE id = 3",
            "UPDATE entry SET ground = '{}' WHERE id = 3",
            "UPDATE issue SET reported_at = reported_at - interval '1 day'",
            "UPDATE move SET actor = 'other' WHERE name = 'pass'",
            "UPDATE move SET said_at = said_at - interval '1 hour' WHERE version = 2",
            "UPDATE move SET to_state = 'closed' WHERE name = 'pass'",
            "UPDATE party_step SET department = 'zf' WHERE step = 'arrived'",
            "UPDATE decision SET lead = 'sw'",
            "UPDATE party SET mandatory = false WHERE department = 'cg'",
            "DELETE FROM party WHERE department = 'zf'",
            "DELETE FROM party_step WHERE step = 'passed'",
            "DELETE FROM move WHERE name = 'pass'",
            "UPDATE move SET change = change - 1 WHERE name = 'pass'",
        ],
    )
    def test_a_fact_that_was_altered_or_removed_is_found(self, owner: Engine, statement: str) -> None:
        tamper(owner, statement)
        assert "audit.facts_altered" in faults(owner)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE issue SET text = 'another text'",
            "UPDATE issue SET reporter = NULL",
            "UPDATE move SET fields = fields || '{\"done\": \"better\"}' WHERE name = 'feed_back'",
            "UPDATE party_step SET fields = fields - 'position' WHERE step = 'arrived'",
        ],
    )
    def test_words_that_were_altered_are_found(self, owner: Engine, statement: str) -> None:
        tamper(owner, statement)
        assert set(faults(owner)) == {"audit.words_altered"}

    def test_the_fault_names_the_link_the_entry_and_the_issue(self, owner: Engine, way: Way) -> None:
        tamper(owner, "UPDATE entry SET actor = 'other' WHERE id = 3")
        with db.session(owner, db.EVERYTHING) as session:
            [fault] = audit.held(session, audit.spans(session)[0])
        assert fault.params == {"seq": 3, "entry": 3, "code": way.code}

    def test_an_entry_that_was_removed_is_found(self, owner: Engine) -> None:
        with db.session(owner, db.EVERYTHING) as session:
            session.execute(text("ALTER TABLE seal DROP CONSTRAINT seal_entry_id_fkey"))
            session.execute(text("DELETE FROM entry WHERE id = 4"))
            [fault] = audit.held(session, audit.spans(session)[0])
        assert fault.code == "audit.entry_removed"

    def test_an_entry_that_was_removed_with_its_link_is_found(self, owner: Engine) -> None:
        tamper(owner, "DELETE FROM seal WHERE seq = 4", "DELETE FROM entry WHERE id = 4")
        assert {"audit.links_removed", "audit.chain_altered"} <= set(faults(owner))

    def test_links_that_were_numbered_anew_after_a_removal_are_found(self, owner: Engine) -> None:
        tamper(
            owner, "DELETE FROM seal WHERE seq = 4", "DELETE FROM entry WHERE id = 4",
            "UPDATE seal SET seq = seq - 1 WHERE seq = 5", "UPDATE seal SET seq = seq - 1 WHERE seq = 6",
            "UPDATE seal SET seq = seq - 1 WHERE seq = 7",
        )  # fmt: skip
        assert "audit.chain_altered" in faults(owner)

    def test_an_entry_that_was_put_in_without_a_link_is_found(self, owner: Engine) -> None:
        tamper(owner, "INSERT INTO entry (kind, params, ground, actor, at) VALUES ('moved', '{}', '{}', 'x', now())")
        assert faults(owner) == ["audit.entry_inserted"]

    def test_a_link_that_was_altered_with_its_entry_is_found(self, owner: Engine) -> None:
        tamper(
            owner, "UPDATE entry SET actor = 'other' WHERE id = 3", "UPDATE seal SET facts = sha256('x') WHERE seq = 3"
        )
        assert "audit.chain_altered" in faults(owner)

    @pytest.mark.parametrize("statement", INSERTIONS)
    def test_a_row_that_was_put_in_without_its_line_is_found(self, owner: Engine, way: Way, statement: str) -> None:
        tamper(owner, statement)
        with db.session(owner, db.EVERYTHING) as session:
            [fault] = audit.unbound(session)
        assert (fault.code, fault.params["code"]) == ("audit.row_inserted", way.code)

    def test_a_row_that_was_put_in_under_a_line_that_is_sealed_is_found(self, owner: Engine) -> None:
        tamper(
            owner,
            "INSERT INTO party_step (issue_id, version, department, step, by, at, said_at, fields, change)"
            " SELECT issue_id, version, department, 'arrived', by, at, said_at, '{}', change FROM party_step LIMIT 1",
        )
        assert "audit.facts_altered" in faults(owner)

    def test_what_waits_for_its_seal_is_no_fault(self, owner: Engine, way: Way) -> None:
        way.make("close", CHIEF)
        way.session.commit()
        assert faults(owner) == []

    def test_a_salt_that_was_removed_without_an_erasure_is_found(self, owner: Engine) -> None:
        tamper(owner, "UPDATE seal SET salt = NULL WHERE seq = 2")
        assert faults(owner) == ["audit.salt_removed"]

    def test_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(self, owner: Engine) -> None:
        with db.session(owner, db.EVERYTHING) as session:
            kept = journal.head(session)
            tamper(owner, "INSERT INTO unsealed SELECT entry_id FROM seal", "DELETE FROM seal")
            tamper(owner, "UPDATE entry SET actor = 'other' WHERE id = 3")
            session.rollback()
            seal(session)
            assert list(audit.at_head(session, kept)) == [audit.Fault("audit.head_differs", {"seq": kept.seq})]
        assert faults(owner) == []

    def test_a_head_kept_before_more_happened_still_holds(self, way: Way) -> None:
        kept = journal.head(way.session)
        way.make("close", CHIEF)
        way.session.commit()
        seal(way.session)
        assert list(audit.at_head(way.session, kept)) == []

    def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(self, owner: Engine) -> None:
        with db.session(owner, db.EVERYTHING) as session:
            kept = journal.head(session)
            tamper(owner, f"DELETE FROM seal WHERE seq = {kept.seq}")
            session.rollback()
            assert [fault.code for fault in audit.at_head(session, kept)] == ["audit.head_differs"]

    def test_it_does_not_depend_on_whose_eyes_asked_for_the_sealing(
        self, clean_db: Engine, owner: Engine, way: Way
    ) -> None:
        way.make("close", CHIEF)
        way.session.commit()
        with db.session(clean_db, db.NOTHING) as session:
            assert journal.seal(session) == 1
            assert session.scalar(text("SELECT count(*) FROM issue")) == 0
            session.commit()
        assert faults(owner) == []


def test_several_writing_processes_lose_and_double_nothing(clean_db: Engine, owner: Engine, settings: Settings) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        looped.people(session)
        for nth in range(1, 5):
            way = looped.plain(session, nth)
            journal.append(session, journal.Line("filed", way.issue_id), by="gis", now=NOW)
        session.commit()
    environ = {**os.environ, "SHAOTU_DATABASE_URL": str(settings.database_url), "SHAOTU_VAR_DIR": str(settings.var_dir)}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(nth)], cwd=ROOT, env=environ) for nth in range(1, 5)]
    assert [writer.wait() for writer in writers] == [0] * 4
    with db.session(clean_db, db.EVERYTHING) as session:
        seal(session)
        told = session.execute(text("SELECT seq, entry_id FROM seal ORDER BY seq")).tuples().all()
        written = set(session.scalars(text("SELECT id FROM entry")))
    assert [seq for seq, _ in told] == list(range(1, 4 + 4 * 30 + 1))
    assert ({entry for _, entry in told}, faults(owner)) == (written, [])


# Urges one issue again and again, takes every fifth back, and seals now and then.
WRITER = """
import sys
from datetime import timedelta
from gis import db
from gis.issues import journal, workflow
from gis.issues.matter import Said
from gis import settings as product
from tests.issues.looped import DISPATCHER, NOW, Loop

settings, nth = product.load(), int(sys.argv[1])
engine, loop = db.connect(settings), Loop(settings)
made = 0
while made < 30:
    with db.session(engine, db.EVERYTHING) as session:
        said = Said(DISPATCHER, NOW + timedelta(minutes=made), {"reason": "x"})
        workflow.advance(session, f"990101{nth:06}", "urge", said, loop)
        if made % 5 == 4:
            session.rollback()
            workflow.advance(session, f"990101{nth:06}", "urge", said, loop)
        session.commit()
        made += 1
        if made % 3 == 0:
            journal.seal(session)
            session.commit()
"""


def test_a_head_is_read_back_as_it_was_printed() -> None:
    head = journal.Head(7, bytes(range(32)))
    assert audit.parse_head(str(head)) == head


@pytest.mark.parametrize("said", ["", "7", "7 zz", "x " + "0" * 64, "7 00", "-1 " + "0" * 64])
def test_what_is_no_head_is_refused(said: str) -> None:
    with pytest.raises(Invalid, match="bad_head"):
        audit.parse_head(said)


def test_a_handoff_is_bound_with_its_reason_as_words(clean_db: Engine, owner: Engine, way: Way) -> None:
    other = looped.plain(way.session, 2)
    journal.append(way.session, journal.Line("filed", other.issue_id), by="gis", now=NOW)
    way.session.commit()
    for move in (("return", CG, LAW), ("dispatch", looped.DISPATCHER, {"lead": "sw"})):
        other.make(*move)
        way.session.commit()
    seal(way.session)
    tamper(owner, "UPDATE handoff SET reason = 'better'")
    assert faults(owner) == ["audit.words_altered"]
