"""Names of people in keywords and lists of persons."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import pytest

from image_search_service.media.keyword_trees import tree_keywords
from image_search_service.media.person_tags import people_without_place, rename_people
from image_search_service.media.xmp import packet_bytes, parse_packet

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


def packet(**lists: list[str]) -> bytes:
    """A packet with lists, by the prefixed name of their property with ``_`` for the colon."""
    spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    fields = ""
    for name, entries in lists.items():
        prefixed = name.replace("_", ":", 1)
        listed = "".join(f"<rdf:li>{entry}</rdf:li>" for entry in entries)
        fields += f"<{prefixed}><rdf:Bag>{listed}</rdf:Bag></{prefixed}>"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{spaces}>{fields}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def renamed(lists: dict[str, list[str]], known: AbstractSet[str] = frozenset()) -> list[str]:
    """All entries after Anna became Anna Meier."""
    root = parse_packet(packet(**lists))
    rename_people(root, {"anna": "Anna Meier"}, known)
    again = parse_packet(packet_bytes(root))
    return [item.text for item in again.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")]


def test_who_is_in_the_picture() -> None:
    """Persons in the image and paths of people are read; groups, places and plain keywords are not."""
    root = parse_packet(
        packet(
            Iptc4xmpExt_PersonInImage=["Anna", "Opa "],
            digiKam_TagsList=["People/Family/Berta", "People/Family", "Places/Rome", "People/anna"],
            lr_hierarchicalSubject=["Personen|Carla"],
            dc_subject=["Rome", "Dora"],
        )
    )
    assert people_without_place(root) == ["Anna", "Opa", "Berta", "Carla"]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"digiKam_TagsList": ["People/Anna", "People/Annabel"]}, ["People/Anna Meier", "People/Annabel"]),
        ({"lr_hierarchicalSubject": ["People|Family|Anna"]}, ["People|Family|Anna Meier"]),
        ({"MicrosoftPhoto_LastKeywordXMP": ["People/Anna"]}, ["People/Anna Meier"]),
        ({"Iptc4xmpExt_PersonInImage": ["Anna", "Berta"]}, ["Anna Meier", "Berta"]),
        ({"dc_subject": ["Anna", "Hanna", "garden"]}, ["Anna Meier", "Hanna", "garden"]),
        ({"digiKam_TagsList": ["Klasse 3b/Anna"]}, ["Klasse 3b/Anna Meier"]),
        ({"digiKam_TagsList": ["People/Anna", "Ships/Anna"]}, ["People/Anna Meier", "Ships/Anna"]),
        ({"digiKam_TagsList": ["Places/Anna"]}, ["Places/Anna"]),
        (
            {"digiKam_TagsList": ["People/Anna", "Places/Anna"], "dc_subject": ["Anna"]},
            ["Anna", "People/Anna Meier", "Places/Anna"],
        ),
        (
            {"digiKam_TagsList": ["People/Anna", "People/Anna/as a child"]},
            ["People/Anna Meier", "People/Anna Meier/as a child"],
        ),
        ({"digiKam_TagsList": ["People/Anna", "People/Anna Meier"]}, ["People/Anna Meier"]),
    ],
)
def test_every_place_is_renamed_and_nothing_else(lists: dict[str, list[str]], expected: list[str]) -> None:
    """A name is renamed where it is a person's, in whatever list; what only resembles it stays."""
    assert sorted(renamed(lists)) == sorted(expected)


def test_paths_of_known_people_tell_what_a_root_is_for() -> None:
    """A path beside that of somebody else in the picture is one of people."""
    assert renamed(
        {"digiKam_TagsList": ["Klasse/Berta", "Klasse/Anna", "Schiffe/Anna"]}, {"berta", "anna"}
    ) == [
        "Klasse/Berta",
        "Klasse/Anna Meier",
        "Schiffe/Anna",
    ]


TREES = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:mwg-kw="http://www.metadataworkinggroup.com/schemas/keywords/"
 xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
 acdsee:categories="&lt;Categories>&lt;Category Assigned='0'>People&lt;Category>Anna
&lt;/Category>&lt;/Category>&lt;Category>Places&lt;Category>Anna&lt;/Category>&lt;/Category>&lt;/Categories>">
<mwg-kw:Keywords rdf:parseType="Resource"><mwg-kw:Hierarchy><rdf:Bag><rdf:li rdf:parseType="Resource">
<mwg-kw:Keyword>People</mwg-kw:Keyword><mwg-kw:Children><rdf:Bag><rdf:li mwg-kw:Keyword="Anna"/>
<rdf:li rdf:parseType="Resource"><mwg-kw:Keyword>Berta</mwg-kw:Keyword></rdf:li></rdf:Bag></mwg-kw:Children>
</rdf:li></rdf:Bag></mwg-kw:Hierarchy></mwg-kw:Keywords></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_trees_of_keywords() -> None:
    """The MWG's tree and ACDSee's categories are read, and renamed below people, not below places."""
    root = parse_packet(TREES.encode())
    assert people_without_place(root) == ["Anna", "Berta"]
    assert rename_people(root, {"anna": "Anna Meier"}, frozenset()) == 2
    again = parse_packet(packet_bytes(root))
    assert [keyword.path for keyword in tree_keywords(again)] == [
        ("People",),
        ("People", "Anna Meier"),
        ("People", "Berta"),
        ("People",),
        ("People", "Anna Meier"),
        ("Places",),
        ("Places", "Anna"),
    ]


def test_long_lists_are_bounded() -> None:
    """Many and deep paths cost what they are long."""
    many = [f"People/{number}/Anna" for number in range(20_000)]
    assert renamed({"digiKam_TagsList": [*many, "/" * 200_000 + "Anna"]})[0] == "People/0/Anna Meier"
