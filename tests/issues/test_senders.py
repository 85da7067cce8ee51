"""What goes out of the house: forms filled in without a way to break out of them, signatures, answers understood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gis.errors import Invalid
from gis.issues.messages import channels, senders
from gis.issues.messages.channels import Channel
from gis.issues.messages.outbox import Letter
from gis.issues.messages.senders import Sending
from gis.settings import ROOT
from tests import receivers
from tests.issues.looped import NOW
from tests.receivers import Heard

LETTER = Letter(7, "called:1:sms:x", "called", "13800000001", {"code": "990101000001"}, NOW, 1)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def heard() -> Iterator[Heard]:
    with receivers.http() as listening:
        yield listening


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHAOTU_TEST_KEY", "s3cret")


def gateway(heard: Heard, **changes: object) -> Channel:
    plain = Channel("sms", "http", f"http://127.0.0.1:{heard.port}/send?to=$to", headers=JSON, timeout_s=5,
                    body='{"phone": "$to", "text": "$text", "id": "$id"}')  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def sending(channel: Channel, **changes: object) -> Sending:
    return Sending(channel, replace(LETTER, **changes), NOW, "zh")  # type: ignore[arg-type]


class TestGateways:
    def test_the_form_of_the_channel_is_filled_in(self, heard: Heard) -> None:
        assert senders.send(sending(gateway(heard))).fault is None
        [body] = heard.bodies()
        assert (body["phone"], body["text"]) == ("13800000001", "案件 990101000001 派给了你单位，请签收。")

    def test_what_is_filled_in_cannot_break_out_of_the_form(self, heard: Heard) -> None:
        senders.send(sending(gateway(heard), address='1", "admin": "&x=1 \r\nEvil: 1'))
        [(path, headers, _)] = heard.requests
        assert heard.bodies()[0]["phone"] == '1", "admin": "&x=1 \r\nEvil: 1'
        assert path == "/send?to=1%22%2C%20%22admin%22%3A%20%22%26x%3D1%20%0D%0AEvil%3A%201"
        assert "evil" not in headers

    def test_a_form_of_fields_is_filled_in_for_addresses(self, heard: Heard) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        senders.send(sending(gateway(heard, headers=form, body="to=$to&x=1"), address="1&y=2"))
        assert heard.requests[0][2] == b"to=1%26y%3D2&x=1"

    def test_the_secret_comes_from_where_it_stands(self, heard: Heard) -> None:
        headers = JSON | {"Authorization": "Bearer $secret"}
        senders.send(sending(gateway(heard, headers=headers, secret="env:SHAOTU_TEST_KEY")))
        assert heard.requests[0][1]["authorization"] == "Bearer s3cret"

    def test_a_secret_may_stand_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("in a file\n", "utf-8")
        assert channels.secret_of(Channel("x", "http", secret=f"file:{tmp_path}/key")) == "in a file"

    def test_a_secret_that_is_not_there_sends_nothing_and_is_not_told(self, heard: Heard) -> None:
        outcome = senders.send(sending(gateway(heard, secret="env:SHAOTU_NOT_SET")))
        assert (str(outcome.fault and outcome.fault.code), outcome.certain, heard.requests) == (
            "channels.no_secret", True, [],
        )  # fmt: skip

    @pytest.mark.parametrize("status", [301, 400, 429, 500, 503])
    def test_a_refusal_is_certain(self, heard: Heard, status: int) -> None:
        heard.answers = [(status, {})]
        outcome = senders.send(sending(gateway(heard)))
        assert (outcome.fault is not None, outcome.certain) == (True, True)

    def test_an_answer_that_says_no_inside_is_a_refusal(self, heard: Heard) -> None:
        heard.answers = [(200, {"errcode": 93000})]
        outcome = senders.send(sending(gateway(heard, ok={"errcode": 0})))
        assert outcome.fault is not None
        assert outcome.fault.code == "messages.refused_inside"

    def test_an_answer_that_says_yes_inside_is_taken(self, heard: Heard) -> None:
        heard.answers = [(200, {"errcode": 0})]
        assert senders.send(sending(gateway(heard, ok={"errcode": 0}))).fault is None

    def test_nobody_there_is_certain(self) -> None:
        outcome = senders.send(sending(Channel("sms", "http", "http://127.0.0.1:1/", body="x")))
        assert (outcome.fault is not None, outcome.certain) == (True, True)

    def test_a_line_that_breaks_after_the_request_is_not_certain(self, heard: Heard) -> None:
        heard.mute = True
        assert not senders.send(sending(gateway(heard))).certain

    def test_a_receiver_that_takes_too_long_is_not_certain(self, heard: Heard) -> None:
        heard.slow_s = 2
        assert not senders.send(sending(gateway(heard, timeout_s=0.2))).certain

    def test_an_address_that_is_no_more_is_told(self, heard: Heard) -> None:
        outcome = senders.send(sending(gateway(heard), address=None))
        assert outcome.fault is not None
        assert (outcome.fault.code, heard.requests) == ("messages.no_address", [])

    @pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "nothing"])
    def test_nothing_but_http_is_asked(self, url: str) -> None:
        assert senders.send(sending(Channel("sms", "http", url, body="x"))).fault is not None

    def test_the_robots_of_dingtalk_get_their_signature(self) -> None:
        # Computed with the sender's own recipe, by hand: HMAC-SHA256 of "time\nsecret" under the secret.
        channel = Channel("ding", "http", "https://h/robot?access_token=$to", body="x", sign="dingtalk",
                          secret="env:SHAOTU_TEST_KEY")  # fmt: skip
        url = senders.templated(sending(channel)).url
        assert url.startswith(f"https://h/robot?access_token=13800000001&timestamp={NOW.timestamp() * 1000:.0f}&sign=")


class TestWebhooks:
    def hook(self, heard: Heard) -> Channel:
        return Channel("hook", "webhook", f"http://127.0.0.1:{heard.port}/", secret="env:SHAOTU_TEST_KEY")

    def test_it_carries_an_id_the_time_and_a_signature_that_the_receiver_can_compute(self, heard: Heard) -> None:
        senders.send(sending(self.hook(heard), address=""))
        [(_, headers, body)] = heard.requests
        told = senders.signature("s3cret", headers["webhook-id"], headers["webhook-timestamp"], body)
        assert headers["webhook-signature"] == f"v1,{told}"

    def test_a_signature_is_that_of_the_standard(self) -> None:
        # openssl dgst -sha256 -hmac s3cret -binary over "msg_1.1.{}", in base64
        assert senders.signature("s3cret", "msg_1", "1", b"{}") == "jsbzk8zA+5uLiUNdLeqqBNztyZ6aK4WZ9tJ4P9nxv40="

    def test_the_id_is_the_same_at_every_attempt(self, heard: Heard) -> None:
        for attempt in (1, 2):
            senders.send(sending(self.hook(heard), address="", attempts_n=attempt))
        ids = {headers["webhook-id"] for _, headers, _ in heard.requests}
        assert len(ids) == 1

    def test_it_names_the_event_and_the_issue_and_nobody(self, heard: Heard) -> None:
        senders.send(sending(self.hook(heard), address=""))
        [body] = heard.bodies()
        assert (body["type"], body["data"]) == ("called", {"code": "990101000001"})


class TestMail:
    def test_a_mail_arrives_with_its_subject_and_its_text(self) -> None:
        with receivers.mail() as heard:
            channel = Channel("mail", "smtp", host="127.0.0.1", port=heard.port, sender="shaotu@city.example")
            assert senders.send(sending(channel, address="li@city.example")).fault is None
            [mail] = heard.mails
        assert (mail["To"], mail["Subject"]) == ("li@city.example", "新派遣 990101000001")
        assert "请签收" in mail.get_content()

    def test_its_id_is_the_same_at_every_attempt(self) -> None:
        with receivers.mail() as heard:
            channel = Channel("mail", "smtp", host="127.0.0.1", port=heard.port, sender="shaotu@city.example")
            for _ in range(2):
                senders.send(sending(channel, address="li@city.example"))
            assert len({mail["Message-ID"] for mail in heard.mails}) == 1

    def test_an_address_with_a_line_break_is_refused(self) -> None:
        with receivers.mail() as heard:
            channel = Channel("mail", "smtp", host="127.0.0.1", port=heard.port, sender="shaotu@city.example")
            outcome = senders.send(sending(channel, address="li@x.example\nBcc: all@x.example"))
            assert (outcome.fault is not None, heard.mails) == (True, [])

    def test_no_server_there_is_certain(self) -> None:
        channel = Channel("mail", "smtp", host="127.0.0.1", port=1, sender="shaotu@city.example")
        assert senders.send(sending(channel, address="li@x.example")).certain


class TestFile:
    def test_the_example_can_be_read(self) -> None:
        read = channels.read(ROOT / "data" / "messages" / "channels.example.toml")
        assert [channel.code for channel in read] == ["sms", "wecom", "dingtalk", "mail", "city-platform"]

    @pytest.mark.parametrize(
        ("section", "code"),
        [
            ("[x]\nurl = 'y'", "no_kind"),
            ("[x]\nkind = 'pigeon'", "no_kind"),
            ("[notice]\nkind = 'http'\nurl = 'y'\nbody = 'z'", "no_kind"),
            ("[x]\nkind = 'http'\nurl = 'y'", "missing"),
            ("[x]\nkind = 'webhook'\nurl = 'y'", "missing"),
            ("[x]\nkind = 'http'\nurl = 'y'\nbody = 'z'\ncolour = 'red'", "unknown_field"),
            ("[x]\nkind = 'smtp'\nhost = 'y'\nsender = 'z'\nport = 'a'", "bad_field"),
            ("[x]\nkind = 'smtp'\nhost = 'y'\nsender = 'z'\nport = true", "bad_field"),
            ("[x]\nkind = 'webhook'\nurl = 'y'\nsecret = 'written here'", "bare_secret"),
            ("[x", "unreadable"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path: Path, section: str, code: str) -> None:
        file = tmp_path / "channels.toml"
        file.write_text(section, "utf-8")
        with pytest.raises(Invalid, match=code):
            channels.read(file)
