"""Takes a backup from the service that holds the library, once a job of it has written one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from image_search_service.core.errors import UnavailableError

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS: Final = 60.0
"""For each part of the answer: the service has the whole file when it is asked for it."""


def backup_route(*, pictures: bool) -> str:
    """Below ``/api/v1``: a POST has a backup written, a GET sends the last one."""
    return f"/backup?pictures={str(pictures).lower()}"


def download(address: str, headers: Mapping[str, str], *, pictures: bool) -> Iterator[bytes]:
    """The archive in chunks. headers: the token's, which the service requires.

    Raises UnavailableError when the download is incomplete.
    """
    import httpx  # takes a tenth of a second to import

    url = f"{address}/api/v1{backup_route(pictures=pictures)}"
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise UnavailableError(f"The service refuses a backup: {_reason(answer)}")
            yield from answer.iter_bytes(2**20)
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"The service at {address} did not give the backup to its end: {error}.",
            hint="Its log says why. Try again, or stop the service first.",
        ) from error


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
