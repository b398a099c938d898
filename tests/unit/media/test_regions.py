"""Named faces in XMP, read as other programs write them and written as they read them."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, strategies as st

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.media.orientation import to_stored, to_upright
from image_search_service.media.regions import (
    Frame,
    NamedRegion,
    add_regions,
    readings,
    remove_region,
    rename_region,
)
from image_search_service.media.xmp import LARGEST, new_packet, packet_bytes, parse_packet
from tests.unit.services.metadata.xmp_files import WRITERS, digikam, lightroom, windows

LEFT, RIGHT = Box(0.1, 0.2, 0.2, 0.3), Box(0.6, 0.1, 0.3, 0.2)

shares = st.floats(0.01, 0.5)
boxes = st.builds(Box, shares, shares, st.floats(0.01, 0.45), st.floats(0.01, 0.45))
frames = st.builds(Frame, st.integers(1, 9_000), st.integers(1, 9_000), st.integers(1, 8))
names = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=20)


def named_regions(root: Any, frame: Frame) -> list[NamedRegion]:
    """As they are most likely meant."""
    return readings(root, frame)[0].named


def close(a: Box, b: Box) -> bool:
    return (a.x, a.y, a.width, a.height) == pytest.approx((b.x, b.y, b.width, b.height), abs=2e-6)


@pytest.mark.parametrize("program", sorted(WRITERS))
def test_what_other_programs_write_is_read(program: str) -> None:
    """Names and places are read however a program writes RDF's structures."""
    packet = WRITERS[program]([("Ada Lovelace", LEFT), ("Zoë", RIGHT)], (400, 300))
    found = named_regions(parse_packet(packet), Frame(400, 300, 1))
    assert [one.name for one in found] == ["Ada Lovelace", "Zoë"]
    assert close(found[0].box, LEFT)
    assert close(found[1].box, RIGHT)


@given(box=boxes, orientation=st.integers(1, 8))
def test_turning_there_and_back(box: Box, orientation: int) -> None:
    """A box brought upright and back is where it was, under every orientation."""
    assert close(to_stored(to_upright(box, orientation), orientation), box)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, Box(0.1, 0.2, 0.2, 0.3)),
        (2, Box(0.7, 0.2, 0.2, 0.3)),
        (3, Box(0.7, 0.5, 0.2, 0.3)),
        (4, Box(0.1, 0.5, 0.2, 0.3)),
        (5, Box(0.2, 0.1, 0.3, 0.2)),
        (6, Box(0.5, 0.1, 0.3, 0.2)),
        (7, Box(0.5, 0.7, 0.3, 0.2)),
        (8, Box(0.2, 0.7, 0.3, 0.2)),
    ],
)
def test_orientations(orientation: int, upright: Box) -> None:
    """Regions are measured in the stored picture; they are turned as the picture is."""
    frame = Frame(400, 300, orientation)
    packet = parse_packet(digikam([("Ada", LEFT)], frame.stored))
    assert close(named_regions(packet, frame)[0].box, upright)


def test_regions_of_the_upright_picture() -> None:
    """A program that has measured in the upright picture is told by the size that it wrote."""
    packet = parse_packet(digikam([("Ada", LEFT)], (300, 400)))
    assert close(named_regions(packet, Frame(300, 400, 6))[0].box, LEFT)


@given(
    regions=st.lists(st.builds(NamedRegion, names, boxes), max_size=4),
    frame=frames,
)
def test_what_is_written_is_read(regions: list[NamedRegion], frame: Frame) -> None:
    """Whatever is written, under every orientation, is read again as it was."""
    root = new_packet()
    add_regions(root, regions, frame, frame.orientation)
    read = named_regions(parse_packet(packet_bytes(root)), frame)
    assert [one.name for one in read] == [one.name for one in regions]
    assert all(close(a.box, b.box) for a, b in zip(read, regions, strict=True))


def test_lightroom_writes_the_upright_size_of_regions_of_the_stored_picture() -> None:
    """Lightroom's regions are turned as the picture is, whichever size it wrote."""
    packet = parse_packet(lightroom([("Ada", LEFT)], (300, 400)))
    (reading,) = readings(packet, Frame(300, 400, 6))
    assert close(reading.named[0].box, to_upright(LEFT, 6))


def test_where_the_size_says_upright_both_may_be_meant() -> None:
    """Without Lightroom's mark, regions with the upright size may be measured in either picture."""
    packet = parse_packet(digikam([("Ada", LEFT)], (300, 400)))
    boxes = [one.named[0].box for one in readings(packet, Frame(300, 400, 6))]
    assert close(boxes[0], LEFT)
    assert close(boxes[1], to_upright(LEFT, 6))


def test_pixels() -> None:
    """A program that measured in pixels is read by the size that it wrote."""
    in_pixels = digikam([("Ada", Box(40, 60, 80, 90))], (400, 300)).replace(b"normalized", b"pixel")
    assert close(named_regions(parse_packet(in_pixels), Frame(800, 600, 1))[0].box, LEFT)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_sixteen_bits(encoding: str) -> None:
    """XMP in UTF-16 is read, with a mark of its byte order or without."""
    packet = digikam([("Zoë", LEFT)], (400, 300)).decode().replace("\ufeff", "").encode(encoding)
    assert [one.name for one in named_regions(parse_packet(packet), Frame(400, 300, 1))] == ["Zoë"]


def test_what_only_microsoft_has_is_read_too() -> None:
    """Of Microsoft's regions those count that the MWG's do not have already, by name or place."""
    root = parse_packet(digikam([("Ada", LEFT)], (400, 300)))
    others = parse_packet(windows([("Ada", RIGHT), ("Eve", LEFT), ("Grace", RIGHT)], (400, 300)))
    root[0].extend(others[0])
    assert [one.name for one in named_regions(root, Frame(400, 300, 1))] == ["Ada", "Grace"]


@pytest.mark.parametrize("program", sorted(WRITERS))
def test_the_rest_of_a_packet_stays(program: str) -> None:
    """Editing changes the regions that it is told to, and leaves everything else."""
    root = parse_packet(WRITERS[program]([("Ada", LEFT), ("Grace", RIGHT)], (400, 300)))
    frame = Frame(400, 300, 1)
    reading = readings(root, frame)[0]
    first, second = reading.faces or reading.others
    rename_region(first, "Emmy")
    remove_region(second)
    written = packet_bytes(root)
    (left,) = named_regions(parse_packet(written), frame)
    assert (left.name, close(left.box, LEFT)) == ("Emmy", True)
    assert (b"A day out" in written) == (program == "digikam")
    assert written.count(b"Rotation") == (1 if program == "lightroom" else 0)
    assert b"<?xpacket" in written


NAMELESS = [
    digikam([("", LEFT)], (4, 3)).replace(b"<mwg-rs:Name></mwg-rs:Name>", b""),
    lightroom([("", LEFT)], (4, 3)).replace(b'mwg-rs:Name=""', b""),
    windows([("", LEFT)], (4, 3)).replace(b'MPReg:PersonDisplayName=""', b""),
]


@pytest.mark.parametrize("packet", NAMELESS)
def test_a_region_without_a_name_gets_one(packet: bytes) -> None:
    """A face that another program has only found is named where it stands."""
    root, frame = parse_packet(packet), Frame(4, 3, 1)
    reading = readings(root, frame)[0]
    assert reading.named == []
    rename_region((reading.faces or reading.others)[0], "Ada")
    assert [one.name for one in named_regions(parse_packet(packet_bytes(root)), frame)] == ["Ada"]


EMPTY = '<mwg-rs:Regions {} xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"/>'


@pytest.mark.parametrize("regions", [EMPTY.format(""), EMPTY.format('rdf:parseType="Resource"')])
def test_an_empty_structure_is_filled(regions: str) -> None:
    """Where a program has left its structure empty, regions go into it, never into a second one."""
    packet = digikam([], (400, 300)).decode()
    start, end = packet.index("<mwg-rs:Regions"), packet.index("</rdf:Description>")
    root = parse_packet((packet[:start] + regions + packet[end:]).encode())
    add_regions(root, [NamedRegion("Ada", LEFT)], Frame(400, 300, 1), 1)
    written = packet_bytes(root)
    assert written.count(b"<mwg-rs:Regions") == 1
    assert [one.name for one in named_regions(parse_packet(written), Frame(400, 300, 1))] == ["Ada"]


def test_what_is_no_named_face_is_left_out() -> None:
    """Pets, faces without a name, those to be left alone, and places outside of the picture are none."""
    assert named_regions(parse_packet(digikam([("Rex", LEFT)], (4, 3), kind="Pet")), Frame(4, 3, 1)) == []
    assert named_regions(parse_packet(windows([("f" * 16, LEFT)], (4, 3))), Frame(4, 3, 1)) == []
    outside = digikam([("", LEFT), ("Ada", Box(2, 2, 1, 1)), ("Eve", Box(0.1, 0.1, -1, 0))], (4, 3))
    (reading,) = readings(parse_packet(outside), Frame(4, 3, 1))
    assert reading.named == []
    assert len(reading.faces) == 1


ENTITY = b"""<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/">&e;</x:xmpmeta>"""


@pytest.mark.parametrize("packet", [b"", b"no xml", b"<x>", ENTITY, b" " * (LARGEST + 1)])
def test_what_is_no_xmp(packet: bytes) -> None:
    """Damaged, dangerous and huge packets are refused with a reason."""
    with pytest.raises(MediaError):
        parse_packet(packet)


@given(packet=st.binary(max_size=200))
def test_no_packet_breaks_it(packet: bytes) -> None:
    """Whatever stands in a packet, it is read or refused."""
    for each in (packet, digikam([(escape("Ada"), LEFT)], (4, 3))[: len(packet) * 7]):
        try:
            named_regions(parse_packet(each), Frame(4, 3, 1))
        except MediaError:
            continue
