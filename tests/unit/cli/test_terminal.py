"""What files, people and engines are called cannot steer the terminal of whoever runs a command."""

from __future__ import annotations

import io
import logging
import re
import shutil
import sys
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Executable, insert, update
from typer.testing import CliRunner

from image_search_service.cli.app import app, main
from image_search_service.cli.progress_bar import progress_bar
from image_search_service.core.printable import make_output_printable
from image_search_service.db.models import LibraryRow, PersonRow
from image_search_service.db.session import Database, sqlite_url

ORDERS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What no output may hold; ends of lines are seen to by ``FORGED``."""
FORGED = "Error: all is lost"
"""What a name says behind an end of a line: no line of the output may begin so."""
EVIL = f"\x1b[2J\x9b31m\u202e\u2067\x7f\n{FORGED}"
FAMILY = "👩\u200d👧"
"""A name whose joiner is part of it."""
PHOTOS = f"photos{EVIL}"

Say = Callable[..., str]
COMMANDS = (
    ("index", "--debug", PHOTOS),
    ("index", f"nowhere{EVIL}"),
    ("roots", "list"),
    ("roots", "remove", f"/nowhere{EVIL}"),
    ("people",),
    ("rename", EVIL, "Ada"),
    ("photos", EVIL),
    ("faces", EVIL),
    ("gone", f"/nowhere{EVIL}"),
    ("forget",),
    ("history",),
    ("doctor",),
    ("jobs", "list"),
    ("info",),
    ("models", "check", EVIL),
    ("metadata", "read", "--debug"),
    ("token", "remove", EVIL),
    ("backup", f"/nowhere{EVIL}/file"),
    ("why", EVIL),
    ("undo", EVIL),
    (f"--{EVIL}",),
    (EVIL,),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Path:
    """Photos with such names, some of them broken, and a library of them with a person of such a name."""
    folder = tmp_path_factory.mktemp("names")
    photos = folder / PHOTOS
    photos.mkdir()
    good, other, *_ = sorted(drawn.rglob("*.jpg"))
    shutil.copy(good, photos / f"{EVIL}.jpg")
    shutil.copy(other, photos / f"{FAMILY}.jpg")
    (photos / f"broken{EVIL}{FAMILY}.jpg").write_bytes(good.read_bytes()[:900])
    (photos / "latin\udcff.jpg").touch()
    indexed = CliRunner().invoke(
        app, ["index", str(photos), "--engine", "synthetic", "--library", str(folder / "library")]
    )
    assert indexed.exit_code == 0, indexed.output
    change(folder, insert(PersonRow).values(id=uuid.uuid4(), name=EVIL, name_key="evil"))
    return folder


def change(folder: Path, statement: Executable) -> None:
    """What no command of ours would store."""
    database = Database(sqlite_url(folder / "library" / "library.sqlite3"))
    with database.write() as session:
        session.execute(statement)
    database.close()


@pytest.fixture
def say(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """All that a command says, on standard output and error, as its entry point runs it."""

    def run(*arguments: str) -> str:
        out, error = io.StringIO(), io.StringIO()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("IMAGE_SEARCH_LIBRARY", str(folder / "library"))
        monkeypatch.setenv("IMAGE_SEARCH_OFFLINE", "true")
        monkeypatch.setattr(sys, "argv", ["image-search", *arguments])
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", error)
        with pytest.raises(SystemExit):
            main()
        return out.getvalue() + error.getvalue()

    return run


def assert_harmless(text: str) -> None:
    assert text
    assert ORDERS.findall(text) == []
    assert [line for line in text.splitlines() if line.strip().startswith(FORGED)] == []


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_no_command_lets_a_name_steer_the_terminal(
    say: Say, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Tables, sentences, logs, documents and errors show such names as escapes, to people and programs."""
    assert_harmless(say(*command))
    monkeypatch.setenv("IMAGE_SEARCH_LOG_JSON", "true")
    assert_harmless(say(*command, "--json"))


def test_what_is_read_is_shown_and_what_belongs_to_a_name_stays(say: Say) -> None:
    """The test above would pass in silence: escapes are there, and a family is still one sign."""
    text = say("index", "--retry-failed")
    assert f"broken\\x1b[2J\\x9b31m\\u202e\\u2067\\x7f\\n{FORGED}{FAMILY}.jpg" in text
    assert "latin\\udcff.jpg" in text


def test_an_engines_name_is_foreign_too(say: Say, folder: Path) -> None:
    """Of a library that somebody else made."""
    change(folder, update(LibraryRow).values(engine_name=f"engine{EVIL}"))
    try:
        for command in (("info",), ("index", PHOTOS), ("engine",)):
            text = say(*command)
            assert_harmless(text)
            assert "engine\\x1b[2J" in text
    finally:
        change(folder, update(LibraryRow).values(engine_name="synthetic"))


def test_what_libraries_say_is_printable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their logs, Python's warnings and tracebacks go to the same terminal; lines stay lines."""
    error = io.StringIO()
    monkeypatch.setattr(sys, "stderr", error)
    make_output_printable()
    logger = logging.Logger("library")
    logger.addHandler(logging.StreamHandler())
    try:
        Path(f"nowhere{EVIL}").read_bytes()
    except OSError:
        logger.exception("cannot read %s", EVIL)
    sys.stderr.writelines([warnings.formatwarning(EVIL, UserWarning, EVIL, 1), "\n"])
    assert ORDERS.findall(error.getvalue()) == []
    assert "Traceback (most recent call last):\n" in error.getvalue()


def test_a_bar_is_drawn_without_orders_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real terminal colours and the bar's moves are ours, and what stands beside it is escaped."""
    drawn = io.StringIO()
    with progress_bar(Console(file=drawn, force_terminal=True, width=200), f"Bar {EVIL}", "photos") as tell:
        tell(1, 2)
    assert "Bar \\x1b[2J\\x9b31m\\u202e" in drawn.getvalue()
    assert not {"\x9b", "\u202e", "\x7f"} & set(drawn.getvalue())
    assert "\x1b[2J" not in drawn.getvalue()
