"""The token's file."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from image_search_service.core.access_token import bearer_headers, read_or_create_token, read_token
from image_search_service.core.errors import InvalidInputError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask is; afterwards it stays the same."""
    path = tmp_path / "new" / "token"
    former = os.umask(0)
    try:
        token = read_or_create_token(path)
    finally:
        os.umask(former)
    assert len(token) == 43
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    assert read_or_create_token(path) == read_token(path) == token
    assert [each.name for each in path.parent.iterdir()] == ["token"]


def test_whoever_makes_it_at_once_has_the_same(tmp_path: Path) -> None:
    """Several services of one library start together."""
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: read_or_create_token(tmp_path / "token"), range(64)))
    assert len(tokens) == 1


@pytest.mark.parametrize("text", ["", "short", "with spaces in it, and a comma", "ä" * 30, "a" * 30 + "\nb"])
def test_a_file_that_holds_none_is_refused(tmp_path: Path, text: str) -> None:
    """Half a token, or one that fits into no address, is not used; it is said what to do."""
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError) as refused:
        read_or_create_token(tmp_path / "token")
    assert "Delete the file" in str(refused.value.hint)


def test_commands_send_it(tmp_path: Path) -> None:
    """Where there is one."""
    assert bearer_headers(tmp_path / "token") == {}
    token = read_or_create_token(tmp_path / "token")
    assert bearer_headers(tmp_path / "token") == {"Authorization": f"Bearer {token}"}
