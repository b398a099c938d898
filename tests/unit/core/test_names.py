"""Persons' names: what they may have, and which are the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name, name_key

ALI_REZA = "علی\u200cرضا"
FAMILY = "👨\u200d👩\u200d👧"
NAMES = {
    "persian": ALI_REZA,
    "persian ending in a joined letter": "ه\u200d",
    "sinhala": "ශ්\u200dරී ලාල්",
    "hindi": "कृष्\u200dण",
    "malayalam": "അവന്\u200d",
    "bengali": "র\u200d্যাম",
    "family": FAMILY,
    "heart on fire": "❤\ufe0f\u200d🔥",
    "england": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "variant of an ideograph": "葛\U000e0100城",
    "mongolian": "ᠰᠠ\u180bᠶ",
    "thai, with a place to break": "สม\u200bชาย",
    "private use": "\uf8ff",
    "weiß": "Weiß",
    "turkish": "Işıl İnönü",
    "an apostrophe": "O’Brien",
}
DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"

letters = st.characters(exclude_categories=["Cs", "Cn", "Cc"])
"""All that Python's Unicode knows; what it does not know yet has no case and no composition."""
unicode_names = st.text(
    letters | st.sampled_from(" \u200c\u200d\u034f\ufe0fßẞıİIiΣσςﬀǅ\u0345\u0301\u0327علیرද්කिि👨👩"),
    max_size=12,
)


def is_refused(name: str) -> bool:
    try:
        clean_name(name)
    except InvalidInputError:
        return True
    return False


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_f7_a_name_stays_as_it_is_written(name: str) -> None:
    """F7: joiners, marks, variation selectors and tags that a script needs stay in a name."""
    assert clean_name(name)[0] == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("  Zoë \t Ada\n", "Zoë Ada"),
        ("\ufeffAda\u200e", "Ada"),
        ("\u2067עדה\u2069", "עדה"),
        ("Ada\x00\x1b Lovelace\x7f", "Ada Lovelace"),
        ("Ada\u2028Lovelace", "Ada Lovelace"),
        ("Ada \u202e Lovelace", "Ada Lovelace"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_what_is_no_part_of_a_name_goes(given_name: str, shown: str) -> None:
    """Directions of writing, byte order marks, control characters and needless spaces are left out."""
    assert clean_name(given_name)[0] == shown


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "\u200c\u200d", "\ufe0f", "\u3164", "\u2067\u2069", "\x1b", "\U000e0067"]
)
def test_a_name_that_nobody_sees_is_refused(name: str) -> None:
    """A name has to be seen."""
    assert is_refused(name)


@pytest.mark.parametrize("name", ["Ad\udce4", "Ada\ufffe", "\ufdd0Ada", "Ada\U0010ffff"])
def test_what_is_no_character_is_refused(name: str) -> None:
    """Bytes in another encoding are not dropped, which would leave another name."""
    assert is_refused(name)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("ZOË", "Zoe\u0308"),
        ("ODYSSEUS Οδυσσεύς", "odysseus ΟΔΥΣΣΕΎΣ"),
        ("WEIẞ", "weiß"),
        ("Ǆ", "ǆ"),
        ("ΐ", "Ϊ\u0301"),
        ("Ada", "A\u200cd\u200da"),
        ("Ada", "\u200dAda\u200c"),
        ("Ada Lovelace", "Ada\u200c Lovelace"),
        ("Ada", "A\u00add\u200ba"),
        ("❤\ufe0f", "❤"),
        (ALI_REZA, "علی\u200c\u200cرضا"),
        ("رضازاده", "رضا\u200cزاده"),  # alef joins no next letter anyway
        ("علی", "ع\u200dلی"),  # joined anyway
        ("राम", "रा\u200dम"),
    ],
)
def test_the_same_name(a: str, b: str) -> None:
    """Names that differ in case, composition, or in what nobody sees are the same."""
    assert clean_name(a)[1] == clean_name(b)[1]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Weiß", "Weiss"),
        ("Işık", "Isik"),
        ("Kır", "Kir"),
        ("İpek", "ıpek"),
        ("ﬁn", "fin"),
        ("Ａｄａ", "Ada"),
        (ALI_REZA, ALI_REZA.replace("\u200c", "")),
        ("කෂ්\u200dය", "කෂ්ය"),
        (FAMILY, FAMILY.replace("\u200d", "")),
        (
            NAMES["england"],
            NAMES["england"].replace("\U000e0065\U000e006e\U000e0067", "\U000e0073\U000e0063\U000e0074"),
        ),
        ("葛\U000e0100城", "葛城"),
        ("राम", "रमा"),
        ("Renée", "Renee"),
    ],
)
def test_two_names(a: str, b: str) -> None:
    """Names that are written with other letters are two, until somebody says that they are one."""
    assert clean_name(a)[1] != clean_name(b)[1]


@given(unicode_names)
@example("Ϋ\u0301")
@example("J\u030c")
def test_cleaning_again_changes_nothing(name: str) -> None:
    """What was cleaned is clean, what is compared is compared as itself, and both have one spelling."""
    if is_refused(name):
        return
    shown, key = clean_name(name)
    assert clean_name(shown) == (shown, key)
    assert name_key(key) == key == unicodedata.normalize("NFC", key)
    assert shown == unicodedata.normalize("NFC", shown)


@given(unicode_names)
def test_composition_makes_no_other_name(name: str) -> None:
    """Composed or decomposed, it is the same name."""
    spellings = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} | {name}
    assert len({is_refused(spelling) for spelling in spellings}) == 1
    if not is_refused(name):
        assert len({clean_name(spelling) for spelling in spellings}) == 1


@given(unicode_names, st.integers(0, 12), st.sampled_from(DIRECTIONS))
def test_directions_make_no_other_name(name: str, place: int, direction: str) -> None:
    """A mark that is only a direction or the order of bytes changes nothing, wherever it stands."""
    marked = direction + name[:place] + name[place:] + direction
    assert is_refused(marked) == is_refused(name)
    if not is_refused(name):
        assert clean_name(marked) == clean_name(name)


@given(st.text(st.characters(categories=["Lu", "Ll", "Lt"]), min_size=1, max_size=8))
def test_case_makes_no_other_name(name: str) -> None:
    """Letters with one counterpart in the other case are the same in both."""
    other = "".join(
        changed if len(changed := letter.swapcase()) == 1 and changed.swapcase() == letter else letter
        for letter in name
    )
    assert name_key(other) == name_key(name)
