"""Logging: structlog, to standard error, quiet unless asked."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

import structlog
from structlog.typing import EventDict

from image_search_service.core.printable import printable_lines

_TOKEN_IN_ADDRESS: Final = re.compile(r"([?&]token=)[^&\s]*")


def configure_logging(*, debug: bool = False) -> None:
    """Warnings and worse as short lines on standard error; with ``debug`` everything, with times."""
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


def _printable_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    """File names and others' messages as a terminal may be sent them."""
    return {key: printable_lines(value) if isinstance(value, str) else value for key, value in event.items()}


def hide_tokens(logger: str) -> None:
    """Keep tokens in addresses (``/?token=…``) out of what a library's logger says of requests."""
    logging.getLogger(logger).addFilter(_hide_tokens)


def _hide_tokens(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            _TOKEN_IN_ADDRESS.sub(r"\1…", each) if isinstance(each, str) else each for each in record.args
        )
    return True
