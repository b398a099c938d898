"""Parts that several answers share."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, WithJsonSchema

T = TypeVar("T")
LocalTime = Annotated[
    NaiveDatetime,
    WithJsonSchema({"type": "string", "format": "date-time-local", "examples": ["2019-05-01T12:00:00"]}),
]
"""Time by the camera's clock, without a zone: nobody knows which. ``date-time`` would promise one; the format
is of OpenAPI's registry (https://spec.openapis.org/registry/format/date-time-local)."""


class Answer(BaseModel):
    """The base of every answer."""

    model_config = ConfigDict(frozen=True)


class Page(Answer, Generic[T]):
    """Some items, and where the next ones begin."""

    items: list[T]
    next_cursor: str | None = Field(
        description="Hand it back as `cursor` for the next page; null: this is the last one."
    )
    total: int = Field(description="Number of items on all pages.")


class Slice(Answer, Generic[T]):
    """Some items of a long list, from any place of it."""

    items: list[T]
    total: int = Field(description="Number of items in the whole list.")
    offset: int = Field(description="Number of items before these.")


class RequestBody(BaseModel):
    """The base of every request's body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)
