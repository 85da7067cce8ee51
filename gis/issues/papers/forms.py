"""Forms of papers in Word: a city's own where it has one, else ours, made here; both are filled the same way.

A form is a .docx with places in double braces, as docxtpl reads them. What is written into it is text and never markup.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from docx import Document
from docx.document import Document as Form
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docxtpl import DocxTemplate
from jinja2 import TemplateError, Undefined
from jinja2.sandbox import SandboxedEnvironment

from gis import language
from gis.errors import Invalid
from gis.issues.papers import values
from gis.issues.papers.book import Numbered

Json = dict[str, Any]

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TIMES = ("reported_at", "due_at", "held_at")
DAYS = ("day", "answer_by", "deadline")


@dataclass(frozen=True)
class Press:
    """How papers are written out: the language, the city's clocks, and the folder of its own forms, if it has one."""

    locale: str
    zone: ZoneInfo
    forms: Path | None = None

    def say(self, code: str, **params: object) -> str:
        """Say a code."""
        return language.say(code, self.locale, **params)


def number(paper: Numbered, press: Press) -> str:
    """Say a paper's number."""
    return press.say(f"paper.number.{paper.kind}", year=paper.year, number=paper.number)


def write(paper: Numbered, press: Press) -> bytes:
    """Fill a paper's form; raise Invalid if the city's own form cannot be filled."""
    context = _context(paper, press)
    path = press.forms / f"{paper.kind}.{press.locale}.docx" if press.forms else None
    try:
        own = path is not None and path.is_file()
        form = DocxTemplate(path if own else io.BytesIO(made(paper.kind, press)))
        form.render(context, SandboxedEnvironment(undefined=Undefined, autoescape=True), autoescape=True)
    except (TemplateError, PackageNotFoundError, BadZipFile, KeyError, ValueError) as error:
        raise Invalid("paper.form_unusable", path=str(path), reason=str(error)[:300]) from error
    kept = io.BytesIO()
    form.save(kept)
    return kept.getvalue()


def made(kind: str, press: Press) -> bytes:
    """Make our form of a kind, with its labels in the language of the press."""
    form = _blank()
    _FORMS[kind](form, press)
    kept = io.BytesIO()
    form.save(kept)
    return kept.getvalue()


def _context(paper: Numbered, press: Press) -> Json:
    """Put together what a form may name: what the paper says, its number, who wrote it, and when."""
    told = {name: _told(name, value, press) for name, value in values.as_json(paper.said).items()}
    for name in [each.removesuffix("_en") for each in told if each.endswith("_en")]:
        there = told.get(f"{name}_zh", told.get(name))
        told[name] = (press.locale == "en" and told[f"{name}_en"] not in ("", "—") and told[f"{name}_en"]) or there
    return told | {
        "number": number(paper, press),
        "by": paper.by,
        "written_on": press.say("paper.date", **_parts(paper.at.astimezone(press.zone).date())),
    }


def _told(name: str, value: Any, press: Press) -> Any:  # noqa: ANN401 -- whatever a paper says
    if isinstance(value, list | tuple):
        return [_told(name, each, press) for each in value]
    if isinstance(value, Mapping):
        plain = {key: _told(key, each, press) for key, each in value.items()}
        return plain | {"name": (press.locale == "en" and plain["name_en"]) or plain["name_zh"]}
    if not value or not isinstance(value, str):
        return "—" if value is None or value == "" else value
    if name in TIMES:
        return datetime.fromisoformat(value).astimezone(press.zone).strftime("%Y-%m-%d %H:%M")
    if name in DAYS:
        return press.say("paper.date", **_parts(date.fromisoformat(value[:10])))
    return UNWRITABLE.sub("", value)


def _parts(day: date) -> dict[str, object]:
    return {"year": day.year, "month": day.month, "day": day.day, "iso": day.isoformat()}


def _blank() -> Form:
    """Lay out a sheet as official papers are: A4, wide margins, FangSong at 16 points."""
    form = Document()
    section = form.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = (
        Cm(2.8), Cm(2.6), Cm(3.5), Cm(3.2),
    )  # fmt: skip
    for style in ("Normal", "Title"):
        font = form.styles[style].font
        font.name, font.size = "Times New Roman", Pt(22 if style == "Title" else 14)
        face = form.styles[style].element.get_or_add_rPr().get_or_add_rFonts()
        face.set(qn("w:eastAsia"), "方正小标宋简体" if style == "Title" else "仿宋")
    return form


def _title(form: Form, press: Press, kind: str) -> None:
    form.add_paragraph(press.say(f"paper.title.{kind}"), style="Title").alignment = WD_ALIGN_PARAGRAPH.CENTER
    form.add_paragraph("{{ number }}").alignment = WD_ALIGN_PARAGRAPH.CENTER


def _foot(form: Form) -> None:
    form.add_paragraph("")
    form.add_paragraph("{{ written_on }}").alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _facts(form: Form, press: Press, names: Mapping[str, str]) -> None:
    """Lay out pairs of label and place as a table. names: label's code -> place."""
    table = form.add_table(rows=0, cols=2, style="Table Grid")
    for code, place in names.items():
        cells = table.add_row().cells
        cells[0].text, cells[1].text = press.say(f"paper.label.{code}"), f"{{{{ {place} }}}}"
        cells[0].width, cells[1].width = Cm(4), Cm(11.6)


def _counted(form: Form, press: Press, name: str) -> None:
    """Lay out a table of names and counts that grows with what it is told."""
    form.add_paragraph(press.say(f"paper.label.{name}")).paragraph_format.space_before = Pt(12)
    table = form.add_table(rows=3, cols=2, style="Table Grid")
    table.cell(0, 0).text = f"{{%tr for each in {name} %}}"
    table.cell(1, 0).text, table.cell(1, 1).text = "{{ each.name }}", "{{ each.n }}"
    table.cell(2, 0).text = "{%tr endfor %}"


def _listed(form: Form, name: str, words: str = "{{ each }}") -> None:
    form.add_paragraph(f"{{%p for each in {name} %}}")
    form.add_paragraph(words)
    form.add_paragraph("{%p endfor %}")


def _daily(form: Form, press: Press) -> None:
    _title(form, press, values.DAILY)
    form.add_paragraph("{{ place }}　{{ day }}").alignment = WD_ALIGN_PARAGRAPH.CENTER
    names = ("received", "closed", "struck", "self_handled", "across", "relapsed", "open", "overdue")
    _facts(form, press, {name: name for name in names})
    for name in ("categories", "departments", "overdue_departments"):
        _counted(form, press, name)
    _foot(form)


def _supervision(form: Form, press: Press) -> None:
    _title(form, press, values.SUPERVISION)
    form.add_paragraph(press.say("paper.label.addressee", department="{{ department }}"))
    form.add_paragraph(press.say("paper.label.opening")).paragraph_format.first_line_indent = Cm(1)
    names = ("issue", "category", "matter", "place", "reported_at", "due_at")
    _facts(form, press, {name: name for name in names})
    form.add_paragraph("{{ demand }}").paragraph_format.first_line_indent = Cm(1)
    form.add_paragraph(press.say("paper.label.answer_by", day="{{ answer_by }}"))
    form.add_paragraph("{{ signed_by }}").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _foot(form)


def _minutes(form: Form, press: Press) -> None:
    _title(form, press, values.MINUTES)
    form.add_paragraph("{{ title }}").alignment = WD_ALIGN_PARAGRAPH.CENTER
    between = ", " if press.locale == "en" else "、"
    names = {"held_at": "held_at", "held_where": "place", "chair": "chair", "present": f"present|join('{between}')",
             "absent": f"absent|join('{between}') or '—'", "issues": f"issues|join('{between}')", "lead": "lead",
             "deadline": "deadline", "document": "document"}  # fmt: skip
    _facts(form, press, names)
    form.add_paragraph(press.say("paper.label.matter"))
    form.add_paragraph("{{ matter }}").paragraph_format.first_line_indent = Cm(1)
    form.add_paragraph(press.say("paper.label.opinions"))
    _listed(form, "opinions", "{{ each[0] }}：{{ each[1] }}")
    form.add_paragraph(press.say("paper.label.decisions"))
    _listed(form, "decisions", "{{ loop.index }}. {{ each }}")
    form.add_paragraph(press.say("paper.label.taken_by", by="{{ taken_by }}"))
    _foot(form)


_FORMS: Mapping[str, Callable[[Form, Press], None]] = {
    values.DAILY: _daily, values.SUPERVISION: _supervision, values.MINUTES: _minutes,
}  # fmt: skip
