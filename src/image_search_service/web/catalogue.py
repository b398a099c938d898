"""The pages' words in the languages that there are: English in the sources, others in ``words/*.po``.

The files are gettext's, so that any editor for translators opens them. Both languages have one form for one
and another for all other numbers, and the reader below knows no more of plurals than that.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

WORDS: Final = Path(__file__).parent / "words"
SOURCE: Final = "en"
LANGUAGES: Final = {"en": "English", "de": "Deutsch"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language's words. messages: by the English ones, the forms for one and for several."""

    language: str
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def one(self, text: str) -> str:
        """The words for an English text; the English ones where there are none."""
        forms = self.messages.get(text)
        return forms[0] if forms and forms[0] else text

    def many(self, singular: str, plural: str, number: int) -> str:
        """As ``one``, by a number."""
        index = 0 if number == 1 else 1
        forms = self.messages.get(singular, ())
        return forms[index] if len(forms) > index and forms[index] else (singular, plural)[index]

    def as_json(self) -> bytes:
        """For the modules: each English text with its forms."""
        return json.dumps(dict(self.messages), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def catalogue(language: str) -> Catalogue:
    """A language's catalogue; the source language has none to read."""
    if language == SOURCE:
        return Catalogue(SOURCE)
    text = (WORDS / f"{language}.po").read_text(encoding="utf-8")
    return Catalogue(language, read_po(text))


def choose(wanted: str | None, accepted: str | None) -> str:
    """A language that there is: what somebody chose, else the first that their browser accepts."""
    if wanted in LANGUAGES:
        return wanted
    for part in (accepted or "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return SOURCE


def read_po(text: str) -> dict[str, tuple[str, ...]]:
    """The messages of a .po file, each with its forms. Raises ValueError on a line that is none."""
    messages: dict[str, tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        parts = dict(_parts(block))
        forms = tuple(value for key, value in parts.items() if key.startswith("msgstr"))
        if parts.get("msgid"):
            messages[parts["msgid"]] = forms
    return messages


def _parts(block: str) -> Iterator[tuple[str, str]]:
    """The keywords of one entry with their texts, which may go on over several lines."""
    keyword, text = "", ""
    for line in block.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith('"'):
            text += _quoted(line)
            continue
        if keyword:
            yield keyword, text
        keyword, _, rest = line.partition(" ")
        text = _quoted(rest)
    if keyword:
        yield keyword, text


def _quoted(line: str) -> str:
    try:
        value = ast.literal_eval(line)
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"not a quoted text: {line}") from error
    return str(value)
