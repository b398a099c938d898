"""What the documents say of the code is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "image_search_service"
DOCUMENTS = ("docs/architecture.md",)


def named_files(text: str) -> set[str]:
    """Python files that a text names between backticks."""
    return {name for name in re.findall(r"`([\w./-]+\.py)`", text) if "/" in name}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    """Every file that the document names, from the package's or the repository's folder, is there."""
    names = named_files((ROOT / document).read_text(encoding="utf-8"))
    assert len(names) > 10
    assert [name for name in sorted(names) if not ((PACKAGE / name).exists() or (ROOT / name).exists())] == []


def test_a_missing_file_is_noticed() -> None:
    """Names are found in running text and lists."""
    assert named_files("see `db/models.py`, `x.py` and\n- `services/a/b.py`: c") == {
        "db/models.py",
        "services/a/b.py",
    }
