"""gis explain: whose an issue is, and the whole reasoning."""

from __future__ import annotations

import json

import click

from gis import language
from gis.cli import context
from gis.issues import explain as reasoning
from gis.issues.jurisdiction import Ground


@click.command()
@click.argument("issue")
@click.option("--lang", type=click.Choice(language.LOCALES), help="Language; the installation's if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as it is kept.")
def explain(issue: str, lang: str | None, as_json: bool) -> None:
    """Tell why ISSUE was decided as it was, and who is called."""
    with context.cli_session() as session:
        told = reasoning.get(session, issue)
    locale = lang or context.locale()
    if as_json:
        click.echo(json.dumps(told.decision.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([*_head(told, locale), "", *_reasons(told, locale)]))


def _head(told: reasoning.Explanation, locale: str) -> list[str]:
    lead = next((_name(party, locale) for party in told.parties if party.role == "lead"), "—")
    basis = language.say(f"basis.{told.decision.basis}", locale)
    head = language.say("explain.head", locale, issue=told.issue, lead=lead, basis=basis)
    return [head, *(_party(party, locale) for party in told.parties)]


def _party(party: reasoning.PartyLine, locale: str) -> str:
    return "  " + language.say(
        "explain.party",
        locale,
        role=language.say(f"explain.role.{party.role}", locale),
        name=_name(party, locale),
        why=language.say(party.why, locale),
        ground=reasoning.BETWEEN[locale].join(_called(ground, locale) for ground in party.grounds),
    )


def _name(party: reasoning.PartyLine, locale: str) -> str:
    return party.name_en if locale == "en" and party.name_en else party.name_zh


def _called(ground: Ground, locale: str) -> str:
    return ground.name_en if locale == "en" and ground.name_en else ground.name


def _reasons(told: reasoning.Explanation, locale: str) -> list[str]:
    sentences = reasoning.sentences(told.decision, locale)
    return [f"{number:2}. {sentence}" for number, sentence in enumerate(sentences, start=1)]
