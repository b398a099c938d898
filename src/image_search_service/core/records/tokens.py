"""Records of the tokens that people are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token when it was read, without the token. may_name_others: whether it may say who decides."""

    name: str
    may_name_others: bool
    created_at: datetime
    last_used: date | None
