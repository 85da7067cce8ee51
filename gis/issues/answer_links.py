"""Links to answer by that are sent with the closing of an issue, where a city has switched that on.

Only the digest of a link's token is kept, and no message holds it: the token is made of the installation's secret and
of which closing it asks about, once when the digest is kept and once more when the message goes out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import settings as product
from gis.issues.messages import channels
from gis.issues.messages.channels import ANSWER_LINK, SMS, Channel
from gis.issues.messages.outbox import Letter
from gis.settings import Settings

TOKEN_BYTES = 24


def token(settings: Settings, code: str, version: int) -> str:
    """Make the token of the link that asks about an issue's closing by its move of this version."""
    key = product.secret_key(settings).encode()
    drawn = hmac.new(key, f"answer:{code}:{version}".encode(), hashlib.sha256).digest()[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(drawn).decode()


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def are_sent(settings: Settings) -> bool:
    """Say whether closings are followed by a link: an address to answer at, and a channel of text messages for it."""
    ways = channels.table(settings.channels)
    return bool(settings.answer_link_url) and any(way.code == SMS and way.carries(ANSWER_LINK) for way in ways)


def keep(session: Session, code: str, version: int, settings: Settings, now: datetime) -> bool:
    """Keep the link of a closing; say whether there is anybody to send it to."""
    asked = {
        "code": code, "sha256": digest(token(settings, code, version)), "now": now,
        "until": now + timedelta(days=settings.answer_days),
    }  # fmt: skip
    return session.execute(_KEEP, asked).one_or_none() is not None


def filled_in(letter: Letter, channel: Channel, settings: Settings) -> Letter:
    """Write the link into a text message that is about to go out; every other letter stays as it is."""
    if letter.event != ANSWER_LINK or channel.code != SMS:
        return letter
    made = token(settings, str(letter.params["code"]), int(letter.params["version"]))
    address = f"{(settings.answer_link_url or '').rstrip('/')}/answer/{made}"
    return replace(letter, params=letter.params | {"link": address})


_KEEP = text("""
INSERT INTO answer_link (issue_id, sha256, made_at, made_by, expires_at)
SELECT id, :sha256, :now, 'system', :until FROM issue
WHERE code = :code AND coalesce(reporter ->> 'phone', '') <> ''
ON CONFLICT (sha256) DO NOTHING RETURNING id
""")
