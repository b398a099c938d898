"""``image-search token``."""

from __future__ import annotations

import pytest

from image_search_service.core.access_token import digest_of
from tests.unit.cli.conftest import Run


def test_a_token_is_shown_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding prints it, with the address of a browser where that is known; the list never has it."""
    assert run("token", "list", json_=False)[1].startswith("Nobody")
    code, made, _ = run("token", "add", "Ada Lovelace")
    assert (code, made["name"], made["may_name_others"], made["address"]) == (0, "Ada Lovelace", False, None)
    assert len(digest_of(made["token"])) == 32
    monkeypatch.setenv("IMAGE_SEARCH_PUBLIC_URL", "https://photos.example.org/people")
    code, shown, _ = run("token", "add", "proxy", "--may-name-others", json_=False)
    assert code == 0
    assert "https://photos.example.org/people/?token=" in shown
    code, listed, _ = run("token", "list", json_=False)
    assert (code, made["token"] in listed) == (0, False)
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["Ada", "proxy"]
    assert [each["may_name_others"] for each in run("token", "list")[1]["tokens"]] == [False, True]


def test_a_name_has_one_token(run: Run) -> None:
    """A second one, and removing one that is not there, are refused with what to do."""
    code, document, _ = run("token", "add", "ada lovelace")
    assert (code, document["error"]["type"]) == (1, "ConflictError")
    assert run("token", "remove", "ADA LOVELACE")[1]["removed"]["name"] == "Ada Lovelace"
    code, document, _ = run("token", "remove", "Ada Lovelace")
    assert (code, document["error"]["type"]) == (1, "NotFoundError")
    assert run("token", "add", "\x1b")[0] == 2
