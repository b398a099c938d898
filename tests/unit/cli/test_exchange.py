"""What `export` and `import` say when something is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from image_search_service.cli.app import app


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--library", str(folder / "library")])


@pytest.mark.parametrize("file", ["not/there/people.jsonl", "file/people.jsonl"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, file: str) -> None:
    """The error names the file and says what to do, and is no unexpected one."""
    (tmp_path / "file").touch()
    result = run(tmp_path, "export", str(tmp_path / file))
    assert result.exit_code == 1
    assert "people.jsonl cannot be written" in result.stderr
    assert "Unexpected" not in result.stderr


def test_an_export_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was left of one that was killed is not in the way, and nothing is left beside the file."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "people.jsonl.part").write_text("half")
    assert run(tmp_path, "export", str(tmp_path / "out" / "people.jsonl")).exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["people.jsonl"]
    assert run(tmp_path, "export", str(tmp_path / "out" / "people.jsonl")).exit_code == 2


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    """A file that an editor has saved with one is read up to what is really wrong."""
    run(tmp_path, "export", str(tmp_path / "people.jsonl"))
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "people.jsonl").read_bytes())
    result = run(tmp_path, "import", str(marked))
    assert (result.exit_code, "no faces yet" in result.stderr) == (1, True)


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    """Somebody who names the wrong file is told so."""
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    result = run(tmp_path, "import", str(tmp_path / "photo.jpg"))
    assert (result.exit_code, "not text in UTF-8" in result.stderr) == (2, True)
