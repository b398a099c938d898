"""Parts that several answers share."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


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
