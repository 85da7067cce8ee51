"""Address text brought to one form: width, case of marks, spaces, Chinese numerals."""

import re
import unicodedata

_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALE = {"十": 10, "百": 100, "千": 1000}
NUMERAL = "零〇一二三四五六七八九十百千两"

# Marks that people type for one another. The hyphen is the one mark that means something inside a number.
_MARKS = str.maketrans(
    {
        "—": "-",
        "–": "-",
        "−": "-",
        "―": "-",
        "‐": "-",
        "‑": "-",
        "－": "-",
        "﹣": "-",
        "_": "-",
        "~": "-",
        "～": "-",
        "至": "至",
        "﹟": "#",
        "×": "x",
        "，": ",",
        "。": ".",
        "；": ";",
        "：": ":",
        "！": "!",
        "？": "?",
        "（": "(",
        "）": ")",
        "【": "(",
        "】": ")",
        "「": "(",
        "」": ")",
    }
)
_SLIPS = (
    (re.compile(r"(?<=\d)[撞憧懂瞳橦]"), "幢"),
    (re.compile(r"(?<=\d)拣(?!\w)"), "栋"),
    (re.compile(r"(?<=\d)好(?=\d|楼|$)"), "号"),
    (re.compile(r"(?<=\d)号搂"), "号楼"),
    (re.compile(r"(?<=\d)单无"), "单元"),
    (re.compile("[笫苐]"), "第"),
    (re.compile("-{2,}"), "-"),
)
_BETWEEN_WORDS = re.compile(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])")


def text(raw: str) -> str:
    """Return `raw` with one width, one set of marks, and spaces only between Latin words or numbers."""
    plain = unicodedata.normalize("NFKC", raw).translate(_MARKS)
    plain = _BETWEEN_WORDS.sub("", plain) if _is_chinese(plain) else " ".join(plain.split())
    for slip, meant in _SLIPS:
        plain = slip.sub(meant, plain)
    return plain


def _is_chinese(plain: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in plain)


def is_chinese(plain: str) -> bool:
    """Return whether the text holds at least one Chinese character."""
    return _is_chinese(plain)


def numeral(word: str) -> int | None:
    """Return the value of a Chinese numeral (二百四十八, 一零三, 两) or None when it is none."""
    if not word or any(c not in NUMERAL for c in word):
        return None
    if not any(c in _SCALE for c in word):
        return int("".join(str(_DIGIT[c]) for c in word))
    total = unit = 0
    for c in word:
        if c in _SCALE:
            total += (unit or 1) * _SCALE[c]
            unit = 0
        else:
            unit = _DIGIT[c]
    return total + unit


def digits(word: str) -> str:
    """Return `word` with its Chinese numerals written in Arabic digits, upper-case Latin letters."""
    found = re.sub(f"[{NUMERAL}]+", lambda m: str(numeral(m[0])), word)
    return found.upper()
