"""Turns every error into problem details (RFC 9457), in the words that the command line uses.

``{"type": "urn:image-search:not-found", "title": "Not found", "status": 404, "detail": …, "hint": …}``

An unexpected error becomes a 500 without details; the log has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from image_search_service.api.schemas.faces import crop_url
from image_search_service.api.schemas.problem import InvalidField, NameCandidate, Problem
from image_search_service.core.errors import (
    ConflictError,
    CopiedLibraryError,
    DamagedCollectionError,
    DataIntegrityError,
    ImageSearchError,
    InvalidInputError,
    KeyNeededError,
    LostCollectionError,
    LostEmbeddingsError,
    MediaError,
    NameTakenError,
    NotFoundError,
    SharedNameError,
    StaleVersionError,
    UnavailableError,
)
from image_search_service.core.logging import REQUEST, get_logger

log = get_logger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
REQUEST_ID: Final = "X-Request-ID"
"""The header by which an answer names its request; see ``api/request_ids.py``."""
RETRY_AFTER: Final = {"Retry-After": "5"}
QUIET: Final = "missing=empty"
"""What a ``GET`` prefers (RFC 7240) that wants no error for what is not there: browsers write each on their
console, and a page may ask for what somebody has just taken away."""

STATUSES: Final[Mapping[type[ImageSearchError], HTTPStatus]] = {
    LostCollectionError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyNeededError: HTTPStatus.FORBIDDEN,
    MediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    CopiedLibraryError: HTTPStatus.SERVICE_UNAVAILABLE,
    LostEmbeddingsError: HTTPStatus.SERVICE_UNAVAILABLE,
    DamagedCollectionError: HTTPStatus.SERVICE_UNAVAILABLE,
    DataIntegrityError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""For an error and all below it in the tree."""


class ProblemResponse(JSONResponse):
    """A problem, as its media type wants it."""

    media_type = PROBLEM_JSON

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        request_id = REQUEST.get()
        named = problem.model_copy(update={"request_id": request_id})
        head = {REQUEST_ID: request_id} if request_id is not None else {}
        super().__init__(
            named.model_dump(mode="json", exclude_none=True), problem.status, head | dict(headers or {})
        )


def add_error_handlers(app: FastAPI) -> None:
    """Every error that a route raises ends here."""
    app.add_exception_handler(ImageSearchError, _ours)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def problem_of(error: ImageSearchError) -> Problem:
    """Our error as a problem; its type is the name of its class."""
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    words = re.findall("[A-Z][a-z]+", type(error).__name__.removesuffix("Error"))
    return Problem(
        type="urn:image-search:" + "-".join(words).lower(),
        title=" ".join(words).capitalize(),
        status=status,
        detail=error.message,
        hint=error.hint,
        current_version=error.version if isinstance(error, StaleVersionError) else None,
        current_size=error.size if isinstance(error, StaleVersionError) else None,
        candidates=_candidates(error) if isinstance(error, NameTakenError | SharedNameError) else None,
    )


def _candidates(error: NameTakenError | SharedNameError) -> list[NameCandidate]:
    return [
        NameCandidate(
            id=person.id,
            name=person.name,
            note=person.note,
            faces=person.faces,
            cover_url=None if person.shown_face_id is None else crop_url(person.shown_face_id),
        )
        for person in error.people
    ]


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ImageSearchError)  # noqa: S101 - it is registered for no other
    answer = answer_of(error)
    is_quiet = request.method == "GET" and QUIET in request.headers.get("Prefer", "")
    if answer.status_code == HTTPStatus.NOT_FOUND and is_quiet:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Preference-Applied": QUIET})
    return answer


def answer_of(error: ImageSearchError) -> ProblemResponse:
    """Our error as an answer; the log has what is the service's fault."""
    problem = problem_of(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a request failed", problem=problem.type, detail=problem.detail)
    unavailable = problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    return ProblemResponse(problem, RETRY_AFTER if unavailable else None)


def _invalid(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for no other
    fields = [
        InvalidField(location=".".join(str(part) for part in item["loc"]), message=item["msg"])
        for item in error.errors()
    ]
    return ProblemResponse(
        Problem(
            type="urn:image-search:invalid-input",
            title="Invalid input",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            detail="; ".join(f"{field.location}: {field.message}" for field in fields),
            hint="/docs describes each parameter.",
            errors=fields,
        )
    )


def _nobody_there(_request: Request, _error: Exception) -> Response:
    """The client has gone before it had sent all; nobody gets this answer."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _http(_request: Request, error: Exception) -> ProblemResponse:
    """What the framework refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return ProblemResponse(problem_of(InvalidInputError("The body is not JSON in UTF-8.")))
    title = HTTPStatus(error.status_code).phrase
    return ProblemResponse(
        Problem(
            type="about:blank", title=title, status=error.status_code, detail=str(error.detail), hint=None
        ),
        error.headers,
    )


def _unexpected(request: Request, error: Exception) -> ProblemResponse:
    log.error("a request failed unexpectedly", path=request.url.path, error=repr(error))
    return ProblemResponse(
        Problem(
            type="urn:image-search:unexpected",
            title="Unexpected error",
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            detail="Something went wrong that should not.",
            hint="The service's log says what; please report it.",
        )
    )


def token_problem() -> Problem:
    """Of a request without a token that the service knows."""
    return Problem(
        type="urn:image-search:token-needed",
        title="Token needed",
        status=HTTPStatus.UNAUTHORIZED,
        detail="The service answers only those who have a token.",
        hint="Send the header `Authorization: Bearer TOKEN`. The library's token lies in its folder, in the "
        "file `token`; `image-search address` prints it with the service's address. `image-search token add` "
        "gives others one of their own.",
    )


def body_too_large(limit: int) -> Problem:
    """Of a request whose body is longer than its route takes."""
    return Problem(
        type="urn:image-search:body-too-large",
        title="Body too large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"The body has more than {limit:,} bytes.",
        hint="Send less at once; for a longer export there is `image-search import`.",
    )


_EXAMPLES: Final[Mapping[int, Problem]] = {
    401: token_problem(),
    403: problem_of(KeyNeededError("Tokens are given out, listed and removed")),
    404: problem_of(NotFoundError("There is no face 3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01.")),
    409: problem_of(ConflictError("The job 6c1e4a52-70f5-4d5f-8f4e-2d1d3d0f7a11 has succeeded already.")),
    413: body_too_large(8 * 2**20),
    422: Problem(
        type="urn:image-search:invalid-input",
        title="Invalid input",
        status=422,
        detail="query.limit: Input should be greater than or equal to 1",
        hint="/docs describes each parameter.",
        errors=[InvalidField(location="query.limit", message="Input should be greater than or equal to 1")],
    ),
    500: problem_of(DataIntegrityError("A face that SQL knows has no embedding in Qdrant.")),
    503: problem_of(UnavailableError("Qdrant does not answer.", hint="Try again when it does.")),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's documentation says of the errors that it can end with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                PROBLEM_JSON: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _EXAMPLES[status].model_dump(exclude_none=True),
                }
            },
        }
        for status in statuses
    }
