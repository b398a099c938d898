"""Logging: structlog, to standard error, quiet unless asked; as lines for people or as JSON for programs.

structlog is imported when the first line is logged: most commands log nothing.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

from image_search_service.core.printable import json_text, printable, printable_lines, terminal

REQUEST: Final[ContextVar[str | None]] = ContextVar("request", default=None)
"""The id of the request that is being answered."""

_asked: dict[str, bool] = {}
"""What ``configure_logging`` was asked for before structlog was imported."""

TRACEBACK: Final = "exception"
"""The key of a traceback in a line of the log."""

_TOKEN_IN_ADDRESS: Final = re.compile(r"([?&]token=)[^&\s]*")


def configure_logging(*, debug: bool = False, as_json: bool = False) -> None:
    """Warnings and worse as short lines on standard error; with ``debug`` everything, with times.

    as_json: each line as a JSON object, see ``json_line``.
    """
    if "structlog" in sys.modules:
        _configure(debug=debug, as_json=as_json)
    else:
        _asked.update(debug=debug, as_json=as_json)


def json_line(level: str, event: str, **more: Any) -> str:
    """A line of the log for programs: ``time`` (UTC), ``level``, ``event``, a ``request``'s id, and more."""
    request = REQUEST.get()
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event}
    return json_text(line | ({"request": request} if request else {}) | more, default=str)


class JsonFormatter(logging.Formatter):
    """Writes what libraries log in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        more = {"exception": self.formatException(record.exc_info)} if record.exc_info else {}
        return json_line(record.levelname.lower(), record.getMessage(), logger=record.name, **more)


def log_libraries_as_json(*, debug: bool) -> None:
    """What libraries log, and what Python warns of, becomes JSON on standard error, too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO if debug else logging.WARNING, force=True)
    logging.captureWarnings(True)


def get_logger(name: str) -> Any:
    """A structlog logger for the module ``name``."""
    return _Logger(name)


class _Logger:
    """Imports structlog when the first line is logged."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, level: str) -> Any:
        import structlog

        if _asked:
            _configure(**_asked)
            _asked.clear()
        return getattr(structlog.get_logger(self._name), level)


def _configure(*, debug: bool, as_json: bool) -> None:
    import structlog

    for_people = (
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        _with_request,
        structlog.processors.format_exc_info,
        _printable_values,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *((structlog.processors.format_exc_info, _as_json) if as_json else for_people),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(terminal(sys.stderr)),  # as it is by then
        cache_logger_on_first_use=False,
    )


def _as_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return json_line(str(event.pop("level")), str(event.pop("event")), **event)


def _with_request(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    request = REQUEST.get()
    return event if request is None else {**event, "request": request}


def _printable_values(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Escape control characters before they reach a terminal, and ends of lines, so that no name begins a
    line of the log. A traceback keeps its lines."""
    return {
        key: (printable_lines if key == TRACEBACK else printable)(value) if isinstance(value, str) else value
        for key, value in event.items()
    }


REPEATED_SECONDS: Final = 60.0
MOST_KINDS: Final = 1_000


@contextmanager
def log_once_a_minute(*loggers: str) -> Iterator[None]:
    """Of what libraries log, keep one line of each kind a minute, with how many there were since the last."""
    with ExitStack() as filters:
        for name in loggers:
            filters.enter_context(_filtered(name, Repeats().filter))
        yield


class Repeats(logging.Filter):
    """A kind of trouble is a message without its arguments, with the error that it tells of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, type | None], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = (str(record.msg), record.exc_info[0] if record.exc_info else None)
        now = self._clock()
        if len(self._last) >= MOST_KINDS:
            self._last.clear()
        last, left_out = self._last.get(kind, (now - REPEATED_SECONDS, 0))
        if now - last < REPEATED_SECONDS:
            self._last[kind] = (last, left_out + 1)
            return False
        self._last[kind] = (now, 0)
        if left_out:
            record.msg = f"{record.msg} (and {left_out} times more since it was last said)"
        return True


@contextmanager
def hide_tokens(logger: str) -> Iterator[None]:
    """Keep tokens in addresses (``/?token=…``) out of what a library's logger says of requests."""
    with _filtered(logger, _hide_tokens):
        yield


@contextmanager
def _filtered(logger: str, keep: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    named = logging.getLogger(logger)
    named.addFilter(keep)
    try:
        yield
    finally:
        named.removeFilter(keep)


def _hide_tokens(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            _TOKEN_IN_ADDRESS.sub(r"\1…", argument) if isinstance(argument, str) else argument
            for argument in record.args
        )
    return True
