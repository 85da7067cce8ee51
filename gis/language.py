"""Codes become sentences: one .po file for each room and locale, msgid = code, msgstr with %(param)s."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import negotiate_locale
from babel.messages import pofile

from gis.errors import Name, Problems, ShaotuError, Word

LOCALES = ("zh", "en")
# %(name)s, %(name).1f, or %% for the sign itself; a lone % stays what it is
PLACEHOLDER = re.compile(r"%\((\w+)\)([-+ 0#]*\d*(?:\.\d+)?[a-z])|%%")
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def say(code: str, locale: str, /, **params: object) -> str:
    """Render the sentence of a code; a code without a sentence is shown as itself."""
    sentence = sentences(locale).get(code)
    return PLACEHOLDER.sub(lambda found: _filled(found, params), sentence) if sentence else code


def _filled(found: re.Match[str], params: Mapping[str, object]) -> str:
    """Fill one place; a parameter that is missing stays visible as {name}."""
    name, form = found.groups()
    if name is None:
        return "%"
    return f"%{form}" % params[name] if name in params else f"{{{name}}}"


def explain(error: ShaotuError, locale: str) -> str:
    """Render an error, one line for each problem it holds."""
    if isinstance(error, Problems):
        return "\n".join(explain(problem, locale) for problem in error.problems)
    return say(error.code, locale, **{name: _worded(value, locale) for name, value in error.params.items()})


def _worded(value: object, locale: str) -> object:
    """Say a parameter that is a code or a name in the reader's language."""
    if isinstance(value, Name):
        return value.en if locale == "en" else value.zh
    return say(value, locale) if isinstance(value, Word) else value


def catalogue(locale: str, prefix: str) -> dict[str, str]:
    """Collect the sentences whose code starts with the prefix, for scripts in the browser."""
    return {code: text for code, text in sentences(locale).items() if code.startswith(prefix)}


def choose(accepted: list[str], default: str = "zh") -> str:
    """Pick the reader's language from tags such as "zh-CN", best first."""
    tags = [tag.replace("-", "_").split("_")[0].lower() for tag in accepted]
    return negotiate_locale(tags, LOCALES) or default


@cache
def sentences(locale: str) -> Mapping[str, str]:
    """Read every sentence of a locale; the first file to name a code keeps it."""
    found: dict[str, str] = {}
    for path in sorted((TRANSLATIONS / locale).glob("*.po")):
        for code, sentence in read(path).items():
            found.setdefault(code, sentence)
    return found


def read(path: Path) -> dict[str, str]:
    """Read one .po file into code -> sentence."""
    with path.open("rb") as file:
        messages = pofile.read_po(file, abort_invalid=True)
    return {str(m.id): str(m.string) for m in messages if m.id}
