"""The service's state."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.services.health.readiness import Readiness


class Health(Answer):
    """The process lives."""

    status: Literal["ok"] = "ok"
    version: str = Field(examples=["0.1.0"])


class Component(Answer):
    """One thing that the service needs."""

    name: str = Field(examples=["qdrant"])
    ready: bool
    detail: str = Field(description="The component's state, or why it does not work.")


class Ready(Answer):
    """Whether the service can do its work, and if not, what is missing."""

    ready: bool
    components: list[Component]

    @classmethod
    def of(cls, readiness: list[Readiness]) -> Ready:
        components = [Component(name=item.name, ready=item.ready, detail=item.detail) for item in readiness]
        return cls(ready=all(item.ready for item in readiness), components=components)
