"""Named faces in XMP: the regions of the Metadata Working Group, and Microsoft's.

digiKam, Lightroom and Picasa write MWG regions (Guidelines for Handling Image Metadata 2.0, "Image region
metadata"): the centre and the size of each, in shares of the stored picture, before EXIF's orientation is
applied. Windows' photo gallery writes the upper left corner instead. Invalid regions are left out; they never
fail a photo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.media.exif import UPRIGHT
from image_search_service.media.orientation import SIDEWAYS, to_stored, to_upright

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
X = "adobe:ns:meta/"
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/t/Region#"

UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<\0")
"""How UTF-16 begins, with a byte order mark or without."""
FACE = "Face"
NOBODY = "f" * 16
"""What Picasa writes for a face that its user chose to ignore."""
LARGEST = 8 * 2**20
"""Bytes of XMP that are read; real ones have some kilobytes."""

SHAPE = 0.005
"""By how much, of 1, the proportions of two pictures of one shape differ at most, beyond rounding."""

Element = Any
"""lxml's ``_Element``; it ships without type information."""


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A face with a name. box: in shares of the upright photo, 0 to 1."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A region of a packet. name: "" if it has none. box: as in ``NamedRegion``. node: its XML element."""

    name: str
    box: Box
    node: Element


@dataclass(frozen=True, slots=True)
class Frame:
    """How a photo is stored. width, height: of the upright photo, in pixels. orientation: EXIF's, 1 to 8,
    for HEIF too."""

    width: int
    height: int
    orientation: int

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height as stored."""
        return (self.height, self.width) if self.orientation >= SIDEWAYS else (self.width, self.height)


def parse_packet(packet: bytes) -> Element:
    """The root of an XMP packet. Raises MediaError if it is no XML, has a DTD, or is too large.

    Entities and external references are not resolved.
    """
    if len(packet) > LARGEST:
        raise MediaError(f"The XMP has {len(packet):,} bytes; more than {LARGEST:,} are not read.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_without_padding(packet), parser)
    except etree.XMLSyntaxError as error:
        raise MediaError(f"The XMP is damaged: {error.msg}.") from error
    if root.getroottree().docinfo.doctype:
        raise MediaError("The XMP has a document type, which XMP never has.")
    return root


def _without_padding(packet: bytes) -> bytes:
    """The packet without trailing zeros; UTF-16 is left as it is, since zeros are halves of its letters."""
    return packet if packet.startswith(UTF_16) else packet.strip(b"\0 \r\n\t")


@dataclass(frozen=True, slots=True)
class Reading:
    """One interpretation of a packet's regions.

    orientation: the one by which the MWG regions are turned. faces: the MWG regions. microsoft: Microsoft's
    regions, always measured in the stored picture. Both include regions without a name. outdated: regions
    that are in neither list and not believed, since they were made for a picture of another shape.
    """

    orientation: int
    faces: list[FaceRegion]
    microsoft: list[FaceRegion]
    outdated: tuple[FaceRegion, ...] = ()

    @property
    def named(self) -> list[NamedRegion]:
        """The named regions: the MWG regions, and those of Microsoft's that the MWG regions lack."""
        named = [NamedRegion(region.name, region.box) for region in self.faces if region.name]
        names = {region.name for region in named} | {""}
        others = [region for region in self.microsoft if region.name not in names]
        return named + [
            NamedRegion(region.name, region.box)
            for region in others
            if not any(region.box.holds(other.box.center) for other in named)
        ]


def readings(root: Element, frame: Frame) -> list[Reading]:
    """The possible interpretations of a packet, the likeliest first; nearly always one.

    Where the written size is the upright picture's and not the stored one's, the regions may be measured in
    either: most programs that write the upright size also measure in it, but Lightroom measures in the stored
    picture. Lightroom is recognized by the rotation of each region; for others the photo's faces decide.

    Regions whose written size has another shape than the picture are not believed: a program that cut or
    turned the picture has kept them as they were.
    """
    orientations = [frame.orientation]
    if _has_upright_size(root, frame) and not _has_rotations(root):
        orientations = [UPRIGHT, frame.orientation]
    microsoft = _microsoft_regions(root, frame.orientation)
    every = [Reading(number, _face_regions(root, number), microsoft) for number in orientations]
    if _has_other_shape(root, frame):
        return [Reading(frame.orientation, [], [], (*every[0].faces, *microsoft))]
    return every


def _has_other_shape(root: Element, frame: Frame) -> bool:
    """Whether the written size is neither the stored picture's nor the upright one's, nor one in proportion;
    sizes are whole numbers, so that a small picture's proportions are not exact."""
    width, height = _applied_to(root)
    if not width or not height or width <= 0 or height <= 0:
        return False
    sizes = {frame.stored, (frame.width, frame.height)}
    return all(
        abs(width * own_height / (height * own_width) - 1)
        > SHAPE + 1 / min(own_width, own_height, width, height)
        for own_width, own_height in sizes
    )


def _face_regions(root: Element, orientation: int) -> list[FaceRegion]:
    size = _applied_to(root)
    every = ((region, _area(region, size)) for region in _regions(root) if _is_face(region))
    return [
        FaceRegion(_name(region, MWG, "Name"), to_upright(box, orientation), region)
        for region, box in every
        if box is not None
    ]


def _has_upright_size(root: Element, frame: Frame) -> bool:
    upright = (frame.width, frame.height)
    return frame.stored != upright and _applied_to(root) == upright


def _has_rotations(root: Element) -> bool:
    """Whether regions have a rotation, as Lightroom writes it; also true without regions."""
    regions = _regions(root)
    return not regions or any(_text(region, MWG, "Rotation") is not None for region in regions)


def _applied_to(root: Element) -> tuple[float | None, float | None]:
    """Width and height of the picture that the regions were measured in, None where not written."""
    applied = next(root.iter(f"{{{MWG}}}AppliedToDimensions"), None)
    if applied is None:
        return None, None
    return _number(applied, DIMENSIONS, "w"), _number(applied, DIMENSIONS, "h")


def _regions(root: Element) -> list[Element]:
    """All regions of a packet: the ``rdf:li`` of its region lists."""
    return [
        item for region_list in root.iter(f"{{{MWG}}}RegionList") for item in region_list.iter(f"{{{RDF}}}li")
    ]


def _is_face(region: Element) -> bool:
    """Whether a region is a face; one without a type counts, since some programs omit it."""
    return (_text(region, MWG, "Type") or FACE).strip().casefold() == FACE.casefold()


def _area(region: Element, size: tuple[float | None, float | None]) -> Box | None:
    """A region's box in shares of the picture that it was measured in; None if invalid.

    The guidelines define no other unit; pixels, which some programs write, are divided by the written size.
    """
    area = _child(region, MWG, "Area")
    if area is None:
        return None
    x, y, width, height = (_number(area, AREA, name) for name in "xywh")
    if x is None or y is None or width is None or height is None:
        return None
    unit = (_text(area, AREA, "unit") or "normalized").strip().casefold()
    if unit == "pixel" and size[0] and size[1]:
        x, width, y, height = x / size[0], width / size[0], y / size[1], height / size[1]
    elif unit != "normalized":
        return None
    return _sensible(Box(x - width / 2, y - height / 2, width, height))


def _microsoft_regions(root: Element, orientation: int) -> list[FaceRegion]:
    regions = []
    for region in root.iter(f"{{{RDF}}}li"):
        numbers = [_finite(part) for part in (_text(region, MP, "Rectangle") or "").split(",")]
        if len(numbers) == 4 and None not in numbers:
            box = _sensible(Box(*(float(value or 0) for value in numbers)))
            if box is not None:
                name = _name(region, MP, "PersonDisplayName")
                regions.append(FaceRegion(name, to_upright(box, orientation), region))
    return regions


def _name(region: Element, space: str, field: str) -> str:
    name = (_text(region, space, field) or "").strip()
    return "" if name == NOBODY else name


def _sensible(box: Box) -> Box | None:
    x, y = box.center
    fits = 0 < box.width <= 1 and 0 < box.height <= 1 and 0 <= x <= 1 and 0 <= y <= 1
    return box if fits else None


def _places(node: Element) -> list[Element]:
    """The elements that may hold a structure's fields in RDF: the element itself, or a description in it."""
    return [node, *node.findall(f"{{{RDF}}}Description")]


def _text(node: Element, space: str, name: str) -> str | None:
    """The text of a field, written as an attribute or as an element."""
    for place in _places(node):
        value = place.get(f"{{{space}}}{name}")
        if value is None:
            value = place.findtext(f"{{{space}}}{name}")
        if value is not None:
            return str(value)
    return None


def _child(node: Element, space: str, name: str) -> Element | None:
    return next((child for place in _places(node) for child in place.findall(f"{{{space}}}{name}")), None)


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
    """The root of an empty packet."""
    root = etree.Element(f"{{{X}}}xmpmeta", nsmap={"x": X})
    etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    return root


def add_regions(root: Element, regions: Sequence[NamedRegion], frame: Frame, orientation: int) -> None:
    """Add named faces to a packet, after its regions; everything else stays as it is.

    orientation: of the ``Reading`` that fits the packet's regions. Raises MediaError for a packet without
    RDF.
    """
    if regions:
        bag = _bag(root, frame)
        bag.extend(_region(region, orientation) for region in regions)


def rename_region(region: FaceRegion, name: str) -> None:
    """Rename a region; its box and other fields stay."""
    field = f"{{{MP}}}PersonDisplayName" if _is_microsofts(region.node) else f"{{{MWG}}}Name"
    places = _places(region.node)
    for place in places:
        element = place.find(field)
        if element is not None:
            element.text = name
            return
        if place.get(field) is not None:
            place.set(field, name)
            return
    if places[-1].keys() and places[-1].get(f"{{{RDF}}}parseType") is None:
        places[-1].set(field, name)
    else:
        etree.SubElement(places[-1], field).text = name


def _is_microsofts(region: Element) -> bool:
    return _text(region, MP, "Rectangle") is not None


def written_size(root: Element) -> str:
    """The size of the picture that the regions were made for, for people."""
    width, height = _applied_to(root)
    return f"{width or 0:.0f} × {height or 0:.0f}"


def drop_outdated(root: Element, outdated: Sequence[FaceRegion]) -> None:
    """Remove regions made for another picture, and its size, from a packet."""
    for region in outdated:
        remove_region(region)
    for size in list(root.iter(f"{{{MWG}}}AppliedToDimensions")) if outdated else ():
        size.getparent().remove(size)


def remove_region(region: FaceRegion) -> None:
    """Remove a region from its list."""
    region.node.getparent().remove(region.node)


def _bag(root: Element, frame: Frame) -> Element:
    """The packet's list of regions; a missing list or structure is created, an existing one used, since a
    second one would make the packet unreadable for Adobe's and digiKam's libraries."""
    info = next(root.iter(f"{{{MWG}}}Regions"), None)
    info = _new_info(root) if info is None else info
    fields = _places(info)[-1]
    if fields is info:
        info.set(f"{{{RDF}}}parseType", "Resource")
    if _child(info, MWG, "AppliedToDimensions") is None:
        _add_size(fields, frame)
    listed = _child(info, MWG, "RegionList")
    listed = etree.SubElement(fields, f"{{{MWG}}}RegionList") if listed is None else listed
    existing = next(listed.iterchildren(f"{{{RDF}}}Bag", f"{{{RDF}}}Seq", f"{{{RDF}}}Alt"), None)
    return etree.SubElement(listed, f"{{{RDF}}}Bag") if existing is None else existing


def _new_info(root: Element) -> Element:
    rdf = next(root.iter(f"{{{RDF}}}RDF"), None)
    if rdf is None:
        raise MediaError("The XMP has no RDF in it.")
    description = etree.SubElement(
        rdf, f"{{{RDF}}}Description", nsmap={"mwg-rs": MWG, "stDim": DIMENSIONS, "stArea": AREA}
    )
    description.set(f"{{{RDF}}}about", "")
    return _struct(description, "Regions")


def _add_size(fields: Element, frame: Frame) -> None:
    width, height = frame.stored
    applied = _struct(fields, "AppliedToDimensions")
    for name, value in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
        etree.SubElement(applied, f"{{{DIMENSIONS}}}{name}").text = value


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
    """The whole document as UTF-8, with what surrounds its root."""
    return bytes(
        etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True, pretty_print=True)
    )
