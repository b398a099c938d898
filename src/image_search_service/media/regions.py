"""Named faces in XMP, as one of possible interpretations, and how they are changed.

digiKam, Lightroom and Picasa write MWG regions (Guidelines for Handling Image Metadata 2.0, "Image region
metadata"); what others write is in ``region_dialects.py``. Only MWG regions are added; those of all dialects
are renamed and removed. Invalid regions are left out and counted; they never fail a photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from image_search_service.core.errors import MediaError
from image_search_service.core.names import name_key
from image_search_service.core.types import Box
from image_search_service.media import region_dialects
from image_search_service.media.exif import UPRIGHT
from image_search_service.media.orientation import SIDEWAYS, to_stored, to_upright
from image_search_service.media.region_dialects import (
    AREA,
    DIMENSIONS,
    FACE,
    MOST_REGIONS,
    MWG,
    Dialect,
    Measured,
    applied_to,
)
from image_search_service.media.xmp import RDF, Element, child, finite, places, property_text

TIFF = "http://ns.adobe.com/tiff/1.0/"
SHAPE = 0.005
"""By how much, of 1, the proportions of two pictures of one shape differ at most, beyond rounding."""


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
    dialect: Dialect


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
        return self.stored_under(self.orientation)

    def stored_under(self, orientation: int) -> tuple[int, int]:
        """Width and height of the picture that is upright under this orientation."""
        return (self.height, self.width) if orientation >= SIDEWAYS else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class Reading:
    """One interpretation of a packet's regions.

    orientation: the one by which the MWG regions are turned. faces: the MWG regions. others: those of other
    dialects. Both include regions without a name. outdated: regions that are in neither list and not
    believed, since they were made for a picture of another shape. invalid: the names of regions whose place
    cannot be read.
    """

    orientation: int
    faces: list[FaceRegion]
    others: list[FaceRegion]
    outdated: tuple[FaceRegion, ...] = ()
    invalid: tuple[str, ...] = ()

    @property
    def named(self) -> list[NamedRegion]:
        """The named regions: the MWG regions, and those of the others that these lack; at most
        ``MOST_REGIONS``."""
        named: list[NamedRegion] = []
        keys: set[str] = set()
        centers: list[tuple[float, float]] = []
        for dialect in region_dialects.DIALECTS:
            regions = [region for region in (*self.faces, *self.others) if region.dialect is dialect]
            more = [
                NamedRegion(region.name, region.box)
                for region in regions
                if region.name
                and name_key(region.name) not in keys
                and not any(region.box.holds(center) for center in centers)
            ][: MOST_REGIONS - len(named)]
            named += more
            keys |= {name_key(region.name) for region in more}
            centers += [region.box.center for region in more]
        return named


def readings(root: Element, frame: Frame) -> list[Reading]:
    """The possible interpretations of a packet, the likeliest first; nearly always one.

    Where the written size is the upright picture's and not the stored one's, the regions may be measured in
    either: most programs that write the upright size also measure in it, but Lightroom measures in the stored
    picture. Lightroom is recognized by the rotation of each region; for others the photo's faces decide. So
    they do where the packet names another orientation than the photo has, as a raw file's sidecar beside the
    upright picture that was developed from it, or a program that turned the picture and not its metadata.

    Regions whose written size has another shape than the picture are not believed: a program that cut or
    turned the picture has kept them as they were.
    """
    measured = region_dialects.measured(root, frame.stored)
    size = applied_to(root)
    ways = [(frame.orientation, frame.orientation)]
    if _is_upright_size(size, frame) and not region_dialects.has_rotations(root):
        ways.insert(0, (UPRIGHT, frame.orientation))
    written = packet_orientation(root)
    if written is not None and all(written != way[0] for way in ways):
        ways.append((written, written))
    fitting = [way for way in ways if _has_shape(size, frame, way[1])]
    every = [_reading(measured, *way) for way in fitting or ways[-1:]]
    if fitting:
        return every
    regions = (*every[0].faces, *every[0].others)
    return [Reading(frame.orientation, [], [], regions, every[0].invalid)]


def packet_orientation(root: Element) -> int | None:
    """The orientation that a packet names, None if it names none."""
    written = finite(property_text(root, TIFF, "Orientation") or "")
    return int(written) if written is not None and written in range(1, 9) else None


def _reading(measured: Sequence[Measured], orientation: int, of_others: int) -> Reading:
    regions = [
        FaceRegion(
            region.name,
            to_upright(region.box, orientation if region.dialect is region_dialects.OF_MWG else of_others),
            region.node,
            region.dialect,
        )
        for region in measured
        if region.box is not None
    ]
    return Reading(
        orientation,
        [region for region in regions if region.dialect is region_dialects.OF_MWG],
        [region for region in regions if region.dialect is not region_dialects.OF_MWG],
        invalid=tuple(region.name for region in measured if region.box is None and region.name),
    )


def _has_shape(size: tuple[float | None, float | None], frame: Frame, orientation: int) -> bool:
    """Whether the written size is the stored or upright picture's, or one in proportion; sizes are whole
    numbers, so that a small picture's proportions are not exact."""
    width, height = size
    if not width or not height or width <= 0 or height <= 0:
        return True
    return any(
        abs(width * own_height / (height * own_width) - 1)
        <= SHAPE + 1 / min(own_width, own_height, width, height)
        for own_width, own_height in {frame.stored_under(orientation), (frame.width, frame.height)}
    )


def _is_upright_size(size: tuple[float | None, float | None], frame: Frame) -> bool:
    upright = (frame.width, frame.height)
    return frame.stored != upright and size == upright


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
    region.dialect.rename(region.node, region.name, name)


def written_size(root: Element) -> str:
    """The size of the picture that the regions were made for, for people."""
    width, height = applied_to(root)
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
    fields = places(info)[-1]
    if fields is info:
        info.set(f"{{{RDF}}}parseType", "Resource")
    if child(info, MWG, "AppliedToDimensions") is None:
        _add_size(fields, frame)
    listed = child(info, MWG, "RegionList")
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
