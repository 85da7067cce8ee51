"""The link to answer by that goes out with a closing: kept as a digest, sent once, to who reported and nobody else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.issues import answer_links, call_backs, journal
from gis.issues.call_backs import Bearer
from gis.issues.messages import channels, outbox
from gis.issues.workflow import Loop
from gis.jobs import Work, carry
from gis.settings import Settings
from tests import receivers
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, INSPECTOR, SW, Way

PHONE = "13900000000"
ANYBODY = '{"phone": "13900000000", "name": "王"}'
CHANNELS = """
[sms]
kind = "http"
url = "http://127.0.0.1:{port}/send"
headers = {{ Content-Type = "application/json" }}
body = '{{"phone": "$to", "content": "$text"}}'
ok = {{ code = 0 }}
{events}

[wecom]
kind = "http"
url = "http://127.0.0.1:{port}/robot"
body = "$text"
"""


def going_by(folder: Path, port: int = 1, events: str = "", **changes: str | None) -> Settings:
    file = folder / "channels.toml"
    file.write_text(CHANNELS.format(port=port, events=events))
    said = {"answer_link_url": "https://shaotu.city.example"} | changes
    return Settings(channels=file, var_dir=folder, **said)  # type: ignore[arg-type]


def closed(session: Session, settings: Settings, reporter: str | None = ANYBODY) -> Way:
    looped.people(session)
    way = looped.across(session, reporter=reporter)
    way.loop = Loop(settings)
    done = {"done": "x"}
    return way.after(
        ("sign", CG), ("sign", SW), ("feed_back", SW, done), ("feed_back", CG, done), ("pass", INSPECTOR),
        ("close", CHIEF),
    )  # fmt: skip


def to_reporter(session: Session) -> list[tuple[str, str]]:
    asked = text("SELECT event, channel FROM message WHERE recipient = 'reporter' ORDER BY id")
    return [tuple(row) for row in session.execute(asked)]


def links(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM answer_link")) or 0)


def test_switched_on_a_closing_is_followed_by_a_link(session: Session, tmp_path: Path) -> None:
    closed(session, going_by(tmp_path))
    assert (to_reporter(session), links(session)) == ([("answer_link", "sms")], 1)


def test_switched_off_who_reported_is_told_of_the_call_alone(session: Session, tmp_path: Path) -> None:
    closed(session, going_by(tmp_path, answer_link_url=None))
    assert (to_reporter(session), links(session)) == ([("call_back", "sms")], 0)


def test_without_a_channel_that_carries_it_none_is_made(session: Session, tmp_path: Path) -> None:
    closed(session, going_by(tmp_path, events='events = ["called"]'))
    assert (to_reporter(session), links(session)) == ([], 0)


@pytest.mark.parametrize("reporter", [None, '{"name": "王"}', '{"phone": ""}'])
def test_who_left_no_number_is_sent_none(session: Session, tmp_path: Path, reporter: str | None) -> None:
    closed(session, going_by(tmp_path), reporter)
    assert links(session) == 0


def test_what_went_out_opens_the_page_of_that_issue(session: Session, tmp_path: Path) -> None:
    settings = going_by(tmp_path)
    way = closed(session, settings)
    [sms, _] = channels.table(settings.channels)
    [letter] = outbox.claim(session, sms, way.now)
    sent = str(answer_links.filled_in(letter, sms, settings).params["link"])
    assert sent.startswith("https://shaotu.city.example/answer/")
    link = call_backs.find(session, Bearer(sent.rpartition("/")[2], "::1", way.now))
    assert (link and link.issue_code) == way.code


def test_closed_anew_there_is_another(session: Session, tmp_path: Path) -> None:
    way = closed(session, going_by(tmp_path))
    done = {"done": "x"}
    way.make("reopen", looped.CLERK, {"reason": "x"})
    way.after(
        ("sign", CG), ("sign", SW), ("feed_back", CG, done), ("feed_back", SW, done), ("pass", INSPECTOR),
        ("close", CHIEF),
    )  # fmt: skip
    assert links(session) == 2


def test_neither_number_nor_token_stands_in_messages_journal_or_log(
    clean_db: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with receivers.http() as heard:
        settings = going_by(tmp_path, heard.port)
        # A gateway that refuses repeats what it was asked.
        heard.answers = [(200, {"code": 1, "said": f"no such phone {PHONE}"})]
        with db.session(clean_db, db.EVERYTHING) as session:
            way = closed(session, settings)
            session.commit()
        [sms, _] = channels.table(settings.channels)
        assert carry(Work(clean_db, settings, way.now), sms)
        [sent] = heard.bodies()
    token = sent["content"].rpartition("/")[2]
    assert sent["phone"] == PHONE
    with db.session(clean_db, db.EVERYTHING) as session:
        journal.seal(session)
        kept = " ".join(
            session.scalars(
                text("SELECT CAST(message AS text) FROM message UNION ALL SELECT CAST(entry AS text) FROM entry")
            )
        )
    logged = caplog.text + "".join(capsys.readouterr())
    assert [each for each in (PHONE, token) if each in kept + logged] == []


def test_carried_again_it_is_sent_once(clean_db: Engine, tmp_path: Path) -> None:
    with receivers.http() as heard:
        heard.answers = [(200, {"code": 0})]
        settings = going_by(tmp_path, heard.port)
        with db.session(clean_db, db.EVERYTHING) as session:
            way = closed(session, settings)
            session.commit()
        [sms, _] = channels.table(settings.channels)
        for _ in range(3):
            carry(Work(clean_db, settings, way.now), sms)
        assert len(heard.requests) == 1
