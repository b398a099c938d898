"""XMP as other programs write it: digiKam, Lightroom, and Windows' photo gallery (which Picasa follows)."""

from __future__ import annotations

from image_search_service.core.types import Box

_HEAD = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">"""
_TAIL = """</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_SPACES = (
    'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
    'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"'
)

Named = tuple[str, Box]
"""A name, and its box in shares of the picture as it is stored."""


def digikam(regions: list[Named], size: tuple[int, int], kind: str = "Face") -> bytes:
    """Fields as elements with ``rdf:parseType="Resource"``, as Exiv2 writes them."""
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Type>{kind}</mwg-rs:Type>'
        f'<mwg-rs:Area rdf:parseType="Resource"><stArea:x>{box.center[0]}</stArea:x>'
        f"<stArea:y>{box.center[1]}</stArea:y><stArea:w>{box.width}</stArea:w><stArea:h>{box.height}</stArea:h>"
        "<stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li>"
        for name, box in regions
    )
    return (
        f'{_HEAD}<rdf:Description rdf:about="" {_SPACES}>'
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>A day out</rdf:li></rdf:Alt></dc:title>"
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions rdf:parseType="Resource">'
        f"<stDim:w>{size[0]}</stDim:w><stDim:h>{size[1]}</stDim:h><stDim:unit>pixel</stDim:unit>"
        f"</mwg-rs:AppliedToDimensions><mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList>"
        f"</mwg-rs:Regions></rdf:Description>{_TAIL}"
    ).encode()


def lightroom(regions: list[Named], size: tuple[int, int]) -> bytes:
    """Fields as attributes of descriptions, as Adobe's XMP toolkit writes them."""
    items = "".join(
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Rotation="0.00000" mwg-rs:Type="Face">'
        f'<mwg-rs:Area stArea:x="{box.center[0]}" stArea:y="{box.center[1]}" stArea:w="{box.width}" '
        f'stArea:h="{box.height}"/></rdf:Description></rdf:li>'
        for name, box in regions
    )
    return (
        f'{_HEAD}<rdf:Description rdf:about="" {_SPACES}><mwg-rs:Regions><rdf:Description>'
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>'
        f"<mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList>"
        f"</rdf:Description></mwg-rs:Regions></rdf:Description>{_TAIL}"
    ).encode()


def windows(regions: list[Named], size: tuple[int, int]) -> bytes:
    """Microsoft's regions: the upper left corner."""
    items = "".join(
        f'<rdf:li><rdf:Description MPReg:PersonDisplayName="{name}" '
        f'MPReg:Rectangle="{box.x}, {box.y}, {box.width}, {box.height}"/></rdf:li>'
        for name, box in regions
    )
    return (
        f'{_HEAD}<rdf:Description rdf:about="" {_SPACES}><MP:RegionInfo><rdf:Description><MPRI:Regions>'
        f"<rdf:Bag>{items}</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo></rdf:Description>{_TAIL}"
    ).encode()


WRITERS = {"digikam": digikam, "lightroom": lightroom, "windows": windows}
