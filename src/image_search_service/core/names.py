"""Persons' names, as shown and as compared."""

from __future__ import annotations

import unicodedata

from image_search_service.core.errors import InvalidInputError


def name_key(name: str) -> str:
    """A name as it is compared: without regard to case, width or composition of letters."""
    return unicodedata.normalize("NFKC", name).casefold()


def clean_name(name: str) -> tuple[str, str]:
    """A name as it is shown, and as it is compared: "  ZOË  " is shown as "ZOË" and equals "zoë".

    Raises InvalidInputError for a name without a visible character.
    """
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not shown or not shown.isprintable():
        raise InvalidInputError(
            "A person's name needs at least one visible character and no control characters.",
            hint='For example: image-search name 3f2a "Ada Lovelace".',
        )
    return shown, name_key(shown)
