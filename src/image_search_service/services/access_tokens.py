"""A token for each person who is let into the service: the decisions that it brings are theirs.

The service asks SQL at each request that brings one, so that a token which is removed lets nobody in from
then on, whichever process removed it and however many services run.
"""

from __future__ import annotations

import secrets
from contextlib import suppress

from image_search_service.core.access_token import TOKEN_BYTES, Caller, digest_of, is_token
from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from image_search_service.core.names import clean_name, name_key
from image_search_service.core.records.tokens import TokenRecord
from image_search_service.db.models import utc_now
from image_search_service.db.queries import access_tokens as queries
from image_search_service.db.session import Database

MOST_OF_A_NAME = 128
"""Characters in the name of who decides."""


def actor_name(given: str) -> str:
    """A name as it is kept with decisions. Raises InvalidInputError for one that is none, or too long."""
    shown, _ = clean_name(given)
    if len(shown) > MOST_OF_A_NAME:
        raise InvalidInputError(f"The name of who decides is longer than {MOST_OF_A_NAME} characters.")
    return shown


class AccessTokenService:
    """Gives out tokens, takes them back, and says whose a token is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tokens(self) -> list[TokenRecord]:
        """All of them by name."""
        with self._database.read() as session:
            return queries.tokens(session)

    def add(self, name: str, *, may_name_others: bool = False) -> tuple[TokenRecord, str]:
        """A new token for somebody, with the token itself, which is not kept.

        Raises InvalidInputError for a name that is none, ConflictError if somebody of that name has one.
        """
        shown = actor_name(name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.write() as session:
            if queries.has_token(session, name_key(shown)):
                raise ConflictError(
                    f"{shown} has a token already.",
                    hint=f"`image-search token remove` takes it away; then {shown} can get another one.",
                )
            record = queries.add_token(
                session, digest_of(token), shown, name_key(shown), may_name_others=may_name_others
            )
        return record, token

    def remove(self, name: str) -> TokenRecord:
        """Take somebody's token away. Raises NotFoundError if nobody of that name has one."""
        with self._database.write() as session:
            removed = queries.remove_token(session, name_key(name))
        if removed is None:
            raise NotFoundError(f"{name} has no token.", hint="`image-search token list` lists who has one.")
        return removed

    def caller(self, token: str) -> Caller | None:
        """Whose token this is; None if it is nobody's. One statement, and a day's first use is noted."""
        if not is_token(token):
            return None
        digest = digest_of(token)
        with self._database.read() as session:
            record = queries.find_token(session, digest)
        if record is None:
            return None
        self._note_use(digest, record)
        return Caller(token, record.name, record.may_name_others)

    def _note_use(self, digest: bytes, record: TokenRecord) -> None:
        """Once a day. That it cannot be noted keeps nobody out."""
        today = utc_now().date()
        if record.last_used == today:
            return
        with suppress(UnavailableError), self._database.write() as session:
            queries.note_use(session, digest, today)
