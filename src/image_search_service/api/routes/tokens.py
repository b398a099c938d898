"""Tokens of people: only commands of whoever can write in the library's folder may give them out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from image_search_service.api.deps import HasKey, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.tokens import (
    AddToken,
    NewPersonalToken,
    PersonalToken,
    PersonalTokenList,
    TokenHolder,
)
from image_search_service.core.errors import KeyNeededError
from image_search_service.services.access_tokens import AccessTokenService


async def _tokens(library: Opened, has_key: HasKey) -> AccessTokenService:
    """Raises KeyNeededError without the library's key."""
    if not has_key:
        raise KeyNeededError("Tokens are given out, listed and removed")
    return AccessTokenService(library.database)


Tokens = Annotated[AccessTokenService, Depends(_tokens)]

router = APIRouter(prefix="/tokens", tags=["tokens"], responses=problems(403))


@router.get("")
def list_tokens(tokens: Tokens) -> PersonalTokenList:
    """Who has a token, and when it was used last. Only with the library's key, as `image-search token`."""
    return PersonalTokenList.of(tokens.tokens())


@router.post("", responses=problems(409))
def add_token(request: AddToken, tokens: Tokens) -> NewPersonalToken:
    """Give somebody a token. It stands in this answer and nowhere else. Only with the library's key."""
    record, token = tokens.add(request.name, may_name_others=request.may_name_others)
    return NewPersonalToken(**PersonalToken.of(record).model_dump(), token=token)


@router.post("/remove", responses=problems(404))
def remove_token(request: TokenHolder, tokens: Tokens) -> PersonalToken:
    """Take somebody's token away: it lets nobody in from now on. Only with the library's key."""
    return PersonalToken.of(tokens.remove(request.name))
