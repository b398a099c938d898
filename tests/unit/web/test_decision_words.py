"""The history has a sentence for every kind of decision."""

from __future__ import annotations

import re
from pathlib import Path

import image_search_service

PACKAGE = Path(image_search_service.__file__).parent
RECORDED = re.compile(
    r'(?:_decide\(\s*session, |DecisionDraft\(\s*|^FROM_METADATA = |^UNDO = )"(\w+)"', re.MULTILINE
)
CHOSEN = re.compile(r'kind = "(\w+)" if \w+ else "(\w+)"')


def test_every_kind_has_a_sentence() -> None:
    """A kind that services record is a key of the page's sentences."""
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("services", "db")
        for path in (PACKAGE / folder).rglob("*.py")
    ]
    kinds = {kind for text in sources for kind in RECORDED.findall(text)}
    kinds |= {kind for text in sources for pair in CHOSEN.findall(text) for kind in pair}
    module = (PACKAGE / "web" / "static" / "history-list.js").read_text(encoding="utf-8")
    sentences = module.split("const SENTENCES = {")[1].split("\n};")[0]
    assert kinds - set(re.findall(r"(\w+): (?:\"|\()", sentences)) == set()
