"""Problem details of an error."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field


class InvalidField(BaseModel):
    """A part of the request that is wrong."""

    location: str = Field(
        description="Place of the wrong part, such as `query.limit` or `body.person_ids.0`."
    )
    message: str = Field(description="What a right value looks like.")


class NameCandidate(BaseModel):
    """A person who has the name that was given."""

    id: UUID
    name: str
    note: str | None = Field(default=None, description="What tells them from others of the same name.")
    faces: int = Field(description="Number of faces.")
    cover_url: str | None = Field(default=None, description="A small picture of the person, JPEG.")


class Problem(BaseModel):
    """Problem details for HTTP APIs (RFC 9457), and what to do next."""

    type: str = Field(description="The kind of problem; stable, for programs.")
    title: str = Field(description="A short name of the problem; the same for all of its type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong in this case.")
    hint: str | None = Field(default=None, description="What to do next.")
    request_id: str | None = Field(default=None, description="By which the service's log names the request.")
    errors: list[InvalidField] | None = Field(
        default=None, description="Each wrong part of a request that is not valid."
    )
    current_version: str | None = Field(
        default=None, description="For a stale `version`: the current one, to decide again with."
    )
    current_size: int | None = Field(
        default=None, description="For a stale `version`: the current number of items."
    )
    candidates: list[NameCandidate] | None = Field(
        default=None, description="For a name that somebody has: everybody who has it."
    )
