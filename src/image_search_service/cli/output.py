"""What a command prints: one result on standard output, everything else on standard error.

Rich is imported when something is printed in tables, its progress bars when somebody watches them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from image_search_service.core.logging import json_line
from image_search_service.core.printable import json_text, printable, terminal
from image_search_service.core.types import Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

PIPE_WIDTH = 1_000


class Output:
    """Tables and sentences for a human, or one line of JSON for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._log_json = False

    def log_as_json(self) -> None:
        """Write notes and errors as lines of a log for programs."""
        self._log_json = True

    @cached_property
    def _stdout(self) -> Console:
        return _console(stderr=False)

    @cached_property
    def _stderr(self) -> Console:
        return _console(stderr=True)

    def result(self, document: dict[str, Any], *shown: RenderableType) -> None:
        """The command's result: ``document`` with ``--json``, else ``shown``."""
        if self._as_json:
            sys.stdout.write(json_text(document) + "\n")
            return
        for item in shown:
            self._stdout.print(_text(item) if isinstance(item, str) else item)

    def note(self, message: str) -> None:
        """Something worth knowing on the way."""
        if self._log_json:
            sys.stderr.write(json_line("info", message) + "\n")
            return
        self._stderr.print(_text(message))

    def error(self, kind: str, message: str, hint: str | None) -> None:
        """Why the command failed and what to do; with ``--json`` also as the document."""
        from rich.text import Text

        if self._as_json:
            sys.stdout.write(json_text({"error": {"type": kind, "message": message, "hint": hint}}) + "\n")
        if self._log_json:
            sys.stderr.write(json_line("error", message, kind=kind, hint=hint) + "\n")
            return
        self._stderr.print(Text.assemble(("Error: ", "bold red"), _text(message)))
        if hint:
            self._stderr.print(_text(hint))

    @contextmanager
    def progress(self, what: str, unit: str) -> Iterator[Progress]:
        """A bar on standard error with rate and time left; hidden where nobody watches."""
        if not self._stderr.is_terminal:
            yield lambda _done, _total: None
            return
        from image_search_service.cli.progress_bar import progress_bar

        with progress_bar(self._stderr, what, unit) as progress:
            yield progress


def _console(*, stderr: bool) -> Console:
    """As wide as the terminal; what goes into a file or a pipe is not wrapped."""
    from rich.console import Console

    file = terminal(sys.stderr if stderr else sys.stdout)
    console = Console(file=file, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def table(title: str | None, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A plain table; numbers stand on the right. Cells are text, not markup: names may hold brackets."""
    from rich.table import Table
    from rich.text import Text

    shown = None if title is None else Text(printable(title))
    made = Table(title=shown, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        numeric = all(isinstance(row[i], int | float) for row in rows) and bool(rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


def _text(message: str) -> Text:
    """One line, with whatever names it holds: none of them can begin another line."""
    from rich.text import Text

    return Text(printable(message))
