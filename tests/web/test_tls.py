"""The product over TLS, with a certificate of a city's own authority: then a telephone can do all it is to do."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Playwright, expect

from gis import db
from gis import settings as product
from gis.errors import Problems
from gis.people import accounts
from gis.settings import ROOT
from tests.web import walking
from tests.web.test_operator_page import file
from tests.web.visits import SOON_MS

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
SERVE = """
from gis import settings
from gis.web import serve
serve.run(settings.load(), lambda: print("ready", flush=True))
"""


@dataclass(frozen=True)
class Served:
    """An address, the authority to trust, and the fingerprint of the server's key as Chromium takes it."""

    url: str
    authority: Path
    fingerprint: str


def openssl(*arguments: str, said: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=said, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority and a certificate of it for this host, as docs/tls.md says."""
    folder = tmp_path_factory.mktemp("tls")
    ca, key, asked, made = (str(folder / name) for name in ("ca", "server.key", "server.csr", "server.pem"))
    openssl("req", "-x509", *CURVE, "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-days", "30", "-subj", "/CN=Town CA")
    openssl("req", *CURVE, "-keyout", key, "-out", asked, "-subj", "/CN=localhost")
    more = folder / "names.txt"
    more.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signed = ["-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "30"]
    openssl("x509", "-req", "-in", asked, *signed, "-extfile", str(more), "-out", made)
    return folder


@pytest.fixture(scope="module")
def served(office: Flask, papers: Path) -> Iterator[Served]:
    """Serve the office as an installation would, with the certificate."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = office.extensions["settings"]
    told = {
        "SHAOTU_DATABASE_URL": given.database_url, "SHAOTU_VAR_DIR": str(given.var_dir), "SHAOTU_PORT": str(port),
        "SHAOTU_TLS_CERTIFICATE": str(papers / "server.pem"), "SHAOTU_TLS_KEY": str(papers / "server.key"),
        "SHAOTU_HTTPS_ONLY": "yes", "SHAOTU_LOG_LEVEL": "error",
    }  # fmt: skip
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        public = openssl("x509", "-in", str(papers / "server.pem"), "-pubkey", "-noout")
        der = openssl("pkey", "-pubin", "-outform", "der", said=public)
        fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
        yield Served(f"https://localhost:{port}", papers / "ca.pem", fingerprint)
        process.terminate()


def test_who_trusts_the_authority_is_answered_over_tls(served: Served) -> None:
    trusting = ssl.create_default_context(cafile=str(served.authority))
    with urllib.request.urlopen(f"{served.url}/healthz", context=trusting) as answer:  # noqa: S310 -- ours
        assert answer.status == 200


def test_who_does_not_trust_it_is_warned(served: Served) -> None:
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{served.url}/healthz", context=ssl.create_default_context())  # noqa: S310 -- ours


def test_over_tls_the_live_line_is_carried_across(served: Served, office: Flask) -> None:
    with db.session(office.extensions["engine"], db.EVERYTHING) as session:
        key = accounts.issue_token(session, "operator", "tls", now=datetime.now(UTC))
        session.commit()
    trusting = ssl.create_default_context(cafile=str(served.authority))
    asked = urllib.request.Request(f"{served.url}/api/v1/live", headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    with urllib.request.urlopen(asked, context=trusting) as line:  # noqa: S310 -- ours
        assert line.readline().startswith(b"retry: ")
        code = file(office)
        told = iter(line.readline, b"")
        assert any(code.encode() in said for said in told if said.startswith(b"data: "))


def test_over_tls_a_telephone_keeps_the_page_and_knows_where_it_is(
    playwright: Playwright, served: Served, tmp_path: Path, browser_type_launch_args: dict[str, Any]
) -> None:
    arguments = [*browser_type_launch_args["args"], f"--ignore-certificate-errors-spki-list={served.fingerprint}"]
    launch = browser_type_launch_args | {"args": arguments}
    context = playwright.chromium.launch_persistent_context(tmp_path, **launch, **walking.PHONE)
    context.set_default_timeout(SOON_MS)
    walking.stand(context)
    page = walking.sign_in(context.pages[0], served.url)
    walking.prepared(page)
    expect(page.locator("#fix")).to_contain_text("8 m")
    assert page.evaluate("isSecureContext")
    assert page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.state)") == "activated"
    cookies = {each["name"]: each["secure"] for each in context.cookies()}
    assert cookies["shaotu"]
    context.close()


def test_a_page_that_is_not_encrypted_says_what_cannot_be_and_what_to_do(
    playwright: Playwright, office: Flask, browser_type_launch_args: dict[str, Any], tmp_path: Path
) -> None:
    from tests.web.conftest import Site

    site = Site(office)
    # A name that is not the host itself is no place a browser trusts without TLS.
    arguments = [*browser_type_launch_args["args"], "--host-resolver-rules=MAP patch.town 127.0.0.1"]
    launch = browser_type_launch_args | {"args": arguments}
    context = playwright.chromium.launch_persistent_context(tmp_path, **launch, **walking.PHONE)
    context.set_default_timeout(SOON_MS)
    page = walking.sign_in(context.pages[0], f"http://patch.town:{site.port}")
    expect(page.locator("#insecure")).to_contain_text("https://")
    assert not page.evaluate("isSecureContext")
    context.close()
    site.stop()


@pytest.mark.parametrize("name", ["SHAOTU_TLS_CERTIFICATE", "SHAOTU_TLS_KEY"])
def test_a_certificate_without_its_key_is_told_at_start(papers: Path, name: str) -> None:
    with pytest.raises(Problems) as told:
        product.load({name: str(papers / "ca.pem")})
    assert [problem.code for problem in told.value.problems] == ["settings.tls_both"]


def test_a_certificate_that_is_not_there_is_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(Problems) as told:
        product.load({"SHAOTU_TLS_CERTIFICATE": str(tmp_path / "a.pem"), "SHAOTU_TLS_KEY": str(tmp_path / "b.pem")})
    assert {problem.code for problem in told.value.problems} == {"settings.no_file"}
