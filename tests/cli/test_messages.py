"""gis messages: what is stuck is shown and sent again, contacts come from a file, a channel is tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from gis import cli, db
from gis.errors import Unavailable
from gis.issues.messages import channels, outbox
from gis.issues.messages.outbox import Outcome, Tiding
from gis.settings import Settings
from tests import receivers
from tests.receivers import Heard

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.gis, list(arguments))


@pytest.fixture
def heard() -> Iterator[Heard]:
    with receivers.http() as listening:
        yield listening


@pytest.fixture
def going_by(
    clean_db: Engine, settings: Settings, tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Set the commands on this test's database, with a gateway that listens."""
    file = tmp_path / "channels.toml"
    file.write_text(f"[sms]\nkind = 'http'\nurl = 'http://127.0.0.1:{heard.port}/'\nbody = '$to: $text'\n", "utf-8")
    for name, value in (("DATABASE_URL", settings.database_url), ("CHANNELS", file), ("LANGUAGE", "en")):
        monkeypatch.setenv(f"SHAOTU_{name}", str(value))
    return replace(settings, channels=file)


def book(folder: Path, *rows: str) -> str:
    file = folder / "contacts.csv"
    file.write_text("\n".join(["owner,channel,address", *rows]), "utf-8")
    return str(file)


def active(engine: Engine) -> list[tuple[str, str]]:
    with db.session(engine, db.EVERYTHING) as session:
        sql = text("SELECT owner, address FROM contact WHERE active ORDER BY owner, address")
        return [tuple(row) for row in session.execute(sql)]


@pytest.mark.usefixtures("going_by")
class TestContacts:
    def test_what_a_file_names_is_taken_in_and_what_it_names_no_more_ends(
        self, clean_db: Engine, tmp_path: Path
    ) -> None:
        first = run("messages", "contacts", book(tmp_path, "department:cg,sms,1", "role:clerk,sms,2"))
        then = run("messages", "contacts", book(tmp_path, "department:cg,sms,1", "account:li,sms,3"))
        assert (first.exit_code, then.exit_code) == (0, 0), then.output
        assert active(clean_db) == [("account:li", "3"), ("department:cg", "1")]

    def test_what_ended_can_come_back(self, clean_db: Engine, tmp_path: Path) -> None:
        for rows in (["department:cg,sms,1"], [], ["department:cg,sms,1"]):
            run("messages", "contacts", book(tmp_path, *rows))
        assert active(clean_db) == [("department:cg", "1")]

    @pytest.mark.parametrize(
        "row", ["cg,sms,1", "department:cg,,1", "department:cg,sms,", "unit:x,sms,1", "department:"]
    )
    def test_a_wrong_row_is_told_with_its_number_and_nothing_is_taken_in(
        self, clean_db: Engine, tmp_path: Path, row: str
    ) -> None:
        told = run("messages", "contacts", book(tmp_path, "department:cg,sms,1", row))
        assert (told.exit_code, "Row 3" in told.output, active(clean_db)) == (1, True, [])

    def test_that_it_was_changed_is_on_record(self, tmp_path: Path) -> None:
        run("messages", "contacts", book(tmp_path, "department:cg,sms,1"))
        assert "messages contacts" in run("audit", "log").output


def test_a_channel_is_tried_at_once(going_by: Settings, heard: Heard) -> None:
    told = run("messages", "test", "sms", "13800000001")
    assert (told.exit_code, len(heard.requests)) == (0, 1), told.output


def test_what_a_receiver_refuses_is_told(going_by: Settings, heard: Heard) -> None:
    heard.answers = [(503, {})]
    told = run("messages", "test", "sms", "13800000001")
    assert (told.exit_code, "503" in told.output) == (1, True)


def test_a_channel_that_is_not_there_is_told_with_those_that_are(going_by: Settings) -> None:
    told = run("messages", "test", "pigeon")
    assert (told.exit_code, "sms" in told.output) == (1, True)


def test_what_is_stuck_is_shown_without_an_address_and_sent_again(
    clean_db: Engine, going_by: Settings, tmp_path: Path
) -> None:
    run("messages", "contacts", book(tmp_path, "department:cg,sms,13800000001"))
    [sms] = channels.table(going_by.channels)
    with db.session(clean_db, db.EVERYTHING) as session:
        outbox.put(session, [Tiding("called", "1", ("cg",), None, {"code": "1"})], going_by, NOW)
        [letter] = outbox.claim(session, sms, NOW)
        fault = Unavailable("messages.unsure", channel="sms", reason="x")
        outbox.settle(session, letter, Outcome(fault, certain=False), sms, NOW)
        session.commit()
    shown = run("messages", "list").output
    assert ("unsure" in shown, "13800000001" in shown) == (True, False)
    assert run("messages", "retry", str(letter.id)).exit_code == 0
    with db.session(clean_db, db.EVERYTHING) as session:
        later = datetime.now(UTC) + timedelta(seconds=1)
        assert [again.id for again in outbox.claim(session, sms, later)] == [letter.id]
