"""Small pictures from the library's folder. They follow from a photo's content, so that they never change."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response


class Jpeg(Response):
    """A small picture, kept by the browser for a year."""

    media_type = "image/jpeg"

    def __init__(self, content: bytes, status_code: int = 200) -> None:
        super().__init__(content, status_code, {"Cache-Control": "private, max-age=31536000, immutable"})


IMAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}
