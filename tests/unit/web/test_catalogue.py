"""The pages' words: both languages have all of them."""

from __future__ import annotations

import re

import pytest
from scripts.page_words import texts

from image_search_service.web.catalogue import LANGUAGES, SOURCE, Catalogue, catalogue, read_po

OTHERS = [language for language in LANGUAGES if language != SOURCE]


def test_the_texts_are_found() -> None:
    """The search for texts sees those of templates, of modules, and those kept for the undo line."""
    found = texts()
    assert "Keys of this page" in found
    assert found["{n} face"] == "{n} faces"
    assert found["{n} face is {name} now"] == "{n} faces are {name} now"
    assert len(found) > 300


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_all_words(language: str) -> None:
    """Every text of the pages has its words in each language, a plural where it has one, and no others."""
    there = catalogue(language).messages
    wanted = texts()
    assert set(there) == set(wanted)
    short = [
        one
        for one, several in wanted.items()
        if len([form for form in there[one] if form]) < (2 if several else 1)
    ]
    assert short == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_its_places(language: str) -> None:
    """What is put into a text, {n} or {name}, has its place in the translation as well."""
    for text, forms in catalogue(language).messages.items():
        for form in forms:
            assert set(re.findall(r"\{\w+\}", form)) <= set(re.findall(r"\{\w+\}", text)) | {"{n}"}, text
            assert not set(re.findall(r"\{(?:name|who)\w*\}", text)) - set(re.findall(r"\{\w+\}", form)), text


def test_a_po_file_is_read_as_gettext_writes_it() -> None:
    """Comments, texts over several lines, escapes, plurals; the header is no message."""
    text = (
        'msgid ""\nmsgstr "Language: de\\n"\n\n# a note\n#: review.js:3\n'
        'msgid "a \\"b\\""\nmsgstr "c"\n"d"\n\n'
        'msgid "{n} face"\nmsgid_plural "{n} faces"\nmsgstr[0] "{n} Gesicht"\nmsgstr[1] "{n} Gesichter"\n'
    )
    assert read_po(text) == {'a "b"': ("cd",), "{n} face": ("{n} Gesicht", "{n} Gesichter")}


def test_a_broken_po_file_is_named() -> None:
    """A line that is no text in quotes is an error that shows the line."""
    with pytest.raises(ValueError, match="not a quoted text: nothing"):
        read_po('msgid "a"\nmsgstr nothing')


def test_numbers_choose_their_form() -> None:
    """One has its own form; all other numbers, none among them, the other; what is missing is English."""
    words = Catalogue("de", {"{n} face": ("ein", "viele")})
    assert [words.many("{n} face", "{n} faces", number) for number in (0, 1, 2)] == ["viele", "ein", "viele"]
    assert words.many("{n} day", "{n} days", 2) == "{n} days"
    assert words.one("nothing") == "nothing"
