"""People are let in by tokens of their own, and what they decide is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from image_search_service.api.routes import events
from image_search_service.core.access_token import bearer_headers, command_headers, digest_of, read_token
from image_search_service.db.models import AccessToken, utc_now
from image_search_service.services.access_tokens import AccessTokenService
from tests.support.round_trips import round_trips
from tests.support.served import Served, served
from tests.support.world import World

PAGE = {"Accept": "text/html"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Served]:
    """An API that asks for a token; its client has none."""
    with served(tmp_path / "library", run_jobs=False, require_token=True) as opened:
        opened.client.follow_redirects = False
        yield opened


def ask(guarded: Served, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    return guarded.client.request(method, f"/api/v1{path}", json=body, headers=headers)


def as_command(guarded: Served, path: str, body: Any) -> Any:
    return ask(guarded, "POST", path, command_headers(guarded.library.paths), body)


def give(guarded: Served, name: str, **more: Any) -> dict[str, str]:
    """The headers of somebody who is given a token."""
    answer = as_command(guarded, "/tokens", {"name": name, **more})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def put_face(guarded: Served) -> str:
    """The id of a face in the one photo that every library of these tests may have."""
    with guarded.library.database.write() as session:
        world = World(session)
        photo = world.photo("/photos/1.jpg")
        photo.content_hash = "0" * 64
        return str(world.face(photo).id)


def actor_of(guarded: Served, headers: dict[str, str], person: str) -> str:
    """Who is recorded to have made a person, by a request with these headers."""
    made = ask(guarded, "POST", "/decisions/create-person", headers, {"name": person})
    assert made.status_code == 200, made.text
    newest = ask(guarded, "GET", "/decisions?limit=1", headers).json()["items"][0]
    return str(newest["actor"])


def test_decisions_are_those_of_the_tokens_holder(guarded: Served) -> None:
    """Whatever name a request says, it decides as its token's holder, unless that token may name others."""
    own = bearer_headers(guarded.library.paths.token)
    ada, proxy = give(guarded, " Ada  Lovelace "), give(guarded, "proxy", may_name_others=True)
    said = {"X-Actor": "Zo%C3%AB"}
    assert actor_of(guarded, ada, "A") == "Ada Lovelace"
    assert actor_of(guarded, ada | said, "B") == "Ada Lovelace"
    assert actor_of(guarded, proxy, "C") == "proxy"
    assert actor_of(guarded, proxy | said, "D") == "Zoë"
    assert actor_of(guarded, own, "E") == "api"
    assert actor_of(guarded, own | said, "F") == "Zoë"
    listed = ask(guarded, "GET", "/decisions/actors", ada).json()["actors"]
    assert {each["actor"]: each["decisions"] for each in listed} == {
        "Ada Lovelace": 2, "proxy": 1, "Zoë": 2, "api": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("may_name_others", "actor"), [(False, "Ada"), (True, "api")])
def test_what_is_imported_is_decided_by_whoever_imports_it(
    guarded: Served, tmp_path: Path, may_name_others: bool, actor: str
) -> None:
    """A file that says who decided is believed only from those who may name others."""
    own = bearer_headers(guarded.library.paths.token)
    body = {"face_ids": [put_face(guarded)], "name": "Grace"}
    made = ask(guarded, "POST", "/decisions/split", own, body)
    assert made.status_code == 200, made.text
    exported = ask(guarded, "GET", "/export", own).content
    with served(tmp_path / "other", run_jobs=False, require_token=True) as other:
        put_face(other)
        ada = give(other, "Ada", may_name_others=may_name_others)
        done = other.client.post("/api/v1/import", content=exported, headers=ada)
        assert (done.status_code, done.json()["matched"]) == (200, 1), done.text
        listed = ask(other, "GET", "/decisions/actors", ada).json()["actors"]
        assert [each["actor"] for each in listed] == [actor]


def test_only_a_tokens_hash_is_kept(guarded: Served) -> None:
    """The answer that makes a token is the only place where it stands."""
    token = give(guarded, "Ada")["Authorization"].removeprefix("Bearer ")
    with guarded.library.database.read() as session:
        (row,) = session.scalars(select(AccessToken))
    assert row.digest == digest_of(token)
    listed = ask(guarded, "GET", "/tokens", command_headers(guarded.library.paths))
    assert token not in listed.text
    assert [each["name"] for each in listed.json()["tokens"]] == ["Ada"]


def test_a_removed_token_lets_nobody_in(guarded: Served) -> None:
    """It takes effect with the next request, for programs and browsers; the name may be given anew."""
    ada = give(guarded, "Ada")
    token = ada["Authorization"].removeprefix("Bearer ")
    assert as_command(guarded, "/tokens", {"name": "ADA"}).status_code == 409
    answer = guarded.client.get(f"/people?token={token}", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert ask(guarded, "GET", "/persons", {}).status_code == 200  # by the cookie
    assert as_command(guarded, "/tokens/remove", {"name": "ada"}).json()["name"] == "Ada"
    assert ask(guarded, "GET", "/persons", {}).status_code == 401
    assert ask(guarded, "GET", "/persons", ada).status_code == 401
    assert guarded.client.get("/people", headers=PAGE).status_code == 401
    assert as_command(guarded, "/tokens/remove", {"name": "ada"}).status_code == 404
    assert give(guarded, "Ada") != ada


def test_a_browser_is_whoever_came_last(guarded: Served) -> None:
    """A link with another token makes the browser that person's, also in place of the owner."""
    own = read_token(guarded.library.paths.token)
    guarded.client.get(f"/?token={own}", headers=PAGE)
    assert actor_of(guarded, {"X-Actor": "owner"}, "A") == "owner"
    guarded.client.get(f"/?token={give(guarded, 'Ada')['Authorization'][7:]}", headers=PAGE)
    assert actor_of(guarded, {"X-Actor": "owner"}, "B") == "Ada"
    assert len(guarded.client.cookies) == 1
    page = guarded.client.get("/settings", headers=PAGE).text
    assert 'value="Ada" disabled' in page


def test_tokens_are_given_by_commands_alone(guarded: Served) -> None:
    """Neither the library's own token nor anybody else's gives out, lists or removes one: the key does."""
    for headers in (bearer_headers(guarded.library.paths.token), give(guarded, "Ada", may_name_others=True)):
        for method, path in (("GET", "/tokens"), ("POST", "/tokens"), ("POST", "/tokens/remove")):
            answer = ask(guarded, method, path, headers, {"name": "Eve"} if method == "POST" else None)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:image-search:key-needed")


@pytest.mark.parametrize("name", ["", "\u200b", "\x1b", "x" * 129])
def test_a_token_has_a_name_that_can_be_seen(guarded: Served, name: str) -> None:
    """What would be recorded as who decides is checked before the token is made."""
    assert as_command(guarded, "/tokens", {"name": name}).status_code == 422


def test_the_day_of_its_use_is_noted_once(guarded: Served) -> None:
    """A day's first request writes it, further ones read."""
    ada, today = give(guarded, "Ada"), utc_now().date()
    tokens = AccessTokenService(guarded.library.database)
    assert tokens.tokens()[0].last_used is None
    for _ in range(2):
        ask(guarded, "GET", "/persons", ada)
        assert tokens.tokens()[0].last_used in (today, today + timedelta(days=1))
    with guarded.library.database.write() as session:
        session.execute(update(AccessToken).values(last_used=today - timedelta(days=9)))
    ask(guarded, "GET", "/persons", ada)
    assert tokens.tokens()[0].last_used in (today, today + timedelta(days=1))


def test_a_stream_ends_with_its_token(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being watched is watched no longer once the token is removed."""
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    ada = give(guarded, "Ada")
    with guarded.client.stream("GET", "/api/v1/events", headers=ada) as stream:
        lines = stream.iter_lines()
        assert next(lines)
        AccessTokenService(guarded.library.database).remove("Ada")
        for _ in lines:
            pass  # to its end


@pytest.mark.parametrize(
    ("sent", "statements"), [("x", 0), ("a b" * 10, 0), ("é" * 30, 0), ("x" * 201, 0), ("x" * 43, 1)]
)
def test_what_is_no_token_is_not_looked_up(guarded: Served, sent: str, statements: int) -> None:
    """Only what has a token's form costs a statement."""
    headers = {b"Authorization": f"Bearer {sent}".encode("latin-1")}
    with round_trips(guarded.library.database.engine) as trips:
        assert guarded.client.get("/api/v1/persons", headers=headers).status_code == 401
    assert len([each for each in trips.sql if each.startswith("SELECT")]) == statements
