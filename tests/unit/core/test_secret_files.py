"""Secrets may be read from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.config import SECRETS, Settings
from image_search_service.core.errors import InvalidInputError

EXAMPLES = {
    "database_url": "postgresql+psycopg://user:sesame@host/database",
    "qdrant_api_key": "sesame",
    "redis_url": "redis://:sesame@host:6379/0",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_comes_from_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """White space around it is not part of it."""
    secret = EXAMPLES[name]
    (tmp_path / "secret").write_text(f"  {secret}\n")
    monkeypatch.setenv(f"IMAGE_SEARCH_{name.upper()}_FILE", str(tmp_path / "secret"))
    assert getattr(Settings(), name) == secret
    given: dict[str, Any] = {name: secret.replace("sesame", "given")}
    assert getattr(Settings(**given), name) == given[name]


def test_what_contradicts_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is given twice, and a file that is not there, are named."""
    monkeypatch.setenv("IMAGE_SEARCH_REDIS_URL_FILE", str(tmp_path / "nothing"))
    with pytest.raises(InvalidInputError, match=r"IMAGE_SEARCH_REDIS_URL_FILE names .*nothing"):
        Settings()
    monkeypatch.setenv("IMAGE_SEARCH_REDIS_URL", "redis://here")
    with pytest.raises(InvalidInputError, match="both set"):
        Settings()
