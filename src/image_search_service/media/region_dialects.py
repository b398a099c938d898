"""How programs write named regions into XMP: each dialect's regions, found, measured and renamed.

Each is measured in shares of the stored picture, before EXIF's orientation is applied.

- The Metadata Working Group's (digiKam, Lightroom, Picasa): the centre and the size.
- Microsoft's (Windows' photo gallery): the upper left corner and the size.
- ACDSee's: the centre and the size, as drawn by its user or as found by the program.
- IPTC's ``ImageRegion``: a rectangle by its corner, a circle or a polygon; in shares or in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from image_search_service.core.names import LONGEST_READ
from image_search_service.core.types import Box
from image_search_service.media.xmp import (
    MOST_ITEMS,
    RDF,
    Element,
    child,
    finite,
    items,
    number,
    places,
    text,
)

MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/t/Region#"
MP_INFO = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
ACDSEE = "http://ns.acdsee.com/regions/"
ACDSEE_AREA = "http://ns.acdsee.com/sType/Area#"
ACDSEE_DIMENSIONS = "http://ns.acdsee.com/sType/Dimensions#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

FACE = "Face"
NOBODY = "f" * 16
"""What Picasa writes for a face that its user chose to ignore."""
MOST_REGIONS = 500
"""Regions of one dialect in one packet that are read."""
MOST_CORNERS = 1_000
MOST_ENTRIES = 50
"""Elements below a region's type that are looked at."""

Size = tuple[float | None, float | None]
"""Width and height in pixels, None where not known."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """nodes: a packet's regions of faces. name: of a region, "" if it has none. box: in shares, None if
    invalid; ``size`` is the written one of the picture that was measured, else the stored one. rename: a
    region from one name to another."""

    nodes: Callable[[Element], list[Element]]
    name: Callable[[Element], str]
    box: Callable[[Element, Size], Box | None]
    rename: Callable[[Element, str, str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A region as it is written. box: None if it is invalid."""

    name: str
    box: Box | None
    node: Element
    dialect: Dialect


def measured(root: Element, stored: tuple[int, int]) -> list[Measured]:
    """All regions of a packet, at most ``MOST_REGIONS`` of each dialect."""
    width, height = applied_to(root)
    size = (width or stored[0], height or stored[1])
    return [
        Measured(_known(dialect.name(node)), dialect.box(node, size), node, dialect)
        for dialect in DIALECTS
        for node in dialect.nodes(root)[:MOST_REGIONS]
    ]


def applied_to(root: Element) -> Size:
    """Width and height of the picture that the regions were measured in, None where not written."""
    for space, fields in ((MWG, DIMENSIONS), (ACDSEE, ACDSEE_DIMENSIONS)):
        applied = next(root.iter(f"{{{space}}}AppliedToDimensions"), None)
        if applied is not None:
            return number(applied, fields, "w"), number(applied, fields, "h")
    return None, None


def has_rotations(root: Element) -> bool:
    """Whether regions have a rotation, as Lightroom writes it; also true without regions."""
    regions = _listed(root, MWG, "RegionList")
    return not regions or any(text(region, MWG, "Rotation") is not None for region in regions)


def _known(name: str) -> str:
    name = written_name(name)
    return "" if name == NOBODY else name


def written_name(text: str | None) -> str:
    """A name as it is written; of what is too long to be one so much that this is seen."""
    return (text or "")[: LONGEST_READ + 1].strip()


def _listed(root: Element, space: str, name: str) -> list[Element]:
    every = (item for listed in root.iter(f"{{{space}}}{name}") for item in items(listed))
    return list(islice(every, MOST_ITEMS))


def _is_face(region: Element, space: str) -> bool:
    """Whether a region is a face; one without a type counts, since some programs omit it."""
    return (text(region, space, "Type") or FACE).strip().casefold() == FACE.casefold()


def _faces(space: str) -> Callable[[Element], list[Element]]:
    return lambda root: [region for region in _listed(root, space, "RegionList") if _is_face(region, space)]


def _field(space: str, name: str) -> Callable[[Element], str]:
    return lambda region: text(region, space, name) or ""


def _set_field(space: str, name: str) -> Callable[[Element, str, str], None]:
    field = f"{{{space}}}{name}"

    def rename(region: Element, _former: str, new: str) -> None:
        every = places(region)
        for place in every:
            element = place.find(field)
            if element is not None:
                element.text = new
                return
            if place.get(field) is not None:
                place.set(field, new)
                return
        if every[-1].keys() and every[-1].get(f"{{{RDF}}}parseType") is None:
            every[-1].set(field, new)
        else:
            etree.SubElement(every[-1], field).text = new

    return rename


def _sensible(box: Box) -> Box | None:
    x, y = box.center
    fits = 0 < box.width <= 1 and 0 < box.height <= 1 and 0 <= x <= 1 and 0 <= y <= 1
    return box if fits else None


def _mwg_box(region: Element, size: Size) -> Box | None:
    """The guidelines define no other unit than shares; pixels, which some programs write, are divided by the
    written size."""
    area = child(region, MWG, "Area")
    return None if area is None else _centred(area, AREA, size)


def _acdsee_box(region: Element, size: Size) -> Box | None:
    drawn = child(region, ACDSEE, "DLYArea")
    area = child(region, ACDSEE, "ALGArea") if drawn is None else drawn
    return None if area is None else _centred(area, ACDSEE_AREA, size)


def _centred(area: Element, space: str, size: Size) -> Box | None:
    x, y, width, height = (number(area, space, name) for name in "xywh")
    if x is None or y is None or width is None or height is None:
        return None
    unit = (text(area, space, "unit") or "normalized").strip().casefold()
    if unit == "pixel" and size[0] and size[1]:
        x, width, y, height = x / size[0], width / size[0], y / size[1], height / size[1]
    elif unit != "normalized":
        return None
    return _sensible(Box(x - width / 2, y - height / 2, width, height))


def _microsoft_nodes(root: Element) -> list[Element]:
    listed = _listed(root, MP_INFO, "Regions")
    return [region for region in listed if text(region, MP, "Rectangle") is not None]


def _microsoft_box(region: Element, _size: Size) -> Box | None:
    parts = (text(region, MP, "Rectangle") or "").split(",", 8)
    if len(parts) == 8:  # decimal commas
        parts = [".".join(parts[at : at + 2]) for at in range(0, 8, 2)]
    numbers = [value for part in parts if (value := finite(part)) is not None]
    return _sensible(Box(*numbers)) if len(parts) == len(numbers) == 4 else None


def _iptc_nodes(root: Element) -> list[Element]:
    return [region for region in _listed(root, IPTC, "ImageRegion") if _iptc_name(region)]


def _iptc_name(region: Element) -> str:
    """The first person who is shown in a region; a region of persons may have a name instead."""
    names = _texts(region, "PersonInImage") or (_texts(region, "Name") if _is_of_people(region) else [])
    return names[0].text or "" if names else ""


def _is_of_people(region: Element) -> bool:
    """Whether a region's type, an entry of a vocabulary, is a human or a face: others are of things."""
    kind = child(region, IPTC, "rCtype")
    if kind is None:
        return False
    entries = islice(kind.iter(), MOST_ENTRIES)  # there may be other regions below it, and more below these
    written = [value for node in entries for value in (node.text or "", *node.attrib.values())]
    words = ("human", "person", "face")
    return any(word in value[:LONGEST_READ].casefold() for value in written for word in words)


def _texts(region: Element, name: str) -> list[Element]:
    field = child(region, IPTC, name)
    return [] if field is None else (items(field) or [field])


def _rename_iptc(region: Element, former: str, new: str) -> None:
    for field in ("PersonInImage", "Name"):
        for element in _texts(region, field):
            if written_name(element.text) == former:
                element.text = new


def _iptc_box(region: Element, size: Size) -> Box | None:
    boundary = child(region, IPTC, "RegionBoundary")
    if boundary is None:
        return None
    scale = _scale(boundary, size)
    corners = _corners(boundary, size)
    if scale is None or corners is None:
        return None
    left, right = (edge(x for x, _ in corners) / scale[0] for edge in (min, max))
    top, bottom = (edge(y for _, y in corners) / scale[1] for edge in (min, max))
    return _sensible(Box(left, top, right - left, bottom - top))


def _scale(boundary: Element, size: Size) -> tuple[float, float] | None:
    unit = (text(boundary, IPTC, "rbUnit") or "relative").strip().casefold()
    if unit == "relative":
        return 1.0, 1.0
    return (size[0], size[1]) if unit == "pixel" and size[0] and size[1] else None


def _corners(boundary: Element, size: Size) -> list[tuple[float, float]] | None:
    """Corners of the rectangle around a boundary, in its unit. A circle's radius is a share of the width."""
    shape = (text(boundary, IPTC, "rbShape") or "rectangle").strip().casefold()
    if shape == "polygon":
        return _pairs(child(boundary, IPTC, "rbVertices"))
    x, y = number(boundary, IPTC, "rbX"), number(boundary, IPTC, "rbY")
    if x is None or y is None:
        return None
    if shape == "circle":
        radius = number(boundary, IPTC, "rbRx")
        is_pixel = (text(boundary, IPTC, "rbUnit") or "").strip().casefold() == "pixel"
        ratio = 1.0 if is_pixel or not (size[0] and size[1]) else size[0] / size[1]
        return (
            None if radius is None else [(x - radius, y - radius * ratio), (x + radius, y + radius * ratio)]
        )
    width, height = number(boundary, IPTC, "rbW"), number(boundary, IPTC, "rbH")
    return None if width is None or height is None else [(x, y), (x + width, y + height)]


def _pairs(vertices: Element | None) -> list[tuple[float, float]] | None:
    listed: Sequence[Element] = [] if vertices is None else items(vertices)[:MOST_CORNERS]
    places_ = [(number(corner, IPTC, "rbX"), number(corner, IPTC, "rbY")) for corner in listed]
    corners = [(x, y) for x, y in places_ if x is not None and y is not None]
    return corners if len(corners) >= 3 else None


OF_MWG = Dialect(_faces(MWG), _field(MWG, "Name"), _mwg_box, _set_field(MWG, "Name"))
OF_MICROSOFT = Dialect(
    _microsoft_nodes, _field(MP, "PersonDisplayName"), _microsoft_box, _set_field(MP, "PersonDisplayName")
)
OF_ACDSEE = Dialect(_faces(ACDSEE), _field(ACDSEE, "Name"), _acdsee_box, _set_field(ACDSEE, "Name"))
OF_IPTC = Dialect(_iptc_nodes, _iptc_name, _iptc_box, _rename_iptc)
DIALECTS = (OF_MWG, OF_MICROSOFT, OF_ACDSEE, OF_IPTC)
"""The first counts most where two of them speak of one face."""
