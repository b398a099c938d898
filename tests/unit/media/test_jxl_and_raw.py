"""P4: JPEG XL, and the previews of raw files."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_search_service.core.errors import MediaError, MediaUnavailableError
from image_search_service.media.decode import decode_photo
from image_search_service.media.raw import RawPhoto
from image_search_service.media.scan import PhotoScan
from image_search_service.media.sidecars import read_embedded
from tests.support.pictures import exif_bytes

pylibjxl = pytest.importorskip("pylibjxl", reason="JPEG XL has no wheel here")
pytest.importorskip("rawpy", reason="LibRaw has no wheel here")
LIMIT = 4_000_000
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def photo(width: int = 160, height: int = 120) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), (200, 20, 20))
    image.paste((20, 20, 200), (width // 2, 0, width, height))
    return image


def jpeg(image: Image.Image, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=95, **options)
    return target.getvalue()


def test_p4_jpeg_xl_is_read_upright(tmp_path: Path) -> None:
    """A JPEG XL made of a turned JPEG is upright, with its date and its XMP."""
    path = tmp_path / "photo.JXL"
    tags = {"DateTimeOriginal": "2020:01:02 03:04:05"}
    path.write_bytes(pylibjxl.jpeg_to_jxl(jpeg(photo(), exif=exif_bytes(orientation=6, **tags), xmp=XMP)))
    shown = decode_photo(path, max_pixels=LIMIT)
    assert (shown.format, shown.width, shown.height, shown.orientation) == ("JXL", 120, 160, 1)
    assert shown.pixels[10, 60, 0] > 150 > shown.pixels[150, 60, 0]
    assert shown.taken_at == datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as cameras write it
    embedded = read_embedded(path)
    assert (embedded.orientation, embedded.packets) == (1, [XMP])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_p4_jpeg_xl_of_every_mode(tmp_path: Path, mode: str) -> None:
    """Grey, colours, and transparency are read."""
    path = tmp_path / "photo.jxl"
    path.write_bytes(pylibjxl.encode(np.asarray(photo().convert(mode))))
    assert decode_photo(path, max_pixels=LIMIT).pixels.shape == (120, 160, 3)
    with pytest.raises(MediaUnavailableError, match="limit"):
        decode_photo(path, max_pixels=100)
    assert read_embedded(path).packets == []


def test_p4_jpeg_xl_that_is_damaged(tmp_path: Path) -> None:
    """Half a JPEG XL is refused, and one for which there is no decoder waits."""
    path = tmp_path / "photo.jxl"
    content = pylibjxl.encode(np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8))
    for cut in (12, 100, len(content) // 2):
        path.write_bytes(content[:cut])
        with pytest.raises(MediaError) as refused:
            decode_photo(path, max_pixels=LIMIT)
        assert not isinstance(refused.value, MediaUnavailableError)


def test_p4_jpeg_xl_without_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is missing the file waits for it, and is named for what it is."""
    path = tmp_path / "photo.jxl"
    path.write_bytes(pylibjxl.encode(np.asarray(photo())))
    monkeypatch.setitem(sys.modules, "pylibjxl", None)
    with pytest.raises(MediaUnavailableError, match="pylibjxl"):
        decode_photo(path, max_pixels=LIMIT)


def raw_file(preview: bytes | None, orientation: int = 1, width: int = 64, height: int = 48) -> bytes:
    """A DNG: a preview, and the sensor's numbers."""
    cfa = np.full((height, width), 3_000, np.uint16).tobytes()
    shown = preview or b""
    pieces = bytearray(b"II*\0" + struct.pack("<I", 8))
    data_at = 2_000
    first: list[tuple[int, int, Sequence[int]]] = [
        (254, 4, [1]), (256, 4, [1_600]), (257, 4, [1_200]), (258, 3, [8, 8, 8]), (259, 3, [7]),
        (262, 3, [6]), (271, 2, list(b"Maker\0")), (272, 2, list(b"Model\0")), (273, 4, [data_at]),
        (274, 3, [orientation]), (277, 3, [3]), (278, 4, [1_200]), (279, 4, [len(shown)]),
        (330, 4, [1_000]), (50706, 1, [1, 4, 0, 0]), (50708, 2, list(b"Maker Model\0")),
        (50721, 10, [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]),
    ]  # fmt: skip
    second: list[tuple[int, int, Sequence[int]]] = [
        (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]),
        (262, 3, [32803]), (273, 4, [data_at + len(shown)]), (277, 3, [1]), (278, 4, [height]),
        (279, 4, [len(cfa)]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]), (50714, 4, [0]),
        (50717, 4, [65535]),
    ]  # fmt: skip
    if preview is None:
        first = [entry for entry in first if entry[0] not in (273, 279)]
    for entries, start in ((first, 8), (second, 1_000)):
        pieces = pieces.ljust(start, b"\0") + directory(entries, start)
    return bytes(pieces.ljust(data_at, b"\0") + shown + cfa)


def directory(entries: Sequence[tuple[int, int, Sequence[int]]], start: int) -> bytes:
    """A TIFF's directory at ``start``, with the values that do not fit into it behind it."""
    formats = {1: "B", 2: "B", 3: "H", 4: "I", 10: "i"}
    rows, behind = bytearray(struct.pack("<H", len(entries))), bytearray()
    free = start + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        packed = struct.pack(f"<{len(values)}{formats[kind]}", *values)
        count = len(values) // 2 if kind == 10 else len(values)
        if len(packed) > 4:
            value = struct.pack("<I", free + len(behind))
            behind += packed
        else:
            value = packed.ljust(4, b"\0")
        rows += struct.pack("<HHI", tag, kind, count) + value
    return bytes(rows + bytes(4) + behind)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_p4_preview_of_a_raw_file(tmp_path: Path, orientation: int) -> None:
    """A raw file is shown by its preview, turned as the camera was."""
    path = tmp_path / "photo.DNG"
    path.write_bytes(raw_file(jpeg(photo(1_600, 1_200)), orientation))
    shown = decode_photo(path, max_pixels=LIMIT)
    size = (1_200, 1_600) if orientation in (6, 8) else (1_600, 1_200)
    assert (shown.format, shown.width, shown.height, shown.orientation) == ("RAW", *size, orientation)
    red_first = {1: (600, 100), 3: (600, 1_500), 6: (100, 600), 8: (1_500, 600)}[orientation]
    assert shown.pixels[red_first][0] > 150
    assert read_embedded(path).orientation == orientation
    with pytest.raises(MediaUnavailableError, match="limit"):
        decode_photo(path, max_pixels=1_000)


def test_p4_raw_file_without_a_preview(tmp_path: Path) -> None:
    """Without a preview the sensor's numbers are developed, at half their size."""
    path = tmp_path / "photo.dng"
    path.write_bytes(raw_file(None))
    shown = decode_photo(path, max_pixels=LIMIT)
    assert (shown.format, shown.width, shown.height) == ("RAW", 32, 24)


def test_p4_raw_file_that_cannot_be_developed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where LibRaw does not know how the camera compressed it, its small preview is shown; without one it is
    refused."""

    def developed(_: RawPhoto) -> None:
        raise MediaError("The file is damaged.")

    monkeypatch.setattr(RawPhoto, "developed", developed)
    (tmp_path / "photo.dng").write_bytes(raw_file(jpeg(photo(640, 480))))
    shown = decode_photo(tmp_path / "photo.dng", max_pixels=LIMIT)
    assert (shown.format, shown.width, shown.height) == ("RAW", 640, 480)
    (tmp_path / "photo.dng").write_bytes(raw_file(None))
    with pytest.raises(MediaError, match="damaged"):
        decode_photo(tmp_path / "photo.dng", max_pixels=LIMIT)


def test_p4_no_raw_file(tmp_path: Path) -> None:
    """What is no raw file is refused as such."""
    (tmp_path / "photo.nef").write_bytes(b"no raw file" * 100)
    with pytest.raises(MediaError, match="no raw file"):
        decode_photo(tmp_path / "photo.nef", max_pixels=LIMIT)


def test_p4_a_raw_file_beside_its_photo_is_no_second_one(tmp_path: Path) -> None:
    """Of a raw file and a JPEG of the same stem the JPEG counts; a raw file alone is a photo."""
    for name in ("a.CR2", "A.jpg", "b.nef", "c.NEF", "c.jpg.nef", "sub/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    scan = PhotoScan([tmp_path])
    found = {file.path.relative_to(tmp_path).as_posix() for file in scan}
    assert found == {"A.jpg", "b.nef", "c.NEF", "c.jpg.nef", "sub/c.jpg"}
    assert scan.ignored == 1
