"""A ledger on paper: a PDF with its fonts inside, set by Typst, without asking anything of the network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typst

from gis.errors import Unavailable
from gis.issues.ledgers.lines import Reader

Json = dict[str, Any]

FORM = Path(__file__).parent / "ledger.typ"
ROWS_MOST = 2000
# Column and its part of the width: what fits on a sheet across.
COLUMNS = {
    "code": 15, "category": 9, "text": 24, "state": 7, "light": 7, "lead": 12, "unit": 9, "reported_at": 9, "due_at": 9,
    "closed_at": 9, "struck": 11,
}  # fmt: skip
# Any of them has the letters; the first that is there is taken.
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Songti SC",
    "Microsoft YaHei", "SimHei", "SimSun", "Noto Serif CJK SC",
)  # fmt: skip


def write(title: str, about: Sequence[str], told: Iterable[Json], reader: Reader) -> bytes:
    """Write lines as a PDF. about: sentences under the title. Raise Unavailable where no Chinese font is installed."""
    rows = [[str(line[name]) for name in COLUMNS] for line in told]
    content: dict[str, object] = {
        "title": title,
        "about": list(about),
        "lang": reader.locale,
        "fonts": [font()],
        "heads": [reader.say(f"ledger.column.{name}") for name in COLUMNS],
        "widths": list(COLUMNS.values()),
        "rows": rows,
        "nothing": reader.say("ledger.nothing"),
        "footer": f"哨图 Shaotu · {reader.time(reader.now)}",
    }
    # The form reaches no file but itself, and no address.
    data = json.dumps(content, ensure_ascii=False)
    return typst.compile(FORM, root=FORM.parent, sys_inputs={"told": data})


@cache
def font() -> str:
    """Name the font that is installed; raise Unavailable with what to install."""
    installed = set(typst.Fonts(include_system_fonts=True).families())
    found = next((name for name in FONTS if name in installed), None)
    if found is None:
        raise Unavailable("printing.no_font", fonts=", ".join(FONTS[:4]))
    return found
