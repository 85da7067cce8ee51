"""Channels as data: by which gateways, robots, mail servers and webhooks messages go out, and who is told of what."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gis.errors import Invalid
from gis.settings import ROOT

TELL = ROOT / "data" / "messages" / "tell.toml"
HTTP, SMTP, WEBHOOK = KINDS = ("http", "smtp", "webhook")
# Shown on the page to those it is for; always there, and carried by nobody.
NOTICE = "notice"
DEPARTMENTS, REPORTER = "departments", "reporter"
# The channel that reaches telephones: who reported is told by no other, because nothing else of them is known.
SMS = "sms"
ANSWER_LINK = "answer_link"
DINGTALK = "dingtalk"
NEEDED: Mapping[str, tuple[str, ...]] = {HTTP: ("url", "body"), SMTP: ("host", "sender"), WEBHOOK: ("url", "secret")}
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Channel:
    """A way out. events: what it carries, None for all; repeat: may send again what may have arrived.

    secret: where the secret stands, never itself. ok: what the receiver's JSON answer has to hold.
    """

    code: str
    kind: str
    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    ok: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    sign: str = ""
    host: str = ""
    port: int = 25
    starttls: bool = False
    sender: str = ""
    username: str = ""
    events: tuple[str, ...] | None = None
    repeat: bool = False
    timeout_s: float = TIMEOUT_S

    @property
    def to_systems(self) -> bool:
        """Say whether it goes to one system, and not to people by their addresses."""
        return self.kind == WEBHOOK

    def carries(self, event: str) -> bool:
        """Say whether an event goes out by it."""
        return self.events is None or event in self.events


@cache
def table(path: Path | None) -> tuple[Channel, ...]:
    """Return the channels of an installation; raise Invalid with what is wrong in its file."""
    return () if path is None else read(path)


def read(path: Path) -> tuple[Channel, ...]:
    """Read a file of channels: one section each; raise Invalid."""
    return tuple(_channel(code, section) for code, section in _toml(path).items())


@cache
def tell(path: Path = TELL) -> Mapping[str, tuple[str, ...]]:
    """Read who is told of what: event -> roles, DEPARTMENTS, REPORTER."""
    return {event: tuple(who) for event, who in _toml(path).items()}


def secret_of(channel: Channel) -> str:
    """Fetch a channel's secret from where it stands; raise Invalid if it is not there."""
    if not channel.secret:
        return ""
    where, _, name = channel.secret.partition(":")
    try:
        return _PLACES[where](name)
    except (KeyError, OSError):
        raise Invalid("channels.no_secret", channel=channel.code, secret=channel.secret) from None


def _file(name: str) -> str:
    return Path(name).read_text("utf-8").strip()


_PLACES: Mapping[str, Callable[[str], str]] = {"env": lambda name: os.environ[name], "file": _file}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("channels.unreadable", path=str(path), reason=str(error)) from error


def _channel(code: str, section: Any) -> Channel:  # noqa: ANN401 -- whatever TOML holds
    if not isinstance(section, dict) or section.get("kind") not in KINDS or code == NOTICE:
        raise Invalid("channels.no_kind", channel=code, kinds=", ".join(KINDS))
    known = {name: _of_kind(code, name, value) for name, value in section.items()}
    for name in NEEDED[section["kind"]]:
        if not known.get(name):
            raise Invalid("channels.missing", channel=code, field=name)
    secret = str(known.get("secret", ""))
    if secret and secret.partition(":")[0] not in _PLACES:
        raise Invalid("channels.bare_secret", channel=code)
    return Channel(code, **known)


def _of_kind(code: str, name: str, value: object) -> Any:  # noqa: ANN401 -- what the field holds
    kind = _FIELDS.get(name)
    if kind is None:
        raise Invalid("channels.unknown_field", channel=code, field=name, fields=", ".join(_FIELDS))
    if name == "events" and isinstance(value, list):
        return tuple(map(str, value))
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise Invalid("channels.bad_field", channel=code, field=name, value=str(value)[:80])
    return value


_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "kind": str, "url": str, "method": str, "headers": dict, "body": str, "ok": dict, "secret": str, "sign": str,
    "host": str, "port": int, "starttls": bool, "sender": str, "username": str, "events": list, "repeat": bool,
    "timeout_s": (int, float),
}  # fmt: skip
