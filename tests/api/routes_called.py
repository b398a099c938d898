"""What schemathesis sends to a library's API, and what the library holds meanwhile."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from image_search_service.api.app import build_app
from image_search_service.core.access_token import bearer_headers
from image_search_service.core.config import Settings
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import JobKind, JobService
from tests.support.served import Served, directions, store_embeddings
from tests.support.world import World


def fill(api: Served) -> None:
    """A person, a cluster and a job; the client sends the token from now on."""
    api.client.headers.update(bearer_headers(api.library.paths.token))
    with api.library.database.write() as session:
        world = World(session)
        faces = [world.face(world.photo(f"/photos/{n}.jpg")) for n in range(4)]
        world.cluster(faces[:3])
        store_embeddings(api.library, faces, directions(len(faces)))
    ReviewService(api.library.database, "test").split([faces[3].id], "Ada")
    api.library.payload_sender.send()
    JobService(api.library.database, api.library.job_queue.enqueue).submit(JobKind.EXPIRE_OLD_SUGGESTIONS, {})


def documented(api: Served) -> Any:
    """The API as schemathesis reads it from its documentation, but for the token: a request without it would
    count as wrong, although ``keeps_to`` sends it with every request."""
    app: Any = api.client.app
    whole = app.openapi()
    app.openapi_schema = {name: part for name, part in whole.items() if name != "security"}
    try:
        return schemathesis.openapi.from_asgi("/openapi.json", app, headers=dict(api.client.headers))
    finally:
        app.openapi_schema = whole


def keeps_to(case: schemathesis.Case[Any], api: Served) -> None:
    """Raises where the answer is not as documented. One client sends all: each would start a thread."""
    # A made-up cursor is text like a right one, and is refused.
    headers = bearer_headers(api.library.paths.token)
    client: Any = api.client  # an httpx client, which the transport for ASGI takes for its session
    case.call_and_validate(headers=headers, session=client, excluded_checks=[positive_data_acceptance])


def requests() -> list[tuple[str, str, GenerationMode]]:
    """Right requests to every route, and wrong ones where there is something to get wrong.

    Streams are left out: they end when their job does.
    """
    document = build_app(Settings(), lifespan=None).openapi()
    return [
        (path, method, mode)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for mode in GenerationMode
        if not path.endswith("/events")
        and (mode.is_positive or "requestBody" in operation or _can_be_wrong(operation))
    ]


def _can_be_wrong(operation: Any) -> bool:
    """Whether a parameter can be given wrongly; any text is right in a header."""
    return any(parameter["in"] != "header" for parameter in operation.get("parameters", []))
