"""Tokens of people, on every database."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.db.queries import access_tokens as queries
from image_search_service.db.session import Database
from image_search_service.services.access_tokens import AccessTokenService
from tests.support.databases import DATABASES, open_database


@pytest.mark.parametrize("name", DATABASES)
def test_a_token_counts_until_it_is_removed_anywhere(name: str, tmp_path: Path) -> None:
    """Another process's service, which has just let it in, lets it in no more."""
    with open_database(name, tmp_path) as database:
        other = Database(database.url)
        here, there = AccessTokenService(database), AccessTokenService(other)
        record, token = here.add("Ada", may_name_others=True)
        caller = there.caller(token)
        assert caller is not None
        assert (caller.name, caller.may_name_others, token in repr(caller)) == ("Ada", True, False)
        assert there.caller(token + "x") is None
        assert [each.name for each in here.tokens()] == [record.name]
        assert here.remove("ADA").last_used is not None
        assert there.caller(token) is None
        with pytest.raises(NotFoundError):
            there.remove("Ada")
        other.close()


@pytest.mark.parametrize("name", DATABASES)
def test_two_who_add_the_same_name_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told so, also if it looked before the first was done."""
    with open_database(name, tmp_path) as database:
        tokens = AccessTokenService(database)
        tokens.add("Zoë")
        with pytest.raises(ConflictError, match="has a token already"):
            tokens.add("ZOË")
        monkeypatch.setattr(queries, "has_token", lambda *_: False)
        with pytest.raises(ConflictError):
            tokens.add("zoë")
        assert len(tokens.tokens()) == 1


def test_that_its_use_cannot_be_noted_keeps_nobody_out(tmp_path: Path) -> None:
    """A database that can only be read lets in whom it knows."""
    with open_database("sqlite", tmp_path) as database:
        tokens = AccessTokenService(database)
        _, token = tokens.add("Ada")
        with database.write() as session:
            session.connection().exec_driver_sql("PRAGMA query_only=ON")
        assert tokens.caller(token) is not None
        assert tokens.tokens()[0].last_used is None
