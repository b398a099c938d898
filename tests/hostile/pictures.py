"""Small files of large pictures, of each kind, files whose head costs much, and damaged ones."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from tests.support.pictures import exif_bytes, picture

SIDE = 1_500
"""Pixels of a side: what each decoder needs beside the picture itself is little of it."""


def large_pictures(folder: Path) -> None:
    """One of each way to store a picture that differs in the memory that decoding takes."""
    color = Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    turned = exif_bytes(orientation=6)
    color.save(folder / "turned.jpg", exif=turned)
    color.save(folder / "progressive.jpg", progressive=True, subsampling=0)
    color.convert("CMYK").save(folder / "four-colors.jpg", progressive=True, subsampling=0)
    for mode in ("1", "P", "L", "LA", "RGB", "RGBA"):
        color.convert(mode).save(folder / f"{mode}.png", compress_level=1)
    color.convert("P").save(folder / "a.gif")
    color.convert("RGBA").save(folder / "a.webp", quality=50, method=0)
    color.save(folder / "a.avif", quality=40, speed=10)
    color.save(folder / "a.heic", quality=40)
    tens = (np.asarray(color).astype(np.uint16) * 257).tobytes()
    ten_bits = pillow_heif.from_bytes(mode="RGB;16", size=color.size, data=tens)
    ten_bits.save(folder / "ten-bits.heic", quality=40, chroma=444)
    color.save(folder / "turned.tif", exif=turned)
    color.convert("F").save(folder / "grey-float.tif", compression="tiff_lzw")
    values = np.dstack([np.asarray(color), np.asarray(color)[:, :, 0]])
    for name, numbers in (
        ("color16.png", values[:, :, :3].astype(np.uint16) * 257),
        ("alpha16.tif", values.astype(np.uint16) * 257),
        ("float.tif", values[:, :, :3].astype(np.float32) / 255),
    ):
        cv2.imwrite(str(folder / name), numbers)


def png(width: int, height: int, *, more: bytes = b"") -> bytes:
    """A PNG of one bit a pixel, all black: 32 kB for 250 million pixels. more: chunks before the picture."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    content = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + more + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def costly_heads() -> Iterator[tuple[str, bytes]]:
    """Files of some megabytes in which Pillow finds the picture late, if at all."""
    jpeg = _saved("JPEG")
    start, rest = jpeg[:2], jpeg[2:]
    yield "zeros between parts.jpg", start + bytes(30 * 2**20) + rest
    yield "exif without end.jpg", start + b"\xff\xe1\xff\xffExif\0\0".ljust(65_537, b"x") * 2_000 + rest
    yield "empty parts.png", png(8, 8, more=_chunk(b"abCd", b"") * 10**6)
    gif = _saved("GIF")
    palette = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    yield "comment.gif", gif[:palette] + b"!\xfe" + (b"\xff" + bytes(255)) * 60_000 + b"\0" + gif[palette:]
    yield "scans.jpg", _many_scans()
    yield "overlapping.tif", _overlapping_tags()
    exif = b"Exif\0\0" + _overlapping_tags(entries=5_000)
    yield "overlapping.jpg", start + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + rest


def _overlapping_tags(entries: int = 60_000) -> bytes:
    """A TIFF's directory in which each entry has all of the file for its value."""
    size = 8 + 2 + 12 * entries + 4
    listed = b"".join(struct.pack("<HHII", tag + 1, 7, size - 8, 8) for tag in range(entries))
    return struct.pack("<2sHIH", b"II", 42, 8, entries) + listed + bytes(4)


def _many_scans() -> bytes:
    """A progressive JPEG of 16 million pixels whose last scan comes 20,000 times."""
    image = Image.new("L", (4_000, 4_000))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * 20_000 + content[-2:]


def mutated_pictures(number: int) -> Iterator[tuple[str, bytes]]:
    """Small photos of each format, damaged in their heads and in their pixels, the same ones each time."""
    originals = [
        (suffix, _saved(format_))
        for suffix, format_ in (
            ("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF"), ("gif", "GIF"),
            ("heic", "HEIF"), ("avif", "AVIF"),
        )
    ]  # fmt: skip
    dice = random.Random(17)  # noqa: S311 - the same mutations each time
    for case in range(number):
        suffix, original = dice.choice(originals)
        content = bytearray(original)
        for _ in range(dice.randint(1, 6)):
            place = dice.randrange(len(content) if dice.random() < 0.5 else min(200, len(content)))
            match dice.randrange(4):
                case 0:
                    content[place] = dice.randrange(256)
                case 1:
                    content[place : place + 4] = dice.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"])
                case 2:
                    del content[place : place + dice.randint(1, 50)]
                case _:
                    content[place:place] = content[place : place + dice.randint(1, 50)] * 3
        yield f"{case:04}.{suffix}", bytes(content)


def _saved(format_: str) -> bytes:
    image = picture(48, 32)
    image.paste(Image.frombytes("RGB", (16, 12), bytes(n * 83 % 251 for n in range(576))), (8, 6))
    buffer = io.BytesIO()
    exif = exif_bytes(orientation=6, DateTimeOriginal="2020:01:01 00:00:00")
    image.save(buffer, format_, **({} if format_ == "GIF" else {"exif": exif}))
    return buffer.getvalue()
