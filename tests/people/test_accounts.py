"""Accounts: passwords are never kept, guessing is slowed, posts make a scope, keys are seen once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound, TooMany
from gis.people import accounts
from gis.people.accounts import FREE_PER_ADDRESS, FREE_PER_USERNAME, Newcomer
from gis.people.tables import Account, Token

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
TODAY = date(2026, 6, 1)
PASSWORD = "correct horse"
GRID = ("governance", "grid", "990101001001001")


def opened(session: Session, username: str = "li", role: str = "operator") -> Account:
    return accounts.add(session, Newcomer(username, PASSWORD, "李强", role), now=NOW)


def attempt(session: Session, password: str, at: datetime = NOW, **more: str) -> Account | None:
    said = {"username": "li", "address": "10.0.0.1"} | more
    return accounts.verify(session, said["username"], password, address=said["address"], now=at)


def fail(session: Session, times: int, at: datetime = NOW, **more: str) -> None:
    for _ in range(times):
        assert attempt(session, "wrong", at, **more) is None


def test_the_right_password_opens(session: Session) -> None:
    account = opened(session)
    assert attempt(session, PASSWORD) is account


def test_a_wrong_password_does_not_open(session: Session) -> None:
    opened(session)
    assert attempt(session, "correct horsE") is None


def test_an_unknown_name_does_not_open(session: Session) -> None:
    assert attempt(session, PASSWORD, username="nobody") is None


def test_a_closed_account_does_not_open(session: Session) -> None:
    opened(session).active = False
    assert attempt(session, PASSWORD) is None


def test_closing_an_account_keeps_its_row_and_its_date(session: Session) -> None:
    account = opened(session)
    accounts.close(session, account.username, now=NOW)
    assert attempt(session, PASSWORD) is None
    assert accounts.get(session, account.username).closed_at == NOW


def test_an_account_is_closed_once(session: Session) -> None:
    account = opened(session)
    accounts.close(session, account.username, now=NOW)
    with pytest.raises(Conflict, match=r"account\.closed_already"):
        accounts.close(session, account.username, now=NOW)


def test_the_application_may_not_delete_an_account(session: Session) -> None:
    opened(session)
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("DELETE FROM account"))


def test_the_password_is_not_in_the_database(session: Session) -> None:
    assert PASSWORD not in opened(session).password_hash
    assert opened(session, "b").password_hash != opened(session, "c").password_hash


def test_a_short_password_is_refused(session: Session) -> None:
    with pytest.raises(Invalid, match=r"account\.short_password"):
        accounts.add(session, Newcomer("li", "123456789", "Li", "operator"), now=NOW)


def test_an_unknown_role_is_refused(session: Session) -> None:
    with pytest.raises(Invalid, match=r"account\.unknown_role"):
        accounts.add(session, Newcomer("li", PASSWORD, "Li", "king"), now=NOW)


def test_a_name_is_given_once(session: Session) -> None:
    opened(session)
    with pytest.raises(Conflict, match=r"account\.exists"):
        opened(session)


def test_mistyping_a_few_times_costs_nothing(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME)
    assert attempt(session, PASSWORD)


def test_guessing_has_to_wait(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME + 1)
    with pytest.raises(TooMany) as refused:
        attempt(session, PASSWORD)
    assert refused.value.params["retry_after_s"] == 2


def test_each_failure_doubles_the_wait(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME + 1)
    later = NOW + timedelta(seconds=2)
    fail(session, 1, later)
    with pytest.raises(TooMany) as refused:
        attempt(session, PASSWORD, later + timedelta(seconds=1))
    assert refused.value.params["retry_after_s"] == 3


def test_a_refused_attempt_is_no_further_failure(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME + 1)
    for _ in range(3):
        with pytest.raises(TooMany):
            attempt(session, "wrong")
    assert attempt(session, PASSWORD, NOW + timedelta(seconds=2))


def test_success_clears_a_names_failures(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME)
    attempt(session, PASSWORD, NOW + timedelta(seconds=1))
    fail(session, FREE_PER_USERNAME, NOW + timedelta(seconds=2))
    assert attempt(session, PASSWORD, NOW + timedelta(seconds=3))


def test_an_hour_later_failures_are_forgotten(session: Session) -> None:
    opened(session)
    fail(session, FREE_PER_USERNAME + 1)
    assert attempt(session, PASSWORD, NOW + timedelta(hours=1, seconds=1))


def test_one_address_cannot_try_every_name(session: Session) -> None:
    opened(session)
    for n in range(FREE_PER_ADDRESS + 1):
        fail(session, 1, username=f"name{n}")
    with pytest.raises(TooMany):
        attempt(session, PASSWORD)
    assert attempt(session, PASSWORD, address="10.0.0.2")


def test_own_success_does_not_let_an_address_guess_on(session: Session) -> None:
    opened(session)
    for n in range(FREE_PER_ADDRESS):
        fail(session, 1, username=f"name{n}")
    attempt(session, PASSWORD)
    fail(session, 1, username="another")
    with pytest.raises(TooMany):
        attempt(session, PASSWORD)


@pytest.mark.parametrize("role", ["operator", "planner", "administrator"])
def test_all_but_leaders_see_everything(session: Session, role: str) -> None:
    assert accounts.scope_of(session, opened(session, role=role), TODAY).ground == "*"


def test_a_leader_sees_the_units_of_the_own_posts(session: Session) -> None:
    leader = opened(session, role="leader")
    accounts.give_post(session, "li", GRID, start=date(2026, 1, 1))
    assert accounts.scope_of(session, leader, TODAY).ground == "governance:grid:990101001001001"


def test_a_leader_without_a_post_sees_nothing(session: Session) -> None:
    assert accounts.scope_of(session, opened(session, role="leader"), TODAY).ground == ""


@pytest.mark.parametrize(("on", "held"), [(date(2026, 5, 31), False), (TODAY, True), (date(2026, 6, 30), False)])
def test_a_post_counts_from_its_first_day_to_before_its_last(session: Session, on: date, held: bool) -> None:
    leader = opened(session, role="leader")
    accounts.give_post(session, "li", GRID, start=TODAY)
    accounts.end_post(session, "li", GRID, end=date(2026, 6, 30))
    assert bool(accounts.scope_of(session, leader, on).units) is held


def test_ending_a_post_nobody_holds_is_told(session: Session) -> None:
    opened(session, role="leader")
    with pytest.raises(NotFound, match=r"account\.no_post"):
        accounts.end_post(session, "li", GRID, end=TODAY)


def test_a_key_opens_and_only_its_hash_is_kept(session: Session) -> None:
    opened(session)
    key = accounts.issue_token(session, "li", "importer", now=NOW)
    who = accounts.of_token(session, key, on=TODAY)
    assert who is not None
    assert who.username == "li"
    assert key not in session.scalars(select(Token.sha256)).all()


def test_a_revoked_key_opens_nothing(session: Session) -> None:
    opened(session)
    key = accounts.issue_token(session, "li", "importer", now=NOW)
    accounts.revoke_token(session, "li", "importer", now=NOW)
    assert accounts.of_token(session, key, on=TODAY) is None


def test_a_key_of_a_closed_account_opens_nothing(session: Session) -> None:
    account = opened(session)
    key = accounts.issue_token(session, "li", "importer", now=NOW)
    account.active = False
    session.flush()
    assert accounts.of_token(session, key, on=TODAY) is None


def test_a_new_password_changes_the_stamp_of_sessions(session: Session) -> None:
    account = opened(session)
    before = accounts.who(session, account, TODAY).stamp
    accounts.set_password(session, "li", "another long one")
    assert accounts.who(session, account, TODAY).stamp != before
