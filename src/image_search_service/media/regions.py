"""Named faces in XMP: the regions of the Metadata Working Group, and Microsoft's.

digiKam, Lightroom and Picasa write MWG regions (Guidelines for Handling Image Metadata 2.0, "Image region
metadata"): the centre and the size of each, in shares of the picture as it is stored, whichever way up it is
to be seen. Windows' photo gallery writes the upper left corner instead. A region that makes no sense is left
out; it never fails a photo.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.media.orientation import SIDEWAYS, to_stored, to_upright

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
X = "adobe:ns:meta/"
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/t/Region#"

FACE = "Face"
LARGEST = 8 * 2**20
"""Bytes of XMP that are read; real ones have some kilobytes."""

Element = Any
"""lxml's ``_Element``; it ships without type information."""


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A face with a name. box: in shares of the upright photo, 0 to 1."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A region of a packet. number: its place among all. name: empty if it has none. box: as above."""

    number: int
    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class Frame:
    """How a photo is stored. width, height: of the upright photo, in pixels. orientation: EXIF's, 1 to 8."""

    width: int
    height: int
    orientation: int

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height as stored."""
        return (self.height, self.width) if self.orientation >= SIDEWAYS else (self.width, self.height)


def parse_packet(packet: bytes) -> Element:
    """The root of an XMP packet. Raises MediaError if it is no XML, has a DTD, or is too large.

    Nothing is resolved: neither entities nor anything outside of the packet.
    """
    if len(packet) > LARGEST:
        raise MediaError(f"The XMP has {len(packet):,} bytes; more than {LARGEST:,} are not read.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(packet.strip(b"\0 \r\n\t"), parser)
    except etree.XMLSyntaxError as error:
        raise MediaError(f"The XMP is damaged: {error.msg}.") from error
    if root.getroottree().docinfo.doctype:
        raise MediaError("The XMP has a document type, which XMP never has.")
    return root


def named_regions(root: Element, frame: Frame) -> list[NamedRegion]:
    """The named faces of a packet; Microsoft's only where there is none of the MWG's."""
    named = [NamedRegion(one.name, one.box) for one in face_regions(root, frame) if one.name]
    return named or [
        NamedRegion(name, to_upright(box, frame.orientation)) for name, box in _microsoft_regions(root)
    ]


def face_regions(root: Element, frame: Frame) -> list[FaceRegion]:
    """The faces among the MWG's regions, those without a name too."""
    orientation = 1 if _is_upright_already(root, frame) else frame.orientation
    every = ((number, each, _area(each)) for number, each in enumerate(_regions(root)) if _is_face(each))
    return [
        FaceRegion(number, (_text(each, MWG, "Name") or "").strip(), to_upright(box, orientation))
        for number, each, box in every
        if box is not None
    ]


def _is_upright_already(root: Element, frame: Frame) -> bool:
    """Whether a program has measured in the upright picture, against the guidelines: the size that it wrote
    tells, where the two pictures differ in it."""
    applied = next(root.iter(f"{{{MWG}}}AppliedToDimensions"), None)
    if applied is None or frame.stored == (frame.width, frame.height):
        return False
    written = _number(applied, DIMENSIONS, "w"), _number(applied, DIMENSIONS, "h")
    return written == (frame.width, frame.height)


def _regions(root: Element) -> list[Element]:
    """All regions of a packet: the ``rdf:li`` of its region lists."""
    return [item for each in root.iter(f"{{{MWG}}}RegionList") for item in each.iter(f"{{{RDF}}}li")]


def _is_face(region: Element) -> bool:
    """A region without a type counts as one: some programs leave it out."""
    return (_text(region, MWG, "Type") or FACE).strip().casefold() == FACE.casefold()


def _area(region: Element) -> Box | None:
    """In shares of the stored picture; None for one that makes no sense, or is in pixels."""
    area = _child(region, MWG, "Area")
    if area is None or (_text(area, AREA, "unit") or "normalized").strip() != "normalized":
        return None
    x, y, width, height = (_number(area, AREA, name) for name in "xywh")
    if x is None or y is None or width is None or height is None:
        return None
    return _sensible(Box(x - width / 2, y - height / 2, width, height))


def _microsoft_regions(root: Element) -> Iterator[tuple[str, Box]]:
    for region in root.iter(f"{{{RDF}}}li"):
        name = (_text(region, MP, "PersonDisplayName") or "").strip()
        rectangle = _text(region, MP, "Rectangle")
        if not name or rectangle is None:
            continue
        numbers = [_finite(part) for part in rectangle.split(",")]
        if len(numbers) == 4 and None not in numbers:
            box = _sensible(Box(*(float(one or 0) for one in numbers)))
            if box is not None:
                yield name, box


def _sensible(box: Box) -> Box | None:
    x, y = box.center
    fits = 0 < box.width <= 1 and 0 < box.height <= 1 and 0 <= x <= 1 and 0 <= y <= 1
    return box if fits else None


def _places(node: Element) -> list[Element]:
    """Where RDF may hold a structure's fields: in the element itself, or in a description in it."""
    return [node, *node.findall(f"{{{RDF}}}Description")]


def _text(node: Element, space: str, name: str) -> str | None:
    """A field, written as an attribute or as an element."""
    for place in _places(node):
        value = place.get(f"{{{space}}}{name}")
        if value is None:
            value = place.findtext(f"{{{space}}}{name}")
        if value is not None:
            return str(value)
    return None


def _child(node: Element, space: str, name: str) -> Element | None:
    return next((one for place in _places(node) for one in place.findall(f"{{{space}}}{name}")), None)


def _number(node: Element, space: str, name: str) -> float | None:
    text = _text(node, space, name)
    return None if text is None else _finite(text)


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def new_packet() -> Element:
    """The root of a packet that says nothing."""
    root = etree.Element(f"{{{X}}}xmpmeta", nsmap={"x": X})
    etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    return root


def set_regions(
    root: Element, regions: Sequence[NamedRegion], frame: Frame, taken_away: Sequence[int]
) -> None:
    """Write named faces into a packet; what else it says, and regions of others, stay as they are.

    taken_away: numbers of the regions (of ``face_regions``) that are replaced or wrong.
    Raises MediaError for a packet without RDF.
    """
    upright = _is_upright_already(root, frame)
    former = _regions(root)
    for number in taken_away:
        former[number].getparent().remove(former[number])
    if not regions:
        return
    bag = _bag(root, frame)
    for region in regions:
        bag.append(_region(region, 1 if upright else frame.orientation))


def _bag(root: Element, frame: Frame) -> Element:
    """The list of regions that is there, or a new one."""
    there = next((bag for each in root.iter(f"{{{MWG}}}RegionList") for bag in each), None)
    if there is not None:
        return there
    rdf = root if root.tag == f"{{{RDF}}}RDF" else next(root.iter(f"{{{RDF}}}RDF"), None)
    if rdf is None:
        raise MediaError("The XMP has no RDF in it.")
    description = etree.SubElement(
        rdf, f"{{{RDF}}}Description", nsmap={"mwg-rs": MWG, "stDim": DIMENSIONS, "stArea": AREA}
    )
    description.set(f"{{{RDF}}}about", "")
    info = _struct(description, "Regions")
    width, height = frame.stored
    applied = _struct(info, "AppliedToDimensions")
    for name, value in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
        etree.SubElement(applied, f"{{{DIMENSIONS}}}{name}").text = value
    return etree.SubElement(etree.SubElement(info, f"{{{MWG}}}RegionList"), f"{{{RDF}}}Bag")


def _region(region: NamedRegion, orientation: int) -> Element:
    box = to_stored(region.box, orientation)
    x, y = box.center
    item = etree.Element(f"{{{RDF}}}li")
    item.set(f"{{{RDF}}}parseType", "Resource")
    etree.SubElement(item, f"{{{MWG}}}Name").text = region.name
    etree.SubElement(item, f"{{{MWG}}}Type").text = FACE
    area = _struct(item, "Area")
    for name, value in (("x", x), ("y", y), ("w", box.width), ("h", box.height)):
        etree.SubElement(area, f"{{{AREA}}}{name}").text = f"{value:.6f}"
    etree.SubElement(area, f"{{{AREA}}}unit").text = "normalized"
    return item


def _struct(parent: Element, name: str) -> Element:
    made = etree.SubElement(parent, f"{{{MWG}}}{name}")
    made.set(f"{{{RDF}}}parseType", "Resource")
    return made


def packet_bytes(root: Element) -> bytes:
    """The whole document as UTF-8, with whatever stood around its root."""
    return bytes(
        etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True, pretty_print=True)
    )
