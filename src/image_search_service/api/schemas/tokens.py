"""Tokens that people are given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import Field

from image_search_service.api.schemas.common import Answer, RequestBody
from image_search_service.core.records.tokens import TokenRecord
from image_search_service.services.access_tokens import MOST_OF_A_NAME


class PersonalToken(Answer):
    """Whose it is; the token itself is not kept."""

    name: str = Field(description="Who decides what is decided with it.", examples=["Ada"])
    may_name_others: bool = Field(description="Whether `X-Actor` of requests with it is believed.")
    created_at: datetime
    last_used: date | None = Field(description="The day (UTC) of its last use; null if there was none.")

    @classmethod
    def of(cls, record: TokenRecord) -> PersonalToken:
        return cls(
            name=record.name,
            may_name_others=record.may_name_others,
            created_at=record.created_at,
            last_used=record.last_used,
        )


class PersonalTokenList(Answer):
    """Tokens by name."""

    tokens: list[PersonalToken]

    @classmethod
    def of(cls, records: Sequence[TokenRecord]) -> PersonalTokenList:
        return cls(tokens=[PersonalToken.of(record) for record in records])


class NewPersonalToken(PersonalToken):
    """One that was made just now."""

    token: str = Field(description="The token: this answer is the only place where it ever stands.")


class TokenHolder(RequestBody):
    """Somebody who has a token."""

    name: str = Field(min_length=1, max_length=MOST_OF_A_NAME, examples=["Ada"])


class AddToken(TokenHolder):
    """Somebody who is to get one."""

    may_name_others: bool = Field(
        default=False,
        description="Believe `X-Actor` of requests with it: for a proxy or a program that knows its users.",
    )
