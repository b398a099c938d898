"""What an error looks like."""

from __future__ import annotations

from pydantic import BaseModel, Field


class InvalidField(BaseModel):
    """A part of the request that is wrong."""

    location: str = Field(description="Where it is, such as `query.limit` or `body.person_ids.0`.")
    message: str = Field(description="What would be right.")


class Problem(BaseModel):
    """Problem details for HTTP APIs (RFC 9457), and what to do next."""

    type: str = Field(description="Which problem it is: stable, for programs.")
    title: str = Field(description="The problem in short: the same for each of its type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong this time.")
    hint: str | None = Field(default=None, description="What to do next.")
    errors: list[InvalidField] | None = Field(
        default=None, description="Each wrong part of a request that is not valid."
    )
    current_version: str | None = Field(
        default=None, description="Of a stale `version`: what it is now, to decide again with."
    )
    current_size: int | None = Field(default=None, description="And how many items it has now.")
