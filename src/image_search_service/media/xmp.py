"""XMP packets: parsed, put together, and the fields of RDF's structures in them.

Every function is linear in the size of what it is given, which is bounded: in bytes, in tags, and in depth
(256, libxml2's own bound). Structures may lie in each other: nothing looks at all that is below one of
many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

from lxml import etree

from image_search_service.core.errors import MediaError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
X = "adobe:ns:meta/"
NOTE = "http://ns.adobe.com/xmp/note/"

UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<\0")
"""How UTF-16 begins, with a byte order mark or without."""
LARGEST = 8 * 2**20
"""Bytes of XMP that are read; real ones have some kilobytes."""
MOST_TAGS = 400_000
"""Opening and closing tags of a packet that is read. Photoshop's list of ancestors has fewer in ``LARGEST``
bytes."""
MOST_DESCRIPTIONS = 1_000
"""Descriptions of one packet whose properties are read; real ones have one for each vocabulary."""
MOST_ITEMS = 5_000
"""Entries of all lists of one property that are looked at."""
MOST_PLACES = 10
"""Descriptions of one structure that are read; RDF has one."""
LONGEST_NUMBER = 64
"""Characters of a number; longer ones are none."""

Element = Any
"""lxml's ``_Element``; it ships without type information."""


def parse_packet(packet: bytes) -> Element:
    """The root of an XMP packet. Raises MediaError if it is no XML, has a DTD, or is too large.

    Entities and external references are not resolved.
    """
    if len(packet) > LARGEST:
        raise MediaError(f"The XMP has {len(packet):,} bytes; more than {LARGEST:,} are not read.")
    if packet.count(b"<") > MOST_TAGS:
        raise MediaError(f"The XMP has more than {MOST_TAGS:,} tags, and is not read.")
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


def parse_packets(packets: Sequence[bytes]) -> Element:
    """The root of a packet, with the properties of others, its extended XMP, in it. Raises MediaError."""
    root, *others = [parse_packet(packet) for packet in packets]
    target = next(root.iter(f"{{{RDF}}}RDF"), None)
    for other in others:
        source = next(other.iter(f"{{{RDF}}}RDF"), None)
        if source is None or target is None:
            raise MediaError("The XMP has no RDF in it.")
        target.extend(list(source))
    for description in descriptions(root) if others else ():
        # the digest of what is no longer elsewhere
        description.attrib.pop(f"{{{NOTE}}}HasExtendedXMP", None)
        for note in description.findall(f"{{{NOTE}}}HasExtendedXMP"):
            description.remove(note)
    return root


def extension_digest(packet: bytes) -> str | None:
    """The digest of the extended XMP that belongs to a packet, None if it names none."""
    try:
        root = parse_packet(packet)
    except MediaError:
        return None
    digest = property_text(root, NOTE, "HasExtendedXMP")
    return None if digest is None else digest.strip().upper()


def places(node: Element) -> list[Element]:
    """The elements that may hold a structure's fields in RDF: the element itself, or a description in it, of
    which there are at most ``MOST_PLACES``."""
    return [node, *islice(node.iterchildren(f"{{{RDF}}}Description"), MOST_PLACES)]


def text(node: Element, space: str, name: str) -> str | None:
    """The text of a field, written as an attribute or as an element."""
    for place in places(node):
        value = place.get(f"{{{space}}}{name}")
        if value is None:
            value = place.findtext(f"{{{space}}}{name}")
        if value is not None:
            return str(value)
    return None


def child(node: Element, space: str, name: str) -> Element | None:
    """The element of a field, None if it has none."""
    return next((child for place in places(node) for child in place.findall(f"{{{space}}}{name}")), None)


def number(node: Element, space: str, name: str) -> float | None:
    """A field's number, None if it has none."""
    value = text(node, space, name)
    return None if value is None else finite(value)


def finite(written: str) -> float | None:
    """A number as programs write it, some of them with a decimal comma; None for what is none."""
    if len(written) > LONGEST_NUMBER:
        return None
    try:
        value = float(written.replace(",", ".") if written.count(",") == 1 else written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def items(node: Element) -> list[Element]:
    """The elements of the list that a field has: the first ``MOST_ITEMS`` of the ``rdf:li`` of its bag,
    sequence or alternatives."""
    lists = (f"{{{RDF}}}Bag", f"{{{RDF}}}Seq", f"{{{RDF}}}Alt")
    every = (item for listed in node.iterchildren(*lists) for item in listed.iterchildren(f"{{{RDF}}}li"))
    return list(islice(every, MOST_ITEMS))


def descriptions(root: Element) -> list[Element]:
    """The elements that hold a packet's properties, at most ``MOST_DESCRIPTIONS``."""
    every = (
        description
        for rdf in root.iter(f"{{{RDF}}}RDF")
        for description in rdf.iterchildren(f"{{{RDF}}}Description")
    )
    return list(islice(every, MOST_DESCRIPTIONS))


def property_text(root: Element, space: str, name: str) -> str | None:
    """The text of a packet's property."""
    texts = (text(description, space, name) for description in descriptions(root))
    return next((value for value in texts if value is not None), None)


def new_packet() -> Element:
    """The root of an empty packet."""
    root = etree.Element(f"{{{X}}}xmpmeta", nsmap={"x": X})
    etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    return root


def packet_bytes(root: Element) -> bytes:
    """The whole document as UTF-8, with what surrounds its root."""
    return bytes(
        etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True, pretty_print=True)
    )
