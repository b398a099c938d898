"""From a planned picture to the bytes of its file: drawing, tone, blur, EXIF, encoding."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from image_search_service.demo.picture import Format, Picture
from image_search_service.demo.portrait import draw_figure
from image_search_service.demo.scenes import draw_scene

NOTE = "drawn, not real"

_ORIENTATION, _DATE, _MAKE, _EXIF_IFD, _TAKEN = 0x0112, 0x0132, 0x010F, 0x8769, 0x9003
# What has to be done to upright pixels so that a viewer who obeys the orientation undoes it.
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def draw(picture: Picture) -> Image.Image:
    """The picture, upright, RGB or (old ones) grey."""
    image = draw_scene(picture.scene, picture.size, picture.backdrop)
    for figure in picture.figures:
        draw_figure(image, figure, picture.supersample)
    if picture.blur > 0.3:
        image = image.filter(ImageFilter.GaussianBlur(picture.blur))
    if picture.light != 1:
        image = ImageEnhance.Brightness(image).enhance(picture.light)
    if picture.tone == "faded":
        image = Image.blend(image, Image.new("RGB", image.size, (236, 206, 160)), 0.14)
    _write_note(image)
    return ImageOps.grayscale(image) if picture.tone == "gray" else image


def develop(picture: Picture) -> bytes:
    """The file's content."""
    image = draw(picture)
    if picture.orientation != 1:
        image = image.transpose(_TURNED[picture.orientation])
    return encode(image, picture.format, _exif(picture))


def encode(image: Image.Image, kind: Format, exif: bytes | None = None) -> bytes:
    """``image`` as a file of that kind; ``exif`` goes with all kinds but TIFF and GIF."""
    out = io.BytesIO()
    tags = {"exif": exif} if exif else {}
    match kind:
        case "HEIF":
            import pillow_heif

            pillow_heif.from_pillow(image.convert("RGB")).save(out, quality=80, **tags)
        case "GIF":
            image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(out, "GIF")
        case "TIFF":
            image.save(out, "TIFF", compression="tiff_lzw")
        case "PNG":
            image.save(out, "PNG", compress_level=4, **tags)
        case "AVIF":
            image.convert("RGB").save(out, "AVIF", quality=75, speed=8, max_threads=1, **tags)
        case "WEBP":
            image.convert("RGB").save(out, "WEBP", quality=85, method=2, **tags)
        case "JPEG":
            image.save(out, "JPEG", quality=87, **tags)
    return out.getvalue()


@cache
def encodable(kind: Format) -> bool:
    """Whether the libraries installed here can write this kind; HEIF and AVIF encoders are not everywhere."""
    try:
        encode(Image.new("RGB", (64, 64)), kind)
    except (ImportError, KeyError, OSError, RuntimeError, ValueError):
        return False
    return True


def _exif(picture: Picture) -> bytes | None:
    """Date and orientation. A scan of an old paper picture has no date."""
    if not picture.dated and picture.orientation == 1:
        return None
    exif = Image.Exif()
    exif[_MAKE] = f"image-search demo ({NOTE})"
    exif[_ORIENTATION] = picture.orientation
    if picture.dated:
        exif[_DATE] = exif.get_ifd(_EXIF_IFD)[_TAKEN] = picture.taken.strftime("%Y:%m:%d %H:%M:%S")
    return exif.tobytes()


def _write_note(image: Image.Image) -> None:
    """A small note in the lower right corner."""
    draw = ImageDraw.Draw(image, "RGBA")
    right, bottom = image.width - image.height * 0.012, image.height * 0.988
    font = _font(max(9, image.height // 54))
    draw.text((right + 1, bottom + 1), NOTE, fill=(0, 0, 0, 110), font=font, anchor="rs")
    draw.text((right, bottom), NOTE, fill=(255, 255, 255, 190), font=font, anchor="rs")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
