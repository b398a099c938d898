"""Asks the service that holds a library for what a command would do itself, and watches its jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from image_search_service.core.types import JsonObject
from image_search_service.services.jobs.service import ENDED, JobState

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.5
"""Pause between two looks at a job."""
LOOKS: Final = 20
"""Looks that may fail one after another before a job counts as out of sight."""

_ERRORS: Final[Mapping[int, type[ImageSearchError]]] = {
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidInputError,
}


class ServiceClient:
    """Requests to the service at ``address``. headers: those of ``core/access_token.py``."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self.address = address
        self._headers = dict(headers)

    def get(self, path: str) -> JsonObject:
        """The answer to ``GET /api/v1…``. Raises UnavailableError, and the error that the service answers."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        """The answer to ``POST /api/v1…``; the same errors."""
        return self._ask("POST", path, body)

    def watch(self, job: JsonObject, changed: Callable[[JsonObject], None]) -> JsonObject:
        """Wait until a job has ended; ``changed`` is told of it again and again. Returns it as it ended.

        Raises UnavailableError when the service cannot be reached any more, and for a job that failed;
        ConflictError for one that was cancelled.
        """
        failed = 0
        while job["state"] not in ENDED:
            changed(job)
            time.sleep(LOOK_SECONDS)
            try:
                job = self.get(f"/jobs/{job['id']}")
                failed = 0
            except UnavailableError:
                failed += 1
                if failed == LOOKS:
                    raise
        if job["state"] == JobState.FAILED:
            raise UnavailableError(f"The service could not do it: {job['error']}")
        if job["state"] == JobState.CANCELLED:
            raise ConflictError(
                "The job was cancelled.", hint="What was stored is kept; the same command goes on from there."
            )
        return job

    def _ask(self, method: str, path: str, body: JsonObject | None) -> JsonObject:
        import httpx  # takes a tenth of a second to import

        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                url = f"{self.address}/api/v1{path}"
                answer = client.request(method, url, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"The service at {self.address} does not answer: {error}.", hint="Its log says why."
            ) from error
        if answer.is_success:
            return _content(answer)
        problem = _content(answer)
        detail = str(problem.get("detail") or f"The service refuses it with status {answer.status_code}.")
        raise _ERRORS.get(answer.status_code, UnavailableError)(detail, hint=problem.get("hint"))


def _content(answer: httpx.Response) -> JsonObject:
    """The JSON object of an answer; empty for anything else, such as a proxy's page."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
