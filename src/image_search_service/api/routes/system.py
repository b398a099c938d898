"""The service's state, for people, load balancers and Prometheus."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from image_search_service.api.deps import Opened
from image_search_service.api.errors import problems
from image_search_service.api.metrics import exposition
from image_search_service.api.schemas.system import Health, Ready
from image_search_service.library.health import readiness_service
from image_search_service.library.metrics import measurements

router = APIRouter(tags=["system"])
NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Ready, "description": "Something does not work."}
}


@router.get("/health")
def get_health() -> Health:
    """The process is running."""
    return Health(version=version("image-search-service"))


@router.get("/ready", responses=problems(401, 422) | NOT_READY)
def get_readiness(
    library: Opened,
    response: Response,
    report: Annotated[bool, Query(description="Whether to answer with 200 whatever does not work.")] = False,
) -> Ready:
    """Whether database, Qdrant and queue work; 503 when one of them does not."""
    ready = Ready.of(readiness_service(library).check())
    response.status_code = 200 if ready.ready or report else 503
    return ready


@router.get("/metrics", response_class=PlainTextResponse, responses=problems(401))
def get_metrics(library: Opened) -> Response:
    """The library's state and what was counted, as Prometheus reads it."""
    return Response(exposition(measurements(library)), media_type=CONTENT_TYPE_LATEST)
