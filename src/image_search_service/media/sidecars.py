"""XMP of a photo: in the file itself, which is only read, and in a sidecar, which may be written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from image_search_service.core.errors import MediaError
from image_search_service.core.files import is_file, written_whole
from image_search_service.core.private_files import give_users_mode
from image_search_service.media import jxl
from image_search_service.media.cut_off import PNG_SIGNATURE
from image_search_service.media.errors import DAMAGE, may_pass, media_errors, system_errors
from image_search_service.media.exif import UPRIGHT, read_orientation
from image_search_service.media.folder_names import SUFFIX, FolderNames, Folders, plain_name, stem_of
from image_search_service.media.formats import PILLOW_FORMATS
from image_search_service.media.heads import png_without_picture, require_modest_head
from image_search_service.media.mending import mended, read_odd_tiff
from image_search_service.media.raw import is_raw_name
from image_search_service.media.xmp import LARGEST, extension_digest

HEIC_HEAD = 2**20
"""Bytes at the beginning of a HEIC in which its properties are."""
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
"""Start of a JPEG segment with extended XMP; then follow a digest of 32 bytes, the total length and the
part's offset in 4 bytes each, and the part."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """XMP and orientation in a photo's file. orientation: EXIF's, 1 to 8. packets: its XMP, and the extended
    XMP of a JPEG, a second packet for what exceeds 64 KB. too_large: extended XMP that is not read, in bytes.
    """

    orientation: int
    packets: list[bytes]
    too_large: int = 0


def read_embedded(path: Path) -> Embedded:
    """Read a photo's XMP and orientation, without decoding it. Raises MediaError if it cannot be read."""
    with media_errors(), path.open("rb") as file:
        require_modest_head(file)
        if jxl.is_jxl(file.read(12)):
            file.seek(0)
            return _embedded(UPRIGHT, jxl.xmp_of(file.read()))
        file.seek(0)
        if is_raw_name(path):
            tiff = read_odd_tiff(file)
            return _embedded(UPRIGHT, None) if tiff is None else _embedded(tiff.orientation, tiff.xmp)
        try:
            return _read_embedded(file)
        except DAMAGE as error:
            if may_pass(error):
                raise
            if isinstance(error, UnidentifiedImageError) and (tiff := read_odd_tiff(file)) is not None:
                return _embedded(tiff.orientation, tiff.xmp)
            copy = mended(file)
            if copy is None:
                raise
            try:
                return _read_embedded(copy)
            except DAMAGE:
                raise error from None


def _embedded(orientation: int, packet: bytes | None) -> Embedded:
    return Embedded(orientation, [] if packet is None else [packet])


def _read_embedded(file: BinaryIO) -> Embedded:
    file.seek(0)
    if file.read(len(PNG_SIGNATURE)) == PNG_SIGNATURE:
        file = png_without_picture(file)
    file.seek(0)
    with Image.open(file, formats=PILLOW_FORMATS) as image:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        extensions = _extensions(image)
        orientation = _written_orientation(image, file)
    if isinstance(packet, str):
        packet = packet.encode()
    packets = [packet] if isinstance(packet, bytes) and packet.strip(b"\0 ") else []
    extension = _of_packet(extensions, packets) if extensions else b""
    if len(extension) > LARGEST:
        return Embedded(orientation, packets, len(extension))
    return Embedded(orientation, packets + ([extension] if extension else []))


def _written_orientation(image: Image.Image, file: BinaryIO) -> int:
    """EXIF's orientation as stored. libheif brings a picture upright itself, and its plug-in then hides the
    orientation; but phones and exiftool measure regions before that.

    What turns a HEIC is a property of its own. Without one every viewer shows it as it is stored, and EXIF's
    orientation means nothing (ISO/IEC 23008-12, A.2.1).
    """
    if image.format != "HEIF":
        return read_orientation(image)
    if not _is_turned(file):
        return UPRIGHT
    written = image.info.get("original_orientation")
    return written if isinstance(written, int) and 1 <= written <= 8 else UPRIGHT


def _is_turned(file: BinaryIO) -> bool:
    """Whether a HEIC has a property that turns (``irot``) or mirrors (``imir``) its picture."""
    file.seek(0)
    head = file.read(HEIC_HEAD)
    at = head.find(b"irot")
    return b"imir" in head or (at >= 0 and head[at + 4 : at + 5] not in (b"", b"\0"))


def _extensions(image: Image.Image) -> dict[str, bytes]:
    """A JPEG's extended XMP (XMP specification, part 3, 1.1.3.1) by its digest, put together from parts."""
    parts: dict[str, dict[int, bytes]] = {}
    for marker, segment in getattr(image, "applist", ()):
        if marker == "APP1" and segment.startswith(EXTENSION) and len(segment) > len(EXTENSION) + 40:
            head = segment[len(EXTENSION) :]
            digest = head[:32].decode("ascii", "replace").upper()
            parts.setdefault(digest, {})[int.from_bytes(head[36:40], "big")] = head[40:]
    return {digest: b"".join(of_one[offset] for offset in sorted(of_one)) for digest, of_one in parts.items()}


def _of_packet(extensions: Mapping[str, bytes], packets: Sequence[bytes]) -> bytes:
    """The extended XMP that the photo's packet names; an only one also where the packet names none. Another
    one was left there by a program that did not know it."""
    named = extension_digest(packets[0]) if packets else None
    only = next(iter(extensions.values())) if len(extensions) == 1 else b""
    return only if named is None else extensions.get(named, b"")


def sidecar_of(path: Path, folders: Folders) -> Path | None:
    """The existing sidecar: ``photo.jpg.xmp``, as digiKam and darktable name it, or ``photo.xmp``, as
    Lightroom does, in any case; the one in the photo's own case before others. Raises MediaError if it cannot
    be found out."""
    with system_errors():
        return _sidecar_of(path, folders.names(path.parent))


def _sidecar_of(path: Path, names: FolderNames) -> Path | None:
    for wanted, is_whole in ((path.name + SUFFIX, True), (path.stem + SUFFIX, False)):
        candidates = names.sidecars.get(plain_name(wanted), ())
        # beside x.jpg and X.JPG, X.JPG.xmp is not a sidecar of the first
        is_another = is_whole and names.others[plain_name(path.name)] > 1
        same = [
            name for name in candidates if name == wanted or name[: -len(SUFFIX)] == wanted[: -len(SUFFIX)]
        ]
        for name in [wanted] * (wanted in same) + sorted(same) + ([] if is_another else sorted(candidates)):
            if is_file(path.with_name(name)):
                return path.with_name(name)
    return None


def is_sidecar(path: Path) -> bool:
    """Whether a file is a sidecar by its name."""
    return path.suffix.lower() == SUFFIX


def sidecar_to_write(path: Path, folders: Folders) -> Path:
    """The sidecar to write names to: the existing one, unless another file shares it. Raises MediaError."""
    existing, own = sidecar_of(path, folders), path.with_name(path.name + SUFFIX)
    if existing is None:
        return own
    is_whole = plain_name(existing.stem) == plain_name(path.name)
    return existing if is_whole or not _is_shared(path, folders) else own


def _is_shared(path: Path, folders: Folders) -> bool:
    """Whether another file of whatever kind has the photo's stem: ``photo.xmp`` may be the other's."""
    return folders.names(path.parent).stems[stem_of(path.name)] > 1


def read_sidecar(path: Path) -> bytes:
    """The sidecar's content. Raises MediaError if it cannot be read, or is too large to be XMP."""
    with media_errors(), path.open("rb") as file:
        packet = file.read(LARGEST + 1)
    if len(packet) > LARGEST:
        raise MediaError(f"The sidecar {path.name} has more than {LARGEST:,} bytes.")
    return packet


def write_sidecar(path: Path, content: bytes, former: bytes | None) -> None:
    """Write a sidecar whole or not at all; raises MediaError if that cannot be done.

    former: its content when it was read, None if there was none; later changes of another program are not
    overwritten. A new sidecar has the mode of the user's umask. A link is refused, since its target may
    belong to something else.
    """
    try:
        if path.is_symlink():
            raise MediaError(f"The sidecar {path.name} is a link to another place.")
        with written_whole(path) as partial:
            partial.write_bytes(content)
            if (path.read_bytes() if path.exists() else None) != former:
                raise MediaError(f"Another program has changed the sidecar {path.name} meanwhile.")
            if former is not None:
                partial.chmod(path.stat().st_mode & 0o777)
            else:
                give_users_mode(partial)
    except OSError as error:
        raise MediaError(f"The sidecar {path.name} cannot be written: {error.strerror}.") from error


ABANDONED_SECONDS = 3_600.0
"""A sidecar is written in milliseconds; what has not been finished for so long was left by a run that was
killed."""


def remove_abandoned(half_written: Iterable[Path]) -> None:
    """Remove sidecars that a killed run had begun to write; those of a run at work stay."""
    for path in half_written:
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
