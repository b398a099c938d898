"""Finds the texts of the pages: run it to see which the catalogues lack.

python scripts/page_words.py          lists what is missing and what is not used any more
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from image_search_service.web.catalogue import LANGUAGES, SOURCE, catalogue

WEB: Final = Path(__file__).parents[1] / "src" / "image_search_service" / "web"
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_TEMPLATE = re.compile(r"_\(" + _TEXT + r"\)")
_MODULE = re.compile(r"(?<![\w.])(t|tn|rich|richn|s)\(\s*" + _TEXT + r"(?:,\s*" + _TEXT + r")?")
_CHOICE = re.compile(r"rich\([^\"()]*\? " + _TEXT + r" : " + _TEXT)


def texts() -> dict[str, str | None]:
    """Each English text of templates and modules, with its plural where it has one."""
    found: dict[str, str | None] = {}
    for one, several in [*_of_templates(), *_of_modules()]:
        found[one] = several or found.get(one)
    return found


def _of_templates() -> Iterator[tuple[str, str | None]]:
    for path in sorted((WEB / "templates").glob("*.html")):
        for text in _TEMPLATE.findall(path.read_text(encoding="utf-8")):
            yield text, None


def _of_modules() -> Iterator[tuple[str, str | None]]:
    for path in sorted((WEB / "static").glob("*.js")):
        source = path.read_text(encoding="utf-8")
        for function, one, several in _MODULE.findall(source):
            yield one, several if function in {"tn", "richn", "s"} and several else None
        for pair in _CHOICE.findall(source):
            yield from ((text, None) for text in pair)


def main() -> int:
    wanted = texts()
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        there = catalogue(language).messages
        missing = {one: several for one, several in wanted.items() if not there.get(one, ("",))[0]}
        for one, several in missing.items():
            print(f"{language}: missing: {one}" + (f"  |  {several}" if several else ""))
        for one in sorted(set(there) - set(wanted)):
            print(f"{language}: not used: {one}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
