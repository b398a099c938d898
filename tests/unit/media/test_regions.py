"""Named faces in XMP, read as other programs write them and written as they read them."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.media.orientation import to_stored, to_upright
from image_search_service.media.regions import (
    LARGEST,
    Frame,
    NamedRegion,
    face_regions,
    named_regions,
    new_packet,
    packet_bytes,
    parse_packet,
    set_regions,
)
from tests.support.xmp import WRITERS, digikam

LEFT, RIGHT = Box(0.1, 0.2, 0.2, 0.3), Box(0.6, 0.1, 0.3, 0.2)

shares = st.floats(0.01, 0.5)
boxes = st.builds(Box, shares, shares, st.floats(0.01, 0.45), st.floats(0.01, 0.45))
frames = st.builds(Frame, st.integers(1, 9_000), st.integers(1, 9_000), st.integers(1, 8))
names = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=20)


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
    set_regions(root, regions, frame, [])
    read = named_regions(parse_packet(packet_bytes(root)), frame)
    assert [one.name for one in read] == [one.name for one in regions]
    assert all(close(a.box, b.box) for a, b in zip(read, regions, strict=True))


@pytest.mark.parametrize("program", ["digikam", "lightroom"])
def test_the_rest_of_a_packet_stays(program: str) -> None:
    """Writing replaces the regions that it is told to, and leaves everything else."""
    root = parse_packet(WRITERS[program]([("Ada", LEFT), ("Grace", RIGHT)], (400, 300)))
    frame = Frame(400, 300, 1)
    set_regions(root, [NamedRegion("Emmy", LEFT)], frame, [0])
    written = packet_bytes(root)
    assert sorted(one.name for one in named_regions(parse_packet(written), frame)) == ["Emmy", "Grace"]
    assert written.count(b"AppliedToDimensions") in {1, 2}
    assert (b"A day out" in written) == (program == "digikam")
    assert b"<?xpacket" in written


def test_what_is_no_named_face_is_left_out() -> None:
    """Pets, faces without a name, and places outside of the picture are no named faces."""
    assert named_regions(parse_packet(digikam([("Rex", LEFT)], (4, 3), kind="Pet")), Frame(4, 3, 1)) == []
    outside = digikam([("", LEFT), ("Ada", Box(2, 2, 1, 1)), ("Eve", Box(0.1, 0.1, -1, 0))], (4, 3))
    assert named_regions(parse_packet(outside), Frame(4, 3, 1)) == []
    assert [one.number for one in face_regions(parse_packet(outside), Frame(4, 3, 1))] == [0]


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
