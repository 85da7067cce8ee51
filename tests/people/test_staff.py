"""The accounts as an administrator reads and changes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from gis.people import accounts, staff
from gis.people.accounts import Newcomer

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
TODAY = date(2026, 5, 1)
PASSWORD = "a long password"


@pytest.fixture
def people(session: Session) -> Session:
    session.execute(
        text("INSERT INTO department (code, kind, name_zh, name_en) VALUES ('cg', 'CG', '城管局', 'Urban management')")
    )
    for username, role in (("li", "leader"), ("wang", "operator")):
        accounts.add(session, Newcomer(username, PASSWORD, f"{username} name", role), now=NOW)
    accounts.give_post(session, "li", ("governance", "grid", "1"), start=TODAY)
    return session


def names(found: list[staff.Listed]) -> list[str]:
    return [each.username for each in found]


def test_everybody_is_listed_with_posts_of_today(people: Session) -> None:
    [li, wang] = staff.find(people, on=TODAY)
    assert (li.username, li.posts, wang.username, wang.posts) == ("li", ("governance:grid:1",), "wang", ())


def test_a_post_that_ended_is_not_listed(people: Session) -> None:
    accounts.end_post(people, "li", ("governance", "grid", "1"), end=TODAY)
    assert staff.get(people, "li", on=TODAY).posts == ()


def test_the_ground_of_a_post_is_named_and_what_has_no_name_is_left_out(people: Session) -> None:
    river = people.scalar(
        text("""
        INSERT INTO responsibility_area (role, name, name_en, person, valid_from, geom)
        VALUES ('river_chief', '清河', '', '王', :today, ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326)) RETURNING id
        """),
        {"today": TODAY},
    )
    post = f"area:river_chief:{river}"
    assert staff.names_of(people, [post, "governance:grid:none"]) == {post: ("清河", "清河")}


@pytest.mark.parametrize(("words", "found"), [("li", ["li"]), ("OPER", ["wang"]), ("", ["li", "wang"]), ("%", [])])
def test_words_find_names_and_roles_and_are_no_pattern(people: Session, words: str, found: list[str]) -> None:
    assert (names(staff.find(people, words, on=TODAY)), staff.count(people, words)) == (found, len(found))


def test_the_last_sign_in_that_succeeded_is_told(people: Session) -> None:
    for at, password in ((NOW, PASSWORD), (NOW.replace(hour=9), "wrong")):
        accounts.verify(people, "wang", password, address="10.0.0.1", now=at)
    assert staff.get(people, "wang", on=TODAY).seen_at == NOW


def test_who_was_closed_stands_last_and_may_be_opened_again(people: Session) -> None:
    accounts.close(people, "li", now=NOW)
    assert names(staff.find(people, on=TODAY)) == ["wang", "li"]
    staff.reopen(people, "li")
    assert staff.get(people, "li", on=TODAY).active


def test_who_is_open_is_not_opened_again(people: Session) -> None:
    with pytest.raises(Conflict):
        staff.reopen(people, "li")


def test_another_role_holds_with_its_department(people: Session) -> None:
    staff.seat(people, "wang", "department", "cg")
    account = accounts.get(people, "wang")
    assert accounts.scope_of(people, account, TODAY).department == "cg"


@pytest.mark.parametrize(("role", "department"), [("king", None), ("department", None), ("department", "none")])
def test_a_role_that_is_none_or_lacks_its_department_is_refused(
    people: Session, role: str, department: str | None
) -> None:
    with pytest.raises(Invalid):
        staff.seat(people, "wang", role, department)


@pytest.mark.parametrize("change", [lambda s: staff.get(s, "x", on=TODAY), lambda s: staff.reopen(s, "x")])
def test_somebody_who_is_not_there_is_not_found(people: Session, change: object) -> None:
    with pytest.raises(NotFound):
        change(people)  # type: ignore[operator]


def test_a_drawn_password_is_long_enough_and_another_each_time() -> None:
    first, second = staff.draw_password(), staff.draw_password()
    assert first != second
    assert len(first) >= accounts.PASSWORD_MIN
