"""Logging: structlog, to standard error, quiet unless asked."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

import structlog

_TOKEN_IN_ADDRESS: Final = re.compile(r"([?&]token=)[^&\s]*")


def configure_logging(*, debug: bool = False) -> None:
    """Warnings and worse as short lines on standard error; with ``debug`` everything, with times."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever standard error is by then
        cache_logger_on_first_use=False,
    )


def hide_tokens(logger: str) -> None:
    """Keep tokens in addresses (``/?token=…``) out of what a library's logger says of requests."""
    logging.getLogger(logger).addFilter(_hide_tokens)


def _hide_tokens(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            _TOKEN_IN_ADDRESS.sub(r"\1…", each) if isinstance(each, str) else each for each in record.args
        )
    return True
