"""What a command prints cannot steer the terminal."""

from __future__ import annotations

import pytest

from image_search_service.cli.output import Output, table

EVIL = "[red]\x1b[2J\u202e\x9b"
SHOWN = "[red]\\x1b[2J\\u202e\\x9b"


def test_tables_sentences_and_errors_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever names they hold: escapes are shown, and nothing is taken for markup."""
    out = Output(as_json=False)
    out.result({}, table(f"Title {EVIL}", ("File",), [(f"Cell {EVIL}",)]), f"Sentence {EVIL}")
    out.note(f"Note {EVIL}")
    out.error("Kind", f"Message {EVIL}", f"Hint {EVIL}")
    with out.progress(f"Bar {EVIL}", "photos") as progress:
        progress(1, 2)
    said = "".join(capsys.readouterr())
    for what in ("Title", "Cell", "Sentence", "Note", "Message", "Hint"):
        assert f"{what} {SHOWN}" in said
    assert not {"\x1b", "\u202e", "\x9b"} & set(said)
