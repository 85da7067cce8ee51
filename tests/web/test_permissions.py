"""Every door of the product, and who may go through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gis.people import accounts
from tests.web import desk, entrance
from tests.web.entrance import LETTERS, NAMED, SCREEN, VISITOR, doors, knock

office = entrance.office
people = entrance.people


def test_every_door_is_named_with_those_it_is_for(office: Flask) -> None:
    there = {
        f"{method} {rule.rule}"
        for rule in office.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == set(doors())


def test_every_role_has_its_letter() -> None:
    assert set(LETTERS.values()) == set(accounts.ROLES)


def entries() -> Iterator[Any]:
    """Pair every door with everybody: (door, who, may)."""
    for door, letters in doors().items():
        if "*" in letters:
            continue
        for letter, role in LETTERS.items():
            may = letter in letters or ("+" in letters and letter != SCREEN)
            yield pytest.param(door, NAMED.get(role, role), may, id=f"{role} {door}")


@pytest.mark.parametrize(("door", "who", "may"), list(entries()))
def test_who_may_go_through(people: dict[str, FlaskClient], door: str, who: str, may: bool) -> None:
    answer = knock(people[who], door)
    answer.close()
    assert answer.status_code < 500
    assert (answer.status_code != 403) == may
    assert answer.status_code != 401


@pytest.mark.parametrize("door", [door for door, letters in doors().items() if "*" not in letters])
def test_a_visitor_goes_through_none(people: dict[str, FlaskClient], door: str) -> None:
    answer = knock(people[VISITOR], door)
    if ">" in doors()[door]:
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize("door", [door for door, letters in doors().items() if "*" in letters])
def test_a_visitor_finds_the_open_doors_open(office: Flask, door: str) -> None:
    answer = knock(office.test_client(), door)
    # An empty form signs nobody in, nobody cannot sign out, and a link that was never given opens nothing.
    shut = {"POST /sign-in": {401}, "POST /sign-out": {401}}
    shut |= {"GET /answer/<token>": {404}, "POST /answer/<token>": {400, 404}}
    # So does an empty report; and a report to nobody's category.
    shut |= {"GET /public/report/where": {400}, "GET /public/report/write": {400}, "POST /public/report": {400}}
    shut |= {"POST /public/me-too": {400}, "GET /public/follow/<token>": {404}, "POST /public/follow/<token>": {404}}
    assert answer.status_code in shut.get(door, {200, 302})


@pytest.mark.parametrize("door", [door for door, letters in doors().items() if letters.startswith("*")])
def test_a_screen_finds_no_more_of_them_open_than_it_needs(office: Flask, door: str) -> None:
    answer = knock(desk.signed_in(office, desk.SCREEN), door)
    assert (answer.status_code == 403) == (SCREEN not in doors()[door])
