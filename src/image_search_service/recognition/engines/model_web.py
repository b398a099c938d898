"""Reading a model file over HTTP: what is not the file is recognised, what broke off is gone on with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from image_search_service.core.types import Progress
from image_search_service.recognition.engines.partial_file import PartialFile, SourceFailedError

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0
"""For each part of the answer, not for the whole file."""
_ATTEMPTS = 5
"""Requests to one address, as long as each of them brings the file further."""

_OK, _PARTIAL = 200, 206
_LFS_POINTER = b"version https://git-lfs"
_PAGE = re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE)
_PAGE_ANSWERED = "it answered with a web page instead of the file"


class _BrokenOffError(SourceFailedError):
    """The answer began and did not end."""


def read_address(url: str, part: PartialFile, progress: Progress) -> None:
    """Append to ``part`` what it lacks; its checksum is not compared. Raises SourceFailedError.

    A server that does not know ranges sends everything again.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        before = part.length
        try:
            _request(url, part, progress)
        except _BrokenOffError:
            if attempt == _ATTEMPTS or part.length <= before:
                raise
        else:
            return


def _request(url: str, part: PartialFile, progress: Progress) -> None:
    with _answer(url, part.length) as answer:
        _check_headers(answer, part)
        if answer.status_code == _OK:
            part.clear()
        for chunk in answer.iter_raw():
            if part.length == 0:
                _check_beginning(chunk)
                _check_length(answer, part)
            part.append(chunk)
            progress(part.length, part.file.size)
    if part.length != part.file.size:
        raise _BrokenOffError(f"it ended after {part.length:,} of {part.file.size:,} bytes")


@contextmanager
def _answer(url: str, offset: int) -> Iterator[httpx.Response]:
    import httpx  # takes a tenth of a second to import, and hardly any run downloads

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as answer:
            yield answer
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise SourceFailedError(_reason(error), no_connection=True) from error
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout) as error:
        raise _BrokenOffError(f"it broke off: {_reason(error)}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceFailedError(_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _check_headers(answer: httpx.Response, part: PartialFile) -> None:
    """Raises SourceFailedError unless what follows can be the file, from where ``part`` ends."""
    if answer.status_code not in (_OK, _PARTIAL):
        raise SourceFailedError(f"it answered {answer.status_code} {answer.reason_phrase}".strip())
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise SourceFailedError(_PAGE_ANSWERED)
    if answer.status_code == _PARTIAL:
        _check_range(answer.headers.get("Content-Range", ""), part)


def _check_range(answered: str, part: PartialFile) -> None:
    """Raises SourceFailedError unless the answer begins where ``part`` ends and ends where the file does."""
    size = part.file.size
    total = answered.rpartition("/")[2]
    if total.isdecimal() and int(total) != size:
        raise _wrong_size(int(total), part)
    expected = f"bytes {part.length}-{size - 1}/{size}"
    if answered != expected:
        raise SourceFailedError(f"it answered with another range than {expected}")


def _check_beginning(chunk: bytes) -> None:
    """Raises SourceFailedError for what some servers answer in a file's place."""
    if chunk.startswith(_LFS_POINTER):
        raise SourceFailedError("it answered with a pointer of Git LFS instead of the file")
    if _PAGE.match(chunk):
        raise SourceFailedError(_PAGE_ANSWERED)


def _check_length(answer: httpx.Response, part: PartialFile) -> None:
    """Raises SourceFailedError for a whole file of another size; some servers do not say the size."""
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != part.file.size:
        raise _wrong_size(int(length), part)


def _wrong_size(size: int, part: PartialFile) -> SourceFailedError:
    return SourceFailedError(f"it has {size:,} bytes instead of {part.file.size:,}")
