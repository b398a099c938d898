"""Persons' names, as shown and as compared: the one place with the rule that ``docs/decisions.md`` states."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from image_search_service.core.errors import InvalidInputError

LONGEST_NAME: Final = 200
"""Characters that a person's name has at most."""
LONGEST_NOTE: Final = 200
"""Characters that a note about a person has at most."""
LONGEST_READ: Final = 512
"""Characters that are looked at of what is given for a name: putting accents in order takes time with the
square of how many there are on one letter."""

_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff]")
"""What only orders a direction of writing, or the order of bytes. It is not part of a name."""
_CONTROLS: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
_NO_CHARACTERS: Final = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(0x10000 * n - 2)}-{chr(0x10000 * n - 1)}" for n in range(1, 18))
    + "]"
)
"""Halves of characters, and code points that Unicode will never give to one."""

_UNSEEN: Final = re.compile("[\u00ad\u034f\u200b\u2060-\u2064\ufe0e\ufe0f]")
"""Not seen in a name, so not compared: soft hyphens, places for a line break, and whether a sign is drawn in
colour."""
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and signs that are drawn as nothing."""
ZWNJ, ZWJ = "\u200c", "\u200d"
"""The joiners: zero width non-joiner and zero width joiner."""
_JOINERS: Final = re.compile(f"[{ZWNJ}{ZWJ}]+")
_VIRAMA: Final = 9
"""The combining class of signs that take a letter's vowel away, as in Hindi and Sinhala."""
_CURSIVE: Final = (
    "ADLAM ", "CHORASMIAN ", "HANIFI ", "MANDAIC ", "MANICHAEAN ", "MONGOLIAN ", "NKO ", "OLD UYGHUR ",
    "PHAGS-PA ", "PSALTER ", "SOGDIAN ", "SYRIAC ",
)  # fmt: skip
"""Scripts beside Arabic whose letters join, as their characters' names begin."""
_JOINED_TO_NONE_AFTER: Final = re.compile(
    "[\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf"
    "\u06d2\u06d3\u06d5\u06ee\u06ef]"
)
"""Arabic letters that never join the next one."""


def name_key(name: str) -> str:
    """A name as it is compared: in NFC, without regard to case, and to what nobody sees in it.

    Case is folded letter by letter: "Weiß" and "Weiss", "ı" and "i" differ. A joiner counts where it changes
    how its neighbours are drawn. Of what is too long to be a name only the beginning counts.
    """
    name = name[:LONGEST_READ]
    seen = _UNSEEN.sub("", _DIRECTIONS.sub("", unicodedata.normalize("NFC", name)))
    seen = " ".join(_JOINERS.sub(_joiner_that_shows, unicodedata.normalize("NFC", seen)).split())
    return unicodedata.normalize("NFC", "".join(map(_folded, seen)))


def clean_note(text: str | None) -> str | None:
    """A note about a person as it is stored; None for an empty one. Raises InvalidInputError for one that is
    too long, or has control characters."""
    given = text or ""
    shown = " ".join(unicodedata.normalize("NFC", given[:LONGEST_READ]).split())
    if len(given) > LONGEST_READ or len(shown) > LONGEST_NOTE:
        raise InvalidInputError(f"A note has at most {LONGEST_NOTE} characters.")
    if not shown.isprintable():
        raise InvalidInputError("A note has no control characters.")
    return shown or None


def clean_name(name: str) -> tuple[str, str]:
    """A name as it is shown, and as it is compared: "  ZOË  " is shown as "ZOË" and equals "zoë".

    Spaces become single ones; directions of writing, byte order marks and control characters go. Everything
    else stays as it was given. Raises InvalidInputError for a name without a visible character, with what is
    no character, or of more than ``LONGEST_NAME`` characters.
    """
    if len(name) > LONGEST_READ:
        raise _too_long()
    if _NO_CHARACTERS.search(name):
        raise InvalidInputError(
            "A person's name cannot have bytes that are no characters.",
            hint="Was it written in another encoding than UTF-8?",
        )
    spaced = " ".join(_DIRECTIONS.sub("", name).split())
    shown = unicodedata.normalize("NFC", " ".join(_CONTROLS.sub("", spaced).split()))
    if not any(_is_visible(character) for character in shown):
        raise InvalidInputError(
            "A person's name needs at least one visible character.",
            hint='For example: image-search name 3f2a "Ada Lovelace".',
        )
    if len(shown) > LONGEST_NAME:
        raise _too_long()
    return shown, name_key(shown)


def _too_long() -> InvalidInputError:
    return InvalidInputError(f"A person's name has at most {LONGEST_NAME} characters.")


def is_name(name: str) -> bool:
    """Whether this is a valid name of a person."""
    try:
        clean_name(name)
    except InvalidInputError:
        return False
    return True


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] in "LNPS" or category in ("Co", "Cn")) and character not in _BLANK


def _folded(character: str) -> str:
    """Unicode's simple case folding: one character for one."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character


def _joiner_that_shows(found: re.Match[str]) -> str:
    """The first of one or more joiners if it changes how its neighbours are drawn, else nothing."""
    text, joiner = found.string, found[0][0]
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    if not before or not after:
        return ""
    if _VIRAMA in (unicodedata.combining(before), unicodedata.combining(after)):
        return joiner
    left, right = _base_before(text, found.start()), after
    if unicodedata.category(left)[0] == "S" or unicodedata.category(right)[0] == "S":
        is_picture = left > "\xff" and right > "\xff" and unicodedata.category(right) == "So"
        return joiner if joiner == ZWJ and is_picture else ""
    left_name, right_name = unicodedata.name(left, ""), unicodedata.name(right, "")
    if left_name.startswith("ARABIC LETTER") and right_name.startswith("ARABIC LETTER"):
        joins = _JOINED_TO_NONE_AFTER.match(left) is None
        return joiner if joins == (joiner == ZWNJ) else ""
    return joiner if left_name.startswith(_CURSIVE) and right_name.startswith(_CURSIVE) else ""


def _base_before(text: str, end: int) -> str:
    """The last character before ``end`` that is no mark on another one."""
    start = end - 1
    while start > 0 and unicodedata.category(text[start]) in ("Mn", "Me"):
        start -= 1
    return text[start]
