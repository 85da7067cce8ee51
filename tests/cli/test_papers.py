"""gis papers: forms that a city makes its own."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from docx import Document

from gis.cli.papers import papers
from gis.issues.papers import values


def test_a_form_of_each_kind_is_written_in_both_languages(tmp_path: Path) -> None:
    assert CliRunner().invoke(papers, ["forms", str(tmp_path)]).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{kind}.{locale}.docx" for kind in values.KINDS for locale in ("zh", "en")
    }
    assert "{{ number }}" in "\n".join(each.text for each in Document(str(tmp_path / "daily.zh.docx")).paragraphs)


def test_a_form_a_city_changed_stays(tmp_path: Path) -> None:
    (tmp_path / "daily.zh.docx").write_text("ours")
    CliRunner().invoke(papers, ["forms", str(tmp_path)])
    assert (tmp_path / "daily.zh.docx").read_text() == "ours"
