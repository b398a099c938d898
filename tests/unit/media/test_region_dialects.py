"""Regions as ACDSee, IPTC's users and programs with decimal commas write them."""

from __future__ import annotations

import pytest

from image_search_service.core.types import Box
from image_search_service.media.region_dialects import MOST_REGIONS
from image_search_service.media.regions import Frame, NamedRegion, readings, rename_region
from image_search_service.media.xmp import packet_bytes, parse_packet

BOX = Box(0.1, 0.2, 0.2, 0.3)
FRAME = Frame(400, 300, 1)
HEAD = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
    'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" '
    'xmlns:acdsee-rs="http://ns.acdsee.com/regions/" '
    'xmlns:acdsee-sArea="http://ns.acdsee.com/sType/Area#" '
    'xmlns:acdsee-stDim="http://ns.acdsee.com/sType/Dimensions#" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
)
PERSON = "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"


def packet(body: str) -> bytes:
    return f"{HEAD}{body}{TAIL}".encode()


def named(body: str, frame: Frame = FRAME) -> list[NamedRegion]:
    return readings(parse_packet(packet(body)), frame)[0].named


def close(box: Box) -> object:
    return pytest.approx((box.x, box.y, box.width, box.height), abs=1e-6)


def as_tuple(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.width, box.height


def acdsee(area: str = "DLYArea", applied: str = "400 300", kind: str = "Face") -> str:
    width, height = applied.split()
    return (
        '<acdsee-rs:Regions rdf:parseType="Resource">'
        f'<acdsee-rs:AppliedToDimensions acdsee-stDim:w="{width}" acdsee-stDim:h="{height}"/>'
        '<acdsee-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">'
        f'<acdsee-rs:{area} acdsee-sArea:x="0.2" acdsee-sArea:y="0.35" '
        'acdsee-sArea:w="0.2" acdsee-sArea:h="0.3"/>'
        f"<acdsee-rs:Name>Ada</acdsee-rs:Name><acdsee-rs:Type>{kind}</acdsee-rs:Type>"
        "</rdf:li></rdf:Bag></acdsee-rs:RegionList></acdsee-rs:Regions>"
    )


def iptc(
    boundary: str,
    name: str = PERSON,
) -> str:
    fields = "".join(
        f"<Iptc4xmpExt:{field}>{value}</Iptc4xmpExt:{field}>"
        for field, value in (pair.split("=") for pair in boundary.split())
    )
    return (
        '<Iptc4xmpExt:ImageRegion><rdf:Bag><rdf:li rdf:parseType="Resource">'
        f'<Iptc4xmpExt:RegionBoundary rdf:parseType="Resource">{fields}</Iptc4xmpExt:RegionBoundary>'
        f"{name}</rdf:li></rdf:Bag></Iptc4xmpExt:ImageRegion>"
    )


@pytest.mark.parametrize("area", ["DLYArea", "ALGArea"])
def test_acdsees_regions(area: str) -> None:
    """ACDSee's regions have a centre and a size, drawn by its user or found by the program."""
    (region,) = named(acdsee(area))
    assert (region.name, as_tuple(region.box)) == ("Ada", close(BOX))
    assert named(acdsee(area, kind="Pet")) == []
    assert named(acdsee(area, applied="100 300")) == []


@pytest.mark.parametrize(
    "boundary",
    [
        "rbShape=rectangle rbUnit=relative rbX=0.1 rbY=0.2 rbW=0.2 rbH=0.3",
        "rbShape=rectangle rbUnit=pixel rbX=40 rbY=60 rbW=80 rbH=90",
        "rbShape=rectangle rbUnit=relative rbX=0,1 rbY=0,2 rbW=0,2 rbH=0,3",
    ],
)
def test_iptcs_regions(boundary: str) -> None:
    """IPTC's rectangles have a corner and a size, in shares or in pixels."""
    (region,) = named(iptc(boundary))
    assert (region.name, as_tuple(region.box)) == ("Ada", close(BOX))


def test_iptcs_circles_and_polygons() -> None:
    """A circle's radius is a share of the width; a polygon is taken by the rectangle around it."""
    (circle,) = named(iptc("rbShape=circle rbUnit=relative rbX=0.5 rbY=0.5 rbRx=0.1"))
    assert as_tuple(circle.box) == close(Box(0.4, 0.5 - 0.1 * 400 / 300, 0.2, 0.2 * 400 / 300))
    corners = "".join(
        f'<rdf:li Iptc4xmpExt:rbX="{x}" Iptc4xmpExt:rbY="{y}"/>'
        for x, y in ((0.1, 0.2), (0.3, 0.3), (0.2, 0.5))
    )
    body = iptc("rbShape=polygon rbUnit=relative").replace(
        "</Iptc4xmpExt:RegionBoundary>",
        f"<Iptc4xmpExt:rbVertices><rdf:Seq>{corners}</rdf:Seq></Iptc4xmpExt:rbVertices></Iptc4xmpExt:RegionBoundary>",
    )
    (polygon,) = named(body)
    assert as_tuple(polygon.box) == close(BOX)


def test_an_iptc_region_of_a_thing_is_nobody() -> None:
    """A region's name counts only where its type says that it is of a human."""
    name = '<Iptc4xmpExt:Name><rdf:Alt><rdf:li xml:lang="x-default">Ada</rdf:li></rdf:Alt></Iptc4xmpExt:Name>'
    kind = (
        '<Iptc4xmpExt:rCtype><rdf:Bag><rdf:li rdf:parseType="Resource">'
        "<Iptc4xmpExt:identifier><rdf:Bag><rdf:li>"
        "http://cv.iptc.org/newscodes/imageregiontype/{}</rdf:li></rdf:Bag></Iptc4xmpExt:identifier></rdf:li>"
        "</rdf:Bag></Iptc4xmpExt:rCtype>"
    )
    boundary = "rbShape=rectangle rbUnit=relative rbX=0.1 rbY=0.2 rbW=0.2 rbH=0.3"
    assert named(iptc(boundary, name)) == []
    assert named(iptc(boundary, name + kind.format("building"))) == []
    assert [region.name for region in named(iptc(boundary, name + kind.format("human")))] == ["Ada"]


@pytest.mark.parametrize("rectangle", ["0,1, 0,2, 0,2, 0,3", "0,1,0,2,0,2,0,3", "0.1, 0.2, 0.2, 0.3"])
def test_microsofts_decimal_commas(rectangle: str) -> None:
    """A rectangle that was written with decimal commas is read."""
    (region,) = named(
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li rdf:parseType="Resource">'
        f"<MPReg:PersonDisplayName>Ada</MPReg:PersonDisplayName><MPReg:Rectangle>{rectangle}</MPReg:Rectangle>"
        "</rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"
    )
    assert (region.name, as_tuple(region.box)) == ("Ada", close(BOX))


def mwg(numbers: str, name: str = "Ada") -> str:
    x, y, width, height = numbers.split()
    return (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource">'
        f'<mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{width}" '
        f'stArea:h="{height}"/></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>'
    )


def test_decimal_commas_and_what_is_no_number() -> None:
    """Decimal commas are read; a region whose place is no number is named, so that it is counted."""
    (region,) = named(mwg("0,2 0,35 0,2 0,3"))
    assert as_tuple(region.box) == close(BOX)
    (reading,) = readings(parse_packet(packet(mwg("0.2 far 0.2 0.3"))), FRAME)
    assert (reading.named, reading.invalid) == ([], ("Ada",))


@pytest.mark.parametrize("body", [acdsee(), iptc("rbX=0.1 rbY=0.2 rbW=0.2 rbH=0.3")])
def test_every_dialect_is_renamed(body: str) -> None:
    """A region of any dialect is renamed in its own field; the rest stays."""
    root = parse_packet(packet(body))
    (region,) = readings(root, FRAME)[0].others
    rename_region(region, "Grace")
    written = packet_bytes(root).decode()
    assert (written.count("Grace"), written.count("Ada")) == (1, 0)


def test_many_regions_are_bounded() -> None:
    """A packet with more regions than any photo has faces costs what the first ones cost."""
    one = mwg("0.2 0.35 0.2 0.3")
    item = one[one.index("<rdf:li") : one.index("</rdf:Bag>")]
    (reading,) = readings(parse_packet(packet(one.replace(item, item * 20_000))), FRAME)
    assert len(reading.faces) == MOST_REGIONS
