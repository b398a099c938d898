"""The HTTP API as one application: routes, errors, guard, documentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from image_search_service.api.body_limits import add_body_limits
from image_search_service.api.errors import add_error_handlers, problems
from image_search_service.api.guard import add_guard
from image_search_service.api.request_ids import RequestIds
from image_search_service.api.routes import (
    absent,
    assets,
    backup,
    centroids,
    clusters,
    conflicts,
    decisions,
    events,
    exchange,
    faces,
    hand_faces,
    jobs,
    maintenance,
    persons,
    photos,
    review,
    roots,
    suggestions,
    system,
    tokens,
)
from image_search_service.api.schemas.problem import Problem
from image_search_service.api.token_guard import TokenPage
from image_search_service.api.turns import all_turns
from image_search_service.core.config import Settings

DESCRIPTION = """\
Finds the people in a photo library and helps its owner name them. Everything stays on this machine.

**Pages.** Lists come in pages: hand `next_cursor` back as `cursor` until it is null. `total` counts the items
on all pages.

**Jobs.** What takes long is answered with 202 and a job. Look at it again at its `url`, or watch its events.
Asked for twice, it runs once: the same job is returned while it waits or runs.

**Token.** Send `Authorization: Bearer TOKEN`; `image-search address` prints the library's own, and
`image-search token add NAME` makes one for somebody else, under whose name their decisions are recorded.

**Limits.** A body has at most 8 MiB, an export 1 GiB (413). What costs much takes turns; after ten seconds of
waiting the answer is 503, and `Retry-After` says when to ask again.

**Errors** are problem details (RFC 9457): `type` for programs, `detail` and `hint` for people. A `GET`
with the header `Prefer: missing=empty` is answered with 204 instead of 404.
"""
PREFIX: Final = "/api/v1"
TOKEN_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token in the library's folder, which `image-search address` prints, or one that "
    "`image-search token add` has made.",
}
OpenApi = dict[str, Any]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(
    settings: Settings,
    lifespan: Lifespan | None,
    *,
    token: str | None = None,
    token_page: TokenPage | None = None,
) -> FastAPI:
    """The application; ``lifespan`` puts the open library into ``app.state.library``.

    token: what the service asks for; with None it lets nobody in, unless the settings ask for no token.
    token_page: what a browser without it is shown. Raises InvalidInputError, see ``add_guard``.
    """
    app = FastAPI(
        title="image-search-service",
        version=version("image-search-service"),
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,  # FastAPI's pages load from other hosts
        redoc_url=None,
    )
    add_routes(app)
    app.include_router(system.router)
    add_error_handlers(app)
    app.state.turns = all_turns()
    add_body_limits(app)
    add_guard(app, settings, token=token, page=token_page)
    app.add_middleware(RequestIds)
    app.openapi = lambda: _openapi(app, settings.public_path)  # type: ignore[method-assign]  # as FastAPI's manual extends it
    return app


def add_routes(app: FastAPI) -> None:
    """Everything below ``/api/v1``. Clusters come before faces: ``/faces/clusters`` is no face's id.

    Each part is the application's own: where one router is in another, FastAPI looks for a request's route
    anew in each of them, twice.
    """
    for part in (
        clusters,
        faces,
        hand_faces,
        assets,
        photos,
        absent,
        roots,
        persons,
        centroids,
        suggestions,
        decisions,
        review,
        conflicts,
        jobs,
        events,
        backup,
        exchange,
        maintenance,
        tokens,
    ):
        app.include_router(part.router, prefix=PREFIX, responses=problems(401, 422, 500, 503))


def _openapi(app: FastAPI, public_path: str) -> OpenApi:
    """The documentation, with the schema of problems that no route returns and every route may end with."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        _, definitions = models_json_schema(
            [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
        )
        schema["components"]["schemas"].update(definitions["$defs"])
        schema["components"]["securitySchemes"] = {"token": TOKEN_SCHEME}
        schema["security"] = [{"token": []}]
        schema["paths"]["/health"]["get"]["security"] = []
        for operation in (each for path in schema["paths"].values() for each in path.values()):
            if "requestBody" in operation:
                operation["responses"] |= {str(status): said for status, said in problems(413).items()}
        if public_path:
            schema["servers"] = [{"url": public_path}]
        app.openapi_schema = schema
    return app.openapi_schema
