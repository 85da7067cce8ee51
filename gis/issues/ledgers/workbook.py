"""A ledger as a workbook: one sheet, its head frozen, every cell text that no spreadsheet will take for a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gis.issues.ledgers import lines
from gis.issues.ledgers.lines import Reader

Json = dict[str, Any]

ROWS_MOST = 50_000
WIDTHS = {"text": 60, "code": 24, "category": 20, "lead": 24, "assisting": 24, "unit": 18, "struck": 26}
# What a spreadsheet, or one that reads it as CSV later, would run; and what XML cannot hold.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
CELL_MOST = 32_000


def write(title: str, told: Iterable[Json], reader: Reader, *, last: str = "") -> bytes:
    """Write lines as an XLSX file. title: of the sheet and of the file's properties; last: a word under the lines."""
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = title, "Shaotu"
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", title)[:31])
    sheet.freeze_panes = "B2"
    for nth, name in enumerate(lines.COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(nth)].width = WIDTHS.get(name, 17)
    sheet.append([_head(sheet, words) for words in lines.heads(reader)])
    for line in told:
        sheet.append([harmless(str(line[name])) for name in lines.COLUMNS])
    if last:
        sheet.append([harmless(last)])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(lines.COLUMNS))}1"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def harmless(words: str) -> str:
    """Make words that a spreadsheet would take for a formula plain: an apostrophe before them, as people type it."""
    words = UNWRITABLE.sub("", words)[:CELL_MOST]
    return f"'{words}" if words.lstrip(" \u3000").startswith(DANGEROUS) or words.startswith(DANGEROUS) else words


def _head(sheet: Any, words: str) -> Any:  # noqa: ANN401 -- openpyxl gives write-only sheets and their cells no types
    cell = WriteOnlyCell(sheet, words)
    cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="FFE3EFF8")
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    return cell
