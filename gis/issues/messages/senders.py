"""Letters carried out of the house: to HTTP gateways and robots, mail servers, and signed webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from string import Template
from urllib.parse import quote, quote_plus, urlsplit

from gis import language
from gis.errors import Invalid, ShaotuError, Unavailable
from gis.issues.messages import channels
from gis.issues.messages.channels import HTTP, SMTP, WEBHOOK, Channel
from gis.issues.messages.outbox import Letter, Outcome

ANSWER_BYTES = 64_000


@dataclass(frozen=True)
class Sending:
    """A letter on a channel, now, in a language."""

    channel: Channel
    letter: Letter
    now: datetime
    locale: str

    @property
    def text(self) -> str:
        """What it says."""
        return say(self.letter, self.locale)

    @property
    def id(self) -> str:
        """The id a receiver can know it by when it comes again."""
        return f"msg_{hashlib.sha256(self.letter.key.encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class Ask:
    """A request: complete, but for the connection."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes


class Unsure(Exception):
    """The line broke after the letter was on its way."""


def send(sending: Sending) -> Outcome:
    """Try once, and say what came of it; nothing is raised for what a receiver does."""
    try:
        _check_address(sending)
        _BY_KIND[sending.channel.kind](sending)
    except Unsure as broken:
        return Outcome(Unavailable("messages.unsure", channel=sending.channel.code, reason=str(broken)), certain=False)
    except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
        # Reasons name no address: they are kept and shown.
        reason = type(error).__name__
        return Outcome(Unavailable("messages.unreachable", channel=sending.channel.code, reason=reason))
    except ShaotuError as refused:
        return Outcome(refused)
    return Outcome()


def say(letter: Letter, locale: str) -> str:
    """Say a letter in a language."""
    return words(letter.event, letter.params, locale)


def words(event: str, params: Mapping[str, object], locale: str) -> str:
    """Say an event in a language."""
    return language.say(f"message.{event}", locale, **{name: _word(value, locale) for name, value in params.items()})


def _word(value: object, locale: str) -> object:
    if isinstance(value, list):
        return ("、" if locale == "zh" else ", ").join(map(str, value))
    return language.say(value, locale) if isinstance(value, str) else value


def _check_address(sending: Sending) -> None:
    if sending.letter.address is None:
        raise Invalid("messages.no_address", channel=sending.channel.code)


def _by_http(sending: Sending) -> None:
    _answered(sending, _put(templated(sending), sending.channel.timeout_s))


def _by_webhook(sending: Sending) -> None:
    _answered(sending, _put(signed(sending), sending.channel.timeout_s))


def templated(sending: Sending) -> Ask:
    """Fill in a channel's own form of a request. What is filled in is escaped for where it stands."""
    channel, secret = sending.channel, channels.secret_of(sending.channel)
    letter = sending.letter
    said = {
        "text": sending.text, "to": letter.address or "", "id": sending.id, "event": letter.event, "secret": secret,
        "code": str(letter.params.get("code", "")), "at": letter.at.isoformat(),
    }  # fmt: skip
    kind = next((value for name, value in channel.headers.items() if name.lower() == "content-type"), "")
    body = _fill(channel.body, said, quote_plus if "urlencoded" in kind else _in_json)
    url = _fill(channel.url, said, lambda value: quote(value, safe=""))
    if channel.sign == channels.DINGTALK:
        url += f"&{_dingtalk(secret, sending.now)}"
    headers = {name: _fill(value, said, _in_header) for name, value in channel.headers.items()}
    return Ask(url, channel.method, headers, body.encode())


def signed(sending: Sending) -> Ask:
    """Make a webhook's request: its id, the time, and the HMAC of both with the body, as Standard Webhooks has it."""
    letter, at = sending.letter, str(int(sending.now.timestamp()))
    said = {"type": letter.event, "id": sending.id, "timestamp": letter.at.isoformat(), "data": letter.params}
    body = json.dumps(said, ensure_ascii=False).encode()
    digest = signature(channels.secret_of(sending.channel), sending.id, at, body)
    headers = {
        "Content-Type": "application/json", "webhook-id": sending.id, "webhook-timestamp": at,
        "webhook-signature": f"v1,{digest}",
    }  # fmt: skip
    return Ask(sending.channel.url, "POST", {**sending.channel.headers, **headers}, body)


def signature(secret: str, message_id: str, at: str, body: bytes) -> str:
    """Sign: HMAC-SHA256 over "id.timestamp.body", in base64; a secret may be written as whsec_ and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed_part = f"{message_id}.{at}.".encode() + body
    return base64.b64encode(hmac.new(key, signed_part, hashlib.sha256).digest()).decode()


def _dingtalk(secret: str, now: datetime) -> str:
    """Sign as the robots of DingTalk want it: the time in milliseconds and its HMAC, in the address."""
    at = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={at}&sign={quote_plus(base64.b64encode(digest))}"


def _fill(template: str, said: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return Template(template).safe_substitute({name: escape(value) for name, value in said.items()})


def _in_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _in_header(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def _put(ask: Ask, timeout_s: float) -> tuple[int, bytes]:
    """Send a request and read the answer's status and its beginning. No proxy, no redirect. Raise Unsure."""
    parts = urlsplit(ask.url)
    kind = {"http": HTTPConnection, "https": HTTPSConnection}.get(parts.scheme)
    if kind is None or not parts.hostname:
        raise ValueError(parts.scheme)
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    path = parts.path or "/"
    try:
        connection.connect()
        return _exchanged(connection, ask, f"{path}?{parts.query}" if parts.query else path)
    finally:
        connection.close()


def _exchanged(connection: HTTPConnection, ask: Ask, path: str) -> tuple[int, bytes]:
    try:
        connection.request(ask.method, path, ask.body, dict(ask.headers))
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_BYTES)
    except (OSError, HTTPException) as error:
        raise Unsure(type(error).__name__) from error


def _answered(sending: Sending, answer: tuple[int, bytes]) -> None:
    """Raise Unavailable unless the receiver says that it took the letter."""
    status, body = answer
    told = {"channel": sending.channel.code, "status": status}
    if not 200 <= status < 300:
        raise Unavailable("messages.refused", **told)
    if sending.channel.ok:
        read = _json(body)
        if any(read.get(name) != value for name, value in sending.channel.ok.items()):
            raise Unavailable("messages.refused_inside", **told, answer=_told_back(sending, body))


def _told_back(sending: Sending, body: bytes) -> str:
    """Keep the beginning of a receiver's answer, without the address it may repeat: it is kept and shown."""
    said = body.decode("utf-8", "replace")
    for known in (sending.letter.address, sending.text):
        said = said.replace(known, "…") if known else said
    return said[:200]


def _json(body: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _by_mail(sending: Sending) -> None:
    channel = sending.channel
    with smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_s) as server:
        if channel.starttls:
            server.starttls(context=ssl.create_default_context())
        if channel.username:
            server.login(channel.username, channels.secret_of(channel))
        mail = _mail(sending)
        try:
            server.send_message(mail)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                raise
            raise Unsure(type(error).__name__) from error


def _mail(sending: Sending) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sending.channel.sender, sending.letter.address or ""
    mail["Subject"] = language.say(f"message.{sending.letter.event}.subject", sending.locale, **sending.letter.params)
    mail["Date"] = sending.letter.at
    # The same at every attempt: who gets it twice sees that it is one.
    mail["Message-ID"] = f"<{sending.id}@{sending.channel.sender.rpartition('@')[2]}>"
    mail.set_content(sending.text)
    return mail


_BY_KIND: Mapping[str, Callable[[Sending], None]] = {HTTP: _by_http, SMTP: _by_mail, WEBHOOK: _by_webhook}
