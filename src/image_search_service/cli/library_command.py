"""The frame of commands that work on a library: the frame of every command, and the library open in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from image_search_service.cli.context import Running, command_context
from image_search_service.library.opening import Library, open_library


@contextmanager
def library_command(*, as_json: bool, debug: bool, **settings: Any) -> Iterator[tuple[Running, Library]]:
    """The command in progress and its open library; ``settings`` as for ``command_context``."""
    with (
        command_context(as_json=as_json, debug=debug, **settings) as run,
        open_library(run.settings, run.out.note, run.out.progress) as opened,
    ):
        yield run, opened
