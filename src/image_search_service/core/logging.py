"""Logging: structlog, to standard error, quiet unless asked.

structlog is imported when the first line is logged: most commands log nothing.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from image_search_service.core.printable import printable_lines

_asked: dict[str, bool] = {}
"""What ``configure_logging`` was asked for before structlog was imported."""

_TOKEN_IN_ADDRESS: Final = re.compile(r"([?&]token=)[^&\s]*")


def configure_logging(*, debug: bool = False) -> None:
    """Warnings and worse as short lines on standard error; with ``debug`` everything, with times."""
    if "structlog" in sys.modules:
        _configure(debug=debug)
    else:
        _asked["debug"] = debug


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


def _configure(*, debug: bool) -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            _printable_values,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever standard error is by then
        cache_logger_on_first_use=False,
    )


def _printable_values(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Escape control characters in file names and messages before they reach a terminal."""
    return {key: printable_lines(value) if isinstance(value, str) else value for key, value in event.items()}


def hide_tokens(logger: str) -> None:
    """Keep tokens in addresses (``/?token=…``) out of what a library's logger says of requests."""
    logging.getLogger(logger).addFilter(_hide_tokens)


def _hide_tokens(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            _TOKEN_IN_ADDRESS.sub(r"\1…", argument) if isinstance(argument, str) else argument
            for argument in record.args
        )
    return True
