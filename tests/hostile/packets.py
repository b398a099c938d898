"""XMP that nobody writes who means well, and mutations of what programs write."""

from __future__ import annotations

import random
from collections.abc import Iterator

from image_search_service.core.types import Box
from tests.unit.services.metadata.xmp_files import WRITERS

_SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "x": "adobe:ns:meta/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "acd": "http://ns.acdsee.com/regions/",
    "acda": "http://ns.acdsee.com/sType/Area#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "iptc": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
    "digi": "http://www.digikam.org/ns/1.0/",
    "ak": "http://ns.acdsee.com/iptc/1.0/",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items())
REGIONS = 500
"""Of each dialect, as many as are read."""


def packet(properties: str, description: str = "<rdf:Description>{}</rdf:Description>") -> bytes:
    return (
        f"<x:xmpmeta {_DECLARED}><rdf:RDF>{description.format(properties)}</rdf:RDF></x:xmpmeta>"
    ).encode()


def _mwg(name: str, x: float = 0.5) -> str:
    area = f'<mwg-rs:Area stArea:x="{x:.4f}" stArea:y="0.5" stArea:w="0.0001" stArea:h="0.0001"/>'
    return f'<rdf:li rdf:parseType="Resource" mwg-rs:Name="{name}">{area}</rdf:li>'


def _listed(field: str, items: str) -> str:
    return f"<{field}><rdf:Bag>{items}</rdf:Bag></{field}>"


def _nested(opening: str, times: int, inner: str = "") -> str:
    names = [part.split()[0] for part in opening.strip("<>").split("><")]
    closing = "".join(f"</{name}>" for name in reversed(names))
    return opening * times + inner + closing * times


def _regions_of_each(number: int) -> str:
    places = [(n, n / number) for n in range(number)]
    return (
        _listed("mwg-rs:RegionList", "".join(_mwg(f"M{n}", x) for n, x in places))
        + _listed(
            "acd:RegionList",
            "".join(
                f'<rdf:li acd:Name="A{n}"><acd:DLYArea acda:x="{x:.4f}" acda:y="0.6" acda:w="0.0001" '
                'acda:h="0.0001"/></rdf:li>'
                for n, x in places
            ),
        )
        + _listed(
            "MPRI:Regions",
            "".join(
                f'<rdf:li MPReg:PersonDisplayName="W{n}" MPReg:Rectangle="{x:.4f}, 0.7, 0.0001, 0.0001"/>'
                for n, x in places
            ),
        )
    )


def hostile_packets() -> Iterator[tuple[str, bytes]]:
    """Each with what makes it dear; none is larger than what is read."""
    yield (
        "region lists in each other",
        packet(
            _nested("<mwg-rs:RegionList><rdf:Bag>", 80, _mwg("Ada") * 2_000)
            + "".join(_listed("mwg-rs:RegionList", _mwg("Ada") * 4) for _ in range(240))
        ),
    )
    yield "regions whose type holds the next one", packet(
        _nested("<iptc:ImageRegion><rdf:Bag><rdf:li><iptc:rCtype>", 58, _listed("iptc:ImageRegion",
        "<rdf:li><iptc:rCtype>" + "x" * 100 + "</iptc:rCtype></rdf:li>") * 20_000)
    )  # fmt: skip
    yield "as many regions as are read, of each dialect", packet(_regions_of_each(REGIONS))
    yield "ever more regions", packet(_regions_of_each(6_000))
    yield "a name of megabytes", packet(_listed("mwg-rs:RegionList", _mwg("Ada" * 2**20)))
    yield (
        "accents without end",
        packet(
            _listed("mwg-rs:RegionList", _mwg("a" + "\u0301\u0316" * 2**19))
            + _listed("iptc:PersonInImage", "<rdf:li>" + "a" + "\u0301\u0316" * 2**19 + "</rdf:li>")
        ),
    )
    yield (
        "joiners without end",
        packet(_listed("digi:TagsList", "<rdf:li>People/" + "\u0915\u200d" * 10**6 + "</rdf:li>")),
    )
    yield "keywords", packet(_listed("digi:TagsList", "<rdf:li>People/Ada</rdf:li>" * 150_000))
    yield "descriptions without end", packet("", "<rdf:Description/>" * 190_000)
    yield "packets in each other", packet("", _nested("<rdf:RDF>", 240, "<rdf:Description/>" * 150_000))
    categories = "&lt;Categories&gt;&lt;Category/&gt;&lt;/Categories&gt;"
    yield (
        "a tree of keywords in each description",
        packet("", f'<rdf:Description ak:categories="{categories}"/>' * 60_000),
    )
    yield (
        "trees of keywords",
        packet(
            _listed("kw:Keywords><kw:Hierarchy", "<rdf:li/>").replace("</kw:Keywords><kw:Hierarchy>", "")
            + "</kw:Hierarchy></kw:Keywords>"
            + "<kw:Keywords><kw:Hierarchy><rdf:Bag>"
            + _nested("<rdf:li><kw:Children><rdf:Bag>", 60, "<rdf:li kw:Keyword='Ada'/>" * 100_000)
            + "</rdf:Bag></kw:Hierarchy></kw:Keywords>"
        ),
    )
    yield (
        "fields of one region",
        packet(_listed("mwg-rs:RegionList", "<rdf:li>" + "<rdf:Description/>" * 190_000 + "</rdf:li>")),
    )
    yield (
        "a number of megabytes",
        packet(_listed("mwg-rs:RegionList", _mwg("Ada").replace("0.5000", "0." + "5" * 2**22))),
    )
    yield "entities of entities", _entities() + packet('<mwg-rs:Regions mwg-rs:Name="&z9;"/>')
    yield "elements in each other", packet("<a>" * 500_000)


def _entities() -> bytes:
    lines = [f'<!ENTITY z{n + 1} "{f"&z{n};" * 10}">' for n in range(9)]
    return f'<!DOCTYPE x [<!ENTITY z0 "{"z" * 10}">{"".join(lines)}]>'.encode()


def mutated_packets(number: int) -> Iterator[tuple[str, bytes]]:
    """What programs write, damaged: bytes, lengths and order, the same ones each time."""
    box = Box(0.1, 0.1, 0.3, 0.4)
    originals = [write([("Ada", box), ("Grace", box)], (120, 80)) for write in WRITERS.values()]
    dice = random.Random(17)  # noqa: S311 - the same mutations each time
    for case in range(number):
        content = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 8)):
            _mutate(content, dice)
        yield f"mutation {case}", bytes(content)


def _mutate(content: bytearray, dice: random.Random) -> None:
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    match dice.randrange(5):
        case 0:
            content[start : start + 1] = bytes([dice.randrange(256)])
        case 1:
            del content[start : min(end, start + 60)]
        case 2:
            content[start:start] = content[start:end] * dice.randint(1, 3)
        case 3:
            content[start:start] = dice.choice([b"\0", b"&lt;", b"]]>", b"<!--", b"\xff\xfe", b"9" * 400])
        case _:
            part = content[start : start + 40]
            del content[start : start + 40]
            content[end:end] = part
