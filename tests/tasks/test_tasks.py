"""Long work: carried out by one at a time, refused with reasons, never half written, and found again."""

from __future__ import annotations

import io
import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gis import db, jobs
from gis.errors import Invalid, NotFound
from gis.jobs import Work
from gis.settings import Settings
from gis.tasks import kinds, queue, running, uploads
from gis.tasks.queue import Task
from tests.territory.plots import plot
from tests.territory.test_boundaries import EAST, EDITION, LAYER, NET, WEST, table

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
# Files that GDAL knows by what stands in them, under the name of another kind.
DISGUISED = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{file}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
    "<OGRWFSDataSource><URL>http://127.0.0.1:{port}/</URL></OGRWFSDataSource>",
    '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline read /vsicurl/http://127.0.0.1:{port}/a"}}',
)
DESCRIBED = """<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:t="http://t" xsi:schemaLocation="http://t
 http://127.0.0.1:{port}/?SERVICE=WFS&amp;VERSION=1.0.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=t:a">
<gml:featureMember><t:a fid="1"><t:code>1</t:code>
<t:g><gml:Point><gml:coordinates>1,1</gml:coordinates></gml:Point></t:g></t:a></gml:featureMember>
</wfs:FeatureCollection>"""


def files(*shapes: Any, name: str = "2020", file: str = "land.geojson") -> list[tuple[str, io.BytesIO]]:
    """Make a manifest and its one file as a browser sends them."""
    manifest = NET + EDITION.format(name=name) + LAYER.format(file=file)
    return [
        ("boundaries.toml", io.BytesIO(manifest.encode())),
        ("land.geojson", io.BytesIO(table(*shapes).to_json().encode())),
    ]


def sent(settings: Settings, *shapes: Any, **named: str) -> str:
    return f"upload:{uploads.keep(settings, files(*(shapes or (WEST, EAST)), **named))}"


def asked(engine: Engine, kind: str, **params: object) -> int:
    with db.session(engine, db.EVERYTHING) as session:
        task_id = queue.put(session, kind, params, by="admin", now=NOW)
        session.commit()
    return task_id


def carried_out(engine: Engine, settings: Settings, kind: str, **params: object) -> Task:
    task_id = asked(engine, kind, **params)
    running.run(engine, settings, task_id)
    return got(engine, task_id)


def got(engine: Engine, task_id: int) -> Task:
    with db.session(engine, db.EVERYTHING) as session:
        return queue.get(session, task_id)


def states(engine: Engine) -> list[str]:
    with db.session(engine, db.EVERYTHING) as session:
        return list(session.scalars(text("SELECT name || ' ' || state FROM edition ORDER BY id")))


class TestBoundaries:
    def test_a_check_tells_the_faults_and_draws_them(self, clean_db: Engine, settings: Settings) -> None:
        task = carried_out(clean_db, settings, "check", manifest=sent(settings, plot(0, 0, 1.5, 1), EAST))
        assert task.outcome
        assert (task.state, task.outcome["above_n"]) == ("done", 1)
        assert task.outcome["faults"][0]["code"] == "fault.overlap"
        drawn = json.loads((uploads.results(settings, task.id) / kinds.FAULTS).read_text("utf-8"))["features"]
        assert [each["properties"]["kind"] for each in drawn] == ["outline", "outline", "overlap"]

    def test_a_check_writes_no_edition(self, clean_db: Engine, settings: Settings) -> None:
        carried_out(clean_db, settings, "check", manifest=sent(settings))
        assert states(clean_db) == []

    def test_what_is_clean_is_loaded_dark(self, clean_db: Engine, settings: Settings) -> None:
        task = carried_out(clean_db, settings, "load", manifest=sent(settings))
        assert (task.state, states(clean_db)) == ("done", ["2020 dark"])

    def test_faults_are_refused_unless_they_are_accepted(self, clean_db: Engine, settings: Settings) -> None:
        source = sent(settings, plot(0, 0, 1.5, 1), EAST)
        task = carried_out(clean_db, settings, "load", manifest=source)
        assert task.fault
        assert (task.state, task.fault["code"], states(clean_db)) == ("refused", "boundaries.refused", [])
        assert carried_out(clean_db, settings, "load", manifest=source, accept=True).state == "done"

    def test_an_edition_answers_from_its_date_and_is_withdrawn_again(
        self, clean_db: Engine, settings: Settings
    ) -> None:
        carried_out(clean_db, settings, "load", manifest=sent(settings))
        named = {"net": "admin", "edition": "2020"}
        assert carried_out(clean_db, settings, "activate", **named, start="2026-01-01").state == "done"
        assert states(clean_db) == ["2020 active"]
        assert carried_out(clean_db, settings, "retire", **named).state == "done"
        assert states(clean_db) == ["2020 retired"]

    def test_who_asked_is_on_record(self, clean_db: Engine, settings: Settings) -> None:
        carried_out(clean_db, settings, "load", manifest=sent(settings))
        with db.session(clean_db, db.EVERYTHING) as session:
            row = session.execute(text("SELECT actor, params FROM entry WHERE kind = 'rules_changed'")).one()
        assert (row.actor, row.params["what"]) == ("admin", "boundaries load admin 2020")


class TestCarryingOut:
    def test_what_is_over_is_not_done_again(self, clean_db: Engine, settings: Settings) -> None:
        task = carried_out(clean_db, settings, "load", manifest=sent(settings))
        assert running.run(clean_db, settings, task.id) is None

    def test_what_somebody_holds_is_left_to_them(self, clean_db: Engine, settings: Settings) -> None:
        task_id = asked(clean_db, "load", manifest=sent(settings))
        with running._held(clean_db, task_id) as ours:
            assert ours
            assert running.run(clean_db, settings, task_id) is None
            with db.session(clean_db, db.EVERYTHING) as session:
                assert queue.unattended(session) == []
        assert got(clean_db, task_id).state == "waiting"

    def test_what_broke_off_says_so_and_is_not_begun_again(self, clean_db: Engine, settings: Settings) -> None:
        task_id = asked(clean_db, "load", manifest=sent(settings))
        with db.session(clean_db, db.EVERYTHING) as session:
            queue.begin(session, task_id, NOW)
            session.commit()
        assert running.run(clean_db, settings, task_id) == "failed"
        task = got(clean_db, task_id)
        assert task.fault
        assert (task.fault["code"], states(clean_db)) == ("tasks.broken_off", [])

    def test_a_fault_of_the_program_is_said_without_its_inside(self, clean_db: Engine, settings: Settings) -> None:
        task = carried_out(clean_db, settings, "activate")
        assert task.fault
        assert (task.state, task.fault) == ("failed", {"code": "tasks.fault", "params": {"reason": "KeyError"}})

    def test_the_worker_carries_out_what_waits(self, clean_db: Engine, settings: Settings) -> None:
        task_id = asked(clean_db, "load", manifest=sent(settings))
        jobs.carry_out_tasks(Work(clean_db, settings, datetime.now(UTC)))
        assert (got(clean_db, task_id).state, states(clean_db)) == ("done", ["2020 dark"])

    def test_a_task_that_is_none_is_not_found(self, clean_db: Engine) -> None:
        with pytest.raises(NotFound):
            got(clean_db, 1)


class TestFiles:
    @pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\\b", "a:b", "x" * 130, "街" * 90, "a\0b"])
    def test_a_name_that_leads_elsewhere_is_refused(self, settings: Settings, name: str) -> None:
        with pytest.raises(Invalid):
            uploads.keep(settings, [(name, io.BytesIO(b""))])

    @pytest.mark.parametrize("name", ["边界 2026.geojson", "a.shp", "boundaries.toml"])
    def test_a_plain_name_is_kept(self, settings: Settings, name: str) -> None:
        key = uploads.keep(settings, [(name, io.BytesIO(b"x"))])
        assert uploads.file(settings, key, name).read_bytes() == b"x"

    @pytest.mark.parametrize(
        "file", ["/etc/hostname", "../../secret_key", "/vsicurl/http://x/a", "no.geojson", ".", "a.vrt", "/etc/a.json"]
    )
    def test_a_manifest_names_files_beside_it_alone(self, settings: Settings, file: str) -> None:
        with pytest.raises(Invalid):
            uploads.manifest(settings, sent(settings, file=file))

    @pytest.mark.parametrize("said", DISGUISED, ids=["other files", "a service", "a list of both"])
    def test_a_file_that_leads_elsewhere_whatever_its_name_is_not_followed(
        self, clean_db: Engine, settings: Settings, tmp_path: Path, said: str
    ) -> None:
        (tmp_path / "elsewhere.geojson").write_text(table(WEST, EAST).to_json())
        asked_for = socket.create_server(("127.0.0.1", 0))
        port, there = asked_for.getsockname()[1], tmp_path / "elsewhere.geojson"
        [manifest, (name, _)] = files(WEST, EAST)
        led = io.BytesIO(said.format(file=there, port=port).encode())
        source = f"upload:{uploads.keep(settings, [manifest, (name, led)])}"
        task = carried_out(clean_db, settings, "check", manifest=source)
        assert task.fault
        assert (task.state, task.fault["code"]) == ("refused", "boundaries.unreadable")
        asked_for.setblocking(False)
        with asked_for, pytest.raises(BlockingIOError):
            asked_for.accept()

    def test_a_description_that_a_file_names_by_its_address_is_not_fetched(
        self, clean_db: Engine, settings: Settings
    ) -> None:
        asked_for = socket.create_server(("127.0.0.1", 0))
        manifest = NET + EDITION.format(name="2020") + LAYER.format(file="land.gml")
        said = DESCRIBED.format(port=asked_for.getsockname()[1])
        sent_up = [("boundaries.toml", io.BytesIO(manifest.encode())), ("land.gml", io.BytesIO(said.encode()))]
        carried_out(clean_db, settings, "check", manifest=f"upload:{uploads.keep(settings, sent_up)}")
        asked_for.setblocking(False)
        with asked_for, pytest.raises(BlockingIOError):
            asked_for.accept()

    @pytest.mark.parametrize("source", ["server:../x.toml", "server:/etc/x.toml", "upload:..", "upload:zz", "else:x"])
    def test_a_source_that_is_none_is_not_found(self, settings: Settings, source: str) -> None:
        with pytest.raises(NotFound):
            uploads.manifest(settings, source)

    def test_one_manifest_and_no_more_has_to_come(self, settings: Settings) -> None:
        key = uploads.keep(settings, files(WEST, EAST)[1:])
        with pytest.raises(Invalid):
            uploads.manifest(settings, f"upload:{key}")

    def test_manifests_of_the_servers_folder_are_offered(self, settings: Settings) -> None:
        assert "boundaries.toml" in uploads.on_server(settings)
        assert uploads.manifest(settings, "server:boundaries.toml").editions

    def test_a_folder_that_is_not_there_offers_none(self, settings: Settings, tmp_path: Path) -> None:
        from dataclasses import replace

        assert uploads.on_server(replace(settings, boundaries_dir=tmp_path / "none")) == []
