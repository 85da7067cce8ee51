"""Both languages say the same things, and nothing is left unsaid."""

import re
from collections import Counter

import pytest

from gis import language
from gis.errors import Invalid, Problems

PLACEHOLDER = re.compile(r"%\((\w+)\)")


def files(locale: str) -> dict[str, dict[str, str]]:
    return {path.name: language.read(path) for path in (language.TRANSLATIONS / locale).glob("*.po")}


def placeholders(sentence: str) -> set[str]:
    # What has a name in each language is called by each sentence in its own.
    return {re.sub("_(zh|en)$", "", name) for name in PLACEHOLDER.findall(sentence)}


def test_both_languages_have_the_same_files() -> None:
    assert set(files("zh")) == set(files("en")) != set()


@pytest.mark.parametrize("name", sorted(files("zh")))
def test_both_languages_have_the_same_codes(name: str) -> None:
    assert set(files("zh")[name]) == set(files("en")[name])


@pytest.mark.parametrize("name", sorted(files("zh")))
def test_a_sentence_has_the_same_placeholders_in_both_languages(name: str) -> None:
    chinese, english = files("zh")[name], files("en")[name]
    differing = {code for code in chinese if placeholders(chinese[code]) != placeholders(english.get(code, ""))}
    assert differing == set()


@pytest.mark.parametrize("locale", language.LOCALES)
def test_no_sentence_is_empty(locale: str) -> None:
    empty = [code for code, sentence in language.sentences(locale).items() if not sentence.strip()]
    assert empty == []


@pytest.mark.parametrize("locale", language.LOCALES)
def test_a_code_is_written_in_one_file_only(locale: str) -> None:
    times = Counter(code for codes in files(locale).values() for code in codes)
    assert [code for code, count in times.items() if count > 1] == []


@pytest.mark.parametrize("locale", language.LOCALES)
def test_every_sentence_can_be_rendered(locale: str) -> None:
    for code, sentence in language.sentences(locale).items():
        assert "%(" not in language.say(code, locale, **dict.fromkeys(placeholders(sentence), 1))


def test_a_code_without_a_sentence_is_shown_as_itself() -> None:
    assert language.say("no.such_code", "en", name="x") == "no.such_code"


def test_a_parameter_that_is_missing_stays_visible() -> None:
    assert "{name}" in language.say("settings.unknown", "en", source="here")


def test_a_percent_sign_in_a_sentence_is_only_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "sentences", lambda _: {"a": "95 %半径 %(percent)s%% %(share).1f"})
    assert language.say("a", "zh", percent=7, share=0.25) == "95 %半径 7% 0.2"


def test_a_parameter_may_be_called_code() -> None:
    assert str(Invalid("some.code", code="D01")) == "some.code(code='D01')"


def test_several_problems_are_told_line_by_line() -> None:
    both = Problems([Invalid("first.code"), Invalid("second.code")])
    assert language.explain(both, "en") == "first.code\nsecond.code"


def test_the_catalogue_holds_the_codes_of_its_prefix() -> None:
    assert all(code.startswith("settings.") for code in language.catalogue("en", "settings."))
    assert language.catalogue("en", "settings.")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [(["zh-CN"], "zh"), (["en-GB", "zh"], "en"), (["fr", "en"], "en"), (["fr"], "zh"), ([], "zh")],
)
def test_the_readers_language_is_chosen(accepted: list[str], chosen: str) -> None:
    assert language.choose(accepted) == chosen
