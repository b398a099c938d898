"""Find the photos of a person from another program, over HTTP.

    image-search serve --library LIBRARY &
    python examples/search_from_another_service.py http://127.0.0.1:8000 LIBRARY/token "Ada Lovelace"

Every request carries the service's token, from the file ``token`` in the library's folder. Any language can
do this: ``/openapi.json`` of the service describes every route. Only httpx is needed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx


def pages(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """The items of a list, page after page."""
    cursor: str | None = None
    while True:
        query = {"limit": 200} | ({} if cursor is None else {"cursor": cursor})
        answer = client.get(path, params=query).raise_for_status().json()
        yield from answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def photos_of(client: httpx.Client, name: str) -> list[dict[str, Any]]:
    """The photos that show a person, the oldest first."""
    for person in pages(client, "/api/v1/persons"):
        if person["name"].casefold() == name.casefold():
            return list(pages(client, f"/api/v1/persons/{person['id']}/photos"))
    raise SystemExit(f"Nobody is called {name}.")


def main() -> None:
    url, token_file, name = sys.argv[1:]
    token = Path(token_file).read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30.0) as client:
        photos = photos_of(client, name)
    print(f"{len(photos):,} photos show {name}:")
    for photo in photos:
        print(photo["taken_at"] or "no date", photo["path"], f"{len(photo['face_ids'])} faces")


if __name__ == "__main__":
    main()
