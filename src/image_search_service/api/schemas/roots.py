"""The library's folders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from image_search_service.api.schemas.common import Answer, RequestBody
from image_search_service.api.schemas.faces import shown_path
from image_search_service.api.schemas.photos import PATH_LENGTH
from image_search_service.core.records.photos import AbsentState, RootRecord

MAX_EXCLUDES = 200


class Root(Answer):
    """A folder that is indexed when none is named."""

    path: str = Field(examples=["/photos"])
    excludes: list[str] = Field(
        description="What is left out of it: lines in the form of .gitignore.", examples=[["raw/", "*.png"]]
    )
    indexed_at: datetime | None = Field(description="When reading it was last begun; null if it never was.")
    state: AbsentState | None = Field(description="Null if it is there.")
    photos: int = Field(description="Photos in it.", examples=[4_120])
    excluded: int = Field(description="Photos of the library that excludes leave out of it.", examples=[12])

    @classmethod
    def of(cls, root: RootRecord) -> Root:
        return cls(
            path=shown_path(root.path),
            excludes=list(root.excludes),
            indexed_at=root.indexed_at,
            state=root.state,
            photos=root.photos,
            excluded=root.excluded,
        )


class RootList(Answer):
    """Folders by path."""

    roots: list[Root]

    @classmethod
    def of(cls, roots: Sequence[RootRecord]) -> RootList:
        return cls(roots=[Root.of(root) for root in roots])


class ChosenRoot(RequestBody):
    """One of them."""

    path: str = Field(max_length=PATH_LENGTH, examples=["/photos"])


class SaveRoot(ChosenRoot):
    """A folder to add or to change."""

    excludes: list[Annotated[str, StringConstraints(max_length=1_000)]] | None = Field(
        default=None,
        max_length=MAX_EXCLUDES,
        description="Lines in the form of .gitignore, in place of those before; null leaves those.",
        examples=[["raw/"]],
    )
