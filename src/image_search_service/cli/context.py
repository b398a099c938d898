"""What every command shares: its options, its settings, and the way in which it ends.

A command's body runs inside ``with command_context(...) as run``. An error of ours becomes a message that
says what is wrong and what to do, and exit code 2 for wrong use or 1 for anything else; a traceback is shown
only with ``--debug``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from image_search_service.cli.output import Output
from image_search_service.cli.system_errors import system_trouble
from image_search_service.core.errors import ImageSearchError, InvalidInputError
from image_search_service.core.logging import configure_logging, log_libraries_as_json

if TYPE_CHECKING:
    from image_search_service.core.config import Settings

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        envvar="IMAGE_SEARCH_LIBRARY",
        show_envvar=True,
        help="Folder of the library.  [default: the platform's data folder]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Print what happens, and tracebacks of errors.")]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Face engine; `image-search models list` shows them.",
    ),
]
RecognizerOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="ArcFace-style ONNX file for the engine onnx.")
]
DetectorOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="YuNet ONNX file instead of the downloaded one.")
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Memory that grouping may use, such as 500M or 2G.  [default: a quarter]"
    ),
]

FACE_IDS = "Face ids; `image-search faces` lists them."
"""Help of every argument that takes ids of faces."""

EXIT_FAILED = 1
EXIT_WRONG_USE = 2


@dataclass(frozen=True, slots=True)
class Running:
    """A command in progress."""

    settings: Settings
    out: Output


@contextmanager
def command_context(*, as_json: bool, debug: bool, **settings: Any) -> Iterator[Running]:
    """The frame of every command. ``settings`` that are None are left to the environment and the defaults."""
    configure_logging(debug=debug)
    out = Output(as_json=as_json)
    try:
        made = make_settings(settings)
        if made.log_json:
            configure_logging(debug=debug, as_json=True)
            log_libraries_as_json(debug=debug)
            out.log_as_json()
        yield Running(made, out)
    except ImageSearchError as error:
        _show_traceback(debug=debug)
        out.error(type(error).__name__, error.message, error.hint)
        wrong_use = isinstance(error, InvalidInputError)
        raise typer.Exit(EXIT_WRONG_USE if wrong_use else EXIT_FAILED) from None
    except KeyboardInterrupt:
        out.error(
            "Interrupted", "Interrupted.", "What was stored is kept; the same command goes on from there."
        )
        raise typer.Exit(EXIT_FAILED) from None
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the end of a command: whatever it is, its user gets a sentence
        _show_traceback(debug=debug)
        out.error(type(error).__name__, *(system_trouble(error) or _unexpected(error)))
        raise typer.Exit(EXIT_FAILED) from None


def _unexpected(error: Exception) -> tuple[str, str]:
    return (
        f"Unexpected error: {error}",
        "Run the same command with --debug and report what it prints; your photos were not touched.",
    )


def make_settings(given: dict[str, Any]) -> Settings:
    """Settings from the command line's values, then the environment, then the defaults."""
    from image_search_service.core.config import settings_from

    values = {name: value for name, value in given.items() if value is not None}
    if "memory" in values:
        values["memory"] = parse_size(values["memory"])
    for name in ("library", "recognizer", "detector"):
        if name in values:
            values[name] = real_path(Path(values[name]))
    return settings_from(values)


def real_path(path: Path) -> Path:
    """A path as the user meant it, by the one name that it has: links followed, ``~`` and ``..`` resolved."""
    return Path(os.path.realpath(path.expanduser()))  # of a circle of links the last one


def parse_size(text: str) -> int:
    """Bytes from ``500M``, ``2G``, ``2GiB`` or a number. Raises InvalidInputError."""
    units = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
    number = text.strip().upper().removesuffix("IB").removesuffix("B")
    unit = number[-1:] if number[-1:] in units else ""
    try:
        size = int(float(number.removesuffix(unit)) * units[unit])
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise InvalidInputError(f"{text!r} is no size.", hint="Write it as 500M or 2G.")
    return size


def _show_traceback(*, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()


def actor() -> str:
    """Who decides: the name of the user who runs the command."""
    import getpass

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container may run as a user without a name
        return "command line"
