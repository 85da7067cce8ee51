"""Forms set as PDF with their fonts inside, by Typst, without asking anything of the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typst

from gis import language
from gis.issues.ledgers import printing
from gis.issues.ledgers.lines import Reader

Json = dict[str, Any]

FORMS = Path(__file__).parent / "forms"


def setting(form: str, told: Json, reader: Reader) -> bytes:
    """Set a form with what it tells; raise Unavailable where no Chinese font is installed."""
    footer = f"哨图 Shaotu · {reader.time(reader.now)}"
    whole = {"fonts": [printing.font()], "lang": reader.locale, "footer": footer} | told
    # A form reaches no file but its own folder, and no address.
    data = json.dumps(whole, ensure_ascii=False)
    return typst.compile(FORMS / f"{form}.typ", root=FORMS, sys_inputs={"told": data})


def north(locale: str) -> str:
    """Say which way is up."""
    return language.say("paper.north", locale)
